"""The position-wise feed-forward network."""

from typing import Annotated

from ..boundary import Count, Features, Floats, Generator, OneOf, Probability, Rng
from ..core.module import Module
from .activations import GELU, ReLU, TanhGELU
from .dropout import Dropout
from .linear import Linear

ACTIVATIONS = {"relu": ReLU, "gelu": GELU, "gelu_tanh": TanhGELU}
Activation = Annotated[str, OneOf("activation", ACTIVATIONS)]


class FeedForward(Module):
    """Two affine maps with a nonlinearity between, applied to each position alone.

        y = max(0, x W₁ + b₁) W₂ + b₂

    Backward goes back through the maps in reverse. `activation` is "relu" (the paper's), "gelu" or
    "gelu_tanh"; `dropout` acts on the hidden layer (nn.Transformer has it, the paper does not: 0).

    Shapes: x, y (..., D); hidden (..., F). Source: Vaswani et al. 2017, section 3.3, eq. 2.
    """

    def __init__(
        self, features: Annotated[Count, "D"], hidden_features: Count, rng: Rng,
        activation: Activation = "relu", dropout: Probability = 0.0,
    ):
        self.expand = Linear(features, hidden_features, rng)
        self.activation = ACTIVATIONS[activation]()
        self.dropout = Dropout(dropout, rng)
        self.contract = Linear(hidden_features, features, rng)

    def forward(self, x: Features) -> Floats:
        hidden = self.activation(self.expand(x))                         # (..., F)
        return self.contract(self.dropout(hidden))                       # (..., D)

    def backward(self, d_y: Floats) -> Floats:
        d_hidden = self.dropout.backward(self.contract.backward(d_y))    # (..., F)
        return self.expand.backward(self.activation.backward(d_hidden))  # (..., D)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(11, 19, rng), rng.standard_normal((3, 5, 11))
