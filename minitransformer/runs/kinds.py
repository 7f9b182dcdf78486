"""The models by the names that the commands know."""

import dataclasses
from typing import Annotated, NamedTuple

from ..boundary import OneOf, checked, named
from ..core.options import Options, expect_options
from ..models.config import SequenceConfig, TransformerConfig
from ..models.language_model import LanguageModel
from ..models.transformer import Transformer
from ..older.convolution_model import ConvolutionConfig, ConvolutionModel
from ..older.local_attention_model import LocalAttentionConfig, LocalAttentionModel
from ..older.one_vector import OneVectorConfig, OneVectorMLP
from ..older.rnn_seq2seq import RNNConfig, RNNSeq2Seq

# what the task decides, not the user
FROM_DATA = ("source_vocabulary", "target_vocabulary", "max_length")


class Kind(NamedTuple):
    """A model's class and the class of its configuration, and fields of it that its name decides or
    that it ignores."""

    model: type
    config: type[SequenceConfig]
    fixed: dict = {}
    unused: tuple = ()

    def fields(self) -> list[str]:
        """The names of all fields that this model uses."""
        return [
            f.name
            for f in dataclasses.fields(self.config)
            if f.name not in (*self.fixed, *self.unused)
        ]

    def options(self) -> list[str]:
        """The names of the fields that a user may choose."""
        return [name for name in self.fields() if name not in FROM_DATA]


MODELS = {
    "transformer": Kind(Transformer, TransformerConfig),
    "language-model": Kind(LanguageModel, TransformerConfig, unused=("encoder_layers",)),
    "rnn": Kind(RNNSeq2Seq, RNNConfig, {"attention": "none"}),
    "rnn-additive": Kind(RNNSeq2Seq, RNNConfig, {"attention": "additive"}),
    "rnn-multiplicative": Kind(RNNSeq2Seq, RNNConfig, {"attention": "multiplicative"}),
    "one-vector": Kind(OneVectorMLP, OneVectorConfig),
    "conv": Kind(ConvolutionModel, ConvolutionConfig),
    "local-attention": Kind(LocalAttentionModel, LocalAttentionConfig, unused=("encoder_layers",)),
}


@checked
def find_model(name: Annotated[str, OneOf("model", MODELS)]) -> Kind:
    """The `Kind` of that name. Raises InputError with the nearest name if there is none."""
    return MODELS[name]


def configure(name: str, preset: str, options: Options = (), **from_data: int) -> SequenceConfig:
    """The configuration of the model of that name: a preset's, with these options, for this data.

    Raises InputError for an option that the model does not have; what the data says and the model
    ignores is left out.
    """
    kind, options = find_model(name), named("options", options)
    expect_options(f"The model {name}", options, kind.options())
    known = {field: value for field, value in from_data.items() if field in kind.fields()}
    return kind.config.preset(preset, **known, **options, **kind.fixed)
