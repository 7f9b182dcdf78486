"""The tasks by the names that the commands know."""

import dataclasses
from typing import Annotated, Any

from ..boundary import OneOf, checked
from ..errors import InputError
from .addition import Addition
from .multi30k import MULTI30K
from .numbers import NUMBERS
from .owl import Owl
from .shakespeare import Shakespeare
from .symbols import Copy, Reverse, Sort
from .task import Task
from .text import OwnText

TASKS = {
    "copy": Copy, "reverse": Reverse, "sort": Sort, "addition": Addition, "owl": Owl, **NUMBERS,
    **MULTI30K, "shakespeare": Shakespeare, "text": OwnText,
}


@checked
def make_task(name: Annotated[str, OneOf("task", TASKS)], **options: Any) -> Task:
    """The task of that name with these options; InputError for a name or an option that does not
    exist."""
    known = [field.name for field in dataclasses.fields(TASKS[name])]
    for name_of_option in options:
        if name_of_option not in known:
            raise InputError(
                f"The task {name} has no option {name_of_option!r}. It has: {', '.join(known)}."
            )
    return TASKS[name](**options)
