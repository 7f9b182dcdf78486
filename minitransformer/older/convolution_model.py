"""A decoder-only model with convolutions: no recurrence and no attention."""

import dataclasses

from ..boundary import AtLeast2, Count, Generator, Mask, Rng
from ..core.module import Module
from ..core.options import option
from ..models.config import StackConfig
from ..models.encoder import EncoderLayer
from ..models.example import small_example
from ..models.language_model import LanguageModel
from ..models.sublayers import feed_forward_of, residual_of
from .convolution import CausalConvolution


@dataclasses.dataclass(frozen=True)
class ConvolutionConfig(StackConfig):
    """Sizes and choices of a `ConvolutionModel`; `kernel_width` is k in the paper's Table 1."""

    kernel_width: AtLeast2 = option(
        3, "how many positions k a convolution joins; N layers see k to the power of N"
    )


class ConvolutionLayer(EncoderLayer):
    """An `EncoderLayer` with a causal dilated convolution instead of self-attention.

        a = Residual(CausalConvolution)(x)      y = Residual(FeedForward)(a)

    Backward undoes the two in reverse and returns d_x.

    Shapes: x, y (B, n, D); mask (B, n), True = real. Source: Kalchbrenner et al. 2016, section 3.
    """

    def __init__(self, config: ConvolutionConfig, rng: Rng, dilation: Count = 1):
        self.convolution = CausalConvolution(
            config.d_model, config.d_model, config.kernel_width, rng, dilation
        )
        self.feed_forward = feed_forward_of(config, rng)
        self.add_norm_1 = residual_of(self.convolution, config, rng)
        self.add_norm_2 = residual_of(self.feed_forward, config, rng)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        config, source, _ = small_example(rng, ConvolutionConfig, kernel_width=3)
        return cls(config, rng, dilation=2), rng.standard_normal((3, 7, 20)), source != 0


class ConvolutionModel(LanguageModel):
    """A `LanguageModel` of convolutions: source, BOS and target in one sequence.

        logits = Layers(embed([source, target_in])) W_out, at the positions of target_in

    Layer i has dilation kⁱ, so that after N layers a position has seen kᴺ positions: the path
    between two positions that lie n apart has O(log_k n) steps. Positions farther back than kᴺ − 1
    are invisible. Backward returns None, because ids have no gradient.

    Shapes: source (B, S) ids, target_in (B, T) ids, logits (B, T, V). Sources: Kalchbrenner et al.
    2016; Vaswani et al. 2017, section 4.
    """

    def __init__(self, config: ConvolutionConfig, rng: Rng):
        super().__init__(config, rng)

    def make_layers(self, config: ConvolutionConfig, rng: Rng) -> list[Module]:
        return [
            ConvolutionLayer(config, rng, config.kernel_width**i)
            for i in range(config.decoder_layers)
        ]

    def mask(self, real: Mask, count: int) -> Mask:
        """The mask for the layers: which of the last `count` positions are real, (B, count)."""
        return real[:, -count:]

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        config, source, target = small_example(rng, ConvolutionConfig, kernel_width=3)
        return cls(config, rng), source, target
