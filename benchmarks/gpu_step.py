"""Time a training step on a GPU against PyTorch's on the same card: python benchmarks/gpu_step.py

A step is forward, loss, backward and Adam, with 25,000 tokens of source and of target in a batch
(toy: 64 sequences of 16), no padding, and no dropout unless asked for. Ours is replayed, and once
as Python makes it; PyTorch runs eagerly, compiled, and under bfloat16, which ours has not. With
--tf32, all products of float32 are made in TF32.

All that are compared stand on the card at once; where it has not the room, name fewer
(`--peers PyTorch`).

At toy size both must give the same loss, gradients and step in float64 before anything is timed.
`--device cpu` is to see that it runs.
"""

import contextlib
import os
import sys

import card
import command
import turns
from workload import ON_A_CARD, batch_of_shape

PYTORCH = {
    "PyTorch": {}, "fused Adam": {"fused_adam": True}, "compiled": {"compiled": True},
    "bfloat16": {"bfloat16": True},
}
PEERS = ("by Python", *PYTORCH)
NOTES = (
    f"{command.RACE_NOTES}\nPyTorch: eager, float32, its default Adam; fused Adam: with that of "
    "one kernel; compiled: by torch.compile; bfloat16: eager, under autocast; by Python: ours, not "
    "replayed.\nTFLOP/s: twice the multiply-adds of all matrix products, by our time."
)


def arguments(argv):
    parser = command.parser(__doc__)
    parser.add_argument("--sizes", nargs="+", choices=ON_A_CARD)
    parser.add_argument("--dropout", type=command.share, default=0.0, metavar="P")
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument(
        "--peers", nargs="*", choices=PEERS, default=PEERS, metavar="NAME",
        help=f"of {', '.join(PEERS)} (default: all)",
    )
    parser.add_argument(
        "--tf32", action="store_true", help="float32 products in TF32, ours and PyTorch's"
    )
    options = command.parsed(parser, argv)
    options.sizes = options.sizes or list(ON_A_CARD)[: 1 if options.quick else None]
    return options


def rows(options):
    import contestants

    torch = contestants.find("PyTorch")
    choose_products(options.tf32, torch)
    if torch is not None:
        contestants.check("toy", torch, device=options.device)
    for size in options.sizes:
        _, _, batch, length = ON_A_CARD[size]
        config = contestants.configuration(size, options.dropout, ON_A_CARD)
        ids = batch_of_shape(batch, length, config.source_vocabulary, length)
        made = {"ours": contestants.Ours(config, ids, options.device)}
        for name in options.peers:
            if name == "by Python":
                made[name] = contestants.Ours(config, ids, options.device, replay=False)
            elif torch is not None:
                made[name] = torch(config, ids, device=options.device, **PYTORCH[name])
                made[name].take_weights(made["ours"].weights())
        with contextlib.ExitStack() as opened:
            for contestant in made.values():
                if isinstance(contestant, contestants.Ours):
                    opened.enter_context(contestant.by_kernels())
            found = turns.measured(
                {
                    name: card.done(contestant.step, options.device)
                    for name, contestant in made.items()
                },
                options,
            )
        flop = 2 * multiply_adds(config, batch, length)
        yield {"size": size, "tokens": batch * length, "dropout": options.dropout,
               "tf32": options.tf32, "card": card.facts(options.device), **found,
               "tflops": {name: flop / ms / 1e9 for name, ms in found["ms"].items()},
               "not_installed": [] if torch else ["PyTorch"]}  # fmt: skip
        made["ours"].end()
        del made
        card.give_back(options.device)


def choose_products(tf32, torch):
    """Ours, and PyTorch's where it is installed: in TF32 or not."""
    os.environ["CUPY_TF32"] = str(int(tf32))  # CuPy reads it at its first product, and so do we
    if torch is not None:
        from torch import backends

        backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = tf32


def multiply_adds(config, batch, length):
    """Of all matrix products of a forward and a backward, counted for two sequences."""
    import contestants

    from minitransformer.testing import count_products

    two = contestants.Ours(config, batch_of_shape(2, length, config.source_vocabulary, length))
    passes = count_products(two.model, two.batch.source, two.batch.target_in)
    return batch / 2 * sum(products.multiply_adds() for products in passes)


def share_of_peak(row):
    """What part of the card's matrix peak ours reached."""
    best = card.peaks(row)
    return format(row["tflops"]["ours"] / best[0], ".0%") if best else "?"


COLUMNS = command.race_columns(
    {
        " size": lambda row: row["size"], "tokens": lambda row: row["tokens"],
        "dropout": lambda row: row["dropout"],
    },
    PEERS,
)
COLUMNS |= {
    "ours, TFLOP/s": lambda row: format(row["tflops"]["ours"], ".2f"),
    "of peak": share_of_peak,
}


def main(argv=None):
    options = arguments(argv)
    return command.report(options, rows(options), COLUMNS, NOTES)


if __name__ == "__main__":
    sys.exit(main())
