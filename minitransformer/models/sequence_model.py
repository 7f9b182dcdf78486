"""What decoding asks of a model, as a type."""

from typing import Any, Protocol

from ..boundary import Floats, Ids


class SequenceModel(Protocol):
    """A model of sequences, as decoding and evaluation use it: any class with these methods is one.

    Only the model knows what its state holds. Shapes: source (B, S) ids, or None where the model
    allows it; target_in (B, T) ids; the logits of a call (B, T, V), of a step (B, V).
    """

    def __call__(self, source: Any, target_in: Any, /) -> Any:
        """The logits of the token after each target position."""

    def start(self, source: Any, /) -> Any:
        """The state before the first token."""

    def step(self, ids: Ids, state: Any, /) -> tuple[Floats, Any]:
        """Read ids (B,); the logits of what comes next, and the new state."""
