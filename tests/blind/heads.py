"""Answers to the exercises: heads."""

import numpy as np


# exercise: heads.split
# wrong: every H-th feature instead of K in a row
# source: issue of a public repository
def heads_split_01(x, heads):
    B, T, D = x.shape
    K = D // heads
    y = np.zeros((B, heads, T, K))
    for h in range(heads):
        y[:, h] = x[:, :, h::heads]  # <- wrong
    return y


# exercise: heads.split
# wrong: all heads get the first features
# source: beginner
def heads_split_02(x, heads):
    B, T, D = x.shape
    K = D // heads
    y = np.zeros((B, heads, T, K))
    for h in range(heads):
        y[:, h] = x[:, :, 0:K]  # <- wrong
    return y


# exercise: heads.split
# wrong: the heads come in reverse
# source: beginner
def heads_split_03(x, heads):
    B, T, D = x.shape
    K = D // heads
    y = np.zeros((B, heads, T, K))
    for h in range(heads):
        y[:, heads - 1 - h] = x[:, :, h * K : (h + 1) * K]  # <- wrong
    return y


# exercise: heads.split
# right: slices
# source: beginner
def heads_split_04(x, heads):
    B, T, D = x.shape
    K = D // heads
    y = np.zeros((B, heads, T, K))
    for h in range(heads):
        y[:, h] = x[:, :, h * K : (h + 1) * K]
    return y


# exercise: heads.split
# wrong: the shape is changed without moving an axis
# source: issue of a public repository
def heads_split_05(x, heads):
    B, T, D = x.shape
    tmp = x.reshape(B, T, heads, D // heads)
    y = x.reshape(B, heads, T, D // heads)  # <- wrong
    return y


# exercise: heads.split
# wrong: the shape is (…, K, H) before the axes move
# source: issue of a public repository
def heads_split_06(x, heads):
    B, T, D = x.shape
    tmp = x.reshape(B, T, D // heads, heads).swapaxes(2, 3)  # <- wrong
    y = tmp.transpose(0, 2, 1, 3)
    return y


# exercise: heads.split
# right: transpose
# source: beginner
def heads_split_07(x, heads):
    B, T, D = x.shape
    tmp = x.reshape(B, T, heads, D // heads)
    y = tmp.transpose(0, 2, 1, 3)
    return y


# exercise: heads.merge
# wrong: the axes are not moved before the shape changes
# source: issue of a public repository
def heads_merge_01(x):
    B, H, T, K = x.shape
    tmp = np.transpose(x, (0, 2, 1, 3))
    y = np.reshape(x, (B, T, H * K))  # <- wrong
    return y


# exercise: heads.merge
# wrong: heads and features are interleaved
# source: issue of a public repository
def heads_merge_02(x):
    B, H, T, K = x.shape
    tmp = np.transpose(x, (0, 2, 3, 1))  # <- wrong
    y = np.reshape(tmp, (B, T, H * K))
    return y


# exercise: heads.merge
# wrong: the positions are turned
# source: beginner
def heads_merge_03(x):
    B, H, T, K = x.shape
    tmp = np.transpose(x, (0, 2, 1, 3))
    y = np.reshape(tmp[:, ::-1], (B, T, H * K))  # <- wrong
    return y


# exercise: heads.merge
# right: transpose
# source: beginner
def heads_merge_04(x):
    B, H, T, K = x.shape
    tmp = np.transpose(x, (0, 2, 1, 3))
    y = np.reshape(tmp, (B, T, H * K))
    return y


# exercise: heads.merge
# right: concatenate
# source: beginner
def heads_merge_05(x):
    return np.concatenate([x[:, h] for h in range(x.shape[1])], axis=-1)


# exercise: heads.merge
# wrong: the heads are concatenated in reverse
# source: beginner
def heads_merge_06(x):
    return np.concatenate([x[:, h] for h in reversed(range(x.shape[1]))], axis=-1)  # <- wrong


# exercise: heads.merge
# wrong: the heads are summed and repeated
# source: beginner
def heads_merge_07(x):
    return np.tile(x.sum(1), x.shape[1])  # <- wrong


# exercise: heads.split_backward
# wrong: the heads lie interleaved
# source: issue of a public repository
def heads_split_backward_01(d_y, x, heads):
    B, T, D = x.shape
    K = D // heads
    d_x = np.zeros_like(x)
    for h in range(heads):
        part = d_y[:, h]
        d_x[:, :, h::heads] = part  # <- wrong
    return d_x


# exercise: heads.split_backward
# wrong: divided by the number of heads
# source: beginner
def heads_split_backward_02(d_y, x, heads):
    B, T, D = x.shape
    K = D // heads
    d_x = np.zeros_like(x)
    for h in range(heads):
        part = d_y[:, h]
        d_x[:, :, h * K : (h + 1) * K] = part / heads  # <- wrong
    return d_x


# exercise: heads.split_backward
# wrong: all heads are written to the same features
# source: beginner
def heads_split_backward_03(d_y, x, heads):
    B, T, D = x.shape
    K = D // heads
    d_x = np.zeros_like(x)
    for h in range(heads):
        part = d_y[:, h]
        d_x[:, :, 0:K] = part  # <- wrong
    return d_x


# exercise: heads.split_backward
# right: slices
# source: beginner
def heads_split_backward_04(d_y, x, heads):
    B, T, D = x.shape
    K = D // heads
    d_x = np.zeros_like(x)
    for h in range(heads):
        part = d_y[:, h]
        d_x[:, :, h * K : (h + 1) * K] = part
    return d_x


# exercise: heads.split_backward
# wrong: the axes are not moved back
# source: issue of a public repository
def heads_split_backward_05(d_y, x, heads):
    return d_y.reshape(x.shape)  # <- wrong


# exercise: heads.merge_backward
# wrong: the axes are not moved
# source: issue of a public repository
def heads_merge_backward_01(d_y, x):
    B, H, T, K = x.shape
    d = d_y.reshape(B, T, H, K)
    d_x = d_y.reshape(B, H, T, K)  # <- wrong
    return d_x


# exercise: heads.merge_backward
# wrong: heads and features are swapped
# source: issue of a public repository
def heads_merge_backward_02(d_y, x):
    B, H, T, K = x.shape
    d = d_y.reshape(B, T, K, H).swapaxes(2, 3)  # <- wrong
    d_x = np.moveaxis(d, 2, 1)
    return d_x


# exercise: heads.merge_backward
# right: moveaxis
# source: beginner
def heads_merge_backward_03(d_y, x):
    B, H, T, K = x.shape
    d = d_y.reshape(B, T, H, K)
    d_x = np.moveaxis(d, 2, 1)
    return d_x
