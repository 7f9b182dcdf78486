"""A right version of each exercise, and inputs for it, written from the statements alone."""

import math

import numpy as np

EXERCISES = {}


def exercise(name, outputs, make):
    """Register the decorated function as the right version; `make(rng, draw)` gives inputs."""

    def register(function):
        EXERCISES[name] = (function, outputs.split(), make)
        return function

    return register


def _sm(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _lsm(s):
    s = s - s.max(-1, keepdims=True)
    return s - np.log(np.exp(s).sum(-1, keepdims=True))


def _msm(s, mask):
    mask = np.broadcast_to(mask, s.shape)
    top = np.where(mask, s, -np.inf).max(-1, keepdims=True)
    e = np.where(mask, np.exp(np.where(mask, s - np.where(np.isfinite(top), top, 0), 0)), 0)
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, 1, total)


def _big(draw):
    return 300.0 if draw == 2 else 1.0


# --- softmax and losses ---


def _scores(rng, draw):
    s = rng.normal(size=(3, 5, 7)) * _big(draw)
    if draw == 3:
        s = s + rng.normal(size=(3, 5, 1)) * 400
    return {"scores": s}


@exercise("softmax.forward", "P", _scores)
def softmax(scores):
    return _sm(scores)


def _softmax_back(rng, draw):
    s = _scores(rng, draw)["scores"]
    return {"d_P": rng.normal(size=s.shape), "scores": s, "P": _sm(s)}


@exercise("softmax.backward", "d_scores", _softmax_back)
def softmax_backward(d_P, scores):
    P = _sm(scores)
    return P * (d_P - (d_P * P).sum(-1, keepdims=True))


def _ce(rng, draw):
    logits = rng.normal(size=(3, 5, 7)) * (400 if draw == 2 else 1)
    targets = rng.integers(1, 7, size=(3, 5))
    targets[0, 3:] = 0
    targets[1, 4:] = 0
    if draw == 1:
        targets = rng.integers(0, 7, size=(3, 5))
        targets[0, 0] = 3
    return {
        "logits": logits, "targets": targets, "P": _sm(logits),
        "onehot": np.eye(7)[targets], "real": targets != 0,
    }


def _ls(rng, draw):
    return {**_ce(rng, draw), "smoothing": [0.1, 0.3, 0.2, 0.15][draw]}


@exercise("cross_entropy.forward", "loss", _ce)
def cross_entropy(logits, targets):
    real = targets != 0
    return -np.take_along_axis(_lsm(logits), targets[..., None], -1)[..., 0][real].mean()


@exercise("cross_entropy.backward", "d_logits", _ce)
def cross_entropy_backward(logits, targets):
    real = (targets != 0)[..., None]
    return (_sm(logits) - np.eye(logits.shape[-1])[targets]) * real / real.sum()


@exercise("label_smoothing.forward", "loss", _ls)
def label_smoothing(logits, targets, smoothing):
    real = targets != 0
    V = logits.shape[-1]
    q = (1 - smoothing) * np.eye(V)[targets] + smoothing / V
    return -(q * _lsm(logits)).sum(-1)[real].mean()


@exercise("label_smoothing.backward", "d_logits", _ls)
def label_smoothing_backward(logits, targets, smoothing):
    real = (targets != 0)[..., None]
    V = logits.shape[-1]
    q = (1 - smoothing) * np.eye(V)[targets] + smoothing / V
    return (_sm(logits) - q) * real / real.sum()


def _shift(rng, draw):
    target = rng.integers(3, 20, size=(4, 6))
    for row, length in enumerate([6, 3, 0, 1]):
        target[row, length:] = 0
    return {"target": target, "PAD": 0, "BOS": 1, "EOS": 2}


@exercise("teacher_forcing.shift", "target_in target_out", _shift)
def shift_right(target):
    B, T = target.shape
    target_in = np.zeros((B, T + 1), int)
    target_out = np.zeros((B, T + 1), int)
    for b in range(B):
        n = int((target[b] != 0).sum())
        target_in[b, 0], target_in[b, 1 : n + 1] = 1, target[b, :n]
        target_out[b, :n], target_out[b, n] = target[b, :n], 2
    return target_in, target_out


# --- linear, embedding, layer norm, tied ---


def _linear(rng, draw):
    return {
        "d_y": rng.normal(size=(3, 4, 6)), "x": rng.normal(size=(3, 4, 5)),
        "weight": rng.normal(size=(5, 6)), "bias": rng.normal(size=6),
    }


@exercise("linear.forward", "y", _linear)
def linear(x, weight, bias):
    return x @ weight + bias


@exercise("linear.backward", "d_x d_weight d_bias", _linear)
def linear_backward(d_y, x, weight, bias):
    return d_y @ weight.T, np.einsum("btd,btf->df", x, d_y), d_y.sum((0, 1))


def _accumulate(rng, draw):
    a = _linear(rng, draw)
    del a["bias"]
    return {**a, "d_weight": rng.normal(size=(5, 6)), "d_bias": rng.normal(size=6)}


@exercise("linear.accumulate", "d_x", _accumulate)
def linear_accumulate(d_y, x, weight, d_weight, d_bias):
    d_weight += np.einsum("btd,btf->df", x, d_y)
    d_bias += d_y.sum((0, 1))
    return d_y @ weight.T


def _update(rng, draw):
    a = _linear(rng, draw)
    del a["bias"]
    return {**a, "learning_rate": 0.1}


@exercise("linear.update", "d_x", _update)
def linear_update(d_y, x, weight, learning_rate):
    d_x = d_y @ weight.T
    weight -= learning_rate * np.einsum("btd,btf->df", x, d_y)
    return d_x


def _embedding(rng, draw):
    ids = rng.integers(0, 8, size=(3, 5))
    ids[0, 3:] = 0
    ids[1, :3] = 4
    if draw == 3:
        ids[1, 1] = -2
    return {"ids": ids, "table": rng.normal(size=(8, 6))}


@exercise("embedding.forward", "y", _embedding)
def embedding(ids, table):
    if ids.min() < 0 or ids.max() >= len(table):
        raise IndexError("no such id")
    return table[ids] * math.sqrt(table.shape[1])


def _embedding_back(rng, draw):
    return {"d_y": rng.normal(size=(3, 5, 6)), **_embedding(rng, 0)}


@exercise("embedding.backward", "d_table", _embedding_back)
def embedding_backward(d_y, ids, table):
    d_table = np.zeros_like(table)
    np.add.at(d_table, ids, d_y * math.sqrt(table.shape[1]))
    d_table[0] = 0
    return d_table


def _norm(rng, draw):
    x = rng.normal(size=(3, 4, 6)) * [1, 0.02, 5, 1][draw] + [0, 0, 3, 1][draw]
    epsilon = [1e-5, 1e-3, 1e-5, 1e-6][draw]
    sigma = np.sqrt(x.var(-1, keepdims=True) + epsilon)
    return {
        "d_y": rng.normal(size=x.shape), "x": x, "gamma": rng.normal(size=6) + 1,
        "beta": rng.normal(size=6), "epsilon": epsilon,
        "x_hat": (x - x.mean(-1, keepdims=True)) / sigma, "sigma": sigma,
    }


@exercise("layer_norm.forward", "y", _norm)
def layer_norm(x, gamma, beta, epsilon):
    sigma = np.sqrt(x.var(-1, keepdims=True) + epsilon)
    return gamma * (x - x.mean(-1, keepdims=True)) / sigma + beta


@exercise("layer_norm.backward", "d_x d_gamma d_beta", _norm)
def layer_norm_backward(d_y, x, gamma, beta, epsilon):
    sigma = np.sqrt(x.var(-1, keepdims=True) + epsilon)
    x_hat = (x - x.mean(-1, keepdims=True)) / sigma
    g = d_y * gamma
    d_x = (g - g.mean(-1, keepdims=True) - x_hat * (g * x_hat).mean(-1, keepdims=True)) / sigma
    return d_x, (d_y * x_hat).sum((0, 1)), d_y.sum((0, 1))


def _tied(rng, draw):
    a = _embedding(rng, 0)
    return {
        "d_embedded": rng.normal(size=(3, 5, 6)), "ids": a["ids"],
        "d_logits": rng.normal(size=(3, 5, 8)), "hidden": rng.normal(size=(3, 5, 6)),
        "table": a["table"],
    }


@exercise("tied.backward", "d_table", _tied)
def tied_backward(d_embedded, ids, d_logits, hidden, table):
    d_table = np.einsum("btv,btd->vd", d_logits, hidden)
    np.add.at(d_table, ids, d_embedded * math.sqrt(table.shape[1]))
    return d_table


def _tied_step(rng, draw):
    table, a, b = rng.normal(size=(3, 8, 6))
    return {"table": table, "d_input": a, "d_output": b, "learning_rate": 0.05}


@exercise("tied.step", "input_table output_table", _tied_step)
def tied_step(table, d_input, d_output, learning_rate):
    new = table - learning_rate * (d_input + d_output)
    return new, new


# --- activations ---


def _x(rng, draw):
    x = rng.normal(size=(3, 4, 6)) * [1, 2, 1000, 1][draw]
    x[0, 0, :2] = 0
    y = np.maximum(x, 0)
    return {"d_y": rng.normal(size=x.shape), "x": x, "y": y}


@exercise("relu.forward", "y", _x)
def relu(x):
    return np.maximum(x, 0)


@exercise("relu.backward", "d_x", _x)
def relu_backward(d_y, x):
    return d_y * (x > 0)


def _gelu(rng, draw):
    a = _x(rng, draw)
    t = np.tanh(math.sqrt(2 / math.pi) * (a["x"] + 0.044715 * a["x"] ** 3))
    return {**a, "tanh": t, "y": a["x"] * (1 + t) / 2}


@exercise("gelu.forward", "y", _gelu)
def gelu(x):
    return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


@exercise("gelu.backward", "d_x", _gelu)
def gelu_backward(d_y, x):
    c = math.sqrt(2 / math.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    return d_y * ((1 + t) / 2 + x / 2 * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x))


def _dropout_back(rng, draw):
    p = [0.1, 0.4, 0.25, 0.7][draw]
    return {"d_y": rng.normal(size=(3, 4, 6)), "keep": rng.random((3, 4, 6)) >= p, "p": p}


@exercise("dropout.backward", "d_x", _dropout_back)
def dropout_backward(d_y, keep, p):
    return d_y * keep / (1 - p)


def _ff(rng, draw):
    a = {
        "d_y": rng.normal(size=(3, 4, 5)), "x": rng.normal(size=(3, 4, 5)),
        "W_1": rng.normal(size=(5, 7)), "b_1": rng.normal(size=7),
        "W_2": rng.normal(size=(7, 5)), "b_2": rng.normal(size=5),
    }
    return {**a, "hidden": np.maximum(a["x"] @ a["W_1"] + a["b_1"], 0)}


@exercise("feed_forward.forward", "y", _ff)
def feed_forward(x, W_1, b_1, W_2, b_2):
    return np.maximum(x @ W_1 + b_1, 0) @ W_2 + b_2


@exercise("feed_forward.backward", "d_x d_W_1 d_b_1 d_W_2 d_b_2", _ff)
def feed_forward_backward(d_y, x, W_1, b_1, W_2, b_2):
    h = np.maximum(x @ W_1 + b_1, 0)
    d_a = d_y @ W_2.T * (h > 0)
    e = "bti,btj->ij"
    return d_a @ W_1.T, np.einsum(e, x, d_a), d_a.sum((0, 1)), np.einsum(e, h, d_y), d_y.sum((0, 1))


# --- attention ---


def _att(rng, draw):
    q, k = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 3, 6, 5))
    mask = rng.random((2, 1, 4, 6)) < 0.6
    mask[..., 0] = True
    if draw == 2:
        q = q * 900
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(5)
    P = _msm(scores, mask)
    return {
        "d_context": rng.normal(size=(2, 3, 4, 7)), "query": q, "key": k,
        "value": rng.normal(size=(2, 3, 6, 7)), "mask": mask, "scores": scores, "P": P,
        "d_P": rng.normal(size=P.shape), "d_scores": rng.normal(size=P.shape),
    }


def _att_blind(rng, draw):
    a = _att(rng, draw)
    if draw in (1, 2):
        a["mask"][0, 0, 1] = False
        a["P"] = _msm(a["scores"], a["mask"])
    return a


@exercise("attention.scores", "scores", _att)
def attention_scores(query, key):
    return query @ key.swapaxes(-1, -2) / math.sqrt(query.shape[-1])


@exercise("attention.weights", "P", _att_blind)
def attention_weights(scores, mask):
    return _msm(scores, mask)


@exercise("attention.context", "context", _att)
def attention_context(P, value):
    return P @ value


@exercise("attention.d_value", "d_value", _att)
def attention_d_value(d_context, P):
    return P.swapaxes(-1, -2) @ d_context


@exercise("attention.d_P", "d_P", _att)
def attention_d_P(d_context, value):
    return d_context @ value.swapaxes(-1, -2)


@exercise("attention.d_scores", "d_scores", _att)
def attention_d_scores(d_P, P):
    return P * (d_P - (d_P * P).sum(-1, keepdims=True))


@exercise("attention.d_query", "d_query", _att)
def attention_d_query(d_scores, key):
    return d_scores @ key / math.sqrt(key.shape[-1])


@exercise("attention.d_key", "d_key", _att)
def attention_d_key(d_scores, query):
    return d_scores.swapaxes(-1, -2) @ query / math.sqrt(query.shape[-1])


@exercise("attention.forward", "context", _att_blind)
def attention(query, key, value, mask):
    return _msm(attention_scores(query, key), mask) @ value


@exercise("attention.backward", "d_query d_key d_value", _att)
def attention_backward(d_context, query, key, value, mask):
    P = _msm(attention_scores(query, key), mask)
    d_s = attention_d_scores(attention_d_P(d_context, value), P)
    return attention_d_query(d_s, key), attention_d_key(d_s, query), attention_d_value(d_context, P)


def _ids(rng, draw):
    ids = rng.integers(1, 9, size=(3, 5))
    ids[0, 3:] = 0
    ids[1, 1] = 0
    source = rng.integers(1, 9, size=(3, 7))
    source[0, 5:] = 0
    source[2, 2] = 0
    return {"ids": ids, "length": 5, "source_ids": source, "target_ids": ids}


@exercise("mask.padding", "mask", _ids)
def padding_mask(ids):
    return (ids != 0)[:, None, None, :]


@exercise("mask.causal", "mask", _ids)
def causal_mask(length):
    return np.tril(np.ones((length, length), bool))


@exercise("mask.decoder", "mask", _ids)
def decoder_mask(ids):
    return (ids != 0)[:, None, None, :] & np.tril(np.ones((ids.shape[1],) * 2, bool))


@exercise("mask.cross", "mask", _ids)
def cross_mask(source_ids, target_ids):
    return (source_ids != 0)[:, None, None, :]


def _split(rng, draw):
    return {"d_y": rng.normal(size=(2, 3, 5, 4)), "x": rng.normal(size=(2, 5, 12)), "heads": 3}


def _merge(rng, draw):
    return {"d_y": rng.normal(size=(2, 5, 12)), "x": rng.normal(size=(2, 3, 5, 4))}


@exercise("heads.split", "y", _split)
def split_heads(x, heads):
    return x.reshape(*x.shape[:2], heads, -1).transpose(0, 2, 1, 3)


@exercise("heads.merge", "y", _merge)
def merge_heads(x):
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1)


@exercise("heads.split_backward", "d_x", _split)
def split_heads_backward(d_y, x, heads):
    return merge_heads(d_y)


@exercise("heads.merge_backward", "d_x", _merge)
def merge_heads_backward(d_y, x):
    return split_heads(d_y, x.shape[1])


# --- multi-head attention ---


def _self(rng, draw):
    mask = rng.random((2, 1, 5, 5)) < 0.6
    mask |= np.eye(5, dtype=bool)
    W = {f"W_{n}": rng.normal(size=(8, 8)) / 2 for n in ("query", "key", "value", "output")}
    d_y, x = rng.normal(size=(2, 2, 5, 8))
    return {"d_y": d_y, "x": x, **W, "heads": 2, "mask": mask}


def _cross(rng, draw):
    a = _self(rng, draw)
    mask = rng.random((2, 1, 1, 6)) < 0.6
    mask[..., 1] = True
    return {**a, "memory": rng.normal(size=(2, 6, 8)), "mask": mask}


@exercise("cross_attention.forward", "y", _cross)
def cross_attention(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    q, k, v = (split_heads(a, heads) for a in (x @ W_query, memory @ W_key, memory @ W_value))
    return merge_heads(attention(q, k, v, mask)) @ W_output


@exercise(
    "cross_attention.backward", "d_x d_memory d_W_query d_W_key d_W_value d_W_output", _cross
)
def cross_attention_backward(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    q, k, v = (split_heads(a, heads) for a in (x @ W_query, memory @ W_key, memory @ W_value))
    merged = merge_heads(attention(q, k, v, mask))
    d_context = split_heads(d_y @ W_output.T, heads)
    d_q, d_k, d_v = (merge_heads(a) for a in attention_backward(d_context, q, k, v, mask))
    e = "bti,btj->ij"
    return (
        d_q @ W_query.T, d_k @ W_key.T + d_v @ W_value.T, np.einsum(e, x, d_q),
        np.einsum(e, memory, d_k), np.einsum(e, memory, d_v), np.einsum(e, merged, d_y),
    )


@exercise("self_attention.forward", "y", _self)
def self_attention(x, W_query, W_key, W_value, W_output, heads, mask):
    return cross_attention(x, x, W_query, W_key, W_value, W_output, heads, mask)


@exercise("self_attention.backward", "d_x d_W_query d_W_key d_W_value d_W_output", _self)
def self_attention_backward(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    a, b, *rest = cross_attention_backward(
        d_y, x, x, W_query, W_key, W_value, W_output, heads, mask
    )
    return a + b, *rest


def _additive(rng, draw):
    mask = rng.random((2, 1, 5)) < 0.6
    mask[..., 0] = True
    if draw == 1:
        mask[1] = False
    a = {
        "d_context": rng.normal(size=(2, 4, 6)), "query": rng.normal(size=(2, 4, 3)),
        "key": rng.normal(size=(2, 5, 3)), "value": rng.normal(size=(2, 5, 6)),
        "W_query": rng.normal(size=(3, 7)), "W_key": rng.normal(size=(3, 7)),
        "v": rng.normal(size=7), "mask": mask,
    }
    h = np.tanh((a["query"] @ a["W_query"])[:, :, None] + (a["key"] @ a["W_key"])[:, None])
    return {**a, "P": _msm(h @ a["v"], mask)}


@exercise("additive_attention.forward", "context", _additive)
def additive_attention(query, key, value, W_query, W_key, v, mask):
    h = np.tanh((query @ W_query)[:, :, None] + (key @ W_key)[:, None])
    return _msm(h @ v, mask) @ value


@exercise(
    "additive_attention.backward", "d_query d_key d_value d_W_query d_W_key d_v", _additive
)
def additive_attention_backward(d_context, query, key, value, W_query, W_key, v, mask):
    h = np.tanh((query @ W_query)[:, :, None] + (key @ W_key)[:, None])
    P = _msm(h @ v, mask)
    d_E = attention_d_scores(d_context @ value.swapaxes(1, 2), P)
    d_a = d_E[..., None] * v * (1 - h * h)
    d_q, d_k = d_a.sum(2), d_a.sum(1)
    return (
        d_q @ W_query.T, d_k @ W_key.T, P.swapaxes(1, 2) @ d_context,
        np.einsum("btd,btf->df", query, d_q), np.einsum("bsd,bsf->df", key, d_k),
        np.einsum("bts,btsf->f", d_E, h),
    )


def _decode(rng, draw):
    names = ["W_query", "W_key", "W_value", "U_query", "U_key", "U_value"]
    return {
        "x": rng.normal(size=(2, 6, 4)), "encoding": rng.normal(size=(12, 4)),
        "memory": rng.normal(size=(2, 5, 4)), **{n: rng.normal(size=(4, 3)) for n in names},
        "prompt_length": [2, 1, 4, 6][draw],
    }


@exercise("kv_cache.decode", "y keys memory_keys", _decode)
def decode(x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length):
    a = x + encoding[: x.shape[1]]
    keys, memory_keys = a @ W_key, memory @ U_key
    s = a @ W_query @ keys.swapaxes(1, 2) / math.sqrt(keys.shape[-1])
    r = a @ U_query @ memory_keys.swapaxes(1, 2) / math.sqrt(keys.shape[-1])
    y = _msm(s, np.tril(np.ones(s.shape[1:], bool))) @ (a @ W_value) + _sm(r) @ (memory @ U_value)
    return y, keys, memory_keys


# --- positions, residual, stacks ---


def _table(length, features):
    p = np.arange(length)[:, None] / 10000 ** (np.arange(0, features, 2) / features)
    return np.stack([np.sin(p), np.cos(p)], -1).reshape(length, features)


@exercise(
    "positional_encoding.table", "PE",
    lambda rng, draw: {"length": 9, "features": 8 + 2 * draw},
)
def positional_encoding_table(length, features):
    return _table(length, features)


def _pe(rng, draw):
    return {"d_y": rng.normal(size=(3, 5, 8)), "x": rng.normal(size=(3, 5, 8)), "PE": _table(5, 8)}


@exercise("positional_encoding.forward", "y", _pe)
def positional_encoding(x):
    return x + _table(*x.shape[1:])


@exercise("positional_encoding.backward", "d_x", _pe)
def positional_encoding_backward(d_y, x):
    return d_y


@exercise(
    "positional_encoding.rotation", "R",
    lambda rng, draw: {"offset": [3, -2, 7, 1][draw], "features": 8},
)
def positional_encoding_rotation(offset, features):
    R = np.zeros((features, features))
    for i in range(0, features, 2):
        a = offset / 10000 ** (i / features)
        R[i : i + 2, i : i + 2] = [[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]
    return R


class Map:
    """A function of one array, that counts its calls."""

    def __init__(self, matrix, bend):
        self.matrix, self.bend, self.calls = matrix, bend, 0

    def __call__(self, a):
        self.calls += 1
        return np.tanh(a @ self.matrix) if self.bend else a @ self.matrix


def _residual(rng, draw):
    A, B = rng.normal(size=(2, 6, 6))
    x = rng.normal(size=(3, 4, 6))
    return {
        "x": x, "d_y": rng.normal(size=x.shape), "sublayer": Map(A, True), "norm": Map(B, True),
        "sublayer_backward": Map(A, False), "norm_backward": Map(B, False),
    }


@exercise("residual.post_norm", "y", _residual)
def post_norm(x, sublayer, norm):
    return norm(x + sublayer(x))


@exercise("residual.pre_norm", "y", _residual)
def pre_norm(x, sublayer, norm):
    return x + sublayer(norm(x))


@exercise("residual.post_norm_backward", "d_x", _residual)
def post_norm_backward(d_y, sublayer_backward, norm_backward):
    d = norm_backward(d_y)
    return d + sublayer_backward(d)


@exercise("residual.pre_norm_backward", "d_x", _residual)
def pre_norm_backward(d_y, sublayer_backward, norm_backward):
    return d_y + norm_backward(sublayer_backward(d_y))


class Two:
    """A backward that returns two gradients."""

    def __init__(self, A, B):
        self.A, self.B = A, B

    def __call__(self, d):
        return d @ self.A, d @ self.B


def _decoder(rng, draw):
    backs = [Two(rng.normal(size=(6, 6)), rng.normal(size=(6, 6))) for _ in range(3)]
    return {"d_y": rng.normal(size=(2, 4, 6)), "layer_backwards": backs}


@exercise("decoder.backward", "d_x d_memory", _decoder)
def decoder_backward(d_y, layer_backwards):
    total = 0
    for back in reversed(layer_backwards):
        d_y, d_memory = back(d_y)
        total = total + d_memory
    return d_y, total


def _transformer(rng, draw):
    return {
        "d_logits": rng.normal(size=(2, 4, 9)),
        "decoder_backward": Two(rng.normal(size=(9, 6)), rng.normal(size=(9, 6))),
        "encoder_backward": Map(rng.normal(size=(6, 6)), False),
    }


@exercise("transformer.backward", "d_source d_target", _transformer)
def transformer_backward(d_logits, decoder_backward, encoder_backward):
    d_target, d_memory = decoder_backward(d_logits)
    return encoder_backward(d_memory), d_target


# --- optimisers ---


def _sgd(rng, draw):
    p, g, v = rng.normal(size=(3, 4, 5))
    return {"parameter": p, "gradient": g, "velocity": v, "learning_rate": 0.1, "momentum": 0.9}


@exercise("sgd.step", "parameter velocity", _sgd)
def sgd_step(parameter, gradient, velocity, learning_rate, momentum):
    velocity = momentum * velocity + gradient
    return parameter - learning_rate * velocity, velocity


def _adam(rng, draw):
    p, g, m, v = rng.normal(size=(4, 4, 5))
    step = [1, 3, 10, 200][draw]
    if step == 1:
        m, v = m * 0, v * 0
    return {
        "parameter": p, "gradient": g, "m": m, "v": v**2, "step": step, "learning_rate": 0.01,
        "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-3,
    }


@exercise("adam.step", "parameter m v", _adam)
def adam_step(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    a, b = m / (1 - beta_1**step), v / (1 - beta_2**step)
    return parameter - learning_rate * a / (np.sqrt(b) + epsilon), m, v


def _adamw(rng, draw):
    return {**_adam(rng, draw), "weight_decay": 0.1}


@exercise("adamw.step", "parameter m v", _adamw)
def adamw_step(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    new, m, v = adam_step(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon)
    return new - learning_rate * weight_decay * parameter, m, v


def _clip(rng, draw):
    a = {"d_W": rng.normal(size=(4, 5)), "d_b": rng.normal(size=5)}
    a["largest"] = [1.0, 9.0, 2.5, 1.0][draw]
    if draw == 3:
        a["d_W"], a["d_b"] = a["d_W"] * 0, a["d_b"] * 0
    return a


@exercise("clip.norm", "d_W_clipped d_b_clipped", _clip)
def clip_norm(d_W, d_b, largest):
    norm = math.sqrt((d_W**2).sum() + (d_b**2).sum())
    share = min(1.0, largest / norm) if norm > 0 else 1.0
    return d_W * share, d_b * share


@exercise(
    "noam.rate", "rate",
    lambda rng, draw: {"step": [3, 40, 200, 1][draw], "d_model": 64, "warmup": 40},
)
def noam_rate(step, d_model, warmup):
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


@exercise(
    "cosine.rate", "rate",
    lambda rng, draw: {
        "step": [3, 60, 130, 20][draw], "peak": 0.5, "total": 100,
        "warmup": [10, 10, 10, 0][draw], "floor": 0.05,
    },
)
def cosine_rate(step, peak, total, warmup, floor):
    if step < warmup:
        return peak * step / warmup
    if step >= total:
        return floor
    return floor + (peak - floor) * (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2


def _all(rng, draw):
    def four(scale=1):
        return {"a": rng.normal(size=(4, 5)) * scale, "b": rng.normal(size=5) * scale}

    v = {k: a**2 for k, a in reversed(four(0.1).items())}
    return {
        "parameters": four(), "gradients": four(), "m": four(0.1), "v": v,
        "step": [1, 7, 50, 300][draw], "d_model": 16, "warmup": 40,
    }


@exercise("update.all", "nothing", _all)
def update_all(parameters, gradients, m, v, step, d_model, warmup):
    rate = noam_rate(step, d_model, warmup)
    for k in parameters:
        p, m[k][...], v[k][...] = adam_step(
            parameters[k], gradients[k], m[k], v[k], step, rate, 0.9, 0.98, 1e-9
        )
        parameters[k][...] = p
        gradients[k][...] = 0


# --- recurrent ---


def _rnn(rng, draw):
    a = {
        "d_h_new": rng.normal(size=(3, 6)), "x": rng.normal(size=(3, 5)),
        "h": rng.normal(size=(3, 6)), "W_x": rng.normal(size=(5, 6)) / 2,
        "W_h": rng.normal(size=(6, 6)) / 2, "b": rng.normal(size=6) / 2,
    }
    return {**a, "h_new": np.tanh(a["x"] @ a["W_x"] + a["h"] @ a["W_h"] + a["b"])}


@exercise("rnn.step", "h_new", _rnn)
def rnn_step(x, h, W_x, W_h, b):
    return np.tanh(x @ W_x + h @ W_h + b)


@exercise("rnn.step_backward", "d_x d_h d_W_x d_W_h d_b", _rnn)
def rnn_step_backward(d_h_new, x, h, W_x, W_h, b):
    d_a = d_h_new * (1 - np.tanh(x @ W_x + h @ W_h + b) ** 2)
    return d_a @ W_x.T, d_a @ W_h.T, x.T @ d_a, h.T @ d_a, d_a.sum(0)


def _time(rng, draw):
    a = {
        "d_h": rng.normal(size=(3, 4, 6)), "x": rng.normal(size=(3, 4, 5)),
        "h_0": rng.normal(size=(3, 6)), "W_x": rng.normal(size=(5, 6)) / 2,
        "W_h": rng.normal(size=(6, 6)) / 2, "b": rng.normal(size=6) / 2,
    }
    return {**a, "h": rnn_states(*(a[n] for n in ("x", "h_0", "W_x", "W_h", "b")))}


@exercise(
    "rnn.states", "h",
    lambda rng, draw: {k: a for k, a in _time(rng, draw).items() if k not in ("h", "d_h")},
)
def rnn_states(x, h_0, W_x, W_h, b):
    states, h = [], h_0
    for t in range(x.shape[1]):
        h = rnn_step(x[:, t], h, W_x, W_h, b)
        states.append(h)
    return np.stack(states, 1)


@exercise("rnn.through_time", "d_x d_h_0 d_W_x d_W_h d_b", _time)
def rnn_through_time(d_h, x, h_0, W_x, W_h, b):
    h = rnn_states(x, h_0, W_x, W_h, b)
    d_x, carry = np.zeros_like(x), np.zeros_like(h_0)
    total = [0, 0, 0]
    for t in reversed(range(x.shape[1])):
        before = h[:, t - 1] if t else h_0
        d_x[:, t], carry, *d = rnn_step_backward(d_h[:, t] + carry, x[:, t], before, W_x, W_h, b)
        total = [a + c for a, c in zip(total, d)]
    return d_x, carry, *total


# --- counting, gradient check ---


def _nd(rng, draw):
    return {"length": [7, 20, 5, 64][draw], "features": [4, 8, 32, 16][draw]}


@exercise("operations.attention", "multiply_adds", _nd)
def attention_operations(length, features):
    return 2 * length**2 * features


@exercise("operations.recurrence", "multiply_adds", _nd)
def recurrence_operations(length, features):
    return 2 * length * features**2


@exercise("operations.self_attention", "multiply_adds", _nd)
def self_attention_operations(length, features):
    return 4 * length * features**2 + 2 * length**2 * features


class Cube:
    """A smooth function of an array of any shape."""

    def __init__(self, weight):
        self.weight = weight

    def __call__(self, x):
        return np.sin(x * self.weight) + x.sum() ** 3 / 50 + np.exp(x / 3)


def _check(rng, draw):
    x = rng.normal(size=[(3, 4), (5,), (2, 3, 2), (2, 2)][draw])
    return {
        "f": Cube(rng.normal(size=x.shape)), "x": x, "d_y": rng.normal(size=x.shape),
        "epsilon": [1e-3, 1e-2, 1e-3, 1e-4][draw],
    }


@exercise("gradient_check.numerical", "d_x", _check)
def numerical_gradient(f, x, d_y, epsilon):
    d_x = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += epsilon
        down[i] -= epsilon
        d_x[i] = ((f(up) - f(down)) * d_y).sum() / (2 * epsilon)
    return d_x


def _error(rng, draw):
    a = rng.normal(size=(4, 5)) * [1, 1, 1e-9, 100][draw]
    return {"analytic": a, "numeric": a * [1.0, -0.4, 1.5, 1][draw] + 1e-3 * a[::-1]}


@exercise("gradient_check.error", "error", _error)
def gradient_error(analytic, numeric):
    size = max(np.linalg.norm(analytic), np.linalg.norm(numeric), 1e-8)
    return np.linalg.norm(analytic - numeric) / size
