"""Additive attention: a small network scores each pair of query and key."""

import numpy as np

from ...older import AdditiveAttention
from ...older.expectation import Expectation
from ..exercise import exercise
from .met import issue, places, pull

INPUTS = {
    "query": "(B, T, D)", "key": "(B, S, D)", "value": "(B, S, K_v)", "W_query": "(D, F)",
    "W_key": "(D, F)", "v": "(F)", "mask": "(B, 1, S)",
}


def _given(rng, n):
    lengths = np.array([n.S, *rng.integers(1, n.S, n.B - 1)])
    return {
        "query": rng.standard_normal((n.B, n.T, n.D)),
        "key": rng.standard_normal((n.B, n.S, n.D)),
        "value": rng.standard_normal((n.B, n.S, n.K_v)),
        "W_query": rng.standard_normal((n.D, n.F)) / np.sqrt(n.D),
        "W_key": rng.standard_normal((n.D, n.F)) / np.sqrt(n.D),
        "v": 2 * rng.standard_normal(n.F) / np.sqrt(n.F),
        "mask": np.arange(n.S) < lengths[:, None, None],
    }


def _nothing_to_see(given, rng, n):
    mask = given["mask"].copy()
    mask[-1] = False
    return {"mask": mask}


SITUATIONS = {
    "a sentence that is nothing but padding": _nothing_to_see,
    "scores around 1000 and more": lambda given, rng, n: {"v": 1000 * given["v"]},
}


def _weights(query, key, W_query, W_key, v, mask, **_):
    scores = np.tanh((query @ W_query)[:, :, None] + (key @ W_key)[:, None]) @ v
    scores = np.where(mask, scores, -np.inf)
    largest = scores.max(axis=-1, keepdims=True)
    P = np.exp(scores - np.where(np.isinf(largest), 0, largest))
    total = P.sum(axis=-1, keepdims=True)
    return P / np.where(total == 0, 1, total)


@exercise(
    "additive_attention.forward",
    inputs=INPUTS,
    returns={"context": "(B, T, K_v)"},
    given=_given,
    situations=SITUATIONS,
    also={"P": _weights},
    shown=(AdditiveAttention.forward, Expectation.forward),
    hints=(
        "Each query meets each key. Which shape has an array with F numbers for every such pair?",
        "E_ts = v · tanh(q_t W_q + k_s W_k),  P = softmax(E) over s,  context_t = Σ_s P_ts value_s",
        (
            "queries and keys through their weights, an axis of length 1 added to each so that all "
            "pairs are summed\ntanh, then the product with v: a score for each pair\n"
            "−∞ where the mask forbids\nsoftmax over the keys (0 for a query that may attend to "
            "nothing)\nthe mean of the values with these weights"
        ),
        "np.tanh((query @ W_query)[:, :, None] + (key @ W_key)[:, None]) @ v",
    ),
)
def additive_attention(query, key, value, W_query, W_key, v, mask):
    """Attention whose scores come from a small network (Bahdanau et al. 2015): the context of each
    query.

    For each pair of a query and a key, the network adds the two, each through its own weights,
    takes tanh, and the product of that with v is the score. The scores of a query become weights
    over the keys, and the context is the mean of the values with these weights. Nothing is scaled.

    `mask` is boolean, True = may attend. A query that may attend to nothing has a context of zeros.
    """
    pairs = (query @ W_query)[:, :, None] + (key @ W_key)[:, None]
    scores = np.where(mask, np.tanh(pairs) @ v, -np.inf)
    largest = scores.max(axis=-1, keepdims=True)
    P = np.exp(scores - np.where(np.isinf(largest), 0, largest))
    total = P.sum(axis=-1, keepdims=True)
    P = P / np.where(total == 0, 1, total)
    return P @ value


MASKED = "np.where(mask, np.tanh(pairs) @ v, -np.inf)"
LARGEST = "np.where(np.isinf(largest), 0, largest)"
SHIFTED = "np.exp(scores - np.where(np.isinf(largest), 0, largest))"
DIVIDED = "P / np.where(total == 0, 1, total)"
PAIRS = "(query @ W_query)[:, :, None] + (key @ W_key)[:, None]"
MAY = (
    "Which weights should a key have that may not be seen, and what should those that may be seen "
    "sum to?"
)
additive_attention.mistake(
    "tanh-missing", "there is no tanh", {"np.tanh(pairs)": "pairs"},
    evidence=(
        "Without it, what a query adds to its scores is the same for all keys, and softmax ignores "
        "it."
    ),
    question="Two affine maps in a row are one affine map. What keeps them apart?",
)
additive_attention.mistake(
    "tanh-taken-apart",
    "tanh is taken of query and key apart, not of their sum",
    {
        "(query @ W_query)[:": "np.tanh(query @ W_query)[:",
        "(key @ W_key)[:": "np.tanh(key @ W_key)[:", "np.tanh(pairs)": "pairs",
    },
    {
        "(query @ W_query)[:": "np.tanh(query @ W_query)[:",
        "(key @ W_key)[:": "np.tanh(key @ W_key)[:",
    },
    evidence=(
        "What a query adds to its scores is the same for all keys then, and softmax ignores it."
    ),
    question="Can such a score depend on which query meets which key?",
)
additive_attention.mistake(
    "other-function", "another function stands for tanh",
    {"np.tanh(pairs)": "np.maximum(0, pairs)"},
    {"np.tanh(pairs)": "(1 / (1 + np.exp(-pairs)))"},
    question="Between which two numbers does what v multiplies lie?",
    met=issue("keon/seq2seq", 28),
)
additive_attention.mistake(
    "multiplied-not-added", "query and key are multiplied, not added",
    {"[:, :, None] + (": "[:, :, None] * ("},
    question="Which attention adds, and which one multiplies?",
)
additive_attention.mistake(
    "v-missing", "v is left out: the hidden numbers are summed as they are",
    {"np.tanh(pairs) @ v": "np.tanh(pairs).sum(axis=-1)"},
    {"np.tanh(pairs) @ v": "np.tanh(pairs).mean(axis=-1)"},
    question="Does every hidden number matter equally for the score?",
    met=issue("tensorflow/tensorflow", 39332),
)
additive_attention.mistake(
    "tanh-after-v", "tanh is taken of the score, after v",
    {"np.tanh(pairs) @ v": "np.tanh(pairs @ v)"},
    {"np.tanh(pairs) @ v": "np.tanh(np.tanh(pairs) @ v)"},
    question="How large can a score be, if tanh comes last?",
)
additive_attention.mistake(
    "scores-scaled", "the scores are divided by a root", {"@ v,": "@ v / np.sqrt(len(v)),"},
    {"@ v,": "@ v / np.sqrt(key.shape[-1]),"},
    question="Which attention scales its scores, and why?",
)
additive_attention.mistake(
    "weights-exchanged", "queries and keys pass through each other's weights",
    {"query @ W_query": "query @ W_key", "key @ W_key": "key @ W_query"},
    {"key @ W_key": "key @ W_query"}, {"query @ W_query": "query @ W_key"},
    question="Which weights belong to the queries?",
)
additive_attention.mistake(
    "keys-averaged", "the keys are averaged, not the values", {"P @ value": "P @ key"},
    question="Of what is the context a mean?",
)
additive_attention.mistake(
    "mask-after-softmax", "the mask acts after softmax, and the rest is not divided again",
    {MASKED: "np.tanh(pairs) @ v", "P @ value": "np.where(mask, P, 0) @ value"},
    evidence="The weights of a query sum to less than 1.", question=MAY,
)
additive_attention.mistake(
    "mask-multiplied", "the scores are multiplied by the mask",
    {MASKED: "np.tanh(pairs) @ v * mask"},
    evidence="A score of 0 has the weight e⁰.", question=MAY,
    met=places("public code", pull("georg-wolflein/good-features", 1)),
)
additive_attention.mistake(
    "mask-inverted", "only what is masked is attended to",
    {"np.where(mask, np": "np.where(~mask, np"},
    question="Does True say that a key may be seen, or that it may not?", met="public code",
)
additive_attention.mistake(
    "mask-ignored", "the mask is not looked at", {MASKED: "np.tanh(pairs) @ v"}, question=MAY,
    met=issue("tensorflow/tensorflow", 43941),
)
additive_attention.mistake(
    "empty-row-not-zero",
    "a query that may attend to nothing has not a context of zeros",
    {LARGEST: "largest"},
    {"np.where(total == 0, 1, total)": "total"},
    {"-np.inf)": "-1e9)"},
    {"-np.inf)": "-1e30)"},
    {"-np.inf)": "-1e4)"},
    evidence=(
        "−∞ less −∞ is NaN, and so is 0/0; with a large negative number for −∞, all keys get equal "
        "weights, the masked ones too."
    ),
    question="What is the sum of the weights of a query that may attend to nothing?",
    met="public code",
)
additive_attention.mistake(
    "no-maximum-shift", "the scores are not shifted by their maximum", {SHIFTED: "np.exp(scores)"},
    question="What is the exp of 1000?",
)
additive_attention.mistake(
    "softmax-over-queries", "softmax runs over the queries, not over the keys",
    {"scores.max(axis=-1": "scores.max(axis=-2", "P.sum(axis=-1": "P.sum(axis=-2"},
    {"P.sum(axis=-1": "P.sum(axis=-2"}, {"P.sum(axis=-1": "P.sum(axis=0"},
    question="What do the weights of one query sum to?",
)
additive_attention.mistake(
    "one-sum-for-queries", "one sum serves all queries",
    {"P.sum(axis=-1, keepdims=True)": "P.sum()"},
    {"P.sum(axis=-1, keepdims=True)": "P.sum(axis=(-2, -1), keepdims=True)"},
    question="How many distributions are there in an array of shape (B, T, S)?",
)
additive_attention.mistake(
    "one-maximum-for-queries", "one maximum serves all queries",
    {"scores.max(axis=-1, keepdims=True)": "scores.max()"},
    question="What is left of a row whose scores all lie 2000 below that maximum?",
)
additive_attention.mistake(
    "not-divided-by-sum", "the exponentials are not divided by anything", {DIVIDED: "P"},
    question="What should the weights of one query add up to?",
)
additive_attention.mistake(
    "query-key-swapped", "queries and keys change places",
    {PAIRS: "(query @ W_query)[:, None] + (key @ W_key)[:, :, None]"},
    question="Which of the two has one distribution for each?",
)


@exercise(
    "additive_attention.backward",
    forward=additive_attention,
    inputs={"d_context": "(B, T, K_v)", **INPUTS},
    returns={
        "d_query": "(B, T, D)", "d_key": "(B, S, D)", "d_value": "(B, S, K_v)",
        "d_W_query": "(D, F)", "d_W_key": "(D, F)", "d_v": "(F)",
    },
    given=lambda rng, n: {"d_context": rng.standard_normal((n.B, n.T, n.K_v)), **_given(rng, n)},
    situations={"a sentence that is nothing but padding": _nothing_to_see},
    also={"P": _weights},
    places={"the keys that may not be seen": lambda mask, **_: ~mask.swapaxes(1, 2)},
    shown=(AdditiveAttention.backward, Expectation.backward),
    hints=(
        "A query was added to every key. How many of the pairs does its gradient come from?",
        (
            "d_value = Pᵀ d_c,  d_P = d_c valueᵀ,  d_E = P ∘ (d_P − Σ_s d_P P),  d_a_tsf = d_E_ts "
            "v_f (1 − tanh²),  d_query = (Σ_s d_a) W_qᵀ,  d_key = (Σ_t d_a) W_kᵀ"
        ),
        (
            "the weights P as in forward\n"
            "back through the mean: to the values, and to P\n"
            "back through softmax, to the scores\n"
            "back through v and tanh, to the pairs\n"
            "the sum over the keys goes to the query, that over the queries to the key\n"
            "back through the weights of both"
        ),
        "d_pairs = d_scores[..., None] * v * (1 - hidden**2)",
    ),
)
def additive_attention_backward(d_context, query, key, value, W_query, W_key, v, mask):
    """The gradients of all inputs but the mask of additive attention, from the gradient of its
    context.

        E_ts = v · tanh(q_t W_query + k_s W_key)
        P = softmax(E)
        context_t = Σ_s P_ts value_s

    softmax runs over the keys that the mask allows (True = may attend). What may not be seen has a
    gradient of zero, and so has all of a sentence in which nothing may be seen.
    """
    hidden = np.tanh((query @ W_query)[:, :, None] + (key @ W_key)[:, None])
    P = _softmax(np.where(mask, hidden @ v, -np.inf))
    d_value = P.swapaxes(-1, -2) @ d_context
    d_P = d_context @ value.swapaxes(-1, -2)
    d_scores = P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))
    d_v = np.einsum("bts,btsf->f", d_scores, hidden)
    d_pairs = d_scores[..., None] * v * (1 - hidden**2)
    d_query_part, d_key_part = d_pairs.sum(axis=2), d_pairs.sum(axis=1)
    d_W_query = np.einsum("btd,btf->df", query, d_query_part)
    d_W_key = np.einsum("bsd,bsf->df", key, d_key_part)
    return d_query_part @ W_query.T, d_key_part @ W_key.T, d_value, d_W_query, d_W_key, d_v


def _softmax(scores):
    """Over the last axis; zeros where all scores of a row are −∞."""
    largest = scores.max(axis=-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isinf(largest), 0, largest))
    total = weights.sum(axis=-1, keepdims=True)
    return weights / np.where(total == 0, 1, total)


E = "d_scores = P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))"
PARTS = "d_query_part, d_key_part = d_pairs.sum(axis=2), d_pairs.sum(axis=1)"
END = "return d_query_part @ W_query.T, d_key_part @ W_key.T"
additive_attention_backward.mistake(
    "softmax-backward-missing", "the backward of softmax is left out", {E: "d_scores = d_P"},
    {E: "d_scores = np.where(mask, d_P, 0)"},
    question="What lies between the scores and the weights?",
)
additive_attention_backward.mistake(
    "diagonal-only", "each weight answers for itself alone, as P(1 − P)",
    {E: "d_scores = d_P * P * (1 - P)"},
    question="If one score rises, what becomes of the weights of the others?",
)
additive_attention_backward.mistake(
    "weighted-mean-missing", "the weighted mean of d_P is not taken off",
    {" - (d_P * P).sum(axis=-1, keepdims=True)": ""},
    question=(
        "What must the gradients of a query's scores sum to, if softmax ignores a shift of all of "
        "them?"
    ),
)
additive_attention_backward.mistake(
    "sum-not-weighted", "the sum of d_P is not weighted by P", {"(d_P * P).sum": "d_P.sum"},
    question="Through which weight does d_P_i reach the score of another?",
)
additive_attention_backward.mistake(
    "mean-for-sum", "a mean stands where a sum should", {"(d_P * P).sum": "(d_P * P).mean"},
    question="The weights P already sum to one. What does another division by the row's length do?",
)
additive_attention_backward.mistake(
    "sum-over-queries", "the sum of softmax's backward runs over the queries",
    {"(d_P * P).sum(axis=-1": "(d_P * P).sum(axis=-2"},
    question="Along which axis did forward divide by a sum?",
)
additive_attention_backward.mistake(
    "tanh-missing", "tanh is left out", {" * (1 - hidden**2)": ""},
    question="What lies between the pairs and their product with v?",
)
additive_attention_backward.mistake(
    "tanh-derivative-of-input",
    "the derivative of tanh is taken with its input, not with its output",
    {"(1 - hidden**2)": "(1 - ((query @ W_query)[:, :, None] + (key @ W_key)[:, None]) ** 2)"},
    {"(1 - hidden**2)": "(1 - np.tanh(hidden) ** 2)"},
    question="Where tanh has put out 0, how steep is it? And where it has put out almost 1?",
)
additive_attention_backward.mistake(
    "tanh-derivative-wrong", "it is not the derivative of tanh",
    {"(1 - hidden**2)": "(1 - hidden)"},
    {"(1 - hidden**2)": "hidden * (1 - hidden)"}, {"(1 - hidden**2)": "hidden"},
    {"(1 - hidden**2)": "(hidden > 0)"},
    question="Where tanh has put out 0, how steep is it? And where it has put out almost 1?",
)
additive_attention_backward.mistake(
    "v-missing", "v is left out on the way to the pairs",
    {"d_scores[..., None] * v *": "d_scores[..., None] *"},
    question="By what was tanh multiplied on its way to the score?",
)
additive_attention_backward.mistake(
    "d-v-before-tanh", "d_v is taken with what goes into tanh, not with what comes out",
    {"d_scores, hidden)": "d_scores, np.arctanh(hidden))"},
    {"d_scores, hidden)": "d_scores, 1 - hidden**2)"}, question="What did v multiply in forward?",
)
additive_attention_backward.mistake(
    "d-v-before-softmax", "d_v is taken with d_P or P, before softmax's backward",
    {'btsf->f", d_scores': 'btsf->f", d_P'}, {'btsf->f", d_scores': 'btsf->f", P'},
    question="Of what did v make the scores or the weights?",
)
additive_attention_backward.mistake(
    "sums-swapped", "the sums over queries and keys change places",
    {PARTS: "d_query_part, d_key_part = d_pairs.sum(axis=1), d_pairs.sum(axis=2)"},
    question="A query was added to every key. Over what does its gradient have to be summed?",
)
additive_attention_backward.mistake(
    "mean-over-pairs",
    "a mean over the pairs, or over the positions, stands where a sum should",
    {"d_pairs.sum(axis=2)": "d_pairs.mean(axis=2)"},
    {"d_pairs.sum(axis=1)": "d_pairs.mean(axis=1)"},
    {"d_pairs.sum(axis=2)": "d_pairs.mean(axis=2)", "d_pairs.sum(axis=1)": "d_pairs.mean(axis=1)"},
    {
        "query, d_query_part)": "query, d_query_part / len(query))",
        "key, d_key_part)": "key, d_key_part / len(query))",
        "d_scores, hidden)": "d_scores, hidden / len(query))",
    },
    {
        "query, d_query_part)": "query, d_query_part / len(query))",
        "key, d_key_part)": "key, d_key_part / len(query))",
    },
    question="If a query met twice as many keys, would each of them matter less?",
)
additive_attention_backward.mistake(
    "one-pair-counts", "only one pair of each query, or key, counts",
    {"d_pairs.sum(axis=2)": "d_pairs[:, :, -1]"}, {"d_pairs.sum(axis=1)": "d_pairs[:, -1]"},
    {"d_pairs.sum(axis=2)": "d_pairs[:, :, -1]", "d_pairs.sum(axis=1)": "d_pairs[:, -1]"},
    question="A query was added to every key. From how many pairs does its gradient come?",
)
additive_attention_backward.mistake(
    "p-not-transposed", "P is not transposed on the way to the values",
    {"P.swapaxes(-1, -2) @ d_context": "P @ d_context"},
    question="Which of the queries did value s reach, and with which weights?",
)
additive_attention_backward.mistake(
    "d-p-transposed", "d_P is transposed",
    {"d_context @ value.swapaxes(-1, -2)": "value @ d_context.swapaxes(-1, -2)"},
    question="Which shape has P, and so d_P?",
)
additive_attention_backward.mistake(
    "weight-not-transposed", "a weight is not transposed on the way back", {"W_query.T": "W_query"},
    {"W_key.T": "W_key"}, {"W_query.T": "W_query", "W_key.T": "W_key"},
    question="W_query leads from D features to F. Which one leads back?",
)
additive_attention_backward.mistake(
    "d-weight-transposed", "the gradient of a weight is transposed", {"btd,btf->df": "btd,btf->fd"},
    {"bsd,bsf->df": "bsd,bsf->fd"}, {"btd,btf->df": "btd,btf->fd", "bsd,bsf->df": "bsd,bsf->fd"},
    question="Which shape must the gradient of a weight have?",
)
additive_attention_backward.mistake(
    "d-weights-not-summed", "the gradients of the weights are not summed over the batch",
    {"btd,btf->df": "btd,btf->bdf", "bsd,bsf->df": "bsd,bsf->bdf"},
    {"btd,btf->df": "btd,btf->bdf", "bsd,bsf->df": "bsd,bsf->bdf", "bts,btsf->f": "bts,btsf->bf"},
    {"bts,btsf->f": "bts,btsf->bf"},
    question="How many sentences share one weight, and what does each of them add to its gradient?",
)
additive_attention_backward.mistake(
    "weights-exchanged", "queries and keys go back through each other's weights",
    {END: "return d_query_part @ W_key.T, d_key_part @ W_query.T"},
    question="Which weights did the queries pass in forward?",
)
additive_attention_backward.mistake(
    "d-weights-swapped", "the gradients of the two weights change places",
    {"d_value, d_W_query, d_W_key, d_v": "d_value, d_W_key, d_W_query, d_v"},
    question="Which weights did the queries pass in forward?",
)
additive_attention_backward.mistake(
    "mask-forgotten", "the mask is forgotten",
    {"np.where(mask, hidden @ v, -np.inf)": "hidden @ v"},
    question="How large is the gradient of a key that may not be seen?",
)
