"""Q Kᵀ in the memory layout that softmax reads fastest."""


def query_key_product(query, key):
    """Q Kᵀ: `query @ key.swapaxes(-1, -2)`.  (..., T, K), (..., S, K) → (..., T, S)

    Computed as (K Qᵀ) and viewed transposed: the same numbers, but the key axis, over which softmax
    takes its maximum and its sum, is then not the innermost in memory. NumPy reduces such an axis many
    times faster than a short contiguous one.
    """
    return (key @ query.swapaxes(-1, -2)).swapaxes(-1, -2)
