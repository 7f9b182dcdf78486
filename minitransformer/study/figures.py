"""The pictures of the study: exact match, gradients, operations and wall time, each against
length."""

import numpy as np
from matplotlib.ticker import FixedLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from ..plotting.curves import plain
from ..plotting.style import BLUE, FAINT, GREEN, HEADING, INK, LABEL, ORANGE, RED, TITLE, Picture

GOLD, PURPLE, PINK = "#a67c00", "#7b4fb3", "#d98cb3"
COLOURS = {  # one for each kind of mixing, in all pictures
    "Transformer": BLUE,
    "Self-attention": BLUE,
    "RNN, one vector": RED,
    "Recurrent": RED,
    "RNN + additive attention": ORANGE,
    "RNN + multiplicative attention": GOLD,
    "MLP, one vector": FAINT,
    "Convolution": GREEN,
    "Convolutional (dilated)": GREEN,
    "Local attention": PURPLE,
    "Self-attention (restricted)": PURPLE,
}
MARKERS = dict(zip(COLOURS, "oossDv^xx<<"))


def plot_exact_match(lengths, shares, longest):
    """Exact match against length: the mean of the seeds as a line, from the least to the greatest
    as a band.

    `shares` is {title: (seeds, lengths)}, `longest` the longest sequence that was trained on.
    Returns a Figure.
    """
    figure, (axes,) = page(1, "Exact match against length")
    for title, values in shares.items():
        line(axes, lengths, 100 * values.mean(axis=0), title)
        axes.fill_between(
            lengths, 100 * values.min(axis=0), 100 * values.max(axis=0), color=colour(title),
            alpha=0.15, lw=0,
        )
    axes.axvline(longest, color=FAINT, linestyle=":", linewidth=1.5)
    axes.text(
        longest, 103, "longest trained ", color=FAINT, fontsize=LABEL, ha="right", va="bottom"
    )
    axes.set_ylim(-4, 104)
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.set_xticks(lengths)
    name_axes(axes, "symbols in the sequence", "reversed without a mistake")
    legend(figure, axes)
    return figure


def plot_reach(measured):
    """The gradient that reaches the token needed, against its distance: of new models at the left,
    trained at the right.

    `measured` is {title: {"distances", "new", and perhaps "trained"}}. Each curve is divided by its
    largest value. Returns a Figure.
    """
    panels = {"new": "before training", "trained": "after training"}
    figure, all_axes = page(2, "How much of the gradient reaches the token that is needed")
    for axes, (key, name) in zip(all_axes, panels.items()):
        for title, entry in measured.items():
            if key in entry:
                values = np.array(entry[key])
                line(axes, entry["distances"], values / values.max(), title, marker=None)
        axes.set_yscale("log")
        axes.set_ylim(1e-8, 2)
        axes.set_title(name, fontsize=TITLE, color=INK)
        name_axes(
            axes, "distance between the two tokens",
            "gradient, as a share of its largest" if key == "new" else "",
        )
    legend(figure, all_axes[0])
    return figure


def plot_operations(lengths, cores, layers, width):
    """Multiply-adds against length: of the cores at the left, of whole layers at the right; {title:
    counts} each."""
    figure, all_axes = page(2, f"Multiply-adds of one layer, counted (d = {width})")
    panels = [
        ("core: scores and weighted sum; recurrence", cores),
        ("whole layer, with its projections", layers),
    ]
    for axes, (name, counts) in zip(all_axes, panels):
        for title, values in counts.items():
            line(axes, lengths, values, title)
        logarithmic(axes, lengths)
        axes.axvline(width, color=FAINT, linestyle=":", linewidth=1.5)
        axes.text(
            width, 0.99, " n = d", color=FAINT, fontsize=LABEL, va="top",
            transform=axes.get_xaxis_transform(),
        )
        axes.set_title(name, fontsize=TITLE, color=INK)
        name_axes(axes, "length n", "multiply-adds a sequence" if counts is cores else "")
    legend(figure, all_axes[1])
    return figure


def plot_wall_time(lengths, layers, models, width):
    """Milliseconds against length: a layer's forward and backward at the left, a model's training
    step at the right."""
    figure, all_axes = page(2, "Wall time of a batch of 8")
    panels = [
        (f"one layer, forward and backward (d = {width})", layers),
        ("training step, models of equal size", models),
    ]
    for axes, (name, times) in zip(all_axes, panels):
        for title, seconds in times.items():
            line(axes, lengths, 1000 * np.array(seconds), title)
        logarithmic(axes, lengths)
        axes.set_title(name, fontsize=TITLE, color=INK)
        name_axes(
            axes, "length n" if times is layers else "symbols in the sequence",
            "milliseconds" if times is layers else "",
        )
        axes.legend(
            fontsize=LABEL - 1, frameon=False, labelcolor=INK, loc="upper center",
            bbox_to_anchor=(0.5, -0.13), ncols=2,
        )
    return figure


def plot_bleu_by_length(results):
    """BLEU against the mean number of words of each group of sentences, a line for each translator.
    Returns a Figure.

    `results` is a list of {"title", "groups": [{"words", "least", "most", "bleu"}]}.
    """
    figure, (axes,) = page(1, "BLEU against sentence length")
    for result in results:
        line(
            axes, [g["words"] for g in result["groups"]], [g["bleu"] for g in result["groups"]],
            result["title"],
        )
    groups = results[0]["groups"]
    spans = [f"{g['least']}–{g['most']}" if g["most"] < 99 else f"≥ {g['least']}" for g in groups]
    axes.set_xticks([g["words"] for g in groups], spans)
    axes.set_ylim(bottom=0)
    name_axes(axes, "words in the source sentence", "BLEU")
    legend(figure, axes)
    return figure


def page(columns, heading):
    """(Picture, its axes side by side)."""
    figure = Picture(
        figsize=(9.5 if columns == 1 else 13.5, 5.4), dpi=100, facecolor="white",
        layout="constrained",
    )
    figure.get_layout_engine().set(rect=(0.01, 0.01, 0.98, 0.97), wspace=0.06)
    figure.suptitle(heading, fontsize=HEADING, color=INK, weight="bold")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for axis in axes:
        plain(axis)
    return figure, axes


def line(axes, x, y, title, marker=""):
    """One curve in its colour; what has no colour of its own is a dashed, lighter relative of the
    recurrence."""
    known = title in COLOURS
    axes.plot(x, y, "-" if known else "--", color=colour(title), linewidth=2.0, markersize=5,
              label=title, marker=MARKERS.get(title, "s") if marker == "" else marker)  # fmt: skip


def colour(title):
    return COLOURS.get(title, PINK)


def logarithmic(axes, lengths):
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(FixedLocator(lengths))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def name_axes(axes, x, y):
    axes.set_xlabel(x, fontsize=TITLE, color=INK)
    axes.set_ylabel(y, fontsize=TITLE, color=INK)


def legend(figure, axes):
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside right upper", fontsize=LABEL, frameon=False, labelcolor=INK
    )
