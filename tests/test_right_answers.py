"""No right answer is flagged: written from the statements alone, in several styles, on many numbers
and sizes."""

import collections
import pathlib

import pytest
from answers import ANSWERS, blocks, layers, operations, training  # noqa: F401 (each fills ANSWERS)

from minitransformer.grading import check
from minitransformer.grading.attempt import agree, attempt
from minitransformer.grading.diagnosis import _situations, draws
from minitransformer.grading.exercise import EXERCISES
from minitransformer.grading.grade import grade
from minitransformer.grading.own import Own
from minitransformer.grading.watching import Watched

SEEDS = range(3)
NOTES = {"precision"}  # what may be said of an answer in float32


@pytest.mark.parametrize(
    "exercise, style, answer", ANSWERS,
    ids=[f"{exercise}-{style}" for exercise, style, _ in ANSWERS],
)
def test_a_right_answer_is_never_flagged(exercise, style, answer):
    for seed in SEEDS:
        report = check(exercise, answer, seed=seed, quiet=True)
        assert report.passed and {finding.id for finding in report.findings} <= NOTES, (
            f"seed {seed}\n{report}"
        )


def test_every_exercise_has_three_styles_and_there_are_a_thousand_runs():
    styles = collections.defaultdict(set)
    for exercise, style, _ in ANSWERS:
        styles[exercise].add(style)
    assert set(styles) == set(EXERCISES)
    assert min(map(len, styles.values())) >= 3
    assert len(ANSWERS) * len(SEEDS) >= 1000


@pytest.mark.slow
def test_no_right_answer_of_a_whole_book_is_to_be_looked_at(tmp_path):
    text = (
        pathlib.Path(layers.__file__)
        .read_text(encoding="utf-8")
        .replace("from . import answers", "")
    )
    asked = {
        exercise: function
        for exercise, _, function in reversed(ANSWERS)
        if getattr(function, "__module__", "") == layers.__name__
    }
    calls = [
        f"check({exercise!r}, {function.__name__}, quiet=True)\n"
        for exercise, function in asked.items()
    ]
    answers = (
        "from minitransformer.grading import check\ndef answers(*_): return lambda answer: answer\n"
    )
    (tmp_path / "a.py").write_text(answers + text + "\n" + "".join(calls), encoding="utf-8")
    (submission,) = grade([tmp_path], seconds=120)
    assert submission.count("right") == len(asked) > 10 and not submission.remarks, submission


@pytest.mark.parametrize(
    "id, style, answer", ANSWERS, ids=[f"{id}-{style}" for id, style, _ in ANSWERS]
)
def test_no_number_changes_where_an_answer_is_watched(id, style, answer):
    exercise = EXERCISES[id]
    if exercise.align:
        pytest.skip("it draws its own numbers")
    try:
        own = Own(answer)
    except LookupError:
        pytest.skip("it is no function of its own")
    watched = Watched(own)
    first, _ = draws(0)
    with watched.recording() as values:
        made = attempt(own.submission(), exercise, _situations(exercise, first))
    assert agree(made, attempt(answer, exercise, _situations(exercise, first)))
    assert values or style == "lists"
