"""The labels on the axes of an attention map."""

from collections.abc import Sequence
from numbers import Number
from typing import Annotated, Any, NamedTuple

import numpy as np

from ..boundary import Instance, ListOf, described, expect
from ..data.vocabulary import SPECIAL
from ..errors import InputError
from ..inspection.attention import Sizes
from .style import drawable

BOS_LABEL = SPECIAL[1]
LONGEST = 40  # characters of a label

HEADINGS = {
    "encoder": "Encoder self-attention",
    "decoder": "Decoder self-attention",
    "cross": "Cross-attention",
    "self": "Self-attention",
}


Labels = Annotated[
    Sequence[Any],
    ListOf(
        Annotated[object, Instance((str, Number), words="a text or a number")],
        "a list of labels, one for each id",
    ),
]
WordSizes = tuple[Sequence[int], Sequence[int]]  # of the source's words, and of the target's


class AxisLabels(NamedTuple):
    """The tokens along both axes and the axes' names; `boundary` is where a source ends and a
    target begins."""

    keys: list
    queries: list
    key_name: str
    query_name: str
    boundary: int = 0


def axis_labels(kind, source, target, begin=BOS_LABEL):
    """The `AxisLabels` of one kind of attention, from the tokens of source and target.

    A query of the decoder is labelled with the token that it produces; a key of the decoder's
    self-attention with the input token at that position: <bos>, or another that the target begins
    behind, then the target without its last token.
    """
    inputs = [begin, *target[:-1]]
    produced = "query (token produced)"
    if kind == "encoder":
        return AxisLabels(source, source, "key (source)", "query (source)")
    if kind == "cross":
        return AxisLabels(source, target, "key (source)", produced)
    if kind == "decoder":
        return AxisLabels(inputs, target, "key (target so far, as read)", produced)
    if not source:
        return AxisLabels(inputs, target, "key (token read)", produced)
    return AxisLabels(
        [*source, *inputs], [*source, *target], "key (source, then target so far, as read)",
        "query (source, then token produced)", len(source),
    )  # fmt: skip


def axis_sizes(kind, source, target):
    """(query sizes, key sizes) in tokens of the words along the axes that `axis_labels` names."""
    inputs = [1, *target[:-1]]
    if kind == "encoder":
        return source, source
    if kind == "cross":
        return target, source
    return (target, inputs) if kind == "decoder" else ([*source, *target], [*source, *inputs])


def expect_sizes(sizes, source, target):
    """(source sizes, target sizes). Raises InputError unless they cut the ids into words, the last
    id being one by itself."""
    if not isinstance(sizes, (list, tuple)) or len(sizes) != 2:
        raise InputError(
            "The sizes are a pair, of the source's words and of the target's; got "
            f"{described(sizes)}."
        )
    source_sizes, target_sizes = (
        expect(cut, Sizes | None, f"The sizes of the {name}'s words")
        for name, cut in zip(("source", "target"), sizes)
    )
    for name, ids, cut in (("source", source, source_sizes), ("target", target, target_sizes)):
        if ids is not None and sum(cut or ()) != len(ids):
            raise InputError(
                f"The sizes of the {name}'s words, {list(cut or ())}, do not cut its {len(ids)} "
                "ids into words."
            )
    if target_sizes[-1] != 1:
        raise InputError(
            "The last word of a target has one id: the decoder never reads it, so it cannot belong "
            "to others."
        )
    return source_sizes or [], target_sizes


def token_labels(name, ids, tokens):
    """One visible label for each id; without tokens, the ids themselves. Raises InputError if the
    numbers differ."""
    if tokens is None:
        return [SPECIAL[i] if i < len(SPECIAL) else str(i) for i in np.asarray(ids).tolist()]
    return labels_for(name, len(ids), tokens)


def labels_for(name, count, tokens):
    """The tokens with their spaces made visible. Raises InputError unless there are `count` of
    them."""
    if len(tokens) != count:
        raise InputError(
            f"The {name} has {count} ids and {len(tokens)} labels ({' '.join(map(str, tokens))}); "
            f"every id needs one, {SPECIAL[2]} included."
        )
    return [visible(token) for token in tokens]


def visible(token):
    """A token as a label: its spaces made visible, a long one cut off."""
    text = drawable(str(token).replace(" ", "␣").replace("\n", "⏎")) or "·"
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
