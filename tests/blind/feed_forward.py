"""Answers to the exercises: feed forward."""

import numpy as np


# exercise: feed_forward.forward
# wrong: ReLU is forgotten: two affine maps are one
# source: issue of a public repository
def feed_forward_forward_01(x, W_1, b_1, W_2, b_2):
    a = np.dot(x, W_1)
    a = a + b_1
    hidden = a  # <- wrong
    out = np.dot(hidden, W_2)
    out = out + b_2
    return out


# exercise: feed_forward.forward
# wrong: ReLU stands after the second map
# source: issue of a public repository
def feed_forward_forward_02(x, W_1, b_1, W_2, b_2):
    a = np.dot(x, W_1)
    a = a + b_1
    hidden = np.maximum(0, a)
    out = np.dot(hidden, W_2)
    out = np.maximum(out + b_2, 0)  # <- wrong
    return out


# exercise: feed_forward.forward
# wrong: the second bias is forgotten
# source: beginner
# missing: a line
def feed_forward_forward_03(x, W_1, b_1, W_2, b_2):
    a = np.dot(x, W_1)
    a = a + b_1
    hidden = np.maximum(0, a)
    out = np.dot(hidden, W_2)
    return out  # <- wrong


# exercise: feed_forward.forward
# wrong: the first bias is forgotten
# source: beginner
# missing: a line
def feed_forward_forward_04(x, W_1, b_1, W_2, b_2):
    a = np.dot(x, W_1)
    hidden = np.maximum(0, a)  # <- wrong
    out = np.dot(hidden, W_2)
    out = out + b_2
    return out


# exercise: feed_forward.forward
# wrong: the second map reads what was before ReLU
# source: beginner
def feed_forward_forward_05(x, W_1, b_1, W_2, b_2):
    a = np.dot(x, W_1)
    a = a + b_1
    hidden = np.maximum(0, a)
    out = np.dot(a, W_2)  # <- wrong
    out = out + b_2
    return out


# exercise: feed_forward.forward
# wrong: the input is added, as if the residual stood here
# source: issue of a public repository
def feed_forward_forward_06(x, W_1, b_1, W_2, b_2):
    a = np.dot(x, W_1)
    a = a + b_1
    hidden = np.maximum(0, a)
    out = np.dot(hidden, W_2)
    out = out + b_2 + x  # <- wrong
    return out


# exercise: feed_forward.forward
# right: small steps
# source: beginner
def feed_forward_forward_07(x, W_1, b_1, W_2, b_2):
    a = np.dot(x, W_1)
    a = a + b_1
    hidden = np.maximum(0, a)
    out = np.dot(hidden, W_2)
    out = out + b_2
    return out


# exercise: feed_forward.backward
# wrong: ReLU's gradient is forgotten
# source: public question
def feed_forward_backward_01(d_y, x, W_1, b_1, W_2, b_2):
    a = x @ W_1 + b_1
    hidden = np.maximum(a, 0)
    d_W_2 = np.einsum("btf,btd->fd", hidden, d_y)
    d_b_2 = d_y.sum(axis=(0, 1))
    d_hidden = d_y @ W_2.T
    d_a = d_hidden  # <- wrong
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_a.sum(axis=(0, 1))
    d_x = d_a @ W_1.T
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: the second weights meet what was before ReLU
# source: beginner
def feed_forward_backward_02(d_y, x, W_1, b_1, W_2, b_2):
    a = x @ W_1 + b_1
    hidden = np.maximum(a, 0)
    d_W_2 = np.einsum("btf,btd->fd", a, d_y)  # <- wrong
    d_b_2 = d_y.sum(axis=(0, 1))
    d_hidden = d_y @ W_2.T
    d_a = d_hidden * (a > 0)
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_a.sum(axis=(0, 1))
    d_x = d_a @ W_1.T
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: ReLU's mask is of the gradient instead of the hidden numbers
# source: public question
def feed_forward_backward_03(d_y, x, W_1, b_1, W_2, b_2):
    a = x @ W_1 + b_1
    hidden = np.maximum(a, 0)
    d_W_2 = np.einsum("btf,btd->fd", hidden, d_y)
    d_b_2 = d_y.sum(axis=(0, 1))
    d_hidden = d_y @ W_2.T
    d_a = d_hidden * (d_hidden > 0)  # <- wrong
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_a.sum(axis=(0, 1))
    d_x = d_a @ W_1.T
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: d_x takes the gradient before ReLU's mask
# source: beginner
def feed_forward_backward_04(d_y, x, W_1, b_1, W_2, b_2):
    a = x @ W_1 + b_1
    hidden = np.maximum(a, 0)
    d_W_2 = np.einsum("btf,btd->fd", hidden, d_y)
    d_b_2 = d_y.sum(axis=(0, 1))
    d_hidden = d_y @ W_2.T
    d_a = d_hidden * (a > 0)
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_a.sum(axis=(0, 1))
    d_x = d_hidden @ W_1.T  # <- wrong
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: the first bias takes the gradient before ReLU's mask
# source: beginner
def feed_forward_backward_05(d_y, x, W_1, b_1, W_2, b_2):
    a = x @ W_1 + b_1
    hidden = np.maximum(a, 0)
    d_W_2 = np.einsum("btf,btd->fd", hidden, d_y)
    d_b_2 = d_y.sum(axis=(0, 1))
    d_hidden = d_y @ W_2.T
    d_a = d_hidden * (a > 0)
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_hidden.sum(axis=(0, 1))  # <- wrong
    d_x = d_a @ W_1.T
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: ReLU's gradient is multiplied with the hidden numbers
# source: public question
def feed_forward_backward_06(d_y, x, W_1, b_1, W_2, b_2):
    a = x @ W_1 + b_1
    hidden = np.maximum(a, 0)
    d_W_2 = np.einsum("btf,btd->fd", hidden, d_y)
    d_b_2 = d_y.sum(axis=(0, 1))
    d_hidden = d_y @ W_2.T
    d_a = d_hidden * hidden  # <- wrong
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_a.sum(axis=(0, 1))
    d_x = d_a @ W_1.T
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: the second bias is a mean
# source: course forum
def feed_forward_backward_07(d_y, x, W_1, b_1, W_2, b_2):
    a = x @ W_1 + b_1
    hidden = np.maximum(a, 0)
    d_W_2 = np.einsum("btf,btd->fd", hidden, d_y)
    d_b_2 = d_y.mean(axis=(0, 1))  # <- wrong
    d_hidden = d_y @ W_2.T
    d_a = d_hidden * (a > 0)
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_a.sum(axis=(0, 1))
    d_x = d_a @ W_1.T
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: the residual's gradient is added, though there is none here
# source: beginner
def feed_forward_backward_08(d_y, x, W_1, b_1, W_2, b_2):
    a = x @ W_1 + b_1
    hidden = np.maximum(a, 0)
    d_W_2 = np.einsum("btf,btd->fd", hidden, d_y)
    d_b_2 = d_y.sum(axis=(0, 1))
    d_hidden = d_y @ W_2.T
    d_a = d_hidden * (a > 0)
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_a.sum(axis=(0, 1))
    d_x = d_a @ W_1.T + d_y  # <- wrong
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: ReLU's mask is inverted
# source: beginner
def feed_forward_backward_09(d_y, x, W_1, b_1, W_2, b_2):
    a = x @ W_1 + b_1
    hidden = np.maximum(a, 0)
    d_W_2 = np.einsum("btf,btd->fd", hidden, d_y)
    d_b_2 = d_y.sum(axis=(0, 1))
    d_hidden = d_y @ W_2.T
    d_a = d_hidden * (a <= 0)  # <- wrong
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_a.sum(axis=(0, 1))
    d_x = d_a @ W_1.T
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# wrong: the names of the biases' gradients are mixed up
# source: beginner
def feed_forward_backward_10(d_y, x, W_1, b_1, W_2, b_2):
    a = x @ W_1 + b_1
    hidden = np.maximum(a, 0)
    d_W_2 = np.einsum("btf,btd->fd", hidden, d_y)
    d_b_2 = d_y.sum(axis=(0, 1))
    d_hidden = d_y @ W_2.T
    d_a = d_hidden * (a > 0)
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_a.sum(axis=(0, 1))
    d_x = d_a @ W_1.T
    return d_x, d_W_1, d_b_2, d_W_2, d_b_1  # <- wrong


# exercise: feed_forward.backward
# wrong: ReLU's gradient is forgotten
# second: the second bias is a mean
# source: beginner
def feed_forward_backward_11(d_y, x, W_1, b_1, W_2, b_2):
    a = x @ W_1 + b_1
    hidden = np.maximum(a, 0)
    d_W_2 = np.einsum("btf,btd->fd", hidden, d_y)
    d_b_2 = d_y.mean(axis=(0, 1))  # <- wrong
    d_hidden = d_y @ W_2.T
    d_a = d_hidden  # <- wrong
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_a.sum(axis=(0, 1))
    d_x = d_a @ W_1.T
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# right: small steps
# source: beginner
def feed_forward_backward_12(d_y, x, W_1, b_1, W_2, b_2):
    a = x @ W_1 + b_1
    hidden = np.maximum(a, 0)
    d_W_2 = np.einsum("btf,btd->fd", hidden, d_y)
    d_b_2 = d_y.sum(axis=(0, 1))
    d_hidden = d_y @ W_2.T
    d_a = d_hidden * (a > 0)
    d_W_1 = np.einsum("btd,btf->df", x, d_a)
    d_b_1 = d_a.sum(axis=(0, 1))
    d_x = d_a @ W_1.T
    return d_x, d_W_1, d_b_1, d_W_2, d_b_2


# exercise: feed_forward.backward
# right: a class and a dict
# source: beginner
class feed_forward_backward_13:
    def __init__(self, W_1, b_1, W_2, b_2):
        self.W_1, self.b_1, self.W_2, self.b_2 = W_1, b_1, W_2, b_2

    def forward(self, x):
        self.x = x
        self.h = np.maximum(x @ self.W_1 + self.b_1, 0)
        return self.h @ self.W_2 + self.b_2

    def backward(self, d_y):
        flat = d_y.reshape(-1, d_y.shape[-1])
        h = self.h.reshape(-1, self.h.shape[-1])
        d = np.where(h > 0, flat @ self.W_2.T, 0)
        rows = self.x.reshape(len(flat), -1)
        d_x = (d @ self.W_1.T).reshape(self.x.shape)
        return {
            "d_x": d_x, "d_W_1": rows.T @ d, "d_b_1": d.sum(0),
            "d_W_2": h.T @ flat, "d_b_2": flat.sum(0),
        }


# exercise: feed_forward.backward
# wrong: the rows of x are those of the gradient
# source: beginner
class feed_forward_backward_14:
    def __init__(self, W_1, b_1, W_2, b_2):
        self.W_1, self.b_1, self.W_2, self.b_2 = W_1, b_1, W_2, b_2

    def forward(self, x):
        self.x = x
        self.h = np.maximum(x @ self.W_1 + self.b_1, 0)
        return self.h @ self.W_2 + self.b_2

    def backward(self, d_y):
        flat = d_y.reshape(-1, d_y.shape[-1])
        h = self.h.reshape(-1, self.h.shape[-1])
        d = np.where(h > 0, flat @ self.W_2.T, 0)
        rows = flat  # <- wrong
        d_x = (d @ self.W_1.T).reshape(self.x.shape)
        return {
            "d_x": d_x, "d_W_1": rows.T @ d, "d_b_1": d.sum(0),
            "d_W_2": h.T @ flat, "d_b_2": flat.sum(0),
        }
