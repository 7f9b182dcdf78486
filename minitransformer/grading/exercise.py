"""An exercise: what is asked, with which inputs, what is right, and which wrong versions of it are
known."""

import ast
import dataclasses
import functools
import inspect
import itertools
import re
import textwrap
from collections.abc import Callable

import numpy as np

from ..errors import InputError, unknown
from .borrowed import note_call
from .sizes import Sizes

EXERCISES = {}  # {id: Exercise}, filled by the files of `topics/`


@dataclasses.dataclass(frozen=True, eq=False)
class Mistake:
    """One way to be wrong.

    `id` is its name: two to four words, one of a kind in its exercise. It never changes, because
    programs know the mistake by it, as `softmax.backward/diagonal-only`. `title` completes the
    sentence "Exactly this comes out when …". `versions` are wrong versions of the exercise's
    function: each says which of its words are replaced, and by what. `rule` recognises what no
    version can show, from (yours, expected), two attempts. `evidence` says how the mistake gives
    itself away, `question` leads on, `met` says where people made it, as Markdown. A `convention`
    is right where the exercise does not say otherwise: it passes, with a note.
    """

    id: str
    title: str
    versions: tuple = ()
    question: str = ""
    evidence: str = ""
    met: str = ""
    rule: Callable | None = None
    convention: bool = False


@dataclasses.dataclass(frozen=True)
class Invariant:
    """What every right answer obeys, whatever the numbers: `excess(outputs, given)` is zero,
    because of `reason`."""

    name: str
    reason: str
    excess: Callable


@dataclasses.dataclass(eq=False, repr=False)
class Exercise:
    """What a learner writes, and all that is needed to judge it.

    `inputs` and `returns` name the arrays with their shapes; `extra` what may be returned behind
    them. `given(rng, sizes)` draws the inputs, `situations` are changes of these that show what
    random numbers hide. `also` are further arrays that a submission may ask for by name. `changes`
    are inputs that it is to change in place. `align(given, outcome)` takes over the submission's
    own random choices. `drive(function, given)` calls it where one call is not enough, and then
    `signature` says what is to be written. `broadcast(given)` is the shape to which a mask is
    spread before it is compared. `tolerance` multiplies what rounding may do.
    """

    id: str
    reference: Callable
    inputs: dict
    returns: dict
    given: Callable
    hints: tuple
    shown: tuple
    extra: dict = dataclasses.field(default_factory=dict)
    situations: dict = dataclasses.field(default_factory=dict)
    also: dict = dataclasses.field(default_factory=dict)
    invariants: tuple = ()
    places: dict = dataclasses.field(default_factory=dict)
    changes: tuple = ()
    broadcast: Callable | None = None
    forward: "Exercise | None" = None
    align: Callable | None = None
    drive: Callable | None = None
    signature: str = ""
    tolerance: float = 1.0
    mistakes: list = dataclasses.field(default_factory=list)

    def __call__(self, *inputs, **named):
        note_call(self.id)
        return self.reference(*inputs, **named)

    @property
    def name(self):
        """What the function is called: `layer_norm_backward`."""
        return self.reference.__name__

    @property
    def call(self):
        """The function with its inputs and what comes of it: `softmax(scores) → P`."""
        if self.signature:
            return self.signature
        parts = [", ".join(self.returns)] if self.returns else []
        parts += [f"changes {', '.join(self.changes)}"] if self.changes else []
        return f"{self.name}({', '.join(self.inputs)}) → {'; '.join(parts)}"

    @property
    def outputs(self):
        """What is compared: what the function returns, then what it changes."""
        return (*self.returns, *self.changes)

    @property
    def statement(self):
        """What is asked, in words and formulas."""
        return inspect.getdoc(self.reference)

    @property
    def upstream(self):
        """The gradients that a backward starts from: the inputs before the first that its forward
        has too."""
        theirs = self.forward.inputs if self.forward else self.inputs
        return list(itertools.takewhile(lambda name: name not in theirs, self.inputs))

    def mistake(self, id, title, *versions, **details):
        """Add a known mistake; each version is {what is right: what stands there instead}."""
        self.mistakes.append(Mistake(id, title, tuple(versions), **details))

    def draw(self, rng, sizes):
        """{name of the situation: inputs}, the plain one first."""
        plain = self.given(rng, sizes)
        changed = {
            name: {**plain, **change(plain, rng, sizes)} for name, change in self.situations.items()
        }
        return {"random numbers": plain, **changed}

    def everything(self, given):
        """All that a submission may ask for by name: the inputs, and what follows from them."""
        return {**given, **{name: value(**given) for name, value in self.also.items()}}

    def text(self, *versions):
        """The reference's own text, without its docstring, the words of these versions replaced."""
        text = source_of(self.reference)
        for version in versions:
            for right, instead in version.items():
                if text.count(right) != 1:
                    raise LookupError(
                        f"{self.name}: {right!r} stands there {text.count(right)} times"
                    )
                text = text.replace(right, instead)
        return text

    def wrong(self, *versions):
        """The reference with the words of these versions replaced, as a function."""
        return _compiled(self.reference, self.text(*versions))

    def __str__(self):
        lines = [f"{self.id}: {self.call}", ""]
        lines += textwrap.indent(self.statement, "  ").splitlines() + [""]
        shapes = {**self.inputs, **self.returns}
        width = max(len(name) for name in shapes)
        lines += [f"  {name:<{width}}  {shape}" for name, shape in shapes.items()]
        if self.extra:
            lines.append(
                "  may also return: "
                f"{', '.join(f'{name} {shape}' for name, shape in self.extra.items())}"
            )
        if self.also:
            also = ", ".join(f"{name} {shape}" for name, shape in self._shapes_of_also())
            lines.append(f"  may also be asked for, by name: {also}")
        return "\n".join(lines)

    def _shapes_of_also(self):
        """[(name, shape in letters)] of what may be asked for besides the inputs."""
        sizes = Sizes()
        letters = {size: letter for letter, size in reversed(sizes.named().items())}
        everything = self.everything(self.given(np.random.default_rng(0), sizes))
        shapes = {name: np.shape(everything[name]) for name in self.also}
        return [
            (name, f"({', '.join(str(letters.get(n, n)) for n in shape)})")
            for name, shape in shapes.items()
        ]

    __repr__ = __str__


def exercise(id, **parts):
    """A decorator that makes the right version of a function an exercise. Its docstring is what is
    asked."""

    def make(reference):
        EXERCISES[id] = Exercise(id, reference, **parts)
        return EXERCISES[id]

    return make


def find(id):
    """The exercise of that name. Raises InputError, with the nearest name, if there is none."""
    if isinstance(id, Exercise):
        return id
    if callable(id):
        raise InputError(
            'An exercise\'s name comes first, then the function: check("softmax.backward", '
            'my_function).'
        )
    if not isinstance(id, str) or id not in EXERCISES:
        raise InputError(
            f"{unknown('exercise', id, EXERCISES)} To see all: print(exercises()), or the command "
            "exercises."
        )
    return EXERCISES[id]


@functools.cache
def source_of(function):
    """The text of a function or class, without its decorator and docstring."""
    text = textwrap.dedent(inspect.getsource(function))
    text = text[re.search(r"^(def|class) ", text, re.MULTILINE).start() :]
    defined = ast.parse(text).body[0]
    if ast.get_docstring(defined) is None:  # a function beside the exercises
        return text
    first, lines = defined.body[0], text.splitlines(keepends=True)
    return "".join(lines[: first.lineno - 1] + lines[first.end_lineno :])


@functools.cache
def _compiled(reference, text):
    """A wrong version's text as a function that sees what the right one sees."""
    names = dict(vars(inspect.getmodule(reference)))
    # our own text, never a learner's
    exec(compile(text, f"<a wrong version of {reference.__name__}>", "exec"), names)
    return names[reference.__name__]
