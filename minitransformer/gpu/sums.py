"""Sums over positions, and of squares, as kernels."""

import math

from ..backend import array_module
from .kernels import Kernel

COLUMN_SUMS = Kernel(
    "column_sums",
    "const T *x, long long rows, long long columns, long long together, T *sums",
    """
    T sum = 0;
    for (long long row = i / columns * together, end = row + together;
         row < end && row < rows; ++row)
        sum += x[row * columns + i % columns];
    sums[i] = sum;
    """,
    lanes=1,
)

SQUARES = Kernel(
    "squares",
    "const T *x, long long size, T *sums",
    """
    T sum = 0;
    for (long long j = i; j < size; j += count) sum += x[j] * x[j];
    sums[i] = sum;
    """,
    lanes=1,
)


def position_sum(x, out=None):
    """Σ over all axes but the last, into `out`, first of √N positions together:
    `backend.position_sum`.  (..., D) → (D,)"""
    xp, columns = array_module(x), x.shape[-1]
    rows = xp.ascontiguousarray(x.reshape(-1, columns))                  # (N, D)
    together = max(1, math.isqrt(len(rows)))
    parts = xp.empty((-(-len(rows) // together), columns), dtype=x.dtype)
    out = xp.empty(columns, dtype=x.dtype) if out is None else out
    if out.shape != (columns,):
        raise ValueError(
            f"A sum of {columns} columns cannot be written into an array of shape {out.shape}."
        )
    COLUMN_SUMS(parts.size, rows, len(rows), columns, together, parts)
    COLUMN_SUMS(columns, parts, len(parts), columns, len(parts), out)
    return out


def sum_of_squares(x):
    """Σ x²: `backend.sum_of_squares`.  (P,) → a number"""
    sums = array_module(x).empty(min(x.size, 1 << 16), dtype=x.dtype)
    SQUARES(sums.size, x, x.size, sums)
    return sums.sum()
