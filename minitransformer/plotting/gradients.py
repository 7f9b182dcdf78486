"""Attention weights, and their gradient beside them."""

import numpy as np
from matplotlib.figure import Figure

from ..boundary import Count, checked
from ..core.module import Module
from ..errors import InputError
from ..inspection.attention import (
    Source,
    Target,
    attention_gradients,
    attention_weights,
    by_words,
    source_gradients,
)
from .attention import chosen, left_out
from .labels import Labels, WordSizes, axis_labels, axis_sizes, expect_sizes, token_labels
from .maps import annotate, cropped, draw_map, highest, label_axes, lay_out
from .style import HEADING, LABEL, SIGNED_MAP, largest_size, panel_page, text_width

TITLES = [["attention", "gradient of the scores", "influence"]]
RIGHT = 0.3  # inches: there is no colour bar


@checked
def plot_attention_and_gradient(
    model: Module, source: Source, target: Target, source_tokens: Labels | None = None,
    target_tokens: Labels | None = None, *, layer: Count | None = None,
    head: Count | None = None, sizes: "WordSizes | None" = None,
) -> Figure:
    """Three maps of one sequence, a row for each token produced, a column for each source token.

    Left, the weights P of one layer's cross-attention. In the middle, ∂ log p(sequence) / ∂ scores
    of the same attention: red, where a higher score would make the sequence more probable; blue,
    less. Right, how much each source token matters to each token produced, along all paths through
    the model: ‖∂ log p(y_t) / ∂ x_s‖, each row divided by its largest.

    Ids, tokens and sizes as in `plot_attention`; `layer` and `head` are numbers from 1, by default
    the last layer and the mean (of P; of gradients the sum) over all heads. Each row of the middle
    map sums to zero; its colours
    go to its largest entry.

    Returns a matplotlib Figure. Raises InputError for a layer or head that the model does not have,
    labels that do not match the ids, and a model without cross-attention.
    """
    if "cross" not in (kinds := attention_weights(model, source, target)):
        raise InputError(
            f"A {type(model).__name__} has no cross-attention, so it has no scores and gradients "
            "to draw."
        )
    weights = kinds["cross"]                                             # (layers, heads, T, S)
    gradients = attention_gradients(model, source, target)["cross"]
    number = chosen("layer", layer, len(weights))[-1]
    if head is None:
        whose = "all heads"
        weights = weights[number].mean(axis=0)
        gradients = gradients[number].sum(axis=0)
    else:
        (own,) = chosen("head", head, weights.shape[1])
        whose, weights, gradients = f"head {own + 1}", weights[number, own], gradients[number, own]
    influence = source_gradients(model, source, target)                  # (T, S)
    maps = [weights, gradients, influence]
    if sizes is not None:
        maps = [
            by_words(m, *axis_sizes("cross", *expect_sizes(sizes, source, target))) for m in maps
        ]
        source, target = sizes
    maps[2] = maps[2] / np.maximum(
        maps[2].max(axis=-1, keepdims=True), np.finfo(maps[2].dtype).tiny
    )
    labels = axis_labels(
        "cross", token_labels("source", source, source_tokens),
        token_labels("target", target, target_tokens),
    )
    maps, few = cropped(maps, labels, len(maps))
    note, labels = left_out(labels, few), few

    heading = f"Where attention goes, and where the gradient goes: layer {number + 1}, {whose}"
    high = highest([maps[0]])
    titles = [[f"attention, 0 to {high:.2g}", *TITLES[0][1:]]]
    layout = lay_out(1, 3, titles, labels, heading, 0.45, note)
    left, right, bottom, top = layout.margins
    needed = (
        max(text_width(heading, HEADING, "bold"), text_width(note, LABEL)) + RIGHT - layout.grid[0]
    )
    layout = layout._replace(margins=(left, max(RIGHT, needed), bottom, top))
    figure, axes = panel_page(1, 3, layout.panel, layout.gap, layout.margins)
    largest = largest_size(maps[1])
    scales = [{"high": high}, {"low": -largest, "high": largest, "colours": SIGNED_MAP}, {}]
    for j, (m, scale) in enumerate(zip(maps, scales)):
        draw_map(axes[0, j], m, titles[0][j], layout.cell, labels.boundary, **scale)
        label_axes(axes[0, j], labels, layout, at_left=j == 0, at_bottom=True)
    annotate(figure, labels, heading, (), 0.45, layout, note)
    return figure
