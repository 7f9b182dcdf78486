"""The blind set: no right answer is flagged, and no wrong one passes without a word."""

import pytest
from blind import answers

from minitransformer.grading import check, guesses, lines

ANSWERS = [*answers()]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """What is asked here is whether an answer is right, not what is wrong in it."""
    monkeypatch.setattr(guesses, "SECONDS", -1)
    monkeypatch.setattr(lines, "SECONDS", -1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer", [a for a in ANSWERS if a.kind == "right"], ids=lambda answer: answer.name
)
def test_no_right_answer_is_flagged(answer):
    for seed in range(5):
        report = check(answer.exercise, answer.submission, seed=seed, quiet=True)
        assert report.passed, str(report)


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer", [a for a in ANSWERS if a.kind == "wrong"], ids=lambda answer: answer.name
)
def test_every_wrong_answer_is_flagged_or_noted(answer):
    report = check(answer.exercise, answer.submission, quiet=True)
    assert report.findings, f"{answer.words}\n{report}"
