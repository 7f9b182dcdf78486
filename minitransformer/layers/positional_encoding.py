"""Where each token stands: added to its embedding, because attention by itself does not see
order."""

from typing import Annotated

import numpy as np

from ..backend import add_rows, array_module, on_host
from ..boundary import Count, Floats, Generator, Ids, Rng, largest
from ..core.module import Module, Parameter
from ..core.parameter import possible
from ..errors import InputError

Places = Annotated[Ids, "..., T or T"]


class SinusoidalPositionalEncoding(Module):
    """Add to each position a fixed pattern of sines and cosines.

        y = x + PE[position]      ωᵢ = 10000^(−2i/D)
        PE[p, 2i] = sin(p ωᵢ)     PE[p, 2i+1] = cos(p ωᵢ)

    Backward: d_x = d_y. Each pair (sin, cos) is rotated by the angle k ωᵢ when the position
    increases by k, so PE[p+k] is a linear function of PE[p].

    Without `positions`, the tokens of every sequence have the positions 0, 1, 2, …; with them,
    (B, T) or (T,) integers, each token has the position given there. Raises InputError for a
    negative position, or one beyond max_length.

    Shapes: x, y (B, T, D). Source: Vaswani et al. 2017, section 3.5.
    """

    def __init__(self, features: Annotated[Count, "D"], max_length: Count = 512):
        self.max_length = max_length
        self.table = sinusoids(max_length, features)                     # (max_length, D), float64

    def forward(self, x: Annotated[Floats, "..., T, D"], positions: Places | None = None) -> Floats:
        expect_length(x, positions, self.max_length)
        self.save()
        code = self.table[: x.shape[1]] if positions is None else self.table[positions]
        return x + code.astype(x.dtype)                                  # (B, T, D)

    def backward(self, d_y: Floats) -> Floats:
        self.saved()
        return d_y

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(11, max_length=7), rng.standard_normal((3, 5, 11))


class LearnedPositionalEncoding(Module):
    """Add to each position a vector of its own, learned like an embedding.

        y = x + W[position]

    Backward: d_x = d_y, and row p of d_W is the sum of d_y over all tokens at position p.

    `positions`, and what is raised, as in `SinusoidalPositionalEncoding`. W is initialised from
    N(0, 0.02²).

    Shapes: x, y (B, T, D); W (max_length, D). Source: Gehring et al. 2017; Vaswani et al. 2017,
    section 3.5.
    """

    def __init__(self, features: Annotated[Count, "D"], rng: Rng, max_length: Count = 512):
        self.max_length = max_length
        self.weight = Parameter.normal(rng, max_length, features, std=0.02)

    def forward(self, x: Annotated[Floats, "..., T, D"], positions: Places | None = None) -> Floats:
        expect_length(x, positions, self.max_length)
        self.save(positions)
        return x + (
            self.weight.data[: x.shape[1]] if positions is None else self.weight.data[positions]
        )

    def backward(self, d_y: Floats) -> Floats:
        positions = self.saved()
        if positions is None:
            self.weight.grad[: d_y.shape[1]] += d_y.sum(axis=0)          # (T, D)
        else:
            places = array_module(d_y).broadcast_to(positions, d_y.shape[:-1])
            add_rows(self.weight.grad, places.reshape(-1), d_y.reshape(-1, d_y.shape[-1]))
        return d_y

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(11, rng, max_length=7), rng.standard_normal((3, 5, 11))


def sinusoids(length, features):
    """The table PE of shape (length, features), float64: sines in the even channels, cosines in the
    odd ones."""
    table = np.zeros(possible((length, features)))
    positions = np.arange(length)[:, None]                               # (T, 1)
    frequencies = 10000.0 ** (-np.arange(0, features, 2) / features)     # (⌈D/2⌉,)
    table[:, 0::2] = np.sin(positions * frequencies)
    table[:, 1::2] = np.cos(positions * frequencies[: features // 2])
    return table


def expect_length(x, positions, max_length):
    """Raise InputError if a position lies outside the table."""
    if x.ndim != 3 and positions is None:
        raise InputError(
            f"A positional encoding needs an input of shape (B, T, D), got {x.shape}; x[None] "
            "makes a batch."
        )
    # made from ids of a checked length; reading them would have to wait for the GPU
    if positions is not None and not on_host(positions):
        return
    needed = x.shape[1] if positions is None else largest(positions) + 1
    if needed > max_length and positions is not None and int(positions.min()) < 0:
        raise InputError(f"Positions count from 0; got {int(positions.min())}.")
    if needed > max_length:
        raise InputError(
            f"A sequence of {needed} tokens is longer than the maximum of {max_length}. Shorten "
            f"it, or build the model with max_length={needed} or more."
        )
