"""Where a number stopped being finite."""

import numpy as np

from ..backend import array_module
from ..core.observe import observe


def explain_non_finite(model, strategy, batch, step):
    """One sentence: the step, and the first component whose output or gradient was not finite.

    The strategy computes the batch once more, under observation; the parameters have not moved
    since.
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
        value = strategy.again(batch)
    model.clear_saves()
    bad = [name for name, p in model.named_parameters().items() if not _finite(p.data)]
    first = (
        f"the parameter {bad[0]}"
        if bad
        else found[0]
        if found
        else "the loss, or the gradients' joint norm"
    )
    return (
        f"Step {step} stopped: the loss is {value}, and the first value that is not finite is "
        f"{first}. Try a smaller learning rate, a longer warm-up, or clipping by a smaller norm."
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
