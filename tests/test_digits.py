"""The pictures of digits, and the task of naming them."""

import numpy as np
import pytest

from minitransformer.data import make_task
from minitransformer.data.split import SPLITS
from minitransformer.data.vocabulary import FIRST


@pytest.fixture(scope="module")
def digits():
    return make_task("digits")


def test_the_pictures_are_those_of_the_source(digits):
    """The counts of each class are those that the source states for its test set."""
    assert digits.pictures.shape == (1797, 8, 8) and digits.pictures.dtype == np.uint8
    assert digits.pictures.max() == 16
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(digits.labels).tolist() == counts


def test_every_picture_is_in_one_split_and_all_classes_are_in_each(digits):
    rows = {split: digits.rows(split) for split in SPLITS}
    assert sorted(np.concatenate([*rows.values()])) == list(range(1797))
    for split in SPLITS:
        assert {*digits.labels[rows[split]]} == {*range(10)}
    assert 0.75 < len(rows["train"]) / 1797 < 0.85


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("distinct", [True, False])
def test_a_sample_holds_pictures_of_its_split_and_their_classes(digits, split, distinct):
    known = {
        tuple(digits.pictures[row].reshape(-1).tolist()): digits.labels[row]
        for row in digits.rows(split)
    }
    source, target = digits.sample(np.random.default_rng(0), 100, split, distinct)
    assert source.shape == (100, 64) and target.shape == (100, 1)
    for pixels, label in zip(source - FIRST, target[:, 0] - FIRST):
        assert known[tuple(pixels.tolist())] == label
    assert (len({*map(tuple, source.tolist())}) == 100) or not distinct


def test_a_picture_is_read_as_it_is_typed(digits):
    pixels = digits.pictures[0].reshape(-1)
    source, _ = digits.of(np.array([0]))
    assert np.array_equal(digits.vocabulary.encode(" ".join(map(str, pixels))), source[0])
    assert digits.longest == (64, 1)


def test_an_epoch_has_every_training_picture_once(digits):
    source, target = digits.pool(np.random.default_rng(0))
    expected, labels = digits.of(digits.rows("train"))
    assert sorted(source.tolist()) == sorted(expected.tolist())
    assert not np.array_equal(source, expected) and sorted(target) == sorted(labels)
