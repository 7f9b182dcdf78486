"""Time greedy decoding on the cache against transformers' MarianMTModel: python
benchmarks/greedy_decoding.py

Both write 64 tokens after a source of 16, by `greedy` and by `generate(num_beams=1)`, as a user
calls them. Their weights are equal and random, and neither the end nor padding can ever be the most
likely token, so neither stops. Before a size is timed, both must give the same logits and write the
same tokens, in float64.
"""

import sys

import command
import turns

PRESETS, BATCHES = ("toy", "tiny", "base"), (1, 32)
SOURCE, TOKENS, QUICK_TOKENS = 16, 64, 8
NOTES = (
    f"Milliseconds for the whole batch, and for one of its steps. {command.RACE_NOTES}\n"
    "Marian has our sizes, weights and positions, and is tied where ours is; it adds a bias of "
    "zeros to its logits."
)


def per_token(name):
    return lambda row: command.cell(row, "ms_per_token", name, ".3f")


FIRST = {
    "preset": lambda row: row["preset"], "batch": lambda row: row["batch"],
    "tokens": lambda row: row["tokens"],
}
COLUMNS = command.race_columns(FIRST, ["Marian"])
COLUMNS |= {f"{name}, ms a token": per_token(name) for name in ("ours", "Marian")}


def arguments(argv):
    parser = command.parser(__doc__)
    parser.add_argument("--presets", nargs="+", choices=PRESETS)
    parser.add_argument("--batches", nargs="+", type=command.whole(1), default=BATCHES, metavar="B")
    parser.add_argument(
        "--device", choices=("cpu", "gpu"), default="cpu", help="of both (default cpu)"
    )
    options = command.parsed(parser, argv)
    options.presets = options.presets or PRESETS[: 1 if options.quick else None]
    return options


def find_marian():
    """The module marian.py; None where what it needs is not installed."""
    try:
        import torch  # noqa: F401
        from transformers import MarianMTModel  # noqa: F401
    except ImportError:
        return None
    import marian

    return marian


def endless(preset, seed=0):
    """Our Transformer in which EOS, PAD and BOS are never the most likely token: their logit is 0,
    and another is above.

    Ours never writes PAD and BOS, and Marian would.

    An untrained one writes one token again and again. Here attention says less and the feed-forward
    network more, so that the next token depends on the last, and on its place; and no bias is 0, so
    that none could be forgotten.
    """
    import numpy as np

    from minitransformer import Transformer, TransformerConfig
    from minitransformer.data.vocabulary import BOS, EOS, PAD

    rng = np.random.default_rng(seed)
    config = TransformerConfig.preset(preset, bias=True, dropout=0.0, max_length=SOURCE + TOKENS)
    model = Transformer(config, rng)
    for name, p in model.named_parameters().items():
        if p.data.ndim == 1:
            p.data += 0.1 * rng.standard_normal(p.shape)
        elif name.endswith(("attention.output.weight", "contract.weight")):
            p.data *= 0.2 if "attention" in name else 2
    # (V, D)
    output = model.output.weight.data if config.tie_embeddings else model.output.weight.data.T
    output[[EOS, PAD, BOS]] = 0
    return model


def sources(model, batch):
    import numpy as np

    return np.random.default_rng(0).integers(4, model.config.source_vocabulary, (batch, SOURCE))


def expect_same_logits(marian, ours, theirs):
    """Raise Unequal unless both give the same logits for a target of random tokens: it says more
    than one's own may."""
    from contestants import expect_equal

    from minitransformer.backend import as_numpy
    from minitransformer.core import evaluating

    source, target = sources(ours, 4), sources(ours, 5)[1:]
    with evaluating(ours):
        return expect_equal(
            {"logits": as_numpy(ours(source, target))},
            {"logits": marian.logits(theirs, source, target)},
        )


def expect_same_tokens(marian, ours, theirs, batch, tokens):
    """Raise Unequal unless both write the same tokens, as many as asked for; return them."""
    import numpy as np

    from minitransformer.decoding import greedy

    source = sources(ours, batch)
    a, b = greedy(ours, source, tokens), marian.decode(theirs, source, tokens)
    for name, ids in (("ours", a), ("Marian", b)):
        if ids.shape != (batch, tokens) or (ids == 0).any():
            raise command.Unequal(f"{name} stopped before every row had {tokens} tokens.")
    if (a != b).any():
        row, place = np.argwhere(a != b)[0]
        raise command.Unequal(
            f"ours and Marian write different tokens, first in row {row} at place {place}."
        )
    return a


def checked(marian, model, preset, batches, tokens):
    """Both checks in float64, then back to float32: there a near tie may fall either way."""
    model.to("float64")
    theirs = marian.marian_of(model)
    try:
        expect_same_logits(marian, model, theirs)
        for batch in batches:
            expect_same_tokens(marian, model, theirs, batch, tokens)
    except command.Unequal as problem:
        raise command.Unequal(f"at preset {preset}, {problem}") from None
    model.to("float32")


def rows(options):
    from minitransformer.decoding import greedy

    marian = find_marian()
    tokens = QUICK_TOKENS if options.quick else TOKENS
    for preset in options.presets:
        model = endless(preset).to(options.device)
        if marian:
            checked(marian, model, preset, options.batches, tokens)
            theirs = marian.marian_of(model)
        for batch in options.batches:
            source = sources(model, batch)
            racing = {"ours": lambda model=model, source=source: greedy(model, source, tokens)}
            if marian:
                racing["Marian"] = lambda theirs=theirs, source=source: marian.decode(
                    theirs, source, tokens
                )
            found = turns.measured(racing, options)
            each = {name: ms / tokens for name, ms in found["ms"].items()}
            yield {"preset": preset, "batch": batch, "tokens": tokens, **found,
                   "ms_per_token": each, "not_installed": [] if marian else ["Marian"]}  # fmt: skip


def main(argv=None):
    options = arguments(argv)
    return command.report(options, rows(options), COLUMNS, NOTES)


if __name__ == "__main__":
    sys.exit(main())
