"""Answers to the exercises: masks."""

import numpy as np


# exercise: mask.padding
# wrong: BOS is taken for padding too
# source: beginner
def mask_padding_01(ids):
    B, S = ids.shape
    mask = np.ones((B, S), dtype=bool)
    for b in range(B):
        for s in range(S):
            if ids[b, s] <= 1:  # <- wrong
                mask[b, s] = False
    return mask[:, None, None, :]


# exercise: mask.padding
# wrong: the mask has the axis of the queries, not of the keys
# source: public question
def mask_padding_02(ids):
    B, S = ids.shape
    mask = np.ones((B, S), dtype=bool)
    for b in range(B):
        for s in range(S):
            if ids[b, s] == 0:
                mask[b, s] = False
    return mask[:, None, :, None]  # <- wrong


# exercise: mask.padding
# wrong: the mask is inverted
# source: issue of a public repository
def mask_padding_03(ids):
    B, S = ids.shape
    mask = np.ones((B, S), dtype=bool)
    for b in range(B):
        for s in range(S):
            if ids[b, s] != 0:  # <- wrong
                mask[b, s] = False
    return mask[:, None, None, :]


# exercise: mask.padding
# wrong: no axes for heads and queries
# source: public question
def mask_padding_04(ids):
    B, S = ids.shape
    mask = np.ones((B, S), dtype=bool)
    for b in range(B):
        for s in range(S):
            if ids[b, s] == 0:
                mask[b, s] = False
    return mask  # <- wrong


# exercise: mask.padding
# right: loops
# source: beginner
def mask_padding_05(ids):
    B, S = ids.shape
    mask = np.ones((B, S), dtype=bool)
    for b in range(B):
        for s in range(S):
            if ids[b, s] == 0:
                mask[b, s] = False
    return mask[:, None, None, :]


# exercise: mask.padding
# wrong: padding is taken to stand at the end only
# source: issue of a public repository
def mask_padding_06(ids):
    lengths = (ids != 0).sum(axis=1)  # <- wrong
    return (np.arange(ids.shape[1]) < lengths[:, None])[:, None, None]


# exercise: mask.causal
# wrong: itself is hidden
# source: issue of a public repository
def mask_causal_01(length):
    mask = np.zeros((length, length), dtype=bool)
    for i in range(length):
        for j in range(length):
            if j < i:  # <- wrong
                mask[i, j] = True
    return mask


# exercise: mask.causal
# wrong: rows and columns are swapped: it sees what is later
# source: issue of a public repository
def mask_causal_02(length):
    mask = np.zeros((length, length), dtype=bool)
    for i in range(length):
        for j in range(length):
            if j >= i:  # <- wrong
                mask[i, j] = True
    return mask


# exercise: mask.causal
# wrong: one place of the future is seen
# source: issue of a public repository
def mask_causal_03(length):
    mask = np.zeros((length, length), dtype=bool)
    for i in range(length):
        for j in range(length):
            if j <= i + 1:  # <- wrong
                mask[i, j] = True
    return mask


# exercise: mask.causal
# right: loops
# source: beginner
def mask_causal_04(length):
    mask = np.zeros((length, length), dtype=bool)
    for i in range(length):
        for j in range(length):
            if j <= i:
                mask[i, j] = True
    return mask


# exercise: mask.causal
# wrong: True stands for hidden
# source: issue of a public repository
def mask_causal_05(length):
    i = np.arange(length)
    return i[:, None] < i  # <- wrong


# exercise: mask.causal
# right: a comparison
# source: beginner
def mask_causal_06(length):
    i = np.arange(length)
    return i[:, None] >= i


# exercise: mask.decoder
# wrong: or instead of and
# source: issue of a public repository
def mask_decoder_01(ids):
    B, T = ids.shape
    real = (ids != 0)[:, None, None, :]
    causal = np.tril(np.ones((T, T))).astype(bool)
    causal = causal[None, None]
    mask = real | causal  # <- wrong
    return mask


# exercise: mask.decoder
# wrong: padding is forgotten
# source: issue of a public repository
def mask_decoder_02(ids):
    B, T = ids.shape
    real = (ids != 0)[:, None, None, :]
    causal = np.tril(np.ones((T, T))).astype(bool)
    causal = causal[None, None]
    mask = np.broadcast_to(causal, (B, 1, T, T))  # <- wrong
    return mask


# exercise: mask.decoder
# wrong: the future is seen
# source: issue of a public repository
def mask_decoder_03(ids):
    B, T = ids.shape
    real = (ids != 0)[:, None, None, :]
    causal = np.tril(np.ones((T, T))).astype(bool)
    causal = causal[None, None]
    mask = np.broadcast_to(real, (B, 1, T, T))  # <- wrong
    return mask


# exercise: mask.decoder
# wrong: queries that are padding are hidden, keys are not
# source: issue of a public repository
def mask_decoder_04(ids):
    B, T = ids.shape
    real = (ids != 0)[:, None, :, None]  # <- wrong
    causal = np.tril(np.ones((T, T))).astype(bool)
    causal = causal[None, None]
    mask = real & causal
    return mask


# exercise: mask.decoder
# wrong: triu for tril
# source: issue of a public repository
def mask_decoder_05(ids):
    B, T = ids.shape
    real = (ids != 0)[:, None, None, :]
    causal = np.triu(np.ones((T, T))).astype(bool)  # <- wrong
    causal = causal[None, None]
    mask = real & causal
    return mask


# exercise: mask.decoder
# wrong: itself is hidden
# source: issue of a public repository
def mask_decoder_06(ids):
    B, T = ids.shape
    real = (ids != 0)[:, None, None, :]
    causal = np.tril(np.ones((T, T)), -1).astype(bool)  # <- wrong
    causal = causal[None, None]
    mask = real & causal
    return mask


# exercise: mask.decoder
# wrong: triu for tril
# second: the padding's mask is inverted
# source: issue of a public repository
def mask_decoder_07(ids):
    B, T = ids.shape
    real = (ids == 0)[:, None, None, :]  # <- wrong
    causal = np.triu(np.ones((T, T))).astype(bool)  # <- wrong
    causal = causal[None, None]
    mask = real & causal
    return mask


# exercise: mask.decoder
# right: tril and and
# source: beginner
def mask_decoder_08(ids):
    B, T = ids.shape
    real = (ids != 0)[:, None, None, :]
    causal = np.tril(np.ones((T, T))).astype(bool)
    causal = causal[None, None]
    mask = real & causal
    return mask


# exercise: mask.decoder
# right: a loop over queries
# source: beginner
def mask_decoder_09(ids):
    real = ids != 0
    out = np.zeros((len(ids), 1, ids.shape[1], ids.shape[1]), bool)
    for t in range(ids.shape[1]):
        out[:, 0, t, : t + 1] = real[:, : t + 1]
    return out


# exercise: mask.decoder
# wrong: a query does not see itself
# source: issue of a public repository
def mask_decoder_10(ids):
    real = ids != 0
    out = np.zeros((len(ids), 1, ids.shape[1], ids.shape[1]), bool)
    for t in range(ids.shape[1]):
        out[:, 0, t, :t] = real[:, :t]  # <- wrong
    return out


# exercise: mask.decoder
# wrong: a query that is padding sees nothing
# source: issue of a public repository
def mask_decoder_11(ids):
    real = ids != 0
    out = np.zeros((len(ids), 1, ids.shape[1], ids.shape[1]), bool)
    for t in range(ids.shape[1]):
        out[:, 0, t, : t + 1] = real[:, : t + 1] & real[:, [t]]  # <- wrong
    return out


# exercise: mask.cross
# wrong: the padding of the target is used: the shapes do not fit
# source: issue of a public repository
def mask_cross_01(source_ids, target_ids):
    B, S = source_ids.shape
    T = target_ids.shape[1]
    keys = target_ids != 0  # <- wrong
    mask = np.zeros((B, 1, T, S), dtype=bool)
    mask[:] = keys[:, None, None, :]
    return mask


# exercise: mask.cross
# wrong: queries that are padding are hidden too
# source: issue of a public repository
def mask_cross_02(source_ids, target_ids):
    B, S = source_ids.shape
    T = target_ids.shape[1]
    keys = source_ids != 0
    mask = np.zeros((B, 1, T, S), dtype=bool)
    mask[:] = keys[:, None, None, :] & (target_ids != 0)[:, None, :, None]  # <- wrong
    return mask


# exercise: mask.cross
# wrong: causal, though the whole source may be seen
# source: issue of a public repository
def mask_cross_03(source_ids, target_ids):
    B, S = source_ids.shape
    T = target_ids.shape[1]
    keys = source_ids != 0
    mask = np.zeros((B, 1, T, S), dtype=bool)
    mask[:] = keys[:, None, None, :] & np.tri(T, S, dtype=bool)  # <- wrong
    return mask


# exercise: mask.cross
# wrong: the mask is inverted
# source: issue of a public repository
def mask_cross_04(source_ids, target_ids):
    B, S = source_ids.shape
    T = target_ids.shape[1]
    keys = source_ids == 0  # <- wrong
    mask = np.zeros((B, 1, T, S), dtype=bool)
    mask[:] = keys[:, None, None, :]
    return mask


# exercise: mask.cross
# right: broadcast by hand
# source: beginner
def mask_cross_05(source_ids, target_ids):
    B, S = source_ids.shape
    T = target_ids.shape[1]
    keys = source_ids != 0
    mask = np.zeros((B, 1, T, S), dtype=bool)
    mask[:] = keys[:, None, None, :]
    return mask
