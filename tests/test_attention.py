"""Attention: values against loops, gradients on sizes that cannot be confused and on square twins, masks of every kind,
and what a mask hides.
"""

import math

import numpy as np
import pytest

from minitransformer import attention
from minitransformer.attention import (
    Masking,
    MergeHeads,
    MultiHeadAttention,
    ScaledDotProductAttention,
    SplitHeads,
    attention_maps,
    causal_mask,
    keep_weights,
    padding_mask,
)
from minitransformer.errors import InputError
from minitransformer.gradient_check import away_from_initialisation, gradient_check
from minitransformer.module import Module

COMPONENTS = [Masking, SplitHeads, MergeHeads, ScaledDotProductAttention, MultiHeadAttention]
SIZES = {  # batch, heads, queries, keys, key width, value width
    "plain": (3, 4, 5, 7, 11, 13),
    "square": (3, 3, 3, 3, 3, 3),
}


def normal(*shape, seed=0):
    return np.random.default_rng([9, seed]).standard_normal(shape)  # unlike any upstream gradient of a check


def rng(seed=1):
    return np.random.default_rng(seed)


def moved(component, seed=2):
    """The component in float64, every parameter at a random place."""
    return away_from_initialisation(component.to("float64"), np.random.default_rng(seed))


def close(actual, expected, atol=1e-12):
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def as_tuple(x):
    return x if isinstance(x, tuple) else (x,)


def assert_gradients(component, *inputs, **options):
    """Every gradient equals its central difference and has the shape of what it belongs to. (That of a key bias is
    exactly zero: its central difference is rounding noise, so it has a test of its own.)
    """
    report = gradient_check(component, *inputs, **options)
    assert all(row.passed for row in report.rows if row.name != "key.bias"), f"\n{report}"
    d_inputs = as_tuple(component.backward(np.ones_like(component(*inputs))))
    assert [d.shape for d in d_inputs] == [x.shape for x in inputs if getattr(x, "dtype", None) == np.float64]


def refusal(function, *arguments):
    """The message of the InputError that the call must raise."""
    with pytest.raises(InputError) as caught:
        function(*arguments)
    return str(caught.value)


def projections(sizes, seed=0):
    """Query, key, value of these sizes."""
    batch, heads, queries, keys, width, value_width = sizes
    query, key = normal(batch, heads, queries, width, seed=seed), normal(batch, heads, keys, width, seed=seed + 1)
    return query, key, normal(batch, heads, keys, value_width, seed=seed + 2)


def masks(sizes):
    """Masks of every kind that broadcast to the scores of these sizes, by name."""
    batch, heads, queries, keys, *_ = sizes
    ids = np.ones((batch, keys), dtype=int)
    ids[1, keys - 2 :] = ids[2, 1:] = 0
    padding = (ids != 0)[:, None, None, :]
    causal = np.arange(keys) <= np.arange(queries)[:, None]
    random = rng(3).random((batch, heads, queries, keys)) < 0.6
    random[0, 1, 2] = random[2, :, 0] = False  # queries that may attend to nothing
    return {"none": None, "padding": padding, "causal": causal[None, None], "both": padding & causal, "random": random}


def plain_attention(query, key, value, mask=None):
    """(context, weights), score by score."""
    weights = np.zeros((*query.shape[:3], key.shape[2]))
    mask = np.ones(weights.shape, dtype=bool) if mask is None else np.broadcast_to(mask, weights.shape)
    context = np.zeros((*query.shape[:3], value.shape[3]))
    for b, h, t in np.ndindex(*query.shape[:3]):
        allowed = [s for s in range(key.shape[2]) if mask[b, h, t, s]]
        scores = {s: sum(query[b, h, t] * key[b, h, s]) / math.sqrt(query.shape[3]) for s in allowed}
        total = sum(math.exp(scores[s]) for s in allowed)
        for s in allowed:
            weights[b, h, t, s] = math.exp(scores[s]) / total
            context[b, h, t] += weights[b, h, t, s] * value[b, h, s]
    return context, weights


# -- every component ----------------------------------------------------------------------------------------------


def test_every_component_of_the_room_is_tested_here():
    kinds = [getattr(attention, name) for name in attention.__all__]
    assert {k for k in kinds if isinstance(k, type) and issubclass(k, Module)} == set(COMPONENTS)


@pytest.mark.parametrize("kind", COMPONENTS)
def test_neither_forward_nor_backward_changes_what_it_was_handed(kind):
    component, *inputs = kind.example(rng())
    component.to("float64")
    kept = [x.copy() for x in inputs]
    y = component(*inputs)
    d_y, y_kept = normal(*y.shape, seed=3), y.copy()
    d_y_kept = d_y.copy()
    component.backward(d_y)
    assert all(np.array_equal(x, before) for x, before in zip(inputs, kept))
    assert np.array_equal(d_y, d_y_kept) and np.array_equal(y, y_kept)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("kind", COMPONENTS)
def test_the_dtype_that_goes_in_comes_out(kind, dtype):
    component, *inputs = kind.example(rng())
    component.to(dtype)
    y = component(*[x.astype(dtype) if x.dtype.kind == "f" else x for x in inputs])
    assert y.dtype == dtype
    assert all(d.dtype == dtype for d in as_tuple(component.backward(np.ones_like(y))))
    assert all(p.grad.dtype == dtype for p in component.parameters())


# -- masks --------------------------------------------------------------------------------------------------------


def test_a_padding_mask_lets_real_keys_through():
    mask = padding_mask(np.array([[5, 7, 0], [3, 0, 0]]))
    assert mask.shape == (2, 1, 1, 3) and mask.dtype == bool
    assert mask[:, 0, 0].tolist() == [[True, True, False], [True, False, False]]


def test_a_padding_mask_of_as_many_sequences_as_tokens_still_hides_keys():
    ids = np.array([[5, 7, 9], [3, 0, 0], [3, 4, 0]])
    mask = np.broadcast_to(padding_mask(ids), (3, 2, 3, 3))
    for b, h, t, s in np.ndindex(3, 2, 3, 3):
        assert mask[b, h, t, s] == (ids[b, s] != 0)


def test_a_padding_mask_knows_other_padding_ids():
    assert padding_mask(np.array([[9, 0, 9]]), padding=9).tolist() == [[[[False, True, False]]]]


def test_a_causal_mask_lets_a_query_see_itself_and_what_came_before():
    mask = causal_mask(4)
    assert mask.shape == (1, 1, 4, 4) and mask.dtype == bool
    for t, s in np.ndindex(4, 4):
        assert mask[0, 0, t, s] == (s <= t)
    assert np.array_equal(causal_mask(4, like=np.zeros(1)), mask)


def test_joined_masks_allow_what_both_allow():
    both = causal_mask(3) & padding_mask(np.array([[1, 1, 1], [1, 0, 1]]))
    assert both.shape == (2, 1, 3, 3)
    assert both[1, 0].tolist() == [[True, False, False], [True, False, False], [True, False, True]]


@pytest.mark.parametrize("kind", ["padding", "causal", "both", "random"])
@pytest.mark.parametrize("size", SIZES)
def test_masking_sets_forbidden_scores_to_minus_infinity_and_their_gradients_to_zero(size, kind):
    shape, mask = SIZES[size][:4], masks(SIZES[size])[kind]
    masking, x, d_y = Masking(), normal(*shape), normal(*shape, seed=1)
    y = masking(x, mask)
    d_x = masking.backward(d_y)
    allowed = np.broadcast_to(mask, shape)
    for place in np.ndindex(*shape):
        assert y[place] == (x[place] if allowed[place] else -np.inf)
        assert d_x[place] == (d_y[place] if allowed[place] else 0)
    assert_gradients(masking, x, mask, max_entries=60)


def test_masking_without_a_mask_is_the_identity():
    masking, x = Masking(), normal(2, 3, 4, 5)
    assert np.array_equal(masking(x), x) and np.array_equal(masking.backward(x), x)


@pytest.mark.parametrize(
    "mask, kind",
    [
        (np.ones((1, 1, 5, 7)), "float64"),
        (np.ones((1, 1, 5, 7), dtype=int), "int64"),
        (np.ones((1, 1, 5, 7), dtype=np.uint8), "uint8"),
        ([[True]], "list"),
    ],
    ids=["float", "int", "uint8", "list"],
)
def test_a_mask_that_is_not_boolean_is_refused_with_its_type_and_the_remedy(mask, kind):
    message = refusal(Masking().forward, np.zeros((3, 4, 5, 7)), mask)
    assert kind in message and "boolean" in message and "may attend" in message and "ids != 0" in message


@pytest.mark.parametrize(
    "shape", [(3, 7), (3, 1, 1, 5), (2, 1, 1, 7), (1, 1, 7, 5), (1, 3, 4, 5, 7), (4, 3, 5, 7)], ids=str
)
def test_a_mask_that_does_not_broadcast_is_refused_with_both_shapes(shape):
    message = refusal(Masking().forward, np.zeros((3, 4, 5, 7)), np.ones(shape, dtype=bool))
    assert str(shape) in message and "(3, 4, 5, 7)" in message and "(B, 1, 1, S)" in message


@pytest.mark.parametrize("shape", [(7,), (5, 7), (1, 7), (4, 1, 1), (3, 1, 1, 7), (3, 4, 5, 7), ()], ids=str)
def test_a_mask_that_broadcasts_is_taken(shape):
    y = Masking()(np.zeros((3, 4, 5, 7)), np.zeros(shape, dtype=bool))
    assert np.isneginf(y).all()


# -- heads --------------------------------------------------------------------------------------------------------

HEADS = {"plain": (3, 4, 5, 11), "square": (3, 3, 3, 3)}  # batch, heads, length, width


@pytest.mark.parametrize("size", HEADS)
def test_split_heads_gives_each_head_its_own_slice_of_features(size):
    batch, heads, length, width = HEADS[size]
    x = normal(batch, length, heads * width)
    y = SplitHeads(heads)(x)
    assert y.shape == HEADS[size]
    for b, h, t, k in np.ndindex(*HEADS[size]):
        assert y[b, h, t, k] == x[b, t, h * width + k]
    assert_gradients(SplitHeads(heads), x, max_entries=60)


@pytest.mark.parametrize("size", HEADS)
def test_merge_heads_puts_the_slices_side_by_side(size):
    batch, heads, length, width = HEADS[size]
    x = normal(*HEADS[size])
    y = MergeHeads()(x)
    assert y.shape == (batch, length, heads * width)
    for b, h, t, k in np.ndindex(*HEADS[size]):
        assert y[b, t, h * width + k] == x[b, h, t, k]
    assert_gradients(MergeHeads(), x, max_entries=60)


def test_merge_heads_undoes_split_heads():
    x = normal(3, 5, 44)
    split, merge = SplitHeads(4), MergeHeads()
    assert np.array_equal(merge(split(x)), x)
    assert np.array_equal(split.backward(merge.backward(x)), x)


@pytest.mark.parametrize("shape", [(3, 5, 10), (5, 12), (2, 3, 5, 12)], ids=str)
def test_split_heads_refuses_what_it_cannot_divide(shape):
    message = refusal(SplitHeads(4).forward, np.zeros(shape))
    assert str(shape) in message and "4 heads" in message and "4·K" in message


# -- scaled dot-product attention ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["none", "padding", "causal", "both", "random"])
@pytest.mark.parametrize("size", SIZES)
def test_dot_product_attention_equals_the_loops(size, kind):
    query, key, value = projections(SIZES[size])
    mask = masks(SIZES[size])[kind]
    attend = ScaledDotProductAttention()
    with keep_weights(attend):
        context = attend(query, key, value, mask)
    expected, weights = plain_attention(query, key, value, mask)
    close(context, expected)
    close(attend.weights, weights)


@pytest.mark.parametrize("kind", ["none", "padding", "causal", "both", "random"])
@pytest.mark.parametrize("size", SIZES)
def test_dot_product_attention_gradient(size, kind):
    mask = masks(SIZES[size])[kind]
    assert_gradients(ScaledDotProductAttention(), *projections(SIZES[size]), mask, max_entries=40)


@pytest.mark.parametrize("size", SIZES)
def test_dot_product_attention_gradient_with_dropout_on_the_weights(size):
    attend = ScaledDotProductAttention(rng(), dropout=0.4)
    assert_gradients(attend, *projections(SIZES[size]), masks(SIZES[size])["padding"], max_entries=40)


def test_dot_product_attention_dropout_acts_on_the_weights():
    query, key, value = projections((2, 2, 50, 40, 3, 4))
    attend = ScaledDotProductAttention(rng(), dropout=0.5)
    identity = np.broadcast_to(np.eye(40), (2, 2, 40, 40))
    _, weights = plain_attention(query, key, value)
    share = attend(query, key, identity) / weights
    assert set(np.unique(share.round(6))) == {0.0, 2.0}
    close(attend.eval()(query, key, identity), weights)


def test_dot_product_attention_gradient_with_tied_scores():
    query, key, value = projections((2, 2, 3, 4, 5, 6))
    key[:, :, 1] = key[:, :, 0]
    query[:, :, 2] = 0
    assert_gradients(ScaledDotProductAttention(), query, key, value)


def test_dot_product_attention_divides_by_the_root_of_the_key_width():
    """With all queries and keys one, every score is √K; make one key twice as long and compare two weights."""
    for width in (4, 9, 16):
        key = np.ones((1, 1, 2, width))
        key[0, 0, 1] = 2
        attend = ScaledDotProductAttention()
        first, second = attend(np.ones((1, 1, 1, width)), key, np.eye(2)[None, None])[0, 0, 0]
        assert math.log(second / first) == pytest.approx(math.sqrt(width))


@pytest.mark.parametrize("size", SIZES)
def test_a_query_that_may_attend_to_nothing_gets_zeros_and_a_zero_gradient(size):
    query, key, value = projections(SIZES[size])
    mask = np.ones((*SIZES[size][:2], SIZES[size][2], 1), dtype=bool)
    mask[1, :, 2] = mask[2] = False
    attend = ScaledDotProductAttention()
    with np.errstate(invalid="ignore", divide="ignore"):
        context = attend(query, key, value, mask)
        d_query, d_key, d_value = attend.backward(normal(*context.shape, seed=4))
    assert (context[1, :, 2] == 0).all() and (context[2] == 0).all()
    assert (d_query[1, :, 2] == 0).all() and (d_query[2] == 0).all()
    assert (d_key[2] == 0).all() and (d_value[2] == 0).all()
    assert np.isfinite(context).all() and all(np.isfinite(d).all() for d in (d_query, d_key, d_value))
    assert context[0].any() and d_query[0].any()


def test_a_masked_key_gets_no_gradient_and_its_value_does_not_matter():
    query, key, value = projections(SIZES["plain"])
    mask = np.ones((1, 1, 1, 7), dtype=bool)
    mask[..., 3] = False
    attend = ScaledDotProductAttention()
    context = attend(query, key, value, mask)
    _, d_key, d_value = attend.backward(normal(*context.shape, seed=4))
    assert (d_key[:, :, 3] == 0).all() and (d_value[:, :, 3] == 0).all()
    key[:, :, 3], value[:, :, 3] = 100, -1e6
    assert np.array_equal(attend(query, key, value, mask), context)


def test_dot_product_attention_survives_extreme_scores():
    query, key, value = projections(SIZES["plain"])
    attend = ScaledDotProductAttention()
    context = attend(1e4 * query, 1e4 * key, value, masks(SIZES["plain"])["random"])
    gradients = attend.backward(np.ones_like(context))
    assert np.isfinite(context).all() and all(np.isfinite(d).all() for d in gradients)


def test_dot_product_attention_ignores_a_vector_that_is_added_to_every_key():
    query, key, value = projections(SIZES["plain"])
    attend = ScaledDotProductAttention()
    context = attend(query, key, value)
    _, d_key, _ = attend.backward(normal(*context.shape, seed=4))
    close(attend(query, key + normal(1, 1, 1, 11, seed=5), value), context, atol=1e-11)
    close(d_key.sum(axis=2), np.zeros((3, 4, 11)))


# -- multi-head attention -----------------------------------------------------------------------------------------

MODELS = {  # features, heads, key width, value width, batch, queries, keys
    "plain": (20, 4, 11, 13, 3, 5, 7),
    "square": (9, 3, 3, 3, 3, 3, 3),
}


def multi_head(size, **options):
    features, heads, key_width, value_width, batch, queries, keys = MODELS[size]
    component = MultiHeadAttention(features, heads, rng(), key_width, value_width, **options)
    return moved(component), normal(batch, queries, features), normal(batch, keys, features, seed=1)


def plain_multi_head(weights, heads, x, memory, mask):
    """Head by head, each with its own columns of the projections."""

    def project(name, v):
        return v @ weights[f"{name}.weight"] + weights.get(f"{name}.bias", 0)

    q, k, v = project("query", x), project("key", memory), project("value", memory)
    key_width, value_width = q.shape[-1] // heads, v.shape[-1] // heads
    mask = None if mask is None else np.broadcast_to(mask, (len(x), heads, x.shape[1], memory.shape[1]))
    outputs = []
    for h in range(heads):
        of_keys, of_values = slice(h * key_width, (h + 1) * key_width), slice(h * value_width, (h + 1) * value_width)
        head = [q[:, None, :, of_keys], k[:, None, :, of_keys], v[:, None, :, of_values]]
        outputs.append(plain_attention(*head, None if mask is None else mask[:, h : h + 1])[0][:, 0])
    return project("output", np.concatenate(outputs, axis=-1))


@pytest.mark.parametrize("bias", [False, True], ids=["no_bias", "bias"])
@pytest.mark.parametrize("kind", ["none", "padding", "random"])
@pytest.mark.parametrize("size", MODELS)
def test_multi_head_attention_to_a_memory_equals_head_by_head(size, kind, bias):
    component, x, memory = multi_head(size, bias=bias)
    heads, queries, keys = MODELS[size][1], x.shape[1], memory.shape[1]
    mask = masks((len(x), heads, queries, keys))[kind]
    close(component(x, memory, mask), plain_multi_head(component.state_dict(), heads, x, memory, mask))


@pytest.mark.parametrize("kind", ["none", "padding", "causal", "both", "random"])
@pytest.mark.parametrize("size", MODELS)
def test_multi_head_self_attention_equals_head_by_head(size, kind):
    component, x, _ = multi_head(size)
    heads, length = MODELS[size][1], x.shape[1]
    mask = masks((len(x), heads, length, length))[kind]
    close(component(x, mask=mask), plain_multi_head(component.state_dict(), heads, x, x, mask))


@pytest.mark.parametrize("bias", [False, True], ids=["no_bias", "bias"])
@pytest.mark.parametrize("kind", ["none", "padding", "random"])
@pytest.mark.parametrize("size", MODELS)
def test_multi_head_gradient_with_a_memory(size, kind, bias):
    component, x, memory = multi_head(size, bias=bias)
    mask = masks((len(x), MODELS[size][1], x.shape[1], memory.shape[1]))[kind]
    assert_gradients(component, x, memory, mask, max_entries=15)


@pytest.mark.parametrize("kind", ["none", "both", "random"])
@pytest.mark.parametrize("size", MODELS)
def test_multi_head_gradient_of_self_attention(size, kind):
    component, x, _ = multi_head(size)
    mask = masks((len(x), MODELS[size][1], x.shape[1], x.shape[1]))[kind]
    assert_gradients(component, x, None, mask, max_entries=15)


def test_multi_head_gradient_with_dropout():
    component, x, memory = multi_head("plain", dropout=0.3)
    assert_gradients(component, x, memory, max_entries=15)


def test_multi_head_attention_to_oneself_as_a_memory_splits_the_gradient_of_self_attention():
    component, x, _ = multi_head("plain")
    d_y = normal(*x.shape, seed=3)
    itself = component(x)
    d_x = component.backward(d_y)
    assert np.array_equal(component(x, x), itself)
    d_query, d_memory = component.backward(d_y)
    close(d_query + d_memory, d_x)


def test_multi_head_key_bias_has_no_gradient_because_softmax_ignores_a_shift():
    component, x, memory = multi_head("plain", bias=True)
    component(x, memory)
    component.backward(normal(*x.shape, seed=3))
    assert np.abs(component.key.bias.grad).max() < 1e-12
    for name in ("query", "value", "output"):
        assert np.abs(getattr(component, name).bias.grad).min() > 1e-9


def test_multi_head_widths_follow_from_the_features_unless_given():
    names = ["query.weight", "key.weight", "value.weight", "output.weight"]
    plain = MultiHeadAttention(12, 3, rng())
    assert list(plain.named_parameters()) == names, "no bias, and query, key, value side by side"
    assert [p.shape for p in plain.parameters()] == [(12, 12)] * 4
    keys_only = MultiHeadAttention(12, 3, rng(), key_features=5)
    assert [p.shape for p in keys_only.parameters()] == [(12, 15), (12, 15), (12, 15), (15, 12)]
    both = MultiHeadAttention(12, 3, rng(), key_features=5, value_features=2)
    assert [p.shape for p in both.parameters()] == [(12, 15), (12, 15), (12, 6), (6, 12)]


def test_multi_head_causal_self_attention_does_not_see_the_future():
    component, x, _ = multi_head("plain")
    y = component(x, mask=causal_mask(5))
    for t in range(5):
        changed = x.copy()
        changed[:, t] += 1
        z = component(changed, mask=causal_mask(5))
        assert np.array_equal(z[:, :t], y[:, :t]) and (z[:, t:] != y[:, t:]).any()


def test_multi_head_attention_without_positions_does_not_see_the_order_of_the_memory():
    component, x, memory = multi_head("plain")
    order = rng(4).permutation(7)
    close(component(x, memory[:, order]), component(x, memory))
    close(component(x[:, ::-1]), component(x)[:, ::-1])


# -- keeping the weights ------------------------------------------------------------------------------------------


def test_kept_weights_sum_to_one_and_their_gradient_is_that_of_the_context_times_the_values():
    query, key, value = projections(SIZES["plain"])
    attend = ScaledDotProductAttention()
    with keep_weights(attend):
        context = attend(query, key, value)
        d_context = normal(*context.shape, seed=4)
        attend.backward(d_context)
    close(attend.weights.sum(axis=-1), np.ones((3, 4, 5)))
    close(attend.d_weights, np.einsum("bhtv,bhsv->bhts", d_context, value))


def test_weights_are_kept_on_request_only_and_outputs_never_change():
    component, x, memory = multi_head("plain")
    y = component(x, memory)
    assert attention_maps(component) == {}
    with keep_weights(component):
        assert np.array_equal(component(x, memory), y)
    assert list(attention_maps(component)) == ["attention"]
    kept = attention_maps(component)["attention"]
    assert kept.shape == (3, 4, 5, 7)
    component(2 * x, memory)
    assert attention_maps(component)["attention"] is kept


def test_heads_that_do_not_divide_the_features_are_refused_with_what_would_fit():
    with pytest.raises(InputError, match="heads=4 does not divide d_model=10. Take 1, 2, 5, 10 heads, or d_model=12"):
        MultiHeadAttention(10, 4, rng())
    assert MultiHeadAttention(10, 4, rng(), key_features=3).query.weight.shape == (10, 12)


def test_a_mask_of_batch_query_key_is_not_taken_for_head_query_key():
    x = normal(2, 2, 3, 4)
    with pytest.raises(InputError, match=r"shape \(2, 3, 3\) does not broadcast"):
        ScaledDotProductAttention()(x, x, x, np.ones((2, 3, 3), dtype=bool))
