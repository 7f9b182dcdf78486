"""Positional encodings."""

from typing import Annotated

import numpy as np
from matplotlib.figure import Figure

from ..backend import as_numpy
from ..boundary import Array, Text, checked
from ..errors import InputError
from .style import (
    ATTENTION_MAP,
    HEADING,
    INK,
    LABEL,
    SIGNED_MAP,
    TITLE,
    add_colour_bar,
    add_text,
    panel_page,
)

PositionTable = Annotated[
    np.ndarray,
    Array(
        "f", "the table of a positional encoding, an array of floats",
        "SinusoidalPositionalEncoding(features, max_length).table is one.", "T, D",
    ),
]


@checked
def plot_positional_encoding(
    table: PositionTable, title: Text = "Positional encoding"
) -> Figure:
    """The table itself, and beside it the dot products of all pairs of positions.

    In the sinusoidal table the left channels oscillate fast and the right ones slowly. The dot
    product of two positions depends on their distance alone, so it is constant along each diagonal:
    bands.

    `table` is (T, D): row p is added to the embedding at position p. Returns a matplotlib Figure.
    Raises InputError for another shape, or values that are not finite.
    """
    table = as_numpy(table)
    if not np.isfinite(table).all():
        raise InputError("The positional encoding has values that are not finite.")
    figure, axes = panel_page(1, 2, (5.0, 5.0), (1.75, 0), (0.85, 0.95, 0.75, 0.85))
    add_text(figure, 0.85, 5.0 + 0.75 + 0.67, title, fontsize=HEADING, weight="bold", va="top")
    products = table @ table.T                                           # (T, T)
    largest = float(np.abs(table).max()) or 1.0
    draw_table(figure, axes[0, 0], table, 0.85, SIGNED_MAP, (-largest, largest))
    draw_table(figure, axes[0, 1], products, 7.6, ATTENTION_MAP, (products.min(), products.max()))
    name_axes(axes[0, 0], "PE[position, channel]", "channel", "position")
    name_axes(
        axes[0, 1], "dot product PE[p] · PE[q]: brighter is more alike", "position q", "position p"
    )
    return figure


def draw_table(figure, axes, values, x, colours, limits):
    """A heat map with its colour bar; `x` is where the axes begin, in inches."""
    low, high = limits
    image = axes.imshow(
        values, vmin=low, vmax=high, cmap=colours, aspect="auto", interpolation="none"
    )
    add_colour_bar(figure, image, x + 5.12, 0.75, 5.0, "")


def name_axes(axes, title, x_name, y_name):
    axes.set_title(title, fontsize=TITLE, color=INK)
    axes.set_xlabel(x_name, fontsize=TITLE, color=INK)
    axes.set_ylabel(y_name, fontsize=TITLE, color=INK)
    axes.tick_params(labelsize=LABEL, labelcolor=INK)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.get_major_locator().set_params(integer=True)
