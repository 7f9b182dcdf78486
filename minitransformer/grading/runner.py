"""Run one submission from top to bottom, in a process of its own, and write down what its checks
said.

    python -m minitransformer.grading.runner FILE RESULT SECONDS

FILE is a copy in a folder of its own. A cell that fails does not stop the next. RESULT is written
anew after each cell and each check, so that what was said is not lost if a later one never ends.
"""

import ast
import asyncio
import codeop
import inspect
import linecache
import os
import pathlib
import sys

import numpy as np

from .calling import explain
from .cells import Refused, cells_of
from .check import LISTENERS, check
from .exercise import EXERCISES
from .limits import limit
from .result import MANY, write_whole

ERRORS = 100  # of a submission that are kept


def main(file, result, seconds):
    file = begin(file, seconds)
    found: dict = {"reports": {}, "errors": [], "finished": False, "refused": "", "running": ""}
    named: set = set()
    LISTENERS.append(lambda report: keep(report, found["reports"], named))
    names = {
        "__name__": "__main__",
        "__file__": str(file),
        "display": lambda *_, **__: None,
        "get_ipython": lambda: None,
    }
    compiler = codeop.Compile()  # which remembers `from __future__ import ...`
    compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        cells = cells_of(file)
    except Refused as problem:
        found["refused"], cells = str(problem), []
    for place, cell in cells:
        note(found["errors"], place, run(cell, place, names, compiler))
        write_whole(result, found)
    for exercise in EXERCISES.values():
        function = names.get(exercise.name)
        if exercise.id in named or not is_of_the_file(function):
            continue
        found["running"] = exercise.id
        write_whole(result, found)
        note(found["errors"], exercise.id, check_unasked(exercise, function, found["reports"]))
    found["finished"], found["running"] = True, ""
    write_whole(result, found)


def begin(file, seconds):
    """Set the limits, and go to the file's folder; return the file's path.

    Modules beside the file can be imported, and none of them stands in for one of Python's own, or
    for NumPy.
    """
    limit(float(seconds))
    np.random.default_rng(0)  # imports what a file called random.py would otherwise stand in for
    file = pathlib.Path(file)
    sys.path[:] = [*sys.path[1:], str(file.parent)]
    os.chdir(file.parent)
    return file


def note(errors, place, problem):
    if problem and len(errors) < min(ERRORS, MANY):
        errors.append(f"{place}: {problem}")


def is_of_the_file(function):
    """Whether it is a function that the file defines."""
    try:
        return inspect.isfunction(function) and function.__module__ == "__main__"
    except BaseException:  # an object that does not let itself be looked at
        return False


def check_unasked(exercise, function, reports):
    """Check a function that was written, and never checked, whatever else was. Return what it
    raised, in a sentence, or nothing."""
    before = reports.get(exercise.id)
    try:
        report = check(exercise, function, quiet=True)
        # another function of that name
        if [finding.id for finding in report.findings] == ["arguments"]:
            reports.pop(exercise.id)
            reports.update({exercise.id: before} if before else {})
    except BaseException as problem:
        return explain(problem)
    return ""


def keep(report, reports, named):
    """Keep the latest report on each exercise; where a function of its own name was handed in, the
    latest on that one.

    A lesson also checks wrong versions, to show what becomes of them: these are no answers. `named`
    are the exercises of which a function of that name has been seen.
    """
    is_named = report.answer == EXERCISES[report.exercise].name
    if is_named or report.exercise not in named:
        reports[report.exercise] = report.to_dict()
    if is_named:
        named.add(report.exercise)


def run(cell, name, names, compiler):
    """Run a cell; return what it raised, in a sentence, or nothing."""
    linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)
    try:
        code = compiler(cell, name, "exec")
        result = eval(code, names)  # the learner's own file, as `python FILE` would run it
        if inspect.iscoroutine(result):
            asyncio.run(result)
    except BaseException as problem:  # also exit(), and whatever else is meant to end a program
        return explain(problem)
    return ""


if __name__ == "__main__":
    leave = os._exit
    main(*sys.argv[1:])
    leave(0)  # threads that the file started, and did not end, are not waited for
