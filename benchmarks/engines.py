"""Time a training step on the cores of one machine, used in four ways, taking turns: python
benchmarks/engines.py [--sizes small base] [--ranks 2]

Forked processes, ranks of MPI, one rank that forks, which compute the same numbers in as many
shares; and one process whose matrix products take as many threads. Median milliseconds of a step,
of its parts, and the peak memory of the first process.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import workload

PHASES = ("compute", "clip", "update")
CHILD = Path(__file__).with_name("engines_child.py")


FORKS, RANKS, BOTH, THREADS = "forks", "ranks", "a rank that forks", "threads"


def start(size, cores, way):
    mpiexec = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:/usr/bin:/bin")
    launch = {RANKS: [mpiexec, "-n", str(cores)], BOTH: [mpiexec, "-n", "1"]}.get(way, [])
    shares, engine = 1 if way == THREADS else cores, "mpi" if launch else "processes"
    return subprocess.Popen(
        [*launch, sys.executable, str(CHILD), size, str(shares), engine], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": str(cores if way == THREADS else 1)},
    )  # fmt: skip


def answer(process, steps):
    process.stdin.write(f"{steps}\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sizes", nargs="+", choices=workload.SIZES, default=["small", "base"])
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print("| size | way | ms a step | compute | clip | update | forks' time / its | MB |")
    print("|---|---|---|---|---|---|---|---|")
    for size in options.sizes:
        steps = {"toy": 20, "small": 4}.get(size, 2)
        racing = {way: start(size, options.ranks, way) for way in (FORKS, RANKS, BOTH, THREADS)}
        for process in racing.values():
            answer(process, steps)
        found = {way: [] for way in racing}
        for _ in range(options.rounds):
            for way, process in racing.items():
                found[way].append(answer(process, steps))
        for process in racing.values():
            process.stdin.close()
            process.wait()
        whole = {
            way: [sum(a[phase] for phase in PHASES) for a in answers]
            for way, answers in found.items()
        }
        for way, answers in found.items():
            parts = [statistics.median(a[phase] for a in answers) for phase in PHASES]
            shown = [f"{1000 * x:.1f}" for x in (statistics.median(whole[way]), *parts)]
            speed = statistics.median(a / b for a, b in zip(whole[FORKS], whole[way]))
            cells = [size, way, *shown, f"{speed:.2f}", f"{answers[-1]['MB']:.0f}"]
            print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
