"""What the tests of several rooms say alike."""

import shlex

import numpy as np
import pytest

from minitransformer.cli import main
from minitransformer.errors import InputError
from minitransformer.gradient_check import gradient_check


def close(actual, expected, atol=1e-12):
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def close_in_size(actual, expected):
    """Equal to 1e-12 of the largest number."""
    size = max(1, np.abs(expected).max())
    close(actual / size, expected / size)


def central_differences(function, x, step=1e-6):
    """The gradient of a number by every entry of x, which is moved in place and put back."""
    differences = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + step
        above = function()
        x[place] = kept - step
        differences[place] = (above - function()) / (2 * step)
        x[place] = kept
    return differences


def assert_gradients(component, *inputs, **options):
    """Every gradient equals its central difference."""
    report = gradient_check(component, *inputs, **options)
    assert report.passed, f"\n{report}"


def refusal(function, *arguments, **options):
    """The message of the InputError that the call must raise."""
    with pytest.raises(InputError) as caught:
        function(*arguments, **options)
    return str(caught.value)


def run(text, capsys):
    """(exit status, standard output, standard error) of a command line; single quotes hold a word together."""
    capsys.readouterr()
    try:
        status = main(shlex.split(text))
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    return status, out, err
