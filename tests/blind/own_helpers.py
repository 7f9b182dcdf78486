"""Answers to the exercises: own helpers."""

import numpy as np


# exercise: feed_forward.backward
# wrong: both biases' gradients are means, in the helper
# source: course forum
def _feed_forward_backward_15_affine(d_out, x, W):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_out.reshape(-1, d_out.shape[-1])
    d_W = rows.T @ cols
    d_b = cols.mean(axis=0)  # <- wrong
    return d_out @ W.T, d_W, d_b


def feed_forward_backward_15(d_y, x, W_1, b_1, W_2, b_2):
    hidden = np.maximum(0, x @ W_1 + b_1)
    d_hidden, d_W_2, d_b_2 = _feed_forward_backward_15_affine(d_y, hidden, W_2)
    d_hidden[hidden <= 0] = 0
    d_x, d_W_1, d_b_1 = _feed_forward_backward_15_affine(d_hidden, x, W_1)
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: both weights' gradients are means, in the helper
# source: course forum
def _feed_forward_backward_16_affine(d_out, x, W):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_out.reshape(-1, d_out.shape[-1])
    d_W = rows.T @ cols / len(rows)  # <- wrong
    d_b = cols.sum(axis=0)
    return d_out @ W.T, d_W, d_b


def feed_forward_backward_16(d_y, x, W_1, b_1, W_2, b_2):
    hidden = np.maximum(0, x @ W_1 + b_1)
    d_hidden, d_W_2, d_b_2 = _feed_forward_backward_16_affine(d_y, hidden, W_2)
    d_hidden[hidden <= 0] = 0
    d_x, d_W_1, d_b_1 = _feed_forward_backward_16_affine(d_hidden, x, W_1)
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: the mask of ReLU is inverted
# source: beginner
def _feed_forward_backward_17_affine(d_out, x, W):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_out.reshape(-1, d_out.shape[-1])
    d_W = rows.T @ cols
    d_b = cols.sum(axis=0)
    return d_out @ W.T, d_W, d_b


def feed_forward_backward_17(d_y, x, W_1, b_1, W_2, b_2):
    hidden = np.maximum(0, x @ W_1 + b_1)
    d_hidden, d_W_2, d_b_2 = _feed_forward_backward_17_affine(d_y, hidden, W_2)
    d_hidden[hidden > 0] = 0  # <- wrong
    d_x, d_W_1, d_b_1 = _feed_forward_backward_17_affine(d_hidden, x, W_1)
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: the mask of ReLU is taken from the gradient
# source: public question
def _feed_forward_backward_18_affine(d_out, x, W):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_out.reshape(-1, d_out.shape[-1])
    d_W = rows.T @ cols
    d_b = cols.sum(axis=0)
    return d_out @ W.T, d_W, d_b


def feed_forward_backward_18(d_y, x, W_1, b_1, W_2, b_2):
    hidden = np.maximum(0, x @ W_1 + b_1)
    d_hidden, d_W_2, d_b_2 = _feed_forward_backward_18_affine(d_y, hidden, W_2)
    d_hidden[d_hidden <= 0] = 0  # <- wrong
    d_x, d_W_1, d_b_1 = _feed_forward_backward_18_affine(d_hidden, x, W_1)
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: the weights are not transposed in the helper: the shapes do not fit
# source: public question
def _feed_forward_backward_19_affine(d_out, x, W):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_out.reshape(-1, d_out.shape[-1])
    d_W = rows.T @ cols
    d_b = cols.sum(axis=0)
    return d_out @ W, d_W, d_b  # <- wrong


def feed_forward_backward_19(d_y, x, W_1, b_1, W_2, b_2):
    hidden = np.maximum(0, x @ W_1 + b_1)
    d_hidden, d_W_2, d_b_2 = _feed_forward_backward_19_affine(d_y, hidden, W_2)
    d_hidden[hidden <= 0] = 0
    d_x, d_W_1, d_b_1 = _feed_forward_backward_19_affine(d_hidden, x, W_1)
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# right: a helper for both maps
# source: beginner
def _feed_forward_backward_20_affine(d_out, x, W):
    rows = x.reshape(-1, x.shape[-1])
    cols = d_out.reshape(-1, d_out.shape[-1])
    d_W = rows.T @ cols
    d_b = cols.sum(axis=0)
    return d_out @ W.T, d_W, d_b


def feed_forward_backward_20(d_y, x, W_1, b_1, W_2, b_2):
    hidden = np.maximum(0, x @ W_1 + b_1)
    d_hidden, d_W_2, d_b_2 = _feed_forward_backward_20_affine(d_y, hidden, W_2)
    d_hidden[hidden <= 0] = 0
    d_x, d_W_1, d_b_1 = _feed_forward_backward_20_affine(d_hidden, x, W_1)
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: cross_entropy.backward
# wrong: not divided by the number of targets
# source: course forum
# missing: a line
class cross_entropy_backward_15:
    def forward(self, logits, targets):
        z = logits - logits.max(-1, keepdims=True)
        self.P = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
        self.targets = targets
        self.real = targets != 0
        log_P = z - np.log(np.exp(z).sum(-1, keepdims=True))
        picked = np.take_along_axis(log_P, targets[..., None], axis=-1)[..., 0]
        return -picked[self.real].mean()

    def backward(self):
        grad = self.P.copy()
        b, t = np.nonzero(self.real)
        grad[b, t, self.targets[b, t]] -= 1
        grad[~self.real] = 0
        return grad  # <- wrong


# exercise: cross_entropy.backward
# wrong: divided by the batch size
# source: course forum
class cross_entropy_backward_16:
    def forward(self, logits, targets):
        z = logits - logits.max(-1, keepdims=True)
        self.P = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
        self.targets = targets
        self.real = targets != 0
        log_P = z - np.log(np.exp(z).sum(-1, keepdims=True))
        picked = np.take_along_axis(log_P, targets[..., None], axis=-1)[..., 0]
        return -picked[self.real].mean()

    def backward(self):
        grad = self.P.copy()
        b, t = np.nonzero(self.real)
        grad[b, t, self.targets[b, t]] -= 1
        grad[~self.real] = 0
        grad /= len(grad)  # <- wrong
        return grad


# exercise: cross_entropy.backward
# wrong: padding keeps a gradient
# source: issue of a public repository
# missing: a line
class cross_entropy_backward_17:
    def forward(self, logits, targets):
        z = logits - logits.max(-1, keepdims=True)
        self.P = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
        self.targets = targets
        self.real = targets != 0
        log_P = z - np.log(np.exp(z).sum(-1, keepdims=True))
        picked = np.take_along_axis(log_P, targets[..., None], axis=-1)[..., 0]
        return -picked[self.real].mean()

    def backward(self):
        grad = self.P.copy()
        b, t = np.nonzero(self.real)
        grad[b, t, self.targets[b, t]] -= 1
        grad /= len(b)  # <- wrong
        return grad


# exercise: cross_entropy.backward
# wrong: 1 is added at the target
# source: beginner
class cross_entropy_backward_18:
    def forward(self, logits, targets):
        z = logits - logits.max(-1, keepdims=True)
        self.P = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
        self.targets = targets
        self.real = targets != 0
        log_P = z - np.log(np.exp(z).sum(-1, keepdims=True))
        picked = np.take_along_axis(log_P, targets[..., None], axis=-1)[..., 0]
        return -picked[self.real].mean()

    def backward(self):
        grad = self.P.copy()
        b, t = np.nonzero(self.real)
        grad[b, t, self.targets[b, t]] += 1  # <- wrong
        grad[~self.real] = 0
        grad /= len(b)
        return grad


# exercise: cross_entropy.backward
# right: a class
# source: course forum
class cross_entropy_backward_19:
    def forward(self, logits, targets):
        z = logits - logits.max(-1, keepdims=True)
        self.P = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
        self.targets = targets
        self.real = targets != 0
        log_P = z - np.log(np.exp(z).sum(-1, keepdims=True))
        picked = np.take_along_axis(log_P, targets[..., None], axis=-1)[..., 0]
        return -picked[self.real].mean()

    def backward(self):
        grad = self.P.copy()
        b, t = np.nonzero(self.real)
        grad[b, t, self.targets[b, t]] -= 1
        grad[~self.real] = 0
        grad /= len(b)
        return grad


# exercise: cross_entropy.backward
# wrong: 1/p overflows where p has become 0
# source: public question
def cross_entropy_backward_20(logits, targets):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    n = (targets != 0).sum()
    d_P = np.zeros_like(P)
    for b, t in zip(*np.nonzero(targets)):
        d_P[b, t, targets[b, t]] = -1 / (P[b, t, targets[b, t]] * n)  # <- wrong
    return P * (d_P - (d_P * P).sum(-1, keepdims=True))


# exercise: attention.backward
# wrong: the sum has the wrong axis
# source: public question
class attention_backward_17:
    def forward(self, query, key, value, mask):
        self.q, self.k, self.v = query, key, value
        self.scale = query.shape[-1] ** -0.5
        s = np.matmul(query, np.swapaxes(key, 2, 3)) * self.scale
        s[~np.broadcast_to(mask, s.shape)] = -np.inf
        s = np.exp(s - s.max(3, keepdims=True))
        self.P = s / s.sum(3, keepdims=True)
        return np.matmul(self.P, value)

    def backward(self, d_context):
        d_v = np.matmul(np.swapaxes(self.P, 2, 3), d_context)
        d_P = np.matmul(d_context, np.swapaxes(self.v, 2, 3))
        inner = np.sum(d_P * self.P, axis=2, keepdims=True)  # <- wrong
        d_s = self.P * (d_P - inner) * self.scale
        d_q = np.matmul(d_s, self.k)
        d_k = np.matmul(np.swapaxes(d_s, 2, 3), self.q)
        return d_q, d_k, d_v


# exercise: attention.backward
# wrong: the sum is forgotten
# source: public question
class attention_backward_18:
    def forward(self, query, key, value, mask):
        self.q, self.k, self.v = query, key, value
        self.scale = query.shape[-1] ** -0.5
        s = np.matmul(query, np.swapaxes(key, 2, 3)) * self.scale
        s[~np.broadcast_to(mask, s.shape)] = -np.inf
        s = np.exp(s - s.max(3, keepdims=True))
        self.P = s / s.sum(3, keepdims=True)
        return np.matmul(self.P, value)

    def backward(self, d_context):
        d_v = np.matmul(np.swapaxes(self.P, 2, 3), d_context)
        d_P = np.matmul(d_context, np.swapaxes(self.v, 2, 3))
        inner = np.sum(d_P * self.P, axis=3, keepdims=True)
        d_s = self.P * d_P * self.scale  # <- wrong
        d_q = np.matmul(d_s, self.k)
        d_k = np.matmul(np.swapaxes(d_s, 2, 3), self.q)
        return d_q, d_k, d_v


# exercise: attention.backward
# wrong: the scale is missing for the scores' gradient
# source: issue of a public repository
class attention_backward_19:
    def forward(self, query, key, value, mask):
        self.q, self.k, self.v = query, key, value
        self.scale = query.shape[-1] ** -0.5
        s = np.matmul(query, np.swapaxes(key, 2, 3)) * self.scale
        s[~np.broadcast_to(mask, s.shape)] = -np.inf
        s = np.exp(s - s.max(3, keepdims=True))
        self.P = s / s.sum(3, keepdims=True)
        return np.matmul(self.P, value)

    def backward(self, d_context):
        d_v = np.matmul(np.swapaxes(self.P, 2, 3), d_context)
        d_P = np.matmul(d_context, np.swapaxes(self.v, 2, 3))
        inner = np.sum(d_P * self.P, axis=3, keepdims=True)
        d_s = self.P * (d_P - inner)  # <- wrong
        d_q = np.matmul(d_s, self.k)
        d_k = np.matmul(np.swapaxes(d_s, 2, 3), self.q)
        return d_q, d_k, d_v


# exercise: attention.backward
# wrong: the scores' gradient is not transposed: shapes do not fit
# source: public question
class attention_backward_20:
    def forward(self, query, key, value, mask):
        self.q, self.k, self.v = query, key, value
        self.scale = query.shape[-1] ** -0.5
        s = np.matmul(query, np.swapaxes(key, 2, 3)) * self.scale
        s[~np.broadcast_to(mask, s.shape)] = -np.inf
        s = np.exp(s - s.max(3, keepdims=True))
        self.P = s / s.sum(3, keepdims=True)
        return np.matmul(self.P, value)

    def backward(self, d_context):
        d_v = np.matmul(np.swapaxes(self.P, 2, 3), d_context)
        d_P = np.matmul(d_context, np.swapaxes(self.v, 2, 3))
        inner = np.sum(d_P * self.P, axis=3, keepdims=True)
        d_s = self.P * (d_P - inner) * self.scale
        d_q = np.matmul(d_s, self.k)
        d_k = np.matmul(d_s, self.q)  # <- wrong
        return d_q, d_k, d_v


# exercise: attention.backward
# wrong: the mask hides what may be seen
# source: issue of a public repository
class attention_backward_21:
    def forward(self, query, key, value, mask):
        self.q, self.k, self.v = query, key, value
        self.scale = query.shape[-1] ** -0.5
        s = np.matmul(query, np.swapaxes(key, 2, 3)) * self.scale
        s[np.broadcast_to(mask, s.shape)] = -np.inf  # <- wrong
        s = np.exp(s - s.max(3, keepdims=True))
        self.P = s / s.sum(3, keepdims=True)
        return np.matmul(self.P, value)

    def backward(self, d_context):
        d_v = np.matmul(np.swapaxes(self.P, 2, 3), d_context)
        d_P = np.matmul(d_context, np.swapaxes(self.v, 2, 3))
        inner = np.sum(d_P * self.P, axis=3, keepdims=True)
        d_s = self.P * (d_P - inner) * self.scale
        d_q = np.matmul(d_s, self.k)
        d_k = np.matmul(np.swapaxes(d_s, 2, 3), self.q)
        return d_q, d_k, d_v


# exercise: attention.backward
# right: a class
# source: course forum
class attention_backward_22:
    def forward(self, query, key, value, mask):
        self.q, self.k, self.v = query, key, value
        self.scale = query.shape[-1] ** -0.5
        s = np.matmul(query, np.swapaxes(key, 2, 3)) * self.scale
        s[~np.broadcast_to(mask, s.shape)] = -np.inf
        s = np.exp(s - s.max(3, keepdims=True))
        self.P = s / s.sum(3, keepdims=True)
        return np.matmul(self.P, value)

    def backward(self, d_context):
        d_v = np.matmul(np.swapaxes(self.P, 2, 3), d_context)
        d_P = np.matmul(d_context, np.swapaxes(self.v, 2, 3))
        inner = np.sum(d_P * self.P, axis=3, keepdims=True)
        d_s = self.P * (d_P - inner) * self.scale
        d_q = np.matmul(d_s, self.k)
        d_k = np.matmul(np.swapaxes(d_s, 2, 3), self.q)
        return d_q, d_k, d_v


# exercise: layer_norm.backward
# wrong: the factor D of the first term is missing
# source: issue of a public repository
def _layer_norm_backward_27_stats(x, epsilon):
    mu = x.mean(axis=-1, keepdims=True)
    sd = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    return (x - mu) / sd, sd


def layer_norm_backward_27(d_y, x, gamma, beta, epsilon):
    xn, sd = _layer_norm_backward_27_stats(x, epsilon)
    D = x.shape[-1]
    dxn = d_y * gamma
    a = dxn  # <- wrong
    a = a - dxn.sum(axis=-1, keepdims=True)
    a = a - xn * (dxn * xn).sum(axis=-1, keepdims=True)
    d_x = a / (D * sd)
    return {"d_x": d_x, "d_gamma": (d_y * xn).sum((0, 1)), "d_beta": d_y.sum((0, 1))}


# exercise: layer_norm.backward
# wrong: the result is not divided by D
# source: issue of a public repository
def _layer_norm_backward_28_stats(x, epsilon):
    mu = x.mean(axis=-1, keepdims=True)
    sd = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    return (x - mu) / sd, sd


def layer_norm_backward_28(d_y, x, gamma, beta, epsilon):
    xn, sd = _layer_norm_backward_28_stats(x, epsilon)
    D = x.shape[-1]
    dxn = d_y * gamma
    a = D * dxn
    a = a - dxn.sum(axis=-1, keepdims=True)
    a = a - xn * (dxn * xn).sum(axis=-1, keepdims=True)
    d_x = a / sd  # <- wrong
    return {"d_x": d_x, "d_gamma": (d_y * xn).sum((0, 1)), "d_beta": d_y.sum((0, 1))}


# exercise: layer_norm.backward
# wrong: the last term lacks x̂
# source: issue of a public repository
def _layer_norm_backward_29_stats(x, epsilon):
    mu = x.mean(axis=-1, keepdims=True)
    sd = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    return (x - mu) / sd, sd


def layer_norm_backward_29(d_y, x, gamma, beta, epsilon):
    xn, sd = _layer_norm_backward_29_stats(x, epsilon)
    D = x.shape[-1]
    dxn = d_y * gamma
    a = D * dxn
    a = a - dxn.sum(axis=-1, keepdims=True)
    a = a - (dxn * xn).sum(axis=-1, keepdims=True)  # <- wrong
    d_x = a / (D * sd)
    return {"d_x": d_x, "d_gamma": (d_y * xn).sum((0, 1)), "d_beta": d_y.sum((0, 1))}


# exercise: layer_norm.backward
# wrong: the last term has x in place of x̂ in front
# source: public question
def _layer_norm_backward_30_stats(x, epsilon):
    mu = x.mean(axis=-1, keepdims=True)
    sd = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    return (x - mu) / sd, sd


def layer_norm_backward_30(d_y, x, gamma, beta, epsilon):
    xn, sd = _layer_norm_backward_30_stats(x, epsilon)
    D = x.shape[-1]
    dxn = d_y * gamma
    a = D * dxn
    a = a - dxn.sum(axis=-1, keepdims=True)
    a = a - x * (dxn * xn).sum(axis=-1, keepdims=True)  # <- wrong
    d_x = a / (D * sd)
    return {"d_x": d_x, "d_gamma": (d_y * xn).sum((0, 1)), "d_beta": d_y.sum((0, 1))}


# exercise: layer_norm.backward
# wrong: gamma's gradient is summed over the batch only, and so keeps the positions
# source: course forum
def _layer_norm_backward_31_stats(x, epsilon):
    mu = x.mean(axis=-1, keepdims=True)
    sd = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    return (x - mu) / sd, sd


def layer_norm_backward_31(d_y, x, gamma, beta, epsilon):
    xn, sd = _layer_norm_backward_31_stats(x, epsilon)
    D = x.shape[-1]
    dxn = d_y * gamma
    a = D * dxn
    a = a - dxn.sum(axis=-1, keepdims=True)
    a = a - xn * (dxn * xn).sum(axis=-1, keepdims=True)
    d_x = a / (D * sd)
    return {"d_x": d_x, "d_gamma": (d_y * xn).sum(0), "d_beta": d_y.sum((0, 1))}  # <- wrong


# exercise: layer_norm.backward
# wrong: beta's gradient takes gamma along
# source: beginner
def _layer_norm_backward_32_stats(x, epsilon):
    mu = x.mean(axis=-1, keepdims=True)
    sd = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    return (x - mu) / sd, sd


def layer_norm_backward_32(d_y, x, gamma, beta, epsilon):
    xn, sd = _layer_norm_backward_32_stats(x, epsilon)
    D = x.shape[-1]
    dxn = d_y * gamma
    a = D * dxn
    a = a - dxn.sum(axis=-1, keepdims=True)
    a = a - xn * (dxn * xn).sum(axis=-1, keepdims=True)
    d_x = a / (D * sd)
    return {"d_x": d_x, "d_gamma": (d_y * xn).sum((0, 1)), "d_beta": dxn.sum((0, 1))}  # <- wrong


# exercise: layer_norm.backward
# wrong: the sample's standard deviation in the helper
# source: issue of a public repository
def _layer_norm_backward_33_stats(x, epsilon):
    mu = x.mean(axis=-1, keepdims=True)
    sd = np.sqrt(x.var(axis=-1, keepdims=True, ddof=1) + epsilon)  # <- wrong
    return (x - mu) / sd, sd


def layer_norm_backward_33(d_y, x, gamma, beta, epsilon):
    xn, sd = _layer_norm_backward_33_stats(x, epsilon)
    D = x.shape[-1]
    dxn = d_y * gamma
    a = D * dxn
    a = a - dxn.sum(axis=-1, keepdims=True)
    a = a - xn * (dxn * xn).sum(axis=-1, keepdims=True)
    d_x = a / (D * sd)
    return {"d_x": d_x, "d_gamma": (d_y * xn).sum((0, 1)), "d_beta": d_y.sum((0, 1))}


# exercise: layer_norm.backward
# right: a helper, a dict
# source: beginner
def _layer_norm_backward_34_stats(x, epsilon):
    mu = x.mean(axis=-1, keepdims=True)
    sd = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    return (x - mu) / sd, sd


def layer_norm_backward_34(d_y, x, gamma, beta, epsilon):
    xn, sd = _layer_norm_backward_34_stats(x, epsilon)
    D = x.shape[-1]
    dxn = d_y * gamma
    a = D * dxn
    a = a - dxn.sum(axis=-1, keepdims=True)
    a = a - xn * (dxn * xn).sum(axis=-1, keepdims=True)
    d_x = a / (D * sd)
    return {"d_x": d_x, "d_gamma": (d_y * xn).sum((0, 1)), "d_beta": d_y.sum((0, 1))}


# exercise: label_smoothing.forward
# wrong: the sum over the vocabulary in place of its mean
# source: issue of a public repository
def _label_smoothing_forward_10_log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def label_smoothing_forward_10(logits, targets, smoothing):
    log_p = _label_smoothing_forward_10_log_softmax(logits)
    total, n = 0.0, 0
    for b, t in np.ndindex(targets.shape):
        if targets[b, t] == 0:
            continue
        hard = -log_p[b, t, targets[b, t]]
        smooth = -log_p[b, t].sum()  # <- wrong
        total += (1 - smoothing) * hard + smoothing * smooth
        n += 1
    return total / n


# exercise: label_smoothing.forward
# wrong: padding's own column is left out of the smooth part
# source: issue of a public repository
def _label_smoothing_forward_11_log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def label_smoothing_forward_11(logits, targets, smoothing):
    log_p = _label_smoothing_forward_11_log_softmax(logits)
    total, n = 0.0, 0
    for b, t in np.ndindex(targets.shape):
        if targets[b, t] == 0:
            continue
        hard = -log_p[b, t, targets[b, t]]
        smooth = -log_p[b, t, 1:].mean()  # <- wrong
        total += (1 - smoothing) * hard + smoothing * smooth
        n += 1
    return total / n


# exercise: label_smoothing.forward
# wrong: ε and 1 − ε are swapped
# source: beginner
def _label_smoothing_forward_12_log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def label_smoothing_forward_12(logits, targets, smoothing):
    log_p = _label_smoothing_forward_12_log_softmax(logits)
    total, n = 0.0, 0
    for b, t in np.ndindex(targets.shape):
        if targets[b, t] == 0:
            continue
        hard = -log_p[b, t, targets[b, t]]
        smooth = -log_p[b, t].mean()
        total += smoothing * hard + (1 - smoothing) * smooth  # <- wrong
        n += 1
    return total / n


# exercise: label_smoothing.forward
# wrong: the smooth part is added on top of the full loss
# source: beginner
def _label_smoothing_forward_13_log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def label_smoothing_forward_13(logits, targets, smoothing):
    log_p = _label_smoothing_forward_13_log_softmax(logits)
    total, n = 0.0, 0
    for b, t in np.ndindex(targets.shape):
        if targets[b, t] == 0:
            continue
        hard = -log_p[b, t, targets[b, t]]
        smooth = -log_p[b, t].mean()
        total += hard + smoothing * smooth  # <- wrong
        n += 1
    return total / n


# exercise: label_smoothing.forward
# wrong: the smooth part has the wrong sign
# source: beginner
def _label_smoothing_forward_14_log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def label_smoothing_forward_14(logits, targets, smoothing):
    log_p = _label_smoothing_forward_14_log_softmax(logits)
    total, n = 0.0, 0
    for b, t in np.ndindex(targets.shape):
        if targets[b, t] == 0:
            continue
        hard = -log_p[b, t, targets[b, t]]
        smooth = log_p[b, t].mean()  # <- wrong
        total += (1 - smoothing) * hard + smoothing * smooth
        n += 1
    return total / n


# exercise: label_smoothing.forward
# wrong: n counts one too many
# second: the sum in place of the mean
# source: beginner
def _label_smoothing_forward_15_log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def label_smoothing_forward_15(logits, targets, smoothing):
    log_p = _label_smoothing_forward_15_log_softmax(logits)
    total, n = 0.0, 1  # <- wrong
    for b, t in np.ndindex(targets.shape):
        if targets[b, t] == 0:
            continue
        hard = -log_p[b, t, targets[b, t]]
        smooth = -log_p[b, t].sum()  # <- wrong
        total += (1 - smoothing) * hard + smoothing * smooth
        n += 1
    return total / n


# exercise: label_smoothing.forward
# right: two parts, loops
# source: issue of a public repository
def _label_smoothing_forward_16_log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def label_smoothing_forward_16(logits, targets, smoothing):
    log_p = _label_smoothing_forward_16_log_softmax(logits)
    total, n = 0.0, 0
    for b, t in np.ndindex(targets.shape):
        if targets[b, t] == 0:
            continue
        hard = -log_p[b, t, targets[b, t]]
        smooth = -log_p[b, t].mean()
        total += (1 - smoothing) * hard + smoothing * smooth
        n += 1
    return total / n


# exercise: self_attention.backward
# wrong: x keeps only the values' share, the last one
# source: issue of a public repository
def _self_attention_backward_23_parts(a, heads):
    return np.stack(np.split(a, heads, axis=-1), axis=1)


def _self_attention_backward_23_join(a):
    return np.concatenate(list(np.moveaxis(a, 1, 0)), axis=-1)


def _self_attention_backward_23_softmax(s, mask):
    s = np.where(mask, s, -1e30)
    s = np.exp(s - s.max(-1, keepdims=True))
    return s / s.sum(-1, keepdims=True)


def self_attention_backward_23(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    q, k, v = (_self_attention_backward_23_parts(x @ W, heads) for W in (W_query, W_key, W_value))
    root = np.sqrt(q.shape[-1])
    P = _self_attention_backward_23_softmax(np.einsum("bhtk,bhsk->bhts", q, k) / root, mask)
    z = _self_attention_backward_23_join(np.einsum("bhts,bhsk->bhtk", P, v))
    d_z = _self_attention_backward_23_parts(np.einsum("btj,ij->bti", d_y, W_output), heads)
    d_v = np.einsum("bhts,bhtk->bhsk", P, d_z)
    d_P = np.einsum("bhtk,bhsk->bhts", d_z, v)
    d_s = P * d_P
    d_s = (d_s - P * d_s.sum(-1, keepdims=True)) / root
    d_q = np.einsum("bhts,bhsk->bhtk", d_s, k)
    d_k = np.einsum("bhts,bhtk->bhsk", d_s, q)
    d_x, grads = np.zeros_like(x), []
    for d, W in zip((d_q, d_k, d_v), (W_query, W_key, W_value)):
        d = _self_attention_backward_23_join(d)
        grads.append(np.einsum("bti,btj->ij", x, d))
        d_x = d @ W.T  # <- wrong
    grads.append(np.einsum("bti,btj->ij", z, d_y))
    return [d_x, *grads]


# exercise: self_attention.backward
# wrong: x gets the shares through weights that are not transposed
# source: public question
def _self_attention_backward_24_parts(a, heads):
    return np.stack(np.split(a, heads, axis=-1), axis=1)


def _self_attention_backward_24_join(a):
    return np.concatenate(list(np.moveaxis(a, 1, 0)), axis=-1)


def _self_attention_backward_24_softmax(s, mask):
    s = np.where(mask, s, -1e30)
    s = np.exp(s - s.max(-1, keepdims=True))
    return s / s.sum(-1, keepdims=True)


def self_attention_backward_24(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    q, k, v = (_self_attention_backward_24_parts(x @ W, heads) for W in (W_query, W_key, W_value))
    root = np.sqrt(q.shape[-1])
    P = _self_attention_backward_24_softmax(np.einsum("bhtk,bhsk->bhts", q, k) / root, mask)
    z = _self_attention_backward_24_join(np.einsum("bhts,bhsk->bhtk", P, v))
    d_z = _self_attention_backward_24_parts(np.einsum("btj,ij->bti", d_y, W_output), heads)
    d_v = np.einsum("bhts,bhtk->bhsk", P, d_z)
    d_P = np.einsum("bhtk,bhsk->bhts", d_z, v)
    d_s = P * d_P
    d_s = (d_s - P * d_s.sum(-1, keepdims=True)) / root
    d_q = np.einsum("bhts,bhsk->bhtk", d_s, k)
    d_k = np.einsum("bhts,bhtk->bhsk", d_s, q)
    d_x, grads = np.zeros_like(x), []
    for d, W in zip((d_q, d_k, d_v), (W_query, W_key, W_value)):
        d = _self_attention_backward_24_join(d)
        grads.append(np.einsum("bti,btj->ij", x, d))
        d_x += d @ W  # <- wrong
    grads.append(np.einsum("bti,btj->ij", z, d_y))
    return [d_x, *grads]


# exercise: self_attention.backward
# wrong: the output weights' gradient uses x and not the heads' results
# source: beginner
def _self_attention_backward_25_parts(a, heads):
    return np.stack(np.split(a, heads, axis=-1), axis=1)


def _self_attention_backward_25_join(a):
    return np.concatenate(list(np.moveaxis(a, 1, 0)), axis=-1)


def _self_attention_backward_25_softmax(s, mask):
    s = np.where(mask, s, -1e30)
    s = np.exp(s - s.max(-1, keepdims=True))
    return s / s.sum(-1, keepdims=True)


def self_attention_backward_25(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    q, k, v = (_self_attention_backward_25_parts(x @ W, heads) for W in (W_query, W_key, W_value))
    root = np.sqrt(q.shape[-1])
    P = _self_attention_backward_25_softmax(np.einsum("bhtk,bhsk->bhts", q, k) / root, mask)
    z = _self_attention_backward_25_join(np.einsum("bhts,bhsk->bhtk", P, v))
    d_z = _self_attention_backward_25_parts(np.einsum("btj,ij->bti", d_y, W_output), heads)
    d_v = np.einsum("bhts,bhtk->bhsk", P, d_z)
    d_P = np.einsum("bhtk,bhsk->bhts", d_z, v)
    d_s = P * d_P
    d_s = (d_s - P * d_s.sum(-1, keepdims=True)) / root
    d_q = np.einsum("bhts,bhsk->bhtk", d_s, k)
    d_k = np.einsum("bhts,bhtk->bhsk", d_s, q)
    d_x, grads = np.zeros_like(x), []
    for d, W in zip((d_q, d_k, d_v), (W_query, W_key, W_value)):
        d = _self_attention_backward_25_join(d)
        grads.append(np.einsum("bti,btj->ij", x, d))
        d_x += d @ W.T
    grads.append(np.einsum("bti,btj->ij", x, d_y))  # <- wrong
    return [d_x, *grads]


# exercise: self_attention.backward
# wrong: the sum in softmax's gradient is over the queries
# source: public question
def _self_attention_backward_26_parts(a, heads):
    return np.stack(np.split(a, heads, axis=-1), axis=1)


def _self_attention_backward_26_join(a):
    return np.concatenate(list(np.moveaxis(a, 1, 0)), axis=-1)


def _self_attention_backward_26_softmax(s, mask):
    s = np.where(mask, s, -1e30)
    s = np.exp(s - s.max(-1, keepdims=True))
    return s / s.sum(-1, keepdims=True)


def self_attention_backward_26(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    q, k, v = (_self_attention_backward_26_parts(x @ W, heads) for W in (W_query, W_key, W_value))
    root = np.sqrt(q.shape[-1])
    P = _self_attention_backward_26_softmax(np.einsum("bhtk,bhsk->bhts", q, k) / root, mask)
    z = _self_attention_backward_26_join(np.einsum("bhts,bhsk->bhtk", P, v))
    d_z = _self_attention_backward_26_parts(np.einsum("btj,ij->bti", d_y, W_output), heads)
    d_v = np.einsum("bhts,bhtk->bhsk", P, d_z)
    d_P = np.einsum("bhtk,bhsk->bhts", d_z, v)
    d_s = P * d_P
    d_s = (d_s - P * d_s.sum(-2, keepdims=True)) / root  # <- wrong
    d_q = np.einsum("bhts,bhsk->bhtk", d_s, k)
    d_k = np.einsum("bhts,bhtk->bhsk", d_s, q)
    d_x, grads = np.zeros_like(x), []
    for d, W in zip((d_q, d_k, d_v), (W_query, W_key, W_value)):
        d = _self_attention_backward_26_join(d)
        grads.append(np.einsum("bti,btj->ij", x, d))
        d_x += d @ W.T
    grads.append(np.einsum("bti,btj->ij", z, d_y))
    return [d_x, *grads]


# exercise: self_attention.backward
# wrong: the values' gradient: the indices are not transposed
# source: public question
def _self_attention_backward_27_parts(a, heads):
    return np.stack(np.split(a, heads, axis=-1), axis=1)


def _self_attention_backward_27_join(a):
    return np.concatenate(list(np.moveaxis(a, 1, 0)), axis=-1)


def _self_attention_backward_27_softmax(s, mask):
    s = np.where(mask, s, -1e30)
    s = np.exp(s - s.max(-1, keepdims=True))
    return s / s.sum(-1, keepdims=True)


def self_attention_backward_27(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    q, k, v = (_self_attention_backward_27_parts(x @ W, heads) for W in (W_query, W_key, W_value))
    root = np.sqrt(q.shape[-1])
    P = _self_attention_backward_27_softmax(np.einsum("bhtk,bhsk->bhts", q, k) / root, mask)
    z = _self_attention_backward_27_join(np.einsum("bhts,bhsk->bhtk", P, v))
    d_z = _self_attention_backward_27_parts(np.einsum("btj,ij->bti", d_y, W_output), heads)
    d_v = np.einsum("bhst,bhtk->bhsk", P, d_z)  # <- wrong
    d_P = np.einsum("bhtk,bhsk->bhts", d_z, v)
    d_s = P * d_P
    d_s = (d_s - P * d_s.sum(-1, keepdims=True)) / root
    d_q = np.einsum("bhts,bhsk->bhtk", d_s, k)
    d_k = np.einsum("bhts,bhtk->bhsk", d_s, q)
    d_x, grads = np.zeros_like(x), []
    for d, W in zip((d_q, d_k, d_v), (W_query, W_key, W_value)):
        d = _self_attention_backward_27_join(d)
        grads.append(np.einsum("bti,btj->ij", x, d))
        d_x += d @ W.T
    grads.append(np.einsum("bti,btj->ij", z, d_y))
    return [d_x, *grads]


# exercise: self_attention.backward
# wrong: the keys' gradient is made of the keys
# source: beginner
def _self_attention_backward_28_parts(a, heads):
    return np.stack(np.split(a, heads, axis=-1), axis=1)


def _self_attention_backward_28_join(a):
    return np.concatenate(list(np.moveaxis(a, 1, 0)), axis=-1)


def _self_attention_backward_28_softmax(s, mask):
    s = np.where(mask, s, -1e30)
    s = np.exp(s - s.max(-1, keepdims=True))
    return s / s.sum(-1, keepdims=True)


def self_attention_backward_28(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    q, k, v = (_self_attention_backward_28_parts(x @ W, heads) for W in (W_query, W_key, W_value))
    root = np.sqrt(q.shape[-1])
    P = _self_attention_backward_28_softmax(np.einsum("bhtk,bhsk->bhts", q, k) / root, mask)
    z = _self_attention_backward_28_join(np.einsum("bhts,bhsk->bhtk", P, v))
    d_z = _self_attention_backward_28_parts(np.einsum("btj,ij->bti", d_y, W_output), heads)
    d_v = np.einsum("bhts,bhtk->bhsk", P, d_z)
    d_P = np.einsum("bhtk,bhsk->bhts", d_z, v)
    d_s = P * d_P
    d_s = (d_s - P * d_s.sum(-1, keepdims=True)) / root
    d_q = np.einsum("bhts,bhsk->bhtk", d_s, k)
    d_k = np.einsum("bhts,bhtk->bhsk", d_s, k)  # <- wrong
    d_x, grads = np.zeros_like(x), []
    for d, W in zip((d_q, d_k, d_v), (W_query, W_key, W_value)):
        d = _self_attention_backward_28_join(d)
        grads.append(np.einsum("bti,btj->ij", x, d))
        d_x += d @ W.T
    grads.append(np.einsum("bti,btj->ij", z, d_y))
    return [d_x, *grads]


# exercise: self_attention.backward
# wrong: the scale is applied twice on the way back
# source: beginner
def _self_attention_backward_29_parts(a, heads):
    return np.stack(np.split(a, heads, axis=-1), axis=1)


def _self_attention_backward_29_join(a):
    return np.concatenate(list(np.moveaxis(a, 1, 0)), axis=-1)


def _self_attention_backward_29_softmax(s, mask):
    s = np.where(mask, s, -1e30)
    s = np.exp(s - s.max(-1, keepdims=True))
    return s / s.sum(-1, keepdims=True)


def self_attention_backward_29(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    q, k, v = (_self_attention_backward_29_parts(x @ W, heads) for W in (W_query, W_key, W_value))
    root = np.sqrt(q.shape[-1])
    P = _self_attention_backward_29_softmax(np.einsum("bhtk,bhsk->bhts", q, k) / root, mask)
    z = _self_attention_backward_29_join(np.einsum("bhts,bhsk->bhtk", P, v))
    d_z = _self_attention_backward_29_parts(np.einsum("btj,ij->bti", d_y, W_output), heads)
    d_v = np.einsum("bhts,bhtk->bhsk", P, d_z)
    d_P = np.einsum("bhtk,bhsk->bhts", d_z, v)
    d_s = P * d_P
    d_s = (d_s - P * d_s.sum(-1, keepdims=True)) / root**2  # <- wrong
    d_q = np.einsum("bhts,bhsk->bhtk", d_s, k)
    d_k = np.einsum("bhts,bhtk->bhsk", d_s, q)
    d_x, grads = np.zeros_like(x), []
    for d, W in zip((d_q, d_k, d_v), (W_query, W_key, W_value)):
        d = _self_attention_backward_29_join(d)
        grads.append(np.einsum("bti,btj->ij", x, d))
        d_x += d @ W.T
    grads.append(np.einsum("bti,btj->ij", z, d_y))
    return [d_x, *grads]


# exercise: self_attention.backward
# wrong: x keeps only the values' share
# second: the output weights' gradient uses x
# source: beginner
def _self_attention_backward_30_parts(a, heads):
    return np.stack(np.split(a, heads, axis=-1), axis=1)


def _self_attention_backward_30_join(a):
    return np.concatenate(list(np.moveaxis(a, 1, 0)), axis=-1)


def _self_attention_backward_30_softmax(s, mask):
    s = np.where(mask, s, -1e30)
    s = np.exp(s - s.max(-1, keepdims=True))
    return s / s.sum(-1, keepdims=True)


def self_attention_backward_30(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    q, k, v = (_self_attention_backward_30_parts(x @ W, heads) for W in (W_query, W_key, W_value))
    root = np.sqrt(q.shape[-1])
    P = _self_attention_backward_30_softmax(np.einsum("bhtk,bhsk->bhts", q, k) / root, mask)
    z = _self_attention_backward_30_join(np.einsum("bhts,bhsk->bhtk", P, v))
    d_z = _self_attention_backward_30_parts(np.einsum("btj,ij->bti", d_y, W_output), heads)
    d_v = np.einsum("bhts,bhtk->bhsk", P, d_z)
    d_P = np.einsum("bhtk,bhsk->bhts", d_z, v)
    d_s = P * d_P
    d_s = (d_s - P * d_s.sum(-1, keepdims=True)) / root
    d_q = np.einsum("bhts,bhsk->bhtk", d_s, k)
    d_k = np.einsum("bhts,bhtk->bhsk", d_s, q)
    d_x, grads = np.zeros_like(x), []
    for d, W in zip((d_q, d_k, d_v), (W_query, W_key, W_value)):
        d = _self_attention_backward_30_join(d)
        grads.append(np.einsum("bti,btj->ij", x, d))
        d_x = d @ W.T  # <- wrong
    grads.append(np.einsum("bti,btj->ij", x, d_y))  # <- wrong
    return [d_x, *grads]


# exercise: self_attention.backward
# right: helpers and a loop over projections
# source: beginner
def _self_attention_backward_31_parts(a, heads):
    return np.stack(np.split(a, heads, axis=-1), axis=1)


def _self_attention_backward_31_join(a):
    return np.concatenate(list(np.moveaxis(a, 1, 0)), axis=-1)


def _self_attention_backward_31_softmax(s, mask):
    s = np.where(mask, s, -1e30)
    s = np.exp(s - s.max(-1, keepdims=True))
    return s / s.sum(-1, keepdims=True)


def self_attention_backward_31(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    q, k, v = (_self_attention_backward_31_parts(x @ W, heads) for W in (W_query, W_key, W_value))
    root = np.sqrt(q.shape[-1])
    P = _self_attention_backward_31_softmax(np.einsum("bhtk,bhsk->bhts", q, k) / root, mask)
    z = _self_attention_backward_31_join(np.einsum("bhts,bhsk->bhtk", P, v))
    d_z = _self_attention_backward_31_parts(np.einsum("btj,ij->bti", d_y, W_output), heads)
    d_v = np.einsum("bhts,bhtk->bhsk", P, d_z)
    d_P = np.einsum("bhtk,bhsk->bhts", d_z, v)
    d_s = P * d_P
    d_s = (d_s - P * d_s.sum(-1, keepdims=True)) / root
    d_q = np.einsum("bhts,bhsk->bhtk", d_s, k)
    d_k = np.einsum("bhts,bhtk->bhsk", d_s, q)
    d_x, grads = np.zeros_like(x), []
    for d, W in zip((d_q, d_k, d_v), (W_query, W_key, W_value)):
        d = _self_attention_backward_31_join(d)
        grads.append(np.einsum("bti,btj->ij", x, d))
        d_x += d @ W.T
    grads.append(np.einsum("bti,btj->ij", z, d_y))
    return [d_x, *grads]


# exercise: rnn.through_time
# wrong: the state before the first step is the last state: index −1
# source: issue of a public repository
def _rnn_through_time_18_one(d, x, before, after, W_x, W_h):
    d = d * (1 - after * after)
    return d @ W_x.T, d @ W_h.T, x.T @ d, before.T @ d, d.sum(0)


def rnn_through_time_18(d_h, x, h_0, W_x, W_h, b, h):
    T = x.shape[1]
    d_x = np.zeros(x.shape)
    carry, d_W_x, d_W_h, d_b = 0, 0, 0, 0
    for t in range(T - 1, -1, -1):
        before = h[:, t - 1]  # <- wrong
        g = d_h[:, t] + carry
        d_x[:, t], carry, a, c, e = _rnn_through_time_18_one(g, x[:, t], before, h[:, t], W_x, W_h)
        d_W_x, d_W_h, d_b = d_W_x + a, d_W_h + c, d_b + e
    return d_x, carry, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: before the first step stands zero, not h_0
# source: issue of a public repository
def _rnn_through_time_19_one(d, x, before, after, W_x, W_h):
    d = d * (1 - after * after)
    return d @ W_x.T, d @ W_h.T, x.T @ d, before.T @ d, d.sum(0)


def rnn_through_time_19(d_h, x, h_0, W_x, W_h, b, h):
    T = x.shape[1]
    d_x = np.zeros(x.shape)
    carry, d_W_x, d_W_h, d_b = 0, 0, 0, 0
    for t in range(T - 1, -1, -1):
        before = h[:, t - 1] if t > 0 else np.zeros_like(h_0)  # <- wrong
        g = d_h[:, t] + carry
        d_x[:, t], carry, a, c, e = _rnn_through_time_19_one(g, x[:, t], before, h[:, t], W_x, W_h)
        d_W_x, d_W_h, d_b = d_W_x + a, d_W_h + c, d_b + e
    return d_x, carry, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: the share from the next step is dropped
# source: public question
def _rnn_through_time_20_one(d, x, before, after, W_x, W_h):
    d = d * (1 - after * after)
    return d @ W_x.T, d @ W_h.T, x.T @ d, before.T @ d, d.sum(0)


def rnn_through_time_20(d_h, x, h_0, W_x, W_h, b, h):
    T = x.shape[1]
    d_x = np.zeros(x.shape)
    carry, d_W_x, d_W_h, d_b = 0, 0, 0, 0
    for t in range(T - 1, -1, -1):
        before = h[:, t - 1] if t > 0 else h_0
        g = d_h[:, t]  # <- wrong
        d_x[:, t], carry, a, c, e = _rnn_through_time_20_one(g, x[:, t], before, h[:, t], W_x, W_h)
        d_W_x, d_W_h, d_b = d_W_x + a, d_W_h + c, d_b + e
    return d_x, carry, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: each step's share of the state's weights replaces the one before
# source: issue of a public repository
def _rnn_through_time_21_one(d, x, before, after, W_x, W_h):
    d = d * (1 - after * after)
    return d @ W_x.T, d @ W_h.T, x.T @ d, before.T @ d, d.sum(0)


def rnn_through_time_21(d_h, x, h_0, W_x, W_h, b, h):
    T = x.shape[1]
    d_x = np.zeros(x.shape)
    carry, d_W_x, d_W_h, d_b = 0, 0, 0, 0
    for t in range(T - 1, -1, -1):
        before = h[:, t - 1] if t > 0 else h_0
        g = d_h[:, t] + carry
        d_x[:, t], carry, a, c, e = _rnn_through_time_21_one(g, x[:, t], before, h[:, t], W_x, W_h)
        d_W_x, d_W_h, d_b = d_W_x + a, c, d_b + e  # <- wrong
    return d_x, carry, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: tanh's derivative is taken of the gradient, not of the state
# source: beginner
def _rnn_through_time_22_one(d, x, before, after, W_x, W_h):
    d = d * (1 - d * d)  # <- wrong
    return d @ W_x.T, d @ W_h.T, x.T @ d, before.T @ d, d.sum(0)


def rnn_through_time_22(d_h, x, h_0, W_x, W_h, b, h):
    T = x.shape[1]
    d_x = np.zeros(x.shape)
    carry, d_W_x, d_W_h, d_b = 0, 0, 0, 0
    for t in range(T - 1, -1, -1):
        before = h[:, t - 1] if t > 0 else h_0
        g = d_h[:, t] + carry
        d_x[:, t], carry, a, c, e = _rnn_through_time_22_one(g, x[:, t], before, h[:, t], W_x, W_h)
        d_W_x, d_W_h, d_b = d_W_x + a, d_W_h + c, d_b + e
    return d_x, carry, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: the loop ends before the first step
# second: each share replaces the one before
# source: issue of a public repository
def _rnn_through_time_23_one(d, x, before, after, W_x, W_h):
    d = d * (1 - after * after)
    return d @ W_x.T, d @ W_h.T, x.T @ d, before.T @ d, d.sum(0)


def rnn_through_time_23(d_h, x, h_0, W_x, W_h, b, h):
    T = x.shape[1]
    d_x = np.zeros(x.shape)
    carry, d_W_x, d_W_h, d_b = 0, 0, 0, 0
    for t in range(T - 1, 0, -1):  # <- wrong
        before = h[:, t - 1] if t > 0 else h_0
        g = d_h[:, t] + carry
        d_x[:, t], carry, a, c, e = _rnn_through_time_23_one(g, x[:, t], before, h[:, t], W_x, W_h)
        d_W_x, d_W_h, d_b = d_W_x + a, c, d_b + e  # <- wrong
    return d_x, carry, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# right: a helper for a step, from h
# source: beginner
def _rnn_through_time_24_one(d, x, before, after, W_x, W_h):
    d = d * (1 - after * after)
    return d @ W_x.T, d @ W_h.T, x.T @ d, before.T @ d, d.sum(0)


def rnn_through_time_24(d_h, x, h_0, W_x, W_h, b, h):
    T = x.shape[1]
    d_x = np.zeros(x.shape)
    carry, d_W_x, d_W_h, d_b = 0, 0, 0, 0
    for t in range(T - 1, -1, -1):
        before = h[:, t - 1] if t > 0 else h_0
        g = d_h[:, t] + carry
        d_x[:, t], carry, a, c, e = _rnn_through_time_24_one(g, x[:, t], before, h[:, t], W_x, W_h)
        d_W_x, d_W_h, d_b = d_W_x + a, d_W_h + c, d_b + e
    return d_x, carry, d_W_x, d_W_h, d_b


# exercise: dropout.twice
# wrong: the scale is missing in backward
# source: public question
class dropout_twice_08:
    def __init__(self, p, rng):
        self.p, self.rng = p, rng
        self.saved = {}
        self.n = 0

    def forward(self, x):
        self.saved[self.n] = self.rng.uniform(size=x.shape) > self.p
        self.n += 1
        return x * self.saved[self.n - 1] / (1 - self.p)

    def backward(self, d_y):
        self.n -= 1
        return d_y * self.saved[self.n]  # <- wrong


# exercise: dropout.twice
# wrong: backward divides by p
# source: beginner
class dropout_twice_09:
    def __init__(self, p, rng):
        self.p, self.rng = p, rng
        self.saved = {}
        self.n = 0

    def forward(self, x):
        self.saved[self.n] = self.rng.uniform(size=x.shape) > self.p
        self.n += 1
        return x * self.saved[self.n - 1] / (1 - self.p)

    def backward(self, d_y):
        self.n -= 1
        return d_y * self.saved[self.n] / self.p  # <- wrong


# exercise: dropout.twice
# wrong: the counter goes up in backward: no such mask
# source: beginner
class dropout_twice_10:
    def __init__(self, p, rng):
        self.p, self.rng = p, rng
        self.saved = {}
        self.n = 0

    def forward(self, x):
        self.saved[self.n] = self.rng.uniform(size=x.shape) > self.p
        self.n += 1
        return x * self.saved[self.n - 1] / (1 - self.p)

    def backward(self, d_y):
        self.n += 1  # <- wrong
        return d_y * self.saved[self.n] / (1 - self.p)


# exercise: dropout.twice
# wrong: backward multiplies with 1 − mask
# source: beginner
class dropout_twice_11:
    def __init__(self, p, rng):
        self.p, self.rng = p, rng
        self.saved = {}
        self.n = 0

    def forward(self, x):
        self.saved[self.n] = self.rng.uniform(size=x.shape) > self.p
        self.n += 1
        return x * self.saved[self.n - 1] / (1 - self.p)

    def backward(self, d_y):
        self.n -= 1
        return d_y * ~self.saved[self.n] / (1 - self.p)  # <- wrong


# exercise: dropout.twice
# right: a dict of masks
# source: beginner
class dropout_twice_12:
    def __init__(self, p, rng):
        self.p, self.rng = p, rng
        self.saved = {}
        self.n = 0

    def forward(self, x):
        self.saved[self.n] = self.rng.uniform(size=x.shape) > self.p
        self.n += 1
        return x * self.saved[self.n - 1] / (1 - self.p)

    def backward(self, d_y):
        self.n -= 1
        return d_y * self.saved[self.n] / (1 - self.p)


# exercise: embedding.backward
# wrong: a mean over the places of a token that stands somewhere
# source: course forum
def embedding_backward_13(d_y, ids, table):
    V, D = table.shape
    rows = []
    for token in range(V):
        here = ids == token
        row = d_y[here].sum(axis=0) / max(here.sum(), 1)  # <- wrong
        rows.append(row * np.sqrt(D))
    rows[0] = np.zeros(D)
    return np.array(rows)


# exercise: embedding.backward
# wrong: the sum goes over the features too: a number in place of a row
# source: beginner
def embedding_backward_14(d_y, ids, table):
    V, D = table.shape
    rows = []
    for token in range(V):
        here = ids == token
        row = d_y[here].sum()  # <- wrong
        rows.append(row * np.sqrt(D))
    rows[0] = np.zeros(D)
    return np.array(rows)


# exercise: embedding.backward
# wrong: scaled by D
# source: beginner
def embedding_backward_15(d_y, ids, table):
    V, D = table.shape
    rows = []
    for token in range(V):
        here = ids == token
        row = d_y[here].sum(axis=0)
        rows.append(row * D)  # <- wrong
    rows[0] = np.zeros(D)
    return np.array(rows)


# exercise: embedding.backward
# wrong: the row of the last token is cleared
# source: beginner
def embedding_backward_16(d_y, ids, table):
    V, D = table.shape
    rows = []
    for token in range(V):
        here = ids == token
        row = d_y[here].sum(axis=0)
        rows.append(row * np.sqrt(D))
    rows[-1] = np.zeros(D)  # <- wrong
    return np.array(rows)


# exercise: embedding.backward
# wrong: scaled by D
# second: padding has a gradient
# source: beginner
# missing: a line
def embedding_backward_17(d_y, ids, table):
    V, D = table.shape
    rows = []
    for token in range(V):
        here = ids == token
        row = d_y[here].sum(axis=0)
        rows.append(row * D)  # <- wrong
    return np.array(rows)  # <- wrong


# exercise: embedding.backward
# right: token by token
# source: beginner
def embedding_backward_18(d_y, ids, table):
    V, D = table.shape
    rows = []
    for token in range(V):
        here = ids == token
        row = d_y[here].sum(axis=0)
        rows.append(row * np.sqrt(D))
    rows[0] = np.zeros(D)
    return np.array(rows)


# exercise: linear.backward
# wrong: .T turns all three axes: the shapes do not fit
# source: public question
def linear_backward_14(d_y, x, weight, bias):
    d_weight = x.T @ d_y  # <- wrong
    d_bias = d_y.sum(axis=(0, 1))
    d_x = d_y @ weight.T
    return d_x, d_weight, d_bias


# exercise: attention.scores
# wrong: .T turns all four axes: the shapes do not fit
# source: public question
def attention_scores_10(query, key):
    d_k = key.shape[-1]
    return np.matmul(query, key.T) / np.sqrt(d_k)  # <- wrong


# exercise: softmax.forward
# wrong: keepdims is missing for the sum: the shapes do not fit
# source: public question
def softmax_forward_13(scores):
    shifted = scores - scores.max(axis=-1, keepdims=True)
    e = np.exp(shifted)
    return e / e.sum(axis=-1)  # <- wrong


# exercise: layer_norm.forward
# wrong: np.var's second argument is the axis, and keepdims is missing: the shapes do not fit
# source: public question
def layer_norm_forward_15(x, gamma, beta, epsilon):
    mean = np.mean(x, -1, keepdims=True)
    var = np.var(x, -1)  # <- wrong
    return gamma * (x - mean) / np.sqrt(var + epsilon) + beta


# exercise: adam.step
# wrong: the corrections' power is missing
# source: issue of a public repository
def adam_step_22(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new_p, new_m, new_v = (np.empty_like(parameter) for _ in range(3))
    for i in np.ndindex(parameter.shape):
        g = gradient[i]
        new_m[i] = beta_1 * m[i] + (1 - beta_1) * g
        new_v[i] = beta_2 * v[i] + (1 - beta_2) * g * g
        up = new_m[i] / (1 - beta_1)  # <- wrong
        down = np.sqrt(new_v[i] / (1 - beta_2**step)) + epsilon
        new_p[i] = parameter[i] - learning_rate * up / down
    return new_p, new_m, new_v


# exercise: adam.step
# wrong: v is corrected with β₁
# source: beginner
def adam_step_23(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new_p, new_m, new_v = (np.empty_like(parameter) for _ in range(3))
    for i in np.ndindex(parameter.shape):
        g = gradient[i]
        new_m[i] = beta_1 * m[i] + (1 - beta_1) * g
        new_v[i] = beta_2 * v[i] + (1 - beta_2) * g * g
        up = new_m[i] / (1 - beta_1**step)
        down = np.sqrt(new_v[i] / (1 - beta_1**step)) + epsilon  # <- wrong
        new_p[i] = parameter[i] - learning_rate * up / down
    return new_p, new_m, new_v


# exercise: adam.step
# wrong: v is corrected outside the root
# source: beginner
def adam_step_24(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new_p, new_m, new_v = (np.empty_like(parameter) for _ in range(3))
    for i in np.ndindex(parameter.shape):
        g = gradient[i]
        new_m[i] = beta_1 * m[i] + (1 - beta_1) * g
        new_v[i] = beta_2 * v[i] + (1 - beta_2) * g * g
        up = new_m[i] / (1 - beta_1**step)
        down = np.sqrt(new_v[i]) / (1 - beta_2**step) + epsilon  # <- wrong
        new_p[i] = parameter[i] - learning_rate * up / down
    return new_p, new_m, new_v


# exercise: adam.step
# wrong: the division by v uses the old v
# source: beginner
def adam_step_25(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new_p, new_m, new_v = (np.empty_like(parameter) for _ in range(3))
    for i in np.ndindex(parameter.shape):
        g = gradient[i]
        new_m[i] = beta_1 * m[i] + (1 - beta_1) * g
        new_v[i] = beta_2 * v[i] + (1 - beta_2) * g * g
        up = new_m[i] / (1 - beta_1**step)
        down = np.sqrt(v[i] / (1 - beta_2**step)) + epsilon  # <- wrong
        new_p[i] = parameter[i] - learning_rate * up / down
    return new_p, new_m, new_v


# exercise: adam.step
# wrong: the sign of the step is turned
# source: beginner
def adam_step_26(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new_p, new_m, new_v = (np.empty_like(parameter) for _ in range(3))
    for i in np.ndindex(parameter.shape):
        g = gradient[i]
        new_m[i] = beta_1 * m[i] + (1 - beta_1) * g
        new_v[i] = beta_2 * v[i] + (1 - beta_2) * g * g
        up = new_m[i] / (1 - beta_1**step)
        down = np.sqrt(new_v[i] / (1 - beta_2**step)) + epsilon
        new_p[i] = parameter[i] + learning_rate * up / down  # <- wrong
    return new_p, new_m, new_v


# exercise: adam.step
# wrong: v is corrected outside the root
# second: the power of the first correction is missing
# source: beginner
def adam_step_27(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new_p, new_m, new_v = (np.empty_like(parameter) for _ in range(3))
    for i in np.ndindex(parameter.shape):
        g = gradient[i]
        new_m[i] = beta_1 * m[i] + (1 - beta_1) * g
        new_v[i] = beta_2 * v[i] + (1 - beta_2) * g * g
        up = new_m[i] / (1 - beta_1)  # <- wrong
        down = np.sqrt(new_v[i]) / (1 - beta_2**step) + epsilon  # <- wrong
        new_p[i] = parameter[i] - learning_rate * up / down
    return new_p, new_m, new_v


# exercise: adam.step
# right: number by number
# source: beginner
def adam_step_28(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new_p, new_m, new_v = (np.empty_like(parameter) for _ in range(3))
    for i in np.ndindex(parameter.shape):
        g = gradient[i]
        new_m[i] = beta_1 * m[i] + (1 - beta_1) * g
        new_v[i] = beta_2 * v[i] + (1 - beta_2) * g * g
        up = new_m[i] / (1 - beta_1**step)
        down = np.sqrt(new_v[i] / (1 - beta_2**step)) + epsilon
        new_p[i] = parameter[i] - learning_rate * up / down
    return new_p, new_m, new_v


# exercise: update.all
# wrong: the defaults of a library: β₂ = 0.999
# source: issue of a public repository
def _update_all_18_rate(step, d_model, warmup):
    return (1 / d_model**0.5) * min(step**-0.5, step * warmup**-1.5)


def update_all_18(parameters, gradients, m, v, step, d_model, warmup):
    rate = _update_all_18_rate(step, d_model, warmup)
    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-9  # <- wrong
    for key, value in parameters.items():
        grad = gradients[key]
        m[key] *= beta_1
        m[key] += (1 - beta_1) * grad
        v[key] *= beta_2
        v[key] += (1 - beta_2) * grad**2
        m_hat = m[key] / (1 - beta_1**step)
        v_hat = v[key] / (1 - beta_2**step)
        value[...] = value - rate * m_hat / (np.sqrt(v_hat) + epsilon)
        grad *= 0


# exercise: update.all
# wrong: the rate has 1/d_model in place of its root
# source: beginner
def _update_all_19_rate(step, d_model, warmup):
    return (1 / d_model) * min(step**-0.5, step * warmup**-1.5)  # <- wrong


def update_all_19(parameters, gradients, m, v, step, d_model, warmup):
    rate = _update_all_19_rate(step, d_model, warmup)
    beta_1, beta_2, epsilon = 0.9, 0.98, 1e-9
    for key, value in parameters.items():
        grad = gradients[key]
        m[key] *= beta_1
        m[key] += (1 - beta_1) * grad
        v[key] *= beta_2
        v[key] += (1 - beta_2) * grad**2
        m_hat = m[key] / (1 - beta_1**step)
        v_hat = v[key] / (1 - beta_2**step)
        value[...] = value - rate * m_hat / (np.sqrt(v_hat) + epsilon)
        grad *= 0


# exercise: update.all
# wrong: a name is bound anew, the parameter stays
# source: issue of a public repository
def _update_all_20_rate(step, d_model, warmup):
    return (1 / d_model**0.5) * min(step**-0.5, step * warmup**-1.5)


def update_all_20(parameters, gradients, m, v, step, d_model, warmup):
    rate = _update_all_20_rate(step, d_model, warmup)
    beta_1, beta_2, epsilon = 0.9, 0.98, 1e-9
    for key, value in parameters.items():
        grad = gradients[key]
        m[key] *= beta_1
        m[key] += (1 - beta_1) * grad
        v[key] *= beta_2
        v[key] += (1 - beta_2) * grad**2
        m_hat = m[key] / (1 - beta_1**step)
        v_hat = v[key] / (1 - beta_2**step)
        value = value - rate * m_hat / (np.sqrt(v_hat) + epsilon)  # <- wrong
        grad *= 0


# exercise: update.all
# wrong: v is not corrected
# source: issue of a public repository
def _update_all_21_rate(step, d_model, warmup):
    return (1 / d_model**0.5) * min(step**-0.5, step * warmup**-1.5)


def update_all_21(parameters, gradients, m, v, step, d_model, warmup):
    rate = _update_all_21_rate(step, d_model, warmup)
    beta_1, beta_2, epsilon = 0.9, 0.98, 1e-9
    for key, value in parameters.items():
        grad = gradients[key]
        m[key] *= beta_1
        m[key] += (1 - beta_1) * grad
        v[key] *= beta_2
        v[key] += (1 - beta_2) * grad**2
        m_hat = m[key] / (1 - beta_1**step)
        v_hat = v[key]  # <- wrong
        value[...] = value - rate * m_hat / (np.sqrt(v_hat) + epsilon)
        grad *= 0


# exercise: update.all
# wrong: the gradients are not cleared
# source: issue of a public repository
# missing: a line
def _update_all_22_rate(step, d_model, warmup):
    return (1 / d_model**0.5) * min(step**-0.5, step * warmup**-1.5)


def update_all_22(parameters, gradients, m, v, step, d_model, warmup):
    rate = _update_all_22_rate(step, d_model, warmup)
    beta_1, beta_2, epsilon = 0.9, 0.98, 1e-9
    for key, value in parameters.items():
        grad = gradients[key]
        m[key] *= beta_1
        m[key] += (1 - beta_1) * grad
        v[key] *= beta_2
        v[key] += (1 - beta_2) * grad**2
        m_hat = m[key] / (1 - beta_1**step)
        v_hat = v[key] / (1 - beta_2**step)
        value[...] = value - rate * m_hat / (np.sqrt(v_hat) + epsilon)  # <- wrong


# exercise: update.all
# wrong: v decays with β₁
# source: beginner
def _update_all_23_rate(step, d_model, warmup):
    return (1 / d_model**0.5) * min(step**-0.5, step * warmup**-1.5)


def update_all_23(parameters, gradients, m, v, step, d_model, warmup):
    rate = _update_all_23_rate(step, d_model, warmup)
    beta_1, beta_2, epsilon = 0.9, 0.98, 1e-9
    for key, value in parameters.items():
        grad = gradients[key]
        m[key] *= beta_1
        m[key] += (1 - beta_1) * grad
        v[key] *= beta_1  # <- wrong
        v[key] += (1 - beta_2) * grad**2
        m_hat = m[key] / (1 - beta_1**step)
        v_hat = v[key] / (1 - beta_2**step)
        value[...] = value - rate * m_hat / (np.sqrt(v_hat) + epsilon)
        grad *= 0


# exercise: update.all
# wrong: the gradients are not cleared
# second: v is not corrected
# source: issue of a public repository
# missing: a line
def _update_all_24_rate(step, d_model, warmup):
    return (1 / d_model**0.5) * min(step**-0.5, step * warmup**-1.5)


def update_all_24(parameters, gradients, m, v, step, d_model, warmup):
    rate = _update_all_24_rate(step, d_model, warmup)
    beta_1, beta_2, epsilon = 0.9, 0.98, 1e-9
    for key, value in parameters.items():
        grad = gradients[key]
        m[key] *= beta_1
        m[key] += (1 - beta_1) * grad
        v[key] *= beta_2
        v[key] += (1 - beta_2) * grad**2
        m_hat = m[key] / (1 - beta_1**step)
        v_hat = v[key]  # <- wrong
        value[...] = value - rate * m_hat / (np.sqrt(v_hat) + epsilon)  # <- wrong


# exercise: update.all
# right: a helper for the rate
# source: beginner
def _update_all_25_rate(step, d_model, warmup):
    return (1 / d_model**0.5) * min(step**-0.5, step * warmup**-1.5)


def update_all_25(parameters, gradients, m, v, step, d_model, warmup):
    rate = _update_all_25_rate(step, d_model, warmup)
    beta_1, beta_2, epsilon = 0.9, 0.98, 1e-9
    for key, value in parameters.items():
        grad = gradients[key]
        m[key] *= beta_1
        m[key] += (1 - beta_1) * grad
        v[key] *= beta_2
        v[key] += (1 - beta_2) * grad**2
        m_hat = m[key] / (1 - beta_1**step)
        v_hat = v[key] / (1 - beta_2**step)
        value[...] = value - rate * m_hat / (np.sqrt(v_hat) + epsilon)
        grad *= 0
