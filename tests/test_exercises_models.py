"""The exercises on what layers are put together to: their right versions against the package's
components and against central differences, right answers in other styles, and wrong ones that
nobody patched together from right ones.
"""

import numpy as np
import pytest
from common import central_differences, close, close_in_size, rng

from minitransformer.attention import MultiHeadAttention, ScaledDotProductAttention, causal_mask
from minitransformer.core import Module, no_grad
from minitransformer.core.module import Parameter
from minitransformer.grading import check
from minitransformer.grading.exercise import EXERCISES
from minitransformer.grading.sizes import TWINS, Sizes, sizes_for
from minitransformer.layers import Embedding, FeedForward, LayerNorm, Residual, Unembedding
from minitransformer.models import Decoder, Transformer
from minitransformer.older import AdditiveAttention, Recurrence, RNNCell
from minitransformer.testing import count_products, gradient_error
from minitransformer.testing.gradient_check import as_tuple
from minitransformer.training import SGD, Adam, AdamW, Cosine, Noam, clip_by_global_norm

SEEDS = (0, 1, 2)
SMALL = Sizes(B=2, H=2, T=3, S=4, K=3, K_v=5, V=8, F=7)


def situations(exercise):
    """The inputs of every situation, with sizes that cannot be confused and with equal ones."""
    for sizes in (*map(sizes_for, SEEDS), *TWINS.values()):
        yield from EXERCISES[exercise].draw(rng(5), sizes).values()


def all_close(actual, expected):
    """Equal to 1e-12 of the largest number."""
    actual, expected = as_tuple(actual), as_tuple(expected)
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected):
        close_in_size(a, b)


# -- against the package ---------------------------------------------------------------------------


def filled(component, **parameters):
    """The component in float64, with these parameters: their paths' dots are written as two
    underscores."""
    known = component.to("float64").named_parameters()
    for name, array in parameters.items():
        known[name.replace("__", ".")].data[...] = array.reshape(
            known[name.replace("__", ".")].shape
        )
    return component


def gradients(component, *names):
    return tuple(component.named_parameters()[name].grad for name in names)


def feed_forward(g):
    d, f = g["W_1"].shape
    weights = dict(
        expand__weight=g["W_1"], expand__bias=g["b_1"], contract__weight=g["W_2"],
        contract__bias=g["b_2"],
    )
    return filled(FeedForward(d, f, rng()), **weights)


def feed_forward_backward(g):
    component = feed_forward(g)
    component(g["x"])
    d_x = component.backward(g["d_y"])
    return d_x, *gradients(
        component, "expand.weight", "expand.bias", "contract.weight", "contract.bias"
    )


def cell(g):
    weights = dict(input__weight=g["W_x"], input__bias=g["b"], state__weight=g["W_h"])
    return filled(RNNCell(*g["W_x"].shape, rng()), **weights)


CELL = ("input.weight", "state.weight", "input.bias")


def rnn_step_backward(g):
    component = cell(g)
    component(g["x"], g["h"])
    return *component.backward(g["d_h_new"]), *gradients(component, *CELL)


def rnn_through_time(g):
    component = Recurrence(cell(g))
    component(g["x"], g["h_0"])
    return *component.backward(g["d_h"]), *gradients(component.cell, *CELL)


def additive(g):
    d, f = g["W_query"].shape
    weights = dict(
        query__weight=g["W_query"], query__bias=np.zeros(f), key__weight=g["W_key"],
        score__weight=g["v"],
    )
    return filled(AdditiveAttention(d, d, f, rng()), **weights)


def additive_backward(g):
    component = additive(g)
    component(g["query"], g["key"], g["value"], g["mask"])
    d_inputs = component.backward(g["d_context"])
    *d_weights, d_v = gradients(component, "query.weight", "key.weight", "score.weight")
    return *d_inputs, *d_weights, d_v[:, 0]


class Owner(Module):
    """A module that owns these arrays as parameters."""

    def __init__(self, **arrays):
        for name, array in arrays.items():
            setattr(self, name, Parameter(array.copy()))


def optimizer_step(make, moments):
    """What a step of the package's optimizer makes of a parameter and its moments."""

    def step(g):
        model = Owner(parameter=g["parameter"])
        optimizer = make(model, g)
        before = {own: g[name].reshape(-1) for name, own in moments.items()}
        optimizer.load_state_dict(before, g.get("step", 1) - 1)
        model.parameter.grad[...] = g["gradient"]
        optimizer.step()
        after = optimizer.state_dict()
        return model.parameter.data, *(
            after[own].reshape(g["parameter"].shape) for own in moments.values()
        )

    return step


MOMENTS, VELOCITY = {"m": "first_moment", "v": "second_moment"}, {"velocity": "velocity"}


def adam_options(g):
    return g["learning_rate"], g["beta_1"], g["beta_2"], g["epsilon"]


def clip(g):
    model = Owner(W=g["d_W"], b=g["d_b"])
    model.W.grad[...], model.b.grad[...] = g["d_W"], g["d_b"]
    model.flatten()
    clip_by_global_norm(model, g["largest"])
    return model.W.grad, model.b.grad


def tied_backward(g):
    embedding = filled(Embedding(*g["table"].shape, rng()), weight=g["table"])
    output = Unembedding(embedding.weight)
    embedding(g["ids"])
    output(g["hidden"])
    embedding.backward(g["d_embedded"])
    output.backward(g["d_logits"])
    return embedding.weight.grad


def tied_step(g):
    model = Owner(table=g["table"])
    model.table.grad += g["d_input"]
    model.table.grad += g["d_output"]
    SGD(model, g["learning_rate"]).step()
    return model.table.data, Unembedding(model.table).weight.data


def decode_without_cache(g):
    length = g["x"].shape[1]
    z = g["x"] + g["encoding"][:length]
    attend = ScaledDotProductAttention()
    with no_grad():
        own = attend(
            *((z @ g[f"W_{name}"])[:, None] for name in ("query", "key", "value")),
            causal_mask(length),
        )
        asked = [
            (x @ g[f"U_{name}"])[:, None]
            for name, x in zip(("query", "key", "value"), (z, *2 * (g["memory"],)))
        ]
        y = own + attend(*asked)
    return y[:, 0], z @ g["W_key"], g["memory"] @ g["U_key"]


PACKAGE = {
    "feed_forward.forward": lambda g: feed_forward(g)(g["x"]),
    "feed_forward.backward": feed_forward_backward,
    "rnn.step": lambda g: cell(g)(g["x"], g["h"]),
    "rnn.step_backward": rnn_step_backward,
    "rnn.states": lambda g: Recurrence(cell(g))(g["x"], g["h_0"]),
    "rnn.through_time": rnn_through_time,
    "additive_attention.forward": lambda g: additive(g)(
        g["query"], g["key"], g["value"], g["mask"]
    ),
    "additive_attention.backward": additive_backward,
    "tied.backward": tied_backward,
    "tied.step": tied_step,
    "sgd.step": optimizer_step(
        lambda model, g: SGD(model, g["learning_rate"], g["momentum"]), VELOCITY
    ),
    "adam.step": optimizer_step(lambda model, g: Adam(model, *adam_options(g)), MOMENTS),
    "adamw.step": optimizer_step(
        lambda model, g: AdamW(model, *adam_options(g), g["weight_decay"]), MOMENTS
    ),
    "clip.norm": clip,
    "noam.rate": lambda g: Noam(g["d_model"], g["warmup"])(g["step"]),
    "cosine.rate": lambda g: Cosine(g["peak"], g["total"], g["warmup"], g["floor"])(g["step"]),
    "kv_cache.decode": decode_without_cache,
    "gradient_check.error": lambda g: gradient_error(g["analytic"], g["numeric"]),
}


@pytest.mark.parametrize("exercise", PACKAGE)
def test_the_right_version_is_what_the_package_computes(exercise):
    for given in situations(exercise):
        all_close(EXERCISES[exercise](**given), PACKAGE[exercise](given))


@pytest.mark.parametrize("order", ["post", "pre"])
def test_residual_is_the_packages_in_both_directions(order):
    block = Residual(FeedForward(11, 19, rng()), 11, rng(), order=order).to("float64")
    x, d_y = rng(1).standard_normal((2, 3, 5, 11))
    forward = EXERCISES[f"residual.{order}_norm"]
    backward = EXERCISES[f"residual.{order}_norm_backward"]
    y = block(x)
    d_x = block.backward(d_y)
    close(forward(x, block.sublayer, block.norm), y)
    close(backward(d_y, block.sublayer.backward, block.norm.backward), d_x)


def test_the_decoders_backward_is_the_packages():
    decoder, *inputs = Decoder.example(rng())
    d_y = rng(1).standard_normal(decoder.to("float64")(*inputs).shape)
    expected = decoder.backward(d_y)
    decoder(*inputs)
    all_close(
        EXERCISES["decoder.backward"](d_y, [layer.backward for layer in decoder.layers]), expected
    )


def test_the_transformers_backward_is_the_packages(monkeypatch):
    model, *ids = Transformer.example(rng())
    d_logits = rng(1).standard_normal(model.to("float64")(*ids).shape)
    arrived = {}
    for name in ("source_input", "target_input"):
        monkeypatch.setattr(
            getattr(model, name), "backward", lambda d, name=name: arrived.__setitem__(name, d)
        )
    model.backward(d_logits)
    model(*ids)
    through = (lambda d: model.decoder.backward(model.output.backward(d)), model.encoder.backward)
    expected = arrived["source_input"], arrived["target_input"]
    all_close(EXERCISES["transformer.backward"](d_logits, *through), expected)


@pytest.mark.parametrize("step", [1, 30])
def test_an_update_of_all_is_a_step_of_the_package(step):
    given = EXERCISES["update.all"].draw(rng(), sizes_for(0))[
        "the first step" if step == 1 else "random numbers"
    ]
    model = Owner(**given["parameters"])
    optimizer = Adam(model, Noam(given["d_model"], given["warmup"]))
    parameters = model.named_parameters()

    def moments():
        flat = {
            kind: np.concatenate([given[kind][name].reshape(-1) for name in parameters])
            for kind in MOMENTS
        }
        return {own: flat[kind] for kind, own in MOMENTS.items()}

    optimizer.load_state_dict(moments(), given["step"] - 1)
    for name, p in parameters.items():
        p.grad[...] = given["gradients"][name]
    optimizer.step()
    EXERCISES["update.all"](**given)
    for name, p in parameters.items():
        close(given["parameters"][name], p.data)
        assert not given["gradients"][name].any()
    for own, array in moments().items():
        close(getattr(optimizer, own), array)


def test_the_schedules_are_the_packages_at_every_step():
    for step in range(1, 90):
        close(EXERCISES["noam.rate"](step, 44, 30), Noam(44, 30)(step))
        close(EXERCISES["cosine.rate"](step, 0.7, 80, 20, 0.1), Cosine(0.7, 80, 20, 0.1)(step))


@pytest.mark.parametrize("length, features", [(1, 4), (5, 8), (8, 8), (24, 4)])
def test_the_operations_are_those_that_are_counted(length, features):
    x = rng().standard_normal((1, length, features))
    heads = x[:, None]

    def counted(component, *inputs, below=""):
        return count_products(component, *inputs)[0].multiply_adds(below)

    core = EXERCISES["operations.attention"](length, features)
    assert core == counted(ScaledDotProductAttention(), heads, heads, heads)
    # a mask spares nothing
    assert core == counted(ScaledDotProductAttention(), heads, heads, heads, causal_mask(length))
    assert EXERCISES["operations.recurrence"](length, features) == counted(
        Recurrence(RNNCell(features, features, rng())), x, x[:, 0]
    )
    for count in (1, 2, 4):
        layer = MultiHeadAttention(features, count, rng())
        assert EXERCISES["operations.self_attention"](length, features) == counted(layer, x)
        assert core == counted(layer, x, below="attention")


# -- against central differences -------------------------------------------------------------------


@pytest.mark.parametrize(
    "exercise",
    [
        "feed_forward.backward", "rnn.step_backward", "rnn.through_time",
        "additive_attention.backward",
    ],
)
def test_a_backward_equals_the_central_differences_of_its_forward(exercise):
    backward = EXERCISES[exercise]
    for given in backward.draw(rng(), SMALL).values():
        inputs = {name: given[name] for name in backward.forward.inputs}
        upstream = given[backward.upstream[0]]

        def loss(inputs=inputs, upstream=upstream):
            return np.sum(upstream * backward.forward(**inputs))

        for name, gradient in zip(backward.returns, backward(**given)):
            close(gradient, central_differences(loss, given[name[2:]]), atol=1e-8)


def test_the_tied_tables_gradient_equals_the_central_differences_of_both_uses():
    given = EXERCISES["tied.backward"].draw(rng(), SMALL)["random numbers"]
    table = given["table"]

    def loss():
        embedded = np.sqrt(table.shape[1]) * table[given["ids"]]
        return np.sum(given["d_embedded"] * embedded) + np.sum(
            given["d_logits"] * (given["hidden"] @ table.T)
        )

    close(EXERCISES["tied.backward"](**given), central_differences(loss, table), atol=1e-8)


def test_central_differences_of_a_layer_are_its_gradient():
    norm = LayerNorm(6).to("float64")
    x, d_y = rng().standard_normal((2, 4, 6))
    with no_grad():
        numeric = EXERCISES["gradient_check.numerical"](norm, x, d_y, 1e-5)
    norm(x)
    analytic = norm.backward(d_y)
    close(numeric, analytic, atol=1e-9)
    assert EXERCISES["gradient_check.error"](analytic, numeric) < 1e-8


# -- right answers in other styles -----------------------------------------------------------------

MINE = [
    id for id in EXERCISES
    if id.split(".")[0] in (
        "residual", "feed_forward", "decoder", "transformer", "tied", "sgd", "adam", "adamw",
        "clip", "noam", "cosine", "update", "rnn", "additive_attention", "kv_cache",
        "gradient_check", "operations",
    )
]  # fmt: skip


def single(value):
    """The same in float32: arrays, what functions return, and containers of both."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(np.float32)
    if isinstance(value, (list, tuple)):
        return type(value)(map(single, value))
    return (lambda *inputs: single(value(*inputs))) if callable(value) else value


@pytest.mark.parametrize("exercise", sorted(set(MINE) - {"update.all", "gradient_check.numerical"}))
def test_float32_and_names_pass(exercise):
    right = EXERCISES[exercise]
    for seed in SEEDS:
        assert check(
            exercise, lambda *given: right(*map(single, given)), seed=seed, quiet=True
        ).passed
        named = check(
            exercise, lambda *given: dict(zip(right.returns, as_tuple(right(*given)))), seed=seed,
            quiet=True,
        )
        assert named.passed


@pytest.mark.parametrize("exercise", [id for id in MINE if EXERCISES[id].forward])
def test_a_class_and_a_pair_pass(exercise):
    right = EXERCISES[exercise]

    class Component:
        def forward(self, *given):
            self.given = given
            return right.forward(*given)

        def backward(self, d_y):
            return right(d_y, *self.given)

    def forward(*given):
        return right.forward(*given), given

    def backward(d_y, given):
        return right(d_y, *given)

    for seed in SEEDS:
        assert check(exercise, Component, seed=seed, quiet=True).passed
        assert check(exercise, (forward, backward), seed=seed, quiet=True).passed


class OwnRNN:
    """Step by step, with what each step needs on a stack."""

    def forward(self, x, h_0, W_x, W_h, b):
        self.weights, self.steps, h = (W_x, W_h), [], h_0
        for x_t in x.swapaxes(0, 1):
            before = h
            h = np.tanh(np.concatenate([x_t, h], axis=1) @ np.concatenate([W_x, W_h]) + b)
            self.steps.append((x_t, before, h))
        return np.stack([h for _, _, h in self.steps], axis=1)

    def backward(self, d_h):
        W_x, W_h = self.weights
        d_x, d_before, d_W, d_b = [], 0, 0, 0
        for t in range(len(self.steps) - 1, -1, -1):
            x_t, before, h = self.steps.pop()
            d_a = (1 - h * h) * (d_h[:, t] + d_before)
            d_W = d_W + np.einsum("bi,bj->ij", np.concatenate([x_t, before], axis=1), d_a)
            d_b = d_b + d_a.sum(0)
            d_x.insert(0, np.einsum("bj,ij->bi", d_a, W_x))
            d_before = d_a.dot(W_h.T)
        return np.stack(d_x, 1), d_before, d_W[: len(W_x)], d_W[len(W_x) :], d_b


def row_by_row(d_embedded, ids, d_logits, hidden, table):
    d_table = d_logits.reshape(-1, len(table)).T @ hidden.reshape(-1, table.shape[1])
    for row, i in zip(d_embedded.reshape(-1, table.shape[1]), ids.ravel()):
        d_table[i] += row * table.shape[1] ** 0.5
    return d_table


def update_with_loops(parameters, gradients, m, v, step, d_model, warmup):
    rate = min(step / warmup**1.5, 1 / np.sqrt(step)) / np.sqrt(d_model)
    for name in sorted(parameters):
        g = gradients[name]
        np.copyto(m[name], 0.9 * m[name] + 0.1 * g)
        v[name][:] = 0.98 * v[name] + 0.02 * g * g
        parameters[name] -= (
            rate / (1 - 0.9**step) * m[name] / ((v[name] / (1 - 0.98**step)) ** 0.5 + 1e-9)
        )
    for g in gradients.values():
        g.fill(0)


def decode_without(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    weights = dict(
        W_query=W_query, W_key=W_key, W_value=W_value, U_query=U_query, U_key=U_key, U_value=U_value
    )
    return decode_without_cache({"x": x, "encoding": encoding, "memory": memory, **weights})


def one_number_at_a_time(f, x, d_y, epsilon):
    d_x = []
    for n in range(x.size):
        place = np.unravel_index(n, x.shape)
        kept = x[place]
        x[place] = kept + epsilon
        above = f(x)
        x[place] = kept - epsilon
        d_x.append(np.vdot(d_y, above - f(x)) / 2 / epsilon)
        x[place] = kept
    return np.array(d_x).reshape(x.shape)


def both_at_once(d_W, d_b, largest):
    flat = np.concatenate([d_W.ravel(), d_b])
    clipped = flat * min(1, largest / max(np.linalg.norm(flat), 1e-30))
    return clipped[: d_W.size].reshape(d_W.shape), clipped[d_W.size :]


RIGHT = {
    "rnn.states": OwnRNN, "rnn.through_time": OwnRNN, "tied.backward": row_by_row,
    "update.all": update_with_loops, "kv_cache.decode": decode_without,
    "gradient_check.numerical": one_number_at_a_time, "clip.norm": both_at_once,
}  # fmt: skip


@pytest.mark.parametrize("exercise", RIGHT)
def test_a_right_answer_in_another_style_passes(exercise):
    for seed in SEEDS:
        report = check(exercise, RIGHT[exercise], seed=seed, quiet=True)
        # one of them has a component of the package attend
        notes = ["own"] if exercise == "kv_cache.decode" else []
        assert report.passed and [f.id for f in report.findings] == notes, str(report)


# -- wrong answers that nobody patched together from right ones ------------------------------------


def the_first_layers_memory(d_y, layer_backwards):
    for backward in layer_backwards[::-1]:
        d_y, d_memory = backward(d_y)
    return d_y, d_memory


def stops_before_zero(d_y, layer_backwards):
    total = 0
    for i in range(len(layer_backwards) - 1, 0, -1):
        d_y, d_memory = layer_backwards[i](d_y)
        total = total + d_memory
    return d_y, total


def the_last_of_equal_ids(d_embedded, ids, d_logits, hidden, table):
    d_table = np.zeros(table.shape)
    d_table[ids] += d_embedded * np.sqrt(table.shape[-1])
    return d_table + np.tensordot(d_logits, hidden, ([0, 1], [0, 1]))


def uncorrected(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = m * beta_1 + gradient * (1 - beta_1)
    v = v * beta_2 + np.square(gradient) * (1 - beta_2)
    return parameter - m * learning_rate / (epsilon + v**0.5), m, v


def side_by_side(parameters, gradients, m, v, step, d_model, warmup):
    pairs = zip(parameters.values(), [g.copy() for g in gradients.values()], m.values(), v.values())
    update_with_loops(
        *({i: array for i, array in enumerate(arrays)} for arrays in zip(*pairs)), step, d_model,
        warmup,
    )
    for g in gradients.values():
        g *= 0


def frozen(parameters, gradients, m, v, step, d_model, warmup):
    held = {name: parameters[name].copy() for name in parameters}
    update_with_loops(held, gradients, m, v, step, d_model, warmup)
    parameters.update(held)


def each_by_itself(d_W, d_b, largest):
    return tuple(d * largest / max(largest, np.linalg.norm(d)) for d in (d_W, d_b))


class Forgetful(OwnRNN):
    def backward(self, d_h):
        steps, self.steps = self.steps, []
        parts = []
        for t, step in enumerate(steps):
            self.steps = [step]
            parts.append(super().backward(d_h[:, t : t + 1]))
        d_x, d_before, *d_weights = zip(*parts)
        return np.concatenate(d_x, axis=1), d_before[0], *(sum(d) for d in d_weights)


KEPT = []


def one_cache_for_all(
    x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length
):
    y, keys, memory_keys = decode_without(
        x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, 1
    )
    KEPT.append(keys)
    return y, np.concatenate(KEPT, axis=1), memory_keys


def in_seven_digits(f, x, d_y, epsilon):
    return EXERCISES["gradient_check.numerical"](
        f, x.astype(np.float32), d_y.astype(np.float32), np.float32(epsilon)
    )


def left_where_it_is(f, x, d_y, epsilon):
    d_x = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        x[i] += epsilon
        above = np.sum(f(x) * d_y)
        x[i] -= 2 * epsilon
        d_x[i] = (above - np.sum(f(x) * d_y)) / (2 * epsilon)
    return d_x


WRONG = [
    ("decoder.backward", the_first_layers_memory, "memory-of-first-layer"),
    ("decoder.backward", stops_before_zero, "the loop ends one layer early, or begins one late"),
    ("tied.backward", the_last_of_equal_ids, "last-place-wins"),
    ("adam.step", uncorrected, "no-bias-correction"),
    ("update.all", side_by_side, "paired-by-order"),
    ("update.all", frozen, "parameter-name-rebound"),
    ("clip.norm", each_by_itself, "each gradient is clipped by its own norm"),
    ("rnn.through_time", Forgetful, "nothing is carried from a step to the one before it"),
    ("gradient_check.numerical", in_seven_digits, "the differences are taken in float32"),
    ("gradient_check.numerical", left_where_it_is, "the numbers of x are not put back"),
]


@pytest.mark.parametrize(
    "exercise, wrong, name", WRONG, ids=[wrong.__name__ for _, wrong, _ in WRONG]
)
def test_a_mistake_is_named(exercise, wrong, name):
    for seed in SEEDS:
        finding = check(exercise, wrong, seed=seed, quiet=True).findings[0]
        assert name in (finding.id, finding.title) and not finding.also


def test_a_cache_that_is_not_emptied_is_named_at_the_first_check_and_at_the_second():
    for _ in range(2):
        (finding,) = check("kv_cache.decode", one_cache_for_all, quiet=True).findings
        assert finding.id == "cache-not-emptied"


@pytest.mark.parametrize(
    "exercise", ["sgd.step", "adam.step", "adamw.step", "tied.step", "clip.norm"]
)
def test_an_answer_that_writes_into_what_it_was_handed_says_so(exercise):
    def in_place(*given):
        new = as_tuple(EXERCISES[exercise](*given))
        for held, array in zip(given, new):
            held[...] = array
        return new

    report = check(exercise, in_place, quiet=True)
    assert not report.passed and "changed in place" in str(report)
