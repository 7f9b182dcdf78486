"""Softmax, with mask and scale, in one kernel."""

from ..backend import array_module
from .kernels import Kernel

FORWARD = Kernel(
    "softmax",
    "const T *x, const bool *mask, long long heads, long long queries, long long per_batch, long "
    "long per_head, long long per_query, long long per_key, long long n, T scale, T *y",
    """
    x += i * n, y += i * n;
    // to divide 64 bits takes a GPU far longer
    const unsigned int row = i, rows = queries, sides = heads;
    if (mask)
        mask += row / rows / sides * per_batch + row / rows % sides * per_head
                + row % rows * per_query;
    T largest = -1 / T(0), total = 0;
    for (int j = lane; j < n; j += LANES)
        if (!mask || mask[j * per_key]) largest = max(largest, scale * x[j]);
    largest = largest_of_lanes(largest);
    if (largest == -1 / T(0)) largest = 0;
    for (int j = lane; j < n; j += LANES) {
        y[j] = !mask || mask[j * per_key] ? exp(scale * x[j] - largest) : T(0);
        total += y[j];
    }
    total = sum_of_lanes(total);
    for (int j = lane; j < n; j += LANES) y[j] /= total == 0 ? 1 : total;
    """,
)

BACKWARD = Kernel(
    "softmax_backward",
    "const T *y, const T *d_y, long long n, T scale, T *d_x",
    """
    y += i * n, d_y += i * n, d_x += i * n;
    T mean = 0;
    for (int j = lane; j < n; j += LANES) mean += d_y[j] * y[j];
    mean = sum_of_lanes(mean);
    for (int j = lane; j < n; j += LANES) d_x[j] = scale * y[j] * (d_y[j] - mean);
    """,
)


def softmax(x, scale=1.0, mask=None, out=None):
    """P = softmax(scale · x where mask, else −∞) over the last axis, (..., S), into `out`. A row of
    nothing but −∞ gives zeros."""
    xp, n = array_module(x), x.shape[-1]
    x = xp.ascontiguousarray(x)
    y = xp.empty_like(x) if out is None else out
    if n:
        FORWARD(x.size // n, x, *where_to_look(mask, x.shape), n, float(scale), y)
    return y


def where_to_look(mask, shape):
    """A mask for scores of this shape as the kernel reads it: H, T, and the steps in memory from b,
    h, t and s to the next."""
    if mask is None:
        return None, 1, 1, 0, 0, 0, 0
    xp = array_module(mask)
    mask = xp.ascontiguousarray(mask)
    repeated = xp.broadcast_to(mask, shape)  # with steps of 0 where it repeats itself
    if len(shape) > 4:
        repeated = mask = xp.ascontiguousarray(repeated).reshape(-1, shape[-2], shape[-1])
        shape = mask.shape
    heads, queries = (1, 1, *shape[:-1])[-2:]
    return mask, heads, queries, *(0, 0, 0, *repeated.strides)[-4:]


def softmax_backward(y, d_y, scale=1.0):
    """d_x = scale · P ∘ (d_y − Σ_j d_y_j P_j), (..., S)."""
    xp, n = array_module(y), y.shape[-1]
    d_x = xp.empty_like(y)
    if n:
        BACKWARD(y.size // n, y, xp.ascontiguousarray(d_y), n, float(scale), d_x)
    return d_x


def forward(component, x):
    """`layers.Softmax` in one kernel."""
    weights = softmax(x)
    component.save(weights)
    return weights


def backward(component, d_y):
    return softmax_backward(component.saved(), d_y)
