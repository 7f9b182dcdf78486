"""ReLU and GELU."""

import numpy as np

from ...backend import normal_cdf, normal_density
from ...layers import ReLU, TanhGELU
from ..exercise import exercise
from .met import issue, places, pull

INPUTS = {"x": "(B, T, F)"}


def _given(rng, n):
    return {"x": 2 * rng.standard_normal((n.B, n.T, n.F))}


def _given_backward(rng, n):
    return {"d_y": rng.standard_normal((n.B, n.T, n.F)), **_given(rng, n)}


def _zero(given, rng, n):
    x = given["x"].copy()
    x[..., ::3] = 0
    return {"x": x}


def _exact(x):
    """GELU with the normal distribution itself, and its derivative."""
    cdf = normal_cdf(x)
    return x * cdf, cdf + x * normal_density(x)


@exercise(
    "relu.forward",
    inputs=INPUTS,
    returns={"y": "(B, T, F)"},
    given=_given,
    situations={"x that is exactly 0": _zero},
    shown=(ReLU.forward,),
    hints=(
        "Which of the two is larger, x or 0?",
        "y = max(x, 0)",
        "a new array of x's shape\nwhere x is positive: x\nelsewhere: 0",
        "np.maximum(x, 0)",
    ),
)
def relu(x):
    """Keep what is positive, and make the rest 0, element by element. The array x itself stays as
    it is."""
    return np.maximum(x, 0)


MAXIMUM = "np.maximum(x, 0)"
relu.mistake(
    "input-changed", "x itself is changed", {MAXIMUM: "np.maximum(x, 0, out=x)"},
    {f"return {MAXIMUM}": "x[x < 0] = 0\n    return x"},
    evidence=(
        "The numbers are right, but a residual connection that adds x afterwards adds another x."
    ),
    question="Who else may hold this array, and needs it as it was?",
)
relu.mistake(
    "negative-part-kept", "the negative part is kept, not the positive",
    {MAXIMUM: "np.minimum(x, 0)"},
    question="What is y where x is −1, and where it is 1?",
)
relu.mistake(
    "absolute-value", "the absolute value is taken", {MAXIMUM: "np.abs(x)"},
    question="What is y where x is −1?",
)
relu.mistake(
    "negative-leaks", "what is negative leaks through",
    *({MAXIMUM: f"np.where(x > 0, x, {slope} * x)"} for slope in (0.01, 0.1, 0.2)),
    question="How large is y where x is −100?",
)
relu.mistake(
    "gate-returned", "the gate itself is returned, 0 or 1", {MAXIMUM: "(x > 0) * 1.0"},
    question="What is y where x is 2, and where it is 3?",
)
relu.mistake(
    "large-values-cut", "what is large is cut off too", {MAXIMUM: "np.clip(x, 0, 1)"},
    question="What is y where x is 2, and where it is 3?",
)
relu.mistake(
    "other-activation", "it is another activation", {MAXIMUM: "np.log(1 + np.exp(x))"},
    {MAXIMUM: "x / (1 + np.exp(-x))"}, {MAXIMUM: "1 / (1 + np.exp(-x))"}, {MAXIMUM: "np.tanh(x)"},
    {MAXIMUM: "np.where(x > 0, x, np.exp(x) - 1)"},
    question="What is y where x is −1, and where it is 0?",
)
relu.mistake(
    "does-nothing", "nothing is done to x", {MAXIMUM: "x"}, {MAXIMUM: "np.maximum(x, x.min())"},
    question="What is y where x is −1?",
    met=issue("ahmedfgad/NumPyCNN", 4),
)


@exercise(
    "relu.backward",
    forward=relu,
    inputs={"d_y": "(B, T, F)", **INPUTS},
    returns={"d_x": "(B, T, F)"},
    given=_given_backward,
    situations={"x that is exactly 0": _zero},
    also={"y": lambda d_y, x: relu(x)},
    shown=(ReLU.backward,),
    hints=(
        "If a negative x rises a little, what becomes of y?",
        "d_x = d_y where x > 0, else 0",
        "where was x positive?\nthere d_y goes through as it is\nelsewhere nothing does",
        "d_y * (x > 0)",
    ),
)
def relu_backward(d_y, x):
    """The gradient of x, from the gradient of y = max(x, 0). At exactly 0, where y has a kink, it
    is taken to be 0."""
    return d_y * (x > 0)


relu_backward.mistake(
    "gate-by-upstream-sign", "the sign of d_y opens the gate, not that of x",
    {"(x > 0)": "(d_y > 0)"},
    {"(x > 0)": "((x > 0) & (d_y > 0))"},
    evidence="No gradient comes out negative.",
    question="Which array did forward compare with 0?",
    met=issue("exacity/deeplearningbook-chinese", 127),
)
relu_backward.mistake(
    "upstream-missing", "d_y is left out", {"d_y * (x > 0)": "(x > 0) * 1.0"},
    question="By the chain rule, what is the slope of y multiplied with?",
    met=issue("haifengl/smile", 528),
)
relu_backward.mistake(
    "given-array-changed", "an array that was handed in is changed",
    {"return d_y * (x > 0)": "d_y[x <= 0] = 0\n    return d_y"},
    {"return d_y * (x > 0)": "d_y *= x > 0\n    return d_y"},
    evidence=(
        "The numbers are right, but a residual connection still needs this d_y for its other "
        "branch."
    ),
    question="Who else may hold this array, and needs it as it was?",
)
relu_backward.mistake(
    "slope-at-zero", "at exactly 0 another slope is taken", {"x > 0": "x >= 0"},
    {"(x > 0)": "np.heaviside(x, 0.5)"}, convention=True,
    evidence="At the kink any slope from 0 to 1 is a subgradient.",
    met=places(pull("iamtrask/Grokking-Deep-Learning", 13), pull("pytorch/tutorials", 269)),
)
relu_backward.mistake(
    "input-for-slope", "x stands for its slope", {"(x > 0)": "np.maximum(x, 0)"}, {"(x > 0)": "x"},
    question="If x rises from 2.0 to 2.1, by how much does y rise?",
)
relu_backward.mistake(
    "gate-inverted", "the gate is open where it should be shut",
    {"x > 0": "x <= 0"}, {"x > 0": "x < 0"},
    question="Which x reach y?",
)
relu_backward.mistake(
    "gate-always-open", "the gate is open everywhere",
    {" * (x > 0)": ""}, {"(x > 0)": "(relu(x) >= 0)"},
    question="If a negative x rises a little, what becomes of y? And is max(x, 0) ever below 0?",
)
relu_backward.mistake(
    "negative-leaks", "what is negative leaks through",
    *({"(x > 0)": f"np.where(x > 0, 1, {slope})"} for slope in (0.01, 0.1, 0.2)),
    question="How large is the slope of y where x is −100?",
)


CUBIC = (0.44715, 0.0044715, 0.04715, 0.04475, 0.0447, 0.047715)  # 0.044715, mistyped
FACTORS = (
    "2 / np.pi", "np.sqrt(2) / np.pi", "np.sqrt(np.pi / 2)", "np.sqrt(2 * np.pi)",
    "np.sqrt(1 / np.pi)", "1",
)
LARGE = {"x that is large": lambda given, rng, n: {"x": 100 * given["x"]}}


def _argument(x):
    """What the tanh is taken of."""
    return np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)


@exercise(
    "gelu.forward",
    inputs=INPUTS,
    returns={"y": "(B, T, F)"},
    given=_given,
    situations=LARGE,
    shown=(TanhGELU.forward,),
    hints=(
        (
            "Which share of x is let through where x is large, where it is 0, and where it is far "
            "below 0?"
        ),
        "y = x (1 + tanh u) / 2,  u = √(2/π) (x + 0.044715 x³)",
        (
            "the polynomial in x\ntimes √(2/π)\nits tanh lies between −1 and 1: bring it between 0 "
            "and 1\ntimes x"
        ),
        "0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))",
    ),
)
def gelu(x):
    """GELU in the form with tanh, element by element, as in GPT-2 (Hendrycks & Gimpel 2016, section
    2).

    x is weighted by the probability Φ(x) that a standard normal variable is smaller, and Φ is
    replaced by a tanh that differs from it by less than 1/1000:

        Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2

    x may be as large as 1000.
    """
    u = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    return 0.5 * x * (1 + np.tanh(u))


ROOT = "np.sqrt(2 / np.pi)"
gelu.mistake(
    "exact-by-erf", "Φ is the normal distribution itself, by erf",
    {"return 0.5 * x * (1 + np.tanh(u))": "return _exact(x)[0]"}, convention=True,
    evidence="The form with tanh is what is asked for; the two differ by less than 5e-4.",
    met=pull("kyutai-labs/pocket-tts", 278),
)
gelu.mistake(
    "cubic-missing", "the cubic term is left out", {" + 0.044715 * x**3": ""},
    question="Which powers of x are there inside the tanh?",
)
gelu.mistake(
    "without-x", "Φ itself is returned, without x", {"0.5 * x * (": "0.5 * ("},
    question="How large is y where x is 10?",
)
gelu.mistake(
    "input-changed", "x itself is changed",
    {"return 0.5 * x *": "x *= 0.5 *", "(u))": "(u))\n    return x"},
    question="Who else may hold this array, and needs it as it was?",
)
gelu.mistake(
    "half-missing", "the half is left out", {"0.5 * x": "x"},
    question="How large is y to be where x is 10, and what is 1 + tanh of it?",
)
gelu.mistake(
    "one-missing", "the 1 is left out", {"(1 + np.tanh(u))": "np.tanh(u)"},
    {"0.5 * x * (1 + np.tanh(u))": "x * np.tanh(u)"},
    question="Which share of x is let through where x is −10?",
)
gelu.mistake(
    "cubic-factor-mistyped", "the cubic's factor is mistyped",
    *({"0.044715": str(c)} for c in CUBIC),
    question="Is every digit of 0.044715 there?",
)
gelu.mistake(
    "other-scale-factor", "another factor stands for √(2/π)",
    *({ROOT: factor} for factor in FACTORS),
    question="Near 0, Φ rises with the slope 1/√(2π). With which slope does (1 + tanh u)/2 rise?",
)
gelu.mistake(
    "other-power", "another power stands for the cube", {"x**3": "x**2"}, {"x**3": "x"},
    question="With −x for x, what should become of u?",
)
gelu.mistake(
    "scale-on-one-term", "√(2/π) multiplies one of the two terms, not both",
    {f"{ROOT} * (x + 0.044715 * x**3)": f"{ROOT} * x + 0.044715 * x**3"},
    {f"{ROOT} * (x + 0.044715 * x**3)": f"x + {ROOT} * 0.044715 * x**3"},
    question="What does the bracket hold?",
)
gelu.mistake(
    "other-activation", "it is another activation",
    {"0.5 * x * (1 + np.tanh(u))": "x / (1 + np.exp(-1.702 * x))"},
    {"0.5 * x * (1 + np.tanh(u))": "x / (1 + np.exp(-x))"},
    {"0.5 * x * (1 + np.tanh(u))": "np.maximum(x, 0)"},
    question="Which function of x is it that Φ is replaced by?",
)
TANH_BY_EXP = (
    "(np.exp(u) - np.exp(-u)) / (np.exp(u) + np.exp(-u))",
    "(np.exp(2 * u) - 1) / (np.exp(2 * u) + 1)",
)
gelu.mistake(
    "exponentials-overflow", "the tanh is made of exponentials that overflow",
    *({"np.tanh(u)": tanh} for tanh in TANH_BY_EXP),
    evidence="The exp of 1000 is infinite, and ∞/∞ is NaN.",
    question="How large are these exponentials where u is 1000, and how large is their quotient?",
)


@exercise(
    "gelu.backward",
    forward=gelu,
    inputs={"d_y": "(B, T, F)", **INPUTS},
    returns={"d_x": "(B, T, F)"},
    given=_given_backward,
    situations=LARGE,
    also={"y": lambda d_y, x: gelu(x), "tanh": lambda d_y, x: np.tanh(_argument(x))},
    shown=(TanhGELU.backward,),
    hints=(
        "x stands in y = x Φ(x) twice. What is the derivative of a product?",
        (
            "d_x = d_y ∘ ((1 + tanh u)/2 + x/2 · (1 − tanh² u) · u′),  u′ = √(2/π) (1 + 3 · "
            "0.044715 x²)"
        ),
        "u and its tanh, as in forward\nthe derivative of u by x\n"
        "that of tanh u by u: 1 − tanh² u\nthe product rule: the share Φ, plus x times the "
        "derivative of that share\ntimes d_y",
        "d_y * (0.5 * (1 + tanh) + 0.5 * x * (1 - tanh**2) * d_u)",
    ),
)
def gelu_backward(d_y, x):
    """The gradient of x, from the gradient of y = x (1 + tanh u) / 2, with u = √(2/π) (x + 0.044715
    x³).

    It is that of this form, with tanh, to the last digit. x may be as large as 1000.
    """
    u = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    tanh = np.tanh(u)
    d_u = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)
    return d_y * (0.5 * (1 + tanh) + 0.5 * x * (1 - tanh**2) * d_u)


SLOPE = "0.5 * (1 + tanh) + 0.5 * x * (1 - tanh**2) * d_u"
SECOND = "0.5 * x * (1 - tanh**2) * d_u"

gelu_backward.mistake(
    "upstream-missing", "d_y is left out", {f"d_y * ({SLOPE})": SLOPE},
    question="By the chain rule, what is the slope of y multiplied with?",
)
gelu_backward.mistake(
    "only-phi", "only Φ is there, as if it did not depend on x", {f" + {SECOND}": ""},
    question="In y = x Φ(x), x stands twice. What is the derivative of a product?",
)
gelu_backward.mistake(
    "only-phi-derivative", "only the derivative of Φ is there", {f"{SLOPE}": SECOND},
    question="In y = x Φ(x), x stands twice. What is the derivative of a product?",
)
gelu_backward.mistake(
    "exact-by-erf",
    "Φ is the normal distribution itself, by erf",
    {SLOPE: "_exact(x)[1]"},
    convention=True,
    evidence=(
        "Beside a forward with erf this is right. Beside the one with tanh it is off by up to "
        "1e-3, and a gradient check says so."
    ),
)
gelu_backward.mistake(
    "tanh-and-erf-mixed", "one term belongs to tanh, and the other to erf",
    {SECOND: "x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)"},
    {"0.5 * (1 + tanh)": "normal_cdf(x)"},
    question="Which function is Φ in forward, and which is the derivative of that very function?",
)
gelu_backward.mistake(
    "cubic-derivative-missing", "the derivative of the cubic term is left out",
    {" + 3 * 0.044715 * x**2)": ")"},
    {" + 3 * 0.044715 * x**2)": ")", " + 0.044715 * x**3)": ")"},
    question="What is the derivative of x + 0.044715 x³?",
)
gelu_backward.mistake(
    "cube-derivative-wrong", "the derivative of the cube is another",
    {"3 * 0.044715 * x**2": "0.044715 * x**2"},
    {"3 * 0.044715 * x**2": "3 * 0.044715 * x**3"}, {"3 * 0.044715 * x**2": "2 * 0.044715 * x**2"},
    {"3 * 0.044715 * x**2": "3 * 0.044715 * x"}, {"3 * 0.044715 * x**2": "0.044715 * x**3"},
    question="What is the derivative of x³?",
)
gelu_backward.mistake(
    "scale-factor-lost", "√(2/π) is lost on the way back", {f"{ROOT} * (1 +": "(1 +"},
    question="What did forward multiply the polynomial by?",
)
gelu_backward.mistake(
    "inner-derivative-missing", "u is not differentiated", {" * d_u)": ")"},
    question="tanh u depends on x through u. What does the chain rule ask for?",
)
gelu_backward.mistake(
    "tanh-derivative-wrong", "the derivative of tanh is another", {"(1 - tanh**2)": "(1 - tanh)"},
    {" * (1 - tanh**2)": ""}, {"(1 - tanh**2)": "(1 + tanh**2)"}, {"(1 - tanh**2)": "(1 - u**2)"},
    {"(1 - tanh**2)": "tanh * (1 - tanh)"}, {"(1 - tanh**2)": "(1 - tanh) ** 2"},
    question=(
        "How large should the slope of tanh be where tanh is −1, where it is 0, and where it is 1?"
    ),
)
gelu_backward.mistake(
    "phi-derivative-without-x", "the derivative of Φ is not multiplied by x",
    {SECOND: "0.5 * (1 - tanh**2) * d_u"},
    question="Of the product x Φ(x), which factor stays when the other is differentiated?",
)
gelu_backward.mistake(
    "half-missing", "a half is left out", {"(0.5 * (1 + tanh)": "((1 + tanh)"}, {"0.5 * x": "x"},
    {"(0.5 * (1 + tanh)": "((1 + tanh)", "0.5 * x": "x"},
    question=(
        "Where did forward multiply by a half, and which of the two terms does that belong to?"
    ),
)
gelu_backward.mistake(
    "cubic-factor-mistyped", "the cubic's factor is mistyped",
    {"0.044715 * x**3": "0.44715 * x**3"},
    {"0.044715 * x**2": "0.44715 * x**2"},
    *({"0.044715 * x**3": f"{c} * x**3", "0.044715 * x**2": f"{c} * x**2"} for c in CUBIC),
    question="Is every digit of 0.044715 there, both times?",
)
gelu_backward.mistake(
    "other-scale-factor", "another factor stands for √(2/π)",
    *({f"{ROOT} * (x": f"{factor} * (x", f"{ROOT} * (1": f"{factor} * (1"} for factor in FACTORS),
    *({f"{ROOT} * (1": f"{factor} * (1"} for factor in FACTORS[:3]),
    question="Near 0, Φ rises with the slope 1/√(2π). With which slope does (1 + tanh u)/2 rise?",
)
gelu_backward.mistake(
    "other-activation-derivative", "it is the derivative of another activation", {SLOPE: "(x > 0)"},
    {SLOPE: "(1 + 1.702 * x * (1 - 1 / (1 + np.exp(-1.702 * x)))) / (1 + np.exp(-1.702 * x))"},
    {SLOPE: "(1 + x * (1 - 1 / (1 + np.exp(-x)))) / (1 + np.exp(-x))"},
    question="Which function did forward compute?",
)
gelu_backward.mistake(
    "exponentials-overflow", "the tanh is made of exponentials that overflow",
    *({"np.tanh(u)": tanh} for tanh in TANH_BY_EXP),
    evidence="The exp of 1000 is infinite, and ∞/∞ is NaN.",
    question="How large are these exponentials where u is 1000, and how large is their quotient?",
)
gelu_backward.mistake(
    "output-for-input", "y stands where x should", {"    u = ": "    x = gelu(x)\n    u = "},
    question="Is this derivative written in the input or in the output, and which one was kept?",
)
