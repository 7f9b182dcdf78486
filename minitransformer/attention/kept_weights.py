"""Who looked at whom: the attention weights of a model, kept while it runs."""

import contextlib


@contextlib.contextmanager
def keep_weights(module):
    """Inside, every attention below `module` keeps P as `.weights` and, after backward, d_P as `.d_weights`.

    An attention is what has the attribute `keep`; with it on, P (B, H, T, S) is stored after each forward.
    """
    before = [(m, m.keep) for m in attentions(module).values()]
    for attention, _ in before:
        attention.keep = True
    try:
        yield
    finally:
        for attention, kept in before:
            attention.keep = kept


def attention_maps(module):
    """{path: P (B, H, T, S)} of what `keep_weights` kept, in the order of the model."""
    return {path: m.weights for path, m in attentions(module).items() if hasattr(m, "weights")}


def attentions(module):
    """{path: component} of all below `module` that can keep their weights; empty for a model without attention."""
    return {path: m for path, m in module.named_modules() if hasattr(m, "keep")}
