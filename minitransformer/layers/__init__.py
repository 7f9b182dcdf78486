"""The components that are not attention."""

from .activations import GELU, ReLU, Sigmoid, Tanh, TanhGELU
from .convolution import CausalConvolution
from .cross_entropy import CrossEntropy
from .dropout import Dropout
from .embedding import Embedding, Unembedding
from .feed_forward import FeedForward
from .layer_norm import LayerNorm
from .linear import Linear
from .pooling import MeanOverPositions
from .positional_encoding import LearnedPositionalEncoding, SinusoidalPositionalEncoding
from .residual import Residual
from .sliding_window import SlidingWindow
from .softmax import Softmax

__all__ = [
    "GELU",
    "CausalConvolution",
    "CrossEntropy",
    "Dropout",
    "Embedding",
    "FeedForward",
    "LayerNorm",
    "LearnedPositionalEncoding",
    "Linear",
    "MeanOverPositions",
    "ReLU",
    "Residual",
    "Sigmoid",
    "SinusoidalPositionalEncoding",
    "SlidingWindow",
    "Softmax",
    "Tanh",
    "TanhGELU",
    "Unembedding",
]
