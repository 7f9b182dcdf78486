"""Standard output and error: UTF-8 whatever the locale says, and never a traceback where nothing can be written."""

import contextlib
import os
import sys


def write_utf8():
    """Let standard output and error write UTF-8. Half of a surrogate pair, which UTF-8 cannot hold, becomes "?"."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's has no need of it
            stream.reconfigure(encoding="utf-8", errors="replace")


def open_closed_streams():
    """Put a stream in the place of one that is closed (`>&-`): for Python it is None, which nobody can print to.

    An answer that is written there is lost, and `flush` raises OSError, as on a full disk: a file that was opened only to be
    read takes nothing. A complaint vanishes: there is nobody to tell.
    """
    for name, way in (("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.open(os.devnull, way), "w", encoding="utf-8"))


def complain(sentence):
    """Say something on standard error, if that can be written."""
    with contextlib.suppress(OSError):
        print(f"minitransformer: {sentence}", file=sys.stderr, flush=True)


def drop_unwritten():
    """Forget what cannot be written any more (a full disk, a closed pipe), so that Python does not try again at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
            stream.flush()
