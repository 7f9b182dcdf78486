"""The boundary: arguments from a user are checked here, in one place, before anything is computed.

A signature says what each argument is. These are ordinary type hints, and each contains its check:

    def __init__(self, features: Annotated[Count, "D"], epsilon: Epsilon = 1e-5)
    def forward(self, x: Annotated[Floats, "..., D"], mask: Annotated[Mask, "B, T"] | None = None)

`Module` applies the hints to every component's `__init__` and `forward` automatically; elsewhere
`@checked` does. The body of a component therefore contains only its mathematics.

The text behind an array's kind names its axes. A letter stands for one size: the size that was
passed to `__init__` (`features` above), or else the size in the first array that has the letter.
`...` stands for any leading axes, the same in all arrays of a call. "B, T, D or N, D" allows two
forms. Only batches and lengths may be empty.

A hint in quotes (`mask: "Mask | None"`), that of what is returned, and those of `backward` are for
readers and type checkers alone. (What `backward` takes follows from what `forward` returned.)

A value that is not of the right type, but has only one meaning, is converted: a NumPy number to
Python's, another byte order to the machine's, a subclass of ndarray to a plain array, a seed to a
generator. Anything else raises InputError; the message has the value, what was expected, and what
to do.
"""

import copy
import functools
import inspect
import itertools
import math
import numbers
import os
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.random import Generator

from ..backend import array_module, on_host
from ..errors import InputError, did_you_mean, shortened, unknown

PACKAGE = __name__.split(".")[0]
# the array types that are accepted as they are; that of a GPU is added with its first array
ARRAYS: set[type] = {np.ndarray}
FLOATS = np.dtype("float32"), np.dtype("float64")
LEGEND = {
    "B": "batch", "T": "length", "S": "source length", "N": "real positions",
    "M": "real positions of the memory", "D": "features", "H": "heads", "K": "features of a head",
    "K_v": "features of a head's value", "V": "vocabulary", "Q": "features of a query",
    "X": "features", "A": "features of an annotation",
}  # fmt: skip
MAY_BE_EMPTY = {"B", "T", "S", "N", "M"}


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


class Input(Kind):
    """An input of a forward without hints, such as a learner's: any object; if an array, one of
    floats (float32 or float64), integers or booleans.

    A list or tuple of numbers or arrays is refused, as it is where a hint asks for an array,
    because 2 * x would repeat it. An option that really is a tuple has a hint that says so:
    `axes: tuple`.
    """

    def passes(self, value, sizes):
        if type(value) in ARRAYS:
            return value.dtype in FLOATS or value.dtype.kind in "iub" and value.dtype.isnative
        return not (isinstance(value, (np.ndarray, list, tuple)) or hasattr(value, "dtype"))

    def taken(self, value, name, sizes):
        remedy = ""
        if isinstance(value, (list, tuple)):
            first = value
            while isinstance(first, (list, tuple)) and len(first):
                first = first[0]
            if not isinstance(first, (numbers.Number, np.ndarray, *ARRAYS)):
                return value  # a list of other things
            remedy = (
                f"Use {{0}}. If it is an option, not an array, add a type hint: "
                f"{name.split()[-1]}: {type(value).__name__}."
            )
        if isinstance(value, np.dtype) or isinstance(value, type):
            return value
        array = plain_array(value, name, remedy=remedy)
        if not self.passes(array, sizes):
            expected = "an array of floats (float32 or float64), integers or booleans"
            raise refused(name, expected, array, FLOAT.remedy * (array.dtype.kind == "f"))
        return array


class Array(Kind):
    """An array of one kind of numbers, with named axes. `repeats`: an axis of size 1 stands for any
    size, as in a mask."""

    def __init__(self, kinds, words, remedy, axes="...", repeats=False):
        self.kinds, self.words, self.remedy, self.repeats = kinds, words, remedy, repeats
        self.text = axes
        self.forms = [Axes(form) for form in axes.split(" or ")]

    def of(self, text):
        return type(self)(self.kinds, self.words, self.remedy, text, self.repeats)

    def holds(self, dtype):
        return dtype in FLOATS if self.kinds == "f" else dtype.kind in self.kinds and dtype.isnative

    def passes(self, value, sizes):
        if value is None:
            return self.optional
        return type(value) in ARRAYS and self.holds(value.dtype) and self.fits(value.shape, sizes)

    def fits(self, shape, sizes):
        for form in self.forms:
            if form.has_as_many(shape) and form.fits(shape, sizes, self.repeats):
                return True
        return False

    def taken(self, value, name, sizes):
        array = plain_array(value, name, self.explained(sizes), self.remedy)
        if not self.holds(array.dtype):
            raise refused(name, self.explained(sizes), array, self.remedy_for(array))
        if not self.fits(array.shape, sizes):
            raise refused(name, self.explained(sizes), array, self.advice(array.shape, sizes))
        return array

    def remedy_for(self, array):
        """What to do about an array of another dtype; its values may tell what it is."""
        return self.remedy

    def explained(self, sizes):
        """an array of floats of shape (B, T, D), with B for the batch, T for the length, D for the
        features; here D is 11"""
        forms = " or ".join(f"({form})" for form in self.text.split(" or "))
        letters = list(dict.fromkeys(letter for form in self.forms for letter in form.letters))
        words = ", ".join(
            f"{letter} for the {LEGEND[letter]}" for letter in letters if letter in LEGEND
        )
        known = ["..."] * ("..." in self.text) + letters
        known = ", ".join(
            f"{letter} is {sizes[letter]}" for letter in known if sizes.get(letter, ()) != ()
        )
        return (
            f"{self.words}, of shape {forms}"
            + f", with {words}" * bool(words)
            + f"; here {known}" * bool(known)
        )

    def advice(self, shape, sizes):
        """What to do about a shape that does not fit."""
        if self.repeats:
            scores = (*sizes.get("...", ()), *(sizes[letter] for letter in self.forms[0].letters))
            return (
                f"A mask has as many axes as the scores, which are {scores}, each of their size or "
                "1: for a padding mask (B, S) write {0}[:, None, None, :], which is (B, 1, 1, S); "
                "for one of all queries and keys, (T, S), {0}[None, None]."
            )
        for form in self.forms:
            if form.has_as_many(shape):
                return form.difference(shape, sizes)
        if "B" in self.forms[0].letters and len(shape) == self.forms[0].count - 1:
            return "{0}[None] makes a batch of one."
        return f"It has {len(shape)} axes."


class Booleans(Array):
    """A mask. The message recognises one that is added to scores, 0 and −∞, which `astype(bool)`
    would turn into its opposite."""

    def remedy_for(self, array):
        is_added = array.dtype.kind in "iuf" and bool((array <= 0).all())
        if is_added and (array.dtype.kind == "f" or array.any()):
            return (
                "It looks like a mask that is added to scores, with 0 where a query may attend. "
                "Use {0} == 0."
            )
        return self.remedy


class OneSequence(Array):
    """The ids of one sequence, (n,), in an array or a list."""

    def taken(self, value, name, sizes):
        if isinstance(value, (list, tuple)) and not is_ragged(value):
            value = np.array(value, dtype=None if len(value) else int)
        return super().taken(value, name, sizes)

    def advice(self, shape, sizes):
        return "From a batch, take one row: {0}[0]."


class Integers(Array):
    """Ids. The message recognises one-hot rows, in which `astype(int)` would see the ids 0 and
    1."""

    def remedy_for(self, array):
        is_one_hot = (
            array.dtype.kind in "fb"
            and array.ndim > 1
            and bool(((array == 0) | (array == 1)).all() and (array.sum(axis=-1) == 1).all())
        )
        if is_one_hot:
            return "If they are one-hot, use {0}.argmax(axis=-1); if not, {0}.astype(int)."
        return self.remedy


def refused(name, expected, array, advice):
    short = name.split()[-1]
    got = f"Got {array.dtype} of shape {array.shape}."
    return InputError(f"{name} must be {expected}. {got} {advice.format(short)}".rstrip())


class Axes:
    """The names of an array's axes: "B, T, D"; "..., D" with any axes in front."""

    def __init__(self, text):
        letters = text.split(", ")
        self.any_in_front = letters[0] == "..."
        self.letters = letters[self.any_in_front :]
        self.count = len(self.letters)
        self.places = [
            (place - self.count, letter, letter not in MAY_BE_EMPTY)
            for place, letter in enumerate(self.letters)
        ]

    def has_as_many(self, shape):
        return len(shape) >= self.count if self.any_in_front else len(shape) == self.count

    def difference(self, shape, sizes):
        """In words, the first size that is not as it should be."""
        for place, letter, is_needed in self.places:
            number = place if self.any_in_front else place + self.count
            size, what = shape[place], f"Axis {number} ({LEGEND.get(letter, letter)})"
            if sizes.get(letter, size) != size:
                return f"{what} has the size {size}, and {sizes[letter]} is needed."
            if not size and is_needed:
                return f"{what} is empty; only a batch or a length may be."
        return (
            f"The axes in front are {shape[: len(shape) - self.count]}, and {sizes.get('...')} in "
            "the other arrays."
        )

    def fits(self, shape, sizes, repeats):
        for place, letter, is_needed in self.places:
            size = shape[place]
            if (
                sizes.setdefault(letter, size) != size
                and not (repeats and size == 1)
                or not size
                and is_needed
            ):
                return False
        if self.any_in_front:
            front = shape[: len(shape) - self.count]
            known = sizes.setdefault("...", front)
            if known != front and not (
                repeats
                and len(front) == len(known)
                and all(a in (1, b) for a, b in zip(front, known))
            ):
                return False
        return True


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
        return [
            item if self.kind.passes(item, {}) else self.kind.taken(item, f"{name}[{place}]", {})
            for place, item in enumerate(value)
        ]


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


FLOAT = Array("f", "an array of floats (float32 or float64)", "Use {0}.astype('float32').")
INTEGER = Integers(
    "iu", "an array of integer ids", "Use {0}.astype(int); text is encoded by a vocabulary."
)
SEQUENCE = OneSequence("iu", "the integer ids of one sequence", INTEGER.remedy, "T")
BOOLEAN = Booleans(
    "b", "a boolean array (True = real, or may attend)", "Use {0}.astype(bool), or ids != 0."
)
Floats = Annotated[np.ndarray, FLOAT]
Ids = Annotated[np.ndarray, INTEGER]
SequenceOfIds = Annotated[Sequence[int] | np.ndarray, SEQUENCE]
Mask = Annotated[np.ndarray, BOOLEAN]
MayAttend = Annotated[np.ndarray, Booleans("b", BOOLEAN.words, BOOLEAN.remedy, repeats=True)]
Features = Annotated[Floats, "..., D"]
Count = Annotated[int, Number("a whole number of at least 1", whole=True, least=1)]
Whole = Annotated[int, Number("a whole number", whole=True)]
AtLeast2 = Annotated[int, Number("a whole number of at least 2", whole=True, least=2)]
Natural = Annotated[int, Number("a whole number of at least 0", whole=True, least=0)]
Probability = Annotated[float, Number("a number of at least 0 and less than 1", least=0, below=1)]
Positive = Annotated[float, Number("a finite number above 0", above=0)]
Epsilon = Annotated[
    float,
    Number(
        "a number of at least 1e-30 (float32 cannot represent much smaller numbers), and finite",
        least=1e-30,
    ),
]
NonNegative = Annotated[float, Number("a finite number of at least 0", least=0)]
Rate = Annotated[
    float | Callable[[int], float],
    Number(
        "a finite number of at least 0, or a function of the step such as a schedule", least=0,
        or_function=True,
    ),
]
# a seed until the boundary has taken it, then a generator
Rng = Annotated[Generator | int, GeneratorOrSeed()]
# what `backward` returns where it depends on the call: one array, or a tuple of several
Gradients = Any
INPUT = Input()
Decorated = TypeVar("Decorated", bound=Callable)  # a decorator returns what it was given


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


def plain_array(value, name, words="an array of numbers", remedy=""):
    """The value as a plain array in the machine's byte order. Raises InputError if it is no array,
    or a masked one."""
    short = name.split()[-1]
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(
            f"{name} is a masked array, whose mask would be ignored. Use {short}.filled(0), and a "
            "boolean mask if there is one."
        )
    if isinstance(value, (np.ndarray, np.generic)):
        value = value if type(value) in ARRAYS else np.asarray(value)
    else:
        is_array = (
            hasattr(value, "dtype") and hasattr(value, "shape") and not isinstance(value, type)
        )
        if not is_array or not is_known(value):
            got = "None" if value is None else f"a {type(value).__name__}"
            if is_ragged(value):
                remedy = (
                    "Its rows have different lengths. Make them equal; of lists of ids, "
                    "minitransformer.data.padded({0}) makes an array."
                )
            elif isinstance(value, (list, tuple, int, float)):
                short, remedy = f"numpy.array({short})", remedy or "Use {0}."
            else:
                remedy = "Pass a NumPy array, or on a GPU a CuPy array."
            raise InputError(f"{name} must be {words}. Got {got}. {remedy.format(short)}".rstrip())
    return value if value.dtype.isnative else value.astype(value.dtype.newbyteorder("="))


def named(name, options):
    """Options as a dictionary, from one or from pairs of a name and a value."""
    try:
        return dict(options)
    except (TypeError, ValueError):
        raise InputError(
            f"{name} must be a dictionary of names and values; got {described(options)}."
        ) from None


def is_ragged(value):
    """Whether it is a list of lists of different lengths, of which NumPy makes no array."""
    try:
        return isinstance(value, (list, tuple)) and np.array(value) is None
    except ValueError:
        return True


def is_known(array):
    """Whether it belongs to a library that we compute with; its type is remembered."""
    try:
        array_module(array)
    except InputError:
        return False
    ARRAYS.add(type(array))
    return True


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


Text = Annotated[str, Instance(str, words="a text")]
Texts = Annotated[Iterable[str], ListOf(Text, "a list of texts")]
Dictionary = Annotated[dict, Instance(dict, words="a dictionary")]
FilePath = Annotated[
    str | os.PathLike, Instance((str, os.PathLike), words="a path: a text or a Path")
]
Function = Annotated[Callable, Having("a function", "__call__")]


def expect(value: Any, hint: Any, name: str) -> Any:
    """The value, converted as this hint says. Raises InputError with this name if it cannot be
    used."""
    kind = kind_of(hint)
    return value if kind.passes(value, {}) else kind.taken(value, name, {})


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


# -- gradients -------------------------------------------------------------------------------------


def form_of(y):
    """(shape, dtype) of an output; for a tuple of outputs, theirs in a list; None for what is no
    array."""
    if isinstance(y, tuple):
        return [form_of(part) for part in y]
    return (y.shape, y.dtype) if hasattr(y, "dtype") else None


def gradients_taken(who, signature, form, d_outputs, options):
    """(gradients by position, gradients by name), checked against the form of the outputs; form
    None: forward is not known."""
    d_outputs, options = signature.taken(f"{who}.backward", {}, d_outputs, options)
    forms = form if isinstance(form, list) else [form]
    d_outputs = [
        gradient_taken(f"{who}.backward: {name}", d_y, f)
        for (name, _), d_y, f in zip(signature.order, d_outputs, forms)
    ] + [*d_outputs[len(forms) :]]
    by_name = {name: f for (name, _), f in zip(signature.order, forms) if name in options}
    return d_outputs, options | {
        name: gradient_taken(f"{who}.backward: {name}", options[name], f)
        for name, f in by_name.items()
    }


def gradient_taken(name, d_y, form):
    """The gradient of an output of this form (shape, dtype). Raises InputError for another shape or
    dtype."""
    if form is None:
        return d_y
    shape, dtype = form
    if shape == () and (
        isinstance(d_y, numbers.Real) or on_host(d_y) and d_y.shape == () and d_y.dtype.kind == "f"
    ):
        return float(d_y)  # of a loss: a number, which changes no dtype
    short, d_y = name.split()[-1], plain_array(d_y, name)
    if d_y.shape != shape:
        raise InputError(
            f"{name} has the shape {d_y.shape}, but forward returned one of shape {shape}. A "
            "gradient has the same shape as the array that it belongs to."
        )
    if d_y.dtype != dtype and shape:  # that of a loss is a number, which may lie on a GPU
        raise InputError(
            f"{name} is {d_y.dtype}, but forward returned {dtype}. Use {short}.astype('{dtype}')."
        )
    return d_y


# -- what depends on values, not on types and shapes alone -----------------------------------------


def expect_ids(ids: np.ndarray, vocabulary_size: int) -> None:
    """Raise InputError unless ids are integers between 0 and V−1, at least one. On a GPU their
    values are not looked at."""
    if type(ids) not in ARRAYS or ids.dtype.kind not in "iu":
        INTEGER.taken(ids, "Token ids", {})
    if ids.size == 0:
        raise InputError(
            f"An empty batch: the token ids have shape {ids.shape}. Pass at least one token."
        )
    if on_host(ids) and largest(ids) >= vocabulary_size:
        where = tuple(int(i[0]) for i in np.nonzero((ids < 0) | (ids >= vocabulary_size)))
        raise InputError(
            f"Token id {int(ids[where])} at position {where} is outside the vocabulary of "
            f"{vocabulary_size} tokens (ids 0 to {vocabulary_size - 1})."
        )


def largest(ids: np.ndarray) -> int:
    """The largest of these integers, a negative one counting as a huge one: a single pass finds any
    id outside 0 … V−1."""
    return int(ids.astype(np.uint64).max(initial=0))
