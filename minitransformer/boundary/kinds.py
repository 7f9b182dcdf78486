"""What an argument may be: numbers, flags, words, and the base of all kinds."""

import copy
import inspect
import math
import numbers

import numpy as np
from numpy.random import Generator

from ..errors import InputError, shortened, unknown

PACKAGE = __name__.split(".")[0]


class Kind:
    """What an argument is. None is allowed where the hint says `| None`."""

    optional = False
    words = ""  # what it is, in a sentence

    def passes(self, value, sizes):
        """Whether the value can be used as it is: a quick test. Writes the sizes of its letters
        into `sizes`."""
        raise NotImplementedError

    def taken(self, value, name, sizes):
        """The value, converted if necessary. Raises InputError with this name in the message."""
        raise NotImplementedError

    def of(self, text):
        """The same kind with these names of axes (an array), or this letter for its value (a
        number)."""
        return self


class Anything(Kind):
    """An argument without a hint."""

    def passes(self, value, sizes):
        return True


ANYTHING = Anything()


class Number(Kind):
    """A number within bounds, converted to Python's own type, so that it changes no array's
    dtype."""

    def __init__(
        self, words, whole=False, least=-math.inf, below=math.inf, above=-math.inf, letter=None,
        or_function=False,
    ):
        self.words, self.whole, self.letter, self.or_function = words, whole, letter, or_function
        self.least, self.below, self.above = least, below, above

    def of(self, text):
        same = copy.copy(self)
        same.letter = text
        return same

    def passes(self, value, sizes):
        if value is None:
            return self.optional
        if self.or_function and callable(value) and not isinstance(value, type):
            return True
        if (
            type(value) is not int
            and (self.whole or type(value) is not float)
            or not self.is_within(value)
        ):
            return False
        if self.letter:
            sizes[self.letter] = value
        return True

    def is_within(self, value):
        return self.least <= value < self.below and value > self.above  # a NaN is not

    def taken(self, value, name, sizes):
        number = (
            value.item()
            if isinstance(value, (np.generic, np.ndarray)) and value.shape == ()
            else value
        )
        if isinstance(number, numbers.Real) and not isinstance(number, (int, float)):
            number = float(number)
        if not self.passes(number, sizes):
            raise InputError(f"{name} must be {self.words}, got {shortened(value)}.")
        return number


class Flag(Kind):
    """True or False."""

    def passes(self, value, sizes):
        return value is True or value is False or value is None and self.optional

    def taken(self, value, name, sizes):
        if isinstance(value, np.bool_):
            return bool(value)
        raise InputError(f"{name} must be True or False, got {shortened(value)}.")


class OneOf(Kind):
    """One of several names."""

    def __init__(self, what, names):
        self.what, self.names = what, names

    def passes(self, value, sizes):
        return isinstance(value, str) and value in self.names or value is None and self.optional

    def taken(self, value, name, sizes):
        raise unknown(self.what, value, self.names)


class GeneratorOrSeed(Kind):
    """A random number generator, or a seed for one: `numpy.random.default_rng(seed)`."""

    words = "a numpy.random.Generator or a seed (a whole number, at least 0)"

    def passes(self, value, sizes):
        return type(value) is Generator or value is None and self.optional

    def taken(self, value, name, sizes):
        if hasattr(value, "integers"):
            return value
        is_seed = (
            isinstance(value, numbers.Integral)
            and not isinstance(value, (bool, np.bool_))
            and value >= 0  # type: ignore[operator]  # a whole number can be compared
        )
        if is_seed or isinstance(value, (np.random.SeedSequence, np.random.BitGenerator)):
            return np.random.default_rng(value)
        raise InputError(
            f"{name} must be {self.words}; got {shortened(value)}. For example, pass 0."
        )


def described(value):
    """A value in a sentence: a text or number as it is, a class or function by its name, an array
    by its shape, else its class."""
    if value is None or isinstance(value, (str, numbers.Number)):
        return shortened(value)
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if inspect.isroutine(value):
        return f"the function {value.__name__}"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"an array of {value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}"


def named(name, options):
    """Options as a dictionary, from one or from pairs of a name and a value."""
    try:
        return dict(options)
    except (TypeError, ValueError):
        raise InputError(
            f"{name} must be a dictionary of names and values; got {described(options)}."
        ) from None
