"""The helpers one floor down: each equals the plain formula that it stands for."""

import itertools
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from common import close
from threadpoolctl import threadpool_info, threadpool_limits

from minitransformer.attention import causal_mask, padding_mask
from minitransformer.backend import (
    add_rows,
    affine,
    array_module,
    as_numpy,
    centre,
    feature_mean,
    feature_product,
    feature_sum,
    in_blocks,
    keep_mask,
    keys_outermost,
    move,
    nearest_keep,
    normal_cdf,
    normal_density,
    position_product,
    position_sum,
    query_key_product,
    update_mean,
)
from minitransformer.backend.products import without_blas
from minitransformer.backend.reductions import FEW, LARGE
from minitransformer.backend.scores import first_to
from minitransformer.backend.updates import BLOCK
from minitransformer.errors import InputError
from minitransformer.parallel import processes
from minitransformer.parallel.processes import (
    FORK_IS_SAFE,
    Fork,
    cores,
    from_bytes,
    one_blas_thread,
    received,
    shared,
    to_bytes,
)
from minitransformer.terminal.interruption import ENDING

# -- NumPy or CuPy ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x", [np.zeros(3), np.float32(1), 1.5, 2, True], ids=lambda x: type(x).__name__
)
def test_numpy_arrays_and_numbers_belong_to_numpy(x):
    assert array_module(x) is np


def test_cupy_is_never_imported_for_a_numpy_array(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # an import of cupy would now raise
    assert array_module(np.zeros(3)) is np
    assert move(np.ones(2), "cpu").sum() == 2


def test_an_array_names_its_own_library():
    class Foreign:
        def __array_namespace__(self):
            return math

    assert array_module(Foreign()) is math


def test_the_type_of_a_cupy_array_is_enough_to_choose_cupy(monkeypatch):
    stub = type(sys)("cupy")
    monkeypatch.setitem(sys.modules, "cupy", stub)
    Array = type("ndarray", (), {"__module__": "cupy._core.core"})
    assert array_module(Array()) is stub


@pytest.mark.parametrize("x", [[1.0, 2.0], "text", None], ids=["list", "str", "None"])
def test_what_is_no_array_is_refused_with_its_type_and_the_remedy(x):
    with pytest.raises(InputError) as caught:
        array_module(x)
    assert type(x).__name__ in str(caught.value) and "asarray" in str(caught.value)


def test_moving_to_the_cpu_keeps_a_numpy_array_itself():
    x = np.ones(3)
    assert move(x, "cpu") is x and as_numpy(x) is x


def test_an_array_from_a_device_is_fetched():
    class OnDevice:
        def get(self):
            return np.arange(3)

    assert as_numpy(OnDevice()).tolist() == [0, 1, 2]


def test_an_unknown_device_is_named_with_the_choices():
    with pytest.raises(InputError, match="'tpu'.*cpu, gpu, auto"):
        move(np.ones(3), "tpu")


def test_a_gpu_without_cupy_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(InputError, match=r"pip install 'cupy-cuda12x\[ctk\]'"):
        move(np.ones(3), "gpu")


# -- sums ------------------------------------------------------------------------------------------

SHAPES = [(7,), (5, 7), (3, 5, 7), (2, 3, 5, 7), (4, 4, 4), (3, 1, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums_over_features_and_positions_equal_numpys(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    close(feature_sum(x), x.sum(axis=-1, keepdims=True))
    close(feature_mean(x), x.mean(axis=-1, keepdims=True))
    close(centre(x), x - x.mean(axis=-1, keepdims=True))
    close(position_sum(x), x.reshape(-1, shape[-1]).sum(axis=0))


@pytest.mark.parametrize("features", [3, 49, 100, 784, 1000])
def test_a_mean_over_features_loses_nothing_that_its_sum_has(features):
    """In float32 1/D is rounded for these D; the sum of equal whole numbers, and its quotient by D,
    are not."""
    x = np.full((5, features), 255, dtype=np.float32)
    assert (feature_mean(x) == 255).all()
    assert not centre(x + np.float32(0.1)).any()


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
def test_products_over_features_and_positions_equal_the_einsum(shape):
    rng = np.random.default_rng(1)
    x, weight = rng.standard_normal(shape), rng.standard_normal((shape[-1], 4))
    close(feature_product(x, weight), np.einsum("...d,de->...e", x, weight))
    y = rng.standard_normal((*shape[:-1], 4))
    places = np.ndindex(*shape[:-1])
    close(position_product(x, y), sum(np.outer(x[place], y[place]) for place in places))


@pytest.mark.parametrize("rows", [(1,), (2,), (3, 5), (FEW,), (FEW + 1,)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_few_rows_times_a_large_weight(rows, dtype, order):
    rng = np.random.default_rng(8)
    features, outputs = 300, LARGE // 300 + 1
    x = rng.standard_normal((*rows, features)).astype(dtype)
    weight = rng.standard_normal((features, outputs))
    weight = np.asarray(weight, dtype, order=order)
    product = feature_product(x, weight)
    assert (
        product.dtype == dtype and product.flags.c_contiguous and product.shape == (*rows, outputs)
    )
    close(
        product, np.einsum("...d,de->...e", x, weight), atol=1e-11 if dtype == np.float64 else 1e-3
    )


@pytest.mark.parametrize("rows", [(3, 5), (2,)])
def test_an_affine_map_is_the_product_and_the_bias_and_changes_neither(rows):
    rng = np.random.default_rng(5)
    x, weight = rng.standard_normal((*rows, 7)), rng.standard_normal((7, 4))
    bias = rng.standard_normal(4)
    inputs = [array.copy() for array in (x, weight, bias)]
    close(affine(x, weight, bias), np.einsum("...d,de->...e", x, weight) + bias)
    assert np.array_equal(affine(x, weight, None), feature_product(x, weight))
    assert all(map(np.array_equal, inputs, (x, weight, bias)))


def test_sums_and_products_take_arrays_that_are_not_contiguous():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((5, 3, 7)).transpose(1, 0, 2)[:, ::2]
    y = rng.standard_normal((3, 6, 4))[:, ::2]
    weight = rng.standard_normal((4, 7)).T
    close(feature_sum(x), x.sum(axis=-1, keepdims=True))
    close(centre(x), x - x.mean(axis=-1, keepdims=True))
    close(position_sum(x), x.sum(axis=(0, 1)))
    close(position_product(x, y), np.einsum("btd,bte->de", x, y))
    close(feature_product(x, weight), np.einsum("btd,de->bte", x, weight))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", [(), (2,), (3, 1)])
def test_a_product_for_a_numpy_without_blas_is_the_product_and_reads_contiguous_memory(
    dtype, batch, monkeypatch
):
    rng, matmul, orders = np.random.default_rng(8), np.matmul, []

    def noted(a, b, out):
        orders.append(a.flags.c_contiguous and b.swapaxes(-1, -2).flags.c_contiguous)
        return matmul(a, b, out)

    monkeypatch.setattr(np, "matmul", noted)
    a, b = (rng.integers(-9, 9, (*batch, *shape)).astype(dtype) for shape in ((4, 3), (3, 5)))
    turned = [x.swapaxes(-1, -2).copy().swapaxes(-1, -2) for x in (a, b)]
    for left in (a, turned[0]):
        for right in (b, turned[1]):
            out = np.empty((*batch, 4, 5), dtype)
            assert without_blas(left, right, out) is out
            assert np.array_equal(out, np.einsum("...ik,...kj->...ij", a, b))
            assert np.array_equal(without_blas(left, right), out)
    assert len(orders) == 8 and all(orders)


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_over_positions_can_be_written_into_memory_that_is_there(shape, dtype):
    rng = np.random.default_rng(4)
    x = rng.standard_normal(shape).astype(dtype)
    y = rng.standard_normal((*shape[:-1], 4)).astype(dtype)
    memory = np.full(shape[-1] * 4 + 5, np.nan, dtype)
    out = memory[3:-2].reshape(shape[-1], 4)
    returned = position_product(x, y, out=out)
    assert np.shares_memory(returned, out) and np.array_equal(out, position_product(x, y))
    assert np.isnan(memory[:3]).all() and np.isnan(memory[-2:]).all()


@pytest.mark.parametrize("helper", [
    feature_sum, feature_mean, centre, position_sum, normal_cdf, normal_density,
])  # fmt: skip
def test_a_reduction_keeps_the_dtype_and_its_input(helper):
    for dtype in (np.float32, np.float64):
        x = np.random.default_rng(3).standard_normal((3, 5, 7)).astype(dtype)
        before = x.copy()
        assert helper(x).dtype == dtype
        assert np.array_equal(x, before)


@pytest.mark.parametrize("batch, heads, queries, keys, width", [
    (3, 4, 5, 7, 11), (3, 3, 3, 3, 3), (3, 4, 1, 7, 11),
])  # fmt: skip
def test_scores_are_queries_times_keys(batch, heads, queries, keys, width):
    rng = np.random.default_rng(4)
    q = rng.standard_normal((batch, heads, queries, width))
    k = rng.standard_normal((batch, heads, keys, width))
    scores = query_key_product(q, k)
    close(scores, np.einsum("bhtk,bhsk->bhts", q, k))
    close(query_key_product(q, k, 0.3), 0.3 * scores)


def test_scores_of_batches_that_broadcast_and_of_two_precisions():
    q = np.random.default_rng(4).standard_normal((3, 1, 5, 4))
    k = np.ones((2, 7, 4), dtype=np.float32)
    scores = query_key_product(q, k)
    assert scores.shape == (3, 2, 5, 7) and scores.dtype == np.float64
    close(scores, q @ k.swapaxes(-1, -2))


def test_the_key_axis_of_scores_is_outermost_in_memory_and_stays_so_under_a_mask():
    scores = query_key_product(np.ones((2, 3, 5, 11)), np.ones((2, 3, 7, 11)))
    assert scores.strides[-1] == 2 * 3 * 5 * scores.itemsize == max(scores.strides)
    ids = np.array([[5, 6, 7, 5, 6, 7, 0], [5, 6, 0, 0, 0, 0, 0]])
    for mask in (padding_mask(ids), causal_mask(7, last=5) & padding_mask(ids)):
        assert mask.strides[-1] == max(
            stride for stride, size in zip(mask.strides, mask.shape) if size > 1
        )
        assert np.where(mask, scores, -np.inf).strides == scores.strides


@pytest.mark.parametrize("place", [-1, -2, -3, -4])
def test_the_first_axis_moves_as_moveaxis_moves_it(place):
    x = np.arange(120).reshape(2, 3, 4, 5)
    moved = first_to(x, place)
    assert np.array_equal(moved, np.moveaxis(x, 0, place)) and np.shares_memory(moved, x)


@pytest.mark.parametrize("shape", [(3, 1, 1, 7), (1, 1, 5, 7), (7,), (2, 3, 4)])
def test_a_mask_with_its_keys_outermost_is_the_same_mask(shape):
    mask = np.random.default_rng(5).random(shape) < 0.5
    np.testing.assert_array_equal(keys_outermost(mask), mask)


# -- scatter-add -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ids", [[3], [2, 2, 2, 2], [0, 1, 2, 3, 4], [4, 0, 4, 2, 0, 4], [1, 0]],
    ids=["one", "same", "all", "mixed", "down"],
)
def test_add_rows_equals_add_at_with_repeated_ids(ids):
    rng = np.random.default_rng(5)
    ids = np.array(ids)
    table, rows = rng.standard_normal((5, 3)), rng.standard_normal((len(ids), 3))
    expected = table.copy()
    for n, v in enumerate(ids):
        expected[v] += rows[n]
    untouched, rows_before, ids_before = np.setdiff1d(np.arange(5), ids), rows.copy(), ids.copy()
    kept = table[untouched].copy()
    add_rows(table, ids, rows)
    close(table, expected)
    assert np.array_equal(table[untouched], kept)
    assert np.array_equal(rows, rows_before) and np.array_equal(ids, ids_before)


def test_add_rows_equals_add_at_on_many_ids():
    rng = np.random.default_rng(6)
    ids = rng.integers(0, 50, size=2000)
    table, rows = rng.standard_normal((60, 8)), rng.standard_normal((2000, 8))
    expected = table.copy()
    np.add.at(expected, ids, rows)
    add_rows(table, ids, rows)
    close(table, expected)


def test_add_rows_writes_into_a_view_of_a_float32_buffer():
    buffer = np.zeros(20, dtype=np.float32)
    add_rows(buffer[5:15].reshape(5, 2), np.array([1, 1]), np.ones((2, 2), dtype=np.float32))
    assert buffer.dtype == np.float32 and buffer.sum() == 4 and buffer[7] == buffer[8] == 2


# -- the normal distribution -----------------------------------------------------------------------


def exact_cdf(x):
    return np.array([0.5 * math.erfc(-float(v) / math.sqrt(2)) for v in x])


@pytest.mark.parametrize("dtype, atol", [(np.float64, 3e-14), (np.float32, 2e-7)])
def test_the_distribution_is_accurate(dtype, atol):
    small = np.geomspace(1e-12, 1, 200)
    x = np.concatenate([np.linspace(-10, 10, 20001), small, -small]).astype(dtype)
    y = normal_cdf(x)
    assert y.dtype == dtype and y.min() >= 0 and y.max() <= 1
    close(y, exact_cdf(x), atol=atol)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_distribution_ends_at_0_and_1(dtype):
    x = np.array([-np.inf, -1e30, -9.0, 0.0, 9.0, 1e30, np.inf], dtype=dtype)
    assert normal_cdf(x).tolist() == [0, 0, 0, 0.5, 1, 1, 1]
    assert np.isnan(normal_cdf(np.array([np.nan], dtype=dtype))).all()


@pytest.mark.parametrize("dtype, atol", [(np.float64, 1e-16), (np.float32, 1e-7)])
def test_the_density_is_that_of_the_formula(dtype, atol):
    x = np.random.default_rng(0).standard_normal((3, 5, 11)).astype(dtype) * 2
    y = normal_density(x)
    assert y.dtype == dtype
    close(y, np.exp(-(x.astype(float) ** 2) / 2) / math.sqrt(2 * math.pi), atol=atol)
    assert normal_density(np.array([-np.inf, np.inf], dtype=dtype)).tolist() == [0, 0]


# -- coin flips ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1,), (2, 3), (3, 5, 11), (4, 4)], ids=str)
def test_a_keep_mask_has_the_shape_of_its_model_and_is_boolean(shape):
    mask = keep_mask(np.random.default_rng(7), 0.5, like=np.zeros(shape, dtype=np.float32))
    assert mask.shape == shape and mask.dtype == bool


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)], ids=str)
def test_a_keep_mask_lies_in_memory_as_what_it_drops(axes):
    like = np.empty((3, 5, 7)).transpose(axes)
    mask, plain = (
        keep_mask(np.random.default_rng(7), 0.5, like=x) for x in (like, np.empty((3, 5, 7)))
    )
    assert mask.shape == like.shape and [8 * step for step in mask.strides] == [*like.strides]
    assert np.array_equal(mask, plain.transpose(axes))  # the same draws, in the order of the memory


@pytest.mark.parametrize("keep", [0.9, 0.5, 0.1])
def test_a_keep_mask_keeps_the_right_share(keep):
    mask = keep_mask(np.random.default_rng(8), keep, like=np.zeros((1000, 200)))
    deviation = math.sqrt(keep * (1 - keep) / mask.size)
    assert abs(mask.mean() - keep) < 5 * deviation


def test_neighbouring_elements_of_a_keep_mask_are_independent():
    mask = keep_mask(np.random.default_rng(9), 0.5, like=np.zeros(400_000)).astype(float)
    for lag in (1, 2, 3, 4):
        assert abs(np.corrcoef(mask[:-lag], mask[lag:])[0, 1]) < 0.01, lag


def test_a_keep_mask_repeats_with_its_seed_and_goes_on_with_its_generator():
    like = np.zeros(100)
    a, b = np.random.default_rng(10), np.random.default_rng(10)
    first, second = keep_mask(a, 0.5, like), keep_mask(a, 0.5, like)
    assert np.array_equal(first, keep_mask(b, 0.5, like))
    assert np.array_equal(second, keep_mask(b, 0.5, like))
    assert not np.array_equal(first, second)


def test_keeping_everything_keeps_everything():
    assert keep_mask(np.random.default_rng(11), 1.0, like=np.zeros(100_000)).all()


@pytest.mark.parametrize("keep", [0.9, 0.7, 1 / 3, 0.123456, 1e-3, 1 - 1e-6, 1e-9])
def test_the_nearest_keep_is_a_positive_multiple_of_the_finest_step(keep):
    nearest = nearest_keep(keep)
    assert nearest > 0 and (nearest * 65536).is_integer()
    assert abs(nearest - keep) <= 1 / 131072 or nearest == 1 / 65536


# -- blocks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 23])
def test_blocks_cover_every_element_once_in_step(size):
    a, b = np.zeros(size), np.arange(size, dtype=float)

    def update(x, y):
        x += y + 1

    in_blocks(update, a, b, block=8)
    assert a.tolist() == [n + 1 for n in range(size)]
    assert b.tolist() == list(range(size))


def test_blocks_of_the_usual_size_reach_the_end_of_a_long_array():
    a = np.zeros(2 * BLOCK + 3, dtype=np.float32)

    def increment(x):
        assert len(x) <= BLOCK
        x += 1

    in_blocks(increment, a)
    assert a.min() == a.max() == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mean_is_updated_in_its_own_memory_by_its_plain_formula(dtype):
    rng = np.random.default_rng(0)
    mean, new = (rng.standard_normal(1000).astype(dtype) for _ in range(2))
    before, kept = mean.copy(), new.copy()
    assert update_mean(mean, 0.9, new) is None
    assert (
        mean.dtype == dtype
        and np.array_equal(mean, 0.9 * before + (1 - 0.9) * kept)
        and np.array_equal(new, kept)
    )


# -- processes -------------------------------------------------------------------------------------

needs_fork = pytest.mark.skipif(not FORK_IS_SAFE, reason="processes cannot be forked here")


def test_there_are_as_many_cores_as_this_process_may_use(monkeypatch):
    monkeypatch.setattr("minitransformer.parallel.processes.FORK_IS_SAFE", True)
    monkeypatch.setattr(
        os, "sched_getaffinity", lambda pid: {3, 5, 8} if pid == 0 else {1}, raising=False
    )
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert cores() == 3


def test_where_processes_cannot_be_forked_there_is_one_core(monkeypatch):
    monkeypatch.setattr("minitransformer.parallel.processes.FORK_IS_SAFE", False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 8}, raising=False)
    assert cores() == 1


@pytest.fixture
def forks():
    """A function that makes a Fork with this `start`; all of them are ended."""
    made = []

    def make(start):
        made.append(Fork(start, made[:], "Try again."))
        return made[-1]

    yield make
    for fork in made:
        fork.process.kill()
        fork.close()
    assert not {fork.process for fork in made} & {*multiprocessing.active_children()}


def echo():
    return lambda message: message


@needs_fork
def test_a_fork_has_one_core_because_it_may_not_fork(forks, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 8})
    fork = forks(lambda: lambda message: b"%d" % cores())
    fork.send(b"")
    assert fork.receive() == b"1" and cores() == 3


@needs_fork
def test_shared_arrays_have_the_values_and_are_one_memory_with_a_fork(forks):
    for dtype in (np.float32, np.float64):
        array = np.arange(5, dtype=dtype)
        ours, plain = shared(array), np.arange(5)
        assert (
            ours is not array
            and ours.dtype == dtype
            and ours.tolist() == [0, 1, 2, 3, 4]
            and shared(ours) is ours
        )

        def answer(message, ours=ours, plain=plain):
            ours[int(message)] *= 10
            plain[int(message)] *= 10
            return b"%d %d" % (ours.sum(), plain.sum())

        fork = forks(lambda answer=answer: answer)
        for message, reply in ((b"2", b"28 28"), (b"4", b"64 64")):
            fork.send(message)
            assert fork.receive() == reply
        assert (
            ours.tolist() == [0, 1, 20, 3, 40]
            and plain.tolist() == [0, 1, 2, 3, 4]
            and array[2] == 2
        )
        ours[0] = 100
        fork.send(b"1")
        assert fork.receive() == b"173 73"


def test_a_part_of_a_shared_array_is_not_taken_for_the_whole():
    whole = shared(np.arange(6.0))
    part = shared(whole[2:4])
    part[:] = 9
    assert whole.tolist() == [0, 1, 2, 3, 4, 5]
    assert shared(np.zeros(0)).shape == (0,)


@needs_fork
def test_a_fork_starts_by_itself_and_answers_in_order_whatever_is_long(forks):
    started = []

    def start():
        started.append(os.getpid())
        return lambda message: b"%d %d %s" % (os.getpid(), len(started), message)

    fork = forks(start)
    messages = [b"", b"x" * 3, bytes(range(256)) * 200]
    for message in messages:
        fork.send(message)
    for message in messages:
        assert fork.receive() == b"%d 1 %s" % (fork.process.pid, message)
    assert not started and fork.process.pid != os.getpid()


@needs_fork
def test_a_product_inside_takes_one_thread_and_afterwards_as_many_as_before():
    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    with threadpool_limits(2, "blas"):
        before = threads()
        assert before and set(before) == {2}
        with one_blas_thread():
            assert set(threads()) == {1}
        assert threads() == before
        with pytest.raises(KeyError), one_blas_thread():
            raise KeyError
        assert threads() == before


@needs_fork
@pytest.mark.parametrize("moment", ["send", "receive"])
def test_a_fork_that_was_killed_is_reported_with_its_exit_code_and_the_remedy(forks, moment):
    fork = forks(echo)
    if moment == "receive":
        os.kill(fork.process.pid, signal.SIGSTOP)
        fork.send(b"1")
    os.kill(fork.process.pid, signal.SIGKILL)
    if moment == "send":
        fork.process.join(10)
    sentence = r"has ended \(exit code -9; .*memory\)\. Try again\."
    with pytest.raises(ChildProcessError, match=sentence):
        fork.send(b"2")
        fork.receive()


@needs_fork
def test_a_fork_whose_answer_fails_says_so_and_answers_the_next(forks):
    fork = forks(lambda: lambda message: b"%d" % (6 // len(message)))
    replies = []
    for message in (b"ab", b"", b"abc"):
        fork.send(message)
        replies.append(fork.receive())
    assert replies == [b"3", None, b"2"]


@needs_fork
def test_a_fork_that_fails_at_its_start_is_reported(forks, capfd):
    fork = forks(lambda: 1 // 0)
    with pytest.raises(ChildProcessError, match="exit code 1"):
        fork.receive()
    assert "ZeroDivisionError" in capfd.readouterr().err


@needs_fork
@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_what_asks_all_processes_to_end_does_not_reach_a_fork(forks, number):
    """Ctrl-C, a closed terminal, a cluster: the first process decides when to stop."""
    # a test that runs in the background ignores it
    before = signal.signal(number, signal.default_int_handler)
    try:
        fork = forks(echo)
    finally:
        signal.signal(number, before)
    fork.send(b"ready")
    fork.receive()
    os.kill(fork.process.pid, number)
    fork.process.join(0.2)
    assert fork.process.is_alive()
    fork.send(b"still here")
    assert fork.receive() == b"still here"


@needs_fork
def test_a_fork_is_ended_whatever_it_is_doing(forks):
    busy, idle = forks(lambda: lambda message: time.sleep(100)), forks(echo)
    busy.send(b"")
    time.sleep(0.1)
    # who waits may notice first that the pipe is shut
    for fork, ends in ((busy, [-signal.SIGKILL]), (idle, [-signal.SIGKILL, 0])):
        fork.close()
        assert not fork.process.is_alive() and fork.process.exitcode in ends


PARENT = """
import os, sys, time
from minitransformer.parallel.processes import Fork
forks = []
for _ in range(3):
    forks.append(Fork(lambda: lambda message: message, forks, ""))
for fork in forks:
    fork.send(b"ready")
    fork.receive()
print(*(fork.process.pid for fork in forks), flush=True)
time.sleep(100)
"""


def alive(pid):
    """Whether a process runs: it is there, and not a dead one that nobody has buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


@needs_fork
def test_forks_end_when_their_parent_is_killed():
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], env=environment, stdout=subprocess.PIPE
    ) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 3 and all(map(alive, pids))
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 5
        while any(map(alive, pids)) and time.monotonic() < deadline:
            time.sleep(0.01)
        left = [pid for pid in pids if alive(pid)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left


def test_arrays_of_integers_arrive_as_they_were_sent():
    strided = np.arange(15, dtype=np.int32).reshape(3, 5)[:, ::2]
    column, empty = -np.arange(4)[:, None], np.zeros((3, 0), dtype=int)
    arrays = [strided, None, column, empty, None]
    arrived = from_bytes(to_bytes(arrays))
    assert len(arrived) == 5 and arrived[1] is arrived[4] is None
    for sent, got in zip(arrays, arrived):
        assert sent is None or (
            np.array_equal(sent, got) and sent.shape == got.shape and got.dtype == np.int64
        )


def test_who_waits_keeps_its_core_busy_for_a_moment_only(monkeypatch, idle_waiting):
    class Pipe:
        asked = 0

        def poll(self):
            self.asked += 1

        def recv_bytes(self):
            return b"late"

    pipe, now = Pipe(), itertools.count(step=0.0005)
    monkeypatch.setattr(processes, "PATIENCE", idle_waiting)
    monkeypatch.setattr(processes.time, "perf_counter", lambda: next(now))
    assert received(pipe) == b"late" and 2 <= pipe.asked <= 4
