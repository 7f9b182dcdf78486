"""Learning rates as functions of the step t = 1, 2, …: hand one to an optimizer as its
learning_rate."""

import math

from ..boundary import Count, Natural, NonNegative, Positive, checked
from ..errors import InputError


class Constant:
    """η(t) = peak, after a linear warm-up over the first `warmup` steps."""

    @checked
    def __init__(self, peak: NonNegative, warmup: Natural = 0):
        self.peak, self.warmup = peak, warmup

    def __call__(self, t: int) -> float:
        return self.peak * min(1.0, t / self.warmup if self.warmup else 1.0)


class Noam:
    """The paper's schedule: linear warm-up, then decay with the inverse root of the step.

        η(t) = factor · D^(−½) · min(t^(−½), t · warmup^(−3/2))

    The peak, at t = warmup, is factor / √(D · warmup). Source: Vaswani et al. 2017, eq. 3.
    """

    @checked
    def __init__(self, features: Count, warmup: Count = 4000, factor: Positive = 1.0):
        self.features, self.warmup, self.factor = features, warmup, factor

    def __call__(self, t: int) -> float:
        return self.factor * self.features**-0.5 * min(max(t, 1) ** -0.5, t * self.warmup**-1.5)


class Cosine:
    """Linear warm-up to `peak`, then half a cosine down to `floor` at step `total`, and `floor`
    from there on.

        η(t) = floor + (peak − floor) (1 + cos(π (t − warmup) / (total − warmup))) / 2

    Source: Loshchilov & Hutter 2017, eq. 5.
    """

    @checked
    def __init__(
        self, peak: NonNegative, total: Count, warmup: Natural = 0, floor: NonNegative = 0.0
    ):
        if warmup >= total:
            raise InputError(
                f"A warm-up of {warmup} steps does not fit into a cosine schedule of {total} steps."
            )
        self.peak, self.total, self.warmup, self.floor = peak, total, warmup, floor

    def __call__(self, t: int) -> float:
        if t < self.warmup:
            return self.peak * t / self.warmup
        progress = min(1.0, (t - self.warmup) / (self.total - self.warmup))
        return self.floor + (self.peak - self.floor) * (1 + math.cos(math.pi * progress)) / 2
