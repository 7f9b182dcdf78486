"""A decoder-only Transformer."""

from typing import Annotated, Any

from ..attention.masking import causal_mask
from ..backend import array_module
from ..boundary import Floats, Generator, Ids, Mask, Rng, StateOf
from ..boundary.calls import asked
from ..core.module import Module, no_grad
from ..layers.cache import Cache, copied
from ..layers.embedding import Embedding, Unembedding
from ..layers.linear import Linear
from .config import StackConfig
from .encoder import Encoder, EncoderLayer
from .example import small_example
from .input_embedding import InputEmbedding, Next, Source, Target

State = StateOf(Annotated[Mask, "B, T"] | None, list)


class LanguageModel(Module):
    """Predict the next token from all tokens before it, with one stack and no encoder.

        logits = Layers(embed([source, target_in])) W_out, at the positions of target_in

    It has the same methods as `Transformer`: source and target are one sequence, the target after
    the source, and the target's first token (BOS) is the separator. Without a source (None) it
    models the target alone.

    A decoder-only layer is the paper's decoder layer without cross-attention, which is
    `EncoderLayer` under a causal mask. A shorter source is moved to the right, next to its target;
    the padding is then at the left, where it is masked and not counted as a position, so it is
    invisible. Backward returns None, because ids have
    no gradient. Other layers make another model: see `ConvolutionModel` and `LocalAttentionModel`.

    Shapes: source (B, S) ids, target_in (B, T) ids, logits (B, T, V). Sources: Liu et al. 2018,
    section 4.2.3; Radford et al. 2018.
    """

    one_sequence = True  # source and target share max_length positions

    def __init__(self, config: StackConfig, rng: Rng):
        self.config = config
        embedding = Embedding(config.target_vocabulary, config.d_model, rng)
        self.input = InputEmbedding(embedding, config, rng)
        self.layers = Encoder(config, rng, self.make_layers(config, rng))
        if config.tie_embeddings:
            self.output: Linear | Unembedding = Unembedding(embedding.weight)
        else:
            self.output = Linear(config.d_model, config.target_vocabulary, rng, bias=False)

    def forward(self, source: Source | None, target_in: Target) -> Floats:
        ids = self.input.embedding.on_same_device(
            target_in if source is None else joined(source, target_in)
        )
        x = self.read(ids, ids != 0)                                     # (B, n, D), n = S + T
        before = ids.shape[1] - target_in.shape[1]
        self.save(before)
        return self.output(x[:, before:])                                # (B, T, V)

    def backward(self, d_logits: Floats) -> None:
        d_target = self.output.backward(d_logits)                        # (B, T, D)
        before = self.saved()
        xp = array_module(d_target)
        d_source = xp.zeros((d_target.shape[0], before, d_target.shape[2]), dtype=d_target.dtype)
        self.input.backward(self.layers.backward(xp.concatenate([d_source, d_target], axis=1)))

    def make_layers(self, config: Any, rng: Rng) -> list[Module]:
        return [EncoderLayer(config, rng) for _ in range(config.decoder_layers)]

    def read(self, ids: Ids, real: Mask, caches: list[Cache] | None = None) -> Floats:
        """The layers' output (B, m, D) for ids (B, m), the last of the n positions of which `real`
        (B, n) are tokens."""
        count = ids.shape[1]
        positions = (real.cumsum(axis=1) - 1).clip(0)[:, -count:]        # counted over real tokens
        return self.layers(self.input(ids, positions), self.mask(real, count), caches)

    def mask(self, real: Mask, count: int) -> Mask:
        """The mask for the layers when the last `count` of n positions attend to all n:
        (B, 1, count, n)."""
        return causal_mask(real.shape[1], like=real, last=count) & real[:, None, None]

    @asked
    @no_grad()
    def start(self, source: Source | None) -> tuple:
        """The state before the first token: which tokens have been read, and the caches, with the
        source in them."""
        caches = [Cache() for _ in self.layers.layers]
        if source is None or source.shape[1] == 0:
            return None, caches
        ids = self.input.embedding.on_same_device(joined(source, source[:, :0]))
        self.read(ids, ids != 0, caches)
        return ids != 0, caches

    @asked
    @no_grad()
    def step(self, ids: Next, state: Annotated[tuple, State]) -> tuple[Floats, tuple]:
        """Append ids (B,) to the target; return the logits (B, V) of what comes next, and the new
        state."""
        before, caches = state
        ids = self.input.embedding.on_same_device(ids)
        new = ids[:, None] != 0
        real = new if before is None else array_module(ids).concatenate([before, new], axis=1)
        caches = copied(caches)
        return self.output(self.read(ids[:, None], real, caches))[:, 0], (real, caches)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        config, source, target = small_example(rng)
        return cls(config, rng), source, target


def joined(source, target_in):
    """Source and target in one sequence (B, S + T), each source moved to the right, next to its
    target."""
    xp = array_module(target_in)
    real = source != 0
    # the new position of each token, in order
    behind_padding = (~real).sum(axis=1, keepdims=True) + real.cumsum(axis=1) - 1
    places = xp.where(real, behind_padding, (~real).cumsum(axis=1) - 1)  # (B, S)
    moved = xp.empty_like(source)
    moved[xp.arange(len(source))[:, None], places] = source  # a sort would make a GPU wait
    return xp.concatenate([moved, target_in], axis=1)
