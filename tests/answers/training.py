"""Right answers from recurrent networks to training steps and whole models, as students might write
them."""

import math

import numpy as np

from . import answers

# feed_forward.forward


# feed_forward.backward


# rnn.states


@answers("rnn.states", "loops")
def rnn_states_loops(x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    F = len(b)
    h = np.zeros((B, T, F))
    for i in range(B):
        for t in range(T):
            for f in range(F):
                a = b[f]
                for d in range(D):
                    a += x[i, t, d] * W_x[d, f]
                for g in range(F):
                    a += (h[i, t - 1, g] if t > 0 else h_0[i, g]) * W_h[g, f]
                h[i, t, f] = math.tanh(a)
    return h


@answers("rnn.states", "einsum")
def rnn_states_einsum(x, h_0, W_x, W_h, b):
    read = np.einsum("btd,df->tbf", x, W_x) + b
    states = []
    h = h_0
    for a in read:
        h = np.tanh(a + np.einsum("bg,gf->bf", h, W_h))
        states.append(h)
    return np.stack(states, axis=1)


@answers("rnn.states", "matrix form")
def rnn_states_matrix(x, h_0, W_x, W_h, b):
    """One matrix for both, and for the bias: [x, h, 1] W."""
    W = np.vstack([W_x, W_h, b])
    one = np.ones((len(x), 1))
    h, states = h_0, []
    for t in range(x.shape[1]):
        h = np.tanh(np.hstack([x[:, t], h, one]) @ W)
        states.append(h[:, None])
    return np.concatenate(states, axis=1)


@answers("rnn.states", "float32")
def rnn_states_float32(x, h_0, W_x, W_h, b):
    x, h, W_x, W_h, b = (a.astype(np.float32) for a in (x, h_0, W_x, W_h, b))
    states = np.zeros((*x.shape[:2], h.shape[1]), np.float32)
    for t in range(x.shape[1]):
        states[:, t] = h = np.tanh(x[:, t] @ W_x + h @ W_h + b)
    return states


@answers("rnn.states", "class")
class RecurrentNetwork:
    def __init__(self, W_x, W_h, b):
        self.W_x, self.W_h, self.b = W_x, W_h, b

    def forward(self, x, h_0):
        self.x, self.h = x, [h_0]
        for t in range(x.shape[1]):
            self.h.append(np.tanh(x[:, t] @ self.W_x + self.h[-1] @ self.W_h + self.b))
        return np.stack(self.h[1:], 1)

    def backward(self, d_h):
        d_x = np.zeros_like(self.x)
        d_W_x, d_W_h, d_b = np.zeros_like(self.W_x), np.zeros_like(self.W_h), np.zeros_like(self.b)
        d_state = np.zeros_like(self.h[0])
        for t in range(self.x.shape[1])[::-1]:
            d_a = (d_state + d_h[:, t]) * (1 - self.h[t + 1] ** 2)
            d_W_x += self.x[:, t].T @ d_a
            d_W_h += self.h[t].T @ d_a
            d_b += d_a.sum(0)
            d_x[:, t], d_state = d_a @ self.W_x.T, d_a @ self.W_h.T
        return d_x, d_state, d_W_x, d_W_h, d_b


def rnn_pair_forward(x, h_0, W_x, W_h, b):
    h = h_0
    steps, outputs = [], []
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ W_x + h @ W_h + b)
        steps.append((x[:, t], h, new))
        outputs.append(new)
        h = new
    return np.array(outputs).transpose(1, 0, 2), (steps, W_x, W_h)


# rnn.through_time


@answers("rnn.through_time", "loops")
def through_time_loops(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    F = len(b)
    d_x, d_h_0 = np.zeros((B, T, D)), np.zeros((B, F))
    d_W_x, d_W_h, d_b = np.zeros((D, F)), np.zeros((F, F)), np.zeros(F)
    for i in range(B):
        h = [[float(h_0[i, f]) for f in range(F)]]
        for t in range(T):
            new = []
            for f in range(F):
                a = b[f]
                for d in range(D):
                    a += x[i, t, d] * W_x[d, f]
                for g in range(F):
                    a += h[t][g] * W_h[g, f]
                new.append(math.tanh(a))
            h.append(new)
        carried = [0.0] * F
        for t in range(T - 1, -1, -1):
            before = [0.0] * F
            for f in range(F):
                d_a = (d_h[i, t, f] + carried[f]) * (1 - h[t + 1][f] ** 2)
                d_b[f] += d_a
                for d in range(D):
                    d_W_x[d, f] += x[i, t, d] * d_a
                    d_x[i, t, d] += W_x[d, f] * d_a
                for g in range(F):
                    d_W_h[g, f] += h[t][g] * d_a
                    before[g] += W_h[g, f] * d_a
            carried = before
        for f in range(F):
            d_h_0[i, f] = carried[f]
    return d_x, d_h_0, d_W_x, d_W_h, d_b


@answers("rnn.through_time", "einsum")
def through_time_einsum(d_h, x, h_0, W_x, W_h, b):
    h = [h_0]
    for read in np.einsum("btd,df->tbf", x, W_x):
        h.append(np.tanh(read + np.einsum("bg,gf->bf", h[-1], W_h) + b))
    h = np.array(h)
    d_a = np.zeros(h[1:].shape)
    d_state = np.zeros(h_0.shape)
    for t in reversed(range(len(d_a))):
        d_a[t] = (d_h[:, t] + d_state) * (1 - h[t + 1] ** 2)
        d_state = np.einsum("bf,gf->bg", d_a[t], W_h)
    return (
        np.einsum("tbf,df->btd", d_a, W_x),
        d_state,
        np.einsum("btd,tbf->df", x, d_a),
        np.einsum("tbg,tbf->gf", h[:-1], d_a),
        np.einsum("tbf->f", d_a),
    )


@answers("rnn.through_time", "matrix form")
def through_time_matrix(d_h, x, h_0, W_x, W_h, b):
    """One matrix for all that goes in: z = [x, h, 1]."""
    B, T, D = x.shape
    F = h_0.shape[1]
    W = np.concatenate([W_x, W_h, b.reshape(1, F)])
    h, z = h_0, []
    states = []
    for t in range(T):
        z.append(np.concatenate([x[:, t], h, np.ones((B, 1))], axis=1))
        h = np.tanh(z[t] @ W)
        states.append(h)
    d_W, d_x, d_state = np.zeros(W.shape), np.zeros(x.shape), np.zeros((B, F))
    for t in range(T)[::-1]:
        d_sum = (d_h[:, t] + d_state) * (1 - states[t] ** 2)
        d_W += z[t].T @ d_sum
        d_x[:, t], d_state, _ = np.split(d_sum @ W.T, [D, D + F], axis=1)
    return d_x, d_state, d_W[:D], d_W[D : D + F], d_W[-1]


@answers("rnn.through_time", "float32")
def through_time_float32(d_h, x, h_0, W_x, W_h, b):
    d_h, x, h_0, W_x, W_h, b = (np.array(a, np.float32) for a in (d_h, x, h_0, W_x, W_h, b))
    y, cache = rnn_pair_forward(x, h_0, W_x, W_h, b)
    d_x, d_next = np.zeros_like(x), np.zeros_like(h_0)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    for t in reversed(range(x.shape[1])):
        d_a = (d_h[:, t] + d_next) * (1 - y[:, t] ** 2)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
        d_W_x += x[:, t].T @ d_a
        d_W_h += (y[:, t - 1] if t else h_0).T @ d_a
        d_b += d_a.sum(0)
    return d_x, d_next, d_W_x, d_W_h, d_b


@answers("rnn.through_time", "class: gradients as attributes")
class RecurrentNetworkWithAttributes:
    def __init__(self, W_x, W_h, b):
        self.W_x, self.W_h, self.b = W_x, W_h, b

    def forward(self, x, h_0):
        self.x, self.steps = x, []
        h = h_0
        for t in range(x.shape[1]):
            before, h = h, np.tanh(x[:, t] @ self.W_x + h @ self.W_h + self.b)
            self.steps.append((before, h))
        return np.stack([h for _, h in self.steps], axis=1)

    def backward(self, d_h):
        d_x, d_state = np.empty(self.x.shape), 0
        self.d_W_x, self.d_W_h, self.d_b = (
            np.zeros(self.W_x.shape), np.zeros(self.W_h.shape), np.zeros(self.b.shape),
        )
        while self.steps:
            before, h = self.steps.pop()
            t = len(self.steps)
            d_a = (d_h[:, t] + d_state) * (1 - h) * (1 + h)
            self.d_W_x += self.x[:, t].T @ d_a
            self.d_W_h += before.T @ d_a
            self.d_b += d_a.sum(axis=0)
            d_x[:, t] = d_a @ self.W_x.T
            d_state = d_a @ self.W_h.T
        return d_x, d_state


# additive_attention.forward


def project_loops(x, W):
    y = np.zeros((*x.shape[:2], W.shape[1]))
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            for d in range(W.shape[0]):
                for f in range(W.shape[1]):
                    y[b, t, f] += x[b, t, d] * W[d, f]
    return y


@answers("additive_attention.forward", "loops")
def additive_loops(query, key, value, W_query, W_key, v, mask):
    B, T, _ = query.shape
    q, k = project_loops(query, W_query), project_loops(key, W_key)
    S, K_v, F = key.shape[1], value.shape[2], len(v)
    context = np.zeros((B, T, K_v))
    for b in range(B):
        for t in range(T):
            scores = {}
            for s in range(S):
                if not mask[b, 0, s]:
                    continue
                score = 0.0
                for f in range(F):
                    score += v[f] * math.tanh(q[b, t, f] + k[b, s, f])
                scores[s] = score
            if not scores:
                continue
            largest = max(scores.values())
            total = sum(math.exp(score - largest) for score in scores.values())
            for s, score in scores.items():
                for i in range(K_v):
                    context[b, t, i] += math.exp(score - largest) / total * value[b, s, i]
    return context


@answers("additive_attention.forward", "einsum")
def additive_einsum(query, key, value, W_query, W_key, v, mask):
    q, k = np.einsum("btd,df->btf", query, W_query), np.einsum("bsd,df->bsf", key, W_key)
    E = np.einsum("btsf,f->bts", np.tanh(q[:, :, None] + k[:, None]), v)
    E = np.where(mask, E, -1e9)
    e = np.einsum("bts,bus->bts", np.exp(E - np.amax(E, axis=2, keepdims=True)), mask)
    total = np.einsum("bts->bt", e)
    return np.einsum("bts,bsk,bt->btk", e, value, 1 / np.where(total > 0, total, 1))


@answers("additive_attention.forward", "matrix form")
def additive_matrix(query, key, value, W_query, W_key, v, mask):
    """All pairs below one another, each with the features of both side by side."""
    B, T, D = query.shape
    S = key.shape[1]
    shape = (B, T, S, D)
    pairs = np.concatenate(
        [np.broadcast_to(query[:, :, None], shape), np.broadcast_to(key[:, None], shape)], axis=-1
    ).reshape(-1, 2 * D)
    E = (np.tanh(pairs @ np.concatenate([W_query, W_key])) @ v).reshape(B, T, S)
    E = np.where(mask, E, -np.inf)
    largest = np.max(E, axis=-1, keepdims=True)
    e = np.exp(E - np.where(np.isfinite(largest), largest, 0))
    P = e / np.maximum(e.sum(-1, keepdims=True), 1e-300)
    return P @ value


@answers("additive_attention.forward", "float32")
def additive_float32(query, key, value, W_query, W_key, v, mask):
    query, key, value, W_query, W_key, v = (
        a.astype(np.float32) for a in (query, key, value, W_query, W_key, v)
    )
    E = np.tanh((query @ W_query)[:, :, None] + (key @ W_key)[:, None]) @ v
    E = np.where(mask, E, np.float32(-1e30))
    e = np.exp(E - E.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) * mask.any(-1, keepdims=True) @ value


@answers("additive_attention.forward", "class")
class AdditiveAttention:
    def __init__(self, W_query, W_key, v):
        self.W_query, self.W_key, self.v = W_query, W_key, v

    def forward(self, query, key, value, mask):
        self.query, self.key, self.value = query, key, value
        self.hidden = np.tanh((query @ self.W_query)[:, :, None] + (key @ self.W_key)[:, None])
        E = self.hidden @ self.v
        E = E - np.where(mask, E, -np.inf).max(-1, keepdims=True, initial=-1e6)
        e = np.where(mask, np.exp(np.minimum(E, 0)), 0)
        total = e.sum(-1, keepdims=True)
        self.P = e / (total + (total == 0))
        return self.P @ value

    def backward(self, d_context):
        d_value = self.P.swapaxes(1, 2) @ d_context
        d_P = d_context @ self.value.swapaxes(1, 2)
        d_E = self.P * (d_P - (self.P * d_P).sum(-1, keepdims=True))
        d_v = np.tensordot(d_E, self.hidden, 3)
        d_a = d_E[..., None] * self.v * (1 - self.hidden**2)
        d_q, d_k = d_a.sum(2), d_a.sum(1)
        d_W_query = (self.query.swapaxes(1, 2) @ d_q).sum(0)
        d_W_key = (self.key.swapaxes(1, 2) @ d_k).sum(0)
        return d_q @ self.W_query.T, d_k @ self.W_key.T, d_value, d_W_query, d_W_key, d_v


def additive_pair_forward(query, key, value, W_query, W_key, v, mask):
    z = np.tanh(np.expand_dims(query @ W_query, 2) + np.expand_dims(key @ W_key, 1))
    E = np.where(mask, z @ v, -1e9)
    e = np.exp(E - E.max(-1, keepdims=True))
    P = np.where(mask, e / e.sum(-1, keepdims=True), 0)
    cache = dict(query=query, key=key, value=value, W_query=W_query, W_key=W_key, v=v, z=z, P=P)
    return P @ value, cache


def additive_pair_backward(d_context, cache):
    z, P = cache["z"], cache["P"]
    d_P = np.einsum("btk,bsk->bts", d_context, cache["value"])
    d_E = P * d_P - P * np.einsum("bts,bts->bt", P, d_P)[:, :, None]
    d_z = np.multiply.outer(d_E, cache["v"])
    d_a = d_z - d_z * z * z
    d_q, d_k = d_a.sum(axis=2), d_a.sum(axis=1)
    return (
        d_q @ cache["W_query"].T,
        d_k @ cache["W_key"].T,
        np.einsum("bts,btk->bsk", P, d_context),
        np.einsum("btd,btf->df", cache["query"], d_q),
        np.einsum("bsd,bsf->df", cache["key"], d_k),
        np.einsum("bts,btsf->f", d_E, z),
    )


# additive_attention.backward


@answers("additive_attention.backward", "loops")
def additive_backward_loops(d_context, query, key, value, W_query, W_key, v, mask):
    B, T, D = query.shape
    S, K_v, F = key.shape[1], value.shape[2], len(v)
    q, k = project_loops(query, W_query), project_loops(key, W_key)
    d_q = np.zeros((B, T, F))
    d_k = np.zeros((B, S, F))
    d_value = np.zeros((B, S, K_v))
    d_v = np.zeros(F)
    for b in range(B):
        seen = [s for s in range(S) if mask[b, 0, s]]
        for t in range(T):
            z, E = {}, {}
            for s in seen:
                for f in range(F):
                    z[s, f] = math.tanh(q[b, t, f] + k[b, s, f])
                E[s] = sum(v[f] * z[s, f] for f in range(F))
            if not seen:
                continue
            total = sum(math.exp(E[s] - max(E.values())) for s in seen)
            P = {s: math.exp(E[s] - max(E.values())) / total for s in seen}
            d_P = {s: sum(d_context[b, t, i] * value[b, s, i] for i in range(K_v)) for s in seen}
            mean = sum(P[s] * d_P[s] for s in seen)
            for s in seen:
                d_E = P[s] * (d_P[s] - mean)
                for i in range(K_v):
                    d_value[b, s, i] += P[s] * d_context[b, t, i]
                for f in range(F):
                    d_v[f] += d_E * z[s, f]
                    d_a = d_E * v[f] * (1 - z[s, f] ** 2)
                    d_q[b, t, f] += d_a
                    d_k[b, s, f] += d_a
    d_query, d_key = np.zeros((B, T, D)), np.zeros((B, S, D))
    d_W_query, d_W_key = np.zeros((D, F)), np.zeros((D, F))
    for x, d_x, W, d_W, d in (
        (query, d_query, W_query, d_W_query, d_q),
        (key, d_key, W_key, d_W_key, d_k),
    ):
        for b, t, f in np.ndindex(*d.shape):
            for i in range(D):
                d_x[b, t, i] += d[b, t, f] * W[i, f]
                d_W[i, f] += d[b, t, f] * x[b, t, i]
    return d_query, d_key, d_value, d_W_query, d_W_key, d_v


@answers("additive_attention.backward", "einsum")
def additive_backward_einsum(d_context, query, key, value, W_query, W_key, v, mask):
    q, k = np.einsum("btd,df->btf", query, W_query), np.einsum("bsd,df->bsf", key, W_key)
    z = np.tanh(q[:, :, None] + k[:, None])
    E = np.where(mask, np.einsum("btsf,f->bts", z, v), -1e9)
    e = np.exp(E - E.max(-1, keepdims=True)) * mask
    P = e / np.maximum(e.sum(-1, keepdims=True), 1e-30)
    d_P = np.einsum("btk,bsk->bts", d_context, value)
    d_E = P * (d_P - np.einsum("bts,bts->bt", P, d_P)[..., None])
    d_a = np.einsum("bts,f,btsf->btsf", d_E, v, 1 - z**2)
    return (
        np.einsum("btsf,df->btd", d_a, W_query),
        np.einsum("btsf,df->bsd", d_a, W_key),
        np.einsum("bts,btk->bsk", P, d_context),
        np.einsum("btsf,btd->df", d_a, query),
        np.einsum("btsf,bsd->df", d_a, key),
        np.einsum("bts,btsf->f", d_E, z),
    )


@answers("additive_attention.backward", "matrix form")
def additive_backward_matrix(d_context, query, key, value, W_query, W_key, v, mask):
    B, T, D = query.shape
    S, F = key.shape[1], len(v)
    z = np.tanh((query @ W_query).reshape(B, T, 1, F) + (key @ W_key).reshape(B, 1, S, F))
    E = np.where(mask, (z.reshape(-1, F) @ v).reshape(B, T, S), -np.inf)
    top = E.max(axis=2, keepdims=True)
    top[np.isneginf(top)] = 0
    P = np.exp(E - top)
    P = P / np.where(mask.any(2, keepdims=True), P.sum(2, keepdims=True), 1)
    d_value = P.transpose(0, 2, 1) @ d_context
    d_P = d_context @ value.transpose(0, 2, 1)
    d_E = P * (d_P - (d_P[:, :, None, :] @ P[:, :, :, None])[:, :, 0])
    d_v = z.reshape(-1, F).T @ d_E.reshape(-1)
    d_a = d_E.reshape(-1, 1) * v.reshape(1, -1) * (1 - z.reshape(-1, F) ** 2)
    d_a = d_a.reshape(B, T, S, F)
    d_q, d_k = d_a.sum(2).reshape(-1, F), d_a.sum(1).reshape(-1, F)
    return (
        (d_q @ W_query.T).reshape(B, T, D),
        (d_k @ W_key.T).reshape(B, S, D),
        d_value,
        query.reshape(-1, D).T @ d_q,
        key.reshape(-1, D).T @ d_k,
        d_v,
    )


@answers("additive_attention.backward", "float32")
def additive_backward_float32(d_context, query, key, value, W_query, W_key, v, mask):
    arrays = (d_context, query, key, value, W_query, W_key, v)
    d_context, query, key, value, W_query, W_key, v = (np.float32(a) for a in arrays)
    _, cache = additive_pair_forward(query, key, value, W_query, W_key, v, mask)
    return additive_pair_backward(d_context, cache)


answers("additive_attention.backward", "class")(AdditiveAttention)


# kv_cache.decode


@answers("kv_cache.decode", "loops")
def decode_loops(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    B, T, D = x.shape
    S, K = memory.shape[1], W_query.shape[1]

    def project(row, W):
        result = [0.0] * K
        for k in range(K):
            for d in range(D):
                result[k] += row[d] * W[d, k]
        return result

    def attend(q, keys, values):
        scores = []
        for key in keys:
            score = 0.0
            for k in range(K):
                score += q[k] * key[k]
            scores.append(score / math.sqrt(K))
        total, mean = 0.0, [0.0] * K
        for score, value in zip(scores, values):
            weight = math.exp(score - max(scores))
            total += weight
            for k in range(K):
                mean[k] += weight * value[k]
        return [number / total for number in mean]

    y, all_keys, memory_keys = np.zeros((B, T, K)), np.zeros((B, T, K)), np.zeros((B, S, K))
    for b in range(B):
        keys, values = [], []
        m_keys = [project(memory[b, s], U_key) for s in range(S)]
        m_values = [project(memory[b, s], U_value) for s in range(S)]

        def read(begin, end, b=b, keys=keys, values=values, m_keys=m_keys, m_values=m_values):
            tokens = [[x[b, t, d] + encoding[t, d] for d in range(D)] for t in range(begin, end)]
            for token in tokens:
                keys.append(project(token, W_key))
                values.append(project(token, W_value))
            for t, token in zip(range(begin, end), tokens):
                own = attend(project(token, W_query), keys[: t + 1], values[: t + 1])
                other = attend(project(token, U_query), m_keys, m_values)
                for k in range(K):
                    y[b, t, k] = own[k] + other[k]

        read(0, prompt_length)
        for t in range(prompt_length, T):
            read(t, t + 1)
        all_keys[b], memory_keys[b] = keys, m_keys
    return y, all_keys, memory_keys


@answers("kv_cache.decode", "einsum")
def decode_einsum(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    K = W_query.shape[1]
    memory_keys = np.einsum("bsd,dk->bsk", memory, U_key)
    memory_values = np.einsum("bsd,dk->bsk", memory, U_value)

    def attention(q, k, v, allowed):
        E = np.einsum("btk,bsk->bts", q, k) / K**0.5
        E = np.where(allowed, E, -np.inf)
        P = np.exp(E - E.max(-1, keepdims=True))
        return np.einsum("bts,bsk,bt->btk", P, v, 1 / P.sum(-1))

    keys = values = np.zeros((len(x), 0, K))
    y = []
    begin = 0
    for end in range(prompt_length, x.shape[1] + 1):
        z = x[:, begin:end] + encoding[begin:end]
        keys = np.append(keys, np.einsum("btd,dk->btk", z, W_key), axis=1)
        values = np.append(values, np.einsum("btd,dk->btk", z, W_value), axis=1)
        causal = np.arange(end) <= np.arange(begin, end)[:, None]
        own = attention(np.einsum("btd,dk->btk", z, W_query), keys, values, causal)
        y.append(
            own + attention(np.einsum("btd,dk->btk", z, U_query), memory_keys, memory_values, True)
        )
        begin = end
    return np.concatenate(y, axis=1), keys, memory_keys


@answers("kv_cache.decode", "matrix form")
def decode_matrix(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    """One product for all that a token needs, one for all that is needed of the memory."""
    T, K = x.shape[1], W_query.shape[1]
    W = np.concatenate([W_query, W_key, W_value, U_query], axis=1)
    memory_keys, memory_values = np.split(
        memory @ np.concatenate([U_key, U_value], axis=1), 2, axis=-1
    )

    def softmax(scores):
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    q, keys, values, u = np.split((x[:, :prompt_length] + encoding[:prompt_length]) @ W, 4, axis=-1)
    scores = q @ keys.swapaxes(1, 2) / math.sqrt(K) + np.triu(
        np.full((prompt_length, prompt_length), -1e9), 1
    )
    y = (
        softmax(scores) @ values
        + softmax(u @ memory_keys.swapaxes(1, 2) / math.sqrt(K)) @ memory_values
    )
    for t in range(prompt_length, T):
        q, k, v, u = np.split((x[:, t : t + 1] + encoding[t]) @ W, 4, axis=-1)
        keys, values = np.concatenate([keys, k], 1), np.concatenate([values, v], 1)
        new = softmax(q @ keys.swapaxes(1, 2) / math.sqrt(K)) @ values
        new = new + softmax(u @ memory_keys.swapaxes(1, 2) / math.sqrt(K)) @ memory_values
        y = np.concatenate([y, new], 1)
    return y, keys, memory_keys


@answers("kv_cache.decode", "in place")
def decode_in_place(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    """The cache has room for all tokens from the beginning, and is filled from the left."""
    B, T, _ = x.shape
    K = W_query.shape[1]
    cache = np.zeros((2, B, T, K))
    y = np.zeros((B, T, K))
    memory_keys, memory_values = memory @ U_key, memory @ U_value
    spans = [slice(0, prompt_length)] + [slice(t, t + 1) for t in range(prompt_length, T)]
    for span in spans:
        z = x[:, span].copy()
        z += encoding[span]
        np.matmul(z, W_key, out=cache[0, :, span])
        np.matmul(z, W_value, out=cache[1, :, span])
        P = (z @ W_query) @ cache[0, :, : span.stop].swapaxes(1, 2)
        P /= np.sqrt(K)
        for row, t in enumerate(range(span.start, span.stop)):
            P[:, row, t + 1 :] = -np.inf
        P -= P.max(-1, keepdims=True)
        np.exp(P, out=P)
        P /= P.sum(-1, keepdims=True)
        y[:, span] += P @ cache[1, :, : span.stop]
        P = (z @ U_query) @ memory_keys.swapaxes(1, 2)
        P /= np.sqrt(K)
        P -= P.max(-1, keepdims=True)
        np.exp(P, out=P)
        P /= P.sum(-1, keepdims=True)
        y[:, span] += P @ memory_values
    return y, cache[0], memory_keys


@answers("kv_cache.decode", "float32")
def decode_float32(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    arrays = (x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value)
    y, keys, memory_keys = decode_matrix(*(a.astype(np.float32) for a in arrays), prompt_length)
    return y.astype(np.float32), keys, memory_keys


# gradient_check.numerical


@answers("gradient_check.numerical", "loops")
def numerical_loops(f, x, d_y, epsilon):
    d_x = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        before = x[index]
        x[index] = before + epsilon
        above = f(x)
        x[index] = before - epsilon
        below = f(x)
        x[index] = before
        for place in np.ndindex(*d_y.shape):
            d_x[index] += d_y[place] * (above[place] - below[place]) / (2 * epsilon)
    return d_x


@answers("gradient_check.numerical", "einsum")
def numerical_einsum(f, x, d_y, epsilon):
    moves = epsilon * np.eye(x.size).reshape(-1, *x.shape)
    above = np.stack([f(x + move) for move in moves])
    below = np.stack([f(x - move) for move in moves])
    slopes = (above - below).reshape(x.size, d_y.size) / (2 * epsilon)
    return np.einsum("ny,y->n", slopes, d_y.ravel()).reshape(x.shape)


@answers("gradient_check.numerical", "matrix form")
def numerical_matrix(f, x, d_y, epsilon):
    """The whole Jacobian, a column for each number of x, and then one product."""
    jacobian = np.zeros((d_y.size, x.size))
    for n in range(x.size):
        moved = np.zeros(x.size)
        moved[n] = epsilon
        moved = moved.reshape(x.shape)
        jacobian[:, n] = (f(x + moved) - f(x - moved)).reshape(-1) / (2 * epsilon)
    return (d_y.reshape(1, -1) @ jacobian).reshape(x.shape)


@answers("gradient_check.numerical", "in place")
def numerical_in_place(f, x, d_y, epsilon):
    x = x.astype(np.float64)  # a copy
    d_x = np.empty_like(x)
    numbers = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"])
    for number in numbers:
        old = number.item()
        number[...] = old + epsilon
        d_x[numbers.multi_index] = np.sum(d_y * f(x))
        number[...] = old - epsilon
        d_x[numbers.multi_index] -= np.sum(d_y * f(x))
        number[...] = old
    d_x /= 2 * epsilon
    return d_x


@answers("gradient_check.numerical", "lists")
def numerical_lists(f, x, d_y, epsilon):
    start = x.tolist()

    def L():
        return sum(p * q for p, q in zip(f(np.array(start)).ravel().tolist(), d_y.ravel().tolist()))

    def slopes(part):
        """Those of all numbers in a part of `start`, which is a list of numbers or one of further
        parts."""
        if isinstance(part[0], list):
            return [slopes(inner) for inner in part]
        row = []
        for i, number in enumerate(part):
            losses = []
            for part[i] in (number + epsilon, number - epsilon):
                losses.append(L())
            part[i] = number
            row.append((losses[0] - losses[1]) / (2 * epsilon))
        return row

    return slopes(start)


# gradient_check.error


@answers("gradient_check.error", "loops")
def error_loops(analytic, numeric):
    difference = a = n = 0.0
    for i in range(analytic.shape[0]):
        for j in range(analytic.shape[1]):
            difference += (analytic[i, j] - numeric[i, j]) ** 2
            a += analytic[i, j] ** 2
            n += numeric[i, j] ** 2
    larger = math.sqrt(a) if a > n else math.sqrt(n)
    if larger < 1e-8:
        larger = 1e-8
    return math.sqrt(difference) / larger


@answers("gradient_check.error", "einsum")
def error_einsum(analytic, numeric):
    def length(x):
        return np.einsum("td,td->", x, x) ** 0.5

    return length(analytic - numeric) / max(length(analytic), length(numeric), 1e-8)


@answers("gradient_check.error", "matrix form")
def error_matrix(analytic, numeric):
    """The diagonal of the Gram matrix of all three vectors."""
    vectors = np.stack([analytic.ravel(), numeric.ravel(), (analytic - numeric).ravel()])
    a, n, difference = np.sqrt(np.diag(vectors @ vectors.T))
    return difference / np.max([a, n, 1e-8])


@answers("gradient_check.error", "in place")
def error_in_place(analytic, numeric):
    difference = analytic.copy()
    difference -= numeric
    difference *= difference
    a, n = np.square(analytic), np.square(numeric)
    return float(
        np.sqrt(difference.sum()) / np.sqrt(np.maximum(np.maximum(a.sum(), n.sum()), 1e-16))
    )


@answers("gradient_check.error", "float32")
def error_float32(analytic, numeric):
    difference = np.float32(np.linalg.norm(analytic - numeric))  # of two near ones: in float64
    a, n = np.linalg.norm(analytic.astype(np.float32)), np.linalg.norm(numeric.astype(np.float32))
    return difference / max(a, n, np.float32(1e-8))


# adam.step


# adamw.step


# sgd.step


# clip.norm


# noam.rate


def noam_paper(step, d_model, warmup):
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


@answers("noam.rate", "matrix form")
def noam_table(step, d_model, warmup):
    """The rates of all steps up to this one; the last is asked for."""
    steps = np.arange(1, step + 1)
    return (np.minimum(1 / np.sqrt(steps), steps / warmup**1.5) / np.sqrt(d_model))[-1]


# cosine.rate


# update.all


def adam_of_vectors(p, g, m, v, step, rate, beta_1=0.9, beta_2=0.98, epsilon=1e-9):
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    return p - rate * (m / (1 - beta_1**step)) / (np.sqrt(v / (1 - beta_2**step)) + epsilon), m, v


@answers("update.all", "float32")
def update_all_float32(parameters, gradients, m, v, step, d_model, warmup):
    """Computed in float32, and written into the arrays as they are."""
    for name in parameters:
        arrays = [dictionary[name] for dictionary in (parameters, m, v, gradients)]
        p, a, b, g = (array.astype(np.float32) for array in arrays)
        new = adam_of_vectors(p, g, a, b, step, noam_paper(step, d_model, warmup))
        for array, numbers in zip(arrays, new):
            array[...] = numbers
        gradients[name][...] = 0


# tied.backward


# tied.step


# transformer.backward


@answers("transformer.backward", "loops")
def transformer_backward_tape(d_logits, decoder_backward, encoder_backward):
    """What was done in forward, from back to front: each with what it read and what it made."""
    tape = [
        (lambda d: (encoder_backward(d),), ("source",), "memory"),
        (decoder_backward, ("target", "memory"), "logits"),
    ]
    d = {"logits": d_logits}
    for backward, read, made in reversed(tape):
        for name, gradient in zip(read, backward(d[made])):
            d[name] = gradient if name not in d else d[name] + gradient
    return d["source"], d["target"]


# decoder.backward


@answers("decoder.backward", "matrix form")
def decoder_backward_matrix(d_y, layer_backwards):
    gradients = [(d_y, None)]
    for backward in layer_backwards[::-1]:
        gradients.append(backward(gradients[-1][0]))
    memories = np.array([d_memory for _, d_memory in gradients[1:]])
    sums = np.ones(len(memories)) @ memories.reshape(len(memories), -1)
    return gradients[-1][0], sums.reshape(memories.shape[1:])


