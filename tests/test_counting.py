"""Counting matrix products: against numbers that can be counted by hand."""

import numpy as np
import pytest
from common import rng

from minitransformer.attention import MultiHeadAttention, SplitHeads
from minitransformer.core import Module
from minitransformer.errors import InputError
from minitransformer.layers import Linear
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.older import (
    AdditiveAttention,
    CausalConvolution,
    GRUCell,
    LocalAttention,
    Recurrence,
    RNNCell,
)
from minitransformer.testing import all_components, count_products
from minitransformer.testing.counting import CountedArray
from minitransformer.testing.gradient_check import is_float

B, N, D = 2, 6, 4


def x(*shape):
    return np.random.default_rng(0).standard_normal(shape or (B, N, D))


def test_a_linear_map_is_one_product_forward_and_three_backward():
    forward, backward = count_products(Linear(D, 5, rng()), x())
    assert [(p.multiply_adds, p.depth) for p in forward.all] == [(B * N * D * 5, 1)]
    ones = B * N * 5  # the bias: a sum as a product with ones
    assert sorted(p.multiply_adds for p in backward.all) == sorted(
        [ones, B * N * D * 5, B * N * D * 5]
    )


def test_attention_is_counted_by_its_parts():
    forward, _ = count_products(MultiHeadAttention(D, 2, rng()), x())
    assert forward.multiply_adds("attention") == 2 * B * N * N * D
    assert forward.multiply_adds("query") == B * N * D * D
    assert forward.multiply_adds() == 2 * B * N * N * D + 4 * B * N * D * D
    assert forward.sequential_steps == 4  # projection, scores, weighted sum, projection


@pytest.mark.parametrize("cell, products", [(RNNCell, 1), (GRUCell, 3)])
def test_a_recurrence_waits_for_every_step(cell, products):
    forward, backward = count_products(Recurrence(cell(D, D, rng())), x(), x(B, D))
    assert forward.multiply_adds() == 2 * products * B * N * D * D
    assert forward.multiply_adds("cell.state") == products * B * N * D * D
    assert forward.sequential_steps == N and backward.sequential_steps >= N


def test_convolution_and_local_attention_grow_with_their_width_only():
    assert (
        count_products(CausalConvolution(D, D, 3, rng()), x())[0].multiply_adds()
        == B * N * 3 * D * D
    )
    local = MultiHeadAttention(D, 2, rng(), attention=LocalAttention(2))
    assert count_products(local, x())[0].multiply_adds("attention") == 2 * B * N * (2 * 2) * D


def test_a_chain_is_followed_through_writing_into_an_array_and_a_sum():
    class Chain(Module):
        def forward(self, x):
            self.save()
            written = np.zeros_like(x)
            for t in range(x.shape[0]):
                before = written[t - 1] if t else x[0]
                written[t] = before @ np.eye(D)
            return written.sum(axis=0) + x[0]

        def backward(self, d_y):
            self.saved()
            return d_y

    forward, _ = count_products(Chain(), x(5, 3, D))
    assert forward.sequential_steps == 5 and len(forward.all) == 5


def test_counting_changes_neither_the_component_nor_its_gradients():
    linear = Linear(D, 5, rng())
    linear.weight.grad += 1
    count_products(linear, x())
    assert (linear.weight.grad == 1).all() and not linear.leftover_saves()
    assert type(linear.forward(x())) is np.ndarray and "forward" not in vars(linear)


def test_products_that_would_be_missed_are_refused():
    class Sneaky(Linear):
        def forward(self, x):
            return np.einsum("btd,de->bte", x, self.weight.data)

    with pytest.raises(InputError, match="numpy.einsum is a product that would not be counted"):
        count_products(Sneaky(D, 5, rng()), x())
    with pytest.raises(InputError, match="no array of floats to follow"):
        count_products(SplitHeads(2), np.zeros((2, 3, 4), dtype=int))


def test_a_model_that_reads_ids_is_counted_through_its_parameters():
    config = TransformerConfig(
        source_vocabulary=11, d_model=D, heads=2, d_ff=3 * D, encoder_layers=1, decoder_layers=2
    )
    model, source, target = Transformer(config, 0), np.full((B, N), 5), np.full((B, N + 1), 5)
    forward, backward = count_products(model, source, target)
    T, S = N + 1, N
    assert forward.multiply_adds("output") == B * T * D * 11 == backward.multiply_adds("output") / 2
    scores = {"encoder": 2 * S * S, "decoder": 2 * 2 * (T * T + T * S)}
    for part, count in scores.items():
        paths = {
            p.path for p in forward.all if p.path.startswith(part) and p.path.endswith(".attention")
        }
        assert sum(forward.multiply_adds(path) for path in paths) == B * D * count
    assert model.flat_buffers().intact() and type(model.output.weight.data) is np.ndarray


@pytest.mark.parametrize(
    "component", [c for c in all_components() if any(map(is_float, c.example(rng())[1:]))],
    ids=lambda c: c.__name__,
)
def test_a_counted_pass_gives_the_same_numbers(component):
    made, *inputs = component.example(rng())
    made.to("float64").eval()
    expected = made.forward(*inputs)
    made.clear_saves()
    seen = []
    wrapped = made.forward
    made.forward = lambda *a: seen.append(wrapped(*a)) or seen[-1]
    count_products(made, *inputs)
    for a, b in zip(
        seen[0] if isinstance(seen[0], tuple) else (seen[0],),
        expected if isinstance(expected, tuple) else (expected,),
    ):
        np.testing.assert_array_equal(np.asarray(a), b)
        assert isinstance(a, CountedArray)


def test_additive_attention_costs_more_products_a_pair_than_a_dot_product():
    forward, _ = count_products(AdditiveAttention(D, D, D, rng()), x(), x())
    assert (
        forward.multiply_adds("score") == B * N * N * D
        and forward.multiply_adds("expectation") == B * N * N * D
    )
