"""The simple recurrent network: one step, its backward, and backward through time."""

import numpy as np

from ...older import Recurrence, RNNCell
from ..exercise import exercise
from .met import issue, places, pull


def _weights(rng, n):
    return {
        "W_x": rng.standard_normal((n.D, n.F)) / np.sqrt(n.D),
        "W_h": rng.standard_normal((n.F, n.F)) / np.sqrt(n.F),
        "b": 0.5 * rng.standard_normal(n.F),
    }


def _one(rng, n):
    return {
        "x": rng.standard_normal((n.B, n.D)), "h": rng.uniform(-0.9, 0.9, (n.B, n.F)),
        **_weights(rng, n),
    }


def _many(rng, n):
    return {
        "x": rng.standard_normal((n.B, n.T, n.D)), "h_0": rng.uniform(-0.9, 0.9, (n.B, n.F)),
        **_weights(rng, n),
    }


WEIGHTS = {"W_x": "(D, F)", "W_h": "(F, F)", "b": "(F)"}
STEP = {"x": "(B, D)", "h": "(B, F)", **WEIGHTS}
SEQUENCE = {"x": "(B, T, D)", "h_0": "(B, F)", **WEIGHTS}


@exercise(
    "rnn.step",
    inputs=STEP,
    returns={"h_new": "(B, F)"},
    given=_one,
    shown=(RNNCell.forward,),
    hints=(
        "Two things decide on the new state. Which?",
        "h' = tanh(x W_x + h W_h + b)",
        (
            "what the new word says: x through its weights\n"
            "what the state before says: h through its own\n"
            "both and the bias added, and squeezed between −1 and 1"
        ),
        "np.tanh(x @ W_x + h @ W_h + b)",
    ),
)
def rnn_step(x, h, W_x, W_h, b):
    """One step of the simple recurrent network: the new state, from what is read and the state
    before.

    Both pass through weights of their own and add up, with one bias; tanh keeps the state between
    −1 and 1.
    """
    return np.tanh(x @ W_x + h @ W_h + b)


ALONE = "What of the words before is in the new state?"
rnn_step.mistake(
    "previous-state-missing", "the state before is left out", {" + h @ W_h": ""}, question=ALONE
)
rnn_step.mistake(
    "input-missing", "what is read is left out", {"x @ W_x + ": ""},
    question="What does the new state know of the word that was just read?",
)
rnn_step.mistake(
    "bias-missing", "b is not added",
    {" + b": ""}, question="What is the new state where x and h are 0?"
)
rnn_step.mistake(
    "tanh-missing", "there is no tanh", {"np.tanh(x @ W_x + h @ W_h + b)": "x @ W_x + h @ W_h + b"},
    question="How large can the state become after many steps?",
)
rnn_step.mistake(
    "other-function", "another function stands for tanh",
    {"np.tanh(x @ W_x + h @ W_h + b)": "1 / (1 + np.exp(-(x @ W_x + h @ W_h + b)))"},
    {"np.tanh(x @ W_x + h @ W_h + b)": "np.maximum(0, x @ W_x + h @ W_h + b)"},
    {"np.tanh(": "np.sin("},
    {"np.tanh(x @ W_x + h @ W_h + b)": "1 - np.tanh(x @ W_x + h @ W_h + b) ** 2"},
    question="Between which two numbers is the state to lie?",
)
rnn_step.mistake(
    "tanh-on-part", "tanh is not taken of the whole sum",
    {"np.tanh(x @ W_x + h @ W_h + b)": "np.tanh(x @ W_x + h @ W_h) + b"},
    {"np.tanh(x @ W_x + h @ W_h + b)": "np.tanh(x @ W_x + b) + h @ W_h"},
    {"np.tanh(x @ W_x + h @ W_h + b)": "x @ W_x + np.tanh(h @ W_h + b)"},
    {"np.tanh(x @ W_x + h @ W_h + b)": "np.tanh(x @ W_x) + np.tanh(h @ W_h) + b"},
    {"h @ W_h": "np.tanh(h) @ W_h"},
    {"np.tanh(x @ W_x + h @ W_h + b)": "np.tanh(x @ W_x) + np.tanh(h @ W_h + b)"},
    question="How large can the state become, if not all of the sum is squeezed?",
)
rnn_step.mistake(
    "weight-transposed", "a weight is transposed",
    {"h @ W_h": "h @ W_h.T"}, {"x @ W_x": "x @ W_x.T"},
    {"x @ W_x": "x @ W_x.T", "h @ W_h": "h @ W_h.T"},
    evidence="W_h is square: its transpose fits, too.",
    question="Which axis of h meets which axis of W_h in the product?",
)
rnn_step.mistake(
    "weights-exchanged", "x and h pass through each other's weights",
    {"x @ W_x": "x @ W_h", "h @ W_h": "h @ W_x"}, {"x @ W_x": "x @ W_h"}, {"h @ W_h": "h @ W_x"},
    question="Which of the two weights reads the state?",
)
rnn_step.mistake(
    "multiplied-not-added", "the two parts are multiplied, not added",
    {" + h @ W_h": " * (h @ W_h)"},
    question="What is the new state where h is 0?",
)
rnn_step.mistake(
    "state-added-again", "the state before is added to the new one",
    {"return np.tanh(": "return h + np.tanh("},
    evidence="Later networks have such a skip; this one does not.",
    question="Between which two numbers is the state to lie?",
)


@exercise(
    "rnn.step_backward",
    forward=rnn_step,
    inputs={"d_h_new": "(B, F)", **STEP},
    returns={"d_x": "(B, D)", "d_h": "(B, F)", "d_W_x": "(D, F)", "d_W_h": "(F, F)", "d_b": "(F)"},
    given=lambda rng, n: {"d_h_new": rng.standard_normal((n.B, n.F)), **_one(rng, n)},
    also={"h_new": lambda d_h_new, x, h, W_x, W_h, b: rnn_step(x, h, W_x, W_h, b)},
    shown=(RNNCell.backward,),
    hints=(
        "The derivative of tanh can be written with what tanh put out. How?",
        (
            "d_a = d_h' ∘ (1 − h'²),  d_x = d_a W_xᵀ,  d_h = d_a W_hᵀ,  d_W_x = xᵀ d_a,  d_W_h = "
            "hᵀ d_a,  d_b = Σ d_a"
        ),
        (
            "the new state, as in forward\n"
            "back through tanh\n"
            "from there back to x, to h, to the weights of both, to the bias"
        ),
        "d_a = d_h_new * (1 - h_new**2)",
    ),
)
def rnn_step_backward(d_h_new, x, h, W_x, W_h, b):
    """The gradients of all that goes into one step of the network, from the gradient of h' = tanh(x
    W_x + h W_h + b).

    The gradient of a weight is a sum over the batch.
    """
    h_new = rnn_step(x, h, W_x, W_h, b)
    d_a = d_h_new * (1 - h_new**2)
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h.T
    d_W_x = x.T @ d_a
    d_W_h = h.T @ d_a
    d_b = d_a.sum(axis=0)
    return d_x, d_h, d_W_x, d_W_h, d_b


SLOPE = "d_a = d_h_new * (1 - h_new**2)"
TANH = "Where tanh has put out 0, how steep is it? And where it has put out almost 1?"
rnn_step_backward.mistake(
    "tanh-derivative-of-input",
    "the derivative of tanh is taken with its input, not with its output",
    {"(1 - h_new**2)": "(1 - (x @ W_x + h @ W_h + b) ** 2)"},
    {"(1 - h_new**2)": "(1 - np.tanh(h_new) ** 2)"}, question=TANH,
    met=places(
        issue("lazyprogrammer/facial-expression-recognition", 2),
        issue("davidrmiller/neural2d", 40),
    ),
)
rnn_step_backward.mistake(
    "tanh-derivative-of-previous", "the derivative of tanh is taken with the state before",
    {"(1 - h_new**2)": "(1 - h**2)"},
    question="Which of the two states is it that came out of this tanh?",
)
rnn_step_backward.mistake(
    "tanh-missing", "tanh is left out",
    {SLOPE: "d_a = d_h_new"}, question="What came last in forward?"
)
rnn_step_backward.mistake(
    "tanh-derivative-wrong", "it is not the derivative of tanh", {"(1 - h_new**2)": "(1 - h_new)"},
    {"(1 - h_new**2)": "h_new * (1 - h_new)"}, {"(1 - h_new**2)": "(1 - h_new) ** 2"},
    {"(1 - h_new**2)": "h_new"}, {"(1 - h_new**2)": "(1 + h_new**2)"},
    {"(1 - h_new**2)": "(h_new**2 - 1)"}, {"(1 - h_new**2)": "(h_new > 0)"},
    {"(1 - h_new**2)": "np.sqrt(1 - h_new**2)"}, question=TANH,
    met=issue("nicodjimenez/lstm", 41),
)
rnn_step_backward.mistake(
    "derivative-without-gradient", "the derivative of tanh stands alone, without the gradient",
    {SLOPE: "d_a = 1 - h_new**2"},
    question="The derivative of tanh is one factor of the chain. Which is the other?",
)
rnn_step_backward.mistake(
    "gradients-past-tanh", "some gradients start from d_h', past tanh",
    {"x.T @ d_a": "x.T @ d_h_new", "h.T @ d_a": "h.T @ d_h_new", "d_a.sum": "d_h_new.sum"},
    {"d_a.sum": "d_h_new.sum"}, {"x.T @ d_a": "x.T @ d_h_new"}, {"h.T @ d_a": "h.T @ d_h_new"},
    {"x.T @ d_a": "x.T @ d_h_new", "h.T @ d_a": "h.T @ d_h_new"}, {"d_a @ W_h": "d_h_new @ W_h"},
    {"d_a @ W_x": "d_h_new @ W_x"}, {"d_a @ W_x": "d_h_new @ W_x", "d_a @ W_h": "d_h_new @ W_h"},
    question="By which way does each of the five reach h'? What do all of these ways pass?",
)
rnn_step_backward.mistake(
    "weight-not-transposed", "a weight is not transposed on the way back",
    {"W_h.T": "W_h"}, {"W_x.T": "W_x"},
    {"W_x.T": "W_x", "W_h.T": "W_h"}, evidence="W_h is square: nothing stops.",
    question="Which feature of h' does the number W_h[i, j] tie to which feature of h?",
)
rnn_step_backward.mistake(
    "d-weight-transposed", "the gradient of a weight is transposed", {"h.T @ d_a": "d_a.T @ h"},
    {"x.T @ d_a": "d_a.T @ x"}, {"x.T @ d_a": "d_a.T @ x", "h.T @ d_a": "d_a.T @ h"},
    evidence="W_h is square: nothing stops.",
    question="Which feature of h' does the number W_h[i, j] tie to which feature of h?",
)
rnn_step_backward.mistake(
    "d-weight-new-state", "d_W_h is taken with the new state", {"h.T @": "h_new.T @"},
    question="What did W_h multiply in forward: the state before, or the new one?",
    met=issue("VikParuchuri/zero_to_gpt", 9),
)
rnn_step_backward.mistake(
    "mean-over-batch", "a mean over the batch stands where a sum should", {"d_a.sum": "d_a.mean"},
    {"x.T @ d_a": "x.T @ d_a / len(x)", "h.T @ d_a": "h.T @ d_a / len(x)"},
    {"x.T @ d_a": "x.T @ d_a / len(x)", "h.T @ d_a": "h.T @ d_a / len(x)", "d_a.sum": "d_a.mean"},
    question="Whose job is it to take a mean over the batch: this step's, or the loss's?",
)
rnn_step_backward.mistake(
    "batch-not-summed",
    "the gradient of the bias, or of a weight, is not summed over the batch",
    {"d_a.sum(axis=0)": "d_a"},
    {"d_a.sum(axis=0)": "d_a.sum(axis=1)"},
    {"d_a.sum(axis=0)": "d_a.sum(axis=0, keepdims=True)"},
    {"x.T @ d_a": "x[:, :, None] * d_a[:, None]", "h.T @ d_a": "h[:, :, None] * d_a[:, None]"},
    {
        "x.T @ d_a": "x[:, :, None] * d_a[:, None]", "h.T @ d_a": "h[:, :, None] * d_a[:, None]",
        "d_a.sum(axis=0)": "d_a",
    },
    question=(
        "Which shape must a parameter's gradient have, and how many sentences share the parameter?"
    ),
)


@exercise(
    "rnn.states",
    inputs=SEQUENCE,
    returns={"h": "(B, T, F)"},
    given=_many,
    shown=(Recurrence.forward,),
    hints=(
        "From which state does the step at position t start?",
        "h_t = tanh(x_t W_x + h_{t−1} W_h + b) for t = 1 … T",
        (
            "begin with h_0\nfor each position in turn, one step from the state before\n"
            "keep all the states, side by side"
        ),
        "h = np.tanh(x[:, t] @ W_x + h @ W_h + b)",
    ),
)
def rnn_states(x, h_0, W_x, W_h, b):
    """Read a sequence step by step, each from the state that the one before has left: all T states.

    The first step starts from h_0, which is not among the T states that are returned. Each step is
    h_t = tanh(x_t W_x + h_{t−1} W_h + b), as in `rnn.step`.
    """
    h = h_0
    states = []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W_x + h @ W_h + b)
        states.append(h)
    return np.stack(states, axis=1)


rnn_states.mistake(
    "always-from-start", "every step starts from h_0", {"h @ W_h": "h_0 @ W_h"},
    question="Which state does a step start from: the one before, or the first?",
    met=pull("ageron/handson-mlp", 4),
)
rnn_states.mistake(
    "states-not-handed-on", "the states are not handed on", {" + h @ W_h": ""},
    {"        h = np.tanh(x": "        h = h * 0\n        h = np.tanh(x"}, question=ALONE,
)
rnn_states.mistake(
    "starts-from-zeros", "the first step starts from zeros", {"h = h_0\n": "h = 0 * h_0\n"},
    question="Where is h_0 in the first state?",
)
rnn_states.mistake(
    "read-backwards",
    "the sequence is read from its end",
    {"in range(x.shape[1])": "in reversed(range(x.shape[1]))"},
    {
        "in range(x.shape[1])": "in reversed(range(x.shape[1]))",
        "np.stack(states, axis=1)": "np.stack(states[::-1], axis=1)",
    },
    question="Which position is read first?",
)
rnn_states.mistake(
    "start-for-last", "h_0 is among the states, and the last is not",
    {
        "h = np.tanh(x[:, t] @ W_x + h @ W_h + b)\n        states.append(h)": (
            "states.append(h)\n        h = np.tanh(x[:, t] @ W_x + h @ W_h + b)"
        ),
    },
    question="Which state stands at position t: the one before reading x_t, or the one after it?",
)
rnn_states.mistake(
    "start-included", "h_0 is among the states, in front of the others",
    {"states = []": "states = [h_0]"},
    question="How many states are asked for, and after which word comes the first?",
)
rnn_states.mistake(
    "stacked-wrong-axis", "the states are stacked along the wrong axis",
    {"np.stack(states, axis=1)": "np.stack(states)"},
    {"np.stack(states, axis=1)": "np.stack(states, axis=2)"},
    {"np.stack(states, axis=1)": "np.concatenate(states, axis=1)"},
    question="Which axis of the states is that of the positions?",
)
rnn_states.mistake(
    "last-state-only", "only the last state is returned", {"np.stack(states, axis=1)": "h"},
    question="How many states are asked for?",
)
rnn_states.mistake(
    "bias-missing", "b is not added",
    {" + b)": ")"}, question="What is the new state where x and h are 0?"
)
rnn_states.mistake(
    "tanh-missing", "there is no tanh",
    {"np.tanh(x[:, t] @ W_x + h @ W_h + b)": "x[:, t] @ W_x + h @ W_h + b"},
    question="How large can the state become after many steps?",
)
rnn_states.mistake(
    "weight-transposed", "a weight is transposed", {"h @ W_h": "h @ W_h.T"}, {"@ W_x": "@ W_x.T"},
    {"h @ W_h": "h @ W_h.T", "@ W_x": "@ W_x.T"},
    evidence="W_h is square: its transpose fits, too.",
    question="Which axis of h meets which axis of W_h in the product?",
)


@exercise(
    "rnn.through_time",
    forward=rnn_states,
    inputs={"d_h": "(B, T, F)", **SEQUENCE},
    returns={
        "d_x": "(B, T, D)", "d_h_0": "(B, F)", "d_W_x": "(D, F)", "d_W_h": "(F, F)", "d_b": "(F)",
    },
    given=lambda rng, n: {"d_h": rng.standard_normal((n.B, n.T, n.F)), **_many(rng, n)},
    also={"h": lambda d_h, x, h_0, W_x, W_h, b: rnn_states(x, h_0, W_x, W_h, b)},
    shown=(Recurrence.backward, RNNCell.backward),
    hints=(
        (
            "A state was used twice: as an output, and as the beginning of the next step. Which "
            "step is undone first?"
        ),
        (
            "d_a_t = (d_h_t + d_a_{t+1} W_hᵀ) ∘ (1 − h_t²) for t = T … 1,  d_W_h = Σ_t h_{t−1}ᵀ "
            "d_a_t,  d_h_0 = d_a_1 W_hᵀ"
        ),
        (
            "all states, as in forward\nfrom the last step to the first: what its output says, and "
            "what the step after it says of its state\n"
            "back through tanh\nthe weights and the bias collect what every step says\n"
            "what goes to the state before is carried on"
        ),
        "d_a = (d_h[:, t] + carried) * (1 - h[:, t] ** 2)",
    ),
)
def rnn_through_time(d_h, x, h_0, W_x, W_h, b):
    """Backward through time: the gradients of all that goes into a recurrent network that reads a
    sequence.

        h_t = tanh(x_t W_x + h_{t−1} W_h + b)      t = 1 … T

    `d_h` holds the gradient of each state as an output. The state was also where the next step
    began; that share of its gradient is not in `d_h`. The weights are the same at every step.
    """
    h = rnn_states(x, h_0, W_x, W_h, b)
    before = np.concatenate([h_0[:, None], h[:, :-1]], axis=1)
    d_x = np.zeros_like(x)
    d_W_x = np.zeros_like(W_x)
    d_W_h = np.zeros_like(W_h)
    d_b = np.zeros_like(b)
    carried = np.zeros_like(h_0)
    for t in reversed(range(x.shape[1])):
        d_a = (d_h[:, t] + carried) * (1 - h[:, t] ** 2)
        d_x[:, t] = d_a @ W_x.T
        d_W_x += x[:, t].T @ d_a
        d_W_h += before[:, t].T @ d_a
        d_b += d_a.sum(axis=0)
        carried = d_a @ W_h.T
    return d_x, carried, d_W_x, d_W_h, d_b


SUM_X = "d_W_x += x[:, t].T @ d_a"
SUM_H = "d_W_h += before[:, t].T @ d_a"
SUM_B = "d_b += d_a.sum(axis=0)"
BACK = "in reversed(range(x.shape[1]))"
CARRIED = "By how many ways does a state have an effect on the loss?"
rnn_through_time.mistake(
    "nothing-carried", "nothing is carried from a step to the one before it",
    {"(d_h[:, t] + carried)": "d_h[:, t]"}, evidence="Only the last step's gradient is right then.",
    question=CARRIED,
)
rnn_through_time.mistake(
    "last-gradient-only", "only the last state's own gradient counts",
    {"(d_h[:, t] + carried)": "(d_h[:, t] if t == x.shape[1] - 1 else carried)"},
    evidence="That would be right if only the last state were used.", question=CARRIED,
)
rnn_through_time.mistake(
    "overwritten-each-step",
    "the gradients of the weights are overwritten at each step",
    {
        SUM_X: SUM_X.replace("+=", "="), SUM_H: SUM_H.replace("+=", "="),
        SUM_B: SUM_B.replace("+=", "="),
    },
    {SUM_X: SUM_X.replace("+=", "="), SUM_H: SUM_H.replace("+=", "=")},
    {SUM_X: SUM_X.replace("+=", "=")},
    {SUM_H: SUM_H.replace("+=", "=")},
    {SUM_B: SUM_B.replace("+=", "=")},
    evidence="What is left is the share of the first step, which is undone last.",
    question="At how many steps was the same weight used?",
)
rnn_through_time.mistake(
    "mean-over-steps",
    "a mean over the steps, or the batch, stands where a sum should",
    {
        "return d_x, carried, d_W_x, d_W_h, d_b": (
            "return d_x, carried, d_W_x / x.shape[1], d_W_h / x.shape[1], d_b / x.shape[1]"
        ),
    },
    {
        "return d_x, carried, d_W_x, d_W_h, d_b": (
            "return d_x, carried, d_W_x / len(x), d_W_h / len(x), d_b / len(x)"
        )
    },
    {
        "return d_x, carried, d_W_x, d_W_h, d_b": (
            "return d_x, carried, d_W_x / x[..., 0].size, d_W_h / x[..., 0].size, d_b / x[..., "
            "0].size"
        ),
    },
    {"d_a.sum(axis=0)": "d_a.mean(axis=0)"},
    question="Does each step's share of the loss shrink because there are more of them?",
)
rnn_through_time.mistake(
    "forward-order", "the steps are undone in the order of forward", {BACK: "in range(x.shape[1])"},
    question="Which step has to be undone before the first one can be?",
)
rnn_through_time.mistake(
    "carried-past-tanh", "what is carried on has not passed tanh",
    {"carried = d_a @": "carried = (d_h[:, t] + carried) @"},
    question="Between a state and the state before it lies tanh. Where is it on the way back?",
)
rnn_through_time.mistake(
    "carried-without-weight", "what is carried on does not pass W_h",
    {"carried = d_a @ W_h.T": "carried = d_a"},
    question="By what was the state before multiplied in forward?",
)
rnn_through_time.mistake(
    "carried-after-tanh", "what is carried is added after tanh, not before it",
    {"(d_h[:, t] + carried) * (1 - h[:, t] ** 2)": "d_h[:, t] * (1 - h[:, t] ** 2) + carried"},
    question="Did the next step use the state, or what tanh was taken of?",
)
rnn_through_time.mistake(
    "tanh-missing", "tanh is left out", {" * (1 - h[:, t] ** 2)": ""},
    question="What came last in a step of forward?",
)
rnn_through_time.mistake(
    "tanh-derivative-of-input",
    "the derivative of tanh is taken with its input, not with its output",
    {"h[:, t] ** 2": "(x[:, t] @ W_x + before[:, t] @ W_h + b) ** 2"},
    {"h[:, t] ** 2": "np.tanh(h[:, t]) ** 2"}, question=TANH,
)
rnn_through_time.mistake(
    "tanh-derivative-of-previous", "the derivative of tanh is taken with the state before",
    {"h[:, t] ** 2": "before[:, t] ** 2"},
    question="Which of the two states is it that came out of this tanh?",
)
rnn_through_time.mistake(
    "tanh-derivative-wrong", "it is not the derivative of tanh",
    {"(1 - h[:, t] ** 2)": "(1 - h[:, t])"},
    {"(1 - h[:, t] ** 2)": "h[:, t] * (1 - h[:, t])"}, {"(1 - h[:, t] ** 2)": "(1 - h[:, t]) ** 2"},
    question=TANH,
)
rnn_through_time.mistake(
    "d-weight-state-after", "d_W_h is taken with the state after the step",
    {"before[:, t].T": "h[:, t].T"},
    question="What did W_h multiply at step t: h_t, or h_{t−1}?",
    met=issue("VikParuchuri/zero_to_gpt", 9),
)
rnn_through_time.mistake(
    "first-share-missing", "the first step's share of d_W_h is missing",
    {SUM_H: "d_W_h += before[:, t].T @ d_a if t > 0 else 0"},
    {"[h_0[:, None], h": "[0 * h_0[:, None], h"},
    question="Which state did W_h multiply at the first step?",
)
rnn_through_time.mistake(
    "start-not-reached",
    "d_h_0 is not carried back through the first step",
    {
        "carried = d_a @ W_h.T": "first, carried = carried, d_a @ W_h.T",
        "return d_x, carried": "return d_x, first",
    },
    {"return d_x, carried": "return d_x, d_a"},
    {"return d_x, carried": "return d_x, 0 * carried"},
    {"return d_x, carried": "return d_x, carried + d_h[:, 0]"},
    question="How many steps lie between h_0 and the first state?",
)
rnn_through_time.mistake(
    "truncated-in-time", "the gradient is carried back over a few steps only",
    {"(d_h[:, t] + carried)": "(d_h[:, t] + (carried if t % 2 == 0 else 0))"},
    {"(d_h[:, t] + carried)": "(d_h[:, t] + (carried if t > 0 else 0))"},
    {BACK: "in reversed(range(1, x.shape[1]))"},
    question="Does the last state depend on the first word?",
)
rnn_through_time.mistake(
    "weight-not-transposed", "a weight is not transposed on the way back",
    {"W_h.T": "W_h"}, {"W_x.T": "W_x"},
    {"W_h.T": "W_h", "W_x.T": "W_x"}, evidence="W_h is square: nothing stops.",
    question="Which feature of h_t does the number W_h[i, j] tie to which feature of h_{t−1}?",
)
rnn_through_time.mistake(
    "d-weight-transposed", "the gradient of a weight is transposed",
    {"before[:, t].T @ d_a": "d_a.T @ before[:, t]"}, {"x[:, t].T @ d_a": "d_a.T @ x[:, t]"},
    {"x[:, t].T @ d_a": "d_a.T @ x[:, t]", "before[:, t].T @ d_a": "d_a.T @ before[:, t]"},
    evidence="W_h is square: nothing stops.",
    question="Which feature of h_t does the number W_h[i, j] tie to which feature of h_{t−1}?",
)
