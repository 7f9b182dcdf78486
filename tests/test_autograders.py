"""`check(..., strict=True)` in a cell of nbgrader, and in a test of otter: both grade by it, and
show its diagnosis.

    pip install -e ".[graders]"      # 700 MB of Jupyter; without it these tests are skipped
"""

import os
import subprocess
import sys

import pytest

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
        subprocess.run(
            [sys.executable, "-m", "nbgrader", command, "one"], cwd=tmp_path, check=True,
            env={**os.environ, "HOME": str(tmp_path)}, timeout=300,
        )
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
