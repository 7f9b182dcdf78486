"""Add & Norm: the skip connection around every sublayer."""

from typing import Annotated, Any

from ..boundary import Count, Features, Floats, Generator, Gradients, OneOf, Probability, Rng
from ..core.module import Module
from .dropout import Dropout
from .feed_forward import FeedForward
from .layer_norm import LayerNorm

ORDERS = ("post", "pre")
Order = Annotated[str, OneOf("norm order", ORDERS)]


class Residual(Module):
    """Wrap a sublayer f: add its output to its input, and normalise.

        post-norm (the paper):  y = LayerNorm(x + Dropout(f(x)))
        pre-norm:               y = x + Dropout(f(LayerNorm(x)))

    Backward: x is used twice, so its gradients add up. Post-norm, with d_s from the norm:

        d_x = d_s + f.backward(Dropout.backward(d_s))

    Pre-norm: d_x = d_y + LayerNorm.backward(f.backward(Dropout.backward(d_y))). The skip connection
    adds x itself, not its norm.

    Further inputs (a memory, a mask) are passed on to f; if f returns gradients for them, backward
    returns (d_x, *their gradients), else d_x. Raises InputError for another order than "post" or
    "pre".

    Shapes: x, y (B, T, D). Sources: Vaswani et al. 2017, sections 3.1 and 5.4; pre-norm: Xiong et
    al. 2020.
    """

    def __init__(
        self, sublayer: Module, features: Annotated[Count, "D"], rng: Rng, order: Order = "post",
        dropout: Probability = 0.0,
    ):
        self.sublayer = sublayer
        self.norm = LayerNorm(features)
        self.dropout = Dropout(dropout, rng)
        self.order = order

    def forward(self, x: Features, *others: "Any", **options: "Any") -> Floats:
        if self.order == "post":
            return self.norm(x + self.dropout(self.sublayer(x, *others, **options)))
        return x + self.dropout(self.sublayer(self.norm(x), *others, **options))

    def backward(self, d_y: Floats) -> Gradients:
        d_sum = self.norm.backward(d_y) if self.order == "post" else d_y
        d_branch = self.sublayer.backward(self.dropout.backward(d_sum))
        d_x, *d_others = d_branch if isinstance(d_branch, tuple) else (d_branch,)
        if self.order == "pre":
            d_x = self.norm.backward(d_x)
        d_x = d_sum + d_x
        return (d_x, *d_others) if d_others else d_x

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(FeedForward(11, 19, rng), 11, rng, dropout=0.3), rng.standard_normal((3, 5, 11))
