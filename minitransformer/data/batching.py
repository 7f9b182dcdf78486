"""From pairs of sequences to a model's input."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np

from ..boundary import Ids, Kind, checked, described, expect, kind_of
from ..errors import InputError, expect_as_many
from .vocabulary import BOS, EOS, PAD, padding_behind


class Batch(NamedTuple):
    """Token ids, padded with 0: source (B, S); target_in (B, T) begins with BOS; target_out (B, T)
    ends with EOS.

    The decoder reads target_in and predicts target_out, the same sequence one step ahead ("shifted
    right"): at every position it sees the tokens before the one that it has to predict.
    """

    source: np.ndarray | None
    target_in: np.ndarray
    target_out: np.ndarray


class BatchKind(Kind):
    """A `Batch` of arrays; a tuple of such three arrays becomes one."""

    words = "a Batch (source, target_in, target_out), as make_batch(source, target) makes it"
    parts = {
        "source": kind_of(Annotated[Ids, "B, S"] | None),  # None: the model reads no source
        "target_in": kind_of(Annotated[Ids, "B, T"]),
        "target_out": kind_of(Annotated[Ids, "B, T"]),
    }

    def passes(self, value, sizes):
        sizes = {}
        return isinstance(value, Batch) and all(
            kind.passes(part, sizes) for kind, part in zip(self.parts.values(), value)
        )

    def taken(self, value, name, sizes):
        if not isinstance(value, (tuple, list)):
            raise InputError(f"{name} must be {self.words}; got {described(value)}.")
        if len(value) != len(self.parts):
            raise InputError(f"{name} must be {self.words}; got {len(value)} things.")
        sizes = {}
        return Batch(
            *(
                ids if kind.passes(ids, sizes) else kind.taken(ids, f"{name}.{part}", sizes)
                for (part, kind), ids in zip(self.parts.items(), value)
            )
        )


ABatch = Annotated[Batch, BatchKind()]


def batch_from(next_batch: Callable[[], Any], loss: Any) -> Batch:
    """The `Batch` that the function returns. Raises InputError if it returns something else, or has
    padding among its targets that the loss would count."""
    batch = expect(next_batch(), ABatch, "next_batch()")
    if getattr(loss, "padding", PAD) is None:
        padding = (batch.target_in == PAD) & (batch.target_out == PAD)
        if padding.any():
            raise InputError(
                f"{int(padding.sum())} targets of this batch are padding (id {PAD}), and the loss "
                f"counts them like any others. Leave them out: CrossEntropy(padding={PAD})."
            )
    return batch


@checked
def make_batch(source: Annotated[Ids, "B, S"] | None, target: Annotated[Ids, "M, T"]) -> Batch:
    """The `Batch` of padded ids source (B, S) and target (B, T−1), which hold neither BOS nor EOS.
    For a language model, which reads no source, it may be None.

    Padding in front of tokens, or between them, is moved behind them. Raises InputError unless
    there are as many targets as sources, at least one.
    """
    if source is not None:
        expect_as_many("Sources and targets belong together", sources=source, targets=target)
    if not len(target):
        raise InputError("A batch of no sequences: pass at least one source and its target.")
    source = None if source is None else _trim(padding_behind(source))
    target = _trim(padding_behind(target))
    begin = np.full((len(target), 1), BOS)
    target_in = np.concatenate([begin, target], axis=1)
    target_out = np.concatenate([target, np.full_like(begin, PAD)], axis=1)
    target_out[np.arange(len(target)), (target != PAD).sum(axis=1)] = EOS
    return Batch(source, target_in, target_out)


def _trim(ids):
    """Without the columns that are padding in every row."""
    return ids[:, : max(1, int((ids != PAD).sum(axis=1).max()))]
