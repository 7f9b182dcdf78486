"""The tasks of the package, by the names that the commands know."""

from .addition import Addition
from .digits import Digits
from .multi30k import MULTI30K
from .numbers import NUMBERS
from .owl import Owl
from .pairs import Pairs
from .registry import TASKS, make_task, register_task
from .shakespeare import Shakespeare
from .symbols import Copy, Reverse, Sort
from .text import OwnText

__all__ = ["TASKS", "make_task", "register_task"]

TASKS |= {
    "copy": Copy, "reverse": Reverse, "sort": Sort, "addition": Addition, "digits": Digits,
    "owl": Owl, **NUMBERS, **MULTI30K, "pairs": Pairs, "shakespeare": Shakespeare, "text": OwnText,
}
