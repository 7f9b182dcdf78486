"""A training step on a GPU, recorded for each shape of batch and replayed."""

import collections
import warnings

import numpy as np

from ..backend import array_module, asarray, on_host
from ..boundary import expect_ids
from ..core.module import Module
from ..data.vocabulary import PAD
from ..errors import InputError
from ..layers.cross_entropy import CrossEntropy
from ..layers.embedding import Embedding
from ..training.generators import rewind, states_of
from ..training.gradients import forward_and_backward
from ..training.loop import Plain
from .accelerated import accelerated
from .graphs import Recorder, Recording


class Replays(Plain):
    """The strategy by which a GPU computes batches whose shapes have come before, by one launch
    each: see `Recording`.

    What a step launches depends on the batch's shape alone, not on its ids. Python makes the step
    for shapes that are not recorded: the first `BEFORE` of each, so that rare shapes cost nothing,
    and those beyond the first `MOST`. Sequences are padded to multiples of `STEP`, so that shapes
    come again sooner, and padding is always computed: to leave it out would be another shape each
    time. A model that has to wait for the GPU inside a step cannot be recorded: a warning says so,
    and Python makes every step.

    Raises InputError for a model that is not on a GPU.
    """

    BEFORE, MOST, STEP = 1, 64, 4

    def __init__(self, model, loss, optimizer):
        super().__init__(model, loss, optimizer)
        self.flat, self.generators = optimizer.flat, model.generators()
        if on_host(self.flat.data):
            raise InputError(
                'Only a GPU replays steps, and this model is on the CPU. Move it with '
                'model.to("gpu"), or name no strategy.'
            )
        self.seen, self.recordings, self.most = collections.Counter(), {}, self.MOST
        self.recorder = Recorder(array_module(self.flat.data))
        # the source's before the target's
        self.embeddings = [m for _, m in self.model.named_modules() if isinstance(m, Embedding)]
        self.longest = getattr(getattr(self.model, "config", None), "max_length", None)

    def __exit__(self, *_):
        self.close()

    def compute(self, batch):
        batch = self.rounded(batch)
        value = None if batch.source is None else self.launched(batch)
        return self.by_python(batch) if value is None else float(value)

    def again(self, batch):
        return super().compute(self.rounded(batch))

    def launched(self, batch):
        """The loss of a step that is recorded, or is now; None if Python has to make the step."""
        key = (*(ids.shape for ids in batch), self.model.training)
        self.seen[key] += 1
        if key not in self.recordings and not (
            self.seen[key] > self.BEFORE and len(self.recordings) < self.most
        ):
            return None
        self.expect_batch(*batch)
        if key in self.recordings:
            value = self.recordings[key].replay(*batch)
        elif recording := self.recorded(batch):
            self.recordings[key] = recording
            value = recording.launch()
        else:
            return None
        self.flat.mark_written()
        return value

    def by_python(self, batch):
        """A step that is not replayed; if recordings have taken the memory that it needs, they give
        it back."""
        drawn_from = states_of(self.generators)
        with accelerated(self.model, self.loss):
            try:
                return super().compute(batch)
            except MemoryError:
                if not self.recordings:
                    raise
                self.give_up()
                rewind(self.generators, drawn_from)
            return super().compute(batch)

    def recorded(self, batch):
        """The recording of a batch's step; None, now and from now on, if CUDA refuses to make
        one."""
        drawn_from = states_of(self.generators)
        try:
            return Recording(
                self.recorder, self.step, *(asarray(ids, like=self.flat.data) for ids in batch)
            )
        except (RuntimeError, MemoryError) as problem:
            warnings.warn(
                (
                    f"A step of this {type(self.model).__name__} cannot be replayed, so Python "
                    f"makes every one: {problem}"
                ),
                stacklevel=2,
            )
            rewind(self.generators, drawn_from)
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
        """Raise InputError for what the components would not take. Of ids that are on the GPU they
        see nothing."""
        if self.embeddings:
            expect_ids(source, self.embeddings[0].weight.shape[0])
            expect_ids(target_in, self.embeddings[-1].weight.shape[0])
            if isinstance(self.loss, CrossEntropy):
                self.loss.real_targets(target_out, self.embeddings[-1].weight.shape[0])

    def rounded(self, batch):
        """The batch, its sequences padded to multiples of STEP, if the model takes such lengths and
        the loss knows padding."""
        longer = [
            None if ids is None else -(-ids.shape[1] // self.STEP) * self.STEP for ids in batch
        ]
        if (
            getattr(self.loss, "padding", None) is None
            or self.longest is None
            or sum(length or 0 for length in longer[:2]) > self.longest
        ):
            return batch
        return type(batch)(*(
            ids if ids is None
            else np.pad(ids, ((0, 0), (0, length - ids.shape[1])), constant_values=padding)
            for ids, length, padding in zip(batch, longer, (PAD, PAD, self.loss.padding))
        ))  # fmt: skip

    def close(self):
        """Give back the memory of all recordings."""
        self.recordings.clear()
        self.recorder.close()

    def step(self, *batch):
        self.flat.zero_grad()
        with accelerated(self.model, self.loss):  # CuPy's own products cannot be recorded
            value = forward_and_backward(self.model, self.loss, *batch)
        self.flat.grad  # noqa: B018 - parameters that no token reached are cleared by looking, in the recording too
        return value
