"""Time a training step in two shares by forked processes, and by ranks of MPI, taking turns: python
benchmarks/engines.py [--sizes small base] [--ranks 2]

Both compute the same numbers. Median milliseconds of a step, of its parts, and the peak memory of
the first process.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import workload

PHASES = ("compute", "clip", "update")
CHILD = Path(__file__).with_name("engines_child.py")


def start(size, ranks, engine):
    mpiexec = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:/usr/bin:/bin")
    launch = [mpiexec, "-n", str(ranks)] if engine == "mpi" else []
    return subprocess.Popen(
        [*launch, sys.executable, str(CHILD), size, str(ranks)], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )


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
    print("| size | engine | ms a step | compute | clip | update | forks / ranks | MB |")
    print("|---|---|---|---|---|---|---|---|")
    for size in options.sizes:
        steps = {"toy": 20, "small": 4}.get(size, 2)
        racing = {engine: start(size, options.ranks, engine) for engine in ("processes", "mpi")}
        for process in racing.values():
            answer(process, steps)
        found = {engine: [] for engine in racing}
        for _ in range(options.rounds):
            for engine, process in racing.items():
                found[engine].append(answer(process, steps))
        for process in racing.values():
            process.stdin.close()
            process.wait()
        whole = {
            engine: [sum(a[phase] for phase in PHASES) for a in answers]
            for engine, answers in found.items()
        }
        ratio = statistics.median(a / b for a, b in zip(whole["processes"], whole["mpi"]))
        for engine, answers in found.items():
            parts = [statistics.median(a[phase] for a in answers) for phase in PHASES]
            shown = [f"{1000 * x:.1f}" for x in (statistics.median(whole[engine]), *parts)]
            speed = f"{ratio:.2f}" if engine == "mpi" else ""
            cells = [size, engine, *shown, speed, f"{answers[-1]['MB']:.0f}"]
            print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
