"""One training at a time in a run's folder."""

import contextlib
import errno
import os
import threading

from ..errors import InputError
from ..terminal.browser import IN_A_BROWSER

NAME = ".lock"
_held = {}  # {real path of a folder: (handle of its lock file, the thread that took it)}
_guard = threading.Lock()


@contextlib.contextmanager
def locked(folder):
    """Inside, no other process and no other thread trains in this folder. Raises InputError if one
    does already.

    The operating system holds the lock, on the file `.lock`, and releases it when this process ends
    for any reason: a killed process blocks nobody. A forked process does not hold the lock. The
    thread that has it may take it again. A folder that does not exist needs no lock, nor does one
    in a browser, which no other process sees; on a file system without locks there is none.
    """
    key, me = os.path.realpath(folder), threading.get_ident()
    if IN_A_BROWSER or not os.path.isdir(key) or _held.get(key, (None, None))[1] == me:
        yield
        return
    path = os.path.join(key, NAME)
    with _guard:
        handle = None if key in _held else _take(path)
        if handle is None:
            raise InputError(
                f"Another training is running in {folder}. Wait until it has ended, or stop it "
                "with Ctrl-C; or train in another folder (--out)."
            )
        _held[key] = handle, me
    try:
        yield
    finally:
        with _guard:
            del _held[key]
            _give_back(path, handle)


def _take(path):
    """A handle of the locked file; None if it is locked already."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            _lock(handle)
        except OSError as problem:
            if problem.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                os.close(handle)
                return None
            return handle  # this file system cannot lock
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        os.close(handle)  # the previous owner of the lock has removed this file meanwhile


def _lock(handle):
    """Lock the file at once, or raise OSError."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # on Windows
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _give_back(path, handle):
    """Remove the lock file and release the lock, in the order that the system allows."""
    if os.name == "posix":
        with contextlib.suppress(OSError):  # the folder may be gone
            os.unlink(path)
        os.close(handle)
    else:  # Windows removes no file that is open, here or in another process
        os.close(handle)
        with contextlib.suppress(OSError):
            os.unlink(path)


def _let_go():
    """In a forked process: its copies of the handles would keep the locks after the parent's
    death."""
    global _guard
    for handle, _ in _held.values():
        os.close(handle)
    _held.clear()
    _guard = threading.Lock()  # a thread that is not here may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
