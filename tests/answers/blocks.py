"""Right answers from the masks to one step of a recurrent network, as students might write them."""

import math

import numpy as np

from . import answers

# mask.padding


@answers("mask.padding", "loops")
def padding_mask_loops(ids):
    B, S = ids.shape
    mask = np.zeros((B, 1, 1, S), dtype=bool)
    for b in range(B):
        for s in range(S):
            if ids[b, s] != 0:
                mask[b, 0, 0, s] = True
    return mask


@answers("mask.padding", "einsum")
def padding_mask_einsum(ids):
    return (np.einsum("bs,bs->bs", ids, ids) > 0)[:, None, None]


@answers("mask.padding", "matrix form")
def padding_mask_matrix(ids):
    B, S = ids.shape
    return (ids != 0).reshape(B, 1, 1, S)


@answers("mask.padding", "in place")
def padding_mask_in_place(ids):
    mask = np.ones(ids.shape, dtype=bool)
    mask[ids == 0] = False
    return np.expand_dims(mask, (1, 2))


@answers("mask.padding", "lists")
def padding_mask_lists(ids):
    return [[[[number != 0 for number in sentence]]] for sentence in ids.tolist()]


# mask.causal


@answers("mask.causal", "loops")
def causal_mask_loops(length):
    mask = np.zeros((length, length), dtype=bool)
    for query in range(length):
        for key in range(query + 1):
            mask[query, key] = True
    return mask


@answers("mask.causal", "einsum")
def causal_mask_einsum(length):
    position, one = np.arange(length), np.ones(length, dtype=int)
    return np.einsum("t,s->ts", position, one) >= np.einsum("t,s->ts", one, position)


@answers("mask.causal", "matrix form")
def causal_mask_matrix(length):
    return np.tril(np.ones((length, length), dtype=bool))


@answers("mask.causal", "in place")
def causal_mask_in_place(length):
    mask = np.ones((length, length), dtype=bool)
    mask[np.triu_indices(length, k=1)] = False
    return mask


@answers("mask.causal", "lists")
def causal_mask_lists(length):
    return [[True] * (t + 1) + [False] * (length - t - 1) for t in range(length)]


# mask.decoder


@answers("mask.decoder", "loops")
def decoder_mask_loops(ids):
    B, T = ids.shape
    mask = np.zeros((B, 1, T, T), dtype=bool)
    for b in range(B):
        for query in range(T):
            for key in range(T):
                mask[b, 0, query, key] = key <= query and ids[b, key] != 0
    return mask


@answers("mask.decoder", "einsum")
def decoder_mask_einsum(ids):
    real = (ids != 0).astype(int)
    return np.einsum("bs,ts->bts", real, np.tri(ids.shape[1], dtype=int)).astype(bool)[:, None]


@answers("mask.decoder", "matrix form")
def decoder_mask_matrix(ids):
    B, T = ids.shape
    return (ids != 0).reshape(B, 1, 1, T) & np.tril(np.ones((T, T), dtype=bool))


@answers("mask.decoder", "in place")
def decoder_mask_in_place(ids):
    B, T = ids.shape
    mask = np.ones((B, 1, T, T), dtype=bool)
    mask[..., np.triu(np.ones((T, T), dtype=bool), 1)] = False
    for sentence, b in zip(ids, range(B)):
        mask[b, ..., sentence == 0] = False
    return mask


@answers("mask.decoder", "lists")
def decoder_mask_lists(ids):
    return [
        [
            [
                [s <= t and number != 0 for s, number in enumerate(sentence)]
                for t in range(len(sentence))
            ]
        ]
        for sentence in ids.tolist()
    ]


# mask.cross


@answers("mask.cross", "loops")
def cross_mask_loops(source_ids, target_ids):
    B, S = source_ids.shape
    T = target_ids.shape[1]
    mask = np.zeros((B, 1, T, S), dtype=bool)
    for b in range(B):
        for t in range(T):
            for s in range(S):
                mask[b, 0, t, s] = source_ids[b, s] != 0
    return mask


@answers("mask.cross", "einsum")
def cross_mask_einsum(source_ids, target_ids):
    ones = np.ones_like(target_ids)
    return np.einsum("bs,bt->bts", (source_ids != 0).astype(int), ones)[:, None] > 0


@answers("mask.cross", "matrix form")
def cross_mask_matrix(source_ids, target_ids):
    return (source_ids != 0)[:, None, None, :]


@answers("mask.cross", "in place")
def cross_mask_in_place(source_ids, target_ids):
    mask = np.ones((source_ids.shape[0], 1, 1, source_ids.shape[1]), dtype=bool)
    mask[:, 0, 0][source_ids == 0] = False
    return mask


@answers("mask.cross", "lists")
def cross_mask_lists(source_ids, target_ids):
    sentences = zip(source_ids.tolist(), target_ids.tolist())
    return [[[[number != 0 for number in source] for _ in target]] for source, target in sentences]


# heads.split


@answers("heads.split", "loops")
def split_heads_loops(x, heads):
    B, T, D = x.shape
    K = D // heads
    y = np.zeros((B, heads, T, K))
    for b in range(B):
        for t in range(T):
            for h in range(heads):
                for k in range(K):
                    y[b, h, t, k] = x[b, t, h * K + k]
    return y


@answers("heads.split", "einsum")
def split_heads_einsum(x, heads):
    D = x.shape[-1]
    return np.einsum("btd,dhk->bhtk", x, np.eye(D).reshape(D, heads, D // heads))


@answers("heads.split", "matrix form")
def split_heads_matrix(x, heads):
    B, T, D = x.shape
    return x.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


@answers("heads.split", "float32")
def split_heads_float32(x, heads):
    x = x.astype(np.float32)
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


@answers("heads.split", "class")
class SplitHeads:
    def __init__(self, heads):
        self.heads = heads

    def forward(self, x):
        self.shape = x.shape
        B, T, D = x.shape
        return x.reshape(B, T, self.heads, D // self.heads).transpose(0, 2, 1, 3)

    def backward(self, d_y):
        return d_y.transpose(0, 2, 1, 3).reshape(self.shape)


# heads.merge


@answers("heads.merge", "loops")
def merge_heads_loops(x):
    B, H, T, K = x.shape
    y = np.zeros((B, T, H * K))
    for b in range(B):
        for t in range(T):
            for d in range(H * K):
                y[b, t, d] = x[b, d // K, t, d % K]
    return y


@answers("heads.merge", "einsum")
def merge_heads_einsum(x):
    B, H, T, K = x.shape
    return np.einsum("bhtk->bthk", x).reshape(B, T, H * K)


@answers("heads.merge", "matrix form")
def merge_heads_matrix(x):
    B, H, T, K = x.shape
    place = np.eye(H * K).reshape(H, K, H * K)
    return (x @ place).sum(axis=1)


@answers("heads.merge", "float32")
def merge_heads_float32(x):
    return np.concatenate(np.moveaxis(x.astype(np.float32), 1, 0), axis=-1)


@answers("heads.merge", "class")
class MergeHeads:
    def forward(self, x):
        self.shape = B, H, T, K = x.shape
        return x.transpose(0, 2, 1, 3).reshape(B, T, H * K)

    def backward(self, d_y):
        B, H, T, K = self.shape
        return d_y.reshape(B, T, H, K).transpose(0, 2, 1, 3)


# heads.split_backward


@answers("heads.split_backward", "loops")
def split_heads_backward_loops(d_y, x, heads):
    B, T, D = x.shape
    K = D // heads
    d_x = np.zeros((B, T, D))
    for b in range(B):
        for h in range(heads):
            for t in range(T):
                for k in range(K):
                    d_x[b, t, h * K + k] = d_y[b, h, t, k]
    return d_x


@answers("heads.split_backward", "einsum")
def split_heads_backward_einsum(d_y, x, heads):
    D = x.shape[-1]
    return np.einsum("bhtk,dhk->btd", d_y, np.eye(D).reshape(D, heads, D // heads))


@answers("heads.split_backward", "matrix form")
def split_heads_backward_matrix(d_y, x, heads):
    return d_y.transpose(0, 2, 1, 3).reshape(x.shape)


@answers("heads.split_backward", "float32")
def split_heads_backward_float32(d_y, x, heads):
    return np.concatenate([d_y[:, h].astype(np.float32) for h in range(heads)], axis=-1)


answers("heads.split_backward", "class")(SplitHeads)


# heads.merge_backward


@answers("heads.merge_backward", "loops")
def merge_heads_backward_loops(d_y, x):
    B, H, T, K = x.shape
    d_x = np.zeros((B, H, T, K))
    for b in range(B):
        for t in range(T):
            for d in range(H * K):
                h, k = divmod(d, K)
                d_x[b, h, t, k] += d_y[b, t, d]
    return d_x


@answers("heads.merge_backward", "einsum")
def merge_heads_backward_einsum(d_y, x):
    B, H, T, K = x.shape
    return np.einsum("bthk->bhtk", d_y.reshape(B, T, H, K))


@answers("heads.merge_backward", "matrix form")
def merge_heads_backward_matrix(d_y, x):
    B, H, T, K = x.shape
    place = np.eye(H * K).reshape(H, K, H * K)
    return d_y[:, None] @ place.transpose(0, 2, 1)


@answers("heads.merge_backward", "float32")
def merge_heads_backward_float32(d_y, x):
    return np.stack(np.split(np.float32(d_y), x.shape[1], axis=-1), axis=1)


answers("heads.merge_backward", "class")(MergeHeads)


# self_attention.forward


@answers("self_attention.forward", "loops")
def self_attention_loops(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    mask = np.broadcast_to(mask, (B, heads, T, T))
    x, W_query, W_key, W_value, W_output = (
        a.tolist() for a in (x, W_query, W_key, W_value, W_output)
    )
    y = np.zeros((B, T, D))
    for b in range(B):
        query, key, value = np.zeros((T, D)), np.zeros((T, D)), np.zeros((T, D))
        for t in range(T):
            for d in range(D):
                q = k = v = 0.0
                for c in range(D):
                    q += x[b][t][c] * W_query[c][d]
                    k += x[b][t][c] * W_key[c][d]
                    v += x[b][t][c] * W_value[c][d]
                query[t, d], key[t, d], value[t, d] = q, k, v
        for t in range(T):
            context = [0.0] * D
            for h in range(heads):
                features = range(h * K, (h + 1) * K)
                seen = [s for s in range(T) if mask[b, h, t, s]]
                scores = [
                    sum(query[t, k] * key[s, k] for k in features) / math.sqrt(K) for s in seen
                ]
                e = [math.exp(score - max(scores)) for score in scores]
                for share, s in zip(e, seen):
                    for k in features:
                        context[k] += share / sum(e) * value[s, k]
            for d in range(D):
                for c in range(D):
                    y[b, t, d] += context[c] * W_output[c][d]
    return y


@answers("self_attention.forward", "einsum")
def self_attention_einsum(x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    query, key, value = (
        np.einsum("btc,chk->bhtk", x, W.reshape(D, heads, -1)) for W in (W_query, W_key, W_value)
    )
    scores = np.einsum("bhtk,bhsk->bhts", query, key) / np.sqrt(D // heads)
    scores = np.where(mask, scores, -np.inf)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    return np.einsum("bhts,bhsk,hkd->btd", P, value, W_output.reshape(heads, -1, D), optimize=True)


@answers("self_attention.forward", "matrix form")
def self_attention_matrix(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape

    def split(z):
        return z.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)

    query, key, value = split(x @ W_query), split(x @ W_key), split(x @ W_value)
    scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(D // heads)
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    context = (e / e.sum(axis=-1, keepdims=True)) @ value
    return context.transpose(0, 2, 1, 3).reshape(B, T, D) @ W_output


@answers("self_attention.forward", "float32")
def self_attention_float32(x, W_query, W_key, W_value, W_output, heads, mask):
    x, W_query, W_key, W_value, W_output = map(np.float32, (x, W_query, W_key, W_value, W_output))
    parts = []
    for q, k, v in zip(*(np.split(x @ W, heads, axis=-1) for W in (W_query, W_key, W_value))):
        scores = q @ k.swapaxes(-1, -2) / np.float32(math.sqrt(q.shape[-1]))
        scores = np.where(mask[:, 0], scores, np.float32(-1e9))
        e = np.exp(scores - scores.max(-1, keepdims=True))
        parts.append(e / e.sum(-1, keepdims=True) @ v)
    return np.concatenate(parts, axis=-1) @ W_output


@answers("self_attention.forward", "class")
class SelfAttention:
    def __init__(self, W_query, W_key, W_value, W_output, heads):
        self.W_query, self.W_key, self.W_value, self.W_output = W_query, W_key, W_value, W_output
        self.heads = heads

    def split(self, z):
        B, T, D = z.shape
        return z.reshape(B, T, self.heads, D // self.heads).transpose(0, 2, 1, 3)

    def merge(self, z):
        B, H, T, K = z.shape
        return z.transpose(0, 2, 1, 3).reshape(B, T, H * K)

    def forward(self, x, mask):
        self.x = x
        self.query, self.key = self.split(x @ self.W_query), self.split(x @ self.W_key)
        self.value = self.split(x @ self.W_value)
        self.scale = 1 / math.sqrt(self.query.shape[-1])
        scores = np.where(mask, self.query @ self.key.swapaxes(2, 3) * self.scale, -1e9)
        e = np.exp(scores - scores.max(-1, keepdims=True))
        self.P = e / e.sum(-1, keepdims=True)
        self.context = self.merge(self.P @ self.value)
        return self.context @ self.W_output

    def backward(self, d_y):
        self.d_W_output = np.tensordot(self.context, d_y, axes=((0, 1), (0, 1)))
        d_context = self.split(d_y @ self.W_output.T)
        d_P = d_context @ self.value.swapaxes(2, 3)
        d_scores = self.P * (d_P - (self.P * d_P).sum(-1, keepdims=True)) * self.scale
        d_query = self.merge(d_scores @ self.key)
        d_key = self.merge(d_scores.swapaxes(2, 3) @ self.query)
        d_value = self.merge(self.P.swapaxes(2, 3) @ d_context)
        self.d_W_query = np.tensordot(self.x, d_query, axes=((0, 1), (0, 1)))
        self.d_W_key = np.tensordot(self.x, d_key, axes=((0, 1), (0, 1)))
        self.d_W_value = np.tensordot(self.x, d_value, axes=((0, 1), (0, 1)))
        return d_query @ self.W_query.T + d_key @ self.W_key.T + d_value @ self.W_value.T


# self_attention.backward


@answers("self_attention.backward", "loops")
def self_attention_backward_loops(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    d_x, d_memory, *d_W = cross_attention_backward_loops(
        d_y, x, x, W_query, W_key, W_value, W_output, heads, mask
    )
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            for d in range(x.shape[2]):
                d_x[b][t][d] += d_memory[b][t][d]
    return d_x, *d_W


@answers("self_attention.backward", "einsum")
def self_attention_backward_einsum(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    W_q, W_k, W_v = (W.reshape(D, heads, K) for W in (W_query, W_key, W_value))
    W_o = W_output.reshape(heads, K, D)
    q, k, v = (np.einsum("btd,dhk->bhtk", x, W) for W in (W_q, W_k, W_v))
    scores = np.where(mask, np.einsum("bhtk,bhsk->bhts", q, k) / np.sqrt(K), -np.inf)
    P = np.exp(scores - scores.max(-1, keepdims=True))
    P = np.einsum("bhts,bht->bhts", P, 1 / P.sum(-1))
    d_W_output = np.einsum("bhts,bhsk,bte->hke", P, v, d_y, optimize=True).reshape(D, D)
    d_context = np.einsum("bte,hke->bhtk", d_y, W_o)
    d_P = np.einsum("bhtk,bhsk->bhts", d_context, v)
    d_scores = (P * d_P - np.einsum("bhts,bhtr,bhtr->bhts", P, P, d_P)) / np.sqrt(K)
    d_q = np.einsum("bhts,bhsk->bhtk", d_scores, k)
    d_k = np.einsum("bhts,bhtk->bhsk", d_scores, q)
    d_v = np.einsum("bhts,bhtk->bhsk", P, d_context)
    d_x = sum(np.einsum("bhtk,dhk->btd", d, W) for d, W in ((d_q, W_q), (d_k, W_k), (d_v, W_v)))
    d_W = [np.einsum("btd,bhtk->dhk", x, d).reshape(D, D) for d in (d_q, d_k, d_v)]
    return d_x, *d_W, d_W_output


@answers("self_attention.backward", "matrix form")
def self_attention_backward_matrix(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape

    def split(z):
        return z.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)

    def merge(z):
        return z.transpose(0, 2, 1, 3).reshape(B * T, D)

    rows = x.reshape(B * T, D)
    query, key, value = split(rows @ W_query), split(rows @ W_key), split(rows @ W_value)
    scores = np.where(mask, query @ key.transpose(0, 1, 3, 2) / math.sqrt(D // heads), -1e9)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    context = P @ value

    d_rows = d_y.reshape(B * T, D)
    d_W_output = merge(context).T @ d_rows
    d_context = split(d_rows @ W_output.T)
    d_P = d_context @ value.transpose(0, 1, 3, 2)
    d_scores = P * (d_P - (d_context * context).sum(-1, keepdims=True)) / math.sqrt(D // heads)
    d_query = merge(d_scores @ key)
    d_key = merge(d_scores.transpose(0, 1, 3, 2) @ query)
    d_value = merge(P.transpose(0, 1, 3, 2) @ d_context)
    d_x = d_query @ W_query.T + d_key @ W_key.T + d_value @ W_value.T
    return d_x.reshape(B, T, D), rows.T @ d_query, rows.T @ d_key, rows.T @ d_value, d_W_output


@answers("self_attention.backward", "float32")
def self_attention_backward_float32(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    d_y, x, W_query, W_key, W_value, W_output = map(
        np.float32, (d_y, x, W_query, W_key, W_value, W_output)
    )
    layer = SelfAttention(W_query, W_key, W_value, W_output, heads)
    layer.forward(x, mask)
    d_x = layer.backward(d_y)
    return tuple(
        map(np.float32, (d_x, layer.d_W_query, layer.d_W_key, layer.d_W_value, layer.d_W_output))
    )


answers("self_attention.backward", "class")(SelfAttention)


# cross_attention.forward


@answers("cross_attention.forward", "loops")
def cross_attention_loops(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S = memory.shape[1]
    K = D // heads
    mask = np.broadcast_to(mask, (B, heads, T, S))
    x, memory, W_query, W_key, W_value, W_output = (
        a.tolist() for a in (x, memory, W_query, W_key, W_value, W_output)
    )
    y = np.zeros((B, T, D))
    for b in range(B):
        for h in range(heads):
            key, value = np.zeros((S, K)), np.zeros((S, K))
            for s in range(S):
                for k in range(K):
                    for c in range(D):
                        key[s, k] += memory[b][s][c] * W_key[c][h * K + k]
                        value[s, k] += memory[b][s][c] * W_value[c][h * K + k]
            for t in range(T):
                query = [
                    sum(x[b][t][c] * W_query[c][h * K + k] for c in range(D)) for k in range(K)
                ]
                e, total = [], 0.0
                for s in range(S):
                    score = sum(query[k] * key[s, k] for k in range(K)) / math.sqrt(K)
                    e.append(math.exp(score) if mask[b, h, t, s] else 0.0)
                    total += e[-1]
                for k in range(K):
                    context = sum(e[s] / total * value[s, k] for s in range(S))
                    for d in range(D):
                        y[b, t, d] += context * W_output[h * K + k][d]
    return y


@answers("cross_attention.forward", "einsum")
def cross_attention_einsum(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    query = np.einsum("btc,chk->bhtk", x, W_query.reshape(D, heads, -1))
    key = np.einsum("bsc,chk->bhsk", memory, W_key.reshape(D, heads, -1))
    value = np.einsum("bsc,chk->bhsk", memory, W_value.reshape(D, heads, -1))
    scores = np.einsum("bhtk,bhsk->bhts", query, key) / math.sqrt(D / heads)
    scores = np.where(mask, scores, -np.inf)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    context = np.einsum("bhts,bht,bhsk->bhtk", e, 1 / e.sum(-1), value)
    return np.einsum("bhtk,hkd->btd", context, W_output.reshape(heads, -1, D))


@answers("cross_attention.forward", "matrix form")
def cross_attention_matrix(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    def split(z):
        return z.reshape(*z.shape[:2], heads, z.shape[2] // heads).transpose(0, 2, 1, 3)

    query, key, value = split(x @ W_query), split(memory @ W_key), split(memory @ W_value)
    scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(query.shape[-1])
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    context = e / e.sum(-1, keepdims=True) @ value
    return context.transpose(0, 2, 1, 3).reshape(x.shape) @ W_output


@answers("cross_attention.forward", "float32")
def cross_attention_float32(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    x, memory, W_query, W_key, W_value, W_output = (
        a.astype("float32") for a in (x, memory, W_query, W_key, W_value, W_output)
    )
    layer = CrossAttention(W_query, W_key, W_value, W_output, heads)
    return layer.forward(x, memory, mask).astype("float32")


@answers("cross_attention.forward", "class")
class CrossAttention:
    def __init__(self, W_query, W_key, W_value, W_output, heads):
        self.W_query, self.W_key, self.W_value, self.W_output = W_query, W_key, W_value, W_output
        self.heads = heads

    def split(self, z):
        return np.stack(np.split(z, self.heads, axis=-1), axis=1)

    def merge(self, z):
        return np.concatenate([z[:, h] for h in range(self.heads)], axis=-1)

    def forward(self, x, memory, mask):
        self.x, self.memory = x, memory
        self.query = self.split(x @ self.W_query)
        self.key = self.split(memory @ self.W_key)
        self.value = self.split(memory @ self.W_value)
        scores = self.query @ self.key.swapaxes(2, 3) / math.sqrt(self.query.shape[-1])
        scores = np.where(mask, scores, -np.inf)
        e = np.exp(scores - scores.max(-1, keepdims=True))
        self.P = e / e.sum(-1, keepdims=True)
        self.context = self.merge(self.P @ self.value)
        return self.context @ self.W_output

    def backward(self, d_y):
        self.d_W_output = (self.context.swapaxes(1, 2) @ d_y).sum(0)
        d_context = self.split(d_y @ self.W_output.T)
        d_value = self.merge(self.P.swapaxes(2, 3) @ d_context)
        d_P = d_context @ self.value.swapaxes(2, 3)
        d_scores = (
            self.P * (d_P - (d_P * self.P).sum(-1, keepdims=True)) / math.sqrt(self.query.shape[-1])
        )
        d_query = self.merge(d_scores @ self.key)
        d_key = self.merge(d_scores.swapaxes(2, 3) @ self.query)
        self.d_W_query = (self.x.swapaxes(1, 2) @ d_query).sum(0)
        self.d_W_key = (self.memory.swapaxes(1, 2) @ d_key).sum(0)
        self.d_W_value = (self.memory.swapaxes(1, 2) @ d_value).sum(0)
        return d_query @ self.W_query.T, d_key @ self.W_key.T + d_value @ self.W_value.T


def cross_attention_pair_forward(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    W_q, W_k, W_v = (W.reshape(D, heads, -1) for W in (W_query, W_key, W_value))
    W_o = W_output.reshape(heads, -1, D)
    q = np.tensordot(x, W_q, axes=1)  # (B, T, H, K)
    k = np.tensordot(memory, W_k, axes=1)
    v = np.tensordot(memory, W_v, axes=1)
    scores = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(q.shape[-1])
    scores = np.where(mask, scores, -np.inf)
    P = np.exp(scores - scores.max(-1, keepdims=True))
    P /= P.sum(-1, keepdims=True)
    context = np.einsum("bhts,bshk->bthk", P, v)
    return np.tensordot(context, W_o, axes=2), (x, memory, W_q, W_k, W_v, W_o, q, k, v, P, context)


def cross_attention_pair_backward(d_y, cache):
    x, memory, W_q, W_k, W_v, W_o, q, k, v, P, context = cache
    D = x.shape[-1]
    d_W_output = np.tensordot(context, d_y, axes=((0, 1), (0, 1))).reshape(D, D)
    d_context = np.tensordot(d_y, W_o, axes=(2, 2))
    d_v = np.einsum("bhts,bthk->bshk", P, d_context)
    d_P = np.einsum("bthk,bshk->bhts", d_context, v)
    d_scores = P * (d_P - (d_P * P).sum(-1, keepdims=True)) / np.sqrt(q.shape[-1])
    d_q = np.einsum("bhts,bshk->bthk", d_scores, k)
    d_k = np.einsum("bhts,bthk->bshk", d_scores, q)
    d_x = np.tensordot(d_q, W_q, axes=((2, 3), (1, 2)))
    d_memory = np.tensordot(d_k, W_k, axes=((2, 3), (1, 2))) + np.tensordot(
        d_v, W_v, axes=((2, 3), (1, 2))
    )
    d_W_query = np.tensordot(x, d_q, axes=((0, 1), (0, 1))).reshape(D, D)
    d_W_key = np.tensordot(memory, d_k, axes=((0, 1), (0, 1))).reshape(D, D)
    d_W_value = np.tensordot(memory, d_v, axes=((0, 1), (0, 1))).reshape(D, D)
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


# cross_attention.backward


@answers("cross_attention.backward", "loops")
def cross_attention_backward_loops(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    (B, T, D), S = x.shape, memory.shape[1]
    K = D // heads
    mask = np.broadcast_to(mask, (B, heads, T, S))
    d_y, x, memory = d_y.tolist(), x.tolist(), memory.tolist()
    W_query, W_key, W_value, W_output = (W.tolist() for W in (W_query, W_key, W_value, W_output))

    def zeros(rows):
        return [[0.0] * D for _ in range(rows)]

    d_x, d_memory = [zeros(T) for _ in range(B)], [zeros(S) for _ in range(B)]
    d_W_query, d_W_key, d_W_value, d_W_output = zeros(D), zeros(D), zeros(D), zeros(D)
    for b in range(B):
        query, d_query = zeros(T), zeros(T)
        key, value, d_key, d_value = zeros(S), zeros(S), zeros(S), zeros(S)
        for d in range(D):
            for c in range(D):
                for t in range(T):
                    query[t][d] += x[b][t][c] * W_query[c][d]
                for s in range(S):
                    key[s][d] += memory[b][s][c] * W_key[c][d]
                    value[s][d] += memory[b][s][c] * W_value[c][d]
        for t in range(T):
            for h in range(heads):
                features = range(h * K, (h + 1) * K)
                seen = [s for s in range(S) if mask[b, h, t, s]]
                scores = {
                    s: sum(query[t][k] * key[s][k] for k in features) / math.sqrt(K) for s in seen
                }
                e = {s: math.exp(scores[s] - max(scores.values())) for s in seen}
                P = {s: e[s] / sum(e.values()) for s in seen}
                d_context = {}
                for k in features:
                    d_context[k] = 0.0
                    context = sum(P[s] * value[s][k] for s in seen)
                    for d in range(D):
                        d_context[k] += d_y[b][t][d] * W_output[k][d]
                        d_W_output[k][d] += context * d_y[b][t][d]
                d_P = {s: sum(d_context[k] * value[s][k] for k in features) for s in seen}
                mean = sum(P[s] * d_P[s] for s in seen)
                for s in seen:
                    d_score = P[s] * (d_P[s] - mean) / math.sqrt(K)
                    for k in features:
                        d_query[t][k] += d_score * key[s][k]
                        d_key[s][k] += d_score * query[t][k]
                        d_value[s][k] += P[s] * d_context[k]
        for d in range(D):
            for c in range(D):
                for t in range(T):
                    d_x[b][t][c] += d_query[t][d] * W_query[c][d]
                    d_W_query[c][d] += d_query[t][d] * x[b][t][c]
                for s in range(S):
                    d_memory[b][s][c] += d_key[s][d] * W_key[c][d] + d_value[s][d] * W_value[c][d]
                    d_W_key[c][d] += d_key[s][d] * memory[b][s][c]
                    d_W_value[c][d] += d_value[s][d] * memory[b][s][c]
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


@answers("cross_attention.backward", "einsum")
def cross_attention_backward_einsum(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    W_q, W_k, W_v = (W.reshape(D, heads, -1) for W in (W_query, W_key, W_value))
    W_o = W_output.reshape(heads, -1, D)
    q = np.einsum("btc,chk->bhtk", x, W_q)
    k = np.einsum("bsc,chk->bhsk", memory, W_k)
    v = np.einsum("bsc,chk->bhsk", memory, W_v)
    root = np.sqrt(q.shape[-1])
    scores = np.where(mask, np.einsum("bhtk,bhsk->bhts", q, k) / root, -np.inf)
    P = np.exp(scores - scores.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    d_context = np.einsum("btd,hkd->bhtk", d_y, W_o)
    d_P = np.einsum("bhtk,bhsk->bhts", d_context, v)
    d_scores = P * (d_P - np.einsum("bhts,bhts->bht", P, d_P)[..., None])
    d_q = np.einsum("bhts,bhsk->bhtk", d_scores, k) / root
    d_k = np.einsum("bhts,bhtk->bhsk", d_scores, q) / root
    d_v = np.einsum("bhts,bhtk->bhsk", P, d_context)
    return {
        "d_x": np.einsum("bhtk,chk->btc", d_q, W_q),
        "d_memory": np.einsum("bhsk,chk->bsc", d_k, W_k) + np.einsum("bhsk,chk->bsc", d_v, W_v),
        "d_W_query": np.einsum("btc,bhtk->chk", x, d_q).reshape(D, D),
        "d_W_key": np.einsum("bsc,bhsk->chk", memory, d_k).reshape(D, D),
        "d_W_value": np.einsum("bsc,bhsk->chk", memory, d_v).reshape(D, D),
        "d_W_output": np.einsum("bhtk,btd->hkd", P @ v, d_y).reshape(D, D),
    }


@answers("cross_attention.backward", "matrix form")
def cross_attention_backward_matrix(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    (B, T, D), S = x.shape, memory.shape[1]

    def split(rows, length):
        return rows.reshape(B, length, heads, D // heads).transpose(0, 2, 1, 3)

    def merge(z):
        return z.transpose(0, 2, 1, 3).reshape(-1, D)

    x_rows, memory_rows, d_y_rows = x.reshape(-1, D), memory.reshape(-1, D), d_y.reshape(-1, D)
    query = split(x_rows @ W_query, T) / math.sqrt(D // heads)
    key, value = split(memory_rows @ W_key, S), split(memory_rows @ W_value, S)
    scores = np.where(mask, query @ key.transpose(0, 1, 3, 2), -1e9)
    P = np.exp(scores - scores.max(-1, keepdims=True))
    P /= P.sum(-1, keepdims=True)

    d_context = split(d_y_rows @ W_output.T, T)
    d_P = d_context @ value.transpose(0, 1, 3, 2)
    d_scores = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_query = merge(d_scores @ key) / math.sqrt(D // heads)
    d_key = merge(d_scores.transpose(0, 1, 3, 2) @ query)
    d_value = merge(P.transpose(0, 1, 3, 2) @ d_context)
    return (
        (d_query @ W_query.T).reshape(B, T, D),
        (d_key @ W_key.T + d_value @ W_value.T).reshape(B, S, D),
        x_rows.T @ d_query,
        memory_rows.T @ d_key,
        memory_rows.T @ d_value,
        merge(P @ value).T @ d_y_rows,
    )


@answers("cross_attention.backward", "float32")
def cross_attention_backward_float32(
    d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask
):
    inputs = [np.float32(a) for a in (x, memory, W_query, W_key, W_value, W_output)]
    _, cache = cross_attention_pair_forward(*inputs, heads, mask)
    return [
        np.float32(gradient) for gradient in cross_attention_pair_backward(np.float32(d_y), cache)
    ]


answers("cross_attention.backward", "class")(CrossAttention)


# positional_encoding.table


@answers("positional_encoding.table", "loops")
def table_loops(length, features):
    PE = np.zeros((length, features))
    for p in range(length):
        for i in range(features // 2):
            angle = p / 10000 ** (2 * i / features)
            PE[p, 2 * i] = math.sin(angle)
            PE[p, 2 * i + 1] = math.cos(angle)
    return PE


@answers("positional_encoding.table", "einsum")
def table_einsum(length, features):
    frequencies = 10000.0 ** (-np.arange(0, features, 2) / features)
    angles = np.einsum("p,i->pi", np.arange(length), frequencies)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, features)


@answers("positional_encoding.table", "matrix form")
def table_matrix(length, features):
    angles = (
        np.arange(length)[:, None] / np.power(10000, np.arange(0, features, 2) / features)[None, :]
    )
    PE = np.empty((length, features))
    PE[:, 0::2] = np.sin(angles)
    PE[:, 1::2] = np.cos(angles)
    return PE


@answers("positional_encoding.table", "in place")
def table_in_place(length, features):
    PE = np.repeat(np.arange(length, dtype=float)[:, None], features, axis=1)
    for i in range(0, features, 2):
        PE[:, i : i + 2] /= 10000 ** (i / features)
    np.sin(PE[:, ::2], out=PE[:, ::2])
    np.cos(PE[:, 1::2], out=PE[:, 1::2])
    return PE


@answers("positional_encoding.table", "float32")
def table_float32(length, features):
    position = np.arange(length, dtype=np.float32)[:, None]
    divisor = np.exp(
        np.arange(0, features, 2, dtype=np.float32) * np.float32(-math.log(10000.0) / features)
    )
    PE = np.zeros((length, features), dtype=np.float32)
    PE[:, 0::2] = np.sin(position * divisor)
    PE[:, 1::2] = np.cos(position * divisor)
    return PE


# positional_encoding.forward


@answers("positional_encoding.forward", "loops")
def positions_loops(x):
    B, T, D = x.shape
    y = np.zeros((B, T, D))
    for b in range(B):
        for t in range(T):
            for i in range(D // 2):
                angle = t / 10000 ** (2 * i / D)
                y[b, t, 2 * i] = x[b, t, 2 * i] + math.sin(angle)
                y[b, t, 2 * i + 1] = x[b, t, 2 * i + 1] + math.cos(angle)
    return y


@answers("positional_encoding.forward", "einsum")
def positions_einsum(x):
    _, T, D = x.shape
    angles = np.einsum("t,i->ti", np.arange(T), 10000.0 ** (-np.arange(0, D, 2) / D))
    both = np.stack([np.sin(angles), np.cos(angles)])
    basis = np.eye(D).reshape(D // 2, 2, D)
    return x + np.einsum("jti,ijd->td", both, basis)


@answers("positional_encoding.forward", "matrix form")
def positions_matrix(x):
    B, T, D = x.shape
    angles = np.arange(T).reshape(-1, 1) / 10000 ** (np.arange(0, D, 2) / D)
    PE = np.concatenate([np.sin(angles)[:, :, None], np.cos(angles)[:, :, None]], axis=2).reshape(
        1, T, D
    )
    return x + PE


@answers("positional_encoding.forward", "float32")
def positions_float32(x):
    T, D = x.shape[1:]
    return x.astype(np.float32) + table_matrix(T, D).astype(np.float32)


@answers("positional_encoding.forward", "class")
class PositionalEncoding:
    def __init__(self, length=512):
        self.length = length

    def forward(self, x):
        PE = table_matrix(self.length, x.shape[2])
        return x + PE[: x.shape[1]]

    def backward(self, d_y):
        return d_y


# positional_encoding.backward


@answers("positional_encoding.backward", "loops")
def positions_backward_loops(d_y, x):
    d_x = np.zeros_like(x)
    B, T, D = x.shape
    for b in range(B):
        for t in range(T):
            for d in range(D):
                d_x[b, t, d] += d_y[b, t, d]
    return d_x


@answers("positional_encoding.backward", "einsum")
def positions_backward_einsum(d_y, x):
    return np.einsum("btd,dc->btc", d_y, np.eye(x.shape[-1]))


@answers("positional_encoding.backward", "matrix form")
def positions_backward_matrix(d_y, x):
    return (d_y.reshape(-1, x.shape[-1]) @ np.identity(x.shape[-1])).reshape(x.shape)


@answers("positional_encoding.backward", "float32")
def positions_backward_float32(d_y, x):
    return d_y.astype(np.float32)


answers("positional_encoding.backward", "class")(PositionalEncoding)


# positional_encoding.rotation


@answers("positional_encoding.rotation", "loops")
def rotation_loops(offset, features):
    R = np.zeros((features, features))
    for i in range(features // 2):
        angle = offset / 10000 ** (2 * i / features)
        R[2 * i, 2 * i] = math.cos(angle)
        R[2 * i, 2 * i + 1] = math.sin(angle)
        R[2 * i + 1, 2 * i] = -math.sin(angle)
        R[2 * i + 1, 2 * i + 1] = math.cos(angle)
    return R


@answers("positional_encoding.rotation", "einsum")
def rotation_einsum(offset, features):
    angles = offset * 10000.0 ** (-np.arange(0, features, 2) / features)
    same, other = np.eye(2), np.array([[0.0, 1.0], [-1.0, 0.0]])
    blocks = np.einsum("i,rc->irc", np.cos(angles), same) + np.einsum(
        "i,rc->irc", np.sin(angles), other
    )
    return np.einsum("irc,ij->irjc", blocks, np.eye(features // 2)).reshape(features, features)


@answers("positional_encoding.rotation", "matrix form")
def rotation_matrix(offset, features):
    angles = offset / 10000 ** (np.arange(features // 2) * 2 / features)
    return np.kron(np.diag(np.cos(angles)), np.eye(2)) + np.kron(
        np.diag(np.sin(angles)), [[0, 1], [-1, 0]]
    )


@answers("positional_encoding.rotation", "in place")
def rotation_in_place(offset, features):
    R = np.zeros((features, features))
    even = np.arange(0, features, 2)
    angles = offset / 10000 ** (even / features)
    R[even, even] += np.cos(angles)
    R[even + 1, even + 1] += np.cos(angles)
    R[even, even + 1] += np.sin(angles)
    R[even + 1, even] -= np.sin(angles)
    return R


@answers("positional_encoding.rotation", "float32")
def rotation_float32(offset, features):
    angles = np.repeat(offset / 10000 ** (np.arange(0, features, 2) / features), 2)
    sin = np.sin(angles)[:-1]
    sin[1::2] = 0
    return (np.diag(np.cos(angles)) + np.diag(sin, 1) - np.diag(sin, -1)).astype(np.float32)


# residual.post_norm


@answers("residual.post_norm", "loops")
def post_norm_loops(x, sublayer, norm):
    f = sublayer(x)
    total = np.zeros(x.shape)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            for d in range(x.shape[2]):
                total[b, t, d] = x[b, t, d] + f[b, t, d]
    return norm(total)


@answers("residual.post_norm", "einsum")
def post_norm_einsum(x, sublayer, norm):
    return norm(np.einsum("nbtd->btd", np.stack([x, sublayer(x)])))


@answers("residual.post_norm", "matrix form")
def post_norm_sum(x, sublayer, norm):
    return norm(x + sublayer(x))


@answers("residual.post_norm", "in place")
def post_norm_in_place(x, sublayer, norm):
    total = x.copy()
    total += sublayer(x)
    return norm(total)


@answers("residual.post_norm", "float32")
def post_norm_float32(x, sublayer, norm):
    x = x.astype(np.float32)
    return np.float32(norm(x + np.float32(sublayer(x))))


# residual.pre_norm


@answers("residual.pre_norm", "loops")
def pre_norm_loops(x, sublayer, norm):
    f = sublayer(norm(x))
    y = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        y[place] = x[place] + f[place]
    return y


@answers("residual.pre_norm", "einsum")
def pre_norm_einsum(x, sublayer, norm):
    return np.einsum("n,nbtd->btd", np.ones(2), np.stack([sublayer(norm(x)), x]))


@answers("residual.pre_norm", "matrix form")
def pre_norm_sum(x, sublayer, norm):
    return x + sublayer(norm(x))


@answers("residual.pre_norm", "in place")
def pre_norm_in_place(x, sublayer, norm):
    y = np.array(sublayer(norm(x)))
    y += x
    return y


@answers("residual.pre_norm", "float32")
def pre_norm_float32(x, sublayer, norm):
    x = np.asarray(x, dtype=np.float32)
    branch = sublayer(np.asarray(norm(x), dtype=np.float32))
    return np.asarray(x + branch, dtype=np.float32)


# residual.post_norm_backward


@answers("residual.post_norm_backward", "loops")
def post_norm_backward_loops(d_y, sublayer_backward, norm_backward):
    d_sum = norm_backward(d_y)
    d_f = sublayer_backward(d_sum)
    d_x = np.zeros(d_y.shape)
    for b in range(d_y.shape[0]):
        for t in range(d_y.shape[1]):
            for d in range(d_y.shape[2]):
                d_x[b, t, d] = d_sum[b, t, d] + d_f[b, t, d]
    return d_x


@answers("residual.post_norm_backward", "einsum")
def post_norm_backward_einsum(d_y, sublayer_backward, norm_backward):
    d_sum = norm_backward(d_y)
    return np.einsum("nbtd->btd", [d_sum, sublayer_backward(d_sum)])


@answers("residual.post_norm_backward", "matrix form")
def post_norm_backward_sum(d_y, sublayer_backward, norm_backward):
    d_sum = norm_backward(d_y)
    return d_sum + sublayer_backward(d_sum)


@answers("residual.post_norm_backward", "in place")
def post_norm_backward_in_place(d_y, sublayer_backward, norm_backward):
    d_x = norm_backward(d_y).copy()
    d_x += sublayer_backward(d_x.copy())
    return d_x


@answers("residual.post_norm_backward", "float32")
def post_norm_backward_float32(d_y, sublayer_backward, norm_backward):
    d_sum = norm_backward(d_y.astype(np.float32)).astype(np.float32)
    return d_sum + sublayer_backward(d_sum).astype(np.float32)


# residual.pre_norm_backward


@answers("residual.pre_norm_backward", "loops")
def pre_norm_backward_loops(d_y, sublayer_backward, norm_backward):
    d_branch = norm_backward(sublayer_backward(d_y))
    d_x = np.zeros_like(d_y)
    for place in np.ndindex(d_y.shape):
        d_x[place] += d_y[place]
        d_x[place] += d_branch[place]
    return d_x


@answers("residual.pre_norm_backward", "einsum")
def pre_norm_backward_einsum(d_y, sublayer_backward, norm_backward):
    return np.einsum("btdn->btd", np.stack([d_y, norm_backward(sublayer_backward(d_y))], axis=-1))


@answers("residual.pre_norm_backward", "matrix form")
def pre_norm_backward_sum(d_y, sublayer_backward, norm_backward):
    return d_y + norm_backward(sublayer_backward(d_y))


@answers("residual.pre_norm_backward", "in place")
def pre_norm_backward_in_place(d_y, sublayer_backward, norm_backward):
    d_x = d_y.copy()
    d_x += norm_backward(sublayer_backward(d_y))
    return d_x


@answers("residual.pre_norm_backward", "float32")
def pre_norm_backward_float32(d_y, sublayer_backward, norm_backward):
    d_y = np.float32(d_y)
    return d_y + np.float32(norm_backward(np.float32(sublayer_backward(d_y))))


# feed_forward.forward


@answers("feed_forward.forward", "loops")
def feed_forward_loops(x, W_1, b_1, W_2, b_2):
    (B, T, D), F = x.shape, len(b_1)
    y = np.zeros((B, T, D))
    for b in range(B):
        for t in range(T):
            for d in range(D):
                y[b, t, d] = b_2[d]
            for f in range(F):
                a = b_1[f]
                for d in range(D):
                    a += x[b, t, d] * W_1[d, f]
                if a > 0:
                    for d in range(D):
                        y[b, t, d] += a * W_2[f, d]
    return y


@answers("feed_forward.forward", "einsum")
def feed_forward_einsum(x, W_1, b_1, W_2, b_2):
    a = np.einsum("btd,df->btf", x, W_1) + b_1
    return np.einsum("btf,fd->btd", a * (a > 0), W_2) + b_2


@answers("feed_forward.forward", "matrix form")
def feed_forward_matrix(x, W_1, b_1, W_2, b_2):
    rows = x.reshape(-1, x.shape[-1])
    return (np.maximum(0, rows @ W_1 + b_1) @ W_2 + b_2).reshape(x.shape)


@answers("feed_forward.forward", "float32")
def feed_forward_float32(x, W_1, b_1, W_2, b_2):
    x, W_1, b_1, W_2, b_2 = (np.asarray(a, dtype=np.float32) for a in (x, W_1, b_1, W_2, b_2))
    return np.maximum(x @ W_1 + b_1, 0) @ W_2 + b_2


@answers("feed_forward.forward", "class")
class FeedForward:
    def __init__(self, W_1, b_1, W_2, b_2):
        self.W_1, self.b_1, self.W_2, self.b_2 = W_1, b_1, W_2, b_2

    def forward(self, x):
        self.x = x
        self.hidden = np.maximum(0, x @ self.W_1 + self.b_1)
        return self.hidden @ self.W_2 + self.b_2

    def backward(self, d_y):
        self.d_b_2 = d_y.sum(axis=(0, 1))
        self.d_W_2 = np.tensordot(self.hidden, d_y, axes=([0, 1], [0, 1]))
        d_a = (d_y @ self.W_2.T) * (self.hidden > 0)
        self.d_b_1 = d_a.sum(axis=(0, 1))
        self.d_W_1 = np.tensordot(self.x, d_a, axes=([0, 1], [0, 1]))
        return d_a @ self.W_1.T


# feed_forward.backward


@answers("feed_forward.backward", "loops")
def feed_forward_backward_loops(d_y, x, W_1, b_1, W_2, b_2):
    (B, T, D), F = x.shape, len(b_1)
    d_x, d_W_1, d_b_1 = np.zeros((B, T, D)), np.zeros((D, F)), np.zeros(F)
    d_W_2, d_b_2 = np.zeros((F, D)), np.zeros(D)
    for b in range(B):
        for t in range(T):
            for d in range(D):
                d_b_2[d] += d_y[b, t, d]
            for f in range(F):
                a = b_1[f] + sum(x[b, t, d] * W_1[d, f] for d in range(D))
                if a <= 0:
                    continue
                d_a = 0.0
                for d in range(D):
                    d_W_2[f, d] += a * d_y[b, t, d]
                    d_a += W_2[f, d] * d_y[b, t, d]
                d_b_1[f] += d_a
                for d in range(D):
                    d_W_1[d, f] += x[b, t, d] * d_a
                    d_x[b, t, d] += W_1[d, f] * d_a
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


@answers("feed_forward.backward", "einsum")
def feed_forward_backward_einsum(d_y, x, W_1, b_1, W_2, b_2):
    a = np.einsum("btd,df->btf", x, W_1) + b_1
    d_a = np.einsum("btd,fd,btf->btf", d_y, W_2, a > 0)
    return (
        np.einsum("btf,df->btd", d_a, W_1),
        np.einsum("btd,btf->df", x, d_a),
        np.einsum("btf->f", d_a),
        np.einsum("btf,btd->fd", np.maximum(a, 0), d_y),
        np.einsum("btd->d", d_y),
    )


@answers("feed_forward.backward", "matrix form")
def feed_forward_backward_matrix(d_y, x, W_1, b_1, W_2, b_2):
    D = x.shape[-1]
    rows, d_rows = x.reshape(-1, D), d_y.reshape(-1, D)
    hidden = np.maximum(0, rows @ W_1 + b_1)
    d_a = np.where(hidden > 0, d_rows @ W_2.T, 0)
    return (
        (d_a @ W_1.T).reshape(x.shape), rows.T @ d_a, d_a.sum(0), hidden.T @ d_rows, d_rows.sum(0),
    )


@answers("feed_forward.backward", "float32")
def feed_forward_backward_float32(d_y, x, W_1, b_1, W_2, b_2):
    d_y, x, W_1, b_1, W_2, b_2 = (
        np.asarray(a, dtype=np.float32) for a in (d_y, x, W_1, b_1, W_2, b_2)
    )
    layer = FeedForward(W_1, b_1, W_2, b_2)
    layer.forward(x)
    return layer.backward(d_y), layer.d_W_1, layer.d_b_1, layer.d_W_2, layer.d_b_2


answers("feed_forward.backward", "class")(FeedForward)


# decoder.backward


@answers("decoder.backward", "loops")
def decoder_backward_loops(d_y, layer_backwards):
    d_x, d_memory = d_y, 0.0
    for layer_backward in reversed(layer_backwards):
        d_x, d_more = layer_backward(d_x)
        d_memory = d_memory + d_more
    return d_x, d_memory


@answers("decoder.backward", "einsum")
def decoder_backward_einsum(d_y, layer_backwards):
    shares = []
    for layer_backward in layer_backwards[::-1]:
        d_y, share = layer_backward(d_y)
        shares.append(share)
    return d_y, np.einsum("nbsd->bsd", np.array(shares))


@answers("decoder.backward", "in place")
def decoder_backward_in_place(d_y, layer_backwards):
    d_x, d_memory = d_y.copy(), None
    for i in range(len(layer_backwards) - 1, -1, -1):
        d_x, d_more = layer_backwards[i](d_x)
        if d_memory is None:
            d_memory = np.zeros_like(d_more)
        d_memory += d_more
    return d_x, d_memory


@answers("decoder.backward", "float32")
def decoder_backward_float32(d_y, layer_backwards):
    d_x, d_memory = d_y.astype(np.float32), np.float32(0)
    for layer_backward in reversed(layer_backwards):
        d_x, d_more = (gradient.astype(np.float32) for gradient in layer_backward(d_x))
        d_memory = d_memory + d_more
    return d_x, d_memory


# transformer.backward


@answers("transformer.backward", "matrix form")
def transformer_backward_plain(d_logits, decoder_backward, encoder_backward):
    d_target, d_memory = decoder_backward(d_logits)
    d_source = encoder_backward(d_memory)
    return d_source, d_target


@answers("transformer.backward", "in place")
def transformer_backward_in_place(d_logits, decoder_backward, encoder_backward):
    gradients = list(decoder_backward(d_logits.copy()))
    gradients[1] = encoder_backward(gradients[1])
    return gradients[::-1]


@answers("transformer.backward", "float32")
def transformer_backward_float32(d_logits, decoder_backward, encoder_backward):
    d_target, d_memory = decoder_backward(np.float32(d_logits))
    return np.float32(encoder_backward(np.float32(d_memory))), np.float32(d_target)


@answers("transformer.backward", "lists")
def transformer_backward_lists(d_logits, decoder_backward, encoder_backward):
    d_target, d_memory = decoder_backward(d_logits)
    return encoder_backward(d_memory).tolist(), d_target.tolist()


# tied.backward


@answers("tied.backward", "loops")
def tied_backward_loops(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    B, T = ids.shape
    d_table = np.zeros((V, D))
    for b in range(B):
        for t in range(T):
            for d in range(D):
                d_table[ids[b, t], d] += math.sqrt(D) * d_embedded[b, t, d]
                for v in range(V):
                    d_table[v, d] += d_logits[b, t, v] * hidden[b, t, d]
    return d_table


@answers("tied.backward", "einsum")
def tied_backward_einsum(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    one_hot = (ids[..., None] == np.arange(V)).astype(float)
    d_input = np.sqrt(D) * np.einsum("btv,btd->vd", one_hot, d_embedded)
    return d_input + np.einsum("btv,btd->vd", d_logits, hidden)


@answers("tied.backward", "matrix form")
def tied_backward_matrix(d_embedded, ids, d_logits, hidden, table):
    V, D = table.shape
    one_hot = np.eye(V)[ids.reshape(-1)]
    left = np.vstack([math.sqrt(D) * one_hot, d_logits.reshape(-1, V)])
    return left.T @ np.vstack([d_embedded.reshape(-1, D), hidden.reshape(-1, D)])


@answers("tied.backward", "in place")
def tied_backward_in_place(d_embedded, ids, d_logits, hidden, table):
    d_table = np.zeros_like(table)
    np.add.at(d_table, ids, d_embedded)
    d_table *= math.sqrt(table.shape[1])
    for d_scores, state in zip(d_logits, hidden):
        d_table += d_scores.T @ state
    return d_table


@answers("tied.backward", "float32")
def tied_backward_float32(d_embedded, ids, d_logits, hidden, table):
    d_embedded, d_logits, hidden = (a.astype(np.float32) for a in (d_embedded, d_logits, hidden))
    d_table = np.tensordot(d_logits, hidden, axes=((0, 1), (0, 1)))
    np.add.at(
        d_table, ids.ravel(),
        d_embedded.reshape(-1, table.shape[1]) * np.float32(table.shape[1] ** 0.5),
    )
    return d_table


# tied.step


@answers("tied.step", "loops")
def tied_step_loops(table, d_input, d_output, learning_rate):
    new = np.zeros(table.shape)
    for v in range(table.shape[0]):
        for d in range(table.shape[1]):
            new[v, d] = table[v, d] - learning_rate * (d_input[v, d] + d_output[v, d])
    return new, new


@answers("tied.step", "einsum")
def tied_step_einsum(table, d_input, d_output, learning_rate):
    new = np.einsum(
        "n,nvd->vd", [1.0, -learning_rate, -learning_rate], np.stack([table, d_input, d_output])
    )
    return new, new


@answers("tied.step", "matrix form")
def tied_step_sum(table, d_input, d_output, learning_rate):
    new = table - learning_rate * (d_input + d_output)
    return new, new


@answers("tied.step", "in place")
def tied_step_in_place(table, d_input, d_output, learning_rate):
    new = table.copy()
    new -= learning_rate * d_input
    new -= learning_rate * d_output
    return new, new


@answers("tied.step", "float32")
def tied_step_float32(table, d_input, d_output, learning_rate):
    table, d_input, d_output = np.float32(table), np.float32(d_input), np.float32(d_output)
    new = table - np.float32(learning_rate) * (d_input + d_output)
    return new, new


# sgd.step


@answers("sgd.step", "loops")
def sgd_loops(parameter, gradient, velocity, learning_rate, momentum):
    new, faster = np.zeros(parameter.shape), np.zeros(parameter.shape)
    for d in range(parameter.shape[0]):
        for f in range(parameter.shape[1]):
            faster[d, f] = momentum * velocity[d, f] + gradient[d, f]
            new[d, f] = parameter[d, f] - learning_rate * faster[d, f]
    return new, faster


@answers("sgd.step", "einsum")
def sgd_einsum(parameter, gradient, velocity, learning_rate, momentum):
    velocity = np.einsum(",df->df", momentum, velocity) + gradient
    return parameter + np.einsum(",df->df", -learning_rate, velocity), velocity


@answers("sgd.step", "matrix form")
def sgd_matrix(parameter, gradient, velocity, learning_rate, momentum):
    before = np.stack([parameter.ravel(), velocity.ravel(), gradient.ravel()])
    step = np.array([[1, -learning_rate * momentum, -learning_rate], [0, momentum, 1]])
    parameter, velocity = (step @ before).reshape(2, *parameter.shape)
    return parameter, velocity


@answers("sgd.step", "in place")
def sgd_in_place(parameter, gradient, velocity, learning_rate, momentum):
    parameter, velocity = parameter.copy(), velocity.copy()
    velocity *= momentum
    velocity += gradient
    parameter -= learning_rate * velocity
    return parameter, velocity


@answers("sgd.step", "float32")
def sgd_float32(parameter, gradient, velocity, learning_rate, momentum):
    parameter, gradient, velocity = (a.astype(np.float32) for a in (parameter, gradient, velocity))
    velocity = np.float32(momentum) * velocity + gradient
    return parameter - np.float32(learning_rate) * velocity, velocity


# adam.step


@answers("adam.step", "loops")
def adam_loops(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    D, F = parameter.shape
    new, new_m, new_v = np.zeros((D, F)), np.zeros((D, F)), np.zeros((D, F))
    for d in range(D):
        for f in range(F):
            g = gradient[d, f]
            new_m[d, f] = beta_1 * m[d, f] + (1 - beta_1) * g
            new_v[d, f] = beta_2 * v[d, f] + (1 - beta_2) * g * g
            m_hat = new_m[d, f] / (1 - beta_1**step)
            v_hat = new_v[d, f] / (1 - beta_2**step)
            new[d, f] = parameter[d, f] - learning_rate * m_hat / (math.sqrt(v_hat) + epsilon)
    return new, new_m, new_v


@answers("adam.step", "einsum")
def adam_einsum(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = np.einsum("n,ndf->df", [beta_1, 1 - beta_1], np.stack([m, gradient]))
    v = np.einsum(",df->df", beta_2, v) + np.einsum(",df,df->df", 1 - beta_2, gradient, gradient)
    m_hat, v_hat = m / (1 - beta_1**step), v / (1 - beta_2**step)
    return (
        parameter - np.einsum(",df,df->df", learning_rate, m_hat, 1 / (np.sqrt(v_hat) + epsilon)),
        m, v,
    )


@answers("adam.step", "matrix form")
def adam_matrix(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    beta = np.array([beta_1, beta_2]).reshape(2, 1, 1)
    moments = beta * np.stack([m, v]) + (1 - beta) * np.stack([gradient, gradient**2])
    m_hat, v_hat = moments / (1 - beta**step)
    return parameter - learning_rate * m_hat / (v_hat**0.5 + epsilon), moments[0], moments[1]


@answers("adam.step", "in place")
def adam_in_place(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    parameter, m, v = parameter.copy(), m.copy(), v.copy()
    m *= beta_1
    m += (1 - beta_1) * gradient
    v *= beta_2
    v += (1 - beta_2) * np.square(gradient)
    denominator = v / (1 - beta_2**step)
    np.sqrt(denominator, out=denominator)
    denominator += epsilon
    parameter -= learning_rate / (1 - beta_1**step) * m / denominator
    return parameter, m, v


@answers("adam.step", "float32")
def adam_float32(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    parameter, gradient, m, v = (np.float32(a) for a in (parameter, gradient, m, v))
    m = np.float32(beta_1) * m + np.float32(1 - beta_1) * gradient
    v = np.float32(beta_2) * v + np.float32(1 - beta_2) * gradient**2
    m_hat = m / np.float32(1 - beta_1**step)
    v_hat = v / np.float32(1 - beta_2**step)
    return (
        parameter - np.float32(learning_rate) * m_hat / (np.sqrt(v_hat) + np.float32(epsilon)), m,
        v,
    )


# adamw.step


@answers("adamw.step", "loops")
def adamw_loops(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    new, new_m, new_v = np.zeros_like(parameter), np.zeros_like(m), np.zeros_like(v)
    for place in np.ndindex(*parameter.shape):
        new_m[place] = beta_1 * m[place] + (1 - beta_1) * gradient[place]
        new_v[place] = beta_2 * v[place] + (1 - beta_2) * gradient[place] ** 2
        m_hat = new_m[place] / (1 - beta_1**step)
        v_hat = new_v[place] / (1 - beta_2**step)
        new[place] = parameter[place] - learning_rate * weight_decay * parameter[place]
        new[place] -= learning_rate * m_hat / (math.sqrt(v_hat) + epsilon)
    return new, new_m, new_v


@answers("adamw.step", "einsum")
def adamw_einsum(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    m = np.einsum("n,ndf->df", [beta_1, 1 - beta_1], [m, gradient])
    v = np.einsum(
        "n,ndf->df", [beta_2, 1 - beta_2], [v, np.einsum("df,df->df", gradient, gradient)]
    )
    adam = m / (1 - beta_1**step) / (np.sqrt(v / (1 - beta_2**step)) + epsilon)
    weights = [1.0, -learning_rate * weight_decay, -learning_rate]
    return np.einsum("n,ndf->df", weights, [parameter, parameter, adam]), m, v


@answers("adamw.step", "matrix form")
def adamw_matrix(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat, v_hat = m / (1 - beta_1**step), v / (1 - beta_2**step)
    return (
        parameter - learning_rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * parameter),
        m, v,
    )


@answers("adamw.step", "in place")
def adamw_in_place(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    parameter, m, v = np.array(parameter), np.array(m), np.array(v)
    m *= beta_1
    m += (1 - beta_1) * gradient
    v *= beta_2
    v += (1 - beta_2) * gradient * gradient
    parameter *= 1 - learning_rate * weight_decay
    parameter -= (
        learning_rate * (m / (1 - beta_1**step)) / (np.sqrt(v / (1 - beta_2**step)) + epsilon)
    )
    return parameter, m, v


@answers("adamw.step", "float32")
def adamw_float32(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    parameter, gradient, m, v = (a.astype(np.float32) for a in (parameter, gradient, m, v))
    new, m, v = adam_float32(
        parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon
    )
    return new - np.float32(learning_rate * weight_decay) * parameter, m, v


# clip.norm


@answers("clip.norm", "loops")
def clip_loops(d_W, d_b, largest):
    total = 0.0
    for d in range(d_W.shape[0]):
        for f in range(d_W.shape[1]):
            total += d_W[d, f] ** 2
    for f in range(d_b.shape[0]):
        total += d_b[f] ** 2
    norm = math.sqrt(total)
    if norm <= largest:
        return d_W, d_b
    clipped_W, clipped_b = np.zeros(d_W.shape), np.zeros(d_b.shape)
    for f in range(d_b.shape[0]):
        clipped_b[f] = d_b[f] / norm * largest
        for d in range(d_W.shape[0]):
            clipped_W[d, f] = d_W[d, f] / norm * largest
    return clipped_W, clipped_b


@answers("clip.norm", "einsum")
def clip_einsum(d_W, d_b, largest):
    norm = np.sqrt(np.einsum("df,df->", d_W, d_W) + np.einsum("f,f->", d_b, d_b))
    factor = largest / norm if norm > largest else 1.0
    return np.einsum(",df->df", factor, d_W), np.einsum(",f->f", factor, d_b)


@answers("clip.norm", "matrix form")
def clip_matrix(d_W, d_b, largest):
    both = np.vstack([d_W, d_b])
    norm = np.linalg.norm(both)
    if norm > largest:
        both = both * (largest / norm)
    return both[:-1], both[-1]


@answers("clip.norm", "in place")
def clip_in_place(d_W, d_b, largest):
    gradients = [d_W.copy(), d_b.copy()]
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    if norm > largest:
        for gradient in gradients:
            gradient *= largest / norm
    return tuple(gradients)


@answers("clip.norm", "float32")
def clip_float32(d_W, d_b, largest):
    d_W, d_b = d_W.astype(np.float32), d_b.astype(np.float32)
    norm = np.sqrt(np.sum(d_W**2) + np.sum(d_b**2))
    factor = np.float32(1 if norm <= largest else largest / norm)
    return factor * d_W, factor * d_b


# noam.rate


@answers("noam.rate", "loops")
def noam_loops(step, d_model, warmup):
    rate = 0.0
    for number in range(1, step + 1):
        if number <= warmup:
            rate += 1 / (math.sqrt(d_model) * math.sqrt(warmup) * warmup)
        else:
            rate *= math.sqrt((number - 1) / number)
    return rate


def noam_cases(step, d_model, warmup):
    peak = 1 / math.sqrt(d_model * warmup)
    if step < warmup:
        return peak * step / warmup
    return peak * math.sqrt(warmup / step)


@answers("noam.rate", "in place")
def noam_in_place(step, d_model, warmup):
    both = np.array([step, warmup], dtype=float)
    both **= [-0.5, -1.5]
    both[1] *= step
    return np.amin(both) / np.sqrt(d_model)


@answers("noam.rate", "float32")
def noam_float32(step, d_model, warmup):
    step, d_model, warmup = np.float32(step), np.float32(d_model), np.float32(warmup)
    return np.minimum(step ** np.float32(-0.5), step * warmup ** np.float32(-1.5)) / np.sqrt(
        d_model
    )


@answers("noam.rate", "other formula")
def noam_logarithms(step, d_model, warmup):
    a, b = math.log(step), math.log(warmup)
    return math.exp(-0.5 * math.log(d_model) + min(-0.5 * a, a - 1.5 * b))


# cosine.rate


@answers("cosine.rate", "loops")
def cosine_loops(step, peak, total, warmup, floor):
    rate = 0.0
    if step <= warmup and warmup > 0:
        for _ in range(step):
            rate += peak / warmup
        return rate
    if step >= total:
        return floor
    # cos((n + 1) a) = 2 cos a cos(n a) − cos((n − 1) a)
    turn = math.cos(math.pi / (total - warmup))
    before, now = turn, 1.0
    for _ in range(step - warmup):
        before, now = now, 2 * turn * now - before
    return floor + (peak - floor) / 2 * (1 + now)


@answers("cosine.rate", "in place")
def cosine_in_place(step, peak, total, warmup, floor):
    rate = np.zeros(1)
    if step < warmup:
        rate += peak
        rate *= step / warmup
    else:
        rate += min(step, total) - warmup
        rate *= np.pi / (total - warmup)
        np.cos(rate, out=rate)
        rate += 1
        rate *= (peak - floor) / 2
        rate += floor
    return rate[0]


@answers("cosine.rate", "float32")
def cosine_float32(step, peak, total, warmup, floor):
    if step < warmup:
        return np.float32(peak) * np.float32(step) / np.float32(warmup)
    progress = np.float32(min(1.0, (step - warmup) / (total - warmup)))
    return np.float32(floor) + np.float32(peak - floor) * (
        1 + np.cos(np.float32(np.pi) * progress)
    ) / np.float32(2)


@answers("cosine.rate", "matrix form")
def cosine_where(step, peak, total, warmup, floor):
    rising = peak * step / max(warmup, 1)
    progress = np.clip((step - warmup) / (total - warmup), 0, 1)
    falling = floor + 0.5 * (peak - floor) * (1 + np.cos(np.pi * progress))
    return np.where(step < warmup, rising, falling)


@answers("cosine.rate", "other formula")
def cosine_square(step, peak, total, warmup, floor):
    if warmup and step <= warmup:
        return step / warmup * peak
    quarter = math.pi / 2 * min((step - warmup) / (total - warmup), 1)
    return peak * math.cos(quarter) ** 2 + floor * math.sin(quarter) ** 2


# update.all


@answers("update.all", "loops")
def update_loops(parameters, gradients, m, v, step, d_model, warmup):
    rate = min(step**-0.5, step * warmup**-1.5) / math.sqrt(d_model)
    for name in parameters:
        for place in np.ndindex(*parameters[name].shape):
            g = gradients[name][place]
            m[name][place] = 0.9 * m[name][place] + 0.1 * g
            v[name][place] = 0.98 * v[name][place] + 0.02 * g * g
            m_hat = m[name][place] / (1 - 0.9**step)
            v_hat = v[name][place] / (1 - 0.98**step)
            parameters[name][place] -= rate * m_hat / (math.sqrt(v_hat) + 1e-9)
            gradients[name][place] = 0


@answers("update.all", "einsum")
def update_einsum(parameters, gradients, m, v, step, d_model, warmup):
    rate = noam_cases(step, d_model, warmup)
    for name, parameter in parameters.items():
        g = gradients[name]
        m[name][...] = np.einsum("n,n...->...", [0.9, 0.1], np.stack([m[name], g]))
        v[name][...] = np.einsum(
            "n,n...->...", [0.98, 0.02], np.stack([v[name], np.einsum("...,...->...", g, g)])
        )
        denominator = np.sqrt(v[name] / (1 - 0.98**step)) + 1e-9
        parameter[...] -= (
            rate / (1 - 0.9**step) * np.einsum("...,...->...", m[name], 1 / denominator)
        )
        g[...] = 0


@answers("update.all", "matrix form")
def update_flat(parameters, gradients, m, v, step, d_model, warmup):
    names = sorted(parameters)

    def flat(arrays):
        return np.concatenate([arrays[name].ravel() for name in names])

    g = flat(gradients)
    new_m = 0.9 * flat(m) + 0.1 * g
    new_v = 0.98 * flat(v) + 0.02 * g**2
    rate = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    new = flat(parameters) - rate * (new_m / (1 - 0.9**step)) / (
        np.sqrt(new_v / (1 - 0.98**step)) + 1e-9
    )
    ends = np.cumsum([parameters[name].size for name in names])[:-1]
    for arrays, numbers in (
        (parameters, new), (m, new_m), (v, new_v), (gradients, np.zeros_like(g)),
    ):
        for name, part in zip(names, np.split(numbers, ends)):
            arrays[name][...] = part.reshape(arrays[name].shape)


@answers("update.all", "in place")
def update_in_place(parameters, gradients, m, v, step, d_model, warmup):
    rate = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    for name in gradients:
        p, g, m_, v_ = parameters[name], gradients[name], m[name], v[name]
        m_ *= 0.9
        m_ += (1 - 0.9) * g
        v_ *= 0.98
        v_ += (1 - 0.98) * g**2
        p -= rate * (m_ / (1 - 0.9**step)) / (np.sqrt(v_ / (1 - 0.98**step)) + 1e-9)
        g.fill(0)


# rnn.step


@answers("rnn.step", "loops")
def rnn_step_loops(x, h, W_x, W_h, b):
    (B, D), F = x.shape, len(b)
    h_new = np.zeros((B, F))
    for n in range(B):
        for f in range(F):
            a = b[f]
            for d in range(D):
                a += x[n, d] * W_x[d, f]
            for g in range(F):
                a += h[n, g] * W_h[g, f]
            h_new[n, f] = math.tanh(a)
    return h_new


@answers("rnn.step", "einsum")
def rnn_step_einsum(x, h, W_x, W_h, b):
    return np.tanh(np.einsum("bd,df->bf", x, W_x) + np.einsum("bg,gf->bf", h, W_h) + b)


@answers("rnn.step", "matrix form")
def rnn_step_matrix(x, h, W_x, W_h, b):
    return np.tanh(np.hstack([x, h]) @ np.vstack([W_x, W_h]) + b)


@answers("rnn.step", "float32")
def rnn_step_float32(x, h, W_x, W_h, b):
    x, h, W_x, W_h, b = (a.astype(np.float32) for a in (x, h, W_x, W_h, b))
    return np.tanh(x @ W_x + h @ W_h + b)


@answers("rnn.step", "class")
class RecurrentStep:
    def __init__(self, W_x, W_h, b):
        self.W_x, self.W_h, self.b = W_x, W_h, b

    def forward(self, x, h):
        self.x, self.h = x, h
        self.h_new = np.tanh(x @ self.W_x + h @ self.W_h + self.b)
        return self.h_new

    def backward(self, d_h_new):
        d_a = d_h_new * (1 - self.h_new**2)
        self.d_W_x, self.d_W_h, self.d_b = self.x.T @ d_a, self.h.T @ d_a, d_a.sum(axis=0)
        return d_a @ self.W_x.T, d_a @ self.W_h.T


# rnn.step_backward


@answers("rnn.step_backward", "loops")
def rnn_step_backward_loops(d_h_new, x, h, W_x, W_h, b):
    (B, D), F = x.shape, len(b)
    d_x, d_h, d_W_x, d_W_h, d_b = (np.zeros_like(a) for a in (x, h, W_x, W_h, b))
    for n in range(B):
        for f in range(F):
            a = b[f]
            for d in range(D):
                a += x[n, d] * W_x[d, f]
            for g in range(F):
                a += h[n, g] * W_h[g, f]
            d_a = d_h_new[n, f] * (1 - math.tanh(a) ** 2)
            d_b[f] += d_a
            for d in range(D):
                d_x[n, d] += d_a * W_x[d, f]
                d_W_x[d, f] += d_a * x[n, d]
            for g in range(F):
                d_h[n, g] += d_a * W_h[g, f]
                d_W_h[g, f] += d_a * h[n, g]
    return d_x, d_h, d_W_x, d_W_h, d_b


@answers("rnn.step_backward", "einsum")
def rnn_step_backward_einsum(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(np.einsum("bd,df->bf", x, W_x) + np.einsum("bg,gf->bf", h, W_h) + b)
    d_a = d_h_new - np.einsum("bf,bf,bf->bf", d_h_new, h_new, h_new)
    return (
        np.einsum("bf,df->bd", d_a, W_x),
        np.einsum("bf,gf->bg", d_a, W_h),
        np.einsum("bd,bf->df", x, d_a),
        np.einsum("bg,bf->gf", h, d_a),
        np.einsum("bf->f", d_a),
    )


@answers("rnn.step_backward", "matrix form")
def rnn_step_backward_matrix(d_h_new, x, h, W_x, W_h, b):
    D = x.shape[1]
    both = np.hstack([x, h, np.ones((len(x), 1))])
    W = np.vstack([W_x, W_h, b])
    d_a = d_h_new * (1 - np.tanh(both @ W) ** 2)
    d_both, d_W = d_a @ W.T, both.T @ d_a
    return d_both[:, :D], d_both[:, D:-1], d_W[:D], d_W[D:-1], d_W[-1]


@answers("rnn.step_backward", "float32")
def rnn_step_backward_float32(d_h_new, x, h, W_x, W_h, b):
    d_h_new, x, h, W_x, W_h, b = (a.astype(np.float32) for a in (d_h_new, x, h, W_x, W_h, b))
    d_a = d_h_new * (1 - np.tanh(x @ W_x + h @ W_h + b) ** 2)
    return d_a @ W_x.T, d_a @ W_h.T, x.T @ d_a, h.T @ d_a, d_a.sum(0)


answers("rnn.step_backward", "class")(RecurrentStep)
