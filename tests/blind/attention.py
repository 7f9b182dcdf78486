"""Answers to the exercises: attention."""

import numpy as np


# exercise: attention.scores
# wrong: not divided
# source: issue of a public repository
def attention_scores_01(query, key):
    B, H, T, K = query.shape
    S = key.shape[2]
    scores = np.zeros((B, H, T, S))
    for t in range(T):
        for s in range(S):
            scores[:, :, t, s] = (query[:, :, t] * key[:, :, s]).sum(-1)
    return scores  # <- wrong


# exercise: attention.scores
# wrong: divided by d_k, without the root
# source: issue of a public repository
def attention_scores_02(query, key):
    B, H, T, K = query.shape
    S = key.shape[2]
    scores = np.zeros((B, H, T, S))
    for t in range(T):
        for s in range(S):
            scores[:, :, t, s] = (query[:, :, t] * key[:, :, s]).sum(-1)
    return scores / K  # <- wrong


# exercise: attention.scores
# wrong: multiplied by √d_k
# source: issue of a public repository
def attention_scores_03(query, key):
    B, H, T, K = query.shape
    S = key.shape[2]
    scores = np.zeros((B, H, T, S))
    for t in range(T):
        for s in range(S):
            scores[:, :, t, s] = (query[:, :, t] * key[:, :, s]).sum(-1)
    return scores * np.sqrt(K)  # <- wrong


# exercise: attention.scores
# wrong: divided by the root of the number of keys
# source: beginner
def attention_scores_04(query, key):
    B, H, T, K = query.shape
    S = key.shape[2]
    scores = np.zeros((B, H, T, S))
    for t in range(T):
        for s in range(S):
            scores[:, :, t, s] = (query[:, :, t] * key[:, :, s]).sum(-1)
    return scores / np.sqrt(S)  # <- wrong


# exercise: attention.scores
# wrong: divided by the root of all heads' width
# source: issue of a public repository
def attention_scores_05(query, key):
    B, H, T, K = query.shape
    S = key.shape[2]
    scores = np.zeros((B, H, T, S))
    for t in range(T):
        for s in range(S):
            scores[:, :, t, s] = (query[:, :, t] * key[:, :, s]).sum(-1)
    return scores / np.sqrt(H * K)  # <- wrong


# exercise: attention.scores
# right: loops
# source: beginner
def attention_scores_06(query, key):
    B, H, T, K = query.shape
    S = key.shape[2]
    scores = np.zeros((B, H, T, S))
    for t in range(T):
        for s in range(S):
            scores[:, :, t, s] = (query[:, :, t] * key[:, :, s]).sum(-1)
    return scores / np.sqrt(K)


# exercise: attention.scores
# right: einsum, the query scaled
# source: beginner
def attention_scores_07(query, key):
    scale = query.shape[-1] ** -0.5
    return np.einsum("bhtk,bhsk->bhts", query * scale, key)


# exercise: attention.scores
# wrong: divided by a scale that is an inverse already
# source: issue of a public repository
def attention_scores_08(query, key):
    scale = query.shape[-1] ** -0.5
    return np.einsum("bhtk,bhsk->bhts", query / scale, key)  # <- wrong


# exercise: attention.scores
# wrong: the fourth root
# source: issue of a public repository
def attention_scores_09(query, key):
    scale = query.shape[-1] ** -0.25  # <- wrong
    return np.einsum("bhtk,bhsk->bhts", query * scale, key)


# exercise: attention.weights
# wrong: the mask is inverted
# source: issue of a public repository
def attention_weights_01(scores, mask):
    hidden = np.where(mask, -np.inf, scores)  # <- wrong
    top = hidden.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    e = np.exp(hidden - top)
    total = e.sum(axis=-1, keepdims=True)
    total = np.where(total == 0, 1.0, total)
    return e / total


# exercise: attention.weights
# wrong: hidden scores become 0 and not −∞
# source: public question
def attention_weights_02(scores, mask):
    hidden = np.where(mask, scores, 0.0)  # <- wrong
    top = hidden.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    e = np.exp(hidden - top)
    total = e.sum(axis=-1, keepdims=True)
    total = np.where(total == 0, 1.0, total)
    return e / total


# exercise: attention.weights
# wrong: a query that sees nothing gets NaN
# source: issue of a public repository
# missing: a line
def attention_weights_03(scores, mask):
    hidden = np.where(mask, scores, -np.inf)
    top = hidden.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    e = np.exp(hidden - top)
    total = e.sum(axis=-1, keepdims=True)
    return e / total  # <- wrong


# exercise: attention.weights
# wrong: the sum goes over the queries
# source: public question
def attention_weights_04(scores, mask):
    hidden = np.where(mask, scores, -np.inf)
    top = hidden.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    e = np.exp(hidden - top)
    total = e.sum(axis=-2, keepdims=True)  # <- wrong
    total = np.where(total == 0, 1.0, total)
    return e / total


# exercise: attention.weights
# wrong: −100 is not far enough for scores that are large
# source: issue of a public repository
def attention_weights_05(scores, mask):
    hidden = np.where(mask, scores, -100.0)  # <- wrong
    top = hidden.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    e = np.exp(hidden - top)
    total = e.sum(axis=-1, keepdims=True)
    total = np.where(total == 0, 1.0, total)
    return e / total


# exercise: attention.weights
# wrong: the mask is ignored
# source: beginner
def attention_weights_06(scores, mask):
    hidden = scores  # <- wrong
    top = hidden.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    e = np.exp(hidden - top)
    total = e.sum(axis=-1, keepdims=True)
    total = np.where(total == 0, 1.0, total)
    return e / total


# exercise: attention.weights
# wrong: a query that sees nothing sees all: −10⁹ everywhere
# source: issue of a public repository
def attention_weights_07(scores, mask):
    hidden = np.where(mask, scores, -1e9)  # <- wrong
    top = hidden.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    e = np.exp(hidden - top)
    total = e.sum(axis=-1, keepdims=True)
    total = np.where(total == 0, 1.0, total)
    return e / total


# exercise: attention.weights
# wrong: the sum goes over the queries
# second: hidden scores become 0
# source: beginner
def attention_weights_08(scores, mask):
    hidden = np.where(mask, scores, 0.0)  # <- wrong
    top = hidden.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    e = np.exp(hidden - top)
    total = e.sum(axis=-2, keepdims=True)  # <- wrong
    total = np.where(total == 0, 1.0, total)
    return e / total


# exercise: attention.weights
# right: small steps
# source: beginner
def attention_weights_09(scores, mask):
    hidden = np.where(mask, scores, -np.inf)
    top = hidden.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    e = np.exp(hidden - top)
    total = e.sum(axis=-1, keepdims=True)
    total = np.where(total == 0, 1.0, total)
    return e / total


# exercise: attention.weights
# wrong: the mask acts after the softmax: the rest does not sum to one
# source: issue of a public repository
def attention_weights_10(scores, mask):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    return P * mask  # <- wrong


# exercise: attention.weights
# wrong: hidden keys get the weight 1, after the softmax
# source: issue of a public repository
def attention_weights_11(scores, mask):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    P = e / e.sum(-1, keepdims=True)
    return np.where(mask, P, 1)  # <- wrong


# exercise: attention.context
# wrong: divided by the number of keys once more
# source: beginner
def attention_context_01(P, value):
    B, H, T, S = P.shape
    context = np.zeros((B, H, T, value.shape[-1]))
    for s in range(S):
        weight = P[:, :, :, s][..., None]
        row = value[:, :, s][:, :, None, :]
        context += weight * row
    return context / S  # <- wrong


# exercise: attention.context
# wrong: each key overwrites the one before
# source: beginner
def attention_context_02(P, value):
    B, H, T, S = P.shape
    context = np.zeros((B, H, T, value.shape[-1]))
    for s in range(S):
        weight = P[:, :, :, s][..., None]
        row = value[:, :, s][:, :, None, :]
        context = weight * row  # <- wrong
    return context


# exercise: attention.context
# wrong: the last key is left out
# source: beginner
def attention_context_03(P, value):
    B, H, T, S = P.shape
    context = np.zeros((B, H, T, value.shape[-1]))
    for s in range(S - 1):  # <- wrong
        weight = P[:, :, :, s][..., None]
        row = value[:, :, s][:, :, None, :]
        context += weight * row
    return context


# exercise: attention.context
# wrong: the value of the key before is taken
# source: beginner
def attention_context_04(P, value):
    B, H, T, S = P.shape
    context = np.zeros((B, H, T, value.shape[-1]))
    for s in range(S):
        weight = P[:, :, :, s][..., None]
        row = value[:, :, s - 1][:, :, None, :]  # <- wrong
        context += weight * row
    return context


# exercise: attention.context
# right: loops
# source: beginner
def attention_context_05(P, value):
    B, H, T, S = P.shape
    context = np.zeros((B, H, T, value.shape[-1]))
    for s in range(S):
        weight = P[:, :, :, s][..., None]
        row = value[:, :, s][:, :, None, :]
        context += weight * row
    return context


# exercise: attention.context
# wrong: the largest weight takes all
# source: beginner
def attention_context_06(P, value):
    return np.take_along_axis(value, P.argmax(-1)[..., None], axis=2)  # <- wrong


# exercise: attention.context
# right: einsum
# source: beginner
def attention_context_07(P, value):
    return np.einsum("bhts,bhsv->bhtv", P, value)


# exercise: attention.d_value
# wrong: a mean over the queries
# source: course forum
def attention_d_value_01(d_context, P):
    P_t = np.transpose(P, (0, 1, 3, 2))
    d_value = np.matmul(P_t, d_context) / P.shape[2]  # <- wrong
    return d_value


# exercise: attention.d_value
# wrong: each row of Pᵀ is normalised once more
# source: beginner
def attention_d_value_02(d_context, P):
    P_t = np.transpose(P / P.sum(2, keepdims=True), (0, 1, 3, 2))  # <- wrong
    d_value = np.matmul(P_t, d_context)
    return d_value


# exercise: attention.d_value
# wrong: heads are summed together
# source: beginner
def attention_d_value_03(d_context, P):
    P_t = np.transpose(P, (0, 1, 3, 2))
    d_value = np.matmul(P_t, d_context).sum(1, keepdims=True).repeat(P.shape[1], 1)  # <- wrong
    return d_value


# exercise: attention.d_value
# wrong: P is not transposed, the shapes do not fit
# source: public question
def attention_d_value_04(d_context, P):
    P_t = np.transpose(P, (0, 1, 3, 2))
    d_value = np.matmul(P, d_context)  # <- wrong
    return d_value


# exercise: attention.d_value
# right: matmul
# source: beginner
def attention_d_value_05(d_context, P):
    P_t = np.transpose(P, (0, 1, 3, 2))
    d_value = np.matmul(P_t, d_context)
    return d_value


# exercise: attention.d_P
# wrong: each row's mean is subtracted, as if softmax were already here
# source: beginner
def attention_d_p_01(d_context, value):
    B, H, T, _ = d_context.shape
    out = np.zeros((B, H, T, value.shape[2]))
    for b in range(B):
        for h in range(H):
            tmp = d_context[b, h] @ value[b, h].T
            out[b, h] = tmp - tmp.mean(-1, keepdims=True)  # <- wrong
    return out


# exercise: attention.d_P
# wrong: divided by √d, as if the scale were here
# source: beginner
def attention_d_p_02(d_context, value):
    B, H, T, _ = d_context.shape
    out = np.zeros((B, H, T, value.shape[2]))
    for b in range(B):
        for h in range(H):
            tmp = d_context[b, h] @ value[b, h].T
            out[b, h] = tmp / np.sqrt(value.shape[-1])  # <- wrong
    return out


# exercise: attention.d_P
# wrong: the values of the first head for all heads
# source: beginner
def attention_d_p_03(d_context, value):
    B, H, T, _ = d_context.shape
    out = np.zeros((B, H, T, value.shape[2]))
    for b in range(B):
        for h in range(H):
            tmp = d_context[b, h] @ value[b, 0].T  # <- wrong
            out[b, h] = tmp
    return out


# exercise: attention.d_P
# wrong: the values of the first sentence for all
# source: beginner
def attention_d_p_04(d_context, value):
    B, H, T, _ = d_context.shape
    out = np.zeros((B, H, T, value.shape[2]))
    for b in range(B):
        for h in range(H):
            tmp = d_context[b, h] @ value[0, h].T  # <- wrong
            out[b, h] = tmp
    return out


# exercise: attention.d_P
# right: loops
# source: beginner
def attention_d_p_05(d_context, value):
    B, H, T, _ = d_context.shape
    out = np.zeros((B, H, T, value.shape[2]))
    for b in range(B):
        for h in range(H):
            tmp = d_context[b, h] @ value[b, h].T
            out[b, h] = tmp
    return out


# exercise: attention.d_scores
# wrong: the sum starts anew with each key
# source: beginner
def attention_d_scores_01(d_P, P):
    total = np.zeros(P.shape[:3] + (1,))
    for s in range(P.shape[3]):
        total[..., 0] = d_P[..., s] * P[..., s]  # <- wrong
    diff = d_P - total
    d_scores = P * diff
    return d_scores


# exercise: attention.d_scores
# wrong: the sum over the keys is not weighted
# source: beginner
def attention_d_scores_02(d_P, P):
    total = np.zeros(P.shape[:3] + (1,))
    for s in range(P.shape[3]):
        total[..., 0] += d_P[..., s]  # <- wrong
    diff = d_P - total
    d_scores = P * diff
    return d_scores


# exercise: attention.d_scores
# wrong: P(1 − P): each weight for itself
# source: public question
def attention_d_scores_03(d_P, P):
    total = np.zeros(P.shape[:3] + (1,))
    for s in range(P.shape[3]):
        total[..., 0] += d_P[..., s] * P[..., s]
    diff = d_P - total
    d_scores = P * (1 - P) * d_P  # <- wrong
    return d_scores


# exercise: attention.d_scores
# wrong: P is squared
# source: beginner
def attention_d_scores_04(d_P, P):
    total = np.zeros(P.shape[:3] + (1,))
    for s in range(P.shape[3]):
        total[..., 0] += d_P[..., s] * P[..., s]
    diff = d_P - total
    d_scores = P * P * diff  # <- wrong
    return d_scores


# exercise: attention.d_scores
# wrong: the sign is turned
# source: beginner
def attention_d_scores_05(d_P, P):
    total = np.zeros(P.shape[:3] + (1,))
    for s in range(P.shape[3]):
        total[..., 0] += d_P[..., s] * P[..., s]
    diff = total - d_P  # <- wrong
    d_scores = P * diff
    return d_scores


# exercise: attention.d_scores
# right: a loop for the sum
# source: beginner
def attention_d_scores_06(d_P, P):
    total = np.zeros(P.shape[:3] + (1,))
    for s in range(P.shape[3]):
        total[..., 0] += d_P[..., s] * P[..., s]
    diff = d_P - total
    d_scores = P * diff
    return d_scores


# exercise: attention.d_query
# wrong: the scale is forgotten
# source: issue of a public repository
# missing: a line
def attention_d_query_01(d_scores, key):
    K = key.shape[-1]
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    return d_query  # <- wrong


# exercise: attention.d_query
# wrong: multiplied by √d_k
# source: beginner
def attention_d_query_02(d_scores, key):
    K = key.shape[-1]
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_query = d_query * np.sqrt(K)  # <- wrong
    return d_query


# exercise: attention.d_query
# wrong: divided by d_k: the scale twice
# source: beginner
def attention_d_query_03(d_scores, key):
    K = key.shape[-1]
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_query = d_query / K  # <- wrong
    return d_query


# exercise: attention.d_query
# wrong: divided by the root of the number of keys
# source: beginner
def attention_d_query_04(d_scores, key):
    K = key.shape[-1]
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_query = d_query / np.sqrt(key.shape[-2])  # <- wrong
    return d_query


# exercise: attention.d_query
# right: einsum
# source: beginner
def attention_d_query_05(d_scores, key):
    K = key.shape[-1]
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_query = d_query / np.sqrt(K)
    return d_query


# exercise: attention.d_key
# wrong: only the last query counts
# source: beginner
def attention_d_key_01(d_scores, query):
    T, K = query.shape[2:]
    d_key = 0
    for t in range(T):
        a = d_scores[:, :, t, :, None]
        q = query[:, :, t, None, :]
        d_key = a * q / np.sqrt(K)  # <- wrong
    return d_key


# exercise: attention.d_key
# wrong: the scale is forgotten
# source: issue of a public repository
def attention_d_key_02(d_scores, query):
    T, K = query.shape[2:]
    d_key = 0
    for t in range(T):
        a = d_scores[:, :, t, :, None]
        q = query[:, :, t, None, :]
        d_key = d_key + a * q  # <- wrong
    return d_key


# exercise: attention.d_key
# wrong: a mean over the queries
# source: course forum
def attention_d_key_03(d_scores, query):
    T, K = query.shape[2:]
    d_key = 0
    for t in range(T):
        a = d_scores[:, :, t, :, None]
        q = query[:, :, t, None, :]
        d_key = d_key + a * q / np.sqrt(K)
    return d_key / T  # <- wrong


# exercise: attention.d_key
# wrong: the root of the number of queries
# source: beginner
def attention_d_key_04(d_scores, query):
    T, K = query.shape[2:]
    d_key = 0
    for t in range(T):
        a = d_scores[:, :, t, :, None]
        q = query[:, :, t, None, :]
        d_key = d_key + a * q / np.sqrt(T)  # <- wrong
    return d_key


# exercise: attention.d_key
# right: a loop
# source: beginner
def attention_d_key_05(d_scores, query):
    T, K = query.shape[2:]
    d_key = 0
    for t in range(T):
        a = d_scores[:, :, t, :, None]
        q = query[:, :, t, None, :]
        d_key = d_key + a * q / np.sqrt(K)
    return d_key


# exercise: attention.forward
# wrong: not divided by √d_k
# source: issue of a public repository
# missing: a line
def attention_forward_01(query, key, value, mask):
    d_k = query.shape[-1]
    scores = np.matmul(query, key.transpose(0, 1, 3, 2))
    scores = np.where(mask, scores, -1e30)  # <- wrong
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    e = e * mask
    total = e.sum(axis=-1, keepdims=True)
    P = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    return np.matmul(P, value)


# exercise: attention.forward
# wrong: divided by the root of the values' width
# source: issue of a public repository
def attention_forward_02(query, key, value, mask):
    d_k = value.shape[-1]  # <- wrong
    scores = np.matmul(query, key.transpose(0, 1, 3, 2))
    scores = scores / np.sqrt(d_k)
    scores = np.where(mask, scores, -1e30)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    e = e * mask
    total = e.sum(axis=-1, keepdims=True)
    P = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    return np.matmul(P, value)


# exercise: attention.forward
# wrong: a query that sees nothing sees all alike
# source: issue of a public repository
# missing: a line
def attention_forward_03(query, key, value, mask):
    d_k = query.shape[-1]
    scores = np.matmul(query, key.transpose(0, 1, 3, 2))
    scores = scores / np.sqrt(d_k)
    scores = np.where(mask, scores, -1e30)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    total = e.sum(axis=-1, keepdims=True)  # <- wrong
    P = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    return np.matmul(P, value)


# exercise: attention.forward
# wrong: hidden keys count as exp(0) = 1
# source: beginner
def attention_forward_04(query, key, value, mask):
    d_k = query.shape[-1]
    scores = np.matmul(query, key.transpose(0, 1, 3, 2))
    scores = scores / np.sqrt(d_k)
    scores = np.where(mask, scores, -1e30)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    e = np.where(mask, e, 1.0)  # <- wrong
    total = e.sum(axis=-1, keepdims=True)
    P = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    return np.matmul(P, value)


# exercise: attention.forward
# wrong: softmax over the queries
# source: public question
def attention_forward_05(query, key, value, mask):
    d_k = query.shape[-1]
    scores = np.matmul(query, key.transpose(0, 1, 3, 2))
    scores = scores / np.sqrt(d_k)
    scores = np.where(mask, scores, -1e30)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    e = e * mask
    total = e.sum(axis=2, keepdims=True)  # <- wrong
    P = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    return np.matmul(P, value)


# exercise: attention.forward
# wrong: the weights are scaled, not the scores
# source: beginner
def attention_forward_06(query, key, value, mask):
    d_k = query.shape[-1]
    scores = np.matmul(query, key.transpose(0, 1, 3, 2))
    scores = scores / np.sqrt(d_k)
    scores = np.where(mask, scores, -1e30)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    e = e * mask
    total = e.sum(axis=-1, keepdims=True)
    P = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    return np.matmul(P, value) / np.sqrt(d_k)  # <- wrong


# exercise: attention.forward
# wrong: not divided by √d_k
# second: softmax over the queries
# source: issue of a public repository
# missing: a line
def attention_forward_07(query, key, value, mask):
    d_k = query.shape[-1]
    scores = np.matmul(query, key.transpose(0, 1, 3, 2))
    scores = np.where(mask, scores, -1e30)  # <- wrong
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    e = e * mask
    total = e.sum(axis=2, keepdims=True)  # <- wrong
    P = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    return np.matmul(P, value)


# exercise: attention.forward
# right: small steps
# source: beginner
def attention_forward_08(query, key, value, mask):
    d_k = query.shape[-1]
    scores = np.matmul(query, key.transpose(0, 1, 3, 2))
    scores = scores / np.sqrt(d_k)
    scores = np.where(mask, scores, -1e30)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    e = e * mask
    total = e.sum(axis=-1, keepdims=True)
    P = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    return np.matmul(P, value)


# exercise: attention.forward
# right: loops over what is seen
# source: beginner
def attention_forward_09(query, key, value, mask):
    out = np.zeros(query.shape[:3] + value.shape[3:])
    for b, h, t in np.ndindex(query.shape[:3]):
        see = mask[b, 0, t]
        if not see.any():
            continue
        s = key[b, h, see] @ query[b, h, t] / np.sqrt(query.shape[-1])
        w = np.exp(s - s.max())
        out[b, h, t] = (w / w.sum()) @ value[b, h, see]
    return out


# exercise: attention.forward
# wrong: the mask of the first sentence for all
# source: issue of a public repository
def attention_forward_10(query, key, value, mask):
    out = np.zeros(query.shape[:3] + value.shape[3:])
    for b, h, t in np.ndindex(query.shape[:3]):
        see = mask[0, 0, t]  # <- wrong
        if not see.any():
            continue
        s = key[b, h, see] @ query[b, h, t] / np.sqrt(query.shape[-1])
        w = np.exp(s - s.max())
        out[b, h, t] = (w / w.sum()) @ value[b, h, see]
    return out


# exercise: attention.forward
# wrong: the mask is inverted
# source: issue of a public repository
def attention_forward_11(query, key, value, mask):
    out = np.zeros(query.shape[:3] + value.shape[3:])
    for b, h, t in np.ndindex(query.shape[:3]):
        see = ~mask[b, 0, t]  # <- wrong
        if not see.any():
            continue
        s = key[b, h, see] @ query[b, h, t] / np.sqrt(query.shape[-1])
        w = np.exp(s - s.max())
        out[b, h, t] = (w / w.sum()) @ value[b, h, see]
    return out


# exercise: attention.forward
# wrong: no maximum is subtracted
# source: public question
def attention_forward_12(query, key, value, mask):
    out = np.zeros(query.shape[:3] + value.shape[3:])
    for b, h, t in np.ndindex(query.shape[:3]):
        see = mask[b, 0, t]
        if not see.any():
            continue
        s = key[b, h, see] @ query[b, h, t] / np.sqrt(query.shape[-1])
        w = np.exp(s)  # <- wrong
        out[b, h, t] = (w / w.sum()) @ value[b, h, see]
    return out


# exercise: attention.backward
# wrong: the scale is forgotten backward
# source: issue of a public repository
# missing: a line
def _attention_backward_01_softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention_backward_01(d_context, query, key, value, mask):
    scale = 1 / np.sqrt(key.shape[-1])
    scores = np.einsum("bhtk,bhsk->bhts", query, key) * scale
    scores = np.where(mask, scores, -np.inf)
    P = _attention_backward_01_softmax(scores)
    d_value = np.einsum("bhts,bhtv->bhsv", P, d_context)
    d_P = np.einsum("bhtv,bhsv->bhts", d_context, value)
    d_scores = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)  # <- wrong
    d_key = np.einsum("bhts,bhtk->bhsk", d_scores, query)
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: the scale twice backward
# source: beginner
def _attention_backward_02_softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention_backward_02(d_context, query, key, value, mask):
    scale = 1 / np.sqrt(key.shape[-1])
    scores = np.einsum("bhtk,bhsk->bhts", query, key) * scale
    scores = np.where(mask, scores, -np.inf)
    P = _attention_backward_02_softmax(scores)
    d_value = np.einsum("bhts,bhtv->bhsv", P, d_context)
    d_P = np.einsum("bhtv,bhsv->bhts", d_context, value)
    d_scores = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_scores = d_scores * scale**2  # <- wrong
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_key = np.einsum("bhts,bhtk->bhsk", d_scores, query)
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: the mask is forgotten
# source: issue of a public repository
# missing: a line
def _attention_backward_03_softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention_backward_03(d_context, query, key, value, mask):
    scale = 1 / np.sqrt(key.shape[-1])
    scores = np.einsum("bhtk,bhsk->bhts", query, key) * scale
    P = _attention_backward_03_softmax(scores)  # <- wrong
    d_value = np.einsum("bhts,bhtv->bhsv", P, d_context)
    d_P = np.einsum("bhtv,bhsv->bhts", d_context, value)
    d_scores = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_scores = d_scores * scale
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_key = np.einsum("bhts,bhtk->bhsk", d_scores, query)
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: hidden keys get the score 0 and not −∞
# source: issue of a public repository
def _attention_backward_04_softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention_backward_04(d_context, query, key, value, mask):
    scale = 1 / np.sqrt(key.shape[-1])
    scores = np.einsum("bhtk,bhsk->bhts", query, key) * scale
    scores = np.where(mask, scores, 0)  # <- wrong
    P = _attention_backward_04_softmax(scores)
    d_value = np.einsum("bhts,bhtv->bhsv", P, d_context)
    d_P = np.einsum("bhtv,bhsv->bhts", d_context, value)
    d_scores = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_scores = d_scores * scale
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_key = np.einsum("bhts,bhtk->bhsk", d_scores, query)
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: softmax's gradient is left out
# source: public question
def _attention_backward_05_softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention_backward_05(d_context, query, key, value, mask):
    scale = 1 / np.sqrt(key.shape[-1])
    scores = np.einsum("bhtk,bhsk->bhts", query, key) * scale
    scores = np.where(mask, scores, -np.inf)
    P = _attention_backward_05_softmax(scores)
    d_value = np.einsum("bhts,bhtv->bhsv", P, d_context)
    d_P = np.einsum("bhtv,bhsv->bhts", d_context, value)
    d_scores = d_P  # <- wrong
    d_scores = d_scores * scale
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_key = np.einsum("bhts,bhtk->bhsk", d_scores, query)
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: softmax's gradient is P(1 − P)
# source: public question
def _attention_backward_06_softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention_backward_06(d_context, query, key, value, mask):
    scale = 1 / np.sqrt(key.shape[-1])
    scores = np.einsum("bhtk,bhsk->bhts", query, key) * scale
    scores = np.where(mask, scores, -np.inf)
    P = _attention_backward_06_softmax(scores)
    d_value = np.einsum("bhts,bhtv->bhsv", P, d_context)
    d_P = np.einsum("bhtv,bhsv->bhts", d_context, value)
    d_scores = P * (1 - P) * d_P  # <- wrong
    d_scores = d_scores * scale
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_key = np.einsum("bhts,bhtk->bhsk", d_scores, query)
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: softmax's sum goes over the queries
# source: public question
def _attention_backward_07_softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention_backward_07(d_context, query, key, value, mask):
    scale = 1 / np.sqrt(key.shape[-1])
    scores = np.einsum("bhtk,bhsk->bhts", query, key) * scale
    scores = np.where(mask, scores, -np.inf)
    P = _attention_backward_07_softmax(scores)
    d_value = np.einsum("bhts,bhtv->bhsv", P, d_context)
    d_P = np.einsum("bhtv,bhsv->bhts", d_context, value)
    d_scores = P * (d_P - (P * d_P).sum(-2, keepdims=True))  # <- wrong
    d_scores = d_scores * scale
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_key = np.einsum("bhts,bhtk->bhsk", d_scores, query)
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: query's and key's gradients are returned in the wrong order
# source: beginner
def _attention_backward_08_softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention_backward_08(d_context, query, key, value, mask):
    scale = 1 / np.sqrt(key.shape[-1])
    scores = np.einsum("bhtk,bhsk->bhts", query, key) * scale
    scores = np.where(mask, scores, -np.inf)
    P = _attention_backward_08_softmax(scores)
    d_value = np.einsum("bhts,bhtv->bhsv", P, d_context)
    d_P = np.einsum("bhtv,bhsv->bhts", d_context, value)
    d_scores = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_scores = d_scores * scale
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_key = np.einsum("bhts,bhtk->bhsk", d_scores, query)
    return d_key, d_query, d_value  # <- wrong


# exercise: attention.backward
# wrong: the values' gradient uses P squared
# source: beginner
def _attention_backward_09_softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention_backward_09(d_context, query, key, value, mask):
    scale = 1 / np.sqrt(key.shape[-1])
    scores = np.einsum("bhtk,bhsk->bhts", query, key) * scale
    scores = np.where(mask, scores, -np.inf)
    P = _attention_backward_09_softmax(scores)
    d_value = np.einsum("bhts,bhtv->bhsv", P * P, d_context)  # <- wrong
    d_P = np.einsum("bhtv,bhsv->bhts", d_context, value)
    d_scores = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_scores = d_scores * scale
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_key = np.einsum("bhts,bhtk->bhsk", d_scores, query)
    return d_query, d_key, d_value


# exercise: attention.backward
# wrong: the scale is forgotten backward
# second: softmax's sum goes over the queries
# source: beginner
# missing: a line
def _attention_backward_10_softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention_backward_10(d_context, query, key, value, mask):
    scale = 1 / np.sqrt(key.shape[-1])
    scores = np.einsum("bhtk,bhsk->bhts", query, key) * scale
    scores = np.where(mask, scores, -np.inf)
    P = _attention_backward_10_softmax(scores)
    d_value = np.einsum("bhts,bhtv->bhsv", P, d_context)
    d_P = np.einsum("bhtv,bhsv->bhts", d_context, value)
    d_scores = P * (d_P - (P * d_P).sum(-2, keepdims=True))  # <- wrong
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)  # <- wrong
    d_key = np.einsum("bhts,bhtk->bhsk", d_scores, query)
    return d_query, d_key, d_value


# exercise: attention.backward
# right: einsum and a helper
# source: beginner
def _attention_backward_11_softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention_backward_11(d_context, query, key, value, mask):
    scale = 1 / np.sqrt(key.shape[-1])
    scores = np.einsum("bhtk,bhsk->bhts", query, key) * scale
    scores = np.where(mask, scores, -np.inf)
    P = _attention_backward_11_softmax(scores)
    d_value = np.einsum("bhts,bhtv->bhsv", P, d_context)
    d_P = np.einsum("bhtv,bhsv->bhts", d_context, value)
    d_scores = P * (d_P - (P * d_P).sum(-1, keepdims=True))
    d_scores = d_scores * scale
    d_query = np.einsum("bhts,bhsk->bhtk", d_scores, key)
    d_key = np.einsum("bhts,bhtk->bhsk", d_scores, query)
    return d_query, d_key, d_value


# exercise: attention.backward
# right: loops, from P, a dict
# source: beginner
def attention_backward_12(d_context, query, key, value, P):
    root = np.sqrt(query.shape[-1])
    d_q, d_k, d_v = np.zeros_like(query), np.zeros_like(key), np.zeros_like(value)
    for b, h, t in np.ndindex(P.shape[:3]):
        p = P[b, h, t]
        g = value[b, h] @ d_context[b, h, t]
        ds = p * (g - p @ g)
        d_v[b, h] += np.outer(p, d_context[b, h, t])
        d_q[b, h, t] = ds @ key[b, h] / root
        d_k[b, h] += np.outer(ds, query[b, h, t]) / root
    return {"d_query": d_q, "d_key": d_k, "d_value": d_v}


# exercise: attention.backward
# wrong: the key's gradient is that of the last query
# source: beginner
def attention_backward_13(d_context, query, key, value, P):
    root = np.sqrt(query.shape[-1])
    d_q, d_k, d_v = np.zeros_like(query), np.zeros_like(key), np.zeros_like(value)
    for b, h, t in np.ndindex(P.shape[:3]):
        p = P[b, h, t]
        g = value[b, h] @ d_context[b, h, t]
        ds = p * (g - p @ g)
        d_v[b, h] += np.outer(p, d_context[b, h, t])
        d_q[b, h, t] = ds @ key[b, h] / root
        d_k[b, h] = np.outer(ds, query[b, h, t]) / root  # <- wrong
    return {"d_query": d_q, "d_key": d_k, "d_value": d_v}


# exercise: attention.backward
# wrong: the value's gradient is that of the last query
# source: beginner
def attention_backward_14(d_context, query, key, value, P):
    root = np.sqrt(query.shape[-1])
    d_q, d_k, d_v = np.zeros_like(query), np.zeros_like(key), np.zeros_like(value)
    for b, h, t in np.ndindex(P.shape[:3]):
        p = P[b, h, t]
        g = value[b, h] @ d_context[b, h, t]
        ds = p * (g - p @ g)
        d_v[b, h] = np.outer(p, d_context[b, h, t])  # <- wrong
        d_q[b, h, t] = ds @ key[b, h] / root
        d_k[b, h] += np.outer(ds, query[b, h, t]) / root
    return {"d_query": d_q, "d_key": d_k, "d_value": d_v}


# exercise: attention.backward
# wrong: the scale is missing for the keys
# source: issue of a public repository
def attention_backward_15(d_context, query, key, value, P):
    root = np.sqrt(query.shape[-1])
    d_q, d_k, d_v = np.zeros_like(query), np.zeros_like(key), np.zeros_like(value)
    for b, h, t in np.ndindex(P.shape[:3]):
        p = P[b, h, t]
        g = value[b, h] @ d_context[b, h, t]
        ds = p * (g - p @ g)
        d_v[b, h] += np.outer(p, d_context[b, h, t])
        d_q[b, h, t] = ds @ key[b, h] / root
        d_k[b, h] += np.outer(ds, query[b, h, t])  # <- wrong
    return {"d_query": d_q, "d_key": d_k, "d_value": d_v}


# exercise: attention.backward
# wrong: the sum of g without the weights
# source: beginner
def attention_backward_16(d_context, query, key, value, P):
    root = np.sqrt(query.shape[-1])
    d_q, d_k, d_v = np.zeros_like(query), np.zeros_like(key), np.zeros_like(value)
    for b, h, t in np.ndindex(P.shape[:3]):
        p = P[b, h, t]
        g = value[b, h] @ d_context[b, h, t]
        ds = p * (g - g.sum())  # <- wrong
        d_v[b, h] += np.outer(p, d_context[b, h, t])
        d_q[b, h, t] = ds @ key[b, h] / root
        d_k[b, h] += np.outer(ds, query[b, h, t]) / root
    return {"d_query": d_q, "d_key": d_k, "d_value": d_v}
