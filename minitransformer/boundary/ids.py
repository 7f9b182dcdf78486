"""What depends on the values of ids, not on types and shapes alone."""

import numpy as np

from ..backend import on_host
from ..errors import InputError
from .arrays import ARRAYS, INTEGER


def expect_ids(ids: np.ndarray, vocabulary_size: int) -> None:
    """Raise InputError unless ids are integers between 0 and V−1, at least one. On a GPU their
    values are not looked at."""
    if type(ids) not in ARRAYS or ids.dtype.kind not in "iu":
        INTEGER.taken(ids, "Token ids", {})
    if ids.size == 0:
        raise InputError(
            f"An empty batch: the token ids have shape {ids.shape}. Pass at least one token."
        )
    if on_host(ids) and largest(ids) >= vocabulary_size:
        where = tuple(int(i[0]) for i in np.nonzero((ids < 0) | (ids >= vocabulary_size)))
        raise InputError(
            f"Token id {int(ids[where])} at position {where} is outside the vocabulary of "
            f"{vocabulary_size} tokens (ids 0 to {vocabulary_size - 1})."
        )


def largest(ids: np.ndarray) -> int:
    """The largest of these integers, a negative one counting as a huge one: a single pass finds any
    id outside 0 … V−1."""
    return int(ids.astype(np.uint64).max(initial=0))
