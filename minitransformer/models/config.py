"""The sizes and choices (hyperparameters) that define a model."""

import dataclasses
from typing import Annotated, Any, TypeVar

from ..attention.heads import head_width
from ..boundary import Count, Number, OneOf, Probability, expect
from ..core.options import option
from ..errors import InputError, unknown
from ..layers.feed_forward import Activation
from ..layers.residual import ORDERS

POSITIONS = ("sinusoidal", "learned")
Layers = Annotated[
    int, Number("a whole number of at least 1 and at most 1,000", whole=True, least=1, below=1001)
]
LayersOrNone = Annotated[
    int, Number("a whole number of at least 0 and at most 1,000", whole=True, least=0, below=1001)
]
Norm = Annotated[str, OneOf("norm", ORDERS)]
Positions = Annotated[str, OneOf("positions", POSITIONS)]

Self = TypeVar("Self", bound="SequenceConfig")


@dataclasses.dataclass(frozen=True)
class SequenceConfig:
    """The configuration of every sequence model; each kind of model adds its own sizes and choices.

    All values are checked at construction (InputError names the value and what would fit). A field
    whose default is None is filled in: `target_vocabulary` with the source's.
    """

    source_vocabulary: Count = 37000
    target_vocabulary: Count = option(None, "tokens of the targets; else those of the sources")
    d_model: Count = option(512, "width D of every layer's input and output")
    dropout: Probability = option(
        0.1, "dropout on embeddings and sublayer outputs, as in the paper"
    )

    def __post_init__(self):
        for field in dataclasses.fields(self):
            if (value := getattr(self, field.name)) is not None or field.default is not None:
                self._fill(field.name, expect(value, field.type, field.name))
        if self.target_vocabulary is None:
            self._fill("target_vocabulary", self.source_vocabulary)

    def _fill(self, name, value):
        object.__setattr__(self, name, value)  # the class is frozen


    @classmethod
    def preset(cls: type[Self], name: str, **changes: Any) -> Self:
        """The configuration of a preset, with some fields changed:
        `TransformerConfig.preset("toy", norm="pre")`."""
        if not isinstance(name, str) or name not in PRESETS:
            raise unknown("preset", name, PRESETS)
        known = [f.name for f in dataclasses.fields(cls)]
        for name_of_change in changes:
            if name_of_change not in known:
                raise unknown("option", name_of_change, known)
        return cls(
            **{
                **{field: value for field, value in PRESETS[name].items() if field in known},
                **changes,
            }
        )

    @property
    def letters(self) -> dict[str, int]:
        """{letter: size} of the axes of a component with this configuration: see boundary.py."""
        return {"D": self.d_model}

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class InputConfig(SequenceConfig):
    """The configuration of a model whose input has a positional encoding."""

    max_length: Count = option(512, "the longest sequence")
    positions: Positions = option("sinusoidal", "sinusoidal (the paper's) or learned")


@dataclasses.dataclass(frozen=True)
class StackConfig(InputConfig):
    """A stack of layers after a positional encoding; each layer is a sublayer and a feed-forward
    network, both in Add & Norm.

    Left at None, `final_norm` is True for pre-norm, because the sum of its residuals is not
    normalised, and False for post-norm.
    """

    d_ff: Count = option(2048, "width F inside the feed-forward network")
    decoder_layers: Layers = option(6, "layers of the decoder, or of a model with one stack")
    activation_dropout: Probability = option(
        0.0, "dropout inside the feed-forward network, as in nn.Transformer"
    )
    norm: Norm = option("post", "post (the paper's) or pre")
    final_norm: bool = option(
        None, "a LayerNorm after each stack; else only with --norm pre"
    )
    activation: Activation = option("relu", "relu (the paper's), gelu or gelu_tanh")
    tie_embeddings: bool = option(
        False, "one table for both embeddings and the output, as in the paper"
    )

    def __post_init__(self):
        super().__post_init__()
        if self.final_norm is None:
            self._fill("final_norm", self.norm == "pre")
        if self.tie_embeddings and self.source_vocabulary != self.target_vocabulary:
            raise InputError(
                f"Tied embeddings need one vocabulary for both sides, got {self.source_vocabulary} "
                f"and {self.target_vocabulary} tokens. Use a joint vocabulary, or "
                "tie_embeddings=False."
            )


@dataclasses.dataclass(frozen=True)
class TransformerConfig(StackConfig):
    """Sizes and choices of a Transformer.

    The defaults are the paper's base model: post-norm, no final norm, ReLU, sinusoidal positions,
    no bias in the attention projections, dropout on embeddings and sublayer outputs only. One thing
    differs: the paper has one table for both embeddings and the output, which needs a joint
    vocabulary; `tie_embeddings` does that, and so do the presets "base" and "big". To equal
    `nn.Transformer` instead: `bias` and `final_norm` True, `attention_dropout` and
    `activation_dropout` the same as `dropout`.

    Left at None, `d_k` becomes d_model / heads and `d_v` becomes d_k. They are filled in when the
    configuration is made, as is `final_norm`, so change one by `preset(name, **changes)`, not by
    `dataclasses.replace`.
    """

    heads: Count = option(8, "attention heads H")
    encoder_layers: LayersOrNone = option(6, "layers of the encoder")
    d_k: Count = option(
        None, "width of a query and a key in each head; else d_model / heads"
    )
    d_v: Count = option(None, "width of a value in each head; else d_k")
    attention_dropout: Probability = option(
        0.0, "dropout on attention weights, as in nn.Transformer"
    )
    bias: bool = option(False, "biases in the attention projections, as in nn.Transformer")

    def __post_init__(self):
        super().__post_init__()
        if self.d_k is None:
            self._fill("d_k", head_width(self.d_model, self.heads))
        if self.d_v is None:
            self._fill("d_v", self.d_k)


def _sizes(d_model, heads, d_ff, layers, vocabulary, dropout):
    return {
        "d_model": d_model,
        "heads": heads,
        "d_ff": d_ff,
        "encoder_layers": layers,
        "decoder_layers": layers,
        "source_vocabulary": vocabulary,
        "dropout": dropout,
    }


PRESETS = {
    "toy": _sizes(64, 4, 256, 2, vocabulary=20, dropout=0.0),
    "tiny": _sizes(128, 4, 256, 4, vocabulary=1000, dropout=0.1),
    # as nanoGPT's README has it for a small computer
    "nano": _sizes(128, 4, 512, 4, vocabulary=1000, dropout=0.0),
    "small": _sizes(256, 8, 1024, 3, vocabulary=1000, dropout=0.1),
    # Vaswani et al., table 3
    "base": {**_sizes(512, 8, 2048, 6, vocabulary=37000, dropout=0.1), "tie_embeddings": True},
    # likewise
    "big": {**_sizes(1024, 16, 4096, 6, vocabulary=37000, dropout=0.3), "tie_embeddings": True},
}
