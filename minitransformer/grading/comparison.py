"""Yours, expected, and their difference: three maps side by side."""

import numpy as np

from ..plotting.style import (
    INK,
    LABEL,
    MISSING,
    SIGNED_MAP,
    TITLE,
    add_colour_bar,
    add_text,
    drawable,
    largest_size,
    panel_page,
)

CELL = (0.055, 0.3)  # smallest and largest side of a cell, in inches
PANEL = (3.0, 2.6)  # inches that a panel tries not to exceed
GAP, MARGINS = 0.35, (0.2, 0.2, 0.35, 0.35)  # inches


def plot_comparison(name, yours, expected):
    """A Figure of two matrices and yours − expected, white being zero; NaN and ∞ are grey.

    Yours and expected share one scale, the difference has its own. If the shapes differ, there is
    no difference to draw. Shapes: yours (R, C), expected (R, C).
    """
    maps = {f"{name}, yours": yours, f"{name}, expected": expected}
    if yours.shape == expected.shape:
        with np.errstate(invalid="ignore"):
            maps["difference"] = yours - expected
    rows, columns = (max(m.shape[axis] for m in maps.values()) for axis in (0, 1))
    cell = max(min(PANEL[0] / columns, PANEL[1] / rows, CELL[1]), CELL[0])
    panel = max(columns * cell, 1.6), max(rows * cell, 0.6)
    left, right, bottom, top = MARGINS
    figure, axes = panel_page(
        1, len(maps), panel, (GAP + 0.55, 0), (left, right + 0.7, bottom, top)
    )
    shared = largest_size(yours, expected)
    for n, (title, values) in enumerate(maps.items()):
        scale = largest_size(values) if title == "difference" else shared
        shown = {
            "cmap": SIGNED_MAP, "vmin": -scale, "vmax": scale, "interpolation": "nearest",
            "aspect": "auto",
        }
        image = axes[0, n].imshow(np.ma.masked_invalid(values), **shown)
        axes[0, n].set_facecolor(MISSING)
        axes[0, n].set_title(drawable(title), fontsize=TITLE, color=INK, pad=4)
        axes[0, n].set_xticks([])
        axes[0, n].set_yticks([])
        if n:  # yours and expected share the bar between them
            x = left + (n + 1) * panel[0] + n * (GAP + 0.55) + 0.08
            add_colour_bar(figure, image, x, bottom, panel[1], "")
    add_text(
        figure, left, 0.08, "columns: the last axis; rows: all others", fontsize=LABEL - 1,
        va="bottom",
    )
    return figure
