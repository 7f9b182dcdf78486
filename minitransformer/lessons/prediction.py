"""A prediction: written down before the result is seen, set beside it afterwards."""

import numbers
from typing import Any

import numpy as np

from ..boundary import Text, checked
from ..errors import InputError

CLOSE = 0.1  # a guess within 10 % of a number is called close

_first = {}  # {question: the first guess}
_seen = set()  # the questions whose result was shown


class Prediction:
    """A question and a guess; `compare(result)` sets the two side by side.

    A guess that is made after the result was seen is said to be that.
    """

    def __init__(self, question, guess):
        self.question, self.guess, self.late = question, guess, question in _seen

    def compare(self, result):
        """Print the guess beside what came out. Returns nothing: a notebook would show it twice."""
        _seen.add(self.question)
        late = "  (after you had seen it)" if self.late and self.guess is not ... else ""
        print(f"  your guess   {'none' if self.guess is ... else as_text(self.guess)}{late}")
        print(f"  it is        {as_text(result)}")
        if verdict := judge(self.guess, result):
            print(f"               {verdict}")

    def __repr__(self):
        return f"<{self.question} {'no guess yet' if self.guess is ... else as_text(self.guess)}>"


@checked
def predict(question: Text, guess: Any = ..., *more: Any) -> Prediction:
    """Record a guess before its result is seen. Returns a `Prediction`, whose `compare(result)`
    shows both.

        # put a number in place of the dots
        guess = predict("What is the largest weight at d_k = 512?", ...)

    A guess is anything that can be written down: a number, a shape, a word in quotes. With the dots
    nothing is recorded, and nothing is held up. Raises InputError for two guesses, as which 1,5 is
    read.
    """
    if more:
        raise InputError(
            f"One guess, please; these are {1 + len(more)}. A number has a decimal point: 1.5, and "
            "a shape its brackets: (3, 4)."
        )
    prediction = Prediction(question, guess)
    print(question)
    if guess is ...:
        print(
            "  No guess yet: put one in place of the dots, and run this cell again. The lesson "
            "goes on either way."
        )
    else:
        print(f"  Recorded: {as_text(guess)}")
        first = _first.setdefault(question, guess)
        if not np.array_equal(first, guess):
            print(f"  (Your first guess was {as_text(first)}.)")
    return prediction


def judge(guess, result):
    """How near a guess came, in words; nothing for no guess."""
    if guess is ...:
        return ""
    if is_number(result):
        guess = number_of(guess)
    if is_number(guess) and is_number(result) and np.isfinite([guess, result]).all():
        return judge_number(float(guess), float(result))
    if isinstance(result, str):
        word = {True: "yes", False: "no"}[guess] if isinstance(guess, bool) else str(guess)
        same = word.strip(" .!").lower() == result.strip().lower()
    else:
        same = np.array_equal(np.asarray(guess, dtype=object), np.asarray(result, dtype=object))
    return "As you said." if same else "Not as you said: which thought led you there?"


def judge_number(guess, result):
    if guess == result:
        return "Exactly."
    if abs(guess - result) <= CLOSE * abs(result):
        return "Close: within 10 %."
    if guess * result <= 0:
        return f"Off by {as_text(abs(guess - result))}."
    factor = guess / result
    return (
        f"You were {as_text(max(factor, 1 / factor))} times too "
        f"{'high' if abs(factor) > 1 else 'low'}."
    )


def number_of(guess):
    """The number that a text spells, as "1e-5" does; else the guess itself."""
    try:
        return float(guess) if isinstance(guess, str) else guess
    except ValueError:
        return guess


def is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def as_text(value):
    """A value as one would write it: four digits, no type names."""
    if is_number(value) and not isinstance(value, numbers.Integral):
        return f"{value:.4g}"
    if isinstance(value, (tuple, list, np.ndarray)):
        inside = ", ".join(map(as_text, value))
        return f"({inside}{',' * (len(value) == 1)})" if isinstance(value, tuple) else f"[{inside}]"
    return str(value)
