"""What the Transformer replaced: recurrence, its attentions, convolution, one vector."""

from .additive import AdditiveAttention
from .cells import CELLS, GRUCell, RNNCell
from .convolution import CausalConvolution
from .convolution_model import ConvolutionConfig, ConvolutionLayer, ConvolutionModel
from .expectation import Expectation
from .local import LocalAttention
from .local_attention_model import LocalAttentionConfig, LocalAttentionLayer, LocalAttentionModel
from .multiplicative import MultiplicativeAttention
from .one_vector import OneVectorConfig, OneVectorMLP
from .pooling import MeanOverPositions
from .recurrence import Bidirectional, Recurrence
from .rnn_seq2seq import RNNConfig, RNNSeq2Seq
from .sliding_window import SlidingWindow

__all__ = [
    "CELLS",
    "AdditiveAttention",
    "Bidirectional",
    "CausalConvolution",
    "ConvolutionConfig",
    "ConvolutionLayer",
    "ConvolutionModel",
    "Expectation",
    "GRUCell",
    "LocalAttention",
    "LocalAttentionConfig",
    "LocalAttentionLayer",
    "LocalAttentionModel",
    "MeanOverPositions",
    "MultiplicativeAttention",
    "OneVectorConfig",
    "OneVectorMLP",
    "RNNCell",
    "RNNConfig",
    "RNNSeq2Seq",
    "Recurrence",
    "SlidingWindow",
]
