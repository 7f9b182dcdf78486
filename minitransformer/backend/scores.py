"""Q Kᵀ, and masks, in the memory layout that softmax reads fastest: the key axis outermost."""

import numpy as np

from .arrays import array_module, on_host


def query_key_product(query, key, scale=1.0):
    """Q Kᵀ c: `query @ key.swapaxes(-1, -2) * scale`.  (..., T, K), (..., S, K) → (..., T, S)

    The same numbers in another memory layout: the key axis, over which softmax takes its maximum
    and its sum, is the outermost. A reduction is then S − 1 operations on long contiguous pieces;
    over a short innermost axis NumPy needs twenty times as long. And BLAS multiplies many small
    matrices faster when neither is read across its rows, which is why Qᵀ is written out, and scaled
    on the way. CuPy's own layout serves on a GPU, and for a single query, when decoding, there is
    nothing to gain.
    """
    if query.shape[-2] == 1 or array_module(query) is not np:
        return query @ key.swapaxes(-1, -2) * scale
    batch = np.broadcast_shapes(query.shape[:-2], key.shape[:-2])
    query_t = query.swapaxes(-1, -2).copy()                              # (..., K, T)
    if scale != 1:
        query_t *= scale
    memory = np.empty_like(
        key, shape=(key.shape[-2], *batch, query.shape[-2]), dtype=np.result_type(query, key),
        order="C",
    )
    scores = first_to(memory, -2)                                        # (..., S, T)
    np.matmul(key, query_t, out=scores)
    return scores.swapaxes(-1, -2)


def keys_outermost(mask):
    """The same mask (..., S), its key axis outermost in memory, so that scores keep their layout
    when it is applied.

    On a GPU masks and scores lie as CuPy lays them.
    """
    if mask.ndim == 0 or not on_host(mask):
        return mask
    last = mask.ndim - 1
    return first_to(np.ascontiguousarray(mask.transpose(last, *range(last))), -1)


def first_to(x, place):
    """`moveaxis(x, 0, place)` for a negative place, in a tenth of its time."""
    rest = list(range(1, x.ndim))
    rest.insert(x.ndim + place, 0)
    return x.transpose(rest)
