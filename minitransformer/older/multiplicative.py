"""Multiplicative attention: the score is a product of query and key through a matrix."""

from typing import Annotated

from ..boundary import Count, Floats, Generator, Rng
from ..core.module import Module
from ..layers.linear import Linear
from .additive import Annotations, Key, MaskOfPairs, Query, look_up_example
from .expectation import Expectation


class MultiplicativeAttention(Module):
    """Attend to the source with a bilinear score, the "general" one of Luong et al.

        E_ts = q_t W x_sᵀ      P = softmax(E)      y_t = Σ_s P_ts f_s

    Backward, with p = q W the projected query:

        d_p = d_E x      d_x = d_Eᵀ p      and from d_p on to q and W

    It is a step from the MLP towards Q Kᵀ: write W = W_Q W_Kᵀ, and the score is (q W_Q)·(x W_K), to
    which the Transformer adds 1/√d_k, values of their own and many heads.

    `forward(query, key, annotations=None, mask=None)`. Without annotations the keys serve as
    annotations, f = x, and backward returns (d_query, d_key), the latter the sum of both uses; with
    them, (d_query, d_key, d_annotations).

    Raises InputError for queries, keys and annotations that do not belong together, or of other
    widths.

    Shapes: query (B, T, Q), key (B, S, X), annotations (B, S, A), mask broadcastable to (B, T, S),
    y (B, T, A); W (Q, X). Source: Luong et al. 2015, section 3.1, eq. 8.
    """

    def __init__(
        self, query_features: Annotated[Count, "Q"], key_features: Annotated[Count, "X"], rng: Rng
    ):
        self.query = Linear(query_features, key_features, rng, bias=False)
        self.expectation = Expectation()

    def forward(
        self, query: Query, key: Key, annotations: Annotations | None = None,
        mask: MaskOfPairs | None = None,
    ) -> Floats:
        projected = self.query(query)                                    # (B, T, X)
        self.save(projected, key, annotations is None)
        annotations = key if annotations is None else annotations
        scores = projected @ key.swapaxes(-1, -2)                        # (B, T, S)
        return self.expectation(scores, annotations, mask)               # (B, T, A)

    def backward(self, d_y: Floats) -> tuple[Floats, ...]:
        projected, key, keys_are_annotations = self.saved()
        d_scores, d_annotations = self.expectation.backward(d_y)
        d_key = d_scores.swapaxes(-1, -2) @ projected                    # (B, S, X)
        d_query = self.query.backward(d_scores @ key)                    # (B, T, Q)
        if keys_are_annotations:
            return (d_query, d_key + d_annotations)
        return (d_query, d_key, d_annotations)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(9, 11, rng), *look_up_example(rng)
