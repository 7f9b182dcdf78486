"""The command that lets a run continue a text."""

import sys

import numpy as np

from ..decoding import continuation
from ..terminal.streams import complain
from .asking import opened


def generate(options):
    """Let a language model continue a text, or begin one: it is written as it comes."""
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
    if len(ids) > (most := run.task.context):
        complain(
            f"The beginning has {len(ids)} tokens, and the model was trained on {most} at most: it "
            f"goes on from the last {max(1, most // 2)}."
        )
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


def add_options(parser, add_run, at_least, add_sampling, typed_text):
    """The options of `generate`."""
    add_run(parser, answers=False)
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
