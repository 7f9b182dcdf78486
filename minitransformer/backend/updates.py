"""Elementwise work on long flat arrays, a cache-full at a time; on a GPU, in one kernel."""

from .arrays import on_host
from .kernels import Kernel, compiles

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
    return (lambda data, *others: ADAM(data.size, data, *others)) if compiles(data) else None


ADAM = Kernel(
    "adam",
    "T *data, const T *grad, T *m, T *v, T beta1, T beta2, T rate, T epsilon, T decay",
    """
    m[i] = beta1 * m[i] + (1 - beta1) * grad[i];
    v[i] = beta2 * v[i] + (1 - beta2) * grad[i] * grad[i];
    data[i] = (1 - decay) * data[i] - rate * m[i] / (sqrt(v[i]) + epsilon);
    """,
    lanes=1,
)
