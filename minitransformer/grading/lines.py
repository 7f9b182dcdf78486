"""Which lines of a wrong answer are at fault: its values are held against those of the right way,
and put right one at a time.

Where the numbers become right once a line has a value of the right way, the fault is there or
before it. Where one change of a line makes them right, it is there.
"""

import dataclasses
import itertools
import math
import time

import numpy as np

from .attempt import agree, attempt, attempt_own
from .calling import short
from .guesses import Reference
from .outcome import agreeing
from .own import Own, line_of
from .repairs import repairs
from .watching import Watched, is_numeric

SECONDS = 0.8  # after which no further value, or change, is tried
SHOWN = 2  # lines, at most
MANY = 20  # values of a line in a loop that are looked at
EQUAL = 1e-12
MORE = 100  # times the rounds of its loops that a changed answer may make
SURE = "{}: with one change there, all numbers are right."
HERE = "Were {} what it should be, {} numbers would be right."
FIRST = "This is the first line with a value that the right way does not have."


@dataclasses.dataclass
class Line:
    """A line of the learner's own code, the function in which it stands, and why it is shown."""

    number: int
    function: str
    code: str
    reason: str

    def __str__(self):
        return f"{self.number} of {self.function}: `{self.code}`. {self.reason}"


def lines_at_fault(submission, attempts):
    """[Line], two at most, the likelier one first; [] where the code is not at hand, or nothing
    tells.

    `attempts` gives (yours, expected), twice, with other numbers, sizes and constants.
    """
    try:
        own = Own(submission)
    except LookupError:
        return []
    try:
        return Search(own, attempts).lines()
    except StopIteration:
        return []


class Search:
    """What is known of the lines of one wrong answer."""

    def __init__(self, own, attempts):
        self.own, self.attempts = own, [*attempts]
        yours, expected = self.attempts[0]
        self.exercise = expected.exercise
        self.telling = next(
            s for s in yours if not yours[s].stopped() and not agree(yours, expected, None, [s])
        )
        self.tolerance = yours[self.telling].tolerance
        self.watched = Watched(own)

    def lines(self):
        """The lines to show."""
        values = self.values_of(0)
        right = right_values(self.exercise, self.given(0))
        right = {key: value for key, value in right.items() if not is_trivial(value)}
        self.numbers = np.concatenate([[0, 1], *map(np.ravel, right.values())])
        places = [n for n in values if self.watched.places[n].whole]
        unknown = [n for n in places if not all(self.is_known(v, right) for v in values[n][:MANY])]
        once = [n for n in places if len(values[n]) == 1 and not is_trivial(values[n][0])]
        fixing, self.reached = self.fixing(once, values, right, unknown[:1])
        lines = [*map(self.line, fixing + unknown + places), *self.own.lines()]
        repaired = self.repaired(dict.fromkeys(lines))
        reasons = {repaired[:2]: SURE.format(repaired[2])} if repaired else {}
        for n in fixing[: SHOWN - len(reasons)]:
            reasons.setdefault(self.line(n), self.here(n, values, right))
        for n in unknown[:1]:
            reasons.setdefault(self.line(n), FIRST)
        return [self.shown(*line, reason) for line, reason in [*reasons.items()][:SHOWN]]

    def here(self, number, values, right):
        """What is said of a place that a value of the right way puts right: the shortest part of it
        of which that is true."""
        parts = [
            n for n, place in enumerate(self.watched.places)
            if self.line(n) == self.line(number) and not place.whole and len(values.get(n, ())) == 1
        ]  # fmt: skip
        shortest, reached = [], 0
        for n in sorted(parts, key=lambda n: len(self.watched.places[n].text)):
            shortest, reached = self.fixing([n], values, right, [])
            if reached == self.reached:
                break
        text = self.watched.places[shortest[0]].text if reached == self.reached else ""
        return HERE.format(f"`{text}`" if text else "this", "all" if self.reached == 2 else "more")

    def shown(self, function, line, reason):
        return Line(line, function.__name__, short(line_of(function, line)), reason)

    def repaired(self, lines):
        """(function, line, what is wrong there) of a change that makes all numbers right; None if
        there is none in these lines, or time runs out."""
        until = time.perf_counter() + SECONDS
        own, exercise = Own(self.own.handed_in), self.exercise
        own.most = self.own.most
        (_, expected), (_, elsewhere) = self.attempts
        for function, wanted in lines:
            right = own.now(function)
            for line, words in repairs(own.trees[function], {wanted}):
                if time.perf_counter() > until:
                    return None
                try:
                    own.run(function, compile(own.trees[function], "<a change>", "exec"))
                except Exception:  # what leaves no Python, or no class
                    continue
                answer = own.submission()
                if agree(attempt(answer, exercise, self.given(0)), expected) and all(
                    agree(attempt(answer, exercise, here.given), here)
                    for here in (expected, elsewhere)
                ):
                    return function, line, words
            own.put(function, right)
        return None

    def is_known(self, value, right):
        if is_trivial(value) or is_among(value, right, self.tolerance):
            return True
        return bool(np.isin(value, self.numbers).all())  # the right ones in another arrangement

    def line(self, number):
        place = self.watched.places[number]
        return place.function, place.line

    def given(self, draw):
        """The inputs of the situation that tells, or of the first one where there is none such."""
        _, expected = self.attempts[draw]
        return {self.telling: expected.given[self.telling]}

    def values_of(self, draw):
        """{number of a place: its values} of a run of the answer."""
        with self.watched.recording() as values:
            attempt(self.own.submission(), self.exercise, self.given(draw))
        self.own.most = MORE * (1 + self.own.rounds)
        return values

    def fixing(self, places, values, right, suspected):
        """Those of the suspected places, and the first of all, at which a value of the right way
        makes all outputs right; if there are none, makes some right, and none wrong."""
        until = time.perf_counter() + SECONDS
        found = {}
        for n in [*(n for n in suspected if n in places), *places]:
            mine = values[n][0]
            alike = [value for value in right.values() if np.shape(value) == np.shape(mine)]
            for value in alike or right.values():
                if time.perf_counter() > until:
                    break
                level = 0 if same(mine, value, self.tolerance) else self.level(n, value)
                found[n] = max(level, found.get(n, 0))
                if level == 2:
                    break
            if found.get(n) == 2 and n not in suspected:
                break
        best = max(found.values(), default=0)
        first = [n for n in places if found.get(n) == best > 0][:1]
        chosen = [n for n in suspected if found.get(n) == best > 0] + first
        return list(dict.fromkeys(chosen)), best

    def level(self, number, value):
        """How much is right where a place has that value: 2 all, 1 more than before, 0 no more."""
        yours, expected = self.attempts[0]
        with self.watched.given(number, value):
            made = attempt(self.own.submission(), self.exercise, self.given(0))
        if agree(made, expected):
            return 2
        outputs = self.exercise.outputs
        before, now = (
            {name for name in outputs if agree(one, expected, name, [self.telling])}
            for one in (yours, made)
        )
        return 1 if now > before else 0


def right_values(exercise, given):
    """{(which program, number of the expression, which time): its value} of all that the right way
    computes, from the inputs on: that of the exercise, and of its forward."""
    [inputs] = given.values()
    everything = exercise.everything(inputs)
    found = {("given", name, 0): value for name, value in everything.items()}
    for one in filter(None, (exercise, exercise.forward)):
        theirs = {name: everything[name] for name in one.inputs if name in everything}
        watched = Watched(Reference(one))
        with watched.recording() as values:
            attempt_own(watched.program.now(), one, {"": inputs if one is exercise else theirs})
        found.update({(one.id, n, k): v for n, kept in values.items() for k, v in enumerate(kept)})
    distinct = {}
    for key, value in found.items():
        if is_numeric(value) and not any(same(value, other, EQUAL) for other in distinct.values()):
            distinct[key] = value
    return distinct


def is_trivial(value):
    """Whether a value says nothing: a size, zeros, ones."""
    return isinstance(value, (bool, int)) or bool(np.isin(value, (0, 1)).all())


def same(one, other, tolerance):
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and bool(np.all(agreeing(one, other, tolerance)))


def is_among(value, right, tolerance):
    """Whether a value is one of the right ones, or a part of one: a row, an entry. Axes may stand
    in another order, or several as one, and those of length 1 do not count."""
    value = np.squeeze(np.asarray(value, dtype=float))
    wholes = [np.squeeze(np.asarray(x, dtype=float)) for x in right.values()]
    return any(is_reshaped(value, x, tolerance) or is_part(value, x, tolerance) for x in wholes)


def is_reshaped(value, whole, tolerance):
    """Whether neighbouring axes of one are as one axis in the other, and the entries the same."""
    ends, others = ({*np.cumprod(x.shape)} for x in (value, whole))
    return (
        value.size == whole.size
        and (ends <= others or others <= ends)
        and bool(agreeing(value.ravel(), whole.ravel(), tolerance).all())
    )


def is_part(value, whole, tolerance):
    if value.ndim > whole.ndim:
        return False
    for axes in itertools.permutations(range(whole.ndim), value.ndim):
        if tuple(whole.shape[axis] for axis in axes) == value.shape:
            rest = [axis for axis in range(whole.ndim) if axis not in axes]
            rows = whole.transpose(*rest, *axes).reshape(-1, math.prod(value.shape))
            if agreeing(rows, value.reshape(-1), tolerance).all(axis=1).any():
                return True
    return False
