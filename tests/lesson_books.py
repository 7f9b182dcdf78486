"""The lessons as tests see them: their cells, the exercises in them, and copies with answers in
place of the stubs."""

import ast
import builtins
import inspect
import sys
from typing import NamedTuple

from minitransformer.grading.exercise import EXERCISES
from minitransformer.lessons.notebooks import FOLDERS, code_cells

sys.path.insert(0, str(FOLDERS[0]))  # for build.py, which is beside the lessons


class Stub(NamedTuple):
    """An exercise as it stands in a lesson: the number of its code cell, the exercise, and the
    lines of its stub, from 0."""

    cell: int
    exercise: object
    first: int
    last: int


def stubs(notebook):
    """All `Stub`s of a notebook, in their order."""
    return [
        stub
        for number, cell in enumerate(code_cells(notebook))
        for stub in stubs_of(number, cell.source)
    ]


def stubs_of(number, source):
    tree = ast.parse(source)
    defined = {
        node.name: node
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and is_stub(node)
    }
    for id, name in checks(tree):
        if name in defined:
            node = defined[name]
            yield Stub(number, EXERCISES[id], node.lineno - 1, node.end_lineno)


def checks(tree):
    """(exercise, the name that is handed in) of every check("...", name) below this node."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", "") == "check"
            and isinstance(node.args[1], ast.Name)
        ):
            yield ast.literal_eval(node.args[0]), node.args[1].id


def is_stub(node):
    """Whether nothing but a docstring and dots is there yet, in a function or in all methods of a
    class."""
    if isinstance(node, ast.ClassDef):
        methods = [n for n in node.body if isinstance(n, ast.FunctionDef)]
        return bool(methods) and all(map(is_stub, methods))
    return all(isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) for n in node.body)


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
