"""Stacks and whole models: values against a plain Transformer written here, gradients, and what
must be invisible."""

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest
from common import assert_gradients, close, moved, normal, refusal, rng

from minitransformer.attention import attention_maps, causal_mask, keep_weights, padding_mask
from minitransformer.core import no_grad
from minitransformer.errors import InputError
from minitransformer.layers import CrossEntropy, Embedding
from minitransformer.models import (
    PRESETS,
    Decoder,
    DecoderLayer,
    Encoder,
    EncoderLayer,
    InputEmbedding,
    LanguageModel,
    Transformer,
    TransformerConfig,
)
from minitransformer.training import Adam

SIZES = dict(
    source_vocabulary=17, target_vocabulary=19, d_model=12, heads=3, d_k=5, d_v=4, d_ff=14,
    max_length=16,
)
DEPTH = dict(encoder_layers=2, decoder_layers=2, dropout=0.0)
VARIANTS = {
    "paper": {},
    "pre": dict(norm="pre"),
    "torch": dict(bias=True, final_norm=True, activation="gelu", d_k=4),
    "pre_bare": dict(
        norm="pre", final_norm=False, bias=True, activation="gelu_tanh", positions="learned"
    ),
    "tied": dict(tie_embeddings=True, target_vocabulary=17, positions="learned"),
    "square": dict(d_model=6, heads=2, d_k=3, d_v=3, d_ff=6),
}


def config_of(variant="paper", **changes):
    return TransformerConfig(**{**SIZES, **DEPTH, **VARIANTS[variant], **changes})


def batch(variant="paper"):
    """Source and target ids with padded rows; as many of each as sequences for the square twin."""
    if variant == "square":
        source, target = rng(3).integers(4, 17, size=(4, 4)), rng(4).integers(4, 17, size=(4, 4))
        source[1, 2:] = source[2, 3:] = target[3, 2:] = 0
    else:
        source, target = rng(3).integers(4, 17, size=(3, 7)), rng(4).integers(4, 17, size=(3, 5))
        source[1, 4:] = source[2, 6:] = target[1, 3:] = 0
    target[:, 0] = 1
    return source, target


# -- a plain Transformer, from the paper's formulas and a dictionary of weights --------------------


class Plain:
    """Forward only, written from the paper: sequence by sequence, head by head."""

    ACTIVATIONS = {
        "relu": lambda v: max(v, 0.0),
        "gelu": lambda v: v * 0.5 * (1 + math.erf(v / math.sqrt(2))),
        "gelu_tanh": lambda v: (
            0.5 * v * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3)))
        ),
    }

    def __init__(self, model):
        self.config, self.weights = model.config, model.state_dict()

    def affine(self, name, x):
        return x @ self.weights[f"{name}.weight"] + self.weights.get(f"{name}.bias", 0)

    def norm(self, name, x):
        centred = x - x.mean(axis=-1, keepdims=True)
        x_hat = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        return self.weights[f"{name}.gamma"] * x_hat + self.weights[f"{name}.beta"]

    def attention(self, name, x, memory, allowed):
        """x (T, D), memory (S, D), allowed (T, S)."""
        c = self.config
        q = self.affine(f"{name}.query", x)
        k = self.affine(f"{name}.key", memory)
        v = self.affine(f"{name}.value", memory)
        heads = []
        for h in range(c.heads):
            of_keys = slice(h * c.d_k, (h + 1) * c.d_k)
            of_values = slice(h * c.d_v, (h + 1) * c.d_v)
            weights = np.exp(q[:, of_keys] @ k[:, of_keys].T / math.sqrt(c.d_k)) * allowed
            heads.append(weights / weights.sum(axis=-1, keepdims=True) @ v[:, of_values])
        return self.affine(f"{name}.output", np.concatenate(heads, axis=-1))

    def feed_forward(self, name, x):
        hidden = np.vectorize(self.ACTIVATIONS[self.config.activation])(
            self.affine(f"{name}.expand", x)
        )
        return self.affine(f"{name}.contract", hidden)

    def add_norm(self, name, x, sublayer):
        if self.config.norm == "post":
            return self.norm(f"{name}.norm", x + sublayer(x))
        return x + sublayer(self.norm(f"{name}.norm", x))

    def layer(self, name, x, allowed, memory=None, memory_allowed=None):
        x = self.add_norm(
            f"{name}.add_norm_1", x,
            lambda v: self.attention(f"{name}.self_attention", v, v, allowed),
        )
        if memory is not None:
            cross = f"{name}.cross_attention"
            x = self.add_norm(
                f"{name}.add_norm_2", x, lambda v: self.attention(cross, v, memory, memory_allowed)
            )
        last = 2 if memory is None else 3
        return self.add_norm(
            f"{name}.add_norm_{last}", x, lambda v: self.feed_forward(f"{name}.feed_forward", v)
        )

    def stack(self, name, layers, x, *others):
        for i in range(layers):
            x = self.layer(f"{name}.layers.{i}", x, *others)
        return self.norm(f"{name}.final_norm", x) if self.config.final_norm else x

    def embed(self, embedding, position, ids, places):
        d = self.config.d_model
        if self.config.positions == "learned":
            code = self.weights[f"{position}.weight"][places]
        else:
            i = np.arange(d)
            angle = np.array(places)[:, None] / 10000 ** ((i - i % 2) / d)
            code = np.where(i % 2, np.cos(angle), np.sin(angle))
        return math.sqrt(d) * self.weights[f"{embedding}.weight"][ids] + code

    def out(self, x, table):
        if self.config.tie_embeddings:
            return x @ self.weights[f"{table}.weight"].T
        return self.affine("output", x)

    def transformer(self, source, target):
        tied, logits = self.config.tie_embeddings, []
        for s, t in zip(source, target):
            allowed = np.tile(s != 0, (len(s), 1))
            memory = self.embed(
                "source_input.embedding", "source_input.position", s, np.arange(len(s))
            )
            memory = self.stack("encoder", self.config.encoder_layers, memory, allowed)
            table = "source_input.embedding" if tied else "target_input.embedding"
            x = self.embed(table, "target_input.position", t, np.arange(len(t)))
            causal = np.tril(np.ones((len(t), len(t)))) * (t != 0)
            x = self.stack(
                "decoder", self.config.decoder_layers, x, causal, memory,
                np.tile(s != 0, (len(t), 1)),
            )
            logits.append(self.out(x, table))
        return np.array(logits)

    def language_model(self, source, target):
        logits = []
        for s, t in zip(
            np.zeros((len(target), 0), dtype=int) if source is None else source, target
        ):
            kept = np.concatenate([s[s != 0], t[t != 0]])
            x = self.embed("input.embedding", "input.position", kept, np.arange(len(kept)))
            x = self.stack(
                "layers", self.config.decoder_layers, x, np.tril(np.ones((len(kept), len(kept))))
            )
            logits.append(self.out(x[(s != 0).sum() :], "input.embedding"))
        return logits


@pytest.mark.parametrize("variant", VARIANTS)
def test_transformer_equals_a_plain_one(variant):
    model = moved(Transformer(config_of(variant), 0))
    source, target = batch(variant)
    close(model(source, target), Plain(model).transformer(source, target), atol=1e-10)


@pytest.mark.parametrize("with_source", [True, False], ids=["source", "no_source"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_language_model_equals_a_plain_one_that_never_sees_padding(variant, with_source):
    model = moved(LanguageModel(config_of(variant), 0))
    source, target = batch(variant)
    source = source if with_source else None
    logits = model(source, target)
    for row, expected, ids in zip(logits, Plain(model).language_model(source, target), target):
        close(row[: (ids != 0).sum()], expected, atol=1e-10)


# -- gradients -------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "kind", [Transformer, LanguageModel], ids=["transformer", "language_model"]
)
def test_whole_model_gradient(kind, variant):
    assert_gradients(moved(kind(config_of(variant), 0)), *batch(variant), max_entries=2)


@pytest.mark.parametrize(
    "kind", [Transformer, LanguageModel], ids=["transformer", "language_model"]
)
def test_whole_model_gradient_with_every_dropout_on(kind):
    config = config_of("pre", dropout=0.2, attention_dropout=0.2, activation_dropout=0.2)
    assert_gradients(moved(kind(config, 0)), *batch(), max_entries=2)


def test_language_model_gradient_without_a_source():
    assert_gradients(moved(LanguageModel(config_of(), 0)), None, batch()[1], max_entries=3)


@pytest.mark.parametrize("variant", ["paper", "pre", "square"])
def test_encoder_gradient(variant):
    config, (source, _) = config_of(variant), batch(variant)
    x = normal(*source.shape, config.d_model)
    assert_gradients(moved(EncoderLayer(config, rng())), x, padding_mask(source), max_entries=4)
    assert_gradients(moved(Encoder(config, rng())), x, padding_mask(source), max_entries=4)


@pytest.mark.parametrize("variant", ["paper", "pre", "square"])
def test_decoder_gradient(variant):
    config, (source, target) = config_of(variant), batch(variant)
    x, memory = normal(*target.shape, config.d_model), normal(*source.shape, config.d_model, seed=5)
    mask = causal_mask(target.shape[1]) & padding_mask(target)
    assert_gradients(
        moved(DecoderLayer(config, rng())), x, memory, mask, padding_mask(source), max_entries=4
    )
    assert_gradients(
        moved(Decoder(config, rng())), x, memory, mask, padding_mask(source), max_entries=4
    )


def test_decoder_memory_gradient_is_the_sum_over_its_layers():
    decoder = moved(Decoder(config_of(), rng()))
    x, memory, d_y = normal(3, 5, 12), normal(3, 7, 12, seed=5), normal(3, 5, 12, seed=6)
    middle = decoder.layers[0](x, memory)
    decoder.layers[1](middle, memory)
    d_middle, from_last = decoder.layers[1].backward(d_y)
    d_x, from_first = decoder.layers[0].backward(d_middle)
    decoder(x, memory)
    together, d_memory = decoder.backward(d_y)
    close(together, d_x)
    close(d_memory, from_first + from_last)
    assert np.abs(from_first).max() > 1e-3


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_input_embedding_is_the_scaled_embedding_plus_the_position(positions):
    config = config_of(positions=positions, dropout=0.3)
    layer = moved(InputEmbedding(Embedding(17, 12, rng()), config, rng()))
    ids = np.array([[3, 3, 0], [16, 3, 5]])
    places = np.array([[0, 1, 1], [2, 0, 1]])
    assert_gradients(layer, ids, places)
    assert_gradients(layer, ids)
    layer.eval()
    expected = layer.position(layer.embedding.weight.data[ids] * 12**0.5, places)
    close(layer(ids, places), expected)


def test_input_embedding_drops_out_the_sum():
    layer = moved(
        InputEmbedding(Embedding(17, 400, rng()), config_of(d_model=400, dropout=0.5), rng())
    )
    ids = np.array([[3, 4]])
    dropped = layer(ids)
    share = dropped / layer.eval()(ids)
    assert set(np.unique(share.round(9))) == {0.0, 2.0}


# -- what must be invisible ------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["paper", "pre", "tied"])
@pytest.mark.parametrize(
    "kind", [Transformer, LanguageModel], ids=["transformer", "language_model"]
)
def test_the_future_is_invisible_bit_for_bit(kind, variant):
    model = moved(kind(config_of(variant), 0))
    source, target = rng(3).integers(4, 17, size=(3, 7)), rng(4).integers(4, 17, size=(3, 5))
    logits = model(source, target)
    for t in range(5):
        changed = target.copy()
        changed[:, t] = changed[:, t] % 13 + 3
        assert (changed[:, t] != target[:, t]).all()
        after = model(source, changed)
        assert np.array_equal(after[:, :t], logits[:, :t])
        assert (after[:, t:] != logits[:, t:]).any(axis=-1).all(), "what came before is visible"


def test_the_whole_source_is_visible_to_every_target_position():
    model = moved(Transformer(config_of(), 0))
    source, target = rng(3).integers(4, 17, size=(3, 5)), rng(4).integers(4, 17, size=(3, 5))
    logits = model(source, target)
    for s in range(5):
        changed = source.copy()
        changed[:, s] = changed[:, s] % 13 + 3
        assert (model(changed, target) != logits).any(axis=-1).all()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "kind", [Transformer, LanguageModel], ids=["transformer", "language_model"]
)
def test_padding_is_invisible(kind, variant):
    model = moved(kind(config_of(variant), 0))
    source, target = rng(3).integers(4, 17, size=(3, 4)), rng(4).integers(4, 17, size=(3, 4))
    logits = model(source, target)
    source = np.pad(source, [(0, 0), (0, 3)])
    close(model(source, target), logits)
    close(model(source, np.pad(target, [(0, 0), (0, 2)]))[:, :4], logits)


def test_a_sequence_in_a_batch_is_what_it_is_alone():
    for kind in (Transformer, LanguageModel):
        model = moved(kind(config_of(), 0))
        source, target = batch()
        logits = model(source, target)
        alone = model(source[1:2, :4], target[1:2, :3])
        close(logits[1:2, :3], alone)


def test_padding_inside_the_target_is_no_key():
    """A padded token between real ones: what stands in its embedding row does not matter, and its
    gradient is zero."""
    model = moved(Transformer(config_of(), 0))
    source, target = batch()
    target[0, 2] = 0
    real = target != 0
    logits = model(source, target)
    model.backward(normal(*logits.shape) * real[:, :, None])
    assert (model.target_input.embedding.weight.grad[0] == 0).all()
    model.target_input.embedding.weight.data[0] += 5
    assert np.array_equal(model(source, target)[real], logits[real])


@pytest.mark.parametrize("variant", ["paper", "pre", "torch"])
@pytest.mark.parametrize(
    "kind", [Transformer, LanguageModel], ids=["transformer", "language_model"]
)
def test_the_embedding_of_padding_gets_no_gradient_at_all(kind, variant):
    model, loss = moved(kind(config_of(variant), 0)), CrossEntropy(label_smoothing=0.1, padding=0)
    source, target = batch()
    logits = model(source, target)
    loss(logits, np.where(target == 0, 0, 7))
    model.backward(loss.backward())
    tables = [m.weight for _, m in model.named_modules() if isinstance(m, Embedding)]
    assert len(tables) == (2 if kind is Transformer else 1)
    for table in tables:
        assert (table.grad[0] == 0).all() and table.grad[1:].any()


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_encoder_without_positions_is_permutation_equivariant(norm):
    encoder = moved(Encoder(config_of(norm=norm), rng()))
    x = normal(3, 7, 12)
    order = rng(5).permutation(7)
    close(encoder(x[:, order]), encoder(x)[:, order])
    mask = padding_mask(batch()[0])
    close(encoder(x[:, order], mask[..., order]), encoder(x, mask)[:, order])


def test_positions_break_the_symmetry():
    model = moved(Transformer(config_of(), 0))
    source, target = rng(3).integers(4, 17, size=(3, 7)), rng(4).integers(4, 17, size=(3, 5))
    assert np.abs(model(source[:, ::-1], target) - model(source, target)).max() > 1e-3


def test_language_model_counts_positions_over_real_tokens_only():
    model = moved(LanguageModel(config_of(positions="learned", max_length=8), 0))
    source, target = np.array([[5, 6, 0, 0, 0, 0]]), np.array([[1, 7, 8]])
    logits = model(source, target)
    model.backward(np.ones_like(logits))
    used = np.flatnonzero(np.abs(model.input.position.weight.grad).max(axis=1))
    assert used.tolist() == [0, 1, 2, 3, 4], "9 places, of which 5 are real, fit a maximum of 8"


# -- training --------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "kind", [Transformer, LanguageModel], ids=["transformer", "language_model"]
)
def test_every_parameter_gets_a_gradient_and_moves_in_one_step(kind, variant):
    model = moved(kind(config_of(variant, max_length=12), 0))
    loss = CrossEntropy(label_smoothing=0.1, padding=0)
    source, target = rng(3).integers(3, 17, size=(16, 7)), rng(4).integers(3, 17, size=(16, 5))
    if kind is LanguageModel:
        source = np.vstack([source, target.repeat(2, axis=1)[:, :7]])
        target = np.vstack([target, target[::-1]])
    model.zero_grad()
    optimizer = Adam(model, 1e-3)
    before = model.state_dict()
    loss(model(source, target), rng(5).integers(1, 17, size=target.shape))
    model.backward(loss.backward())
    gradients = {name: p.grad.copy() for name, p in model.named_parameters().items()}
    optimizer.step()
    lengths = {"source_input": 7, "target_input": 5, "input": 12}
    seen = {"source_input": source, "target_input": target, "input": np.hstack([source, target])}
    for name, p in model.named_parameters().items():
        gradient, moved_on, room = gradients[name], p.data != before[name], name.split(".")[0]
        if name.endswith("key.bias"):
            assert np.abs(gradient).max() < 1e-12, name
            continue
        used = np.ones(len(gradient), dtype=bool)
        if name.endswith("embedding.weight") and variant != "tied":
            used = np.isin(np.arange(len(gradient)), seen[room])
        if name.endswith("position.weight"):
            used = np.arange(len(gradient)) < lengths[room]
        assert np.all(np.abs(gradient[~used]) < 1e-12) and not moved_on[~used].any(), name
        assert (np.abs(gradient[used]) > 1e-12).mean() > 0.5, name  # half: a ReLU may be dead
        assert moved_on[np.abs(gradient) > 1e-12].all(), name
    assert model.leftover_saves() == {}


@pytest.mark.parametrize(
    "kind", [Transformer, LanguageModel], ids=["transformer", "language_model"]
)
def test_models_stay_in_float32(kind):
    model, (source, target) = kind(config_of(dropout=0.1), 0), batch()
    logits = model(source, target)
    assert logits.dtype == np.float32 and logits.shape == (3, 5, 19)
    assert model.backward(np.ones_like(logits)) is None
    assert all(p.data.dtype == p.grad.dtype == np.float32 for p in model.parameters())


@pytest.mark.parametrize(
    "kind", [Transformer, LanguageModel], ids=["transformer", "language_model"]
)
def test_the_same_seed_makes_the_same_run(kind):
    source, target = batch()
    runs = []
    for seed in (1, np.random.default_rng(1), 2):
        model = kind(config_of(dropout=0.2), seed)
        logits = model(source, target)
        model.backward(np.ones_like(logits))
        runs.append((logits, model.flat_buffers().grad))
    assert np.array_equal(runs[0][0], runs[1][0]) and np.array_equal(runs[0][1], runs[1][1])
    assert not np.array_equal(runs[0][0], runs[2][0])


@pytest.mark.parametrize(
    "kind", [Transformer, LanguageModel], ids=["transformer", "language_model"]
)
def test_models_do_not_change_the_ids(kind):
    model, (source, target) = kind(config_of(), 0), batch()
    kept = source.copy(), target.copy()
    logits = model(source, target)
    d_logits = np.ones_like(logits)
    model.backward(d_logits)
    assert (
        np.array_equal(source, kept[0])
        and np.array_equal(target, kept[1])
        and (d_logits == 1).all()
    )


# -- tied embeddings -------------------------------------------------------------------------------


def test_tied_embeddings_are_one_table_in_three_places():
    model = Transformer(config_of("tied"), 0)
    table = model.source_input.embedding.weight
    assert model.target_input.embedding.weight is table and model.output.weight is table
    assert [name for name, p in model.named_parameters().items() if p is table] == [
        "source_input.embedding.weight"
    ]
    untied = Transformer(config_of("tied", tie_embeddings=False), 0)
    assert untied.parameter_count() - model.parameter_count() == 2 * 17 * 12
    language_model = LanguageModel(config_of("tied"), 0)
    assert language_model.output.weight is language_model.input.embedding.weight


def test_tied_embeddings_stay_one_table_after_a_step():
    model = moved(Transformer(config_of("tied"), 0))
    source, target = batch()
    optimizer = Adam(model, 0.1)
    logits = model(source, target)
    model.backward(normal(*logits.shape))
    optimizer.step()
    tables = [
        model.source_input.embedding.weight, model.target_input.embedding.weight,
        model.output.weight,
    ]
    assert all(np.array_equal(t.data, tables[0].data) for t in tables)
    close(model(source, target), Plain(model).transformer(source, target), atol=1e-10)


def test_tied_gradient_is_the_sum_of_its_three_uses():
    tied = moved(Transformer(config_of("tied"), 0))
    untied = Transformer(config_of("tied", tie_embeddings=False), 0).to("float64")
    table = tied.source_input.embedding.weight.data
    state = tied.state_dict()
    untied.load_state_dict(
        {**state, "target_input.embedding.weight": table, "output.weight": table.T}
    )
    source, target = batch()
    logits = tied(source, target)
    close(untied(source, target), logits)
    d_logits = normal(*logits.shape)
    tied.backward(d_logits)
    untied.backward(d_logits)
    uses = [
        untied.source_input.embedding.weight.grad,
        untied.target_input.embedding.weight.grad,
        untied.output.weight.grad.T,
    ]
    assert all(np.abs(use).max() > 1e-3 for use in uses)
    close(tied.source_input.embedding.weight.grad, sum(uses))


# -- switches --------------------------------------------------------------------------------------

DROPOUTS = {
    "dropout": 2 + 2 * 2 + 3 * 2, "attention_dropout": 2 + 2 * 2, "activation_dropout": 2 + 2,
}


@pytest.mark.parametrize("name", DROPOUTS)
def test_each_dropout_reaches_its_places_and_no_others(name):
    model = Transformer(config_of(**{name: 0.25}), 0)
    on = [
        path for path, m in model.named_modules() if type(m).__name__ == "Dropout" and m.p == 0.25
    ]
    assert len(on) == DROPOUTS[name]
    kept = {
        "dropout": ("input", "add_norm"),
        "attention_dropout": ("attention.attention",),
        "activation_dropout": ("feed",),
    }
    assert all(any(word in path for word in kept[name]) for path in on)


@pytest.mark.parametrize(
    "kind", [Transformer, LanguageModel], ids=["transformer", "language_model"]
)
def test_eval_turns_every_dropout_off(kind):
    source, target = batch()
    noisy = kind(config_of(dropout=0.3, attention_dropout=0.3, activation_dropout=0.3), 0)
    assert not np.array_equal(noisy(source, target), noisy(source, target))
    noisy.eval()
    quiet = kind(config_of(), 0)
    quiet.load_state_dict(noisy.state_dict())
    assert np.array_equal(noisy(source, target), quiet(source, target))


@pytest.mark.parametrize(
    "kind", [Transformer, LanguageModel], ids=["transformer", "language_model"]
)
def test_no_grad_leaves_no_saves_and_the_same_logits(kind):
    model, (source, target) = kind(config_of(), 0), batch()
    with no_grad():
        quiet = model(source, target)
    assert model.leftover_saves() == {}
    assert np.array_equal(model(source, target), quiet)


def test_every_attention_of_the_model_can_be_watched():
    model, (source, target) = moved(Transformer(config_of(), 0)), batch()
    with keep_weights(model):
        model(source, target)
    maps = attention_maps(model)
    assert list(maps) == [
        "encoder.layers.0.self_attention.attention",
        "encoder.layers.1.self_attention.attention",
        "decoder.layers.0.self_attention.attention",
        "decoder.layers.0.cross_attention.attention",
        "decoder.layers.1.self_attention.attention",
        "decoder.layers.1.cross_attention.attention",
    ]
    for name, weights in maps.items():
        assert weights.shape == (
            3, 3, 7 if "encoder" in name else 5, 5 if "decoder" in name and "self" in name else 7,
        )
        close(weights.sum(axis=-1), np.ones(weights.shape[:3]))
        if "decoder" in name and "self" in name:
            assert not np.triu(weights, k=1).any()
        else:
            assert not weights[1, :, :, 4:].any() and not weights[2, :, :, 6:].any()


# -- one token at a time ---------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["paper", "pre", "tied"])
@pytest.mark.parametrize(
    "kind", [Transformer, LanguageModel], ids=["transformer", "language_model"]
)
def test_stepping_gives_the_logits_of_forward(kind, variant):
    model, (source, _) = moved(kind(config_of(variant), 0)), batch()
    target = rng(4).integers(4, 17, size=(3, 5))
    logits = model(source, target)
    state = model.start(source)
    for t in range(5):
        now, state = model.step(target[:, t], state)
        close(now, logits[:, t], atol=1e-10)


def test_a_state_can_be_stepped_from_twice():
    for kind in (Transformer, LanguageModel):
        model, (source, target) = moved(kind(config_of(), 0)), batch()
        _, state = model.step(target[:, 0], model.start(source))
        one, _ = model.step(np.array([5, 6, 7]), state)
        model.step(np.array([8, 9, 10]), state)
        again, _ = model.step(np.array([5, 6, 7]), state)
        assert np.array_equal(one, again)


def test_a_model_refuses_a_sequence_beyond_its_length_and_an_unknown_token():
    model, (source, target) = Transformer(config_of(max_length=6), 0), batch()
    message = refusal(model, source, target)
    assert "7 tokens" in message and "maximum of 6" in message
    source[0, 2] = 17
    assert "id 17 at position (0, 2)" in refusal(Transformer(config_of(), 0), source, target)


# -- configuration ---------------------------------------------------------------------------------


def test_config_defaults_are_the_papers_base_model():
    config = TransformerConfig()
    assert (
        config.d_model, config.heads, config.d_ff, config.encoder_layers, config.decoder_layers,
    ) == (
        512,
        8,
        2048,
        6,
        6,
    )
    assert config.d_k == config.d_v == 64 and config.dropout == 0.1 and config.norm == "post"
    assert not (config.final_norm or config.bias or config.tie_embeddings)
    assert config.attention_dropout == config.activation_dropout == 0
    assert config.activation == "relu" and config.positions == "sinusoidal"


def test_config_fills_in_what_is_left_open():
    assert TransformerConfig(source_vocabulary=9).target_vocabulary == 9
    assert TransformerConfig(norm="pre").final_norm is True
    assert TransformerConfig(norm="pre", final_norm=False).final_norm is False
    assert TransformerConfig(final_norm=True).final_norm is True
    assert TransformerConfig(d_k=10).d_v == 10
    assert TransformerConfig(d_v=10).d_k == 64
    assert TransformerConfig(d_model=10, heads=3, d_k=4).d_k == 4


def test_config_widths_reach_the_projections_of_every_attention():
    model = Transformer(config_of(), 0)
    for name, p in model.named_parameters().items():
        if "attention" in name:
            assert (
                p.shape
                == {"query": (12, 15), "key": (12, 15), "value": (12, 12), "output": (12, 12)}[
                    name.split(".")[-2]
                ]
            )


def test_config_round_trips_and_cannot_be_changed():
    config = TransformerConfig(**SIZES)
    assert TransformerConfig(**config.to_dict()) == config
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.d_model = 3


@pytest.mark.parametrize("name", PRESETS)
def test_config_presets_are_valid_and_can_be_changed(name):
    config = TransformerConfig.preset(name, norm="pre", heads=2)
    assert config.d_model == PRESETS[name]["d_model"] and config.norm == "pre" and config.heads == 2


@pytest.mark.parametrize(
    "name",
    [
        "source_vocabulary", "target_vocabulary", "d_model", "heads", "d_ff", "d_k", "d_v",
        "max_length",
    ],
)
@pytest.mark.parametrize("value", [0, -3, 2.5, "7", True])
def test_config_refuses_a_size_that_is_no_positive_number(name, value):
    message = refusal(TransformerConfig, **{name: value})
    assert name in message and repr(value) in message and "at least 1" in message


def test_config_allows_no_encoder_layers_but_needs_a_decoder_layer():
    assert TransformerConfig(encoder_layers=0).encoder_layers == 0
    assert "at least 0" in refusal(TransformerConfig, encoder_layers=-1)
    assert "at least 1" in refusal(TransformerConfig, decoder_layers=0)


@pytest.mark.parametrize("name", ["dropout", "attention_dropout", "activation_dropout"])
@pytest.mark.parametrize("value", [1.0, -0.5, 3])
def test_config_refuses_a_dropout_that_is_no_probability(name, value):
    message = refusal(TransformerConfig, **{name: value})
    assert name in message and str(value) in message


def test_config_refuses_heads_that_do_not_divide_the_features_with_what_would_fit():
    message = refusal(TransformerConfig, d_model=20, heads=3)
    assert (
        "heads=3" in message
        and "d_model=20" in message
        and "1, 2, 4, 5, 10, 20 heads" in message
        and "d_model=21" in message
    )


@pytest.mark.parametrize(
    "option, value, near",
    [
        ("norm", "posts", "'post'"), ("activation", "gelu_tan", "'gelu_tanh'"),
        ("positions", "learnt", "'learned'"),
    ],
)
def test_config_refuses_an_unknown_choice_with_the_nearest(option, value, near):
    message = refusal(TransformerConfig, **{option: value})
    assert option in message and repr(value) in message and f"Did you mean {near}?" in message


def test_config_refuses_to_tie_two_vocabularies():
    message = refusal(
        TransformerConfig, source_vocabulary=17, target_vocabulary=19, tie_embeddings=True
    )
    assert "17" in message and "19" in message and "joint vocabulary" in message


@pytest.mark.parametrize("name, d_model, d_ff, heads, dropout", [
    ("base", 512, 2048, 8, 0.1), ("big", 1024, 4096, 16, 0.3),
])  # fmt: skip
def test_base_and_big_are_those_of_the_paper(name, d_model, d_ff, heads, dropout):
    """Table 3; section 5.1 for the vocabulary, 3.4 for the tied embeddings."""
    config = TransformerConfig.preset(name)
    assert (config.d_model, config.d_ff, config.heads, config.dropout) == (
        d_model, d_ff, heads, dropout,
    )
    assert config.encoder_layers == config.decoder_layers == 6
    assert config.source_vocabulary == 37000 and config.tie_embeddings


def test_presets_have_the_sizes_that_the_benchmarks_page_names():
    page = (Path(__file__).parents[1] / "docs/benchmarks.md").read_text(encoding="utf-8")
    found = re.findall(r"\| (\w+): V \d+, D (\d+), H (\d+), F (\d+), (\d)\+(\d) layers", page)
    assert {name for name, *_ in found} == {"toy", "small", "base"}
    for name, *sizes in found:
        config = TransformerConfig.preset(name)
        own = (config.d_model, config.heads, config.d_ff)
        assert (*own, config.encoder_layers, config.decoder_layers) == (*map(int, sizes),)


def test_config_refuses_unknown_presets_and_options_with_the_nearest():
    assert "'smal'" in refusal(TransformerConfig.preset, "smal") and "'small'" in refusal(
        TransformerConfig.preset, "smal"
    )
    message = refusal(TransformerConfig.preset, "toy", head=3)
    assert "'head'" in message and "'heads'" in message


@pytest.mark.parametrize("kind", [Transformer, LanguageModel])
@pytest.mark.parametrize(
    "source, target, message",
    [
        (
            [[4, 5]], np.array([[1, 4]]),
            r"source must be an array of integer ids, of shape \(B, S\).* Got a list",
        ),
        (
            np.array([4, 5]), np.array([[1, 4]]),
            r"source must be .* Got int64 of shape \(2,\). source\[None\] makes a batch",
        ),
        (
            np.array([[4, 5]]), np.array([[1.0, 4]]),
            r"target_in must be .* Got float64 of shape \(1, 2\)",
        ),
        (
            np.array([[4, 5]]), np.array([[1, 4], [1, 5]]),
            r"target_in must be .*B is 1. Got int64 of shape \(2, 2\)",
        ),
    ],
)
def test_what_is_no_batch_of_ids_is_refused_at_the_door(kind, source, target, message):
    with pytest.raises(InputError, match=message):
        kind(config_of(), 0)(source, target)
