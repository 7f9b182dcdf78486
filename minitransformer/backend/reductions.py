"""Sums over features and over positions, written as matrix products.

NumPy's own reductions walk a short last axis slowly; a product with a vector of ones hands the same
sum to BLAS. Each helper states the plain formula that it equals.
"""

import functools
import math

import numpy as np

from .arrays import array_module, on_host
from .products import product
from .substitutes import substitute_for

FEW, LARGE = 64, 1 << 17  # positions, numbers in a weight


@functools.lru_cache(maxsize=64)
def filled(value, count, dtype):
    """A vector of equal numbers, which many sums share; of a float dtype also for integers."""
    return np.full(count, value, dtype=np.result_type(dtype, np.float32))


def feature_sum(x):
    """Σ over the last axis, kept: `x.sum(axis=-1, keepdims=True)`.  (..., D) → (..., 1)"""
    if not on_host(x):
        return x.sum(axis=-1, keepdims=True)
    features = x.shape[-1]
    return (x.reshape(-1, features) @ filled(1.0, features, x.dtype)).reshape(*x.shape[:-1], 1)


def feature_mean(x):
    """Mean over the last axis, kept: `x.mean(axis=-1, keepdims=True)`.  (..., D) → (..., 1)

    A sum that is divided by D, not a product with 1/D: float32 holds no 1/784, but 784 it holds.
    """
    return feature_sum(x) / x.shape[-1]


def centre(x):
    """x less its mean over the last axis: `x - x.mean(axis=-1, keepdims=True)`.  (..., D) →
    (..., D)

    The first feature is subtracted before the mean is taken: what all features share is then gone,
    exactly. In float32 the mean of 784 times 255.1 is not 255.1, and a variance of 0 would be one
    of rounding errors.
    """
    shifted = x - x[..., :1]
    shifted -= feature_mean(shifted)
    return shifted


def feature_max(x):
    """Maximum over the last axis, kept, of nothing −∞:
    `x.max(axis=-1, keepdims=True, initial=-inf)`.  (..., D) → (..., 1)"""
    if x.shape[-1] == 0:
        return array_module(x).full((*x.shape[:-1], 1), -math.inf, dtype=x.dtype)
    return x.max(axis=-1, keepdims=True)


def position_sum(x, out=None):
    """Σ over all axes but the last, into `out`: `x.sum(axis=(0, ..., -2), out=out)`.  (..., D) →
    (D,)"""
    rows = x.reshape(-1, x.shape[-1])                                    # (N, D)
    if on_host(x):
        return np.matmul(filled(1.0, len(rows), x.dtype), rows, out=out)
    if faster := substitute_for("position_sum"):
        return faster(x, out)
    return rows.sum(axis=0, out=out)


def sum_of_squares(x):
    """Σ x²: `x @ x`, (P,) → a number."""
    if not on_host(x) and (faster := substitute_for("sum_of_squares")):
        return faster(x)
    return x @ x


def position_product(x, y, out=None):
    """Σ over all positions of the outer products xᵀy, as one product, into `out`.  (..., D),
    (..., E) → (D, E)

    The gradient of a weight: d_W = Σ_n x_nᵀ d_y_n, `einsum("nd,ne->de", x, y)` with the positions
    in one axis n.
    """
    return product(x.reshape(-1, x.shape[-1]).T, y.reshape(-1, y.shape[-1]), out=out)


def affine(x, weight, bias):
    """x W + b over the last axis of x: `x @ weight + bias`; without a bias, None, `x @ weight`.
    (..., D), (D, E), (E,) → (..., E)"""
    y = feature_product(x, weight)
    if bias is not None:
        y += bias
    return y


def feature_product(x, weight):
    """x W over the last axis of x, as one product: `x @ weight`.  (..., D), (D, E) → (..., E)

    NumPy runs a separate product for each leading index of x; flattening the positions makes it a
    single one. For few positions, when decoding, it is written (Wᵀ xᵀ)ᵀ: BLAS then reads a large W,
    which takes longest, as it lies in memory.
    """
    rows, shape = x.reshape(-1, x.shape[-1]), (*x.shape[:-1], weight.shape[-1])
    if (
        1 < len(rows) <= FEW
        and weight.size >= LARGE
        and on_host(weight)
        and weight.flags.c_contiguous
    ):
        return (weight.T @ rows.T).T.copy(order="C").reshape(shape)
    return product(rows, weight).reshape(shape)
