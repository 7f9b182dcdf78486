"""How time grows with the length of sequences, beside counted operations: python
benchmarks/growth.py

A training step of ours, with as many tokens in every batch: twice the length is half as many
sequences. What a token costs then grows only by attention, where it meets every other token of its
sequence. The multiply-adds of all matrix products, forward and backward, are counted, not taken
from a formula. No dropout; the lengths take turns.
"""

import sys

import command
import turns

TOKENS = 1024  # of the source, and as many of the target
LENGTHS = (16, 32, 64, 128, 256, 512)
WIDTHS = {64: ("toy", {}), 256: ("toy", {"d_model": 256, "heads": 8, "d_ff": 1024})}
NOTES = (
    f"Medians. A token: one of the source and one of the target, {TOKENS} each in a batch. "
    "Operations: multiply-adds\nof matrix products, in thousands. Grew: against half the length. "
    "Others: the cores that others kept busy."
)


def growth(name):
    return lambda row: "" if row[name] is None else format(row[name], ".2f")


COLUMNS = {
    "   D": lambda row: row["d_model"],
    "   n": lambda row: row["n"],
    "batch": lambda row: row["batch"],
    "µs a token": lambda row: format(row["us_per_token"], ".1f"),
    "time grew": growth("time_growth"),
    "operations a token": lambda row: format(row["multiply_adds_per_token"] / 1000, ".0f"),
    "operations grew": growth("operations_growth"),
    "calls": lambda row: row["calls"],
    "others": command.others,
}


def arguments(argv):
    parser = command.parser(__doc__, seconds=60.0, each="width")
    parser.add_argument(
        "--widths", nargs="+", type=int, choices=WIDTHS, metavar="D",
        help="of 64, 256 (default: both)",
    )
    lengths = f"of {', '.join(map(str, LENGTHS))} (default: all)"
    parser.add_argument(
        "--lengths", nargs="+", type=int, choices=LENGTHS, metavar="N", help=lengths
    )
    options = command.parsed(parser, argv)
    options.widths = sorted(options.widths or (list(WIDTHS)[: 1 if options.quick else None]))
    options.lengths = sorted(options.lengths or (LENGTHS[: 2 if options.quick else None]))
    return options


def contestant(width, length):
    """Ours of that width, with a batch of full sequences of that length."""
    import numpy as np
    from contestants import Ours

    from minitransformer import TransformerConfig
    from minitransformer.data.vocabulary import BOS

    preset, changes = WIDTHS[width]
    config = TransformerConfig.preset(preset, dropout=0.0, max_length=max(LENGTHS), **changes)
    ids = np.random.default_rng(0).integers(
        4, config.source_vocabulary, (2, TOKENS // length, length)
    )
    target_in = np.concatenate([np.full_like(ids[1, :, :1], BOS), ids[1, :, :-1]], axis=1)
    return Ours(config, (ids[0], target_in, ids[1]))


def operations(ours):
    """Multiply-adds of a forward and a backward, for each token."""
    from minitransformer.testing import count_products

    passes = count_products(ours.model, ours.batch.source, ours.batch.target_in)
    return sum(products.multiply_adds() for products in passes) / TOKENS


def rows(options):
    for width in options.widths:
        made = {length: contestant(width, length) for length in options.lengths}
        counts = {length: operations(ours) for length, ours in made.items()}
        found = turns.measured({length: ours.step for length, ours in made.items()}, options)
        times = {length: 1000 * ms / TOKENS for length, ms in found["ms"].items()}
        for n in options.lengths:
            yield {"d_model": width, "n": n, "batch": TOKENS // n,
                   "us_per_token": times[n], "time_growth": grown(times, n),
                   "multiply_adds_per_token": counts[n], "operations_growth": grown(counts, n),
                   "calls": found["calls"], "others": found["others"],
                   "all_ms": found["all_ms"][n]}  # fmt: skip


def grown(values, n):
    """By how much against half the length; None where that was not measured."""
    return values[n] / values[n // 2] if n // 2 in values else None


def main(argv=None):
    options = arguments(argv)
    return command.report(options, rows(options), COLUMNS, NOTES)


if __name__ == "__main__":
    sys.exit(main())
