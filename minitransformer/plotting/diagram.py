"""A page for boxes and arrows, measured in inches from its bottom left."""

from typing import NamedTuple

from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path

from .style import INK, Picture, add_axes

COLOURS = {  # one colour for one kind of component, in every picture
    "attention": "#f9c48d",
    "norm": "#f3efa3",
    "feed-forward": "#b9dff0",
    "embedding": "#f7cfd4",
    "linear": "#d5d3ee",
    "softmax": "#c5e8c9",
    "add": "#ffffff",
    "product": "#e3d0ee",
    "plain": "#eceff2",
}
BOX_FONT, CAPTION_FONT = 13, 11
CAPTION = "#46525f"


class Box(NamedTuple):
    """The place of a box: its centre and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def top(self):
        return self.y + self.height / 2

    @property
    def bottom(self):
        return self.y - self.height / 2

    @property
    def left(self):
        return self.x - self.width / 2

    @property
    def right(self):
        return self.x + self.width / 2


class Diagram:
    """Boxes, arrows and notes on a new `figure` of width × height inches."""

    def __init__(self, width, height):
        self.figure = Picture(figsize=(width, height), dpi=100, facecolor="white")
        self.axes = add_axes(self.figure, 0, 0, width, height)
        self.axes.set(xlim=(0, width), ylim=(0, height))
        self.axes.set_axis_off()

    def box(self, x, y, width, height, text="", kind="plain", dashed=False, copies=1):
        """A box centred at (x, y); with `copies` it lies on top of others like it. Returns its
        `Box`."""
        for i in reversed(range(min(copies, 4))):
            self._patch(
                x + 0.09 * i, y + 0.09 * i, width, height, COLOURS[kind], dashed, 2 - 0.01 * i
            )
        self.text(x, y, text, BOX_FONT, ha="center", va="center")
        return Box(x, y, width, height)

    def frame(self, left, bottom, right, top):
        """A large pale box behind others."""
        x, y = (left + right) / 2, (bottom + top) / 2
        self._patch(x, y, right - left, top - bottom, "#f5f6f8", False, 0, rounding=0.2)

    def _patch(self, x, y, width, height, colour, dashed, zorder, rounding=0.08):
        style = f"round,pad=0,rounding_size={rounding}"
        self.axes.add_patch(
            FancyBboxPatch(
                (x - width / 2, y - height / 2), width, height, boxstyle=style, facecolor=colour,
                edgecolor=INK, linewidth=1.3, linestyle="--" if dashed else "-", zorder=zorder,
            )  # fmt: skip
        )

    def circle(self, x, y, radius, sign=""):
        """A circle with a "+" or a wave in it."""
        self.axes.add_patch(
            Circle((x, y), radius, facecolor="white", edgecolor=INK, linewidth=1.3, zorder=3)
        )
        arm = 0.6 * radius
        if sign == "+":
            self.line((x - arm, y), (x + arm, y), zorder=4)
            self.line((x, y - arm), (x, y + arm), zorder=4)
        elif sign == "~":
            wave = [
                (x - arm, y), (x - arm / 2, y + 2 * arm), (x + arm / 2, y - 2 * arm), (x + arm, y),
            ]
            self._path(Path(wave, [Path.MOVETO] + [Path.CURVE4] * 3), zorder=4)
        return Box(x, y, 2 * radius, 2 * radius)

    def line(self, *points, zorder=1):
        self._path(Path(points), zorder)

    def _path(self, path, zorder):
        self.axes.add_patch(
            PathPatch(
                path, facecolor="none", edgecolor=INK, linewidth=1.3, zorder=zorder,
                joinstyle="round",
            )
        )

    def arrow(self, *points):
        """A line through the points with a head at the last one."""
        self.axes.add_patch(
            FancyArrowPatch(
                path=Path(points), arrowstyle="-|>,head_length=5,head_width=2.6", facecolor=INK,
                edgecolor=INK, linewidth=1.3, zorder=1, joinstyle="round", shrinkA=0, shrinkB=0,
            )  # fmt: skip
        )

    def text(self, x, y, text, size=BOX_FONT, **options):
        self.axes.text(
            x, y, text, fontsize=size, **{"color": INK, "va": "center", "zorder": 5, **options}
        )

    def note(self, x, y, name, text, side):
        """A component's name and a caption, beside its box: they end at x on the left (−1), else
        begin there."""
        align = "right" if side < 0 else "left"
        lines = ([(name, True)] if name else []) + [
            (line, False) for line in text.split("\n") if line
        ]
        for i, (line, is_name) in enumerate(lines):
            height = y + 0.2 * ((len(lines) - 1) / 2 - i)
            font = {"family": "monospace", "color": INK} if is_name else {"color": CAPTION}
            self.text(x, height, line, CAPTION_FONT - 0.5 * is_name, ha=align, **font)
