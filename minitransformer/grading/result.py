"""What a submission's process leaves behind, read with care: its code can reach the file, and may
write anything there."""

import os
import pathlib
import stat
from json import dumps, loads  # by name: a submission may put something else into `json`

from .exercise import EXERCISES

LARGEST = 32 << 20  # bytes of a result
TEXT, MANY = 2000, 1000  # characters of a text, and members of a list, that are kept
STATUSES = ("right", "wrong", "not started")
WHERE = {
    "output": str, "situation": str, "index": [int], "yours": (int, float),
    "expected": (int, float),
}
FINDING = {
    "id": str, "title": str, "evidence": [str], "question": str, "also": [str], "exact": bool,
    "severity": str, "met": str,
}
LINE = {"number": int, "function": str, "code": str, "reason": str}
REPORT = {
    "exercise": str, "passed": bool, "status": str, "right": [str], "situations": int,
    "severity": str,
}
FOUND = {"errors": [str], "finished": bool, "refused": str, "running": str}


class Unreadable(Exception):
    """Something that is not what a result looks like. The message says what."""


def read_small(path, largest):
    """The bytes of a regular file of at most `largest` bytes, and of nothing else: no link, pipe or
    device is followed.

    Raises OSError, saying what is there instead.
    """
    flags = sum(
        getattr(os, f"O_{name}", 0)
        for name in ("RDONLY", "NOFOLLOW", "NONBLOCK", "NOCTTY", "BINARY")
    )
    descriptor = os.open(path, flags)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(f"{kind_of(mode)}, not a file")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(largest + 1)
    finally:
        os.close(descriptor)
    if len(data) > largest:
        raise OSError(f"larger than {largest >> 20} MB")
    return data


def kind_of(mode):
    """What is not a file: a folder, a pipe, ... in words."""
    kinds = {
        stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe (FIFO)", stat.S_IFSOCK: "a socket",
        stat.S_IFLNK: "a link",
    }
    return kinds.get(stat.S_IFMT(mode), "a device")


def write_whole(path, value):
    """Write a value as JSON, in a moment: who reads it meets the old or the new, and whatever else
    stood there is replaced."""
    path = pathlib.Path(path)
    part = path.with_name(path.name + ".part")
    part.write_bytes(dumps(value).encode())
    os.replace(part, path)


def read_json(path):
    """The value of a result file. Raises Unreadable."""
    try:
        return loads(read_small(path, LARGEST).decode())
    except FileNotFoundError:
        raise Unreadable("there is none") from None
    except OSError as problem:
        raise Unreadable(plain(problem.strerror or problem)) from None
    except (ValueError, RecursionError) as problem:  # no JSON, no UTF-8, nested without end
        raise Unreadable(plain(f"{type(problem).__name__}: {problem}")) from None


def read_found(path):
    """What the runner wrote: {"reports", "errors", "finished", "refused", "running"}, types
    checked, texts plain. Raises Unreadable."""
    found = read_json(path)
    kept = take({"running": "", **found} if isinstance(found, dict) else found, FOUND, "result")
    reports = found.get("reports")
    if not isinstance(reports, dict) or len(reports) > len(EXERCISES):
        raise Unreadable("its reports are no dict by exercise")
    return {**kept, "reports": {plain(id): _report(id, report) for id, report in reports.items()}}


def _report(id, report):
    kept = take(report, REPORT, "report")
    if kept["exercise"] != id or id not in EXERCISES:
        raise Unreadable(f"there is no exercise {plain(id)!r}")
    if kept["status"] not in STATUSES or kept["passed"] != (kept["status"] == "right"):
        raise Unreadable(f"{id} has the status {kept['status']!r}, and passed is {kept['passed']}")
    findings = report.get("findings")
    if not isinstance(findings, list) or len(findings) > MANY:
        raise Unreadable(f"the findings on {id} are no list")
    return {**kept, "findings": [_finding(finding) for finding in findings]}


def _finding(finding):
    kept = take(finding, FINDING, "finding")
    lines = finding.get("lines")
    if not isinstance(lines, list) or len(lines) > MANY:
        raise Unreadable("a finding's lines are no list")
    kept["lines"] = [take(line, LINE, "line") for line in lines]
    where = finding.get("where")
    if where is None:
        return {**kept, "where": None}
    asked = {
        name: form for name, form in WHERE.items() if isinstance(where, dict) and name in where
    }
    return {**kept, "where": take(where, asked, "place")}


def take(value, form, what):
    """The members of a dict that a form names, each of its type. Raises Unreadable."""
    if not isinstance(value, dict):
        raise Unreadable(f"a {what} should be a dict, and is of type {type(value).__name__}")
    return {name: _typed(value.get(name), kind, f"{what}'s {name}") for name, kind in form.items()}


def _typed(value, kind, what):
    if isinstance(kind, list):
        if not isinstance(value, list) or len(value) > MANY:
            raise Unreadable(f"a {what} should be a list of at most {MANY}")
        return [_typed(member, kind[0], what) for member in value]
    if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
        raise Unreadable(f"a {what} should not be of type {type(value).__name__}")
    if isinstance(value, int) and abs(value) > 1 << 62:
        raise Unreadable(f"a {what} is far too large")
    return plain(value, TEXT) if isinstance(value, str) else value


def plain(text, longest=200):
    """A text that can be shown: on one line, not too long, and without what a terminal obeys
    (colours, cursor, direction)."""
    text = str(text)
    text = text if len(text) <= longest else text[:longest] + " …"
    return "".join(c if c.isprintable() else "�" for c in text)


def escaped(name):
    """A file's name that can be shown and still be told from others: what a terminal obeys is
    written as in Python."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(name))
