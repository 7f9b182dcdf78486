"""Answers to the exercises: optimisers."""

import numpy as np


# exercise: sgd.step
# wrong: the gradient comes in with 1 − momentum
# source: issue of a public repository
def sgd_step_01(parameter, gradient, velocity, learning_rate, momentum):
    kept = momentum * velocity
    new_velocity = kept + (1 - momentum) * gradient  # <- wrong
    step = learning_rate * new_velocity
    new_parameter = parameter - step
    return new_parameter, new_velocity


# exercise: sgd.step
# wrong: the learning rate is inside the velocity
# source: issue of a public repository
def sgd_step_02(parameter, gradient, velocity, learning_rate, momentum):
    kept = momentum * velocity
    new_velocity = kept + learning_rate * gradient  # <- wrong
    step = learning_rate * new_velocity
    new_parameter = parameter - step
    return new_parameter, new_velocity


# exercise: sgd.step
# wrong: the gradient is subtracted in the velocity
# source: beginner
def sgd_step_03(parameter, gradient, velocity, learning_rate, momentum):
    kept = momentum * velocity
    new_velocity = kept - gradient  # <- wrong
    step = learning_rate * new_velocity
    new_parameter = parameter - step
    return new_parameter, new_velocity


# exercise: sgd.step
# wrong: the step is that of the old velocity
# source: beginner
def sgd_step_04(parameter, gradient, velocity, learning_rate, momentum):
    kept = momentum * velocity
    new_velocity = kept + gradient
    step = learning_rate * velocity  # <- wrong
    new_parameter = parameter - step
    return new_parameter, new_velocity


# exercise: sgd.step
# wrong: Nesterov's look ahead
# source: beginner
def sgd_step_05(parameter, gradient, velocity, learning_rate, momentum):
    kept = momentum * velocity
    new_velocity = kept + gradient
    step = learning_rate * (gradient + momentum * new_velocity)  # <- wrong
    new_parameter = parameter - step
    return new_parameter, new_velocity


# exercise: sgd.step
# wrong: uphill
# source: beginner
def sgd_step_06(parameter, gradient, velocity, learning_rate, momentum):
    kept = momentum * velocity
    new_velocity = kept + gradient
    step = learning_rate * new_velocity
    new_parameter = parameter + step  # <- wrong
    return new_parameter, new_velocity


# exercise: sgd.step
# wrong: plain SGD: the velocity is not used
# source: beginner
def sgd_step_07(parameter, gradient, velocity, learning_rate, momentum):
    kept = momentum * velocity
    new_velocity = kept + gradient
    step = learning_rate * gradient  # <- wrong
    new_parameter = parameter - step
    return new_parameter, new_velocity


# exercise: sgd.step
# wrong: the gradient comes in with 1 − momentum
# second: uphill
# source: beginner
def sgd_step_08(parameter, gradient, velocity, learning_rate, momentum):
    kept = momentum * velocity
    new_velocity = kept + (1 - momentum) * gradient  # <- wrong
    step = learning_rate * new_velocity
    new_parameter = parameter + step  # <- wrong
    return new_parameter, new_velocity


# exercise: sgd.step
# right: small steps
# source: beginner
def sgd_step_09(parameter, gradient, velocity, learning_rate, momentum):
    kept = momentum * velocity
    new_velocity = kept + gradient
    step = learning_rate * new_velocity
    new_parameter = parameter - step
    return new_parameter, new_velocity


# exercise: sgd.step
# wrong: the velocity handed in is changed
# source: public question
def sgd_step_10(parameter, gradient, velocity, learning_rate, momentum):
    velocity *= momentum  # <- wrong
    velocity = velocity + gradient
    return parameter - learning_rate * velocity, velocity


# exercise: adam.step
# wrong: no correction of m for its start at zero
# source: issue of a public repository
def adam_step_01(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m  # <- wrong
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: no correction of v for its start at zero
# source: issue of a public repository
def adam_step_02(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v  # <- wrong
    update = learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: the corrected moment is returned
# source: public question
def adam_step_03(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    parameter = parameter - update
    return parameter, m_hat, v  # <- wrong


# exercise: adam.step
# wrong: ε stands inside the root
# source: issue of a public repository
def adam_step_04(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / np.sqrt(v_hat + epsilon)  # <- wrong
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: the root is forgotten
# source: beginner
def adam_step_05(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / (v_hat + epsilon)  # <- wrong
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: the power of β₁ is one too high
# source: issue of a public repository
def adam_step_06(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1 ** (step + 1))  # <- wrong
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: beta without the power
# source: issue of a public repository
def adam_step_07(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2)  # <- wrong
    update = learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: the gradient is not squared in v
# source: beginner
def adam_step_08(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient  # <- wrong
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: the two betas are swapped in m
# source: beginner
def adam_step_09(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_2 * m + (1 - beta_2) * gradient  # <- wrong
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: v takes the square of m
# source: beginner
def adam_step_10(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * m**2  # <- wrong
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: the gradient comes in without 1 − β₁
# source: beginner
def adam_step_11(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + gradient  # <- wrong
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: ε is forgotten
# source: beginner
def adam_step_12(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / np.sqrt(v_hat)  # <- wrong
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: β and 1 − β are swapped in v
# source: beginner
def adam_step_13(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = (1 - beta_2) * v + beta_2 * gradient**2  # <- wrong
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: no correction of m
# second: ε inside the root
# source: issue of a public repository
def adam_step_14(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m  # <- wrong
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / np.sqrt(v_hat + epsilon)  # <- wrong
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# wrong: no correction of v
# second: the corrected m is returned
# source: public question
def adam_step_15(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v  # <- wrong
    update = learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    parameter = parameter - update
    return parameter, m_hat, v  # <- wrong


# exercise: adam.step
# right: small steps
# source: beginner
def adam_step_16(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    update = learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    parameter = parameter - update
    return parameter, m, v


# exercise: adam.step
# right: both corrections in the rate, a list
# source: beginner
def adam_step_17(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new_m = m + (1 - beta_1) * (gradient - m)
    new_v = v + (1 - beta_2) * (gradient * gradient - v)
    root = np.sqrt(1 - beta_2**step)
    rate = learning_rate * root / (1 - beta_1**step)
    change = rate * new_m / (np.sqrt(new_v) + epsilon * root)
    return [parameter - change, new_m, new_v]


# exercise: adam.step
# wrong: ε is not scaled with the corrections (the short form of the paper)
# source: issue of a public repository
def adam_step_18(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new_m = m + (1 - beta_1) * (gradient - m)
    new_v = v + (1 - beta_2) * (gradient * gradient - v)
    root = np.sqrt(1 - beta_2**step)
    rate = learning_rate * root / (1 - beta_1**step)
    change = rate * new_m / (np.sqrt(new_v) + epsilon)  # <- wrong
    return [parameter - change, new_m, new_v]


# exercise: adam.step
# wrong: the root of the correction of v is forgotten
# source: issue of a public repository
def adam_step_19(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new_m = m + (1 - beta_1) * (gradient - m)
    new_v = v + (1 - beta_2) * (gradient * gradient - v)
    root = 1 - beta_2**step  # <- wrong
    rate = learning_rate * root / (1 - beta_1**step)
    change = rate * new_m / (np.sqrt(new_v) + epsilon * root)
    return [parameter - change, new_m, new_v]


# exercise: adam.step
# wrong: the old m is used for the step
# source: beginner
def adam_step_20(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new_m = m + (1 - beta_1) * (gradient - m)
    new_v = v + (1 - beta_2) * (gradient * gradient - v)
    root = np.sqrt(1 - beta_2**step)
    rate = learning_rate * root / (1 - beta_1**step)
    change = rate * m / (np.sqrt(new_v) + epsilon * root)  # <- wrong
    return [parameter - change, new_m, new_v]


# exercise: adam.step
# wrong: the moment handed in is changed
# source: issue of a public repository
def adam_step_21(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m *= beta_1  # <- wrong
    m += (1 - beta_1) * gradient
    v = v * beta_2 + (1 - beta_2) * np.square(gradient)
    a = m / (1 - beta_1**step)
    b = v / (1 - beta_2**step)
    return parameter - learning_rate * a / (np.sqrt(b) + epsilon), m, v


# exercise: adamw.step
# wrong: the decay is added to the gradient, as L2
# source: issue of a public repository
def adamw_step_01(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    g = gradient + weight_decay * parameter  # <- wrong
    m_new = beta_1 * m + (1 - beta_1) * g
    v_new = beta_2 * v + (1 - beta_2) * g**2
    m_hat = m_new / (1 - beta_1**step)
    v_hat = v_new / (1 - beta_2**step)
    p = parameter - learning_rate * weight_decay * parameter
    p = p - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return p, m_new, v_new


# exercise: adamw.step
# wrong: the decay is not multiplied by the learning rate
# source: issue of a public repository
def adamw_step_02(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    g = gradient
    m_new = beta_1 * m + (1 - beta_1) * g
    v_new = beta_2 * v + (1 - beta_2) * g**2
    m_hat = m_new / (1 - beta_1**step)
    v_hat = v_new / (1 - beta_2**step)
    p = parameter - weight_decay * parameter  # <- wrong
    p = p - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return p, m_new, v_new


# exercise: adamw.step
# wrong: the weights grow instead of shrinking
# source: beginner
def adamw_step_03(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    g = gradient
    m_new = beta_1 * m + (1 - beta_1) * g
    v_new = beta_2 * v + (1 - beta_2) * g**2
    m_hat = m_new / (1 - beta_1**step)
    v_hat = v_new / (1 - beta_2**step)
    p = parameter + learning_rate * weight_decay * parameter  # <- wrong
    p = p - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return p, m_new, v_new


# exercise: adamw.step
# wrong: the decay is a constant, not a share of the weights
# source: issue of a public repository
def adamw_step_04(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    g = gradient
    m_new = beta_1 * m + (1 - beta_1) * g
    v_new = beta_2 * v + (1 - beta_2) * g**2
    m_hat = m_new / (1 - beta_1**step)
    v_hat = v_new / (1 - beta_2**step)
    p = parameter - learning_rate * weight_decay  # <- wrong
    p = p - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return p, m_new, v_new


# exercise: adamw.step
# wrong: the decay is forgotten
# source: issue of a public repository
def adamw_step_05(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    g = gradient
    m_new = beta_1 * m + (1 - beta_1) * g
    v_new = beta_2 * v + (1 - beta_2) * g**2
    m_hat = m_new / (1 - beta_1**step)
    v_hat = v_new / (1 - beta_2**step)
    p = parameter  # <- wrong
    p = p - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return p, m_new, v_new


# exercise: adamw.step
# wrong: no correction of m
# source: issue of a public repository
def adamw_step_06(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    g = gradient
    m_new = beta_1 * m + (1 - beta_1) * g
    v_new = beta_2 * v + (1 - beta_2) * g**2
    m_hat = m_new  # <- wrong
    v_hat = v_new / (1 - beta_2**step)
    p = parameter - learning_rate * weight_decay * parameter
    p = p - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return p, m_new, v_new


# exercise: adamw.step
# wrong: the sign of the weights decays, as L1
# source: beginner
def adamw_step_07(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    g = gradient
    m_new = beta_1 * m + (1 - beta_1) * g
    v_new = beta_2 * v + (1 - beta_2) * g**2
    m_hat = m_new / (1 - beta_1**step)
    v_hat = v_new / (1 - beta_2**step)
    p = parameter - learning_rate * weight_decay * np.sign(parameter)  # <- wrong
    p = p - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return p, m_new, v_new


# exercise: adamw.step
# wrong: the decay is not multiplied by the learning rate
# second: no correction of v
# source: issue of a public repository
def adamw_step_08(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    g = gradient
    m_new = beta_1 * m + (1 - beta_1) * g
    v_new = beta_2 * v + (1 - beta_2) * g**2
    m_hat = m_new / (1 - beta_1**step)
    v_hat = v_new  # <- wrong
    p = parameter - weight_decay * parameter  # <- wrong
    p = p - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return p, m_new, v_new


# exercise: adamw.step
# right: small steps
# source: beginner
def adamw_step_09(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    g = gradient
    m_new = beta_1 * m + (1 - beta_1) * g
    v_new = beta_2 * v + (1 - beta_2) * g**2
    m_hat = m_new / (1 - beta_1**step)
    v_hat = v_new / (1 - beta_2**step)
    p = parameter - learning_rate * weight_decay * parameter
    p = p - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return p, m_new, v_new


# exercise: adamw.step
# right: one direction, a dict
# source: beginner
def adamw_step_10(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient * gradient
    direction = m / (1 - beta_1**step)
    direction = direction / (np.sqrt(v / (1 - beta_2**step)) + epsilon)
    direction = direction + weight_decay * parameter
    return {"parameter": parameter - learning_rate * direction, "m": m, "v": v}


# exercise: adamw.step
# wrong: the decay takes the learning rate twice
# source: beginner
def adamw_step_11(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient * gradient
    direction = m / (1 - beta_1**step)
    direction = direction / (np.sqrt(v / (1 - beta_2**step)) + epsilon)
    direction = direction + learning_rate * weight_decay * parameter  # <- wrong
    return {"parameter": parameter - learning_rate * direction, "m": m, "v": v}


# exercise: adamw.step
# wrong: the decay is taken of the parameter after the step
# source: issue of a public repository
def adamw_step_12(
    parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay
):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    a, b = m / (1 - beta_1**step), v / (1 - beta_2**step)
    new = parameter - learning_rate * a / (np.sqrt(b) + epsilon)
    new = new - learning_rate * weight_decay * new  # <- wrong
    return new, m, v


# exercise: clip.norm
# wrong: the squares are compared, the root is forgotten
# source: issue of a public repository
def clip_norm_01(d_W, d_b, largest):
    total = 0.0
    for g in (d_W, d_b):
        total += np.sum(g**2)
    norm = total  # <- wrong
    scale = largest / norm if norm > largest else 1.0
    return d_W * scale, d_b * scale


# exercise: clip.norm
# wrong: small gradients are enlarged to the norm
# source: issue of a public repository
def clip_norm_02(d_W, d_b, largest):
    total = 0.0
    for g in (d_W, d_b):
        total += np.sum(g**2)
    norm = np.sqrt(total)
    scale = largest / norm if norm > 0 else 1.0  # <- wrong
    return d_W * scale, d_b * scale


# exercise: clip.norm
# wrong: only the last array counts
# source: beginner
def clip_norm_03(d_W, d_b, largest):
    total = 0.0
    for g in (d_W, d_b):
        total = np.sum(g**2)  # <- wrong
    norm = np.sqrt(total)
    scale = largest / norm if norm > largest else 1.0
    return d_W * scale, d_b * scale


# exercise: clip.norm
# wrong: the sum of the absolute values is squared
# source: beginner
def clip_norm_04(d_W, d_b, largest):
    total = 0.0
    for g in (d_W, d_b):
        total += np.sum(np.abs(g)) ** 2  # <- wrong
    norm = np.sqrt(total)
    scale = largest / norm if norm > largest else 1.0
    return d_W * scale, d_b * scale


# exercise: clip.norm
# wrong: the bias is not scaled
# source: issue of a public repository
def clip_norm_05(d_W, d_b, largest):
    total = 0.0
    for g in (d_W, d_b):
        total += np.sum(g**2)
    norm = np.sqrt(total)
    scale = largest / norm if norm > largest else 1.0
    return d_W * scale, d_b  # <- wrong


# exercise: clip.norm
# wrong: scaled by the inverse
# source: beginner
def clip_norm_06(d_W, d_b, largest):
    total = 0.0
    for g in (d_W, d_b):
        total += np.sum(g**2)
    norm = np.sqrt(total)
    scale = norm / largest if norm > largest else 1.0  # <- wrong
    return d_W * scale, d_b * scale


# exercise: clip.norm
# wrong: the norm is squared once more
# source: issue of a public repository
def clip_norm_07(d_W, d_b, largest):
    total = 0.0
    for g in (d_W, d_b):
        total += np.sum(g**2)
    norm = np.sqrt(total**2)  # <- wrong
    scale = largest / norm if norm > largest else 1.0
    return d_W * scale, d_b * scale


# exercise: clip.norm
# wrong: divided by the number of entries: root mean square
# source: beginner
def clip_norm_08(d_W, d_b, largest):
    total = 0.0
    for g in (d_W, d_b):
        total += np.sum(g**2)
    norm = np.sqrt(total / (d_W.size + d_b.size))  # <- wrong
    scale = largest / norm if norm > largest else 1.0
    return d_W * scale, d_b * scale


# exercise: clip.norm
# wrong: the root is forgotten
# second: the bias is not scaled
# source: issue of a public repository
def clip_norm_09(d_W, d_b, largest):
    total = 0.0
    for g in (d_W, d_b):
        total += np.sum(g**2)
    norm = total  # <- wrong
    scale = largest / norm if norm > largest else 1.0
    return d_W * scale, d_b  # <- wrong


# exercise: clip.norm
# right: a loop
# source: beginner
def clip_norm_10(d_W, d_b, largest):
    total = 0.0
    for g in (d_W, d_b):
        total += np.sum(g**2)
    norm = np.sqrt(total)
    scale = largest / norm if norm > largest else 1.0
    return d_W * scale, d_b * scale


# exercise: clip.norm
# wrong: each array is clipped by its own norm
# source: issue of a public repository
def clip_norm_11(d_W, d_b, largest):
    out = []
    for g in (d_W, d_b):
        n = np.linalg.norm(g)  # <- wrong
        out.append(g * min(1.0, largest / max(n, 1e-12)))
    return out


# exercise: clip.norm
# wrong: each number is clipped by itself
# source: issue of a public repository
def clip_norm_12(d_W, d_b, largest):
    norm = np.linalg.norm(np.concatenate([d_W.ravel(), d_b.ravel()]))
    if norm > largest:
        d_W = np.clip(d_W, -largest, largest)  # <- wrong
        d_b = d_b * (largest / norm)
    return d_W, d_b


# exercise: clip.norm
# wrong: the arrays handed in are changed
# source: issue of a public repository
def clip_norm_13(d_W, d_b, largest):
    norm = np.linalg.norm(np.concatenate([d_W.ravel(), d_b.ravel()]))
    if norm > largest:
        d_W *= largest / norm  # <- wrong
        d_b = d_b * (largest / norm)
    return d_W, d_b


# exercise: clip.norm
# wrong: 1e-6 is added to the norm, so the norm is a little less
# source: issue of a public repository
def clip_norm_14(d_W, d_b, largest):
    norm = np.linalg.norm(np.concatenate([d_W.ravel(), d_b.ravel()]))
    if norm > largest:
        d_W = d_W * (largest / norm)
        d_b = d_b * (largest / (norm + 1e-6))  # <- wrong
    return d_W, d_b


# exercise: clip.norm
# right: concatenate
# source: beginner
def clip_norm_15(d_W, d_b, largest):
    norm = np.linalg.norm(np.concatenate([d_W.ravel(), d_b.ravel()]))
    if norm > largest:
        d_W = d_W * (largest / norm)
        d_b = d_b * (largest / norm)
    return d_W, d_b


# exercise: noam.rate
# wrong: max in place of min
# source: issue of a public repository
def noam_rate_01(step, d_model, warmup):
    rise = step / warmup**1.5
    fall = 1 / np.sqrt(step)
    factor = max(rise, fall)  # <- wrong
    rate = factor / np.sqrt(d_model)
    return rate


# exercise: noam.rate
# wrong: the width's root is multiplied
# source: beginner
def noam_rate_02(step, d_model, warmup):
    rise = step / warmup**1.5
    fall = 1 / np.sqrt(step)
    factor = min(rise, fall)
    rate = factor * np.sqrt(d_model)  # <- wrong
    return rate


# exercise: noam.rate
# wrong: the warm-up's power is 1/2
# source: beginner
def noam_rate_03(step, d_model, warmup):
    rise = step / warmup**0.5  # <- wrong
    fall = 1 / np.sqrt(step)
    factor = min(rise, fall)
    rate = factor / np.sqrt(d_model)
    return rate


# exercise: noam.rate
# wrong: divided by the width, without the root
# source: beginner
def noam_rate_04(step, d_model, warmup):
    rise = step / warmup**1.5
    fall = 1 / np.sqrt(step)
    factor = min(rise, fall)
    rate = factor / d_model  # <- wrong
    return rate


# exercise: noam.rate
# wrong: the rate rises only: the fall is left out
# source: beginner
def noam_rate_05(step, d_model, warmup):
    rise = step / warmup**1.5
    fall = 1 / np.sqrt(step)
    factor = rise  # <- wrong
    rate = factor / np.sqrt(d_model)
    return rate


# exercise: noam.rate
# wrong: the steps count from 0
# source: issue of a public repository
def noam_rate_06(step, d_model, warmup):
    rise = (step - 1) / warmup**1.5  # <- wrong
    fall = 1 / np.sqrt(step)
    factor = min(rise, fall)
    rate = factor / np.sqrt(d_model)
    return rate


# exercise: noam.rate
# wrong: it falls with the inverse of the step
# source: beginner
def noam_rate_07(step, d_model, warmup):
    rise = step / warmup**1.5
    fall = 1 / step  # <- wrong
    factor = min(rise, fall)
    rate = factor / np.sqrt(d_model)
    return rate


# exercise: noam.rate
# wrong: the root of the width is forgotten
# source: issue of a public repository
def noam_rate_08(step, d_model, warmup):
    rise = step / warmup**1.5
    fall = 1 / np.sqrt(step)
    factor = min(rise, fall)
    rate = factor  # <- wrong
    return rate


# exercise: noam.rate
# wrong: max in place of min
# second: divided by the width
# source: beginner
def noam_rate_09(step, d_model, warmup):
    rise = step / warmup**1.5
    fall = 1 / np.sqrt(step)
    factor = max(rise, fall)  # <- wrong
    rate = factor / d_model  # <- wrong
    return rate


# exercise: noam.rate
# right: small steps
# source: beginner
def noam_rate_10(step, d_model, warmup):
    rise = step / warmup**1.5
    fall = 1 / np.sqrt(step)
    factor = min(rise, fall)
    rate = factor / np.sqrt(d_model)
    return rate


# exercise: noam.rate
# right: two cases
# source: beginner
def noam_rate_11(step, d_model, warmup):
    peak = (d_model * warmup) ** -0.5
    return peak * step / warmup if step < warmup else peak * (warmup / step) ** 0.5


# exercise: noam.rate
# wrong: the warm-up's root is missing in the peak
# source: beginner
def noam_rate_12(step, d_model, warmup):
    peak = d_model**-0.5  # <- wrong
    return peak * step / warmup if step < warmup else peak * (warmup / step) ** 0.5


# exercise: cosine.rate
# wrong: the share of the way counts the warm-up
# source: issue of a public repository
def cosine_rate_01(step, peak, total, warmup, floor):
    if step < warmup:
        return peak * step / warmup
    if step >= total:
        return floor
    done = step / total  # <- wrong
    wave = 0.5 * (1 + np.cos(np.pi * done))
    return floor + (peak - floor) * wave


# exercise: cosine.rate
# wrong: a whole cosine instead of half
# source: beginner
def cosine_rate_02(step, peak, total, warmup, floor):
    if step < warmup:
        return peak * step / warmup
    if step >= total:
        return floor
    done = (step - warmup) / (total - warmup)
    wave = 0.5 * (1 + np.cos(2 * np.pi * done))  # <- wrong
    return floor + (peak - floor) * wave


# exercise: cosine.rate
# wrong: the floor is added on top of the peak
# source: issue of a public repository
def cosine_rate_03(step, peak, total, warmup, floor):
    if step < warmup:
        return peak * step / warmup
    if step >= total:
        return floor
    done = (step - warmup) / (total - warmup)
    wave = 0.5 * (1 + np.cos(np.pi * done))
    return floor + peak * wave  # <- wrong


# exercise: cosine.rate
# wrong: π is forgotten
# source: beginner
def cosine_rate_04(step, peak, total, warmup, floor):
    if step < warmup:
        return peak * step / warmup
    if step >= total:
        return floor
    done = (step - warmup) / (total - warmup)
    wave = 0.5 * (1 + np.cos(done))  # <- wrong
    return floor + (peak - floor) * wave


# exercise: cosine.rate
# wrong: after the end the rate is 0
# source: beginner
def cosine_rate_05(step, peak, total, warmup, floor):
    if step < warmup:
        return peak * step / warmup
    if step >= total:
        return 0.0  # <- wrong
    done = (step - warmup) / (total - warmup)
    wave = 0.5 * (1 + np.cos(np.pi * done))
    return floor + (peak - floor) * wave


# exercise: cosine.rate
# wrong: the warm-up begins at the floor
# source: issue of a public repository
def cosine_rate_06(step, peak, total, warmup, floor):
    if step < warmup:
        return floor + (peak - floor) * step / warmup  # <- wrong
    if step >= total:
        return floor
    done = (step - warmup) / (total - warmup)
    wave = 0.5 * (1 + np.cos(np.pi * done))
    return floor + (peak - floor) * wave


# exercise: cosine.rate
# wrong: the warm-up is one step ahead
# source: issue of a public repository
def cosine_rate_07(step, peak, total, warmup, floor):
    if step < warmup:
        return peak * (step + 1) / warmup  # <- wrong
    if step >= total:
        return floor
    done = (step - warmup) / (total - warmup)
    wave = 0.5 * (1 + np.cos(np.pi * done))
    return floor + (peak - floor) * wave


# exercise: cosine.rate
# wrong: the factor 1/2 is forgotten
# source: beginner
def cosine_rate_08(step, peak, total, warmup, floor):
    if step < warmup:
        return peak * step / warmup
    if step >= total:
        return floor
    done = (step - warmup) / (total - warmup)
    wave = (1 + np.cos(np.pi * done))  # <- wrong
    return floor + (peak - floor) * wave


# exercise: cosine.rate
# wrong: the cosine rises
# source: beginner
def cosine_rate_09(step, peak, total, warmup, floor):
    if step < warmup:
        return peak * step / warmup
    if step >= total:
        return floor
    done = (step - warmup) / (total - warmup)
    wave = 0.5 * (1 - np.cos(np.pi * done))  # <- wrong
    return floor + (peak - floor) * wave


# exercise: cosine.rate
# wrong: the length of the fall is the total
# source: issue of a public repository
def cosine_rate_10(step, peak, total, warmup, floor):
    if step < warmup:
        return peak * step / warmup
    if step >= total:
        return floor
    done = (step - warmup) / total  # <- wrong
    wave = 0.5 * (1 + np.cos(np.pi * done))
    return floor + (peak - floor) * wave


# exercise: cosine.rate
# wrong: the floor is forgotten in the fall
# second: the way counts the warm-up
# source: issue of a public repository
def cosine_rate_11(step, peak, total, warmup, floor):
    if step < warmup:
        return peak * step / warmup
    if step >= total:
        return floor
    done = step / total  # <- wrong
    wave = 0.5 * (1 + np.cos(np.pi * done))
    return peak * wave  # <- wrong


# exercise: cosine.rate
# right: small steps
# source: beginner
def cosine_rate_12(step, peak, total, warmup, floor):
    if step < warmup:
        return peak * step / warmup
    if step >= total:
        return floor
    done = (step - warmup) / (total - warmup)
    wave = 0.5 * (1 + np.cos(np.pi * done))
    return floor + (peak - floor) * wave


# exercise: cosine.rate
# right: the square of a cosine of half the angle
# source: beginner
def cosine_rate_13(step, peak, total, warmup, floor):
    if step <= warmup:
        return peak * step / warmup
    part = (min(step, total) - warmup) / (total - warmup)
    return floor + (peak - floor) * np.cos(np.pi * part / 2) ** 2


# exercise: cosine.rate
# wrong: the square is forgotten: a quarter of a cosine
# source: beginner
def cosine_rate_14(step, peak, total, warmup, floor):
    if step <= warmup:
        return peak * step / warmup
    part = (min(step, total) - warmup) / (total - warmup)
    return floor + (peak - floor) * np.cos(np.pi * part / 2)  # <- wrong


# exercise: cosine.rate
# wrong: after the end it rises again
# source: issue of a public repository
def cosine_rate_15(step, peak, total, warmup, floor):
    if step <= warmup:
        return peak * step / warmup
    part = (step - warmup) / (total - warmup)  # <- wrong
    return floor + (peak - floor) * np.cos(np.pi * part / 2) ** 2


# exercise: update.all
# wrong: β₂ is 0.999
# source: issue of a public repository
def update_all_01(parameters, gradients, m, v, step, d_model, warmup):
    rate = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    for name in parameters:
        g = gradients[name]
        m[name][...] = 0.9 * m[name] + 0.1 * g
        v[name][...] = 0.999 * v[name] + 0.001 * g * g  # <- wrong
        m_hat = m[name] / (1 - 0.9**step)
        v_hat = v[name] / (1 - 0.98**step)
        parameters[name] -= rate * m_hat / (np.sqrt(v_hat) + 1e-9)
        gradients[name][...] = 0


# exercise: update.all
# wrong: the gradients stay
# source: issue of a public repository
# missing: a line
def update_all_02(parameters, gradients, m, v, step, d_model, warmup):
    rate = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    for name in parameters:
        g = gradients[name]
        m[name][...] = 0.9 * m[name] + 0.1 * g
        v[name][...] = 0.98 * v[name] + 0.02 * g * g
        m_hat = m[name] / (1 - 0.9**step)
        v_hat = v[name] / (1 - 0.98**step)
        parameters[name] -= rate * m_hat / (np.sqrt(v_hat) + 1e-9)  # <- wrong


# exercise: update.all
# wrong: no correction of m
# source: issue of a public repository
def update_all_03(parameters, gradients, m, v, step, d_model, warmup):
    rate = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    for name in parameters:
        g = gradients[name]
        m[name][...] = 0.9 * m[name] + 0.1 * g
        v[name][...] = 0.98 * v[name] + 0.02 * g * g
        m_hat = m[name]  # <- wrong
        v_hat = v[name] / (1 - 0.98**step)
        parameters[name] -= rate * m_hat / (np.sqrt(v_hat) + 1e-9)
        gradients[name][...] = 0


# exercise: update.all
# wrong: the correction of v uses β₁
# source: beginner
def update_all_04(parameters, gradients, m, v, step, d_model, warmup):
    rate = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    for name in parameters:
        g = gradients[name]
        m[name][...] = 0.9 * m[name] + 0.1 * g
        v[name][...] = 0.98 * v[name] + 0.02 * g * g
        m_hat = m[name] / (1 - 0.9**step)
        v_hat = v[name] / (1 - 0.9**step)  # <- wrong
        parameters[name] -= rate * m_hat / (np.sqrt(v_hat) + 1e-9)
        gradients[name][...] = 0


# exercise: update.all
# wrong: the rate does not know the width
# source: issue of a public repository
def update_all_05(parameters, gradients, m, v, step, d_model, warmup):
    rate = min(step**-0.5, step * warmup**-1.5)  # <- wrong
    for name in parameters:
        g = gradients[name]
        m[name][...] = 0.9 * m[name] + 0.1 * g
        v[name][...] = 0.98 * v[name] + 0.02 * g * g
        m_hat = m[name] / (1 - 0.9**step)
        v_hat = v[name] / (1 - 0.98**step)
        parameters[name] -= rate * m_hat / (np.sqrt(v_hat) + 1e-9)
        gradients[name][...] = 0


# exercise: update.all
# wrong: uphill
# source: beginner
def update_all_06(parameters, gradients, m, v, step, d_model, warmup):
    rate = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    for name in parameters:
        g = gradients[name]
        m[name][...] = 0.9 * m[name] + 0.1 * g
        v[name][...] = 0.98 * v[name] + 0.02 * g * g
        m_hat = m[name] / (1 - 0.9**step)
        v_hat = v[name] / (1 - 0.98**step)
        parameters[name] += rate * m_hat / (np.sqrt(v_hat) + 1e-9)  # <- wrong
        gradients[name][...] = 0


# exercise: update.all
# wrong: the gradient is used with its sign alone
# source: beginner
def update_all_07(parameters, gradients, m, v, step, d_model, warmup):
    rate = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    for name in parameters:
        g = np.sign(gradients[name])  # <- wrong
        m[name][...] = 0.9 * m[name] + 0.1 * g
        v[name][...] = 0.98 * v[name] + 0.02 * g * g
        m_hat = m[name] / (1 - 0.9**step)
        v_hat = v[name] / (1 - 0.98**step)
        parameters[name] -= rate * m_hat / (np.sqrt(v_hat) + 1e-9)
        gradients[name][...] = 0


# exercise: update.all
# wrong: max in the schedule
# source: issue of a public repository
def update_all_08(parameters, gradients, m, v, step, d_model, warmup):
    rate = d_model**-0.5 * max(step**-0.5, step * warmup**-1.5)  # <- wrong
    for name in parameters:
        g = gradients[name]
        m[name][...] = 0.9 * m[name] + 0.1 * g
        v[name][...] = 0.98 * v[name] + 0.02 * g * g
        m_hat = m[name] / (1 - 0.9**step)
        v_hat = v[name] / (1 - 0.98**step)
        parameters[name] -= rate * m_hat / (np.sqrt(v_hat) + 1e-9)
        gradients[name][...] = 0


# exercise: update.all
# wrong: the gradients stay
# second: β₂ is 0.999
# source: issue of a public repository
# missing: a line
def update_all_09(parameters, gradients, m, v, step, d_model, warmup):
    rate = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    for name in parameters:
        g = gradients[name]
        m[name][...] = 0.9 * m[name] + 0.1 * g
        v[name][...] = 0.999 * v[name] + 0.001 * g * g  # <- wrong
        m_hat = m[name] / (1 - 0.9**step)
        v_hat = v[name] / (1 - 0.98**step)
        parameters[name] -= rate * m_hat / (np.sqrt(v_hat) + 1e-9)  # <- wrong


# exercise: update.all
# right: in place
# source: beginner
def update_all_10(parameters, gradients, m, v, step, d_model, warmup):
    rate = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
    for name in parameters:
        g = gradients[name]
        m[name][...] = 0.9 * m[name] + 0.1 * g
        v[name][...] = 0.98 * v[name] + 0.02 * g * g
        m_hat = m[name] / (1 - 0.9**step)
        v_hat = v[name] / (1 - 0.98**step)
        parameters[name] -= rate * m_hat / (np.sqrt(v_hat) + 1e-9)
        gradients[name][...] = 0


# exercise: update.all
# wrong: the parameter gets a new array, which nobody sees
# source: issue of a public repository
def update_all_11(parameters, gradients, m, v, step, d_model, warmup):
    names = sorted(parameters)
    rate = min(1 / np.sqrt(step), step / warmup**1.5) / np.sqrt(d_model)
    for n in names:
        p, g, a, b = parameters[n], gradients[n], m[n], v[n]
        a += 0.1 * (g - a)
        b += 0.02 * (g**2 - b)
        up = a / (1 - 0.9**step)
        down = np.sqrt(b / (1 - 0.98**step)) + 1e-9
        p = p - rate * up / down  # <- wrong
        g.fill(0)


# exercise: update.all
# wrong: m gets a new array, which nobody sees
# source: issue of a public repository
def update_all_12(parameters, gradients, m, v, step, d_model, warmup):
    names = sorted(parameters)
    rate = min(1 / np.sqrt(step), step / warmup**1.5) / np.sqrt(d_model)
    for n in names:
        p, g, a, b = parameters[n], gradients[n], m[n], v[n]
        a = a + 0.1 * (g - a)  # <- wrong
        b += 0.02 * (g**2 - b)
        up = a / (1 - 0.9**step)
        down = np.sqrt(b / (1 - 0.98**step)) + 1e-9
        p -= rate * up / down
        g.fill(0)


# exercise: update.all
# wrong: the gradient gets a new array of zeros
# source: issue of a public repository
def update_all_13(parameters, gradients, m, v, step, d_model, warmup):
    names = sorted(parameters)
    rate = min(1 / np.sqrt(step), step / warmup**1.5) / np.sqrt(d_model)
    for n in names:
        p, g, a, b = parameters[n], gradients[n], m[n], v[n]
        a += 0.1 * (g - a)
        b += 0.02 * (g**2 - b)
        up = a / (1 - 0.9**step)
        down = np.sqrt(b / (1 - 0.98**step)) + 1e-9
        p -= rate * up / down
        g = np.zeros_like(g)  # <- wrong


# exercise: update.all
# wrong: only the last one is updated: the loop reads the same name
# source: beginner
def update_all_14(parameters, gradients, m, v, step, d_model, warmup):
    names = sorted(parameters)
    rate = min(1 / np.sqrt(step), step / warmup**1.5) / np.sqrt(d_model)
    for n in names:
        p, g, a, b = (d[names[-1]] for d in (parameters, gradients, m, v))  # <- wrong
        a += 0.1 * (g - a)
        b += 0.02 * (g**2 - b)
        up = a / (1 - 0.9**step)
        down = np.sqrt(b / (1 - 0.98**step)) + 1e-9
        p -= rate * up / down
        g.fill(0)


# exercise: update.all
# wrong: ε is 10⁻⁸ and stands inside the root
# source: issue of a public repository
def update_all_15(parameters, gradients, m, v, step, d_model, warmup):
    names = sorted(parameters)
    rate = min(1 / np.sqrt(step), step / warmup**1.5) / np.sqrt(d_model)
    for n in names:
        p, g, a, b = parameters[n], gradients[n], m[n], v[n]
        a += 0.1 * (g - a)
        b += 0.02 * (g**2 - b)
        up = a / (1 - 0.9**step)
        down = np.sqrt(b / (1 - 0.98**step) + 1e-8)  # <- wrong
        p -= rate * up / down
        g.fill(0)


# exercise: update.all
# wrong: the warm-up counts from 0
# source: issue of a public repository
def update_all_16(parameters, gradients, m, v, step, d_model, warmup):
    names = sorted(parameters)
    rate = min(1 / np.sqrt(step), (step - 1) / warmup**1.5) / np.sqrt(d_model)  # <- wrong
    for n in names:
        p, g, a, b = parameters[n], gradients[n], m[n], v[n]
        a += 0.1 * (g - a)
        b += 0.02 * (g**2 - b)
        up = a / (1 - 0.9**step)
        down = np.sqrt(b / (1 - 0.98**step)) + 1e-9
        p -= rate * up / down
        g.fill(0)


# exercise: update.all
# right: with short names
# source: beginner
def update_all_17(parameters, gradients, m, v, step, d_model, warmup):
    names = sorted(parameters)
    rate = min(1 / np.sqrt(step), step / warmup**1.5) / np.sqrt(d_model)
    for n in names:
        p, g, a, b = parameters[n], gradients[n], m[n], v[n]
        a += 0.1 * (g - a)
        b += 0.02 * (g**2 - b)
        up = a / (1 - 0.9**step)
        down = np.sqrt(b / (1 - 0.98**step)) + 1e-9
        p -= rate * up / down
        g.fill(0)
