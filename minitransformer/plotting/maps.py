"""A page of attention maps that share their axes and one colour scale."""

from typing import NamedTuple

from .style import (
    ATTENTION_MAP,
    FAINT,
    HEADING,
    INK,
    LABEL,
    TITLE,
    add_colour_bar,
    add_text,
    panel_page,
    text_width,
    widest,
)

PAGE = (15.0, 13.0)  # inches, width and height, that a page tries not to exceed
CELL = (0.095, 0.45)  # smallest and largest side of a cell, in inches
FONT = (6.0, 12.0)  # smallest and largest font of the tokens, in points
TOP, BAR = 0.8, 0.95  # inches above the panels, and at their right for the colour bar


class Layout(NamedTuple):
    """Sizes in inches: of a cell, a panel, the gaps, the margins (left, right, bottom, top), all panels together."""

    cell: float
    font: float
    upright: bool
    panel: tuple
    gap: tuple
    margins: tuple
    grid: tuple


def draw_maps(maps, titles, labels, heading, row_names=(), bar="attention weight"):
    """A Figure of maps[row][column], each (T, S) in 0 … 1, with `AxisLabels` at the left and at the bottom.

    Square cells, as large as the page allows and never too small for their labels: with very many tokens and heads the
    page grows instead. `row_names` stand beside the rows, `bar` beside the colour bar.
    """
    rows, columns = len(maps), len(maps[0])
    names = 0.75 if row_names else 0.45                                  # inches for what stands left of the tokens
    layout = lay_out(rows, columns, titles, labels, heading, names)
    figure, axes = panel_page(rows, columns, layout.panel, layout.gap, layout.margins)
    for i in range(rows):
        for j in range(columns):
            image = draw_map(axes[i, j], maps[i][j], titles[i][j], layout.cell, labels.boundary)
            label_axes(axes[i, j], labels, layout, at_left=j == 0, at_bottom=i == rows - 1)
    annotate(figure, labels, heading, row_names, names, layout)
    left, _, bottom, _ = layout.margins
    length = min(layout.grid[1], 4.0)
    right = left + layout.grid[0] + layout.gap[0] - 0.05
    add_colour_bar(figure, image, right, bottom + layout.grid[1] - length, length, bar)
    return figure


def lay_out(rows, columns, titles, labels, heading, names):
    """The `Layout` of a page on which every text has its place."""
    width = PAGE[0] - names - widest(labels.queries, FONT[1]) - BAR - 0.25 * columns
    height = PAGE[1] - TOP - 1.0 - 0.38 * rows
    cell = min(width / (columns * len(labels.keys)), height / (rows * len(labels.queries)), CELL[1])
    cell = max(cell, CELL[0])
    font, upright = token_font(labels.keys, cell)

    panel = len(labels.keys) * cell, len(labels.queries) * cell
    title_width = widest([title for row in titles for title in row], TITLE)
    gap = max(0.25, title_width + 0.15 - panel[0]), 0.38 if any(titles[-1]) else 0.2
    grid = tuple(n * size + (n - 1) * between for n, size, between in zip((columns, rows), panel, gap))

    left = names + widest(labels.queries, font) + 0.15
    bottom = 0.55 + (widest(labels.keys, font) if upright else font / 72)
    longest = max(text_width(heading, HEADING, "bold"), text_width(labels.key_name, TITLE))
    right = max(BAR + gap[0] - 0.25, longest + 0.15 - grid[0])
    top = max(TOP, text_width(labels.query_name, TITLE) + 0.3 - bottom - grid[1])
    return Layout(cell, font, upright, panel, gap, (left, right, bottom, top), grid)


def token_font(keys, cell):
    """(font size, whether long keys stand upright): the largest font whose lines fit into a cell.

    Keys lie flat if they fit into their cell's width without becoming much smaller.
    """
    font = min(max(cell * 72 * 0.85, FONT[0]), FONT[1])
    flat = font * min(1, 0.8 * cell / widest(keys, font))
    return (flat, False) if flat >= max(0.7 * font, 7.0) else (font, True)


def draw_map(axes, weights, title, cell, boundary, low=0, high=1, colours=ATTENTION_MAP):
    """One map, with hairlines between cells that are large enough, and a line where the target begins."""
    image = axes.imshow(weights, vmin=low, vmax=high, cmap=colours, aspect="auto", interpolation="nearest")
    axes.set_title(title, fontsize=TITLE, color=INK, pad=4)
    if cell >= 0.2:
        axes.set_xticks([x - 0.5 for x in range(1, weights.shape[1])], minor=True)
        axes.set_yticks([y - 0.5 for y in range(1, weights.shape[0])], minor=True)
        axes.grid(which="minor", color="white", alpha=0.35, linewidth=0.6)
    if boundary:
        axes.axhline(boundary - 0.5, color="white", linewidth=1.2)
        axes.axvline(boundary - 0.5, color="white", linewidth=1.2)
    return image


def label_axes(axes, labels, layout, at_left, at_bottom):
    """Tokens at the left and at the bottom of the page; `parse_math` off, so that a "$" stays one."""
    axes.tick_params(which="both", length=0, labelsize=layout.font, labelcolor=INK, pad=3)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    if at_bottom:
        axes.set_xticks(range(len(labels.keys)), labels.keys, parse_math=False)
        for tick in axes.get_xticklabels():
            short = len(tick.get_text()) <= 2 and text_width(tick.get_text(), layout.font) < 0.8 * layout.cell
            tick.set_rotation(90 if layout.upright and not short else 0)
    if at_left:
        axes.set_yticks(range(len(labels.queries)), labels.queries, parse_math=False)
        for tick in axes.get_yticklabels()[: labels.boundary]:
            tick.set_color(FAINT)


def annotate(figure, labels, heading, row_names, names, layout):
    """The heading, the names of the rows, and those of the axes: centred on the panels but never beyond the page."""
    width, height = figure.get_size_inches()
    left, _, bottom, _ = layout.margins
    half = text_width(labels.key_name, TITLE) / 2 + 0.1, text_width(labels.query_name, TITLE) / 2 + 0.1
    x = min(max(left + layout.grid[0] / 2, half[0]), width - half[0])
    y = min(max(bottom + layout.grid[1] / 2, half[1]), height - half[1])
    add_text(figure, left, height - 0.18, heading, fontsize=HEADING, weight="bold", va="top")
    add_text(figure, x, 0.12, labels.key_name, fontsize=TITLE, ha="center", va="bottom")
    add_text(figure, names - 0.33, y, labels.query_name, fontsize=TITLE, rotation=90, ha="left", va="center")
    for i, name in enumerate(row_names):
        middle = bottom + layout.grid[1] - i * (layout.panel[1] + layout.gap[1]) - layout.panel[1] / 2
        add_text(figure, 0.1, middle, name, fontsize=LABEL, weight="bold", rotation=90, ha="left", va="center")
