"""Adam's step in one kernel. Operation by operation all parameters would travel from the card's
memory a dozen times."""

from .kernels import Kernel

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


def adam(data, grad, m, v, beta1, beta2, rate, epsilon):
    """In place: m ← β₁ m + (1−β₁) g, v ← β₂ v + (1−β₂) g², and θ ← θ − ηₜ m / (√v + εₜ):
    `training.Adam`."""
    # 1 − β in float32 would be off by 2·10⁻⁴ of itself at β = 0.9999
    ADAM(data.size, data, grad, m, v, beta1, 1 - beta1, beta2, 1 - beta2, rate, epsilon)
