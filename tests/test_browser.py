"""The package in a process that has only what Python in a browser has: no processes, no threads, no
signals, no package that is compiled but NumPy and matplotlib."""

import contextlib
import io
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest

import minitransformer
from minitransformer.cli import main
from minitransformer.grading import check
from minitransformer.models import EncoderLayer
from minitransformer.testing import count_products

TESTS = Path(__file__).resolve().parent
ANSWERS = {
    "right": lambda d_P, P: P * (d_P - (d_P * P).sum(axis=-1, keepdims=True)),
    "wrong": lambda d_P, P: P * (1 - P) * d_P,
}
LINES = {  # each command with what it needs to work; those that cannot, and why
    "train": "train copy --out run --steps 12 --d-model 16 --evaluate-count 4",
    "resume": "train --resume run --steps 14 --no-pictures",
    "evaluate": "evaluate run --count 4 --jobs 2",
    "predict": "predict run '1 2 3'",
    "plot": "plot run",
    "export": "export run small.safetensors",
    "translate": "translate numbers-en-de 'forty-two' 'nine'",
    "explore": "explore numbers-en-de --text 'forty-two' --out page.html",
    "text": "train --text book.txt --out book --steps 4 --context 8 --no-pictures",
    "generate": "generate book 'it' --max-tokens 5",
    "gradcheck": "gradcheck LayerNorm",
    "tasks": "tasks --counts",
    "exercises": "exercises softmax.backward",
}
REFUSED = {"grade": "grade answers.py", "compare": "compare --out study"}


def modules():
    """All modules of the package, imported. What a package needs that is missing ends this."""
    import importlib
    import pkgutil

    found = pkgutil.walk_packages(minitransformer.__path__, "minitransformer.")
    names = [one.name for one in found if not one.name.endswith("__main__")]
    for name in names:
        importlib.import_module(name)
    return names


def said(line):
    """(status, what it prints on standard output and error) of a command."""
    import shlex

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(shlex.split(line))
        except Exception:
            status = traceback.format_exc()
    return status, out.getvalue(), err.getvalue()


def everything():
    """What this process can do, as JSON."""
    Path("book.txt").write_text("it is what it is, and it is not what it was. " * 40)
    Path("answers.py").write_text("x = 1\n")
    return {
        "bars": bar(),  # the first bar of the process: tqdm warns once
        "products": [products.multiply_adds() for products in counted()],
        "modules": modules(),
        "reports": {name: str(check("softmax.backward", one)) for name, one in ANSWERS.items()},
        "commands": {name: said(line) for name, line in {**LINES, **REFUSED}.items()},
    }


def counted():
    """The products of a forward and of a backward."""
    component, *inputs = EncoderLayer.example(np.random.default_rng(0))
    return count_products(component, *inputs)


def bar():
    """What a progress bar warns of, to people and by warnings: a bar in a notebook is this one."""
    import warnings

    from minitransformer.terminal.progress import progress_bar

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with progress_bar(total=3, file=io.StringIO()) as shown:
            shown.update(3)
    return [str(one.message) for one in caught]


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """What a process can do that lacks what a browser lacks."""
    code = (
        "import as_in_a_browser, json, test_browser\n"
        "print(json.dumps(test_browser.everything()))"
    )
    package = Path(minitransformer.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        cwd=tmp_path_factory.mktemp("browser"),
        env={
            **os.environ, "PYTHONPATH": f"{package}{os.pathsep}{TESTS}", "MPLBACKEND": "Agg",
            "PYTHONWARNINGS": "ignore", "OPENBLAS_NUM_THREADS": "1",
        },
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_module_can_be_imported(there):
    folders = Path(minitransformer.__file__).parent.glob("*/__init__.py")
    assert {f"minitransformer.{one.parent.name}" for one in folders} <= {*there["modules"]}
    assert len(there["modules"]) > 150


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_checker_says_what_it_says_elsewhere(there, answer):
    assert there["reports"][answer] == str(check("softmax.backward", ANSWERS[answer], quiet=True))


@pytest.mark.parametrize("name", LINES)
def test_a_command_works(there, name):
    status, out, err = there["commands"][name]
    assert status == 0 and "Traceback" not in err and "Warning" not in err, (out, err)
    if name == "translate":
        assert out == "zweiundvierzig\nneun\n"
    if name in ("train", "plot"):
        assert "attention-cross.png" in out


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_processes_says_so(there, name):
    status, _, err = there["commands"][name]
    assert status == 2 and "needs processes of its own, and Python in a browser has none" in err


def test_products_are_counted_as_elsewhere(there):
    expected = [products.multiply_adds() for products in counted()]
    assert there["products"] == expected and min(expected) > 1000


def test_a_progress_bar_starts_no_thread_and_warns_of_nothing(there):
    assert there["bars"] == []


@pytest.mark.parametrize(
    "line",
    [
        "import multiprocessing.connection", "import fcntl", "import safetensors", "os.fork()",
        "threading.Thread(target=print).start()", "signal.signal(2, print)",
        "subprocess.run(['true'])",
    ],
)
def test_that_process_lacks_it_indeed(line):
    code = f"import as_in_a_browser, os, signal, subprocess, threading\n{line}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=TESTS)
    assert done.returncode == 1 and b"Error" in done.stderr
