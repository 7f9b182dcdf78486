"""Multi-head attention: of a sequence to itself, and to a memory."""

import numpy as np

from ...attention import MultiHeadAttention, ScaledDotProductAttention
from ..exercise import exercise
from .attention import attention, attention_backward
from .heads import merge_heads, merge_heads_backward, split_heads, split_heads_backward
from .met import issue, places, pull
from .parts import add, call_wrong, inherit, versions_of


def weight_gradient(x, d_y):
    """The gradient of W in y = x W: the sum of xᵀ d_y over all positions."""
    return np.einsum("bti,bto->io", x, d_y)


def _weights(rng, n):
    names = ("W_query", "W_key", "W_value", "W_output")
    return {name: rng.standard_normal((n.D, n.D)) / np.sqrt(n.D) for name in names} | {"heads": n.H}


def _real(n, length):
    """(B, 1, 1, S): the end of most sequences is padding."""
    lengths = length - np.arange(n.B) % (length - 1)
    return (np.arange(length) < lengths[:, None])[:, None, None]


def _self_given(rng, n):
    x = rng.standard_normal((n.B, n.T, n.D))
    return {"x": x, **_weights(rng, n), "mask": _real(n, n.T) & np.tri(n.T, dtype=bool)}


def _cross_given(rng, n):
    x, memory = rng.standard_normal((n.B, n.T, n.D)), rng.standard_normal((n.B, n.S, n.D))
    return {"x": x, "memory": memory, **_weights(rng, n), "mask": _real(n, n.S)}


def _d_y(rng, n):
    return rng.standard_normal((n.B, n.T, n.D))


WEIGHTS = dict.fromkeys(("W_query", "W_key", "W_value", "W_output"), "(D, D)")
D_WEIGHTS = {f"d_{name}": shape for name, shape in WEIGHTS.items()}


@exercise(
    "self_attention.forward",
    inputs={"x": "(B, T, D)", **WEIGHTS, "heads": "number", "mask": "(B, 1, T, T)"},
    returns={"y": "(B, T, D)"},
    given=_self_given,
    shown=(MultiHeadAttention.forward, ScaledDotProductAttention.forward),
    hints=(
        (
            "Each head works in a subspace of its own. What cuts x into subspaces, and what blends "
            "their results?"
        ),
        "head_h = Attention(x W_Q[h], x W_K[h], x W_V[h]),  y = Concat(head_1, …, head_H) W_O",
        "project x three times\ncut each projection into heads: (B, H, T, K)\n"
        "attention, all heads at once\nput the heads side by side again\n"
        "project once more",
        "merge_heads(attention(query, key, value, mask)) @ W_output",
    ),
)
def self_attention(x, W_query, W_key, W_value, W_output, heads, mask):
    """Multi-head self-attention without biases: queries, keys and values are all made of x, by one
    projection each.

    Head h has the features h·K to (h + 1)·K − 1 of each projection, K = D/H; scores are divided by
    √K. The heads' results are put side by side in the same order, and projected by W_output.
    Weights stand on the right: x W. The mask is boolean, True = may attend, and broadcasts to
    (B, H, T, T). Each query may attend to something.
    """
    query, key, value = (split_heads(x @ W, heads) for W in (W_query, W_key, W_value))
    context = attention(query, key, value, mask)
    return merge_heads(context) @ W_output


@exercise(
    "self_attention.backward",
    forward=self_attention,
    inputs={"d_y": "(B, T, D)", **self_attention.inputs},
    returns={"d_x": "(B, T, D)", **D_WEIGHTS},
    given=lambda rng, n: {"d_y": _d_y(rng, n), **_self_given(rng, n)},
    shown=(MultiHeadAttention.backward, ScaledDotProductAttention.backward),
    hints=(
        "How many times was x used in forward, and what does each use add to its gradient?",
        (
            "d_x = d_q W_Qᵀ + d_k W_Kᵀ + d_v W_Vᵀ,  d_W_Q = Σ xᵀ d_q, and likewise;  d_W_O = Σ "
            "concatᵀ d_y"
        ),
        "W_output: its gradient from the heads side by side, and through it to them\n"
        "cut into heads\nattention's backward\n"
        "put each of the three gradients' heads side by side\n"
        "the gradients of the three projections, from x\n"
        "back to x, three times",
        "d_query @ W_query.T + d_key @ W_key.T + d_value @ W_value.T",
    ),
)
def self_attention_backward(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    """The gradients of x and of the four projections of multi-head self-attention, from the
    gradient of its y.

    In forward, queries, keys and values are x times their weights, cut into heads (head h has the
    features h·K to (h + 1)·K − 1); attention scales its scores by 1/√K; y is the heads' results
    side by side, times W_output. The mask is boolean, True = may attend.
    """
    query, key, value = (split_heads(x @ W, heads) for W in (W_query, W_key, W_value))
    context = attention(query, key, value, mask)
    concatenated = merge_heads(context)
    d_W_output = weight_gradient(concatenated, d_y)
    d_context = merge_heads_backward(d_y @ W_output.T, context)
    d_heads = attention_backward(d_context, query, key, value, mask)
    d_query, d_key, d_value = (split_heads_backward(d, x, heads) for d in d_heads)
    d_x = d_query @ W_query.T + d_key @ W_key.T + d_value @ W_value.T
    d_W_query, d_W_key, d_W_value = (weight_gradient(x, d) for d in (d_query, d_key, d_value))
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


@exercise(
    "cross_attention.forward",
    inputs={
        "x": "(B, T, D)", "memory": "(B, S, D)", **WEIGHTS, "heads": "number",
        "mask": "(B, 1, 1, S)",
    },
    returns={"y": "(B, T, D)"},
    given=_cross_given,
    shown=(MultiHeadAttention.forward, ScaledDotProductAttention.forward),
    hints=(
        (
            "The decoder asks, and the memory answers. What is made of the one who asks, and what "
            "of the one who answers?"
        ),
        "head_h = Attention(x W_Q[h], m W_K[h], m W_V[h]),  y = Concat(head_1, …, head_H) W_O",
        "project x once, the memory twice\ncut each projection into heads\n"
        "attention, all heads at once\nput the heads side by side again\n"
        "project once more",
        "merge_heads(attention(query, key, value, mask)) @ W_output",
    ),
)
def cross_attention(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    """Multi-head attention of a decoder's x to a memory, the encoder's output, without biases: x
    looks things up in it.

    There is one result for each position of x. Head h has the features h·K to (h + 1)·K − 1 of each
    projection, K = D/H; scores are divided by √K. The heads' results are put side by side in the
    same order, and projected by W_output. Weights stand on the right: x W. The mask is boolean,
    True = may attend, and broadcasts to (B, H, T, S); each query may attend to something.
    """
    uses = ((x, W_query), (memory, W_key), (memory, W_value))
    query, key, value = (split_heads(source @ W, heads) for source, W in uses)
    context = attention(query, key, value, mask)
    return merge_heads(context) @ W_output


@exercise(
    "cross_attention.backward",
    forward=cross_attention,
    inputs={"d_y": "(B, T, D)", **cross_attention.inputs},
    returns={"d_x": "(B, T, D)", "d_memory": "(B, S, D)", **D_WEIGHTS},
    given=lambda rng, n: {"d_y": _d_y(rng, n), **_cross_given(rng, n)},
    shown=(MultiHeadAttention.backward, ScaledDotProductAttention.backward),
    hints=(
        "How many times was x used in forward, and how many times the memory?",
        "d_x = d_q W_Qᵀ,  d_m = d_k W_Kᵀ + d_v W_Vᵀ,  d_W_Q = Σ xᵀ d_q,  d_W_K = Σ mᵀ d_k,  d_W_V "
        "= Σ mᵀ d_v,  d_W_O = Σ concatᵀ d_y",
        "W_output: its gradient from the heads side by side, and through it to them\n"
        "cut into heads\nattention's backward\n"
        "put each of the three gradients' heads side by side\n"
        "the gradient of each projection, from what it projected\n"
        "back to x once, to the memory twice",
        "d_key @ W_key.T + d_value @ W_value.T",
    ),
)
def cross_attention_backward(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    """The gradients of x, of the memory and of the four projections of multi-head cross-attention,
    from that of its y.

    In forward, queries are made of x, keys and values of the memory, each times its weights and cut
    into heads (head h has the features h·K to (h + 1)·K − 1); attention scales its scores by 1/√K;
    y is the heads' results side by side, times W_output. The mask is boolean, True = may attend.
    """
    uses = ((x, W_query), (memory, W_key), (memory, W_value))
    query, key, value = (split_heads(source @ W, heads) for source, W in uses)
    context = attention(query, key, value, mask)
    concatenated = merge_heads(context)
    d_W_output = weight_gradient(concatenated, d_y)
    d_context = merge_heads_backward(d_y @ W_output.T, context)
    d_heads = attention_backward(d_context, query, key, value, mask)
    d_query, d_key, d_value = (
        split_heads_backward(d, source, heads) for d, (source, _) in zip(d_heads, uses)
    )
    d_x = d_query @ W_query.T
    d_memory = d_key @ W_key.T + d_value @ W_value.T
    d_W_query = weight_gradient(x, d_query)
    d_W_key, d_W_value = weight_gradient(memory, d_key), weight_gradient(memory, d_value)
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


# -- mistakes --------------------------------------------------------------------------------------


SCALES_AND_MASKS = (
    "scale-missing", "scaled-by-d-k", "scaled-by-model-width", "mask-after-softmax",
    "mask-sets-zero", "mask-inverted", "mask-ignored",
)  # fmt: skip
STEPS_BACK = (
    "scale-forgotten", "scale-applied-twice", "p-not-transposed", "d-scores-not-transposed",
    "softmax-path-skipped", "diagonal-only", "weighted-mean-missing", "sum-not-weighted",
)  # fmt: skip


def _calls(*parts):
    """Calls of parts, each with the mistake of its id: {call: wrong call}."""
    return {
        call: wrong
        for part, id in parts
        for call, wrong in call_wrong(part, versions_of(part, id)[0]).items()
    }


CUT = {
    "heads-by-reshape": _calls(
        (split_heads, "reshape-for-transpose"), (merge_heads, "reshape-alone")
    ),
    "heads-interleaved": _calls(
        (split_heads, "heads-interleaved"), (merge_heads, "heads-interleaved")
    ),
}
CUT_BACK = {
    "heads-by-reshape": _calls(
        (merge_heads_backward, "reshape-for-transpose"), (split_heads_backward, "reshape-alone")
    ),
    "heads-interleaved": _calls(
        (merge_heads_backward, "heads-interleaved"), (split_heads_backward, "heads-interleaved")
    ),
}
QUESTIONS = {
    "heads-by-reshape": (
        "Which numbers lie next to each other in memory: the features of one position, or those of "
        "one head?"
    ),
    "heads-interleaved": (
        "Head 0 has the features 0 to K − 1. Which of the two, H or K, changes fastest along the "
        "features?"
    ),
    "output-projection-missing": "What lets one feature of the result depend on several heads?",
    "heads-averaged": (
        "If two heads have found different things, should either still be seen afterwards?"
    ),
    "projections-transposed": (
        "In x W, which axis of W belongs to what goes in? (In PyTorch's Linear it is the other "
        "one.)"
    ),
}

for _exercise, _source in ((self_attention, "x"), (cross_attention, "source")):
    _exercise.mistake(
        "heads-by-reshape",
        "the heads are cut or joined by a reshape alone",
        CUT["heads-by-reshape"],
        *({call: words} for call, words in CUT["heads-by-reshape"].items()),
        evidence=(
            "A head then holds whole positions, also later ones: a causal mask no longer hides the "
            "future."
        ),
        question=QUESTIONS["heads-by-reshape"],
        met=places(issue("reczoo/FuxiCTR", 30), pull("jsbaan/transformer-from-scratch", 6)),
    )
    _exercise.mistake(
        "heads-interleaved",
        "the heads are interleaved: each has every H-th feature",
        CUT["heads-interleaved"],
        *({call: words} for call, words in CUT["heads-interleaved"].items()),
        question=QUESTIONS["heads-interleaved"],
    )
    _exercise.mistake(
        "output-projection-missing",
        "the last projection, W_output, is missing",
        {"merge_heads(context) @ W_output": "merge_heads(context)"},
        question=QUESTIONS["output-projection-missing"],
        met=places(issue("Kyubyong/transformer", 117), issue("jwallbridge/translob", 4)),
    )
    _exercise.mistake(
        "heads-averaged",
        "the heads are averaged or added, not put side by side",
        *(
            {
                "merge_heads(context)": (
                    f"merge_heads(0 * context + context.{how}(axis=1, keepdims=True))"
                )
            }
            for how in ("mean", "sum")
        ),
        *(
            {
                "merge_heads(context) @ W_output": (
                    f"context.{how}(axis=1) @ W_output[: context.shape[-1]]"
                )
            }
            for how in ("mean", "sum")
        ),
        question=QUESTIONS["heads-averaged"],
    )
    _exercise.mistake(
        "projections-transposed",
        "weights are transposed",
        {f"{_source} @ W": f"{_source} @ W.T", "@ W_output": "@ W_output.T"},
        {f"{_source} @ W,": f"{_source} @ W.T,"},
        {"@ W_output": "@ W_output.T"},
        question=QUESTIONS["projections-transposed"],
    )
    _exercise.mistake(
        "projections-missing",
        "the projections to queries, keys and values are missing",
        {f"{_source} @ W,": f"{_source},"},
        question="What makes a query of a position, and what a key?",
    )
    inherit(
        _exercise, attention, *SCALES_AND_MASKS, "one-sum-for-rows", "softmax-over-wrong-axis",
        "query-key-swapped", "infinity-times-zero", "weights-transposed", call="= attention(",
    )

self_attention.mistake(
    "query-key-projections-swapped",
    "W_query and W_key are exchanged",
    {"(W_query, W_key, W_value)": "(W_key, W_query, W_value)"},
    evidence="The scores come out transposed: who asks and who answers change places.",
    question=(
        "Which projection belongs to the position that looks, and which to the one that is looked "
        "at?"
    ),
)
self_attention.mistake(
    "projection-used-twice",
    "one projection serves twice",
    {"(W_query, W_key, W_value)": "(W_query, W_key, W_key)"},
    {"(W_query, W_key, W_value)": "(W_query, W_query, W_value)"},
    {"(W_query, W_key, W_value)": "(W_query, W_query, W_query)"},
    question="How many projections lie before the attention, and which one makes the values?",
)
USES = "(x, W_query), (memory, W_key), (memory, W_value)"
cross_attention.mistake(
    "memory-and-input-swapped",
    "queries and keys come from the memory, values from x",
    {USES: "(memory, W_query), (memory, W_key), (x, W_value)"},
    evidence="Each result then blends all positions of x, also later ones: the future leaks.",
    question="Who asks, and from whom does the answer come?",
    met="a public NumPy Transformer",
)
cross_attention.mistake(
    "wrong-sources",
    "queries, keys and values come from the wrong ones of x and the memory",
    *(
        {USES: f"({q}, W_query), ({k}, W_key), ({v}, W_value)"}
        for q, k, v in (
            ("memory", "x", "x"),
            ("x", "x", "x"),
            ("memory", "memory", "memory"),
            ("x", "memory", "x"),
            ("x", "x", "memory"),
            ("memory", "x", "memory"),
        )
    ),
    question="Who asks, and from whom does the answer come?",
    met=issue("keitakurita/Practical_NLP_in_PyTorch", 1),
)
cross_attention.mistake(
    "query-key-projections-swapped",
    "W_query and W_key are exchanged",
    {USES: "(x, W_key), (memory, W_query), (memory, W_value)"},
    question=(
        "Which projection belongs to the position that looks, and which to the one that is looked "
        "at?"
    ),
)
cross_attention.mistake(
    "projection-used-twice",
    "one projection serves twice",
    {USES: "(x, W_query), (memory, W_key), (memory, W_key)"},
    {USES: "(x, W_query), (memory, W_query), (memory, W_value)"},
    question="How many projections lie before the attention, and which one makes the values?",
)


def _both_ways(id):
    """Attention with a mistake in forward, and with the same one in backward."""
    forward, backward = versions_of(attention, id), versions_of(attention_backward, id)
    return {
        **call_wrong(attention, forward[0], "= attention("),
        **call_wrong(attention_backward, backward[-len(forward)], "= attention_backward("),
    }


for _exercise, _each in (
    (self_attention_backward, "in d_heads)"),
    (cross_attention_backward, "zip(d_heads,"),
):
    for _mistake in (
        mistake for mistake in attention_backward.mistakes if mistake.id in STEPS_BACK
    ):
        add(
            _exercise, _mistake,
            [call_wrong(attention_backward, _mistake.versions[0], "= attention_backward(")],
        )
    for _mistake in (mistake for mistake in attention.mistakes if mistake.id in SCALES_AND_MASKS):
        add(_exercise, _mistake, [_both_ways(_mistake.id)])
    _exercise.mistake(
        "heads-by-reshape",
        "the heads are cut or joined by a reshape alone",
        {**CUT["heads-by-reshape"], **CUT_BACK["heads-by-reshape"]},
        CUT_BACK["heads-by-reshape"],
        *({call: words} for call, words in CUT_BACK["heads-by-reshape"].items()),
        question=QUESTIONS["heads-by-reshape"],
    )
    _exercise.mistake(
        "heads-interleaved",
        "the heads are interleaved: each has every H-th feature",
        {**CUT["heads-interleaved"], **CUT_BACK["heads-interleaved"]},
        CUT_BACK["heads-interleaved"],
        question=QUESTIONS["heads-interleaved"],
    )
    _transposed = "(d_heads[0], d_heads[1].swapaxes(-1, -2){}, d_heads[2])"
    _exercise.mistake(
        "d-key-joined-transposed",
        "d_key is not transposed back before its heads are joined",
        *(
            {_each: _each.replace("d_heads", _transposed.format(end))}
            for end in ("", ".reshape(d_heads[1].shape)")
        ),
        evidence="This is right for an array that holds Kᵀ.",
        question="Of which array is this the gradient: of K, or of the Kᵀ in forward?",
        met="a public NumPy Transformer",
    )
    _exercise.mistake(
        "d-output-with-y",
        "d_W_output is taken with y, not with the heads side by side",
        {"weight_gradient(concatenated, d_y)": "weight_gradient(concatenated @ W_output, d_y)"},
        question="What went into the last projection?",
    )
    _exercise.mistake(
        "output-path-missing",
        "the way through W_output is missing",
        {"d_y @ W_output.T": "d_y"},
        question="What lies between the heads and y?",
    )
    _exercise.mistake(
        "query-key-gradients-swapped",
        "d_query and d_key are exchanged",
        {"d_query, d_key, d_value = (": "d_key, d_query, d_value = ("},
        question="In which order does attention's backward return its gradients?",
    )
    _exercise.mistake(
        "gradients-through-swapped-weights",
        "the gradients of queries and keys go back through each other's weights",
        {"d_query @ W_query.T": "d_query @ W_key.T", "d_key @ W_key.T": "d_key @ W_query.T"},
        question="By which projection was a query made?",
    )

_QKV = "d_query @ W_query.T + d_key @ W_key.T + d_value @ W_value.T"
self_attention_backward.mistake(
    "d-input-part-missing",
    "d_x does not have all three of its parts",
    *(
        {_QKV: " + ".join(f"d_{name} @ W_{name}.T" for name in names)}
        for names in (
            ("query",), ("key",), ("value",), ("query", "key"), ("query", "value"),
            ("key", "value"),
        )
    ),
    evidence="All gradients of the weights are right.",
    question="For how many things was x used in forward?",
)
self_attention_backward.mistake(
    "upstream-handed-on",
    "backward hands on what it was given",
    {_QKV: "d_y"},
    {_QKV: f"{_QKV} + d_y"},
    question="Is x itself a part of y here?",
    met="a public NumPy Transformer",
)
self_attention_backward.mistake(
    "weights-not-transposed",
    "weights are not transposed on the way back",
    {_QKV: _QKV.replace(".T", ""), "W_output.T": "W_output"},
    {_QKV: _QKV.replace(".T", "")},
    {"W_output.T": "W_output"},
    question="In x W the features go in along the rows of W. Where do they come back out?",
)
self_attention_backward.mistake(
    "d-weights-transposed",
    "gradients of weights are transposed",
    {
        "weight_gradient(x, d)": "weight_gradient(d, x)",
        "weight_gradient(concatenated, d_y)": "weight_gradient(d_y, concatenated)",
    },
    {"weight_gradient(x, d)": "weight_gradient(d, x)"},
    {"weight_gradient(concatenated, d_y)": "weight_gradient(d_y, concatenated)"},
    question="Which axis of the weights belongs to what went in?",
)

_KV = "d_key @ W_key.T + d_value @ W_value.T"
cross_attention_backward.mistake(
    "d-memory-part-missing",
    "d_memory does not have both of its parts",
    {_KV: "d_key @ W_key.T"},
    {_KV: "d_value @ W_value.T"},
    evidence="All gradients of the weights are right.",
    question="For how many things was the memory used in forward?",
)
cross_attention_backward.mistake(
    "input-memory-gradients-swapped",
    "d_x and d_memory are exchanged",
    {"return d_x, d_memory": "return d_memory, d_x"},
    question="In which order does forward take the two?",
)
cross_attention_backward.mistake(
    "memory-part-in-input",
    "d_x also gets what belongs to the memory",
    {
        "d_x = d_query @ W_query.T": (
            "d_x = d_query @ W_query.T + d_key @ W_key.T + d_value @ W_value.T"
        )
    },
    question="For how many things was x used here?",
)
cross_attention_backward.mistake(
    "d-weights-with-input",
    "the gradients of W_key and W_value are taken with x",
    {
        "weight_gradient(memory, d_key)": "weight_gradient(x, d_key)",
        "(memory, d_value)": "(x, d_value)",
    },
    question="What did W_key and W_value multiply in forward?",
)
cross_attention_backward.mistake(
    "weights-not-transposed",
    "weights are not transposed on the way back",
    {"W_query.T": "W_query", "W_key.T": "W_key", "W_value.T": "W_value", "W_output.T": "W_output"},
    {"W_query.T": "W_query", "W_key.T": "W_key", "W_value.T": "W_value"},
    {"W_output.T": "W_output"},
    question="In x W the features go in along the rows of W. Where do they come back out?",
)
