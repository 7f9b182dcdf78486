"""A parameter and its gradient, and the flat arrays that hold all of them."""

import math
from collections.abc import Callable

import numpy as np

from ..backend import array_module
from ..boundary import Count, Floats, Natural, NonNegative, Rng, checked
from ..errors import InputError

MOST = 2**40  # numbers in a table: 4 TiB


class Parameter:
    """A trainable array, `data`, and the gradient that `backward` adds to, `grad`, of the same
    shape.

    Both are written to, never replaced: assigning to either copies into the array that is there. (A
    loop that says `p.data = p.data - lr * p.grad` therefore trains, and an optimizer's view of the
    memory stays true.)
    """

    # since zero_grad() nobody has looked at the gradient, so the zeros are not yet written
    _not_yet_cleared = False

    @checked
    def __init__(self, data: Floats):
        self._data = data
        self._grad = array_module(data).zeros_like(data)

    @classmethod
    @checked
    def zeros(cls, *shape: Natural) -> "Parameter":
        return cls(np.zeros(possible(shape), dtype=np.float32))

    @classmethod
    @checked
    def ones(cls, *shape: Natural) -> "Parameter":
        return cls(np.ones(possible(shape), dtype=np.float32))

    @classmethod
    @checked
    def normal(cls, rng: Rng, *shape: Natural, std: NonNegative) -> "Parameter":
        """Entries from N(0, std²)."""
        # a seed has become a generator
        drawn = std * rng.standard_normal(possible(shape))  # type: ignore[union-attr]
        return cls(drawn.astype(np.float32))

    @classmethod
    @checked
    def xavier_uniform(cls, rng: Rng, fan_in: Count, fan_out: Count) -> "Parameter":
        """Entries from U(−a, a), a = √(6 / (fan_in + fan_out)), shape (fan_in, fan_out). Glorot &
        Bengio 2010, eq. 16."""
        shape = possible((fan_in, fan_out))
        a = (6.0 / (fan_in + fan_out)) ** 0.5
        drawn = rng.uniform(-a, a, size=shape)  # type: ignore[union-attr]
        return cls(drawn.astype(np.float32))

    @property
    def data(self) -> np.ndarray:
        return self._data

    @data.setter
    def data(self, value: np.ndarray) -> None:
        _write(self._data, value)

    @property
    def grad(self) -> np.ndarray:
        if self._not_yet_cleared:
            self._grad.fill(0)
            self._not_yet_cleared = False
        return self._grad

    @grad.setter
    def grad(self, value: np.ndarray) -> None:
        _write(self.grad, value)

    def zero_grad(self) -> None:
        """Set the gradient to zero. The zeros are written when somebody looks, or never, if
        `accumulate` comes first."""
        self._not_yet_cleared = True

    def mark_written(self) -> None:
        """The gradient in memory is the gradient: nothing is left to clear."""
        self._not_yet_cleared = False

    def accumulate(self, product: Callable, *inputs: np.ndarray) -> None:
        """grad += product(*inputs). The first after `zero_grad` writes its result straight into the
        gradient's memory."""
        if self._not_yet_cleared:
            product(*inputs, out=self._grad)
            self._not_yet_cleared = False
        else:
            self._grad += product(*inputs)

    def __array_ufunc__(self, *operands, **options):
        raise InputError(
            f"{self!r} is no array: its array is .data. For example, write x * self.weight.data, "
            "not x * self.weight."
        )

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def size(self) -> int:
        return self._data.size

    def place(self, data: np.ndarray, grad: np.ndarray) -> None:
        """Use these arrays as `data` and `grad` from now on: after a move into a flat buffer, to a
        dtype or to a device."""
        self._data, self._grad = data, grad

    def __repr__(self):
        return f"Parameter{self.shape}"


def possible(shape):
    """The shape of a table. Raises InputError for one of more numbers than any machine's memory
    holds."""
    if (size := math.prod(shape)) >= MOST:
        raise InputError(
            f"A table of shape {shape} has {size:.1e} numbers, which no memory holds; at most "
            f"{MOST:.1e} are tried. Choose smaller sizes."
        )
    return shape


def _write(array, value):
    if value is array:  # `p.grad += x` arrives here after its work is done
        return
    shape = getattr(value, "shape", ())
    if shape != array.shape:
        raise InputError(
            f"A parameter has shape {array.shape}, so a value of shape {shape} cannot be assigned "
            "to it. Assign one of the same shape."
        )
    array[...] = value


class FlatBuffers:
    """All parameters of a module side by side in one array, and all gradients in another, both of
    shape (P,).

    Every `Parameter.data` and `.grad` becomes a view into them, so that an optimizer step, a norm
    or a zeroing is a few passes over contiguous memory. Parameters keep the order in which the
    components define them: query, key and value weights lie side by side.
    """

    def __init__(self, parameters: list[Parameter]):
        first = parameters[0].data
        xp = array_module(first)
        dtypes = {str(p.data.dtype) for p in parameters}
        if len(dtypes) > 1:
            raise InputError(
                f"The parameters mix {' and '.join(sorted(dtypes))}; use model.to('float32') to "
                "make them one."
            )
        total = sum(p.size for p in parameters)
        self.parameters = parameters
        self.live_in(xp.empty(total, dtype=first.dtype), xp.empty(total, dtype=first.dtype))

    def live_in(self, data: np.ndarray, grad: np.ndarray) -> None:
        """Move all parameters and gradients, with their values, into these two arrays (P,)."""
        start = 0
        for p in self.parameters:
            views = [flat[start : start + p.size].reshape(p.shape) for flat in (data, grad)]
            views[0][...], views[1][...] = p.data, p.grad
            p.place(*views)
            start += p.size
        self.data, self._grad = data, grad

    @property
    def grad(self) -> np.ndarray:
        for p in self.parameters:
            p.grad  # noqa: B018 - looking at it writes the zeros, if it is not yet cleared
        return self._grad

    def zero_grad(self) -> None:
        for p in self.parameters:
            p.zero_grad()

    def mark_written(self) -> None:
        """No gradient is left to clear: all have been written, in a way that the parameters do not
        know of."""
        for p in self.parameters:
            p.mark_written()

    def intact(self) -> bool:
        """Whether all the parameters still live here; `to()`, or flattening a part of the model,
        moves them away."""
        return all(p.data.base is self.data for p in self.parameters)
