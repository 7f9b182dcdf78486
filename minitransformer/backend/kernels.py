"""Kernels: functions of CUDA that CuPy compiles for the card, for what would else be many operations one after the other."""

import functools

import numpy as np

from .arrays import array_module, on_host

LANES = 32  # the threads of a warp, which can hand each other numbers
BLOCK = 128  # threads that are started together


class Kernel:
    """A function of CUDA C++ on arrays of float32 or float64.

    `body` is what is done for number i of `count`. With `lanes=1` that is a thread's work, an element say. With 32 a warp
    shares it, a row say: each of its threads, `lane` = 0 … 31, takes every 32nd number, and `sum_of_lanes` and
    `largest_of_lanes` give all of them what the 32 have found. T is the float type.

    `kernel(count, *arguments)` in the order of `parameters`: arrays, C-contiguous, of whose floats all have T; integers
    (long long); floats (T); None (no array, a null pointer). Raises ValueError for an array that is not contiguous.

    Source: NVIDIA, CUDA C++ Programming Guide, sections "SIMT Architecture" and "Warp Shuffle Functions".
    """

    def __init__(self, name, parameters, body, lanes=LANES):
        self.name, self.lanes = name, lanes
        head, start = (SHARED, START + START_SHARED) if lanes > 1 else ("", START)
        self.code = f'{head}extern "C" __global__ void {name}({parameters}, long long count) {{{start}{body}}}\n'

    def __call__(self, count, *arguments):
        floats = next(a for a in arguments if getattr(a, "ndim", 0) > 0 and a.dtype.kind == "f")
        compiled = self.compiled(array_module(floats), str(floats.dtype))
        blocks = -(-count * self.lanes // BLOCK)
        if blocks:
            compiled((blocks,), (BLOCK,), (*(argument(a, floats.dtype) for a in arguments), np.int64(count)))

    @functools.cache  # noqa: B019 - kernels live as long as the program
    def compiled(self, xp, dtype):
        return xp.RawKernel(self.text(dtype), self.name)

    def text(self, dtype):
        """All of it, as the compiler gets it."""
        kind = {"float32": "float", "float64": "double"}[dtype]
        return f"typedef {kind} T;\n#define LANES {self.lanes}\n{self.code}"


def argument(value, dtype):
    """What CuPy is given for it: every number of the type that the kernel expects."""
    if value is None:
        return np.uint64(0)
    if isinstance(value, (int, np.integer)):
        return np.int64(value)
    if isinstance(value, (float, np.floating)):
        return dtype.type(value)
    if not value.flags.c_contiguous:
        raise ValueError(f"a kernel walks through memory in order, and an array of shape {value.shape} does not lie so")
    return value


def compiles(x):
    """Whether kernels can be compiled for the library of x. CuPy's can; the stand-in of the tests needs a C++ compiler."""
    return not on_host(x) and hasattr(array_module(x), "RawKernel")


SHARED = """
__device__ T sum_of_lanes(T x) {
    for (int distance = LANES / 2; distance; distance /= 2) x += __shfl_xor_sync(0xffffffffu, x, distance);
    return x;
}
__device__ T largest_of_lanes(T x) {
    for (int distance = LANES / 2; distance; distance /= 2) x = max(x, __shfl_xor_sync(0xffffffffu, x, distance));
    return x;
}
"""
START = """
    const long long thread = blockIdx.x * (long long) blockDim.x + threadIdx.x, i = thread / LANES;
    if (i >= count) return;
"""
START_SHARED = """
    const int lane = thread % LANES;
"""
