"""Leaving padding out of the computation."""

from ..backend import array_module, asarray


def given(**options):
    """Those options that are not None: handed on only if they are there, so that a learner's component need not know them."""
    return {name: value for name, value in options.items() if value is not None}


class Packing:
    """Where the N real tokens of a padded batch stand, so that what is done for each position alone is done for them only.

        packed_n = padded[b_n, t_n]

    A projection, a norm or a feed-forward network sees one position at a time, so it may be given the real ones in one
    long row, (N, D). Attention, which compares the positions of a sequence, gets them back in their places, with zeros at
    padding. `pack` and `unpack` are each other's backward, because nothing depends on what stands at padding.

    `Packing.of(real)`, for a mask (B, T), is None where all is real, and there is nothing to leave out, or nothing is.

    Shapes: packed (N, ...), padded (B, T, ...). Source: Zeng et al. 2022, "Boosting distributed training performance of
    the unpadded BERT model", section 3.
    """

    def __init__(self, real):
        xp = array_module(real)
        self.shape = real.shape                                          # (B, T)
        self.places = xp.flatnonzero(real)                               # (N,), of B·T

    @classmethod
    def of(cls, real):
        return cls(real) if real.any() and not real.all() else None

    @property
    def positions(self):
        """t_n, (N,)"""
        return self.places % self.shape[1]

    def pack(self, padded):
        """(B, T, ...) → (N, ...)"""
        self.places = asarray(self.places, like=padded)
        return padded.reshape(-1, *padded.shape[2:]).take(self.places, axis=0)

    def unpack(self, packed):
        """(N, ...) → (B, T, ...), 0 at padding."""
        batch, length = self.shape
        padded = array_module(packed).zeros((batch * length, *packed.shape[1:]), dtype=packed.dtype)
        self.places = asarray(self.places, like=packed)
        padded[self.places] = packed
        return padded.reshape(batch, length, *packed.shape[1:])
