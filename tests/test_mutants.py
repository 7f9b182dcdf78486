"""Plant every wrong version of `mutants.py`, one at a time, in a copy of the package: the room
tests must catch it.

A mutant is killed if a test fails in its call by an assertion, or because an error that it expects
did not come. A crash or an import error is no kill: it would say nothing about the numbers.

Two worker processes take the next of the list whenever they are free. Each has its own copy of the
package and of the unmodified tests; for each mutant it patches one file, forgets what was imported
from the copy, and runs the tests that judge the mutant until one fails. A worker that gives no
verdict for long is ended, and another goes on.

`make test` plants the mistakes of people, `make mutants` changes of our own, which are marked as
slow. To plant some of either: pytest tests/test_mutants.py -k "x01 or x02". MUTANTS_SECONDS=FILE
writes the seconds that each took.
"""

import ast
import collections
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import chromium
import cuda_on_cpu
import pytest
from mutants import MUTANTS, NOT_PLANTED

TESTS = pathlib.Path(__file__).resolve().parent
PACKAGE = TESTS.parent / "minitransformer"
WORKERS = 2
# for one verdict, on a machine that has other work too; beyond it, something hangs
SECONDS = 300
NONE = "unmutated "  # the name of a judge's run on the untouched copy begins with this
UNUSED = """terminal cacheprovider unraisableexception threadexception faulthandler doctest logging
junitxml warnings""".split()
QUICK = [
    "--assert=plain", "--capture=no", *(word for name in UNUSED for word in ("-p", f"no:{name}")),
]
JUDGES = sorted({m.judge for m in MUTANTS})


def marks(is_own):
    return pytest.mark.slow if is_own else ()


PLANTED = [pytest.param(m, id=m.id, marks=marks(m.is_own)) for m in MUTANTS]
UNTOUCHED = [  # "people test_layers.py": the tests of this file that judge mistakes of people
    pytest.param(f"{'own' if group else 'people'} {judge}", marks=marks(group))
    for judge, group in sorted({(m.judge, m.is_own) for m in MUTANTS})
]


# -- the catalogue ---------------------------------------------------------------------------------


def test_every_mistake_of_the_list_is_planted_or_explained():
    planted = {m.number for m in MUTANTS} - {None}
    assert planted | set(NOT_PLANTED) == set(range(1, 131))
    assert not planted & set(NOT_PLANTED) and all(NOT_PLANTED.values())


def test_no_two_mutants_have_the_same_name_or_the_same_patch():
    assert len({m.id for m in MUTANTS}) == len(MUTANTS)
    assert len({(m.file, m.before, m.after, m.more) for m in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("file", sorted({m.file for m in MUTANTS}))
def test_every_patch_fits_its_file_once(file):
    text = (PACKAGE / file).read_text(encoding="utf-8")
    for mutant in MUTANTS:
        if mutant.file == file:
            assert mutant.plant(text) != text, f"{mutant.id} changes nothing"


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted({m.file for m in MUTANTS}))
def test_every_patched_file_is_another_program(file):
    text = (PACKAGE / file).read_text(encoding="utf-8")
    read = ast.parse if file.endswith(".py") else ast.Constant  # of others, the text
    untouched = ast.dump(read(text))
    for mutant in MUTANTS:
        if mutant.file == file:
            planted = ast.dump(read(mutant.plant(text)))
            assert planted != untouched, f"{mutant.id} changes nothing"


# -- the verdicts ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def verdicts(request, tmp_path_factory):
    """{name: verdict} of the mutants and judges that this run asks for, computed once."""
    parameters = [
        getattr(item, "callspec", None)
        for item in request.session.items
        if item.path == request.path
    ]
    asked = [
        p.params[kind] for p in parameters if p for kind in ("mutant", "judge") if kind in p.params
    ]
    names = [a.id if a in MUTANTS else NONE + a for a in asked]
    waiting = collections.deque(names)
    with ThreadPoolExecutor(WORKERS) as pool:
        folders = [tmp_path_factory.mktemp("mutants") for _ in names[:WORKERS]]
        try:
            found = list(pool.map(lambda folder: judged(folder, waiting), folders))
        finally:
            waiting.clear()  # after Ctrl-C, the workers end with what they are at
    verdicts = {name: verdict for verdicts in found for name, verdict in verdicts.items()}
    if os.environ.get("MUTANTS_SECONDS"):
        lines = [f"{v['seconds']:.2f},{name}\n" for name, v in verdicts.items()]
        pathlib.Path(os.environ["MUTANTS_SECONDS"]).write_text("".join(lines), encoding="utf-8")
    return verdicts


@pytest.mark.parametrize("judge", UNTOUCHED)
def test_the_judges_pass_on_the_untouched_copy(verdicts, judge):
    verdict = verdicts[NONE + judge]
    assert not verdict["killer"] and not verdict["crashes"], verdict
    if not verdict["passed"]:
        expect_its_program(verdict, judge)
    assert verdict["passed"] > 0, verdict


def test_after_a_worker_that_ends_or_says_nothing_another_goes_on(tmp_path, monkeypatch):
    first = next(m.id for m in MUTANTS if not m.is_own)
    verdicts = judged(tmp_path, collections.deque(["of no mutant", first]))
    assert verdicts["of no mutant"]["killer"] is None
    assert "KeyError: 'of no mutant'" in verdicts["of no mutant"]["crashes"][0]
    assert verdicts[first]["killer"] and not verdicts[first]["crashes"]
    monkeypatch.setattr(sys.modules[__name__], "SECONDS", 0.01)
    verdicts = judged(tmp_path, collections.deque([first]))
    assert verdicts[first]["killer"] is None and "no verdict" in verdicts[first]["crashes"][0]


@pytest.mark.parametrize("mutant", PLANTED)
def test_the_mutant_is_killed(verdicts, mutant):
    verdict = verdicts[mutant.id]
    expect_its_program(verdict, mutant.judge)
    assert verdict["killer"], (
        f"{mutant.id} ({mutant.title}) survives {mutant.judge} -k {mutant.select!r}: {verdict}"
    )


def expect_its_program(verdict, judge):
    """Skip the test if there is no compiler, or no Chromium, and the tests that would judge were
    skipped for want of it."""
    found, needed = cuda_on_cpu.COMPILER, "a C++ compiler (c++, g++ or clang++)"
    if judge.endswith("test_explorer.py"):
        found, needed = chromium.FOUND, "Chromium"
    if found is None and not verdict["killer"] and verdict["skipped"]:
        pytest.skip(f"the tests that judge this need {needed}, and there is none")


# -- the workers -----------------------------------------------------------------------------------


def judged(folder, waiting):
    """{name: verdict} of the names taken from those that wait, by a worker in a folder of its own;
    by another, once it does not answer."""
    verdicts, worker = {}, None
    while waiting:
        with contextlib.suppress(IndexError):  # another took the last
            name, began = waiting.popleft(), time.monotonic()
            worker = worker or Worker(pathlib.Path(tempfile.mkdtemp(dir=folder)))
            verdict = worker.verdict(name)
            if verdict is None:
                said = worker.end()
                verdict, worker = {**vars(Verdict()), "crashes": [f"no verdict: {said}"]}, None
            verdicts[name] = {**verdict, "seconds": time.monotonic() - began}
    if worker:
        worker.end()
    return verdicts


def copy_to(folder):
    """Put a copy of the package, of the lessons' sources and of the tests into this folder."""
    for source, ignored in [(PACKAGE, ()), (TESTS.parent / "lessons", ("*.ipynb",))]:
        shutil.copytree(
            source, folder / source.name,
            ignore=shutil.ignore_patterns("__pycache__", *ignored),
        )
    (folder / "tests").mkdir()
    helpers = {
        "boundary_table.py", "common.py", "conftest.py", "strict_arrays.py", "cuda_on_cpu.py",
        "on_a_device.py", "fuzz_run.py", "fuzz_commands.py", "wrong_components.py", "pair_files.py",
        "hosts.py", "thread_ranks.py", "chromium.py", "as_in_a_browser.py", "mistake_ids.txt",
    }
    for file in {*JUDGES, *helpers}:
        if (TESTS / file).exists():
            shutil.copy(TESTS / file, folder / "tests" / file)
    (folder / "pytest.ini").write_text(
        "[pytest]\nmarkers = parity: compares with a live PyTorch\n", encoding="utf-8"
    )


class Worker:
    """A process that reads names, and answers each with a line: its verdict as JSON."""

    def __init__(self, folder):
        copy_to(folder)
        environment = {
            **os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONWARNINGS": "ignore",
            **{f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")},
        }
        for variable in ("PYTHONPATH", "PYTEST_ADDOPTS", "PYTHONPYCACHEPREFIX"):
            environment.pop(variable, None)
        self.log = folder / "worker.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(TESTS / "test_mutants.py"), str(folder)], env=environment,
                cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True,
            )

    def verdict(self, name):
        """What the worker says of this name; None if it says nothing in time, or has ended."""
        alarm = threading.Timer(SECONDS, self.kill)
        alarm.start()
        try:
            self.process.stdin.write(name.encode() + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = b""
        finally:
            alarm.cancel()
        return json.loads(line) if line else None

    def kill(self):
        """End the process, and those that its tests have started: they hold the same pipe."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def end(self):
        """End the process; the last that it printed."""
        self.kill()
        self.process.communicate()
        return self.log.read_bytes()[-1000:].decode("utf-8", "replace")


class Verdict:
    """A pytest plugin that notes how the tests end, and stops at the first that fails by an
    assertion."""

    def __init__(self):
        self.killer, self.passed, self.skipped, self.crashes = None, 0, 0, []

    def pytest_configure(self, config):
        # nobody reads these tracebacks, and the others take long to make
        config.option.tbstyle = "native"

    def pytest_runtest_makereport(self, item, call):
        if call.excinfo is None:
            self.passed += call.when == "call"
        elif call.when == "call" and isinstance(
            call.excinfo.value, (AssertionError, pytest.fail.Exception)
        ):
            self.killer = item.nodeid
            item.session.shouldstop = "killed"
        elif isinstance(call.excinfo.value, pytest.skip.Exception):
            self.skipped += 1
        else:
            self.crashes.append(f"{item.nodeid}: {call.excinfo.typename}")

    def pytest_collectreport(self, report):
        if report.failed:
            self.crashes.append(f"{report.nodeid}: not collected")


def work(folder):
    """Judge the mutants that standard input names, and the untouched copy where it asks for that;
    write a line for each."""
    sys.path[0] = str(folder)  # the copy's package, not ours
    # the tests get neither the names nor the lines: they read nothing, and what they print goes
    # to the log
    names, out = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    mutants = {m.id: m for m in MUTANTS}
    for n, name in enumerate(map(str.strip, names)):
        verdict = Verdict()
        if name.startswith(NONE):
            group, judge = name.removeprefix(NONE).split()
            selects = {
                m.select for m in MUTANTS if m.judge == judge and m.is_own == (group == "own")
            }
            run_judge(
                folder, judge,
                "" if "" in selects else " or ".join(f"({s})" for s in sorted(selects)),
                verdict,
            )
        else:
            mutant = mutants[name]
            file = folder / PACKAGE.name / mutant.file
            text = file.read_text(encoding="utf-8")
            try:
                write(file, mutant.plant(text), 2 * n)
                run_judge(folder, mutant.judge, mutant.select, verdict)
            except AssertionError as misfit:
                # the patch does not fit, as a test of its own says too
                verdict.crashes.append(str(misfit))
            write(file, text, 2 * n + 1)
        print(json.dumps(vars(verdict)), file=out, flush=True)


def write(file, text, version):
    """Write the file with a date that no other version has, so that Python never takes old bytecode
    for it."""
    file.write_text(text, encoding="utf-8")
    os.utime(file, (1_000_000_000 + version, 1_000_000_000 + version))


def run_judge(folder, judge, select, verdict):
    """Run these tests against the copy as it stands now; the verdict notes how they end."""
    for name, module in list(sys.modules.items()):
        if str(folder) in str(getattr(module, "__file__", None)):
            del sys.modules[name]
    pytest.main([*QUICK, "-k", select, str(folder / "tests" / judge)], plugins=[verdict])
    module = sys.modules.get(PACKAGE.name)
    if module is None or str(folder) not in module.__file__:
        verdict.crashes.append("the copy of the package was not imported")


if __name__ == "__main__":
    work(pathlib.Path(sys.argv[1]).resolve())
