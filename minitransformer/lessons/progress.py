"""What a learner has right, lesson by lesson, and what comes next.

The files of the folder are run, as `grade` runs them: nothing else would be sure. What a file came
to is kept beside it, by its code, so that only what was changed runs again.
"""

import ast
import functools
import hashlib
import json
import pathlib
import re
import textwrap
from typing import NamedTuple

from .. import grading
from ..errors import InputError, typed, write_text
from ..grading.cells import Refused, cells_of
from ..grading.exercise import EXERCISES
from ..grading.grade import grade
from ..grading.submission import KINDS
from .notebooks import FURTHER, checks, lessons

FOLDER = "my-lessons"  # where `minitransformer lessons` puts them
KEPT = ".checked.json"  # in that folder
WIDTH = 52  # of a lesson's title, as in the list of lessons


class Step(NamedTuple):
    """An exercise of a lesson. `is_further` says that it is for those who want more."""

    lesson: object
    exercise: object
    is_further: bool


class Progress(NamedTuple):
    """What the files of a folder came to: {file: {exercise: status}}, and the remarks on files that
    could not be run."""

    statuses: dict
    remarks: list

    def status(self, step):
        """What became of it in the lesson's own file, or in one that belongs to no lesson: "right",
        "wrong", "not started", or "" if nobody answers it.

        A later lesson asks for some exercises anew, so an earlier lesson's answer is none there.
        """
        found = [
            statuses.get(step.exercise.id, "")
            for file, statuses in self.statuses.items()
            if lesson_of(file) in (None, step.lesson.number)
        ]
        return next((s for s in ("right", "wrong", "not started") if s in found), "")


def steps(lesson):
    """The `Step`s of a lesson, in its order."""
    text = lesson.source.read_text(encoding="utf-8")
    further, below = set(), False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(("# ## ", f"# {FURTHER}")):
            below = line.startswith(f"# {FURTHER}")
        further |= {number} if below else set()
    return [
        Step(lesson, EXERCISES[id], line in further)
        for line, id, name in sorted(checks(ast.parse(text)))
        if name == EXERCISES[id].name
    ]


def lesson_of(file):
    """The number of the lesson whose file this is, "03"; None for another file."""
    found = re.match(r"(\d\d)_", file.name)
    return found and found[1]


def progress(folder, seconds, say=print):
    """The `Progress` in a folder. Before files are run, `say` is given a sentence: it takes a
    while."""
    files = sorted(f for f in folder.glob("[!.]*") if f.suffix in KINDS and f.is_file())
    keys, known = {file: key_of(file) for file in files}, read_kept(folder)
    statuses = {file: {} if is_untouched(file) else known.get(keys[file]) for file in files}
    waiting, remarks = [file for file in files if statuses[file] is None], []
    if waiting:
        say(f"{len(waiting)} file{'s' * (len(waiting) > 1)} changed: running, a moment …")
        for file, submission in zip(waiting, grade(waiting, seconds, with_modules=True)):
            if submission.status in ("interrupted", "not graded"):
                raise KeyboardInterrupt
            reports = submission.reports
            statuses[file] = {id: report["status"] for id, report in reports.items()}
            if submission.status == "graded":
                known[keys[file]] = statuses[file]
            else:
                remarks.append(f"{file.name}: {submission.remark}")
        keep(folder, {key: known[key] for key in keys.values() if key in known})
    return Progress(statuses, remarks)


def is_untouched(file):
    """Whether a lesson's file has the stubs of the lesson and no answer: then it need not run."""
    lesson = next((one for one in lessons() if one.number == lesson_of(file)), None)
    return lesson is not None and definitions(file) == definitions(lesson.source)


def definitions(file):
    """{name: the text} of the functions and classes that have an exercise's name; of a file that
    cannot be read, None."""
    names, found = {exercise.name for exercise in EXERCISES.values()}, {}
    try:
        for _, code in cells_of(file):
            for node in ast.parse(code).body:
                if getattr(node, "name", "") in names:
                    found[node.name] = ast.unparse(node)
    except (Refused, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return found


# -- what is kept ----------------------------------------------------------------------------------


def key_of(file):
    """What the verdicts depend on: the code of the file, not its outputs, and the checker's own."""
    try:
        code = [cell for _, cell in cells_of(file)]
    except Refused:
        return ""  # it is run, and says why
    return hashlib.sha256(f"{checker()}{json.dumps(code)}".encode()).hexdigest()


@functools.cache
def checker():
    """What tells this checker from another version of it."""
    digest = hashlib.sha256()
    for source in sorted(pathlib.Path(grading.__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def read_kept(folder):
    """{key: {exercise: status}}; nothing if the file is not there, or is not what we wrote."""
    try:
        kept = json.loads((folder / KEPT).read_text(encoding="utf-8"))
        return {key: dict(statuses) for key, statuses in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def keep(folder, known):
    """Write it down, if that can be done: without it, the files run again."""
    try:
        write_text(folder / KEPT, json.dumps(known, indent=1))
    except (InputError, OSError):
        return


# -- what is said ----------------------------------------------------------------------------------


def as_text(folder, found):
    """A line for each lesson, and the next exercise: those of all lessons first, then what is for
    those who want more."""
    lines, waiting = [], []
    for lesson in lessons():
        asked = steps(lesson)
        lines.append(f"{lesson.number}  {lesson.title:<{WIDTH}} {done(asked, found)}")
        waiting += [step for step in asked if found.status(step) != "right"]
    lines += ["", *found.remarks] if found.remarks else []
    if not waiting:
        return "\n".join([*lines, "", "All exercises are right."])
    step = min(waiting, key=lambda step: step.is_further)  # the first of those
    return "\n".join([*lines, "", *describe(step, found, folder)])


def done(asked, found):
    """ "2 of 8, and 0 of 11 more"."""
    counts = []
    for is_further in (False, True):
        those = [step for step in asked if step.is_further == is_further]
        right = sum(found.status(step) == "right" for step in those)
        counts += [f"{right} of {len(those)}"] if those else []
    return ", and ".join(counts) + " more" * (len(counts) > 1) or "nothing to write"


def describe(step, found, folder):
    """What comes next: the exercise, what it asks, and the command to try."""
    exercise, begun = step.exercise, found.status(step)
    state = ", not right yet" if begun == "wrong" else ""
    files = [file for file in found.statuses if lesson_of(file) == step.lesson.number]
    command = f"check {typed(files[0])} {exercise.id}" if files else f"lessons {step.lesson.number}"
    if not files and folder != pathlib.Path(FOLDER):
        command += f" --folder {typed(folder)}"
    asked = " ".join(exercise.statement.split("\n\n")[0].split())
    return [
        f"Next, in lesson {step.lesson.number}: {exercise.id}{state}",
        *textwrap.wrap(asked, 100, initial_indent="  ", subsequent_indent="  "),
        f"  Write {exercise.call}",
        f"  minitransformer {command}",
    ]
