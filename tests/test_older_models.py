"""The models that the Transformer is compared with: values against plain formulas, gradients, what
each can see; and what must hold for every model by its name.
"""

import dataclasses
import math

import numpy as np
import pytest
from common import assert_gradients, close, normal, refusal, rng

from minitransformer.attention import (
    ScaledDotProductAttention,
    attention_maps,
    attentions,
    keep_weights,
)
from minitransformer.core import no_grad
from minitransformer.errors import InputError
from minitransformer.layers import CrossEntropy, Embedding
from minitransformer.models import LanguageModel, TransformerConfig
from minitransformer.models.language_model import joined
from minitransformer.older import (
    CELLS,
    ConvolutionConfig,
    ConvolutionLayer,
    LocalAttentionConfig,
    LocalAttentionLayer,
    OneVectorConfig,
    RNNConfig,
    RNNSeq2Seq,
)
from minitransformer.older.rnn_seq2seq import ATTENTIONS
from minitransformer.runs import MODELS, configure, find_model
from minitransformer.testing import away_from_initialisation
from minitransformer.training import Adam

SIZES = dict(
    d_model=12, heads=3, d_k=5, d_v=4, d_ff=14, encoder_layers=2, decoder_layers=2, window=4,
    kernel_width=3,
)
RNNS = [name for name in MODELS if name.startswith("rnn")]
JOINT = ["language-model", "conv", "local-attention"]  # source and target in one sequence


def fresh(name, seed=0, **changes):
    options = {key: value for key, value in SIZES.items() if key in find_model(name).options()}
    data = dict(source_vocabulary=17, target_vocabulary=19, max_length=16)
    return find_model(name).model(configure(name, "toy", {**options, **changes}, **data), seed)


def moved(name, **changes):
    """The model in float64, every parameter at a random place."""
    return away_from_initialisation(fresh(name, **changes).to("float64"), rng(2))


def batch():
    """Source and target ids with padded rows."""
    source, target = rng(3).integers(4, 17, size=(3, 7)), rng(4).integers(4, 17, size=(3, 5))
    source[1, 4:] = source[2, 6:] = target[1, 3:] = target[2, 4:] = 0
    target[:, 0] = 1
    return source, target


def full_batch():
    return rng(3).integers(4, 17, size=(3, 7)), rng(4).integers(4, 17, size=(3, 5))


# -- every model -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_a_padded_row_of_a_batch_is_what_it_is_alone(name):
    model, (source, target) = moved(name), batch()
    logits = model(source, target)
    for b, (s, t) in enumerate([(7, 5), (4, 3), (6, 4)]):
        close(logits[b : b + 1, :t], model(source[b : b + 1, :s], target[b : b + 1, :t]))


@pytest.mark.parametrize("name", MODELS)
def test_more_padding_changes_nothing(name):
    model, (source, target) = moved(name), batch()
    logits = model(source, target)
    close(model(np.pad(source, [(0, 0), (0, 3)]), target), logits)
    real = target != 0
    close(model(source, np.pad(target, [(0, 0), (0, 2)]))[:, :5][real], logits[real])


@pytest.mark.parametrize("name", MODELS)
def test_what_stands_in_the_row_of_padding_does_not_matter_and_gets_no_gradient(name):
    model, loss, (source, target) = (
        moved(name),
        CrossEntropy(label_smoothing=0.1, padding=0),
        batch(),
    )
    logits, real = model(source, target), target != 0
    loss(logits, np.where(real, 7, 0))
    model.backward(loss.backward())
    tables = [m.weight for _, m in model.named_modules() if isinstance(m, Embedding)]
    assert len(tables) == (1 if name in JOINT else 2)
    for table in tables:
        assert not table.grad[0].any() and table.grad[1:].any()
        table.data[0] += 5
    assert np.array_equal(model(source, target)[real], logits[real])


@pytest.mark.parametrize("name", MODELS)
def test_no_model_sees_the_future(name):
    model, (source, target) = moved(name), full_batch()
    logits = model(source, target)
    for t in range(5):
        changed = target.copy()
        changed[:, t] = changed[:, t] % 13 + 3
        after = model(source, changed)
        assert np.array_equal(after[:, :t], logits[:, :t])
        assert (after[:, t] != logits[:, t]).any(axis=-1).all(), "the token itself is not read"


@pytest.mark.parametrize("name", ["transformer", "language-model", *RNNS, "one-vector"])
def test_these_models_see_the_whole_source_from_every_position(name):
    model, (source, target) = moved(name), full_batch()
    logits = model(source, target)
    for s in range(7):
        changed = source.copy()
        changed[:, s] = changed[:, s] % 13 + 3
        assert (model(changed, target) != logits).any(axis=-1).all()


@pytest.mark.parametrize("name", MODELS)
def test_every_model_sees_the_order_of_the_source(name):
    model, (source, target) = moved(name), full_batch()
    assert np.abs(model(source[:, ::-1], target) - model(source, target)).max() > 1e-3


@pytest.mark.parametrize("name", MODELS)
def test_stepping_every_model_gives_the_logits_of_forward(name):
    model, source, target = moved(name), batch()[0], full_batch()[1]
    logits, state = model(source, target), model.start(source)
    for t in range(5):
        before = state
        now, state = model.step(target[:, t], before)
        close(now, logits[:, t], atol=1e-10)
        model.step(np.array([8, 9, 10]), before)
    again, _ = model.step(target[:, 4], before)
    assert np.array_equal(again, now), "a step changed the state that it was handed"


@pytest.mark.parametrize("name", MODELS)
def test_every_model_stays_in_float32_and_leaves_what_it_was_handed_alone(name):
    model, (source, target) = fresh(name, dropout=0.1), batch()
    kept = source.copy(), target.copy()
    logits = model(source, target)
    assert logits.dtype == np.float32 and logits.shape == (3, 5, 19)
    d_logits = np.ones_like(logits)
    assert model.backward(d_logits) is None
    assert all(p.data.dtype == p.grad.dtype == np.float32 for p in model.parameters())
    assert (
        np.array_equal(source, kept[0])
        and np.array_equal(target, kept[1])
        and (d_logits == 1).all()
    )
    assert model.leftover_saves() == {}


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_of_every_model_gets_a_gradient_and_moves(name):
    model, loss, (source, target) = fresh(name), CrossEntropy(padding=0), full_batch()
    optimizer, before = Adam(model, 1e-3), model.state_dict()
    loss(model(source, target), rng(5).integers(1, 17, size=target.shape))
    model.backward(loss.backward())
    assert all(np.abs(p.grad).max() > 1e-9 for p in model.parameters())
    optimizer.step()
    assert all((p.data != before[path]).any() for path, p in model.named_parameters().items())


@pytest.mark.parametrize("name", MODELS)
def test_a_second_backward_of_every_model_adds_to_the_gradients(name):
    model, (source, target) = moved(name), batch()
    d_logits = normal(3, 5, 19)
    model(source, target)
    model.backward(d_logits)
    once = {path: p.grad.copy() for path, p in model.named_parameters().items()}
    model(source, target)
    model.backward(d_logits)
    for path, p in model.named_parameters().items():
        close(p.grad, 2 * once[path], atol=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_the_seed_decides_weights_and_dropout_and_eval_ends_the_dropout(name):
    source, target = batch()
    one, same, other = (fresh(name, seed, dropout=0.3) for seed in (1, rng(1), 2))
    logits = one(source, target)
    assert np.array_equal(same(source, target), logits)
    assert not np.array_equal(other(source, target), logits)
    assert not np.array_equal(one(source, target), logits)
    quiet = fresh(name, dropout=0.0)
    quiet.load_state_dict(one.state_dict())
    assert np.array_equal(one.eval()(source, target), quiet(source, target))


@pytest.mark.parametrize("name", MODELS)
def test_no_grad_leaves_no_saves_in_any_model(name):
    model, (source, target) = fresh(name), batch()
    with no_grad():
        quiet = model(source, target)
    assert model.leftover_saves() == {} and np.array_equal(model(source, target), quiet)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "source, target, message",
    [
        (
            [[4, 5]], np.array([[1, 4]]),
            r"source must be an array of integer ids, of shape \(B, S\).* Got a list",
        ),
        (
            np.array([[4, 5]]), np.array([[1.0, 4]]),
            r"target_in must be .* Got float64 of shape \(1, 2\)",
        ),
        (
            np.array([[4, 5]]), np.array([[1, 4], [1, 5]]),
            r"target_in must be .*B is 1. Got int64 of shape \(2, 2\)",
        ),
        (np.array([[4, 25]]), np.array([[1, 4]]), r"id 25 at position \(0, 1\)"),
    ],
)
def test_what_is_no_batch_of_ids_is_refused_by_every_model(name, source, target, message):
    with pytest.raises(InputError, match=message):
        fresh(name)(source, target)


MAPS = {  # per attention: path, heads, queries, keys; for a source of 7 and a target of 5
    "rnn": [],
    "rnn-additive": [("cross_attention.expectation", 1, 5, 7)],
    "rnn-multiplicative": [("cross_attention.expectation", 1, 5, 7)],
    "one-vector": [],
    "conv": [],
    "local-attention": [
        (f"layers.layers.{i}.self_attention.attention", 3, 12, 12) for i in range(2)
    ],
}


@pytest.mark.parametrize("name", MAPS)
def test_the_attentions_of_the_older_models_can_be_watched(name):
    model, (source, target) = moved(name), batch()
    with keep_weights(model):
        logits = model(source, target)
        model.backward(normal(*logits.shape))
    maps = attention_maps(model)
    assert [(path, *weights.shape) for path, weights in maps.items()] == [
        (p, 3, *shape) for p, *shape in MAPS[name]
    ]
    padding = np.arange(7) >= np.array([7, 4, 6])[:, None]
    for path, weights in maps.items():
        gradient = attentions(model)[path].d_weights
        assert gradient.shape == weights.shape and np.abs(gradient).max() > 1e-6
        if "cross" in path:
            assert not weights[:, 0].swapaxes(1, 2)[padding].any()
            close(weights.sum(axis=-1), np.ones((3, 1, 5)))
        else:
            assert not np.triu(weights, k=1).any() and not np.tril(weights, k=-4).any()
            close(weights[:, :, 7:].sum(axis=-1)[0], np.ones((3, 5)))
            assert not weights[1, :, :, :3].any() and weights[1, 0, 3, 3] == 1, (
                "the shorter source stands at the right"
            )


# -- recurrent sequence to sequence ----------------------------------------------------------------


def rnn_model(attention="none", cell="gru", **changes):
    """Away from initialisation, in float64."""
    sizes = dict(source_vocabulary=17, target_vocabulary=19, d_model=6, dropout=0.0)
    model = RNNSeq2Seq(RNNConfig(**{**sizes, "attention": attention, "cell": cell, **changes}), 0)
    return away_from_initialisation(model.to("float64"), rng(2))


def plain_cell(w, at, x, h):
    """One step for one sequence, x (X,), h (D,)."""
    a = x @ w[f"{at}.input.weight"] + w[f"{at}.input.bias"]
    b = h @ w[f"{at}.state.weight"] + w.get(f"{at}.state.bias", 0)
    if len(a) == len(h):
        return np.tanh(a + b)
    d = len(h)
    reset, keep = (1 / (1 + np.exp(-a[i : i + d] - b[i : i + d])) for i in (0, d))
    return (1 - keep) * np.tanh(a[2 * d :] + reset * b[2 * d :]) + keep * h


def plain_seq2seq(model, source, target):
    """Logits of one sequence without padding, token by token."""
    w, d = model.state_dict(), model.config.d_model
    x = w["source_embedding.weight"][source] * math.sqrt(d)
    ahead, back = [np.zeros(d)], [np.zeros(d)]
    for s in range(len(x)):
        ahead.append(plain_cell(w, "encoder.forwards.cell", x[s], ahead[-1]))
        back.append(plain_cell(w, "encoder.backwards.cell", x[len(x) - 1 - s], back[-1]))
    annotations = [np.concatenate([f, b]) for f, b in zip(ahead[1:], back[:0:-1])]
    h = np.tanh(np.concatenate([ahead[-1], back[-1]]) @ w["bridge.weight"] + w["bridge.bias"])
    logits = []
    for token in target:
        h = plain_cell(w, "decoder.cell", w["target_embedding.weight"][token] * math.sqrt(d), h)
        y = h
        if model.config.attention != "none":
            q = h @ w["cross_attention.query.weight"]
            if model.config.attention == "additive":
                q = q + w["cross_attention.query.bias"]
                hidden = [np.tanh(q + f @ w["cross_attention.key.weight"]) for f in annotations]
                scores = [v @ w["cross_attention.score.weight"][:, 0] for v in hidden]
            else:
                scores = [q @ f for f in annotations]
            weights = np.exp(scores) / np.exp(scores).sum()
            context = sum(p * f for p, f in zip(weights, annotations))
            y = np.tanh(np.concatenate([context, h]) @ w["combine.weight"] + w["combine.bias"])
        logits.append(y @ w["output.weight"])
    return np.array(logits)


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("cell", CELLS)
def test_rnn_equals_a_plain_one_that_never_sees_padding(cell, attention):
    model, (source, target) = rnn_model(attention, cell), batch()
    logits = model(source, target)
    for row, s, t in zip(logits, source, target):
        real = t != 0
        close(row[real], plain_seq2seq(model, s[s != 0], t[real]), atol=1e-11)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("cell", CELLS)
def test_rnn_gradient_of_the_whole_model(cell, attention, dropout):
    assert_gradients(rnn_model(attention, cell, dropout=dropout), *batch(), max_entries=3)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_rnn_gradient_on_a_square_twin(attention):
    source, target = rng(3).integers(4, 9, size=(4, 4)), rng(4).integers(4, 9, size=(4, 4))
    source[1, 2:] = target[3, 2:] = 0
    model = rnn_model(attention, source_vocabulary=9, target_vocabulary=9, d_model=4)
    assert_gradients(model, source, target, max_entries=3)


def test_rnn_without_attention_knows_the_source_through_one_state_only():
    model, (source, target) = rnn_model(), batch()
    annotations, real, h = model.encode(source)
    logits, _ = model.decode(target, annotations, real, h)
    assert np.array_equal(model.decode(target, annotations + 1, real, h)[0], logits)
    assert (model.decode(target, annotations, real, h + 1)[0] != logits).any(axis=-1).all()
    model.decode_backward(np.ones_like(logits))
    with_attention = rnn_model("multiplicative")
    logits, _ = with_attention.decode(target, annotations, real, h)
    assert (with_attention.decode(target, annotations + 1, real, h)[0] != logits).any(axis=-1).all()


def test_rnn_first_state_knows_both_ends_of_both_readings():
    model, (source, _) = rnn_model(), full_batch()
    annotations, _, h = model.encode(source)
    ends = np.concatenate([annotations[:, -1, :6], annotations[:, 0, 6:]], axis=-1)
    close(h, np.tanh(ends @ model.bridge.weight.data + model.bridge.bias.data))


@pytest.mark.parametrize("cell", CELLS)
def test_rnn_dropout_acts_on_both_embeddings_and_nowhere_else(cell):
    model = rnn_model("additive", cell, dropout=0.5)
    assert [path for path, m in model.named_modules() if type(m).__name__ == "Dropout"] == [
        "dropout"
    ]
    called = []
    draw = model.dropout.forward
    model.dropout.forward = lambda x: called.append(x.shape) or draw(x)
    model(*batch())
    assert called == [(3, 7, 6), (3, 5, 6)]


# -- one vector ------------------------------------------------------------------------------------


def plain_sinusoids(length, features):
    i, places = np.arange(features), np.arange(length)[:, None]
    angle = places / 10000 ** ((i - i % 2) / features)
    return np.where(i % 2, np.cos(angle), np.sin(angle))


def plain_feed_forward(w, at, x):
    hidden = np.maximum(x @ w[f"{at}.expand.weight"] + w[f"{at}.expand.bias"], 0)
    return hidden @ w[f"{at}.contract.weight"] + w[f"{at}.contract.bias"]


def test_one_vector_equals_a_plain_one_that_never_sees_padding():
    model, (source, target) = moved("one-vector"), batch()
    w, logits = model.state_dict(), model(source, target)
    for row, s, t in zip(logits, source, target):
        s, t = s[s != 0], t[t != 0]
        x = 12**0.5 * w["source_input.embedding.weight"][s] + plain_sinusoids(len(s), 12)
        vector = sum(plain_feed_forward(w, "squash", x_s) for x_s in x) / len(s)
        z = 12**0.5 * w["target_input.embedding.weight"][t] + plain_sinusoids(len(t), 12)
        expected = [
            plain_feed_forward(w, "generate", z_t + vector) @ w["output.weight"] for z_t in z
        ]
        close(row[: len(t)], np.array(expected))


@pytest.mark.parametrize(
    "changes", [{}, {"activation": "gelu", "positions": "learned"}, {"dropout": 0.3}], ids=str
)
def test_one_vector_gradient(changes):
    assert_gradients(moved("one-vector", **changes), *batch(), max_entries=4)


def test_one_vector_logits_depend_on_the_token_its_place_and_the_vector_alone():
    model, (source, target) = moved("one-vector"), full_batch()
    logits = model(source, target)
    for t in range(5):
        changed = target.copy()
        changed[:, t] = changed[:, t] % 13 + 3
        assert (model(source, changed) != logits).any(axis=(0, 2)).tolist() == [
            s == t for s in range(5)
        ]
    assert model.encode(source).shape == (3, 12)


# -- convolutions and local attention --------------------------------------------------------------


def norm(w, at, x):
    centred = x - x.mean(axis=-1, keepdims=True)
    return (
        w[f"{at}.gamma"] * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        + w[f"{at}.beta"]
    )


def plain_convolution_model(model, ids):
    """Logits of one sequence without padding, position by position."""
    w, config = model.state_dict(), model.config
    x = 12**0.5 * w["input.embedding.weight"][ids] + plain_sinusoids(len(ids), 12)
    for i in range(config.decoder_layers):
        at, taps = f"layers.layers.{i}", config.kernel_width
        weights = w[f"{at}.convolution.linear.weight"].reshape(taps, 12, 12)
        branch = np.tile(w[f"{at}.convolution.linear.bias"], (len(ids), 1))
        for t in range(len(ids)):
            for j in range(taps):
                s = t - (taps - 1 - j) * taps**i
                branch[t] += x[s] @ weights[j] if s >= 0 else 0
        x = norm(w, f"{at}.add_norm_1.norm", x + branch)
        x = norm(w, f"{at}.add_norm_2.norm", x + plain_feed_forward(w, f"{at}.feed_forward", x))
    return x @ w["output.weight"]


@pytest.mark.parametrize("kernel_width", [2, 3])
def test_convolution_model_equals_a_plain_one_that_never_sees_padding(kernel_width):
    model, (source, target) = moved("conv", kernel_width=kernel_width, decoder_layers=3), batch()
    logits = model(source, target)
    for row, s, t in zip(logits, source, target):
        s, t = s[s != 0], t[t != 0]
        close(
            row[: len(t)], plain_convolution_model(model, np.concatenate([s, t]))[len(s) :],
            atol=1e-11,
        )


class BandedLanguageModel(LanguageModel):
    """A `LanguageModel` under the mask that local attention stands for."""

    width = 4

    def mask(self, real, count):
        n = real.shape[1]
        return super().mask(real, count) & ~np.tri(n, k=-self.width, dtype=bool)[-count:]


@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("window", [2, 3, 4, 5, 12, 30])
def test_local_attention_model_equals_a_language_model_under_a_band(window, norm):
    local = moved("local-attention", window=window, norm=norm)
    data = dict(source_vocabulary=17, target_vocabulary=19, max_length=16)
    options = {
        key: value for key, value in SIZES.items() if key in find_model("language-model").options()
    }
    banded = BandedLanguageModel(
        configure("language-model", "toy", {**options, "norm": norm}, **data), 0
    ).to("float64")
    banded.load_state_dict(local.state_dict())
    banded.width = window
    source, target = batch()
    real = (target != 0)[..., None]
    logits = local(source, target)
    close(logits * real, banded(source, target) * real)
    d_logits = normal(*logits.shape) * real
    local.backward(d_logits)
    banded.backward(d_logits)
    for path, p in local.named_parameters().items():
        close(p.grad, banded.named_parameters()[path].grad, atol=1e-10)


@pytest.mark.parametrize(
    "changes", [{}, {"norm": "pre", "positions": "learned"}, {"dropout": 0.2}], ids=str
)
@pytest.mark.parametrize("name", ["conv", "local-attention"])
def test_convolution_and_local_attention_model_gradient(name, changes):
    assert_gradients(moved(name, **changes), *batch(), max_entries=2)


def test_local_attention_model_gradient_with_every_dropout_on():
    model = moved("local-attention", dropout=0.2, attention_dropout=0.2, activation_dropout=0.2)
    assert [m.dropout.p for m in attentions(model).values()] == [0.2, 0.2]
    assert_gradients(model, *batch(), max_entries=2)


@pytest.mark.parametrize("kind", [ConvolutionLayer, LocalAttentionLayer])
def test_layer_gradient(kind):
    layer, x, real = kind.example(rng(3))
    assert_gradients(away_from_initialisation(layer.to("float64"), rng(4)), x, real, max_entries=4)


@pytest.mark.parametrize(
    "name, options, reach",
    [
        ("conv", {"kernel_width": 2, "decoder_layers": 3}, 8),
        ("conv", {"kernel_width": 3, "decoder_layers": 2}, 9),
        ("local-attention", {"window": 3, "decoder_layers": 2}, 5),
        ("local-attention", {"window": 2, "decoder_layers": 4}, 5),
    ],
)
def test_a_model_without_recurrence_or_full_attention_sees_as_far_as_its_layers_reach(
    name, options, reach
):
    model, target = moved(name, **options), rng(4).integers(4, 17, size=(3, 12))
    logits = model(None, target)
    for s in range(12):
        changed = target.copy()
        changed[:, s] = changed[:, s] % 13 + 3
        seen = (model(None, changed) != logits).any(axis=-1)
        assert seen.tolist() == [[s <= t < s + reach for t in range(12)]] * 3


@pytest.mark.parametrize("name", ["conv", "local-attention"])
def test_a_shorter_source_is_as_near_to_its_target_as_a_longer_one(name):
    model = moved(
        name, **({"window": 2} if name == "local-attention" else {"kernel_width": 2}),
        decoder_layers=1,
    )
    source = np.array([[5, 6, 7, 8, 0, 0, 0], [5, 6, 7, 8, 9, 10, 11]])
    target = np.array([[1, 7], [1, 7]])
    logits = model(source, target)
    source[0, 3], source[1, 6] = 12, 12
    assert (model(source, target)[:, 0] != logits[:, 0]).any(axis=-1).all(), (
        "the last source token is one step away"
    )


def test_source_and_target_are_joined_without_a_gap():
    source = np.array(
        [[9, 6, 7, 8], [6, 5, 0, 0], [5, 0, 0, 0], [0, 0, 0, 0], [0, 0, 5, 6], [5, 0, 6, 0]]
    )
    target = np.array([[1, 9], [1, 0], [1, 9], [1, 9], [1, 9], [1, 9]])
    expected = [[9, 6, 7, 8, 1, 9], [0, 0, 6, 5, 1, 0], [0, 0, 0, 5, 1, 9], [0, 0, 0, 0, 1, 9]]
    expected += [[0, 0, 5, 6, 1, 9], [0, 0, 5, 6, 1, 9]]  # wherever the padding stood
    assert joined(source, target).tolist() == expected


@pytest.mark.parametrize("name", JOINT)
def test_models_of_one_sequence_do_without_a_source(name):
    model, (_, target) = moved(name), batch()
    logits = model(None, target)
    close(model(np.zeros((3, 4), dtype=int), target)[target != 0], logits[target != 0])
    model.clear_saves()
    assert_gradients(model, None, target, max_entries=2)


def test_local_attention_model_has_no_full_attention_left():
    model = fresh("local-attention")
    kinds = {
        type(m).__name__
        for _, m in model.named_modules()
        if isinstance(m, ScaledDotProductAttention)
    }
    assert kinds == {"LocalAttention"} and not attentions(fresh("conv"))


# -- configurations by name ------------------------------------------------------------------------


def test_an_unknown_model_is_refused_with_the_nearest():
    message = refusal(find_model, "rnnn")
    assert (
        "no model 'rnnn'" in message
        and "Did you mean 'rnn'?" in message
        and ", ".join(MODELS) in message
    )
    assert "Did you mean 'local-attention'?" in refusal(configure, "local-atention", "toy")


@pytest.mark.parametrize(
    "name, option, there_are",
    [
        ("rnn", "heads", "d_model, dropout, cell"),
        ("rnn", "attention", "d_model, dropout, cell"),
        ("one-vector", "norm", "d_model, dropout, positions, d_ff, activation"),
        ("conv", "heads", "d_model, dropout, positions, d_ff, decoder_layers, activation_dropout, "
                          "norm, final_norm, activation, tie_embeddings, kernel_width"),
    ],
)  # fmt: skip
def test_an_option_that_the_model_does_not_have_is_refused_with_those_that_it_has(
    name, option, there_are
):
    message = refusal(configure, name, "toy", {option: 3})
    assert message == f"The model {name} has no option {option!r}. It has: {there_are}."


@pytest.mark.parametrize(
    "name, unused", [("language-model", "encoder_layers"), ("local-attention", "encoder_layers")]
)
def test_an_option_that_would_change_nothing_is_refused(name, unused):
    assert f"no option {unused!r}" in refusal(configure, name, "toy", {unused: 3})
    assert unused not in find_model(name).options() and "heads" in find_model(name).options()


@pytest.mark.parametrize("field", ["source_vocabulary", "max_length"])
def test_what_the_data_decides_is_no_option(field):
    assert f"no option {field!r}" in refusal(configure, "transformer", "toy", {field: 30})
    assert getattr(configure("transformer", "toy", {}, **{field: 30}), field) == 30


@pytest.mark.parametrize("name", MODELS)
def test_every_kind_is_configured_from_preset_options_and_data(name):
    kind = find_model(name)
    data = dict(source_vocabulary=17, target_vocabulary=19, max_length=30)
    config = configure(name, "tiny", {"d_model": 24}, **data)
    assert type(config) is kind.config and isinstance(kind.model(config, 0), kind.model)
    assert config.d_model == 24 and config.dropout == 0.1 and config.target_vocabulary == 19
    assert all(getattr(config, field) == value for field, value in kind.fixed.items())
    assert kind.config(**config.to_dict()) == config
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.d_model = 3


def test_the_names_of_the_recurrent_models_decide_their_attention():
    chosen = {name: configure(name, "toy").attention for name in RNNS}
    assert chosen == {
        "rnn": "none", "rnn-additive": "additive", "rnn-multiplicative": "multiplicative",
    }
    assert [type(fresh(name).cross_attention).__name__ for name in RNNS] == [
        "NoneType", "AdditiveAttention", "MultiplicativeAttention",
    ]  # fmt: skip


def test_the_options_reach_the_components():
    assert {type(fresh("rnn", cell=cell).decoder.cell) for cell in CELLS} == set(CELLS.values())
    convolutions = [
        layer.convolution for layer in fresh("conv", kernel_width=2, decoder_layers=4).layers.layers
    ]
    assert [(c.window.width, c.window.dilation) for c in convolutions] == [
        (2, 1), (2, 2), (2, 4), (2, 8),
    ]
    assert [m.width for m in attentions(fresh("local-attention", window=5)).values()] == [5, 5]


@pytest.mark.parametrize(
    "kind, field, value, expected",
    [
        (RNNConfig, "cell", "gruu", "no cell 'gruu'. Did you mean 'gru'? There are: rnn, gru."),
        (RNNConfig, "attention", "aditive", "no attention 'aditive'. Did you mean 'additive'?"),
        (RNNConfig, "d_model", 0, "d_model must be a whole number of at least 1, got 0"),
        (
            RNNConfig, "dropout", 1.0,
            "dropout must be a number of at least 0 and less than 1, got 1.0",
        ),
        (OneVectorConfig, "activation", "relo", "Did you mean 'relu'?"),
        (OneVectorConfig, "positions", "learnt", "Did you mean 'learned'?"),
        (OneVectorConfig, "d_ff", 2.5, "d_ff must be a whole number of at least 1, got 2.5"),
        (
            OneVectorConfig, "max_length", -1,
            "max_length must be a whole number of at least 1, got -1",
        ),
        (
            ConvolutionConfig, "kernel_width", 1,
            "kernel_width must be a whole number of at least 2, got 1",
        ),
        (
            ConvolutionConfig, "decoder_layers", 0,
            "decoder_layers must be a whole number of at least 1 and at most 1,000, got 0",
        ),
        (ConvolutionConfig, "norm", "posts", "Did you mean 'post'?"),
        (LocalAttentionConfig, "window", 1, "window must be a whole number of at least 2, got 1"),
        (
            LocalAttentionConfig, "window", True,
            "window must be a whole number of at least 2, got True",
        ),
        (LocalAttentionConfig, "heads", 0, "heads must be a whole number of at least 1, got 0"),
        (
            TransformerConfig, "attention_dropout", -0.1,
            "attention_dropout must be a number of at least 0 and less than 1",
        ),
    ],
)
def test_a_configuration_refuses_what_does_not_fit(kind, field, value, expected):
    assert expected in refusal(kind, **{field: value})
