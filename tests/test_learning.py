"""The commands for learners: their own file is checked, watched, and what comes next is named."""

import copy
import json
import os
import pathlib
import re
import shlex
import types

import pytest
from common import run

from minitransformer.cli import learning
from minitransformer.cli.parser import make_parser
from minitransformer.errors import InputError
from minitransformer.grading import check
from minitransformer.grading.exercise import EXERCISES
from minitransformer.grading.grade import as_json, grade, histogram
from minitransformer.grading.news import News
from minitransformer.grading.one_file import exit_status
from minitransformer.grading.report import Report
from minitransformer.grading.submission import Submission
from minitransformer.lessons import notebooks
from minitransformer.lessons import progress as lessons_progress

SOFTMAX = """
import numpy as np
def softmax(scores):
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)
"""
GOOD = "def softmax_backward(d_P, P):\n    return P * (d_P - (d_P * P).sum(-1, keepdims=True))\n"
BAD = "def softmax_backward(d_P, P):\n    slope = P * (1 - P)\n    return slope * d_P\n"
RELU = "def relu(x):\n    return x * (x > 0)\n"


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
    # in the file, the lines at fault are shown as well
    assert [line for line in said[1].splitlines() if line in printed(wrong, capsys)][-1:] == [
        "  question    If one score rises, what becomes of the weights of the others?"
    ]
    assert "line        7 of softmax_backward: `slope = P * (1 - P)`." in said[1]
    assert said[2] == "1 of 2 right.\n" and len(said) == 3
    write(SOFTMAX + GOOD)
    status, out, _ = run("check mine.py", capsys)
    assert status == 0 and out.endswith("2 of 2 right.\n")


def test_of_named_exercises_alone_is_reported_and_cells_that_failed_do_not_count(capsys):
    write(SOFTMAX + BAD + "nothing\n")
    status, out, _ = run("check mine.py softmax.forward", capsys)
    assert status == 0 and "softmax.backward" not in out and out.endswith("1 of 1 right.\n")
    assert "This stopped: mine.py: NameError in line 9: `nothing`" in out
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


def test_json_can_hold_a_mistake_without_a_name(capsys):
    answer = "def softmax_backward(d_P, P):\n    return np.sin(3 * d_P) + P**5\n"
    write(f"import numpy as np\n{answer}")
    status, out, _ = run("check mine.py --json", capsys)
    found = json.loads(out)
    (finding, *_) = found["reports"]["softmax.backward"]["findings"]
    assert (status, finding["title"]) == (1, "")
    assert found["fingerprints"] and "numbers" not in found and finding["met"] == ""


def test_json_says_where_people_made_the_mistake(capsys):
    write("def softmax_backward(d_P, P):\n    return d_P * P * (1 - P)\n")
    found = json.loads(run("check mine.py --json", capsys)[1])
    (finding,) = found["reports"]["softmax.backward"]["findings"]
    assert finding["id"] == "softmax.backward/diagonal-only"
    assert "https://github.com/deeplearning4j/libnd4j/issues/440" in finding.get("met", "")


def test_json_is_what_grade_has_for_the_file(capsys):
    file = write(SOFTMAX + BAD)
    status, out, _ = run("check mine.py --json", capsys)
    found = json.loads(out)
    (graded,) = grade([file])
    assert status == 1 and found.keys() == vars(graded).keys() - {"numbers"}
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
    monkeypatch.setattr("minitransformer.grading.one_file.grade", lambda *_, **__: [stopped])
    write(SOFTMAX)
    assert run("check mine.py", capsys) == (130, "", "minitransformer: interrupted.\n")


def test_a_file_that_could_not_be_run_for_want_of_room_is_no_interruption(capsys, monkeypatch):
    full = Submission("mine.py", "not graded", remark="not graded: No space left on device")
    monkeypatch.setattr("minitransformer.grading.one_file.grade", lambda *_, **__: [full])
    write(SOFTMAX)
    status, out, err = run("check mine.py", capsys)
    assert (status, err) == (2, "") and "No space left" in out


def test_a_file_that_did_not_come_to_its_end_has_status_2_though_all_before_was_right():
    right = check("relu.forward", lambda x: x * (x > 0), quiet=True).to_dict()
    submission = Submission("mine.py", "timed out", {"relu.forward": right}, remark="stopped")
    assert exit_status(submission) == 2
    submission.status = "graded"
    assert exit_status(submission) == 0


def test_what_remains_besides_is_no_mistake_of_a_class():
    report = check("relu.forward", lambda x: -x, quiet=True).to_dict()
    rows = histogram([Submission("mine.py", reports={"relu.forward": report})])
    assert rows == [(1, "relu.forward", "nothing is done to x")]


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


def outside_the_root(x, gamma, beta, epsilon):
    x_hat = (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + epsilon)
    return gamma * x_hat + beta


def outside_the_root_in_place(x, gamma, beta, epsilon):
    x -= x.mean(-1, keepdims=True)
    return gamma * x / (x.std(-1, keepdims=True) + epsilon) + beta


SEVERITIES = [  # (exercise, answer, the severity of the report, {id: severity})
    ("relu.forward", lambda x: x * (x > 0), "", {}),
    ("relu.forward", lambda x: ..., "note", {"relu.forward/stub": "note"}),
    ("relu.forward", abs, "error", {"relu.forward/absolute-value": "error"}),
    ("relu.forward", lambda x: -x, "error",
     {"relu.forward/does-nothing": "error", "relu.forward/remains": "error"}),
    ("layer_norm.forward", outside_the_root, "note",
     {"layer_norm.forward/epsilon-outside-root": "note"}),
    ("layer_norm.forward", outside_the_root_in_place, "error",
     {"layer_norm.forward/epsilon-outside-root": "note", "layer_norm.forward/changed": "error"}),
]  # fmt: skip


@pytest.mark.parametrize("exercise, answer, severity, findings", SEVERITIES)
def test_a_report_for_programs_has_ids_that_last_and_says_how_severe_it_is(
    exercise, answer, severity, findings
):
    report = check(exercise, answer, quiet=True)
    found = report.to_dict()
    assert found["severity"] == severity
    assert {finding["id"]: finding["severity"] for finding in found["findings"]} == findings
    assert str(Report.from_dict(found)) == str(report)


def test_the_function_of_the_exercises_name_counts_though_another_one_alone_was_checked(capsys):
    other = "from minitransformer.grading import check\ncheck('relu.forward', lambda x: -x)\n"
    write(other + RELU)
    assert run("check mine.py", capsys)[1].endswith("1 of 1 right.\n")
    # a function that only bears the name, and takes something else, is no answer
    write(other + "def relu(x, y, z):\n    return x\n")
    assert "A factor of -1 remains in y." in run("check mine.py", capsys)[1]


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


# -- next ------------------------------------------------------------------------------------------

LESSON = """# %% [markdown]
# # {number} · {title}
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 20 min · writing 25 min | ●●○ | ●●● | nothing | `Softmax` |

# %%
from minitransformer.grading import check
"""
STUB = """
# %%
def {name}(x):
    \"\"\"What is asked.\"\"\"
    ...


check("{id}", {name})
"""
BROKEN_ON_PURPOSE = """
# %%
check("relu.forward", abs)
"""
MORE = "\n# %% [markdown]\n# ### Further: for those who want\n"


def stub(id):
    return STUB.format(id=id, name=EXERCISES[id].name)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Three lessons: one with an exercise for everybody and one for those who want more, one that
    asks for nothing, one that asks for the first exercise again."""
    folder = tmp_path / "course"
    folder.mkdir()
    texts = {
        "01_first": LESSON.format(number="01", title="First?") + stub("relu.forward")
        + BROKEN_ON_PURPOSE + MORE + stub("relu.backward"),
        "02_second": LESSON.format(number="02", title="Second?") + stub("softmax.forward"),
        "03_third": LESSON.format(number="03", title="Third?"),
        "04_fourth": LESSON.format(number="04", title="Fourth?") + stub("relu.forward"),
    }  # fmt: skip
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(notebooks, "FOLDERS", (folder,))
    return texts


def test_behind_the_next_heading_exercises_are_for_everybody_again(tmp_path):
    source = tmp_path / "07_seven.py"
    later = "\n# %% [markdown]\n# ## Break it\n" + stub("softmax.forward")
    source.write_text(MORE + stub("relu.forward") + later, encoding="utf-8")
    lesson = notebooks.Lesson(source, "07", "Seven?", "", 5, 5, 5)
    assert [step.is_further for step in lessons_progress.steps(lesson)] == [True, False]


@pytest.fixture
def runs(monkeypatch):
    """The files that are run."""
    ran = []

    def counted(files, seconds, **options):
        ran.extend(file.name for file in files)
        return grade(files, seconds, **options)

    monkeypatch.setattr(lessons_progress, "grade", counted)
    return ran


NOTHING_YET = """01  First?                                               0 of 1, and 0 of 1 more
02  Second?                                              0 of 1
03  Third?                                               nothing to write
04  Fourth?                                              0 of 1

Next, in lesson 01: """


def test_next_begins_with_the_first_exercise_where_there_is_nothing_yet(course, capsys):
    status, out, err = run("next", capsys)
    first = EXERCISES["relu.forward"].statement.split("\n\n")[0].split()
    head, tail = out.split("relu.forward\n  ")
    asked, _, rest = tail.partition("\n  Write")
    assert (status, err) == (0, "") and asked.split() == first
    assert head == NOTHING_YET
    assert rest == " relu(x) → y\n  minitransformer lessons 01\n"
    pathlib.Path("other").mkdir()
    assert "minitransformer lessons 01 --folder other\n" in run("next other", capsys)[1]
    assert "There is no folder 'nowhere'." in run("next nowhere", capsys)[2]


def ends(out):
    """The ends of the lines of the lessons, and what comes next."""
    lines, _, rest = out.partition("\n\nNext, in lesson ")
    return [line[57:] for line in lines.splitlines()], rest.splitlines()[0]


def test_what_is_asked_of_everybody_comes_before_what_is_for_those_who_want_more(course, capsys):
    folder = pathlib.Path("my-lessons")
    folder.mkdir()
    write(
        course["01_first"].replace(
            stub("relu.forward"), f"\n# %%\n{RELU}check('relu.forward', relu)\n"
        ),
        folder / "01_first.py",
    )
    write(course["02_second"].replace(stub("softmax.forward"), f"# %%\n{SOFTMAX}"),
          folder / "02_mine.py")  # fmt: skip
    status, out, err = run("next", capsys)
    assert err == "2 files changed: running, a moment …\n"
    # the third lesson asks for it anew
    assert ends(out) == (
        ["1 of 1, and 0 of 1 more", "1 of 1", "nothing to write", "0 of 1"],
        "04: relu.forward",
    )
    write("def relu(x):\n    return -x\n", folder / "04_fourth.py")
    _, out, err = run("next", capsys)
    assert err == "1 file changed: running, a moment …\n"
    assert ends(out)[1] == "04: relu.forward, not right yet"
    assert out.endswith("\n  minitransformer check my-lessons/04_fourth.py relu.forward\n")
    (folder / "04_fourth.py").unlink()
    write(RELU, folder / "mine.py")  # a file of no lesson counts for all
    assert ends(run("next", capsys)[1])[1] == "01: relu.backward"
    write(f"{RELU}def relu_backward(d_y, x):\n    return d_y * (x > 0)\n", folder / "mine.py")
    assert run("next", capsys)[1].endswith("\n\nAll exercises are right.\n")


def test_a_file_without_an_answer_is_not_run_and_another_only_when_its_code_has_changed(
    course, capsys, runs
):
    folder = pathlib.Path("my-lessons")
    notebooks.lay_out(folder)
    run("next", capsys)
    assert runs == [] and not (folder / ".checked.json").exists()
    write(RELU, folder / "mine.py")
    (folder / "notes.txt").write_text("no answers", newline="\n")
    book = json.loads((folder / "01_first.ipynb").read_text(encoding="utf-8"))
    cell = next(c for c in book["cells"] if "def relu(" in "".join(c["source"]))
    cell["source"] = "def relu(x):\n    return x"
    write(json.dumps(book), folder / "01_first.ipynb")
    first = run("next", capsys)[1]
    assert runs == ["01_first.ipynb", "mine.py"]
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "ran"}]
    write(json.dumps(book), folder / "01_first.ipynb")
    assert run("next", capsys) == (0, first, "") and len(runs) == 2
    write(RELU + "x = 1\n", folder / "mine.py")
    run("next", capsys)
    assert runs[2:] == ["mine.py"]
    assert len(json.loads((folder / ".checked.json").read_text(encoding="utf-8"))) == 2


@pytest.mark.parametrize("kept", ["", "[]", '{"x": 1}', "null", "[" * 10**5])
def test_what_was_kept_and_cannot_be_read_is_made_anew(course, capsys, kept, runs):
    folder = pathlib.Path("my-lessons")
    folder.mkdir()
    write(RELU, folder / "mine.py")
    write(kept, folder / ".checked.json")
    assert ends(run("next", capsys)[1])[0][0] == "1 of 1, and 0 of 1 more"
    assert run("next", capsys)[2] == "" and runs == ["mine.py"]


def test_another_checker_runs_the_files_again(course, capsys, runs, monkeypatch):
    folder = pathlib.Path("my-lessons")
    folder.mkdir()
    write(RELU, folder / "mine.py")
    run("next", capsys)
    monkeypatch.setattr(lessons_progress, "checker", lambda: "another")
    run("next", capsys)
    assert runs == ["mine.py"] * 2


def test_a_file_that_could_not_be_run_is_named_and_runs_again(course, capsys, runs):
    folder = pathlib.Path("my-lessons")
    folder.mkdir()
    write("import os\nos._exit(3)\n", folder / "mine.py")
    for _ in range(2):
        assert "\n\nmine.py: crashed (exit status 3)\n\nNext" in run("next", capsys)[1]
    assert runs == ["mine.py"] * 2


def test_ctrl_c_ends_next_with_one_line_and_status_130(course, capsys, monkeypatch):
    folder = pathlib.Path("my-lessons")
    folder.mkdir()
    write(RELU, folder / "mine.py")
    stopped = Submission("mine.py", "interrupted", remark="interrupted")
    monkeypatch.setattr(lessons_progress, "grade", lambda *_, **__: [stopped])
    status, out, err = run("next", capsys)
    assert (status, out) == (130, "") and err.endswith("\nminitransformer: interrupted.\n")
    assert not (folder / ".checked.json").exists()


def test_each_exercise_of_the_course_is_a_step_of_its_lesson():
    """Each once in a lesson, and every exercise in one of them."""
    found = [step for lesson in notebooks.lessons() for step in lessons_progress.steps(lesson)]
    assert {step.exercise.id for step in found} == set(EXERCISES)
    assert len({(step.lesson.number, step.exercise.id) for step in found}) == len(found)
    assert 0 < sum(step.is_further for step in found) < len(found) / 2


# -- the page for coding assistants ----------------------------------------------------------------


@pytest.fixture
def tutor():
    return (pathlib.Path(__file__).parents[1] / "AGENTS.md").read_text(encoding="utf-8")


def test_the_page_for_assistants_is_short(tutor):
    assert len(tutor.splitlines()) <= 60


def test_its_commands_are_understood(tutor):
    found = re.findall(r"(?:^|`)minitransformer ([^`#\n]+)", tutor, re.M)
    assert {line.split()[0] for line in found} == {"check", "exercises", "next"}
    for line in found:
        make_parser().parse_args(shlex.split(line))


def test_its_hint_runs(capsys, tutor):
    (line,) = re.findall(r"^python -c .*$", tutor, re.M)
    _, _, code = shlex.split(line)
    exec(code, {})
    assert capsys.readouterr().out.strip() == EXERCISES["softmax.backward"].hints[0]


def test_what_it_reads_in_the_json_is_there(capsys, tutor):
    write(SOFTMAX + BAD)
    found = json.loads(run("check mine.py --json", capsys)[1])
    report = found["reports"]["softmax.backward"]
    there = {*found, *report, *report["findings"][0]}
    asked = {"reports", "right", "passed", "evidence", "lines", "question", "severity", "errors"}
    assert asked <= there and all(name in tutor for name in asked)
    assert report["findings"][0]["question"] and report["findings"][0]["lines"]


def test_where_it_may_not_look_is_where_the_answers_are(tutor):
    root = pathlib.Path(__file__).parents[1]
    for place in ("minitransformer/grading/topics", "docs/mistakes.md", "tests"):
        assert place in tutor and (root / place).exists()
    assert "Never call `reveal`" in tutor
