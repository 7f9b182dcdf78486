"""Attention, from the mask to many heads."""

from .heads import MergeHeads, SplitHeads
from .kept_weights import attention_maps, attentions, keep_weights, kept_apart
from .masking import Masking, causal_mask, padding_mask
from .multi_head import MultiHeadAttention
from .scaled_dot_product import ScaledDotProductAttention

__all__ = [
    "Masking",
    "MergeHeads",
    "MultiHeadAttention",
    "ScaledDotProductAttention",
    "SplitHeads",
    "attention_maps",
    "attentions",
    "causal_mask",
    "keep_weights",
    "kept_apart",
    "padding_mask",
]
