"""A command on several ranks of MPI: all compute, one speaks."""

import contextlib
import os
import sys
import time

from ..errors import InputError, NonFiniteError
from ..parallel.mpi import OnAllRanks, RankLost, started_by_mpiexec, world
from ..terminal.streams import complain


@contextlib.contextmanager
def on_all_ranks(engine, raised_together=()):
    """Inside, the command runs on all ranks that mpiexec has started: yields these `Ranks`; or
    None, for a command that was started alone.

    Only rank 0 prints. An error that is raised on all ranks ends the command as it always does; one
    that is not ends all ranks at once, with a sentence that says where it was.
    """
    if engine == "processes" or engine is None and not started_by_mpiexec():
        yield None
        return
    ranks = world()
    errors = sys.stderr
    if ranks.rank:  # to the end of the program: rank 0 also says what the others raise
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")
    try:
        yield ranks
    except (OnAllRanks, NonFiniteError, *raised_together):
        raise
    except BaseException as problem:
        if isinstance(problem, RankLost):  # all others notice it, too
            time.sleep(min(ranks.rank, 10) * 0.3)
        sys.stderr = errors
        print(file=errors)  # the progress bar's line
        complain(f"{ranks.place()}: {sentence(problem)}")
        time.sleep(0.2)  # MPI ends everything at once, also what has yet to be printed
        ranks.end_all(status_of(problem))


def sentence(problem):
    if isinstance(problem, (KeyboardInterrupt, SystemExit)):  # by a signal
        return "interrupted."
    if isinstance(problem, (InputError, ChildProcessError)):
        return problem
    if isinstance(problem, OSError) and problem.filename:
        return f"{problem.filename}: {problem.strerror}."
    return f"{type(problem).__name__}: {problem}."


def status_of(problem):
    if isinstance(problem, SystemExit) and isinstance(problem.code, int):
        return problem.code
    return {KeyboardInterrupt: 130, InputError: 2}.get(type(problem), 1)
