"""Module and Parameter: names, sharing, memory, saves, switches, saving and moving."""

import copy
import threading

import numpy as np
import pytest

from minitransformer.backend import position_product
from minitransformer.core import Module, no_grad
from minitransformer.core.module import FlatBuffers, Parameter
from minitransformer.errors import BackwardWithoutForward, InputError
from minitransformer.layers import Linear
from minitransformer.training import SGD, Adam, AdamW, clip_by_global_norm


class Scale(Module):
    """y = a ∘ x"""

    def __init__(self, *values):
        self.a = Parameter(np.array(values, dtype=np.float32))

    def forward(self, x):
        self.save(x)
        return self.a.data * x

    def backward(self, d_y):
        x = self.saved()
        self.a.grad += d_y * x
        return d_y * self.a.data


class Tree(Module):
    """Parameters of its own, a child, a list of children, a shared child, and things that are none
    of these."""

    def __init__(self):
        self.bias = Parameter.zeros(2)
        self.first = Scale(1.0, 2.0)
        self.layers = [Scale(3.0, 4.0), Scale(5.0, 6.0)]
        self.again = self.first
        self.table = np.arange(6.0).reshape(2, 3)
        self.rng = np.random.default_rng(0)
        self.count = 3
        self._hidden = Scale(7.0, 8.0)
        self.last = Parameter.ones(3, 2)


def refusal(error, function, *arguments):
    """The message of the error that the call must raise."""
    with pytest.raises(error) as caught:
        function(*arguments)
    return str(caught.value)


# -- Parameter -------------------------------------------------------------------------------------


def test_a_parameter_has_a_zero_gradient_of_its_shape_and_dtype():
    p = Parameter(np.ones((2, 3)))
    assert p.grad.shape == p.shape == (2, 3) and p.size == 6
    assert p.grad.dtype == np.float64 and not p.grad.any()


def test_zeros_and_ones_are_float32():
    zeros, ones = Parameter.zeros(3, 2), Parameter.ones(4)
    assert zeros.shape == (3, 2) and not zeros.data.any() and zeros.data.dtype == np.float32
    assert ones.shape == (4,) and (ones.data == 1).all() and ones.data.dtype == np.float32


def test_normal_weights_have_the_requested_deviation():
    p = Parameter.normal(np.random.default_rng(0), 300, 200, std=0.25)
    assert p.shape == (300, 200) and p.data.dtype == np.float32
    assert abs(p.data.std() - 0.25) < 0.003 and abs(p.data.mean()) < 0.005


def test_xavier_weights_are_uniform_up_to_the_root_of_six_over_both_fans():
    p = Parameter.xavier_uniform(np.random.default_rng(1), 30, 200)
    bound = (6 / 230) ** 0.5
    assert p.shape == (30, 200) and p.data.dtype == np.float32
    assert 0.99 * bound < np.abs(p.data).max() <= bound * (1 + 1e-6)
    assert abs(p.data.std() - bound / 3**0.5) < 0.01 * bound
    assert abs(p.data.mean()) < 0.02 * bound


def test_the_same_seed_makes_the_same_parameter():
    a, b = (Parameter.normal(np.random.default_rng(2), 4, 5, std=1.0) for _ in range(2))
    assert np.array_equal(a.data, b.data)


@pytest.mark.parametrize("name", ["data", "grad"])
def test_assigning_to_a_parameter_writes_into_the_array_that_is_there(name):
    p = Parameter.zeros(3)
    array, value = getattr(p, name), np.array([1.0, 2.0, 3.0])
    setattr(p, name, value)
    assert getattr(p, name) is array and array.tolist() == [1, 2, 3] and array.dtype == np.float32
    value[0] = 99
    assert array[0] == 1


def test_a_plain_training_loop_that_assigns_data_trains_the_flat_buffer():
    model = Tree()
    flat = model.flat_buffers()
    model.first.a.grad = np.array([1.0, 1.0])
    for p in model.parameters():
        p.data = p.data - 0.5 * p.grad
    assert model.first.a.data.tolist() == [0.5, 1.5]
    assert model.flat_buffers() is flat
    assert flat.data.tolist() == [0, 0, 1, 1, 1, 1, 1, 1, 0.5, 1.5, 3, 4, 5, 6]


def test_adding_to_a_parameter_in_place_keeps_its_arrays():
    p = Parameter.zeros(3)
    data, grad = p.data, p.grad
    p.data += 2
    p.grad += np.array([1, 2, 3], dtype=np.float32)
    p.grad *= 2
    assert p.data is data and p.grad is grad
    assert data.tolist() == [2, 2, 2] and grad.tolist() == [2, 4, 6]


@pytest.mark.parametrize(
    "value", [np.ones(4), np.ones((1, 3)), np.float32(1), 0.0],
    ids=["long", "2d", "scalar", "number"],
)
def test_a_parameter_refuses_a_value_of_another_shape(value):
    p = Parameter.zeros(3)
    message = refusal(InputError, setattr, p, "grad", value)
    assert "(3,)" in message and str(np.shape(value)) in message


def test_a_parameter_prints_its_shape():
    assert repr(Parameter.zeros(3, 2)) == "Parameter(3, 2)"


# -- gradients that are not yet cleared ------------------------------------------------------------


class Product(Module):
    """y = x W, whose backward accumulates; W and x are whole numbers, so that sums are exact."""

    def __init__(self, *rows):
        self.weight = Parameter(np.array(rows, dtype=np.float32))

    def forward(self, x):
        self.save(x)
        return x @ self.weight.data

    def backward(self, d_y):
        x = self.saved()
        self.weight.accumulate(position_product, x, d_y)
        return d_y @ self.weight.data.T


X = np.array([[1, 2], [3, -4], [5, 6]], dtype=np.float32)
D_Y = np.array([[1, 0, 2], [0, 3, 1], [-2, 1, 0]], dtype=np.float32)
D_W = X.T @ D_Y


def backward(product):
    y = product(X)
    product.backward(D_Y.astype(y.dtype))


def not_cleared(flatten=True):
    """(a model, its product): gradients full of rubbish that zero_grad() has just declared to be
    zero."""
    model = Module()
    model.before, model.product, model.after = (
        Scale(1.0, 2.0), Product([1, 2, 3], [4, 5, 6]), Scale(3.0),
    )
    if flatten:
        model.flat_buffers()
    for p in model.parameters():
        p.grad += np.nan
    model.zero_grad()
    return model, model.product


@pytest.mark.parametrize("flatten", [False, True])
def test_the_first_accumulate_after_zero_grad_writes_and_the_second_adds(flatten):
    model, product = not_cleared(flatten)
    grad = product.weight._grad
    backward(product)
    assert product.weight.grad is grad and np.array_equal(grad, D_W)
    backward(product)
    assert product.weight.grad is grad and np.array_equal(grad, 2 * D_W)
    model.zero_grad()
    backward(product)
    assert np.array_equal(grad, D_W)


def test_the_first_accumulate_after_zero_grad_hands_over_the_memory_of_the_gradient():
    _, product = not_cleared()
    given = []
    product.weight.accumulate(lambda out=None: given.append(out) or np.copyto(out, 7))
    product.weight.accumulate(lambda out=None: given.append(out) or np.ones((2, 3)))
    assert (
        given[0] is product.weight._grad and given[1] is None and (product.weight.grad == 8).all()
    )


def test_accumulate_without_zero_grad_adds():
    product = Product([1, 2, 3], [4, 5, 6])
    product.weight.grad = 5 * np.ones((2, 3))
    backward(product)
    assert np.array_equal(product.weight.grad, 5 + D_W)


def test_a_product_that_fails_leaves_the_gradient_that_zero_grad_promised():
    _, product = not_cleared()
    refusal(ZeroDivisionError, product.weight.accumulate, lambda out=None: 1 / 0)
    assert (product.weight.grad == 0).all()


def test_looking_at_a_gradient_after_zero_grad_gives_zeros_in_the_same_array():
    for flatten in (False, True):
        model, product = not_cleared(flatten)
        looked = product.weight.grad
        assert looked is product.weight._grad and (looked == 0).all()
        backward(product)
        assert np.array_equal(looked, D_W)
        backward(product)
        assert np.array_equal(looked, 2 * D_W)
        assert all((s.a.grad == 0).all() for s in (model.before, model.after))


def test_zeros_are_written_once_and_not_over_what_came_after():
    _, product = not_cleared()
    product.weight.grad[1, 2] = 9
    assert product.weight.grad.sum() == 9
    product.weight.zero_grad()
    product.weight.zero_grad()
    backward(product)
    assert np.array_equal(product.weight.grad, D_W)


def test_adding_and_assigning_to_a_gradient_that_is_not_yet_cleared():
    _, product = not_cleared()
    grad = product.weight._grad
    product.weight.grad += 2
    assert product.weight.grad is grad and (grad == 2).all()
    product.weight.zero_grad()
    product.weight.grad = np.arange(6.0).reshape(2, 3)
    assert product.weight.grad is grad and grad.tolist() == [[0, 1, 2], [3, 4, 5]]
    backward(product)
    assert np.array_equal(grad, np.arange(6).reshape(2, 3) + D_W)


def test_a_gradient_that_is_not_yet_cleared_still_refuses_another_shape():
    _, product = not_cleared()
    assert "(2, 3)" in refusal(InputError, setattr, product.weight, "grad", np.ones((3, 2)))
    assert (product.weight.grad == 0).all()


def test_the_flat_gradient_has_the_zeros_and_what_was_accumulated():
    model, product = not_cleared()
    flat = model.flat_buffers()
    assert (flat.grad == 0).all() and flat.grad is flat.grad
    model.zero_grad()
    backward(product)
    assert flat.grad.tolist() == [0, 0, *D_W.ravel(), 0]
    flat.grad[:] = np.nan
    flat.zero_grad()
    backward(product)
    assert product.weight.grad.base is flat.grad and flat.grad.tolist() == [0, 0, *D_W.ravel(), 0]


def test_one_parameter_that_is_not_yet_cleared_keeps_the_others_gradients():
    model, product = not_cleared()
    model.before.a.grad, model.after.a.grad = np.array([1.0, 2.0]), np.array([3.0])
    product.weight.grad = D_W
    product.weight.zero_grad()
    assert model.flat_buffers().grad.tolist() == [1, 2, 0, 0, 0, 0, 0, 0, 3]


def test_clipping_counts_gradients_that_are_not_yet_cleared():
    model, product = not_cleared()
    assert clip_by_global_norm(model, 1.0) == 0
    model.zero_grad()
    backward(product)
    assert clip_by_global_norm(model, None) == pytest.approx(np.linalg.norm(D_W))
    clip_by_global_norm(model, 0.5)
    assert np.linalg.norm(model.flat_buffers().grad) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "make", [lambda m: SGD(m, 0.5, momentum=0.5), lambda m: Adam(m, 0.5), lambda m: AdamW(m, 0.5)]
)
def test_all_zeros_reach_the_optimizer_though_nobody_looked(make):
    models = [not_cleared()[0] for _ in range(2)]
    optimizers = [make(model) for model in models]
    # a step with gradients, so that the moments move
    for model, optimizer in zip(models, optimizers):
        for p in model.parameters():
            p.grad = np.arange(1.0, p.size + 1).reshape(p.shape)
        optimizer.step()
        for p in model.parameters():
            p.grad += np.nan
    models[0].zero_grad()
    for p in models[1].parameters():
        p.grad = np.zeros(p.shape)
    for optimizer in optimizers:
        optimizer.step()
    ours, plain = (o.state_dict() | m.state_dict() for o, m in zip(optimizers, models))
    assert all(
        np.array_equal(ours[name], plain[name]) and np.isfinite(ours[name]).all() for name in ours
    )


def test_a_copied_parameter_is_not_yet_cleared_either_and_is_cleared_alone():
    model, product = not_cleared()
    other = copy.deepcopy(model)
    backward(product)
    assert (other.product.weight.grad == 0).all() and np.array_equal(product.weight.grad, D_W)
    model.zero_grad()
    other = copy.deepcopy(model)
    backward(other.product)
    assert np.array_equal(other.product.weight.grad, D_W) and (product.weight.grad == 0).all()


@pytest.mark.parametrize("target", ["float64", "cpu"])
def test_moving_clears_what_is_not_yet_cleared(target):
    model, product = not_cleared()
    model.to(target)
    assert all((p._grad == 0).all() for p in model.parameters())
    model.zero_grad()
    backward(product)
    assert np.array_equal(product.weight.grad, D_W)
    assert product.weight.grad.dtype == ("float32" if target == "cpu" else target)


def test_flattening_anew_clears_what_is_not_yet_cleared():
    model, product = not_cleared()
    model.added = Scale(8.0, 9.0)
    model.added.a.grad += 3
    model.before.a.grad += 1
    flat = model.flatten()
    assert flat.grad.tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 3, 3]
    backward(product)
    assert np.array_equal(product.weight.grad, D_W)


def test_buffers_can_live_in_other_arrays_with_the_values_they_have():
    model, product = not_cleared()
    backward(product)
    model.after.a.grad = np.array([4.0])
    flat = model.flat_buffers()
    values, grads = flat.data.copy(), [0, 0, *D_W.ravel(), 4]  # `before` is not yet cleared
    data, grad = np.full(9, np.nan, np.float32), np.full(9, np.nan, np.float32)
    flat.live_in(data, grad)
    assert (
        flat.data is data and flat.grad is grad and flat.intact() and model.flat_buffers() is flat
    )
    assert np.array_equal(data, values) and np.array_equal(grad, grads)
    flat.live_in(data, grad)
    assert np.array_equal(data, values) and np.array_equal(grad, grads)
    product.weight.data = product.weight.data + 1
    backward(product)
    assert (
        data[2:8].tolist() == [2, 3, 4, 5, 6, 7]
        and grad[2:8].tolist() == (2 * D_W).ravel().tolist()
    )


# -- the tree --------------------------------------------------------------------------------------


def test_parameters_are_named_by_their_path_in_the_order_of_definition():
    assert list(Tree().named_parameters()) == [
        "bias", "last", "first.a", "layers.0.a", "layers.1.a",
    ]


def test_a_parameter_reached_by_two_paths_is_one():
    model = Tree()
    model.tied = Scale(0.0, 0.0)
    model.tied.a = model.layers[1].a
    assert len(model.parameters()) == 5 and "tied.a" not in model.named_parameters()
    assert model.parameter_count() == 2 + 6 + 3 * 2
    assert len(model.state_dict()) == 5
    assert model.flat_buffers().data.size == 14


def test_one_attribute_that_holds_a_parameter_twice_counts_it_once():
    model = Module()
    model.a = Parameter.ones(3)
    model.b = model.a
    assert list(model.named_parameters()) == ["a"] and model.parameter_count() == 3


def test_a_parameter_inside_a_list_is_found():
    model = Module()
    model.weights = [Parameter.ones(1), Parameter.ones(2)]
    model.pair = (Parameter.ones(3), Scale(1.0))
    assert list(model.named_parameters()) == ["weights.0", "weights.1", "pair.0", "pair.1.a"]


def test_modules_come_once_each_with_parents_first():
    model = Tree()
    assert model.named_modules() == [
        ("", model),
        ("first", model.first),
        ("layers.0", model.layers[0]),
        ("layers.1", model.layers[1]),
    ]
    assert model.children() == [*model.named_modules()[1:], ("again", model.first)]


def test_private_attributes_are_not_searched():
    assert not any("_hidden" in name for name in Tree().named_parameters())


def test_generators_are_found_once_each_below_the_module():
    model = Tree()
    model.first.rng = model.rng
    model.layers[0].rng = np.random.default_rng(1)
    assert [id(g) for g in model.generators()] == [id(model.rng), id(model.layers[0].rng)]


def test_calling_a_component_is_calling_forward_with_its_options():
    class Power(Module):
        def forward(self, x, exponent=1):
            return x**exponent

    assert Power()(3, exponent=2) == 9


@pytest.mark.parametrize("method", ["forward", "backward"])
def test_a_component_that_lacks_a_method_names_itself_and_the_method(method):
    assert refusal(NotImplementedError, getattr(Tree(), method), 1) == f"Tree has no {method}"


def test_a_module_prints_its_own_facts_and_its_children():
    text = repr(Tree())
    assert (
        text.startswith("Tree(count=3)") and "layers.1: Scale()" in text and "training" not in text
    )


# -- saves -----------------------------------------------------------------------------------------


def test_a_component_used_twice_is_undone_twice_in_reverse():
    scale = Scale(2.0)
    x1, x2 = np.array([3.0]), np.array([5.0])
    scale(x1)
    scale(x2)
    scale.backward(np.array([1.0]))
    assert scale.a.grad.tolist() == [5]
    scale.backward(np.array([1.0]))
    assert scale.a.grad.tolist() == [8]


def test_saved_gives_a_bare_value_for_one_a_tuple_for_several_and_an_empty_one_for_none():
    module = Module()
    module.save(1)
    module.save("b", "c")
    module.save()
    module.save(None)
    module.save(("d",))
    assert module.saved() == ("d",)
    assert module.saved() is None
    assert module.saved() == ()
    assert module.saved() == ("b", "c")
    assert module.saved() == 1


def test_saves_belong_to_one_component_only():
    a, b = Scale(1.0), Scale(1.0)
    a(np.array([1.0]))
    refusal(BackwardWithoutForward, b.backward, np.array([1.0]))
    a.backward(np.array([1.0]))


def test_backward_without_forward_names_the_component_and_the_remedy():
    scale = Scale(1.0)
    message = refusal(BackwardWithoutForward, scale.backward, np.array([1.0]))
    assert "Scale.backward" in message and "forward first" in message and "no_grad()" in message
    scale(np.array([1.0]))
    scale.backward(np.array([1.0]))
    refusal(BackwardWithoutForward, scale.backward, np.array([1.0]))


def test_nothing_is_saved_inside_no_grad():
    scale = Scale(1.0)
    with no_grad():
        scale(np.array([1.0]))
    assert scale.leftover_saves() == {}
    refusal(BackwardWithoutForward, scale.backward, np.array([1.0]))


def test_no_grad_ends_with_its_block_even_by_an_exception_and_when_nested():
    scale = Scale(1.0)
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    with no_grad():
        with no_grad():
            pass
        scale(np.array([1.0]))
    assert scale.leftover_saves() == {}
    scale(np.array([1.0]))
    assert scale.leftover_saves() == {"": 1}


def test_no_grad_of_one_thread_does_not_reach_another():
    scale = Scale(1.0)
    with no_grad():
        thread = threading.Thread(target=scale, args=(np.array([1.0]),))
        thread.start()
        thread.join()
    assert scale.leftover_saves() == {"": 1}


def test_leftover_saves_are_counted_by_path_and_cleared_below_too():
    model = Tree()
    model.save(1)
    model.layers[1](np.ones(2))
    model.layers[1](np.ones(2))
    model.first(np.ones(2))
    assert model.leftover_saves() == {"": 1, "first": 1, "layers.1": 2}
    model.first.clear_saves()
    assert model.leftover_saves() == {"": 1, "layers.1": 2}
    model.clear_saves()
    assert model.leftover_saves() == {}
    refusal(BackwardWithoutForward, model.layers[1].backward, np.ones(2))


# -- switches --------------------------------------------------------------------------------------


def test_train_and_eval_reach_every_module_below_and_return_the_model():
    model = Tree()
    assert all(m.training for _, m in model.named_modules())
    assert model.eval() is model
    assert not any(m.training for _, m in model.named_modules())
    assert Module().training, "eval() of one model must not switch another"
    assert model.train() is model
    assert all(m.training for _, m in model.named_modules())
    model.layers[0].eval()
    assert model.training and model.layers[1].training and not model.layers[0].training


# -- flat buffers ----------------------------------------------------------------------------------


def test_flat_buffers_hold_every_parameter_in_the_order_of_definition():
    model = Tree()
    for n, p in enumerate(model.parameters()):
        p.data[...] = n + np.arange(p.size).reshape(p.shape) / 10
        p.grad[...] = -p.data
    expected = np.concatenate([p.data.ravel() for p in model.parameters()])
    flat = model.flat_buffers()
    assert np.array_equal(flat.data, expected) and np.array_equal(flat.grad, -expected)
    assert flat.data.shape == flat.grad.shape == (model.parameter_count(),)
    assert flat.data.flags.c_contiguous and flat.data.dtype == np.float32


def test_after_flattening_data_and_grad_are_views_into_the_buffers():
    model = Tree()
    flat = model.flat_buffers()
    for p in model.parameters():
        assert p.data.base is flat.data and p.grad.base is flat.grad
    flat.data[:] = np.arange(flat.data.size)
    flat.grad[:] = -flat.data
    for p in model.parameters():
        assert np.array_equal(p.grad, -p.data)
    assert (
        np.concatenate([p.data.ravel() for p in model.parameters()]).tolist() == flat.data.tolist()
    )


def test_backward_and_assignment_reach_the_flat_buffers():
    model = Tree()
    flat = model.flat_buffers()
    model.layers[1](np.ones(2))
    model.layers[1].backward(np.array([3.0, 4.0]))
    assert flat.grad[-2:].tolist() == [3, 4] and not flat.grad[:-2].any()
    model.layers[1].a.data = np.array([8.0, 9.0])
    model.layers[1].a.grad = np.array([6.0, 7.0])
    assert flat.data[-2:].tolist() == [8, 9] and flat.grad[-2:].tolist() == [6, 7]


def test_flat_buffers_are_made_once():
    model = Tree()
    flat = model.flat_buffers()
    assert model.flat_buffers() is flat and model.flatten() is flat


def test_packing_finds_the_parameters_that_were_added_since():
    model = Tree()
    flat = model.flat_buffers()
    model.added = Scale(9.0, 9.0)
    grown = model.flatten()
    assert grown is not flat and grown.data.size == flat.data.size + 2
    assert grown.data[-2:].tolist() == [9, 9]
    assert all(p.data.base is grown.data for p in model.parameters())
    assert model.flat_buffers() is grown and model.flatten() is grown


def test_packing_finds_a_parameter_that_was_exchanged():
    model = Tree()
    model.flat_buffers()
    model.first = model.again = Scale(8.0, 8.0)
    assert 8 in model.flatten().data and model.flatten().data.size == 14


def test_flat_buffers_follow_parameters_that_another_buffer_took():
    model = Tree()
    flat = model.flat_buffers()
    model.layers[0].flat_buffers()
    assert model.flat_buffers() is not flat
    assert all(p.data.base is model.flat_buffers().data for p in model.parameters())


def test_zero_grad_empties_every_gradient_with_and_without_flat_buffers():
    for flatten in (False, True):
        model = Tree()
        if flatten:
            model.flat_buffers()
        arrays = [p.grad for p in model.parameters()]
        for p in model.parameters():
            p.grad += 1
        model.zero_grad()
        assert all(not p.grad.any() for p in model.parameters())
        assert all(p.grad is a for p, a in zip(model.parameters(), arrays))


def test_zero_grad_reaches_a_buffer_that_another_part_moved():
    model = Tree()
    model.flat_buffers()
    model.layers[0].flat_buffers()
    for p in model.parameters():
        p.grad += 1
    model.zero_grad()
    assert all(not p.grad.any() for p in model.parameters())


def test_a_module_without_parameters_has_nothing_to_flatten():
    assert "Module has no parameters" in refusal(InputError, Module().flat_buffers)


def test_flat_buffers_keep_the_dtype():
    parameters = [Parameter(np.ones(2)), Parameter(np.ones(3))]
    assert FlatBuffers(parameters).data.dtype == FlatBuffers(parameters).grad.dtype == np.float64


def test_a_copied_model_has_parameters_of_its_own():
    model = Tree()
    model.flat_buffers()
    other = copy.deepcopy(model)
    other.flat_buffers().data[:] = 0
    other.first.a.data = np.array([5.0, 5.0])
    assert 5 in other.flat_buffers().data and model.first.a.data.tolist() == [1, 2]
    assert other.first is other.again


# -- moving and saving -----------------------------------------------------------------------------


def test_to_float64_changes_data_and_gradients_and_nothing_else():
    model = Tree()
    model.first.a.grad = np.array([0.5, 0.25])
    model.flat_buffers()
    model.first(np.ones(2))
    assert model.to("float64") is model
    for p in model.parameters():
        assert p.data.dtype == p.grad.dtype == np.float64
    assert model.first.a.data.tolist() == [1, 2] and model.first.a.grad.tolist() == [0.5, 0.25]
    assert model.flat_buffers().data.dtype == np.float64
    assert model.leftover_saves() == {}
    assert model.again is model.first and model.table.shape == (2, 3)
    assert model.to(np.float32).first.a.data.dtype == np.float32


def test_a_shared_parameter_stays_shared_when_it_moves():
    model = Tree()
    model.tied = Scale(0.0, 0.0)
    model.tied.a = model.first.a
    model.to("float64")
    assert model.tied.a is model.first.a and model.tied.a.data.dtype == np.float64


def test_to_the_cpu_keeps_values_and_tables():
    model = Tree()
    table = model.table
    model.flat_buffers()
    model.to("cpu")
    assert model.table is table and model.first.a.data.tolist() == [1, 2]
    assert model.flat_buffers().data.size == 14


def test_to_another_dtype_is_refused_with_the_choices():
    message = refusal(InputError, Tree().to, "float16")
    assert "'float16'" in message and "'float32'" in message and "'gpu'" in message


def test_a_state_dict_is_a_copy_by_path():
    model = Tree()
    state = model.state_dict()
    assert list(state) == list(model.named_parameters())
    state["first.a"][:] = 99
    assert model.first.a.data.tolist() == [1, 2]


def test_loading_a_state_dict_writes_into_the_arrays_that_are_there():
    model, other = Tree(), Tree()
    flat = model.flat_buffers()
    for n, p in enumerate(other.parameters()):
        p.data[...] = n + 0.5
    state = {name: value.astype(np.float64) for name, value in reversed(other.state_dict().items())}
    model.load_state_dict(state)
    assert model.flat_buffers() is flat and flat.data.dtype == np.float32
    for name, p in model.named_parameters().items():
        assert np.array_equal(p.data, state[name])
    state["first.a"][:] = 99
    assert (model.first.a.data == 2.5).all()


def test_loading_the_weights_of_another_model_names_what_is_missing_and_what_is_too_much():
    model = Tree()
    state = model.state_dict()
    state["stranger"] = state.pop("first.a")
    message = refusal(InputError, model.load_state_dict, state)
    assert "missing ['first.a']" in message and "not known here ['stranger']" in message


def test_loading_a_wrong_shape_names_both_shapes_and_changes_nothing():
    model = Tree()
    state = {name: value + 1 for name, value in model.state_dict().items()}
    state["layers.1.a"] = np.ones(3)
    message = refusal(InputError, model.load_state_dict, state)
    assert "layers.1.a" in message and "(3,)" in message and "(2,)" in message
    assert model.first.a.data.tolist() == [1, 2]


def test_loading_a_shape_that_would_broadcast_is_refused_too():
    model = Tree()
    state = {**model.state_dict(), "layers.1.a": np.ones(1)}
    assert "(1,)" in refusal(InputError, model.load_state_dict, state)


def test_gradients_of_a_component_that_came_after_the_flat_buffers_are_zeroed_too():
    rng = np.random.default_rng(0)
    model = Linear(2, 3, rng)
    model.flat_buffers()
    model.later = Linear(3, 2, rng)
    model.later.weight.grad += 1
    model.zero_grad()
    assert not model.later.weight.grad.any()
    assert model.flatten().data.size == model.parameter_count()


@pytest.mark.parametrize(
    "state",
    [
        None, 3, [], {"weight": [[1.0] * 3] * 4, "bias": [1.0] * 3},
        {"weight": np.ones((4, 3), complex), "bias": np.ones(3)},
    ],
)
def test_a_state_that_is_no_state_is_refused_in_a_sentence(state):
    with pytest.raises(InputError):
        Linear(4, 3, 0).load_state_dict(state)
