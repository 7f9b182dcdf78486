"""The boundary: every array and every option that a user hands in is right, converted, or refused
in one sentence."""

import copy
import inspect
import itertools
import re
import threading
from typing import Annotated

import boundary_table
import numpy as np
import pytest
from boundary_table import (
    REFUSED,
    RIGHT,
    array_cases,
    constructors,
    empty_cases,
    gradient_cases,
    option_cases,
)
from common import accepted, close, refusal

from minitransformer.attention import Masking, MultiHeadAttention, ScaledDotProductAttention
from minitransformer.boundary import (
    ARRAYS,
    Count,
    Floats,
    Ids,
    Mask,
    Natural,
    Positive,
    StateOf,
    checked,
)
from minitransformer.core import Module, no_grad
from minitransformer.core.module import Parameter
from minitransformer.errors import BackwardWithoutForward, InputError
from minitransformer.layers import (
    CrossEntropy,
    Dropout,
    FeedForward,
    LayerNorm,
    LearnedPositionalEncoding,
    Linear,
    Residual,
    SinusoidalPositionalEncoding,
    Softmax,
)  # fmt: skip
from minitransformer.layers.cache import take_rows
from minitransformer.models import Encoder, Transformer, TransformerConfig
from minitransformer.older import ConvolutionModel, Expectation, LocalAttention
from minitransformer.runs import MODELS, configure, find_model
from minitransformer.testing import all_components
from minitransformer.training import SGD, Adam, AdamW, Constant, Cosine, Noam, clip_by_global_norm

COMPONENTS = all_components()
NAN, INF = float("nan"), float("inf")


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def toy():
    return TransformerConfig(
        source_vocabulary=9, d_model=8, heads=2, d_ff=12, encoder_layers=1, decoder_layers=1,
        dropout=0.0,
    )


pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")


# -- sweeps: a sentence, or the right numbers ------------------------------------------------------


@pytest.mark.parametrize(
    "cases", [array_cases, empty_cases, gradient_cases], ids=lambda cases: cases.__name__
)
@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: c.__name__)
def test_every_array_is_refused_in_a_sentence_or_gives_the_right_numbers(component, cases):
    found = list(cases(component))
    assert not [case for case in found if case[1] not in (REFUSED, RIGHT)]
    if cases is not empty_cases:
        assert {REFUSED, RIGHT} <= {how for _, how in found} or not found


@pytest.mark.parametrize("made", list(constructors()), ids=lambda made: made[0].__name__)
def test_every_option_is_refused_in_a_sentence_or_makes_something_that_works(made):
    found = list(option_cases(*made))
    assert not [case for case in found if case[1] not in (REFUSED, RIGHT)]
    assert len([how for _, how in found if how == REFUSED]) > len(found) / 3


def test_the_table_counts_what_was_tried(monkeypatch):
    monkeypatch.setattr(boundary_table, "all_components", lambda: [LayerNorm])
    monkeypatch.setattr(boundary_table, "constructors", lambda: iter(()))
    text, wrong = boundary_table.table()
    lines = text.splitlines()
    assert (
        not wrong
        and [line.split()[0] for line in lines] == ["arrays", "empty", "gradients"]
        and "refused" in lines[0]
        and "right" in lines[0]
    )


def test_the_table_notices_a_bare_error_and_a_wrong_number():
    assert boundary_table.ended(lambda: 1 / 0, lambda found: True).startswith("ZeroDivisionError")
    assert boundary_table.ended(lambda: 1, lambda found: False) == "another number, without a word"
    assert boundary_table.ended(lambda: Softmax()(None), lambda found: True) == REFUSED


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: c.__name__)
def test_every_argument_of_a_component_has_a_hint(component):
    """`cache` and `packing` are the house's own, a mask may belong to an attention inside."""
    own = {
        "self", "cls", "cache", "caches", "packing", "memory_packing", "packings", "others",
        "options", "mask", "memory_mask",
    }
    for name in ("__init__", "forward"):
        method = inspect.unwrap(vars(component).get(name, Module.forward))
        arguments = inspect.signature(method).parameters
        unhinted = {n for n, p in arguments.items() if p.annotation is p.empty} - own
        assert method is Module.forward or not unhinted, f"{name}: {unhinted}"


@pytest.mark.parametrize(
    "name", sorted(set(boundary_table.SAME) - {"a list", "a masked array", "objects"})
)
def test_what_means_the_same_is_served_and_not_refused(name):
    linear, x = Linear(7, 5, 0).to("float64"), normal(4, 7)
    plain = boundary_table.passed(linear, [x])
    right = lambda found: boundary_table.equal(found, plain)  # noqa: E731
    assert (
        boundary_table.ended(
            lambda: boundary_table.passed(linear, [boundary_table.SAME[name](x)]), right
        )
        == RIGHT
    )
    d_y = boundary_table.SAME[name](np.random.default_rng(7).standard_normal((4, 5)))
    assert boundary_table.ended(lambda: boundary_table.passed(linear, [x], [d_y]), right) == RIGHT


# -- a learner's own component, without hints ------------------------------------------------------


class Table(Module):
    """A look-up: it takes integers."""

    def __init__(self, *rows):
        self.weight = Parameter(np.array(rows))

    def forward(self, ids):
        self.save(ids)
        return self.weight.data[ids]

    def backward(self, d_y):
        np.add.at(self.weight.grad, self.saved(), d_y)


class Scale(Module):
    def forward(self, x):
        self.save()
        return 2 * x

    def backward(self, d_y):
        self.saved()
        return 2 * d_y


class Twice(Scale):
    """Its forward calls its parent's, and its backward is the parent's."""

    def forward(self, x):
        return super().forward(x)


class Hinted(Scale):
    def forward(self, x: Floats):
        return super().forward(x)


LISTS = [[1.0, 2.0], [[1, 2], [3, 4]], [], [np.ones(2), np.ones(2)], [np.float32(1)]]


@pytest.mark.parametrize("make", [list, tuple])
@pytest.mark.parametrize("kind", [Scale, Hinted])
@pytest.mark.parametrize("values", LISTS, ids=str)
def test_a_list_or_tuple_of_numbers_is_refused_with_hints_and_without(kind, values, make):
    if values or kind is Hinted:
        sentence = refusal(kind(), make(values))
        assert (
            f"Got a {make.__name__}. Use numpy.array(x)." in sentence or "Use x.astype" in sentence
        )
        assert (f"add a type hint: x: {make.__name__}." in sentence) == (kind is Scale)
        assert refusal(kind(), x=make(values)) == sentence


def test_a_hint_makes_a_tuple_an_option_and_other_things_pass_without():
    class Moved(Module):
        def forward(self, x, axes: tuple = (0, 1), others=None):
            return x.transpose(axes), others

    assert (
        Moved()(normal(2, 3), (1, 0))[0].shape
        == Moved()(normal(2, 3), axes=(1, 0))[0].shape
        == (3, 2)
    )
    for others in (("a", "b"), [None], (), "text", {"a": 1}, 3):
        assert Moved()(normal(2, 3), others=others)[1] is others


class Two(Module):
    """Two outputs."""

    def forward(self, x):
        self.save()
        return x + 1, x.sum(axis=0)

    def backward(self, d_y, d_sum):
        self.saved()
        return d_y + d_sum


def test_a_component_without_hints_takes_integers_and_any_object():
    table = Table([1.0, 2.0], [3.0, 4.0])
    close(table(np.array([1, 0, 1])), np.array([[3, 4], [1, 2], [3, 4]]))
    table.backward(np.ones((3, 2)))
    close(table.weight.grad, np.array([[1, 1], [2, 2]]))

    class Reads(Module):
        def forward(self, x, names, options=None):
            return x * len(names)

    assert Reads()(np.ones(2), ["a", "b"], options={"c": [1, 2]}).tolist() == [2, 2]


@pytest.mark.parametrize("make", [Scale, Twice])
def test_a_component_without_hints_is_held_to_the_kinds_of_arrays_and_to_d_y(make):
    scale = make()
    for wrong, says in (
        ([[1.0, 2.0]], "got a list|Got a list"), (np.ones(3, dtype=complex), "complex128"),
        (np.array(["a"]), "<U1"),
        (np.ma.array([1.0]), "masked"), (np.array([None]), "object"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=says):
            scale(wrong)
    y = scale(np.matrix([[1.0, 2.0]]))
    assert type(y) is np.ndarray and y.tolist() == [[2, 4]]
    scale.backward(np.ones((1, 2)))
    scale(normal(3, 5, 7))
    for d_y in (
        normal(5, 7), normal(3, 5, 7, 1), normal(1), normal(7, 5, 3), np.ones((3, 5, 7), dtype=int),
        np.ones((3, 5, 7), dtype="f4"),
    ):
        with pytest.raises(InputError, match=r"backward: d_y .*forward returned"):
            scale.backward(d_y)
    assert scale.leftover_saves() == {"": 1}, "a refusal takes no saves"
    close(scale.backward(np.ones((3, 5, 7))), np.full((3, 5, 7), 2.0))
    assert scale.leftover_saves() == {}
    with pytest.raises(BackwardWithoutForward):
        scale.backward(np.ones((3, 5, 7)))


def test_each_of_two_outputs_has_its_gradient_by_place_or_by_name():
    two = Two()
    two(np.ones((3, 2)))
    assert "missing a required argument: 'd_sum'" in refusal(two.backward, np.ones((3, 2)))
    assert "d_sum has the shape (3,)" in refusal(two.backward, np.ones((3, 2)), np.ones(3))
    assert "d_sum has the shape (3,)" in refusal(two.backward, np.ones((3, 2)), d_sum=np.ones(3))
    assert two.backward(np.ones((3, 2)), d_sum=np.ones(2)).tolist() == [[2, 2]] * 3
    assert not two._outputs and not two._saves


def test_the_shapes_of_outputs_are_last_in_first_out_like_the_saves():
    scale = Scale()
    scale(normal(3, 5))
    with no_grad():
        scale(normal(9))
    assert len(scale._outputs) == 1
    scale(normal(4))
    assert "(4,)" in refusal(scale.backward, normal(3, 5))
    scale.backward(normal(4))
    scale.backward(normal(3, 5))
    scale(normal(2))
    scale.clear_saves()
    assert not scale.__dict__.get("_outputs")
    with pytest.raises(BackwardWithoutForward):
        scale.backward(normal(7))


def test_a_forward_that_was_put_in_anothers_place_is_called(monkeypatch):
    linear, x = Linear(2, 3, 0), normal(4, 2)
    block = FeedForward(2, 3, 0)
    expected = block(x)
    monkeypatch.setattr(Linear, "forward", lambda self, x: x @ self.weight.data + 100)
    assert (linear(x) > 50).all() and not np.allclose(block(x), expected)
    linear.forward = lambda x: "mine"
    assert linear(x) == "mine"


def test_a_learners_subclass_of_ours_is_held_to_our_hints():
    class Mine(LayerNorm):
        def forward(self, x):
            return super().forward(x) * 2

    assert "here D is 8" in refusal(Mine(8), normal(3, 7)) and "integers" not in refusal(
        Mine(8), np.ones((3, 8), dtype=int)
    )
    assert "float" in refusal(Mine(8), np.ones((3, 8), dtype=int))
    mine = Mine(8)
    mine.backward(mine(normal(3, 8)))
    assert mine.leftover_saves() == {} and "_outputs" not in {k for k, v in vars(mine).items() if v}


# -- what is between a component and its parts -----------------------------------------------------


class Block(Module):
    """A learner's block, whose second part does not fit the first."""

    def __init__(self):
        self.first, self.second = Linear(4, 5, 0), Linear(6, 4, 1)

    def forward(self, x):
        return self.second(self.first(x))


@pytest.mark.parametrize("quiet", [False, True])
def test_what_a_learners_component_hands_to_its_parts_is_checked(quiet):
    with no_grad() if quiet else open("/dev/null"):
        assert "Linear: x must be" in refusal(Block(), normal(3, 4)) and "here D is 6" in refusal(
            Block(), normal(3, 4)
        )


def test_what_would_broadcast_inside_a_learners_component_is_refused():
    class FirstOfAll(Module):
        def __init__(self):
            self.attention = MultiHeadAttention(8, 2, 0)

        def forward(self, x):
            return self.attention(x, x[:1])

    assert "memory must be" in refusal(FirstOfAll(), normal(3, 5, 8))


@pytest.mark.parametrize("quiet", [False, True])
def test_a_part_of_ours_that_does_not_fit_is_named_when_it_fails(quiet):
    model = Transformer(toy(), 0)
    model.decoder.layers[0].feed_forward.contract = Linear(13, 8, 0)
    ids = np.array([[4, 5], [6, 7]])
    with no_grad() if quiet else open("/dev/null"):
        assert "Linear: x must be" in refusal(model, ids, ids) and "here D is 13" in refusal(
            model, ids, ids
        )


def test_an_error_that_is_no_inputs_stays_what_it_is():
    class Fails(Module):
        def forward(self, x):
            raise ValueError("on purpose")

    norm = Residual(Fails(), 8, 0)
    with pytest.raises(ValueError, match="on purpose"):
        norm(normal(3, 8))
    linear = Linear(2, 3, 0)
    linear.bias = "no parameter"
    with pytest.raises(AttributeError):
        linear(normal(4, 2))


def test_a_sublayer_without_hints_of_its_own_is_checked_inside_a_residual():
    attention = Residual(MultiHeadAttention(8, 2, 0), 8, 0)
    assert "memory must be" in refusal(attention, normal(3, 5, 8), normal(1, 7, 8))


def test_what_one_thread_is_inside_of_is_nothing_to_another():
    """A long forward of ours in one thread must not spare another thread its checks."""
    inside, said = threading.Event(), []
    done = threading.Event()

    class Waits(Module):
        def forward(self, x):
            inside.set()
            done.wait(10)
            return x

    thread = threading.Thread(target=lambda: Residual(Waits(), 8, 0)(normal(2, 8)))
    thread.start()
    inside.wait(10)
    said.append(refusal(Softmax(), np.ones((2, 3), dtype=int)))
    done.set()
    thread.join()
    assert "float" in said[0]


def test_a_mask_is_looked_at_wherever_it_is_handed_in():
    model = Transformer(toy(), 0)
    x, memory = normal(3, 3, 8), normal(3, 3, 8)
    for layer in (model.decoder, model.decoder.layers[0]):
        for mask in (
            np.ones((3, 3), dtype=bool), np.ones((3, 3, 3), dtype=bool), np.ones((1, 1, 3, 3)),
        ):
            assert "mask must be a boolean array" in refusal(layer, x, memory, mask)
            assert "mask must be a boolean array" in refusal(layer, x, memory, None, mask)


# -- one rule for what broadcasts ------------------------------------------------------------------


@pytest.mark.parametrize(
    "component, inputs",
    [
        (ScaledDotProductAttention(), (normal(3, 4, 5, 6), normal(3, 1, 7, 6), normal(3, 1, 7, 6))),
        (ScaledDotProductAttention(), (normal(3, 4, 5, 6), normal(1, 4, 7, 6), normal(1, 4, 7, 6))),
        (ScaledDotProductAttention(), (normal(3, 4, 5, 6), normal(3, 4, 7, 6), normal(3, 4, 1, 6))),
        (MultiHeadAttention(8, 2, 0), (normal(3, 5, 8), normal(1, 7, 8))),
        (Expectation(), (normal(3, 5, 7), normal(1, 7, 4))),
        (SinusoidalPositionalEncoding(4), (normal(1, 3, 4), np.zeros((2, 3), dtype=int))),
        (LearnedPositionalEncoding(4, 0), (normal(2, 3, 4), np.zeros((1, 3), dtype=int))),
        (LearnedPositionalEncoding(4, 0), (normal(2, 3, 4), np.zeros((2, 1), dtype=int))),
        (CrossEntropy(padding=0), (normal(2, 3, 4), np.ones((1, 3), dtype=int))),
        (LocalAttention(3), (normal(3, 2, 7, 5), normal(3, 1, 7, 5), normal(3, 2, 7, 5))),
    ],
)
def test_inputs_with_gradients_never_broadcast(component, inputs):
    LayerNorm(8)(normal(3, 8))  # what ran before leaves no trust behind
    assert "is needed" in refusal(component, *inputs) or "in the other arrays" in refusal(
        component, *inputs
    )


def test_positions_for_all_sequences_and_for_each_are_both_taken():
    for encoding in (
        SinusoidalPositionalEncoding(4),
        LearnedPositionalEncoding(4, 0).to("float64"),
    ):
        x, t = normal(2, 3, 4), np.arange(3)
        close(encoding(x, t), encoding(x))
        close(encoding(x, np.stack([t, t])), encoding(x))


# -- what is empty ---------------------------------------------------------------------------------


def test_attention_over_no_memory_is_zero_and_so_are_its_gradients():
    attention, q = ScaledDotProductAttention(), normal(3, 4, 5, 6)
    y = attention(q, normal(3, 4, 0, 6), normal(3, 4, 0, 2), np.ones((3, 1, 1, 0), dtype=bool))
    assert y.shape == (3, 4, 5, 2) and not y.any()
    d_q, d_k, d_v = attention.backward(normal(3, 4, 5, 2))
    assert (
        d_q.shape == q.shape
        and not d_q.any()
        and d_k.shape == (3, 4, 0, 6)
        and d_v.shape == (3, 4, 0, 2)
    )
    heads = MultiHeadAttention(8, 2, 0).to("float64")
    assert not heads(normal(3, 5, 8), normal(3, 0, 8)).any()
    d_x, d_memory = heads.backward(normal(3, 5, 8))
    assert not d_x.any() and d_memory.shape == (3, 0, 8)


def test_a_softmax_over_nothing_is_nothing():
    softmax = Softmax()
    assert softmax(normal(3, 0)).shape == (3, 0) and softmax.backward(normal(3, 0)).shape == (3, 0)


def test_sequences_of_no_length_pass_through_a_block():
    for component in (
        LayerNorm(8), FeedForward(8, 12, 0), Residual(FeedForward(8, 12, 0), 8, 0),
        MultiHeadAttention(8, 2, 0),
    ):
        component.to("float64")
        assert component(normal(3, 0, 8)).shape == (3, 0, 8) and component.backward(
            normal(3, 0, 8)
        ).shape == (3, 0, 8)
        assert not any(p.grad.any() for p in component.parameters())


def test_no_features_are_refused():
    for component, shape in (
        (Softmax(), ()), (LayerNorm(8), (3, 0)), (ScaledDotProductAttention(), (1, 1, 2, 0)),
    ):
        inputs = [normal(*shape)] * len(inspect.signature(component.forward).parameters)
        refusal(component, *inputs[: 3 if len(inputs) > 1 else 1])


@pytest.mark.parametrize("call, sentence", [
    (lambda: CrossEntropy(padding=0)(np.ones((2, 3), int), normal(2, 3, 5)),
     "CrossEntropy: x and targets are swapped: x must be the scores .* Pass .x, targets."),
    (lambda: CrossEntropy(padding=0)(targets=normal(2, 3, 5), x=np.ones((2, 3), int)),
     "CrossEntropy: targets and x are swapped"),
    (lambda: CrossEntropy(padding=0)(np.ones((2, 3), int), targets=normal(2, 3, 5)),
     "CrossEntropy: x and targets are swapped"),
    (lambda: CrossEntropy(padding=0).to("float64")(np.ones(2, np.uint8), normal(2, 5)),
     "CrossEntropy: x and targets are swapped"),
    (lambda: CrossEntropy(padding=0)(np.ones((2, 3)), normal(2, 3, 5)),
     "Pass the scores first, then the targets, as integers"),
    (lambda: Masking()(np.ones((1, 1, 2, 3), bool), normal(1, 1, 2, 3)),
     "Masking: x and mask are swapped"),
    (lambda: Adam(1e-3, Linear(2, 3, 0)),
     "Adam: model and learning_rate are swapped: model must be an object of the class Module"),
    (lambda: clip_by_global_norm(1.0, Linear(2, 3, 0)),
     "clip_by_global_norm: model and max_norm are swapped"),
    (lambda: LayerNorm(1e-5, 8), "LayerNorm: features and epsilon are swapped"),
    (lambda: Dropout(np.random.default_rng(0), 0.1),
     "Dropout: p and rng are swapped: .*, and rng a numpy.random.Generator"),
    (lambda: Transformer(np.random.default_rng(0), toy()),
     "Transformer: config and rng are swapped: config must be an object of the class "
     "TransformerConfig"),
])  # fmt: skip
def test_two_arguments_in_each_others_place_are_named(call, sentence):
    assert re.search(sentence, refusal(call))


@pytest.mark.parametrize("call", [
    lambda: CrossEntropy(padding=0)(normal(2, 3, 5), np.ones((3, 2), int)),
    lambda: CrossEntropy(padding=0)(np.ones((2, 3), int), np.ones((2, 3), int)),
    lambda: LayerNorm(8, 1, foo=2),
    lambda: Dropout(None, 0),
    lambda: LayerNorm(0, 1e-5),
    lambda: ScaledDotProductAttention()(normal(1, 1, 7, 5), normal(1, 1, 4, 5), normal(1, 1, 7, 5)),
])  # fmt: skip
def test_arguments_that_are_wrong_in_any_order_are_not_called_swapped(call):
    assert "swapped" not in refusal(call)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("shape", [(4,), (2, 3)])
def test_one_hot_targets_are_named_with_the_remedy(dtype, shape):
    ids = np.random.default_rng(0).integers(1, 5, shape)
    one_hot = np.eye(5)[ids].astype(dtype)
    sentence = refusal(CrossEntropy(padding=0), normal(*shape, 5), one_hot)
    assert (
        (
            f"these are {dtype} of shape {(*shape, 5)}, a number for each class. If they are "
            "one-hot, use targets.argmax(axis=-1)"
        )
        in sentence
    )
    assert CrossEntropy(padding=0)(normal(*shape, 5), one_hot.argmax(axis=-1)) == CrossEntropy(
        padding=0
    )(normal(*shape, 5), ids)


# -- options ---------------------------------------------------------------------------------------

RANGES = [
    (lambda v: Adam(Linear(2, 3, 0), v), [-1, NAN, INF, "1e-3", None, True, [0.1]],
     [0, 1e-3, np.float64(0.1), lambda t: 0.1]),
    (lambda v: Adam(Linear(2, 3, 0), beta1=v), [-0.1, 1.0, NAN, "a"], [0, 0.9]),
    (lambda v: Adam(Linear(2, 3, 0), beta2=v), [-0.1, 1.0, NAN, INF], [0, 0.98]),
    (lambda v: Adam(Linear(2, 3, 0), epsilon=v), [0, -1e-9, 1e-31, 1e-300, NAN, INF],
     [1e-30, 1e-9, 1]),
    (lambda v: AdamW(Linear(2, 3, 0), epsilon=v), [0, 1e-31, NAN], [1e-30, 1e-9]),
    (lambda v: AdamW(Linear(2, 3, 0), weight_decay=v), [-0.1, NAN, INF, None], [0, 0.1]),
    (lambda v: SGD(Linear(2, 3, 0), v), [-1, NAN, INF, "a"], [0.1]),
    (lambda v: SGD(Linear(2, 3, 0), momentum=v), [-0.1, 1, NAN], [0, 0.9]),
    (lambda v: Constant(v), [-1, NAN, INF, None], [0.1]),
    (lambda v: Constant(0.1, v), [-1, 0.5, NAN], [0, 3]),
    (lambda v: Noam(v), [0, -1, 2.5, NAN], [512, np.int64(512)]),
    (lambda v: Noam(512, v), [0, -1, NAN], [1]),
    (lambda v: Noam(512, factor=v), [0, -1, NAN, INF], [2.0]),
    (lambda v: Cosine(v, 100), [-1, NAN, INF], [0.1]),
    (lambda v: Cosine(0.1, v), [0, -1, NAN], [1]),
    (lambda v: Cosine(0.1, 100, floor=v), [-1, NAN, INF], [0.01]),
    (lambda v: LayerNorm(3, v), [0, -1e-5, 1e-31, 1e-300, NAN, INF, "a", None],
     [1e-30, 1e-5, np.float64(1e-5)]),
    (lambda v: Dropout(v, 0), [-0.1, 1, NAN, INF, "a", None, True], [0, 0.5, np.float32(0.5)]),
    (lambda v: CrossEntropy(v), [-0.1, 1, NAN, "a", None],
     [0, 0.1, np.float64(0.1), np.array(0.1)]),
    (lambda v: CrossEntropy(0.1, v), [0.5, NAN, "a", True], [0, -100, np.int64(3), None]),
    (lambda v: clip_by_global_norm(Linear(2, 3, 0), v), [0, -1, NAN, INF, "a"], [None, 1, 0.5]),
    (lambda v: Linear(2, 3, v), [None, -1, 0.5, "a", True, np.random],
     [0, np.int64(3), np.random.default_rng(0), np.random.PCG64(0)]),
    (lambda v: Linear(2, 3, 0, v), [1, 0, "no", None], [True, np.bool_(False)]),
    (lambda v: Parameter.zeros(v), [-1, 0.5, "a", None], [0, 3, np.int64(3)]),
]  # fmt: skip


@pytest.mark.parametrize("make, wrong, right", RANGES)
def test_options_out_of_range_are_refused_and_others_are_not(make, wrong, right):
    for value in wrong:
        message = refusal(make, value)
        assert "must be" in message and ("got" in message), message
    for value in right:
        make(value)


def test_numbers_of_numpy_change_no_dtype():
    x, targets = normal(3, 5).astype("f4"), np.array([1, 2, 3])
    loss = CrossEntropy(np.float64(0.1), np.int64(0))
    assert loss(x, targets).dtype == loss.backward(np.float64(2.0)).dtype == np.float32
    assert LayerNorm(5, np.float64(1e-5))(x).dtype == np.float32
    assert ScaledDotProductAttention(0, np.float64(0.5))(*[x[None]] * 3).dtype == np.float32
    assert type(TransformerConfig(d_model=np.int64(8), dropout=np.float32(0.5)).d_model) is int
    linear = Linear(5, 3, 0)
    linear.backward(linear(x))
    Adam(linear, np.float64(0.1), np.float64(0.9)).step()
    assert linear.weight.data.dtype == np.float32


@pytest.mark.parametrize(
    "component", [c for c in COMPONENTS if "rng" in inspect.signature(c).parameters],
    ids=lambda c: c.__name__,
)
def test_a_seed_serves_wherever_a_generator_does(component):
    arguments = boundary_table.arguments_of(component)
    made = [
        component(**{**copy.deepcopy(arguments), "rng": rng})
        for rng in (7, np.int64(7), np.random.default_rng(7))
    ]
    for name, p in made[0].named_parameters().items():
        assert all(
            np.array_equal(p.data, other.named_parameters()[name].data) for other in made[1:]
        )


def test_half_precision_is_refused_with_what_to_do():
    assert "float16" in refusal(
        CrossEntropy(padding=0), np.zeros((1, 100_000), dtype=np.float16), np.array([1])
    )
    assert "x.astype('float32')" in refusal(Softmax(), np.zeros((1, 100_000), dtype=np.float16))


@pytest.mark.parametrize("dtype", ["float16", "longdouble"])
def test_a_forward_without_hints_refuses_the_same_floats(dtype):
    """Components compute in float32 and float64; another float would leave its precision in the
    result."""
    x = np.ones((2, 3), dtype=dtype)
    said = refusal(Scale(), x)
    assert f"Got {x.dtype} of shape (2, 3). Use x.astype('float32')." in said
    assert "floats (float32 or float64), integers or booleans" in said
    assert refusal(Scale(), np.ones((2, 3), dtype=complex)).endswith("complex128 of shape (2, 3).")
    for taken in (np.float32, np.float64, np.int8, bool):
        assert Scale()(x.astype(taken)).shape == (2, 3)


def test_another_byte_order_gives_the_same_numbers():
    x = normal(3, 8)
    norm = LayerNorm(8).to("float64")
    close(norm(x.astype(">f8")), norm(x), 0)
    close(norm.backward(x.astype(">f8")), norm.backward(x), 0)


def test_a_part_may_be_called_by_name():
    class ByName(Module):
        def __init__(self):
            self.linear = Linear(8, 8, 0)

        def forward(self, x):
            return self.linear(x=x)

    x = normal(3, 8)
    close(Residual(ByName(), 8, 0)(x), Residual(ByName().linear, 8, 0)(x))


def test_a_list_of_layers_holds_components():
    assert "layers[0] must be an object of the class Module, got 3" in refusal(
        Encoder, toy(), 0, [3]
    )
    assert "layers must be" in refusal(Encoder, toy(), 0, "abc")
    assert Encoder(toy(), 0, []).layers == []


def test_the_optimizer_wants_the_model_itself():
    linear = Linear(2, 3, 0)
    message = refusal(Adam, linear.parameters(), 1e-3)
    assert (
        "model must be an object of the class Module, got a list. Pass the object itself" in message
    )
    assert "got the class Linear" in refusal(Adam, Linear)


def test_a_card_is_called_gpu():
    for name in ("cuda", "cuda:0"):
        message = refusal(Linear(2, 3, 0).to, name)
        assert repr(name) in message and "'gpu'" in message and "NVIDIA" in message
    for other in ("float16", None, 3, "", [1]):
        assert "'gpu'" in refusal(Linear(2, 3, 0).to, other)
    assert Linear(2, 3, 0).to(float).weight.data.dtype == np.float64


def test_a_component_prints_its_sizes():
    assert repr(Linear(3, 4, 0)) == "Linear(in_features=3, out_features=4, bias=True)"
    assert repr(LayerNorm(8)) == "LayerNorm(features=8, epsilon=1e-05)"
    assert "\n  query: Linear(in_features=8, out_features=8, bias=False)\n" in repr(
        MultiHeadAttention(8, 2, 0)
    )


def test_a_call_that_cannot_be_is_answered_with_how_to_call():
    assert (
        (
            "Linear is called as Linear(in_features, out_features, rng, bias=True): missing a "
            "required argument: 'rng'"
        )
        in refusal(Linear, 3, 4)
    )
    assert "unexpected keyword argument 'depth'" in refusal(Linear, 3, 4, 0, depth=2)
    linear = Linear(3, 4, 0)
    assert "missing a required argument: 'x'" in refusal(linear)
    assert "too many positional arguments" in refusal(linear, normal(2, 3), normal(2, 3))
    linear(normal(2, 3))
    sentence = refusal(Adam, linear, lr=1e-3)
    assert (
        "Adam is called as Adam(model, learning_rate=0.001, " in sentence and "self" not in sentence
    )
    assert refusal(Adam, linear, learningrate=1e-3).endswith(
        "'learningrate'. Did you mean 'learning_rate'?"
    )
    assert "Linear.backward is called as Linear.backward(d_y)" in refusal(linear.backward)


# -- parameters ------------------------------------------------------------------------------------


class Power(Module):
    """y = x · 2ᵃ, with one number to learn."""

    def __init__(self):
        self.a = Parameter.zeros()

    def forward(self, x):
        self.save(x)
        return x * 2**self.a.data

    def backward(self, d_y):
        x = self.saved()
        self.a.grad += (d_y * x * 2**self.a.data).sum() * np.log(2)
        return d_y * 2**self.a.data


def test_a_parameter_may_be_a_single_number():
    power = Power().to("float64")
    linear = Linear(2, 3, 0).to("float64")
    power.linear = linear
    assert power.a.shape == () and power.a.size == 1 and power.parameter_count() == 10
    optimizer = Adam(power, 0.1)
    assert power.a.data.base is power.flat_buffers().data
    for _ in range(50):
        y = power(np.array([1.0, 2.0]))
        power.zero_grad()
        power.backward(y - np.array([4.0, 8.0]))
        optimizer.step()
    assert power.a.data.shape == () and abs(2 ** float(power.a.data) - 4) < 0.5
    power.a.data = 1.5
    power.a.grad = np.float64(0.5)
    assert power.a.data == 1.5 and power.a.grad == 0.5 and power.flat_buffers().data[0] == 1.5
    other = Power().to("float64")
    other.linear = copy.deepcopy(linear)
    other.load_state_dict(power.state_dict())
    assert other.a.data == 1.5 and other.a.data.shape == ()
    power.zero_grad()
    assert power.a.grad == 0


@pytest.mark.parametrize(
    "data", [np.arange(3), [1.0, 2.0], 1.0, np.ones(2, dtype=np.float16), np.ma.ones(2)],
    ids=lambda data: str(type(data).__name__),
)
def test_a_parameter_is_made_of_floats(data):
    refusal(Parameter, data)


# -- the decorator ---------------------------------------------------------------------------------


@checked
def mean(
    x: Annotated[Floats, "B, T, D"], real: Annotated[Mask, "B, T"] | None = None, *,
    scale: Positive = 1, steps: Count = 1,
):
    """Any function may have hints that are checked."""
    return x, real, scale, steps


def test_any_function_may_check_what_its_hints_say():
    x, real, scale, steps = mean(
        normal(2, 3, 4).astype(">f8"), np.ones((2, 3), dtype=bool), scale=np.float32(2),
        steps=np.int8(3),
    )
    assert x.dtype.isnative and type(scale) is float and type(steps) is int and real.all()
    assert mean(normal(2, 3, 4), scale=2)[2] == 2
    assert "mean: x must be" in refusal(mean, [1.0])
    assert "mean: real must be" in refusal(mean, normal(2, 3, 4), real=np.ones((2, 4), dtype=bool))
    assert "scale must be a finite number above 0, got 0" in refusal(mean, normal(2, 3, 4), scale=0)
    assert "unexpected keyword" in refusal(mean, normal(2, 3, 4), size=1)


def test_a_shape_that_does_not_fit_is_explained_axis_by_axis():
    message = refusal(mean, normal(2, 3, 4), np.ones((2, 4), dtype=bool))
    assert (
        (
            "of shape (B, T), with B for the batch, T for the length; here B is 2, T is 3. Got "
            "bool of shape (2, 4)."
        )
        in message
    )
    assert "Axis 1 (length) has the size 4, and 3 is needed." in message
    assert "x[None] makes a batch of one" in refusal(mean, normal(3, 4))
    assert "Axis 2 (features) is empty" in refusal(mean, normal(2, 3, 0))


def test_hints_stay_true_type_hints():
    assert (
        Floats.__origin__ is np.ndarray and Ids.__origin__ is np.ndarray and Count.__origin__ is int
    )
    assert Linear.forward.__annotations__["x"].__origin__ is np.ndarray
    assert inspect.signature(LayerNorm).parameters["epsilon"].annotation.__origin__ is float
    assert "x_hat" in inspect.getsource(LayerNorm.forward), "the source of a component is its own"


def test_the_states_of_models_come_from_batches_of_ids():
    model = Transformer(toy(), 0)
    assert "source must be" in refusal(model.start, np.ones((2, 3))) and "source[None]" in refusal(
        model.start, np.array([4, 5])
    )
    state = model.start(np.array([[4, 5]]))
    assert "ids must be" in refusal(model.step, np.array([[1]]), state)
    assert model.step(np.array([1], dtype=np.uint8), state)[0].shape == (1, 9)
    with no_grad():
        assert ConvolutionModel.example(np.random.default_rng(0))[0].start(None)[0] is None


def states(model, rows):
    """Every kind of state of so many rows: of `start`, of a step or two, of some rows of a larger
    one, with padding and without."""
    for source in (np.full((rows, 3), 4), np.array(rows * [[4, 5, 0]])):
        state = model.start(source)
        yield state
        for _ in range(2):
            _, state = model.step(np.full(rows, 5), state)
            yield state
        yield take_rows(model.start(np.repeat(source, 2, axis=0)), np.arange(rows))
    if hasattr(model, "one_sequence"):
        yield model.step(np.full(rows, 5), model.start(None))[1]


def sequence_model(name):
    return find_model(name).model(
        configure(name, "toy", {"d_model": 8}, source_vocabulary=9, max_length=16), 0
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_smallest_epsilon_divides_by_no_zero(dtype):
    norm, x = LayerNorm(5, 1e-30).to(dtype), np.full((2, 5), 3, dtype=dtype)
    with np.errstate(all="raise", under="ignore"):
        assert (norm(x) == 0).all() and np.isfinite(norm.backward(np.full_like(x, 0.5))).all()
        for make in (Adam, AdamW):
            linear = Linear(2, 3, 0).to(dtype)
            optimizer = make(linear, 0.0, beta2=0.999999, epsilon=1e-30)
            before = linear.state_dict()
            optimizer.step()
            assert all(
                np.array_equal(array, before[name]) for name, array in linear.state_dict().items()
            )


@pytest.mark.parametrize("name", MODELS)
def test_a_state_of_another_number_of_rows_is_refused_with_both_numbers(name):
    model = sequence_model(name)
    for rows, ids in itertools.permutations((1, 2, 5), 2):
        for state in states(model, rows):
            sentence = refusal(model.step, np.full(ids, 5), state)
            assert (
                f"state has {rows} rows, and there are {ids} ids. Pass one id for each row"
                in sentence
            )
            assert model.step(np.full(rows, 5), state)[0].shape == (rows, 9)
            assert refusal(model.step, ids=np.full(ids, 5), state=state) and refusal(
                model.step, state=state, ids=np.full(ids, 5)
            )


def test_a_state_serves_before_any_array_was_seen():
    """As the first arrays of a GPU are."""
    known = {*ARRAYS}
    ARRAYS.clear()
    try:
        state = np.ones((2, 3)), 4
        assert accepted(StateOf(Floats, Natural).taken, state, "state", {}) is state
    finally:
        ARRAYS.update(known)


@pytest.mark.parametrize("name", MODELS)
def test_a_state_that_is_none_or_anothers_is_refused(name):
    model = sequence_model(name)
    mine = model.start(np.array([[4, 5]]))
    others = [
        state
        for other in MODELS
        for state in [sequence_model(other).start(np.array([[4, 5]]))]
        if [*map(type, state)] != [*map(type, mine)]
    ]
    assert len(others) > 3
    for state in (None, (), [], 3, mine[0], (mine, mine), [*mine], mine[:-1], *others):
        assert (
            "state must be the state that start() or the previous step() of this model"
            in refusal(model.step, np.array([5]), state)
        )


def test_masking_takes_its_mask_by_place_and_by_name():
    x = normal(1, 1, 2, 3)
    mask = np.array([True, False, True])[None, None, None]
    close(Masking()(x, mask=mask)[..., 0], Masking()(x, mask)[..., 0])
    assert "mask must be" in refusal(Masking(), x, mask=mask[0])
