"""What the commands say of a run, by the kind of its task."""

from ..errors import InputError, typed

# after a training: what it has reached, and the command that comes next
CONCLUSIONS = {
    "pairs": "exact match on {sequences} validation sequences, greedy: {exact_match:.1%}",
    "text": "validation loss {loss:.4f} nats a token, {bits_per_character:.3f} bits a character "
    "(by counts: unigram {unigram_bits_per_character:.3f}, bigram "
    "{bigram_bits_per_character:.3f})",
}
NEXT = {"pairs": "evaluate", "text": "generate"}
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


def report_text(result):
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
