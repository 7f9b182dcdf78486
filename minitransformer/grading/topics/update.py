"""One training step for all parameters of a model, in place."""

import copy
import inspect

import numpy as np

from ...core.module import Module
from ...training.optimizers import Adam
from ...training.schedules import Noam
from ..binding import Unfit, bind
from ..calling import is_blank
from ..exercise import exercise
from .met import issue, places, pull

# all of one shape, so that a gradient fits the wrong parameter too
NAMES = ("W_query", "W_key", "W_value", "W_output")
ARRAYS = ("parameters", "gradients", "m", "v")


def _given(rng, n):
    """Four weights; the gradients stand in the order in which backward met them."""
    size = {
        "parameters": lambda: rng.standard_normal((n.T, n.K)),
        "gradients": lambda: rng.standard_normal((n.T, n.K)),
        "m": lambda: 0.5 * rng.standard_normal((n.T, n.K)),
        "v": lambda: rng.uniform(0.5, 1.5, (n.T, n.K)),
    }
    order = {kind: NAMES[::-1] if kind == "gradients" else NAMES for kind in ARRAYS}
    return {
        **{kind: {name: size[kind]() for name in order[kind]} for kind in ARRAYS},
        "step": 30, "d_model": n.D, "warmup": 20,
    }  # fmt: skip


def _first(given, rng, n):
    zeros = {kind: {name: np.zeros((n.T, n.K)) for name in NAMES} for kind in ("m", "v")}
    return {**zeros, "step": 1}


def _drive(function, given):
    """What the arrays that were handed in hold afterwards: {"parameters": (4, …), …}, in the order
    of NAMES.

    It is not asked which arrays the dicts hold by then: a model holds on to its own.
    """
    if inspect.isclass(function) or not callable(function):
        raise Unfit(
            "A function is asked for: update_all(parameters, gradients, m, v, step, d_model, "
            "warmup)."
        )
    state = copy.deepcopy(given)
    held = {kind: [state[kind][name] for name in NAMES] for kind in ARRAYS}
    arguments, named = bind(function, state, list(state), "update_all()")
    returned = function(*arguments, **named)
    if returned is Ellipsis or (returned is None and is_blank(function)):
        return returned
    return {kind: np.stack(arrays) for kind, arrays in held.items()}


@exercise(
    "update.all",
    inputs={
        **{kind: "{name: array}" for kind in ARRAYS}, "step": "whole number from 1 on",
        "d_model": "number", "warmup": "number",
    },
    returns={kind: "{name: array}" for kind in ARRAYS},
    given=_given,
    situations={"the first step": _first},
    drive=_drive,
    signature=(
        "update_all(parameters, gradients, m, v, step, d_model, warmup) → changes parameters, "
        "gradients, m, v"
    ),
    shown=(Adam, Noam, Module.zero_grad),
    hints=(
        (
            "Which numbers belong to the step, and are the same for all parameters, and which "
            "belong to one parameter?"
        ),
        "η = D^(−½) · min(t^(−½), t · warmup^(−3/2)),  θ ← θ − η m̂ / (√v̂ + ε) for each θ,  g ← 0",
        (
            "the learning rate of the step, once\n"
            "for each name: its two moments, in place\n"
            "its parameter against the corrected moments, in place\n"
            "its gradient set to zero, in place"
        ),
        "parameters[name] -= rate * m_hat / (np.sqrt(v_hat) + 1e-9)",
    ),
)
def update_all(parameters, gradients, m, v, step, d_model, warmup):
    """One training step for a whole model: Adam, with the learning rate that the paper's schedule
    has at that step.

    `parameters`, `gradients` and the moments `m` and `v` are dicts {name: array} with the same
    names, in whichever order. Everything happens in place, in the arrays themselves: the model
    holds the same arrays, and must see it. After the step the gradients are zero, ready for the
    next backward. Nothing is returned.

    Adam with β₁ = 0.9, β₂ = 0.98, ε = 10⁻⁹ (see `adam.step`), the rate as in `noam.rate`; `step`
    counts from 1.
    """
    rate = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    for name in parameters:
        m[name] *= 0.9
        m[name] += (1 - 0.9) * gradients[name]
        v[name] *= 0.98
        v[name] += (1 - 0.98) * gradients[name] ** 2
        m_hat = m[name] / (1 - 0.9**step)
        v_hat = v[name] / (1 - 0.98**step)
        parameters[name] -= rate * m_hat / (np.sqrt(v_hat) + 1e-9)
        gradients[name][...] = 0


M_HAT = "m[name] / (1 - 0.9**step)"
V_HAT = "v[name] / (1 - 0.98**step)"
RATE = "rate = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)\n    "
LOOP = "for name in parameters:\n        "
MOVE = "parameters[name] -= rate *"
ZERO = "gradients[name][...] = 0"
FREE = "Does `a = a - b` write into the array that was there, or give its name to a new one?"
COUNTED = {LOOP: "for number, name in enumerate(parameters):\n        "}
ONCE = "How many steps has the model made when all its parameters have been updated once?"


def _powers(step):
    """The corrections with another count of the steps."""
    return {
        **COUNTED, M_HAT: f"m[name] / (1 - 0.9 ** ({step}))",
        V_HAT: f"v[name] / (1 - 0.98 ** ({step}))",
    }


update_all.mistake(
    "steps-per-parameter", "the steps are counted once per parameter in Adam's correction",
    _powers("step + number"), _powers("step + number + 1"), _powers("number + 1"),
    _powers("(step - 1) * len(parameters) + number + 1"), _powers("step * len(parameters)"),
    evidence="The first parameter of a step has another count than the last.", question=ONCE,
    met=places(
        "a public NumPy Transformer",
        pull("Shubham-cyber-prog/100-Days-Of-Web-Development-ECWoC26", 1575),
    ),
)
update_all.mistake(
    "rate-per-parameter",
    "the learning rate moves on once per parameter",
    {
        **COUNTED,
        MOVE: MOVE.replace(
            "rate", "d_model**-0.5 * min((step + number) ** -0.5, (step + number) * warmup**-1.5)"
        ),
    },
    {
        **COUNTED,
        MOVE: MOVE.replace(
            "rate",
            "d_model**-0.5 * min((step + number + 1) ** -0.5, (step + number + 1) * warmup**-1.5)",
        ),
    },
    {RATE: RATE.replace("step", "(step * len(parameters))")},
    {
        **COUNTED,
        MOVE: MOVE.replace(
            "rate",
            "d_model**-0.5 * min((count := (step - 1) * len(parameters) + number + 1) ** -0.5, "
            "count * warmup**-1.5)",
        ),
    },
    evidence="With many parameters the warm-up is over within a few steps.",
    question=ONCE,
    met="a public NumPy Transformer",
)
update_all.mistake(
    "all-counted-per-parameter",
    "the step moves on once per parameter, for the learning rate and for Adam's correction",
    {LOOP: LOOP + RATE.strip() + "\n        ", ZERO: ZERO + "\n        step += 1"},
    {LOOP: LOOP + "step += 1\n        " + RATE.strip() + "\n        "},
    question=ONCE,
)
update_all.mistake(
    "counted-from-zero", "the steps are counted from 0",
    {RATE: "step -= 1\n    " + RATE}, _powers("step - 1"),
    question="Which number has the first step?",
)
update_all.mistake(
    "no-bias-correction", "the moments are not corrected for having begun at zero",
    {M_HAT: "m[name]", V_HAT: "v[name]"}, {V_HAT: "v[name]"}, {M_HAT: "m[name]"},
    question=(
        "If all gradients were equal, what should m̂ and v̂ be after the first step, and what are "
        "they?"
    ),
)
update_all.mistake(
    "gradients-not-zeroed", "the gradients are not set to zero, or only their names are",
    {ZERO: "pass"},
    {ZERO: "gradients[name] = 0 * gradients[name]"},
    evidence=(
        "The next backward adds to them: each step then follows the sum of all gradients so far."
    ),
    question="What do the arrays that backward adds to hold after this step?",
    met=places(pull("tenstorrent/tt-blacksmith", 711), pull("wenet-e2e/wekws", 73)),
)
update_all.mistake(
    "zeroed-too-early", "the gradients are set to zero before they have been used",
    {LOOP: LOOP + ZERO + "\n        "},
    {ZERO: "for gradient in gradients.values():\n            gradient[...] = 0"},
    question="Which parameters have met their gradient when it becomes zero?",
    met=issue("lucidrains/byol-pytorch", 93),
)
update_all.mistake(
    "parameter-name-rebound",
    "a new array takes the parameter's name, and the model's own stays as it was",
    {MOVE: MOVE.replace("-=", "= parameters[name] -")},
    {MOVE: MOVE.replace("parameters[name] -=", "parameter = parameters[name] -")},
    evidence="The arrays that the model holds did not move: it is frozen.", question=FREE,
)
update_all.mistake(
    "moment-names-rebound",
    "new arrays take the moments' names, and the ones handed in stay as they were",
    {
        "m[name] *= 0.9\n        m[name] +=": "m[name] = 0.9 * m[name] +",
        "v[name] *= 0.98\n        v[name] +=": "v[name] = 0.98 * v[name] +",
    },
    {"m[name] *= 0.9\n        m[name] +=": "m[name] = 0.9 * m[name] +"},
    {"v[name] *= 0.98\n        v[name] +=": "v[name] = 0.98 * v[name] +"}, question=FREE,
)
update_all.mistake(
    "all-names-rebound", "new arrays take all names, and nothing that was handed in has changed",
    {
        "m[name] *= 0.9\n        m[name] +=": "m[name] = 0.9 * m[name] +",
        "v[name] *= 0.98\n        v[name] +=": "v[name] = 0.98 * v[name] +",
        MOVE: MOVE.replace("-=", "= parameters[name] -"),
    },
    {
        "m[name] *= 0.9\n        m[name] +=": "m[name] = 0.9 * m[name] +",
        "v[name] *= 0.98\n        v[name] +=": "v[name] = 0.98 * v[name] +",
        MOVE: MOVE.replace("-=", "= parameters[name] -"), ZERO: "pass",
    },
    question=FREE,
)
update_all.mistake(
    "paired-by-order", "parameters and gradients are paired by their order, not by their names",
    {
        LOOP: COUNTED[LOOP] + "gradient = list(gradients.values())[number]\n        ",
        "(1 - 0.9) * gradients[name]": "(1 - 0.9) * gradient",
        "(1 - 0.98) * gradients[name] ** 2": "(1 - 0.98) * gradient**2", ZERO: "gradient[...] = 0",
    },
    evidence="Each weight follows the gradient of another one.",
    question="Is the first parameter of one dict the first of the other?", met="public code",
)
update_all.mistake(
    "parameters-left-out", "not all parameters are updated", {ZERO: ZERO + "\n        return"},
    {LOOP: "for name in list(parameters)[:-1]:\n        "},
    {LOOP: "for name in list(parameters)[1:]:\n        "},
    evidence="A `return` or `break` inside the loop does that.",
    question="How many of the parameters have moved?",
)
update_all.mistake(
    "moments-shared",
    "all parameters share one pair of moments",
    {
        LOOP: LOOP + "shared = next(iter(m))\n        ", "m[name] *=": "m[shared] *=",
        "m[name] +=": "m[shared] +=", "v[name] *=": "v[shared] *=", "v[name] +=": "v[shared] +=",
        M_HAT: M_HAT.replace("name", "shared"), V_HAT: V_HAT.replace("name", "shared"),
    },
    question="Of whose gradients is one m the running mean?",
)
update_all.mistake(
    "step-along-gradient", "the step goes along the gradient", {MOVE: MOVE.replace("-=", "+=")},
    question="In which direction does the loss fall?",
)
update_all.mistake(
    "rate-not-scheduled", "the learning rate is not that of the schedule",
    {RATE: "rate = 1.0\n    "},
    {RATE: "rate = 1e-3\n    "}, {RATE: "rate = step**-0.5\n    "}, {"d_model**-0.5 * min": "min"},
    {"min(step": "max(step"}, {"min(step**-0.5, step": "(step"}, {"warmup**-1.5": "warmup**-0.5"},
    question="Which rate does `noam.rate` give for this step?",
)
