"""Dropout."""

import inspect

import numpy as np

from ...layers import Dropout as PackageDropout
from ..binding import Unfit, bind
from ..exercise import exercise
from .met import issue, places, pull

P = 0.2
# with another p, a constant is found, and a random number from another distribution
ANOTHER_P = {"p = 0.6": lambda given, rng, n: {"p": 0.6}}
# standard deviations by which a share may be off: by chance, less than once in 10⁸ times
PLAUSIBLE = 6


class Replay:
    """A generator that repeats the masks which a submission drew: 1 where it kept a number, 0 where
    it dropped one."""

    def __init__(self, *masks):
        self.masks = list(masks)

    def random(self, size=None):
        return (
            self.masks.pop(0).astype(float) if self.masks else np.random.default_rng(0).random(size)
        )


def _share_is(share, keep):
    """Whether a mask may have been drawn with this share of kept numbers."""
    return abs(keep.mean() - share) <= PLAUSIBLE * np.sqrt(share * (1 - share) / keep.size)


def _each_by_itself(keep):
    """Whether a mask differs along all of its axes."""
    return not any((keep == keep.take([0], axis)).all() for axis in range(keep.ndim))


def _mask(outcome, x, name):
    """Where an output of x's shape is not 0; None if there is no such output."""
    y = outcome.outputs.get(name)
    return None if y is None or y.shape != x.shape else y != 0


def _equal(one, other):
    return bool((one == other).all())


def _drawn_rightly(keep, p):
    return keep is not None and _share_is(1 - p, keep) and _each_by_itself(keep)


def _drawn(attempt):
    """[(mask, p)] of the situations of an attempt that were trained with, the first mask of each;
    [] if one has none."""
    x, y = ("x", "y") if "y" in attempt.exercise.returns else ("x_1", "y_1")
    trained = [name for name, given in attempt.given.items() if given.get("training", True)]
    found = [
        (_mask(attempt[name], attempt.given[name][x], y), attempt.given[name]["p"])
        for name in trained
    ]
    return found if all(keep is not None for keep, _ in found) else []


def _share_differs(drawn, share):
    """Whether numbers are kept each by itself, and not everywhere with this share of them, a
    function of p."""
    return bool(drawn) and (
        all(_each_by_itself(keep) for keep, _ in drawn)
        and not all(_share_is(share(p), keep) for keep, p in drawn)
    )


def _swapped(yours, expected):
    drawn = _drawn(yours)
    return _share_differs(drawn, lambda p: 1 - p) and not _share_differs(drawn, lambda p: p)


def _other_share(yours, expected):
    drawn = _drawn(yours)
    return _share_differs(drawn, lambda p: 1 - p) and _share_differs(drawn, lambda p: p)


def _one_for_many(yours, expected):
    return any(
        keep.any() and not keep.all() and not _each_by_itself(keep) for keep, _ in _drawn(yours)
    )


def _nothing_dropped(yours, expected):
    x, y = ("x", "y") if "y" in yours.exercise.returns else ("x_1", "y_1")
    keeps = [_mask(yours[situation], yours.given[situation][x], y) for situation in yours]
    return all(keep is not None and keep.all() for keep in keeps)


def _one_for_both(yours, expected):
    outcome, given = yours["random numbers"], yours.given["random numbers"]
    keeps = [_mask(outcome, given[x], y) for x, y in (("x_1", "y_1"), ("x_2", "y_2"))]
    return all(_drawn_rightly(keep, given["p"]) for keep in keeps) and _equal(*keeps)


def _align(given, outcome):
    """The given with a generator that repeats the submission's mask, if that can have been drawn as
    it should."""
    keep = _mask(outcome, given["x"], "y")
    return {**given, "rng": Replay(keep)} if _drawn_rightly(keep, given["p"]) else given


@exercise(
    "dropout.forward",
    inputs={
        "x": "(B, T, D)", "p": "number", "training": "True or False",
        "rng": "numpy.random.Generator",
    },
    returns={"y": "(B, T, D)"},
    given=lambda rng, n: {
        "x": rng.standard_normal((n.B, n.T, n.D)),
        "p": P,
        "training": True,
        "rng": np.random.default_rng(rng.integers(2**32)),
    },
    situations={
        "training switched off": lambda given, rng, n: {"training": False}, **ANOTHER_P,
    },
    align=_align,
    shown=(PackageDropout.forward,),
    hints=(
        (
            "If a share p of the numbers is missing, how large is the mean of the rest, and how "
            "large should it be?"
        ),
        "y = x ∘ M,  M = 1/(1−p) with probability 1−p, else 0",
        "if not training: x as it is\na uniform random number for each element\n"
        "which of them are at least p: these elements are kept\n"
        "enlarge what is kept",
        "x * (rng.random(x.shape) >= p) / (1 - p)",
    ),
)
def dropout(x, p, training, rng):
    """While training, make each number 0 with probability p, and enlarge the others so that the
    mean of y is that of x.

    Each number is dropped or kept by itself. When not training, y is x. Random numbers come from
    `rng`; any way to draw them will do.
    """
    if not training:
        return x
    keep = rng.random(x.shape) >= p
    return x * keep / (1 - p)


DRAWN = "rng.random(x.shape) >= p"

dropout.mistake(
    "probabilities-swapped", "the probabilities to keep and to drop are swapped",
    {DRAWN: "rng.random(x.shape) < p"},
    {DRAWN: "rng.random(x.shape) >= 1 - p"}, {DRAWN: "rng.random(x.shape) < p", "(1 - p)": "p"},
    rule=_swapped,
    evidence="A share p of the numbers is kept, and a share of 1−p is 0.",
    question="With p = 0.1, how many of ten numbers should be left?",
    met=places(pull("v-iashin/CS231n", 8), issue("aymericdamien/TensorFlow-Examples", 205)),
)
dropout.mistake(
    "choice-shared", "one random choice serves many numbers",
    {"random(x.shape)": "random(x.shape[-1])"},
    {"random(x.shape)": "random(x.shape[1:])"}, {"random(x.shape)": "random((*x.shape[:2], 1))"},
    {"random(x.shape)": "random((len(x), 1, x.shape[2]))"}, rule=_one_for_many,
    evidence="Along an axis, all are kept or all are dropped.",
    question="How many random numbers are drawn, and how many numbers has x?",
)
dropout.mistake(
    "nothing-dropped", "nothing is dropped", {DRAWN: "rng.random(x.shape) >= 0"}, {"* keep": ""},
    rule=_nothing_dropped, question="While training, which share of the numbers of y is 0?",
    met=issue("google-research/vision_transformer", 19),
)
dropout.mistake(
    "other-share-dropped", "another share than p is dropped", {DRAWN: "rng.random(x.shape) >= 0.5"},
    {DRAWN: "rng.standard_normal(x.shape) >= p"}, {DRAWN: "rng.integers(2, size=x.shape) == 1"},
    rule=_other_share,
    question="How are the random numbers distributed, and which share of them lies below p?",
)
dropout.mistake(
    "not-scaled-up", "what is kept is not enlarged", {" / (1 - p)": ""},
    question=(
        "How large is the mean of y while training, and how large is it afterwards, when nothing "
        "is dropped?"
    ),
)
dropout.mistake(
    "scaled-in-evaluation", "it is enlarged too when not training",
    {"return x\n": "return x / (1 - p)\n"},
    evidence="Without training, all numbers are 1/(1−p) times what they should be.",
    question="When nothing is dropped, what is there to make up for?", met="public code",
)
dropout.mistake(
    "scaling-put-off", "the scaling is put off until training is over",
    {"return x\n": "return x * (1 - p)\n", "keep / (1 - p)": "keep"},
    evidence=(
        "The first papers on dropout did so; then every model must be scaled that is only used."
    ),
    question=(
        "When should the numbers be made up for: while some of them are missing, or when all are "
        "there?"
    ),
    met=issue("rbgirshick/py-faster-rcnn", 211),
)
dropout.mistake(
    "drops-in-evaluation", "it drops when not training too", {"if not training": "if False"},
    question="When a model is used, should it say the same each time?",
    met=places(issue("facebookresearch/DME", 3), pull("Academic-Hammer/SciTSR", 16)),
)
dropout.mistake(
    "modes-swapped", "it drops when not training, and not while training",
    {"if not training": "if training"}, question="When is dropout for?",
)
dropout.mistake(
    "other-scale-factor", "another factor enlarges what is kept", {"keep / (1 - p)": "keep / p"},
    {"keep / (1 - p)": "keep * (1 - p)"}, {"keep / (1 - p)": "keep * p"},
    {"keep / (1 - p)": "keep / (1 - p) ** 2"}, {"keep / (1 - p)": "keep / np.sqrt(1 - p)"},
    {"keep / (1 - p)": "keep * (1 + p)"},
    question="If 7 of 10 numbers are left, by how much must each grow so that their sum stays?",
    met=places(issue("kaldi-asr/kaldi", 2814), pull("lmjohns3/theanets", 123)),
)
dropout.mistake(
    "input-changed", "x itself is changed",
    {"return x * keep / (1 - p)": "x *= keep / (1 - p)\n    return x"},
    {"return x * keep / (1 - p)": "x[~keep] = 0\n    return x / (1 - p)"},
    question="Who else may hold this array, and needs it as it was?",
)


@exercise(
    "dropout.backward",
    inputs={"d_y": "(B, T, D)", "keep": "(B, T, D) booleans", "p": "number"},
    returns={"d_x": "(B, T, D)"},
    given=lambda rng, n: {
        "d_y": rng.standard_normal((n.B, n.T, n.D)),
        "keep": rng.random((n.B, n.T, n.D)) >= P,
        "p": P,
    },
    shown=(PackageDropout.backward,),
    hints=(
        "With the mask held still, y is x times something. Times what?",
        "d_x = d_y ∘ M,  M = 1/(1−p) where kept, else 0",
        (
            "where a number was dropped, nothing comes back\n"
            "where it was kept, d_y is enlarged as x was"
        ),
        "d_y * keep / (1 - p)",
    ),
)
def dropout_backward(d_y, keep, p):
    """The gradient of x, from that of y = dropout(x) while training, and from the mask of that very
    forward.

    `keep` is True where forward kept a number, and p the probability with which it dropped one.
    """
    return d_y * keep / (1 - p)


dropout_backward.mistake(
    "gradient-not-scaled", "the gradient is not enlarged as x was", {" / (1 - p)": ""},
    evidence="All numbers are 1−p times what they should be.",
    question="If a kept x rises by one, by how much does its y rise?",
)
dropout_backward.mistake(
    "mask-inverted", "what was kept and what was dropped are swapped",
    {"d_y * keep": "d_y * ~keep"},
    {"d_y * keep / (1 - p)": "d_y * ~keep / p"},
    question="Which x reached y?",
)
dropout_backward.mistake(
    "mask-missing", "the mask is left out", {" * keep": ""}, {" * keep / (1 - p)": ""},
    question="If a dropped x rises by one, by how much does its y rise?",
    met=issue("ddbourgin/numpy-ml", 94),
)
dropout_backward.mistake(
    "other-scale-factor", "another factor enlarges what was kept", {"keep / (1 - p)": "keep / p"},
    {"keep / (1 - p)": "keep * (1 - p)"}, {"keep / (1 - p)": "keep * p"},
    {"keep / (1 - p)": "keep / (1 - p) ** 2"},
    question="If a kept x rises by one, by how much does its y rise?",
)
dropout_backward.mistake(
    "upstream-missing", "d_y is left out", {"d_y * keep": "keep"},
    question="By the chain rule, what is the slope of y multiplied with?",
)
dropout_backward.mistake(
    "given-array-changed", "an array that was handed in is changed",
    {"return d_y * keep / (1 - p)": "d_y *= keep / (1 - p)\n    return d_y"},
    {"return d_y * keep / (1 - p)": "d_y[~keep] = 0\n    return d_y / (1 - p)"},
    question="Who else may hold this array, and needs it as it was?",
)


def _drive(submission, given):
    """Forward, forward, backward, backward of one object, last in, first out."""
    if not inspect.isclass(submission):
        raise Unfit(
            "A class is asked for: Dropout(p, rng), with the methods forward(x) and backward(d_y)."
        )
    name = submission.__name__
    arguments, named = bind(
        submission, {"p": given["p"], "rng": given["rng"]}, ["p", "rng"], f"{name}'s constructor"
    )
    made = submission(*arguments, **named)
    missing = [method for method in ("forward", "backward") if not hasattr(made, method)]
    if missing:
        raise Unfit(f"{name} has no method `{missing[0]}`.")
    y_1, y_2 = made.forward(given["x_1"]), made.forward(given["x_2"])
    d_x_2 = made.backward(given["d_y_2"])
    return y_1, y_2, made.backward(given["d_y_1"]), d_x_2


def _align_twice(given, outcome):
    """The given with a generator that repeats the submission's masks: of its forwards, and what its
    backwards drew."""
    keeps = [_mask(outcome, given[x], y) for x, y in (("x_1", "y_1"), ("x_2", "y_2"))]
    if not all(_drawn_rightly(keep, given["p"]) for keep in keeps) or _equal(*keeps):
        return given
    back = [
        _mask(outcome, given[d_y], d_x) for d_y, d_x in (("d_y_2", "d_x_2"), ("d_y_1", "d_x_1"))
    ]
    fresh = [
        m
        for m in back
        if _drawn_rightly(m, given["p"]) and not any(_equal(m, keep) for keep in keeps)
    ]
    return {**given, "rng": Replay(*keeps, *fresh)}


@exercise(
    "dropout.twice",
    inputs={
        "p": "number",
        "rng": "numpy.random.Generator",
        **dict.fromkeys(("x_1", "x_2", "d_y_2", "d_y_1"), "(B, T, D)"),
    },
    returns=dict.fromkeys(("y_1", "y_2", "d_x_1", "d_x_2"), "(B, T, D)"),
    given=lambda rng, n: {
        "p": P,
        "rng": np.random.default_rng(rng.integers(2**32)),
        **{name: rng.standard_normal((n.B, n.T, n.D)) for name in ("x_1", "x_2", "d_y_2", "d_y_1")},
    },
    situations=ANOTHER_P,
    align=_align_twice,
    signature="class Dropout(p, rng) with forward(x) → y and backward(d_y) → d_x",
    drive=_drive,
    shown=(PackageDropout.forward, PackageDropout.backward),
    hints=(
        (
            "After two forwards, which mask does the first backward need? And how many must be "
            "kept until then?"
        ),
        "forward: push M, y = x ∘ M    backward: pop M, d_x = d_y ∘ M",
        "in the constructor: p, the generator, and an empty list\n"
        "forward: draw a mask, and put it at the end of the list\n"
        "backward: take the last mask off the list",
        "return d_y * self.kept.pop() / (1 - self.p)",
    ),
)
class Dropout:
    """A class with forward(x) and backward(d_y), of which one object can be used in two places of a
    network.

    Dropout(p, rng) is told the probability to drop a number, and a random generator. It is always
    training: forward makes each number 0 with probability p and enlarges the others so that the
    mean stays. Of two forwards, the backward of the second comes first, as always in
    backpropagation:

        y_1 = forward(x_1), y_2 = forward(x_2), d_x_2 = backward(d_y_2), d_x_1 = backward(d_y_1)
    """

    def __init__(self, p, rng):
        self.p, self.rng = p, rng
        self.kept = []

    def forward(self, x):
        keep = self.rng.random(x.shape) >= self.p
        self.kept.append(keep)
        return x * keep / (1 - self.p)

    def backward(self, d_y):
        return d_y * self.kept.pop() / (1 - self.p)


Dropout.mistake(
    "backward-draws-anew", "backward draws a mask of its own",
    {"self.kept.pop()": "(self.rng.random(d_y.shape) >= self.p)"},
    evidence="The zeros of d_x stand elsewhere than those of y.",
    question="Which numbers of x reached y, and which gradients are then 0?",
)
Dropout.mistake(
    "one-mask-kept", "there is room for one mask only, and the second forward overwrites the first",
    {"self.kept.append(keep)": "self.kept = keep", "self.kept.pop()": "self.kept"},
    evidence="Used in one place, it is right; in two, the second mask serves both.",
    question="After two forwards, how many masks must there be?", met="public code",
)
Dropout.mistake(
    "first-mask-first", "the first mask is taken first", {".pop()": ".pop(0)"},
    question="Which backward comes first: that of the first forward, or that of the last?",
)
Dropout.mistake(
    "first-mask-for-both",
    "the first mask serves both",
    {
        "self.kept.append(keep)": "self.kept = self.kept if len(self.kept) else keep",
        "self.kept.pop()": "self.kept",
    },
    {".pop()": "[0]"},
    question="After two forwards, how many masks must there be?",
)
Dropout.mistake(
    "same-mask-every-time", "the same mask is drawn in every forward",
    {"keep = self.rng": "keep = self.kept[0] if self.kept else self.rng"},
    rule=_one_for_both,
    question="Should two places of a network lose the same numbers?",
)
Dropout.mistake(
    "gradient-not-scaled", "the gradient is not enlarged as x was",
    {"self.kept.pop() / (1 - self.p)": "self.kept.pop()"},
    question="If a kept x rises by one, by how much does its y rise?",
)
Dropout.mistake(
    "not-scaled-up", "what is kept is not enlarged", {"x * keep / (1 - self.p)": "x * keep"},
    {"x * keep / (1 - self.p)": "x * keep", "self.kept.pop() / (1 - self.p)": "self.kept.pop()"},
    question="How large is the mean of y, and how large is that of x?",
)
Dropout.mistake(
    "probabilities-swapped", "the probabilities to keep and to drop are swapped",
    {">= self.p": "< self.p"},
    {">= self.p": ">= 1 - self.p"},
    rule=_swapped,
    evidence="A share p of the numbers is kept, and a share of 1−p is 0.",
    question="With p = 0.1, how many of ten numbers should be left?",
)
Dropout.mistake(
    "nothing-dropped", "nothing is dropped",
    {"rng.random(x.shape) >= self.p": "rng.random(x.shape) >= 0"},
    rule=_nothing_dropped, question="While training, which share of the numbers of y is 0?",
)
Dropout.mistake(
    "choice-shared", "one random choice serves many numbers",
    {"random(x.shape)": "random(x.shape[-1])"},
    {"random(x.shape)": "random(x.shape[1:])"},
    {"random(x.shape)": "random((len(x), 1, x.shape[2]))"}, rule=_one_for_many,
    evidence="Along an axis, all are kept or all are dropped.",
    question="How many random numbers are drawn, and how many numbers has x?",
)
Dropout.mistake(
    "mask-missing-backward", "the mask is left out on the way back", {"self.kept.pop() /": "1 /"},
    {"self.kept.pop() / (1 - self.p)": "1"},
    question="If a dropped x rises by one, by how much does its y rise?",
    met=issue("ddbourgin/numpy-ml", 94),
)
Dropout.mistake(
    "mask-inverted-backward", "what was kept and what was dropped are swapped on the way back",
    {"self.kept.pop()": "~self.kept.pop()"}, question="Which x reached y?",
)
