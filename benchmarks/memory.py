"""Measure the peak memory of a training process: python benchmarks/memory.py

Each library trains for a few steps at base size with dropout 0.1, in a process of its own. The
figure is the proportional set size of that process and of all that it starts, summed, and the
largest sum met when looking every 20 ms: pages that processes share count once. It holds
everything, the interpreter and the library too. Linux only.
"""

import subprocess
import sys
from pathlib import Path

import command
import processes
import turns
from libraries import LIBRARIES, installed

CHILD = Path(__file__).with_name("memory_child.py")
SIDES, DROPOUT = ("ours", "PyTorch"), 0.1
NOTES = (
    "Peak of the proportional set size of the process and all that it starts; a ratio above 1 "
    "means that ours takes\nless. Imported: the peak of a process that imports the library and "
    "does nothing."
)
MEGABYTE = 1 << 20


def megabytes(kind, name):
    def text(row):
        return "not measured here" if row["not_measured"] else command.cell(row, kind, name, ".0f")

    return text


COLUMNS = {
    " size": lambda row: row["size"],
    "dropout": lambda row: row["dropout"],
    "steps": lambda row: row["steps"],
    **{f"{name}, MiB": megabytes("megabytes", name) for name in SIDES},
    **{f"{name} imported, MiB": megabytes("imported", name) for name in SIDES},
    "PyTorch / ours": lambda row: command.cell(row, "ratio", "PyTorch", ".2f"),
}


def arguments(argv):
    parser = command.parser(__doc__, seconds=None)
    parser.add_argument("--size", choices=("toy", "small", "base"))
    parser.add_argument("--steps", type=command.whole(1), default=5, help="default 5")
    options = command.parsed(parser, argv)
    options.size = options.size or ("toy" if options.quick else "base")
    return options


def rows(options):
    there, missing = installed(SIDES)
    row = {"size": options.size, "dropout": DROPOUT, "steps": options.steps, "megabytes": {},
           "imported": {}, "ratio": {}, "not_measured": not processes.memory_is_measured(),
           "not_installed": missing}  # fmt: skip
    if not row["not_measured"]:
        row["megabytes"] = {side: peak(side, options) / MEGABYTE for side in there}
        row["imported"] = {side: importing(LIBRARIES[side]) / MEGABYTE for side in there}
        row["ratio"] = turns.ratios(row["megabytes"])
    yield row


def peak(side, options):
    """Bytes of the training of that side."""
    child = [sys.executable, str(CHILD)]
    order = [*child, "config", options.size, str(DROPOUT)]
    config = subprocess.run(order, check=True, stdout=subprocess.PIPE, text=True).stdout
    return processes.peak_memory([*child, side, options.size, str(options.steps), config])


def importing(library):
    """Bytes of a process that imports it and does nothing."""
    return processes.peak_memory([sys.executable, "-c", f"import {library}"])


def main(argv=None):
    options = arguments(argv)
    return command.report(options, rows(options), COLUMNS, NOTES)


if __name__ == "__main__":
    sys.exit(main())
