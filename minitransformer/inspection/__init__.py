"""Attention weights and gradients, as numbers."""

from .alignment import alignment_shares, cross_attention, first_word_shares
from .attention import attention_gradients, attention_weights, by_words, source_gradients

__all__ = [
    "alignment_shares",
    "attention_gradients",
    "attention_weights",
    "by_words",
    "cross_attention",
    "first_word_shares",
    "source_gradients",
]
