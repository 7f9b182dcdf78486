"""Each position together with the few before it: the input of a convolution."""

from typing import Annotated

from ..backend import array_module
from ..boundary import Count, Floats, Generator
from ..core.module import Module


class SlidingWindow(Module):
    """Give each position the last w positions, its own the last of them; before the beginning there
    are zeros.

        y[…, t, j, :] = x[…, t − (w − 1 − j)·δ, :]      j = 0 … w − 1, dilation δ

    Backward: position s is in the windows of s, s + δ, …, s + (w − 1)·δ, so its gradient is their
    sum:

        d_x[…, s, :] = Σ_j d_y[…, s + (w − 1 − j)·δ, j, :]

    Raises InputError unless width and dilation are at least 1.

    Shapes: x (…, T, D), y (…, T, w, D). Source: van den Oord et al. 2016, section 2.1 (causal and
    dilated windows).
    """

    def __init__(self, width: Count, dilation: Count = 1):
        self.width, self.dilation = width, dilation

    def forward(self, x: Annotated[Floats, "..., T, D"]) -> Floats:
        self.save()
        rows = [delayed(x, steps) for steps in self.delays()]
        return array_module(x).stack(rows, axis=-2)                      # (..., T, w, D)

    def backward(self, d_y: Floats) -> Floats:
        self.saved()
        return sum(advanced(d_y[..., j, :], steps) for j, steps in enumerate(self.delays()))

    def delays(self) -> list[int]:
        """How many positions each of the w places looks back, the farthest first."""
        return [(self.width - 1 - j) * self.dilation for j in range(self.width)]

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(3, dilation=2), rng.standard_normal((2, 3, 7, 5))


def delayed(x, steps):
    """x[..., t − steps, :] at t, zeros where that is before the beginning.  (..., T, D)"""
    zeros = array_module(x).zeros_like(x[..., :steps, :])
    return array_module(x).concatenate([zeros, x[..., : x.shape[-2] - zeros.shape[-2], :]], axis=-2)


def advanced(x, steps):
    """x[..., t + steps, :] at t, zeros where that is past the end: undoes `delayed`. (..., T,
    D)"""
    zeros = array_module(x).zeros_like(x[..., :steps, :])
    return array_module(x).concatenate([x[..., zeros.shape[-2] :, :], zeros], axis=-2)
