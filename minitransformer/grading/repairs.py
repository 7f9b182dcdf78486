"""Which one change of a learner's own lines makes a wrong answer right: what is changed there is at
fault.

What `changes` makes of the right way, and what may have been left out: a factor, a term, a sum, a
root, the kept axis of a sum, a transposition.
"""

import ast
import re

from .changes import (
    REDUCTIONS,
    Place,
    called,
    everywhere,
    in_another_order,
    number,
    places,
    put,
    shown,
    stored,
    transposed,
    variants,
)  # fmt: skip

SIZES = re.compile(r"\w+\.shape(\[.*\])?|len\(\w+\)")
OPERATIONS = {ast.Mult: "factor", ast.Add: "term", ast.Sub: "term", ast.Div: "divisor"}
ANOTHER = {
    ast.Name: "array", ast.Constant: "number", ast.Subscript: "part", ast.Compare: "comparison",
}  # fmt: skip


def repairs(tree, lines):
    """Make one change after the other in the tree of a learner's function, in these lines; give
    (line, what is wrong there) of each while it stands."""
    function = tree.body[0]
    there = [row for row in places(function, "") if getattr(row[3], "lineno", None) in lines]
    quantities, counters = {*quantities_of(function)}, counters_of(function)
    for make in (exchanges, additions):
        for parent, field, index, node, place in there:
            if make is additions and node not in quantities:
                continue
            names = [name for name in place.names if name not in counters]
            for new, words in make(node, place if make is exchanges else Place("", names)):
                put(parent, field, index, ast.fix_missing_locations(new))
                yield node.lineno, words
                put(parent, field, index, node)
    for _, _, line in everywhere(function):
        if line in lines:
            yield line, "one array stands for another, or two are exchanged"
    for _, _, line in in_another_order(function):
        if line in lines:
            yield line, "it stands before a line that it should follow, or after it"


def quantities_of(node):
    """The expressions below a node that stand for a quantity: no function, index or setting."""
    if isinstance(node, ast.expr):
        yield node
    for field, value in ast.iter_fields(node):
        if field in ("slice", "keywords", "args" if isinstance(node, ast.FunctionDef) else ""):
            continue
        for child in value if isinstance(value, list) else [value]:
            if field == "func":  # of a method, what it belongs to
                child = getattr(child, "value", None)
                if getattr(child, "id", "np") in ("np", "numpy", "math"):
                    continue
            if isinstance(child, ast.AST):
                yield from quantities_of(child)


def counters_of(function):
    """The variables of a function that count: those of its loops, and sizes."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, (ast.For, ast.comprehension)):
            found |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        if isinstance(node, ast.Assign) and SIZES.fullmatch(ast.unparse(node.value)):
            found |= {*stored(node)}
    return found


def exchanges(node, place):
    for _, new, _ in variants(node, place):
        yield new, fault(node, new)


def fault(node, new):
    """What is wrong with an expression or statement in whose place another is right."""
    text = shown(node)
    if isinstance(node, ast.stmt):
        if isinstance(new, ast.Pass):
            return f"{text} should not be there"
        if isinstance(node, ast.AugAssign) or isinstance(new, ast.Assign):
            return f"{text} has the wrong sign or operator"
        return f"the condition of {text} is wrong"
    inside = {ast.dump(n) for n in ast.walk(node)}
    if ast.dump(new) in inside:
        return f"there is something too many in {text}"
    if type(node) is type(new) and type(node) in ANOTHER:
        return f"{text} should be another {ANOTHER[type(node)]}"
    if isinstance(new, ast.UnaryOp) and isinstance(new.op, ast.USub):
        return f"{text} has the wrong sign"
    if isinstance(node, ast.Name) and isinstance(new, ast.Call):
        return f"{text} is not transposed"
    if isinstance(node, ast.BinOp) and isinstance(new, ast.BinOp):
        if type(node.op) is not type(new.op):
            return f"{text} has the wrong operator, or a bracket stands in the wrong place"
        return f"{text} has its parts in the wrong order or place"
    if isinstance(node, ast.Call) and isinstance(new, ast.Call):
        if ast.dump(node.func) != ast.dump(new.func):
            return f"{text} calls the wrong function"
        if [ast.dump(k) for k in node.keywords] != [ast.dump(k) for k in new.keywords]:
            return f"{text} goes over the wrong axis, or has another wrong setting"
        return f"{text} has its arguments in the wrong order or place"
    return f"{text} is not right"


def additions(node, place):
    """(what may stand in place of an expression, what the expression lacks)."""
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    if isinstance(node, (ast.Constant, ast.Tuple, ast.List, ast.Slice, ast.Starred)):
        return
    text = shown(node)
    for name in place.names:
        other = ast.Name(name, ast.Load())
        for operation, kind in OPERATIONS.items():
            yield ast.BinOp(node, operation(), other), f"{text} lacks a {kind}"
        root = called("sqrt", other)
        for operation in (ast.Mult, ast.Div):
            yield ast.BinOp(node, operation(), root), f"{text} lacks a factor"
    for k in (-1, -2, 0, 1):
        size = ast.Subscript(ast.Attribute(node, "shape", ast.Load()), number(k), ast.Load())
        yield ast.BinOp(node, ast.Div(), size), f"{text} lacks a divisor"
        yield ast.BinOp(node, ast.Div(), called("sqrt", size)), f"{text} lacks a divisor"
    yield ast.BinOp(number(1), ast.Sub(), node), f"{text} should be taken off 1"
    yield ast.BinOp(node, ast.Add(), number(1)), f"{text} lacks a term"
    yield ast.BinOp(node, ast.Mult(), node), f"{text} is not squared"
    yield called("sqrt", node), f"{text} lacks a root"
    yield ast.UnaryOp(ast.USub(), node), f"{text} has the wrong sign"
    if not isinstance(node, ast.Name):  # `changes` does so for names
        yield transposed(node), f"{text} is not transposed"
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in (*REDUCTIONS, "var", "std"):
        kept = ast.keyword("keepdims", ast.Constant(True))
        yield ast.Call(node.func, node.args, [*node.keywords, kept]), f"{text} loses its axis"
        return
    for axis in (-1, -2, 0):
        kept = [ast.keyword("axis", number(axis)), ast.keyword("keepdims", ast.Constant(True))]
        for name in ("sum", "mean"):
            function = ast.Attribute(node, name, ast.Load())
            yield ast.Call(function, [], kept), f"{text} lacks a {name}"
