"""The nonlinearities, each way in one kernel. They keep x, and compute again what a kernel has at hand."""

from .. import layers
from ..backend import array_module
from ..backend.kernels import Kernel


class Elementwise:
    """A nonlinearity by two kernels: FORWARD(x, y) and BACKWARD(x, d_y, d_x)."""

    def forward(self, x):
        xp = array_module(x)
        x = xp.ascontiguousarray(x)
        y = xp.empty_like(x)
        self.FORWARD(x.size, x, y)
        self.save(x)
        return y

    def backward(self, d_y):
        x = self.saved()
        xp = array_module(x)
        d_x = xp.empty_like(x)
        self.BACKWARD(x.size, x, xp.ascontiguousarray(d_y), d_x)
        return d_x


class ReLU(Elementwise, layers.ReLU):
    """Backward by y, which the next component keeps as well, so that x need not stay."""

    BACKWARD = Kernel("relu_backward", "const T *y, const T *d_y, T *d_x", "d_x[i] = y[i] > 0 ? d_y[i] : T(0);", lanes=1)

    def forward(self, x):
        xp = array_module(x)
        y = xp.maximum(xp.ascontiguousarray(x), 0)
        self.save(y)
        return y


class GELU(Elementwise, layers.GELU):
    FORWARD = Kernel("gelu", "const T *x, T *y", "y[i] = x[i] * (1 + erf(x[i] * T(0.7071067811865476))) / 2;", lanes=1)
    BACKWARD = Kernel(
        "gelu_backward",
        "const T *x, const T *d_y, T *d_x",
        """
        const T cdf = (1 + erf(x[i] * T(0.7071067811865476))) / 2, density = exp(x[i] * x[i] / -2) * T(0.3989422804014327);
        d_x[i] = d_y[i] * (cdf + x[i] * density);
        """,
        lanes=1,
    )


class TanhGELU(Elementwise, layers.TanhGELU):
    U = "const T u = tanh(T(0.7978845608028654) * (x[i] + T(0.044715) * x[i] * x[i] * x[i]));"
    FORWARD = Kernel("tanh_gelu", "const T *x, T *y", f"{U} y[i] = x[i] * (1 + u) / 2;", lanes=1)
    BACKWARD = Kernel(
        "tanh_gelu_backward",
        "const T *x, const T *d_y, T *d_x",
        U
        + """
        const T slope = T(0.7978845608028654) * (1 + 3 * T(0.044715) * x[i] * x[i]);
        d_x[i] = d_y[i] * ((1 + u) / 2 + x[i] * (1 - u * u) / 2 * slope);
        """,
        lanes=1,
    )
