"""The type hints by which a signature says what each argument is."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

import numpy as np
from numpy.random import Generator

from .arrays import BOOLEAN, FLOAT, INTEGER, SEQUENCE, Booleans
from .kinds import GeneratorOrSeed, Number
from .objects import Having, Instance, ListOf

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
Text = Annotated[str, Instance(str, words="a text")]
Texts = Annotated[Iterable[str], ListOf(Text, "a list of texts")]
Dictionary = Annotated[dict, Instance(dict, words="a dictionary")]
FilePath = Annotated[
    str | os.PathLike, Instance((str, os.PathLike), words="a path: a text or a Path")
]
Function = Annotated[Callable, Having("a function", "__call__")]
