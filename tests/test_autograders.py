"""`check(..., strict=True)` in a cell of nbgrader, and in a test of otter: both grade by it, and
show its diagnosis.

    pip install -e ".[graders]"      # 700 MB of Jupyter; without it these tests are skipped
"""

import json
import os
import subprocess
import sys

import pytest

from minitransformer.grading.exercise import EXERCISES
from minitransformer.grading.release import helpers_of

pytestmark = pytest.mark.graders

ANSWERS = {
    "ada": ("return P * (d_P - (d_P * P).sum(-1, keepdims=True))", 2.0, ""),
    "bob": ("return P * (1 - P) * d_P", 0.0, "each weight answers for itself alone, as P(1 − P)"),
    "eve": ("# YOUR CODE HERE\n    raise NotImplementedError()", 0.0, "not started yet"),
}
ASSIGNMENT = (
    "### BEGIN SOLUTION\n    return P * (d_P - (d_P * P).sum(-1, keepdims=True))\n"
    "    ### END SOLUTION"
)


def function(body):
    return f"def softmax_backward(d_P, P):\n    {body}\n"


def write_notebook(path, body):
    nbformat = pytest.importorskip("nbformat")

    def cell(name, source, **kind):
        made = nbformat.v4.new_code_cell(source, id=name)
        kind = {"grade": False, "solution": False, "locked": False, "task": False, **kind}
        made.metadata["nbgrader"] = {"schema_version": 3, "grade_id": name, **kind}
        return made

    cells = [
        nbformat.v4.new_code_cell("from minitransformer.grading import check", id="start"),
        cell("answer", function(body), solution=True),
        cell(
            "test", 'check("softmax.backward", softmax_backward, strict=True)', grade=True,
            locked=True, points=2,
        ),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.parent.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


def test_nbgrader_grades_by_a_strict_check(tmp_path):
    pytest.importorskip("nbgrader")
    from nbgrader.api import Gradebook

    write_notebook(tmp_path / "source" / "one" / "book.ipynb", ASSIGNMENT)
    for name, (body, _, _) in ANSWERS.items():
        write_notebook(tmp_path / "submitted" / name / "one" / "book.ipynb", body)
    for command in ("generate_assignment", "autograde"):
        program(tmp_path, "nbgrader", command, "one")
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        scores = {row["student"]: row["score"] for row in book.submission_dicts("one")}
    assert scores == {name: score for name, (_, score, _) in ANSWERS.items()}
    for name, (_, _, words) in ANSWERS.items():
        assert words in (tmp_path / "autograded" / name / "one" / "book.ipynb").read_text(
            encoding="utf-8"
        )


OTTER_TEST = """
from minitransformer.grading import check
from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = 2

@test_case(points=2)
def test_softmax_backward(softmax_backward):
    check("softmax.backward", softmax_backward, strict=True)
"""


@pytest.mark.parametrize("name", ANSWERS)
def test_otter_grades_by_a_strict_check(tmp_path, monkeypatch, name):
    otter = pytest.importorskip("otter")
    body, score, words = ANSWERS[name]
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "q1.py").write_text(OTTER_TEST)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    names = {}
    exec(function(body), names)
    result = otter.Notebook(tests_dir="tests").check("q1", global_env=names)
    assert result.grade * 2 == score and words in str(result)


# -- a class of thirty, from `release` to the gradebook --------------------------------------------

ASKED = {"softmax.backward": 2.0, "layer_norm.backward": 3.0}


def versions(id):
    """The wrong versions of an exercise, as a student's cell may hold them."""
    one = EXERCISES[id]
    return [
        "\n".join([*helpers_of(one.reference), one.text(version)])
        for mistake in one.mistakes
        for version in mistake.versions
        if not mistake.convention
    ]


def students():
    """{name: ({exercise: the cell's text}, points)}: ten are right, ten have one exercise wrong,
    ten both."""
    right = {id: "\n".join([*helpers_of(EXERCISES[id].reference), EXERCISES[id].text()])
             for id in ASKED}  # fmt: skip
    wrong = {id: versions(id) for id in ASKED}
    found = {}
    for n in range(30):
        spoilt = {id for k, id in enumerate(ASKED) if n >= 20 or n >= 10 and n % 2 == k}
        cells = {
            id: wrong[id][n % len(wrong[id])] if id in spoilt else right[id] for id in ASKED
        }
        points = sum(worth for id, worth in ASKED.items() if id not in spoilt)
        found[f"student{n:02}"] = cells, points
    return found


def hand_in(released, path, cells):
    """A copy of the students' notebook with these answers in place of its stubs."""
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.read(released, 4)
    for id, text in cells.items():
        stub = f"def {EXERCISES[id].name}("
        (cell,) = [cell for cell in book.cells if cell.source.startswith(stub)]
        assert "return" not in cell.source  # the answer is not in the students' notebook
        cell.source = text
    for cell in book.cells:  # whoever changes a test gains nothing
        if cell.source.startswith("check("):
            cell.source = "pass"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)


def program(folder, *words):
    """Run a module of this Python in a folder, its programs before all others."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, check=True, timeout=3600,
        env={**os.environ, "HOME": str(folder), "PATH": path},
    )


def released(folder, system, out):
    (folder / "points.csv").write_text("".join(f"{id},{worth}\n" for id, worth in ASKED.items()))
    program(
        folder, "minitransformer", "release", *ASKED, "--for", system, "--out", out, "--points",
        "points.csv",
    )


def test_a_class_of_thirty_goes_from_release_to_the_gradebook_of_nbgrader(tmp_path):
    pytest.importorskip("nbgrader")
    from nbgrader.api import Gradebook

    released(tmp_path, "nbgrader", "source/one")
    program(tmp_path, "nbgrader", "generate_assignment", "one")
    for name, (cells, _) in students().items():
        book = tmp_path / "submitted" / name / "one" / "exercises.ipynb"
        hand_in(tmp_path / "release" / "one" / "exercises.ipynb", book, cells)
    program(tmp_path, "nbgrader", "autograde", "one")
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        rows = book.submission_dicts("one")
        found = {row["student"]: (row["score"], row["max_score"]) for row in rows}
    assert found == {name: (points, 5.0) for name, (_, points) in students().items()}
    for name, (_, points) in students().items():
        graded = tmp_path / "autograded" / name / "one" / "exercises.ipynb"
        is_named = "looks like" in graded.read_text(encoding="utf-8")
        assert is_named == (points < 5), name


GRADE_BY_OTTER = """
import json, pathlib, sys
import otter.api
found = {}
for book in sorted(pathlib.Path("submitted").glob("*.ipynb")):
    result = otter.api.grade_submission(str(book), sys.argv[1], quiet=True)
    found[book.stem] = [result.total, result.possible]
pathlib.Path("scores.json").write_text(json.dumps(found))
"""


def test_a_class_of_thirty_goes_from_release_to_the_scores_of_otter(tmp_path):
    pytest.importorskip("otter")
    released(tmp_path, "otter", "master")
    program(tmp_path, "otter", "assign", "master/exercises.ipynb", "dist", "--no-pdfs")
    for name, (cells, _) in students().items():
        book = tmp_path / "submitted" / f"{name}.ipynb"
        hand_in(tmp_path / "dist" / "student" / "exercises.ipynb", book, cells)
    (graders,) = (tmp_path / "dist" / "autograder").glob("*.zip")
    (tmp_path / "by_otter.py").write_text(GRADE_BY_OTTER)
    program(tmp_path, "by_otter", str(graders))
    found = json.loads((tmp_path / "scores.json").read_text())
    assert found == {name: [points, 5.0] for name, (_, points) in students().items()}
