"""Count the matrix products that a component really computes: their sizes, and how many must follow
each other.

Nothing is taken from a formula. Inputs and parameters are wrapped in an array that records every
product of it, or of anything computed from it.
"""

import dataclasses
from typing import Any

import numpy as np

from ..boundary import ARRAYS
from ..core.module import Module
from ..core.observe import observe
from ..errors import InputError
from .gradient_check import as_tuple, expect_component, is_float

UNCOUNTED = {np.dot, np.vdot, np.inner, np.outer, np.einsum, np.tensordot}  # products without `@`


@dataclasses.dataclass(frozen=True)
class Product:
    """One matrix product: in which component it was computed, its multiply-adds, and how many had
    to come before it, plus 1."""

    path: str
    multiply_adds: int
    depth: int


@dataclasses.dataclass(frozen=True)
class Products:
    """All products of one pass."""

    all: list

    def multiply_adds(self, below: str = "") -> int:
        """The number of multiply-adds in the component at this path and below it."""
        return sum(
            p.multiply_adds
            for p in self.all
            if not below or p.path == below or p.path.startswith(below + ".")
        )

    @property
    def sequential_steps(self) -> int:
        """The longest chain of products of which each needs the result of the one before."""
        return max((p.depth for p in self.all), default=0)


class CountedArray(np.ndarray):
    """An array that reports the matrix products in its history: `count` is their list, `depth` the
    longest chain."""

    def __array_finalize__(self, source):
        self.count, self.depth = getattr(source, "count", None), getattr(source, "depth", 0)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        count, depth = _history((inputs, out))
        if out is not None:
            options["out"] = tuple(map(_plain, out))
        result = getattr(ufunc, method)(*map(_plain, inputs), **options)
        if ufunc is np.matmul:
            depth += 1
            count(int(result.size) * np.shape(inputs[0])[-1], depth)
        if out is None:
            return _counted(result, count, depth)
        for array in out:
            if isinstance(array, CountedArray):
                array.depth = depth
        return out[0]

    def __array_function__(self, function, types, inputs, options):
        if function in UNCOUNTED:
            raise InputError(
                f"numpy.{function.__name__} is a product that would not be counted. Write it with "
                "@."
            )
        count, depth = _history((inputs, options))
        return _counted(function(*_plain(inputs), **_plain(options)), count, depth)

    def __setitem__(self, place, value):
        self.depth = max(self.depth, getattr(value, "depth", 0))
        super().__setitem__(_plain(place), _plain(value))


ARRAYS.add(CountedArray)  # components accept it as it is


def _history(values):
    """(count, depth) of all counted arrays among the values, in tuples, lists and dicts at any
    depth."""
    found, stack = [], [values]
    while stack:
        value = stack.pop()
        if isinstance(value, CountedArray):
            found.append(value)
        elif isinstance(value, (tuple, list)):
            stack.extend(value)
        elif isinstance(value, dict):
            stack.extend(value.values())
    return found[0].count, max(array.depth for array in found)


def _plain(value):
    """The value with ordinary arrays in place of counted ones."""
    if isinstance(value, CountedArray):
        return value.view(np.ndarray)
    if isinstance(value, (tuple, list)):
        return type(value)(map(_plain, value))
    return {name: _plain(v) for name, v in value.items()} if isinstance(value, dict) else value


def _counted(result, count, depth):
    """The result, its arrays of floats counted from now on; masks and ids have no products."""
    if isinstance(result, (tuple, list)):
        return type(result)(_counted(r, count, depth) for r in result)
    if not is_float(result):
        return result
    array = np.asarray(result).view(CountedArray)
    array.count, array.depth = count, depth
    return array


def count_products(component: Module, *inputs: Any) -> tuple[Products, Products]:
    """(Products of forward, Products of backward) of one real pass through a component with these
    inputs.

    Every float input and every parameter is wrapped; ids, masks and None pass as they are. A sum
    that is written as a product with ones, as LayerNorm's means are, is a product too. Gradients of
    the parameters are left as they were. Raises InputError if there is no array of floats to
    follow.
    """
    expect_component("count_products", component)
    parameters = component.parameters()
    if not parameters and not any(map(is_float, inputs)):
        raise InputError(
            f"{type(component).__name__} got no array of floats to follow, and has none of its own."
        )
    where, found = [], []

    def note(multiply_adds, depth):
        found.append(Product(where[-1] if where else "", multiply_adds, depth))

    def enter(path, _):
        where.append(path)

    def leave(*_):
        where.pop()

    before = [(p, p.data, p.grad) for p in parameters]
    try:
        for p, data, grad in before:
            p.place(_counted(data, note, 0), grad.copy())
        with observe(component, leave, leave, enter):
            outputs = as_tuple(component.forward(*(_counted(x, note, 0) for x in inputs)))
            forward, found[:] = Products(list(found)), []
            component.backward(*(_counted(np.ones(y.shape, y.dtype), note, 0) for y in outputs))
    finally:
        for p, data, grad in before:
            p.place(data, grad)
    return forward, Products(found)
