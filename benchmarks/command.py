"""What the commands of this folder share: their options, their tables, their JSON files."""

import argparse
import json
import sys
from pathlib import Path

import card
import machine

REMEDIES = {
    "ours": "python -m pip install -e .",
    "PyTorch": 'pip install "minitransformer[parity]"',
    "JAX": "pip install jax",
    "Marian": "pip install transformers torch",
}
THREADS = "for each contestant, and as many cores (default 2)"


class Unequal(Exception):
    """The contestants do not compute the same, so their times cannot be compared."""


def whole(least):
    """A whole number of at least this, for argparse."""

    def number(text):
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"{text!r} should be a whole number of at least {least}"
            )
        return int(text)

    return number


def share(text):
    """A probability below 1, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} should be a number from 0 up to, not including, 1"
        )
    return value


def seconds_of(text):
    """More than none, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} should be a number of seconds above 0")
    return value


def new_file(text):
    """A path that can be written to, for argparse: better to know before everything is measured."""
    if not Path(text).parent.is_dir() or Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} should be a file in a folder that exists")
    return text


def parser(description, seconds=20.0, each="row"):
    """An ArgumentParser with the options that every part has; with seconds=None, without those of
    races."""
    made = argparse.ArgumentParser(description=description.split("\n\n")[0])
    made.add_argument("--threads", type=whole(1), default=2, help=THREADS)
    if seconds is not None:
        amount = made.add_mutually_exclusive_group()
        to_fill = f"for each {each} (default {seconds:g})"
        amount.add_argument("--seconds", type=seconds_of, default=seconds, help=to_fill)
        amount.add_argument(
            "--repeats", type=whole(1), help="timed calls of each, in place of --seconds"
        )
    made.add_argument(
        "--quick", action="store_true", help="a few seconds: to see that it runs, not to measure"
    )
    made.add_argument("--json", type=new_file, metavar="FILE", help="write all figures there")
    made.add_argument("--in-suite", action="store_true", help=argparse.SUPPRESS)
    return made


def parsed(made, argv):
    """The options; from here on this process has the threads and the cores that they name."""
    options = made.parse_args(argv)
    if options.quick and "repeats" in options and options.repeats is None:
        options.repeats = 2
    machine.settle(options.threads)
    return options


def no_card():
    """Why no GPU can be used; None if one can."""
    from minitransformer.backend.arrays import gpu_problem

    return gpu_problem()


def report(options, rows, columns, notes):
    """Print the rows as they come, and write them; the exit status. `columns` are {heading: row →
    text}."""
    device = getattr(options, "device", "cpu")
    if device == "gpu" and (problem := no_card()):
        print(problem, file=sys.stderr)
        return 2
    found, facts, gpu = [], machine.facts(), card.facts(device)
    if not options.in_suite:
        print(f"{machine.sentence(facts)}. {options.threads} threads, float32.\n")
        if gpu:
            print(f"{card.sentence(gpu)}.\n")
    print(line(columns), flush=True)
    print(line("-" * len(heading) for heading in columns), flush=True)
    try:
        for row in rows:
            found.append(row)
            print(line((cell(row) for cell in columns.values()), columns), flush=True)
    except Unequal as problem:
        print(f"Not timed: {problem}", file=sys.stderr)
        return 1
    missing = sorted({name for row in found for name in row.get("not_installed", ())})
    print(
        "", notes, *(f"{name} is not installed: {REMEDIES[name]}" for name in missing), sep="\n",
        flush=True,
    )
    if options.json:
        settings = {
            name: value for name, value in vars(options).items() if name not in ("json", "in_suite")
        }
        Path(options.json).write_text(
            json.dumps({"options": settings, "machine": facts, "card": gpu, "rows": found}) + "\n"
        )
    return 0


def line(cells, columns=()):
    """A row of a Markdown table that can be read as it stands: numbers to the right, each under its
    heading."""
    widths = [len(heading) for heading in columns]
    texts = [str(cell) for cell in cells]
    return (
        "| "
        + " | ".join(text.rjust(width) for text, width in zip(texts, widths or map(len, texts)))
        + " |"
    )


def cell(row, kind, name, form=".1f"):
    """What stands in the column of one contestant: its figure, or why there is none."""
    value = row[kind].get(name)
    if value is not None:
        return format(value, form)
    return "not installed" if name in row.get("not_installed", ()) else "–"


def race_columns(first, peers, unit="ms"):
    """The columns of a race: those of `first`, each one's time, the ratios, how often, and who else
    was there."""
    columns = dict(first)
    for name in ("ours", *peers):
        columns[f"{name:>7}, {unit}"] = lambda row, name=name: cell(row, "ms", name, ".2f")
    for name in peers:
        columns[f"{name} / ours"] = lambda row, name=name: cell(row, "ratio", name, ".2f")
    columns["calls"] = lambda row: row["calls"]
    columns["others"] = others
    return columns


def others(row):
    """How many cores other processes kept busy."""
    return "?" if row["others"] is None else format(row["others"], ".2f")


RACE_NOTES = (
    "Medians; a ratio above 1 means that ours is faster. Others: the cores that other processes "
    "kept busy meanwhile.\nWhere that is not near 0, all contestants waited for them too, and the "
    "row says little."
)
