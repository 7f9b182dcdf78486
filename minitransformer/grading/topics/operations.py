"""How much work a layer does: multiply-adds of its matrix products, as functions of a sequence's
length and width."""

from ...attention import MultiHeadAttention, ScaledDotProductAttention
from ...older import Recurrence, RNNCell
from ...testing.counting import count_products
from ..exercise import exercise

INPUTS = {"length": "whole number, n", "features": "whole number, d"}
RETURNS = {"multiply_adds": "number"}
SITUATIONS = {
    "a single position": lambda given, rng, n: {"length": 1},
    "longer than wide": lambda given, rng, n: {"length": 7 * n.D},
}


def _given(rng, n):
    return {"length": n.T, "features": n.D}


@exercise(
    "operations.attention",
    inputs=INPUTS,
    returns=RETURNS,
    given=_given,
    situations=SITUATIONS,
    shown=(ScaledDotProductAttention, count_products),
    hints=(
        (
            "How many scores does a sequence of n positions have, and how many multiply-adds is "
            "one of them?"
        ),
        (
            "Q Kᵀ is (n, d) by (d, n), and P V is (n, n) by (n, d). A product (a, b) by (b, c) "
            "costs a·b·c."
        ),
        (
            "the scores: every query with every key, over all features\n"
            "the weighted sum: for every query, every value, over all features\n"
            "both together"
        ),
        "2 * length * length * features",
    ),
)
def attention_operations(length, features):
    """How many multiply-adds the core of self-attention does on one sequence: the scores Q Kᵀ and
    the weighted sum P V.

    One head, Q, K and V of the shape (length, features). A multiply-add is one multiplication
    together with its addition, and a product of (a, b) by (b, c) does a·b·c of them. Only matrix
    products count: not the softmax, not the scaling. All pairs are computed, whether or not a mask
    hides some of them afterwards. Forward alone.
    """
    scores = length * length * features
    weighted_sum = length * length * features
    return scores + weighted_sum


SCORES = "scores = length * length * features"
SUM = "weighted_sum = length * length * features"
BOTH = "return scores + weighted_sum"

attention_operations.mistake(
    "product-not-counted", "one of the two products is not counted", {BOTH: "return scores"},
    {BOTH: "return weighted_sum"},
    evidence="O(n²·d) is silent about a factor of 2; a count is not.",
    question="Which two matrix products stand in softmax(Q Kᵀ / √d) V?",
)
attention_operations.mistake(
    "length-feature-swapped",
    "length and features stand in each other's place",
    {
        SCORES: "scores = length * features * features",
        SUM: "weighted_sum = length * features * features",
    },
    question="If a sequence becomes twice as long, how many more pairs of positions are there?",
)
attention_operations.mistake(
    "softmax-as-product", "softmax is counted as if it were a third product",
    {BOTH: "return scores + weighted_sum + length**2 * features"},
    question="How many numbers does softmax touch, and does one of them have d features?",
)
attention_operations.mistake(
    "softmax-counted", "softmax, or the scaling, is counted besides",
    {BOTH: "return scores + weighted_sum + length**2"},
    {BOTH: "return scores + weighted_sum + 2 * length**2"},
    {BOTH: "return scores + weighted_sum + 3 * length**2"},
    {BOTH: "return scores + weighted_sum + 4 * length**2"},
    evidence=(
        "It is work, but no matrix product, and the smaller a part of all the wider the heads are."
    ),
    question="Of all that attention does, what is a product of two matrices?",
)
attention_operations.mistake(
    "causal-pairs-only", "only the pairs that a causal mask leaves are counted",
    {
        SCORES: "scores = length * (length + 1) // 2 * features",
        SUM: "weighted_sum = length * (length + 1) // 2 * features",
    },
    {SCORES: "scores = length * (length + 1) // 2 * features"},
    {SUM: "weighted_sum = length * (length + 1) // 2 * features"},
    {
        SCORES: "scores = length * (length - 1) // 2 * features",
        SUM: "weighted_sum = length * (length - 1) // 2 * features",
    },
    question="Does Q @ K.T leave out the scores that a mask will cover?",
)
attention_operations.mistake(
    "single-query", "the work of a single query is counted",
    {SCORES: "scores = length * features", SUM: "weighted_sum = length * features"},
    evidence="That is a decoder's step with a cache.",
    question="How many queries does a sequence ask?",
)
attention_operations.mistake(
    "outputs-counted", "a number that comes out is counted, not the work that it takes",
    {SCORES: "scores = length * length"},
    {SCORES: "scores = length * length", SUM: "weighted_sum = length * features"},
    question="How many multiplications does one entry of a product take?",
)
attention_operations.mistake(
    "multiply-add-apart",
    "multiplications and additions are counted apart",
    {BOTH: "return 2 * (scores + weighted_sum)"},
    {
        BOTH: (
            "return scores + weighted_sum + length**2 * (features - 1) + length * features * "
            "(length - 1)"
        )
    },
    evidence="As FLOPs it would be right.",
    question="What is one multiply-add?",
)
attention_operations.mistake(
    "products-multiplied", "the two products are multiplied with each other",
    {BOTH: "return scores * weighted_sum"},
    question="The one is done after the other. What becomes of their work, together?",
)
attention_operations.mistake(
    "projections-counted", "the projections are counted as well",
    {BOTH: "return scores + weighted_sum + 4 * length * features**2"},
    {BOTH: "return scores + weighted_sum + 3 * length * features**2"},
    evidence="A whole layer does these products; its core is handed Q, K and V.",
    question="Where do Q, K and V come from here: are they made, or given?",
)
attention_operations.mistake(
    "backward-counted", "backward is counted as well", {BOTH: "return 3 * (scores + weighted_sum)"},
    question="How many products does forward do?",
)


@exercise(
    "operations.recurrence",
    inputs=INPUTS,
    returns=RETURNS,
    given=_given,
    situations=SITUATIONS,
    shown=(Recurrence, RNNCell, count_products),
    hints=(
        "Which two products does one step do, and how many steps are there?",
        "h_t = tanh(x_t W_x + h_{t−1} W_h + b): (1, d) by (d, d), twice, n times",
        (
            "one step: what is read times its weights\n"
            "and the state times its own\nas often as there are positions"
        ),
        "2 * length * features**2",
    ),
)
def recurrence_operations(length, features):
    """How many multiply-adds a simple recurrence does on one sequence: h_t = tanh(x_t W_x + h_{t−1}
    W_h + b).

    x_t and h_t have as many numbers as there are features. Every step, the first one too, begins
    with a state and multiplies it. A multiply-add is one multiplication together with its addition;
    only matrix products count, a vector times a matrix among them: not the bias, not the tanh.
    Forward alone.
    """
    read = length * features * features
    carried = length * features * features
    return read + carried


READ = "read = length * features * features"
CARRIED = "carried = length * features * features"
STEPS = "return read + carried"

recurrence_operations.mistake(
    "product-not-counted", "one of the two products of a step is not counted",
    {STEPS: "return read"},
    {STEPS: "return carried"}, evidence="O(n·d²) is silent about a factor of 2; a count is not.",
    question=(
        "Of which two vectors is the new state made, and what is each of them multiplied with?"
    ),
)
recurrence_operations.mistake(
    "length-feature-swapped", "length and features stand in each other's place",
    {READ: "read = length * length * features", CARRIED: "carried = length * length * features"},
    question=(
        "If a sequence becomes twice as long, how many steps more are there, and is one of them "
        "larger?"
    ),
)
recurrence_operations.mistake(
    "single-step", "the work of a single step is counted",
    {READ: "read = features * features", CARRIED: "carried = features * features"},
    {READ: "read = features * features"}, {CARRIED: "carried = features * features"},
    question="How often is the cell applied?",
)
recurrence_operations.mistake(
    "step-left-out",
    "one step is left out",
    {CARRIED: "carried = (length - 1) * features * features"},
    {
        READ: "read = (length - 1) * features * features",
        CARRIED: "carried = (length - 1) * features * features",
    },
    evidence=(
        "Where a recurrence begins with a state of zeros, the first product could be spared; here "
        "it is done."
    ),
    question="How many states does a sequence of one position have?",
)
recurrence_operations.mistake(
    "outputs-counted", "a number that comes out is counted, not the work that it takes",
    {READ: "read = length * features", CARRIED: "carried = length * features"},
    {READ: "read = length * features"},
    question="How many multiplications does one number of the new state take?",
)
recurrence_operations.mistake(
    "all-earlier-steps-read",
    "every step is said to read all steps before it",
    {CARRIED: "carried = length * (length + 1) // 2 * features * features"},
    {CARRIED: "carried = length * length * features * features"},
    {
        READ: "read = length**2 * features * features",
        CARRIED: "carried = length**2 * features * features",
    },
    {
        READ: "read = length * (length + 1) // 2 * features * features",
        CARRIED: "carried = length * (length + 1) // 2 * features * features",
    },
    question="How many states does one step look at?",
)
recurrence_operations.mistake(
    "other-cell-gates", "the gates of another cell are counted",
    {STEPS: "return 3 * (read + carried)"},
    {STEPS: "return 4 * (read + carried)"},
    evidence="A GRU has three of each product, an LSTM four.",
    question="How many matrices does h_t = tanh(x_t W_x + h_{t−1} W_h + b) have?",
)
recurrence_operations.mistake(
    "multiply-add-apart", "multiplications and additions are counted apart",
    {STEPS: "return 2 * (read + carried)"},
    {STEPS: "return 2 * (read + carried) - 2 * length * features"},
    evidence="As FLOPs it would be right.", question="What is one multiply-add?",
)
recurrence_operations.mistake(
    "bias-counted", "the bias, or the tanh, is counted besides",
    {STEPS: "return read + carried + length * features"},
    {STEPS: "return read + carried + 2 * length * features"},
    {STEPS: "return read + carried + 3 * length * features"},
    question="Of all that a step does, what is a matrix product?",
)


@exercise(
    "operations.self_attention",
    inputs=INPUTS,
    returns=RETURNS,
    given=_given,
    situations=SITUATIONS,
    shown=(MultiHeadAttention, count_products),
    hints=(
        (
            "Where do queries, keys and values come from, and what happens to what all heads have "
            "found?"
        ),
        (
            "Q = x W_Q, K = x W_K, V = x W_V, y = z W_O: each (n, d) by (d, d). The core: "
            "operations.attention"
        ),
        "four projections, each of every position\nthe scores\nthe weighted sum",
        "4 * length * features**2 + 2 * length**2 * features",
    ),
)
def self_attention_operations(length, features):
    """How many multiply-adds a whole layer of multi-head self-attention does on one sequence x
    (length, features).

    It projects x to queries, keys and values, computes scores and weighted sums, and projects once
    more what the heads have found; each of its four matrices is (features, features). However many
    heads there are, they share the features among them, so their number makes no difference. A
    multiply-add is one multiplication together with its addition; only matrix products count, all
    pairs of positions are computed, and there is no feed-forward network. Forward alone.
    """
    projections = 4 * length * features * features
    scores = length * length * features
    weighted_sum = length * length * features
    return projections + scores + weighted_sum


FOUR = "projections = 4 * length * features * features"
ALL = "return projections + scores + weighted_sum"

self_attention_operations.mistake(
    "projections-missing", "the projections are not counted", {ALL: "return scores + weighted_sum"},
    evidence="Table 1 of the paper leaves them out too: it compares cores.",
    question="The layer is given x. What has to be done before there are queries and keys?",
)
self_attention_operations.mistake(
    "output-projection-missing", "only three projections are counted: the output's is missing",
    {"= 4 * length": "= 3 * length"},
    question="What happens to the results of the heads, once they stand side by side?",
)
self_attention_operations.mistake(
    "few-projections", "one or two projections are counted", {"= 4 * length": "= length"},
    {"= 4 * length": "= 2 * length"}, question="How many weight matrices does the layer hold?",
)
self_attention_operations.mistake(
    "projections-only", "nothing but the projections is counted", {ALL: "return projections"},
    question="Where in this work do two positions meet?",
)
self_attention_operations.mistake(
    "attention-product-missing", "of scores and weighted sum, one is not counted",
    {ALL: "return projections + scores"},
    {ALL: "return projections + weighted_sum"},
    question="Which two matrix products stand in softmax(Q Kᵀ / √d) V?",
)
self_attention_operations.mistake(
    "constant-factors-dropped", "the factors 4 and 2 are dropped, as O(n²d + nd²) drops them",
    {"= 4 * length": "= length", ALL: "return projections + scores"},
    question="What does O() say of a factor, and what does a count?",
)
self_attention_operations.mistake(
    "length-feature-swapped",
    "length and features stand in each other's place",
    {
        FOUR: "projections = 4 * length**2 * features", SCORES: "scores = length * features**2",
        SUM: "weighted_sum = length * features**2",
    },
    {FOUR: "projections = 4 * length**2 * features"},
    {SCORES: "scores = length * features**2", SUM: "weighted_sum = length * features**2"},
    question="Which part grows fourfold with twice the length, and which with twice the width?",
)
self_attention_operations.mistake(
    "projections-once", "the projections are counted for one position alone",
    {FOUR: "projections = 4 * features * features"}, evidence="4d² is how many weights there are.",
    question="How many positions are multiplied with each weight?",
)
self_attention_operations.mistake(
    "softmax-as-product", "softmax is counted as if it were a third product",
    {ALL: "return projections + scores + weighted_sum + length**2 * features"},
    question="How many numbers does softmax touch, and does one of them have d features?",
)
self_attention_operations.mistake(
    "causal-pairs-only", "only the pairs that a causal mask leaves are counted",
    {
        SCORES: "scores = length * (length + 1) // 2 * features",
        SUM: "weighted_sum = length * (length + 1) // 2 * features",
    },
    question="Does Q @ K.T leave out the scores that a mask will cover?",
)
self_attention_operations.mistake(
    "heads-full-width", "the heads are as wide as the layer, each of them",
    {ALL: "return projections + 8 * (scores + weighted_sum)"},
    {ALL: "return projections + 4 * (scores + weighted_sum)"},
    {ALL: "return projections + 2 * (scores + weighted_sum)"},
    question="Eight heads on 512 features: how wide is a query in one of them?",
)
self_attention_operations.mistake(
    "feed-forward-counted", "the feed-forward network is counted as well",
    {"= 4 * length": "= 12 * length"},
    evidence="A network four times as wide adds 8·n·d².", question="Which sublayer was asked for?",
)
self_attention_operations.mistake(
    "multiply-add-apart", "multiplications and additions are counted apart",
    {ALL: "return 2 * (projections + scores + weighted_sum)"},
    evidence="As FLOPs it would be right.", question="What is one multiply-add?",
)
