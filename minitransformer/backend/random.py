"""Cheap exact coin flips for dropout."""

import math

import numpy as np

from .arrays import array_module

LEVELS = 1 << 16


def keep_mask(rng, keep, like):
    """A boolean array like `like` (its shape, its order in memory, its library), each element True with probability `keep`.

    Plain formula: `rng.random(shape) < keep`. Here one raw 64-bit draw serves four elements, 16 bits each,
    which is several times cheaper; `keep` is therefore a multiple of 1/65536 (see `nearest_keep`).
    """
    draws = rng.integers(0, 1 << 64, size=-(-like.size // 4), dtype=np.uint64, endpoint=False)
    mask = draws.view(np.uint16)[: like.size] < round(keep * LEVELS)
    axes = sorted(range(like.ndim), key=lambda axis: -like.strides[axis])  # from the outermost in memory to the innermost
    mask = mask.reshape([like.shape[axis] for axis in axes]).transpose([axes.index(axis) for axis in range(like.ndim)])
    return array_module(like).asarray(mask)


def nearest_keep(keep):
    """The multiple of 1/65536 nearest to `keep`, never 0: the probability that `keep_mask` can draw exactly."""
    return max(1, math.floor(keep * LEVELS + 0.5)) / LEVELS
