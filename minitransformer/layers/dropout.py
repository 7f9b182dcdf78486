"""Dropout."""

from ..backend import keep_mask, nearest_keep, scaled
from ..boundary import Floats, Generator, Probability, Rng
from ..core.module import Module
from ..errors import InputError


class Dropout(Module):
    """During training, set each element to zero with probability p and scale the others so that the
    mean stays the same.

        y = x ∘ M      M = 1/(1−p) with probability 1−p, else 0

    Backward: d_x = d_y ∘ M, with the same M as in forward. After `eval()`, y = x.

    1−p is rounded to a multiple of 1/65536, in the draw and in the scale alike, so that E[y] = x
    exactly. M is drawn from the generator `rng`. Raises InputError unless 0 ≤ p < 1.

    Shapes: x, y, M (...). Sources: Srivastava et al. 2014; Vaswani et al. 2017, section 5.4.
    """

    def __init__(self, p: Probability, rng: Rng | None):
        if p > 0 and rng is None:
            raise InputError(
                "Dropout draws from a numpy.random.Generator, got None. Pass "
                "numpy.random.default_rng(0), or a seed."
            )
        self.p = p
        self.rng = rng

    def forward(self, x: Floats) -> Floats:
        if self.p == 0 or not self.training:
            self.save(None)
            return x
        keep = nearest_keep(1 - self.p)
        kept = keep_mask(self.rng, keep, like=x)                         # one byte for each element
        self.save(kept)
        return scaled(x * kept, 1 / keep)

    def backward(self, d_y: Floats) -> Floats:
        kept = self.saved()
        return d_y if kept is None else scaled(d_y * kept, 1 / nearest_keep(1 - self.p))

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(0.3, rng), rng.standard_normal((3, 5, 11))
