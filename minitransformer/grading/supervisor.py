"""Stand between the grader and one submission, and leave no process behind.

    python -I -S supervisor.py COMMAND ...

Runs the command in a session of its own, so that signals to its group reach nobody else. When the
command ends, or when standard input does (the grader wants an end, or has ended itself), all
processes that it started are ended, in whatever session they are, and its exit status is written to
standard error. This file imports nothing of the package: it starts once for each submission.
"""

import ctypes
import os
import select
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36  # Linux: whoever loses its parent below us becomes our child
PATIENCE = 10.0  # seconds for which survivors are hunted
PAUSE = 0.02


def main(command):
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(*map(ctypes.c_long, (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)))
    child = os.fork()
    if child == 0:
        become(command)
    status = None
    while status is None and not select.select([0], [], [], PAUSE)[0]:
        status = reap().get(child)
    end_all(child)
    text = "stopped" if status is None else str(os.waitstatus_to_exitcode(status))
    os.write(2, f"{text}\n".encode())
    os._exit(0)


def become(command):
    """Turn into the command: nothing to read, errors go where output goes, no way to the grader's
    pipes."""
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(1, 2)
        os.execv(command[0], command)
    finally:
        os._exit(127)


def reap():
    """{process: status} of the children that have ended. Raises ChildProcessError if there is none
    left at all."""
    ended = {}
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            if ended:
                return ended
            raise
        if not process:
            return ended
        ended[process] = status


def end_all(child):
    """End the child's group and, where the system tells who they are, all other descendants."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            os.killpg(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        for process in descendants():
            try:
                os.kill(process, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        try:
            reap()
        except ChildProcessError:
            return
        time.sleep(PAUSE)


def descendants():
    """The processes below this one: children, their children, and so on. Only Linux has a list of
    them."""
    children = {}
    for name in os.listdir("/proc") if sys.platform == "linux" else ():
        try:
            with open(f"/proc/{int(name)}/stat", "rb") as file:
                # a name may hold brackets and spaces
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except (ValueError, OSError):  # no process, or one that has ended
            continue
        children.setdefault(parent, []).append(int(name))
    found = list(children.get(os.getpid(), ()))
    for process in found:  # which grows meanwhile
        found += children.get(process, ())
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
