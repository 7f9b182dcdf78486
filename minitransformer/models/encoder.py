"""The encoder."""

import dataclasses
from typing import Annotated

from ..attention.masking import padding_mask
from ..attention.multi_head import MultiHeadAttention
from ..core.boundary import Floats, Generator, Mask, Rng
from ..core.module import Module
from ..layers.cache import Cache
from ..layers.feed_forward import FeedForward
from ..layers.layer_norm import LayerNorm
from ..layers.residual import Residual
from .config import StackConfig, TransformerConfig

Sequence = Annotated[Floats, "B, T, D or N, D"]


class EncoderLayer(Module):
    """Self-attention, then the feed-forward network, each inside Add & Norm.

        a = Residual(SelfAttention)(x)      y = Residual(FeedForward)(a)

    Backward undoes the two in reverse and returns d_x. With a `Cache` (in a decoder-only model that
    decodes), x holds the new positions only.

    Shapes: x, y (B, S, D); mask broadcastable to (B, H, S, S). Source: Vaswani et al. 2017, section
    3.1, figure 1.
    """

    def __init__(self, config: TransformerConfig, rng: Rng):
        self.self_attention = attention_of(config, rng)
        self.feed_forward = feed_forward_of(config, rng)
        self.add_norm_1 = residual_of(self.self_attention, config, rng)
        self.add_norm_2 = residual_of(self.feed_forward, config, rng)

    def forward(
        self, x: Sequence, mask: "Mask | None" = None, cache: "Cache | None" = None
    ) -> Floats:
        x = self.add_norm_1(x, mask=mask, cache=cache)                   # (B, S, D)
        return self.add_norm_2(x)                                        # (B, S, D)

    def backward(self, d_y: Floats) -> Floats:
        return self.add_norm_1.backward(self.add_norm_2.backward(d_y))

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        config, source, _ = small_example(rng)
        return cls(config, rng), rng.standard_normal((3, 7, 20)), padding_mask(source)


class Encoder(Module):
    """A stack of N encoder layers, and a final LayerNorm if the configuration has one.

    Other layers can be passed as `layers`: a decoder-only model has its own, and a `Cache` for each
    when it decodes. Backward runs through the layers in reverse and returns d_x.

    Shapes: x, y (B, S, D); mask broadcastable to (B, H, S, S). Source: Vaswani et al. 2017, section
    3.1.
    """

    def __init__(self, config: StackConfig, rng: Rng, layers: list[Module] | None = None):
        self.layers = layers_of(config, rng) if layers is None else layers
        self.final_norm = LayerNorm(config.d_model) if config.final_norm else None

    def forward(
        self, x: Sequence, mask: "Mask | None" = None, caches: "list | None" = None
    ) -> Floats:
        for layer, cache in zip(self.layers, caches or [None] * len(self.layers), strict=True):
            x = layer(x, mask, cache)                                    # (B, S, D)
        return x if self.final_norm is None else self.final_norm(x)

    def backward(self, d_y: Floats) -> Floats:
        d_x = d_y if self.final_norm is None else self.final_norm.backward(d_y)
        for layer in reversed(self.layers):
            d_x = layer.backward(d_x)                                    # (B, S, D)
        return d_x

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        config, source, _ = small_example(rng)
        return cls(config, rng), rng.standard_normal((3, 7, 20)), padding_mask(source)


def layers_of(config, rng):
    return [EncoderLayer(config, rng) for _ in range(config.encoder_layers)]


def attention_of(config, rng, attention=None):
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


def small_example(rng, config=TransformerConfig, **choices):
    """(config, source ids (3, 7), target ids (3, 5)) of sizes that cannot be confused, with padded
    rows.

    The configuration is of the class `config`, with these choices beside those of the sizes that it
    has.
    """
    sizes = dict(
        source_vocabulary=17, target_vocabulary=19, d_model=20, heads=4, d_k=11, d_v=13, d_ff=23,
        encoder_layers=2, decoder_layers=2, max_length=16, dropout=0.0,
    )  # fmt: skip
    known = {field.name for field in dataclasses.fields(config)}
    config = config(**{name: size for name, size in sizes.items() if name in known}, **choices)
    source, target = rng.integers(4, 17, size=(3, 7)), rng.integers(4, 19, size=(3, 5))
    source[1, 4:] = source[2, 6:] = 0
    target[:, 0] = 1
    target[1, 3:] = 0
    return config, source, target
