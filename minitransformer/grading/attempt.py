"""What a function came to in every situation of an exercise, and whether two such attempts
agree."""

import dataclasses

import numpy as np

from ..testing.difference import agreeing, close, scale_of
from .calling import call, call_own


@dataclasses.dataclass(eq=False)
class Attempt:
    """The outcome of one function in each situation: {name: Outcome}."""

    exercise: object
    given: dict  # {name of the situation: inputs}
    outcomes: dict

    def __getitem__(self, situation):
        return self.outcomes[situation]

    def __iter__(self):
        return iter(self.outcomes)

    def aligned(self):
        """The situations with the random choices that this attempt made, so that others can be held
        against it."""
        if self.exercise.align is None:
            return self.given
        align = self.exercise.align
        return {
            name: given if self[name].stopped() else align(given, self[name])
            for name, given in self.given.items()
        }


def right_for(made, expected):
    """What is right for an attempt: where answers draw at random, what follows from its own random
    choices; else as expected."""
    return expected if expected.exercise.align is None else right_beside(made)


def right_beside(made):
    """The attempt of the reference with the random choices of another one."""
    return attempt_own(made.exercise.reference, made.exercise, made.aligned())


class Recorded:
    """A submission that ran elsewhere: it answers with the outcomes of one attempt after the other,
    as they were recorded."""

    def __init__(self, attempts):
        self.attempts = iter(attempts)  # of {name of the situation: Outcome}


def attempt(submission, exercise, given, aloud=False):
    """Call a submission in every situation; what it prints is heard in the first one, if it may
    speak aloud, and in no other. Raises StopIteration where a recorded one was not asked so
    often."""
    if isinstance(submission, Recorded):
        return Attempt(exercise, given, next(submission.attempts))
    return Attempt(
        exercise, given,
        {
            name: call(submission, exercise, inputs, aloud and name == next(iter(given)))
            for name, inputs in given.items()
        },
    )


def attempt_own(function, exercise, given):
    """Call our own right or wrong version in every situation."""
    return Attempt(
        exercise, given,
        {name: call_own(function, exercise, inputs) for name, inputs in given.items()},
    )


def agree(one, other, output=None, situations=None):
    """Whether two attempts came to the same: in one output, or in all, also in what stopped them or
    was changed.

    In every situation, or in these. The tolerance is the first one's: it follows the type that came
    back.
    """
    return all(_agree_in(one, other, situation, output) for situation in situations or one)


def _agree_in(one, other, situation, output):
    ours, theirs = one[situation], other[situation]
    if ours.stopped() or theirs.stopped():
        return (
            ours.stopped()
            and theirs.stopped()
            and ours.trouble.kind == theirs.trouble.kind == "raised"
        )
    if output is None and set(ours.changed) != set(theirs.changed):
        return False
    pairs = [
        pair(one, other, situation, name) for name in ([output] if output else one.exercise.outputs)
    ]
    return all(a is not None and b is not None and close(a, b, ours.tolerance) for a, b in pairs)


def differing(one, other, output):
    """The situations in which an output of two attempts differs."""
    return [situation for situation in one if not _agree_in(one, other, situation, output)]


def wrong_outputs(yours, expected):
    """The outputs of an attempt that are not as expected everywhere."""
    return [name for name in yours.exercise.outputs if not agree(yours, expected, name)]


def distance(one, other, expected):
    """How far two attempts are apart, relative to the largest entry expected of each output; ∞
    where shapes differ."""
    total = 0.0
    for situation in one:
        ours, theirs = one[situation], other[situation]
        if ours.stopped() and theirs.stopped():
            continue
        for name in one.exercise.outputs:
            a, b = pair(one, other, situation, name)
            if a is None or b is None or a.shape != b.shape:
                return np.inf
            wrong = ~agreeing(a, b, ours.tolerance)
            if wrong.any() and not (np.isfinite(a[wrong]).all() and np.isfinite(b[wrong]).all()):
                return np.inf
            scale = scale_of(expected[situation].outputs.get(name, b))
            total += float(np.sum(((a - b)[wrong] / scale) ** 2))
    return np.sqrt(total)


def pair(one, other, situation, name):
    """An output of two attempts, as a rule as it came and as it should have come; None where there
    is none."""
    return one[situation].outputs.get(name), other[situation].outputs.get(name)


def relative_error(yours, expected, situation, name):
    """‖yours − expected‖ / ‖expected‖ of an output; ∞ where they cannot be subtracted."""
    a, b = pair(yours, expected, situation, name)
    if a is None or b is None or a.shape != b.shape or not np.isfinite(a).all():
        return np.inf
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-12))
