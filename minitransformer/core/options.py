"""Options with their help texts, and the check of options that come from a file."""

import dataclasses
import os
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..errors import InputError, shortened, unknown

KINDS = {
    bool: "true or false", int: "a whole number", float: "a number", str: "a text",
    types.NoneType: "null",
}

# what a user may say about options: {name: value}, or pairs
Options = Mapping[str, Any] | Iterable[tuple[str, Any]]


def flag(name):
    """How a field is written on the command line: max_norm → --max-norm."""
    return "--" + name.replace("_", "-")


def option(default: Any, help: str) -> Any:
    """A dataclass field with a default, and the sentence that the command's `--help` shows for
    it."""
    return dataclasses.field(default=default, metadata={"help": help})


def expect_fields(cls, values, where, defaults=()):
    """Raise InputError unless `values` is {field: value} of exactly the fields of a dataclass, each
    of its type.

    `where` is the name of the values in the message. The fields in `defaults` may be missing.
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}
    expect_keys(values, where, [name for name in fields if name not in defaults], fields)
    for name, value in values.items():
        if value is not None or fields[name].default is not None:
            expect_type(value, fields[name].type, f"{where}.{name}")


def expect_own_fields(options):
    """Raise InputError unless each field of this (frozen) dataclass object is of its type; NumPy's
    numbers become Python's, and a path, or several where that is meant, a text."""
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if field.metadata.get("several") and isinstance(value, (list, tuple)):
            for number, one in enumerate(value, start=1):
                expect_type(as_text_or_number(one), str, f"{field.name}, number {number}")
            value = "\n".join(map(as_text_or_number, value))
        object.__setattr__(options, field.name, as_text_or_number(value))
        expect_type(getattr(options, field.name), field.type, field.name)


def as_text_or_number(value):
    """A number of NumPy as Python's, a path as a text, anything else as it is."""
    if isinstance(value, np.generic):
        return value.item()
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def expect_options(what, options, known):
    """Raise InputError for an option that is not among the known ones of `what`."""
    for name in options:
        if name not in known:
            raise InputError(f"{what} has no option {name!r}. It has: {', '.join(known)}.")


def expect_keys(values, where, needed, known=()):
    """Raise InputError unless `values` is a dict with all the needed keys, and no others except the
    known ones."""
    if type(values) is not dict:
        raise InputError(
            f"{where} must be a JSON object, written {{…}}; got {shortened(values)}."
        )
    for name in values:
        if name not in known and name not in needed:
            raise unknown(
                "field", f"{where}.{name}",
                [f"{where}.{other}" for other in {**dict.fromkeys(needed), **dict.fromkeys(known)}],
            )
    if missing := [name for name in needed if name not in values]:
        raise InputError(f"{where} lacks {', '.join(missing)}.")


def expect_type(value, annotation, name):
    """Raise InputError unless the value is of a field's type. A float may be written as a whole
    number."""
    allowed = types_of(annotation)
    if type(value) not in allowed and not (type(value) is int and float in allowed):
        raise InputError(
            f"{name} must be {' or '.join(KINDS[kind] for kind in allowed)}, got "
            f"{shortened(value)}."
        )


def types_of(annotation):
    """The plain types that an annotation names: (int, NoneType) for `Count | None`, whose check is
    left out here."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    parts = typing.get_args(annotation)
    return tuple(kind for part in parts for kind in types_of(part)) if parts else (annotation,)
