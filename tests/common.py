"""What the tests of several packages say alike."""

import shlex

import numpy as np
import pytest

from minitransformer.cli import main
from minitransformer.errors import InputError
from minitransformer.models import find_model
from minitransformer.runs import make_config
from minitransformer.testing import away_from_initialisation, gradient_check
from minitransformer.testing.gradient_check import as_tuple
from minitransformer.training.hooks import Evaluate, Log, Moments, Save


def rng(seed=0):
    return np.random.default_rng(seed)


def normal(*shape, seed=0):
    return rng([9, seed]).standard_normal(shape)  # unlike any upstream gradient of a check


def moved(component, seed=2):
    """The component in float64, every parameter at a random place."""
    return away_from_initialisation(component.to("float64"), rng(seed))


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
    """Every gradient equals its central difference and has the shape of what it belongs to."""
    report = gradient_check(component, *inputs, **options)
    assert report.passed, f"\n{report}"
    d_inputs = as_tuple(component.backward(*map(np.ones_like, as_tuple(component(*inputs)))))
    floats = [x.shape for x in inputs if getattr(x, "dtype", None) == np.float64]
    assert [d.shape for d in d_inputs if d is not None] == floats


def refusal(function, *arguments, **options):
    """The message of the InputError that the call must raise; any other error is a failure."""
    try:
        function(*arguments, **options)
    except InputError as problem:
        return str(problem)
    except Exception as problem:
        pytest.fail(f"an InputError was expected, not {problem!r}")
    pytest.fail("an InputError was expected, and none came")


def accepted(function, *arguments, **options):
    """What the call returns, which must not be refused."""
    try:
        return function(*arguments, **options)
    except InputError as problem:
        pytest.fail(f"refused: {problem}")


def run(text, capsys):
    """(exit status, standard output, standard error) of a command line; single quotes hold a word together."""
    capsys.readouterr()
    try:
        status = main(shlex.split(text))
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    return status, out, err


def small_config(model, **training):
    """The configuration of a run of a small model on copying, with all that a step can draw and write."""
    training = {"save_every": 5, "evaluate_every": 8, "evaluate_count": 10, **training}
    sizes = {"d_model": 16, "heads": 2, "d_ff": 24, "encoder_layers": 1, "decoder_layers": 1, "dropout": 0.2}
    sizes = {name: value for name, value in sizes.items() if name in find_model(model).options()}
    return make_config("copy", {"max_length": 5}, model, "toy", sizes, training)


def finished(run):
    """The run, trained to its last step as the command does it."""
    with Save(run) as save:
        run.train([Log(run), Evaluate(run), Moments(run), save])
    return run


def weights_and_state(run):
    """Everything that continuing depends on, as comparable values."""
    arrays = {**run.model.state_dict(), **run.optimizer.state_dict(), **{f"moment {k}": v for k, v in run.moments.items()}}
    facts = [run.optimizer.t, run.batches.state(), [g.bit_generator.state for g in run.model.generators()]]
    return {name: array.tobytes() for name, array in arrays.items()}, facts
