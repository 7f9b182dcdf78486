"""Causal dilated convolution over time."""

from typing import Annotated

from ..backend import array_module
from ..boundary import Count, Floats, Generator, Mask, Rng
from ..core.module import Module
from ..layers.cache import Cache
from ..layers.linear import Linear
from .sliding_window import SlidingWindow


class CausalConvolution(Module):
    """Map each position and the w − 1 before it, δ apart, to new features, the same way at every
    position.

        y_t = Σ_j x_{t − (w − 1 − j)δ} W_j + b      x = 0 before the beginning

    A window, and one affine map of its contents: W is (w·D, E), with the W_j one below the other.
    Backward goes back through both, so d_x is a sum over the windows that contain a position, and
    d_W = Σ_t windowᵀ d_y_t.

    The future is invisible. With layers of dilation 1, w, w², … each layer multiplies the number of
    visible positions by w. `mask` (B, T), True = real, sets padding to zero, like the positions
    before the beginning. With a `Cache`, which is for decoding, x holds new positions only, and the
    earlier ones are taken from the cache. Raises InputError for another mask or width.

    Shapes: x (B, T, D), y (B, T, E). Sources: van den Oord et al. 2016, section 2.1; Kalchbrenner
    et al. 2016, section 3 (ByteNet), the "dilated convolutions" of Vaswani et al. 2017, section 4.
    """

    def __init__(
        self, in_features: Annotated[Count, "D"], out_features: Annotated[Count, "E"], width: Count,
        rng: Rng, dilation: Count = 1,
    ):
        self.window = SlidingWindow(width, dilation)
        self.linear = Linear(width * in_features, out_features, rng)

    def forward(
        self, x: Annotated[Floats, "B, T, D"], mask: Annotated[Mask, "B, T"] | None = None,
        cache: "Cache | None" = None,
    ) -> Floats:
        self.save(mask)
        seen = only_real(x, mask)
        if cache is not None:
            (seen,) = cache.extend(seen)
            # no window begins earlier
            seen = seen[..., -(x.shape[-2] + max(self.window.delays())) :, :]
        windows = self.window(seen)[..., -x.shape[-2] :, :, :]           # (B, T, w, D)
        joined = windows.reshape(*x.shape[:-1], windows.shape[-2] * windows.shape[-1])
        return self.linear(joined)                                       # (B, T, E)

    def backward(self, d_y: Floats) -> Floats:
        d_windows = self.linear.backward(d_y)                            # (B, T, w·D)
        width = self.window.width
        d_x = self.window.backward(
            d_windows.reshape(*d_y.shape[:-1], width, d_windows.shape[-1] // width)
        )
        mask = self.saved()
        return only_real(d_x, mask)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        real = rng.random((2, 7)) < 0.8
        return cls(5, 11, 3, rng, dilation=2), rng.standard_normal((2, 7, 5)), real


def only_real(x, mask):
    """x (B, T, D) with zeros where the mask (B, T) is False."""
    return x if mask is None else array_module(x).where(mask[..., None], x, 0)
