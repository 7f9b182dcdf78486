"""Attention maps: all layers and heads side by side, and one layer over the course of training."""

import math
from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
from matplotlib.figure import Figure

from ..attention import attentions
from ..boundary import Count, ListOf, Natural, OneOf, Text, Whole, checked, described, expect
from ..core.module import Module
from ..data.vocabulary import BOS, PAD, SPECIAL
from ..errors import InputError, unknown
from ..inspection.attention import (
    Source,
    Target,
    attention_weights,
    by_words,
    one_sequence,
    source_gradients,
)
from .labels import (
    HEADINGS,
    Labels,
    WordSizes,
    axis_labels,
    axis_sizes,
    expect_sizes,
    labels_for,
    token_labels,
)
from .maps import cropped, draw_maps, panels_that_fit

# of layers or heads
Numbers = Annotated[int | Iterable[int], ListOf(Whole, "a list of their numbers, from 1")]
Kind = Annotated[str, OneOf("kind of attention", HEADINGS)]
WEIGHTS = 2**28  # attention weights that a picture may compute: 1 GiB of float32
WORK = 4e10  # what a picture of influence may compute, about as many multiplications
ATTENTION = 50  # what an attention weight takes, forward and backward, in that measure
PANELS = 200  # maps in one picture: each takes a few hundredths of a second


@checked
def plot_attention(
    model: Module, source: Source | None, target: Target, source_tokens: Labels | None = None,
    target_tokens: Labels | None = None, kind: Text | None = None, *,
    layers: "Numbers | None" = None, heads: "Numbers | None" = None, mean: bool = False,
    sizes: "WordSizes | None" = None, begin: Natural = BOS, begin_token: Text | None = None,
) -> Figure:
    """One kind of attention for one sequence: a row of panels for each layer, a column for each
    head.

    `source` and `target` are ids, (S,) and (T,), the target as produced: EOS included, BOS not. The
    tokens are their labels, one for each id; without them the ids are shown. `kind` is "encoder",
    "decoder" or "cross" for a Transformer (cross if not said), "self" for a LanguageModel. A row of
    cross-attention is labelled with the token that was produced there. `layers` and `heads` choose
    some, by their numbers in the titles, from 1; `mean` adds a column with the mean over all heads.

    A cell that the mask forbids (padding, and what comes later) is hatched, one that is only not
    looked at has the colour of 0.

    A page has at most `maps.MOST` inches, 4,000 pixels, and at most `PANELS` maps; the last heads,
    layers and tokens that do not fit are left out, and a note says so.

    `sizes`, a pair (of the source, of the target), makes it a map of words: the labels are words
    then, and the sizes say how many ids each has (see `by_words`). `begin` is the id that the
    target begins behind, and `begin_token` its label: of a text without a source, the token before.

    Returns a matplotlib Figure. Raises InputError for a kind, layer or head that the model does not
    have, labels that do not match the ids, a sequence with more than `WEIGHTS` attention weights,
    and what `attention_weights` raises.
    """
    expect_memory(model, source, target, begin)
    weights = attention_weights(model, source, target, begin)
    kind = kind or ("cross" if "cross" in weights else next(iter(weights)))
    if kind not in weights:
        raise unknown(f"kind of attention in a {type(model).__name__}", kind, weights)
    weights = weights[kind]                                              # (layers, heads, T, S)
    hidden = forbidden(kind, source, target, begin)                      # (T, S)
    to_words = None if sizes is None else axis_sizes(kind, *expect_sizes(sizes, source, target))
    if sizes is not None:
        source, target = sizes
    source_labels = [] if source is None else token_labels("source", source, source_tokens)
    first = token_labels("beginning", [begin], begin_token and [begin_token])
    labels = axis_labels(
        kind, source_labels, token_labels("target", target, target_tokens), *first
    )
    all_labels = labels
    _, labels = cropped([], labels)

    layers = chosen("layer", layers, weights.shape[0])
    heads = chosen("head", heads, weights.shape[1])
    if not layers or not (heads or mean):
        raise InputError(
            "There is nothing to draw: choose at least one layer, and a head or mean=True."
        )
    rows, columns = panels_that_fit([f"layer {weights.shape[0]}, head {weights.shape[1]}"], labels)
    columns = min(columns, PANELS)
    heads, other_heads = heads[: columns - bool(mean)], heads[columns - bool(mean) :]
    rows = min(rows, PANELS // (len(heads) + bool(mean)))
    layers, other_layers = layers[:rows], layers[rows:]
    note = left_out(all_labels, labels, layers=other_layers, heads=other_heads)
    maps, titles = [], []
    for i in layers:
        of_layer = weights[i]                                            # (heads, T, S)
        seen = np.where(hidden & (of_layer == 0), 0.0, 1.0)              # by the mask's rule
        if to_words:
            of_layer, seen = by_words(of_layer, *to_words), by_words(seen, *to_words)
        (of_layer,), _ = cropped([np.where(seen > 0, of_layer, np.nan)], all_labels)
        maps.append([of_layer[j] for j in heads] + [of_layer.mean(axis=0)] * mean)
        titles.append(
            [f"layer {i + 1}, head {j + 1}" for j in heads] + [f"layer {i + 1}, mean"] * mean
        )
    return draw_maps(maps, titles, labels, HEADINGS[kind], note=note)


def forbidden(kind, source, target, begin=BOS):
    """Which keys a query may not see in this kind of attention, (T, S), True where not: padding,
    and in what is written from left to right all that comes later."""
    read = [begin, *target[:-1]]
    keys = {"encoder": source, "cross": source, "decoder": read}.get(kind)
    keys = np.asarray([*(() if source is None else source), *read] if keys is None else keys)
    queries = len(target) if kind == "cross" else len(keys)
    later = ~np.tri(queries, len(keys), dtype=bool) & (kind in ("decoder", "self"))
    return later | (keys == PAD)


def maps_of(model, source, target, begin=BOS):
    """{kind: how many maps the model has of it}, from the attention of the first tokens alone."""
    first = None if source is None else source[:1]
    weights = attention_weights(model, first, target[:1], begin) if attentions(model) else {}
    return {kind: math.prod(of_kind.shape[:2]) for kind, of_kind in weights.items()}


def expect_memory(model, source, target, begin):
    """Raise InputError if the attention weights of this sequence are more than `WEIGHTS`."""
    s, t = 0 if source is None else len(source), len(target)
    sizes = {"encoder": s * s, "cross": t * s, "decoder": t * t, "self": (s + t) ** 2}
    needed = sum(count * sizes[k] for k, count in maps_of(model, source, target, begin).items())
    if needed > WEIGHTS:
        raise InputError(
            f"This sequence of {s + t:,} tokens has {needed:,} attention weights in all layers and "
            f"heads, and a picture is drawn of at most {WEIGHTS:,}. Pass a shorter sequence."
        )


@checked
def plot_influence(
    model: Module, source: Source, target: Target, source_tokens: Labels | None = None,
    target_tokens: Labels | None = None, *, sizes: "WordSizes | None" = None,
) -> Figure:
    """How much each source token matters to each token produced: an alignment for every model, with
    attention or without.

    Row t shows ‖∂ log p(y_t) / ∂ x_s‖ over the source tokens s, divided by the row's sum. Ids,
    labels and sizes as in `plot_attention`. Attention weights are those of one layer; influence
    includes every path from s to t. Each row needs a forward and a backward: of very long sequences
    only as many rows are drawn as take `WORK`, about half a minute, and a note says so.

    Returns a matplotlib Figure. Raises InputError for labels that do not match the ids.
    """
    source, target = one_sequence("source", source), one_sequence("target", target)
    words = ([1] * len(source), [1] * len(target)) if sizes is None else sizes
    source_sizes, target_sizes = expect_sizes(words, source, target)
    source_ids, target_ids = (source, target) if sizes is None else sizes
    labels = axis_labels(
        "cross", token_labels("source", source_ids, source_tokens),
        token_labels("target", target_ids, target_tokens),
    )
    ends = np.cumsum(target_sizes)
    # each row reads all tokens: every parameter counts, and every weight of the attention
    tokens, maps = len(source) + len(target), sum(maps_of(model, source, target).values())
    work = tokens * (model.parameter_count() + ATTENTION * maps * tokens)
    rows = max(1, int((ends <= WORK // work).sum()))
    # what comes later changes nothing before it
    gradients = source_gradients(model, source, target[: ends[rows - 1]])
    total = gradients.sum(axis=-1, keepdims=True)
    influence = gradients / np.where(total == 0, 1, total)                  # (T, S)
    influence = by_words(influence, target_sizes[:rows], source_sizes)
    (influence,), few = cropped([influence], labels._replace(queries=labels.queries[:rows]))
    return draw_maps([[influence]], [[""]], few._replace(key_name="source token"),
                     "Influence on each token produced", bar="share of the gradient",
                     note=left_out(labels, few))  # fmt: skip


@checked
def plot_attention_strip(
    snapshots: "Sequence[tuple[int, np.ndarray]]", source_tokens: Labels, target_tokens: Labels,
    kind: Kind = "cross", *, layer: Count | None = None, heads: "Numbers | None" = (),
    mean: bool = True, columns: Count = 8, begin_token: Text = SPECIAL[BOS],
) -> Figure:
    """How one layer's attention changed while training: a film strip, one column for each snapshot.

    `snapshots` is a list of (step, weights (layers, heads, T, S)), the weights as from
    `attention_weights(...)[kind]`. At most `columns` snapshots are shown, evenly chosen, the first
    and the last among them. The top row is the mean over all heads (unless `mean` is False), then
    one row for each of `heads`. `layer` and `heads` are numbers from 1; the layer is the last if
    not said. Tokens and labels as in `plot_attention`.

    Returns a matplotlib Figure. Raises InputError for no snapshots, snapshots of different shapes,
    labels that do not match the weights, and a kind, layer or head that does not exist.
    """
    try:
        snapshots = [(int(step), np.asarray(weights, dtype=float)) for step, weights in snapshots]
    except (TypeError, ValueError):
        raise InputError(
            "The snapshots must be a list of pairs (step, weights (layers, heads, T, S)); got "
            f"{described(snapshots)}."
        ) from None
    check_snapshots(snapshots, columns)
    shape = snapshots[0][1].shape
    layer = chosen("layer", layer, shape[0])[-1]
    heads = chosen("head", heads, shape[1])
    if not (mean or heads):
        raise InputError("A strip needs a row: mean=True, or some heads.")
    labels = axis_labels(
        kind, [str(t) for t in source_tokens], [str(t) for t in target_tokens], begin_token
    )
    labels = labels._replace(
        keys=labels_for("key axis", shape[3], labels.keys),
        queries=labels_for("query axis", shape[2], labels.queries),
    )
    snapshots = [(step, weights[layer]) for step, weights in snapshots]  # (heads, T, S)
    all_weights, few = cropped([weights for _, weights in snapshots], labels)
    rows, most = panels_that_fit([f"step {snapshots[-1][0]:,}"], few)
    places = (
        np.linspace(0, len(snapshots) - 1, min(columns, most, len(snapshots))).round().astype(int)
    )
    shown = [(snapshots[i][0], all_weights[i]) for i in places]
    heads, other_heads = heads[: rows - bool(mean)], heads[rows - bool(mean) :]
    note = left_out(labels, few, heads=other_heads)
    maps = [[w.mean(axis=0) for _, w in shown]] if mean else []
    maps += [[w[j] for _, w in shown] for j in heads]
    rows = ["mean of heads"] * mean + [f"head {j + 1}" for j in heads]
    titles = [[f"step {step:,}" for step, _ in shown], *([""] * len(shown) for _ in rows[1:])]
    return draw_maps(
        maps, titles, few, f"{HEADINGS[kind]} of layer {layer + 1}, while training", rows, note=note
    )


def left_out(labels, shown, **others):
    """The sentence that says what is not drawn: tokens beyond the labels shown; layers and heads by
    their indices."""
    missing = [f"{name} {numbers(indices)}" for name, indices in others.items() if indices]
    choose = (
        " Choose which to draw by their numbers (in a command: --layers, --heads)."
        if missing
        else ""
    )
    axes = {"rows": (labels.queries, shown.queries), "columns": (labels.keys, shown.keys)}
    missing += [
        f"{name} from {len(few) + 1:,} on"
        for name, (tokens, few) in axes.items()
        if len(few) < len(tokens)
    ]
    if missing:
        return f"Left out, because it is too much for a page: {'; '.join(missing)}.{choose}"
    return ""


def numbers(indices):
    """Indices as numbers from 1: "3, 5", or "3 to 8" where none between is missing."""
    first, last = indices[0] + 1, indices[-1] + 1
    gapless = len(indices) > 2 and [*indices] == [*range(first - 1, last)]
    return f"{first} to {last}" if gapless else ", ".join(str(i + 1) for i in indices)


def check_snapshots(snapshots, columns):
    """Raise InputError unless there are snapshots, all (step, weights of one shape
    (layers, heads, T, S))."""
    if not snapshots:
        raise InputError("There are no snapshots to draw: hand in a list of (step, weights).")
    shapes = sorted({weights.shape for _, weights in snapshots})
    if len(shapes) > 1 or len(shapes[0]) != 4:
        raise InputError(
            f"All weights of a strip have one shape (layers, heads, T, S), got {shapes}."
        )


def chosen(name, numbers, count):
    """Indices of the layers or heads with these numbers (from 1), or of the one with this number;
    all for None."""
    numbers = range(1, count + 1) if numbers is None else numbers
    numbers = [numbers] if isinstance(numbers, (int, np.integer)) else numbers
    numbers = expect(numbers, Numbers, f"{name}s")
    for number in numbers:
        if number not in range(1, count + 1):
            raise unknown(name, number, range(1, count + 1))
    return [number - 1 for number in numbers]
