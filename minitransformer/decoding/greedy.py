"""From a trained model to a sequence, one token at a time: the most likely one."""

import numpy as np

from ..backend import as_numpy, asarray, keep_freed_memory
from ..data.vocabulary import BOS, EOS, PAD
from ..layers.cache import take_rows
from .evaluating import evaluating


def greedy(model, source, max_tokens):
    """Decode every row of `source` by taking the most likely token each time, until EOS or max_tokens.

    Returns ids (B, ≤ max_tokens), without BOS; after a row's EOS stands padding.

    Shapes: source (B, S) ids. Any model with `start(source) → state` and `step(ids, state) → (logits, state)` serves.
    """
    return generate(model, source, max_tokens, lambda logits: logits.argmax(axis=-1))


def generate(model, source, max_tokens, choose):
    """Decode every row of `source` by taking the token that `choose(logits (N, V)) → ids (N,)` names each time.

    A row that has ended leaves the batch. Returns ids (B, ≤ max_tokens) as `greedy` does.
    """
    keep_freed_memory()
    produced = np.full((source.shape[0], max_tokens), PAD, dtype=source.dtype)
    rows = np.arange(source.shape[0])                                    # those that still write
    length = 0
    with evaluating(model):
        state = model.start(source)
        ids = np.full(source.shape[0], BOS, dtype=source.dtype)
        while length < max_tokens and len(rows):
            logits, state = model.step(ids, state)                       # (N, V)
            ids = as_numpy(choose(logits))                               # (N,)
            produced[rows, length] = ids
            length += 1
            going = ids != EOS
            if not going.all():
                rows, ids, state = rows[going], ids[going], take_rows(state, asarray(np.flatnonzero(going), like=logits))
    return asarray(produced[:, :length], like=source)
