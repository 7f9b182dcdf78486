"""The commands for a run that continues a text."""

import sys

import numpy as np

from ..decoding import continuation
from ..errors import InputError, typed
from ..terminal.streams import complain

# what a run of each kind is asked with
INSTEAD = {
    "text": 'is a language model of a text: it continues a text, and answers none. Use: '
    'minitransformer generate {run} "Once upon"',
    "pairs": "answers a text, and continues none. Use: minitransformer translate {run} TEXT (or "
    "predict)",
}


def expect_kind(run, kind, name):
    """Raise InputError unless the run, which has this name, is of that kind: it says which command
    to use."""
    if run.task.kind != kind:
        raise InputError(f"{name} {INSTEAD[run.task.kind].format(run=typed(name))}")


def generate(options):
    """Let a language model continue a text, or begin one: it is written as it comes."""
    from .asking import opened

    run = opened(options, "text")
    vocabulary, prompt = run.vocabulary, options.prompt or ""
    if unknown := vocabulary.unknown(prompt):
        complain(
            f"{', '.join(map(repr, unknown[:40]))} occurred nowhere in the text that it learned "
            "from: read as <unk>. What follows may be worse."
        )
    chosen = {
        name: value for name in ("temperature", "top_k", "top_p")
        if (value := getattr(options, name)) is not None
    }  # fmt: skip
    ids = vocabulary.encode(prompt) if prompt else np.array([run.task.begin])
    written = vocabulary.written(
        continuation(run.model, ids, options.max_tokens, options.seed, **chosen)
    )
    try:
        sys.stdout.write(prompt)
        for text in written:
            sys.stdout.write(text)
            sys.stdout.flush()
    finally:
        sys.stdout.write("\n")
    return 0


def report(result):
    """The lines that a person reads about the figures of a text's run."""
    yield (
        f"{result['run']} at step {result['step']}, {result['windows']} windows of the "
        f"{result['split']} text, {result['tokens']:,} tokens:"
    )
    yield f"  {'':<16} nats a token   bits a character"
    for name, key in (("loss", ""), ("bigram counts", "bigram_"), ("unigram counts", "unigram_")):
        loss, bits = result[f"{key}loss"], result[f"{key}bits_per_character"]
        yield f"  {name:<16} {loss:12.4f}   {bits:16.4f}"
    yield f"  perplexity       {result['perplexity']:12.3f}"
    yield f"  bits a byte      {result['bits_per_byte']:12.4f}"


def add_options(parser, add_run, at_least, add_sampling, typed_text):
    """The options of `generate`."""
    add_run(parser)
    parser.add_argument(
        "prompt", nargs="?", metavar="TEXT", type=typed_text,
        help="the beginning, in quotes (default: none)",
    )
    parser.add_argument(
        "--max-tokens", type=at_least(1), default=500, metavar="N",
        help="how many tokens to write (default: 500)",
    )
    add_sampling(parser)


EXAMPLES = """  minitransformer generate runs/shakespeare "ROMEO:" --temperature 0.8
  minitransformer generate runs/text "Once upon" --max-tokens 1000 --top-k 10 --seed 3
  minitransformer generate runs/text --top-k 1

Beyond the model's context it goes on from the last half of it: what came before is forgotten.
With --top-k 1 it always takes the most likely token.
"""
