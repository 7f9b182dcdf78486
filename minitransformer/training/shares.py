"""A batch in shares: the gradient of the whole from those of its parts."""

import contextlib

import numpy as np

from ..backend import on_host
from ..data.vocabulary import PAD
from ..parallel.processes import one_blas_thread
from .generators import drawing_from
from .gradients import gradients, padding_of
from .loop import Plain


class Shares(Plain):
    """Loss and gradients of a batch as the sum over shares of its sequences, one after the other:
    gradient accumulation.

        L = Σ_i (N_i/N) L_i      ∂L/∂θ = Σ_i (N_i/N) ∂L_i/∂θ

    N_i of the batch's N real targets are in share i, and L_i is their mean loss. So all that
    changes is the order of summation, see `in_halves`, and dropout's masks: each share draws its
    own, from a seed that the model's generator hands out. The numbers depend on how many shares
    there are, not on who computes them. A matrix product takes one thread, because the threads of
    BLAS, too, change the order of summation.

    Sources: Goodfellow et al. 2016, section 12.1.3; Li et al. 2020, section 3.1.
    """

    def __init__(self, model, loss, optimizer, count, skip_padding=False):
        super().__init__(model, loss, optimizer, skip_padding)
        self.count, self.generators, self.opened = count, model.generators(), contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as opened:  # if this fails half-way, what is open is closed
            self.open(opened)
            self.opened = opened.pop_all()
        return self

    def __exit__(self, *error):
        self.opened.__exit__(*error)

    def open(self, opened):
        """Enter into this ExitStack what must be there while training."""
        if on_host(self.optimizer.flat.data):
            opened.enter_context(one_blas_thread())

    def compute(self, batch):
        return self.one_by_one(self.shares_of(batch))

    def shares_of(self, batch):
        """[(part, weight, seed)]: the batch's shares, their weights N_i/N, and what their dropout
        is drawn from."""
        seeds = (
            self.generators[0].integers(1 << 63, size=self.count)
            if self.generators
            else [0] * self.count
        )
        return [
            (*part, int(seed))
            for part, seed in zip(cut(batch, self.count, padding_of(self.loss)), seeds)
        ]

    def one_by_one(self, shares):
        """What `compute` returns and leaves, from shares that follow each other."""
        if len(shares) == 1:
            return self.compute_share(*shares[0])
        middle, grad = first_half(len(shares)), self.optimizer.flat.grad
        value = self.one_by_one(shares[:middle])
        before = grad.copy()
        value += self.one_by_one(shares[middle:])
        grad += before
        return value

    def compute_share(self, part, weight, seed):
        """Let the gradients be those of one share; return its part of the loss."""
        self.optimizer.flat.zero_grad()
        with drawing_from(seed, self.generators):
            value = gradients(self.model, self.loss, part, weight, self.skip_padding)
        self.optimizer.flat.grad  # noqa: B018 - looking at it writes the zeros of what was not used
        return value


def in_halves(values):
    """The sum of one value or more, first of neighbours, then of neighbouring sums, and so on:

        ((v₀ + v₁) + (v₂ + v₃)) + (v₄ + v₅)

    So whoever has v₂ and v₃ can add them up before all meet, and the sum is the same to the last
    bit. In a row, v₀ + v₁ + v₂ + v₃, nobody but the first could.
    """
    if len(values) == 1:
        return values[0]
    middle = first_half(len(values))
    return in_halves(values[:middle]) + in_halves(values[middle:])


def first_half(count):
    """How many of `count` summands `in_halves` adds up on the left: the largest power of two below
    it."""
    return 1 << (count - 1).bit_length() - 1


def cut(batch, count, padding=0):
    """[(part, N_i/N)]: the batch's sequences in parts of about equally many tokens, in the batch's
    order.

    A part without a real target adds nothing, and is left out; if there is no real target at all,
    the whole is one part.
    """
    targets = (batch.target_out != padding).sum(axis=1)                  # (B,)
    count = min(count, len(targets))  # further parts would be empty
    sources = 0 if batch.source is None else (batch.source != PAD).sum(axis=1)
    part_of = dealt(sources + targets, count)
    real = [int(targets[part_of == i].sum()) for i in range(count)]
    parts = [
        type(batch)(*(ids if ids is None else ids[part_of == i] for ids in batch))
        for i in range(count)
    ]
    return [(part, n / sum(real)) for part, n in zip(parts, real) if n] or [(batch, 1.0)]


def dealt(lengths, count):
    """Which of `count` parts gets each sequence, (B,): the longest first, each to the part that has
    least so far (Graham 1969)."""
    part_of, totals = np.empty(len(lengths), dtype=int), [0] * count
    for i in np.argsort(-lengths, kind="stable"):
        part_of[i] = least = totals.index(min(totals))
        totals[least] += int(lengths[i])
    return part_of
