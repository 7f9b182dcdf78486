"""Wrong and unusual arrays, gradients and options, for every component:
`python tests/boundary_table.py` counts how each ended.

The rule: an InputError in a sentence, or the right numbers, which are those of the plain input.
Never an error of Python's or NumPy's own, never another number without a word.
"""

import collections
import copy
import dataclasses
import inspect

import numpy as np

from minitransformer.core import Module
from minitransformer.core.module import Parameter
from minitransformer.errors import BackwardWithoutForward, InputError
from minitransformer.layers import Linear
from minitransformer.models import LanguageModel
from minitransformer.runs import MODELS
from minitransformer.testing import all_components, gradient_check
from minitransformer.testing.gradient_check import as_tuple, is_float
from minitransformer.training import SGD, Adam, AdamW, Constant, Cosine, Noam

REFUSED, RIGHT = "refused", "right"
FEW = 8  # parameters, beyond which finite differences of every case would take too long


# -- arrays ----------------------------------------------------------------------------------------


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def strided(x):
    wide = np.repeat(x, 2, axis=-1) if x.ndim else x
    return wide[..., ::2] if x.ndim else x


class Tagged(np.ndarray):
    """A subclass that means nothing."""


SAME = {  # what means the same as the plain array
    "read-only": read_only,
    "not contiguous": strided,
    "transposed in memory": lambda x: np.asarray(x, order="C").T.copy().T,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "a list": lambda x: x.tolist(),
    "np.matrix": lambda x: np.matrix(x) if x.ndim == 2 else x.view(Tagged),
    "a subclass": lambda x: x.view(Tagged),
    "a masked array": np.ma.array,
    "objects": lambda x: x.astype(object),
}
OTHER = {  # what cannot mean the same
    "masked values": lambda x: np.ma.array(x, mask=np.arange(x.size).reshape(x.shape) % 3 == 0),
    "None": lambda x: None,
    "a string": lambda x: "abc",
    "strings": lambda x: x.astype(str),
    "complex": lambda x: x + 1j,
    "dates": lambda x: x.astype("int64").astype("datetime64[s]"),
    "a number": lambda x: 3,
    "a dictionary": lambda x: {"x": x},
    "float16": lambda x: x.astype(np.float16),
    "longdouble": lambda x: x.astype(np.longdouble),
    "integers": lambda x: (10 * x).astype(np.int64) if is_float(x) else x.astype(np.float64),
    "booleans": lambda x: x > 0 if x.dtype != bool else x.astype(np.int64),
    "structured": lambda x: np.zeros(x.shape, dtype=[("a", "f4")]),
    "a class": lambda x: np.ndarray,
}
SHAPES = {
    "no first axis": lambda x: x[0],
    "a new first axis": lambda x: x[None],
    "a new last axis": lambda x: x[..., None],
    "one axis": lambda x: x.reshape(-1),
    "no axes": lambda x: x.reshape(-1)[0],
    "0-d": lambda x: np.asarray(x.reshape(-1)[0]),
    "axes reversed": lambda x: x.T.copy(),
    "last axes swapped": lambda x: np.swapaxes(x, -1, -2).copy() if x.ndim > 1 else x[None],
    "first axes swapped": lambda x: np.swapaxes(x, 0, 1).copy() if x.ndim > 1 else x[None],
    "first axis 1": lambda x: x[:1],
    "second axis 1": lambda x: x[:, :1] if x.ndim > 1 else x[:1],
    "last axis 1": lambda x: x[..., :1],
    "first axis shorter": lambda x: x[:-1],
    "second axis shorter": lambda x: x[:, :-1] if x.ndim > 1 else x[:-1],
    "last axis shorter": lambda x: x[..., :-1],
    "last axis longer": lambda x: np.concatenate([x, x[..., :1]], axis=-1),
    "first axis empty": lambda x: x[:0],
    "second axis empty": lambda x: x[:, :0] if x.ndim > 1 else x[:0],
    "last axis empty": lambda x: x[..., :0],
}


def examples(cls):
    """(component, inputs) as its example makes them, in eval mode: dropout draws would make answers
    differ."""
    component, *inputs = cls.example(np.random.default_rng(5))
    return component.to("float64").eval(), inputs


def passed(component, inputs, d_outputs=None):
    """Everything that comes out of a forward and a backward: outputs, gradients of inputs and of
    parameters."""
    component = copy.deepcopy(component)
    outputs = as_tuple(component.forward(*inputs))
    if d_outputs is None:
        d_outputs = [
            np.random.default_rng(7).standard_normal(np.shape(y)).astype(y.dtype) for y in outputs
        ]
    d_inputs = as_tuple(component.backward(*d_outputs))
    return [*outputs, *d_inputs, *(p.grad for p in component.parameters())]


def ended(function, expected):
    """How it ended: refused, right, or what is wrong with it."""
    try:
        found = function()
    except (InputError, BackwardWithoutForward) as problem:
        if len(str(problem)) > 20 and "\n" not in str(problem):
            return REFUSED
        return f"no sentence: {problem}"
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"
    return RIGHT if expected(found) else "another number, without a word"


def equal(found, expected):
    return len(found) == len(expected) and all(
        np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-9, atol=1e-12)
        for a, b in zip(found, expected)
    )


def sensible(component, inputs):
    """Another shape is another question: its gradients are held to finite differences, or, of
    nothing, to their shapes."""

    def expected(found):
        floats = [x for x in inputs if is_float(x)]
        if all(np.size(x) for x in inputs) and len(component.parameters()) <= FEW:
            return gradient_check(copy.deepcopy(component), *inputs, max_entries=1).passed
        count = len(found) - len(floats) - len(component.parameters())
        return all(
            d is not None and np.shape(d) == np.shape(x) for x, d in zip(floats, found[count:])
        )

    return expected


def array_cases(cls):
    """(what was tried, how it ended) for each unusual array in the place of each array input."""
    component, inputs = examples(cls)
    plain = passed(component, inputs)
    for place, x in enumerate(inputs):
        if not isinstance(x, np.ndarray):
            continue
        for name, change in {**SAME, **OTHER, **SHAPES}.items():
            try:
                changed = [*inputs[:place], change(x), *inputs[place + 1 :]]
            except (TypeError, ValueError, IndexError):
                continue
            right = (
                sensible(component, changed)
                if name in SHAPES
                else lambda found: equal(found, plain)
            )
            if name in OTHER:
                right = (
                    (lambda found: equal(found, plain))
                    if name == "longdouble"
                    else lambda found: False
                )
            if name == "None" and (
                place and cls.forward.__wrapped__.__defaults__ or issubclass(cls, LanguageModel)
            ):
                continue  # what the input is without a value
            if name in ("integers", "booleans") and x.dtype == bool:
                right = lambda found: False  # noqa: E731
            yield (
                f"{cls.__name__} input {place} {name}",
                ended(lambda c=changed: passed(component, c), right),
            )


def empty_cases(cls):
    """(what was tried, how it ended) for each size of an axis, which an example has for one letter
    only, made empty everywhere."""
    component, inputs = examples(cls)
    sizes = sorted(
        {size for x in inputs if isinstance(x, np.ndarray) for size in x.shape if size > 1}
    )
    for size in sizes:
        changed = [emptied(x, size) for x in inputs]
        yield (
            f"{cls.__name__} without the axes of size {size}",
            ended(lambda c=changed: passed(component, c), sensible(component, changed)),
        )


def emptied(x, size):
    places = [place for place, n in enumerate(getattr(x, "shape", ())) if n == size]
    if places:
        return x[tuple(slice(0) if place in places else slice(None) for place in range(x.ndim))]
    return x


def gradient_cases(cls):
    """(what was tried, how it ended) for each unusual array in the place of each d_y."""
    component, inputs = examples(cls)
    plain = passed(component, inputs)
    outputs = as_tuple(copy.deepcopy(component).forward(*inputs))
    d_outputs = [
        np.random.default_rng(7).standard_normal(np.shape(y)).astype(y.dtype) for y in outputs
    ]
    for place, d_y in enumerate(d_outputs):
        if not np.ndim(d_y):
            continue
        for name, change in {**SAME, **OTHER, **SHAPES}.items():
            try:
                changed = [*d_outputs[:place], change(d_y), *d_outputs[place + 1 :]]
            except (TypeError, ValueError, IndexError):
                continue
            right = (lambda found: equal(found, plain)) if name in SAME else lambda found: False
            yield (
                f"{cls.__name__} d_y {place} {name}",
                ended(lambda c=changed: passed(component, inputs, c), right),
            )


# -- options ---------------------------------------------------------------------------------------

WRONG = {
    "None": None, "text": "abc", "a list": [3], "a dictionary": {}, "NaN": float("nan"),
    "infinity": float("inf"), "minus one": -1, "zero": 0, "a half": 0.5, "minus a half": -0.5,
    "True": True, "complex": 1j, "an array": np.ones(3), "an object": object(), "a class": int,
    "a huge number": 1e400, "a whole float": 2.0, "NumPy's float": np.float64(0.1),
    "NumPy's integer": np.int64(2), "0-d": np.array(2), "two": 2,
}  # fmt: skip


def constructors():
    """(class, {argument: value that it takes}) of every component, and of what else is made with
    options."""
    for cls in all_components():
        if arguments := arguments_of(cls):
            yield cls, arguments
    model = Linear(2, 3, 0)
    yield SGD, {"model": model, "learning_rate": 0.1, "momentum": 0.9}
    yield Adam, {"model": model, "learning_rate": 0.1, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-9}
    yield (
        AdamW,
        {
            "model": model, "learning_rate": 0.1, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-9,
            "weight_decay": 0.1,
        },
    )
    yield Constant, {"peak": 0.1, "warmup": 3}
    yield Noam, {"features": 8, "warmup": 3, "factor": 1.0}
    yield Cosine, {"peak": 0.1, "total": 30, "warmup": 3, "floor": 0.0}
    yield Parameter, {"data": np.ones((2, 3))}
    for kind in MODELS.values():
        config = kind.config()
        yield (
            kind.config,
            {field.name: getattr(config, field.name) for field in dataclasses.fields(config)},
        )


def arguments_of(cls):
    """{argument: value} with which a component makes its example; None for one without
    arguments."""
    if cls.__init__ is object.__init__:
        return None
    made, original = [], cls.__init__

    def spy(self, *inputs, **options):
        made.append((inputs, options)) if type(self) is cls else None
        return original(self, *inputs, **options)

    cls.__init__ = spy
    try:
        cls.example(np.random.default_rng(5))
    finally:
        cls.__init__ = original
    bound = inspect.signature(cls).bind(*made[0][0], **made[0][1])
    bound.apply_defaults()
    return bound.arguments


def option_cases(cls, arguments):
    """(what was tried, how it ended) for each wrong value in the place of each argument."""
    name = cls.__name__
    if any(p.default is p.empty for p in inspect.signature(cls).parameters.values()) and issubclass(
        cls, Module
    ):
        yield f"{name}()", ended(lambda: cls(), lambda made: False)
        yield f"{name}(unknown=1)", ended(lambda: cls(**arguments, unknown=1), lambda made: False)
    for argument in arguments:
        for what, wrong in WRONG.items():
            changed = {**arguments, argument: copy.copy(wrong)}
            yield f"{name} {argument}: {what}", ended(lambda c=changed: cls(**c), is_usable)


def is_usable(made):
    """What was accepted can be used: numbers are Python's own and finite, parameters are finite
    floats."""
    numbers = [v for v in vars(made).values() if isinstance(v, (float, np.generic))]
    parameters = made.parameters() if isinstance(made, Module) else []
    return all(type(v) is float and np.isfinite(v) for v in numbers) and all(
        np.isfinite(p.data).all() for p in parameters
    )


def all_cases():
    """(kind, what was tried, how it ended) of everything."""
    for kind, cases in {
        "arrays": array_cases, "empty axes": empty_cases, "gradients": gradient_cases,
    }.items():
        for cls in all_components():
            yield from ((kind, *case) for case in cases(cls))
    for cls, arguments in constructors():
        yield from (("options", *case) for case in option_cases(cls, arguments))


def table():
    """The counts as text, and a line for each case that ended as none should."""
    found, wrong = collections.defaultdict(collections.Counter), []
    for kind, what, how in all_cases():
        found[kind][how if how in (REFUSED, RIGHT) else how.split(":")[0]] += 1
        if how not in (REFUSED, RIGHT):
            wrong.append(f"  {kind}: {what}: {how}")
    lines = [
        [
            f"{kind:12} {sum(counts.values()):6,}",
            *(f"{how} {n:,}" for how, n in sorted(counts.items())),
        ]
        for kind, counts in found.items()
    ]
    return "\n".join("   ".join(line) for line in lines), wrong


if __name__ == "__main__":
    print(*table(), sep="\n")
