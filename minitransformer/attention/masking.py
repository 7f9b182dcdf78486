"""Which query may attend to which key. In a mask, True means: may attend."""

from typing import Annotated

import numpy as np

from ..backend import array_module, keys_outermost, on_host
from ..boundary import INPUT, Floats, Generator, Ids, Mask, MayAttend, Natural, Whole, checked
from ..core.module import Module

Anywhere = Annotated[np.ndarray, INPUT]


@checked
def padding_mask(ids: Annotated[Ids, "B, S"], padding: Whole = 0) -> Mask:
    """True where a key is a real token: (B, S) ids → (B, 1, 1, S) bool. Combine it with another
    mask by `&`."""
    return keys_outermost((ids != padding)[:, None, None, :])


@checked
def causal_mask(
    length: Natural, like: Anywhere | None = None, last: Natural | None = None
) -> Mask:
    """True where the key is not later than the query: (1, 1, T, T) bool, lower triangular.

    `last`: only the rows of the last `last` queries, (1, 1, last, T), for decoding.

    Position t may attend to itself: the decoder's input is shifted right, so position t holds the
    token before the one to be predicted. `like`: an array on the device for the mask.
    """
    xp = np if like is None else array_module(like)
    rows = length if last is None else last
    return keys_outermost(xp.tri(rows, length, length - rows, dtype=bool)[None, None])


def unless_all(mask):
    """The mask, or None if every query may attend to every key, so that masking can be skipped. A
    mask on a GPU is not read, because reading waits."""
    return None if on_host(mask) and mask.all() else mask


class Masking(Module):
    """Set the scores of forbidden keys to −∞, so that softmax gives them weight 0: "Mask (opt.)" in
    figure 2.

        y = x where mask, else −∞

    Backward: d_x = d_y where mask, else 0. Without a mask, y = x. A NaN is never hidden: where x
    has one at a forbidden key, so has y; and so has d_x where d_y is not finite there.

    The mask is boolean, True = may attend, and broadcasts to the scores: padding (B, 1, 1, S),
    causal (1, 1, T, T), both combined with `&`. It has as many axes as the scores, each of their
    size or 1, so that no axis can be confused with another of the same size. Raises InputError for
    other shapes and dtypes.

    Shapes: x, y (..., T, S); mask broadcastable to x. Source: Vaswani et al. 2017, section 3.2.3.
    """

    def forward(
        self, x: Annotated[Floats, "..., T, S"],
        mask: Annotated[MayAttend, "..., T, S"] | None = None,
    ) -> Floats:
        if mask is not None:
            mask = mask if x.shape[-2] == 1 else keys_outermost(mask)  # in memory as the scores are
        self.save(mask)
        if mask is None:
            return x
        xp = array_module(x)
        # faster than a choice for every score
        return xp.minimum(x, xp.where(mask, np.inf, -np.inf).astype(x.dtype))

    def backward(self, d_y: Floats) -> Floats:
        mask = self.saved()
        return d_y if mask is None else d_y * mask

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        keys = np.arange(7) < np.array([7, 4, 6])[:, None]               # (B, S)
        return cls(), rng.standard_normal((3, 4, 5, 7)), keys[:, None, None, :]
