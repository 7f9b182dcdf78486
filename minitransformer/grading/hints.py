"""What is asked, a hint at a time, and the solutions: a plain one, and the package's own."""

import ast
import inspect
import textwrap

import numpy as np

from ..errors import InputError, shortened
from .exercise import EXERCISES, Exercise, find, source_of

LEVELS = ("a question", "the formula", "in steps", "one line")
HELPERS = "minitransformer.backend"


class Listing(dict):
    """{id: Exercise}. Printed, a line for each. Asked for one that is not there, it says which come
    near."""

    def __missing__(self, id):
        return find(id)  # which raises InputError

    def __repr__(self):
        width = max(len(id) for id in self)
        return "\n".join(f"{id:<{width}}  {e.call}" for id, e in self.items())


def exercises():
    """All exercises by id: printed, one line each; `exercises()["softmax.backward"]` says what is
    asked, with shapes."""
    return Listing(EXERCISES)


def hint(exercise, level=1):
    """Print a hint: 1 a question, 2 the formula, 3 in steps, 4 one line of code."""
    exercise = find(exercise)
    if (
        isinstance(level, bool)
        or not isinstance(level, (int, np.integer))
        or not 1 <= level <= len(LEVELS)
    ):
        raise InputError(
            f"There is no hint at level {shortened(level)}. There are 1 ({LEVELS[0]}) to "
            f"{len(LEVELS)} ({LEVELS[-1]})."
        )
    print(textwrap.dedent(exercise.hints[level - 1]).strip())


def reveal(exercise):
    """Print a plain solution, as the exercise asks for it; then the package's own source, with the
    plain formula of each fast helper that it calls."""
    exercise = find(exercise)
    print(
        f"# A plain solution.\n{_plain(exercise)}\n\n\n# The package's own lines.\n{_own(exercise)}"
    )


def _plain(exercise):
    """The right function, with the numbers and functions of its file that it uses; of other
    exercises, the names."""
    text = source_of(exercise.reference).rstrip()
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    at_hand = vars(inspect.getmodule(exercise.reference))
    called = {name: at_hand[name] for name in sorted(used & set(at_hand) - {exercise.name})}
    others = [
        f"# {name}: the exercise {thing.id}"
        for name, thing in called.items()
        if isinstance(thing, Exercise)
    ]
    helpers = [source_of(thing).rstrip() for thing in called.values() if inspect.isfunction(thing)]
    numbers = [f"{name} = {thing}" for name, thing in called.items() if isinstance(thing, int)]
    return "\n\n\n".join([*helpers, "\n".join([*numbers, *others, text])])


def _own(exercise):
    parts = [inspect.getsource(shown).rstrip() for shown in exercise.shown]
    text = "\n\n\n".join(textwrap.dedent(part) for part in parts)
    helpers = {
        name: helper
        for shown in exercise.shown
        for name, helper in _helpers(shown).items()
        if f"{name}(" in text
    }
    for name, helper in helpers.items():
        text += f"\n\n# {name}: " + "\n# ".join(inspect.getdoc(helper).splitlines())
    return text


def _helpers(shown):
    """{name: function} of the fast helpers that the file of a component imports."""
    return {
        name: thing
        for name, thing in vars(inspect.getmodule(shown)).items()
        if inspect.isfunction(thing) and thing.__module__.startswith(HELPERS)
    }
