"""Which lines of a wrong answer are at fault: its values are held against those of the right way,
and put right one at a time.

Where the numbers become right once a line has a value of the right way, the fault is there or
before it. Where one change of a line makes them right, it is there.
"""

import contextlib
import dataclasses
import itertools
import math

import numpy as np

from ..testing.difference import agreeing
from .attempt import agree, attempt, attempt_own, right_for
from .budget import Budget
from .calling import Silence, short
from .guesses import Reference
from .own import Own, line_of
from .repairs import KINDS, repairs
from .watching import Watched, is_numeric

SECONDS = 0.5  # of computing, after which no further value, or change, is tried
SHOWN = 2  # lines, at most
MANY = 20  # values of a line in a loop that are looked at
EQUAL = 1e-12
NONE, SOME, ALL = range(3)  # how many of the outputs become right
HIDDEN = -1e8  # what is smaller stands for −∞, in a score that is masked
MORE = 100  # times the rounds of its loops that a changed answer may make
SURE = "{}: with one change there, all numbers are right."
HERE = "If {} had the right value, {} numbers would be right."
FIRST = "The values of the lines before it occur in the right way too; its own value does not."


@dataclasses.dataclass
class Line:
    """A line of the learner's own code, the function in which it stands, and why it is shown."""

    number: int
    function: str
    code: str
    reason: str

    @property
    def is_sure(self):
        """Whether one change of it makes all numbers right."""
        return self.reason.endswith(SURE.removeprefix("{}"))

    def __str__(self):
        return f"{self.number} of {self.function}: `{self.code}`. {self.reason}"


def lines_at_fault(submission, attempts):
    """[Line], two at most, the likelier one first; [] where the code is not at hand, or nothing
    tells.

    `attempts` gives (yours, expected), twice, with other numbers, sizes and constants.
    """
    with contextlib.redirect_stdout(Silence()):  # a class may print where it is defined
        try:
            own = Own(submission)
        except LookupError:
            return []
        attempts = [*attempts]
        yours, expected = attempts[0]
        for situation in yours:
            if not agree(yours, expected, None, [situation]):
                return Search(own, attempts, situation).lines()
    return []


class Search:
    """What is known of the lines of an answer that is wrong in a situation."""

    def __init__(self, own, attempts, situation):
        self.own, self.attempts, self.situation = own, attempts, situation
        yours, expected = attempts[0]
        self.exercise, self.tolerance = expected.exercise, yours[situation].tolerance
        self.given = {situation: yours.given[situation]}
        self.watched, self.budget = Watched(own), Budget(SECONDS)
        with self.watched.recording() as self.values:
            attempt(own.submission(), self.exercise, self.given)
        own.most = MORE * (1 + own.rounds)
        self.right = right_values(self.exercise, {situation: expected.given[situation]})
        self.numbers = np.concatenate([[0, 1], *map(np.ravel, self.right)])

    def lines(self):
        """The lines to show: where a change makes all right; if there are none, where a value does,
        and the first that has a value of its own."""
        places = [n for n in self.values if self.watched.places[n].whole]
        unknown = [n for n in places if not all(map(self.is_known, self.values[n][:MANY]))]
        once = [n for n in places if len(self.values[n]) == 1]
        self.begin()
        suspected = [n for n in once if n in unknown[:1]]
        if suspected:  # and the line before, whose value is right, and may be used wrongly
            before = once[: once.index(suspected[0])]
            suspected += before[-1:]
        fixing, reached = self.fixing(suspected, once)
        self.begin()
        repaired = self.repaired(
            dict.fromkeys([*map(self.line, fixing + unknown + places), *self.own.lines()])
        )
        reasons = {line: SURE.format(capital(words)) for line, words in repaired.items()}
        if not repaired:
            self.begin()
            reasons = self.suspects(fixing, reached, once, unknown[:1])
        if len({*map(self.line, places)}) == 1:  # that it is this line, everybody sees
            reasons = {line: reason for line, reason in reasons.items() if reason != FIRST}
        return [self.shown(*line, reason) for line, reason in [*reasons.items()][:SHOWN]]

    def suspects(self, fixing, reached, once, unknown):
        """{line: why} of the places that a value of the right way puts right, and of the first
        whose value is unknown."""
        reasons = {}
        for n in fixing:
            reasons.setdefault(self.line(n), self.here(n, reached, n in unknown))
        if reached == ALL and len(reasons) == 1:
            # where that line hands a right value on, the one after it may use it wrongly
            after = once[once.index(fixing[-1]) + 1 :][:1]
            for n in after if self.fixing(after)[1] == ALL else []:
                reasons.setdefault(self.line(n), self.here(n, reached, n in unknown))
        for n in unknown:
            reasons.setdefault(self.line(n), FIRST)
        return reasons

    def begin(self):
        self.budget = Budget(SECONDS)

    def has_time(self):
        return self.budget.is_left()

    def here(self, number, reached, is_first):
        """What is said of a place that a value of the right way puts right: the shortest part of it
        of which that is true."""
        places = self.watched.places
        parts = [
            n for n, place in enumerate(places)
            if self.line(n) == self.line(number) and len(self.values.get(n, ())) == 1
        ]  # fmt: skip
        parts = sorted(parts, key=lambda n: len(places[n].text))
        shortest = next((n for n in parts if self.fixing([n])[1] == reached), number)
        if places[shortest].whole and is_first:
            return FIRST
        text = "this line" if places[shortest].whole else f"`{places[shortest].text}`"
        return HERE.format(text, "all" if reached == ALL else "more")

    def shown(self, function, line, reason):
        return Line(line, function.__name__, short(line_of(function, line)), reason)

    def repaired(self, lines):
        """{line: what is wrong there} of the changes that make all numbers right, one for a line,
        and of the first kind that has one; {} if there is none, or time runs out before."""
        own = Own(self.own.handed_in)
        own.most, first = self.own.most, next(iter(lines))
        found: dict = {}
        for kind, (function, line) in itertools.product(KINDS, lines):
            if len(found) == SHOWN or found and (function, line) == first:
                break  # enough, or a further kind begins
            handed_in = own.now(function)
            for words in repairs(own.trees[function], line, kind):
                if (function, line) in found:
                    continue  # each change is undone by the next step
                if not self.has_time():
                    return found
                try:
                    own.run(function, compile(own.trees[function], "<a change>", "exec"))
                except Exception:  # what leaves no Python, or no class
                    continue
                answer = own.submission()
                if self.is_right(answer, self.given, self.attempts[0][1]) and all(
                    self.is_right(answer, yours.given, expected)
                    for yours, expected in self.attempts
                ):
                    found[function, line] = words()
            own.put(function, handed_in)
        return found

    def is_right(self, answer, given, expected):
        made = attempt(answer, self.exercise, given)
        return agree(made, right_for(made, expected))

    def is_known(self, value):
        if is_trivial(value):
            return True
        value = np.where(np.less(value, HIDDEN), -np.inf, value)
        with np.errstate(all="ignore"):
            if any(is_among(v, self.right, self.tolerance) for v in (value, -value, 1 / value)):
                return True
        return bool(np.isin(value, self.numbers).all())  # the right ones in another arrangement

    def line(self, number):
        place = self.watched.places[number]
        return place.function, place.line

    def fixing(self, suspected, others=()):
        """(places, how much): those of the suspected places, and the first of the others, at which
        a value of the right way makes all outputs right; if there are none, makes some right, and
        none wrong."""
        found = {}
        for n in [*suspected, *others]:
            mine = self.values[n][0]
            if is_trivial(mine):
                continue
            alike = [value for value in self.right if np.shape(value) == np.shape(mine)]
            for value in alike or self.right:
                if not self.has_time():
                    break
                level = NONE if same(mine, value, self.tolerance) else self.level(n, value)
                found[n] = max(level, found.get(n, NONE))
                if level == ALL:
                    break
            if found.get(n) == ALL and n not in suspected:
                break
        best = max(found.values(), default=NONE)
        if best == NONE:
            return [], NONE
        chosen = [n for n in suspected if found.get(n) == best]
        first = [n for n in others if found.get(n) == best][:1]
        return list(dict.fromkeys(chosen + first)), best

    def level(self, number, value):
        """How much is right where a place has that value."""
        yours, before = self.attempts[0]
        with self.watched.given(number, value):
            made = attempt(self.own.submission(), self.exercise, self.given)
        after = right_for(made, before)
        if agree(made, after):
            return ALL
        outputs = self.exercise.outputs
        before, now = (
            {name for name in outputs if agree(one, expected, name, [self.situation])}
            for one, expected in ((yours, before), (made, after))
        )
        return SOME if now > before else NONE


def capital(words):
    """Words as the beginning of a sentence."""
    return words[0].upper() + words[1:]


def right_values(exercise, given):
    """All that the right way computes, from the inputs on: that of the exercise, and of its
    forward. Each value stands there once, and none that says nothing."""
    [inputs] = given.values()
    everything = exercise.everything(inputs)
    found = [*everything.values()]
    for one in filter(None, (exercise, exercise.forward)):
        theirs = {name: everything[name] for name in one.inputs if name in everything}
        watched = Watched(Reference(one))
        with watched.recording() as values:
            attempt_own(watched.program.now(), one, {"": inputs if one is exercise else theirs})
        found += [value for kept in values.values() for value in kept]
    distinct: list = []
    for value in found:
        if not is_numeric(value) or is_trivial(value):
            continue
        if not any(same(value, other, EQUAL) for other in distinct):
            distinct.append(value)
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
    wholes = [np.squeeze(np.asarray(x, dtype=float)) for x in right]
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
