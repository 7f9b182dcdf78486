"""Run one submission from top to bottom, in a process of its own, and write down what its checks said.

    python -m minitransformer.grading.runner FILE RESULT

A cell that fails does not stop the next. RESULT is written anew after each cell, so that what was said is not lost if a
later one never ends.
"""

import ast
import asyncio
import codeop
import inspect
import json
import linecache
import os
import pathlib
import sys

import numpy as np

from .calling import explain
from .cells import cells_of
from .check import LISTENERS, check
from .exercise import EXERCISES

MEMORY = 4 << 30  # bytes of address space, beyond which Python raises MemoryError
ERRORS = 100  # of a submission that are kept


def main(file, result):
    limit_memory()
    np.random.default_rng(0)  # imports what a file called random.py would otherwise stand in for
    file, result = pathlib.Path(file), pathlib.Path(result)
    sys.path.append(str(file.parent))
    write, found, named = json.dumps, {"reports": {}, "errors": [], "finished": False}, set()
    LISTENERS.append(lambda report: keep(report, found["reports"], named))

    def save():
        result.write_bytes(write(found).encode("utf-8", "backslashreplace"))

    names = {"__name__": "__main__", "__file__": str(file), "display": lambda *_, **__: None, "get_ipython": lambda: None}
    compiler = codeop.Compile()  # which remembers `from __future__ import ...`
    compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    for place, cell in cells_of(file):
        problem = run(cell, place, names, compiler)
        if problem:
            found["errors"].append(f"{place}: {problem}")
            del found["errors"][ERRORS:]
        save()
    for exercise in EXERCISES.values():  # written here, but never checked
        function = names.get(exercise.name)
        if exercise.id not in found["reports"] and inspect.isfunction(function) and function.__module__ == "__main__":
            report = check(exercise, function, quiet=True)
            if [finding.id for finding in report.findings] == ["arguments"]:  # another function of that name
                del found["reports"][exercise.id]
    found["finished"] = True
    save()


def keep(report, reports, named):
    """Keep the latest report on each exercise; where a function of its own name was handed in, the latest on that one.

    A lesson also checks wrong versions, to show what becomes of them: these are no answers. `named` are the exercises of
    which a function of that name has been seen.
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


def limit_memory():
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most), most))


if __name__ == "__main__":
    leave = os._exit
    main(*sys.argv[1:])
    leave(0)  # threads that the file started, and did not end, are not waited for
