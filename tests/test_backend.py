"""The helpers one floor down: each equals the plain formula that it stands for."""

import math
import sys

import numpy as np
import pytest

from minitransformer.attention import causal_mask, padding_mask
from minitransformer.backend import (
    add_rows,
    array_module,
    as_numpy,
    erf,
    feature_mean,
    feature_product,
    feature_sum,
    in_blocks,
    keep_mask,
    keys_outermost,
    move,
    nearest_keep,
    position_product,
    position_sum,
    query_key_product,
)
from minitransformer.backend.updates import BLOCK
from minitransformer.errors import InputError


def close(actual, expected, atol=1e-12):
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


# -- NumPy or CuPy ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [np.zeros(3), np.float32(1), 1.5, 2, True], ids=lambda x: type(x).__name__)
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
    with pytest.raises(InputError, match="'tpu'.*'cpu'.*'gpu'"):
        move(np.ones(3), "tpu")


def test_a_gpu_without_cupy_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(InputError, match="pip install cupy-cuda12x"):
        move(np.ones(3), "gpu")


# -- sums ---------------------------------------------------------------------------------------------------------

SHAPES = [(7,), (5, 7), (3, 5, 7), (2, 3, 5, 7), (4, 4, 4), (3, 1, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums_over_features_and_positions_equal_numpys(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    close(feature_sum(x), x.sum(axis=-1, keepdims=True))
    close(feature_mean(x), x.mean(axis=-1, keepdims=True))
    close(position_sum(x), x.reshape(-1, shape[-1]).sum(axis=0))


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
def test_products_over_features_and_positions_equal_the_einsum(shape):
    rng = np.random.default_rng(1)
    x, weight = rng.standard_normal(shape), rng.standard_normal((shape[-1], 4))
    close(feature_product(x, weight), np.einsum("...d,de->...e", x, weight))
    y = rng.standard_normal((*shape[:-1], 4))
    places = np.ndindex(*shape[:-1])
    close(position_product(x, y), sum(np.outer(x[place], y[place]) for place in places))


def test_sums_and_products_take_arrays_that_are_not_contiguous():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((5, 3, 7)).transpose(1, 0, 2)[:, ::2]
    y = rng.standard_normal((3, 6, 4))[:, ::2]
    weight = rng.standard_normal((4, 7)).T
    close(feature_sum(x), x.sum(axis=-1, keepdims=True))
    close(position_sum(x), x.sum(axis=(0, 1)))
    close(position_product(x, y), np.einsum("btd,bte->de", x, y))
    close(feature_product(x, weight), np.einsum("btd,de->bte", x, weight))


@pytest.mark.parametrize("helper", [feature_sum, feature_mean, position_sum, erf])
def test_a_reduction_keeps_the_dtype_and_its_input(helper):
    for dtype in (np.float32, np.float64):
        x = np.random.default_rng(3).standard_normal((3, 5, 7)).astype(dtype)
        before = x.copy()
        assert helper(x).dtype == dtype
        assert np.array_equal(x, before)


@pytest.mark.parametrize("batch, heads, queries, keys, width", [(3, 4, 5, 7, 11), (3, 3, 3, 3, 3)])
def test_scores_are_queries_times_keys(batch, heads, queries, keys, width):
    rng = np.random.default_rng(4)
    q, k = rng.standard_normal((batch, heads, queries, width)), rng.standard_normal((batch, heads, keys, width))
    scores = query_key_product(q, k)
    close(scores, np.einsum("bhtk,bhsk->bhts", q, k))


def test_scores_of_batches_that_broadcast_and_of_two_precisions():
    q, k = np.random.default_rng(4).standard_normal((3, 1, 5, 4)), np.ones((2, 7, 4), dtype=np.float32)
    scores = query_key_product(q, k)
    assert scores.shape == (3, 2, 5, 7) and scores.dtype == np.float64
    close(scores, q @ k.swapaxes(-1, -2))


def test_the_key_axis_of_scores_is_outermost_in_memory_and_stays_so_under_a_mask():
    scores = query_key_product(np.ones((2, 3, 5, 11)), np.ones((2, 3, 7, 11)))
    assert scores.strides[-1] == 2 * 3 * 5 * scores.itemsize == max(scores.strides)
    ids = np.array([[5, 6, 7, 5, 6, 7, 0], [5, 6, 0, 0, 0, 0, 0]])
    for mask in (padding_mask(ids), causal_mask(7, last=5) & padding_mask(ids)):
        assert mask.strides[-1] == max(stride for stride, size in zip(mask.strides, mask.shape) if size > 1)
        assert np.where(mask, scores, -np.inf).strides == scores.strides


@pytest.mark.parametrize("shape", [(3, 1, 1, 7), (1, 1, 5, 7), (7,), (2, 3, 4)])
def test_a_mask_with_its_keys_outermost_is_the_same_mask(shape):
    mask = np.random.default_rng(5).random(shape) < 0.5
    np.testing.assert_array_equal(keys_outermost(mask), mask)


# -- scatter-add --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ids", [[3], [2, 2, 2, 2], [0, 1, 2, 3, 4], [4, 0, 4, 2, 0, 4], [1, 0]], ids=["one", "same", "all", "mixed", "down"]
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


# -- erf ----------------------------------------------------------------------------------------------------------


def test_erf_is_accurate_to_float64():
    x = np.concatenate([np.linspace(-7, 7, 20001), np.geomspace(1e-12, 1, 200)])
    expected = np.array([math.erf(v) for v in x])
    close(erf(x), expected, atol=5e-14)


def test_erf_is_accurate_to_float32():
    x = np.linspace(-7, 7, 20001, dtype=np.float32)
    expected = np.array([math.erf(float(v)) for v in x])
    assert erf(x).dtype == np.float32
    close(erf(x), expected, atol=6e-7)


def test_erf_is_odd_and_ends_at_plus_and_minus_one():
    x = np.linspace(0, 6, 101)
    assert np.array_equal(erf(-x), -erf(x))
    assert erf(np.array([-np.inf, -1e300, -9.0, 0.0, 9.0, 1e300, np.inf])).tolist() == [-1, -1, -1, 0, 1, 1, 1]
    assert np.isnan(erf(np.array([np.nan]))).all()


# -- coin flips ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1,), (2, 3), (3, 5, 11), (4, 4)], ids=str)
def test_a_keep_mask_has_the_shape_of_its_model_and_is_boolean(shape):
    mask = keep_mask(np.random.default_rng(7), 0.5, like=np.zeros(shape, dtype=np.float32))
    assert mask.shape == shape and mask.dtype == bool


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


# -- blocks -------------------------------------------------------------------------------------------------------


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
