"""Attention weights and gradients, as numbers."""

from .alignment import alignment_fractions, cross_attention, first_word_fractions
from .attention import attention_gradients, attention_weights, by_words, source_gradients

__all__ = [
    "alignment_fractions",
    "attention_gradients",
    "attention_weights",
    "by_words",
    "cross_attention",
    "first_word_fractions",
    "source_gradients",
]
