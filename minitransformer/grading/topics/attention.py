"""Scaled dot-product attention, the whole of it."""

import numpy as np

from ...attention import Masking, ScaledDotProductAttention
from ...layers import Softmax
from ..exercise import Invariant, exercise
from .attention_steps import (
    BLIND,
    FAR,
    SHAPES,
    attention_context,
    attention_d_key,
    attention_d_P,
    attention_d_query,
    attention_d_scores,
    attention_d_value,
    attention_scores,
    attention_weights,
    blind,
    draw,
    signs,
)
from .met import issue
from .parts import call_wrong, inherit, versions_of


def _far(given, rng, n):
    """The first feature of queries and keys adds the same large number, or takes it off, in a whole
    row of scores.

    All are eighths, so that their products are exact in float32 too.
    """
    query, key = np.round(8 * given["query"]) / 8, np.round(8 * given["key"]) / 8
    query[..., :1], key[..., :1] = np.round(25 * np.sqrt(n.K)) * signs(n), 40
    return {"query": query, "key": key}


ALSO = {
    "scores": lambda query, key, **_: attention_scores(query, key),
    "P": lambda query, key, mask, **_: attention_weights(attention_scores(query, key), mask),
}


@exercise(
    "attention.forward",
    inputs=SHAPES,
    returns={"context": "(B, H, T, K_v)"},
    extra={"P": "(B, H, T, S)"},
    given=lambda rng, n: draw(rng, n, *SHAPES),
    situations={BLIND: blind, FAR: _far},
    also=ALSO,
    places={BLIND: lambda mask, **_: ~mask.any(axis=-1, keepdims=True)},
    shown=(ScaledDotProductAttention.forward, Masking.forward, Softmax.forward),
    hints=(
        (
            "Three steps lie between the queries and what they find. Which two of them are "
            "products of matrices?"
        ),
        "context = softmax(Q Kᵀ / √d_k, hidden keys at −∞) V",
        "the scores of all pairs, scaled\n−∞ where the mask says no\n"
        "softmax over the keys; zeros where no key is left\nblend the values with these weights",
        "attention_weights(attention_scores(query, key), mask) @ value",
    ),
)
def attention(query, key, value, mask):
    """Let each query look up the values: blend them, each weighted by how well its key matches the
    query.

    The score of a query and a key is their dot product, divided by the square root of their width
    d_k; the weights are the softmax of a query's scores over the keys. The mask is boolean, True =
    may attend, broadcasts to (B, H, T, S), and acts on the scores before softmax. A query that may
    attend to nothing gets a context of zeros, never NaN.
    """
    scores = attention_scores(query, key)
    P = attention_weights(scores, mask)
    return attention_context(P, value)


inherit(attention, attention_scores)
inherit(attention, attention_weights)
inherit(attention, attention_context)
attention.mistake(
    "weights-returned",
    "the weights P are returned first, or alone",
    {"attention_context(P, value)": "P"},
    {"attention_context(P, value)": "P, value"},
    question="Of the two arrays, which one says what a query has found?",
)
attention.mistake(
    "scale-on-context",
    "the scale is applied to the context, not to the scores",
    {
        "attention_scores(query, key)": "query @ key.swapaxes(-1, -2)",
        "(P, value)": "(P, value) / np.sqrt(query.shape[-1])",
    },
    {"(P, value)": "(P, value) / np.sqrt(query.shape[-1])"},
    question="Is softmax of a scaled row the same as a scaled softmax of the row?",
    met=issue("FrancescoSaverioZuppichini/ViT", 2),
)
attention.mistake(
    "scores-without-softmax",
    "the scores are not turned into weights by softmax",
    {"attention_weights(scores, mask)": "np.where(mask, scores, 0)"},
    {"attention_weights(scores, mask)": "scores"},
    question="What should the weights of one query add up to?",
)


@exercise(
    "attention.backward",
    forward=attention,
    inputs={"d_context": "(B, H, T, K_v)", **SHAPES},
    returns={"d_query": SHAPES["query"], "d_key": SHAPES["key"], "d_value": SHAPES["value"]},
    given=lambda rng, n: draw(rng, n, "d_context", *SHAPES),
    also=ALSO,
    invariants=(
        Invariant(
            "The sum of d_key over the keys",
            (
                "the same vector added to all keys shifts all scores of a query alike, and softmax "
                "ignores a shift"
            ),
            lambda out, given: out["d_key"].sum(-2),
        ),
    ),
    shown=(ScaledDotProductAttention.backward, Softmax.backward),
    hints=(
        "Three steps in forward, so three in backward, the last one first. Which inputs of each "
        "step are needed to undo it?",
        (
            "d_V = Pᵀ d_y,  d_P = d_y Vᵀ,  d_S = P ∘ (d_P − Σ_j d_P_j P_j),  d_Q = d_S K/√d_k,  "
            "d_K = d_Sᵀ Q/√d_k"
        ),
        "P as in forward\nthe values' gradient: P transposed, times d_context\n"
        "the gradient of P: d_context times the values, transposed\n"
        "through softmax, row by row\nto the queries and, transposed, to the keys\n"
        "the scale of forward, in both",
        "d_scores = P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))",
    ),
)
def attention_backward(d_context, query, key, value, mask):
    """The gradients of the queries, the keys and the values, from the gradient of their attention's
    context.

    The scores were divided by √d_k, and the mask (boolean, True = may attend) acted on them before
    softmax. Each query may attend to something here.
    """
    P = attention_weights(attention_scores(query, key), mask)
    d_value = attention_d_value(d_context, P)
    d_P = attention_d_P(d_context, value)
    d_scores = attention_d_scores(d_P, P)
    d_query = attention_d_query(d_scores, key)
    d_key = attention_d_key(d_scores, query)
    return d_query, d_key, d_value


def _scaled(by):
    """Scores with another scale, which forward and backward share."""
    return {
        "attention_scores(query, key)": f"(query @ key.swapaxes(-1, -2) {by})",
        "attention_d_query(d_scores, key)": f"d_scores @ key {by}",
        "attention_d_key(d_scores, query)": f"d_scores.swapaxes(-1, -2) @ query {by}",
    }


def _both(id):
    """The gradients of queries and keys, both with the mistake."""
    parts = (attention_d_query, attention_d_key)
    return {
        call: wrong
        for part in parts
        for call, wrong in call_wrong(part, versions_of(part, id)[0]).items()
    }


attention_backward.mistake(
    "scale-forgotten",
    "the scale 1/√d_k is forgotten in backward",
    _both("scale-forgotten"),
    evidence="d_value is right: it does not pass through the scores.",
    question="By what did forward divide the scores, and what does that do to a derivative?",
)
attention_backward.mistake(
    "scale-applied-twice",
    "the scale 1/√d_k is applied twice",
    _both("scale-applied-twice"),
    evidence="d_value is right: it does not pass through the scores.",
    question="Through how many divisions by √d_k does a query reach its score?",
)
attention_backward.mistake(
    "scaled-by-model-width",
    "the root is that of the model's width, not of a head's",
    _both("scaled-by-model-width"),
    _scaled("/ np.sqrt(query.shape[1] * query.shape[-1])"),
    question="How many products does the dot product of one head add up?",
    met="public NumPy Transformers",
)
attention_backward.mistake(
    "scale-missing",
    "the scores are not divided by √d_k",
    _scaled(""),
    question="A dot product of two vectors of d_k standard normal numbers: what is its variance?",
)
attention_backward.mistake(
    "scaled-by-d-k",
    "the scores are divided by d_k, not by its root",
    _scaled("/ query.shape[-1]"),
    question="What is the standard deviation of a sum of d_k products, if each has variance 1?",
)
attention_backward.mistake(
    "query-key-gradients-swapped",
    "d_query and d_key are exchanged",
    {"return d_query, d_key": "return d_key, d_query"},
    question="Which shape belongs to which of the three, where there are fewer queries than keys?",
)
attention_backward.mistake(
    "gradients-reordered",
    "the three gradients stand in another order",
    {"return d_query, d_key, d_value": "return d_value, d_key, d_query"},
    {"return d_query, d_key, d_value": "return d_key, d_value, d_query"},
    question="In which order does forward take its inputs?",
)
attention_backward.mistake(
    "upstream-handed-on",
    "backward hands on what it was given",
    {"return d_query, d_key, d_value": "return d_context, d_context, d_context"},
    {"attention_d_scores(d_P, P)": "d_context"},
    question=(
        "If forward blends the values of many positions, whose gradient can be that of the blend?"
    ),
    met="a public NumPy Transformer",
)
attention_backward.mistake(
    "scores-for-weights",
    "the scores stand where the weights P should",
    {"attention_d_scores(d_P, P)": "attention_d_scores(d_P, attention_scores(query, key))"},
    question=(
        "Is the derivative of softmax written in its input or in its output, and which one was "
        "kept?"
    ),
    met="public code",
)
attention_backward.mistake(
    "infinite-gradient-hidden",
    "hidden scores get a gradient of −∞",
    {"attention_d_scores(d_P, P)": "np.where(mask, attention_d_scores(d_P, P), -np.inf)"},
    question="If a hidden score moves, by how much does the loss change?",
)
attention_backward.mistake(
    "softmax-of-gradient",
    "the way through softmax is undone by the softmax of its gradient",
    {"attention_d_scores(d_P, P)": "attention_weights(d_P, mask)"},
    question="A backward hands gradients on. Is softmax of a gradient its derivative?",
)
inherit(
    attention_backward, attention_d_query, "scale-forgotten", "scale-applied-twice",
    "d-scores-transposed", "keys-transposed",
)
inherit(
    attention_backward, attention_d_key, "scale-forgotten", "scale-applied-twice",
    "d-scores-not-transposed", "d-key-not-transposed",
)
inherit(attention_backward, attention_d_scores)
inherit(attention_backward, attention_d_value, "p-not-transposed", "reshape-for-transpose")
inherit(attention_backward, attention_d_P, "values-not-transposed", "reshape-for-transpose")
inherit(attention_backward, attention_d_key, "reshape-for-transpose")
inherit(
    attention_backward, attention_weights, "mask-after-softmax", "mask-sets-zero", "mask-inverted",
    "mask-ignored",
)
