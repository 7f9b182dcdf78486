"""Beam search: several hypotheses for each sentence; the best one is the answer."""

import bisect
from typing import Annotated, NamedTuple

import numpy as np

from ..backend import as_numpy, asarray, keep_freed_memory
from ..boundary import Number, Whole, checked
from ..core.evaluating import evaluating
from ..data.vocabulary import BOS, EOS, padded
from ..errors import InputError
from ..layers.cache import take_rows
from .limits import MaxTokens, Model, expect_numbers, longest_answer, padding_behind, writable

# the paper's, section 6.1; and what every command decodes with unless told otherwise
BEAM, ALPHA = 4, 0.6


Alpha = Annotated[
    float,
    Number("a number from 0 (no penalty of length) to 10", least=0, below=np.nextafter(10, 11)),
]


class Hypothesis(NamedTuple):
    """A sentence that beam search found: its ids, EOS included, and log p(Y | X) / penalty."""

    score: float
    ids: list


@checked
def beam_search(
    model: Model, source: "np.ndarray | None", max_tokens: "MaxTokens" = None, beam: Whole = BEAM,
    alpha: Alpha = ALPHA, early_stopping: bool = False,
) -> np.ndarray:
    """Decode every row of `source`, keeping the `beam` most likely open hypotheses at each step.

        score(Y) = log p(Y | X) / ((5 + |Y|) / 6)^α          |Y| counts the EOS

    Returns the ids of the best hypotheses, (B, ≤ max_tokens), as `greedy` does; with beam=1 they
    are greedy's. A row is done when no open hypothesis can become better than its best finished
    one; with `early_stopping` as soon as it has `beam` finished ones, which is faster, and may miss
    a better one that is longer. A row's answer does not depend on the other rows, unless two scores
    are equal to within rounding. `max_tokens` is as in `greedy`.

    Sources: Vaswani et al. 2017, section 6.1 (beam 4, α 0.6); Wu et al. 2016, section 7, eq. 14,
    for the penalty.
    """
    best = [
        found[0].ids
        for found in search(model, source, max_tokens, beam, alpha, early_stopping, wanted=1)
    ]
    return padded(best) if source is None else asarray(padded(best), like=source)


@checked
def hypotheses(
    model: Model, source: "np.ndarray | None", max_tokens: "MaxTokens" = None, beam: Whole = BEAM,
    alpha: Alpha = ALPHA, early_stopping: bool = False,
) -> list[list[Hypothesis]]:
    """For each row of `source`, the list of the `beam` best `Hypothesis` that the search found, the
    best first.

    A hypothesis is finished when EOS is among the `beam` best continuations of a step. A row is
    done when no open hypothesis can become better than the last of its list, so its first is what
    `beam_search` returns; the list has fewer than `beam` entries if no more ended within
    max_tokens. Of equal scores the one found first comes first: the shorter, then the one with the
    more likely beginning, then the one with the smaller ids. If none ended, the list holds the open
    hypotheses at the end, without EOS. A beam of 1 ends with its first EOS, as greedy decoding
    does.
    """
    return search(model, source, max_tokens, beam, alpha, early_stopping, wanted=beam)


def search(model, source, max_tokens, beam, alpha, early_stopping, wanted):
    """`hypotheses`, of which only the first `wanted` are certainly the best."""
    longest = longest_answer(model, source, max_tokens)                  # (B,)
    if beam < 1 or (longest < 1).any():
        raise InputError(
            f"Beam search keeps at least 1 hypothesis of at least 1 token, got beam={beam}, "
            f"max_tokens={max_tokens}."
        )
    keep_freed_memory()
    # going on after its only EOS, 1 would not be greedy
    enough = beam if early_stopping or beam == 1 else np.inf
    beams = Beams(longest, beam, alpha, wanted, enough)
    with evaluating(model):
        state = take_rows(model.start(padding_behind(source)), np.arange(len(longest)).repeat(beam))
        ids = np.full(len(longest) * beam, BOS)
        while len(beams.rows):
            logits, state = model.step(ids, state)                       # (N·beam, V)
            # a row with a NaN, or without any number, is NaN
            log_p = log_softmax(as_numpy(logits).astype(np.float64))
            expect_numbers(~np.isnan(log_p[:, EOS]))
            parents, ids = beams.advance(writable(log_p))
            state = take_rows(state, asarray(parents, like=logits))
    return beams.finished


class Beams:
    """The open hypotheses of each sentence, and the finished ones.

    Each sentence that is not done, `rows` (N,), has `beam` open hypotheses: the tokens `written`
    (N, beam, t), and their log p, `scores` (N, beam), the best first; −∞ if there are fewer.
    Sentence n ends at `longest[n]` tokens, and `finished[n]` are its `beam` best hypotheses, the
    best first.
    """

    def __init__(self, longest, beam, alpha, wanted, enough):
        self.longest, self.beam, self.alpha, self.wanted, self.enough = (
            longest, beam, alpha, wanted, enough,
        )
        self.finished = [[] for _ in longest]
        self.rows = np.arange(len(longest))
        self.scores = np.full((len(longest), beam), -np.inf)
        self.scores[:, 0] = 0  # all begin with BOS: one of them is enough
        self.written = np.zeros((len(longest), beam, 0), dtype=np.int64)

    def advance(self, log_p):
        """Take the best next tokens, log_p (N·beam, V). Returns, for the sentences that are still
        not done, the parent of each open hypothesis among the N·beam, and its last token, both
        (N'·beam,).
        """
        totals = self.scores[:, :, None] + log_p.reshape(len(self.rows), self.beam, -1)
        parents, tokens, totals = best_continuations(totals, 2 * self.beam)
        ended = tokens == EOS                                            # (N, 2·beam)
        self.finish(ended, parents, totals)
        # the best that have not ended
        going = np.argsort(ended, axis=1, kind="stable")[:, : self.beam]
        parents, tokens, self.scores = (
            np.take_along_axis(x, going, axis=1) for x in (parents, tokens, totals)
        )
        before = np.take_along_axis(self.written, parents[:, :, None], axis=1)
        self.written = np.concatenate([before, tokens[:, :, None]], axis=2)
        parents = np.arange(len(self.rows))[:, None] * self.beam + parents
        left = self.drop_done()
        return parents[left].reshape(-1), tokens[left].reshape(-1)

    def finish(self, ended, parents, totals):
        """Keep the hypotheses that end with this token, if they are among the `beam` best."""
        for n, place in zip(
            *np.nonzero(ended[:, : self.beam] & (totals[:, : self.beam] > -np.inf))
        ):
            self.keep(n, totals[n, place], [*self.written[n, parents[n, place]].tolist(), EOS])

    def keep(self, n, log_p, ids):
        found = self.finished[self.rows[n]]
        bisect.insort_right(
            found, Hypothesis(log_p / penalty(len(ids), self.alpha), ids),
            key=lambda other: -other.score,
        )
        del found[self.beam :]

    def drop_done(self):
        """Remove the sentences that are done; returns the indices (N',) of the others."""
        longest = self.longest[self.rows]                                # (N,)
        attainable = self.scores[:, 0] / penalty(longest, self.alpha)
        left = [
            n
            for n, row in enumerate(self.rows)
            if not self.is_done(self.finished[row], attainable[n])
        ]
        full = self.written.shape[2] == longest
        for n in left:
            if full[n]:
                self.cut_off(n)
        left = [n for n in left if not full[n]]
        self.rows, self.scores, self.written = (
            self.rows[left], self.scores[left], self.written[left],
        )
        return left

    def is_done(self, found, attainable):
        """Whether no open hypothesis can still become one of the first `wanted`.

        The log p of an open hypothesis only falls as it grows. It is divided by the penalty, which
        for α ≥ 0 is largest for the longest answer. So it cannot reach a better score than log p so
        far / penalty(longest): `attainable`.
        """
        if len(found) >= self.enough or attainable == -np.inf:
            return True
        return len(found) >= self.wanted and found[self.wanted - 1].score >= attainable

    def cut_off(self, n):
        """At the last token: the open hypotheses count if none has ended."""
        if not self.finished[self.rows[n]]:
            for log_p, ids in zip(self.scores[n], self.written[n].tolist()):
                if log_p > -np.inf:
                    self.keep(n, log_p, ids)


def penalty(length, alpha):
    """((5 + |Y|) / 6)^α: with α > 0, longer sentences are not penalised for having more factors."""
    return ((5 + length) / 6) ** alpha


def best_continuations(totals, count):
    """(beginnings, tokens, log p), each (N, ≤ count): the best of totals (N, beam, V), the best
    first, of equals the first."""
    flat = totals.reshape(len(totals), -1)
    count = min(count, flat.shape[1])
    least = -np.partition(-flat, count - 1, axis=1)[:, count - 1, None]
    _, found = np.nonzero(flat >= least)
    if len(found) == len(flat) * count:  # no ties at the border, so a whole sort can be spared
        found = found.reshape(len(flat), count)
        falling = np.argsort(-np.take_along_axis(flat, found, axis=1), axis=1, kind="stable")
        order = np.take_along_axis(found, falling, axis=1)
    else:
        order = np.argsort(-flat, axis=1, kind="stable")[:, :count]
    return (
        order // totals.shape[-1], order % totals.shape[-1],
        np.take_along_axis(flat, order, axis=1),
    )


def log_softmax(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
