"""Wrong components of many kinds, each with the inputs that `check_component` is given.

`RIGHT` are the components that they are made from, as a learner writes them: without type hints,
in plain NumPy.
"""

import numpy as np

from minitransformer.core import Module
from minitransformer.core.module import Parameter, saving

WRONG, RIGHT = [], []


def normal(*shape):
    return np.random.default_rng(3).standard_normal(shape)


X = normal(3, 5, 4)
MASK = np.ones((3, 5), dtype=bool)
MASK[1, 3:] = MASK[2, 1:] = False
TIED = X.copy()
TIED[0, 0, 1] = TIED[0, 0, 2] = TIED[0, 0].max() + 1
ZERO = X.copy()
ZERO[0, 0, 0] = 0


def right(*inputs):
    def add(cls):
        cls.inputs = inputs
        RIGHT.append(cls)
        return cls

    return add


def wrong(cls):
    WRONG.append(cls)
    return cls


def on(*inputs):
    """A wrong component that only these inputs show to be wrong."""

    def add(cls):
        cls.inputs = inputs
        return wrong(cls)

    return add


@right(X)
class Affine(Module):
    def __init__(self):
        self.w, self.b = Parameter(normal(4, 4)), Parameter(normal(4))

    def forward(self, x):
        self.save(x)
        return x @ self.w.data + self.b.data

    def backward(self, d_y):
        return self.undone(self.saved(), d_y)

    def undone(self, x, d_y):
        self.w.grad += self.of_w(x, d_y)
        self.b.grad += self.of_b(d_y)
        return self.of_x(x, d_y)

    def of_w(self, x, d_y):
        return x.reshape(-1, 4).T @ d_y.reshape(-1, 4)

    def of_b(self, d_y):
        return d_y.reshape(-1, 4).sum(axis=0)

    def of_x(self, x, d_y):
        return d_y @ self.w.data.T


# -- a gradient is wrong, everywhere or in one place -----------------------------------------------


@wrong
class NoBias(Affine):
    def of_b(self, d_y):
        return 0


@wrong
class SignOfTheBias(Affine):
    def of_b(self, d_y):
        return -super().of_b(d_y)


@wrong
class OneEntryOfTheBias(Affine):
    def of_b(self, d_y):
        return super().of_b(d_y) * np.array([1, 1, 1, 0.99], dtype=d_y.dtype)


@wrong
class OneEntryOfTheWeight(Affine):
    def of_w(self, x, d_y):
        d_w = super().of_w(x, d_y)
        d_w[2, 1] *= 1.001
        return d_w


@wrong
class OneEntryOfX(Affine):
    def of_x(self, x, d_y):
        d_x = super().of_x(x, d_y)
        d_x[..., -1, 0] *= 1.0001
        return d_x


@wrong
class MeanOverTheBatch(Affine):
    def of_w(self, x, d_y):
        return super().of_w(x, d_y) / max(len(x), 1)


@wrong
class MeanOverPositions(Affine):
    def of_b(self, d_y):
        return super().of_b(d_y) / d_y.shape[-2]


@wrong
class FirstOfTheBatch(Affine):
    def of_w(self, x, d_y):
        return super().of_w(x[:1], d_y[:1])


@wrong
class NotTransposed(Affine):
    def of_x(self, x, d_y):
        return d_y @ self.w.data


@wrong
class IgnoresDy(Affine):
    def of_x(self, x, d_y):
        return np.broadcast_to(self.w.data.sum(axis=1), d_y.shape).copy()


@wrong
class AThousandth(Affine):
    def of_x(self, x, d_y):
        return super().of_x(x, d_y) * 1.00001


@wrong
class HalfPrecisionInside(Affine):
    def of_x(self, x, d_y):
        return super().of_x(x, d_y).astype(np.float16).astype(d_y.dtype)


@wrong
class Random(Affine):
    def of_x(self, x, d_y):
        noise = np.random.default_rng().standard_normal(d_y.shape)
        return super().of_x(x, d_y) * (1 + 1e-4 * noise).astype(d_y.dtype)


# -- how gradients are added -----------------------------------------------------------------------


@wrong
class AddsTwice(Affine):
    def undone(self, x, d_y):
        self.b.grad += self.of_b(d_y)
        return super().undone(x, d_y)


@wrong
class SetsTheWeight(Affine):
    def undone(self, x, d_y):
        self.w.zero_grad()
        return super().undone(x, d_y)


@wrong
class SetsTheBias(Affine):
    def undone(self, x, d_y):
        self.b.grad[...] = 0
        return super().undone(x, d_y)


@wrong
class AddsWhatIsThere(Affine):
    def undone(self, x, d_y):
        self.b.grad += 1e-3 * self.b.grad
        return super().undone(x, d_y)


@wrong
class HidesAParameter(Affine):
    def __init__(self):
        super().__init__()
        self._factor = Parameter(normal(4))

    def forward(self, x):
        return super().forward(x * self._factor.data.astype(x.dtype))

    def of_x(self, x, d_y):
        return super().of_x(x, d_y) * self._factor.data.astype(d_y.dtype)


# -- only in one dtype, or one mode ----------------------------------------------------------------


@wrong
class OutputInFloat32(Affine):
    def forward(self, x):
        return super().forward(x) + x.dtype.type(1e-3 * (x.dtype == np.float32))


@wrong
class WeightInFloat32(Affine):
    def of_w(self, x, d_y):
        return super().of_w(x, d_y) * (0.9 if d_y.dtype == np.float32 else 1)


@wrong
class BiasInFloat32(Affine):
    def of_b(self, d_y):
        return super().of_b(d_y) * (1.001 if d_y.dtype == np.float32 else 1)


@wrong
class XInFloat32(Affine):
    def of_x(self, x, d_y):
        return super().of_x(x, d_y) * (1.001 if d_y.dtype == np.float32 else 1)


@wrong
class XInFloat32InTraining(Affine):
    def of_x(self, x, d_y):
        narrow = d_y.dtype == np.float32 and self.training
        return super().of_x(x, d_y) * (1.001 if narrow else 1)


@wrong
class XInEval(Affine):
    def of_x(self, x, d_y):
        return super().of_x(x, d_y) * (1 if self.training else 2)


@wrong
class WeightInEval(Affine):
    def of_w(self, x, d_y):
        return super().of_w(x, d_y) * (1 if self.training else 1.001)


@wrong
class OutputInEval(Affine):
    def forward(self, x):
        return super().forward(x) * (1 if self.training else 1.5)


@wrong
class XInTraining(Affine):
    def of_x(self, x, d_y):
        return super().of_x(x, d_y) * (2 if self.training else 1)


@wrong
class OutputInNoGrad(Affine):
    def forward(self, x):
        return super().forward(x) * (1 if saving() else 1.001)


@wrong
class WidensTheGradient(Affine):
    def of_x(self, x, d_y):
        return super().of_x(x, d_y).astype(np.float64)


@wrong
class NarrowsTheGradient(Affine):
    def of_x(self, x, d_y):
        return super().of_x(x, d_y).astype(np.float32)


# -- only for some sizes or values -----------------------------------------------------------------


@wrong
class BatchOfOne(Affine):
    def of_x(self, x, d_y):
        return super().of_x(x, d_y) * (2 if len(x) == 1 else 1)


@wrong
class BatchOfFour(Affine):
    def of_w(self, x, d_y):
        return super().of_w(x[:3], d_y[:3])


@wrong
class LengthOfOne(Affine):
    def of_b(self, d_y):
        return super().of_b(d_y) * (2 if d_y.shape[1] == 1 else 1)


@wrong
class LengthOfSix(Affine):
    def of_x(self, x, d_y):
        return super().of_x(x, d_y) * (np.arange(x.shape[1]) < 5)[:, None]


@wrong
class LargeX(Affine):
    def of_x(self, x, d_y):
        return np.where(abs(x) > 5, 0, super().of_x(x, d_y))


@wrong
class NegativeX(Affine):
    def of_x(self, x, d_y):
        return np.where(x < 0, 0, super().of_x(x, d_y))


# -- arrays that are changed, or used again; state -------------------------------------------------


@wrong
class ChangesX(Affine):
    def forward(self, x):
        x *= 1.5
        return super().forward(x)


@wrong
class ChangesXInBackward(Affine):
    def of_x(self, x, d_y):
        x *= 0
        return super().of_x(x, d_y)


@wrong
class ChangesDy(Affine):
    def of_x(self, x, d_y):
        d_x = super().of_x(x, d_y)
        d_y[...] = 0
        return d_x


@wrong
class ChangesTheWeight(Affine):
    def of_x(self, x, d_y):
        d_x = super().of_x(x, d_y)
        self.w.data -= 1e-9 * self.w.grad
        return d_x


class Buffers(Affine):
    def buffer(self, like):
        buffers = self.__dict__.setdefault("_buffers", {})
        return buffers.setdefault((like.shape, like.dtype), np.empty_like(like))


@wrong
class OutputAgain(Buffers):
    def forward(self, x):
        self.save(x)
        return np.add(x @ self.w.data, self.b.data, out=self.buffer(x))


@wrong
class OutputAgainInNoGrad(Buffers):
    def forward(self, x):
        self.save(x)
        buffer = None if saving() else self.buffer(x)
        return np.add(x @ self.w.data, self.b.data, out=buffer)


@wrong
class GradientAgain(Buffers):
    def of_x(self, x, d_y):
        return np.matmul(d_y, self.w.data.T, out=self.buffer(d_y))


@wrong
class GradientInItsOutput(Affine):
    """d_x is written where y was."""

    def forward(self, x):
        self._y = super().forward(x)
        return self._y

    def of_x(self, x, d_y):
        return np.matmul(d_y, self.w.data.T, out=self._y)


@wrong
class LatestX(Affine):
    def forward(self, x):
        self._x = x
        return super().forward(x)

    def of_w(self, x, d_y):
        return super().of_w(self._x, d_y)


@wrong
class FirstX(Affine):
    """What the first call saw is used for all."""

    def forward(self, x):
        self._shift = self.__dict__.get("_shift", x.mean())
        self.save(x)
        return (x - self._shift) @ self.w.data + self.b.data

    def of_w(self, x, d_y):
        return super().of_w(x - self._shift, d_y)


@wrong
class SharedByAll(Affine):
    latest = {}

    def forward(self, x):
        self.latest["x"] = x
        return super().forward(x)

    def of_w(self, x, d_y):
        return super().of_w(self.latest["x"], d_y)


@wrong
class SecondCall(Affine):
    _calls = 0

    def of_x(self, x, d_y):
        self._calls += 1
        return super().of_x(x, d_y) * (1 if self._calls < 2 else 1.5)


# -- masks, several inputs, several outputs --------------------------------------------------------


@right(X, MASK)
class MaskedMean(Module):
    def forward(self, x, mask):
        share = mask / np.maximum(mask.sum(axis=1, keepdims=True), 1)
        self.save(x, mask, share.astype(x.dtype))
        return np.einsum("bt,btd->bd", share.astype(x.dtype), x)

    def backward(self, d_y):
        x, mask, share = self.saved()
        return self.shared(x, mask, share)[..., None] * d_y[:, None]

    def shared(self, x, mask, share):
        return share


@wrong
class MaskForgottenInBackward(MaskedMean):
    def shared(self, x, mask, share):
        return np.broadcast_to(share.max(axis=1, keepdims=True), mask.shape)


@wrong
class MaskTheOtherWayRound(MaskedMean):
    def shared(self, x, mask, share):
        return share.max(axis=1, keepdims=True) * ~mask


@wrong
class PaddingIsCounted(MaskedMean):
    def shared(self, x, mask, share):
        return (mask / np.maximum(mask.shape[1], 1)).astype(share.dtype)


@wrong
class OnlyWithPadding(MaskedMean):
    def shared(self, x, mask, share):
        return share if mask.all() else share * np.where(share == 1, 1.01, 1).astype(share.dtype)


@right(X, normal(3, 5, 4)[::-1].copy())
class Product(Module):
    def forward(self, a, b):
        self.save(a, b)
        return a * b

    def backward(self, d_y):
        a, b = self.saved()
        return d_y * b, d_y * a


@wrong
class Swapped(Product):
    def backward(self, d_y):
        return super().backward(d_y)[::-1]


@wrong
class OneOfTwo(Product):
    def backward(self, d_y):
        return super().backward(d_y)[0]


@wrong
class TheSameTwice(Product):
    def backward(self, d_y):
        d_a, _ = super().backward(d_y)
        return d_a, d_a


@right(X)
class TwoOutputs(Module):
    def __init__(self):
        self.a = Parameter(normal(4))

    def forward(self, x):
        self.save(x)
        return x * self.a.data, x * x

    def backward(self, d_y, d_z):
        x = self.saved()
        self.a.grad += (d_y * x).reshape(-1, 4).sum(axis=0)
        return d_y * self.a.data + self.of_square(x, d_z)

    def of_square(self, x, d_z):
        return 2 * x * d_z


@wrong
class SecondOutputForgotten(TwoOutputs):
    def of_square(self, x, d_z):
        return np.zeros_like(x)


@wrong
class HalfOfTheSecondOutput(TwoOutputs):
    def of_square(self, x, d_z):
        return x * d_z


@right(X)
class Positions(Module):
    """A table of one length. NumPy would repeat an input of length 1, and x has another length."""

    def __init__(self):
        self.p = Parameter(normal(5, 4))

    def forward(self, x):
        self.save()
        return x + self.p.data

    def backward(self, d_y):
        self.saved()
        self.p.grad += d_y.sum(axis=0)
        return d_y


@right(X)
class OverTheBatch(Module):
    """Each number in units of the batch's deviation, over n − 1: NaN for a batch of one."""

    def forward(self, x):
        with np.errstate(all="ignore"):
            centred = x - x.sum(axis=0) / len(x)
            sigma = np.sqrt((centred * centred).sum(axis=0) / (len(x) - 1))
            y = x / sigma
        self.save(x, centred, sigma)
        return y

    def backward(self, d_y):
        x, centred, sigma = self.saved()
        return d_y / sigma - centred * (d_y * x).sum(axis=0) / ((len(x) - 1) * sigma**3)


# -- where the function has a kink, or something is zero -------------------------------------------


@right(X)
class Largest(Module):
    def forward(self, x):
        self.save(x)
        return x.max(axis=-1)

    def backward(self, d_y):
        x = self.saved()
        return (x == x.max(axis=-1, keepdims=True)) * d_y[..., None]


@on(TIED)
class TiesAllGetIt(Largest):
    pass


@right(X)
class Relu(Module):
    def forward(self, x):
        self.save(x)
        return np.maximum(x, 0)

    def backward(self, d_y):
        return d_y * (self.saved() > 0)


@on(ZERO)
class ReluAtZero(Relu):
    def backward(self, d_y):
        return d_y * (self.saved() >= 0)


@right(ZERO)
class Square(Module):
    def forward(self, x):
        self.save(x)
        return x * x

    def backward(self, d_y):
        return 2 * self.saved() * d_y


@wrong
class DividesByX(Square):
    def backward(self, d_y):
        x = self.saved()
        with np.errstate(all="ignore"):
            return 2 * (x * x) / x * d_y


@right(X)
class Norm(Module):
    """LayerNorm, with the features of `features`."""

    def __init__(self, features=4):
        self.gamma, self.beta = Parameter(np.ones(features)), Parameter(np.zeros(features))

    def forward(self, x):
        sigma = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
        x_hat = (x - x.mean(axis=-1, keepdims=True)) / sigma
        self.save(x_hat, sigma)
        return self.gamma.data * x_hat + self.beta.data

    def backward(self, d_y):
        x_hat, sigma = self.saved()
        axes = tuple(range(d_y.ndim - 1))
        self.gamma.grad += (d_y * x_hat).sum(axis=axes)
        self.beta.grad += d_y.sum(axis=axes)
        return self.of_x(x_hat, sigma, d_y)

    def of_x(self, x_hat, sigma, d_y):
        return self.centred(x_hat, self.gamma.data * d_y) / sigma

    def centred(self, x_hat, d):
        return d - mean(d) - x_hat * mean(d * x_hat)


def mean(x):
    return x.mean(axis=-1, keepdims=True)


@wrong
class GammaOutside(Norm):
    def of_x(self, x_hat, sigma, d_y):
        return self.gamma.data * self.centred(x_hat, d_y) / sigma


@wrong
class SigmaIsConstant(Norm):
    def centred(self, x_hat, d):
        return d - mean(d)


@right(X)
class Drop(Module):
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def forward(self, x):
        kept = self.drawn(x)
        self.save(kept)
        return x * kept

    def drawn(self, x):
        if not self.training:
            return np.ones_like(x)
        return (self.rng.random(x.shape, dtype=x.dtype) < 0.5) * x.dtype.type(2)

    def backward(self, d_y):
        return d_y * self.saved()


@wrong
class DrawsAgain(Drop):
    def backward(self, d_y):
        self.saved()
        return d_y * self.drawn(d_y)


@wrong
class DropsInEval(Drop):
    def drawn(self, x):
        return (self.rng.random(x.shape, dtype=x.dtype) < 0.5) * x.dtype.type(2)


@wrong
class HalvesInEval(Drop):
    def backward(self, d_y):
        return super().backward(d_y) * (1 if self.training else 0.5)
