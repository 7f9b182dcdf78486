"""Tied embeddings: one table that the input reads and the output multiplies by."""

import numpy as np

from ...layers import Embedding, Unembedding
from ..exercise import exercise
from .met import issue, places, pull

PAD, WORD = 0, 4  # the padding's id, and the first id of a word


def _ids(rng, n):
    """Ids (B, T) with padding at the end of a sentence, and words that stand in several places."""
    ids = rng.integers(WORD, n.V, (n.B, n.T))
    ids[0, :2] = ids[-1, 0] = WORD + 1
    ids[1, -2:] = PAD
    return ids


def _given(rng, n):
    return {
        "d_embedded": rng.standard_normal((n.B, n.T, n.D)),
        "ids": _ids(rng, n),
        "d_logits": rng.standard_normal((n.B, n.T, n.V)),
        "hidden": rng.standard_normal((n.B, n.T, n.D)),
        "table": rng.standard_normal((n.V, n.D)) / np.sqrt(n.D),
    }


@exercise(
    "tied.backward",
    inputs={
        "d_embedded": "(B, T, D)", "ids": "(B, T)", "d_logits": "(B, T, V)", "hidden": "(B, T, D)",
        "table": "(V, D)",
    },
    returns={"d_table": "(V, D)"},
    given=_given,
    places={
        "the padding's row": lambda table, **_: np.arange(len(table))[:, None] == PAD,
        "the rows of ids that stand in several places": lambda ids, table, **_: (
            _count(ids, table) > 1
        ),
        "the rows of ids that were read": lambda ids, table, **_: np.isin(
            np.arange(len(table)), ids
        )[:, None],
    },
    shown=(Embedding.backward, Unembedding.backward),
    hints=(
        "The table was used twice. What does each use say, and how do the two become one gradient?",
        "d_W[v] = √D Σ_{ids_n = v} d_embedded_n  +  Σ_n d_logits_nv hidden_n",
        (
            "a table of zeros\neach position of the input adds its gradient, times √D, to the row "
            "of its id (also where an id stands twice)\n"
            "the output's share: a product, summed over all positions\n"
            "the sum of the two"
        ),
        "np.add.at(d_table, ids, np.sqrt(table.shape[1]) * d_embedded)",
    ),
)
def tied_backward(d_embedded, ids, d_logits, hidden, table):
    """The gradient of the one table that embeds the input and scores the output.

        embedded = √D · table[ids]      logits = hidden tableᵀ

    Given are the gradients of `embedded` and of `logits`. An id may stand in several places. The
    padding's row (id 0) is a row like any other here.
    """
    d_table = np.zeros_like(table)
    np.add.at(d_table, ids, np.sqrt(table.shape[1]) * d_embedded)
    d_table += np.einsum("btv,btd->vd", d_logits, hidden)
    return d_table


def _count(ids, table):
    """How often each id occurs, at least 1: (V, 1)."""
    return np.maximum(1, np.bincount(ids.reshape(-1), minlength=len(table)))[:, None]


OUTPUT = 'd_table += np.einsum("btv,btd->vd", d_logits, hidden)'
LOOKUP = "np.add.at(d_table, ids, np.sqrt(table.shape[1]) * d_embedded)"
USES = "How many times was the table used in forward, and for what?"
tied_backward.mistake(
    "output-side-only", "only the output's side is there", {LOOKUP: "pass"},
    evidence="What is missing lies in the rows of the ids that were read.", question=USES,
)
tied_backward.mistake(
    "input-side-only", "only the input's side is there", {OUTPUT: "pass"},
    evidence="Rows of words that were not read are 0, though every word was scored.", question=USES,
)
tied_backward.mistake(
    "sides-overwritten-or-averaged",
    "the output's side overwrites the input's, or is averaged with it",
    {
        OUTPUT: (
            'd_table[...] = np.where(d_table == 0, np.einsum("btv,btd->vd", d_logits, hidden), '
            'd_table)'
        )
    },
    {"return d_table": "return d_table / 2"},
    question="If one array is used twice, what becomes of its two gradients?",
)
tied_backward.mistake(
    "last-place-wins",
    "of several places with the same id, the last wins",
    {LOOKUP: "d_table[ids] += np.sqrt(table.shape[1]) * d_embedded"},
    evidence=(
        "`d_table[ids] += …` reads all rows first and writes them afterwards, so an id that stands "
        "twice is added once."
    ),
    question="What does NumPy do with `a[[3, 3]] += 1`?",
    met=places(
        "public NumPy Transformers",
        issue("HIPS/autograd", 39),
        pull("pymc-devs/pytensor", 2242),
    ),
)
tied_backward.mistake(
    "places-averaged", "the places with the same id are averaged",
    {LOOKUP: LOOKUP + "\n    d_table /= _count(ids, table)"},
    question="If a word stands in the text twice as often, how much more does its vector matter?",
)
tied_backward.mistake(
    "root-d-missing", "the √D of the embedding is left out",
    {"np.sqrt(table.shape[1]) * d_embedded": "d_embedded"},
    question="What happened to the rows of the table after they were looked up?",
)
tied_backward.mistake(
    "root-d-twice", "the √D is there twice", {"np.sqrt(table.shape[1])": "table.shape[1]"},
    question="By what was a row of the table multiplied in forward, and how often?",
)
tied_backward.mistake(
    "divided-by-root-d", "the gradient is divided by √D instead of multiplied",
    {"np.sqrt(table.shape[1]) * d_embedded": "d_embedded / np.sqrt(table.shape[1])"},
    question="If y = c·w, what is the gradient of w?",
)
tied_backward.mistake(
    "output-side-scaled", "the output's side is multiplied by √D too",
    {'np.einsum("btv': 'np.sqrt(table.shape[1]) * np.einsum("btv'},
    question="Is the table scaled where it makes the logits?",
)
tied_backward.mistake(
    "padding-row-missing",
    "the padding's row is left out",
    {LOOKUP: LOOKUP + "\n    d_table[0] = 0"},
    {"return d_table": "d_table[0] = 0\n    return d_table"},
    {
        LOOKUP: "np.add.at(d_table, ids[ids != 0], np.sqrt(table.shape[1]) * d_embedded[ids != 0])",
        "d_logits, hidden)": "d_logits * (ids != 0)[..., None], hidden)",
    },
    {"d_logits, hidden)": "d_logits * (ids != 0)[..., None], hidden)"},
    evidence=(
        "In a model, the gradients that arrive there are 0 already, because the loss and the masks "
        "leave padding out."
    ),
    question="What does the exercise say of the padding's row?",
)
tied_backward.mistake(
    "output-side-transposed", "the output's side is transposed", {"btv,btd->vd": "btv,btd->dv"},
    question="Which shape must the gradient of the table have?",
)
tied_backward.mistake(
    "output-side-not-summed", "the output's side is not summed over all positions",
    {"d_logits, hidden)": "d_logits[:1], hidden[:1])"},
    {"d_logits, hidden)": "d_logits[:, -1:], hidden[:, -1:])"},
    {OUTPUT: 'd_table = d_table + np.einsum("btv,btd->bvd", d_logits, hidden)'},
    question="How many positions were scored with the table?",
)
tied_backward.mistake(
    "mean-over-positions", "a mean over positions stands where a sum should",
    {"d_logits, hidden)": "d_logits, hidden / len(ids))"},
    {"d_logits, hidden)": "d_logits, hidden / ids.size)"},
    {"return d_table": "return d_table / len(ids)"},
    {"return d_table": "return d_table / ids.size"},
    question="Whose job is it to take a mean over the positions: the table's, or the loss's?",
)


@exercise(
    "tied.step",
    inputs={
        "table": "(V, D)", "d_input": "(V, D)", "d_output": "(V, D)", "learning_rate": "number",
    },
    returns={"input_table": "(V, D)", "output_table": "(V, D)"},
    given=lambda rng, n: {
        "table": rng.standard_normal((n.V, n.D)), "d_input": rng.standard_normal((n.V, n.D)),
        "d_output": rng.standard_normal((n.V, n.D)), "learning_rate": 0.1,
    },
    shown=(Unembedding,),
    hints=(
        "How many tables are there after the step?",
        "W ← W − η (d_input + d_output), and both sides read W",
        "the gradient of the one table\none step against it\nthe same table for both sides",
        "table - learning_rate * (d_input + d_output)",
    ),
)
def tied_step(table, d_input, d_output, learning_rate):
    """One step of SGD on a table that the input and the output share: what each of the two sides
    sees afterwards.

    `d_input` and `d_output` are the gradients that the two uses leave. The array handed in stays as
    it is; a new table is returned, for each side.
    """
    table = table - learning_rate * (d_input + d_output)
    return table, table


STEP = "table = table - learning_rate * (d_input + d_output)"
tied_step.mistake(
    "separate-copies",
    "each side has a copy of its own, and steps with its own gradient",
    {
        STEP: (
            "input_table, output_table = table - learning_rate * d_input, table - learning_rate * "
            "d_output"
        ),
        "return table, table": "return input_table, output_table",
    },
    evidence="The two tables were equal before the step, and are not after it.",
    question="Are these two tables, or two names of one?",
    met=places(issue("paiml/entrenar", 314), issue("google/flax", 1263)),
)
tied_step.mistake(
    "sides-gradients-swapped",
    "each side steps with the other's gradient",
    {
        STEP: (
            "input_table, output_table = table - learning_rate * d_output, table - learning_rate * "
            "d_input"
        ),
        "return table, table": "return input_table, output_table",
    },
    question="Are these two tables, or two names of one?",
)
tied_step.mistake(
    "output-gradient-only", "only the output's gradient moves the table",
    {"(d_input + d_output)": "d_output"},
    question=USES,
)
tied_step.mistake(
    "input-gradient-only", "only the input's gradient moves the table",
    {"(d_input + d_output)": "d_input"},
    question=USES,
)
tied_step.mistake(
    "updated-twice", "the table is updated twice", {"learning_rate *": "2 * learning_rate *"},
    {"return table, table": "return table, table - learning_rate * (d_input + d_output)"},
    {"return table, table": "return table, table - learning_rate * d_output"},
    {"(d_input + d_output)": "(d_input + 2 * d_output)"},
    {"(d_input + d_output)": "(2 * d_input + d_output)"},
    evidence="A list of parameters in which the shared one stands twice does that.",
    question="How often does one parameter move in one step?",
)
tied_step.mistake(
    "one-side-sees-step", "only one of the two sides sees the step",
    {"return table, table": "return table, table + learning_rate * (d_input + d_output)"},
    {"return table, table": "return table + learning_rate * (d_input + d_output), table"},
    evidence=(
        "`table = table - …` makes a new array: a name that still holds the old one sees nothing "
        "of it."
    ),
    question="Are these two tables, or two names of one?",
)
tied_step.mistake(
    "gradients-averaged", "the two gradients are averaged",
    {"(d_input + d_output)": "(d_input + d_output) / 2"},
    question="If one array is used twice, what becomes of its two gradients?",
)
tied_step.mistake(
    "step-along-gradient", "the step goes along the gradient",
    {"table - learning": "table + learning"},
    question="In which direction does the loss fall?",
)
tied_step.mistake(
    "learning-rate-missing", "the step has no learning rate", {"learning_rate * ": ""},
    question="How far does the table move if the learning rate is 0?",
)
tied_step.mistake(
    "table-changed", "the table that was handed in is changed",
    {STEP: "table -= learning_rate * (d_input + d_output)"},
    question="Does `-=` make a new array, or write into the old one?",
)
