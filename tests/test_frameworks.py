"""Answers of other frameworks: an `autograd.Function` of PyTorch, a `custom_vjp` of JAX, functions
that want other arrays than NumPy's.

Each runs with the framework itself, skipped where it is not installed, and with a stand-in of it:
NumPy arrays, and as much of its interface as is asked for.
"""

import contextlib
import importlib
import pathlib
import re
import sys
import types

import numpy as np
import pytest

from minitransformer.errors import InputError
from minitransformer.grading import check
from minitransformer.grading.frameworks import Converted, converted

for name in ("torch", "jax"):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)  # here, because JAX sets variables of the process

ROOT = pathlib.Path(__file__).resolve().parent.parent
E = np.e  # a number to a power works in all of them


class Tensor(np.ndarray):
    """A NumPy array that NumPy cannot read as it is, as a tensor with a gradient."""

    def detach(self):
        return self.copy()

    def cpu(self):
        return self.view(np.ndarray)

    def requires_grad_(self):
        return self

    def clone(self):  # whose gradient is that of what it was made of
        return self


class Function:
    """`torch.autograd.Function`, for one call."""

    @staticmethod
    def setup_context(ctx, inputs, output):
        raise NotImplementedError

    @classmethod
    def apply(cls, *inputs):
        Function.call = types.SimpleNamespace(cls=cls, inputs=inputs)
        if cls.setup_context is Function.setup_context:
            return cls.forward(Function.call, *inputs)
        y = cls.forward(*inputs)
        cls.setup_context(Function.call, inputs, y)
        return y


def _grad(outputs, inputs, d_outputs, allow_unused):
    found = Function.call.cls.backward(Function.call, *d_outputs)
    found = found if isinstance(found, tuple) else (found,)
    by_input = {id(x): d_x for x, d_x in zip(Function.call.inputs, found)}
    return tuple(by_input.get(id(x)) for x in inputs)


class CustomVjp:
    """`jax.custom_vjp`, of which `vjp` asks for all gradients by one call of the backward."""

    def __init__(self, function):
        self.function = self.__wrapped__ = function
        self.__name__ = function.__name__

    def defvjp(self, forward, backward):
        self.forward, self.backward = forward, backward

    def __call__(self, *inputs):
        CustomVjp.last = self, inputs
        return self.function(*inputs)


def _vjp(function, *inputs):
    y = function(*inputs)
    called, all_inputs = CustomVjp.last
    cache = called.forward(*all_inputs)[1]

    def pull(d_y):
        by_input = {id(x): d_x for x, d_x in zip(all_inputs, called.backward(cache, d_y))}
        return tuple(by_input[id(x)] for x in inputs)

    return y, pull


def stand_in_for_torch():
    def from_numpy(array):
        return array.view(Tensor)

    return types.SimpleNamespace(
        autograd=types.SimpleNamespace(Function=Function, grad=_grad),
        from_numpy=from_numpy, ones_like=np.ones_like, enable_grad=contextlib.nullcontext,
    )


def stand_in_for_jax():
    numpy = types.SimpleNamespace(asarray=np.asarray, ones_like=np.ones_like)
    return types.SimpleNamespace(custom_vjp=CustomVjp, vjp=_vjp, numpy=numpy)


REAL = pytest.param("real", marks=pytest.mark.parity)


def framework(name, stand_in):
    """The fixture of a framework: itself, and its stand-in."""

    @pytest.fixture(params=["stand-in", REAL])
    def one(request, monkeypatch):
        if request.param == "real":
            return pytest.importorskip(name)
        monkeypatch.setitem(sys.modules, name, stand_in())
        return sys.modules[name]

    return one


torch, jax = framework("torch", stand_in_for_torch), framework("jax", stand_in_for_jax)


def softmax_of(torch, is_right=True):
    class MySoftmax(torch.autograd.Function):
        @staticmethod
        def forward(ctx, scores):
            shares = E ** (scores - scores.max())
            ctx.P = shares / shares.sum(-1, keepdims=True)
            return ctx.P

        @staticmethod
        def backward(ctx, d_P):
            if is_right:
                return ctx.P * (d_P - (d_P * ctx.P).sum(-1, keepdims=True))
            return ctx.P * d_P

    return MySoftmax


def linear_of(torch, has_bias_gradient=True):
    """Its parameters stand in an order of their own, one has a default, and PyTorch's newer way
    keeps what backward needs."""

    class MyLinear(torch.autograd.Function):
        @staticmethod
        def forward(bias, x, flag=True, weight=None):
            assert flag is True
            return x @ weight + bias

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.x, ctx.weight = inputs[1], inputs[3]

        @staticmethod
        def backward(ctx, d_y):
            d_rows = d_y.reshape(-1, d_y.shape[-1])
            d_weight = ctx.x.reshape(-1, ctx.x.shape[-1]).T @ d_rows
            d_bias = d_rows.sum(0) if has_bias_gradient else None
            return d_bias, d_y @ ctx.weight.T, None, d_weight

    return MyLinear


def test_a_function_of_pytorch_is_checked_in_both_directions(torch):
    assert check("softmax.backward", softmax_of(torch), quiet=True).passed
    forward = check("softmax.forward", softmax_of(torch), quiet=True)
    assert forward.findings[0].where["situation"] != "random numbers"  # one shift for all rows
    wrong = check("softmax.backward", softmax_of(torch, is_right=False), quiet=True)
    assert not wrong.passed
    assert wrong.findings[0].id == "weighted-mean-missing"
    assert wrong.answer == "MySoftmax"


def test_its_apply_is_the_function_itself(torch):
    assert check("softmax.backward", softmax_of(torch).apply, quiet=True).passed


@pytest.mark.parity
def test_gradients_may_be_switched_off_and_forward_may_work_in_place():
    torch = pytest.importorskip("torch")

    class InPlace(torch.autograd.Function):
        @staticmethod
        def forward(ctx, scores):
            scores.sub_(scores.max(-1, keepdim=True).values).exp_()
            scores.div_(scores.sum(-1, keepdim=True))
            ctx.mark_dirty(scores)
            ctx.save_for_backward(scores)
            return scores

        @staticmethod
        def backward(ctx, d_P):
            (P,) = ctx.saved_tensors
            return P * (d_P - (d_P * P).sum(-1, keepdim=True))

    with torch.no_grad():
        assert check("softmax.backward", InPlace, quiet=True).passed


@pytest.mark.parity
def test_a_function_of_tensors_that_got_arrays_is_told_of_convert():
    torch = pytest.importorskip("torch")
    report = check("softmax.forward", lambda scores: torch.softmax(scores, -1), quiet=True)
    assert "check(…, convert=torch.from_numpy)" in str(report)


@pytest.mark.parity
def test_a_custom_vjp_may_be_jitted():
    jax = pytest.importorskip("jax")

    @jax.jit
    @jax.custom_vjp
    def relu(x):
        return jax.numpy.maximum(x, 0)

    relu.__wrapped__.defvjp(lambda x: (relu(x), x), lambda x, d_y: (d_y * (x > 0),))
    assert check("relu.backward", relu, quiet=True).passed


def test_inputs_of_a_function_are_found_by_name_whatever_their_order(torch):
    assert check("linear.backward", linear_of(torch), quiet=True).passed
    assert check("linear.forward", linear_of(torch), quiet=True).passed


def test_a_gradient_that_backward_does_not_give_is_not_started(torch):
    report = check("linear.backward", linear_of(torch, has_bias_gradient=False), quiet=True)
    assert not report.passed
    assert "d_bias: not started yet" in str(report)
    assert report.right == ["d_x", "d_weight"]


def test_a_loss_starts_from_one(torch):
    class MyLoss(torch.autograd.Function):
        @staticmethod
        def forward(ctx, logits, targets):
            shares = np.exp(np.asarray(logits) - np.max(np.asarray(logits), -1, keepdims=True))
            ctx.P, ctx.targets = shares / shares.sum(-1, keepdims=True), np.asarray(targets)
            return logits.sum()  # only the gradient is asked for

        @staticmethod
        def backward(ctx, d_loss):
            right = np.arange(ctx.P.shape[-1]) == ctx.targets[..., None]
            counts = ctx.targets != 0
            scale = float(d_loss) * counts[..., None] / counts.sum()
            return torch.from_numpy((ctx.P - right) * scale), None

    assert check("cross_entropy.backward", MyLoss, quiet=True).passed


def test_a_custom_vjp_of_jax_is_checked_in_both_directions(jax):
    def softmax(scores):
        shares = E ** (scores - scores.max())
        return shares / shares.sum(-1, keepdims=True)

    answer = jax.custom_vjp(softmax)
    answer.defvjp(
        lambda scores: (softmax(scores), softmax(scores)),
        lambda P, d_P: (P * (d_P - (d_P * P).sum(-1, keepdims=True)),),
    )
    assert check("softmax.backward", answer, quiet=True).passed
    answer.defvjp(
        lambda scores: (softmax(scores), softmax(scores)), lambda P, d_P: (P * d_P,)
    )
    wrong = check("softmax.backward", answer, quiet=True)
    assert wrong.findings[0].id == "weighted-mean-missing"


def test_a_custom_vjp_with_several_inputs_gives_all_their_gradients(jax):
    @jax.custom_vjp
    def linear(weight, x, bias):
        return x @ weight + bias

    def backward(cache, d_y):
        weight, x = cache
        d_rows = d_y.reshape(-1, d_y.shape[-1])
        return x.reshape(-1, x.shape[-1]).T @ d_rows, d_y @ weight.T, d_rows.sum(0)

    linear.defvjp(lambda weight, x, bias: (linear(weight, x, bias), (weight, x)), backward)
    assert check("linear.backward", linear, quiet=True).passed
    assert check("linear.forward", linear, quiet=True).passed


class Boxed:
    """An array of nobody's framework."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __array__(self, dtype=None, copy=None):
        return self.array

    def times(self, other):
        return Boxed(self.array * other.array)


def test_arrays_are_converted_for_a_function_that_wants_others():
    def relu_backward(d_y, x):
        return d_y.times(Boxed(x.array > 0))

    assert check("relu.backward", relu_backward, convert=Boxed, quiet=True).passed
    plain = check("relu.backward", relu_backward, quiet=True)
    assert "no attribute 'times'" in str(plain)

    def forward(x):
        return Boxed(np.maximum(x.array, 0)), x

    assert check("relu.backward", (forward, relu_backward), convert=Boxed, quiet=True).passed


def test_numbers_that_are_no_arrays_are_left_alone():
    seen = []

    def layer_norm(x, gamma, beta, epsilon):
        seen.append(type(epsilon))
        mean = x.array.mean(-1, keepdims=True)
        sigma = np.sqrt(x.array.var(-1, keepdims=True) + epsilon)
        return Boxed((x.array - mean) / sigma * gamma.array + beta.array)

    assert check("layer_norm.forward", layer_norm, convert=Boxed, quiet=True).passed
    assert set(seen) == {float}


def test_what_float32_returns_is_judged_as_float32():
    def linear(x, weight, bias):
        assert x.array.dtype == np.float32
        return Boxed(x.array @ weight.array + bias.array)

    report = check(
        "linear.forward", linear, convert=lambda a: Boxed(a.astype(np.float32)), quiet=True
    )
    assert report.passed


@pytest.mark.parity
def test_the_example_of_the_page_prints_what_the_page_shows(capsys):
    pytest.importorskip("torch")
    page = (ROOT / "docs" / "checker.md").read_text(encoding="utf-8")
    part = page.split("## Answers of PyTorch", 1)[1]
    code, shown = re.findall(r"```(?:python)?\n(.*?)```", part, re.S)[:2]
    exec(code, {})
    printed = capsys.readouterr().out.splitlines()
    assert all(line in printed for line in shown.splitlines() if line.strip() != "...")


@pytest.mark.parity
def test_half_precision_is_too_coarse_and_the_report_says_so():
    torch = pytest.importorskip("torch")
    for dtype in (torch.float16, torch.bfloat16):
        report = check(
            "relu.forward", lambda x, to=dtype: torch.relu(x).to(to), convert=torch.from_numpy,
            quiet=True,
        )
        name = str(dtype).removeprefix("torch.")
        assert f"in {name}, which is too coarse to judge" in str(report)


@pytest.mark.parity
def test_a_gradient_that_pytorch_still_follows_is_read():
    torch = pytest.importorskip("torch")
    report = check(
        "relu.forward", lambda x: torch.relu(x.clone().requires_grad_()),
        convert=torch.from_numpy, quiet=True,
    )
    assert report.passed


def test_where_one_call_is_not_enough_a_function_of_numpy_is_asked_for():
    report = check("dropout.twice", lambda *inputs: inputs, convert=Boxed, quiet=True)
    assert "For dropout.twice, hand in a function of NumPy arrays." in str(report)


def test_without_a_framework_a_submission_stays_what_it_is(monkeypatch):
    for name in ("torch", "jax"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert converted(softmax_of) is softmax_of
    assert converted(Function) is Function
    assert isinstance(converted(softmax_of, np.asarray), Converted)


def test_what_cannot_convert_is_said():
    with pytest.raises(InputError, match="convert"):
        check("relu.forward", lambda x: x, convert="torch")
