"""Splitting the features into heads, and merging them again: each is the backward of the other."""

from typing import Annotated

from ..boundary import Count, Floats, Generator
from ..core.module import Module
from ..errors import InputError


def split(x, heads):
    """(B, T, H·K) → (B, H, T, K): head h gets the features h·K … (h+1)·K − 1 of every position."""
    batch, length, features = x.shape
    return x.reshape(batch, length, heads, features // heads).transpose(0, 2, 1, 3)


def merge(x):
    """(B, H, T, K) → (B, T, H·K): the inverse of `split`."""
    batch, heads, length, features = x.shape
    return x.transpose(0, 2, 1, 3).reshape(batch, length, heads * features)


def head_width(features, heads):
    """D/H. Raises InputError, with values that would fit, if H does not divide D."""
    if heads < 1:
        raise InputError(f"heads must be at least 1, got {heads}.")
    if features % heads:
        divisors = [h for h in range(1, min(features, 32) + 1) if features % h == 0]
        raise InputError(
            f"heads={heads} does not divide d_model={features}. Use "
            f"{', '.join(map(str, divisors))} heads, or d_model={-(-features // heads) * heads}, "
            "or set the width of a head (d_k) yourself."
        )
    return features // heads


class SplitHeads(Module):
    """Give each head its own slice of the features.

        y[b, h, t] = x[b, t, h·K : (h+1)·K]

    Backward puts the slices back: d_x = merge(d_y). Raises InputError if H does not divide the
    features.

    Shapes: x (B, T, H·K), y (B, H, T, K). Source: Vaswani et al. 2017, section 3.2.2.
    """

    def __init__(self, heads: Count):
        self.heads = heads

    def forward(self, x: Annotated[Floats, "B, T, D"]) -> Floats:
        if x.ndim != 3 or x.shape[-1] % self.heads:
            batch = " x[None] makes a batch of one." if x.ndim == 2 else ""
            raise InputError(
                f"Cannot split an input of shape {x.shape} into {self.heads} heads: (B, T, "
                f"{self.heads}·K) is needed.{batch}"
            )
        self.save()
        return split(x, self.heads)                                      # (B, H, T, K)

    def backward(self, d_y: Floats) -> Floats:
        self.saved()
        return merge(d_y)                                                # (B, T, H·K)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(4), rng.standard_normal((3, 5, 44))


class MergeHeads(Module):
    """Concatenate the heads' outputs: Concat(head₁, …, head_H).

        y[b, t, h·K : (h+1)·K] = x[b, h, t]

    Backward cuts the gradient into heads: d_x = split(d_y).

    Shapes: x (B, H, T, K), y (B, T, H·K). Source: Vaswani et al. 2017, section 3.2.2.
    """

    def forward(self, x: Annotated[Floats, "B, H, T, K"]) -> Floats:
        self.save(x.shape[1])
        return merge(x)                                                  # (B, T, H·K)

    def backward(self, d_y: Floats) -> Floats:
        heads = self.saved()
        return split(d_y, heads)                                         # (B, H, T, K)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(), rng.standard_normal((3, 4, 5, 11))
