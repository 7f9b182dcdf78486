"""The skip connection around a sublayer, with its norm after it or before."""

import numpy as np

from ...layers import Residual
from ..exercise import exercise
from .met import issue, places

BACK = {
    "d_y": "(B, T, D)", "sublayer_backward": "function: d_out → d_in",
    "norm_backward": "function: d_out → d_in",
}


def _sublayer(rng, n):
    """x ↦ tanh(x W), and its backward at a random x."""
    weight = rng.standard_normal((n.D, n.D)) / np.sqrt(n.D)
    slope = rng.uniform(0.2, 1, (n.B, n.T, n.D))
    return lambda x: np.tanh(x @ weight), lambda d_out: (slope * d_out) @ weight.T


def _norm(rng, n):
    """x ↦ γ ∘ x̂ + β, and its backward at a random x."""
    gamma, beta = 1 + 0.5 * rng.standard_normal(n.D), 0.5 * rng.standard_normal(n.D)
    x_hat, _ = _standardised(rng.standard_normal((n.B, n.T, n.D)))
    sigma = rng.uniform(0.5, 2, (n.B, n.T, 1))

    def backward(d_out):
        d = gamma * d_out
        return (
            d - d.mean(axis=-1, keepdims=True) - x_hat * (d * x_hat).mean(axis=-1, keepdims=True)
        ) / sigma

    return lambda x: gamma * _standardised(x)[0] + beta, backward


def _standardised(x):
    sigma = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return (x - x.mean(axis=-1, keepdims=True)) / sigma, sigma


def _forward(rng, n):
    x = 1 + 2 * rng.standard_normal((n.B, n.T, n.D))
    return {"x": x, "sublayer": _sublayer(rng, n)[0], "norm": _norm(rng, n)[0]}


def _backward(rng, n):
    return {
        "d_y": rng.standard_normal((n.B, n.T, n.D)),
        "sublayer_backward": _sublayer(rng, n)[1],
        "norm_backward": _norm(rng, n)[1],
    }


FORWARD = {
    "x": "(B, T, D)", "sublayer": "function: (B, T, D) → (B, T, D)",
    "norm": "function: (B, T, D) → (B, T, D)",
}
SKIP = "Through how many ways does x reach y, and what becomes of x where the sublayer says 0?"
BRANCH = "Where in y can one see what the sublayer did?"


@exercise(
    "residual.post_norm",
    inputs=FORWARD,
    returns={"y": "(B, T, D)"},
    given=_forward,
    shown=(Residual.forward,),
    hints=(
        (
            "Two ways lead around and through the sublayer. Where do they meet, and does the norm "
            "come before or after that?"
        ),
        "y = LayerNorm(x + f(x))",
        "what the sublayer makes of x\nthe sum of it and x\nthe norm of the sum",
        "norm(x + sublayer(x))",
    ),
)
def post_norm(x, sublayer, norm):
    """Add & Norm as the paper has it: a skip connection around the sublayer, and the norm last.

    `sublayer` and `norm` are functions of one array. x itself stays as it is: others still need it.
    """
    return norm(x + sublayer(x))


post_norm.mistake(
    "skip-missing", "the skip is missing", {"x + sublayer(x)": "sublayer(x)"}, question=SKIP,
    met="public NumPy Transformers",
)
post_norm.mistake(
    "branch-missing", "the branch is missing: nothing passes through the sublayer",
    {"x + sublayer(x)": "x"},
    question=BRANCH,
)
post_norm.mistake(
    "input-changed",
    "x is added to in place",
    {"return norm(x + sublayer(x))": "x += sublayer(x)\n    return norm(x)"},
    {
        "return norm(x + sublayer(x))": (
            "y = sublayer(x)\n    np.add(x, y, out=x)\n    return norm(x)"
        )
    },
    evidence=(
        "`x += …` writes into the array that was handed in, where the sublayer has perhaps kept it "
        "for its backward."
    ),
    question="In which array does `x += …` leave its result, and who else holds that array?",
)
post_norm.mistake(
    "norm-before-sum", "the norm is taken of the branch alone, before the sum",
    {"norm(x + sublayer(x))": "x + norm(sublayer(x))"},
    evidence="y is not normalised then: x goes past the norm.",
    question="What should the mean and the variance of y be over the features, γ and β aside?",
    met=places("public NumPy Transformers", issue("harvardnlp/annotated-transformer", 110)),
)
post_norm.mistake(
    "norm-first", "the norm comes first (pre-norm)",
    {"norm(x + sublayer(x))": "x + sublayer(norm(x))"},
    evidence="It is the other of the two usual orders.",
    question="In the paper's figure, is the Add & Norm below its sublayer or above it?",
    met=places(
        issue("harvardnlp/annotated-transformer", 1),
        issue("hkproj/pytorch-transformer", 14),
    ),
)
post_norm.mistake(
    "parts-normed-apart", "x and the branch are each normed, and not their sum",
    {"norm(x + sublayer(x))": "norm(x) + norm(sublayer(x))"},
    {"norm(x + sublayer(x))": "norm(x) + sublayer(x)"},
    {"norm(x + sublayer(x))": "norm(x) + sublayer(norm(x))"},
    question="How many norms does one Add & Norm have, and of what?",
)
post_norm.mistake(
    "norm-twice", "the norm acts twice", {"norm(x + sublayer(x))": "norm(norm(x + sublayer(x)))"},
    {"x + sublayer(x)": "x + norm(sublayer(x))"}, {"x + sublayer(x)": "x + sublayer(norm(x))"},
    question="How many norms does one Add & Norm have, and of what?",
)
post_norm.mistake(
    "norm-missing", "the norm is missing", {"norm(x + sublayer(x))": "x + sublayer(x)"},
    question="What should the variance of y be over the features, γ aside?",
)
post_norm.mistake(
    "not-added", "the branch is taken off, or multiplied, instead of added",
    {"x + sublayer(x)": "x - sublayer(x)"}, {"x + sublayer(x)": "sublayer(x) - x"},
    {"x + sublayer(x)": "x * sublayer(x)"},
    question="What does y come to where the sublayer says 0?",
)


@exercise(
    "residual.pre_norm",
    inputs=FORWARD,
    returns={"y": "(B, T, D)"},
    given=_forward,
    shown=(Residual.forward,),
    hints=(
        "One way from the input to the output has nothing on it at all. Which?",
        "y = x + f(LayerNorm(x))",
        "the norm of x\nwhat the sublayer makes of it\nthe sum of that and x, as x came in",
        "x + sublayer(norm(x))",
    ),
)
def pre_norm(x, sublayer, norm):
    """The residual connection of newer models: the norm stands inside the branch, and the skip is
    left alone.

    `sublayer` and `norm` are functions of one array. x itself stays as it is: others still need it.
    """
    return x + sublayer(norm(x))


pre_norm.mistake(
    "skip-missing", "the skip is missing", {"x + sublayer": "sublayer"}, question=SKIP,
    met="public NumPy Transformers",
)
pre_norm.mistake(
    "branch-missing", "the branch is missing: nothing passes through the sublayer",
    {"x + sublayer(norm(x))": "x"}, {"x + sublayer(norm(x))": "x + norm(x)"},
    {"x + sublayer(norm(x))": "norm(x)"}, question=BRANCH,
)
pre_norm.mistake(
    "input-changed", "x is added to in place",
    {"return x + sublayer(norm(x))": "x += sublayer(norm(x))\n    return x"},
    {"return x + sublayer(norm(x))": "y = sublayer(norm(x))\n    return np.add(x, y, out=x)"},
    evidence=(
        "`x += …` writes into the array that was handed in, where the norm has perhaps kept it for "
        "its backward."
    ),
    question="In which array does `x += …` leave its result, and who else holds that array?",
)
pre_norm.mistake(
    "skip-behind-norm", "the skip starts behind the norm",
    {"x + sublayer(norm(x))": "norm(x) + sublayer(norm(x))"},
    evidence="`x = norm(x)` at the beginning does that: the x that was handed in is lost.",
    question="Which x goes around the branch: the one before the norm, or the one after it?",
    met=places("public NumPy Transformers", issue("SHI-Labs/Compact-Transformers", 25)),
)
pre_norm.mistake(
    "norm-at-branch-end", "the norm is taken of the branch's end, not of its beginning",
    {"sublayer(norm(x))": "norm(sublayer(x))"},
    question="What does the sublayer read: x as it is, or x normed?",
    met=places("public NumPy Transformers", issue("harvardnlp/annotated-transformer", 110)),
)
pre_norm.mistake(
    "norm-last", "the norm comes last (post-norm)",
    {"x + sublayer(norm(x))": "norm(x + sublayer(x))"},
    evidence="It is the paper's order.",
    question="Is there a way from x to y here on which nothing at all happens?",
)
pre_norm.mistake(
    "norm-twice", "the norm acts twice", {"x + sublayer(norm(x))": "norm(x + sublayer(norm(x)))"},
    {"sublayer(norm(x))": "norm(sublayer(norm(x)))"},
    {"sublayer(norm(x))": "sublayer(norm(norm(x)))"},
    question="How many norms does one sublayer have here, and of what?",
)
pre_norm.mistake(
    "norm-missing", "the norm is missing", {"sublayer(norm(x))": "sublayer(x)"},
    question="What does the sublayer read: x as it is, or x normed?",
)
pre_norm.mistake(
    "not-added", "the branch is taken off, or multiplied, instead of added",
    {"x + sublayer": "x - sublayer"}, {"x + sublayer(norm(x))": "sublayer(norm(x)) - x"},
    {"x + sublayer": "x * sublayer"}, question="What does y come to where the sublayer says 0?",
)


@exercise(
    "residual.post_norm_backward",
    inputs=BACK,
    returns={"d_x": "(B, T, D)"},
    given=_backward,
    shown=(Residual.backward,),
    hints=(
        (
            "x was used twice. How do the gradients of two uses become one, and where on the way "
            "back does the norm stand?"
        ),
        "d_s = norm_backward(d_y),  d_x = d_s + sublayer_backward(d_s)",
        (
            "back through what came last\nfrom there, back through the sublayer\n"
            "add what came along the skip"
        ),
        "d_sum + sublayer_backward(d_sum)",
    ),
)
def post_norm_backward(d_y, sublayer_backward, norm_backward):
    """The gradient of x, from the gradient of y = LayerNorm(x + f(x)).

    `sublayer_backward` and `norm_backward` turn the gradient of what their forward returned into
    that of what it read.
    """
    d_sum = norm_backward(d_y)
    return d_sum + sublayer_backward(d_sum)


TWICE = "x was used twice in forward. What does a second use do to a gradient?"
post_norm_backward.mistake(
    "skip-missing", "the skip is missing", {"d_sum + sublayer": "sublayer"}, question=TWICE,
    met="public NumPy Transformers",
)
post_norm_backward.mistake(
    "branch-missing", "the branch is missing",
    {"d_sum + sublayer_backward(d_sum)": "d_sum"}, question=TWICE,
)
post_norm_backward.mistake(
    "skip-past-norm", "the skip carries d_y past the norm", {"return d_sum +": "return d_y +"},
    question="In forward, did x reach y without passing through the norm?",
)
post_norm_backward.mistake(
    "branch-past-norm", "the branch starts from d_y, past the norm",
    {"sublayer_backward(d_sum)": "sublayer_backward(d_y)"},
    question="What came after the sublayer in forward, and so comes before it in backward?",
)
post_norm_backward.mistake(
    "forward-order", "backward runs in the order of forward: the sublayer first, the norm last",
    {
        "d_sum = norm_backward(d_y)\n    return d_sum + sublayer_backward(d_sum)": (
            "return norm_backward(d_y + sublayer_backward(d_y))"
        ),
    },
    question="Which of the two met the data last in forward?",
)
post_norm_backward.mistake(
    "pre-norm-backward", "it is the backward of pre-norm",
    {
        "d_sum = norm_backward(d_y)\n    return d_sum + sublayer_backward(d_sum)": (
            "return d_y + norm_backward(sublayer_backward(d_y))"
        ),
    },
    question="Does the norm stand inside the branch here, or behind the sum?",
)
post_norm_backward.mistake(
    "norm-missing", "the norm is missing", {"norm_backward(d_y)": "d_y"},
    question="What came last in forward?",
)
post_norm_backward.mistake(
    "averaged-or-subtracted", "the two gradients are averaged, or taken from each other",
    {"return d_sum + sublayer_backward(d_sum)": "return (d_sum + sublayer_backward(d_sum)) / 2"},
    {"d_sum + sublayer": "d_sum - sublayer"}, {"d_sum + sublayer": "d_sum * sublayer"},
    question=(
        "If x moves a little, y moves through the skip and through the branch. By how much "
        "together?"
    ),
)


@exercise(
    "residual.pre_norm_backward",
    inputs=BACK,
    returns={"d_x": "(B, T, D)"},
    given=_backward,
    shown=(Residual.backward,),
    hints=(
        (
            "x was used twice. On one of the two ways nothing happened to it; what happened on the "
            "other, and in which order?"
        ),
        "d_x = d_y + norm_backward(sublayer_backward(d_y))",
        (
            "back through the sublayer, which came last in the branch\n"
            "from there, back through the norm\n"
            "add what came along the skip"
        ),
        "d_y + norm_backward(sublayer_backward(d_y))",
    ),
)
def pre_norm_backward(d_y, sublayer_backward, norm_backward):
    """The gradient of x, from the gradient of y = x + f(LayerNorm(x)).

    `sublayer_backward` and `norm_backward` turn the gradient of what their forward returned into
    that of what it read.
    """
    return d_y + norm_backward(sublayer_backward(d_y))


pre_norm_backward.mistake(
    "skip-missing", "the skip is missing",
    {"d_y + norm": "norm"}, evidence="What is missing is d_y itself.",
    question=TWICE, met="public NumPy Transformers",
)
pre_norm_backward.mistake(
    "branch-missing", "the branch is missing",
    {"d_y + norm_backward(sublayer_backward(d_y))": "d_y"},
    evidence="What came out is d_y itself.", question=TWICE,
)
pre_norm_backward.mistake(
    "upstream-changed", "d_y is added to in place",
    {
        "return d_y + norm_backward(sublayer_backward(d_y))": (
            "d_y += norm_backward(sublayer_backward(d_y))\n    return d_y"
        ),
    },
    question="In which array does `d_y += …` leave its result, and who else holds that array?",
)
pre_norm_backward.mistake(
    "skip-through-norm", "the skip passes through the norm too",
    {"d_y + norm_backward(sublayer_backward(d_y))": "norm_backward(d_y + sublayer_backward(d_y))"},
    evidence="That is the gradient of LayerNorm(x) + f(LayerNorm(x)).",
    question="In forward, did the skip start before the norm or behind it?",
    met="public NumPy Transformers",
)
pre_norm_backward.mistake(
    "branch-forward-order", "the branch is gone through in the order of forward",
    {"norm_backward(sublayer_backward(d_y))": "sublayer_backward(norm_backward(d_y))"},
    question="Which of the two met the data last in forward?",
)
pre_norm_backward.mistake(
    "post-norm-backward", "it is the backward of post-norm",
    {
        "return d_y + norm_backward(sublayer_backward(d_y))": (
            "d_sum = norm_backward(d_y)\n    return d_sum + sublayer_backward(d_sum)"
        ),
    },
    question="Does the norm stand inside the branch here, or behind the sum?",
)
pre_norm_backward.mistake(
    "norm-missing", "the norm is missing",
    {"norm_backward(sublayer_backward(d_y))": "sublayer_backward(d_y)"},
    question="What happened to x before the sublayer read it?",
)
pre_norm_backward.mistake(
    "sublayer-missing", "the sublayer is missing",
    {"norm_backward(sublayer_backward(d_y))": "norm_backward(d_y)"},
    question="What happened to x in the branch after the norm?",
)
pre_norm_backward.mistake(
    "averaged-or-subtracted",
    "the two gradients are averaged, or taken from each other",
    {
        "return d_y + norm_backward(sublayer_backward(d_y))": (
            "return (d_y + norm_backward(sublayer_backward(d_y))) / 2"
        )
    },
    {"d_y + norm": "d_y - norm"},
    {"d_y + norm": "d_y * norm"},
    question=(
        "If x moves a little, y moves through the skip and through the branch. By how much "
        "together?"
    ),
)
