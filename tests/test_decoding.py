"""Greedy decoding: the same as asking the whole model again after every token."""

import numpy as np
import pytest

from minitransformer.data import BOS, EOS, PAD
from minitransformer.decoding import evaluating, greedy
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
        return 0

    def step(self, ids, t):
        return np.eye(9)[self.script[:, t]], t + 1


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
