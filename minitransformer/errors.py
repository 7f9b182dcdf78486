"""The errors that a user can meet. Each message names the value, what was expected, and the
remedy."""

import contextlib
import difflib
import os
import reprlib
import shlex
import subprocess
from pathlib import Path

LISTED = 40  # names that a message lists
NEAR = 0.6  # from 0 (nothing in common) to 1 (the same): a name that may be meant
WINDOWS = os.name == "nt"


class InputError(ValueError):
    """An input cannot be used. The commands print the message and exit with status 2."""


class BackwardWithoutForward(RuntimeError):
    """`backward` was called more often than `forward`: nothing is saved that it could use."""


class NonFiniteError(ArithmeticError):
    """A loss or a gradient became NaN or infinite. The message names the step and the component."""


def expect_as_many(what, **lists):
    """Raise InputError unless the lists have the same length: item n of each belongs to item n of
    the others."""
    counts = {name: len(items) for name, items in lists.items()}
    if len(set(counts.values())) > 1:
        counted = " and ".join(f"{count:,} {name}" for name, count in counts.items())
        raise InputError(f"{what} one by one, but there are {counted}. Pass equally many of each.")


def unknown(kind, name, known):
    """The error for a name that does not exist: what was asked for, the nearest name, and all there
    are."""
    names = [str(n) for n in known]
    listed = names if len(names) <= LISTED else by_nearness(str(name), names)[:8]
    return InputError(
        f"There is no {kind} {shortened(str(name))}.{did_you_mean(str(name), names)} "
        f"{'There are' if listed is names else f'There are {len(names)}, such as'}: "
        f"{', '.join(listed)}."
    )


def did_you_mean(name, names):
    """" Did you mean 'this'?" with the nearest of the names, or nothing if none is near."""
    near = nearest(name, names)
    return f" Did you mean {near!r}?" if near else ""


def nearest(name, names):
    """The first of the names that are most like `name`, whatever its case; None if none is near."""
    best = by_nearness(name, names)[:1]
    return best[0] if best and nearness(name, best[0]) >= NEAR else None


def by_nearness(name, names):
    """The names, the nearest first; equally near ones in their order."""
    return sorted(names, key=lambda other: -nearness(name, other))


def nearness(name, other):
    return difflib.SequenceMatcher(None, name[:100].lower(), other.lower()).ratio()


@contextlib.contextmanager
def reading(path):
    """Inside, a file is read; an OSError becomes an InputError that names the file."""
    try:
        yield
    except OSError as problem:
        name = str(path) or "The file ''"
        raise InputError(f"{name} cannot be read: {problem.strerror or problem}.") from None


@contextlib.contextmanager
def writing(path):
    """Inside, a file is written; an OSError names the file, also where the system does not say
    which (a full disk)."""
    try:
        yield
    except OSError as problem:
        if problem.errno:  # of the system
            problem.filename = str(path)
        raise


def write_text(path, text):
    """Write a text into a file: the same bytes on every system."""
    with writing(path):
        Path(path).write_text(text, encoding="utf-8", newline="\n")


def shortened(value, most=80):
    """A value as Python writes it, in one line, and of long ones the beginning: a message is a
    sentence."""
    text = (repr if isinstance(value, str) else reprlib.repr)(value).replace("\n", " ")
    return text if len(text) <= most else text[: most - 1] + "…"


def typed(path):
    """A path as it is typed in a command: in quotes if it has spaces or characters that are special
    to a shell."""
    return subprocess.list2cmdline([str(path)]) if WINDOWS else shlex.quote(str(path))
