"""The nonlinearities of the feed-forward network."""

import math

from ..backend import array_module, normal_cdf, normal_density
from ..boundary import Floats, Generator
from ..core.module import Module


class ReLU(Module):
    """Keep what is positive.

        y = max(x, 0)

    Backward: d_x = d_y where x > 0, else 0.

    Shapes: x, y (...). Source: Vaswani et al. 2017, eq. 2.
    """

    def forward(self, x: Floats) -> Floats:
        self.save(x > 0)  # one byte for each element, so that no float array has to be kept
        return array_module(x).maximum(x, 0)

    def backward(self, d_y: Floats) -> Floats:
        positive = self.saved()
        return d_y * positive

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(), rng.standard_normal((3, 5, 11))


class GELU(Module):
    """Weight x by the probability that a standard normal variable is smaller.

        y = x Φ(x)      Φ(x) = (1 + erf(x/√2)) / 2

    Backward, with the normal density φ(x) = exp(−x²/2) / √(2π):

        d_x = d_y ∘ (Φ(x) + x φ(x))

    Shapes: x, y (...). Source: Hendrycks & Gimpel 2016.
    """

    def forward(self, x: Floats) -> Floats:
        cdf = normal_cdf(x)
        self.save(x, cdf)
        return x * cdf

    def backward(self, d_y: Floats) -> Floats:
        x, cdf = self.saved()
        return d_y * (cdf + x * normal_density(x))

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(), rng.standard_normal((3, 5, 11))


class TanhGELU(Module):
    """GELU with Φ approximated by a tanh, as GPT-2 uses it. It differs from `GELU` by less than
    5·10⁻⁴.

        y = x (1 + tanh u) / 2      u = √(2/π) (x + 0.044715 x³)

    Backward:

        d_x = d_y ∘ ( (1 + tanh u) / 2 + x (1 − tanh² u) / 2 · √(2/π) (1 + 3 · 0.044715 x²) )

    Shapes: x, y (...). Source: Hendrycks & Gimpel 2016, section 2.
    """

    SLOPE = math.sqrt(2 / math.pi)
    CUBIC = 0.044715

    def forward(self, x: Floats) -> Floats:
        tanh = array_module(x).tanh(self.SLOPE * (x + self.CUBIC * x**3))
        self.save(x, tanh)
        return x * (1 + tanh) * 0.5

    def backward(self, d_y: Floats) -> Floats:
        x, tanh = self.saved()
        square = array_module(x).minimum(x**2, 1e6)  # finite, where 1 − tanh² u is 0 long since
        d_u = self.SLOPE * (1 + 3 * self.CUBIC * square)                 # ∂u/∂x
        return d_y * ((1 + tanh) * 0.5 + x * (1 - tanh**2) * 0.5 * d_u)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(), rng.standard_normal((3, 5, 11))


class Tanh(Module):
    """The hyperbolic tangent, which keeps a state between −1 and 1.

        y = tanh x

    Backward: d_x = d_y ∘ (1 − y²).

    Shapes: x, y (...). Source: Elman 1990; Goodfellow et al. 2016, section 6.3.2.
    """

    def forward(self, x: Floats) -> Floats:
        y = array_module(x).tanh(x)
        self.save(y)
        return y

    def backward(self, d_y: Floats) -> Floats:
        y = self.saved()
        return d_y * (1 - y * y)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(), rng.standard_normal((3, 5, 11))


class Sigmoid(Module):
    """A gate between 0 and 1.

        y = 1 / (1 + exp(−x)) = (1 + tanh(x/2)) / 2

    The second form cannot overflow. Backward: d_x = d_y ∘ y (1 − y).

    Shapes: x, y (...). Source: Goodfellow et al. 2016, section 3.10.
    """

    def forward(self, x: Floats) -> Floats:
        y = 0.5 * (1 + array_module(x).tanh(0.5 * x))
        self.save(y)
        return y

    def backward(self, d_y: Floats) -> Floats:
        y = self.saved()
        return d_y * y * (1 - y)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(), rng.standard_normal((3, 5, 11))
