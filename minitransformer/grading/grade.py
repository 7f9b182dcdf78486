"""Grade a folder of notebooks and Python files: each in its own process, none able to hold up the others."""

import collections
import dataclasses
import json
import math
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from ..errors import InputError
from .calling import short

KINDS = (".ipynb", ".py")
MUCH, TOO_MUCH = 1 << 20, 50 << 20  # bytes printed that are worth a remark, and that stop a submission
RUNNING = set()  # the processes of submissions
BAR = 30  # the longest bar of the histogram


@dataclasses.dataclass
class Submission:
    """What came of one file. `remark` says what was unusual: a crash, no end, megabytes of text; "" if nothing was."""

    file: str
    reports: dict = dataclasses.field(default_factory=dict)  # {exercise: report as a dict}
    errors: list = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    printed: int = 0  # bytes
    remark: str = ""

    def count(self, status):
        return sum(report["status"] == status for report in self.reports.values())


def grade(paths, seconds=60.0, jobs=None):
    """The `Submission` of every notebook and Python file among the paths and in the folders among them, in their order.

    Each runs in a process and a folder of its own for at most `seconds`, `jobs` at a time. Its code is run as it is: what
    it may do is what the user may do. Raises InputError for a path that is not there, and where there is nothing to grade.
    """
    files = find_files(paths)
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        waiting = [pool.submit(grade_file, file, seconds) for file in files]
        try:
            return [one.result() for one in waiting]
        except KeyboardInterrupt:  # what is done is worth having
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(RUNNING):
                kill(process)
            return [one.result() for one in waiting if not one.cancelled()]


def find_files(paths):
    files = []
    for path in map(pathlib.Path, paths):
        if not path.exists() or path == pathlib.Path():
            raise InputError(f"There is no file or folder {str(path)!r}. Name the folder with the submissions.")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        shown = [p for p in inside if not any(part.startswith(".") for part in p.relative_to(path).parts)]
        files += [p for p in shown if p.suffix.lower() in KINDS and p.is_file()]
    if not files:
        raise InputError(f"There is nothing to grade: no {' or '.join(KINDS)} file in {', '.join(map(str, paths))}.")
    return list(dict.fromkeys(files))


def grade_file(file, seconds):
    """Run one file, and read what it left."""
    started = time.perf_counter()
    submission = Submission(str(file))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        result = pathlib.Path(folder, "result.json")
        work = pathlib.Path(folder, "work")
        work.mkdir()
        command = [sys.executable, "-m", "minitransformer.grading.runner", str(file.absolute()), str(result)]
        process = subprocess.Popen(
            command, cwd=work, env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        RUNNING.add(process)
        output = Output(process)
        stopped = output.wait(seconds)
        RUNNING.discard(process)
        submission.seconds = round(time.perf_counter() - started, 2)
        submission.printed = output.size
        found = _read(result)
    submission.reports, submission.errors = found["reports"], found["errors"]
    if stopped:
        submission.remark = stopped
    elif not found["finished"]:
        last = output.head.decode(errors="replace").strip().splitlines()
        submission.remark = f"crashed (exit status {process.returncode})" + (f": {short(last[-1])}" if last else "")
    elif submission.printed > MUCH:
        submission.remark = f"printed {submission.printed / 1e6:.1f} MB"
    return submission


class Output:
    """What a process prints: counted, its beginning kept, the rest thrown away, so that it can neither block nor fill us."""

    def __init__(self, process):
        self.process, self.size, self.head = process, 0, b""
        self.reader = threading.Thread(target=self._drain, daemon=True)
        self.reader.start()

    def _drain(self):
        for block in iter(lambda: self.process.stdout.read1(1 << 16), b""):
            self.size += len(block)
            self.head += block[: 4096 - len(self.head)]
            if self.size > TOO_MUCH:
                kill(self.process)
                return

    def wait(self, seconds):
        """Wait for the process, and for no longer; return why it was stopped, or nothing."""
        try:
            self.process.wait(seconds)
            reason = ""
        except subprocess.TimeoutExpired:
            reason = f"stopped after {seconds:g} s: it did not come to an end"
        kill(self.process)  # and whatever it started
        self.process.wait()
        self.reader.join(1)
        if not self.reader.is_alive():
            self.process.stdout.close()
        return f"stopped: it printed more than {TOO_MUCH >> 20} MB" if self.size > TOO_MUCH else reason


def kill(process):
    """End a process and its children, if any are left."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    except AttributeError:  # Windows has no process groups
        process.kill()


def _environment():
    """No display, one thread, and this very package, wherever it was imported from."""
    package = str(pathlib.Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "MPLBACKEND": "Agg", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}


def _read(result):
    """What the runner wrote, if it has the form that the runner gives it: a submission can reach it too."""
    nothing = {"reports": {}, "errors": [], "finished": False}
    try:
        found = json.loads(result.read_text(encoding="utf-8"))
        kept = {key: found[key] for key, value in nothing.items() if type(found[key]) is type(value)}
        if not all(report["status"] and isinstance(report["findings"], list) for report in kept["reports"].values()):
            return nothing
        return {**nothing, **kept, "errors": [str(error) for error in kept["errors"]]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # it ended before its first cell did
        return nothing


def histogram(submissions):
    """[(count, exercise, title)] of the mistakes in all submissions, the most frequent first."""
    counts = collections.Counter(
        (exercise, finding["title"] or finding["id"])
        for submission in submissions
        for exercise, report in submission.reports.items()
        if report["status"] == "wrong"
        for finding in report["findings"]
        if finding["id"] != "remains"
    )
    return sorted(((count, *key) for key, count in counts.items()), key=lambda row: (-row[0], row[1:]))


def as_text(submissions):
    """A table, a line for each file, and the histogram of the mistakes."""
    width = max(len(s.file) for s in submissions)
    lines = [f"{'file':<{width}}  right  not right  not started  seconds"]
    for s in submissions:
        counts = f"{s.count('right'):>5}  {s.count('wrong'):>9}  {s.count('not started'):>11}"
        lines.append(f"{s.file:<{width}}  {counts}  {s.seconds:>7.1f}")
        wrong = [exercise for exercise, report in s.reports.items() if report["status"] == "wrong"]
        remarks = [f"not right: {', '.join(wrong)}"] if wrong else []
        lines += [f"{'':<{width}}  {text}" for text in (*remarks, s.remark, *s.errors) if text]
    mistakes = histogram(submissions)
    if mistakes:
        lines += ["", "What went wrong, and in how many files:"]
        one = min(1, BAR / mistakes[0][0])  # the width of one file
        bars = [(count, "█" * max(1, round(one * count)), f"{exercise}: {title}") for count, exercise, title in mistakes]
        lines += [f"{count:>5}  {bar}  {name}" for count, bar, name in bars]
    return "\n".join(lines)


def as_dict(submissions):
    """All of it for programs, as JSON can hold it: NaN and ∞ become texts."""
    mistakes = [{"count": count, "exercise": exercise, "mistake": title} for count, exercise, title in histogram(submissions)]
    return {"submissions": [as_json(dataclasses.asdict(s)) for s in submissions], "mistakes": mistakes}


def as_json(value):
    """The value with texts in place of numbers that JSON does not know."""
    if isinstance(value, dict):
        return {name: as_json(v) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(v) for v in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
