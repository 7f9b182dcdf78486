"""The batches of a training, one after the other; it can continue from a checkpoint."""

from typing import Any

import numpy as np
from numpy.random import Generator

from ..boundary import Count, Natural, Rng, checked
from ..errors import InputError
from .batching import Batch, make_batch
from .sequences import Sequences
from .task import Task


class BatchStream:
    """Endless training batches of a task: `batch_size` pairs each, or as many as hold
    `batch_tokens` tokens.

    By tokens, a pool of pairs (of a corpus: all, so that it is an epoch) is sorted by length and
    cut into batches of sentences of similar length, so that there is little padding; the batches
    come in random order. A batch of N pairs counts N times its longest sequence, be it source or
    target with its EOS. Source: Vaswani et al. 2017, section 5.1.

    `state()` and `restore(state)` let it continue at the same batch; data is read when the next
    batch is needed.
    """

    @checked
    def __init__(self, task: Task, rng: Rng, batch_size: Count, batch_tokens: Natural = 0):
        if batch_tokens and task.kind == "text":
            raise InputError(
                "The windows of a text are equally long: take batch_size windows in a batch, and "
                "no batch_tokens."
            )
        self.task = task
        # a seed has become a generator
        self.rng: Generator = rng  # type: ignore[assignment]
        self.batch_size, self.batch_tokens = batch_size, batch_tokens
        self.batches, self.taken, self.skip = [], 0, 0

    def __call__(self) -> Batch:
        """The next `Batch`."""
        if not self.batch_tokens:
            return self.task.batch(self.rng, self.batch_size)
        while self.taken == len(self.batches):
            self.refill()
        self.taken += 1
        rows = self.batches[self.taken - 1]
        return make_batch(self.source[rows], self.target[rows])

    def refill(self) -> None:
        self.before = self.rng.bit_generator.state
        self.source, self.target = map(Sequences.of, self.task.pool(self.rng))
        self.batches = like_lengths(self.source, self.target, self.batch_tokens, self.rng)
        if self.skip > len(self.batches):
            raise InputError(
                f"{self.skip} batches of this epoch were taken, says the checkpoint, but it has "
                f"{len(self.batches)}."
            )
        self.taken, self.skip = self.skip, 0

    def state(self) -> dict[str, Any]:
        """The state of the stream, as JSON values."""
        if not self.batches:
            return {"random": self.rng.bit_generator.state, "taken": self.skip}
        return {"random": self.before, "taken": self.taken}

    def restore(self, state: dict[str, Any]) -> None:
        if state["taken"] and not self.batch_tokens:
            raise InputError(
                f"random.data.taken is {state['taken']}, but without batch_tokens there is no "
                "epoch to be taken from."
            )
        self.rng.bit_generator.state = state["random"]
        self.batches, self.taken, self.skip = [], 0, state["taken"]


def like_lengths(source, target, tokens, rng):
    """The rows of each batch: all pairs once, pairs of similar length together, each batch of at
    most `tokens` tokens.

    A pair that is longer than this is a batch of its own.
    """
    lengths = np.maximum(Sequences.of(source).lengths, Sequences.of(target).lengths + 1)
    # so that batches differ between epochs
    order = np.argsort(lengths + rng.uniform(0, 2, len(lengths)), kind="stable")
    starts, longest = [0], 0
    for place, length in enumerate(lengths[order].tolist()):
        longest = max(longest, length)
        if place > starts[-1] and longest * (place - starts[-1] + 1) > tokens:
            starts.append(place)
            longest = length
    batches = np.split(order, starts[1:])
    return [batches[i] for i in rng.permutation(len(batches))]
