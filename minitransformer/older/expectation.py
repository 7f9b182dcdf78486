"""The context: the mean of the annotations under the attention weights."""

from typing import Annotated

from ..attention.kept_weights import KeepsWeights
from ..attention.masking import Masking
from ..boundary import Floats, Generator, MayAttend
from ..core.module import Module
from ..layers.softmax import Softmax


class Expectation(KeepsWeights, Module):
    """Turn scores into a distribution over the source, and take the mean of the annotations under
    it.

        p(z = s | x, q_t) = P_ts = softmax(E_t)_s      y_t = Σ_s P_ts f_s = 𝔼[f_z]

    Backward:

        d_f = Pᵀ d_y      d_P = d_y fᵀ      d_E = P ∘ (d_P − Σ_s d_P_s P_s)

    Additive and multiplicative attention end with this, after their scores E. The mask (boolean,
    True = may attend, broadcastable to E) acts before softmax; a query that may attend to nothing
    gets y = 0 and gradients 0. Inside `keep_weights`, P stays readable as `weights` (one head: (B,
    1, T, S)), and after backward d_P as `d_weights`.

    Shapes: scores E (B, T, S), annotations f (B, S, A), y (B, T, A). Source: Bahdanau et al. 2015,
    section 3.1, eqs. 5 and 6.
    """

    def __init__(self):
        self.masking = Masking()
        self.softmax = Softmax()

    def forward(
        self, scores: Annotated[Floats, "B, T, S"], annotations: Annotated[Floats, "B, S, A"],
        mask: Annotated[MayAttend, "B, T, S"] | None = None,
    ) -> Floats:
        weights = self.softmax(self.masking(scores, mask))               # (B, T, S)
        if self.keep:
            self.weights = weights[:, None]
        self.save(weights, annotations)
        return weights @ annotations                                     # (B, T, A)

    def backward(self, d_y: Floats) -> tuple[Floats, Floats]:
        weights, annotations = self.saved()
        d_annotations = weights.swapaxes(-1, -2) @ d_y                   # (B, S, A)
        d_weights = d_y @ annotations.swapaxes(-1, -2)                   # (B, T, S)
        if self.keep:
            self.d_weights = d_weights[:, None]
        return self.masking.backward(self.softmax.backward(d_weights)), d_annotations

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        _, scores, keys = Masking.example(rng)
        return cls(), scores[:, 0], rng.standard_normal((3, 7, 10)), keys[:, 0]
