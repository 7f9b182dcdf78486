"""Kernels: functions of CUDA that CuPy compiles for the card, for what would else be many
operations one after the other."""

import functools
import re

import numpy as np

from ..backend import array_module
from ..errors import InputError

LANES = 32  # the threads of a warp, which can hand each other numbers
BLOCK = 128  # threads that are started together
FLOATS = {"f": "float", "d": "double"}  # by the dtype's `char`
TYPES = {
    "bool": np.dtype(bool), "long long": np.dtype("int64"),
    "unsigned long long": np.dtype("uint64"),
}  # beside T
# its type, and whether it is an array
PARAMETER = re.compile(r" *(?:const )?(T|bool|(?:unsigned )?long long) (\*?)")


class Kernel:
    """A function of CUDA C++ on arrays of float32 or float64.

    `body` is what is done for number i of `count`. With `lanes=1` that is a thread's work, an
    element say. With 32 a warp shares it, a row say: each of its threads, `lane` = 0 … 31, takes
    every 32nd number, and `sum_of_lanes` and `largest_of_lanes` give all of them what the 32 have
    found. T is the float type.

    `kernel(count, *arguments)` in the order of `parameters`: arrays, C-contiguous, of whose floats
    all have T; numbers (T or long long); None (no array, a null pointer). Raises InputError for
    floats of several dtypes, or of another than those two, and ValueError for an array that is not
    contiguous, or not of the type declared.

    Source: NVIDIA, CUDA C++ Programming Guide, sections "SIMT Architecture" and "Warp Shuffle
    Functions".
    """

    def __init__(self, name, parameters, body, lanes=LANES):
        self.name, self.lanes = name, lanes
        self.takes = [PARAMETER.match(parameter).groups() for parameter in parameters.split(",")]
        head, start = (SHARED, START + START_SHARED) if lanes > 1 else ("", START)
        self.code = (
            f'{head}extern "C" __global__ void {name}({parameters}, long long count) '
            f'{{{start}{body}}}\n'
        )

    def __call__(self, count, *arguments):
        arrays = [
            (x, kind)
            for x, (kind, is_array) in zip(arguments, self.takes, strict=True)
            if is_array and x is not None
        ]
        dtype = self.one_dtype({x.dtype for x, kind in arrays if kind == "T"})
        for x, kind in arrays:
            expect_to_lie_in_order(x, TYPES.get(kind, dtype))
        blocks = -(-count * self.lanes // BLOCK)
        if blocks:
            numbers = {"T": dtype.type, "long long": np.int64}
            passed = [
                NOWHERE if x is None else x if is_array else numbers[kind](x)
                for x, (kind, is_array) in zip(arguments, self.takes)
            ]
            self.compiled(array_module(arrays[0][0]), dtype.char)(
                (blocks,), (BLOCK,), (*passed, np.int64(count))
            )

    def one_dtype(self, dtypes):
        """The dtype of all floats. A kernel would read another one's memory as if it were its
        own."""
        if len(dtypes) != 1 or next(iter(dtypes)).char not in FLOATS:
            names = " and ".join(sorted(map(str, dtypes)))
            raise InputError(
                f"On a GPU, {self.name} takes floats of one dtype, float32 or float64, not "
                f"{names}. Use model.to(...) or x.astype(...)."
            )
        return dtypes.pop()

    @functools.cache  # noqa: B019 - kernels live as long as the program
    def compiled(self, xp, char):
        return xp.RawKernel(self.text(char), self.name)

    def text(self, char):
        """All of it, as the compiler gets it."""
        return f"typedef {FLOATS[char]} T;\n#define LANES {self.lanes}\n{self.code}"


NOWHERE = np.uint64(0)  # a null pointer, for an array that is not given


def expect_to_lie_in_order(x, dtype):
    """Raise ValueError for an array that a kernel would read as what it is not."""
    if x.dtype != dtype or not x.flags.c_contiguous:
        raise ValueError(
            f"a kernel walks through memory in order, here of {dtype}; an array of shape {x.shape} "
            f"and {x.dtype} does not lie so"
        )


SHARED = """
__device__ T sum_of_lanes(T x) {
    for (int distance = LANES / 2; distance; distance /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, distance);
    return x;
}
__device__ T largest_of_lanes(T x) {
    for (int distance = LANES / 2; distance; distance /= 2)
        x = max(x, __shfl_xor_sync(0xffffffffu, x, distance));
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
