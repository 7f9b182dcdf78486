"""The commands. `minitransformer COMMAND --help` explains each."""

import contextlib
import errno
import os
import sys

from ..data.registry import register_tasks_of_packages
from ..errors import InputError, NonFiniteError
from ..parallel.mpi import is_first, started_by_mpiexec
from ..terminal import interruption
from ..terminal.home import do_without_a_home
from ..terminal.interruption import KeyboardInterrupts
from ..terminal.streams import complain, drop_unwritten, open_closed_streams, write_utf8
from .asking import evaluate, predict, translate
from .commands import train
from .parser import make_parser

SMALLER = (
    "Use smaller batches (--batch-size, or --batch-tokens), fewer hypotheses (--beam), a smaller "
    "--preset, or the computer's memory in place of a GPU's (--device cpu)."
)
# errors that only writing can cause; the last: it is closed
NOT_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EBADF)


def main(arguments=None):
    """Run a command; return its exit status.

    0: done. 1: a run or a check failed, or something could not be written. 2: input that cannot be
    used. 130: Ctrl-C.
    """
    with KeyboardInterrupts():
        open_closed_streams()
        write_utf8()
        do_without_a_home()
        try:
            status = run(arguments)
            sys.stdout.flush()  # so that a full disk is noticed here, and not when Python ends
            return status
        except InputError as problem:
            return failed(2, problem)
        except (NonFiniteError, ChildProcessError) as problem:
            return failed(1, problem)
        except MemoryError as problem:
            return failed(1, f"Out of memory ({problem or 'no more was available'}). {SMALLER}")
        except BrokenPipeError:  # the reader of our output has closed it
            return 0
        except OSError as problem:
            return failed(1, sentence_about(problem))
        except KeyboardInterrupt:
            return failed(interruption.STATUS, "interrupted.")
        finally:
            drop_unwritten()


def run(arguments):
    """The exit status of the command that these arguments, or those of the program, ask for."""
    if (sys.argv[1:] if arguments is None else arguments)[:1] in (["train"], ["tasks"]):
        register_tasks_of_packages()  # their options and names are in the help
    # of several ranks, each runs this: one says what is wrong with an option
    speaks = contextlib.nullcontext() if is_first() else silence()
    try:
        with speaks:
            options = make_parser().parse_args(arguments)
    except SystemExit as end:  # after --help, or a sentence about an option
        return end.code
    if not is_first() and not is_shared(options.command):
        return 0  # rank 0 does it
    return options.command(options) or 0


def is_shared(command):
    """Whether several ranks work on this command together. To train, they may be told by
    --engine."""
    return command is train or command in (evaluate, predict, translate) and started_by_mpiexec()


@contextlib.contextmanager
def silence():
    """Inside, nothing is printed."""
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield


def failed(status, sentence):
    """Say why, and return the status."""
    complain(sentence)
    return status


def sentence_about(problem):
    """The message for an OSError while writing. (`errors.reading` handles errors of reading.)"""
    reason = "it is closed" if problem.errno == errno.EBADF else problem.strerror or str(problem)
    if problem.filename is not None:
        return f"{problem.filename} could not be written: {reason}."
    if problem.errno in NOT_WRITTEN:
        return f"The output could not be written: {reason}."
    return f"{reason}."
