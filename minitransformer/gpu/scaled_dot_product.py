"""Scaled dot-product attention with one kernel between its two products."""

from .. import attention
from ..attention.masking import Masking
from ..backend import array_module, product
from .softmax import Softmax, softmax, softmax_backward


class ScaledDotProductAttention(attention.ScaledDotProductAttention):
    """`attention.ScaledDotProductAttention`: scale, mask and softmax in one kernel, in the memory of the scores.

    Where its masking or its softmax was replaced by another, these are called, as they are on the CPU.
    """

    def forward(self, query, key, value, mask=None):
        if not self.is_plain():
            return super().forward(query, key, value, mask)
        scale = query.shape[-1] ** -0.5
        scores = product(query, key.swapaxes(-1, -2))                    # (B, H, T, S)
        weights = softmax(scores, scale, mask, out=scores)               # (B, H, T, S)
        dropped = self.dropout(weights)
        if self.keep:
            self.weights = weights
        self.save(query, key, value, weights, dropped, scale)
        return product(dropped, value, out=side_by_side(query, value))   # (B, H, T, K_v)

    def backward(self, d_y):
        if not self.is_plain():
            return super().backward(d_y)
        query, key, value, weights, dropped, scale = self.saved()
        d_value = product(dropped.swapaxes(-1, -2), d_y, out=side_by_side(value, value))  # (B, H, S, K_v)
        d_weights = self.dropout.backward(product(d_y, value.swapaxes(-1, -2)))  # (B, H, T, S)
        if self.keep:
            self.d_weights = d_weights
        d_scores = softmax_backward(weights, d_weights, scale)
        d_query = product(d_scores, key, out=side_by_side(query, key))   # (B, H, T, K)
        d_key = product(d_scores.swapaxes(-1, -2), query, out=side_by_side(key, query))  # (B, H, S, K)
        return d_query, d_key, d_value

    def is_plain(self):
        return type(self.masking) is Masking and type(self.softmax) is Softmax


class LocalAttention(attention.LocalAttention, ScaledDotProductAttention):
    """`attention.LocalAttention`, whose blocks are attended to in the way above."""


def side_by_side(rows, columns):
    """An empty array (B, H, T, K) with T of `rows` and K of `columns`, in memory (B, T, H, K), so that to merge heads is no copy."""
    if rows.ndim != 4:
        return None
    batch, heads, length, _ = rows.shape
    return array_module(rows).empty((batch, length, heads, columns.shape[-1]), dtype=rows.dtype).swapaxes(1, 2)
