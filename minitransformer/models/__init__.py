"""Stacks and whole models."""

from .config import PRESETS, TransformerConfig
from .decoder import Decoder, DecoderLayer
from .encoder import Encoder, EncoderLayer
from .input_embedding import InputEmbedding
from .language_model import LanguageModel
from .sequence_model import SequenceModel
from .transformer import Transformer

__all__ = [
    "PRESETS",
    "Decoder",
    "DecoderLayer",
    "Encoder",
    "EncoderLayer",
    "InputEmbedding",
    "LanguageModel",
    "SequenceModel",
    "Transformer",
    "TransformerConfig",
]
