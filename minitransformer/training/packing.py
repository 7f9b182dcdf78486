"""Leaving padding out of the computation, without a line in the components."""

import contextlib

from ..attention import MergeHeads, SplitHeads
from ..backend import array_module, asarray
from ..core.boundary import expect_ids
from ..core.module import own_function, substituted
from ..data.vocabulary import PAD
from ..models import InputEmbedding, Transformer


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
    something to read, or to predict (an id that is not `padding`). Another model, or one with an
    attention of a learner's own, computes padding as ever.
    """
    if not isinstance(model, Transformer):
        yield target_out
        return
    of_source = Packing.of(source != PAD)
    of_target = Packing.of((target_in != PAD) | (target_out != padding))
    found = places(model, of_source, of_target)
    if not all(type(component) is kind for component, kind, _ in found):
        yield target_out
        return
    with substituted(
        {component: PACKED[kind](side) for component, kind, side in found if side is not None}
    ):
        yield target_out if of_target is None else of_target.pack(target_out)


def places(model, of_source, of_target):
    """[(what puts tokens in their places or takes them from there, the class that it must be, the
    packing of its side)]."""
    found: list = [
        (model.source_input, InputEmbedding, of_source),
        (model.target_input, InputEmbedding, of_target),
    ]
    sides = [(layer.self_attention, of_source, of_source) for layer in model.encoder.layers]
    for layer in model.decoder.layers:
        sides += [
            (layer.self_attention, of_target, of_target),
            (layer.cross_attention, of_target, of_source),
        ]
    for attention, of_queries, of_keys in sides:
        parts = vars(attention)
        for name, side in (
            ("split_query", of_queries), ("split_key", of_keys), ("split_value", of_keys),
        ):
            found.append((parts.get(name), SplitHeads, side))
        found.append((parts.get("merge"), MergeHeads, of_queries))
    return found


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

    def pack(self, padded):
        """(B, T, ...) → (N, ...)"""
        self.places = asarray(self.places, like=padded)
        return padded.reshape(-1, *padded.shape[2:]).take(self.places, axis=0)

    def unpack(self, packed):
        """(N, ...) → (B, T, ...), 0 at padding."""
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

    def packed_forward(component, ids):
        expect_ids(ids, component.embedding.weight.shape[0])  # while it can say in which row
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
