"""Handwritten digits: 1,797 pictures of 8 × 8 pixels, each with its class."""

import functools
from pathlib import Path

import numpy as np

from .split import SPLITS, in_split
from .task import Pair, Recipe, Task
from .vocabulary import FIRST, Vocabulary

FILE = Path(__file__).parents[1] / "shipped" / "digits.npz"
LEVELS = 17  # of grey: 0 to 16


class Digits(Task):
    """Which digit does a picture show? The 64 grey levels, row by row, are read; one token answers.

    So it is a classification: the answer is one of ten classes. `pictures` and `labels` are the
    arrays themselves, for a model that reads pictures. A hash of the picture decides which split it
    is in.

    Source: Alpaydin & Kaynak 1998, "Optical recognition of handwritten digits", UCI Machine
    Learning Repository, doi 10.24432/C50P49, licence CC BY 4.0; its test set, as scikit-learn has
    it.
    """

    recipe = Recipe(training={"steps": 1000, "batch_size": 64})

    @property
    def pictures(self) -> np.ndarray:
        """(1797, 8, 8) uint8: how dark each pixel is, from 0 to 16."""
        return self._arrays["pictures"]

    @property
    def labels(self) -> np.ndarray:
        """(1797,) uint8: the digit that each picture shows."""
        return self._arrays["labels"]

    @functools.cached_property
    def _arrays(self):
        with np.load(FILE) as arrays:
            return {name: arrays[name] for name in ("pictures", "labels")}

    def make_vocabulary(self):
        return Vocabulary([str(level) for level in range(LEVELS)])

    @property
    def longest(self):
        """(longest source, longest target), in tokens."""
        return 64, 1

    @property
    def shortest_trained(self):
        return 64

    def rows(self, split: str) -> np.ndarray:
        """The numbers of the pictures of a split, in their order; found once."""
        known = self.__dict__.setdefault("_rows", {})
        if split not in known:
            known[split] = np.flatnonzero(in_split(self.pictures.reshape(-1, 64) + 1, split))
        return known[split]

    def of(self, rows: np.ndarray) -> Pair:
        """(source (N, 64), target (N, 1)) of these pictures."""
        return (
            self.pictures[rows].reshape(-1, 64).astype(np.int64) + FIRST,
            self.labels[rows, None].astype(np.int64) + FIRST,
        )

    def sample(self, rng, count, split="train", distinct=False):
        """(source, target) of `count` pictures of a split; with `distinct` each at most once."""
        rows = self.rows(split)
        return self.of(rng.permutation(rows)[:count] if distinct else rng.choice(rows, count))

    def pool(self, rng):
        """All training pictures, in a new random order: one epoch."""
        return self.of(rng.permutation(self.rows("train")))

    def counts(self):
        """[("pictures", how many, {split: how many})]."""
        splits = {split: len(self.rows(split)) for split in SPLITS}
        return [("pictures", sum(splits.values()), splits)]
