"""Time our Transformer's forward alone, in eval mode, against PyTorch's and JAX's: python
benchmarks/forward.py

The models and batches of training_step.py. Ours runs inside no_grad(), PyTorch inside
inference_mode(), where the encoder of nn.Transformer takes a path of its own that fuses a layer and
skips padding; JAX is compiled. Before a size is timed, all must give the same logits from the same
weights wherever there is a target.
"""

import sys

import command
import training_step
import turns

COLUMNS = command.race_columns({" size": lambda row: row["size"]}, training_step.PEERS)


def arguments(argv):
    parser = command.parser(__doc__)
    parser.add_argument("--sizes", nargs="+", choices=training_step.SIZES)
    options = command.parsed(parser, argv)
    options.sizes = options.sizes or training_step.SIZES[: 1 if options.quick else None]
    return options


def check(size, peer):
    import contestants

    return contestants.expect_equal_logits(*contestants.pair(size, peer))


def rows(options):
    import contestants
    from workload import batch_of

    there, missing = contestants.peers(training_step.PEERS)
    for size in options.sizes:
        for name, peer in there.items():
            training_step.checked(check, size, name, peer)
        config = contestants.configuration(size, 0.0)
        batch = batch_of(size, config.source_vocabulary)
        racing = {
            name: make(config, batch) for name, make in {"ours": contestants.Ours, **there}.items()
        }
        forwards = {name: contestant.evaluation() for name, contestant in racing.items()}
        yield {"size": size, **turns.measured(forwards, options), "not_installed": missing}


def main(argv=None):
    options = arguments(argv)
    return command.report(options, rows(options), COLUMNS, command.RACE_NOTES)


if __name__ == "__main__":
    sys.exit(main())
