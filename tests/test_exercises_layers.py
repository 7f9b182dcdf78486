"""The checker's right versions of the layers and of the loss: they are what the package's own
components compute, and every backward equals the central differences of its forward.
"""

import numpy as np
import pytest
from common import central_differences, close, close_in_size, rng

from minitransformer.data import PAD
from minitransformer.data.batching import make_batch
from minitransformer.grading import check
from minitransformer.grading.calling import call
from minitransformer.grading.exercise import EXERCISES
from minitransformer.grading.sizes import TWINS, Sizes, sizes_for
from minitransformer.grading.topics import dropout, embedding, linear, teacher_forcing
from minitransformer.layers import (
    CrossEntropy,
    Dropout,
    Embedding,
    LayerNorm,
    Linear,
    ReLU,
    Softmax,
    TanhGELU,
)
from minitransformer.training import SGD

SIZES = {
    "plain": sizes_for(0), "others": sizes_for(1),
    "square": TWINS["all lengths equal, all widths equal"],
}
SMALL = Sizes(B=2, H=2, T=3, S=4, K=3, K_v=5, V=8, F=7)

# {exercise: (the package's component for these inputs, what its forward takes, {input: the
# parameter that it is})}
COMPONENTS = {
    "softmax": (lambda g: Softmax(), ["scores"], {}),
    "layer_norm": (
        lambda g: LayerNorm(g["x"].shape[-1], g["epsilon"]),
        ["x"],
        {"gamma": "gamma", "beta": "beta"},
    ),
    "cross_entropy": (lambda g: CrossEntropy(padding=0), ["logits", "targets"], {}),
    "label_smoothing": (
        lambda g: CrossEntropy(g["smoothing"], padding=0),
        ["logits", "targets"],
        {},
    ),
    "linear": (
        lambda g: Linear(*g["weight"].shape, rng()),
        ["x"],
        {"weight": "weight", "bias": "bias"},
    ),
    "embedding": (lambda g: Embedding(*g["table"].shape, rng()), ["ids"], {"table": "weight"}),
    "relu": (lambda g: ReLU(), ["x"], {}),
    "gelu": (lambda g: TanhGELU(), ["x"], {}),
}


MINE = [id for id in EXERCISES if id.split(".")[0] in (*COMPONENTS, "dropout", "teacher_forcing")]


def draw(exercise, sizes, seed=0):
    """{situation: inputs}, with no gradient at padded ids: the package's embedding treats padding
    like any other id."""
    drawn = EXERCISES[exercise].draw(rng(seed), sizes)
    for given in drawn.values():
        if "ids" in given and "d_y" in given:
            given["d_y"] = given["d_y"] * (given["ids"] != PAD)[..., None]
    return drawn


def forward(exercise, given):
    return exercise.reference(*(given[name] for name in exercise.inputs))


def gradients(exercise, given):
    """{d_input: gradient} of a backward."""
    returned = exercise.reference(**given)
    return dict(zip(exercise.returns, returned if isinstance(returned, tuple) else (returned,)))


def component_with(name, given):
    """(the package's component with these parameters, what its forward returns)."""
    make, inputs, parameters = COMPONENTS[name]
    component = make(given).to("float64")
    for own, parameter in parameters.items():
        getattr(component, parameter).data[...] = given[own]
    return component, component(*(given[name] for name in inputs))


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", COMPONENTS)
def test_the_right_forwards_are_what_the_package_computes(name, sizes):
    exercise = EXERCISES[f"{name}.forward"]
    for situation, given in draw(exercise.id, SIZES[sizes]).items():
        if not situation.startswith("an id of"):
            close_in_size(forward(exercise, given), component_with(name, given)[1])


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", COMPONENTS)
def test_the_right_backwards_are_what_the_package_computes(name, sizes):
    backward = EXERCISES[f"{name}.backward"]
    _, inputs, parameters = COMPONENTS[name]
    for given in draw(backward.id, SIZES[sizes]).values():
        component, _ = component_with(name, given)
        d_input = component.backward(*(given[name] for name in backward.upstream))
        expected = {
            f"d_{own}": getattr(component, parameter).grad for own, parameter in parameters.items()
        }
        if d_input is not None:
            expected[f"d_{inputs[0]}"] = d_input
        found = gradients(backward, given)
        assert found.keys() == expected.keys()
        for d_name in found:
            close_in_size(found[d_name], expected[d_name])


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_backward_equals_the_central_differences_of_its_forward(name):
    backward = EXERCISES[f"{name}.backward"]
    given = draw(backward.id, SMALL)["random numbers"]
    upstream = given[backward.upstream[0]] if backward.upstream else 1.0

    def loss():
        return np.sum(upstream * forward(backward.forward, given))

    for d_name, gradient in gradients(backward, given).items():
        close(gradient, central_differences(loss, given[d_name[2:]]), atol=1e-7)


@pytest.mark.parametrize("id", MINE)
def test_a_right_version_changes_nothing_but_what_it_is_to_change(id):
    for given in draw(id, sizes_for(0)).values():
        assert call(EXERCISES[id].reference, EXERCISES[id], given).changed == ()


@pytest.mark.parametrize("id", [-1, 17])
def test_an_id_outside_the_table_is_refused(id):
    with pytest.raises(IndexError):
        embedding.embedding(np.array([[5, id]]), np.zeros((17, 4)))


def test_padding_gets_no_gradient_and_takes_none_from_others():
    given = EXERCISES["embedding.backward"].draw(rng(), sizes_for(0))["random numbers"]
    silent = {**given, "d_y": given["d_y"] * (given["ids"] != PAD)[..., None]}
    d_table = embedding.embedding_backward(**given)
    assert not d_table[PAD].any() and (given["ids"] == PAD).any()
    close(d_table, embedding.embedding_backward(**silent))


def test_shift_right_is_what_batches_are_made_by():
    for target in (
        given["target"] for given in draw("teacher_forcing.shift", sizes_for(0)).values()
    ):
        batch = make_batch(target, target)
        for mine, theirs in zip(
            teacher_forcing.shift_right(target), (batch.target_in, batch.target_out)
        ):
            assert np.array_equal(mine, theirs)


@pytest.mark.parametrize("sizes", SIZES)
def test_linear_accumulate_adds_what_the_package_adds(sizes):
    given = draw("linear.accumulate", SIZES[sizes])["random numbers"]
    component = Linear(*given["weight"].shape, rng()).to("float64")
    component.weight.data[...] = given["weight"]
    component.weight.grad[...], component.bias.grad[...] = given["d_weight"], given["d_bias"]
    component(given["x"])
    d_x = component.backward(given["d_y"])
    close(linear.linear_accumulate(**given), d_x)
    close(given["d_weight"], component.weight.grad)
    close(given["d_bias"], component.bias.grad)


@pytest.mark.parametrize("sizes", SIZES)
def test_linear_update_is_a_step_of_the_package(sizes):
    given = draw("linear.update", SIZES[sizes])["random numbers"]
    component = Linear(*given["weight"].shape, rng(), bias=False).to("float64")
    component.weight.data[...] = given["weight"]
    component(given["x"])
    d_x = component.backward(given["d_y"])
    SGD(component, given["learning_rate"]).step()
    close(linear.linear_update(**given), d_x)
    close(given["weight"], component.weight.data)


# -- dropout: with the package's masks, and with anybody's -----------------------------------------


def test_dropout_is_the_packages_when_it_draws_the_same_mask():
    x = rng(1).standard_normal((3, 5, 44))
    d_y = rng(2).standard_normal((3, 5, 44))
    component = Dropout(0.25, rng())
    y = component(x)
    close(dropout.dropout(x, 0.25, True, dropout.Replay(y != 0)), y)
    close(dropout.dropout_backward(d_y, y != 0, 0.25), component.backward(d_y))
    close(dropout.dropout(x, 0.25, False, rng()), component.eval()(x))


def test_dropout_backward_equals_central_differences():
    x, d_y = rng(1).standard_normal((2, 3, 4)), rng(2).standard_normal((2, 3, 4))
    differences = central_differences(
        lambda: np.sum(d_y * dropout.dropout(x, 0.25, True, rng())), x
    )
    close(
        dropout.dropout_backward(d_y, dropout.dropout(x, 0.25, True, rng()) != 0, 0.25),
        differences, atol=1e-8,
    )


def test_one_dropout_in_two_places_is_the_packages():
    x_1, x_2, d_y_1, d_y_2 = rng(1).standard_normal((4, 3, 5, 44))
    component = Dropout(0.25, rng())
    y_1, y_2 = component(x_1), component(x_2)
    mine = dropout.Dropout.reference(0.25, dropout.Replay(y_1 != 0, y_2 != 0))
    close(mine.forward(x_1), y_1)
    close(mine.forward(x_2), y_2)
    close(mine.backward(d_y_2), component.backward(d_y_2))
    close(mine.backward(d_y_1), component.backward(d_y_1))


def test_dropout_drops_the_share_p_and_each_number_by_itself():
    x = rng(1).standard_normal((30, 40, 50))
    for y in (
        dropout.dropout(x, 0.3, True, rng()),
        dropout.Dropout.reference(0.3, rng()).forward(x),
    ):
        dropped = y == 0
        assert abs(dropped.mean() - 0.3) < 0.01
        # 0.21 = p (1−p); 0 if one serves all
        assert all(np.var(dropped, axis=axis).mean() > 0.2 for axis in range(3))


def mask_of_zeros_and_ones(x, p, training, rng):
    return x * np.random.default_rng().binomial(1, 1 - p, x.shape) / (1 - p) if training else x


def place_by_place(x, p, training, rng):
    kept = [0 if training and np.random.default_rng(n).random() < p else v / (1 - p * training)
            for n, v in enumerate(x.ravel())]  # fmt: skip
    return np.array(kept).reshape(x.shape)


def kept_with_p(x, p, training, rng):
    return np.where(np.random.default_rng(5).random(x.shape) < p, x / (1 - p), 0) if training else x


def whole_features(x, p, training, rng):
    return x * (np.random.default_rng(5).random(x.shape[-1]) >= p) / (1 - p) if training else x


def half_of_them(x, p, training, rng):
    return x * np.random.default_rng(5).integers(2, size=x.shape) / (1 - p) if training else x


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_dropout_may_draw_as_it_likes_if_the_share_is_right(seed):
    for right in (mask_of_zeros_and_ones, place_by_place):
        assert check("dropout.forward", right, seed=seed, quiet=True).passed
    for wrong, name in (
        (kept_with_p, "probabilities-swapped"), (whole_features, "choice-shared"),
        (half_of_them, "other-share-dropped"),
    ):  # fmt: skip
        assert check("dropout.forward", wrong, seed=seed, quiet=True).findings[0].id == name


class OwnMasks:
    """Masks of its own, of which the second overwrites the first where `room` is 1."""

    room = 2

    def __init__(self, p):
        self.p, self.masks = p, []

    def forward(self, x):
        self.masks = [*self.masks, np.random.default_rng().uniform(size=x.shape) > self.p][
            -self.room :
        ]
        return x * self.masks[-1] / (1 - self.p)

    def backward(self, d_y):
        return d_y * (self.masks.pop() if self.room > 1 else self.masks[0]) / (1 - self.p)


class RoomForOne(OwnMasks):
    room = 1


def test_dropout_in_two_places_may_draw_as_it_likes():
    assert check("dropout.twice", OwnMasks, quiet=True).passed
    assert check("dropout.twice", RoomForOne, quiet=True).findings[0].id == "one-mask-kept"


@pytest.mark.parametrize(
    "submission, kind", [(lambda p, rng: 0, "arguments"), (type("Empty", (), {}), "arguments")]
)
def test_dropout_in_two_places_asks_for_a_class(submission, kind):
    assert check("dropout.twice", submission, quiet=True).findings[0].id == kind
