"""The checks of `check_component`, one function each. `CHECKS` at the end has them in the order in
which they run.

A check gets a `Case` and works on `case.fresh()` copies of its component. It returns if the
component keeps this part of the contract, raises `Breach` with a sentence if not, and
`NotApplicable` with the reason if there is nothing to check.
"""

import copy
import traceback

import numpy as np

from ..core.module import Module, Parameter, no_grad
from ..errors import BackwardWithoutForward, InputError
from .gradient_check import (
    BLURRED,
    KINK,
    as_tuple,
    away_from_initialisation,
    gradient_check,
    gradient_error,
    is_float,
    outputs_of,
)

ROUNDING = {"float64": 1e-10, "float32": 1e-4}  # what another order of the same sums may change
OF_OTHERS = 1e-4  # for inputs at which differences are less precise, such as ten times as large
CONVERTED = 1e-4  # an input of another dtype may be converted to float32
UNIT = 2.0**-24  # the relative rounding error of one number in float32
ROOM = 100  # how many times more than that of the data the rounding inside a component may be
REMEDY = "Convert it, say by numpy.asarray(x, dtype), or raise InputError."


class Breach(AssertionError):
    """What the component does wrong, in a sentence."""


class NotApplicable(Exception):
    """Why there is nothing to check."""


class Case:
    """Fresh, equal copies of a component in one dtype, away from initialisation, with its inputs
    and a gradient d_y.

    `options`: seed, tolerance and max_entries of the gradient check.
    """

    def __init__(self, component, inputs, dtype, rng, options):
        self.dtype, self.options = np.dtype(dtype), options
        self.original = away_from_initialisation(copy.deepcopy(component).to(dtype), rng)
        self.original.clear_saves()
        self.given = tuple(x.astype(dtype) if is_float(x) else copy.deepcopy(x) for x in inputs)
        outputs = outputs_of(component, self.fresh().forward(*self.inputs))
        self.given_back = tuple(
            rng.standard_normal(np.shape(y)).astype(getattr(y, "dtype", dtype)) for y in outputs
        )

    def fresh(self):
        return copy.deepcopy(self.original)

    @property
    def inputs(self):
        """The inputs, copied, so that a component that changes them affects no other check."""
        return copy.deepcopy(self.given)

    @property
    def d_outputs(self):
        """The gradient d_y of each output, likewise."""
        return copy.deepcopy(self.given_back)

    @property
    def others(self):
        """Other inputs of the same shapes, the ids and masks as they are."""
        rng = np.random.default_rng(1)
        return tuple(
            x[::-1].copy() + rng.standard_normal(x.shape).astype(x.dtype)
            if is_float(x) and x.ndim
            else x
            for x in self.inputs
        )

    @property
    def places(self):
        """The positions of the inputs that have a gradient."""
        return [i for i, x in enumerate(self.given) if is_float(x)]


def told(problem):
    """Such as "ValueError was raised: …", and a remedy if the values of saved() were unpacked
    wrongly."""
    sentence = f"{type(problem).__name__} was raised: {problem}"
    steps = traceback.extract_tb(problem.__traceback__)
    if "unpack" in str(problem) and steps and "saved()" in (steps[-1].line or ""):
        sentence += (
            ". self.saved() gives one saved value bare (x = self.saved()), several as a tuple (x, "
            "y = self.saved())."
        )
    return sentence


def expect_equal(a, b, sentence):
    """Equal bit for bit, tuples element by element."""
    for x, y in zip(as_tuple(a), as_tuple(b), strict=True):
        if np.shape(x) != np.shape(y) or not np.array_equal(x, y, equal_nan=True):
            raise Breach(f"{sentence}{difference(x, y)}.")


def expect_close(a, b, tolerance, sentence, remedy=""):
    """Equal up to rounding, and infinite or NaN at the same places."""
    for x, y in zip(a, b, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        same_shape = x.shape == y.shape
        finite = same_shape and np.isfinite(x)
        if (
            not same_shape
            or not np.array_equal(x[~finite], y[~finite], equal_nan=True)
            or gradient_error(x[finite], y[finite]) > tolerance
        ):
            raise Breach(f"{sentence}{difference(x, y)}. {remedy}".rstrip())


def difference(x, y):
    """How far two arrays are apart, for the end of a sentence."""
    if np.shape(x) != np.shape(y):
        return f" (shape {np.shape(x)} for {np.shape(y)})"
    apart = np.abs(np.subtract(x, y, dtype=np.float64))
    return f" (largest difference {apart[np.isfinite(apart)].max(initial=0):.2e})"


def results(component, inputs, d_outputs, training=False):
    """Outputs, gradients of the inputs, and gradients of the parameters, of one forward and one
    backward, in eval mode unless told otherwise."""
    component.train(training).zero_grad()
    outputs = as_tuple(component.forward(*inputs))
    d_inputs = as_tuple(component.backward(*d_outputs))
    return (*outputs, *d_inputs, *(p.grad.copy() for p in component.parameters()))


def expect_parameters(case):
    if not case.original.parameters():
        raise NotApplicable("no parameters")


# -- the contract ----------------------------------------------------------------------------------


def check_inputs_untouched(case):
    component, inputs, d_outputs = case.fresh(), case.inputs, case.d_outputs
    y = component.forward(*inputs)
    before = copy.deepcopy(as_tuple(y))
    component.backward(*d_outputs)
    arrays = [x for x in inputs if hasattr(x, "dtype")]
    originals = [x for x in case.given if hasattr(x, "dtype")]
    expect_equal(tuple(arrays), tuple(originals), "an input was changed in place")
    expect_equal(d_outputs, case.given_back, "backward changed d_y, the gradient that it got")
    expect_equal(as_tuple(y), before, "backward changed the output of forward")


def check_shapes_and_dtypes(case):
    component = case.fresh()
    for y in as_tuple(component.forward(*case.inputs)):
        if is_float(y) and y.dtype != case.dtype:
            arrays = plain_arrays(case.original, y.dtype)
            raise Breach(
                f"forward turned {case.dtype} into {y.dtype}. "
                f"{arrays or 'A plain NumPy number of another dtype may have slipped in.'}"
            )
    floats = [case.given[i] for i in case.places]
    d_inputs = as_tuple(component.backward(*case.d_outputs))
    if len(d_inputs) != len(floats):
        raise Breach(
            f"backward returned {len(d_inputs)} gradients, but forward has {len(floats)} float "
            "inputs."
        )
    for i, (x, d_x) in enumerate(zip(floats, d_inputs)):
        if d_x is None or np.shape(d_x) != x.shape:
            raise Breach(
                f"gradient {i} has shape {getattr(d_x, 'shape', None)}, its input has {x.shape}."
            )
        if d_x.dtype != case.dtype:
            raise Breach(f"backward turned {case.dtype} into {d_x.dtype} in gradient {i}.")
    for name, p in component.named_parameters().items():
        if p.data.dtype != case.dtype or p.grad.dtype != case.dtype or p.grad.shape != p.data.shape:
            raise Breach(f"the parameter {name} or its gradient changed its dtype or shape.")


def plain_arrays(component, dtype):
    """A sentence about the attributes that are arrays of this dtype but no parameters; empty if
    there are none."""
    found = [
        f"{path + '.' if path else ''}{name}"
        for path, module in component.named_modules()
        for name, value in vars(module).items()
        if name[0] != "_" and is_float(value) and value.dtype == dtype
    ]
    if not found:
        return ""
    return (
        f"{', '.join(found)}: an array of {dtype} that is no Parameter. If it is trained, write "
        "Parameter(…) around it; if it is constant, use it as .astype(x.dtype)."
    )


def check_saves_are_taken(case):
    component = case.fresh()
    component.forward(*case.inputs)
    component.backward(*case.d_outputs)
    if left := component.leftover_saves():
        raise Breach(
            f"after one forward and one backward, saves are left: {left}. Save once in forward, "
            "take once in backward."
        )


def check_parameters_untouched(case):
    expect_parameters(case)
    component = case.fresh()
    before = component.state_dict()
    component.forward(*case.inputs)
    component.backward(*case.d_outputs)
    for name, p in component.named_parameters().items():
        expect_equal(p.data, before[name], f"forward or backward changed the parameter {name}")


def check_repeatable(case):
    component = case.fresh().eval()
    first = as_tuple(component.forward(*case.inputs))
    kept = copy.deepcopy(first)
    second = as_tuple(component.forward(*case.inputs))
    expect_equal(second, kept, "in eval mode, two forwards of the same input differ")
    expect_equal(first, kept, "a second forward changed what the first one had returned")
    expect_equal(
        component.forward(*case.others), case.fresh().eval().forward(*case.others),
        "in eval mode, what forward gives depends on an earlier call",
    )


def check_returned_arrays_are_kept(case):
    """What forward and backward returned stays as it is when they run on other inputs of the same
    shapes: no array is used again."""
    others = tuple(2 * d_y if is_float(d_y) else d_y for d_y in case.d_outputs)
    for training in (True, False):
        component = case.fresh().train(training)
        y = as_tuple(component.forward(*case.inputs))
        d_x = as_tuple(component.backward(*case.d_outputs))
        with no_grad():
            silent = as_tuple(component.forward(*case.inputs))
        kept = copy.deepcopy((y, d_x, silent))
        component.forward(*case.others)
        component.backward(*others)
        with no_grad():
            component.forward(*case.others)
        for returned, before, who in zip(
            (y, d_x, silent), kept, ("forward", "backward", "forward inside no_grad()")
        ):
            expect_equal(
                returned, before,
                f"a later call changed an array that {who} had returned: make a new array in each "
                "call",
            )


def check_accumulates(case):
    """Each backward adds: after three, the gradient is three times that of one."""
    expect_parameters(case)
    once, often = case.fresh().eval(), case.fresh().eval()
    for component, times in ((once, 1), (often, 3)):
        for _ in range(times):
            component.forward(*case.inputs)
            component.backward(*case.d_outputs)
    for name, p in once.named_parameters().items():
        if gradient_error(often.named_parameters()[name].grad, 3 * p.grad) > 1e-5:
            raise Breach(
                f"each backward must add to the gradient of {name} (+=); after three it is not "
                "three times that of one."
            )


def check_last_in_first_out(case):
    """Two forwards with different inputs, undone in reverse, give what each gives alone."""
    def undo(component):
        """Gradients of inputs and parameters of one backward."""
        component.zero_grad()
        d_inputs = as_tuple(component.backward(*case.d_outputs))
        return d_inputs + tuple(p.grad.copy() for p in component.parameters())

    component, alone = case.fresh(), case.fresh()
    component.forward(*case.inputs)
    component.forward(*case.others)
    second, first = undo(component), undo(component)
    alone.forward(*case.inputs)
    first_alone = undo(alone)
    alone.forward(*case.others)
    second_alone = undo(alone)
    sentence = "two forwards undone in reverse do not meet their own saves (last in, first out)"
    expect_equal(first, first_alone, sentence)
    expect_equal(second, second_alone, sentence)


def check_backward_without_forward(case):
    component = case.fresh()
    try:
        component.backward(*case.d_outputs)
    except BackwardWithoutForward:
        return
    except Exception as problem:
        raise Breach(
            f"backward without forward raised {type(problem).__name__}, not "
            "BackwardWithoutForward: begin with self.saved()."
        ) from problem
    raise Breach(
        "backward without forward was accepted: save something in forward (self.save()) and take "
        "it back (self.saved())."
    )


def check_no_grad(case):
    plain, silent = case.fresh(), case.fresh()
    with no_grad():
        y = silent.forward(*case.inputs)
    if left := silent.leftover_saves():
        raise Breach(f"inside no_grad() forward saved something: {left}.")
    expect_equal(
        as_tuple(y), as_tuple(plain.forward(*case.inputs)),
        "forward inside no_grad() gives another output",
    )
    plain.clear_saves()
    if plain.leftover_saves():
        raise Breach("clear_saves() left something behind.")


def check_train_and_eval(case):
    component = case.fresh().eval()
    if any(m.training for _, m in component.named_modules()):
        raise Breach("eval() did not reach every submodule.")
    if not all(m.training for _, m in component.train().named_modules()):
        raise Breach("train() did not reach every submodule.")


def check_nothing_random_in_eval(case):
    component = case.fresh().eval()
    if not component.generators():
        raise NotApplicable("no dropout: nothing is random")
    before = copy.deepcopy([g.bit_generator.state for g in component.generators()])
    component.forward(*case.inputs)
    if before != [g.bit_generator.state for g in component.generators()]:
        raise Breach("a random number was drawn in eval mode. Draw only `if self.training`.")


def check_nothing_is_hidden(case):
    """Parameters and modules are attributes, or in lists of attributes; otherwise they would be
    neither trained nor saved."""
    for path, module in case.fresh().named_modules():
        found = {id(value) for _, value in module._members()}
        for name, value in vars(module).items():
            for item in _all_inside(value):
                if isinstance(item, (Module, Parameter)) and id(item) not in found:
                    raise Breach(
                        f"{path + '.' if path else ''}{name} holds a {type(item).__name__} that is "
                        "not found: make it an attribute without a leading underscore, or an item "
                        "of a list."
                    )


def _all_inside(value):
    """The value itself, or everything in its lists and dicts, however deep."""
    if isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _all_inside(item)
    else:
        yield value


def check_saving_and_loading(case):
    expect_parameters(case)
    component, other = case.fresh().eval(), case.fresh().eval()
    for p in other.parameters():
        p.data[...] = 0
    other.load_state_dict(component.state_dict())
    sentence = (
        "after loading the state of another, forward differs: some parameter is not found among "
        "the attributes"
    )
    expect_equal(
        as_tuple(other.forward(*case.inputs)), as_tuple(component.forward(*case.inputs)), sentence
    )


def check_gradients(case):
    """Finite differences, for which only float64 is precise enough: in training mode, and in eval
    mode unless all results are the same, bit for bit. Then of other inputs, where forward takes
    them."""
    if not case.places and not case.original.parameters():
        raise NotApplicable("no parameters and no float inputs: nothing has a gradient")
    if case.dtype != np.float64:
        return
    expect_right_gradients(case, "", case.inputs)
    in_training, in_eval = (
        results(case.fresh(), case.inputs, case.d_outputs, training) for training in (True, False)
    )
    if not all(map(np.array_equal, in_training, in_eval)):
        expect_right_gradients(case, " in eval mode", case.inputs, training=False)
    for what, inputs in other_inputs(case):
        if is_taken(case, inputs):
            tolerance = max(OF_OTHERS, case.options["tolerance"])
            expect_right_gradients(
                case, f" for {what}", inputs, may_be=(KINK, BLURRED), max_entries=1,
                tolerance=tolerance,
            )


def expect_right_gradients(case, where, inputs, training=True, may_be=(), **options):
    """Finite differences agree; a row that differs, with one of the notes `may_be`, tells
    nothing."""
    try:
        report = gradient_check(case.fresh().train(training), *inputs, **case.options | options)
    except Exception as problem:
        raise Breach(f"The gradient check{where} has stopped: {told(problem)}") from problem
    if any(not row.passed and row.note not in may_be for row in report.rows):
        raise Breach(f"A gradient is wrong{where}.\n{report}")


def other_inputs(case):
    """(what they are, inputs), made from the given ones: arrays with a batch (first axis), or a
    length (second axis), of one and of twice as many, and numbers ten times as large."""
    for axis, name in ((0, "first"), (1, "second")):
        # an array of floats has its features behind these axes
        has = [
            isinstance(x, np.ndarray) and x.ndim > max(1, axis + is_float(x)) for x in case.given
        ]
        size = next((x.shape[axis] for x, is_one in zip(case.given, has) if is_one), None)
        for what, change in (("of size 1", first_of), ("of twice the size", twice)):
            yield (
                f"a {name} axis {what}",
                [
                    change(x, axis) if is_one and x.shape[axis] == size else x
                    for x, is_one in zip(case.inputs, has)
                ],
            )
    yield "inputs ten times as large", [10 * x if is_float(x) else x for x in case.inputs]


def first_of(x, axis):
    return np.take(x, [0], axis)


def twice(x, axis):
    """x, and once more behind it, its floats a little smaller: no two are equal."""
    return np.concatenate([x, 0.9 * x if is_float(x) else x], axis)


def is_taken(case, inputs):
    """Whether forward takes these inputs. An axis of size 1 that NumPy broadcasts to the old size
    is not taken."""
    try:
        with np.errstate(all="ignore"):
            outputs = as_tuple(case.fresh().forward(*copy.deepcopy(inputs)))
    except Exception:  # it need not
        return False
    sizes, given = map(np.shape, outputs), map(np.shape, case.given_back)
    was_changed = [*map(np.shape, inputs)] != [*map(np.shape, case.given)]
    is_repeated = was_changed and any(size == other != () for size, other in zip(sizes, given))
    return not is_repeated and not any(np.isnan(y).any() for y in outputs)


def check_float32_against_float64(case):
    """Outputs and all gradients in float32 are those in float64 of the same values, up to rounding:

        ‖x₃₂ − x₆₄‖ ≤ 100 (δ + 2⁻²⁴ max ‖g‖)

    δ is the change of x₆₄ when each number of inputs, parameters and d_y changes by as much as
    float32 rounds it. The maximum is over all outputs for an output; for a gradient over all
    gradients, and d_y times the largest input: a sum of large numbers that is 0 is rounded by their
    size. In eval mode, and in training mode if nothing is random: a mask may be drawn in another
    way in another dtype.
    """
    if case.dtype != np.float32:
        return
    for training in (False,) if case.original.generators() else (False, True):
        rng, outputs = np.random.default_rng(2), len(case.given_back)
        found = results(case.fresh(), case.inputs, case.d_outputs, training)
        expected, *moved = (
            results(*in_float64(case, size, rng), training) for size in (0, UNIT, UNIT, UNIT)
        )
        sizes = [size_of(x) for x in expected]
        floats = [case.given[i] for i in case.places]
        d_y = max(map(size_of, case.given_back), default=0)
        d_y *= max([1, *(np.abs(x[np.isfinite(x)]).max(initial=0) for x in floats)])
        largest = max(sizes[:outputs], default=0), max(d_y, *sizes[outputs:], 0)
        for i, (x, y) in enumerate(zip(found, expected, strict=True)):
            change = max(apart(other[i], y) for other in moved)
            limit = ROOM * (change + UNIT * largest[i >= outputs])
            if not apart(x, y) <= limit:
                raise Breach(
                    f"{name_of_result(case, i)} in float32 is another than in float64 of the same "
                    f"values{difference(x, y)}. Look for what depends on the dtype: a branch, a "
                    "cast, a number that float32 cannot hold."
                )


def in_float64(case, size, rng) -> tuple[Module, list, list]:
    """(component, inputs, d_outputs) with the same values in float64, each number changed at random
    by up to `size` times itself."""
    component = case.fresh().to("float64")
    for p in component.parameters():
        p.data *= 1 + size * rng.uniform(-1, 1, p.shape)

    def changed(x):
        return x.astype(np.float64) * (1 + size * rng.uniform(-1, 1, x.shape))

    inputs, d_outputs = (
        [changed(x) if is_float(x) else x for x in arrays]
        for arrays in (case.inputs, case.d_outputs)
    )
    return component, inputs, d_outputs


def size_of(x):
    """‖x‖ of the finite entries."""
    x = np.asarray(x, dtype=np.float64)
    return np.linalg.norm(x[np.isfinite(x)])


def apart(x, y):
    """‖x − y‖ of the finite entries; infinite if others are not the same."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    finite = np.isfinite(x) & np.isfinite(y)
    same = np.array_equal(x[~finite], y[~finite], equal_nan=True)
    return np.linalg.norm(x[finite] - y[finite]) if same else np.inf


def name_of_result(case, i):
    """Such as "output 0", "gradient 1" (of an input), "the gradient of weight"."""
    outputs, parameters = len(case.given_back), [*case.original.named_parameters()]
    inputs = len(case.places)
    if i < outputs:
        return f"output {i}"
    if i < outputs + inputs:
        return f"gradient {i - outputs}"
    return f"the gradient of {parameters[i - outputs - inputs]}"


# -- unusual inputs: the right result, or an InputError --------------------------------------------


def check_any_memory_layout(case):
    """Inputs and gradients that are views, transposed or with gaps, give the same result as
    contiguous ones."""

    def transposed(x):
        return np.asarray(x, order="C").T.copy().T

    def every_second(x):
        return np.repeat(x, 2, axis=-1)[..., ::2]

    expected = results(case.fresh(), case.inputs, case.d_outputs)
    for view in (transposed, every_second):
        inputs, d_outputs = (
            [view(x) if is_float(x) and x.ndim else x for x in arrays]
            for arrays in (case.inputs, case.d_outputs)
        )
        what = (
            "a transposed (non-contiguous) input"
            if view is transposed
            else "an input with gaps in memory"
        )
        expect_close(
            results(case.fresh(), inputs, d_outputs), expected, ROUNDING[case.dtype.name],
            f"{what} gives another result",
        )


def check_read_only_arrays(case):
    inputs, d_outputs = case.inputs, case.d_outputs
    for x in (*inputs, *d_outputs):
        if isinstance(x, np.ndarray):
            x.flags.writeable = False
    try:
        found = results(case.fresh(), inputs, d_outputs)
    except Exception as problem:
        raise Breach(
            f"with read-only arrays, {type(problem).__name__} was raised: {problem}. Do not write "
            "into an input."
        ) from problem
    expected = results(case.fresh(), case.inputs, case.d_outputs)
    expect_close(found, expected, ROUNDING[case.dtype.name], "read-only arrays give another result")


def check_d_y_of_another_shape(case):
    """Each is refused: NumPy would broadcast it, and the gradient would be wrong without an
    error."""
    for i, d_y in enumerate(case.given_back):
        for wrong in _other_shapes(d_y):
            component, d_outputs = case.fresh(), [*case.d_outputs]
            component.forward(*case.inputs)
            d_outputs[i] = wrong
            try:
                component.backward(*d_outputs)
            except InputError:
                continue
            except Exception as problem:
                raise Breach(
                    f"for a d_y of shape {wrong.shape} after an output of shape {d_y.shape}, "
                    f"backward raised {type(problem).__name__}: {problem}. Raise InputError with "
                    "both shapes."
                ) from problem
            raise Breach(
                f"backward took a d_y of shape {wrong.shape} after an output of shape {d_y.shape}. "
                "Raise InputError with both shapes."
            )


def _other_shapes(d_y):
    """d_y with an axis more, an axis less, an axis of size 1, a longer last axis, and transposed:
    where that is another shape."""
    wrong = [d_y[None]]
    if d_y.ndim:
        wrong += [d_y[0], np.concatenate([d_y, d_y[..., :1]], axis=-1), d_y.T]
        wrong += [np.take(d_y, [0], axis) for axis in range(d_y.ndim)]
    return [other for other in wrong if other.shape != d_y.shape]


def _expect_same_or_refused(case, what, change, plainly, everything=False):
    """Each input in turn, and each d_y, is replaced by `change(x)`, called `what` in messages: the
    result is that of `plainly(x)`, or an InputError. Only floats are changed, or with `everything`
    all arrays.
    """
    places = [
        (0, i)
        for i, x in enumerate(case.given)
        if is_float(x) or everything and isinstance(x, np.ndarray)
    ]
    if not places:
        raise NotApplicable("no float inputs")

    def with_one_changed(place, change):
        which, i = place
        arrays = list(case.inputs), list(case.d_outputs)
        arrays[which][i] = change(arrays[which][i])
        return results(case.fresh(), *arrays)

    for place in [*places, *((1, i) for i in range(len(case.given_back)))]:
        role = "d_y" if place[0] else f"input {place[1]}"
        try:
            expected = with_one_changed(place, plainly)
        except InputError:  # these numbers are not allowed in any form
            continue
        try:
            found = with_one_changed(place, lambda x: change(plainly(x)))
        except InputError:
            continue
        except Exception as problem:
            raise Breach(
                f"with {what} as {role}, {type(problem).__name__} was raised: {problem}. {REMEDY}"
            ) from problem
        for y in found:
            if isinstance(y, np.ndarray) and type(y) is not np.ndarray:
                raise Breach(
                    f"with {what} as {role}, a result is a {type(y).__name__}, not a plain array. "
                    f"{REMEDY}"
                )
            # another byte order is another dtype
            if is_float(y) and y.dtype not in (np.float64, np.float32):
                raise Breach(
                    f"with {what} as {role}, a result has the dtype {y.dtype.str}, not "
                    f"{case.dtype}. {REMEDY}"
                )
        expect_close(
            found,
            expected,
            CONVERTED,
            f"with {what} as {role}, the result is another than with {case.dtype} of the same "
            "values",
            REMEDY,
        )


def check_integers(case):
    """Integers: constants, and results written in place, must not be rounded to integers."""
    _expect_same_or_refused(
        case, "integers", lambda x: x.astype(np.int64), lambda x: np.rint(3 * x)
    )


def check_lists(case):
    _expect_same_or_refused(case, "a list", lambda x: x.tolist(), np.copy, everything=True)


class _Subclass(np.ndarray):
    """An array that multiplies in another way, as numpy.matrix does."""

    def __mul__(self, other):
        return np.multiply(np.multiply(self, other), 2)

    __rmul__ = __imul__ = __mul__


def check_subclasses(case):
    _expect_same_or_refused(
        case, "a subclass of ndarray", lambda x: x.view(_Subclass), np.copy, everything=True
    )


def check_byte_order(case):
    """Arrays from a file may be big-endian."""
    _expect_same_or_refused(
        case, "big-endian numbers",
        lambda x: x.astype(x.dtype.newbyteorder(">" if np.little_endian else "<")), np.copy,
        everything=True,
    )


def check_half_precision(case):
    _expect_same_or_refused(
        case, "float16", lambda x: x.astype(np.float16),
        lambda x: x.astype(np.float16).astype(x.dtype),
    )


def check_empty_batch(case):
    """An empty batch gives empty outputs and gradients of 0; or it is refused."""
    sizes = [len(x) for x in case.given if isinstance(x, np.ndarray) and x.ndim > 1]
    if not sizes:
        raise NotApplicable("no input with a batch axis")

    def emptied(x):
        return x[:0] if isinstance(x, np.ndarray) and x.ndim > 1 and len(x) == sizes[0] else x

    try:
        found = results(case.fresh(), [*map(emptied, case.inputs)], [*map(emptied, case.d_outputs)])
    except InputError:
        return
    except Exception as problem:
        raise Breach(
            f"with an empty batch, {type(problem).__name__} was raised: {problem}. Return empty "
            "arrays, or raise InputError."
        ) from problem
    component = case.original
    expected = [
        np.zeros_like(emptied(x)) for x in (*case.given_back, *(case.given[i] for i in case.places))
    ]
    sentence = "with an empty batch, an output or a gradient is neither empty nor zero"
    expect_equal(
        found, (*expected, *(np.zeros_like(p.data) for p in component.parameters())), sentence
    )


def check_numpy_numbers(case):
    """An option that is a NumPy number of another dtype has the same effect as a plain number."""
    component, found = case.fresh(), 0
    for _, module in component.named_modules():
        for name, value in list(vars(module).items()):
            if type(value) in (int, float) and not name.startswith("_"):
                setattr(
                    module, name, np.float64(value) if type(value) is float else np.int64(value)
                )
                found += 1
    if not found:
        raise NotApplicable("no numbers among its attributes")
    for y in results(component, case.inputs, case.d_outputs):
        if is_float(y) and y.dtype != case.dtype:
            raise Breach(
                f"an attribute that is a NumPy number turns {case.dtype} into {y.dtype}. Make it a "
                "plain number: float(...)."
            )


CHECKS = [
    check_inputs_untouched,
    check_shapes_and_dtypes,
    check_saves_are_taken,
    check_parameters_untouched,
    check_repeatable,
    check_returned_arrays_are_kept,
    check_accumulates,
    check_last_in_first_out,
    check_backward_without_forward,
    check_no_grad,
    check_train_and_eval,
    check_nothing_random_in_eval,
    check_nothing_is_hidden,
    check_saving_and_loading,
    check_gradients,
    check_float32_against_float64,
    check_any_memory_layout,
    check_read_only_arrays,
    check_d_y_of_another_shape,
    check_integers,
    check_lists,
    check_subclasses,
    check_byte_order,
    check_half_precision,
    check_empty_batch,
    check_numpy_numbers,
]
