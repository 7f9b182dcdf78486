"""Copy, reverse and sort: sequences of symbols, generated from a seed, without limit."""


import numpy as np
from numpy.random import Generator

from ..core.options import expect_own_fields, option
from ..errors import InputError
from .split import SPLITS
from .task import Counts, Recipe, Task, count_splits
from .vocabulary import FIRST, PAD, Vocabulary

ENUMERABLE = 1_000_000  # up to this number of sequences, those of each split are counted one by one
MOST_SYMBOLS = 1_000_000


class SymbolTask(Task):
    """Sequences of the symbols "0", "1", …, from min_length to max_length long, every length
    equally often."""

    symbols: int = option(10, "how many symbols there are")
    min_length: int = option(3, "the shortest sequence")
    max_length: int = option(10, "the longest sequence")

    def __post_init__(self):
        expect_own_fields(self)
        if not 2 <= self.symbols <= MOST_SYMBOLS or not 1 <= self.min_length <= self.max_length:
            raise InputError(
                f"A task needs from 2 to {MOST_SYMBOLS:,} symbols and 1 ≤ min_length ≤ max_length; "
                f"got symbols={self.symbols}, min_length={self.min_length}, "
                f"max_length={self.max_length}."
            )

    def make_vocabulary(self) -> Vocabulary:
        return Vocabulary([str(i) for i in range(self.symbols)])

    @property
    def longest(self) -> tuple[int, int]:
        """(longest source, longest target), in tokens."""
        return self.max_length, self.max_length

    @property
    def shortest_trained(self) -> int:
        return self.min_length

    def draw(self, rng: Generator, count: int) -> np.ndarray:
        ids = rng.integers(FIRST, FIRST + self.symbols, size=(count, self.max_length))
        lengths = rng.integers(self.min_length, self.max_length + 1, size=count)
        return np.where(np.arange(self.max_length) < lengths[:, None], ids, PAD)

    def counts(self) -> Counts:
        """[(length, number of sequences, {split: how many})]; counted up to a million, estimated in
        tenths beyond."""
        rows = []
        for length in range(self.min_length, self.max_length + 1):
            total = self.symbols**length
            if total <= ENUMERABLE:
                every = np.indices((self.symbols,) * length).reshape(length, -1).T + FIRST
                splits = count_splits(
                    np.pad(every, ((0, 0), (0, self.max_length - length)), constant_values=PAD)
                )
            else:
                splits = {
                    split: total * (high - low) // 10 for split, (low, high) in SPLITS.items()
                }
            rows.append((f"length {length}", total, splits))
        return rows


class Copy(SymbolTask):
    """Repeat the sequence: 3 1 4 → 3 1 4."""

    recipe = Recipe(training={"steps": 1500})

    def solve(self, source: np.ndarray) -> np.ndarray:
        return source.copy()

    def alignment(self, length: int) -> np.ndarray:
        return np.arange(length)


class Reverse(SymbolTask):
    """Write the sequence backwards: 3 1 4 → 4 1 3."""

    recipe = Recipe(training={"steps": 1500})

    def solve(self, source: np.ndarray) -> np.ndarray:
        lengths = (source != PAD).sum(axis=1, keepdims=True)             # (N, 1)
        places = lengths - 1 - np.arange(source.shape[1])  # (N, S); negative past the end
        return np.where(places >= 0, np.take_along_axis(source, places.clip(0), axis=1), PAD)

    def alignment(self, length: int) -> np.ndarray:
        return np.arange(length)[::-1]


class Sort(SymbolTask):
    """Write the symbols in ascending order: 3 1 4 → 1 3 4."""

    def solve(self, source: np.ndarray) -> np.ndarray:
        last = np.iinfo(source.dtype).max
        in_order = np.sort(np.where(source == PAD, last, source), axis=1)
        return np.where(in_order == last, PAD, in_order)
