"""Sums over features and over positions, written as matrix products.

NumPy's own reductions walk a short last axis slowly; a product with a vector of ones hands the same
sum to BLAS. Each helper states the plain formula that it equals.
"""

import functools

from .arrays import array_module, on_host

FEW, LARGE = 64, 1 << 17  # positions, numbers in a weight


@functools.lru_cache(maxsize=64)
def filled(value, count, dtype, xp):
    """A vector of equal numbers, which many sums share; of a float dtype also for integers."""
    return xp.full(count, value, dtype=xp.result_type(dtype, xp.float32))


def feature_sum(x, factor=1.0):
    """Σ over the last axis, kept: `factor * x.sum(axis=-1, keepdims=True)`.  (..., D) → (..., 1)"""
    features = x.shape[-1]
    weights = filled(factor, features, x.dtype, array_module(x))
    return (x.reshape(-1, features) @ weights).reshape(*x.shape[:-1], 1)


def feature_mean(x):
    """Mean over the last axis, kept: `x.mean(axis=-1, keepdims=True)`.  (..., D) → (..., 1)"""
    return feature_sum(x, 1.0 / x.shape[-1])


def position_sum(x):
    """Σ over all axes but the last: `x.sum(axis=(0, ..., -2))`.  (..., D) → (D,)"""
    rows = x.reshape(-1, x.shape[-1])  # (N, D)
    return filled(1.0, len(rows), x.dtype, array_module(x)) @ rows


def position_product(x, y, out=None):
    """Σ over all positions of the outer products xᵀy, as one product, into `out`.  (..., D), (..., E) → (D, E)

    The gradient of a weight: d_W = Σ_n x_nᵀ d_y_n, `einsum("nd,ne->de", x, y)` with the positions in one axis n.
    """
    return array_module(x).matmul(x.reshape(-1, x.shape[-1]).T, y.reshape(-1, y.shape[-1]), out=out)


def feature_product(x, weight):
    """x W over the last axis of x, as one product: `x @ weight`.  (..., D), (D, E) → (..., E)

    NumPy runs a separate product for each leading index of x; flattening the positions makes it a single one. For few
    positions, when decoding, it is written (Wᵀ xᵀ)ᵀ: BLAS then reads a large W, which takes longest, as it lies in memory.
    """
    rows, shape = x.reshape(-1, x.shape[-1]), (*x.shape[:-1], weight.shape[-1])
    if 1 < len(rows) <= FEW and weight.size >= LARGE and on_host(weight) and weight.flags.c_contiguous:
        return (weight.T @ rows.T).T.copy(order="C").reshape(shape)
    return (rows @ weight).reshape(shape)
