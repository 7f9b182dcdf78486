"""Forked processes that work on the same arrays, for what Python's interpreter lock would keep from running side by side."""

import contextlib
import mmap
import os
import signal
import sys
import warnings

import numpy as np

FORK_IS_SAFE = sys.platform == "linux"  # macOS's own BLAS does not survive a fork, and Windows has none


def cores():
    """How many cores this process may use at once; 1 where processes cannot be forked."""
    if not FORK_IS_SAFE:
        return 1
    import multiprocessing

    return 1 if multiprocessing.current_process().daemon else len(os.sched_getaffinity(0))  # daemons may not fork


def shared(array):
    """The values of a flat array in memory that processes forked later share with this one; `array` itself if it is there."""
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
    """A copy of this process that answers messages. There, `start()` is called, and returns `answer(bytes) → bytes`.

    Arrays made by `shared` are the same memory in both; everything else is a copy. `others` are the forks made before.
    Raises ChildProcessError if the fork has ended, as it does when the system runs out of memory.
    """

    def __init__(self, start, others=()):
        import multiprocessing

        self.pipe, end = multiprocessing.Pipe()
        inherited = [self.pipe, *(fork.pipe for fork in others)]  # left open there, no end would ever be noticed
        self.process = multiprocessing.get_context("fork").Process(target=_serve, args=(start, end, inherited), daemon=True)
        with warnings.catch_warnings():  # of other threads: the fork never takes up what they were doing
            warnings.simplefilter("ignore", DeprecationWarning)
            self.process.start()
        end.close()

    def send(self, message):
        with self.expecting_life():
            self.pipe.send_bytes(message)

    def receive(self):
        with self.expecting_life():
            return self.pipe.recv_bytes()

    @contextlib.contextmanager
    def expecting_life(self):
        try:
            yield
        except (EOFError, ConnectionError):
            self.process.join(1)
            raise ChildProcessError(
                f"A process that helped to compute has ended (exit code {self.process.exitcode}; -9: the system ran out of "
                "memory). Take smaller batches, or do without the second process: --shares 1."
            ) from None

    def close(self):
        """End the process, whatever it is doing."""
        self.pipe.close()
        self.process.terminate()
        self.process.join()


def _serve(start, pipe, inherited):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the parent decides when to stop
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in inherited:
        other.close()
    answer = start()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone
        while True:
            pipe.send_bytes(answer(pipe.recv_bytes()))
