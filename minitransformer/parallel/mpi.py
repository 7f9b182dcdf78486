"""Processes on one machine or many that MPI starts, and connects: `mpiexec -n 4 minitransformer …`.

Each of them, a rank, runs the same program. What they tell each other here are bytes and arrays,
never Python objects: nothing is unpickled.
"""

import contextlib
import functools
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ..errors import InputError
from ..terminal.extras import extra

# how many ranks there are, in the environment that mpiexec (or a cluster's srun) makes: MPICH and
# Intel MPI, Open MPI
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
RANKS = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK")  # and which of them this is
# of `srun --mpi=pmix`, beside PMIX_RANK. Without that it may have been left by whatever started a
# shell
SLURM_SIZE = "SLURM_STEP_NUM_TASKS"
SPIN = 0.002  # seconds: a short wait keeps the core
GO_ON = "Start again; a training goes on from its last checkpoint with --resume RUN."


class RankLost(ChildProcessError):
    """The other ranks do not answer."""


class OnAllRanks(InputError):
    """An error that every rank raises at the same place."""


@contextlib.contextmanager
def telling_loss():
    """Inside, an error of MPI is a RankLost."""
    try:
        yield
    except RuntimeError as problem:  # mpi4py's
        raise RankLost(f"MPI has lost the other ranks ({problem}). {GO_ON}") from None


def started_by_mpiexec() -> bool:
    sizes = [*SIZES, *[SLURM_SIZE] * ("PMIX_RANK" in os.environ)]
    return any(os.environ.get(name, "1") != "1" for name in sizes)


def is_first() -> bool:
    """Whether this is rank 0, or was started alone: known without an import of MPI."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


@contextlib.contextmanager
def ended_by_signals():
    """Inside, Ctrl-C and SIGTERM end this process at once. MPI's start waits for all ranks, for
    ever if one has ended before; Python's own handlers would wait for MPI."""
    main = threading.current_thread() is threading.main_thread()  # which alone may choose
    numbers = (signal.SIGINT, signal.SIGTERM) if main else ()
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


@functools.cache
def world() -> "Ranks":
    """All ranks that were started together. Raises InputError if mpi4py, or an MPI, is missing."""
    extra("mpi4py", "Working on several ranks")
    try:
        with ended_by_signals():
            from mpi4py import MPI
    except (ImportError, RuntimeError) as problem:  # mpi4py finds no library at import
        raise InputError(
            f"mpi4py is installed, but finds no MPI ({problem}). Install one: python -m pip "
            "install mpich; see docs/machines.md."
        ) from None
    return Ranks(MPI.COMM_WORLD)


class Ranks:
    """The ranks 0 … R − 1, seen by one of them. All of them must make the same calls in the same
    order."""

    patience = 60.0  # seconds without an answer from the others, after which one of them is lost

    def __init__(self, comm: Any):
        self.comm, self.rank, self.size = comm, comm.Get_rank(), comm.Get_size()

    def wait(
        self, start: Callable[..., Any], *arguments: Any, patience: float | None = None
    ) -> None:
        """Start what MPI is to do, and return when it is done. Raises RankLost if that takes too
        long, which MPI itself does not always tell, and if MPI tells it.

        Each look moves a large message on by a piece. So it looks without a pause; but with a
        `patience` of its own, what is awaited is small and may take long, and the core is left to
        others; so it is noticed late, but not by more than a tenth of the wait.
        """
        longest, began = patience or self.patience, time.monotonic()
        with telling_loss():
            started = start(*arguments)
        requests = started if isinstance(started, list) else [started]
        while not self.move_on(requests):
            waited = time.monotonic() - began
            if waited > longest:
                raise RankLost(
                    f"The other ranks have not answered for {longest:.0f} seconds: a process was "
                    f"stopped, or a connection is lost. {GO_ON}"
                )
            if waited > SPIN:
                time.sleep(min(0.01, waited / 10) if patience else 0)

    def move_on(self, begun: list) -> bool:
        """Move what was begun on by a piece; whether it is done."""
        with telling_loss():
            return not begun or type(begun[0]).Testall(begun)

    # -- bytes and arrays --------------------------------------------------------------------------

    def all_bytes(self, content: bytes, patience: float | None = None) -> list[bytes]:
        """What each rank passes, in the order of the ranks."""
        sizes = self.all_equal_in_size(np.array([len(content)]), patience)[:, 0]
        joined = np.empty(sizes.sum(), dtype=np.uint8)
        mine = np.frombuffer(content, np.uint8)
        self.wait(self.comm.Iallgatherv, mine, [joined, sizes.tolist()], patience=patience)
        ends = np.cumsum(sizes)
        return [joined[end - n : end].tobytes() for n, end in zip(sizes, ends)]

    def all_texts(self, text: str, patience: float | None = None) -> list[str]:
        """The same of texts, which may quote bytes of a command that are no UTF-8."""
        contents = self.all_bytes(text.encode("utf-8", "surrogatepass"), patience)
        return [content.decode("utf-8", "surrogatepass") for content in contents]

    def all_equal_in_size(self, array: np.ndarray, patience: float | None = None) -> np.ndarray:
        """(R, N): the arrays (N,) of all ranks, one a row."""
        found = np.empty((self.size, len(array)), dtype=array.dtype)
        self.wait(self.comm.Iallgather, np.ascontiguousarray(array), found, patience=patience)
        return found

    def joined(self, array: np.ndarray) -> np.ndarray:
        """The arrays of all ranks, one behind the other; they may differ in length."""
        return np.concatenate(
            [np.frombuffer(content, array.dtype) for content in self.all_bytes(array.tobytes())]
        )

    def from_first(self, content: bytes, patience: float | None = None) -> bytes:
        """What rank 0 passes; the others' content does not count."""
        return self.all_bytes(content if self.rank == 0 else b"", patience)[0]

    def copy_of_first(self, array: np.ndarray) -> None:
        """Let the array have on all ranks what it has on rank 0."""
        self.wait(self.comm.Ibcast, array, 0)

    def exchange(
        self, sent: Sequence[tuple[int, np.ndarray]], received: Sequence[tuple[int, np.ndarray]]
    ) -> None:
        """Send (to, array) and receive (from, array) all at once; between two ranks in this
        order. The arrays are the memory that is read and written, so nothing is copied."""
        self.finish(self.begin(sent, received))

    def begin(self, sent, received) -> list:
        """`exchange`, begun, so that something else can be computed meanwhile: `move_on` moves it
        on, and `finish` ends it."""
        with telling_loss():
            return [
                *(self.comm.Irecv(array, rank) for rank, array in received),
                *(self.comm.Isend(array, rank) for rank, array in sent),
            ]

    def finish(self, begun: list) -> None:
        self.wait(lambda: begun)

    def others(self) -> list[int]:
        """All ranks but this one, beginning behind it, so that not all send to the same one
        first."""
        return [(self.rank + n) % self.size for n in range(1, self.size)]

    def gather_parts(self, array: np.ndarray, parts: Sequence[Sequence[slice]]) -> None:
        """Let the array (P,) have on all ranks what rank r has in its slices `parts[r]`:
        all-gather."""
        mine, others = parts[self.rank], self.others()
        self.exchange(
            [(rank, array[part]) for rank in others for part in mine],
            [(rank, array[part]) for rank in others[::-1] for part in parts[rank]],
        )

    def collect_parts(self, array: np.ndarray, parts: Sequence[Sequence[slice]]) -> None:
        """The same for rank 0 alone."""
        if self.rank:
            self.exchange([(0, array[part]) for part in parts[self.rank]], [])
        else:
            self.exchange(
                [], [(rank, array[part]) for rank in self.others() for part in parts[rank]]
            )

    # -- together ----------------------------------------------------------------------------------

    def agree(self, function: Callable[[], Any], patience: float | None = None) -> Any:
        """function() on every rank, of which each may wait so long for the others. If it raises
        InputError or OSError anywhere, InputError on all of them, with the place."""
        result, said = None, ""
        try:
            result = function()
        except (InputError, OSError) as problem:
            said = str(problem) or type(problem).__name__
        told = self.all_texts(said, patience)
        if not any(told):
            return result
        if len({*told}) == 1:
            raise OnAllRanks(told[0])
        places = self.all_texts(self.place())
        rank = next(rank for rank, text in enumerate(told) if text)
        raise OnAllRanks(f"On {places[rank]}: {told[rank]}" if rank else told[0])

    def expect_same(self, what: str, value: str) -> None:
        """Raise InputError on all ranks unless each passes the same value."""
        values = self.all_texts(value)
        if len({*values}) > 1:
            places = self.all_texts(self.place())
            other = next(rank for rank, text in enumerate(values) if text != values[0])
            raise OnAllRanks(
                f"All ranks must have the same {what}: {places[0]} has {values[0]}, and "
                f"{places[other]} has {values[other]}."
            )

    def on_this_host(self) -> int:
        """How many of the ranks are on the same machine as this one, itself included."""
        host = socket.gethostname().encode()
        return self.all_bytes(host).count(host)

    def place(self) -> str:
        return f"rank {self.rank} ({socket.gethostname()})"

    def end_all(self, status: int) -> NoReturn:
        """End all ranks at once, whatever they are doing, with this status."""
        sys.stdout.flush()
        sys.stderr.flush()
        self.comm.Abort(status)
        # MPICH only tells mpiexec, which may be on a machine that is lost. Python's own end would
        # wait for the other ranks
        os._exit(status)
