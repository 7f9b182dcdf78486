"""The loop, evaluation, and what happens when a number stops being one."""

import dataclasses
import functools

import numpy as np
import pytest
from common import refusal

from minitransformer.backend import array_module
from minitransformer.data import EOS, UNK, Batch, Copy, Pieces, Reverse, make_batch
from minitransformer.data.corpus import Corpus
from minitransformer.data.split import SPLITS
from minitransformer.decoding import beam_search, evaluate, greedy, sample, translate
from minitransformer.errors import InputError, NonFiniteError
from minitransformer.inspection import alignment_fractions, first_word_fractions
from minitransformer.layers import CrossEntropy
from minitransformer.models import LanguageModel, Transformer, TransformerConfig
from minitransformer.training import SGD, Adam, AdamW, clip_by_global_norm, plain_loop, train
from minitransformer.training.loop import Plain
from minitransformer.training.non_finite import explain_non_finite
from minitransformer.training.shares import Shares
from minitransformer.training.strategies import in_shares

TASK = Copy(symbols=5, min_length=2, max_length=4)


def small(model=Transformer, **changes):
    sizes = {
        "source_vocabulary": 9, "d_model": 16, "heads": 2, "d_ff": 24, "encoder_layers": 1,
        "decoder_layers": 2,
    }
    return model(TransformerConfig(**{**sizes, "dropout": 0.0, **changes}), 0)


def batches(seed=0, count=16):
    rng = np.random.default_rng(seed)
    return lambda: make_batch(*TASK.sample(rng, count))


@pytest.mark.parametrize("way", [plain_loop, train])
def test_a_step_is_forward_loss_backward_clip_step(way):
    ours, by_hand = small(), small()
    way(ours, CrossEntropy(0.1, padding=0), Adam(ours, 0.01), batches(), steps=3, max_norm=0.5)
    loss, optimizer, next_batch = CrossEntropy(0.1, padding=0), Adam(by_hand, 0.01), batches()
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
@pytest.mark.parametrize("max_norm", [None, 0.5])
def test_training_is_the_plain_loop_bit_for_bit(model, max_norm):
    results = []
    for way in (plain_loop, train):
        made, seen = small(model, dropout=0.3, attention_dropout=0.2).eval(), []
        optimizer = AdamW(made, lambda t: 0.01 / t)
        hooks = {"hooks": [lambda p, seen=seen: seen.append(p.loss)]} if way is train else {}
        losses = (
            way(made, CrossEntropy(0.1, padding=0), optimizer, batches(), 4, max_norm, **hooks)
            or seen
        )
        arrays = {
            **made.state_dict(), **optimizer.state_dict(), "gradients": made.flat_buffers().grad,
        }
        states = [g.bit_generator.state for g in made.generators()]
        results.append(
            (
                [float(x) for x in losses], {name: a.tobytes() for name, a in arrays.items()},
                states, optimizer.t,
            )
        )
    assert results[0] == results[1] and len({*results[0][0]}) == 4


@pytest.mark.parametrize("model", [Transformer, LanguageModel])
def test_the_loss_falls_and_the_task_is_learned(model):
    made, seen = small(model, d_model=32, heads=4), []
    train(
        made, CrossEntropy(padding=0), Adam(made, 3e-3), batches(count=64), 300, 1.0,
        [lambda p: seen.append(p.loss)],
    )
    assert len(seen) == 300 and np.mean(seen[-20:]) < 0.2 * np.mean(seen[:20])
    assert evaluate(made, TASK, "validation", 50)["exact_match"] > 0.8


def test_a_forward_before_the_training_does_no_harm():
    model = small()
    model(batches()().source, batches()().target_in)
    train(model, CrossEntropy(padding=0), Adam(model), batches(), 1)
    assert not model.leftover_saves()


def test_hooks_are_told_the_step_the_loss_the_norm_the_rate_and_the_tokens():
    model, seen = small(), []
    train(
        model,
        CrossEntropy(padding=0),
        SGD(model, lambda t: 0.1 / t),
        batches(),
        2,
        None,
        [seen.append],
    )
    assert [p.step for p in seen] == [1, 2] and [p.learning_rate for p in seen] == [0.1, 0.05]
    first = batches()()
    assert seen[0].tokens == (first.source != 0).sum() + (first.target_out != 0).sum()
    assert seen[0].gradient_norm > 0


@pytest.mark.parametrize("way", [plain_loop, train])
def test_a_loss_that_would_count_padding_is_refused_with_the_remedy(way):
    model = small()
    message = refusal(way, model, CrossEntropy(0.1), Adam(model), batches(), 1)
    padding = int((batches()().target_out == 0).sum())
    assert f"{padding} targets" in message and "CrossEntropy(padding=0)" in message
    classes = Batch(np.full((3, 4), 5), np.full((3, 1), 1), np.array([[0], [3], [0]]))
    try:
        way(model, CrossEntropy(0.1), Adam(model), lambda: classes, 1)
    except InputError as problem:
        pytest.fail(f"class 0 is no padding: {problem}")


@pytest.mark.parametrize("count", [1, 2])
def test_classes_without_padding_are_trained_alike_in_shares_and_with_padding_skipped(count):
    """Class 0 is among the targets, and the sources are padded."""
    ids, classes = np.array([[5, 6, 0], [7, 0, 0], [5, 7, 6]]), np.array([[0], [3], [0]])
    batch, losses = Batch(ids, np.full((3, 1), 1), classes), []
    for strategy in (Plain, in_shares(count, skip_padding=True)):
        model = small()
        hooks = [lambda progress: losses.append(progress.loss)]
        train(model, CrossEntropy(), SGD(model, 0.1), lambda: batch, 3, None, hooks, strategy)
    np.testing.assert_allclose(losses[:3], losses[3:], rtol=1e-6)


def test_training_goes_on_from_where_the_optimizer_stands():
    model = small()
    optimizer = Adam(model)
    for stop in (2, 5):
        train(model, CrossEntropy(padding=0), optimizer, batches(), stop)
        assert optimizer.t == stop


def test_training_switches_dropout_on():
    model = small(dropout=0.3).eval()
    state = model.generators()[0].bit_generator.state
    train(model, CrossEntropy(padding=0), Adam(model), batches(), 1)
    assert model.training and model.generators()[0].bit_generator.state != state


def test_a_forward_that_is_not_undone_is_noticed():
    model = small()
    activation = model.encoder.layers[0].feed_forward.activation
    forward = activation.forward
    activation.forward = lambda x: (activation.save(x), forward(x))[1]
    with pytest.raises(RuntimeError, match="encoder.layers.0.feed_forward.activation"):
        train(model, CrossEntropy(padding=0), Adam(model), batches(), 1)


def change(component, **methods):
    """Give one component other methods, as a subclass of the same name does."""
    component.__class__ = type(type(component).__name__, (type(component),), methods)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_an_infinite_activation_stops_before_the_parameters_move_and_is_named(dropout):
    model = small(dropout=dropout)
    contract = model.decoder.layers[0].feed_forward.contract
    forward = type(contract).forward
    model_before = model.state_dict()
    change(contract, forward=lambda self, x: forward(self, x) * np.float32(np.inf))
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError) as caught:
        train(model, CrossEntropy(padding=0), Adam(model), batches(), 5)
    assert "Step 1 stopped" in str(
        caught.value
    ) and "output of decoder.layers.0.feed_forward.contract (Linear)" in str(caught.value)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, model_before[name])
    assert not model.leftover_saves()


@pytest.mark.parametrize(
    "strategy", [Plain, functools.partial(Shares, count=2)], ids=["whole", "shares"]
)
def test_a_closer_look_draws_the_same_masks(strategy):
    model, masks = small(dropout=0.3), []
    dropout = model.encoder.layers[0].add_norm_1.dropout
    forward = dropout.forward

    def explode(x):
        y = forward(x)
        masks.append((y == 0).tobytes())
        return y * np.float32(np.inf)

    dropout.forward = explode
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError):
        train(model, CrossEntropy(padding=0), Adam(model), batches(), 5, strategy=strategy)
    steps = len(masks) // 2
    assert steps == len({*masks}) and masks[:steps] == masks[steps:]


def test_a_gradient_that_is_not_finite_is_named_though_the_loss_is_fine():
    model = small()
    norm = model.encoder.layers[0].add_norm_2.norm
    backward = type(norm).backward
    change(norm, backward=lambda self, d_y: backward(self, d_y) * array_module(d_y).float32("nan"))
    with pytest.raises(
        NonFiniteError, match=r"gradient from encoder.layers.0.add_norm_2.norm \(LayerNorm\)"
    ):
        train(model, CrossEntropy(padding=0), Adam(model), batches(), 5)


def test_a_parameter_that_is_not_finite_is_named():
    model = small()
    model.decoder.layers[1].cross_attention.key.weight.data[3, 2] = np.nan
    strategy = Plain(model, CrossEntropy(padding=0), Adam(model))
    with np.errstate(all="ignore"):
        strategy.compute(batches()())
    sentence = explain_non_finite(model, strategy, batches()(), 17)
    assert (
        "Step 17" in sentence
        and "parameter decoder.layers.1.cross_attention.key.weight" in sentence
    )


def test_a_rate_that_is_far_too_large_ends_in_that_sentence():
    model = small(norm="pre")
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError, match="smaller learning rate"):
        train(model, CrossEntropy(padding=0), SGD(model, 1e12), batches(), 50)


@pytest.mark.parametrize("steps", [0, 120])
def test_exact_match_is_that_of_greedy_decoding(steps):
    model = small(norm="pre")
    train(model, CrossEntropy(padding=0), Adam(model, 3e-3), batches(), steps)
    result = evaluate(model, TASK, "test", 40)
    source, target = TASK.sample(np.random.default_rng(0), 40, "test", distinct=True)
    expected = make_batch(source, target).target_out
    produced = greedy(model, source, expected.shape[1])
    produced = np.pad(produced, ((0, 0), (0, expected.shape[1] - produced.shape[1])))
    assert result["exact_match"] == (produced == expected).all(axis=1).mean()
    # some right and some wrong: the comparison says something
    assert steps == 0 or 0 < result["exact_match"] < 1


def test_a_search_is_measured_by_its_answers():
    model = small(norm="pre")
    train(model, CrossEntropy(padding=0), Adam(model, 3e-3), batches(), 120)
    source, target = TASK.sample(np.random.default_rng(0), 40, "test", distinct=True)
    quick = evaluate(model, TASK, "test", 40)
    assert evaluate(model, TASK, "test", 40, search=greedy) == quick

    def first(model, source, limits):
        return np.concatenate([source[:, :1], np.full_like(source[:, :1], EOS)], axis=1)

    for search in (
        beam_search, functools.partial(beam_search, alpha=9.0), functools.partial(sample, rng=0),
        first,
    ):
        texts = translate(
            model, TASK.vocabulary, [TASK.vocabulary.text(ids) for ids in source], search
        )
        result = evaluate(model, TASK, "test", 40, batch_size=7, search=search)
        assert result["exact_match"] == np.mean(
            [text == TASK.vocabulary.text(ids) for text, ids in zip(texts, target)]
        )
        assert result["token_accuracy"] == quick["token_accuracy"]
        by_length = [
            share * ((source != 0).sum(axis=1) == n).sum()
            for n, share in result["exact_match_by_length"].items()
        ]
        assert sum(by_length) / 40 == pytest.approx(result["exact_match"])
    assert result["exact_match"] == 0 < quick["exact_match"]


def test_padding_and_begin_are_no_mistakes_of_greedy_decoding():
    class Padder(Oracle):
        def forward(self, source, target_in):
            logits = super().forward(source, target_in)
            logits[..., :2] = 100
            return logits

        __call__ = forward

    result = evaluate(Padder(), TASK, "test", 30)
    assert result["exact_match"] == 1.0 and result["token_accuracy"] == 1.0


def test_evaluation_is_repeatable_and_does_not_disturb_training():
    model = small(dropout=0.3)
    states = [g.bit_generator.state for g in model.generators()]
    results = [evaluate(model, TASK, "test", 40, batch_size=size) for size in (40, 7)]
    assert states == [g.bit_generator.state for g in model.generators()] and model.training
    assert (
        results[0]["exact_match"] == results[1]["exact_match"]
        and results[0]["token_accuracy"] == results[1]["token_accuracy"]
    )
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
    assert (
        result["exact_match"] == 1.0 and result["token_accuracy"] == 1.0 and result["loss"] < 1e-3
    )


def test_alignment_fractions_count_the_rows_that_look_at_their_source():
    task, model = Reverse(symbols=5, min_length=2, max_length=4), small()

    # head 0 looks at the anti-diagonal, head 1 at the first key
    def fake(query, key, value, mask=None):
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
    shares = alignment_fractions(model, task, "validation", 30)
    assert shares["layer 2 head 1"] == 1.0 and 0.2 < shares["layer 2 head 2"] < 0.6
    assert set(shares) == {
        f"layer {n} {what}" for n in (1, 2) for what in ("head 1", "head 2", "mean of heads")
    }
    assert alignment_fractions(small(LanguageModel), task) == {}


@dataclasses.dataclass(frozen=True)
class Names(Corpus):
    """Answers that begin with a word of their question: its first, its second, its third, its
    second."""

    copies_first_word = True

    def make_vocabulary(self):
        return Pieces.of([text for both in self.sentences("test") for text in both], "characters")

    def sentences(self, split):
        return ["owls fly", "can bees hum", "questions on cats", "a dog"], [
            "Owls do", "Bees do", "Cats may", "Dog",
        ]


def test_first_word_fractions_count_where_the_first_word_looks():
    """Head 1 looks at the question's last letter, head 2 at all alike; behind the first word all
    look at the first letter."""
    task = Names()
    model = small(source_vocabulary=len(task.vocabulary))
    attention = model.decoder.layers[1].cross_attention.attention
    # {letters of the question: letters of the answer's first word}
    first_words = {8: 4, 12: 4, 17: 4, 5: 3}

    def fake(query, key, value, mask=None):
        weights = np.zeros((*query.shape[:3], key.shape[2]), dtype=np.float32)
        for row, length in enumerate(mask[:, 0, 0].sum(axis=-1)):
            weights[row, :, :, 0] = 1
            weights[row, :, : first_words[length]] = 0
            weights[row, 0, : first_words[length], length - 1] = 1
            weights[row, 1, : first_words[length], :length] = 1 / length
        attention.weights = weights
        return weights @ value

    attention.forward = fake
    for batch_size in (250, 3):
        shares = first_word_fractions(model, task, "test", batch_size=batch_size)
        found = {
            name: tuple(np.round([*shares[name].values()], 5))
            for name in shares
            if "layer 1" not in name
        }
        # the place's letters, a space before it included, of all
        even = [4 / 8, 5 / 12, 5 / 17, 4 / 5]
        last = [0, 0, 1, 1]
        half = lambda weights: np.mean([weight > 0.5 for weight in weights])  # noqa: E731
        both = [(one + other) / 2 for one, other in zip(last, even)]
        assert found == {
            "equal weights": (0.75, half(even), round(np.mean(even), 5)),
            "layer 2 head 1": (0.5, 0.5, 0.5),
            "layer 2 head 2": (0.75, half(even), round(np.mean(even), 5)),
            "layer 2 mean of heads": (0.5, half(both), round(np.mean(both), 5)),
        }
        assert list(shares["equal weights"]) == ["largest", "half", "weight"] and len(shares) == 7
    assert (
        first_word_fractions(
            small(LanguageModel, source_vocabulary=len(task.vocabulary)), task, "test"
        )
        == {}
    )
    assert first_word_fractions(model, TASK) == {}


def test_steps_that_were_made_already_are_refused_because_steps_is_the_total():
    model, loss = small(), CrossEntropy(padding=0)
    optimizer = Adam(model, 1e-3)
    optimizer.t = 320
    said = refusal(train, model, loss, optimizer, lambda: None, steps=20)
    assert "has made 320 steps, and steps=20 is the number of all steps" in said
    assert "steps=optimizer.t + 20" in said and optimizer.t == 320


def test_a_target_that_the_vocabulary_does_not_know_is_never_answered_exactly(
    tmp_path, monkeypatch
):
    """<unk> in its place is the most likely token, and the right answer it is not."""

    class Always(Transformer):
        def forward(self, source, target_in):
            logits = super().forward(source, target_in)
            logits[:] = 0
            logits[:, 0, UNK], logits[:, 1:, EOS] = 1, 1
            return logits

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    train = [("a", "b"), ("c", "b")]
    task = Corpus.from_pairs(train, [("x", "q")], [("y", "r"), ("z", "s")], cut="words")
    model = small(Always, source_vocabulary=len(task.vocabulary))
    result = evaluate(model, task, "test", 4)
    assert result["exact_match"] == 0 and result["token_accuracy"] <= 0.5
    search = lambda model, sources, *_, **__: [np.array([UNK])] * len(sources)  # noqa: E731
    assert evaluate(model, task, "test", 4, search=search)["exact_match"] == 0


def test_how_many_sources_are_trained_on_is_counted():
    class Shared(Names):
        def sentences(self, split):
            sources, targets = super().sentences(split)
            return sources[{"train": 2, "validation": 1, "test": 0}[split] :], targets[
                {"train": 2, "validation": 1, "test": 0}[split] :
            ]

    model = small(source_vocabulary=len(Shared().vocabulary))
    counts = {split: evaluate(model, Shared(), split)["trained_on"] for split in SPLITS}
    assert counts == {"test": 2, "validation": 2, "train": 2}
    assert evaluate(small(), TASK, "test", 5)["trained_on"] == 0
