"""A batch in shares: the numbers of the whole batch, whether the shares follow each other or run
side by side."""

import contextlib
import functools
import json
import math
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from common import close, finished, refusal, run, small_config, weights_and_state
from threadpoolctl import threadpool_info, threadpool_limits

from minitransformer.backend.updates import BLOCK
from minitransformer.core import Module, observe
from minitransformer.core.module import Parameter
from minitransformer.data import Batch, Copy
from minitransformer.decoding import evaluate
from minitransformer.errors import InputError, NonFiniteError
from minitransformer.layers import CrossEntropy
from minitransformer.models import LanguageModel, Transformer, TransformerConfig
from minitransformer.parallel.processes import FORK_IS_SAFE, Fork
from minitransformer.runs import MODELS, Run, find_model
from minitransformer.runs.checkpoint import load_checkpoint
from minitransformer.terminal.interruption import ENDING
from minitransformer.testing import away_from_initialisation
from minitransformer.training import SGD, Adam, AdamW, Noam, in_shares, plain_loop, train
from minitransformer.training.data_parallel import DataParallel, slices_of
from minitransformer.training.generators import drawing_from, rewind, states_of
from minitransformer.training.hooks import Evaluate, Interrupted, Log, Save, Snapshots
from minitransformer.training.loop import Plain
from minitransformer.training.options import TrainingOptions
from minitransformer.training.shares import Shares, cut, dealt

SIZES = dict(
    source_vocabulary=17, target_vocabulary=19, d_model=12, heads=3, d_k=5, d_v=4, d_ff=14,
    max_length=16,
)
SIZES["dropout"] = 0.0
VARIANTS = {
    "post": {},
    "pre": dict(norm="pre"),
    "learned": dict(positions="learned", final_norm=True, bias=True),
    "tied": dict(tie_embeddings=True, source_vocabulary=19),
}
needs_fork = pytest.mark.skipif(not FORK_IS_SAFE, reason="processes cannot be forked here")


@pytest.fixture(autouse=True)
def one_blas_thread():
    """In every process as in a fork, so that they can be compared bit for bit."""
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture(autouse=True)
def no_process_is_left():
    before = {*multiprocessing.active_children()}
    yield
    left = {*multiprocessing.active_children()} - before
    for process in left:
        process.kill()
    assert not left


@pytest.fixture(autouse=True)
def nobody_waits_forever():
    """An answer that never comes is a test that fails, after a minute."""

    def stop(*_):
        pytest.fail("a process waits for an answer that nobody sends")

    before = signal.signal(signal.SIGALRM, stop) if FORK_IS_SAFE else None
    if FORK_IS_SAFE:
        signal.alarm(60)
    yield
    if FORK_IS_SAFE:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def processes(monkeypatch):
    """A function that says how many processes there may be from now on."""
    return lambda count: monkeypatch.setattr(
        "minitransformer.training.strategies.cores", lambda: count if FORK_IS_SAFE else 1
    )


def strategy_of(model, loss, optimizer, count):
    """As a run has it: padding is left out."""
    return in_shares(count, skip_padding=True)(model, loss, optimizer)


def small(kind=Transformer, variant="post", **changes):
    """In float64, every parameter at a random place."""
    sizes = {**SIZES, **VARIANTS[variant], "encoder_layers": 1, "decoder_layers": 2, **changes}
    return away_from_initialisation(
        kind(TransformerConfig(**sizes), 3).to("float64"), np.random.default_rng(4)
    )


def large(seed=0, **changes):
    """A model in float32 of several blocks of the optimizer, so that every process has parameters
    to move."""
    sizes = dict(
        source_vocabulary=1500, d_model=32, heads=2, d_ff=24, encoder_layers=1, decoder_layers=1
    )
    model = Transformer(
        TransformerConfig(**{**sizes, "dropout": 0.2, "attention_dropout": 0.1, **changes}), seed
    )
    assert model.parameter_count() > 4 * BLOCK
    return model


LENGTHS = [2, 6, 6, 1, 5, 3, 4]


def batch_of(seed=0, rows=7, vocabulary=17):
    """Seven pairs, S = 5 and T = 6, of very unlike lengths."""
    rng = np.random.default_rng([7, seed])
    source = rng.integers(4, vocabulary, size=(rows, 5))
    target = rng.integers(4, vocabulary, size=(rows, 7))
    source[np.arange(5) >= rng.integers(1, 6, size=rows)[:, None]] = 0
    target[:, 0] = 1
    target_in, target_out = target[:, :-1].copy(), target[:, 1:].copy()
    padding = np.arange(6) >= np.array(LENGTHS)[np.arange(rows) % 7, None]
    target_in[padding] = target_out[padding] = 0
    return Batch(source, target_in, target_out)


def whole(model, loss, batch):
    """(loss, {name: gradient}) by forward, loss and backward of the whole batch."""
    model.zero_grad()
    value = float(loss(model(batch.source, batch.target_in), batch.target_out))
    model.backward(loss.backward())
    return value, {name: p.grad.copy() for name, p in model.named_parameters().items()}


def assert_shares_equal_the_whole(model, batch, count, loss=None):
    """Loss and gradients, to 1e-12 of the largest."""
    value, expected = whole(model, CrossEntropy(0.1, padding=0) if loss is None else loss, batch)
    shares = strategy_of(
        model, CrossEntropy(0.1, padding=0) if loss is None else loss, SGD(model), count
    )
    with shares:
        close(shares.compute(batch), value, 1e-12 * value)
        size = max(abs(g).max() for g in expected.values())
        for name, p in model.named_parameters().items():
            close(p.grad, expected[name], 1e-12 * size)
    assert not model.leftover_saves()


# -- the sum over the shares -----------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_shares_of_a_transformer_add_up_to_the_whole(processes, variant, count):
    processes(1)
    assert_shares_equal_the_whole(small(variant=variant), batch_of(), count)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("name", [name for name in MODELS if name != "transformer"])
def test_the_shares_of_every_other_model_add_up_too(processes, name, count):
    processes(1)
    kind = find_model(name)
    known = {**SIZES, "heads": 3, "decoder_layers": 2, "layers": 1}
    config = kind.config(**{k: v for k, v in known.items() if k in kind.fields()}, **kind.fixed)
    model = away_from_initialisation(kind.model(config, 3).to("float64"), np.random.default_rng(4))
    assert_shares_equal_the_whole(model, batch_of(), count)


@needs_fork
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("side_by_side", [False, True])
def test_the_shares_of_a_language_model_without_a_source_add_up(processes, count, side_by_side):
    processes(count if side_by_side else 1)
    assert_shares_equal_the_whole(small(LanguageModel), batch_of()._replace(source=None), count)


def test_a_loss_without_smoothing_adds_up_as_well(processes):
    processes(1)
    assert_shares_equal_the_whole(small(), batch_of(), 3, CrossEntropy(padding=0))


def test_what_is_no_target_is_asked_of_the_loss(processes):
    processes(1)
    batch = batch_of()
    batch.target_out[batch.target_out == 0] = 18  # no source and no input of the decoder has it
    assert_shares_equal_the_whole(small(LanguageModel), batch, 3, CrossEntropy(0.1, padding=18))


def test_gradients_of_before_do_not_count(processes):
    processes(1)
    for count in (1, 3):
        model = small()
        shares = strategy_of(model, CrossEntropy(padding=0), SGD(model), count)
        model.output.weight.grad += 100
        first = shares.compute(batch_of()), model.flat_buffers().grad.copy()
        second = shares.compute(batch_of()), model.flat_buffers().grad.copy()
        assert (
            first[0] == second[0]
            and np.array_equal(first[1], second[1])
            and abs(first[1]).max() < 100
        )


def rows_of(batch, part):
    """Which of the batch's sequences a part holds, in its order."""
    return [
        next(i for i, row in enumerate(batch.target_in) if np.array_equal(row, mine))
        for mine in part.target_in
    ]


def test_sequences_are_dealt_out_with_the_weight_of_their_real_targets():
    batch = batch_of()
    parts = cut(batch, 3)
    rows = [rows_of(batch, part) for part, _ in parts]
    assert sorted(sum(rows, [])) == list(range(7)) and all(mine == sorted(mine) for mine in rows)
    assert [weight for _, weight in parts] == [
        sum(LENGTHS[i] for i in mine) / 27 for mine in rows
    ] and sum(LENGTHS) == 27
    for mine, (part, _) in zip(rows, parts):
        assert isinstance(part, Batch)
        assert all(np.array_equal(ids, whole[mine]) for ids, whole in zip(part, batch))
    assert [part.source for part, _ in cut(batch._replace(source=None), 2)] == [None, None]


def test_the_longest_are_dealt_first_to_the_part_that_has_least():
    assert dealt(np.array([2, 6, 6, 1, 5, 3, 4]), 3).tolist() == [1, 0, 1, 1, 2, 0, 2]
    assert dealt(np.array([9, 1, 1, 1, 5, 1]), 2).tolist() == [0, 1, 1, 1, 1, 1]
    assert dealt(np.array([5, 5, 5, 5, 5]), 2).tolist() == [0, 1, 0, 1, 0]
    assert dealt(np.array([3, 4]), 5).tolist() == [1, 0]


@pytest.mark.parametrize("seed", range(5))
def test_every_part_has_about_as_much_to_do_sources_and_targets_together(seed):
    batch = task_batch(seed)
    sums = [
        int((part.source != 0).sum() + (part.target_out != 0).sum()) for part, _ in cut(batch, 2)
    ]
    dealt_in_order = [
        int((batch.source[i::2] != 0).sum() + (batch.target_out[i::2] != 0).sum()) for i in range(2)
    ]
    assert abs(sums[0] - sums[1]) <= 20 and sum(sums) == sum(dealt_in_order)
    for part, _ in cut(batch._replace(source=None), 2):  # a language model's: targets alone
        assert abs(int((part.target_out != 0).sum()) - int((batch.target_out != 0).sum()) / 2) <= 10


def task_batch(seed):
    """Sixteen pairs of 1 to 40 tokens."""
    rng = np.random.default_rng(seed)
    source, target = (
        np.where(np.arange(40) < rng.integers(1, 41, size=(16, 1)), 5, 0) for _ in range(2)
    )
    return Batch(source, target, target)


def test_a_part_without_a_real_target_is_left_out():
    batch = batch_of()
    batch.target_out[[2, 4, 6]] = 0
    batch.source[[2, 4, 6]] = [5, 5, 5, 5, 5]
    batch.source[[0, 1, 3, 5]] = [5, 0, 0, 0, 0]
    parts = cut(batch, 3)  # by their lengths 3, 7, 5, 2, 5, 4, 5: 1 0 | 2 6 | 4 5 3
    assert [rows_of(batch, part) for part, _ in parts] == [[0, 1], [3, 4, 5]]
    assert [weight for _, weight in parts] == [8 / 12, 4 / 12]
    assert [weight for _, weight in cut(batch_of(rows=2), 5)] == [6 / 8, 2 / 8]


def test_what_is_padding_for_a_part_is_what_the_loss_ignores():
    batch = batch_of()
    batch.target_out[batch.target_out == 0] = 5
    batch.target_out[1] = 5
    parts = cut(batch, 2, padding=5)
    assert math.isclose(sum(weight for _, weight in parts), 1)
    weights = [int((batch.target_out[rows_of(batch, part)] != 5).sum()) for part, _ in parts]
    assert [weight for _, weight in parts] == [n / sum(weights) for n in weights]


def test_a_batch_without_a_real_target_is_one_part():
    batch = batch_of()
    batch.target_out[:] = 0
    assert cut(batch, 3) == [(batch, 1.0)]


@pytest.mark.parametrize("cores", [1, 9])
def test_more_shares_than_sequences(processes, cores):
    processes(cores)
    assert_shares_equal_the_whole(small(), batch_of(rows=2), 5)


@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize("row", [0, 1, 2])
def test_a_share_whose_targets_are_all_padding_adds_nothing(processes, cores, row):
    processes(cores)
    batch = batch_of(rows=3)
    batch.target_out[row] = 0
    assert_shares_equal_the_whole(small(), batch, 3)


@pytest.mark.parametrize("cores", [1, 2])
def test_a_batch_without_a_real_target_is_refused_by_the_loss(processes, cores):
    processes(cores)
    model, batch = small(), batch_of()
    with strategy_of(model, CrossEntropy(padding=0), SGD(model), 2) as shares:
        message = refusal(shares.compute, batch._replace(target_out=0 * batch.target_out))
        assert message == "An empty batch: every target is padding, so there is nothing to predict."
        model.clear_saves()
        close(shares.compute(batch), whole(small(), CrossEntropy(padding=0), batch)[0])


@pytest.mark.parametrize("count", [0, -1])
def test_less_than_one_share_is_refused(count):
    model = small()
    assert f"at least 1, got {count}" in refusal(
        strategy_of, model, CrossEntropy(padding=0), SGD(model), count
    )


# -- dropout ---------------------------------------------------------------------------------------


def masks(model, shares, batch):
    """The input's masks, one for each share that this process computes."""
    seen = []
    with observe(
        model, lambda path, c, inputs, y: path == "source_input.dropout" and seen.append(y == 0)
    ):
        shares.compute(batch)
    return seen


def test_every_share_and_every_step_draws_a_mask_of_its_own(processes):
    processes(1)
    model = small(dropout=0.5)
    batch = Batch(*(np.repeat(ids[1:2], 6, axis=0) for ids in batch_of()))
    shares = strategy_of(model, CrossEntropy(padding=0), SGD(model), 3)
    seen = [mask.tobytes() for _ in range(4) for mask in masks(model, shares, batch)]
    assert len(seen) == 12 == len({*seen})


def test_one_share_draws_as_a_plain_step_does():
    models = [small(LanguageModel, dropout=0.3) for _ in range(2)]
    value, expected = whole(models[0], CrossEntropy(padding=0), batch_of())
    shares = strategy_of(models[1], CrossEntropy(padding=0), SGD(models[1]), 1)
    assert shares.compute(batch_of()) == value
    for name, p in models[1].named_parameters().items():
        assert np.array_equal(p.grad, expected[name])
    assert (
        models[0].generators()[0].bit_generator.state
        == models[1].generators()[0].bit_generator.state
    )


@needs_fork
@pytest.mark.parametrize("count", [2, 3])
def test_the_generator_ends_in_the_same_state_whoever_computes(processes, count):
    states = []
    for cores in (1, count):
        processes(cores)
        model = small(dropout=0.3)
        start = model.generators()[0].bit_generator.state
        with strategy_of(model, CrossEntropy(padding=0), SGD(model), count) as shares:
            for seed in range(3):
                shares.compute(batch_of(seed))
        states.append(model.generators()[0].bit_generator.state)
        assert states[-1] != start
    assert states[0] == states[1]


@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_last_gradients_come_again_with_the_same_dropout(processes, cores, count):
    processes(cores)
    model = small(dropout=0.3)
    with strategy_of(model, CrossEntropy(padding=0), SGD(model), count) as shares:
        shares.compute(batch_of(1))
        generators = model.generators()
        before = states_of(generators)
        value = shares.compute(batch_of())
        grad = model.flat_buffers().grad.copy()
        for _ in range(2):
            rewind(generators, before)
            assert math.isclose(shares.again(batch_of()), value, rel_tol=1e-15)
            assert np.array_equal(model.flat_buffers().grad, grad)


def test_drawing_from_a_seed_leaves_the_generators_where_they_were():
    generators = [
        np.random.default_rng(1), np.random.Generator(np.random.Philox(2)),
        np.random.default_rng(1),
    ]

    def draw():
        return [tuple(g.integers(1 << 60, size=3)) for g in generators]

    untouched = [
        np.random.default_rng(1), np.random.Generator(np.random.Philox(2)),
        np.random.default_rng(1),
    ]
    with drawing_from(5, generators):
        first = draw()
    with contextlib.suppress(KeyError), drawing_from(5, generators):
        assert draw() == first
        raise KeyError
    with drawing_from(6, generators):
        assert not {*draw()} & {*first}
    assert len({*first}) == 3, "the generators of a model must not draw the same numbers"
    assert draw() == [tuple(g.integers(1 << 60, size=3)) for g in untouched]


# -- side by side ----------------------------------------------------------------------------------

OPTIMIZERS = {
    "adam": lambda m: Adam(m, Noam(32, 4)),
    "adamw": lambda m: AdamW(m, 0.01, weight_decay=0.1),
    "sgd with momentum": lambda m: SGD(m, lambda t: 0.5 / t, momentum=0.9),
}


def trained(model, make_optimizer, shares, steps=5, max_norm=None, hooks=(), loss=None):
    """Everything that training leaves, as comparable values."""
    optimizer, told = make_optimizer(model), []
    seeds = iter(range(100))
    strategy = (
        functools.partial(Workers, communicator=shares)
        if isinstance(shares, Communicator)
        else in_shares(shares)
    )

    def next_batch():
        return batch_of(next(seeds), vocabulary=1500)

    train(
        model, loss or CrossEntropy(0.1, padding=0), optimizer, next_batch, steps, max_norm,
        [*hooks, told.append], strategy,
    )
    arrays = {**model.state_dict(), **optimizer.state_dict(), "gradient": model.flat_buffers().grad}
    progress = [(p.step, p.gradient_norm, p.learning_rate, p.tokens) for p in told]
    facts = [optimizer.t, progress, [g.bit_generator.state for g in model.generators()]]
    return {name: array.tobytes() for name, array in arrays.items()}, facts, [p.loss for p in told]


@needs_fork
@pytest.mark.parametrize("shares", [2, 3])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_side_by_side_equals_one_after_the_other_bit_for_bit(processes, optimizer, shares):
    results = []
    for cores in (1, shares, shares):
        processes(cores)
        results.append(trained(large(), OPTIMIZERS[optimizer], shares, max_norm=0.5))
    assert results[0][:2] == results[1][:2]
    assert results[1] == results[2], "two runs with the same seed"
    np.testing.assert_allclose(results[0][2], results[1][2], rtol=1e-15)
    assert shares > 2 or results[0] == results[1]
    assert all(norm > 0.5 for _, norm, _, _ in results[0][1][1]), "nothing was clipped"


@needs_fork
def test_without_clipping_and_for_a_model_that_does_not_pack(processes):
    results = []
    for cores in (1, 2):
        processes(cores)
        sizes = dict(
            source_vocabulary=1500, d_model=48, heads=2, d_ff=24, decoder_layers=1, dropout=0.3
        )
        model = LanguageModel(TransformerConfig(**sizes), 0)
        assert model.parameter_count() > 2 * BLOCK
        results.append(trained(model, OPTIMIZERS["adam"], 2))
    assert results[0] == results[1]


def test_another_number_of_shares_is_another_run_but_only_by_rounding_without_dropout(processes):
    processes(1)
    make, off = OPTIMIZERS["sgd with momentum"], dict(dropout=0.0, attention_dropout=0.0)
    plain, two, three = (trained(large(**off), make, n)[2] for n in (1, 2, 3))
    np.testing.assert_allclose(two, plain, rtol=1e-5)
    np.testing.assert_allclose(three, plain, rtol=1e-5)
    assert two != plain and trained(large(), make, 2)[2] != trained(large(), make, 1)[2]


@needs_fork
def test_a_batch_that_leaves_a_process_without_work_changes_nothing(processes):
    results = []
    for cores in (1, 3):
        processes(cores)
        model = large()
        batches = iter(
            [batch_of(0), batch_of(1, rows=2), batch_of(2), batch_of(3, rows=1), batch_of(4)]
        )
        train(
            model, CrossEntropy(padding=0), Adam(model, 0.01), batches.__next__, 5, 1.0,
            strategy=in_shares(3),
        )
        results.append(
            (
                model.flat_buffers().data.tobytes(),
                [g.bit_generator.state for g in model.generators()],
            )
        )
    assert results[0] == results[1]


@needs_fork
def test_every_process_computes_its_share_and_moves_its_part(processes):
    """This process computes the first share only, and moves the first part only."""
    processes(3)
    model = large()
    seen = []
    with strategy_of(model, CrossEntropy(padding=0), Adam(model), 3) as shares:
        assert len(shares.forks) == 2
        assert len(masks(model, shares, batch_of(vocabulary=1500))) == 1
        before = model.flat_buffers().data.copy()
        update = shares.optimizer.update
        shares.optimizer.update = lambda rate, grad, part: (
            seen.append(part) or update(rate, grad, part)
        )
        shares.update()
        moved = before != model.flat_buffers().data
        assert seen == shares.slices[:1] and all(moved[part].any() for part in shares.slices)
        assert all(
            len(moved) / 5 < part.stop - part.start < len(moved) / 2 for part in shares.slices
        )


def test_without_as_many_cores_as_shares_nothing_is_forked(processes):
    for cores, count in ((1, 2), (2, 3), (4, 1)):
        processes(cores)
        model = small()
        with strategy_of(model, CrossEntropy(padding=0), SGD(model), count) as shares:
            assert type(shares) is (Plain if count == 1 else Shares)
    if FORK_IS_SAFE:
        processes(4)
        with strategy_of(model, CrossEntropy(padding=0), SGD(model), 2) as shares:
            assert type(shares) is DataParallel and len(shares.forks) == 1
        assert shares.forks == []


@needs_fork
def test_one_optimizer_may_be_trained_side_by_side_again_and_again(processes):
    results = []
    for stops in ((6,), (2, 3, 6)):
        processes(2)
        model, seeds = large(), iter(range(100))
        optimizer = Adam(model, 0.01)
        for stop in stops:
            train(
                model,
                CrossEntropy(padding=0),
                optimizer,
                lambda s=seeds: batch_of(next(s)),
                stop,
                1.0,
                strategy=in_shares(2),
            )
        results.append(
            (model.flat_buffers().data.tobytes(), optimizer.state_dict()["second_moment"].tobytes())
        )
    assert results[0] == results[1]


# -- every way is the plain loop -------------------------------------------------------------------


@needs_fork
@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_way_makes_the_steps_of_the_plain_loop(processes, cores, count):
    """In float64 and without dropout, to rounding; one share, as it is by default, to the last
    bit."""
    processes(cores)
    results = []
    for strategy in (None, in_shares(count), in_shares(count, skip_padding=True)):
        model, seeds = small(), iter(range(100))
        arguments = (
            model,
            CrossEntropy(0.1, padding=0),
            SGD(model, 0.1, 0.9),
            lambda s=seeds: batch_of(next(s)),
            4,
            0.5,
        )
        plain_loop(*arguments) if strategy is None else train(*arguments, strategy=strategy)
        results.append(model.flat_buffers().data.copy())
    for found in results[1:]:
        close(found, results[0], 1e-12)
    assert count > 1 or np.array_equal(results[0], results[1])


@needs_fork
@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("count", [1, 2])
def test_padding_is_left_out_whoever_computes(processes, cores, count):
    processes(cores)
    for skip in (False, True):
        model, seen = small(), []
        with in_shares(count, skip)(model, CrossEntropy(padding=0), SGD(model)) as strategy:
            with observe(
                model,
                lambda path, c, inputs, y, seen=seen: (
                    path == "source_input.dropout" and seen.append(y.ndim)
                ),
            ):
                strategy.compute(batch_of())
        assert {*seen} == {2 if skip else 3}


class Workers(Shares):
    """A strategy for several machines, as MPI would have it: every rank computes its share, and all
    sum the gradients."""

    def __init__(self, model, loss, optimizer, communicator):
        super().__init__(model, loss, optimizer, communicator.size)
        self.communicator = communicator

    def compute(self, batch):
        shares, rank = self.shares_of(batch), self.communicator.rank
        self.optimizer.flat.zero_grad()
        value = self.compute_share(*shares[rank]) if rank < len(shares) else 0.0
        grad = self.optimizer.flat.grad
        grad[...] = self.communicator.all_sum(grad)
        return self.communicator.all_sum(value)


class Communicator:
    """Threads in place of machines."""

    def __init__(self, rank, size, barrier, board):
        self.rank, self.size, self.barrier, self.board = rank, size, barrier, board

    def all_sum(self, value):
        self.board[self.rank] = value + 0
        self.barrier.wait(30)
        total = sum(self.board[1:], self.board[0])
        self.barrier.wait(30)
        return total


def test_a_strategy_for_several_machines_is_one_more_class(processes):
    """Every rank ends with the weights of one process that computes the shares one after the other,
    bit for bit."""
    processes(1)
    expected = trained(large(), OPTIMIZERS["adam"], 2, max_norm=0.5)
    barrier, board, found = threading.Barrier(2), [None, None], [None, None]

    def work(rank):
        found[rank] = trained(
            large(), OPTIMIZERS["adam"], Communicator(rank, 2, barrier, board), max_norm=0.5
        )

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1] == expected


# -- what the processes tell each other ------------------------------------------------------------


@pytest.mark.parametrize("size", [1, BLOCK, 5 * BLOCK + 7, 6 * BLOCK, 9 * BLOCK - 1])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_parts_make_up_the_whole_and_are_cut_between_blocks(size, count):
    parts = slices_of(size, count)
    assert len(parts) == count and parts[0].start == 0 and parts[-1].stop == size
    for one, other in zip(parts, parts[1:]):
        assert one.stop == other.start and (one.stop % BLOCK == 0 or one.stop == size)
    assert size < 5 * BLOCK or max(p.stop - p.start for p in parts) <= size / count + BLOCK


# -- hooks -----------------------------------------------------------------------------------------


@needs_fork
@pytest.mark.parametrize(
    "change",
    [
        lambda model, optimizer: model.target_input.embedding.weight.data.__imul__(0.5),
        lambda model, optimizer: setattr(
            model.output.weight, "data", 0.5 * model.output.weight.data
        ),
        lambda model, optimizer: model.load_state_dict(
            {n: 0.9 * a for n, a in model.state_dict().items()}
        ),
        lambda model, optimizer: setattr(optimizer, "learning_rate", 0.1),
        lambda model, optimizer: setattr(optimizer, "learning_rate", lambda t: 0.02 * t),
        lambda model, optimizer: optimizer.load_state_dict(
            {n: 0.1 * a for n, a in optimizer.state_dict().items()}, 7
        ),
    ],
    ids=["in place", "by assignment", "all", "rate", "schedule", "moments"],
)
def test_what_a_hook_changes_reaches_every_process(processes, change):
    results = []
    for cores, changed in ((1, change), (2, change), (2, None)):
        processes(cores)
        model = large()
        optimizer = Adam(model, 0.01)

        def hook(progress, model=model, optimizer=optimizer, changed=changed):
            if changed and progress.step == 2:
                changed(model, optimizer)

        results.append(
            trained(model, lambda model, optimizer=optimizer: optimizer, 2, steps=10, hooks=[hook])
        )
    assert results[0] == results[1] and results[0][0] != results[2][0]


@needs_fork
def test_an_evaluation_between_steps_does_no_harm(processes):
    task, seen = Copy(symbols=5, min_length=2, max_length=4), []

    def hook(progress):
        model.eval()
        seen.append(evaluate(model, task, "validation", 10)["loss"])
        model.train()

    results = []
    for cores, hooks in ((1, []), (2, []), (2, [hook])):
        processes(cores)
        model = large()
        results.append(trained(model, OPTIMIZERS["adam"], 2, hooks=hooks))
    assert results[0] == results[1] == results[2] and len({*seen}) == 5, (
        "the hook must see the parameters move"
    )


@needs_fork
def test_parameters_that_moved_away_are_noticed(processes):
    processes(2)
    model = large()
    with pytest.raises(InputError, match="have moved since this optimizer was made"):
        trained(model, OPTIMIZERS["adam"], 2, hooks=[lambda progress: model.encoder.flatten()])


# -- errors ----------------------------------------------------------------------------------------


@needs_fork
@pytest.mark.parametrize("side", ["source", "target_in", "target_out"])
def test_an_error_in_another_process_is_that_of_one_process_and_the_next_step_works(
    processes, side
):
    messages, batch = [], batch_of()
    bad = Batch(*(ids.copy() for ids in batch))
    getattr(bad, side)[1, 0] = 99  # a row of the second share
    for cores in (1, 2):
        processes(cores)
        model = small(dropout=0.3)
        with strategy_of(model, CrossEntropy(padding=0), Adam(model), 2) as shares:
            messages.append(refusal(shares.compute, bad))
            model.clear_saves()
            for _ in range(2):
                messages.append([shares.compute(batch), model.flat_buffers().grad.tobytes()])
                shares.update()
                messages[-1].append(model.flat_buffers().data.tobytes())
    assert messages[:3] == messages[3:] and "99" in messages[0]


@needs_fork
@pytest.mark.parametrize("when", ["before", "while", "between"])
def test_a_process_that_is_killed_is_reported_and_nothing_is_left(processes, when):
    processes(3)
    model, batch = small(), batch_of()
    with pytest.raises(
        ChildProcessError, match=r"exit code -9; .*train a new run in one process: --shares 1\."
    ):
        with strategy_of(model, CrossEntropy(padding=0), Adam(model), 3) as shares:
            children = [fork.process for fork in shares.forks]
            shares.compute(batch)
            victim = children[1]
            if when == "while":
                os.kill(victim.pid, signal.SIGSTOP)
                forward = shares.loss.forward
                shares.loss.forward = lambda *inputs: (
                    os.kill(victim.pid, signal.SIGKILL) or forward(*inputs)
                )
            else:
                os.kill(victim.pid, signal.SIGKILL)
                victim.join(10)
            shares.update() if when == "between" else shares.compute(batch)
    assert not any(child.is_alive() for child in children)


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


class Boom(Exception):
    pass


@needs_fork
@pytest.mark.parametrize("error", [None, Boom, KeyboardInterrupt])
def test_after_the_block_no_process_is_alive_and_products_take_their_threads_again(
    processes, error
):
    processes(3)
    model = small()
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        with (
            contextlib.suppress(error or Boom),
            strategy_of(model, CrossEntropy(padding=0), Adam(model), 3) as shares,
        ):
            children = [fork.process for fork in shares.forks]
            assert len(children) == 2 and all(child.is_alive() for child in children)
            assert {*blas_threads()} == {1}
            shares.compute(batch_of())
            if error:
                raise error
        assert blas_threads() == before and {*before} == {2}
    assert not any(child.is_alive() for child in children)
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child.pid, 0)


@needs_fork
@pytest.mark.parametrize("where", ["forward", "hook", "signal"])
def test_ctrl_c_in_a_step_leaves_no_process(processes, where):
    processes(2)
    model, steps, here = large(), [], os.getpid()
    forward = model.forward

    def interrupted(*inputs):
        if os.getpid() == here:
            steps.append(1)
            if len(steps) == 3 and where == "forward":
                raise KeyboardInterrupt
            if len(steps) == 3 and where == "signal":
                os.kill(here, signal.SIGINT)
        return forward(*inputs)

    def hook(progress):
        if progress.step == 3 and where == "hook":
            raise KeyboardInterrupt

    model.forward = interrupted
    before = {*multiprocessing.active_children()}
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            trained(model, OPTIMIZERS["adam"], 2, steps=6, hooks=[hook])
    finally:
        signal.signal(signal.SIGINT, handler)  # a test that runs in the background ignores Ctrl-C
    assert {*multiprocessing.active_children()} == before and len(steps) == 3
    del model.forward
    optimizer = Adam(model, 0.01)
    # and one may go on
    train(model, CrossEntropy(padding=0), optimizer, lambda: batch_of(), 2, strategy=in_shares(2))
    assert optimizer.t == 2 and not model.leftover_saves()


def explosion(rows):
    """A Transformer whose embedding of token 16 is too large for one product, and a batch with it
    in these rows."""
    model, batch = small(dropout=0.2), batch_of(vocabulary=16)
    model.source_input.embedding.weight.data[16] = 1e200
    for row in rows:
        batch.source[row, 0] = 16
    return model, batch


@pytest.mark.parametrize("rows", [[0], [1], [3, 4]])
def test_a_number_that_is_not_finite_is_found_in_the_same_component(processes, rows):
    sentences = []
    for count, cores in ((1, 1), (2, 1), (2, 2), (3, 3)):
        processes(cores)
        model, batch = explosion(rows)
        before = model.state_dict()
        with np.errstate(all="ignore"), pytest.raises(NonFiniteError) as caught:
            train(
                model, CrossEntropy(padding=0), Adam(model), lambda batch=batch: batch, 5, 1.0,
                strategy=in_shares(count),
            )
        sentences.append(str(caught.value))
        assert not model.leftover_saves()
        for name, value in model.state_dict().items():
            np.testing.assert_array_equal(value, before[name])
    assert len({*sentences}) == 1 and re.search(
        r"Step 1 stopped.* output of encoder\.layers\.0\.", sentences[0]
    )


@pytest.mark.parametrize("cores", [1, 2])
def test_a_parameter_that_is_not_finite_is_named_with_shares_too(processes, cores):
    processes(cores)
    model = small()

    def poison(progress):
        if progress.step == 2:
            model.decoder.layers[1].cross_attention.key.weight.data[3, 2] = np.nan

    named = pytest.raises(
        NonFiniteError, match=r"Step 3 .*parameter decoder\.layers\.1\.cross_attention\.key"
    )
    with np.errstate(all="ignore"), named:
        train(
            model,
            CrossEntropy(padding=0),
            Adam(model),
            batch_of,
            5,
            1.0,
            [poison],
            strategy=in_shares(2),
        )


@pytest.mark.slow
@needs_fork
@pytest.mark.parametrize("when", ["share", "step", "before", "long message"])
def test_a_process_that_is_stopped_does_not_hold_up_the_training_for_ever(
    processes, monkeypatch, when
):
    processes(3)
    monkeypatch.setattr("minitransformer.parallel.processes.STOPPED_TOO_LONG", 0.5)
    model, batch = small(), batch_of()
    with pytest.raises(
        ChildProcessError, match=r"stopped by a signal .*--resume RUN.*--shares 1\."
    ):
        with strategy_of(model, CrossEntropy(padding=0), Adam(model), 3) as shares:
            children = [fork.process for fork in shares.forks]
            shares.compute(batch)
            if when == "share":
                forward = shares.loss.forward
                shares.loss.forward = lambda *inputs: (
                    os.kill(children[1].pid, signal.SIGSTOP) or forward(*inputs)
                )
            else:
                os.kill(children[1].pid, signal.SIGSTOP)
            if when == "long message":
                batch = Batch(*(np.tile(ids, (5000, 1)) for ids in batch))
            shares.update() if when == "step" else shares.compute(batch)
    assert not any(child.is_alive() for child in children)


@needs_fork
def test_a_process_that_was_stopped_for_a_moment_goes_on_as_if_it_had_not_been(processes):
    processes(2)
    model, batch = small(), batch_of()
    with strategy_of(model, CrossEntropy(padding=0), Adam(model), 2) as shares:
        os.kill(shares.forks[0].process.pid, signal.SIGSTOP)
        timer = threading.Timer(0.6, os.kill, (shares.forks[0].process.pid, signal.SIGCONT))
        timer.start()
        try:
            close(shares.compute(batch), whole(small(), CrossEntropy(padding=0), batch)[0])
        except ChildProcessError as problem:
            pytest.fail(f"it was given up: {problem}")
        finally:
            timer.join()


@needs_fork
def test_ctrl_c_ends_a_training_whose_other_process_is_stopped(processes):
    processes(2)
    model, steps, began = large(), [], time.monotonic()

    def hook(progress):
        steps.append(progress.step)
        victim = next(iter({*multiprocessing.active_children()} - before))
        os.kill(victim.pid, signal.SIGSTOP)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    before = {*multiprocessing.active_children()}
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            trained(model, OPTIMIZERS["adam"], 2, steps=3, hooks=[hook])
    finally:
        signal.signal(signal.SIGINT, handler)
    assert (
        steps == [1]
        and {*multiprocessing.active_children()} == before
        and time.monotonic() - began < 8
    )


# -- runs ------------------------------------------------------------------------------------------

OPTIONS = (
    "--d-model 16 --heads 2 --d-ff 24 --encoder-layers 1 --decoder-layers 1 --steps 3 --no-pictures"
)


def config(model="transformer", d_model=16, d_ff=24, **training):
    made = small_config(model, **{"steps": 12, "batch_size": 7, **training})
    made["model"]["options"].update({"d_model": d_model, "d_ff": d_ff} if d_model > 16 else {})
    return made


@pytest.mark.slow
@needs_fork
@pytest.mark.parametrize("model", ["transformer", "language-model", "rnn-additive"])
def test_a_run_with_two_shares_that_was_interrupted_ends_as_if_it_had_not_been(
    tmp_path, processes, model
):
    processes(2)
    together = finished(Run.create(tmp_path / "whole", config(model, shares=2)))
    part = Run.create(tmp_path / "part", config(model, shares=2))
    part.last_step = 7
    finished(part)
    rest = finished(Run.resume(tmp_path / "part"))
    assert weights_and_state(rest) == weights_and_state(together)
    processes(1)
    alone = finished(Run.create(tmp_path / "alone", config(model, shares=2)))
    assert weights_and_state(alone) == weights_and_state(together)
    one = finished(Run.create(tmp_path / "one", config(model, shares=1)))
    assert weights_and_state(one)[0] != weights_and_state(together)[0]
    assert rest.metrics.read()[-1]["exact_match"] == together.metrics.read()[-1]["exact_match"]


@needs_fork
def test_ctrl_c_on_a_run_with_two_shares_is_saved(tmp_path, processes):
    processes(2)
    together = finished(Run.create(tmp_path / "whole", config(shares=2)))
    stopped = Run.create(tmp_path / "run", config(shares=2))
    with Save(stopped) as save, pytest.raises(Interrupted):
        stopped.train([save, lambda p: p.step == 6 and os.kill(os.getpid(), signal.SIGINT)])
    assert Run.open(tmp_path / "run").optimizer.t == 7
    resumed = Run.resume(tmp_path / "run")
    with Save(resumed) as save:
        resumed.train([Log(resumed), Evaluate(resumed), Snapshots(resumed), save])
    assert weights_and_state(resumed) == weights_and_state(together)


@pytest.mark.parametrize("cores", [1, 2, 8])
@pytest.mark.parametrize("given, kept", [({}, 2), ({"shares": 1}, 1), ({"shares": 3}, 3)])
def test_a_runs_config_says_how_many_shares_it_has_and_no_machine_does(
    tmp_path, monkeypatch, cores, given, kept
):
    monkeypatch.setattr("minitransformer.training.strategies.cores", lambda: cores)
    Run.create(tmp_path / "run", config(**given))
    assert json.loads((tmp_path / "run" / "config.json").read_text())["training"]["shares"] == kept
    monkeypatch.setattr("minitransformer.training.strategies.cores", lambda: 5)
    assert Run.resume(tmp_path / "run").options.shares == kept


@pytest.mark.parametrize("shares", [{}, {"shares": 1}, {"shares": 3}], ids=str)
def test_the_numbers_of_a_run_are_the_same_on_every_number_of_cores_and_of_threads(
    tmp_path, processes, shares
):
    """Of BLAS too, whose threads cut a product's sums elsewhere."""
    runs = []
    for cores, threads in ((1, 1), (1, 2), (2, 2), (4, 1)):
        processes(cores)
        seen = []
        with threadpool_limits(threads, "blas"):
            run = Run.create(
                tmp_path / f"{cores} {threads}",
                config(d_model=64, d_ff=256, batch_size=64, steps=4, **shares),
            )
            run.train([lambda p, seen=seen: seen.append({*blas_threads()})])
        assert seen == 4 * [{1}]
        runs.append(weights_and_state(run))
    assert runs[0] == runs[1] == runs[2] == runs[3]


def test_shares_in_a_loop_of_ones_own_are_the_same_on_every_number_of_threads(processes):
    processes(1)
    with threadpool_limits(2, "blas"):
        model = small()
        with strategy_of(model, CrossEntropy(padding=0), SGD(model), 2):
            assert {*blas_threads()} == {1}
        with strategy_of(model, CrossEntropy(padding=0), SGD(model), 1):
            assert {*blas_threads()} == {2}
        assert {*blas_threads()} == {2}


@pytest.mark.parametrize("shares", [0, -1])
def test_less_than_one_share_is_refused_by_the_options_too(shares):
    with pytest.raises(InputError, match=f"shares must be at least 1, got {shares}"):
        TrainingOptions(shares=shares)


def test_more_shares_than_sequences_cost_nothing(monkeypatch):
    counts = []
    monkeypatch.setattr(
        "minitransformer.training.shares.dealt",
        lambda lengths, count: counts.append(count) or dealt(lengths, min(count, 9)),
    )
    assert len(cut(batch_of(), 10**6)) == counts[0] == 7


@pytest.mark.parametrize("cores", [1, 2])
def test_a_run_from_before_there_were_shares_goes_on_with_one(tmp_path, processes, cores):
    processes(cores)
    Run.create(tmp_path / "run", config())
    path = tmp_path / "run" / "config.json"
    old = json.loads(path.read_text())
    del old["training"]["shares"], old["id"]
    path.write_text(json.dumps(old))
    before = Run.resume(tmp_path / "run")
    before.last_step = 5
    finished(before)
    assert load_checkpoint(before.checkpoints()[-1])[1]["config"]["training"]["shares"] == 1
    path.write_text(json.dumps(old))  # its config.json is older than its checkpoint
    assert Run.open(tmp_path / "run").options.shares == 1
    assert finished(Run.resume(tmp_path / "run")).optimizer.t == 12


@pytest.mark.parametrize("shares", [1, 2])
def test_the_number_of_shares_is_asked_of_the_command(tmp_path, capsys, processes, shares):
    processes(1)
    status, _, said = run(
        f"train copy {OPTIONS} --shares {shares} --out '{tmp_path / 'run'}'", capsys
    )
    assert status == 0, said
    assert Run.open(tmp_path / "run").options.shares == shares
    status, _, said = run(f"train copy {OPTIONS} --shares -2 --out '{tmp_path / 'other'}'", capsys)
    assert status == 2 and "shares must be at least 1, got -2" in said


@pytest.mark.slow
@needs_fork
@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_a_signal_to_all_processes_at_once_is_saved_and_can_be_continued(tmp_path, number):
    folder = tmp_path / "run"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    options = (
        "--d-model 32 --heads 2 --d-ff 48 --encoder-layers 1 --decoder-layers 1 --batch-size 16"
    ).split()
    command = [sys.executable, "-m", "minitransformer", "train"]
    options += (
        "--steps 20000 --save-every 20000 --log-every 1 --shares 2 --no-pictures --out".split()
    )
    process = subprocess.Popen(
        [*command, "reverse", *options, str(folder)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    metrics, deadline = folder / "metrics.jsonl", time.monotonic() + 60
    while (
        not (metrics.exists() and metrics.stat().st_size)
        and process.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    time.sleep(0.2)
    os.killpg(process.pid, number)
    try:
        out, said = process.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    step = Run.open(folder).optimizer.t
    assert process.returncode == 128 + number, said.decode()
    assert (
        0 < step < 20000
        and f"Stopped and saved at step {step}" in out.decode()
        and "Traceback" not in said.decode()
    )
    further = [*command, "--resume", str(folder), "--steps", str(step + 3), "--no-pictures"]
    subprocess.run(further, env=environment, check=True, capture_output=True)
    assert Run.open(folder).optimizer.t == step + 3


# -- what went wrong before ------------------------------------------------------------------------


class Told(Module):
    """A model of one parameter, and a loss (below) that is whatever the first target of its share
    says."""

    def __init__(self):
        self.weight = Parameter.ones(2)

    def forward(self, source, target_in):
        self.save()
        return target_in[..., None].astype(float)

    def backward(self, d_y):
        self.saved()
        self.weight.grad += 1


class Telling(CrossEntropy):
    def forward(self, x, targets):
        return {1: 3.0, 2: 3 * 2.0**-53}[int(targets[0, 0])]

    def backward(self, d_loss=1.0):
        return np.ones((1, 1, 1))


@needs_fork
def test_the_loss_of_three_shares_is_the_same_to_the_last_bit(processes):
    values, ids = [], np.array([[1], [2], [2]])
    for cores in (1, 3):
        processes(cores)
        model = Told()
        with strategy_of(model, Telling(), SGD(model), 3) as shares:
            values.append(shares.compute(Batch(ids, ids, ids)))
    assert values[0] == values[1]


@needs_fork
@pytest.mark.parametrize("error", ["id", "ctrl-c"])
def test_an_error_in_this_process_leaves_the_others_in_step(processes, error):
    processes(2)
    model, batch = small(), batch_of()
    bad = Batch(*(ids.copy() for ids in batch))
    bad.source[0, 0] = 99  # a row of the first share
    with strategy_of(model, CrossEntropy(padding=0), Adam(model), 2) as shares:
        with pytest.raises((InputError, KeyboardInterrupt)):
            if error == "id":
                shares.compute(bad)
            else:
                model.forward = interrupt
                shares.compute(batch)
        vars(model).pop("forward", None)
        model.clear_saves()
        for _ in range(2):
            close(
                shares.compute(batch_of(1)), whole(small(), CrossEntropy(padding=0), batch_of(1))[0]
            )


def interrupt(*inputs):
    raise KeyboardInterrupt


@needs_fork
def test_an_error_in_the_step_of_another_process_does_not_pass_in_silence(processes):
    processes(2)
    model, here = large(), os.getpid()
    optimizer = Adam(model, 0.01)
    shares = strategy_of(model, CrossEntropy(padding=0), optimizer, 2)
    rule = optimizer.rule

    def failing(*arguments):
        if os.getpid() != here:
            raise FloatingPointError
        return rule(*arguments)

    optimizer.rule = failing
    with pytest.raises((FloatingPointError, ChildProcessError)), shares:
        shares.compute(batch_of())
        shares.update()


@needs_fork
def test_an_error_in_this_process_at_its_part_of_the_step_leaves_the_others_in_step(processes):
    processes(2)
    model, batch = small(), batch_of()
    with strategy_of(model, CrossEntropy(padding=0), SGD(model, 0.0), 2) as shares:
        shares.compute(batch)
        shares.optimizer.update = interrupt
        with pytest.raises(KeyboardInterrupt):
            shares.update()
        del shares.optimizer.update
        for _ in range(2):
            close(shares.compute(batch), whole(small(), CrossEntropy(padding=0), batch)[0])


def test_a_share_without_any_source_adds_up_with_the_others(processes):
    processes(1)
    batch = batch_of(rows=2)
    batch.source[1] = 0
    assert_shares_equal_the_whole(small(), batch, 2)


@needs_fork
def test_parameters_that_were_moved_away_meanwhile_stay_where_they_are(processes):
    processes(2)
    model = small().to("float32")
    with strategy_of(model, CrossEntropy(padding=0), Adam(model), 2):
        model.to("float64")
        values = model.state_dict()
    for name, value in model.state_dict().items():
        assert value.dtype == np.float64 and np.array_equal(value, values[name])


@needs_fork
def test_a_process_forked_after_the_training_has_parameters_of_its_own(processes):
    processes(2)
    model = small()
    optimizer = Adam(model)
    train(model, CrossEntropy(padding=0), optimizer, batch_of, 1, strategy=in_shares(2))
    arrays = [
        optimizer.flat.data, optimizer.flat.grad, optimizer.first_moment, optimizer.second_moment,
    ]
    before = [array.copy() for array in arrays]
    assert (
        all(array.any() for array in before)
        and optimizer.flat.intact()
        and model.flat_buffers() is optimizer.flat
    )
    fork = Fork(
        lambda: lambda message: b"" if any(array.fill(0) for array in arrays) else b"done", (), ""
    )
    fork.send(b"")
    assert fork.receive() == b"done"
    fork.close()
    for array, kept in zip(arrays, before):
        assert np.array_equal(array, kept)


@needs_fork
def test_the_command_says_that_a_process_was_killed_and_nothing_more(
    tmp_path, capsys, processes, monkeypatch
):
    processes(2)
    monkeypatch.setattr(
        "minitransformer.training.data_parallel.DataParallel.compute",
        lambda self, batch: kill_one(self),
    )
    status, _, said = run(f"train copy {OPTIONS} --shares 2 --out '{tmp_path / 'run'}'", capsys)
    assert status == 1 and said.rstrip().endswith("--shares 1.")


def kill_one(strategy):
    strategy.forks[0].process.kill()
    strategy.forks[0].process.join()
    strategy.forks[0].receive()
