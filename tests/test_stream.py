"""The stream of batches: every pair once an epoch, like lengths together, and on from any
checkpoint."""

import json

import numpy as np
import pytest

from minitransformer.data import BOS, EOS, PAD, Addition, BatchStream, Copy, Vocabulary
from minitransformer.data.corpus import Corpus
from minitransformer.data.stream import like_lengths

PAIRS = 150
BUDGETS = [6, 40, 120, 100_000]


class Made(Corpus):
    """Pair n: the four digits of n and then some a; some b and then the digits of n. `reads` counts
    the readings."""

    def __init__(self, pairs=PAIRS):
        self.size, self.reads = pairs, 0

    def make_vocabulary(self):
        return Vocabulary(list("0123456789ab"))

    def sentences(self, split):
        self.reads += 1
        rng = np.random.default_rng(5)
        lengths = rng.integers(0, 20, size=(self.size, 2))
        return [f"{n:04}" + "a" * s for n, (s, _) in enumerate(lengths)], [
            "b" * t + f"{n:04}" for n, (_, t) in enumerate(lengths)
        ]


def stream(tokens, seed=0, task=None, size=16):
    return BatchStream(task or Made(), np.random.default_rng(seed), size, tokens)


def take(batches, count):
    """The next batches, as values that can be compared."""
    return [[ids.tolist() for ids in batches()] for _ in range(count)]


def numbers(batch):
    """The n of each pair of `Made` in a batch; source and target must agree on it."""
    text = lambda ids: "".join(Made().vocabulary.decode(ids))  # noqa: E731
    source = [text(row)[:4] for row in batch.source]
    target = [text(row)[-4:] for row in batch.target_out]
    assert source == target
    return [int(n) for n in source]


def epoch(batches):
    """The batches of one epoch."""
    taken, count = [], 0
    while count < PAIRS:
        taken.append(batches())
        count += len(taken[-1].source)
    assert count == PAIRS
    return taken


def padding(batches):
    """The share of source and target positions that are padding."""
    total = sum(ids.size for batch in batches for ids in (batch.source, batch.target_out))
    return (
        sum((ids == PAD).sum() for batch in batches for ids in (batch.source, batch.target_out))
        / total
    )


# -- what a batch holds ----------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", BUDGETS)
def test_every_pair_comes_exactly_once_an_epoch(tokens):
    batches = stream(tokens)
    for _ in range(3):
        assert sorted(n for batch in epoch(batches) for n in numbers(batch)) == list(range(PAIRS))


@pytest.mark.parametrize("tokens", BUDGETS)
@pytest.mark.parametrize(
    "task", [Made(), Addition(), Copy(max_length=30)], ids=["corpus", "addition", "copy"]
)
def test_no_batch_of_several_pairs_has_more_tokens_than_allowed(task, tokens):
    batches = stream(tokens, task=task)
    for _ in range(60 if tokens < 1000 else 2):
        batch = batches()
        count, longest = len(batch.source), max(batch.source.shape[1], batch.target_out.shape[1])
        assert count >= 1 and (count == 1 or count * longest <= tokens)


def test_a_target_counts_with_its_end():
    source, target = np.full((6, 4), 7), np.full((6, 4), 7)
    for tokens, sizes in ((20, [2, 4]), (19, [3, 3]), (25, [1, 5]), (24, [2, 4]), (30, [6])):
        assert (
            sorted(map(len, like_lengths(source, target, tokens, np.random.default_rng(0))))
            == sizes
        )
    shorter = np.full((6, 2), 7)
    assert sorted(map(len, like_lengths(source, shorter, 12, np.random.default_rng(0)))) == [3, 3]


def test_a_pair_that_is_too_long_makes_a_batch_of_its_own():
    source = np.where(np.arange(30) < np.array([3, 3, 30, 3, 25])[:, None], 7, PAD)
    batches = like_lengths(source, source[:, :1], 12, np.random.default_rng(0))
    assert sorted(sorted(map(int, rows)) for rows in batches) == [[0, 1, 3], [2], [4]]


def test_batches_are_filled_as_far_as_the_budget_goes():
    batches = epoch(stream(120))
    used = [len(b.source) * max(b.source.shape[1], b.target_out.shape[1]) for b in batches]
    assert np.mean(used) > 0.8 * 120


def test_sentences_of_like_lengths_are_together_so_that_little_is_padding():
    by_length = epoch(stream(120))
    batches = stream(0, size=round(PAIRS / len(by_length)))
    anyhow = [batches() for _ in by_length]
    longest = [max(b.source.shape[1], b.target_out.shape[1]) for b in by_length]
    shortest = [
        np.maximum((b.source != PAD).sum(1), (b.target_out != PAD).sum(1)).min() for b in by_length
    ]
    assert (np.array(longest) - shortest).max() <= 5
    assert padding(by_length) < 0.75 * padding(anyhow)


def test_batches_come_in_no_order_of_length():
    lengths = np.array([batch.source.shape[1] for batch in epoch(stream(60))])
    assert abs(np.corrcoef(np.arange(len(lengths)), lengths)[0, 1]) < 0.5
    assert lengths[0] != lengths.min() or lengths[-1] != lengths.max()


def test_another_epoch_has_other_batches_in_another_order():
    batches = stream(60)
    first, second = ([numbers(batch) for batch in epoch(batches)] for _ in range(2))
    assert first != second
    assert {frozenset(rows) for rows in first} != {frozenset(rows) for rows in second}


def test_a_sentence_has_not_always_the_same_neighbours_even_if_its_length_is_unique():
    source = np.where(np.arange(40) < np.arange(1, 41)[:, None], 7, PAD)
    cut = [
        like_lengths(source, source[:, :1], 120, np.random.default_rng(seed)) for seed in range(3)
    ]
    assert len({frozenset(frozenset(map(int, rows)) for rows in batches) for batches in cut}) > 1


def test_an_epoch_differs_from_the_first_of_another_seed():
    assert take(stream(60, seed=0), 5) != take(stream(60, seed=1), 5)
    assert take(stream(0, seed=0), 5) != take(stream(0, seed=1), 5)


@pytest.mark.parametrize("task", [Made(), Copy()], ids=["corpus", "copy"])
def test_without_a_budget_every_batch_has_as_many_pairs_as_asked_for(task):
    batches = stream(0, task=task, size=11)
    assert [len(batches().source) for _ in range(20)] == [11] * 20


@pytest.mark.parametrize("tokens", [0, 60])
def test_targets_are_shifted_right_by_one_and_no_column_is_all_padding(tokens):
    batches = stream(tokens)
    for _ in range(20):
        batch = batches()
        ends = (batch.target_out != PAD).sum(axis=1) - 1
        assert (batch.target_in[:, 0] == BOS).all() and (
            batch.target_out[np.arange(len(ends)), ends] == EOS
        ).all()
        assert all(
            row_in[1 : end + 1].tolist() == row_out[:end].tolist()
            for row_in, row_out, end in zip(*batch[1:], ends)
        )
        assert (batch.source != PAD).any(axis=0).all() and (batch.target_out != PAD).any(
            axis=0
        ).all()


@pytest.mark.parametrize("tokens", [0, *BUDGETS])
def test_two_streams_of_one_seed_are_equal(tokens):
    assert take(stream(tokens), 30) == take(stream(tokens), 30)


# -- on from a checkpoint --------------------------------------------------------------------------


LAST = 54  # so many batches has the first epoch
POINTS = [0, 1, LAST // 2, LAST - 1, LAST, LAST + 1, 2 * LAST + 3]


def test_the_points_are_around_the_end_of_an_epoch():
    assert len(epoch(stream(60))) == LAST


def kept(batches):
    """The state, as a checkpoint keeps it."""
    return json.loads(json.dumps(batches.state()))


@pytest.mark.parametrize("tokens", [0, 60])
@pytest.mark.parametrize("taken", POINTS)
def test_a_fresh_stream_goes_on_with_exactly_the_same_batches(tokens, taken):
    batches = stream(tokens)
    take(batches, taken)
    state = kept(batches)
    rest = take(batches, LAST + 5)
    fresh = stream(tokens, seed=99)
    fresh.restore(state)
    assert take(fresh, LAST + 5) == rest


@pytest.mark.parametrize("task", [Addition(), Copy(max_length=6)], ids=["addition", "copy"])
def test_a_pool_that_was_drawn_is_drawn_again(task):
    batches = stream(15_000, task=task)
    take(batches, 2)
    state, rest = kept(batches), take(batches, 3)
    fresh = stream(15_000, seed=99, task=task)
    fresh.restore(state)
    assert take(fresh, 3) == rest


@pytest.mark.parametrize("tokens", [0, 60])
@pytest.mark.parametrize("taken", POINTS)
def test_the_same_stream_goes_back_to_where_it_stood(tokens, taken):
    batches = stream(tokens)
    take(batches, taken)
    state = batches.state()
    rest = take(batches, 7)
    take(batches, LAST)
    batches.restore(state)
    assert take(batches, 7) == rest


@pytest.mark.parametrize("tokens", [0, 60])
@pytest.mark.parametrize("taken", POINTS)
def test_a_restored_stream_that_gave_no_batch_yet_stands_where_it_was_put(tokens, taken):
    batches = stream(tokens)
    take(batches, taken)
    state, rest = kept(batches), take(batches, 7)
    for seed in (98, 99):
        batches = stream(tokens, seed=seed)
        batches.restore(state)
        assert kept(batches) == state
        state = kept(batches)
    assert take(batches, 7) == rest


@pytest.mark.parametrize("tokens", [0, 60])
def test_checkpoints_at_every_batch_leave_no_trace(tokens):
    whole, parts, batches = take(stream(tokens), LAST + 3), [], stream(tokens)
    for _ in range(LAST + 3):
        state = kept(batches)
        batches = stream(tokens, seed=77)
        batches.restore(state)
        parts += take(batches, 1)
    assert parts == whole


@pytest.mark.parametrize("tokens", [0, 60])
def test_asking_for_the_state_changes_nothing_and_a_state_does_not_change(tokens):
    batches = stream(tokens)
    take(batches, 4)
    state = batches.state()
    written = json.dumps(state)
    assert batches.state() == state
    assert take(batches, LAST + 2) == take(stream(tokens), 4 + LAST + 2)[4:]
    assert json.dumps(state) == written


@pytest.mark.parametrize("tokens", [0, 60])
def test_data_is_read_when_the_next_batch_is_asked_for_and_not_before(tokens):
    before = stream(tokens)
    take(before, 3)
    task = Made()
    after = stream(tokens, task=task)
    after.state()
    after.restore(before.state())
    after.state()
    assert task.reads == 0
    after()
    assert task.reads == 1
