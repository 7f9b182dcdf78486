"""Attention, old and new: values against loops, gradients on sizes that cannot be confused and on
square twins, masks of every kind, and what a mask hides.
"""

import math

import numpy as np
import pytest
from common import assert_gradients, close, moved, normal, refusal, rng

from minitransformer.attention import (
    Masking,
    MergeHeads,
    MultiHeadAttention,
    ScaledDotProductAttention,
    SplitHeads,
    attention_maps,
    attentions,
    causal_mask,
    keep_weights,
    padding_mask,
)
from minitransformer.attention.kept_weights import KeepsWeights
from minitransformer.errors import InputError
from minitransformer.older import (
    AdditiveAttention,
    Expectation,
    LocalAttention,
    MultiplicativeAttention,
)
from minitransformer.testing import all_components

COMPONENTS = [
    Masking,
    SplitHeads,
    MergeHeads,
    ScaledDotProductAttention,
    MultiHeadAttention,
    Expectation,
    AdditiveAttention,
    MultiplicativeAttention,
    LocalAttention,
]
SIZES = {  # batch, heads, queries, keys, key width, value width
    "plain": (3, 4, 5, 7, 11, 13),
    "square": (3, 3, 3, 3, 3, 3),
}


def projections(sizes, seed=0):
    """Query, key, value of these sizes."""
    batch, heads, queries, keys, width, value_width = sizes
    query = normal(batch, heads, queries, width, seed=seed)
    key = normal(batch, heads, keys, width, seed=seed + 1)
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
    return {
        "none": None, "padding": padding, "causal": causal[None, None], "both": padding & causal,
        "random": random,
    }


def plain_attention(query, key, value, mask=None):
    """(context, weights), score by score."""
    weights = np.zeros((*query.shape[:3], key.shape[2]))
    mask = (
        np.ones(weights.shape, dtype=bool) if mask is None else np.broadcast_to(mask, weights.shape)
    )
    context = np.zeros((*query.shape[:3], value.shape[3]))
    for b, h, t in np.ndindex(*query.shape[:3]):
        allowed = [s for s in range(key.shape[2]) if mask[b, h, t, s]]
        scores = {
            s: sum(query[b, h, t] * key[b, h, s]) / math.sqrt(query.shape[3]) for s in allowed
        }
        total = sum(math.exp(scores[s]) for s in allowed)
        for s in allowed:
            weights[b, h, t, s] = math.exp(scores[s]) / total
            context[b, h, t] += weights[b, h, t, s] * value[b, h, s]
    return context, weights


# -- every component -------------------------------------------------------------------------------


def test_every_attention_is_tested_here():
    assert set(COMPONENTS) == {
        kind
        for kind in all_components()
        if kind.__module__.startswith("minitransformer.attention.")
        or kind.__name__.endswith("Attention")
        or issubclass(kind, KeepsWeights)
    }


# -- masks -----------------------------------------------------------------------------------------


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
    for last in (1, 3, 4):
        assert np.array_equal(causal_mask(4, last=last), mask[:, :, 4 - last :])


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
    assert (
        kind in message
        and "a boolean array" in message
        and "may attend" in message
        and "ids != 0" in message
    )


@pytest.mark.parametrize(
    "shape",
    [
        (3, 7), (3, 1, 1, 5), (2, 1, 1, 7), (1, 1, 7, 5), (1, 3, 4, 5, 7), (4, 3, 5, 7), (7,),
        (5, 7), (1, 7), (4, 1, 1), (4, 5, 7), (),
    ],
    ids=str,
)
def test_a_mask_without_the_axes_of_the_scores_is_refused_with_both_shapes(shape):
    message = refusal(Masking().forward, np.zeros((3, 4, 5, 7)), np.ones(shape, dtype=bool))
    assert str(shape) in message and "(3, 4, 5, 7)" in message and "(B, 1, 1, S)" in message


@pytest.mark.parametrize(
    "shape", [(1, 1, 1, 7), (1, 1, 5, 7), (1, 4, 1, 1), (3, 1, 1, 7), (3, 4, 5, 7), (1, 1, 1, 1)],
    ids=str,
)
def test_a_mask_that_broadcasts_is_taken(shape):
    y = Masking()(np.zeros((3, 4, 5, 7)), np.zeros(shape, dtype=bool))
    assert np.isneginf(y).all()


# -- heads -----------------------------------------------------------------------------------------

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
    assert str(shape) in message and (
        "4 heads" in message and "4·K" in message or "(B, T, D)" in message
    )


# -- scaled dot-product attention ------------------------------------------------------------------


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
    assert_gradients(
        attend, *projections(SIZES[size]), masks(SIZES[size])["padding"], max_entries=40
    )


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
    """With all queries and keys one, every score is √K; make one key twice as long and compare two
    weights."""
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
    assert np.isfinite(context).all() and all(
        np.isfinite(d).all() for d in (d_query, d_key, d_value)
    )
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


# -- multi-head attention --------------------------------------------------------------------------

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
    mask = (
        None
        if mask is None
        else np.broadcast_to(mask, (len(x), heads, x.shape[1], memory.shape[1]))
    )
    outputs = []
    for h in range(heads):
        of_keys = slice(h * key_width, (h + 1) * key_width)
        of_values = slice(h * value_width, (h + 1) * value_width)
        head = [q[:, None, :, of_keys], k[:, None, :, of_keys], v[:, None, :, of_values]]
        outputs.append(
            plain_attention(*head, None if mask is None else mask[:, h : h + 1])[0][:, 0]
        )
    return project("output", np.concatenate(outputs, axis=-1))


@pytest.mark.parametrize("bias", [False, True], ids=["no_bias", "bias"])
@pytest.mark.parametrize("kind", ["none", "padding", "random"])
@pytest.mark.parametrize("size", MODELS)
def test_multi_head_attention_to_a_memory_equals_head_by_head(size, kind, bias):
    component, x, memory = multi_head(size, bias=bias)
    heads, queries, keys = MODELS[size][1], x.shape[1], memory.shape[1]
    mask = masks((len(x), heads, queries, keys))[kind]
    close(
        component(x, memory, mask), plain_multi_head(component.state_dict(), heads, x, memory, mask)
    )


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


# -- keeping the weights ---------------------------------------------------------------------------


def test_kept_weights_sum_to_one_and_their_gradient_is_that_of_the_context_times_the_values():
    query, key, value = projections(SIZES["plain"])
    attend = ScaledDotProductAttention()
    with keep_weights(attend):
        context = attend(query, key, value)
        d_context = normal(*context.shape, seed=4)
        attend.backward(d_context)
    close(attend.weights.sum(axis=-1), np.ones((3, 4, 5)))
    close(attend.d_weights, np.einsum("bhtv,bhsv->bhts", d_context, value))


@pytest.mark.parametrize(
    "component", [c for c in COMPONENTS if attentions(c.example(rng())[0])],
    ids=lambda c: c.__name__,
)
def test_outside_the_block_nothing_is_kept_by_forward_or_backward(component):
    """Neither P nor d_P: nobody would look at them, and they are the largest arrays there are."""
    attend, *inputs = component.example(rng())
    attend.to("float64")
    with keep_weights(attend):
        pass
    attend.backward(np.ones_like(attend(*inputs)))
    for found in attentions(attend).values():
        assert not hasattr(found, "weights") and not hasattr(found, "d_weights")


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
    with pytest.raises(
        InputError, match="heads=4 does not divide d_model=10. Use 1, 2, 5, 10 heads, or d_model=12"
    ):
        MultiHeadAttention(10, 4, rng())
    assert MultiHeadAttention(10, 4, rng(), key_features=3).query.weight.shape == (10, 12)


@pytest.mark.parametrize("shape", [(2, 3, 3), (3, 3), (2, 3)])
def test_a_mask_says_by_its_axes_what_it_means_whatever_the_sizes(shape):
    """(B, T, S) or (H, T, S), (B, S) or (T, S): sizes that happen to be equal decide nothing."""
    x = normal(2, 2, 3, 4)
    with pytest.raises(
        InputError,
        match=(
            r"mask must be .*as many axes as the scores, which are \(2, 2, 3, 3\).*mask\[:, None, "
            r"None, :\]"
        ),
    ):
        ScaledDotProductAttention()(x, x, x, np.ones(shape, dtype=bool))


# -- the expectation -------------------------------------------------------------------------------


def look_up_masks(batch, queries, keys):
    """Masks of every kind that broadcast to scores (B, T, S), by name."""
    padding = np.arange(keys) < np.array([keys, 2, keys - 1])[:batch, None, None]
    random = rng(3).random((batch, queries, keys)) < 0.6
    random[0, 2] = random[2, 0] = False  # queries that may attend to nothing
    return {
        "none": None, "padding": padding, "causal": np.tri(queries, keys, dtype=bool)[None],
        "random": random,
    }


def plain_expectation(scores, annotations, mask):
    """(context, weights), score by score."""
    weights = np.zeros(scores.shape)
    context = np.zeros((*scores.shape[:2], annotations.shape[2]))
    mask = (
        np.ones(scores.shape, dtype=bool) if mask is None else np.broadcast_to(mask, scores.shape)
    )
    for b, t in np.ndindex(*scores.shape[:2]):
        allowed = [s for s in range(scores.shape[2]) if mask[b, t, s]]
        total = sum(math.exp(scores[b, t, s]) for s in allowed)
        for s in allowed:
            weights[b, t, s] = math.exp(scores[b, t, s]) / total
            context[b, t] += weights[b, t, s] * annotations[b, s]
    return context, weights


EXPECTATIONS = {"plain": ((3, 5, 7), (3, 7, 10)), "square": ((3, 3, 3), (3, 3, 3))}


@pytest.mark.parametrize("kind", ["none", "padding", "causal", "random"])
@pytest.mark.parametrize("size", EXPECTATIONS)
def test_expectation_equals_the_mean_of_the_annotations_and_has_its_gradients(size, kind):
    scores, annotations = (normal(*shape, seed=i) for i, shape in enumerate(EXPECTATIONS[size]))
    mask = look_up_masks(*scores.shape)[kind]
    component = Expectation()
    with keep_weights(component):
        y = component(scores, annotations, mask)
        d_y = normal(*y.shape, seed=4)
        component.backward(d_y)
    context, weights = plain_expectation(scores, annotations, mask)
    close(y, context)
    close(component.weights, weights[:, None])
    close(component.d_weights, np.einsum("bta,bsa->bts", d_y, annotations)[:, None])
    assert_gradients(component, scores, annotations, mask)


def test_expectation_under_one_certain_score_is_that_annotation():
    annotations = normal(3, 7, 10)
    chosen = np.array([[4, 0, 6, 1, 4], [2, 2, 5, 3, 0], [6, 1, 0, 3, 5]])
    scores = np.where(np.arange(7) == chosen[..., None], 1000.0, 0.0)
    expected = np.array([[annotations[b, s] for s in row] for b, row in enumerate(chosen)])
    assert np.array_equal(Expectation()(scores, annotations), expected)


def test_expectation_of_equal_scores_is_the_plain_mean_of_what_is_allowed():
    annotations, mask = normal(3, 7, 10), look_up_masks(3, 5, 7)["padding"]
    y = Expectation()(np.full((3, 5, 7), 0.3), annotations, mask)
    for b, real in enumerate((7, 2, 6)):
        close(y[b], np.tile(annotations[b, :real].mean(axis=0), (5, 1)))


# -- additive and multiplicative attention ---------------------------------------------------------

LOOK_UPS = {  # batch, queries, keys, query width, key width, annotation width, hidden width
    "plain": (3, 5, 7, 9, 11, 10, 13),
    "square": (3, 3, 3, 3, 3, 3, 3),
}
OLDER = {"additive": AdditiveAttention, "multiplicative": MultiplicativeAttention}


def older(name, size):
    """(component away from initialisation, query, key, annotations)"""
    batch, queries, keys, q, x, a, hidden = LOOK_UPS[size]
    widths = (q, x, hidden) if name == "additive" else (q, x)
    arrays = (
        normal(batch, queries, q), normal(batch, keys, x, seed=1), normal(batch, keys, a, seed=2),
    )
    return moved(OLDER[name](*widths, rng())), *arrays


def plain_scores(component, query, key):
    """E, pair by pair, from the formulas of the two papers."""
    w = component.state_dict()
    scores = np.zeros((len(query), query.shape[1], key.shape[1]))
    for b, t, s in np.ndindex(*scores.shape):
        q, x = query[b, t], key[b, s]
        if isinstance(component, AdditiveAttention):
            hidden = np.tanh(q @ w["query.weight"] + x @ w["key.weight"] + w["query.bias"])
            scores[b, t, s] = hidden @ w["score.weight"][:, 0]
        else:
            scores[b, t, s] = q @ w["query.weight"] @ x
    return scores


@pytest.mark.parametrize("apart", [False, True], ids=["keys_are_annotations", "annotations_apart"])
@pytest.mark.parametrize("kind", ["none", "padding", "causal", "random"])
@pytest.mark.parametrize("size", LOOK_UPS)
@pytest.mark.parametrize("name", OLDER)
def test_older_attention_equals_pair_by_pair_and_has_its_gradients(name, size, kind, apart):
    component, query, key, annotations = older(name, size)
    annotations = annotations if apart else None
    mask = look_up_masks(len(query), query.shape[1], key.shape[1])[kind]
    with keep_weights(component):
        y = component(query, key, annotations, mask)
    expected, weights = plain_expectation(
        plain_scores(component, query, key), annotations if apart else key, mask
    )
    close(y, expected)
    close(component.expectation.weights, weights[:, None])
    component.clear_saves()
    assert_gradients(component, query, key, annotations, mask, max_entries=12)


@pytest.mark.parametrize("name", OLDER)
def test_older_attention_to_the_keys_themselves_adds_up_the_gradients_of_both_uses(name):
    component, query, key, _ = older(name, "plain")
    d_y = normal(3, 5, 11, seed=3)
    itself = component(query, key)
    d_query, d_both = component.backward(d_y)
    assert np.array_equal(component(query, key, key), itself)
    d_query_apart, d_key, d_annotations = component.backward(d_y)
    close(d_query_apart, d_query)
    close(d_key + d_annotations, d_both)
    assert min(np.abs(d_key).max(), np.abs(d_annotations).max()) > 1e-3


@pytest.mark.parametrize("name", OLDER)
def test_older_attention_neither_sees_masked_keys_nor_gives_them_a_gradient(name):
    component, query, key, annotations = older(name, "plain")
    mask = look_up_masks(3, 5, 7)["padding"]
    hidden = ~mask[:, 0]
    y = component(query, key, annotations, mask)
    _, d_key, d_annotations = component.backward(normal(*y.shape, seed=3))
    assert not d_key[hidden].any() and not d_annotations[hidden].any()
    assert d_key[~hidden].all() and d_annotations[~hidden].all()
    key[hidden] += 3
    annotations[hidden] -= 3
    assert np.array_equal(component(query, key, annotations, mask), y)


@pytest.mark.parametrize("name", OLDER)
def test_older_attention_of_a_query_without_keys_is_zero_and_so_is_its_gradient(name):
    component, query, key, annotations = older(name, "plain")
    mask = look_up_masks(3, 5, 7)["random"]
    y = component(query, key, annotations, mask)
    d_query, *_ = component.backward(normal(*y.shape, seed=3))
    assert not y[0, 2].any() and not y[2, 0].any() and y[1].all()
    assert not d_query[0, 2].any() and not d_query[2, 0].any() and d_query[1].any()


@pytest.mark.parametrize("name", OLDER)
def test_older_attention_does_not_see_the_order_of_the_keys(name):
    component, query, key, annotations = older(name, "plain")
    order = rng(4).permutation(7)
    close(
        component(query, key[:, order], annotations[:, order]), component(query, key, annotations)
    )


def test_multiplicative_attention_through_query_and_key_weights_is_the_dot_product():
    component, query, key, annotations = older("multiplicative", "plain")
    to_query, to_key = normal(9, 6, seed=5), normal(11, 6, seed=6)
    component.query.weight.data = to_query @ to_key.T / 6**0.5
    dot = ScaledDotProductAttention()(
        (query @ to_query)[:, None], (key @ to_key)[:, None], annotations[:, None]
    )
    close(component(query, key, annotations), dot[:, 0])


@pytest.mark.parametrize("name", OLDER)
def test_older_attention_refuses_other_features_and_masks(name):
    component, query, key, _ = older(name, "plain")
    with pytest.raises(
        InputError, match=r"query must be .*Q is 9. Got float64 of shape \(3, 5, 8\)"
    ):
        component(query[..., :8], key)
    component.clear_saves()
    with pytest.raises(InputError, match="mask must be a boolean array .*Got int64"):
        component(query, key, mask=np.ones((3, 1, 7), dtype=int))
    component.clear_saves()
    with pytest.raises(
        InputError, match=r"Got bool of shape \(3, 1, 6\).* the scores, which are \(3, 5, 7\)"
    ):
        component(query, key, mask=np.ones((3, 1, 6), dtype=bool))


def test_additive_attention_refuses_other_keys():
    component, query, key, _ = older("additive", "plain")
    with pytest.raises(
        InputError, match=r"key must be .*X is 11. Got float64 of shape \(3, 7, 10\)"
    ):
        component(query, key[..., :10])


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
@pytest.mark.parametrize(
    "queries, keys, annotations",
    [
        ((3, 5, 9), (3, 7, 11), (3, 6, 10)), ((3, 5, 9), (1, 7, 11), (1, 7, 10)),
        ((3, 5, 9), (3, 7, 11), (7, 10)),
    ],
    ids=["annotations", "batch", "axes"],
)
def test_older_attention_refuses_what_does_not_belong_together(kind, queries, keys, annotations):
    component, *_ = older(kind, "plain")
    with pytest.raises(
        InputError,
        match=(
            r"(key|annotations) must be .*B is 3.* Got float64 of shape \((3, 6, 10|1, 7, 11|7, "
            r"10)\)"
        ),
    ):
        component(normal(*queries), normal(*keys), normal(*annotations))


def test_multiplicative_attention_refuses_other_keys():
    component, query, key, _ = older("multiplicative", "plain")
    with pytest.raises(
        InputError, match=r"key must be .*X is 11. Got float64 of shape \(3, 7, 10\)"
    ):
        component(query, key[..., :10])


# -- local attention -------------------------------------------------------------------------------

WIDTHS = (1, 2, 3, 4, 7, 8, 20)  # of sequences of 7
REAL = np.array([[1, 1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1], [1, 0, 1, 1, 1, 0, 0]], dtype=bool)


def local_inputs(length=7, seed=0):
    return projections((3, 2, length, length, 5, 4), seed)


def band(length, width):
    """(1, 1, T, T): position t sees t − width + 1 … t."""
    allowed = [[t - width < s <= t for s in range(length)] for t in range(length)]
    return np.array(allowed)[None, None]


@pytest.mark.parametrize("masked", [False, True], ids=["no_mask", "mask"])
@pytest.mark.parametrize("width", WIDTHS)
def test_local_attention_equals_full_attention_under_the_banded_causal_mask(width, masked):
    inputs, real = local_inputs(), REAL if masked else None
    allowed = band(7, width) & REAL[:, None, None] if masked else band(7, width)
    local, full = LocalAttention(width), ScaledDotProductAttention()
    d_y = normal(3, 2, 7, 4, seed=7)
    with keep_weights(local), keep_weights(full):
        close(local(*inputs, real), full(*inputs, allowed))
        for d_local, d_full in zip(local.backward(d_y), full.backward(d_y)):
            close(d_local, d_full)
    close(local.weights, plain_attention(*inputs, allowed)[1])
    assert not local.weights[~np.broadcast_to(allowed, local.weights.shape)].any()
    close(local.weights.sum(axis=-1), np.broadcast_to(allowed.any(axis=-1), (3, 2, 7)) * 1.0)
    near = np.broadcast_to(band(7, width), full.weights.shape)
    close(local.d_weights[near], full.d_weights[near])


@pytest.mark.parametrize("length", [1, 2, 5, 6, 9])
def test_local_attention_fits_every_length(length):
    inputs = local_inputs(length)
    close(LocalAttention(3)(*inputs), plain_attention(*inputs, band(length, 3))[0])


@pytest.mark.parametrize("masked", [False, True], ids=["no_mask", "mask"])
@pytest.mark.parametrize("width", [1, 2, 3, 9])
def test_local_attention_gradient(width, masked):
    assert_gradients(
        LocalAttention(width), *local_inputs(), REAL if masked else None, max_entries=25
    )


def test_local_attention_gradient_with_dropout():
    assert_gradients(LocalAttention(3, rng(), dropout=0.4), *local_inputs(), REAL, max_entries=25)


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_local_attention_sees_its_window_and_nothing_else_bit_for_bit(width):
    query, key, value = local_inputs()
    attend = LocalAttention(width)
    y = attend(query, key, value)
    for s in range(7):
        other_key, other_value = key.copy(), value.copy()
        other_key[:, :, s] += 1
        other_value[:, :, s] -= 1
        changed = (attend(query, other_key, other_value) != y).any(axis=(0, 1, 3))
        assert changed.tolist() == [s <= t < s + width for t in range(7)]


def test_local_attention_neither_sees_padding_nor_gives_it_a_gradient():
    query, key, value = local_inputs()
    attend, hidden = LocalAttention(3), ~REAL
    y = attend(query, key, value, REAL)
    d_query, d_key, d_value = attend.backward(normal(*y.shape, seed=7))
    for d in (d_key, d_value):
        assert not d.swapaxes(1, 2)[hidden].any() and d.swapaxes(1, 2)[~hidden].any(axis=-1).all()
    alone = ~(band(7, 3) & REAL[:, None, None]).any(axis=-1)[:, 0]       # sees nothing but padding
    assert (
        alone.any()
        and not y.swapaxes(1, 2)[alone].any()
        and not d_query.swapaxes(1, 2)[alone].any()
    )
    key.swapaxes(1, 2)[hidden] += 3
    value.swapaxes(1, 2)[hidden] -= 3
    assert np.array_equal(attend(query, key, value, REAL), y)


def test_local_attention_never_holds_scores_for_all_pairs():
    attend = LocalAttention(4)
    attend(*local_inputs(41), None)
    held = [x.size // (3 * 2) for m in attentions(attend).values() for x in m.softmax._saves[-1]]
    assert max(held) == 11 * 4 * 8 < 41 * 41


@pytest.mark.parametrize("masked", [False, True], ids=["no_mask", "mask"])
def test_multi_head_attention_with_local_attention_inside_equals_the_banded_one(masked):
    local = moved(MultiHeadAttention(12, 3, rng(), attention=LocalAttention(3)))
    full = moved(MultiHeadAttention(12, 3, rng()))
    full.load_state_dict(local.state_dict())
    x, real = normal(3, 7, 12), REAL if masked else None
    close(
        local(x, mask=real),
        full(x, mask=band(7, 3) & REAL[:, None, None] if masked else band(7, 3)),
    )
    local.clear_saves()
    assert_gradients(local, x, None, real, max_entries=10)


def test_local_attention_refuses_what_it_cannot_do():
    query, key, value = local_inputs()
    with pytest.raises(InputError, match="width must be a whole number of at least 1, got 0"):
        LocalAttention(0)
    with pytest.raises(InputError, match=r"of one sequence, got \(3, 2, 7, 5\), \(3, 2, 6, 5\)"):
        LocalAttention(3)(query, key[:, :, :6], value[:, :, :6])
    with pytest.raises(
        InputError, match=r"value must be .*B is 3.*Got float64 of shape \(1, 2, 7, 4\)"
    ):
        LocalAttention(3)(query, key, value[:1])
    for width in (2.5, True):
        with pytest.raises(InputError, match=f"width must be .*got {width}"):
            LocalAttention(width)
    with pytest.raises(
        InputError, match=r"mask must be .*of shape \(B, S\).*Got bool of shape \(3, 1, 1, 7\)"
    ):
        LocalAttention(3)(query, key, value, REAL[:, None, None])
    with pytest.raises(InputError, match=r"Got int64 of shape \(3, 7\)"):
        LocalAttention(3)(query, key, value, REAL.astype(int))
    with pytest.raises(InputError, match="Got a list"):
        LocalAttention(3)(query, key, value, REAL.tolist())


# -- keeping the weights of several attentions -----------------------------------------------------


def test_attentions_are_found_wherever_they_stand():
    assert list(attentions(moved(AdditiveAttention(3, 4, 5, rng())))) == ["expectation"]
    assert list(attentions(MultiplicativeAttention(3, 4, rng()))) == ["expectation"]
    assert list(attentions(MultiHeadAttention(4, 2, rng(), attention=LocalAttention(3)))) == [
        "attention"
    ]
    assert attentions(Masking()) == {} and attention_maps(Masking()) == {}


def test_keeping_ends_with_its_block_even_by_an_error_and_an_outer_block_goes_on():
    component, query, key, _ = older("additive", "plain")
    with keep_weights(component):
        with pytest.raises(ZeroDivisionError), keep_weights(component):
            raise ZeroDivisionError
        assert component.expectation.keep
        component(query, key)
    assert not component.expectation.keep and not Expectation().keep
    kept = attention_maps(component)["expectation"]
    component(2 * query, key)
    assert attention_maps(component)["expectation"] is kept and kept.shape == (3, 1, 5, 7)


def test_what_masks_are_made_of_is_checked():
    for make in (
        lambda: padding_mask([[4, 0]]), lambda: padding_mask(np.array([4, 0])),
        lambda: causal_mask("3"), lambda: causal_mask(-1), lambda: causal_mask(2.5),
    ):
        with pytest.raises(InputError):
            make()
