"""The files that are to be graded, each read once, before any of them runs; and those that cannot
be, with the reason."""

import dataclasses
import os
import pathlib
import stat

from ..errors import InputError
from .result import kind_of, read_small

KINDS = (".ipynb", ".py")
LARGEST = 20 << 20  # bytes of a file that is graded, and of all that lies beside it
BESIDE = 500  # files that are copied with a submission from its own folder


@dataclasses.dataclass
class Submission:
    """What came of one file. `status` is one of

    graded (its checks stand in `reports`), crashed, timed out, stopped (it printed too much),
    refused (it was not run), interrupted (by Ctrl-C), not graded (Ctrl-C came before).

    `remark` says what was unusual, "" if nothing was; `remarks` what is to be looked at in
    exercises that are right. Of exercises that are wrong by a mistake without a name, `numbers` are
    what the answers came to, and `fingerprints` short texts by which these are known again.
    """

    file: str
    status: str = "graded"
    reports: dict = dataclasses.field(default_factory=dict)  # {exercise: report as a dict}
    remarks: dict = dataclasses.field(default_factory=dict)  # {exercise: a sentence}
    errors: list = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    printed: int = 0  # bytes
    remark: str = ""
    fingerprints: dict = dataclasses.field(default_factory=dict)  # {exercise: text}
    numbers: dict = dataclasses.field(default_factory=dict, repr=False)  # {exercise: Attempt}

    def count(self, status):
        return sum(report["status"] == status for report in self.reports.values())


@dataclasses.dataclass
class Source:
    """A file as it was before anything ran. `refused` says why it is not graded; `beside` are the
    files of its folder."""

    path: pathlib.Path
    data: bytes = b""
    refused: str = ""
    beside: dict = dataclasses.field(default_factory=dict)  # {path within the folder: bytes}

    def copy_to(self, folder):
        """Write the file, and what lies beside it, into a folder; return its new path."""
        for name, data in {**self.beside, self.path.name: self.data}.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        return folder / self.path.name

    def changed(self):
        """Whether the file is no longer what it was."""
        try:
            return read_small(self.path.resolve(), LARGEST) != self.data
        except (OSError, RuntimeError):
            return True


def find_sources(paths, with_modules=False):
    """A `Source` for every file that the paths name, and for all in the folders among them, in
    their order.

    Hidden files and Python's caches are left out. What lies in a folder below a named one is taken
    to belong together: a student's own folder; and `with_modules`, the modules beside any file.
    Raises InputError for a path that is not there, and
    where there is nothing to grade.
    """
    found = {}
    for name in paths:
        path = pathlib.Path(name)
        if not os.fspath(name) or not os.path.lexists(path):
            raise InputError(
                f"There is no file or folder {os.fspath(name)!r}. Name the folder with the "
                "submissions."
            )
        files = walk(path) if path.is_dir() else {path: ""}
        found.update({file: problem for file, problem in files.items() if file not in found})
    if not any(file.suffix.lower() in KINDS for file in found):
        raise InputError(
            f"There is nothing to grade: no {' or '.join(KINDS)} file in "
            f"{', '.join(map(str, paths))}."
        )
    roots = [pathlib.Path(path) for path in paths]
    beside = {}
    sources = [
        Source(file, refused=problem) if problem else read(file, roots)
        for file, problem in found.items()
    ]
    for source in sources:
        folder = source.path.parent
        if not source.refused and any(root in folder.parents for root in roots):
            source.beside = beside.setdefault(folder, beside.get(folder) or files_of(folder))
        elif with_modules and not source.refused:
            source.beside = modules_of(folder)
    return sources


def walk(root):
    """{path: why it cannot be read, or ""} of all that a folder holds, at any depth, sorted; links
    are not followed."""
    found = {}

    def unreadable(problem):
        found[pathlib.Path(problem.filename)] = f"a folder that cannot be read ({problem.strerror})"

    for folder, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = [name for name in folders if is_shown(name)]
        for name in filter(is_shown, (*files, *folders)):
            path = pathlib.Path(folder, name)
            if name in folders and path.is_symlink():
                found[path] = "a link to a folder, which is not followed"
            elif name in files or path.suffix.lower() in KINDS:
                found[path] = ""
    return {path: found[path] for path in sorted(found)}


def is_shown(name):
    return not name.startswith(".") and name != "__pycache__"


def read(file, roots):
    """The `Source` of one path; it is refused unless it is a regular file of moderate size, or a
    link to one inside."""
    if file.suffix.lower() not in KINDS:
        return Source(file, refused="neither a notebook (.ipynb) nor a Python file (.py)")
    try:
        target = file
        if file.is_symlink():
            target = file.resolve(strict=True)
            if file not in roots and not any(root.resolve() in target.parents for root in roots):
                return Source(file, refused="a link to a file outside the folder")
        mode = os.lstat(target).st_mode
        if not stat.S_ISREG(mode):  # known before it is opened: some devices do something then
            return Source(file, refused=f"{kind_of(mode)}, not a file")
        return Source(file, read_small(target, LARGEST))
    except (OSError, RuntimeError, ValueError) as problem:
        # RuntimeError: a link that leads to itself, before Python 3.13
        missing = file.is_symlink() and not isinstance(problem, PermissionError)
        reason = (
            "a link that leads nowhere"
            if missing
            else getattr(problem, "strerror", None) or str(problem)
        )
        return Source(file, refused=reason)


def modules_of(folder):
    """{name: bytes} of the Python files in a folder, not below it: a learner may work in a folder
    that holds much else."""
    return kept_of(folder, sorted(folder.glob("*.py")))


def files_of(folder):
    """{path within the folder: bytes} of its regular files."""
    return kept_of(folder, walk(folder))


def kept_of(folder, paths):
    """{path within the folder: bytes} of these, as long as they are few and small."""
    found, size = {}, 0
    for path in paths:
        try:
            data = read_small(path, LARGEST)
        except OSError:
            continue
        size += len(data)
        if size > LARGEST or len(found) == BESIDE:
            break
        found[str(path.relative_to(folder))] = data
    return found
