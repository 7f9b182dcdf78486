"""Signals that end a program, and Ctrl-C while it loads: one line, where Python would show a long
traceback.

The package's `__init__` imports this file first, because `python -m minitransformer` loads all of
it before the command runs. It imports as little as possible: before it is loaded, Python itself
handles Ctrl-C.
"""

import os
import signal
import sys

STATUS = 130  # of a command that Ctrl-C ended: 128 and the signal's number
# Ctrl-C, `kill` and whatever ends a job of a cluster, a terminal that is closed (not on Windows)
ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


def is_the_program():
    """Whether Python runs our command: as `python -m minitransformer`, or by the script that pip
    makes of it.

    While -m looks for its module, the first argument is "-m". A process that the command starts to
    share its work is not the program: its `__main__` has no file yet.
    """
    script = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    return (
        sys.argv[:1] == ["-m"]
        and "minitransformer" in sys.orig_argv
        or os.path.splitext(os.path.basename(script))[0] == "minitransformer"
    )


def end_at_once(*_):
    """Answer SIGINT with a line and status 130. No exception is raised: C code that is being loaded
    could suppress it."""
    try:
        os.write(2, b"minitransformer: interrupted.\n")
    finally:
        os._exit(STATUS)


def end(number, _):
    raise SystemExit(128 + number)


def answer_with(handler, instead_of, number=signal.SIGINT):
    """Let `handler` answer a signal, if `instead_of` did so until now. Only a program's first
    thread may choose."""
    if signal.getsignal(number) is instead_of:
        try:
            signal.signal(number, handler)
        except ValueError:  # another thread
            pass


class KeyboardInterrupts:
    """Inside, Ctrl-C raises KeyboardInterrupt again, and the other signals SystemExit, so that a
    running command can clean up."""

    def __enter__(self):
        self.before = signal.getsignal(signal.SIGINT)
        answer_with(signal.default_int_handler, instead_of=end_at_once)
        for number in ENDING[1:]:  # a hang-up that is ignored (`nohup`) stays ignored
            answer_with(end, signal.SIG_DFL, number)

    def __exit__(self, *_):
        if self.before is end_at_once:
            answer_with(end_at_once, instead_of=signal.default_int_handler)
        for number in ENDING[1:]:
            answer_with(signal.SIG_DFL, end, number)


if is_the_program():
    answer_with(end_at_once, instead_of=signal.default_int_handler)
