"""From pairs of sequences to a model's input."""

from typing import NamedTuple

import numpy as np

from ..errors import expect_as_many
from .vocabulary import BOS, EOS, PAD


class Batch(NamedTuple):
    """Token ids, padded with 0: source (B, S); target_in (B, T) begins with BOS; target_out (B, T)
    ends with EOS.

    The decoder reads target_in and predicts target_out, the same sequence one step ahead ("shifted
    right"): at every position it sees the tokens before the one that it has to predict.
    """

    source: np.ndarray
    target_in: np.ndarray
    target_out: np.ndarray


def make_batch(source: np.ndarray, target: np.ndarray) -> Batch:
    """The `Batch` of padded ids source (B, S) and target (B, T−1), which hold neither BOS nor EOS.

    Raises InputError unless there are as many targets as sources.
    """
    expect_as_many("Sources and targets belong together", sources=source, targets=target)
    source, target = _trim(source), _trim(target)
    begin = np.full((len(target), 1), BOS)
    target_in = np.concatenate([begin, target], axis=1)
    target_out = np.concatenate([target, np.full_like(begin, PAD)], axis=1)
    target_out[np.arange(len(target)), (target != PAD).sum(axis=1)] = EOS
    return Batch(source, target_in, target_out)


def _trim(ids):
    """Without the columns that are padding in every row."""
    return ids[:, : max(1, int((ids != PAD).sum(axis=1).max()))]
