"""Grade a folder of notebooks and Python files: each in its own process, none able to hold up the
others."""

import collections
import contextlib
import dataclasses
import json
import math
import os
import pathlib
import re
import stat
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from ..terminal.browser import expect_processes
from .apart import MUCH, TOO_MUCH, run_apart
from .calling import short
from .clusters import clusters, fingerprint, record, unnamed
from .points import points_of, score, total, written
from .recheck import Interrupted, recheck
from .result import Unreadable, escaped, read_found
from .submission import Submission, find_sources

RULES = {  # what is wrong where no mistake has a name
    "raised": "stopped with an error", "nothing": "returned nothing",
    "count": "returned too few or too many arrays",
    "type": "returned something that is no array of numbers", "shape": "returned another shape",
    "arguments": "takes other arguments than it is given", "missing": "only a part is there",
    "not-repeatable": "answers differently when called again", "changed": "changes an input",
    "accepted": "accepts what should be refused",
}  # fmt: skip
BAR = 30  # the longest bar of the histogram
RUN = ("graded", "crashed", "timed out", "stopped")  # what became of a file that had its time
CHANGED = (
    "while the files ran, this one was changed or deleted in its folder; what was graded is as it "
    "was before"
)


def grade(paths, seconds=60.0, jobs=None, with_modules=False):
    """The `Submission` of every notebook and Python file among the paths and in the folders among
    them, in their order.

    Each runs on a copy, in a process and a folder of its own, for at most `seconds`, `jobs` at a
    time; what is right then runs once more without the rest of its file. Ctrl-C ends those that
    run; all stand in what is returned. `with_modules`: the modules beside a file are copied with
    it, as they are for a file of a student's own folder. A submission's code is run as it is: what
    it may do is what the user may do. Raises InputError for a path that is not there, where there
    is nothing to grade, and in a browser.
    """
    expect_processes("Grading files")
    sources, stop = find_sources(paths, with_modules), threading.Event()
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        try:
            waiting = [pool.submit(grade_file, source, seconds, stop) for source in sources]
            submissions = [wait_for(one, stop) for one in waiting]
        finally:
            stop.set()
    for source, submission in zip(sources, submissions):
        if submission.status in RUN and source.changed():
            submission.remark = "; ".join(filter(None, (submission.remark, CHANGED)))
    return submissions


def wait_for(one, stop):
    """The result of one file; Ctrl-C asks all to stop, and they are waited for all the same."""
    while True:
        try:
            return one.result()
        except KeyboardInterrupt:
            stop.set()


def grade_file(source, seconds, stop):
    """Run one file, and read what it left."""
    submission = Submission(str(source.path))
    if source.refused:
        submission.status, submission.remark = "refused", f"refused: {source.refused}"
    elif stop.is_set():
        submission.status = "not graded"
        submission.remark = "not graded: interrupted before its turn"
    else:
        folder = None
        try:
            folder = pathlib.Path(tempfile.mkdtemp())
            _run(source, submission, folder, seconds, stop)
        except OSError as problem:
            # no room left, no process to be had: the others may have more luck
            submission.status, submission.remark = "not graded", f"not graded: {escaped(problem)}"
        finally:
            if folder:
                remove(folder)
    return submission


def _run(source, submission, folder, seconds, stop):
    """Run a copy of the file in this folder, and put into the submission what came of it."""
    file, result = source.copy_to(folder / "work"), folder / "result.json"
    started = time.perf_counter()
    ended = run_apart(
        "minitransformer.grading.runner", [file, result, seconds], folder, seconds, stop
    )
    submission.seconds, submission.printed = round(time.perf_counter() - started, 2), ended.printed
    try:
        found, unread = read_found(result), ""
    except Unreadable as problem:
        found = {"reports": {}, "errors": [], "finished": False, "refused": "", "running": ""}
        unread = str(problem)
    submission.reports, submission.errors = found["reports"], found["errors"]
    submission.status, submission.remark = _what_became(ended, found, unread, result, seconds)
    if submission.status != "interrupted":
        # another one: what the first run left is not met again
        again = pathlib.Path(tempfile.mkdtemp())
        try:
            submission.remarks = recheck(
                found["reports"], source.copy_to(again / "work"), source.data, again, seconds, stop
            )
        except Interrupted:
            submission.status, submission.remark = (
                "interrupted",
                "interrupted before its right answers ran a second time",
            )
        finally:
            remove(again)
        _record(source, submission, seconds, stop)


def _record(source, submission, seconds, stop):
    """Put into the submission the numbers of its mistakes without a name, on inputs that all files
    share."""
    wanted = unnamed(submission.reports)
    if not wanted:
        return
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        file = source.copy_to(folder / "work")
        submission.numbers = record(wanted, file, folder, seconds, stop)
    finally:
        remove(folder)
    submission.fingerprints = {id: fingerprint(one) for id, one in submission.numbers.items()}


def _what_became(ended, found, unread, result, seconds):
    """(status, remark) of a submission whose process has ended."""
    if ended.why == "interrupted":
        return "interrupted", "interrupted"
    at = f" (in the check of {found['running']})" if found["running"] else ""
    if ended.why == "endless":
        return "timed out", f"stopped after {seconds:g} s: it did not come to an end{at}"
    if ended.why == "flood":
        return "stopped", f"stopped: it printed more than {TOO_MUCH >> 20} MB{at}"
    if unread and (ended.status == 0 or os.path.lexists(result)):
        return (
            "crashed",
            f"crashed (exit status {ended.status}): its result is unreadable ({unread})",
        )
    if found["refused"]:
        return "refused", f"refused: {found['refused']}"
    if not found["finished"]:
        last = ended.head.strip().splitlines()
        status = "unknown" if ended.status is None else ended.status
        return "crashed", f"crashed (exit status {status}){at}" + (
            f": {short(last[-1])}" if last else ""
        )
    return "graded", f"printed {ended.printed / 1e6:.1f} MB" if ended.printed > MUCH else ""


def remove(folder):
    """Remove a folder, whatever a submission made of it: folders without end in one another, or
    without permissions.

    Each folder is moved out of the one that it lies in, so that no path grows too long. No link is
    followed.
    """
    flat = pathlib.Path(tempfile.mkdtemp())
    waiting, folders = [folder], [flat]
    while waiting:
        path = waiting.pop()
        # what cannot be removed stays; the rest is removed all the same
        with contextlib.suppress(OSError):
            if is_folder(path):
                os.chmod(path, stat.S_IRWXU)
                place = flat / str(len(folders))
                os.rename(path, place)
                folders.append(place)
                waiting += [place / name for name in os.listdir(place)]
            else:
                if os.name == "nt":
                    os.chmod(path, stat.S_IWRITE)  # Windows removes no file that may only be read
                os.unlink(path)
    for place in reversed(folders):
        with contextlib.suppress(OSError):
            os.rmdir(place)


def is_folder(path):
    """Whether a folder is there, and no link to one: on Windows a junction says that it is a
    folder."""
    found = os.lstat(path)
    return stat.S_ISDIR(found.st_mode) and not getattr(found, "st_reparse_tag", 0)


def histogram(submissions):
    """[(count, exercise, title)] of the mistakes in all submissions, the most frequent first."""
    counts = collections.Counter(
        (exercise, kind_of_wrong(finding, exercise))
        for submission in submissions
        for exercise, report in submission.reports.items()
        if report["status"] == "wrong"
        for finding in report["findings"]
        if finding["id"] != f"{exercise}/remains"
    )
    return sorted(
        ((count, *key) for key, count in counts.items()), key=lambda row: (-row[0], row[1:])
    )


def kind_of_wrong(finding, exercise):
    """What a finding is called in the table of a class: the title of a mistake that makes exactly
    these numbers, or what kind of wrong it is."""
    if finding["title"] and finding["exact"]:
        return finding["title"]
    rule = finding["id"].removeprefix(f"{exercise}/")
    return RULES.get(rule, "wrong numbers, and no known mistake")


def was_interrupted(submissions):
    """Whether Ctrl-C came before all had been graded."""
    return any(s.status in ("interrupted", "not graded") for s in submissions)


def as_text(submissions, points=None):
    """A table, a line for each file, and the histogram of the mistakes. `points` are those of the
    exercises, by default one each."""
    points = points or points_of(submissions)
    names = [escaped(s.file) for s in submissions]
    width = max(map(len, names))
    possible = written(math.fsum(points.values()))
    lines = [
        f"{'file':<{width}}  right  not right  not started  seconds  points, of {possible}"
    ]
    for name, s in zip(names, submissions):
        counts = f"{s.count('right'):>5}  {s.count('wrong'):>9}  {s.count('not started'):>11}"
        reached = written(total(score(s, points))) or "not known"
        lines.append(f"{name:<{width}}  {counts}  {s.seconds:>7.1f}  {reached:>6}")
        wrong = [exercise for exercise, report in s.reports.items() if report["status"] == "wrong"]
        remarks = [f"not right: {', '.join(wrong)}"] if wrong else []
        remarks += [f"{exercise}: {remark}" for exercise, remark in s.remarks.items()]
        lines += [f"{'':<{width}}  {text}" for text in (*remarks, s.remark, *s.errors) if text]
    mistakes = histogram(submissions)
    if mistakes:
        lines += ["", "What went wrong, and in how many files:"]
        one = min(1, BAR / mistakes[0][0])  # the width of one file
        bars = [
            (count, "█" * max(1, round(one * count)), f"{exercise}: {title}")
            for count, exercise, title in mistakes
        ]
        lines += [f"{count:>5}  {bar}  {name}" for count, bar, name in bars]
    return "\n".join(lines + _clusters_as_lines(submissions))


def _clusters_as_lines(submissions):
    """The mistakes without a name that several files make, as lines of the table."""
    found = clusters(submissions)
    if not found:
        return []
    lines = ["", "Mistakes without a name, each with equal numbers in several files:"]
    for one in found:
        lines += [
            f"{len(one.files):>5}  {one.exercise}: {one.evidence}",
            f"       in {', '.join(map(escaped, one.files))}",
            f"       fingerprint: {one.fingerprint}",
        ]
    return [*lines, "       To give one a name of your own: --known"]


def as_dict(submissions, points=None):
    """All of it for programs, as JSON can hold it: NaN and ∞ become texts."""
    points = points or points_of(submissions)
    mistakes = [
        {"count": count, "exercise": exercise, "mistake": title}
        for count, exercise, title in histogram(submissions)
    ]
    return {
        "submissions": [{**as_plain(s), "points": score(s, points)} for s in submissions],
        "points": points,
        "mistakes": mistakes,
        "clusters": [dataclasses.asdict(one) for one in clusters(submissions)],
    }


def as_plain(submission):
    """A submission as JSON can hold it: all but its numbers, which its fingerprints stand for."""
    found = dataclasses.asdict(dataclasses.replace(submission, numbers={}))
    del found["numbers"]
    return as_json(found)


def as_json(value):
    """The value with texts in place of numbers that JSON does not know."""
    if isinstance(value, dict):
        return {name: as_json(v) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(v) for v in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def as_json_text(submissions, points=None):
    """`as_dict` as a text."""
    return json_text(as_dict(submissions, points))


def json_text(value):
    """Plain values as a text: letters of all languages as they are, what a terminal obeys as JSON's
    \\u escapes."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return re.sub(
        r"[^\n -~]",
        lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text,
    )
