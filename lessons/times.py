"""How many minutes a lesson takes, reading and writing apart, counted from its source.

    python lessons/times.py            # what was counted, lesson by lesson
    python lessons/times.py --write    # the minutes into the heads of the lessons, and into the map in README.md

Nobody was timed. What is counted is exact, and what one of it takes is an assumption, a line each below. Brysbaert (2019,
"How many words do we read per minute?") finds 238 words a minute for non-fiction, read silently in one's first language.
These pages are technical, and for most readers in a second language: 150.
"""

import argparse
import ast
import re
import textwrap
from pathlib import Path
from typing import NamedTuple

from stubs import further, is_stub, stubs

from minitransformer.lessons.notebooks import as_notebook, code_cells, lessons

WORDS_A_MINUTE = 150
FORMULA = 0.75  # minutes for a displayed formula: read it, and follow its step
CELL = 0.5  # for a code cell: run it, and look at what it prints or draws
LINE_OF_CODE = 0.05  # for a line of code that is shown: three seconds
EXERCISE = 3  # for an exercise, whatever its size: read what is asked, run it, read what the checker says
LINE_OF_ANSWER = 2  # for each line of the right answer
UNCHECKED = 4  # lines of an exercise without a reference
ROUNDED = 5  # minutes are given in steps of five


class Counts(NamedTuple):
    """What is counted in a lesson; exercises as lists of the lines of their right answers."""

    words: int
    formulas: int
    cells: int
    code_lines: int
    essential: list
    further: list


class Minutes(NamedTuple):
    reading: int
    writing: int
    further: int

    def __str__(self):
        beyond = f" · further {self.further} min" if self.further else ""
        return f"reading {self.reading} min · writing {self.writing} min{beyond}"


def counts(notebook):
    """The `Counts` of a notebook."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    shown = [cell.source for cell in code_cells(notebook) if not is_folded(cell)]
    lines = sum(bool(line.strip()) for source in shown for line in source.splitlines())
    essential, beyond = exercises(notebook)
    formulas = len(re.findall(r"\$\$.*?\$\$", text, re.DOTALL))
    return Counts(words(text), formulas, len(code_cells(notebook)), lines, essential, beyond)


def words(text):
    """How many words the prose of a markdown text has. A formula in a line is one word; displayed
    formulas, the table at the head and marks do not count."""
    text = re.sub(r"\$\$.*?\$\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"\$[^$]+\$", " formula ", text)
    text = re.sub(r"^\| time \|.*\n.*\n.*$", " ", text, flags=re.MULTILINE)
    text = re.sub(r"\]\([^)]*\)|<[^>]*>", " ", text)
    return sum(any(map(str.isalnum, word)) for word in text.split())


def is_folded(cell):
    """Whether a code cell is hidden until somebody unfolds it."""
    return cell.metadata.get("jupyter", {}).get("source_hidden", False)


def exercises(notebook):
    """(lines of each essential exercise, lines of each further one)."""
    checked = {(stub.cell, stub.exercise.name): answer_lines(stub.exercise) for stub in stubs(notebook)}
    below, found = further(notebook), ([], [])
    for number, cell in enumerate(code_cells(notebook)):
        for node in ast.parse(cell.source).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and is_stub(node):
                found[number in below].append(checked.get((number, node.name), UNCHECKED))
    return found


def answer_lines(exercise):
    """How many lines the right answer has, without its head, its docstring and empty lines."""
    lines = set()
    for node in ast.walk(ast.parse(textwrap.dedent(exercise.text()))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= {*range(node.lineno, node.end_lineno + 1)}
        elif isinstance(node, ast.stmt) and not hasattr(node, "name"):
            lines |= {*range(node.lineno, node.end_lineno + 1)}
    return len(lines)


def minutes(counted):
    """The `Minutes` of these `Counts`."""
    reading = counted.words / WORDS_A_MINUTE + FORMULA * counted.formulas
    reading += CELL * counted.cells + LINE_OF_CODE * counted.code_lines
    writing = [EXERCISE * len(lines) + LINE_OF_ANSWER * sum(lines) for lines in counted[-2:]]
    return Minutes(*(ROUNDED * round(each / ROUNDED) for each in (reading, *writing)))


def minutes_of(source):
    """The `Minutes` of the lesson in this file."""
    return minutes(counts(as_notebook(source.read_text(encoding="utf-8"))))


def write(found):
    """Put {source: Minutes} into the heads of the lessons and into the map."""
    page = Path(__file__).with_name("README.md")
    text = page.read_text(encoding="utf-8")
    for source, time in found.items():
        head = source.read_text(encoding="utf-8")
        source.write_text(re.sub(r"^# \| reading \d+ min [^|]*", f"# | {time} ", head, count=1, flags=re.M), encoding="utf-8")
        row = rf"(\| \[{source.stem[:2]}\]\(\S+\) \| [^|]+ \| )[^|]+"
        text = re.sub(row, rf"\g<1>{time} ", text, count=1)
    page.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="into the lessons and README.md")
    found = {lesson.source: minutes_of(lesson.source) for lesson in lessons()}
    for source, time in found.items():
        print(source.stem[:2], time, counts(as_notebook(source.read_text(encoding="utf-8"))))
    total = [sum(column) / 60 for column in zip(*found.values())]
    print("hours: reading {:.2f}, writing {:.2f}, further {:.2f}".format(*total))
    if parser.parse_args().write:
        write(found)


if __name__ == "__main__":
    main()
