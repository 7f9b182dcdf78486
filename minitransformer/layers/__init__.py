"""The components that are not attention."""

from .activations import GELU, ReLU, Sigmoid, Tanh, TanhGELU
from .cross_entropy import CrossEntropy
from .dropout import Dropout
from .embedding import Embedding, Unembedding
from .feed_forward import FeedForward
from .layer_norm import LayerNorm
from .linear import Linear
from .positional_encoding import LearnedPositionalEncoding, SinusoidalPositionalEncoding
from .residual import Residual
from .softmax import Softmax

__all__ = [
    "GELU",
    "CrossEntropy",
    "Dropout",
    "Embedding",
    "FeedForward",
    "LayerNorm",
    "LearnedPositionalEncoding",
    "Linear",
    "ReLU",
    "Residual",
    "Sigmoid",
    "SinusoidalPositionalEncoding",
    "Softmax",
    "Tanh",
    "TanhGELU",
    "Unembedding",
]
