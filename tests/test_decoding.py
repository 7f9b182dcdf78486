"""Greedy decoding, beam search, sampling: the same as asking the whole model again after every
token."""

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from common import refusal

from minitransformer.attention import attention_maps, attentions, keep_weights
from minitransformer.core import evaluating, no_grad
from minitransformer.core.module import own_modes
from minitransformer.data import BOS, EOS, PAD
from minitransformer.data.vocabulary import padded
from minitransformer.decoding import (
    beam_search,
    distribution,
    generate,
    greedy,
    hypotheses,
    longest_answer,
    sample,
    writable,
)
from minitransformer.errors import InputError, NonFiniteError
from minitransformer.inspection import attention_weights
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.models.example import small_example
from minitransformer.runs import MODELS, configure, find_model
from minitransformer.testing import away_from_initialisation

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
            # never PAD, never BOS
            target.append(EOS + int(model(row, np.array([target]))[0, -1, EOS:].argmax()))
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


# -- beam search -----------------------------------------------------------------------------------


class Table:
    """A stand-in with a random distribution for every beginning, the same for all rows of one
    source."""

    def __init__(self, vocabulary, seed=0, end=0.0, sharpness=2.0):
        self.vocabulary, self.seed, self.end, self.training, self.sharpness = (
            vocabulary, seed, end, True, sharpness,
        )
        self.made = {}

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
        if beginning not in self.made:
            made = (
                np.random.default_rng([self.seed, *beginning]).standard_normal(self.vocabulary)
                * self.sharpness
            )
            made[EOS] += self.end
            self.made[beginning] = made
        return self.made[beginning].copy()


def log_p_of(model, source, target):
    """log p of a target, EOS included, token by token."""
    total, beginning = 0.0, [int(source[0]), BOS]
    for token in target:
        logits = model.logits(tuple(beginning))
        total += logits[token] - np.log(np.exp(logits).sum())
        beginning.append(token)
    return total


def all_sentences(vocabulary, longest):
    """Every sentence of at most `longest` tokens, EOS included. None holds PAD or BOS."""
    return [
        [*words, EOS]
        for n in range(longest)
        for words in itertools.product(range(EOS + 1, vocabulary), repeat=n)
    ]


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_as_wide_as_the_space_finds_the_best_sentence_there_is(seed, alpha):
    vocabulary, longest, model = 5, 4, Table(5, seed)
    source = np.array([[7], [9]])
    sentences = all_sentences(vocabulary, longest)
    found = beam_search(model, source, longest, beam=vocabulary**longest, alpha=alpha)
    for row, ids in zip(source, found):
        score = lambda s: log_p_of(model, row, s) / ((5 + len(s)) / 6) ** alpha  # noqa: B023, E731
        best = max(sentences, key=score)
        assert ids[: len(best)].tolist() == best and not ids[len(best) :].any()


# The tests above and below with `Table`'s ordinary sharpness missed that the search stopped too
# early: where all tokens are about as likely, the first few sentences that end are about as good as
# any. A trained model is nearly sure of each token; what ends early beside the right beginning is
# then hopeless, and stopping at it is a wrong answer.
SHARPNESS = [0.5, 2.0, 8.0]


def searched_to_the_end(model, source, longest, beam, alpha):
    """[(score, ids)] of beam search in plain Python, best first, which stops for nothing but the
    length."""
    kept, found = [(0.0, ())], []
    for _ in range(longest):
        grown = []
        for total, words in kept:
            logits = model.logits((int(source[0]), BOS, *words))
            shifted = logits - logits.max()
            log_p = shifted - np.log(np.exp(shifted).sum())
            grown += [(total + log_p[token], (*words, token)) for token in range(EOS, len(logits))]
        grown.sort(key=lambda pair: -pair[0])
        found += [
            (total / ((5 + len(words)) / 6) ** alpha, [*words])
            for total, words in grown[:beam]
            if words[-1] == EOS
        ]
        kept = [(total, words) for total, words in grown if words[-1] != EOS][:beam]
    if not found:
        found = [(total / ((5 + len(words)) / 6) ** alpha, [*words]) for total, words in kept]
    return sorted(found, key=lambda pair: -pair[0])


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 3.0])
@pytest.mark.parametrize("sharpness", SHARPNESS)
@pytest.mark.parametrize("end", [-4.0, 0.0])
def test_a_search_stops_only_when_going_on_would_change_nothing(sharpness, alpha, end):
    sources = np.arange(6)[:, None]
    for beam in range(2, 11):
        model = Table(7, seed=beam, end=end, sharpness=sharpness)
        best = beam_search(model, sources, 7, beam, alpha)
        lists = hypotheses(model, sources, 7, beam, alpha)
        for row, ids, found in zip(sources, best, lists):
            expected = searched_to_the_end(model, row, 7, beam, alpha)[:beam]
            assert [h.ids for h in found] == [ids for _, ids in expected]
            np.testing.assert_allclose(
                [h.score for h in found], [score for score, _ in expected], rtol=1e-12
            )
            assert (
                ids[: len(found[0].ids)].tolist() == found[0].ids
                and not ids[len(found[0].ids) :].any()
            )


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("sharpness", SHARPNESS)
def test_the_best_sentence_of_all_is_found_by_every_beam_that_cannot_lose_it(sharpness, alpha):
    """A beam never loses a sentence each of whose beginnings is among the `beam` likeliest of all
    of that length."""
    longest, certain = 5, 0
    for seed in range(12):
        model, source = Table(7, seed, sharpness=sharpness), np.array([[7]])
        log_p = lambda words: log_p_of(model, source[0], words)  # noqa: B023, E731
        sentences = all_sentences(7, longest)
        best = max(sentences, key=lambda words: log_p(words) / ((5 + len(words)) / 6) ** alpha)
        place = 0  # the worst that one of its beginnings has
        for n in range(1, len(best) + 1):
            rivals = itertools.product(range(EOS + 1, 7), repeat=n - 1)
            grown = [
                log_p([*words, token])
                for words in rivals
                for token in range(EOS if n == len(best) else EOS + 1, 7)
            ]
            place = max(place, sum(p > log_p(best[:n]) for p in grown))
        for beam in range(place + 1, 11):
            if beam > 1:  # a beam of 1 is greedy, and stops at the first EOS
                certain += 1
                assert beam_search(model, source, longest, beam, alpha)[0].tolist() == best
    assert certain > 30


class Counted(Table):
    """Counts its steps."""

    steps = 0

    def step(self, ids, state):
        self.steps += 1
        return super().step(ids, state)


def test_a_search_goes_on_no_longer_than_it_must():
    sharp, source = Counted(7, seed=1, end=4.0, sharpness=8.0), np.array([[7]])
    best = beam_search(sharp, source, 50, beam=3)
    assert sharp.steps < 20 and np.array_equal(
        best, beam_search(sharp, source, 50, beam=3, alpha=0.0)
    )

    class Two(Counted):
        """There are only two sentences: "EOS" and "4 4 EOS"."""

        def logits(self, beginning):
            following = {0: [EOS, 4], 1: [4]}.get(len(beginning) - 2, [EOS])
            return np.where(np.isin(np.arange(5), following), 0.0, -np.inf)

    two = Two(5)
    assert [h.ids for h in hypotheses(two, source, 50, beam=4)[0]] == [
        [4, 4, EOS],
        [EOS],
    ] and two.steps == 3


def test_an_early_stop_is_asked_for_by_its_name():
    """One word is nearly certain, three times; beside it an end is possible, and fills the beam
    with what is hopeless."""

    class Sure(Table):
        def logits(self, beginning):
            words = beginning[2:]
            p = [0, 0, 1, 0, 0] if len(words) == 3 else [0, 0, 1e-3, 0, 0.999]
            return np.log(np.maximum(p, 1e-12))

    model, source = Sure(5), np.array([[7]])
    for alpha in (0.0, 0.6, 1.0):
        assert beam_search(model, source, 9, beam=2, alpha=alpha)[0].tolist() == [4, 4, 4, EOS]
        early = beam_search(model, source, 9, beam=2, alpha=alpha, early_stopping=True)[0].tolist()
        assert early == ([4, EOS] if alpha else [EOS])


@pytest.mark.parametrize("beam", [1, 2, 3, 5])
def test_the_score_is_the_log_probability_over_the_penalty(beam):
    model, source = Table(9, end=1.0), np.array([[7], [9], [4]])
    for row, found in zip(source, hypotheses(model, source, 12, beam, alpha=0.6)):
        assert found == sorted(found, reverse=True)
        for score, ids in found:
            assert ids[-1] == EOS and EOS not in ids[:-1]
            assert score == pytest.approx(
                log_p_of(model, row, ids) / ((5 + len(ids)) / 6) ** 0.6, abs=1e-10
            )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_beam_one_is_greedy(name, alpha):
    model, source = model_and_source(name)
    assert np.array_equal(
        beam_search(model, source, 9, beam=1, alpha=alpha), greedy(model, source, 9)
    )


def test_beam_one_is_greedy_when_the_end_is_often_likely():
    source = np.arange(30)[:, None]
    assert np.array_equal(
        beam_search(Table(6, end=1.5), source, 9, beam=1), greedy(Table(6, end=1.5), source, 9)
    )


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
    for ours, plain in zip(
        hypotheses(model, source, 6, beam=3), hypotheses(Uncached(model), source, 6, beam=3)
    ):
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


class Flat(Table):
    def logits(self, beginning):
        return np.zeros(self.vocabulary)


def test_equal_scores_go_to_the_first_as_with_argmax():
    source = np.array([[7]])
    assert np.array_equal(beam_search(Flat(6), source, 4, beam=1), greedy(Flat(6), source, 4))


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("beam", range(2, 11))
def test_equal_scores_stand_in_the_order_in_which_they_are_found(beam, alpha):
    source = np.array([[7]])
    found = hypotheses(Flat(6), source, 4, beam, alpha)[0]
    expected = searched_to_the_end(Flat(6), source[0], 4, beam, alpha)
    assert [h.ids for h in found] == [ids for _, ids in expected[:beam]]
    assert found[0].ids[:1] == beam_search(Flat(6), source, 4, beam, alpha)[0, :1].tolist()


@pytest.mark.parametrize("wrong", [{"beam": 0}, {"beam": -1}, {"max_tokens": 0}])
def test_a_beam_of_nothing_is_refused(wrong):
    arguments = {"max_tokens": 3, "beam": 2} | wrong
    assert "at least 1" in refusal(beam_search, Table(6), np.array([[7]]), **arguments)


# -- sampling --------------------------------------------------------------------------------------


def test_the_distribution_is_softmax_and_its_cuts_keep_the_likeliest():
    logits = np.log(np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.1, 0.6]]))
    np.testing.assert_allclose(distribution(logits), np.exp(logits), atol=1e-12)
    np.testing.assert_allclose(
        distribution(logits, top_k=2), [[4 / 7, 3 / 7, 0, 0], [0, 0.25, 0, 0.75]], atol=1e-12
    )
    np.testing.assert_allclose(
        distribution(logits, top_p=0.55), [[4 / 7, 3 / 7, 0, 0], [0, 0, 0, 1]], atol=1e-12
    )
    np.testing.assert_allclose(
        distribution(logits, top_p=0.7001), [[4 / 9, 3 / 9, 2 / 9, 0], [0, 0.25, 0, 0.75]],
        atol=1e-12,
    )
    np.testing.assert_allclose(
        distribution(logits, top_k=3, top_p=0.5), [[4 / 7, 3 / 7, 0, 0], [0, 0, 0, 1]], atol=1e-12
    )
    np.testing.assert_allclose(distribution(logits, top_k=9), np.exp(logits), atol=1e-12)


class Constant(Table):
    def logits(self, beginning):
        return np.log(np.array([1e-9, 1e-9, 0.2, 1e-9, 0.5, 0.3]))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_tokens_come_as_often_as_their_probability_says(temperature):
    source = np.arange(4, 4004)[:, None]
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
    assert np.array_equal(
        sample(model.to(dtype), source, 6, 0, temperature), greedy(model, source, 6)
    )


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extremely_high_temperatures_are_chance_in_either_precision(dtype):
    model, source = model_and_source("transformer")
    model, many = model.to(dtype), np.repeat(source[:1], 3000, axis=0)

    def furthest(temperature):
        """How far the most, or the least, frequent first token is from its share by chance, in
        standard deviations."""
        first = sample(model, many, 1, np.random.default_rng(0), temperature)[:, 0]
        counts = np.bincount(first, minlength=model.config.target_vocabulary)[EOS:]
        return np.abs(counts - counts.mean()).max() / counts.mean() ** 0.5

    assert furthest(1e300) < 4 and furthest(1e39) < 4 < 10 < furthest(1.0)


@pytest.mark.parametrize("alpha", [-1.0, np.nan, np.inf, 1e5])
def test_a_length_penalty_that_is_none_is_refused(alpha):
    assert "from 0 (no penalty of length) to 10" in refusal(
        beam_search, Table(6), np.array([[7]]), 3, alpha=alpha
    )


def test_a_seed_and_the_rows_own_ids_decide():
    source = np.arange(4, 44)[:, None]
    one, same, other = (sample(Constant(6), source, 5, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same) and one.shape == (40, 5) and not np.array_equal(one, other)
    assert len(np.unique(one, axis=0)) > 10
    for rows in (slice(None, None, -1), [7], [3, 3, 30]):
        some = sample(Constant(6), source[rows], 5, 1)
        assert np.array_equal(np.pad(some, ((0, 0), (0, 5 - some.shape[1]))), one[rows])


def test_a_generator_gives_equal_rows_answers_of_their_own():
    source = np.full((40, 1), 4)
    one, same = (sample(Constant(6), source, 5, np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(one, same) and len(np.unique(one, axis=0)) > 10
    assert len(np.unique(sample(Constant(6), source, 5, 1), axis=0)) == 1
    assert "at least 0" in refusal(sample, Constant(6), source, 5, -1)


@pytest.mark.parametrize("wrong, part", [
    ({"temperature": 0}, "above 0"), ({"temperature": np.inf}, "above 0"),
    ({"top_k": -1}, "top_k"), ({"top_p": 0}, "top_p"), ({"top_p": 1.1}, "top_p"),
])  # fmt: skip
def test_numbers_that_make_no_distribution_are_refused(wrong, part):
    assert part in refusal(sample, Constant(6), np.ones((1, 1), dtype=int), 3, 0, **wrong)


# -- what no search writes, and how far it may go --------------------------------------------------


SEARCHES = {
    "greedy": greedy,
    "beam": beam_search,
    "beam of 1": lambda *a: beam_search(*a, beam=1),
    "n best": lambda *a: padded([h.ids for found in hypotheses(*a) for h in found]),
    "sample": lambda *a: sample(*a, rng=0),
    "hot sample": lambda *a: sample(*a, rng=1, temperature=50.0),
    "top k": lambda *a: sample(*a, rng=2, top_k=3),
    "top p": lambda *a: sample(*a, rng=3, top_p=0.5),
    "own choice": lambda *a: generate(*a, lambda logits, rows: logits.argmax(axis=-1)),
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_padding_and_begin_are_never_written_however_likely_they_are(search):
    class Padder(Table):
        def logits(self, beginning):
            made = super().logits(beginning)
            made[[PAD, BOS]] += 30
            return made

    for ids in search(Padder(8), np.arange(4, 34)[:, None], 6):
        written = ids[: ids.tolist().index(EOS)] if EOS in ids else ids
        assert not np.isin(written, (PAD, BOS)).any()


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
@pytest.mark.parametrize("name", NAMES)
def test_an_untrained_model_writes_no_padding_and_no_begin(name, search):
    model, source = model_and_source(name)
    for ids in search(model, source, 6):
        written = ids[: ids.tolist().index(EOS)] if EOS in ids else ids
        assert not np.isin(written, (PAD, BOS)).any()


def test_what_may_be_written_is_a_copy():
    logits = np.zeros((2, 3, 5), dtype=np.float32)
    open_ = writable(logits)
    assert not logits.any() and open_.dtype == np.float32
    assert np.isneginf(open_).all(axis=(0, 1)).tolist() == [True, True, False, False, False]


@pytest.mark.parametrize("name", NAMES)
def test_a_model_stops_where_its_positions_end(name):
    model, _ = model_and_source(name)
    never = lambda logits, rows: np.full(len(logits), 5)  # noqa: E731     (never the end)
    source = padded([np.full(3, 4), np.full(14, 4)])
    room = 100 if name.startswith("rnn") else 16
    expected = (
        [room - 3, room - 14]
        if name in ("language-model", "conv", "local-attention")
        else [room, room]
    )
    assert longest_answer(model, source, 100).tolist() == expected
    assert (generate(model, source, 100, never) != PAD).sum(axis=1).tolist() == expected
    for row, length in zip(source, expected):
        assert (generate(model, row[None, row != PAD], 100, never) != PAD).sum() == length


def test_the_limit_is_each_rows_own():
    model, source = Table(7, end=-1e9), np.array([[4, 0, 0], [5, 5, 0], [6, 6, 6]])
    for search in (greedy, beam_search, lambda *a: sample(*a, rng=0)):
        assert (search(model, source, None) != PAD).sum(axis=1).tolist() == [10, 12, 14]
        assert (search(model, source, 3) != PAD).sum(axis=1).tolist() == [3, 3, 3]
        assert (search(model, source, np.array([2, 5, 1])) != PAD).sum(axis=1).tolist() == [2, 5, 1]
    some, all_ = greedy(model, source, [0, 2, 3]), greedy(model, source, 3)
    assert (
        not some[0].any()
        and some[1].tolist() == [*all_[1, :2], PAD]
        and np.array_equal(some[2], all_[2])
    )


@pytest.mark.parametrize("wrong", [-1, 2.0, [1, 2], "4", True, np.nan])
def test_a_limit_that_is_none_is_refused(wrong):
    for search in (greedy, beam_search, lambda *a: sample(*a, rng=0)):
        assert "max_tokens is a whole number" in refusal(
            search, Table(6), np.ones((3, 1), dtype=int), wrong
        )
    assert "integer ids" in refusal(greedy, Table(6), [[4, 5]], 3)


@pytest.mark.parametrize("name", ["language-model", "conv", "local-attention"])
def test_a_language_model_writes_without_a_source(name):
    model, _ = model_and_source(name)
    for search in (greedy, beam_search, lambda *a: sample(*a, rng=0)):
        written = search(model, None, 6)
        assert written.shape[0] == 1 and written.dtype == np.int64
        for none in (np.zeros((2, 0), dtype=int), np.zeros((2, 3), dtype=int)):
            rows = search(model, none, 6)
            assert np.array_equal(rows, np.repeat(written, 2, axis=0))


# -- company changes nothing -----------------------------------------------------------------------


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
@pytest.mark.parametrize("name", NAMES)
def test_an_answer_is_the_same_in_any_company_and_order(name, search):
    model, _ = model_and_source(name)
    rng = np.random.default_rng(1)
    # one that leaves a language model two positions
    texts = [rng.integers(4, 17, n) for n in (3, 1, 14, 5, 2, 5)]
    alone = [search(model, text[None], None) for text in texts]
    for order in (range(6), [2, 0], [5, 3, 1, 1], [4, 2, 0, 5]):
        together = search(model, np.pad(padded([texts[n] for n in order]), ((0, 0), (0, 2))), None)
        expected = padded([row for n in order for row in alone[n]])
        assert (
            np.array_equal(together, expected[:, : together.shape[1]])
            and not expected[:, together.shape[1] :].any()
        )


class Wide(Table):
    """A stand-in that says one token after another of a thousand, each made from the one before."""

    def step(self, ids, state):
        logits = np.random.default_rng(0).standard_normal((len(ids), 1000))
        logits[np.arange(len(ids)), (7 * ids.astype(np.int64) + 461) % 1000] += 12
        return logits, state


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
)
@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_the_sources_integers_are_not_the_answers(search, dtype):
    source = np.array([[4, 9, 6], [7, 100, 0]])
    expected = search(Wide(1000), source, 8)
    written = search(Wide(1000), source.astype(dtype), 8)
    assert np.array_equal(written, expected) and written.dtype == np.int64 and written.max() > 255


@pytest.mark.parametrize("dtype", ["uint8", "uint64"])
@pytest.mark.parametrize("name", NAMES)
def test_a_model_reads_ids_of_any_integers(name, dtype):
    model, source = model_and_source(name)
    for search in (greedy, beam_search, lambda *a: sample(*a, rng=0)):
        assert np.array_equal(search(model, source.astype(dtype), 6), search(model, source, 6))


# -- two threads ask one model ---------------------------------------------------------------------


def in_a_thread(function):
    """What the function returns when another thread calls it."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def test_a_thread_that_evaluates_switches_nobody_elses_dropout():
    model, source = model_and_source("transformer")
    model.train()
    dropout = model.source_input.dropout
    with evaluating(model):
        assert not model.training and not dropout.training
        assert in_a_thread(lambda: model.training and dropout.training)

        def within():
            with evaluating(model):
                return model.training

        assert in_a_thread(within) is False
        assert not model.training, "another thread has come and gone"
        with evaluating(model):
            assert not model.training
        assert not model.training
        model.decoder.train()
        with own_modes():
            assert model.decoder.training and not model.training, "as it was outside"
            model.train()
        assert model.decoder.training and not model.training
        model.train()
        assert model.training and in_a_thread(lambda: model.training)
    assert model.training and dropout.training
    model.encoder.eval()
    with evaluating(model):
        pass
    assert (
        model.training
        and not model.encoder.training
        and not in_a_thread(lambda: model.encoder.training)
    )


def test_threads_get_exact_answers_and_leave_the_flags(monkeypatch):
    config = configure(
        "transformer", "toy", {"d_model": 12, "dropout": 0.5}, source_vocabulary=19, max_length=16
    )
    rng = np.random.default_rng(0)
    model = away_from_initialisation(find_model("transformer").model(config, 0), rng)
    texts = [rng.integers(4, 17, (1, n)) for n in (3, 5, 7, 9)]
    asks = {
        "greedy": lambda text: greedy(model, text, 6).tolist(),
        "beam": lambda text: beam_search(model, text, 6).tolist(),
        "weights": lambda text: [
            attention_weights(model, text[0], np.array([5, 6, EOS]))["cross"].tobytes()
        ],
    }
    expected = {(name, n): ask(text) for name, ask in asks.items() for n, text in enumerate(texts)}
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            jobs = [(key, pool.submit(asks[key[0]], texts[key[1]])) for key in list(expected) * 8]
            found = [(key, job.result()) for key, job in jobs]
    finally:
        sys.setswitchinterval(before)
    assert all(answer == expected[key] for key, answer in found)
    assert all(m.training for _, m in model.named_modules()) and not any(
        m.keep for m in attentions(model).values()
    )
    assert attention_maps(model) == {}


def test_kept_weights_are_those_of_the_thread_that_keeps_them():
    model, source = model_and_source("transformer")
    target = np.full((3, 2), BOS)
    attention = model.decoder.layers[0].cross_attention.attention

    def other():
        before = attention.keep
        with keep_weights(model):
            model(2 * source % 17, target)
        return before, attention.weights

    with keep_weights(model), no_grad():
        model(source, target)
        mine = attention.weights
        before, theirs = in_a_thread(other)
        assert (
            attention.keep
            and attention.weights is mine
            and not before
            and not np.array_equal(mine, theirs)
        )
    assert not attention.keep and attention.weights is mine
    assert "inside `keep_weights`, in this thread" in in_a_thread(
        lambda: str(pytest.raises(AttributeError, lambda: attention.weights).value)
    )


SEARCHES = {
    "greedy": greedy,
    "beam": beam_search,
    "sample": lambda model, source, max_tokens=None: sample(model, source, max_tokens, 0),
    "hypotheses": hypotheses,
}


@pytest.mark.parametrize("name", SEARCHES)
def test_padding_in_front_or_between_is_no_part_of_a_source(name):
    model = peaked_transformer()
    answers = [
        SEARCHES[name](model, np.array([row]))
        for row in ([4, 5, 6, 7], [0, 0, 4, 5, 6, 7], [4, 0, 5, 6, 0, 7], [4, 5, 6, 7, 0])
    ]
    for answer in answers[1:]:
        assert str(answer) == str(answers[0])


def peaked_transformer():
    model = Transformer(
        TransformerConfig.preset("toy", source_vocabulary=9, positions="learned", max_length=30), 0
    )
    for p in model.parameters():
        p.data[...] *= 2
    return model


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_model_whose_logits_are_no_numbers_is_named(name, wrong):
    model = peaked_transformer()
    model.output.weight.data[...] = wrong
    with (
        np.errstate(all="ignore"),
        pytest.raises(NonFiniteError, match="logits are NaN or infinite"),
    ):
        SEARCHES[name](model, np.array([[4, 5, 6]]), 5)


@pytest.mark.parametrize(
    "options",
    [
        {"beam": 2.5}, {"beam": "2"}, {"beam": True}, {"beam": None}, {"alpha": "0.6"},
        {"alpha": None}, {"alpha": np.nan}, {"early_stopping": "no"},
    ],
)
def test_the_options_of_a_beam_are_checked(options):
    for search in (beam_search, hypotheses):
        with pytest.raises(InputError, match=next(iter(options))):
            search(peaked_transformer(), np.array([[4, 5]]), 3, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": "1"}, {"temperature": None}, {"top_p": "a"}, {"top_k": 1.5}, {"top_k": "a"},
        {"rng": 1.5}, {"rng": "a"}, {"rng": True},
    ],
)
def test_the_options_of_sampling_are_checked(options):
    with pytest.raises(InputError, match=next(iter(options))):
        sample(peaked_transformer(), np.array([[4, 5]]), 3, **{"rng": 0, **options})
