"""Is a gradient right? Central differences answer, in float64, for every input and every parameter."""

import dataclasses
import itertools
import math

import numpy as np

from .boundary import Count, Natural, Positive, checked
from .errors import InputError
from .module import Module, no_grad

TOLERANCE = 1e-6
ZERO, NOISE = 1e-12, 1e-8  # a gradient this small is zero, and differences this small cannot tell
DIRECTIONS = 2  # tried beside the entries where not all entries are
STEP = 1e-5  # error of a central difference: step² from Taylor, 10⁻¹⁶/step from rounding; both near 10⁻¹⁰ here


@dataclasses.dataclass
class GradientRow:
    """How far one gradient is from its central difference: error = ‖a − n‖ / max(‖a‖, ‖n‖, 10⁻⁸)."""

    name: str
    shape: tuple
    checked: int
    error: float
    tolerance: float
    note: str = ""  # why there is nothing to compare

    @property
    def passed(self):
        return bool(self.error <= self.tolerance)  # NaN does not pass


@dataclasses.dataclass
class GradientReport:
    """The rows of one component. `passed` if all pass; printed, it is a table."""

    component: str
    rows: list

    @property
    def passed(self):
        return all(row.passed for row in self.rows)

    @property
    def worst(self):
        return max(self.rows, key=lambda row: (not row.passed, row.error))

    def __str__(self):
        width = max(len(row.name) for row in self.rows)
        lines = [f"{self.component}: gradient against central differences"]
        for row in self.rows:
            verdict = "ok" if row.passed else f"WRONG ({row.note or f'at most {row.tolerance:g}'})"
            lines.append(f"  {row.name:<{width}}  {str(row.shape):<16} {row.checked:>5} entries  {row.error:8.1e}  {verdict}")
        return "\n".join(lines)


def gradient_error(analytic, numeric):
    """‖a − n‖ / max(‖a‖, ‖n‖, 10⁻⁸); ‖a‖ where both are zero up to rounding.

    A gradient that is zero by nature, as a key bias's is, has only the rounding noise of its differences to be compared
    with, and no ratio of the two would mean anything.
    """
    a, n = np.asarray(analytic, dtype=np.float64), np.asarray(numeric, dtype=np.float64)
    if np.linalg.norm(a) < ZERO and np.linalg.norm(n) < NOISE:
        return float(np.linalg.norm(a))
    return float(np.linalg.norm(a - n) / max(np.linalg.norm(a), np.linalg.norm(n), 1e-8))


def away_from_initialisation(component, rng):
    """Move every parameter to a random place where mistakes show: vectors and numbers get noise of size ½ (γ is then no longer 1,
    biases no longer 0), weights become N(0, 1/fan_in). In place; returns the component.
    """
    for p in component.parameters():
        if p.data.ndim <= 1:
            p.data += 0.5 * rng.standard_normal(p.shape)
        else:
            p.data[...] = rng.standard_normal(p.shape) / np.sqrt(p.shape[0])
    return component


@checked
def gradient_check(
    component: Module,
    *inputs,
    seed: Natural = 0,
    step: Positive = STEP,
    tolerance: Positive = TOLERANCE,
    max_entries: Count | None = None,
):
    """Compare `backward` with central differences of L = Σ d_y ∘ y, d_y random, for every float input and parameter.

        ∂L/∂θᵢ ≈ (L(θᵢ + h) − L(θᵢ − h)) / 2h

    The component is used as it stands (see `away_from_initialisation`), in float64, which it must already be in
    (`component.to("float64")`). Dropout may be on: its generators are put back before each forward, so every forward
    draws the same mask. Every entry of every array is tried. With `max_entries`, of an array that has more only so many are,
    chosen at random, and two random directions in which all its entries move at once. Existing gradients are left as they were. Returns a `GradientReport`,
    in which a gradient that is missing, or has another shape than its input, is wrong too. Raises InputError if the
    component or an input is not float64.
    """
    expect_float64(component, *inputs)
    inputs = tuple(np.array(x) if is_float(x) else x for x in inputs)  # they will be moved, each by itself
    rng = np.random.default_rng([seed, 1])  # not the stream that a caller's own default_rng(seed) drew the inputs from
    states = [(g, g.bit_generator.state) for g in component.generators()]

    def forward():
        for generator, state in states:
            generator.bit_generator.state = state
        return component.forward(*inputs)

    outputs = as_tuple(forward())
    d_outputs = tuple(rng.standard_normal(np.shape(y)) for y in outputs)
    d_inputs, d_parameters = _analytic(component, d_outputs)

    def loss():
        with no_grad():
            return sum(_weighted_sum(d, y) for d, y in zip(d_outputs, as_tuple(forward())))

    floats = [i for i, x in enumerate(inputs) if is_float(x)]
    checks = [(f"d_input[{i}]", inputs[i], d) for i, d in itertools.zip_longest(floats, d_inputs) if i is not None]
    checks += [(name, p.data, d_parameters[name]) for name, p in component.named_parameters().items()]
    rows = [_row(name, array, analytic, loss, rng, step, tolerance, max_entries) for name, array, analytic in checks]
    if len(d_inputs) > len(floats):
        note = f"backward returned {len(d_inputs)} gradients for {len(floats)} float inputs"
        rows.append(GradientRow("d_input", (), 0, math.inf, tolerance, note))
    return GradientReport(type(component).__name__, rows)


def _row(name, array, analytic, loss, rng, step, tolerance, max_entries):
    """The `GradientRow` of one array, tried at all its entries, or at some and along random directions."""
    if analytic is None or np.shape(analytic) != array.shape:
        note = "backward returned none" if analytic is None else f"the gradient has shape {np.shape(analytic)}"
        return GradientRow(name, array.shape, 0, math.inf, tolerance, note)
    entries = np.arange(array.size)
    moves = []
    if max_entries is not None and array.size > max_entries:
        entries = np.sort(rng.choice(array.size, max_entries, replace=False))
        moves = [_unit(rng.standard_normal(array.shape)) for _ in range(DIRECTIONS)]
    expected = np.concatenate([np.reshape(analytic, -1)[entries], [np.sum(analytic * move) for move in moves]])
    moves = [_one_hot(entry, array.shape) for entry in entries] + moves
    for h in (step, step / 10):  # a kink, such as ReLU's, may lie within the first step; a wrong gradient stays wrong
        error = gradient_error(expected, [_central_difference(loss, array, move, h) for move in moves])
        if error <= tolerance:
            break
    return GradientRow(name, array.shape, len(entries), error, tolerance)


def _central_difference(loss, array, move, step):
    """(L(θ + h·move) − L(θ − h·move)) / 2h, the array being moved in place and put back."""
    before = array.copy()
    array += step * move
    above = loss()
    array[...] = before - step * move
    below = loss()
    array[...] = before
    return (above - below) / (2 * step)


def _one_hot(entry, shape):
    move = np.zeros(shape)
    move.flat[entry] = 1
    return move


def _unit(move):
    return move / np.linalg.norm(move)


def expect_float64(component, *inputs):
    """Raise InputError for anything that central differences cannot resolve."""
    arrays = {name: p.data for name, p in component.named_parameters().items()}
    arrays.update({f"input {i}": x for i, x in enumerate(inputs) if is_float(x)})
    for name, array in arrays.items():
        if array.dtype != np.float64:
            raise InputError(f"A gradient check needs float64, {name} is {array.dtype}: use component.to('float64'), x.astype(float).")


def is_float(x):
    """Whether x is an input that has a gradient: a floating-point array."""
    return hasattr(x, "dtype") and x.dtype.kind == "f"


def as_tuple(y):
    """What forward or backward returned, as a tuple: of none for None, of one for a bare array."""
    return y if isinstance(y, tuple) else () if y is None else (y,)


def _weighted_sum(d_y, y):
    """Σ d_y ∘ y over the entries that are not −∞: a masked score is a constant, whatever d_y says."""
    y = np.asarray(y)
    return float(np.sum(d_y * np.where(np.isneginf(y), 0, y)))


def _analytic(component, d_outputs):
    """(gradients of the inputs, {name: gradient of the parameter}) of one backward, leaving `.grad` as it was."""
    before = {name: p.grad.copy() for name, p in component.named_parameters().items()}
    component.zero_grad()
    d_inputs = as_tuple(component.backward(*(d_y.copy() for d_y in d_outputs)))
    d_parameters = {name: p.grad.copy() for name, p in component.named_parameters().items()}
    for name, p in component.named_parameters().items():
        p.grad[...] = before[name]
    return d_inputs, d_parameters
