"""What counts alone can predict: the losses that a language model has to go below."""

import numpy as np

BLOCK = 2**20  # tokens that are counted at once
MOST = 2**23  # tokens that are counted, from the beginning of the text: more would change little
PRIOR = 10  # how many occurrences a token's own frequency counts for, after each token


def ngram_losses(training, windows, size):
    """{"unigram": nats a token, "bigram": nats a token}: the mean −log p of the tokens of windows
    (N, n+1), each but the first of its row, by counts c over the training text (M,).

        unigram   p(b)   = (c(b) + 1) / (M + V)
        bigram    p(b|a) = (c(ab) + k p(b)) / (c(a) + k)      k = 10

    So no token has probability 0. Only pairs that occur in the windows are counted, because V²
    counts may not fit into memory; of a very long text, its first 2²³ tokens.

    Sources: Laplace's rule of succession; MacKay & Peto 1995, section 3.
    """
    training = training[:MOST]
    before, after = (x.reshape(-1).astype(np.int64) for x in (windows[:, :-1], windows[:, 1:]))
    wanted, place = np.unique(before * size + after, return_inverse=True)
    single, pairs = np.zeros(size, dtype=np.int64), np.zeros(len(wanted), dtype=np.int64)
    for start in range(0, len(training), BLOCK):
        ids = training[start : start + BLOCK + 1].astype(np.int64)       # one more: a pair's end
        single += np.bincount(ids[:BLOCK], minlength=size)
        found = ids[:-1] * size + ids[1:]
        at = np.searchsorted(wanted, found).clip(max=len(wanted) - 1)
        pairs += np.bincount(at[wanted[at] == found], minlength=len(wanted))
    p = (single + 1) / (single.sum() + size)                             # (V,)
    p_after = (pairs[place] + PRIOR * p[after]) / (single[before] + PRIOR)
    return {"unigram": float(-np.log(p[after]).mean()), "bigram": float(-np.log(p_after).mean())}
