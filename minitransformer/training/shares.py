"""A batch in shares: the gradient of the whole from those of its parts."""

import contextlib

import numpy as np

from ..backend import on_host
from ..data.vocabulary import PAD
from ..errors import InputError
from .gradients import gradients, padding_of
from .processes import cores, one_blas_thread
from .team import Team


class Shares:
    """Loss and gradients of a batch as the sum over shares of its sequences, side by side where there are cores.

        L = Σ_i (N_i/N) L_i      ∂L/∂θ = Σ_i (N_i/N) ∂L_i/∂θ

    N_i of the batch's N real targets are in share i, and L_i is their mean loss. So all that changes is the order of
    summation, and dropout's masks: each share draws its own, from a seed that the model's generator hands out. The
    numbers depend on how many shares there are, not on how many processes compute them.

    With as many cores as shares, on Linux, every share has a process of its own (data parallelism; see `training/team.py`).
    Elsewhere they follow each other (gradient accumulation). Either way a matrix product takes one thread, because the
    threads of BLAS, too, change the order of summation. One share is the plain step.

    On a GPU, with `replay=gpu.Replays`, batches of a shape that comes again and again are computed by replaying what the first
    ones launched. Padding is then always computed: to leave it out would be another shape each time.

    Use it in a `with` block, at whose end the processes end: `gradients(batch)`, then `update()`, the optimizer's step.
    Raises InputError for less than one share.

    Sources: Goodfellow et al. 2016, section 12.1.3; Li et al. 2020, section 3.1.
    """

    def __init__(self, model, loss, optimizer, count=1, skip_padding=True, replay=None):
        if count < 1:
            raise InputError(f"A batch has at least one share, got {count}.")
        self.model, self.loss, self.optimizer, self.count = model, loss, optimizer, count
        self.generators = model.generators()
        self.replays = replay(self) if replay and count == 1 and not on_host(optimizer.flat.data) else None
        self.asked_to_skip = skip_padding
        self.team, self.opened = None, contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as opened:
            if self.count > 1 and on_host(self.optimizer.flat.data):
                opened.enter_context(one_blas_thread())
                if self.count <= cores():
                    self.team = Team(self, self.count)
                    opened.callback(self.team.close)
            self.opened = opened.pop_all()
        return self

    def __exit__(self, *_):
        self.team = None
        self.opened.close()
        if self.replays:
            self.replays.close()

    def gradients(self, batch):
        """Let the gradients of the model be those of the batch's mean loss; return that loss."""
        self.before = [g.bit_generator.state for g in self.generators]
        if self.replaying:
            batch = self.replays.rounded(batch)
        if self.count == 1:
            self.drawn = [(batch, 1.0, None)]
        else:
            seeds = self.generators[0].integers(1 << 63, size=self.count) if self.generators else [0] * self.count
            self.drawn = [(*part, int(seed)) for part, seed in zip(cut(batch, self.count, padding_of(self.loss)), seeds)]
        side_by_side = self.team and len(self.drawn) == self.count
        if self.replaying and batch.source is not None and (value := self.replays.gradients(batch)) is not None:
            return value
        if self.replays and self.replays.recordings:
            return self.by_python()
        return self.team.gradients(self.drawn) if side_by_side else self.one_by_one(self.drawn)

    @property
    def replaying(self):
        """Whether steps are replayed: asked for, and not given up."""
        return self.replays is not None and self.replays.most > 0

    @property
    def skip_padding(self):
        return self.asked_to_skip and not self.replaying

    def by_python(self):
        """A step that is not replayed; if recordings have taken the memory that it needs, they give it back."""
        try:
            return self.one_by_one(self.drawn)
        except MemoryError:
            self.replays.give_up()
            self.rewind()
        return self.one_by_one(self.drawn)

    def update(self):
        """The optimizer's step."""
        if self.team:
            self.team.update()
        else:
            self.optimizer.step()

    def again(self):
        """The gradients of the last batch once more, with the same dropout, all in this process: for a closer look."""
        self.rewind()
        return self.one_by_one(self.drawn)

    def rewind(self):
        """Let the generators stand where they stood before the last batch."""
        for generator, state in zip(self.generators, self.before):
            generator.bit_generator.state = state

    def one_by_one(self, shares):
        """What `gradients` returns and leaves, from shares that follow each other."""
        value, grad = self.compute(*shares[0])
        for share in shares[1:]:
            before = grad.copy()
            value_of_share, grad = self.compute(*share)
            value += value_of_share
            grad += before
        return value

    def compute(self, part, weight, seed):
        """Let the gradients be those of one share; its part of the loss, and all gradients (P,)."""
        self.optimizer.flat.zero_grad()
        with drawing_from(seed, self.generators):
            value = gradients(self.model, self.loss, part, weight, self.skip_padding)
        return value, self.optimizer.flat.grad


def cut(batch, count, padding=0):
    """[(part, N_i/N)]: the batch's sequences in parts of about equally many tokens, in the batch's order.

    A part without a real target adds nothing, and is left out; if there is no real target at all, the whole is one part.
    """
    targets = (batch.target_out != padding).sum(axis=1)                  # (B,)
    count = min(count, len(targets))                                     # further parts would be empty
    sources = 0 if batch.source is None else (batch.source != PAD).sum(axis=1)
    part_of = dealt(sources + targets, count)
    real = [int(targets[part_of == i].sum()) for i in range(count)]
    parts = [type(batch)(*(ids if ids is None else ids[part_of == i] for ids in batch)) for i in range(count)]
    return [(part, n / sum(real)) for part, n in zip(parts, real) if n] or [(batch, 1.0)]


def dealt(lengths, count):
    """Which of `count` parts gets each sequence, (B,): the longest first, each to the part that has least so far (Graham 1969)."""
    part_of, totals = np.empty(len(lengths), dtype=int), [0] * count
    for i in np.argsort(-lengths, kind="stable"):
        part_of[i] = least = totals.index(min(totals))
        totals[least] += int(lengths[i])
    return part_of


@contextlib.contextmanager
def drawing_from(seed, generators):
    """Inside, the generators draw from this seed, and afterwards they go on where they were. None: nothing changes."""
    states = [] if seed is None else [g.bit_generator.state for g in generators]
    for i, (generator, _) in enumerate(zip(generators, states)):
        generator.bit_generator.state = type(generator.bit_generator)([seed, i]).state
    try:
        yield
    finally:
        for generator, state in zip(generators, states):
            generator.bit_generator.state = state
