"""CuPy's own arrays, in this computer's memory: that their shapes, steps and pointers are read as
they are meant needs no card.

Views of such an array are made by CuPy itself; what would be launched is our kernels and products
alone, and those run as in `cuda_on_cpu.py`. Skipped where CuPy is not installed, and where there is
a card, on which `test_gpu.py` does more.
"""

import contextlib
import ctypes
import types

import cuda_on_cpu
import numpy as np
import pytest

from minitransformer.attention import ScaledDotProductAttention
from minitransformer.backend.arrays import gpu_problem
from minitransformer.gpu import accelerated, cublas
from minitransformer.layers import GELU, LayerNorm, Softmax, TanhGELU
from minitransformer.testing.gradient_check import as_tuple

cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
pytestmark = [
    pytest.mark.skipif(cuda_on_cpu.COMPILER is None, reason="there is no C++ compiler"),
    pytest.mark.skipif(gpu_problem() is None, reason="there is a card: see test_gpu.py"),
]
drawn = np.random.default_rng(0).standard_normal


@pytest.fixture(autouse=True)
def computers_memory(monkeypatch):
    monkeypatch.setattr(cupy, "RawKernel", RawKernel)
    monkeypatch.setattr(cupy.cuda, "get_current_stream", lambda: types.SimpleNamespace(ptr=0))
    monkeypatch.setattr(cublas, "load_cublas", lambda xp: cuda_on_cpu.loaded(cuda_on_cpu.CUBLAS))
    with cupy.cuda.using_allocator(allocate):
        yield


def allocate(size):
    memory = np.empty(max(size, 1), dtype=np.uint8)
    return cupy.cuda.MemoryPointer(
        cupy.cuda.UnownedMemory(memory.ctypes.data, size, memory, device_id=0), 0
    )


class RawKernel(cuda_on_cpu.RawKernel):
    def __call__(self, grid, block, arguments):
        super().__call__(
            grid, block, [as_numpys(x) if isinstance(x, cupy.ndarray) else x for x in arguments]
        )


def as_cupys(x):
    """An array of NumPy's, with the same memory layout, as one of CuPy's: a view of what lies in
    order."""
    axes = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    lies = np.ascontiguousarray(x.transpose(axes))
    array = cupy.ndarray(lies.shape, lies.dtype)
    ctypes.memmove(array.data.ptr, lies.ctypes.data, lies.nbytes)
    return array.transpose([axes.index(axis) for axis in range(x.ndim)])


def as_numpys(x):
    """A view by NumPy of the memory of one of CuPy's."""
    size = x.itemsize + sum((n - 1) * step for n, step in zip(x.shape, x.strides))
    memory = (ctypes.c_char * (size if x.size else 0)).from_address(x.data.ptr)
    return np.ndarray(x.shape, x.dtype, memory, strides=x.strides)


def a_layout(x, rng):
    """The same numbers, as CuPy's: in order, or two axes the other way round in memory, or apart
    from each other."""
    way, last = rng.integers(4), x.shape[-1]
    if way == 3:
        return as_cupys(np.concatenate([x, x], axis=-1))[..., :last]
    swapped = (-1, -2) if way == 1 or x.ndim < 3 else (-2, -3)
    return as_cupys(x.swapaxes(*swapped).copy().swapaxes(*swapped) if way else x)


@pytest.mark.parametrize("seed", range(200))
def test_products_of_any_shape_and_layout(seed):
    rng = np.random.default_rng(seed)
    batch, (m, k, n) = tuple(rng.integers(1, 4, rng.integers(0, 4))), rng.integers(1, 6, 3)
    a, b = (
        rng.standard_normal(
            (
                *(
                    size if rng.random() < 0.7 else 1
                    for size in batch[rng.integers(len(batch) + 1) * (rng.random() < 0.3) :]
                ),
                *matrix,
            )
        )
        for matrix in ((m, k), (k, n))
    )
    out = a_layout(np.zeros((a @ b).shape), rng) if seed % 2 else None
    found = cublas.product(a_layout(a, rng), a_layout(b, rng), out)
    np.testing.assert_allclose(as_numpys(found), a @ b, rtol=0, atol=1e-12)


MASKS = [
    None,
    *(
        (np.random.default_rng(1).random(shape) < 0.6)
        for shape in [(3, 1, 1, 9), (1, 1, 5, 9), (1, 4, 5, 9), (3, 4, 5, 9), (3, 1, 5, 1)]
    ),
]


@pytest.mark.parametrize(
    "make, inputs, d_y",
    [
        (kind, [drawn((3, 5, 7))], drawn((3, 5, 7)))
        for kind in (GELU, TanhGELU, Softmax, lambda: LayerNorm(7))
    ]
    + [
        (
            ScaledDotProductAttention,
            [drawn((3, 4, 5, 6)), drawn((3, 4, 9, 6)), drawn((3, 4, 9, 8)), mask],
            drawn((3, 4, 5, 8)),
        )
        for mask in MASKS
    ],
)
def test_forms_for_a_gpu_take_cupys_arrays(make, inputs, d_y):
    found = []
    for device, convert in (
        ("cpu", lambda x: x),
        ("gpu", lambda x: x if x is None else as_cupys(x)),
    ):
        component = make().to("float64")
        for p in component.parameters():
            p.place(convert(p.data + 0.3), convert(p.grad))
            p.zero_grad()
        with accelerated(component) if device == "gpu" else contextlib.nullcontext():
            y = component(*map(convert, inputs))
            arrays = [
                y, *as_tuple(component.backward(convert(d_y))),
                *(p._grad for p in component.parameters()),
            ]
        found.append([as_numpys(x) if isinstance(x, cupy.ndarray) else x for x in arrays])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-12)
