"""The input of a stack: token embeddings, positional encoding, dropout."""

from typing import Annotated

from ..boundary import Floats, Generator, Ids, Rng
from ..core.module import Module
from ..layers.dropout import Dropout
from ..layers.embedding import Embedding
from ..layers.positional_encoding import LearnedPositionalEncoding, SinusoidalPositionalEncoding
from .config import InputConfig

Source = Annotated[Ids, "B, S"]
Target = Annotated[Ids, "B, T"]
Next = Annotated[Ids, "B"]


class InputEmbedding(Module):
    """The sum of token embedding and positional encoding, with dropout.

        y = Dropout(√D · W[ids] + PE)

    Backward goes back through the three; it returns None, because ids have no gradient. The
    `Embedding` is an argument, so that source and target can have the same one.

    Shapes: ids (B, T), positions (B, T) or None, y (B, T, D). Source: Vaswani et al. 2017, sections
    3.4, 3.5, 5.4.
    """

    def __init__(self, embedding: Embedding, config: InputConfig, rng: Rng):
        features = embedding.weight.shape[1]
        self.embedding = embedding
        if config.positions == "learned":
            self.position: Module = LearnedPositionalEncoding(features, rng, config.max_length)
        else:
            self.position = SinusoidalPositionalEncoding(features, config.max_length)
        self.dropout = Dropout(config.dropout, rng)

    def forward(self, ids: Target, positions: Target | None = None) -> Floats:
        return self.dropout(self.position(self.embedding(ids), positions))  # (B, T, D)

    def backward(self, d_y: Floats) -> None:
        self.embedding.backward(self.position.backward(self.dropout.backward(d_y)))

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        from .config import TransformerConfig

        embedding, ids = Embedding.example(rng)
        config = TransformerConfig(
            source_vocabulary=17, d_model=11, heads=1, max_length=7, positions="learned"
        )
        return cls(embedding, config, rng), ids
