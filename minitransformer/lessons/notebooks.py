"""Where the lessons are, and the notebooks that are made of their sources."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

from ..errors import InputError
from ..grading.exercise import find
from ..terminal.extras import extra

PACKAGE = Path(__file__).resolve().parent
# in a checkout, and in an installed package
FOLDERS = (PACKAGE.parents[1] / "lessons", PACKAGE / "sources")
# below this heading, up to the next ##, stand exercises that can be left out
FURTHER = "### Further"
HEAD = re.compile(
    r"# # (?P<title>.+)\n(?:#.*\n)*?# \| (?P<time>reading (\d+) min · writing (\d+) min"
    r"(?: · further (\d+) min)?) \|"
)


class Lesson(NamedTuple):
    """One lesson: its source, its number, its title, and the minutes that it takes: to read it, to
    write its essential exercises, and its further ones. `time` says these in words."""

    source: Path
    number: str
    title: str
    time: str
    reading: int
    writing: int
    further: int


def lessons():
    """All lessons, in their order. Raises InputError where the package came without them."""
    for folder in FOLDERS:
        if found := sorted(folder.glob("[0-9][0-9]_*.py")):
            return [read(source) for source in found]
    raise InputError(
        "The lessons did not come with this copy of minitransformer; its repository has them, in "
        "lessons/."
    )


def read(source):
    """The `Lesson` in this file: its title and time stand at its head."""
    head = HEAD.search(source.read_text(encoding="utf-8"))
    number, title = head["title"].split(" · ")
    return Lesson(source, number, title, head["time"], *(int(m or 0) for m in head.groups()[2:]))


def asked_in(lesson):
    """The exercises of a lesson, in their order: those that it checks under their own names. What
    it checks under others are wrong versions, to show what becomes of them."""
    checked = sorted(checks(ast.parse(lesson.source.read_text(encoding="utf-8"))))
    return list(dict.fromkeys(id for _, id, name in checked if find(id).name == name))


def checks(tree):
    """(line, exercise, the name that is handed in) of every check("...", name) below this node."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", "") == "check"
            and isinstance(node.args[1], ast.Name)
        ):
            yield node.lineno, ast.literal_eval(node.args[0]), node.args[1].id


def as_notebook(source):
    """The notebook of a source's text (percent format): its cells, not executed, their ids the same
    every time. Of their metadata only "jupyter" is kept, which says what is folded."""
    notebook = extra("jupytext", "Making notebooks").reads(source, fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        kept = {key: value for key, value in cell.metadata.items() if key == "jupyter"}
        cell.id, cell.metadata = f"cell-{number:02}", type(cell.metadata)(kept)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def lay_out(folder):
    """Put a notebook of every lesson into a folder, none executed. What is there already is left as
    it is.

    Returns the files, all sixteen, in their order.
    """
    nbformat, _ = extra("nbformat", "Writing notebooks"), extra("jupytext", "Making notebooks")
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for lesson in lessons():
        file = folder / f"{lesson.source.stem}.ipynb"
        if not file.exists():
            nbformat.write(as_notebook(lesson.source.read_text(encoding="utf-8")), file)
        files.append(file)
    return files
