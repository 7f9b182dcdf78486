"""A training in shares that makes as many steps as it is told, and says how long they took:
python benchmarks/engines_child.py SIZE SHARES ENGINE, alone or on ranks of MPI.

A line of standard input is a number of steps; rank 0 answers each with a line of JSON.
"""

import json
import resource
import sys
import time

import workload

from minitransformer.backend import keep_freed_memory
from minitransformer.data.batching import Batch
from minitransformer.layers import CrossEntropy
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.parallel.mpi import world
from minitransformer.training import Adam, in_shares

PHASES = ("compute", "clip", "update")


def main(size, count, engine):
    keep_freed_memory()
    preset, changes, *_ = workload.SIZES[size]
    config = TransformerConfig.preset(preset, dropout=0.1, **changes)
    model = Transformer(config, 0)
    optimizer = Adam(model, workload.RATE, *workload.BETAS, workload.EPSILON)
    batch = Batch(*workload.batch_of(size, config.source_vocabulary))
    ranks = world() if engine == "mpi" else None
    loss = CrossEntropy(workload.LABEL_SMOOTHING, padding=0)
    strategy = in_shares(int(count), skip_padding=True, engine=engine)(model, loss, optimizer)
    with strategy:
        while steps := wanted(ranks):
            seconds = dict.fromkeys(PHASES, 0.0)
            for _ in range(steps):
                for phase, function in zip(PHASES, (
                    lambda: strategy.compute(batch), lambda: strategy.clip(1.0), strategy.update,
                )):  # fmt: skip
                    began = time.perf_counter()
                    function()
                    seconds[phase] += time.perf_counter() - began
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # MB
            told = {name: value / steps for name, value in seconds.items()} | {"MB": peak}
            if ranks is None or ranks.rank == 0:
                print(json.dumps({**told, "parameters": optimizer.flat.data.size}), flush=True)


def wanted(ranks):
    """The number of steps in the next line; 0 at the end."""
    line = sys.stdin.readline() if ranks is None or ranks.rank == 0 else ""
    if ranks:
        line = ranks.from_first(line.encode(), patience=3600).decode()
    return int(line or 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
