"""Does a component keep the whole contract? In the manner of scikit-learn's `check_estimator`.

    check_component(LayerNorm(11), x)      raises ContractError with one clear sentence, or returns

It serves our components, which `all_components` finds by itself, and a reader's own.
"""

import copy
import importlib
import inspect
import pkgutil

import numpy as np

from .errors import BackwardWithoutForward
from .gradient_check import TOLERANCE, as_tuple, away_from_initialisation, gradient_check, gradient_error, is_float
from .module import Module, Parameter, no_grad


class ContractError(AssertionError):
    """A component breaks the contract; the message says which part, with the numbers that show it."""


def check_component(component, *inputs, seed=0, tolerance=TOLERANCE, max_entries=None):
    """Hold a component, with one set of inputs, against the whole contract.

    Shapes and dtypes of outputs and gradients, gradients against finite differences (float64, away from
    initialisation), accumulation (`+=`), saves that are last in, first out, inputs left untouched, train and eval,
    no_grad, repeatability, and saving and loading. The component itself is not changed: copies are checked.

    Float inputs are converted to the dtype under test; ids, masks and None pass as they are. `max_entries` limits the
    entries that finite differences try in each array. Raises ContractError at the first breach; returns None.
    """
    if not isinstance(component, Module):
        raise ContractError(f"{type(component).__name__} is no Module: write `class {type(component).__name__}(Module)`.")
    rng = np.random.default_rng(seed)
    for dtype in ("float64", "float32"):
        case = _Case(component, inputs, dtype, rng)
        for check in CHECKS:
            check(case)
    report = _gradients(_Case(component, inputs, "float64", rng), seed, tolerance, max_entries)
    if not report.passed:
        raise ContractError(f"A gradient is wrong.\n{report}")


class _Case:
    """Fresh, equal copies of a component in one dtype, away from initialisation, with its inputs and a gradient d_y."""

    def __init__(self, component, inputs, dtype, rng):
        self.name, self.dtype = type(component).__name__, np.dtype(dtype)
        self.original = away_from_initialisation(copy.deepcopy(component).to(dtype), rng)
        self.original.clear_saves()
        self.inputs = tuple(x.astype(dtype) if is_float(x) else copy.deepcopy(x) for x in inputs)
        outputs = as_tuple(self.fresh().forward(*copy.deepcopy(self.inputs)))
        self.d_outputs = tuple(rng.standard_normal(np.shape(y)).astype(dtype) for y in outputs)

    def fresh(self):
        return copy.deepcopy(self.original)

    def fail(self, sentence):
        raise ContractError(f"{self.name} ({self.dtype}): {sentence}")

    def expect_equal(self, a, b, sentence):
        """Equal bit for bit, tuples element by element."""
        for x, y in zip(as_tuple(a), as_tuple(b), strict=True):
            if x.shape != y.shape or not np.array_equal(x, y, equal_nan=True):
                self.fail(f"{sentence} (largest difference {np.nanmax(np.abs(np.subtract(x, y, dtype=np.float64))):.2e})")


def check_inputs_untouched(case):
    """First of all, because a component that changes its inputs would change them under the checks that follow."""
    component, inputs, d_outputs = case.fresh(), copy.deepcopy(case.inputs), copy.deepcopy(case.d_outputs)
    y = component.forward(*inputs)
    before = copy.deepcopy(as_tuple(y))
    component.backward(*d_outputs)
    arrays = [x for x in inputs if hasattr(x, "dtype")]
    originals = [x for x in case.inputs if hasattr(x, "dtype")]
    case.expect_equal(tuple(arrays), tuple(originals), "an input was changed in place")
    case.expect_equal(d_outputs, case.d_outputs, "backward changed the gradient that it was handed")
    case.expect_equal(as_tuple(y), before, "backward changed the output of forward")


def check_shapes_and_dtypes(case):
    component = case.fresh()
    for y in as_tuple(component.forward(*case.inputs)):
        if is_float(y) and y.dtype != case.dtype:
            case.fail(f"forward turned {case.dtype} into {y.dtype}. A plain NumPy number of another dtype may have slipped in.")
    floats = [x for x in case.inputs if is_float(x)]
    d_inputs = as_tuple(component.backward(*case.d_outputs))
    if len(d_inputs) != len(floats):
        case.fail(f"backward returned {len(d_inputs)} gradients, but forward has {len(floats)} float inputs.")
    for i, (x, d_x) in enumerate(zip(floats, d_inputs)):
        if d_x is None or d_x.shape != x.shape:
            case.fail(f"gradient {i} has shape {getattr(d_x, 'shape', None)}, its input has {x.shape}.")
        if d_x.dtype != case.dtype:
            case.fail(f"backward turned {case.dtype} into {d_x.dtype} in gradient {i}.")
    for name, p in component.named_parameters().items():
        if p.data.dtype != case.dtype or p.grad.dtype != case.dtype or p.grad.shape != p.data.shape:
            case.fail(f"the parameter {name} or its gradient changed its dtype or shape.")


def check_saves_are_taken(case):
    component = case.fresh()
    component.forward(*case.inputs)
    component.backward(*case.d_outputs)
    if left := component.leftover_saves():
        case.fail(f"after one forward and one backward, saves are left: {left}. Save once in forward, take once in backward.")


def check_parameters_untouched(case):
    component = case.fresh()
    before = component.state_dict()
    component.forward(*case.inputs)
    component.backward(*case.d_outputs)
    for name, p in component.named_parameters().items():
        case.expect_equal(p.data, before[name], f"forward or backward changed the parameter {name}")


def check_repeatable(case):
    component = case.fresh().eval()
    first = as_tuple(component.forward(*case.inputs))
    kept = copy.deepcopy(first)
    second = as_tuple(component.forward(*case.inputs))
    case.expect_equal(second, kept, "in eval mode, two forwards of the same input differ")
    case.expect_equal(first, kept, "a second forward changed what the first one had returned")


def check_accumulates(case):
    once, twice = case.fresh().eval(), case.fresh().eval()
    once.forward(*case.inputs)
    once.backward(*case.d_outputs)
    for _ in range(2):
        twice.forward(*case.inputs)
        twice.backward(*case.d_outputs)
    for name, p in once.named_parameters().items():
        error = gradient_error(twice.named_parameters()[name].grad, 2 * p.grad)
        if error > 1e-5:
            case.fail(f"a second backward must add to the gradient of {name} (+=); after two it is not twice that of one.")


def check_last_in_first_out(case):
    """Two forwards with different inputs, undone in reverse, give what each gives alone."""
    rng = np.random.default_rng(1)
    others = tuple(x[::-1].copy() + rng.standard_normal(x.shape).astype(x.dtype) if is_float(x) else x for x in case.inputs)

    def undo(component):
        """Gradients of inputs and parameters of one backward."""
        component.zero_grad()
        d_inputs = as_tuple(component.backward(*case.d_outputs))
        return d_inputs + tuple(p.grad.copy() for p in component.parameters())

    component, alone = case.fresh(), case.fresh()
    component.forward(*case.inputs)
    component.forward(*others)
    second, first = undo(component), undo(component)
    alone.forward(*case.inputs)
    first_alone = undo(alone)
    alone.forward(*others)
    second_alone = undo(alone)
    sentence = "two forwards undone in reverse do not meet their own saves (last in, first out)"
    case.expect_equal(first, first_alone, sentence)
    case.expect_equal(second, second_alone, sentence)


def check_backward_without_forward(case):
    component = case.fresh()
    try:
        component.backward(*case.d_outputs)
    except BackwardWithoutForward:
        return
    except Exception as problem:
        case.fail(f"backward without forward raised {type(problem).__name__}, not BackwardWithoutForward: begin with self.saved().")
    case.fail("backward without forward was accepted: save something in forward (self.save()) and take it back (self.saved()).")


def check_no_grad(case):
    plain, silent = case.fresh(), case.fresh()
    with no_grad():
        y = silent.forward(*case.inputs)
    if left := silent.leftover_saves():
        case.fail(f"inside no_grad() forward saved something: {left}.")
    case.expect_equal(as_tuple(y), as_tuple(plain.forward(*case.inputs)), "forward inside no_grad() gives another output")
    plain.clear_saves()
    if plain.leftover_saves():
        case.fail("clear_saves() left something behind.")


def check_train_and_eval(case):
    component = case.fresh().eval()
    if any(m.training for _, m in component.named_modules()):
        case.fail("eval() did not reach every submodule.")
    states = [g.bit_generator.state for g in component.generators()]
    component.forward(*case.inputs)
    if states != [g.bit_generator.state for g in component.generators()]:
        case.fail("a random number was drawn in eval mode.")
    if not all(m.training for _, m in component.train().named_modules()):
        case.fail("train() did not reach every submodule.")


def check_nothing_is_hidden(case):
    """Parameters and modules are attributes, or in lists of attributes; elsewhere they would not train nor be saved."""
    for path, module in case.fresh().named_modules():
        found = {id(value) for _, value in module._members()}
        for name, value in vars(module).items():
            for item in _all_inside(value):
                if isinstance(item, (Module, Parameter)) and id(item) not in found:
                    case.fail(f"{path + '.' if path else ''}{name} holds a {type(item).__name__} that is not found: make it an "
                              "attribute without a leading underscore, or an item of a list.")  # fmt: skip


def _all_inside(value):
    """The value itself, or everything in its lists and dicts, however deep."""
    if isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _all_inside(item)
    else:
        yield value


def check_saving_and_loading(case):
    component, other = case.fresh().eval(), case.fresh().eval()
    for p in other.parameters():
        p.data[...] = 0
    other.load_state_dict(component.state_dict())
    sentence = "after loading the state of another, forward differs: some parameter is not found among the attributes"
    case.expect_equal(as_tuple(other.forward(*case.inputs)), as_tuple(component.forward(*case.inputs)), sentence)


def check_any_memory_layout(case):
    """Inputs and gradients that are transposed views give the same as contiguous ones, up to rounding."""

    def strided(x):
        return np.asarray(x, order="C").T.copy().T if is_float(x) and np.ndim(x) > 1 else x

    plain, other = case.fresh().eval(), case.fresh().eval()
    results = [plain.forward(*case.inputs), other.forward(*map(strided, case.inputs))]
    results = [as_tuple(y) for y in results]
    results[0] += as_tuple(plain.backward(*case.d_outputs))
    results[1] += as_tuple(other.backward(*map(strided, case.d_outputs)))
    for a, b in zip(*results):
        finite = np.isfinite(a)
        if gradient_error(np.where(finite, a, 0), np.where(finite, b, 0)) > (1e-10 if case.dtype == np.float64 else 1e-4):
            case.fail("a transposed (non-contiguous) input gives another result.")


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_") and name != "check_component"]


# -- the package's own components ------------------------------------------------------------------------------


def all_components():
    """Every component that the package defines, in the order of their modules: no list to forget one in."""
    package, found = importlib.import_module(__package__), {}
    for info in pkgutil.walk_packages(package.__path__, "minitransformer."):
        if info.name.split(".")[1] not in ("gpu", "plotting", "__main__"):  # the forms of `gpu` are components that are here already
            module = importlib.import_module(info.name)
            classes = [c for _, c in inspect.getmembers(module, inspect.isclass) if issubclass(c, Module) and c is not Module]
            found.update({c.__qualname__: c for c in classes if c.__module__ == info.name})
    return list(found.values())


def check_gradients(cls, seed=0, max_entries=None):
    """The `GradientReport` of a component class on its own example, in float64, away from initialisation."""
    rng = np.random.default_rng(seed)
    component, *inputs = cls.example(rng)
    return _gradients(_Case(component, inputs, "float64", rng), seed, TOLERANCE, max_entries or None)


def _gradients(case, seed, tolerance, max_entries):
    return gradient_check(case.fresh(), *case.inputs, seed=seed, tolerance=tolerance, max_entries=max_entries)
