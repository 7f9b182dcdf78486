"""Right answers from softmax to the whole of attention, as students might write them."""

import math

import numpy as np

from . import answers

# softmax.forward


@answers("softmax.forward", "loops")
def softmax_loops(scores):
    P = np.zeros(scores.shape)
    for b in range(scores.shape[0]):
        for t in range(scores.shape[1]):
            largest = scores[b, t, 0]
            for s in range(scores.shape[2]):
                if scores[b, t, s] > largest:
                    largest = scores[b, t, s]
            total = 0.0
            for s in range(scores.shape[2]):
                total += math.exp(scores[b, t, s] - largest)
            for s in range(scores.shape[2]):
                P[b, t, s] = math.exp(scores[b, t, s] - largest) / total
    return P


@answers("softmax.forward", "einsum")
def softmax_einsum(scores):
    e = np.exp(scores - np.amax(scores, axis=2, keepdims=True))
    return np.einsum("bts,bt->bts", e, 1 / np.einsum("bts->bt", e))


@answers("softmax.forward", "matrix form")
def softmax_matrix(scores):
    B, T, S = scores.shape
    rows = scores.reshape(B * T, S)
    e = np.exp(rows - rows.max(1).reshape(-1, 1))
    return (e / (e @ np.ones((S, S)))).reshape(B, T, S)


@answers("softmax.forward", "float32")
def softmax_float32(scores):
    scores = scores.astype(np.float32)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@answers("softmax.forward", "class")
class SoftmaxForward:
    def forward(self, scores):
        e = np.exp(scores - scores.max(axis=-1)[..., np.newaxis])
        self.P = e / e.sum(axis=-1)[..., np.newaxis]
        return self.P

    def backward(self, d_P):
        return self.P * (d_P - (d_P * self.P).sum(-1, keepdims=True))


# softmax.backward


@answers("softmax.backward", "loops")
def softmax_backward_loops(d_P, scores):
    B, T, S = scores.shape
    d_scores = np.zeros((B, T, S))
    for b in range(B):
        for t in range(T):
            e = [math.exp(scores[b, t, s] - max(scores[b, t])) for s in range(S)]
            P = [e[s] / sum(e) for s in range(S)]
            for i in range(S):
                for j in range(S):
                    same = 1 if i == j else 0
                    d_scores[b, t, i] += d_P[b, t, j] * P[j] * (same - P[i])
    return d_scores


@answers("softmax.backward", "einsum")
def softmax_backward_einsum(d_P, P):
    return np.einsum("bts,bts->bts", d_P, P) - np.einsum("bts,bti,bti->bts", P, d_P, P)


@answers("softmax.backward", "matrix form")
def softmax_backward_matrix(d_P, scores):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    dot = d_P[:, :, None, :] @ P[:, :, :, None]
    return P * (d_P - dot[..., 0])


@answers("softmax.backward", "float32")
def softmax_backward_float32(d_P, scores):
    d_P, scores = np.float32(d_P), np.float32(scores)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    return P * (d_P - (d_P * P).sum(-1, keepdims=True))


@answers("softmax.backward", "class")
class Softmax:
    def forward(self, scores):
        shifted = scores - scores.max(axis=-1, keepdims=True)
        self.P = np.exp(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
        return self.P

    def backward(self, d_P):
        expected = (self.P * d_P).sum(axis=-1, keepdims=True)
        return self.P * (d_P - expected)


# cross_entropy.forward


@answers("cross_entropy.forward", "loops")
def cross_entropy_loops(logits, targets):
    B, T, V = logits.shape
    total, count = 0.0, 0
    for b in range(B):
        for t in range(T):
            if targets[b, t] == 0:
                continue
            largest = max(logits[b, t, v] for v in range(V))
            normaliser = 0.0
            for v in range(V):
                normaliser += math.exp(logits[b, t, v] - largest)
            total += largest + math.log(normaliser) - logits[b, t, targets[b, t]]
            count += 1
    return total / count


@answers("cross_entropy.forward", "einsum")
def cross_entropy_einsum(logits, targets):
    shifted = logits - logits.max(-1, keepdims=True)
    log_P = shifted - np.log(np.einsum("btv->bt", np.exp(shifted)))[..., None]
    onehot = np.eye(logits.shape[-1])[targets]
    real = (targets != 0).astype(float)
    return -np.einsum("btv,btv,bt->", onehot, log_P, real) / np.einsum("bt->", real)


@answers("cross_entropy.forward", "matrix form")
def cross_entropy_matrix(logits, targets):
    rows = logits.reshape(-1, logits.shape[-1])
    wanted = targets.reshape(-1)
    rows, wanted = rows[wanted > 0], wanted[wanted > 0]
    shifted = rows - rows.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(wanted)), wanted]
    return losses.mean()


@answers("cross_entropy.forward", "float32")
def cross_entropy_float32(logits, targets):
    logits = logits.astype(np.float32)
    shifted = logits - logits.max(-1, keepdims=True)
    log_P = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    picked = np.take_along_axis(log_P, targets[..., None], -1)[..., 0]
    return -picked[targets != 0].mean(dtype=np.float32)


@answers("cross_entropy.forward", "class")
class CrossEntropyForward:
    def __init__(self, pad=0):
        self.pad = pad

    def forward(self, logits, targets):
        self.real = targets != self.pad
        shifted = logits - logits.max(axis=-1, keepdims=True)
        total = np.exp(shifted).sum(axis=-1, keepdims=True)
        self.P, self.targets = np.exp(shifted) / total, targets
        log_P = shifted - np.log(total)
        rows, columns = np.indices(targets.shape)
        return -(log_P[rows, columns, targets] * self.real).sum() / self.real.sum()

    def backward(self):
        d_logits = self.P.copy()
        rows, columns = np.indices(self.targets.shape)
        d_logits[rows, columns, self.targets] -= 1
        return d_logits * self.real[..., None] / self.real.sum()


# cross_entropy.backward


@answers("cross_entropy.backward", "loops")
def cross_entropy_backward_loops(logits, targets):
    B, T, V = logits.shape
    count = 0
    for b in range(B):
        for t in range(T):
            if targets[b, t] != 0:
                count += 1
    d_logits = np.zeros((B, T, V))
    for b in range(B):
        for t in range(T):
            if targets[b, t] == 0:
                continue
            largest = logits[b, t].max()
            total = sum(math.exp(logits[b, t, v] - largest) for v in range(V))
            for v in range(V):
                d_logits[b, t, v] = math.exp(logits[b, t, v] - largest) / total / count
            d_logits[b, t, targets[b, t]] -= 1 / count
    return d_logits


@answers("cross_entropy.backward", "einsum")
def cross_entropy_backward_einsum(P, onehot, real):
    return np.einsum("btv,bt->btv", P - onehot, real / np.sum(real))


@answers("cross_entropy.backward", "matrix form")
def cross_entropy_backward_matrix(logits, targets):
    B, T, V = logits.shape
    rows = logits.reshape(B * T, V)
    e = np.exp(rows - rows.max(1, keepdims=True))
    d_rows = e / e.sum(1, keepdims=True) - np.eye(V)[targets.reshape(-1)]
    keep = np.diag((targets.reshape(-1) != 0) / np.count_nonzero(targets))
    return (keep @ d_rows).reshape(B, T, V)


@answers("cross_entropy.backward", "float32")
def cross_entropy_backward_float32(logits, targets):
    logits = logits.astype(np.float32)
    e = np.exp(logits - logits.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    onehot = np.eye(logits.shape[-1], dtype=np.float32)[targets]
    real = (targets != 0).astype(np.float32)
    return (P - onehot) * (real / real.sum())[..., None]


@answers("cross_entropy.backward", "class")
class CrossEntropy:
    def forward(self, logits, targets):
        self.shape = logits.shape
        self.kept = np.flatnonzero(targets)
        rows = logits.reshape(-1, logits.shape[-1])[self.kept]
        self.wanted = targets.ravel()[self.kept]
        self.log_P = rows - np.logaddexp.reduce(rows, axis=-1, keepdims=True)
        return -self.log_P[np.arange(len(self.kept)), self.wanted].mean()

    def backward(self, d_loss=1.0):
        d_rows = np.exp(self.log_P)
        d_rows[np.arange(len(self.kept)), self.wanted] -= 1
        d_logits = np.zeros(self.shape)
        d_logits.reshape(-1, self.shape[-1])[self.kept] = d_loss * d_rows / len(self.kept)
        return d_logits


# label_smoothing.forward


@answers("label_smoothing.forward", "loops")
def label_smoothing_loops(logits, targets, smoothing):
    B, T, V = logits.shape
    loss, count = 0.0, 0
    for b in range(B):
        for t in range(T):
            if targets[b, t] == 0:
                continue
            largest = logits[b, t, 0]
            for v in range(1, V):
                largest = max(largest, logits[b, t, v])
            total = 0.0
            for v in range(V):
                total += math.exp(logits[b, t, v] - largest)
            for v in range(V):
                q = smoothing / V
                if v == targets[b, t]:
                    q += 1 - smoothing
                loss -= q * (logits[b, t, v] - largest - math.log(total))
            count += 1
    return loss / count


@answers("label_smoothing.forward", "einsum")
def label_smoothing_einsum(logits, smoothing, onehot, real):
    log_P = logits - logits.max(-1, keepdims=True)
    log_P = log_P - np.log(np.einsum("btv->bt", np.exp(log_P)))[..., None]
    q = (1 - smoothing) * onehot + smoothing / logits.shape[-1]
    return -np.einsum("btv,btv,bt->", q, log_P, real * 1.0) / np.sum(real)


@answers("label_smoothing.forward", "matrix form")
def label_smoothing_matrix(logits, targets, smoothing):
    V = logits.shape[-1]
    rows, wanted = logits.reshape(-1, V), targets.reshape(-1)
    rows, wanted = rows[wanted != 0], wanted[wanted != 0]
    smoothed = (1 - smoothing) * np.eye(V) + smoothing / V  # row i: the target i, smoothed
    rows = rows - rows.max(1, keepdims=True)
    log_P = rows - np.log(np.exp(rows) @ np.ones((V, 1)))
    return -np.trace(smoothed[wanted] @ log_P.T) / len(wanted)


@answers("label_smoothing.forward", "float32")
def label_smoothing_float32(logits, targets, smoothing):
    logits, smoothing = logits.astype(np.float32), np.float32(smoothing)
    shifted = logits - logits.max(-1, keepdims=True)
    log_P = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    V = np.float32(logits.shape[-1])
    q = (1 - smoothing) * np.eye(logits.shape[-1], dtype=np.float32)[targets] + smoothing / V
    losses = -(q * log_P).sum(-1)
    return losses[targets != 0].mean()


@answers("label_smoothing.forward", "class")
class LabelSmoothing:
    def __init__(self, smoothing):
        self.smoothing = smoothing

    def forward(self, logits, targets):
        V = logits.shape[-1]
        self.real = targets != 0
        self.q = np.full(logits.shape, self.smoothing / V)
        for b, t in np.ndindex(*targets.shape):
            self.q[b, t, targets[b, t]] += 1 - self.smoothing
        shifted = logits - logits.max(axis=-1, keepdims=True)
        log_P = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        self.P = np.exp(log_P)
        return float(-np.sum((self.q * log_P)[self.real]) / self.real.sum())

    def backward(self, d_loss=1.0):
        return d_loss * (self.P - self.q) * self.real[..., None] / self.real.sum()


# label_smoothing.backward


@answers("label_smoothing.backward", "loops")
def label_smoothing_backward_loops(logits, targets, smoothing):
    B, T, V = logits.shape
    count = sum(int(targets[b, t] != 0) for b in range(B) for t in range(T))
    d_logits = np.zeros((B, T, V))
    for b in range(B):
        for t in range(T):
            if targets[b, t] != 0:
                largest = max(logits[b, t, v] for v in range(V))
                total = sum(math.exp(logits[b, t, v] - largest) for v in range(V))
                for v in range(V):
                    q = smoothing / V + (1 - smoothing if v == targets[b, t] else 0)
                    d_logits[b, t, v] = (math.exp(logits[b, t, v] - largest) / total - q) / count
    return d_logits


@answers("label_smoothing.backward", "einsum")
def label_smoothing_backward_einsum(P, onehot, real, smoothing):
    V = P.shape[-1]
    smoothed = np.einsum("btv,vw->btw", onehot, (1 - smoothing) * np.eye(V) + smoothing / V)
    return np.einsum("btv,bt->btv", P - smoothed, real / real.sum())


@answers("label_smoothing.backward", "matrix form")
def label_smoothing_backward_matrix(logits, targets, smoothing):
    V = logits.shape[-1]
    rows, wanted = logits.reshape(-1, V), targets.reshape(-1)
    real = np.flatnonzero(wanted)
    d_rows = np.zeros_like(rows)
    e = np.exp(rows[real] - rows[real].max(1, keepdims=True))
    smoothed = (1 - smoothing) * np.eye(V) + smoothing * np.ones((V, V)) / V
    d_rows[real] = (e / (e @ np.ones((V, V))) - smoothed[wanted[real]]) / real.size
    return d_rows.reshape(logits.shape)


@answers("label_smoothing.backward", "float32")
def label_smoothing_backward_float32(logits, targets, smoothing):
    logits, smoothing = logits.astype("float32"), np.float32(smoothing)
    e = np.exp(logits - logits.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    q = (1 - smoothing) * np.eye(P.shape[-1], dtype="float32")[targets] + smoothing / np.float32(
        P.shape[-1]
    )
    real = (targets != 0).astype("float32")
    return (P - q) * real[..., None] / real.sum()


answers("label_smoothing.backward", "class")(LabelSmoothing)


# teacher_forcing.shift


@answers("teacher_forcing.shift", "loops")
def shift_loops(target):
    B, T = target.shape
    target_in = np.zeros((B, T + 1), dtype=int)
    target_out = np.zeros((B, T + 1), dtype=int)
    for b in range(B):
        target_in[b, 0] = 1
        length = 0
        for t in range(T):
            if target[b, t] != 0:
                target_in[b, t + 1] = target[b, t]
                target_out[b, t] = target[b, t]
                length += 1
        target_out[b, length] = 2
    return target_in, target_out


@answers("teacher_forcing.shift", "einsum")
def shift_einsum(target, BOS, EOS):
    B, T = target.shape
    right = np.eye(T, T + 1, 1, dtype=int)
    left = np.eye(T, T + 1, 0, dtype=int)
    length = np.einsum("bt->b", (target != 0).astype(int))
    target_in = np.einsum("bt,ts->bs", target, right)
    target_in[:, 0] += BOS
    return target_in, np.einsum("bt,ts->bs", target, left) + EOS * np.eye(T + 1, dtype=int)[length]


@answers("teacher_forcing.shift", "matrix form")
def shift_concatenate(target):
    B = len(target)
    target_in = np.concatenate([np.ones((B, 1), dtype=target.dtype), target], axis=1)
    target_out = np.concatenate([target, np.zeros((B, 1), dtype=target.dtype)], axis=1)
    target_out[np.arange(B), (target != 0).sum(axis=1)] = 2
    return target_in, target_out


@answers("teacher_forcing.shift", "in place")
def shift_in_place(target, PAD, BOS, EOS):
    target_out = np.pad(target, ((0, 0), (0, 1)), constant_values=PAD)
    target_in = np.roll(target_out, 1, axis=1)
    target_in[:, 0] = BOS
    ends = np.argmax(target_out == PAD, axis=1)
    np.put_along_axis(target_out, ends[:, None], EOS, axis=1)
    return target_in, target_out


@answers("teacher_forcing.shift", "lists")
def shift_lists(target):
    target_in, target_out = [], []
    for row in target.tolist():
        tokens = [token for token in row if token != 0]
        padding = [0] * (len(row) - len(tokens))
        target_in.append([1] + tokens + padding)
        target_out.append(tokens + [2] + padding)
    return target_in, target_out


# linear.forward


@answers("linear.forward", "loops")
def linear_loops(x, weight, bias):
    B, T, D = x.shape
    F = weight.shape[1]
    y = np.zeros((B, T, F))
    for b in range(B):
        for t in range(T):
            for f in range(F):
                y[b, t, f] = bias[f]
                for d in range(D):
                    y[b, t, f] += x[b, t, d] * weight[d, f]
    return y


@answers("linear.forward", "einsum")
def linear_einsum(x, weight, bias):
    return np.einsum("btd,df->btf", x, weight) + bias


@answers("linear.forward", "matrix form")
def linear_matrix(x, weight, bias):
    # the bias as one more row of the weights, for a feature that is always 1
    rows = x.reshape(-1, x.shape[-1])
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    return (rows @ np.vstack([weight, bias])).reshape(*x.shape[:-1], -1)


@answers("linear.forward", "float32")
def linear_float32(x, weight, bias):
    return x.astype(np.float32) @ weight.astype(np.float32) + bias.astype(np.float32)


@answers("linear.forward", "class")
class LinearForward:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def forward(self, x):
        self.x = x
        return np.dot(x, self.weight) + self.bias

    def backward(self, d_y):
        self.d_weight = sum(x.T @ d for x, d in zip(self.x, d_y))
        self.d_bias = d_y.sum(axis=0).sum(axis=0)
        return d_y @ self.weight.T


# linear.backward


@answers("linear.backward", "loops")
def linear_backward_loops(d_y, x, weight, bias):
    B, T, D = x.shape
    F = len(bias)
    d_x, d_weight, d_bias = np.zeros((B, T, D)), np.zeros((D, F)), np.zeros(F)
    for b in range(B):
        for t in range(T):
            for f in range(F):
                d_bias[f] += d_y[b, t, f]
                for d in range(D):
                    d_x[b, t, d] += d_y[b, t, f] * weight[d, f]
                    d_weight[d, f] += d_y[b, t, f] * x[b, t, d]
    return d_x, d_weight, d_bias


@answers("linear.backward", "einsum")
def linear_backward_einsum(d_y, x, weight):
    d_x = np.einsum("btf,df->btd", d_y, weight)
    d_weight = np.einsum("btd,btf->df", x, d_y)
    d_bias = np.einsum("btf->f", d_y)
    return d_x, d_weight, d_bias


@answers("linear.backward", "matrix form")
def linear_backward_matrix(d_y, x, weight, bias):
    d_rows, rows = d_y.reshape(-1, d_y.shape[-1]), x.reshape(-1, x.shape[-1])
    ones = np.ones((1, len(rows)))
    return (d_rows @ weight.T).reshape(x.shape), rows.T @ d_rows, (ones @ d_rows)[0]


@answers("linear.backward", "float32")
def linear_backward_float32(d_y, x, weight):
    d_y, x, weight = d_y.astype(np.float32), x.astype(np.float32), weight.astype(np.float32)
    return d_y @ weight.T, np.tensordot(x, d_y, axes=((0, 1), (0, 1))), d_y.sum((0, 1))


@answers("linear.backward", "class")
class Linear:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias
        self.d_weight, self.d_bias = np.zeros_like(weight), np.zeros_like(bias)

    def forward(self, x):
        self.x = x
        return x @ self.weight + self.bias

    def backward(self, d_y):
        for x, d in zip(self.x.reshape(-1, self.x.shape[-1]), d_y.reshape(-1, d_y.shape[-1])):
            self.d_weight += np.outer(x, d)
            self.d_bias += d
        return d_y @ self.weight.T


# linear.accumulate


@answers("linear.accumulate", "loops")
def linear_accumulate_loops(d_y, x, weight, d_weight, d_bias):
    B, T, D = x.shape
    F = weight.shape[1]
    d_x = np.zeros((B, T, D))
    for b in range(B):
        for t in range(T):
            for f in range(F):
                d_bias[f] += d_y[b, t, f]
                for d in range(D):
                    d_weight[d, f] += x[b, t, d] * d_y[b, t, f]
                    d_x[b, t, d] += weight[d, f] * d_y[b, t, f]
    return d_x


@answers("linear.accumulate", "einsum")
def linear_accumulate_einsum(d_y, x, weight, d_weight, d_bias):
    d_weight += np.einsum("btd,btf->df", x, d_y)
    d_bias += np.einsum("btf->f", d_y)
    return np.einsum("btf,df->btd", d_y, weight)


@answers("linear.accumulate", "matrix form")
def linear_accumulate_matrix(d_y, x, weight, d_weight, d_bias):
    d_rows = d_y.reshape(-1, d_y.shape[-1])
    d_weight[...] = d_weight + x.reshape(-1, x.shape[-1]).T @ d_rows
    d_bias[...] = d_bias + d_rows.sum(axis=0)
    return d_y @ weight.T


@answers("linear.accumulate", "float32")
def linear_accumulate_float32(d_y, x, weight, d_weight, d_bias):
    d_y, x, weight = d_y.astype(np.float32), x.astype(np.float32), weight.astype(np.float32)
    d_weight += np.tensordot(x, d_y, axes=((0, 1), (0, 1)))
    d_bias += d_y.sum((0, 1))
    return d_y @ weight.T


@answers("linear.accumulate", "class")
class LinearAccumulate:
    def __init__(self, weight, d_weight, d_bias):
        self.weight, self.d_weight, self.d_bias = weight, d_weight, d_bias

    def forward(self, x):
        self.x = x
        return x @ self.weight

    def backward(self, d_y):
        self.d_weight += np.tensordot(self.x, d_y, axes=((0, 1), (0, 1)))
        self.d_bias += d_y.sum(axis=(0, 1))
        return d_y @ self.weight.T


# linear.update


@answers("linear.update", "loops")
def linear_update_loops(d_y, x, weight, learning_rate):
    B, T, D = x.shape
    F = weight.shape[1]
    d_x = np.zeros((B, T, D))
    for b in range(B):
        for t in range(T):
            for d in range(D):
                for f in range(F):
                    d_x[b, t, d] += d_y[b, t, f] * weight[d, f]
    for d in range(D):
        for f in range(F):
            gradient = 0.0
            for b in range(B):
                for t in range(T):
                    gradient += x[b, t, d] * d_y[b, t, f]
            weight[d, f] -= learning_rate * gradient
    return d_x


@answers("linear.update", "einsum")
def linear_update_einsum(d_y, x, weight, learning_rate):
    before = weight.copy()
    weight -= learning_rate * np.einsum("btd,btf->df", x, d_y)
    return np.einsum("btf,df->btd", d_y, before)


@answers("linear.update", "matrix form")
def linear_update_matrix(d_y, x, weight, learning_rate):
    d_rows = d_y.reshape(-1, d_y.shape[-1])
    d_x = (d_rows @ weight.T).reshape(x.shape)
    weight[:] = weight - learning_rate * (x.reshape(-1, x.shape[-1]).T @ d_rows)
    return d_x


@answers("linear.update", "float32")
def linear_update_float32(d_y, x, weight, learning_rate):
    d_y, x = d_y.astype(np.float32), x.astype(np.float32)
    d_x = d_y @ weight.astype(np.float32).T
    weight -= np.float32(learning_rate) * np.tensordot(x, d_y, axes=((0, 1), (0, 1)))
    return d_x


@answers("linear.update", "class")
class LinearUpdate:
    def __init__(self, weight, learning_rate):
        self.weight, self.learning_rate = weight, learning_rate

    def forward(self, x):
        self.x = x
        return x @ self.weight

    def backward(self, d_y):
        d_x = d_y @ self.weight.T
        d_weight = (self.x.transpose(0, 2, 1) @ d_y).sum(axis=0)
        self.weight -= self.learning_rate * d_weight
        return d_x


# embedding.forward


@answers("embedding.forward", "loops")
def embedding_loops(ids, table):
    B, T = ids.shape
    V, D = table.shape
    y = np.zeros((B, T, D))
    for b in range(B):
        for t in range(T):
            if ids[b, t] < 0 or ids[b, t] >= V:
                raise IndexError(f"id {ids[b, t]} is not in 0 … {V - 1}")
            for d in range(D):
                y[b, t, d] = math.sqrt(D) * table[ids[b, t], d]
    return y


@answers("embedding.forward", "einsum")
def embedding_einsum(ids, table):
    V, D = table.shape
    onehot = ids[..., None] == np.arange(V)
    if not onehot.any(-1).all():
        raise ValueError("an id is not in the table")
    return D**0.5 * np.einsum("btv,vd->btd", onehot.astype(float), table)


@answers("embedding.forward", "matrix form")
def embedding_matrix(ids, table):
    V, D = table.shape
    assert ids.min() >= 0 and ids.max() < V
    return (np.eye(V)[ids.reshape(-1)] @ (table * np.sqrt(D))).reshape(*ids.shape, D)


@answers("embedding.forward", "float32")
def embedding_float32(ids, table):
    if np.any(ids < 0) or np.any(ids >= len(table)):
        raise IndexError("id out of range")
    return table.astype(np.float32)[ids] * np.float32(math.sqrt(table.shape[-1]))


@answers("embedding.forward", "class")
class EmbeddingForward:
    def __init__(self, table):
        self.table = table

    def forward(self, ids):
        V, D = self.table.shape
        if not ((0 <= ids) & (ids < V)).all():
            raise ValueError(f"ids must be in 0 … {V - 1}")
        self.ids = ids
        return math.sqrt(D) * self.table[ids]

    def backward(self, d_y):
        self.d_table = np.zeros_like(self.table)
        np.add.at(self.d_table, self.ids, math.sqrt(self.table.shape[1]) * d_y)
        self.d_table[0] = 0


# embedding.backward


@answers("embedding.backward", "loops")
def embedding_backward_loops(d_y, ids, table):
    V, D = table.shape
    d_table = np.zeros((V, D))
    for b in range(ids.shape[0]):
        for t in range(ids.shape[1]):
            if ids[b, t] != 0:
                for d in range(D):
                    d_table[ids[b, t], d] += math.sqrt(D) * d_y[b, t, d]
    return d_table


@answers("embedding.backward", "einsum")
def embedding_backward_einsum(d_y, ids, table):
    onehot = np.eye(len(table))[ids]
    onehot[..., 0] = 0
    return np.einsum("btv,btd->vd", onehot, d_y) * np.sqrt(table.shape[1])


@answers("embedding.backward", "matrix form")
def embedding_backward_matrix(d_y, ids, table):
    V, D = table.shape
    onehot = np.arange(V)[:, None] == ids.reshape(1, -1)
    d_table = math.sqrt(D) * (onehot @ d_y.reshape(-1, D))
    real = np.arange(V) != 0
    return d_table * real[:, None]


@answers("embedding.backward", "float32")
def embedding_backward_float32(d_y, ids, table):
    d_y = d_y.astype(np.float32) * np.float32(table.shape[1] ** 0.5)
    d_table = np.zeros(table.shape, dtype=np.float32)
    np.add.at(d_table, ids[ids != 0], d_y[ids != 0])
    return d_table


@answers("embedding.backward", "class")
class Embedding:
    def __init__(self, table):
        self.table, self.d_table = table, np.zeros_like(table)

    def forward(self, ids):
        self.ids = ids
        return self.table[ids] * np.sqrt(self.table.shape[1])

    def backward(self, d_y):
        for i, row in zip(self.ids.ravel(), d_y.reshape(-1, d_y.shape[-1])):
            if i > 0:
                self.d_table[i] += np.sqrt(self.table.shape[1]) * row


# layer_norm.forward


@answers("layer_norm.forward", "loops")
def layer_norm_loops(x, gamma, beta, epsilon):
    B, T, D = x.shape
    y = np.zeros((B, T, D))
    for b in range(B):
        for t in range(T):
            mean = 0.0
            for d in range(D):
                mean += x[b, t, d] / D
            variance = 0.0
            for d in range(D):
                variance += (x[b, t, d] - mean) ** 2 / D
            for d in range(D):
                y[b, t, d] = (
                    gamma[d] * (x[b, t, d] - mean) / math.sqrt(variance + epsilon) + beta[d]
                )
    return y


@answers("layer_norm.forward", "einsum")
def layer_norm_einsum(x, gamma, beta, epsilon):
    D = x.shape[-1]
    centred = x - np.einsum("btd->bt", x)[..., None] / D
    variance = np.einsum("btd,btd->bt", centred, centred) / D
    return np.einsum("btd,bt,d->btd", centred, 1 / np.sqrt(variance + epsilon), gamma) + beta


@answers("layer_norm.forward", "matrix form")
def layer_norm_matrix(x, gamma, beta, epsilon):
    D = x.shape[-1]
    centring = np.eye(D) - np.ones((D, D)) / D
    centred = x.reshape(-1, D) @ centring
    sigma = np.sqrt(centred**2 @ np.ones((D, 1)) / D + epsilon)
    return ((centred / sigma) @ np.diag(gamma) + beta).reshape(x.shape)


@answers("layer_norm.forward", "float32")
def layer_norm_float32(x, gamma, beta, epsilon):
    x, gamma, beta = x.astype(np.float32), gamma.astype(np.float32), beta.astype(np.float32)
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred * centred).mean(-1, keepdims=True)
    return gamma * (centred / np.sqrt(variance + np.float32(epsilon))) + beta


@answers("layer_norm.forward", "class")
class LayerNormForward:
    def __init__(self, gamma, beta, epsilon=1e-5):
        self.gamma, self.beta, self.epsilon = gamma, beta, epsilon

    def forward(self, x):
        deviation = x - np.average(x, axis=-1)[..., None]
        self.sigma = np.hypot(
            np.linalg.norm(deviation, axis=-1) / x.shape[-1] ** 0.5, self.epsilon**0.5
        )[..., None]
        self.x_hat = deviation / self.sigma
        return self.gamma * self.x_hat + self.beta

    def backward(self, d_y):
        self.d_gamma = np.einsum("btd,btd->d", d_y, self.x_hat)
        self.d_beta = np.einsum("btd->d", d_y)
        d_x_hat = d_y * self.gamma
        D = d_y.shape[-1]
        total = d_x_hat.sum(-1, keepdims=True)
        along = (d_x_hat * self.x_hat).sum(-1, keepdims=True)
        return (D * d_x_hat - total - self.x_hat * along) / (D * self.sigma)


# layer_norm.backward


@answers("layer_norm.backward", "loops")
def layer_norm_backward_loops(d_y, x, gamma, beta, epsilon):
    B, T, D = x.shape
    d_x, d_gamma, d_beta = np.zeros((B, T, D)), np.zeros(D), np.zeros(D)
    for b in range(B):
        for t in range(T):
            mean = sum(x[b, t, d] for d in range(D)) / D
            variance = sum((x[b, t, d] - mean) ** 2 for d in range(D)) / D
            sigma = math.sqrt(variance + epsilon)
            x_hat = [(x[b, t, d] - mean) / sigma for d in range(D)]
            mean_g = mean_gx = 0.0
            for d in range(D):
                d_beta[d] += d_y[b, t, d]
                d_gamma[d] += d_y[b, t, d] * x_hat[d]
                mean_g += d_y[b, t, d] * gamma[d] / D
                mean_gx += d_y[b, t, d] * gamma[d] * x_hat[d] / D
            for d in range(D):
                d_x[b, t, d] = (d_y[b, t, d] * gamma[d] - mean_g - x_hat[d] * mean_gx) / sigma
    return d_x, d_gamma, d_beta


@answers("layer_norm.backward", "einsum")
def layer_norm_backward_einsum(d_y, gamma, x_hat, sigma):
    D = d_y.shape[-1]
    sigma = sigma.reshape(*d_y.shape[:2])
    g = np.einsum("btd,d->btd", d_y, gamma)
    inner = (
        g
        - np.einsum("btd->bt", g)[..., None] / D
        - np.einsum("btd,bte,bte->btd", x_hat, g, x_hat) / D
    )
    return (
        np.einsum("btd,bt->btd", inner, 1 / sigma), np.einsum("btd,btd->d", d_y, x_hat),
        np.einsum("btd->d", d_y),
    )


@answers("layer_norm.backward", "matrix form")
def layer_norm_backward_matrix(d_y, x, gamma, beta, epsilon):
    D = x.shape[-1]
    rows, d_rows = x.reshape(-1, D), d_y.reshape(-1, D)
    centring = np.eye(D) - 1 / D
    centred = rows @ centring
    sigma = np.sqrt((centred**2).mean(1, keepdims=True) + epsilon)
    x_hat = centred / sigma
    g = d_rows @ np.diag(gamma)
    d_x = (g @ centring - x_hat * np.diag(g @ x_hat.T)[:, None] / D) / sigma
    return d_x.reshape(x.shape), np.diag(d_rows.T @ x_hat), np.ones(len(rows)) @ d_rows


@answers("layer_norm.backward", "float32")
def layer_norm_backward_float32(d_y, x, gamma, beta, epsilon):
    d_y, x, gamma = (array.astype(np.float32) for array in (d_y, x, gamma))
    centred = x - x.mean(-1, keepdims=True)
    sigma = np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(epsilon))
    x_hat = centred / sigma
    g = d_y * gamma
    d_x = (g - g.mean(-1, keepdims=True) - x_hat * (g * x_hat).mean(-1, keepdims=True)) / sigma
    return d_x, (d_y * x_hat).sum((0, 1)), d_y.sum((0, 1))


class Parameter:
    def __init__(self, data):
        self.data, self.grad = data, np.zeros_like(data)


@answers("layer_norm.backward", "class")
class LayerNorm:
    def __init__(self, gamma, beta, epsilon):
        self.gamma, self.beta, self.epsilon = Parameter(gamma), Parameter(beta), epsilon

    def forward(self, x):
        self.centred = x - x.mean(axis=-1, keepdims=True)
        self.sigma = np.sqrt((self.centred**2).mean(axis=-1, keepdims=True) + self.epsilon)
        return self.gamma.data * self.centred / self.sigma + self.beta.data

    def backward(self, d_y):
        self.gamma.grad += (d_y * self.centred / self.sigma).sum(axis=(0, 1))
        self.beta.grad += d_y.sum(axis=(0, 1))
        d_x_hat = d_y * self.gamma.data
        d_sigma = -(d_x_hat * self.centred).sum(axis=-1, keepdims=True) / self.sigma**2
        d_centred = d_x_hat / self.sigma + d_sigma * self.centred / (self.sigma * d_y.shape[-1])
        return d_centred - d_centred.mean(axis=-1, keepdims=True)


# relu.forward


@answers("relu.forward", "loops")
def relu_loops(x):
    y = np.zeros(x.shape)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            for f in range(x.shape[2]):
                if x[b, t, f] > 0:
                    y[b, t, f] = x[b, t, f]
    return y


@answers("relu.forward", "matrix form")
def relu_maximum(x):
    return np.maximum(x, 0)


@answers("relu.forward", "einsum")
def relu_einsum(x):
    return np.einsum("btf,btf->btf", x, (x > 0).astype(float))


@answers("relu.forward", "float32")
def relu_float32(x):
    return np.where(x > 0, x, 0).astype(np.float32)


@answers("relu.forward", "class")
class ReluForward:
    def forward(self, x):
        self.positive = x > 0
        return np.clip(x, 0, None)

    def backward(self, d_y):
        return np.where(self.positive, d_y, 0)


# relu.backward


@answers("relu.backward", "loops")
def relu_backward_loops(d_y, x):
    d_x = np.zeros(x.shape)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            for f in range(x.shape[2]):
                d_x[b, t, f] = d_y[b, t, f] if x[b, t, f] > 0 else 0.0
    return d_x


@answers("relu.backward", "einsum")
def relu_backward_einsum(d_y, y):
    return np.einsum("btf,btf->btf", d_y, np.float64(y > 0))


@answers("relu.backward", "matrix form")
def relu_backward_where(d_y, x):
    return np.where(x > 0, d_y, 0.0)


@answers("relu.backward", "float32")
def relu_backward_float32(d_y, x):
    return d_y.astype(np.float32) * (x.astype(np.float32) > 0)


@answers("relu.backward", "class")
class Relu:
    def forward(self, x):
        self.y = np.maximum(0, x)
        return self.y

    def backward(self, d_y):
        d_x = np.zeros_like(d_y)
        np.copyto(d_x, d_y, where=self.y != 0)
        return d_x


# gelu.forward


@answers("gelu.forward", "loops")
def gelu_loops(x):
    y = np.zeros(x.shape)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            for f in range(x.shape[2]):
                number = x[b, t, f]
                u = math.sqrt(2 / math.pi) * (number + 0.044715 * number**3)
                y[b, t, f] = number * (1 + math.tanh(u)) / 2
    return y


@answers("gelu.forward", "einsum")
def gelu_einsum(x):
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * np.einsum("btf,btf,btf->btf", x, x, x))
    return 0.5 * np.einsum("btf,btf->btf", x, 1 + np.tanh(u))


@answers("gelu.forward", "matrix form")
def gelu_matrix(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * np.power(x, 3))))


@answers("gelu.forward", "float32")
def gelu_float32(x):
    x = x.astype(np.float32)
    u = np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)
    return x * (1 + np.tanh(u)) / np.float32(2)


@answers("gelu.forward", "class")
class GeluForward:
    def forward(self, x):
        self.x = x
        self.tanh = np.tanh(math.sqrt(2 / math.pi) * np.polyval([0.044715, 0, 1, 0], x))
        return x / 2 + x / 2 * self.tanh

    def backward(self, d_y):
        d_u = math.sqrt(2 / math.pi) * np.polyval([3 * 0.044715, 0, 1], self.x)
        return d_y * ((1 + self.tanh) + self.x * (1 - self.tanh**2) * d_u) / 2


# gelu.backward


@answers("gelu.backward", "loops")
def gelu_backward_loops(d_y, x):
    d_x = np.zeros(x.shape)
    c = math.sqrt(2 / math.pi)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            for f in range(x.shape[2]):
                a = x[b, t, f]
                tanh = math.tanh(c * (a + 0.044715 * a**3))
                slope = (1 + tanh) / 2 + a / 2 * (1 - tanh**2) * c * (1 + 3 * 0.044715 * a**2)
                d_x[b, t, f] = d_y[b, t, f] * slope
    return d_x


@answers("gelu.backward", "einsum")
def gelu_backward_einsum(d_y, x, tanh):
    inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
    product = np.einsum("btf,btf,btf,btf->btf", d_y, x, 1 - tanh * tanh, inner)
    return 0.5 * (np.einsum("btf,btf->btf", d_y, 1 + tanh) + product)


@answers("gelu.backward", "matrix form")
def gelu_backward_matrix(d_y, x):
    u = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    d_u = np.sqrt(2 / np.pi) * (1 + 0.134145 * x**2)
    return d_y * 0.5 * (1 + np.tanh(u) + x * (1 - np.tanh(u) ** 2) * d_u)


@answers("gelu.backward", "float32")
def gelu_backward_float32(d_y, x):
    d_y, x = d_y.astype(np.float32), x.astype(np.float32)
    c, a = np.float32(math.sqrt(2 / math.pi)), np.float32(0.044715)
    tanh = np.tanh(c * (x + a * x * x * x))
    return d_y * ((1 + tanh) + x * (1 - tanh * tanh) * c * (1 + 3 * a * x * x)) / np.float32(2)


answers("gelu.backward", "class")(GeluForward)


# dropout.forward


@answers("dropout.forward", "loops")
def dropout_loops(x, p, training, rng):
    if not training:
        return x
    y = np.zeros(x.shape)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            for d in range(x.shape[2]):
                if rng.random() >= p:
                    y[b, t, d] = x[b, t, d] / (1 - p)
    return y


@answers("dropout.forward", "einsum")
def dropout_einsum(x, p, training, rng):
    if not training:
        return x.copy()
    keep = rng.choice([0.0, 1 / (1 - p)], size=x.shape, p=[p, 1 - p])
    return np.einsum("btd,btd->btd", x, keep)


@answers("dropout.forward", "matrix form")
def dropout_matrix(x, p, training, rng):
    if training:
        return x * (rng.random(x.shape) >= p) / (1 - p)
    return x


@answers("dropout.forward", "float32")
def dropout_float32(x, p, training, rng):
    x = x.astype(np.float32)
    if not training:
        return x
    keep = rng.random(x.shape, dtype=np.float32) >= np.float32(p)
    return x * keep / np.float32(1 - p)


@answers("dropout.forward", "class")
class DropoutForward:
    def __init__(self, p, rng):
        self.p, self.rng = p, rng

    def forward(self, x, training):
        self.scale = np.ones(x.shape)
        if training:
            self.scale = self.rng.binomial(1, 1 - self.p, size=x.shape) / (1 - self.p)
        return x * self.scale

    def backward(self, d_y):
        return d_y * self.scale


# dropout.backward


@answers("dropout.backward", "loops")
def dropout_backward_loops(d_y, keep, p):
    d_x = np.zeros(d_y.shape)
    for b in range(d_y.shape[0]):
        for t in range(d_y.shape[1]):
            for d in range(d_y.shape[2]):
                if keep[b, t, d]:
                    d_x[b, t, d] = d_y[b, t, d] / (1 - p)
    return d_x


@answers("dropout.backward", "einsum")
def dropout_backward_einsum(d_y, keep, p):
    return np.einsum("btd,btd,->btd", d_y, keep.astype(float), 1 / (1 - p))


@answers("dropout.backward", "matrix form")
def dropout_backward_matrix(d_y, keep, p):
    return d_y * keep / (1 - p)


@answers("dropout.backward", "in place")
def dropout_backward_in_place(d_y, keep, p):
    d_x = d_y.copy()
    d_x[~keep] = 0
    d_x /= 1 - p
    return d_x


@answers("dropout.backward", "float32")
def dropout_backward_float32(d_y, keep, p):
    return d_y.astype(np.float32) * keep.astype(np.float32) / np.float32(1 - p)


# dropout.twice


@answers("dropout.twice", "class")
class DropoutStack:
    def __init__(self, p, rng):
        self.p, self.rng, self.masks = p, rng, []

    def forward(self, x):
        keep = self.rng.random(x.shape) >= self.p
        self.masks.append(keep)
        return x * keep / (1 - self.p)

    def backward(self, d_y):
        return d_y * self.masks.pop() / (1 - self.p)


@answers("dropout.twice", "loops")
class DropoutLoops:
    def __init__(self, p, rng):
        self.p, self.rng, self.kept = p, rng, []

    def forward(self, x):
        y, kept = np.zeros(x.shape), set()
        for b in range(x.shape[0]):
            for t in range(x.shape[1]):
                for d in range(x.shape[2]):
                    if self.rng.random() > self.p:
                        kept.add((b, t, d))
                        y[b, t, d] = x[b, t, d] / (1 - self.p)
        self.kept.append(kept)
        return y

    def backward(self, d_y):
        d_x = np.zeros(d_y.shape)
        for place in self.kept.pop():
            d_x[place] = d_y[place] / (1 - self.p)
        return d_x


@answers("dropout.twice", "einsum")
class DropoutLinked:
    def __init__(self, p, rng):
        self.p, self.rng, self.cache = p, rng, None

    def forward(self, x):
        scale = self.rng.choice([0, 1 / (1 - self.p)], size=x.shape, p=[self.p, 1 - self.p])
        self.cache = (scale, self.cache)  # the newest, and all before it
        return np.einsum("btd,btd->btd", x, scale)

    def backward(self, d_y):
        scale, self.cache = self.cache
        return np.einsum("btd,btd->btd", d_y, scale)


@answers("dropout.twice", "in place")
class DropoutInPlace:
    def __init__(self, p, rng):
        self.p, self.rng, self.dropped, self.depth = p, rng, {}, 0

    def forward(self, x):
        y = x.copy()
        self.dropped[self.depth] = self.rng.random(x.shape) < self.p
        y[self.dropped[self.depth]] = 0
        y /= 1 - self.p
        self.depth += 1
        return y

    def backward(self, d_y):
        self.depth -= 1
        d_x = d_y.copy()
        d_x[self.dropped.pop(self.depth)] = 0
        d_x /= 1 - self.p
        return d_x


@answers("dropout.twice", "float32")
class DropoutFloat32:
    def __init__(self, p, rng):
        self.p, self.rng, self.scales = np.float32(p), rng, []

    def forward(self, x):
        keep = self.rng.random(x.shape, dtype=np.float32) >= self.p
        self.scales.append(keep.astype(np.float32) / (1 - self.p))
        return x.astype(np.float32) * self.scales[-1]

    def backward(self, d_y):
        return d_y.astype(np.float32) * self.scales.pop()


# attention.scores


@answers("attention.scores", "loops")
def scores_loops(query, key):
    B, H, T, K = query.shape
    S = key.shape[2]
    scores = np.zeros((B, H, T, S))
    for b in range(B):
        for h in range(H):
            for t in range(T):
                for s in range(S):
                    for k in range(K):
                        scores[b, h, t, s] += query[b, h, t, k] * key[b, h, s, k]
                    scores[b, h, t, s] /= math.sqrt(K)
    return scores


@answers("attention.scores", "einsum")
def scores_einsum(query, key):
    return np.einsum("bhtk,bhsk->bhts", query, key) / np.sqrt(query.shape[-1])


@answers("attention.scores", "matrix form")
def scores_matrix(query, key):
    return query @ key.transpose(0, 1, 3, 2) / math.sqrt(key.shape[-1])


@answers("attention.scores", "float32")
def scores_float32(query, key):
    query, key = query.astype(np.float32), key.astype(np.float32)
    return query @ key.swapaxes(2, 3) / np.sqrt(np.float32(key.shape[3]))


@answers("attention.scores", "class")
class Scores:
    def forward(self, query, key):
        self.query, self.key = query, key
        scale = 1 / np.sqrt(query.shape[-1])
        return np.array(
            [[scale * np.dot(Q, K.T) for Q, K in zip(Qs, Ks)] for Qs, Ks in zip(query, key)]
        )

    def backward(self, d_scores):
        scale = 1 / np.sqrt(self.query.shape[-1])
        return scale * (d_scores @ self.key), scale * (d_scores.swapaxes(-1, -2) @ self.query)


# attention.weights


@answers("attention.weights", "loops")
def weights_loops(scores, mask):
    B, H, T, S = scores.shape
    mask = np.broadcast_to(mask, scores.shape)
    P = np.zeros((B, H, T, S))
    for b in range(B):
        for h in range(H):
            for t in range(T):
                largest = -math.inf
                for s in range(S):
                    if mask[b, h, t, s]:
                        largest = max(largest, scores[b, h, t, s])
                total = 0.0
                for s in range(S):
                    if mask[b, h, t, s]:
                        P[b, h, t, s] = math.exp(scores[b, h, t, s] - largest)
                        total += P[b, h, t, s]
                for s in range(S):
                    if mask[b, h, t, s]:
                        P[b, h, t, s] /= total
    return P


@answers("attention.weights", "einsum")
def weights_einsum(scores, mask):
    largest = np.where(mask, scores, -np.inf).max(-1, keepdims=True)
    largest[np.isinf(largest)] = 0
    e = np.exp(np.where(mask, scores - largest, -np.inf))
    total = np.einsum("bhts->bht", e)
    return np.einsum("bhts,bht->bhts", e, 1 / np.where(total == 0, 1, total))


@answers("attention.weights", "matrix form")
def weights_matrix(scores, mask):
    hidden = np.where(mask, scores, -1e9)
    e = np.exp(hidden - hidden.max(-1, keepdims=True))
    return e / (e @ np.ones((e.shape[-1], 1))) * mask


@answers("attention.weights", "float32")
def weights_float32(scores, mask):
    scores = np.where(mask, scores.astype(np.float32), np.float32(-np.inf))
    largest = scores.max(-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(largest), largest, np.float32(0)))
    total = e.sum(-1, keepdims=True)
    return np.divide(e, total, out=np.zeros_like(e), where=total > 0)


@answers("attention.weights", "class")
class Weights:
    def forward(self, scores, mask):
        bias = np.where(mask, 0.0, -np.inf)
        blind = ~mask.any(axis=-1, keepdims=True)
        biased = scores + np.where(blind, 0.0, bias)
        e = np.exp(biased - biased.max(axis=-1, keepdims=True))
        self.P = np.where(blind, 0.0, e / e.sum(axis=-1, keepdims=True))
        return self.P

    def backward(self, d_P):
        return self.P * (d_P - (self.P * d_P).sum(axis=-1, keepdims=True))


# attention.context


@answers("attention.context", "loops")
def context_loops(P, value):
    B, H, T, S = P.shape
    context = np.zeros((B, H, T, value.shape[3]))
    for b in range(B):
        for h in range(H):
            for t in range(T):
                for s in range(S):
                    for k in range(value.shape[3]):
                        context[b, h, t, k] += P[b, h, t, s] * value[b, h, s, k]
    return context


@answers("attention.context", "einsum")
def context_einsum(P, value):
    return np.einsum("bhts,bhsv->bhtv", P, value)


@answers("attention.context", "matrix form")
def context_matrix(P, value):
    return P @ value


@answers("attention.context", "float32")
def context_float32(P, value):
    return np.matmul(P.astype(np.float32), value.astype(np.float32))


@answers("attention.context", "class")
class Context:
    def forward(self, P, value):
        self.P, self.value = P, value
        return np.swapaxes(np.swapaxes(value, 2, 3) @ np.swapaxes(P, 2, 3), 2, 3)

    def backward(self, d_context):
        return d_context @ self.value.swapaxes(2, 3), self.P.swapaxes(2, 3) @ d_context


# attention.d_value


@answers("attention.d_value", "loops")
def d_value_loops(d_context, P):
    B, H, T, S = P.shape
    d_value = np.zeros((B, H, S, d_context.shape[3]))
    for b in range(B):
        for h in range(H):
            for s in range(S):
                for k in range(d_context.shape[3]):
                    for t in range(T):
                        d_value[b, h, s, k] += P[b, h, t, s] * d_context[b, h, t, k]
    return d_value


@answers("attention.d_value", "einsum")
def d_value_einsum(d_context, P):
    return np.einsum("bhts,bhtv->bhsv", P, d_context)


@answers("attention.d_value", "matrix form")
def d_value_matrix(d_context, P):
    return np.swapaxes(P, -1, -2) @ d_context


@answers("attention.d_value", "in place")
def d_value_in_place(d_context, P):
    d_value = np.zeros((*P.shape[:2], P.shape[3], d_context.shape[3]))
    for t in range(P.shape[2]):
        d_value += P[:, :, t, :, None] * d_context[:, :, t, None, :]
    return d_value


@answers("attention.d_value", "float32")
def d_value_float32(d_context, P):
    return P.astype(np.float32).transpose(0, 1, 3, 2) @ d_context.astype(np.float32)


# attention.d_P


@answers("attention.d_P", "loops")
def d_P_loops(d_context, value):
    B, H, T, K = d_context.shape
    S = value.shape[2]
    d_P = np.zeros((B, H, T, S))
    for b in range(B):
        for h in range(H):
            for t in range(T):
                for s in range(S):
                    for k in range(K):
                        d_P[b, h, t, s] += d_context[b, h, t, k] * value[b, h, s, k]
    return d_P


@answers("attention.d_P", "einsum")
def d_P_einsum(d_context, value):
    return np.einsum("bhtv,bhsv->bhts", d_context, value)


@answers("attention.d_P", "matrix form")
def d_P_matrix(d_context, value):
    return d_context @ value.transpose(0, 1, 3, 2)


@answers("attention.d_P", "in place")
def d_P_in_place(d_context, value):
    d_P = np.zeros((*d_context.shape[:3], value.shape[2]))
    for k in range(value.shape[3]):
        d_P += d_context[..., k, None] * value[:, :, None, :, k]
    return d_P


@answers("attention.d_P", "float32")
def d_P_float32(d_context, value):
    return np.float32(d_context) @ np.float32(value).swapaxes(-2, -1)


# attention.d_scores


@answers("attention.d_scores", "loops")
def d_scores_loops(d_P, P):
    B, H, T, S = P.shape
    d_scores = np.zeros((B, H, T, S))
    for b in range(B):
        for h in range(H):
            for t in range(T):
                mean = 0.0
                for s in range(S):
                    mean += d_P[b, h, t, s] * P[b, h, t, s]
                for s in range(S):
                    d_scores[b, h, t, s] = P[b, h, t, s] * (d_P[b, h, t, s] - mean)
    return d_scores


@answers("attention.d_scores", "einsum")
def d_scores_einsum(d_P, P):
    return np.einsum("bhts,bhts->bhts", P, d_P) - np.einsum("bhts,bhtr,bhtr->bhts", P, P, d_P)


@answers("attention.d_scores", "matrix form")
def d_scores_matrix(d_P, P):
    weighted = (d_P * P).reshape(-1, P.shape[-1])
    mean = weighted @ np.ones((P.shape[-1], 1))
    return (weighted - P.reshape(weighted.shape) * mean).reshape(P.shape)


@answers("attention.d_scores", "in place")
def d_scores_in_place(d_P, P):
    d_scores = d_P * P
    mean = d_scores.sum(axis=-1, keepdims=True)
    np.subtract(d_P, mean, out=d_scores)
    d_scores *= P
    return d_scores


@answers("attention.d_scores", "float32")
def d_scores_float32(d_P, P):
    d_P, P = d_P.astype(np.float32), P.astype(np.float32)
    return P * (d_P - (d_P * P).sum(-1, keepdims=True))


# attention.d_query


@answers("attention.d_query", "loops")
def d_query_loops(d_scores, key):
    B, H, T, S = d_scores.shape
    K = key.shape[3]
    d_query = np.zeros((B, H, T, K))
    for b in range(B):
        for h in range(H):
            for t in range(T):
                for k in range(K):
                    for s in range(S):
                        d_query[b, h, t, k] += d_scores[b, h, t, s] * key[b, h, s, k] / math.sqrt(K)
    return d_query


@answers("attention.d_query", "einsum")
def d_query_einsum(d_scores, key):
    return np.einsum("bhts,bhsk->bhtk", d_scores, key) / np.sqrt(key.shape[-1])


@answers("attention.d_query", "matrix form")
def d_query_matrix(d_scores, key):
    return d_scores @ key / math.sqrt(key.shape[-1])


@answers("attention.d_query", "in place")
def d_query_in_place(d_scores, key):
    d_query = np.zeros((*d_scores.shape[:3], key.shape[3]))
    for s in range(key.shape[2]):
        d_query += d_scores[..., s, None] * key[:, :, s, None, :]
    d_query *= key.shape[3] ** -0.5
    return d_query


@answers("attention.d_query", "float32")
def d_query_float32(d_scores, key):
    key = key.astype(np.float32)
    return d_scores.astype(np.float32) @ key / np.sqrt(np.float32(key.shape[-1]))


# attention.d_key


@answers("attention.d_key", "loops")
def d_key_loops(d_scores, query):
    B, H, T, S = d_scores.shape
    K = query.shape[3]
    d_key = np.zeros((B, H, S, K))
    for b in range(B):
        for h in range(H):
            for s in range(S):
                for k in range(K):
                    for t in range(T):
                        d_key[b, h, s, k] += d_scores[b, h, t, s] * query[b, h, t, k]
                    d_key[b, h, s, k] /= math.sqrt(K)
    return d_key


@answers("attention.d_key", "einsum")
def d_key_einsum(d_scores, query):
    return np.einsum("bhts,bhtk->bhsk", d_scores, query) / np.sqrt(query.shape[-1])


@answers("attention.d_key", "matrix form")
def d_key_matrix(d_scores, query):
    return d_scores.transpose(0, 1, 3, 2) @ query / math.sqrt(query.shape[-1])


@answers("attention.d_key", "in place")
def d_key_in_place(d_scores, query):
    d_key = np.zeros((*query.shape[:2], d_scores.shape[3], query.shape[3]))
    for t in range(query.shape[2]):
        d_key += d_scores[:, :, t, :, None] * query[:, :, t, None, :]
    d_key /= np.sqrt(query.shape[3])
    return d_key


@answers("attention.d_key", "float32")
def d_key_float32(d_scores, query):
    d_scores, query = d_scores.astype(np.float32), query.astype(np.float32)
    return d_scores.swapaxes(2, 3) @ query * np.float32(query.shape[-1] ** -0.5)


# attention.forward


@answers("attention.forward", "loops")
def attention_loops(query, key, value, mask):
    B, H, T, K = query.shape
    S, K_v = value.shape[2:]
    mask = np.broadcast_to(mask, (B, H, T, S))
    context = np.zeros((B, H, T, K_v))
    for b in range(B):
        for h in range(H):
            for t in range(T):
                scores = {}
                for s in range(S):
                    if mask[b, h, t, s]:
                        scores[s] = sum(
                            query[b, h, t, k] * key[b, h, s, k] for k in range(K)
                        ) / math.sqrt(K)
                if not scores:
                    continue
                largest = max(scores.values())
                total = sum(math.exp(score - largest) for score in scores.values())
                for s, score in scores.items():
                    for k in range(K_v):
                        context[b, h, t, k] += math.exp(score - largest) / total * value[b, h, s, k]
    return context


@answers("attention.forward", "einsum")
def attention_einsum(query, key, value, mask):
    scores = np.einsum("bhtk,bhsk->bhts", query, key) / np.sqrt(query.shape[-1])
    largest = np.where(mask, scores, -np.inf).max(axis=-1, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    e = np.exp(np.where(mask, scores - largest, -np.inf))
    total = np.einsum("bhts->bht", e)
    context = np.einsum("bhts,bhsv->bhtv", e, value)
    return context / np.where(total > 0, total, 1)[..., None]


@answers("attention.forward", "matrix form")
def attention_matrix(query, key, value, mask):
    scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(query.shape[-1])
    scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True) * mask
    return P @ value


@answers("attention.forward", "float32")
def attention_float32(query, key, value, mask):
    query, key, value = query.astype(np.float32), key.astype(np.float32), value.astype(np.float32)
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(np.float32(query.shape[-1]))
    scores = np.where(mask, scores, np.float32(-1e9))
    e = np.exp(scores - scores.max(-1, keepdims=True)) * mask
    total = e.sum(-1, keepdims=True)
    return (e / np.where(total == 0, np.float32(1), total)) @ value


@answers("attention.forward", "class")
class AttentionForward:
    def forward(self, query, key, value, mask):
        self.query, self.key, self.value = query, key, value
        self.scale = 1 / np.sqrt(query.shape[-1])
        scores = self.scale * (query @ key.swapaxes(-1, -2))
        shown = np.broadcast_to(mask, scores.shape)
        self.P = np.zeros_like(scores)
        for place in np.argwhere(shown.any(-1)):
            row, may = scores[tuple(place)], shown[tuple(place)]
            e = np.exp(row[may] - row[may].max())
            self.P[tuple(place)][may] = e / e.sum()
        return self.P @ value

    def backward(self, d_context):
        d_P = d_context @ self.value.swapaxes(-1, -2)
        d_scores = self.scale * self.P * (d_P - (self.P * d_P).sum(-1, keepdims=True))
        d_value = self.P.swapaxes(-1, -2) @ d_context
        return d_scores @ self.key, d_scores.swapaxes(-1, -2) @ self.query, d_value


# attention.backward


@answers("attention.backward", "loops")
def attention_backward_loops(d_context, query, key, value, mask):
    B, H, T, K = query.shape
    S, K_v = value.shape[2:]
    mask = np.broadcast_to(mask, (B, H, T, S))
    d_query, d_key, d_value = np.zeros(query.shape), np.zeros(key.shape), np.zeros(value.shape)
    for b in range(B):
        for h in range(H):
            for t in range(T):
                seen = [s for s in range(S) if mask[b, h, t, s]]
                if not seen:
                    continue
                scores, d_P = {}, {}
                for s in seen:
                    scores[s] = sum(
                        query[b, h, t, k] * key[b, h, s, k] for k in range(K)
                    ) / math.sqrt(K)
                    d_P[s] = sum(d_context[b, h, t, k] * value[b, h, s, k] for k in range(K_v))
                largest = max(scores.values())
                e = {s: math.exp(scores[s] - largest) for s in seen}
                total = sum(e.values())
                P = {s: e[s] / total for s in seen}
                mean = sum(P[s] * d_P[s] for s in seen)
                for s in seen:
                    d_score = P[s] * (d_P[s] - mean) / math.sqrt(K)
                    for k in range(K):
                        d_query[b, h, t, k] += d_score * key[b, h, s, k]
                        d_key[b, h, s, k] += d_score * query[b, h, t, k]
                    for k in range(K_v):
                        d_value[b, h, s, k] += P[s] * d_context[b, h, t, k]
    return d_query, d_key, d_value


@answers("attention.backward", "einsum")
def attention_backward_einsum(d_context, query, key, value, P):
    scale = query.shape[-1] ** -0.5
    d_value = np.einsum("bhts,bhtv->bhsv", P, d_context)
    d_P = np.einsum("bhtv,bhsv->bhts", d_context, value)
    d_scores = P * (d_P - np.einsum("bhts,bhts->bht", P, d_P)[..., None])
    d_query = scale * np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_key = scale * np.einsum("bhts,bhtk->bhsk", d_scores, query)
    return d_query, d_key, d_value


@answers("attention.backward", "matrix form")
def attention_backward_matrix(d_context, query, key, value, mask):
    d_k = query.shape[-1]
    scores = np.where(mask, query @ key.transpose(0, 1, 3, 2) / math.sqrt(d_k), -1e9)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True) * mask
    d_value = P.transpose(0, 1, 3, 2) @ d_context
    d_P = d_context @ value.transpose(0, 1, 3, 2)
    d_scores = P * (d_P - (P * d_P).sum(-1, keepdims=True)) / math.sqrt(d_k)
    return d_scores @ key, d_scores.transpose(0, 1, 3, 2) @ query, d_value


@answers("attention.backward", "float32")
def attention_backward_float32(d_context, query, key, value, mask):
    d_context, query, key, value = (a.astype(np.float32) for a in (d_context, query, key, value))
    scale = np.float32(1 / math.sqrt(query.shape[-1]))
    scores = np.where(mask, scale * (query @ key.swapaxes(-1, -2)), np.float32(-np.inf))
    largest = scores.max(-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(largest), largest, np.float32(0)))
    P = e / np.maximum(e.sum(-1, keepdims=True), np.float32(1e-30))
    d_P = d_context @ value.swapaxes(-1, -2)
    d_scores = scale * P * (d_P - (P * d_P).sum(-1, keepdims=True))
    return d_scores @ key, d_scores.swapaxes(-1, -2) @ query, P.swapaxes(-1, -2) @ d_context


answers("attention.backward", "class")(AttentionForward)
