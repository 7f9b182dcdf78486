"""Plant every wrong version of `mutants.py`, one at a time, in a copy of the package: the room
tests must catch it.

A mutant is killed if a test fails in its call by an assertion, or because an error that it expects
did not come. A crash or an import error is no kill: it would say nothing about the numbers.

Two worker processes share the list. Each has its own copy of the package and of the unmodified
tests; for each mutant it patches one file, forgets what was imported from the copy, and runs the
tests that judge the mutant until one fails.

`make test` plants the mistakes of people, `make mutants` changes of our own, which are marked as
slow. To plant some of either: pytest tests/test_mutants.py -k "x01 or x02".
"""

import ast
import json
import os
import pathlib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import chromium
import cuda_on_cpu
import pytest
from mutants import MUTANTS, NOT_PLANTED

TESTS = pathlib.Path(__file__).resolve().parent
PACKAGE = TESTS.parent / "minitransformer"
WORKERS = 2
# for all mutants of a worker, on a machine that has other work too; beyond it, something hangs
SECONDS = 1800
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
    with ThreadPoolExecutor(WORKERS) as pool:
        shares = [names[n::WORKERS] for n in range(WORKERS)]
        folders = [tmp_path_factory.mktemp("mutants") for _ in shares]
        found = list(pool.map(run_worker, folders, shares))
    return {name: verdict for verdicts in found for name, verdict in verdicts.items()}


@pytest.mark.parametrize("judge", UNTOUCHED)
def test_the_judges_pass_on_the_untouched_copy(verdicts, judge):
    verdict = verdicts[NONE + judge]
    assert not verdict["killer"] and not verdict["crashes"], verdict
    if not verdict["passed"]:
        expect_its_program(verdict, judge)
    assert verdict["passed"] > 0, verdict


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


def run_worker(folder, names):
    """{name: verdict} from a process of its own that works in this folder."""
    if not names:
        return {}
    without_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=without_caches)
    shutil.copytree(
        TESTS.parent / "lessons", folder / "lessons",
        ignore=shutil.ignore_patterns("*.ipynb", "__pycache__"),
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
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONWARNINGS": "ignore"}
    environment.update({f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")})
    for variable in ("PYTHONPATH", "PYTEST_ADDOPTS", "PYTHONPYCACHEPREFIX"):
        environment.pop(variable, None)
    try:
        command = [sys.executable, str(TESTS / "test_mutants.py"), str(folder), *names]
        done = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, timeout=SECONDS
        )
        output = (done.stdout + done.stderr).decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        output = f"no answer after {SECONDS} seconds"
    file = folder / "verdicts.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    verdicts = {
        name: {
            "killer": None, "passed": 0, "skipped": 0, "crashes": [f"no verdict: {output[-1000:]}"],
        }
        for name in names
    }
    return {**verdicts, **{line["name"]: line for line in map(json.loads, lines)}}


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


def work(folder, names):
    """Judge the named mutants, and the untouched copy where a name asks for it; write a line for
    each."""
    sys.path[0] = str(folder)  # the copy's package, not ours
    mutants = {m.id: m for m in MUTANTS}
    with open(folder / "verdicts.jsonl", "w", encoding="utf-8") as out:
        for n, name in enumerate(names):
            verdict = Verdict()
            if name.startswith(NONE):
                group, judge = name.removeprefix(NONE).split()
                selects = {
                    m.select
                    for m in MUTANTS
                    if m.judge == judge and m.is_own == (group == "own")
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
            print(json.dumps({"name": name, **vars(verdict)}), file=out, flush=True)


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
    work(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:])
