"""The naive approach: the whole source in one vector, from which the target is predicted."""

import dataclasses
from typing import Annotated

from ..backend import array_module
from ..boundary import Count, Floats, Generator, Ids, Natural, Rng, StateOf
from ..boundary.calls import asked
from ..core.module import Module, no_grad
from ..core.options import option
from ..layers.embedding import Embedding
from ..layers.feed_forward import Activation, FeedForward
from ..layers.linear import Linear
from ..models.config import InputConfig
from ..models.example import small_example
from ..models.input_embedding import InputEmbedding, Next, Source, Target
from .pooling import MeanOverPositions

State = StateOf(Annotated[Floats, "B, D"], Natural)


@dataclasses.dataclass(frozen=True)
class OneVectorConfig(InputConfig):
    """Sizes and choices of a `OneVectorMLP`."""

    d_ff: Count = option(2048, "width F inside the feed-forward network")
    activation: Activation = option("relu", "relu (the paper's), gelu or gelu_tanh")


class OneVectorMLP(Module):
    """Feed-forward networks alone, with one vector between source and target.

        c = mean_s f(x_s)                          x = embed(source), positions included
        logits_t = g(z_t + c) W_out                z = embed(target_in), positions included

    f maps each token at its position to a vector, and c is their mean: the target gets nothing else
    from the source. (Without f, c would be a bag of words: the mean of sums of token and position
    does not say which token is where.) g sees c, the previous token, and the position; no position
    sees another, so only padding has to be masked. Backward: c was added to every target position,
    so d_c is the sum over them. It returns None, because ids have no gradient.

    Shapes: source (B, S) ids, target_in (B, T) ids, c (B, D), logits (B, T, V). Source: Zaheer et
    al. 2017, theorem 2, for f and the mean.
    """

    def __init__(self, config: OneVectorConfig, rng: Rng):
        self.config = config
        width = config.d_model
        self.source_input = InputEmbedding(
            Embedding(config.source_vocabulary, width, rng), config, rng
        )
        self.target_input = InputEmbedding(
            Embedding(config.target_vocabulary, width, rng), config, rng
        )
        self.squash = FeedForward(width, config.d_ff, rng, config.activation)
        self.mean = MeanOverPositions()
        self.generate = FeedForward(width, config.d_ff, rng, config.activation)
        self.output = Linear(width, config.target_vocabulary, rng, bias=False)

    def forward(self, source: Source, target_in: Target) -> Floats:
        source = self.source_input.embedding.on_same_device(source)
        vector = self.encode(source)                                     # (B, D)
        return self.decode(target_in, vector)                            # (B, T, V)

    def backward(self, d_logits: Floats) -> None:
        d_z = self.generate.backward(self.output.backward(d_logits))     # (B, T, D)
        self.target_input.backward(d_z)
        d_vector = d_z.sum(axis=1)                                       # (B, D)
        self.source_input.backward(self.squash.backward(self.mean.backward(d_vector)))

    def encode(self, source: Ids) -> Floats:
        """The one vector (B, D)."""
        return self.mean(self.squash(self.source_input(source)), source != 0)

    def decode(self, target_in: Ids, vector: Floats, positions: Ids | None = None) -> Floats:
        """Logits (B, T, V) for the token after each target position."""
        z = self.target_input(target_in, positions)                      # (B, T, D)
        return self.output(self.generate(z + vector[:, None]))

    @asked
    @no_grad()
    def start(self, source: Source) -> tuple:
        """The state before the first token: the vector, and how many tokens have been read."""
        source = self.source_input.embedding.on_same_device(source)
        return self.encode(source), 0

    @asked
    @no_grad()
    def step(self, ids: Next, state: Annotated[tuple, State]) -> tuple[Floats, tuple]:
        """Read ids (B,); return the logits (B, V) of what comes next, and the new state."""
        vector, read = state
        ids = self.target_input.embedding.on_same_device(ids)
        positions = array_module(ids).full((len(ids), 1), read)
        return self.decode(ids[:, None], vector, positions)[:, 0], (vector, read + 1)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        _, source, target = small_example(rng)
        config = OneVectorConfig(
            source_vocabulary=17, target_vocabulary=19, d_model=10, d_ff=23, max_length=8,
            dropout=0.0,
        )
        return cls(config, rng), source, target
