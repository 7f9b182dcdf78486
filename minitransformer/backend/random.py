"""Cheap exact coin flips for dropout."""

import math

import numpy as np

from .arrays import array_module, on_host
from .substitutes import substitute_for

LEVELS = 1 << 16
PIECES = 8  # of 16 bits, in the four words of 32 that Philox makes of one counter


def keep_mask(rng, keep, like):
    """A boolean array like `like` (its shape, its order in memory, its library), each element True
    with probability `keep`.

    Plain formula: `rng.random(shape) < keep`. Here one raw 64-bit draw serves four elements, 16
    bits each, which is several times cheaper; `keep` is therefore a multiple of 1/65536 (see
    `nearest_keep`).

    On a GPU only a seed is drawn from `rng`, and every element is made from the seed and its place
    (see `philox_mask`). So there, too, the state of `rng` is all that a checkpoint has to hold.
    """
    if not on_host(like):
        return philox_mask(device_seed(rng), round(keep * LEVELS), like)
    draws = rng.integers(0, 1 << 64, size=-(-like.size // 4), dtype=np.uint64, endpoint=False)
    mask = draws.view(np.uint16)[: like.size] < round(keep * LEVELS)
    # from the outermost in memory to the innermost
    axes = sorted(range(like.ndim), key=lambda axis: -like.strides[axis])
    return mask.reshape([like.shape[axis] for axis in axes]).transpose(
        [axes.index(axis) for axis in range(like.ndim)]
    )


def nearest_keep(keep):
    """The multiple of 1/65536 nearest to `keep`, never 0: the probability that `keep_mask` can draw
    exactly."""
    return max(1, math.floor(keep * LEVELS + 0.5)) / LEVELS


def seed_of(rng):
    return int(rng.integers(1 << 63))


def device_seed(rng):
    """The seed of a mask on a GPU, drawn from rng; or, from a substitute, an array of one number in
    which it will lie."""
    return (substitute_for("device_seed") or seed_of)(rng)


def philox_mask(seed, threshold, like):
    """A boolean array of the shape of `like`: 16 random bits for each element, as a number, below
    the threshold.

    `philox` makes eight times 16 bits of a counter. The first piece of all counters 0, 1, … stands
    before the second of all, and so on, so that a GPU's threads, one for each counter, can write
    side by side. The seed is a number, or an array of one.
    """
    xp = array_module(like)
    words = philox(xp.arange(-(-like.size // PIECES), dtype="uint64"), seed)
    low_and_high = [word >> shift & (LEVELS - 1) for word in words for shift in (0, 16)]
    pieces = xp.stack(low_and_high)  # (8, n/8)
    return (pieces.reshape(-1)[: like.size] < threshold).reshape(like.shape)


def philox(counters, seed):
    """Four times 32 random bits, as uint64, for each counter (N,) below 2³²: Philox4x32-10 under a
    64-bit seed.

    Ten rounds of two products, c ↦ high(M₁ c₂) ⊕ c₁ ⊕ k₀, low(M₁ c₂), high(M₀ c₀) ⊕ c₃ ⊕ k₁, low(M₀
    c₀), that scatter the counter: no number depends on the one before, so a GPU makes all at once.
    Source: Salmon et al. 2011, section 3.3.
    """
    low = 0xFFFFFFFF
    c0, c1, c2, c3 = counters, 0 * counters, 0 * counters, 0 * counters
    k0, k1 = seed & low, seed >> 32
    for _ in range(10):
        a, b = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b & low, (a >> 32) ^ c3 ^ k1, a & low
        k0, k1 = (k0 + 0x9E3779B9) & low, (k1 + 0xBB67AE85) & low
    return c0, c1, c2, c3
