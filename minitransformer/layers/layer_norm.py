"""Layer normalisation."""

from typing import Annotated

from ..backend import array_module, centre, feature_mean, position_sum
from ..boundary import Count, Epsilon, Features, Floats, Generator
from ..core.module import Module, Parameter


class LayerNorm(Module):
    """Give each position's features mean 0 and variance 1, then scale and shift them.

        x̂ = (x − mean) / σ      σ = √(var + ε)      y = γ ∘ x̂ + β

    Backward, with d_x̂ = γ ∘ d_y and means over the features:

        d_x = (d_x̂ − mean(d_x̂) − x̂ ∘ mean(d_x̂ ∘ x̂)) / σ
        d_γ = Σ d_y ∘ x̂      d_β = Σ d_y                    (sums over all positions)

    Forward ignores a shift and a scale of x, so d_x is orthogonal to 1 and (nearly, through ε) to
    x̂.

    The variance is the mean square, without Bessel's correction, and ε stands inside the root, as
    in PyTorch; some implementations add it to the standard deviation instead. ε is not 0: a row of
    equal features, such as padding, would be 0/0. In float32, features farther than about 1e18 from
    their mean are too large to be squared: σ is then infinite and x̂ is 0, and NumPy warns of an
    overflow; float64 holds such rows. Raises InputError if x does not have D features.

    Shapes: x, y (..., D); γ, β (D,). Sources: Ba, Kiros & Hinton 2016, eq. 4; Vaswani et al. 2017,
    section 3.1.
    """

    def __init__(self, features: Annotated[Count, "D"], epsilon: Epsilon = 1e-5):
        self.gamma = Parameter.ones(features)
        self.beta = Parameter.zeros(features)
        self.epsilon = epsilon

    def forward(self, x: Features) -> Floats:
        centred = centre(x)                                              # (..., D): x − mean
        sigma = array_module(x).sqrt(feature_mean(centred * centred) + self.epsilon)  # (..., 1)
        x_hat = centred / sigma
        self.save(x_hat, sigma)
        return self.gamma.data * x_hat + self.beta.data

    def backward(self, d_y: Floats) -> Floats:
        x_hat, sigma = self.saved()
        self.beta.grad += position_sum(d_y)                              # (D,)
        self.gamma.grad += position_sum(d_y * x_hat)
        d_x_hat = self.gamma.data * d_y                                  # (..., D)
        return (d_x_hat - feature_mean(d_x_hat) - x_hat * feature_mean(d_x_hat * x_hat)) / sigma

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(11), rng.standard_normal((3, 5, 11))
