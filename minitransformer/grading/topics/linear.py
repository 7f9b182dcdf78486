"""The affine map of the features."""

import numpy as np

from ...layers import Linear
from ...training.optimizers import SGD
from ..exercise import exercise
from .met import issue, places, pull

INPUTS = {"x": "(B, T, D)", "weight": "(D, F)", "bias": "(F)"}
GRADIENTS = {"d_x": "(B, T, D)", "d_weight": "(D, F)", "d_bias": "(F)"}


def _given(rng, n):
    return {
        "x": rng.standard_normal((n.B, n.T, n.D)),
        "weight": rng.standard_normal((n.D, n.F)) / np.sqrt(n.D),
        "bias": 0.5 * rng.standard_normal(n.F),
    }


def _given_backward(rng, n):
    return {"d_y": rng.standard_normal((n.B, n.T, n.F)), **_given(rng, n)}


@exercise(
    "linear.forward",
    inputs=INPUTS,
    returns={"y": "(B, T, F)"},
    given=_given,
    shown=(Linear.forward,),
    hints=(
        "Which axis of x meets which axis of the weights, and what becomes of the others?",
        "y = x W + b",
        (
            "the product of each position's features with the weights\n"
            "plus the bias, the same at every position"
        ),
        "x @ weight + bias",
    ),
)
def linear(x, weight, bias):
    """Map the features of each position affinely, the same way at every position.

    The weights have a row for each feature that goes in and a column for each that comes out.
    """
    return x @ weight + bias


linear.mistake(
    "weights-transposed", "the weights are transposed", {"@ weight": "@ weight.T"},
    question="Of the axes of the weights, which one is as long as the features of x?",
)
linear.mistake(
    "bias-missing", "the bias is not added", {" + bias": ""}, question="What is y where x is 0?"
)
linear.mistake(
    "bias-subtracted", "the bias is taken off",
    {"+ bias": "- bias"}, question="What is y where x is 0?"
)
linear.mistake(
    "bias-added-to-weights", "the bias is added to the weights, not to the product",
    {"x @ weight + bias": "x @ (weight + bias)"}, question="What is y where x is 0?",
)


@exercise(
    "linear.backward",
    forward=linear,
    inputs={"d_y": "(B, T, F)", **INPUTS},
    returns=GRADIENTS,
    given=_given_backward,
    shown=(Linear.backward,),
    hints=(
        (
            "One weight serves every position of the batch. What does each of them add to its "
            "gradient?"
        ),
        "d_x = d_y Wᵀ    d_W = Σ xᵀ d_y    d_b = Σ d_y    (sums over all positions)",
        "d_x: d_y back through the weights\nlay all positions of x in rows, and those of d_y "
        "likewise\nd_W: the product of the two, over the rows\n"
        "d_b: the sum of d_y over the rows",
        "d_weight = x.reshape(-1, D).T @ d_y.reshape(-1, F)",
    ),
)
def linear_backward(d_y, x, weight, bias):
    """The gradients of x, of the weights and of the bias, from the gradient of y = x W + b.

    The same weights and bias are used at every position of every sentence, and each of these adds
    to their gradients.
    """
    rows, d_rows = x.reshape(-1, x.shape[-1]), d_y.reshape(-1, d_y.shape[-1])
    d_x = d_y @ weight.T
    d_weight = rows.T @ d_rows
    d_bias = d_rows.sum(axis=0)
    return d_x, d_weight, d_bias


D_WEIGHT = "rows.T @ d_rows"
D_BIAS = "d_rows.sum(axis=0)"
RETURN = "return d_x, d_weight, d_bias"
MEANS = ("x.shape[0]", "x.shape[1]", "len(rows)")  # over the batch, the positions, both

linear_backward.mistake(
    "d-weight-transposed", "d_W is transposed", {D_WEIGHT: "d_rows.T @ rows"},
    question=(
        "Which axis of the weights do the features of x stand on, and which axis of this gradient?"
    ),
)
linear_backward.mistake(
    "d-weight-batch-kept", "d_W is not summed over the batch", {D_WEIGHT: "x.swapaxes(1, 2) @ d_y"},
    {D_WEIGHT: "x.swapaxes(1, 2) @ d_y", D_BIAS: "d_y.sum(axis=1)"}, {D_WEIGHT: "x[0].T @ d_y[0]"},
    {D_WEIGHT: "x[-1].T @ d_y[-1]"}, {D_WEIGHT: "x[0].T @ d_y[0]", D_BIAS: "d_y[0].sum(axis=0)"},
    {D_WEIGHT: "x[-1].T @ d_y[-1]", D_BIAS: "d_y[-1].sum(axis=0)"},
    question="How many sentences share these weights, and what does each of them add to d_W?",
)
linear_backward.mistake(
    "mean-for-sum", "a mean stands where a sum should",
    *({D_WEIGHT: f"{D_WEIGHT} / {count}", D_BIAS: f"{D_BIAS} / {count}"} for count in MEANS),
    {D_WEIGHT: f"{D_WEIGHT} / {MEANS[0]}", D_BIAS: "d_rows.mean(axis=0)"},
    question=(
        "The loss takes its mean once, at the end. If this layer takes another, who divides d_x by "
        "as much?"
    ),
    met=issue("kvfrans/notes", 5),
)
linear_backward.mistake(
    "d-bias-keeps-positions", "d_b is not summed over all positions", {D_BIAS: "d_y.sum(axis=0)"},
    {D_BIAS: "d_y.sum(axis=1)"}, {D_BIAS: "d_y"}, {D_BIAS: "d_y[0].sum(axis=0)"},
    {D_BIAS: "d_y[-1].sum(axis=0)"},
    question=(
        "How many numbers does the bias have, and at how many positions is each of them added?"
    ),
    met=places(pull("mlpack/mlpack", 3679), issue("jimfleming/differentiation", 1)),
)
linear_backward.mistake(
    "d-bias-over-features", "d_b is summed over the features", {D_BIAS: "d_y.sum(axis=(0, -1))"},
    {D_BIAS: "d_y.sum(axis=-1)"}, {D_BIAS: "d_y.sum()"},
    question="Which axis of d_y does the bias lie along?",
)
linear_backward.mistake(
    "weight-not-transposed", "d_x is taken with W, not with its transpose",
    {"@ weight.T": "@ weight"},
    question="Forward leads from D features to F. Which way do the weights lead back?",
)
linear_backward.mistake(
    "d-input-without-weights", "the weights are left out of d_x",
    {"d_x = d_y @ weight.T": "d_x = d_y"},
    question="If a feature of x rises by one, by how much does each feature of y rise?",
)
linear_backward.mistake(
    "bias-in-d-input", "the bias comes into d_x", {"d_y @ weight.T": "(d_y + bias) @ weight.T"},
    {"d_y @ weight.T": "d_y @ (weight + bias).T"},
    question="Does the bias change how much y moves when x does?",
)
linear_backward.mistake(
    "d-bias-without-gradient", "d_y is left out of d_b",
    {D_BIAS: "np.full(d_y.shape[-1], float(len(rows)))"},
    {D_BIAS: "np.ones(d_y.shape[-1])"},
    question="By the chain rule, what is the derivative of y by b multiplied with?",
)
linear_backward.mistake(
    "gradients-reordered", "the gradients are returned in another order",
    {RETURN: "return d_weight, d_bias, d_x"},
    {RETURN: "return d_x, d_bias, d_weight"}, {RETURN: "return d_weight, d_x, d_bias"},
    question="In which order are the three asked for?",
)


@exercise(
    "linear.accumulate",
    forward=linear,
    inputs={
        "d_y": "(B, T, F)", "x": "(B, T, D)", "weight": "(D, F)", "d_weight": "(D, F)",
        "d_bias": "(F)",
    },
    returns={"d_x": "(B, T, D)"},
    given=lambda rng, n: {
        **{name: array for name, array in _given_backward(rng, n).items() if name != "bias"},
        "d_weight": rng.standard_normal((n.D, n.F)),
        "d_bias": rng.standard_normal(n.F),
    },
    changes=("d_weight", "d_bias"),
    shown=(Linear.backward,),
    hints=(
        "If these weights are used in two places, which gradient belongs to them?",
        "d_W ← d_W + Σ xᵀ d_y    d_b ← d_b + Σ d_y    d_x = d_y Wᵀ",
        "the gradients of this use of the layer, as in linear.backward\n"
        "add each to what its array holds already\n"
        "return d_x",
        "d_weight += x.reshape(-1, D).T @ d_y.reshape(-1, F)",
    ),
)
def linear_accumulate(d_y, x, weight, d_weight, d_bias):
    """Add the gradients of the weights and of the bias to the arrays that are handed in, and return
    that of x.

    A layer may be used in several places of a network, as tied embeddings are, and a batch may be
    worked off in parts. So `d_weight` and `d_bias` hold a gradient already, and what this use of y
    = x W + b contributes comes on top. The two arrays themselves are changed: whoever holds them
    sees it.
    """
    d_weight += x.reshape(-1, x.shape[-1]).T @ d_y.reshape(-1, d_y.shape[-1])
    d_bias += d_y.sum(axis=(0, 1))
    return d_y @ weight.T


COUNTS = ("x.shape[0]", "x.shape[1]", "d_y[..., 0].size")
ROWS = "x.reshape(-1, x.shape[-1]).T @ d_y.reshape(-1, d_y.shape[-1])"

linear_accumulate.mistake(
    "assigned-not-added", "the gradients are assigned, not added",
    {"d_weight +=": "d_weight[...] =", "d_bias +=": "d_bias[...] ="},
    evidence="What the arrays held before is lost.",
    question="After two backward passes with the same numbers, how large should a gradient be?",
)
linear_accumulate.mistake(
    "name-rebound", "a new array takes the name, and the one that was handed in stays as it was",
    {"d_weight +=": "d_weight = d_weight +", "d_bias +=": "d_bias = d_bias +"},
    {"d_weight +=": "d_weight =", "d_bias +=": "d_bias ="},
    evidence="Whoever handed the array in sees nothing of it.",
    question="What does = do to a name, and what does += do to an array?",
)
linear_accumulate.mistake(
    "mean-for-sum", "a mean stands where a sum should",
    *({"]).T @": f"]).T / {n} @", "sum(axis=(0, 1))": f"sum(axis=(0, 1)) / {n}"} for n in COUNTS),
    question=(
        "The loss takes its mean once, at the end. If this layer takes another, who divides d_x by "
        "as much?"
    ),
)
linear_accumulate.mistake(
    "d-weight-transposed", "d_W is transposed",
    {ROWS: "d_y.reshape(-1, d_y.shape[-1]).T @ x.reshape(-1, x.shape[-1])"},
    question=(
        "Which axis of the weights do the features of x stand on, and which axis of this gradient?"
    ),
)
linear_accumulate.mistake(
    "weight-not-transposed", "d_x is taken with W, not with its transpose",
    {"@ weight.T": "@ weight"},
    question="Forward leads from D features to F. Which way do the weights lead back?",
)
linear_accumulate.mistake(
    "subtracted-not-added", "the gradients are taken off, not added",
    {"d_weight +=": "d_weight -=", "d_bias +=": "d_bias -="},
    question="Is this the place where a step is taken, or where gradients are collected?",
)


@exercise(
    "linear.update",
    forward=linear,
    inputs={"d_y": "(B, T, F)", "x": "(B, T, D)", "weight": "(D, F)", "learning_rate": "number"},
    returns={"d_x": "(B, T, D)"},
    given=lambda rng, n: {
        **{name: array for name, array in _given_backward(rng, n).items() if name != "bias"},
        "learning_rate": 0.05,
    },
    changes=("weight",),
    shown=(Linear.backward, SGD.rule),
    hints=(
        "With which weights did forward make y, and with which does it belong to go back?",
        "d_x = d_y Wᵀ    d_W = Σ xᵀ d_y    then W ← W − η d_W",
        "d_x, while the weights are what forward used\n"
        "the gradient of the weights, as in linear.backward\n"
        "take learning_rate times that from the weights, in place\n"
        "return d_x",
        "weight -= learning_rate * (x.reshape(-1, D).T @ d_y.reshape(-1, F))",
    ),
)
def linear_update(d_y, x, weight, learning_rate):
    """One step of gradient descent on the weights of y = x W, in place, and the gradient of x for
    the layer below.

    The array `weight` itself is changed. The gradient of x is that of the y which forward computed.
    """
    d_weight = x.reshape(-1, x.shape[-1]).T @ d_y.reshape(-1, d_y.shape[-1])
    d_x = d_y @ weight.T
    weight -= learning_rate * d_weight
    return d_x


STEP = "d_x = d_y @ weight.T\n    weight -= learning_rate * d_weight"
AFTER = "weight -= learning_rate * d_weight\n    d_x = d_y @ weight.T"

linear_update.mistake(
    "updated-too-early", "the weights are updated before d_x is taken", {STEP: AFTER},
    {STEP: AFTER.replace("weight -=", "weight = weight -")}, {STEP: AFTER.replace("-=", "+=")},
    evidence="The difference is learning_rate · d_y d_Wᵀ: small, and so it goes unnoticed.",
    question="Which weights made the y that d_y is the gradient of?",
    met=places(issue("VikParuchuri/zero_to_gpt", 12), issue("kim-marcel/basic_neural_network", 7)),
)
linear_update.mistake(
    "name-rebound", "a new array takes the name, and the one that was handed in stays as it was",
    {"weight -= learning": "weight = weight - learning"},
    evidence="The model is frozen.",
    question="What does = do to a name, and what does -= do to an array?",
)
linear_update.mistake(
    "step-along-gradient", "the step goes along the gradient, not against it",
    {"weight -= learning": "weight += learning"}, question="Which way does the loss rise?",
)
linear_update.mistake(
    "learning-rate-missing", "the learning rate is left out",
    {"learning_rate * d_weight": "d_weight"},
    question="How long is the step?",
)
linear_update.mistake(
    "rate-in-d-input", "the learning rate comes into d_x",
    {"d_x = d_y @ weight.T": "d_x = learning_rate * d_y @ weight.T"},
    question="Is d_x a step, or the gradient that the layer below starts from?",
)
linear_update.mistake(
    "weights-replaced-by-step", "the weights are replaced by the step",
    {"weight -= learning_rate * d_weight": "weight[...] = -learning_rate * d_weight"},
    {"weight -= learning_rate * d_weight": "weight[...] = learning_rate * d_weight"},
    question="From where does a step start?",
)
linear_update.mistake(
    "mean-for-sum", "a mean stands where a sum should",
    *({"]).T @": f"]).T / {n} @"} for n in COUNTS),
    question=(
        "The loss takes its mean once, at the end. What does a second one do to the learning rate?"
    ),
)
linear_update.mistake(
    "weight-not-transposed", "d_x is taken with W, not with its transpose",
    {"@ weight.T": "@ weight"},
    question="Forward leads from D features to F. Which way do the weights lead back?",
)
linear_update.mistake(
    "d-weight-transposed", "d_W is transposed",
    {ROWS: "d_y.reshape(-1, d_y.shape[-1]).T @ x.reshape(-1, x.shape[-1])"},
    question=(
        "Which axis of the weights do the features of x stand on, and which axis of this gradient?"
    ),
)
