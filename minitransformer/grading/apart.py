"""Run a module on a submission in a process of its own, for a limited time, and end whatever it
started."""

import dataclasses
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import threading
import time

# bytes printed that are worth a remark, and that stop a submission
MUCH, TOO_MUCH = 1 << 20, 50 << 20
HEAD = 4096  # bytes of what was printed that are kept
PAUSE = 0.02  # seconds between two looks at a process
PATIENCE = 15.0  # seconds for which a supervisor may end what its submission started
# an environment variable by which a submission's processes are known
MARK = "MINITRANSFORMER_SUBMISSION"
# of ours
KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "SYSTEMROOT", "PATHEXT", "COMSPEC")
SUPERVISOR = pathlib.Path(__file__).with_name("supervisor.py")


@dataclasses.dataclass
class Ended:
    """How a process ended. `why` is "" if it did so by itself, else endless, flood or
    interrupted."""

    why: str
    status: int | None  # its exit status, negative for a signal; None if nobody was there to tell
    printed: int  # bytes
    head: str  # the beginning of what it printed


def run_apart(module, arguments, folder, seconds, stop):
    """Run `python -m module arguments` in a folder for at most `seconds`, or until the event
    `stop`; return the `Ended`.

    Between us and it stands a supervisor, a parent to all that it leaves behind. Windows has none:
    there the process alone is ended.
    """
    mark = secrets.token_hex(16)
    command = [sys.executable, "-m", module, *map(str, arguments)]
    has_supervisor = hasattr(os, "fork")
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(SUPERVISOR), *command] if has_supervisor else command,
        cwd=folder, env=environment(folder, mark),
        stdin=subprocess.PIPE if has_supervisor else subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if has_supervisor else subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    output, why = Output(process.stdout), ""
    until = time.monotonic() + seconds
    while process.poll() is None and not why:
        stop.wait(PAUSE)
        late = time.monotonic() > until
        why = (
            "interrupted"
            if stop.is_set()
            else "flood"
            if output.size > TOO_MUCH
            else "endless"
            if late
            else ""
        )
    status = _end_supervised(process, mark) if has_supervisor else _end(process)
    output.finish()
    return Ended(why, status, output.size, output.head.decode("utf-8", "replace"))


def _end_supervised(process, mark):
    """Have the supervisor end what is left; return the status that it tells, or None if it was
    ended itself."""
    process.stdin.close()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:  # it was stopped, or what it hunts multiplies
        process.kill()
        process.wait()
    with process.stderr:
        os.set_blocking(process.stderr.fileno(), False)
        told = (process.stderr.read() or b"").strip()
    if not told:
        end_marked(mark)
    return int(told) if told not in (b"", b"stopped") else None


def _end(process):
    process.kill()
    return process.wait()


def end_marked(mark):
    """End all processes that have the mark in their environment, wherever they are. Linux alone
    lists them."""
    entry = f"{MARK}={mark}".encode()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = [
            int(file.parent.name)
            for file in pathlib.Path("/proc").glob("[0-9]*/environ")
            if entry in _bytes(file)
        ]
        if not found:
            return
        for process in found:
            try:
                os.kill(process, signal.SIGKILL)
            except OSError:
                continue
        time.sleep(PAUSE)


def _bytes(file):
    try:
        return file.read_bytes().split(b"\0")
    except OSError:  # it has ended, or is another user's
        return []


class Output:
    """What comes out of a pipe: counted, its beginning kept, the rest thrown away, so that it can
    neither block nor fill us."""

    def __init__(self, pipe):
        self.pipe, self.size, self.head = pipe, 0, b""
        self.reader = threading.Thread(target=self._drain, daemon=True)
        self.reader.start()

    def _drain(self):
        for block in iter(lambda: self.pipe.read1(1 << 16), b""):
            self.size += len(block)
            self.head += block[: HEAD - len(self.head)]

    def finish(self):
        """Wait for the last of it, though not for ever: a process that nobody could end may hold
        the pipe."""
        self.reader.join(1)
        if not self.reader.is_alive():
            self.pipe.close()


def environment(folder, mark):
    """A submission's environment: a home of its own, no display, one thread, this very package, and
    little of ours."""
    package = str(pathlib.Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    home = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(folder))
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {
        **kept, **home, **threads, MARK: mark, "MPLBACKEND": "Agg", "PYTHONPATH": path,
        "PYTHONIOENCODING": "utf-8",
    }
