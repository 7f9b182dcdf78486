"""The tasks by name: those of the package, of other packages, and of one's own."""

import dataclasses
import re
from importlib.metadata import entry_points
from typing import Any

from ..boundary import Text, checked
from ..core.options import KINDS, expect_options, expect_type, types_of
from ..errors import InputError, shortened, unknown
from ..terminal.streams import complain
from .task import Task

GROUP = "minitransformer.tasks"  # of entry points: see docs/your-task.md
TASKS: dict[str, type[Task]] = {}


class UnknownTask(InputError):
    """No task has that name, here and now: the package that has it may not be installed."""


def register_task(name: str, cls: type[Task]) -> None:
    """Make a task known under a name: to `make_task` and to the commands.

    Raises InputError, which says what to change: the name is another task's, the class is no
    `Task`, or one of its options has no default, no help, or a type that config.json cannot hold. A
    class may be registered again, as a notebook does when a cell is run twice.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise InputError(
            "The name of a task has small letters, digits and hyphens, such as my-task; got "
            f"{shortened(name)}."
        )
    if not isinstance(cls, type) or not issubclass(cls, Task) or cls is Task:
        raise InputError(
            f"The task {name} must be a subclass of Task, Corpus or SymbolTask; got "
            f"{shortened(cls)}."
        )
    same = lambda other: (other.__module__, other.__qualname__)  # noqa: E731
    if name in TASKS and same(TASKS[name]) != same(cls):
        raise InputError(f"There is a task {name} already. Choose another name.")
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        if not isinstance(field.type, str) and not {*types_of(field.type)} <= {*KINDS}:
            raise InputError(
                f"The option {field.name} of the task {name} must be a bool, int, float or str, "
                "so that config.json can hold it."
            )
        if "help" not in field.metadata or field.default is dataclasses.MISSING:
            raise InputError(
                f"The option {field.name} of the task {name} needs a default and a help text: "
                f'{field.name}: int = option(1, "what it means").'
            )
        if not isinstance(field.type, str):
            where = f"The default of the option {field.name} of the task {name}"
            expect_type(field.default, field.type, where)
    TASKS[name] = cls


def register_tasks_of_packages() -> None:
    """Register what installed packages name in the group of entry points "minitransformer.tasks".

    A package that cannot be imported is named on standard error; nothing else is wrong then.
    """
    for point in entry_points(group=GROUP):
        if point.name in FOUND:
            continue
        FOUND.add(point.name)
        try:
            register_task(point.name, point.load())
        except Exception as problem:  # of any package
            complain(
                f"The task {point.name} ({point.value}) of an installed package cannot be used: "
                f"{type(problem).__name__}: {shortened(str(problem), 200)}. Update that package, "
                "or remove it."
            )


FOUND: set[str] = set()  # the entry points that were tried


def find_task(name: str) -> type[Task]:
    """The class of that name. Raises InputError if there is none, in no installed package
    either."""
    if name not in TASKS:
        register_tasks_of_packages()
    if name not in TASKS:
        raise UnknownTask(
            f"{unknown('task', name, TASKS)} If it is a task of your own, install the package "
            "that has it, or in Python call register_task first: see docs/your-task.md."
        )
    return TASKS[name]


def name_of_task(task: Task) -> str:
    """The name of a task's class. Raises InputError if it has none."""
    for name, cls in TASKS.items():
        if cls is type(task):
            return name
    raise InputError(
        f"The class {type(task).__name__} has no name as a task. Give it one: "
        f'register_task("my-task", {type(task).__name__}).'
    )


@checked
def make_task(name: Text, **options: Any) -> Task:
    """The task of that name with these options; InputError for a name or an option that does not
    exist."""
    cls = find_task(name)
    known = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    expect_options(f"The task {name}", options, known)
    return cls(**options)
