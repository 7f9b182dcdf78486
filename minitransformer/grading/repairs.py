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
SUMS = (*REDUCTIONS, "var", "std")
AXES = ("[:, None]", "[..., None]", "[:, None, None]")
OPERATIONS = {ast.Mult: "factor", ast.Add: "term", ast.Sub: "term", ast.Div: "divisor"}
ANOTHER = {
    ast.Name: "array", ast.Constant: "number", ast.Subscript: "part", ast.Compare: "comparison",
}  # fmt: skip


def repairs(tree, line, kind):
    """Make one change of a kind after the other in a line of a learner's function; give what says
    what is wrong there, a function without arguments, while it stands."""
    function = tree.body[0]
    if kind is rearrangements:
        for other, words in rearrangements(function):
            if other == line:
                yield lambda words=words: words
        return
    there = [row for row in places(function, "") if getattr(row[3], "lineno", None) == line]
    quantities, counters = {*quantities_of(function)}, counters_of(function)
    for parent, field, index, node, place in there:
        if kind is not exchanges:
            if node not in quantities:
                continue
            place = Place("", [name for name in place.names if name not in counters])
        for new, words in kind(node, place):
            put(parent, field, index, ast.fix_missing_locations(new))
            yield lambda node=node, new=new, words=words: words or fault(node, new)
            put(parent, field, index, node)


def rearrangements(function):
    """(line, what is wrong) of each change of more than one place, while it stands."""
    for _, _, line in everywhere(function):
        yield line, "one array stands for another, or two are exchanged"
    for _, _, line in in_another_order(function):
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
    """(what may stand in place of a node, "")."""
    for _, new, _ in variants(node, place):
        yield new, ""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    is_there = isinstance(target, ast.Name) and target.id in place.names
    if is_there:  # another array takes the name, and the first one stays
        inside = ast.Subscript(ast.Name(target.id, ast.Load()), ast.Constant(...), ast.Store())
        yield ast.Assign([inside], node.value), f"{shown(target)} is not changed in place"
    if is_there or isinstance(target, ast.Subscript):
        words = f"{shown(target)} takes a new value, where it should be added to what is there"
        yield ast.AugAssign(target, ast.Add(), node.value), words


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


def can_lack(node):
    is_read = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
    return is_read and not isinstance(node, (ast.Constant, ast.Tuple, ast.List, ast.Starred))


def corrections(node, place):
    """(what may stand in place of an expression, what it lacks): a sign, a number, an axis, a
    sum."""
    if not can_lack(node):
        return
    text = shown(node)
    yield ast.UnaryOp(ast.USub(), node), f"{text} has the wrong sign"
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield transposed(node.value), f"{text} has all axes in the reverse order"
    elif not isinstance(node, ast.Name):  # `changes` does so for names
        yield transposed(node), f"{text} is not transposed"
    is_sum = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in SUMS
    if is_sum:
        kept = ast.keyword("keepdims", ast.Constant(True))
        yield ast.Call(node.func, node.args, [*node.keywords, kept]), f"{text} loses its axis"
    for factor in (0.5, 2):
        yield ast.BinOp(node, ast.Mult(), number(factor)), f"{text} lacks a factor"
    yield ast.BinOp(number(1), ast.Sub(), node), f"{text} should be taken off 1"
    for step, words in ((1, "small"), (-1, "large")):
        yield ast.BinOp(node, ast.Add(), number(step)), f"{text} is one too {words}"
    for power in (2, 3):
        yield ast.BinOp(node, ast.Pow(), number(power)), f"{text} lacks a power"
    yield called("sqrt", node), f"{text} lacks a root"
    for k in (-1, -2, 0, 1):
        size = ast.Subscript(ast.Attribute(node, "shape", ast.Load()), number(k), ast.Load())
        for divisor in (size, called("sqrt", size)):
            yield ast.BinOp(node, ast.Div(), divisor), f"{text} lacks a divisor"
    for index in AXES:
        new = ast.parse(f"x{index}", mode="eval").body
        new.value = node
        yield new, f"{text} lacks an axis"
    for axis in () if is_sum else (-1, -2, 0):
        kept = [ast.keyword("axis", number(axis)), ast.keyword("keepdims", ast.Constant(True))]
        for name in ("sum", "mean"):
            function = ast.Attribute(node, name, ast.Load())
            yield ast.Call(function, [], kept), f"{text} lacks a {name}"


def additions(node, place):
    """(what may stand in place of an expression, what it lacks): a factor, a term, a divisor."""
    if not can_lack(node):
        return
    text = shown(node)
    for name in place.names:
        other = ast.Name(name, ast.Load())
        for operation, lacking in OPERATIONS.items():
            yield ast.BinOp(node, operation(), other), f"{text} lacks a {lacking}"
        root = called("sqrt", other)
        for operation in (ast.Mult, ast.Div):
            yield ast.BinOp(node, operation(), root), f"{text} lacks a factor"


KINDS = (exchanges, corrections, additions, rearrangements)  # the likelier ones first
