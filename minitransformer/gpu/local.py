"""Local attention, whose blocks are attended to by kernels."""

from ..core.module import saving
from . import scaled_dot_product


def forward(attention, query, key, value, mask=None):
    """`older.LocalAttention`. The few scores of a decoding step are computed as it is
    written."""
    if not saving() and query.shape[2] < key.shape[2]:
        return attention.step(query, key, value, mask)
    attention.expect_one_sequence(query, key, value)
    q = attention.blocks(query)                                          # (B, H, N, r, K)
    k, v = attention.neighbourhoods(key), attention.neighbourhoods(value)  # (B, H, N, 2r, K)
    allowed = attention.allowed(mask, key)
    y = scaled_dot_product.forward(attention, q, k, v, allowed)  # (B, H, N, r, K_v)
    length = query.shape[2]
    if attention.keep:
        attention.weights = attention.spread(attention.weights, length)
    attention.save(length)
    return attention.joined(y, length)                                   # (B, H, T, K_v)


def backward(attention, d_y):
    length = attention.saved()
    d_q, d_k, d_v = scaled_dot_product.backward(attention, attention.blocks(d_y))
    if attention.keep:
        attention.d_weights = attention.spread(attention.d_weights, length)
    d_key = attention.neighbourhoods_backward(d_k, length)
    d_value = attention.neighbourhoods_backward(d_v, length)
    return attention.joined(d_q, length), d_key, d_value
