"""The encoder."""

from typing import Annotated

from ..attention.masking import padding_mask
from ..boundary import Floats, Generator, Mask, Rng
from ..core.module import Module
from ..layers.cache import Cache
from ..layers.layer_norm import LayerNorm
from .config import StackConfig, TransformerConfig
from .example import small_example
from .sublayers import attention_of, feed_forward_of, residual_of

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
