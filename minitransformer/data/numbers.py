"""Numbers in words, from one language to another: an exact parallel corpus without end."""

import dataclasses
import functools

import numpy as np

from ..errors import unknown
from ..extras import extra
from ..options import option
from .directions import in_all_directions
from .pieces import CUTS, Pieces
from .task import Recipe, Task, count_splits

LIMIT = 1_000_000


@dataclasses.dataclass(frozen=True)
class NumberWords(Task):
    """Say a number from 0 to 999,999 in another language.

    Numbers of 1, 2, … 6 digits are drawn equally often. They are split by value: what is tested was never trained on, in
    neither spelling. (All ten numbers of one digit happen to be for training.) The `num2words` library spells them.
    """

    recipe = Recipe(training={"steps": 1000, "batch_size": 128, "learning_rate": 2e-3})
    longest = (80, 80)  # (longest source, longest target) in tokens: the 73 characters of 499,497 in French

    cut: str = option("morphemes", "morphemes (words, and the parts of German numbers) or characters")

    def __post_init__(self):
        if self.cut not in CUTS:
            raise unknown("cut", self.cut, CUTS)

    def make_vocabulary(self):
        """All that can occur below a thousand, before "thousand" and behind it."""
        below = range(1000)
        numbers = [*below, *(1000 * n for n in below), *(1000 + n for n in below)]
        return Pieces.of([spell(n, language) for n in numbers for language in (self.source, self.target)], self.cut)

    def draw(self, rng, count):
        digits = rng.integers(1, 7, size=count)
        smallest = np.where(digits == 1, 0, 10 ** (digits - 1))
        return rng.integers(smallest, 10**digits)[:, None]               # (N, 1)

    def pairs(self, questions):
        numbers = questions[:, 0].tolist()
        encode = lambda language: self.vocabulary.encode_all([spell(n, language) for n in numbers])  # noqa: E731
        return encode(self.source), encode(self.target)

    def counts(self):
        """[("0 to 999,999", number of numbers, {split: how many})]."""
        return [("0 to 999,999", LIMIT, count_splits(np.arange(LIMIT)[:, None]))]


@functools.lru_cache(maxsize=2**18)
def spell(number, language):
    """The words of a number in "en", "de" or "fr"."""
    return extra("num2words", "Spelling numbers").num2words(number, lang=language)


NUMBERS = in_all_directions("numbers", NumberWords, "Numbers in words")
