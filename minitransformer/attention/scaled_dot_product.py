"""Scaled dot-product attention."""

from typing import Annotated

from ..backend import query_key_product
from ..boundary import Floats, Generator, MayAttend, Probability, Rng
from ..core.module import Module
from ..layers.dropout import Dropout
from ..layers.softmax import Softmax
from .kept_weights import KeepsWeights
from .masking import Masking

Query = Annotated[Floats, "..., T, K"]
Key = Annotated[Floats, "..., S, K"]
Value = Annotated[Floats, "..., S, K_v"]


class ScaledDotProductAttention(KeepsWeights, Module):
    """The mean of the values, each weighted by how well its key matches the query.

        S = Q Kᵀ / √d_k      P = softmax(S)      y = P V

    Backward, line by line in reverse:

        d_V = Pᵀ d_y      d_P = d_y Vᵀ      d_S = P ∘ (d_P − Σ_j d_P_j P_j)
        d_Q = d_S K / √d_k      d_K = d_Sᵀ Q / √d_k

    The mask (boolean, True = may attend, broadcastable to S) acts on S before softmax. A query that
    may attend to nothing gets y = 0 and gradients 0. `dropout` acts on P (nn.Transformer has it,
    the paper does not: 0). Inside `keep_weights`, P is kept as `weights`, and after backward d_P as
    `d_weights`.

    Shapes: Q (B, H, T, K), K (B, H, S, K), V (B, H, S, K_v), S and P (B, H, T, S), y
    (B, H, T, K_v). Source: Vaswani et al. 2017, section 3.2.1, eq. 1.
    """

    def __init__(self, rng: Rng | None = None, dropout: Probability = 0.0):
        self.masking = Masking()
        self.softmax = Softmax()
        self.dropout = Dropout(dropout, rng)

    def forward(
        self, query: Query, key: Key, value: Value,
        mask: Annotated[MayAttend, "..., T, S"] | None = None,
    ) -> Floats:
        scale = query.shape[-1] ** -0.5
        scores = query_key_product(query, key, scale)                    # (B, H, T, S)
        weights = self.softmax(self.masking(scores, mask))               # (B, H, T, S)
        dropped = self.dropout(weights)
        if self.keep:
            self.weights = weights
        self.save(query, key, value, dropped, scale)
        return dropped @ value                                           # (B, H, T, K_v)

    def backward(self, d_y: Floats) -> tuple[Floats, Floats, Floats]:
        query, key, value, dropped, scale = self.saved()
        d_value = dropped.swapaxes(-1, -2) @ d_y                         # (B, H, S, K_v)
        d_weights = self.dropout.backward(query_key_product(d_y, value)) # (B, H, T, S)
        if self.keep:
            self.d_weights = d_weights
        d_scores = self.masking.backward(self.softmax.backward(d_weights)) * scale
        d_query = d_scores @ key                                         # (B, H, T, K)
        d_key = d_scores.swapaxes(-1, -2) @ query                        # (B, H, S, K)
        return d_query, d_key, d_value

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        query, key = rng.standard_normal((3, 4, 5, 11)), rng.standard_normal((3, 4, 7, 11))
        _, _, mask = Masking.example(rng)
        return cls(), query, key, rng.standard_normal((3, 4, 7, 13)), mask
