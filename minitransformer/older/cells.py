"""One step of a recurrent network: from the input and the previous state to the next state."""

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from ..backend import array_module
from ..boundary import Count, Floats, Generator, Rng
from ..core.module import Module
from ..layers.activations import Sigmoid, Tanh
from ..layers.linear import Linear


class Cell(Protocol):
    """A step that a `Recurrence` can repeat: a component of x (B, X) and h (B, D) that knows D."""

    state_features: int

    def __call__(self, x: Any, h: Any, /) -> Any: ...

    def backward(self, d_new: Floats, /) -> tuple[Any, Any]: ...


class RNNCell(Module):
    """The simple recurrent step.

        h' = tanh(x W_x + h W_h + b)

    Backward, with a = x W_x + h W_h + b:

        d_a = d_h' ∘ (1 − h'²)      d_x = d_a W_xᵀ      d_h = d_a W_hᵀ

    Each step back multiplies by W_hᵀ once more; this is why gradients over many steps vanish or
    explode. The same weights are used at every step of a sequence, so their gradients are sums over
    the steps.

    Shapes: x (B, X), h and h' (B, D); W_x (X, D), W_h (D, D), b (D,). Source: Elman 1990;
    Goodfellow et al. 2016, section 10.2, eqs. 10.8 and 10.9.
    """

    def __init__(
        self, in_features: Annotated[Count, "X"], state_features: Annotated[Count, "D"], rng: Rng
    ):
        self.state_features = state_features
        self.input = Linear(in_features, state_features, rng)
        self.state = Linear(state_features, state_features, rng, bias=False)
        self.tanh = Tanh()

    def forward(self, x: Annotated[Floats, "B, X"], h: Annotated[Floats, "B, D"]) -> Floats:
        return self.tanh(self.input(x) + self.state(h))                  # (B, D)

    def backward(self, d_new: Floats) -> tuple[Floats, Floats]:
        d_sum = self.tanh.backward(d_new)
        d_h = self.state.backward(d_sum)
        return self.input.backward(d_sum), d_h

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(5, 7, rng), rng.standard_normal((3, 5)), rng.standard_normal((3, 7))


class GRUCell(Module):
    """The gated recurrent unit: a step that can keep its state, so that a gradient can flow back
    unchanged.

        r = σ(x W_xr + h W_hr + b_r)      z = σ(x W_xz + h W_hz + b_z)
        n = tanh(x W_xn + b_n + r ∘ (h W_hn + c_n))      h' = (1 − z) ∘ n + z ∘ h

    Backward, with a_r, a_z, a_n the arguments of the three nonlinearities, and h_n = h W_hn + c_n:

        d_n = d_h' ∘ (1 − z)      d_z = d_h' ∘ (h − n)      d_a_n = d_n ∘ (1 − n²)
        d_a_z = d_z ∘ z (1 − z)   d_r = d_a_n ∘ h_n         d_a_r = d_r ∘ r (1 − r)
        d_x = [d_a_r; d_a_z; d_a_n] W_xᵀ      d_h = d_h' ∘ z + [d_a_r; d_a_z; d_a_n ∘ r] W_hᵀ

    This is PyTorch's form (and cuDNN's): r acts after the product with W_hn, both sums have a bias,
    and z is the weight of the old state; in Cho et al. r acts on h before the product. The weights
    of r, z and n lie side by side, for one product each.

    Shapes: x (B, X), h and h' (B, D); W_x (X, 3D), W_h (D, 3D). Source: Cho et al. 2014, section
    2.3, eqs. 5 to 8.
    """

    def __init__(
        self, in_features: Annotated[Count, "X"], state_features: Annotated[Count, "D"], rng: Rng
    ):
        self.state_features = state_features
        self.input = Linear(in_features, 3 * state_features, rng)
        self.state = Linear(state_features, 3 * state_features, rng)
        self.sigmoid = Sigmoid()
        self.tanh = Tanh()

    def forward(self, x: Annotated[Floats, "B, X"], h: Annotated[Floats, "B, D"]) -> Floats:
        x_r, x_z, x_n = thirds(self.input(x))                            # (B, D) each
        h_r, h_z, h_n = thirds(self.state(h))
        r = self.sigmoid(x_r + h_r)
        z = self.sigmoid(x_z + h_z)
        n = self.tanh(x_n + r * h_n)
        self.save(h, h_n, r, z, n)
        return (1 - z) * n + z * h                                       # (B, D)

    def backward(self, d_new: Floats) -> tuple[Floats, Floats]:
        h, h_n, r, z, n = self.saved()
        xp = array_module(h)
        d_sum_n = self.tanh.backward(d_new * (1 - z))                    # (B, D)
        d_sum_z = self.sigmoid.backward(d_new * (h - n))
        d_sum_r = self.sigmoid.backward(d_sum_n * h_n)
        d_h = self.state.backward(xp.concatenate([d_sum_r, d_sum_z, d_sum_n * r], axis=-1))
        d_x = self.input.backward(xp.concatenate([d_sum_r, d_sum_z, d_sum_n], axis=-1))
        return d_x, d_h + d_new * z

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(5, 7, rng), rng.standard_normal((3, 5)), rng.standard_normal((3, 7))


def thirds(x):
    """x (B, 3D) cut into three (B, D), side by side."""
    width = x.shape[-1] // 3
    return x[..., :width], x[..., width : 2 * width], x[..., 2 * width :]


CELLS: dict[str, Callable[..., Cell]] = {"rnn": RNNCell, "gru": GRUCell}
