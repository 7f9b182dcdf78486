"""The commands for learners: their own file is checked, watched, and what comes next is named."""

import copy
import json
import os
import pathlib
import types

import pytest
from common import run

from minitransformer.cli import learning
from minitransformer.errors import InputError
from minitransformer.grading import check
from minitransformer.grading.grade import as_json, grade
from minitransformer.grading.news import News
from minitransformer.grading.one_file import as_lines, check_file, exit_status
from minitransformer.grading.report import Report
from minitransformer.grading.submission import Submission

SOFTMAX = """
import numpy as np
def softmax(scores):
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)
"""
GOOD = "def softmax_backward(d_P, P):\n    return P * (d_P - (d_P * P).sum(-1, keepdims=True))\n"
BAD = "def softmax_backward(d_P, P):\n    return P * (1 - P) * d_P\n"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(text, name="mine.py"):
    file = pathlib.Path(name)
    file.write_text(text, encoding="utf-8")
    return str(file)


# -- check -----------------------------------------------------------------------------------------


def printed(report, capsys):
    report.show()
    return capsys.readouterr().out.strip()


def test_check_prints_the_reports_that_the_checker_prints_and_says_by_its_status_if_all_is_right(
    capsys,
):
    write(SOFTMAX + BAD)
    status, out, err = run("check mine.py", capsys)
    names = {}
    exec(SOFTMAX + BAD, names)
    right = check("softmax.forward", names["softmax"], quiet=True)
    wrong = check("softmax.backward", names["softmax_backward"], quiet=True)
    said = out.split("\n\n")
    assert (status, err) == (1, "") and said[0] == printed(right, capsys)
    # in the file, the line at fault is shown as well
    assert [line for line in said[1].splitlines() if line in printed(wrong, capsys)][-1:] == [
        "  question    If one score rises, what becomes of the weights of the others?"
    ]
    assert "line        7 of softmax_backward: `return P * (1 - P) * d_P`." in said[1]
    assert said[2] == "1 of 2 right.\n" and len(said) == 3
    write(SOFTMAX + GOOD)
    status, out, _ = run("check mine.py", capsys)
    assert status == 0 and out.endswith("2 of 2 right.\n")


def test_of_named_exercises_alone_is_reported_and_cells_that_failed_do_not_count(capsys):
    write(SOFTMAX + BAD + "nothing\n")
    status, out, _ = run("check mine.py softmax.forward", capsys)
    assert status == 0 and "softmax.backward" not in out and out.endswith("1 of 1 right.\n")
    assert "This stopped: mine.py: NameError in line 8: `nothing`" in out
    assert run("check mine.py softmax.backward", capsys)[0] == 1
    status, out, _ = run("check mine.py softmax.forward relu.forward", capsys)
    assert status == 2
    assert "There is no answer to relu.forward in the file: write relu(x) → y." in out


def test_a_cell_that_failed_is_not_all_right(capsys):
    write(SOFTMAX + "nothing\n")
    status, out, _ = run("check mine.py", capsys)
    assert status == 1 and "NameError in line 6" in out and out.endswith("1 of 1 right.\n")


def test_a_notebook_is_checked_as_a_file_is(capsys):
    cells = [{"cell_type": "code", "source": text} for text in (SOFTMAX, "%matplotlib inline", BAD)]
    write(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}), "mine.ipynb")
    status, out, _ = run("check mine.ipynb", capsys)
    assert status == 1 and "1 of 2 right." in out


def test_json_is_what_grade_has_for_the_file(capsys):
    file = write(SOFTMAX + BAD)
    status, out, _ = run("check mine.py --json", capsys)
    found = json.loads(out)
    (graded,) = grade([file])
    assert status == 1 and found.keys() == vars(graded).keys()
    assert found["reports"] == json.loads(json.dumps(as_json(graded.reports)))
    assert (found["file"], found["status"], found["errors"]) == ("mine.py", "graded", [])
    _, out, _ = run("check mine.py softmax.forward --json", capsys)
    assert list(json.loads(out)["reports"]) == ["softmax.forward"]


BROKEN = {
    "def f(:\n": "Python cannot read this: mine.py: SyntaxError in line 1: `def f(:`",
    "import os\nos._exit(3)\n": "crashed (exit status 3)",
    "while True:\n    pass\n": "it did not come to an end",
    "x = 1\n": "mine.py answers no exercise: write a function with the name of one",
}


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_what_could_not_be_run_or_answers_nothing_has_status_2(text, capsys):
    write(text)
    seconds = 2 if "while" in text else 60
    status, out, _ = run(f"check mine.py --seconds {seconds}", capsys)
    assert status == 2 and BROKEN[text] in out
    assert ("Nothing could be checked." in out) == ("x = 1" not in text)


@pytest.mark.parametrize("line, sentence", [
    ("nowhere.py", "There is no file 'nowhere.py'. Name the file with your answers."),
    (".", "'.' is a folder. Name one file of it; whole folders: minitransformer grade."),
    ("notes.txt", "'notes.txt' is neither a notebook (.ipynb) nor a Python file (.py)."),
])  # fmt: skip
@pytest.mark.parametrize("command", ["check", "watch"])
def test_what_is_no_file_of_answers_is_refused_before_anything_runs(
    command, line, sentence, capsys, monkeypatch
):
    write("raise SystemExit")
    write("words", "notes.txt")
    monkeypatch.setattr("minitransformer.grading.one_file.grade", None)
    status, out, err = run(f"{command} {line}", capsys)
    assert (status, out) == (2, "") and sentence in err


def test_an_exercise_that_does_not_exist_is_refused_before_anything_runs(capsys, monkeypatch):
    monkeypatch.setattr("minitransformer.grading.one_file.grade", None)
    status, out, err = run(f"check {write('raise SystemExit')} softmax", capsys)
    assert (status, out) == (2, "") and "There is no exercise 'softmax'." in err


def test_ctrl_c_ends_the_check_with_one_line_and_status_130(capsys, monkeypatch):
    stopped = Submission("mine.py", "interrupted", remark="interrupted")
    monkeypatch.setattr("minitransformer.grading.one_file.grade", lambda *_: [stopped])
    write(SOFTMAX)
    assert run("check mine.py", capsys) == (130, "", "minitransformer: interrupted.\n")


def test_a_file_that_could_not_be_run_for_want_of_room_is_no_interruption(monkeypatch):
    full = Submission("mine.py", "not graded", remark="not graded: No space left on device")
    monkeypatch.setattr("minitransformer.grading.one_file.grade", lambda *_: [full])
    submission = check_file(write(SOFTMAX))
    assert exit_status(submission) == 2 and "No space left" in as_lines(submission)


def test_what_is_odd_about_a_right_answer_is_said_without_the_words_for_teachers(capsys):
    write("import os\n" + SOFTMAX.replace("return", "os.getcwd()\n    return"))
    status, out, _ = run("check mine.py", capsys)
    assert status == 0 and "softmax.forward: it is right, and uses os." in out


@pytest.mark.parametrize("answer", [
    lambda d_P, P: P * (1 - P) * d_P,
    lambda d_P, P: P * (d_P - (d_P * P).sum(-1, keepdims=True)),
    lambda d_P, P: ...,
    lambda d_P, P: d_P + 1,
])  # fmt: skip
def test_a_report_comes_back_whole_from_its_dict(answer):
    report = check("softmax.backward", answer, quiet=True)
    again = Report.from_dict(json.loads(json.dumps(report.to_dict())))
    assert str(again) == str(report) and again.to_dict() == report.to_dict()


# -- watch -----------------------------------------------------------------------------------------


class Editor:
    """What happens between two looks at the file: a save, or nothing; at the end Ctrl-C."""

    def __init__(self, *saves):
        self.saves, self.time = list(saves), 0

    def __call__(self, seconds):
        assert seconds == 0.3
        if not self.saves:
            raise KeyboardInterrupt
        save = self.saves.pop(0)
        if save is not None:
            self.time += 1
            save()

    def writes(self, text):
        """A save of this text, at a time of its own, however fast the tests are."""

        def save():
            os.utime(write(text), (self.time, self.time))

        return save


def watched(editor, capsys):
    """What is printed while the editor works, a text for each check."""
    options = types.SimpleNamespace(file="mine.py", seconds=60.0)
    with pytest.raises(KeyboardInterrupt):
        learning.watch(options, editor)
    head, *said = capsys.readouterr().out.rstrip("\n").split("\n\n")
    assert head == "mine.py is checked whenever you save it. Ctrl-C ends this."
    return said


def test_watch_prints_what_is_new_after_each_save_and_nothing_between(capsys):
    write(SOFTMAX + BAD)
    editor = Editor()
    editor.saves = [
        None,
        None,
        editor.writes(SOFTMAX + GOOD),
        None,
        editor.writes("def f(:\n"),
        editor.writes(SOFTMAX + GOOD),
    ]
    said = watched(editor, capsys)
    assert [text.splitlines()[0][:60] for text in said] == [
        "softmax.forward: right",
        "softmax.backward: not right yet",
        "1 of 2 right.",
        "softmax.backward: right",
        "2 of 2 right.",
        "Python cannot read this: mine.py: SyntaxError in line 1: `de",
        "Nothing could be checked.",
        "The whole file runs again.",
        "2 of 2 right.",
    ]


@pytest.fixture
def checks(monkeypatch):
    """The files as `watch` has them checked, without running them."""
    seen = []

    def check_file(file, seconds):
        seen.append(pathlib.Path(file).read_text(encoding="utf-8"))
        return Submission(file, "graded", {})

    monkeypatch.setattr("minitransformer.grading.one_file.check_file", check_file)
    return seen


def test_a_file_is_checked_once_for_each_save(checks, capsys):
    write("a")
    editor = Editor(None)
    editor.saves = [None, editor.writes("b"), None, None, editor.writes("b"), editor.writes("bb")]
    watched(editor, capsys)
    assert checks == ["a", "b", "b", "bb"]


def test_a_save_while_the_file_is_checked_is_not_missed(checks, capsys, monkeypatch):
    write("a")
    of = News.of

    def save_meanwhile(self, submission):
        if len(checks) == 1:
            write("later")
        return of(self, submission)

    monkeypatch.setattr(News, "of", save_meanwhile)
    watched(Editor(None), capsys)
    assert checks == ["a", "later"]


def test_a_file_that_is_put_aside_for_a_moment_is_waited_for(checks, capsys):
    write("a")
    editor = Editor()
    editor.saves = [lambda: os.remove("mine.py"), None, editor.writes("b")]
    watched(editor, capsys)
    assert checks == ["a", "b"]


def test_a_file_that_goes_while_it_is_read_is_waited_for_and_other_refusals_are_told(monkeypatch):
    calls = []

    def gone(file, seconds):
        calls.append(file)
        if len(calls) == 1:
            os.remove(file)
        raise InputError("There is no file 'mine.py'.")

    monkeypatch.setattr("minitransformer.grading.one_file.check_file", gone)
    options = types.SimpleNamespace(file=write("a"), seconds=60.0)
    with pytest.raises(InputError):
        learning.watch(options, Editor(None, lambda: write("a")))
    assert len(calls) == 2


def test_ctrl_c_ends_watching_with_one_line_and_status_130(capsys, checks, monkeypatch):
    write("a")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("minitransformer.grading.news.News.of", interrupt)
    status, _, err = run("watch mine.py", capsys)
    assert (status, err) == (130, "minitransformer: interrupted.\n")


def graded(*functions, errors=()):
    reports = {}
    for exercise, function in functions:
        reports[exercise] = check(exercise, function, quiet=True).to_dict()
    return Submission("mine.py", "graded", reports, errors=list(errors))


def test_news_are_what_was_not_said_before():
    wrong = graded(("relu.forward", lambda x: -x))
    news = News()
    assert news.of(wrong).startswith("relu.forward: not right yet")
    assert news.of(copy.deepcopy(wrong)) == "Nothing new. 0 of 1 right."
    other = graded(("relu.forward", abs))
    assert "the absolute value is taken" in news.of(other)
    assert news.of(Submission("mine.py")).startswith("relu.forward: no longer in the file.")
    failed = graded(("relu.forward", abs), errors=["cell 2: ValueError."])
    said = news.of(failed)
    assert said.startswith("This stopped: cell 2: ValueError.\n\nrelu.forward: not right yet")
    assert news.of(failed) == "Nothing new. 0 of 1 right."


def test_a_syntax_error_takes_no_answer_back():
    right, news = graded(("relu.forward", lambda x: x * (x > 0))), News()
    news.of(right)
    broken = Submission("mine.py", errors=["mine.py: SyntaxError in line 1: `x`."])
    said = "Python cannot read this: mine.py: SyntaxError in line 1: `x`.\n\nNothing could be "
    assert news.of(broken) == f"{said}checked."
    assert news.of(right) == "The whole file runs again.\n\n1 of 1 right."


def test_a_line_that_moved_is_no_news():
    report = check("relu.forward", lambda x: -x, quiet=True).to_dict()
    line = {"number": 3, "function": "relu", "code": "return -x", "reason": "Because."}
    report["findings"][0]["lines"] = [line]
    news = News()
    assert "3 of relu: `return -x`" in news.of(
        Submission("mine.py", reports={"relu.forward": report})
    )
    moved = copy.deepcopy(report)
    moved["findings"][0]["lines"][0]["number"] = 4
    again = news.of(Submission("mine.py", reports={"relu.forward": moved}))
    assert again == "Nothing new. 0 of 1 right."
    moved = copy.deepcopy(moved)
    moved["findings"][0]["lines"][0]["code"] = "return -1 * x"
    assert "4 of relu" in news.of(Submission("mine.py", reports={"relu.forward": moved}))
