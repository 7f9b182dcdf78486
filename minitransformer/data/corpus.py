"""A task with a list of sentences."""

import functools

from ..errors import expect_as_many, unknown
from .split import SPLITS
from .task import Task
from .vocabulary import PAD


class Corpus(Task):
    """A list of pairs of sentences, with its own splits. A subclass returns them (`sentences`)."""

    def sentences(self, split):
        """(source sentences, target sentences) of a split, as texts, in their order."""
        raise NotImplementedError

    def adopt(self, vocabulary):
        super().adopt(vocabulary)
        for made_with_the_old in ("_encoded", "longest"):
            self.__dict__.pop(made_with_the_old, None)

    def encoded(self, split):
        """(source (N, S), target (N, T)): the padded ids of a whole split, made once. InputError if
        there are not as many of each."""
        if split not in SPLITS:
            raise unknown("split", split, SPLITS)
        known = self.__dict__.setdefault("_encoded", {})
        if split not in known:
            # what it needs is asked for before sentences are read
            encode = self.vocabulary.encode_all
            sources, targets = self.sentences(split)
            expect_as_many(
                f"The sentences of {split} belong together", sources=sources, targets=targets
            )
            known[split] = encode(sources), encode(targets)
        return known[split]

    def sample(self, rng, count, split="train", distinct=False):
        """(source, target) of `count` pairs of a split; with `distinct` each row at most once, so
        fewer if no more exist."""
        source, target = self.encoded(split)
        rows = (
            rng.permutation(len(source))[:count]
            if distinct
            else rng.integers(len(source), size=count)
        )
        return source[rows], target[rows]

    def pool(self, rng):
        """All training pairs, in a new random order: one epoch."""
        source, target = self.encoded("train")
        order = rng.permutation(len(source))
        return source[order], target[order]

    @functools.cached_property
    def longest(self):
        """(longest source, longest target), in tokens."""
        return tuple(max(ids.shape[1] for ids in both) for both in zip(*map(self.encoded, SPLITS)))

    @property
    def longest_trained(self):
        return self.encoded("train")[0].shape[1]

    @property
    def shortest_trained(self):
        return int((self.encoded("train")[0] != PAD).sum(axis=1).min())

    def counts(self):
        """[("sentences", how many, {split: how many})]."""
        splits = {split: len(self.sentences(split)[0]) for split in SPLITS}
        return [("sentences", sum(splits.values()), splits)]
