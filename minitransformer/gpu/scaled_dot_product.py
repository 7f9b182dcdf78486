"""Scaled dot-product attention with one kernel between its two products."""

from .. import attention
from ..attention.masking import Masking, expect_mask
from .softmax import Softmax, softmax, softmax_backward


class ScaledDotProductAttention(attention.ScaledDotProductAttention):
    """`attention.ScaledDotProductAttention`: scale, mask and softmax in one kernel, in the memory of the scores.

    Where its masking or its softmax was replaced by another, these are called, as they are on the CPU.
    """

    def forward(self, query, key, value, mask=None):
        if not self.is_plain():
            return super().forward(query, key, value, mask)
        scale = query.shape[-1] ** -0.5
        scores = query @ key.swapaxes(-1, -2)                            # (B, H, T, S)
        if mask is not None:
            expect_mask(mask, scores.shape)
        weights = softmax(scores, scale, mask, out=scores)               # (B, H, T, S)
        dropped = self.dropout(weights)
        if self.keep:
            self.weights = weights
        self.save(query, key, value, weights, dropped, scale)
        return dropped @ value                                           # (B, H, T, K_v)

    def backward(self, d_y):
        if not self.is_plain():
            return super().backward(d_y)
        query, key, value, weights, dropped, scale = self.saved()
        d_value = dropped.swapaxes(-1, -2) @ d_y                         # (B, H, S, K_v)
        d_weights = self.dropout.backward(d_y @ value.swapaxes(-1, -2))  # (B, H, T, S)
        if self.keep:
            self.d_weights = d_weights
        d_scores = softmax_backward(weights, d_weights, scale)
        d_query = d_scores @ key                                         # (B, H, T, K)
        d_key = d_scores.swapaxes(-1, -2) @ query                        # (B, H, S, K)
        return d_query, d_key, d_value

    def is_plain(self):
        return type(self.masking) is Masking and type(self.softmax) is Softmax
