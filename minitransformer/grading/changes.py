"""Changes of a function, one place at a time, each with the words for it: what could have been
written instead.

A change leaves a term, a factor or a call out, exchanges two arrays, or takes another name, sign,
operator, axis, function, size, slice or number. `changes` makes them in a tree of Python's `ast`,
one after the other, and undoes each.
"""

import ast
import itertools

LONGEST = 50  # characters of an expression that is shown
OPERATORS = {
    ast.Add: (ast.Sub, "subtracted"), ast.Sub: (ast.Add, "added"), ast.Mult: (ast.Div, "divided"),
    ast.Div: (ast.Mult, "multiplied"), ast.BitAnd: (ast.BitOr, "joined by `|`"),
    ast.BitOr: (ast.BitAnd, "joined by `&`"),
}  # fmt: skip
SIGNS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
}  # fmt: skip
REDUCTIONS = ("sum", "mean", "max")
SPREADS = ("std", "var")
ALIKE = (
    REDUCTIONS, SPREADS, ("maximum", "minimum"), ("sin", "cos"), ("zeros", "ones"),
    ("exp", "exp2"), ("log", "log2", "log10"),
)  # fmt: skip
USUAL = (0.9, 0.98, 0.999)  # the decay rates of Adam: of PyTorch, of the paper of 2017
FIRST_OF = ("[:1]", "[:, :1]", "[:, :, :1]")  # of an axis: it then serves all of them
AXES = (None, -1, -2, 0, 1, 2, (0, 1))
TRANSPOSES = ("swapaxes", "transpose")
LEFT_OUT, EXCHANGED, REPLACED, OTHER, COUNTED = range(5)  # the simplest kind of change comes first


def changes(tree, returned):
    """Make one change after the other in the tree of a function; give (rank, words, line) of each
    while it stands. `returned` is the name of what the function returns."""
    function = tree.body[0]
    for parent, field, index, node, place in places(function, returned):
        for rank, new, words in variants(node, place):
            put(parent, field, index, new)
            yield rank, words.replace("{}", place.quantity), node.lineno
            put(parent, field, index, node)
    yield from everywhere(function)
    yield from in_another_order(function)


def put(parent, field, index, node):
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


class Place:
    """The quantity that is computed at a place, and the names that can be used there."""

    def __init__(self, quantity, names):
        self.quantity, self.names = quantity, names


def places(function, returned):
    """(parent, field, index, node, Place) of every statement and expression of a function."""
    yield from _below(function, Place(returned, arguments_of(function)), returned)


def arguments_of(function):
    arguments = getattr(function, "args", None)  # a class has none
    return [argument.arg for argument in arguments.args] if arguments else []


def _below(parent, place, returned):
    """Those below a node, in the order of the source: each assignment adds to the names."""
    for field, value in ast.iter_fields(parent):
        if isinstance(parent, ast.FunctionDef) and field != "body":
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, (ast.expr, ast.stmt, ast.comprehension, ast.keyword)):
                continue
            here = place
            if isinstance(node, ast.FunctionDef):
                here = Place(returned, [*place.names, *arguments_of(node)])
            elif isinstance(node, (ast.Assign, ast.AugAssign)):
                here = Place(" and ".join(stored(node)), place.names)
            elif isinstance(node, ast.Return):
                here = Place(returned, place.names)
            elif field in ("iter", "test") and isinstance(parent, (ast.For, ast.While)):
                here = Place(place.quantity, [])  # over another list, a loop might never end
            yield parent, field, index, node, here
            yield from _below(node, here, returned)
            if isinstance(node, ast.Assign) and not isinstance(node.value, ast.List):
                place = Place(place.quantity, list(dict.fromkeys([*place.names, *stored(node)])))


def stored(node):
    """The names that an assignment gives a value, or another entry."""
    waiting = [*node.targets] if isinstance(node, ast.Assign) else [node.target]
    names = []
    for target in waiting:  # which grows
        if isinstance(target, (ast.Tuple, ast.List)):
            waiting += target.elts
        elif isinstance(target, (ast.Subscript, ast.Attribute, ast.Starred)):
            waiting.append(target.value)
        elif isinstance(target, ast.Name):
            names.append(target.id)
    return list(dict.fromkeys(names))


def shown(node):
    text = ast.unparse(node)
    return f"`{text}`" if len(text) <= LONGEST else "what stands there"


# -- what may stand in place of a node -------------------------------------------------------------


def variants(node, place):
    """(rank, what may stand in place of the node, the words for it); {} stands for the quantity."""
    make = VARIANTS.get(type(node))
    return make(node, place) if make else ()


def number(value):
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def called(function, *arguments):
    """A call of NumPy's function, or of the method of an array."""
    if isinstance(function, str):
        function = ast.Attribute(ast.Name("np", ast.Load()), function, ast.Load())
    return ast.Call(function, list(arguments), [])


def transposed(node):
    return called(ast.Attribute(node, "swapaxes", ast.Load()), number(-1), number(-2))


def of_name(node, place):
    if not isinstance(node.ctx, ast.Load) or node.id not in place.names:
        return
    for other in place.names:
        if other != node.id:
            words = f"{{}} is computed with `{other}` in place of another array"
            yield REPLACED, ast.Name(other, ast.Load()), words
    yield OTHER, transposed(node), f"`{node.id}` is transposed in {{}}"
    yield OTHER, ast.UnaryOp(ast.USub(), node), f"`{node.id}` has the other sign in {{}}"
    for step, words in ((1, "large"), (-1, "small")):
        new = ast.BinOp(node, ast.Add(), number(step))
        yield COUNTED, new, f"`{node.id}` is one too {words} in {{}}"
    for axis, index in enumerate(FIRST_OF):
        first = ast.parse(f"{node.id}{index}", mode="eval").body
        words = f"the first of `{node.id}` along axis {axis} serves all others in {{}}"
        yield COUNTED, first, words


def of_operation(node, place):
    left, right, op = node.left, node.right, node.op
    a, b = shown(left), shown(right)
    if isinstance(op, (ast.Add, ast.Sub)):
        alone = right if isinstance(op, ast.Add) else ast.UnaryOp(ast.USub(), right)
        yield LEFT_OUT, left, f"the term {b} is left out of {{}}"
        yield LEFT_OUT, alone, f"the term {a} is left out of {{}}"
    elif isinstance(op, ast.Pow):
        yield LEFT_OUT, left, f"the power of {a} is left out of {{}}"
    else:
        divides = isinstance(op, ast.Div)
        yield LEFT_OUT, left, f"{{}} is not {'divided' if divides else 'multiplied'} by {b}"
        if divides:
            yield LEFT_OUT, ast.BinOp(number(1), op, right), f"{{}} is computed without {a}"
        else:
            yield LEFT_OUT, right, f"{{}} is computed without {a}"
    if type(op) in OPERATORS:
        other, words = OPERATORS[type(op)]
        yield EXCHANGED, ast.BinOp(left, other(), right), f"{a} and {b} are {words} in {{}}"
    if isinstance(op, (ast.Sub, ast.Div, ast.MatMult, ast.Pow)):
        yield EXCHANGED, ast.BinOp(right, op, left), f"{a} and {b} stand in the other order in {{}}"
    if isinstance(op, ast.MatMult):
        new = ast.BinOp(left, ast.Mult(), right)
        yield OTHER, new, f"{a} and {b} are multiplied entry by entry in {{}}"
    if isinstance(op, (ast.Mult, ast.Div)):
        words = "divided" if isinstance(op, ast.Div) else "multiplied"
        root, square = called("sqrt", right), ast.BinOp(right, ast.Pow(), number(2))
        yield OTHER, ast.BinOp(left, op, root), f"{{}} is {words} by the root of {b}"
        yield OTHER, ast.BinOp(left, op, square), f"{{}} is {words} by {b} twice"
    yield from of_brackets(node)


def of_brackets(node):
    """(a + b) * c as a + b * c, and a + b * c as (a + b) * c; likewise from the other side."""
    left, right, op = node.left, node.right, node.op
    sums, products = (ast.Add, ast.Sub), (ast.Mult, ast.Div, ast.MatMult)
    inside = products if isinstance(op, sums) else sums if isinstance(op, products) else ()
    words = "brackets are {} in {{}}".format("missing" if inside is sums else "too many")
    if isinstance(left, ast.BinOp) and isinstance(left.op, inside):
        new = ast.BinOp(left.left, left.op, ast.BinOp(left.right, op, right))
        yield EXCHANGED, new, f"{words}: {shown(new)}"
    if isinstance(right, ast.BinOp) and isinstance(right.op, inside):
        new = ast.BinOp(ast.BinOp(left, op, right.left), right.op, right.right)
        yield EXCHANGED, new, f"{words}: {shown(new)}"


def of_sign(node, place):
    if isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield EXCHANGED, node.operand, f"the sign of {shown(node.operand)} is left out of {{}}"
    elif isinstance(node.op, (ast.Invert, ast.Not)):
        yield EXCHANGED, node.operand, f"{shown(node.operand)} is not negated in {{}}"


def of_comparison(node, place):
    for other in COMPARISONS.get(type(node.ops[0]), ()):
        new = ast.Compare(node.left, [other(), *node.ops[1:]], node.comparators)
        yield EXCHANGED, new, f"{{}} compares by `{SIGNS[other]}`"


def of_constant(node, place):
    value = node.value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    others = [value + 1, value - 1, -value, 2 * value, value / 2, 0]
    others += [1 / value, value**2, value**0.5] if value > 0 else []
    others += [value / 10, value * 10] if value >= 10 else []
    others += USUAL if value in USUAL else ()
    for other in dict.fromkeys(others):
        if other != value:
            yield COUNTED, number(other), f"the number {other:.6g} stands in {{}}"


def of_call(node, place):
    function, arguments, keywords = node.func, node.args, node.keywords
    name = getattr(function, "attr", getattr(function, "id", ""))
    is_method = isinstance(function, ast.Attribute) and ast.unparse(function.value) != "np"
    subject = function.value if is_method else arguments[0] if arguments else None
    if name in TRANSPOSES and is_method:
        reshaped = called("reshape", subject, ast.Attribute(node, "shape", ast.Load()))
        words = f"{shown(subject)} is reshaped in {{}}, where its axes should be exchanged"
        yield LEFT_OUT, subject, f"{shown(subject)} is not transposed in {{}}"
        yield OTHER, reshaped, words
        return
    for given in [*([subject] if is_method else []), *arguments]:
        yield LEFT_OUT, given, f"`{name}` is left out of {{}}"
    for k, keyword in enumerate(keywords):
        others = [*keywords[:k], *keywords[k + 1 :]]
        if keyword.arg == "axis":
            for axis in AXES:
                if ast.unparse(keyword.value) != repr(axis):
                    new = ast.keyword("axis", ast.parse(repr(axis), mode="eval").body)
                    over = "everything" if axis is None else f"axis {axis}"
                    yield (
                        EXCHANGED, ast.Call(function, arguments, [*others, new]),
                        f"the {name} in {{}} is taken over {over}",
                    )
        else:
            without = f"`{keyword.arg}={ast.unparse(keyword.value)}`"
            yield LEFT_OUT, ast.Call(function, arguments, others), f"{without} is left out of {{}}"
    for other in next((group for group in ALIKE if name in group), ()):
        if isinstance(function, ast.Attribute) and other != name:
            new = ast.Call(ast.Attribute(function.value, other, ast.Load()), arguments, keywords)
            words = f"`{other}` stands for `{name}`"
            if name in REDUCTIONS:
                words = f"a {other} stands for the {name}"
            yield EXCHANGED, new, f"{words} in {{}}"
    if name in SPREADS:
        new = ast.Call(function, arguments, [*keywords, ast.keyword("ddof", number(1))])
        yield OTHER, new, f"the {name} in {{}} divides by n − 1"
    if name in (*REDUCTIONS, *SPREADS):
        yield OTHER, called("sqrt", node), f"the root of the {name} is taken in {{}}"
    for i, j in itertools.combinations(range(len(arguments)), 2):
        yield EXCHANGED, ast.Call(function, exchanged(arguments, i, j), keywords), (
            f"{shown(arguments[i])} and {shown(arguments[j])} are exchanged in {{}}"
        )
    if len(arguments) == 1 and isinstance(arguments[0], ast.BinOp) and not is_method:
        inner = arguments[0]
        for inside, outside in ((inner.left, inner.right), (inner.right, inner.left)):
            new = ast.BinOp(ast.Call(function, [inside], keywords), inner.op, outside)
            yield OTHER, new, f"{shown(outside)} stands outside of `{name}` in {{}}"


def exchanged(items, i, j):
    items = list(items)
    items[i], items[j] = items[j], items[i]
    return items


def of_attribute(node, place):
    if node.attr == "T":
        yield LEFT_OUT, node.value, f"{shown(node.value)} is not transposed in {{}}"
    if ast.unparse(node) == "np.inf":
        yield COUNTED, number(0), "0 stands for ∞ in {}"


def of_subscript(node, place):
    if not isinstance(node.ctx, ast.Load):
        return
    if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
        for k in (-1, -2, 0, 1, 2):
            new = ast.Subscript(node.value, number(k), node.ctx)
            if ast.unparse(new) != ast.unparse(node):
                yield COUNTED, new, f"{shown(new)} is the size in {{}}"
        return
    yield LEFT_OUT, node.value, f"all of {shown(node.value)} is taken in {{}}"
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for k, part in enumerate(parts):
        for other in other_slices(part):
            index = ast.Tuple([*parts[:k], other, *parts[k + 1 :]], ast.Load())
            new = ast.Subscript(node.value, index if len(parts) > 1 else other, node.ctx)
            yield EXCHANGED, new, f"{shown(new)} is taken in {{}}"


def other_slices(part):
    """[1:] as [:-1], [n:] as [:n], [0::2] as [1::2], and the other way round."""
    if not isinstance(part, ast.Slice):
        return
    low, high, step = part.lower, part.upper, part.step
    if step is not None:
        yield ast.Slice(None if low and ast.unparse(low) == "1" else number(1), high, step)
    elif low and not high:
        yield ast.Slice(None, number(-1) if ast.unparse(low) == "1" else low, None)
    elif high and not low:
        yield ast.Slice(number(1) if ast.unparse(high) == "-1" else high, None, None)


def of_tuple(node, place):
    if isinstance(node.ctx, ast.Load):
        for i, j in itertools.combinations(range(len(node.elts)), 2):
            words = f"{shown(node.elts[i])} and {shown(node.elts[j])} are exchanged in {{}}"
            yield EXCHANGED, ast.Tuple(exchanged(node.elts, i, j), ast.Load()), words


def of_addition(node, place):
    target = ast.parse(ast.unparse(node.target)).body[0].value
    target.ctx = ast.Store()
    yield LEFT_OUT, ast.Pass(), f"{shown(node.target)} is not changed"
    yield EXCHANGED, ast.Assign([target], node.value), (
        f"{shown(node.target)} is overwritten, where it should be changed by what is there"
    )
    if type(node.op) in OPERATORS:
        other, words = OPERATORS[type(node.op)]
        new = ast.AugAssign(node.target, other(), node.value)
        yield EXCHANGED, new, f"{shown(node.value)} is {words} in {shown(node.target)}"


def of_assignment(node, place):
    if not all(isinstance(target, ast.Name) for target in node.targets):
        yield LEFT_OUT, ast.Pass(), f"{shown(node.targets[0])} is not computed"
    elif node.targets[0].id in place.names:
        yield LEFT_OUT, ast.Pass(), "{} stays as it was"
    negative = ast.Assign(node.targets, ast.UnaryOp(ast.USub(), node.value))
    yield OTHER, negative, "{} has the other sign"


def of_statement(node, place):
    yield LEFT_OUT, ast.Pass(), f"{shown(node)} is left out"


def of_case(node, place):
    """An `if`, as a statement or inside an expression."""
    for always, words in ((True, "always"), (False, "never")):
        new = type(node)(ast.Constant(always), node.body, node.orelse)
        yield LEFT_OUT, new, f"{shown(node.test)} is {words} taken to hold"


VARIANTS = {
    ast.Name: of_name, ast.BinOp: of_operation, ast.UnaryOp: of_sign, ast.Compare: of_comparison,
    ast.Constant: of_constant, ast.Call: of_call, ast.Attribute: of_attribute,
    ast.Subscript: of_subscript, ast.Tuple: of_tuple, ast.AugAssign: of_addition,
    ast.Assign: of_assignment, ast.Expr: of_statement, ast.If: of_case, ast.IfExp: of_case,
}  # fmt: skip


# -- changes of more than one place ----------------------------------------------------------------


def everywhere(function):
    """One name for another, or two exchanged, wherever they are used."""
    uses: dict = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            uses.setdefault(node.id, []).append(node)
    own = [a.arg for a in function.args.args] if isinstance(function, ast.FunctionDef) else []
    names = [name for name in uses if name in own]
    for one, other in itertools.permutations(names, 2):
        if len(uses[one]) > 1:
            rename(uses[one], other)
            words = f"`{other}` stands in place of another array throughout"
            yield REPLACED, words, uses[one][0].lineno
            rename(uses[one], one)
    for one, other in itertools.combinations(names, 2):
        rename(uses[one], other), rename(uses[other], one)
        words = f"`{one}` and `{other}` are exchanged throughout"
        yield EXCHANGED, words, uses[one][0].lineno
        rename(uses[one], one), rename(uses[other], other)


def rename(nodes, name):
    for node in nodes:
        node.id = name


def in_another_order(function):
    """Two neighbouring lines in the other order."""
    for block in ast.walk(function):
        body = getattr(block, "body", None)
        for k in range(len(body) - 1) if isinstance(body, list) else ():
            body[k], body[k + 1] = body[k + 1], body[k]
            words = f"{shown(body[k])} comes before {shown(body[k + 1])}"
            yield EXCHANGED, words, body[k].lineno
            body[k], body[k + 1] = body[k + 1], body[k]
