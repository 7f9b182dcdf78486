"""The exercises on attention: their right versions against the package's components and against
central differences, right answers in other styles, and wrong ones that nobody patched together from
right ones.
"""

import numpy as np
import pytest
from common import close

from minitransformer import attention
from minitransformer.attention import causal_mask, padding_mask
from minitransformer.backend import query_key_product
from minitransformer.grading import check
from minitransformer.grading.exercise import EXERCISES
from minitransformer.grading.sizes import TWINS, sizes_for
from minitransformer.layers import SinusoidalPositionalEncoding, Softmax
from minitransformer.layers.positional_encoding import sinusoids

SEEDS = (0, 1, 2)
STEP = 1e-5


def situations(exercise):
    """(name, inputs) of every situation, with sizes that cannot be confused and with equal ones."""
    exercise = EXERCISES[exercise]
    for sizes in (*map(sizes_for, SEEDS), *TWINS.values()):
        yield from exercise.draw(np.random.default_rng(5), sizes).items()


def outputs(exercise, given):
    values = exercise(**given)
    return dict(zip(exercise.returns, values if isinstance(values, tuple) else (values,)))


# -- against the package ---------------------------------------------------------------------------


def dot_product(query, key, value, mask, d_context=None):
    component = attention.ScaledDotProductAttention()
    context = component(query, key, value, mask)
    return context if d_context is None else component.backward(d_context)


def component_backward(component, d_y, *inputs):
    component(*inputs)
    return component.backward(d_y)


def multi_head_of(g):
    component = attention.MultiHeadAttention(
        g["x"].shape[-1], g["heads"], np.random.default_rng(0)
    ).to("float64")
    for name in ("query", "key", "value", "output"):
        getattr(component, name).weight.data[...] = g[f"W_{name}"]
    return component


def multi_head_backward(g):
    component = multi_head_of(g)
    component(g["x"], g.get("memory"), g["mask"])
    d_inputs = component.backward(g["d_y"])
    d_inputs = d_inputs if isinstance(d_inputs, tuple) else (d_inputs,)
    return *d_inputs, *(
        getattr(component, name).weight.grad for name in ("query", "key", "value", "output")
    )


def moved_code(offset, features):
    """R, from what it does to the codes of many positions."""
    codes = sinusoids(4 * features, features)
    first = max(0, -offset)
    before, after = codes[first : 3 * features], codes[first + offset : 3 * features + offset]
    return np.linalg.lstsq(before, after, rcond=None)[0].T


PACKAGE = {
    "attention.forward": lambda g: dot_product(**g),
    "attention.backward": lambda g: dot_product(**g),
    "attention.scores": lambda g: (
        query_key_product(g["query"], g["key"]) * g["key"].shape[-1] ** -0.5
    ),
    "attention.context": lambda g: np.einsum("bhts,bhsv->bhtv", g["P"], g["value"]),
    "attention.weights": lambda g: Softmax()(attention.Masking()(g["scores"], g["mask"])),
    "mask.padding": lambda g: padding_mask(g["ids"]),
    "mask.causal": lambda g: causal_mask(g["length"])[0, 0],
    "mask.decoder": lambda g: padding_mask(g["ids"]) & causal_mask(g["ids"].shape[1]),
    "mask.cross": lambda g: padding_mask(g["source_ids"]),
    "heads.split": lambda g: attention.SplitHeads(g["heads"])(g["x"]),
    "heads.merge": lambda g: attention.MergeHeads()(g["x"]),
    "heads.split_backward": lambda g: component_backward(
        attention.SplitHeads(g["heads"]), g["d_y"], g["x"]
    ),
    "heads.merge_backward": lambda g: component_backward(attention.MergeHeads(), g["d_y"], g["x"]),
    "self_attention.forward": lambda g: multi_head_of(g)(g["x"], mask=g["mask"]),
    "cross_attention.forward": lambda g: multi_head_of(g)(g["x"], g["memory"], g["mask"]),
    "self_attention.backward": multi_head_backward,
    "cross_attention.backward": multi_head_backward,
    "positional_encoding.table": lambda g: sinusoids(**g),
    "positional_encoding.forward": lambda g: SinusoidalPositionalEncoding(g["x"].shape[-1])(g["x"]),
    "positional_encoding.backward": lambda g: component_backward(
        SinusoidalPositionalEncoding(g["x"].shape[-1]), g["d_y"], g["x"]
    ),
}


@pytest.mark.parametrize("exercise", PACKAGE)
def test_the_right_version_is_the_package_s(exercise):
    for _, given in situations(exercise):
        ours = PACKAGE[exercise](given)
        for value, expected in zip(
            outputs(EXERCISES[exercise], given).values(),
            ours if isinstance(ours, tuple) else (ours,),
        ):
            close(value, expected, atol=1e-12 * max(1, np.abs(expected).max()))


def test_the_rotation_turns_every_code():
    exercise = EXERCISES["positional_encoding.rotation"]
    for _, given in situations(exercise.id):
        offset, features = given["offset"], given["features"]
        codes = sinusoids(50, features)
        R = exercise(**given)
        for position in range(max(0, -offset), 40):
            close(R @ codes[position], codes[position + offset])


# -- against central differences -------------------------------------------------------------------


def softmax(scores):
    return Softmax()(scores)


scores = EXERCISES["attention.scores"]
# {exercise: the function whose gradient it is, of the array that moves and of the other one}
STEPS = {
    "attention.d_value": lambda value, P: P @ value,
    "attention.d_P": lambda P, value: P @ value,
    "attention.d_scores": lambda scores, P: softmax(scores),
    "attention.d_query": lambda query, key: scores(query, key),
    "attention.d_key": lambda key, query: scores(query, key),
}
OURS = ("attention", "heads", "self_attention", "cross_attention", "positional_encoding")
BACKWARDS = [
    id for id, exercise in EXERCISES.items() if id.split(".")[0] in OURS and exercise.forward
]


def slope(function, array, direction, d_y):
    """The derivative of Σ d_y ∘ function along a direction, by central differences."""
    ahead, behind = (np.sum(d_y * function(array + step * direction)) for step in (STEP, -STEP))
    return (ahead - behind) / (2 * STEP)


def assert_slopes(function, array, gradient, d_y, rng):
    assert gradient.shape == array.shape
    for _ in range(3):
        direction = rng.standard_normal(array.shape)
        expected, scale = slope(function, array, direction, d_y), np.linalg.norm(gradient) + 1
        assert abs(np.sum(gradient * direction) - expected) < 1e-6 * scale


@pytest.mark.parametrize("exercise", STEPS)
def test_each_line_s_gradient_equals_central_differences(exercise):
    for _, given in situations(exercise):
        upstream, other = given.values()
        gradient = EXERCISES[exercise](**given)
        start = np.random.default_rng(2).standard_normal(gradient.shape)
        if exercise == "attention.d_scores":
            with np.errstate(divide="ignore"):
                start = np.log(other)  # the scores that P is the softmax of

        def function(moved, other=other):
            return STEPS[exercise](moved, other)

        assert_slopes(function, start, gradient, upstream, np.random.default_rng(1))


@pytest.mark.parametrize("exercise", BACKWARDS)
def test_each_backward_equals_central_differences_of_its_forward(exercise):
    exercise = EXERCISES[exercise]
    for _, given in situations(exercise.id):
        inputs = {key: value for key, value in given.items() if key in exercise.forward.inputs}
        (upstream,) = exercise.upstream
        for d_name, gradient in outputs(exercise, given).items():

            def function(moved, moving=d_name[2:], inputs=inputs):
                return exercise.forward(**{**inputs, moving: moved})

            assert_slopes(
                function, inputs[d_name[2:]], gradient, given[upstream], np.random.default_rng(1)
            )


# -- right answers in other styles -----------------------------------------------------------------


def weights_with_nan_to_num(scores, mask):
    scores = np.where(mask, scores, -np.inf)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return np.nan_to_num(e / e.sum(-1, keepdims=True))


def weights_by_loops(scores, mask):
    mask = np.broadcast_to(mask, scores.shape)
    P = np.zeros_like(scores)
    for row in np.ndindex(scores.shape[:-1]):
        allowed = scores[row][mask[row]]
        if allowed.size:
            e = np.exp(allowed - allowed.max())
            P[row][mask[row]] = e / e.sum()
    return P


def attention_by_einsum(Q, K, V, mask):
    scores = np.einsum("bhtk,bhsk->bhts", Q, K) * K.shape[-1] ** -0.5
    P = weights_with_nan_to_num(scores, mask)
    return np.einsum("bhts,bhsv->bhtv", P, V), P


def attention_by_loops(query, key, value, mask):
    context = np.zeros((*query.shape[:3], value.shape[-1]))
    P = weights_by_loops(EXERCISES["attention.scores"](query, key), mask)
    for b, h, t in np.ndindex(query.shape[:3]):
        for s in range(key.shape[2]):
            context[b, h, t] += P[b, h, t, s] * value[b, h, s]
    return context


class Attention:
    def forward(self, query, key, value, mask):
        self.query, self.key, self.value = query, key, value
        context, self.P = attention_by_einsum(query, key, value, mask)
        return context, self.P

    def backward(self, d_context):
        d_value = np.einsum("bhts,bhtv->bhsv", self.P, d_context)
        d_P = np.einsum("bhtv,bhsv->bhts", d_context, self.value)
        d_scores = (
            self.P
            * (d_P - np.einsum("bhts,bhts->bht", d_P, self.P)[..., None])
            / np.sqrt(self.key.shape[-1])
        )
        return d_scores @ self.key, np.einsum("bhts,bhtk->bhsk", d_scores, self.query), d_value


def attention_and_cache(query, key, value, mask):
    component = Attention()
    return component.forward(query, key, value, mask)[0], component


def attention_by_name(d_context, query, key, value, mask):
    return dict(zip(("dQuery", "dKey", "dValue"), dot_product(query, key, value, mask, d_context)))


def in_single(function):
    """The same in float32."""

    def single(*inputs):
        down = (
            a.astype(np.float32) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
            for a in inputs
        )
        return function(*down)

    return single


def split_by_loops(x, heads):
    return np.stack(np.split(x, heads, axis=-1), axis=1)


def merge_by_loops(x):
    return np.concatenate(list(np.moveaxis(x, 1, 0)), axis=-1)


class SelfAttention:
    def __init__(self, W_query, W_key, W_value, W_output, heads):
        self.weights, self.heads = (W_query, W_key, W_value, W_output), heads

    def forward(self, x, mask):
        self.x, self.attention = x, Attention()
        parts = [split_by_loops(x @ W, self.heads) for W in self.weights[:3]]
        self.context = merge_by_loops(self.attention.forward(*parts, mask)[0])
        return self.context @ self.weights[3]

    def backward(self, d_y):
        d_W_output = np.tensordot(self.context, d_y, axes=((0, 1), (0, 1)))
        d = self.attention.backward(split_by_loops(d_y @ self.weights[3].T, self.heads))
        d_q, d_k, d_v = map(merge_by_loops, d)
        self.d_W_query, self.d_W_key, self.d_W_value = (
            self.x.reshape(-1, self.x.shape[-1]).T @ d.reshape(-1, d.shape[-1])
            for d in (d_q, d_k, d_v)
        )
        self.d_W_output = d_W_output
        return sum(d @ W.T for d, W in zip((d_q, d_k, d_v), self.weights))


def cross_attention_by_loops(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    width = x.shape[-1] // heads
    parts = []
    for h in range(heads):
        own = slice(h * width, (h + 1) * width)
        q, k, v = x @ W_query[:, own], memory @ W_key[:, own], memory @ W_value[:, own]
        P = weights_with_nan_to_num(q @ k.swapaxes(1, 2) / np.sqrt(width), mask[:, 0])
        parts.append(P @ v)
    return np.concatenate(parts, axis=-1) @ W_output


def table_by_loops(length, features):
    PE = np.zeros((length, features))
    for p in range(length):
        for c in range(features):
            angle = p / np.power(10000, 2 * (c // 2) / features)
            PE[p, c] = np.cos(angle) if c % 2 else np.sin(angle)
    return PE


def table_by_log(length, d_model):
    PE = np.zeros((length, d_model))
    position = np.arange(0, length)[:, None]
    div_term = np.exp(np.arange(0, d_model, 2) * -(np.log(10000.0) / d_model))
    PE[:, 0::2], PE[:, 1::2] = np.sin(position * div_term), np.cos(position * div_term)
    return PE


def rotation_by_blocks(offset, features):
    R = np.eye(features)
    for i in range(features // 2):
        angle = offset / 10000 ** (2 * i / features)
        c, s = np.cos(angle), np.sin(angle)
        R[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[c, s], [-s, c]]
    return R


RIGHT = [
    ("attention.scores", lambda q, k: np.einsum("bhtk,bhsk->bhts", q, k) / q.shape[-1] ** 0.5),
    ("attention.scores",
     lambda q, k: (q / q.shape[-1] ** 0.25) @ np.moveaxis(k / k.shape[-1] ** 0.25, -1, -2)),
    ("attention.weights", weights_with_nan_to_num),
    ("attention.weights", weights_by_loops),
    ("attention.context", lambda P, V: np.einsum("bhts,bhsv->bhtv", P, V)),
    ("attention.d_value", lambda d, P: np.einsum("bhts,bhtv->bhsv", P, d)),
    ("attention.d_P", lambda d, v: (v @ d.transpose(0, 1, 3, 2)).transpose(0, 1, 3, 2)),
    ("attention.d_scores", lambda d, P: P * d - P * np.einsum("bhts,bhts->bht", P, d)[..., None]),
    ("attention.d_key", lambda d, q: (q.swapaxes(2, 3) @ d).swapaxes(2, 3) * q.shape[-1] ** -0.5),
    ("attention.forward", attention_by_einsum),
    ("attention.forward", attention_by_loops),
    ("attention.forward", Attention),
    ("attention.backward", Attention),
    ("attention.backward",
     (attention_and_cache, lambda d_context, cache: cache.backward(d_context))),
    ("attention.backward", attention_by_name),
    ("mask.padding", lambda ids: np.not_equal(ids, 0).reshape(len(ids), 1, 1, -1)),
    ("mask.padding", lambda ids: np.repeat((ids > 0)[:, None, None], ids.shape[1], axis=2)),
    ("mask.causal", lambda T: np.tri(T)),
    ("mask.causal", lambda length: [[s <= t for s in range(length)] for t in range(length)]),
    ("mask.causal", lambda length: ~np.triu(np.ones((1, 1, length, length), bool), 1)),
    ("mask.decoder", lambda ids: padding_mask(ids) * np.tri(ids.shape[1])),
    ("mask.cross", lambda source, target: padding_mask(source)),
    ("mask.cross", lambda source_ids: padding_mask(source_ids)),
    ("mask.cross",
     lambda source, target: np.stack(
         [np.tile(row != 0, (1, target.shape[1], 1)) for row in source])),
    ("heads.split", split_by_loops),
    ("heads.split", lambda x, heads: np.swapaxes(x.reshape(*x.shape[:2], heads, -1), 1, 2)),
    ("heads.merge", merge_by_loops),
    ("heads.split_backward", lambda d_y: merge_by_loops(d_y)),
    ("heads.merge_backward", lambda d_y, x: split_by_loops(d_y, x.shape[1])),
    ("heads.merge_backward", (lambda x: (merge_by_loops(x), x.shape[1]), split_by_loops)),
    ("self_attention.forward", SelfAttention),
    ("self_attention.backward", SelfAttention),
    ("cross_attention.forward", cross_attention_by_loops),
    ("positional_encoding.table", table_by_loops),
    ("positional_encoding.table", table_by_log),
    ("positional_encoding.forward",
     lambda x: np.stack([row + table_by_loops(*x.shape[1:]) for row in x])),
    ("positional_encoding.backward", lambda d_y: d_y),
    ("positional_encoding.backward",
     (lambda x: (x + table_by_log(*x.shape[1:]), None), lambda d_y, cache: d_y.copy())),
    ("positional_encoding.rotation", rotation_by_blocks),
    *((id, in_single(EXERCISES[id].reference)) for id in EXERCISES if id.split(".")[0] in OURS[:4]),
]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exercise, submission", RIGHT)
def test_a_right_answer_passes_in_any_style(exercise, submission, seed):
    report = check(exercise, submission, seed=seed, quiet=True)
    assert report.passed, f"{report}"


# -- wrong answers as people write them ------------------------------------------------------------


def annotated(query, key, value, mask):
    """−1e9 for −∞, as in many tutorials."""
    scores = np.matmul(query, key.transpose(0, 1, 3, 2)) / np.sqrt(key.shape[-1])
    scores[~np.broadcast_to(mask, scores.shape)] = -1e9
    e = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    P = e / np.sum(e, axis=-1, keepdims=True)
    return np.matmul(P, value), P


def own_softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def jacobian_diagonal(d_context, query, key, value, mask):
    c = np.sqrt(query.shape[-1])
    P = weights_with_nan_to_num(query @ key.swapaxes(-1, -2) / c, mask)
    d_scores = P * (1 - P) * (d_context @ value.swapaxes(-1, -2))
    return d_scores @ key / c, d_scores.swapaxes(-1, -2) @ query / c, P.swapaxes(-1, -2) @ d_context


def no_scale_back(d_context, query, key, value, mask):
    d_query, d_key, d_value = dot_product(query, key, value, mask, d_context)
    return d_query * np.sqrt(query.shape[-1]), d_key * np.sqrt(query.shape[-1]), d_value


def reshaping_self_attention(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    q, k, v = (np.dot(x, W).reshape(B, heads, T, D // heads) for W in (W_query, W_key, W_value))
    return dot_product(q, k, v, mask).reshape(B, T, D) @ W_output


def one_path(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    component = SelfAttention(W_query, W_key, W_value, W_output, heads)
    component.forward(x, mask)
    component.backward(d_y)
    d = component.attention.backward(split_by_loops(d_y @ W_output.T, heads))
    d_x = merge_by_loops(d[0]) @ W_query.T
    return d_x, component.d_W_query, component.d_W_key, component.d_W_value, component.d_W_output


def encoder_asks(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    q, k, v = (
        split_by_loops(a @ W, heads) for a, W in ((memory, W_query), (memory, W_key), (x, W_value))
    )
    return merge_by_loops(dot_product(q, k, v, mask)) @ W_output


def table_by_channels(length, features):
    angles = np.arange(length)[:, None] / 10000 ** (np.arange(features) / features)
    return np.where(np.arange(features) % 2, np.cos(angles), np.sin(angles))


def masked_exponentials(scores, mask):
    e = np.exp(scores) * mask
    return e / e.sum(-1, keepdims=True)


WRONG = [  # (exercise, what was handed in, the mistake's name)
    ("attention.scores", lambda query, key: query @ key.transpose(0, 1, 3, 2), "scale-missing"),
    ("attention.scores", lambda q, k: np.einsum("bhtk,bhsk->bhst", q, k) / np.sqrt(q.shape[-1]),
     "query-key-swapped"),
    ("attention.scores",
     lambda q, k: np.matmul(q, k.transpose(0, 1, 3, 2)) / np.sqrt(q.shape[1] * q.shape[3]),
     "scaled-by-model-width"),
    ("attention.weights", lambda scores, mask: own_softmax(np.where(mask, scores, -1e9)),
     "large-negative-number"),
    ("attention.weights", masked_exponentials, "no-maximum-shift"),
    ("attention.weights", lambda scores, mask: weights_with_nan_to_num(scores, ~mask),
     "mask-inverted"),
    ("attention.weights",
     lambda scores, mask: weights_with_nan_to_num(scores, np.ones_like(scores, bool)) * mask,
     "mask-after-softmax"),
    ("attention.forward", annotated, "large-negative-number"),
    ("attention.forward", lambda q, k, v, m: dot_product(q * np.sqrt(q.shape[-1]), k, v, m),
     "scale-missing"),
    ("attention.backward", jacobian_diagonal, "diagonal-only"),
    ("attention.backward", no_scale_back, "scale-forgotten"),
    ("mask.padding", lambda ids: ids != 0, "batch-axis-misplaced"),
    ("mask.padding", lambda ids: (ids == 0)[:, None, None, :], "mask-inverted"),
    ("mask.causal", lambda length: np.triu(np.ones((length, length)), k=1), "mask-inverted"),
    ("mask.causal", lambda length: np.tri(length, k=-1), "diagonal-hidden"),
    ("mask.decoder", lambda ids: padding_mask(ids) + np.tri(ids.shape[1], dtype=bool),
     "or-for-and"),
    ("mask.cross", lambda s, t: padding_mask(s) & np.tri(t.shape[1], s.shape[1], dtype=bool),
     "causal-on-source"),
    ("heads.split", lambda x, heads: x.reshape(len(x), heads, x.shape[1], -1),
     "reshape-for-transpose"),
    ("heads.merge", lambda x: x.reshape(len(x), x.shape[2], -1), "reshape-alone"),
    ("self_attention.forward", reshaping_self_attention, "heads-by-reshape"),
    ("self_attention.backward", one_path, "d-input-part-missing"),
    ("cross_attention.forward", encoder_asks, "memory-and-input-swapped"),
    ("positional_encoding.table", table_by_channels, "pair-frequencies-differ"),
    ("positional_encoding.forward", lambda x: x + table_by_loops(x.shape[0], x.shape[2])[:, None],
     "code-by-batch-place"),
    ("positional_encoding.rotation", lambda offset, features: rotation_by_blocks(-offset, features),
     "turns-other-way"),
]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exercise, submission, mistake", WRONG)
def test_a_wrong_answer_is_named(exercise, submission, mistake, seed):
    report = check(exercise, submission, seed=seed, quiet=True)
    assert not report.passed and report.findings[0].id == mistake, f"{report}"


def test_halves_are_a_convention():
    def halves(length, features):
        return table_by_loops(length, features)[:, np.r_[0:features:2, 1:features:2]]

    report = check("positional_encoding.table", halves, quiet=True)
    assert report.passed and report.findings[0].id == "convention:halves-not-interleaved"
