"""Sinusoidal positional encoding."""

import numpy as np

from ...layers import SinusoidalPositionalEncoding
from ...layers.positional_encoding import sinusoids
from ..exercise import Invariant, exercise
from .met import issue, places, pull
from .parts import inherit


def _x(rng, n):
    return rng.standard_normal((n.B, n.T, _features(n)))


def _features(n):
    """An even width."""
    return n.D + n.D % 2


@exercise(
    "positional_encoding.table",
    inputs={"length": "number", "features": "number"},
    returns={"PE": "(T, D)"},
    given=lambda rng, n: {"length": n.T, "features": _features(n)},
    invariants=(
        Invariant(
            "The sum of the squares of each pair of channels in PE, less 1,",
            "sin² + cos² = 1 where both have the same angle",
            lambda out, given: (out["PE"] ** 2).reshape(given["length"], -1, 2).sum(-1) - 1,
        ),
    ),
    shown=(sinusoids,),
    hints=(
        (
            "Each pair of channels is the hand of a clock. How fast does each clock run, and which "
            "channel reads its sine?"
        ),
        "PE[p, 2i] = sin(p ω_i),  PE[p, 2i+1] = cos(p ω_i),  ω_i = 10000^(−2i/D)",
        "the positions as a column, from 0\none frequency for each pair: the even numbers 0, 2, 4, "
        "… over D, negative, as exponents of 10000\n"
        "a table of zeros\nsines into the even channels\n"
        "cosines into the odd ones",
        "PE[:, 0::2] = np.sin(positions * frequencies)",
    ),
)
def positional_encoding_table(length, features):
    """Make the table PE that tells positions apart: a row for each position, counted from 0, a
    column for each channel.

        PE[p, 2i] = sin(p / 10000^(2i/D))      PE[p, 2i+1] = cos(p / 10000^(2i/D))

    The number of channels D is even, and i counts the pairs of channels from 0.
    """
    positions = np.arange(length)[:, None]
    frequencies = 10000.0 ** (-np.arange(0, features, 2) / features)
    PE = np.zeros((length, features))
    PE[:, 0::2] = np.sin(positions * frequencies)
    PE[:, 1::2] = np.cos(positions * frequencies)
    return PE


EXPONENT = "-np.arange(0, features, 2) / features"
positional_encoding_table.mistake(
    "only-one-function",
    "there are only sines, or only cosines",
    {"np.cos(": "np.sin("},
    {"np.sin(": "np.cos("},
    evidence="A shift of the position is then no linear map of the code.",
    question="From the sine of an angle alone, can one tell the sine of that angle plus one?",
    met="public NumPy Transformers",
)
positional_encoding_table.mistake(
    "pair-frequencies-differ",
    "the sine and the cosine of a pair have different frequencies",
    {
        "np.cos(positions * frequencies)": (
            "np.cos(positions * 10000.0 ** (-np.arange(1, features, 2) / features))"
        )
    },
    {
        EXPONENT: f"2 * {EXPONENT}",
        "np.cos(positions * frequencies)": (
            "np.cos(positions * 10000.0 ** (-2 * np.arange(1, features, 2) / features))"
        ),
    },
    {
        "np.cos(positions * frequencies)": (
            "np.cos(positions * 10000.0 ** (-2 * np.arange(1, features, 2) / features))"
        )
    },
    {
        "np.cos(positions * frequencies)": (
            "np.cos(positions * 10000.0 ** (-np.arange(2, features + 1, 2) / features))"
        )
    },
    evidence="No pair turns like the hand of a clock, then.",
    question="Does i count the channels or the pairs, and which i have channels 4 and 5?",
    met=places(
        "public Transformers",
        issue("SamLynnEvans/Transformer", 25),
        issue("maxjcohen/transformer", 62),
        issue("jadore801120/attention-is-all-you-need-pytorch", 32),
    ),
)
positional_encoding_table.mistake(
    "exponents-not-by-pairs",
    "the exponents are not 2i/D with i counting the pairs",
    {EXPONENT: "-np.arange(features // 2) / features"},
    {EXPONENT: f"2 * {EXPONENT}"},
    {EXPONENT: "-np.arange(0, features, 2) / (features - 2)"},
    {EXPONENT: "np.arange(0, features, 2) / features"},
    {EXPONENT: "-np.arange(0, features, 2)[::-1] / features"},
    evidence=(
        "The frequencies are to fall from 1, for the first pair, to a little more than 1/10000, "
        "for the last."
    ),
    question="Which frequency does the first pair have, and which the one in the middle?",
    met=places("tensor2tensor, which divides by D/2 − 1", issue("tensorflow/tensor2tensor", 1423)),
)
positional_encoding_table.mistake(
    "halves-not-interleaved",
    "the sines fill the first half of the channels and the cosines the second",
    {"PE[:, 0::2]": "PE[:, : features // 2]", "PE[:, 1::2]": "PE[:, features // 2 :]"},
    convention=True,
    evidence=(
        "The channels are only in another order, which a model does not mind; the paper has them "
        "in turn."
    ),
    met=places(
        "tensor2tensor",
        issue("tensorflow/tensor2tensor", 391),
        issue("tensorflow/text", 1122),
    ),
)
positional_encoding_table.mistake(
    "counted-from-one",
    "positions are counted from 1",
    {"np.arange(length)": "np.arange(1, length + 1)"},
    evidence="Each row is the next one's.",
    question="Which code has the first position, and what is the sine of its angle?",
)
positional_encoding_table.mistake(
    "whole-number-table",
    "the table is one of whole numbers",
    {"np.zeros((length, features))": "np.zeros((length, features), dtype=int)"},
    evidence=(
        "What is written into it loses its fraction: hardly more is left than zeros, and the "
        "cosines of position 0."
    ),
    question="Of which type are the numbers of the table before the sines are written into it?",
    met=issue("huggingface/transformers", 47674),
)
positional_encoding_table.mistake(
    "sines-cosines-swapped",
    "sines and cosines change places",
    {"np.sin(": "np.cosine(", "np.cos(": "np.sin(", "np.cosine(": "np.cos("},
    evidence="Position 0 has ones where zeros should be.",
    question="Which channels are zero at position 0?",
)
positional_encoding_table.mistake(
    "one-frequency",
    "all pairs have one frequency",
    {"10000.0 ** (-np.arange(0, features, 2) / features)": "np.ones(features // 2)"},
    question="How would two positions be told apart whose distance is a full turn?",
)
positional_encoding_table.mistake(
    "table-transposed", "the table is transposed", {"return PE": "return PE.T"},
    question="Are the rows positions or channels?",
)


@exercise(
    "positional_encoding.forward",
    inputs={"x": "(B, T, D)"},
    returns={"y": "(B, T, D)"},
    given=lambda rng, n: {"x": _x(rng, n)},
    also={"PE": lambda x: positional_encoding_table(*x.shape[1:])},
    shown=(SinusoidalPositionalEncoding.forward, sinusoids),
    hints=(
        "Which axis of x counts positions, and for which axis is the code the same?",
        "y[b, t] = x[b, t] + PE[t]",
        "the table for as many positions as x has\nadd it: NumPy lays it along the batch",
        "x + PE",
    ),
)
def positional_encoding(x):
    """Add to each position its code, the same for every sequence: y = x + PE.

        PE[p, 2i] = sin(p / 10000^(2i/D))      PE[p, 2i+1] = cos(p / 10000^(2i/D))

    Positions are counted from 0. The number of channels D is even.
    """
    return x + positional_encoding_table(x.shape[1], x.shape[2])


TABLE = "positional_encoding_table(x.shape[1], x.shape[2])"
positional_encoding.mistake(
    "code-by-batch-place",
    "the code is chosen by the sequence's place in the batch, not by the position",
    {TABLE: "positional_encoding_table(x.shape[0], x.shape[2])[:, None]"},
    evidence="All positions of a sequence then have one code.",
    question="If the sequences of a batch change places, which codes should change?",
    met=places(
        "a public Transformer",
        issue("cmu-l3/anlp-fall2025-code", 1),
        issue("songyangco/GETNext", 2),
    ),
)
inherit(
    positional_encoding, positional_encoding_table, "only-one-function", "pair-frequencies-differ",
    "exponents-not-by-pairs", "halves-not-interleaved", "counted-from-one", "whole-number-table",
    "sines-cosines-swapped", "one-frequency",
)
positional_encoding.mistake(
    "code-alone",
    "y is the code alone, without x",
    {f"x + {TABLE}": f"0 * x + {TABLE}"},
    {f"x + {TABLE}": TABLE},
    question="Where has the embedding gone?",
)
positional_encoding.mistake(
    "code-multiplied",
    "the code is multiplied, not added",
    {f"x + {TABLE}": f"x * {TABLE}"},
    question="What becomes of a channel whose code is 0?",
)
positional_encoding.mistake(
    "input-scaled",
    "x is scaled here",
    {f"x + {TABLE}": f"np.sqrt(x.shape[-1]) * x + {TABLE}"},
    {f"x + {TABLE}": f"x / np.sqrt(x.shape[-1]) + {TABLE}"},
    question="The embedding may have a scale of its own. Whose job is it?",
)
positional_encoding.mistake(
    "input-changed",
    "x is changed in place by +=",
    {f"return x + {TABLE}": f"x += {TABLE}\n    return x"},
    question="Who else still needs x as it was?",
    met=pull("NVIDIA-NeMo/Speech", 7440),
)


@exercise(
    "positional_encoding.backward",
    forward=positional_encoding,
    inputs={"d_y": "(B, T, D)", "x": "(B, T, D)"},
    returns={"d_x": "(B, T, D)"},
    given=lambda rng, n: {"d_y": rng.standard_normal((n.B, n.T, _features(n))), "x": _x(rng, n)},
    also={"PE": lambda x, **_: positional_encoding_table(*x.shape[1:])},
    shown=(SinusoidalPositionalEncoding.backward,),
    hints=(
        "If a number of x rises by one, by how much does the same number of y rise?",
        "d_x = d_y",
        "the code does not depend on x\na sum hands its gradient on to each of its terms",
        "return d_y",
    ),
)
def positional_encoding_backward(d_y, x):
    """The gradient of x, from that of y = x + PE. The codes are fixed: nothing about them is
    learned."""
    return d_y


CODE = "positional_encoding_table(x.shape[1], x.shape[2])"
positional_encoding_backward.mistake(
    "multiplied-by-code",
    "the gradient is multiplied by the code",
    {"return d_y": f"return d_y * {CODE}"},
    question="What does forward do with the code: multiply, or add?",
)
positional_encoding_backward.mistake(
    "code-in-gradient",
    "the code is added to the gradient, or taken off it",
    {"return d_y": f"return d_y + {CODE}"},
    {"return d_y": f"return d_y - {CODE}"},
    question="A constant is added in forward. What is its derivative?",
)
positional_encoding_backward.mistake(
    "gradient-summed",
    "the gradient is summed over the batch, or over the positions",
    {"return d_y": "return d_y.sum(axis=0)"},
    {"return d_y": "return d_y.sum(axis=1)"},
    {"return d_y": "return np.broadcast_to(d_y.sum(axis=0), d_y.shape)"},
    evidence="That is the gradient of codes that are learned.",
    question="Is one number of x used for one position of y, or for many?",
)
positional_encoding_backward.mistake(
    "gradient-scaled",
    "the gradient is scaled",
    {"return d_y": "return np.sqrt(d_y.shape[-1]) * d_y"},
    {"return d_y": "return d_y / np.sqrt(d_y.shape[-1])"},
    question="By what does forward multiply x?",
)


@exercise(
    "positional_encoding.rotation",
    inputs={"offset": "number", "features": "number"},
    returns={"R": "(D, D)"},
    given=lambda rng, n: {"offset": n.T, "features": _features(n)},
    situations={
        "a step back": lambda given, rng, n: {"offset": -2},
        "no step at all": lambda given, rng, n: {"offset": 0},
    },
    invariants=(
        Invariant(
            "R times the code of position 3, less that of position 3 + offset,",
            "R turns each code into that which stands offset further on",
            lambda out, given: (
                _code(3, given["features"]) @ out["R"].T
                - _code(3 + given["offset"], given["features"])
            ),
        ),
        Invariant(
            "R Rᵀ less the unit matrix",
            "a rotation keeps all lengths",
            lambda out, given: out["R"] @ out["R"].T - np.eye(given["features"]),
        ),
    ),
    shown=(sinusoids, SinusoidalPositionalEncoding),
    hints=(
        "What are the sine and the cosine of a sum of two angles?",
        (
            "(sin (p+k)ω, cos (p+k)ω)ᵀ = [[cos kω, sin kω], [−sin kω, cos kω]] (sin pω, cos pω)ᵀ,  "
            "for each pair"
        ),
        "the angle of each pair: offset times its frequency\na matrix of zeros\n"
        "its block on the diagonal, for each pair: cosine, sine; minus sine, cosine",
        "R[even, even], R[even, odd] = np.cos(angles), np.sin(angles)",
    ),
)
def positional_encoding_rotation(offset, features):
    """Find the matrix R that moves a code by `offset` positions, the same one for every position p:

        PE[p + offset] = R PE[p],  where PE[p, 2i] = sin(p / 10000^(2i/D)) and PE[p, 2i+1] = cos(p /
        10000^(2i/D))

    Codes are columns here: R stands on the left. The number of channels D is even; the offset may
    be negative.
    """
    angles = offset * 10000.0 ** (-np.arange(0, features, 2) / features)
    even, odd = np.arange(0, features, 2), np.arange(1, features, 2)
    R = np.zeros((features, features))
    R[even, even] = np.cos(angles)
    R[even, odd] = np.sin(angles)
    R[odd, even] = -np.sin(angles)
    R[odd, odd] = np.cos(angles)
    return R


def _code(position, features):
    """PE[position], also of a negative one."""
    angles = position * 10000.0 ** (-np.arange(0, features, 2) / features)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(-1)


positional_encoding_rotation.mistake(
    "turns-other-way",
    "R turns the other way",
    {"return R": "return R.T"},
    evidence="Rᵀ is right for codes as rows, for pairs of (cosine, sine), or for a step back.",
    question="What is R times the column (0, 1), the code of position 0, for one pair?",
)
positional_encoding_rotation.mistake(
    "sines-same-sign",
    "both sines have the same sign",
    {"-np.sin(angles)": "np.sin(angles)"},
    {"= np.sin(angles)": "= -np.sin(angles)"},
    question="What is the cosine of a sum of two angles? And does R keep lengths?",
)
positional_encoding_rotation.mistake(
    "one-angle",
    "all pairs are turned by one angle",
    {"10000.0 ** (-np.arange(0, features, 2) / features)": "np.ones(features // 2)"},
    question="How fast does the last pair turn, compared with the first?",
)
positional_encoding_rotation.mistake(
    "angle-per-channel",
    "each channel has an angle of its own, not each pair",
    {
        "-np.sin(angles)": "-np.sin(offset * 10000.0 ** (-odd / features))",
        "R[odd, odd] = np.cos(angles)": (
            "R[odd, odd] = np.cos(offset * 10000.0 ** (-odd / features))"
        ),
    },
    question="Does i count the channels or the pairs, and which i have channels 4 and 5?",
    met="public Transformers",
)
positional_encoding_rotation.mistake(
    "exponents-not-by-pairs",
    "the exponents are not 2i/D with i counting the pairs",
    {EXPONENT: "-np.arange(features // 2) / features"},
    {EXPONENT: f"2 * {EXPONENT}"},
    {EXPONENT: "-np.arange(0, features, 2) / (features - 2)"},
    {EXPONENT: "np.arange(0, features, 2) / features"},
    question="Which frequency does the first pair have, and which the one in the middle?",
    met="tensor2tensor, which divides by D/2 − 1",
)
positional_encoding_rotation.mistake(
    "halves-not-interleaved",
    "the sines fill the first half of the channels and the cosines the second",
    {
        "np.arange(0, features, 2), np": "np.arange(features // 2), np",
        "np.arange(1, features, 2)": "np.arange(features // 2, features)",
    },
    convention=True,
    evidence=(
        "The channels are only in another order, which a model does not mind; the paper has them "
        "in turn."
    ),
    met="tensor2tensor",
)
positional_encoding_rotation.mistake(
    "whole-number-matrix",
    "R is a matrix of whole numbers",
    {"np.zeros((features, features))": "np.zeros((features, features), dtype=int)"},
    evidence="Whatever is written into it loses its fraction.",
    question="Of which type are the numbers of R before the cosines are written into it?",
)
positional_encoding_rotation.mistake(
    "sines-missing",
    "the sines beside the diagonal are missing",
    {"np.sin(angles)\n    R[odd, even] = -np.sin(angles)": "0"},
    question="On which two numbers of p does sin((p + k) ω) depend?",
)
