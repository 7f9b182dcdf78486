"""Watching a model run, and reading its attention, without leaving a trace."""

import numpy as np
import pytest

from minitransformer.attention import keep_weights
from minitransformer.errors import InputError
from minitransformer.inspection import attention_weights
from minitransformer.layers import FeedForward, Linear
from minitransformer.models import LanguageModel, Transformer
from minitransformer.models.encoder import small_example
from minitransformer.observe import observe


def test_innermost_components_are_reported_first_with_what_went_in_and_out():
    rng = np.random.default_rng(0)
    network, x, seen = FeedForward(3, 5, rng), rng.standard_normal((2, 3)), []
    with observe(network, lambda *r: seen.append(r), lambda *r: seen.append(r)):
        y = network(x)
        d_x = network.backward(np.ones_like(y))
    paths = [path for path, *_ in seen]
    assert paths == ["expand", "activation", "dropout", "contract", "", "contract", "dropout", "activation", "expand", ""]
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


def test_an_inner_keeping_of_weights_leaves_the_outer_one_in_place():
    config, source, target = small_example(np.random.default_rng(0))
    model = Transformer(config, 0)
    attention = model.decoder.layers[0].cross_attention.attention
    with keep_weights(model):
        with keep_weights(model.decoder):
            pass
        assert attention.keep
    assert not attention.keep


@pytest.mark.parametrize("kind, shapes", [(Transformer, {"encoder": (7, 7), "decoder": (5, 5), "cross": (5, 7)}), (LanguageModel, {"self": (12, 12)})])
def test_the_weights_of_one_sequence_come_by_kind_and_leave_no_trace(kind, shapes):
    config, source, target = small_example(np.random.default_rng(0))
    model = kind(config, 0)
    before = {name: dict(vars(m)) for name, m in model.named_modules()}
    weights = attention_weights(model, source[0], np.arange(5, 10))
    assert {k: w.shape for k, w in weights.items()} == {k: (2, 4, *shape) for k, shape in shapes.items()}
    for w in weights.values():
        np.testing.assert_allclose(w.sum(axis=-1), 1, atol=1e-5)
    assert before == {name: dict(vars(m)) for name, m in model.named_modules()}


def test_what_has_no_attention_says_so():
    with pytest.raises(InputError, match="Linear has no attention"):
        attention_weights(Linear(2, 2, np.random.default_rng(0)), np.array([4]), np.array([5]))
