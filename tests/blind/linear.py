"""Answers to the exercises: linear."""

import numpy as np


# exercise: linear.forward
# wrong: the bias is subtracted
# source: beginner
def linear_forward_01(x, weight, bias):
    B, T, D = x.shape
    flat = x.reshape(B * T, D)
    out = np.dot(flat, weight)
    out = out - bias  # <- wrong
    y = out.reshape(B, T, -1)
    return y


# exercise: linear.forward
# wrong: the bias is forgotten
# source: beginner
# missing: a line
def linear_forward_02(x, weight, bias):
    B, T, D = x.shape
    flat = x.reshape(B * T, D)
    out = np.dot(flat, weight)
    y = out.reshape(B, T, -1)  # <- wrong
    return y


# exercise: linear.forward
# wrong: the positions of all sentences are mixed when the shape is restored
# source: issue of a public repository
def linear_forward_03(x, weight, bias):
    B, T, D = x.shape
    flat = x.reshape(B * T, D)
    out = np.dot(flat, weight)
    out = out + bias
    y = out.reshape(T, B, -1).transpose(1, 0, 2)  # <- wrong
    return y


# exercise: linear.forward
# right: flattened
# source: beginner
def linear_forward_04(x, weight, bias):
    B, T, D = x.shape
    flat = x.reshape(B * T, D)
    out = np.dot(flat, weight)
    out = out + bias
    y = out.reshape(B, T, -1)
    return y


# exercise: linear.forward
# right: einsum
# source: beginner
def linear_forward_05(x, weight, bias):
    return np.einsum("btd,df->btf", x, weight) + bias


# exercise: linear.forward
# wrong: the bias is inside the product: it meets the sum of the features
# source: beginner
def linear_forward_06(x, weight, bias):
    return np.einsum("btd,df->btf", x, weight + bias)  # <- wrong


# exercise: linear.backward
# wrong: the gradient of the weights is a mean over positions
# source: course forum
def linear_backward_01(d_y, x, weight, bias):
    B, T, F = d_y.shape
    flat_x = x.reshape(B * T, -1)
    flat_d = d_y.reshape(B * T, F)
    d_weight = flat_x.T @ flat_d / (B * T)  # <- wrong
    d_bias = flat_d.sum(axis=0)
    d_x = (flat_d @ weight.T).reshape(x.shape)
    return d_x, d_weight, d_bias


# exercise: linear.backward
# wrong: the gradient of the weights is divided by the batch size
# source: course forum
def linear_backward_02(d_y, x, weight, bias):
    B, T, F = d_y.shape
    flat_x = x.reshape(B * T, -1)
    flat_d = d_y.reshape(B * T, F)
    d_weight = flat_x.T @ flat_d / B  # <- wrong
    d_bias = flat_d.sum(axis=0)
    d_x = (flat_d @ weight.T).reshape(x.shape)
    return d_x, d_weight, d_bias


# exercise: linear.backward
# wrong: the gradient of the bias is a mean
# source: course forum
def linear_backward_03(d_y, x, weight, bias):
    B, T, F = d_y.shape
    flat_x = x.reshape(B * T, -1)
    flat_d = d_y.reshape(B * T, F)
    d_weight = flat_x.T @ flat_d
    d_bias = flat_d.mean(axis=0)  # <- wrong
    d_x = (flat_d @ weight.T).reshape(x.shape)
    return d_x, d_weight, d_bias


# exercise: linear.backward
# wrong: the bias takes only the last position
# source: beginner
def linear_backward_04(d_y, x, weight, bias):
    B, T, F = d_y.shape
    flat_x = x.reshape(B * T, -1)
    flat_d = d_y.reshape(B * T, F)
    d_weight = flat_x.T @ flat_d
    d_bias = flat_d[-1]  # <- wrong
    d_x = (flat_d @ weight.T).reshape(x.shape)
    return d_x, d_weight, d_bias


# exercise: linear.backward
# wrong: the mean for the weights
# second: the mean for the bias
# source: course forum
def linear_backward_05(d_y, x, weight, bias):
    B, T, F = d_y.shape
    flat_x = x.reshape(B * T, -1)
    flat_d = d_y.reshape(B * T, F)
    d_weight = flat_x.T @ flat_d / (B * T)  # <- wrong
    d_bias = flat_d.mean(axis=0)  # <- wrong
    d_x = (flat_d @ weight.T).reshape(x.shape)
    return d_x, d_weight, d_bias


# exercise: linear.backward
# right: flattened
# source: beginner
def linear_backward_06(d_y, x, weight, bias):
    B, T, F = d_y.shape
    flat_x = x.reshape(B * T, -1)
    flat_d = d_y.reshape(B * T, F)
    d_weight = flat_x.T @ flat_d
    d_bias = flat_d.sum(axis=0)
    d_x = (flat_d @ weight.T).reshape(x.shape)
    return d_x, d_weight, d_bias


# exercise: linear.backward
# wrong: the weights' gradient is overwritten at every position
# source: beginner
def linear_backward_07(d_y, x, weight, bias):
    d_weight = np.zeros_like(weight)
    d_bias = np.zeros_like(bias)
    d_x = np.zeros_like(x)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            d_weight = np.outer(x[b, t], d_y[b, t])  # <- wrong
            d_bias += d_y[b, t]
            d_x[b, t] = weight @ d_y[b, t]
    return {"d_x": d_x, "d_weight": d_weight, "d_bias": d_bias}


# exercise: linear.backward
# wrong: the bias's gradient is overwritten at every position
# source: beginner
def linear_backward_08(d_y, x, weight, bias):
    d_weight = np.zeros_like(weight)
    d_bias = np.zeros_like(bias)
    d_x = np.zeros_like(x)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            d_weight += np.outer(x[b, t], d_y[b, t])
            d_bias = d_y[b, t]  # <- wrong
            d_x[b, t] = weight @ d_y[b, t]
    return {"d_x": d_x, "d_weight": d_weight, "d_bias": d_bias}


# exercise: linear.backward
# right: loops and a dict
# source: beginner
def linear_backward_09(d_y, x, weight, bias):
    d_weight = np.zeros_like(weight)
    d_bias = np.zeros_like(bias)
    d_x = np.zeros_like(x)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            d_weight += np.outer(x[b, t], d_y[b, t])
            d_bias += d_y[b, t]
            d_x[b, t] = weight @ d_y[b, t]
    return {"d_x": d_x, "d_weight": d_weight, "d_bias": d_bias}


# exercise: linear.backward
# right: a pair with a cache
# source: course forum
def _linear_backward_10_forward(x, weight, bias):
    return x @ weight + bias, (x, weight)


def _linear_backward_10_backward(d_y, cache):
    x, weight = cache
    d_weight = np.tensordot(x, d_y, axes=([0, 1], [0, 1]))
    return d_y @ weight.T, d_weight, d_y.sum(axis=(0, 1))


linear_backward_10 = (_linear_backward_10_forward, _linear_backward_10_backward)


# exercise: linear.backward
# wrong: the bias's gradient keeps the axis of the positions
# source: course forum
def _linear_backward_11_forward(x, weight, bias):
    return x @ weight + bias, (x, weight)


def _linear_backward_11_backward(d_y, cache):
    x, weight = cache
    d_weight = np.tensordot(x, d_y, axes=([0, 1], [0, 1]))
    return d_y @ weight.T, d_weight, d_y.sum(axis=0)  # <- wrong


linear_backward_11 = (_linear_backward_11_forward, _linear_backward_11_backward)


# exercise: linear.backward
# right: a class and a list
# source: beginner
class linear_backward_12:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def forward(self, x):
        self.x = x
        return x @ self.weight + self.bias

    def backward(self, d_y):
        d_weight = sum(a.T @ b for a, b in zip(self.x, d_y))
        return [d_y @ self.weight.T, d_weight, d_y.sum((0, 1))]


# exercise: linear.backward
# wrong: only the last sentence's share of the weights' gradient
# source: issue of a public repository
class linear_backward_13:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def forward(self, x):
        self.x = x
        return x @ self.weight + self.bias

    def backward(self, d_y):
        d_weight = self.x[-1].T @ d_y[-1]  # <- wrong
        return [d_y @ self.weight.T, d_weight, d_y.sum((0, 1))]


# exercise: linear.accumulate
# wrong: a new array instead of the one handed in: the holder sees nothing
# source: issue of a public repository
def linear_accumulate_01(d_y, x, weight, d_weight, d_bias):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_y.reshape(-1, d_y.shape[-1])
    tmp = rows.T.dot(cols)
    d_weight = d_weight + tmp  # <- wrong
    d_bias += cols.sum(0)
    d_x = d_y.dot(weight.T)
    return d_x


# exercise: linear.accumulate
# wrong: the gradient that was there is overwritten
# source: issue of a public repository
def linear_accumulate_02(d_y, x, weight, d_weight, d_bias):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_y.reshape(-1, d_y.shape[-1])
    tmp = rows.T.dot(cols)
    d_weight[:] = tmp  # <- wrong
    d_bias += cols.sum(0)
    d_x = d_y.dot(weight.T)
    return d_x


# exercise: linear.accumulate
# wrong: the bias's gradient is overwritten
# source: issue of a public repository
def linear_accumulate_03(d_y, x, weight, d_weight, d_bias):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_y.reshape(-1, d_y.shape[-1])
    tmp = rows.T.dot(cols)
    d_weight += tmp
    d_bias[...] = cols.sum(0)  # <- wrong
    d_x = d_y.dot(weight.T)
    return d_x


# exercise: linear.accumulate
# wrong: the bias gets a new array
# source: issue of a public repository
def linear_accumulate_04(d_y, x, weight, d_weight, d_bias):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_y.reshape(-1, d_y.shape[-1])
    tmp = rows.T.dot(cols)
    d_weight += tmp
    d_bias = d_bias + cols.sum(0)  # <- wrong
    d_x = d_y.dot(weight.T)
    return d_x


# exercise: linear.accumulate
# wrong: the gradient is subtracted, as if it were a step
# source: beginner
def linear_accumulate_05(d_y, x, weight, d_weight, d_bias):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_y.reshape(-1, d_y.shape[-1])
    tmp = rows.T.dot(cols)
    d_weight -= tmp  # <- wrong
    d_bias += cols.sum(0)
    d_x = d_y.dot(weight.T)
    return d_x


# exercise: linear.accumulate
# wrong: the weights' gradient is overwritten
# second: so is the bias's
# source: issue of a public repository
def linear_accumulate_06(d_y, x, weight, d_weight, d_bias):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_y.reshape(-1, d_y.shape[-1])
    tmp = rows.T.dot(cols)
    d_weight[:] = tmp  # <- wrong
    d_bias[:] = cols.sum(0)  # <- wrong
    d_x = d_y.dot(weight.T)
    return d_x


# exercise: linear.accumulate
# right: flattened
# source: beginner
def linear_accumulate_07(d_y, x, weight, d_weight, d_bias):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_y.reshape(-1, d_y.shape[-1])
    tmp = rows.T.dot(cols)
    d_weight += tmp
    d_bias += cols.sum(0)
    d_x = d_y.dot(weight.T)
    return d_x


# exercise: linear.update
# wrong: a new array instead of the one handed in
# source: issue of a public repository
def linear_update_01(d_y, x, weight, learning_rate):
    d_weight = np.einsum("btd,btf->df", x, d_y)
    d_x = d_y @ weight.T
    weight = weight - learning_rate * d_weight  # <- wrong
    return d_x


# exercise: linear.update
# wrong: the step goes uphill
# source: beginner
def linear_update_02(d_y, x, weight, learning_rate):
    d_weight = np.einsum("btd,btf->df", x, d_y)
    d_x = d_y @ weight.T
    weight += learning_rate * d_weight  # <- wrong
    return d_x


# exercise: linear.update
# wrong: the learning rate is forgotten
# source: beginner
def linear_update_03(d_y, x, weight, learning_rate):
    d_weight = np.einsum("btd,btf->df", x, d_y)
    d_x = d_y @ weight.T
    weight -= d_weight  # <- wrong
    return d_x


# exercise: linear.update
# right: einsum
# source: beginner
def linear_update_04(d_y, x, weight, learning_rate):
    d_weight = np.einsum("btd,btf->df", x, d_y)
    d_x = d_y @ weight.T
    weight -= learning_rate * d_weight
    return d_x


# exercise: linear.update
# wrong: the gradient of x is computed with the weights after the step
# source: issue of a public repository
def linear_update_05(d_y, x, weight, learning_rate):
    D, F = weight.shape
    a = x.reshape(-1, D)
    d = d_y.reshape(-1, F)
    old = weight.copy()
    grad = np.matmul(a.T, d)
    np.subtract(weight, learning_rate * grad, out=weight)
    return d_y @ weight.T  # <- wrong


# exercise: linear.update
# wrong: the saved copy is no copy, so x sees the weights after the step
# source: issue of a public repository
def linear_update_06(d_y, x, weight, learning_rate):
    D, F = weight.shape
    a = x.reshape(-1, D)
    d = d_y.reshape(-1, F)
    old = weight  # <- wrong
    grad = np.matmul(a.T, d)
    np.subtract(weight, learning_rate * grad, out=weight)
    return d_y @ old.T


# exercise: linear.update
# wrong: the gradient is a mean over the positions
# source: course forum
def linear_update_07(d_y, x, weight, learning_rate):
    D, F = weight.shape
    a = x.reshape(-1, D)
    d = d_y.reshape(-1, F)
    old = weight.copy()
    grad = np.matmul(a.T, d) / len(a)  # <- wrong
    np.subtract(weight, learning_rate * grad, out=weight)
    return d_y @ old.T


# exercise: linear.update
# right: with out=
# source: beginner
def linear_update_08(d_y, x, weight, learning_rate):
    D, F = weight.shape
    a = x.reshape(-1, D)
    d = d_y.reshape(-1, F)
    old = weight.copy()
    grad = np.matmul(a.T, d)
    np.subtract(weight, learning_rate * grad, out=weight)
    return d_y @ old.T


# exercise: embedding.forward
# wrong: the scale √D is forgotten
# source: issue of a public repository
def embedding_forward_01(ids, table):
    V, D = table.shape
    if np.any(ids < 0) or np.any(ids >= V):
        raise ValueError("an id outside the table")
    rows = table[ids]
    y = rows  # <- wrong
    return y


# exercise: embedding.forward
# wrong: divided by √D
# source: issue of a public repository
def embedding_forward_02(ids, table):
    V, D = table.shape
    if np.any(ids < 0) or np.any(ids >= V):
        raise ValueError("an id outside the table")
    rows = table[ids]
    y = rows / np.sqrt(D)  # <- wrong
    return y


# exercise: embedding.forward
# wrong: scaled by the root of the size of the vocabulary
# source: beginner
def embedding_forward_03(ids, table):
    V, D = table.shape
    if np.any(ids < 0) or np.any(ids >= V):
        raise ValueError("an id outside the table")
    rows = table[ids]
    y = rows * np.sqrt(V)  # <- wrong
    return y


# exercise: embedding.forward
# wrong: scaled by D
# source: beginner
def embedding_forward_04(ids, table):
    V, D = table.shape
    if np.any(ids < 0) or np.any(ids >= V):
        raise ValueError("an id outside the table")
    rows = table[ids]
    y = rows * D  # <- wrong
    return y


# exercise: embedding.forward
# wrong: padding gets zeros
# source: issue of a public repository
def embedding_forward_05(ids, table):
    V, D = table.shape
    if np.any(ids < 0) or np.any(ids >= V):
        raise ValueError("an id outside the table")
    rows = table[ids] * (ids != 0)[..., None]  # <- wrong
    y = rows * np.sqrt(D)
    return y


# exercise: embedding.forward
# right: small steps
# source: beginner
def embedding_forward_06(ids, table):
    V, D = table.shape
    if np.any(ids < 0) or np.any(ids >= V):
        raise ValueError("an id outside the table")
    rows = table[ids]
    y = rows * np.sqrt(D)
    return y


# exercise: embedding.forward
# right: one-hot
# source: beginner
def embedding_forward_07(ids, table):
    onehot = ids[..., None] == np.arange(len(table))
    if not onehot.any(-1).all():
        raise IndexError("unknown id")
    return onehot @ table * table.shape[1] ** 0.5


# exercise: embedding.forward
# wrong: the check is of the whole array: one good id is enough
# source: beginner
def embedding_forward_08(ids, table):
    onehot = ids[..., None] == np.arange(len(table))
    if not onehot.any():  # <- wrong
        raise IndexError("unknown id")
    return onehot @ table * table.shape[1] ** 0.5


# exercise: embedding.forward
# wrong: a negative id counts from the end of the table
# source: beginner
def embedding_forward_09(ids, table):
    return np.sqrt(table.shape[1]) * table[ids]  # <- wrong


# exercise: embedding.backward
# wrong: with += each id gets only one of its places
# source: public question
def embedding_backward_01(d_y, ids, table):
    V, D = table.shape
    d_table = np.zeros((V, D))
    g = d_y * np.sqrt(D)
    d_table[ids] += g  # <- wrong
    d_table[0] = 0
    return d_table


# exercise: embedding.backward
# wrong: with = each id gets its last place
# source: public question
def embedding_backward_02(d_y, ids, table):
    V, D = table.shape
    d_table = np.zeros((V, D))
    g = d_y * np.sqrt(D)
    d_table[ids] = g  # <- wrong
    d_table[0] = 0
    return d_table


# exercise: embedding.backward
# wrong: the scale √D is forgotten
# source: issue of a public repository
def embedding_backward_03(d_y, ids, table):
    V, D = table.shape
    d_table = np.zeros((V, D))
    g = d_y  # <- wrong
    np.add.at(d_table, ids, g)
    d_table[0] = 0
    return d_table


# exercise: embedding.backward
# wrong: padding's row has a gradient
# source: issue of a public repository
# missing: a line
def embedding_backward_04(d_y, ids, table):
    V, D = table.shape
    d_table = np.zeros((V, D))
    g = d_y * np.sqrt(D)
    np.add.at(d_table, ids, g)
    return d_table  # <- wrong


# exercise: embedding.backward
# wrong: token 1's row is cleared instead of padding's
# source: beginner
def embedding_backward_05(d_y, ids, table):
    V, D = table.shape
    d_table = np.zeros((V, D))
    g = d_y * np.sqrt(D)
    np.add.at(d_table, ids, g)
    d_table[1] = 0  # <- wrong
    return d_table


# exercise: embedding.backward
# wrong: with += each id gets only one of its places
# second: the scale is forgotten
# source: public question
def embedding_backward_06(d_y, ids, table):
    V, D = table.shape
    d_table = np.zeros((V, D))
    g = d_y  # <- wrong
    d_table[ids] += g  # <- wrong
    d_table[0] = 0
    return d_table


# exercise: embedding.backward
# right: add.at
# source: public question
def embedding_backward_07(d_y, ids, table):
    V, D = table.shape
    d_table = np.zeros((V, D))
    g = d_y * np.sqrt(D)
    np.add.at(d_table, ids, g)
    d_table[0] = 0
    return d_table


# exercise: embedding.backward
# wrong: the loop stops at padding, though words may follow
# source: beginner
def embedding_backward_08(d_y, ids, table):
    d_table = np.zeros(table.shape)
    for b in range(ids.shape[0]):
        for t in range(ids.shape[1]):
            if ids[b, t] == 0:
                break  # <- wrong
            d_table[ids[b, t]] += d_y[b, t] * np.sqrt(table.shape[1])
    return d_table


# exercise: embedding.backward
# wrong: divided by √D
# source: beginner
def embedding_backward_09(d_y, ids, table):
    d_table = np.zeros(table.shape)
    for b in range(ids.shape[0]):
        for t in range(ids.shape[1]):
            if ids[b, t] == 0:
                continue
            d_table[ids[b, t]] += d_y[b, t] / np.sqrt(table.shape[1])  # <- wrong
    return d_table


# exercise: embedding.backward
# wrong: overwritten at every place
# source: public question
def embedding_backward_10(d_y, ids, table):
    d_table = np.zeros(table.shape)
    for b in range(ids.shape[0]):
        for t in range(ids.shape[1]):
            if ids[b, t] == 0:
                continue
            d_table[ids[b, t]] = d_y[b, t] * np.sqrt(table.shape[1])  # <- wrong
    return d_table


# exercise: embedding.backward
# right: loops
# source: beginner
def embedding_backward_11(d_y, ids, table):
    d_table = np.zeros(table.shape)
    for b in range(ids.shape[0]):
        for t in range(ids.shape[1]):
            if ids[b, t] == 0:
                continue
            d_table[ids[b, t]] += d_y[b, t] * np.sqrt(table.shape[1])
    return d_table


# exercise: embedding.backward
# wrong: each row is a mean over the places where its token stands
# source: issue of a public repository
def embedding_backward_12(d_y, ids, table):
    V, D = table.shape
    onehot = np.eye(V)[ids].reshape(-1, V)
    counts = onehot.sum(0)
    d = d_y.reshape(-1, D) * D**0.5
    total = onehot.T @ d
    total[0] = 0.0
    return total / np.maximum(counts, 1)[:, None]  # <- wrong
