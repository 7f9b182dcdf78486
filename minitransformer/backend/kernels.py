"""Kernels: functions of CUDA that CuPy compiles for the card, for what would else be many operations one after the other."""

import functools

import numpy as np

from ..errors import InputError
from .arrays import array_module, on_host

LANES = 32  # the threads of a warp, which can hand each other numbers
BLOCK = 128  # threads that are started together
FLOATS = {"f": "float", "d": "double"}  # by the dtype's `char`


class Kernel:
    """A function of CUDA C++ on arrays of float32 or float64.

    `body` is what is done for number i of `count`. With `lanes=1` that is a thread's work, an element say. With 32 a warp
    shares it, a row say: each of its threads, `lane` = 0 … 31, takes every 32nd number, and `sum_of_lanes` and
    `largest_of_lanes` give all of them what the 32 have found. T is the float type.

    `kernel(count, *arguments)` in the order of `parameters`: arrays, C-contiguous, of whose floats all have T; numbers (T or
    long long); None (no array, a null pointer). Raises InputError for floats of several dtypes, or of another than those
    two, and ValueError for an array that is not contiguous.

    Source: NVIDIA, CUDA C++ Programming Guide, sections "SIMT Architecture" and "Warp Shuffle Functions".
    """

    def __init__(self, name, parameters, body, lanes=LANES):
        self.name, self.lanes = name, lanes
        self.takes_float = [parameter.split()[-2] == "T" for parameter in parameters.split(",")]
        head, start = (SHARED, START + START_SHARED) if lanes > 1 else ("", START)
        self.code = f'{head}extern "C" __global__ void {name}({parameters}, long long count) {{{start}{body}}}\n'

    def __call__(self, count, *arguments):
        arrays = [x for x in arguments if is_array(x)]
        dtype = self.one_dtype(arrays)
        blocks = -(-count * self.lanes // BLOCK)
        if blocks:
            passed = (argument(x, dtype.type if is_float else np.int64) for x, is_float in zip(arguments, self.takes_float, strict=True))
            self.compiled(array_module(arrays[0]), dtype.char)((blocks,), (BLOCK,), (*passed, np.int64(count)))

    def one_dtype(self, arrays):
        """The dtype of all floats. A kernel would read another one's memory as if it were its own."""
        dtypes = {x.dtype for x in arrays if x.dtype.kind == "f"}
        if len(dtypes) != 1 or next(iter(dtypes)).char not in FLOATS:
            names = " and ".join(sorted(map(str, dtypes)))
            raise InputError(f"On a GPU, {self.name} takes floats of one dtype, float32 or float64, not {names}. Use model.to(...) or x.astype(...).")
        return dtypes.pop()

    @functools.cache  # noqa: B019 - kernels live as long as the program
    def compiled(self, xp, char):
        return xp.RawKernel(self.text(char), self.name)

    def text(self, char):
        """All of it, as the compiler gets it."""
        return f"typedef {FLOATS[char]} T;\n#define LANES {self.lanes}\n{self.code}"


def argument(value, number):
    """What CuPy is given for it: a number of the type that the kernel expects, an array, or a null pointer."""
    if value is None:
        return np.uint64(0)
    if not is_array(value):
        return number(value)
    if not value.flags.c_contiguous:
        raise ValueError(f"a kernel walks through memory in order, and an array of shape {value.shape} does not lie so")
    return value


def in_order(x, shape):
    """x as a kernel walks through it: repeated to this shape where it broadcasts, C-contiguous.

    Raises ValueError where it does not broadcast: a kernel would read beyond its end.
    """
    xp = array_module(x)
    return xp.ascontiguousarray(x if x.shape == shape else xp.broadcast_to(x, shape))


def is_array(x):
    return hasattr(x, "flags") and not isinstance(x, np.generic)


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
