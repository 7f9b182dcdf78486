"""Everything that is tried with wrong input, drawn by a seed, in large numbers: `make fuzz`, a
quarter of an hour.

    python tests/fuzz.py [--seed 0] [--times 1] [PART …]

A part fails on a traceback, a hang, an aborted process, a silent wrong number, or a file that is
lost. The ordinary tests try a few of each. Parts: arrays (wrong arrays, gradients and options for
all components), config (edits of a run's config.json), facts (wrong facts in a checkpoint, signed
anew), kills (a training killed at random moments, and inside the write of config.json), commands
(random command lines), submissions (files that a student could hand in).
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boundary_table
import fuzz_grade
import fuzz_run
import numpy as np

from minitransformer.cli import main as minitransformer

TESTS = Path(__file__).resolve().parent


def arrays(seed, times):
    """All cases of the table, which no seed changes."""
    text, wrong = boundary_table.table()
    assert not wrong, "\n".join(wrong)
    return text


def a_run(folder):
    """A small trained run in this folder."""
    line = (
        f"train copy {fuzz_run.SMALL} --steps 3 --save-every 1 --evaluate-count 2 --no-pictures "
        f"--out {folder}/run"
    )
    assert minitransformer(line.split()) == 0
    return fuzz_run.Run.open(Path(folder) / "run")


def config(seed, times):
    with tempfile.TemporaryDirectory() as folder:
        return fuzz_run.trial_of_config(a_run(folder), np.random.default_rng(seed), 500 * times)


def facts(seed, times):
    with tempfile.TemporaryDirectory() as folder:
        file, place = a_run(folder).checkpoints()[-1], Path(folder) / "signed.safetensors"
        return fuzz_run.trial_of_facts(file, np.random.default_rng(seed), 350 * times, place)


def kills(seed, times):
    with tempfile.TemporaryDirectory() as folder:
        return fuzz_run.trial_of_kills(
            Path(folder) / "run", np.random.default_rng(seed), 200 * times
        )[0]


def commands(seed, times):
    line = [sys.executable, str(TESTS / "fuzz_commands.py"), str(seed), str(1000 * times)]
    done = subprocess.run(line, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


def submissions(seed, times):
    return fuzz_grade.run_all()


PARTS = {
    function.__name__: function
    for function in (arrays, config, facts, kills, commands, submissions)
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--times", type=int, default=1, help="so many times as many")
    options = parser.parse_args()
    if wrong := {*options.part} - {*PARTS}:
        parser.error(f"there is no part {', '.join(wrong)}; there are: {', '.join(PARTS)}")
    for name in options.part or PARTS:
        began = time.monotonic()
        print(f"{name}:", flush=True)
        result = PARTS[name](options.seed, options.times)
        print(
            (
                f"{'' if result is None else result}\n"
                f"{name}: no fault, {time.monotonic() - began:.0f} s\n"
            ),
            flush=True,
        )
