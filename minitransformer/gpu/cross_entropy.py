"""Cross-entropy without an array of probabilities: logits go in, their gradient comes out."""

from ..backend import array_module
from .kernels import Kernel

FORWARD = Kernel(
    "cross_entropy",
    "const T *x, const long long *targets, long long n, T smooth, T *loss, T *largest, T *total",
    """
    x += i * n;
    T m = -1 / T(0), exps = 0, sum = 0;
    for (int j = lane; j < n; j += LANES) m = max(m, x[j]);
    m = largest_of_lanes(m);
    for (int j = lane; j < n; j += LANES) {
        exps += exp(x[j] - m);
        sum += x[j] - m;
    }
    exps = sum_of_lanes(exps);
    sum = sum_of_lanes(sum);
    if (lane) return;
    const T at_target = x[(targets[i] % n + n) % n] - m;
    loss[i] = log(exps) - (1 - smooth) * at_target - (smooth ? smooth * (sum / n) : 0);
    largest[i] = m, total[i] = exps;
    """,
)

BACKWARD = Kernel(
    "cross_entropy_backward",
    "const T *__restrict__ x, const long long *targets, const T *largest, const T *total, const T "
    "*weight, long long n, T smooth, T *__restrict__ d_x",
    """
    x += i * n, d_x += i * n;
    const long long target = (targets[i] % n + n) % n;
    const T m = largest[i], exps = total[i], w = weight[i];
    for (int j = lane; j < n; j += LANES) {
        const T q = smooth / n + (j == target ? 1 - smooth : 0);
        d_x[j] = w == 0 ? 0 : w * (exp(x[j] - m) / exps - q);
    }
    """,
)


def forward(loss, x, targets):
    """`layers.CrossEntropy` in one kernel. What is kept is x, not p."""
    rows, targets, real, count = loss.in_rows(x, targets)
    xp = array_module(rows)
    rows, targets = xp.ascontiguousarray(rows), targets.astype("int64")
    losses, largest, total = (xp.empty(len(rows), dtype=rows.dtype) for _ in range(3))
    FORWARD(len(rows), rows, targets, rows.shape[-1], loss.label_smoothing, losses, largest, total)
    loss.save(rows, targets, largest, total, real, count, x.shape)
    return xp.where(real, losses, 0).sum() / count


def backward(loss, d_loss=1.0):
    rows, targets, largest, total, real, count, shape = loss.saved()
    xp = array_module(rows)
    weight = xp.where(real, d_loss / count, 0).astype(rows.dtype)        # (N,)
    d_x = xp.empty_like(rows)
    BACKWARD(
        len(rows), rows, targets, largest, total, weight, rows.shape[-1], loss.label_smoothing, d_x
    )
    return d_x.reshape(shape)
