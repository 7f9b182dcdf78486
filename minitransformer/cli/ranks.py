"""A command on several ranks of MPI: all compute, one speaks."""

import contextlib
import functools
import os
import sys
import time

import numpy as np

from .. import __version__
from ..errors import InputError, NonFiniteError, typed
from ..parallel.mpi import OnAllRanks, RankLost, is_first, started_by_mpiexec, world
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
    errors = sys.stderr
    if not is_first():  # before it can be said that there is no MPI
        fall_silent()
    ranks = world()
    if ranks.rank:  # to the end of the program: rank 0 also says what the others raise
        fall_silent()
    try:
        yield ranks
    except (OnAllRanks, NonFiniteError, *raised_together):
        raise
    except BaseException as problem:
        # all others notice it, too
        if isinstance(problem, (RankLost, KeyboardInterrupt, SystemExit)):
            time.sleep(min(ranks.rank, 10) * 0.3)
        sys.stderr = errors
        print(file=errors)  # the progress bar's line
        complain(f"{ranks.place()}: {sentence(problem)}")
        time.sleep(0.2)  # MPI ends everything at once, also what has yet to be printed
        ranks.end_all(status_of(problem))


def fall_silent():
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")


def together(command):
    """The command, which answers and does not train, on all ranks that mpiexec has started:
    `options.jobs` are these then. All do the same, so what a user can put right is found by all,
    unless it is found inside `Ranks.agree`."""

    @functools.wraps(command)
    def on_every_rank(options):
        with on_all_ranks(None, (InputError,)) as ranks:
            if ranks:
                expect_alike(ranks)
                expect_cpu(options)
                if options.jobs:
                    raise OnAllRanks(
                        "Ranks of MPI work side by side without --jobs. Leave it out, and start "
                        f"as many ranks as you want: mpiexec -n {options.jobs * ranks.size}"
                    )
                options.jobs = ranks
            return command(options)

    return on_every_rank


def expect_alike(ranks):
    """Raise InputError on all ranks unless they run the same version and command."""
    ranks.expect_same("version", f"minitransformer {__version__}, NumPy {np.__version__}")
    ranks.expect_same("command", " ".join(map(typed, sys.argv[1:])))


def expect_cpu(options):
    """Raise InputError if a GPU is wanted."""
    wanted = ["--device gpu"] * (options.device == "gpu")
    wanted += ["--gpu-kernels"] * getattr(options, "gpu_kernels", False)
    if wanted:
        raise OnAllRanks(f"Ranks of MPI compute on CPUs. Leave out {' and '.join(wanted)}.")


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
