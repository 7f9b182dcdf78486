"""Stacks and whole models."""

from .config import PRESETS, TransformerConfig
from .decoder import Decoder, DecoderLayer
from .encoder import Encoder, EncoderLayer
from .input_embedding import InputEmbedding
from .language_model import LanguageModel
from .transformer import Transformer

MODELS = {"transformer": Transformer, "language-model": LanguageModel}

__all__ = [
    "MODELS",
    "PRESETS",
    "Decoder",
    "DecoderLayer",
    "Encoder",
    "EncoderLayer",
    "InputEmbedding",
    "LanguageModel",
    "Transformer",
    "TransformerConfig",
]
