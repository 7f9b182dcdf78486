"""Optimizers against textbook loops, clipping, and learning rates."""

import copy
import math

import numpy as np
import pytest

from minitransformer.backend.updates import BLOCK
from minitransformer.core import Module
from minitransformer.core.module import Parameter
from minitransformer.errors import InputError
from minitransformer.layers import FeedForward, Linear
from minitransformer.models import EncoderLayer, Transformer, TransformerConfig
from minitransformer.training import (
    SGD,
    Adam,
    AdamW,
    Constant,
    Cosine,
    Noam,
    clip_by_global_norm,
    optimizers,
)


class Toy(Module):
    """Three parameters, one of them reached by two paths; gradients are set by hand."""

    def __init__(self, dtype=np.float64):
        rng = np.random.default_rng(0)
        self.weight = Parameter(rng.standard_normal((3, 4)).astype(dtype))
        self.bias = Parameter(rng.standard_normal(4).astype(dtype))
        self.child = Module()
        self.child.weight = Parameter(rng.standard_normal((2, 5)).astype(dtype))
        self.child.tied = self.weight


def set_gradients(model, step, scale=1.0):
    """Write this step's gradients; returns {name: gradient}."""
    rng = np.random.default_rng(100 + step)
    for p in model.parameters():
        p.grad = scale * rng.standard_normal(p.shape)
    return {name: p.grad.astype(np.float64) for name, p in model.named_parameters().items()}


def run(make, plain_update, dtype=np.float64, steps=6):
    """Compare an optimizer with a textbook update that is given one parameter, its gradient, its
    memory and t."""
    model = Toy(dtype)
    expected = {name: p.data.astype(np.float64) for name, p in model.named_parameters().items()}
    memory = {name: {} for name in expected}
    optimizer = make(model)
    for t in range(1, steps + 1):
        gradients = set_gradients(model, t)
        optimizer.step()
        for name in expected:
            expected[name] = plain_update(expected[name], gradients[name], memory[name], t)
        for name, p in model.named_parameters().items():
            assert p.data.dtype == dtype
            np.testing.assert_allclose(
                p.data, expected[name], rtol=0, atol=1e-13 if dtype == np.float64 else 1e-6
            )
    return model, optimizer


@pytest.mark.parametrize("make", [SGD, Adam, AdamW])
def test_the_optimizers_zero_grad_is_the_models(make):
    model = Toy()
    optimizer = make(model)
    set_gradients(model, 1)
    optimizer.zero_grad()
    assert not any(p.grad.any() for p in model.parameters()) and not optimizer.flat.grad.any()

def plain_adam(rate, beta1=0.9, beta2=0.98, epsilon=1e-9, decay=0.0):
    def update(theta, g, memory, t):
        eta = rate(t) if callable(rate) else rate
        m = memory["m"] = beta1 * memory.get("m", 0) + (1 - beta1) * g
        v = memory["v"] = beta2 * memory.get("v", 0) + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        return theta - eta * decay * theta - eta * m_hat / (np.sqrt(v_hat) + epsilon)

    return update


# -- Adam ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_adam_equals_the_textbook(dtype):
    run(lambda m: Adam(m, 0.01), plain_adam(0.01), dtype)


@pytest.mark.parametrize(
    "beta1, beta2, epsilon", [(0.9, 0.999, 1e-8), (0.5, 0.7, 0.1), (0.0, 0.9, 1.0)]
)
def test_adam_equals_the_textbook_with_other_constants(beta1, beta2, epsilon):
    options = dict(beta1=beta1, beta2=beta2, epsilon=epsilon)
    run(lambda m: Adam(m, 0.3, **options), plain_adam(0.3, **options))


@pytest.mark.parametrize("beta2", [0.98, 0.999])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_adam_first_step_is_as_large_as_the_rate_whatever_the_gradient(scale, beta2):
    model = Toy()
    before = model.state_dict()
    gradients = set_gradients(model, 1, scale)
    Adam(model, 0.01, beta2=beta2).step()
    for name, p in model.named_parameters().items():
        np.testing.assert_allclose(
            p.data - before[name], -0.01 * np.sign(gradients[name]), rtol=1e-3
        )


def test_adam_leaves_parameters_without_a_gradient_where_they_are():
    model = Toy()
    before = model.state_dict()
    optimizer = Adam(model, 0.1)
    optimizer.step()
    for name, p in model.named_parameters().items():
        assert np.array_equal(p.data, before[name])


def test_adam_asks_its_schedule_once_per_step_for_steps_one_two_three():
    asked = []

    def schedule(t):
        asked.append(t)
        return 0.1 / t

    run(lambda m: Adam(m, schedule), plain_adam(lambda t: 0.1 / t), steps=4)
    assert asked == [1, 2, 3, 4]


def test_adam_with_the_papers_schedule():
    run(
        lambda m: Adam(m, Noam(64, warmup=3)),
        plain_adam(lambda t: 64**-0.5 * min(t**-0.5, t * 3**-1.5)),
    )


@pytest.mark.parametrize("rate", [0.01, Constant(0.1, warmup=4)], ids=["number", "schedule"])
def test_adamw_decays_the_weights_apart_from_the_moments(rate):
    run(lambda m: AdamW(m, rate, weight_decay=0.3), plain_adam(rate, decay=0.3))


def test_adamw_without_a_gradient_only_decays():
    model = Toy()
    before = model.state_dict()
    AdamW(model, 0.1, weight_decay=0.5).step()
    for name, p in model.named_parameters().items():
        np.testing.assert_allclose(p.data, 0.95 * before[name], atol=1e-15)


def test_adamw_of_one_model_does_not_decay_another():
    AdamW(Toy(), weight_decay=0.3).step()
    model, untouched = Toy(), Toy()
    Adam(model).step()
    assert np.array_equal(model.weight.data, untouched.weight.data)


# -- SGD -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_equals_the_textbook(momentum):
    def update(theta, g, memory, t):
        memory["v"] = momentum * memory.get("v", 0) + g
        return theta - 0.05 * memory["v"]

    run(lambda m: SGD(m, 0.05, momentum=momentum), update)


def test_sgd_keeps_the_rate_out_of_the_velocity():
    def update(theta, g, memory, t):
        memory["v"] = 0.5 * memory.get("v", 0) + g
        return theta - memory["v"] / t

    run(lambda m: SGD(m, lambda t: 1 / t, momentum=0.5), update)


# -- what all share --------------------------------------------------------------------------------

KINDS = {"adam": Adam, "adamw": AdamW, "sgd": lambda m, r: SGD(m, r, momentum=0.9)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_trains_the_models_own_arrays_and_keeps_the_gradients(kind):
    model = Toy()
    optimizer = KINDS[kind](model, 0.1)
    arrays = [(p.data, p.grad) for p in model.parameters()]
    gradients, before = set_gradients(model, 1), model.state_dict()
    optimizer.step()
    for (name, p), (data, grad) in zip(model.named_parameters().items(), arrays):
        assert p.data is data and p.grad is grad
        assert (p.data != before[name]).all(), name
        assert np.array_equal(p.grad, gradients[name])
    assert model.child.tied.data is model.weight.data


@pytest.mark.parametrize("kind", KINDS)
def test_a_shared_parameter_is_updated_once(kind):
    plain = Toy()
    plain.child.tied = None
    tied = Toy()
    for model in (plain, tied):
        optimizer = KINDS[kind](model, 0.1)
        for t in (1, 2):
            set_gradients(model, t)
            optimizer.step()
    assert np.array_equal(tied.weight.data, plain.weight.data)
    assert optimizer.flat.data.size == 3 * 4 + 4 + 2 * 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_longer_than_a_block_is_updated_everywhere_alike(kind):
    model = Module()
    model.weight = Parameter(np.ones(2 * BLOCK + 5))
    optimizer = KINDS[kind](model, 0.1)
    for _ in range(3):
        model.weight.grad = np.full(2 * BLOCK + 5, 2.0)
        optimizer.step()
    assert (model.weight.data == model.weight.data[0]).all() and model.weight.data[0] < 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_optimizer_goes_on_as_if_it_had_never_stopped(kind):
    model, resumed = Toy(), Toy()
    optimizer = KINDS[kind](model, Noam(8, warmup=2))
    for t in (1, 2, 3):
        set_gradients(model, t)
        optimizer.step()
    resumed.load_state_dict(model.state_dict())
    state = optimizer.state_dict()
    assert set(state) == set(optimizer.moments)
    other = KINDS[kind](resumed, Noam(8, warmup=2))
    other.load_state_dict(state, optimizer.t)
    for array in state.values():
        array[:] = 99  # a copy, not the optimizer's own memory
    for t in (4, 5):
        for m, o in ((model, optimizer), (resumed, other)):
            set_gradients(m, t)
            o.step()
    assert other.t == 5
    assert np.array_equal(model.flat_buffers().data, resumed.flat_buffers().data)


def test_loading_the_moments_of_another_model_is_refused_with_both_shapes():
    other = Module()
    other.weight = Parameter.ones(3)
    message = _refusal(Adam(Toy()).load_state_dict, Adam(other).state_dict(), 1)
    assert "(3,)" in message and "(26,)" in message


def test_a_step_after_the_model_has_moved_is_refused_with_the_remedy():
    model = Toy()
    optimizer = Adam(model)
    model.to("float32")
    message = _refusal(optimizer.step)
    assert "moved" in message and "after model.to" in message


def exchanges(model):
    """(what, the exchange) of every component and parameter below a model, each for a copy of
    it."""
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, list):
                for i in range(len(value)):
                    yield (
                        f"{path}.{name}.{i}",
                        lambda value=value, i=i: value.__setitem__(i, copy.deepcopy(value[i])),
                    )
            elif isinstance(value, Module) and value.parameters() or isinstance(value, Parameter):
                yield (
                    f"{path}.{name}",
                    lambda module=module, name=name: setattr(
                        module, name, copy.deepcopy(getattr(module, name))
                    ),
                )


@pytest.mark.parametrize("tie_embeddings", [False, True])
def test_a_step_after_any_component_or_parameter_was_exchanged_says_so(tie_embeddings):
    sizes = {
        "d_model": 4, "heads": 1, "d_ff": 3, "encoder_layers": 1, "decoder_layers": 1,
        "tie_embeddings": tie_embeddings,
    }
    make = lambda: Transformer(TransformerConfig(source_vocabulary=5, **sizes), 0)  # noqa: E731
    for number, (what, _) in enumerate(exchanges(make())):
        model = make()
        optimizer = SGD(model)
        optimizer.step()
        [*exchanges(model)][number][1]()
        with pytest.raises(InputError, match="has new parameters, .*Make the optimizer anew"):
            optimizer.step()
        assert optimizer.t == 1, what
        SGD(model).step()
    assert number > 30


@pytest.mark.parametrize("add", [
    lambda model: setattr(model, "more", Linear(2, 2, 0)),
    lambda model: model.parts.append(Linear(2, 2, 0)),
    lambda model: setattr(model, "scale", Parameter.ones(3)),
])  # fmt: skip
def test_a_step_after_a_component_was_added_later_says_so(add):
    model = Module()
    model.parts = [Linear(2, 2, 0)]
    optimizer = Adam(model)
    add(model)
    with pytest.raises(
        InputError,
        match=r"new parameters, (more.weight, more.bias|parts.1.weight, parts.1.bias|scale), since",
    ):
        optimizer.step()


def test_a_step_after_a_component_that_was_there_before_was_put_into_a_list_says_so():
    model, other = Module(), Linear(2, 2, 0)
    model.parts = [Linear(2, 2, 0)]
    for change in (model.parts.append, lambda part: model.parts.__setitem__(0, part)):
        optimizer = Adam(model)
        optimizer.step()
        change(other)
        with pytest.raises(InputError, match="new parameters, parts.1.weight|has lost parameters"):
            optimizer.step()


@pytest.mark.parametrize("take", [
    lambda model: setattr(model, "second", None), lambda model: delattr(model, "second"),
    lambda model: model.parts.pop(),
])  # fmt: skip
def test_a_step_after_a_component_was_taken_out_says_so(take):
    model = Module()
    model.first, model.second, model.parts = Linear(2, 2, 0), Linear(2, 2, 0), [Linear(2, 2, 0)]
    optimizer = Adam(model)
    take(model)
    with pytest.raises(InputError, match="has lost parameters since"):
        optimizer.step()


def test_an_exchanged_component_computes_and_trains_after_the_optimizer_is_made_anew():
    """In an encoder layer the feed-forward network has two paths; both lead to the new one."""
    model = Transformer(
        TransformerConfig(
            source_vocabulary=9, d_model=8, heads=2, d_ff=12, encoder_layers=1, decoder_layers=1
        ),
        0,
    ).eval()
    ids = np.array([[4, 5, 6]])
    before, layer = model(ids, ids), model.encoder.layers[0]
    model.clear_saves()
    layer.feed_forward = FeedForward(8, 5, 7)
    optimizer = SGD(model)
    logits = model(ids, ids)
    model.backward(np.ones_like(logits))
    weight = layer.feed_forward.expand.weight.data.copy()
    optimizer.step()
    assert not np.allclose(before, logits) and layer.add_norm_2.sublayer is layer.feed_forward
    assert (
        layer.feed_forward.expand.weight.data != weight
    ).any() and model.parameter_count() == len(optimizer.flat.data)


def test_a_component_may_be_exchanged_for_one_that_holds_it():
    class Doubled(Module):
        def __init__(self, inner):
            self.inner = inner

        def forward(self, x):
            return 2 * self.inner(x)

    layer = EncoderLayer(TransformerConfig(source_vocabulary=9, d_model=8, heads=2, d_ff=12), 0)
    inner = layer.feed_forward
    layer.feed_forward = Doubled(inner)
    assert layer.add_norm_2.sublayer is layer.feed_forward and layer.feed_forward.inner is inner


def test_a_model_without_parameters_cannot_be_trained():
    assert "no parameters" in _refusal(Adam, Module())


def _refusal(function, *arguments):
    """The message of the InputError that the call must raise."""
    with pytest.raises(InputError) as caught:
        function(*arguments)
    return str(caught.value)


# -- clipping --------------------------------------------------------------------------------------


def test_clipping_scales_all_gradients_to_the_joint_norm_and_returns_the_norm_before():
    model = Toy()
    gradients = set_gradients(model, 1)
    norm = math.sqrt(sum((g**2).sum() for g in gradients.values()))
    assert clip_by_global_norm(model, 0.5) == pytest.approx(norm)
    for name, p in model.named_parameters().items():
        np.testing.assert_allclose(p.grad, gradients[name] * 0.5 / norm, atol=1e-14)
    assert clip_by_global_norm(model, None) == pytest.approx(0.5)


@pytest.mark.parametrize("max_norm", [None, 1e6, "its own"], ids=str)
def test_clipping_leaves_gradients_below_the_bound_alone(max_norm):
    model = Toy()
    gradients = set_gradients(model, 1)
    norm = clip_by_global_norm(model, None)
    assert clip_by_global_norm(model, norm if max_norm == "its own" else max_norm) == norm
    for name, p in model.named_parameters().items():
        assert np.array_equal(p.grad, gradients[name])


def test_clipping_no_gradient_at_all_gives_no_nan():
    model = Toy()
    assert clip_by_global_norm(model, 1.0) == 0
    assert all((p.grad == 0).all() for p in model.parameters())


# -- schedules -------------------------------------------------------------------------------------


def test_noam_equals_the_papers_formula_and_peaks_at_the_end_of_the_warm_up():
    rate = Noam(512, warmup=4000, factor=2.0)
    for t in (1, 10, 3999, 4000, 4001, 100_000):
        assert rate(t) == pytest.approx(2.0 * 512**-0.5 * min(t**-0.5, t * 4000**-1.5))
    assert rate(4000) == pytest.approx(2.0 / math.sqrt(512 * 4000))
    assert rate(3999) < rate(4000) > rate(4001)
    assert rate(2000) == pytest.approx(rate(4000) / 2) and rate(16000) == pytest.approx(
        rate(4000) / 2
    )


def test_cosine_rises_to_the_peak_and_falls_to_the_floor():
    rate = Cosine(peak=0.4, total=110, warmup=10, floor=0.1)
    assert rate(1) == pytest.approx(0.04) and rate(5) == pytest.approx(0.2)
    assert rate(10) == pytest.approx(0.4)
    assert rate(60) == pytest.approx(0.25)
    assert rate(35) == pytest.approx(0.1 + 0.3 * (1 + math.sqrt(0.5)) / 2)
    assert rate(110) == pytest.approx(0.1) and rate(1000) == pytest.approx(0.1)
    assert all(rate(t) >= rate(t + 1) for t in range(10, 110))


def test_cosine_without_a_warm_up_starts_at_the_peak_and_ends_at_zero():
    rate = Cosine(peak=0.4, total=100)
    assert rate(0) == 0.4 and rate(50) == pytest.approx(0.2) and rate(100) == pytest.approx(0)


def test_constant_is_constant_after_its_warm_up():
    assert Constant(0.3)(1) == Constant(0.3)(10**6) == 0.3
    rate = Constant(0.3, warmup=4)
    assert [rate(t) for t in (1, 2, 4, 5, 100)] == pytest.approx([0.075, 0.15, 0.3, 0.3, 0.3])


def test_schedules_refuse_what_does_not_fit():
    assert "at least 1" in _refusal(Noam, 512, 0)
    message = _refusal(Cosine, 0.1, 100, 100)
    assert "100 steps" in message and "warm-up" in message


def test_a_state_that_does_not_fit_changes_nothing():
    optimizer = Adam(Linear(4, 3, 0))
    whole, part = np.ones(15, dtype=np.float32), np.ones(2, dtype=np.float32)
    for state in (
        {}, {"first_moment": whole}, {"first_moment": whole, "second_moment": part},
        {"first_moment": whole, "second_moment": [1.0] * 15},
    ):
        with pytest.raises(InputError, match="moment"):
            optimizer.load_state_dict(state, 3)
        assert optimizer.t == 0 and not optimizer.first_moment.any()


@pytest.mark.parametrize("rate", [np.nan, np.inf, -1.0, "0.1", None])
def test_a_schedule_that_gives_no_rate_is_refused_before_a_parameter_moves(rate):
    linear = Linear(4, 3, 0)
    optimizer, before = Adam(linear, lambda t: rate), linear.weight.data.copy()
    linear.weight.grad += 1
    with pytest.raises(InputError, match="learning rate of step 1"):
        optimizer.step()
    assert (linear.weight.data == before).all()


def test_whoever_makes_an_optimizer_keeps_freed_memory(monkeypatch):
    """So that a loop of one's own is as fast as `train`."""
    asked = []
    monkeypatch.setattr(optimizers, "keep_freed_memory", lambda: asked.append(1))
    for make in (SGD, Adam, AdamW):
        make(Toy())
    assert asked == [1, 1, 1]
