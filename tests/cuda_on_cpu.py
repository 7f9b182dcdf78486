"""CUDA's kernels, and cuBLAS's products, on a CPU: CUDA C++ is C++ but for a few words, which stand
below, so a C++ compiler takes them.

All threads of a kernel are run, one after the other; where the 32 of a warp hand each other
numbers, as 32 threads of the computer, which meet at every exchange. That is slow, so by default a
kernel is compiled for warps of one thread, whose sum is its own number: its formulas are the same.
`lanes(32)` is for looking at the exchange too.
"""

import contextlib
import ctypes
import functools
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np

COMPILER = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
COMMAND = [COMPILER, *"-std=c++17 -O1 -shared -fPIC -pthread -x c++".split()]
FOLDER = Path(__file__).with_name("__pycache__") / "kernels"
TYPES = {
    "f4": ctypes.c_float, "f8": ctypes.c_double, "i8": ctypes.c_longlong, "u8": ctypes.c_ulonglong,
}
warp = 1

HEAD = """
#include <algorithm>
#include <cmath>
#include <pthread.h>
#include <sched.h>
using namespace std;
#define __global__
#define __device__ static
struct Place { long long x; };
static thread_local Place threadIdx, blockIdx, blockDim;
static unsigned int __umulhi(unsigned int a, unsigned int b) {
    return (unsigned long long) a * b >> 32;
}
#if LANES > 1
static int there, meetings;
static void meet() {
    const int this_one = __atomic_load_n(&meetings, __ATOMIC_SEQ_CST);
    if (__atomic_add_fetch(&there, 1, __ATOMIC_SEQ_CST) == LANES) {
        __atomic_store_n(&there, 0, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&meetings, 1, __ATOMIC_SEQ_CST);
    } else
        while (this_one == __atomic_load_n(&meetings, __ATOMIC_SEQ_CST)) sched_yield();
}
static double handed[LANES];
template <class N> static N __shfl_xor_sync(unsigned int, N x, int distance) {
    const int lane = threadIdx.x % LANES;
    handed[lane] = x;
    meet();
    const N found = handed[lane ^ distance];
    meet();
    return found;
}
#else
template <class N> static N __shfl_xor_sync(unsigned int, N x, int) { return x; }
#endif
"""
CUBLAS = """
typedef long long Long;
template <class T> static void gemm(
    int transposed_a, int transposed_b, int m, int n, int k, const void *alpha,
    const void *as, int lda, Long step_a, const void *bs, int ldb, Long step_b,
    const void *beta, void *cs, int ldc, Long step_c, int count) {
    for (int i = 0; i < count; ++i)
        for (int column = 0; column < n; ++column) {
            const T *a = (const T *) as + i * step_a, *b = (const T *) bs + i * step_b;
            T *c = (T *) cs + i * step_c + (Long) column * ldc;
            for (int row = 0; row < m; ++row)
                c[row] = *(const T *) beta == 0 ? 0 : *(const T *) beta * c[row];
            for (int j = 0; j < k; ++j) {
                const T factor = *(const T *) alpha
                    * b[transposed_b ? column + (Long) j * ldb : j + (Long) column * ldb];
                if (transposed_a)
                    for (int row = 0; row < m; ++row) c[row] += factor * a[j + (Long) row * lda];
                else
                    for (int row = 0; row < m; ++row) c[row] += factor * a[row + (Long) j * lda];
            }
        }
}
extern "C" int cublasGemmStridedBatchedEx(
    void *, int transposed_a, int transposed_b, int m, int n, int k, const void *alpha,
    const void *a, int kind_a, int lda, Long step_a,
    const void *b, int kind_b, int ldb, Long step_b, const void *beta,
    void *c, int kind_c, int ldc, Long step_c, int count, int compute, int) {
    const bool small = lda < (transposed_a ? k : m) || ldb < (transposed_b ? n : k) || ldc < m
        || m < 0 || n < 0 || k < 0;
    if (small || kind_a != kind_b || kind_a != kind_c || kind_a > 1
        || compute != (kind_a ? 70 : 68) && (kind_a || compute != 77)) return 7;
    (kind_a ? gemm<double> : gemm<float>)(
        transposed_a, transposed_b, m, n, k, alpha, a, lda, step_a, b, ldb, step_b,
        beta, c, ldc, step_c, count);
    return 0;
}
extern "C" int cublasGemmEx(
    void *, int transposed_a, int transposed_b, int m, int n, int k, const void *alpha,
    const void *a, int kind_a, int lda, const void *b, int kind_b, int ldb, const void *beta,
    void *c, int kind_c, int ldc, int compute, int way) {
    return cublasGemmStridedBatchedEx(
        0, transposed_a, transposed_b, m, n, k, alpha, a, kind_a, lda, 0, b, kind_b, ldb, 0,
        beta, c, kind_c, ldc, 0, 1, compute, way);
}
extern "C" int cublasCreate_v2(void **handle) { *handle = handle; return 0; }
extern "C" int cublasSetStream_v2(void *, void *) { return 0; }
extern "C" int cublasSetWorkspace_v2(void *, void *, unsigned long long) { return 0; }
"""
RUN = """
static struct { long long blocks, threads; MEMBERS; } given;
static void *every(void *lane) {
    blockDim.x = given.threads;
    for (blockIdx.x = 0; blockIdx.x < given.blocks; ++blockIdx.x)
        for (threadIdx.x = (long) lane; threadIdx.x < given.threads; threadIdx.x += LANES)
            NAME(ARGUMENTS);
    return 0;
}
extern "C" void run(long long blocks, long long threads, PARAMETERS) {
    given = {blocks, threads, GIVEN};
    pthread_t lanes[LANES];
    for (long lane = 1; lane < LANES; ++lane) pthread_create(lanes + lane, 0, every, (void *) lane);
    every(0);
    for (int lane = 1; lane < LANES; ++lane) pthread_join(lanes[lane], 0);
}
"""


@contextlib.contextmanager
def lanes(count):
    """Inside, a warp has that many threads, which really hand each other their numbers."""
    global warp
    before, warp = warp, count
    try:
        yield
    finally:
        warp = before


class RawKernel:
    """As CuPy's, but for arrays of NumPy, in place: see `strict_arrays.py`."""

    def __init__(self, code, name):
        self.code, self.name = code, name

    def __call__(self, grid, block, arguments):
        run = compiled(self.code.replace("#define LANES 32", f"#define LANES {warp}"), self.name)
        run(*map(ctypes.c_longlong, (*grid, *block)), *map(passed, arguments))


def passed(argument):
    if isinstance(argument, np.ndarray):
        return argument.ctypes.data_as(ctypes.c_void_p)
    if not isinstance(argument, np.generic):
        raise TypeError(f"{argument!r}, of no type that CUDA knows")
    return TYPES[argument.dtype.str[1:]](argument.item())


@functools.cache
def compiled(code, name):
    """The kernel as a function of C, compiled once for all who share these tests' `__pycache__`."""
    parameters = re.search(rf"{name}\(([^)]*)\)", code)[1]
    names = re.findall(r"(\w+)(?:,|$)", parameters)
    kind, lanes, rest = code.split("\n", 2)
    parts = {"MEMBERS": parameters.replace(",", ";"), "PARAMETERS": parameters,
             "GIVEN": ", ".join(names), "NAME": name,
             "ARGUMENTS": ", ".join(f"given.{n}" for n in names)}  # fmt: skip
    run = re.sub("|".join(parts), lambda found: parts[found[0]], RUN)
    text = "\n".join([kind, lanes, HEAD, rest, run])
    return loaded(text).run


def loaded(text):
    library = FOLDER / (hashlib.sha256(text.encode()).hexdigest()[:24] + ".so")
    if not library.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        mine = library.with_suffix(f".{os.getpid()}")
        subprocess.run([*COMMAND, "-o", mine, "-"], input=text, text=True, check=True)
        mine.replace(library)
    return ctypes.CDLL(str(library))
