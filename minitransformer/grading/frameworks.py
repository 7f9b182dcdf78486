"""Answers that other frameworks run: a PyTorch `autograd.Function`, a JAX `custom_vjp`, and
functions that want other arrays than NumPy's.

Neither framework is imported here: whoever hands in such an answer has imported it.
"""

import dataclasses
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .binding import bind


@dataclasses.dataclass(frozen=True)
class Converted:
    """A submission whose arrays go through `convert` first; `run(submission, exercise, inputs)` is
    how it is then called, None if as any other."""

    submission: Any
    convert: Callable
    run: Callable | None = None

    def inputs(self, everything):
        """All that it may ask for, its arrays converted."""
        return {
            name: self.convert(value) if isinstance(value, np.ndarray) else value
            for name, value in everything.items()
        }


def converted(submission, convert=None):
    """The submission as it is, or `Converted` if it belongs to a framework or asks for it."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if _attribute(submission, "__name__") == "apply":  # as PyTorch's own users hand it on
        submission = _attribute(submission, "__self__") or submission
    if torch and inspect.isclass(submission) and issubclass(submission, torch.autograd.Function):
        return Converted(submission, convert or torch.from_numpy, run_torch_function)
    inside = _attribute(submission, "__wrapped__")  # where jax.jit is around it
    if jax and (isinstance(submission, jax.custom_vjp) or isinstance(inside, jax.custom_vjp)):
        return Converted(submission, convert or jax.numpy.asarray, run_custom_vjp)
    return Converted(submission, convert) if convert else submission


def _attribute(submission, name):
    """An attribute; None if it has none, or does not say."""
    try:
        return getattr(submission, name, None)
    except Exception:
        return None


def run_torch_function(function, exercise, given):
    """What its `apply` returns; for a backward, the gradients that PyTorch asks it for, by name:

        y = function.apply(*inputs)        d_x, ... = torch.autograd.grad(y, inputs, d_y)
    """
    torch = sys.modules["torch"]
    takes_context = function.setup_context is torch.autograd.Function.setup_context
    slots = _slots(function.forward, exercise, given, int(takes_context))
    if exercise.forward is None:
        return function.apply(*_filled(slots, given))
    leaves = {name: given[name].detach().requires_grad_() for name in _differentiated(exercise)}
    with torch.enable_grad():
        # a copy, as in a network: what is a leaf may not be changed in place
        inputs = {name: leaf.clone() for name, leaf in leaves.items()}
        y = function.apply(*_filled(slots, {**given, **inputs}))
        outputs = y if isinstance(y, tuple) else (y,)
        d_outputs = [given[name] for name in exercise.upstream] or [torch.ones_like(outputs[0])]
        gradients = torch.autograd.grad(
            outputs[: len(d_outputs)], list(leaves.values()), d_outputs, allow_unused=True
        )
    return dict(zip(exercise.returns, gradients))


def run_custom_vjp(function, exercise, given):
    """What it returns; for a backward, its vector-Jacobian product, by name:

        y, vjp = jax.vjp(function, *inputs)        d_x, ... = vjp(d_y)
    """
    jax = sys.modules["jax"]
    slots = _slots(function, exercise, given)
    if exercise.forward is None:
        return function(*_filled(slots, given))
    names = _differentiated(exercise)

    def answer(*values):
        y = function(*_filled(slots, {**given, **dict(zip(names, values))}))
        return y[0] if isinstance(y, tuple) else y  # the others are its own affair

    y, vjp = jax.vjp(answer, *(given[name] for name in names))
    d_y = given[exercise.upstream[0]] if exercise.upstream else jax.numpy.ones_like(y)
    return dict(zip(exercise.returns, vjp(d_y.astype(y.dtype))))


def _differentiated(exercise):
    """The inputs whose gradients a backward returns, in that order."""
    return [name.removeprefix("d_") for name in exercise.returns]


def _slots(function, exercise, given, skipped=0):
    """[(name of the input, default)] for the parameters of a function in their order, without the
    first `skipped` of them, PyTorch's `ctx`. Raises Unfit."""
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())[skipped:]

    def asking():
        """With the parameters that remain."""

    asking.__signature__ = signature.replace(parameters=parameters)
    order = [name for name in (exercise.forward or exercise).inputs if name in given]
    listed, named = bind(asking, {name: name for name in given}, order, f"{function.__name__}()")
    rest = [(named.get(p.name), p.default) for p in parameters[len(listed) :]]
    return [(name, None) for name in listed] + rest


def _filled(slots, inputs):
    return [inputs.get(name, default) for name, default in slots]
