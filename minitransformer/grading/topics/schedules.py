"""Learning rates as functions of the step."""

import math

from ...training.schedules import Cosine, Noam
from ..exercise import exercise
from .met import issue, places, pull


@exercise(
    "noam.rate",
    inputs={"step": "whole number from 1 on", "d_model": "number", "warmup": "number"},
    returns={"rate": "number"},
    given=lambda rng, n: {"step": n.V, "d_model": n.D, "warmup": 10 * n.B * n.S},
    situations={
        "the first step": lambda given, rng, n: {"step": 1},
        "the last step of the warm-up": lambda given, rng, n: {"step": given["warmup"]},
        "a step long after the warm-up": lambda given, rng, n: {"step": 7 * given["warmup"]},
    },
    shown=(Noam,),
    hints=(
        (
            "At which step do a rate that rises in a straight line and one that falls like 1/√step "
            "meet?"
        ),
        "η(t) = D^(−½) · min(t^(−½), t · warmup^(−3/2))",
        (
            "the rate that falls: the step to the power −½\n"
            "the rate that rises: the step, times what makes the two equal at the end of the "
            "warm-up\nthe smaller of the two\nless for wider models"
        ),
        "min(step**-0.5, step * warmup**-1.5)",
    ),
)
def noam_rate(step, d_model, warmup):
    """The learning rate of one step, by the schedule of the paper (Vaswani et al. 2017, eq. 3).

    It rises in a straight line over the first `warmup` steps, and falls with the inverse root of
    the step from there on; all of it is divided by the root of the model's width. Steps count from
    1, and `warmup` is at least 1.
    """
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


noam_rate.mistake(
    "max-for-min", "the larger of the two is taken", {"min(": "max("},
    evidence="The rate is largest at the first step then.",
    question=(
        "Shortly after the beginning, which of the two is the small one: that which rises, or that "
        "which falls?"
    ),
)
noam_rate.mistake(
    "never-falls", "the rate never falls",
    {"min(step**-0.5, step * warmup**-1.5)": "(step * warmup**-1.5)"},
    {"step**-0.5,": "warmup**-0.5,"}, question="What becomes of the rate after the warm-up?",
)
noam_rate.mistake(
    "no-warm-up", "there is no warm-up", {"min(step**-0.5, step * warmup**-1.5)": "step**-0.5"},
    {"step * warmup**-1.5": "warmup**-0.5"},
    question="How large is the rate at the first step, and how large at the end of the warm-up?",
)
noam_rate.mistake(
    "warm-up-exponent-wrong", "the warm-up has another exponent", {"warmup**-1.5": "warmup**-0.5"},
    {"warmup**-1.5": "warmup**-1"}, {"step * warmup**-1.5": "step / warmup"},
    evidence="At the end of the warm-up the two rates do not meet.",
    question=(
        "At step = warmup, both rates should be equal. Which power of the warm-up makes them so?"
    ),
)
noam_rate.mistake(
    "step-exponent-wrong", "the step has another exponent", {"step**-0.5": "step**-1"},
    {"step**-0.5": "step**-1.5"}, {"step * warmup": "step**-1.5 * warmup"},
    {"step**-0.5, step * warmup**-1.5": "step**-1.5, step * warmup**-0.5"},
    {"step * warmup": "step**0.5 * warmup"}, {"step**-0.5, step *": "step, step**-0.5 *"},
    question="Four times as many steps later, to which part should the rate have fallen?",
)
noam_rate.mistake(
    "width-exponent-wrong", "the model's width has another exponent",
    {"d_model**-0.5": "d_model**0.5"},
    {"d_model**-0.5": "d_model**-1"}, {"d_model**-0.5": "d_model**-1.5"},
    question="Is the rate of a wider model the larger one, or the smaller?",
)
noam_rate.mistake(
    "width-missing", "the model's width is left out", {"d_model**-0.5 * ": ""},
    question="Is the rate of a wider model the larger one, or the smaller?",
)
noam_rate.mistake(
    "counted-from-zero", "the steps are counted from 0",
    {"return d_model": "step -= 1\n    return d_model"},
    {"min(step**-0.5, step * ": "min(step**-0.5, (step - 1) * "},
    {"return d_model": "step -= 1\n    return 0.0 if step == 0 else d_model"},
    evidence="At the first step the rate is 0, or a division by 0.",
    question="How large is the rate at the first step, and what does a step of that size do?",
)
noam_rate.mistake(
    "step-ahead", "the step is one ahead", {"return d_model": "step += 1\n    return d_model"},
    question="From which number do the steps count here?",
)
noam_rate.mistake(
    "width-in-one-only", "the width stands inside one of the two rates only",
    {"d_model**-0.5 * min(step": "min(d_model**-0.5 * step"},
    {"d_model**-0.5 * min(step**-0.5, step": "min(step**-0.5, d_model**-0.5 * step"},
    question="Which of the two rates should a wider model make smaller?",
)
noam_rate.mistake(
    "peak-scaled-to-one", "the rate is scaled so that its peak is 1",
    {"d_model**-0.5 * min(": "warmup**0.5 * min("},
    {"d_model**-0.5 * min(": "d_model**-0.5 * warmup**0.5 * min("},
    question="How large is the paper's rate at the end of the warm-up?",
    met=places(pull("espnet/espnet", 2088), issue("Kyubyong/transformer", 89)),
)


@exercise(
    "cosine.rate",
    inputs={
        "step": "whole number from 1 on", "peak": "number", "total": "number", "warmup": "number",
        "floor": "number",
    },
    returns={"rate": "number"},
    given=lambda rng, n: {
        "step": n.V + 2 * n.F, "peak": 0.7, "total": n.V * n.T + n.F, "warmup": n.V, "floor": 0.03,
    },
    situations={
        "a step of the warm-up": lambda given, rng, n: {"step": n.B},
        "the last step of the warm-up": lambda given, rng, n: {"step": given["warmup"]},
        "the last step of all": lambda given, rng, n: {"step": given["total"]},
        "a step after the last": lambda given, rng, n: {"step": given["total"] + n.V},
        "no warm-up": lambda given, rng, n: {"warmup": 0},
    },
    shown=(Cosine,),
    hints=(
        (
            "Which share of the way from the end of the warm-up to the end is done, and what is "
            "the cosine of 0 and of π?"
        ),
        (
            "η(t) = peak · t / warmup for t < warmup,  then  floor + (peak − floor) (1 + cos(π (t "
            "− warmup) / (total − warmup))) / 2"
        ),
        (
            "in the warm-up, a straight line from 0 to the peak\n"
            "after it, the share of the way that is done, at most 1\n"
            "half a cosine over it, moved and scaled so that it runs from the peak to the floor"
        ),
        "floor + (peak - floor) * (1 + math.cos(math.pi * progress)) / 2",
    ),
)
def cosine_rate(step, peak, total, warmup, floor):
    """The learning rate of one step: a warm-up, then half a cosine down to the floor (Loshchilov &
    Hutter 2017).

    In the warm-up it rises in a straight line that begins at 0 and reaches `peak` at step `warmup`
    (which may be 0: then there is none). It falls from there to `floor` at step `total`, and stays
    there.
    """
    if step < warmup:
        return peak * step / warmup
    progress = min(1.0, (step - warmup) / (total - warmup))
    return floor + (peak - floor) * (1 + math.cos(math.pi * progress)) / 2


PROGRESS = "(step - warmup) / (total - warmup)"
RISE = "peak * step / warmup"
FALL = "floor + (peak - floor) * (1 + math.cos(math.pi * progress)) / 2"
cosine_rate.mistake(
    "rises-again", "the rate rises again after the last step",
    {"min(1.0, (step - warmup) / (total - warmup))": PROGRESS},
    evidence="The cosine has a period: past π it goes up.",
    question="What is the rate at a step after the last?",
)
cosine_rate.mistake(
    "warm-up-counted", "the share of the way is counted with the warm-up",
    {PROGRESS: "step / total"},
    {PROGRESS: "(step - warmup) / total"}, {PROGRESS: "step / (total - warmup)"},
    question=(
        "How much of the way down is done at the last step of the warm-up, and how much at the "
        "last of all?"
    ),
    met=pull("facebookresearch/fairchem", 1967),
)
cosine_rate.mistake(
    "warm-up-from-floor", "the warm-up begins at the floor",
    {RISE: "floor + (peak - floor) * step / warmup"},
    question="Where would the line of the warm-up be at step 0?",
)
cosine_rate.mistake(
    "warm-up-step-shifted", "the warm-up is a step ahead, or a step behind",
    {RISE: "peak * (step + 1) / warmup"},
    {RISE: "peak * (step - 1) / warmup"}, {RISE: "peak * step / (warmup + 1)"},
    {RISE: "peak * (step + 1) / (warmup + 1)"},
    question="At which step does the rate reach the peak?",
)
cosine_rate.mistake(
    "no-warm-up", "there is no warm-up",
    {"if step < warmup:\n        return peak * step / warmup\n    ": ""},
    {"if step < warmup:\n        return peak * step / warmup\n    ": "", PROGRESS: "step / total"},
    {RISE: "peak"}, question="What is the rate at the first step?",
)
cosine_rate.mistake(
    "floor-missing", "the floor is left out",
    {FALL: "peak * (1 + math.cos(math.pi * progress)) / 2"},
    {FALL: "max(floor, peak * (1 + math.cos(math.pi * progress)) / 2)"},
    question="Does the cosine come down to 0, or to the floor?",
)
cosine_rate.mistake(
    "floor-added-to-peak", "the floor is added to the whole peak", {"(peak - floor)": "peak"},
    question="At the last step of the warm-up, what are floor and cosine together to be?",
)
cosine_rate.mistake(
    "other-cosine-piece", "it is another piece of the cosine",
    {"math.pi * progress": "2 * math.pi * progress"},
    {"math.pi * progress": "math.pi / 2 * progress"}, {"math.pi * progress": "progress"},
    {"(1 + math.cos(math.pi * progress)) / 2": "math.cos(math.pi / 2 * progress)"},
    {"1 + math.cos": "1 - math.cos"}, {"math.cos": "math.sin"},
    {"(1 + math.cos(math.pi * progress)) / 2": "math.cos(math.pi * progress)"},
    {"math.pi * progress": "180 * progress"},
    question=(
        "What should be half of 1 + cos(…) at the beginning of the way down, in its middle, and at "
        "its end?"
    ),
)
cosine_rate.mistake(
    "cosine-not-halved", "1 + cos is not halved", {" * progress)) / 2": " * progress))"},
    {
        "(peak - floor) * (1 + math.cos(math.pi * progress)) / 2": (
            "(peak - floor) / 2 * (1 + math.cos(math.pi * progress)) / 2"
        ),
    },
    question="Between which two numbers does 1 + cos(…) lie?",
)
cosine_rate.mistake(
    "straight-line", "the rate falls in a straight line",
    {"(1 + math.cos(math.pi * progress)) / 2": "(1 - progress)"},
    question="How steep is a cosine at its beginning?",
)
