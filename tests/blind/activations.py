"""Answers to the exercises: activations."""

import numpy as np


# exercise: relu.forward
# wrong: the array handed in is changed
# source: public question
def relu_forward_01(x):
    out = x  # <- wrong
    for i in np.ndindex(out.shape):
        if out[i] < 0:
            out[i] = 0
    return out


# exercise: relu.forward
# wrong: negative numbers become positive, as in abs
# source: beginner
def relu_forward_02(x):
    out = x.copy()
    for i in np.ndindex(out.shape):
        if out[i] < 0:
            out[i] = -out[i]  # <- wrong
    return out


# exercise: relu.forward
# wrong: a leak: negative numbers keep a hundredth
# source: beginner
def relu_forward_03(x):
    out = x.copy()
    for i in np.ndindex(out.shape):
        if out[i] < 0:
            out[i] = 0.01 * out[i]  # <- wrong
    return out


# exercise: relu.forward
# right: loops
# source: beginner
def relu_forward_04(x):
    out = x.copy()
    for i in np.ndindex(out.shape):
        if out[i] < 0:
            out[i] = 0
    return out


# exercise: relu.forward
# wrong: the mask alone, without x
# source: beginner
def relu_forward_05(x):
    return (x > 0) * 1.0  # <- wrong


# exercise: relu.forward
# wrong: min instead of max
# source: beginner
def relu_forward_06(x):
    return np.minimum(x, 0)  # <- wrong


# exercise: relu.forward
# right: a mask
# source: beginner
def relu_forward_07(x):
    return x * (x > 0)


# exercise: relu.backward
# wrong: the gradient handed in is changed
# source: public question
def relu_backward_01(d_y, x):
    d_x = d_y  # <- wrong
    d_x[x <= 0] = 0
    return d_x


# exercise: relu.backward
# wrong: at exactly 0 the gradient passes
# source: beginner
def relu_backward_02(d_y, x):
    d_x = d_y.copy()
    d_x[x < 0] = 0  # <- wrong
    return d_x


# exercise: relu.backward
# wrong: the gradient itself is clipped, whatever x is
# source: public question
def relu_backward_03(d_y, x):
    d_x = d_y.copy()
    d_x[d_y <= 0] = 0  # <- wrong
    return d_x


# exercise: relu.backward
# wrong: the mask is inverted
# source: beginner
def relu_backward_04(d_y, x):
    d_x = d_y.copy()
    d_x[x > 0] = 0  # <- wrong
    return d_x


# exercise: relu.backward
# right: an index
# source: beginner
def relu_backward_05(d_y, x):
    d_x = d_y.copy()
    d_x[x <= 0] = 0
    return d_x


# exercise: relu.backward
# right: a class with a mask
# source: beginner
class relu_backward_06:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0)

    def backward(self, d_y):
        return np.where(self.mask, d_y, 0)


# exercise: relu.backward
# wrong: the gradient where nothing passes is 1 and not 0
# source: beginner
class relu_backward_07:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0)

    def backward(self, d_y):
        return np.where(self.mask, d_y, 1)  # <- wrong


# exercise: gelu.forward
# wrong: the constant is 0.44715
# source: issue of a public repository
def gelu_forward_01(x):
    c = np.sqrt(2.0 / np.pi)
    cube = x**3
    inner = c * (x + 0.44715 * cube)  # <- wrong
    t = np.tanh(inner)
    phi = 0.5 * (1.0 + t)
    return x * phi


# exercise: gelu.forward
# wrong: √(π/2) in place of √(2/π)
# source: beginner
def gelu_forward_02(x):
    c = np.sqrt(np.pi / 2.0)  # <- wrong
    cube = x**3
    inner = c * (x + 0.044715 * cube)
    t = np.tanh(inner)
    phi = 0.5 * (1.0 + t)
    return x * phi


# exercise: gelu.forward
# wrong: the square in place of the cube
# source: beginner
def gelu_forward_03(x):
    c = np.sqrt(2.0 / np.pi)
    cube = x**2  # <- wrong
    inner = c * (x + 0.044715 * cube)
    t = np.tanh(inner)
    phi = 0.5 * (1.0 + t)
    return x * phi


# exercise: gelu.forward
# wrong: the factor 1/2 is forgotten
# source: beginner
def gelu_forward_04(x):
    c = np.sqrt(2.0 / np.pi)
    cube = x**3
    inner = c * (x + 0.044715 * cube)
    t = np.tanh(inner)
    phi = 1.0 + t  # <- wrong
    return x * phi


# exercise: gelu.forward
# wrong: √(2/π) multiplies x only
# source: issue of a public repository
def gelu_forward_05(x):
    c = np.sqrt(2.0 / np.pi)
    cube = x**3
    inner = c * x + 0.044715 * cube  # <- wrong
    t = np.tanh(inner)
    phi = 0.5 * (1.0 + t)
    return x * phi


# exercise: gelu.forward
# wrong: the probability is returned, without x
# source: beginner
def gelu_forward_06(x):
    c = np.sqrt(2.0 / np.pi)
    cube = x**3
    inner = c * (x + 0.044715 * cube)
    t = np.tanh(inner)
    phi = 0.5 * (1.0 + t)
    return phi  # <- wrong


# exercise: gelu.forward
# wrong: √2/π in place of √(2/π)
# source: beginner
def gelu_forward_07(x):
    c = np.sqrt(2.0) / np.pi  # <- wrong
    cube = x**3
    inner = c * (x + 0.044715 * cube)
    t = np.tanh(inner)
    phi = 0.5 * (1.0 + t)
    return x * phi


# exercise: gelu.forward
# wrong: the two constants are swapped
# second: the factor 1/2 is forgotten
# source: issue of a public repository
def gelu_forward_08(x):
    c = np.sqrt(2.0 / np.pi)
    cube = x**3
    inner = 0.044715 * (x + c * cube)  # <- wrong
    t = np.tanh(inner)
    phi = 1.0 + t  # <- wrong
    return x * phi


# exercise: gelu.forward
# right: small steps
# source: beginner
def gelu_forward_09(x):
    c = np.sqrt(2.0 / np.pi)
    cube = x**3
    inner = c * (x + 0.044715 * cube)
    t = np.tanh(inner)
    phi = 0.5 * (1.0 + t)
    return x * phi


# exercise: gelu.forward
# right: (1 + tanh u)/2 as a sigmoid of 2u
# source: beginner
def gelu_forward_10(x):
    u = 2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x * x * x)
    return x / (1 + np.exp(-np.clip(u, -700, 700)))


# exercise: gelu.forward
# wrong: the sigmoid form with 1.702 x
# source: issue of a public repository
def gelu_forward_11(x):
    u = 1.702 * x  # <- wrong
    return x / (1 + np.exp(-np.clip(u, -700, 700)))


# exercise: gelu.forward
# wrong: the sigmoid of u instead of 2u
# source: beginner
def gelu_forward_12(x):
    u = np.sqrt(2 / np.pi) * (x + 0.044715 * x * x * x)  # <- wrong
    return x / (1 + np.exp(-np.clip(u, -700, 700)))


# exercise: gelu.backward
# wrong: only the first factor is differentiated
# source: public question
def gelu_backward_01(d_y, x):
    c = np.sqrt(2 / np.pi)
    u = c * (x + 0.044715 * x**3)
    t = np.tanh(u)
    d_u = c * (1 + 3 * 0.044715 * x**2)
    d_t = 1 - t**2
    slope = 0.5 * (1 + t)  # <- wrong
    return d_y * slope


# exercise: gelu.backward
# wrong: the 3 of the cube's derivative is missing
# source: beginner
def gelu_backward_02(d_y, x):
    c = np.sqrt(2 / np.pi)
    u = c * (x + 0.044715 * x**3)
    t = np.tanh(u)
    d_u = c * (1 + 0.044715 * x**2)  # <- wrong
    d_t = 1 - t**2
    slope = 0.5 * (1 + t) + 0.5 * x * d_t * d_u
    return d_y * slope


# exercise: gelu.backward
# wrong: tanh's derivative is 1 − t
# source: public question
def gelu_backward_03(d_y, x):
    c = np.sqrt(2 / np.pi)
    u = c * (x + 0.044715 * x**3)
    t = np.tanh(u)
    d_u = c * (1 + 3 * 0.044715 * x**2)
    d_t = 1 - t  # <- wrong
    slope = 0.5 * (1 + t) + 0.5 * x * d_t * d_u
    return d_y * slope


# exercise: gelu.backward
# wrong: tanh is taken once more: 1 − tanh(t)²
# source: public question
def gelu_backward_04(d_y, x):
    c = np.sqrt(2 / np.pi)
    u = c * (x + 0.044715 * x**3)
    t = np.tanh(u)
    d_u = c * (1 + 3 * 0.044715 * x**2)
    d_t = 1 - np.tanh(t) ** 2  # <- wrong
    slope = 0.5 * (1 + t) + 0.5 * x * d_t * d_u
    return d_y * slope


# exercise: gelu.backward
# wrong: the inner derivative is forgotten
# source: beginner
def gelu_backward_05(d_y, x):
    c = np.sqrt(2 / np.pi)
    u = c * (x + 0.044715 * x**3)
    t = np.tanh(u)
    d_u = c * (1 + 3 * 0.044715 * x**2)
    d_t = 1 - t**2
    slope = 0.5 * (1 + t) + 0.5 * x * d_t  # <- wrong
    return d_y * slope


# exercise: gelu.backward
# wrong: the x of the product rule is missing
# source: beginner
def gelu_backward_06(d_y, x):
    c = np.sqrt(2 / np.pi)
    u = c * (x + 0.044715 * x**3)
    t = np.tanh(u)
    d_u = c * (1 + 3 * 0.044715 * x**2)
    d_t = 1 - t**2
    slope = 0.5 * (1 + t) + 0.5 * d_t * d_u  # <- wrong
    return d_y * slope


# exercise: gelu.backward
# wrong: √(2/π) is missing in the inner derivative
# source: beginner
def gelu_backward_07(d_y, x):
    c = np.sqrt(2 / np.pi)
    u = c * (x + 0.044715 * x**3)
    t = np.tanh(u)
    d_u = (1 + 3 * 0.044715 * x**2)  # <- wrong
    d_t = 1 - t**2
    slope = 0.5 * (1 + t) + 0.5 * x * d_t * d_u
    return d_y * slope


# exercise: gelu.backward
# wrong: the gradient from above is forgotten
# source: beginner
def gelu_backward_08(d_y, x):
    c = np.sqrt(2 / np.pi)
    u = c * (x + 0.044715 * x**3)
    t = np.tanh(u)
    d_u = c * (1 + 3 * 0.044715 * x**2)
    d_t = 1 - t**2
    slope = 0.5 * (1 + t) + 0.5 * x * d_t * d_u
    return slope  # <- wrong


# exercise: gelu.backward
# wrong: the 3 is missing
# second: tanh's derivative is 1 − t
# source: beginner
def gelu_backward_09(d_y, x):
    c = np.sqrt(2 / np.pi)
    u = c * (x + 0.044715 * x**3)
    t = np.tanh(u)
    d_u = c * (1 + 0.044715 * x**2)  # <- wrong
    d_t = 1 - t  # <- wrong
    slope = 0.5 * (1 + t) + 0.5 * x * d_t * d_u
    return d_y * slope


# exercise: gelu.backward
# right: small steps
# source: beginner
def gelu_backward_10(d_y, x):
    c = np.sqrt(2 / np.pi)
    u = c * (x + 0.044715 * x**3)
    t = np.tanh(u)
    d_u = c * (1 + 3 * 0.044715 * x**2)
    d_t = 1 - t**2
    slope = 0.5 * (1 + t) + 0.5 * x * d_t * d_u
    return d_y * slope


# exercise: gelu.backward
# right: from tanh
# source: beginner
def gelu_backward_11(d_y, x, tanh):
    k = 0.7978845608028654
    sech2 = (1 - tanh) * (1 + tanh)
    part = x * sech2 * k * (1 + 0.134145 * x * x)
    return d_y * (1 + tanh + part) / 2


# exercise: gelu.backward
# wrong: 0.134145 is rounded to 0.134
# source: issue of a public repository
def gelu_backward_12(d_y, x, tanh):
    k = 0.7978845608028654
    sech2 = (1 - tanh) * (1 + tanh)
    part = x * sech2 * k * (1 + 0.134 * x * x)  # <- wrong
    return d_y * (1 + tanh + part) / 2


# exercise: gelu.backward
# wrong: the half applies to one term only
# source: beginner
def gelu_backward_13(d_y, x, tanh):
    k = 0.7978845608028654
    sech2 = (1 - tanh) * (1 + tanh)
    part = x * sech2 * k * (1 + 0.134145 * x * x)
    return d_y * ((1 + tanh) / 2 + part)  # <- wrong


# exercise: dropout.forward
# wrong: p is taken for the probability to keep
# source: issue of a public repository
def dropout_forward_01(x, p, training, rng):
    if not training:
        return x
    keep_prob = p  # <- wrong
    mask = rng.random(x.shape) < keep_prob
    out = x * mask
    out = out / keep_prob
    return out


# exercise: dropout.forward
# wrong: what is kept is not enlarged
# source: public question
# missing: a line
def dropout_forward_02(x, p, training, rng):
    if not training:
        return x
    keep_prob = 1.0 - p
    mask = rng.random(x.shape) < keep_prob
    out = x * mask
    return out  # <- wrong


# exercise: dropout.forward
# wrong: divided by p
# source: beginner
def dropout_forward_03(x, p, training, rng):
    if not training:
        return x
    keep_prob = 1.0 - p
    mask = rng.random(x.shape) < keep_prob
    out = x * mask
    out = out / p  # <- wrong
    return out


# exercise: dropout.forward
# wrong: multiplied by 1 − p, not divided
# source: beginner
def dropout_forward_04(x, p, training, rng):
    if not training:
        return x
    keep_prob = 1.0 - p
    mask = rng.random(x.shape) < keep_prob
    out = x * mask
    out = out * keep_prob  # <- wrong
    return out


# exercise: dropout.forward
# wrong: when not training, x is scaled by 1 − p
# source: issue of a public repository
def dropout_forward_05(x, p, training, rng):
    if not training:
        return x * (1.0 - p)  # <- wrong
    keep_prob = 1.0 - p
    mask = rng.random(x.shape) < keep_prob
    out = x * mask
    out = out / keep_prob
    return out


# exercise: dropout.forward
# wrong: it drops when not training
# source: beginner
def dropout_forward_06(x, p, training, rng):
    if training:  # <- wrong
        return x
    keep_prob = 1.0 - p
    mask = rng.random(x.shape) < keep_prob
    out = x * mask
    out = out / keep_prob
    return out


# exercise: dropout.forward
# wrong: the mask is inverted: it drops 1 − p
# source: beginner
def dropout_forward_07(x, p, training, rng):
    if not training:
        return x
    keep_prob = 1.0 - p
    mask = rng.random(x.shape) > keep_prob  # <- wrong
    out = x * mask
    out = out / keep_prob
    return out


# exercise: dropout.forward
# wrong: one mask for all sentences
# source: issue of a public repository
def dropout_forward_08(x, p, training, rng):
    if not training:
        return x
    keep_prob = 1.0 - p
    mask = rng.random(x.shape[1:]) < keep_prob  # <- wrong
    out = x * mask
    out = out / keep_prob
    return out


# exercise: dropout.forward
# wrong: x itself is changed
# source: beginner
def dropout_forward_09(x, p, training, rng):
    if not training:
        return x
    keep_prob = 1.0 - p
    mask = rng.random(x.shape) < keep_prob
    out = np.multiply(x, mask, out=x)  # <- wrong
    out = out / keep_prob
    return out


# exercise: dropout.forward
# wrong: the mask is inverted
# second: what is kept is not enlarged
# source: beginner
# missing: a line
def dropout_forward_10(x, p, training, rng):
    if not training:
        return x
    keep_prob = 1.0 - p
    mask = rng.random(x.shape) > keep_prob  # <- wrong
    out = x * mask
    return out  # <- wrong


# exercise: dropout.forward
# right: small steps
# source: beginner
def dropout_forward_11(x, p, training, rng):
    if not training:
        return x
    keep_prob = 1.0 - p
    mask = rng.random(x.shape) < keep_prob
    out = x * mask
    out = out / keep_prob
    return out


# exercise: dropout.forward
# right: binomial
# source: beginner
def dropout_forward_12(x, p, training, rng):
    factor = rng.binomial(1, 1 - p, size=x.shape) / (1 - p)
    return np.where(training, factor, 1.0) * x


# exercise: dropout.forward
# wrong: whole positions are dropped
# source: beginner
def dropout_forward_13(x, p, training, rng):
    factor = rng.binomial(1, 1 - p, size=x.shape[:2] + (1,)) / (1 - p)  # <- wrong
    return np.where(training, factor, 1.0) * x


# exercise: dropout.backward
# wrong: the scale is forgotten
# source: public question
# missing: a line
def dropout_backward_01(d_y, keep, p):
    scale = 1 / (1 - p)
    d_x = np.zeros_like(d_y)
    d_x[keep] = d_y[keep]
    return d_x  # <- wrong


# exercise: dropout.backward
# wrong: the scale is 1/p
# source: beginner
def dropout_backward_02(d_y, keep, p):
    scale = 1 / p  # <- wrong
    d_x = np.zeros_like(d_y)
    d_x[keep] = d_y[keep]
    d_x *= scale
    return d_x


# exercise: dropout.backward
# wrong: the scale is applied as a product with 1 − p
# source: beginner
def dropout_backward_03(d_y, keep, p):
    scale = 1 - p  # <- wrong
    d_x = np.zeros_like(d_y)
    d_x[keep] = d_y[keep]
    d_x *= scale
    return d_x


# exercise: dropout.backward
# wrong: the mask is inverted
# source: beginner
def dropout_backward_04(d_y, keep, p):
    scale = 1 / (1 - p)
    d_x = np.zeros_like(d_y)
    d_x[~keep] = d_y[~keep]  # <- wrong
    d_x *= scale
    return d_x


# exercise: dropout.backward
# wrong: scaled twice
# source: beginner
def dropout_backward_05(d_y, keep, p):
    scale = 1 / (1 - p) ** 2  # <- wrong
    d_x = np.zeros_like(d_y)
    d_x[keep] = d_y[keep]
    d_x *= scale
    return d_x


# exercise: dropout.backward
# right: an index
# source: beginner
def dropout_backward_06(d_y, keep, p):
    scale = 1 / (1 - p)
    d_x = np.zeros_like(d_y)
    d_x[keep] = d_y[keep]
    d_x *= scale
    return d_x


# exercise: dropout.backward
# wrong: the gradient passes everywhere
# source: public question
def dropout_backward_07(d_y, keep, p):
    return d_y / (1 - p)  # <- wrong


# exercise: dropout.backward
# wrong: dropped numbers keep their gradient, unscaled
# source: beginner
def dropout_backward_08(d_y, keep, p):
    return np.where(keep, d_y / (1 - p), d_y)  # <- wrong


# exercise: dropout.backward
# right: where
# source: beginner
def dropout_backward_09(d_y, keep, p):
    return np.where(keep, d_y / (1 - p), 0)


# exercise: dropout.twice
# wrong: the first mask comes out first
# source: beginner
class dropout_twice_01:
    def __init__(self, p, rng):
        self.p = p
        self.rng = rng
        self.masks = []

    def forward(self, x):
        mask = (self.rng.random(x.shape) >= self.p) / (1 - self.p)
        self.masks.append(mask)
        return x * mask

    def backward(self, d_y):
        mask = self.masks.pop(0)  # <- wrong
        return d_y * mask


# exercise: dropout.twice
# wrong: the last mask is used for both
# source: issue of a public repository
class dropout_twice_02:
    def __init__(self, p, rng):
        self.p = p
        self.rng = rng
        self.masks = []

    def forward(self, x):
        mask = (self.rng.random(x.shape) >= self.p) / (1 - self.p)
        self.masks.append(mask)
        return x * mask

    def backward(self, d_y):
        mask = self.masks[-1]  # <- wrong
        return d_y * mask


# exercise: dropout.twice
# wrong: backward draws a new mask
# source: public question
class dropout_twice_03:
    def __init__(self, p, rng):
        self.p = p
        self.rng = rng
        self.masks = []

    def forward(self, x):
        mask = (self.rng.random(x.shape) >= self.p) / (1 - self.p)
        self.masks.append(mask)
        return x * mask

    def backward(self, d_y):
        mask = (self.rng.random(d_y.shape) >= self.p) / (1 - self.p)  # <- wrong
        return d_y * mask


# exercise: dropout.twice
# wrong: the scale is missing in both directions
# source: public question
class dropout_twice_04:
    def __init__(self, p, rng):
        self.p = p
        self.rng = rng
        self.masks = []

    def forward(self, x):
        mask = (self.rng.random(x.shape) >= self.p) * 1.0  # <- wrong
        self.masks.append(mask)
        return x * mask

    def backward(self, d_y):
        mask = self.masks.pop()
        return d_y * mask


# exercise: dropout.twice
# wrong: p is taken for the probability to keep in the comparison
# source: issue of a public repository
class dropout_twice_05:
    def __init__(self, p, rng):
        self.p = p
        self.rng = rng
        self.masks = []

    def forward(self, x):
        mask = (self.rng.random(x.shape) < self.p) / (1 - self.p)  # <- wrong
        self.masks.append(mask)
        return x * mask

    def backward(self, d_y):
        mask = self.masks.pop()
        return d_y * mask


# exercise: dropout.twice
# right: a stack of masks
# source: beginner
class dropout_twice_06:
    def __init__(self, p, rng):
        self.p = p
        self.rng = rng
        self.masks = []

    def forward(self, x):
        mask = (self.rng.random(x.shape) >= self.p) / (1 - self.p)
        self.masks.append(mask)
        return x * mask

    def backward(self, d_y):
        mask = self.masks.pop()
        return d_y * mask


# exercise: dropout.twice
# wrong: one mask is kept: the second forward overwrites it
# source: issue of a public repository
class dropout_twice_07:
    def __init__(self, p, rng):
        self.keep = 1 - p
        self.rng = rng

    def forward(self, x):
        self.mask = self.rng.random(x.shape) < self.keep  # <- wrong
        return np.where(self.mask, x / self.keep, 0)

    def backward(self, d_y):
        return np.where(self.mask, d_y / self.keep, 0)
