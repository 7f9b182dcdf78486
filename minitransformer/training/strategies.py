"""How a batch is computed, chosen once.

    Plain          whole, in this process                                 training/loop.py
    Shares         in shares, one after the other: gradient accumulation  training/shares.py
    DataParallel   in shares, each in a process of its own                training/data_parallel.py
    Distributed    in shares, on the ranks of MPI: one machine or many    training/distributed.py
    Overlapped     the same, sending while others are computed            training/overlapped.py
    Replays        whole, on a GPU, as a recording that is replayed       gpu/replays.py

`Plain` says what a strategy is. Another one is one more class like these.
"""

import functools
from collections.abc import Callable
from typing import Annotated

from ..backend import on_host
from ..boundary import Count, OneOf, checked
from ..parallel.mpi import started_by_mpiexec, world
from ..parallel.processes import cores
from .data_parallel import DataParallel
from .loop import Plain
from .overlapped import Overlapped
from .shares import Shares

ENGINES = ("processes", "mpi")
Engine = Annotated[str, OneOf("engine", ENGINES)]


@checked
def in_shares(
    count: Count, skip_padding: bool = False, engine: Engine | None = None
) -> Callable[..., Plain]:
    """The strategy of `count` shares, as fast as this machine can: train(...,
    strategy=in_shares(2)).

    With the engine "mpi", and without a choice under mpiexec, the ranks share the work. With
    "processes", on Linux and with as many cores as shares, every share has a process of its own;
    otherwise, and on a GPU, they follow each other. One share is the plain step. The numbers depend
    on `count`, never on the engine or the machine.

    Raises InputError for less than one share, and for fewer shares than ranks.
    """
    if engine == "mpi" or engine is None and started_by_mpiexec():
        return functools.partial(
            Overlapped, count=count, ranks=world(), skip_padding=skip_padding
        )
    if count == 1:
        return functools.partial(Plain, skip_padding=skip_padding)

    def strategy(model, loss, optimizer):
        side_by_side = count <= cores() and on_host(optimizer.flat.data)
        return (DataParallel if side_by_side else Shares)(
            model, loss, optimizer, count, skip_padding
        )

    return strategy
