"""Answers to the exercises: softmax."""

import numpy as np


# exercise: softmax.forward
# wrong: the sum goes over the queries, not over each row
# source: public question
def softmax_forward_01(scores):
    shifted = scores - scores.max(axis=-1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)  # <- wrong
    P = e / total
    return P


# exercise: softmax.forward
# wrong: one sum for the whole array
# source: public question
def softmax_forward_02(scores):
    shifted = scores - scores.max(axis=-1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum()  # <- wrong
    P = e / total
    return P


# exercise: softmax.forward
# wrong: the largest number is added, not subtracted
# source: beginner
def softmax_forward_03(scores):
    shifted = scores + scores.max(axis=-1, keepdims=True)  # <- wrong
    e = np.exp(shifted)
    total = e.sum(axis=-1, keepdims=True)
    P = e / total
    return P


# exercise: softmax.forward
# wrong: the exponential is squared above the line, and not in the sum
# source: beginner
def softmax_forward_04(scores):
    shifted = scores - scores.max(axis=-1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=-1, keepdims=True)
    P = e * e / total  # <- wrong
    return P


# exercise: softmax.forward
# right: many small steps
# source: beginner
def softmax_forward_05(scores):
    shifted = scores - scores.max(axis=-1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=-1, keepdims=True)
    P = e / total
    return P


# exercise: softmax.forward
# wrong: no maximum is subtracted, so large scores overflow
# source: public question
# missing: a line
def softmax_forward_06(scores):
    out = np.zeros(scores.shape)
    for b in range(scores.shape[0]):
        for t in range(scores.shape[1]):
            row = scores[b, t]
            a = np.exp(row)  # <- wrong
            out[b, t] = a / np.sum(a)
    return out


# exercise: softmax.forward
# wrong: the maximum of the whole array is subtracted: rows far below it become 0/0
# source: issue of a public repository
def softmax_forward_07(scores):
    out = np.zeros(scores.shape)
    for b in range(scores.shape[0]):
        for t in range(scores.shape[1]):
            row = scores[b, t]
            row = row - np.max(scores)  # <- wrong
            a = np.exp(row)
            out[b, t] = a / np.sum(a)
    return out


# exercise: softmax.forward
# wrong: divided by the largest instead of the sum
# source: beginner
def softmax_forward_08(scores):
    out = np.zeros(scores.shape)
    for b in range(scores.shape[0]):
        for t in range(scores.shape[1]):
            row = scores[b, t]
            row = row - np.max(row)
            a = np.exp(row)
            out[b, t] = a / np.max(a)  # <- wrong
    return out


# exercise: softmax.forward
# wrong: the base is 2 instead of e
# source: beginner
def softmax_forward_09(scores):
    out = np.zeros(scores.shape)
    for b in range(scores.shape[0]):
        for t in range(scores.shape[1]):
            row = scores[b, t]
            row = row - np.max(row)
            a = 2.0**row  # <- wrong
            out[b, t] = a / np.sum(a)
    return out


# exercise: softmax.forward
# right: loops
# source: beginner
def softmax_forward_10(scores):
    out = np.zeros(scores.shape)
    for b in range(scores.shape[0]):
        for t in range(scores.shape[1]):
            row = scores[b, t]
            row = row - np.max(row)
            a = np.exp(row)
            out[b, t] = a / np.sum(a)
    return out


# exercise: softmax.forward
# wrong: no maximum is subtracted, so large scores overflow
# source: course forum
def softmax_forward_11(scores):
    return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)  # <- wrong


# exercise: softmax.backward
# wrong: the sum is taken over the whole array instead of each row
# source: public question
def softmax_backward_01(d_P, P):
    weighted = d_P * P
    total = weighted.sum()  # <- wrong
    centred = d_P - total
    d_scores = P * centred
    return d_scores


# exercise: softmax.backward
# wrong: the sum goes down the columns
# source: public question
def softmax_backward_02(d_P, P):
    weighted = d_P * P
    total = weighted.sum(axis=-2, keepdims=True)  # <- wrong
    centred = d_P - total
    d_scores = P * centred
    return d_scores


# exercise: softmax.backward
# wrong: the sum is of d_P alone, without the weights
# source: beginner
def softmax_backward_03(d_P, P):
    weighted = d_P  # <- wrong
    total = weighted.sum(axis=-1, keepdims=True)
    centred = d_P - total
    d_scores = P * centred
    return d_scores


# exercise: softmax.backward
# wrong: the sum is added instead of subtracted
# source: beginner
def softmax_backward_04(d_P, P):
    weighted = d_P * P
    total = weighted.sum(axis=-1, keepdims=True)
    centred = d_P + total  # <- wrong
    d_scores = P * centred
    return d_scores


# exercise: softmax.backward
# wrong: the last product with P is missing
# source: course forum
def softmax_backward_05(d_P, P):
    weighted = d_P * P
    total = weighted.sum(axis=-1, keepdims=True)
    centred = d_P - total
    d_scores = centred  # <- wrong
    return d_scores


# exercise: softmax.backward
# wrong: a mean in place of the sum
# source: beginner
def softmax_backward_06(d_P, P):
    weighted = d_P * P
    total = weighted.mean(axis=-1, keepdims=True)  # <- wrong
    centred = d_P - total
    d_scores = P * centred
    return d_scores


# exercise: softmax.backward
# wrong: the sum goes down the columns
# second: the sum is added instead of subtracted
# source: beginner
def softmax_backward_07(d_P, P):
    weighted = d_P * P
    total = weighted.sum(axis=-2, keepdims=True)  # <- wrong
    centred = d_P + total  # <- wrong
    d_scores = P * centred
    return d_scores


# exercise: softmax.backward
# right: small steps, from P
# source: beginner
def softmax_backward_08(d_P, P):
    weighted = d_P * P
    total = weighted.sum(axis=-1, keepdims=True)
    centred = d_P - total
    d_scores = P * centred
    return d_scores


# exercise: softmax.backward
# wrong: only the diagonal of the Jacobian: p(1 − p)
# source: public question
def softmax_backward_09(d_P, scores):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    d_scores = np.empty_like(P)
    for b in range(P.shape[0]):
        for t in range(P.shape[1]):
            p = P[b, t]
            jacobian = np.diag(p * (1 - p))  # <- wrong
            d_scores[b, t] = jacobian @ d_P[b, t]
    return d_scores


# exercise: softmax.backward
# wrong: the off-diagonal entries have the wrong sign
# source: public question
def softmax_backward_10(d_P, scores):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    d_scores = np.empty_like(P)
    for b in range(P.shape[0]):
        for t in range(P.shape[1]):
            p = P[b, t]
            jacobian = np.diag(p) + np.outer(p, p)  # <- wrong
            d_scores[b, t] = jacobian @ d_P[b, t]
    return d_scores


# exercise: softmax.backward
# wrong: the identity in place of diag(p)
# source: public question
def softmax_backward_11(d_P, scores):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    d_scores = np.empty_like(P)
    for b in range(P.shape[0]):
        for t in range(P.shape[1]):
            p = P[b, t]
            jacobian = np.eye(p.size) - np.outer(p, p)  # <- wrong
            d_scores[b, t] = jacobian @ d_P[b, t]
    return d_scores


# exercise: softmax.backward
# wrong: the Jacobian is built of the scores instead of the weights
# source: public question
def softmax_backward_12(d_P, scores):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    d_scores = np.empty_like(P)
    for b in range(P.shape[0]):
        for t in range(P.shape[1]):
            p = scores[b, t]  # <- wrong
            jacobian = np.diag(p) - np.outer(p, p)
            d_scores[b, t] = jacobian @ d_P[b, t]
    return d_scores


# exercise: softmax.backward
# right: the Jacobian of each row
# source: public question
def softmax_backward_13(d_P, scores):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    d_scores = np.empty_like(P)
    for b in range(P.shape[0]):
        for t in range(P.shape[1]):
            p = P[b, t]
            jacobian = np.diag(p) - np.outer(p, p)
            d_scores[b, t] = jacobian @ d_P[b, t]
    return d_scores


# exercise: softmax.backward
# right: einsum
# source: beginner
def softmax_backward_14(d_P, scores):
    w = np.exp(scores - scores.max(-1, keepdims=True))
    w /= w.sum(-1, keepdims=True)
    return w * d_P - np.einsum("bti,btj,btj->bti", w, w, d_P)


# exercise: softmax.backward
# wrong: the sum stays an index free: each weight pairs only with its own gradient
# source: beginner
def softmax_backward_15(d_P, scores):
    w = np.exp(scores - scores.max(-1, keepdims=True))
    w /= w.sum(-1, keepdims=True)
    return w * d_P - np.einsum("bti,bti,bti->bti", w, w, d_P)  # <- wrong


# exercise: softmax.backward
# right: a class
# source: beginner
class softmax_backward_16:
    def forward(self, scores):
        e = np.exp(scores - scores.max(-1, keepdims=True))
        self.P = e / e.sum(-1, keepdims=True)
        return self.P

    def backward(self, d_P):
        s = (d_P * self.P).sum(-1, keepdims=True)
        return (d_P - s) * self.P


# exercise: softmax.backward
# wrong: what is kept for backward are the exponentials, not yet divided
# source: issue of a public repository
class softmax_backward_17:
    def forward(self, scores):
        e = np.exp(scores - scores.max(-1, keepdims=True))
        self.P = e  # <- wrong
        return self.P

    def backward(self, d_P):
        s = (d_P * self.P).sum(-1, keepdims=True)
        return (d_P - s) * self.P


# exercise: cross_entropy.forward
# wrong: divided by all positions, padding too
# source: issue of a public repository
def cross_entropy_forward_01(logits, targets):
    top = logits.max(axis=-1, keepdims=True)
    shifted = logits - top
    log_total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    log_p = shifted - log_total
    B, T, V = logits.shape
    chosen = log_p[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    real = targets != 0
    loss = -(chosen * real).sum() / targets.size  # <- wrong
    return loss


# exercise: cross_entropy.forward
# wrong: the loss of padding is counted in the sum
# source: issue of a public repository
def cross_entropy_forward_02(logits, targets):
    top = logits.max(axis=-1, keepdims=True)
    shifted = logits - top
    log_total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    log_p = shifted - log_total
    B, T, V = logits.shape
    chosen = log_p[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    real = targets != 0
    loss = -chosen.sum() / real.sum()  # <- wrong
    return loss


# exercise: cross_entropy.forward
# wrong: the minus is missing
# source: beginner
def cross_entropy_forward_03(logits, targets):
    top = logits.max(axis=-1, keepdims=True)
    shifted = logits - top
    log_total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    log_p = shifted - log_total
    B, T, V = logits.shape
    chosen = log_p[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    real = targets != 0
    loss = (chosen * real).sum() / real.sum()  # <- wrong
    return loss


# exercise: cross_entropy.forward
# wrong: the sum, not the mean
# source: course forum
def cross_entropy_forward_04(logits, targets):
    top = logits.max(axis=-1, keepdims=True)
    shifted = logits - top
    log_total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    log_p = shifted - log_total
    B, T, V = logits.shape
    chosen = log_p[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    real = targets != 0
    loss = -(chosen * real).sum()  # <- wrong
    return loss


# exercise: cross_entropy.forward
# wrong: divided by the number of sentences
# source: course forum
def cross_entropy_forward_05(logits, targets):
    top = logits.max(axis=-1, keepdims=True)
    shifted = logits - top
    log_total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    log_p = shifted - log_total
    B, T, V = logits.shape
    chosen = log_p[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    real = targets != 0
    loss = -(chosen * real).sum() / B  # <- wrong
    return loss


# exercise: cross_entropy.forward
# wrong: the logarithm has the base 2
# source: beginner
def cross_entropy_forward_06(logits, targets):
    top = logits.max(axis=-1, keepdims=True)
    shifted = logits - top
    log_total = np.log2(np.exp(shifted).sum(axis=-1, keepdims=True))  # <- wrong
    log_p = shifted - log_total
    B, T, V = logits.shape
    chosen = log_p[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    real = targets != 0
    loss = -(chosen * real).sum() / real.sum()
    return loss


# exercise: cross_entropy.forward
# wrong: token 1 is taken for padding instead of token 0
# source: beginner
def cross_entropy_forward_07(logits, targets):
    top = logits.max(axis=-1, keepdims=True)
    shifted = logits - top
    log_total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    log_p = shifted - log_total
    B, T, V = logits.shape
    chosen = log_p[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    real = targets != 1  # <- wrong
    loss = -(chosen * real).sum() / real.sum()
    return loss


# exercise: cross_entropy.forward
# wrong: the minus is missing
# second: divided by all positions, as np.mean does
# source: beginner
def cross_entropy_forward_08(logits, targets):
    top = logits.max(axis=-1, keepdims=True)
    shifted = logits - top
    log_total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    log_p = log_total - shifted  # <- wrong
    B, T, V = logits.shape
    chosen = log_p[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    real = targets != 0
    loss = -(chosen * real).sum() / targets.size  # <- wrong
    return loss


# exercise: cross_entropy.forward
# right: small steps
# source: beginner
def cross_entropy_forward_09(logits, targets):
    top = logits.max(axis=-1, keepdims=True)
    shifted = logits - top
    log_total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    log_p = shifted - log_total
    B, T, V = logits.shape
    chosen = log_p[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    real = targets != 0
    loss = -(chosen * real).sum() / real.sum()
    return loss


# exercise: cross_entropy.forward
# wrong: the log of a weight that has become 0 is −∞: the loss is not finite
# source: public question
def cross_entropy_forward_10(logits, targets):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    total, count = 0.0, 0
    for b in range(targets.shape[0]):
        for t in range(targets.shape[1]):
            if targets[b, t] != 0:
                total -= np.log(P[b, t, targets[b, t]])  # <- wrong
                count += 1
    return total / count


# exercise: cross_entropy.forward
# wrong: 1e-7 is added inside the logarithm, so that unlikely targets cost too little
# source: course forum
def cross_entropy_forward_11(logits, targets):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    total, count = 0.0, 0
    for b in range(targets.shape[0]):
        for t in range(targets.shape[1]):
            if targets[b, t] != 0:
                total -= np.log(P[b, t, targets[b, t]] + 1e-7)  # <- wrong
                count += 1
    return total / count


# exercise: cross_entropy.forward
# wrong: the count starts at 1
# source: beginner
def cross_entropy_forward_12(logits, targets):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    total, count = 0.0, 1  # <- wrong
    for b in range(targets.shape[0]):
        for t in range(targets.shape[1]):
            if targets[b, t] != 0:
                total -= np.log(P[b, t, targets[b, t]])
                count += 1
    return total / count


# exercise: cross_entropy.backward
# wrong: not divided by the number of targets
# source: course forum
# missing: a line
def cross_entropy_backward_01(logits, targets):
    z = logits - logits.max(axis=-1, keepdims=True)
    P = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    real = targets != 0
    onehot = np.eye(logits.shape[-1])[targets]
    d_logits = P - onehot
    d_logits = d_logits * real[..., None]
    return d_logits  # <- wrong


# exercise: cross_entropy.backward
# wrong: divided by the number of sentences
# source: course forum
def cross_entropy_backward_02(logits, targets):
    z = logits - logits.max(axis=-1, keepdims=True)
    P = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    real = targets != 0
    onehot = np.eye(logits.shape[-1])[targets]
    d_logits = P - onehot
    d_logits = d_logits * real[..., None]
    d_logits = d_logits / logits.shape[0]  # <- wrong
    return d_logits


# exercise: cross_entropy.backward
# wrong: divided by all positions
# source: issue of a public repository
def cross_entropy_backward_03(logits, targets):
    z = logits - logits.max(axis=-1, keepdims=True)
    P = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    real = targets != 0
    onehot = np.eye(logits.shape[-1])[targets]
    d_logits = P - onehot
    d_logits = d_logits * real[..., None]
    d_logits = d_logits / real.size  # <- wrong
    return d_logits


# exercise: cross_entropy.backward
# wrong: padding has a gradient
# source: issue of a public repository
# missing: a line
def cross_entropy_backward_04(logits, targets):
    z = logits - logits.max(axis=-1, keepdims=True)
    P = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    real = targets != 0
    onehot = np.eye(logits.shape[-1])[targets]
    d_logits = P - onehot
    d_logits = d_logits / real.sum()  # <- wrong
    return d_logits


# exercise: cross_entropy.backward
# wrong: wrong sign: target minus weight
# source: public question
def cross_entropy_backward_05(logits, targets):
    z = logits - logits.max(axis=-1, keepdims=True)
    P = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    real = targets != 0
    onehot = np.eye(logits.shape[-1])[targets]
    d_logits = onehot - P  # <- wrong
    d_logits = d_logits * real[..., None]
    d_logits = d_logits / real.sum()
    return d_logits


# exercise: cross_entropy.backward
# wrong: softmax over the positions instead of the vocabulary
# source: public question
def cross_entropy_backward_06(logits, targets):
    z = logits - logits.max(axis=-1, keepdims=True)
    P = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)  # <- wrong
    real = targets != 0
    onehot = np.eye(logits.shape[-1])[targets]
    d_logits = P - onehot
    d_logits = d_logits * real[..., None]
    d_logits = d_logits / real.sum()
    return d_logits


# exercise: cross_entropy.backward
# wrong: divided by all numbers of the logits
# source: beginner
def cross_entropy_backward_07(logits, targets):
    z = logits - logits.max(axis=-1, keepdims=True)
    P = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    real = targets != 0
    onehot = np.eye(logits.shape[-1])[targets]
    d_logits = P - onehot
    d_logits = d_logits * real[..., None]
    d_logits = d_logits / logits.size  # <- wrong
    return d_logits


# exercise: cross_entropy.backward
# wrong: wrong sign: target minus weight
# second: padding has a gradient
# source: beginner
# missing: a line
def cross_entropy_backward_08(logits, targets):
    z = logits - logits.max(axis=-1, keepdims=True)
    P = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    real = targets != 0
    onehot = np.eye(logits.shape[-1])[targets]
    d_logits = onehot - P  # <- wrong
    d_logits = d_logits / real.sum()  # <- wrong
    return d_logits


# exercise: cross_entropy.backward
# right: small steps
# source: beginner
def cross_entropy_backward_09(logits, targets):
    z = logits - logits.max(axis=-1, keepdims=True)
    P = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    real = targets != 0
    onehot = np.eye(logits.shape[-1])[targets]
    d_logits = P - onehot
    d_logits = d_logits * real[..., None]
    d_logits = d_logits / real.sum()
    return d_logits


# exercise: cross_entropy.backward
# right: loops, from P
# source: beginner
def cross_entropy_backward_10(P, targets):
    d_logits = P.copy()
    count = 0
    for b, row in enumerate(targets):
        for t, target in enumerate(row):
            if target == 0:
                d_logits[b, t] = 0
                continue
            d_logits[b, t, target] -= 1
            count += 1
    return d_logits / count


# exercise: cross_entropy.backward
# wrong: at padding only the number of token 0 is cleared
# source: issue of a public repository
def cross_entropy_backward_11(P, targets):
    d_logits = P.copy()
    count = 0
    for b, row in enumerate(targets):
        for t, target in enumerate(row):
            if target == 0:
                d_logits[b, t, 0] = 0  # <- wrong
                continue
            d_logits[b, t, target] -= 1
            count += 1
    return d_logits / count


# exercise: cross_entropy.backward
# wrong: the weights handed in are changed
# source: issue of a public repository
def cross_entropy_backward_12(P, targets):
    d_logits = P  # <- wrong
    count = 0
    for b, row in enumerate(targets):
        for t, target in enumerate(row):
            if target == 0:
                d_logits[b, t] = 0
                continue
            d_logits[b, t, target] -= 1
            count += 1
    return d_logits / count


# exercise: cross_entropy.backward
# wrong: −1/p at the target, the gradient of the weights and not of the logits
# source: public question
def cross_entropy_backward_13(P, targets):
    d_logits = P.copy()
    count = 0
    for b, row in enumerate(targets):
        for t, target in enumerate(row):
            if target == 0:
                d_logits[b, t] = 0
                continue
            d_logits[b, t, target] = -1 / P[b, t, target]  # <- wrong
            count += 1
    return d_logits / count


# exercise: cross_entropy.backward
# wrong: divided by all positions
# source: issue of a public repository
def cross_entropy_backward_14(P, targets):
    d_logits = P.copy()
    count = 0
    for b, row in enumerate(targets):
        for t, target in enumerate(row):
            if target == 0:
                d_logits[b, t] = 0
                continue
            d_logits[b, t, target] -= 1
            count += 1
    return d_logits / targets.size  # <- wrong


# exercise: label_smoothing.forward
# wrong: the share is spread over the other V − 1 tokens
# source: issue of a public repository
def label_smoothing_forward_01(logits, targets, smoothing):
    V = logits.shape[-1]
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    q = np.full(logits.shape, smoothing / (V - 1))  # <- wrong
    q += (1 - smoothing) * np.eye(V)[targets]
    each = -(q * log_p).sum(axis=-1)
    real = targets != 0
    return (each * real).sum() / real.sum()


# exercise: label_smoothing.forward
# wrong: the share is spread over V − 2 tokens
# source: issue of a public repository
def label_smoothing_forward_02(logits, targets, smoothing):
    V = logits.shape[-1]
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    q = np.full(logits.shape, smoothing / (V - 2))  # <- wrong
    q += (1 - smoothing) * np.eye(V)[targets]
    each = -(q * log_p).sum(axis=-1)
    real = targets != 0
    return (each * real).sum() / real.sum()


# exercise: label_smoothing.forward
# wrong: the target keeps its full 1
# source: issue of a public repository
def label_smoothing_forward_03(logits, targets, smoothing):
    V = logits.shape[-1]
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    q = np.full(logits.shape, smoothing / V)
    q += np.eye(V)[targets]  # <- wrong
    each = -(q * log_p).sum(axis=-1)
    real = targets != 0
    return (each * real).sum() / real.sum()


# exercise: label_smoothing.forward
# wrong: each token gets 1/V, whatever the smoothing
# source: issue of a public repository
def label_smoothing_forward_04(logits, targets, smoothing):
    V = logits.shape[-1]
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    q = np.full(logits.shape, 1 / V)  # <- wrong
    q += (1 - smoothing) * np.eye(V)[targets]
    each = -(q * log_p).sum(axis=-1)
    real = targets != 0
    return (each * real).sum() / real.sum()


# exercise: label_smoothing.forward
# wrong: the target keeps 1 − ε/V
# source: issue of a public repository
def label_smoothing_forward_05(logits, targets, smoothing):
    V = logits.shape[-1]
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    q = np.full(logits.shape, smoothing / V)
    q += (1 - smoothing / V) * np.eye(V)[targets]  # <- wrong
    each = -(q * log_p).sum(axis=-1)
    real = targets != 0
    return (each * real).sum() / real.sum()


# exercise: label_smoothing.forward
# wrong: divided by all positions
# source: issue of a public repository
def label_smoothing_forward_06(logits, targets, smoothing):
    V = logits.shape[-1]
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    q = np.full(logits.shape, smoothing / V)
    q += (1 - smoothing) * np.eye(V)[targets]
    each = -(q * log_p).sum(axis=-1)
    real = targets != 0
    return (each * real).sum() / real.size  # <- wrong


# exercise: label_smoothing.forward
# wrong: smoothed losses at padding are counted
# source: issue of a public repository
def label_smoothing_forward_07(logits, targets, smoothing):
    V = logits.shape[-1]
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    q = np.full(logits.shape, smoothing / V)
    q += (1 - smoothing) * np.eye(V)[targets]
    each = -(q * log_p).sum(axis=-1)
    real = targets != 0
    return each.sum() / real.sum()  # <- wrong


# exercise: label_smoothing.forward
# wrong: the share is spread over V − 1 tokens
# second: divided by all positions
# source: issue of a public repository
def label_smoothing_forward_08(logits, targets, smoothing):
    V = logits.shape[-1]
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    q = np.full(logits.shape, smoothing / (V - 1))  # <- wrong
    q += (1 - smoothing) * np.eye(V)[targets]
    each = -(q * log_p).sum(axis=-1)
    real = targets != 0
    return (each * real).sum() / real.size  # <- wrong


# exercise: label_smoothing.forward
# right: small steps
# source: beginner
def label_smoothing_forward_09(logits, targets, smoothing):
    V = logits.shape[-1]
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    q = np.full(logits.shape, smoothing / V)
    q += (1 - smoothing) * np.eye(V)[targets]
    each = -(q * log_p).sum(axis=-1)
    real = targets != 0
    return (each * real).sum() / real.sum()


# exercise: label_smoothing.backward
# wrong: the gradient is that of plain targets, without smoothing
# source: beginner
def label_smoothing_backward_01(logits, targets, smoothing):
    B, T, V = logits.shape
    e = np.exp(logits - logits.max(axis=2, keepdims=True))
    P = e / e.sum(axis=2, keepdims=True)
    onehot = np.zeros((B, T, V))
    np.put_along_axis(onehot, targets[:, :, None], 1.0, axis=2)
    q = onehot * (1 - smoothing) + smoothing / V
    real = (targets != 0)[:, :, None]
    return (P - onehot) * real / real.sum()  # <- wrong


# exercise: label_smoothing.backward
# wrong: the share is spread over V − 1 tokens
# source: issue of a public repository
def label_smoothing_backward_02(logits, targets, smoothing):
    B, T, V = logits.shape
    e = np.exp(logits - logits.max(axis=2, keepdims=True))
    P = e / e.sum(axis=2, keepdims=True)
    onehot = np.zeros((B, T, V))
    np.put_along_axis(onehot, targets[:, :, None], 1.0, axis=2)
    q = onehot * (1 - smoothing) + smoothing / (V - 1)  # <- wrong
    real = (targets != 0)[:, :, None]
    return (P - q) * real / real.sum()


# exercise: label_smoothing.backward
# wrong: ε and 1 − ε are swapped
# source: beginner
def label_smoothing_backward_03(logits, targets, smoothing):
    B, T, V = logits.shape
    e = np.exp(logits - logits.max(axis=2, keepdims=True))
    P = e / e.sum(axis=2, keepdims=True)
    onehot = np.zeros((B, T, V))
    np.put_along_axis(onehot, targets[:, :, None], 1.0, axis=2)
    q = onehot * smoothing + smoothing / V  # <- wrong
    real = (targets != 0)[:, :, None]
    return (P - q) * real / real.sum()


# exercise: label_smoothing.backward
# wrong: the weights are scaled by 1 − ε too
# source: beginner
def label_smoothing_backward_04(logits, targets, smoothing):
    B, T, V = logits.shape
    e = np.exp(logits - logits.max(axis=2, keepdims=True))
    P = e / e.sum(axis=2, keepdims=True)
    onehot = np.zeros((B, T, V))
    np.put_along_axis(onehot, targets[:, :, None], 1.0, axis=2)
    q = onehot * (1 - smoothing) + smoothing / V
    real = (targets != 0)[:, :, None]
    return ((1 - smoothing) * P - q) * real / real.sum()  # <- wrong


# exercise: label_smoothing.backward
# wrong: the mask of padding is missing in the numerator
# source: issue of a public repository
def label_smoothing_backward_05(logits, targets, smoothing):
    B, T, V = logits.shape
    e = np.exp(logits - logits.max(axis=2, keepdims=True))
    P = e / e.sum(axis=2, keepdims=True)
    onehot = np.zeros((B, T, V))
    np.put_along_axis(onehot, targets[:, :, None], 1.0, axis=2)
    q = onehot * (1 - smoothing) + smoothing / V
    real = (targets != 0)[:, :, None]
    return (P - q) / real.sum()  # <- wrong


# exercise: label_smoothing.backward
# wrong: the mean is over the sentences
# second: ε is not divided by V
# source: beginner
def label_smoothing_backward_06(logits, targets, smoothing):
    B, T, V = logits.shape
    e = np.exp(logits - logits.max(axis=2, keepdims=True))
    P = e / e.sum(axis=2, keepdims=True)
    onehot = np.zeros((B, T, V))
    np.put_along_axis(onehot, targets[:, :, None], 1.0, axis=2)
    q = onehot * (1 - smoothing) + smoothing  # <- wrong
    real = (targets != 0)[:, :, None]
    return (P - q) * real / B  # <- wrong


# exercise: label_smoothing.backward
# right: with put_along_axis
# source: beginner
def label_smoothing_backward_07(logits, targets, smoothing):
    B, T, V = logits.shape
    e = np.exp(logits - logits.max(axis=2, keepdims=True))
    P = e / e.sum(axis=2, keepdims=True)
    onehot = np.zeros((B, T, V))
    np.put_along_axis(onehot, targets[:, :, None], 1.0, axis=2)
    q = onehot * (1 - smoothing) + smoothing / V
    real = (targets != 0)[:, :, None]
    return (P - q) * real / real.sum()


# exercise: label_smoothing.backward
# right: from P, with indices
# source: beginner
def label_smoothing_backward_08(P, targets, smoothing):
    V = P.shape[-1]
    real = targets > 0
    out = (P - smoothing / V) / real.sum()
    index = np.nonzero(real)
    out[index[0], index[1], targets[index]] -= (1 - smoothing) / real.sum()
    out[~real] = 0
    return out


# exercise: label_smoothing.backward
# wrong: the target's share is not divided by the number of targets
# source: beginner
def label_smoothing_backward_09(P, targets, smoothing):
    V = P.shape[-1]
    real = targets > 0
    out = (P - smoothing / V) / real.sum()
    index = np.nonzero(real)
    out[index[0], index[1], targets[index]] -= 1 - smoothing  # <- wrong
    out[~real] = 0
    return out


# exercise: label_smoothing.backward
# wrong: padding keeps the smooth part of the gradient
# source: issue of a public repository
# missing: a line
def label_smoothing_backward_10(P, targets, smoothing):
    V = P.shape[-1]
    real = targets > 0
    out = (P - smoothing / V) / real.sum()
    index = np.nonzero(real)
    out[index[0], index[1], targets[index]] -= (1 - smoothing) / real.sum()
    return out  # <- wrong


# exercise: teacher_forcing.shift
# wrong: EOS stands in the last column, behind the padding
# source: issue of a public repository
def teacher_forcing_shift_01(target):
    B, T = target.shape
    target_in = np.zeros((B, T + 1), dtype=int)
    target_in[:, 0] = 1
    target_in[:, 1:] = target
    target_out = np.zeros((B, T + 1), dtype=int)
    target_out[:, :T] = target
    lengths = (target != 0).sum(axis=1)
    target_out[:, -1] = 2  # <- wrong
    return target_in, target_out


# exercise: teacher_forcing.shift
# wrong: BOS and EOS are mixed up at the start
# source: beginner
def teacher_forcing_shift_02(target):
    B, T = target.shape
    target_in = np.zeros((B, T + 1), dtype=int)
    target_in[:, 0] = 2  # <- wrong
    target_in[:, 1:] = target
    target_out = np.zeros((B, T + 1), dtype=int)
    target_out[:, :T] = target
    lengths = (target != 0).sum(axis=1)
    target_out[np.arange(B), lengths] = 2
    return target_in, target_out


# exercise: teacher_forcing.shift
# wrong: nothing is shifted: the decoder reads the token it is to say
# source: issue of a public repository
def teacher_forcing_shift_03(target):
    B, T = target.shape
    target_in = np.zeros((B, T + 1), dtype=int)
    target_in[:, 0] = 1
    target_in[:, :T] = target  # <- wrong
    target_out = np.zeros((B, T + 1), dtype=int)
    target_out[:, :T] = target
    lengths = (target != 0).sum(axis=1)
    target_out[np.arange(B), lengths] = 2
    return target_in, target_out


# exercise: teacher_forcing.shift
# wrong: EOS replaces the last token
# source: beginner
def teacher_forcing_shift_04(target):
    B, T = target.shape
    target_in = np.zeros((B, T + 1), dtype=int)
    target_in[:, 0] = 1
    target_in[:, 1:] = target
    target_out = np.zeros((B, T + 1), dtype=int)
    target_out[:, :T] = target
    lengths = (target != 0).sum(axis=1)
    target_out[np.arange(B), lengths - 1] = 2  # <- wrong
    return target_in, target_out


# exercise: teacher_forcing.shift
# wrong: the length is that of the longest row for all
# source: beginner
def teacher_forcing_shift_05(target):
    B, T = target.shape
    target_in = np.zeros((B, T + 1), dtype=int)
    target_in[:, 0] = 1
    target_in[:, 1:] = target
    target_out = np.zeros((B, T + 1), dtype=int)
    target_out[:, :T] = target
    lengths = (target != 0).sum(axis=1).max()  # <- wrong
    target_out[np.arange(B), lengths] = 2
    return target_in, target_out


# exercise: teacher_forcing.shift
# wrong: the two are returned in the wrong order
# source: beginner
def teacher_forcing_shift_06(target):
    B, T = target.shape
    target_in = np.zeros((B, T + 1), dtype=int)
    target_in[:, 0] = 1
    target_in[:, 1:] = target
    target_out = np.zeros((B, T + 1), dtype=int)
    target_out[:, :T] = target
    lengths = (target != 0).sum(axis=1)
    target_out[np.arange(B), lengths] = 2
    return target_out, target_in  # <- wrong


# exercise: teacher_forcing.shift
# wrong: EOS in the last column
# second: BOS is written as 2
# source: beginner
def teacher_forcing_shift_07(target):
    B, T = target.shape
    target_in = np.zeros((B, T + 1), dtype=int)
    target_in[:, 0] = 2  # <- wrong
    target_in[:, 1:] = target
    target_out = np.zeros((B, T + 1), dtype=int)
    target_out[:, :T] = target
    lengths = (target != 0).sum(axis=1)
    target_out[:, -1] = 2  # <- wrong
    return target_in, target_out


# exercise: teacher_forcing.shift
# right: small steps
# source: beginner
def teacher_forcing_shift_08(target):
    B, T = target.shape
    target_in = np.zeros((B, T + 1), dtype=int)
    target_in[:, 0] = 1
    target_in[:, 1:] = target
    target_out = np.zeros((B, T + 1), dtype=int)
    target_out[:, :T] = target
    lengths = (target != 0).sum(axis=1)
    target_out[np.arange(B), lengths] = 2
    return target_in, target_out


# exercise: teacher_forcing.shift
# right: lists
# source: beginner
def teacher_forcing_shift_09(target):
    ins, outs = [], []
    for row in target.tolist():
        words = [token for token in row if token != 0]
        rest = [0] * (len(row) - len(words))
        ins.append([1] + words + rest)
        outs.append(words + [2] + rest)
    return [np.array(ins), np.array(outs)]


# exercise: teacher_forcing.shift
# wrong: the decoder also says BOS
# source: issue of a public repository
def teacher_forcing_shift_10(target):
    ins, outs = [], []
    for row in target.tolist():
        words = [token for token in row if token != 0]
        rest = [0] * (len(row) - len(words))
        ins.append([1] + words + rest)
        outs.append(([1] + words + [2] + rest)[: len(row) + 1])  # <- wrong
    return [np.array(ins), np.array(outs)]


# exercise: teacher_forcing.shift
# wrong: EOS comes after the padding
# source: issue of a public repository
def teacher_forcing_shift_11(target):
    ins, outs = [], []
    for row in target.tolist():
        words = [token for token in row if token != 0]
        rest = [0] * (len(row) - len(words))
        ins.append([1] + words + rest)
        outs.append(words + rest + [2])  # <- wrong
    return [np.array(ins), np.array(outs)]
