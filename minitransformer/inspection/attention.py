"""The attention weights of one sequence, by kind: the numbers in the pictures."""

import copy
from collections.abc import Sequence
from typing import Annotated

import numpy as np

from ..attention import attention_maps, attentions, keep_weights, kept_apart
from ..backend import array_module, as_numpy
from ..boundary import Count, Floats, ListOf, Natural, SequenceOfIds, checked
from ..core.evaluating import evaluating
from ..core.module import Module
from ..core.observe import observe
from ..data.vocabulary import BOS
from ..errors import InputError
from ..layers import Embedding, Softmax

AT_ONCE = 2**17  # of all copies in a batch, the squares of their lengths

Source = Annotated[SequenceOfIds, "S"]
Target = Annotated[SequenceOfIds, "T"]
Sizes = Annotated[
    Sequence[int], ListOf(Count, "a list of whole numbers of at least 1, the words' sizes")
]


@checked
def attention_weights(
    model: Module, source: Source | None, target: Target, begin: Natural = BOS
) -> dict[str, np.ndarray]:
    """The attention weights while one target sequence is produced: {kind: P (layers, heads, T, S)},
    NumPy arrays.

    `source` and `target` are ids, (S,) and (T,). The target is what the model produces, EOS
    included and BOS not: the model reads [BOS, target without its last] and row t of P belongs to
    the step that produces target token t.

    A Transformer has the kinds "encoder" (S, S), "decoder" (T, T) and "cross" (T, S). A
    LanguageModel has "self" (S + T, S + T) over [source, BOS, target without its last]; its source
    may be None. `begin` is the id that is read in place of BOS: of a text, the token before.

    The model runs in eval mode under no_grad and is left as it was. Raises InputError for ids that
    are not one sequence of integers, a target that begins with BOS, and a model without attention.
    """
    source, target_in = read_by(model, source, target, begin)
    with kept_apart(), evaluating(model), keep_weights(model):
        model(source, target_in)
        maps = attention_maps(model)
    return by_kind({path: as_numpy(weights)[0] for path, weights in maps.items()})


@checked
def source_gradients(model: Module, source: Source, target: Target) -> np.ndarray:
    """How much each source token matters to each target token: ‖∂ log p(y_t) / ∂ x_s‖, (T, S),
    NumPy.

    x_s is the embedding of source token s. Unlike attention weights, every model has these, with
    attention or without, and they include all paths from s to t. `source` (S,) and `target` (T,)
    are ids as for `attention_weights`.

    Many rows come from one backward: of a batch of copies of the sequence, each with a gradient at
    one step alone. Of a long sequence a batch has few copies, so that its memory stays that of a
    training step. The model itself is not touched. Raises InputError for ids that are not one
    sequence of integers, a target that begins with BOS, or a model that passes its source to no
    `Embedding`.
    """
    source, target_in = one_sequence("source", source), shifted_right(target)
    count = max(1, AT_ONCE // (len(source) + len(target_in)) ** 2)
    parts = np.split(np.arange(len(target_in)), range(count, len(target_in), count))
    rows = [_source_gradients(model, source, target_in, as_numpy(target), steps) for steps in parts]
    return np.concatenate(rows)


def _source_gradients(model, source, target_in, target, steps):
    """The rows (len(steps), S) of `source_gradients` that belong to these steps."""
    model = copy.deepcopy(model).eval()
    model.clear_saves()
    xp = array_module(model.parameters()[0].data)
    target = target[steps]
    sources, targets = (
        xp.asarray(np.repeat(ids[None], len(steps), axis=0)) for ids in (source, target_in)
    )
    # the input of a decoder-only model: the source, then the target
    both = (len(steps), len(source) + len(target_in))
    # {path of an embedding: for each of its forwards, whether it read the source}
    reads_source, found = {}, []

    def after_forward(path, component, inputs, output):
        if isinstance(component, Embedding):
            reads_source.setdefault(path, []).append(
                inputs[0] is sources or inputs[0].shape == both
            )

    def after_backward(path, component, inputs, output):
        if isinstance(component, Embedding) and reads_source[path].pop():
            found.append(as_numpy(inputs[0])[:, : len(source)])

    with observe(model, after_forward, after_backward):
        logits = model(sources, targets)                                 # (steps, T, V)
        d_logits = xp.zeros_like(logits)
        copies, steps = xp.arange(len(steps)), xp.asarray(steps)
        d_logits[copies, steps] = log_probability_gradient(logits[copies, steps], target)
        model.backward(d_logits)
    if not found:
        raise InputError(
            f"{type(model).__name__} passes its source to no Embedding: neither the array itself, "
            "nor one array with source and target."
        )
    return np.linalg.norm(found[0], axis=-1)                             # (steps, S)


@checked
def attention_gradients(
    model: Module, source: Source | None, target: Target, begin: Natural = BOS
) -> dict[str, np.ndarray]:
    """Where larger scores would raise a sequence's probability: {kind: ∂ Σ_t log p(y_t) / ∂ S
    (layers, heads, T, S)}.

    S are the inputs of softmax; as softmax ignores a shift, each row sums to zero. Ids, kinds and
    errors as for `attention_weights`. The model itself is not touched.
    """
    source, target_in = read_by(model, source, target, begin)
    model = copy.deepcopy(model).eval()
    model.clear_saves()
    with keep_weights(model):
        logits = model(source, target_in)                                # (1, T, V)
        model.backward(log_probability_gradient(logits[0], as_numpy(target))[None])
    softmax, gradients = Softmax(), {}
    for path, m in attentions(model).items():
        softmax.save(m.weights)
        gradients[path] = as_numpy(softmax.backward(m.d_weights))[0]     # (H, T, S)
    return by_kind(gradients)


def read_by(model, source, target, begin=BOS):
    """(source (1, S) or None, target_in (1, T)) as the model reads them while it produces the
    target."""
    if not attentions(model):
        raise InputError(f"{type(model).__name__} has no attention.")
    xp = array_module(model.parameters()[0].data)
    target_in = xp.asarray(shifted_right(target, begin)[None])
    if source is None and hasattr(model, "encoder"):
        raise InputError(f"A {type(model).__name__} attends to a source: pass its ids.")
    return None if source is None else xp.asarray(one_sequence("source", source)[None]), target_in


def by_kind(maps):
    """{kind: (layers, heads, T, S)} from {path of an attention: (heads, T, S)}."""
    layers = {}
    for path, values in maps.items():
        layers.setdefault(kind_of(path), []).append(values)
    return {kind: np.stack(values) for kind, values in layers.items()}


def log_probability_gradient(logits, target):
    """∂ log p(target_t) / ∂ logits_t = onehot − softmax.  logits (T, V), target (T,)"""
    gradient = -Softmax()(logits)
    xp = array_module(gradient)
    gradient[xp.arange(len(target)), xp.asarray(target)] += 1
    return gradient


@checked
def by_words(
    weights: Annotated[Floats, "..., T, S"], query_sizes: Sizes, key_sizes: Sizes
) -> np.ndarray:
    """Attention between words from attention between tokens: (…, T, S) → (…, words of T, words of
    S).

    The sizes say how many tokens each word has. The weight of a word is the sum over its tokens as
    keys, and the mean over its tokens as queries, so that rows still sum to one.
    """
    starts = lambda sizes: np.cumsum([0, *sizes[:-1]])  # noqa: E731
    to_words = np.add.reduceat(weights, starts(key_sizes), axis=-1)
    return np.add.reduceat(to_words, starts(query_sizes), axis=-2) / np.reshape(
        query_sizes, (-1, 1)
    )


def kind_of(path):
    """"cross", "encoder", "decoder" or "self", from the path of an attention in its model."""
    stack = path.split(".")[0]
    if "cross_attention" in path:
        return "cross"
    return stack if stack in ("encoder", "decoder") else "self"


def shifted_right(target, begin=BOS):
    """The decoder's input for the target (T,): BOS, or another token that it begins behind, then
    the target without its last token."""
    target = one_sequence("target", target)
    if target[0] == BOS:
        raise InputError(
            "The target begins with BOS; pass only what the model produces, without BOS."
        )
    return np.concatenate([[begin], target[:-1]])


def one_sequence(name, ids):
    """ids as a NumPy array (n,). Raises InputError unless they are one sequence of integers, not
    empty."""
    ids = as_numpy(ids)
    if ids.ndim != 1 or ids.size == 0 or not np.issubdtype(ids.dtype, np.integer):
        raise InputError(
            f"The {name} is one sequence of integer ids, of shape (n,); got {ids.dtype} of shape "
            f"{ids.shape}. From a batch, take one row."
        )
    return ids
