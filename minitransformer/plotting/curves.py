"""Training curves: loss, exact match, learning rate."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..boundary import Dictionary, ListOf, Text, checked
from ..errors import InputError
from .style import BLUE, FAINT, GREEN, HEADING, INK, LABEL, ORANGE, RED, TITLE, Picture, drawable

Lines = Annotated[
    Sequence[dict],
    ListOf(
        Dictionary,
        "a list of dictionaries with a step and a loss, as Run.open(path).metrics.read()",
    ),
]


@checked
def plot_loss_curve(metrics: Lines, title: Text = "Training") -> Figure:
    """Loss over the steps; below it exact match and the learning rate, if there are any.

    `metrics` is a list of dicts, one for each line of a run's metrics: with "step" and "loss" (and
    "learning_rate") of a training step, with "step" and "validation_loss", "exact_match" or
    "token_accuracy" (0 … 1) of an evaluation; "unigram_loss" and "bigram_loss" become lines across
    the losses. The training loss is drawn raw, and smoothed over
    about a twentieth of the run. A loss that was not finite leaves a gap and a red cross. Of two
    values for one step, as after a resumed run, the later line counts.

    Returns a matplotlib Figure. Raises InputError if there is no loss to draw, or a line without a
    step.
    """
    training, validation = series(metrics, "loss"), series(metrics, "validation_loss")
    if not len(training[0]) and not len(validation[0]):
        raise InputError(
            'There is no loss to draw: no line of the metrics has a "loss" or a "validation_loss".'
        )
    accuracies = [(name, series(metrics, key)) for name, key in
              (("exact match", "exact_match"), ("token accuracy", "token_accuracy"))]  # fmt: skip
    accuracies = [(name, values) for name, values in accuracies if len(values[0])]
    rate = series(metrics, "learning_rate")

    heights = [3.4] + [2.0] * bool(accuracies) + [1.1] * bool(len(rate[0]))
    figure = Picture(
        figsize=(11, sum(heights) + 1.0), dpi=100, facecolor="white", layout="constrained"
    )
    figure.get_layout_engine().set(rect=(0.01, 0.01, 0.98, 0.97), h_pad=0.08)
    figure.suptitle(drawable(title), fontsize=HEADING, color=INK, weight="bold")
    axes = list(
        figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    )
    for axis in axes:
        plain(axis)
    axes[-1].set_xlabel("step", fontsize=TITLE, color=INK)
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    draw_losses(axes[0], training, validation)
    draw_baselines(axes[0], metrics)
    legend_above(axes[0])
    if accuracies:
        draw_accuracies(axes[1], accuracies)
    if len(rate[0]):
        axes[-1].plot(*rate, color=FAINT, linewidth=1.5, marker=marker(rate))
        axes[-1].set_ylabel("learning rate", fontsize=TITLE, color=INK)
        axes[-1].ticklabel_format(axis="y", style="sci", scilimits=(-2, 2), useMathText=True)
        axes[-1].set_ylim(bottom=0)
    figure.align_ylabels(axes)
    return figure


def draw_losses(axes, training, validation):
    steps, loss = training
    smooth = smoothed(loss)
    if smooth is None:
        axes.plot(steps, loss, color=BLUE, linewidth=1.8, marker=marker(training), label="training")
    else:
        axes.plot(steps, loss, color=BLUE, linewidth=0.8, alpha=0.3, label="training")
        axes.plot(steps, smooth, color=BLUE, linewidth=2.0, label="training, smoothed")
    if len(validation[0]):
        axes.plot(
            *validation, color=ORANGE, linewidth=2.0, marker="o", markersize=4, label="validation"
        )
    lost = np.concatenate([s[~np.isfinite(v)] for s, v in (training, validation)])
    if len(lost):
        foot = axes.get_xaxis_transform()
        axes.plot(
            lost, np.full(len(lost), 0.03), "x", color=RED, transform=foot, label="not finite",
            clip_on=False,
        )
    if not np.isfinite(np.concatenate([loss, validation[1]])).any():
        axes.set_yticks([])
    axes.set_ylabel("loss", fontsize=TITLE, color=INK)


def draw_baselines(axes, metrics):
    """Lines at what counts of the training text reach, where the metrics say so."""
    for key, name, line in (
        ("unigram_loss", "unigram counts", ":"), ("bigram_loss", "bigram counts", "--"),
    ):
        _, values = series(metrics, key)
        if len(values) and np.isfinite(values[-1]):
            axes.axhline(values[-1], color=FAINT, linewidth=1.5, linestyle=line, label=name)


def draw_accuracies(axes, accuracies):
    for (name, values), (colour, line) in zip(accuracies, ((GREEN, "-"), (FAINT, "--"))):
        axes.plot(
            values[0], 100 * values[1], line, color=colour, linewidth=2.0, marker="o", markersize=4,
            label=name,
        )
    axes.set_ylim(-4, 104)
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.set_ylabel(accuracies[0][0], fontsize=TITLE, color=INK)
    if len(accuracies) > 1:
        axes.set_ylabel("share right", fontsize=TITLE, color=INK)
    legend_above(axes)


def series(metrics, key):
    """(steps, values) of the lines that have this key, float64, sorted by step; null and infinity
    become NaN."""
    found = {}
    for line in metrics:
        if key in line:
            if "step" not in line:
                raise InputError(f'A line of the metrics has a {key!r} and no "step": {line}.')
            found[line["step"]] = float("nan") if line[key] is None else float(line[key])
    steps = sorted(found)
    values = np.array([found[step] for step in steps], dtype=float)
    return np.array(steps, dtype=float), np.where(np.isfinite(values), values, np.nan)


def smoothed(values, fewest=20):
    """The mean over a window of about a twentieth of the values, NaN left out; None for fewer than
    20 values.

    The window is centred, and narrower at the beginning, where the loss falls fast.
    """
    if len(values) < fewest:
        return None
    real = np.isfinite(values)
    total = np.concatenate([[0], np.where(real, values, 0).cumsum()])
    count = np.concatenate([[0], real.cumsum()])
    place = np.arange(len(values))
    half = np.minimum(len(values) // 40 + 1, place)
    first, last = place - half, np.minimum(place + half + 1, len(values))
    return np.where(
        real, (total[last] - total[first]) / np.maximum(count[last] - count[first], 1), np.nan
    )


def marker(points):
    """A dot if there are too few points for a line."""
    return "o" if len(points[0]) < 20 else None


def plain(axes):
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=LABEL, labelcolor=INK, color=FAINT)
    axes.grid(axis="y", color="#e3e7eb", linewidth=0.8)
    axes.set_axisbelow(True)


def legend_above(axes):
    """The legend in one line above the axes, where it can hide no curve."""
    axes.legend(
        fontsize=LABEL, frameon=False, labelcolor=INK, loc="lower right",
        bbox_to_anchor=(1.0, 0.99), ncols=5, borderaxespad=0, columnspacing=1.5,
    )  # fmt: skip
