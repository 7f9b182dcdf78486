"""Which input goes to which parameter of a submission: by name where it is known, else in the
exercise's order."""

import functools
import inspect

import numpy as np

SHORT = {"q": "query", "k": "key", "v": "value", "w": "weight", "b": "bias", "eps": "epsilon",
         "lr": "learningrate", "b1": "beta1", "b2": "beta2", "t": "step", "param": "parameter",
         "grad": "gradient"}  # fmt: skip


class Unfit(Exception):
    """A submission that cannot be called with what its exercise gives. The message says why."""


def bind(function, given, order, what, first=0):
    """The positional and named arguments for `function`: ((...), {...}).

    A parameter whose name is known (case and underscores aside) gets the array of that name, from
    all that is given. The rest get the inputs in `order` that no name has taken, if there are
    enough of them; if not, and it is one for each of the `first`, these.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a NumPy ufunc, say
        return tuple(given[name] for name in order), {}
    asked = [
        p
        for p in parameters
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    chosen = {p.name: name for p in asked if (name := find_name(p.name, given))}
    strangers = [p for p in asked if p.name not in chosen]
    needed = [p for p in strangers if p.default is p.empty]
    left = [name for name in order if name not in chosen.values()]
    if any(p.kind == p.VAR_POSITIONAL for p in parameters):
        names = [chosen.get(p.name, name) for p, name in zip(asked, order)] + list(
            order[len(asked) :]
        )
        return tuple(given[name] for name in names), {}
    if any(p.kind == p.VAR_KEYWORD for p in parameters) and not asked:
        return (), {name: given[name] for name in order}
    starts = order[:first] if left[:first] == order[:first] else []
    takers = _takers(strangers, needed, {name: given[name] for name in left}, starts)
    if takers is None:
        text = f"{what} asks for {', '.join(p.name for p in asked)}"
        if not order:
            raise Unfit(f"{text}; it may ask for any of these, by name: {', '.join(given)}.")
        raise Unfit(
            f"{text}; it is given {', '.join(order)}. Use these names, or as many parameters in "
            "this order."
        )
    chosen.update({p.name: name for p, name in zip(takers, left)})
    positional = tuple(
        given[chosen[p.name]] for p in asked if p.kind == p.POSITIONAL_ONLY and p.name in chosen
    )
    return positional, {
        p.name: given[chosen[p.name]]
        for p in asked
        if p.kind != p.POSITIONAL_ONLY and p.name in chosen
    }


def _fits(parameter, value):
    """Whether a value may stand in place of a parameter's default."""
    default = parameter.default
    return default is None or isinstance(default, np.ndarray) == isinstance(value, np.ndarray)


def _takers(strangers, needed, left, starts):
    """The parameters of unknown name that get the inputs left, in order; None if it cannot be told
    which do."""
    if len(needed) == len(left):
        return needed
    if not needed:  # an option keeps its default: a number where an array is left, say
        return strangers if all(map(_fits, strangers, left.values())) else []
    if len(needed) < len(left) <= len(strangers):
        return strangers
    # a backward that has a name of its own for the gradient it starts from
    if len(needed) == len(starts):
        return needed
    return None


def find_name(name, names):
    """That one of the names which is meant by `name`, whatever its case and underscores, written
    out or short; or None."""
    known = {plain(n): n for n in names}
    short = plain(name)
    gradient, rest = short[:1] == "d", short[1:]
    long = "d" + SHORT[rest] if gradient and rest in SHORT else SHORT.get(short, short)
    return known.get(short, known.get(long))


@functools.lru_cache(4096)
def plain(name):
    """A name without case and underscores: d_x, dX and dx are the same."""
    return str(name).replace("_", "").lower()
