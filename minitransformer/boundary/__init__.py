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

from numpy.random import Generator

from .arrays import (
    ARRAYS,
    BOOLEAN,
    FLOAT,
    FLOATS,
    INPUT,
    INTEGER,
    LEGEND,
    MAY_BE_EMPTY,
    SEQUENCE,
    Array,
    Axes,
    Booleans,
    Input,
    Integers,
    OneSequence,
    is_known,
    is_ragged,
    plain_array,
    refused,
)
from .gradients import form_of, gradient_taken, gradients_taken
from .hints import (
    AtLeast2,
    Count,
    Dictionary,
    Epsilon,
    Features,
    FilePath,
    Floats,
    Function,
    Gradients,
    Ids,
    Mask,
    MayAttend,
    Natural,
    NonNegative,
    Positive,
    Probability,
    Rate,
    Rng,
    SequenceOfIds,
    Text,
    Texts,
    Whole,
)
from .ids import expect_ids, largest
from .kinds import (
    ANYTHING,
    PACKAGE,
    Anything,
    Flag,
    GeneratorOrSeed,
    Kind,
    Number,
    OneOf,
    described,
    named,
)
from .objects import Having, Instance, ListOf, StateOf, StreamOf, expect, kind_of
from .signature import Decorated, Signature, checked

__all__ = [
    "Generator",
    "ANYTHING",
    "ARRAYS",
    "Anything",
    "Array",
    "AtLeast2",
    "Axes",
    "BOOLEAN",
    "Booleans",
    "Count",
    "Decorated",
    "Dictionary",
    "Epsilon",
    "FLOAT",
    "FLOATS",
    "Features",
    "FilePath",
    "Flag",
    "Floats",
    "Function",
    "GeneratorOrSeed",
    "Gradients",
    "Having",
    "INPUT",
    "INTEGER",
    "Ids",
    "Input",
    "Instance",
    "Integers",
    "Kind",
    "LEGEND",
    "ListOf",
    "MAY_BE_EMPTY",
    "Mask",
    "MayAttend",
    "Natural",
    "NonNegative",
    "Number",
    "OneOf",
    "OneSequence",
    "PACKAGE",
    "Positive",
    "Probability",
    "Rate",
    "Rng",
    "SEQUENCE",
    "SequenceOfIds",
    "Signature",
    "StateOf",
    "StreamOf",
    "Text",
    "Texts",
    "Whole",
    "checked",
    "described",
    "expect",
    "expect_ids",
    "form_of",
    "gradient_taken",
    "gradients_taken",
    "is_known",
    "is_ragged",
    "kind_of",
    "largest",
    "named",
    "plain_array",
    "refused",
]
