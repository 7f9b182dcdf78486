"""Forward, loss, backward: the gradients of a batch."""

from ..data.vocabulary import PAD
from ..layers.packing import Packing


def gradients(model, loss, batch, weight=1.0, skip_padding=True):
    """Forward, loss, backward: add ∂(weight · loss)/∂θ to the gradients of the model; return weight · loss.

    With `skip_padding`, a model that packs (see `Packing`) computes nothing at padding.
    """
    if skip_padding:
        batch = without_padding(model, *batch, padding_of(loss))
    value = forward_and_backward(model, loss, *batch, weight=weight)
    return weight * float(value)  # only now: a GPU would have to be waited for


def forward_and_backward(model, loss, source, target_in, target_out, *packing, weight=1.0):
    """The loss, not weighted, as the array that it is; the gradients of the weighted one are added."""
    logits = model(source, target_in, *packing)
    value = loss(logits, target_out)
    model.backward(loss.backward(weight))
    return value


def without_padding(model, source, target_in, target_out, padding=PAD):
    """The batch, and how a model that packs leaves out what is padding; the targets then are those of its logits, (N,)."""
    if not getattr(model, "packs", False):
        return source, target_in, target_out
    of_source, of_target = Packing.of(source != PAD), Packing.of((target_in != PAD) | (target_out != padding))
    return source, target_in, target_out if of_target is None else of_target.pack(target_out), (of_source, of_target)


def padding_of(loss):
    """The target id that a loss does not count."""
    return getattr(loss, "padding", PAD)
