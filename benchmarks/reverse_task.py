"""Reversing digits: the model's sizes, the stream of batches, what counts as right. For ours and
PyTorch alike.

NumPy only: the process of one library must not load the other.
"""

import numpy as np

PAD, BOS, EOS, UNK = range(4)
DIGITS = range(4, 14)
SHORTEST, LONGEST = 3, 10
BATCH, HELD_OUT = 64, 1000
RATE, BETAS, EPSILON, WARMUP = 1e-3, (0.9, 0.98), 1e-9, 200
MODEL = {  # fields of a TransformerConfig, all that nn.Transformer needs to know
    "source_vocabulary": len(DIGITS) + 4, "target_vocabulary": len(DIGITS) + 4,
    "max_length": LONGEST + 2, "d_model": 64, "heads": 4, "d_ff": 256, "encoder_layers": 2,
    "decoder_layers": 2, "dropout": 0.0, "activation": "relu", "norm": "post",
}  # fmt: skip
# what nn.Transformer has and ours may have
OURS_ALONE = {"bias": True, "final_norm": True, "tie_embeddings": False}


def rate(step):
    """Adam's rate at step 1, 2, …: a linear warm-up, then constant."""
    return RATE * min(1.0, step / WARMUP)


def sequences(rng, count):
    """(source, target_in, target_out), ids of `count` random sequences and their reversals, padded
    to the longest."""
    lengths = rng.integers(SHORTEST, LONGEST, size=(count, 1), endpoint=True)
    digits = rng.integers(DIGITS.start, DIGITS.stop, size=(count, LONGEST))
    place = np.arange(LONGEST + 1)
    source = np.where(place[:-1] < lengths, digits, PAD)
    mirrored = np.take_along_axis(digits, np.maximum(lengths - 1 - place, 0), axis=1)
    target_out = np.where(place < lengths, mirrored, np.where(place == lengths, EOS, PAD))
    target_in = np.concatenate(
        [np.full((count, 1), BOS), np.where(target_out == EOS, PAD, target_out)[:, :-1]], axis=1
    )
    return source, target_in, target_out


def stream(seed):
    """Fresh batches without end, the same for the same seed."""
    rng = np.random.default_rng([seed, 1])
    while True:
        yield sequences(rng, BATCH)


def held_out():
    return sequences(np.random.default_rng([0, 2]), HELD_OUT)


def exact_match(logits, target_out):
    """The share of sequences without one wrong token, EOS included.

    The true tokens were fed in, and yet this is what greedy decoding would reach. By induction: as
    long as it has made no mistake it has fed itself those very tokens, so its next token is the one
    that is most likely here. It is right to the end exactly if every token here is right.
    """
    return float(((logits.argmax(-1) == target_out) | (target_out == PAD)).all(axis=1).mean())
