"""Matrices side by side, with their names, their shapes and, where they are small, their numbers."""

import numpy as np

from .style import ATTENTION_MAP, HEADING, INK, LABEL, SIGNED_MAP, TITLE, add_text, colour_of, panel_page, text_width

CELL = (0.06, 0.5)  # smallest and largest side of a cell, in inches
WIDTH, HEIGHT = 12.0, 5.0  # inches that a page tries not to exceed
NUMBERS = 0.34  # inches of a cell into which a number fits


def plot_matrices(matrices, heading="", *, rows="", columns="", row_labels=None, column_labels=None, numbers=None, shared=False):
    """A Figure of {name: matrix (R, C)}, one beside the other, every cell of the same size.

    A matrix with numbers below zero is drawn around white, red above and blue below; one without, from dark to bright as
    attention is. Each has its own scale, or all have one (`shared`). A name that begins as a query, key, value or
    gradient does has that colour. `rows` and `columns` name the axes, the labels their ticks (those of the columns only
    under matrices that are as wide). `numbers` writes each number into its cell: by default, where it fits.
    """
    matrices = {name: np.atleast_2d(np.asarray(m, dtype=float)) for name, m in matrices.items()}
    tall = max(m.shape[0] for m in matrices.values())
    wide = sum(max(m.shape[1], 3) for m in matrices.values())
    cell = min((WIDTH - 1 - 0.5 * len(matrices)) / wide, HEIGHT / tall, CELL[1])
    cell = max(cell, CELL[0])
    titles = {name: f"{name}  ({m.shape[0]}, {m.shape[1]})" for name, m in matrices.items()}
    widths = [max(m.shape[1] * cell, text_width(titles[name], TITLE) + 0.1) for name, m in matrices.items()]
    left = 0.35 + (max(text_width(str(t), LABEL) for t in row_labels) if row_labels else 0) + 0.25 * bool(rows)
    bottom = 0.3 + (0.25 if column_labels else 0) + 0.25 * bool(columns)
    top = 0.45 + 0.4 * bool(heading)
    gap = 0.3

    page = left + sum(widths) + gap * (len(widths) - 1) + 0.3, bottom + tall * cell + top
    page = max(page[0], left + text_width(heading, HEADING, "bold") + 0.2), page[1]
    figure, _ = panel_page(1, 1, (page[0], page[1]), (0, 0), (0, 0, 0, 0))
    figure.clear()
    largest = max((np.abs(m[np.isfinite(m)]).max(initial=0) for m in matrices.values()), default=0) if shared else None
    signed = any((m < 0).any() for m in matrices.values()) if shared else None
    x = left
    for (name, m), width in zip(matrices.items(), widths):
        size = m.shape[1] * cell, m.shape[0] * cell
        y = bottom + (tall * cell - size[1])
        axes = figure.add_axes((x / page[0], y / page[1], size[0] / page[0], size[1] / page[1]))
        draw_matrix(axes, m, cell, largest, signed, numbers)
        add_text(figure, x, y + size[1] + 0.1, titles[name], fontsize=TITLE, color=colour_of(name))
        first = x == left
        if row_labels and first:
            axes.set_yticks(range(len(row_labels)), row_labels, parse_math=False)
        if column_labels and m.shape[1] == len(column_labels):
            axes.set_xticks(range(len(column_labels)), column_labels, parse_math=False)
        if columns:
            axes.set_xlabel(columns, fontsize=LABEL, color=INK)
        if rows and first:
            axes.set_ylabel(rows, fontsize=LABEL, color=INK)
        x += width + gap
    add_text(figure, left, page[1] - 0.15, heading, fontsize=HEADING, weight="bold", va="top")
    return figure


def draw_matrix(axes, m, cell, largest=None, signed=None, numbers=None):
    """One matrix, its numbers in its cells where they fit."""
    finite = m[np.isfinite(m)]
    largest = np.abs(finite).max(initial=0) if largest is None else largest
    signed = (finite < 0).any() if signed is None else signed
    scale = {"vmin": -(largest or 1), "vmax": largest or 1, "cmap": SIGNED_MAP} if signed else {"vmin": 0, "vmax": largest or 1, "cmap": ATTENTION_MAP}
    image = axes.imshow(np.ma.masked_invalid(m), aspect="auto", interpolation="nearest", **scale)
    axes.set_facecolor("#9aa5b1")                                        # what is not finite
    axes.tick_params(length=0, labelsize=LABEL, labelcolor=INK)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    if cell >= NUMBERS if numbers is None else numbers:
        for (i, j), value in np.ndenumerate(m):
            dark = np.isfinite(value) and sum(image.cmap(image.norm(value))[:3]) < 1.6
            text = f"{value:.2f}".replace("-0.00", "0.00").replace("inf", "∞")
            axes.text(j, i, text, ha="center", va="center", fontsize=8, color="white" if dark else INK)
