"""The learner's own functions, as a program that can be watched and changed."""

import ast
import copy
import inspect
import linecache
import os

import numpy as np

from .calling import LIBRARIES
from .program import Program

COUNT = "_minitransformer_counts"  # under which the functions know `Own.count`
LARGEST = 1_000_000  # numbers, or things in lists, that a changed function may have at hand
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Endless(Exception):
    """A changed function has gone through its loops or called itself far more often than the one
    handed in, or has made its lists or arrays grow."""


class Own(Program):
    """A submission with the functions and classes of the learner's own that it uses.

    `rounds` counts the rounds of their loops and their calls; more than `most` are not made, so
    that none that is changed runs without end. Raises LookupError where their text is not there, or
    is not that of a plain function or class.
    """

    rounds, most = 0, None

    def __init__(self, submission):
        self.handed_in, self.is_pair = submission, isinstance(submission, (tuple, list))
        mains = [*submission] if self.is_pair else [submission]
        if not mains or not all(map(is_own, mains)):
            raise LookupError("no function or class of the learner's own")
        try:
            super().__init__(mains, tree_of, lambda value: value if is_own(value) else None)
        except Exception as problem:  # whatever the module's text, or running it again, raises
            raise LookupError(str(problem)) from None
        for function, tree in self.trees.items():
            self.spaces[function][COUNT] = self.count
            for node in ast.walk(tree):
                if isinstance(node, (ast.For, ast.While, ast.FunctionDef)):
                    node.body.insert(0, counting(node))
            self.run(function, compile(tree, "<counted>", "exec"))

    def count(self, variables):
        self.rounds += 1
        if self.most is not None and (
            self.rounds > self.most or sum(map(size_of, variables.values())) > LARGEST
        ):
            raise Endless

    def lines(self):
        """[(function, line)] of all statements."""
        return [
            (function, node.lineno)
            for function, tree in self.trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.stmt) and not is_count(node)
        ]

    def run(self, function, code):
        super().run(function, code)
        if inspect.isfunction(function):  # else it would be worked out at each call
            self.now(function).__signature__ = inspect.signature(function)

    def submission(self):
        """What was handed in, as its parts stand now; the rounds are counted anew."""
        self.rounds = 0
        return tuple(map(self.now, self.mains)) if self.is_pair else self.now()


def counting(owner):
    """A statement that counts a round of a loop, or a call of a function; it stands in the first
    line of these."""
    statement = ast.parse(f"{COUNT}(locals())").body[0]
    for node in ast.walk(statement):
        ast.copy_location(node, owner)
    return statement


def is_count(statement):
    """Whether it is a statement of ours, which counts."""
    call = getattr(statement, "value", None)
    return isinstance(call, ast.Call) and getattr(call.func, "id", "") == COUNT


def size_of(value):
    """How many numbers an array has, or things a list; 0 for anything else."""
    if isinstance(value, (list, tuple)):
        return len(value)
    return value.size if isinstance(value, np.ndarray) else 0


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
