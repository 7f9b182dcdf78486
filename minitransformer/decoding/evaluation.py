"""How good is a model on sequences that it was never trained on?"""

import math
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np

from ..backend import as_numpy
from ..boundary import Count, Having, Natural, checked
from ..core.evaluating import evaluating
from ..data.batching import make_batch
from ..data.split import Split
from ..data.task import Task
from ..data.vocabulary import PAD, UNK
from ..errors import InputError
from ..layers.cross_entropy import CrossEntropy
from ..models.sequence_model import SequenceModel
from ..parallel.in_order import in_order
from .limits import writable
from .translation import Jobs, Search, answers, expect_same_call, workers

Answering = Annotated[
    SequenceModel, Having("a model, such as a Transformer", "__call__", "eval")
]


@checked
def evaluate(
    model: Answering, task: Task, split: Split = "validation", count: Count = 1000,
    seed: Natural = 0, batch_size: Count = 250, search: Search | None = None,
    jobs: Jobs | None = 1,
) -> dict[str, Any]:
    """Measure a model on `count` different sequences of a split, drawn by the seed.

    Returns a dict: `sequences` (how many; fewer than asked for if no more exist), `trained_on` (how
    many of their sources are among those of training), `exact_match` (the share that is answered
    right; never one whose target holds <unk>), `token_accuracy` and `loss` (with the true tokens
    fed in, without label smoothing), and `exact_match_by_length` {source length: share}.

    With a `search`, as `translate` takes one, an answer is right if its text is that of the target:
    what is measured is what `translate` answers. Without, it is that of greedy decoding, EOS
    included, and quick: one forward with the true tokens fed in decides it. As long as greedy
    decoding makes no mistake it has fed itself those very tokens; so it is right to the end exactly
    if every token is the most likely one here.

    `jobs` processes work side by side, as in `answers`; no figure depends on how many.
    """
    expect_kind(task, "pairs")
    source, target = task.sample(np.random.default_rng(seed), count, split, distinct=True)
    expect_same_call(jobs, model, search, batch_size, source, target)

    def measured(start):
        rows = slice(start, start + batch_size)
        batch = make_batch(source[rows], target[rows])
        real = batch.target_out != PAD
        with evaluating(model):
            logits = model(batch.source, batch.target_in)
            loss = float(CrossEntropy(padding=PAD)(logits, batch.target_out)) * real.sum()
        said = as_numpy(writable(logits).argmax(axis=-1))
        # <unk> stands for what it was not: nobody can answer it right
        wrong = ((said != batch.target_out) | (batch.target_out == UNK)) & real  # (B, T)
        return ~wrong.any(axis=1), int(real.sum() - wrong.sum()), int(real.sum()), loss

    starts = range(0, len(source), batch_size)
    parts = zip(*in_order(measured, starts, workers(model, jobs)))
    exact, right, tokens, loss = np.concatenate(next(parts)), *map(sum, parts)
    if search is not None:
        sources = [ids[ids != PAD] for ids in source]
        written = answers(model, sources, search, jobs=jobs)
        text = task.vocabulary.text
        exact = np.array([
            text(ids) == text(right) and UNK not in right for ids, right in zip(written, target)
        ])  # fmt: skip
    lengths = (source != PAD).sum(axis=1)
    return {
        "sequences": len(source),
        "trained_on": len(source) if split == "train" else task.trained_on(source),
        "exact_match": float(exact.mean()),
        "token_accuracy": right / tokens,
        "loss": loss / tokens,
        "exact_match_by_length": {
            int(n): float(exact[lengths == n].mean()) for n in np.unique(lengths)
        },
    }


@checked
def evaluate_text(
    model: Answering, task: Task, split: Split = "validation", count: Count = 1000,
    seed: Natural = 0, jobs: Jobs | None = 1,
) -> dict[str, Any]:
    """Measure a language model on `count` different windows of a text, drawn by the seed.

    Returns a dict: `windows` (how many; fewer than asked for if no more exist), `tokens` that were
    predicted, `loss` (nats a token), `perplexity` exp(loss), `bits_per_character` and
    `bits_per_byte`: loss · tokens / (characters · ln 2). `unigram_loss` and `bigram_loss` are what
    counts of the training text reach on the same windows (`data/ngrams.py`), each also in bits per
    character.

    Each token is predicted from those before it in its window, so the first ones from few. `jobs`
    processes work side by side, as in `answers`.
    """
    expect_kind(task, "text")
    text: Any = task  # with the methods of `data.text.Text`
    windows = text.windows(split, count, seed)                           # (N, n+1)
    expect_same_call(jobs, model, None, windows)
    tokens, classes = windows[:, 1:].size, len(text.vocabulary)
    at_once = max(1, LOGITS // (windows.shape[1] * classes))

    def measured(start):
        rows = windows[start : start + at_once]
        with evaluating(model):
            return float(CrossEntropy()(model(None, rows[:, :-1]), rows[:, 1:])) * len(rows)

    loss, starts = 0.0, range(0, len(windows), at_once)
    for part in in_order(measured, starts, workers(model, jobs)):
        loss += part
    losses = {"": loss / len(windows), **text.baselines(split, count, seed)}
    characters, size = text.size_of(windows)
    result: dict[str, Any] = {"windows": len(windows), "tokens": tokens}
    for name, value in losses.items():
        result[f"{name}_loss".lstrip("_")] = value
        result[f"{name}_bits_per_character".lstrip("_")] = bits(value, tokens, characters)
    result["bits_per_byte"] = bits(losses[""], tokens, size)
    result["perplexity"] = math.exp(min(700, losses[""]))  # e^710 is no float
    return result


def expect_kind(task, kind):
    """Raise InputError unless the task is of this kind; it names the right function."""
    if task.kind != kind:
        raise InputError(
            f"The kind of this task is {task.kind}: measure it with "
            f"{MEASURES[task.kind].__name__}."
        )


def bits(loss, tokens, parts):
    """A loss in nats a token as bits a part, of which the tokens make so many."""
    return loss * tokens / (max(1, parts) * math.log(2))


LOGITS = 2**22  # that are in memory at once
# for each kind of task
MEASURES: dict[str, Callable[..., Any]] = {"pairs": evaluate, "text": evaluate_text}
