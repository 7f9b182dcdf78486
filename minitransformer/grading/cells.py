"""The code of a submission, cell by cell: of a notebook in any format, or of a Python file."""

import ast
import io
import json
import re
import tokenize

CELL = re.compile(r"# ?%%")
AGAIN = "Save it again, from the program in which it was written."
# %%bash, %%html, ...: no Python below
OTHER_LANGUAGE = re.compile(r"\s*%%(?!time|timeit|capture|prun)")
# IPython's own, unknown to Python
MAGIC = re.compile(r"^(\s*)(?:[%!?].*|.*\?\s*|\w+\s*=\s*[%!].*)$", re.MULTILINE)


class Refused(Exception):
    """A file that is neither a notebook nor Python text. The message says why, and what helps."""


def cells_of(file):
    """[(its place, its code)] of the code cells of a submission. A Python file's cells keep their
    lines' numbers.

    In a Python file a cell begins with `# %%`; without such lines, each statement is a cell. Raises
    Refused.
    """
    return notebook_cells(file) if file.suffix.lower() == ".ipynb" else python_cells(file)


def notebook_cells(file):
    try:
        book = json.loads(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as problem:
        raise Refused(f"not UTF-8 ({problem.reason} at byte {problem.start}). {AGAIN}") from None
    except (ValueError, RecursionError) as problem:
        raise Refused(f"not a notebook: its JSON cannot be read ({problem}). {AGAIN}") from None
    sheets = (
        _list(book, "worksheets", "") if isinstance(book, dict) and "worksheets" in book else [book]
    )  # format 3
    cells = [
        cell
        for n, sheet in enumerate(sheets, 1)
        for cell in _list(sheet, "cells", f" of sheet {n}" if len(sheets) > 1 else "")
    ]
    return [
        (f"cell {n}", without_magic(_source(cell, n)))
        for n, cell in enumerate(cells, 1)
        if _is_code(cell, n)
    ]


def _list(holder, name, where):
    found = holder.get(name, []) if isinstance(holder, dict) else None
    if not isinstance(found, list):
        raise Refused(f"not a notebook: `{name}`{where} should be a list of cells. {AGAIN}")
    return found


def _is_code(cell, n):
    if not isinstance(cell, dict):
        raise Refused(
            f"not a notebook: cell {n} should be a dict, and is of type {type(cell).__name__}. "
            f"{AGAIN}"
        )
    return cell.get("cell_type") == "code"


def _source(cell, n):
    """A cell's code: a text, or a list of lines; format 3 calls it `input`."""
    source = cell.get("source", cell.get("input", ""))
    lines = source if isinstance(source, list) else [source]
    if not all(isinstance(line, str) for line in lines):
        raise Refused(f"not a notebook: the source of cell {n} should be text. {AGAIN}")
    return "".join(lines)


def without_magic(code):
    """The code without what only IPython understands: `%matplotlib inline`, `!pip`, `x?`, a cell of
    another language."""
    if OTHER_LANGUAGE.match(code):
        return ""
    code = re.sub(r"\A\s*%%.*", "", code)
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # also a zero byte, and what is nested too deeply
        # a command over several lines
        joined = re.sub(r"^(\s*[%!].*)\\\n", r"\1", code, flags=re.MULTILINE)
        return MAGIC.sub(r"\1pass", joined)
    return code


def python_cells(file):
    try:
        with tokenize.open(file) as lines:  # which knows of byte order marks and coding cookies
            text = lines.read()
    except (SyntaxError, ValueError, LookupError) as problem:
        # bytes that are not UTF-8, a coding that does not exist
        why = str(problem).replace(str(file), file.name)  # not the path of a copy
        raise Refused(f"not UTF-8 text ({why}). Save it as UTF-8.") from None
    lines = text.split("\n")
    starts = marks(text) or statements(text)
    cells = [
        (start, "\n".join(lines[start:end]))
        for start, end in zip([0, *starts], [*starts, len(lines)])
    ]
    return [(file.name, "\n" * start + without_magic(cell)) for start, cell in cells]


def marks(text):
    """The lines, from 0, that begin a cell: comments, and nothing that looks like one in a
    string."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and token.start[1] == 0 and CELL.match(token.string):
                found.append(token.start[0] - 1)
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError, MemoryError):
        # what came before the mistake is known
        pass
    return found


def statements(text):
    """The lines, from 0, with which the statements of a file begin; none if it is not Python."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found, end = [], 0
    for node in body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        if first > end:  # not on the line on which the one before ends
            found.append(first - 1)
        end = node.end_lineno
    return found
