"""The exercises of a lesson as its source has them: which cell, which exercise, which lines."""

import ast
from typing import NamedTuple

from minitransformer.grading import check  # noqa: F401  (with it, all exercises are known)
from minitransformer.grading.exercise import EXERCISES
from minitransformer.lessons.notebooks import FURTHER, checks, code_cells


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


def further(notebook):
    """The numbers of the code cells that stand below the heading `FURTHER`."""
    found, number, below = set(), 0, False
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found |= {number} if below else set()
            number += 1
            continue
        for line in cell.source.splitlines():
            if line.startswith(("## ", FURTHER)):
                below = line.startswith(FURTHER)
    return found


def stubs_of(number, source):
    """The `Stub`s in the source of code cell `number`."""
    tree = ast.parse(source)
    defined = {
        node.name: node
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and is_stub(node)
    }
    for _, id, name in checks(tree):
        if name in defined:
            node = defined[name]
            yield Stub(number, EXERCISES[id], node.lineno - 1, node.end_lineno)


def is_stub(node):
    """Whether nothing but a docstring and dots is there yet, in a function or in all methods of a
    class."""
    if isinstance(node, ast.ClassDef):
        methods = [n for n in node.body if isinstance(n, ast.FunctionDef)]
        return bool(methods) and all(map(is_stub, methods))
    return all(isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) for n in node.body)
