"""Answers to the exercises: recurrent."""

import numpy as np


# exercise: rnn.step
# wrong: tanh is forgotten
# source: beginner
def rnn_step_01(x, h, W_x, W_h, b):
    from_input = np.dot(x, W_x)
    from_state = np.dot(h, W_h)
    total = from_input + from_state
    total = total + b
    h_new = total  # <- wrong
    return h_new


# exercise: rnn.step
# wrong: a sigmoid in place of tanh
# source: beginner
def rnn_step_02(x, h, W_x, W_h, b):
    from_input = np.dot(x, W_x)
    from_state = np.dot(h, W_h)
    total = from_input + from_state
    total = total + b
    h_new = 1 / (1 + np.exp(-total))  # <- wrong
    return h_new


# exercise: rnn.step
# wrong: the state's weights are transposed
# source: public question
def rnn_step_03(x, h, W_x, W_h, b):
    from_input = np.dot(x, W_x)
    from_state = np.dot(h, W_h.T)  # <- wrong
    total = from_input + from_state
    total = total + b
    h_new = np.tanh(total)
    return h_new


# exercise: rnn.step
# wrong: the state before is left out
# source: beginner
def rnn_step_04(x, h, W_x, W_h, b):
    from_input = np.dot(x, W_x)
    from_state = np.dot(h, W_h)
    total = from_input  # <- wrong
    total = total + b
    h_new = np.tanh(total)
    return h_new


# exercise: rnn.step
# wrong: the bias is added twice, once for each
# source: issue of a public repository
def rnn_step_05(x, h, W_x, W_h, b):
    from_input = np.dot(x, W_x)
    from_state = np.dot(h, W_h)
    total = from_input + from_state
    total = total + 2 * b  # <- wrong
    h_new = np.tanh(total)
    return h_new


# exercise: rnn.step
# wrong: the bias is added outside of tanh
# source: beginner
def rnn_step_06(x, h, W_x, W_h, b):
    from_input = np.dot(x, W_x)
    from_state = np.dot(h, W_h)
    total = from_input + from_state
    total = total + b
    h_new = np.tanh(from_input + from_state) + b  # <- wrong
    return h_new


# exercise: rnn.step
# wrong: the two parts are multiplied
# source: beginner
def rnn_step_07(x, h, W_x, W_h, b):
    from_input = np.dot(x, W_x)
    from_state = np.dot(h, W_h)
    total = from_input * from_state  # <- wrong
    total = total + b
    h_new = np.tanh(total)
    return h_new


# exercise: rnn.step
# wrong: the state's weights are transposed
# second: a sigmoid in place of tanh
# source: beginner
def rnn_step_08(x, h, W_x, W_h, b):
    from_input = np.dot(x, W_x)
    from_state = np.dot(h, W_h.T)  # <- wrong
    total = from_input + from_state
    total = total + b
    h_new = 1 / (1 + np.exp(-total))  # <- wrong
    return h_new


# exercise: rnn.step
# right: small steps
# source: beginner
def rnn_step_09(x, h, W_x, W_h, b):
    from_input = np.dot(x, W_x)
    from_state = np.dot(h, W_h)
    total = from_input + from_state
    total = total + b
    h_new = np.tanh(total)
    return h_new


# exercise: rnn.step
# right: one product of what is joined
# source: beginner
def rnn_step_10(x, h, W_x, W_h, b):
    joined = np.concatenate([x, h, np.ones((len(x), 1))], axis=1)
    weights = np.vstack([W_x, W_h, b])
    return np.tanh(joined @ weights)


# exercise: rnn.step_backward
# wrong: tanh's derivative is forgotten
# source: public question
def rnn_step_backward_01(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new  # <- wrong
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h.T
    d_W_x = x.T @ d_a
    d_W_h = h.T @ d_a
    d_b = d_a.sum(axis=0)
    return d_x, d_h, d_W_x, d_W_h, d_b


# exercise: rnn.step_backward
# wrong: tanh's derivative is that of the sigmoid
# source: public question
def rnn_step_backward_02(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new * h_new * (1 - h_new)  # <- wrong
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h.T
    d_W_x = x.T @ d_a
    d_W_h = h.T @ d_a
    d_b = d_a.sum(axis=0)
    return d_x, d_h, d_W_x, d_W_h, d_b


# exercise: rnn.step_backward
# wrong: tanh's derivative is taken of the old state
# source: beginner
def rnn_step_backward_03(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new * (1 - h**2)  # <- wrong
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h.T
    d_W_x = x.T @ d_a
    d_W_h = h.T @ d_a
    d_b = d_a.sum(axis=0)
    return d_x, d_h, d_W_x, d_W_h, d_b


# exercise: rnn.step_backward
# wrong: tanh is taken once more in the derivative
# source: public question
def rnn_step_backward_04(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new * (1 - np.tanh(h_new) ** 2)  # <- wrong
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h.T
    d_W_x = x.T @ d_a
    d_W_h = h.T @ d_a
    d_b = d_a.sum(axis=0)
    return d_x, d_h, d_W_x, d_W_h, d_b


# exercise: rnn.step_backward
# wrong: the state's weights are not transposed
# source: public question
def rnn_step_backward_05(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new * (1 - h_new**2)
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h  # <- wrong
    d_W_x = x.T @ d_a
    d_W_h = h.T @ d_a
    d_b = d_a.sum(axis=0)
    return d_x, d_h, d_W_x, d_W_h, d_b


# exercise: rnn.step_backward
# wrong: the state's weights meet the new state
# source: issue of a public repository
def rnn_step_backward_06(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new * (1 - h_new**2)
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h.T
    d_W_x = x.T @ d_a
    d_W_h = h_new.T @ d_a  # <- wrong
    d_b = d_a.sum(axis=0)
    return d_x, d_h, d_W_x, d_W_h, d_b


# exercise: rnn.step_backward
# wrong: the bias's gradient is a mean
# source: course forum
def rnn_step_backward_07(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new * (1 - h_new**2)
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h.T
    d_W_x = x.T @ d_a
    d_W_h = h.T @ d_a
    d_b = d_a.mean(axis=0)  # <- wrong
    return d_x, d_h, d_W_x, d_W_h, d_b


# exercise: rnn.step_backward
# wrong: the bias's gradient skips tanh
# source: beginner
def rnn_step_backward_08(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new * (1 - h_new**2)
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h.T
    d_W_x = x.T @ d_a
    d_W_h = h.T @ d_a
    d_b = d_h_new.sum(axis=0)  # <- wrong
    return d_x, d_h, d_W_x, d_W_h, d_b


# exercise: rnn.step_backward
# wrong: the weights' gradient is a mean over the batch
# source: course forum
def rnn_step_backward_09(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new * (1 - h_new**2)
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h.T
    d_W_x = x.T @ d_a / len(x)  # <- wrong
    d_W_h = h.T @ d_a
    d_b = d_a.sum(axis=0)
    return d_x, d_h, d_W_x, d_W_h, d_b


# exercise: rnn.step_backward
# wrong: the state's gradient skips tanh
# source: beginner
def rnn_step_backward_10(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new * (1 - h_new**2)
    d_x = d_a @ W_x.T
    d_h = d_h_new @ W_h.T  # <- wrong
    d_W_x = x.T @ d_a
    d_W_h = h.T @ d_a
    d_b = d_a.sum(axis=0)
    return d_x, d_h, d_W_x, d_W_h, d_b


# exercise: rnn.step_backward
# wrong: x and h are swapped among the results
# source: beginner
def rnn_step_backward_11(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new * (1 - h_new**2)
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h.T
    d_W_x = x.T @ d_a
    d_W_h = h.T @ d_a
    d_b = d_a.sum(axis=0)
    return d_h, d_x, d_W_x, d_W_h, d_b  # <- wrong


# exercise: rnn.step_backward
# wrong: the state's weights are not transposed
# second: the bias's gradient is a mean
# source: public question
def rnn_step_backward_12(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new * (1 - h_new**2)
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h  # <- wrong
    d_W_x = x.T @ d_a
    d_W_h = h.T @ d_a
    d_b = d_a.mean(axis=0)  # <- wrong
    return d_x, d_h, d_W_x, d_W_h, d_b


# exercise: rnn.step_backward
# right: small steps
# source: beginner
def rnn_step_backward_13(d_h_new, x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    d_a = d_h_new * (1 - h_new**2)
    d_x = d_a @ W_x.T
    d_h = d_a @ W_h.T
    d_W_x = x.T @ d_a
    d_W_h = h.T @ d_a
    d_b = d_a.sum(axis=0)
    return d_x, d_h, d_W_x, d_W_h, d_b


# exercise: rnn.step_backward
# right: a pair with a cache
# source: course forum
def _rnn_step_backward_14_forward(x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    return h_new, (x, h, W_x, W_h, h_new)


def _rnn_step_backward_14_backward(d_h_new, cache):
    x, h, W_x, W_h, h_new = cache
    d = d_h_new * (1 + h_new) * (1 - h_new)
    d_W_x = np.einsum("bd,bf->df", x, d)
    d_W_h = np.einsum("bg,bf->gf", h, d)
    return d @ W_x.T, d @ W_h.T, d_W_x, d_W_h, d.sum(0)


rnn_step_backward_14 = (_rnn_step_backward_14_forward, _rnn_step_backward_14_backward)


# exercise: rnn.step_backward
# wrong: 1 + h instead of 1 − h²
# source: beginner
def _rnn_step_backward_15_forward(x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    return h_new, (x, h, W_x, W_h, h_new)


def _rnn_step_backward_15_backward(d_h_new, cache):
    x, h, W_x, W_h, h_new = cache
    d = d_h_new * (1 + h_new)  # <- wrong
    d_W_x = np.einsum("bd,bf->df", x, d)
    d_W_h = np.einsum("bg,bf->gf", h, d)
    return d @ W_x.T, d @ W_h.T, d_W_x, d_W_h, d.sum(0)


rnn_step_backward_15 = (_rnn_step_backward_15_forward, _rnn_step_backward_15_backward)


# exercise: rnn.step_backward
# wrong: the indices of the state's weights are turned
# source: beginner
def _rnn_step_backward_16_forward(x, h, W_x, W_h, b):
    h_new = np.tanh(x @ W_x + h @ W_h + b)
    return h_new, (x, h, W_x, W_h, h_new)


def _rnn_step_backward_16_backward(d_h_new, cache):
    x, h, W_x, W_h, h_new = cache
    d = d_h_new * (1 + h_new) * (1 - h_new)
    d_W_x = np.einsum("bd,bf->df", x, d)
    d_W_h = np.einsum("bg,bf->gf", d, h)  # <- wrong
    return d @ W_x.T, d @ W_h.T, d_W_x, d_W_h, d.sum(0)


rnn_step_backward_16 = (_rnn_step_backward_16_forward, _rnn_step_backward_16_backward)


# exercise: rnn.states
# wrong: the state starts at zero instead of h_0
# source: issue of a public repository
def rnn_states_01(x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    h = np.zeros((B, T, len(b)))
    state = np.zeros_like(h_0)  # <- wrong
    for t in range(T):
        a = x[:, t] @ W_x + state @ W_h + b
        state = np.tanh(a)
        h[:, t] = state
    return h


# exercise: rnn.states
# wrong: each step starts from h_0
# source: beginner
def rnn_states_02(x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    h = np.zeros((B, T, len(b)))
    state = h_0
    for t in range(T):
        a = x[:, t] @ W_x + h_0 @ W_h + b  # <- wrong
        state = np.tanh(a)
        h[:, t] = state
    return h


# exercise: rnn.states
# wrong: the sequence is read backward
# source: beginner
def rnn_states_03(x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    h = np.zeros((B, T, len(b)))
    state = h_0
    for t in range(T):
        a = x[:, T - 1 - t] @ W_x + state @ W_h + b  # <- wrong
        state = np.tanh(a)
        h[:, t] = state
    return h


# exercise: rnn.states
# wrong: the input of the first step for all
# source: beginner
def rnn_states_04(x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    h = np.zeros((B, T, len(b)))
    state = h_0
    for t in range(T):
        a = x[:, 0] @ W_x + state @ W_h + b  # <- wrong
        state = np.tanh(a)
        h[:, t] = state
    return h


# exercise: rnn.states
# wrong: what is passed on is the state before tanh
# source: beginner
def rnn_states_05(x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    h = np.zeros((B, T, len(b)))
    state = h_0
    for t in range(T):
        a = x[:, t] @ W_x + state @ W_h + b
        state = np.tanh(a)
        h[:, t], state = state, a  # <- wrong
    return h


# exercise: rnn.states
# wrong: the last step is left out
# source: beginner
def rnn_states_06(x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    h = np.zeros((B, T, len(b)))
    state = h_0
    for t in range(T - 1):  # <- wrong
        a = x[:, t] @ W_x + state @ W_h + b
        state = np.tanh(a)
        h[:, t] = state
    return h


# exercise: rnn.states
# wrong: the states are stored one place early
# source: issue of a public repository
def rnn_states_07(x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    h = np.zeros((B, T, len(b)))
    state = h_0
    for t in range(T):
        a = x[:, t] @ W_x + state @ W_h + b
        state = np.tanh(a)
        h[:, t - 1] = state  # <- wrong
    return h


# exercise: rnn.states
# wrong: the state starts at zero
# second: the sequence is read backward
# source: beginner
def rnn_states_08(x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    h = np.zeros((B, T, len(b)))
    state = np.zeros_like(h_0)  # <- wrong
    for t in range(T):
        a = x[:, T - 1 - t] @ W_x + state @ W_h + b  # <- wrong
        state = np.tanh(a)
        h[:, t] = state
    return h


# exercise: rnn.states
# right: a loop
# source: beginner
def rnn_states_09(x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    h = np.zeros((B, T, len(b)))
    state = h_0
    for t in range(T):
        a = x[:, t] @ W_x + state @ W_h + b
        state = np.tanh(a)
        h[:, t] = state
    return h


# exercise: rnn.states
# right: a list
# source: beginner
def rnn_states_10(x, h_0, W_x, W_h, b):
    states = [h_0]
    for x_t in x.swapaxes(0, 1):
        states.append(np.tanh(x_t @ W_x + states[-1] @ W_h + b))
    return np.stack(states[1:], axis=1)


# exercise: rnn.states
# wrong: h_0 is among the states, the last is not
# source: issue of a public repository
def rnn_states_11(x, h_0, W_x, W_h, b):
    states = [h_0]
    for x_t in x.swapaxes(0, 1):
        states.append(np.tanh(x_t @ W_x + states[-1] @ W_h + b))
    return np.stack(states[:-1], axis=1)  # <- wrong


# exercise: rnn.through_time
# wrong: nothing comes back from the next step
# source: public question
def rnn_through_time_01(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_h[:, t]  # <- wrong
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: only what comes back from the next step counts
# source: beginner
def rnn_through_time_02(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_next if t < T - 1 else d_h[:, t]  # <- wrong
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: the state's weights meet the new state, off by one
# source: issue of a public repository
def rnn_through_time_03(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_h[:, t] + d_next
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t + 1].T @ d_a  # <- wrong
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: tanh's derivative uses the state before, off by one
# source: issue of a public repository
def rnn_through_time_04(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_h[:, t] + d_next
        d_a = d_state * (1 - states[t] ** 2)  # <- wrong
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: the input weights' gradient is overwritten at each step
# source: issue of a public repository
def rnn_through_time_05(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_h[:, t] + d_next
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x = x[:, t].T @ d_a  # <- wrong
        d_W_h += states[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: the bias's gradient is overwritten at each step
# source: issue of a public repository
def rnn_through_time_06(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_h[:, t] + d_next
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b = d_a.sum(axis=0)  # <- wrong
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: time runs forward
# source: beginner
def rnn_through_time_07(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in range(T):  # <- wrong
        d_state = d_h[:, t] + d_next
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: the first step is left out
# source: beginner
def rnn_through_time_08(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in range(T - 1, 0, -1):  # <- wrong
        d_state = d_h[:, t] + d_next
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: the state's weights are not transposed
# source: public question
def rnn_through_time_09(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_h[:, t] + d_next
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h  # <- wrong
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: what goes back adds up, as if the path were walked again
# source: beginner
def rnn_through_time_10(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_h[:, t] + d_next
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_next + d_a @ W_h.T  # <- wrong
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: tanh's derivative is forgotten
# source: public question
def rnn_through_time_11(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_h[:, t] + d_next
        d_a = d_state  # <- wrong
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: the gradients are means over the steps
# source: course forum
def rnn_through_time_12(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_h[:, t] + d_next
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
    return d_x, d_next, d_W_x / T, d_W_h, d_b  # <- wrong


# exercise: rnn.through_time
# wrong: what goes back skips tanh
# source: beginner
def rnn_through_time_13(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_h[:, t] + d_next
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_state @ W_h.T  # <- wrong
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# wrong: nothing comes back from the next step
# second: the bias's gradient is overwritten
# source: issue of a public repository
def rnn_through_time_14(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_h[:, t]  # <- wrong
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b = d_a.sum(axis=0)  # <- wrong
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# right: a list of states
# source: beginner
def rnn_through_time_15(d_h, x, h_0, W_x, W_h, b):
    B, T, D = x.shape
    states = [h_0]
    for t in range(T):
        states.append(np.tanh(x[:, t] @ W_x + states[t] @ W_h + b))
    d_x = np.zeros_like(x)
    d_W_x, d_W_h, d_b = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    d_next = np.zeros_like(h_0)
    for t in reversed(range(T)):
        d_state = d_h[:, t] + d_next
        d_a = d_state * (1 - states[t + 1] ** 2)
        d_W_x += x[:, t].T @ d_a
        d_W_h += states[t].T @ d_a
        d_b += d_a.sum(axis=0)
        d_x[:, t] = d_a @ W_x.T
        d_next = d_a @ W_h.T
    return d_x, d_next, d_W_x, d_W_h, d_b


# exercise: rnn.through_time
# right: a class, the weights at the end
# source: beginner
class rnn_through_time_16:
    def __init__(self, W_x, W_h, b):
        self.W_x, self.W_h, self.b = W_x, W_h, b

    def forward(self, x, h_0):
        self.x, h = x, h_0
        self.h = np.zeros((x.shape[1] + 1, *h_0.shape))
        self.h[0] = h_0
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ self.W_x + h @ self.W_h + self.b)
            self.h[t + 1] = h
        return self.h[1:].swapaxes(0, 1)

    def backward(self, d_h):
        d_a = np.zeros((d_h.shape[1], *self.h.shape[1:]))
        back = 0
        for t in range(d_h.shape[1] - 1, -1, -1):
            d_a[t] = (d_h[:, t] + back) * (1 - self.h[t + 1] ** 2)
            back = d_a[t] @ self.W_h.T
        d_x = (d_a @ self.W_x.T).swapaxes(0, 1)
        d_W_x = np.einsum("btd,tbf->df", self.x, d_a)
        d_W_h = np.einsum("tbg,tbf->gf", self.h[:-1], d_a)
        return d_x, back, d_W_x, d_W_h, d_a.sum((0, 1))


# exercise: rnn.through_time
# wrong: the states are those after each step, not before
# source: issue of a public repository
class rnn_through_time_17:
    def __init__(self, W_x, W_h, b):
        self.W_x, self.W_h, self.b = W_x, W_h, b

    def forward(self, x, h_0):
        self.x, h = x, h_0
        self.h = np.zeros((x.shape[1] + 1, *h_0.shape))
        self.h[0] = h_0
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ self.W_x + h @ self.W_h + self.b)
            self.h[t + 1] = h
        return self.h[1:].swapaxes(0, 1)

    def backward(self, d_h):
        d_a = np.zeros((d_h.shape[1], *self.h.shape[1:]))
        back = 0
        for t in range(d_h.shape[1] - 1, -1, -1):
            d_a[t] = (d_h[:, t] + back) * (1 - self.h[t + 1] ** 2)
            back = d_a[t] @ self.W_h.T
        d_x = (d_a @ self.W_x.T).swapaxes(0, 1)
        d_W_x = np.einsum("btd,tbf->df", self.x, d_a)
        d_W_h = np.einsum("tbg,tbf->gf", self.h[1:], d_a)  # <- wrong
        return d_x, back, d_W_x, d_W_h, d_a.sum((0, 1))
