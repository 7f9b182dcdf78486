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


def update_mean(mean, beta, new):
    """mean ← β mean + (1 − β) new, in the memory of `mean`: an exponential moving average."""
    mean *= beta
    mean += (1 - beta) * new


def adam_kernel(data):
    """update(data, grad, m, v, β₁, β₂, ηₜ, εₜ) on arrays of CuPy, in place; None for those of another library.

    Plain formula, which is how `Adam` writes it: m ← β₁ m + (1−β₁) g, v ← β₂ v + (1−β₂) g², and
    θ ← θ − ηₜ m / (√v + εₜ). Operation by operation all parameters would travel from the card's memory a dozen times.
    """
    return adam_update if compiles(data) else None


def adam_update(data, grad, m, v, beta1, beta2, rate, epsilon):
    # 1 − β in float32 would be off by 2·10⁻⁴ of itself at β = 0.9999
    ADAM(data.size, data, grad, m, v, beta1, 1 - beta1, beta2, 1 - beta2, rate, epsilon)


ADAM = Kernel(
    "adam",
    "T *__restrict__ data, const T *__restrict__ grad, T *__restrict__ m, T *__restrict__ v, "
    "T beta1, T new1, T beta2, T new2, T rate, T epsilon",
    """
    m[i] = beta1 * m[i] + new1 * grad[i];
    v[i] = beta2 * v[i] + new2 * grad[i] * grad[i];
    data[i] -= rate * m[i] / (sqrt(v[i]) + epsilon);
    """,
    lanes=1,
)
