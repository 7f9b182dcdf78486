"""The contract checker: all components of the package pass, and each way to break the contract is
named."""

import importlib.util

import numpy as np
import pytest
from common import refusal
from wrong_components import RIGHT, WRONG

from minitransformer.core import Module
from minitransformer.core.module import Parameter
from minitransformer.errors import InputError
from minitransformer.layers import Dropout, Linear
from minitransformer.models.encoder import EncoderLayer
from minitransformer.older import LocalAttention, MultiplicativeAttention
from minitransformer.testing import (
    all_components,
    check_component,
    count_products,
    gradient_check,
    trace,
)
from minitransformer.testing import contract as contract_checks
from minitransformer.testing.conformance import ContractError, check_gradients, name_of
from minitransformer.testing.contract import CHECKS, Case, check_float32_against_float64
from minitransformer.testing.gradient_check import is_float

COMPONENTS = all_components()
# what the one boundary for all components mends
OPEN = () if importlib.util.find_spec("minitransformer.boundary") else {
    "d y of another shape", "integers", "lists", "subclasses", "byte order", "half precision",
}  # fmt: skip


def test_the_components_are_found_by_themselves():
    names = {c.__name__ for c in COMPONENTS}
    assert {
        "Softmax", "LayerNorm", "MultiHeadAttention", "CrossEntropy", "Transformer",
        "LanguageModel",
    } <= names
    assert len(names) >= 26


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: c.__name__)
def test_every_component_keeps_the_contract(component):
    assert "example" in vars(component), f"{component.__name__} needs a classmethod example(rng)"
    made, *inputs = component.example(np.random.default_rng(5))
    report = check_component(made, *inputs, max_entries=12, raises=False)
    assert {result.name for result in report.failed} <= set(OPEN), f"\n{report}"


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: c.__name__)
def test_every_docstring_gives_formula_shapes_and_source(component):
    text = component.__doc__
    assert "Shapes" in text and "Source" in text and "ackward" in text


def test_the_check_leaves_the_component_as_it_was():
    rng = np.random.default_rng(0)
    linear = Linear(3, 4, rng)
    before = linear.state_dict()
    check_component(linear, rng.standard_normal((2, 3)), raises=False)
    for name, p in linear.named_parameters().items():
        np.testing.assert_array_equal(p.data, before[name])
        assert not p.grad.any()


def plain(x, dtype):
    """x as a plain array of this dtype, or an InputError: a boundary of its own, so that each check
    can be broken alone."""
    if not isinstance(x, (np.ndarray, np.generic)):
        raise InputError(f"An array is needed, got {type(x).__name__}.")
    return np.asarray(x, dtype=dtype)


class Bare(Module):
    """A `Module` whose subclasses are checked by nobody but themselves."""

    def __init_subclass__(cls, **options):
        pass


class Scale(Bare):
    """y = w ∘ x, right; the classes below break it, one line each."""

    def __init__(self):
        self.weight = Parameter.ones(4)

    def forward(self, x):
        x = self.taken(x)
        self.save(x)
        return x * self.weight.data

    def backward(self, d_y):
        x = self.saved()
        d_y = self.fitting(d_y, x.shape)
        self.weight.grad += (d_y * x).reshape(-1, 4).sum(axis=0)
        return d_y * self.weight.data

    def taken(self, x):
        return plain(x, self.weight.data.dtype)

    def fitting(self, d_y, shape):
        d_y = self.taken(d_y)
        if d_y.shape != shape:
            raise InputError(f"d_y has shape {d_y.shape}, the output has {shape}.")
        return d_y


# Each of these fails one check, and no other.


class ChangesGradient(Scale):
    def backward(self, d_y):
        d_x = super().backward(d_y)
        if type(d_y) is np.ndarray and d_y.flags.writeable:
            d_y *= 2
        return d_x


class Widens(Scale):
    def forward(self, x):
        return super().forward(x) * np.float64(1.0)


class LeavesSaves(Scale):
    def __init__(self):
        super().__init__()
        self.inner = Scale()

    def forward(self, x):
        return super().forward(x) + 0 * self.inner(x)


class ChangesParameter(Scale):
    def __init__(self):
        super().__init__()
        self.calls = Parameter.zeros(1)

    def backward(self, d_y):
        self.calls.data += 1
        return super().backward(d_y)


class CountsItsCalls(Scale):
    _calls = 0

    def forward(self, x):
        """A little, so that finite differences do not see it."""
        self._calls += not self.training
        return super().forward(x) * (1 + 1e-15 * self._calls)


class ReusesOutput(Scale):
    def forward(self, x):
        return self.again(super().forward(x))

    def again(self, result):
        kept = self.__dict__.setdefault("_kept", {})
        kept = kept.setdefault((result.shape, result.dtype), result)
        kept[...] = result
        return kept


class ReusesGradient(ReusesOutput):
    def forward(self, x):
        return Scale.forward(self, x)

    def backward(self, d_y):
        return self.again(super().backward(d_y))


class Assigns(Scale):
    def backward(self, d_y):
        self.weight.zero_grad()
        return super().backward(d_y)


class OneSlot(Scale):
    def forward(self, x):
        self._x = self.taken(x)
        self.save()
        return self._x * self.weight.data

    def backward(self, d_y):
        self.saved()
        d_y = self.fitting(d_y, self._x.shape)
        self.weight.grad += (d_y * self._x).sum(axis=0)
        return d_y * self.weight.data


class NeedsNoForward(Scale):
    _shape = None

    def forward(self, x):
        x = self.taken(x)
        self._shape = x.shape
        return x * 2.0

    def backward(self, d_y):
        return self.fitting(d_y, self._shape or d_y.shape) * 2.0


class KeepsSaving(Scale):
    def forward(self, x):
        x = self.taken(x)
        self.__dict__.setdefault("_saves", []).append((x,))
        return x * self.weight.data


class ForgetsModules(Scale):
    def __init__(self):
        super().__init__()
        self.inner = Scale()

    def train(self, on=True):
        self.training = on
        return self


class RandomInEval(Scale):
    def __init__(self):
        super().__init__()
        self.dropout = Dropout(0.5, np.random.default_rng(0))

    def forward(self, x):
        self.dropout.rng.random()
        return super().forward(x)


class HiddenParameter(Scale):
    def __init__(self):
        super().__init__()
        self._shift = Parameter.ones(4)


class LoadsNothing(Scale):
    def load_state_dict(self, state):
        pass


class WrongGradient(Scale):
    def backward(self, d_y):
        return super().backward(d_y) * 1.001


class WrongInFloat32(Scale):
    def backward(self, d_y):
        d_x = super().backward(d_y)
        return d_x * (1.001 if d_x.dtype == np.float32 else 1)


class InTheOrderOfMemory(Scale):
    def forward(self, x):
        x = self.taken(x)
        return super().forward(x.ravel(order="K").reshape(x.shape))


class SkipsGaps(Scale):
    def forward(self, x):
        x = self.taken(x)
        gaps = x.flags.c_contiguous or x.flags.f_contiguous
        return super().forward(x if gaps else np.zeros_like(x))


class WritesBack(Scale):
    def forward(self, x):
        if isinstance(x, np.ndarray):
            x[...] = x
        return super().forward(x)


class Broadcasts(Scale):
    def fitting(self, d_y, shape):
        return self.taken(d_y)


class RoundsIntegers(Scale):
    def forward(self, x):
        y = super().forward(x)
        return y.astype(int).astype(y.dtype) if x.dtype.kind == "i" else y


class NoLists(Scale):
    def taken(self, x):
        return np.asarray(x.astype(self.weight.data.dtype))


class KeepsSubclasses(Scale):
    def taken(self, x):
        return super().taken(x).view(type(x))


class KeepsByteOrder(Scale):
    def forward(self, x):
        y = super().forward(x)
        return y if x.dtype.isnative else y.astype(x.dtype)


class KeepsHalfPrecision(Scale):
    def forward(self, x):
        y = super().forward(x)
        return y.astype(np.float16) if x.dtype == np.float16 else y


class DividesByTheBatch(Scale):
    def forward(self, x):
        return super().forward(x) * (len(x) / len(x))


class GradientOfNothing(Scale):
    def backward(self, d_y):
        d_x = super().backward(d_y)
        self.weight.grad += 1.0 - np.sign(len(d_x))
        return d_x


class KeepsNumpyNumbers(Scale):
    def __init__(self):
        super().__init__()
        self.factor = 2.0

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)

    def forward(self, x):
        return super().forward(self.taken(x) * self.factor)

    def backward(self, d_y):
        return super().backward(d_y) * self.factor


ALONE = [
    (ChangesGradient, "inputs untouched", "changed d_y, the gradient that it got"),
    (Widens, "shapes and dtypes", "forward turned float32 into float64"),
    (LeavesSaves, "saves are taken", "saves are left: {'inner': 1}"),
    (ChangesParameter, "parameters untouched", "changed the parameter calls"),
    (CountsItsCalls, "repeatable", "two forwards of the same input differ"),
    (ReusesOutput, "returned arrays are kept",
     "a later call changed an array that forward had returned"),
    (ReusesGradient, "returned arrays are kept",
     "a later call changed an array that backward had returned"),
    (Assigns, "accumulates", "must add to the gradient of weight"),
    (OneSlot, "last in first out", "last in, first out"),
    (NeedsNoForward, "backward without forward", "backward without forward was accepted"),
    (KeepsSaving, "no grad", "inside no_grad"),
    (ForgetsModules, "train and eval", "did not reach every submodule"),
    (RandomInEval, "nothing random in eval", "random number was drawn in eval"),
    (HiddenParameter, "nothing is hidden", "_shift holds a Parameter that is not found"),
    (LoadsNothing, "saving and loading", "after loading the state of another, forward differs"),
    (WrongGradient, "gradients", "A gradient is wrong"),
    (WrongInFloat32, "float32 against float64",
     "gradient 0 in float32 is another than in float64 of the same values"),
    (InTheOrderOfMemory, "any memory layout",
     "a transposed (non-contiguous) input gives another result"),
    (SkipsGaps, "any memory layout", "an input with gaps in memory gives another result"),
    (WritesBack, "read only arrays", "Do not write into an input"),
    (Broadcasts, "d y of another shape",
     "backward took a d_y of shape (1, 3, 4) after an output of shape (3, 4)"),
    (RoundsIntegers, "integers", "with integers as input 0, the result is another"),
    (NoLists, "lists", "with a list as input 0, AttributeError was raised"),
    (KeepsSubclasses, "subclasses", "not a plain array"),
    (KeepsByteOrder, "byte order",
     "with big-endian numbers as input 0, a result has the dtype >f8, not float64"),
    (KeepsHalfPrecision, "half precision", "a result has the dtype <f2, not float64"),
    (DividesByTheBatch, "empty batch", "ZeroDivisionError"),
    (GradientOfNothing, "empty batch", "neither empty nor zero"),
    (KeepsNumpyNumbers, "numpy numbers",
     "an attribute that is a NumPy number turns float32 into float64"),
]  # fmt: skip


# And these break more than one.


class WrongParameterGradient(Scale):
    def backward(self, d_y):
        x = self.saved()
        self.weight.grad += (d_y * x).mean(axis=0)
        return d_y * self.weight.data


class FirstInFirstOut(Scale):
    def backward(self, d_y):
        if len(self.__dict__.get("_saves", ())) > 1:
            self._saves.reverse()
        return super().backward(d_y)


class ChangesInput(Scale):
    def forward(self, x):
        x *= 1.5
        return super().forward(x)


class ChangesWhatItIsHanded(Scale):
    """A change that a second forward no longer shows."""

    def forward(self, x):
        x[x < 0] = 0
        return super().forward(x)


class ChangesWeight(Scale):
    def backward(self, d_y):
        d_x = super().backward(d_y)
        self.weight.data -= 0.1 * self.weight.grad
        return d_x


class Narrows(Scale):
    def backward(self, d_y):
        return super().backward(d_y).astype(np.float32)


class WrongShape(Scale):
    def backward(self, d_y):
        return super().backward(d_y).sum(axis=0)


class ForgetsGradient(Scale):
    def backward(self, d_y):
        super().backward(d_y)


class ReusesBuffer(Scale):
    def forward(self, x):
        y = super().forward(x)
        self._calls = getattr(self, "_calls", 0) + 1
        self._y = getattr(self, "_y", y)
        self._y[...] = y + (self._calls == 2)
        return self._y


class InAListOfLists(Scale):
    def __init__(self):
        super().__init__()
        self.maps = [[Scale()]]


class InADict(Scale):
    def __init__(self):
        super().__init__()
        self.maps = {"only": Scale()}


BROKEN = [
    (WrongParameterGradient, "gradients", "A gradient is wrong"),
    (FirstInFirstOut, "last in first out", "last in, first out"),
    (ChangesInput, "inputs untouched", "input was changed"),
    (ChangesWhatItIsHanded, "inputs untouched", "input was changed"),
    (ChangesWeight, "parameters untouched", "changed the parameter weight"),
    (Narrows, "shapes and dtypes", "backward turned float64 into float32"),
    (WrongShape, "shapes and dtypes", "gradient 0 has shape"),
    (ForgetsGradient, "shapes and dtypes", "returned 0 gradients"),
    (ReusesBuffer, "repeatable", "two forwards of the same input differ"),
    (InAListOfLists, "nothing is hidden", "maps holds a Scale that is not found"),
    (InADict, "nothing is hidden", "maps holds a Scale that is not found"),
]


def x34():
    return np.random.default_rng(0).standard_normal((3, 4))


def test_a_right_component_passes_and_every_check_is_in_the_report():
    report = check_component(Scale(), x34())
    assert report.passed and not report.failed and report.component == "Scale"
    assert [result.name for result in report.results] == [name_of(check) for check in CHECKS]
    assert report.counts() == f"{len(CHECKS) - 2} passed, 0 failed, 2 not applicable"
    reasons = {
        result.name: result.why for result in report.results if result.status == "not applicable"
    }
    assert reasons == {
        "nothing random in eval": "no dropout: nothing is random",
        "numpy numbers": "no numbers among its attributes",
    }


def test_the_list_of_checks_has_every_check():
    assert {f for name, f in vars(contract_checks).items() if name.startswith("check_")} == set(
        CHECKS
    )
    assert {name for _, name, _ in ALONE} == {name_of(check) for check in CHECKS}


@pytest.mark.parametrize(
    "broken, name, sentence", ALONE, ids=lambda value: getattr(value, "__name__", "")
)
def test_each_check_fails_alone(broken, name, sentence):
    report = check_component(broken(), x34(), raises=False)
    assert [result.name for result in report.failed] == [name], f"\n{report}"
    assert sentence in report.failed[0].why


@pytest.mark.parametrize(
    "broken, name, sentence", [*ALONE, *BROKEN], ids=lambda value: getattr(value, "__name__", "")
)
def test_each_breach_is_named(broken, name, sentence):
    with pytest.raises(ContractError) as caught:
        check_component(broken(), x34())
    (line,) = (line for line in str(caught.value).splitlines() if line.startswith(f"  {name}: "))
    assert sentence in line
    report = caught.value.report
    assert str(caught.value).startswith(
        f"{broken.__name__} breaks the contract: {report.counts()}."
    )
    assert all(
        f"  {result.name}: {result.why}" in str(caught.value)
        for result in report.failed
        if not result.same_as
    )
    assert all(result.name in str(caught.value) for result in report.failed)


def test_a_report_is_a_table():
    lines = str(check_component(WrongGradient(), x34(), raises=False)).splitlines()
    assert lines[0] == f"WrongGradient: {len(CHECKS) - 3} passed, 1 failed, 2 not applicable"
    assert "  inputs untouched          passed" in lines
    assert "  nothing random in eval    not applicable      no dropout: nothing is random" in lines
    assert "  gradients                 failed              (float64) A gradient is wrong." in lines


def test_what_may_fail_is_named_with_its_reason_and_may_not_pass():
    report = check_component(
        WrongGradient(), x34(), expected_failures={"gradients": "a wrong one, to be found"}
    )
    assert "1 failed as expected" in report.counts() and "a wrong one, to be found" in str(report)
    with pytest.raises(ContractError, match="gradients: it passes, but was expected to fail"):
        check_component(Scale(), x34(), expected_failures={"gradients": "a wrong one, to be found"})
    with pytest.raises(InputError, match="no check 'gradient'. Did you mean 'gradients'"):
        check_component(Scale(), x34(), expected_failures={"gradient": "misspelt"})


class Crashes(Scale):
    def backward(self, d_y):
        raise KeyError("weight")


class CannotRun(Scale):
    def forward(self, x):
        raise ValueError("shapes do not fit")


def test_a_check_that_crashes_has_failed_and_the_others_go_on():
    report = check_component(Crashes(), x34(), raises=False)
    statuses = {result.name: (result.status, result.why) for result in report.results}
    assert len(statuses) == len(CHECKS) and statuses["repeatable"] == ("passed", "")
    assert statuses["inputs untouched"] == ("failed", "(float64) KeyError was raised: 'weight'")
    assert statuses["accumulates"] == ("failed", "the same error as in 'inputs untouched'")
    with pytest.raises(
        ContractError, match="forward runs: forward raised ValueError: shapes do not fit"
    ):
        check_component(CannotRun(), x34())


class Times(Scale):
    """y = a x with one number a: a parameter of shape ()."""

    def __init__(self):
        self.weight = Parameter(np.ones((), dtype=np.float32))

    def backward(self, d_y):
        x = self.saved()
        d_y = self.fitting(d_y, x.shape)
        self.weight.grad += (d_y * x).sum()
        return d_y * self.weight.data


class NoParameters(Scale):
    def __init__(self):
        pass

    def forward(self, x):
        self.save(np.shape(x))
        return 2 * self.taken(x)

    def backward(self, d_y):
        return 2 * self.fitting(d_y, self.saved())

    def taken(self, x):
        return plain(
            x, x.dtype if getattr(x, "dtype", "") in (np.float32, np.float64) else np.float64
        )


def test_a_parameter_may_be_a_single_number():
    report = check_component(Times(), x34())
    assert report.counts() == f"{len(CHECKS) - 2} passed, 0 failed, 2 not applicable"


def test_without_parameters_some_checks_have_nothing_to_look_at():
    report = check_component(NoParameters(), x34()[0])
    without = {result.name for result in report.results if result.why == "no parameters"}
    assert without == {"parameters untouched", "accumulates", "saving and loading"}
    assert "no input with a batch axis" in str(report)


class BareErrors(Scale):
    def fitting(self, d_y, shape):
        d_y = self.taken(d_y)
        if d_y.shape != shape:
            raise TypeError("no")
        return d_y


def test_a_refusal_that_names_no_shapes_is_not_enough():
    report = check_component(BareErrors(), x34(), raises=False)
    assert [result.name for result in report.failed] == ["d y of another shape"]
    assert (
        "backward raised TypeError: no. Raise InputError with both shapes." in report.failed[0].why
    )


def test_a_numpy_number_as_an_attribute_is_a_plain_one():
    """1 / np.sqrt(d), as everybody writes it, would turn float32 into float64."""

    class Scaled(Module):
        def __init__(self, features):
            self.factor = 1 / np.sqrt(features)
            self.count, self.on = np.int32(3), np.bool_(True)

        def forward(self, x):
            return self.factor * x

    component = Scaled(4)
    assert [type(value) for value in (component.factor, component.count, component.on)] == [
        float, int, bool,
    ]
    assert component(np.ones((2, 4), dtype=np.float32)).dtype == np.float32


def test_what_is_no_module_is_told_what_to_write():
    with pytest.raises(InputError, match="class object\\(Module\\)"):
        check_component(object())


class Learners(Module):
    """y = w ∘ x as a learner writes it; the classes below have the slips that beginners make."""

    def __init__(self, features=4):
        self.w = Parameter(np.ones(features))

    def forward(self, x):
        self.save(x)
        return x * self.w.data

    def backward(self, d_y):
        x = self.saved()
        self.w.grad += (d_y * x).reshape(-1, d_y.shape[-1]).sum(axis=0)
        return d_y * self.w.data


class UnpacksOne(Learners):
    def backward(self, d_y):
        (x,) = self.saved()
        self.w.grad += (d_y * x).sum(axis=0)
        return d_y * self.w.data


class UnpacksAnother(Learners):
    def backward(self, d_y):
        rows, features, batch = d_y.shape
        return d_y


class NoReturn(Learners):
    def forward(self, x):
        self.save(x)
        x * self.w.data


class NoData(Learners):
    def backward(self, d_y):
        self.saved()
        return d_y * self.w


class PlainArray(Learners):
    def __init__(self, features=4):
        self.w = np.ones(features)

    def backward(self, d_y):
        self.saved()
        return d_y * self.w


def breaches(component, *inputs):
    """The lines of the ContractError, but for the first."""
    with pytest.raises(ContractError) as caught:
        check_component(component, *inputs)
    return str(caught.value).splitlines()[1:]


def test_the_same_error_is_told_once_with_the_names_of_the_other_checks():
    lines = breaches(UnpacksOne(), x34())
    assert sum("too many values to unpack" in line for line in lines) == 1
    assert (
        "self.saved() gives one saved value bare (x = self.saved()), several as a tuple" in lines[0]
    )
    report = check_component(UnpacksOne(), x34(), raises=False)
    others = [result for result in report.failed if result.same_as]
    assert len(lines) == len(report.failed) - len(others)
    assert (
        len(others) > 10
        and f" (and in {len(others)} more: {', '.join(result.name for result in others)})"
        in lines[0]
    )
    assert {result.same_as for result in others} == {"inputs untouched"}
    assert [line for line in breaches(UnpacksAnother(), x34()) if "self.saved()" in line] == []


def test_different_breaches_without_an_error_are_each_told():
    report = check_component(WrongShape(), x34(), raises=False)
    assert {result.same_as for result in report.failed if not result.raised} == {""}


def test_a_forward_without_return_is_told_once():
    assert breaches(NoReturn(), x34()) == [
        "  forward runs: NoReturn: forward returned None: end it with `return y`."
    ]


def test_whole_numbers_where_floats_belong_are_no_breach_of_the_component():
    with pytest.raises(InputError, match=r"input 0 is int64\. Pass floats, x\.astype\(float\)"):
        check_component(Learners(), np.ones((3, 4), dtype=np.int64))
    assert check_component(Learners(), np.ones((3, 4))).passed


def test_a_parameter_used_as_an_array_is_told_of_its_data():
    assert "Parameter(4,) is no array: its array is .data" in breaches(NoData(), x34())[0]


def test_an_array_that_is_no_parameter_is_named_where_it_changes_the_dtype():
    (line,) = breaches(PlainArray(), x34())
    assert (
        (
            "forward turned float32 into float64. w: an array of float64 that is no Parameter. If "
            "it is trained"
        )
        in line
    )
    assert "NumPy number" in "".join(breaches(Widens(), x34()))


def test_other_arrays_are_not_blamed():
    class WithTable(Widens):
        def __init__(self):
            super().__init__()
            self.table = np.ones(4, dtype=np.float32)

    assert "NumPy number" in "".join(breaches(WithTable(), x34()))


@pytest.mark.parametrize(
    "first", [Learners, np.ones((2, 4)), [1.0], None, object()],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("function", [check_component, gradient_check, trace, count_products])
def test_a_component_comes_first_and_then_its_inputs(function, first):
    for others in ([Learners()], [np.ones((2, 4))]):
        assert (
            f"{function.__name__}: the first argument is a component (an object, not its class)"
            in refusal(function, first, *others)
        )


@pytest.mark.parametrize(
    "options", [{"step": 0}, {"tolerance": -1}, {"max_entries": -1}, {"seed": 1.5}], ids=str
)
def test_options_out_of_range_are_refused(options):
    (name,) = options
    assert f"{name} must be" in refusal(gradient_check, Learners(), np.ones((2, 4)), **options)
    if name != "step":
        assert f"{name} must be" in refusal(check_component, Learners(), np.ones((2, 4)), **options)


def test_the_gradients_of_a_class_are_reported_row_by_row():
    report = check_gradients(Linear)
    assert report.passed and [row.name for row in report.rows] == ["d_input[0]", "weight", "bias"]


@pytest.mark.parametrize("component", RIGHT, ids=lambda cls: cls.__name__)
def test_a_right_component_in_plain_numpy_passes(component):
    check_component(component(), *component.inputs)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("component", [*COMPONENTS, *RIGHT], ids=lambda cls: cls.__name__)
def test_rounding_in_float32_raises_no_false_alarm(component, scale):
    rng = np.random.default_rng(5)
    made, *inputs = (
        component.example(rng) if component in COMPONENTS else (component(), *component.inputs)
    )
    inputs = [scale * x if is_float(x) else x for x in inputs]
    if scale == 1e-3 or any(map(is_float, inputs)):
        check_float32_against_float64(Case(made, inputs, "float32", rng, {}))


@pytest.mark.parametrize("component", [MultiplicativeAttention, LocalAttention, EncoderLayer])
def test_a_softmax_that_other_inputs_saturate_is_not_called_wrong(component):
    """Ten times as large, they leave it gradients that rounding hides from finite differences."""
    made, *inputs = component.example(np.random.default_rng(5))
    check_component(made, *[5 * x if is_float(x) else x for x in inputs], max_entries=12)


def test_only_what_keeps_the_contract_of_its_inputs_is_held_to_others():
    """A forward that refuses them, in whatever way, is right."""

    class OfOneSize(Learners):
        def forward(self, x):
            assert x.shape == (3, 5, 4) or not len(x)
            return super().forward(x)

    report = check_component(OfOneSize(), np.ones((3, 5, 4)), raises=False)
    assert {result.name for result in report.failed} <= {"integers"}


@pytest.mark.parametrize("broken", [RoundsIntegers, KeepsHalfPrecision, NoLists])
def test_an_input_of_another_kind_comes_with_its_remedy(broken):
    (line,) = breaches(broken(), x34())
    assert line.endswith("Convert it, say by numpy.asarray(x, dtype), or raise InputError.")


def test_an_error_in_backward_for_another_size_says_for_which():
    class OfThree(Learners):
        def backward(self, d_y):
            x = self.saved()
            self.w.grad += (d_y * x).reshape(-1, 4).sum(axis=0)
            return d_y * self.w.data if len(x) in (0, 3) else d_y.reshape(3, -1)

    (line, *_) = breaches(OfThree(), x34())
    assert "for a first axis of size 1" in line


@pytest.mark.parametrize("component", WRONG, ids=lambda cls: cls.__name__)
def test_a_wrong_component_is_found(component):
    assert not check_component(component(), *component.inputs, raises=False).passed
