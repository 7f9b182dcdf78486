"""Time the parts of a training step, on one process or on ranks of MPI: python
benchmarks/scaling_child.py SIZE SHARES ROWS ROUNDS

Prints a line of JSON: medians in seconds. SIZE is one of ON_A_CARD in workload.py, ROWS the number
of sequences in a batch. With the SIZE "exchange", only all-gathers of SHARES numbers are timed.
"""

import json
import statistics
import sys
import time

import numpy as np
import workload

from minitransformer.backend import keep_freed_memory
from minitransformer.data.batching import Batch
from minitransformer.data.vocabulary import PAD
from minitransformer.layers import CrossEntropy
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.parallel.mpi import started_by_mpiexec, world
from minitransformer.training import Adam
from minitransformer.training.data_parallel import DataParallel
from minitransformer.training.overlapped import Overlapped
from minitransformer.training.shares import Shares


def exchange(numbers, rounds):
    ranks, array, found = world(), np.zeros(numbers, np.float32), []
    ends = [numbers * rank // ranks.size for rank in range(ranks.size + 1)]
    slices = [[slice(*both)] for both in zip(ends, ends[1:])]
    for _ in range(rounds + 2):
        ranks.all_equal_in_size(np.zeros(1))
        began = time.perf_counter()
        ranks.gather_parts(array, slices)
        found.append(time.perf_counter() - began)
    if ranks.rank == 0:
        print(json.dumps({"all_gather": statistics.median(found[2:])}), flush=True)


def main(size, shares, rows, rounds):
    if size == "exchange":
        return exchange(shares, rounds)
    keep_freed_memory()
    preset, changes, _, length = workload.ON_A_CARD[size]
    config = TransformerConfig.preset(preset, dropout=0.1, **changes)
    batch = Batch(*workload.batch_of_shape(rows, length, config.source_vocabulary, length // 2))
    model, loss = Transformer(config, 0), CrossEntropy(workload.LABEL_SMOOTHING, padding=PAD)
    optimizer = Adam(model, workload.RATE, *workload.BETAS, workload.EPSILON)
    ranks = world() if started_by_mpiexec() else None
    kind = Overlapped if ranks else DataParallel if shares > 1 else Shares
    more = {"ranks": ranks} if ranks else {}
    found = []
    with kind(model, loss, optimizer, shares, skip_padding=True, **more) as strategy:
        parts = timed(strategy)
        for _ in range(rounds + 2):  # the first makes arrays and connections, the second the others
            if ranks:
                ranks.all_equal_in_size(np.zeros(1))
            parts.clear()
            began = time.perf_counter()
            strategy.compute(batch)
            strategy.clip(1.0)
            strategy.update()
            found.append({**parts, "step": time.perf_counter() - began})
        buckets = len(strategy.buckets) if ranks else 1
    tokens = [int((ids != PAD).sum()) for ids in (batch.source, batch.target_out)]
    told = {name: statistics.median(f[name] for f in found[2:]) for name in found[2]}
    told |= {"tokens": sum(tokens) / 2, "parameters": optimizer.flat.data.size, "buckets": buckets}
    if ranks is None or ranks.rank == 0:
        print(json.dumps(told), flush=True)


def timed(strategy):
    """The dictionary into which the strategy's next steps write how long their parts took."""
    parts: dict = {}

    def time_of(owner, method, name):
        function = getattr(owner, method)

        def call(*arguments):
            began = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                parts[name] = parts.get(name, 0.0) + time.perf_counter() - began

        setattr(owner, method, call)

    time_of(strategy.optimizer, "update", "update")
    if hasattr(strategy, "ranks"):
        time_of(strategy, "sums_of", "gradients")
        time_of(strategy, "reduce_scatter", "reduce_scatter")
        time_of(strategy.ranks, "gather_parts", "all_gather")
    else:
        time_of(strategy, "compute", "gradients")
    return parts


if __name__ == "__main__":
    size, *numbers = sys.argv[1:]
    main(size, *map(int, numbers))
