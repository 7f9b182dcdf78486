"""A class: points and a table for a gradebook, unnamed mistakes that several make, pages for the
students, Gradescope."""

import csv
import io
import json

import pytest
from common import refusal, run

from minitransformer.errors import InputError
from minitransformer.grading.grade import as_dict, as_text
from minitransformer.grading.points import as_csv, points_of, read_points, score
from minitransformer.grading.submission import Submission

FORWARD, BACKWARD = "softmax.forward", "softmax.backward"
ANSWER = """
import numpy as np
def softmax(scores):
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)
"""


def report(exercise, status, **finding):
    """A report as a submission has it."""
    found = {
        "id": "1", "title": "", "evidence": ["y[0] is 1, expected 2."], "question": "", "also": [],
        "exact": True, "where": None, **finding,
    }
    return {
        "exercise": exercise, "passed": status == "right", "status": status, "right": [],
        "findings": [] if status == "right" else [found],
    }


def submission(file, status="graded", **others):
    """A submission; `right`, `wrong`, ... are exercises."""
    reports = {
        id: report(id, name.replace("_", " "))
        for name in ("right", "wrong", "not_started")
        for id in others.pop(name, ())
    }
    return Submission(file, status, reports, **others)


CLASS = [
    submission("ada.py", right=[FORWARD, BACKWARD], remarks={BACKWARD: "look at it: it uses os."}),
    submission("bob.py", right=[FORWARD], wrong=[BACKWARD]),
    submission("eve.py", not_started=[FORWARD]),
    submission("=cmd|' /C calc'!A0.py", "crashed"),
    submission("zoë.py", "interrupted", right=[FORWARD]),
]


# -- points ----------------------------------------------------------------------------------------


def rows_of(text):
    return list(csv.reader(io.StringIO(text)))


def test_a_gradebook_has_a_line_for_each_file_and_a_column_for_each_exercise():
    assert rows_of(as_csv(CLASS, points_of(CLASS))) == [
        ["file", FORWARD, BACKWARD, "total", "possible", "status", "look at"],
        ["ada.py", "1", "1", "2", "2", "graded", BACKWARD],
        ["bob.py", "1", "0", "1", "2", "graded", ""],
        ["eve.py", "0", "0", "0", "2", "graded", ""],
        ["'=cmd|' /C calc'!A0.py", "0", "0", "0", "2", "crashed", ""],
        ["zoë.py", "", "", "", "2", "interrupted", ""],
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_file_name_is_a_formula_of_a_spreadsheet(name):
    cell = rows_of(as_csv([submission(name, "refused")], {FORWARD: 1.0}))[1][0]
    # control characters are escaped already, as in the table
    assert cell.startswith(("'", "\\"))


def test_an_exercise_of_the_assignment_that_nobody_answers_counts_and_another_one_does_not():
    points = {BACKWARD: 2.5, "layer_norm.backward": 4.0}
    rows = rows_of(as_csv(CLASS, points))
    assert rows[0][1:5] == [BACKWARD, "layer_norm.backward", "total", "possible"]
    assert rows[1][1:5] == ["2.5", "0", "2.5", "6.5"]
    assert score(CLASS[4], points) == dict.fromkeys(points)


def test_the_exercises_stand_in_the_order_of_the_course():
    late = [submission("a.py", right=["layer_norm.backward"]), submission("b.py", wrong=[FORWARD])]
    assert list(points_of(late)) == [FORWARD, "layer_norm.backward"]


def test_table_and_json_have_the_points():
    text = as_text(CLASS, {FORWARD: 2.0, BACKWARD: 0.1})
    assert "points, of 2.1" in text
    assert [line.split()[-1] for line in text.splitlines() if ".py" in line] == [
        "2.1", "2", "0", "0", "known",
    ]
    found = as_dict(CLASS, {BACKWARD: 3.0})
    assert found["points"] == {BACKWARD: 3.0}
    assert [s["points"][BACKWARD] for s in found["submissions"]] == [3.0, 0.0, 0.0, 0.0, None]
    assert as_dict(CLASS)["points"] == {FORWARD: 1.0, BACKWARD: 1.0}


@pytest.mark.parametrize(
    "text",
    [
        "softmax.backward,2\nsoftmax.forward,0.5\n",
        "exercise,points\nsoftmax.backward,2\n\nsoftmax.forward,0.5",
        '\ufeff"softmax.backward"; 2\r\nsoftmax.forward ;0.5\r\n;\r\n',
    ],
)
def test_points_are_read_as_people_and_spreadsheets_write_them(tmp_path, text):
    (tmp_path / "points.csv").write_bytes(text.encode())
    try:
        found = read_points(tmp_path / "points.csv")
    except InputError as problem:
        found = problem
    assert found == {BACKWARD: 2.0, FORWARD: 0.5}


@pytest.mark.parametrize(
    "data, words",
    [
        (b"softmax.backwards,1", "Did you mean 'softmax.backward'?"),
        (b"softmax.backward,1\nsoftmax.backward,2", "line 2: softmax.backward stands there twice"),
        (b"softmax.backward,two", "line 1: 'two' is no number of points"),
        (b"softmax.backward,-1", "'-1' is no number of points"),
        (b"softmax.backward,inf", "'inf' is no number of points"),
        (b"softmax.backward,nan", "'nan' is no number of points"),
        (b"softmax.backward", "Each line is an exercise and its points"),
        (b"softmax.backward;1,5", "Each line is an exercise and its points"),
        (b"exercise,points\n", "names no exercise"),
        (b"softmax.backward,1\nexercise,points", "There is no exercise 'exercise'"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_points_that_cannot_be_used_are_refused(tmp_path, data, words):
    (tmp_path / "points.csv").write_bytes(data)
    assert words in refusal(read_points, tmp_path / "points.csv")


def test_points_that_are_not_there_are_refused(tmp_path):
    assert "cannot be read" in refusal(read_points, tmp_path / "none.csv")


def test_the_command_writes_both_tables(tmp_path, capsys):
    (tmp_path / "ada.py").write_text(ANSWER)
    (tmp_path / "points.csv").write_text("softmax.forward,2\nsoftmax.backward,3\n")
    status, out, _ = run(
        f"grade '{tmp_path / 'ada.py'}' --points '{tmp_path / 'points.csv'}' "
        f"--out '{tmp_path / 'class.csv'}' --out '{tmp_path / 'class.json'}'",
        capsys,
    )
    assert status == 0 and "points, of 5" in out
    table = rows_of((tmp_path / "class.csv").read_text(encoding="utf-8"))
    assert table[1][1:] == ["2", "0", "2", "5", "graded", ""]
    found = json.loads((tmp_path / "class.json").read_text(encoding="utf-8"))
    assert found["submissions"][0]["points"] == {FORWARD: 2.0, BACKWARD: 0.0}


def test_the_command_overwrites_neither_points_nor_submissions(tmp_path, capsys):
    (tmp_path / "points.csv").write_text("softmax.forward,2")
    wanted = {"points.csv": "is the file of --points", "a.py": "must end in .json or .csv"}
    for name, words in wanted.items():
        status, _, err = run(
            f"grade '{tmp_path}' --points '{tmp_path / 'points.csv'}' --out '{tmp_path / name}'",
            capsys,
        )
        assert status == 2 and words in err
    assert (tmp_path / "points.csv").read_text() == "softmax.forward,2"
