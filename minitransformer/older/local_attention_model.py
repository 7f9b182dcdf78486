"""A decoder-only Transformer in which each layer attends to the last few positions only."""

import dataclasses

from ..boundary import AtLeast2, Generator, Mask, Rng
from ..core.module import Module
from ..core.options import option
from ..models.config import TransformerConfig
from ..models.encoder import EncoderLayer
from ..models.example import small_example
from ..models.language_model import LanguageModel
from ..models.sublayers import attention_of, feed_forward_of, residual_of
from .local import LocalAttention


@dataclasses.dataclass(frozen=True)
class LocalAttentionConfig(TransformerConfig):
    """Sizes and choices of a `LocalAttentionModel`; `window` is r in the paper's Table 1."""

    window: AtLeast2 = option(
        16,
        "how many positions r local attention sees, itself included; N layers see N (r - 1) back",
    )


class LocalAttentionLayer(EncoderLayer):
    """An `EncoderLayer` whose self-attention is restricted to the last r positions.

        a = Residual(local self-attention)(x)      y = Residual(FeedForward)(a)

    Backward undoes the two in reverse and returns d_x.

    Shapes: x, y (B, n, D); mask (B, n), True = real. Source: Vaswani et al. 2017, section 4.
    """

    def __init__(self, config: LocalAttentionConfig, rng: Rng):
        local = LocalAttention(config.window, rng, config.attention_dropout)
        self.self_attention = attention_of(config, rng, local)
        self.feed_forward = feed_forward_of(config, rng)
        self.add_norm_1 = residual_of(self.self_attention, config, rng)
        self.add_norm_2 = residual_of(self.feed_forward, config, rng)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        config, source, _ = small_example(rng, LocalAttentionConfig, window=4)
        return cls(config, rng), rng.standard_normal((3, 7, 20)), source != 0


class LocalAttentionModel(LanguageModel):
    """A `LanguageModel` with local attention: source, BOS and target in one sequence.

        logits = Layers(embed([source, target_in])) W_out, at the positions of target_in

    Each layer looks r − 1 positions back, N layers together N·(r − 1): the path between two
    positions that lie n apart has O(n/r) steps, and positions farther back are invisible. Backward
    returns None, because ids have no gradient.

    Shapes: source (B, S) ids, target_in (B, T) ids, logits (B, T, V). Source: Vaswani et al. 2017,
    section 4.
    """

    def make_layers(self, config: LocalAttentionConfig, rng: Rng) -> list[Module]:
        return [LocalAttentionLayer(config, rng) for _ in range(config.decoder_layers)]

    def mask(self, real: Mask, count: int) -> Mask:
        """The mask for the layers: which of all n positions are real, (B, n)."""
        return real

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        config, source, target = small_example(rng, LocalAttentionConfig, window=4)
        return cls(config, rng), source, target
