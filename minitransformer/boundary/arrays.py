"""Arrays with named axes."""

import numbers

import numpy as np

from ..backend import array_module
from ..errors import InputError
from .kinds import Kind

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


FLOAT = Array("f", "an array of floats (float32 or float64)", "Use {0}.astype('float32').")
INTEGER = Integers(
    "iu", "an array of integer ids", "Use {0}.astype(int); text is encoded by a vocabulary."
)
SEQUENCE = OneSequence("iu", "the integer ids of one sequence", INTEGER.remedy, "T")
BOOLEAN = Booleans(
    "b", "a boolean array (True = real, or may attend)", "Use {0}.astype(bool), or ids != 0."
)
INPUT = Input()


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
