"""Padding left out: the same numbers as with it, at every real position and in every gradient."""

import contextlib
import copy
import threading

import numpy as np
import pytest
from common import accepted, assert_gradients, central_differences, close, moved, refusal

from minitransformer.attention import MultiHeadAttention, ScaledDotProductAttention, padding_mask
from minitransformer.attention.heads import MergeHeads, SplitHeads
from minitransformer.backend import nearest_keep
from minitransformer.boundary.calls import substituted
from minitransformer.core import Module, observe
from minitransformer.data import Batch
from minitransformer.layers import (
    CrossEntropy,
    Embedding,
    LearnedPositionalEncoding,
    Linear,
    SinusoidalPositionalEncoding,
)
from minitransformer.models import InputEmbedding, LanguageModel, Transformer, TransformerConfig
from minitransformer.testing import away_from_initialisation
from minitransformer.training import gradients
from minitransformer.training.packing import (
    AT_EACH_POSITION,
    Packing,
    packed_input,
    packed_merge,
    packed_split,
    without_padding,
)

SIZES = dict(
    source_vocabulary=17, target_vocabulary=19, d_model=12, heads=3, d_k=5, d_v=4, d_ff=14,
    max_length=9,
)
DEPTH = dict(encoder_layers=2, decoder_layers=3, dropout=0.0)
VARIANTS = {
    "post": {},
    "post with final norm": dict(final_norm=True),
    "pre": dict(norm="pre"),
    "pre without final norm": dict(norm="pre", final_norm=False),
    "learned": dict(positions="learned"),
    "bias": dict(bias=True, activation="gelu"),
    "tied": dict(tie_embeddings=True, target_vocabulary=17),
    "all": dict(
        tie_embeddings=True, target_vocabulary=17, positions="learned", norm="pre", bias=True
    ),
    "one layer each": dict(encoder_layers=1, decoder_layers=1),
}
REAL = (
    np.array(
        [[1, 1, 0, 1, 0, 1, 1], [0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1], [0, 1, 0, 0, 0, 0, 0]]
    )
    == 1
)


def rng(seed=0):
    return np.random.default_rng([5, seed])


def model_of(variant="post", **changes):
    """In float64, every parameter at a random place."""
    config = TransformerConfig(**{**SIZES, **DEPTH, **VARIANTS[variant], **changes})
    return away_from_initialisation(Transformer(config, 3).to("float64"), rng(1))


SOURCE_LENGTHS = {"padded": [7, 3, 5, 1], "full": [7, 7, 7, 7]}
TARGET_LENGTHS = {"padded": [2, 5, 5, 3], "full": [5, 5, 5, 5]}


def batch_of(source="padded", target="padded"):
    """Four pairs of unlike lengths, S = 7 and T = 5."""
    draw = rng(2)
    source_ids, target_ids = draw.integers(4, 17, size=(4, 7)), draw.integers(4, 17, size=(4, 6))
    source_ids[np.arange(7) >= np.array(SOURCE_LENGTHS[source])[:, None]] = 0
    target_ids[:, 0] = 1
    target_in, target_out = target_ids[:, :-1].copy(), target_ids[:, 1:].copy()
    behind = np.arange(5) >= np.array(TARGET_LENGTHS[target])[:, None]
    target_in[behind] = target_out[behind] = 0
    return Batch(source_ids, target_in, target_out)


# -- Packing itself --------------------------------------------------------------------------------


def test_packed_are_the_real_positions_row_by_row_and_in_their_order():
    packing = Packing(REAL)
    padded = np.arange(28).reshape(4, 7)
    assert packing.pack(padded).tolist() == [0, 1, 3, 5, 6, 14, 15, 16, 17, 18, 19, 20, 22]
    assert packing.positions.tolist() == [0, 1, 3, 5, 6, 0, 1, 2, 3, 4, 5, 6, 1]


@pytest.mark.parametrize("features", [(), (5,), (3, 2)], ids=str)
def test_unpacking_puts_every_vector_in_its_place_with_zeros_at_padding(features):
    packing = Packing(REAL)
    packed = rng().standard_normal((13, *features)).astype(np.float32)
    padded = packing.unpack(packed)
    assert padded.shape == (4, 7, *features) and padded.dtype == np.float32
    for n, (row, place) in enumerate(np.argwhere(REAL)):
        assert np.array_equal(padded[row, place], packed[n])
    assert not padded[~REAL].any()


@pytest.mark.parametrize("features", [(), (5,), (3, 2)], ids=str)
def test_packing_undoes_unpacking_and_each_is_the_others_backward(features):
    packing = Packing(REAL)
    x, y = rng().standard_normal((13, *features)), rng(1).standard_normal((4, 7, *features))
    kept = x.copy(), y.copy()
    assert np.array_equal(packing.pack(packing.unpack(x)), x)
    assert np.array_equal(packing.unpack(packing.pack(y))[REAL], y[REAL])
    np.testing.assert_allclose(
        (packing.unpack(x) * y).sum(), (x * packing.pack(y)).sum(), rtol=1e-13
    )
    assert np.array_equal(x, kept[0]) and np.array_equal(y, kept[1])


def test_an_array_that_is_not_contiguous_is_packed_too():
    y = rng().standard_normal((7, 4, 5)).transpose(1, 0, 2)
    assert np.array_equal(Packing(REAL).pack(y), y[REAL])


def test_where_all_is_real_there_is_nothing_to_leave_out():
    assert Packing.of(np.ones((3, 5), dtype=bool)) is None
    one_is_not = np.ones((3, 5), dtype=bool)
    one_is_not[2, 4] = False
    assert Packing.of(one_is_not).places.tolist() == list(range(14))


# -- heads -----------------------------------------------------------------------------------------


def test_split_heads_gets_the_real_positions_and_returns_zeros_at_the_others():
    packing, split = Packing(REAL), SplitHeads(3)
    x, d_y = rng().standard_normal((13, 3 * 5)), rng(1).standard_normal((4, 3, 7, 5))
    with substituted({split: packed_split(packing)}):
        y = split(x)
        d_x = split.backward(d_y)
        numerical = central_differences(lambda: (split(x) * d_y).sum(), x)
    split.clear_saves()
    assert (
        np.array_equal(y, SplitHeads(3)(packing.unpack(x)))
        and not y.transpose(0, 2, 1, 3)[~REAL].any()
    )
    assert d_x.shape == x.shape
    np.testing.assert_allclose((y * d_y).sum(), (x * d_x).sum(), rtol=1e-13)
    close(d_x, numerical, atol=1e-8)


def test_merge_heads_returns_the_real_positions_and_their_gradient_comes_back_with_zeros():
    packing, merge = Packing(REAL), MergeHeads()
    x, d_y = rng().standard_normal((4, 3, 7, 5)), rng(1).standard_normal((13, 3 * 5))
    with substituted({merge: packed_merge(packing)}):
        y = merge(x)
        assert np.array_equal(y, MergeHeads()(x)[REAL])
        d_x = merge.backward(d_y)
    assert (
        d_x.shape == x.shape
        and not d_x.transpose(0, 2, 1, 3)[~REAL].any()
        and not merge.leftover_saves()
    )
    np.testing.assert_allclose((y * d_y).sum(), (x * d_x).sum(), rtol=1e-13)
    assert np.array_equal(d_x.transpose(0, 2, 1, 3)[REAL], d_y.reshape(13, 3, 5))


def test_heads_with_and_without_padding_alternate_and_are_undone_in_reverse():
    packing, split = Packing(REAL), SplitHeads(3)
    with substituted({split: packed_split(packing)}):
        split(np.ones((13, 15)))
        with substituted({split: packed_split(Packing(np.ones((2, 6)) == 1))}):
            assert split(np.ones((12, 15))).shape == (2, 3, 6, 5)
            assert split.backward(np.ones((2, 3, 6, 5))).shape == (12, 15)
        assert split.backward(np.ones((4, 3, 7, 5))).shape == (13, 15)
    assert split(np.ones((2, 6, 15))).shape == (2, 3, 6, 5)
    assert split.backward(np.ones((2, 3, 6, 5))).shape == (2, 6, 15)


def test_packed_features_that_do_not_divide_are_refused():
    split = SplitHeads(3)
    with substituted({split: packed_split(Packing(REAL))}):
        assert "(4, 7, 16)" in refusal(split, np.ones((13, 16)))


def test_what_is_substituted_in_one_thread_is_itself_in_another_and_in_a_copy():
    split, x, found = SplitHeads(3), np.ones((2, 6, 15)), []
    with substituted({split: (lambda component, x: 2 * x, None)}):
        thread = threading.Thread(target=lambda: found.append(split(x).shape))
        thread.start()
        thread.join()
        assert copy.deepcopy(split)(x).shape == (2, 3, 6, 5) and (split(x) == 2).all()
    assert found == [(2, 3, 6, 5)] and split(x).shape == (2, 3, 6, 5)


@pytest.mark.parametrize("of_query, of_memory", [(True, True), (True, False), (False, True)])
def test_attention_between_packed_queries_and_a_packed_memory(of_query, of_memory):
    attention = MultiHeadAttention(12, 3, rng(), key_features=5, value_features=4, bias=True).to(
        "float64"
    )
    away_from_initialisation(attention, rng(1))
    real_q, real_m = REAL.copy(), np.arange(6) < np.array([2, 6, 1, 4])[:, None]
    real_q[1, 3] = True
    query, memory, d_y = (
        rng(n).standard_normal((4, length, 12)) for n, length in ((3, 7), (4, 6), (5, 7))
    )
    d_y[~real_q] = 0
    mask = padding_mask(real_m.astype(int))
    expected = attention(query, memory, mask)
    d_expected = attention.backward(d_y)
    weights = {name: p.grad.copy() for name, p in attention.named_parameters().items()}
    attention.zero_grad()
    q, m = Packing(real_q) if of_query else None, Packing(real_m) if of_memory else None
    packed = [
        array if p is None else p.pack(array) for p, array in ((q, query), (m, memory), (q, d_y))
    ]
    sides = {attention.split_query: q, attention.split_key: m, attention.split_value: m}
    functions = {split: packed_split(side) for split, side in sides.items() if side}
    with substituted({**functions, attention.merge: packed_merge(q)} if q else functions):
        y, d_inputs = attention(packed[0], packed[1], mask), attention.backward(packed[2])
    close(y, expected if q is None else q.pack(expected))
    for mine, whole, p in zip(d_inputs, d_expected, (q, m)):
        close(mine, whole if p is None else p.pack(whole))
    for name, p in attention.named_parameters().items():
        close(p.grad, weights[name])


# -- positions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SinusoidalPositionalEncoding, LearnedPositionalEncoding])
def test_a_packed_position_gets_the_code_of_where_it_stood(kind):
    encoding = (
        kind(6, max_length=8)
        if kind is SinusoidalPositionalEncoding
        else kind(6, rng(), max_length=8)
    )
    encoding.to("float64")
    packing, x = Packing(REAL), rng(1).standard_normal((4, 7, 6))
    y = encoding(packing.pack(x), packing.positions)
    assert y.shape == (13, 6)
    close(y, kind.forward(encoding, x)[REAL])
    d_y = rng(2).standard_normal((13, 6))
    # of the second forward, which is the first undone
    encoding.backward(rng(3).standard_normal((4, 7, 6)))
    assert np.array_equal(encoding.backward(d_y), d_y)


def test_the_gradient_of_learned_positions_is_collected_from_packed_ones():
    encoding = LearnedPositionalEncoding(6, rng(), max_length=8).to("float64")
    packing, d_y = Packing(REAL), rng(2).standard_normal((13, 6))
    encoding.weight.grad = np.ones((8, 6))
    encoding(rng(1).standard_normal((13, 6)), packing.positions)
    encoding.backward(d_y)
    close(encoding.weight.grad[:7], 1 + packing.unpack(d_y).sum(axis=0))
    assert (encoding.weight.grad[7] == 1).all()


def test_packed_positions_outside_the_table_are_refused():
    encoding = LearnedPositionalEncoding(6, rng(), max_length=5)
    assert "longer than the maximum of 5" in refusal(
        encoding, np.ones((13, 6)), Packing(REAL).positions
    )
    assert "count from 0; got -2" in refusal(encoding, np.ones((2, 6)), np.array([-2, 0]))
    assert "x[None]" in refusal(encoding, np.ones((13, 6)))


def test_the_input_of_a_stack_takes_padded_ids_and_returns_real_positions():
    config = TransformerConfig(**{**SIZES, "positions": "learned", "dropout": 0.0})
    embedding = InputEmbedding(Embedding(17, 12, rng()), config, rng()).to("float64")
    source, packing = batch_of().source, Packing(batch_of().source != 0)
    with substituted({embedding: packed_input(packing)}):
        y = embedding(source)
    padded = embedding(source)
    assert y.shape == (16, 12)
    close(y, padded[source != 0])


# -- whole models ----------------------------------------------------------------------------------


def loss_and_gradients(model, batch, packed, smoothing=0.1):
    """(logits at real targets (N, V), loss, {name: gradient}) of a pass with padding computed, or
    left out."""
    loss, (source, target_in, targets) = CrossEntropy(smoothing, padding=0), batch
    model.zero_grad()
    with without_padding(model, *batch) if packed else contextlib.nullcontext(targets) as targets:
        logits = model(source, target_in)
        value = loss(logits, targets)
        model.backward(loss.backward())
    assert not model.leftover_saves()
    return (
        logits[targets != 0], value,
        {name: p.grad.copy() for name, p in model.named_parameters().items()},
    )


def assert_padding_adds_nothing(model, batch, unused=()):
    """The packed model equals the one that computes padding, to 1e-12 of the largest number of each
    kind."""
    logits, value, grads = loss_and_gradients(model, batch, packed=True)
    expected_logits, expected_value, expected = loss_and_gradients(model, batch, packed=False)
    close(logits, expected_logits, 1e-12 * abs(expected_logits).max())
    close(value, expected_value, 1e-12 * expected_value)
    size = max(abs(g).max() for g in expected.values())
    assert set(grads) == set(expected)
    for name, grad in expected.items():
        close(grads[name], grad, 1e-12 * size)
        expected_zero = name.endswith(("key.bias", "position.weight")) or name.startswith(unused)
        assert abs(grad).max() > 1e-6 * size or expected_zero, f"{name} is not tested"


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_packed_model_has_the_logits_the_loss_and_the_gradients_of_the_padded_one(variant):
    assert_padding_adds_nothing(model_of(variant), batch_of())


@pytest.mark.parametrize("variant", ["post", "learned"])
@pytest.mark.parametrize(
    "source, target", [("padded", "full"), ("full", "padded"), ("full", "full")]
)
def test_either_side_may_be_without_padding(variant, source, target):
    batch, model, seen = batch_of(source, target), model_of(variant), {}
    with (
        without_padding(model, *batch),
        observe(model, lambda path, _, inputs, output: seen.update({path: np.ndim(output)})),
    ):
        model(batch.source, batch.target_in)
    model.clear_saves()
    assert (seen["encoder"] == 3) == (source == "full") and (seen["decoder"] == 3) == (
        target == "full"
    )
    assert_padding_adds_nothing(model, batch)


@pytest.mark.parametrize("variant", ["post", "pre", "learned"])
def test_a_source_that_is_nothing_but_padding(variant):
    batch = batch_of()
    batch.source[2] = 0
    assert_padding_adds_nothing(model_of(variant), batch)


def test_padding_may_stand_before_and_between_tokens():
    batch = batch_of("full", "full")
    batch.source[0, :3] = batch.source[1, [1, 4]] = batch.source[3, 5:] = 0
    batch.target_in[0, 2:4] = batch.target_out[0, 2:4] = 0
    assert_padding_adds_nothing(model_of("learned"), batch)


def without_padding_positions(batch):
    """Where the real target tokens of a batch stand in their rows, as the model is told."""
    model, seen = model_of("learned"), []
    with (
        without_padding(model, *batch),
        observe(
            model.target_input,
            lambda path, _, inputs, output: path == "position" and seen.append(inputs[1]),
        ),
    ):
        model(batch.source, batch.target_in)
    return seen[0]


@pytest.mark.parametrize("row", ["in the middle", "first"])
def test_a_target_counts_though_nothing_stands_at_its_place(row):
    batch = batch_of()
    batch.target_in[1, 0 if row == "first" else 2] = 0
    assert batch.target_out[1, 2] != 0
    assert (without_padding_positions(batch) == 2).sum() == 3
    assert_padding_adds_nothing(model_of("learned"), batch)


def test_a_place_without_a_target_is_still_looked_at():
    batch = batch_of()
    batch.target_out[1, 2] = 0
    model = model_of()
    assert (accepted(without_padding_positions, batch) == 2).sum() == 3
    assert_padding_adds_nothing(model, batch)
    before = loss_and_gradients(model, batch, packed=True)[0]
    batch.target_in[1, 2] = 4 + (batch.target_in[1, 2] - 3) % 13
    assert abs(loss_and_gradients(model, batch, packed=True)[0] - before).max() > 1e-3


class Packed(Module):
    """A model that computes nothing at padding, as a component that reads ids."""

    def __init__(self, model, batch):
        self.model, self._batch = model, batch

    def forward(self, source, target_in):
        with without_padding(self.model, *self._batch):
            return self.model(source, target_in)

    def backward(self, d_y):
        with without_padding(self.model, *self._batch):
            return self.model.backward(d_y)


@pytest.mark.parametrize("variant", ["post", "pre", "tied"])
def test_the_gradients_of_a_packed_model_are_its_central_differences(variant):
    model = model_of(variant, encoder_layers=1, decoder_layers=1)
    batch = batch_of()
    assert_gradients(Packed(model, batch), batch.source, batch.target_in, max_entries=3)


def test_so_they_are_with_dropout_everywhere():
    rates = dict(dropout=0.3, attention_dropout=0.2, activation_dropout=0.4)
    model = model_of("learned", encoder_layers=1, decoder_layers=1, **rates)
    batch = batch_of()
    assert_gradients(Packed(model, batch), batch.source, batch.target_in, max_entries=3)


def test_dropout_of_packed_positions_drops_its_share_and_keeps_the_mean():
    config = TransformerConfig(**{**SIZES, "d_model": 600, "dropout": 0.3, "max_length": 7})
    embedding = InputEmbedding(Embedding(17, 600, rng()), config, rng(1)).to("float64")
    source, packing = batch_of().source, Packing(batch_of().source != 0)
    with substituted({embedding: packed_input(packing)}):
        y, whole = embedding(source), embedding.eval()(source)
    keep, ratio = nearest_keep(0.7), y / whole
    assert y.shape == (16, 600)
    dropped = ratio == 0
    close(ratio[~dropped], np.full((~dropped).sum(), 1 / keep))
    assert abs(dropped.mean() - 0.3) < 5 * (0.21 / y.size) ** 0.5
    assert len({row.tobytes() for row in dropped}) == 16, "two positions share their mask"


# -- what training leaves out ----------------------------------------------------------------------


def test_nothing_is_computed_at_padding_but_attention():
    model, batch, seen = model_of(), batch_of(), {}
    with observe(
        model, lambda path, component, inputs, output: seen.update({path: np.shape(output)})
    ):
        gradients(model, CrossEntropy(padding=0), batch)
    of_memory = ("cross_attention.key", "cross_attention.value")
    in_heads = (
        ".split_query", ".split_key", ".split_value", ".attention", ".masking", ".softmax",
        "attention.dropout",
    )
    for path, shape in seen.items():
        of_source = path.startswith(("source", "encoder")) or path.endswith(of_memory)
        real = 16 if of_source else 15
        assert len(shape) == 4 if path.endswith(in_heads) else shape[0] == real, path


def test_targets_come_packed_with_their_logits():
    model, batch = model_of(), batch_of()
    with without_padding(model, *batch) as targets:
        assert targets.tolist() == batch.target_out[batch.target_in != 0].tolist()
        assert model(batch.source, batch.target_in).shape == (*targets.shape, 19)


@pytest.mark.parametrize("source", ["padded", None])
def test_a_model_that_does_not_pack_is_fed_as_it_is(source):
    model = LanguageModel(TransformerConfig(**{**SIZES, **DEPTH, "max_length": 20}), 0)
    batch = batch_of()
    batch = batch._replace(source=batch.source if source else None)
    with without_padding(model, *batch) as targets:
        assert targets is batch.target_out
        assert model(batch.source, batch.target_in).shape == (4, 5, 19)


def test_the_gradient_of_a_batch_is_added_and_weighted():
    model, loss, batch = model_of(), CrossEntropy(0.1, padding=0), batch_of()
    _, value, expected = loss_and_gradients(model, batch, packed=False)
    model.zero_grad()
    for p in model.parameters():
        p.grad += 2
    close(gradients(model, loss, batch, weight=0.25), 0.25 * value)
    for name, p in model.named_parameters().items():
        close(
            p.grad, 2 + 0.25 * expected[name], 1e-12 * max(abs(g).max() for g in expected.values())
        )
    close(gradients(model, loss, batch), value)


# -- faults that are known -------------------------------------------------------------------------


def test_a_batch_without_any_source_trains_as_with_padding_computed():
    batch = batch_of()
    batch.source[:] = 0
    assert_padding_adds_nothing(
        model_of(), batch, unused=("source_input", "encoder", "decoder.layers")
    )


def test_a_batch_that_is_all_padding_is_refused_by_the_loss():
    batch = batch_of()
    batch.target_in[:] = batch.target_out[:] = 0
    assert "every target is padding" in refusal(
        gradients, model_of(), CrossEntropy(padding=0), batch
    )


def test_the_loss_says_which_targets_are_padding():
    model, loss, batch = model_of(), CrossEntropy(padding=5), batch_of()
    batch.target_out[batch.target_out == 0] = 5
    # for this loss, id 0 is a token to be predicted
    batch.target_in[1, 3], batch.target_out[1, 3] = 0, 0
    expected = loss(model(batch.source, batch.target_in), batch.target_out)
    close(gradients(model, loss, batch), expected)


def test_an_id_outside_the_vocabulary_is_named_with_its_row_and_place():
    batch = batch_of()
    batch.source[2, 1] = 99
    assert "99 at position (2, 1)" in refusal(gradients, model_of(), CrossEntropy(padding=0), batch)


# -- what may not be packed is computed as ever ----------------------------------------------------


def outcome(model, loss, batch, skip_padding):
    """(loss, {name: gradient}) of a batch, or the error, as text."""
    model.clear_saves()
    loss.clear_saves()
    model.zero_grad()
    try:
        value = gradients(model, loss, batch, skip_padding=skip_padding)
    except Exception as problem:
        return repr(problem), {}
    assert not model.leftover_saves()
    return value, {name: p.grad.copy() for name, p in model.named_parameters().items()}


def assert_the_same(model, batch, loss=None):
    """Training gives the same with `skip_padding` as without, to 1e-12 of the largest gradient, or
    the same error. Returns the loss, or that error."""
    loss = loss or CrossEntropy(0.1, padding=0)
    expected, grads_expected = outcome(model, loss, batch, skip_padding=False)
    value, grads = outcome(model, loss, batch, skip_padding=True)
    if isinstance(expected, str):
        assert value == expected
        return value
    assert not isinstance(value, str), value
    close(value, expected, 1e-12 * abs(expected))
    size = max(abs(g).max() for g in grads_expected.values())
    for name, grad in grads_expected.items():
        close(grads[name], grad, 1e-12 * size)
    return value


def is_packed(model, batch):
    with without_padding(model, *batch) as targets:
        return targets.ndim == 1


def small_model(variant="post", **changes):
    changes = {"d_k": 4, "encoder_layers": 1, "decoder_layers": 1, **changes}
    return model_of(variant, **changes)


def slots(model):
    """(path, owner, name, component) for every attribute, or place in a list, that holds a
    component: one that is held twice comes twice, what is below it once."""
    return [("", None, "", model)] + [
        (f"{path}.{name}", owner, name, component)
        for path, owner in model.named_modules()
        for name, component in owner.children()
    ]


def put(owner, name, component):
    """Exchange what `owner` holds by this name, and nothing else."""
    name, _, place = name.partition(".")
    if place:
        getattr(owner, name)[int(place)] = component
    else:
        vars(owner)[name] = component


def factors(y):
    """What each position of y, (..., T, K), is multiplied by, from its number in the array and the
    size of the batch: both tell (N, D) from (B, T, D)."""
    return (1 + 0.1 * np.arange(y.shape[-2])[:, None]) * (1 + 1 / len(y))


def makes_its_own(component):
    """Let the component be of a subclass whose output is multiplied by `factors`."""

    class Own(type(component)):
        def forward(self, *inputs, **options):
            y = super().forward(*inputs, **options)
            self.__dict__.setdefault("_factors", []).append(factors(y))
            return y * self._factors[-1]

        def backward(self, d_y):
            return super().backward(d_y * self._factors.pop())

    component.__class__ = Own


def gets_functions_of_its_own(component):
    """The same by two attributes of this one component; its class stays."""
    forward, backward, made = component.forward, component.backward, []

    def own_forward(*inputs, **options):
        y = forward(*inputs, **options)
        made.append(factors(y))
        return y * made[-1]

    component.forward = own_forward
    component.backward = lambda d_y: backward(d_y * made.pop())


SWEPT = {
    "post": {}, "pre": dict(activation="gelu"), "all": dict(activation="gelu_tanh", norm="post"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_models_of_this_package_are_packed(variant):
    model = model_of(variant)
    assert is_packed(model, batch_of())
    assert is_packed(model.to("float32"), batch_of())


@pytest.mark.slow
@pytest.mark.parametrize("change", [makes_its_own, gets_functions_of_its_own])
@pytest.mark.parametrize("variant", SWEPT)
def test_a_component_of_a_learners_own_anywhere_counts_as_without_packing(variant, change):
    batch, original = batch_of(), small_model(variant, **SWEPT[variant])
    before, _ = outcome(original, CrossEntropy(0.1, padding=0), batch, skip_padding=False)
    places = {id(component): k for k, (*_, component) in enumerate(slots(original))}
    for k in places.values():
        model = copy.deepcopy(original)
        path, _, _, component = slots(model)[k]
        change(component)
        after = assert_the_same(model, batch)
        assert not isinstance(after, str) and after != before, f"{path} is not tested"


@pytest.mark.slow
def test_one_component_in_two_places_counts_as_without_packing():
    batch, original, packed, tried = batch_of(), small_model(target_vocabulary=17), 0, 0
    places = slots(original)
    kinds = [(type(part), [p.shape for p in part.parameters()]) for *_, part in places]
    for i in range(len(places)):
        for k in range(i):
            if kinds[i] == kinds[k] and places[i][-1] is not places[k][-1]:
                model = copy.deepcopy(original)
                (*_, one), (_, owner, name, _) = slots(model)[i], slots(model)[k]
                put(owner, name, one)
                assert_the_same(model, batch)
                packed, tried = packed + is_packed(model, batch), tried + 1
    assert 0 < packed < tried


@pytest.mark.parametrize(
    "path, name",
    [("", "decode"), ("", "encode"), ("encoder.layers.0.self_attention", "keys_and_values")],
)
def test_a_function_that_forward_calls_may_be_a_learners_own(path, name):
    model, batch = small_model(), batch_of()
    component = dict(model.named_modules())[path]
    function = getattr(component, name)
    setattr(component, name, lambda *inputs: function(*inputs))
    assert not is_packed(model, batch)
    assert_the_same(model, batch)


class Mean:
    """Not even a Module: adds the mean over the positions before it, (..., T, D)."""

    def __call__(self, x):
        return x + x.mean(axis=-2, keepdims=True)

    def backward(self, d_y):
        return d_y + d_y.mean(axis=-2, keepdims=True)


@pytest.mark.parametrize("stands", ["below", "in a list", "in place of a kind"])
def test_what_the_package_would_not_put_there_counts_as_without_packing(stands):
    model, batch = small_model(), batch_of()
    layer = model.encoder.layers[0]
    if stands == "below":
        layer.feed_forward.activation = Mean()
    elif stands == "in a list":
        model.encoder.layers[0] = Last(layer)
    else:  # self-attention whose queries see padding
        layer.feed_forward = MultiHeadAttention(12, 3, rng()).to("float64")
    assert not is_packed(model, batch)
    assert not isinstance(assert_the_same(model, batch), str)


class Unmasked(ScaledDotProductAttention):
    """Attention that sees padding."""

    def forward(self, query, key, value, mask=None):
        return super().forward(query, key, value)


class Identity(Module):
    """A masking that masks nothing."""

    def forward(self, x, mask=None):
        self.save()
        return x

    def backward(self, d_y):
        self.saved()
        return d_y


class Uniform(Module):
    """A softmax that gives all keys the same weight."""

    def forward(self, x):
        self.save()
        return np.full_like(x, 1 / x.shape[-1])

    def backward(self, d_y):
        self.saved()
        return 0 * d_y


@pytest.mark.parametrize("name", ["attention", "masking", "softmax", "dropout"])
def test_attention_that_sees_padding_counts_as_without_packing(name):
    model, batch = small_model(), batch_of()
    heads = model.encoder.layers[0].self_attention
    owner = heads if name == "attention" else heads.attention
    shift = moved(Linear(7, 7, rng()))  # its bias gives weight to keys that are masked
    parts = dict(attention=Unmasked(), masking=Identity(), softmax=Uniform(), dropout=shift)
    setattr(owner, name, parts[name])
    assert not is_packed(model, batch)
    assert not isinstance(assert_the_same(model, batch), str)


class Last(Module):
    """A layer without the parts that a layer of the package has."""

    def __init__(self, layer):
        self.wrapped = layer

    def forward(self, x, mask, cache):
        return self.wrapped(x, mask, cache)

    def backward(self, d_y):
        return self.wrapped.backward(d_y)


def test_the_classes_that_are_said_to_see_one_position_see_one_position():
    for kind in AT_EACH_POSITION:
        component, x = kind.example(rng())
        component.to("float64").eval()
        packing = Packing(np.arange(5) < np.array([5, 2, 3])[:, None])
        y = component(x)
        d_y = packing.unpack(rng(1).standard_normal((10, *y.shape[2:])))
        component.zero_grad()
        d_x = component.backward(d_y)
        grads = [p.grad.copy() for p in component.parameters()]
        component.zero_grad()
        close(component(packing.pack(x)), packing.pack(y))
        packed_d_x = component.backward(packing.pack(d_y))
        if d_x is not None:
            close(packed_d_x, packing.pack(d_x))
        for p, grad in zip(component.parameters(), grads):
            close(p.grad, grad)


class OwnLoss(CrossEntropy):
    """Counts padding, too."""

    def __init__(self):
        super().__init__(padding=99)
        del self.padding

    def real_targets(self, targets, classes):
        return targets, targets >= 0, targets.size


@pytest.mark.parametrize("own", ["class", "function"])
def test_a_loss_of_a_learners_own_gets_all_targets(own):
    loss = OwnLoss() if own == "class" else CrossEntropy(padding=0)
    if own == "function":
        loss.real_targets = lambda targets, classes: (targets, targets >= 0, targets.size)
    expected = loss(*logits_and_targets())
    loss.clear_saves()
    assert expected != CrossEntropy(padding=0)(*logits_and_targets())
    assert_the_same(small_model(), batch_of(), loss)


def logits_and_targets():
    return small_model()(*batch_of()[:2]), batch_of().target_out


FAULTS = {
    "a negative source": lambda s, t, o: (with_one(s, -1), t, o),
    "a source outside": lambda s, t, o: (with_one(s, 17), t, o),
    "a target outside": lambda s, t, o: (s, with_one(t, 19), o),
    "a negative target": lambda s, t, o: (s, with_one(t, -1), o),
    "an answer outside": lambda s, t, o: (s, t, with_one(o, 19)),
    "a negative answer": lambda s, t, o: (s, t, with_one(o, -1)),
    "a source padded past max_length": lambda s, t, o: (np.pad(s, ((0, 0), (0, 13))), t, o),
    "a target padded past max_length": lambda s, t, o: (
        s, *(np.pad(ids, ((0, 0), (0, 13))) for ids in (t, o)),
    ),
    "floats": lambda s, t, o: (s, t, o + 0.5),
    "float sources": lambda s, t, o: (s + 0.0, t, o),
    "lists": lambda s, t, o: (s.tolist(), t, o),
    "fewer answers": lambda s, t, o: (s, t, o[:, :-1]),
    "answers of another batch": lambda s, t, o: (s, t, o[:1]),
    "one row": lambda s, t, o: (s[0], t[0], o[0]),
    "fewer sources": lambda s, t, o: (s[:2], t, o),
    "no source": lambda s, t, o: (None, t, o),
    "nothing": lambda s, t, o: (s[:0], t[:0], o[:0]),
}


def with_one(ids, value):
    ids = ids.copy()
    ids[2, 0] = value
    return ids


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_with_a_batch_is_said_as_without_packing(fault):
    batch = Batch(*FAULTS[fault](*batch_of()))
    said = assert_the_same(small_model(), batch)
    assert "InputError" in said
    if "outside" in fault or "negative" in fault:
        assert "(2, 0)" in said


@pytest.mark.parametrize("part", ["source_input", "target_input"])
def test_the_length_that_counts_is_that_of_the_part_itself(part):
    model, batch = small_model(), batch_of()
    getattr(model, part).position = SinusoidalPositionalEncoding(12, max_length=3)
    assert "maximum of 3" in assert_the_same(model, batch)


def test_other_ids_inside_the_block_are_refused():
    model, batch = small_model(), batch_of()
    source, target_in, _ = batch_of("full", "full")
    with without_padding(model, *batch):
        for inputs in ((source, batch.target_in), (batch.source, target_in), (source[:2],) * 2):
            assert "not those of the batch" in refusal(model, *inputs)
            model.clear_saves()
        assert "not those of the batch" in refusal(model.start, source)
        fewer = batch.source.copy()
        fewer[0, 4:] = 0  # more padding than was left out is no fault
        expected = model(fewer, batch.target_in)
    close(expected, model(fewer, batch.target_in)[batch.target_in != 0])


def test_a_backward_inside_the_block_of_a_forward_outside_is_refused():
    model, batch = small_model(), batch_of()
    logits = model(batch.source, batch.target_in)
    with without_padding(model, *batch):
        assert "in the same block" in refusal(model.backward, np.ones_like(logits))
