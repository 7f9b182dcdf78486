"""Time a training step of our Transformer against PyTorch's, in the same run: python benchmarks/training_step.py

A step is forward, loss (label smoothing 0.1), backward and Adam, in float32 on the CPU. The opponent is nn.Transformer,
eager, with equal sizes, batch, masks, sinusoidal positions, embeddings × √D and an untied output map; ours has bias and
final norms as it has, and dropout at all its places. Both get the same number of threads and take turns. Before a size
is timed, both must give the same loss and gradients from the same weights.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time

SIZES = ("toy", "small", "base")


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=SIZES)
    parser.add_argument("--dropout", nargs="+", type=float, default=(0.0, 0.1), metavar="P")
    parser.add_argument("--threads", type=int, default=2, help="for both (default 2)")
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--seconds", type=float, default=20.0, help="for each row, at least 5 steps each (default 20)")
    amount.add_argument("--repeats", type=int, help="timed steps of each, in place of --seconds")
    parser.add_argument("--fused-adam", action="store_true", help="PyTorch's Adam with fused=True, not its default")
    parser.add_argument("--json", metavar="FILE", help="write all times there")
    options = parser.parse_args(argv)
    if options.repeats is not None and options.repeats < 1:
        parser.error("--repeats must be at least 1")
    if not all(0 <= p < 1 for p in options.dropout):
        parser.error("--dropout takes probabilities from 0 up to, not including, 1")
    if options.threads < 1:
        parser.error("--threads must be at least 1")
    return options


def busy_elsewhere():
    """CPU seconds that all other processes of this machine have used so far; None where the system does not say."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, *interrupts = (int(ticks) for ticks in file.readline().split()[1:9])
    except (OSError, ValueError):
        return None
    own = os.times()
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK") - own.user - own.system


def measured(contestants, size, dropout, options):
    """One row of the table, and all its times."""
    start, elsewhere = time.perf_counter(), busy_elsewhere()
    times = contestants.race(size, dropout, options.seconds, options.repeats, options.fused_adam)
    others = None if elsewhere is None else (busy_elsewhere() - elsewhere) / (time.perf_counter() - start)
    ours, theirs = ([1000 * t for t in times[name]] for name in ("ours", "theirs"))
    medians = {"ours_ms": statistics.median(ours), "theirs_ms": statistics.median(theirs)}
    ratio = medians["theirs_ms"] / medians["ours_ms"]
    row = {"size": size, "dropout": dropout, **medians, "ratio": ratio, "others": others}
    return {**row, "ours_all_ms": ours, "theirs_all_ms": theirs}


def line(row):
    others = "?" if row["others"] is None else f"{row['others']:.2f}"
    times = f"{row['ours_ms']:>9.1f} {row['theirs_ms']:>11.1f} {row['ratio']:>13.2f}"
    return f"{row['size']:<6} {row['dropout']:>8} {times} {len(row['ours_all_ms']):>12} {others:>8}"


def main(argv=None):
    options = arguments(argv)
    for library in ("OMP", "OPENBLAS", "MKL"):  # read once, when NumPy and PyTorch are imported
        os.environ[f"{library}_NUM_THREADS"] = str(options.threads)
    try:
        import torch
    except ImportError:
        print(
            'This benchmark compares with PyTorch, which is not installed: pip install "minitransformer[parity]"',
            file=sys.stderr,
        )
        return 2
    import contestants
    import numpy

    torch.set_num_threads(options.threads)
    versions = {"python": platform.python_version(), "numpy": numpy.__version__, "torch": torch.__version__}
    print(f"{options.threads} threads, float32,", ", ".join(f"{name} {version}" for name, version in versions.items()))
    print("size    dropout   ours ms   theirs ms   theirs/ours   steps each   others", flush=True)
    rows = []
    for size in options.sizes:
        try:
            contestants.check(size)
        except contestants.Unequal as problem:
            print(f"Not timed: at size {size}, the two models do not compute the same. {problem}", file=sys.stderr)
            return 1
        for dropout in options.dropout:
            rows.append(measured(contestants, size, dropout, options))
            print(line(rows[-1]), flush=True)
    print("Medians of the steps; a ratio above 1 means that ours is faster. Others: the cores that other processes")
    print("kept busy meanwhile. Where that is not near 0, both models waited for them too, and the row says little.")
    if options.json:
        settings = {"threads": options.threads, "fused_adam": options.fused_adam, **versions}
        with open(options.json, "w") as file:
            json.dump({**settings, "rows": rows}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
