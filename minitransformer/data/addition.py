"""Addition, digit by digit."""

import re

import numpy as np
from numpy.random import Generator

from ..core.options import expect_own_fields, option
from ..errors import InputError, shortened
from .split import SPLITS
from .task import Counts, Recipe, Task, count_splits
from .vocabulary import FIRST, PAD, Vocabulary


class Addition(Task):
    """Add two numbers, digit by digit as they are written: 9 5 + 7 → 1 0 2.

    Each number has 1, 2, … `digits` digits, every count equally often. The split hashes the pair
    without its order, so that 7+95 and 95+7 are always in the same set.
    """

    recipe = Recipe(training={"steps": 6000})
    digits: int = option(3, "digits of the longest number")

    def __post_init__(self):
        expect_own_fields(self)
        if not 1 <= self.digits <= 8:
            raise InputError(
                f"Addition works with numbers of 1 to 8 digits, got digits={self.digits}."
            )

    def make_vocabulary(self) -> Vocabulary:
        return Vocabulary([*map(str, range(10)), "+"])

    @property
    def longest(self) -> tuple[int, int]:
        """(longest source, longest target), in tokens."""
        return 2 * self.digits + 1, self.digits + 1

    @property
    def shortest_trained(self) -> int:
        return len("1+1")

    def draw(self, rng: Generator, count: int) -> np.ndarray:
        digits = rng.integers(1, self.digits + 1, size=(count, 2))
        smallest = np.where(digits == 1, 0, 10 ** (digits - 1))
        return self._write(
            [f"{a}+{b}" for a, b in rng.integers(smallest, 10**digits)], self.longest[0]
        )

    def key(self, source: np.ndarray) -> np.ndarray:
        return np.sort(self._numbers(source), axis=1)  # (N, 2), the smaller number first

    def solve(self, source: np.ndarray) -> np.ndarray:
        return self._write(
            [str(total) for total in self._numbers(source).sum(axis=1)], self.longest[1]
        )

    def counts(self) -> Counts:
        """[("a+b, a ≤ b", number of unordered pairs, {split: how many})]; counted up to a million
        pairs."""
        pairs = np.array(np.triu_indices(10 ** min(self.digits, 3))).T
        total = 10**self.digits * (10**self.digits + 1) // 2
        tenths = {split: total * (high - low) // 10 for split, (low, high) in SPLITS.items()}
        return [("unordered pairs", total, count_splits(pairs) if len(pairs) == total else tenths)]

    def _write(self, texts, width):
        """Padded ids (N, width) of texts over digits and "+"."""
        ids = {character: i for i, character in enumerate("0123456789+", start=FIRST)}
        return np.array(
            [[ids[c] for c in text] + [PAD] * (width - len(text)) for text in texts], dtype=np.int64
        )

    def _numbers(self, source):
        """(N, 2): the two numbers written in each row. Raises InputError for a row that is no sum
        of two numbers."""
        characters = np.array(["", "", "", "", *"0123456789+"])
        texts = ["".join(characters[row]) for row in source]
        for text in texts:
            if not re.fullmatch(r"\d+\+\d+", text):
                raise InputError(
                    f"{shortened(text)} is not a sum of two numbers. Write it like 95+7."
                )
        return np.array(
            [[int(n) for n in text.split("+")] for text in texts], dtype=np.int64
        ).reshape(-1, 2)
