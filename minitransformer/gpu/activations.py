"""The nonlinearities, each way in one kernel. They keep x, and compute again what a kernel has at
hand."""

from ..backend import array_module
from .kernels import Kernel

RELU_BACKWARD = Kernel(
    "relu_backward", "const T *y, const T *d_y, T *d_x", "d_x[i] = y[i] > 0 ? d_y[i] : T(0);",
    lanes=1,
)

GELU = Kernel(
    "gelu", "const T *x, T *y", "y[i] = x[i] * (1 + erf(x[i] * T(0.7071067811865476))) / 2;",
    lanes=1,
)
GELU_BACKWARD = Kernel(
    "gelu_backward",
    "const T *x, const T *d_y, T *d_x",
    """
    const T cdf = (1 + erf(x[i] * T(0.7071067811865476))) / 2;
    const T density = exp(x[i] * x[i] / -2) * T(0.3989422804014327);
    d_x[i] = d_y[i] * (cdf + x[i] * density);
    """,
    lanes=1,
)

U = "const T u = tanh(T(0.7978845608028654) * (x[i] + T(0.044715) * x[i] * x[i] * x[i]));"
TANH_GELU = Kernel("tanh_gelu", "const T *x, T *y", f"{U} y[i] = x[i] * (1 + u) / 2;", lanes=1)
TANH_GELU_BACKWARD = Kernel(
    "tanh_gelu_backward",
    "const T *x, const T *d_y, T *d_x",
    U
    + """
    const T square = min(x[i] * x[i], T(1e6));
    const T slope = T(0.7978845608028654) * (1 + 3 * T(0.044715) * square);
    d_x[i] = d_y[i] * ((1 + u) / 2 + x[i] * (1 - u * u) / 2 * slope);
    """,
    lanes=1,
)


def relu(component, x):
    """y = max(x, 0). Kept is y, which the next component keeps as well, so that x need not stay."""
    xp = array_module(x)
    y = xp.maximum(xp.ascontiguousarray(x), 0)
    component.save(y)
    return y


def by_kernel(kernel):
    """A forward by a kernel (x, y)."""

    def forward(component, x):
        xp = array_module(x)
        x = xp.ascontiguousarray(x)
        y = xp.empty_like(x)
        kernel(x.size, x, y)
        component.save(x)
        return y

    return forward


def backward_by_kernel(kernel):
    """A backward by a kernel (what forward kept, d_y, d_x)."""

    def backward(component, d_y):
        kept = component.saved()
        xp = array_module(kept)
        d_x = xp.empty_like(kept)
        kernel(kept.size, kept, xp.ascontiguousarray(d_y), d_x)
        return d_x

    return backward
