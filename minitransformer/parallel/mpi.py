"""Processes on one machine or many that MPI starts, and connects: `mpiexec -n 4 minitransformer …`.

Each of them, a rank, runs the same program. What they tell each other here are bytes and arrays,
never Python objects: nothing is unpickled.
"""

import functools
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ..errors import InputError
from ..terminal.extras import extra

# how many ranks there are, in the environment that mpiexec (or a cluster's srun) makes: MPICH and
# Intel MPI, Open MPI
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
RANKS = ("PMI_RANK", "OMPI_COMM_WORLD_RANK")  # and which of them this is
SPIN = 0.002  # seconds: a short wait keeps the core
GO_ON = "Go on from the last checkpoint with --resume RUN."


class RankLost(ChildProcessError):
    """The other ranks do not answer."""


class OnAllRanks(InputError):
    """An error that every rank raises at the same place."""


def started_by_mpiexec() -> bool:
    return any(os.environ.get(name, "1") != "1" for name in SIZES)


def is_first() -> bool:
    """Whether this is rank 0, or was started alone: known without an import of MPI."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


@functools.cache
def world() -> "Ranks":
    """All ranks that were started together. Raises InputError if mpi4py, or an MPI, is missing."""
    extra("mpi4py", "Training on several ranks")
    try:
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
        long, which MPI itself does not always tell, and if MPI tells it."""
        patience, began = patience or self.patience, time.monotonic()
        try:
            request = start(*arguments)
            while not request.Test():
                waited = time.monotonic() - began
                if waited > patience:
                    raise RankLost(
                        f"The other ranks have not answered for {patience:.0f} seconds: a process "
                        f"was stopped, or a connection is lost. {GO_ON}"
                    )
                if waited > SPIN:
                    time.sleep(0.0001 if waited < 1 else 0.01)
        except RuntimeError as problem:  # mpi4py's
            raise RankLost(f"MPI has lost the other ranks ({problem}). {GO_ON}") from None

    # -- bytes and arrays --------------------------------------------------------------------------

    def all_bytes(self, content: bytes, patience: float | None = None) -> list[bytes]:
        """What each rank passes, in the order of the ranks."""
        sizes = self.all_equal_in_size(np.array([len(content)]), patience)[:, 0]
        joined = np.empty(sizes.sum(), dtype=np.uint8)
        mine = np.frombuffer(content, np.uint8)
        self.wait(self.comm.Iallgatherv, mine, [joined, sizes.tolist()], patience=patience)
        ends = np.cumsum(sizes)
        return [joined[end - n : end].tobytes() for n, end in zip(sizes, ends)]

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

    def scatter_parts(
        self, array: np.ndarray | None, slices: Sequence[slice], present: Sequence[bool],
        into: np.ndarray,
    ) -> None:
        """Send slice r of the array (P,) to rank r, and receive from each rank that is `present`
        its slice of this rank: `into` (how many are present, N), in the order of the ranks. The
        array of a rank that is not present is None."""
        own = slices[self.rank]
        sizes = [s.stop - s.start for s in slices]
        starts = [s.start for s in slices]
        out = [0] * self.size if array is None else sizes
        back = [own.stop - own.start if there else 0 for there in present]
        mine = np.empty(0, into.dtype) if array is None else array
        offsets = np.cumsum([0, *back[:-1]]).tolist()
        self.wait(self.comm.Ialltoallv, [mine, (out, starts)], [into, (back, offsets)])

    def gather_parts(self, array: np.ndarray, slices: Sequence[slice]) -> None:
        """Let the array (P,) have on all ranks what rank r has in its slice r."""
        sizes = [s.stop - s.start for s in slices]
        mine = array[slices[self.rank]].copy()
        self.wait(self.comm.Iallgatherv, mine, [array, (sizes, [s.start for s in slices])])

    def collect_parts(self, array: np.ndarray, slices: Sequence[slice]) -> None:
        """The same for rank 0 alone."""
        sizes = [s.stop - s.start for s in slices]
        mine = array[slices[self.rank]].copy()
        into = [array, (sizes, [s.start for s in slices])] if self.rank == 0 else None
        self.wait(self.comm.Igatherv, mine, into, 0)

    # -- together ----------------------------------------------------------------------------------

    def agree(self, function: Callable[[], Any], patience: float | None = None) -> Any:
        """function() on every rank, of which each may wait so long for the others. If it raises
        InputError or OSError anywhere, InputError on all of them, with the place."""
        result, said = None, ""
        try:
            result = function()
        except (InputError, OSError) as problem:
            said = str(problem) or type(problem).__name__
        told = [text.decode() for text in self.all_bytes(said.encode(), patience)]
        if not any(told):
            return result
        if len({*told}) == 1:
            raise OnAllRanks(told[0])
        places = [text.decode() for text in self.all_bytes(self.place().encode())]
        rank = next(rank for rank, text in enumerate(told) if text)
        raise OnAllRanks(f"On {places[rank]}: {told[rank]}" if rank else told[0])

    def expect_same(self, what: str, value: str) -> None:
        """Raise InputError on all ranks unless each passes the same value."""
        values = [text.decode() for text in self.all_bytes(value.encode())]
        if len({*values}) > 1:
            places = [text.decode() for text in self.all_bytes(self.place().encode())]
            other = next(rank for rank, text in enumerate(values) if text != values[0])
            raise OnAllRanks(
                f"All ranks must have the same {what}: {places[0]} has {values[0]}, and "
                f"{places[other]} has {values[other]}."
            )

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
