"""Common to all pictures: colours, fonts, and a page measured in inches."""

import io

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from .fonts import families, font_for

ATTENTION_MAP = "viridis"  # for attention everywhere: brighter is higher
SIGNED_MAP = "RdBu_r"  # for values around zero: white is zero

HATCH, UNSEEN = "////", "#dfe5ea"  # of a cell that a mask forbids: no value, so no colour of one

INK, FAINT, MISSING = "#1f2933", "#6b7785", "#9aa5b1"  # of text, of secondary text, of NaN and ∞
BLUE, ORANGE, GREEN, RED = "#1f6fb4", "#d9730d", "#2e8b57", "#c62828"

QUERY, KEY, VALUE, GRADIENT = BLUE, ORANGE, GREEN, RED  # in every picture that tells them apart

HEADING, TITLE, LABEL = 15, 11, 10  # font sizes in points


class Picture(Figure):
    """A Figure that a notebook shows even if pyplot was never imported, and whose texts may have
    characters that Matplotlib's own font lacks."""

    def draw(self, renderer):
        for text in self.findobj(Text):
            if not text.get_text().isascii():
                text.set_fontfamily(families(text.get_text()))
        super().draw(renderer)

    def _repr_png_(self):
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


KINDS = {
    QUERY: ("q", "query", "queries"), KEY: ("k", "key", "keys"), VALUE: ("v", "value", "values"),
}
WIDTHS = ("d_k", "d_v", "d_model", "d_ff")  # no gradients


def colour_of(name):
    """The colour for this name: d_Q is a gradient, "query" and Q a query; ink for anything else."""
    word = (name.split() or [""])[0]
    if word.startswith(("d_", "∂")) and word not in WIDTHS:
        return GRADIENT
    return next((colour for colour, words in KINDS.items() if word.lower() in words), INK)


def largest_size(*arrays):
    """The largest finite absolute value in the arrays; 1 if there is none."""
    return max(np.abs(a[np.isfinite(a)]).max(initial=0) for a in arrays) or 1.0


def drawable(text):
    """A text as a picture can show it: characters without a visible form (control characters,
    zero-width spaces, half of a surrogate pair), and those that no installed font has, are written
    as in Python, "\\u200b".
    """
    return "".join(
        c
        if c == "\n" or c.isprintable() and font_for(c) is not None
        else c.encode("unicode_escape").decode()
        for c in str(text)
    )


def text_width(text, size, weight="normal"):
    """The width in inches of a text, of its longest line, in a font of `size` points."""
    text = drawable(text)
    font = FontProperties(family=families(text), size=size, weight=weight)
    measured = text_to_path.get_text_width_height_descent
    return max(measured(line, font, False)[0] for line in text.split("\n")) / 72


def widest(texts, size):
    """The width in inches of the widest text; 0 for none."""
    return max((text_width(text, size) for text in texts), default=0.0)


def panel_page(rows, columns, panel, gap, margins):
    """(Picture, axes (rows, columns)) with panels of exactly the size asked for, in inches.

    `panel` and `gap` are (width, height), `margins` (left, right, bottom, top).
    """
    (width, height), (gap_x, gap_y), (left, right, bottom, top) = panel, gap, margins
    page_width = left + columns * width + (columns - 1) * gap_x + right
    page_height = bottom + rows * height + (rows - 1) * gap_y + top
    figure = Picture(figsize=(page_width, page_height), dpi=100, facecolor="white")
    axes = np.empty((rows, columns), dtype=object)
    for row in range(rows):
        for column in range(columns):
            x = left + column * (width + gap_x)
            y = page_height - top - height - row * (height + gap_y)
            axes[row, column] = add_axes(figure, x, y, width, height)
    return figure, axes


def add_axes(figure, x, y, width, height):
    """Axes at this place, in inches from the bottom left."""
    page_width, page_height = figure.get_size_inches()
    return figure.add_axes(
        (x / page_width, y / page_height, width / page_width, height / page_height)
    )


def add_text(figure, x, y, text, **options):
    """Text at this place, in inches from the bottom left."""
    page_width, page_height = figure.get_size_inches()
    return figure.text(x / page_width, y / page_height, drawable(text), **{"color": INK, **options})


def add_colour_bar(figure, image, x, y, height, label):
    """A colour bar 0.16 inches wide, its label beside it."""
    bar = figure.colorbar(image, cax=add_axes(figure, x, y, 0.16, height))
    bar.set_label(label, fontsize=LABEL, color=INK)
    bar.ax.tick_params(labelsize=LABEL - 1, colors=INK)
    bar.ax.set_label("<colorbar>")  # as pyplot's colour bars are called
    bar.outline.set_visible(False)
    return bar
