"""Grading a folder: each file by itself, whatever it does, and the others go on."""

import contextlib
import copy
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest
from common import refusal, run

from minitransformer.grading.apart import Ended, run_apart
from minitransformer.grading.grade import (
    as_dict,
    as_json_text,
    as_text,
    grade,
    histogram,
    remove,
    wait_for,
    was_interrupted,
)
from minitransformer.grading.outcome import WIDEST
from minitransformer.grading.recheck import Interrupted, outcomes_of, recheck
from minitransformer.grading.result import Unreadable, read_found, write_whole
from minitransformer.grading.submission import Source, Submission, find_sources, read

ROOT = pathlib.Path(__file__).resolve().parents[1]

RIGHT = """
import numpy as np
from minitransformer.grading import check
# %% [markdown]
# 1/0 stands in no code.
# %% one
def softmax(scores):
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)
check("softmax.forward", softmax)
# %%
%matplotlib inline
!ls
# %% never checked by the learner, but found by its name
def softmax_backward(d_P, P):
    return {answer}
"""
GOOD, BAD = "P * (d_P - (d_P * P).sum(-1, keepdims=True))", "P * (1 - P) * d_P"

STRANGE = {
    "crash.py": ("import os\nprint('last words', flush=True)\nos.abort()", "crashed (exit status"),
    "endless.py": ("while True: pass", "stopped after 10 s: it did not come to an end"),
    "loud.py": ("print('x' * 3_000_000)", "printed 3.0 MB"),
    "flood.py": ("while True: print('x' * 100_000)", "stopped: it printed more than 50 MB"),
    "quits.py": (
        "raise SystemExit(3)",
        "quits.py: SystemExit in line 1: `raise SystemExit(3)` (3).",
    ),
    "leaves.py": ("import os\nos._exit(0)", "crashed (exit status 0)"),
    "asks.py": ("name = input()", "asks.py: EOFError in line 1: `name = input()`"),
    "typo.py": ("def f(:", "SyntaxError in line 1"),
    "child.py": (
        (
            "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; "
            "time.sleep(60)'])"
        ),
        "",
    ),
    "huge.py": ("import numpy as np\nnp.ones(10**12)", "MemoryError"),
}


@contextlib.contextmanager
def no_error():
    """What is raised within is no error of the test, but what it looks for."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as problem:
        pytest.fail(f"{type(problem).__name__}: {problem}")


SOFTMAX_ALONE = """
import numpy as np
def softmax(scores):
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)
"""


def fill(folder, **files):
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def test_a_class_is_graded_one_file_at_a_time(tmp_path):
    folder = fill(
        tmp_path, ada_py=RIGHT.replace("{answer}", GOOD), bob_py=RIGHT.replace("{answer}", BAD),
        eve_py=RIGHT.replace("{answer}", "..."),
    )
    found = {s.file.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]: s for s in grade([folder])}
    kinds = ("right", "wrong", "not started")
    assert {name: tuple(map(s.count, kinds)) for name, s in found.items()} == {
        "ada.py": (2, 0, 0), "bob.py": (1, 1, 0), "eve.py": (1, 0, 1)}  # fmt: skip
    assert not any(s.remark or s.errors for s in found.values())
    assert histogram(found.values()) == [
        (1, "softmax.backward", "each weight answers for itself alone, as P(1 − P)")
    ]


@pytest.mark.slow
def test_whatever_a_file_does_the_others_go_on(tmp_path):
    for name, (text, _) in STRANGE.items():
        (tmp_path / name).write_text(text)
    fill(tmp_path, good_py=RIGHT.replace("{answer}", GOOD))
    found = {
        s.file.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]: s for s in grade([tmp_path], seconds=10)
    }
    for name, (_, words) in STRANGE.items():
        assert words in found[name].remark + "".join(found[name].errors), name
        assert found[name].seconds < 16
    assert found["good.py"].count("right") == 2
    assert found["crash.py"].remark.endswith(": last words")
    assert found["flood.py"].seconds < 10  # it was not let run until its time was over


@pytest.mark.slow
def test_what_was_checked_by_name_before_a_hang_is_kept_and_the_one_that_hangs_is_named(tmp_path):
    hanging = "def softmax_backward(d_P, P):\n    while True:\n        pass\n"
    fill(tmp_path, loop_py=SOFTMAX_ALONE + hanging)
    (submission,) = grade([tmp_path], seconds=4)
    assert submission.reports["softmax.forward"]["passed"]
    assert submission.remark.endswith("(in the check of softmax.backward)")


@pytest.mark.slow
def test_what_was_said_before_a_hang_is_kept(tmp_path):
    fill(tmp_path, late_py=RIGHT.replace("{answer}", GOOD) + "\n# %%\nwhile True: pass\n")
    (submission,) = grade([tmp_path], seconds=3)
    assert submission.count("right") == 1 and "did not come to an end" in submission.remark


def test_a_cell_that_fails_does_not_stop_the_next(tmp_path):
    fill(
        tmp_path,
        slip_py="# %%\nimport numpy\n# %%\nx = numpy.zeros(3)[5]\n# %%\n"
        + RIGHT.replace("{answer}", GOOD),
    )
    (submission,) = grade([tmp_path / "slip.py"])
    assert submission.count("right") == 2
    assert submission.errors == [
        (
            "slip.py: IndexError in line 4: `x = numpy.zeros(3)[5]` (index 5 is out of bounds for "
            "axis 0 with size 3)."
        )
    ]


def test_a_file_without_cells_goes_on_after_a_statement_that_fails(tmp_path):
    fill(tmp_path,
         plain_py="import functools\n\nx = 1/0; y = 2\n@functools.cache\ndef f():\n    return 1\n\n"
         "assert f() == 2, 'no'\n"
         "import numpy as np\ndef softmax(scores):\n"
         "    e = np.exp(scores - scores.max(-1, keepdims=True))\n\n"
         "    return e / e.sum(-1, keepdims=True)")  # fmt: skip
    (submission,) = grade([tmp_path])
    assert submission.count("right") == 1
    assert submission.errors == [
        "plain.py: ZeroDivisionError in line 3: `x = 1/0; y = 2` (division by zero).",
        "plain.py: AssertionError in line 8: `assert f() == 2, 'no'` (no).",
    ]


def test_a_notebook_is_graded_cell_by_cell(tmp_path):
    cells = [{"cell_type": "markdown", "source": ["# 1/0"]}]
    cells += [
        {"cell_type": "code", "source": source.splitlines(keepends=True)}
        for source in (RIGHT.replace("{answer}", BAD), "1/0", "y = 2")
    ]
    (tmp_path / "book.ipynb").write_text(
        json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})
    )
    (submission,) = grade([tmp_path])
    assert (submission.count("right"), submission.count("wrong")) == (1, 1)
    assert submission.errors == ["cell 3: ZeroDivisionError in line 1: `1/0` (division by zero)."]


def test_files_do_not_see_one_another_nor_write_beside_themselves(tmp_path):
    fill(tmp_path, one_py=(
        "open('left.txt', 'w').write('x')\nimport minitransformer\n"
        "minitransformer.planted = 1"
    ),
         two_py="import minitransformer, os\nassert not hasattr(minitransformer, 'planted') "
         "and not os.path.exists('left.txt')")  # fmt: skip
    assert not any(s.errors for s in grade([tmp_path], jobs=1))
    assert not (tmp_path / "left.txt").exists()


HOSTILE = {
    "random.py": "x = 1",  # the name of a module that NumPy imports
    "json.py": "x = 1",
    "patched.py": "import json\njson.dumps = lambda *_, **__: '[]'\n",
    "surrogate.py": "raise ValueError('\\ud800')",
    "thread.py": "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()",
    "interrupt.py": "raise KeyboardInterrupt",
    "unprintable.py": "class E(Exception):\n    def __str__(self): raise OSError\nraise E",
    "colour.py": "raise ValueError('\\x1b[2Jgone')",
}


@pytest.mark.slow
def test_no_file_spoils_the_class(tmp_path, capsys):
    for name, text in HOSTILE.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    (tmp_path / "folder.py").mkdir()
    fill(tmp_path, good_py=RIGHT.replace("{answer}", GOOD))
    status, out, _ = run(
        f"grade '{tmp_path}' --seconds 20 --out '{tmp_path / 'class.json'}'", capsys
    )
    found = {
        s["file"].replace("\\", "/").rsplit("/", 1)[-1]: s
        for s in json.loads((tmp_path / "class.json").read_text())["submissions"]
    }
    assert (
        status == 0
        and set(found) == {*HOSTILE, "good.py", "loop.py", "folder.py"}
        and "\x1b" not in out
    )
    assert {name: s["remark"] for name, s in found.items() if s["status"] == "refused"} == {
        "loop.py": "refused: a link that leads nowhere",
        "folder.py": "refused: a folder, not a file"}  # fmt: skip
    assert len(found["good.py"]["reports"]) == 2
    assert found["thread.py"]["seconds"] < 15 and not found["thread.py"]["remark"]
    assert found["interrupt.py"]["errors"] == [
        "interrupt.py: KeyboardInterrupt in line 1: `raise KeyboardInterrupt`."
    ]


PLAIN = {
    "a line that begins with %": "x = (7\n% 3)\nassert x == 1",
    "a string that looks like a cell": (
        'x = """\n# %% no cell\n%no magic\n"""\nassert x.count(\'%\') == 3'
    ),
    "two statements in a line, over lines": (
        "x = [1,\n2]; y = [3,\n4]\nassert x + y == [1, 2, 3, 4]"
    ),
    "a byte order mark": "\ufeffx = 1",
    "a line separator in a string": "x = 'a\u2028b'\nassert len(x) == 3",
    "the future": "from __future__ import annotations\n\ndef f(x: Missing): pass",
    "Windows line ends": "x = 1\r\nassert x == 1\r\n", "nothing": "",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", PLAIN)
def test_any_valid_file_runs(tmp_path, kind):
    (tmp_path / "file.py").write_bytes(PLAIN[kind].encode())
    (submission,) = grade([tmp_path])
    assert not submission.errors and not submission.remark


NOTEBOOKS = {
    "magics": "%matplotlib inline\n!pip install \\\n  nothing\nfiles = !ls\nlen?\n?len\nx = 1",
    "another language": "%%bash\nls -l | head",
    "a timed cell": "%%time\nx = 1\nassert x == 1",
    "await": "import asyncio\nawait asyncio.sleep(0)",
    "display": "display(1)\nget_ipython()",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", NOTEBOOKS)
def test_what_notebooks_may_hold(tmp_path, kind):
    old = {
        "worksheets": [{"cells": [{"cell_type": "code", "input": NOTEBOOKS[kind]}]}],
        "nbformat": 3,
    }
    new = {
        "cells": [{"cell_type": "code", "source": NOTEBOOKS[kind]}, {"cell_type": "code"}],
        "nbformat": 4,
    }
    for name, book in {"old.ipynb": old, "new.ipynb": new}.items():
        (tmp_path / name).write_text(json.dumps(book), encoding="utf-8-sig")
    for submission in grade([tmp_path]):
        assert not submission.errors and not submission.remark, submission


def test_another_function_of_an_exercises_name_is_left_alone(tmp_path):
    fill(
        tmp_path,
        other_py=(
            "from minitransformer.layers import Linear as linear\n"
            "\ndef decode(ids): return ids\n"
        ),
    )
    (submission,) = grade([tmp_path])
    assert not submission.reports


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_the_files_and_every_file_stands_in_the_table(tmp_path):
    begun, homework = tmp_path / "begun", tmp_path / "homework"
    homework.mkdir()
    fill(
        homework, a_py=RIGHT.replace("{answer}", GOOD),
        b_py=f"open({str(begun)!r}, 'w').close()\nwhile True: pass", c_py="x = 1", d_ipynb="{}",
    )
    command = [
        sys.executable, "-m", "minitransformer", "grade", str(homework), "--jobs", "1", "--out",
        str(tmp_path / "class.json"),
    ]
    heard = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 (whoever runs the tests may not listen)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heard
    )
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.05)
    started = time.perf_counter()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert time.perf_counter() - started < 10
    assert (
        process.returncode == 130
        and "interrupted" in err
        and "Traceback" not in err
        and "All results" not in out
    )
    found = {
        pathlib.Path(s["file"]).name: s
        for s in json.loads((tmp_path / "class.json").read_text())["submissions"]
    }
    assert {name: s["status"] for name, s in found.items()} == {
        "a.py": "graded", "b.py": "interrupted", "c.py": "not graded",
        "d.ipynb": "not graded"}  # fmt: skip
    assert len(found["a.py"]["reports"]) == 2 and all(name in out for name in found)
    assert (
        "not graded: interrupted before its turn" in out and "Results until the interruption" in out
    )


def test_a_second_ctrl_c_loses_nothing_either():
    class Slow:
        asked = 0

        def result(self):
            self.asked += 1
            if self.asked < 3:
                raise KeyboardInterrupt
            return "done"

    stop = threading.Event()
    with no_error():
        assert wait_for(Slow(), stop) == "done" and stop.is_set()


def test_what_is_interrupted_before_it_ran_a_second_time_is_not_graded(tmp_path, monkeypatch):
    def interrupted(*_):
        raise Interrupted

    monkeypatch.setattr("minitransformer.grading.grade.recheck", interrupted)
    fill(tmp_path, a_py=RIGHT.replace("{answer}", GOOD))
    (submission,) = grade([tmp_path])
    assert submission.status == "interrupted" and was_interrupted([submission])


def test_a_file_that_cannot_be_run_for_want_of_room_is_named_and_the_others_go_on(
    tmp_path, monkeypatch
):
    copy_to = Source.copy_to

    def full(self, folder):
        if self.path.name == "a.py":
            raise OSError(28, "No space left on device")
        return copy_to(self, folder)

    monkeypatch.setattr(Source, "copy_to", full)
    fill(tmp_path, a_py="x = 1", b_py=RIGHT.replace("{answer}", GOOD))
    with no_error():
        first, second = grade([tmp_path])
    assert (
        first.status == "not graded"
        and "No space left on device" in first.remark
        and second.count("right") == 2
    )


# -- which files -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no FIFO")
def test_what_is_no_file_of_moderate_size_is_refused_with_a_reason(tmp_path):
    homework, other = tmp_path / "homework", tmp_path / "other.py"
    homework.mkdir()
    other.write_text("x = 1")
    os.mkfifo(homework / "pipe.py")
    for name, target in {
        "device.py": "/dev/zero", "outside.py": other, "dead.py": "nothing", "inside.py": "good.py",
        "linked": ".",
    }.items():
        (homework / name).symlink_to(target)
    (homework / "large.py").write_bytes(b"#" * ((20 << 20) + 1))
    (homework / "latin.py").write_bytes(b"name = '\xe9'")
    (homework / "cut.ipynb").write_text('{"cells": [')
    (homework / "cells.ipynb").write_text('{"cells": [{"cell_type": "code", "source": 3}]}')
    (homework / "notes.txt").write_text("softmax")
    fill(homework, good_py=RIGHT.replace("{answer}", GOOD))
    found = {pathlib.Path(s.file).name: s for s in grade([homework])}
    refused = {name: s.remark for name, s in found.items() if s.status == "refused"}
    assert (
        set(found) - set(refused) == {"good.py", "inside.py"}
        and found["inside.py"].count("right") == 2
    )
    for name, words in {
        "pipe.py": "a pipe (FIFO), not a file", "device.py": "a link to a file outside",
        "outside.py": "a link to a file outside", "dead.py": "a link that leads nowhere",
        "linked": "a link to a folder, which is not followed", "large.py": "larger than 20 MB",
        "latin.py": "not UTF-8 text (invalid or missing encoding declaration for 'latin.py')",
        "cut.ipynb": "not a notebook",
        "cells.ipynb": "the source of cell 1 should be text",
        "notes.txt": "neither a notebook (.ipynb) nor a Python file",
    }.items():  # fmt: skip
        assert words in refused.pop(name, ""), name
    assert not refused


def test_a_device_and_a_folder_that_cannot_be_read_are_refused(tmp_path, monkeypatch):
    assert (
        read(pathlib.Path(os.devnull).with_suffix(".py"), []).refused == "No such file or directory"
    )
    fill(tmp_path, a_py="x = 1")
    real = os.lstat
    monkeypatch.setattr(
        "minitransformer.grading.submission.os.lstat", lambda path: real(os.devnull)
    )
    assert read(tmp_path / "a.py", []).refused == "a device, not a file"
    monkeypatch.undo()

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("minitransformer.grading.submission.read_small", denied)
    assert read(tmp_path / "a.py", []).refused == "Permission denied"
    monkeypatch.undo()

    def locked(root, onerror):
        onerror(PermissionError(13, "Permission denied", str(tmp_path / "locked")))
        yield str(tmp_path), [], ["a.py"]

    monkeypatch.setattr("minitransformer.grading.submission.os.walk", locked)
    assert [(source.path.name, source.refused) for source in find_sources([tmp_path])] == [
        ("a.py", ""), ("locked", "a folder that cannot be read (Permission denied)")]  # fmt: skip


def test_a_students_own_folder_goes_with_the_submission_and_a_class_folder_does_not(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "answer.py").write_text(
        "import helpers\nassert helpers.x == 1\nimport colorsys\ncolorsys.rgb_to_hls"
    )
    # no module beside a file stands in for one of Python's own
    (tmp_path / "ada" / "colorsys.py").write_text("")
    (tmp_path / "ada" / "helpers.py").write_text("x = 1")
    fill(tmp_path, bob_py="import eve", eve_py="x = 1")
    found = {pathlib.Path(s.file).name: s.errors for s in grade([tmp_path])}
    assert (
        not found["answer.py"]
        and not found["helpers.py"]
        and "ModuleNotFoundError" in "".join(found["bob.py"])
    )


def test_the_folder_in_which_one_stands_can_be_graded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path, a_py=SOFTMAX_ALONE)
    assert [s.count("right") for s in grade(["."])] == [1]
    assert "There is no file or folder ''" in refusal(grade, [""])


def test_modules_beside_a_file_go_with_it_where_it_is_the_learners_own(tmp_path):
    fill(
        tmp_path, helper_py="def shifted(x):\n    return x - x.max(-1, keepdims=True)\n",
        mine_py="import helper\n" + SOFTMAX_ALONE.replace("scores - scores.max(-1, keepdims=True)",
                                                          "helper.shifted(scores)"),
    )  # fmt: skip
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "other.py").write_text("x = 1")
    mine = tmp_path / "mine.py"
    assert [s.count("right") for s in grade([mine], with_modules=True)] == [1]
    assert [s.count("right") for s in grade([mine])] == [0]
    (source,) = find_sources([mine], with_modules=True)
    assert sorted(source.beside) == ["helper.py", "mine.py"]


def test_names_that_a_terminal_would_obey_are_escaped_and_told_apart(tmp_path, capsys):
    names = ["\x1b[2J.py", "new\nline.py", "c1\x9b2J.py", "\u202egnp.py", "é.py"]
    for name in names:
        (tmp_path / name).write_text("raise ValueError('\\x1b[31m\\u202e')")
    out_file = tmp_path / "class.json"
    status, out, _ = run(f"grade '{tmp_path}' --out '{out_file}'", capsys)
    text = out_file.read_text(encoding="utf-8")
    assert (
        status == 0
        and {c for c in out + text if not c.isprintable()} == {"\n"}
        and "é.py" in out
        and "é.py" in text
    )
    assert "\\x1b[2J.py" in out and "new\\nline.py" in out
    assert {pathlib.Path(s["file"]).name for s in json.loads(text)["submissions"]} == set(names)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a name is text")
def test_a_name_that_is_no_text_is_written_as_json_can_hold_it(tmp_path, capsys):
    name = os.fsdecode(b"\xff.py")
    (tmp_path / name).write_text("x = 1")
    with no_error():
        assert run(f"grade '{tmp_path}' --out '{tmp_path / 'class.json'}'", capsys)[0] == 0
    assert json.loads((tmp_path / "class.json").read_text(encoding="utf-8"))["submissions"][0][
        "file"
    ] == str(tmp_path / name)


# -- what a submission does to others --------------------------------------------------------------


def test_no_file_reaches_another_though_it_deletes_and_rewrites_what_it_sees(tmp_path):
    harm = ("from pathlib import Path\n"
            "for folder in (Path(__file__).parent, Path.cwd(), Path.home()):\n"
            "    for file in [*folder.rglob('*')]:\n"
            "        file.is_file() and file.write_text('x = 1')\n"
            "    for file in [*folder.rglob('*')]:\n"
            "        file.is_file() and file.unlink()\n")  # fmt: skip
    fill(tmp_path, a_py=harm, b_py=RIGHT.replace("{answer}", GOOD), c_py=harm)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    found = grade([tmp_path], jobs=1)
    assert [s.count("right") for s in found] == [0, 2, 0]
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_file_that_another_deletes_by_its_full_path_is_graded_all_the_same_and_the_table_says_so(
    tmp_path,
):
    later = tmp_path / "b.py"
    fill(
        tmp_path, a_py=f"import os\nos.remove({str(later)!r})", b_py=RIGHT.replace("{answer}", GOOD)
    )
    first, second = grade([tmp_path], jobs=1)
    assert second.count("right") == 2 and "changed or deleted" in second.remark and not first.remark


def test_a_submission_sees_little_of_the_teachers_environment_and_leaves_nothing(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "homework").mkdir()
    text = ("import os, pathlib, sys\nassert 'SECRET' not in os.environ\n"
            "assert sys.stdin.read() == ''\n"
            "assert pathlib.Path.home() in pathlib.Path(__file__).parents "
            "and pathlib.Path.cwd() == pathlib.Path(__file__).parent\n"
            "os.makedirs('d/e'); open('d/e/left', 'w').close(); os.chmod('d', 0)\n"
            "for n in range(1500): os.mkdir('deep'); os.chdir('deep')\n")  # fmt: skip
    fill(tmp_path / "homework", a_py=text)
    try:
        (submission,) = grade([tmp_path / "homework"])
        assert not submission.errors and not submission.remark
        assert not list((tmp_path / "temporary").iterdir())
    finally:  # whoever clears up behind the tests may not be able to
        subprocess.run(["rm", "-rf", str(tmp_path / "temporary")])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not let everybody make links")
def test_a_folder_is_removed_by_python_alone_and_no_link_out_of_it_is_followed(
    tmp_path, monkeypatch
):
    """As on Windows, which has no rm, and no path of more than a few hundred letters."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("PATH", "")
    folder, outside = tmp_path / "temporary" / "folder", tmp_path / "outside"
    folder.mkdir(parents=True)
    outside.mkdir()
    (outside / "thesis.txt").write_text("years of work")
    (folder / "link").symlink_to(outside, target_is_directory=True)
    (folder / "1").mkdir()
    (folder / "1" / "2").write_text("")
    (folder / "1" / "2").chmod(0o400)
    (folder / "1").chmod(0o500)
    deep = folder
    for _ in range(80):
        deep = deep / "deep"
        deep.mkdir()
    plain = os.rename
    lengths = []
    monkeypatch.setattr(
        "os.rename", lambda old, new: lengths.append(len(str(old))) or plain(old, new)
    )
    remove(folder)
    assert (
        not list((tmp_path / "temporary").iterdir())
        and (outside / "thesis.txt").read_text() == "years of work"
    )
    assert max(lengths, default=9999) < len(str(folder)) + 40
    remove(folder)  # it is gone already
    folder.symlink_to(outside, target_is_directory=True)
    remove(folder)
    assert not list((tmp_path / "temporary").iterdir()) and (outside / "thesis.txt").exists()


SIGNALS = {
    "group.py": ("import os\nos.killpg(0, 9)", "crashed (exit status -9)"),
    "parent.py": ("import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(100)", ""),
    "stop.py": (
        "import os, signal, time\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(100)",
        "",
    ),
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_signals_to_the_group_and_to_the_parent_reach_no_other_file(tmp_path):
    for name, (text, _) in SIGNALS.items():
        (tmp_path / name).write_text(text)
    fill(tmp_path, z_py=RIGHT.replace("{answer}", GOOD))
    found = {pathlib.Path(s.file).name: s for s in grade([tmp_path], seconds=3)}
    assert found["z.py"].count("right") == 2
    for name, (_, words) in SIGNALS.items():
        assert (
            found[name].status in ("crashed", "timed out", "graded") and words in found[name].remark
        ), found[name]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone can confine signals")
def test_where_the_system_can_a_submission_reaches_no_process_but_its_own():
    script = ("import os\nfrom minitransformer.grading.limits import confine_signals\n"
              "can = confine_signals()\nchild = os.fork()\n"
              "if child == 0: os.read(os.pipe()[0], 1)\n"
              "os.kill(child, 9)\nassert os.waitpid(child, 0)[1] == 9\n"
              "try:\n    os.kill(os.getppid(), 0)\n    print('reached', can)\n"
              "except PermissionError:\n    print('denied', can)\n")  # fmt: skip
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    landlock = ctypes.CDLL(None).syscall(
        ctypes.c_long(444), None, ctypes.c_size_t(0), ctypes.c_long(1)
    )  # its version; below 0 where it is off
    assert said.stdout == ("denied True\n" if landlock >= 6 else "reached False\n"), said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sessions")
def test_a_submission_leads_a_session_of_its_own(tmp_path):
    fill(
        tmp_path,
        a_py=(
            "import os\nassert os.getsid(0) == os.getpgid(0) == os.getpid() != "
            "os.getsid(os.getppid())"
        ),
    )
    (submission,) = grade([tmp_path])
    assert not submission.errors and not submission.remark


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_a_submission_has_limits_that_it_cannot_raise(tmp_path):
    text = (
        "import resource\nfor name in ('AS', 'FSIZE', 'CPU', 'CORE'):\n"
        "    kind = getattr(resource, 'RLIMIT_' + name)\n"
        "    soft, hard = resource.getrlimit(kind)\n"
    )
    fill(tmp_path, a_py=text + "    assert soft == hard != resource.RLIM_INFINITY, name\n",
         b_py="f = open('large', 'wb')\n"
         "for n in range(100): f.write(bytes(1 << 20)); f.flush()")  # fmt: skip
    first, second = grade([tmp_path], seconds=20)
    if sys.platform == "linux":  # macOS has no limit of memory
        assert not first.errors
    assert "OSError" in second.errors[0]


# -- forgeries -------------------------------------------------------------------------------------

ANSWER = "import numpy as np\nfrom minitransformer.grading import check\n"
CLOSE = "np.isclose = lambda a, b, **_: np.ones(np.shape(a), dtype=bool)\n"
FORGED = {
    "by hand": ("# %%\nimport json, os, sys\n"
                "report = {'exercise': 'softmax.forward', 'passed': True, 'status': 'right', "
                "'right': [], 'situations': 1, 'severity': '', 'findings': []}\n"
                "json.dump({'reports': {'softmax.forward': report}, 'errors': [], "
                "'finished': True, 'refused': ''}, f := open(sys.argv[2], 'w')); f.close()\n"
                "os._exit(0)", "no softmax stands at the top of the file"),
    "by numpy": (ANSWER + CLOSE + "def softmax(scores): return scores\n",
                 "is not right without the rest of it"),
    "by numpy within": (ANSWER + "def softmax(scores):\n    " + CLOSE + "    return scores\n",
                        "is not right without the rest of it"),
    "by the reference": (ANSWER + "def softmax(scores): return scores\n"
                         "from minitransformer.grading.exercise import EXERCISES\n"
                         "EXERCISES['softmax.forward'].reference = softmax\n",
                         "is not right without the rest of it"),
    "by the package": (ANSWER + "from minitransformer.layers import Softmax\n"
                       "check('softmax.forward', Softmax)\n", "uses minitransformer.layers"),
    "by the package within": ("def softmax(scores):\n"
                              "    from minitransformer.layers import Softmax\n"
                              "    return Softmax()(scores)\n", "uses minitransformer.layers"),
    "by the package's list": ("from minitransformer.grading.exercise import EXERCISES\n"
                              "def softmax(scores):\n"
                              "    return EXERCISES['softmax.forward'](scores)\n",
                              "uses minitransformer.grading.exercise"),
    "by a module behind a dot": ("import minitransformer.grading.exercise\n"
                                 "def softmax(scores):\n"
                                 "    return minitransformer.layers.Softmax()(scores)\n",
                                 "uses minitransformer.grading.exercise"),
    "by eval": ("def softmax(scores):\n"
                "    package = eval('__import__')('minitransformer.layers')\n"
                "    return package.layers.Softmax()(scores)\n",
                "uses eval"),
    "by builtins": ("import builtins, numpy as np\n"
                    "builtins.mine = lambda s: np.exp(s - s.max(-1, keepdims=True)) / "
                    "np.exp(s - s.max(-1, keepdims=True)).sum(-1, keepdims=True)\n"
                    "def softmax(scores): return mine(scores)\n",
                    "name 'mine' is not defined"),
    "by running only there": ("import os, sys, numpy as np\ndef softmax(scores):\n"
                              "    if len(sys.argv) > 4:\n        os._exit(0)\n"
                              "    weights = np.exp(scores - scores.max(-1, keepdims=True)); "
                              "return weights / weights.sum(-1, keepdims=True)\n",
                              "left no numbers"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("how", FORGED)
def test_what_is_said_to_be_right_and_is_not_right_alone_is_to_be_looked_at(tmp_path, how):
    text, words = FORGED[how]
    (tmp_path / "a.py").write_text(text)
    (submission,) = grade([tmp_path], seconds=20)
    assert submission.reports["softmax.forward"]["status"] == "right", submission
    assert words in submission.remarks.get("softmax.forward", "") and "look at it" in as_text(
        [submission]
    ), submission


HONEST = {
    "a helper and a constant": ANSWER
    + "AXIS = -1\ndef shifted(s): return s - s.max(AXIS, keepdims=True)\n"
    "def softmax(scores):\n    weights = np.exp(shifted(scores))\n"
    "    return weights / weights.sum(AXIS, keepdims=True)\ncheck('softmax.forward', softmax)",
    "a class": ANSWER
    + "class Mine:\n    def forward(self, s):\n"
    "        w = np.exp(s - s.max(-1, keepdims=True)); return w / w.sum(-1, keepdims=True)\n"
    "report = check(exercise='softmax.forward', function=Mine)",
    "the name again, later": ANSWER
    + "softmax = 3\ndef softmax(s):\n    w = np.exp(s - s.max(-1, keepdims=True))\n"
    "    return w / w.sum(-1, keepdims=True)\n"
    "check('softmax.forward', softmax)\nfrom minitransformer.layers import Softmax as softmax",
    "a number of the package's": ANSWER
    + "from minitransformer.data.vocabulary import PAD, Vocabulary\ndef softmax(s):\n"
    "    w = np.exp(s - s.max(-1 + PAD, keepdims=True))\n"
    "    return w / w.sum(-1, keepdims=True)\ncheck('softmax.forward', softmax)",
    "in float32": ANSWER
    + "def softmax(s):\n    w = np.exp((s - s.max(-1, keepdims=True)).astype(np.float32))\n"
    "    return w / w.sum(-1, keepdims=True)\n",
    "the future": "from __future__ import annotations\n" + ANSWER
    + "def softmax(s: Missing):\n    w = np.exp(s - s.max(-1, keepdims=True))\n"
    "    return w / w.sum(-1, keepdims=True)\n",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("how", HONEST)
def test_an_honest_answer_is_right_alone_too(tmp_path, how):
    (tmp_path / "a.py").write_text(HONEST[how])
    (submission,) = grade([tmp_path])
    assert submission.reports["softmax.forward"]["status"] == "right" and not submission.remarks, (
        submission
    )


def test_the_seed_of_the_second_run_follows_the_file():
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "minitransformer.grading.recheck.run_apart",
            lambda module, arguments, *_: (
                seen.append(arguments[3]) or Ended("interrupted", 0, 0, "")
            ),
        )
        for data in (b"x", b"x", b"y"):
            with pytest.raises(Interrupted):
                recheck(
                    {"softmax.forward": {"status": "right"}}, "a.py", data, pathlib.Path(), 1,
                    threading.Event(),
                )
    assert seen[0] == seen[1] != seen[2]
    assert (
        recheck(
            {"softmax.forward": {"status": "wrong"}}, "a.py", b"", pathlib.Path(), 1,
            threading.Event(),
        )
        == {}
    )


# -- results ---------------------------------------------------------------------------------------

FINDING = {
    "id": "softmax.forward/no-maximum-shift", "severity": "error", "title": "t",
    "evidence": [], "question": "", "also": [], "exact": True, "met": "",
    "lines": [], "where": None,
}
REPORT = {
    "exercise": "softmax.forward", "passed": False, "status": "wrong", "right": [],
    "situations": 1, "severity": "error", "findings": [FINDING],
}


def result_of(report):
    return {"reports": {"softmax.forward": report}, "errors": [], "finished": True, "refused": ""}


@pytest.mark.parametrize(
    "value",
    [
        None, [], "x", 1, {}, {"reports": []}, result_of(None), result_of("right"), result_of({}),
        result_of({**REPORT, "status": "perfect"}), result_of({**REPORT, "passed": True}),
    ],
    ids=range(11),
)
def test_a_result_of_another_form_is_unreadable(tmp_path, value):
    write_whole(tmp_path / "result.json", value)
    with pytest.raises(Unreadable):
        read_found(tmp_path / "result.json")


VALUES = (
    None, 0, 1.5, True, "", "x", [], [[]], {}, {"x": 1}, 1 << 70, "x" * 10**6, ["x"] * 2000,
    float("nan"),
)


def test_each_part_of_a_result_is_of_its_type_or_the_result_is_unreadable(tmp_path):
    parts = [(value, key) for value in (result_of(REPORT), REPORT, FINDING) for key in value]
    read_whole = refused = 0
    for holder, key in parts:
        for value in VALUES:
            result = copy.deepcopy(result_of(REPORT))
            place = (
                result
                if holder.keys() == result.keys()
                else result["reports"]["softmax.forward"]
                if "passed" in holder
                else result["reports"]["softmax.forward"]["findings"][0]
            )
            place[key] = value
            write_whole(tmp_path / "result.json", result)
            try:
                found = read_found(tmp_path / "result.json")
                submission = Submission("a", reports=found["reports"], errors=found["errors"])
            except (TypeError, KeyError, AttributeError) as problem:
                pytest.fail(f"{key}: {value!r:.50}: {problem}")
            except Unreadable as problem:
                refused += 1
                assert str(problem).isprintable()
                continue
            read_whole += 1
            assert (
                json.loads(as_json_text([submission]))
                and as_text([submission])
                and histogram([submission]) is not None
            )
            assert len(as_json_text([submission])) < 20_000
    assert read_whole > 20 and refused > 120


@pytest.mark.parametrize(
    "name, value",
    [
        ("index", [True]), ("index", [1 << 70]), ("index", 1), ("yours", True),
        ("yours", -(1 << 70)), ("expected", "1"), ("output", 1),
    ],
)
def test_a_place_of_a_result_holds_numbers_of_moderate_size(tmp_path, name, value):
    place = {
        "output": "P", "situation": "random numbers", "index": [0, 2], "yours": float("nan"),
        "expected": 1,
    }
    write_whole(
        tmp_path / "result.json", result_of({**REPORT, "findings": [{**FINDING, "where": place}]})
    )
    assert str(
        read_found(tmp_path / "result.json")["reports"]["softmax.forward"]["findings"][0]["where"]
    ) == str(place)
    write_whole(
        tmp_path / "result.json",
        result_of({**REPORT, "findings": [{**FINDING, "where": {**place, name: value}}]}),
    )
    with pytest.raises(Unreadable):
        read_found(tmp_path / "result.json")


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff", b"[" * 10**6, b'{"a":' * 10**5, b"1" * 10**6, b" " * ((32 << 20) + 1)],
    ids=range(7),
)
def test_a_result_that_is_no_json_is_unreadable(tmp_path, text):
    (tmp_path / "result.json").write_bytes(text)
    with no_error(), pytest.raises(Unreadable):
        read_found(tmp_path / "result.json")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no FIFO")
def test_a_result_that_is_no_file_is_neither_followed_nor_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    write_whole(tmp_path / "good", result_of(REPORT))
    assert read_found(tmp_path / "good")["finished"]
    for name, target in {"zero": "/dev/zero", "link": "good"}.items():
        (tmp_path / name).symlink_to(target)
    words = {
        "pipe": r"a pipe \(FIFO\), not a file", "zero": "symbolic links", "link": "symbolic links",
        ".": "a folder, not a file", "nothing": "there is none", os.devnull: "a device, not a file",
    }
    for path, word in words.items():
        with pytest.raises(Unreadable, match=word):
            read_found(tmp_path / path)


def test_a_result_that_is_too_large_is_unreadable_though_all_of_it_is_as_it_should_be(tmp_path):
    write_whole(tmp_path / "result.json", result_of(REPORT))
    with open(tmp_path / "result.json", "ab") as file:
        file.write(b" " * (32 << 20))
    with pytest.raises(Unreadable, match="larger than 32 MB"):
        read_found(tmp_path / "result.json")


def test_an_unreadable_result_is_crashed_and_the_reason_is_told(tmp_path):
    fill(
        tmp_path,
        a_py="# %%\nimport os, sys\nopen(sys.argv[2], 'w').write('[' * 10**6)\nos._exit(0)",
    )
    (submission,) = grade([tmp_path])
    assert (
        submission.status == "crashed"
        and "its result is unreadable (RecursionError" in submission.remark
    ), submission


def test_no_tolerance_is_wider_than_that_of_an_honest_answer():
    wide = {"outputs": {}, "changed": [], "tolerance": 1e9, "missing": []}
    (outcome,) = outcomes_of({"random numbers": wide}).values()
    assert outcome.tolerance == WIDEST
    for outputs in (
        {"P": [[2, 2], "AAAA"]}, {"P": [[1 << 60], ""]}, {"P": [[-1], ""]}, {"P": [["x"], ""]},
    ):
        with pytest.raises(Unreadable):
            outcomes_of({"random numbers": {**wide, "outputs": outputs}})


def test_an_answer_that_interrupts_is_told(tmp_path):
    fill(tmp_path, a_py="def softmax(scores):\n    raise KeyboardInterrupt")
    (submission,) = grade([tmp_path])
    assert submission.status == "graded" and "KeyboardInterrupt" in "".join(submission.errors), (
        submission
    )


DAMAGED = {
    "cells that are none": {"cells": None}, "cells that are texts": {"cells": ["x"]},
    "a sheet that is none": {"worksheets": [None]}, "a list": [],
}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_notebook_is_refused(tmp_path, how):
    (tmp_path / "a.ipynb").write_text(json.dumps(DAMAGED[how]))
    (submission,) = grade([tmp_path])
    assert (
        submission.status == "refused"
        and "not a notebook: " in submission.remark
        and "Save it again" in submission.remark
    ), submission


def test_texts_of_a_result_are_cut_and_hold_nothing_that_a_terminal_obeys(tmp_path):
    result = result_of(
        {
            **REPORT,
            "findings": [
                {**FINDING, "title": "\x1b[2J" + "x" * 10**5, "evidence": ["\u202e\x9b\n"]}
            ],
        }
    )
    write_whole(tmp_path / "result.json", {**result, "errors": ["\x07"], "refused": "\x1b"})
    found = read_found(tmp_path / "result.json")
    (finding,) = found["reports"]["softmax.forward"]["findings"]
    assert (
        finding["title"].startswith("�[2Jx")
        and len(finding["title"]) < 2100
        and finding["evidence"] == ["���"]
    )
    assert (found["errors"], found["refused"]) == (["�"], "�")


def test_what_a_lesson_checks_to_show_a_mistake_is_no_answer(tmp_path):
    lesson = ("from minitransformer.grading import check\n# %%\n"
              "def softmax_backward(d_P, scores):\n    {answer}\n"
              "check('softmax.backward', softmax_backward)\n# %%\n"
              "check('softmax.backward', lambda d_P, P: P * d_P)\n")  # fmt: skip
    right = (
        "P = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True); return P * (d_P - (P * "
        "d_P).sum(-1, keepdims=True))"
    )
    right = right.replace("np.exp(scores)", "np.exp(scores - scores.max(-1, keepdims=True))")
    fill(
        tmp_path, solved_py="import numpy as np\n" + lesson.format(answer=right),
        untouched_py=lesson.format(answer="..."),
    )
    solved, untouched = grade([tmp_path])
    assert solved.reports["softmax.backward"]["status"] == "right", solved
    assert untouched.reports["softmax.backward"]["status"] == "not started"


def test_the_latest_of_an_answer_counts_and_one_of_another_name_only_if_there_is_no_other(tmp_path):
    fill(tmp_path,
         mine_py="from minitransformer.grading import check\n"
         "check('softmax.backward', lambda d_P, P: P)\n"
         f"check('softmax.backward', lambda d_P, P: {GOOD})\n")  # fmt: skip
    (submission,) = grade([tmp_path])
    assert submission.reports["softmax.backward"]["status"] == "right"


def test_what_is_not_right_is_named_in_the_table_and_numbers_that_json_lacks_are_texts(tmp_path):
    fill(
        tmp_path,
        a_py=(
            "from minitransformer.grading import check\n"
            "check('softmax.backward', lambda d_P, P: P * float('nan'))\n"
        ),
    )
    submissions = grade([tmp_path])
    assert "not right: softmax.backward" in as_text(submissions)
    assert json.loads(json.dumps(as_dict(submissions), allow_nan=False))["submissions"][0][
        "reports"
    ]["softmax.backward"]["findings"]


def test_a_changed_input_is_reported_as_that(tmp_path):
    fill(tmp_path,
         changes_py="from minitransformer.grading import check\nimport numpy as np\n"
         "def softmax(scores):\n    scores -= scores.max(-1, keepdims=True)\n"
         "    return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)\n")  # fmt: skip
    (submission,) = grade([tmp_path])
    (finding,) = submission.reports["softmax.forward"]["findings"]
    assert finding["id"] == "softmax.forward/changed"
    assert "scores was changed in place" in finding["evidence"][0]


def test_the_command_prints_a_table_and_writes_all_of_it(tmp_path, capsys):
    homework = tmp_path / "homework"
    homework.mkdir()
    fill(homework, ada_py=RIGHT.replace("{answer}", GOOD), bob_py=RIGHT.replace("{answer}", BAD))
    (homework / ".hidden.py").write_text("1/0")
    status, out, _ = run(f"grade '{homework}' --out '{tmp_path / 'class.json'}'", capsys)
    assert status == 0 and "What went wrong, and in how many files:" in out and ".hidden" not in out
    found = json.loads((tmp_path / "class.json").read_text())
    assert found["mistakes"] == [
        {
            "count": 1, "exercise": "softmax.backward",
            "mistake": "each weight answers for itself alone, as P(1 − P)",
        }
    ]
    assert [len(s["reports"]) for s in found["submissions"]] == [2, 2]


@pytest.mark.slow
def test_the_histogram_counts_files_most_frequent_first(tmp_path):
    for n, answer in enumerate((BAD, BAD, "P * d_P")):
        (tmp_path / f"{n}.py").write_text(RIGHT.replace("{answer}", answer))
    submissions = grade([tmp_path])
    assert [count for count, _, _ in histogram(submissions)] == [2, 1]
    assert as_text(submissions).count("█") == 3


@pytest.mark.parametrize(
    "path, words", [("nowhere", "There is no file or folder"), (".", "There is nothing to grade")]
)
def test_nothing_to_grade_is_said(tmp_path, path, words):
    assert words in refusal(grade, [tmp_path / path])


def test_the_commands_refuse_what_they_cannot_use(tmp_path, capsys):
    assert run(f"grade '{tmp_path}'", capsys)[0] == 2
    assert "is not a number above 0" in run("grade x --seconds 0", capsys)[2]
    fill(tmp_path, a_py="")
    status, _, err = run(
        f"grade '{tmp_path / 'a.py'}' --out '{tmp_path / 'no' / 'class.json'}'", capsys
    )
    assert status == 2 and "could not be written" in err


def test_the_exercises_are_listed_and_stated(capsys):
    status, out, _ = run("exercises", capsys)
    assert status == 0 and "softmax_backward(d_P, scores) → d_scores" in out
    assert "(B, T, S)" in run("exercises softmax.backward", capsys)[1]
    status, _, err = run("exercises softmax.backwards", capsys)
    assert status == 2 and "Did you mean 'softmax.backward'?" in err


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = pathlib.Path(f"/proc/{pid}/status")
    # ended, and not yet collected by whoever adopted it
    return not (status.exists() and "zombie" in status.read_text())


LEFT = {
    "a child": (
        "import subprocess, sys, pathlib\np = subprocess.Popen([sys.executable, '-c', 'import "
        "time; time.sleep(60)'])\npid.write_text(str(p.pid))"
    ),
    "a daemon": (
        "# %%\nif os.fork() == 0:\n    os.setsid()\n"
        "    if os.fork() == 0:\n        pid.write_text(str(os.getpid()))\n"
        "        time.sleep(60)\n    os._exit(0)\n"
        "while not pid.exists(): time.sleep(0.01)"
    ),
    "a daemon with an environment of its own": (
        "# %%\nif os.fork() == 0:\n    os.setsid()\n"
        "    if os.fork() == 0:\n        pid.write_text(str(os.getpid()))\n"
        "        os.execve(sys.executable, [sys.executable, '-c', 'import time; time.sleep(60)'], "
        "{})\n    os._exit(0)\nwhile not pid.exists(): time.sleep(0.01)"
    ),
    "a daemon and no parent": (
        "# %%\nif os.fork() == 0:\n    os.setsid()\n"
        "    pid.write_text(str(os.getpid()))\n"
        "    time.sleep(60)\nwhile not pid.exists(): time.sleep(0.01)\n"
        "os.kill(os.getppid(), 9)\ntime.sleep(60)"
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells who descends from whom")
@pytest.mark.parametrize("what", LEFT)
def test_what_a_file_started_ends_with_it_whatever_its_session(tmp_path, what):
    pid = tmp_path / "pid"
    (tmp_path / "a.py").write_text(
        f"import os, pathlib, sys, time\npid = pathlib.Path({str(pid)!r})\n{LEFT[what]}\n"
    )
    grade([tmp_path / "a.py"], seconds=5)
    until = time.monotonic() + 5
    while is_running(int(pid.read_text())):
        assert time.monotonic() < until, "a child of a submission lives on"
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone lists the processes with a mark")
def test_where_the_supervisor_itself_is_ended_what_it_watched_is_found_by_its_mark(tmp_path):
    (tmp_path / "sleeps.py").write_text(
        "import os, pathlib, time\n"
        f"pathlib.Path({str(tmp_path / 'pids')!r}).write_text(f'{{os.getpid()}} "
        f"{{os.getppid()}}')\ntime.sleep(60)"
    )
    stop, ended = threading.Event(), []
    environment = {"PYTHONPATH": f"{tmp_path}"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", environment["PYTHONPATH"])
        thread = threading.Thread(
            target=lambda: ended.append(run_apart("sleeps", [], tmp_path, 30, stop))
        )
        thread.start()
        while not (tmp_path / "pids").exists() or not (tmp_path / "pids").read_text():
            time.sleep(0.05)
        child, supervisor = map(int, (tmp_path / "pids").read_text().split())
        os.kill(supervisor, signal.SIGKILL)
        thread.join(20)
    assert (
        not thread.is_alive()
        and ended[0].status is None
        and not ended[0].why
        and not is_running(child)
    )
