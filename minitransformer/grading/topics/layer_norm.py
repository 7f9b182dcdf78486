"""LayerNorm."""

import numpy as np

from ...layers import LayerNorm
from ..exercise import Invariant, exercise
from .met import issue, places, pull

FLAT = 1e-3  # the spread of a row in which ε counts


def _given(rng, n):
    return {
        "x": 1 + 2 * rng.standard_normal((n.B, n.T, n.D)),
        "gamma": 1 + 0.5 * rng.standard_normal(n.D),
        "beta": 0.5 * rng.standard_normal(n.D),
        "epsilon": 1e-5,
    }


def _flat(given, rng, n):
    """Rows with hardly any spread, where it matters how ε enters."""
    return {"x": 1 + FLAT * rng.standard_normal((n.B, n.T, n.D))}


def _parts(x, epsilon):
    mean = x.mean(axis=-1, keepdims=True)
    sigma = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    return (x - mean) / sigma, sigma


INPUTS = {"x": "(B, T, D)", "gamma": "(D)", "beta": "(D)", "epsilon": "number"}


@exercise(
    "layer_norm.forward",
    inputs=INPUTS,
    returns={"y": "(B, T, D)"},
    given=_given,
    situations={"rows that are nearly constant": _flat},
    also={
        "x_hat": lambda x, epsilon, **_: _parts(x, epsilon)[0],
        "sigma": lambda x, epsilon, **_: _parts(x, epsilon)[1],
    },
    shown=(LayerNorm.forward,),
    hints=(
        "Over which axis does one position know its mean and its variance?",
        "x̂ = (x − mean) / √(var + ε),  y = γ ∘ x̂ + β",
        (
            "the mean of each position's features, its axis kept\n"
            "their variance about it, likewise\ndivide what is left by the root\n"
            "scale, shift"
        ),
        "gamma * (x - mean) / np.sqrt(variance + epsilon) + beta",
    ),
)
def layer_norm(x, gamma, beta, epsilon):
    """Give each position's features mean 0 and variance 1, then scale them by gamma and shift them
    by beta.

        y = γ ∘ x̂ + β

    The variance is the mean of the squared distances from the mean (Ba, Kiros & Hinton 2016). ε is
    there so that a constant row does not divide by zero.
    """
    mean = x.mean(axis=-1, keepdims=True)
    sigma = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    return gamma * (x - mean) / sigma + beta


VARIANCE = "x.var(axis=-1, keepdims=True)"
layer_norm.mistake(
    "epsilon-outside-root", "ε is added to σ, outside the root",
    {"np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)": "x.std(axis=-1, keepdims=True) + epsilon"},
    convention=True,
    evidence="The usual place of ε is inside the root; only rows that are nearly constant show it.",
    met=places(
        "the Annotated Transformer",
        issue("codertimo/BERT-pytorch", 30),
        pull("hkproj/pytorch-transformer", 31),
    ),
)
layer_norm.mistake(
    "variance-unbiased",
    "the variance is divided by D − 1",
    {VARIANCE: "x.var(axis=-1, keepdims=True, ddof=1)"},
    {
        "np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)": (
            "x.std(axis=-1, keepdims=True, ddof=1) + epsilon"
        )
    },
    question=(
        "Is the variance here an estimate for more features than there are, or that of exactly "
        "these?"
    ),
    met=places(
        "the Annotated Transformer",
        pull("harvardnlp/annotated-transformer", 119),
        pull("allenai/allennlp", 953),
    ),
)
layer_norm.mistake(
    "statistics-over-wrong-axis", "mean and variance run over another axis than the features",
    {"mean = x.mean(axis=-1": "mean = x.mean(axis=-2", "x.var(axis=-1": "x.var(axis=-2"},
    {"mean = x.mean(axis=-1": "mean = x.mean(axis=0", "x.var(axis=-1": "x.var(axis=0"},
    {"x.mean(axis=-1, keepdims=True)": "x.mean()", "x.var(axis=-1, keepdims=True)": "x.var()"},
    {"x.mean(axis=-1, ": "x.mean(axis=(1, 2), ", "x.var(axis=-1, ": "x.var(axis=(1, 2), "},
    question="Which numbers belong to one position, and to no other?",
    met=pull("jadore801120/attention-is-all-you-need-pytorch", 17),
)
layer_norm.mistake(
    "divided-by-variance", "the features are divided by the variance, not by its root",
    {"np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)": "x.var(axis=-1, keepdims=True) + epsilon"},
    question="If all features are doubled, how much does each of the two grow?",
)
layer_norm.mistake(
    "beta-missing", "β is not added", {" + beta": ""}, question="What is y where x̂ is 0?"
)
layer_norm.mistake(
    "gamma-missing", "γ is not multiplied",
    {"gamma * ": ""}, question="Which of the two parameters scales?"
)
layer_norm.mistake(
    "mean-not-subtracted", "the mean is not taken off", {"(x - mean)": "x"},
    question="What is the mean of y over the features, before γ and β?",
)
layer_norm.mistake(
    "epsilon-missing", "ε is left out", {" + epsilon": ""},
    question="What happens to a row whose features are all equal?",
)


@exercise(
    "layer_norm.backward",
    forward=layer_norm,
    inputs={"d_y": "(B, T, D)", **INPUTS},
    returns={"d_x": "(B, T, D)", "d_gamma": "(D)", "d_beta": "(D)"},
    given=lambda rng, n: {"d_y": rng.standard_normal((n.B, n.T, n.D)), **_given(rng, n)},
    also={
        "x_hat": lambda x, epsilon, **_: _parts(x, epsilon)[0],
        "sigma": lambda x, epsilon, **_: _parts(x, epsilon)[1],
    },
    situations={"rows that are nearly constant": _flat},
    invariants=(
        Invariant(
            "The sum of d_x over the features", "LayerNorm ignores a shift of x",
            lambda out, given: out["d_x"].sum(-1),
        ),
    ),
    shown=(LayerNorm.backward,),
    hints=(
        "Mean and σ depend on every feature too. Through which three ways does x_i reach y?",
        "d_x = (d_x̂ − mean(d_x̂) − x̂ ∘ mean(d_x̂ ∘ x̂)) / σ,  d_x̂ = γ ∘ d_y",
        (
            "x̂ and σ as in forward\nd_β and d_γ: sums over all positions\n"
            "from y to x̂: times γ\ntake off the two means over the features\n"
            "divide by σ"
        ),
        (
            "(d_x_hat - d_x_hat.mean(-1, keepdims=True) - x_hat * (d_x_hat * x_hat).mean(-1, "
            "keepdims=True)) / sigma"
        ),
    ),
)
def layer_norm_backward(d_y, x, gamma, beta, epsilon):
    """The gradients of x, gamma and beta, from the gradient of y = γ ∘ (x − mean)/√(var + ε) + β.

    The mean and the variance depend on every feature of x, and so their share belongs to d_x.
    """
    mean = x.mean(axis=-1, keepdims=True)
    sigma = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    x_hat = (x - mean) / sigma
    d_beta = d_y.sum(axis=(0, 1))
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_x_hat = gamma * d_y
    through_mean = d_x_hat.mean(axis=-1, keepdims=True)
    through_sigma = x_hat * (d_x_hat * x_hat).mean(axis=-1, keepdims=True)
    d_x = d_x_hat - through_mean - through_sigma
    return d_x / sigma, d_gamma, d_beta


layer_norm_backward.mistake(
    "gamma-outside-sums", "γ stands outside the sums",
    {"d_x_hat = gamma * d_y": "d_x_hat = d_y", "return d_x": "return gamma * d_x"},
    evidence="While γ is constant, as it is before training, this is exact; afterwards it is not.",
    question="Which gradient is it that the two means are taken of: that of y, or that of x̂?",
    met="two public NumPy Transformers",
)
layer_norm_backward.mistake(
    "mean-path-missing", "the way through the mean is missing", {" - through_mean": ""},
    evidence="What is too much is the same for all features of a position.",
    question="If all features rise by one, how much does y change? And what does d_x say to that?",
)
layer_norm_backward.mistake(
    "sigma-path-missing", "the way through σ is missing", {" - through_sigma": ""},
    evidence="What is too much is proportional to x̂.",
    question="If all features move away from their mean together, how much does y change?",
)
layer_norm_backward.mistake(
    "statistics-as-constants", "mean and σ are taken for constants",
    {" - through_mean - through_sigma": ""},
    question="On what do the mean and σ depend?",
)
layer_norm_backward.mistake(
    "gamma-missing", "γ is left out of d_x", {"d_x_hat = gamma * d_y": "d_x_hat = d_y"},
    question="What lies between y and x̂?",
)
layer_norm_backward.mistake(
    "divided-by-variance", "the end is divided by the variance, not by σ",
    {"d_x / sigma": "d_x / sigma**2"},
    question="x̂ = (x − mean)/σ. With mean and σ held still, what is its derivative?",
)
layer_norm_backward.mistake(
    "centred-for-normalised", "x − mean stands for x̂ in the way through σ",
    {"through_sigma = x_hat *": "through_sigma = (x - mean) *"},
    {"x_hat * (d_x_hat * x_hat).mean": "(x - mean) * (d_x_hat * (x - mean)).mean"},
    {"(d_x_hat * x_hat).mean": "(d_x_hat * (x - mean)).mean"},
    question="Which of the two has variance 1?", met="a public NumPy Transformer",
)
layer_norm_backward.mistake(
    "d-gamma-with-input", "d_γ is taken with x, not with x̂",
    {"(d_y * x_hat).sum": "(d_y * x).sum"},
    {"(d_y * x_hat).sum": "(d_y * (x - mean)).sum"}, question="What does γ multiply in forward?",
)
layer_norm_backward.mistake(
    "parameters-not-summed",
    "d_γ and d_β are not summed over all positions",
    {
        "d_y.sum(axis=(0, 1))": "d_y.sum(axis=0)",
        "(d_y * x_hat).sum(axis=(0, 1))": "(d_y * x_hat).sum(axis=0)",
    },
    {
        "d_y.sum(axis=(0, 1))": "d_y.sum(axis=1)",
        "(d_y * x_hat).sum(axis=(0, 1))": "(d_y * x_hat).sum(axis=1)",
    },
    {"d_y.sum(axis=(0, 1))": "d_y", "(d_y * x_hat).sum(axis=(0, 1))": "d_y * x_hat"},
    question="How many positions share one γ, and what does each of them add to its gradient?",
)
layer_norm_backward.mistake(
    "epsilon-placed-differently", "ε is inside the root in one direction and outside in the other",
    {"np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)": "x.std(axis=-1, keepdims=True) + epsilon"},
    convention=True,
    evidence="The gradient is that of neither; only rows that are nearly constant show it.",
    met="a public NumPy Transformer",
)
layer_norm_backward.mistake(
    "sum-for-mean", "a sum stands for the mean", {"d_x_hat.mean(": "d_x_hat.sum("},
    {"(d_x_hat * x_hat).mean(": "(d_x_hat * x_hat).sum("},
    {"d_x_hat.mean(": "d_x_hat.sum(", "(d_x_hat * x_hat).mean(": "(d_x_hat * x_hat).sum("},
    question="The mean over the features is 1/D of a sum. Where has the D gone?",
)
layer_norm_backward.mistake(
    "not-divided-by-sigma", "the end is not divided by σ", {"d_x / sigma": "d_x"},
    question="What does forward divide by, and what does that do to a derivative?",
)
layer_norm_backward.mistake(
    "parameters-averaged", "d_γ and d_β are averaged over the positions",
    {"d_y.sum(": "d_y.mean(", "(d_y * x_hat).sum(": "(d_y * x_hat).mean("},
    question="Does each position's share of the loss shrink because there are more of them?",
)
