"""What the contestants train: sizes, batches and the optimizer's numbers, the same for all.

No contestant is imported here, so that a process of one library need not load another.
"""

import numpy as np

SIZES = {  # preset, changes, B, T
    "toy": ("toy", {}, 64, 16),
    "small": ("small", {}, 32, 32),
    "base": ("base", {"source_vocabulary": 8000}, 8, 64),
}
# likewise; from small on, 25,000 tokens of source and of target as in Vaswani et al. 2017, section
# 5.1
ON_A_CARD = {
    "toy": ("toy", {}, 64, 16),
    "small": ("small", {}, 781, 32),
    "base": ("base", {}, 390, 64),
    "big": ("big", {}, 390, 64),
}
LABEL_SMOOTHING = 0.1
RATE, BETAS, EPSILON = 1e-4, (0.9, 0.98), 1e-9


def batch_of(size, vocabulary, seed=0):
    """(source, target_in, target_out), (B, T) ids each, with sequences between T/2 and T long."""
    _, _, batch, length = SIZES[size]
    return batch_of_shape(batch, length, vocabulary, length // 2, seed)


def batch_of_shape(batch, length, vocabulary, shortest, seed=0):
    """As `batch_of`, with sequences between `shortest` and `length`."""
    rng = np.random.default_rng(seed)
    place = np.arange(length + 1)
    source_lengths, target_lengths = rng.integers(
        shortest, length, size=(2, batch, 1), endpoint=True
    )
    source = np.where(
        place[:-1] < source_lengths, rng.integers(4, vocabulary, size=(batch, length)), 0
    )
    target = np.where(
        place < target_lengths, rng.integers(4, vocabulary, size=(batch, length + 1)), 0
    )
    target[:, 0] = 1                                                     # BOS
    np.put_along_axis(target, target_lengths, 2, axis=1)                 # EOS
    return source, target[:, :-1], target[:, 1:]
