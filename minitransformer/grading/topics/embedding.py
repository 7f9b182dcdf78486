"""The embedding of token ids."""

import numpy as np

from ...boundary import expect_ids
from ...data import PAD
from ...layers import Embedding
from ..exercise import Invariant, exercise
from .met import issue, places, pull

INPUTS = {"ids": "(B, T) ids", "table": "(V, D)"}


def _given(rng, n):
    """Ids with padding, and one that stands in several places."""
    ids = rng.integers(1, n.V, size=(n.B, n.T))
    ids[0, :2] = ids[1, 0] = ids[-1, 1] = n.V - 2
    ids[1, -1] = ids[-1, -2:] = PAD
    return {"ids": ids, "table": rng.standard_normal((n.V, n.D)) / np.sqrt(n.D)}


def _with(id):
    def change(given, rng, n):
        ids = given["ids"].copy()
        ids[0, 1] = id(n)
        return {"ids": ids}

    return change


@exercise(
    "embedding.forward",
    inputs=INPUTS,
    returns={"y": "(B, T, D)"},
    given=_given,
    situations={"an id of −1": _with(lambda n: -1), "an id of V": _with(lambda n: n.V)},
    shown=(Embedding.forward, expect_ids),
    hints=(
        (
            "What does NumPy make of an index that is an array of shape (B, T)? And what of an "
            "index of −1?"
        ),
        "y = √D · W[ids],  0 ≤ ids < V",
        "raise an error if any id lies outside 0 … V−1\nthe row of the table for each id\n"
        "times the root of the number of features",
        "table[ids] * np.sqrt(table.shape[1])",
    ),
)
def embedding(ids, table):
    """Look up the vector of each token id, a row of the table, and scale it by √D (Vaswani et al.
    2017, section 3.4).

    Padding (id 0) is looked up like any other id. An id outside 0 … V−1 is somebody's mistake:
    raise an error for it, of whatever kind, instead of an answer.
    """
    if ids.min() < 0 or ids.max() >= len(table):
        raise IndexError("an id lies outside the table")
    return table[ids] * np.sqrt(table.shape[1])


OUTSIDE = "ids.min() < 0 or ids.max() >= len(table)"
ROOT = "np.sqrt(table.shape[1])"

embedding.mistake(
    "id-minus-one-wraps", "an id of −1 is taken for the last row", {OUTSIDE: "False"},
    {OUTSIDE: "ids.max() >= len(table)"},
    evidence="NumPy counts a negative index from the end, without a word.",
    question=(
        "What does table[-1] say, and is that what should be said of an id that does not exist?"
    ),
)
embedding.mistake(
    "outside-id-bent",
    "an id outside the table is bent to one inside it",
    {OUTSIDE: "False", "table[ids]": "table[ids % len(table)]"},
    {OUTSIDE: "False", "table[ids]": "table[np.clip(ids, 0, len(table) - 1)]"},
    {
        OUTSIDE: "False",
        "table[ids]": (
            "np.where(((ids >= 0) & (ids < len(table)))[..., None], "
            "table[np.clip(ids, 0, len(table) - 1)], 0)"
        ),
    },
    {OUTSIDE: "False", "table[ids]": "table[np.where((ids >= 0) & (ids < len(table)), ids, 3)]"},
    question="If the vocabulary and the table do not fit, who should hear of it, and when?",
)
embedding.mistake(
    "id-v-accepted", "an id of V is taken for one that exists",
    {OUTSIDE: "ids.min() < 0 or ids.max() > len(table)", "table[ids]": "table[ids % len(table)]"},
    question="If there are V rows, which is the last id?",
)
embedding.mistake(
    "root-d-missing", "√D is left out", {f" * {ROOT}": ""},
    question="How large is y to be, next to positional codes of size 1?",
    met=issue("OpenNMT/OpenNMT-py", 1722),
)
embedding.mistake(
    "d-for-root-d", "D stands for √D", {ROOT: "table.shape[1]"},
    question="What is the variance of a sum of D numbers, and what its root?",
)
embedding.mistake(
    "divided-by-root-d", "it is divided by √D, not multiplied", {f"* {ROOT}": f"/ {ROOT}"},
    question="The entries of the table have the size 1/√D. How large is y to be?",
    met=places(pull("Kyubyong/transformer", 15), issue("pytorch/tutorials", 2849)),
)
embedding.mistake(
    "root-of-other-size", "the root of another size stands for √D",
    {"table.shape[1]": "table.shape[0]"},
    {"table.shape[1]": "ids.shape[1]"},
    question="Which axis of the table holds the features?",
)
embedding.mistake(
    "columns-looked-up", "columns of the table are looked up, not rows",
    {"table[ids]": "table[:, ids]"},
    {"table[ids]": "table.T[ids]"}, {"table[ids] *": "table[:, ids].transpose(1, 2, 0) *"},
    question="Along which axis do the tokens stand?",
)
embedding.mistake(
    "padding-embedded-as-zeros", "padding is embedded as zeros",
    {f"* {ROOT}": f"* {ROOT} * (ids != 0)[..., None]"},
    question="Is padding left out here, or later, by those who would read it?",
)


@exercise(
    "embedding.backward",
    forward=embedding,
    inputs={"d_y": "(B, T, D)", **INPUTS},
    returns={"d_table": "(V, D)"},
    given=lambda rng, n: {"d_y": rng.standard_normal((n.B, n.T, n.D)), **_given(rng, n)},
    situations={
        "padding between tokens": lambda given, rng, n: {
            "ids": np.where(np.arange(n.T) == 1, PAD, given["ids"])
        }
    },
    invariants=(
        Invariant(
            "The row 0 of d_table", "padding is no token", lambda out, given: out["d_table"][PAD]
        ),
    ),
    places={
        "the row of padding": lambda ids, table, **_: (np.arange(len(table)) == PAD)[:, None],
        "the rows of tokens that stand in several places": lambda ids, table, **_: (
            np.bincount(ids.ravel(), minlength=len(table)) > 1
        )[:, None],
    },
    shown=(Embedding.backward,),
    hints=(
        "A token may stand in several places. What does each of them add to its row?",
        "d_W[v] = √D Σ_{n: ids_n = v} d_y_n,  d_W[0] = 0",
        "a gradient of zeros, as large as the table\n"
        "for each place, add its d_y, times √D, to the row of its token\n"
        "the row of padding: 0",
        "np.add.at(d_table, ids, d_y * np.sqrt(D))",
    ),
)
def embedding_backward(d_y, ids, table):
    """The gradient of the table, from the gradient of y = √D · table[ids].

    The same token may stand in several places, and all of them use the same row. Padding (id 0) is
    no token: its row gets no gradient.
    """
    d_table = np.zeros_like(table)
    np.add.at(d_table, ids, d_y * np.sqrt(table.shape[1]))
    d_table[PAD] = 0
    return d_table


ADD = f"np.add.at(d_table, ids, d_y * {ROOT})"

embedding_backward.mistake(
    "last-place-wins", "of several places with the same token, the last one wins",
    {ADD: f"d_table[ids] += d_y * {ROOT}"}, {ADD: f"d_table[ids] = d_y * {ROOT}"},
    {ADD: "d_table[ids] += d_y"},
    question="What does NumPy do with d[[6, 6]] += 1: is d[6] then 1, or 2?",
    met=places("public code", issue("HIPS/autograd", 39), issue("karpathy/nn-zero-to-hero", 57)),
)
embedding_backward.mistake(
    "places-averaged",
    "the places with the same token are averaged, not summed",
    {
        ADD: (
            f"{ADD}\n    d_table /= np.maximum(np.bincount(ids.ravel(), minlength=len(table)), "
            "1)[:, None]"
        )
    },
    question="If a token stands in two places, how much does the loss change when its row moves?",
)
embedding_backward.mistake(
    "root-d-lost", "√D is lost on the way back", {f" * {ROOT}": ""},
    evidence="All numbers are 1/√D of what they should be.",
    question="What did forward multiply by?",
)
embedding_backward.mistake(
    "root-d-twice", "√D is applied twice", {f"d_y * {ROOT}": "d_y * table.shape[1]"},
    evidence="All numbers are √D times what they should be.",
    question="How often did forward multiply by √D?",
)
embedding_backward.mistake(
    "divided-by-root-d", "it is divided by √D, not multiplied", {f"* {ROOT}": f"/ {ROOT}"},
    question="If the table's entries count √D times in y, how much do they count in the gradient?",
)
embedding_backward.mistake(
    "padding-row-updated", "the row of padding is updated too", {"d_table[PAD] = 0": "pass"},
    question="Which row stands for no token at all, and what should training make of it?",
)
embedding_backward.mistake(
    "averaged-over-positions", "the gradient is divided by the batch, or by all positions",
    {"d_y *": "d_y / len(ids) *"}, {"d_y *": "d_y / ids.size *"}, {"d_y *": "d_y / ids.shape[1] *"},
    question="Does the embedding itself take a mean? Whose job is that?",
)
embedding_backward.mistake(
    "table-added", "the gradient is added to the table's own numbers",
    {"np.zeros_like(table)": "table.copy()"},
    question="What is the gradient of a token that does not occur in the batch?",
)
embedding_backward.mistake(
    "batch-not-summed",
    "it is not summed over the batch",
    {
        "return d_table": (
            "return np.eye(len(table))[ids].swapaxes(1, 2) @ (d_y * np.sqrt(table.shape[-1]))"
        )
    },
    {"np.add.at(d_table, ids, d_y *": "np.add.at(d_table, ids[0], d_y[0] *"},
    {"np.add.at(d_table, ids, d_y *": "np.add.at(d_table, ids[-1], d_y[-1] *"},
    question="How many sentences share this table, and what does each of them add to its gradient?",
)
embedding_backward.mistake(
    "rows-not-gathered", "the gradient is left at the places, not brought to the rows of the table",
    {"return d_table": f"return d_y * {ROOT}"}, {"return d_table": "return d_y"},
    question=(
        "Which is to be learnt: the vectors at the places, or the rows that they are copies of?"
    ),
)
