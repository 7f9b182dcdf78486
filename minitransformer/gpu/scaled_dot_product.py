"""Scaled dot-product attention with one kernel between its two products."""

from ..attention.masking import Masking
from ..backend import array_module
from ..layers.softmax import Softmax
from .cublas import product
from .softmax import softmax, softmax_backward


def forward(attention, query, key, value, mask=None):
    """`attention.ScaledDotProductAttention`: scale, mask and softmax in one kernel, in the memory
    of the scores."""
    scale = query.shape[-1] ** -0.5
    scores = product(query, key.swapaxes(-1, -2))                        # (B, H, T, S)
    weights = softmax(scores, scale, mask, out=scores)                   # (B, H, T, S)
    dropped = attention.dropout(weights)
    if attention.keep:
        attention.weights = weights
    attention.save(query, key, value, weights, dropped, scale)
    return product(dropped, value, out=side_by_side(query, value))       # (B, H, T, K_v)


def backward(attention, d_y):
    query, key, value, weights, dropped, scale = attention.saved()
    d_value = side_by_side(value, value)  # (B, H, S, K_v)
    d_value = product(dropped.swapaxes(-1, -2), d_y, out=d_value)
    d_weights = attention.dropout.backward(product(d_y, value.swapaxes(-1, -2)))  # (B, H, T, S)
    if attention.keep:
        attention.d_weights = d_weights
    d_scores = softmax_backward(weights, d_weights, scale)
    d_query = product(d_scores, key, out=side_by_side(query, key))       # (B, H, T, K)
    d_key = product(d_scores.swapaxes(-1, -2), query, out=side_by_side(key, query))  # (B, H, S, K)
    return d_query, d_key, d_value


def is_plain(attention):
    """Whether its masking and its softmax are ours, and not others that the kernel would pass
    over."""
    return type(attention.masking) is Masking and type(attention.softmax) is Softmax


def side_by_side(rows, columns):
    """An empty array (B, H, T, K) with T of `rows` and K of `columns`, in memory (B, T, H, K), so
    that to merge heads is no copy."""
    if rows.ndim != 4:
        return None
    batch, heads, length, _ = rows.shape
    return (
        array_module(rows)
        .empty((batch, length, heads, columns.shape[-1]), dtype=rows.dtype)
        .swapaxes(1, 2)
    )
