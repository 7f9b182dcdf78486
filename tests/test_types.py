"""Every public name has type hints, which the editors of users read, and `make types` checks."""

import importlib
import inspect
import typing

import pytest

PACKAGES = """core layers attention models older data decoding testing inspection training runs
plotting""".split()
FRONTS = ["minitransformer", *(f"minitransformer.{package}" for package in PACKAGES)]


def functions_of(thing):
    """[(name, function)] of a public function, or of a class: its `__init__`, `__call__` and public
    methods, also those of its parents in this package."""
    if inspect.isfunction(thing):
        return [(thing.__qualname__, thing)]
    if not inspect.isclass(thing):
        return []
    return [
        (f"{cls.__qualname__}.{name}", function)
        for cls in thing.__mro__
        if cls.__module__.startswith("minitransformer.")
        for name, member in vars(cls).items()
        if name in ("__init__", "__call__") or not name.startswith("_")
        if (function := function_of(member)) and function.__module__.startswith("minitransformer.")
    ]


def function_of(member):
    """The function behind a method, a class method, a static method or a property; else None."""
    member = getattr(member, "fget", None) or getattr(member, "__func__", member)
    return inspect.unwrap(member) if inspect.isfunction(member) else None


def without_hint(function):
    """The names of a function's arguments, and "return", that have no hint."""
    parameters = inspect.signature(function).parameters
    needed = [name for name in parameters if name not in ("self", "cls")]
    needed += ["return"] if function.__name__ != "__init__" else []
    return [name for name in needed if name not in typing.get_type_hints(function)]


@pytest.mark.parametrize("front", FRONTS)
def test_every_public_name_has_complete_hints(front):
    package = importlib.import_module(front)
    missing = {
        name: lacking
        for public in package.__all__
        for name, function in functions_of(getattr(package, public))
        if (lacking := without_hint(function))
    }
    assert not missing, "\n".join(f"{name}: {', '.join(what)}" for name, what in missing.items())
