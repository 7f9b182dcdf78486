"""Scaled dot-product attention, line by line."""

import numpy as np

from ...attention import Masking, ScaledDotProductAttention
from ...layers import Softmax
from ..exercise import Invariant, exercise
from .met import issue, places, pull
from .softmax import softmax_backward


def draw(rng, n, *names):
    """{name: array} of these arrays."""
    shapes = {
        "query": (n.T, n.K), "key": (n.S, n.K), "value": (n.S, n.K_v), "d_context": (n.T, n.K_v),
        "scores": (n.T, n.S), "d_scores": (n.T, n.S), "d_P": (n.T, n.S),
    }  # fmt: skip
    given = {
        name: rng.standard_normal((n.B, n.H, *shapes[name])) for name in names if name in shapes
    }
    if "mask" in names:
        given["mask"] = draw_mask(rng, n)
    if "P" in names:
        given["P"] = attention_weights(rng.standard_normal((n.B, n.H, n.T, n.S)), draw_mask(rng, n))
    return given


def draw_mask(rng, n):
    """Padding at the end of some sources, and further keys that single queries may not see; each
    query sees key 0."""
    lengths = n.S - np.arange(n.B) % (n.S - 1)
    mask = (np.arange(n.S) < lengths[:, None])[:, None, None] & (
        rng.random((n.B, 1, n.T, n.S)) < 0.7
    )
    mask[..., 0] = True
    return mask


def blind(given, rng, n):
    """The last query of the last sequence may attend to nothing."""
    mask = given["mask"].copy()
    mask[-1, :, -1] = False
    return {"mask": mask}


def signs(n):
    """1 for even queries, −1 for odd ones: (T, 1)."""
    return np.where(np.arange(n.T) % 2, -1.0, 1.0)[:, None]


BLIND = "a query that may attend to nothing"
FAR = "rows of scores around 1000, and others around −1000"
SHAPES = {
    "query": "(B, H, T, K)", "key": "(B, H, S, K)", "value": "(B, H, S, K_v)",
    "mask": "(B, 1, T, S)",
}


def _np_dot(exercise, product):
    exercise.mistake(
        "np-dot-pairs-all",
        "np.dot pairs every sequence and head with every other one",
        {product: f"np.dot({product.replace(' @', ',')})"},
        question=(
            "In which of the two, np.dot and @, do the axes before the last two stay side by side?"
        ),
    )


def _reshaped(exercise, array):
    exercise.mistake(
        "reshape-for-transpose",
        "an array is reshaped where its axes should be exchanged",
        {f"{array}.swapaxes(-1, -2)": f"{array}.reshape(*{array}.shape[:2], -1, {array}.shape[2])"},
        question=(
            "After a reshape, do numbers that stood next to each other still do so? And after a "
            "transposition?"
        ),
    )


# -- forward ---------------------------------------------------------------------------------------


@exercise(
    "attention.scores",
    inputs={"query": SHAPES["query"], "key": SHAPES["key"]},
    returns={"scores": "(B, H, T, S)"},
    given=lambda rng, n: draw(rng, n, "query", "key"),
    shown=(ScaledDotProductAttention.forward,),
    hints=(
        (
            "Which axis do a query and a key have in common, and which axes are left when it has "
            "been summed over?"
        ),
        "S = Q Kᵀ / √d_k",
        "exchange the last two axes of the keys\nmultiply: batch and heads stay as they are\n"
        "divide by the root of the shared width",
        "query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])",
    ),
)
def attention_scores(query, key):
    """How well each key matches each query: their dot product, divided by the square root of their
    width d_k.

    There is a row of scores for each query, with a score for each key; every sequence and every
    head is by itself.
    """
    return query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])


attention_scores.mistake(
    "scale-missing",
    "the scores are not divided by √d_k",
    {" / np.sqrt(query.shape[-1])": ""},
    evidence="All scores are √d_k times too large, so softmax is too sharp.",
    question="A dot product of two vectors of d_k standard normal numbers: what is its variance?",
    met=places(pull("huggingface/blog", 2893), issue("PAIR-code/tiny-transformers", 71)),
)
attention_scores.mistake(
    "scaled-by-d-k",
    "the scores are divided by d_k, not by its root",
    {"np.sqrt(query.shape[-1])": "query.shape[-1]"},
    question="What is the standard deviation of a sum of d_k products, if each has variance 1?",
)
attention_scores.mistake(
    "scaled-by-model-width",
    "the scores are divided by the root of the model's width, not of a head's",
    {"np.sqrt(query.shape[-1])": "np.sqrt(query.shape[1] * query.shape[-1])"},
    question="How many products does the dot product of one head add up?",
    met=places(
        "public NumPy Transformers",
        issue("lucidrains/vit-pytorch", 65),
        pull("karpathy/ng-video-lecture", 6),
    ),
)
attention_scores.mistake(
    "scale-multiplied",
    "the scores are multiplied by √d_k",
    {" / np.sqrt(query.shape[-1])": " * np.sqrt(query.shape[-1])"},
    question=(
        "Does a dot product grow or shrink with the number of its terms, and which way does the "
        "scale pull it?"
    ),
)
attention_scores.mistake(
    "scaled-by-length",
    "the scores are divided by the root of a length, not of the width d_k",
    {"np.sqrt(query.shape[-1])": "np.sqrt(key.shape[-2])"},
    {"np.sqrt(query.shape[-1])": "np.sqrt(query.shape[-2])"},
    question="Which of the axes of the keys is summed over in a score?",
)
attention_scores.mistake(
    "query-key-swapped",
    "queries and keys change places: K Qᵀ",
    {"query @ key.swapaxes": "key @ query.swapaxes"},
    evidence=(
        "The scores come out transposed: a row for each key, where there should be one for each "
        "query."
    ),
    question="Over which things will softmax spread each row, and whose row should that be?",
    met="a public NumPy Transformer",
)
attention_scores.mistake(
    "keys-not-transposed",
    "the keys' last two axes are not exchanged",
    {"key.swapaxes(-1, -2)": "key"},
    {"key.swapaxes(-1, -2)": "key.T"},
    {"key.swapaxes(-1, -2)": "key.swapaxes(1, 2)"},
    question=(
        "Which axes of the keys must stand last and last but one, so that @ sums over their width?"
    ),
)
_np_dot(attention_scores, "query @ key.swapaxes(-1, -2)")
_reshaped(attention_scores, "key")


ALLOWED = "np.where(mask, scores, -np.inf)"
LARGEST = "np.where(np.isfinite(largest), largest, 0)"
TOTAL = "np.where(total == 0, 1, total)"


@exercise(
    "attention.weights",
    inputs={"scores": "(B, H, T, S)", "mask": SHAPES["mask"]},
    returns={"P": "(B, H, T, S)"},
    given=lambda rng, n: draw(rng, n, "scores", "mask"),
    situations={
        FAR: lambda given, rng, n: {"scores": given["scores"] + 1000 * signs(n)},
        "hidden keys with far larger scores": lambda given, rng, n: {
            "scores": given["scores"] - 1600.0 * given["mask"]
        },
        BLIND: blind,
    },
    places={
        BLIND: lambda mask, **_: ~mask.any(axis=-1, keepdims=True),
        "the hidden keys": lambda mask, **_: ~mask,
    },
    invariants=(
        Invariant(
            "The sum of each row of P that sees a key, less 1,",
            "the weights of a query are shares of a whole",
            lambda out, given: (out["P"].sum(-1) - 1) * given["mask"].any(-1),
        ),
        Invariant(
            "The weight in P of a hidden key",
            "a key that may not be seen adds nothing",
            lambda out, given: out["P"] * ~given["mask"],
        ),
    ),
    shown=(Masking.forward, Softmax.forward),
    hints=(
        "Which score would a key need to have, so that its exponential is 0? And what is then left "
        "of a row of nothing else?",
        "P = softmax(S where the mask is True, −∞ elsewhere);  P = 0 in a row of nothing but −∞",
        "−∞ where the mask says no\ntake off the largest of each row, or 0 where that is −∞\nexp\n"
        "divide by the sum of each row, or by 1 where that is 0",
        "shares / np.where(total == 0, 1, total)",
    ),
)
def attention_weights(scores, mask):
    """Turn each query's scores into weights: the softmax over those keys that the mask lets it see.

    The mask is boolean, True = may attend, and broadcasts to the scores. A hidden key gets the
    weight 0, and the others share the whole among them. A query that may attend to nothing gets
    zeros, never NaN. Scores may be as large as 1000, and rows may be far apart.
    """
    allowed = np.where(mask, scores, -np.inf)
    largest = allowed.max(axis=-1, keepdims=True)
    shares = np.exp(allowed - np.where(np.isfinite(largest), largest, 0))
    total = shares.sum(axis=-1, keepdims=True)
    return shares / np.where(total == 0, 1, total)


attention_weights.mistake(
    "mask-after-softmax",
    "the mask acts after softmax, and the weights that are left are not divided anew",
    {ALLOWED: "scores", f"shares / {TOTAL}": "mask * shares / total"},
    evidence="Rows with hidden keys sum to less than 1.",
    question="Who gets the share of the keys that are hidden?",
    met=places(
        pull("huggingface/pytorch-image-models", 2236),
        issue("lucidrains/memory-compressed-attention", 2),
    ),
)
attention_weights.mistake(
    "mask-sets-zero",
    "a hidden key's score is set to 0, as if by multiplying with the mask",
    {ALLOWED: "scores * mask"},
    evidence="A hidden key keeps the exponential of 0, which is 1.",
    question="Which score has an exponential of 0?",
    met=places(
        "public NumPy Transformers",
        pull("georg-wolflein/good-features", 1),
        issue("Shujun-He/RibonanzaNet", 5),
    ),
)
attention_weights.mistake(
    "mask-inverted",
    "the mask is read the wrong way round",
    {ALLOWED: "np.where(mask, -np.inf, scores)"},
    {ALLOWED: "np.where(mask, -np.inf, scores)", LARGEST: "largest"},
    {ALLOWED: "np.where(mask, -1e9, scores)"},
    {ALLOWED: "scores + mask * -1e9"},
    evidence="The weight lies on the hidden keys alone.",
    question="Which keys does this mask call True?",
    met=places(
        "public code; in PyTorch's padding masks, True means hidden",
        pull("lucidrains/halonet-pytorch", 6),
    ),
)
attention_weights.mistake(
    "empty-row-not-caught",
    "a row of nothing but −∞ is not caught",
    {LARGEST: "largest"},
    {TOTAL: "total"},
    evidence=(
        "−∞ less −∞ is NaN, and so is 0/0; one such number spreads to everything that is computed "
        "from it."
    ),
    question=(
        "What are the largest score and the sum of exponentials of a query that may attend to "
        "nothing?"
    ),
    met=places("public code", issue("pytorch/pytorch", 41508), issue("allenai/allennlp", 890)),
)
attention_weights.mistake(
    "infinity-times-zero",
    "−∞ is multiplied by 0",
    {ALLOWED: "scores + (1 - mask) * -np.inf"},
    {ALLOWED: "scores + (1 - mask) * -np.inf", LARGEST: "largest"},
    evidence="0 · ∞ is NaN, so every key that may be seen gets NaN.",
    question="What is 0 times infinity, and for which keys is it computed?",
)
attention_weights.mistake(
    "large-negative-number",
    "a large negative number stands for −∞",
    {ALLOWED: "np.where(mask, scores, -1e9)"},
    {ALLOWED: "scores + (1 - mask) * -1e9"},
    {ALLOWED: "scores + (1 - mask) * -1e4"},
    evidence=(
        "Where some key may be seen it is as good as −∞; where there is none, all keys are equally "
        "forbidden."
    ),
    question="If all scores of a query are moved by the same large number, what does softmax say?",
    met=places("the Annotated Transformer", pull("TransformerLensOrg/TransformerLens", 319)),
)
attention_weights.mistake(
    "mask-ignored",
    "the mask is not used",
    {ALLOWED: "scores"},
    question="Which of the two inputs says who may look at whom?",
)
attention_weights.mistake(
    "mask-transposed",
    "the mask is transposed, so that its rows are keys",
    {ALLOWED: "np.where(mask.swapaxes(-1, -2), scores, -np.inf)"},
    question="Which axis of the mask belongs to the queries, and which of the scores?",
)
attention_weights.mistake(
    "mask-axis-on-heads",
    "the mask's axis of sequences is laid against the heads",
    {ALLOWED: "np.where(mask[:, 0], scores, -np.inf)"},
    evidence="With as many heads as sequences NumPy does not object.",
    question=(
        "From which side does NumPy line up the axes of two arrays, and which axis of the scores "
        "does B meet?"
    ),
    met=places(issue("ArrowLuo/CLIP4Clip", 22), pull("line/lighthouse", 77)),
)
attention_weights.mistake(
    "no-maximum-shift",
    "no row is shifted by its maximum",
    {f" - {LARGEST}": "", TOTAL: "total"},
    {f"np.exp(allowed - {LARGEST})": "np.exp(scores) * mask", TOTAL: "total"},
    {f" - {LARGEST}": ""},
    evidence="The exp of 1000 is infinite, and ∞/∞ is NaN.",
    question="What does softmax say if the same number is taken from every score of a row?",
)
attention_weights.mistake(
    "one-sum-for-rows",
    "one sum serves several rows",
    {"shares.sum(axis=-1, keepdims=True)": "shares.sum()"},
    {"shares.sum(axis=-1, keepdims=True)": "shares.sum(axis=(-2, -1), keepdims=True)"},
    question="How many distributions are there in an array of shape (B, H, T, S)?",
    met="public NumPy Transformers",
)
attention_weights.mistake(
    "softmax-over-wrong-axis",
    "softmax runs over another axis than the keys",
    {"allowed.max(axis=-1": "allowed.max(axis=-2", "shares.sum(axis=-1": "shares.sum(axis=-2"},
    {"allowed.max(axis=-1": "allowed.max(axis=1", "shares.sum(axis=-1": "shares.sum(axis=1"},
    {"shares.sum(axis=-1": "shares.sum(axis=-2"},
    {"shares.sum(axis=-1": "shares.sum(axis=1"},
    question="Which axis holds the things that compete for one share?",
    met=places(
        issue("PetrochukM/PyTorch-NLP", 2),
        issue("labmlai/annotated_deep_learning_paper_implementations", 146),
    ),
)
attention_weights.mistake(
    "reductions-lose-axis",
    "the maxima or the sums lose their axis (no keepdims), and line up with another one",
    {"shares.sum(axis=-1, keepdims=True)": "shares.sum(axis=-1)"},
    {"allowed.max(axis=-1, keepdims=True)": "allowed.max(axis=-1)"},
    {
        "shares.sum(axis=-1, keepdims=True)": "shares.sum(axis=-1)",
        "allowed.max(axis=-1, keepdims=True)": "allowed.max(axis=-1)",
    },
    question=(
        "Which shape do the sums of the rows have, and against which axis of the weights does "
        "NumPy lay it?"
    ),
)
attention_weights.mistake(
    "constant-added-to-sum",
    "a small number is added to the sum",
    *({TOTAL: f"(total + {epsilon})"} for epsilon in (1e-5, 1e-6, 1e-7, 1e-8, 1e-9)),
    evidence="The rows sum to a little less than 1.",
    question=(
        "How small can a sum of exponentials be, if the largest of them is exp(0)? In which rows "
        "is it smaller?"
    ),
    met="public NumPy Transformers",
)
attention_weights.mistake(
    "one-maximum-for-rows",
    "one maximum serves several rows",
    *(
        {"allowed.max(axis=-1, keepdims=True)": f"allowed.max({of})", **guard}
        for of in ("", "axis=(-2, -1), keepdims=True", "axis=-2, keepdims=True")
        for guard in ({TOTAL: "total"}, {})
    ),
    evidence="A row that lies far below it has only exponentials of 0, and 0/0 is NaN.",
    question="What is left of a row whose scores all lie 2000 below that maximum?",
    met="public NumPy Transformers",
)
attention_weights.mistake(
    "not-divided-by-sum",
    "the exponentials are not divided by anything",
    {f"shares / {TOTAL}": "shares"},
    question="What should the weights of one row add up to?",
)


@exercise(
    "attention.context",
    inputs={"P": "(B, H, T, S)", "value": SHAPES["value"]},
    returns={"context": "(B, H, T, K_v)"},
    given=lambda rng, n: draw(rng, n, "P", "value"),
    shown=(ScaledDotProductAttention.forward,),
    hints=(
        (
            "A query has one weight for each key. Over what is summed, so that one vector remains "
            "for each query?"
        ),
        "y_t = Σ_s P_ts V_s",
        "for each query, take the values times the query's weights\n"
        "add them up over the keys: that is a product of matrices",
        "P @ value",
    ),
)
def attention_context(P, value):
    """Blend the values: each query's context is the sum of all values, each times the weight of its
    key."""
    return P @ value


attention_context.mistake(
    "weights-transposed",
    "the weights are transposed",
    {"P @": "P.swapaxes(-1, -2) @"},
    question="Which axis of P do the values have as well, and which is to remain?",
)
attention_context.mistake(
    "values-averaged",
    "the weighted values are averaged, not summed",
    {"P @ value": "P @ value / P.shape[-1]"},
    question=(
        "The weights of a row already sum to one. What does another division by their number do?"
    ),
)
attention_context.mistake(
    "values-transposed",
    "the values' last two axes are exchanged",
    {"P @ value": "P @ value.swapaxes(-1, -2)"},
    {"P @ value": "P @ value.T"},
    question="Over which axis of the values is to be summed, and does it stand where @ sums?",
)
_np_dot(attention_context, "P @ value")


# -- backward --------------------------------------------------------------------------------------


@exercise(
    "attention.d_value",
    inputs={"d_context": "(B, H, T, K_v)", "P": "(B, H, T, S)"},
    returns={"d_value": SHAPES["value"]},
    given=lambda rng, n: draw(rng, n, "d_context", "P"),
    shown=(ScaledDotProductAttention.backward,),
    hints=(
        (
            "One value went into the contexts of all queries. With which weights, and over what is "
            "then summed?"
        ),
        "d_V_s = Σ_t P_ts d_y_t",
        "exchange the last two axes of P, so that it has a row for each key\n"
        "multiply with the gradient of the contexts",
        "P.swapaxes(-1, -2) @ d_context",
    ),
)
def attention_d_value(d_context, P):
    """The gradient of the values, from the gradient of context = P V."""
    return P.swapaxes(-1, -2) @ d_context


attention_d_value.mistake(
    "p-not-transposed",
    "P is not transposed: P d_context",
    {"P.swapaxes(-1, -2)": "P"},
    question="A value gets its gradient from all queries. Along which axis of P do these stand?",
)
_reshaped(attention_d_value, "P")
_np_dot(attention_d_value, "P.swapaxes(-1, -2) @ d_context")
attention_d_value.mistake(
    "factors-exchanged",
    "the factors are exchanged: d_contextᵀ P",
    {"P.swapaxes(-1, -2) @ d_context": "d_context.swapaxes(-1, -2) @ P"},
    evidence="The gradient comes out transposed.",
    question="Which shape must a gradient have?",
)
attention_d_value.mistake(
    "averaged-over-queries",
    "the gradient is averaged over the queries",
    {"P.swapaxes(-1, -2) @ d_context": "P.swapaxes(-1, -2) @ d_context / P.shape[-2]"},
    question="Does each query's share of the loss shrink because there are more of them?",
)


@exercise(
    "attention.d_P",
    inputs={"d_context": "(B, H, T, K_v)", "value": SHAPES["value"]},
    returns={"d_P": "(B, H, T, S)"},
    given=lambda rng, n: draw(rng, n, "d_context", "value"),
    shown=(ScaledDotProductAttention.backward,),
    hints=(
        "If one weight rises by a little, in which direction does its query's context move?",
        "d_P_ts = d_y_t · V_s",
        "exchange the last two axes of the values\nmultiply the gradient of the contexts with them",
        "d_context @ value.swapaxes(-1, -2)",
    ),
)
def attention_d_P(d_context, value):
    """The gradient of the weights, from the gradient of context = P V, as if each of them could
    change by itself."""
    return d_context @ value.swapaxes(-1, -2)


attention_d_P.mistake(
    "values-not-transposed",
    "the values' last two axes are not exchanged",
    {"value.swapaxes(-1, -2)": "value"},
    {"value.swapaxes(-1, -2)": "value.T"},
    question=(
        "Over which axis do the gradient of a context and a value have to be multiplied and summed?"
    ),
)
_reshaped(attention_d_P, "value")
_np_dot(attention_d_P, "d_context @ value.swapaxes(-1, -2)")
attention_d_P.mistake(
    "factors-exchanged",
    "the factors are exchanged: V d_contextᵀ",
    {"d_context @ value.swapaxes": "value @ d_context.swapaxes"},
    evidence=(
        "The gradient comes out transposed: a row for each key, where P has one for each query."
    ),
    question="Which shape must a gradient have?",
)


@exercise(
    "attention.d_scores",
    inputs={"d_P": "(B, H, T, S)", "P": "(B, H, T, S)"},
    returns={"d_scores": "(B, H, T, S)"},
    given=lambda rng, n: draw(rng, n, "d_P", "P"),
    invariants=(
        Invariant(
            "The sum of each row of d_scores", "softmax ignores a shift",
            lambda out, given: out["d_scores"].sum(-1),
        ),
    ),
    shown=(Softmax.backward,),
    hints=(
        "One weight rises only at the cost of the others. How does that show in d_scores?",
        "d_S_j = P_j (d_P_j − Σ_i d_P_i P_i)",
        (
            "the mean of d_P in each row, weighted by P, its axis kept\n"
            "take it from d_P\nmultiply by P"
        ),
        "P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))",
    ),
)
def attention_d_scores(d_P, P):
    """The gradient of the scores as they go into softmax, from the gradient of the weights P =
    softmax(scores).

    Softmax couples the weights of a row. Hidden keys, whose weight is 0, get the gradient 0.
    """
    return P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))


attention_d_scores.mistakes += [
    mistake for mistake in softmax_backward.mistakes if mistake.id != "scores-for-weights"
]
attention_d_scores.mistake(
    "softmax-path-skipped",
    "the way through softmax is skipped: d_P is handed on",
    {"P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))": "d_P"},
    question="What lies between the scores and P?",
)
attention_d_scores.mistake(
    "correction-inputs-exchanged",
    "the two inputs of the correction are exchanged: d_P stands where P should",
    {"P * (": "d_P * ("},
    {"P * (d_P - (d_P * P)": "d_P * (P - (d_P * P)"},
    question="Which gradient must a key of weight 0 have?",
)


@exercise(
    "attention.d_query",
    inputs={"d_scores": "(B, H, T, S)", "key": SHAPES["key"]},
    returns={"d_query": SHAPES["query"]},
    given=lambda rng, n: draw(rng, n, "d_scores", "key"),
    shown=(ScaledDotProductAttention.backward,),
    hints=(
        "A query has a score with each key. If it moves towards one key, what do its scores do?",
        "d_Q = d_S K / √d_k",
        (
            "multiply the gradient of the scores with the keys\n"
            "what forward divided by divides here too"
        ),
        "d_scores @ key / np.sqrt(key.shape[-1])",
    ),
)
def attention_d_query(d_scores, key):
    """The gradient of the queries, from the gradient of scores = Q Kᵀ/√d_k."""
    return d_scores @ key / np.sqrt(key.shape[-1])


@exercise(
    "attention.d_key",
    inputs={"d_scores": "(B, H, T, S)", "query": SHAPES["query"]},
    returns={"d_key": SHAPES["key"]},
    given=lambda rng, n: draw(rng, n, "d_scores", "query"),
    shown=(ScaledDotProductAttention.backward,),
    hints=(
        (
            "A key has a score with each query. Over what is summed, so that one vector remains "
            "for each key?"
        ),
        "d_K = d_Sᵀ Q / √d_k",
        "exchange the last two axes of the gradient of the scores, so that it has a row for each "
        "key\nmultiply with the queries\nwhat forward divided by divides here too",
        "d_scores.swapaxes(-1, -2) @ query / np.sqrt(query.shape[-1])",
    ),
)
def attention_d_key(d_scores, query):
    """The gradient of the keys, from the gradient of scores = Q Kᵀ/√d_k."""
    return d_scores.swapaxes(-1, -2) @ query / np.sqrt(query.shape[-1])


for _part, _array in ((attention_d_query, "key"), (attention_d_key, "query")):
    _root = f"np.sqrt({_array}.shape[-1])"
    _part.mistake(
        "scale-forgotten",
        "the scale 1/√d_k is forgotten in backward",
        {f" / {_root}": ""},
        question="By what did forward divide the scores, and what does that do to a derivative?",
    )
    _part.mistake(
        "scale-applied-twice",
        "the scale 1/√d_k is applied twice",
        {_root: f"{_array}.shape[-1]"},
        question="Through how many divisions by √d_k does a query reach its score?",
    )
    _part.mistake(
        "scaled-by-model-width",
        "the root is that of the model's width, not of a head's",
        {_root: f"np.sqrt({_array}.shape[1] * {_array}.shape[-1])"},
        question="How many products does the dot product of one head add up?",
        met="public NumPy Transformers",
    )
    _part.mistake(
        "gradient-scale-multiplied",
        "the gradient is multiplied by √d_k",
        {f" / {_root}": f" * {_root}"},
        question="Is the derivative of s = c · q larger than c, or just c? And what is c here?",
    )
attention_d_query.mistake(
    "d-scores-transposed",
    "the gradient of the scores is transposed: d_Sᵀ K",
    {"d_scores @": "d_scores.swapaxes(-1, -2) @"},
    question="Which rows does d_query have, and along which axis of d_scores do these stand?",
)
attention_d_query.mistake(
    "keys-transposed",
    "the keys' last two axes are exchanged, as in forward",
    {"@ key /": "@ key.swapaxes(-1, -2) /"},
    {"@ key /": "@ key.T /"},
    question="Over what is summed now: the features, or the keys?",
)
attention_d_key.mistake(
    "d-scores-not-transposed",
    "the gradient of the scores is not transposed: d_S Q",
    {"d_scores.swapaxes(-1, -2)": "d_scores"},
    question=(
        "A key gets its gradient from all queries. Along which axis of d_scores do these stand?"
    ),
)
attention_d_key.mistake(
    "d-key-not-transposed",
    "d_key is not transposed back: it has the shape of Kᵀ",
    {"d_scores.swapaxes(-1, -2) @ query": "query.swapaxes(-1, -2) @ d_scores"},
    evidence="Qᵀ d_S is the gradient of the transposed keys that forward multiplied with.",
    question="Of which array is this the gradient: of K, or of the Kᵀ in forward?",
    met="a public NumPy Transformer",
)
_reshaped(attention_d_key, "d_scores")
_np_dot(attention_d_query, "d_scores @ key")
_np_dot(attention_d_key, "d_scores.swapaxes(-1, -2) @ query")
