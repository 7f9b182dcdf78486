"""Matrix products."""

import numpy as np

from .arrays import array_module, on_host
from .substitutes import substitute_for


def product(a, b, out=None):
    """a @ b, into `out`: `matmul(a, b, out=out)`.  (..., M, K), (..., K, N) → (..., M, N)"""
    if on_host(a):
        return np.matmul(a, b, out)
    multiply = substitute_for("product") or array_module(a).matmul
    return multiply(a, b, out=out)
