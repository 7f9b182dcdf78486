"""Docstrings as reStructuredText: what is indented becomes a formula or a block of code, a name in
backticks a link, and nothing else is markup."""

import inspect
import re
import textwrap

from formulas import FORMULAS, blocks, pieces, tex

CODE = re.compile(r"`([^`]+)`")


class Docstrings:
    """`names`: {a name: the documented object that it stands for}."""

    def __init__(self, names):
        self.names = names

    def written(self, docstring, formulas=()):
        """The docstring, its indented blocks replaced by the formulas, one display for each block
        while there are any."""
        formulas, parts = list(formulas), []
        for block in re.split(r"\n{2,}", inspect.cleandoc(docstring or "")):
            if block.startswith("    "):
                formula = formulas.pop(0) if formulas else None
                parts.append(shown(formula) if formula else literal(textwrap.dedent(block)))
            elif block.startswith("- "):
                items = re.split(r"\n(?=- )", block)
                parts.append("\n".join(f"- {self.line(item[2:])}" for item in items))
            else:
                parts += self.paragraph(block)
        return "\n\n".join(parts + [shown(formula) for formula in formulas])

    def paragraph(self, block):
        """A paragraph; formulas may stand on indented lines right below its first one."""
        text, *rest = re.split(r"\n(?=    )", block, maxsplit=1)
        return [self.line(text), *(literal(textwrap.dedent(lines)) for lines in rest)]

    def line(self, text):
        """A paragraph on one line, so that none of its lines can look like the item of a list."""
        words = CODE.split(" ".join(text.split()))
        return "".join(
            self.code(word) if i % 2 else re.sub(r"([*_|\\])", r"\\\1", word)
            for i, word in enumerate(words)
        )

    def code(self, word):
        name = self.names.get(word)
        return rf"\ :py:obj:`{word} <{name}>`\ " if name else rf"\ ``{word}``\ "


def literal(text):
    return ".. code-block:: text\n\n" + textwrap.indent(text.rstrip(), "   ")


def shown(formula):
    return ".. math::\n\n" + textwrap.indent(formula, "   ")


def formulas_of(component):
    """A display for each indented block of the component's docstring."""
    left = [formula for _, formula in FORMULAS[component.__name__]]
    displays = []
    for block in blocks(component.__doc__):
        count = len(pieces(block))
        displays.append(tex(left[:count]))
        left = left[count:]
    return displays + ([tex(left)] if left else [])
