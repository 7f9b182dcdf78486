"""The Transformer of the paper: encoder and decoder."""

from typing import Annotated

from ..attention.masking import causal_mask, padding_mask, unless_all
from ..backend import array_module
from ..boundary import Floats, Generator, Ids, Mask, Rng, StateOf
from ..boundary.calls import asked
from ..core.module import Module, no_grad
from ..layers.cache import Cache, copied
from ..layers.embedding import Embedding, Unembedding
from ..layers.linear import Linear
from .config import TransformerConfig
from .decoder import Decoder
from .encoder import Encoder
from .example import small_example
from .input_embedding import InputEmbedding, Next, Source, Target

State = StateOf(
    Annotated[Floats, "B, S, D"], Annotated[Mask, "B, 1, 1, S"] | None, Annotated[Mask, "B, T"],
    list,
)


class Transformer(Module):
    """From a source sequence and the target so far to scores (logits) for the next token.

        memory = Encoder(embed(source))      logits = Decoder(embed(target_in), memory) W_out

    Backward takes d_logits back through the decoder, whose d_memory then goes back through the
    encoder; it returns None, because ids have no gradient. The masks come from the ids: padding (id
    0) is invisible, and a target position sees itself and what came before. Positions are counted
    from the first column, so padding must come after the tokens; the searches of `decoding` move it
    there.

    `tie_embeddings` lets both embeddings and W_out share one (V, D) table, whose gradient is the
    sum of its three uses. `rng` is a numpy Generator or a seed: it draws the initial weights, and
    later the dropout masks.

    Shapes: source (B, S) ids, target_in (B, T) ids, logits (B, T, V). Source: Vaswani et al. 2017,
    figure 1.
    """

    def __init__(self, config: TransformerConfig, rng: Rng):
        self.config = config
        source = Embedding(config.source_vocabulary, config.d_model, rng)
        target = (
            source
            if config.tie_embeddings
            else Embedding(config.target_vocabulary, config.d_model, rng)
        )
        self.source_input = InputEmbedding(source, config, rng)
        self.target_input = InputEmbedding(target, config, rng)
        self.encoder = Encoder(config, rng)
        self.decoder = Decoder(config, rng)
        if config.tie_embeddings:
            self.output: Linear | Unembedding = Unembedding(target.weight)
        else:
            self.output = Linear(config.d_model, config.target_vocabulary, rng, bias=False)

    def forward(self, source: Source, target_in: Target) -> Floats:
        source = self.source_input.embedding.on_same_device(source)
        target_in = self.target_input.embedding.on_same_device(target_in)
        memory, memory_mask = self.encode(source)                        # (B, S, D), (B, 1, 1, S)
        return self.decode(target_in, memory, memory_mask)               # (B, T, V)

    def backward(self, d_logits: Floats) -> None:
        d_x, d_memory = self.decoder.backward(self.output.backward(d_logits))
        self.target_input.backward(d_x)
        self.source_input.backward(self.encoder.backward(d_memory))

    def encode(self, source: Ids) -> tuple[Floats, Mask]:
        """(memory (B, S, D), its padding mask (B, 1, 1, S))."""
        mask = padding_mask(source)
        return self.encoder(self.source_input(source), mask), mask

    def decode(self, target_in: Ids, memory: Floats, memory_mask: Mask | None) -> Floats:
        """Logits (B, T, V) for the token after each target position."""
        mask = causal_mask(target_in.shape[1], like=target_in) & padding_mask(target_in)
        x = self.target_input(target_in)                                 # (B, T, D)
        return self.output(self.decoder(x, memory, mask, memory_mask))   # (B, T, V)

    @asked
    @no_grad()
    def start(self, source: Source) -> tuple:
        """The state before the first token: the memory, its mask, which target tokens are real
        (none yet), caches."""
        source = self.source_input.embedding.on_same_device(source)
        memory, memory_mask = self.encode(source)
        return (
            memory, unless_all(memory_mask), source[:, :0] != 0,
            [[Cache(), Cache()] for _ in self.decoder.layers],
        )

    @asked
    @no_grad()
    def step(self, ids: Next, state: Annotated[tuple, State]) -> tuple[Floats, tuple]:
        """Append ids (B,) to the target; return the logits (B, V) of what comes next, and the new
        state.

        Only the new token passes through the decoder; of those before it, the caches hold the keys
        and values.
        """
        memory, memory_mask, before, caches = state
        ids, xp = self.target_input.embedding.on_same_device(ids), array_module(before)
        real = xp.concatenate([before, ids[:, None] != 0], axis=1)       # (B, t + 1)
        position = xp.full((len(ids), 1), before.shape[1])
        caches = copied(caches)
        x = self.target_input(ids[:, None], position)                    # (B, 1, D)
        x = self.decoder(x, memory, unless_all(real[:, None, None]), memory_mask, caches)
        return self.output(x)[:, 0], (memory, memory_mask, real, caches)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        config, source, target = small_example(rng)
        return cls(config, rng), source, target
