"""Additive attention: a small network scores each pair of query and key."""

from typing import Annotated

from ..attention.masking import Masking
from ..boundary import Count, Floats, Generator, MayAttend, Rng
from ..core.module import Module
from ..layers.activations import Tanh
from ..layers.linear import Linear
from .expectation import Expectation

Query = Annotated[Floats, "B, T, Q"]
Key = Annotated[Floats, "B, S, X"]
Annotations = Annotated[Floats, "B, S, A"]
MaskOfPairs = Annotated[MayAttend, "B, T, S"]


class AdditiveAttention(Module):
    """Attend to the source with scores from a small network, MLP([x_s; q_t]): the attention before
    the dot product.

        E_ts = v · tanh(q_t W_q + x_s W_x + b)      P = softmax(E)      y_t = Σ_s P_ts f_s

    The first layer of the MLP sees [x_s; q_t]; its weight matrix has two parts, so each x_s and
    each q_t is multiplied once, and only the sum, the tanh and the product with v are computed for
    every pair: this takes memory for T·S·M numbers, a dot product for T·S. Backward: the sum is
    broadcast over pairs, so its gradient is summed over the keys for the query, and over the
    queries for the key.

    `forward(query, key, annotations=None, mask=None)`. Without annotations the keys serve as
    annotations, f = x, and backward returns (d_query, d_key), the latter the sum of both uses; with
    them, (d_query, d_key, d_annotations). (Bahdanau's query is the decoder's state *before* the
    step, this component takes any query.)

    Raises InputError for queries, keys and annotations that do not belong together, or of other
    widths.

    Shapes: query (B, T, Q), key (B, S, X), annotations (B, S, A), mask broadcastable to (B, T, S),
    y (B, T, A); W_q (Q, M), W_x (X, M), v (M, 1). Source: Bahdanau et al. 2015, section 3.1 and
    appendix A.1.2.
    """

    def __init__(
        self, query_features: Annotated[Count, "Q"], key_features: Annotated[Count, "X"],
        hidden_features: Count, rng: Rng,
    ):
        self.query = Linear(query_features, hidden_features, rng)
        self.key = Linear(key_features, hidden_features, rng, bias=False)
        self.tanh = Tanh()
        self.score = Linear(hidden_features, 1, rng, bias=False)
        self.expectation = Expectation()

    def forward(
        self, query: Query, key: Key, annotations: Annotations | None = None,
        mask: MaskOfPairs | None = None,
    ) -> Floats:
        self.save(annotations is None)
        annotations = key if annotations is None else annotations
        pairs = self.query(query)[:, :, None] + self.key(key)[:, None]   # (B, T, S, M)
        scores = self.score(self.tanh(pairs))[..., 0]                    # (B, T, S)
        return self.expectation(scores, annotations, mask)               # (B, T, A)

    def backward(self, d_y: Floats) -> tuple[Floats, ...]:
        d_scores, d_annotations = self.expectation.backward(d_y)
        d_pairs = self.tanh.backward(self.score.backward(d_scores[..., None]))  # (B, T, S, M)
        d_key = self.key.backward(d_pairs.sum(axis=1))                   # (B, S, X)
        d_query = self.query.backward(d_pairs.sum(axis=2))               # (B, T, Q)
        keys_are_annotations = self.saved()
        if keys_are_annotations:
            return (d_query, d_key + d_annotations)
        return (d_query, d_key, d_annotations)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(9, 11, 13, rng), *look_up_example(rng)


def look_up_example(rng):
    """(query (3, 5, 9), key (3, 7, 11), annotations (3, 7, 10), mask (3, 1, 7))."""
    _, _, mask = Masking.example(rng)
    return *(rng.standard_normal((3, *shape)) for shape in ((5, 9), (7, 11), (7, 10))), mask[:, 0]
