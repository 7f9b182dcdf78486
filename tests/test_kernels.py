"""The kernels of `gpu`, compiled for the CPU, against the components that state their formulas. See
`cuda_on_cpu.py`.

Every component here that is on the device computes by kernels, as inside `accelerated`.

`test_gpu.py` runs the same tests on a real card.
"""

import contextlib
import gc
import re
import types
from concurrent.futures import ThreadPoolExecutor

import cuda_on_cpu
import numpy as np
import pytest
from on_a_device import close, library, on_device, strict_device  # noqa: F401 - a fixture

from minitransformer import backend
from minitransformer.attention import ScaledDotProductAttention, causal_mask, keep_weights
from minitransformer.core import Module
from minitransformer.errors import InputError
from minitransformer.gpu import FORMS, accelerated, cublas, has_form, scaled_dot_product
from minitransformer.gpu.cublas import calls, product
from minitransformer.gpu.kernels import FLOATS, Kernel
from minitransformer.gpu.sums import position_sum, sum_of_squares
from minitransformer.layers import (
    GELU,
    CrossEntropy,
    Dropout,
    FeedForward,
    LayerNorm,
    ReLU,
    Softmax,
    TanhGELU,
)
from minitransformer.older import LocalAttention
from minitransformer.testing import gradient_error
from minitransformer.testing.gradient_check import as_tuple, is_float
from minitransformer.training import AdamW

pytestmark = pytest.mark.skipif(cuda_on_cpu.COMPILER is None, reason="there is no C++ compiler")

WIDTHS = [1, 5, 31, 32, 33, 100]  # less than a warp, a warp, more, and what is no multiple of it
ROWS = 7  # of a block's 4


@pytest.fixture(
    autouse=True,
    params=[1, pytest.param(32, marks=pytest.mark.slow)],
    ids=["a thread a row", "32 threads a row"],
)
def warps(request):
    """Once by formula, and once with 32 threads that hand each other their numbers."""
    with cuda_on_cpu.lanes(request.param):
        yield


@pytest.fixture(autouse=True)
def block():
    """The block of `accelerated` in which a test computes."""
    with contextlib.ExitStack() as opened:
        yield opened


@pytest.fixture
def by_kernels(block):
    """A function that moves a component to the device, to compute by kernels for the rest of the
    test."""

    def moved(component):
        block.enter_context(accelerated(component.to("gpu")))
        return component

    return moved


def drawn(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def both_ways(make, inputs, d_y, dtype="float64"):
    """[outputs, gradients of inputs and of parameters] on the CPU, and by kernels."""
    found = []
    for where in ("cpu", "gpu"):
        component = make().to(dtype)
        for n, p in enumerate(component.parameters()):
            p.data += drawn(*p.shape, seed=n).astype(dtype)
        assert has_form(component.to(where))
        given = [x.astype(dtype) if is_float(x) else x for x in (*inputs, d_y)]
        *given, d = on_device(given) if where == "gpu" else given
        with accelerated(component) if where == "gpu" else contextlib.nullcontext():
            y = component(*given)
            d_inputs = as_tuple(component.backward(d))
        assert not component.pending()
        found.append(
            [on_cpu(value) for value in (y, *d_inputs, *(p.grad for p in component.parameters()))]
        )
    return found


def on_cpu(x):
    return x.get() if hasattr(x, "get") else np.asarray(x)


def same(make, inputs, d_y, dtype="float64"):
    expected, found = both_ways(make, inputs, d_y, dtype)
    close(found, expected, 1e-12 if dtype == "float64" else 2e-6)
    assert found[0].dtype == expected[0].dtype == dtype


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "kind", [GELU, ReLU, TanhGELU, Softmax, LayerNorm], ids=lambda kind: kind.__name__
)
def test_a_form_computes_what_its_component_does(kind, dtype, width):
    make = (lambda: LayerNorm(width, epsilon=0.01)) if kind is LayerNorm else kind
    same(make, [3 * drawn(ROWS, width)], drawn(ROWS, width, seed=1), dtype)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("value", [255, 0.1, 99999.7, 1e30])
def test_layer_norm_of_a_constant_row_in_float32_is_exactly_beta(width, value, by_kernels):
    norm = by_kernels(LayerNorm(width))
    norm.beta.data = on_device(drawn(width).astype(np.float32))
    y = norm(on_device(np.full((ROWS, width), value, dtype=np.float32)))
    np.testing.assert_array_equal(on_cpu(y), np.tile(on_cpu(norm.beta.data), (ROWS, 1)))


@pytest.mark.parametrize("place", [0, 1, 99])
def test_layer_norm_in_float32_sees_a_small_difference_beside_a_large_mean(place, by_kernels):
    norm, double = by_kernels(LayerNorm(100)), LayerNorm(100).to("float64")
    x = np.full((ROWS, 100), 1e5, dtype=np.float32)
    x[:, place] += 1
    d_y = drawn(ROWS, 100).astype(np.float32)
    np.testing.assert_allclose(
        on_cpu(norm(on_device(x))), double(x.astype(np.float64)), rtol=1e-4, atol=1e-6
    )
    assert (
        gradient_error(
            on_cpu(norm.backward(on_device(d_y))), double.backward(d_y.astype(np.float64))
        )
        < 1e-4
    )
    assert gradient_error(on_cpu(norm.gamma.grad), double.gamma.grad) < 1e-4


def test_an_empty_batch_is_an_empty_batch():
    same(lambda: LayerNorm(5), [np.zeros((0, 5))], np.zeros((0, 5)))


@pytest.mark.parametrize("kind", [ReLU, GELU, TanhGELU, Softmax, lambda: LayerNorm(5)])
def test_arrays_that_do_not_lie_in_order_are_read_in_theirs(kind, by_kernels):
    x, d_y = drawn(5, 7).T, drawn(5, 7, seed=1).T
    expected, component = kind().to("float64"), by_kernels(kind().to("float64"))
    y, d_x = expected(x), expected.backward(d_y)
    found = component(on_device(x.T.copy()).T), component.backward(on_device(d_y.T.copy()).T)
    close([value.get() for value in found], [y, d_x])


def test_dropout_drops_what_it_dropped_also_where_arrays_do_not_lie_in_order(by_kernels):
    dropout = by_kernels(Dropout(0.5, np.random.default_rng(0)))
    x = drawn(5, 7)
    d_y = drawn(5, 7, seed=1)
    y, d_x = dropout(on_device(x).T), dropout.backward(on_device(d_y).T)
    kept = y.get() != 0
    assert 0 < kept.sum() < kept.size
    close([y.get(), d_x.get()], [np.where(kept, 2 * x.T, 0), np.where(kept, 2 * d_y.T, 0)])


@pytest.mark.parametrize(
    "kind",
    [
        ReLU, GELU, TanhGELU, Softmax, lambda: LayerNorm(4),
        lambda: Dropout(0.5, np.random.default_rng(0)),
    ],
)
def test_a_gradient_of_another_shape_is_refused_and_never_read_beyond_its_end(kind, by_kernels):
    component, x = by_kernels(kind().to("float64")), on_device(drawn(2, 3, 4))
    component(x)
    for shape in ((2, 3, 3), (2, 3, 4, 1), (12, 2), (3, 3, 4), (4,), (3, 4), (2, 3, 1)):
        with pytest.raises(
            InputError,
            match=f"has the shape {re.escape(str(shape))}, but forward returned one of shape",
        ):
            component.backward(with_room_behind(np.ones(shape)))
    component.backward(with_room_behind(np.ones((2, 3, 4))))


def test_a_softmax_of_what_is_forbidden_or_far_away():
    x = drawn(6, 40)
    x[0, ::3] = -np.inf
    x[1] = -np.inf
    x[2] += 1e4
    x[3, 7] = 1e4
    x[4] = -1e4
    same(Softmax, [x], drawn(6, 40, seed=1))


MASKS = {
    "none": lambda rng: None,
    "padding": lambda rng: rng.random((3, 1, 1, 37)) < 0.6,
    "by head": lambda rng: rng.random((1, 4, 1, 37)) < 0.6,
    "by query": lambda rng: rng.random((3, 1, 5, 1)) < 0.6,
    "of every score": lambda rng: rng.random((3, 4, 5, 37)) < 0.6,
    "queries by keys": lambda rng: rng.random((1, 1, 5, 37)) < 0.6,
    "not in order": lambda rng: (rng.random((37, 5, 1, 1)) < 0.6).T,
    "nothing allowed": lambda rng: np.zeros((1, 1, 1, 37), dtype=bool),
    "one number": lambda rng: np.ones((1, 1, 1, 1), dtype=bool),
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_attention_with_every_kind_of_mask(mask, dtype):
    query, key, value = drawn(3, 4, 5, 11), drawn(3, 4, 37, 11), drawn(3, 4, 37, 13)
    same(
        ScaledDotProductAttention, [2 * query, key, value, MASKS[mask](np.random.default_rng(1))],
        drawn(3, 4, 5, 13, seed=1), dtype,
    )


@pytest.mark.parametrize("leading", [(), (3,), (2, 3), (2, 3, 4), (2, 3, 2, 3)])
def test_attention_of_any_number_of_axes(leading):
    query, key, value = drawn(*leading, 5, 6), drawn(*leading, 7, 6), drawn(*leading, 7, 4)
    for shape in (
        (*(1 for _ in leading), 5, 7), (*leading, 5, 7),
        (*leading[:1], *(1 for _ in leading[1:]), 1, 7),
    ):
        mask = np.random.default_rng(2).random(shape) < 0.6
        same(ScaledDotProductAttention, [query, key, value, mask], drawn(*leading, 5, 4, seed=1))


def test_a_causal_mask_lies_in_memory_the_other_way_round():
    query, key, value = drawn(2, 3, 6, 5), drawn(2, 3, 6, 5, seed=1), drawn(2, 3, 6, 5, seed=2)
    mask = causal_mask(6) & (np.arange(6) < np.array([6, 4])[:, None])[:, None, None]
    same(ScaledDotProductAttention, [query, key, value, mask], drawn(2, 3, 6, 5, seed=3))


def attention(dropout=0.0):
    return ScaledDotProductAttention(np.random.default_rng(4), dropout).to("float64")


def qkv():
    return [on_device(drawn(2, 3, 6, 5, seed=seed)) for seed in range(3)]


def test_attention_keeps_its_weights_and_drops_some(by_kernels):
    """Against the operations that it is written in, on the same masks."""
    found = []
    for component in (by_kernels(attention(0.4)), attention(0.4).to("gpu")):
        with keep_weights(component):
            y = component(*qkv())
            d_inputs = component.backward(on_device(drawn(2, 3, 6, 5, seed=3)))
        found.append(
            [value.get() for value in (y, *d_inputs, component.weights, component.d_weights)]
        )
    close(*found)
    assert (found[0][-1] == 0).mean() == pytest.approx(0.4, abs=0.1)


def test_attention_keeps_nothing_unless_it_is_asked_to(by_kernels):
    component = by_kernels(attention())
    component(*qkv())
    component.backward(on_device(drawn(2, 3, 6, 5, seed=3)))
    assert not hasattr(component, "weights") and not hasattr(component, "d_weights")


def test_a_softmax_of_ones_own_is_called(by_kernels):
    class Half(Module):
        def forward(self, x):
            self.save(x)
            return 0 * x + 0.5

        def backward(self, d_y):
            return 0 * self.saved()

    component = attention()
    component.softmax = Half()
    by_kernels(component)
    query, key, value = qkv()
    close(
        [component(query, key, value).get()],
        [0.5 * value.get().sum(axis=-2, keepdims=True).repeat(6, axis=-2)],
    )
    d_query, d_key, _ = component.backward(on_device(drawn(2, 3, 6, 5, seed=3)))
    assert not d_query.get().any() and not d_key.get().any()


def test_attention_says_what_is_wrong_with_a_mask(by_kernels):
    query, key, value = qkv()
    for mask, words in (
        (on_device(np.ones((6, 6))), "boolean"),
        (on_device(np.ones((5, 6), dtype=bool)), "as many axes as the scores"),
    ):
        with pytest.raises(Exception, match=words):
            by_kernels(attention())(query, key, value, mask)


def test_an_input_of_another_width_in_a_component_is_refused_before_a_kernel_reads_beyond_an_array(
    by_kernels,
):
    network = FeedForward(4, 8, np.random.default_rng(0))
    network.activation = LayerNorm(7)
    with pytest.raises(InputError, match=r"LayerNorm.*7"):
        by_kernels(network.to("float64"))(on_device(drawn(2, 3, 4)))


def test_local_attention_attends_to_its_blocks_by_kernels(monkeypatch):
    called, scaled = [], scaled_dot_product.forward
    monkeypatch.setattr(
        scaled_dot_product, "forward", lambda *inputs: called.append(1) or scaled(*inputs)
    )
    _, *inputs = LocalAttention.example(np.random.default_rng(3))
    same(lambda: LocalAttention(3), inputs, drawn(3, 2, 7, 4))
    assert called == [1]


@pytest.mark.parametrize("vocabulary", [2, 31, 33, 100])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cross_entropy(vocabulary, smoothing, dtype):
    rng = np.random.default_rng(3)
    targets = rng.integers(1, vocabulary, (ROWS, 3))
    targets[2:4, 1] = 0
    logits = 5 * drawn(ROWS, 3, vocabulary)
    logits[0] += 1e3
    if not smoothing:
        logits[1, 0, (targets[1, 0] + 1) % vocabulary] = -np.inf
    found = []
    for where in ("cpu", "gpu"):
        loss = CrossEntropy(smoothing, padding=0).to(where)
        x = logits.astype(dtype)
        with accelerated(loss) if where == "gpu" else contextlib.nullcontext():
            value = loss(x if where == "cpu" else on_device(x), targets.astype(np.int32))
            found.append([float(value), on_cpu(loss.backward(0.7))])
        assert found[-1][1].dtype == dtype and not found[-1][1][2:4, 1].any() and not loss.pending()
    close(found[1], found[0], 1e-12 if dtype == "float64" else 1e-6)


def test_no_target_reads_beyond_its_row(by_kernels):
    """On a GPU nobody looks at ids; CuPy's indexing lets those that are too large begin again, and
    so does the kernel."""
    logits, targets = on_device(drawn(4, 5)), on_device(np.array([1, 6, -1, 5003]))
    expected, found = CrossEntropy(0.1, padding=0), by_kernels(CrossEntropy(0.1, padding=0))
    close([float(found(logits, targets))], [float(expected(logits, targets))])
    close([found.backward().get()], [expected.backward().get()])


def test_adam_walks_through_all_parameters():
    found = []
    for where in ("cpu", "gpu"):
        model = FeedForward(9, 13, np.random.default_rng(0)).to("float64").to(where)
        optimizer = AdamW(model, 0.01, epsilon=0.1, weight_decay=0.1)
        for seed in range(3):
            grad = drawn(model.flat_buffers().data.size, seed=seed)
            model.flat_buffers().grad[...] = grad if where == "cpu" else on_device(grad)
            with accelerated(model) if where == "gpu" else contextlib.nullcontext():
                optimizer.step()
        found.append(
            [
                on_cpu(x)
                for x in (
                    model.flat_buffers().data, optimizer.first_moment, optimizer.second_moment,
                )
            ]
        )
    close(*found)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 1000])
def test_dropout_scales_what_it_keeps_and_goes_back_by_the_same_mask(size, by_kernels):
    dropout, x = by_kernels(Dropout(0.3, np.random.default_rng(2))), on_device(drawn(size))
    y, d_x = dropout(x).get(), dropout.backward(x).get()
    assert np.array_equal(d_x, y)
    kept = y != 0
    close([y[kept]], [x.get()[kept] / (1 - 19661 / 65536)])
    dropout.eval()
    assert dropout(x) is x and dropout.backward(x) is x


def with_room_behind(x):
    """The same on the device, as the beginning of a larger array: what is read or written beyond x
    is then nobody else's."""
    return on_device(np.append(x.reshape(-1), np.zeros(100)))[: x.size].reshape(x.shape)


# -- products --------------------------------------------------------------------------------------


def transposed(x):
    """The same numbers, the last two axes the other way round in memory."""
    return x.swapaxes(-1, -2).copy().swapaxes(-1, -2)


def heads(x):
    """The same numbers (B, H, T, K), in memory (B, T, H, K), as SplitHeads leaves them."""
    return x.swapaxes(-2, -3).copy().swapaxes(-2, -3)


LAYOUTS = {
    "by rows": lambda x: x,
    "by columns": transposed,
    "heads": heads,
    "heads by columns": lambda x: heads(x.swapaxes(-1, -2)).swapaxes(-1, -2),
    "wide rows": lambda x: library().concatenate([x, x], axis=-1)[..., : x.shape[-1]],
    "rows apart": lambda x: x.repeat(2, axis=-2)[..., ::2, :],
    "every second": lambda x: x.repeat(2, axis=-1)[..., ::2],
    "the last of a cache": lambda x: library().concatenate([x, x], axis=-2)[..., x.shape[-2] :, :],
    "backwards": lambda x: x[..., ::-1].copy()[..., ::-1],
}


@pytest.mark.parametrize("of_b", LAYOUTS)
@pytest.mark.parametrize("of_a", LAYOUTS)
def test_a_product_takes_matrices_as_they_lie(of_a, of_b):
    a, b = drawn(2, 3, 4, 5), drawn(2, 3, 5, 6)
    x, y = LAYOUTS[of_a](on_device(a)), LAYOUTS[of_b](on_device(b))
    close([x.get(), y.get(), product(x, y).get()], [a, b, a @ b])
    close(
        [product(x[1, 2], y[0, 1]).get(), product(x[:, 1], y[1, 0]).get()],
        [a[1, 2] @ b[0, 1], a[:, 1] @ b[1, 0]],
    )


@pytest.mark.parametrize("of_out", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_product_is_written_where_it_is_asked_for(of_out, dtype):
    a, b = drawn(2, 3, 4, 5).astype(dtype), drawn(2, 3, 5, 6).astype(dtype)
    out = LAYOUTS[of_out](on_device(np.zeros((2, 3, 4, 6), dtype=dtype)))
    assert product(on_device(a), on_device(b), out=out) is out
    close([out.get()], [a @ b], 1e-12 if dtype == "float64" else 1e-6)


SHAPES = [((4, 5), (5, 6)), ((1, 5), (5, 1)), ((4, 1), (1, 6)), ((0, 5), (5, 6)), ((4, 0), (0, 6)),
          ((3, 4, 5), (5, 6)), ((1, 4, 5), (3, 5, 6)), ((2, 1, 4, 5), (3, 5, 6)),
          ((2, 3, 1, 5), (2, 3, 5, 6)), ((2, 0, 4, 5), (2, 0, 5, 6)),
          ((7, 1, 3, 2, 4, 5), (3, 1, 5, 6))]  # fmt: skip


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_products_of_all_shapes(shapes):
    a, b = (drawn(*shape) for shape in shapes)
    for x, y in (
        (on_device(a), on_device(b)),
        (transposed(on_device(a)), transposed(on_device(b))),
    ):
        close([product(x, y).get()], [a @ b])


def how(*arrays):
    """How often cuBLAS is asked, for how many matrices each time, for the product of the first two
    in the third."""
    asked = calls("d", False, *((x.shape, x.strides) for x in arrays))
    return len(asked), [arguments[-3] for name, arguments in asked if "Batched" in name][:1]


def test_heads_are_multiplied_without_a_copy_and_together():
    query, keys = heads(on_device(drawn(2, 3, 1, 5))), on_device(drawn(2, 3, 9, 5))[:, :, :7]
    weights = product(query, keys.swapaxes(-1, -2))
    # when decoding, all heads of all sequences are one batch
    assert how(query, keys.swapaxes(-1, -2), weights) == (1, [6])
    many = heads(on_device(drawn(2, 3, 4, 5)))
    assert how(many, keys.swapaxes(-1, -2), product(many, keys.swapaxes(-1, -2))) == (2, [3])
    assert how(many[0, 0], keys[0, 0].T, on_device(drawn(4, 7))) == (1, [])
    assert calls("d", False, *((x.shape, x.strides) for x in (many[..., ::2], many, many))) is None


@pytest.mark.parametrize("a, b, out, says", [
    ((3, 4), (5, 6), None, r"\(3, 4\) and \(5, 6\) cannot be multiplied"),
    ((2, 3, 4), (2, 5, 6), None, "cannot be multiplied"),
    ((4,), (4, 5), None, "cannot be multiplied"), ((4, 5), (5,), None, "cannot be multiplied"),
    ((2, 3, 4), (3, 4, 5), None, "mismatch"),
    ((3, 4), (4, 6), (3, 5), r"shape \(3, 6\) cannot be written into an array of shape \(3, 5\)"),
    ((3, 0), (0, 6), (6, 3), "cannot be written"),
    ((2, 3, 4), (4, 6), (3, 3, 6), "cannot be written"),
])  # fmt: skip
def test_shapes_that_do_not_fit_are_refused_before_memory_of_others_is_read(a, b, out, says):
    with pytest.raises(ValueError, match=says):
        product(
            with_room_behind(drawn(*a)), with_room_behind(drawn(*b)),
            None if out is None else with_room_behind(drawn(*out)),
        )


@pytest.mark.parametrize("columns", [1, 6])
@pytest.mark.parametrize(
    "dtypes",
    [
        ("float64", "float64", "float32"), ("float32", "float32", "float64"),
        ("float32", "float64", "float32"),
    ],
    ids=str,
)
def test_a_product_of_another_dtype_than_its_place_writes_that_and_nothing_beside(dtypes, columns):
    a, b, place = (
        x.astype(dtype)
        for x, dtype in zip((drawn(4, 5), drawn(5, columns), np.zeros((3, 4, columns))), dtypes)
    )
    place = on_device(place)
    product(on_device(a), on_device(b), out=place[1])
    close([place.get()], [np.stack([0 * (a @ b), a @ b, 0 * (a @ b)])], 1e-6)


def test_attention_leaves_its_heads_where_merging_is_no_copy(by_kernels):
    query, key, value = (heads(x) for x in qkv())
    component = by_kernels(attention())
    for x in (component(query, key, value), *component.backward(query)):
        assert x.swapaxes(1, 2).flags.c_contiguous


@pytest.mark.parametrize("said, compute", [("1", 77), ("0", 68), (None, 68)])
def test_products_in_tf32_are_asked_for_as_of_cupy(said, compute, monkeypatch):
    asked, call = [], cublas.Cublas.call
    monkeypatch.setattr(
        cublas.Cublas,
        "call",
        lambda self, name, *numbers: (
            asked.append((name, numbers[-2:])) or call(self, name, *numbers)
        ),
    )
    monkeypatch.setenv("CUPY_TF32", said) if said else monkeypatch.delenv(
        "CUPY_TF32", raising=False
    )
    made = cublas.Cublas(library())
    monkeypatch.setattr(cublas.Cublas, "of", lambda xp: made)
    x = on_device(drawn(4, 4).astype("float32"))
    product(x, x), product(x.astype("float64"), x.astype("float64"))
    assert [numbers[0] for name, numbers in asked if "Gemm" in name] == [compute, 70]


def test_a_product_that_fails_says_what_failed(monkeypatch):
    x = on_device(drawn(4, 4))
    ours = cublas.Cublas.of(library())
    monkeypatch.setattr(ours, "handle", None)
    monkeypatch.setattr(ours, "functions", types.SimpleNamespace(cublasGemmEx=lambda *_: 13))
    with pytest.raises(RuntimeError, match="cublasGemmEx returned cublasStatus_t 13"):
        product(x, x)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 10, 24, 25, 26, 1000])
def test_sums_over_positions(rows):
    x = drawn(rows, 7)
    close(
        [position_sum(on_device(x)).get(), position_sum(transposed(on_device(x))).get()],
        2 * [x.sum(axis=0)],
    )


def test_a_sum_is_not_written_beyond_its_place():
    for columns in (1, 6, 8):
        with pytest.raises(
            ValueError, match=r"sum of 7 columns cannot be written into an array of shape"
        ):
            position_sum(on_device(drawn(5, 7)), out=with_room_behind(drawn(columns)))


@pytest.mark.parametrize("size", [1, 100, (1 << 16) + 3])
def test_sum_of_squares(size):
    x = drawn(size)
    close([float(sum_of_squares(on_device(x)))], [x @ x])


# -- what computes by kernels ----------------------------------------------------------------------


def launched(monkeypatch):
    """A list that gets the name of each kernel that is launched from now on."""
    names, call = [], Kernel.__call__
    monkeypatch.setattr(
        Kernel, "__call__", lambda self, *inputs: names.append(self.name) or call(self, *inputs)
    )
    return names


def test_a_device_changes_no_class_and_kernels_compute_in_the_block_alone(monkeypatch):
    names = launched(monkeypatch)
    model = FeedForward(9, 13, np.random.default_rng(0), activation="gelu", dropout=0.1)
    classes = [type(part) for _, part in model.named_modules()]
    x = on_device(drawn(4, 9).astype("float32"))
    model.to("gpu")
    for used in (False, True, False):
        with accelerated(model) if used else contextlib.nullcontext():
            model.backward(model(x))
        assert set(names) == (
            {"gelu", "dropout", "gelu_backward", "dropout_backward", "column_sums"}
            if used
            else set()
        )
        assert [type(part) for _, part in model.named_modules()] == classes
        names.clear()


def test_the_helpers_compute_as_their_plain_formula_outside_the_block(monkeypatch):
    names, model = launched(monkeypatch), FeedForward(9, 13, np.random.default_rng(0)).to("gpu")
    gemm, call = [], cublas.Cublas.call
    monkeypatch.setattr(
        cublas.Cublas, "call",
        lambda self, name, *numbers: gemm.append(name) or call(self, name, *numbers),
    )
    optimizer, found = AdamW(model, 0.01), []
    model.flat_buffers().grad[...] = 1
    x = on_device(drawn(4, 9).astype("float32"))
    for used in (False, True):
        with accelerated(model) if used else contextlib.nullcontext():
            found.append(
                [
                    backend.product(x, x.T), backend.position_sum(x),
                    backend.sum_of_squares(x.reshape(-1)),
                ]
            )
            optimizer.step()
        assert (
            names == (["column_sums", "column_sums", "squares", "adam"] if used else [])
            and bool(gemm) == used
        )
    close(*([on_cpu(value) for value in values] for values in found), 1e-6)


def test_another_thread_computes_as_it_is_written(monkeypatch):
    names = launched(monkeypatch)
    norm = LayerNorm(5).to("gpu")
    x = on_device(drawn(3, 5).astype("float32"))
    with accelerated(norm), ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: norm.backward(norm(x))).result()
        assert not names
        norm.backward(norm(x))
        assert names


def test_kernels_are_refused_for_a_model_on_the_cpu():
    with (
        pytest.raises(InputError, match=r'this one is on the CPU. Call model.to\("gpu"\) first'),
        accelerated(LayerNorm(3)),
    ):
        pass


def test_the_class_of_every_form_is_a_component_that_stands_elsewhere():
    for kind in FORMS:
        room = kind.__module__.split(".")[1]
        assert issubclass(kind, Module) and room in ("layers", "attention", "older")


def test_a_component_of_ones_own_computes_as_it_is_written():
    class MyNorm(LayerNorm):
        pass

    assert has_form(LayerNorm(3)) and not has_form(MyNorm(3))


# -- the kernels themselves ------------------------------------------------------------------------


def kernels():
    return {k.name: k for k in gc.get_objects() if isinstance(k, Kernel)}


def test_a_kernel_refuses_what_does_not_lie_in_order():
    fill = Kernel("fill", "T *x, T value", "x[i] = value;", lanes=1)
    x = on_device(np.zeros((4, 6)))
    fill(x.size, x, 2.0)
    assert (x.get() == 2).all()
    with pytest.raises(ValueError, match=r"shape \(6, 4\)"):
        fill(x.size, x.T, 2.0)
    take = Kernel(
        "take", "const T *x, const long long *ids, T *y", "y[i] = ids[i] < 4 ? x[i] : T(0);",
        lanes=1,
    )
    ids, y = on_device(np.zeros(8, dtype="int32"))[:4], on_device(np.zeros(4))
    with pytest.raises(ValueError, match="here of int64; an array of shape .4,. and int32"):
        take(4, x, ids, y)


def test_a_kernel_refuses_floats_of_several_dtypes(by_kernels):
    """It would read the memory of one as if it were the other's."""
    norm, x = by_kernels(LayerNorm(5)), on_device(drawn(3, 5))
    with pytest.raises(
        InputError, match="floats of one dtype, float32 or float64, not float32 and float64"
    ):
        norm(x)
    with pytest.raises(InputError, match="Got float16"):
        by_kernels(Softmax())(x.astype("float16"))
    component = by_kernels(Softmax())
    component(x)
    with pytest.raises(InputError, match="d_y is float32, but forward returned float64"):
        component.backward(x.astype("float32"))


def test_a_kernel_takes_every_number_as_the_type_that_it_declares():
    fill = Kernel(
        "fill_both", "T *x, T value, long long count_of, bool *seen",
        "x[i] = value + count_of; seen[i] = 1;", lanes=1,
    )
    for value in (2, 2.0, np.float64(2), np.int32(2)):
        for dtype in ("float32", "float64"):
            x = on_device(np.zeros(5, dtype=dtype))
            fill(5, x, value, 3, on_device(np.zeros(5, dtype=bool)))
            assert (x.get() == 5).all()
    same(lambda: LayerNorm(5, epsilon=1), [drawn(3, 5)], drawn(3, 5, seed=1))


def test_a_kernel_writes_for_as_many_as_it_is_told():
    """Threads come in blocks; those beyond the last number do nothing."""
    mark = Kernel(
        "mark", "T *x, long long n, bool *seen",
        "for (int j = lane; j < n; j += LANES) x[i * n + j] += 1; seen[i] = 1;",
    )
    for count in (1, 3, 4, 5, 9):
        x, seen = on_device(np.zeros((12, 40))), on_device(np.zeros(12, dtype=bool))
        mark(count, x, 40, seen)
        expected = np.arange(12) < count
        assert np.array_equal(seen.get(), expected) and np.array_equal(
            x.get(), np.repeat(expected[:, None], 40, axis=1)
        )


def test_nvidias_compiler_takes_every_kernel():
    """It needs no card, only CuPy and NVIDIA's library."""
    nvrtc = pytest.importorskip("cupy", reason="CuPy is not installed").cuda.nvrtc
    try:
        nvrtc.getVersion()
    except RuntimeError as problem:
        pytest.skip(f"NVIDIA's compiler is not installed: {problem}")
    assert len(kernels()) >= 14
    for kernel in kernels().values():
        for char in FLOATS:
            text = kernel.text(char)
            program = nvrtc.createProgram(text, "kernel.cu", [], [])
            nvrtc.compileProgram(program, ("--gpu-architecture=sm_75",))
            assert not nvrtc.getProgramLog(program).strip("\0\n ")
