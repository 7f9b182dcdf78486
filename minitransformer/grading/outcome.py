"""What one call of a submission came to: named arrays, or what went wrong, in a sentence that
helps."""

import dataclasses

import numpy as np

from ..backend import as_numpy
from .binding import find_name

# What rounding may do, relative to the largest number of an output: by the least exact type that
# came back.
TOLERANCES = {4: 1e-5, 8: 1e-10}  # bytes of a number
WIDEST = 1e-3  # what float32 may lose where the inputs' own rounding is enlarged
LARGEST = 5_000_000  # numbers in an array that is worth comparing
SINGLE = 2e-6  # float64 that agrees no better than this was float32 on the way


@dataclasses.dataclass(frozen=True)
class Trouble:
    """Why there are no numbers to compare. `kind` is one of stub, raised, nothing, type, count,
    shape, arguments."""

    kind: str
    message: str


@dataclasses.dataclass
class Outcome:
    """The arrays of one call by name, in float64, and how exact they can be; `changed` are inputs
    that must not change."""

    outputs: dict = dataclasses.field(default_factory=dict)
    trouble: Trouble | None = None
    changed: tuple = ()
    tolerance: float = TOLERANCES[8]
    missing: tuple = ()  # outputs that are still `...`

    def stopped(self):
        return self.trouble is not None


def read(returned, exercise, given):
    """The `Outcome` of what a function returned: an array, a tuple or list of arrays, or a dict by
    name."""
    if returned is Ellipsis or returned is NotImplemented:
        return Outcome(trouble=Trouble("stub", "it returns `...`"))
    names = list(exercise.returns)
    if returned is None:
        return Outcome(
            trouble=Trouble("nothing", "It returned None. Is a `return` missing at the end?")
        )
    try:
        values = _by_name(returned, names, list(exercise.extra))
    except ValueError as problem:
        return Outcome(trouble=Trouble("count", str(problem)))
    values.update({name: given[name] for name in exercise.changes})
    missing = tuple(name for name, value in values.items() if value is Ellipsis or value is None)
    outcome = Outcome(missing=missing, tolerance=TOLERANCES[8] * exercise.tolerance)
    if missing == tuple(values):
        return Outcome(trouble=Trouble("stub", "it returns `...` or None"))
    for name in (name for name in values if name not in missing):
        try:
            array = _numbers(values[name])
        except TypeError as problem:
            return Outcome(
                trouble=Trouble("type", f"{name} should be an array of numbers, and is {problem}.")
            )
        if array.dtype.kind == "f":
            outcome.tolerance = max(
                outcome.tolerance, TOLERANCES.get(array.dtype.itemsize, TOLERANCES[8])
            )
        if exercise.returns.get(name) == "number" and array.size == 1:
            array = array.reshape(())
        if exercise.broadcast:
            full = exercise.broadcast(given)
            try:
                array = np.broadcast_to(array, full)
            except ValueError:
                text = f"{name} has shape {array.shape}, which does not broadcast to {full}."
                return Outcome(trouble=Trouble("shape", text))
        outcome.outputs[name] = array.astype(np.float64)
    return outcome


def _by_name(returned, names, extra):
    """{name: value} of the outputs asked for, whatever holds them. Raises ValueError if there are
    too few or too many."""
    if isinstance(returned, dict):
        found = {find_name(key, names): value for key, value in returned.items()}
        absent = [name for name in names if name not in found]
        if absent:
            lacking, there = (
                ", ".join(map(repr, keys)) or "nothing" for keys in (absent, returned)
            )
            raise ValueError(f"It returned a dict without {lacking}; it has {there}.")
        return {name: found[name] for name in names}
    if len(names) == 1:  # behind the one answer, a tuple may hold a cache of its own
        several = isinstance(returned, tuple) or (
            isinstance(returned, list) and len(returned) == 1 + len(extra) > 1
        )
        return {names[0]: returned[0] if several and returned else returned}
    asked = f"{len(names)} are asked for, in this order: {', '.join(names)}"
    if not isinstance(returned, (tuple, list)):
        raise ValueError(f"It returned one thing ({type(returned).__name__}); {asked}.")
    if not len(names) <= len(returned) <= len(names) + len(extra):
        raise ValueError(f"It returned {len(returned)} things; {asked}.")
    return dict(zip(names, returned))


def _numbers(value):
    """A NumPy array of booleans, integers or floats. Raises TypeError, saying what came instead."""
    if isinstance(value, (str, bytes, dict, set)) or callable(value):
        raise TypeError(f"a {type(value).__name__}")
    try:
        if hasattr(value, "detach"):  # a tensor of PyTorch, which may be on a card
            value = value.detach().cpu()
        # PyTorch's bfloat16 does not turn into a NumPy array
        is_bfloat16 = "bfloat16" in str(getattr(value, "dtype", ""))
        array = np.zeros(0) if is_bfloat16 else np.asarray(as_numpy(value))
    except ValueError:
        raise TypeError("a list whose rows are not equally long") from None
    except Exception as problem:  # whatever a foreign array does when it is asked for its numbers
        raise TypeError(
            f"a {type(value).__name__} that does not turn into a NumPy array ({problem})"
        ) from None
    if is_bfloat16 or array.dtype == np.float16:
        name = "bfloat16" if is_bfloat16 else "float16"
        raise TypeError(f"in {name}, which is too coarse to judge: use float32 or float64")
    if array.dtype.kind == "O" and array.size:  # Python's own numbers: fractions, decimals
        try:
            array = array.astype(float)
        except (TypeError, ValueError):
            raise TypeError(
                "a list of things that are no numbers"
                if array.ndim
                else f"of type {type(value).__name__}"
            ) from None
    if array.size > LARGEST:
        raise TypeError(f"of shape {array.shape}, far larger than asked for")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"of type {array.dtype}")
    return array
