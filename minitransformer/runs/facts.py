"""The content of a checkpoint other than arrays, checked field by field before it is used."""

import re
import reprlib

import numpy as np

from ..core.options import expect_keys, expect_type
from ..data.pieces import CUTS
from ..data.vocabularies import KINDS, load_vocabulary
from ..data.vocabulary import EOS, SPECIAL, UNK
from ..errors import InputError, unknown

FIELDS = ("step", "config", "vocabulary", "random", "seconds", "example")
ADDED_LATER = ("longest_source", "shortest_source")
STEP = "0|[1-9][0-9]{0,17}"  # a step in a name: each number has one form
# the fields of each kind,
VOCABULARIES = {
    "symbols": ("tokens",), "pieces": ("tokens", "cut"), "subwords": ("tokenizer",),
    "characters": ("tokens",), "words": ("tokens",), "exact-characters": ("tokens",),
    "byte-pairs": ("merges",),
}
MAY_KEEP = {"pieces": ("followers", "thirds", "once")}                   # and the optional ones


def expect_facts(facts, generators):
    """Raise InputError, which names the field, unless a checkpoint can be opened with these facts.

    `generators` are that of the data, then those of the model; the states in the facts must have
    the same form. The config has been checked before (`expect_config`), and the vocabulary is when
    it is made (`vocabulary_of`).
    """
    expect_keys(facts, "facts", FIELDS, ADDED_LATER)
    _expect_from_0(facts["step"], int, "step")
    for name in ADDED_LATER:
        if facts.get(name) is not None:
            _expect_from_0(facts[name], int, name)
    _expect_from_0(facts["seconds"], float, "seconds")
    random = facts["random"]
    expect_keys(random, "random", ("data", "model"))
    expect_keys(random["data"], "random.data", ("random", "taken"))
    _expect_from_0(random["data"]["taken"], int, "random.data.taken")
    data, *model = generators
    _expect_like(random["data"]["random"], data.bit_generator.state, "random.data.random")
    _expect_like(random["model"], [g.bit_generator.state for g in model], "random.model")


def vocabulary_of(facts):
    """The vocabulary that a checkpoint describes. Raises InputError, which names the field, if the
    description is wrong."""
    expect_type(kind := facts.get("kind") if type(facts) is dict else None, str, "vocabulary.kind")
    if kind not in KINDS:
        raise unknown("kind of vocabulary", kind, KINDS)
    expect_keys(facts, "vocabulary", ("kind", *VOCABULARIES[kind]), MAY_KEEP.get(kind, ()))
    tokens = facts.get("tokens", [])
    if (
        type(tokens) is not list
        or not all(type(t) is str and t for t in tokens)
        or len({*SPECIAL, *tokens}) < len(SPECIAL) + len(tokens)
    ):
        raise InputError(
            "vocabulary.tokens must be texts, each once and none empty; got "
            f"{reprlib.repr(tokens)}."
        )
    if "cut" in VOCABULARIES[kind] and facts["cut"] not in [*CUTS]:
        raise unknown("cut", reprlib.repr(facts["cut"]), CUTS)
    for name in ("followers", "thirds"):
        if name in facts:
            _expect_followers(facts[name], name)
    if type(once := facts.get("once", [])) is not list or not all(
        type(word) is str for word in once
    ):
        raise InputError(f"vocabulary.once must be a list of words; got {reprlib.repr(once)}.")
    if "tokenizer" in facts:
        expect_type(facts["tokenizer"], str, "vocabulary.tokenizer")
    return load_vocabulary(facts)


def _expect_followers(followers, name):
    """Raise InputError unless it says for each word, a text, which words may follow: a list of
    texts."""
    lists = [*followers.values()] if type(followers) is dict else [None]
    if not all(type(words) is list and all(type(word) is str for word in words) for words in lists):
        raise InputError(
            f"vocabulary.{name} must name for each word a list of words; got "
            f"{reprlib.repr(followers)}."
        )


def expect_example(example, size, kind="pairs"):
    """Raise InputError unless it is a source and a target, lists of ids below `size` without
    padding, EOS last in the target; of a text, the first token and those behind it."""
    source_and_target = kind == "pairs"
    least = UNK if source_and_target else EOS
    expect = "example must be the ids of a source and of a target" + (
        " that ends with EOS" * source_and_target
    )
    if (
        type(example) is not list
        or len(example) != 2
        or not all(type(ids) is list and ids for ids in example)
    ):
        raise InputError(f"{expect}, got {reprlib.repr(example)}.")
    source, target = example
    if (source_and_target and target[-1] != EOS) or not all(
        type(i) is int and least <= i < size
        for i in (*source, *(target[:-1] if source_and_target else target))
    ):
        raise InputError(
            f"{expect}, all{' others' * source_and_target} from {least} to {size - 1}; got "
            f"{reprlib.repr(example)}."
        )


def expect_snapshots(snapshots, example):
    """Raise InputError unless each is attention (layers, H, T, S) over the example's sequence, its
    name a step."""
    source, target = map(len, example)
    for step, weights in snapshots.items():
        fits = weights.ndim == 4 and weights.shape[2:] in (
            (target, source),
            (source + target, source + target),
            (target, target),
        )
        if not re.fullmatch(STEP, step) or not fits:
            raise InputError(
                f"The snapshot moments/{step} of shape {weights.shape} is no attention of the "
                f"example: {target} targets, {source} sources."
            )


def expect_earlier(earlier, count):
    """Raise InputError unless each is `count` finite numbers, all weights of the model, its name a
    step."""
    for step, weights in earlier.items():
        if not re.fullmatch(STEP, step) or weights.shape != (count,):
            raise InputError(
                f"earlier/{step} of shape {weights.shape} is not the {count:,} weights of this "
                "model after a step."
            )
        if not np.isfinite(weights).all():
            raise InputError(f"earlier/{step} has weights that are infinite or NaN.")


def _expect_from_0(value, kind, name):
    expect_type(value, kind, name)
    if not 0 <= value < 2**63:
        raise InputError(f"{name} must be a number from 0 on, got {reprlib.repr(value)}.")


def _expect_like(state, model, name):
    """Raise InputError unless a generator's state has the form of another's: its keys, its texts,
    whole numbers from 0 on."""
    if type(model) is dict:
        expect_keys(state, name, [*model])
        for key, value in model.items():
            _expect_like(state[key], value, f"{name}.{key}")
    elif type(model) is list:
        if type(state) is not list or len(state) != len(model):
            raise InputError(
                f"{name} must be a list of {len(model)} states, got {reprlib.repr(state)}."
            )
        for place, value in enumerate(model):
            _expect_like(state[place], value, f"{name}.{place}")
    elif type(model) is str and state != model:
        raise InputError(f"{name} must be {model!r}, got {reprlib.repr(state)}.")
    elif type(model) is not str:
        most = {"has_uint32": 2, "uinteger": 2**32}.get(name.rpartition(".")[2], 2**128)
        if type(state) is not int or not 0 <= state < most:
            raise InputError(
                f"{name} must be a whole number from 0 to {most - 1}, got {reprlib.repr(state)}."
            )
