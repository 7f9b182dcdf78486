"""Vocabulary, batches, splits and tasks."""

import dataclasses

import numpy as np
import pytest

from minitransformer.data import (
    BOS,
    EOS,
    PAD,
    TASKS,
    Addition,
    Copy,
    Reverse,
    Sort,
    Vocabulary,
    make_batch,
    make_task,
)
from minitransformer.data.split import SPLITS, in_split
from minitransformer.errors import InputError

ALL = [
    Copy(), Reverse(), Sort(), Addition(), Reverse(symbols=16, min_length=1, max_length=4),
    Addition(digits=2),
]


def texts(task, ids):
    return [" ".join(task.vocabulary.decode(row)) for row in ids]


def test_ids_0_to_3_are_special_and_text_survives_the_round_trip():
    vocabulary = Vocabulary(["a", "b", "12"])
    assert vocabulary.tokens[:4] == ["<pad>", "<bos>", "<eos>", "<unk>"]
    assert vocabulary.encode("b 12 a").tolist() == [5, 6, 4]
    assert vocabulary.encode("ba").tolist() == [5, 4]
    assert vocabulary.decode([BOS, 5, PAD, 6, EOS, 4]) == ["b", "<pad>", "12"]
    assert vocabulary.decode([BOS, 5, 6, PAD, PAD]) == ["b", "12"]


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("", "empty text"), ("  ", "empty text"), ("a x", "'x' .token 2 of 'a x'.*It has: a b"),
        ("<pad>", "not in the vocabulary"),
    ],
)
def test_a_text_that_cannot_be_encoded_is_answered_with_a_sentence(text, sentence):
    with pytest.raises(InputError, match=sentence):
        Vocabulary(["a", "b"]).encode(text)


def test_a_batch_is_shifted_right_by_one():
    source = np.array([[4, 5, 6, 0], [7, 0, 0, 0]])
    target = np.array([[6, 5, 4, 0, 0], [7, 0, 0, 0, 0]])
    batch = make_batch(source, target)
    assert batch.source.tolist() == [[4, 5, 6], [7, 0, 0]]
    assert batch.target_in.tolist() == [[BOS, 6, 5, 4], [BOS, 7, 0, 0]]
    assert batch.target_out.tolist() == [[6, 5, 4, EOS], [7, EOS, 0, 0]]


@pytest.mark.parametrize("task", ALL, ids=str)
def test_targets_are_right(task):
    source, target = task.sample(np.random.default_rng(0), 300)
    assert len(source) == 300
    for s, t in zip(texts(task, source), texts(task, target)):
        words = s.split()
        if isinstance(task, Addition):
            a, b = s.replace(" ", "").split("+")
            assert int(t.replace(" ", "")) == int(a) + int(b) and not t.startswith("0 ")
            assert max(len(a), len(b)) <= task.digits
        else:
            solve = {Copy: list, Reverse: lambda w: w[::-1], Sort: lambda w: sorted(w, key=int)}[
                type(task)
            ]
            assert t.split() == solve(words)
            assert task.min_length <= len(words) <= task.max_length


@pytest.mark.parametrize("task", ALL, ids=str)
def test_no_sequence_is_in_two_splits(task):
    rows = {
        split: set(texts(task, task.sample(np.random.default_rng(1), 2000, split)[0]))
        for split in SPLITS
    }
    assert (
        not rows["train"] & rows["test"]
        and not rows["train"] & rows["validation"]
        and not rows["test"] & rows["validation"]
    )


def test_a_sum_and_its_mirror_image_are_in_one_split():
    task = Addition()
    seen = {
        split: set(texts(task, task.sample(np.random.default_rng(1), 4000, split)[0]))
        for split in SPLITS
    }
    mirrored = {" + ".join(reversed(s.split(" + "))) for s in seen["test"]}
    assert len(mirrored) > 1000 and not mirrored & seen["train"]


def test_a_sequence_keeps_its_split_whatever_the_lengths_of_the_task():
    short, long = Copy(max_length=5), Copy(max_length=9)
    source, _ = short.sample(np.random.default_rng(0), 200, "test")
    assert in_split(long.key(np.pad(source, ((0, 0), (0, 4)))), "test").all()


def test_the_split_is_the_same_on_every_machine():
    keys = np.array([[4, 5, 6], [7, 7, 7], [9, 8, 4], [5, 0, 0]])
    assert [[s for s in SPLITS if in_split(k[None], s)[0]] for k in keys] == [
        ["train"], ["validation"], ["test"], ["train"],
    ]
    shares = {
        s: in_split(np.random.default_rng(0).integers(4, 14, (20000, 8)), s).mean() for s in SPLITS
    }
    assert (
        abs(shares["train"] - 0.8) < 0.01
        and abs(shares["test"] - 0.1) < 0.01
        and abs(shares["validation"] - 0.1) < 0.01
    )


@pytest.mark.parametrize("task", ALL[:4], ids=str)
def test_the_same_seed_draws_the_same_and_every_length_comes_equally_often(task):
    first, again = (task.sample(np.random.default_rng(7), 4000) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    if not isinstance(task, Addition):
        lengths = (first[0] != PAD).sum(axis=1)
        share = np.bincount(lengths)[task.min_length :] / len(lengths)
        np.testing.assert_allclose(share, 1 / len(share), atol=0.03)


@pytest.mark.parametrize("task", ALL, ids=str)
def test_distinct_samples_are_distinct(task):
    source, _ = task.sample(np.random.default_rng(0), 500, "test", distinct=True)
    assert len(set(texts(task, source))) == len(source)


def test_fewer_come_where_no_more_exist_and_none_is_an_error():
    task = Copy(symbols=3, min_length=3, max_length=3)
    source, _ = task.sample(np.random.default_rng(0), 500, "test", distinct=True)
    assert (
        len(source)
        == dict((label, splits) for label, _, splits in task.counts())["length 3"]["test"]
        < 27
    )
    empty = next(
        t
        for t in (
            Copy(symbols=2, min_length=1, max_length=1),
            Copy(symbols=2, min_length=2, max_length=2),
        )
        if t.counts()[0][2]["test"] == 0
    )
    with pytest.raises(InputError, match="no sequence for test"):
        empty.sample(np.random.default_rng(0), 5, "test")


@pytest.mark.parametrize(
    "task", [Copy(symbols=4, min_length=2, max_length=4), Addition(digits=1), Addition(digits=2)],
    ids=str,
)
def test_counts_are_those_of_all_sequences_there_are(task):
    for label, total, splits in task.counts():
        assert all(type(count) is int for count in (total, *splits.values()))
        assert sum(splits.values()) == total
        if label.startswith("length"):
            alone = dataclasses.replace(task, min_length=int(label[7:]), max_length=int(label[7:]))
            drawn, _ = alone.sample(np.random.default_rng(0), 3000, "test", distinct=True)
            assert len(drawn) == splits["test"]


def test_an_alignment_leads_from_each_target_token_to_its_source():
    for task in (Copy(), Reverse()):
        source, target = task.sample(np.random.default_rng(0), 50)
        for s, t in zip(source, target):
            n = int((s != PAD).sum())
            np.testing.assert_array_equal(s[task.alignment(n)], t[:n])
    assert Sort().alignment(4) is None and Addition().alignment(4) is None


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: make_task("revers"), "no task 'revers'. Did you mean 'reverse'"),
        (lambda: make_task("copy", digits=3), "no option 'digits'. It has: symbols"),
        (lambda: Copy(symbols=1), "symbols=1"),
        (lambda: Copy(min_length=5, max_length=4), "min_length=5, max_length=4"),
        (lambda: Addition(digits=0), "digits=0"),
        (
            lambda: Copy().sample(np.random.default_rng(0), 3, "tests"),
            "no split 'tests'. Did you mean 'test'",
        ),
        (
            lambda: Addition().solve(Addition().vocabulary.encode("12+")[None]),
            r"'12\+' is not a sum",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_value(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_every_task_has_a_name_and_a_number_of_steps():
    for name, cls in TASKS.items():
        task = make_task(name)
        assert isinstance(task, cls) and task.recipe.training["steps"] >= 1000
