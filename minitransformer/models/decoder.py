"""The decoder."""

from typing import Annotated, Any

from ..attention.masking import causal_mask, padding_mask
from ..boundary import Floats, Generator, Mask, Rng
from ..core.module import Module
from ..layers.cache import Cache
from ..layers.layer_norm import LayerNorm
from .config import TransformerConfig
from .encoder import Sequence
from .example import small_example
from .sublayers import attention_of, feed_forward_of, residual_of

Memory = Annotated[Floats, "B, S, D or M, D"]


class DecoderLayer(Module):
    """Causal self-attention, then attention to the encoder's output, then the feed-forward network.

        a = Residual(SelfAttention)(x)
        b = Residual(CrossAttention)(a, memory)
        y = Residual(FeedForward)(b)

    Backward undoes the three in reverse and returns (d_x, d_memory). When decoding, `cache` is a
    pair: one `Cache` for self-attention, to which x, the new positions only, is appended, and one
    for the memory, which is projected once.

    Shapes: x, y (B, T, D); memory (B, S, D); mask broadcastable to (B, H, T, T), memory_mask to
    (B, H, T, S). Source: Vaswani et al. 2017, section 3.1, figure 1.
    """

    def __init__(self, config: TransformerConfig, rng: Rng):
        self.self_attention = attention_of(config, rng)
        self.cross_attention = attention_of(config, rng)
        self.feed_forward = feed_forward_of(config, rng)
        self.add_norm_1 = residual_of(self.self_attention, config, rng)
        self.add_norm_2 = residual_of(self.cross_attention, config, rng)
        self.add_norm_3 = residual_of(self.feed_forward, config, rng)

    def forward(
        self, x: Sequence, memory: Memory, mask: "Mask | None" = None,
        memory_mask: "Mask | None" = None,
        cache: "tuple[Cache | None, Cache | None]" = (None, None),
    ) -> Floats:
        own, cross = cache
        x = self.add_norm_1(x, mask=mask, cache=own)                     # (B, T, D)
        x = self.add_norm_2(x, memory, mask=memory_mask, cache=cross)
        return self.add_norm_3(x)                                        # (B, T, D)

    def backward(self, d_y: Floats) -> tuple[Floats, Floats]:
        d_x = self.add_norm_3.backward(d_y)
        d_x, d_memory = self.add_norm_2.backward(d_x)
        return self.add_norm_1.backward(d_x), d_memory

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        config, source, target = small_example(rng)
        x, memory = rng.standard_normal((3, 5, 20)), rng.standard_normal((3, 7, 20))
        return (
            cls(config, rng), x, memory, causal_mask(5) & padding_mask(target),
            padding_mask(source),
        )


class Decoder(Module):
    """A stack of N decoder layers that all read the same memory, and a final LayerNorm if the
    configuration has one.

    Backward returns (d_x, d_memory); every layer used the memory, so d_memory is the sum over the
    layers.

    Shapes as in `DecoderLayer`. Source: Vaswani et al. 2017, section 3.1.
    """

    def __init__(self, config: TransformerConfig, rng: Rng):
        self.layers = [DecoderLayer(config, rng) for _ in range(config.decoder_layers)]
        self.final_norm = LayerNorm(config.d_model) if config.final_norm else None

    def forward(
        self, x: Sequence, memory: Memory, mask: "Mask | None" = None,
        memory_mask: "Mask | None" = None, caches: "list | None" = None,
    ) -> Floats:
        for layer, cache in zip(
            self.layers, caches or [(None, None)] * len(self.layers), strict=True
        ):
            x = layer(x, memory, mask, memory_mask, cache)               # (B, T, D)
        return x if self.final_norm is None else self.final_norm(x)

    def backward(self, d_y: Floats) -> tuple[Floats, Floats]:
        d_x = d_y if self.final_norm is None else self.final_norm.backward(d_y)
        d_memory: Any = 0  # an array from the first layer on
        for layer in reversed(self.layers):
            d_x, d_memory_of_layer = layer.backward(d_x)
            d_memory = d_memory + d_memory_of_layer                      # (B, S, D)
        return d_x, d_memory

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        config, _, _ = small_example(rng)
        _, *inputs = DecoderLayer.example(rng)
        return cls(config, rng), *inputs
