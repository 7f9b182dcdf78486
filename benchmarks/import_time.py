"""Time importing each library, in fresh processes: python benchmarks/import_time.py

The interpreter's own start is not in it; the files have been read from disk once before. The
libraries take turns.
"""

import sys
from statistics import median

import command
import turns
from libraries import LIBRARIES, installed, seconds_to_import

NOTES = "Medians; a ratio above 1 means that ours is imported faster."
COLUMNS = {
    "processes": lambda row: row["calls"],
    **{
        f"{name}, seconds": lambda row, name=name: command.cell(row, "seconds", name, ".3f")
        for name in LIBRARIES
    },
    **{
        f"{name} / ours": lambda row, name=name: command.cell(row, "ratio", name)
        for name in ("PyTorch", "JAX")
    },
}


def arguments(argv):
    parser = command.parser(__doc__, seconds=None)
    parser.add_argument(
        "--repeats", type=command.whole(1), default=5, help="processes for each (default 5)"
    )
    options = command.parsed(parser, argv)
    options.repeats = 1 if options.quick else options.repeats
    return options


def rows(options):
    there, missing = installed(LIBRARIES)
    times = {name: [] for name in there}
    for _ in range(options.repeats):
        for name in there:
            times[name].append(seconds_to_import(name))
    medians = {name: median(values) for name, values in times.items()}
    yield {"calls": options.repeats, "seconds": medians, "ratio": turns.ratios(medians),
           "all_seconds": times, "not_installed": missing}  # fmt: skip


def main(argv=None):
    options = arguments(argv)
    return command.report(options, rows(options), COLUMNS, NOTES)


if __name__ == "__main__":
    sys.exit(main())
