"""NumPy or CuPy, chosen by the array itself. The only file that ever imports cupy."""

import numpy as np

from ..errors import InputError


def array_module(x):
    """The library that x belongs to, by the convention of CuPy's `get_array_module`.

    Only the type of x decides, so two models on two devices can live in one process. CuPy is not
    imported for a NumPy array: an array of another library names its own module.
    """
    if isinstance(x, (np.ndarray, np.generic, float, int, bool)):
        return np
    if type(x).__module__.split(".")[0] == "cupy":
        return _cupy()
    if hasattr(x, "__array_namespace__"):
        return x.__array_namespace__()
    raise InputError(f"Expected an array of NumPy or CuPy, got {type(x).__name__}; convert it with numpy.asarray(...).")


def as_numpy(x):
    """x as a NumPy array in host memory (x itself if it is one already)."""
    return x.get() if hasattr(x, "get") else np.asarray(x)


def move(x, device):
    """x on `device`: "cpu" or "gpu". Raises InputError where there is no such device."""
    if device == "cpu":
        return as_numpy(x)
    if device != "gpu":
        raise InputError(f"There is no device {device!r}. Choose 'cpu' or 'gpu'.")
    cupy = _cupy()
    try:
        return cupy.asarray(x)
    except cupy.cuda.runtime.CUDARuntimeError as problem:  # the wheel is here, the card or its driver is not
        raise InputError(f"No GPU could be used ({problem}). Check `nvidia-smi`, or stay on the CPU.") from None


def _cupy():
    try:
        import cupy
    except ImportError:
        raise InputError(
            "Device 'gpu' needs CuPy, which is not installed. With an NVIDIA card, run "
            "`pip install cupy-cuda12x` (CUDA 12) or `pip install cupy-cuda13x` (CUDA 13); else stay on 'cpu'."
        ) from None
    return cupy
