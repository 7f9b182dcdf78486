"""Leaving padding out of the computation, without a line in the components."""

import contextlib
import functools

from ..attention import (
    Masking,
    MergeHeads,
    MultiHeadAttention,
    ScaledDotProductAttention,
    SplitHeads,
)
from ..backend import array_module, asarray, on_host
from ..boundary import largest
from ..boundary.calls import own_function, substituted
from ..data.vocabulary import PAD
from ..errors import InputError
from ..layers import (
    GELU,
    Dropout,
    Embedding,
    FeedForward,
    LayerNorm,
    LearnedPositionalEncoding,
    Linear,
    ReLU,
    Residual,
    SinusoidalPositionalEncoding,
    Softmax,
    TanhGELU,
    Unembedding,
)
from ..models import Decoder, DecoderLayer, Encoder, EncoderLayer, InputEmbedding, Transformer

# Classes that compute each position alone, whatever the others hold: {class: the names of its
# parts, of which the same is true}. A subclass is not one of them: its forward may do anything.
AT_EACH_POSITION = {
    **dict.fromkeys((Dropout, Embedding, GELU, LayerNorm, Linear, ReLU, TanhGELU, Unembedding), ()),
    FeedForward: ("expand", "activation", "dropout", "contract"),
    Residual: ("sublayer", "norm", "dropout"),
}


@contextlib.contextmanager
def without_padding(model, source, target_in, target_out, padding=PAD):
    """Inside, a Transformer computes nothing at padding, in this thread: the same numbers for less
    work.

    A projection, a norm or a feed-forward network sees one position at a time, so all of them get
    the real positions in one long row: x is (N, D) in place of (B, T, D), and the logits are
    (N, V). Only attention compares the positions of a sequence. So its queries, keys and values are
    put back in their places where they are split into heads, and its result is packed where the
    heads are merged.

    Yields the targets of these logits, (N,): those of `target_out` (B, T) at which there is
    something to read, or to predict (an id that is not `padding`). The loss must be a mean over
    targets that are not `padding`.

    Padding is computed as ever, and `target_out` is yielded, where the numbers could be others:
    for another model; if any part of the Transformer is of a class of a learner's own, has a
    function of its own, or stands where the package puts a part of another kind; if one attention
    or one input embedding serves both source and target. So it is if the model or the loss will
    refuse these ids: their message then names the place in the batch.

    Forward and backward of a pass stand in the same block, and read the batch given here: what a
    forward saved inside, a backward outside cannot read. Raises InputError if a forward inside
    reads other ids, or if a backward inside undoes a forward outside.
    """
    sides = sides_of(model)
    if sides is None or not is_accepted(model, source, target_in, target_out, padding):
        yield target_out
        return
    of_target = Packing.of((target_in != PAD) | (target_out != padding))
    packings = {"source": Packing.of(source != PAD), "target": of_target}
    with substituted(
        {part: PACKED[type(part)](packings[side]) for part, side in sides.items() if packings[side]}
    ):
        yield target_out if of_target is None else of_target.pack(target_out)


def sides_of(model):
    """{what puts tokens in their places or takes them from there: "source" or "target"}, or None
    for a model that has to compute padding."""
    sides = {}
    for component, kinds, side in uses(model):
        if not is_exactly(component, kinds):
            return None
        if side and sides.setdefault(component, side) != side:
            return None
    return sides


def uses(model):
    """(component, the classes of which it may be, the side of its sequence or None) for all that a
    Transformer calls. Each is read from the one before, which must be of its class by then."""
    yield model, (Transformer,), None
    for part, side in ((model.source_input, "source"), (model.target_input, "target")):
        yield part, (InputEmbedding,), side
        yield part.embedding, AT_EACH_POSITION, None
        yield part.position, (SinusoidalPositionalEncoding, LearnedPositionalEncoding), None
        yield part.dropout, AT_EACH_POSITION, None
    for stack, kind in ((model.encoder, Encoder), (model.decoder, Decoder)):
        yield stack, (kind,), None
        if stack.final_norm is not None:
            yield stack.final_norm, AT_EACH_POSITION, None
    for layer in model.encoder.layers:
        yield layer, (EncoderLayer,), None
        yield from uses_of_attention(layer.add_norm_1, "source", "source")
        yield layer.add_norm_2, AT_EACH_POSITION, None
    for layer in model.decoder.layers:
        yield layer, (DecoderLayer,), None
        yield from uses_of_attention(layer.add_norm_1, "target", "target")
        yield from uses_of_attention(layer.add_norm_2, "target", "source")
        yield layer.add_norm_3, AT_EACH_POSITION, None
    yield model.output, AT_EACH_POSITION, None


def uses_of_attention(residual, of_queries, of_keys):
    """The same for attention inside its Add & Norm, from queries to keys and values of these
    sides."""
    yield residual, (Residual,), None
    yield residual.norm, AT_EACH_POSITION, None
    yield residual.dropout, AT_EACH_POSITION, None
    heads = residual.sublayer
    yield heads, (MultiHeadAttention,), None
    for projection in (heads.query, heads.key, heads.value, heads.output):
        yield projection, AT_EACH_POSITION, None
    yield heads.split_query, (SplitHeads,), of_queries
    yield heads.split_key, (SplitHeads,), of_keys
    yield heads.split_value, (SplitHeads,), of_keys
    yield heads.attention, (ScaledDotProductAttention,), None
    yield heads.attention.masking, (Masking,), None
    yield heads.attention.softmax, (Softmax,), None
    yield heads.attention.dropout, (Dropout,), None
    yield heads.merge, (MergeHeads,), of_queries


def is_exactly(component, kinds):
    """Whether a component is of one of these classes itself, with the functions that the class
    gives it. Those of `AT_EACH_POSITION` must have such parts, too."""
    kind: type = type(component)
    if kind not in kinds or not functions_of(kind).isdisjoint(vars(component)):
        return False
    if kinds is AT_EACH_POSITION:
        for name in kinds[kind]:
            if not is_exactly(getattr(component, name), kinds):
                return False
    return True


@functools.cache
def functions_of(kind):
    """The names of a class's functions: an attribute of such a name replaces one in a single
    component."""
    return frozenset(name for name in dir(kind) if callable(getattr(kind, name)))


def is_accepted(model, source, target_in, target_out, padding):
    """Whether the model and the loss take these ids, those of a `Batch`. (Of ids on a GPU only the
    shape is seen.)"""
    to_predict = target_out * (target_out != padding)
    return source is not None and all(
        ids.shape[1] <= part.position.max_length
        and not (on_host(ids) and largest(ids) >= part.embedding.weight.shape[0])
        for ids, part in (
            (source, model.source_input), (target_in, model.target_input),
            (to_predict, model.target_input),
        )
    )


class Packing:
    """Where the N real tokens of a padded batch stand, so that what is done for each position alone
    is done for them only.

        packed_n = padded[b_n, t_n]

    A projection, a norm or a feed-forward network sees one position at a time, so it may be given
    the real ones in one long row, (N, D). Attention, which compares the positions of a sequence,
    gets them back in their places, with zeros at padding. `pack` and `unpack` are each other's
    backward, because nothing depends on what stands at padding.

    `Packing.of(real)`, for a mask (B, T), is None where all is real, and there is nothing to leave
    out, or nothing is.

    Shapes: packed (N, ...), padded (B, T, ...). Source: Zeng et al. 2022, "Boosting distributed
    training performance of the unpadded BERT model", section 3.
    """

    def __init__(self, real):
        xp = array_module(real)
        self.shape = real.shape                                          # (B, T)
        self.places = xp.flatnonzero(real)                               # (N,), of B·T

    @classmethod
    def of(cls, real):
        return cls(real) if real.any() and not real.all() else None

    @property
    def positions(self):
        """t_n, (N,)"""
        return self.places % self.shape[1]

    def holds(self, ids):
        """Whether ids are of the padded shape, and none but padding is left out. (Their values are
        not looked at on a GPU.)"""
        return ids.shape == self.shape and not (
            on_host(ids) and (ids != PAD).sum() > (self.pack(ids) != PAD).sum()
        )

    def pack(self, padded):
        """(B, T, ...) → (N, ...)"""
        self.places = asarray(self.places, like=padded)
        return padded.reshape(-1, *padded.shape[2:]).take(self.places, axis=0)

    def unpack(self, packed):
        """(N, ...) → (B, T, ...), 0 at padding."""
        if len(packed) != len(self.places):
            raise InputError(
                f"These are {len(packed)} rows, and the batch has {len(self.places)} real "
                "positions. Call forward and backward in the same block of `without_padding`, or "
                "both outside."
            )
        batch, length = self.shape
        padded = array_module(packed).zeros((batch * length, *packed.shape[1:]), dtype=packed.dtype)
        self.places = asarray(self.places, like=packed)
        padded[self.places] = packed
        return padded.reshape(batch, length, *packed.shape[1:])


OWN = {
    kind: (own_function(kind, "forward"), own_function(kind, "backward"))
    for kind in (InputEmbedding, SplitHeads, MergeHeads)
}


def packed_input(packing):
    """(forward, backward) of an `InputEmbedding` whose y holds the real positions only."""

    forward, backward = OWN[InputEmbedding]

    def packed_forward(component, ids, positions=None):
        if positions is not None or not packing.holds(ids):
            raise InputError(
                "These ids are not those of the batch that `without_padding` was given: one that "
                "is not padding would be left out. Call the model outside the block."
            )
        return forward(component, packing.pack(ids), packing.positions)

    return packed_forward, backward


def packed_split(packing):
    """(forward, backward) of a `SplitHeads` whose x holds the real positions only; y is 0 at the
    others."""
    forward, backward = OWN[SplitHeads]
    return (
        lambda component, x: forward(component, packing.unpack(x)),
        lambda component, d_y: packing.pack(backward(component, d_y)),
    )


def packed_merge(packing):
    """(forward, backward) of a `MergeHeads` whose y holds the real positions only."""
    forward, backward = OWN[MergeHeads]
    return (
        lambda component, x: packing.pack(forward(component, x)),
        lambda component, d_y: backward(component, packing.unpack(d_y)),
    )


PACKED = {InputEmbedding: packed_input, SplitHeads: packed_split, MergeHeads: packed_merge}
