"""Answers to the exercises: layer norm."""

import numpy as np


# exercise: layer_norm.forward
# wrong: the mean is taken over the positions, as in batch norm
# source: issue of a public repository
def layer_norm_forward_01(x, gamma, beta, epsilon):
    mean = x.mean(axis=1, keepdims=True)  # <- wrong
    centred = x - mean
    var = (centred**2).mean(axis=-1, keepdims=True)
    std = np.sqrt(var + epsilon)
    x_hat = centred / std
    y = gamma * x_hat + beta
    return y


# exercise: layer_norm.forward
# wrong: the variance is taken over the positions
# source: issue of a public repository
def layer_norm_forward_02(x, gamma, beta, epsilon):
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    var = (centred**2).mean(axis=1, keepdims=True)  # <- wrong
    std = np.sqrt(var + epsilon)
    x_hat = centred / std
    y = gamma * x_hat + beta
    return y


# exercise: layer_norm.forward
# wrong: ε is added outside the root
# source: issue of a public repository
def layer_norm_forward_03(x, gamma, beta, epsilon):
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    var = (centred**2).mean(axis=-1, keepdims=True)
    std = np.sqrt(var) + epsilon  # <- wrong
    x_hat = centred / std
    y = gamma * x_hat + beta
    return y


# exercise: layer_norm.forward
# wrong: the root is forgotten
# source: beginner
def layer_norm_forward_04(x, gamma, beta, epsilon):
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    var = (centred**2).mean(axis=-1, keepdims=True)
    std = var + epsilon  # <- wrong
    x_hat = centred / std
    y = gamma * x_hat + beta
    return y


# exercise: layer_norm.forward
# wrong: divided by D − 1 in the variance, as a sample's
# source: issue of a public repository
def layer_norm_forward_05(x, gamma, beta, epsilon):
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    var = x.var(axis=-1, keepdims=True, ddof=1)  # <- wrong
    std = np.sqrt(var + epsilon)
    x_hat = centred / std
    y = gamma * x_hat + beta
    return y


# exercise: layer_norm.forward
# wrong: the mean is not subtracted in x̂
# source: beginner
def layer_norm_forward_06(x, gamma, beta, epsilon):
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    var = (centred**2).mean(axis=-1, keepdims=True)
    std = np.sqrt(var + epsilon)
    x_hat = x / std  # <- wrong
    y = gamma * x_hat + beta
    return y


# exercise: layer_norm.forward
# wrong: gamma and beta are swapped
# source: beginner
def layer_norm_forward_07(x, gamma, beta, epsilon):
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    var = (centred**2).mean(axis=-1, keepdims=True)
    std = np.sqrt(var + epsilon)
    x_hat = centred / std
    y = beta * x_hat + gamma  # <- wrong
    return y


# exercise: layer_norm.forward
# wrong: the sum in place of the mean in the variance
# source: beginner
def layer_norm_forward_08(x, gamma, beta, epsilon):
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    var = (centred**2).sum(axis=-1, keepdims=True)  # <- wrong
    std = np.sqrt(var + epsilon)
    x_hat = centred / std
    y = gamma * x_hat + beta
    return y


# exercise: layer_norm.forward
# wrong: the mean goes over the whole array
# source: course forum
def layer_norm_forward_09(x, gamma, beta, epsilon):
    mean = x.mean()  # <- wrong
    centred = x - mean
    var = (centred**2).mean(axis=-1, keepdims=True)
    std = np.sqrt(var + epsilon)
    x_hat = centred / std
    y = gamma * x_hat + beta
    return y


# exercise: layer_norm.forward
# wrong: ε outside the root
# second: the sample's variance
# source: issue of a public repository
def layer_norm_forward_10(x, gamma, beta, epsilon):
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    var = x.var(axis=-1, keepdims=True, ddof=1)  # <- wrong
    std = np.sqrt(var) + epsilon  # <- wrong
    x_hat = centred / std
    y = gamma * x_hat + beta
    return y


# exercise: layer_norm.forward
# right: small steps
# source: beginner
def layer_norm_forward_11(x, gamma, beta, epsilon):
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    var = (centred**2).mean(axis=-1, keepdims=True)
    std = np.sqrt(var + epsilon)
    x_hat = centred / std
    y = gamma * x_hat + beta
    return y


# exercise: layer_norm.forward
# right: E[x²] − E[x]²
# source: beginner
def layer_norm_forward_12(x, gamma, beta, epsilon):
    D = x.shape[-1]
    s1 = np.einsum("btd->bt", x) / D
    s2 = np.einsum("btd,btd->bt", x, x) / D
    scale = (s2 - s1**2 + epsilon) ** -0.5
    return ((x - s1[..., None]) * scale[..., None]) * gamma + beta


# exercise: layer_norm.forward
# wrong: the square of the mean is not subtracted from E[x²]
# source: beginner
def layer_norm_forward_13(x, gamma, beta, epsilon):
    D = x.shape[-1]
    s1 = np.einsum("btd->bt", x) / D
    s2 = np.einsum("btd,btd->bt", x, x) / D
    scale = (s2 + epsilon) ** -0.5  # <- wrong
    return ((x - s1[..., None]) * scale[..., None]) * gamma + beta


# exercise: layer_norm.backward
# wrong: the share through the variance is missing
# source: issue of a public repository
def layer_norm_backward_01(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1) / sigma  # <- wrong
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: the share through the mean is missing
# source: issue of a public repository
def layer_norm_backward_02(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - x_hat * m2) / sigma  # <- wrong
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: mean and variance are taken for constants
# source: public question
def layer_norm_backward_03(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = g / sigma  # <- wrong
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: sums in place of the mean of g·x̂
# source: issue of a public repository
def layer_norm_backward_04(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).sum(-1, keepdims=True)  # <- wrong
    d_x = (g - m1 - x_hat * m2) / sigma
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: gamma is forgotten on the way to x
# source: issue of a public repository
def layer_norm_backward_05(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y  # <- wrong
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1 - x_hat * m2) / sigma
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: the division by σ is missing
# source: beginner
def layer_norm_backward_06(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1 - x_hat * m2)  # <- wrong
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: divided by the variance
# source: beginner
def layer_norm_backward_07(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1 - x_hat * m2) / sigma**2  # <- wrong
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: the share through the variance has the wrong sign
# source: issue of a public repository
def layer_norm_backward_08(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1 + x_hat * m2) / sigma  # <- wrong
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: gamma's gradient uses x instead of x̂
# source: public question
def layer_norm_backward_09(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x).sum(axis=(0, 1))  # <- wrong
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1 - x_hat * m2) / sigma
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: beta's gradient is a mean
# source: course forum
def layer_norm_backward_10(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.mean(axis=(0, 1))  # <- wrong
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1 - x_hat * m2) / sigma
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: the means go over the positions
# source: issue of a public repository
def layer_norm_backward_11(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    m1 = g.mean(1, keepdims=True)  # <- wrong
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1 - x_hat * m2) / sigma
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: gamma's and beta's gradients are swapped
# source: beginner
def layer_norm_backward_12(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1 - x_hat * m2) / sigma
    return d_x, d_beta, d_gamma  # <- wrong


# exercise: layer_norm.backward
# wrong: ε is forgotten in σ
# source: beginner
def layer_norm_backward_13(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True))  # <- wrong
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1 - x_hat * m2) / sigma
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: gamma is forgotten on the way to x
# second: the share through the variance is missing
# source: issue of a public repository
def layer_norm_backward_14(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y  # <- wrong
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1) / sigma  # <- wrong
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: beta's gradient is a mean
# second: gamma's gradient is a mean
# source: course forum
def layer_norm_backward_15(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).mean(axis=(0, 1))  # <- wrong
    d_beta = d_y.mean(axis=(0, 1))  # <- wrong
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1 - x_hat * m2) / sigma
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# right: small steps
# source: beginner
def layer_norm_backward_16(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + epsilon)
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    m1 = g.mean(-1, keepdims=True)
    m2 = (g * x_hat).mean(-1, keepdims=True)
    d_x = (g - m1 - x_hat * m2) / sigma
    return d_x, d_gamma, d_beta


# exercise: layer_norm.backward
# wrong: the gradient of the variance has the power 1/2 not 3/2
# source: issue of a public repository
def layer_norm_backward_17(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    xc = x - np.mean(x, axis=-1, keepdims=True)
    var = np.mean(xc * xc, axis=-1, keepdims=True)
    inv = 1.0 / np.sqrt(var + epsilon)
    dxhat = d_y * gamma
    dvar = np.sum(dxhat * xc, axis=-1, keepdims=True) * -0.5 * inv  # <- wrong
    dmu = np.sum(-dxhat * inv, axis=-1, keepdims=True)
    dx = dxhat * inv + dvar * 2 * xc / N + dmu / N
    dgamma = np.einsum("btd,btd->d", d_y, xc * inv)
    dbeta = np.einsum("btd->d", d_y)
    return dx, dgamma, dbeta


# exercise: layer_norm.backward
# wrong: the factor −1/2 of the variance is missing
# source: public question
def layer_norm_backward_18(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    xc = x - np.mean(x, axis=-1, keepdims=True)
    var = np.mean(xc * xc, axis=-1, keepdims=True)
    inv = 1.0 / np.sqrt(var + epsilon)
    dxhat = d_y * gamma
    dvar = np.sum(dxhat * xc, axis=-1, keepdims=True) * -1.0 * inv**3  # <- wrong
    dmu = np.sum(-dxhat * inv, axis=-1, keepdims=True)
    dx = dxhat * inv + dvar * 2 * xc / N + dmu / N
    dgamma = np.einsum("btd,btd->d", d_y, xc * inv)
    dbeta = np.einsum("btd->d", d_y)
    return dx, dgamma, dbeta


# exercise: layer_norm.backward
# wrong: the factor 2 of the square is missing
# source: public question
def layer_norm_backward_19(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    xc = x - np.mean(x, axis=-1, keepdims=True)
    var = np.mean(xc * xc, axis=-1, keepdims=True)
    inv = 1.0 / np.sqrt(var + epsilon)
    dxhat = d_y * gamma
    dvar = np.sum(dxhat * xc, axis=-1, keepdims=True) * -0.5 * inv**3
    dmu = np.sum(-dxhat * inv, axis=-1, keepdims=True)
    dx = dxhat * inv + dvar * xc / N + dmu / N  # <- wrong
    dgamma = np.einsum("btd,btd->d", d_y, xc * inv)
    dbeta = np.einsum("btd->d", d_y)
    return dx, dgamma, dbeta


# exercise: layer_norm.backward
# wrong: the mean's share is not divided by N
# source: issue of a public repository
def layer_norm_backward_20(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    xc = x - np.mean(x, axis=-1, keepdims=True)
    var = np.mean(xc * xc, axis=-1, keepdims=True)
    inv = 1.0 / np.sqrt(var + epsilon)
    dxhat = d_y * gamma
    dvar = np.sum(dxhat * xc, axis=-1, keepdims=True) * -0.5 * inv**3
    dmu = np.sum(-dxhat * inv, axis=-1, keepdims=True)
    dx = dxhat * inv + dvar * 2 * xc / N + dmu  # <- wrong
    dgamma = np.einsum("btd,btd->d", d_y, xc * inv)
    dbeta = np.einsum("btd->d", d_y)
    return dx, dgamma, dbeta


# exercise: layer_norm.backward
# wrong: the mean's share has the wrong sign
# source: beginner
def layer_norm_backward_21(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    xc = x - np.mean(x, axis=-1, keepdims=True)
    var = np.mean(xc * xc, axis=-1, keepdims=True)
    inv = 1.0 / np.sqrt(var + epsilon)
    dxhat = d_y * gamma
    dvar = np.sum(dxhat * xc, axis=-1, keepdims=True) * -0.5 * inv**3
    dmu = np.sum(dxhat * inv, axis=-1, keepdims=True)  # <- wrong
    dx = dxhat * inv + dvar * 2 * xc / N + dmu / N
    dgamma = np.einsum("btd,btd->d", d_y, xc * inv)
    dbeta = np.einsum("btd->d", d_y)
    return dx, dgamma, dbeta


# exercise: layer_norm.backward
# wrong: gamma's gradient uses the centred x, not divided by σ
# source: public question
def layer_norm_backward_22(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    xc = x - np.mean(x, axis=-1, keepdims=True)
    var = np.mean(xc * xc, axis=-1, keepdims=True)
    inv = 1.0 / np.sqrt(var + epsilon)
    dxhat = d_y * gamma
    dvar = np.sum(dxhat * xc, axis=-1, keepdims=True) * -0.5 * inv**3
    dmu = np.sum(-dxhat * inv, axis=-1, keepdims=True)
    dx = dxhat * inv + dvar * 2 * xc / N + dmu / N
    dgamma = np.einsum("btd,btd->d", d_y, xc)  # <- wrong
    dbeta = np.einsum("btd->d", d_y)
    return dx, dgamma, dbeta


# exercise: layer_norm.backward
# wrong: the mean's share is not divided by N
# second: the factor −1/2 has become −1/4
# source: issue of a public repository
def layer_norm_backward_23(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    xc = x - np.mean(x, axis=-1, keepdims=True)
    var = np.mean(xc * xc, axis=-1, keepdims=True)
    inv = 1.0 / np.sqrt(var + epsilon)
    dxhat = d_y * gamma
    dvar = np.sum(dxhat * xc, axis=-1, keepdims=True) * -0.25 * inv**3  # <- wrong
    dmu = np.sum(-dxhat * inv, axis=-1, keepdims=True)
    dx = dxhat * inv + dvar * 2 * xc / N + dmu  # <- wrong
    dgamma = np.einsum("btd,btd->d", d_y, xc * inv)
    dbeta = np.einsum("btd->d", d_y)
    return dx, dgamma, dbeta


# exercise: layer_norm.backward
# right: by way of the variance
# source: public question
def layer_norm_backward_24(d_y, x, gamma, beta, epsilon):
    N = x.shape[-1]
    xc = x - np.mean(x, axis=-1, keepdims=True)
    var = np.mean(xc * xc, axis=-1, keepdims=True)
    inv = 1.0 / np.sqrt(var + epsilon)
    dxhat = d_y * gamma
    dvar = np.sum(dxhat * xc, axis=-1, keepdims=True) * -0.5 * inv**3
    dmu = np.sum(-dxhat * inv, axis=-1, keepdims=True)
    dx = dxhat * inv + dvar * 2 * xc / N + dmu / N
    dgamma = np.einsum("btd,btd->d", d_y, xc * inv)
    dbeta = np.einsum("btd->d", d_y)
    return dx, dgamma, dbeta


# exercise: layer_norm.backward
# right: the Jacobian, from x_hat and sigma
# source: beginner
def layer_norm_backward_25(d_y, x_hat, sigma, gamma):
    d_x = np.empty_like(x_hat)
    D = x_hat.shape[-1]
    for b, t in np.ndindex(x_hat.shape[:2]):
        n = x_hat[b, t]
        jacobian = (np.eye(D) - 1 / D - np.outer(n, n) / D) / sigma[b, t]
        d_x[b, t] = jacobian @ (gamma * d_y[b, t])
    return d_x, (d_y * x_hat).sum((0, 1)), d_y.sum((0, 1))


# exercise: layer_norm.backward
# wrong: the outer product is not divided by D
# source: beginner
def layer_norm_backward_26(d_y, x_hat, sigma, gamma):
    d_x = np.empty_like(x_hat)
    D = x_hat.shape[-1]
    for b, t in np.ndindex(x_hat.shape[:2]):
        n = x_hat[b, t]
        jacobian = (np.eye(D) - 1 / D - np.outer(n, n)) / sigma[b, t]  # <- wrong
        d_x[b, t] = jacobian @ (gamma * d_y[b, t])
    return d_x, (d_y * x_hat).sum((0, 1)), d_y.sum((0, 1))
