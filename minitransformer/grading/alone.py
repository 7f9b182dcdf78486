"""Run answers without the rest of their file: a verdict that other code of it has forged does not
come out again.

    python -m minitransformer.grading.alone FILE RESULT SECONDS SEED EXERCISE ...

Of the file are run, for each exercise, only the answer (the function of the exercise's name, or
what the last `check(EXERCISE, ...)` hands in) and the imports, functions, classes and values that
it names, and these in turn. RESULT holds what it answers to inputs drawn by the seed: numbers, no
verdict. The grader compares them (`recheck.py`).
"""

import __future__

import ast
import base64
import itertools
import os
import symtable
import sys

import numpy as np

from .borrowed import noting_calls
from .calling import explain
from .cells import Refused, cells_of
from .diagnosis import attempts
from .exercise import find
from .frameworks import converted
from .result import write_whole
from .runner import begin

# What answers import. Whoever imports something else may be right, and is worth a look.
USUAL = {"numpy", "math", "cmath", "functools", "itertools", "collections", "operator", "typing",
         "types", "dataclasses", "abc", "copy", "random", "warnings", "__future__", "scipy",
         "cupy"}  # fmt: skip
UNUSUAL = {"eval", "exec", "compile", "open", "globals", "vars", "__import__", "__builtins__",
           "__globals__", "__subclasses__", "_getframe", "f_back", "f_globals",
           "f_locals"}  # fmt: skip
PLAIN = (int, float, str, np.ndarray)  # what nobody can call


class NotFound(Exception):
    """An answer that does not stand at the top level of its file."""


def main(file, result, seconds, seed, *exercises):
    file = begin(file, seconds)
    found = {}
    try:
        body = statements_of(cells_of(file))
    except Refused:
        body = []
    for id in exercises:
        found[id] = record(body, find(id), int(seed))
        write_whole(result, found)


def record(body, exercise, seed):
    """{"attempts": what the answer came to, "unusual": what it reaches for, "own": what it calls of
    the package, "problem": why there are none, or ""}."""
    made, unusual, problem, called = [], [], "", []
    try:
        expression, body = answer_in(body, exercise)
        chosen, used = needed(body, expression)
        answer, names = evaluate(chosen, expression)
        unusual = reaches([*chosen, expression], used, names)
        with noting_calls(exercise.id) as called:
            made = attempts(exercise, converted(answer), seed)
    except NotFound as missing:
        problem = str(missing)
    except BaseException as raised:  # a learner's code may raise anything
        problem = explain(raised)
    return {
        "attempts": [as_plain(one) for one in made], "unusual": unusual, "problem": problem,
        "own": called,
    }


def as_plain(attempt):
    """{situation: outcome} as JSON can hold it; arrays, all float64, as [shape, base64]."""
    return {
        situation: {
            "outputs": {
                name: [list(a.shape), base64.b64encode(a.tobytes()).decode()]
                for name, a in outcome.outputs.items()
            },
            "trouble": [outcome.trouble.kind, outcome.trouble.message]
            if outcome.stopped()
            else None,
            "changed": list(outcome.changed),
            "tolerance": outcome.tolerance,
            "missing": list(outcome.missing),
        }
        for situation, outcome in attempt.outcomes.items()
    }


# -- which part of the file ------------------------------------------------------------------------


def statements_of(cells):
    """The statements of all cells that are Python."""
    body = []
    for _, code in cells:
        try:
            body += ast.parse(code).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return body


def answer_in(body, exercise):
    """(the answer as an expression, the statements up to where it was checked), as the runner takes
    it.

    That is the function of the exercise's name, when it was checked last or, never checked, at the
    end; or else what was checked last. Raises NotFound.
    """
    checked = [(n, given) for n, node in enumerate(body) for given in checks_in(node, exercise)]
    named = [(n, given) for n, given in checked if getattr(given, "id", "") == exercise.name]
    if not named and any(exercise.name in binds(node) for node in body):
        given = ast.Name(exercise.name, ast.Load())
    elif checked:
        n, given = (named or checked)[-1]
        body = body[: n + 1]
    else:
        raise NotFound(
            f"no {exercise.name} stands at the top of the file, and no check({exercise.id!r}, …)"
        )
    name = getattr(given, "id", "")
    written = max(
        (n for n, node in enumerate(body) if is_definition(node) and node.name == name), default=0
    )
    # the last one counts
    return given, [node for n, node in enumerate(body) if n >= written or binds(node) != {name}]


def checks_in(node, exercise):
    """What the calls `check(EXERCISE, ...)` in a statement hand in."""
    for call in ast.walk(node):
        if (
            isinstance(call, ast.Call)
            and getattr(call.func, "id", getattr(call.func, "attr", "")) == "check"
        ):
            given = {
                **dict(zip(("exercise", "function"), call.args)),
                **{k.arg: k.value for k in call.keywords},
            }
            if getattr(given.get("exercise"), "value", None) == exercise.id and "function" in given:
                yield given["function"]


def needed(body, expression):
    """(the statements that the expression needs, in the order of the file; the names that it and
    they use)."""
    names, chosen = uses(expression), set()
    while True:
        more = {
            n for n, node in enumerate(body) if n not in chosen and binds(node) & (names | {"*"})
        }
        if not more:
            return [body[n] for n in sorted(chosen)], names
        chosen |= more
        names = names.union(*(uses(body[n]) for n in more))


def is_definition(node):
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))


def binds(node):
    """The names to which a statement gives a meaning; "*" for those that are needed in any case."""
    if is_definition(node):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        is_future = getattr(node, "module", "") == "__future__"
        if is_future:
            return {"*"}
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.Expr):
        return set()
    inner = [binds(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    stored = {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    places = [
        t
        for n in ast.walk(node)
        if isinstance(n, ast.Assign)
        for t in n.targets
        if not isinstance(t, ast.Name)
    ]
    return stored.union(*inner, *(uses(place) for place in places)) - {"*"}


def uses(node):
    """The names that a statement or an expression takes from the file: not those that are a
    function's own."""
    tables, found = [symtable.symtable(ast.unparse(node), "<the answer alone>", "exec")], set()
    for table in tables:  # which grows meanwhile
        tables += table.get_children()
        is_top = table.get_type() == "module"
        found |= {
            name.get_name()
            for name in table.get_symbols()
            if name.is_referenced() and (is_top or name.is_global())
        }
    return found


def reaches(nodes, used, names):
    """What the answer reaches for that answers rarely need: modules, and ways to other code.

    `names` are what its names came to: a mere number from another module is nothing to look at.
    """
    found = []
    for node in itertools.chain.from_iterable(map(ast.walk, nodes)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            top = any(node is one for one in nodes)
            bound = [alias.asname or alias.name.split(".")[0] for alias in node.names]
            taken = [
                n
                for n, name in enumerate(bound)
                if not top or name in used and not isinstance(names.get(name), PLAIN)
            ]
            modules = [getattr(node, "module", None) or node.names[n].name for n in taken]
            found += [module for module in modules if module.split(".")[0] not in USUAL]
        word = getattr(node, "id", getattr(node, "attr", ""))
        found += [word] if word in UNUSUAL else []
    return list(dict.fromkeys(found))


def evaluate(chosen, expression):
    """Run the statements one by one, in names of their own; return what the expression comes to,
    and these names."""
    names = {"__name__": "__main__"}
    futures = [alias.name for node in chosen if "*" in binds(node) for alias in node.names]
    flags = sum(
        getattr(__future__, name).compiler_flag
        for name in dict.fromkeys(futures)
        if hasattr(__future__, name)
    )
    for node in chosen:
        try:
            code = compile(
                ast.Module([node], []), "<the answer alone>", "exec", flags, dont_inherit=True
            )
            exec(code, names)  # the learner's own code, as in the whole file
        except BaseException:
            # a line that fails there fails here, and what is lacking is told by the answer
            continue
    code = compile(
        ast.fix_missing_locations(ast.Expression(expression)), "<the answer alone>", "eval", flags,
        dont_inherit=True,
    )
    return eval(code, names), names


if __name__ == "__main__":
    leave = os._exit
    main(*sys.argv[1:])
    leave(0)
