"""The learner's own functions, as a program that can be watched and changed."""

import ast
import copy
import inspect
import linecache
import os

from .calling import LIBRARIES
from .program import Program

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Own(Program):
    """A submission with the functions and classes of the learner's own that it uses. Raises
    LookupError where their text is not there, or is not that of a plain function or class."""

    def __init__(self, submission):
        self.handed_in, self.is_pair = submission, isinstance(submission, (tuple, list))
        mains = [*submission] if self.is_pair else [submission]
        if not mains or not all(map(is_own, mains)):
            raise LookupError("no function or class of the learner's own")
        try:
            super().__init__(mains, tree_of, lambda value: value if is_own(value) else None)
        except Exception as problem:  # whatever the module's text, or running it again, raises
            raise LookupError(str(problem)) from None

    def lines(self):
        """[(function, line)] of all statements."""
        return [
            (function, node.lineno)
            for function, tree in self.trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.stmt)
        ]

    def submission(self):
        """What was handed in, as its parts stand now."""
        return tuple(map(self.now, self.mains)) if self.is_pair else self.now()


def is_own(value):
    """Whether it is a plain function or class, and written by the learner."""
    code = code_of(value)
    if code is None or code.co_name == "<lambda>":
        return False
    return not code.co_filename.startswith((PACKAGE, *LIBRARIES))


def code_of(value):
    """The code of a function, or of the first method of a class; None if there is none."""
    if inspect.isclass(value):
        methods = [method for method in vars(value).values() if inspect.isfunction(method)]
        return methods[0].__code__ if methods else None
    return value.__code__ if inspect.isfunction(value) else None


def tree_of(function):
    """The tree of a function or class, with the lines of its file or cell. Raises LookupError."""
    code = code_of(function)
    text = "".join(linecache.getlines(code.co_filename, names_of(function)))
    kind = ast.ClassDef if inspect.isclass(function) else ast.FunctionDef
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, kind) and node.name == function.__name__:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            is_it = first <= code.co_firstlineno <= node.end_lineno
            if is_it and (kind is ast.ClassDef or first == code.co_firstlineno):
                node = copy.copy(node)
                node.decorator_list = []
                return ast.Module([node], [])
    raise LookupError(f"there is no text of {function.__name__}")


def names_of(function):
    return getattr(function, "__globals__", None)


def line_of(function, line):
    """The text of a line of the file or cell in which a function stands."""
    return linecache.getline(code_of(function).co_filename, line, names_of(function)).strip()
