"""The code of a submission, cell by cell: of a notebook in any format, or of a Python file."""

import ast
import io
import json
import re
import tokenize

CELL = re.compile(r"# ?%%")
OTHER_LANGUAGE = re.compile(r"\s*%%(?!time|timeit|capture|prun)")  # %%bash, %%html, ...: no Python below
MAGIC = re.compile(r"^(\s*)(?:[%!?].*|.*\?\s*|\w+\s*=\s*[%!].*)$", re.MULTILINE)  # IPython's own, unknown to Python


def cells_of(file):
    """[(its place, its code)] of the code cells of a submission. A Python file's cells keep their lines' numbers.

    In a Python file a cell begins with `# %%`; without such lines, each statement is a cell.
    """
    return notebook_cells(file) if file.suffix.lower() == ".ipynb" else python_cells(file)


def notebook_cells(file):
    book = json.loads(file.read_text(encoding="utf-8-sig"))
    sheets = book.get("worksheets", [book])  # format 3 has sheets, and `input` for `source`
    cells = [cell for sheet in sheets for cell in sheet.get("cells", [])]
    code = [(n, cell.get("source", cell.get("input", ""))) for n, cell in enumerate(cells, 1) if cell.get("cell_type") == "code"]
    return [(f"cell {n}", without_magic("".join(source))) for n, source in code]


def without_magic(code):
    """The code without what only IPython understands: `%matplotlib inline`, `!pip`, `x?`, a cell of another language."""
    if OTHER_LANGUAGE.match(code):
        return ""
    code = re.sub(r"\A\s*%%.*", "", code)
    try:
        ast.parse(code)
    except SyntaxError:
        joined = re.sub(r"^(\s*[%!].*)\\\n", r"\1", code, flags=re.MULTILINE)  # a command over several lines
        return MAGIC.sub(r"\1pass", joined)
    return code


def python_cells(file):
    with tokenize.open(file) as lines:  # which knows of byte order marks and coding cookies
        text = lines.read()
    lines = text.split("\n")
    starts = marks(text) or statements(text)
    cells = [(start, "\n".join(lines[start:end])) for start, end in zip([0, *starts], [*starts, len(lines)])]
    return [(file.name, "\n" * start + without_magic(cell)) for start, cell in cells]


def marks(text):
    """The lines, from 0, that begin a cell: comments, and nothing that looks like one in a string."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and token.start[1] == 0 and CELL.match(token.string):
                found.append(token.start[0] - 1)
    except (tokenize.TokenError, SyntaxError):  # what came before the mistake is known
        pass
    return found


def statements(text):
    """The lines, from 0, with which the statements of a file begin; none if it is not Python."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return []
    found, end = [], 0
    for node in body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        if first > end:  # not on the line on which the one before ends
            found.append(first - 1)
        end = node.end_lineno
    return found
