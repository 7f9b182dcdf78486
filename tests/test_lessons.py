"""What the lessons call: predictions, pictures with their text, the notebooks that are laid out.
(They run in test_lesson_books.)"""

import base64
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from common import refusal

import minitransformer
from minitransformer.cli import main
from minitransformer.lessons import notebooks, predict, show
from minitransformer.lessons.prediction import as_text, judge
from minitransformer.plotting import panels

questions = map("question {}".format, itertools.count())


def compared(capsys, guess, result):
    prediction = predict(next(questions), guess)
    capsys.readouterr()
    prediction.compare(result)
    return capsys.readouterr().out


@pytest.mark.parametrize("guess, result, verdict", [
    (3, 3, "Exactly."),
    (0.98, 1.0, "Close: within 10 %."),
    (10, 2, "You were 5 times too high."),
    (2, 10, "You were 5 times too low."),
    (-10, -2, "You were 5 times too high."),
    (0.5, 0, "Off by 0.5."),
    (-1.0, 1.0, "Off by 2."),
    ("Yes ", "yes", "As you said."),
    ("no", "yes", "Not as you said"),
    ((3, 4), (3, 4), "As you said."),
    ((3, 4), (4, 3), "Not as you said"),
    ([1, 2], np.array([1, 2]), "As you said."),
    ((3, 4), (3, 4, 5), "Not as you said"),
    ("a lot", 3.0, "Not as you said"),
    (True, 1, "As you said."),
    (np.float32(2), 2.0, "Exactly."),
    (float("nan"), 1.0, "Not as you said"),
    ("1e-5", 1e-5, "Exactly."),
    ("No.", "no", "As you said."),
    (False, "no", "As you said."),
    (1.0, float("inf"), "Not as you said"),
])  # fmt: skip
def test_a_guess_stands_beside_the_result_with_how_near_it_came(capsys, guess, result, verdict):
    out = compared(capsys, guess, result)
    assert (
        f"your guess   {as_text(guess)}" in out
        and f"it is        {as_text(result)}" in out
        and verdict in out
    )


def test_without_a_guess_nothing_is_held_up_and_nothing_judged(capsys):
    prediction = predict(next(questions), ...)
    assert "No guess yet: put one in place of the dots" in capsys.readouterr().out
    prediction.compare(0.25)
    assert capsys.readouterr().out == "  your guess   none\n  it is        0.25\n"


def test_a_guess_after_the_result_was_seen_is_said_to_be_that_and_the_first_is_remembered(capsys):
    question = next(questions)
    predict(question, 1)
    second = predict(question, 2)
    assert "(Your first guess was 1.)" in capsys.readouterr().out
    second.compare(5)
    assert "after" not in capsys.readouterr().out  # nothing had been seen when it was made
    predict(question, 5).compare(5)
    assert "your guess   5  (after you had seen it)" in capsys.readouterr().out


def test_a_first_guess_after_the_result_was_seen_is_late_too(capsys):
    question = next(questions)
    predict(question, ...).compare(5)
    predict(question, 5).compare(5)
    assert "(after you had seen it)" in capsys.readouterr().out


def test_two_guesses_are_refused():
    assert "One guess, please; these are 2. A number has a decimal point" in refusal(
        predict, next(questions), 1, 5
    )


def test_values_are_written_as_one_would():
    values = (0.123456, 3, np.float64(2), (1, 2.5), (4,), np.array([1, 2]), "x", None)
    assert [as_text(v) for v in values] == [
        "0.1235", "3", "2", "(1, 2.5)", "(4,)", "[1, 2]", "x", "None",
    ]  # fmt: skip
    assert judge(..., 3) == ""


def test_run_as_a_file_a_picture_is_written_with_its_text(tmp_path):
    lesson = tmp_path / "99_a_lesson.py"
    lesson.write_text(
        "from minitransformer.lessons import show\nfrom minitransformer.plotting import panels\n"
        "for n in range(2):\n    show(panels()[0], f'what is seen in {n}')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(minitransformer.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, str(lesson)], capture_output=True, text=True, cwd=tmp_path,
        env=environment, check=True,
    )
    for n in range(2):
        picture = f"lesson-pictures/99_a_lesson-{n + 1}.png"
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
        assert f"[picture: {picture}]\n  what is seen in {n}\n" in done.stdout.replace("\\", "/")


def test_in_a_notebook_the_text_goes_with_the_picture(monkeypatch):
    shown = []
    display = type(sys)("IPython.display")
    display.display = lambda data, raw, metadata=None: shown.append((data, metadata))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr("minitransformer.lessons.showing.in_notebook", lambda: True)
    figure, axes = panels()
    show(figure, "a < b")
    (data, metadata), (words, _) = shown
    assert type(data["image/png"]) is str, "JupyterLite shows no bytes"
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == "a < b"
    assert metadata == {"image/png": {"alt": "a < b"}} and "a &lt; b" in words["text/html"]


# -- the notebooks ---------------------------------------------------------------------------------

SOURCE = """# %% [markdown]
# # 07 · Why?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 30 min · writing 15 min · further 10 min | ●●○ | ●●● | nothing | `Softmax` |

# %%
x = 1

# %%
print(x)
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "07_why.py").write_text(SOURCE, encoding="utf-8")
    (folder / "build.py").write_text("")
    monkeypatch.setattr(notebooks, "FOLDERS", (tmp_path / "nowhere", folder))
    return tmp_path


def test_a_lesson_is_known_by_its_head(course):
    (lesson,) = notebooks.lessons()
    assert lesson[1:3] == ("07", "Why?") and lesson[4:] == (30, 15, 10)
    assert lesson.time == "reading 30 min · writing 15 min · further 10 min"
    assert lesson.source.name == "07_why.py"


def test_a_package_without_lessons_says_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "FOLDERS", (tmp_path,))
    assert "its repository has them" in refusal(notebooks.lessons)


def test_notebooks_are_laid_out_and_what_is_there_stays(course):
    (file,) = notebooks.lay_out(course / "mine")
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    assert [cell["cell_type"] for cell in cells] == ["markdown", "code", "code"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    file.write_text("my answers")
    assert notebooks.lay_out(course / "mine") == [file] and file.read_text() == "my answers"


def test_a_notebook_is_the_same_every_time():
    assert notebooks.as_notebook(SOURCE) == notebooks.as_notebook(SOURCE)


# -- the command -----------------------------------------------------------------------------------


def test_the_command_lists_the_lessons(course, capsys):
    assert main(["lessons", "--list"]) == 0
    line = r"07  Why\? +reading 30 min · writing 15 min · further 10 min\n"
    assert re.fullmatch(line, capsys.readouterr().out)


@pytest.mark.parametrize("found", ["jupyterlab", "notebook"])
def test_the_command_opens_the_chosen_lesson_in_whichever_jupyter_there_is(
    course, monkeypatch, capsys, found
):
    calls = []
    installed(monkeypatch, found, "jupytext")
    popen = lambda command: calls.append(command) or Ended()  # noqa: E731
    monkeypatch.setattr("minitransformer.cli.lessons.subprocess", SimpleNamespace(Popen=popen))
    monkeypatch.chdir(course)
    assert main(["lessons", "7", "--folder", "mine", "--no-browser", "--allow-root"]) == 0
    assert calls == [
        [
            sys.executable, "-m", found, str(course / "mine" / "07_why.ipynb"), "--no-browser",
            "--allow-root",
        ]
    ]
    assert (
        f"Your lessons are in {course / 'mine'} (1 new, 0 as you left them)."
        in capsys.readouterr().out
    )
    main(["lessons", "7", "--folder", "mine"])
    assert "(0 new, 1 as you left them)" in capsys.readouterr().out


def installed(monkeypatch, *packages):
    """Let the command believe that just these are installed."""
    find = SimpleNamespace(util=SimpleNamespace(find_spec=lambda name: name in packages or None))
    monkeypatch.setattr("minitransformer.cli.lessons.importlib", find)


class Ended:
    """A process that hears Ctrl-C twice before it ends."""

    def __init__(self):
        self.heard = 0

    def wait(self):
        self.heard += 1
        if self.heard < 3:
            raise KeyboardInterrupt
        return 0


def test_without_jupyter_the_command_says_what_to_install_and_how_to_do_without(
    course, monkeypatch, capsys
):
    installed(monkeypatch)
    assert main(["lessons", "07", "--folder", str(course / "mine")]) == 2
    error = capsys.readouterr().err
    assert (
        "pip install jupyterlab jupytext" in error
        and "07_why.py" in error
        and not (course / "mine").exists()
    )


@pytest.mark.parametrize("there", [("jupyterlab",), ("notebook",), ("jupytext",)])
def test_jupyter_and_jupytext_are_needed_both(course, monkeypatch, capsys, there):
    installed(monkeypatch, *there)
    started = SimpleNamespace(Popen=lambda command: pytest.fail("Jupyter was started"))
    monkeypatch.setattr("minitransformer.cli.lessons.subprocess", started)
    monkeypatch.setattr(sys, "executable", "/my programs/python")
    assert main(["lessons", "07", "--folder", str(course / "mine")]) == 2
    error = capsys.readouterr().err
    assert (
        (
            "The notebooks need Jupyter and jupytext. Install them: '/my programs/python' -m pip "
            "install jupyterlab jupytext"
        )
        in error
    )
    assert f"writes its pictures: '/my programs/python' {course / 'course' / '07_why.py'}" in error
    assert not (course / "mine").exists()


@pytest.mark.parametrize("missing", ["jupytext", "nbformat"])
def test_without_a_package_for_notebooks_no_folder_is_made(course, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    assert f"needs the package {missing}, which is not installed" in refusal(
        notebooks.lay_out, course / "mine"
    )
    assert not (course / "mine").exists()


def test_a_lesson_that_does_not_exist_is_refused(course, capsys):
    assert main(["lessons", "16"]) == 2
    assert "There is no lesson 16; they have the numbers 07 to 07." in capsys.readouterr().err
