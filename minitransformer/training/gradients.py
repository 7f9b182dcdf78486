"""Forward, loss, backward: the gradients of a batch."""

import contextlib
from typing import Annotated

from ..boundary import Having, Positive, checked
from ..core.module import Module
from ..data.batching import ABatch
from ..data.vocabulary import PAD
from ..layers import CrossEntropy
from .packing import is_exactly, without_padding

Loss = Annotated[
    Module,
    Having("a loss with a forward and a backward, such as CrossEntropy()", "__call__", "backward"),
]


@checked
def gradients(
    model: Module, loss: Loss, batch: ABatch, weight: Positive = 1.0, skip_padding: bool = True
) -> float:
    """Forward, loss, backward: add ∂(weight · loss)/∂θ to the gradients of the model; return weight
    · loss.

    With `skip_padding`, nothing is computed at padding where the model and the loss allow it: see
    `without_padding`. Of the losses, `CrossEntropy` does.
    """
    source, target_in, targets = batch
    if skip_padding and is_exactly(loss, (CrossEntropy,)):
        context = without_padding(model, *batch, padding_of(loss))
    else:
        context = contextlib.nullcontext(targets)
    with context as targets:
        value = forward_and_backward(model, loss, source, target_in, targets, weight)
    return weight * float(value)  # only now: a GPU would have to be waited for


def forward_and_backward(model, loss, source, target_in, targets, weight=1.0):
    """The loss, not weighted, as the array that it is; the gradients of the weighted one are
    added."""
    logits = model(source, target_in)
    value = loss(logits, targets)
    model.backward(loss.backward(weight))
    return value


def padding_of(loss):
    """The target id that a loss does not count; None if it counts all."""
    return getattr(loss, "padding", PAD)
