"""Attention, from the mask to many heads."""

from .heads import MergeHeads, SplitHeads
from .masking import Masking, causal_mask, padding_mask
from .multi_head import MultiHeadAttention
from .scaled_dot_product import ScaledDotProductAttention, attention_maps, keep_weights

__all__ = [
    "Masking",
    "MergeHeads",
    "MultiHeadAttention",
    "ScaledDotProductAttention",
    "SplitHeads",
    "attention_maps",
    "causal_mask",
    "keep_weights",
    "padding_mask",
]
