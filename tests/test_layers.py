"""Layers: values against plain formulas, gradients against central differences, on sizes that
cannot be confused and on square twins, where a transposition gives a wrong number instead of an
error.
"""

import math

import numpy as np
import pytest
from common import assert_gradients, close, moved, normal, refusal, rng

from minitransformer.core import Module
from minitransformer.errors import InputError
from minitransformer.layers import (
    GELU,
    Dropout,
    Embedding,
    FeedForward,
    LayerNorm,
    LearnedPositionalEncoding,
    Linear,
    ReLU,
    Residual,
    Sigmoid,
    SinusoidalPositionalEncoding,
    Softmax,
    Tanh,
    TanhGELU,
    Unembedding,
)
from minitransformer.older import CausalConvolution, MeanOverPositions, SlidingWindow
from minitransformer.testing import gradient_error

PLAIN, SQUARE = (3, 5, 11), (4, 4, 4)


# -- softmax ---------------------------------------------------------------------------------------


def plain_softmax(x):
    p = np.zeros_like(x)
    for row in np.ndindex(*x.shape[:-1]):
        weights = [math.exp(v - max(x[row])) for v in x[row]]
        p[row] = [w / sum(weights) for w in weights]
    return p


@pytest.mark.parametrize(
    "shape", [(7,), (5, 7), (3, 5, 7), (2, 3, 5, 7), (4, 4), (4, 4, 4), (4, 4, 4, 4)], ids=str
)
def test_softmax_equals_the_plain_formula(shape):
    x = normal(*shape)
    close(Softmax()(x), plain_softmax(x))


@pytest.mark.parametrize("shape", [(7,), (3, 5, 7), (4, 4, 4)], ids=str)
def test_softmax_gradient(shape):
    assert_gradients(Softmax(), normal(*shape))


def test_softmax_gradient_with_ties_and_a_row_far_from_the_others():
    x = normal(4, 6)
    x[0, :3] = x[0].max() + 1
    x[1] -= 1000
    x[2] = 0.25
    assert_gradients(Softmax(), x)


def test_softmax_rows_sum_to_one_and_their_gradients_to_zero():
    softmax, x = Softmax(), normal(3, 5, 7)
    p = softmax(x)
    assert (p > 0).all()
    close(p.sum(axis=-1), np.ones((3, 5)))
    close(softmax.backward(normal(3, 5, 7, seed=1)).sum(axis=-1), np.zeros((3, 5)))


@pytest.mark.parametrize("shift", [1000, -1000, 1e6])
def test_softmax_ignores_a_shift_however_large(shift):
    x = np.round(normal(3, 5, 7), 2)
    softmax = Softmax()
    close(softmax(x + shift), softmax(x), atol=1e-9)


def test_softmax_rows_a_thousand_apart_do_not_disturb_each_other():
    x = normal(2, 3, 4)
    shifted = x + np.array([1000.0, 0.0, -1000.0])[:, None]
    close(Softmax()(shifted), plain_softmax(x), atol=1e-9)


def test_softmax_extreme_scores_choose_one():
    x = np.array([[1e30, 0.0, -1e30], [-1e30, -1e30, -1e30]])
    close(Softmax()(x), np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]]))


def test_softmax_gives_no_weight_to_minus_infinity():
    x = normal(3, 5)
    x[0, 2:] = -np.inf
    softmax = Softmax()
    p = softmax(x)
    close(p[0, :2], plain_softmax(x[:1, :2])[0])
    assert (p[0, 2:] == 0).all()
    d_x = softmax.backward(normal(3, 5, seed=1))
    assert (d_x[0, 2:] == 0).all() and d_x[0, :2].any()


def test_softmax_of_nothing_but_minus_infinity_is_zero_and_so_is_its_gradient():
    x = normal(3, 5)
    x[1] = -np.inf
    with np.errstate(invalid="ignore", divide="ignore"):
        softmax = Softmax()
        p = softmax(x)
        d_x = softmax.backward(normal(3, 5, seed=1))
    assert (p[1] == 0).all() and (d_x[1] == 0).all()
    close(p[[0, 2]], plain_softmax(x[[0, 2]]))


def test_softmax_of_nothing_but_minus_infinity_raises_no_floating_point_warning():
    with np.errstate(all="raise"):
        softmax = Softmax()
        softmax(np.full((2, 3), -np.inf))
        softmax.backward(np.ones((2, 3)))


# -- linear ----------------------------------------------------------------------------------------


def plain_linear(x, weight, bias):
    y = np.zeros((*x.shape[:-1], weight.shape[1]))
    for place in np.ndindex(*x.shape[:-1]):
        for e in range(weight.shape[1]):
            y[(*place, e)] = sum(x[place][d] * weight[d, e] for d in range(len(weight))) + bias[e]
    return y


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no_bias"])
@pytest.mark.parametrize(
    "shape, out", [((11,), 13), ((5, 11), 13), (PLAIN, 13), ((2, 3, 5, 11), 13), (SQUARE, 4)]
)
def test_linear_equals_the_plain_formula(shape, out, bias):
    linear = moved(Linear(shape[-1], out, rng(), bias=bias))
    x = normal(*shape)
    expected = plain_linear(x, linear.weight.data, linear.bias.data if bias else np.zeros(out))
    close(linear(x), expected)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no_bias"])
@pytest.mark.parametrize(
    "shape, out", [((5, 11), 13), (PLAIN, 13), (SQUARE, 4)], ids=["2d", "plain", "square"]
)
def test_linear_gradient(shape, out, bias):
    assert_gradients(moved(Linear(shape[-1], out, rng(), bias=bias)), normal(*shape))


def test_linear_gradient_sums_over_all_positions():
    linear = moved(Linear(2, 3, rng()))
    x, d_y = normal(4, 5, 2), normal(4, 5, 3, seed=1)
    linear(x)
    linear.backward(d_y)
    close(linear.weight.grad, np.einsum("btd,bte->de", x, d_y))
    close(linear.bias.grad, np.einsum("bte->e", d_y))


def test_linear_starts_xavier_uniform_with_a_bias_of_zero():
    linear = Linear(100, 300, rng())
    bound = (6 / 400) ** 0.5
    assert 0.99 * bound < np.abs(linear.weight.data).max() <= bound * (1 + 1e-6)
    assert linear.weight.shape == (100, 300) and not linear.bias.data.any()
    assert Linear(2, 3, rng(), bias=False).parameter_count() == 6


@pytest.mark.parametrize("shape", [(3, 5, 10), (11, 5), (), (1,)], ids=str)
def test_linear_refuses_other_features_and_says_how_many_it_expects(shape):
    message = refusal(Linear(11, 13, rng()).forward, np.zeros(shape))
    assert (
        "Linear: x must be an array of floats" in message
        and "here D is 11" in message
        and str(shape) in message
    )


# -- embedding -------------------------------------------------------------------------------------


def test_embedding_looks_rows_up_and_scales_them_by_the_root_of_the_width():
    embedding, ids = Embedding.example(rng())
    moved(embedding)
    y = embedding(ids)
    for place in np.ndindex(*ids.shape):
        close(y[place], embedding.weight.data[ids[place]] * 11**0.5)


def test_embedding_without_scale_is_the_row_itself():
    embedding = moved(Embedding(17, 11, rng(), scale=False))
    close(embedding(np.array([[3, 5]])), embedding.weight.data[[[3, 5]]])


@pytest.mark.parametrize("scale", [True, False], ids=["scaled", "unscaled"])
def test_embedding_gradient_with_repeated_ids(scale):
    embedding = moved(Embedding(17, 11, rng(), scale=scale))
    ids = np.array([[6, 6, 2, 6, 0], [0, 16, 16, 1, 6], [6, 0, 3, 3, 3]])
    assert_gradients(embedding, ids)


def test_embedding_gradient_on_a_square_twin():
    assert_gradients(
        moved(Embedding(4, 4, rng())),
        np.array([[0, 0, 3, 1], [2, 2, 2, 2], [1, 0, 1, 0], [3, 3, 0, 3]]),
    )


def test_embedding_gradient_of_a_repeated_id_is_the_sum_and_of_an_unused_row_zero():
    embedding = Embedding(6, 2, rng(), scale=False).to("float64")
    ids, d_y = np.array([[4, 1, 4], [4, 0, 1]]), normal(2, 3, 2)
    embedding(ids)
    assert embedding.backward(d_y) is None
    expected = np.zeros((6, 2))
    for place in np.ndindex(2, 3):
        expected[ids[place]] += d_y[place]
    close(embedding.weight.grad, expected)
    assert not embedding.weight.grad[[2, 3, 5]].any()


def test_embedding_starts_with_variance_one_over_the_width_so_that_its_output_has_variance_one():
    embedding = Embedding(500, 64, rng())
    assert abs(embedding.weight.data.std() - 64**-0.5) < 0.002
    assert abs(embedding(np.arange(500)).std() - 1) < 0.02


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64])
def test_embedding_takes_ids_of_any_integer_type(dtype):
    embedding = Embedding(17, 3, rng())
    ids = np.array([[16, 0, 16]], dtype=dtype)
    assert np.array_equal(embedding(ids), embedding(ids.astype(int)))
    embedding.backward(np.ones((1, 3, 3), dtype=np.float32))


@pytest.mark.parametrize("wrong, place", [(-1, (0, 1)), (17, (1, 2)), (99, (0, 0))])
def test_embedding_refuses_an_id_outside_the_vocabulary_and_says_which_and_where(wrong, place):
    ids = np.ones((2, 3), dtype=int)
    ids[place] = wrong
    message = refusal(Embedding(17, 3, rng()).forward, ids)
    assert (
        f"id {wrong} at position {place}" in message
        and "17 tokens" in message
        and "0 to 16" in message
    )


@pytest.mark.parametrize(
    "ids", [np.array([1.0]), np.array([True]), [1, 2], 3.0], ids=["float", "bool", "list", "number"]
)
def test_embedding_refuses_ids_that_are_not_an_array_of_integers(ids):
    message = refusal(Embedding(17, 3, rng()).forward, ids)
    assert (
        "an array of integer ids" in message
        and str(getattr(ids, "dtype", type(ids).__name__)) in message
    )


@pytest.mark.parametrize("shape", [(0,), (0, 5), (3, 0)], ids=str)
def test_embedding_refuses_an_empty_batch(shape):
    message = refusal(Embedding(17, 3, rng()).forward, np.zeros(shape, dtype=int))
    assert "empty batch" in message and str(shape) in message


# -- unembedding -----------------------------------------------------------------------------------


@pytest.mark.parametrize("vocabulary, shape", [(17, PLAIN), (4, SQUARE)], ids=["plain", "square"])
def test_unembedding_scores_by_the_table_and_has_its_gradients(vocabulary, shape):
    table = moved(Embedding(vocabulary, shape[-1], rng())).weight
    unembedding, x = Unembedding(table), normal(*shape)
    close(unembedding(x), np.einsum("btd,vd->btv", x, table.data))
    unembedding.clear_saves()
    assert_gradients(unembedding, x)


def test_unembedding_shares_the_table_of_the_embedding_and_their_gradients_add_up():
    class Tied(Module):
        def __init__(self):
            self.embedding = Embedding(17, 11, rng())
            self.unembedding = Unembedding(self.embedding.weight)

        def forward(self, ids):
            return self.unembedding(self.embedding(ids))

        def backward(self, d_y):
            self.embedding.backward(self.unembedding.backward(d_y))

    tied = moved(Tied())
    assert list(tied.named_parameters()) == ["embedding.weight"]
    assert_gradients(tied, np.array([[1, 1, 5], [5, 1, 16]]))


def test_unembedding_refuses_other_features():
    unembedding, _ = Unembedding.example(rng())
    assert "here D is 11" in refusal(unembedding.forward, np.zeros((3, 5, 17)))


# -- layer norm ------------------------------------------------------------------------------------


def plain_layer_norm(x, gamma, beta, epsilon):
    y = np.zeros_like(x)
    for place in np.ndindex(*x.shape[:-1]):
        row = x[place]
        mean = sum(row) / len(row)
        variance = sum((v - mean) ** 2 for v in row) / len(row)
        y[place] = [
            g * (v - mean) / math.sqrt(variance + epsilon) + b for v, g, b in zip(row, gamma, beta)
        ]
    return y


@pytest.mark.parametrize("shape", [(11,), (5, 11), PLAIN, (2, 3, 5, 11), SQUARE], ids=str)
def test_layer_norm_equals_the_plain_formula(shape):
    norm = moved(LayerNorm(shape[-1]))
    x = 3 * normal(*shape) + 2
    close(norm(x), plain_layer_norm(x, norm.gamma.data, norm.beta.data, 1e-5))


def test_layer_norm_of_a_row_of_low_variance_takes_epsilon_inside_the_root():
    norm = moved(LayerNorm(11))
    x = 1.5 + 1e-3 * normal(3, 11)
    close(norm(x), plain_layer_norm(x, norm.gamma.data, norm.beta.data, 1e-5), atol=1e-10)


def test_layer_norm_of_a_constant_row_is_beta():
    norm = moved(LayerNorm(11))
    close(norm(np.full((3, 11), 7.0)), np.tile(norm.beta.data, (3, 1)))


@pytest.mark.parametrize("value", [255, 0.1, 1e5, 99999.7, -3.3e7, 1e30])
@pytest.mark.parametrize("features", [3, 64, 100, 768, 784, 1001])
def test_layer_norm_of_a_constant_row_in_float32_is_exactly_beta(features, value):
    """No 1/784 is a float32, nor is every sum of equal numbers: the variance must be 0 all the
    same."""
    norm = moved(LayerNorm(features)).to("float32")
    x = np.full((255, features), value, dtype=np.float32)
    np.testing.assert_array_equal(norm(x), np.tile(norm.beta.data, (255, 1)))


@pytest.mark.parametrize("place", [0, 1, 766, 767])
@pytest.mark.parametrize("offset", [0, 1e3, 1e5, -1e6])
def test_layer_norm_in_float32_sees_a_small_difference_beside_a_large_mean(offset, place):
    """What float32 gives is what float64 gives for the very same numbers: forward, and both
    gradients through σ."""
    single, double = LayerNorm(768), LayerNorm(768).to("float64")
    x = np.full((3, 768), offset, dtype=np.float32)
    x[:, place] += 1
    x[2] = offset + normal(768)
    d_y = normal(3, 768, seed=1).astype(np.float32)
    y, expected = single(x), double(x.astype(np.float64))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-6)
    d_x, expected = single.backward(d_y), double.backward(d_y.astype(np.float64))
    assert gradient_error(d_x, expected) < 1e-4
    assert gradient_error(single.gamma.grad, double.gamma.grad) < 1e-4


@pytest.mark.parametrize("shape", [(5, 11), PLAIN, SQUARE], ids=str)
def test_layer_norm_gradient(shape):
    assert_gradients(moved(LayerNorm(shape[-1])), 2 * normal(*shape) + 1)


def test_layer_norm_of_features_that_are_too_large_to_be_squared_warns_and_float64_is_right():
    x = normal(3, 8)
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert not LayerNorm(8)((1e25 * x).astype("float32")).any()
    norm = LayerNorm(8, 1e-30).to("float64")
    close(norm(1e25 * x), norm(x))
    close(LayerNorm(8)((1e16 * x).astype("float32")), norm(x), 1e-5)


def test_layer_norm_gradient_with_a_large_epsilon_and_low_variance():
    assert_gradients(moved(LayerNorm(11, epsilon=0.1)), 0.3 * normal(3, 5, 11))


def test_layer_norm_gradient_is_orthogonal_to_what_forward_ignores():
    norm = moved(LayerNorm(11))
    x = 5 * normal(3, 5, 11)
    norm(x)
    d_x = norm.backward(normal(3, 5, 11, seed=1))
    centred = x - x.mean(axis=-1, keepdims=True)
    x_hat = centred / x.std(axis=-1, keepdims=True)
    close(d_x.sum(axis=-1), np.zeros((3, 5)))
    close((d_x * x_hat).sum(axis=-1), np.zeros((3, 5)), atol=1e-5)  # nearly: epsilon


def test_layer_norm_gradients_of_gamma_and_beta_sum_over_all_positions():
    norm = moved(LayerNorm(2))
    x, d_y = normal(4, 5, 2), normal(4, 5, 2, seed=1)
    x_hat = plain_layer_norm(x, np.ones(2), np.zeros(2), 1e-5)
    norm(x)
    norm.backward(d_y)
    close(norm.gamma.grad, (d_y * x_hat).sum(axis=(0, 1)))
    close(norm.beta.grad, d_y.sum(axis=(0, 1)))


def test_layer_norm_starts_as_the_plain_normalisation_and_survives_large_values():
    norm = LayerNorm(11)
    x = normal(3, 5, 11).astype(np.float32) * np.float32(1e15) + np.float32(1e16)
    y = norm(x)
    assert np.isfinite(y).all() and np.isfinite(norm.backward(np.ones_like(y))).all()
    assert (norm.gamma.data == 1).all() and not norm.beta.data.any()


def test_layer_norm_refuses_other_features():
    assert "here D is 11" in refusal(LayerNorm(11).forward, np.zeros((3, 5, 1)))


# -- activations -----------------------------------------------------------------------------------


def test_relu_keeps_what_is_positive():
    relu, x = ReLU(), np.array([-2.0, -1e-9, 0.0, 1e-9, 3.0])
    assert relu(x).tolist() == [0, 0, 0, 1e-9, 3]
    assert relu.backward(np.array([1.0, -2.0, 3.0, -4.0, 5.0])).tolist() == [0, 0, 0, -4, 5]


def test_gelu_equals_x_times_the_normal_distribution():
    x = np.linspace(-6, 6, 101)
    close(GELU()(x), np.array([v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x]))


def test_tanh_gelu_equals_its_formula_and_is_near_the_exact_one():
    x = np.linspace(-6, 6, 101)
    expected = [
        0.5 * v * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3))) for v in x
    ]
    close(TanhGELU()(x), np.array(expected))
    distance = np.abs(TanhGELU()(x) - GELU()(x)).max()
    assert 1e-4 < distance < 5e-4


@pytest.mark.parametrize("kind", [ReLU, GELU, TanhGELU])
@pytest.mark.parametrize("shape", [PLAIN, SQUARE], ids=str)
def test_activation_gradient(kind, shape):
    assert_gradients(kind(), 2 * normal(*shape))


@pytest.mark.parametrize("kind", [ReLU, GELU, TanhGELU])
def test_activation_far_from_zero_is_the_identity_or_nothing(kind):
    activation = kind()
    x = np.array([-1000.0, -50.0, 50.0, 1000.0], dtype=np.float32)
    assert activation(x).tolist() == [0, 0, 50, 1000]
    assert activation.backward(np.ones(4, dtype=np.float32)).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("x", [-800.0, -2.5, -1e-3, 0.0, 0.7, 3.0, 800.0])
def test_tanh_and_sigmoid_equal_their_formulas_and_never_overflow(x):
    with np.errstate(all="raise"):
        close(Tanh()(np.array([x])), [math.tanh(x)], atol=1e-15)
        close(Sigmoid()(np.array([x])), [1 / (1 + math.exp(-x)) if x > -700 else 0.0], atol=1e-15)


@pytest.mark.parametrize("kind", [Tanh, Sigmoid])
@pytest.mark.parametrize("shape", [PLAIN, SQUARE], ids=["plain", "square"])
def test_tanh_and_sigmoid_gradient(kind, shape):
    assert_gradients(kind(), 1.5 * normal(*shape))


# -- dropout ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
def test_dropout_zeros_a_share_p_and_enlarges_the_rest_so_that_the_mean_stays(p):
    dropout = Dropout(p, rng())
    y = dropout(np.ones((400, 500)))
    kept = y != 0
    assert abs(kept.mean() - (1 - p)) < 5 * math.sqrt(p * (1 - p) / y.size)
    assert len(np.unique(y[kept])) == 1 and abs(y.max() - 1 / (1 - p)) < 1e-3
    assert abs(y.mean() - 1) < 5 * math.sqrt(p / (1 - p) / y.size)


def test_dropout_backward_uses_the_very_mask_of_forward():
    dropout, x, d_y = Dropout(0.4, rng()), normal(6, 7), normal(6, 7, seed=1)
    mask = dropout(x) / x
    close(dropout.backward(d_y), d_y * mask)


def test_dropout_used_twice_meets_each_mask_again_in_reverse():
    dropout, ones = Dropout(0.4, rng()), np.ones((20, 20))
    first, second = dropout(ones), dropout(ones)
    assert not np.array_equal(first, second)
    assert np.array_equal(dropout.backward(ones), second)
    assert np.array_equal(dropout.backward(ones), first)


def test_dropout_is_the_identity_after_eval_both_ways_and_draws_nothing():
    generator, x = rng(), normal(3, 5)
    state = generator.bit_generator.state
    dropout = Dropout(0.4, generator).eval()
    assert np.array_equal(dropout(x), x)
    assert np.array_equal(dropout.backward(x), x)
    assert generator.bit_generator.state == state
    assert not np.array_equal(dropout.train()(x), x)


def test_dropout_of_nothing_draws_nothing():
    generator, x = rng(), normal(3, 5)
    state = generator.bit_generator.state
    dropout = Dropout(0.0, generator)
    assert np.array_equal(dropout(x), x) and np.array_equal(dropout.backward(x), x)
    assert generator.bit_generator.state == state


def test_dropout_too_small_to_draw_keeps_everything_unscaled():
    x = normal(50, 50)
    assert np.array_equal(Dropout(1e-6, rng())(x), x)


def test_dropout_repeats_with_its_seed():
    x = normal(30, 30)
    a, b, c = Dropout(0.3, rng(1)), Dropout(0.3, rng(1)), Dropout(0.3, rng(2))
    y = a(x)
    assert np.array_equal(y, b(x)) and not np.array_equal(y, c(x))


def test_dropout_gradient():
    assert_gradients(Dropout(0.3, rng()), normal(*PLAIN))


@pytest.mark.parametrize("p", [1, 1.0, -0.1, 1.5, float("nan")])
def test_dropout_refuses_what_is_no_probability(p):
    assert str(p) in refusal(Dropout, p, rng())


# -- positional encoding ---------------------------------------------------------------------------


def plain_sinusoids(length, features):
    table = np.zeros((length, features))
    for position in range(length):
        for i in range(features):
            angle = position / 10000 ** ((i - i % 2) / features)
            table[position, i] = math.cos(angle) if i % 2 else math.sin(angle)
    return table


@pytest.mark.parametrize("features", [1, 2, 8, 11])
def test_sinusoidal_positions_equal_the_papers_formula(features):
    encoding = SinusoidalPositionalEncoding(features, max_length=50)
    y = encoding(np.zeros((2, 50, features)))
    close(y, np.stack([plain_sinusoids(50, features)] * 2))


def test_sinusoidal_positions_turn_each_pair_by_the_same_angle():
    """PE[p + k] = R(k) PE[p], pair by pair, with R(k) the rotation by k ω."""
    features, k = 12, 7
    table = SinusoidalPositionalEncoding(features, max_length=60)(np.zeros((1, 60, features)))[0]
    for i in range(features // 2):
        omega = 10000 ** (-2 * i / features)
        rotation = np.array(
            [
                [math.cos(k * omega), math.sin(k * omega)],
                [-math.sin(k * omega), math.cos(k * omega)],
            ]
        )
        pair = table[:, 2 * i : 2 * i + 2]
        close(pair[k:], pair[:-k] @ rotation.T, atol=1e-11)


def test_sinusoidal_positions_are_added_to_every_sequence_alike():
    encoding, x = SinusoidalPositionalEncoding(11, max_length=7), normal(3, 5, 11)
    close(encoding(x) - x, np.stack([plain_sinusoids(5, 11)] * 3))
    square = normal(4, 4, 4)
    close(
        SinusoidalPositionalEncoding(4, max_length=4)(square) - square,
        np.stack([plain_sinusoids(4, 4)] * 4),
    )


ENCODINGS = {
    "sinusoidal": lambda: SinusoidalPositionalEncoding(11, max_length=7),
    "learned": lambda: moved(LearnedPositionalEncoding(11, rng(), max_length=7)),
}
POSITIONS = {
    "none": None,
    "shared": np.array([6, 0, 0, 3, 1]),
    "own": np.array([[0, 1, 2, 3, 4], [0, 0, 0, 1, 2], [6, 6, 6, 6, 6]]),
}


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("kind", ENCODINGS)
def test_positions_say_where_each_token_stands_and_backward_returns_d_y(kind, positions):
    encoding, x, positions = ENCODINGS[kind](), normal(3, 5, 11), POSITIONS[positions]
    table = plain_sinusoids(7, 11) if kind == "sinusoidal" else encoding.weight.data
    places = np.broadcast_to(np.arange(5) if positions is None else positions, (3, 5))
    y = encoding(x, positions)
    for b, t in np.ndindex(3, 5):
        close(y[b, t], x[b, t] + table[places[b, t]])
    d_y = normal(3, 5, 11, seed=1)
    close(encoding.backward(d_y), d_y)


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("kind", ENCODINGS)
def test_positions_gradient(kind, positions):
    assert_gradients(ENCODINGS[kind](), normal(3, 5, 11), POSITIONS[positions])


def test_learned_positions_gradient_on_a_square_twin():
    encoding = moved(LearnedPositionalEncoding(4, rng(), max_length=4))
    assert_gradients(encoding, normal(4, 4, 4))
    assert_gradients(
        encoding, normal(4, 4, 4),
        np.array([[0, 1, 2, 3], [0, 0, 0, 0], [3, 2, 1, 0], [2, 2, 1, 1]]),
    )


def test_learned_positions_collect_the_gradient_of_every_token_that_stood_there():
    encoding, d_y = LearnedPositionalEncoding(2, rng(), max_length=6).to("float64"), normal(3, 4, 2)
    encoding(normal(3, 4, 2))
    encoding.backward(d_y)
    close(encoding.weight.grad[:4], d_y.sum(axis=0))
    assert not encoding.weight.grad[4:].any()


def test_learned_positions_start_small():
    assert (
        abs(LearnedPositionalEncoding(64, rng(), max_length=200).weight.data.std() - 0.02) < 0.001
    )


@pytest.mark.parametrize("kind", ENCODINGS)
def test_positions_beyond_the_maximum_are_refused_with_the_remedy(kind):
    encoding = ENCODINGS[kind]()
    encoding(np.zeros((1, 7, 11)))
    message = refusal(encoding.forward, np.zeros((1, 8, 11)))
    assert "8 tokens" in message and "maximum of 7" in message and "max_length=8" in message
    message = refusal(encoding.forward, np.zeros((1, 2, 11)), np.array([0, 9]))
    assert "10 tokens" in message and "maximum of 7" in message


# -- feed-forward ----------------------------------------------------------------------------------

ACTIVATION = {
    "relu": lambda v: max(v, 0.0),
    "gelu": lambda v: v * 0.5 * (1 + math.erf(v / math.sqrt(2))),
    "gelu_tanh": lambda v: (
        0.5 * v * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3)))
    ),
}


@pytest.mark.parametrize("activation", ACTIVATION)
def test_feed_forward_equals_the_plain_formula(activation):
    network = moved(FeedForward(11, 19, rng(), activation=activation))
    x, weights = normal(3, 5, 11), network.state_dict()
    hidden = np.vectorize(ACTIVATION[activation])(
        x @ weights["expand.weight"] + weights["expand.bias"]
    )
    close(network(x), hidden @ weights["contract.weight"] + weights["contract.bias"])


@pytest.mark.parametrize("activation", ACTIVATION)
@pytest.mark.parametrize("shape, hidden", [(PLAIN, 19), (SQUARE, 4)], ids=["plain", "square"])
def test_feed_forward_gradient(activation, shape, hidden):
    network = moved(FeedForward(shape[-1], hidden, rng(), activation=activation))
    assert_gradients(network, normal(*shape), max_entries=40)


def test_feed_forward_dropout_acts_on_the_hidden_layer():
    network = moved(FeedForward(3, 2000, rng(), dropout=0.5))
    x = normal(4, 3)
    assert_gradients(network, x, max_entries=20)
    weights = network.state_dict()
    hidden = np.maximum(x @ weights["expand.weight"] + weights["expand.bias"], 0)
    network.contract.forward = lambda h: h
    dropped = network(x)
    assert set(np.unique((dropped / np.where(hidden == 0, 1, hidden)).round(9))) == {0.0, 2.0}
    close(network.eval()(x), hidden)


def test_feed_forward_refuses_an_unknown_activation_with_the_nearest():
    message = refusal(FeedForward, 11, 19, rng(), "gleu")
    assert (
        "'gleu'" in message and "'gelu'" in message and "relu" in message and "gelu_tanh" in message
    )


# -- residual --------------------------------------------------------------------------------------


class Blend(Module):
    """y = x A + m C where the switch is on: a sublayer with a further input and an option."""

    def __init__(self, features, memory_features):
        self.a, self.c = (
            Linear(features, features, rng(1)),
            Linear(memory_features, features, rng(2)),
        )

    def forward(self, x, memory, mask=None):
        self.save(mask)
        y = self.a(x) + self.c(memory)
        return y if mask is None else y * mask

    def backward(self, d_y):
        mask = self.saved()
        d_y = d_y if mask is None else d_y * mask
        d_memory = self.c.backward(d_y)
        return self.a.backward(d_y), d_memory


def plain_residual(residual, x, order):
    norm, sublayer = residual.norm, residual.sublayer

    def normed(v):
        return plain_layer_norm(v, norm.gamma.data, norm.beta.data, norm.epsilon)

    return normed(x + sublayer(x)) if order == "post" else x + sublayer(normed(x))


@pytest.mark.parametrize("order", ["post", "pre"])
@pytest.mark.parametrize("shape, hidden", [(PLAIN, 19), (SQUARE, 4)], ids=["plain", "square"])
def test_residual_adds_the_branch_to_the_input_in_either_order(order, shape, hidden):
    residual = moved(Residual(FeedForward(shape[-1], hidden, rng()), shape[-1], rng(), order=order))
    x = normal(*shape)
    close(residual(x), plain_residual(residual, x, order))


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("order", ["post", "pre"])
@pytest.mark.parametrize("shape, hidden", [(PLAIN, 19), (SQUARE, 4)], ids=["plain", "square"])
def test_residual_gradient(order, shape, hidden, dropout):
    residual = moved(
        Residual(
            FeedForward(shape[-1], hidden, rng()), shape[-1], rng(), order=order, dropout=dropout
        )
    )
    assert_gradients(residual, normal(*shape), max_entries=30)


@pytest.mark.parametrize("order", ["post", "pre"])
def test_residual_passes_further_inputs_on_and_returns_their_gradients(order):
    residual = moved(Residual(Blend(4, 6), 4, rng(), order=order, dropout=0.3))
    x, memory = normal(3, 5, 4), normal(3, 5, 6, seed=1)
    assert_gradients(residual, x, memory)
    residual.eval()
    blocked = residual(x, memory, mask=np.zeros((3, 5, 1)))
    expected = (
        plain_layer_norm(x, residual.norm.gamma.data, residual.norm.beta.data, 1e-5)
        if order == "post"
        else x
    )
    close(blocked, expected)


@pytest.mark.parametrize("order", ["post", "pre"])
def test_residual_dropout_acts_on_the_branch_only(order):
    residual = moved(Residual(FeedForward(200, 7, rng()), 200, rng(), order=order, dropout=0.5))
    residual.norm.forward = lambda v: v
    x = normal(2, 3, 200)
    branch = residual.sublayer(x)
    share = (residual(x) - x) / branch
    assert set(np.unique(share.round(6))) == {0.0, 2.0}


def test_residual_refuses_an_unknown_order():
    message = refusal(Residual, ReLU(), 11, rng(), "prenorm")
    assert "'prenorm'" in message and "'pre'" in message and "post" in message


@pytest.mark.parametrize(
    "make",
    [lambda: SinusoidalPositionalEncoding(4, 5), lambda: LearnedPositionalEncoding(4, rng(), 5)],
)
def test_a_negative_position_does_not_wrap_around(make):
    with pytest.raises(InputError, match="Positions count from 0; got -1"):
        make()(normal(1, 2, 4), np.array([0, -1]))


# -- sliding window --------------------------------------------------------------------------------

# width, dilation, over 7 positions
WINDOWS = [(1, 1), (2, 1), (3, 1), (3, 2), (2, 3), (2, 7), (9, 1), (4, 5)]


def plain_windows(x, width, dilation):
    """x (B, T, D) → (B, T, w, D), place by place."""
    y = np.zeros((*x.shape[:2], width, x.shape[2]))
    for b, t, j in np.ndindex(y.shape[:3]):
        s = t - (width - 1 - j) * dilation
        if s >= 0:
            y[b, t, j] = x[b, s]
    return y


@pytest.mark.parametrize("width, dilation", WINDOWS)
def test_sliding_window_holds_each_position_and_those_before_it(width, dilation):
    x, window = normal(3, 7, 5), SlidingWindow(width, dilation)
    assert np.array_equal(window(x), plain_windows(x, width, dilation))
    window.clear_saves()
    assert_gradients(window, x)


def test_sliding_window_over_further_axes_is_that_of_each_sequence():
    x = normal(2, 3, 7, 5)
    y = SlidingWindow(3, 2)(x)
    assert all(np.array_equal(y[i], SlidingWindow(3, 2)(x[i])) for i in range(2))
    assert_gradients(SlidingWindow(3, 2), x, max_entries=20)


def test_sliding_window_slides_over_a_single_sequence_too():
    x, window = normal(7, 5), SlidingWindow(3, 2)
    try:
        y = window(x)
    except InputError as refused:
        pytest.fail(f"(T, D) was refused: {refused}")
    assert np.array_equal(y, window(x[None])[0])
    window.clear_saves()
    assert_gradients(window, x)


def test_sliding_window_gradient_counts_the_windows_in_which_a_position_stood():
    window = SlidingWindow(3, 2)
    window(normal(1, 7, 1))
    assert window.backward(np.ones((1, 7, 3, 1)))[0, :, 0].tolist() == [3, 3, 3, 2, 2, 1, 1]


@pytest.mark.parametrize("width, dilation", [(0, 1), (3, 0), (-1, 2)])
def test_sliding_window_refuses_a_width_or_dilation_below_one(width, dilation):
    with pytest.raises(
        InputError, match="(width|dilation) must be a whole number of at least 1, got (0|-1)"
    ):
        SlidingWindow(width, dilation)


def test_sliding_window_refuses_what_has_no_positions():
    with pytest.raises(InputError, match=r"of shape \(..., T, D\).*Got float64 of shape \(7,\)"):
        SlidingWindow(3)(normal(7))


def test_sliding_window_over_one_sequence_is_that_of_a_batch_of_one():
    window, x, d_y = SlidingWindow(3, dilation=2), normal(7, 5), normal(7, 3, 5, seed=1)
    y, d_x = window(x), window.backward(d_y)
    close(y, window(x[None])[0])
    close(d_x, window.backward(d_y[None])[0])


# -- convolution -----------------------------------------------------------------------------------

REAL = np.array([[1, 1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1], [1, 1, 0, 1, 1, 0, 0]], dtype=bool)


def convolution(width, dilation, features=5, out=11):
    return moved(CausalConvolution(features, out, width, rng(), dilation))


def plain_convolution(component, x, width, dilation, real=None):
    """Σ_j x_{t − (w − 1 − j)δ} W_j + b, tap by tap."""
    w, b = component.linear.weight.data, component.linear.bias.data
    features = x.shape[2]
    y = np.zeros((*x.shape[:2], len(b)))
    for n, t in np.ndindex(*x.shape[:2]):
        y[n, t] = b
        for j in range(width):
            s = t - (width - 1 - j) * dilation
            if s >= 0 and (real is None or real[n, s]):
                y[n, t] += x[n, s] @ w[j * features : (j + 1) * features]
    return y


@pytest.mark.parametrize("masked", [False, True], ids=["no_mask", "mask"])
@pytest.mark.parametrize("width, dilation", WINDOWS)
def test_convolution_equals_tap_by_tap_and_has_its_gradients(width, dilation, masked):
    component, x, real = convolution(width, dilation), normal(3, 7, 5), REAL if masked else None
    close(component(x, real), plain_convolution(component, x, width, dilation, real))
    component.clear_saves()
    assert_gradients(component, x, real, max_entries=20)


@pytest.mark.parametrize("masked", [False, True], ids=["no_mask", "mask"])
def test_convolution_on_a_square_twin(masked):
    component = convolution(4, 1, 4, 4)
    x = normal(4, 4, 4)
    real = rng(4).random((4, 4)) < 0.7 if masked else None
    close(component(x, real), plain_convolution(component, x, 4, 1, real))
    component.clear_saves()
    assert_gradients(component, x, real, max_entries=20)


@pytest.mark.parametrize("width, dilation", [(1, 1), (3, 1), (2, 3)])
def test_convolution_sees_its_taps_and_nothing_else_bit_for_bit(width, dilation):
    component, x = convolution(width, dilation), normal(3, 7, 5)
    y = component(x)
    for s in range(7):
        other = x.copy()
        other[:, s] += 1
        taps = {s + j * dilation for j in range(width)}
        assert (component(other) != y).any(axis=(0, 2)).tolist() == [t in taps for t in range(7)]


def test_convolution_neither_sees_padding_nor_gives_it_a_gradient():
    component, x = convolution(3, 2), normal(3, 7, 5)
    y = component(x, REAL)
    d_x = component.backward(normal(*y.shape, seed=3))
    assert not d_x[~REAL].any() and d_x[REAL].all()
    assert np.array_equal(component(x + 5 * ~REAL[..., None], REAL), y)


def test_convolution_takes_what_is_before_the_beginning_for_padding():
    component, x = convolution(3, 2), normal(1, 7, 5)
    close(component(x, REAL[1:2])[:, 3:], component(x[:, 3:]))


def test_convolution_refuses_other_features_and_masks():
    component, x = convolution(3, 2), normal(3, 7, 5)
    with pytest.raises(
        InputError,
        match=r"CausalConvolution: x must be .* D is 5. Got float64 of shape \(3, 7, 15\)",
    ):
        component(normal(3, 7, 15))
    with pytest.raises(
        InputError,
        match=r"boolean array .* of shape \(B, T\).* B is 3, T is 7. Got bool of shape \(3, 1, 7\)",
    ):
        component(x, REAL[:, None])
    with pytest.raises(InputError, match=r"Got float64 of shape \(3, 7\).*ids != 0"):
        component(x, REAL.astype(float))
    with pytest.raises(InputError, match="width must be a whole number of at least 1, got 0"):
        CausalConvolution(5, 11, 0, rng())


# -- the mean over positions -----------------------------------------------------------------------


def test_mean_over_positions_is_that_of_the_real_ones():
    x = normal(3, 7, 5)
    expected = [sum(x[b, t] for t in range(7) if REAL[b, t]) / REAL[b].sum() for b in range(3)]
    close(MeanOverPositions()(x, REAL), np.array(expected))
    close(MeanOverPositions()(x), x.mean(axis=1))


def test_mean_over_positions_of_equal_vectors_is_that_vector_in_float32_too():
    """Divided by n, not multiplied by 1/n, which float32 rounds: the mean of a hundred times 255
    would be 255.00002."""
    for length in range(1, 130):
        x = np.full((1, length, 2), 255, dtype=np.float32)
        y = MeanOverPositions()(x)
        assert y.dtype == np.float32 and (y == 255).all(), length


@pytest.mark.parametrize("masked", [False, True], ids=["no_mask", "mask"])
@pytest.mark.parametrize("shape", [(3, 7, 5), (4, 4, 4)], ids=["plain", "square"])
def test_mean_over_positions_gradient(shape, masked):
    assert_gradients(
        MeanOverPositions(), normal(*shape), rng(4).random(shape[:2]) < 0.6 if masked else None
    )


def test_mean_over_positions_gives_real_positions_equal_shares_and_padding_none():
    mean, d_y = MeanOverPositions(), normal(3, 5, seed=3)
    mean(normal(3, 7, 5), REAL)
    d_x = mean.backward(d_y)
    for b, t in np.ndindex(3, 7):
        close(d_x[b, t], d_y[b] / REAL[b].sum() if REAL[b, t] else np.zeros(5))


def test_mean_over_no_positions_is_zero_and_so_is_its_gradient():
    mean, real = MeanOverPositions(), REAL & np.array([[True], [False], [True]])
    with np.errstate(all="raise"):
        y = mean(normal(3, 7, 5), real)
        d_x = mean.backward(np.ones((3, 5)))
    assert not y[1].any() and y[[0, 2]].all() and not d_x[1].any() and d_x[0].all()


@pytest.mark.parametrize(
    "mask, got",
    [
        (REAL[:, :6], r"bool of shape \(3, 6\)"),
        (REAL * 1.0, r"float64 of shape \(3, 7\)"),
        (REAL[0], r"bool of shape \(7,\)"),
        (REAL.tolist(), "a list"),
    ],
)
def test_mean_over_positions_refuses_another_mask(mask, got):
    with pytest.raises(
        InputError, match=rf"boolean array .* of shape \(B, T\).* B is 3, T is 7. Got {got}"
    ):
        MeanOverPositions()(normal(3, 7, 5), mask)
