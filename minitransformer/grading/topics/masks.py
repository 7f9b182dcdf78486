"""Masks: who may look at whom."""

import numpy as np

from ...attention import masking
from ...models import Transformer
from ..exercise import exercise
from .met import issue, places, pull

PAD = 0
HEADS = 4  # a mask is spread over so many heads before it is compared


def _ids(rng, n, length, shorter=0):
    """Rows of ids that start with BOS (1), end with EOS (2), and are filled up with padding; one of
    them has UNK (3)."""
    ids = rng.integers(1, n.V, (n.B, length))
    ids[:, 0] = 1
    ids[0, 1] = 3
    lengths = length - (np.arange(n.B) + shorter) % (length - 1)
    places = np.arange(length)
    ids[places == lengths[:, None] - 1] = 2
    ids[places >= lengths[:, None]] = PAD
    return ids


def _front(*names):
    """The padding stands in front, in all arrays of these names."""
    return lambda given, rng, n: {name: given[name][:, ::-1].copy() for name in names}


def _keys(ids):
    return (ids != PAD)[:, None, None, :]


def _full(keys, queries):
    """The shape of a mask that every sequence and every head has for itself."""
    return (len(keys), HEADS, queries.shape[1], keys.shape[1])


FRONT = "padding in front"


@exercise(
    "mask.padding",
    inputs={"ids": "(B, S)"},
    returns={"mask": "(B, 1, 1, S)"},
    given=lambda rng, n: {"ids": _ids(rng, n, n.S)},
    situations={FRONT: _front("ids")},
    broadcast=lambda given: _full(given["ids"], given["ids"]),
    places={"the padded keys": lambda ids: ~_keys(ids)},
    shown=(masking.padding_mask,),
    hints=(
        (
            "Scores have the shape (B, H, T, S). Which of these axes does an id know, and over "
            "which is the mask the same?"
        ),
        "mask[b, ·, ·, s] = (ids[b, s] ≠ 0)",
        "compare all ids with that of padding\nput axes of size 1 where heads and queries stand",
        "(ids != 0)[:, None, None, :]",
    ),
)
def padding_mask(ids):
    """Say which keys every query of their sequence may see: True for real tokens, False where a key
    is padding.

    The id of padding is 0, wherever it stands; 1, 2 and 3 (BOS, EOS, UNK) are real tokens. The mask
    is boolean and broadcasts to scores of the shape (B, H, T, S).
    """
    return (ids != PAD)[:, None, None, :]


@exercise(
    "mask.causal",
    inputs={"length": "number"},
    returns={"mask": "(T, T)"},
    given=lambda rng, n: {"length": n.T},
    broadcast=lambda given: (1, 1, given["length"], given["length"]),
    places={
        "the diagonal": lambda length: np.eye(length, dtype=bool),
        "the future": lambda length: ~np.tri(length, dtype=bool),
        "the past": lambda length: np.tri(length, k=-1, dtype=bool),
    },
    shown=(masking.causal_mask,),
    hints=(
        "Query 0 stands at the beginning. Which keys may it see, and how many does query 3 see?",
        "mask[t, s] = (s ≤ t)",
        "a square of ones, a row for each query\nkeep what is on the diagonal and below it",
        "np.tril(np.ones((length, length), dtype=bool))",
    ),
)
def causal_mask(length):
    """Say which positions of a sequence each position may see: itself and those before it. True =
    may attend.

    Rows are queries, columns are keys. The mask is boolean; axes of size 1 in front are welcome.
    """
    return np.tril(np.ones((length, length), dtype=bool))


@exercise(
    "mask.decoder",
    inputs={"ids": "(B, T)"},
    returns={"mask": "(B, 1, T, T)"},
    given=lambda rng, n: {"ids": _ids(rng, n, n.T)},
    situations={FRONT: _front("ids")},
    broadcast=lambda given: _full(given["ids"], given["ids"]),
    places={
        "the padded keys": lambda ids: ~_keys(ids),
        "the diagonal": lambda ids: np.eye(ids.shape[1], dtype=bool),
        "the future": lambda ids: ~np.tri(ids.shape[1], dtype=bool),
        "the padded queries": lambda ids: ~_keys(ids).swapaxes(-1, -2),
    },
    shown=(masking.padding_mask, masking.causal_mask, Transformer.decode),
    hints=(
        "A key may be hidden for two reasons. If one of them holds, may it be seen?",
        "mask[b, ·, t, s] = (ids[b, s] ≠ 0) ∧ (s ≤ t)",
        (
            "which keys are real: (B, 1, 1, T)\nwhich are not later than the query: (T, T)\n"
            "both must be so"
        ),
        "real & earlier",
    ),
)
def decoder_mask(ids):
    """Say which keys each query of the decoder's self-attention may see: real tokens that are not
    later than itself.

    True = may attend. The id of padding is 0, wherever it stands; 1, 2 and 3 (BOS, EOS, UNK) are
    real tokens. Whether a query is padding itself changes nothing: it sees what any other would in
    its place. The mask is boolean and broadcasts to scores of the shape (B, H, T, T).
    """
    length = ids.shape[1]
    real = (ids != PAD)[:, None, None, :]
    earlier = np.tril(np.ones((length, length), dtype=bool))
    return real & earlier


@exercise(
    "mask.cross",
    inputs={"source_ids": "(B, S)", "target_ids": "(B, T)"},
    returns={"mask": "(B, 1, 1, S)"},
    given=lambda rng, n: {
        "source_ids": _ids(rng, n, n.S),
        "target_ids": _ids(rng, n, n.T, shorter=1),
    },
    situations={FRONT: _front("source_ids", "target_ids")},
    broadcast=lambda given: _full(given["source_ids"], given["target_ids"]),
    places={
        "the padded keys": lambda source_ids, target_ids: ~_keys(source_ids),
        "the padded queries": lambda source_ids, target_ids: ~_keys(target_ids).swapaxes(-1, -2),
    },
    shown=(masking.padding_mask, Transformer.encode),
    hints=(
        "The source has been read as a whole before the first word is written. Which of its keys "
        "may a target position not see?",
        "mask[b, ·, ·, s] = (source[b, s] ≠ 0)",
        "which of the source's ids are no padding\naxes of size 1 where heads and queries stand",
        "(source_ids != 0)[:, None, None, :]",
    ),
)
def cross_mask(source_ids, target_ids):
    """Say which source positions each target position may look at in the decoder's cross-attention:
    True = may attend.

    Queries come from the target, keys from the source. The id of padding is 0, wherever it stands;
    1, 2 and 3 (BOS, EOS, UNK) are real tokens. A query that is padding itself sees what any other
    sees. The mask is boolean and broadcasts to scores of the shape (B, H, T, S).
    """
    return (source_ids != PAD)[:, None, None, :]


# -- mistakes --------------------------------------------------------------------------------------


def _answer_mistakes(exercise, answer):
    """What goes wrong with any mask."""
    exercise.mistake(
        "mask-inverted",
        "the mask says the opposite: True where a key is hidden",
        {answer: f"~({answer})"},
        evidence="In PyTorch's padding masks True means hidden; here it means the contrary.",
        question="May a key be seen where this mask is True?",
        met="public code",
    )
    exercise.mistake(
        "additive-mask",
        "the mask holds what is to be added to the scores",
        *({answer: f"np.where({answer}, 0.0, {low})"} for low in ("-np.inf", "-1e9")),
        evidence="That is a way to apply a mask, and it says the same in other numbers.",
        question="Of which type is an answer to “may this query look at that key?”",
    )


def _padding_mistakes(exercise, keys, queries, answer):
    """What goes wrong with padding, where `keys` and `queries` are ids."""
    axes = "[:, None, None, :]"
    exercise.mistake(
        "query-padding-hidden",
        "the padding among the queries is hidden, not that among the keys",
        {f"({keys} != PAD){axes}": f"({queries} != PAD)[:, None, :, None]"},
        question="Which of the last two axes of the scores belongs to those who are looked at?",
        met=pull("hyunwoongko/transformer", 40),
    )
    exercise.mistake(
        "query-padding-too",
        "the padding among the queries is hidden as well",
        {answer: f"{answer} & ({queries} != PAD)[:, None, :, None]"},
        evidence="Rows are left in which nothing may be attended to.",
        question=(
            "A padded query's output is thrown away. What is gained if it sees nothing, and what "
            "does softmax make of that?"
        ),
        met=issue("ajhalthor/Transformer-Neural-Network", 15),
    )
    exercise.mistake(
        "batch-axis-misplaced",
        "the axis of sequences is laid against another axis of the scores",
        *({axes: wrong} for wrong in ("", "[:, None, :]", "[None, None]")),
        evidence="With as many sequences as queries, or as heads, NumPy does not object.",
        question=(
            "From which side does NumPy line up the axes of two arrays, and which axis of the "
            "scores does B meet?"
        ),
    )
    exercise.mistake(
        "other-ids-hidden",
        "other ids than that of padding are hidden",
        *({f"{keys} != PAD": f"{keys} {rule}"} for rule in ("> 3", "!= 1", "!= 2")),
        question="Which ids may not be looked at, and what do BOS, EOS and UNK stand for?",
    )
    exercise.mistake(
        "padding-counted",
        "padding is counted, and taken to stand at the end",
        {
            f"({keys} != PAD)": (
                f"(np.arange({keys}.shape[1]) < ({keys} != PAD).sum(axis=1, keepdims=True))"
            )
        },
        question="Which ids are padding in a batch that is filled up from the front?",
    )


def _causal_mistakes(exercise):
    """What goes wrong with the triangle."""
    square = "np.ones((length, length), dtype=bool)"
    triangle = f"np.tril({square})"
    exercise.mistake(
        "diagonal-hidden",
        "the diagonal is hidden too",
        {triangle: f"np.tril({square}, -1)"},
        evidence="The first query is left with nothing to attend to.",
        question=(
            "Which keys does query 0 see? The decoder's input is shifted: which token stands at "
            "its own place?"
        ),
    )
    exercise.mistake(
        "one-future-position",
        "one position of the future can be seen",
        {triangle: f"np.tril({square}, 1)"},
        question="The token to be predicted at t is the input at t + 1. What can be seen at t?",
    )
    exercise.mistake(
        "past-hidden",
        "the mask is transposed: the past is hidden, not the future",
        {triangle: f"np.triu({square})"},
        question="Do the rows of the scores belong to the queries or to the keys?",
        met=issue("pytorch/examples", 649),
    )
    exercise.mistake(
        "future-not-hidden",
        "the future is not hidden",
        {triangle: square},
        question="Which tokens does the decoder not know yet when it is at t?",
        met=issue("facebookresearch/xformers", 103),
    )
    exercise.mistake(
        "only-itself-seen",
        "each position sees only itself, or that and the one before",
        {triangle: "np.eye(length, dtype=bool)"},
        {triangle: f"np.triu({triangle}, -1)"},
        question="How many keys does the last query see?",
    )
    exercise.mistake(
        "triangle-flipped",
        (
            "the triangle is flipped: its rows run from the last query to the first, or its "
            "columns from the last key"
        ),
        {triangle: f"{triangle}[::-1]"},
        {triangle: f"{triangle}[:, ::-1]"},
        question="Which query sees everything, and in which row does it stand?",
    )


REAL = "(ids != PAD)[:, None, None, :]"
_answer_mistakes(padding_mask, REAL)
_padding_mistakes(padding_mask, "ids", "ids", REAL)

_answer_mistakes(causal_mask, "np.tril(np.ones((length, length), dtype=bool))")
_causal_mistakes(causal_mask)

_answer_mistakes(decoder_mask, "real & earlier")
_padding_mistakes(decoder_mask, "ids", "ids", "real & earlier")
_causal_mistakes(decoder_mask)
decoder_mask.mistake(
    "one-part-inverted",
    "one of the two parts says the opposite",
    {"ids != PAD": "ids == PAD"},
    {"real & earlier": "real & ~earlier"},
    question="Of the two parts, what does each say by True?",
)
decoder_mask.mistake(
    "or-for-and",
    "a key may be seen if one of the two parts allows it",
    {"real & earlier": "real | earlier"},
    question="May a padded key be seen because it stands before the query?",
)
decoder_mask.mistake(
    "padding-not-hidden", "the padding is not hidden", {"real & earlier": "earlier"},
    question="Which ids should no query look at?",
)

SOURCE = "(source_ids != PAD)[:, None, None, :]"
CAUSAL = "np.tri(target_ids.shape[1], source_ids.shape[1], dtype=bool)"
_answer_mistakes(cross_mask, SOURCE)
_padding_mistakes(cross_mask, "source_ids", "target_ids", SOURCE)
cross_mask.mistake(
    "causal-on-source",
    "a causal mask hides the later words of the source",
    {SOURCE: f"{SOURCE} & {CAUSAL}"},
    {SOURCE: CAUSAL},
    {SOURCE: "np.tri(target_ids.shape[1], dtype=bool)"},
    {SOURCE: "(target_ids != PAD)[:, None, None, :] & np.tri(target_ids.shape[1], dtype=bool)"},
    evidence="The first target position could see only the first word of the source.",
    question="When the first word is written, how much of the source has been read?",
    met=pull("keras-team/keras-io", 1046),
)
cross_mask.mistake(
    "target-padding-on-keys",
    "the target's padding is laid on the keys",
    {"source_ids != PAD": "target_ids != PAD"},
    question="From which of the two sequences do the keys come?",
    met=places(
        issue("fchollet/deep-learning-with-python-notebooks", 209),
        issue("keras-team/keras-io", 1964),
    ),
)
cross_mask.mistake(
    "source-padding-on-queries",
    "the source's padding is laid on the queries",
    {"[:, None, None, :]": "[:, None, :, None]"},
    question="From which of the two sequences do the queries come?",
)
