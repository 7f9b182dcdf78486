"""Matrices side by side, with their names, their shapes and, where they are small, their
numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ..boundary import Dictionary, Text, checked, described
from ..errors import InputError
from .style import (
    ATTENTION_MAP,
    HEADING,
    INK,
    LABEL,
    MISSING,
    SIGNED_MAP,
    TITLE,
    Picture,
    add_axes,
    add_text,
    colour_of,
    drawable,
    largest_size,
    text_width,
    widest,
)

CELL = (0.06, 0.5)  # smallest and largest side of a cell, in inches
MOST_CELLS = 600  # of a page, in a row or a column
WIDTH, HEIGHT = 12.0, 5.0  # inches that a page tries not to exceed
GAP = 0.3  # inches between two matrices
NUMBERS = 0.34  # inches of a cell into which a number fits
BRIGHTNESS = (0.2126, 0.7152, 0.0722)  # the contributions of red, green and blue


@checked
def plot_matrices(
    matrices: Dictionary, heading: Text = "", *, rows: str = "", columns: str = "",
    row_labels: "Sequence[Any]" = (), column_labels: "Sequence[Any]" = (),
    numbers: bool | None = None, shared: bool = False, shapes: bool = True,
) -> Figure:
    """A Figure of {name: matrix (R, C)}, one beside the other, every cell of the same size.

    A matrix with negative numbers is drawn with white for zero, red above and blue below; others
    from dark to bright, like attention. Each has its own scale, or all have one (`shared`). A name
    that begins like that of a query, key, value or gradient has that colour. `rows` and `columns`
    name the axes, the labels their ticks (those of the columns only under matrices that are as
    wide). `numbers` writes each number into its cell: by default, where it fits. `shapes` says
    whether each name is followed by its matrix's shape. Of very large matrices the first rows and
    columns are drawn, and the title says so.
    """
    matrices = {name: as_matrix(name, m) for name, m in matrices.items()}
    if not matrices:
        raise InputError("There is no matrix to draw: pass {name: matrix}, with at least one.")
    titles = {name: f"{name}  {m.shape}" if shapes else name for name, m in matrices.items()}
    most = MOST_CELLS, MOST_CELLS // len(matrices)
    for name, m in matrices.items():
        matrices[name] = few = m[: most[0], : most[1]]
        if few.shape != m.shape:
            titles[name] += "  only the first {} × {}".format(*few.shape)
    cell = cell_size(matrices.values())
    widths = [
        max(m.shape[1] * cell, text_width(titles[name], TITLE) + 0.1)
        for name, m in matrices.items()
    ]
    height = max(m.shape[0] for m in matrices.values()) * cell

    left = 0.35 + widest(map(str, row_labels), LABEL) + 0.25 * bool(rows)
    bottom = 0.15 + 0.22 * bool(column_labels) + 0.25 * bool(columns)
    top = 0.45 + 0.4 * bool(heading)
    width = (
        left
        + max(sum(widths) + GAP * (len(widths) - 1), text_width(heading, HEADING, "bold"))
        + 0.3
    )
    figure = Picture(figsize=(width, bottom + height + top), dpi=100, facecolor="white")
    add_text(
        figure, left, bottom + height + top - 0.15, heading, fontsize=HEADING, weight="bold",
        va="top",
    )

    scale = colour_scale(np.concatenate([m.ravel() for m in matrices.values()])) if shared else {}
    x = left
    for (name, m), room in zip(matrices.items(), widths):
        y = bottom + height - m.shape[0] * cell
        axes = add_axes(figure, x, y, m.shape[1] * cell, m.shape[0] * cell)
        written = cell >= NUMBERS if numbers is None else numbers
        draw_matrix(axes, m, scale or colour_scale(m), min(8.0, 20 * cell) if written else None)
        add_text(
            figure, x, bottom + height + 0.1, titles[name], fontsize=TITLE, color=colour_of(name)
        )
        axes.set_xlabel(drawable(columns), fontsize=LABEL, color=INK)
        if len(column_labels) == m.shape[1]:
            axes.set_xticks(range(m.shape[1]), list(map(drawable, column_labels)), parse_math=False)
        if x == left:
            labels = row_labels[: m.shape[0]]
            axes.set_ylabel(drawable(rows), fontsize=LABEL, color=INK)
            axes.set_yticks(range(len(labels)), list(map(drawable, labels)), parse_math=False)
        x += room + GAP
    return figure


def as_matrix(name, values):
    """The values as floats (R, C). Raises InputError, which names the matrix, if they are none."""
    try:
        matrix = np.atleast_2d(np.asarray(values, dtype=float))
    except (TypeError, ValueError):
        matrix = None
    if matrix is None or matrix.ndim > 2 or not matrix.size:
        raise InputError(
            f"The matrix {name!r} must be an array of numbers (R, C); got {described(values)}."
        )
    return matrix


def cell_size(matrices):
    """The side of a cell in inches: as large as the page allows."""
    wide, tall = sum(max(m.shape[1], 3) for m in matrices), max(m.shape[0] for m in matrices)
    return max(min((WIDTH - 1 - 0.5 * len(matrices)) / wide, HEIGHT / tall, CELL[1]), CELL[0])


def colour_scale(values):
    """The colours of these values: around zero if any is negative, else from zero up."""
    largest, signed = largest_size(values), (values[np.isfinite(values)] < 0).any()
    return {
        "vmin": -largest if signed else 0, "vmax": largest,
        "cmap": SIGNED_MAP if signed else ATTENTION_MAP,
    }


def draw_matrix(axes, m, scale, font):
    """One matrix, its numbers in its cells unless there is no font size for them; values that are
    not finite are grey."""
    image = axes.imshow(np.ma.masked_invalid(m), aspect="auto", interpolation="none", **scale)
    axes.set_facecolor(MISSING)
    axes.tick_params(length=0, labelsize=LABEL, labelcolor=INK)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    for (i, j), value in np.ndenumerate(m) if font else ():
        dark = np.isfinite(value) and np.dot(image.cmap(image.norm(value))[:3], BRIGHTNESS) < 0.5
        text = f"{value:.2f}".replace("-0.00", "0.00").replace("inf", "∞")
        axes.text(
            j, i, text, ha="center", va="center", fontsize=font, color="white" if dark else INK
        )
