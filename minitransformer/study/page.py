"""The page on which the study ends: what was measured, as tables and pictures."""

import numpy as np

from ..errors import write_text, writing
from .plan import KERNEL, WINDOW
from .table1 import LAYERS, crossing
from .trainings import exact_match_table

PAGE = "comparison.md"


def write_page(folder, name, plan, results, reach, counts, times):
    """Write comparison.md and its pictures into the folder; returns the path of the page."""
    accuracies = exact_match_table(results)
    draw(folder, plan, accuracies, reach, counts, times)
    parts = [
        introduction(name, plan), exact_match(plan, results, accuracies), gradient(plan, reach),
        table(counts), operations(plan, counts), wall_time(plan, times),
    ]  # fmt: skip
    path = folder / PAGE
    write_text(path, "\n\n".join(parts) + "\n")
    return path


def draw(folder, plan, accuracies, reach, counts, times):
    from . import figures as pictures

    usual = {
        name: of_width(row["counts"], plan.table_width) for name, row in counts["rows"].items()
    }
    curves = [
        {counts["rows"][name]["title"]: [c[part] for c in own] for name, own in usual.items()}
        for part in ("core", "layer")
    ]
    titles = {c.model: c.title for c in plan.contestants()}
    by_title = {titles[model]: values for model, (_, values) in accuracies.items()}
    figures = {
        "exact-match": pictures.plot_exact_match(list(plan.lengths), by_title, plan.longest),
        "gradients": pictures.plot_reach(reach),
        "operations": pictures.plot_operations(list(plan.table_lengths), *curves, plan.table_width),
        "wall-time": pictures.plot_wall_time(
            times["lengths"], times["layers"], times["models"], times["width"]
        ),
    }
    for name, figure in figures.items():
        with writing(path := folder / f"{name}.png"):
            figure.savefig(path)


def of_width(counts, d):
    """The counts of one width at the layer's usual window or kernel, by length."""
    return sorted(
        (c for c in counts if c["d"] == d and c["size"] == counts[-1]["size"]), key=lambda c: c["n"]
    )


def introduction(name, plan):
    return f"""# Attention, recurrence, convolution: the comparison, measured

Seven models learn one task with the same training loop: reverse a sequence of 4 to
{plan.longest} symbols. Everything on this page was measured by
`minitransformer compare{" --full" if name == "full" else ""}`; no figure on it comes from a
formula. The numbers behind the tables are in the `.json` files beside it."""


def exact_match(plan, results, accuracies):
    chosen = {r["model"]: r for r in results if r["chosen"]}
    contestants = plan.contestants()
    rows = [["model", "parameters", "rate", "seconds", *map(str, plan.lengths)]]
    for c in contestants:
        own = [r for r in results if r["model"] == c.model and r["chosen"]]
        cells = [spread(values) for values in accuracies[c.model][1].T]
        seconds = f"{np.mean([r['seconds'] for r in own]):.0f}"
        rows.append(
            [c.title, f"{own[0]['parameters']:,}", f"{chosen[c.model]['rate']:g}", seconds, *cells]
        )
    lost = [f"{r['title']} at {r['rate']:g} (seed {r['seed']})" for r in results if r["diverged"]]
    diverged = f"\nDiverged, and out of the choice: {'; '.join(lost)}.\n" if lost else ""
    seeds = ", ".join(map(str, plan.seeds))
    return f"""## Exact match against length

![Percentage of sequences reversed without a mistake against their length, one curve for each
model.](exact-match.png)

Each model has about as many parameters as the Transformer, as far as its width allows, and makes
{plan.steps:,} steps of {plan.batch_size} sequences (Adam, cosine, 200 steps of warm-up, clipping
at 1).
{rates(plan)}
The table has the mean over seed{"s" if len(plan.seeds) > 1 else ""} {seeds} in percent, and in
brackets the range if they differ; {plan.sequences} unseen sequences for each length, the end token
included. Lengths above {plan.longest} were never trained on.
Seconds are those of one training with one thread, while others ran at the same time.

{markdown(rows)}
{diverged}
What to look for: the two models with **one vector** have the same space for a long sequence as for
a short one. The recurrent models **with attention** differ from the one without only by attention,
and by a smaller width to keep the same number of parameters. The two whose layers see only a
**part** (convolution: {KERNEL} positions, dilated; local attention: the last {WINDOW}) can pass
information on only layer by layer, over a limited distance."""


def rates(plan):
    if len(plan.rates) == 1:
        return f"All learn at a rate of {plan.rates[0]:g}."
    listed = ", ".join(f"{rate:g}" for rate in plan.rates)
    return (
        f"Each is trained at {listed} with seed {plan.seeds[0]}, and uses the learning rate with "
        "the smallest validation loss."
    )


def spread(values):
    values = 100 * np.asarray(values)
    low, mean, high = (
        f"{x:.1f}".removesuffix(".0") for x in (values.min(), values.mean(), values.max())
    )
    return mean if low == high else f"{mean} ({low}–{high})"


def gradient(plan, reach):
    near, middle, far = 0, plan.distances // 2, plan.distances - 1
    rows = [
        [
            "model",
            *(
                f"{when}, distance {2 * t + 1}"
                for when in ("new", "trained")
                for t in (middle, far)
            ),
        ]
    ]
    for title, entry in reach.items():
        cells = []
        for key in ("new", "trained"):
            values = np.array(entry.get(key, [np.nan] * (far + 1)))
            cells += [
                "" if np.isnan(values[near]) else f"{values[t] / values[near]:.1e}"
                for t in (middle, far)
            ]
        rows.append([title, *cells])
    return f"""## The gradient that reaches a token, against its distance

![Size of the gradient at the source token that is needed, against its distance from the token
written.](gradients.png)

When token t is written, the loss has a gradient at the source token that t must be made from:
‖∂ log p(y_t) / ∂ x_s‖, s = n − 1 − t, for n = {plan.distances}. In [source, BOS, target] the two
are 2t + 1 positions apart. The table divides it by what it is at distance 1, before training and
after (mean of 8 sequences).

{markdown(rows)}

In a recurrence the gradient passes through every step between the two; with attention it needs one
step at any distance. The zeros are exact: in a model that sees only a part, tokens farther away
get no gradient. After training, the gradient of a token that the model predicts with high
probability is close to 0, so the curve varies with that probability."""


def table(counts):
    rows = [["layer", "operations (paper)", "measured, core", "measured, whole layer",
             "sequential steps (paper)", "measured",
             "longest path (paper)", "measured"]]  # fmt: skip
    for name in LAYERS:
        row = counts["rows"][name]
        per_layer, sequential, path = row["paper"]
        own = of_width(row["counts"], row["counts"][-1]["d"])
        rows.append([
            row["title"], per_layer, power(row["exponents"]["core"], name),
            power(row["exponents"]["layer"], name), sequential,
            growth([[c["n"], c["steps"]] for c in own]), path, growth(row["paths"]),
        ])  # fmt: skip
    return f"""## Table 1 of the paper, recovered

{markdown(rows)}

Operations are multiply-adds of the matrix products in a real forward, counted by arrays that
record them, over a grid of lengths n and widths d (and kernels k or windows r); the exponents are
a least-squares fit in logarithms. A sequential step is a product that had to wait for another: the
longest chain in a real forward. A path is the number of layers, or steps of a cell, through which
the gradient of the last output came to the first input. Attention's four steps (projection,
scores, sum, projection) are O(1) *steps*, not O(1) *work*."""


def power(exponents, name):
    size = {"convolution": "k", "local": "r"}.get(name, "")
    letters = {"size": size, "n": "n", "d": "d"}
    return " · ".join(f"{letters[key]}^{exponents[key]:.2f}" for key in letters if key in exponents)


def growth(points):
    """Measured numbers against n, in short: a constant, or from … to …"""
    first, last = points[0], points[-1]
    if len({v for _, v in points}) == 1:
        return f"{last[1]}"
    return f"{first[1]} (n = {first[0]}) to {last[1]} (n = {last[0]})"


def operations(plan, counts):
    lines = [list(counts["crossings"][0])]
    for d, *crossings in (line.values() for line in counts["crossings"]):
        lines.append([str(d), *(where(n, plan.table_lengths) for n in crossings)])
    return f"""### Where the curves cross

![Counted multiply-adds against length: cores at the left, whole layers at the
right.](operations.png)

Attention needs more than a recurrence from this n on (of attention: scores and weighted sum, or
the whole layer with its four projections; of the recurrence: one product with the input and one
with the state, or three of each in a GRU):

{markdown(lines)}

The paper's n²·d against n·d² compares the cores. The whole attention layer also has four
projections, 4·n·d², which is more than the two products of a plain recurrent step at any length; a
GRU's six leave room for a crossing."""


def where(n, lengths):
    if n is None:
        return f"not up to n = {lengths[-1]}"
    return f"n = {n:.0f}" if n else f"at every n (from {lengths[0]} on)"


def wall_time(plan, times):
    lengths = [str(n) for n in times["lengths"]]
    layers = [
        ["layer, ms", *lengths],
        *([title, *map(milliseconds, seconds)] for title, seconds in times["layers"].items()),
    ]
    models = [
        ["training step, ms", *lengths],
        *([title, *map(milliseconds, s)] for title, s in times["models"].items()),
    ]
    crossings = "; ".join(
        f"{name}, {where(n, times['lengths'])}" for name, n in times["crossings"].items()
    )
    transformer, rnn = (c.title for c in plan.contestants()[:2])
    of_models = where(
        crossing(times["lengths"], times["models"][transformer], times["models"][rnn]),
        times["lengths"],
    )
    return f"""## Wall time against length

![Milliseconds against length: a layer at the left, a training step at the right.](wall-time.png)

Medians, all alternating in one process, batches of {times["batch"]}. A layer runs forward and
backward at d = {times["width"]}; a training step is forward, loss, backward and Adam, of models
with as many parameters as a Transformer of that width.

{markdown(layers)}

{markdown(models)}

From where on the layer of attention takes longer than a recurrence: {crossings}.
The training step, {transformer} against {rnn}: {of_models}.

A recurrence runs n small products one after another, each of which waits for the one before;
attention does its work in a few large ones. That is the advantage of O(1) sequential steps; n²·d
is their cost for large n. Additive attention computes a vector, not a number, for every pair of
tokens."""


def milliseconds(seconds):
    return f"{1000 * seconds:.1f}" if seconds < 0.1 else f"{1000 * seconds:.0f}"


def markdown(rows):
    """A table; the first row is its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
