"""The walk through a model: against shapes, counts and bytes that can be worked out by hand."""

import numpy as np
import pytest
from common import refusal, rng

from minitransformer import Module, Transformer, TransformerConfig, trace
from minitransformer.attention import MultiHeadAttention
from minitransformer.layers import Dropout, FeedForward, LayerNorm, Linear
from minitransformer.testing import all_components
from minitransformer.testing.gradient_check import is_float

B, T, D, F = 3, 5, 8, 11


def x(*shape):
    return rng().standard_normal(shape or (B, T, D))


def test_a_linear_layer_has_its_shapes_parameters_products_and_saves():
    (row,) = trace(Linear(D, F, rng()).to("float64"), x()).rows
    assert (row.path, row.kind, row.depth, row.calls) == ("", "Linear", 0, 1)
    assert row.inputs == ((B, T, D),) and row.output == ((B, T, F),)
    assert row.parameters == D * F + F
    # forward, d_x, d_W; d_b as a product with ones
    assert row.multiply_adds == 3 * B * T * D * F + B * T * F
    assert row.saved_bytes == B * T * D * 8
    assert row.forward_seconds > 0 and row.backward_seconds > 0


def test_a_whole_includes_its_parts_and_memory_that_is_shared_counts_once():
    walk = trace(MultiHeadAttention(D, 2, rng()).to("float64"), x())
    parts = [row for row in walk.rows if row.depth == 1]
    whole = walk[""]
    assert [row.path for row in parts] == [
        "query", "key", "value", "split_query", "split_key", "split_value", "attention", "merge",
        "output",
    ]
    assert whole.parameters == sum(row.parameters for row in parts) == 4 * D * D
    assert whole.multiply_adds == sum(row.multiply_adds for row in parts)
    # scores and P V, each with two gradients
    assert walk["attention"].multiply_adds == 3 * 2 * B * T * T * D
    assert walk["query"].saved_bytes == walk["key"].saved_bytes == B * T * D * 8
    # query, key and value save one x
    assert whole.saved_bytes < sum(row.saved_bytes for row in parts)
    assert whole.forward_seconds >= sum(row.forward_seconds for row in parts) / 2


class Thrice(Module):
    """A component whose one part is used three times."""

    def __init__(self):
        self.linear = Linear(D, D, 0)

    def forward(self, x):
        return self.linear(self.linear(self.linear(x)))

    def backward(self, d_y):
        return self.linear.backward(self.linear.backward(self.linear.backward(d_y)))


def test_a_part_that_is_used_three_times_stands_once_with_all_that_it_did():
    walk = trace(Thrice().to("float64"), x())
    once = trace(Linear(D, D, 0).to("float64"), x())
    assert walk["linear"].calls == 3 and "linear (Linear) ×3" in repr(walk)
    assert walk["linear"].multiply_adds == 3 * once[""].multiply_adds


def test_a_model_that_reads_ids_is_walked_through_and_each_sublayer_stands_once():
    config = TransformerConfig(
        source_vocabulary=11, d_model=D, heads=2, d_ff=F, encoder_layers=1, decoder_layers=2
    )
    model = Transformer(config, 0)
    walk = trace(model, np.full((B, T), 5), np.full((B, T + 1), 5))
    assert walk[""].inputs == ((B, T), (B, T + 1)) and walk[""].output == ((B, T + 1, 11),)
    assert walk[""].parameters == model.parameter_count()
    assert walk[""].multiply_adds == sum(
        walk[p].multiply_adds for p in ("encoder", "decoder", "output")
    )
    layer = walk["encoder.layers.0"]
    assert layer.multiply_adds == walk["encoder"].multiply_adds
    held = (
        walk["encoder.layers.0.add_norm_2"].multiply_adds
        - walk["encoder.layers.0.add_norm_2.norm"].multiply_adds
    )
    assert held == walk["encoder.layers.0.feed_forward"].multiply_adds
    paths = [row.path for row in walk.rows]
    assert (
        len(paths) == len(set(paths))
        and "decoder.layers.1.cross_attention.attention.softmax" in paths
    )


def test_a_part_and_a_depth_are_walks_themselves():
    walk = trace(FeedForward(D, F, rng()), x().astype("float32"))
    assert [row.path for row in walk.to_depth(0).rows] == [""]
    layers = trace(Transformer(TransformerConfig(11, d_model=D, heads=2, d_ff=F, encoder_layers=2,
                                                 decoder_layers=1), 0),
                   np.full((B, T), 5), np.full((B, T), 5))  # fmt: skip
    part = layers.below("encoder.layers.1")
    assert part.rows[0].depth == 0 and {
        row.path.startswith("encoder.layers.1") for row in part.rows
    } == {True}
    assert repr(part).splitlines()[1].startswith("layers.1 (EncoderLayer)")


def test_nothing_is_changed_by_a_walk():
    attention, dropout = MultiHeadAttention(D, 2, rng()), Dropout(0.5, rng())
    attention.query.weight.grad += 1
    before = dropout.rng.bit_generator.state
    trace(attention, x().astype("float32"))
    trace(dropout, x())
    assert (
        (attention.query.weight.grad == 1).all()
        and not attention.leftover_saves()
        and not dropout.leftover_saves()
    )
    assert dropout.rng.bit_generator.state == before
    assert type(attention.query.weight.data) is np.ndarray and "forward" not in vars(attention)


def test_a_failing_forward_leaves_no_trace_behind():
    class Failing(Module):
        def __init__(self):
            self.norm = LayerNorm(D)

        def forward(self, x):
            self.norm(x)
            raise ValueError("on purpose")

    failing = Failing()
    with pytest.raises(ValueError, match="on purpose"):
        trace(failing, x())
    assert not failing.leftover_saves() and "forward" not in vars(failing.norm)


def test_a_table_says_what_the_tree_says():
    walk = trace(FeedForward(D, F, rng()), x())
    tree, table = repr(walk), walk._repr_html_()
    for row in walk.rows:
        for cell in row.cells:
            assert cell.strip() in tree and cell.strip() in table
    assert len(tree.splitlines()) == table.count("<tr>") == len(walk.rows) + 1


@pytest.mark.parametrize("component", all_components(), ids=lambda c: c.__name__)
def test_every_component_can_be_walked_through(component):
    made, *inputs = component.example(rng())
    made.to("float64")
    if not made.parameters() and not any(map(is_float, inputs)):
        pytest.skip("it has no floats")
    whole = trace(made, *inputs)[""]
    assert (
        whole.kind == component.__name__
        and whole.parameters == made.parameter_count()
        and whole.saved_bytes >= 0
    )


def test_a_forward_without_return_is_refused():
    class NoReturn(Module):
        def forward(self, x):
            self.save(x)

        def backward(self, d_y):
            return d_y

    assert "forward returned None: end it with `return y`" in refusal(trace, NoReturn(), x())


def test_a_component_without_floats_is_refused():
    class Same(Module):
        def forward(self, x):
            return x

        def backward(self, d_y):
            return None

    assert "no array of floats to follow" in refusal(trace, Same(), np.zeros((2, 3, 4), dtype=int))
