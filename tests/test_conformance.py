"""The contract checker: all components of the package pass, and each way to break the contract is named."""

import numpy as np
import pytest

from minitransformer.conformance import ContractError, all_components, check_component, check_gradients
from minitransformer.layers import Dropout, Linear
from minitransformer.module import Module, Parameter

COMPONENTS = all_components()


def test_the_components_are_found_by_themselves():
    names = {c.__name__ for c in COMPONENTS}
    assert {"Softmax", "LayerNorm", "MultiHeadAttention", "CrossEntropy", "Transformer", "LanguageModel"} <= names
    assert len(names) >= 26


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: c.__name__)
def test_every_component_keeps_the_contract(component):
    assert "example" in vars(component), f"{component.__name__} needs a classmethod example(rng)"
    made, *inputs = component.example(np.random.default_rng(5))
    check_component(made, *inputs, max_entries=12)


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: c.__name__)
def test_every_docstring_gives_formula_shapes_and_source(component):
    text = component.__doc__
    assert "Shapes" in text and "Source" in text and "ackward" in text


def test_the_check_leaves_the_component_as_it_was():
    rng = np.random.default_rng(0)
    linear = Linear(3, 4, rng)
    before = linear.state_dict()
    check_component(linear, rng.standard_normal((2, 3)))
    for name, p in linear.named_parameters().items():
        np.testing.assert_array_equal(p.data, before[name])
        assert not p.grad.any()


class Scale(Module):
    """y = w ∘ x, right; the classes below break it, one line each."""

    def __init__(self):
        self.weight = Parameter.ones(4)

    def forward(self, x):
        self.save(x)
        return x * self.weight.data

    def backward(self, d_y):
        x = self.saved()
        self.weight.grad += (d_y * x).sum(axis=0)
        return d_y * self.weight.data


class WrongGradient(Scale):
    def backward(self, d_y):
        return super().backward(d_y) * 1.001


class WrongParameterGradient(Scale):
    def backward(self, d_y):
        x = self.saved()
        self.weight.grad += (d_y * x).mean(axis=0)
        return d_y * self.weight.data


class Assigns(Scale):
    def backward(self, d_y):
        x = self.saved()
        self.weight.grad = (d_y * x).sum(axis=0)
        return d_y * self.weight.data


class OneSlot(Scale):
    def forward(self, x):
        self._x = x
        self.save()
        return x * self.weight.data

    def backward(self, d_y):
        self.saved()
        self.weight.grad += (d_y * self._x).sum(axis=0)
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


class ChangesGradient(Scale):
    def backward(self, d_y):
        x = self.saved()
        self.weight.grad += (d_y * x).sum(axis=0)
        d_y *= self.weight.data
        return d_y


class ChangesWeight(Scale):
    def backward(self, d_y):
        d_x = super().backward(d_y)
        self.weight.data -= 0.1 * self.weight.grad
        return d_x


class Widens(Scale):
    def forward(self, x):
        return super().forward(x) * np.float64(1.0)


class Narrows(Scale):
    def backward(self, d_y):
        return super().backward(d_y).astype(np.float32)


class WrongShape(Scale):
    def backward(self, d_y):
        return super().backward(d_y).sum(axis=0)


class ForgetsGradient(Scale):
    def backward(self, d_y):
        super().backward(d_y)


class KeepsSaving(Scale):
    def forward(self, x):
        self.__dict__.setdefault("_saves", []).append((x,))
        return x * self.weight.data


class NeedsNoForward(Scale):
    def forward(self, x):
        return x * 2.0

    def backward(self, d_y):
        return d_y * 2.0


class LeavesSaves(Scale):
    def forward(self, x):
        self.save(x)
        return super().forward(x)


class ReusesBuffer(Scale):
    def forward(self, x):
        y = super().forward(x)
        self._calls = getattr(self, "_calls", 0) + 1
        self._y = getattr(self, "_y", y)
        self._y[...] = y + (self._calls == 2)
        return self._y


class HiddenParameter(Scale):
    def __init__(self):
        super().__init__()
        self._shift = Parameter.ones(4)


class ChangesWhatItIsHanded(Scale):
    """A change that a second forward no longer shows."""

    def forward(self, x):
        x[x < 0] = 0
        return super().forward(x)


class InAListOfLists(Scale):
    def __init__(self):
        super().__init__()
        self.maps = [[Scale()]]


class InADict(Scale):
    def __init__(self):
        super().__init__()
        self.maps = {"only": Scale()}


class RandomInEval(Scale):
    def __init__(self):
        super().__init__()
        self.dropout = Dropout(0.5, np.random.default_rng(0))

    def forward(self, x):
        self.dropout.rng.random()
        return super().forward(x)


class ForgetsModules(Scale):
    def train(self, on=True):
        self.training = on
        return self


BROKEN = [
    (WrongGradient, "A gradient is wrong"),
    (WrongParameterGradient, "A gradient is wrong"),
    (Assigns, "must add to the gradient of weight"),
    (OneSlot, "last in, first out"),
    (FirstInFirstOut, "last in, first out"),
    (ChangesInput, "input was changed"),
    (ChangesGradient, "changed the gradient that it was handed"),
    (ChangesWeight, "changed the parameter weight"),
    (Widens, "forward turned float32 into float64"),
    (Narrows, "backward turned float64 into float32"),
    (WrongShape, "gradient 0 has shape"),
    (ForgetsGradient, "returned 0 gradients"),
    (KeepsSaving, "inside no_grad"),
    (NeedsNoForward, "backward without forward was accepted"),
    (LeavesSaves, "saves are left"),
    (ReusesBuffer, "two forwards of the same input differ|changed what the first one had returned"),
    (HiddenParameter, "_shift holds a Parameter that is not found"),
    (ChangesWhatItIsHanded, "input was changed"),
    (InAListOfLists, "maps holds a Scale that is not found"),
    (InADict, "maps holds a Scale that is not found"),
    (RandomInEval, "random number was drawn in eval"),
]


def test_a_right_component_passes():
    check_component(Scale(), np.random.default_rng(0).standard_normal((3, 4)))


@pytest.mark.parametrize("broken, sentence", BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_each_breach_is_named(broken, sentence):
    with pytest.raises(ContractError, match=sentence):
        check_component(broken(), np.random.default_rng(0).standard_normal((3, 4)))


def test_a_switch_that_stops_at_the_top_is_named():
    outer = ForgetsModules()
    outer.inner = Dropout(0.5, np.random.default_rng(0))
    with pytest.raises(ContractError, match="did not reach every submodule"):
        check_component(outer, np.random.default_rng(0).standard_normal((3, 4)))


def test_what_is_no_module_is_told_what_to_write():
    with pytest.raises(ContractError, match="class object\\(Module\\)"):
        check_component(object())


def test_the_gradients_of_a_class_are_reported_row_by_row():
    report = check_gradients(Linear)
    assert report.passed and [row.name for row in report.rows] == ["d_input[0]", "weight", "bias"]
