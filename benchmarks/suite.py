"""Measure everything, and print a table for each kind: python benchmarks/suite.py

Each kind is a command of its own beside this one, and runs in a process of its own, so that none
finds the memory, the threads or the libraries of another.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import command
import machine

FOLDER = Path(__file__).parent
PARTS = {  # name: (its command, what it is)
    "training": ("training_step.py", "A training step, against PyTorch"),
    "jax": ("training_step.py --peer JAX", "A training step, against JAX"),
    "text": ("text_step.py", "A training step of a language model, against PyTorch"),
    "forward": ("forward.py", "Forward alone"),
    "decoding": ("greedy_decoding.py", "Greedy decoding"),
    "reverse": ("reverse.py", "From the start to 99 % exact match on reverse"),
    "memory": ("memory.py", "Peak memory of a training"),
    "import": ("import_time.py", "Importing the library"),
    "growth": ("growth.py", "Growth with the length of sequences"),
}
# those that run for as long as they are told
RACES = ("training", "jax", "text", "forward", "decoding", "growth")


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    kinds = f"of {', '.join(PARTS)} (default: all)"
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="KIND", help=kinds)
    parser.add_argument(
        "--quick", action="store_true",
        help="a few seconds each: to see that it runs, not to measure",
    )
    parser.add_argument("--threads", type=command.whole(1), default=2, help=command.THREADS)
    parser.add_argument(
        "--seconds", type=command.seconds_of, help="for each row of a race, not its own default"
    )
    parser.add_argument(
        "--json", type=command.new_file, metavar="FILE", help="write all figures there"
    )
    return parser.parse_args(argv)


def run(name, options, folder):
    """(what the command of that kind wrote, its exit status)."""
    file = Path(folder) / f"{name}.json"
    command_of_part, *its_options = PARTS[name][0].split()
    order = [
        sys.executable, str(FOLDER / command_of_part), *its_options, "--in-suite", "--json",
        str(file),
    ]
    order += ["--threads", str(options.threads), *(["--quick"] if options.quick else [])]
    order += (
        ["--seconds", str(options.seconds)] if options.seconds is not None and name in RACES else []
    )
    status = subprocess.run(order).returncode
    return (json.loads(file.read_text()) if file.exists() else None), status


def main(argv=None):
    options = arguments(argv)
    facts = machine.facts()
    print(f"{machine.sentence(facts)}. {options.threads} threads, float32.", flush=True)
    parts, failed = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only or PARTS:
            print(f"\n## {PARTS[name][1]}\n", flush=True)
            found, status = run(name, options, folder)
            if found is None or status:
                failed.append(name)
            else:
                parts[name] = {"options": found["options"], "rows": found["rows"]}
    if options.json:
        settings = {"threads": options.threads, "quick": options.quick}
        Path(options.json).write_text(
            json.dumps({**settings, "machine": facts, "parts": parts}) + "\n"
        )
    if failed:
        print(f"Not measured: {', '.join(failed)}; what was wrong stands above.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
