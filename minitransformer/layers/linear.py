"""An affine map of the features."""

from typing import Annotated

from ..backend import affine, feature_product, position_product, position_sum
from ..boundary import Count, Features, Floats, Generator, Rng
from ..core.module import Module, Parameter


class Linear(Module):
    """Map each position's features affinely, the same way at every position.

        y = x W + b

    Backward, with sums over all positions:

        d_x = d_y Wᵀ      d_W = Σ xᵀ d_y      d_b = Σ d_y

    W is initialised Xavier uniform, b with zeros. Raises InputError if x does not have in_features
    features.

    Shapes: x (..., D), y (..., E); W (D, E), b (E,). Source: Vaswani et al. 2017, sections 3.2.2
    and 3.3.
    """

    def __init__(
        self, in_features: Annotated[Count, "D"], out_features: Annotated[Count, "E"], rng: Rng,
        bias: bool = True,
    ):
        self.weight = Parameter.xavier_uniform(rng, in_features, out_features)
        self.bias = Parameter.zeros(out_features) if bias else None

    def forward(self, x: Features) -> Floats:
        self.save(x)
        bias = None if self.bias is None else self.bias.data
        return affine(x, self.weight.data, bias)                         # (..., E)

    def backward(self, d_y: Floats) -> Floats:
        x = self.saved()
        if self.bias is not None:
            self.bias.accumulate(position_sum, d_y)                      # (E,)
        self.weight.accumulate(position_product, x, d_y)                 # (D, E)
        return feature_product(d_y, self.weight.data.T)                  # (..., D)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(11, 13, rng), rng.standard_normal((3, 5, 11))
