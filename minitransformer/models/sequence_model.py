"""What every sequence model can do."""

from typing import Any, Protocol

from ..core.boundary import Floats, Ids


class SequenceModel(Protocol):
    """The four words of every sequence model: training, decoding and evaluation use no others.

    `model(source, target_in)` is `model.forward(source, target_in)`. What a state holds is the
    model's own business. A class that has these methods need not be derived from this one.

    Shapes: source (B, S) ids, or None for a model without a source; target_in (B, T) ids; logits
    (B, T, V), of one step (B, V).
    """

    def forward(self, source: Ids, target_in: Ids, /) -> Floats:
        """The logits of the token after each target position."""

    def backward(self, d_logits: Floats, /) -> Any:
        """Add to the gradient of every parameter."""

    def start(self, source: Ids, /) -> Any:
        """The state before the first token."""

    def step(self, ids: Ids, state: Any, /) -> tuple[Floats, Any]:
        """Read ids (B,); the logits of what comes next, and the new state."""

    def __call__(self, source: Any, target_in: Any, /) -> Any: ...
