"""From a trained model to a sequence: one token at a time."""

import contextlib

import numpy as np

from .backend import array_module
from .data.vocabulary import BOS, EOS, PAD
from .module import no_grad


@contextlib.contextmanager
def evaluating(model):
    """Inside, dropout is off and nothing is saved; afterwards the model trains or not, as before."""
    before = model.training
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        model.train(before)


def greedy(model, source, max_tokens):
    """Decode every row of `source` by taking the most likely token each time, until EOS or max_tokens.

    Returns ids (B, ≤ max_tokens), without BOS; after a row's EOS stands padding.

    Shapes: source (B, S) ids. Any model with `start(source) → state` and `step(ids, state) → (logits, state)` serves.
    """
    xp = array_module(source)
    with evaluating(model):
        state = model.start(source)
        ids = xp.full(source.shape[0], BOS, dtype=source.dtype)
        done = xp.zeros(source.shape[0], dtype=bool)
        produced = []
        while len(produced) < max_tokens and not done.all():
            logits, state = model.step(ids, state)                       # (B, V)
            ids = xp.where(done, PAD, logits.argmax(axis=-1))            # (B,)
            produced.append(ids)
            done |= ids == EOS
    return xp.stack(produced, axis=1) if produced else xp.zeros((source.shape[0], 0), dtype=np.int64)
