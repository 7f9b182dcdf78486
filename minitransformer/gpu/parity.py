"""How far a GPU's numbers are from the CPU's, component by component."""

import contextlib

import numpy as np

from ..backend import as_numpy, move
from ..layers import Dropout
from ..testing.gradient_check import as_tuple, away_from_initialisation, is_float
from .accelerated import accelerated


def passed_through(component, dtype, device, inside=contextlib.nullcontext):
    """(outputs, gradients of the inputs, gradients of the parameters): lists of NumPy arrays, from
    the component's example.

    Away from initialisation, without dropout, whose masks differ. It computes in the block
    `inside(component)`; what that yields comes last.
    """
    rng = np.random.default_rng(3)
    made, *inputs = component.example(rng)
    for _, module in made.named_modules():
        vars(module).update({"p": 0} if isinstance(module, Dropout) else {})
    away_from_initialisation(made.to(dtype), rng).to(device)
    inputs = [there(x.astype(dtype) if is_float(x) else x, device) for x in inputs]
    with inside(made) as seen:
        y = made(*inputs)
        outputs = as_tuple(y)
        d_y = [
            there(
                np.asarray(np.random.default_rng(n).standard_normal(o.shape), dtype=dtype), device
            )
            for n, o in enumerate(outputs)
        ]
        d_x = made.backward(*d_y)
    found = outputs, as_tuple(d_x), [p.grad for p in made.parameters()]
    return *([as_numpy(x) for x in arrays if x is not None] for arrays in found), seen


def there(x, device):
    """x on the device, with all arrays in it if it is a list or a tuple."""
    if isinstance(x, (list, tuple)):
        return type(x)(there(item, device) for item in x)
    return move(x, device) if isinstance(x, np.ndarray) else x


def deviation(component, dtype, by_kernels=False):
    """The largest difference between GPU and CPU in anything that passes through, as a share of the
    largest number or of 1."""
    expected = passed_through(component, dtype, "cpu")[:3]
    found = passed_through(
        component, dtype, "gpu", accelerated if by_kernels else contextlib.nullcontext
    )[:3]
    pairs = [pair for a, b in zip(found, expected) for pair in zip(a, b, strict=True)]
    return max(distance(a, b) for a, b in pairs)


def distance(a, b):
    """max |a − b| / max(1, max |b|), where −∞ equals −∞ and is no measure of size."""
    apart = np.subtract(a, b, where=a != b, out=np.zeros_like(b))
    return float(np.abs(apart).max(initial=0) / max(1.0, np.abs(b[np.isfinite(b)]).max(initial=0)))
