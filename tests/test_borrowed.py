"""Answers that have the package do the work: they are right, and the report says so."""

import numpy as np
import pytest

from minitransformer import Module
from minitransformer.grading import check, exercises
from minitransformer.grading.borrowed import noting_calls
from minitransformer.grading.exercise import EXERCISES
from minitransformer.grading.grade import as_text, grade
from minitransformer.layers import FeedForward, Softmax

FORWARD, BACKWARD = "softmax.forward", "softmax.backward"


class Mine(Softmax):
    def forward(self, x):
        return super().forward(x)


class Own(Module):
    """A component of one's own, from nothing."""

    def forward(self, x):
        self.save()
        shares = np.exp(x - x.max(-1, keepdims=True))
        return shares / shares.sum(-1, keepdims=True)

    def backward(self, d_y):
        self.saved()
        return d_y


class Around(Own):
    """A component of one's own that has another do it."""

    def forward(self, x):
        self.save()
        return Softmax()(x)


def by_backward(d_P, scores):
    softmax = Softmax()
    softmax(scores)
    return softmax.backward(d_P)


def tries(scores):
    """It calls a component that fails, one that has others in it, and the exercise twice."""
    try:
        Softmax().backward(scores)  # without a forward
    except Exception:
        EXERCISES[FORWARD](scores)
    component, *inputs = FeedForward.example(np.random.default_rng(0))
    component(*inputs)
    return exercises()[FORWARD](scores)


CALLING = {
    "a component": (FORWARD, lambda scores: Softmax()(scores), "Softmax"),
    "a class": (FORWARD, Softmax, "Softmax"),
    "a backward": (BACKWARD, by_backward, "Softmax"),
    "a subclass": (FORWARD, Mine, "Softmax"),
    "within a component": (FORWARD, lambda scores: Around()(scores), "Softmax"),
    "an exercise": (FORWARD, lambda scores: exercises()[FORWARD](scores), FORWARD),
    "another exercise": (
        BACKWARD, lambda d_P, scores: EXERCISES[BACKWARD](d_P, scores), BACKWARD,
    ),
    "several": (FORWARD, tries, f"Softmax and {FORWARD} and FeedForward"),
}


@pytest.mark.parametrize("how", CALLING)
def test_what_the_package_does_is_noted_and_stays_right(how):
    id, answer, names = CALLING[how]
    report = check(id, answer, quiet=True)
    text = (
        f"It is right, and calls the package's own {names}: not all of it is the learner's own "
        "work."
    )
    assert report.passed and [f.evidence for f in report.findings] == [[text]]
    assert ("note", text) in report.rows()


def test_a_wrong_answer_is_only_wrong_and_no_note_is_noted():
    report = check(FORWARD, lambda scores: 2 * Softmax()(scores), quiet=True)
    assert not report.passed and "own" not in [finding.id for finding in report.findings]


@pytest.mark.parametrize("answer", [Own, lambda scores: Own()(scores)])
def test_a_component_of_ones_own_is_nobody_elses(answer):
    assert not check(FORWARD, answer, quiet=True).findings


@pytest.mark.parametrize("id", EXERCISES)
def test_our_own_right_answer_calls_nobody(id):
    # many of them call another exercise
    assert not [f for f in check(id, EXERCISES[id].reference, quiet=True).findings if f.id == "own"]


def test_whoever_is_asked_what_a_component_costs_may_run_it():
    def attention_operations(length, features):
        Softmax()(np.ones((2, 3)))
        return 2 * length**2 * features

    assert not check("operations.attention", attention_operations, quiet=True).findings


def test_what_is_called_is_noted_no_longer_at_the_end():
    with noting_calls(FORWARD) as called:
        pass
    Softmax()(np.ones((2, 3)))
    EXERCISES[FORWARD](np.ones((2, 3)))
    assert called == []


def test_the_teacher_reads_it_in_the_table(tmp_path):
    (tmp_path / "ada.py").write_text(
        "def softmax(scores):\n    from minitransformer.layers import Softmax\n"
        "    return Softmax()(scores)\n"
    )
    (one,) = grade([tmp_path])
    assert one.count("right") == 1
    text = "it calls the package's own Softmax: not all of it is the learner's own work."
    assert one.remarks[FORWARD].endswith(text) and text in as_text([one])
    assert [finding["id"] for finding in one.reports[FORWARD]["findings"]] == [
        f"{FORWARD}/own"
    ]
