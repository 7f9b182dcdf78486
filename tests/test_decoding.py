"""Greedy decoding, beam search, sampling: the same as asking the whole model again after every token."""

import itertools

import numpy as np
import pytest
from common import refusal

from minitransformer.data import BOS, EOS, PAD
from minitransformer.decoding import beam_search, distribution, evaluating, greedy, hypotheses, sample
from minitransformer.gradient_check import away_from_initialisation
from minitransformer.models import MODELS, configure, find_model
from minitransformer.models.encoder import small_example

NAMES = list(MODELS)


def model_and_source(name):
    rng = np.random.default_rng(4)
    _, source, _ = small_example(rng)
    config = configure(name, "toy", {"d_model": 12}, source_vocabulary=19, max_length=16)
    model = away_from_initialisation(find_model(name).model(config, 0), rng).to("float64")
    return model, source


def greedy_by_hand(model, source, max_tokens):
    """One row at a time, the whole forward anew for each token."""
    rows = []
    for row in source:
        row, target = row[None, row != PAD], [BOS]
        while len(target) <= max_tokens and target[-1] != EOS:
            target.append(int(model(row, np.array([target]))[0, -1].argmax()))
        rows.append(target[1:])
    model.clear_saves()
    return rows


@pytest.mark.parametrize("name", NAMES)
def test_greedy_equals_the_whole_model_row_by_row_without_padding(name):
    model, source = model_and_source(name)
    produced = greedy(model, source, 6)
    for row, expected in zip(produced, greedy_by_hand(model.eval(), source, 6)):
        assert row[: len(expected)].tolist() == expected and not row[len(expected) :].any()


@pytest.mark.parametrize("name", NAMES)
def test_step_by_step_logits_are_those_of_the_full_forward(name):
    model, source = model_and_source(name)
    target = np.random.default_rng(0).integers(4, 17, (3, 5))
    with evaluating(model):
        state = model.start(source)
        for t in range(5):
            logits, state = model.step(target[:, t], state)
            np.testing.assert_allclose(logits, model(source, target)[:, t], atol=1e-12)


class Scripted:
    """A stand-in that says a fixed script, to see when decoding stops."""

    training = True

    def __init__(self, script):
        self.script = np.array(script)

    def eval(self):
        self.training = False

    def train(self, on=True):
        self.training = on

    def start(self, source):
        return self.script, 0

    def step(self, ids, state):
        script, t = state
        return np.eye(9)[script[:, t]], (script, t + 1)


def test_after_a_row_has_ended_comes_padding_and_all_ended_stops():
    model = Scripted([[5, EOS, 7, 7], [6, 6, EOS, 8]])
    assert greedy(model, np.zeros((2, 3), dtype=int), 4).tolist() == [[5, EOS, PAD], [6, 6, EOS]]
    assert model.training
    assert greedy(model, np.zeros((2, 3), dtype=int), 1).tolist() == [[5], [6]]
    assert greedy(model, np.zeros((2, 3), dtype=int), 0).shape == (2, 0)


@pytest.mark.parametrize("name", NAMES)
def test_decoding_saves_nothing_and_leaves_the_switch_as_it_was(name):
    model, source = model_and_source(name)
    for training in (True, False):
        model.train(training)
        greedy(model, source, 3)
        assert model.training is training and not model.leftover_saves()


def test_a_language_model_decodes_without_a_source():
    model, _ = model_and_source("language-model")
    ids = np.array([[BOS, 5, 6], [BOS, 7, 4]])
    with evaluating(model):
        state = model.start(None)
        for t in range(3):
            logits, state = model.step(ids[:, t], state)
            np.testing.assert_allclose(logits, model(None, ids)[:, t], atol=1e-12)


# -- beam search ----------------------------------------------------------------------------------------------------


class Table:
    """A stand-in with a random distribution for every beginning, the same for all rows of one source."""

    def __init__(self, vocabulary, seed=0, end=0.0):
        self.vocabulary, self.seed, self.end, self.training = vocabulary, seed, end, True

    def eval(self):
        self.training = False

    def train(self, on=True):
        self.training = on

    def start(self, source):
        return source[:, :1]

    def step(self, ids, state):
        state = np.concatenate([state, ids[:, None]], axis=1)
        return np.array([self.logits(tuple(row)) for row in state.tolist()]), state

    def logits(self, beginning):
        made = np.random.default_rng([self.seed, *beginning]).standard_normal(self.vocabulary) * 2
        made[EOS] += self.end
        return made


def log_p_of(model, source, target):
    """log p of a target, EOS included, token by token."""
    total, beginning = 0.0, [int(source[0]), BOS]
    for token in target:
        logits = model.logits(tuple(beginning))
        total += logits[token] - np.log(np.exp(logits).sum())
        beginning.append(token)
    return total


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_as_wide_as_the_space_finds_the_best_sentence_there_is(seed, alpha):
    vocabulary, longest, model = 4, 4, Table(4, seed)
    source = np.array([[7], [9]])
    others = [token for token in range(vocabulary) if token != EOS]
    sentences = [[*words, EOS] for n in range(longest) for words in itertools.product(others, repeat=n)]
    found = beam_search(model, source, longest, beam=vocabulary**longest, alpha=alpha)
    for row, ids in zip(source, found):
        score = lambda s: log_p_of(model, row, s) / ((5 + len(s)) / 6) ** alpha  # noqa: B023, E731
        best = max(sentences, key=score)
        assert ids[: len(best)].tolist() == best and not ids[len(best) :].any()


@pytest.mark.parametrize("beam", [1, 2, 3, 5])
def test_the_score_is_the_log_probability_over_the_penalty(beam):
    model, source = Table(9, end=1.0), np.array([[7], [9], [4]])
    for row, found in zip(source, hypotheses(model, source, 12, beam, alpha=0.6)):
        assert found == sorted(found, reverse=True)
        for score, ids in found:
            assert ids[-1] == EOS and EOS not in ids[:-1]
            assert score == pytest.approx(log_p_of(model, row, ids) / ((5 + len(ids)) / 6) ** 0.6, abs=1e-10)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_beam_one_is_greedy(name, alpha):
    model, source = model_and_source(name)
    assert np.array_equal(beam_search(model, source, 9, beam=1, alpha=alpha), greedy(model, source, 9))


def test_beam_one_is_greedy_when_the_end_is_often_likely():
    source = np.arange(30)[:, None]
    assert np.array_equal(beam_search(Table(6, end=1.5), source, 9, beam=1), greedy(Table(6, end=1.5), source, 9))


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_searched_as_each_row_by_itself(name):
    model, source = model_and_source(name)
    together = hypotheses(model, source, 7, beam=3)
    for row, found in zip(source, together):
        (alone,) = hypotheses(model, row[None, row != PAD], 7, beam=3)
        assert [ids for _, ids in alone] == [ids for _, ids in found]
        np.testing.assert_allclose([s for s, _ in alone], [s for s, _ in found], atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_beam_search_on_the_cache_is_that_without(name):
    model, source = model_and_source(name)
    for ours, plain in zip(hypotheses(model, source, 6, beam=3), hypotheses(Uncached(model), source, 6, beam=3)):
        assert [ids for _, ids in ours] == [ids for _, ids in plain]
        np.testing.assert_allclose([s for s, _ in ours], [s for s, _ in plain], atol=1e-10)


class Uncached:
    """A model that reads source and target anew for every token."""

    training = False

    def __init__(self, model):
        self.model = model.eval()

    def eval(self):
        pass

    def train(self, on=True):
        pass

    def start(self, source):
        return source, source[:, :0]

    def step(self, ids, state):
        source, before = state
        target = np.concatenate([before, ids[:, None]], axis=1)
        return self.model(source, target)[:, -1], (source, target)


def test_a_wider_beam_finds_what_greedy_misses():
    class Trap(Table):
        """The likelier first token leads nowhere."""

        def logits(self, beginning):
            p = {1: [0, 0, 0.01, 0, 0.6, 0.39]}.get(len(beginning) - 1, None)
            if p is None:
                p = [0, 0, 0.3, 0, 0.35, 0.35] if beginning[2] == 4 else [0, 0, 0.98, 0, 0.01, 0.01]
            return np.log(np.maximum(p, 1e-9))

    source = np.array([[7]])
    assert greedy(Trap(6), source, 5)[0, 0] == 4
    assert beam_search(Trap(6), source, 5, beam=2)[0].tolist() == [5, EOS]


def test_a_longer_sentence_wins_when_length_is_not_punished():
    class Two(Table):
        def logits(self, beginning):
            p = [0, 0, 0.45, 0, 0.55, 0] if len(beginning) == 2 else [0, 0, 0.8, 0, 0.2, 0]
            return np.log(np.maximum(p, 1e-12))

    source = np.array([[7]])
    assert beam_search(Two(6), source, 6, beam=3, alpha=0.0)[0].tolist() == [EOS]
    assert beam_search(Two(6), source, 6, beam=3, alpha=2.0)[0].tolist()[:2] == [4, EOS]


def test_what_never_ends_is_cut_off_and_counts_only_if_nothing_ended():
    never, source = Table(6, end=-1e9), np.array([[7], [8]])
    found = beam_search(never, source, 5, beam=3)
    assert found.shape == (2, 5) and EOS not in found
    late = hypotheses(Table(6, end=-1.0), source, 3, beam=2)
    for row in late:
        ended = [ids[-1] == EOS for _, ids in row]
        assert all(ended) or not any(ended)


def test_equal_scores_go_to_the_first_as_with_argmax():
    class Flat(Table):
        def logits(self, beginning):
            return np.zeros(self.vocabulary)

    source = np.array([[7]])
    assert np.array_equal(beam_search(Flat(6), source, 4, beam=1), greedy(Flat(6), source, 4))


@pytest.mark.parametrize("wrong", [{"beam": 0}, {"beam": -1}, {"max_tokens": 0}])
def test_a_beam_of_nothing_is_refused(wrong):
    arguments = {"max_tokens": 3, "beam": 2} | wrong
    assert "at least 1" in refusal(beam_search, Table(6), np.array([[7]]), **arguments)


# -- sampling -------------------------------------------------------------------------------------------------------


def test_the_distribution_is_softmax_and_its_cuts_keep_the_likeliest():
    logits = np.log(np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.1, 0.6]]))
    np.testing.assert_allclose(distribution(logits), np.exp(logits), atol=1e-12)
    np.testing.assert_allclose(distribution(logits, top_k=2), [[4 / 7, 3 / 7, 0, 0], [0, 0.25, 0, 0.75]], atol=1e-12)
    np.testing.assert_allclose(distribution(logits, top_p=0.55), [[4 / 7, 3 / 7, 0, 0], [0, 0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(distribution(logits, top_p=0.7001), [[4 / 9, 3 / 9, 2 / 9, 0], [0, 0.25, 0, 0.75]], atol=1e-12)
    np.testing.assert_allclose(distribution(logits, top_k=3, top_p=0.5), [[4 / 7, 3 / 7, 0, 0], [0, 0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(distribution(logits, top_k=9), np.exp(logits), atol=1e-12)


class Constant(Table):
    def logits(self, beginning):
        return np.log(np.array([1e-9, 1e-9, 0.2, 1e-9, 0.5, 0.3]))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_tokens_come_as_often_as_their_probability_says(temperature):
    source = np.ones((4000, 1), dtype=int)
    first = sample(Constant(6), source, 1, 0, temperature)[:, 0]
    p = np.array([1e-9, 1e-9, 0.2, 1e-9, 0.5, 0.3]) ** (1 / temperature)
    p /= p.sum()
    shares = np.bincount(first, minlength=6) / 4000
    assert np.abs(shares - p).max() < 0.03


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("certain", [{"top_k": 1}, {"top_p": 1e-9}, {"temperature": 1e-6}], ids=str)
def test_sampling_without_a_choice_is_greedy(name, certain):
    model, source = model_and_source(name)
    assert np.array_equal(sample(model, source, 6, 0, **certain), greedy(model, source, 6))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("temperature", [1e-300, 1e-39])
def test_extremely_low_temperatures_are_greedy_in_either_precision(temperature, dtype):
    model, source = model_and_source("transformer")
    assert np.array_equal(sample(model.to(dtype), source, 6, 0, temperature), greedy(model, source, 6))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extremely_high_temperatures_are_chance_in_either_precision(dtype):
    model, source = model_and_source("transformer")
    model, many = model.to(dtype), np.repeat(source[:1], 3000, axis=0)

    def furthest(temperature):
        """How far the most, or the least, frequent first token is from its share by chance, in standard deviations."""
        first = sample(model, many, 1, np.random.default_rng(0), temperature)[:, 0]
        counts = np.bincount(first, minlength=model.config.target_vocabulary)[EOS:]
        return np.abs(counts - counts.mean()).max() / counts.mean() ** 0.5

    assert furthest(1e300) < 4 and furthest(1e39) < 4 < 10 < furthest(1.0)


@pytest.mark.parametrize("alpha", [-1.0, np.nan, np.inf, 1e5])
def test_a_length_penalty_that_is_none_is_refused(alpha):
    assert "from 0 (none) to 10" in refusal(beam_search, Table(6), np.array([[7]]), 3, alpha=alpha)


def test_a_seed_decides_and_rows_differ():
    source = np.ones((40, 1), dtype=int)
    one, same, other = (sample(Constant(6), source, 5, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same) and one.shape == (40, 5) and not np.array_equal(one, other)
    assert len(np.unique(one, axis=0)) > 10


@pytest.mark.parametrize(
    "wrong, part", [({"temperature": 0}, "above 0"), ({"temperature": np.inf}, "above 0"), ({"top_k": -1}, "top_k"), ({"top_p": 0}, "top_p"), ({"top_p": 1.1}, "top_p")]
)  # fmt: skip
def test_numbers_that_make_no_distribution_are_refused(wrong, part):
    assert part in refusal(sample, Constant(6), np.ones((1, 1), dtype=int), 3, 0, **wrong)
