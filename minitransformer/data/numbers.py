"""Numbers in words, from one language to another: a parallel corpus without limit and without
errors."""

import functools
from typing import ClassVar

import numpy as np

from ..core.options import expect_own_fields, option
from ..errors import unknown
from .directions import in_all_directions
from .pieces import CUTS, Pieces
from .spelling import NUMBER, every_way, forms, rewrite, spell, written
from .task import Recipe, Task, count_splits

LIMIT = 1_000_000
SPELLINGS = ("varied", "canonical")


class NumberWords(Task):
    """Translate a number from 0 to 999,999 in words.

    Numbers of 1, 2, … 6 digits are drawn equally often. They are split by value: a test number was
    not trained on, in either language. (All ten numbers of one digit happen to be for training.)
    The `num2words` library spells them.

    The answer has one spelling. With `spelling="varied"` the source has many: one text of four is
    spelled as the answers are, and three as people type: with or without hyphens, commas and "and",
    or in digits (`spelling.written`).
    """

    source: ClassVar[str] = ""  # the languages, in a subclass
    target: ClassVar[str] = ""
    recipe = Recipe(training={"steps": 4000, "batch_size": 128, "learning_rate": 2e-3})

    cut: str = option(
        "morphemes", "morphemes (words, and the parts of German numbers) or characters"
    )
    spelling: str = option(
        "varied", "varied (sources as people type them) or canonical (one spelling for each number)"
    )

    def __post_init__(self):
        expect_own_fields(self)
        if self.cut not in CUTS:
            raise unknown("cut", self.cut, CUTS)
        if self.spelling not in SPELLINGS:
            raise unknown("spelling", self.spelling, SPELLINGS)

    @functools.cached_property
    def longest(self):
        """(longest source, longest target), in tokens: of numbers that are the same before
        "thousand" and behind it."""
        longest = lambda ways: [max(ways, key=len)]  # noqa: E731
        targets, sources = (
            [spell(1001 * n, language) for n in range(1, 1000)]
            for language in (self.target, self.source)
        )
        if self.spelling == "varied":
            sources = [rewrite(text, self.source, longest)[0] for text in sources]
        return tuple(
            max(len(CUTS[self.cut](text)) for text in texts) for texts in (sources, targets)
        )

    def make_vocabulary(self):
        """The pieces of all words in all positions, and which words may follow one or two others in
        a source."""
        words = [
            *range(30), *range(30, 71, 10), *range(71, 81), *range(90, 100), *range(100, 1000, 100),
        ]
        numbers = [
            *range(100), *(100 + n for n in words if n < 100), *range(200, 1000, 100),
            *range(1100, 10_000, 100),
        ]
        numbers += [n for word in words for n in (1000 * word, 1000 + word, 2000 + word)]
        # one for each first and last word below 1,000
        ends = [*range(22), *range(30, 100, 10), 100]
        numbers += [m for n in ends for m in (100_000 + n, 1000 * n + 100)]
        ways = every_way if self.spelling == "varied" else lambda n, language: [spell(n, language)]
        sources = {text for n in numbers for text in ways(n, self.source)}
        more = {m for n in range(1000) for m in (n, 1000 * n, 1000 + n)} | {
            100 * a + b for a in range(11, 20) for b in ends
        }
        more |= {1000 * a + b for a in ends for b in ends}
        for n in more:                                                   # for three words in a row
            if self.spelling == "canonical":
                sources.add(spell(n, self.source))
            else:
                kth = [lambda ways, k=k: [ways[k % len(ways)]] for k in range(4)]
                sources |= {
                    text
                    for form in forms(n, self.source)
                    for one in kth
                    for text in rewrite(form, self.source, one)
                }
        vocabulary = Pieces.of([spell(n, self.target) for n in numbers], self.cut, [*sources])
        vocabulary.reads, vocabulary.form = self.reads, NUMBER[self.source]
        return vocabulary

    @property
    def reads(self):
        return (
            f"It reads whole numbers from 0 to {LIMIT - 1:,}, in "
            f"words{' or digits' * (self.spelling == 'varied')}."
        )

    def adopt(self, vocabulary):
        super().adopt(vocabulary)
        if vocabulary.followers is None:  # a checkpoint from before this option
            object.__setattr__(self, "spelling", "canonical")
        vocabulary.reads, vocabulary.form = self.reads, NUMBER.get(self.source)

    def draw(self, rng, count):
        """Numbers and the ways to write them, (N, 2): way 0 is the canonical one, any other draws
        it."""
        digits = rng.integers(1, 7, size=count)
        smallest = np.where(digits == 1, 0, 10 ** (digits - 1))
        numbers = rng.integers(smallest, 10**digits)
        ways = np.zeros_like(numbers)
        if self.spelling == "varied":
            ways = rng.integers(1, 2**31, size=count) * (rng.random(count) < 0.75)
        return np.stack([numbers, ways], axis=1)

    def key(self, questions):
        return questions[:, :1]  # the number, however it is written

    def pairs(self, questions):
        encode = self.vocabulary.encode_all
        sources = [written(number, self.source, way) for number, way in questions.tolist()]
        return encode(sources), encode(
            [spell(number, self.target) for number in questions[:, 0].tolist()]
        )

    def counts(self):
        """[("0 to 999,999", number of numbers, {split: how many})]."""
        return [("0 to 999,999", LIMIT, count_splits(np.arange(LIMIT)[:, None]))]


NUMBERS = in_all_directions("numbers", NumberWords, "Numbers in words")
