"""One thread, because the tests' arrays are small; processes that wait without keeping a core busy;
Ctrl-C, which the tests send; and no slow tests unless they are asked for."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest
import threadpoolctl  # noqa: F401 (it sets a variable when it is first imported)

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# A shell's background job inherits SIGINT as ignored, one of `nohup` SIGHUP; the tests send both.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(config, items):
    """Leave out what is slow, unless -m, -k or the name of a test chooses."""
    if not (
        config.option.markexpr or config.option.keyword or any("::" in word for word in config.args)
    ):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in {*slow}]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The website, built from nothing."""
    for package in ("sphinx", "myst_nb", "furo"):
        pytest.importorskip(package, reason=f"{package} is not installed: make test-site")
    root = pathlib.Path(__file__).resolve().parents[1]
    folder = tmp_path_factory.mktemp("build") / "site"
    done = subprocess.run(
        [sys.executable, str(root / "docs" / "site" / "build.py"), str(folder)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert (done.returncode, done.stderr) == (0, ""), "warnings end the build"
    left_out = done.stdout.startswith("The lessons in a browser are left out: ")
    assert (left_out, (folder / "lite").exists()) == (done.stdout != "", done.stdout == "")
    yield folder
    shutil.rmtree(folder.parent)


@pytest.fixture(scope="session")
def browser():
    import chromium

    if chromium.FOUND is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    browser = chromium.Chromium()
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def address(site):
    """Where the website can be read."""
    import chromium

    with chromium.served(site) as address:
        yield address


@pytest.fixture(autouse=True, scope="session")
def idle_waiting():
    """Two test processes share the cores with the shares that they train in: none waits busily.
    The value is the patience that `received` has otherwise."""
    from minitransformer.parallel import processes

    patience, processes.PATIENCE = processes.PATIENCE, 0
    return patience


@pytest.fixture(autouse=True)
def the_process_is_left_as_it_was():
    """Its cores, variables, folder and streams: else later tests fail, and only where they happen
    to run in this process. (`monkeypatch` may put back a stream of `capsys` after its end.)"""
    streams = sys.stdin, sys.stdout, sys.stderr
    before = outside()
    yield
    after, found = (sys.stdin, sys.stdout, sys.stderr), outside()
    sys.stdin, sys.stdout, sys.stderr = streams
    os.chdir(before["folder"])
    if before["cores"]:
        os.sched_setaffinity(0, before["cores"])
    for name in found["variables"].keys() - before["variables"].keys():
        del os.environ[name]
    os.environ.update(before["variables"])
    assert found == before
    assert all(a is b for a, b in zip(after, streams))


def outside():
    """What this process has from outside, but for the variable in which pytest names its test."""
    variables = {name: text for name, text in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    return {"cores": cores, "variables": variables, "folder": os.getcwd()}
