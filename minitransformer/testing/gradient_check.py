"""Is a gradient right? Central differences answer, in float64, for every input and every
parameter."""

import dataclasses
import itertools
import math
import textwrap
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ..boundary import Instance, Natural, Positive, Rng, checked, described
from ..core.module import Module, no_grad
from ..errors import InputError
from .difference import agreeing, look, look_first

Component = TypeVar("Component", bound=Module)
TOLERANCE = 1e-6
ZERO, NOISE = 1e-12, 1e-8  # a gradient this small is zero; differences this small are rounding
DIRECTIONS = 2  # tried beside the entries where not all entries are
# error of a central difference: step² from Taylor, 10⁻¹⁶ |L|/step from rounding; both near 10⁻¹⁰
# where L is near 1
STEP = 1e-5
ROUNDING = 2.0**-53
BLUR = 32  # how many times more than its own rounding a loss may usually be off
KINK = "the function has a kink here: move the input away from it"
ANOTHER = "forward gives another result when it is called again with the same inputs"
BLURRED = "the difference may be rounding alone: try inputs of a size near 1"


@dataclasses.dataclass
class GradientRow:
    """How far one gradient is from its central difference: error = ‖a − n‖ / max(‖a‖, ‖n‖,
    10⁻⁸)."""

    name: str
    shape: tuple
    checked: int
    error: float
    tolerance: float
    note: str = ""  # why there is nothing to compare, or why the difference cannot tell
    evidence: list = dataclasses.field(default_factory=list)  # sentences: what is wrong looks like

    @property
    def passed(self) -> bool:
        return bool(self.error <= self.tolerance)  # NaN does not pass


@dataclasses.dataclass
class GradientReport:
    """The rows of one component. `passed` if all pass; printed, it is a table."""

    component: str
    rows: list

    @property
    def passed(self) -> bool:
        return all(row.passed for row in self.rows)

    @property
    def worst(self) -> GradientRow:
        return max(self.rows, key=lambda row: (not row.passed, row.error))

    def __str__(self):
        width = max(len(row.name) for row in self.rows)
        lines = [f"{self.component}: gradient against central differences"]
        for row in self.rows:
            verdict = "ok" if row.passed else f"WRONG ({row.note or f'at most {row.tolerance:g}'})"
            lines.append(
                f"  {row.name:<{width}}  {str(row.shape):<16} {row.checked:>5} entries  "
                f"{row.error:8.1e}  {verdict}"
            )
            for sentence in row.evidence:
                lines += textwrap.wrap(f"    {sentence}", 96, subsequent_indent="    ")
        return "\n".join(lines)


def gradient_error(analytic: ArrayLike, numeric: ArrayLike) -> float:
    """‖a − n‖ / max(‖a‖, ‖n‖, 10⁻⁸); ‖a‖ where both are zero up to rounding.

    For a gradient that is exactly zero, such as that of a key bias, the differences are only
    rounding noise, and a ratio of the two would mean nothing.
    """
    try:
        a, n = np.asarray(analytic, dtype=np.float64), np.asarray(numeric, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"Two gradients are arrays of numbers; got {described(analytic)} and "
            f"{described(numeric)}."
        ) from None
    if a.shape != n.shape:
        raise InputError(f"The two gradients have different shapes, {a.shape} and {n.shape}.")
    size_a, size_n = float(np.linalg.norm(a)), float(np.linalg.norm(n))
    if size_a < ZERO and size_n < NOISE:
        return size_a
    return float(np.linalg.norm(a - n)) / max(size_a, size_n, 1e-8)


@checked
def away_from_initialisation(
    component: Annotated[Component, Instance(Module)], rng: Rng
) -> Component:
    """Give every parameter random values, at which mistakes show: vectors and scalars get noise of
    size ½ (γ is then no longer 1, biases no longer 0), weights become N(0, 1/fan_in). In place;
    returns the component.
    """
    for p in component.parameters():
        # a seed has become a generator
        noise = rng.standard_normal(p.shape)  # type: ignore[union-attr]
        if p.data.ndim <= 1:
            p.data += 0.5 * noise
        else:
            p.data[...] = noise / np.sqrt(p.shape[0])
    return component


@checked
def gradient_check(
    component: "Module", *inputs: "Any", seed: Natural = 0, step: Positive = STEP,
    tolerance: Positive = TOLERANCE, max_entries: Natural | None = None,
) -> GradientReport:
    """Compare `backward` with central differences of L = Σ d_y ∘ y, with random d_y, for every
    float input and parameter.

        ∂L/∂θᵢ ≈ (L(θᵢ + h) − L(θᵢ − h)) / 2h        h = step · max(1, |θᵢ|)

    The component is used with its present parameters (see `away_from_initialisation`). It must
    already be in float64 (`component.to("float64")`). Dropout may be on: its generators are reset
    before each forward, so every forward draws the same mask. Every entry of every array is tried.
    With `max_entries`, of an array that has more only so many are, chosen at random, and two random
    directions in which all its entries move at once; None and 0 mean every entry. Existing
    gradients are left as they were. Returns a `GradientReport`, in which a gradient that is
    missing, or has another shape than its input, is wrong too; a row that fails where the function
    has a kink (ReLU at 0), where rounding alone can be the difference, or where forward draws
    random numbers of which the component has no generator, says so. Of an array that is wrong and
    was tried at every entry, the report names the first wrong entry, and what the
    difference looks like: a factor, other axes, one place, a missing term. Raises
    InputError if the component or an input is not float64, or if backward returns a gradient for an
    input of whole numbers.
    """
    expect_component("gradient_check", component)
    expect_float64(component, *inputs)
    # they will be moved, each by itself
    inputs = tuple(np.array(x) if is_float(x) else x for x in inputs)
    # not the stream that a caller's own default_rng(seed) drew the inputs from
    rng = np.random.default_rng([seed, 1])
    states = [(g, g.bit_generator.state) for g in component.generators()]

    def forward():
        for generator, state in states:
            generator.bit_generator.state = state
        return component.forward(*inputs)

    outputs = outputs_of(component, forward())
    d_outputs = tuple(rng.standard_normal(np.shape(y)) for y in outputs)
    d_inputs, d_parameters = _analytic(component, d_outputs)
    expect_floats(inputs, d_inputs)

    def loss():
        return sum(_weighted_sum(d, y) for d, y in zip(d_outputs, as_tuple(once_more(forward))))

    floats = [i for i, x in enumerate(inputs) if is_float(x)]
    checks = [
        (f"d_input[{i}]", inputs[i], d)
        for i, d in itertools.zip_longest(floats, d_inputs)
        if i is not None
    ]
    checks += [
        (name, p.data, d_parameters[name]) for name, p in component.named_parameters().items()
    ]
    # Σ |d_y| |y|, as −Σ |d_y| (−|y|), in which a masked score is −∞ still
    rounding = -ROUNDING * sum(
        _weighted_sum(abs(d), -abs(np.asarray(y, dtype=float))) for d, y in zip(d_outputs, outputs)
    )
    # if the errors of its terms are independent: much less than all of them together
    usual = ROUNDING * math.hypot(
        *(np.linalg.norm(_weighted(d, y)) for d, y in zip(d_outputs, outputs))
    )
    is_the_same = all(
        np.array_equal(y, z, equal_nan=True) for y, z in zip(outputs, as_tuple(once_more(forward)))
    )
    rows, numeric = [], {}
    for check in checks:
        row, found = _row(*check, loss, rng, step, tolerance, max_entries, rounding, usual)
        if not (row.passed or is_the_same):
            row.note = ANOTHER
        rows.append(row)
        if found is not None:
            numeric[row.name] = found
    named = {
        **{f"input[{i}]": inputs[i] for i in floats},
        **{name: p.data for name, p in component.named_parameters().items()},
        **{f"d_output[{i}]": d for i, d in enumerate(d_outputs)},
        **{f"output[{i}]": np.asarray(y) for i, y in enumerate(outputs)},
    }
    for row, (name, _, analytic) in zip(rows, checks):
        if not row.passed and not row.note and name in numeric:
            others = {f"the right {n}": found for n, found in numeric.items() if n != name}
            row.evidence = _evidence(
                np.asarray(analytic), numeric[name], {**named, **others},
                {**_numbers_of(component), **_sizes_of(named)}, tolerance,
            )
    if len(d_inputs) > len(floats):
        note = f"backward returned {len(d_inputs)} gradients for {len(floats)} float inputs"
        rows.append(GradientRow("d_input", (), 0, math.inf, tolerance, note))
    return GradientReport(type(component).__name__, rows)


def _row(name, array, analytic, loss, rng, step, tolerance, max_entries, rounding, usual):
    """(the `GradientRow` of one array, tried at all its entries, or at some and along random
    directions; its gradient by differences, None unless at all entries). `rounding`: of one loss,
    at most; `usual`: what it usually is."""
    if analytic is None or np.shape(analytic) != array.shape:
        note = (
            "backward returned none"
            if analytic is None
            else f"the gradient has shape {np.shape(analytic)}"
        )
        return GradientRow(name, array.shape, 0, math.inf, tolerance, note), None
    # 10⁻⁵ is less than the rounding of an input of 10⁶
    entries, sizes = np.arange(array.size), np.maximum(1, np.abs(array))
    moves, reach = [], sizes.reshape(-1)
    if max_entries and array.size > max_entries:
        entries = np.sort(rng.choice(array.size, max_entries, replace=False))
        moves = [
            _unit(rng.standard_normal(array.shape)) * sizes / sizes.max() for _ in range(DIRECTIONS)
        ]
    reach = np.concatenate([reach[entries], [sizes.max(initial=1)] * len(moves)])
    expected = np.concatenate(
        [np.reshape(analytic, -1)[entries], [np.sum(analytic * move) for move in moves]]
    )
    moves = [_one_hot(entry, array.shape) for entry in entries] + moves
    # A kink (ReLU) may be within the first step, or rounding may hide the difference of a large
    # loss: try another step. A wrong gradient stays wrong.
    is_hidden = rounding / step * len(moves) ** 0.5 > tolerance * np.linalg.norm(expected)
    note, is_blurred = "", False
    for h in (step, 1000 * step, step / 10) if is_hidden else (step, step / 10):
        numeric = [
            _central_difference(loss, array, move, h * size) for move, size in zip(moves, reach)
        ]
        error = gradient_error(expected, numeric)
        if error <= tolerance:
            break
        blur = np.linalg.norm(BLUR * usual / (h * reach))
        is_blurred |= bool(np.linalg.norm(expected - numeric) <= blur)
    else:
        worst = np.argmax(np.abs(expected - numeric))
        if _has_kink(
            loss, array, moves[worst], step * reach[worst], np.abs(numeric).max(), rounding
        ):
            note = KINK
        elif is_blurred:
            note = BLURRED
    whole = np.reshape(numeric, array.shape) if len(entries) == array.size else None
    return GradientRow(name, array.shape, len(entries), error, tolerance, note), whole


def _evidence(analytic, numeric, named, numbers, tolerance):
    """Sentences on a gradient that is wrong: its first wrong entry, and what the difference looks
    like."""
    wrong = np.argwhere(~agreeing(analytic, numeric, tolerance))
    if not len(wrong):  # spread over so many entries that each by itself is near enough
        return []
    first = tuple(int(i) for i in wrong[0])
    found = look_first(analytic, numeric, numbers, tolerance) or look(
        analytic, numeric, named, tolerance
    )
    return [
        f"At {list(first)} backward says {analytic[first]:.6g}, the differences "
        f"{numeric[first]:.6g}; {len(wrong)} of {analytic.size} entries are wrong.",
        *([found[1]] if found else []),
    ]


def _sizes_of(named):
    """{"input[0].shape[1]": 3} of the axes of all arrays."""
    return {
        f"{name}.shape[{axis}]": size
        for name, array in named.items()
        for axis, size in enumerate(array.shape)
    }


def _numbers_of(component):
    """{name: number} of what a component keeps of numbers: a factor may be one of them."""
    return {
        name: value
        for name, value in vars(component).items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def _has_kink(loss, array, move, step, slope, rounding):
    """Whether the derivatives from the left and from the right differ, and still do with a tenth of
    the step: without a kink, they would come closer. A difference does not count if it is small
    compared with `slope`, the largest of the array, or if `rounding` can cause it.
    """
    at = loss()
    jumps = []
    for h in (step, step / 10):
        above, below = _beside(loss, array, move, h)
        jumps.append(abs(above - 2 * at + below) / h)
    return bool(jumps[1] > jumps[0] / 2 and jumps[1] > max(1e-3 * slope, 4 * rounding / h))


def _central_difference(loss, array, move, step):
    """(L(θ + h·move) − L(θ − h·move)) / 2h."""
    above, below = _beside(loss, array, move, step)
    return (above - below) / (2 * step)


def _beside(loss, array, move, step):
    """L(θ + h·move) and L(θ − h·move), by changing the array in place and restoring it."""
    before = array.copy()
    array += step * move
    above = loss()
    array[...] = before - step * move
    below = loss()
    array[...] = before
    return above, below


def _one_hot(entry, shape):
    move = np.zeros(shape)
    move.flat[entry] = 1
    return move


def _unit(move):
    return move / np.linalg.norm(move)


def expect_component(who, component):
    """Raise InputError unless it is an object of a class that is a Module."""
    if isinstance(component, Module):
        return
    name = type(component).__name__
    got = f"an object of the class {name}"
    remedy = f"If that is your component, write `class {name}(Module)`."
    if isinstance(component, type):
        got = f"the class {component.__name__}"
        remedy = f"Make an object of it: {who}({component.__name__}(…), x)."
    elif isinstance(component, (np.ndarray, np.generic, list, tuple, int, float, str, type(None))):
        got = "None" if component is None else "an array" if name == "ndarray" else f"a {name}"
        remedy = f"Write {who}(component, x)."
    raise InputError(
        f"{who}: the first argument is a component (an object, not its class), then come its "
        f"inputs. Got {got} first. {remedy}"
    )


def outputs_of(component, y):
    """What its forward returned, as a tuple. Raises InputError for None."""
    if y is None:
        raise InputError(
            f"{type(component).__name__}: forward returned None: end it with `return y`."
        )
    for one in as_tuple(y):
        if hasattr(one, "detach"):
            raise InputError(
                f"{type(component).__name__}: forward returned a tensor. A component works on "
                "NumPy arrays; for PyTorch there is minitransformer.grading.check."
            )
    return as_tuple(y)


def once_more(forward):
    with no_grad():
        return forward()


def expect_floats(inputs, d_inputs):
    """Raise InputError if backward returned a gradient for whole numbers."""
    whole = [
        f"input {i} is {x.dtype}"
        for i, x in enumerate(inputs)
        if hasattr(x, "dtype") and x.dtype.kind in "iu"
    ]
    if whole and sum(d is not None for d in d_inputs) > sum(map(is_float, inputs)):
        raise InputError(
            f"backward returned a gradient for whole numbers: {', '.join(whole)}. Pass floats, "
            "x.astype(float); whole numbers are only for a forward that takes ids, and its "
            "backward returns no gradient for them."
        )


def expect_float64(component, *inputs):
    """Raise InputError for arrays that are not precise enough for central differences."""
    arrays = {name: p.data for name, p in component.named_parameters().items()}
    arrays.update({f"input {i}": x for i, x in enumerate(inputs) if is_float(x)})
    for name, array in arrays.items():
        if array.dtype != np.float64:
            raise InputError(
                f"A gradient check needs float64, {name} is {array.dtype}: use "
                "component.to('float64'), x.astype(float)."
            )


def is_float(x):
    """Whether x is an input that has a gradient: a floating-point array."""
    return hasattr(x, "dtype") and x.dtype.kind == "f"


def as_tuple(y):
    """What forward or backward returned, as a tuple: of none for None, of one for a bare array."""
    return y if isinstance(y, tuple) else () if y is None else (y,)


def _weighted(d_y, y):
    """d_y ∘ y, 0 where y is −∞: a masked score is a constant, whatever d_y says."""
    y = np.asarray(y)
    return d_y * np.where(np.isneginf(y), 0, y)


def _weighted_sum(d_y, y):
    return float(np.sum(_weighted(d_y, y)))


def _analytic(component, d_outputs):
    """(gradients of the inputs, {name: gradient of the parameter}) of one backward, leaving `.grad`
    as it was."""
    before = {name: p.grad.copy() for name, p in component.named_parameters().items()}
    component.zero_grad()
    d_inputs = as_tuple(component.backward(*(d_y.copy() for d_y in d_outputs)))
    d_parameters = {name: p.grad.copy() for name, p in component.named_parameters().items()}
    for name, p in component.named_parameters().items():
        p.grad[...] = before[name]
    return d_inputs, d_parameters
