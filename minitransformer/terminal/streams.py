"""Standard output and error: UTF-8 in every locale, and no traceback if nothing can be written."""

import contextlib
import os
import re
import sys


def write_utf8():
    """Let standard output and error write UTF-8. Half of a surrogate pair, which UTF-8 cannot hold,
    becomes "?"."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's has no need of it
            stream.reconfigure(encoding="utf-8", errors="replace")


def open_closed_streams():
    """Put a stream in the place of one that is closed (`>&-`): in Python that is None, and printing
    would fail.

    What is written to standard output then is lost, and `flush` raises OSError, as on a full disk:
    its place is taken by a file that is open for reading only. What is written to standard error is
    discarded.
    """
    for name, way in (("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.open(os.devnull, way), "w", encoding="utf-8"))


def complain(sentence):
    """Print a sentence on standard error, if that is possible."""
    with contextlib.suppress(OSError):
        print(f"minitransformer: {readable(sentence)}", file=sys.stderr, flush=True)


def readable(sentence):
    """The sentence, with every word of more than 1,000 characters cut off: it may quote whatever
    was typed."""
    return re.sub(r"(\S{100})\S{900,}", r"\1…", str(sentence))


def drop_unwritten():
    """Discard output that cannot be written (a full disk, a closed pipe), so that Python does not
    try again when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
            stream.flush()
