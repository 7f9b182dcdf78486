"""Greedy decoding: the most likely token, one after the other."""


import numpy as np

from ..backend import as_numpy, asarray, keep_freed_memory, on_host
from ..boundary import Function, checked
from ..core.evaluating import evaluating
from ..data.vocabulary import BOS, EOS, PAD
from ..layers.cache import take_rows
from .limits import MaxTokens, Model, expect_numbers, longest_answer, padding_behind, writable


@checked
def greedy(
    model: Model, source: "np.ndarray | None", max_tokens: "MaxTokens" = None
) -> np.ndarray:
    """Decode every row of `source` by taking the most likely token each time, until EOS or
    max_tokens.

    Returns ids (B, ≤ max_tokens), int64, without BOS; after a row's EOS there is padding. PAD and
    BOS are never written. `max_tokens` is a number, or (B,) of them; for its default, and the
    model's limit, see `longest_answer`. A row's answer does not depend on the other rows, unless
    two tokens are equally likely to within rounding: matrix products of other sizes round the last
    bit differently.

    Shapes: source (B, S) ids, or None for one row of a model without a source. Any model with
    `start(source) → state` and `step(ids, state) → (logits, state)` serves.
    """
    return generate(model, source, max_tokens, lambda logits, rows: logits.argmax(axis=-1))


@checked
def generate(
    model: Model, source: "np.ndarray | None", max_tokens: "MaxTokens", choose: Function
) -> np.ndarray:
    """Decode every row of `source` by taking the token that
    `choose(logits (N, V), rows (N,)) → ids (N,)` names each time.

    `rows` are the indices of the rows that have not ended: a row that has ended leaves the batch.
    The logits of PAD and BOS are −∞. Returns ids (B, ≤ max_tokens) as `greedy` does.
    """
    keep_freed_memory()
    longest = longest_answer(model, source, max_tokens)                  # (B,)
    produced = np.full((len(longest), longest.max(initial=0)), PAD, dtype=np.int64)
    rows = np.flatnonzero(longest > 0)                                   # those that have not ended
    length = 0
    with evaluating(model):
        state = model.start(padding_behind(source))
        if len(rows) < len(longest):
            state = take_rows(state, rows)
        ids = np.full(len(rows), BOS)
        while len(rows):
            logits, state = model.step(ids, state)                       # (N, V)
            logits = writable(logits)
            ids = as_numpy(choose(logits, rows)).astype(np.int64, copy=False)  # (N,)
            if on_host(logits):  # reading an array on a GPU would have to wait
                expect_numbers(np.isfinite(logits[np.arange(len(ids)), ids]))
            produced[rows, length] = ids
            length += 1
            going = (ids != EOS) & (length < longest[rows])
            if not going.all():
                rows = rows[going]
                ids = ids[going]
                state = take_rows(state, asarray(np.flatnonzero(going), like=logits))
    produced = produced[:, :length]
    return produced if source is None else asarray(produced, like=source)
