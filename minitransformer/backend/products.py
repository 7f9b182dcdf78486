"""Matrix products."""

import numpy as np

from ..terminal.browser import IN_A_BROWSER
from .arrays import array_module, on_host
from .substitutes import substitute_for


def product(a, b, out=None):
    """a @ b, into `out`: `matmul(a, b, out=out)`.  (..., M, K), (..., K, N) → (..., M, N)"""
    if on_host(a):
        return (without_blas if IN_A_BROWSER else np.matmul)(a, b, out)
    multiply = substitute_for("product") or array_module(a).matmul
    return multiply(a, b, out=out)


def without_blas(a, b, out=None):
    """The same where NumPy comes without BLAS, as in a browser: its own loop multiplies a row of a
    by a column of b, ten times as fast if each lies in one piece of memory."""
    rows, columns = (np.asanyarray(x, order="C") for x in (a, b.swapaxes(-1, -2)))
    return np.matmul(rows, columns.swapaxes(-1, -2), out)
