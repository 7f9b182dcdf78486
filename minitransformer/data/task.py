"""What every task offers: pairs of sequences from a seed, in three disjoint splits."""

import dataclasses
import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.random import Generator

from ..errors import InputError
from .batching import Batch, make_batch
from .split import SPLITS, in_split
from .vocabulary import PAD, Vocabulary

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform  # `typing` has it since Python 3.11
else:

    def dataclass_transform(**_):
        return lambda cls: cls


Pair = tuple[np.ndarray, np.ndarray]  # (source, target): two batches, or two sequences
# of `counts`: (what is counted, how many there are, {split: how many})
Counts = list[tuple[str, int, dict[str, int]]]


class Recipe(NamedTuple):
    """The defaults of a task: a preset, training options, model options, and the kind of model."""

    preset: str = "toy"
    training: dict = {}
    model: dict = {}
    kind: str = "transformer"


@dataclass_transform(frozen_default=True)  # tells a type checker what __init_subclass__ does
class Task:
    """What every task offers: a vocabulary, any number of pairs, and a fixed split.

    A subclass says how questions are drawn (`draw`) and solved (`solve`), or how `pairs` are made
    of them otherwise. All ids are padded: source (N, S) and target (N, T), without BOS and EOS.
    Its options are lines such as `digits: int = option(3, "digits of the longest number")`: a
    subclass is made a frozen dataclass here, without a decorator, unless it has an `__init__`.
    """

    kind = "pairs"  # "text": no sources, but windows of one text (see `Text`)
    recipe = Recipe(training={"steps": 2500})
    tested_on = "test"  # the split that is evaluated unless another is named
    scored_by_bleu = False
    has_sentences = False  # whether there is a list of texts, as `sentences(split)` returns it
    copies_first_word = False  # whether the answer begins with a word of the question

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "__init__" not in vars(cls):
            dataclasses.dataclass(frozen=True)(cls)
            del cls.__setattr__, cls.__delattr__  # with them, a decorator would raise TypeError

    def __setattr__(self, name, value):
        """Options are fixed, because vocabulary and splits are made of them."""
        # (a subclass is a dataclass, which the checker does not see)
        if name in {field.name for field in dataclasses.fields(self)}:  # type: ignore[arg-type]
            raise dataclasses.FrozenInstanceError(f"The option {name} of a task cannot be changed.")
        super().__setattr__(name, value)

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        return self.make_vocabulary()

    def make_vocabulary(self) -> Vocabulary:
        raise self.lacks("make_vocabulary(self), which returns a Vocabulary, Pieces or such")

    def lacks(self, what: str) -> InputError:
        """The error of a task of a user's own without a method that every task needs."""
        return InputError(
            f"The task {type(self).__name__} lacks {what}. Write it in the class: see "
            "docs/your-task.md."
        )

    def trained_on(self, source: np.ndarray) -> int:
        """How many of these sources (N, S) are trained on: of those of another split than train,
        none, because a hash of the source decides."""
        return 0

    def completed(self) -> "Task":
        """The task with all that a run of it must know, found in its data; usually itself."""
        return self

    def report(self) -> Iterable[str]:
        """Sentences about its data, which `train` prints first; usually none."""
        return ()

    def adopt(self, vocabulary: Vocabulary) -> None:
        """Use this vocabulary, that of a checkpoint, from now on."""
        self.__dict__["vocabulary"] = vocabulary

    def draw(self, rng: Generator, count: int) -> np.ndarray:
        """`count` questions, an integer array with `count` rows, from all splits; usually padded
        sources."""
        raise self.lacks("draw(self, rng, count), which returns questions, rows of ids")

    def pairs(self, questions: np.ndarray) -> Pair:
        """(source, target): the padded ids of drawn questions and their answers. Usually questions
        are sources."""
        return questions, self.solve(questions)

    def solve(self, source: np.ndarray) -> np.ndarray:
        """The padded targets of padded sources."""
        raise self.lacks("solve(self, source), which returns the padded targets")

    def key(self, questions: np.ndarray) -> np.ndarray:
        """The rows (N, L) by which questions are distinguished and split; usually the questions
        themselves."""
        return questions

    @property
    def longest(self) -> tuple[int, int]:
        """(longest source, longest target), in tokens."""
        raise self.lacks("the property longest: (longest source, longest target), in tokens")

    @property
    def positions(self) -> int:
        """The positions that a model has: for source and target in one sequence, BOS and EOS, as a
        language model needs them; at least 512."""
        return max(512, sum(self.longest) + 2)

    @property
    def longest_trained(self) -> int:
        """The longest source that is trained on, in tokens."""
        return self.longest[0]

    @property
    def shortest_trained(self) -> int:
        """The shortest source that is trained on, in tokens; 1 unless a subclass says otherwise."""
        return 1

    def alignment(self, length: int) -> np.ndarray | None:
        """The source position that each of `length` target positions is made from; None if there is
        no single one."""
        return None

    def sample(
        self, rng: Generator, count: int, split: str = "train", distinct: bool = False
    ) -> Pair:
        """(source, target) of `count` pairs of a split. With `distinct` all are different, and
        there are fewer if no more exist."""
        found, idle = None, 0
        while found is None or idle < 20 and len(found) < count:
            drawn = self.draw(rng, 2 * count)
            drawn = drawn[in_split(self.key(drawn), split)]
            before = 0 if found is None else len(found)
            found = drawn if found is None else np.concatenate([found, drawn])
            if distinct:
                found = found[np.sort(np.unique(self.key(found), axis=0, return_index=True)[1])]
            idle = 0 if len(found) > before else idle + 1
        if not len(found):
            raise InputError(
                f"{self} has no sequence for {split}: allow longer sequences or more symbols."
            )
        return self.pairs(found[:count])

    def batch(self, rng: Generator, count: int) -> Batch:
        """A training batch of `count` pairs."""
        return make_batch(*self.sample(rng, count))

    def example(self) -> Pair:
        """(source (S,), target (T,)) ids without padding, for the pictures: the first of the
        longest of 20 validation pairs."""
        source, target = self.sample(np.random.default_rng(0), 20, "validation")
        longest = int((source != PAD).sum(axis=1).argmax())
        return source[longest][source[longest] != PAD], target[longest][target[longest] != PAD]

    def pool(self, rng: Generator) -> Pair:
        """(source, target) of many training pairs, from which batches of similar length are cut."""
        return self.sample(rng, 4096)


def count_splits(keys: np.ndarray) -> dict[str, int]:
    return {split: int(in_split(keys, split).sum()) for split in SPLITS}
