"""How far does a training scale? A model of the time of a step, fitted and checked on this machine:
python benchmarks/scaling.py [--measure] [--picture FILE]

With --measure (Linux, root, ten minutes): measures, fits and checks the model, and writes
docs/scaling.json. Without: says what the file holds.
"""

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path

from minitransformer.training.overlapped import Overlapped

ROOT = Path(__file__).resolve().parents[1]
CHILD, MEASURED = Path(__file__).with_name("scaling_child.py"), ROOT / "docs/scaling.json"
sys.path.insert(0, str(ROOT / "tests"))
TOKENS = 25_000  # in a batch: of source, and as many of target (Vaswani et al. 2017, section 5.1)
GBIT = 1e9 / 8  # bytes a second
BUCKETS = Overlapped.several

# rows of a batch: the fit takes every second of them, the check the others
ALONE = {"small": (21, 42, 84, 168, 336), "base": (4, 8, 12, 24, 36), "big": (2, 4, 6)}
# of two hosts with a core each: size, rows, rate in Gbit/s; None: as fast as the cores can
TOGETHER = [
    ("small", 42, None), ("small", 42, 3), ("small", 42, 1), ("small", 42, 0.3), ("small", 168, 1),
    ("base", 12, None), ("base", 12, 3), ("base", 12, 1), ("base", 36, 1),
]  # fmt: skip
FITTED = [("base", 12, None), ("base", 12, 1)]  # of these
# exchanges alone: hosts, rate, parameters
EXCHANGES = [
    (2, 1, 6_000_000), (2, 1, 2_000_000), (4, 1, 6_000_000), (8, 1, 6_000_000), (2, 0.1, 2_000_000),
    (4, 0.1, 2_000_000), (8, 0.1, 2_000_000), (8, 0.3, 6_000_000),
]  # fmt: skip


# -- the model -------------------------------------------------------------------------------------


def exchange(fit, parameters, ranks, rate, messages=1):
    """Seconds of a reduce-scatter, or of an all-gather: each rank sends every other its slice."""
    bandwidth = min(rate * GBIT * fit["efficiency"], fit["copying"])
    sent = (ranks - 1) / ranks * 4 * parameters
    return (ranks - 1) * messages * fit["message"] + sent / bandwidth


def between(points, tokens):
    """Seconds of forward and backward: from measured [tokens, seconds] by straight lines, beyond
    the last point as many for each token as there."""
    points = [[0, max(0.0, extended(points[:2], 0))], *points]
    for pair in zip(points, points[1:]):
        if tokens <= pair[1][0]:
            return extended(pair, tokens)
    return points[-1][1] * tokens / points[-1][0]


def extended(pair, x):
    """y at x, on the straight line through two points."""
    (x0, y0), (x1, y1) = pair
    return y0 + (y1 - y0) / (x1 - x0) * (x - x0)


def step(fit, size, tokens, ranks, rate, machine="machine"):
    """Seconds of a step of `ranks` machines, on which a batch of `tokens` is split evenly; and of
    what it is made."""
    about = fit["sizes"][size]
    computing = between(about[machine], tokens / ranks)
    update = about["update"] * about["parameters"] / ranks
    whole = exchange(fit, about["parameters"], ranks, rate)
    if ranks == 1:
        return {"computing": computing, "update": update, "communication": 0.0}
    communication = 2 * whole
    if whole > Overlapped.worthwhile * computing:
        in_parts = exchange(fit, about["parameters"], ranks, rate, BUCKETS)
        hidden = min((BUCKETS - 1) / BUCKETS * in_parts, fit["overlap"] * computing)
        communication = 2 * in_parts - hidden
    agreeing = 6 * math.ceil(math.log2(ranks)) * fit["message"]  # batch, losses, norm
    return {
        "computing": computing, "update": update,
        "communication": communication + agreeing + fit["adding"] * about["parameters"],
    }


# -- what is measured ------------------------------------------------------------------------------


def environment(**more):
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **more}


def child(*words, prefix=(), script=CHILD, **more):
    done = subprocess.run(
        [*prefix, sys.executable, str(script), *map(str, words)], env=environment(**more),
        check=True, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    return json.loads(done.stdout)


def both_cores(*words):
    """The mean of two processes that run at the same time, as two hosts with a core each do."""
    order = [sys.executable, str(CHILD), *map(str, words)]
    pair = [
        subprocess.Popen(order, env=environment(), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [json.loads(process.communicate()[0]) for process in pair]
    return {name: (told[0][name] + told[1][name]) / 2 for name in told[0]}


def on_hosts(count, rate, *words, script=CHILD):
    from hosts import Hosts

    mpiexec = str(Path(sys.executable).with_name("mpiexec"))
    with Hosts(count) as hosts:
        if rate:
            hosts.slow_down(f"{rate:g}gbit")
        prefix = hosts.command(mpiexec, [])
        return child(*words, prefix=prefix, script=script, **hosts.environment())


def measure():
    """{"fit": what the model needs, "checks": [[what, measured, predicted]]}"""
    fit, checks, found = {"sizes": {}}, [], {}
    for size, rows in ALONE.items():
        about = fit["sizes"][size] = {}
        for machine, run in (("machine", child), ("core", both_cores)):
            if machine == "core" and size == "big":
                continue  # two of them need more memory than there is
            shares = 2 if machine == "machine" else 1
            told = [run(size, shares, n, 5) for n in rows]
            points = [[t["tokens"], t["gradients"]] for t in told]
            about[machine] = points[::2]
            checks += [
                [f"{size}, one {machine}, {tokens:.0f} tokens", seconds,
                 between(points[::2], tokens)]
                for tokens, seconds in points[1::2]
            ]  # fmt: skip
            about["parameters"] = told[0]["parameters"]
            if machine == "machine":  # half of the parameters by each of two forks
                about["update"] = told[-1]["update"] / (told[-1]["parameters"] / 2)
    for number, case in enumerate(EXCHANGES):
        count, rate, parameters = case
        told = on_hosts(count, rate, "exchange", parameters, 0, 15)
        found[case] = told
        if number == 0:
            ideal = parameters / count * (count - 1) * 4 / (rate * GBIT)
            fit["efficiency"] = ideal / told["all_gather"]
    free = on_hosts(2, None, "exchange", 60_000_000, 0, 7)
    fit["copying"] = 30_000_000 * 4 / free["all_gather"]
    fit["message"] = on_hosts(2, None, "exchange", 64, 0, 200)["all_gather"]
    checks += [
        [f"exchange, {count} hosts, {rate} Gbit/s, {parameters:,} numbers",
         found[count, rate, parameters]["all_gather"], exchange(fit, parameters, count, rate)]
        for count, rate, parameters in EXCHANGES[1:]
    ]  # fmt: skip
    cases = {case: on_hosts(2, case[2], case[0], 2, case[1], 5) for case in TOGETHER}
    fit |= {"adding": 0.0, "overlap": 0.0}
    for case in FITTED:
        told, known = cases[case], sum(predicted(fit, case, cases[case]).values())
        if case[2] is None:
            fit["adding"] = max(0.0, told["step"] - known) / told["parameters"]
        else:
            fit["overlap"] = max(0.0, known - told["step"]) / told["gradients"]
    for case, told in cases.items():
        if case not in FITTED:
            size, rows, rate = case
            name = f"{size}, two hosts, {told['tokens']:.0f} tokens, {rate or 'any'} Gbit/s"
            checks.append([name, told["step"], sum(predicted(fit, case, told).values())])
    return {"fit": fit, "checks": checks, "cases": [[*case, told] for case, told in cases.items()]}


def predicted(fit, case, told):
    size, _, rate = case
    return step(fit, size, told["tokens"], 2, rate or 1000, "core")


# -- what it says of machines that are not here ----------------------------------------------------

RATES = (1, 10, 100)  # Gbit/s
MACHINES = (1, 8, 64, 512)
EACH = TOKENS // 8  # tokens of a machine, where the batch grows with the machines


def speed_up(fit, size, ranks, rate, grows):
    """How many times as many tokens a second as on one machine with the same batch, or with its
    part of a batch that grows."""
    alone, tokens = (EACH, EACH * ranks) if grows else (TOKENS, TOKENS)
    time_of = [sum(step(fit, size, n, r, rate).values()) for n, r in ((alone, 1), (tokens, ranks))]
    return (tokens / time_of[1]) / (alone / time_of[0])


def best(fit, size, rate):
    """The number of machines, a power of two, at which a batch of TOKENS takes the least time, and
    the last one at which they do at least half of what they could."""
    powers = [2**n for n in range(10)]
    ups = [speed_up(fit, size, ranks, rate, False) for ranks in powers]
    half = max(r for r, up in zip(powers, ups) if up >= r / 2)
    return powers[ups.index(max(ups))], half


def print_plan(fit):
    print("\n| size | batch | Gbit/s |", *[f" {n} |" for n in MACHINES], " best | half |", sep="")
    print("|---|---|---|", "---|" * (len(MACHINES) + 2), sep="")
    for size in ("base", "big"):
        for grows in (False, True):
            for rate in RATES:
                ups = [speed_up(fit, size, n, rate, grows) for n in MACHINES]
                ends = ("", "") if grows else best(fit, size, rate)
                batch = f"{EACH:,} a machine" if grows else f"{TOKENS:,}"
                cells = [size, batch, rate, *[f"{up:.1f}" for up in ups], *ends]
                print(f"| {' | '.join(map(str, cells))} |")
    print("\n| size | machines | Gbit/s | computing | update | communication |")
    print("|---|---|---|---|---|---|")
    for size in ("base", "big"):
        for ranks in MACHINES:
            for rate in RATES[: 1 if ranks == 1 else None]:
                parts = step(fit, size, TOKENS, ranks, rate).values()
                print(f"| {size} | {ranks} | {rate} | {' | '.join(f'{x:.2f}' for x in parts)} |")


def draw(fit, path):
    from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

    from minitransformer.plotting.style import BLUE, FAINT, GREEN, HEADING, LABEL, ORANGE, Picture

    figure = Picture(figsize=(11, 9.4), layout="constrained")
    grid = figure.subplots(2, 2, sharex=True, sharey=True)
    powers = [2**n for n in range(10)]
    looks = {1: (ORANGE, "o", ":"), 10: (BLUE, "s", "--"), 100: (GREEN, "^", "-")}
    for row, size in zip(grid, ("base", "big")):
        for axes, grows in zip(row, (False, True)):
            axes.plot(powers, powers, color=FAINT, lw=1, label="as many times as machines")
            for rate, (colour, marker, style) in looks.items():
                ups = [speed_up(fit, size, n, rate, grows) for n in powers]
                axes.plot(
                    powers, ups, color=colour, marker=marker, ls=style, label=f"{rate} Gbit/s"
                )
            batch = f"{EACH:,} tokens a machine" if grows else f"{TOKENS:,} tokens in all"
            axes.set_title(f"{size}, a batch of {batch}", fontsize=HEADING)
            axes.set_xscale("log")
            axes.set_yscale("log")
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(FixedLocator(powers[::3] if axis is axes.yaxis else powers))
                axis.set_minor_locator(NullLocator())
                axis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
            axes.set_ylim(0.4, 700)
            axes.tick_params(labelsize=LABEL)
            axes.grid(alpha=0.3)
    for axes in grid[-1]:
        axes.set_xlabel("machines", fontsize=LABEL)
    for axes in grid[:, 0]:
        axes.set_ylabel("tokens a second, relative to one", fontsize=LABEL)
    grid[0, 0].legend(fontsize=LABEL, loc="upper left")
    figure.suptitle("How far it scales, by the model", fontsize=HEADING + 2)
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--picture", metavar="FILE")
    options = parser.parse_args()
    if options.measure:
        MEASURED.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
    told = json.loads(MEASURED.read_text(encoding="utf-8"))
    print("| measured | seconds | by the model | ratio |\n|---|---|---|---|")
    for name, seconds, model in told["checks"]:
        print(f"| {name} | {seconds:.3f} | {model:.3f} | {model / seconds:.2f} |")
    print_plan(told["fit"])
    if options.picture:
        draw(told["fit"], options.picture)


if __name__ == "__main__":
    main()
