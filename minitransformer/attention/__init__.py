"""Attention, from the mask to many heads; and the older attentions that it came from."""

from .additive import AdditiveAttention
from .expectation import Expectation
from .heads import MergeHeads, SplitHeads
from .kept_weights import attention_maps, attentions, keep_weights, kept_apart
from .local import LocalAttention
from .masking import Masking, causal_mask, padding_mask
from .multi_head import MultiHeadAttention
from .multiplicative import MultiplicativeAttention
from .scaled_dot_product import ScaledDotProductAttention

__all__ = [
    "AdditiveAttention",
    "Expectation",
    "LocalAttention",
    "Masking",
    "MergeHeads",
    "MultiHeadAttention",
    "MultiplicativeAttention",
    "ScaledDotProductAttention",
    "SplitHeads",
    "attention_maps",
    "attentions",
    "causal_mask",
    "keep_weights",
    "kept_apart",
    "padding_mask",
]
