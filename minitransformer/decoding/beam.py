"""Beam search: several hypotheses a sentence, the best of them at the end."""

from typing import NamedTuple

import numpy as np

from ..backend import array_module, as_numpy
from ..data.vocabulary import BOS, EOS, PAD
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
    ids = np.full((len(best), max(map(len, best), default=0)), PAD, dtype=source.dtype)
    for row, found in zip(ids, best):
        row[: len(found)] = found
    return array_module(source).asarray(ids)


def hypotheses(model, source, max_tokens, beam=4, alpha=0.6):
    """For each row of `source`, the list of `Hypothesis` that were found, the best first.

    A hypothesis is finished when EOS is among the `beam` best continuations. A row is done when it has `beam` of them,
    or when no beginning can become better than its best. What is not finished after max_tokens counts only if nothing is.
    """
    if not 0 <= alpha <= 10:
        raise InputError(f"The length penalty's alpha is a number from 0 (none) to 10, got {alpha}.")
    if beam < 1 or max_tokens < 1:
        raise InputError(f"Beam search keeps at least 1 hypothesis of at least 1 token, got beam={beam}, max_tokens={max_tokens}.")
    xp, batch = array_module(source), source.shape[0]
    finished = [[] for _ in range(batch)]
    rows = np.arange(batch)                                              # the sentences that are not done
    scores = np.full((batch, beam), -np.inf)                             # log p of each beginning
    scores[:, 0] = 0                                                     # all begin with BOS: one of them is enough
    written = np.zeros((batch, beam, 0), dtype=np.int64)
    with evaluating(model):
        state = take_rows(model.start(source), xp.arange(batch).repeat(beam))
        ids = xp.full(batch * beam, BOS, dtype=source.dtype)
        for length in range(1, max_tokens + 1):
            logits, state = model.step(ids, state)                       # (N·beam, V)
            log_p = log_softmax(as_numpy(logits).astype(np.float64)).reshape(len(rows), beam, -1)
            parents, tokens, totals = best_continuations(scores[:, :, None] + log_p, 2 * beam)
            ended = tokens == EOS                                        # (N, 2·beam)
            for n, place in zip(*np.nonzero(ended[:, :beam] & (totals[:, :beam] > -np.inf))):
                sentence = [*written[n, parents[n, place]].tolist(), EOS]
                finished[rows[n]].append(Hypothesis(totals[n, place] / penalty(length, alpha), sentence))

            going = np.argsort(ended, axis=1, kind="stable")[:, :beam]   # the best that have not ended
            parents, tokens, scores = (np.take_along_axis(x, going, axis=1) for x in (parents, tokens, totals))
            written = np.concatenate([np.take_along_axis(written, parents[:, :, None], axis=1), tokens[:, :, None]], axis=2)
            attainable = scores[:, 0] / penalty(max_tokens, alpha)
            left = [n for n, row in enumerate(rows) if not done(finished[row], beam, attainable[n])]
            if length == max_tokens or not left:
                break
            parents = (np.arange(len(rows))[:, None] * beam + parents)[left]
            rows, scores, written, tokens = rows[left], scores[left], written[left], tokens[left]
            state = take_rows(state, xp.asarray(parents.reshape(-1)))
            ids = xp.asarray(tokens.reshape(-1).astype(source.dtype))
    for n, row in enumerate(rows):
        if not finished[row]:
            finished[row] = [Hypothesis(s / penalty(length, alpha), w.tolist()) for s, w in zip(scores[n], written[n]) if s > -np.inf]
    return [sorted(found, key=lambda hypothesis: -hypothesis.score) for found in finished]


def penalty(length, alpha):
    """((5 + |Y|) / 6)^α: with α > 0, longer sentences are not punished for having more factors."""
    return ((5 + length) / 6) ** alpha


def done(found, beam, attainable):
    return len(found) >= beam or bool(found) and max(found).score >= attainable


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
