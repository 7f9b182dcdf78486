"""The checker: what it takes, what it says, and that nothing a learner hands in makes it
stumble."""

import functools
import itertools
import json
import math
import re
import subprocess
import sys
import time
import types

import numpy as np
import pytest
from common import refusal

from minitransformer.errors import InputError
from minitransformer.grading import Report, apart, check, exercises, hint, reveal
from minitransformer.grading.attempt import Attempt, agree, attempt_own, distance
from minitransformer.grading.calling import AMPLE, change_by_rounding
from minitransformer.grading.diagnosis import _situations, draws
from minitransformer.grading.exercise import EXERCISES, Exercise, Mistake
from minitransformer.grading.known import common_factor, wrong_versions
from minitransformer.grading.outcome import TOLERANCES, WIDEST, Outcome
from minitransformer.layers import LayerNorm, Softmax
from minitransformer.testing.difference import close as near
from minitransformer.testing.difference import scale_of


def quiet(exercise, function, **options):
    return check(exercise, function, quiet=True, **options)


def ids(report):
    return [finding.id for finding in report.findings]


def text(report):
    return " ".join(str(report).split())


def softmax(scores):
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def softmax_backward(d_P, P):
    return P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))


def layer_norm(x, gamma, beta, epsilon):
    sigma = np.sqrt(x.var(-1, keepdims=True) + epsilon)
    x_hat = (x - x.mean(-1, keepdims=True)) / sigma
    return gamma * x_hat + beta, (x_hat, sigma, gamma)


def layer_norm_backward(d_y, cache):
    x_hat, sigma, gamma = cache
    d = gamma * d_y
    d_x = (d - d.mean(-1, keepdims=True) - x_hat * (d * x_hat).mean(-1, keepdims=True)) / sigma
    return d_x, (d_y * x_hat).sum((0, 1)), d_y.sum((0, 1))


# -- who is let in ---------------------------------------------------------------------------------


class SoftmaxClass:
    def forward(self, scores):
        self.P = softmax(scores)
        return self.P

    def backward(self, d_P):
        return softmax_backward(d_P, self.P)


class NormWithParameters:
    """Parameters in the constructor, their gradients in attributes."""

    def __init__(self, gamma, beta, eps=1e-5):
        self.gamma, self.beta, self.eps = types.SimpleNamespace(data=gamma, grad=None), beta, eps

    def forward(self, x):
        y, self.cache = layer_norm(x, self.gamma.data, self.beta, self.eps)
        return y

    def backward(self, dout):
        d_x, self.gamma.grad, self.d_beta = layer_norm_backward(dout, self.cache)
        return d_x


class LinearClass:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = np.einsum("btd,btf->df", self.x, dout), dout.sum((0, 1))
        return dout @ self.W.T


class LossClass:
    def forward(self, logits, targets):
        self.p, self.targets, self.real = softmax(logits), targets, targets != 0
        at_target = np.take_along_axis(logits, targets[..., None], -1)[..., 0]
        largest = logits.max(-1)
        log_total = np.log(np.exp(logits - largest[..., None]).sum(-1)) + largest
        return ((log_total - at_target) * self.real).sum() / self.real.sum()

    def backward(self, d_loss):
        one_hot = np.eye(self.p.shape[-1])[self.targets]
        return d_loss * (self.p - one_hot) * self.real[..., None] / self.real.sum()


def attention(query, key, value, mask):
    scores = np.where(mask, query @ key.swapaxes(-1, -2) / query.shape[-1] ** 0.5, -np.inf)
    largest = scores.max(-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isinf(largest), 0, largest))
    total = weights.sum(-1, keepdims=True)
    return weights / np.where(total == 0, 1, total) @ value


STYLES = {
    "by the names of the exercise": ("softmax.backward",
                                     lambda d_P, scores: softmax_backward(d_P, softmax(scores))),
    "by another name that is known": ("softmax.backward", softmax_backward),
    "names in another order": ("softmax.backward", lambda P, d_P: softmax_backward(d_P, P)),
    "other case, no underscores": ("softmax.backward", lambda dp, p: softmax_backward(dp, p)),
    "names of one's own, in order": ("softmax.backward",
                                     lambda upstream, s: softmax_backward(upstream, softmax(s))),
    "one name of one's own": ("softmax.backward",
                              lambda upstream, scores: softmax_backward(upstream, softmax(scores))),
    "any number of inputs": ("softmax.backward",
                             lambda *given: softmax_backward(given[0], softmax(given[1]))),
    "a default that is left alone": ("softmax.forward", lambda scores, axis=-1: softmax(scores)),
    "the upstream gradient alone": ("positional_encoding.backward", lambda dout: dout),
    "all inputs by name": (
        "softmax.backward",
        lambda **given: softmax_backward(given["d_P"], softmax(given["scores"]))),
    "keyword only": ("softmax.backward", lambda *, d_P, P: softmax_backward(d_P, P)),
    "a class": ("softmax.backward", SoftmaxClass),
    "a class, for its forward": ("softmax.forward", SoftmaxClass),
    "an object": ("softmax.backward", SoftmaxClass()),
    "the package's own component": ("softmax.backward", Softmax),
    "a pair with a cache": ("layer_norm.backward", (layer_norm, layer_norm_backward)),
    "a pair, for its forward": ("layer_norm.forward", (layer_norm, layer_norm_backward)),
    "short names": ("attention.forward", lambda v, k, q, mask: attention(q, k, v, mask)),
    "short names in a dict": ("linear.backward",
                              lambda dy, x, W, b: {"dx": dy @ W.T,
                                                   "dW": np.einsum("btd,btf->df", x, dy),
                                                   "db": dy.sum((0, 1))}),
    "a list of the answer and its extra": ("attention.forward",
                                           lambda q, k, v, mask: [attention(q, k, v, mask), q]),
    "a class with gradients under short names": ("linear.backward", LinearClass),
    "a loss whose backward takes a gradient": ("cross_entropy.backward", LossClass),
    "a loss of one number in an array": (
        "cross_entropy.forward", lambda logits, targets: [LossClass().forward(logits, targets)]),
    "a forward that returns its cache": ("layer_norm.forward", layer_norm),
    "a class with parameters": ("layer_norm.backward", NormWithParameters),
    "lists": ("softmax.forward", lambda scores: softmax(scores).tolist()),
    "float32": ("softmax.forward", lambda scores: softmax(scores.astype(np.float32))),
    "a dict": ("layer_norm.backward", lambda d_y, x, gamma, beta, epsilon: dict(
        zip(("dx", "dgamma", "dbeta"),
            layer_norm_backward(d_y, layer_norm(x, gamma, beta, epsilon)[1])))),
    "in place, on a copy": ("softmax.forward", lambda scores: np.divide(
        e := np.exp(scores - scores.max(-1, keepdims=True)), e.sum(-1, keepdims=True), out=e)),
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_passes_in_any_style(style):
    for seed in range(3):
        report = quiet(*STYLES[style], seed=seed)
        notes = ["own"] if style == "the package's own component" else []
        assert report.passed and report.status == "right", str(report)
        assert [finding.id for finding in report.findings] == notes, str(report)


def test_an_array_of_another_library_is_taken():
    class Array:  # as CuPy's: no implicit conversion, but get()
        def __init__(self, data):
            self.data = data

        def get(self):
            return self.data

        def __array__(self, *_, **__):
            raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    assert quiet("softmax.forward", lambda scores: Array(softmax(scores))).passed


# -- who has not begun -----------------------------------------------------------------------------


def blank_pass(d_P, scores):
    pass


def blank_docstring(d_P, scores):
    """To be written."""


def blank_dots(d_P, scores):
    d_scores = ...
    return d_scores


def blank_none(d_P, scores):
    d_scores = None
    return d_scores


def blank_error(d_P, scores):
    raise NotImplementedError("write me")


class BlankClass:
    def forward(self, scores): ...

    def backward(self, d_P): ...


class HalfClass:
    forward = SoftmaxClass.forward

    def backward(self, d_P): ...


@pytest.mark.parametrize(
    "stub",
    [
        blank_pass, blank_docstring, blank_dots, blank_none, blank_error, BlankClass, HalfClass,
        (layer_norm, blank_pass),
    ],
)
def test_a_stub_is_told_that_it_is_not_started(stub):
    report = quiet("layer_norm.backward" if isinstance(stub, tuple) else "softmax.backward", stub)
    assert report.status == "not started" and not report.passed
    assert "not started yet" in report.headline


@pytest.mark.parametrize("exercise", list(EXERCISES))
def test_a_stub_never_passes(exercise):
    def stub(*given):
        raise NotImplementedError

    report = quiet(
        exercise,
        type("Stub", (), {"forward": stub, "backward": stub})
        if "class" in EXERCISES[exercise].statement
        else stub,
    )
    assert report.status == "not started", str(report)


def test_half_an_answer_is_told_what_is_missing():
    def half(d_y, x, gamma, beta, epsilon):
        return None, None, d_y.sum((0, 1))

    report = quiet("layer_norm.backward", half)
    assert report.right == ["d_beta"] and report.status == "wrong"
    assert "d_x, d_gamma: not started yet." in text(report)


# -- what helps ------------------------------------------------------------------------------------


def broken_line(scores):
    return scores @ scores


@pytest.mark.parametrize(
    "function, words",
    [
        (lambda scores: scores.sort(), "It returned None. Is a `return` missing at the end?"),
        (lambda scores: "P", "P should be an array of numbers, and is a str."),
        (
            lambda scores: [[1.0], [1.0, 2.0]],
            "P should be an array of numbers, and is a list whose rows are not equally long.",
        ),
        (
            lambda scores: np.array([object()]),
            "P should be an array of numbers, and is a list of things that are no numbers.",
        ),
        (
            lambda scores: softmax(scores).astype(complex),
            "P should be an array of numbers, and is of type complex128.",
        ),
        (lambda scores: softmax, "P should be an array of numbers, and is a function."),
        (lambda scores: {"weights": 1}, "It returned a dict without 'P'; it has 'weights'."),
        (
            lambda scores: softmax(scores)[..., None],
            (
                "P has shape (3, 5, 7, 1), and should have (3, 5, 7). P: The numbers are right: "
                "only the shape is not."
            ),
        ),
        (lambda scores: softmax(scores).mT, "Transposed by (0, 2, 1), it would be right."),
        (lambda scores: softmax(scores) * np.nan, "the first, NaN, stands at [0, 0, 0]"),
        (lambda a, b, c: a, "asks for a, b, c; it is given scores."),
        (broken_line, "It raised ValueError in line"),
        (broken_line, "`return scores @ scores`"),
        (broken_line, "It was given scores (3, 5, 7)."),
        (lambda scores: exit(), "It raised SystemExit"),
        (
            "softmax",
            "Something of type str was handed in: hand in the function itself, without calling it.",
        ),
        ((softmax, softmax, softmax), "A pair is (forward, backward): two functions."),
    ],
)
def test_what_cannot_be_used_gets_a_sentence_that_helps(function, words):
    report = quiet("softmax.forward", function)
    assert not report.passed and report.status == "wrong"
    assert words in text(report)


def test_too_few_outputs_are_counted():
    report = quiet("layer_norm.backward", lambda d_y, x, gamma, beta, epsilon: (d_y, d_y))
    assert "It returned 2 things; 3 are asked for, in this order: d_x, d_gamma, d_beta." in text(
        report
    )


@pytest.mark.parametrize("exercise", ["attention.d_value", "dropout.backward"])
def test_a_class_where_a_function_is_asked_for_is_told_so(exercise):
    report = quiet(exercise, SoftmaxClass)
    assert f"For {exercise}, hand in one function: {EXERCISES[exercise].name}(" in text(report)


def test_an_unknown_exercise_is_told_the_nearest():
    assert "Did you mean 'softmax.backward'?" in refusal(check, "softmax.backwards", softmax)


# -- what is wrong ---------------------------------------------------------------------------------


def test_the_order_of_speech():
    report = quiet(
        "layer_norm.backward",
        lambda d_y, x, gamma, beta, epsilon: (
            d_y,
            *layer_norm_backward(d_y, layer_norm(x, gamma, beta, epsilon)[1])[1:],
        ),
    )
    words = text(report)
    assert words.index("right d_gamma, d_beta.") < words.index("wrong d_x[0, 0, 0] is")
    assert "You" not in words


def test_the_number_that_is_wrong_is_the_first_one():
    def late(scores):
        P = softmax(scores)
        P[1, 2, 3] += 0.5
        return P

    found = quiet("softmax.forward", late).findings[0]
    assert found.where["index"] == [1, 2, 3] and found.where["yours"] == pytest.approx(
        found.where["expected"] + 0.5
    )
    assert "1 of 105 numbers differ, the largest difference is 0.5." in found.evidence[0]


def test_a_broken_invariant_is_evidence():
    report = quiet("softmax.backward", lambda d_P, P: P * d_P)
    assert "The sum of each row of d_scores should be 0, because softmax ignores a shift" in text(
        report
    )


def test_two_mistakes_in_two_outputs():
    def two(d_y, x, gamma, beta, epsilon):
        d_x, _, d_beta = layer_norm_backward(d_y, layer_norm(x, gamma * 0 + 1, beta, epsilon)[1])
        return d_x * gamma, (d_y * x).sum((0, 1)), d_beta

    report = quiet("layer_norm.backward", two)
    assert report.right == ["d_beta"] and ids(report) == ["d-gamma-with-input", "remains"]
    assert "besides Something else remains in d_x." in text(report)


def test_two_mistakes_in_one_output_name_the_larger():
    exercise = EXERCISES["layer_norm.backward"]
    version = {m.id: m.versions[0] for m in exercise.mistakes}
    for one, other in (
        ("mean-path-missing", "not-divided-by-sigma"),
        ("sigma-path-missing", "divided-by-variance"), ("gamma-outside-sums", "sigma-path-missing"),
    ):  # fmt: skip
        report = quiet(exercise, exercise.wrong(version[one], version[other]))
        sizes = {
            m: np.abs(np.subtract(*quiet(exercise, exercise.wrong(version[m])).arrays["d_x"])).max()
            for m in (one, other)
        }
        assert ids(report) == [max(sizes, key=sizes.get), "remains"]
        assert "Something else remains." in text(report)


def test_a_known_mistake_and_a_factor():
    report = quiet("softmax.backward", lambda d_P, P: 3 * P * (1 - P) * d_P)
    assert ids(report) == ["diagonal-only", "remains"]
    assert "A factor of 3 remains in d_scores." in text(report)


def test_most_of_the_difference():
    def crooked(d_P, P):
        return P * (1 - P) * d_P * (1 + 0.02 * np.sin(np.arange(P.size)).reshape(P.shape))

    report = quiet("softmax.backward", crooked)
    assert ids(report) == ["diagonal-only", "remains"]
    assert "Most of this would come out when" in text(report)


STRUCTURES = {
    "factor": (lambda g: 2 * g, "Every number is twice what it should be."),
    "axes": (lambda g: g.swapaxes(1, 2), "Transposed by (0, 2, 1), it would be right."),
    "zeros": (lambda g: 0 * g, "All numbers are zero."),
    "reversed": (lambda g: g[:, ::-1], "Along axis 1 the numbers stand in reverse."),
    "shifted": (
        lambda g: np.roll(g, 1, axis=1),
        "Along axis 1 the numbers stand one place too late.",
    ),
    "signs": (np.abs, "have the wrong sign, and are right otherwise."),
    "rearranged": (
        lambda g: g.reshape(-1)[np.random.default_rng(3).permutation(g.size)].reshape(g.shape),
        "in other places",
    ),
    "place": (
        lambda g: (
            g + (np.arange(g.shape[1]) == 2)[:, None] * np.sin(np.arange(g.size)).reshape(g.shape)
        ),
        "only where axis 1 is 2 of 0 to",
    ),
    "constant": (
        lambda g: g + np.arange(g.shape[1])[:, None] - 7.0,
        "Along axis 2 the difference is constant",
    ),
    "unknown": (lambda g: g + np.sin(np.arange(g.size)).reshape(g.shape), "numbers differ"),
}


@pytest.mark.parametrize("rule", STRUCTURES)
def test_what_is_not_known_is_localised(rule):
    change, words = STRUCTURES[rule]
    for seed in range(3):
        report = quiet(
            "softmax.backward", lambda d_P, P: change(softmax_backward(d_P, P)), seed=seed
        )
        assert ids(report) == [rule], str(report)
        assert words in text(report)


def test_a_missing_term_is_named_by_the_array_that_it_is():
    report = quiet(
        "layer_norm.forward",
        lambda x, gamma, beta, epsilon: layer_norm(x, gamma, beta, epsilon)[0] - 0.25 * x,
    )
    assert ids(report) == [
        "term"
    ] and "The difference is -0.25 · x: such a term is missing, or one too many." in text(report)


def test_a_factor_is_told_in_the_letters_of_the_sizes():
    report = quiet("layer_norm.backward", lambda d_y, x, gamma, beta, epsilon: tuple(
        g / 44**0.5
        for g in layer_norm_backward(d_y, layer_norm(x, gamma, beta, epsilon)[1])))  # fmt: skip
    assert "which is 1/√D here" in text(report)


def test_what_stops_for_its_shapes_is_named_where_all_sizes_are_equal():
    report = quiet(
        "linear.backward",
        lambda d_y, x, weight, bias: (
            d_y @ weight, np.einsum("btd,btf->df", x, d_y), d_y.sum((0, 1)),
        ),
    )
    assert (
        report.findings[0].id == "weight-not-transposed"
        and "It raised ValueError" in text(report)
        and len(report.findings) == 1
    )


def test_a_rule_finds_what_no_number_shows():
    def swapped(x, p, training, rng):
        return np.where(rng.random(x.shape) < p, x / (1 - p), 0) if training else x

    report = quiet("dropout.forward", swapped)
    assert report.findings[0].id == "probabilities-swapped" and "expected" not in text(report)


# -- hygiene ---------------------------------------------------------------------------------------


def test_an_input_that_is_changed_is_not_right():
    def in_place(scores):
        scores -= scores.max(axis=-1, keepdims=True)
        return softmax(scores)

    report = quiet("softmax.forward", in_place)
    assert not report.passed and ids(report) == ["changed"]
    assert "The numbers are right, but scores was changed in place" in text(report)


def test_an_answer_that_is_kept_from_the_call_before():
    calls = []

    def forgetful(scores):
        calls.append(1)
        return softmax(scores) * (1 if len(calls) < 5 else 2)

    report = quiet("softmax.forward", forgetful)
    assert not report.passed and ids(report) == ["not-repeatable"]


def test_what_is_kept_from_the_first_call_is_not_right():
    kept = {}

    def for_ever(d_P, scores):
        kept.setdefault("P", softmax(scores))
        return softmax_backward(d_P, kept["P"])

    report = quiet("softmax.backward", for_ever)
    assert not report.passed and "With the first numbers it was right" in text(report)


@pytest.mark.parametrize("exercise, answer", {
    "layer_norm.forward": lambda x, gamma, beta: layer_norm(x, gamma, beta, 1e-5)[0],
    "heads.split": lambda x, heads: x.reshape(*x.shape[:2], 4, -1).swapaxes(1, 2),
    "attention.scores": lambda query, key: query @ key.swapaxes(-1, -2) / np.sqrt(11),
}.items())  # fmt: skip
def test_a_constant_that_is_written_down_is_not_right(exercise, answer):
    report = quiet(exercise, answer)
    assert not report.passed and "other sizes, numbers or constants (ε, a rate) it is not" in text(
        report
    )


def test_a_convention_that_changes_its_input_is_not_right():
    def in_place(x, gamma, beta, epsilon):
        x -= x.mean(-1, keepdims=True)
        return gamma * x / (x.std(-1, keepdims=True) + epsilon) + beta

    report = quiet("layer_norm.forward", in_place)
    assert not report.passed and ids(report) == ["convention:epsilon-outside-root", "changed"]


def test_a_mistake_beside_a_convention_is_named():
    report = quiet(
        "layer_norm.forward",
        lambda x, gamma, beta, epsilon: (
            gamma * (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + epsilon)
        ),
    )
    assert ids(report) == ["beta-missing"]


def test_none_is_no_error():
    report = quiet(
        "embedding.forward",
        lambda ids, table: (
            table[ids] * table.shape[1] ** 0.5
            if 0 <= ids.min() and ids.max() < len(table)
            else None
        ),
    )
    assert not report.passed


def test_a_factor_without_a_name_is_no_other_mistake():
    for exercise, answer in {
        "softmax.backward": softmax_backward,
        "attention.forward": attention,
    }.items():
        names = (
            ("d_P", "P") if exercise == "softmax.backward" else ("query", "key", "value", "mask")
        )
        scaled = eval(
            f"lambda {', '.join(names)}: 1.2345 * answer({', '.join(names)})", {"answer": answer}
        )
        assert ids(quiet(exercise, scaled)) == ["factor"]


def test_the_number_shown_is_of_the_output_that_is_named():
    def two(d_y, x, weight, bias):
        return (
            50 * np.sign(x) * (d_y @ weight.T), np.einsum("btd,btf->df", x, d_y), d_y.mean((0, 1)),
        )

    found = quiet("linear.backward", two).findings
    assert (
        found[0].where["output"] == "d_bias"
        and found[0].id == "mean-for-sum"
        and "d_x" in found[1].evidence[0]
    )


@pytest.mark.parametrize("backward", [
    lambda grad, P: softmax_backward(grad, P),
    lambda *args, **kwargs: softmax_backward(args[0], softmax(args[1])),
])  # fmt: skip
def test_the_commonest_signatures_fit(backward):
    assert quiet("softmax.backward", backward).passed


def test_a_gradient_under_a_name_of_ones_own_and_less_than_is_given():
    assert quiet(
        "linear.backward",
        lambda dout, x, W: (dout @ W.T, np.einsum("btd,btf->df", x, dout), dout.sum((0, 1))),
    ).passed
    rng = np.random.default_rng(5)
    assert quiet(
        "dropout.forward",
        lambda x, drop_prob=0.5, training=True: (
            np.where(rng.random(x.shape) < drop_prob, 0, x / (1 - drop_prob)) if training else x
        ),
    ).passed
    assert quiet(
        "noam.rate",
        lambda step, dim=512, warmup_steps=4000: (
            dim**-0.5 * min(step**-0.5, step * warmup_steps**-1.5)
        ),
    ).passed


def test_what_the_notebook_has_switched_on_does_not_reach_the_checker():
    import warnings

    before = np.seterr(all="raise")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for size in (1e-300, 1e200):
                assert str(quiet("gelu.backward", lambda d_y, x, size=size: d_y * x * size))
    finally:
        np.seterr(**before)


def test_a_convention_passes_with_a_note():
    report = quiet(
        "layer_norm.forward",
        lambda x, gamma, beta, epsilon: (
            gamma * (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + epsilon) + beta
        ),
    )
    assert report.passed and ids(report) == ["convention:epsilon-outside-root"]
    assert "note Right, by another convention: ε is added to σ, outside the root." in text(report)


def test_float32_on_the_way_passes_with_a_note():
    report = quiet(
        "softmax.forward",
        lambda scores: softmax((scores - scores.max(-1, keepdims=True)).astype(np.float32)).astype(
            float
        ),
    )
    assert report.passed and ids(report) == ["precision"] and "as float32 does" in text(report)


def test_a_thousandth_is_no_question_of_precision():
    report = quiet(
        "softmax.backward",
        lambda d_P, P: softmax_backward(d_P, P) * (1 + 1e-3 * np.sin(np.arange(P.shape[-1]))),
    )
    assert not report.passed and ids(report) == ["unknown"]


def test_a_small_number_is_no_question_of_precision():
    report = quiet(
        "softmax.forward",
        lambda scores: (
            (e := np.exp(scores - scores.max(-1, keepdims=True)))
            / (e.sum(-1, keepdims=True) + 1e-8)
        ),
    )
    assert not report.passed and ids(report) == ["constant-added-to-sum"]


# -- how it is said --------------------------------------------------------------------------------


def test_it_prints_and_returns_the_report(capsys):
    report = check("softmax.forward", softmax)
    assert (
        isinstance(report, Report)
        and capsys.readouterr().out == "softmax.forward: right\n  right       P, in 4 situations.\n"
    )
    check("softmax.forward", softmax, quiet=True)
    assert capsys.readouterr().out == ""


def test_strict_raises_the_diagnosis(capsys):
    with pytest.raises(
        AssertionError, match=r"(?s)not right yet.*each weight answers for itself alone"
    ) as caught:
        check("softmax.backward", lambda d_P, P: d_P * P * (1 - P), strict=True)
    assert "question" in str(caught.value) and capsys.readouterr().out == ""
    with pytest.raises(AssertionError, match="not started yet"):
        check("softmax.backward", blank_pass, strict=True)
    assert check("softmax.forward", softmax, strict=True).passed


def test_a_report_as_a_dict_is_json():
    report = quiet("softmax.backward", lambda d_P, P: P * d_P)
    found = json.loads(json.dumps(report.to_dict()))
    assert (found["exercise"], found["passed"], found["status"], found["right"]) == (
        "softmax.backward", False, "wrong", [],
    )
    first = found["findings"][0]
    assert (
        (first["id"], first["severity"]) == ("softmax.backward/weighted-mean-missing", "error")
        and first["title"]
        and first["question"]
        and first["where"]["index"] == [0, 0, 0]
    )


def test_a_notebook_shows_a_table_and_a_picture_of_each_wrong_output():
    page = quiet("softmax.backward", lambda d_P, P: P * d_P)._repr_html_()
    assert page.count("<img") == 1 and "alt='d_scores: yours, expected, and the difference'" in page
    assert "the weighted mean of d_P is not taken off" in page
    assert "<img" not in quiet("softmax.forward", softmax)._repr_html_()


def test_a_notebook_cell_shows_a_report_once(monkeypatch, capsys):
    from minitransformer.grading import picture, report

    shown = []
    shell = types.SimpleNamespace(kernel=object(), execution_count=3)
    monkeypatch.setattr(picture, "_shell", lambda: shell)
    monkeypatch.setattr(report, "show_html", shown.append)
    answer = check("softmax.forward", softmax)
    answer._ipython_display_()
    assert len(shown) == 1 and capsys.readouterr().out == ""
    shell.execution_count = 4
    answer._ipython_display_()
    assert len(shown) == 2


def wrong_in_its_own_way(scores):
    return np.tanh(scores) + 0.1 * scores


def test_of_a_wrong_answer_that_is_another_one_each_time_no_more_is_said(monkeypatch):
    calls = []

    def counting(scores):
        calls.append(1)
        return np.tanh(scores) + len(calls)

    def searching(*inputs):
        pytest.fail("there is nothing to search for")

    monkeypatch.setattr("minitransformer.grading.diagnosis.guess", searching)
    report = quiet("softmax.forward", counting)
    assert ids(report) == ["not-repeatable"] and report.findings[0].lines == []
    assert "it answers differently: something is kept from the call before" in text(report)


def test_evidence_of_a_mistake_is_not_told_where_it_only_comes_near():
    def nearly(d_P, P):
        return P * d_P - 0.02 * np.tanh(d_P) * P**0.5

    report = quiet("softmax.backward", nearly)
    finding, _ = report.findings
    assert finding.id == "weighted-mean-missing" and not finding.exact
    assert "What is too much" not in text(report)
    assert "What is too much" in text(quiet("softmax.backward", lambda d_P, P: P * d_P))


def dropout_with(keep):
    def dropout(x, p, training, rng):
        return x * keep(rng, x.shape, p) / (1 - p) if training else x

    return dropout


@pytest.mark.parametrize(
    "keep",
    [
        lambda rng, shape, p: rng.standard_normal(shape) < 1 - p,  # Φ(0.8) is 0.79
        lambda rng, shape, p: rng.random(shape) >= 0.2,
        lambda rng, shape, p: rng.random(shape) < 0.8,
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_share_that_is_right_for_one_p_alone_is_wrong(keep, seed):
    report = quiet("dropout.forward", dropout_with(keep), seed=seed)
    assert ids(report) == ["other-share-dropped"]


def test_a_word_has_no_id_of_a_special_token():
    def shift(target, PAD, BOS, EOS):
        ends = np.pad(target, ((0, 0), (0, 1)), constant_values=PAD)
        ends[np.arange(len(ends)), (target != PAD).sum(1)] = EOS
        read = np.pad(ends, ((0, 0), (1, 0)), constant_values=BOS)[:, :-1]
        return np.where(read == EOS, PAD, read), ends

    for seed in range(3):
        assert quiet("teacher_forcing.shift", shift, seed=seed).passed


def test_of_two_mistakes_that_is_named_which_is_wrong_in_more_situations():
    report = quiet("softmax.forward", lambda scores: np.exp(scores) / np.exp(scores).sum())
    assert ids(report) == ["one-sum-for-all", "remains"]


def test_where_all_that_is_wrong_is_nan_the_report_says_that_more_mistakes_make_it():
    def infinite(query, key, value, mask):
        scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
        weights = softmax(np.where(mask, scores, np.inf))
        return weights @ value

    assert "another mistake may make the same" in text(quiet("attention.forward", infinite))
    halved = text(quiet("softmax.backward", lambda d_P, P: P * d_P))
    assert "another mistake" not in halved


def test_of_two_constant_arrays_neither_is_called_a_multiple_of_the_other():
    def one_sum(d_y, x, weight, bias):
        d_weight = np.einsum("btd,btk->dk", x, d_y)
        return d_y @ weight.T, d_weight, np.full(bias.shape, d_y.sum())

    report = quiet("linear.backward", one_sum)
    assert "actor of" not in text(report) and report.right == ["d_x", "d_weight"]


def test_an_error_that_no_line_of_the_learner_raised_has_no_line_and_is_told_whole():
    report = quiet("softmax.forward", np.linalg.inv)
    assert "It raised LinAlgError (" in text(report) and "in line" not in text(report)

    def wordy(scores):
        raise ValueError("first\nsecond " + "x" * 200 + " last")

    assert "(first second x" in text(quiet("softmax.forward", wordy))
    assert "x last)" in text(quiet("softmax.forward", wordy))


def test_an_option_keeps_its_default_where_an_array_is_left_over():
    def backward(d_P, P, axis=-1):
        return P * (d_P - (d_P * P).sum(axis, keepdims=True))

    assert quiet("softmax.backward", backward).passed
    assert quiet("softmax.backward", functools.partial(backward, axis=-1)).passed
    assert quiet("softmax.backward", lambda d_P, P, *, k=1: backward(d_P, P) * k).passed

    def norm(x, gamma, beta, e=0.0):  # a number is left over for a number
        sigma = np.sqrt(x.var(-1, keepdims=True) + e)
        return (x - x.mean(-1, keepdims=True)) / sigma * gamma + beta

    assert quiet("layer_norm.forward", norm).passed


IN_SINGLE = {  # what float32 cannot show
    "softmax.forward/constant-added-to-sum", "attention.weights/constant-added-to-sum",
    "attention.forward/constant-added-to-sum", "gelu.forward/cubic-factor-mistyped",
    "gelu.backward/cubic-factor-mistyped", "gradient_check.numerical/one-sided",
    "gradient_check.numerical/numbers-not-restored",
}  # fmt: skip


@pytest.mark.parametrize("id", sorted(EXERCISES))
def test_known_mistakes_are_wrong_in_float32_too(id):
    exercise, passed = EXERCISES[id], {}
    with np.errstate(all="ignore"):
        for draw in draws(0):
            given = _situations(exercise, draw)
            expected = attempt_own(exercise.reference, exercise, given)
            tolerances = {s: TOLERANCES[4] + AMPLE * change_by_rounding(exercise, x)
                          for s, x in given.items()}  # fmt: skip
            assert max(tolerances.values()) < WIDEST
            for mistake, version, made in wrong_versions(expected):
                for situation, outcome in made.outcomes.items():
                    for name, array in outcome.outputs.items():
                        outcome.outputs[name] = array.astype(np.float32).astype(float)
                    outcome.tolerance = tolerances[situation]
                key = mistake.id, str(version)
                passed[key] = passed.get(key, True) and agree(made, expected)
    found = {f"{id}/{name}" for (name, _), is_right in passed.items() if is_right}
    conventions = {f"{id}/{m.id}" for m in exercise.mistakes if m.convention}
    assert found - conventions <= IN_SINGLE


@pytest.mark.parametrize("id", sorted(set(EXERCISES) - {"gradient_check.numerical"}))
def test_what_is_right_in_float32_is_right(id):
    exercise = EXERCISES[id]
    if exercise.drive or exercise.changes:
        pytest.skip("it is no function of arrays, or changes arrays that are handed in")

    def single(**given):
        rounded = {name: x.astype(np.float32) if getattr(x, "dtype", None) == np.float64 else x
                   for name, x in given.items()}  # fmt: skip
        returned = exercise.reference(**rounded)
        several = isinstance(returned, tuple)
        arrays = [
            x.astype(np.float32) if getattr(x, "dtype", None) == np.float64 else x
            for x in (returned if several else (returned,))
        ]
        return tuple(arrays) if several else arrays[0]

    report = quiet(id, single)
    assert report.passed, report


def test_an_answer_that_waits_is_given_up():
    waited = []

    def waiting(scores):
        waited.append(time.sleep(0.001))
        return np.tanh(scores)

    ticks = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "minitransformer.grading.budget.time",
            types.SimpleNamespace(process_time=lambda: 0, monotonic=lambda: 2 * next(ticks)),
        )
        report = quiet("softmax.forward", waiting)
    assert not report.passed and len(waited) < 100


def test_an_object_that_ends_the_program_when_it_is_read_gets_a_report():
    class Leaves:
        def __array__(self, *inputs, **options):
            raise SystemExit

    assert "cannot be read: SystemExit" in text(quiet("softmax.forward", lambda scores: Leaves()))


def test_what_is_wrong_is_printed_before_it_is_known_why(monkeypatch, capsys):
    searched = []

    def guess(attempts):
        searched.append(capsys.readouterr().out)

    monkeypatch.setattr("minitransformer.grading.diagnosis.guess", guess)
    answer = check("softmax.forward", wrong_in_its_own_way)
    printed = capsys.readouterr().out
    assert len(searched) == 1 and "wrong       P[0, 0, 0] is" in searched[0]
    assert printed and searched[0] + printed == f"{answer}\n"
    with pytest.raises(AssertionError):
        check("softmax.forward", wrong_in_its_own_way, strict=True)
    check("softmax.forward", wrong_in_its_own_way, quiet=True)
    assert searched[1:] == ["", ""] and capsys.readouterr().out == ""


def test_in_a_notebook_the_whole_report_takes_the_place_of_what_was_known_first(monkeypatch):
    from minitransformer.grading import report

    shown = []
    monkeypatch.setattr(report, "in_notebook", lambda: True)
    monkeypatch.setattr(report, "show_html", lambda text: shown.append([text]) or shown[-1].append)
    answer = check("softmax.forward", wrong_in_its_own_way)
    [(first, last)] = shown
    assert "P[0, 0, 0] is" in first and "<img" not in first
    assert last == answer._repr_html_() and "<img" in last
    check("softmax.forward", softmax)
    assert [len(texts) for texts in shown] == [2, 1]


def test_a_seed_draws_other_numbers_and_sizes():
    shapes = []
    for seed in range(5):
        quiet("softmax.forward", lambda scores: shapes.append(scores.shape) or scores, seed=seed)
    assert len(set(shapes)) == 5 + 1  # and the smallest case


def test_the_same_seed_says_the_same():
    assert str(quiet("softmax.backward", lambda d_P, P: P, seed=7)) == str(
        quiet("softmax.backward", lambda d_P, P: P, seed=7)
    )


# -- what is asked ---------------------------------------------------------------------------------


def test_the_list_has_a_line_for_each_exercise():
    listed = exercises()
    assert "softmax.backward" in listed and len(repr(listed).splitlines()) == len(listed) == len(
        EXERCISES
    )


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_an_exercise_says_what_it_asks_with_shapes(exercise):
    page = str(exercise)
    assert exercise.statement and all(
        f"{name}" in page for name in (*exercise.inputs, *exercise.returns)
    )
    assert len(exercise.hints) == 4 and all(exercise.hints)


def printed(capsys, function, *arguments):
    """What the function prints; it returns nothing, which a prompt would show a second time."""
    capsys.readouterr()
    assert function(*arguments) is None
    return capsys.readouterr().out.rstrip("\n")


def test_hints_go_from_a_question_to_a_line(capsys):
    levels = [printed(capsys, hint, "softmax.backward", level) for level in (1, 2, 3, 4)]
    assert (
        levels[0].endswith("?") and levels[3] == "P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))"
    )
    assert "There are 1 (a question) to 4 (one line)." in refusal(hint, "softmax.backward", 5)


def test_reveal_shows_the_packages_own_source_and_the_formula_of_its_helpers(capsys):
    shown = printed(capsys, reveal, "layer_norm.backward")
    assert (
        "def backward(self, d_y: Floats) -> Floats:" in shown
        and "self.gamma.grad += position_sum(d_y * x_hat)" in shown
    )
    assert (
        "# feature_mean: Mean over the last axis, kept: `x.mean(axis=-1, keepdims=True)`." in shown
    )
    assert LayerNorm.__name__ not in shown.splitlines()[0]


def plain_solution(capsys, id):
    """What `reveal` shows before the package's own lines."""
    head, found = printed(capsys, reveal, id).split("# A plain solution.\n")
    assert head == ""
    return found.split("\n\n\n# The package's own lines.\n")[0]


def test_reveal_begins_with_a_plain_solution_as_the_exercise_asks_for_it(capsys):
    solution = plain_solution(capsys, "heads.split")
    assert solution == (
        "def split_heads(x, heads):\n    batch, length, features = x.shape\n"
        "    return x.reshape(batch, length, heads, features // heads).transpose(0, 2, 1, 3)"
    )
    solution = plain_solution(capsys, "softmax.backward")
    assert solution.startswith("# softmax: the exercise softmax.forward\ndef softmax_backward(")


@pytest.mark.parametrize("id", EXERCISES)
def test_the_plain_solution_is_right_with_numpy_and_the_exercises_that_it_names(id, capsys):
    solution = plain_solution(capsys, id)
    named = re.findall(r"^# (\w+): the exercise (\S+)$", solution, re.M)
    names = {"np": np, "math": math, **{name: EXERCISES[other] for name, other in named}}
    exec(solution, names)
    exercise = EXERCISES[id]
    assert check(id, names[exercise.name], quiet=True).passed
    assert '"""' not in solution and "@" not in solution.split("def ")[0]


# -- nothing makes it stumble ----------------------------------------------------------------------

RETURNS = [
    None, ..., 0, 1.5, True, "", b"", [], (), {}, set(), object(), int, len, np.nan, np.inf,
    10**400, 1j, np.zeros(0), np.zeros((0, 3)), np.array(None), np.array("text"),
    np.array([1, "a"]), np.ma.masked_all((3, 5, 7)), np.float16(1), iter([1]), range(3),
    [None, None], (None,), (np.zeros(3), None), [[...]], np.zeros((3, 5, 7), dtype=np.longdouble),
    np.datetime64("2017-06-12"), NotImplemented, Exception("x"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("exercise", list(EXERCISES))
def test_whatever_comes_back_gets_a_report(exercise):
    thorough = exercise in (
        "softmax.forward", "layer_norm.backward", "cross_entropy.forward", "dropout.twice",
        "update.all",
    )
    for returned in RETURNS if thorough else RETURNS[::7]:
        def answer(*given, returned=returned):
            return returned

        report = quiet(exercise, answer)
        assert not report.passed and str(report) and json.dumps(report.to_dict()), repr(returned)


class Refuses:
    def __init__(self, *_, **__):
        raise OSError("no")


class Nothing:
    pass


class Slots:
    """Its backward hands on what it is given."""

    __slots__ = ()

    def forward(self, *given):
        return given[0]

    def backward(self, *given):
        return given


HANDED_IN = {
    "None": None, "a number": 3, "a text": "", "a list": [], "a tuple": (), "a dict": {},
    "a class that refuses": Refuses, "an empty class": Nothing, "a class that hands on": Slots,
    "an object that hands on": Slots(), "two of Python's own": (len, len),
    "a function and a number": (softmax, 3), "np.exp": np.exp, "int": int, "type": type,
    "print": print, "Softmax": Softmax, "LayerNorm": LayerNorm, "softmax": softmax,
}  # fmt: skip
RIGHT = {  # all that is right among them: adding positions has the gradient that it is given
    ("softmax.forward", "Softmax"), ("softmax.forward", "softmax"), ("softmax.backward", "Softmax"),
    ("positional_encoding.backward", "a class that hands on"),
    ("positional_encoding.backward", "an object that hands on"),
}  # fmt: skip


@pytest.mark.parametrize("exercise", list(EXERCISES))
def test_whatever_is_handed_in_gets_a_report_and_what_is_wrong_does_not_pass(exercise):
    for name, submission in HANDED_IN.items():
        report = quiet(exercise, submission)
        assert (report.status, report.passed) == (
            ("right", True) if (exercise, name) in RIGHT else ("wrong", False)
        ), name
        assert str(report)


def test_a_wrapper_around_itself_and_a_class_that_raises_when_it_is_looked_at_get_a_report():
    def around(scores):
        pass

    class Raises:
        def __getattr__(self, name):
            raise OSError(name)

    around.__wrapped__ = around
    for submission in (around, Raises()):
        try:
            report = quiet("softmax.forward", submission)
        except (ValueError, OSError) as problem:
            pytest.fail(f"the check ended: {problem}")
        assert report.status == "wrong"


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True, None, np.int64(-1), np.float64(1)])
def test_a_seed_that_is_none_is_refused(seed):
    assert "A seed is a whole number from 0 on" in refusal(
        check, "softmax.forward", softmax, seed=seed
    )


def test_whole_numbers_of_numpy_are_whole_numbers(capsys):
    try:
        report = quiet("softmax.forward", softmax, seed=np.int64(3))
    except InputError as problem:
        pytest.fail(str(problem))
    assert report.passed
    assert printed(capsys, hint, "softmax.backward", np.int64(2)) == printed(
        capsys, hint, "softmax.backward", 2
    )


@pytest.mark.parametrize(
    "ask", [lambda name: check(name, softmax), hint, reveal], ids=["check", "hint", "reveal"]
)
@pytest.mark.parametrize("name, words", [
    ("softmax.backwards", "Did you mean 'softmax.backward'?"), ("", "There is no exercise ''."),
    (3, "There is no exercise '3'."), (None, "There is no exercise 'None'."),
    (["softmax.backward"], "Did you mean 'softmax.backward'?"),
    (np.zeros(3), "There is no exercise"),
    (softmax, "An exercise's name comes first, then the function: "
              'check("softmax.backward", my_function).'),
])  # fmt: skip
def test_a_name_that_does_not_exist_gets_a_sentence_wherever_it_is_given(ask, name, words):
    assert words in refusal(ask, name)


@pytest.mark.parametrize("name", ["softmax.backwards", 3, None])
def test_the_list_says_which_name_comes_near(name):
    assert "There is no exercise" in refusal(lambda: exercises()[name])
    assert name not in exercises() and exercises().get(name) is None


@pytest.mark.parametrize("level", [0, 5, 1.0, "1", None, True, [1]])
def test_a_level_that_does_not_exist_gets_a_sentence(level):
    assert "There are 1 (a question) to 4 (one line)." in refusal(hint, "softmax.backward", level)


# -- what is near enough ---------------------------------------------------------------------------


def test_rounding_is_measured_by_one_where_the_right_output_is_all_zeros():
    zeros = np.zeros((3, 5))
    assert scale_of(zeros) == scale_of(np.zeros(0)) == scale_of(np.full(3, np.nan)) == 1.0
    assert scale_of(np.array([0.0, -3.0, np.inf, np.nan])) == 3.0
    assert near(zeros + 1e-17, zeros, 1e-10) and not near(zeros + 1e-9, zeros, 1e-10)
    clipped = quiet(
        "clip.norm",
        lambda *given, **named: [g + 1e-17 for g in EXERCISES["clip.norm"](*given, **named)],
    )
    assert "gradients of 0" in EXERCISES["clip.norm"].situations and clipped.passed, str(clipped)
    assert not quiet(
        "clip.norm",
        lambda *given, **named: [g + 1e-5 for g in EXERCISES["clip.norm"](*given, **named)],
    ).passed


def made(**outputs):
    """An attempt at layer_norm.backward, which has three outputs, in one situation."""
    return Attempt(
        EXERCISES["layer_norm.backward"],
        {},
        {
            "random numbers": Outcome(
                {name: np.array(a, dtype=float) for name, a in outputs.items()}
            )
        },
    )


def test_the_distance_of_an_output_is_relative_to_its_own_size():
    expected = made(d_x=[1000.0, -500.0], d_gamma=[0.001, 0.0], d_beta=[1.0, 1.0])
    one = made(d_x=[1100.0, -500.0], d_gamma=[0.001, 0.0], d_beta=[1.0, 1.0])
    other = made(d_x=[1000.0, -500.0], d_gamma=[0.001, 0.0005], d_beta=[1.0, 1.0])
    assert distance(one, expected, expected) == pytest.approx(0.1)
    assert distance(other, expected, expected) == pytest.approx(0.5)
    assert distance(one, other, expected) == pytest.approx(np.hypot(0.1, 0.5))
    assert distance(expected, expected, expected) == 0
    assert (
        distance(made(d_x=[1.0], d_gamma=[0.001, 0.0], d_beta=[1.0, 1.0]), expected, expected)
        == np.inf
    )
    assert (
        distance(
            made(d_x=[np.nan, -500.0], d_gamma=[0.001, 0.0], d_beta=[1.0, 1.0]), expected, expected
        )
        == np.inf
    )


def test_a_very_long_error_is_cut():
    def long(scores):
        raise ValueError("x" * 10_000_000)

    assert len(str(quiet("softmax.forward", long))) < 1000


def test_an_error_of_the_learners_own_kind_is_told():
    class Odd(Exception):
        def __str__(self):
            return ""

    def odd(scores):
        raise Odd

    assert "It raised Odd in line" in text(quiet("softmax.forward", odd))


def test_the_records_are_what_they_say():
    for exercise in EXERCISES.values():
        assert isinstance(exercise, Exercise) and exercise.shown
        assert all(
            isinstance(m, Mistake) and m.title and (m.versions or m.rule) for m in exercise.mistakes
        ), exercise.id
        assert all(m.question or m.convention for m in exercise.mistakes), exercise.id


@pytest.mark.parametrize(
    "answer, taken",
    [
        (lambda d_P, P: P @ d_P, "d_P (3, 5, 7), P (3, 5, 7)."),
        (lambda d_P, scores: scores @ d_P, "d_P (3, 5, 7), scores (3, 5, 7)."),
        (lambda dy, s: s @ dy, "d_P (3, 5, 7), scores (3, 5, 7)."),
        (lambda *all: all[0] @ all[1], "d_P (3, 5, 7), scores (3, 5, 7)."),
    ],
)
def test_the_shapes_that_are_said_are_of_what_the_function_was_given(answer, taken):
    assert f"It was given {taken}" in " ".join(str(quiet("softmax.backward", answer)).split())


def test_a_constant_factor_is_the_same_in_every_situation():
    x = np.arange(1.0, 7.0)

    def made(*factors):
        return {
            n: types.SimpleNamespace(outputs={"y": factor * x}, tolerance=1e-9)
            for n, factor in enumerate(factors)
        }

    assert common_factor(made(2, 2), made(1, 1), "y") == 2
    assert common_factor(made(2, 2.01), made(1, 1), "y") == 0


def test_of_what_is_printed_the_beginning_is_kept_and_all_is_counted():
    child = subprocess.Popen(
        [sys.executable, "-c", "print('begin', 'x' * 1_000_000, sep='')"], stdout=subprocess.PIPE
    )
    output = apart.Output(child.stdout)
    child.wait(60)
    output.finish()
    assert output.size >= 1_000_006 and output.head == b"begin" + b"x" * (apart.HEAD - 5)


def test_an_array_that_follows_from_the_inputs_must_not_be_changed_either():
    def backward(d_P, P):
        total = (d_P * P).sum(-1, keepdims=True)
        P *= d_P - total
        return P.copy()

    report = quiet("softmax.backward", backward)
    assert not report.passed and "P was changed in place" in report.findings[0].evidence[0]
