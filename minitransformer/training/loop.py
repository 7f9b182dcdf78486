"""The training loop: forward, loss, backward, clip, step. Everything else hangs on hooks."""

import math
from typing import NamedTuple

import numpy as np

from ..backend import array_module, keep_freed_memory
from ..core.observe import observe
from ..data.vocabulary import PAD
from ..errors import NonFiniteError
from .optimizers import clip_by_global_norm
from .shares import Shares


class Progress(NamedTuple):
    """What a hook is told after each step."""

    step: int
    loss: float
    gradient_norm: float
    learning_rate: float
    tokens: int


def train(model, loss, optimizer, next_batch, steps, max_norm=None, hooks=(), shares=1, skip_padding=False, replay=None):
    """Train until the optimizer has made `steps` steps; call every hook with the `Progress` after each.

    `next_batch()` returns a `Batch`; `max_norm` clips the gradients' joint norm. A loss or gradient that is NaN or
    infinite raises NonFiniteError before the parameters are touched.

    For speed, a batch can be computed in `shares` side by side (see `Shares`), and what stands at padding left out, with
    `skip_padding`: components then get the real positions in one row, (N, D) in place of (B, T, D). On a GPU,
    `replay=gpu.Replays` runs the components' Python only for the first batches of each shape.
    """
    keep_freed_memory()
    model.clear_saves()  # of a forward before, or of a step that was interrupted
    model.train()
    components = [component for _, component in model.named_modules()]
    with Shares(model, loss, optimizer, shares, skip_padding, replay) as shares:
        while optimizer.t < steps:
            batch = next_batch()
            value = shares.gradients(batch)                              # forward, loss, backward
            norm = clip_by_global_norm(model, max_norm)
            if not (math.isfinite(value) and math.isfinite(norm)):
                raise NonFiniteError(explain_non_finite(model, shares, optimizer.t + 1))
            shares.update()                                              # the optimizer's step
            if any(component.pending() for component in components):
                left = ", ".join([*model.leftover_saves()][:3])
                raise RuntimeError(f"Step {optimizer.t} left a forward that no backward undid, in {left}.")
            tokens = sum(int((ids != PAD).sum()) for ids in (batch.source, batch.target_out) if ids is not None)
            for hook in hooks:
                hook(Progress(optimizer.t, value, norm, optimizer.rate(), tokens))


def explain_non_finite(model, shares, step):
    """One sentence: the step, and the first component whose output or gradient was not finite.

    The step is run once more under observation, with the same dropout; the parameters have not moved since.
    """
    found = []

    def after_forward(path, component, inputs, output):
        if not _finite(output):
            found.append(f"the output of {_name(path, component)}")

    def after_backward(path, component, d_y, d_inputs):
        own = [value for value in vars(component).values() if hasattr(value, "grad")]
        if not _finite(d_inputs) or not all(_finite(p.grad) for p in own):
            found.append(f"the gradient from {_name(path, component)}")

    model.clear_saves()
    with np.errstate(all="ignore"), observe(model, after_forward, after_backward):
        value = shares.again()
    model.clear_saves()
    bad = [name for name, p in model.named_parameters().items() if not _finite(p.data)]
    first = f"the parameter {bad[0]}" if bad else found[0] if found else "the loss, or the gradients' joint norm"
    return (
        f"Step {step} stopped: the loss is {value}, and the first value that is not finite is {first}. "
        "Try a smaller learning rate, a longer warm-up, or clipping by a smaller norm."
    )


def _name(path, component):
    return f"{path or 'the model'} ({type(component).__name__})"


def _finite(values):
    """Whether all are finite; −∞ passes, because a mask puts it there on purpose."""
    if isinstance(values, (tuple, list)):
        return all(_finite(v) for v in values)
    if getattr(getattr(values, "dtype", None), "kind", "") != "f":
        return True
    xp = array_module(values)
    return bool((xp.isfinite(values) | (values == -np.inf)).all())
