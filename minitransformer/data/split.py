"""Training, validation and test sets without a list: a hash of the sequence decides."""

from typing import Annotated

import numpy as np

from ..boundary import OneOf
from ..errors import unknown

# tenths of the hash's range: 10 %, 10 %, 80 %
SPLITS = {"test": (0, 1), "validation": (1, 2), "train": (2, 10)}
Split = Annotated[str, OneOf("split", SPLITS)]


def in_split(keys, split):
    """Whether each row of keys (N, L), integers, belongs to the split: (N,) bool.

    The result is the same in every run and on every machine, so that no sequence for evaluation can
    occur in training.
    """
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    low, high = SPLITS[split]
    tenth = _hash(keys) % np.uint64(10)
    return (tenth >= low) & (tenth < high)


def _hash(keys):
    """A 64-bit hash of each row: FNV-1a over its entries except zeros (padding), then the finaliser
    of SplitMix64."""
    h = np.full(len(keys), 0xCBF29CE484222325, dtype=np.uint64)
    for column in keys.T.astype(np.uint64):
        h = np.where(column == 0, h, (h ^ column) * np.uint64(0x100000001B3))
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))
