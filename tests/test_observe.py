"""Watching a model run, and reading its attention, without leaving a trace."""

import copy
import dataclasses
import itertools
import threading

import numpy as np
import pytest

from minitransformer.attention import keep_weights
from minitransformer.boundary.calls import observed_by
from minitransformer.core import no_grad, observe
from minitransformer.errors import InputError
from minitransformer.inspection import attention_gradients, attention_weights, source_gradients
from minitransformer.layers import FeedForward, Linear
from minitransformer.models import LanguageModel, Transformer
from minitransformer.models.example import small_example
from minitransformer.runs import MODELS, configure, find_model
from minitransformer.testing import away_from_initialisation, count_products, trace


def test_innermost_components_are_reported_first_with_what_went_in_and_out():
    rng = np.random.default_rng(0)
    network, x, seen = FeedForward(3, 5, rng), rng.standard_normal((2, 3)), []
    with observe(network, lambda *r: seen.append(r), lambda *r: seen.append(r)):
        y = network(x)
        d_x = network.backward(np.ones_like(y))
    paths = [path for path, *_ in seen]
    assert paths == [
        "expand", "activation", "dropout", "contract", "", "contract", "dropout", "activation",
        "expand", "",
    ]
    assert seen[4][2][0] is x and seen[4][3] is y and seen[-1][3] is d_x
    network(x)
    assert len(seen) == 10


def test_an_inner_observation_leaves_the_outer_one_in_place():
    linear, outer, inner = Linear(2, 2, np.random.default_rng(0)), [], []
    with observe(linear, lambda *r: outer.append(r)):
        with observe(linear, lambda *r: inner.append(r)):
            linear(np.ones((1, 2)))
        linear(np.ones((1, 2)))
    linear(np.ones((1, 2)))
    assert len(outer) == 2 and len(inner) == 1 and "forward" not in vars(linear)


def test_observations_may_end_in_any_order():
    linear, seen = Linear(2, 2, np.random.default_rng(0)), []
    for first, second in itertools.permutations(range(3), 2):
        blocks = [observe(linear, lambda *r, n=n: seen.append(n)) for n in range(3)]
        with no_grad():
            for block in blocks:
                block.__enter__()
            left = [0, 1, 2]
            for n in (first, second, 3 - first - second):
                linear(np.ones((1, 2)))
                assert sorted(seen) == left
                seen.clear()
                blocks[n].__exit__(None, None, None)
                left.remove(n)
            linear(np.ones((1, 2)))
        assert not seen


def test_an_observer_of_two_blocks_is_taken_away_twice():
    linear, seen = Linear(2, 2, np.random.default_rng(0)), []

    def observer(component, name, run):
        seen.append(name)
        return run

    with observed_by(observer):
        with observed_by(observer):
            linear(np.ones((1, 2)))
        linear(np.ones((1, 2)))
    linear(np.ones((1, 2)))
    assert len(seen) == 3


def test_an_inner_keeping_of_weights_leaves_the_outer_one_in_place():
    config, source, target = small_example(np.random.default_rng(0))
    model = Transformer(config, 0)
    attention = model.decoder.layers[0].cross_attention.attention
    other = model.encoder.layers[0].self_attention.attention
    with keep_weights(model):
        with keep_weights(model.decoder):
            assert attention.keep and other.keep
        assert attention.keep
    assert not attention.keep
    with keep_weights(model.decoder):
        assert attention.keep and not other.keep


@pytest.mark.parametrize(
    "kind, shapes",
    [
        (Transformer, {"encoder": (7, 7), "decoder": (5, 5), "cross": (5, 7)}),
        (LanguageModel, {"self": (12, 12)}),
    ],
)
def test_the_weights_of_one_sequence_come_by_kind_and_leave_no_trace(kind, shapes):
    config, source, target = small_example(np.random.default_rng(0))
    model = kind(config, 0)
    before = {name: dict(vars(m)) for name, m in model.named_modules()}
    weights = attention_weights(model, source[0], np.arange(5, 10))
    assert {k: w.shape for k, w in weights.items()} == {
        k: (2, 4, *shape) for k, shape in shapes.items()
    }
    for w in weights.values():
        np.testing.assert_allclose(w.sum(axis=-1), 1, atol=1e-5)
    assert before == {name: dict(vars(m)) for name, m in model.named_modules()}


def test_what_has_no_attention_says_so():
    with pytest.raises(InputError, match="Linear has no attention"):
        attention_weights(Linear(2, 2, np.random.default_rng(0)), np.array([4]), np.array([5]))


@pytest.mark.parametrize("name", MODELS)
def test_source_gradients_are_those_of_finite_differences(name):
    rng = np.random.default_rng(3)
    config = configure(name, "toy", {"d_model": 8}, source_vocabulary=19, max_length=16)
    model = away_from_initialisation(find_model(name).model(config, 0).to("float64"), rng).eval()
    # no token twice, as many of each
    source, target = np.array([5, 9, 14, 6]), np.array([11, 17, 8, 2])
    before = model.state_dict()
    model.zero_grad()
    found = source_gradients(model, source, target)
    table = next(
        p for path, p in model.named_parameters().items() if path.endswith("embedding.weight")
    )
    scale = 8**0.5  # an embedding is √D times its row of the table

    def log_likelihoods():
        logits = model(source[None], np.array([[1, 11, 17, 8]]))[0]
        model.clear_saves()
        return logits[np.arange(4), target] - np.log(np.exp(logits).sum(axis=-1))

    for s, token in enumerate(source):
        changes = []
        for feature in range(8):
            table.data[token, feature] += 1e-6
            above = log_likelihoods()
            table.data[token, feature] -= 2e-6
            changes.append((above - log_likelihoods()) / 2e-6 / scale)
            table.data[token, feature] += 1e-6
        np.testing.assert_allclose(
            found[:, s], np.linalg.norm(changes, axis=0), rtol=1e-5, atol=1e-8
        )
    assert (found > 0).any(axis=1).all() and not any(p.grad.any() for p in model.parameters())
    for path, array in model.state_dict().items():
        np.testing.assert_allclose(array, before[path], atol=1e-12)


# what the model reads on the target's side is [1, 5, 6], too
SAME_IDS = np.array([1, 5, 6]), np.array([5, 6, 2])


def test_source_gradients_of_a_long_sequence_are_computed_in_parts_and_the_same(monkeypatch):
    config = configure("transformer", "toy", {"d_model": 8}, source_vocabulary=19, max_length=16)
    model = Transformer(config, 0).to("float64")
    source, target = np.array([5, 9, 14, 6]), np.array([11, 17, 8, 2, 5])
    whole = source_gradients(model, source, target)
    for at_once in (1, 2 * (len(source) + len(target)) ** 2):
        monkeypatch.setattr("minitransformer.inspection.attention.AT_ONCE", at_once)
        np.testing.assert_allclose(source_gradients(model, source, target), whole, rtol=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_source_gradients_where_source_and_target_have_the_same_ids(name):
    """The same vectors under other ids, which the target has not, are the same source."""
    config = configure(name, "toy", {"d_model": 8}, source_vocabulary=19, max_length=16)
    model = away_from_initialisation(
        find_model(name).model(config, 0).to("float64"), np.random.default_rng(3)
    )
    source, target = SAME_IDS
    found = source_gradients(model, source, target)
    table = next(
        p for path, p in model.named_parameters().items() if path.endswith("embedding.weight")
    )
    table.data[source + 10] = table.data[source]
    np.testing.assert_allclose(found, source_gradients(model, source + 10, target), rtol=1e-10)


def test_source_gradients_of_tied_embeddings_with_the_same_ids_are_those_of_untied_ones():
    config, *_ = small_example(np.random.default_rng(0))
    config = dataclasses.replace(config, target_vocabulary=17, tie_embeddings=True)
    tied = away_from_initialisation(Transformer(config, 0).to("float64"), np.random.default_rng(3))
    untied = Transformer(dataclasses.replace(config, tie_embeddings=False), 0).to("float64")
    state = tied.state_dict()
    table = state["source_input.embedding.weight"]
    untied.load_state_dict(
        {**state, "target_input.embedding.weight": table, "output.weight": table.T}
    )
    np.testing.assert_allclose(
        source_gradients(tied, *SAME_IDS), source_gradients(untied, *SAME_IDS), rtol=1e-10
    )


def test_source_gradients_of_a_model_with_no_embedding_of_the_source_are_refused():
    class Reversed(Transformer):
        """It embeds another array than the source."""

        def encode(self, source):
            return super().encode(source[:, ::-1])

    config, *_ = small_example(np.random.default_rng(0))
    with pytest.raises(InputError, match="Reversed passes its source to no Embedding"):
        source_gradients(Reversed(config, 0), *SAME_IDS)


# -- several observers, several threads, copies ----------------------------------------------------


def forwards_and_backwards(model, source, target_in):
    logits = model(source, target_in)
    model.backward(np.ones_like(logits))


def test_two_threads_that_observe_one_model_see_their_own_passes_and_no_other():
    """The passes overlap: each thread begins only when both have opened their block."""
    config, source, target = small_example(np.random.default_rng(0))
    model = Transformer(config, 0).eval()
    meet = threading.Barrier(2)
    seen = {1: [], 2: []}
    failed = []

    def run(rows):
        try:
            with (
                no_grad(),
                observe(
                    model,
                    lambda path, c, inputs, y: seen[rows].append(
                        (path, len(np.atleast_1d(inputs[0])))
                    ),
                ),
            ):
                meet.wait(60)
                for _ in range(5):
                    model(source[:rows], target[:rows])
                meet.wait(60)  # the one that ends first leaves the other's block as it is
            with no_grad():
                model(source[:rows], target[:rows])
        except Exception as problem:
            failed.append(problem)

    threads = [threading.Thread(target=run, args=(rows,)) for rows in seen]
    [t.start() for t in threads]
    [t.join() for t in threads]
    one_pass = []
    with no_grad(), observe(model, lambda path, *_: one_pass.append(path)):
        model(source, target)
    assert not failed and all(
        [path for path, _ in found] == 5 * one_pass for found in seen.values()
    )
    assert all({rows} == {length for _, length in found} for rows, found in seen.items())


def test_a_copy_made_inside_is_not_observed_and_works_afterwards():
    config, source, target = small_example(np.random.default_rng(0))
    model, seen = Transformer(config, 0), []
    with observe(
        model, lambda *r: seen.append(r), lambda *r: seen.append(r), lambda *r: seen.append(r)
    ):
        copied = copy.deepcopy(model)
        forwards_and_backwards(copied, source, target)
    assert not seen
    forwards_and_backwards(model, source, target)
    assert not seen and {*vars(model)} == {*vars(copied)}


@pytest.mark.parametrize("ask", [source_gradients, attention_gradients], ids=lambda f: f.__name__)
def test_gradients_that_are_asked_for_inside_are_the_same_and_not_counted(ask):
    config, source, target = small_example(np.random.default_rng(0))
    model, seen = Transformer(config, 0).eval(), []
    expected = ask(model, source[0], np.array([5, 6, 2]))
    with observe(model, lambda path, *_: seen.append(path), lambda path, *_: seen.append(path)):
        found = ask(model, source[0], np.array([5, 6, 2]))
        assert not seen
        forwards_and_backwards(model, source, target)
    assert len(seen) > 50
    for kind in expected if isinstance(expected, dict) else [...]:
        np.testing.assert_array_equal(found[kind], expected[kind])


def test_trace_and_count_inside_are_the_same():
    network, x = FeedForward(3, 5, 0), np.random.default_rng(0).standard_normal((2, 3))
    expected = count_products(network, x), [row.calls for row in trace(network, x).rows]
    with observe(network, lambda *_: None, lambda *_: None):
        assert (
            count_products(network, x),
            [row.calls for row in trace(network, x).rows],
        ) == expected


def test_a_parts_own_use_is_observed_and_that_of_what_stands_elsewhere_is_not():
    network, seen = FeedForward(3, 5, 0), []
    with observe(network.expand, lambda path, component, *_: seen.append(component)):
        network(np.ones((2, 3)))
    assert seen == [network.expand]


def test_a_subclass_that_calls_its_parent_is_reported_once_with_its_own_result():
    class Doubled(Linear):
        def forward(self, x):
            return 2 * super().forward(x)

        def backward(self, d_y):
            return super().backward(2 * d_y)

    linear, seen = Doubled(2, 3, 0), []
    with observe(linear, lambda *r: seen.append(r), lambda *r: seen.append(r)):
        y = linear(np.ones((1, 2)))
        d_x = linear.backward(np.ones((1, 3)))
    assert len(seen) == 2 and seen[0][3] is y and seen[1][3] is d_x


def test_an_observation_ends_with_an_exception():
    linear, seen = Linear(2, 3, 0), []
    with (
        pytest.raises(InputError, match="must be an array"),
        observe(linear, lambda *r: seen.append(r)),
    ):
        linear("text")
    linear(np.ones((1, 2)))
    assert not seen


def test_source_gradients_leave_the_model_as_it_was_also_between_forward_and_backward():
    _, source, target = small_example(np.random.default_rng(0))
    model = find_model("rnn-additive").model(
        configure("rnn-additive", "toy", {"dropout": 0.5}, source_vocabulary=19), 0
    )
    expected = [g.bit_generator.state for g in model.generators()]
    logits = model(source, target)
    states = [g.bit_generator.state for g in model.generators()]
    source_gradients(model, source[0], np.array([5, 6]))
    assert (
        states == [g.bit_generator.state for g in model.generators()] != expected and model.training
    )
    model.backward(np.ones_like(logits))
    assert not model.leftover_saves()


@pytest.mark.parametrize("source, target, sentence", [
    ([[5, 6]], [7, 2], r"source must be .* one sequence, .*\(1, 2\)"),
    ([5, 6], [1, 7], "target begins with BOS"),
    ([5, 6], [], "target is one sequence"),
    (None, [5, 2], "source must be .* one sequence, .*None"),
])  # fmt: skip
def test_source_gradients_refuse_what_is_no_sequence(source, target, sentence):
    config, *_ = small_example(np.random.default_rng(0))
    with pytest.raises(InputError, match=sentence):
        source_gradients(Transformer(config, 0), source, target)


def test_entering_is_reported_before_anything_inside():
    network, seen = FeedForward(3, 5, np.random.default_rng(0)), []
    with observe(network, on_enter=lambda path, component: seen.append(path)):
        network.backward(network(np.ones((2, 3))))
    assert seen == [
        "", "expand", "activation", "dropout", "contract", "", "contract", "dropout", "activation",
        "expand",
    ]
