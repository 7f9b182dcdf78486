"""Assignments for nbgrader and otter: the answers in them are right, and lie where either takes
them out. What the two make of them: test_autograders.py, where they are installed."""

import json
import re

import pytest
from common import refusal, run

from minitransformer.grading.check import check
from minitransformer.grading.exercise import EXERCISES, find
from minitransformer.grading.release import (
    START,
    answer_of,
    for_nbgrader,
    for_otter,
    release,
    statement_of,
)
from minitransformer.lessons.notebooks import Lesson, asked_in, lessons

ALL = list(EXERCISES.values())
ONE = {one.id: 1.0 for one in ALL}
REGION = re.compile(r"^ *(#+) BEGIN SOLUTION\n.*?^ *\1 END SOLUTION\n?", re.M | re.S)


def source(cell):
    return "".join(cell["source"])


@pytest.mark.parametrize("id", EXERCISES)
def test_the_answer_in_an_assignment_is_right_and_needs_numpy_alone(id):
    names = {}
    exec(f"{START}\n{answer_of(find(id), '### BEGIN SOLUTION', '### END SOLUTION')}", names)
    assert check(id, names[find(id).name], quiet=True).passed


@pytest.mark.parametrize("id", EXERCISES)
def test_what_is_left_of_an_answer_is_a_stub_with_the_exercises_signature(id):
    one = find(id)
    answer = answer_of(one, "# BEGIN SOLUTION", "# END SOLUTION")
    left, count = REGION.subn("    ...\n", f"{answer}\n")
    names = {}
    exec(left, names)
    stub = names[one.name]
    assert count == 1 and stub.__doc__ == one.call
    # nothing of the body stands outside: head, docstring, and what takes the answer's place
    assert left.rstrip().endswith(f'"""{one.call}"""\n    ...')
    if one.id != "dropout.twice":  # a class, which is not judged before it has methods
        assert check(id, stub, quiet=True).status == "not started"


def test_every_cell_for_nbgrader_says_what_it_is():
    book = for_nbgrader(ALL, {**ONE, "softmax.backward": 2.5})
    about = {cell["id"]: cell["metadata"]["nbgrader"] for cell in book["cells"]}
    assert len(about) == len(book["cells"]) == 2 + 3 * len(ALL)
    flags = ("grade", "solution", "locked", "task")
    kinds = {
        "": (False, False, True, False), "-asked": (False, False, True, False),
        "answer": (False, True, False, False), "-test": (True, False, True, False),
    }
    for name, found in about.items():
        end = re.search(r"-\w+$|$", name)[0]
        kind = "answer" if name in {one.name for one in ALL} else end
        assert tuple(found[flag] for flag in flags) == kinds[kind], name
        assert found["schema_version"] == 3 and found["grade_id"] == name
        assert re.fullmatch(r"[\w-]{1,64}", name, re.ASCII)
        assert ("points" in found) == found["grade"]
    assert about["softmax_backward-test"]["points"] == 2.5


def test_answers_for_nbgrader_lie_between_its_marks_and_nowhere_else():
    for cell in for_nbgrader(ALL, ONE)["cells"]:
        is_answer = cell["metadata"]["nbgrader"]["solution"]
        assert len(REGION.findall(source(cell))) == is_answer
        assert "### BEGIN SOLUTION" in source(cell) or not is_answer
    cells = {cell["id"]: source(cell) for cell in for_nbgrader(ALL, ONE)["cells"]}
    test = 'check("softmax.backward", softmax_backward, strict=True)'
    assert cells["softmax_backward-test"] == test


def test_a_question_for_otter_is_a_block_with_an_answer_and_a_test():
    book = for_otter([find("softmax.backward")], {"softmax.backward": 2.5})
    raw = [source(cell) for cell in book["cells"] if cell["cell_type"] == "raw"]
    assert raw[0].startswith("# ASSIGNMENT CONFIG\n") and "  ok_format: false" in raw[0]
    assert raw[1:] == [
        "# BEGIN QUESTION\nname: softmax_backward\npoints: 2.5", "# BEGIN SOLUTION",
        "# END SOLUTION", "# BEGIN TESTS", "# END TESTS", "# END QUESTION",
    ]
    code = [source(cell) for cell in book["cells"] if cell["cell_type"] == "code"]
    assert [len(REGION.findall(text)) for text in code] == [0, 1, 0]
    names = {"softmax_backward": lambda d_P, P: P * (1 - P) * d_P}
    with pytest.raises(AssertionError, match="each weight answers for itself alone"):
        exec(code[2], names)
    exec(code[2], {"softmax_backward": EXERCISES["softmax.backward"].reference})


@pytest.mark.parametrize("make", [for_nbgrader, for_otter])
def test_an_assignment_is_a_notebook(make):
    nbformat = pytest.importorskip("nbformat")
    book = make(ALL, ONE)
    nbformat.validate(nbformat.reads(json.dumps(book), as_version=4))
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])


def test_a_statement_is_all_of_it_and_no_markup():
    text = statement_of(find("softmax.backward"))
    assert f"```text\n{EXERCISES['softmax.backward']}\n```" in text and text.count("```") == 2


def test_a_lesson_asks_for_what_it_checks_under_its_own_name(tmp_path):
    (tmp_path / "16_why.py").write_text(
        'check("mask.causal", always_true)\ncheck("softmax.forward", softmax)\n'
        'check("softmax.backward", softmax_backward)\ncheck("softmax.forward", softmax)\n'
        '# check("mask.padding", padding_mask)\n'
    )
    found = asked_in(Lesson(tmp_path / "16_why.py", "16", "Why?", "", 10, 10, 0))
    assert found == ["softmax.forward", "softmax.backward"]


def test_all_lessons_together_ask_for_all_exercises():
    asked = {lesson.number: asked_in(lesson) for lesson in lessons()}
    assert asked["03"] == [
        "softmax.forward", "softmax.backward", "cross_entropy.forward", "cross_entropy.backward",
    ]
    assert {id for ids in asked.values() for id in ids} == {*EXERCISES}


def test_an_assignment_is_not_replaced_unless_told(tmp_path):
    one = [find("softmax.forward")]
    path = release(one, ONE, "nbgrader", tmp_path / "new" / "one")
    assert path == tmp_path / "new" / "one" / "exercises.ipynb"
    assert "exists already" in refusal(release, one, ONE, "otter", path.parent)
    release(one, ONE, "otter", path.parent, overwrite=True)
    assert "# BEGIN QUESTION" in path.read_text(encoding="utf-8")


def test_the_command_makes_an_assignment_of_lessons_and_exercises(tmp_path, capsys):
    (tmp_path / "points.csv").write_text(
        "layer_norm.backward,3\nsoftmax.forward,1\nsoftmax.backward,2\ncross_entropy.forward,0\n"
        "cross_entropy.backward,1\n"
    )
    command = f"release layer_norm.backward 3 softmax.forward --for nbgrader --out '{tmp_path}'"
    status, out, _ = run(f"{command} --points '{tmp_path / 'points.csv'}'", capsys)
    path = tmp_path / "exercises.ipynb"
    assert (status, out) == (0, f"5 exercises for nbgrader: {path}\n")
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    about = [cell["metadata"]["nbgrader"] for cell in found]
    assert {one["grade_id"]: one["points"] for one in about if one["grade"]} == {
        "layer_norm_backward-test": 3.0, "softmax-test": 1.0, "softmax_backward-test": 2.0,
        "cross_entropy-test": 0.0, "cross_entropy_backward-test": 1.0,
    }
    assert run(command, capsys)[0] == 2
    assert run(f"{command} --overwrite", capsys)[0] == 0


@pytest.mark.parametrize(
    "what, words",
    [
        ("16", "There is no lesson 16; they have the numbers 00 to 15"),
        ("softmax.backwards", "Did you mean 'softmax.backward'?"),
        ("softmax.forward --points '{}'", "softmax.backward is in one of them only"),
        ("3 embedding.forward --points '{}'", "cross_entropy.backward is in one of them only"),
    ],
)
def test_what_cannot_be_an_assignment_is_refused(tmp_path, capsys, what, words):
    (tmp_path / "points.csv").write_text("softmax.forward,1\nsoftmax.backward,2")
    what = what.format(tmp_path / "points.csv")
    status, _, err = run(f"release {what} --for otter --out '{tmp_path}'", capsys)
    assert status == 2 and words in err and not (tmp_path / "exercises.ipynb").exists()
