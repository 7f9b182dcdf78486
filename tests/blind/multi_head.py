"""Answers to the exercises: multi head."""

import numpy as np


# exercise: self_attention.forward
# wrong: scaled by the root of the whole width D
# source: issue of a public repository
def self_attention_forward_01(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    q = (x @ W_query).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    k = (x @ W_key).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    v = (x @ W_value).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(D)  # <- wrong
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True)
    context = P @ v
    merged = context.transpose(0, 2, 1, 3).reshape(B, T, D)
    return merged @ W_output


# exercise: self_attention.forward
# wrong: the heads are merged without moving the axes back
# source: issue of a public repository
def self_attention_forward_02(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    q = (x @ W_query).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    k = (x @ W_key).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    v = (x @ W_value).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(K)
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True)
    context = P @ v
    merged = context.reshape(B, T, D)  # <- wrong
    return merged @ W_output


# exercise: self_attention.forward
# wrong: the output projection is left out
# source: issue of a public repository
def self_attention_forward_03(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    q = (x @ W_query).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    k = (x @ W_key).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    v = (x @ W_value).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(K)
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True)
    context = P @ v
    merged = context.transpose(0, 2, 1, 3).reshape(B, T, D)
    return merged  # <- wrong


# exercise: self_attention.forward
# wrong: the queries are split without moving an axis
# source: issue of a public repository
def self_attention_forward_04(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    q = (x @ W_query).reshape(B, heads, T, K)  # <- wrong
    k = (x @ W_key).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    v = (x @ W_value).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(K)
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True)
    context = P @ v
    merged = context.transpose(0, 2, 1, 3).reshape(B, T, D)
    return merged @ W_output


# exercise: self_attention.forward
# wrong: the mask is inverted
# source: issue of a public repository
def self_attention_forward_05(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    q = (x @ W_query).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    k = (x @ W_key).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    v = (x @ W_value).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(K)
    scores = np.where(mask, -1e9, scores)  # <- wrong
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True)
    context = P @ v
    merged = context.transpose(0, 2, 1, 3).reshape(B, T, D)
    return merged @ W_output


# exercise: self_attention.forward
# wrong: the keys are made with the queries' weights
# source: issue of a public repository
def self_attention_forward_06(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    q = (x @ W_query).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    k = (x @ W_query).reshape(B, T, heads, K).transpose(0, 2, 1, 3)  # <- wrong
    v = (x @ W_value).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(K)
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True)
    context = P @ v
    merged = context.transpose(0, 2, 1, 3).reshape(B, T, D)
    return merged @ W_output


# exercise: self_attention.forward
# wrong: the values are not projected
# source: issue of a public repository
def self_attention_forward_07(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    q = (x @ W_query).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    k = (x @ W_key).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    v = x.reshape(B, T, heads, K).transpose(0, 2, 1, 3)  # <- wrong
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(K)
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True)
    context = P @ v
    merged = context.transpose(0, 2, 1, 3).reshape(B, T, D)
    return merged @ W_output


# exercise: self_attention.forward
# wrong: the weights stand transposed, as in a layer that keeps them (out, in)
# source: issue of a public repository
def self_attention_forward_08(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    q = (x @ W_query).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    k = (x @ W_key).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    v = (x @ W_value).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(K)
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True)
    context = P @ v
    merged = context.transpose(0, 2, 1, 3).reshape(B, T, D)
    return merged @ W_output.T  # <- wrong


# exercise: self_attention.forward
# wrong: softmax over the queries
# source: public question
def self_attention_forward_09(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    q = (x @ W_query).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    k = (x @ W_key).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    v = (x @ W_value).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(K)
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-2, keepdims=True)  # <- wrong
    context = P @ v
    merged = context.transpose(0, 2, 1, 3).reshape(B, T, D)
    return merged @ W_output


# exercise: self_attention.forward
# wrong: scaled by √D
# second: merged without moving the axes back
# source: issue of a public repository
def self_attention_forward_10(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    q = (x @ W_query).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    k = (x @ W_key).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    v = (x @ W_value).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(D)  # <- wrong
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True)
    context = P @ v
    merged = context.reshape(B, T, D)  # <- wrong
    return merged @ W_output


# exercise: self_attention.forward
# right: small steps
# source: beginner
def self_attention_forward_11(x, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    K = D // heads
    q = (x @ W_query).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    k = (x @ W_key).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    v = (x @ W_value).reshape(B, T, heads, K).transpose(0, 2, 1, 3)
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(K)
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True)
    context = P @ v
    merged = context.transpose(0, 2, 1, 3).reshape(B, T, D)
    return merged @ W_output


# exercise: self_attention.forward
# right: a loop over heads
# source: beginner
def self_attention_forward_12(x, W_query, W_key, W_value, W_output, heads, mask):
    K = x.shape[-1] // heads
    out = 0
    for h in range(heads):
        part = slice(h * K, (h + 1) * K)
        q, k, v = x @ W_query[:, part], x @ W_key[:, part], x @ W_value[:, part]
        s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(K)
        s = np.where(mask[:, 0], s, -np.inf)
        w = np.exp(s - s.max(-1, keepdims=True))
        w = w / w.sum(-1, keepdims=True)
        out = out + w @ v @ W_output[part]
    return out


# exercise: self_attention.forward
# wrong: each head overwrites the one before
# source: beginner
def self_attention_forward_13(x, W_query, W_key, W_value, W_output, heads, mask):
    K = x.shape[-1] // heads
    out = 0
    for h in range(heads):
        part = slice(h * K, (h + 1) * K)
        q, k, v = x @ W_query[:, part], x @ W_key[:, part], x @ W_value[:, part]
        s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(K)
        s = np.where(mask[:, 0], s, -np.inf)
        w = np.exp(s - s.max(-1, keepdims=True))
        w = w / w.sum(-1, keepdims=True)
        out = w @ v @ W_output[part]  # <- wrong
    return out


# exercise: self_attention.forward
# wrong: all heads use the first rows of the output weights
# source: beginner
def self_attention_forward_14(x, W_query, W_key, W_value, W_output, heads, mask):
    K = x.shape[-1] // heads
    out = 0
    for h in range(heads):
        part = slice(h * K, (h + 1) * K)
        q, k, v = x @ W_query[:, part], x @ W_key[:, part], x @ W_value[:, part]
        s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(K)
        s = np.where(mask[:, 0], s, -np.inf)
        w = np.exp(s - s.max(-1, keepdims=True))
        w = w / w.sum(-1, keepdims=True)
        out = out + w @ v @ W_output[:K]  # <- wrong
    return out


# exercise: self_attention.forward
# wrong: the heads take rows of the query weights' transpose
# source: beginner
def self_attention_forward_15(x, W_query, W_key, W_value, W_output, heads, mask):
    K = x.shape[-1] // heads
    out = 0
    for h in range(heads):
        part = slice(h * K, (h + 1) * K)
        q, k, v = x @ W_query[part].T, x @ W_key[:, part], x @ W_value[:, part]  # <- wrong
        s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(K)
        s = np.where(mask[:, 0], s, -np.inf)
        w = np.exp(s - s.max(-1, keepdims=True))
        w = w / w.sum(-1, keepdims=True)
        out = out + w @ v @ W_output[part]
    return out


# exercise: self_attention.backward
# wrong: the values' path to x is missing
# source: issue of a public repository
def _self_attention_backward_01_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_01_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_01(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_01_split(x @ W_query, heads)
    k = _self_attention_backward_01_split(x @ W_key, heads)
    v = _self_attention_backward_01_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_01_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_01_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_01_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = _self_attention_backward_01_merge(d_s @ k)
    d_k = _self_attention_backward_01_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T  # <- wrong
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: only the queries' path to x
# source: issue of a public repository
def _self_attention_backward_02_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_02_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_02(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_02_split(x @ W_query, heads)
    k = _self_attention_backward_02_split(x @ W_key, heads)
    v = _self_attention_backward_02_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_02_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_02_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_02_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = _self_attention_backward_02_merge(d_s @ k)
    d_k = _self_attention_backward_02_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T  # <- wrong
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: the weights are not transposed on the keys' path
# source: public question
def _self_attention_backward_03_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_03_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_03(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_03_split(x @ W_query, heads)
    k = _self_attention_backward_03_split(x @ W_key, heads)
    v = _self_attention_backward_03_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_03_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_03_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_03_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = _self_attention_backward_03_merge(d_s @ k)
    d_k = _self_attention_backward_03_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key + d_v @ W_value.T  # <- wrong
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: the gradient of dₛ is not transposed for the keys
# source: public question
def _self_attention_backward_04_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_04_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_04(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_04_split(x @ W_query, heads)
    k = _self_attention_backward_04_split(x @ W_key, heads)
    v = _self_attention_backward_04_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_04_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_04_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_04_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = _self_attention_backward_04_merge(d_s @ k)
    d_k = _self_attention_backward_04_merge(d_s @ q)  # <- wrong
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T + d_v @ W_value.T
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: the output weights' transpose is missing
# source: public question
def _self_attention_backward_05_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_05_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_05(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_05_split(x @ W_query, heads)
    k = _self_attention_backward_05_split(x @ W_key, heads)
    v = _self_attention_backward_05_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_05_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_05_split(d_y @ W_output, heads)  # <- wrong
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_05_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = _self_attention_backward_05_merge(d_s @ k)
    d_k = _self_attention_backward_05_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T + d_v @ W_value.T
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: the output weights' gradient meets y's gradient in the wrong order
# source: public question
def _self_attention_backward_06_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_06_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_06(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_06_split(x @ W_query, heads)
    k = _self_attention_backward_06_split(x @ W_key, heads)
    v = _self_attention_backward_06_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_06_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", d_y, merged)  # <- wrong
    d_context = _self_attention_backward_06_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_06_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = _self_attention_backward_06_merge(d_s @ k)
    d_k = _self_attention_backward_06_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T + d_v @ W_value.T
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: the scale is missing backward
# source: issue of a public repository
def _self_attention_backward_07_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_07_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_07(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_07_split(x @ W_query, heads)
    k = _self_attention_backward_07_split(x @ W_key, heads)
    v = _self_attention_backward_07_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_07_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_07_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_07_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True))  # <- wrong
    d_q = _self_attention_backward_07_merge(d_s @ k)
    d_k = _self_attention_backward_07_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T + d_v @ W_value.T
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: the scale is 1/√D
# source: issue of a public repository
def _self_attention_backward_08_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_08_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_08(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = D**-0.5  # <- wrong
    q = _self_attention_backward_08_split(x @ W_query, heads)
    k = _self_attention_backward_08_split(x @ W_key, heads)
    v = _self_attention_backward_08_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_08_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_08_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_08_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = _self_attention_backward_08_merge(d_s @ k)
    d_k = _self_attention_backward_08_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T + d_v @ W_value.T
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: the heads of d_q are merged with a bare reshape
# source: issue of a public repository
def _self_attention_backward_09_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_09_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_09(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_09_split(x @ W_query, heads)
    k = _self_attention_backward_09_split(x @ W_key, heads)
    v = _self_attention_backward_09_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_09_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_09_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_09_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = (d_s @ k).reshape(x.shape)  # <- wrong
    d_k = _self_attention_backward_09_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T + d_v @ W_value.T
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: the key weights' gradient uses d_q
# source: beginner
def _self_attention_backward_10_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_10_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_10(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_10_split(x @ W_query, heads)
    k = _self_attention_backward_10_split(x @ W_key, heads)
    v = _self_attention_backward_10_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_10_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_10_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_10_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = _self_attention_backward_10_merge(d_s @ k)
    d_k = _self_attention_backward_10_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_q)  # <- wrong
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T + d_v @ W_value.T
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: softmax's sum is left out
# source: public question
def _self_attention_backward_11_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_11_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_11(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_11_split(x @ W_query, heads)
    k = _self_attention_backward_11_split(x @ W_key, heads)
    v = _self_attention_backward_11_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_11_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_11_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_11_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * d_P * scale  # <- wrong
    d_q = _self_attention_backward_11_merge(d_s @ k)
    d_k = _self_attention_backward_11_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T + d_v @ W_value.T
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: the values' gradient uses P, not its transpose
# source: public question
def _self_attention_backward_12_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_12_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_12(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_12_split(x @ W_query, heads)
    k = _self_attention_backward_12_split(x @ W_key, heads)
    v = _self_attention_backward_12_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_12_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_12_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_12_merge(P @ d_context)  # <- wrong
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = _self_attention_backward_12_merge(d_s @ k)
    d_k = _self_attention_backward_12_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T + d_v @ W_value.T
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: the query weights' gradient is a mean over the batch
# source: course forum
def _self_attention_backward_13_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_13_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_13(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_13_split(x @ W_query, heads)
    k = _self_attention_backward_13_split(x @ W_key, heads)
    v = _self_attention_backward_13_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_13_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_13_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_13_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = _self_attention_backward_13_merge(d_s @ k)
    d_k = _self_attention_backward_13_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q) / len(x)  # <- wrong
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T + d_v @ W_value.T
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: the residual's gradient is added, though there is none here
# source: beginner
def _self_attention_backward_14_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_14_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_14(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_14_split(x @ W_query, heads)
    k = _self_attention_backward_14_split(x @ W_key, heads)
    v = _self_attention_backward_14_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_14_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_14_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_14_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = _self_attention_backward_14_merge(d_s @ k)
    d_k = _self_attention_backward_14_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T + d_v @ W_value.T + d_y  # <- wrong
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# wrong: the values' path to x is missing
# second: the scale is missing backward
# source: issue of a public repository
def _self_attention_backward_15_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_15_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_15(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_15_split(x @ W_query, heads)
    k = _self_attention_backward_15_split(x @ W_key, heads)
    v = _self_attention_backward_15_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_15_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_15_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_15_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True))  # <- wrong
    d_q = _self_attention_backward_15_merge(d_s @ k)
    d_k = _self_attention_backward_15_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T  # <- wrong
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# right: helpers and einsum
# source: beginner
def _self_attention_backward_16_split(a, heads):
    B, T, D = a.shape
    return a.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)


def _self_attention_backward_16_merge(a):
    B, H, T, K = a.shape
    return a.transpose(0, 2, 1, 3).reshape(B, T, H * K)


def self_attention_backward_16(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    D = x.shape[-1]
    scale = (D // heads) ** -0.5
    q = _self_attention_backward_16_split(x @ W_query, heads)
    k = _self_attention_backward_16_split(x @ W_key, heads)
    v = _self_attention_backward_16_split(x @ W_value, heads)
    s = np.where(mask, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = _self_attention_backward_16_merge(P @ v)
    d_W_output = np.einsum("bti,btj->ij", merged, d_y)
    d_context = _self_attention_backward_16_split(d_y @ W_output.T, heads)
    d_P = d_context @ v.swapaxes(-1, -2)
    d_v = _self_attention_backward_16_merge(P.swapaxes(-1, -2) @ d_context)
    d_s = P * (d_P - (d_P * P).sum(-1, keepdims=True)) * scale
    d_q = _self_attention_backward_16_merge(d_s @ k)
    d_k = _self_attention_backward_16_merge(d_s.swapaxes(-1, -2) @ q)
    d_W_query = np.einsum("bti,btj->ij", x, d_q)
    d_W_key = np.einsum("bti,btj->ij", x, d_k)
    d_W_value = np.einsum("bti,btj->ij", x, d_v)
    d_x = d_q @ W_query.T + d_k @ W_key.T + d_v @ W_value.T
    return d_x, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: self_attention.backward
# right: loops over sentences and heads
# source: beginner
def self_attention_backward_17(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    K = x.shape[2] // heads
    g_x = np.zeros_like(x)
    g_q, g_k, g_v, g_o = (np.zeros_like(W_query) for _ in range(4))
    for b in range(len(x)):
        for h in range(heads):
            c = slice(h * K, (h + 1) * K)
            q, k, v = x[b] @ W_query[:, c], x[b] @ W_key[:, c], x[b] @ W_value[:, c]
            s = np.where(mask[b, 0], q @ k.T / np.sqrt(K), -np.inf)
            p = np.exp(s - s.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            d = d_y[b] @ W_output[c].T
            g_o[c] += (p @ v).T @ d_y[b]
            dp = d @ v.T
            ds = p * (dp - (dp * p).sum(1, keepdims=True)) / np.sqrt(K)
            dq, dk, dv = ds @ k, ds.T @ q, p.T @ d
            g_q[:, c] += x[b].T @ dq
            g_k[:, c] += x[b].T @ dk
            g_v[:, c] += x[b].T @ dv
            g_x[b] += dq @ W_query[:, c].T + dk @ W_key[:, c].T + dv @ W_value[:, c].T
    return g_x, g_q, g_k, g_v, g_o


# exercise: self_attention.backward
# wrong: x takes only the last head's gradient
# source: beginner
def self_attention_backward_18(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    K = x.shape[2] // heads
    g_x = np.zeros_like(x)
    g_q, g_k, g_v, g_o = (np.zeros_like(W_query) for _ in range(4))
    for b in range(len(x)):
        for h in range(heads):
            c = slice(h * K, (h + 1) * K)
            q, k, v = x[b] @ W_query[:, c], x[b] @ W_key[:, c], x[b] @ W_value[:, c]
            s = np.where(mask[b, 0], q @ k.T / np.sqrt(K), -np.inf)
            p = np.exp(s - s.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            d = d_y[b] @ W_output[c].T
            g_o[c] += (p @ v).T @ d_y[b]
            dp = d @ v.T
            ds = p * (dp - (dp * p).sum(1, keepdims=True)) / np.sqrt(K)
            dq, dk, dv = ds @ k, ds.T @ q, p.T @ d
            g_q[:, c] += x[b].T @ dq
            g_k[:, c] += x[b].T @ dk
            g_v[:, c] += x[b].T @ dv
            g_x[b] = dq @ W_query[:, c].T + dk @ W_key[:, c].T + dv @ W_value[:, c].T  # <- wrong
    return g_x, g_q, g_k, g_v, g_o


# exercise: self_attention.backward
# wrong: the output weights take only the last sentence
# source: beginner
def self_attention_backward_19(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    K = x.shape[2] // heads
    g_x = np.zeros_like(x)
    g_q, g_k, g_v, g_o = (np.zeros_like(W_query) for _ in range(4))
    for b in range(len(x)):
        for h in range(heads):
            c = slice(h * K, (h + 1) * K)
            q, k, v = x[b] @ W_query[:, c], x[b] @ W_key[:, c], x[b] @ W_value[:, c]
            s = np.where(mask[b, 0], q @ k.T / np.sqrt(K), -np.inf)
            p = np.exp(s - s.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            d = d_y[b] @ W_output[c].T
            g_o[c] = (p @ v).T @ d_y[b]  # <- wrong
            dp = d @ v.T
            ds = p * (dp - (dp * p).sum(1, keepdims=True)) / np.sqrt(K)
            dq, dk, dv = ds @ k, ds.T @ q, p.T @ d
            g_q[:, c] += x[b].T @ dq
            g_k[:, c] += x[b].T @ dk
            g_v[:, c] += x[b].T @ dv
            g_x[b] += dq @ W_query[:, c].T + dk @ W_key[:, c].T + dv @ W_value[:, c].T
    return g_x, g_q, g_k, g_v, g_o


# exercise: self_attention.backward
# wrong: ds is not transposed for the keys
# source: public question
def self_attention_backward_20(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    K = x.shape[2] // heads
    g_x = np.zeros_like(x)
    g_q, g_k, g_v, g_o = (np.zeros_like(W_query) for _ in range(4))
    for b in range(len(x)):
        for h in range(heads):
            c = slice(h * K, (h + 1) * K)
            q, k, v = x[b] @ W_query[:, c], x[b] @ W_key[:, c], x[b] @ W_value[:, c]
            s = np.where(mask[b, 0], q @ k.T / np.sqrt(K), -np.inf)
            p = np.exp(s - s.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            d = d_y[b] @ W_output[c].T
            g_o[c] += (p @ v).T @ d_y[b]
            dp = d @ v.T
            ds = p * (dp - (dp * p).sum(1, keepdims=True)) / np.sqrt(K)
            dq, dk, dv = ds @ k, ds @ q, p.T @ d  # <- wrong
            g_q[:, c] += x[b].T @ dq
            g_k[:, c] += x[b].T @ dk
            g_v[:, c] += x[b].T @ dv
            g_x[b] += dq @ W_query[:, c].T + dk @ W_key[:, c].T + dv @ W_value[:, c].T
    return g_x, g_q, g_k, g_v, g_o


# exercise: self_attention.backward
# wrong: the values' gradient: P is not transposed
# source: public question
def self_attention_backward_21(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    K = x.shape[2] // heads
    g_x = np.zeros_like(x)
    g_q, g_k, g_v, g_o = (np.zeros_like(W_query) for _ in range(4))
    for b in range(len(x)):
        for h in range(heads):
            c = slice(h * K, (h + 1) * K)
            q, k, v = x[b] @ W_query[:, c], x[b] @ W_key[:, c], x[b] @ W_value[:, c]
            s = np.where(mask[b, 0], q @ k.T / np.sqrt(K), -np.inf)
            p = np.exp(s - s.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            d = d_y[b] @ W_output[c].T
            g_o[c] += (p @ v).T @ d_y[b]
            dp = d @ v.T
            ds = p * (dp - (dp * p).sum(1, keepdims=True)) / np.sqrt(K)
            dq, dk, dv = ds @ k, ds.T @ q, p @ d  # <- wrong
            g_q[:, c] += x[b].T @ dq
            g_k[:, c] += x[b].T @ dk
            g_v[:, c] += x[b].T @ dv
            g_x[b] += dq @ W_query[:, c].T + dk @ W_key[:, c].T + dv @ W_value[:, c].T
    return g_x, g_q, g_k, g_v, g_o


# exercise: self_attention.backward
# wrong: softmax's sum goes down the columns
# source: public question
def self_attention_backward_22(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    K = x.shape[2] // heads
    g_x = np.zeros_like(x)
    g_q, g_k, g_v, g_o = (np.zeros_like(W_query) for _ in range(4))
    for b in range(len(x)):
        for h in range(heads):
            c = slice(h * K, (h + 1) * K)
            q, k, v = x[b] @ W_query[:, c], x[b] @ W_key[:, c], x[b] @ W_value[:, c]
            s = np.where(mask[b, 0], q @ k.T / np.sqrt(K), -np.inf)
            p = np.exp(s - s.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            d = d_y[b] @ W_output[c].T
            g_o[c] += (p @ v).T @ d_y[b]
            dp = d @ v.T
            ds = p * (dp - (dp * p).sum(0, keepdims=True)) / np.sqrt(K)  # <- wrong
            dq, dk, dv = ds @ k, ds.T @ q, p.T @ d
            g_q[:, c] += x[b].T @ dq
            g_k[:, c] += x[b].T @ dk
            g_v[:, c] += x[b].T @ dv
            g_x[b] += dq @ W_query[:, c].T + dk @ W_key[:, c].T + dv @ W_value[:, c].T
    return g_x, g_q, g_k, g_v, g_o


# exercise: cross_attention.forward
# wrong: the values' weights make the keys
# source: beginner
def cross_attention_forward_01(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S = memory.shape[1]
    K = D // heads
    q = np.dot(x, W_query).reshape(B, T, heads, K)
    k = np.dot(memory, W_value).reshape(B, S, heads, K)  # <- wrong
    v = np.dot(memory, W_value).reshape(B, S, heads, K)
    scores = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    scores = scores + np.where(mask, 0.0, -1e9)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    context = np.einsum("bhts,bshk->bthk", P, v)
    return context.reshape(B, T, D) @ W_output


# exercise: cross_attention.forward
# wrong: scaled by √D
# source: issue of a public repository
def cross_attention_forward_02(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S = memory.shape[1]
    K = D // heads
    q = np.dot(x, W_query).reshape(B, T, heads, K)
    k = np.dot(memory, W_key).reshape(B, S, heads, K)
    v = np.dot(memory, W_value).reshape(B, S, heads, K)
    scores = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(D)  # <- wrong
    scores = scores + np.where(mask, 0.0, -1e9)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    context = np.einsum("bhts,bshk->bthk", P, v)
    return context.reshape(B, T, D) @ W_output


# exercise: cross_attention.forward
# wrong: the mask is added as 1 and 0
# source: issue of a public repository
def cross_attention_forward_03(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S = memory.shape[1]
    K = D // heads
    q = np.dot(x, W_query).reshape(B, T, heads, K)
    k = np.dot(memory, W_key).reshape(B, S, heads, K)
    v = np.dot(memory, W_value).reshape(B, S, heads, K)
    scores = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    scores = scores + mask  # <- wrong
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    context = np.einsum("bhts,bshk->bthk", P, v)
    return context.reshape(B, T, D) @ W_output


# exercise: cross_attention.forward
# wrong: the queries' weights make the values
# source: beginner
def cross_attention_forward_04(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S = memory.shape[1]
    K = D // heads
    q = np.dot(x, W_query).reshape(B, T, heads, K)
    k = np.dot(memory, W_key).reshape(B, S, heads, K)
    v = np.dot(memory, W_query).reshape(B, S, heads, K)  # <- wrong
    scores = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    scores = scores + np.where(mask, 0.0, -1e9)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    context = np.einsum("bhts,bshk->bthk", P, v)
    return context.reshape(B, T, D) @ W_output


# exercise: cross_attention.forward
# wrong: the mask is inverted
# source: issue of a public repository
def cross_attention_forward_05(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S = memory.shape[1]
    K = D // heads
    q = np.dot(x, W_query).reshape(B, T, heads, K)
    k = np.dot(memory, W_key).reshape(B, S, heads, K)
    v = np.dot(memory, W_value).reshape(B, S, heads, K)
    scores = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    scores = scores + np.where(mask, -1e9, 0.0)  # <- wrong
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    context = np.einsum("bhts,bshk->bthk", P, v)
    return context.reshape(B, T, D) @ W_output


# exercise: cross_attention.forward
# wrong: the scale is missing
# second: the mask is inverted
# source: issue of a public repository
def cross_attention_forward_06(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S = memory.shape[1]
    K = D // heads
    q = np.dot(x, W_query).reshape(B, T, heads, K)
    k = np.dot(memory, W_key).reshape(B, S, heads, K)
    v = np.dot(memory, W_value).reshape(B, S, heads, K)
    scores = np.einsum("bthk,bshk->bhts", q, k)  # <- wrong
    scores = scores + np.where(mask, -1e9, 0.0)  # <- wrong
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    context = np.einsum("bhts,bshk->bthk", P, v)
    return context.reshape(B, T, D) @ W_output


# exercise: cross_attention.forward
# wrong: keys from x: shapes do not fit
# source: issue of a public repository
def cross_attention_forward_07(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S = memory.shape[1]
    K = D // heads
    q = np.dot(x, W_query).reshape(B, T, heads, K)
    k = np.dot(x, W_key).reshape(B, S, heads, K)  # <- wrong
    v = np.dot(memory, W_value).reshape(B, S, heads, K)
    scores = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    scores = scores + np.where(mask, 0.0, -1e9)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    context = np.einsum("bhts,bshk->bthk", P, v)
    return context.reshape(B, T, D) @ W_output


# exercise: cross_attention.forward
# right: einsum on (B, T, H, K)
# source: beginner
def cross_attention_forward_08(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S = memory.shape[1]
    K = D // heads
    q = np.dot(x, W_query).reshape(B, T, heads, K)
    k = np.dot(memory, W_key).reshape(B, S, heads, K)
    v = np.dot(memory, W_value).reshape(B, S, heads, K)
    scores = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    scores = scores + np.where(mask, 0.0, -1e9)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    context = np.einsum("bhts,bshk->bthk", P, v)
    return context.reshape(B, T, D) @ W_output


# exercise: cross_attention.backward
# wrong: the memory's gradient has only the keys' path
# source: issue of a public repository
def cross_attention_backward_01(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S, K = memory.shape[1], D // heads
    q = (x @ W_query).reshape(B, T, heads, K)
    k = (memory @ W_key).reshape(B, S, heads, K)
    v = (memory @ W_value).reshape(B, S, heads, K)
    s = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    s = np.where(mask, s, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = np.einsum("bhts,bshk->bthk", P, v).reshape(B, T, D)
    d_W_output = np.tensordot(merged, d_y, ((0, 1), (0, 1)))
    d_c = (d_y @ W_output.T).reshape(B, T, heads, K)
    d_P = np.einsum("bthk,bshk->bhts", d_c, v)
    d_v = np.einsum("bhts,bthk->bshk", P, d_c).reshape(B, S, D)
    d_s = P * (d_P - np.einsum("bhts,bhts->bht", d_P, P)[..., None])
    d_s = d_s / np.sqrt(K)
    d_q = np.einsum("bhts,bshk->bthk", d_s, k).reshape(B, T, D)
    d_k = np.einsum("bhts,bthk->bshk", d_s, q).reshape(B, S, D)
    d_memory = d_k @ W_key.T  # <- wrong
    d_x = d_q @ W_query.T
    d_W_query = np.tensordot(x, d_q, ((0, 1), (0, 1)))
    d_W_key = np.tensordot(memory, d_k, ((0, 1), (0, 1)))
    d_W_value = np.tensordot(memory, d_v, ((0, 1), (0, 1)))
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: cross_attention.backward
# wrong: the memory's gradient has only the values' path
# source: issue of a public repository
def cross_attention_backward_02(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S, K = memory.shape[1], D // heads
    q = (x @ W_query).reshape(B, T, heads, K)
    k = (memory @ W_key).reshape(B, S, heads, K)
    v = (memory @ W_value).reshape(B, S, heads, K)
    s = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    s = np.where(mask, s, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = np.einsum("bhts,bshk->bthk", P, v).reshape(B, T, D)
    d_W_output = np.tensordot(merged, d_y, ((0, 1), (0, 1)))
    d_c = (d_y @ W_output.T).reshape(B, T, heads, K)
    d_P = np.einsum("bthk,bshk->bhts", d_c, v)
    d_v = np.einsum("bhts,bthk->bshk", P, d_c).reshape(B, S, D)
    d_s = P * (d_P - np.einsum("bhts,bhts->bht", d_P, P)[..., None])
    d_s = d_s / np.sqrt(K)
    d_q = np.einsum("bhts,bshk->bthk", d_s, k).reshape(B, T, D)
    d_k = np.einsum("bhts,bthk->bshk", d_s, q).reshape(B, S, D)
    d_memory = d_v @ W_value.T  # <- wrong
    d_x = d_q @ W_query.T
    d_W_query = np.tensordot(x, d_q, ((0, 1), (0, 1)))
    d_W_key = np.tensordot(memory, d_k, ((0, 1), (0, 1)))
    d_W_value = np.tensordot(memory, d_v, ((0, 1), (0, 1)))
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: cross_attention.backward
# wrong: the scale is missing backward
# source: issue of a public repository
# missing: a line
def cross_attention_backward_03(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S, K = memory.shape[1], D // heads
    q = (x @ W_query).reshape(B, T, heads, K)
    k = (memory @ W_key).reshape(B, S, heads, K)
    v = (memory @ W_value).reshape(B, S, heads, K)
    s = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    s = np.where(mask, s, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = np.einsum("bhts,bshk->bthk", P, v).reshape(B, T, D)
    d_W_output = np.tensordot(merged, d_y, ((0, 1), (0, 1)))
    d_c = (d_y @ W_output.T).reshape(B, T, heads, K)
    d_P = np.einsum("bthk,bshk->bhts", d_c, v)
    d_v = np.einsum("bhts,bthk->bshk", P, d_c).reshape(B, S, D)
    d_s = P * (d_P - np.einsum("bhts,bhts->bht", d_P, P)[..., None])
    d_q = np.einsum("bhts,bshk->bthk", d_s, k).reshape(B, T, D)  # <- wrong
    d_k = np.einsum("bhts,bthk->bshk", d_s, q).reshape(B, S, D)
    d_memory = d_k @ W_key.T + d_v @ W_value.T
    d_x = d_q @ W_query.T
    d_W_query = np.tensordot(x, d_q, ((0, 1), (0, 1)))
    d_W_key = np.tensordot(memory, d_k, ((0, 1), (0, 1)))
    d_W_value = np.tensordot(memory, d_v, ((0, 1), (0, 1)))
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: cross_attention.backward
# wrong: the scale twice backward
# source: beginner
def cross_attention_backward_04(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S, K = memory.shape[1], D // heads
    q = (x @ W_query).reshape(B, T, heads, K)
    k = (memory @ W_key).reshape(B, S, heads, K)
    v = (memory @ W_value).reshape(B, S, heads, K)
    s = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    s = np.where(mask, s, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = np.einsum("bhts,bshk->bthk", P, v).reshape(B, T, D)
    d_W_output = np.tensordot(merged, d_y, ((0, 1), (0, 1)))
    d_c = (d_y @ W_output.T).reshape(B, T, heads, K)
    d_P = np.einsum("bthk,bshk->bhts", d_c, v)
    d_v = np.einsum("bhts,bthk->bshk", P, d_c).reshape(B, S, D)
    d_s = P * (d_P - np.einsum("bhts,bhts->bht", d_P, P)[..., None])
    d_s = d_s / K  # <- wrong
    d_q = np.einsum("bhts,bshk->bthk", d_s, k).reshape(B, T, D)
    d_k = np.einsum("bhts,bthk->bshk", d_s, q).reshape(B, S, D)
    d_memory = d_k @ W_key.T + d_v @ W_value.T
    d_x = d_q @ W_query.T
    d_W_query = np.tensordot(x, d_q, ((0, 1), (0, 1)))
    d_W_key = np.tensordot(memory, d_k, ((0, 1), (0, 1)))
    d_W_value = np.tensordot(memory, d_v, ((0, 1), (0, 1)))
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: cross_attention.backward
# wrong: keys' and values' weights are swapped on the way to the memory
# source: beginner
def cross_attention_backward_05(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S, K = memory.shape[1], D // heads
    q = (x @ W_query).reshape(B, T, heads, K)
    k = (memory @ W_key).reshape(B, S, heads, K)
    v = (memory @ W_value).reshape(B, S, heads, K)
    s = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    s = np.where(mask, s, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = np.einsum("bhts,bshk->bthk", P, v).reshape(B, T, D)
    d_W_output = np.tensordot(merged, d_y, ((0, 1), (0, 1)))
    d_c = (d_y @ W_output.T).reshape(B, T, heads, K)
    d_P = np.einsum("bthk,bshk->bhts", d_c, v)
    d_v = np.einsum("bhts,bthk->bshk", P, d_c).reshape(B, S, D)
    d_s = P * (d_P - np.einsum("bhts,bhts->bht", d_P, P)[..., None])
    d_s = d_s / np.sqrt(K)
    d_q = np.einsum("bhts,bshk->bthk", d_s, k).reshape(B, T, D)
    d_k = np.einsum("bhts,bthk->bshk", d_s, q).reshape(B, S, D)
    d_memory = d_k @ W_value.T + d_v @ W_key.T  # <- wrong
    d_x = d_q @ W_query.T
    d_W_query = np.tensordot(x, d_q, ((0, 1), (0, 1)))
    d_W_key = np.tensordot(memory, d_k, ((0, 1), (0, 1)))
    d_W_value = np.tensordot(memory, d_v, ((0, 1), (0, 1)))
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: cross_attention.backward
# wrong: the key weights' and the value weights' gradients are swapped
# source: beginner
def cross_attention_backward_06(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S, K = memory.shape[1], D // heads
    q = (x @ W_query).reshape(B, T, heads, K)
    k = (memory @ W_key).reshape(B, S, heads, K)
    v = (memory @ W_value).reshape(B, S, heads, K)
    s = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    s = np.where(mask, s, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = np.einsum("bhts,bshk->bthk", P, v).reshape(B, T, D)
    d_W_output = np.tensordot(merged, d_y, ((0, 1), (0, 1)))
    d_c = (d_y @ W_output.T).reshape(B, T, heads, K)
    d_P = np.einsum("bthk,bshk->bhts", d_c, v)
    d_v = np.einsum("bhts,bthk->bshk", P, d_c).reshape(B, S, D)
    d_s = P * (d_P - np.einsum("bhts,bhts->bht", d_P, P)[..., None])
    d_s = d_s / np.sqrt(K)
    d_q = np.einsum("bhts,bshk->bthk", d_s, k).reshape(B, T, D)
    d_k = np.einsum("bhts,bthk->bshk", d_s, q).reshape(B, S, D)
    d_memory = d_k @ W_key.T + d_v @ W_value.T
    d_x = d_q @ W_query.T
    d_W_query = np.tensordot(x, d_q, ((0, 1), (0, 1)))
    d_W_key = np.tensordot(memory, d_k, ((0, 1), (0, 1)))
    d_W_value = np.tensordot(memory, d_v, ((0, 1), (0, 1)))
    return d_x, d_memory, d_W_query, d_W_value, d_W_key, d_W_output  # <- wrong


# exercise: cross_attention.backward
# wrong: x's path through the query weights, not transposed
# source: public question
def cross_attention_backward_07(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S, K = memory.shape[1], D // heads
    q = (x @ W_query).reshape(B, T, heads, K)
    k = (memory @ W_key).reshape(B, S, heads, K)
    v = (memory @ W_value).reshape(B, S, heads, K)
    s = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    s = np.where(mask, s, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = np.einsum("bhts,bshk->bthk", P, v).reshape(B, T, D)
    d_W_output = np.tensordot(merged, d_y, ((0, 1), (0, 1)))
    d_c = (d_y @ W_output.T).reshape(B, T, heads, K)
    d_P = np.einsum("bthk,bshk->bhts", d_c, v)
    d_v = np.einsum("bhts,bthk->bshk", P, d_c).reshape(B, S, D)
    d_s = P * (d_P - np.einsum("bhts,bhts->bht", d_P, P)[..., None])
    d_s = d_s / np.sqrt(K)
    d_q = np.einsum("bhts,bshk->bthk", d_s, k).reshape(B, T, D)
    d_k = np.einsum("bhts,bthk->bshk", d_s, q).reshape(B, S, D)
    d_memory = d_k @ W_key.T + d_v @ W_value.T
    d_x = d_q @ W_query  # <- wrong
    d_W_query = np.tensordot(x, d_q, ((0, 1), (0, 1)))
    d_W_key = np.tensordot(memory, d_k, ((0, 1), (0, 1)))
    d_W_value = np.tensordot(memory, d_v, ((0, 1), (0, 1)))
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: cross_attention.backward
# wrong: the mask is forgotten
# source: issue of a public repository
# missing: a line
def cross_attention_backward_08(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S, K = memory.shape[1], D // heads
    q = (x @ W_query).reshape(B, T, heads, K)
    k = (memory @ W_key).reshape(B, S, heads, K)
    v = (memory @ W_value).reshape(B, S, heads, K)
    s = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    P = np.exp(s - s.max(-1, keepdims=True))  # <- wrong
    P = P / P.sum(-1, keepdims=True)
    merged = np.einsum("bhts,bshk->bthk", P, v).reshape(B, T, D)
    d_W_output = np.tensordot(merged, d_y, ((0, 1), (0, 1)))
    d_c = (d_y @ W_output.T).reshape(B, T, heads, K)
    d_P = np.einsum("bthk,bshk->bhts", d_c, v)
    d_v = np.einsum("bhts,bthk->bshk", P, d_c).reshape(B, S, D)
    d_s = P * (d_P - np.einsum("bhts,bhts->bht", d_P, P)[..., None])
    d_s = d_s / np.sqrt(K)
    d_q = np.einsum("bhts,bshk->bthk", d_s, k).reshape(B, T, D)
    d_k = np.einsum("bhts,bthk->bshk", d_s, q).reshape(B, S, D)
    d_memory = d_k @ W_key.T + d_v @ W_value.T
    d_x = d_q @ W_query.T
    d_W_query = np.tensordot(x, d_q, ((0, 1), (0, 1)))
    d_W_key = np.tensordot(memory, d_k, ((0, 1), (0, 1)))
    d_W_value = np.tensordot(memory, d_v, ((0, 1), (0, 1)))
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: cross_attention.backward
# wrong: the output weights' gradient is made of y's gradient twice
# source: beginner
def cross_attention_backward_09(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S, K = memory.shape[1], D // heads
    q = (x @ W_query).reshape(B, T, heads, K)
    k = (memory @ W_key).reshape(B, S, heads, K)
    v = (memory @ W_value).reshape(B, S, heads, K)
    s = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    s = np.where(mask, s, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = np.einsum("bhts,bshk->bthk", P, v).reshape(B, T, D)
    d_W_output = np.tensordot(d_y, d_y, ((0, 1), (0, 1)))  # <- wrong
    d_c = (d_y @ W_output.T).reshape(B, T, heads, K)
    d_P = np.einsum("bthk,bshk->bhts", d_c, v)
    d_v = np.einsum("bhts,bthk->bshk", P, d_c).reshape(B, S, D)
    d_s = P * (d_P - np.einsum("bhts,bhts->bht", d_P, P)[..., None])
    d_s = d_s / np.sqrt(K)
    d_q = np.einsum("bhts,bshk->bthk", d_s, k).reshape(B, T, D)
    d_k = np.einsum("bhts,bthk->bshk", d_s, q).reshape(B, S, D)
    d_memory = d_k @ W_key.T + d_v @ W_value.T
    d_x = d_q @ W_query.T
    d_W_query = np.tensordot(x, d_q, ((0, 1), (0, 1)))
    d_W_key = np.tensordot(memory, d_k, ((0, 1), (0, 1)))
    d_W_value = np.tensordot(memory, d_v, ((0, 1), (0, 1)))
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: cross_attention.backward
# wrong: the memory has only the keys' path
# second: the scale is missing backward
# source: issue of a public repository
# missing: a line
def cross_attention_backward_10(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S, K = memory.shape[1], D // heads
    q = (x @ W_query).reshape(B, T, heads, K)
    k = (memory @ W_key).reshape(B, S, heads, K)
    v = (memory @ W_value).reshape(B, S, heads, K)
    s = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    s = np.where(mask, s, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = np.einsum("bhts,bshk->bthk", P, v).reshape(B, T, D)
    d_W_output = np.tensordot(merged, d_y, ((0, 1), (0, 1)))
    d_c = (d_y @ W_output.T).reshape(B, T, heads, K)
    d_P = np.einsum("bthk,bshk->bhts", d_c, v)
    d_v = np.einsum("bhts,bthk->bshk", P, d_c).reshape(B, S, D)
    d_s = P * (d_P - np.einsum("bhts,bhts->bht", d_P, P)[..., None])
    d_q = np.einsum("bhts,bshk->bthk", d_s, k).reshape(B, T, D)  # <- wrong
    d_k = np.einsum("bhts,bthk->bshk", d_s, q).reshape(B, S, D)
    d_memory = d_k @ W_key.T  # <- wrong
    d_x = d_q @ W_query.T
    d_W_query = np.tensordot(x, d_q, ((0, 1), (0, 1)))
    d_W_key = np.tensordot(memory, d_k, ((0, 1), (0, 1)))
    d_W_value = np.tensordot(memory, d_v, ((0, 1), (0, 1)))
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: cross_attention.backward
# right: einsum on (B, T, H, K)
# source: beginner
def cross_attention_backward_11(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    B, T, D = x.shape
    S, K = memory.shape[1], D // heads
    q = (x @ W_query).reshape(B, T, heads, K)
    k = (memory @ W_key).reshape(B, S, heads, K)
    v = (memory @ W_value).reshape(B, S, heads, K)
    s = np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(K)
    s = np.where(mask, s, -np.inf)
    P = np.exp(s - s.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    merged = np.einsum("bhts,bshk->bthk", P, v).reshape(B, T, D)
    d_W_output = np.tensordot(merged, d_y, ((0, 1), (0, 1)))
    d_c = (d_y @ W_output.T).reshape(B, T, heads, K)
    d_P = np.einsum("bthk,bshk->bhts", d_c, v)
    d_v = np.einsum("bhts,bthk->bshk", P, d_c).reshape(B, S, D)
    d_s = P * (d_P - np.einsum("bhts,bhts->bht", d_P, P)[..., None])
    d_s = d_s / np.sqrt(K)
    d_q = np.einsum("bhts,bshk->bthk", d_s, k).reshape(B, T, D)
    d_k = np.einsum("bhts,bthk->bshk", d_s, q).reshape(B, S, D)
    d_memory = d_k @ W_key.T + d_v @ W_value.T
    d_x = d_q @ W_query.T
    d_W_query = np.tensordot(x, d_q, ((0, 1), (0, 1)))
    d_W_key = np.tensordot(memory, d_k, ((0, 1), (0, 1)))
    d_W_value = np.tensordot(memory, d_v, ((0, 1), (0, 1)))
    return d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output


# exercise: additive_attention.forward
# wrong: tanh is forgotten
# source: issue of a public repository
def additive_attention_forward_01(query, key, value, W_query, W_key, v, mask):
    a = query @ W_query
    b = key @ W_key
    hidden = a[:, :, None, :] + b[:, None, :, :]  # <- wrong
    E = hidden @ v
    E = np.where(mask, E, -1e9)
    e = np.exp(E - E.max(axis=-1, keepdims=True))
    e = np.where(mask, e, 0.0)
    total = e.sum(axis=-1, keepdims=True)
    P = e / np.where(total > 0, total, 1.0)
    return P @ value


# exercise: additive_attention.forward
# wrong: the product in place of the sum
# source: beginner
def additive_attention_forward_02(query, key, value, W_query, W_key, v, mask):
    a = query @ W_query
    b = key @ W_key
    hidden = np.tanh(a[:, :, None, :] * b[:, None, :, :])  # <- wrong
    E = hidden @ v
    E = np.where(mask, E, -1e9)
    e = np.exp(E - E.max(axis=-1, keepdims=True))
    e = np.where(mask, e, 0.0)
    total = e.sum(axis=-1, keepdims=True)
    P = e / np.where(total > 0, total, 1.0)
    return P @ value


# exercise: additive_attention.forward
# wrong: scaled by the root of the width, as a dot product's score
# source: issue of a public repository
def additive_attention_forward_03(query, key, value, W_query, W_key, v, mask):
    a = query @ W_query
    b = key @ W_key
    hidden = np.tanh(a[:, :, None, :] + b[:, None, :, :])
    E = hidden @ v / np.sqrt(len(v))  # <- wrong
    E = np.where(mask, E, -1e9)
    e = np.exp(E - E.max(axis=-1, keepdims=True))
    e = np.where(mask, e, 0.0)
    total = e.sum(axis=-1, keepdims=True)
    P = e / np.where(total > 0, total, 1.0)
    return P @ value


# exercise: additive_attention.forward
# wrong: tanh comes after v
# source: beginner
def additive_attention_forward_04(query, key, value, W_query, W_key, v, mask):
    a = query @ W_query
    b = key @ W_key
    hidden = np.tanh(a[:, :, None, :] + b[:, None, :, :])
    E = np.tanh(hidden @ v)  # <- wrong
    E = np.where(mask, E, -1e9)
    e = np.exp(E - E.max(axis=-1, keepdims=True))
    e = np.where(mask, e, 0.0)
    total = e.sum(axis=-1, keepdims=True)
    P = e / np.where(total > 0, total, 1.0)
    return P @ value


# exercise: additive_attention.forward
# wrong: a query that sees nothing takes the mean of all
# source: issue of a public repository
# missing: a line
def additive_attention_forward_05(query, key, value, W_query, W_key, v, mask):
    a = query @ W_query
    b = key @ W_key
    hidden = np.tanh(a[:, :, None, :] + b[:, None, :, :])
    E = hidden @ v
    E = np.where(mask, E, -1e9)
    e = np.exp(E - E.max(axis=-1, keepdims=True))
    total = e.sum(axis=-1, keepdims=True)  # <- wrong
    P = e / np.where(total > 0, total, 1.0)
    return P @ value


# exercise: additive_attention.forward
# wrong: softmax over the queries
# source: public question
def additive_attention_forward_06(query, key, value, W_query, W_key, v, mask):
    a = query @ W_query
    b = key @ W_key
    hidden = np.tanh(a[:, :, None, :] + b[:, None, :, :])
    E = hidden @ v
    E = np.where(mask, E, -1e9)
    e = np.exp(E - E.max(axis=-1, keepdims=True))
    e = np.where(mask, e, 0.0)
    total = e.sum(axis=1, keepdims=True)  # <- wrong
    P = e / np.where(total > 0, total, 1.0)
    return P @ value


# exercise: additive_attention.forward
# wrong: the keys pass through the queries' weights
# source: beginner
def additive_attention_forward_07(query, key, value, W_query, W_key, v, mask):
    a = query @ W_query
    b = key @ W_query  # <- wrong
    hidden = np.tanh(a[:, :, None, :] + b[:, None, :, :])
    E = hidden @ v
    E = np.where(mask, E, -1e9)
    e = np.exp(E - E.max(axis=-1, keepdims=True))
    e = np.where(mask, e, 0.0)
    total = e.sum(axis=-1, keepdims=True)
    P = e / np.where(total > 0, total, 1.0)
    return P @ value


# exercise: additive_attention.forward
# wrong: tanh of each by itself, before the sum
# source: beginner
def additive_attention_forward_08(query, key, value, W_query, W_key, v, mask):
    a = query @ W_query
    b = key @ W_key
    hidden = np.tanh(a)[:, :, None, :] + np.tanh(b)[:, None, :, :]  # <- wrong
    E = hidden @ v
    E = np.where(mask, E, -1e9)
    e = np.exp(E - E.max(axis=-1, keepdims=True))
    e = np.where(mask, e, 0.0)
    total = e.sum(axis=-1, keepdims=True)
    P = e / np.where(total > 0, total, 1.0)
    return P @ value


# exercise: additive_attention.forward
# wrong: tanh is forgotten
# second: the keys pass through the queries' weights
# source: beginner
def additive_attention_forward_09(query, key, value, W_query, W_key, v, mask):
    a = query @ W_query
    b = key @ W_query  # <- wrong
    hidden = a[:, :, None, :] + b[:, None, :, :]  # <- wrong
    E = hidden @ v
    E = np.where(mask, E, -1e9)
    e = np.exp(E - E.max(axis=-1, keepdims=True))
    e = np.where(mask, e, 0.0)
    total = e.sum(axis=-1, keepdims=True)
    P = e / np.where(total > 0, total, 1.0)
    return P @ value


# exercise: additive_attention.forward
# right: small steps
# source: beginner
def additive_attention_forward_10(query, key, value, W_query, W_key, v, mask):
    a = query @ W_query
    b = key @ W_key
    hidden = np.tanh(a[:, :, None, :] + b[:, None, :, :])
    E = hidden @ v
    E = np.where(mask, E, -1e9)
    e = np.exp(E - E.max(axis=-1, keepdims=True))
    e = np.where(mask, e, 0.0)
    total = e.sum(axis=-1, keepdims=True)
    P = e / np.where(total > 0, total, 1.0)
    return P @ value


# exercise: additive_attention.backward
# wrong: tanh's derivative is forgotten
# source: public question
def additive_attention_backward_01(d_context, query, key, value, W_query, W_key, v, mask):
    q = np.einsum("btd,df->btf", query, W_query)
    k = np.einsum("bsd,df->bsf", key, W_key)
    u = np.tanh(q[:, :, None] + k[:, None])
    E = np.where(mask, np.einsum("btsf,f->bts", u, v), -1e9)
    e = np.exp(E - E.max(-1, keepdims=True)) * mask
    P = e / np.maximum(e.sum(-1, keepdims=True), 1e-300)
    d_value = np.einsum("bts,btv->bsv", P, d_context)
    d_P = np.einsum("btv,bsv->bts", d_context, value)
    d_E = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_v = np.einsum("bts,btsf->f", d_E, u)
    d_u = d_E[..., None] * v
    d_sum = d_u  # <- wrong
    d_q = d_sum.sum(axis=2)
    d_k = d_sum.sum(axis=1)
    d_W_query = np.einsum("btd,btf->df", query, d_q)
    d_W_key = np.einsum("bsd,bsf->df", key, d_k)
    d_query = d_q @ W_query.T
    d_key = d_k @ W_key.T
    return d_query, d_key, d_value, d_W_query, d_W_key, d_v


# exercise: additive_attention.backward
# wrong: tanh's derivative is 1 − u
# source: public question
def additive_attention_backward_02(d_context, query, key, value, W_query, W_key, v, mask):
    q = np.einsum("btd,df->btf", query, W_query)
    k = np.einsum("bsd,df->bsf", key, W_key)
    u = np.tanh(q[:, :, None] + k[:, None])
    E = np.where(mask, np.einsum("btsf,f->bts", u, v), -1e9)
    e = np.exp(E - E.max(-1, keepdims=True)) * mask
    P = e / np.maximum(e.sum(-1, keepdims=True), 1e-300)
    d_value = np.einsum("bts,btv->bsv", P, d_context)
    d_P = np.einsum("btv,bsv->bts", d_context, value)
    d_E = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_v = np.einsum("bts,btsf->f", d_E, u)
    d_u = d_E[..., None] * v
    d_sum = d_u * (1 - u)  # <- wrong
    d_q = d_sum.sum(axis=2)
    d_k = d_sum.sum(axis=1)
    d_W_query = np.einsum("btd,btf->df", query, d_q)
    d_W_key = np.einsum("bsd,bsf->df", key, d_k)
    d_query = d_q @ W_query.T
    d_key = d_k @ W_key.T
    return d_query, d_key, d_value, d_W_query, d_W_key, d_v


# exercise: additive_attention.backward
# wrong: tanh's derivative is taken at tanh
# source: public question
def additive_attention_backward_03(d_context, query, key, value, W_query, W_key, v, mask):
    q = np.einsum("btd,df->btf", query, W_query)
    k = np.einsum("bsd,df->bsf", key, W_key)
    u = np.tanh(q[:, :, None] + k[:, None])
    E = np.where(mask, np.einsum("btsf,f->bts", u, v), -1e9)
    e = np.exp(E - E.max(-1, keepdims=True)) * mask
    P = e / np.maximum(e.sum(-1, keepdims=True), 1e-300)
    d_value = np.einsum("bts,btv->bsv", P, d_context)
    d_P = np.einsum("btv,bsv->bts", d_context, value)
    d_E = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_v = np.einsum("bts,btsf->f", d_E, u)
    d_u = d_E[..., None] * v
    d_sum = d_u * (1 - np.tanh(u) ** 2)  # <- wrong
    d_q = d_sum.sum(axis=2)
    d_k = d_sum.sum(axis=1)
    d_W_query = np.einsum("btd,btf->df", query, d_q)
    d_W_key = np.einsum("bsd,bsf->df", key, d_k)
    d_query = d_q @ W_query.T
    d_key = d_k @ W_key.T
    return d_query, d_key, d_value, d_W_query, d_W_key, d_v


# exercise: additive_attention.backward
# wrong: v's gradient uses the weights P
# source: beginner
def additive_attention_backward_04(d_context, query, key, value, W_query, W_key, v, mask):
    q = np.einsum("btd,df->btf", query, W_query)
    k = np.einsum("bsd,df->bsf", key, W_key)
    u = np.tanh(q[:, :, None] + k[:, None])
    E = np.where(mask, np.einsum("btsf,f->bts", u, v), -1e9)
    e = np.exp(E - E.max(-1, keepdims=True)) * mask
    P = e / np.maximum(e.sum(-1, keepdims=True), 1e-300)
    d_value = np.einsum("bts,btv->bsv", P, d_context)
    d_P = np.einsum("btv,bsv->bts", d_context, value)
    d_E = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_v = np.einsum("bts,btsf->f", P, u)  # <- wrong
    d_u = d_E[..., None] * v
    d_sum = d_u * (1 - u**2)
    d_q = d_sum.sum(axis=2)
    d_k = d_sum.sum(axis=1)
    d_W_query = np.einsum("btd,btf->df", query, d_q)
    d_W_key = np.einsum("bsd,bsf->df", key, d_k)
    d_query = d_q @ W_query.T
    d_key = d_k @ W_key.T
    return d_query, d_key, d_value, d_W_query, d_W_key, d_v


# exercise: additive_attention.backward
# wrong: v is forgotten on the way
# source: beginner
def additive_attention_backward_05(d_context, query, key, value, W_query, W_key, v, mask):
    q = np.einsum("btd,df->btf", query, W_query)
    k = np.einsum("bsd,df->bsf", key, W_key)
    u = np.tanh(q[:, :, None] + k[:, None])
    E = np.where(mask, np.einsum("btsf,f->bts", u, v), -1e9)
    e = np.exp(E - E.max(-1, keepdims=True)) * mask
    P = e / np.maximum(e.sum(-1, keepdims=True), 1e-300)
    d_value = np.einsum("bts,btv->bsv", P, d_context)
    d_P = np.einsum("btv,bsv->bts", d_context, value)
    d_E = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_v = np.einsum("bts,btsf->f", d_E, u)
    d_u = np.repeat(d_E[..., None], len(v), axis=-1)  # <- wrong
    d_sum = d_u * (1 - u**2)
    d_q = d_sum.sum(axis=2)
    d_k = d_sum.sum(axis=1)
    d_W_query = np.einsum("btd,btf->df", query, d_q)
    d_W_key = np.einsum("bsd,bsf->df", key, d_k)
    d_query = d_q @ W_query.T
    d_key = d_k @ W_key.T
    return d_query, d_key, d_value, d_W_query, d_W_key, d_v


# exercise: additive_attention.backward
# wrong: the queries' gradient is a mean over the keys
# source: course forum
def additive_attention_backward_06(d_context, query, key, value, W_query, W_key, v, mask):
    q = np.einsum("btd,df->btf", query, W_query)
    k = np.einsum("bsd,df->bsf", key, W_key)
    u = np.tanh(q[:, :, None] + k[:, None])
    E = np.where(mask, np.einsum("btsf,f->bts", u, v), -1e9)
    e = np.exp(E - E.max(-1, keepdims=True)) * mask
    P = e / np.maximum(e.sum(-1, keepdims=True), 1e-300)
    d_value = np.einsum("bts,btv->bsv", P, d_context)
    d_P = np.einsum("btv,bsv->bts", d_context, value)
    d_E = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_v = np.einsum("bts,btsf->f", d_E, u)
    d_u = d_E[..., None] * v
    d_sum = d_u * (1 - u**2)
    d_q = d_sum.mean(axis=2)  # <- wrong
    d_k = d_sum.sum(axis=1)
    d_W_query = np.einsum("btd,btf->df", query, d_q)
    d_W_key = np.einsum("bsd,bsf->df", key, d_k)
    d_query = d_q @ W_query.T
    d_key = d_k @ W_key.T
    return d_query, d_key, d_value, d_W_query, d_W_key, d_v


# exercise: additive_attention.backward
# wrong: softmax's gradient is left out
# source: public question
def additive_attention_backward_07(d_context, query, key, value, W_query, W_key, v, mask):
    q = np.einsum("btd,df->btf", query, W_query)
    k = np.einsum("bsd,df->bsf", key, W_key)
    u = np.tanh(q[:, :, None] + k[:, None])
    E = np.where(mask, np.einsum("btsf,f->bts", u, v), -1e9)
    e = np.exp(E - E.max(-1, keepdims=True)) * mask
    P = e / np.maximum(e.sum(-1, keepdims=True), 1e-300)
    d_value = np.einsum("bts,btv->bsv", P, d_context)
    d_P = np.einsum("btv,bsv->bts", d_context, value)
    d_E = d_P * mask  # <- wrong
    d_v = np.einsum("bts,btsf->f", d_E, u)
    d_u = d_E[..., None] * v
    d_sum = d_u * (1 - u**2)
    d_q = d_sum.sum(axis=2)
    d_k = d_sum.sum(axis=1)
    d_W_query = np.einsum("btd,btf->df", query, d_q)
    d_W_key = np.einsum("bsd,bsf->df", key, d_k)
    d_query = d_q @ W_query.T
    d_key = d_k @ W_key.T
    return d_query, d_key, d_value, d_W_query, d_W_key, d_v


# exercise: additive_attention.backward
# wrong: the keys' gradient goes back through the queries' weights
# source: beginner
def additive_attention_backward_08(d_context, query, key, value, W_query, W_key, v, mask):
    q = np.einsum("btd,df->btf", query, W_query)
    k = np.einsum("bsd,df->bsf", key, W_key)
    u = np.tanh(q[:, :, None] + k[:, None])
    E = np.where(mask, np.einsum("btsf,f->bts", u, v), -1e9)
    e = np.exp(E - E.max(-1, keepdims=True)) * mask
    P = e / np.maximum(e.sum(-1, keepdims=True), 1e-300)
    d_value = np.einsum("bts,btv->bsv", P, d_context)
    d_P = np.einsum("btv,bsv->bts", d_context, value)
    d_E = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_v = np.einsum("bts,btsf->f", d_E, u)
    d_u = d_E[..., None] * v
    d_sum = d_u * (1 - u**2)
    d_q = d_sum.sum(axis=2)
    d_k = d_sum.sum(axis=1)
    d_W_query = np.einsum("btd,btf->df", query, d_q)
    d_W_key = np.einsum("bsd,bsf->df", key, d_k)
    d_query = d_q @ W_query.T
    d_key = d_k @ W_query.T  # <- wrong
    return d_query, d_key, d_value, d_W_query, d_W_key, d_v


# exercise: additive_attention.backward
# wrong: tanh's derivative is forgotten
# second: a mean over the keys
# source: beginner
def additive_attention_backward_09(d_context, query, key, value, W_query, W_key, v, mask):
    q = np.einsum("btd,df->btf", query, W_query)
    k = np.einsum("bsd,df->bsf", key, W_key)
    u = np.tanh(q[:, :, None] + k[:, None])
    E = np.where(mask, np.einsum("btsf,f->bts", u, v), -1e9)
    e = np.exp(E - E.max(-1, keepdims=True)) * mask
    P = e / np.maximum(e.sum(-1, keepdims=True), 1e-300)
    d_value = np.einsum("bts,btv->bsv", P, d_context)
    d_P = np.einsum("btv,bsv->bts", d_context, value)
    d_E = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_v = np.einsum("bts,btsf->f", d_E, u)
    d_u = d_E[..., None] * v
    d_sum = d_u  # <- wrong
    d_q = d_sum.mean(axis=2)  # <- wrong
    d_k = d_sum.sum(axis=1)
    d_W_query = np.einsum("btd,btf->df", query, d_q)
    d_W_key = np.einsum("bsd,bsf->df", key, d_k)
    d_query = d_q @ W_query.T
    d_key = d_k @ W_key.T
    return d_query, d_key, d_value, d_W_query, d_W_key, d_v


# exercise: additive_attention.backward
# right: einsum
# source: beginner
def additive_attention_backward_10(d_context, query, key, value, W_query, W_key, v, mask):
    q = np.einsum("btd,df->btf", query, W_query)
    k = np.einsum("bsd,df->bsf", key, W_key)
    u = np.tanh(q[:, :, None] + k[:, None])
    E = np.where(mask, np.einsum("btsf,f->bts", u, v), -1e9)
    e = np.exp(E - E.max(-1, keepdims=True)) * mask
    P = e / np.maximum(e.sum(-1, keepdims=True), 1e-300)
    d_value = np.einsum("bts,btv->bsv", P, d_context)
    d_P = np.einsum("btv,bsv->bts", d_context, value)
    d_E = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_v = np.einsum("bts,btsf->f", d_E, u)
    d_u = d_E[..., None] * v
    d_sum = d_u * (1 - u**2)
    d_q = d_sum.sum(axis=2)
    d_k = d_sum.sum(axis=1)
    d_W_query = np.einsum("btd,btf->df", query, d_q)
    d_W_key = np.einsum("bsd,bsf->df", key, d_k)
    d_query = d_q @ W_query.T
    d_key = d_k @ W_key.T
    return d_query, d_key, d_value, d_W_query, d_W_key, d_v


# exercise: kv_cache.decode
# wrong: each step gets the encoding of position 0
# source: issue of a public repository
def _kv_cache_decode_01_attend(q, k, v):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_01(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    T = x.shape[1]
    memory_keys = memory @ U_key
    memory_values = memory @ U_value
    keys, values, outs = None, None, []
    for t in range(T):
        a = x[:, t : t + 1] + encoding[0]  # <- wrong
        k, v = a @ W_key, a @ W_value
        keys = k if keys is None else np.concatenate([keys, k], axis=1)
        values = v if values is None else np.concatenate([values, v], axis=1)
        own = _kv_cache_decode_01_attend(a @ W_query, keys, values)
        other = _kv_cache_decode_01_attend(a @ U_query, memory_keys, memory_values)
        outs.append(own + other)
    return np.concatenate(outs, axis=1), keys, memory_keys


# exercise: kv_cache.decode
# wrong: the positions are one too far
# source: issue of a public repository
def _kv_cache_decode_02_attend(q, k, v):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_02(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    T = x.shape[1]
    memory_keys = memory @ U_key
    memory_values = memory @ U_value
    keys, values, outs = None, None, []
    for t in range(T):
        a = x[:, t : t + 1] + encoding[t + 1]  # <- wrong
        k, v = a @ W_key, a @ W_value
        keys = k if keys is None else np.concatenate([keys, k], axis=1)
        values = v if values is None else np.concatenate([values, v], axis=1)
        own = _kv_cache_decode_02_attend(a @ W_query, keys, values)
        other = _kv_cache_decode_02_attend(a @ U_query, memory_keys, memory_values)
        outs.append(own + other)
    return np.concatenate(outs, axis=1), keys, memory_keys


# exercise: kv_cache.decode
# wrong: after the prompt the positions begin at 0 again
# source: issue of a public repository
def _kv_cache_decode_03_attend(q, k, v):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_03(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    T = x.shape[1]
    memory_keys = memory @ U_key
    memory_values = memory @ U_value
    keys, values, outs = None, None, []
    for t in range(T):
        a = x[:, t : t + 1] + encoding[t if t < prompt_length else t - prompt_length]  # <- wrong
        k, v = a @ W_key, a @ W_value
        keys = k if keys is None else np.concatenate([keys, k], axis=1)
        values = v if values is None else np.concatenate([values, v], axis=1)
        own = _kv_cache_decode_03_attend(a @ W_query, keys, values)
        other = _kv_cache_decode_03_attend(a @ U_query, memory_keys, memory_values)
        outs.append(own + other)
    return np.concatenate(outs, axis=1), keys, memory_keys


# exercise: kv_cache.decode
# wrong: the new key stands in front
# source: beginner
def _kv_cache_decode_04_attend(q, k, v):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_04(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    T = x.shape[1]
    memory_keys = memory @ U_key
    memory_values = memory @ U_value
    keys, values, outs = None, None, []
    for t in range(T):
        a = x[:, t : t + 1] + encoding[t]
        k, v = a @ W_key, a @ W_value
        keys = k if keys is None else np.concatenate([k, keys], axis=1)  # <- wrong
        values = v if values is None else np.concatenate([values, v], axis=1)
        own = _kv_cache_decode_04_attend(a @ W_query, keys, values)
        other = _kv_cache_decode_04_attend(a @ U_query, memory_keys, memory_values)
        outs.append(own + other)
    return np.concatenate(outs, axis=1), keys, memory_keys


# exercise: kv_cache.decode
# wrong: the values' cache holds keys
# source: beginner
def _kv_cache_decode_05_attend(q, k, v):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_05(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    T = x.shape[1]
    memory_keys = memory @ U_key
    memory_values = memory @ U_value
    keys, values, outs = None, None, []
    for t in range(T):
        a = x[:, t : t + 1] + encoding[t]
        k, v = a @ W_key, a @ W_key  # <- wrong
        keys = k if keys is None else np.concatenate([keys, k], axis=1)
        values = v if values is None else np.concatenate([values, v], axis=1)
        own = _kv_cache_decode_05_attend(a @ W_query, keys, values)
        other = _kv_cache_decode_05_attend(a @ U_query, memory_keys, memory_values)
        outs.append(own + other)
    return np.concatenate(outs, axis=1), keys, memory_keys


# exercise: kv_cache.decode
# wrong: the position is not added to what makes keys and values
# source: issue of a public repository
def _kv_cache_decode_06_attend(q, k, v):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_06(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    T = x.shape[1]
    memory_keys = memory @ U_key
    memory_values = memory @ U_value
    keys, values, outs = None, None, []
    for t in range(T):
        a = x[:, t : t + 1] + encoding[t]
        k, v = x[:, t : t + 1] @ W_key, x[:, t : t + 1] @ W_value  # <- wrong
        keys = k if keys is None else np.concatenate([keys, k], axis=1)
        values = v if values is None else np.concatenate([values, v], axis=1)
        own = _kv_cache_decode_06_attend(a @ W_query, keys, values)
        other = _kv_cache_decode_06_attend(a @ U_query, memory_keys, memory_values)
        outs.append(own + other)
    return np.concatenate(outs, axis=1), keys, memory_keys


# exercise: kv_cache.decode
# wrong: the memory is left out
# source: beginner
def _kv_cache_decode_07_attend(q, k, v):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_07(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    T = x.shape[1]
    memory_keys = memory @ U_key
    memory_values = memory @ U_value
    keys, values, outs = None, None, []
    for t in range(T):
        a = x[:, t : t + 1] + encoding[t]
        k, v = a @ W_key, a @ W_value
        keys = k if keys is None else np.concatenate([keys, k], axis=1)
        values = v if values is None else np.concatenate([values, v], axis=1)
        own = _kv_cache_decode_07_attend(a @ W_query, keys, values)
        other = _kv_cache_decode_07_attend(a @ U_query, memory_keys, memory_values)
        outs.append(own)  # <- wrong
    return np.concatenate(outs, axis=1), keys, memory_keys


# exercise: kv_cache.decode
# wrong: the query of the cross-attention uses W
# source: beginner
def _kv_cache_decode_08_attend(q, k, v):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_08(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    T = x.shape[1]
    memory_keys = memory @ U_key
    memory_values = memory @ U_value
    keys, values, outs = None, None, []
    for t in range(T):
        a = x[:, t : t + 1] + encoding[t]
        k, v = a @ W_key, a @ W_value
        keys = k if keys is None else np.concatenate([keys, k], axis=1)
        values = v if values is None else np.concatenate([values, v], axis=1)
        own = _kv_cache_decode_08_attend(a @ W_query, keys, values)
        other = _kv_cache_decode_08_attend(a @ W_query, memory_keys, memory_values)  # <- wrong
        outs.append(own + other)
    return np.concatenate(outs, axis=1), keys, memory_keys


# exercise: kv_cache.decode
# wrong: the memory's values are projected by the keys' weights
# source: beginner
def _kv_cache_decode_09_attend(q, k, v):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_09(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    T = x.shape[1]
    memory_keys = memory @ U_key
    memory_values = memory @ U_key  # <- wrong
    keys, values, outs = None, None, []
    for t in range(T):
        a = x[:, t : t + 1] + encoding[t]
        k, v = a @ W_key, a @ W_value
        keys = k if keys is None else np.concatenate([keys, k], axis=1)
        values = v if values is None else np.concatenate([values, v], axis=1)
        own = _kv_cache_decode_09_attend(a @ W_query, keys, values)
        other = _kv_cache_decode_09_attend(a @ U_query, memory_keys, memory_values)
        outs.append(own + other)
    return np.concatenate(outs, axis=1), keys, memory_keys


# exercise: kv_cache.decode
# right: one token at a time
# source: beginner
def _kv_cache_decode_10_attend(q, k, v):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_10(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    T = x.shape[1]
    memory_keys = memory @ U_key
    memory_values = memory @ U_value
    keys, values, outs = None, None, []
    for t in range(T):
        a = x[:, t : t + 1] + encoding[t]
        k, v = a @ W_key, a @ W_value
        keys = k if keys is None else np.concatenate([keys, k], axis=1)
        values = v if values is None else np.concatenate([values, v], axis=1)
        own = _kv_cache_decode_10_attend(a @ W_query, keys, values)
        other = _kv_cache_decode_10_attend(a @ U_query, memory_keys, memory_values)
        outs.append(own + other)
    return np.concatenate(outs, axis=1), keys, memory_keys


# exercise: kv_cache.decode
# right: the prompt at once, a cache of fixed size
# source: beginner
def _kv_cache_decode_11_att(q, k, v, first):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    ahead = np.arange(k.shape[1]) > first + np.arange(q.shape[1])[:, None]
    s = np.where(ahead, -np.inf, s)
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_11(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    B, T, K = *x.shape[:2], W_key.shape[1]
    keys, values = np.zeros((B, T, K)), np.zeros((B, T, K))
    memory_keys, memory_values = memory @ U_key, memory @ U_value
    y = np.zeros((B, T, K))
    cuts = [0, *range(prompt_length, T + 1)]
    for start, end in zip(cuts, cuts[1:]):
        a = x[:, start:end] + encoding[start:end]
        keys[:, start:end] = a @ W_key
        values[:, start:end] = a @ W_value
        q, seen = a @ W_query, slice(0, end)
        y[:, start:end] = _kv_cache_decode_11_att(q, keys[:, seen], values[:, seen], start)
        y[:, start:end] += _kv_cache_decode_11_att(a @ U_query, memory_keys, memory_values, 10**9)
    return y, keys, memory_keys


# exercise: kv_cache.decode
# wrong: inside the prompt each token sees all of it
# source: issue of a public repository
def _kv_cache_decode_12_att(q, k, v, first):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    ahead = np.arange(k.shape[1]) > first + q.shape[1] - 1  # <- wrong
    s = np.where(ahead, -np.inf, s)
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_12(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    B, T, K = *x.shape[:2], W_key.shape[1]
    keys, values = np.zeros((B, T, K)), np.zeros((B, T, K))
    memory_keys, memory_values = memory @ U_key, memory @ U_value
    y = np.zeros((B, T, K))
    cuts = [0, *range(prompt_length, T + 1)]
    for start, end in zip(cuts, cuts[1:]):
        a = x[:, start:end] + encoding[start:end]
        keys[:, start:end] = a @ W_key
        values[:, start:end] = a @ W_value
        q, seen = a @ W_query, slice(0, end)
        y[:, start:end] = _kv_cache_decode_12_att(q, keys[:, seen], values[:, seen], start)
        y[:, start:end] += _kv_cache_decode_12_att(a @ U_query, memory_keys, memory_values, 10**9)
    return y, keys, memory_keys


# exercise: kv_cache.decode
# wrong: the whole cache is read, with zeros that are not filled yet
# source: issue of a public repository
def _kv_cache_decode_13_att(q, k, v, first):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    ahead = np.arange(k.shape[1]) > first + np.arange(q.shape[1])[:, None]
    s = np.where(ahead, -np.inf, s)
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_13(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    B, T, K = *x.shape[:2], W_key.shape[1]
    keys, values = np.zeros((B, T, K)), np.zeros((B, T, K))
    memory_keys, memory_values = memory @ U_key, memory @ U_value
    y = np.zeros((B, T, K))
    cuts = [0, *range(prompt_length, T + 1)]
    for start, end in zip(cuts, cuts[1:]):
        a = x[:, start:end] + encoding[start:end]
        keys[:, start:end] = a @ W_key
        values[:, start:end] = a @ W_value
        q, seen = a @ W_query, slice(0, end)
        y[:, start:end] = _kv_cache_decode_13_att(q, keys, values, 10**9)  # <- wrong
        y[:, start:end] += _kv_cache_decode_13_att(a @ U_query, memory_keys, memory_values, 10**9)
    return y, keys, memory_keys


# exercise: kv_cache.decode
# wrong: the encoding begins at 0 at every call
# source: issue of a public repository
def _kv_cache_decode_14_att(q, k, v, first):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    ahead = np.arange(k.shape[1]) > first + np.arange(q.shape[1])[:, None]
    s = np.where(ahead, -np.inf, s)
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_14(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    B, T, K = *x.shape[:2], W_key.shape[1]
    keys, values = np.zeros((B, T, K)), np.zeros((B, T, K))
    memory_keys, memory_values = memory @ U_key, memory @ U_value
    y = np.zeros((B, T, K))
    cuts = [0, *range(prompt_length, T + 1)]
    for start, end in zip(cuts, cuts[1:]):
        a = x[:, start:end] + encoding[: end - start]  # <- wrong
        keys[:, start:end] = a @ W_key
        values[:, start:end] = a @ W_value
        q, seen = a @ W_query, slice(0, end)
        y[:, start:end] = _kv_cache_decode_14_att(q, keys[:, seen], values[:, seen], start)
        y[:, start:end] += _kv_cache_decode_14_att(a @ U_query, memory_keys, memory_values, 10**9)
    return y, keys, memory_keys


# exercise: kv_cache.decode
# wrong: the cache's last token is left out, and so a first token alone has no key
# source: beginner
def _kv_cache_decode_15_att(q, k, v, first):
    s = q @ k.swapaxes(-1, -2) / np.sqrt(k.shape[-1])
    ahead = np.arange(k.shape[1]) > first + np.arange(q.shape[1])[:, None]
    s = np.where(ahead, -np.inf, s)
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def kv_cache_decode_15(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    B, T, K = *x.shape[:2], W_key.shape[1]
    keys, values = np.zeros((B, T, K)), np.zeros((B, T, K))
    memory_keys, memory_values = memory @ U_key, memory @ U_value
    y = np.zeros((B, T, K))
    cuts = [0, *range(prompt_length, T + 1)]
    for start, end in zip(cuts, cuts[1:]):
        a = x[:, start:end] + encoding[start:end]
        keys[:, start:end] = a @ W_key
        values[:, start:end] = a @ W_value
        q, seen = a @ W_query, slice(0, end - 1)  # <- wrong
        y[:, start:end] = _kv_cache_decode_15_att(q, keys[:, seen], values[:, seen], start)
        y[:, start:end] += _kv_cache_decode_15_att(a @ U_query, memory_keys, memory_values, 10**9)
    return y, keys, memory_keys
