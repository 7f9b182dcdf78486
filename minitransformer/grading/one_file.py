"""One file, checked for the learner who writes it: run as `grade` runs it, and every report
printed."""

import os
import pathlib

from ..errors import InputError
from .exercise import find
from .grade import as_plain, grade, json_text
from .recheck import LOOK
from .report import Report
from .result import escaped
from .submission import KINDS

SECONDS = 120.0  # that one file may take: a lesson that trains takes half a minute or more


def check_file(file, exercises=(), seconds=SECONDS):
    """The `Submission` of one notebook or Python file, with the reports on these exercises (none:
    on all that it answers).

    The whole file runs, in a process of its own. Raises InputError for what is no such file, and
    for an exercise that does not exist; KeyboardInterrupt at Ctrl-C.
    """
    wanted = [find(id).id for id in exercises]
    expect_a_file(file)
    (submission,) = grade([file], seconds, 1, with_modules=True)
    if submission.status in ("interrupted", "not graded") and "interrupted" in submission.remark:
        raise KeyboardInterrupt
    if wanted:
        submission.reports = {k: v for k, v in submission.reports.items() if k in wanted}
        submission.remarks = {k: v for k, v in submission.remarks.items() if k in wanted}
    return submission


def expect_a_file(file):
    """Raise InputError unless this is the path of a notebook or a Python file that is there."""
    if not file or not os.path.lexists(file):
        raise InputError(f"There is no file {file!r}. Name the file with your answers.")
    if os.path.isdir(file):
        raise InputError(
            f"{file!r} is a folder. Name one file of it; whole folders: minitransformer grade."
        )
    if pathlib.Path(file).suffix.lower() not in KINDS:
        raise InputError(f"{file!r} is neither a notebook (.ipynb) nor a Python file (.py).")


def missing(submission, exercises):
    """Those of the exercises to which the file has no answer, in their order."""
    return [id for id in dict.fromkeys(exercises) if id not in submission.reports]


def exit_status(submission, exercises=()):
    """0: all is right. 1: something is not right yet, or a cell failed. 2: the file could not be
    run to its end, or answers nothing of what was asked for.

    Where exercises are named, cells that failed do not count: they may belong to others.
    """
    if submission.status != "graded" or not submission.reports or missing(submission, exercises):
        return 2
    failed = submission.errors and not exercises
    return 1 if failed or not all(r["passed"] for r in submission.reports.values()) else 0


def as_lines(submission, exercises=()):
    """What the learner reads: every report, what failed, and how many are right."""
    blocks = [str(Report.from_dict(report)) for report in submission.reports.values()]
    blocks += notes(submission, exercises)
    return "\n\n".join([*blocks, summary(submission, exercises)])


def notes(submission, exercises=()):
    """What is to be said beside the reports, a sentence each."""
    found = [f"{id}: {remark.removeprefix(LOOK)}" for id, remark in submission.remarks.items()]
    found += [
        f"{'Python cannot read this' if 'SyntaxError in' in error else 'This stopped'}: {error}"
        for error in submission.errors
    ]
    found += [f"Not run to its end: {submission.remark}"] if submission.status != "graded" else []
    return found + [
        f"There is no answer to {id} in the file: write {find(id).call}."
        for id in missing(submission, exercises)
    ]


def summary(submission, exercises=()):
    """How many of the answers are right."""
    count = len(submission.reports)
    if exercises and not count and submission.status == "graded":
        return f"0 of {len({*exercises})} right."
    if not count and (submission.errors or submission.status != "graded"):
        return "Nothing could be checked."
    if not count:
        return (
            f"{escaped(submission.file)} answers no exercise: write a function with the name of "
            "one, such as softmax for softmax.forward. All of them: minitransformer exercises"
        )
    return f"{submission.count('right')} of {count} right."


def as_json_lines(submission):
    """The same for programs: what `grade --out` has for the file."""
    return json_text(as_plain(submission))
