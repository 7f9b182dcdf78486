"""Sequence to sequence with recurrent networks, with and without attention: what the Transformer
replaced."""

import dataclasses
from typing import Annotated

from ..backend import array_module
from ..boundary import Floats, Generator, Ids, Mask, OneOf, Rng, StateOf
from ..boundary.calls import asked
from ..core.module import Module, no_grad
from ..core.options import option
from ..layers.activations import Tanh
from ..layers.dropout import Dropout
from ..layers.embedding import Embedding
from ..layers.linear import Linear
from ..models.config import SequenceConfig
from ..models.example import small_example
from ..models.input_embedding import Next, Source, Target
from .additive import AdditiveAttention
from .cells import CELLS
from .multiplicative import MultiplicativeAttention
from .recurrence import Bidirectional, Recurrence

ATTENTIONS = ("none", "additive", "multiplicative")
Cell = Annotated[str, OneOf("cell", CELLS)]
Attention = Annotated[str, OneOf("attention", ATTENTIONS)]


@dataclasses.dataclass(frozen=True)
class RNNConfig(SequenceConfig):
    """Sizes and choices of an `RNNSeq2Seq`: the width D is that of embeddings and of each state."""

    cell: Cell = option("gru", "the recurrent step: gru or rnn (a plain tanh)")
    attention: Attention = option("none", "none, additive or multiplicative")


State = StateOf(Annotated[Floats, "B, S, A"], Annotated[Mask, "B, S"], Annotated[Floats, "B, D"])


class RNNSeq2Seq(Module):
    """One network reads the source into a state; a second network writes the target from this
    state.

        x_1 … x_S, end = BiRNN(embed(source))
        h_0 = tanh(end W_bridge + b)
        h_t = RNN(embed(target_in)_t, h_{t−1})

        without attention:   logits_t = h_t W_out
        with attention:      c_t = Attention(h_t, x)      logits_t = tanh([c_t; h_t] W_c + b) W_out

    Without attention, the decoder gets only h_0 from the source: one vector, however long the
    source is. With attention, every step attends to all annotations x_s. Here it follows the
    recurrence, with the step's own state as its query (Luong et al. 2015, section 3.1), so that all
    T steps are computed at once; Bahdanau et al. query with the state before and feed the context
    into the step. Their additive score or the multiplicative one both fit.

    Backward goes back through the output, attention, the decoder's steps, the bridge and the
    encoder's steps. It returns None, because ids have no gradient. Padding (id 0) in the source is
    skipped by the encoder and masked in attention.

    Shapes: source (B, S) ids, target_in (B, T) ids, logits (B, T, V), annotations x (B, S, 2D),
    states h (B, T, D). Sources: Sutskever et al. 2014; Cho et al. 2014; Bahdanau et al. 2015,
    section 3; Luong et al. 2015, section 3.
    """

    def __init__(self, config: RNNConfig, rng: Rng):
        self.config = config
        width, make_cell = config.d_model, CELLS[config.cell]
        self.source_embedding = Embedding(config.source_vocabulary, width, rng)
        self.target_embedding = Embedding(config.target_vocabulary, width, rng)
        self.dropout = Dropout(config.dropout, rng)
        self.encoder = Bidirectional(make_cell(width, width, rng), make_cell(width, width, rng))
        self.bridge = Linear(2 * width, width, rng)
        self.tanh = Tanh()
        self.decoder = Recurrence(make_cell(width, width, rng))
        self.cross_attention = older_attention_of(config, rng)
        self.combine = None if self.cross_attention is None else Linear(3 * width, width, rng)
        self.output = Linear(width, config.target_vocabulary, rng, bias=False)

    def forward(self, source: Source, target_in: Target) -> Floats:
        source = self.source_embedding.on_same_device(source)
        logits, _ = self.decode(target_in, *self.encode(source))
        return logits                                                    # (B, T, V)

    def backward(self, d_logits: Floats) -> None:
        d_annotations, d_h = self.decode_backward(d_logits)
        self.encode_backward(d_annotations, d_h)

    def encode(self, source: Ids) -> tuple[Floats, Mask, Floats]:
        """(annotations (B, S, 2D), mask (B, S), the decoder's first state (B, D))."""
        real = source != 0
        x = self.dropout(self.source_embedding(source))                  # (B, S, D)
        annotations, end = self.encoder(x, real)                         # (B, S, 2D), (B, 2D)
        return annotations, real, self.tanh(self.bridge(end))

    def encode_backward(self, d_annotations: Floats, d_h: Floats) -> None:
        d_end = self.bridge.backward(self.tanh.backward(d_h))
        d_x = self.encoder.backward(d_annotations, d_end)
        self.source_embedding.backward(self.dropout.backward(d_x))

    def decode(
        self, target_in: Ids, annotations: Floats, real: Mask, h: Floats
    ) -> tuple[Floats, Floats]:
        """(logits (B, T, V), the state after the last token (B, D))."""
        states = self.decoder(self.dropout(self.target_embedding(target_in)), h)  # (B, T, D)
        last = states[:, -1]
        self.save(annotations)
        if self.combine is not None:
            context = self.cross_attention(states, annotations, mask=real[:, None])  # (B, T, 2D)
            both = array_module(states).concatenate([context, states], axis=-1)
            states = self.tanh(self.combine(both))                       # (B, T, D)
        return self.output(states), last

    def decode_backward(self, d_logits: Floats) -> tuple[Floats, Floats]:
        """(d_annotations (B, S, 2D), d_h (B, D)) of the annotations and the decoder's first
        state."""
        d_states = self.output.backward(d_logits)                        # (B, T, D)
        annotations = self.saved()
        if self.combine is None:
            d_annotations = array_module(annotations).zeros_like(annotations)
        else:
            d_both = self.combine.backward(self.tanh.backward(d_states))  # (B, T, 3D)
            width = annotations.shape[-1]
            d_query, d_annotations = self.cross_attention.backward(d_both[..., :width])
            d_states = d_both[..., width:] + d_query
        d_x, d_h = self.decoder.backward(d_states)
        self.target_embedding.backward(self.dropout.backward(d_x))
        return d_annotations, d_h

    @asked
    @no_grad()
    def start(self, source: Source) -> tuple:
        """The state before the first token: annotations, their mask, and the decoder's first
        state."""
        source = self.source_embedding.on_same_device(source)
        return self.encode(source)

    @asked
    @no_grad()
    def step(self, ids: Next, state: Annotated[tuple, State]) -> tuple[Floats, tuple]:
        """Read ids (B,); return the logits (B, V) of what comes next, and the new state."""
        annotations, real, h = state
        logits, h = self.decode(ids[:, None], annotations, real, h)
        return logits[:, 0], (annotations, real, h)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        _, source, target = small_example(rng)
        config = RNNConfig(
            source_vocabulary=17, target_vocabulary=19, d_model=6, dropout=0.0, attention="additive"
        )
        return cls(config, rng), source, target


def older_attention_of(config, rng):
    """The attention from states (B, T, D) to annotations (B, S, 2D), or None."""
    width = config.d_model
    if config.attention == "additive":
        return AdditiveAttention(width, 2 * width, width, rng)
    if config.attention == "multiplicative":
        return MultiplicativeAttention(width, 2 * width, rng)
    return None
