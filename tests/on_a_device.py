"""What the tests of another device's memory share: the device itself, which is `strict_arrays` here
and a card in `test_gpu.py`."""

import numpy as np
import pytest
import strict_arrays

from minitransformer.backend import arrays
from minitransformer.gpu import cublas
from minitransformer.gpu.parity import there


@pytest.fixture(autouse=True)
def strict_device(monkeypatch):
    """The device "gpu" is the strict library."""
    monkeypatch.setattr(arrays, "_cupy", lambda: strict_arrays.xp)
    monkeypatch.setattr(cublas, "load_cublas", lambda xp: strict_arrays.Cublas())


@pytest.fixture
def kernels():
    """For a test that cannot do without kernels, or without products that can be recorded."""
    need_kernels()


def need_kernels():
    """Skip the test where there are no kernels."""
    if not has_kernels():
        pytest.skip("the kernels need a C++ compiler (c++, g++ or clang++), and there is none")


def has_kernels():
    """Whether the device has kernels: a card always, the strict library where there is a C++
    compiler."""
    return hasattr(library(), "RawKernel")


def library():
    """What the device's arrays belong to: the strict library, or CuPy."""
    return arrays._cupy()


def waited_for(transfers, expected):
    """Whether that, and no more, was waited for. On a real card nobody counts; there, `test_gpu.py`
    captures a step."""
    return library() is not strict_arrays.xp or transfers == expected


def on_device(values):
    """Arrays of NumPy among these moved to the device."""
    return there(values, "gpu")


def close(found, expected, error=1e-10):
    assert len(found) == len(expected)
    for a, b in zip(found, expected):
        np.testing.assert_allclose(
            a,
            b,
            rtol=0,
            atol=error
            * max(1.0, np.abs(b, where=np.isfinite(b), out=np.zeros_like(b)).max(initial=0)),
        )
