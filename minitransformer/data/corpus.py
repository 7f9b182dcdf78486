"""A task with a list of sentences."""

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.random import Generator

from ..errors import InputError, expect_as_many, shortened, unknown
from .registry import TASKS
from .sequences import Sequences
from .split import SPLITS
from .task import Counts, Pair, Task
from .vocabulary import PAD, Vocabulary

AT_ONCE = 4096  # texts that are encoded together
TextPairs = Iterable[tuple[str, str]]  # (source, target) each


class Corpus(Task):
    """A list of pairs of sentences, with its own splits. A subclass returns them (`sentences`)."""

    has_sentences = True

    @staticmethod
    def from_pairs(
        train: TextPairs, validation: TextPairs | None = None, test: TextPairs | None = None,
        **options: Any,
    ) -> Task:
        """A task of pairs (source text, target text) in Python, with the options of `train --data`:
        see `Pairs.of`."""
        return TASKS["pairs"].of(train, validation, test, **options)  # type: ignore[attr-defined]

    def sentences(self, split: str) -> tuple[list[str], list[str]]:
        """(source sentences, target sentences) of a split, as texts, in their order."""
        raise self.lacks("sentences(self, split), which returns two lists of texts")

    def trained_on(self, source: np.ndarray) -> int:
        """How many of these sources (N, S) are among the training sources, too."""
        training, _ = self.sequences("train")
        known = {training.ids[a:b].tobytes() for a, b in training.places()}
        return sum(row[row != PAD].astype(training.ids.dtype).tobytes() in known for row in source)

    def adopt(self, vocabulary: Vocabulary) -> None:
        super().adopt(vocabulary)
        for made_with_the_old in ("_sequences", "longest"):
            self.__dict__.pop(made_with_the_old, None)

    def sequences(self, split: str) -> tuple[Sequences, Sequences]:
        """(sources, targets), the `Sequences` of a whole split, made once."""
        if split not in SPLITS:
            raise unknown("split", split, SPLITS)
        known = self.__dict__.setdefault("_sequences", {})
        if split not in known:
            known[split] = self.make_sequences(split)
        return known[split]

    def make_sequences(self, split: str) -> tuple[Sequences, Sequences]:
        """The ids of the sentences. Raises InputError if there are not as many sources as
        targets."""
        vocabulary = self.vocabulary
        found = self.sentences(split)
        if not isinstance(found, (tuple, list)) or len(found) != 2 or not all(map(texts_of, found)):
            raise InputError(
                f"{type(self).__name__}.sentences({split!r}) must return two lists of texts, the "
                f"sources and the targets; got {shortened(found)}."
            )
        sources, targets = found
        expect_as_many(
            f"The sentences of {split} belong together", sources=sources, targets=targets
        )
        for texts in (sources, targets):
            if empty := [i for i, text in enumerate(texts, start=1) if not text.strip()]:
                raise InputError(
                    f"An empty text (number {empty[0]} of the {len(texts)} of {split}): there is "
                    "nothing to read."
                )
        return (
            Sequences.joined(in_parts(vocabulary, sources)),
            Sequences.joined(in_parts(vocabulary, targets)),
        )

    def encoded(self, split: str) -> Pair:
        """(source (N, S), target (N, T)): the padded ids of a whole split."""
        source, target = self.sequences(split)
        return source[:], target[:]

    def sample(
        self, rng: Generator, count: int, split: str = "train", distinct: bool = False
    ) -> Pair:
        """(source, target) of `count` pairs of a split; with `distinct` each row at most once, so
        fewer if no more exist."""
        source, target = self.sequences(split)
        rows = (
            rng.permutation(len(source))[:count]
            if distinct
            else rng.integers(len(source), size=count)
        )
        return source[rows], target[rows]

    def pool(self, rng: Generator) -> Any:
        """All training pairs, in a new random order: one epoch."""
        source, target = self.sequences("train")
        order = rng.permutation(len(source))
        return source.reordered(order), target.reordered(order)

    @functools.cached_property
    def longest(self) -> tuple[int, int]:  # type: ignore[override]
        """(longest source, longest target), in tokens."""
        source, target = (
            max(int(sequences.lengths.max(initial=0)) for sequences in both)
            for both in zip(*map(self.sequences, SPLITS))
        )
        return source, target

    @property
    def longest_trained(self) -> int:
        return int(self.sequences("train")[0].lengths.max(initial=0))

    @property
    def shortest_trained(self) -> int:
        return int(self.sequences("train")[0].lengths.min())

    def counts(self) -> Counts:
        """[("sentences", how many, {split: how many})]."""
        splits = {split: len(self.sentences(split)[0]) for split in SPLITS}
        return [("sentences", sum(splits.values()), splits)]


def texts_of(side):
    """Whether this is a list of texts."""
    return not isinstance(side, str) and all(isinstance(text, str) for text in side)


def in_parts(vocabulary, texts):
    """The ids of each text; many texts are encoded together, and not all, so that little memory is
    used."""
    for start in range(0, len(texts), AT_ONCE):
        yield from vocabulary.encode_rows(texts[start : start + AT_ONCE])
