"""The position-wise feed-forward network."""

import numpy as np

from ...backend import normal_cdf
from ...layers import FeedForward
from ..exercise import Invariant, exercise
from .met import issue

INPUTS = {"x": "(B, T, D)", "W_1": "(D, F)", "b_1": "(F)", "W_2": "(F, D)", "b_2": "(D)"}


def _given(rng, n):
    return {
        "x": rng.standard_normal((n.B, n.T, n.D)),
        "W_1": rng.standard_normal((n.D, n.F)) / np.sqrt(n.D),
        "b_1": 0.5 * rng.standard_normal(n.F),
        "W_2": rng.standard_normal((n.F, n.D)) / np.sqrt(n.F),
        "b_2": 0.5 * rng.standard_normal(n.D),
    }


def _hidden(x, W_1, b_1, **_):
    return np.maximum(0, x @ W_1 + b_1)


def _along(out, given, name):
    """By how much the loss changes with the scale of a parameter."""
    return np.sum(out[f"d_{name}"] * given[name])


def _gelu(a):
    return a * normal_cdf(a)


def _tanh_gelu(a):
    return a * (1 + np.tanh(np.sqrt(2 / np.pi) * (a + 0.044715 * a**3))) / 2


def _sigmoid_gelu(a):
    return a / (1 + np.exp(-1.702 * a))


def _leaky(a, slope):
    return np.where(a > 0, a, slope * a)


@exercise(
    "feed_forward.forward",
    inputs=INPUTS,
    returns={"y": "(B, T, D)"},
    given=_given,
    also={"hidden": _hidden},
    shown=(FeedForward.forward,),
    hints=(
        "Without the ReLU between them, what would two affine maps in a row amount to?",
        "y = max(0, x W₁ + b₁) W₂ + b₂",
        (
            "the first affine map, from D to F features\n"
            "negative numbers become 0\nthe second affine map, back to D"
        ),
        "np.maximum(0, x @ W_1 + b_1) @ W_2 + b_2",
    ),
)
def feed_forward(x, W_1, b_1, W_2, b_2):
    """Widen each position's features to F by an affine map, apply ReLU, and narrow them to D by
    another.

    ReLU lets positive numbers through and turns negative ones into 0: what it leaves are the hidden
    numbers. Positions do not see each other.
    """
    return np.maximum(0, x @ W_1 + b_1) @ W_2 + b_2


feed_forward.mistake(
    "relu-missing", "there is no ReLU", {"np.maximum(0, x @ W_1 + b_1)": "(x @ W_1 + b_1)"},
    question="Two affine maps in a row are one affine map. What keeps these two apart?",
)
feed_forward.mistake(
    "relu-misplaced", "ReLU acts at another place",
    {"np.maximum(0, x @ W_1 + b_1)": "(np.maximum(0, x @ W_1) + b_1)"},
    {"np.maximum(0, x @ W_1 + b_1) @ W_2 + b_2": "np.maximum(0, (x @ W_1 + b_1) @ W_2 + b_2)"},
    {"np.maximum(0, x @ W_1 + b_1)": "(np.maximum(0, x) @ W_1 + b_1)"},
    question="Which numbers must not be negative: x, the hidden ones, or y?",
    met=issue("spring-media/TransformerTTS", 102),
)
feed_forward.mistake(
    "relu-on-output",
    "ReLU acts once more, on the output",
    {
        "np.maximum(0, x @ W_1 + b_1) @ W_2 + b_2": (
            "np.maximum(0, np.maximum(0, x @ W_1 + b_1) @ W_2 + b_2)"
        )
    },
    evidence="No number of y is negative.",
    question="May a number of y be negative?",
)
feed_forward.mistake(
    "other-function",
    "another function stands for ReLU",
    {"np.maximum(0, x @ W_1 + b_1)": "np.abs(x @ W_1 + b_1)"},
    {"np.maximum(0, x @ W_1 + b_1)": "np.tanh(x @ W_1 + b_1)"},
    {"np.maximum(0, x @ W_1 + b_1)": "(1 / (1 + np.exp(-x @ W_1 - b_1)))"},
    {"np.maximum(0, x @ W_1 + b_1)": "np.minimum(0, x @ W_1 + b_1)"},
    {"np.maximum(0, x @ W_1 + b_1)": "((x @ W_1 + b_1) > 0)"},
    {"np.maximum(0, x @ W_1 + b_1)": "np.log1p(np.exp(x @ W_1 + b_1))"},
    *(
        {"np.maximum(0, x @ W_1 + b_1)": f"_leaky(x @ W_1 + b_1, {slope})"}
        for slope in (0.01, 0.1, 0.2)
    ),
    question="What does ReLU make of −2, of 0, and of 3?",
)
feed_forward.mistake(
    "gelu-for-relu",
    "GELU stands for ReLU",
    *(
        {"np.maximum(0, x @ W_1 + b_1)": f"{gelu}(x @ W_1 + b_1)"}
        for gelu in ("_gelu", "_tanh_gelu", "_sigmoid_gelu")
    ),
    evidence="It is what later models have.",
    question="Which of the two is exactly 0 for every negative number?",
)
feed_forward.mistake(
    "first-bias-missing", "b₁ is not added", {" + b_1": ""}, question="What is hidden where x is 0?"
)
feed_forward.mistake(
    "second-bias-missing", "b₂ is not added", {" + b_2": ""},
    question="What is y where nothing hidden is positive?",
)
feed_forward.mistake(
    "skip-added", "x is added at the end", {"+ b_2": "+ b_2 + x"},
    evidence="The skip connection belongs to Add & Norm, around this network.",
    question="If all weights and biases are 0, what is y?",
)
feed_forward.mistake(
    "weight-transposed", "a weight is transposed", {"x @ W_1": "x @ W_1.T"}, {"@ W_2": "@ W_2.T"},
    {"x @ W_1": "x @ W_1.T", "@ W_2": "@ W_2.T"},
    evidence=(
        "With W (in, out) and positions in rows, no transpose is needed; PyTorch keeps its weights "
        "as (out, in)."
    ),
    question="Which axis of x meets which axis of W₁ in the product?",
)


@exercise(
    "feed_forward.backward",
    forward=feed_forward,
    inputs={"d_y": "(B, T, D)", **INPUTS},
    returns={
        "d_x": "(B, T, D)", "d_W_1": "(D, F)", "d_b_1": "(F)", "d_W_2": "(F, D)", "d_b_2": "(D)",
    },
    given=lambda rng, n: {"d_y": rng.standard_normal((n.B, n.T, n.D)), **_given(rng, n)},
    also={"hidden": _hidden},
    invariants=(
        Invariant(
            "Σ d_W_1 ∘ W_1 + Σ d_b_1 ∘ b_1, less Σ d_W_2 ∘ W_2,",
            "ReLU lets a factor pass from the first layer to the second",
            lambda out, given: (
                _along(out, given, "W_1") + _along(out, given, "b_1") - _along(out, given, "W_2")
            ),
        ),
    ),
    shown=(FeedForward.backward,),
    hints=(
        (
            "Which hidden numbers did ReLU let through, and what does a small change of the others "
            "do to y?"
        ),
        (
            "d_h = d_y W₂ᵀ,  d_a = d_h ∘ [a > 0],  d_x = d_a W₁ᵀ,  d_W₂ = Σ hᵀ d_y,  d_W₁ = Σ xᵀ "
            "d_a  (Σ over all positions)"
        ),
        (
            "the hidden numbers as in forward\n"
            "back through the second map: its weight, its bias, its input\n"
            "only where ReLU was open\n"
            "back through the first map likewise"
        ),
        "d_a = (d_y @ W_2.T) * (hidden > 0)",
    ),
)
def feed_forward_backward(d_y, x, W_1, b_1, W_2, b_2):
    """The gradients of x and of all weights and biases, from the gradient of y = max(0, x W₁ + b₁)
    W₂ + b₂.

    The gradient of a weight is a sum over all positions of all sentences. The hidden numbers are
    max(0, x W₁ + b₁).
    """
    hidden = np.maximum(0, x @ W_1 + b_1)
    d_W_2 = np.einsum("btf,btd->fd", hidden, d_y)
    d_b_2 = d_y.sum(axis=(0, 1))
    d_hidden = d_y @ W_2.T
    d_a = d_hidden * (hidden > 0)
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_a.sum(axis=(0, 1))
    d_x = d_a @ W_1.T
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


GATE = "d_a = d_hidden * (hidden > 0)"
feed_forward_backward.mistake(
    "relu-skipped", "the gradient passes ReLU everywhere", {GATE: "d_a = d_hidden"},
    {"(hidden > 0)": "(hidden >= 0)"},
    evidence="Of what ReLU put out, nothing is below 0: `hidden >= 0` holds everywhere.",
    question="If a hidden number was cut off at 0, and its input moves a little, does y move?",
)
feed_forward_backward.mistake(
    "gate-by-gradient", "the gate looks at the gradient, not at what ReLU saw",
    {"(hidden > 0)": "(d_hidden > 0)"}, {GATE: "d_a = np.maximum(0, d_hidden)"},
    question=(
        "What decided in forward whether a number passes: its own sign, or that of its gradient?"
    ),
)
feed_forward_backward.mistake(
    "gate-without-gradient", "the gate stands alone, without the gradient that passes it",
    {GATE: "d_a = (hidden > 0).astype(d_y.dtype)"},
    question="1 where ReLU was open: that is its derivative. What does the chain rule do with it?",
)
feed_forward_backward.mistake(
    "hidden-for-gate",
    "the gradient is multiplied by the hidden numbers, not by 1 where they are positive",
    {"(hidden > 0)": "hidden"}, question="What is the slope of ReLU at 3, and at 5?",
)
feed_forward_backward.mistake(
    "gate-inverted", "the gate is open where it should be shut", {"(hidden > 0)": "(hidden <= 0)"},
    {"(hidden > 0)": "(hidden == 0)"}, question="On which side of 0 does ReLU let a change pass?",
)
feed_forward_backward.mistake(
    "gate-without-bias", "the gate forgets b₁", {"(hidden > 0)": "(x @ W_1 > 0)"},
    question="Was it x W₁ of which ReLU saw the sign?",
)
feed_forward_backward.mistake(
    "gate-on-part-only", "only a part of the first map's gradients passes the gate",
    {"d_x = d_a @": "d_x = d_hidden @"}, {"d_b_1 = d_a": "d_b_1 = d_hidden"},
    {"x, d_a)": "x, d_hidden)"}, {"x, d_a)": "x, d_hidden)", "d_b_1 = d_a": "d_b_1 = d_hidden"},
    question="x, W₁ and b₁ reach y by one and the same way. Through what does it lead?",
)
feed_forward_backward.mistake(
    "d-second-before-relu", "d_W₂ is taken with what came before ReLU",
    {"hidden, d_y)": "x @ W_1 + b_1, d_y)"},
    {"hidden, d_y)": "x @ W_1, d_y)"}, question="What did W₂ multiply in forward?",
)
feed_forward_backward.mistake(
    "weight-left-out", "the way back leaves out a weight",
    {"d_hidden = d_y @ W_2.T": "d_hidden = d_y"},
    {"d_x = d_a @ W_1.T": "d_x = d_a"},
    question="Through which weights does a change of x have to pass before it reaches y?",
)
feed_forward_backward.mistake(
    "d-weight-transposed", "the gradient of a weight is transposed", {"btf,btd->fd": "btf,btd->df"},
    {"btd,btf->df": "btd,btf->fd"}, {"btf,btd->fd": "btf,btd->df", "btd,btf->df": "btd,btf->fd"},
    question="Which shape must the gradient of a weight have?",
)
feed_forward_backward.mistake(
    "d-weights-not-summed", "the gradients of the weights are not summed over the batch",
    {"btf,btd->fd": "btf,btd->bfd"}, {"btd,btf->df": "btd,btf->bdf"},
    {"btf,btd->fd": "btf,btd->bfd", "btd,btf->df": "btd,btf->bdf"},
    {"hidden, d_y)": "hidden[:1], d_y[:1])", "x, d_a)": "x[:1], d_a[:1])"},
    question="How many sentences share one W, and what does each of them add to its gradient?",
)
feed_forward_backward.mistake(
    "mean-over-positions",
    "a mean over positions stands where a sum should",
    {
        "d_y.sum(axis=(0, 1))": "d_y.mean(axis=(0, 1))",
        "d_a.sum(axis=(0, 1))": "d_a.mean(axis=(0, 1))",
    },
    {"hidden, d_y)": "hidden, d_y / len(x))", "x, d_a)": "x, d_a / len(x))"},
    {
        "hidden, d_y)": "hidden, d_y / len(x))", "x, d_a)": "x, d_a / len(x))",
        "d_y.sum(axis=(0, 1))": "d_y.sum(axis=1).mean(axis=0)",
        "d_a.sum(axis=(0, 1))": "d_a.sum(axis=1).mean(axis=0)",
    },
    {"hidden, d_y)": "hidden, d_y / x[..., 0].size)", "x, d_a)": "x, d_a / x[..., 0].size)"},
    {
        "hidden, d_y)": "hidden, d_y / x[..., 0].size)", "x, d_a)": "x, d_a / x[..., 0].size)",
        "d_y.sum(": "d_y.mean(", "d_a.sum(": "d_a.mean(",
    },
    question="Whose job is it to take a mean over the positions: this network's, or the loss's?",
)
feed_forward_backward.mistake(
    "d-biases-keep-positions",
    "the gradients of the biases keep an axis of the positions",
    {"d_y.sum(axis=(0, 1))": "d_y.sum(axis=0)", "d_a.sum(axis=(0, 1))": "d_a.sum(axis=0)"},
    {"d_y.sum(axis=(0, 1))": "d_y.sum(axis=1)", "d_a.sum(axis=(0, 1))": "d_a.sum(axis=1)"},
    {"d_y.sum(axis=(0, 1))": "d_y", "d_a.sum(axis=(0, 1))": "d_a"},
    {
        "d_y.sum(axis=(0, 1))": "d_y.sum(axis=(0, 1), keepdims=True)",
        "d_a.sum(axis=(0, 1))": "d_a.sum(axis=(0, 1), keepdims=True)",
    },
    question=(
        "Which shape must the gradient of a bias have, and how many positions share that bias?"
    ),
)
feed_forward_backward.mistake(
    "weight-not-transposed", "a weight is not transposed on the way back",
    {"d_y @ W_2.T": "d_y @ W_2"},
    {"d_a @ W_1.T": "d_a @ W_1"}, {"d_y @ W_2.T": "d_y @ W_2", "d_a @ W_1.T": "d_a @ W_1"},
    question="W₂ leads from F features to D. Which one leads back?",
)
feed_forward_backward.mistake(
    "skip-in-gradient", "d_y is added to d_x, as if there were a skip connection",
    {"d_x = d_a @ W_1.T": "d_x = d_y + d_a @ W_1.T"},
    question="Is x in this y by any way besides W₁?",
)
feed_forward_backward.mistake(
    "maps-reordered", "the gradients of the second map are returned before those of the first",
    {"d_x, d_W_1, d_b_1, d_W_2, d_b_2": "d_x, d_W_2, d_b_2, d_W_1, d_b_1"},
    question="In which order are the gradients asked for, and which shape has each?",
)
