"""A training step on a GPU, recorded for each shape of batch and replayed."""

import collections
import warnings

import numpy as np

from ..backend import array_module, asarray
from ..core.boundary import expect_ids
from ..core.module import Module
from ..data.vocabulary import PAD
from ..layers.cross_entropy import CrossEntropy
from ..layers.embedding import Embedding
from ..training.gradients import forward_and_backward
from .accelerated import accelerated
from .graphs import Recorder, Recording


class Replays:
    """The gradients of batches whose shapes have come before, by one launch each: see `Recording`.

    What a step launches depends on the batch's shape alone, not on its ids. `gradients(batch)` returns None for shapes
    that are not recorded: the first `BEFORE` of each, so that rare shapes cost nothing, and those beyond the first `MOST`.
    `rounded(batch)` pads sequences to multiples of `STEP`, so that shapes come again sooner. A model that has to wait for
    the GPU inside a step cannot be recorded: a warning says so, and it is not tried again.
    """

    BEFORE, MOST, STEP = 1, 64, 4

    def __init__(self, shares):
        self.model, self.loss, self.flat, self.rewind = shares.model, shares.loss, shares.optimizer.flat, shares.rewind
        self.seen, self.recordings, self.most = collections.Counter(), {}, self.MOST
        self.recorder = Recorder(array_module(self.flat.data))
        self.embeddings = [m for _, m in self.model.named_modules() if isinstance(m, Embedding)]  # the source's before the target's
        self.longest = getattr(getattr(self.model, "config", None), "max_length", None)

    def gradients(self, batch):
        """As `Shares.gradients`, or None."""
        key = (*(ids.shape for ids in batch), self.model.training)
        self.seen[key] += 1
        if key not in self.recordings and not (self.seen[key] > self.BEFORE and len(self.recordings) < self.most):
            return None
        self.expect_batch(*batch)
        if key in self.recordings:
            value = self.recordings[key].replay(*batch)
        elif recording := self.recorded(batch):
            self.recordings[key] = recording
            value = recording.launch()
        else:
            return None
        self.flat.settle()
        return float(value)

    def recorded(self, batch):
        """The recording of a batch's step; None, now and from now on, if CUDA refuses to make one."""
        try:
            return Recording(self.recorder, self.step, *(asarray(ids, like=self.flat.data) for ids in batch))
        except (RuntimeError, MemoryError) as problem:
            warnings.warn(f"A step of this {type(self.model).__name__} cannot be replayed, so Python makes every one: {problem}", stacklevel=2)
            self.rewind()
            self.give_up()
            return None

    def give_up(self):
        """Record and replay nothing from now on, and give the memory back."""
        self.most = 0
        self.model.clear_saves()
        if isinstance(self.loss, Module):
            self.loss.clear_saves()
        self.close()

    def expect_batch(self, source, target_in, target_out):
        """Raise InputError for what the components would not take. Of ids that are on the GPU they see nothing."""
        if self.embeddings:
            expect_ids(source, self.embeddings[0].weight.shape[0])
            expect_ids(target_in, self.embeddings[-1].weight.shape[0])
            if isinstance(self.loss, CrossEntropy):
                self.loss.looked_at(target_out, self.embeddings[-1].weight.shape[0])

    def rounded(self, batch):
        """The batch, its sequences padded to multiples of STEP, if the model takes such lengths and the loss knows padding."""
        longer = [None if ids is None else -(-ids.shape[1] // self.STEP) * self.STEP for ids in batch]
        if not hasattr(self.loss, "padding") or self.longest is None or sum(length or 0 for length in longer[:2]) > self.longest:
            return batch
        return type(batch)(*(
            ids if ids is None else np.pad(ids, ((0, 0), (0, length - ids.shape[1])), constant_values=padding)
            for ids, length, padding in zip(batch, longer, (PAD, PAD, self.loss.padding))
        ))  # fmt: skip

    def close(self):
        """Give back the memory of all recordings."""
        self.recordings.clear()
        self.recorder.close()

    def step(self, *batch):
        self.flat.zero_grad()
        with accelerated(self.model, self.loss):                         # CuPy's own products cannot be recorded
            value = forward_and_backward(self.model, self.loss, *batch)
        self.flat.grad  # noqa: B018 - parameters that no token reached owe their zeros, in the recording too
        return value
