"""Is a gradient right? Central differences, and how far they are from what a backward says."""

import numpy as np

from ...testing.gradient_check import _central_difference, _row, gradient_check
from ...testing.gradient_check import gradient_error as package_gradient_error
from ..exercise import exercise
from ..outcome import TOLERANCES
from .met import issue, places


def _given(rng, n):
    weight = 2 * rng.standard_normal((n.K, n.F)) / np.sqrt(n.K)
    x, d_y = rng.standard_normal((n.B, n.K)), rng.standard_normal((n.B, n.F))
    return {"f": lambda x: np.tanh(x @ weight), "x": x, "d_y": d_y, "epsilon": 1e-5}


def _three_axes(given, rng, n):
    """x and y with three axes, and neighbours that have an effect on each other."""
    shape = (2, n.B, n.T)
    x, d_y = rng.standard_normal(shape), rng.standard_normal(shape)
    return {"f": lambda x: np.sin(2 * x + np.roll(x, 1, axis=-1)), "x": x, "d_y": d_y}


def _noisy(yours, expected):
    """Whether the numbers are right to two digits or three, as float32 would have them."""
    pairs = [
        (yours[situation].outputs.get("d_x"), expected[situation].outputs["d_x"])
        for situation in yours
    ]
    if any(ours is None or ours.shape != right.shape for ours, right in pairs):
        return False
    errors = [np.linalg.norm(ours - right) / np.linalg.norm(right) for ours, right in pairs]
    # float32 came back
    single = all(yours[situation].tolerance >= TOLERANCES[4] for situation in yours)
    return single and all(1e-4 < error < 0.1 for error in errors)


@exercise(
    "gradient_check.numerical",
    inputs={
        "f": "function of x", "x": "any shape, such as (B, K)", "d_y": "the shape of f(x)",
        "epsilon": "number",
    },
    returns={"d_x": "the shape of x"},
    given=_given,
    situations={"an x with three axes": _three_axes},
    tolerance=10.0,
    shown=(gradient_check, _row, _central_difference),
    hints=(
        (
            "If one number of x moves a little, up or down, by how much does the sum of d_y ∘ f(x) "
            "change?"
        ),
        "∂L/∂x_i ≈ (L(x_i + ε) − L(x_i − ε)) / 2ε,  L(x) = Σ d_y ∘ f(x)",
        (
            "for each number of x, by itself:\n"
            "L with this number a little larger\n"
            "L with it a little smaller\n"
            "their difference, divided by the distance of the two\n"
            "the number as it was"
        ),
        "d_x[i] = (above - below) / (2 * epsilon)",
    ),
)
def numerical_gradient(f, x, d_y, epsilon):
    """The gradient of x in L = Σ d_y ∘ f(x), by central differences: f is only called, nothing is
    known of its inside.

    One number of x after the other is moved by ε to both sides, so that the error shrinks with ε².
    x (of any shape) is afterwards as it was, to the last digit. All in float64: with fewer digits,
    nothing is left of such differences.
    """
    d_x = np.zeros_like(x)
    for i in np.ndindex(*x.shape):
        moved = x.copy()
        moved[i] = x[i] + epsilon
        above = (d_y * f(moved)).sum()
        moved[i] = x[i] - epsilon
        below = (d_y * f(moved)).sum()
        d_x[i] = (above - below) / (2 * epsilon)
    return d_x


UP, DOWN, FRESH = "moved[i] = x[i] + epsilon", "moved[i] = x[i] - epsilon", "moved = x.copy()"
DISTANCE = "How far apart are the two places at which f was called?"
numerical_gradient.mistake(
    "one-sided",
    "the difference is taken to one side",
    {DOWN: "moved[i] = x[i]", "/ (2 * epsilon)": "/ epsilon"},
    {UP: "moved[i] = x[i]", "/ (2 * epsilon)": "/ epsilon"},
    {
        FRESH: "moved = x", UP: "moved[i] += epsilon", DOWN: "moved[i] -= epsilon",
        "/ (2 * epsilon)": "/ epsilon",
    },
    evidence="Its error shrinks with ε, that of a central difference with ε².",
    question="At which two places was f called, and where is their middle?",
    met=issue("apache/mxnet", 3693),
)
numerical_gradient.mistake(
    "epsilon-for-two-epsilon", "the distance is taken for ε, not for 2ε",
    {"/ (2 * epsilon)": "/ epsilon"},
    question=DISTANCE,
)
numerical_gradient.mistake(
    "two-epsilon-for-epsilon", "the distance is taken for 2ε, where it is ε",
    {DOWN: "moved[i] = x[i]"},
    {UP: "moved[i] = x[i]"}, {FRESH: "moved = x"},
    evidence="If it is x itself that is moved up, then x[i] − ε is where it was before.",
    question=DISTANCE,
)
numerical_gradient.mistake(
    "not-divided", "the difference is not divided by the distance, or multiplied by it",
    {" / (2 * epsilon)": ""}, {"/ (2 * epsilon)": "/ 2 * epsilon"}, {"/ (2 * epsilon)": "/ 2"},
    {"/ (2 * epsilon)": "* 2 * epsilon"}, question="In which order does Python read a / 2 * b?",
)
numerical_gradient.mistake(
    "numbers-not-restored",
    "the numbers of x are not put back",
    {FRESH: "pass", "d_x = np.zeros_like(x)": "d_x, moved = np.zeros_like(x), x.copy()"},
    {FRESH: "moved = x", UP: "moved[i] += epsilon", DOWN: "moved[i] -= 2 * epsilon"},
    {
        FRESH: "pass", "d_x = np.zeros_like(x)": "d_x, moved = np.zeros_like(x), x.copy()",
        UP: "moved[i] += epsilon", DOWN: "moved[i] -= 2 * epsilon",
    },
    question="Which x does f see when it is the second number's turn?",
)
numerical_gradient.mistake(
    "restored-by-adding",
    "x is moved back by adding, and keeps a rounding error",
    {
        FRESH: "moved = x", UP: "moved[i] += epsilon", DOWN: "moved[i] -= 2 * epsilon",
        "/ (2 * epsilon)": "/ (2 * epsilon)\n        moved[i] += epsilon",
    },
    {
        FRESH: "moved = x", UP: "moved[i] += epsilon", DOWN: "moved[i] -= epsilon + epsilon",
        "/ (2 * epsilon)": "/ (2 * epsilon)\n        x[i] = moved[i] + epsilon",
    },
    evidence="a + ε − 2ε + ε is not always a.",
    question="Is 0.1 + 0.2 − 0.2 equal to 0.1 on a computer?",
)
numerical_gradient.mistake(
    "upstream-missing", "f is summed without d_y",
    {
        "above = (d_y * f(moved)).sum()": "above = f(moved).sum()",
        "below = (d_y * f(moved)).sum()": "below = f(moved).sum()",
    },
    question="Of which loss is d_y the gradient?",
)
numerical_gradient.mistake(
    "mean-for-sum", "a mean stands where a sum should",
    {
        "above = (d_y * f(moved)).sum()": "above = (d_y * f(moved)).mean()",
        "below = (d_y * f(moved)).sum()": "below = (d_y * f(moved)).mean()",
    },
    {
        "above = (d_y * f(moved)).sum()": "above = (d_y * f(moved)).sum() / len(x)",
        "below = (d_y * f(moved)).sum()": "below = (d_y * f(moved)).sum() / len(x)",
    },
    question="If d_y is the gradient of y, by how much does the loss change when all of y changes?",
)
numerical_gradient.mistake(
    "all-moved-at-once", "all numbers of x are moved at once",
    {UP: "moved = x + epsilon", DOWN: "moved = x - epsilon"},
    evidence="All numbers of d_x are equal then: the sum of the gradient.",
    question="If everything moves, how can one tell which number did what?",
)
numerical_gradient.mistake(
    "row-moved-at-once",
    "a whole row or column of x is moved at once",
    {UP: "moved[i[0]] = x[i[0]] + epsilon", DOWN: "moved[i[0]] = x[i[0]] - epsilon"},
    {
        UP: "moved[..., i[-1]] = x[..., i[-1]] + epsilon",
        DOWN: "moved[..., i[-1]] = x[..., i[-1]] - epsilon",
    },
    question="If a whole row moves, how can one tell which number did what?",
)
numerical_gradient.mistake(
    "float32-differences",
    "the differences are taken in float32",
    rule=_noisy,
    evidence=(
        "float32 has seven digits, and a step of 10⁻⁵ uses up five of them: the numbers are right "
        "to two or three."
    ),
    question=(
        "How many digits do L(x + ε) and L(x − ε) have in common, and how many are left for their "
        "difference?"
    ),
    met=places(issue("PaddlePaddle/Paddle", 4283), issue("pytorch/pytorch", 5351)),
)
numerical_gradient.mistake(
    "wrong-sign", "the gradient has the wrong sign", {"(above - below)": "(below - above)"},
    question="If L grows with x_i, is the gradient positive or negative?",
)
numerical_gradient.mistake(
    "other-step", "another step than ε is taken",
    {UP: "moved[i] = x[i] * (1 + epsilon)", DOWN: "moved[i] = x[i] * (1 - epsilon)"},
    {UP: "moved[i] = x[i] + epsilon / 2", DOWN: "moved[i] = x[i] - epsilon / 2"}, question=DISTANCE,
)


def _pair(rng, n):
    analytic = 3 * rng.standard_normal((n.T, n.D))
    return {"analytic": analytic, "numeric": analytic + 0.1 * rng.standard_normal((n.T, n.D))}


def _zeros(given, rng, n):
    return {name: 0 * given[name] for name in given}


@exercise(
    "gradient_check.error",
    inputs={"analytic": "(T, D)", "numeric": "(T, D)"},
    returns={"error": "number"},
    given=_pair,
    situations={
        "a backward that is twice too large": lambda given, rng, n: {
            "analytic": 2 * given["numeric"]
        },
        "a backward that is half of what it should be": lambda given, rng, n: {
            "analytic": 0.5 * given["numeric"]
        },
        "the wrong sign": lambda given, rng, n: {"analytic": -given["numeric"]},
        "a backward that has forgotten this gradient": lambda given, rng, n: {
            "analytic": 0 * given["analytic"]
        },
        "gradients of 0": _zeros,
        "gradients smaller than 1e-8": lambda given, rng, n: {
            name: 1e-11 * given[name] for name in given
        },
    },
    shown=(package_gradient_error,),
    hints=(
        "A difference of 0.01: is that much? With which number would one have to compare it?",
        "error = ‖a − n‖ / max(‖a‖, ‖n‖, 10⁻⁸)",
        (
            "the length of the difference of the two, as if each were one long vector\n"
            "the lengths of both\n"
            "divide the first by the larger of the others, but not by less than 1e-8"
        ),
        (
            "np.linalg.norm(analytic - numeric) / max(np.linalg.norm(analytic), "
            "np.linalg.norm(numeric), 1e-8)"
        ),
    ),
)
def gradient_error(analytic, numeric):
    """How far a backward's gradient is from the central differences, as one number that does not
    depend on their size.

    The length (norm) of the difference, relative to the larger of the two lengths; if both are
    shorter than 10⁻⁸, relative to 10⁻⁸. The length of an array is that of the vector of all its
    numbers.
    """
    difference = np.linalg.norm(analytic - numeric)
    size = max(np.linalg.norm(analytic), np.linalg.norm(numeric), 1e-8)
    return difference / size


DIFFERENCE = "difference = np.linalg.norm(analytic - numeric)"
SIZE = "size = max(np.linalg.norm(analytic), np.linalg.norm(numeric), 1e-8)"
gradient_error.mistake(
    "sum-of-lengths",
    "the difference is divided by the sum of the two lengths",
    {SIZE: "size = max(np.linalg.norm(analytic) + np.linalg.norm(numeric), 1e-8)"},
    {SIZE: "size = np.linalg.norm(analytic) + np.linalg.norm(numeric) + 1e-8"},
    {SIZE: "size = np.linalg.norm(analytic) + np.linalg.norm(numeric)"},
    question=(
        "If the backward has forgotten a gradient altogether, how large is the error, and how "
        "large if its sign is wrong?"
    ),
)
gradient_error.mistake(
    "absolute-difference", "the difference is not divided by anything",
    {"difference / size": "difference"},
    question="If both gradients were a thousand times as large, what should become of the error?",
)
gradient_error.mistake(
    "one-length-only", "the difference is divided by the length of one of the two",
    {SIZE: "size = max(np.linalg.norm(numeric), 1e-8)"},
    {SIZE: "size = max(np.linalg.norm(analytic), 1e-8)"}, {SIZE: "size = np.linalg.norm(numeric)"},
    {SIZE: "size = np.linalg.norm(analytic)"}, {SIZE: "size = np.linalg.norm(numeric) + 1e-8"},
    {SIZE: "size = np.linalg.norm(analytic) + 1e-8"},
    question="What if the one that is divided by is 0, and the other is not?",
)
gradient_error.mistake(
    "smaller-length", "the difference is divided by the smaller of the two lengths",
    {SIZE: "size = max(min(np.linalg.norm(analytic), np.linalg.norm(numeric)), 1e-8)"},
    {SIZE: "size = min(np.linalg.norm(analytic), np.linalg.norm(numeric))"},
    question=(
        "If the backward has forgotten a gradient altogether, what is the smaller of the two "
        "lengths?"
    ),
)
gradient_error.mistake(
    "zero-division-unguarded",
    "nothing keeps the division from being one by zero, or by almost nothing",
    {", 1e-8)": ")"},
    {"return difference / size": "return difference / size if size > 1e-8 else 0.0"},
    {", 1e-8)": ", 1e-12)"},
    {", 1e-8)": ", 1e-15)"},
    {
        "max(np.linalg.norm(analytic), np.linalg.norm(numeric), 1e-8)": (
            "max(np.linalg.norm(analytic), np.linalg.norm(numeric)) + 1e-8"
        ),
    },
    evidence="Two gradients that are both zero are equal, and 0/0 is NaN.",
    question="How large is the error if both gradients are 0, and if both are 10⁻¹¹?",
)
gradient_error.mistake(
    "other-norm",
    "another measure stands for the length",
    {
        "norm(analytic - numeric)": "norm(analytic - numeric) ** 2",
        "norm(analytic),": "norm(analytic) ** 2,", "norm(numeric),": "norm(numeric) ** 2,",
    },
    {
        DIFFERENCE: "difference = np.abs(analytic - numeric).max()",
        SIZE: "size = max(np.abs(analytic).max(), np.abs(numeric).max(), 1e-8)",
    },
    {
        DIFFERENCE: "difference = np.abs(analytic - numeric).sum()",
        SIZE: "size = max(np.abs(analytic).sum(), np.abs(numeric).sum(), 1e-8)",
    },
    {
        DIFFERENCE: "difference = np.abs(analytic - numeric).mean()",
        SIZE: "size = max(np.abs(analytic).mean(), np.abs(numeric).mean(), 1e-8)",
    },
    {
        "norm(analytic - numeric)": "norm(analytic - numeric, 2)",
        "norm(analytic),": "norm(analytic, 2),", "norm(numeric),": "norm(numeric, 2),",
    },
    {
        DIFFERENCE: "difference = np.sqrt(((analytic - numeric) ** 2).mean())",
        SIZE: "size = max(np.sqrt((analytic**2).mean()), np.sqrt((numeric**2).mean()), 1e-8)",
    },
    {DIFFERENCE: "difference = np.sum((analytic - numeric) ** 2)"},
    {DIFFERENCE: "difference = np.abs(analytic - numeric).max()"},
    {DIFFERENCE: "difference = np.abs(analytic - numeric).mean()"},
    evidence="np.linalg.norm(a, 2) is not the length of all numbers, if a has two axes.",
    question="What is the length of a vector, and is it the same measure above and below?",
)
gradient_error.mistake(
    "lengths-compared",
    "the lengths are compared, not the gradients",
    {
        "np.linalg.norm(analytic - numeric)": (
            "abs(np.linalg.norm(analytic) - np.linalg.norm(numeric))"
        )
    },
    evidence="A wrong sign does not show then.",
    question="How large is the error if the backward has the wrong sign?",
)
gradient_error.mistake(
    "compared-by-element",
    "each number is compared by itself",
    {
        "return difference / size": (
            "return (np.abs(analytic - numeric) / np.maximum(np.maximum(np.abs(analytic), "
            "np.abs(numeric)), 1e-8)).max()"
        ),
    },
    {
        "return difference / size": (
            "return (np.abs(analytic - numeric) / np.maximum(np.maximum(np.abs(analytic), "
            "np.abs(numeric)), 1e-8)).mean()"
        ),
    },
    {
        "return difference / size": (
            "return np.abs(analytic - numeric) / np.maximum(np.maximum(np.abs(analytic), "
            "np.abs(numeric)), 1e-8)"
        ),
    },
    {
        "return difference / size": (
            "return (np.abs(analytic - numeric) / np.maximum(np.abs(analytic) + np.abs(numeric), "
            "1e-8)).max()"
        ),
    },
    evidence="A number that is nearly zero makes a large error out of its rounding.",
    question="How large is the error of a number that should be 0, and came out as 10⁻¹²?",
)
gradient_error.mistake(
    "error-per-row",
    "each row has an error of its own",
    {
        "norm(analytic - numeric)": "norm(analytic - numeric, axis=-1)",
        "max(np.linalg.norm(analytic), np.linalg.norm(numeric), 1e-8)": (
            "np.maximum(np.maximum(np.linalg.norm(analytic, axis=-1), np.linalg.norm(numeric, "
            "axis=-1)), 1e-8)"
        ),
    },
    {
        "norm(analytic - numeric)": "norm(analytic - numeric, axis=-1)",
        "max(np.linalg.norm(analytic), np.linalg.norm(numeric), 1e-8)": (
            "np.maximum(np.maximum(np.linalg.norm(analytic, axis=-1), np.linalg.norm(numeric, "
            "axis=-1)), 1e-8)"
        ),
        "return difference / size": "return (difference / size).max()",
    },
    {
        "norm(analytic - numeric)": "norm(analytic - numeric, axis=-1)",
        "max(np.linalg.norm(analytic), np.linalg.norm(numeric), 1e-8)": (
            "np.maximum(np.maximum(np.linalg.norm(analytic, axis=-1), np.linalg.norm(numeric, "
            "axis=-1)), 1e-8)"
        ),
        "return difference / size": "return (difference / size).mean()",
    },
    question="How many numbers are asked for?",
)
gradient_error.mistake(
    "cosine-distance",
    "it is one less the cosine between the two, which is blind to their lengths",
    {
        "return difference / size": (
            "return 1 - (analytic * numeric).sum() / max(np.linalg.norm(analytic) * "
            "np.linalg.norm(numeric), 1e-8)"
        ),
    },
    question="How large is the error if the backward is twice too large?",
)
