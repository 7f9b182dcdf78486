"""An assignment made of exercises: a notebook for nbgrader or otter, with the answers marked so
that either takes them out."""

import ast
import builtins
import inspect
import json
import os
import pathlib
import textwrap
import types

from ..errors import InputError, write_text
from .alone import uses
from .exercise import Exercise, source_of

FILE = "exercises.ipynb"
START = "import numpy as np\nfrom minitransformer.grading import check"
INTRODUCTION = (
    "# Exercises\n\nWrite each function, run its cell, then the cell below it: it says what is "
    "right, and what is not yet. `hint(\"{first}\", 1)`, from `minitransformer.grading`, asks a "
    "question that helps."
)
ASSIGNMENT = """# ASSIGNMENT CONFIG
init_cell: true
export_cell:
  pdf: false
generate: true
tests:
  ok_format: false"""
BUILTINS = {*dir(builtins), "np"}


def release(exercises, points, system, folder, overwrite=False):
    """Write the notebook of an assignment into a folder, which is made if need be; return its path.

    `points` is {exercise: points}. Raises InputError if the file is there, without `overwrite`.
    """
    path = pathlib.Path(folder) / FILE
    if os.path.lexists(path) and not overwrite:
        raise InputError(
            f"{path} exists already. Choose another folder, or replace it with --overwrite "
            "(overwrite=True)."
        )
    make = {"nbgrader": for_nbgrader, "otter": for_otter}[system]
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(make(exercises, points), indent=1, ensure_ascii=False)
    write_text(path, f"{text}\n")
    return path


def for_nbgrader(exercises, points):
    """The assignment as nbgrader's source notebook: answers between BEGIN SOLUTION and END
    SOLUTION, and a test cell for each, which has the points."""

    def cell(kind, name, source, **metadata):
        flags = {"grade": False, "solution": False, "locked": True, "task": False, **metadata}
        about = {"nbgrader": {"schema_version": 3, "grade_id": name, **flags}}
        return _cell(kind, name, source, about)

    cells = [
        cell("markdown", "introduction", _introduction(exercises)),
        cell("code", "start", START),
    ]
    for one in exercises:
        answer = answer_of(one, "### BEGIN SOLUTION", "### END SOLUTION")
        cells += [
            cell("markdown", f"{one.name}-asked", statement_of(one)),
            cell("code", one.name, answer, solution=True, locked=False),
            cell("code", f"{one.name}-test", check_of(one), grade=True, points=points[one.id]),
        ]
    return _notebook(cells)


def for_otter(exercises, points):
    """The assignment as the notebook that `otter assign` reads: raw cells say where a question, its
    answer and its tests begin and end."""
    cells = [
        _cell("raw", "assignment", ASSIGNMENT),
        _cell("markdown", "introduction", _introduction(exercises)),
        _cell("code", "start", START),
    ]
    for one in exercises:
        question = f"# BEGIN QUESTION\nname: {one.name}\npoints: {points[one.id]:g}"
        answer = answer_of(one, "# BEGIN SOLUTION", "# END SOLUTION")
        parts = [
            ("raw", question),
            ("markdown", statement_of(one)),
            ("raw", "# BEGIN SOLUTION"),
            ("code", answer),
            ("raw", "# END SOLUTION"),
            ("raw", "# BEGIN TESTS"),
            ("code", check_as_function(one)),
            ("raw", "# END TESTS"),
            ("raw", "# END QUESTION"),
        ]
        cells += [_cell(kind, f"{one.name}-{n}", text) for n, (kind, text) in enumerate(parts)]
    return _notebook(cells)


def _introduction(exercises):
    return INTRODUCTION.format(first=exercises[0].id)


def _cell(kind, name, source, metadata=None):
    code = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {
        "cell_type": kind, "id": name, "metadata": metadata or {},
        "source": source.splitlines(keepends=True), **code,
    }


def _notebook(cells):
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


# -- what stands in the cells ----------------------------------------------------------------------


def statement_of(exercise):
    """What is asked, with the shapes, as Markdown: a block of text, so that nothing in it is taken
    for markup."""
    return f"## {exercise.id}\n\n```text\n{exercise}\n```"


def check_of(exercise):
    return f'check("{exercise.id}", {exercise.name}, strict=True)'


def check_as_function(exercise):
    """The test as a function of the answer, which otter calls."""
    return (
        f"def test_{exercise.name}({exercise.name}):\n"
        "    from minitransformer.grading import check\n\n"
        f'    check("{exercise.id}", {exercise.name}, strict=True)\n\n\n'
        f"test_{exercise.name}({exercise.name})"
    )


def answer_of(exercise, begin, end):
    """The right answer as a function or class of its own: it needs NumPy and nothing else. What
    lies between the two marks is the answer, what lies outside is what the student begins with."""
    head, body = _parts(exercise.text())
    lines = [*helpers_of(exercise.reference), body]
    inner = f'"""{exercise.call}"""\n{begin}\n' + "\n".join(lines) + f"\n{end}"
    return f"{head}{textwrap.indent(inner, '    ')}"


def _parts(text):
    """(the line or lines before the body of a definition, the body without its indentation)."""
    first = ast.parse(text).body[0].body[0]
    lines = text.splitlines(keepends=True)
    start = min([first.lineno, *(one.lineno for one in getattr(first, "decorator_list", []))]) - 1
    head = "".join(lines[:start]).rstrip() + "\n"
    return head, textwrap.dedent("".join(lines[start:])).rstrip()


def helpers_of(function, known=()):
    """The texts of what a function uses beside NumPy: other functions, constants, modules; each
    after those that it needs itself. `known` are names that stand there already."""
    known = known if isinstance(known, set) else {*known}
    found = []
    names = vars(inspect.getmodule(function))
    for name in sorted(uses(ast.parse(source_of(function)).body[0]) - BUILTINS):
        value = names.get(name)
        if name in known or value is function or name not in names:
            continue
        known.add(name)
        value = value.reference if isinstance(value, Exercise) else value
        if value is function:
            continue
        if isinstance(value, types.ModuleType):
            found.append(f"import {value.__name__}")
        elif callable(value):
            found += [*helpers_of(value, known), source_of(value).rstrip() + "\n"]
        else:
            found.append(f"{name} = {value!r}")
    return found
