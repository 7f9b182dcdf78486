"""A wrong answer is shown a case that can be worked out by hand."""

import re

import numpy as np
import pytest

from minitransformer.grading import check
from minitransformer.grading.exercise import EXERCISES
from minitransformer.grading.smallest import LONGEST, smallest_case, text, told

NUMBERS = re.compile(r"−?\d+(?:\.\d+)?(?:e−\d+)?")


def of(words, name):
    """The array that a sentence gives to a name."""
    shown = words[re.search(rf"\b{name} (?:=|is) ", words).end() :]
    ends = [n for n in range(1, len(shown) + 1) if shown[:n].count("[") == shown[:n].count("]")]
    shown = shown[: ends[0]]
    values = [float(n.replace("−", "-")) for n in NUMBERS.findall(shown)]
    return np.reshape(values, np.shape(eval(re.sub(NUMBERS, "0", shown), {})))


def test_its_numbers_are_those_of_the_answer_and_of_the_right_one():
    words = smallest_case(EXERCISES["softmax.backward"], lambda d_P, P: P * d_P, "d_scores")
    d_P, P = of(words, "d_P"), of(words, "P")
    assert d_P.shape == P.shape == (1, 1, 2) and np.allclose(P.sum(-1), 1, atol=1e-3)
    assert np.allclose(of(words, "your d_scores"), P * d_P, atol=1e-4)
    right = P * (d_P - (d_P * P).sum(-1, keepdims=True))
    assert np.allclose(of(words, "and right"), right, atol=1e-4)
    assert np.array_equal(d_P, np.round(d_P, 1)), "numbers that are given have few digits"


@pytest.mark.parametrize("exercise", [*EXERCISES.values()][::3], ids=lambda exercise: exercise.id)
def test_nothing_is_shown_of_a_right_answer(exercise):
    for output in exercise.outputs:
        assert smallest_case(exercise, exercise.reference, output) == ""


def test_the_first_case_whose_right_answer_is_not_zero_is_taken():
    def flat(d_y, x, gamma, beta, epsilon):
        d_x = np.ones_like(x)
        return d_x, d_x.sum((0, 1)), d_x.sum((0, 1))

    words = smallest_case(EXERCISES["layer_norm.backward"], flat, "d_x")
    assert of(words, "x").shape == (1, 1, 2), "the d_x of a single feature is always 0"
    words = smallest_case(EXERCISES["relu.backward"], lambda d_y, x: d_y, "d_x")
    assert of(words, "and right").any() or of(words, "x").size == 1


def test_what_cannot_be_shown_is_not():
    def stops(d_P, P):
        raise ValueError

    for exercise, answer in (
        ("softmax.backward", stops),
        ("softmax.backward", lambda d_P, P: P * np.nan),
        ("softmax.forward", lambda scores: scores.sum()[None] + np.zeros(5000)),
        ("dropout.forward", lambda x, p, rng: x),
    ):
        assert smallest_case(EXERCISES[exercise], answer, EXERCISES[exercise].outputs[0]) == ""
    assert told({"f": lambda x: x}, "y", np.zeros(1), np.ones(1)) == ""
    assert told({"mask": None}, "y", np.zeros(1), np.ones(1)).startswith("A case to work out by")


def test_numbers_are_written_with_four_digits():
    array = np.array([[0.123456, -2.0], [1e-5, 3]])
    assert text(array) == "[[0.1235, −2], [1e−05, 3]]"
    assert (text(np.array([True, False])), text(7), text(True)) == ("[True, False]", "7", "True")
    assert text("a") == text(None) == text(np.array(["a"])) == ""


def test_the_case_stands_in_the_report_and_is_short(capsys):
    check("softmax.backward", lambda d_P, P: P * d_P)
    printed = " ".join(capsys.readouterr().out.split())
    assert "A case to work out by hand: with d_P = [[[0.1, −0.1]]], P = [[[" in printed
    report = check("cross_attention.backward", lambda *given: given[-3:] * 2, quiet=True)
    assert all(len(words) <= LONGEST for words in report.findings[0].evidence)
