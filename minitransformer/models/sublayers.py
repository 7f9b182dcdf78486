"""The sublayers of a layer, as a configuration says."""

from ..attention.multi_head import MultiHeadAttention
from ..layers.feed_forward import FeedForward
from ..layers.residual import Residual


def attention_of(config, rng, attention=None):
    """`attention` in place of scaled dot-product attention: see `MultiHeadAttention`."""
    return MultiHeadAttention(
        config.d_model, config.heads, rng, config.d_k, config.d_v, config.bias,
        config.attention_dropout, attention,
    )


def feed_forward_of(config, rng):
    return FeedForward(
        config.d_model, config.d_ff, rng, config.activation, config.activation_dropout
    )


def residual_of(sublayer, config, rng):
    return Residual(sublayer, config.d_model, rng, config.norm, config.dropout)
