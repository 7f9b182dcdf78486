"""Grading a folder: each file by itself, whatever it does, and the others go on."""

import json
import sys

import pytest
from common import refusal, run

from minitransformer.grading.grade import as_dict, as_text, grade, histogram

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
    "endless.py": ("while True: pass", "stopped after 3 s: it did not come to an end"),
    "loud.py": ("print('x' * 3_000_000)", "printed 3.0 MB"),
    "flood.py": ("while True: print('x' * 100_000)", "stopped: it printed more than 50 MB"),
    "quits.py": ("raise SystemExit(3)", "quits.py: SystemExit in line 1: `raise SystemExit(3)` (3)."),
    "leaves.py": ("import os\nos._exit(0)", "crashed (exit status 0)"),
    "asks.py": ("name = input()", "asks.py: EOFError in line 1: `name = input()`"),
    "typo.py": ("def f(:", "SyntaxError in line 1"),
    "child.py": ("import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])", ""),
    "huge.py": ("import numpy as np\nnp.ones(10**12)", "MemoryError"),
}


def fill(folder, **files):
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def test_a_class_is_graded_one_file_at_a_time(tmp_path):
    folder = fill(tmp_path, ada_py=RIGHT.replace("{answer}", GOOD), bob_py=RIGHT.replace("{answer}", BAD), eve_py=RIGHT.replace("{answer}", "..."))
    found = {s.file.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]: s for s in grade([folder])}
    assert {name: (s.count("right"), s.count("wrong"), s.count("not started")) for name, s in found.items()} == {
        "ada.py": (2, 0, 0), "bob.py": (1, 1, 0), "eve.py": (1, 0, 1)}  # fmt: skip
    assert not any(s.remark or s.errors for s in found.values())
    assert histogram(found.values()) == [(1, "softmax.backward", "each weight answers for itself alone, as P(1 − P)")]


def test_whatever_a_file_does_the_others_go_on(tmp_path):
    for name, (text, _) in STRANGE.items():
        (tmp_path / name).write_text(text)
    fill(tmp_path, good_py=RIGHT.replace("{answer}", GOOD))
    found = {s.file.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]: s for s in grade([tmp_path], seconds=3)}
    for name, (_, words) in STRANGE.items():
        assert words in found[name].remark + "".join(found[name].errors), name
        assert found[name].seconds < 8
    assert found["good.py"].count("right") == 2
    assert found["crash.py"].remark.endswith(": last words")
    assert found["flood.py"].seconds < 3  # it was not let run until its time was over


def test_what_was_said_before_a_hang_is_kept(tmp_path):
    fill(tmp_path, late_py=RIGHT.replace("{answer}", GOOD) + "\n# %%\nwhile True: pass\n")
    (submission,) = grade([tmp_path], seconds=3)
    assert submission.count("right") == 1 and "did not come to an end" in submission.remark


def test_a_cell_that_fails_does_not_stop_the_next(tmp_path):
    fill(tmp_path, slip_py="# %%\nimport numpy\n# %%\nx = numpy.zeros(3)[5]\n# %%\n" + RIGHT.replace("{answer}", GOOD))
    (submission,) = grade([tmp_path / "slip.py"])
    assert submission.count("right") == 2
    assert submission.errors == ["slip.py: IndexError in line 4: `x = numpy.zeros(3)[5]` (index 5 is out of bounds for axis 0 with size 3)."]


def test_a_file_without_cells_goes_on_after_a_statement_that_fails(tmp_path):
    fill(tmp_path, plain_py="import functools\n\nx = 1/0; y = 2\n@functools.cache\ndef f():\n    return 1\n\nassert f() == 2, 'no'\n"
         "import numpy as np\ndef softmax(scores):\n    e = np.exp(scores - scores.max(-1, keepdims=True))\n\n    return e / e.sum(-1, keepdims=True)")  # fmt: skip
    (submission,) = grade([tmp_path])
    assert submission.count("right") == 1
    assert submission.errors == [
        "plain.py: ZeroDivisionError in line 3: `x = 1/0; y = 2` (division by zero).", "plain.py: AssertionError in line 8: `assert f() == 2, 'no'` (no)."]


def test_a_notebook_is_graded_cell_by_cell(tmp_path):
    cells = [{"cell_type": "markdown", "source": ["# 1/0"]}]
    cells += [{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in (RIGHT.replace("{answer}", BAD), "1/0", "y = 2")]
    (tmp_path / "book.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    (submission,) = grade([tmp_path])
    assert (submission.count("right"), submission.count("wrong")) == (1, 1)
    assert submission.errors == ["cell 3: ZeroDivisionError in line 1: `1/0` (division by zero)."]


def test_files_do_not_see_one_another_nor_write_beside_themselves(tmp_path):
    fill(tmp_path, one_py="open('left.txt', 'w').write('x')\nimport minitransformer\nminitransformer.planted = 1",
         two_py="import minitransformer, os\nassert not hasattr(minitransformer, 'planted') and not os.path.exists('left.txt')")  # fmt: skip
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


def test_no_file_spoils_the_class(tmp_path, capsys):
    for name, text in HOSTILE.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    (tmp_path / "folder.py").mkdir()
    fill(tmp_path, good_py=RIGHT.replace("{answer}", GOOD))
    status, out, _ = run(f"grade '{tmp_path}' --seconds 20 --out '{tmp_path / 'class.json'}'", capsys)
    found = {s["file"].replace("\\", "/").rsplit("/", 1)[-1]: s for s in json.loads((tmp_path / "class.json").read_text())["submissions"]}
    assert status == 0 and set(found) == {*HOSTILE, "good.py"} and "\x1b" not in out
    assert len(found["good.py"]["reports"]) == 2
    assert found["thread.py"]["seconds"] < 15 and not found["thread.py"]["remark"]
    assert found["interrupt.py"]["errors"] == ["interrupt.py: KeyboardInterrupt in line 1: `raise KeyboardInterrupt`."]


PLAIN = {
    "a line that begins with %": "x = (7\n% 3)\nassert x == 1",
    "a string that looks like a cell": "x = \"\"\"\n# %% no cell\n%no magic\n\"\"\"\nassert x.count('%') == 3",
    "two statements in a line, over lines": "x = [1,\n2]; y = [3,\n4]\nassert x + y == [1, 2, 3, 4]",
    "a byte order mark": "\ufeffx = 1",
    "a line separator in a string": "x = 'a\u2028b'\nassert len(x) == 3",
    "the future": "from __future__ import annotations\n\ndef f(x: Missing): pass",
    "Windows line ends": "x = 1\r\nassert x == 1\r\n",
    "nothing": "",
}


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


@pytest.mark.parametrize("kind", NOTEBOOKS)
def test_what_notebooks_may_hold(tmp_path, kind):
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": NOTEBOOKS[kind]}]}], "nbformat": 3}
    new = {"cells": [{"cell_type": "code", "source": NOTEBOOKS[kind]}, {"cell_type": "code"}], "nbformat": 4}
    for name, book in {"old.ipynb": old, "new.ipynb": new}.items():
        (tmp_path / name).write_text(json.dumps(book), encoding="utf-8-sig")
    for submission in grade([tmp_path]):
        assert not submission.errors and not submission.remark, submission


def test_another_function_of_an_exercises_name_is_left_alone(tmp_path):
    fill(tmp_path, other_py="from minitransformer.layers import Linear as linear\n\ndef decode(ids): return ids\n")
    (submission,) = grade([tmp_path])
    assert not submission.reports


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_the_files_and_keeps_what_is_done(tmp_path):
    import signal
    import subprocess
    import time

    begun = tmp_path / "begun"
    fill(tmp_path, a_py="x = 1", b_py=f"open({str(begun)!r}, 'w').close()\nwhile True: pass")
    command = [sys.executable, "-m", "minitransformer", "grade", str(tmp_path), "--jobs", "1"]
    heard = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 (whoever runs the tests may not listen)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=heard)
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.05)
    started = time.perf_counter()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert time.perf_counter() - started < 10 and "a.py" in out


def test_what_a_lesson_checks_to_show_a_mistake_is_no_answer(tmp_path):
    lesson = ("from minitransformer.grading import check\n# %%\ndef softmax_backward(d_P, scores):\n    {answer}\ncheck('softmax.backward', "
              "softmax_backward)\n# %%\ncheck('softmax.backward', lambda d_P, P: P * d_P)\n")  # fmt: skip
    right = "P = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True); return P * (d_P - (P * d_P).sum(-1, keepdims=True))"
    right = right.replace("np.exp(scores)", "np.exp(scores - scores.max(-1, keepdims=True))")
    fill(tmp_path, solved_py="import numpy as np\n" + lesson.format(answer=right), untouched_py=lesson.format(answer="..."))
    solved, untouched = grade([tmp_path])
    assert solved.reports["softmax.backward"]["status"] == "right", solved
    assert untouched.reports["softmax.backward"]["status"] == "not started"


def test_the_latest_of_an_answer_counts_and_one_of_another_name_only_if_there_is_no_other(tmp_path):
    fill(tmp_path, mine_py=f"from minitransformer.grading import check\ncheck('softmax.backward', lambda d_P, P: P)\n"
         f"check('softmax.backward', lambda d_P, P: {GOOD})\n")  # fmt: skip
    (submission,) = grade([tmp_path])
    assert submission.reports["softmax.backward"]["status"] == "right"


def test_what_is_not_right_is_named_in_the_table_and_numbers_that_json_lacks_are_texts(tmp_path):
    fill(tmp_path, a_py="from minitransformer.grading import check\ncheck('softmax.backward', lambda d_P, P: P * float('nan'))\n")
    submissions = grade([tmp_path])
    assert "not right: softmax.backward" in as_text(submissions)
    assert json.loads(json.dumps(as_dict(submissions), allow_nan=False))["submissions"][0]["reports"]["softmax.backward"]["findings"]


def test_a_changed_input_is_reported_as_that(tmp_path):
    fill(tmp_path, changes_py="from minitransformer.grading import check\nimport numpy as np\ndef softmax(scores):\n"
         "    scores -= scores.max(-1, keepdims=True)\n    return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)\n")  # fmt: skip
    (submission,) = grade([tmp_path])
    (finding,) = submission.reports["softmax.forward"]["findings"]
    assert finding["id"] == "changed" and "scores was changed in place" in finding["evidence"][0]


def test_the_command_prints_a_table_and_writes_all_of_it(tmp_path, capsys):
    homework = tmp_path / "homework"
    homework.mkdir()
    fill(homework, ada_py=RIGHT.replace("{answer}", GOOD), bob_py=RIGHT.replace("{answer}", BAD))
    (homework / ".hidden.py").write_text("1/0")
    status, out, _ = run(f"grade '{homework}' --out '{tmp_path / 'class.json'}'", capsys)
    assert status == 0 and "What went wrong, and in how many files:" in out and ".hidden" not in out
    found = json.loads((tmp_path / "class.json").read_text())
    assert found["mistakes"] == [{"count": 1, "exercise": "softmax.backward", "mistake": "each weight answers for itself alone, as P(1 − P)"}]
    assert [len(s["reports"]) for s in found["submissions"]] == [2, 2]


def test_the_histogram_counts_files_most_frequent_first(tmp_path):
    for n, answer in enumerate((BAD, BAD, "P * d_P")):
        (tmp_path / f"{n}.py").write_text(RIGHT.replace("{answer}", answer))
    submissions = grade([tmp_path])
    assert [count for count, _, _ in histogram(submissions)] == [2, 1]
    assert as_text(submissions).count("█") == 3


@pytest.mark.parametrize("path, words", [("nowhere", "There is no file or folder"), (".", "There is nothing to grade")])
def test_nothing_to_grade_is_said(tmp_path, path, words):
    assert words in refusal(grade, [tmp_path / path])


def test_the_commands_refuse_what_they_cannot_use(tmp_path, capsys):
    assert run(f"grade '{tmp_path}'", capsys)[0] == 2
    assert "is not a number above 0" in run("grade x --seconds 0", capsys)[2]
    fill(tmp_path, a_py="")
    status, _, err = run(f"grade '{tmp_path / 'a.py'}' --out '{tmp_path / 'no' / 'class.json'}'", capsys)
    assert status == 2 and "could not be written" in err


def test_the_exercises_are_listed_and_stated(capsys):
    status, out, _ = run("exercises", capsys)
    assert status == 0 and "softmax_backward(d_P, scores) → d_scores" in out
    assert "(B, T, S)" in run("exercises softmax.backward", capsys)[1]
    status, _, err = run("exercises softmax.backwards", capsys)
    assert status == 2 and "Did you mean 'softmax.backward'?" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups")
def test_what_a_file_started_ends_with_it(tmp_path):
    import os
    import time

    fill(tmp_path, child_py="import subprocess, sys, pathlib\np = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
         f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(p.pid))\n")  # fmt: skip
    grade([tmp_path / "child.py"], seconds=10)
    pid = int((tmp_path / "pid").read_text())
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if "zombie" in open(f"/proc/{pid}/status").read() if os.path.exists(f"/proc/{pid}/status") else False:
            return  # ended, and not yet collected by whoever adopted it
        time.sleep(0.1)
    pytest.fail("a child of a submission lives on")
