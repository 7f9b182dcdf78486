"""The sizes and choices that make a model."""

import dataclasses

from ..attention.heads import head_width
from ..errors import InputError, unknown
from ..layers.feed_forward import ACTIVATIONS
from ..layers.residual import ORDERS
from ..options import option

POSITIONS = ("sinusoidal", "learned")
MOST_LAYERS = 1000


@dataclasses.dataclass(frozen=True)
class SequenceConfig:
    """What every sequence model is made from; each kind of model adds its own sizes and choices.

    All are checked when made (InputError names the value and what would fit). Left at None, `target_vocabulary` is the
    source's.
    """

    source_vocabulary: int = 37000
    target_vocabulary: int | None = None
    d_model: int = option(512, "width D of every layer's input and output")
    dropout: float = option(0.1, "dropout on embeddings and sublayer outputs, as in the paper")

    def __post_init__(self):
        if self.target_vocabulary is None:
            self._fill("target_vocabulary", self.source_vocabulary)
        self._expect_counts("source_vocabulary", "target_vocabulary", "d_model")
        self._expect_shares("dropout")

    def _fill(self, name, value):
        object.__setattr__(self, name, value)  # the class is frozen

    def _expect_counts(self, *names, least=1):
        for name in names:
            value = getattr(self, name)
            if name.endswith("_layers") and isinstance(value, int) and value > MOST_LAYERS:
                raise InputError(f"{name} must be at most {MOST_LAYERS:,}, got {value:,}.")
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise InputError(f"{name} must be a whole number of at least {least}, got {value!r}.")

    def _expect_shares(self, *names):
        for name in names:
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} is a probability from 0 up to, not including, 1; got {getattr(self, name)}.")

    def _expect_one_of(self, name, known):
        if getattr(self, name) not in known:
            raise unknown(name, getattr(self, name), known)

    @classmethod
    def preset(cls, name, **changes):
        """The configuration of a preset, with some fields changed: `TransformerConfig.preset("toy", norm="pre")`."""
        if name not in PRESETS:
            raise unknown("preset", name, PRESETS)
        known = [f.name for f in dataclasses.fields(cls)]
        for name_of_change in changes:
            if name_of_change not in known:
                raise unknown("option", name_of_change, known)
        return cls(**{**{field: value for field, value in PRESETS[name].items() if field in known}, **changes})

    def to_dict(self):
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class StackConfig(SequenceConfig):
    """A stack of layers with positions at its entry, each layer a sublayer and a feed-forward network in Add & Norm.

    Left at None, `final_norm` is True for pre-norm, whose residual stream no norm has touched, and False for post-norm.
    """

    d_ff: int = option(2048, "width F inside the feed-forward network")
    decoder_layers: int = option(6, "layers of the decoder, or of a model with one stack")
    max_length: int = option(512, "the longest sequence")
    activation_dropout: float = option(0.0, "dropout inside the feed-forward network, as in nn.Transformer")
    norm: str = option("post", "post (the paper's) or pre")
    final_norm: bool | None = option(None, "a LayerNorm after each stack; else only with --norm pre")
    activation: str = option("relu", "relu (the paper's), gelu or gelu_tanh")
    positions: str = option("sinusoidal", "sinusoidal (the paper's) or learned")
    tie_embeddings: bool = option(False, "one table for both embeddings and the output, as in the paper")

    def __post_init__(self):
        super().__post_init__()
        self._expect_counts("d_ff", "decoder_layers", "max_length")
        self._expect_shares("activation_dropout")
        for name, known in (("norm", ORDERS), ("activation", ACTIVATIONS), ("positions", POSITIONS)):
            self._expect_one_of(name, known)
        if self.final_norm is None:
            self._fill("final_norm", self.norm == "pre")
        if self.tie_embeddings and self.source_vocabulary != self.target_vocabulary:
            raise InputError(
                f"Tied embeddings need one vocabulary for both sides, got {self.source_vocabulary} and "
                f"{self.target_vocabulary} tokens. Use a joint vocabulary, or tie_embeddings=False."
            )


@dataclasses.dataclass(frozen=True)
class TransformerConfig(StackConfig):
    """Sizes and choices of a Transformer.

    The defaults are the paper's base model: post-norm, no final norm, ReLU, sinusoidal positions, no bias in the
    attention projections, dropout on embeddings and sublayer outputs only. One thing differs: the paper has one table for
    both embeddings and the output, which needs a joint vocabulary; `tie_embeddings` does that, and so do the presets
    "base" and "big". To equal `nn.Transformer` instead: `bias` and `final_norm` True, `attention_dropout` and
    `activation_dropout` the same as `dropout`.

    Left at None, `d_k` becomes d_model / heads and `d_v` becomes d_k. They are filled in when the configuration is
    made, as is `final_norm`, so change one by `preset(name, **changes)`, not by `dataclasses.replace`.
    """

    heads: int = option(8, "attention heads H")
    encoder_layers: int = option(6, "layers of the encoder")
    d_k: int | None = option(None, "width of a query and a key in each head; else d_model / heads")
    d_v: int | None = option(None, "width of a value in each head; else d_k")
    attention_dropout: float = option(0.0, "dropout on attention weights, as in nn.Transformer")
    bias: bool = option(False, "biases in the attention projections, as in nn.Transformer")

    def __post_init__(self):
        super().__post_init__()
        self._expect_counts("heads")
        self._expect_counts("encoder_layers", least=0)
        if self.d_k is None:
            self._fill("d_k", head_width(self.d_model, self.heads))
        if self.d_v is None:
            self._fill("d_v", self.d_k)
        self._expect_counts("d_k", "d_v")
        self._expect_shares("attention_dropout")


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
    "small": _sizes(256, 8, 1024, 3, vocabulary=1000, dropout=0.1),
    "base": {**_sizes(512, 8, 2048, 6, vocabulary=37000, dropout=0.1), "tie_embeddings": True},  # Vaswani et al., table 3
    "big": {**_sizes(1024, 16, 4096, 6, vocabulary=37000, dropout=0.3), "tie_embeddings": True},  # likewise
}
