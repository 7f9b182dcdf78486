"""The loop, evaluation, and what happens when a number stops being one."""

import numpy as np
import pytest

from minitransformer.backend import array_module
from minitransformer.data import Copy, Reverse, make_batch
from minitransformer.decoding import greedy
from minitransformer.errors import NonFiniteError
from minitransformer.evaluation import alignment_shares, evaluate
from minitransformer.losses import CrossEntropy
from minitransformer.models import LanguageModel, Transformer, TransformerConfig
from minitransformer.optim import SGD, Adam, clip_by_global_norm
from minitransformer.shares import Shares
from minitransformer.training import explain_non_finite, train

TASK = Copy(symbols=5, min_length=2, max_length=4)


def small(model=Transformer, **changes):
    sizes = {"source_vocabulary": 9, "d_model": 16, "heads": 2, "d_ff": 24, "encoder_layers": 1, "decoder_layers": 2}
    return model(TransformerConfig(**{**sizes, "dropout": 0.0, **changes}), 0)


def batches(seed=0, count=16):
    rng = np.random.default_rng(seed)
    return lambda: make_batch(*TASK.sample(rng, count))


def test_a_step_is_forward_loss_backward_clip_step():
    ours, by_hand = small(), small()
    train(ours, CrossEntropy(0.1), Adam(ours, 0.01), batches(), steps=3, max_norm=0.5)
    loss, optimizer, next_batch = CrossEntropy(0.1), Adam(by_hand, 0.01), batches()
    for _ in range(3):
        source, target_in, target_out = next_batch()
        by_hand.zero_grad()
        loss(by_hand(source, target_in), target_out)
        by_hand.backward(loss.backward())
        clip_by_global_norm(by_hand, 0.5)
        optimizer.step()
    for name, value in ours.state_dict().items():
        np.testing.assert_array_equal(value, by_hand.state_dict()[name])


@pytest.mark.parametrize("model", [Transformer, LanguageModel])
def test_the_loss_falls_and_the_task_is_learned(model):
    made, seen = small(model, d_model=32, heads=4), []
    train(made, CrossEntropy(), Adam(made, 3e-3), batches(count=64), 300, 1.0, [lambda p: seen.append(p.loss)])
    assert len(seen) == 300 and np.mean(seen[-20:]) < 0.2 * np.mean(seen[:20])
    assert evaluate(made, TASK, "validation", 50)["exact_match"] > 0.8


def test_a_forward_before_the_training_does_no_harm():
    model = small()
    model(batches()().source, batches()().target_in)
    train(model, CrossEntropy(), Adam(model), batches(), 1)
    assert not model.leftover_saves()


def test_hooks_are_told_the_step_the_loss_the_norm_the_rate_and_the_tokens():
    model, seen = small(), []
    train(model, CrossEntropy(), SGD(model, lambda t: 0.1 / t), batches(), 2, None, [seen.append])
    assert [p.step for p in seen] == [1, 2] and [p.learning_rate for p in seen] == [0.1, 0.05]
    first = batches()()
    assert seen[0].tokens == (first.source != 0).sum() + (first.target_out != 0).sum()
    assert seen[0].gradient_norm > 0


def test_training_goes_on_from_where_the_optimizer_stands():
    model = small()
    optimizer = Adam(model)
    for stop in (2, 5):
        train(model, CrossEntropy(), optimizer, batches(), stop)
        assert optimizer.t == stop


def test_training_switches_dropout_on():
    model = small(dropout=0.3).eval()
    state = model.generators()[0].bit_generator.state
    train(model, CrossEntropy(), Adam(model), batches(), 1)
    assert model.training and model.generators()[0].bit_generator.state != state


def test_a_forward_that_is_not_undone_is_noticed():
    model = small()
    activation = model.encoder.layers[0].feed_forward.activation
    forward = activation.forward
    activation.forward = lambda x: (activation.save("never taken"), forward(x))[1]
    with pytest.raises(RuntimeError, match="encoder.layers.0.feed_forward.activation"):
        train(model, CrossEntropy(), Adam(model), batches(), 1)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_an_infinite_activation_stops_before_the_parameters_move_and_is_named(dropout):
    model = small(dropout=dropout)
    ff = model.decoder.layers[0].feed_forward
    forward = ff.contract.forward
    model_before = model.state_dict()

    def explode(x):
        return forward(x) * np.float32(np.inf)

    ff.contract.forward = explode
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError) as caught:
        train(model, CrossEntropy(), Adam(model), batches(), 5)
    assert "Step 1 stopped" in str(caught.value) and "output of decoder.layers.0.feed_forward.contract (Linear)" in str(caught.value)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, model_before[name])
    assert not model.leftover_saves()


def test_a_gradient_that_is_not_finite_is_named_though_the_loss_is_fine():
    model = small()
    norm = model.encoder.layers[0].add_norm_2.norm
    backward = norm.backward
    norm.backward = lambda d_y: backward(d_y) * array_module(d_y).float32("nan")
    with pytest.raises(NonFiniteError, match=r"gradient from encoder.layers.0.add_norm_2.norm \(LayerNorm\)"):
        train(model, CrossEntropy(), Adam(model), batches(), 5)


def test_a_parameter_that_is_not_finite_is_named():
    model = small()
    model.decoder.layers[1].cross_attention.key.weight.data[3, 2] = np.nan
    shares = Shares(model, CrossEntropy(), Adam(model))
    with np.errstate(all="ignore"):
        shares.gradients(batches()())
    sentence = explain_non_finite(model, shares, 17)
    assert "Step 17" in sentence and "parameter decoder.layers.1.cross_attention.key.weight" in sentence


def test_a_rate_that_is_far_too_large_ends_in_that_sentence():
    model = small(norm="pre")
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError, match="smaller learning rate"):
        train(model, CrossEntropy(), SGD(model, 1e12), batches(), 50)


@pytest.mark.parametrize("steps", [0, 120])
def test_exact_match_is_that_of_greedy_decoding(steps):
    model = small(norm="pre")
    train(model, CrossEntropy(), Adam(model, 3e-3), batches(), steps)
    result = evaluate(model, TASK, "test", 40)
    source, target = TASK.sample(np.random.default_rng(0), 40, "test", distinct=True)
    expected = make_batch(source, target).target_out
    produced = greedy(model, source, expected.shape[1])
    produced = np.pad(produced, ((0, 0), (0, expected.shape[1] - produced.shape[1])))
    assert result["exact_match"] == (produced == expected).all(axis=1).mean()
    assert steps == 0 or 0 < result["exact_match"] < 1  # some right and some wrong: the comparison says something


def test_evaluation_is_repeatable_and_does_not_disturb_training():
    model = small(dropout=0.3)
    states = [g.bit_generator.state for g in model.generators()]
    results = [evaluate(model, TASK, "test", 40, batch_size=size) for size in (40, 7)]
    assert states == [g.bit_generator.state for g in model.generators()] and model.training
    assert results[0]["exact_match"] == results[1]["exact_match"] and results[0]["token_accuracy"] == results[1]["token_accuracy"]
    np.testing.assert_allclose(results[0]["loss"], results[1]["loss"], rtol=1e-5)
    assert set(results[0]["exact_match_by_length"]) <= {2, 3, 4}


class Oracle:
    """A model that knows how to copy."""

    training = False

    def eval(self):
        return self

    def train(self, on=True):
        return self

    def forward(self, source, target_in):
        wanted = np.zeros(target_in.shape, dtype=int)
        for row, ids in enumerate(source):
            ids = [*ids[ids != 0], 2]
            wanted[row, : len(ids)] = ids[: target_in.shape[1]]
        return 20.0 * np.eye(9)[wanted]

    __call__ = forward


def test_evaluation_measures_what_an_oracle_knows():
    result = evaluate(Oracle(), TASK, "test", 30)
    assert result["exact_match"] == 1.0 and result["token_accuracy"] == 1.0 and result["loss"] < 1e-3


def test_alignment_shares_count_the_rows_that_look_at_their_source():
    task, model = Reverse(symbols=5, min_length=2, max_length=4), small()

    def fake(query, key, value, mask=None):  # head 0 looks at the anti-diagonal, head 1 at the first key
        batch, _, length, _ = query.shape
        weights = np.zeros((batch, 2, length, key.shape[2]), dtype=np.float32)
        lengths = mask[:, 0, 0].sum(axis=-1)
        for row in range(batch):
            for t in range(length):
                weights[row, 0, t, max(0, lengths[row] - 1 - t)] = 1
        weights[:, 1, :, 0] = 1
        attention.weights = weights
        return weights @ value

    attention = model.decoder.layers[1].cross_attention.attention
    attention.forward = fake
    shares = alignment_shares(model, task, "validation", 30)
    assert shares["layer 2 head 1"] == 1.0 and 0.2 < shares["layer 2 head 2"] < 0.6
    assert set(shares) == {f"layer {n} {what}" for n in (1, 2) for what in ("head 1", "head 2", "mean of heads")}
    assert alignment_shares(small(LanguageModel), task) == {}
