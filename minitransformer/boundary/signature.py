"""The arguments of a function, checked together."""

import functools
import inspect
import itertools
from collections.abc import Callable
from typing import TypeVar

from ..errors import InputError, did_you_mean
from .arrays import Array
from .kinds import ANYTHING
from .objects import kind_of

Decorated = TypeVar("Decorated", bound=Callable)  # a decorator returns what it was given


class Signature:
    """The kinds of a function's arguments. They are checked together, because their sizes share
    letters."""

    def __init__(self, function, hints=None, skip=0, unhinted=ANYTHING):
        """`hints`: {name: hint}, else the function's own; `skip`: so many first parameters are left
        out (self)."""
        hints = function.__annotations__ if hints is None else hints
        self.signature = inspect.signature(function)
        parameters = list(self.signature.parameters.values())[skip:]
        self.signature = self.signature.replace(parameters=parameters)
        self.unhinted = unhinted
        kinds = {
            p.name: kind_of(hints[p.name]) if p.name in hints else unhinted for p in parameters
        }
        by_place = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.order = [(p.name, kinds[p.name]) for p in by_place]
        self.most = len(by_place)
        more = [p for p in parameters if p.kind is p.VAR_POSITIONAL]
        self.takes_more = bool(more)
        if more:
            self.most = 1 << 30
            self.order += 16 * [(more[0].name, kinds[more[0].name])]
        self.named = {
            p.name: kinds[p.name]
            for p in parameters
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        }
        self.takes_any_name = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.needed = sum(
            p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
            for p in parameters
        )

    def taken(self, who, sizes, inputs, options):
        """(inputs, options), converted if necessary. Raises InputError for the first that cannot be
        used, or two that are swapped."""
        letters = sizes.copy()
        try:
            return self.converted(who, sizes, inputs, options)
        except InputError:
            if names := self.swapped(letters, inputs, options):
                raise InputError(f"{who}: {names}") from None
            raise

    def converted(self, who, sizes, inputs, options):
        if not self.needed <= len(inputs) + len(options) or len(inputs) > self.most:
            raise self.no_such_call(who, inputs, options)
        for place, (value, (name, kind)) in enumerate(zip(inputs, self.order)):
            if not kind.passes(value, sizes):
                inputs = (
                    *inputs[:place], kind.taken(value, f"{who}: {name}", sizes),
                    *inputs[place + 1 :],
                )
        for name, value in options.items():
            kind = self.named.get(name, self.unhinted)
            if not kind.passes(value, sizes):
                options = {**options, name: kind.taken(value, f"{who}: {name}", sizes)}
            if name not in self.named and not self.takes_any_name:
                raise self.no_such_call(who, inputs, options)
        return inputs, options

    def swapped(self, sizes, inputs, options):
        """A sentence about two arguments that were passed in each other's place; "" if there are
        none."""
        kinds = [
            *self.order[: len(inputs)],
            *((name, self.named.get(name, self.unhinted)) for name in options),
        ]
        values = [*inputs, *options.values()]

        def pass_as(values):
            letters = sizes.copy()
            return all(kind.passes(value, letters) for (_, kind), value in zip(kinds, values))

        for (i, (a, is_a)), (j, (b, is_b)) in itertools.combinations(enumerate(kinds), 2):
            exchanged = values.copy()
            exchanged[i], exchanged[j] = values[j], values[i]
            are_given = values[i] is not None and values[j] is not None
            are_told_apart = is_a.words and is_b.words and is_a.words != is_b.words
            if are_given and are_told_apart and pass_as(exchanged) and not pass_as(values):
                names = ", ".join(name for name, _ in self.order[: len(inputs)])
                return (
                    f"{a} and {b} are swapped: {a} must be {is_a.words}, and {b} {is_b.words}."
                    + f" Pass ({names})." * bool(names)
                )
        return ""

    def place_of_mask(self):
        """The position of the argument that is a mask, or None."""
        return next(
            (
                n
                for n, (_, kind) in enumerate(self.order)
                if isinstance(kind, Array) and kind.kinds == "b"
            ),
            None,
        )

    def facts(self, inputs, options):
        """{name: value} of all numbers and texts in a call, defaults included: what an object's
        repr shows."""
        bound = self.signature.bind(*inputs, **options)
        bound.apply_defaults()
        return {
            name: value
            for name, value in bound.arguments.items()
            if isinstance(value, (int, float, str))
        }

    def no_such_call(self, who, inputs, options):
        try:
            self.signature.bind(*inputs, **options)
        except TypeError as problem:
            parameters = [p for p in self.signature.parameters.values() if p.name != "self"]
            names = ", ".join(str(p.replace(annotation=p.empty)) for p in parameters)
            misspelt = next((name for name in options if name not in self.named), "")
            hint = did_you_mean(misspelt, [p.name for p in parameters])
            return InputError(f"{who} is called as {who}({names}): {problem}.{hint}")
        return InputError(f"{who} cannot be called with these arguments.")


def checked(function: Decorated) -> Decorated:
    """The function, with its arguments checked and converted as its hints say."""
    signature, who = Signature(function), function.__qualname__.removesuffix(".__init__")

    @functools.wraps(function)
    def checking(*inputs, **options):
        sizes = dict(getattr(inputs[0], "_sizes", ())) if inputs else {}
        inputs, options = signature.taken(who, sizes, inputs, options)
        return function(*inputs, **options)

    return checking  # type: ignore[return-value]  # called as the function is
