"""What `backward` is given, checked against what `forward` returned."""

import numbers

from ..backend import on_host
from ..errors import InputError
from .arrays import plain_array


def form_of(y):
    """(shape, dtype) of an output; for a tuple of outputs, theirs in a list; None for what is no
    array."""
    if isinstance(y, tuple):
        return [form_of(part) for part in y]
    return (y.shape, y.dtype) if hasattr(y, "dtype") else None


def gradients_taken(who, signature, form, d_outputs, options):
    """(gradients by position, gradients by name), checked against the form of the outputs; form
    None: forward is not known."""
    d_outputs, options = signature.taken(f"{who}.backward", {}, d_outputs, options)
    forms = form if isinstance(form, list) else [form]
    d_outputs = [
        gradient_taken(f"{who}.backward: {name}", d_y, f)
        for (name, _), d_y, f in zip(signature.order, d_outputs, forms)
    ] + [*d_outputs[len(forms) :]]
    by_name = {name: f for (name, _), f in zip(signature.order, forms) if name in options}
    return d_outputs, options | {
        name: gradient_taken(f"{who}.backward: {name}", options[name], f)
        for name, f in by_name.items()
    }


def gradient_taken(name, d_y, form):
    """The gradient of an output of this form (shape, dtype). Raises InputError for another shape or
    dtype."""
    if form is None:
        return d_y
    shape, dtype = form
    if shape == () and (
        isinstance(d_y, numbers.Real) or on_host(d_y) and d_y.shape == () and d_y.dtype.kind == "f"
    ):
        return float(d_y)  # of a loss: a number, which changes no dtype
    short, d_y = name.split()[-1], plain_array(d_y, name)
    if d_y.shape != shape:
        raise InputError(
            f"{name} has the shape {d_y.shape}, but forward returned one of shape {shape}. A "
            "gradient has the same shape as the array that it belongs to."
        )
    if d_y.dtype != dtype and shape:  # that of a loss is a number, which may lie on a GPU
        raise InputError(
            f"{name} is {d_y.dtype}, but forward returned {dtype}. Use {short}.astype('{dtype}')."
        )
    return d_y
