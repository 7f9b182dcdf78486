"""Time a training step of our Transformer against PyTorch's, or JAX's: python
benchmarks/training_step.py [--peer JAX]

A step is forward, loss (label smoothing 0.1), backward and Adam, in float32 on the CPU. The
opponent is nn.Transformer, eager, or the same model in JAX, compiled, with equal sizes, batch,
masks, sinusoidal positions, embeddings × √D and an untied output map; ours has bias and final norms
as nn.Transformer has, and dropout at all its places (JAX runs without). Both get the same number of
threads and cores, and take turns in one process, without a third library, whose idle threads would
slow both. Before a size is timed, both must give the same loss and gradients from the same weights,
and move every weight alike.
"""

import sys

import command
import turns

SIZES = ("toy", "small", "base")
PEERS = ("PyTorch", "JAX")
COLUMNS = {" size": lambda row: row["size"], "dropout": lambda row: row["dropout"]}


def arguments(argv):
    parser = command.parser(__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES)
    parser.add_argument("--peer", choices=PEERS, default=PEERS[0])
    parser.add_argument("--dropout", nargs="+", type=command.share, metavar="P")
    parser.add_argument(
        "--fused-adam", action="store_true", help="PyTorch's Adam with fused=True, not its default"
    )
    options = command.parsed(parser, argv)
    options.dropout = options.dropout or ((0.0,) if options.peer == "JAX" else (0.0, 0.1))
    if options.peer == "JAX" and any(options.dropout):
        parser.error("the model in JAX has no dropout: give --dropout 0")
    options.sizes = options.sizes or (SIZES[:1] if options.quick else SIZES)
    return options


def rows(options):
    import contestants

    started = {
        (size, dropout): start(size, dropout)
        for size in options.sizes
        for dropout in options.dropout
    }
    there, missing = contestants.peers([options.peer])
    extra = {"PyTorch": {"fused_adam": options.fused_adam}}
    for size in options.sizes:
        for name, peer in there.items():
            checked(contestants.check, size, name, peer, **extra.get(name, {}))
        for dropout in options.dropout:
            racing = racers(started.pop((size, dropout)), there, extra)
            yield {
                "size": size, "dropout": dropout, **turns.measured(racing, options),
                "not_installed": missing,
            }


def start(size, dropout):
    """Ours, and its second process: one that is forked from a process in which JAX has run takes
    three times as long."""
    import contestants
    from workload import batch_of

    config = contestants.configuration(size, dropout)
    ours = contestants.Ours(config, batch_of(size, config.source_vocabulary))
    ours.start()
    return ours


def racers(ours, peers, extra):
    """{name: its training step} of ours and the peers, with equal weights."""
    racing = {"ours": ours}
    for name, peer in peers.items():
        racing[name] = peer(ours.model.config, ours.batch, **extra.get(name, {}))
        racing[name].take_weights(ours.weights())
    return {name: contestant.step for name, contestant in racing.items()}


def checked(check, size, name, peer, **options):
    """`check`, whose complaint says which contestants it is about."""
    try:
        check(size, peer, **options)
    except command.Unequal as problem:
        raise command.Unequal(
            f"at size {size}, ours and {name} do not compute the same: {problem}"
        ) from None


def main(argv=None):
    options = arguments(argv)
    return command.report(
        options, rows(options), command.race_columns(COLUMNS, [options.peer]), command.RACE_NOTES
    )


if __name__ == "__main__":
    sys.exit(main())
