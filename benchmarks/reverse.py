"""Time learning to reverse digits, from the start of the process to 99 % exact match: python
benchmarks/reverse.py

Each library has a process of its own, one after the other. The clock starts before the process
does, so importing counts, and stops when it says that of 1,000 held-out sequences 99 % come out
without a wrong token, which it looks at every 100 steps. All have the same model (D 64, H 4, F 256,
2+2 layers, as nn.Transformer has them), first weights, stream of batches, and Adam with warm-up.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import command
import turns
from libraries import installed

CHILD = Path(__file__).with_name("reverse_child.py")
SIDES = ("ours", "PyTorch")
NOTES = (
    "Seconds from before the process starts, and the step; a ratio above 1 means that ours was "
    "there first."
)


def seconds(name):
    def text(row):
        if row["seconds"].get(name) is not None:
            return f"{row['seconds'][name]:.1f}"
        gave_up = row["exact_match"].get(name)
        if gave_up is not None:
            return f"not there: {gave_up:.1%}"
        return command.cell(row, "seconds", name)

    return text


def step(name):
    return lambda row: command.cell(row, "steps", name, ".0f")


COLUMNS = {
    "  seed": lambda row: row["seed"],
    **{f"{name}, seconds": seconds(name) for name in SIDES},
    **{f"{name}, steps": step(name) for name in SIDES},
    "PyTorch / ours": lambda row: command.cell(row, "ratio", "PyTorch", ".2f"),
    "others": lambda row: command.others(row) if "others" in row else "",
}


def arguments(argv):
    parser = command.parser(__doc__, seconds=None)
    parser.add_argument("--seeds", nargs="+", type=command.whole(0), metavar="SEED")
    parser.add_argument(
        "--give-up", type=command.whole(1), metavar="STEPS", help="after these (default 8000)"
    )
    parser.add_argument(
        "--every", type=command.whole(1), default=100, metavar="STEPS", help="look (default 100)"
    )
    parser.add_argument(
        "--goal", type=command.share, default=0.99, help="the exact match to reach (default 0.99)"
    )
    parser.add_argument(
        "--fused-adam", action="store_true", help="PyTorch's Adam with fused=True, not its default"
    )
    options = command.parsed(parser, argv)
    options.seeds = options.seeds or ([0] if options.quick else [0, 1, 2])
    options.give_up = options.give_up or (20 if options.quick else 8000)
    return options


def learn(side, settings):
    """What the child said last, {"step", "loss", "exact_match"}, and "seconds" if it reached the
    goal, else None."""
    said, order = None, [sys.executable, str(CHILD), side, json.dumps(settings)]
    start = time.perf_counter()
    with subprocess.Popen(order, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            elapsed, said = time.perf_counter() - start, json.loads(line)
            if said["exact_match"] >= settings["goal"]:
                break
    if process.returncode or said is None:
        raise subprocess.CalledProcessError(process.returncode, f"reverse_child.py {side}")
    return {**said, "seconds": elapsed if said["exact_match"] >= settings["goal"] else None}


def rows(options):
    there, missing = installed(SIDES)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in options.seeds:
            weights = str(Path(folder) / f"{seed}.npz")
            subprocess.run([sys.executable, CHILD, "weights", weights, str(seed)], check=True)
            settings = {
                name: getattr(options, name) for name in ("give_up", "every", "goal", "fused_adam")
            }
            others = turns.Others()
            said = {
                side: learn(side, {**settings, "seed": seed, "weights": weights}) for side in there
            }
            found.append(said)
            yield {**row(seed, said), "others": others.cores(), "not_installed": missing}
    medians = {side: middle([said[side] for said in found]) for side in there}
    yield {**row("median", medians), "not_installed": missing}


def row(seed, said):
    """The row of {side: what it said}."""
    columns = {
        name: {side: of[name] for side, of in said.items()}
        for name in ("seconds", "exact_match", "loss")
    }
    reached = {side: s for side, s in columns["seconds"].items() if s is not None}
    steps = {side: of["step"] for side, of in said.items()}
    return {"seed": seed, **columns, "steps": steps, "ratio": turns.ratios(reached)}


def middle(said):
    """The medians over the seeds; one that gave up took longer than all others."""
    times = median(float("inf") if of["seconds"] is None else of["seconds"] for of in said)
    others = {name: median(of[name] for of in said) for name in ("step", "exact_match", "loss")}
    return {**others, "seconds": times if times < float("inf") else None}


def main(argv=None):
    options = arguments(argv)
    return command.report(options, rows(options), COLUMNS, NOTES)


if __name__ == "__main__":
    sys.exit(main())
