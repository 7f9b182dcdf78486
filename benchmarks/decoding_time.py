"""Time each token of greedy decoding, with the cache and without: python
benchmarks/decoding_time.py

Without the cache a step reads the whole target again, so that its time grows with what is written;
with it, only attention's own share grows. The Transformer of the preset, one thread, medians over
the repeats.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from minitransformer.core import evaluating
from minitransformer.runs import configure, find_model

VOCABULARY, SOURCE = 4000, 16


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--model", default="transformer", help="a model with a cache (default: transformer)"
    )
    parser.add_argument("--preset", default="tiny", help="its sizes (default: tiny)")
    parser.add_argument(
        "--batches", nargs="+", type=int, default=[1, 32], metavar="B",
        help="sequences at a time (default: 1 32)",
    )
    parser.add_argument(
        "--tokens", type=int, default=520, help="how many are written (default: 520)"
    )
    parser.add_argument("--repeats", type=int, default=5, help="how often (default: 5)")
    parser.add_argument("--picture", metavar="FILE", help="draw the times there")
    parser.add_argument("--json", metavar="FILE", help="write all medians there")
    return parser.parse_args(argv)


def step_times(model, batch, tokens, cached):
    """Seconds of each step of one decoding."""
    source = np.random.default_rng(0).integers(4, VOCABULARY, (batch, SOURCE))
    times, ids, written = [], np.ones(batch, dtype=np.int64), np.zeros((batch, 0), dtype=np.int64)
    with evaluating(model):
        state = model.start(source)
        memory = None if cached else model.encode(source)
        for _ in range(tokens):
            before = time.perf_counter()
            if cached:
                logits, state = model.step(ids, state)
            else:
                written = np.concatenate([written, ids[:, None]], axis=1)
                logits = model.decode(written, *memory)[:, -1]
            ids = 4 + logits[:, 4:].argmax(axis=-1)  # never the end token
            times.append(time.perf_counter() - before)
    return times


def around(times, place):
    """Milliseconds at this place: the median of its neighbourhood."""
    return 1000 * float(np.median(times[max(0, place - 8) : place + 8]))


def draw(rows, path):
    from minitransformer.plotting.curves import plain
    from minitransformer.plotting.style import BLUE, HEADING, INK, LABEL, ORANGE, TITLE, Picture

    figure = Picture(
        figsize=(5.2 * len(rows), 4.2), dpi=100, facecolor="white", layout="constrained"
    )
    figure.suptitle("Time for the next token", fontsize=HEADING, color=INK, weight="bold")
    for axes, (batch, curves) in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows.items()):
        plain(axes)
        for name, colour in (("reading all again", ORANGE), ("on the cache", BLUE)):
            if name in curves:
                smooth = [around(curves[name], place) for place in range(len(curves[name]))]
                axes.plot(range(1, len(smooth) + 1), smooth, color=colour, linewidth=2, label=name)
        axes.set_ylim(bottom=0)
        axes.set_title(f"batch of {batch}", fontsize=TITLE, color=INK)
        axes.set_xlabel("tokens written", fontsize=TITLE, color=INK)
        axes.set_ylabel("milliseconds", fontsize=TITLE, color=INK)
        axes.legend(fontsize=LABEL, frameon=False, labelcolor=INK)
    figure.savefig(path)


def main():
    options = arguments()
    config = configure(
        options.model, options.preset, source_vocabulary=VOCABULARY,
        max_length=options.tokens + SOURCE,
    )
    model, rows = find_model(options.model).model(config, 0), {}
    print("batch   tokens   cached, ms   uncached, ms")
    for batch in options.batches:
        runs = [
            step_times(model, batch, options.tokens, cached=True) for _ in range(options.repeats)
        ]
        rows[batch] = {"on the cache": np.median(runs, axis=0).tolist()}
        # the slow way once is enough
        if options.model == "transformer" and batch == options.batches[0]:
            rows[batch]["reading all again"] = step_times(
                model, batch, options.tokens, cached=False
            )
        for place in (8, 64, 256, 512):
            if place < options.tokens:
                slow = rows[batch].get("reading all again")
                fast = around(rows[batch]["on the cache"], place)
                print(f"{batch:5d}   {place:6d}   {fast:10.2f}   "
                      + (f"{around(slow, place):12.2f}" if slow else ""))  # fmt: skip
        if options.tokens > 512:
            times = rows[batch]["on the cache"]
            print(
                f"batch {batch}: the token at 512 takes "
                f"{around(times, 512) / around(times, 64):.2f} times as long as that at 64"
            )
    if options.picture:
        draw(rows, options.picture)
    if options.json:
        Path(options.json).write_text(
            json.dumps({str(batch): curves for batch, curves in rows.items()}) + "\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
