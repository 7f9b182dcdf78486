"""Answers to the exercises: positions."""

import numpy as np


# exercise: positional_encoding.table
# wrong: the base is 1000
# source: issue of a public repository
def positional_encoding_table_01(length, features):
    PE = np.zeros((length, features))
    for p in range(length):
        for i in range(features // 2):
            angle = p / 1000 ** (2 * i / features)  # <- wrong
            PE[p, 2 * i] = np.sin(angle)
            PE[p, 2 * i + 1] = np.cos(angle)
    return PE


# exercise: positional_encoding.table
# wrong: the even channel holds a cosine too
# source: beginner
def positional_encoding_table_02(length, features):
    PE = np.zeros((length, features))
    for p in range(length):
        for i in range(features // 2):
            angle = p / 10000 ** (2 * i / features)
            PE[p, 2 * i] = np.sin(angle + np.pi / 2)  # <- wrong
            PE[p, 2 * i + 1] = np.cos(angle)
    return PE


# exercise: positional_encoding.table
# wrong: the factor 2 of the exponent is missing
# source: issue of a public repository
def positional_encoding_table_03(length, features):
    PE = np.zeros((length, features))
    for p in range(length):
        for i in range(features // 2):
            angle = p / 10000 ** (i / features)  # <- wrong
            PE[p, 2 * i] = np.sin(angle)
            PE[p, 2 * i + 1] = np.cos(angle)
    return PE


# exercise: positional_encoding.table
# wrong: positions are counted from 1
# source: beginner
def positional_encoding_table_04(length, features):
    PE = np.zeros((length, features))
    for p in range(length):
        for i in range(features // 2):
            angle = (p + 1) / 10000 ** (2 * i / features)  # <- wrong
            PE[p, 2 * i] = np.sin(angle)
            PE[p, 2 * i + 1] = np.cos(angle)
    return PE


# exercise: positional_encoding.table
# wrong: p times instead of p divided
# source: issue of a public repository
def positional_encoding_table_05(length, features):
    PE = np.zeros((length, features))
    for p in range(length):
        for i in range(features // 2):
            angle = p * 10000 ** (2 * i / features)  # <- wrong
            PE[p, 2 * i] = np.sin(angle)
            PE[p, 2 * i + 1] = np.cos(angle)
    return PE


# exercise: positional_encoding.table
# wrong: the factor 4 in the exponent: the channel is doubled once more
# source: issue of a public repository
def positional_encoding_table_06(length, features):
    PE = np.zeros((length, features))
    for p in range(length):
        for i in range(features // 2):
            angle = p / 10000 ** (4 * i / features)  # <- wrong
            PE[p, 2 * i] = np.sin(angle)
            PE[p, 2 * i + 1] = np.cos(angle)
    return PE


# exercise: positional_encoding.table
# wrong: the odd channel holds a sine too
# source: beginner
def positional_encoding_table_07(length, features):
    PE = np.zeros((length, features))
    for p in range(length):
        for i in range(features // 2):
            angle = p / 10000 ** (2 * i / features)
            PE[p, 2 * i] = np.sin(angle)
            PE[p, 2 * i + 1] = np.sin(angle)  # <- wrong
    return PE


# exercise: positional_encoding.table
# right: loops
# source: beginner
def positional_encoding_table_08(length, features):
    PE = np.zeros((length, features))
    for p in range(length):
        for i in range(features // 2):
            angle = p / 10000 ** (2 * i / features)
            PE[p, 2 * i] = np.sin(angle)
            PE[p, 2 * i + 1] = np.cos(angle)
    return PE


# exercise: positional_encoding.table
# wrong: position / div_term, though div_term is an inverse already
# source: issue of a public repository
def positional_encoding_table_09(length, features):
    position = np.arange(length)[:, np.newaxis]
    even = np.arange(0, features, 2)
    div_term = np.exp(even * -(np.log(10000.0) / features))
    table = np.zeros((length, features))
    table[:, 0::2] = np.sin(position / div_term)  # <- wrong
    table[:, 1::2] = np.cos(position * div_term)
    return table


# exercise: positional_encoding.table
# wrong: integer division makes the exponent a whole number
# source: issue of a public repository
def positional_encoding_table_10(length, features):
    position = np.arange(length)[:, np.newaxis]
    even = np.arange(0, features, 2)
    div_term = np.exp(even * -(np.log(10000.0) // features))  # <- wrong
    table = np.zeros((length, features))
    table[:, 0::2] = np.sin(position * div_term)
    table[:, 1::2] = np.cos(position * div_term)
    return table


# exercise: positional_encoding.table
# wrong: the logarithm has the base 10
# source: beginner
def positional_encoding_table_11(length, features):
    position = np.arange(length)[:, np.newaxis]
    even = np.arange(0, features, 2)
    div_term = np.exp(even * -(np.log10(10000.0) / features))  # <- wrong
    table = np.zeros((length, features))
    table[:, 0::2] = np.sin(position * div_term)
    table[:, 1::2] = np.cos(position * div_term)
    return table


# exercise: positional_encoding.table
# wrong: the even channels hold cosines too
# source: issue of a public repository
def positional_encoding_table_12(length, features):
    position = np.arange(length)[:, np.newaxis]
    even = np.arange(0, features, 2)
    div_term = np.exp(even * -(np.log(10000.0) / features))
    table = np.zeros((length, features))
    table[:, 0::2] = np.cos(position * div_term)  # <- wrong
    table[:, 1::2] = np.cos(position * div_term)
    return table


# exercise: positional_encoding.table
# wrong: the minus is missing
# source: beginner
def positional_encoding_table_13(length, features):
    position = np.arange(length)[:, np.newaxis]
    even = np.arange(0, features, 2)
    div_term = np.exp(even * (np.log(10000.0) / features))  # <- wrong
    table = np.zeros((length, features))
    table[:, 0::2] = np.sin(position * div_term)
    table[:, 1::2] = np.cos(position * div_term)
    return table


# exercise: positional_encoding.table
# wrong: the base is 1000
# second: even channels hold cosines
# source: issue of a public repository
def positional_encoding_table_14(length, features):
    position = np.arange(length)[:, np.newaxis]
    even = np.arange(0, features, 2)
    div_term = np.exp(even * -(np.log(1000.0) / features))  # <- wrong
    table = np.zeros((length, features))
    table[:, 0::2] = np.cos(position * div_term)  # <- wrong
    table[:, 1::2] = np.cos(position * div_term)
    return table


# exercise: positional_encoding.table
# right: exp and log
# source: issue of a public repository
def positional_encoding_table_15(length, features):
    position = np.arange(length)[:, np.newaxis]
    even = np.arange(0, features, 2)
    div_term = np.exp(even * -(np.log(10000.0) / features))
    table = np.zeros((length, features))
    table[:, 0::2] = np.sin(position * div_term)
    table[:, 1::2] = np.cos(position * div_term)
    return table


# exercise: positional_encoding.table
# wrong: the odd channel has an exponent of its own
# source: issue of a public repository
def positional_encoding_table_16(length, features):
    channel = np.arange(features)
    rate = 10000.0 ** (-channel / features)  # <- wrong
    angle = np.outer(np.arange(length), rate)
    return np.where(channel % 2 == 0, np.sin(angle), np.cos(angle))


# exercise: positional_encoding.table
# wrong: the wrong parity
# source: beginner
def positional_encoding_table_17(length, features):
    channel = np.arange(features)
    rate = 10000.0 ** (-(channel // 2 * 2) / features)
    angle = np.outer(np.arange(length), rate)
    return np.where(channel % 2 == 1, np.sin(angle), np.cos(angle))  # <- wrong


# exercise: positional_encoding.table
# wrong: the power is the wrong way round
# source: issue of a public repository
def positional_encoding_table_18(length, features):
    channel = np.arange(features)
    rate = ((channel // 2 * 2) / features) ** 1e-4  # <- wrong
    angle = np.outer(np.arange(length), rate)
    return np.where(channel % 2 == 0, np.sin(angle), np.cos(angle))


# exercise: positional_encoding.table
# right: where
# source: beginner
def positional_encoding_table_19(length, features):
    channel = np.arange(features)
    rate = 10000.0 ** (-(channel // 2 * 2) / features)
    angle = np.outer(np.arange(length), rate)
    return np.where(channel % 2 == 0, np.sin(angle), np.cos(angle))


# exercise: positional_encoding.forward
# wrong: x is scaled by √D first
# source: issue of a public repository
def positional_encoding_forward_01(x):
    B, T, D = x.shape
    p = np.arange(T).reshape(T, 1)
    freq = 1.0 / np.power(10000.0, np.arange(0, D, 2) / D)
    code = np.empty((T, D))
    code[:, 0::2] = np.sin(p * freq)
    code[:, 1::2] = np.cos(p * freq)
    return x * np.sqrt(D) + code[None]  # <- wrong


# exercise: positional_encoding.forward
# wrong: multiplied in place of added
# source: beginner
def positional_encoding_forward_02(x):
    B, T, D = x.shape
    p = np.arange(T).reshape(T, 1)
    freq = 1.0 / np.power(10000.0, np.arange(0, D, 2) / D)
    code = np.empty((T, D))
    code[:, 0::2] = np.sin(p * freq)
    code[:, 1::2] = np.cos(p * freq)
    return x * code[None]  # <- wrong


# exercise: positional_encoding.forward
# wrong: positions from 1
# source: beginner
def positional_encoding_forward_03(x):
    B, T, D = x.shape
    p = np.arange(1, T + 1).reshape(T, 1)  # <- wrong
    freq = 1.0 / np.power(10000.0, np.arange(0, D, 2) / D)
    code = np.empty((T, D))
    code[:, 0::2] = np.sin(p * freq)
    code[:, 1::2] = np.cos(p * freq)
    return x + code[None]


# exercise: positional_encoding.forward
# wrong: each position gets the number of sentences
# source: issue of a public repository
def positional_encoding_forward_04(x):
    B, T, D = x.shape
    p = np.full(T, B).reshape(T, 1)  # <- wrong
    freq = 1.0 / np.power(10000.0, np.arange(0, D, 2) / D)
    code = np.empty((T, D))
    code[:, 0::2] = np.sin(p * freq)
    code[:, 1::2] = np.cos(p * freq)
    return x + code[None]


# exercise: positional_encoding.forward
# wrong: divided by D/2 in the exponent
# source: issue of a public repository
def positional_encoding_forward_05(x):
    B, T, D = x.shape
    p = np.arange(T).reshape(T, 1)
    freq = 1.0 / np.power(10000.0, np.arange(0, D, 2) / (D // 2))  # <- wrong
    code = np.empty((T, D))
    code[:, 0::2] = np.sin(p * freq)
    code[:, 1::2] = np.cos(p * freq)
    return x + code[None]


# exercise: positional_encoding.forward
# wrong: the code replaces x
# source: beginner
def positional_encoding_forward_06(x):
    B, T, D = x.shape
    p = np.arange(T).reshape(T, 1)
    freq = 1.0 / np.power(10000.0, np.arange(0, D, 2) / D)
    code = np.empty((T, D))
    code[:, 0::2] = np.sin(p * freq)
    code[:, 1::2] = np.cos(p * freq)
    return np.broadcast_to(code, x.shape)  # <- wrong


# exercise: positional_encoding.forward
# wrong: x is scaled by √D
# second: positions from 1
# source: issue of a public repository
def positional_encoding_forward_07(x):
    B, T, D = x.shape
    p = np.arange(1, T + 1).reshape(T, 1)  # <- wrong
    freq = 1.0 / np.power(10000.0, np.arange(0, D, 2) / D)
    code = np.empty((T, D))
    code[:, 0::2] = np.sin(p * freq)
    code[:, 1::2] = np.cos(p * freq)
    return x * np.sqrt(D) + code[None]  # <- wrong


# exercise: positional_encoding.forward
# right: small steps
# source: beginner
def positional_encoding_forward_08(x):
    B, T, D = x.shape
    p = np.arange(T).reshape(T, 1)
    freq = 1.0 / np.power(10000.0, np.arange(0, D, 2) / D)
    code = np.empty((T, D))
    code[:, 0::2] = np.sin(p * freq)
    code[:, 1::2] = np.cos(p * freq)
    return x + code[None]


# exercise: positional_encoding.forward
# wrong: x itself is changed
# source: public question
def positional_encoding_forward_09(x, PE):
    x += PE  # <- wrong
    return x


# exercise: positional_encoding.backward
# wrong: multiplied with the code
# source: beginner
def positional_encoding_backward_01(d_y, x):
    T, D = x.shape[1:]
    i = np.arange(D)
    angle = np.arange(T)[:, None] / 10000 ** (2 * (i // 2) / D)
    code = np.where(i % 2, np.cos(angle), np.sin(angle))
    d_code = d_y.sum(axis=0)
    return d_y * code  # <- wrong


# exercise: positional_encoding.backward
# wrong: the code is added once more
# source: beginner
def positional_encoding_backward_02(d_y, x):
    T, D = x.shape[1:]
    i = np.arange(D)
    angle = np.arange(T)[:, None] / 10000 ** (2 * (i // 2) / D)
    code = np.where(i % 2, np.cos(angle), np.sin(angle))
    d_code = d_y.sum(axis=0)
    return d_y + code  # <- wrong


# exercise: positional_encoding.backward
# wrong: the code is taken away
# source: beginner
def positional_encoding_backward_03(d_y, x):
    T, D = x.shape[1:]
    i = np.arange(D)
    angle = np.arange(T)[:, None] / 10000 ** (2 * (i // 2) / D)
    code = np.where(i % 2, np.cos(angle), np.sin(angle))
    d_code = d_y.sum(axis=0)
    return d_y - code  # <- wrong


# exercise: positional_encoding.backward
# wrong: summed over the batch, as if the codes were learned
# source: issue of a public repository
def positional_encoding_backward_04(d_y, x):
    T, D = x.shape[1:]
    i = np.arange(D)
    angle = np.arange(T)[:, None] / 10000 ** (2 * (i // 2) / D)
    code = np.where(i % 2, np.cos(angle), np.sin(angle))
    d_code = d_y.sum(axis=0)
    return np.broadcast_to(d_code, d_y.shape)  # <- wrong


# exercise: positional_encoding.backward
# wrong: scaled by √D
# source: issue of a public repository
def positional_encoding_backward_05(d_y, x):
    return d_y * np.sqrt(x.shape[-1])  # <- wrong


# exercise: positional_encoding.backward
# right: times one
# source: beginner
def positional_encoding_backward_06(d_y, x):
    return d_y * np.ones_like(x)


# exercise: positional_encoding.rotation
# wrong: the transpose: it turns backward
# source: beginner
def positional_encoding_rotation_01(offset, features):
    R = np.zeros((features, features))
    for i in range(features // 2):
        w = 1 / 10000 ** (2 * i / features)
        c, s = np.cos(offset * w), -np.sin(offset * w)  # <- wrong
        R[2 * i, 2 * i] = c
        R[2 * i, 2 * i + 1] = s
        R[2 * i + 1, 2 * i] = -s
        R[2 * i + 1, 2 * i + 1] = c
    return R


# exercise: positional_encoding.rotation
# wrong: the minus is missing
# source: beginner
def positional_encoding_rotation_02(offset, features):
    R = np.zeros((features, features))
    for i in range(features // 2):
        w = 1 / 10000 ** (2 * i / features)
        c, s = np.cos(offset * w), np.sin(offset * w)
        R[2 * i, 2 * i] = c
        R[2 * i, 2 * i + 1] = s
        R[2 * i + 1, 2 * i] = s  # <- wrong
        R[2 * i + 1, 2 * i + 1] = c
    return R


# exercise: positional_encoding.rotation
# wrong: all pairs turn at the same rate
# source: beginner
def positional_encoding_rotation_03(offset, features):
    R = np.zeros((features, features))
    for i in range(features // 2):
        w = 1 / 10000  # <- wrong
        c, s = np.cos(offset * w), np.sin(offset * w)
        R[2 * i, 2 * i] = c
        R[2 * i, 2 * i + 1] = s
        R[2 * i + 1, 2 * i] = -s
        R[2 * i + 1, 2 * i + 1] = c
    return R


# exercise: positional_encoding.rotation
# wrong: the factor 2 of the exponent is missing
# source: issue of a public repository
def positional_encoding_rotation_04(offset, features):
    R = np.zeros((features, features))
    for i in range(features // 2):
        w = 1 / 10000 ** (i / features)  # <- wrong
        c, s = np.cos(offset * w), np.sin(offset * w)
        R[2 * i, 2 * i] = c
        R[2 * i, 2 * i + 1] = s
        R[2 * i + 1, 2 * i] = -s
        R[2 * i + 1, 2 * i + 1] = c
    return R


# exercise: positional_encoding.rotation
# wrong: the sign of the offset is lost
# source: beginner
def positional_encoding_rotation_05(offset, features):
    R = np.zeros((features, features))
    for i in range(features // 2):
        w = 1 / 10000 ** (2 * i / features)
        c, s = np.cos(offset * w), np.sin(abs(offset) * w)  # <- wrong
        R[2 * i, 2 * i] = c
        R[2 * i, 2 * i + 1] = s
        R[2 * i + 1, 2 * i] = -s
        R[2 * i + 1, 2 * i + 1] = c
    return R


# exercise: positional_encoding.rotation
# wrong: half the angle
# source: beginner
def positional_encoding_rotation_06(offset, features):
    R = np.zeros((features, features))
    for i in range(features // 2):
        w = 0.5 / 10000 ** (2 * i / features)  # <- wrong
        c, s = np.cos(offset * w), np.sin(offset * w)
        R[2 * i, 2 * i] = c
        R[2 * i, 2 * i + 1] = s
        R[2 * i + 1, 2 * i] = -s
        R[2 * i + 1, 2 * i + 1] = c
    return R


# exercise: positional_encoding.rotation
# right: loops
# source: beginner
def positional_encoding_rotation_07(offset, features):
    R = np.zeros((features, features))
    for i in range(features // 2):
        w = 1 / 10000 ** (2 * i / features)
        c, s = np.cos(offset * w), np.sin(offset * w)
        R[2 * i, 2 * i] = c
        R[2 * i, 2 * i + 1] = s
        R[2 * i + 1, 2 * i] = -s
        R[2 * i + 1, 2 * i + 1] = c
    return R


# exercise: positional_encoding.rotation
# right: kron
# source: beginner
def positional_encoding_rotation_08(offset, features):
    a = offset * 10000.0 ** (-np.arange(0, features, 2) / features)
    eye, turn = np.eye(2), np.array([[0.0, 1.0], [-1.0, 0.0]])
    return np.kron(np.diag(np.cos(a)), eye) + np.kron(np.diag(np.sin(a)), turn)


# exercise: positional_encoding.rotation
# wrong: the two factors of kron are swapped: the halves are paired
# source: beginner
def positional_encoding_rotation_09(offset, features):
    a = offset * 10000.0 ** (-np.arange(0, features, 2) / features)
    eye, turn = np.eye(2), np.array([[0.0, 1.0], [-1.0, 0.0]])
    return np.kron(np.diag(np.cos(a)), eye) + np.kron(turn, np.diag(np.sin(a)))  # <- wrong


# exercise: positional_encoding.table
# wrong: sines in the first half, cosines in the second
# source: issue of a public repository
def positional_encoding_table_20(length, features):
    rates = 10000 ** (-np.arange(0, features, 2) / features)
    angles = np.arange(length)[:, None] * rates
    sines = np.sin(angles)
    cosines = np.cos(angles)
    table = np.concatenate([sines, cosines], axis=-1)  # <- wrong
    table = table.reshape(length, features)
    return table


# exercise: positional_encoding.table
# wrong: the cosine comes first in each pair
# source: beginner
def positional_encoding_table_21(length, features):
    rates = 10000 ** (-np.arange(0, features, 2) / features)
    angles = np.arange(length)[:, None] * rates
    sines = np.sin(angles)
    cosines = np.cos(angles)
    table = np.stack([cosines, sines], axis=-1)  # <- wrong
    table = table.reshape(length, features)
    return table


# exercise: positional_encoding.table
# right: stacked
# source: beginner
def positional_encoding_table_22(length, features):
    rates = 10000 ** (-np.arange(0, features, 2) / features)
    angles = np.arange(length)[:, None] * rates
    sines = np.sin(angles)
    cosines = np.cos(angles)
    table = np.stack([sines, cosines], axis=-1)
    table = table.reshape(length, features)
    return table
