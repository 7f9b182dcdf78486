"""Standard output and error: UTF-8 in every locale, and no traceback if nothing can be written."""

import contextlib
import os
import sys


def write_utf8():
    """Let standard output and error write UTF-8. Half of a surrogate pair, which UTF-8 cannot hold, becomes "?"."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's has no need of it
            stream.reconfigure(encoding="utf-8", errors="replace")


def open_closed_streams():
    """Discard what is written to a closed output (`2>&-`): in Python such a stream is None, and printing would fail."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))


def complain(sentence):
    """Print a sentence on standard error, if that is possible."""
    with contextlib.suppress(OSError):
        print(f"minitransformer: {sentence}", file=sys.stderr, flush=True)


def drop_unwritten():
    """Discard output that cannot be written (a full disk, a closed pipe), so that Python does not try again when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
            stream.flush()
