"""Matrix products by cuBLAS itself."""

import ctypes
import functools
import itertools
import os
import typing

import numpy as np

from ..backend import array_module

# float32, float64: their cudaDataType, cublasComputeType_t
TYPES = {"f": (ctypes.c_float, 0, 68), "d": (ctypes.c_double, 1, 70)}
TF32 = 77  # cublasComputeType_t of float32 products with inputs rounded to TF32


def product(a, b, out=None):
    """a @ b, into `out`: `backend.product`.  (..., M, K), (..., K, N) → (..., M, N)

    CuPy would copy each matrix of a batch that does not lie in order, as those of heads never do,
    and refuses to multiply while a step is recorded (CuPy 14). cuBLAS itself takes matrices as they
    lie, transposed or apart from each other, and writes them so. Raises ValueError for shapes that
    do not fit each other: cuBLAS would read beyond the arrays.
    """
    xp = array_module(a)
    if a.dtype.char not in TYPES or any(x is not None and x.dtype != a.dtype for x in (b, out)):
        return xp.matmul(a, b, out=out)
    shape = shape_of_product(a.shape, b.shape)
    if out is None:
        out = xp.empty(shape, dtype=a.dtype)
    if out.shape != shape:
        raise ValueError(
            f"A product of shape {shape} cannot be written into an array of shape {out.shape}."
        )
    if not (a.size and b.size):
        out.fill(0)
        return out
    cublas = Cublas.of(xp)
    how = calls(a.dtype.char, cublas.tf32, *((x.shape, x.strides) for x in (a, b, out)))
    if how is None:
        out[...] = product(xp.ascontiguousarray(a), xp.ascontiguousarray(b))
    else:
        cublas.multiply(how, a, b, out)
    return out


@functools.lru_cache(maxsize=1 << 10)
def shape_of_product(a, b):
    """The shape of a @ b from the shapes of both."""
    if min(len(a), len(b)) < 2 or a[-1] != b[-2]:
        raise ValueError(
            f"Arrays of shape {a} and {b} cannot be multiplied: (..., M, K) and (..., K, N) are "
            "needed."
        )
    return (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1])


# every step asks for the same ones, and to work one out takes longer than to launch it
@functools.lru_cache(maxsize=1 << 10)
def calls(char, tf32, *arrays):
    """[(the name of cuBLAS's function, its arguments)] that make out = a @ b. None if one lies
    neither by rows nor by columns.

    `arrays`: (shape, steps in bytes) of a, b and out. cuBLAS counts by columns, and to it a matrix
    by rows is its transpose: so out by rows is made as outᵀ = bᵀ aᵀ. The longest axis of a batch is
    left to cuBLAS; of the others, each place is a call of its own.
    """
    number, kind, compute = TYPES[char]
    compute, width = TF32 if tf32 and char == "f" else compute, ctypes.sizeof(number)
    arrays = [(shape, [step // width for step in strides]) for shape, strides in arrays]
    ways = [as_it_lies(*array) for array in arrays]
    if None in ways:
        return None
    (*batch, rows, columns), inner, by_columns = arrays[2][0], arrays[0][0][-1], ways[2][0]
    order, sides = ((0, 1), (rows, columns)) if by_columns else ((1, 0), (columns, rows))
    turned = [int(ways[n][0] != by_columns) for n in order]
    axes = steps(batch, *arrays)
    size, *apart = axes.pop(max(range(len(axes)), key=lambda i: axes[i][0])) if axes else (1,)
    name, many = ("cublasGemmStridedBatchedEx", [size]) if apart else ("cublasGemmEx", [])
    one, zero = ctypes.byref(number(1)), ctypes.byref(number(0))

    def matrix(n, places):
        begin = sum(place * axis[1 + n] for place, axis in zip(places, axes))
        return (
            At(n, begin * width), kind, ways[n][1],
            *([ctypes.c_longlong(apart[n])] if apart else []),
        )

    found = []
    for places in itertools.product(*(range(axis[0]) for axis in axes)):
        first, second, third = (matrix(n, places) for n in (*order, 2))
        found.append(
            (name, (*turned, *sides, inner, one, *first, *second, zero, *third, *many, compute, -1))
        )
    return found


class At(typing.NamedTuple):
    """A place in memory: so many bytes after the beginning of array 0, 1 or 2, which are a, b and
    out."""

    array: int
    bytes: int


def as_it_lies(shape, steps):
    """(whether the matrices lie column by column, how far it is from one column or row to the
    next); None if neither way."""
    (rows, columns), (down, right) = shape[-2:], steps[-2:]
    if (right == 1 or columns == 1) and (down >= columns or rows == 1):
        return False, max(down if rows > 1 else 0, columns, 1)
    if (down == 1 or rows == 1) and (right >= rows or columns == 1):
        return True, max(right if columns > 1 else 0, rows, 1)
    return None


def steps(batch, *arrays):
    """[(size, step of each array)] along the axes of a batch; neighbours that all arrays walk alike
    are one axis."""
    axes = []
    for axis, size in enumerate(batch, -len(batch) - 2):
        walk = [
            own[axis] if -axis <= len(shape) and shape[axis] > 1 else 0 for shape, own in arrays
        ]
        if axes and axes[-1][1:] == [size * step for step in walk]:
            axes[-1] = [axes[-1][0] * size, *walk]
        elif size > 1:
            axes.append([size, *walk])
    return axes


class Cublas:
    """The library, with a handle and a workspace of its own.

    Where the environment says CUPY_TF32=1, as CuPy reads it, float32 products round what they
    multiply to TF32, ten bits of fraction instead of 23; sums stay float32.

    A recorded product finds its workspace in every replay; one that cuBLAS took for itself would by
    then be gone. Source: NVIDIA, cuBLAS, sections "cublasGemmStridedBatchedEx()",
    "cublasSetWorkspace()" and "CUDA Graphs Support".
    """

    WORKSPACE = 32 << 20  # bytes: what NVIDIA advises for its largest cards

    @classmethod
    @functools.cache
    def of(cls, xp):
        return cls(xp)

    def __init__(self, xp):
        self.xp, self.functions, self.handle, self.stream = (
            xp, load_cublas(xp), ctypes.c_void_p(), None,
        )
        self.tf32 = os.environ.get("CUPY_TF32") == "1"
        self.call("cublasCreate_v2", ctypes.byref(self.handle))
        self.workspace = xp.empty(self.WORKSPACE, dtype="uint8")

    def call(self, name, *arguments):
        if status := getattr(self.functions, name)(*arguments):
            raise RuntimeError(f"cuBLAS could not do it: {name} returned cublasStatus_t {status}.")

    def multiply(self, how, *arrays):
        """Do what `calls` says, with these arrays: a, b and out."""
        self.follow(self.xp.cuda.get_current_stream().ptr)
        begin = [x.data.ptr for x in arrays]
        for name, arguments in how:
            self.call(
                name,
                self.handle,
                *(
                    ctypes.c_void_p(begin[x.array] + x.bytes) if type(x) is At else x
                    for x in arguments
                ),
            )

    def follow(self, stream):
        """Work on this stream from now on. A workspace has to be handed over anew for each."""
        if stream != self.stream:
            self.call("cublasSetStream_v2", self.handle, ctypes.c_void_p(stream))
            self.call(
                "cublasSetWorkspace_v2", self.handle, ctypes.c_void_p(self.workspace.data.ptr),
                ctypes.c_size_t(self.WORKSPACE),
            )
            self.stream = stream


def load_cublas(xp):
    """cuBLAS, the one that CuPy uses."""
    from cuda.pathfinder import load_nvidia_dynamic_lib  # CuPy depends on it

    xp.cuda.Device().cublas_handle  # noqa: B018 - now it is loaded, and what is loaded is found first

    return ctypes.CDLL(load_nvidia_dynamic_lib("cublas").abs_path)
