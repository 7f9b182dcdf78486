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
