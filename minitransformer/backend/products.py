"""Matrix products: NumPy's, and on a GPU cuBLAS's own."""

import ctypes
import functools
import itertools

import numpy as np

from .arrays import _cupy, array_module, on_host
from .kernels import compiles

TYPES = {"f": (ctypes.c_float, 0, 68), "d": (ctypes.c_double, 1, 70)}  # float32, float64: their cudaDataType, cublasComputeType_t
TF32 = 77  # cublasComputeType_t of float32 products with inputs rounded to TF32
_tf32 = False


def use_tf32(on=True):
    """Let a GPU round what it multiplies from float32 to TF32, ten bits of fraction instead of 23. Sums stay float32."""
    global _tf32
    _tf32 = on


def uses_tf32():
    return _tf32


def product(a, b, out=None):
    """a @ b, into `out`: `matmul(a, b, out=out)`.  (..., M, K), (..., K, N) → (..., M, N)

    CuPy would copy each matrix of a batch that does not lie in order, as those of heads never do, and refuses to multiply
    while a step is recorded (CuPy 14). cuBLAS itself takes matrices as they lie, transposed or apart from each other, and
    writes them so.
    """
    if on_host(a):
        return np.matmul(a, b, out)
    if not compiles(a) or a.dtype != b.dtype or a.dtype.char not in TYPES:
        return array_module(a).matmul(a, b, out=out)
    if out is None:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        out = array_module(a).empty((*batch, a.shape[-2], b.shape[-1]), dtype=a.dtype)
    if not (a.size and b.size and out.size):
        out.fill(0)
        return out
    (a, *lie_a), (b, *lie_b), (c, *lie_c) = map(as_it_lies, (a, b, out))
    if c is not out:  # neither by rows nor by columns
        out[...] = product(a, b)
    elif lie_c[0]:
        product(b.swapaxes(-1, -2), a.swapaxes(-1, -2), out=out.swapaxes(-1, -2))
    else:
        Cublas.of(array_module(a)).multiply(a, lie_a, b, lie_b, out, lie_c)
    return out


def as_it_lies(x):
    """(x, whether its matrices lie column by column, from one column or row to the next in elements); a copy if neither."""
    rows, columns = x.shape[-2:]
    down, right = (stride // x.itemsize for stride in x.strides[-2:])
    if (right == 1 or columns == 1) and (down >= columns or rows == 1):
        return x, False, max(down if rows > 1 else 0, columns, 1)
    if (down == 1 or rows == 1) and (right >= rows or columns == 1):
        return x, True, max(right if columns > 1 else 0, rows, 1)
    return as_it_lies(array_module(x).ascontiguousarray(x))


def steps(batch, *arrays):
    """[(size, step of each array in bytes)] along the axes of a batch; neighbours that all arrays walk alike are one axis."""
    if not batch:
        return []
    walks = [array_module(x).broadcast_to(x, (*batch, *x.shape[-2:])).strides[:-2] for x in arrays]
    axes = []
    for size, *strides in zip(batch, *walks):
        if axes and axes[-1][1:] == [size * stride for stride in strides]:
            axes[-1] = [axes[-1][0] * size, *strides]
        elif size > 1:
            axes.append([size, *strides])
    return axes


class Cublas:
    """The library, with a handle and a workspace of its own.

    A recorded product finds its workspace in every replay; one that cuBLAS took for itself would by then be gone.
    Source: NVIDIA, cuBLAS, sections "cublasGemmStridedBatchedEx()", "cublasSetWorkspace()" and "CUDA Graphs Support".
    """

    WORKSPACE = 32 << 20  # bytes: what NVIDIA advises for its largest cards

    @classmethod
    @functools.cache
    def of(cls, xp):
        return cls(xp)

    def __init__(self, xp):
        self.xp, self.functions, self.handle, self.stream = xp, load_cublas(), ctypes.c_void_p(), None
        self.call("cublasCreate_v2", ctypes.byref(self.handle))
        self.workspace = xp.empty(self.WORKSPACE, dtype="uint8")

    def call(self, name, *arguments):
        if status := getattr(self.functions, name)(*arguments):
            raise RuntimeError(f"cuBLAS could not do it: {name} returned cublasStatus_t {status}.")

    def multiply(self, a, lie_a, b, lie_b, out, lie_out):
        """out = a @ b. cuBLAS counts by columns, and to it a matrix by rows is its transpose: so it makes outᵀ = bᵀ aᵀ."""
        self.follow(self.xp.cuda.get_current_stream().ptr)
        number, kind, compute = TYPES[a.dtype.char]
        compute = TF32 if _tf32 and number is ctypes.c_float else compute
        (*_, rows, inner), columns = a.shape, b.shape[-1]
        axes = steps(out.shape[:-2], b, a, out)
        size, *strides = axes.pop(max(range(len(axes)), key=lambda i: axes[i][0])) if axes else (1, 0, 0, 0)
        one, zero = ctypes.byref(number(1)), ctypes.byref(number(0))
        for places in itertools.product(*(range(axis[0]) for axis in axes)):
            at = [ctypes.c_void_p(x.data.ptr + sum(n * axis[1 + k] for n, axis in zip(places, axes))) for k, x in enumerate((b, a, out))]
            matrices = [[pointer, kind, lie[1]] for pointer, lie in zip(at, (lie_b, lie_a, lie_out))]
            if size > 1:
                for matrix, stride in zip(matrices, strides):
                    matrix.append(ctypes.c_longlong(stride // a.itemsize))
            (first, second, third), count = matrices, [size] if size > 1 else []
            self.call(
                "cublasGemmStridedBatchedEx" if size > 1 else "cublasGemmEx", self.handle, int(lie_b[0]), int(lie_a[0]), columns, rows, inner,
                one, *first, *second, zero, *third, *count, compute, -1,
            )  # fmt: skip

    def follow(self, stream):
        """Work on this stream from now on. A workspace has to be handed over anew for each."""
        if stream != self.stream:
            self.call("cublasSetStream_v2", self.handle, ctypes.c_void_p(stream))
            self.call("cublasSetWorkspace_v2", self.handle, ctypes.c_void_p(self.workspace.data.ptr), ctypes.c_size_t(self.WORKSPACE))
            self.stream = stream


def load_cublas():
    """cuBLAS, the one that CuPy uses."""
    from cuda.pathfinder import load_nvidia_dynamic_lib  # CuPy depends on it

    _cupy().cuda.Device().cublas_handle  # noqa: B018 - now it is loaded, and what is loaded is found first

    return ctypes.CDLL(load_nvidia_dynamic_lib("cublas").abs_path)
