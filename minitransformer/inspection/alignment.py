"""Does cross-attention attend to the source token from which the target token is made?"""

import numpy as np

from ..attention import attention_maps, keep_weights
from ..backend import as_numpy
from ..boundary import Count, Natural, checked
from ..core.evaluating import evaluating
from ..core.module import Module
from ..data.batching import ABatch, make_batch
from ..data.split import Split
from ..data.task import Task
from ..data.vocabulary import PAD
from .attention import by_words


@checked
def alignment_fractions(
    model: Module, task: Task, split: Split = "test", count: Count = 1000, seed: Natural = 0
) -> dict[str, float]:
    """In how many rows does cross-attention have its largest weight on the source token from which
    the target token is made?

    For a task with an `alignment` (copy: the diagonal; reverse: the anti-diagonal), over all real
    rows of `count` different sequences of a split, except the row that produces EOS. Returns {name:
    fraction}; the name says the layer and the head (from 1), or the layer's mean over heads. Empty
    for models without cross-attention, and other tasks.
    """
    if task.alignment(1) is None:
        return {}
    source, target = task.sample(np.random.default_rng(seed), count, split, distinct=True)
    batch = make_batch(source, target)
    lengths = (target != PAD).sum(axis=1)
    expected = np.full(batch.target_in.shape, -1)                        # (B, T)
    for row, length in enumerate(lengths):
        expected[row, :length] = task.alignment(length)
    real = expected >= 0
    fractions = {}
    for layer, weights in enumerate(cross_attention(model, batch), start=1):  # (B, H, T, S)
        for head in range(weights.shape[1]):
            looks = weights[:, head].argmax(axis=-1)                     # (B, T)
            fractions[f"layer {layer} head {head + 1}"] = float((looks == expected)[real].mean())
        looks = weights.mean(axis=1).argmax(axis=-1)
        fractions[f"layer {layer} mean of heads"] = float((looks == expected)[real].mean())
    return fractions


@checked
def cross_attention(model: Module, batch: ABatch) -> list[np.ndarray]:
    """P (B, H, T, S) of each layer's cross-attention, with the true tokens fed in; none for a model
    without."""
    with evaluating(model), keep_weights(model):
        model(batch.source, batch.target_in)
    return [
        as_numpy(weights)
        for name, weights in attention_maps(model).items()
        if "cross_attention" in name
    ]


@checked
def first_word_fractions(
    model: Module, task: Task, split: Split = "test", count: Count = 1000, seed: Natural = 0,
    batch_size: Count = 250,
) -> dict[str, dict[str, float]]:
    """Where does cross-attention attend while the answer's first word is written, if that word
    occurs in the question?

    For a task that `copies_first_word`, over `count` different pairs of a split, with the true
    answer fed in and whole words as in `by_words`. Returns {name: {"largest", "half", "weight"}}:
    the fraction of pairs in which no other word of the question has a larger weight, the fraction
    in which that word has more than half of all weight, and its mean weight. The name says layer
    and head (from 1), or the layer's mean over heads; "equal weights" is the result of equal
    weights for all tokens, for comparison, because a sum over tokens is larger for long words.
    Empty for models without cross-attention, and other tasks.
    """
    if not task.copies_first_word:
        return {}
    source, target = task.sample(np.random.default_rng(seed), count, split, distinct=True)
    found = {}
    for start in range(0, len(source), batch_size):
        rows = slice(start, start + batch_size)
        batch = make_batch(source[rows], target[rows])
        maps = cross_attention(model, batch)
        for row in range(len(batch.target_in)):
            for name, looks, place in looks_at_first_word(task.vocabulary, batch, row, maps):
                found.setdefault(name, []).append(
                    (looks.argmax() == place, looks[place] > 0.5, looks[place])
                )
    means = {name: np.mean(rows, axis=0).tolist() for name, rows in found.items()}
    return {
        name: dict(zip(("largest", "half", "weight"), values)) for name, values in means.items()
    }


def looks_at_first_word(vocabulary, batch, row, maps):
    """(name, weights of the question's words while the answer's first word is written, index of
    that word), for each map."""
    question, answer = (
        vocabulary.words(vocabulary.decode(ids[row])) for ids in (batch.source, batch.target_out)
    )
    words = [vocabulary.join(word).strip(" ,").lower() for word in question]
    place, sizes = words.index(vocabulary.join(answer[0]).lower()), [len(word) for word in question]
    if maps:
        yield "equal weights", np.array(sizes) / sum(sizes), place
    for layer, weights in enumerate(maps, start=1):                      # (B, H, T, S)
        tokens = weights[row, :, : len(answer[0]), : sum(sizes)]
        heads = by_words(tokens, [len(answer[0])], sizes)[:, 0]          # (H, words)
        yield from (
            (f"layer {layer} head {head}", looks, place)
            for head, looks in enumerate(heads, start=1)
        )
        yield f"layer {layer} mean of heads", heads.mean(axis=0), place
