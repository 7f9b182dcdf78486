"""What the lines of a function compute: each expression tells its value, and can be given
another."""

import ast
import contextlib
import copy
import dataclasses

import numpy as np

from .own import is_count

NAME = "_minitransformer_sees"  # under which the functions that are watched know `Watched.sees`
LARGEST = 1_000_000  # numbers in an array whose value is kept
MANY = 100  # values of a place that are kept
WATCHED = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Attribute, ast.Subscript, ast.Name,
           ast.IfExp)  # fmt: skip
CLOSED = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.JoinedStr)


@dataclasses.dataclass(frozen=True)
class Place:
    """An expression of a function, with the line of its statement. `whole` is true of all that a
    statement computes."""

    function: object
    line: int
    text: str
    whole: bool


class Watched:
    """A `Program` whose expressions tell their values, and can be given others.

    `places` are its expressions. After a run inside `recording`, `values` are {number of a place:
    its values}, in the order in which they were first computed.
    """

    def __init__(self, program):
        self.program, self.places = program, []
        self.values, self.instead = None, {}
        for function, tree in program.trees.items():
            program.spaces[function][NAME] = self.sees
            seen = Watching(self.places, function).visit(copy.deepcopy(tree))
            program.run(function, compile(ast.fix_missing_locations(seen), "<watched>", "exec"))

    def sees(self, number, value):
        """What the expression of that number comes to, where its own value is this one."""
        if number in self.instead:
            return copy.copy(self.instead[number])
        if self.values is not None and is_numeric(value):
            kept = self.values.setdefault(number, [])
            if len(kept) < MANY:
                kept.append(copy.copy(value))
        return value

    @contextlib.contextmanager
    def recording(self):
        self.values = {}
        try:
            yield self.values
        finally:
            self.values = None

    @contextlib.contextmanager
    def given(self, number, value):
        """Inside, the expression of that number has this value."""
        self.instead = {number: value}
        try:
            yield
        finally:
            self.instead = {}


def is_numeric(value):
    """Whether it is a number, a truth value, or an array of them that is not too large."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf" and value.size <= LARGEST
    return isinstance(value, (bool, int, float, np.number, np.bool_))


class Watching(ast.NodeTransformer):
    """Puts a call of `sees` around the expressions of a function, and notes their places."""

    def __init__(self, places, function):
        self.places, self.function, self.line = places, function, 0
        self.begun = []  # for each loop around: the variables that are set inside of it

    def seen(self, node, whole, line=None):
        if isinstance(node, ast.Tuple) and whole:
            node.elts = [self.seen(element, whole) for element in node.elts]
            return node
        text = ast.unparse(node)
        node = self.visit_parts(node)
        is_number = isinstance(getattr(node, "operand", None), ast.Constant)  # −1
        is_no_quantity = not whole and (is_number or not isinstance(node, WATCHED))
        if is_no_quantity or isinstance(node, ast.Starred):
            return node
        self.places.append(Place(self.function, line or self.line, text, whole))
        number = ast.Constant(len(self.places) - 1)
        return ast.Call(ast.Name(NAME, ast.Load()), [number, node], [])

    def visit_parts(self, node):
        """The node with the expressions inside of it watched."""
        if isinstance(node, CLOSED):
            return node
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                node.func.value = self.seen(node.func.value, False)
            node.args = [self.seen(argument, False) for argument in node.args]
            for keyword in node.keywords:
                keyword.value = self.seen(keyword.value, False)
            return node
        if isinstance(node, ast.Subscript):  # what it is asked for stays as it is
            node.value = self.seen(node.value, False)
            return node
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                setattr(node, field, self.seen(value, False))
            elif isinstance(value, list):
                value[:] = [self.seen(v, False) if isinstance(v, ast.expr) else v for v in value]
        return node

    def visit_ClassDef(self, node):
        node.body = [self.visit(s) if isinstance(s, ast.FunctionDef) else s for s in node.body]
        return node

    def visit_FunctionDef(self, node):
        node.body = self.block(node.body)
        return node

    def block(self, statements):
        made = []
        for statement in statements:
            new = self.visit(statement)
            made += new if isinstance(new, list) else [new]
        return made

    def visit_Assign(self, node):
        self.line = node.lineno
        text, unpacked = ast.unparse(node), isinstance(node.targets[0], ast.Tuple)
        names = [t.id for t in ast.walk(node.targets[0]) if isinstance(t, ast.Name)]
        is_pairwise = isinstance(node.value, ast.Tuple)
        node.value = self.seen(node.value, True)
        if not unpacked or is_pairwise or self.begun:
            return node
        return [node, *(s for name in names for s in self.once_more(name, node.lineno, text))]

    def visit_Return(self, node):
        self.line = node.lineno
        if node.value is not None:
            node.value = self.seen(node.value, True)
        return node

    def visit_AugAssign(self, node):
        self.line = node.lineno
        text = ast.unparse(node)
        node.value = self.seen(node.value, False)
        if self.begun or not isinstance(node.target, ast.Name):
            return node  # in a loop it is as yet part of a sum: `visit_For` watches it
        return [node, *self.once_more(node.target.id, node.lineno, text)]

    def visit_Expr(self, node):
        if is_count(node):
            return node
        self.line = node.lineno
        node.value = self.visit_parts(node.value)
        return node

    def visit_For(self, node):
        """A loop, behind which that is watched which it has made: a sum that begins in the loop
        around it is complete here, anything else behind the outermost loop."""
        stored, sums, begun = stores(node)
        around = self.begun[-1] if self.begun else None
        self.begun.append(begun)
        node.body = self.block(node.body)
        self.begun.pop()
        done = stored if around is None else [name for name in sums if name in around]
        return [node, *(s for name in done for s in self.once_more(name, *stored[name]))]

    visit_While = visit_For

    def visit_If(self, node):
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        return node

    def visit_With(self, node):
        node.body = self.block(node.body)
        return node

    def generic_visit(self, node):
        return node if isinstance(node, ast.stmt) else super().generic_visit(node)

    def once_more(self, name, line, text):
        """A statement that watches what a variable has become, if it has a value."""
        self.places.append(Place(self.function, line, text, True))
        number = len(self.places) - 1
        return ast.parse(f"if {name!r} in locals():\n    {name} = {NAME}({number}, {name})").body


def stores(loop):
    """What a loop changes: {variable: (line, text)} of the last statement that changes it or an
    entry of it, the variables that an operation such as `+=` changes, and those that are set."""
    stored, sums, begun = {}, [], set()
    for node in ast.walk(loop):
        if not isinstance(node, (ast.Assign, ast.AugAssign)):
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name):
                (begun.add if isinstance(node, ast.Assign) else sums.append)(target.id)
            while isinstance(target, ast.Subscript):
                target = target.value
            if isinstance(target, ast.Name) and node.lineno > stored.get(target.id, (0, ""))[0]:
                stored[target.id] = node.lineno, ast.unparse(node)
    return stored, list(dict.fromkeys(sums)), begun
