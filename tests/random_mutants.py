"""Changes that a machine makes, drawn by a seed over the whole package: which of them does no test
notice?

    python tests/random_mutants.py [--seed 0] [--count 300] [--only PATH] [--skip 0]

Each change (a comparison turned, a constant off by one, a statement dropped …) is written into a
copy of the project, and the test files that belong to the changed file run there until one fails,
their slow tests last.
It prints every change that survives, with its place, and at the end the share that died. A survivor
is to be read: it changes nothing (equivalent), only words or speed (cosmetic), or a test is
missing. `mutants.py` holds the changes that were chosen by hand.
"""

import argparse
import ast
import compileall
import dataclasses
import itertools
import os
import py_compile
import queue
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "minitransformer"
NEEDED = """minitransformer tests lessons docs benchmarks README.md LICENSE Makefile
requirements.txt pyproject.toml hatch_build.py""".split()
WORKERS = 2
SECONDS = 1800  # for one file of tests on the untouched copy

# The test files that judge a folder or a file, the nearest first; where several entries fit a file,
# the longest holds.
TESTS = {
    "": "cli",
    "errors.py": "module cli",
    "terminal": "lines cli",
    "terminal/extras.py": "packaging module text",
    "backend": "backend layers losses attention kernels device",
    "backend/random.py": "backend layers kernels device training",
    "backend/updates.py": "optim backend kernels",
    "core": "module boundary conformance layers observe device decoding shares run",
    "core/options.py": "data registry pairs boundary run cli",
    "boundary": "boundary python layers module conformance decoding",
    "boundary/calls.py": "boundary module observe packing layers conformance",
    "layers": "layers references conformance models",
    "layers/cache.py": "cache attention decoding",
    "layers/cross_entropy.py": "losses references conformance",
    "attention": "attention references conformance cache models",
    "models": "models references conformance older_models packing cache",
    "older": "older_models references conformance cache",
    "older/additive.py": "recurrent attention references conformance",
    "older/cells.py": "recurrent references conformance older_models",
    "older/expectation.py": "attention references conformance cache models",
    "older/local.py": "older_models attention references conformance cache",
    "older/multiplicative.py": "recurrent attention references conformance",
    "older/pooling.py": "older_models layers conformance",
    "older/recurrence.py": "recurrent references conformance older_models",
    "data": "data text corpora stream owl translation registry",
    "data/byte_pairs.py": "byte_pairs language_model pairs",
    "data/characters.py": "language_model",
    "data/digits.py": "digits",
    "data/files.py": "language_model pairs byte_pairs",
    "data/formats.py": "pairs",
    "data/kept.py": "pairs language_model",
    "data/ngrams.py": "language_model",
    "data/pairs.py": "pairs registry",
    "data/registry.py": "registry data cli",
    "data/sequences.py": "pairs corpora stream",
    "data/shakespeare.py": "language_model",
    "data/store.py": "pairs",
    "data/task.py": "data registry language_model corpora",
    "data/text.py": "language_model",
    "data/token_ids.py": "language_model",
    "data/words.py": "pairs",
    "decoding": "decoding cache translation language_model in_order",
    "decoding/continuation.py": "language_model decoding",
    "decoding/evaluation.py": "decoding language_model digits training in_order",
    "testing": "gradient_check conformance counting trace module boundary",
    "inspection": "translation plotting attention",
    "training/packing.py": "packing models",
    "training": "optim training shares run stream device",
    "training/distributed.py": "distributed",
    "training/hooks.py": "run language_model cli",
    "parallel": "backend shares distributed",
    "parallel/mpi.py": "distributed",
    "parallel/in_order.py": "in_order",
    "training/trackers.py": "language_model",
    "runs": "run checkpoint shares corpora cli registry pairs language_model",
    "runs/kinds.py": "older_models run cli",
    "plotting": "plotting study",
    "explorer": "explorer",
    "grading": (
        "grading grade catalogue right_answers exercises_layers exercises_attention "
        "exercises_models lesson_books"
    ),
    "grading/topics": (
        "catalogue right_answers grading exercises_layers exercises_attention exercises_models"
    ),
    "study": "study translation",
    "lessons": "lessons lesson_books",
    "gpu": "kernels replays device cupy_arrays gpu",
    "cli/ranks.py": "distributed",
    "cli": (
        "cli lines in_order translation run grade lessons decoding pairs language_model registry"
    ),
    "cli/data.py": "pairs language_model cli",
    "cli/generating.py": "language_model",
}


def judges(path):
    """The test files that judge this file of the package, a path below it."""
    fitting = [
        start for start in TESTS if not start or path == start or path.startswith(f"{start}/")
    ]
    return [f"tests/test_{word}.py" for word in TESTS[max(fitting, key=len)].split()]


# -- what can be changed ---------------------------------------------------------------------------

COMPARISONS = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not",
}
COMPARISONS |= {ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in"}
ARITHMETIC = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/", ast.Mod: "*",
    ast.Pow: "*",
}
ARITHMETIC |= {ast.BitAnd: "|", ast.BitOr: "&", ast.LShift: ">>", ast.RShift: "<<"}
SKIPPED = ("annotation", "returns", "decorator_list")  # parts of a node that are left as they are


@dataclasses.dataclass(frozen=True)
class Change:
    """The bytes `first` to `last` of the file `path` become `new`."""

    path: str
    line: int
    what: str
    old: str
    new: str
    first: int
    last: int

    def __str__(self):
        old, new = (textwrap.shorten(piece, 100) for piece in (self.old, self.new))
        return f"{self.path}:{self.line}: {self.what}: {old} → {new}"

    def made(self, text):
        whole = text.encode()
        return (whole[: self.first] + self.new.encode() + whole[self.last :]).decode()

    def is_sound(self, text):
        """Whether it leaves Python, and another program."""
        try:
            return ast.dump(ast.parse(self.made(text))) != ast.dump(ast.parse(text))
        except SyntaxError:
            return False


def changes(path, text):
    """All changes that can be made to a file."""
    whole, starts = text.encode(), [0]
    for line in whole.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def place(node):
        return starts[node.lineno - 1] + node.col_offset, starts[
            node.end_lineno - 1
        ] + node.end_col_offset

    def piece(node):
        first, last = place(node)
        return whole[first:last].decode()

    found = []
    for node in walked(ast.parse(text)):
        for what, changed, new in replacements(node, piece):
            found.append(Change(path, changed.lineno, what, piece(changed), new, *place(changed)))
    return found


def walked(node):
    """The nodes below that may be changed: no docstrings, annotations, imports, and nothing inside
    of a message."""
    yield node
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    for name, value in ast.iter_fields(node):
        if name not in SKIPPED:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not (
                    isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
                ):
                    yield from walked(child)


def replacements(node, piece):
    """[(what is done, to which node, the new piece)] for a node; `piece(node)` is a node's text."""
    match node:
        case ast.Compare(left, [operator], [right]):
            yield (
                "comparison turned", node,
                f"({piece(left)} {COMPARISONS[type(operator)]} {piece(right)})",
            )
        case ast.BinOp(left, operator, right) if type(operator) in ARITHMETIC:
            yield (
                "operator exchanged", node,
                f"(({piece(left)}) {ARITHMETIC[type(operator)]} ({piece(right)}))",
            )
        case ast.BinOp(left, ast.MatMult(), right):
            yield "factors swapped", node, f"(({piece(right)}) @ ({piece(left)}))"
        case ast.BoolOp(operator, values):
            other = " or " if isinstance(operator, ast.And) else " and "
            yield (
                "and, or exchanged", node,
                f"({other.join(f'({piece(value)})' for value in values)})",
            )
        case ast.UnaryOp(ast.Not() | ast.USub() | ast.Invert(), operand):
            yield "sign or not dropped", node, f"({piece(operand)})"
        case ast.If(test) | ast.While(test) | ast.IfExp(test):
            yield "condition turned", test, f"(not ({piece(test)}))"
        case ast.Constant(True | False as value):
            yield "truth turned", node, str(not value)
        case ast.Constant(int() | float() as value):
            yield "constant + 1", node, f"({value + 1})"
            yield "constant − 1", node, f"({value - 1})"
        case ast.AugAssign(target, operator, value):
            if type(operator) in ARITHMETIC:
                yield (
                    "operator exchanged", node,
                    f"{piece(target)} {ARITHMETIC[type(operator)]}= {piece(value)}",
                )
            yield "assigned, not added", node, f"{piece(target)} = {piece(value)}"
            yield "statement dropped", node, "pass"
        case (
            ast.Assign([ast.Attribute() | ast.Subscript()])
            | ast.Expr(ast.Call())
            | ast.Raise()
            | ast.Continue()
            | ast.Break()
        ):
            yield "statement dropped", node, "pass"
        case ast.Return(ast.expr() as value):
            yield "nothing returned", value, "None"
        case ast.Call(function, arguments, keywords):
            given = [*arguments, *keywords]
            if len(arguments) > 1 and not isinstance(arguments[0], ast.Starred):
                yield (
                    "arguments swapped", node,
                    call(function, [*arguments[1::-1], *given[2:]], piece),
                )
            if keywords:
                yield "option dropped", node, call(function, given[:-1], piece)
        case ast.Slice(lower, upper):
            if lower:
                yield "slice begins later", lower, f"({piece(lower)}) + 1"
            if upper:
                yield "slice ends earlier", upper, f"({piece(upper)}) - 1"


def call(function, given, piece):
    return f"{piece(function)}({', '.join(map(piece, given))})"


def all_changes(only=""):
    """Every change to the files whose path in the package begins with `only`."""
    files = ((file.relative_to(PACKAGE).as_posix(), file) for file in sorted(PACKAGE.rglob("*.py")))
    return [
        change
        for path, file in files
        if path.startswith(only)
        for change in changes(path, file.read_text(encoding="utf-8"))
    ]


def drawn(seed, count, only=""):
    """So many changes, each as likely as any other, in the order in which they were drawn."""
    pool = all_changes(only)
    random.Random(seed).shuffle(pool)
    sound = (
        change
        for change in pool
        if change.is_sound((PACKAGE / change.path).read_text(encoding="utf-8"))
    )
    return list(itertools.islice(sound, count))


# -- which of them die -----------------------------------------------------------------------------


def copy_of_the_project(folder):
    """A copy of all that the tests read, in this folder."""
    without_caches = shutil.ignore_patterns("__pycache__")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=without_caches)
        else:
            shutil.copy(ROOT / name, folder / name)
    # compiled once, as an installed package is; a changed file is known by its bytes, not its time
    by_bytes = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(folder / PACKAGE.name, quiet=1, invalidation_mode=by_bytes)
    return folder


def run_tests(folder, files, limit, slow=False):
    """How these tests, or with `slow` the slow ones, end in this copy: "passed", "failed", or
    "hangs" beyond the limit in seconds; the end of what they print."""
    words = [
        "-x", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line", "-m",
        f"not lessons and {'' if slow else 'not '}slow",
    ]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", *words, *files]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)  # fmt: skip
    try:
        output = process.communicate(timeout=limit)[0].decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "hangs", ""
    passed = process.returncode in (0, pytest.ExitCode.NO_TESTS_COLLECTED)  # all were skipped
    return "passed" if passed else "failed", output[-1500:]


def judged(folder, change, limit):
    """How the tests of the changed file end; the copy is as it was afterwards."""
    file = folder / PACKAGE.name / change.path
    text = file.read_text(encoding="utf-8")
    file.write_text(change.made(text), encoding="utf-8")
    try:
        end, _ = run_tests(folder, judges(change.path), limit)
        if end == "passed":
            end, _ = run_tests(folder, judges(change.path), SECONDS, slow=True)
        return end
    finally:
        file.write_text(text, encoding="utf-8")


def main(seed, count, only, skip):
    chosen = drawn(seed, count, only)[skip:]
    print(
        f"{len(chosen)} changes, drawn with seed {seed} from {len(all_changes(only)):,}", flush=True
    )
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(WORKERS) as pool:
        folders = queue.SimpleQueue()
        for n in range(WORKERS):
            folders.put(copy_of_the_project(Path(temporary) / str(n)))

        def in_a_copy(function, *arguments):
            folder = folders.get()
            try:
                return function(folder, *arguments)
            finally:
                folders.put(folder)

        def timed(file):
            began = time.monotonic()
            return *in_a_copy(run_tests, [file], SECONDS), time.monotonic() - began

        files, seconds = sorted({file for change in chosen for file in judges(change.path)}), {}
        for file, (end, output, seconds[file]) in zip(files, pool.map(timed, files)):
            if end != "passed":
                sys.exit(
                    f"{file} does not pass on the untouched copy ({end}), so it can judge "
                    f"nothing:\n{output}"
                )

        # beyond three times as long as untouched, and a minute, something hangs, which is noticed
        # too
        def outcome(change):
            return in_a_copy(
                judged, change, 60 + 3 * sum(seconds[file] for file in judges(change.path))
            )

        ends = []
        for change, end in zip(chosen, pool.map(outcome, chosen)):
            ends.append(end)
            if end == "passed":
                print(f"survives: {change}", flush=True)
            if len(ends) % 20 == 0:
                print(f"{skip + len(ends)} judged", flush=True)
    died = len(ends) - ends.count("passed")
    print(
        f"{died} of {len(ends)} died ({died / max(1, len(ends)):.1%}), {ends.count('hangs')} of "
        "them by hanging."
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument(
        "--only", default="", metavar="PATH",
        help="only files whose path in the package begins so: layers/",
    )
    parser.add_argument("--skip", type=int, default=0, help="so many were judged before")
    main(**vars(parser.parse_args()))
