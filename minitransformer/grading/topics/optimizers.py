"""One step of an optimizer, and clipping."""

import numpy as np

from ...training.optimizers import SGD, Adam, AdamW, clip_by_global_norm
from ..exercise import exercise
from .met import issue, places, pull

ANY = "(D, F)"  # the shape of a parameter does not matter: any other would do


def _sgd(rng, n):
    return {
        "parameter": rng.standard_normal((n.D, n.F)),
        "gradient": rng.standard_normal((n.D, n.F)),
        "velocity": rng.standard_normal((n.D, n.F)),
        "learning_rate": 0.3,
        "momentum": 0.9,
    }


@exercise(
    "sgd.step",
    inputs={
        "parameter": ANY, "gradient": ANY, "velocity": ANY, "learning_rate": "number",
        "momentum": "number",
    },
    returns={"parameter": ANY, "velocity": ANY},
    given=_sgd,
    situations={
        "the first step": lambda given, rng, n: {"velocity": 0 * given["velocity"]},
        "no momentum": lambda given, rng, n: {"momentum": 0.0},
    },
    shown=(SGD,),
    hints=(
        "If the gradient were the same at every step, where would the velocity end up?",
        "v ← μ v + g,  θ ← θ − η v",
        (
            "the velocity keeps its share μ\n"
            "the gradient is added to it, in full\n"
            "the parameter goes against the new velocity, times the learning rate"
        ),
        "velocity = momentum * velocity + gradient",
    ),
)
def sgd_step(parameter, gradient, velocity, learning_rate, momentum):
    """One step of stochastic gradient descent with momentum: the new parameter and the new
    velocity.

    The velocity keeps the share `momentum` of itself, and the gradient is added in full; the
    learning rate comes in only where the parameter moves. The arrays handed in stay as they are.
    """
    velocity = momentum * velocity + gradient
    parameter = parameter - learning_rate * velocity
    return parameter, velocity


VELOCITY = "velocity = momentum * velocity + gradient"
NEW_ARRAY = "Does `-=` or `*=` make a new array, or write into the old one?"
sgd_step.mistake(
    "rate-inside-velocity",
    "the learning rate is inside the velocity",
    {
        VELOCITY: "velocity = momentum * velocity + learning_rate * gradient",
        "- learning_rate * velocity": "- velocity",
    },
    {
        VELOCITY: "velocity = momentum * velocity - learning_rate * gradient",
        "- learning_rate * velocity": "+ velocity",
    },
    convention=True,
    evidence=(
        "While the rate stays the same, only the unit of the velocity differs; with a schedule, "
        "past gradients keep the rate they had."
    ),
    met=places(pull("paiml/aprender", 2190), issue("pytorch/pytorch", 1099)),
)
sgd_step.mistake(
    "gradient-share-in-velocity", "the gradient enters the velocity with the share 1 − μ",
    {"* velocity + gradient": "* velocity + (1 - momentum) * gradient"}, convention=True,
    evidence=(
        "The velocity is a mean of the gradients then, not a sum, and the learning rate has to be "
        "larger."
    ),
    met=issue("HIPS/autograd", 289),
)
sgd_step.mistake(
    "step-by-gradient", "the step follows the gradient, not the velocity",
    {"learning_rate * velocity": "learning_rate * gradient"},
    question="What does the velocity do, if the parameter does not move by it?",
)
sgd_step.mistake(
    "velocity-forgotten", "the velocity before is forgotten",
    {"momentum * velocity + gradient": "gradient"},
    {"momentum * velocity + gradient": "momentum * gradient"},
    question="What of the steps before is there in this one?",
)
sgd_step.mistake(
    "old-velocity-used", "the parameter moves by the old velocity",
    {
        VELOCITY: "before = velocity\n    velocity = momentum * velocity + gradient",
        "learning_rate * velocity": "learning_rate * before",
    },
    evidence="The first step does not move anything then.",
    question="Has this step's gradient reached the velocity when the parameter moves?",
)
sgd_step.mistake(
    "nesterov-momentum", "the step looks ahead (Nesterov's momentum)",
    {"learning_rate * velocity": "learning_rate * (gradient + momentum * velocity)"},
    question=(
        "By which vector does the parameter move: the velocity, or the gradient and the velocity "
        "again?"
    ),
)
sgd_step.mistake(
    "velocity-not-damped", "the velocity keeps all of itself", {"momentum * velocity": "velocity"},
    question="Where does the velocity end up if nothing of it is ever lost?",
)
sgd_step.mistake(
    "step-along-gradient", "the step goes along the gradient",
    {"parameter - learning": "parameter + learning"},
    question="In which direction does the loss fall?",
)
sgd_step.mistake(
    "learning-rate-missing", "the step has no learning rate",
    {"learning_rate * velocity": "velocity"},
    question="How far does the parameter move if the learning rate is 0?",
)
sgd_step.mistake(
    "inputs-changed",
    "what was handed in is changed in place",
    {"parameter = parameter - learning": "parameter -= learning"},
    {VELOCITY: "velocity *= momentum\n    velocity += gradient"},
    {
        VELOCITY: "velocity *= momentum\n    velocity += gradient",
        "parameter = parameter - learning": "parameter -= learning",
    },
    evidence="A training loop may want just that; here the old arrays are still needed.",
    question=NEW_ARRAY,
)


def _adam(rng, n):
    return {
        "parameter": rng.standard_normal((n.D, n.F)),
        "gradient": rng.standard_normal((n.D, n.F)),
        "m": 0.5 * rng.standard_normal((n.D, n.F)),
        "v": rng.uniform(0.5, 1.5, (n.D, n.F)),
        "step": 7,
        "learning_rate": 0.1,
        "beta_1": 0.9,
        "beta_2": 0.98,
        "epsilon": 1e-9,
    }


def _first(given, rng, n):
    """Moments of 0, and a row of gradients 0, like that of a word that does not occur."""
    gradient = given["gradient"].copy()
    gradient[1] = 0
    return {"gradient": gradient, "m": 0 * gradient, "v": 0 * gradient, "step": 1}


def _tiny(given, rng, n):
    """Gradients and moments that are hardly larger than ε, where it matters how ε enters."""
    size = 3 * given["epsilon"]
    return {"gradient": size * given["gradient"], "m": size * given["m"], "v": size**2 * given["v"]}


ADAM = {
    "parameter": ANY, "gradient": ANY, "m": ANY, "v": ANY, "step": "whole number from 1 on",
    "learning_rate": "number", "beta_1": "number", "beta_2": "number", "epsilon": "number",
}  # fmt: skip
ADAM_SITUATIONS = {"the first step": _first, "gradients hardly larger than ε": _tiny}


@exercise(
    "adam.step",
    inputs=ADAM,
    returns={"parameter": ANY, "m": ANY, "v": ANY},
    given=_adam,
    situations=ADAM_SITUATIONS,
    shown=(Adam,),
    hints=(
        (
            "m and v begin at zero. Of what size is m after the first step, compared with the "
            "gradient?"
        ),
        (
            "m ← β₁ m + (1−β₁) g,  v ← β₂ v + (1−β₂) g²,  θ ← θ − η m̂ / (√v̂ + ε),  m̂ = "
            "m/(1−β₁ᵗ),  v̂ = v/(1−β₂ᵗ)"
        ),
        (
            "the running mean of the gradients\n"
            "the running mean of their squares\n"
            "both corrected for having begun at zero\n"
            "the parameter goes against the first, divided by the root of the second"
        ),
        "parameter - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)",
    ),
)
def adam_step(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    """One step of Adam (Kingma & Ba 2015, algorithm 1): the new parameter, and its two moments.

    m is a running mean of the gradients, v one of their squares; both began at zero, and where they
    are used they are corrected for that. `step` counts from 1. ε keeps the division from being one
    by zero. The moments returned are those that the next step starts from. The arrays handed in
    stay as they are.
    """
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    parameter = parameter - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return parameter, m, v


@exercise(
    "adamw.step",
    inputs={**ADAM, "weight_decay": "number"},
    returns={"parameter": ANY, "m": ANY, "v": ANY},
    given=lambda rng, n: {**_adam(rng, n), "weight_decay": 0.2},
    situations=ADAM_SITUATIONS,
    shown=(AdamW, Adam.rule),
    hints=(
        (
            "By how much should a weight shrink whose gradients are large, and by how much one "
            "whose gradients are small?"
        ),
        "θ ← θ − η λ θ − η m̂ / (√v̂ + ε),  m and v as in Adam",
        (
            "the moments of the gradient alone, as in Adam\n"
            "the parameter, a little smaller: by the share learning rate times weight decay\n"
            "from there, Adam's step"
        ),
        "shrunk = parameter - learning_rate * weight_decay * parameter",
    ),
)
def adamw_step(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    """One step of AdamW (Loshchilov & Hutter 2019): Adam with decoupled weight decay.

    Decoupled: the decay does not pass through the moments, so all weights shrink by the same share.
    As in PyTorch this share is the learning rate times `weight_decay`, and it is taken of the
    parameter as it was before the step. The rest is as in `adam.step`. The arrays handed in stay as
    they are.
    """
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    shrunk = parameter - learning_rate * weight_decay * parameter
    parameter = shrunk - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return parameter, m, v


M, V = "m = beta_1 * m + (1 - beta_1) * gradient", "v = beta_2 * v + (1 - beta_2) * gradient**2"
M_HAT, V_HAT = "m / (1 - beta_1**step)", "v / (1 - beta_2**step)"
for adam in (adam_step, adamw_step):
    adam.mistake(
        "no-bias-correction", "the moments are not corrected for having begun at zero",
        {M_HAT: "m", V_HAT: "v"},
        {V_HAT: "v"}, {M_HAT: "m"},
        evidence=(
            "After the first step m is 1 − β₁ times the gradient, and v is 1 − β₂ times its square."
        ),
        question=(
            "If all gradients were equal, what should m̂ and v̂ be after the first step, and what "
            "are they?"
        ),
        met=places(pull("ml-explore/mlx", 1640), issue("oxiglade/mlx-rs", 301)),
    )
    adam.mistake(
        "counted-from-zero", "the steps are counted from 0",
        {M_HAT: "m / (1 - beta_1 ** (step - 1))", V_HAT: "v / (1 - beta_2 ** (step - 1))"},
        evidence="At the first step, 1 − β⁰ is 0, and what is divided by it is NaN or infinite.",
        question="Which power of β is left of the zero that m began with, after one step?",
    )
    adam.mistake(
        "correction-step-ahead", "the correction is a step ahead",
        {M_HAT: "m / (1 - beta_1 ** (step + 1))", V_HAT: "v / (1 - beta_2 ** (step + 1))"},
        question="Which power of β is left of the zero that m began with, after one step?",
    )
    adam.mistake(
        "epsilon-inside-root", "ε is inside the root",
        {"np.sqrt(v_hat) + epsilon": "np.sqrt(v_hat + epsilon)"},
        evidence="Its root is 3·10⁻⁵ then, and small gradients hardly move anything.",
        question="How small is ε, and how small is its root?",
        met=pull("FluxML/Flux.jl", 448),
    )
    adam.mistake(
        "epsilon-before-correction",
        "ε is added before v is corrected",
        {
            "m_hat / (np.sqrt(v_hat) + epsilon)": (
                "m_hat * np.sqrt(1 - beta_2**step) / (np.sqrt(v) + epsilon)"
            )
        },
        convention=True,
        evidence=(
            "The paper suggests it at the end of its section 2; only gradients of about ε show it."
        ),
        met=places(pull("pytorch/pytorch", 22628), issue("keras-team/keras", 17391)),
    )
    adam.mistake(
        "epsilon-missing", "ε is left out", {" + epsilon": ""},
        question="What becomes of a weight whose gradients have all been 0?",
    )
    adam.mistake(
        "v-not-squares", "v is not a mean of squares", {"gradient**2": "gradient"},
        {"gradient**2": "np.abs(gradient)"}, {"gradient**2": "m**2"},
        {"(1 - beta_2) * gradient**2": "((1 - beta_2) * gradient) ** 2"},
        question="Of what is v the running mean, and can that be negative?",
    )
    adam.mistake(
        "beta1-for-v", "β₁ is used for v",
        {V: V.replace("beta_2", "beta_1")}, {"beta_2 * v": "beta_1 * v"},
        {"(1 - beta_2) * g": "(1 - beta_1) * g"}, {"1 - beta_2**step": "1 - beta_1**step"},
        {V: V.replace("beta_2", "beta_1"), "1 - beta_2**step": "1 - beta_1**step"},
        question="Which of the two means looks back further, and which number says so?",
    )
    adam.mistake(
        "beta2-for-m",
        "β₂ is used for m",
        {M: M.replace("beta_1", "beta_2")},
        {"1 - beta_1**step": "1 - beta_2**step"},
        {M: M.replace("beta_1", "beta_2"), "1 - beta_1**step": "1 - beta_2**step"},
        {M: M.replace("beta_1", "beta_2"), V: V.replace("beta_2", "beta_1")},
        {
            M: M.replace("beta_1", "beta_2"), V: V.replace("beta_2", "beta_1"),
            M_HAT: M_HAT.replace("beta_1", "beta_2"), V_HAT: V_HAT.replace("beta_2", "beta_1"),
        },
        {M_HAT: M_HAT.replace("beta_1", "beta_2"), V_HAT: V_HAT.replace("beta_2", "beta_1")},
        question="Which of the two means looks back further, and which number says so?",
    )
    adam.mistake(
        "gradient-full-weight", "the new gradient enters a mean with its full weight",
        {"(1 - beta_1) * gradient": "gradient"}, {"(1 - beta_2) * gradient**2": "gradient**2"},
        {"(1 - beta_1) * gradient": "gradient", "(1 - beta_2) * gradient**2": "gradient**2"},
        question="Of two shares that make up a mean, β is the one. What is the other?",
    )
    adam.mistake(
        "beta-swapped",
        "β and 1 − β change places",
        {M: "m = (1 - beta_1) * m + beta_1 * gradient"},
        {V: "v = (1 - beta_2) * v + beta_2 * gradient**2"},
        {
            M: "m = (1 - beta_1) * m + beta_1 * gradient",
            V: "v = (1 - beta_2) * v + beta_2 * gradient**2",
        },
        question="β₁ is 0.9: does a mean that looks back far keep 0.9 of itself, or 0.1?",
        met=issue("mila-iqia/blocks", 1159),
    )
    adam.mistake(
        "corrected-moments-kept", "the corrected moments are kept for the next step",
        {"return parameter, m, v": "return parameter, m_hat, v_hat"},
        {"return parameter, m, v": "return parameter, m_hat, v"},
        {"return parameter, m, v": "return parameter, m, v_hat"},
        evidence="`m = m / (1 - …)` does that: the next step corrects them once more.",
        question="From which m does the next step go on: the running mean, or the corrected one?",
        met=issue("frgfm/holocron", 1),
    )
    adam.mistake(
        "old-moments-used", "the step is taken with the moments before",
        {
            M: M.replace("m =", "m_new ="), V: V.replace("v =", "v_new ="),
            "return parameter, m, v": "return parameter, m_new, v_new",
        },
        {V: V.replace("v =", "v_new ="), "return parameter, m, v": "return parameter, m, v_new"},
        {M: M.replace("m =", "m_new ="), "return parameter, m, v": "return parameter, m_new, v"},
        question="Is this step's gradient in the moments when the parameter moves?",
    )
    adam.mistake(
        "root-missing", "the root of v̂ is missing", {"np.sqrt(v_hat)": "v_hat"},
        question="If all gradients double, how much larger should Adam's step be?",
    )
    adam.mistake(
        "gradient-for-momentum", "the step is along the gradient itself, not along m̂",
        {"learning_rate * m_hat": "learning_rate * gradient"}, evidence="That is RMSProp.",
        question="Which of the two is a mean over the past steps?",
    )
    adam.mistake(
        "product-for-power", "β times the step stands for β to the power of the step",
        {"beta_1**step": "beta_1 * step", "beta_2**step": "beta_2 * step"},
        question=(
            "After t steps, what is left of the zero at the beginning, if each step keeps the "
            "share β of it?"
        ),
    )
    adam.mistake(
        "step-along-gradient", "the step goes along the gradient",
        {" - learning_rate * m_hat": " + learning_rate * m_hat"},
        question="In which direction does the loss fall?",
    )
    adam.mistake(
        "learning-rate-missing", "the step has no learning rate",
        {"learning_rate * m_hat": "m_hat"},
        question="How far does the parameter move if the learning rate is 0?",
    )
IN_PLACE = {
    M: "m *= beta_1\n    m += (1 - beta_1) * gradient",
    V: "v *= beta_2\n    v += (1 - beta_2) * gradient**2",
}
MOVED = {"parameter = parameter - learning": "parameter -= learning"}
SHRUNK = "shrunk = parameter - learning_rate * weight_decay * parameter"
WITHOUT = {SHRUNK: "shrunk = parameter"}
SHRUNK_AND_MOVED = {
    SHRUNK: "parameter *= 1 - learning_rate * weight_decay",
    "parameter = shrunk - ": "parameter -= ",
}
for adam, moved in ((adam_step, MOVED), (adamw_step, SHRUNK_AND_MOVED)):
    adam.mistake(
        "inputs-changed", "what was handed in is changed in place",
        IN_PLACE, moved, {**IN_PLACE, **moved},
        evidence="A training loop may want just that; here the old arrays are still needed.",
        question=NEW_ARRAY,
    )
adamw_step.mistake(
    "decay-through-moments", "the decay passes through the moments (L2 regularisation)",
    {M: "gradient = gradient + weight_decay * parameter\n    " + M, **WITHOUT},
    {M: "gradient += weight_decay * parameter\n    " + M, **WITHOUT},
    {M: "gradient = gradient + 2 * weight_decay * parameter\n    " + M, **WITHOUT},
    evidence="Weights with large gradients shrink less then: the decay is divided by √v̂, too.",
    question=(
        "By which share does a weight shrink whose gradients are large, and one whose gradients "
        "are small?"
    ),
    met=places(pull("nntrainer/nntrainer", 3565), issue("anhquan0412/basic_model_scratch", 2)),
)
adamw_step.mistake(
    "decay-without-rate", "the decay is not multiplied by the learning rate",
    {"learning_rate * weight_decay * parameter": "weight_decay * parameter"},
    evidence="The paper writes it so, and multiplies both parts by a schedule that begins at 1.",
    question="How much does a weight shrink in a step whose learning rate is 0?",
    met=places(issue("tensorflow/addons", 2282), pull("pytorch/pytorch", 4429)),
)
adamw_step.mistake(
    "decay-missing", "nothing decays", WITHOUT,
    question="What becomes of a weight here whose gradient is always 0?",
    met=issue("PaddlePaddle/Paddle", 5836),
)
adamw_step.mistake(
    "decay-after-step",
    "the decay is taken of the parameter after the step",
    {
        **WITHOUT,
        "return parameter, m, v": (
            "parameter = parameter - learning_rate * weight_decay * parameter\n"
            "    return parameter, m, v"
        ),
    },
    question="Of which parameter is the share taken: that before Adam's step, or that after it?",
)
adamw_step.mistake(
    "weights-grow", "weights grow instead of decaying", {SHRUNK: SHRUNK.replace(" - ", " + ")},
    question="Is a weight to be nearer to 0 after the step, or further from it?",
    met=issue("egg-west/AdamW-pytorch", 1),
)
adamw_step.mistake(
    "decay-divided", "the decay is divided by √v̂",
    {**WITHOUT, "learning_rate * m_hat /": "learning_rate * (m_hat + weight_decay * parameter) /"},
    question=(
        "By which share does a weight shrink whose gradients are large, and one whose gradients "
        "are small?"
    ),
)
adamw_step.mistake(
    "decay-twice", "the weights decay twice: in the gradient, and by themselves",
    {M: "gradient = gradient + weight_decay * parameter\n    " + M},
    question="At how many places does the decay act?",
)


def _clip(rng, n):
    return {"d_W": rng.standard_normal((n.D, n.F)), "d_b": rng.standard_normal(n.F), "largest": 0.5}


def _lengths(given, **shares):
    """The gradients, made so long: as shares of `largest`."""
    lengths = {name: share * given["largest"] for name, share in shares.items()}
    return {
        name: length * given[name] / np.linalg.norm(given[name]) for name, length in lengths.items()
    }


@exercise(
    "clip.norm",
    inputs={"d_W": "(D, F)", "d_b": "(F)", "largest": "number"},
    returns={"d_W_clipped": "(D, F)", "d_b_clipped": "(F)"},
    given=_clip,
    situations={
        "a norm below the largest": lambda given, rng, n: _lengths(given, d_W=0.6, d_b=0.3),
        "each norm below the largest, the joint one above": lambda given, rng, n: _lengths(
            given, d_W=0.8, d_b=0.9
        ),
        "a bias whose gradient is the longer one": lambda given, rng, n: _lengths(
            given, d_W=2, d_b=70
        ),
        "gradients of 0": lambda given, rng, n: {"d_W": 0 * given["d_W"], "d_b": 0 * given["d_b"]},
    },
    shown=(clip_by_global_norm,),
    hints=(
        (
            "If all gradients of a model are one long vector, what may clipping change of it: its "
            "direction, or its length?"
        ),
        "n = √(Σ d_W² + Σ d_b²),  d ← d · min(1, largest / n)",
        (
            "the squares of all gradients, summed\n"
            "the root of that\nif it is too large, everything times the same factor"
        ),
        "norm = np.sqrt((d_W**2).sum() + (d_b**2).sum())",
    ),
)
def clip_norm(d_W, d_b, largest):
    """The gradients of a weight and a bias, scaled so that their joint norm is at most `largest`.

    The joint norm is the length of the vector of all their numbers. Where that is not too large
    (the norm may be 0), nothing is changed. The arrays handed in stay as they are.
    """
    norm = np.sqrt((d_W**2).sum() + (d_b**2).sum())
    scale = largest / norm if norm > largest else 1.0
    return scale * d_W, scale * d_b


NORM = "norm = np.sqrt((d_W**2).sum() + (d_b**2).sum())"
SCALE = "scale = largest / norm if norm > largest else 1.0"
END = "return scale * d_W, scale * d_b"
clip_norm.mistake(
    "clipped-separately",
    "each gradient is clipped by its own norm",
    {
        END: (
            "return tuple(d * (largest / np.linalg.norm(d) if np.linalg.norm(d) > largest else "
            "1.0) for d in (d_W, d_b))"
        ),
    },
    {
        END: (
            "return tuple(d * min(1.0, largest / max(np.linalg.norm(d), 1e-12)) for d in (d_W, "
            "d_b))"
        )
    },
    evidence="The vector of all gradients has another direction afterwards.",
    question="By which factor is each of the two multiplied, and should these be equal?",
    met=places(issue("huggingface/transformers", 581), issue("carpedm20/MemN2N-tensorflow", 19)),
)
clip_norm.mistake(
    "clipped-by-element", "each number is clipped by itself",
    {END: "return np.clip(d_W, -largest, largest), np.clip(d_b, -largest, largest)"},
    evidence="The vector of all gradients has another direction afterwards.",
    question="What is to be at most `largest`: a number, or the length of the vector?",
)
clip_norm.mistake(
    "short-made-longer", "short gradients are made longer", {SCALE: "scale = largest / norm"},
    {SCALE: "scale = largest / (norm + 1e-6)"}, {SCALE: "scale = max(1.0, largest / norm)"},
    evidence="Gradients of 0 give 0/0.",
    question="What becomes of gradients whose norm is small enough?",
)
clip_norm.mistake(
    "other-norm", "another norm is taken", {NORM: "norm = (d_W**2).sum() + (d_b**2).sum()"},
    {NORM: "norm = np.abs(d_W).sum() + np.abs(d_b).sum()"},
    {NORM: "norm = max(np.abs(d_W).max(), np.abs(d_b).max())"},
    {NORM: "norm = np.sqrt((d_W**2).mean() + (d_b**2).mean())"},
    {NORM: "norm = np.linalg.norm(d_W) + np.linalg.norm(d_b)"},
    {NORM: "norm = max(np.linalg.norm(d_W), np.linalg.norm(d_b))"},
    {NORM: "norm = np.sqrt((d_W.sum() ** 2) + (d_b.sum() ** 2))"},
    {NORM: "norm = np.linalg.norm(d_W, 2) + np.linalg.norm(d_b)"},
    {NORM: "norm = np.sqrt(((d_W**2).sum() + (d_b**2).sum()) / (d_W.size + d_b.size))"},
    question="What is the length of a vector, and which numbers are in this one?",
)
clip_norm.mistake(
    "norm-of-one", "the norm is that of one of the two gradients", {" + (d_b**2).sum()": ""},
    {"(d_W**2).sum() + ": ""}, question="Which numbers are in the vector whose length counts?",
)
clip_norm.mistake(
    "constant-added-to-norm", "a small number is added to the norm",
    *({SCALE: f"scale = min(1.0, largest / (norm + {epsilon}))"} for epsilon in (1e-6, 1e-8)),
    {SCALE: "scale = largest / (norm + 1e-6) if norm > largest else 1.0"}, convention=True,
    evidence="PyTorch does that; clipped gradients are a little shorter than `largest`.",
)
clip_norm.mistake(
    "one-scaled-only", "only one of the two gradients is scaled",
    {"scale * d_W, scale * d_b": "scale * d_W, d_b"},
    {"scale * d_W, scale * d_b": "d_W, scale * d_b"},
    question="By which factor is each of the two multiplied, and should these be equal?",
)
clip_norm.mistake(
    "length-one-or-unchanged", "what is too long is made of length 1, or left as it is",
    {"largest / norm if": "1 / norm if"}, {SCALE: "scale = 1.0"},
    question="How long is the vector of all gradients after clipping?",
)
clip_norm.mistake(
    "long-becomes-zero", "what is too long becomes 0", {"largest / norm if": "0.0 if"},
    question="How long is the vector of all gradients after clipping?",
)
clip_norm.mistake(
    "inputs-changed", "what was handed in is changed in place",
    {END: "d_W *= scale\n    d_b *= scale\n    return d_W, d_b"},
    evidence="A training loop may want just that; here the old arrays are still needed.",
    question=NEW_ARRAY,
)
