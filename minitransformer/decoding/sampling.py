"""Sampling: tokens drawn at random from the model's distribution."""

import numbers
from typing import Annotated

import numpy as np

from ..backend import array_module, as_numpy
from ..boundary import Floats, Natural, Number, Rng, checked, expect
from ..data.vocabulary import PAD
from ..errors import InputError
from ..layers.softmax import Softmax
from ..models.input_embedding import Source
from .greedy import generate
from .limits import MaxTokens, Model

Temperature = Annotated[
    float, Number("a finite number above 0 (for the most likely token, decode greedily)", above=0)
]
TopP = Annotated[float, Number("a number above 0 and at most 1", above=0, below=np.nextafter(1, 2))]


@checked
def sample(
    model: Model, source: Source | None, max_tokens: "MaxTokens", rng: "Rng",
    temperature: Temperature = 1.0, top_k: Natural = 0, top_p: TopP = 1.0,
) -> np.ndarray:
    """Decode every row of `source` by drawing each token from the model's distribution, changed by
    these options.

        p = softmax(logits / temperature), then only the top_k likeliest tokens (0: all), then of
        these only the likeliest that together have probability top_p

    A low temperature is close to `greedy`, a high one to uniform. Returns ids as `greedy` does; PAD
    and BOS have probability 0, and `max_tokens` may be None.

    Each row draws from a generator of its own. If `rng` is a seed, it is made from the seed and the
    row's ids: equal rows get equal answers, in any batch and order. If it is a numpy Generator,
    each row gets a seed from it, in order: equal rows get different answers. Raises InputError for
    options that define no distribution.

    Sources: top-k: Fan et al. 2018; top-p: Holtzman et al. 2020, section 3.1.
    """
    generators = generators_of_rows(rng, source)

    def choose(logits, rows):
        return drawn(logits, [generators[row] for row in rows], temperature, top_k, top_p)

    return generate(model, source, max_tokens, choose)


def drawn(logits, generators, temperature, top_k, top_p):
    """An id for each row of logits (N, V), (N,), drawn by its own generator: see `sample`."""
    logits = logits.astype("float64")
    shifted = logits - logits.max(axis=-1, keepdims=True)                # so that the largest is 0
    with np.errstate(over="ignore"):
        p = distribution(shifted / temperature, top_k, top_p)            # (N, V)
    reached = p.cumsum(axis=-1)
    shares = array_module(p).asarray([[g.random()] for g in generators])  # (N, 1)
    return (reached > shares * reached[:, -1:]).argmax(axis=-1)


def generators_of_rows(rng, source):
    """A random generator for each row of source (B, S), padding left out: see `sample`."""
    rows = [[]] if source is None else [row[row != PAD].tolist() for row in as_numpy(source)]
    if isinstance(rng, numbers.Integral) and not isinstance(rng, bool):
        if rng < 0:
            raise InputError(f"A seed is a whole number of at least 0, got {rng}.")
        seeds = [int(rng)] * len(rows)
    else:
        seeds = expect(rng, Rng, "rng").integers(2**63, size=len(rows)).tolist()
    return [np.random.default_rng([seed, *row]) for seed, row in zip(seeds, rows)]


@checked
def distribution(
    logits: Annotated[Floats, "N, V"], top_k: Natural = 0, top_p: TopP = 1.0
) -> np.ndarray:
    """softmax over the likeliest tokens of each row, 0 for the others: (N, V), float64. Ties at the
    limit are kept."""
    xp = array_module(logits)
    logits = logits.astype("float64")
    if 0 < top_k < logits.shape[-1]:
        least = xp.sort(logits, axis=-1)[:, -top_k, None]                # (N, 1)
        logits = xp.where(logits >= least, logits, -np.inf)
    softmax = Softmax()
    p = softmax(logits)
    softmax.clear_saves()
    if top_p < 1:
        falling = -xp.sort(-p, axis=-1)
        before = falling.cumsum(axis=-1) - falling  # what the likelier ones have together
        least = xp.where(before < top_p, falling, 1).min(axis=-1, keepdims=True)
        p = xp.where(p >= least, p, 0)
        p = p / p.sum(axis=-1, keepdims=True)
    return p
