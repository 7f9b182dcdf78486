"""Random command lines, most of them wrong: whatever is typed, a command ends with 0, 1 or 2,
without a traceback.

`command_lines` draws them. Run as a program, this file tries them in a folder of its own and counts
how they end:

    python tests/fuzz_commands.py SEED COUNT
"""

import collections
import contextlib
import io
import json
import os
import shlex
import signal
import sys
import tempfile
import time
import traceback

import numpy as np

from minitransformer.cli import main
from minitransformer.cli.parser import make_parser

SECONDS = 120  # for one command, on a busy machine
TINY = (
    "--d-model 8 --heads 2 --d-ff 8 --encoder-layers 1 --decoder-layers 1 --batch-size 2 "
    "--evaluate-count 2 --shares 1"
)
TRAIN = f"train copy --steps 2 --max-length 4 {TINY} --no-pictures"
RIGHT = [
    f"{TRAIN} --out new",
    (
        "train sort --model rnn --d-model 8 --steps 1 --batch-size 2 --evaluate-count 2 "
        "--no-pictures --out new"
    ),
    "train --resume run --steps 3 --no-pictures",
    "evaluate run --count 3 --split validation",
    "evaluate numbers-en-de --count 2 --json",
    "predict run '3 1 4' 27 --max-tokens 4",
    "translate run '3 1 4' --beam 2 --alpha 0.6",
    "translate numbers-en-de 'seventy-nine' --temperature 0.7 --top-k 3 --top-p 0.9 --seed 1",
    "translate run --file texts.txt",
    "translate run --beam 1",
    "plot run --text '3 1' --out pictures --layers 1 --heads 1,2",
    "explore run --text '3 1' 27 --weights float32 --out page.html",
    "export run model.safetensors",
    "compare run run --out page",
    "gradcheck Softmax --entries 1 --seed 3",
    "exercises softmax.backward",
    "lessons --list",
    "tasks",
    "grade texts.txt --seconds 5 --jobs 1",
]  # fmt: skip
ODD = [
    "", " ", "0", "-1", "1", "2", "3", "1.5", "-0.0", "1e-400", "1e400", "nan", "inf", "-inf",
    "9" * 25, "-" + "9" * 25, "9" * 5000, "0x10", "1_0", "½", "٣", "ü", "語", "😀", "\u200b",
    "\ufeff", "\u202e", "\udce9", "a" * 5000, "é" * 300, "\n", "\t\r", "nowhere/at/all", "/",
    "/dev/null", "/proc/self/mem", "..", ".", "-", "--", "---", "-x", "--=", "=", "%s", "%(prog)s",
    "{}", "$(x)", "*", "3 1 4", "<eos>", "<pad>", "None", "true", "run", "run/config.json",
    "run/checkpoints", "texts.txt", "notes.txt", "folder", "1,2", "0,1", ",", "1,,2",
    "numbers-en-de", "copy", "rnn", "toy", "gpu", "cpu", "Softmax", "'", '"', "a b c", "~", "C:\\x",
    "@texts.txt",
]  # fmt: skip


def command_lines(rng, count):
    """`count` lists of arguments: right command lines in which one to three things were changed.
    `rng` is a Generator.

    They are such that none takes long: a training makes a few steps, no study and no notebook is
    started, nothing is downloaded.
    """
    options = options_by_command()
    lines = []
    while len(lines) < count:
        line = shlex.split(RIGHT[rng.integers(len(RIGHT))])
        for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
            change = CHANGES[rng.integers(len(CHANGES))]
            change(rng, line, options.get(line[0] if line else "", ["--help"]))
        if is_short(line):
            lines.append(line)
    return lines


def options_by_command():
    """{command: the options that it knows}."""
    commands = next(
        action for action in make_parser()._actions if action.metavar == "COMMAND"
    ).choices
    return {name: sorted(parser._option_string_actions) for name, parser in commands.items()}


def odd(rng):
    return ODD[rng.integers(len(ODD))]


def place(rng, line):
    return rng.integers(len(line)) if line else 0


def replace(rng, line, options):
    line[place(rng, line) :][:1] = [odd(rng)]
    if line:
        line[place(rng, line)] = odd(rng)


def set_option(rng, line, options):
    line += [options[rng.integers(len(options))], odd(rng)]


def change_value(rng, line, options):
    given = [i for i, word in enumerate(line[:-1]) if word.startswith("--")]
    if given:
        line[given[rng.integers(len(given))] + 1] = odd(rng)


def insert(rng, line, options):
    line.insert(place(rng, line), odd(rng))


def delete(rng, line, options):
    del line[place(rng, line) : place(rng, line) + 1]


def double(rng, line, options):
    line.insert(place(rng, line), line[place(rng, line)] if line else "")


def misspell(rng, line, options):
    if line:
        i = place(rng, line)
        cut = rng.integers(len(line[i]) + 1)
        line[i] = line[i][:cut] + line[i][cut + 1 :]


def swap(rng, line, options):
    if line:
        i, j = place(rng, line), place(rng, line)
        line[i], line[j] = line[j], line[i]


CHANGES = [
    replace, set_option, set_option, change_value, change_value, insert, delete, double, misspell,
    swap,
]


def is_short(line):
    """Whether the command, if it is one, ends soon."""
    command = next((word for word in line if not word.startswith("-")), "")
    steps = [number(b) for a, b in zip(line, line[1:]) if a == "--steps"] + [
        number(w[8:]) for w in line if w.startswith("--steps=")
    ]
    if command == "train":
        return (
            bool(steps)
            and all(n is None or n <= 5 for n in steps)
            and not any("numbers-" in word or "owl" in word for word in line)
        )
    if command == "compare":
        return "run" in line
    if command == "gradcheck":
        return "Softmax" in line
    return command != "lessons" or "--list" in line


def number(text):
    try:
        return int(text)
    except ValueError:
        return None


# -- as a program ----------------------------------------------------------------------------------


class Hang(BaseException):
    """A command took too long."""


def alarm(*_):
    raise Hang


def outcome(line):
    """(status, standard error, what was raised beside SystemExit) of one command line, in this
    process."""
    out, err = io.StringIO(), io.StringIO()
    sys.stdin = io.StringIO("3 1\nx\n\n4")
    signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(line)
        raised = ""
    except BaseException:
        status, raised = None, traceback.format_exc()
    finally:
        signal.alarm(0)
    return status, err.getvalue(), raised


def is_fault(status, err, raised):
    """Whether a command ended as none should. What it says may have several lines (a table, a
    progress bar), no traceback."""
    return (
        bool(raised)
        or status not in (0, 1, 2)
        or "Traceback" in err
        or (status == 2 and not err.strip())
    )


def prepare():
    """A run, some texts and other files, in the folder where the commands are tried."""
    status, _, raised = outcome(shlex.split(f"{TRAIN} --out run"))
    assert status == 0, raised
    with open("texts.txt", "wb") as file:
        file.write("3 1 4\n\nünknown\n2\r\n".encode() + b"\xff\n7")
    with open("notes.txt", "w") as file:
        file.write("mine")
    os.mkdir("folder")


def try_all(seed, count):
    """({status: how many}, [(line, standard error, traceback)] of those that ended as none should,
    seconds of the slowest)."""
    found, faults, slowest = collections.Counter(), [], (0, None)
    for line in command_lines(np.random.default_rng(seed), count):
        began = time.monotonic()
        status, err, raised = outcome(line)
        slowest = max(slowest, (time.monotonic() - began, shlex.join(line)[:300]))
        found[str(status)] += 1
        if is_fault(status, err, raised):
            faults.append((line, err[-2000:], raised[-3000:]))
    return dict(found), faults, slowest


if __name__ == "__main__":
    with contextlib.suppress(ImportError):
        import resource

        # a number that is too large may not take the machine along
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    signal.signal(signal.SIGALRM, alarm)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepare()
        statuses, faults, slowest = try_all(int(sys.argv[1]), int(sys.argv[2]))
        os.chdir("/")
    print(json.dumps({"statuses": statuses, "slowest": slowest, "faults": faults}, indent=1))
    sys.exit(bool(faults))
