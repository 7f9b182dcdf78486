"""Label smoothing."""

import numpy as np

from ...data import PAD
from ...layers.cross_entropy import CrossEntropy
from ..exercise import exercise
from .cross_entropy import EPSILONS, HARD, PADDED, SHIFT, draw_logits, draw_targets
from .met import issue, places, pull
from .softmax import softmax

INPUTS = {"logits": "(B, T, V)", "targets": "(B, T) ids", "smoothing": "number"}


def _given(rng, n):
    return {"logits": draw_logits(rng, n), "targets": draw_targets(rng, n), "smoothing": 0.1}


ALSO = {
    "P": lambda logits, **_: softmax(logits),
    "onehot": lambda logits, targets, smoothing: np.eye(logits.shape[-1])[targets],
    "real": lambda logits, targets, smoothing: targets != PAD,
}


@exercise(
    "label_smoothing.forward",
    inputs=INPUTS,
    returns={"loss": "number"},
    given=_given,
    situations=HARD,
    also=ALSO,
    shown=(CrossEntropy.forward,),
    hints=(
        (
            "The target is a distribution now, not one token. Which distribution, and what does it "
            "sum to?"
        ),
        "L = −(1/N) Σ_n Σ_v q_nv log p_nv,  q = (1−ε) onehot(target) + ε/V",
        "the smoothed targets: 1−ε at the target, and ε/V everywhere\nlog p, without a log of 0\n"
        "for each position, the sum of q log p over the vocabulary\n"
        "the mean over the targets that are not padding, with a minus",
        "-(q * log_P).sum(axis=-1)[targets != 0].mean()",
    ),
)
def label_smoothing(logits, targets, smoothing):
    """The mean cross-entropy of smoothed targets q and P = softmax(logits), with the natural
    logarithm.

    The share ε = `smoothing` of each target is spread evenly over all V tokens, the target itself
    and padding (id 0) among them; the rest stays where it was (Szegedy et al. 2016). The mean is
    over the positions whose target is real: one whose target is padding counts neither as a loss
    nor as one more to divide by. Logits may be as large as 1000, and a probability may round to 0.
    """
    V = logits.shape[-1]
    q = (1 - smoothing) * np.eye(V)[targets] + smoothing / V
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_P = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    losses = -(q * log_P).sum(axis=-1)
    real = targets != 0
    return losses[real].sum() / real.sum()


Q = "(1 - smoothing) * np.eye(V)[targets] + smoothing / V"
LOG_P = "shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))"
P = "np.exp(shifted) / np.exp(shifted).sum(axis=-1, keepdims=True)"
LARGEST = "logits.max(axis=-1, keepdims=True)"
SHARED = (
    {Q: f"{Q[:-1]}(V - 1)"},
    {Q: f"{Q[:-1]}(V - 2)"},
    {Q: "np.where(np.eye(V)[targets] == 1, 1 - smoothing, smoothing / (V - 1))"},
    {Q: "np.where(np.eye(V)[targets] == 1, 1 - smoothing, smoothing / (V - 2))"},
    {
        Q: (
            "np.where(np.eye(V)[targets] == 1, 1 - smoothing, smoothing / (V - 2)) * (np.arange(V) "
            "!= 0)"
        )
    },
    {Q: f"{Q[:-1]}(V - 1) * (np.arange(V) != 0)"},
)
UNEVEN = (
    {Q: "np.eye(V)[targets] + smoothing / V"},
    {Q: "(1 - smoothing) * np.eye(V)[targets] + smoothing"},
    {Q: "np.where(np.eye(V)[targets] == 1, 1 - smoothing, smoothing / V)"},
    {Q: "np.where(np.eye(V)[targets] == 1, 1 - smoothing, smoothing)"},
    {Q: "np.where(np.eye(V)[targets] == 1, 1, smoothing / V)"},
    {Q: "(1 - smoothing) * np.eye(V)[targets]"},
)
PADDING = ({Q: f"{Q} * (np.arange(V) != 0)"}, {Q: f"{Q} * (1 + (np.arange(V) == 0))"})

label_smoothing.mistake(
    "epsilon-shared-among-fewer", "ε is shared among V−1 tokens or V−2, not among all V", *SHARED,
    evidence="The original shares ε evenly among all tokens of the vocabulary, the target too.",
    question="Among how many tokens is ε to be shared here, and is the target one of them?",
    met=places(issue("k2-fsa/icefall", 107), issue("OpenNMT/OpenNMT-py", 1463)),
)
label_smoothing.mistake(
    "target-sum-not-one", "a smoothed target does not sum to 1", *UNEVEN,
    question=(
        "What should the shares of all tokens in a target add up to, and what do they add up to "
        "here?"
    ),
    met=issue("dice-group/dice-embeddings", 433),
)
label_smoothing.mistake(
    "padding-share-miscounted", "the padding token's part of ε is lost, or counted twice", *PADDING,
    question="Does the padding token compete in the softmax? And what is its share of the target?",
)
label_smoothing.mistake(
    "nothing-smoothed", "nothing is smoothed",
    {Q: "np.eye(V)[targets]"}, question="Where does ε enter?",
)
label_smoothing.mistake(
    "padding-keeps-uniform-part",
    "padded positions keep their uniform part",
    {"losses[real].sum()": "(losses * real - smoothing * log_P.mean(axis=-1) * ~real).sum()"},
    {
        Q: "(1 - smoothing) * np.eye(V)[targets] * (targets != 0)[..., None] + smoothing / V",
        "losses[real].sum() / real.sum()": "losses.mean()",
    },
    question=(
        "Behind the end of a sentence, what should the loss ask of the model: a token, an even "
        "spread, or nothing?"
    ),
    met=places("public code", issue("pytorch/pytorch", 73205)),
)
label_smoothing.mistake(
    "epsilon-swapped", "ε and 1−ε are swapped",
    {Q: "smoothing * np.eye(V)[targets] + (1 - smoothing) / V"},
    question="With ε = 0, which loss should this be?",
)
label_smoothing.mistake(
    "probabilities-smoothed", "the probabilities are smoothed, not the targets",
    {Q: "np.eye(V)[targets]", LOG_P: f"np.log((1 - smoothing) * {P} + smoothing / V)"},
    question="Which of the two distributions is the model's, and which is made by hand?",
)
label_smoothing.mistake(
    "divergence-not-cross-entropy",
    "the entropy of q is taken off, which leaves the divergence of P from q",
    {"(q * log_P)": "(q * (log_P - np.log(q)))"},
    evidence="It differs from the cross-entropy by a constant, and has the same gradient.",
    question="Which of these two losses is 0 at its least, and which is asked for?",
    met=places("the Annotated Transformer", issue("espnet/espnet", 4358)),
)
label_smoothing.mistake(
    "summed-not-averaged", "the losses are summed, not averaged", {" / real.sum()": ""},
    question="If the same sentences stood in the batch twice, should the loss be another?",
)
label_smoothing.mistake(
    "divided-by-sentences", "the sum is divided by the number of sentences, or by their length",
    {"/ real.sum()": "/ len(targets)"}, {"/ real.sum()": "/ targets.shape[1]"},
    question="How many predictions does a batch of B sentences hold?",
)
label_smoothing.mistake(
    "padding-in-denominator", "padding counts in the denominator",
    {"/ real.sum()": "/ targets.size"},
    question="If a batch were padded further, what would become of the loss?",
    met=places(
        "public code",
        issue("eladhoffer/utils.pytorch", 4),
        pull("huggingface/transformers", 5919),
    ),
)
label_smoothing.mistake(
    "padded-targets-asked", "padded targets are asked for too, though only real ones are counted",
    {"losses[real]": "losses"},
    question="Which token should a model name behind the end of a sentence?",
)
label_smoothing.mistake(
    "padding-as-target", "padding is a target like any other",
    {"losses[real].sum() / real.sum()": "losses.mean()"},
    question="Which of these targets is no token at all?",
    met=pull("k-tahiro/bert-summarizer", 41),
)
label_smoothing.mistake(
    "wrong-sign", "the sign is wrong", {"-(q": "(q"},
    question="Is the logarithm of a probability above 0, or below?",
)
label_smoothing.mistake(
    "softmax-taken-twice", "the softmax is taken twice", {f"logits - {LARGEST}": "softmax(logits)"},
    question="What goes in here: logits, or what a softmax has made of them already?",
)
label_smoothing.mistake(
    "constant-added-to-p", "a small number is added to p, or p is kept above one",
    *({LOG_P: f"np.log({P} + {epsilon})"} for epsilon in EPSILONS),
    *({LOG_P: f"np.log(np.maximum({P}, {epsilon}))"} for epsilon in EPSILONS),
    question="Can log p be had from the logits without passing through p?", met="public code",
)
label_smoothing.mistake(
    "log-after-softmax", "p is computed first, and its logarithm afterwards",
    {LOG_P: f"np.log({P})"},
    evidence="A probability that rounds to 0 has the logarithm −∞.",
    question="What is log(exp(s)/Z), before anything is computed?",
)
label_smoothing.mistake(
    "no-maximum-shift",
    "no row is shifted by its maximum",
    {LARGEST: "0"},
    {LOG_P: f"np.log({P.replace('shifted', 'logits')})"},
    *(
        {LOG_P: f"np.log({P.replace('shifted', 'logits')} + {epsilon})"}
        for epsilon in EPSILONS[::2]
    ),
    evidence="The exp of 1000 is infinite.",
    question="What does softmax say if the same number is taken from every logit of a row?",
)
label_smoothing.mistake(
    "one-maximum-for-all", "one maximum serves the whole array", {LARGEST: "logits.max()"},
    {LARGEST: "logits.max()", LOG_P: f"np.log({P})"},
    evidence="A row that lies far below it has only exponentials of 0.",
    question="What is left of a row whose logits all lie 1000 below that maximum?",
)
label_smoothing.mistake(
    "not-normalised-over-tokens", "the probabilities do not sum to one over the tokens",
    {"np.exp(shifted).sum(axis=-1": "np.exp(shifted).sum(axis=1"},
    {"np.exp(shifted).sum(axis=-1, keepdims=True)": "np.exp(shifted).sum()"},
    question="Which axis holds the tokens that compete for one place?",
)
label_smoothing.mistake(
    "logits-as-log-probabilities", "the logits are taken for log-probabilities",
    {LOG_P: "logits"}, {LOG_P: "shifted"},
    question="What do the exponentials of the logits of a row sum to?",
)
label_smoothing.mistake(
    "mean-over-vocabulary", "the mean runs over the vocabulary as well",
    {"-(q * log_P).sum(axis=-1)": "-(q * log_P).mean(axis=-1)"},
    question=(
        "What do the shares q of one position sum to, and what does a further division by V make "
        "of that?"
    ),
)


@exercise(
    "label_smoothing.backward",
    forward=label_smoothing,
    inputs=INPUTS,
    returns={"d_logits": "(B, T, V)"},
    given=_given,
    situations=HARD,
    also=ALSO,
    invariants=(SHIFT,),
    places=PADDED,
    shown=(CrossEntropy.backward,),
    hints=(
        (
            "At which probabilities is the loss as small as it can be? What must the gradient be "
            "there?"
        ),
        "d_x_n = (p_n − q_n) / N for the N real targets, else 0;  q = (1−ε) onehot(target) + ε/V",
        "P = softmax(logits)\nthe smoothed targets q\n"
        "the difference of the two\nrows whose target is padding: 0\n"
        "divide by the number of the others",
        "(softmax(logits) - q) * real[..., None] / real.sum()",
    ),
)
def label_smoothing_backward(logits, targets, smoothing):
    """The gradient of the logits, of the mean cross-entropy of smoothed targets and P =
    softmax(logits).

    As in forward, the share ε = `smoothing` of each target is spread evenly over all V tokens, the
    target itself and padding (id 0) among them, and the mean is over the positions whose target is
    not padding. The loss is the end of the network: nothing comes from above but dL/dL = 1. Logits
    may be as large as 1000.
    """
    V = logits.shape[-1]
    q = (1 - smoothing) * np.eye(V)[targets] + smoothing / V
    real = targets != 0
    return (softmax(logits) - q) * real[..., None] / real.sum()


UNIFORM = " - ~real[..., None] * smoothing / V / real.sum()"

label_smoothing_backward.mistake(
    "epsilon-shared-among-fewer", "ε is shared among V−1 tokens or V−2, not among all V", *SHARED,
    evidence="The original shares ε evenly among all tokens of the vocabulary, the target too.",
    question="Among how many tokens is ε to be shared here, and is the target one of them?",
)
label_smoothing_backward.mistake(
    "target-sum-not-one", "a smoothed target does not sum to 1", *UNEVEN,
    question=(
        "What should the shares of all tokens in a target add up to, and what do they add up to "
        "here?"
    ),
)
label_smoothing_backward.mistake(
    "padding-share-miscounted", "the padding token's part of ε is lost, or counted twice", *PADDING,
    question="Does the padding token compete in the softmax? And what is its share of the target?",
)
label_smoothing_backward.mistake(
    "targets-not-smoothed", "the targets are not smoothed", {Q: "np.eye(V)[targets]"},
    evidence="It is the gradient of the plain cross-entropy.",
    question="At which probabilities is this gradient 0, and at which is the smoothed loss least?",
)
label_smoothing_backward.mistake(
    "padding-keeps-uniform-part",
    "padded positions keep their uniform part",
    {"real[..., None] / real.sum()": f"real[..., None] / real.sum(){UNIFORM}"},
    {
        Q: "(1 - smoothing) * np.eye(V)[targets] * (targets != 0)[..., None] + smoothing / V",
        "real[..., None] / real.sum()": "1 / real.sum()",
    },
    {
        "(softmax(logits) - q)": (
            "(softmax(logits) - smoothing / V - (q - smoothing / V) * real[..., None])"
        ),
        "real[..., None] / real.sum()": "1 / targets.size",
    },
    question=(
        "Behind the end of a sentence, what should the loss ask of the model: a token, an even "
        "spread, or nothing?"
    ),
    met="public code",
)
label_smoothing_backward.mistake(
    "epsilon-swapped", "ε and 1−ε are swapped",
    {Q: "smoothing * np.eye(V)[targets] + (1 - smoothing) / V"},
    question="With ε = 0, which gradient should this be?",
)
label_smoothing_backward.mistake(
    "gradient-scaled-instead",
    "the gradient itself is scaled by 1−ε, and its target is not smoothed",
    {"(softmax(logits) - q)": "(1 - smoothing) * (softmax(logits) - np.eye(V)[targets])"},
    question="Of the two terms p and q, which one does ε belong to?",
)
label_smoothing_backward.mistake(
    "nothing-subtracted", "nothing is taken off", {" - q)": ")"},
    question="Which probabilities are to rise, and what does this gradient tell them to do?",
)
label_smoothing_backward.mistake(
    "gradient-of-sum", "the gradient is that of a sum, not of a mean", {" / real.sum()": ""},
    question="What did forward divide by?",
)
label_smoothing_backward.mistake(
    "divided-by-sentences", "it is divided by the number of sentences, or by their length",
    {"/ real.sum()": "/ len(targets)"}, {"/ real.sum()": "/ targets.shape[1]"},
    question="How many predictions does a batch of B sentences hold?",
)
label_smoothing_backward.mistake(
    "padding-in-denominator", "padding counts in the denominator",
    {"/ real.sum()": "/ targets.size"},
    question="If a batch were padded further, what would become of the gradient?",
    met="public code",
)
label_smoothing_backward.mistake(
    "padded-positions-have-gradient", "padded positions have a gradient",
    {" * real[..., None]": ""},
    question="How much does the loss change, when a logit behind the end of a sentence moves?",
)
label_smoothing_backward.mistake(
    "padding-as-target", "padding is a target like any other",
    {" * real[..., None] / real.sum()": " / targets.size"},
    question="Which of these targets is no token at all?",
)
label_smoothing_backward.mistake(
    "wrong-sign", "the sign is wrong", {"softmax(logits) - q": "q - softmax(logits)"},
    question="A step goes against the gradient. Which way does the target's logit move?",
)
label_smoothing_backward.mistake(
    "softmax-taken-twice", "the softmax is taken twice",
    {"softmax(logits)": "softmax(softmax(logits))"},
    question="What goes in here: logits, or what a softmax has made of them already?",
)
label_smoothing_backward.mistake(
    "no-maximum-shift", "no row is shifted by its maximum",
    {"softmax(logits)": P.replace("shifted", "logits")},
    evidence="The exp of 1000 is infinite, and ∞/∞ is NaN.",
    question="What does softmax say if the same number is taken from every logit of a row?",
)
label_smoothing_backward.mistake(
    "one-maximum-for-all", "one maximum serves the whole array",
    {"softmax(logits)": P.replace("shifted", "(logits - logits.max())")},
    evidence="A row that lies far below it has only exponentials of 0, and 0/0 is NaN.",
    question="What is left of a row whose logits all lie 1000 below that maximum?",
)
label_smoothing_backward.mistake(
    "mean-over-vocabulary", "the mean runs over the vocabulary as well",
    {"/ real.sum()": "/ real.sum() / V"},
    question=(
        "What do the shares q of one position sum to, and what does a further division by V make "
        "of that?"
    ),
)
