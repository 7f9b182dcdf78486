"""NumPy or CuPy, chosen by the array itself. The only file that imports cupy."""

import functools

import numpy as np

from ..errors import InputError, unknown

DEVICES = ("cpu", "gpu")
_WHEELS = "`python -m pip install 'cupy-cuda12x[ctk]'` for CUDA 12, 'cupy-cuda13x[ctk]' for CUDA 13"
_CHECK = (
    "`nvidia-smi` says whether there is a card, and up to which CUDA its driver goes. CuPy's wheel "
    f"must not be newer: {_WHEELS}. Or stay on 'cpu'."
)


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
    raise InputError(
        f"Expected an array of NumPy or CuPy, got {type(x).__name__}; convert it with "
        "numpy.asarray(...)."
    )


def as_numpy(x):
    """x as a NumPy array in host memory (x itself if it is one already)."""
    return x.get() if hasattr(x, "get") else np.asarray(x)


def on_host(x):
    """Whether x is NumPy's, so that looking at its values makes nobody wait."""
    return isinstance(x, (np.ndarray, np.generic))


def asarray(x, like):
    """x in the memory where `like` is: `numpy.asarray(x, like=like)`. x itself if it is there
    already."""
    if on_host(like):
        return as_numpy(x)
    return array_module(like).asarray(x)


def move(x, device):
    """x on `device`: "cpu" or "gpu". Raises InputError where there is no such device, or it cannot
    be used."""
    if chosen_device(device) == "cpu":
        return as_numpy(x)
    return _cupy().asarray(x)


def chosen_device(device):
    """"cpu" or "gpu", whichever is asked for; for "auto", a GPU if one can be used. Raises
    InputError if it cannot."""
    if device == "auto":
        return "cpu" if gpu_problem() else "gpu"
    if device not in DEVICES:
        raise unknown("device", device, (*DEVICES, "auto"))
    if device == "gpu" and (problem := gpu_problem()):
        raise InputError(problem)
    return device


def hint_at_gpu(target):
    """A sentence for a user who asks for a GPU by the name that other libraries use; otherwise
    nothing."""
    return " Use 'gpu' for an NVIDIA GPU." if "cuda" in str(target) else ""


def gpu_problem():
    """Why no GPU can be used, and what to do; None if one can."""
    try:
        return _problem_of(_cupy())
    except ImportError as problem:
        if getattr(problem, "name", None) == "cupy":
            return (
                f"Device 'gpu' needs CuPy, which is not installed. With an NVIDIA card: {_WHEELS}; "
                "else stay on 'cpu'."
            )
        return f"CuPy is installed, but cannot be loaded ({problem}). {_CHECK}"


@functools.cache
def _problem_of(cupy):
    try:
        (cupy.asarray([1.0]) + 1).sum()  # needs the card, its driver, and their libraries
    except (RuntimeError, ImportError, OSError) as problem:  # CuPy's own errors are RuntimeErrors
        return f"CuPy is installed, but no GPU can be used ({_first_line(problem)}). {_CHECK}"
    return None


def _first_line(problem):
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0].rstrip(".")


def _cupy():
    import cupy

    return cupy
