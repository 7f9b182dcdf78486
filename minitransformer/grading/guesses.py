"""What a submission looks like where no known mistake makes its numbers: the reference, and each
function of the exercises that it calls, with one thing changed."""

import ast
import inspect

from .attempt import agree, attempt_own, differing
from .budget import Budget
from .changes import changes
from .exercise import EXERCISES, Exercise, Mistake, source_of
from .known import Match
from .program import Program

SECONDS = 1.3  # of computing, after which no further change is tried
TOPICS = __name__.rpartition(".")[0] + ".topics"
KNOWN = -1  # the rank of a mistake of a part: it has a question


class Reference(Program):
    """The reference of an exercise with all functions of the exercises that it calls."""

    def __init__(self, exercise):
        self.question = f'Is it so in your answer? hint("{exercise.id}", 2) shows the formula.'
        super().__init__([exercise.reference], lambda part: ast.parse(source_of(part)), part_of)

    def versions(self, only=None):
        """(rank, Mistake, the reference) of all changes, or of those with the titles of these: the
        reference as it is with that change until the next one is asked for."""
        titles = None if only is None else {mistake.title for mistake in only}
        for function, tree in self.trees.items():
            right = self.now(function)
            for rank, mistake, code in self.changed(function, tree, titles):
                self.run(function, code)
                yield rank, mistake, self.now()
                self.put(function, right)

    def changed(self, function, tree, titles):
        part = next((e for e in EXERCISES.values() if e.reference is function), None)
        if part is not None and function not in self.mains:
            for mistake in part.mistakes:
                if mistake.convention or titles is not None and mistake.title not in titles:
                    continue
                for version in mistake.versions:
                    yield KNOWN, mistake, compile(part.text(version), "<a mistake>", "exec")
        for rank, words, _ in changes(tree, returned_by(part, function)):
            if titles is not None and words not in titles:
                continue
            try:
                code = compile(ast.fix_missing_locations(tree), "<a change>", "exec")
            except (SyntaxError, ValueError, TypeError):  # what leaves no Python
                continue
            yield rank, Mistake("guess", words, question=self.question), code


def part_of(value):
    """The function that a name stands for, if it is one of the exercises or stands beside them."""
    if isinstance(value, Exercise):
        value = value.reference
    is_ours = inspect.isfunction(value) and value.__module__.startswith(TOPICS)
    return value if is_ours else None


def returned_by(part, function):
    """What is said of the place where a function returns."""
    if part is not None and len(part.returns) == 1:
        return next(iter(part.returns))
    return "what is returned" if part is not None else f"what `{function.__name__}` returns"


def guess(attempts):
    """The `Match` of the simplest change that makes exactly these numbers: of all outputs, or else
    of one that is wrong; None if there is none, or time runs out.

    `attempts` gives (yours, expected), twice, with other numbers, sizes and constants: what holds
    by chance with the first, such as 1 − 0.9 for a learning rate of 0.1, does not with the second.
    """
    yours, expected = next(attempts)
    exercise, program = expected.exercise, Reference(expected.exercise)
    found = candidates(program, yours, expected)
    if found:
        again = candidates(program, *next(attempts), [mistake for *_, mistake in found])
        there = {(mistake.title, whole) for whole, *_, mistake in again}
        found = [one for one in found if (one[-1].title, one[0]) in there]
    if not found:
        return None
    partly, _, _, _, explained, mistake = min(found, key=lambda one: one[:4])
    wrong = [name for name in exercise.outputs if differing(yours, expected, name)]
    left = [name for name in wrong if name not in explained] if partly else []
    remains = f"something else remains in {', '.join(left)}" if left else ""
    return Match(mistake, explained, remains=remains)


def candidates(program, yours, expected, only=None):
    """[(whether it makes some outputs alone, − how many, rank, place, these outputs, the Mistake)]
    of all changes of the program, or of these only."""
    exercise, given = expected.exercise, expected.given
    wrong = {name: differing(yours, expected, name) for name in exercise.outputs}
    wrong = {name: where for name, where in wrong.items() if where}
    telling = next(
        (s for s in yours if not yours[s].stopped() and any(s in w for w in wrong.values())), None
    )
    if telling is None:
        return []
    found, budget = [], Budget(SECONDS)
    for rank, mistake, function in program.versions(only):
        glance = attempt_own(function, exercise, {telling: given[telling]})
        seen = [n for n in wrong if telling in wrong[n] and agree(yours, glance, n, [telling])]
        if seen:
            made = attempt_own(function, exercise, given)
            explained = [name for name in seen if agree(yours, made, name)]
            whole = agree(yours, made)
            if whole or explained:
                found.append((not whole, -len(explained), rank, len(found), explained, mistake))
        if not budget.is_left():
            break
    return found
