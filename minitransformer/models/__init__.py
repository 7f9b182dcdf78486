"""Stacks and whole models."""

from .config import PRESETS, TransformerConfig
from .convolution_model import ConvolutionConfig, ConvolutionLayer, ConvolutionModel
from .decoder import Decoder, DecoderLayer
from .encoder import Encoder, EncoderLayer
from .input_embedding import InputEmbedding
from .kinds import MODELS, configure, find_model
from .language_model import LanguageModel
from .local_attention_model import LocalAttentionConfig, LocalAttentionLayer, LocalAttentionModel
from .one_vector import OneVectorConfig, OneVectorMLP
from .rnn_seq2seq import RNNConfig, RNNSeq2Seq
from .sequence_model import SequenceModel
from .transformer import Transformer

__all__ = [
    "MODELS",
    "PRESETS",
    "ConvolutionConfig",
    "ConvolutionLayer",
    "ConvolutionModel",
    "Decoder",
    "DecoderLayer",
    "Encoder",
    "EncoderLayer",
    "InputEmbedding",
    "LanguageModel",
    "LocalAttentionConfig",
    "LocalAttentionLayer",
    "LocalAttentionModel",
    "OneVectorConfig",
    "OneVectorMLP",
    "RNNConfig",
    "RNNSeq2Seq",
    "SequenceModel",
    "Transformer",
    "TransformerConfig",
    "configure",
    "find_model",
]
