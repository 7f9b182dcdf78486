"""Cross-entropy."""

import numpy as np

from ...data import PAD
from ...layers.cross_entropy import CrossEntropy
from ..exercise import Invariant, exercise
from .met import issue, places, pull
from .softmax import softmax, softmax_backward  # noqa: F401 (a wrong version calls it)

EPSILONS = (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15)  # what is added to p lest log(0) occur
INPUTS = {"logits": "(B, T, V)", "targets": "(B, T) ids"}


def draw_targets(rng, n):
    """Ids (B, T), padded at the end; the first row is full, and every row has at least one
    token."""
    targets = rng.integers(1, n.V, size=(n.B, n.T))
    lengths = rng.integers(1, n.T, size=n.B)
    lengths[0] = n.T
    targets[np.arange(n.T) >= lengths[:, None]] = PAD
    return targets


def draw_logits(rng, n):
    return 2 * rng.standard_normal((n.B, n.T, n.V))


def unlikely(given, rng, n):
    """The first target with a probability that rounds to 0."""
    logits = given["logits"].copy()
    logits[0, 0, given["targets"][0, 0]] -= 2000
    return {"logits": logits}


def tied(given, rng, n):
    """Next to every target's logit, another one that is equal."""
    logits, targets = given["logits"].copy(), given["targets"]
    rows, columns = np.indices(targets.shape)
    logits[rows, columns, (targets + 1) % n.V] = logits[rows, columns, targets]
    return {"logits": logits}


def far_apart(given, rng, n):
    """Every other row 1000 lower."""
    return {"logits": given["logits"] - 1000.0 * (np.arange(n.T) % 2)[:, None]}


HARD = {
    "logits around 1000": lambda given, rng, n: {"logits": given["logits"] + 1000},
    "rows that are far apart": far_apart,
    "a target that is most unlikely": unlikely,
}
SHIFT = Invariant(
    "The sum of each row of d_logits", "the loss ignores a shift of a row",
    lambda out, given: out["d_logits"].sum(-1),
)
PADDED = {"the padded positions": lambda targets, **_: (targets == PAD)[..., None]}


@exercise(
    "cross_entropy.forward",
    inputs=INPUTS,
    returns={"loss": "number"},
    given=lambda rng, n: {"logits": draw_logits(rng, n), "targets": draw_targets(rng, n)},
    situations=HARD,
    also={
        "P": lambda logits, targets: softmax(logits),
        "real": lambda logits, targets: targets != PAD,
    },
    shown=(CrossEntropy.forward,),
    hints=(
        (
            "The loss asks how surprising each target was. Which targets are asked about, and how "
            "many are they?"
        ),
        (
            "L = −(1/N) Σ_n log p_n[target_n],  log p_v = x_v − m − log Σ_i exp(x_i − m),  m = "
            "max_i x_i"
        ),
        "the logits without the largest of their row\n"
        "from these, the log of the sum of their exponentials: log p\n"
        "log p at each target\nthe mean over the targets that are not padding, with a minus",
        "-np.take_along_axis(log_P, targets[..., None], axis=-1)[..., 0][targets != 0].mean()",
    ),
)
def cross_entropy(logits, targets):
    """The mean negative log-likelihood of the targets under P = softmax(logits), with the natural
    logarithm.

    The mean is over the targets that are real: one that is padding (id 0) counts neither as a loss
    nor as one more to divide by. The result is one number. Logits may be as large as 1000, rows may
    be far apart, and a target may be so unlikely that its probability rounds to 0: the loss is
    finite all the same.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_P = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    at_target = np.take_along_axis(log_P, targets[..., None], axis=-1)[..., 0]
    real = targets != 0
    return -at_target[real].sum() / real.sum()


LARGEST = "logits.max(axis=-1, keepdims=True)"
LOG_P = "shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))"
P = "np.exp(shifted) / np.exp(shifted).sum(axis=-1, keepdims=True)"
NO_SHIFT = "np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)"
AT_TARGET = "np.take_along_axis(log_P, targets[..., None], axis=-1)[..., 0]"
OTHERS = (
    "(np.log(1 - np.exp(log_P)) * (np.arange(logits.shape[-1]) != targets[..., None])).sum(axis=-1)"
)
MEAN = "-at_target[real].sum() / real.sum()"

cross_entropy.mistake(
    "summed-not-averaged", "the losses are summed, not averaged", {" / real.sum()": ""},
    question="If the same sentences stood in the batch twice, should the loss be another?",
)
cross_entropy.mistake(
    "divided-by-sentences", "the sum is divided by the number of sentences, or by their length",
    {"/ real.sum()": "/ len(targets)"}, {"/ real.sum()": "/ targets.shape[1]"},
    question="How many predictions does a batch of B sentences hold?",
    met=issue("awni/speech", 18),
)
cross_entropy.mistake(
    "padding-in-denominator", "padding counts in the denominator",
    {"/ real.sum()": "/ targets.size"},
    evidence="The loss is too small by the share of the targets that are real.",
    question="If a batch were padded further, what would become of the loss?",
    met=places("public code", pull("tensorflow/docs", 1460), issue("IBM/pytorch-seq2seq", 125)),
)
cross_entropy.mistake(
    "padded-targets-asked", "padded targets are asked for too, though only real ones are counted",
    {"at_target[real]": "at_target"},
    question="Which token should a model name behind the end of a sentence?",
)
cross_entropy.mistake(
    "padding-as-target", "padding is a target like any other", {MEAN: "-at_target.mean()"},
    question="Which of these targets is no token at all?",
    met=places(pull("DaoyuanLi2816/Molecule-Generator", 20), issue("voidism/DiffCSE", 25)),
)
cross_entropy.mistake(
    "wrong-sign", "the sign is wrong", {"return -": "return "},
    question="Is the logarithm of a probability above 0, or below?",
)
cross_entropy.mistake(
    "softmax-taken-twice", "the softmax is taken twice", {f"logits - {LARGEST}": "softmax(logits)"},
    evidence="The loss cannot fall below ln((e + V − 1)/e), however sure the model is.",
    question="What goes in here: logits, or what a softmax has made of them already?",
    met=places(issue("Lightning-Universe/lightning-bolts", 654), pull("tflearn/tflearn", 562)),
)
cross_entropy.mistake(
    "targets-of-all-rows", "every row is asked for the targets of all the others",
    {MEAN: "-log_P[real][:, targets[real]].mean()"},
    {MEAN: "-log_P[real][:, targets[real]].sum() / real.sum()"},
    question="Into how many numbers does an index of N columns, next to a slice of N rows, lead?",
)
cross_entropy.mistake(
    "constant-added-to-p", "a small number is added to p, or p is kept above one",
    *({LOG_P: f"np.log({P} + {epsilon})"} for epsilon in EPSILONS),
    *({LOG_P: f"np.log(np.maximum({P}, {epsilon}))"} for epsilon in EPSILONS),
    evidence=(
        "The loss of one target is never more than −ln of that number, and then it has no gradient."
    ),
    question="Can log p be had from the logits without passing through p?",
    met=places("public code", pull("tensorforce/tensorforce", 96), pull("FluxML/Flux.jl", 437)),
)
cross_entropy.mistake(
    "log-after-softmax", "p is computed first, and its logarithm afterwards",
    {LOG_P: f"np.log({P})"},
    evidence="A probability that rounds to 0 has the logarithm −∞.",
    question="What is log(exp(s)/Z), before anything is computed?",
)
cross_entropy.mistake(
    "no-maximum-shift", "no row is shifted by its maximum",
    {LARGEST: "0"}, {LOG_P: f"np.log({NO_SHIFT})"},
    *({LOG_P: f"np.log({NO_SHIFT} + {epsilon})"} for epsilon in EPSILONS[::2]),
    *({LOG_P: f"np.log(np.maximum({NO_SHIFT}, {epsilon}))"} for epsilon in EPSILONS[::2]),
    evidence="The exp of 1000 is infinite.",
    question="What does softmax say if the same number is taken from every logit of a row?",
)
cross_entropy.mistake(
    "one-maximum-for-all", "one maximum serves the whole array", {LARGEST: "logits.max()"},
    {LARGEST: "logits.max()", LOG_P: f"np.log({P})"},
    {LARGEST: "logits.max(axis=-2, keepdims=True)"}, {LARGEST: "logits.max(axis=0, keepdims=True)"},
    evidence="A row that lies far below it has only exponentials of 0.",
    question="What is left of a row whose logits all lie 1000 below that maximum?",
)
cross_entropy.mistake(
    "maximum-once-only", "the maximum is taken off in one place and not in the other",
    {"log_P = shifted": "log_P = logits"}, {"np.exp(shifted)": "np.exp(logits)"},
    question="If exp(m) was divided out of the sum, where must m come in again?",
)
cross_entropy.mistake(
    "not-normalised-over-tokens",
    "the probabilities do not sum to one over the tokens",
    {
        LARGEST: "logits.max(axis=1, keepdims=True)",
        "np.exp(shifted).sum(axis=-1": "np.exp(shifted).sum(axis=1",
    },
    {
        LARGEST: "logits.max(axis=0, keepdims=True)",
        "np.exp(shifted).sum(axis=-1": "np.exp(shifted).sum(axis=0",
    },
    {"np.exp(shifted).sum(axis=-1": "np.exp(shifted).sum(axis=1"},
    {"np.exp(shifted).sum(axis=-1": "np.exp(shifted).sum(axis=0"},
    {"np.exp(shifted).sum(axis=-1, keepdims=True)": "np.exp(shifted).sum()"},
    {"np.exp(shifted).sum(axis=-1, keepdims=True)": "np.exp(shifted).mean(axis=-1, keepdims=True)"},
    question="Which axis holds the tokens that compete for one place?",
)
cross_entropy.mistake(
    "logits-as-log-probabilities", "the logits are taken for log-probabilities",
    {LOG_P: "logits"}, {LOG_P: "shifted"},
    question="What do the exponentials of the logits of a row sum to?",
)
cross_entropy.mistake(
    "logarithm-missing", "the logarithm is missing", {LOG_P: P},
    question=(
        "How large is the loss of a target with probability 1, and how large with probability near "
        "0?"
    ),
)
cross_entropy.mistake(
    "other-log-base", "the logarithm has another base",
    *({MEAN: f"{MEAN} / np.log({base})"} for base in (2, 10)),
    *({LOG_P: f"np.{log}({P})"} for log in ("log2", "log10")),
    question="What is the loss of a target with probability 1/e?",
)
cross_entropy.mistake(
    "mean-of-sentence-means", "each sentence has its own mean, and these are averaged",
    {MEAN: "-((at_target * real).sum(axis=1) / real.sum(axis=1)).mean()"},
    evidence="A token of a short sentence then weighs more than one of a long sentence.",
    question="How much does one token weigh in a short sentence, and how much in a long one?",
    met=issue("huggingface/transformers", 34510),
)
cross_entropy.mistake(
    "mean-over-vocabulary", "the mean runs over the vocabulary as well",
    {"/ real.sum()": "/ real.sum() / logits.shape[-1]"}, {"/ real.sum()": "/ logits.size"},
    question="Of the V numbers of a row, how many take part in its loss?",
)
cross_entropy.mistake(
    "losses-not-averaged", "the losses are left unaveraged, one for each target",
    {MEAN: "-at_target[real]"},
    {MEAN: "-at_target * real"}, {MEAN: "-at_target"},
    question="Of how many numbers can a gradient descend?",
)
cross_entropy.mistake(
    "largest-for-target", "the largest probability stands for that of the target",
    {AT_TARGET: "log_P.max(axis=-1)"},
    question="What would this loss say of a model that is sure, and wrong?",
)
cross_entropy.mistake(
    "ids-off-by-one", "the ids are off by one", {"targets[..., None]": "(targets - 1)[..., None]"},
    question="At which index does the logit of token 5 stand, when padding is token 0?",
)
cross_entropy.mistake(
    "padding-token-left-out",
    "padding is left out as a token, not as a target",
    {
        MEAN: "-at_target.mean()",
        "np.exp(shifted).sum(axis=-1": "np.exp(shifted)[..., 1:].sum(axis=-1",
    },
    {"np.exp(shifted).sum(axis=-1": "np.exp(shifted)[..., 1:].sum(axis=-1"},
    question="What is to be ignored: a column of the logits, or some of their rows?",
)
cross_entropy.mistake(
    "binary-for-each-token", "every token is a question of its own, yes or no",
    {AT_TARGET: f"{AT_TARGET} + {OTHERS}"},
    question=(
        "The probabilities of a row sum to one. What do the wrong tokens know that the target does "
        "not?"
    ),
)
cross_entropy.mistake(
    "perplexity-returned", "the exponential of the loss is returned, which is the perplexity",
    {MEAN: f"np.exp({MEAN})"}, question="What is the loss of a model that is always right?",
)


@exercise(
    "cross_entropy.backward",
    forward=cross_entropy,
    inputs=INPUTS,
    returns={"d_logits": "(B, T, V)"},
    given=lambda rng, n: {"logits": draw_logits(rng, n), "targets": draw_targets(rng, n)},
    situations={**HARD, "logits as large as the target's": tied},
    also={
        "P": lambda logits, targets: softmax(logits),
        "onehot": lambda logits, targets: np.eye(logits.shape[-1])[targets],
        "real": lambda logits, targets: targets != PAD,
    },
    invariants=(SHIFT,),
    places=PADDED,
    shown=(CrossEntropy.backward,),
    hints=(
        (
            "Softmax and logarithm together are simpler than apart. What does the loss want of "
            "each probability?"
        ),
        "d_x_n = (p_n − onehot(target_n)) / N for the N real targets, else 0",
        "P = softmax(logits)\ntake 1 from each row, at its target\n"
        "rows whose target is padding: 0\ndivide by the number of the others",
        "(softmax(logits) - np.eye(V)[targets]) * real[..., None] / real.sum()",
    ),
)
def cross_entropy_backward(logits, targets):
    """The gradient of the logits, of the mean negative log-likelihood of the targets under P =
    softmax(logits).

    As in forward, the mean is over the targets that are not padding (id 0). The loss is the end of
    the network: nothing comes from above but dL/dL = 1. Logits may be as large as 1000, and a
    probability may round to 0.
    """
    P = softmax(logits)
    onehot = np.eye(logits.shape[-1])[targets]
    real = targets != 0
    return (P - onehot) * real[..., None] / real.sum()


ONEHOT = "np.eye(logits.shape[-1])[targets]"
THROUGH_P = "softmax_backward(-onehot / {}, logits)"

cross_entropy_backward.mistake(
    "target-not-subtracted", "nothing is taken off at the target", {" - onehot": ""},
    evidence="Each row of real targets sums to 1/N.",
    question="Which probability is to rise, and what does this gradient tell it to do?",
)
cross_entropy_backward.mistake(
    "gradient-of-sum", "the gradient is that of a sum, not of a mean", {" / real.sum()": ""},
    question="What did forward divide by?",
)
cross_entropy_backward.mistake(
    "divided-by-sentences", "it is divided by the number of sentences, or by their length",
    {"/ real.sum()": "/ len(targets)"}, {"/ real.sum()": "/ targets.shape[1]"},
    question="How many predictions does a batch of B sentences hold?",
)
cross_entropy_backward.mistake(
    "padding-in-denominator", "padding counts in the denominator",
    {"/ real.sum()": "/ targets.size"},
    evidence="All numbers are too small by the share of the targets that are real.",
    question="If a batch were padded further, what would become of the gradient?",
    met=places("public code", pull("tensorflow/docs", 1460), issue("IBM/pytorch-seq2seq", 125)),
)
cross_entropy_backward.mistake(
    "padded-positions-have-gradient", "padded positions have a gradient",
    {" * real[..., None]": ""},
    question="How much does the loss change, when a logit behind the end of a sentence moves?",
)
cross_entropy_backward.mistake(
    "padding-as-target", "padding is a target like any other",
    {" * real[..., None] / real.sum()": " / targets.size"},
    question="Which of these targets is no token at all?",
    met=places(pull("DaoyuanLi2816/Molecule-Generator", 20), issue("voidism/DiffCSE", 25)),
)
cross_entropy_backward.mistake(
    "wrong-sign", "the sign is wrong", {"P - onehot": "onehot - P"},
    question="A step goes against the gradient. Which way does the target's logit move?",
)
cross_entropy_backward.mistake(
    "softmax-taken-twice",
    "the softmax is taken twice",
    {"P = softmax(logits)": "P = softmax(softmax(logits))"},
    {
        "P = softmax(logits)": "P = softmax(softmax(logits))",
        "(P - onehot)": "softmax_backward(P - onehot, logits)",
    },
    question="What goes in here: logits, or what a softmax has made of them already?",
    met=places(issue("Lightning-Universe/lightning-bolts", 654), pull("tflearn/tflearn", 562)),
)
cross_entropy_backward.mistake(
    "targets-subtracted-everywhere",
    "1 is taken from other rows too, at the targets of all of them",
    {ONEHOT: "np.isin(np.arange(logits.shape[-1]), targets)"},
    {ONEHOT: "np.isin(np.arange(logits.shape[-1]), targets[targets != 0])"},
    {ONEHOT: f"{ONEHOT}.sum(axis=(0, 1))"},
    {ONEHOT: f"{ONEHOT}.max(axis=0)"}, {ONEHOT: f"{ONEHOT}.max(axis=1, keepdims=True)"},
    evidence="A row then sums to less than 0.",
    question="Which places does d[:, targets] name, and how many of them are there?",
)
cross_entropy_backward.mistake(
    "target-found-by-value", "the target is found by its value",
    {ONEHOT: "(logits == np.take_along_axis(logits, targets[..., None], -1))"},
    evidence="Where another logit is as large as the target's, 1 is taken off twice.",
    question="What happens if two logits of a row are equal?", met="public code",
)
cross_entropy_backward.mistake(
    "constant-added-to-p", "a small number is added to p, or p is kept above one",
    *({"(P - onehot)": THROUGH_P.format(f"(P + {epsilon})")} for epsilon in EPSILONS[::2]),
    *({"(P - onehot)": THROUGH_P.format(f"np.maximum(P, {epsilon})")} for epsilon in EPSILONS[::2]),
    evidence="The most unlikely target, which should have the largest gradient, has none.",
    question="What is left of 1/p, once it has been multiplied by p on its way through softmax?",
    met="public code",
)
cross_entropy_backward.mistake(
    "gradient-through-reciprocal", "the gradient goes through 1/p",
    {"(P - onehot)": THROUGH_P.format("P")},
    {"(P - onehot)": "softmax_backward(np.where(onehot == 1, -1 / P, 0), logits)"},
    evidence="A probability that rounds to 0 makes it infinite, and ∞·0 is NaN.",
    question="What is left of 1/p, once it has been multiplied by p on its way through softmax?",
)
cross_entropy_backward.mistake(
    "no-maximum-shift", "no row is shifted by its maximum", {"softmax(logits)": NO_SHIFT},
    evidence="The exp of 1000 is infinite, and ∞/∞ is NaN.",
    question="What does softmax say if the same number is taken from every logit of a row?",
)
cross_entropy_backward.mistake(
    "one-maximum-for-all", "one maximum serves the whole array",
    {"softmax(logits)": NO_SHIFT.replace("logits", "(logits - logits.max())")},
    evidence="A row that lies far below it has only exponentials of 0, and 0/0 is NaN.",
    question="What is left of a row whose logits all lie 1000 below that maximum?",
)
cross_entropy_backward.mistake(
    "not-normalised-over-tokens", "the probabilities do not sum to one over the tokens",
    {"softmax(logits)": "softmax(logits.swapaxes(1, 2)).swapaxes(1, 2)"},
    {"softmax(logits)": "softmax(logits.swapaxes(0, 2)).swapaxes(0, 2)"},
    {"softmax(logits)": "np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()"},
    question="Which axis holds the tokens that compete for one place?",
)
cross_entropy_backward.mistake(
    "logits-for-softmax", "the logits stand where their softmax should",
    {"P = softmax(logits)": "P = logits"},
    question="What must each row of the gradient sum to, if the loss ignores a shift?",
)
cross_entropy_backward.mistake(
    "mean-of-sentence-means", "each sentence has its own mean, and these are averaged",
    {"/ real.sum()": "/ real.sum(axis=1)[:, None, None] / len(targets)"},
    {"/ real.sum()": "/ real.sum(axis=1)[:, None, None]"},
    question="How much does one token weigh in a short sentence, and how much in a long one?",
)
cross_entropy_backward.mistake(
    "mean-over-vocabulary", "the mean runs over the vocabulary as well",
    {"/ real.sum()": "/ real.sum() / logits.shape[-1]"}, {"/ real.sum()": "/ logits.size"},
    question="Of the V numbers of a row, how many take part in its loss?",
)
cross_entropy_backward.mistake(
    "subtracted-at-largest", "1 is taken off at the largest logit, not at the target",
    {ONEHOT: "np.eye(logits.shape[-1])[logits.argmax(axis=-1)]"},
    question="What would a model learn from what it says already?",
)
cross_entropy_backward.mistake(
    "ids-off-by-one", "the ids are off by one", {"[targets]": "[targets - 1]"},
    question="At which index does the logit of token 5 stand, when padding is token 0?",
)
cross_entropy_backward.mistake(
    "padding-token-left-out", "padding is left out as a token, not as a target",
    {"real[..., None] / real.sum()": "(np.arange(logits.shape[-1]) != 0) / targets.size"},
    {"real[..., None]": "(np.arange(logits.shape[-1]) != 0)"},
    question="What is to be ignored: a column of the logits, or some of their rows?",
)
cross_entropy_backward.mistake(
    "stops-at-probabilities", "the gradient stops at the probabilities, or at their logarithms",
    {"(P - onehot)": "(-onehot / P)"}, {"(P - onehot)": "-onehot"},
    {"(P - onehot)": "-onehot / (P + 1e-9)"}, question="What lies between the logits and p?",
)
cross_entropy_backward.mistake(
    "one-hot-for-gradient", "the one-hot target stands for the gradient of p",
    {"(P - onehot)": "softmax_backward(-onehot, logits)"},
    {"(P - onehot)": "softmax_backward(P - onehot, logits)"},
    question="What is the derivative of −log p?",
)
