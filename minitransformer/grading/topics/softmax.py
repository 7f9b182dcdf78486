"""Softmax."""

import numpy as np

from ...layers import Softmax
from ..exercise import Invariant, exercise
from .met import issue, places, pull

UNITY = Invariant(
    "The sum of each row of P, less 1,", "the weights of a row are shares of a whole",
    lambda out, given: out["P"].sum(-1) - 1,
)
SHIFT = Invariant(
    "The sum of each row of d_scores", "softmax ignores a shift",
    lambda out, given: out["d_scores"].sum(-1),
)


@exercise(
    "softmax.forward",
    inputs={"scores": "(B, T, S)"},
    returns={"P": "(B, T, S)"},
    given=lambda rng, n: {"scores": 2 * rng.standard_normal((n.B, n.T, n.S))},
    situations={
        "scores around 1000": lambda given, rng, n: {"scores": given["scores"] + 1000},
        "scores that are far apart": lambda given, rng, n: {
            "scores": given["scores"] - 1600.0 * (np.arange(n.S) % 2)
        },
        "rows that are far apart": lambda given, rng, n: {
            "scores": given["scores"] - 800.0 * (np.arange(n.T)[:, None] % 2)
        },
    },
    invariants=(UNITY,),
    shown=(Softmax.forward,),
    hints=(
        "Which number can be taken from all scores of a row without changing their softmax?",
        "P_j = exp(s_j − m) / Σ_i exp(s_i − m),  m = max_i s_i",
        (
            "the largest score of each row, its axis kept\n"
            "exp of what is left without it\ndivide by the sum of each row, its axis kept"
        ),
        "weights / weights.sum(axis=-1, keepdims=True)",
    ),
)
def softmax(scores):
    """Turn each row of scores (the last axis) into weights that are positive and sum to one.

        P_j = exp(s_j) / Σ_i exp(s_i)

    Scores may be as large as 1000, and rows may be far apart.
    """
    largest = scores.max(axis=-1, keepdims=True)
    weights = np.exp(scores - largest)
    return weights / weights.sum(axis=-1, keepdims=True)


softmax.mistake(
    "no-maximum-shift", "no row is shifted by its maximum", {"scores - largest": "scores"},
    evidence="The exp of 1000 is infinite, and ∞/∞ is NaN.",
    question="What does softmax say if the same number is taken from every score of a row?",
    met=places(
        issue("deeplearning4j/deeplearning4j-examples", 730),
        issue("pyg-team/pytorch_geometric", 53),
    ),
)
softmax.mistake(
    "one-sum-for-all", "one sum serves the whole array",
    {"weights.sum(axis=-1, keepdims=True)": "weights.sum()"},
    {"weights.sum(axis=-1, keepdims=True)": "weights.sum(axis=(-2, -1), keepdims=True)"},
    question="How many distributions are there in an array of shape (B, T, S)?",
    met="public NumPy Transformers",
)
softmax.mistake(
    "columns-sum-to-one", "the columns sum to one",
    {"weights.sum(axis=-1, keepdims=True)": "weights.sum(axis=-2, keepdims=True)"},
    {"weights.sum(axis=-1, keepdims=True)": "weights.sum(axis=0, keepdims=True)"},
    {"scores.max(axis=-1": "scores.max(axis=-2", "weights.sum(axis=-1": "weights.sum(axis=-2"},
    {"scores.max(axis=-1": "scores.max(axis=0", "weights.sum(axis=-1": "weights.sum(axis=0"},
    question="Which axis holds the things that compete for one share?",
    met=issue("ethanfetaya/NRI", 25),
)
softmax.mistake(
    "sums-lose-axis",
    "the sums lose their axis (no keepdims), and line up with another one",
    {"weights.sum(axis=-1, keepdims=True)": "weights.sum(axis=-1)"},
    {"scores.max(axis=-1, keepdims=True)": "scores.max(axis=-1)"},
    {
        "scores.max(axis=-1, keepdims=True)": "scores.max(axis=-1)",
        "weights.sum(axis=-1, keepdims=True)": "weights.sum(axis=-1)",
    },
    question=(
        "Which shape do the sums of the rows have, and against which axis of the weights does "
        "NumPy lay it?"
    ),
)
softmax.mistake(
    "constant-added-to-sum",
    "a small number is added to the sum",
    *(
        {
            "weights.sum(axis=-1, keepdims=True)": (
                f"(weights.sum(axis=-1, keepdims=True) + {epsilon})"
            )
        }
        for epsilon in (1e-5, 1e-6, 1e-7, 1e-8, 1e-9)
    ),
    evidence="The rows sum to a little less than 1.",
    question="How small can a sum of exponentials be, once the largest of them is exp(0)?",
    met="public NumPy Transformers",
)
softmax.mistake(
    "one-maximum-for-all", "one maximum serves the whole array",
    {"scores.max(axis=-1, keepdims=True)": "scores.max()"},
    {"scores.max(axis=-1, keepdims=True)": "scores.max(axis=-2, keepdims=True)"},
    {"scores.max(axis=-1, keepdims=True)": "scores.max(axis=0, keepdims=True)"},
    evidence="A row that lies far below it has only exponentials of 0, and 0/0 is NaN.",
    question="What is left of a row whose scores all lie 800 below that maximum?",
    met="public NumPy Transformers",
)
softmax.mistake(
    "shift-not-the-maximum", "another number than the maximum is taken off",
    {"scores.max(": "scores.min("},
    {"scores.max(": "scores.mean("},
    evidence="Scores 1600 above that number are exponents 1600 too large.",
    question="Which number, taken off, leaves no exponent above 0?",
    met=pull("FluxML/NNlib.jl", 43),
)
softmax.mistake(
    "not-divided-by-sum", "the exponentials are not divided by anything",
    {"weights / weights.sum(axis=-1, keepdims=True)": "weights"},
    question="What should the weights of one row add up to?",
)


@exercise(
    "softmax.backward",
    forward=softmax,
    inputs={"d_P": "(B, T, S)", "scores": "(B, T, S)"},
    returns={"d_scores": "(B, T, S)"},
    given=lambda rng, n: {
        "d_P": rng.standard_normal((n.B, n.T, n.S)),
        "scores": 2 * rng.standard_normal((n.B, n.T, n.S)),
    },
    also={"P": lambda d_P, scores: softmax(scores)},
    invariants=(SHIFT,),
    shown=(Softmax.backward,),
    hints=(
        "One weight rises only at the cost of the others. How does that show in d_scores?",
        "d_s_j = P_j (d_P_j − Σ_i d_P_i P_i)",
        (
            "the mean of d_P in each row, weighted by P, its axis kept\n"
            "take it from d_P\nmultiply by P"
        ),
        "P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))",
    ),
)
def softmax_backward(d_P, scores):
    """The gradient of the scores, from the gradient of the weights P = softmax(scores), without
    building a Jacobian.

    Softmax couples the weights of a row: no score has an effect on its own weight alone.
    """
    P = softmax(scores)
    return P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))


softmax_backward.mistake(
    "diagonal-only", "each weight answers for itself alone, as P(1 − P)",
    {"(d_P - (d_P * P).sum(axis=-1, keepdims=True))": "d_P * (1 - P)"},
    question="If one score rises, what becomes of the weights of the others?",
    met=places(
        "public NumPy Transformers, forum answers",
        issue("deeplearning4j/libnd4j", 440),
        issue("Apiquet/DeepLearningFrameworkFromScratchCpp", 1),
    ),
)
softmax_backward.mistake(
    "weighted-mean-missing", "the weighted mean of d_P is not taken off",
    {" - (d_P * P).sum(axis=-1, keepdims=True)": ""},
    evidence="What is too much is P times one number for each row.",
    question=(
        "What must the gradients of a row sum to, if softmax ignores a shift of all its scores?"
    ),
)
softmax_backward.mistake(
    "sum-not-weighted", "the sum of d_P is not weighted by P", {"(d_P * P).sum": "d_P.sum"},
    question="Through which weight does d_P_i reach the score of another?",
)
softmax_backward.mistake(
    "mean-for-sum", "a mean stands where a sum should", {"(d_P * P).sum": "(d_P * P).mean"},
    question="The weights P already sum to one. What does another division by the row's length do?",
)
softmax_backward.mistake(
    "correction-without-factor",
    "the correction lacks its factor P",
    {
        "P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))": (
            "P * d_P - (d_P * P).sum(axis=-1, keepdims=True)"
        )
    },
    question="Of the two terms of the derivative, which one does P multiply?",
)
softmax_backward.mistake(
    "divided-by-batch", "the gradient is divided by the batch",
    {"return P": "return 1 / len(P) * P"},
    question="Does softmax itself take a mean over the batch? Whose job is that?",
    met="a public NumPy Transformer",
)
softmax_backward.mistake(
    "scores-for-weights", "the scores stand where the weights P should",
    {"P = softmax(scores)": "P = scores"},
    question=(
        "Is the derivative of softmax written in its input or in its output, and which one was "
        "kept?"
    ),
    met="public code",
)
softmax_backward.mistake(
    "sum-over-columns", "the sum runs over the columns", {"sum(axis=-1": "sum(axis=-2"},
    question="Along which axis did forward divide by a sum?",
)
softmax_backward.mistake(
    "correction-sign-wrong", "the correction has the wrong sign", {"d_P - (": "d_P + ("},
    question="If all d_P of a row are equal, how much does the loss change when a score moves?",
)
