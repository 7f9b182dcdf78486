"""Teacher forcing: what the decoder reads, and what it is to say."""

import numpy as np

from ...data import BOS, EOS, PAD, UNK
from ...data.batching import make_batch
from ..exercise import exercise
from .cross_entropy import draw_targets
from .met import issue, places


def draw_words(rng, n):
    """Sentences as a vocabulary makes them: no word has the id of BOS, EOS or UNK."""
    target = draw_targets(rng, n)
    return np.where(target == PAD, PAD, target + UNK)


def _empty(given, rng, n):
    target = given["target"].copy()
    target[1] = PAD
    return {"target": target}


@exercise(
    "teacher_forcing.shift",
    inputs={"target": "(B, T) ids"},
    returns={"target_in": "(B, T+1) ids", "target_out": "(B, T+1) ids"},
    given=lambda rng, n: {"target": draw_words(rng, n)},
    situations={"a row without a token": _empty},
    also={"PAD": lambda target: PAD, "BOS": lambda target: BOS, "EOS": lambda target: EOS},
    shown=(make_batch,),
    hints=(
        (
            "Before it says a token, which tokens may a decoder have read? And which one stands in "
            "for them at the start?"
        ),
        "in = BOS, t_1, …, t_n    out = t_1, …, t_n, EOS    (padding behind)",
        "BOS before every row: that is what is read\n"
        "room for one more behind every row: that is what is to be said\n"
        "there, EOS at the first place that is free, which differs from row to row",
        "target_out[np.arange(len(target)), (target != PAD).sum(axis=1)] = EOS",
    ),
)
def shift_right(target):
    """From padded sentences (B, T), what a decoder reads (target_in) and what it is to say
    (target_out), both (B, T+1).

    It reads BOS (id 1), and then the tokens of the sentence; it is to say the tokens, and then EOS
    (id 2). So at each place it is to say a token that it has not read yet. Whatever is left at the
    end of a row is PAD (id 0), as in `target`. A row may be full, and it may hold no token at all.
    """
    begin = np.full((len(target), 1), BOS)
    end = np.full((len(target), 1), PAD)
    target_in = np.concatenate([begin, target], axis=1)
    target_out = np.concatenate([target, end], axis=1)
    target_out[np.arange(len(target)), (target != PAD).sum(axis=1)] = EOS
    return target_in, target_out


IN = "np.concatenate([begin, target], axis=1)"
OUT = "np.concatenate([target, end], axis=1)"
FREE = "(target != PAD).sum(axis=1)"
PUT = f"target_out[np.arange(len(target)), {FREE}] = EOS"
RETURN = "return target_in, target_out"

shift_right.mistake(
    "not-shifted", "nothing is shifted: the decoder reads the token that it is to say",
    {RETURN: "return target_out, target_out"}, {RETURN: "return target_in, target_in"},
    {RETURN: "return target, target"},
    {RETURN: "both = np.concatenate([begin, target_out], axis=1)\n    return both, both"},
    evidence="The model learns the identity, and its loss falls to nearly 0.",
    question="At place t, has the decoder read the token that stands at place t of target_out?",
    met=places(
        "public code",
        issue("Project-MONAI/GenerativeModels", 314),
        issue("dmlc/dgl", 5802),
    ),
)
shift_right.mistake(
    "shifted-wrong-way",
    (
        "the shift goes the wrong way: the decoder has read the token that it is to say, and the "
        "one behind it"
    ),
    {IN: "np.concatenate([target[:, 1:], end, end], axis=1)"},
    {RETURN: "return np.roll(target_out, -1, axis=1), target_out"},
    {IN: "np.concatenate([begin, target[:, 1:], end], axis=1)"},
    question="Which tokens are known before the one at place t is said?",
)
shift_right.mistake(
    "row-rolled", "the row is rolled: its end comes in again at the front, and BOS does not",
    {RETURN: "return np.roll(target_out, 1, axis=1), target_out"},
    {RETURN: "return np.roll(target, 1, axis=1), target"},
    question="What does a decoder read before it has said anything?",
)
shift_right.mistake(
    "other-start-token", "another id than BOS stands at the start", {"1), BOS)": "1), EOS)"},
    {"1), BOS)": "1), PAD)"}, question="What tells a decoder that nothing has been said yet?",
)
shift_right.mistake(
    "eos-behind-padding", "EOS stands at the very end, behind the padding", {FREE: "-1"},
    question="What is a model to say when a short sentence is over?",
)
shift_right.mistake(
    "eos-missing", "EOS is missing", {PUT: "pass"},
    evidence="A model that never saw an end does not stop.",
    question="How would a model learn when to stop?",
)
shift_right.mistake(
    "eos-replaces-last-token", "EOS takes the place of the last token",
    {FREE: "np.maximum((target != PAD).sum(axis=1) - 1, 0)"}, {FREE: f"{FREE} - 1"},
    question=(
        "If a sentence has n tokens, at which index, counted from 0, is there the first free place?"
    ),
)
shift_right.mistake(
    "eos-fills-padding",
    "EOS fills all the padding",
    {PUT: "target_out[target_out == PAD] = EOS"},
    {
        PUT: (
            "target_out[np.arange(target_out.shape[1]) >= (target != PAD).sum(axis=1)[:, None]] = "
            "EOS"
        )
    },
    evidence="All these places are then asked for, and the loss counts them.",
    question="How often does a sentence end?",
)
shift_right.mistake(
    "outputs-swapped", "the two are returned in each other's place",
    {RETURN: "return target_out, target_in"},
    question="Which of the two begins with BOS?",
)
shift_right.mistake(
    "output-begins-with-bos", "what is to be said begins with BOS",
    {RETURN: "return target_in, np.concatenate([begin, target_out], axis=1)"}, {OUT: IN},
    {RETURN: "return target_in, np.concatenate([begin, target_out[:, :-1]], axis=1)"},
    question="Which token is a model to say first?",
)
shift_right.mistake(
    "end-cut-off", "the end is cut off, so that the length stays T",
    {RETURN: "return target_in[:, :-1], target"},
    {RETURN: "return target_in[:, :-1], target_out[:, :-1]"},
    {RETURN: "return target_in[:, :-1], target_out[:, 1:]"},
    {RETURN: "return target[:, :-1], target[:, 1:]"},
    question="A sentence of T tokens and its end: how many things is a model to say?",
)
shift_right.mistake(
    "two-places-ahead",
    "what is to be said lies two places ahead of what is read",
    {
        OUT: "np.concatenate([target[:, 1:], end, end], axis=1)",
        f"{FREE}]": f"np.maximum({FREE} - 1, 0)]",
    },
    question="After BOS alone, which token of the sentence is to be said?",
)
shift_right.mistake(
    "eos-read-as-input", "EOS is read as well, in rows that are shorter than the longest",
    {RETURN: "return np.concatenate([begin, target_out[:, :-1]], axis=1), target_out"},
    convention=True,
    evidence="Where EOS is read, nothing is to be said but padding, which the loss leaves out.",
    met=places(
        "public code",
        issue("bentrevett/pytorch-seq2seq", 133),
        issue("bentrevett/pytorch-seq2seq", 182),
    ),
)
