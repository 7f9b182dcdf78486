"""The lessons as tests see them: their cells, the exercises in them, and copies with answers in
place of the stubs."""

import ast
import builtins
import inspect
import sys

from minitransformer.lessons.notebooks import FOLDERS, code_cells

sys.path.insert(0, str(FOLDERS[0]))  # for the programs that are beside the lessons
from stubs import checks, stubs  # noqa: E402, F401


def answer(exercise, *versions):
    """The lines that answer an exercise in a lesson: the right function, or a wrong version of
    it."""
    text = exercise.text(*versions)
    module = inspect.getmodule(exercise.reference)
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    helpers = sorted(used & set(vars(module)) - set(vars(builtins)) - {exercise.name, "np"})
    imports = [f"from {module.__name__} import {', '.join(helpers)}"] if helpers else []
    return [*imports, *text.rstrip().splitlines()]


def answered(source, stub, *versions):
    """A cell's source with an answer where its stub was."""
    lines = source.splitlines()
    return "\n".join([*lines[: stub.first], *answer(stub.exercise, *versions), *lines[stub.last :]])


def solve(notebook):
    """Put the right answer in place of every stub, in place; returns the notebook."""
    cells = code_cells(notebook)
    for stub in reversed(stubs(notebook)):
        cells[stub.cell].source = answered(cells[stub.cell].source, stub)
    return notebook
