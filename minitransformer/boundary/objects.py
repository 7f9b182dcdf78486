"""Objects of a class or with certain methods, lists, and the kind that a hint stands for."""

import copy
import types
import typing
from typing import Annotated, Any

from ..errors import InputError, shortened
from .arrays import Axes, is_known
from .kinds import ANYTHING, PACKAGE, Flag, Kind, described


class Instance(Kind):
    """An object of a class of this package. It may fix sizes of letters: a configuration by its
    `letters`, a parameter by its shape."""

    def __init__(self, kind, text=None, words=""):
        self.kind, self.axes = kind, text and Axes(text)
        self.words = words or f"an object of the class {kind.__name__}"

    def of(self, text):
        return type(self)(self.kind, text, self.words)

    def passes(self, value, sizes):
        if value is None:
            return self.optional
        if not isinstance(value, self.kind):
            return False
        sizes.update(getattr(value, "letters", ()))
        return (
            self.axes is None
            or self.axes.has_as_many(value.shape)
            and self.axes.fits(value.shape, sizes, False)
        )

    def taken(self, value, name, sizes):
        if isinstance(value, self.kind):
            raise InputError(
                f"{name} must have the shape ({', '.join(self.axes.letters)}), got {value.shape}."
            )
        remedy = (
            " Pass the object itself, not a list of its parts."
            if isinstance(value, (list, tuple)) and "object" in self.words
            else ""
        )
        raise InputError(f"{name} must be {self.words}, got {described(value)}.{remedy}")


class Having(Kind):
    """Any object that has these methods and attributes, of whatever class; "__call__" stands for a
    function."""

    def __init__(self, words, *names, or_class=False):
        self.words, self.names, self.or_class = words, names, or_class

    def passes(self, value, sizes):
        if value is None:
            return self.optional
        is_object = self.or_class or not isinstance(value, type)  # a class has the methods, too
        return is_object and all(hasattr(value, name) for name in self.names)

    def taken(self, value, name, sizes):
        raise InputError(f"{name} must be {self.words}; got {described(value)}.")


class ListOf(Kind):
    """A list of things of one kind; what else can be gone through, such as a generator, becomes
    one."""

    streams = False

    def __init__(self, hint, words=""):
        self.kind = kind_of(hint)
        self.words = words or f"a list, each item {self.kind.words}"

    def passes(self, value, sizes):
        if value is None:
            return self.optional
        return isinstance(value, (list, tuple)) and all(self.kind.passes(x, {}) for x in value)

    def taken(self, value, name, sizes):
        if self.kind.passes(value, {}):
            alone = shortened(value) if isinstance(value, str) else name.split()[-1]
            raise InputError(
                f"{name} must be {self.words}; got {described(value)} alone. Put it into a list: "
                f"[{alone}]."
            )
        can_be_listed = hasattr(value, "__iter__") and not isinstance(
            value, (str, bytes, dict, set, frozenset, type)
        )
        if not can_be_listed or getattr(value, "shape", None) == ():
            raise InputError(f"{name} must be {self.words}; got {described(value)}.")
        items = self.items(value, name)
        return items if self.streams and not isinstance(value, (list, tuple)) else [*items]

    def items(self, value, name):
        for place, item in enumerate(value):
            passes = self.kind.passes(item, {})
            yield item if passes else self.kind.taken(item, f"{name}[{place}]", {})


class StreamOf(ListOf):
    """Things of one kind, one after the other: a list, or what yields them, such as a generator,
    which is gone through once and not kept in memory."""

    streams = True


class StateOf(Kind):
    """What a model's `start` or `step` returned: a tuple of parts, each of the kind of its hint,
    with as many rows as there are ids."""

    def __init__(self, *hints):
        self.parts = [kind_of(hint) for hint in hints]

    def passes(self, value, sizes):
        return self.has_as_many(value) and all(
            kind.passes(part, sizes) for kind, part in zip(self.parts, value)
        )

    def has_as_many(self, value):
        return isinstance(value, tuple) and len(value) == len(self.parts)

    def taken(self, value, name, sizes):
        arrays = (
            [part for part in value if hasattr(part, "dtype") and is_known(part)]
            if self.has_as_many(value)
            else []
        )
        if self.passes(value, sizes):  # its arrays, the first from a GPU, are known only now
            return value
        rows, ids = {len(array) for array in arrays if array.ndim}, sizes.get("B")
        if len(rows) == 1 and ids not in (None, *rows):
            raise InputError(
                f"{name} has {rows.pop()} rows, and there are {ids} ids. Pass one id for each row; "
                "take_rows(state, [0, 2]) makes a state of the rows 0 and 2."
            )
        raise InputError(
            f"{name} must be the state that start() or the previous step() of this model returned. "
            f"Got a {type(value).__name__} of other contents."
        )


def kind_of(hint):
    """The `Kind` that a type hint stands for; `ANYTHING` for one that is not ours."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(hint) if part is not types.NoneType]
        kind = kind_of(parts[0]) if len(parts) == 1 else ANYTHING
        if kind is not ANYTHING:
            kind = copy.copy(kind)
            kind.optional = True
        return kind
    if typing.get_origin(hint) is Annotated:
        base, *notes = typing.get_args(hint)
        kind = next((note for note in notes if isinstance(note, Kind)), None) or kind_of(base)
        text = next((note for note in notes if isinstance(note, str)), None)
        return kind.of(text) if text else kind
    if typing.get_origin(hint) is list and kind_of(*typing.get_args(hint)) is not ANYTHING:
        return ListOf(*typing.get_args(hint))
    if hint is bool:
        return Flag()
    if isinstance(hint, type) and hint.__module__.split(".")[0] == PACKAGE:
        return Instance(hint)
    return ANYTHING


def expect(value: Any, hint: Any, name: str) -> Any:
    """The value, converted as this hint says. Raises InputError with this name if it cannot be
    used."""
    kind = kind_of(hint)
    return value if kind.passes(value, {}) else kind.taken(value, name, {})
