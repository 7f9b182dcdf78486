"""Does it pay to send gradients while backward computes others? python benchmarks/overlapping.py
(Linux, root)

Two hosts with a core each, at several rates: median milliseconds of a step with everything sent at
the end, in buckets, and as the training chooses, taking turns.
"""

import json
import statistics
import sys
import time

import numpy as np
import scaling
import workload

from minitransformer.backend import keep_freed_memory
from minitransformer.data.batching import Batch
from minitransformer.layers import CrossEntropy
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.parallel.mpi import world
from minitransformer.training import Adam
from minitransformer.training.overlapped import Overlapped

CASES = [("small", None), ("base", None), ("base", 10), ("small", 1), ("base", 1)]
WAYS = {"at the end": 1e9, "in buckets": 0.0, "chosen": Overlapped.worthwhile}


def on_a_rank(size, rounds=7):
    keep_freed_memory()
    preset, changes, *_ = workload.SIZES[size]
    config = TransformerConfig.preset(preset, dropout=0.1, **changes)
    batch, ranks = Batch(*workload.batch_of(size, config.source_vocabulary)), world()
    strategies = {}
    for way, worthwhile in WAYS.items():
        model = Transformer(config, 0)
        strategies[way] = Overlapped(
            model, CrossEntropy(workload.LABEL_SMOOTHING, padding=0), Adam(model, workload.RATE),
            2, ranks, skip_padding=True,
        )  # fmt: skip
        strategies[way].worthwhile = worthwhile
        strategies[way].__enter__()
    found = {way: [] for way in WAYS}
    for _ in range(rounds + 2):
        for way, strategy in strategies.items():
            ranks.all_equal_in_size(np.zeros(1))
            began = time.perf_counter()
            strategy.compute(batch)
            strategy.clip(1.0)
            strategy.update()
            found[way].append(time.perf_counter() - began)
    if ranks.rank == 0:
        told = {way: statistics.median(seconds[2:]) for way, seconds in found.items()}
        print(json.dumps(told | {"buckets": len(strategies["chosen"].buckets)}), flush=True)


def main():
    print("| size | Gbit/s | at the end | in buckets | chosen | buckets chosen |")
    print("|---|---|---|---|---|---|")
    for size, rate in CASES:
        told = scaling.on_hosts(2, rate, size, script=__file__)
        cells = [size, rate or "any", *[f"{1000 * told[way]:.0f}" for way in WAYS], told["buckets"]]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    on_a_rank(sys.argv[1]) if sys.argv[1:] else main()
