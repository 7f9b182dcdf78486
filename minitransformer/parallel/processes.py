"""Forked processes that work on the same arrays, for what Python's interpreter lock would keep from
running side by side."""

import contextlib
import mmap
import os
import signal
import struct
import sys
import time
import warnings

import numpy as np

from ..terminal.interruption import ENDING

PATIENCE = 0.002  # seconds
# bytes: more may not fit into a pipe that nobody reads, and sending it would never end
LONG = 60_000
# seconds; Ctrl-Z and fg stop and continue all processes, not quite at the same time
STOPPED_TOO_LONG = 10.0
DONE, FAILED = b"1", b"0"
# macOS's own BLAS does not survive a fork, and Windows has none
FORK_IS_SAFE = sys.platform == "linux"


def cores():
    """How many cores this process may use at once; 1 where processes cannot be forked."""
    if not FORK_IS_SAFE:
        return 1
    import multiprocessing

    # daemons may not fork
    return 1 if multiprocessing.current_process().daemon else len(os.sched_getaffinity(0))


def shared(array):
    """The values of a flat array in memory that processes forked later share with this one; `array`
    itself if it is there."""
    if isinstance(array.base, memoryview) and isinstance(array.base.obj, mmap.mmap):
        return array
    copy = np.frombuffer(mmap.mmap(-1, max(1, array.nbytes)), dtype=array.dtype, count=array.size)
    copy[...] = array
    return copy


@contextlib.contextmanager
def one_blas_thread():
    """Inside, a matrix product takes one thread, because other processes have the other cores."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield


class Fork:
    """A copy of this process that answers messages. There, `start()` is called, and returns
    `answer(bytes) → bytes`.

    Arrays made by `shared` are the same memory in both; everything else is a copy. `others` are the
    forks made before. `receive` returns None if `answer` raised; `drop_answers` waits for those
    that nobody has received. Raises ChildProcessError if the fork has ended, as it does when the
    system runs out of memory, or stays stopped for ten seconds; its message ends with `remedy`.
    """

    def __init__(self, start, others, remedy):
        import multiprocessing

        self.remedy = remedy
        self.pipe, end = multiprocessing.Pipe()
        # left open there, no end would ever be noticed
        inherited = [self.pipe, *(fork.pipe for fork in others)]
        self.process = multiprocessing.get_context("fork").Process(
            target=_serve, args=(start, end, inherited), daemon=True
        )
        # of other threads: the fork never takes up what they were doing
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self.process.start()
        end.close()
        self.unanswered = 0  # messages

    def send(self, message):
        with self.expecting_life():
            if len(message) > LONG:
                self.expect_running(
                    lambda: not is_stopped(self.process.pid) or time.sleep(0.2)  # type: ignore
                )
            self.unanswered += 1
            self.pipe.send_bytes(message)

    def receive(self):
        with self.expecting_life():
            reply = received(self.pipe, self.expect_running)
        self.unanswered -= 1
        return reply[1:] if reply[:1] == DONE else None

    def drop_answers(self):
        while self.unanswered:
            self.receive()

    def expect_running(self, ready):
        """Return when `ready()`. Raises ChildProcessError once the fork has been stopped for too
        long."""
        since = None  # when it was first seen to stand still
        while not ready():
            now = time.monotonic()
            since = (since or now) if is_stopped(self.process.pid) else None
            if since and now - since > STOPPED_TOO_LONG:
                raise ChildProcessError(
                    "A process that helps to compute has been stopped by a signal (SIGSTOP) for "
                    f"{now - since:.0f} seconds. {self.remedy}"
                )

    @contextlib.contextmanager
    def expecting_life(self):
        try:
            yield
        except (EOFError, ConnectionError):
            self.process.join(1)
            raise ChildProcessError(
                f"A process that helped to compute has ended (exit code {self.process.exitcode}; "
                f"-9: the system ran out of memory). {self.remedy}"
            ) from None

    def close(self):
        """End the process, whatever it is doing."""
        self.pipe.close()
        self.process.kill()
        self.process.join()


def is_stopped(pid):
    """Whether a signal has stopped a process: on Linux, which tells; elsewhere never."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"T"
    except (OSError, IndexError):
        return False


def _serve(start, pipe, inherited):
    # a terminal, and a cluster, signal all processes; the first one decides when to stop
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    for other in inherited:
        other.close()
    answer = start()
    with contextlib.suppress(EOFError, ConnectionError):  # the parent is gone
        while True:
            message = received(pipe)
            try:
                reply = DONE + answer(message)
            except Exception:
                # whoever asked does it again, and meets the error where it can be seen
                reply = FAILED
            pipe.send_bytes(reply)


def received(pipe, waiting=None):
    """The next message. A short wait keeps the core busy, or both processes would soon be woken on
    the same one.

    A longer one is left to `waiting`, which is given a function that waits some more and says
    whether a message is there.
    """
    patience = time.perf_counter() + PATIENCE
    while not pipe.poll() and time.perf_counter() < patience:
        pass
    if waiting:
        waiting(lambda: pipe.poll(0.2))
    return pipe.recv_bytes()


def to_bytes(arrays):
    """Arrays of integers (N, M), or None in place of one, as bytes."""
    pieces = []
    for array in arrays:
        shape = (-1, -1) if array is None else array.shape
        pieces += [
            struct.pack("qq", *shape),
            b"" if array is None else array.astype(np.int64).tobytes(),
        ]
    return b"".join(pieces)


def from_bytes(message):
    """The list of arrays that `to_bytes` was given, int64."""
    arrays: list = []
    place = 0
    while place < len(message):
        rows, columns = struct.unpack_from("qq", message, place)
        place += 16
        if rows < 0:
            arrays.append(None)
        else:
            arrays.append(
                np.frombuffer(message, np.int64, rows * columns, place).reshape(rows, columns)
            )
            place += arrays[-1].nbytes
    return arrays
