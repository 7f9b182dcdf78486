"""A comment at the end of a line that says a shape, such as `# (B, T, D)`, says what the line
makes.

Every component runs on its `example`, forward and backward, and every model decodes; meanwhile each
line with such a comment is held to it. Within one call a letter means one size: that of the
annotated inputs, and, in backward, that of the forward which it undoes. `...` is any number of
axes, the same within one call.
"""

import ast
import functools
import inspect
import io
import re
import sys
import tokenize
from pathlib import Path

import numpy as np
import pytest

import minitransformer
from minitransformer.core.module import no_grad
from minitransformer.runs import MODELS
from minitransformer.testing import all_components
from minitransformer.testing.gradient_check import as_tuple

PACKAGE = Path(minitransformer.__file__).parent
FOLDERS = ("layers", "attention", "models", "older")
FILES = sorted(file for folder in FOLDERS for file in (PACKAGE / folder).glob("*.py"))
# one or more, in round brackets, with a comma
SHAPES = re.compile(r"# ?((?:\([^()]*,[^()]*\)(?:, (?=\())?)+)(?:$|:|,| each)")
WORD = re.compile(r"[^\W\d]\w*")


# -- what is said ----------------------------------------------------------------------------------


@functools.cache
def said(filename):
    """{line: (statement, [shape as words])} of the comments in a file that say shapes."""
    text = Path(filename).read_text(encoding="utf-8")
    statements = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and (shapes := SHAPES.match(token.string)):
            line = token.start[0]
            around = [s for s in statements if s.lineno <= line <= s.end_lineno]
            statement = max(around, key=lambda s: (s.lineno, -s.end_lineno))
            found[statement.lineno] = (
                statement,
                [axes(shape) for shape in re.findall(r"\(([^()]*)\)", shapes[1])],
            )
    return found


def axes(shape):
    return [axis.strip() for axis in shape.split(",") if axis.strip()]


def letters(axis):
    return set() if axis == "..." else set(WORD.findall(re.sub(r"(\d)(?=[^\W\d])", r"\1 ", axis)))


def size(axis, sizes):
    """What "D", "7", "2D", "H·K", "t + 1" or "⌈D/2⌉" comes to."""
    axis = re.sub(r"⌈(\w+)/2⌉", r"(\1 + 1) // 2", axis)
    axis = re.sub(r"(\d)(?=[^\W\d])", r"\1 * ", axis).replace("·", "*")
    return eval(axis, {}, sizes)


class Letters(dict):
    """The sizes of the letters within one call."""

    def meet(self, words, shape):
        """What is wrong with this shape, or None; letters that are new here get their size."""
        words, shape = list(words), tuple(shape)
        if words[:1] == ["..."]:
            front = len(shape) - len(words) + 1
            if front < 0 or self.setdefault("...", shape[:front]) != shape[:front]:
                return f"it is {shape}, and … is {self.get('...')}"
            words, shape = words[1:], shape[front:]
        if len(words) != len(shape):
            return f"it has the {len(shape)} axes {shape}"
        for word, length in zip(words, shape):
            if WORD.fullmatch(word) and self.setdefault(word, length) != length:
                return f"it is {shape}, and {word} is {self[word]}"
        for word, length in zip(words, shape):
            new = letters(word) - {*self}
            if len(new) == 1:  # H·K where H is known: the one K that fits
                (letter,) = new
                fitting = [
                    n for n in range(2 * length + 1) if size(word, {**self, letter: n}) == length
                ]
                if not fitting:
                    return f"it is {shape}, and {word} cannot be {length}"
                if len(fitting) == 1:
                    self[letter] = fitting[0]
            elif not new and size(word, self) != length:
                return f"it is {shape}, and {word} is {size(word, self)}"
        return None


# -- what happens ----------------------------------------------------------------------------------


def made(statement, frame, returned):
    """[arrays] that a statement has made: what it assigned or added to, what a parameter
    accumulates, what is returned."""
    if isinstance(statement, ast.Return):
        return list(returned) if isinstance(returned, tuple) else [returned]
    if isinstance(statement, ast.Expr):  # self.weight.accumulate(…)
        assert (
            isinstance(statement.value, ast.Call) and statement.value.func.attr == "accumulate"
        ), ast.unparse(statement)
        places = [statement.value.func.value]
    elif isinstance(statement, ast.AugAssign):
        places = [statement.target]
    else:
        (target,) = statement.targets
        places = target.elts if isinstance(target, ast.Tuple) else [target]
    return [eval(ast.unparse(place), frame.f_globals, frame.f_locals) for place in places]


class Watch:
    """While it is entered, the lines of our files that say a shape are held to it."""

    def __init__(self):
        self.seen, self.wrong = set(), []
        # {id of a component: the letters of its forwards that no backward has undone yet}
        self.forwards = {}

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.call)
        return self

    def __exit__(self, *error):
        sys.settrace(self.before)

    def call(self, frame, event, _):
        code = frame.f_code
        if Path(code.co_filename) not in FILES or code.co_name.startswith("<"):
            return None
        owner = frame.f_locals.get("self")
        if owner is not None and code is not code_of(getattr(type(owner), code.co_name, None)):
            return None  # called by super() for arrays with more axes, as in `LocalAttention`
        sizes, waiting = self.letters_at_the_start(frame, owner), None

        def line(frame, event, value):
            nonlocal waiting
            if event == "exception":
                waiting = None
            elif event in ("line", "return"):
                if waiting and not (
                    event == "line" and waiting[0].lineno < frame.f_lineno <= waiting[0].end_lineno
                ):
                    self.hold(code.co_filename, *waiting, sizes, frame, value)
                    waiting = None
                if event == "line" and waiting is None:
                    waiting = said(code.co_filename).get(frame.f_lineno)
                if event == "return" and code.co_name == "forward":
                    self.forwards.setdefault(id(owner), []).append(sizes)
            return line

        return line

    def letters_at_the_start(self, frame, owner):
        """The letters of the annotated inputs of a forward; in a backward, those of the forward
        that it undoes."""
        if frame.f_code.co_name == "backward" and self.forwards.get(id(owner)):
            return self.forwards[id(owner)].pop()
        sizes = Letters()
        if frame.f_code.co_name == "forward":
            for name, words in annotated(type(owner)).items():
                value = frame.f_locals.get(name)
                for choice in words:
                    if (
                        hasattr(value, "shape")
                        and "..." not in choice
                        and len(choice) == len(value.shape)
                    ):
                        sizes.meet(choice, value.shape)
                        break
        return sizes

    def hold(self, filename, statement, shapes, sizes, frame, value):
        arrays = [array for array in made(statement, frame, value) if hasattr(array, "shape")]
        if not arrays:
            return
        self.seen.add((filename, statement.lineno))
        if len(shapes) == 1:
            shapes = shapes * len(arrays)
        for words, array in zip(shapes, arrays):
            if problem := sizes.meet(words, array.shape):
                place = f"{Path(filename).relative_to(PACKAGE)}:{statement.lineno}"
                self.wrong.append(
                    f"{place}: “({', '.join(words)})” stands behind “{ast.unparse(statement)}”, "
                    f"but {problem}"
                )


def code_of(method):
    return getattr(inspect.unwrap(method), "__code__", None)


@functools.cache
def annotated(kind):
    """{input: [shapes as words]} of a component's forward: what stands in its annotations."""
    inputs = inspect.signature(inspect.unwrap(kind.forward)).parameters
    words = {name: re.search(r"'([^']*)'\]", str(p.annotation)) for name, p in inputs.items()}
    return {
        name: [axes(choice) for choice in word[1].split(" or ")]
        for name, word in words.items()
        if word
    }


def random_like(y, rng):
    return rng.standard_normal(np.shape(y)).astype(y.dtype)


@pytest.fixture(scope="module")
def watch():
    """Every component's example, forward and backward, and four tokens from every model,
    watched."""
    rng, watch = np.random.default_rng(0), Watch()
    with watch:
        for kind in all_components():
            component, *inputs = kind.example(rng)
            component.backward(*(random_like(y, rng) for y in as_tuple(component(*inputs))))
        for name in MODELS:
            decode(name, rng)
    return watch


def decode(name, rng):
    kind = next(c for c in all_components() if c is MODELS[name].model)
    model, source, target = kind.example(rng)
    with no_grad():
        state = model.start(source)
        for ids in target.T[:4]:
            _, state = model.step(ids, state)


def test_every_shape_that_is_said_is_the_shape_that_occurs(watch):
    assert not watch.wrong, "\n".join(dict.fromkeys(watch.wrong))


def test_every_line_that_says_a_shape_is_run(watch):
    expected = {(str(file), line) for file in FILES for line in said(str(file))}
    missing = [
        (file, line)
        for file, line in expected - watch.seen
        if "packing" not in ast.unparse(said(file)[line][0]) + file
    ]
    # (with a packing, rows are (N, D): no example has one)
    assert len(expected) > 80 and not missing, missing


@pytest.mark.parametrize(
    "known, words, shape, problem",
    [
        ({}, "B, T, D", (3, 5, 8), None),
        ({"B": 3}, "B, T, T", (3, 5, 7), "T is 5"),
        ({"B": 3}, "B, T", (4, 5), "B is 3"),
        ({}, "B, T", (3, 5, 8), "3 axes"),
        ({}, "..., D", (3, 5, 8), None),
        ({"...": (3, 4)}, "..., D", (3, 5, 8), "… is (3, 4)"),
        ({"H": 4}, "B, T, H·K", (3, 5, 8), None),
        ({"H": 3}, "B, T, H·K", (3, 5, 8), "H·K cannot be 8"),
        ({"D": 4}, "B, 2D", (3, 8), None),
        ({"D": 5}, "B, 2D", (3, 8), "2D is 10"),
        ({"D": 5}, "⌈D/2⌉,", (3,), None),
        ({"t": 5}, "B, t + 1", (3, 5), "t + 1 is 6"),
        ({}, "B, 1", (3, 2), "1 is 1"),
    ],
)
def test_what_a_comment_says_is_understood(known, words, shape, problem):
    found = Letters(known).meet(axes(words), shape)
    assert found is None if problem is None else problem in found


class Sums:
    """A component whose comments are wrong, but for the first."""

    def forward(self, x):
        y = x + x  # (B, T, D)
        z = y.sum(axis=1)  # (B, T)
        y[0] += 1  # (D, T)
        return z  # (B, D): the sum


def test_a_wrong_comment_is_found(monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "FILES", [Path(__file__)])
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", Path(__file__).parent)
    with Watch() as watch:
        Sums().forward(np.zeros((3, 5, 7)))
    assert [problem.split("”")[0] for problem in watch.wrong] == [
        f"{Path(__file__).name}:{SUMS + 2}: “(B, T)", f"{Path(__file__).name}:{SUMS + 3}: “(D, T)"
    ]  # fmt: skip


SUMS = inspect.getsourcelines(Sums.forward)[1]
