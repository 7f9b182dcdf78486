"""A page of attention maps with common axes and one colour scale."""

import math
from typing import NamedTuple

import numpy as np

from .style import (
    ATTENTION_MAP,
    FAINT,
    HATCH,
    HEADING,
    INK,
    LABEL,
    MISSING,
    TITLE,
    UNSEEN,
    add_colour_bar,
    add_text,
    drawable,
    panel_page,
    text_width,
    widest,
)

PAGE = (15.0, 13.0)  # inches, width and height, that a page tries not to exceed
MOST = 40.0  # inches, width or height, that a page never exceeds
# smallest and largest side of a cell, in inches, while every token has its label
CELL = (0.095, 0.45)
FINEST = 0.02  # the side of a cell, in inches, below which panels or tokens are left out; two dots
FONT = (6.0, 12.0)  # smallest and largest font of the tokens, in points
TOP, BAR = 0.8, 0.95  # inches above the panels, and at their right for the colour bar
GAP = (0.25, 0.38)  # smallest gaps between panels, in inches
FULL = 0.5  # where no weight reaches this, the colours end at the largest weight, else at 1
FORBIDDEN = "hatched: hidden by the mask"
MARGINS = 6.0  # inches around the panels that are always enough for labels, names and the bar


class Layout(NamedTuple):
    """Sizes in inches: of a cell, a panel, the gaps, the margins (left, right, bottom, top), all
    panels together.

    Each `every`-th token has its label; long labels without enough room are `upright`.
    """

    cell: float
    every: int
    font: float
    upright: bool
    panel: tuple
    gap: tuple
    margins: tuple
    grid: tuple


def draw_maps(maps, titles, labels, heading, row_names=(), bar="attention weight", note=""):
    """A Figure of maps[row][column], each (T, S) in 0 … 1, with `AxisLabels` at the left and at the
    bottom. NaN is a cell that the mask forbids: it is hatched, and `note` says so.

    One colour scale for all: from 0 to 1, or to the largest value where that is below `FULL`.

    Square cells, as large as the page allows. With many tokens and heads the page grows, up to
    `MOST`; then the cells become smaller, and only some tokens have a label. What still does not
    fit must be left out before, by `panels_that_fit` and `tokens_that_fit`, and `note` says so
    under the heading. `row_names` are written beside the rows, `bar` beside the colour bar.
    """
    rows, columns = len(maps), len(maps[0])
    names = 0.75 if row_names else 0.45  # inches for what stands left of the tokens
    if any(np.isnan(m).any() for row in maps for m in row):
        note = f"{note}  {FORBIDDEN}".strip()
    high = highest(m for row in maps for m in row)
    layout = lay_out(rows, columns, titles, labels, heading, names, note)
    figure, axes = panel_page(rows, columns, layout.panel, layout.gap, layout.margins)
    for i in range(rows):
        for j in range(columns):
            image = draw_map(
                axes[i, j], maps[i][j], titles[i][j], layout.cell, labels.boundary, high=high
            )
            label_axes(axes[i, j], labels, layout, at_left=j == 0, at_bottom=i == rows - 1)
    annotate(figure, labels, heading, row_names, names, layout, note)
    left, _, bottom, _ = layout.margins
    length = min(layout.grid[1], 4.0)
    right = left + layout.grid[0] + layout.gap[0] - 0.05
    add_colour_bar(figure, image, right, bottom + layout.grid[1] - length, length, bar)
    return figure


def highest(maps):
    """Where the colours of these weights end: at 1, or at the largest where that is below
    `FULL`."""
    largest = max(np.nanmax(m, initial=0) for m in maps)
    return float(largest) if 0 < largest < FULL else 1


def tokens_that_fit(columns=1):
    """How many tokens an axis can have with this number of panels side by side."""
    return int((MOST - MARGINS) / columns / FINEST)


def cropped(maps, labels, columns=1):
    """(maps (…, T, S), labels), cut to what fits on a page with this number of panels side by
    side."""
    most = tokens_that_fit(columns)
    boundary = labels.boundary if labels.boundary < most else 0
    return [m[..., :most, :most] for m in maps], labels._replace(
        keys=labels.keys[:most], queries=labels.queries[:most], boundary=boundary
    )


def panels_that_fit(titles, labels):
    """(rows, columns) of panels that fit on one page, at least one each, with titles like these."""
    panel = len(labels.keys) * FINEST, len(labels.queries) * FINEST
    gap = max(GAP[0], widest(titles, TITLE) + 0.15 - panel[0]), GAP[1]
    columns, rows = (
        max(1, int((MOST - MARGINS + between) / (size + between)))
        for size, between in zip(panel, gap)
    )
    return rows, columns


def lay_out(rows, columns, titles, labels, heading, names, note=""):
    """The `Layout` of a page with room for every text."""
    width = PAGE[0] - names - widest(labels.queries, FONT[1]) - BAR - 0.25 * columns
    height = PAGE[1] - TOP - 1.0 - 0.38 * rows
    cell = min(width / (columns * len(labels.keys)), height / (rows * len(labels.queries)), CELL[1])
    layout = with_cells(max(cell, CELL[0]), rows, columns, titles, labels, heading, names, note)
    sizes = columns * len(labels.keys), rows * len(labels.queries)  # of the whole page, in cells
    pages = (sum(layout.margins[:2]) + layout.grid[0], sum(layout.margins[2:]) + layout.grid[1])
    if max(pages) <= MOST:
        return layout
    fits = min(layout.cell - (page - MOST) / size for page, size in zip(pages, sizes))
    cell = max(math.floor(100 * fits) / 100, FINEST)                     # whole dots
    return with_cells(cell, rows, columns, titles, labels, heading, names, note)


def with_cells(cell, rows, columns, titles, labels, heading, names, note):
    """The `Layout` of a page with cells of this size."""
    every = math.ceil(round(CELL[0] / cell, 6))
    font, upright = token_font(labels.keys, cell * every)

    panel = len(labels.keys) * cell, len(labels.queries) * cell
    title_width = widest([title for row in titles for title in row], TITLE)
    gap = max(GAP[0], title_width + 0.15 - panel[0]), GAP[1] if any(titles[-1]) else 0.2
    grid = tuple(
        n * size + (n - 1) * between for n, size, between in zip((columns, rows), panel, gap)
    )

    left = names + widest(labels.queries, font) + 0.15
    bottom = 0.55 + (widest(labels.keys, font) if upright else font / 72)
    longest = max(
        text_width(heading, HEADING, "bold"), text_width(note, LABEL),
        text_width(key_name_of(labels, every), TITLE),
    )
    right = max(BAR + gap[0] - 0.25, longest + 0.15 - grid[0])
    top = max(TOP + 0.2 * bool(note), text_width(labels.query_name, TITLE) + 0.3 - bottom - grid[1])
    return Layout(cell, every, font, upright, panel, gap, (left, right, bottom, top), grid)


def token_font(keys, cell):
    """(font size, whether long keys are upright): the largest font whose lines fit into a cell.

    Keys are horizontal if they fit into their cell's width without becoming much smaller.
    """
    font = min(max(cell * 72 * 0.85, FONT[0]), FONT[1])
    flat = font * min(1, 0.8 * cell / widest(keys, font))
    return (flat, False) if flat >= max(0.7 * font, 7.0) else (font, True)


def key_name_of(labels, every):
    """The name of the key axis; it says if not all tokens have a label, which is then true for the
    queries too."""
    return labels.key_name if every == 1 else f"{labels.key_name}, one label in {every}"


def draw_map(axes, weights, title, cell, boundary, low=0, high=1, colours=ATTENTION_MAP):
    """One map, with hairlines between cells that are large enough, and a line where the target
    begins."""
    image = axes.imshow(
        np.ma.array(np.nan_to_num(weights), mask=np.isnan(weights)), vmin=low, vmax=high,
        cmap=colours, aspect="auto", interpolation="none",
    )
    axes.set_facecolor(UNSEEN)
    axes.patch.set(hatch=HATCH, edgecolor=MISSING, linewidth=0)
    axes.set_title(drawable(title), fontsize=TITLE, color=INK, pad=4)
    if cell >= 0.2:
        axes.set_xticks([x - 0.5 for x in range(1, weights.shape[1])], minor=True)
        axes.set_yticks([y - 0.5 for y in range(1, weights.shape[0])], minor=True)
        axes.grid(which="minor", color="white", alpha=0.35, linewidth=0.6)
    if boundary:
        axes.axhline(boundary - 0.5, color="white", linewidth=1.2)
        axes.axvline(boundary - 0.5, color="white", linewidth=1.2)
    return image


def label_axes(axes, labels, layout, at_left, at_bottom):
    """Tokens at the left and at the bottom of the page; `parse_math` off, so that a "$" is drawn as
    it is."""
    axes.tick_params(which="both", length=0, labelsize=layout.font, labelcolor=INK, pad=3)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    every = layout.every
    if at_bottom:
        axes.set_xticks(range(0, len(labels.keys), every), labels.keys[::every], parse_math=False)
        for tick in axes.get_xticklabels():
            text = tick.get_text()
            # a single sign always lies: an upright "m" would be an "E"
            short = len(text) == 1 or (
                len(text) == 2 and text_width(text, layout.font) < 0.8 * layout.cell * every
            )
            tick.set_rotation(90 if layout.upright and not short else 0)
    if at_left:
        axes.set_yticks(
            range(0, len(labels.queries), every), labels.queries[::every], parse_math=False
        )
        for tick in axes.get_yticklabels()[: math.ceil(labels.boundary / every)]:
            tick.set_color(FAINT)


def annotate(figure, labels, heading, row_names, names, layout, note=""):
    """The heading and the note under it, the names of the rows, and those of the axes: centred on
    the panels but never beyond the page."""
    width, height = figure.get_size_inches()
    left, _, bottom, _ = layout.margins
    half = (
        text_width(key_name_of(labels, layout.every), TITLE) / 2 + 0.1,
        text_width(labels.query_name, TITLE) / 2 + 0.1,
    )
    x = min(max(left + layout.grid[0] / 2, half[0]), width - half[0])
    y = min(max(bottom + layout.grid[1] / 2, half[1]), height - half[1])
    add_text(figure, left, height - 0.18, heading, fontsize=HEADING, weight="bold", va="top")
    add_text(figure, left, height - 0.46, note, fontsize=LABEL, va="top")
    add_text(
        figure, x, 0.12, key_name_of(labels, layout.every), fontsize=TITLE, ha="center", va="bottom"
    )
    add_text(
        figure, names - 0.33, y, labels.query_name, fontsize=TITLE, rotation=90, ha="left",
        va="center",
    )
    for i, name in enumerate(row_names):
        middle = (
            bottom + layout.grid[1] - i * (layout.panel[1] + layout.gap[1]) - layout.panel[1] / 2
        )
        add_text(
            figure, 0.1, middle, name, fontsize=LABEL, weight="bold", rotation=90, ha="left",
            va="center",
        )
