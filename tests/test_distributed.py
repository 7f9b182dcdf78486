"""Ranks that share the work: the numbers are those of one process; whatever fails ends all ranks,
with a sentence; and the run goes on, on other ranks or none."""

import contextlib
import functools
import hashlib
import importlib.util
import itertools
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest
from common import accepted, refusal, run
from hosts import Hosts, why_not
from thread_ranks import Board, Threads, on_threads

from minitransformer.backend.updates import BLOCK
from minitransformer.cli import asking, main
from minitransformer.cli import ranks as cli_ranks
from minitransformer.cli.commands import resumed_run
from minitransformer.cli.lines import GROUP
from minitransformer.core import Module
from minitransformer.core.observe import observe
from minitransformer.core.parameter import Parameter
from minitransformer.data import Batch
from minitransformer.data.task import Task
from minitransformer.decoding import beam_search
from minitransformer.decoding.translation import answers
from minitransformer.errors import InputError, NonFiniteError
from minitransformer.layers import CrossEntropy, Linear
from minitransformer.models import LanguageModel, Transformer, TransformerConfig
from minitransformer.parallel.mpi import (
    RANKS,
    SIZES,
    OnAllRanks,
    RankLost,
    Ranks,
    is_first,
    started_by_mpiexec,
)
from minitransformer.parallel.processes import FORK_IS_SAFE
from minitransformer.runs import MODELS, Run, configure, find_model, make_config
from minitransformer.training import SGD, AdamW, overlapped, train
from minitransformer.training.data_parallel import DataParallel, slices_of
from minitransformer.training.distributed import Distributed, spans_within, sum_of_spans
from minitransformer.training.hooks import Interrupted, Save
from minitransformer.training.overlapped import Overlapped
from minitransformer.training.shares import Shares, in_halves

ROOT = Path(__file__).parents[1]
MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def why_no_mpi():
    """Why no ranks can be started here; "" if they can."""
    if not (MPIEXEC and importlib.util.find_spec("mpi4py")):
        return "no MPI here: python -m pip install mpi4py mpich"
    program = "from mpi4py import MPI; assert MPI.COMM_WORLD.size == 2"
    try:
        done = subprocess.run(
            [MPIEXEC, "-n", "2", sys.executable, "-c", program], capture_output=True, text=True,
            timeout=60,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "mpiexec starts no two ranks here within a minute"
    return "" if done.returncode == 0 else f"mpiexec fails here: {done.stderr[-300:]}"


needs_mpi = pytest.mark.skipif(bool(WHY := why_no_mpi()), reason=WHY or "MPI is here")


# -- ranks that are threads: the strategy without MPI ----------------------------------------------


def model_of(kind=Transformer, **changes):
    sizes = dict(
        source_vocabulary=17, target_vocabulary=17, d_model=96, heads=3, d_ff=192,
        encoder_layers=1, decoder_layers=1, dropout=0.2, max_length=16,
    )  # fmt: skip
    return kind(TransformerConfig(**{**sizes, **changes}), 3)


def batches(rows=7, source=True):
    rng = np.random.default_rng(0)

    def next_batch():
        ids = [rng.integers(4, 17, (rows, n)) for n in (6, 5, 5)]
        for row, end in enumerate(rng.integers(1, 5, rows)):
            ids[1][row, end:] = ids[2][row, end:] = 0
        return Batch(*ids) if source else Batch(None, *ids[1:])

    return next_batch


def trained(strategy, rows=7, kind=Transformer, steps=4, max_norm=0.5, **changes):
    """(parameters, moments, losses, norms) after some steps."""
    model, told = model_of(kind, **changes), []
    optimizer = AdamW(model, 3e-3)
    train(
        model, CrossEntropy(0.1, padding=0), optimizer,
        batches(rows, issubclass(kind, Transformer)), steps, max_norm,
        [lambda p: told.append((p.loss, p.gradient_norm))],
        lambda *a: strategy(*a, skip_padding=True),
    )  # fmt: skip
    return optimizer, told


@pytest.mark.parametrize("kind", [Transformer, LanguageModel])
@pytest.mark.parametrize("size, count", [(1, 1), (1, 3), (2, 2), (2, 5), (2, 6), (3, 4), (4, 7)])
def test_ranks_compute_the_numbers_of_one_process(size, count, kind):
    expected, told = trained(lambda *a, **o: Shares(*a, count, **o), kind=kind)
    assert expected.flat.data.size > 2 * BLOCK  # so that there are several slices

    def on_a_rank(ranks):
        optimizer, seen = trained(lambda *a, **o: Distributed(*a, count, ranks, **o), kind=kind)
        assert seen == told and optimizer.collect is None
        assert (optimizer.flat.data == expected.flat.data).all()
        return optimizer

    on_threads(size, on_a_rank)


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_a_batch_may_have_fewer_sequences_than_there_are_shares(rows):
    expected, told = trained(lambda *a, **o: Shares(*a, 6, **o), rows)

    def on_a_rank(ranks):
        optimizer, seen = trained(lambda *a, **o: Distributed(*a, 6, ranks, **o), rows)
        assert seen == told and (optimizer.flat.data == expected.flat.data).all()

    on_threads(2, on_a_rank)


@pytest.mark.parametrize("count", range(1, 20))
def test_neighbouring_ranks_add_up_what_the_sum_adds_up(count):
    """For every number of ranks: their spans are all shares in their order, as long as can be, and
    their sums give the sum of all to the last bit."""
    values = np.random.default_rng(count).normal(size=(count, 5)).astype(np.float32)
    whole = in_halves([*values])
    for size in range(1, count + 1):
        starts = np.linspace(0, count, size + 1).astype(int).tolist()
        spans = [spans_within(range(*ends), range(count)) for ends in zip(starts, starts[1:])]
        joined = sum(spans, [])
        assert [n for span in joined for n in span] == [*range(count)]
        sums = [in_halves([values[n] for n in span]) for span in joined]
        assert (sum_of_spans(joined, *sums) == whole).all()
        each = count // size
        if count == size * each and each & (each - 1) == 0:  # 1, 2, 4, 8 … shares for each rank
            assert [len(own) for own in spans] == [1] * size


def test_shares_are_added_up_in_pairs_of_neighbours():
    a, b, c, d, e, f = np.random.default_rng(0).normal(size=(6, 100)).astype(np.float32)
    assert (in_halves([a, b, c, d, e, f]) == ((a + b) + (c + d)) + (e + f)).all()
    assert (in_halves([a, b, c, d, e, f]) != a + b + c + d + e + f).any()


def test_a_rank_sends_its_shares_added_up():
    sizes = []

    class Counted(Threads):
        def begin(self, sent, received):
            sizes.append((self.rank, sum(array.size for _, array in sent)))
            return super().begin(sent, received)

    def on_a_rank(ranks):
        ranks.__class__ = Counted
        return trained(lambda *a, **o: Distributed(*a, 4, ranks, **o), steps=1)[0]

    size = on_threads(2, on_a_rank)[0].flat.data.size
    for rank in range(2):  # half of the gradients, of the parameters, and of the moments
        parts = [part.stop - part.start for part in slices_of(size, 2)]
        assert [n for r, n in sizes if r == rank] == [parts[1 - rank], *3 * [parts[rank]]]


@pytest.mark.skipif(not FORK_IS_SAFE, reason="processes cannot be forked here")
@pytest.mark.parametrize("rows", [7, 2])
def test_a_rank_computes_its_shares_in_processes_where_its_machine_has_the_cores(monkeypatch, rows):
    expected, told = trained(lambda *a, **o: Shares(*a, 3, **o), rows)
    monkeypatch.setattr("minitransformer.training.distributed.cores", lambda: 3)
    forks = []

    class Watched(Distributed):
        def compute(self, batch):
            forks.append(len(self.forks))
            return super().compute(batch)

    alone = Threads(Board(1), 0)
    optimizer, seen = trained(lambda *a, **o: Watched(*a, 3, alone, **o), rows)
    assert seen == told and (optimizer.flat.data == expected.flat.data).all()
    assert forks == [2] * 4 and not multiprocessing.active_children()


@pytest.mark.skipif(not FORK_IS_SAFE, reason="processes cannot be forked here")
def test_forks_of_a_rank_add_up_what_belongs_together(monkeypatch):
    """Of six shares on two ranks, the second rank has 3, and 4 + 5."""
    second = types.SimpleNamespace(
        rank=1, size=2, on_this_host=lambda: 1, gather_parts=lambda *arguments: None,
        expect_same=lambda *arguments: None,
    )
    for free in (1, 3):
        monkeypatch.setattr("minitransformer.training.distributed.cores", lambda free=free: free)
        model = model_of()
        strategy = Distributed(model, CrossEntropy(padding=0), AdamW(model), 6, second, True)
        with strategy:
            assert len(strategy.forks) == free - 1
            shares = strategy.shares_of(batches()())
            values, sums = strategy.sums_of(shares, [range(3, 4), range(4, 6)])
            found = [*zip(values, (grad.copy() for grad in sums))]
        model = model_of()
        alone = Shares(model, CrossEntropy(padding=0), AdamW(model), 6, True)
        for (value, grad), span in zip(found, (slice(3, 4), slice(4, 6)), strict=True):
            assert alone.one_by_one(shares[span]) == value
            assert (alone.optimizer.flat.grad == grad).all()


# -- gradients that are sent while backward goes on -----------------------------------------------


class Always(Overlapped):
    """Overlaps wherever it can, and counts the buckets that are sent before the end."""

    worthwhile = 0.0
    early = 0

    def reduce_scatter(self, sums):
        self.early += len(self.buckets) - len(self.waiting)
        super().reduce_scatter(sums)


@pytest.fixture
def small_blocks(monkeypatch):
    """So that the buckets of a small model have slices."""
    for module in ("data_parallel", "distributed", "optimizers"):
        monkeypatch.setattr(f"minitransformer.training.{module}.BLOCK", 64)


class Double(Transformer):
    """In float64, so that the order of a sum of squares shows."""

    def __init__(self, config, rng):
        super().__init__(config, rng)
        self.to("float64")


Double.__module__ = Transformer.__module__  # a component of the package, as far as one can see


@pytest.mark.parametrize(
    "changes", [{}, {"tie_embeddings": True}, {"norm": "pre"}, {"kind": Double}]
)
@pytest.mark.parametrize("size", [2, 3])
def test_what_is_sent_early_is_what_is_sent_late(small_blocks, size, changes):
    expected, told = trained(lambda *a, **o: Shares(*a, size, **o), **changes)

    def on_a_rank(ranks):
        used = []

        def strategy(*arguments, **options):
            used.append(Always(*arguments, size, ranks, **options))
            return used[0]

        optimizer, seen = trained(strategy, **changes)
        assert seen == told and (optimizer.flat.data == expected.flat.data).all()
        for name in optimizer.moments:  # which another training may cut in other slices
            assert (getattr(optimizer, name) == getattr(expected, name)).all()
        # of eight buckets in three steps, all but the last, where the embeddings are
        assert len(used[0].buckets) == 8 and used[0].early >= 3 * 6, used[0].early

    on_threads(size, on_a_rank)


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_every_model_may_overlap(small_blocks, kind):
    rows = np.random.default_rng(0).integers(4, 11, (3, 4, 5))
    early = []

    def trained_by(strategy):
        config = configure(kind, "tiny", source_vocabulary=11, target_vocabulary=11, max_length=8)
        model = find_model(kind).model(config, 0)
        optimizer, batch = AdamW(model, 3e-3), Batch(*rows)
        if isinstance(model, LanguageModel):  # also the two that are made from it
            batch = batch._replace(source=None)
        train(
            model, CrossEntropy(padding=0), optimizer, lambda: batch, 3, 0.5,
            strategy=lambda *a: strategy(*a, skip_padding=True), bar=False,
        )  # fmt: skip
        return optimizer.flat.data

    def on_a_rank(ranks):
        used = []

        def strategy(*arguments, **options):
            used.append(Always(*arguments, 2, ranks, **options))
            return used[0]

        data = trained_by(strategy)
        early.append(used[0].early)
        return data

    expected = trained_by(lambda *a, **o: Shares(*a, 2, **o))
    assert all((data == expected).all() for data in on_threads(2, on_a_rank))
    assert early[0] == early[1] > 0


def test_a_batch_of_fewer_sequences_than_ranks_is_sent_late(small_blocks):
    expected, told = trained(lambda *a, **o: Shares(*a, 3, **o), rows=2)

    def on_a_rank(ranks):
        optimizer, seen = trained(lambda *a, **o: Always(*a, 3, ranks, **o), rows=2)
        assert seen == told and (optimizer.flat.data == expected.flat.data).all()

    on_threads(3, on_a_rank)


def test_several_shares_of_a_rank_are_sent_late_whatever_the_first_batch_was(small_blocks):
    def trained_by(strategy):
        model, rows = model_of(), iter((1, 7, 7))
        optimizer = AdamW(model, 3e-3)
        train(
            model, CrossEntropy(0.1, padding=0), optimizer, lambda: batches(next(rows))(), 3,
            strategy=strategy, bar=False,
        )  # fmt: skip
        return optimizer.flat.data

    expected = trained_by(lambda *a: Shares(*a, 4))
    found = on_threads(2, lambda ranks: trained_by(lambda *a: Always(*a, 4, ranks)))
    assert all((data == expected).all() for data in found)


class Sometimes(Module):
    """Layers, of which the last is used or not, as the first number says: what one share needs,
    another leaves out."""

    def __init__(self, layers, features):
        self.layers, self.extra = layers, Linear(features, features, 5)

    def forward(self, x, mask, caches=None):
        used = x[0, 0, 0] > 0
        self.save(used)
        y = self.layers(x, mask, caches)
        return y + self.extra(y) if used else y

    def backward(self, d_y):
        if self.saved():
            d_y = d_y + self.extra.backward(d_y)
        return self.layers.backward(d_y)


class Listed(Sometimes):
    """Its parameters are in a list; they lie behind those of the layers, and are final after
    them."""

    def __init__(self, layers, features):
        self.layers, self.extra = layers, Linear(features, features, 5)
        self.tables = [Parameter.zeros(300, features) for _ in range(3)]

    def forward(self, x, mask, caches=None):
        self.save(None)
        return self.layers(x + sum(table.data[:1] for table in self.tables), mask, caches)

    def backward(self, d_y):
        self.saved()
        d_x = self.layers.backward(d_y)
        for table in self.tables:
            table.grad[:1] += d_x.sum(axis=(0, 1))
            table.grad[1:] += 0.25
        return d_x


class Twice(Sometimes):
    """Uses a component before the layers and behind them."""

    def forward(self, x, mask, caches=None):
        return self.extra(self.layers(self.extra(x), mask, caches))

    def backward(self, d_y):
        return self.extra.backward(self.layers.backward(self.extra.backward(d_y)))


for kind in (Sometimes, Listed, Twice):
    kind.__module__ = Transformer.__module__


class Eager(Shares):
    """Zeros are written before a share, not when somebody looks."""

    def compute_share(self, *share):
        self.optimizer.flat.zero_grad()
        self.optimizer.flat.grad.fill(0)
        with_zeros = self.optimizer.flat.zero_grad
        self.optimizer.flat.zero_grad = lambda: None
        try:
            return super().compute_share(*share)
        finally:
            self.optimizer.flat.zero_grad = with_zeros


WAYS = {
    "Shares": (1, 4, lambda ranks, *a: Shares(*a, 4)),
    "DataParallel": (1, 2, lambda ranks, *a: DataParallel(*a, 2)),
    "Distributed": (2, 4, lambda ranks, *a: Distributed(*a, 4, ranks)),
    "Overlapped": (2, 2, lambda ranks, *a: Always(*a, 2, ranks)),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_parameter_may_be_used_in_one_share_and_not_in_another(small_blocks, way):
    size, count, strategy = WAYS[way]
    if way == "DataParallel" and not FORK_IS_SAFE:
        pytest.skip("processes cannot be forked here")
    used = []

    def trained_by(strategy):
        model = model_of(LanguageModel, dropout=0.0)
        model.layers = Sometimes(model.layers, 96)
        optimizer, next_batch, told = AdamW(model, 3e-3), batches(8, source=False), []
        with observe(model, lambda path, *_: used.append(path)):
            train(
                model, CrossEntropy(0.1, padding=0), optimizer, next_batch, 5, 0.5,
                [lambda p: told.append((p.loss, p.gradient_norm))], strategy, bar=False,
            )  # fmt: skip
        return told, optimizer.flat.data.copy()

    told, expected = trained_by(lambda *a: Eager(*a, count))
    assert 0 < used.count("layers.extra") < 5 * count
    for seen, data in on_threads(
        size, lambda ranks: trained_by(lambda *a: strategy(ranks, *a))
    ):
        assert seen == told and (data == expected).all()


@pytest.mark.parametrize("layers", [Listed, Twice], ids=["in_a_list", "used_twice"])
def test_whatever_a_parameter_is_it_is_sent_when_it_is_final(small_blocks, layers):
    def trained_by(strategy):
        model = model_of(LanguageModel, dropout=0.0)
        model.layers = layers(model.layers, 96)
        optimizer = AdamW(model, 3e-3)
        train(
            model, CrossEntropy(0.1, padding=0), optimizer, batches(8, source=False), 3,
            strategy=strategy, bar=False,
        )  # fmt: skip
        return optimizer.flat.data.copy()

    expected = trained_by(lambda *a: Shares(*a, 2))
    for data in on_threads(2, lambda ranks: trained_by(lambda *a: Always(*a, 2, ranks))):
        assert (data == expected).all()


class Late(LanguageModel):
    """Adds to the gradients of a component after that has made its backward."""

    def backward(self, d_logits):
        super().backward(d_logits)
        for parameter in self.parameters()[-2:]:
            parameter.grad += 0.01


def test_gradients_of_components_that_are_not_of_the_package_are_sent_late(small_blocks):
    expected, told = trained(lambda *a, **o: Shares(*a, 2, **o), kind=Late)

    def on_a_rank(ranks):
        used = []

        def strategy(*arguments, **options):
            used.append(Always(*arguments, 2, ranks, **options))
            return used[0]

        optimizer, seen = trained(strategy, kind=Late)
        assert seen == told and (optimizer.flat.data == expected.flat.data).all()
        assert len(used[0].buckets) == 1

    on_threads(2, on_a_rank)


class Decided(Exception):
    pass


def decided(sums):
    raise Decided


@pytest.mark.parametrize(
    "count, computing, buckets",
    [(2, [1, 2], 8), (2, [8, 8], 1), (2, [1, 8], 1), (2, [8, 1], 1), (3, [1, 1], 1)],
)
def test_whether_it_pays_is_measured_and_the_same_on_all_ranks(
    monkeypatch, small_blocks, count, computing, buckets
):
    clocks = threading.local()  # of each rank; an exchange takes one second
    clock = types.SimpleNamespace(perf_counter=lambda: next(clocks.times))
    monkeypatch.setattr(overlapped, "time", clock)

    def on_a_rank(ranks):
        clocks.times = iter([0, computing[ranks.rank], 0, 0, 1])
        model = model_of()
        strategy = Overlapped(model, CrossEntropy(padding=0), AdamW(model), count, ranks)
        strategy.reduce_scatter = decided  # which needs that all agree
        with contextlib.suppress(Decided), strategy:
            strategy.compute(batches()())
        return len(strategy.buckets)

    assert on_threads(2, on_a_rank) == [buckets] * 2


@pytest.mark.parametrize("error, moments", [(None, 2), (ValueError, 0)])
def test_a_rank_that_fails_sends_no_moments(error, moments):
    sent = []
    rank = types.SimpleNamespace(
        rank=0, size=2, on_this_host=lambda: 1, gather_parts=lambda *both: sent.append(both),
        expect_same=lambda *arguments: None,
    )
    model = model_of()
    with contextlib.suppress(ValueError):
        with Distributed(model, CrossEntropy(padding=0), AdamW(model), 2, rank):
            if error:
                raise error
    assert len(sent) == moments


def test_a_checkpoint_has_the_moments_of_all_ranks():
    expected = trained(lambda *a, **o: Shares(*a, 3, **o))[0].state_dict()

    def on_a_rank(ranks):
        states = []

        class Saved(Distributed):
            def update(self):
                super().update()
                states.append(self.optimizer.state_dict())

        trained(lambda *a, **o: Saved(*a, 3, ranks, **o))
        return states[-1]

    first, *others = on_threads(3, on_a_rank)
    assert all((first[name] == expected[name]).all() for name in expected)
    for other in others:  # the other ranks keep what they need
        assert not any((other[name] == expected[name]).all() for name in expected)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_batch_of_fewer_sequences_than_ranks_is_computed_all_the_same(rows):
    _, told = trained(lambda *a, **o: Shares(*a, 4, **o), rows)
    for seen in on_threads(
        4, lambda ranks: trained(lambda *a, **o: Distributed(*a, 4, ranks, **o), rows)[1]
    ):
        assert seen == told


def test_clipping_is_that_of_the_whole_gradient_even_where_squares_overflow():
    for max_norm in (1e-3, 1e3, None):
        _, told = trained(lambda *a, **o: Shares(*a, 2, **o), max_norm=max_norm)
        for _, seen in on_threads(
            2, lambda ranks, m=max_norm: trained(
                lambda *a, **o: Distributed(*a, 2, ranks, **o), max_norm=m)
        ):  # fmt: skip
            assert seen == told

    def norm_of(ranks):
        optimizer = AdamW(model_of(), 1e-3)
        strategy = Distributed(optimizer.model, CrossEntropy(), optimizer, 2, ranks)
        with strategy, np.errstate(over="ignore"):
            optimizer.flat.grad[...] = 1e30
            return strategy.clip(1.0), optimizer.flat.grad[strategy.mine[0]].max()

    count = AdamW(model_of(), 1e-3).flat.data.size
    for norm, largest in on_threads(2, norm_of):
        assert norm == pytest.approx(1e30 * count**0.5) and largest == pytest.approx(count**-0.5)


def test_a_gradient_that_is_not_finite_is_noticed_on_all_ranks():
    def on_a_rank(ranks):
        model, draw = model_of(), batches()

        def next_batch():  # after the ranks have compared their parameters
            if ranks.rank == 1:
                model.parameters()[3].data[0] = np.nan
            return draw()

        optimizer = AdamW(model, 1e-3)
        with pytest.raises(NonFiniteError):
            train(
                model, CrossEntropy(padding=0), optimizer, next_batch, 3,
                strategy=lambda *a: Distributed(*a, 2, ranks),
            )
        return optimizer.t

    assert on_threads(2, on_a_rank) == [0, 0]


def test_ranks_with_different_batches_are_told_so_at_once():
    def on_a_rank(ranks):
        model, draw = model_of(), batches()

        def next_batch():
            batch = draw()
            batch.target_in[0, 0] += ranks.rank
            return batch

        try:
            train(
                model, CrossEntropy(padding=0), AdamW(model, 1e-3), next_batch, 3,
                strategy=lambda *a: Distributed(*a, 2, ranks),
            )
        except OnAllRanks as problem:
            return str(problem)

    for said in on_threads(2, on_a_rank):
        assert said and "different batches" in said


def test_more_ranks_than_shares_are_refused():
    model = model_of()
    message = refusal(
        Distributed, model, CrossEntropy(), AdamW(model, 1e-3), 2, Threads(Board(3), 0)
    )
    assert "--shares 3" in message and "mpiexec -n 2" in message


@pytest.mark.parametrize("where, said", [
    ((), None), ((0,), "nothing there"), ((1,), r"On rank 1 \(.+\): nothing there"),
    ((0, 1, 2), "nothing there"),
])  # fmt: skip
def test_what_one_rank_cannot_do_all_ranks_hear_of(where, said):
    def on_a_rank(ranks):
        def function():
            if ranks.rank in where:
                raise InputError("nothing there")
            return ranks.rank

        try:
            return ranks.agree(function)
        except OnAllRanks as problem:
            return str(problem)

    for rank, found in enumerate(on_threads(3, on_a_rank)):
        assert re.fullmatch(said, found) if said else found == rank


def test_ranks_must_have_the_same_version():
    def on_a_rank(value):
        def function(ranks):
            try:
                ranks.expect_same("version", value(ranks.rank))
            except OnAllRanks as problem:
                return str(problem)

        return function

    assert on_threads(3, on_a_rank(lambda rank: "1.0")) == [None] * 3
    for said in on_threads(3, on_a_rank(lambda rank: f"1.{rank // 2}")):
        pattern = r"same version: rank 0 \(.+\) has 1\.0, and rank 2 \(.+\) has 1\.1"
        assert said and re.search(pattern, said)


class Request:
    """What MPI gives for work that it has begun, and of which it says the same whenever asked."""

    def __init__(self, answer):
        self.answer = answer

    @staticmethod
    def Testall(requests):
        (answer,) = (request.answer for request in requests)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_rank_that_is_asked_to_stop_while_they_compare_stops_with_all_at_the_next_step():
    """Else it would end alone, and the others wait for it."""

    class Asking:
        """The other ranks were not asked; this one is, while it hears that."""

        def all_equal_in_size(self, array):
            save.ask(signal.SIGTERM)
            return np.array([array[:], [0]])

    run = types.SimpleNamespace(
        options=types.SimpleNamespace(save_every=100), last_step=9, save=lambda: saved.append(1)
    )
    saved, save = [], Save(run, Asking())
    save(types.SimpleNamespace(step=1))
    assert not saved and save.asked_to_stop == signal.SIGTERM
    with pytest.raises(Interrupted):
        save(types.SimpleNamespace(step=2))
    assert saved


@pytest.mark.parametrize("what, sentence", [
    ("seed", "same parameters and moments at the start, from one seed or one checkpoint"),
    ("moment", "same parameters and moments at the start"),
    ("beta", r"same optimizer: rank 0 .+ has AdamW \(.*beta2 0.98.+ has AdamW \(.*beta2 0.9,"),
    ("t", r"same optimizer: .+t 0.+t 3"),
    ("kind", r"same optimizer: .+ has AdamW \(.+ has SGD \("),
    ("rate", r"different learning rates in step 1: 0.001, 0.002\. Let all"),
    ("schedule", "different learning rates in step 3: 0.001, 0.003"),
])  # fmt: skip
def test_ranks_that_are_not_alike_are_told_so(what, sentence):
    def on_a_rank(ranks):
        other = ranks.rank == 1
        model = model_of()
        if what == "seed" and other:
            model.parameters()[5].data[0] += 0.5
        rate = 2e-3 if what == "rate" and other else 1e-3
        optimizer = AdamW(model, rate, beta2=0.9 if what == "beta" and other else 0.98)
        if what == "kind" and other:
            optimizer = SGD(model, 1e-3)
            optimizer.moments, optimizer.velocity = (), None
        elif what == "kind":
            optimizer.moments = ()
        if what == "moment" and other:
            optimizer.second_moment[-1] = 1.0
        if what == "t" and other:
            optimizer.t = 3
        if what == "schedule":
            optimizer.learning_rate = lambda t: t * 1e-3 if other and t > 2 else 1e-3
        train(
            model, CrossEntropy(padding=0), optimizer, batches(), 5, bar=False,
            strategy=lambda *a, **o: Distributed(*a, 2, ranks, **o),
        )  # fmt: skip

    with pytest.raises(OnAllRanks, match=sentence):
        on_threads(2, on_a_rank)


def test_a_run_that_cannot_be_resumed_by_so_many_ranks_stays_as_it_is(tmp_path):
    folder = tmp_path / "run"
    main([*"train copy --steps 4 --save-every 2 --no-pictures --out".split(), str(folder)])
    before = sorted(path for path in folder.rglob("*"))
    options = types.SimpleNamespace(
        resume=folder / "checkpoints/step-00000002.safetensors", preset=None, out=None, task=None,
        model=None,
    )  # fmt: skip
    with pytest.raises(OnAllRanks, match="5 ranks were started, and a batch has 2 shares"):
        resumed_run(options, 5)
    assert sorted(path for path in folder.rglob("*")) == before


@pytest.mark.parametrize("change", ["model", "texts", "max_tokens", "batch_size", "search"])
def test_ranks_that_ask_for_other_answers_are_told_so(change):
    ids = [np.array([4, 5, 6]), np.array([7, 8])]

    def on_a_rank(ranks):
        other, model = ranks.rank == 1, model_of()
        if change == "model" and other:
            model.parameters()[3].data[0] += 1
        answers(
            model, ids[::-1] if change == "texts" and other else ids,
            functools.partial(beam_search, beam=3 if change == "search" and other else 2),
            7 if change == "max_tokens" and other else 6, 3 if change == "batch_size" and other
            else 2, jobs=ranks,
        )  # fmt: skip

    with pytest.raises(OnAllRanks, match="same model, texts and options of a call"):
        on_threads(2, on_a_rank)


ALONE = types.SimpleNamespace(Get_rank=lambda: 0, Get_size=lambda: 1)  # a communicator


def test_an_answer_that_does_not_come_is_an_error():
    rank, began = Ranks(ALONE), time.monotonic()
    with pytest.raises(RankLost, match="not answered for 0 seconds: a process was stopped"):
        rank.wait(Request, False, patience=0.01)
    assert time.monotonic() - began < 5
    rank.wait(Request, True)


@pytest.mark.parametrize("there_after", [0.004, 0.05, 5.0])
def test_what_takes_long_is_noticed_soon_and_leaves_the_core_to_others(there_after, monkeypatch):
    now, looks = [0.0], []

    def sleep(seconds):
        now[0] += seconds

    class AfterSomeTime(Request):
        @staticmethod
        def Testall(requests):
            looks.append(1)
            now[0] += 1e-5  # what a look takes
            return now[0] > there_after

    clock = types.SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    monkeypatch.setattr("minitransformer.parallel.mpi.time", clock)
    Ranks(ALONE).wait(AfterSomeTime, None, patience=60.0)
    assert now[0] < 1.12 * there_after and len(looks) < 1000


def test_what_mpi_says_is_an_error_with_a_remedy():
    def refused():
        raise RuntimeError("Unreachable")

    for start, *arguments in ((Request, RuntimeError("Unreachable")), (refused,)):
        with pytest.raises((RankLost, RuntimeError)) as found:
            Ranks(ALONE).wait(start, *arguments)
        assert found.type is RankLost
        assert re.search(r"lost the other ranks \(Unreachable\)\. .+ --resume", str(found.value))


def test_a_rank_ends_even_if_mpi_only_passes_the_message_on():
    program = (
        "import sys; from minitransformer.parallel.mpi import Ranks\n"
        "class Comm:\n"
        "    def Get_rank(self): return 0\n"
        "    def Get_size(self): return 2\n"
        "    def Abort(self, status): print('aborted', status)\n"
        "try: Ranks(Comm()).end_all(3)\n"
        "finally: print('still here')"
    )
    done = subprocess.run(
        [sys.executable, "-u", "-c", program], env=environment(ROOT), capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (3, "aborted 3\n"), done.stderr


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("problem, status, said", [
    (ValueError("planted"), 1, "ValueError: planted."),
    (InputError("not so"), 2, "not so"),
    (RankLost("no answer"), 1, "no answer"),
    (OSError(28, "No space left", "a/b"), 1, "a/b: No space left."),
    (KeyboardInterrupt(), 130, "interrupted."),
    (SystemExit(143), 143, "interrupted."),
    (OnAllRanks("all"), None, ""), (NonFiniteError("all"), None, ""),
    (ZeroDivisionError("all"), None, ""),
])  # fmt: skip
def test_one_rank_says_what_ends_all(monkeypatch, capsys, rank, problem, status, said):
    ranks, ended = Threads(Board(2), rank), []
    ranks.end_all = ended.append
    monkeypatch.setattr(cli_ranks, "world", lambda: ranks)
    monkeypatch.setenv("PMI_SIZE", "2")
    raised, slept = None, []
    monkeypatch.setattr(cli_ranks.time, "sleep", slept.append)
    with monkeypatch.context() as patch:
        for name in ("stdout", "stderr"):
            patch.setattr(sys, name, getattr(sys, name))  # so that they are put back
        try:
            with cli_ranks.on_all_ranks(None, (ZeroDivisionError,)):
                print("one speaks")
                print("one complains", file=sys.stderr)
                raise problem
        except BaseException as found:
            raised = found
    out, err = capsys.readouterr()
    assert raised is (problem if status is None else None)
    assert out == ("" if rank else "one speaks\n")
    assert ("complains" in err) == (rank == 0)
    assert ended == ([] if status is None else [status])
    expected = f"minitransformer: {ranks.place()}: {said}" if said else ""
    assert err.replace("one complains", "").strip() == expected
    # what all ranks meet at once, the first says
    is_met_by_all = isinstance(problem, (RankLost, KeyboardInterrupt, SystemExit))
    assert (rank * 0.3 in slept) == is_met_by_all


@pytest.mark.parametrize("engine, size, shared", [
    (None, "2", True), (None, "1", False), ("processes", "2", False), ("mpi", "1", True),
])  # fmt: skip
def test_who_is_started_by_mpiexec_shares_the_work(monkeypatch, engine, size, shared):
    monkeypatch.setattr(cli_ranks, "world", lambda: Threads(Board(1), 0))
    for name in SIZES:
        monkeypatch.setenv(name, size)
        with cli_ranks.on_all_ranks(engine) as ranks:
            pass
        assert (ranks is not None) == shared
        monkeypatch.delenv(name)


class AsIfThree(Threads):
    """Rank 0 of three, without the others; it notes what they must have in common."""

    def __init__(self):
        super().__init__(Board(1), 0)
        self.size, self.compared = 3, []

    def expect_same(self, what, value):
        self.compared.append(what)

    def end_all(self, status):
        raise AssertionError("all ranks are ended")


@pytest.fixture
def as_if_three(monkeypatch, tmp_path):
    ranks = AsIfThree()
    monkeypatch.setattr(cli_ranks, "world", lambda: ranks)
    monkeypatch.setenv("PMI_SIZE", "3")
    monkeypatch.chdir(tmp_path)
    return ranks


def test_ranks_share_lines_as_they_come(as_if_three, monkeypatch, capsys):
    """Of a file, each rank takes as many as one process does; of a pipe, all of them together."""
    Path("lines").write_text("seven\n")
    taken = []
    monkeypatch.setattr(asking, "print_answers", lambda *a: taken.append((a[3], a[5])) or 0)
    for words in ("--file lines", ""):
        assert run(f"translate numbers-en-de {words}", capsys)[0] == 0
    assert taken == [(3 * GROUP, as_if_three), (GROUP, as_if_three)]
    assert as_if_three.compared == ["version", "command"] * 2


@pytest.mark.parametrize("words, sentence", [
    ("predict numbers-en-de seven --jobs 2", "mpiexec -n 6"),
    ("predict numbers-en-de seven --device gpu", "Leave out --device gpu."),
    ("predict nothing seven", "There is no run nothing"),
    ("predict numbers-en-de seven --beam 2 --top-k 2", "exclude each other"),
    ("translate numbers-en-de --file nothing", "nothing cannot be read"),
])  # fmt: skip
def test_ranks_refuse_as_one_process_does(as_if_three, words, sentence, capsys):
    status, out, err = run(words, capsys)
    assert status == 2 and not out and sentence in err and err.startswith("minitransformer: ")


def test_ranks_that_evaluate_compare_their_data(as_if_three, monkeypatch, capsys):
    Run.create("run", make_config("reverse")).save()
    monkeypatch.setattr(asking, "measured", lambda *_: {})
    assert run("evaluate run --json", capsys)[0] == 0
    assert as_if_three.compared == ["version", "command", "data (CRC-32)"]


def test_the_checksum_is_that_of_all_data(monkeypatch):
    class Some(Task):
        has_sentences = True
        number = 0

        def sample(self, rng, count, split, distinct):
            assert (count, distinct) == (9, True)
            return np.full((2, 3), self.number), np.full((2, 3), len(split))

        def sentences(self, split):
            return [split, self.word], []

    task, options = Some(), types.SimpleNamespace(seed=0, count=9, split="test")
    found = set()
    for number, word in itertools.product((1, 2), ("é", "\udcff")):
        Some.number, Some.word = number, word
        found |= {asking.checksum(types.SimpleNamespace(task=task), options) for _ in range(2)}
    assert len(found) == 4


def test_a_run_that_another_rank_writes_leaves_no_translations(tmp_path):
    task = types.SimpleNamespace(scored_by_bleu=False, sentences=lambda _: (["1 2"], ["2 1"]))
    reverse = Run.create(tmp_path / "run", make_config("reverse"))
    for writes in (False, True):
        it = types.SimpleNamespace(
            task=task, model=reverse.model.eval(), vocabulary=reverse.vocabulary, writes=writes
        )
        options = types.SimpleNamespace(
            write=str(tmp_path / "w"), split="test", jobs=1, seed=0, show=0, beam=1
        )
        asking.translations(it, options)
        assert (tmp_path / "w").exists() == writes


@pytest.mark.parametrize("words, there_are, status", [
    ("evaluate r", "2", 2), ("predict r 1", "2", 2), ("translate r 1", "2", 2),
    ("train reverse", "2", 2), ("train reverse --engine mpi", "", 2),
    # rank 0 does it; also if it cannot be told how many there are
    ("export r x", "2", 0), ("evaluate r", "", 0), ("predict r 1", "", 0), ("translate r 1", "", 0),
])  # fmt: skip
def test_another_rank_works_on_what_is_shared_and_says_nothing(
    words, there_are, status, monkeypatch, capsys
):
    with monkeypatch.context() as patch:
        for name in ("stdout", "stderr"):
            patch.setattr(sys, name, getattr(sys, name))  # so that they are put back
        patch.setattr(cli_ranks, "world", refuse)
        patch.setenv("PMIX_RANK", "1")
        patch.setenv("PMI_SIZE", there_are or "1")
        assert main(words.split()) == status
    assert capsys.readouterr() == ("", "")


def refuse(*_):
    raise InputError("no MPI")


def test_ranks_compare_texts_that_are_no_utf_8():
    for text in ("\udcff", "é🦉"):
        found = on_threads(2, lambda ranks, text=text: accepted(ranks.all_texts, text))
        assert found == [[text, text]] * 2


@pytest.mark.parametrize("variables, started, first", [
    ({}, False, True),
    ({"PMI_SIZE": "1", "PMI_RANK": "0"}, False, True),
    ({"PMI_SIZE": "3", "PMI_RANK": "0"}, True, True),
    ({"OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_RANK": "2", "PMIX_RANK": "2"}, True, False),
    ({"PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "3"}, True, True),
    ({"PMIX_RANK": "2", "SLURM_STEP_NUM_TASKS": "3"}, True, False),
    ({"PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "1"}, False, True),
    # a batch script that begins one process, and a shell that srun has started
    ({"SLURM_NTASKS": "3", "SLURM_PROCID": "0"}, False, True),
    ({"SLURM_NTASKS": "3", "SLURM_STEP_NUM_TASKS": "3"}, False, True),
])  # fmt: skip
def test_ranks_are_known_by_what_their_starter_sets(monkeypatch, variables, started, first):
    for name in (*SIZES, *RANKS, "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (started_by_mpiexec(), is_first()) == (started, first)


def test_a_model_is_followed_by_ranks_that_have_neither_its_file_nor_data(tmp_path):
    (tmp_path / "sums.tsv").write_text("".join(f"{n}+{n}\t{n + n}\n" for n in range(200)))
    config = make_config(
        "pairs", {"data": str(tmp_path / "sums.tsv")}, training_options={"steps": 1}
    )
    run = Run.create(tmp_path / "run", config)
    run.train(bar=False)
    run.save()
    run.export(tmp_path / "sums.safetensors")
    (tmp_path / "sums.tsv").unlink()
    for path in (tmp_path / "run", tmp_path / "sums.safetensors", "numbers-en-de"):
        first = Run.open(path)

        def on_a_rank(ranks, first=first):
            given = None if ranks.rank else first
            run = accepted(Run.followed, given, ranks, to_train=False)
            assert run.writes == (ranks.rank == 0)
            assert run.vocabulary.to_dict() == first.vocabulary.to_dict()
            assert run.longest_source == first.longest_source
            assert ranks.rank == 0 or run.exported  # without what only training needs
            return run.model.state_dict()

        one, two = on_threads(2, on_a_rank)
        assert all((one[name] == two[name]).all() for name in one)


def test_a_run_is_followed_by_ranks_that_have_no_file_of_it(tmp_path):
    config = make_config("reverse", training_options={"steps": 6, "shares": 2})

    def on_a_rank(ranks):
        first = Run.create(tmp_path / "run", config) if ranks.rank == 0 else None
        run = accepted(Run.followed, first, ranks)
        assert run.writes == (ranks.rank == 0) and run.config["id"]
        before = sorted(tmp_path.rglob("*"))
        if ranks.rank:
            run.metrics.write(step=1, loss=1.0)
            run.save()
            assert sorted(tmp_path.rglob("*")) == before
        return run.model.state_dict(), run.batches.state(), run.config

    one, two = on_threads(2, on_a_rank)
    assert all((one[0][name] == two[0][name]).all() for name in one[0]) and one[1:] == two[1:]


# -- ranks of MPI ----------------------------------------------------------------------------------

SIZE = (
    "--d-model 32 --heads 2 --d-ff 48 --encoder-layers 1 --decoder-layers 1 --dropout 0.1 "
    "--batch-size 16 --no-pictures --evaluate-count 5"
)
PLAN = f"--steps 50 --save-every 10 --evaluate-every 25 --shares 4 {SIZE}"


def environment(folder, **changes):
    paths = [str(ROOT), str(ROOT / "tests")]
    return {
        **os.environ, "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1",
        "XDG_CACHE_HOME": str(folder / "cache"), **changes,
    }  # fmt: skip


def command(words, ranks=0, planted=""):
    """The words of a command, on so many ranks of MPI; `planted` is what goes wrong: see
    faulty_rank.py."""
    program = ["faulty_rank", planted] if planted else ["minitransformer"]
    start = [MPIEXEC, "-n", str(ranks)] if ranks else []
    return [*start, sys.executable, "-m", *program, *words.split()]


def ran(folder, words, ranks=0, planted="", timeout=120):
    """(exit status, standard output, standard error)."""
    done = subprocess.run(
        command(words, ranks, planted), cwd=folder, env=environment(folder), capture_output=True,
        text=True, timeout=timeout,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def weights(folder):
    """The SHA-256 of the parameters, and that of the moments, at the newest checkpoint."""
    run = Run.open(folder, averaged=False)
    arrays = [run.optimizer.flat.data, *run.optimizer.state_dict().values()]
    return run.optimizer.t, [hashlib.sha256(a.tobytes()).hexdigest() for a in arrays]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A folder with `one`, a run of one process, to its last step and to its end."""
    folder = tmp_path_factory.mktemp("alone")
    status, _, said = ran(folder, f"train reverse {PLAN} --out one")
    assert status == 0, said
    return folder


@needs_mpi
@pytest.mark.parametrize(
    "ranks", [1, 2, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 4))]
)
def test_weights_are_equal_on_any_number_of_ranks(alone, ranks):
    engine = "--engine mpi" if ranks == 1 else ""
    status, out, said = ran(alone, f"train reverse {PLAN} {engine} --out ranks-{ranks}", ranks)
    assert status == 0, said
    assert out.count("exact match on") == 1 and out.count("Next:") == 1
    assert weights(alone / f"ranks-{ranks}") == weights(alone / "one")
    one, other = (
        [{k: v for k, v in line.items() if "second" not in k} for line in read(alone / name)]
        for name in ("one", f"ranks-{ranks}")
    )
    assert one == other


def read(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@needs_mpi
@pytest.mark.slow
def test_a_run_goes_on_under_another_engine(alone, tmp_path):
    shutil.copytree(alone / "one", tmp_path / "run")
    for step, ranks in ((20, 2), (30, 0), (40, 3)):
        for file in (tmp_path / "run/checkpoints").iterdir():
            if int(file.stem[-8:]) > step:
                file.unlink()
        status, _, said = ran(tmp_path, "train --resume run --no-pictures", ranks)
        assert status == 0, said
        assert weights(tmp_path / "run") == weights(alone / "one")


@needs_mpi
def test_a_text_is_trained_on_by_ranks(tmp_path):
    (tmp_path / "a.txt").write_text("To be, or not to be: that is the question.\n" * 40)
    words = (
        "train --text a.txt --steps 8 --evaluate-every 4 --d-model 16 --heads 2 --d-ff 24 "
        "--decoder-layers 1 --context 16 --batch-size 4 --evaluate-count 5 --no-pictures"
    )
    for name, ranks in (("one", 0), ("two", 2)):
        status, out, said = ran(tmp_path, f"{words} --out {name}", ranks)
        assert status == 0, said
        assert out.count("a sample:") == 2
    assert weights(tmp_path / "one") == weights(tmp_path / "two")


@needs_mpi
@pytest.mark.parametrize("words, sentence", [
    ("train reverse --stesp 3", "no option --stesp; did you mean --steps?"),
    ("train reverse --shares 1 --out x", "2 ranks were started, and a batch has 1 share"),
    ("train reverse --out one", "The folder one is not empty"),
    ("train --resume one", "there is nothing left to do"),
    ("train --resume nothing", "There is no run nothing"),
    ("train --data nothing.tsv", "nothing.tsv cannot be read"),
    ("train reverse --device gpu --out x", "Ranks of MPI compute on CPUs"),
    ("train reverse --gpu-kernels --out x", "Ranks of MPI compute on CPUs"),
])  # fmt: skip
def test_what_cannot_be_done_is_said_once(alone, words, sentence):
    before = sorted(alone.iterdir())
    status, out, said = ran(alone, words, 2)
    assert status == 2 and not out and sentence in said, said
    assert said.count("\n") == 1 and "Traceback" not in said
    assert sorted(alone.iterdir()) == before


@needs_mpi
def test_a_command_that_is_not_shared_is_run_by_rank_0(alone):
    status, out, said = ran(alone, "tasks", 2)
    assert status == 0 and out.count("reverse ") == 1, (out, said)


# -- ranks that answer -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def asked(alone):
    """The folder of `alone`, with `lines` to translate, and runs of sentences and of a text."""
    lines = ["seven", "forty-two", "", "a dog", "twelve", "nine " * 50, "one hundred and one"]
    (alone / "lines").write_text("\n".join(lines * 30), encoding="utf-8")
    (alone / "sums.tsv").write_text("".join(f"{n}+{n}\t{n + n}\n" for n in range(300)))
    (alone / "book.txt").write_text("To be, or not to be: that is the question.\n" * 90)
    for task in ("--data sums.tsv --out sums", "--text book.txt --out book"):
        status, _, said = ran(alone, f"train {task} --steps 2 --d-model 16 --heads 2 --no-pictures")
        assert status == 0, said
    return alone


ASKED = [
    "translate numbers-en-de --file lines --beam 1",
    "evaluate one --count 70 --beam 2 --json",
    "evaluate sums --count 40 --beam 1 --show 2",
    "evaluate book",
    "predict one 1 2 3 x",
    "predict one 12 --temperature 2 --seed 3",
    "translate sums 3+3",
    # what cannot be done
    "translate nothing x",
    "translate book x",
    "translate numbers-en-de --file nothing",
    "translate numbers-en-de x --file lines",
    "predict one 1 --beam 2 --temperature 1",
    "predict one 1 --jbos 3",
    "evaluate one --split tset",
    "evaluate one --write w",
]


@needs_mpi
@pytest.mark.parametrize("words", ASKED)
def test_ranks_answer_as_one_process(asked, words):
    assert ran(asked, words, 2) == ran(asked, words)


@needs_mpi
@pytest.mark.slow
@pytest.mark.parametrize("words", ASKED[:4])
def test_any_number_of_ranks_answers_as_one_process(asked, words):
    for ranks in (1, 3, 4):
        assert ran(asked, words, ranks) == ran(asked, words)


@needs_mpi
def test_what_a_pipe_sends_is_answered_by_ranks_when_as_much_is_there_as_one_process_takes(alone):
    process = subprocess.Popen(
        command("translate numbers-en-de --beam 1", 3), cwd=alone, env=environment(alone),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    timer = threading.Timer(30, process.kill)
    timer.start()
    for _ in range(2):
        process.stdin.write("seven\n" * GROUP)
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(GROUP)] == ["sieben\n"] * GROUP
    assert process.communicate("twelve") == ("zwölf\n", None) and process.returncode == 0
    timer.cancel()


@needs_mpi
def test_only_rank_0_writes_what_is_asked_for(asked):
    written = []
    for ranks in (0, 2):
        ran(asked, "evaluate sums --count 9 --beam 1 --write w", ranks)
        written.append((asked / "w").read_bytes())
        (asked / "w").unlink()
    assert written[0] == written[1] and written[0].count(b"\n") > 9


@needs_mpi
@pytest.mark.parametrize("words, planted, sentence", [
    ("predict one 1 --jobs 2", "", "without --jobs. Leave it out, and .+ mpiexec -n 4"),
    ("predict one 1 --device gpu", "", r"compute on CPUs\. Leave out --device gpu\."),
    ("evaluate book", "no-data:1", r"On rank 1 \(.+\): The text of this run is gone"),
    ("evaluate one --count 9", "other-data:1", "All ranks must have the same data"),
])  # fmt: skip
def test_what_ranks_cannot_answer_is_said_once(asked, words, planted, sentence):
    status, out, said = ran(asked, words, 2, planted)
    assert status == 2 and not out and re.search(sentence, said), (status, out, said)
    assert said.count("\n") == 1


@needs_mpi
def test_to_translate_no_rank_but_the_first_needs_data(asked):
    (asked / "sums.tsv").rename(asked / "away")
    try:
        expected = ran(asked, "translate sums 3+3")
        assert expected[0] == 0 and ran(asked, "translate sums 3+3", 2) == expected
    finally:
        (asked / "away").rename(asked / "sums.tsv")


@needs_mpi
@pytest.mark.parametrize("what", [
    "raise:1", "kill:1",
    *(pytest.param(what, marks=pytest.mark.slow) for what in (
        "raise:0", "memory:1", "exit:1", "kill:0", "stop:1", "stop:0", "interrupt:1",
        "terminate:0",
    )),
])  # fmt: skip
def test_whatever_happens_to_a_rank_that_answers_all_end(asked, tmp_path, what):
    kind, _, rank = what.partition(":")
    status, sentence = FAULTS.get(what) or FAULTS[kind]
    if kind in ("interrupt", "terminate"):
        sentence = rf"rank {rank} \(.+\): interrupted\."
    began = time.monotonic()
    shutil.copy(asked / "lines", tmp_path)
    ended, _, said = ran(
        tmp_path, "translate numbers-en-de --file lines --beam 1", 2, what, timeout=60
    )
    assert ended == status, (ended, said)
    assert time.monotonic() - began < 30 and "Traceback" not in said
    if sentence:
        assert len(re.findall(sentence, said)) == 1, said
    assert no_process_is_left(tmp_path)


@needs_mpi
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_at_mpiexec_ends_all_that_answer(alone, tmp_path, number):
    (tmp_path / "lines").write_text("seven\n" * 100_000)
    with open(tmp_path / "out", "w") as out:
        process = subprocess.Popen(
            command("translate numbers-en-de --file lines --beam 1", 2), cwd=tmp_path,
            env=environment(tmp_path), stdout=out, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    while not (tmp_path / "out").stat().st_size and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(number)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 128 + number and said.count("interrupted.") == 1, said
    assert no_process_is_left(tmp_path)


@needs_mpi
def test_a_rank_without_the_data_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("To be, or not to be: that is the question.\n" * 40)
    status, _, said = ran(tmp_path, "train --text a.txt --steps 3 --out x", 2, "no-data:1")
    assert status == 2 and re.search(r"On rank 1 \(.+\): The text of this run is gone", said), said


FAULTS = {
    # what: (exit status, what is said); None: by mpiexec, in its own words
    "raise": (1, r"rank 1 \(.+\): ValueError: planted\."),
    "raise:0": (1, r"rank 0 \(.+\): ValueError: planted\."),
    "memory": (1, r"rank 1 \(.+\): MemoryError: planted\."),
    "exit": (3, None),
    "kill": (9, None),
    "kill:0": (9, None),
    "stop": (1, r"rank 0 \(.+\): The other ranks have not answered for 3 seconds"),
    "stop:0": (1, r"rank 1 \(.+\): The other ranks have not answered for 3 seconds"),
    "full-disk:0": (1, r"rank 0 \(.+\): .*No space left on device"),
    "batch": (2, "The ranks have different batches"),
    "nan": (1, "Step 16 stopped"),
    "interrupt": (130, "Stopped and saved at step"),
    "terminate": (143, "Stopped and saved at step"),
    "terminate:0": (143, "Stopped and saved at step"),
}


@needs_mpi
@pytest.mark.slow
@pytest.mark.parametrize("what", FAULTS)
def test_whatever_happens_to_a_rank_all_end_and_the_run_goes_on(alone, tmp_path, what):
    kind, _, rank = what.partition(":")
    status, sentence = FAULTS[what]
    began = time.monotonic()
    ended, out, said = ran(
        tmp_path, f"train reverse {PLAN} --out run", 2, f"{kind}:{rank or 1}", timeout=60
    )
    assert ended == status, (ended, said)
    assert time.monotonic() - began < 30 and "Traceback" not in said
    if sentence:
        assert len(re.findall(sentence, said + out, re.IGNORECASE)) == 1, said + out
    assert no_process_is_left(tmp_path)
    for ranks in (0, 2, 4):
        copy = tmp_path / f"copy-{ranks}"
        shutil.copytree(tmp_path / "run", copy)
        ended, _, said = ran(tmp_path, f"train --resume {copy.name} --no-pictures", ranks)
        assert ended == 0, said
        assert weights(copy) == weights(alone / "one")


def no_process_is_left(folder):
    """Whether no process works in this folder any more, at most two seconds later."""
    for _ in range(20):
        left = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                left += [process.name] * (os.readlink(process / "cwd") == str(folder))
        if not left:
            return True
        time.sleep(0.1)
    return False


@needs_mpi
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_at_mpiexec_saves_and_ends_all(alone, tmp_path, number):
    process = subprocess.Popen(
        command(f"train reverse {PLAN.replace('--steps 50', '--steps 5000')} --out run", 2),
        cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    while not [*tmp_path.glob("run/checkpoints/*.safetensors")] and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(number)
    out, said = process.communicate(timeout=30)
    assert process.returncode == 128 + number and out.count("Stopped and saved at step") == 1, said
    assert no_process_is_left(tmp_path)


# -- two hosts -------------------------------------------------------------------------------------


@pytest.fixture
def hosts():
    if reason := why_not():
        pytest.skip(f"two hosts cannot be tried here: {reason}")
    with Hosts() as made:
        yield made


def ran_on(hosts, folder, words, planted="", timeout=60):
    """`ran`, on a rank on each host."""
    done = subprocess.run(
        hosts.command(MPIEXEC, command(words, planted=planted)), cwd=folder, capture_output=True,
        env=environment(folder, **hosts.environment()), text=True, timeout=timeout,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@needs_mpi
@pytest.mark.slow
def test_two_hosts_compute_the_numbers_of_one_and_send_what_the_page_says(
    alone, tmp_path, hosts
):
    sent, plan = {}, PLAN.replace("--save-every 10", "--save-every 50")
    for shares, steps in ((4, 50), (2, 50), (2, 10)):
        before = hosts.sent()
        words = f"train reverse {plan} --steps {steps} --shares {shares} --out s{shares}-{steps}"
        status, _, said = ran_on(hosts, tmp_path, words)
        assert status == 0, said
        sent[shares, steps] = np.subtract(hosts.sent(), before).sum()
    assert weights(tmp_path / "s4-50") == weights(alone / "one")
    # in a step, the two together: the gradients once, and the parameters once
    size = Run.open(tmp_path / "s2-50", averaged=False).optimizer.flat.data.nbytes
    # the difference of two runs: what TCP adds is not quite the same in both
    assert 0.97 <= (sent[2, 50] - sent[2, 10]) / (40 * size * 2) < 1.1
    # two shares of a rank are sent as their sum
    assert abs(sent[4, 50] - sent[2, 50]) < 0.1 * 50 * size


@needs_mpi
@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_connection_that_is_cut_ends_both_hosts_and_the_run_goes_on_elsewhere(
    alone, tmp_path, hosts, rank
):
    began = time.monotonic()
    status, out, said = ran_on(hosts, tmp_path, f"train reverse {PLAN} --out run", f"cut:{rank}")
    assert status == 1 and "Traceback" not in said, (status, said)
    assert said.count("rank 0 (") == 1 and "a connection is lost. Start again; a" in said
    assert time.monotonic() - began < 30 and no_process_is_left(tmp_path)  # 3 s of them: patience
    status, _, said = ran(tmp_path, "train --resume run --no-pictures", 3)
    assert status == 0, said
    assert weights(tmp_path / "run") == weights(alone / "one")


def test_without_mpi4py_it_is_said_what_to_install(tmp_path):
    blocked = tmp_path / "blocked/mpi4py"
    blocked.mkdir(parents=True)
    (blocked / "__init__.py").write_text("raise ModuleNotFoundError('no', name='mpi4py')")
    changes = {"PYTHONPATH": f"{blocked.parent}{os.pathsep}{ROOT}"}
    for words, more in (("train reverse --engine mpi", {}), ("train reverse", {"PMI_SIZE": "2"})):
        done = subprocess.run(
            [sys.executable, "-m", "minitransformer", *words.split()], cwd=tmp_path, text=True,
            env=environment(tmp_path, **changes, **more), capture_output=True,
        )  # fmt: skip
        assert done.returncode == 2 and 'install "minitransformer[mpi]"' in done.stderr
        assert done.stderr.count("\n") == 1 and not (tmp_path / "runs").exists()
