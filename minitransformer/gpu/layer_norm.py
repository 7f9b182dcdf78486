"""Layer normalisation, a row in one go. As in `backend.centre`, the first feature is subtracted
before the mean is taken."""

from ..backend import array_module
from .kernels import Kernel
from .sums import position_sum

FORWARD = Kernel(
    "layer_norm",
    "const T *x, const T *gamma, const T *beta, long long n, T epsilon, T *y, T *mean, T *sigma",
    """
    x += i * n, y += i * n;
    const T first = x[0];
    T sum = 0, squares = 0;
    for (int j = lane; j < n; j += LANES) sum += x[j] - first;
    const T m = sum_of_lanes(sum) / n;
    for (int j = lane; j < n; j += LANES) squares += (x[j] - first - m) * (x[j] - first - m);
    const T s = sqrt(sum_of_lanes(squares) / n + epsilon);
    for (int j = lane; j < n; j += LANES) y[j] = gamma[j] * ((x[j] - first - m) / s) + beta[j];
    if (lane == 0) mean[i] = m, sigma[i] = s;
    """,
)

BACKWARD = Kernel(
    "layer_norm_backward",
    (
        "const T *x, const T *d_y, const T *gamma, const T *mean, const T *sigma, long long n, T "
        "*d_x, T *along"
    ),
    """
    x += i * n, d_y += i * n, d_x += i * n, along += i * n;
    const T first = x[0], m = mean[i], s = sigma[i];
    T d_mean = 0, d_along = 0;
    for (int j = lane; j < n; j += LANES) {
        along[j] = d_y[j] * ((x[j] - first - m) / s);
        d_mean += gamma[j] * d_y[j];
        d_along += gamma[j] * along[j];
    }
    d_mean = sum_of_lanes(d_mean) / n;
    d_along = sum_of_lanes(d_along) / n;
    for (int j = lane; j < n; j += LANES)
        d_x[j] = (gamma[j] * d_y[j] - d_mean - (x[j] - first - m) / s * d_along) / s;
    """,
)


def forward(norm, x):
    """`layers.LayerNorm` in one kernel."""
    xp, n = array_module(x), x.shape[-1]
    x = xp.ascontiguousarray(x)
    y = xp.empty_like(x)
    mean, sigma = (xp.empty(x.size // n, dtype=x.dtype) for _ in range(2))
    FORWARD(len(mean), x, norm.gamma.data, norm.beta.data, n, norm.epsilon, y, mean, sigma)
    norm.save(x, mean, sigma)
    return y


def backward(norm, d_y):
    """In one kernel, but for the sums over the positions."""
    x, mean, sigma = norm.saved()
    xp, n = array_module(x), x.shape[-1]
    d_y = xp.ascontiguousarray(d_y)
    d_x, along = xp.empty_like(x), xp.empty_like(x)                      # along: d_y ∘ x̂
    BACKWARD(len(mean), x, d_y, norm.gamma.data, mean, sigma, n, d_x, along)
    norm.beta.accumulate(position_sum, d_y)                              # (D,)
    norm.gamma.accumulate(position_sum, along)
    return d_x
