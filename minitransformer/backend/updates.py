"""Elementwise work on long flat arrays, a cache-full at a time; on a GPU, in one kernel."""

import functools

from .arrays import array_module, on_host

BLOCK = 1 << 15  # elements: a handful of float32 arrays of this length stay in a core's second-level cache


def in_blocks(function, *arrays, block=BLOCK):
    """function(*arrays) on slices of equal position: the same result for an elementwise in-place function.

    An optimizer makes several passes over parameters, gradients and moments. Whole arrays travel from main
    memory on every pass; a block travels once. On a GPU one block is all.
    """
    block = block if on_host(arrays[0]) else max(1, arrays[0].size)
    for start in range(0, arrays[0].size, block):
        function(*(a[start : start + block] for a in arrays))


def adam_kernel(data):
    """update(data, grad, m, v, β₁, β₂, ηₜ, εₜ, λ) on arrays of CuPy, in place; None for those of another library.

    Plain formula, which is how `Adam` writes it: θ ← (1 − λ) θ, then m ← β₁ m + (1−β₁) g, v ← β₂ v + (1−β₂) g², and
    θ ← θ − ηₜ m / (√v + εₜ). Operation by operation all parameters would travel from the card's memory a dozen times.
    """
    xp = array_module(data)
    return _adam_kernel(xp) if hasattr(xp, "ElementwiseKernel") else None


@functools.cache
def _adam_kernel(xp):
    kernel = xp.ElementwiseKernel("T grad, T beta1, T beta2, T rate, T epsilon, T decay", "T data, T m, T v", ADAM, "adam")

    def update(data, grad, m, v, *numbers):
        kernel(grad, *map(data.dtype.type, numbers), data, m, v)         # T is one type

    return update


ADAM = """
    m = beta1 * m + (1 - beta1) * grad;
    v = beta2 * v + (1 - beta2) * grad * grad;
    data = (1 - decay) * data - rate * m / (sqrt(v) + epsilon);
"""  # CUDA; T is float or double
