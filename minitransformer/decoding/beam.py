"""Beam search: several hypotheses a sentence, the best of them at the end."""

from typing import NamedTuple

import numpy as np

from ..backend import as_numpy, asarray
from ..data.vocabulary import BOS, EOS, padded
from ..errors import InputError
from ..layers.cache import take_rows
from .evaluating import evaluating


class Hypothesis(NamedTuple):
    """A sentence that beam search found: its ids, EOS included, and log p(Y | X) / penalty."""

    score: float
    ids: list


def beam_search(model, source, max_tokens, beam=4, alpha=0.6):
    """Decode every row of `source`, keeping the `beam` likeliest beginnings at each step.

        score(Y) = log p(Y | X) / ((5 + |Y|) / 6)^α          |Y| counts the EOS

    Returns the ids of the best hypotheses, (B, ≤ max_tokens), as `greedy` does; with beam=1 they are greedy's. Sources:
    Vaswani et al. 2017, section 6.1 (beam 4, α 0.6); Wu et al. 2016, section 7, eq. 14, for the penalty.
    """
    best = [found[0].ids for found in hypotheses(model, source, max_tokens, beam, alpha)]
    return asarray(padded(best).astype(source.dtype), like=source)


def hypotheses(model, source, max_tokens, beam=4, alpha=0.6):
    """For each row of `source`, the list of `Hypothesis` that were found, the best first.

    A hypothesis is finished when EOS is among the `beam` best continuations. A row is done when it has `beam` of them,
    or when no beginning can become better than its best. What is not finished after max_tokens counts only if nothing is.
    """
    if not 0 <= alpha <= 10:
        raise InputError(f"The length penalty's alpha is a number from 0 (none) to 10, got {alpha}.")
    if beam < 1 or max_tokens < 1:
        raise InputError(f"Beam search keeps at least 1 hypothesis of at least 1 token, got beam={beam}, max_tokens={max_tokens}.")
    batch = source.shape[0]
    beams = Beams(batch, beam, alpha, max_tokens)
    with evaluating(model):
        state = take_rows(model.start(source), np.arange(batch).repeat(beam))
        ids = np.full(batch * beam, BOS, dtype=source.dtype)
        while len(beams.rows):
            logits, state = model.step(ids, state)                       # (N·beam, V)
            parents, tokens = beams.advance(log_softmax(as_numpy(logits).astype(np.float64)))
            state, ids = take_rows(state, asarray(parents, like=logits)), tokens.astype(source.dtype)
    return [sorted(found, key=lambda hypothesis: -hypothesis.score) for found in beams.finished]


class Beams:
    """The beginnings that are kept of each sentence, and the hypotheses that are finished.

    Of the sentences that are not done, `rows` (N,), each has `beam` beginnings: the tokens `written` (N, beam, t), and their
    log p, `scores` (N, beam).
    """

    def __init__(self, batch, beam, alpha, max_tokens):
        self.beam, self.alpha, self.max_tokens = beam, alpha, max_tokens
        self.finished = [[] for _ in range(batch)]
        self.rows = np.arange(batch)
        self.scores = np.full((batch, beam), -np.inf)
        self.scores[:, 0] = 0                                            # all begin with BOS: one of them is enough
        self.written = np.zeros((batch, beam, 0), dtype=np.int64)

    def advance(self, log_p):
        """Take the best next tokens, log_p (N·beam, V). Returns, for the sentences that are not done then, each
        beginning's parent among the N·beam and its last token, both (N'·beam,).
        """
        totals = self.scores[:, :, None] + log_p.reshape(len(self.rows), self.beam, -1)
        parents, tokens, totals = best_continuations(totals, 2 * self.beam)
        ended = tokens == EOS                                            # (N, 2·beam)
        self.finish(ended, parents, totals)
        going = np.argsort(ended, axis=1, kind="stable")[:, : self.beam]  # the best that have not ended
        parents, tokens, self.scores = (np.take_along_axis(x, going, axis=1) for x in (parents, tokens, totals))
        before = np.take_along_axis(self.written, parents[:, :, None], axis=1)
        self.written = np.concatenate([before, tokens[:, :, None]], axis=2)
        parents = np.arange(len(self.rows))[:, None] * self.beam + parents
        left = self.drop_done()
        return parents[left].reshape(-1), tokens[left].reshape(-1)

    def finish(self, ended, parents, totals):
        """Keep the hypotheses that end with this token, if they are among the best `beam`."""
        for n, place in zip(*np.nonzero(ended[:, : self.beam] & (totals[:, : self.beam] > -np.inf))):
            self.keep(n, totals[n, place], [*self.written[n, parents[n, place]].tolist(), EOS])

    def keep(self, n, log_p, ids):
        self.finished[self.rows[n]].append(Hypothesis(log_p / penalty(len(ids), self.alpha), ids))

    def drop_done(self):
        """Forget the sentences that are done; the places (N',) of the others."""
        attainable = self.scores[:, 0] / penalty(self.max_tokens, self.alpha)
        left = [n for n, row in enumerate(self.rows) if not self.is_done(self.finished[row], attainable[n])]
        if self.written.shape[2] == self.max_tokens:
            for n in left:
                self.cut_off(n)
            left = []
        self.rows, self.scores, self.written = self.rows[left], self.scores[left], self.written[left]
        return left

    def is_done(self, found, attainable):
        return len(found) >= self.beam or bool(found) and max(found).score >= attainable

    def cut_off(self, n):
        """At the last token: what never ended counts if nothing did."""
        if not self.finished[self.rows[n]]:
            for log_p, ids in zip(self.scores[n], self.written[n].tolist()):
                if log_p > -np.inf:
                    self.keep(n, log_p, ids)


def penalty(length, alpha):
    """((5 + |Y|) / 6)^α: with α > 0, longer sentences are not punished for having more factors."""
    return ((5 + length) / 6) ** alpha


def best_continuations(totals, count):
    """(beginnings, tokens, log p), each (N, ≤ count): the best of totals (N, beam, V), the best first, of equals the first."""
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
    return order // totals.shape[-1], order % totals.shape[-1], np.take_along_axis(flat, order, axis=1)


def log_softmax(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
