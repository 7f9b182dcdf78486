"""The smallest case in which an answer is wrong: so few and so round numbers that it can be worked
out by hand."""

import numpy as np

from .attempt import Recorded, attempt, attempt_own, differing, pair
from .calling import taken_by
from .evidence import number
from .sizes import TINY

LONGEST = 300  # characters of the sentence
DECIMALS = (0, 1)  # to which the numbers of arrays are rounded, the roundest first


def smallest_case(exercise, submission, output, seed=0):
    """A sentence with the inputs, what came, and what is right, of an output that is wrong; "" if
    no case is small enough to be shown, or none is wrong. Zeros tell little: they are the right
    answer only where every case has them."""
    if exercise.drive or isinstance(submission, Recorded):
        return ""
    sentences = {}
    for given in small_inputs(exercise, seed):
        yours = attempt(submission, exercise, {"": given})
        right = attempt_own(exercise.reference, exercise, {"": given})
        if yours[""].stopped() or right[""].stopped() or not differing(yours, right, output):
            continue
        taken = taken_by(submission, exercise, given)
        a, b = pair(yours, right, "", output)
        sentence = told(taken, output, a, b)
        if sentence and len(sentence) <= LONGEST:
            sentences.setdefault(bool(b.any()), sentence)
            if True in sentences:
                break
    return sentences.get(True) or sentences.get(False, "")


def small_inputs(exercise, seed):
    """Inputs of few numbers with few digits, the simplest first."""
    for sizes in TINY:
        try:
            plain = exercise.draw(np.random.default_rng(seed), sizes)
        except (ValueError, IndexError, ZeroDivisionError):  # an exercise may need larger ones
            continue
        inputs = next(iter(plain.values()))
        for decimals in DECIMALS:
            yield {name: rounded(x, decimals) for name, x in inputs.items()}


def rounded(value, decimals):
    """An array of floats with few decimals; anything else as it is."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.round(value, decimals) + 0.0  # no −0
    return value


def told(inputs, output, yours, right):
    """The sentence; "" if it cannot be written down."""
    if yours is None or not (np.isfinite(yours).all() and np.isfinite(right).all()):
        return ""
    shown = {name: text(value) for name, value in inputs.items() if value is not None}
    if not all(shown.values()):
        return ""
    given = ", ".join(f"{name} = {value}" for name, value in shown.items())
    return (
        f"A case to work out by hand: with {given}, your {output} is {text(yours)}, and right is "
        f"{text(right)}."
    )


def text(value):
    """A number, or an array as lists, with four digits; "" for anything else."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        if value.ndim:
            return f"[{', '.join(map(text, value))}]"
        value = value.item()
        return text(value)
    if isinstance(value, (int, float, np.number)):
        return number(float(value), 4).replace("-", "−")  # a minus
    return ""
