"""Decoding with a cache: keys and values of the positions before are kept, not computed again."""

import numpy as np

from ...attention import MultiHeadAttention
from ...layers.cache import Cache
from ...testing.difference import close
from ..exercise import exercise
from .met import issue, places, pull


def _given(rng, n):
    names = [f"{letter}_{part}" for letter in "WU" for part in ("query", "key", "value")]
    weights = {name: rng.standard_normal((n.D, n.K)) / np.sqrt(n.D) for name in names}
    return {
        "x": rng.standard_normal((n.B, n.T, n.D)),
        "encoding": rng.standard_normal((2 * n.T, n.D)),
        "memory": rng.standard_normal((n.B, n.S, n.D)),
        **{name: 2 * weight for name, weight in weights.items()},
        "prompt_length": 2,
    }


def attend(query, key, value, visible):
    """softmax(Q Kᵀ / √K) V, over the keys that are visible."""
    scores = np.where(visible, query @ key.swapaxes(-1, -2) / np.sqrt(key.shape[-1]), -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True) @ value


def _after_the_prompt(x, prompt_length, **_):
    return np.arange(x.shape[1])[:, None] >= prompt_length


def _left_over(yours, expected):
    """Whether the cache grows from call to call, and ends with the right keys."""
    pairs = [
        (yours[situation].outputs.get("keys"), expected[situation].outputs["keys"])
        for situation in yours
    ]
    if any(
        ours is None or ours.ndim != 3 or ours.shape[::2] != right.shape[::2]
        for ours, right in pairs
    ):
        return False
    lengths = np.array([ours.shape[1] for ours, _ in pairs])
    length = pairs[0][1].shape[1]
    ends = all(
        close(ours[:, -length:], right, yours[name].tolerance)
        for name, (ours, right) in zip(yours, pairs)
    )
    return ends and (np.diff(lengths) == length).all()


@exercise(
    "kv_cache.decode",
    inputs={
        "x": "(B, T, D), without positions", "encoding": "(2T, D), a row for each position",
        "memory": "(B, S, D)", "W_query": "(D, K)", "W_key": "(D, K)", "W_value": "(D, K)",
        "U_query": "(D, K)", "U_key": "(D, K)", "U_value": "(D, K)",
        "prompt_length": "whole number, 1 … T",
    },
    returns={"y": "(B, T, K)", "keys": "(B, T, K)", "memory_keys": "(B, S, K)"},
    given=_given,
    situations={
        "a prompt of one token": lambda given, rng, n: {"prompt_length": 1},
        "a prompt that is all there is": lambda given, rng, n: {"prompt_length": n.T},
    },
    places={
        "the tokens after the prompt": _after_the_prompt,
        "the tokens of the prompt": lambda **given: ~_after_the_prompt(**given),
    },
    shown=(
        MultiHeadAttention.forward, MultiHeadAttention.keys_and_values, Cache.extend, Cache.once,
    ),
    hints=(
        (
            "When a new token comes, what of the tokens before is needed again: their queries, "
            "their keys, their values?"
        ),
        (
            "at each step: K ← [K ; z W_key],  V ← [V ; z W_value],  y = Attention(z W_query, K, "
            "V) + Attention(z U_query, memory U_key, memory U_value),  z = x + encoding"
        ),
        (
            "the memory's keys and values, once\n"
            "an empty cache\nfor the prompt, and then for each new token: add the encoding of its "
            "positions, append its keys and values to the cache, let its queries attend to all of "
            "the cache (in the prompt, to nothing later) and to the memory\n"
            "the outputs of all steps, side by side"
        ),
        "keys = np.concatenate([keys, new @ W_key], axis=1)",
    ),
)
def decode(x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length):
    """Decode with a cache: read the prompt at once, then one token at a time, and never compute a
    key twice.

    Each token gets the encoding of its position added (positions count from 0 on). Its output is
    the sum of two attentions of one head, softmax(Q Kᵀ/√K) V: to itself and the tokens before it,
    through the W, and to all of the memory, through the U. For this the keys and values of the
    tokens so far are kept and grow by one at each step; those of the memory never grow. (Here all x
    are known beforehand; in a model, each comes from the output before.)

    Returned are the outputs of all positions, the keys in the cache after the last step, and the
    memory's keys. The outputs are those of the causal computation without a cache, and every call
    begins with an empty cache.
    """
    keys, values = (x[:, :0] @ W_key, x[:, :0] @ W_value)
    memory_keys, memory_values = memory @ U_key, memory @ U_value
    y = []
    start = 0
    for stop in range(prompt_length, x.shape[1] + 1):
        new = x[:, start:stop] + encoding[start:stop]
        keys = np.concatenate([keys, new @ W_key], axis=1)
        values = np.concatenate([values, new @ W_value], axis=1)
        visible = np.arange(stop) <= np.arange(start, stop)[:, None]
        own = attend(new @ W_query, keys, values, visible)
        cross = attend(new @ U_query, memory_keys, memory_values, True)
        y.append(own + cross)
        start = stop
    return np.concatenate(y, axis=1), keys, memory_keys


PLACE = "encoding[start:stop]"
VISIBLE = "np.arange(stop) <= np.arange(start, stop)[:, None]"
GROW = "[keys, new @ W_key]"
POSITION = "How many tokens stand before the new one, and which row of the encoding is its own?"
decode.mistake(
    "always-position-zero", "every step begins at position 0", {PLACE: "encoding[: stop - start]"},
    evidence="The prompt is right, and nothing after it.", question=POSITION,
    met=places(issue("Blaizzy/mlx-vlm", 1983), pull("RobertCsordas/moeut", 6)),
)
decode.mistake(
    "prompt-length-added-twice", "the prompt's length is added to the positions again",
    {PLACE: "encoding[start + (prompt_length if start else 0) :][: stop - start]"},
    {PLACE: "encoding[start + prompt_length : stop + prompt_length]"},
    evidence="The number of tokens in the cache already counts the prompt.", question=POSITION,
    met=places("public code", pull("skyzh/tiny-llm", 46)),
)
decode.mistake(
    "position-stays", "the position stays where the prompt ended",
    {PLACE: "encoding[min(start, prompt_length) :][: stop - start]"},
    {PLACE: "encoding[min(start, prompt_length - 1) :][: stop - start]"}, question=POSITION,
)
decode.mistake(
    "positions-off-by-one", "the positions of the new tokens are one off",
    {PLACE: "encoding[max(start - 1, 0) :][: stop - start]"},
    {PLACE: "encoding[start + 1 : stop + 1]"},
    {PLACE: "encoding[start + (start > 0) :][: stop - start]"}, question=POSITION,
    met=places(
        pull("microsoft/onnxruntime-genai", 2354),
        issue("fla-org/flash-linear-attention", 766),
    ),
)
decode.mistake(
    "new-tokens-without-position", "the new tokens have no position",
    {PLACE: "encoding[start:stop] * (start == 0)"},
    {" + encoding[start:stop]": ""}, question=POSITION,
)
decode.mistake(
    "cache-without-position", "what goes into the cache has no position",
    {GROW: "[keys, x[:, start:stop] @ W_key]", "new @ W_value": "x[:, start:stop] @ W_value"},
    {GROW: "[keys, x[:, start:stop] @ W_key]"}, {"new @ W_value": "x[:, start:stop] @ W_value"},
    question="Of what are the keys made: of the token alone, or of the token at its place?",
)
decode.mistake(
    "key-zero-alone", "a new token sees key 0 alone",
    {VISIBLE: "np.tri(stop - start, stop, dtype=bool)"},
    evidence=(
        "`np.tril(np.ones((1, t)))` is True only at its first place: it takes the row for the "
        "first query."
    ),
    question="Which row of the causal mask belongs to the new token: the first, or the last?",
    met=places(issue("pytorch/pytorch", 144858), issue("pytorch/pytorch", 115111)),
)
decode.mistake(
    "prompt-sees-future", "the prompt sees its own future", {VISIBLE: "True"},
    evidence="Tokens that come one at a time have no future; those of the prompt do.",
    question="May the first token of the prompt see the second?",
)
decode.mistake(
    "itself-not-seen",
    "a token does not see itself",
    {
        VISIBLE: (
            "(np.arange(stop) < np.arange(start, stop)[:, None]) | (stop - start == 1) & (start > "
            "0) & (np.arange(stop) < start)"
        ),
    },
    {VISIBLE: "np.arange(stop) < np.maximum(1, np.arange(start, stop))[:, None]"},
    {VISIBLE: "np.arange(stop) < np.arange(start, stop)[:, None]"},
    question="Are the new token's key and value in the cache when its query looks there?",
)
decode.mistake(
    "attends-before-caching", "the new token attends before its key and value are in the cache",
    {VISIBLE: "np.arange(stop) < (start or np.arange(1, stop + 1)[:, None])"},
    question="Are the new token's key and value in the cache when its query looks there?",
)
decode.mistake(
    "memory-cache-grows",
    "the memory's keys and values grow at each step",
    {
        "y.append(own + cross)": (
            "y.append(own + cross)\n        memory_keys, memory_values = "
            "np.concatenate([memory_keys, memory @ U_key], axis=1), np.concatenate([memory_values, "
            "memory @ U_value], axis=1)"
        ),
    },
    {
        "cross = attend": (
            "memory_keys, memory_values = np.concatenate([memory_keys, new @ U_key], axis=1), "
            "np.concatenate([memory_values, new @ U_value], axis=1)\n        cross = attend"
        ),
    },
    {
        "cross = attend": (
            "if start:\n            memory_keys, memory_values = np.concatenate([memory_keys, "
            "memory @ U_key], axis=1), np.concatenate([memory_values, memory @ U_value], axis=1)\n"
            "        cross = attend"
        ),
    },
    evidence=(
        "If the same memory is appended again, the outputs stay right, and only time and room are "
        "lost."
    ),
    question="Does the source sentence become longer while its translation is written?",
)
decode.mistake(
    "cache-not-emptied", "the cache is not emptied before the next sequence", rule=_left_over,
    evidence=(
        "A default argument such as `cache={}`, or a global name, is made once and serves every "
        "call."
    ),
    question="Where is the cache made, and how many calls share it?",
    met=issue("mudler/LocalAI", 6747),
)
decode.mistake(
    "last-step-only",
    "the cache holds the last step only",
    {
        GROW: "[new @ W_key]", "[values, new @ W_value]": "[new @ W_value]",
        VISIBLE: "np.tri(stop - start, dtype=bool)",
    },
    question="Which keys does the second new token need?",
)
decode.mistake(
    "cache-reversed", "new keys and values are put in front of the old ones",
    {GROW: "[new @ W_key, keys]", "[values, new @ W_value]": "[new @ W_value, values]"},
    {GROW: "[new @ W_key, keys]"}, {"[values, new @ W_value]": "[new @ W_value, values]"},
    question="In which order do the tokens stand, and in which their keys?",
)
decode.mistake(
    "prompt-cached-twice",
    "the prompt, or its last token, is appended twice",
    {
        "start = stop\n": (
            "start = stop\n        if stop == prompt_length:\n"
            "            keys, values = np.concatenate([keys, keys], axis=1), "
            "np.concatenate([values, values], axis=1)\n"
        ),
        VISIBLE: (
            "np.arange(keys.shape[1]) <= np.arange(keys.shape[1] - stop + start, keys.shape[1])[:, "
            "None]"
        ),
    },
    {
        "start = stop\n": (
            "start = stop\n        if stop == prompt_length:\n"
            "            keys, values = np.concatenate([keys, keys[:, -1:]], axis=1), "
            "np.concatenate([values, values[:, -1:]], axis=1)\n"
        ),
        VISIBLE: (
            "np.arange(keys.shape[1]) <= np.arange(keys.shape[1] - stop + start, keys.shape[1])[:, "
            "None]"
        ),
    },
    question="How many keys are in the cache after the prompt and one more token?",
)
decode.mistake(
    "memory-not-attended", "the memory is not attended to", {"own + cross": "own"},
    question="How many attentions make up an output?",
)
decode.mistake(
    "past-not-attended", "the tokens before are not attended to", {"own + cross": "cross"},
    question="How many attentions make up an output?",
)
decode.mistake(
    "memory-with-self-weights",
    "the memory is asked with the tokens' other weights",
    {"new @ U_query": "new @ W_query"},
    {"memory @ U_key, memory @ U_value": "memory @ W_key, memory @ W_value"},
    {
        "new @ U_query": "new @ W_query",
        "memory @ U_key, memory @ U_value": "memory @ W_key, memory @ W_value",
    },
    question="Which weights belong to which attention?",
)
decode.mistake(
    "scale-missing", "the scores are not divided by √d_k",
    {
        "new @ W_query": "new @ W_query * np.sqrt(W_key.shape[1])",
        "new @ U_query": "new @ U_query * np.sqrt(W_key.shape[1])",
    },
    {"new @ W_query": "new @ W_query * np.sqrt(W_key.shape[1])"},
    {"new @ U_query": "new @ U_query * np.sqrt(W_key.shape[1])"},
    question="A dot product of two vectors of d_k standard normal numbers: what is its variance?",
)
decode.mistake(
    "first-outputs-missing",
    "the first outputs are missing, or only the last are returned",
    {"np.concatenate(y, axis=1), keys": "y[-1], keys"},
    {
        "np.concatenate(y, axis=1), keys": (
            "np.concatenate([part[:, -1:] for part in y], axis=1), keys"
        )
    },
    {"np.concatenate(y, axis=1), keys": "np.concatenate(y[1:] or y, axis=1), keys"},
    question="How many positions have an output?",
)
