"""Small tasks that are generated, seeded and endless: copy, reverse, sort, and addition."""

import dataclasses
import re

import numpy as np

from ..errors import InputError, unknown
from ..options import option
from .split import SPLITS, in_split
from .vocabulary import PAD, SPECIAL, Vocabulary

FIRST = len(SPECIAL)  # the id of the first symbol
ENUMERABLE = 1_000_000  # up to so many sequences, those of a split are counted one by one


class Task:
    """What every task offers: a vocabulary, endless pairs, and a split that no sequence crosses.

    A subclass is a frozen dataclass of its options and says how sources are drawn (`draw`) and solved (`solve`). All
    ids come padded: source (N, S) and target (N, T), without BOS and EOS.
    """

    steps = 2500  # of training that suffice with the defaults

    def draw(self, rng, count):
        """`count` padded sources, from all splits."""
        raise NotImplementedError

    def solve(self, source):
        """The padded targets of padded sources."""
        raise NotImplementedError

    def key(self, source):
        """The rows (N, L) by which sources are told apart and split; usually the sources themselves."""
        return source

    def alignment(self, length):
        """The source position that each of `length` target positions is made from; None if there is no single one."""
        return None

    def sample(self, rng, count, split="train", distinct=False):
        """(source, target) of `count` pairs of a split. With `distinct` all differ, and fewer come if no more exist."""
        found, idle = None, 0
        while idle < 20 and (found is None or len(found) < count):
            drawn = self.draw(rng, 2 * count)
            drawn = drawn[in_split(self.key(drawn), split)]
            before = 0 if found is None else len(found)
            found = drawn if found is None else np.concatenate([found, drawn])
            if distinct:
                found = found[np.sort(np.unique(self.key(found), axis=0, return_index=True)[1])]
            idle = 0 if len(found) > before else idle + 1
        if not len(found):
            raise InputError(f"{self} has no sequence for {split}: allow longer sequences or more symbols.")
        return found[:count], self.solve(found[:count])


@dataclasses.dataclass(frozen=True)
class SymbolTask(Task):
    """Sequences of the symbols "0", "1", …, from min_length to max_length long, every length equally often."""

    symbols: int = option(10, "how many symbols there are")
    min_length: int = option(3, "the shortest sequence")
    max_length: int = option(10, "the longest sequence")

    def __post_init__(self):
        if self.symbols < 2 or not 1 <= self.min_length <= self.max_length:
            raise InputError(
                "A task needs at least 2 symbols and 1 ≤ min_length ≤ max_length; got "
                f"symbols={self.symbols}, min_length={self.min_length}, max_length={self.max_length}."
            )

    @property
    def vocabulary(self):
        return Vocabulary([str(i) for i in range(self.symbols)])

    @property
    def longest(self):
        """(longest source, longest target), in tokens."""
        return self.max_length, self.max_length

    def draw(self, rng, count):
        ids = rng.integers(FIRST, FIRST + self.symbols, size=(count, self.max_length))
        lengths = rng.integers(self.min_length, self.max_length + 1, size=count)
        return np.where(np.arange(self.max_length) < lengths[:, None], ids, PAD)

    def counts(self):
        """[(length, number of sequences, {split: how many})]; counted up to a million, shared out in tenths beyond."""
        rows = []
        for length in range(self.min_length, self.max_length + 1):
            total = self.symbols**length
            if total <= ENUMERABLE:
                every = np.indices((self.symbols,) * length).reshape(length, -1).T + FIRST
                splits = count_splits(np.pad(every, ((0, 0), (0, self.max_length - length)), constant_values=PAD))
            else:
                splits = {split: total * (high - low) // 10 for split, (low, high) in SPLITS.items()}
            rows.append((f"length {length}", total, splits))
        return rows


class Copy(SymbolTask):
    """Say the sequence again: 3 1 4 → 3 1 4."""

    steps = 1500

    def solve(self, source):
        return source.copy()

    def alignment(self, length):
        return np.arange(length)


class Reverse(SymbolTask):
    """Say the sequence backwards: 3 1 4 → 4 1 3."""

    steps = 1500

    def solve(self, source):
        lengths = (source != PAD).sum(axis=1, keepdims=True)             # (N, 1)
        places = lengths - 1 - np.arange(source.shape[1])                # (N, S); negative past the end
        return np.where(places >= 0, np.take_along_axis(source, places.clip(0), axis=1), PAD)

    def alignment(self, length):
        return np.arange(length)[::-1]


class Sort(SymbolTask):
    """Say the symbols in ascending order: 3 1 4 → 1 3 4."""

    def solve(self, source):
        last = np.iinfo(source.dtype).max
        in_order = np.sort(np.where(source == PAD, last, source), axis=1)
        return np.where(in_order == last, PAD, in_order)


@dataclasses.dataclass(frozen=True)
class Addition(Task):
    """Add two numbers, digit by digit as they are written: 9 5 + 7 → 1 0 2.

    Each number has 1, 2, … `digits` digits, every count equally often. The split hashes the pair without its order,
    so that 7+95 is never trained on where 95+7 is tested.
    """

    steps = 6000
    digits: int = option(3, "the longest number has so many digits")

    def __post_init__(self):
        if not 1 <= self.digits <= 8:
            raise InputError(f"Addition works with numbers of 1 to 8 digits, got digits={self.digits}.")

    @property
    def vocabulary(self):
        return Vocabulary([*map(str, range(10)), "+"])

    @property
    def longest(self):
        """(longest source, longest target), in tokens."""
        return 2 * self.digits + 1, self.digits + 1

    def draw(self, rng, count):
        digits = rng.integers(1, self.digits + 1, size=(count, 2))
        smallest = np.where(digits == 1, 0, 10 ** (digits - 1))
        return self._write([f"{a}+{b}" for a, b in rng.integers(smallest, 10**digits)], self.longest[0])

    def key(self, source):
        return np.sort(self._numbers(source), axis=1)                    # (N, 2), the smaller number first

    def solve(self, source):
        return self._write([str(total) for total in self._numbers(source).sum(axis=1)], self.longest[1])

    def counts(self):
        """[("a+b, a ≤ b", number of unordered pairs, {split: how many})]; counted up to a million pairs."""
        pairs = np.array(np.triu_indices(10 ** min(self.digits, 3))).T
        total = 10**self.digits * (10**self.digits + 1) // 2
        shares = {split: total * (high - low) // 10 for split, (low, high) in SPLITS.items()}
        return [("unordered pairs", total, count_splits(pairs) if len(pairs) == total else shares)]

    def _write(self, texts, width):
        """Padded ids (N, width) of texts over digits and "+"."""
        ids = {character: i for i, character in enumerate("0123456789+", start=FIRST)}
        return np.array([[ids[c] for c in text] + [PAD] * (width - len(text)) for text in texts], dtype=np.int64)

    def _numbers(self, source):
        """(N, 2): the two numbers written in each row. Raises InputError for a row that is no sum of two numbers."""
        characters = np.array(["", "", "", "", *"0123456789+"])
        texts = ["".join(characters[row]) for row in source]
        for text in texts:
            if not re.fullmatch(r"\d+\+\d+", text):
                raise InputError(f"{text!r} is not a sum of two numbers. Write it like 95+7.")
        return np.array([[int(n) for n in text.split("+")] for text in texts], dtype=np.int64).reshape(-1, 2)


def count_splits(keys):
    return {split: int(in_split(keys, split).sum()) for split in SPLITS}


TASKS = {"copy": Copy, "reverse": Reverse, "sort": Sort, "addition": Addition}


def make_task(name, **options):
    """The task of that name with these options; InputError for a name or an option that does not exist."""
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    known = [field.name for field in dataclasses.fields(TASKS[name])]
    for name_of_option in options:
        if name_of_option not in known:
            raise InputError(f"The task {name} has no option {name_of_option!r}. It has: {', '.join(known)}.")
    return TASKS[name](**options)
