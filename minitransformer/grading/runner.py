"""Run one submission from top to bottom, in a process of its own, and write down what its checks said.

    python -m minitransformer.grading.runner FILE RESULT

FILE is a notebook, or a Python file whose cells begin with `# %%`; without such lines, each statement is a cell. A cell
that fails does not stop the next. RESULT is written anew after each cell, so that what was said is not lost if a later
one never ends.
"""

import ast
import json
import linecache
import pathlib
import re
import sys

from .calling import explain
from .check import LISTENERS, check
from .exercise import EXERCISES

MEMORY = 4 << 30  # bytes of address space, beyond which Python raises MemoryError
CELL = re.compile(r"^# %%.*$", re.MULTILINE)
MAGIC = re.compile(r"^(\s*)([%!?].*)$", re.MULTILINE)  # IPython's own commands, which Python does not know


def main(file, result):
    limit_memory()
    file, result = pathlib.Path(file), pathlib.Path(result)
    sys.path.insert(0, str(file.parent))
    found = {"reports": {}, "errors": [], "finished": False}
    LISTENERS.append(lambda report: found["reports"].update({report.exercise: report.to_dict()}))
    names = {"__name__": "__main__", "__file__": str(file)}
    for place, cell in cells_of(file):
        problem = run(cell, place, names)
        if problem:
            found["errors"].append(f"{place}: {problem}")
        result.write_text(json.dumps(found), encoding="utf-8")
    for exercise in EXERCISES.values():  # written, but never checked
        if exercise.id not in found["reports"] and callable(names.get(exercise.name)):
            check(exercise, names[exercise.name], quiet=True)
    found["finished"] = True
    result.write_text(json.dumps(found), encoding="utf-8")


def cells_of(file):
    """[(its place, its code)] of the code cells of a notebook or Python file; the latter's keep their lines' numbers."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        return [(f"cell {n}", "".join(cell["source"])) for n, cell in enumerate(cells, 1) if cell["cell_type"] == "code"]
    starts = [text[: match.start()].count("\n") for match in CELL.finditer(text)] or statements(text)
    lines = text.splitlines(keepends=True)
    cells = [(start, "".join(lines[start:end])) for start, end in zip([0, *starts], [*starts, len(lines)])]
    return [(file.name, "\n" * start + cell) for start, cell in cells]


def statements(text):
    """The lines, from 0, with which the statements of a file begin; none if it is not Python."""
    try:
        body = ast.parse(MAGIC.sub(r"\1pass", text)).body
    except SyntaxError:
        return []
    firsts = (min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]) - 1 for node in body)
    return sorted(set(firsts))


def run(cell, name, names):
    """Run a cell; return what it raised, in a sentence, or nothing."""
    code = MAGIC.sub(r"\1pass  # \2", cell)
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    try:
        exec(compile(code, name, "exec"), names)  # the learner's own file, as `python FILE` would
    except (Exception, SystemExit) as problem:
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
    main(*sys.argv[1:])
