"""Panels for curves, bars and points, all in one style; on matplotlib's own axes."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..boundary import (
    Count,
    Dictionary,
    Having,
    ListOf,
    Number,
    OneOf,
    Positive,
    Text,
    checked,
    described,
    expect,
)
from ..errors import InputError
from .curves import plain
from .style import (
    BLUE,
    FAINT,
    GREEN,
    HEADING,
    INK,
    LABEL,
    ORANGE,
    RED,
    TITLE,
    Picture,
    colour_of,
    drawable,
)

Panel = Annotated[Axes, Having("the axes of one panel, as panels() returns them", "plot", "bar")]
Points = Annotated[
    Sequence[float] | np.ndarray,
    ListOf(Annotated[float, Number("a number")], "a list or array of numbers"),
]
Real = Annotated[float, Having("a number", "__float__")]
Log = Annotated[str, OneOf("scale", ("", "x", "y", "xy"))]
CYCLE = (BLUE, ORANGE, GREEN, RED, "#7b4fa3", "#8a6d3b", "#0f8b8d", FAINT)
# each line has its own of both, for whoever cannot tell the colours apart
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
STYLES = ("-", "--", "-.", (0, (1, 1.5)), (0, (6, 1.5, 1, 1.5, 1, 1.5)))
SPARSE = 0.13  # between two markers of a line of many points, as a part of the panel's diagonal


@checked
def panels(
    rows: Count = 1, columns: Count = 1, *, heading: Text = "", width: Positive = 10.0,
    height: Positive = 3.6, **options: Any,
) -> tuple[Figure, Any]:
    """(Figure, its axes): a grid of empty panels, `height` inches for each row. One panel: its
    axes; else an array of them.

    `options` go to matplotlib's `subplots`: sharex, sharey, width_ratios.
    """
    figure = Picture(
        figsize=(width, rows * height + 0.5 * bool(heading)), dpi=100, facecolor="white",
        layout="constrained",
    )
    if heading:
        figure.suptitle(drawable(heading), fontsize=HEADING, color=INK, weight="bold")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1, wspace=0.04, hspace=0.06)
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    for axis in axes.flat:
        plain(axis)
    return figure, axes[0, 0] if axes.size == 1 else axes.squeeze()


@checked
def draw_lines(
    axes: Panel, x: Points, lines: Dictionary, *, title: Text = "", x_name: Text = "",
    y_name: Text = "", log: Log = "", colours: Dictionary | None = None, marker: str = "o",
    legend: str = "best",
) -> Axes:
    """Draw {name: values} over x on these axes; `log` is "", "x", "y" or "xy".

    A name that begins like that of a query, key, value or gradient has that colour, unless
    `colours` has another. `marker` is that of the first line; several lines differ in marker and
    style as well as in colour. With "", for lines of many points, one line has no markers, and
    several have a few.
    """
    known = colours_of(lines, colours, otherwise=None)
    free = iter([colour for colour in CYCLE if colour not in known.values()] * len(lines))
    for number, (name, values) in enumerate(lines.items()):
        if not hasattr(values, "shape") and hasattr(values, "__iter__"):
            values = [*values]  # the values of a dictionary, say
        if np.shape(values)[:1] != (len(x),):
            raise InputError(
                f"The line {name!r} must have a number for each of the {len(x)} points x; got "
                f"{described(values)}."
            )
        colour = known[name] or next(free)
        axes.plot(
            x, values, linewidth=2.0, label=drawable(name), color=colour,
            **look_of(number, len(lines), marker),
        )
    name_axes(axes, title, x_name, y_name)
    for direction in log:
        getattr(axes, f"set_{direction}scale")("log")
    if "x" in log and len(x) <= 8:
        axes.set_xticks(x, [f"{value:g}" for value in x])
        axes.minorticks_off()
    elif "x" not in log and all(float(value).is_integer() for value in x):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if len(lines) > 1 and legend:
        axes.legend(fontsize=LABEL, frameon=False, labelcolor=INK, loc=legend)
    return axes


def look_of(number, count, marker):
    """The marker and the style of line `number` of `count`, as options of matplotlib's `plot`."""
    if count == 1:
        return {"marker": marker, "markersize": 4}
    look = {"marker": MARKERS[number % len(MARKERS)], "markersize": 5}
    if number == 0 and marker:
        look["marker"] = marker
    if not marker:  # of many points: a few, at other places on each line
        look["markevery"] = ((number + 1) * SPARSE / (count + 1), SPARSE)
    return {**look, "linestyle": STYLES[number % len(STYLES)]}


@checked
def draw_bars(
    axes: Panel, bars: Dictionary, *, title: Text = "", x_name: Text = "", y_name: Text = "",
    colours: Dictionary | None = None, numbers: Text = "{:.3g}",
) -> Axes:
    """Draw {name: value} as bars on these axes, each number above its bar (`numbers` is its format;
    "" for none)."""
    for name, value in bars.items():
        expect(value, Real, f"The bar {name!r}")
    names = list(map(drawable, bars))
    shades = colours_of(bars, colours, otherwise=BLUE)
    drawn = axes.bar(range(len(names)), list(bars.values()), color=list(shades.values()))
    axes.set_xticks(range(len(names)), names)
    if numbers:
        axes.bar_label(
            drawn, [numbers.format(value) for value in bars.values()], fontsize=LABEL, color=INK,
            padding=2,
        )
    name_axes(axes, title, x_name, y_name)
    axes.margins(y=0.15)
    return axes


def colours_of(names, colours, otherwise):
    """{name: its colour}: from `colours`, or the colour of a query, key, value or gradient, or
    `otherwise`."""
    everywhere = {name: colour_of(str(name)) for name in names}
    known = {name: colour for name, colour in everywhere.items() if colour != INK}
    return {name: {**known, **(colours or {})}.get(name, otherwise) for name in names}


def name_axes(axes, title, x_name, y_name):
    axes.set_title(drawable(title), fontsize=TITLE, color=INK)
    axes.set_xlabel(drawable(x_name), fontsize=LABEL, color=INK)
    axes.set_ylabel(drawable(y_name), fontsize=LABEL, color=INK)
