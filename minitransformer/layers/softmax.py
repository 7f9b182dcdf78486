"""Softmax over the last axis."""

from typing import Annotated

from ..backend import array_module, feature_max
from ..boundary import Floats, Generator
from ..core.module import Module


class Softmax(Module):
    """Turn scores into weights that are positive and sum to one along the last axis.

        P_j = exp(x_j − m) / Σ_i exp(x_i − m)      m = max_i x_i

    Backward:

        d_x = P ∘ (d_y − Σ_j d_y_j P_j)

    Forward ignores a shift of x, so Σ_j d_x_j = 0. The shift by m keeps exp from overflowing. A
    score of −∞ gets weight 0; a row in which all scores are −∞ gets zeros, in P and in d_x, never
    NaN.

    Shapes: x, y (..., S). Source: Vaswani et al. 2017, section 3.2.1.
    """

    def forward(self, x: Annotated[Floats, "..., S"]) -> Floats:
        xp = array_module(x)
        largest = feature_max(x)                                         # (..., 1)
        exps = xp.exp(x - xp.where(largest == -xp.inf, 0, largest))      # (..., S)
        # the sum is at least exp 0, except in a row of −∞ only
        weights = exps / xp.maximum(exps.sum(axis=-1, keepdims=True), 1)
        self.save(weights)
        return weights

    def backward(self, d_y: Floats) -> Floats:
        weights = self.saved()
        return weights * (d_y - (d_y * weights).sum(axis=-1, keepdims=True))  # (..., S)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(), rng.standard_normal((3, 5, 7))
