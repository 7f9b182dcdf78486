"""Dropout: the mask is drawn and applied in one kernel."""

from ..backend import array_module, nearest_keep
from ..backend.random import LEVELS, PIECES, device_seed
from .kernels import Kernel

FORWARD = Kernel(
    "dropout",
    "const T *x, const unsigned long long *place, long long number, long long threshold, T factor, "
    "long long size, T *y, bool *kept",
    """
    const unsigned long long seed = place ? *place : number;
    unsigned int c0 = i, c1 = 0, c2 = 0, c3 = 0, k0 = seed, k1 = seed >> 32;
    for (int round = 0; round < 10; ++round) {
        const unsigned int high0 = __umulhi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
        const unsigned int high1 = __umulhi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
        c0 = high1 ^ c1 ^ k0; c1 = low1; c2 = high0 ^ c3 ^ k1; c3 = low0;
        k0 += 0x9E3779B9u; k1 += 0xBB67AE85u;
    }
    const unsigned int words[4] = {c0, c1, c2, c3};
    for (int piece = 0; piece < 8; ++piece) {
        const long long element = piece * count + i;
        if (element >= size) return;
        kept[element] = (words[piece / 2] >> piece % 2 * 16 & 65535u) < threshold;
        y[element] = kept[element] ? factor * x[element] : T(0);
    }
    """,
    lanes=1,
)

BACKWARD = Kernel(
    "dropout_backward",
    "const T *d_y, const bool *kept, T factor, T *d_x",
    "d_x[i] = kept[i] ? factor * d_y[i] : T(0);",
    lanes=1,
)


def forward(dropout, x):
    """`layers.Dropout` in one kernel. The masks are those of `backend.keep_mask`, bit for bit."""
    if not dropout.training or dropout.p == 0:
        dropout.save(None)
        return x
    keep, xp, seed = nearest_keep(1 - dropout.p), array_module(x), device_seed(dropout.rng)
    place, number = (None, seed) if isinstance(seed, int) else (seed, 0)
    x = xp.ascontiguousarray(x)
    y, kept = xp.empty_like(x), xp.empty(x.shape, dtype=bool)
    FORWARD(-(-x.size // PIECES), x, place, number, round(keep * LEVELS), 1 / keep, x.size, y, kept)
    dropout.save(kept)
    return y


def backward(dropout, d_y):
    kept = dropout.saved()
    if kept is None:
        return d_y
    xp = array_module(d_y)
    d_y = xp.ascontiguousarray(d_y)
    d_x = xp.empty_like(d_y)
    BACKWARD(kept.size, d_y, kept, 1 / nearest_keep(1 - dropout.p), d_x)
    return d_x
