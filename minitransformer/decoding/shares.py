"""The rows of a batch decoded side by side."""

import numpy as np

from ..backend.processes import cores, side_by_side
from ..data.vocabulary import padded


def in_shares(search, count=2):
    """The same search, `search(model, source, max_tokens) → ids`, with the rows of a batch dealt out to `count` processes.

    For a search that treats each row by itself and draws nothing at random: `greedy`, `beam_search`. Where there are not
    so many cores, or processes cannot be forked (see `cores`), it is the search itself.
    """

    def search_in_shares(model, source, max_tokens):
        shares = min(count, cores(), len(source))
        if shares < 2 or not isinstance(source, np.ndarray):
            return search(model, source, max_tokens)
        found = side_by_side(lambda rows: search(model, rows, max_tokens), [source[i::shares] for i in range(shares)])
        ids = [None] * len(source)
        for i, rows in enumerate(found):
            ids[i::shares] = list(rows)
        return padded(ids).astype(source.dtype)

    return search_in_shares
