"""From a sequence to one vector."""

from typing import Annotated

from ..backend import array_module
from ..boundary import Floats, Generator, Mask
from ..core.module import Module


class MeanOverPositions(Module):
    """The mean of all real positions: one vector for a sequence, without its order.

        y = (1/n) Σ_t x_t      over the n positions where the mask is True

    Backward gives the same gradient to every real position, d_x_t = d_y / n, and 0 to padding. A
    sequence without a real position has y = 0 and a gradient of 0. Raises InputError for a mask
    that is not boolean (B, T).

    Shapes: x (B, T, D), mask (B, T) or None, y (B, D). Source: Zaheer et al. 2017, section 2.
    """

    def forward(
        self, x: Annotated[Floats, "B, T, D"], mask: Annotated[Mask, "B, T"] | None = None
    ) -> Floats:
        xp = array_module(x)
        real = xp.ones(x.shape[:-1], dtype=bool) if mask is None else mask
        real = real.astype(x.dtype)  # (B, T): 1, or 0 for padding
        count = xp.maximum(real.sum(axis=1, keepdims=True), 1)           # (B, 1): n
        self.save(real, count)
        return (real[:, None] @ x)[:, 0] / count                         # (B, D)

    def backward(self, d_y: Floats) -> Floats:
        real, count = self.saved()
        return real[..., None] * (d_y / count)[:, None]                  # (B, T, D)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(), rng.standard_normal((3, 7, 5)), rng.random((3, 7)) < 0.7
