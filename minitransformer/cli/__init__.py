"""The commands. `minitransformer COMMAND --help` explains each."""

import sys

from ..backend import chosen_device, use_tf32
from ..errors import InputError, NonFiniteError
from .parser import make_parser

SMALLER = "Take smaller batches (--batch-size, or --batch-tokens), fewer hypotheses (--beam), a smaller --preset, or the computer's memory in place of a GPU's (--device cpu)."


def main(arguments=None):
    """Run a command; return its exit status: 0, 1 for a failed run or check, 2 for input that cannot be used."""
    for stream in (sys.stdout, sys.stderr):  # a console that lacks a character (→, é) shows ? and goes on
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    options = make_parser().parse_args(arguments)
    try:
        if getattr(options, "tf32", False):
            choose_tf32(options.device)
        return options.command(options) or 0
    except InputError as problem:
        print(f"minitransformer: {problem}", file=sys.stderr)
        return 2
    except (NonFiniteError, ChildProcessError) as problem:
        print(f"minitransformer: {problem}", file=sys.stderr)
        return 1
    except MemoryError as problem:
        print(f"minitransformer: Out of memory ({problem or 'no more could be had'}). {SMALLER}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stdout = None
        return 0
    except OSError as problem:
        print(f"minitransformer: {problem.strerror or problem}: {problem.filename or 'while writing'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("minitransformer: interrupted.", file=sys.stderr)
        return 130


def choose_tf32(device):
    """Let products be made in TF32. Raises InputError on the CPU, which has no such thing."""
    if chosen_device(device) == "cpu":
        raise InputError("--tf32 is a way in which GPUs multiply; it goes with --device gpu.")
    use_tf32()
