"""The components that are not attention."""

from .activations import GELU, ReLU, TanhGELU
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
    "Dropout",
    "Embedding",
    "FeedForward",
    "LayerNorm",
    "LearnedPositionalEncoding",
    "Linear",
    "ReLU",
    "Residual",
    "SinusoidalPositionalEncoding",
    "Softmax",
    "TanhGELU",
    "Unembedding",
]
