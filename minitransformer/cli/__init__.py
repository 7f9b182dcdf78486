"""The commands. `minitransformer COMMAND --help` explains each."""

import errno
import sys

from .. import interruption
from ..backend import chosen_device, use_tf32
from ..errors import InputError, NonFiniteError
from ..interruption import KeyboardInterrupts
from ..streams import complain, drop_unwritten, open_closed_streams, write_utf8
from .parser import make_parser

SMALLER = "Take smaller batches (--batch-size, or --batch-tokens), fewer hypotheses (--beam), a smaller --preset, or the computer's memory in place of a GPU's (--device cpu)."
NOT_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EBADF)  # what only writing meets; the last: it is closed


def main(arguments=None):
    """Run a command; return its exit status.

    0: done. 1: a run or a check failed, or something could not be written. 2: input that cannot be used. 130: Ctrl-C.
    """
    with KeyboardInterrupts():
        open_closed_streams()
        write_utf8()
        try:
            status = run(arguments)
            sys.stdout.flush()  # a full disk is noticed here, and not while Python ends
            return status
        except InputError as problem:
            return failed(2, problem)
        except (NonFiniteError, ChildProcessError) as problem:
            return failed(1, problem)
        except MemoryError as problem:
            return failed(1, f"Out of memory ({problem or 'no more could be had'}). {SMALLER}")
        except BrokenPipeError:  # whoever read our output has seen enough
            return 0
        except OSError as problem:
            return failed(1, sentence_about(problem))
        except KeyboardInterrupt:
            return failed(interruption.STATUS, "interrupted.")
        finally:
            drop_unwritten()


def run(arguments):
    """The exit status of the command that these arguments, or those of the program, ask for."""
    try:
        options = make_parser().parse_args(arguments)
    except SystemExit as end:  # after --help, or a sentence about an option
        return end.code
    if getattr(options, "tf32", False):
        choose_tf32(options.device)
    return options.command(options) or 0


def failed(status, sentence):
    """Say why, and return the status."""
    complain(sentence)
    return status


def sentence_about(problem):
    """What an OSError says. What is read is looked after where it is read (`errors.reading`): this was to be written."""
    reason = "it is closed" if problem.errno == errno.EBADF else problem.strerror or str(problem)
    if problem.filename is not None:
        return f"{problem.filename} could not be written: {reason}."
    return f"The output could not be written: {reason}." if problem.errno in NOT_WRITTEN else f"{reason}."


def choose_tf32(device):
    """Let products be made in TF32. Raises InputError on the CPU, which has no such thing."""
    if chosen_device(device) == "cpu":
        raise InputError("--tf32 is a way in which GPUs multiply; it goes with --device gpu.")
    use_tf32()
