"""The errors that a user can meet. Each message names the value, what was expected, and the
remedy."""

import contextlib
import difflib
import os
import reprlib
import shlex
import subprocess

LISTED = 40  # names that a message lists
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
    listed = names if len(names) <= LISTED else [*names[:LISTED], "…"]
    return InputError(
        f"There is no {kind} {str(name)!r}.{did_you_mean(str(name), names)} There are: "
        f"{', '.join(listed)}."
    )


def did_you_mean(name, names):
    """" Did you mean 'this'?" with the nearest of the names, or nothing if none is near."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


@contextlib.contextmanager
def reading(path):
    """Inside, a file is read; an OSError becomes an InputError that names the file."""
    try:
        yield
    except OSError as problem:
        name = str(path) or "The file ''"
        raise InputError(f"{name} cannot be read: {problem.strerror or problem}.") from None


def shown(value):
    """A value as Python writes it, in one line, and of long ones the beginning: a message is a
    sentence."""
    return reprlib.repr(value).replace("\n", " ")


def shortened(value, most=80):
    """A value as Python writes it, cut off where it is long."""
    text = repr(value).replace("\n", " ")
    return text if len(text) <= most else text[: most - 1] + "…"


def typed(path):
    """A path as it is typed in a command: in quotes if it has spaces or characters that are special
    to a shell."""
    return subprocess.list2cmdline([str(path)]) if WINDOWS else shlex.quote(str(path))
