"""Recurrence: cells against their formulas, a sequence against stepping by hand, gradients back
through time, and padding over which the state is carried.
"""

import math

import numpy as np
import pytest
from common import assert_gradients, close, moved, normal, rng

from minitransformer.core import no_grad
from minitransformer.errors import InputError
from minitransformer.older import CELLS, Bidirectional, GRUCell, Recurrence, RNNCell

SIZES = {"plain": (3, 6, 5, 7), "square": (4, 4, 4, 4)}  # batch, length, input width, state width
REAL = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 1, 0]], dtype=bool)


def gradients_of(component):
    return {name: p.grad.copy() for name, p in component.named_parameters().items()}


def mask_of(size):
    return REAL if size == "plain" else rng(4).random(SIZES[size][:2]) < 0.7


# -- cells -----------------------------------------------------------------------------------------


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def plain_rnn(w, x, h):
    return np.tanh(x @ w["input.weight"] + h @ w["state.weight"] + w["input.bias"])


def plain_gru(w, x, h):
    """Gate by gate, each with its own third of the weights."""
    d = h.shape[-1]
    gates = [slice(i * d, (i + 1) * d) for i in range(3)]
    x_r, x_z, x_n = (x @ w["input.weight"][:, gate] + w["input.bias"][gate] for gate in gates)
    h_r, h_z, h_n = (h @ w["state.weight"][:, gate] + w["state.bias"][gate] for gate in gates)
    reset, keep = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    return (1 - keep) * np.tanh(x_n + reset * h_n) + keep * h


PLAIN = {"rnn": plain_rnn, "gru": plain_gru}


def cell_and_step(name, size):
    batch, _, width, state = SIZES[size]
    return (
        moved(CELLS[name](width, state, rng())), normal(batch, width), normal(batch, state, seed=1),
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CELLS)
def test_cell_equals_its_formula_and_has_its_gradients(name, size):
    cell, x, h = cell_and_step(name, size)
    close(cell(x, h), PLAIN[name](cell.state_dict(), x, h))
    cell.clear_saves()
    assert_gradients(cell, x, h)


def test_gru_cell_keeps_its_state_where_z_is_one_and_forgets_it_where_z_is_zero():
    cell, x, h = cell_and_step("gru", "plain")
    cell.state.bias.data[7:14] = 1000
    close(cell(x, h), h, atol=0)
    d_x, d_h = cell.backward(np.ones((3, 7)))
    assert not d_x.any() and (d_h == 1).all(), "an undisturbed way back"
    cell.state.bias.data[7:14] = -1000
    cell.state.bias.data[:7] = -1000
    close(cell(x, h), np.tanh(x @ cell.input.weight.data[:, 14:] + cell.input.bias.data[14:]))
    assert not cell.backward(np.ones((3, 7)))[1].any(), "nothing of h was used"


def test_rnn_gradient_vanishes_through_saturated_steps():
    cell, x, h = cell_and_step("rnn", "plain")
    cell.input.bias.data += 50
    assert (cell(x, h) == 1).all()
    d_x, d_h = cell.backward(np.ones((3, 7)))
    assert not d_x.any() and not d_h.any()


@pytest.mark.parametrize("name", CELLS)
def test_cell_refuses_other_features(name):
    cell, x, h = cell_and_step(name, "plain")
    with pytest.raises(InputError, match=r"x must be .*X is 5. Got float64 of shape \(3, 6\)"):
        cell(normal(3, 6), h)
    with pytest.raises(InputError, match=r"h must be .*D is 7. Got float64 of shape \(3, 6\)"):
        cell(x, normal(3, 6))


# -- over time -------------------------------------------------------------------------------------


def sequence(name, size, reverse=False):
    """(recurrence, x, h, mask)"""
    batch, length, width, state = SIZES[size]
    component = moved(Recurrence(CELLS[name](width, state, rng()), reverse))
    return component, normal(batch, length, width), normal(batch, state, seed=1), mask_of(size)


def by_hand(component, x, h=None, mask=None):
    """States (B, T, D), row by row and step by step; padding is not read."""
    w = {path.removeprefix("cell."): value for path, value in component.state_dict().items()}
    step = plain_rnn if isinstance(component.cell, RNNCell) else plain_gru
    width = component.cell.state_features
    states = np.zeros((*x.shape[:2], width))
    for b in range(len(x)):
        now = np.zeros(width) if h is None else h[b]
        for t in sorted(range(x.shape[1]), reverse=component.reverse):
            if mask is None or mask[b, t]:
                now = step(w, x[b, t], now)
            states[b, t] = now
    return states


@pytest.mark.parametrize("masked", [False, True], ids=["no_mask", "mask"])
@pytest.mark.parametrize("begins", [False, True], ids=["from_zero", "from_h"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CELLS)
def test_recurrence_equals_stepping_by_hand_and_has_its_gradients_through_time(
    name, size, reverse, begins, masked
):
    component, x, h, mask = sequence(name, size, reverse)
    h, mask = h if begins else None, mask if masked else None
    close(component(x, h, mask), by_hand(component, x, h, mask))
    component.clear_saves()
    assert_gradients(component, x, h, mask, max_entries=10)


@pytest.mark.parametrize("name", CELLS)
def test_recurrence_in_reverse_is_the_recurrence_of_the_reversed_sequence(name):
    component, x, h, mask = sequence(name, "plain", reverse=True)
    forwards = Recurrence(component.cell)
    close(component(x, h, mask), forwards(x[:, ::-1], h, mask[:, ::-1])[:, ::-1], atol=0)


@pytest.mark.parametrize("reverse", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("name", CELLS)
def test_recurrence_knows_all_that_it_has_read_and_nothing_that_it_has_not(name, reverse):
    component, x, h, _ = sequence(name, "plain", reverse)
    y = component(x, h)
    for t in range(6):
        other = x.copy()
        other[:, t] += 1
        changed = (component(other, h) != y).any(axis=-1)
        assert changed.tolist() == [[s <= t if reverse else s >= t for s in range(6)]] * 3
    assert (component(x, h + 1) != y).any(axis=-1).all()


@pytest.mark.parametrize("name", CELLS)
def test_recurrence_gradient_of_the_last_state_reaches_the_first_step_and_h(name):
    component, x, h, _ = sequence(name, "plain")
    d_y = np.zeros((3, 6, 7))
    component(x, h)
    d_y[:, -1] = 1
    d_x, d_h = component.backward(d_y)
    assert (np.abs(d_x).max(axis=-1) > 1e-6).all() and (np.abs(d_h) > 1e-9).all()
    component(x, h)
    d_y[...] = 0
    d_y[:, 2] = 1
    assert not component.backward(d_y)[0][:, 3:].any()


@pytest.mark.parametrize("name", CELLS)
def test_recurrence_carries_its_state_over_padding(name):
    component, x, h, _ = sequence(name, "plain")
    y = component(x, h, REAL)
    assert np.array_equal(y[1, 3:], np.tile(y[1, 2], (3, 1)))
    assert (
        np.array_equal(y[2, 0], h[2])
        and np.array_equal(y[2, 2], y[2, 1])
        and np.array_equal(y[2, 5], y[2, 4])
    )
    close(y[2, [1, 3, 4]], component(x[2:, [1, 3, 4]], h[2:])[0])


@pytest.mark.parametrize("reverse", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("name", CELLS)
def test_recurrence_neither_sees_padding_nor_gives_it_a_gradient(name, reverse):
    component, x, h, _ = sequence(name, "plain", reverse)
    y = component(x, h, REAL)
    d_y = normal(3, 6, 7, seed=3)
    d_x, d_h = component.backward(d_y)
    first = gradients_of(component)
    assert not d_x[~REAL].any() and d_x[REAL].all()
    component.zero_grad()
    other = np.where(REAL[..., None], x, 7.0)
    assert np.array_equal(component(other, h, REAL), y)
    d_other, d_h_other = component.backward(d_y)
    assert np.array_equal(d_other, d_x) and np.array_equal(d_h_other, d_h)
    for path, gradient in gradients_of(component).items():
        close(gradient, first[path])


@pytest.mark.parametrize("name", CELLS)
def test_recurrence_hands_the_gradient_of_padding_back_to_the_state_that_it_carried(name):
    component, x, h, _ = sequence(name, "plain")
    component(x, h, np.zeros((3, 6), dtype=bool))
    d_y = normal(3, 6, 7, seed=3)
    d_x, d_h = component.backward(d_y)
    close(d_h, d_y.sum(axis=1))
    assert not d_x.any() and not any(p.grad.any() for p in component.parameters())


@pytest.mark.parametrize("name", CELLS)
def test_recurrence_returns_no_gradient_for_a_state_that_was_not_given(name):
    component, x, h, _ = sequence(name, "plain")
    y = component(x)
    assert np.array_equal(component(x, np.zeros_like(h)), y)
    d_x, _ = component.backward(np.ones_like(y))
    assert np.array_equal(component.backward(np.ones_like(y)), d_x)


@pytest.mark.parametrize("name", CELLS)
def test_recurrence_of_two_parts_is_that_of_the_whole(name):
    component, x, h, _ = sequence(name, "plain")
    whole, d_y = component(x, h), normal(3, 6, 7, seed=3)
    d_x, d_h = component.backward(d_y)
    first = component(x[:, :2], h)
    second = component(x[:, 2:], first[:, -1])
    close(np.concatenate([first, second], axis=1), whole, atol=0)
    d_second, d_middle = component.backward(d_y[:, 2:])
    d_first_y = d_y[:, :2].copy()
    d_first_y[:, -1] += d_middle
    d_first, d_start = component.backward(d_first_y)
    close(np.concatenate([d_first, d_second], axis=1), d_x)
    close(d_start, d_h)


def test_recurrence_saves_nothing_inside_no_grad():
    component, x, h, mask = sequence("gru", "plain")
    with no_grad():
        component(x, h, mask)
    assert component.leftover_saves() == {}


def test_recurrence_refuses_what_it_cannot_read():
    component, x, h, _ = sequence("gru", "plain")
    with pytest.raises(
        InputError,
        match=(
            r"x must be .*of shape \(B, T, X\).*Got float64 of shape \(3, 5\). x\[None\] makes a "
            r"batch"
        ),
    ):
        component(x[:, 0])
    with pytest.raises(InputError, match=r"got shape \(3, 0, 5\)"):
        component(x[:, :0])
    with pytest.raises(InputError, match=r"h must be .*B is 3.*Got float64 of shape \(2, 7\)"):
        component(x, h[:2])
    with pytest.raises(
        InputError, match=r"The first state h has shape \(3, 6\), but this cell needs \(3, 7\)"
    ):
        component(x, h[:, :6])
    with pytest.raises(InputError, match=r"mask must be .*T is 6. Got bool of shape \(3, 5\)"):
        component(x, h, REAL[:, :5])
    with pytest.raises(InputError, match=r"Got int64 of shape \(3, 6\)"):
        component(x, h, REAL.astype(int))
    with pytest.raises(InputError, match=r"x must be .* (D|X) is 5. Got float64 of shape \(3, 4\)"):
        component(normal(3, 6, 4))


# -- both directions -------------------------------------------------------------------------------


def both_ways(name, size):
    """(component, x, mask), the two readings of different width where sizes are not to be
    confused."""
    batch, length, width, state = SIZES[size]
    other = 4 if size == "plain" else state
    cells = CELLS[name](width, state, rng()), CELLS[name](width, other, rng(5))
    return moved(Bidirectional(*cells)), normal(batch, length, width), mask_of(size)


@pytest.mark.parametrize("masked", [False, True], ids=["no_mask", "mask"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CELLS)
def test_bidirectional_reads_both_ways_and_has_its_gradients(name, size, masked):
    component, x, mask = both_ways(name, size)
    mask = mask if masked else None
    y, end = component(x, mask)
    ahead = by_hand(component.forwards, x, mask=mask)
    back = by_hand(component.backwards, x, mask=mask)
    close(y, np.concatenate([ahead, back], axis=-1))
    close(end, np.concatenate([ahead[:, -1], back[:, 0]], axis=-1))
    component.clear_saves()
    assert_gradients(component, x, mask, max_entries=10)


@pytest.mark.parametrize("name", CELLS)
def test_bidirectional_knows_the_whole_sequence_at_every_position(name):
    component, x, _ = both_ways(name, "plain")
    y, end = component(x)
    for t in range(6):
        other = x.copy()
        other[:, t] += 1
        after, after_end = component(other)
        assert (after != y).any(axis=-1).all() and (after_end != end).all(axis=-1).all()


def test_bidirectional_end_of_a_padded_sequence_is_that_of_the_sequence_alone():
    component, x, _ = both_ways("gru", "plain")
    y, end = component(x, REAL)
    y_alone, end_alone = component(x[1:2, :3])
    close(end[1:2], end_alone)
    close(y[1:2, :3], y_alone)


def test_bidirectional_gives_padding_no_gradient():
    component, x, mask = both_ways("gru", "plain")
    y, end = component(x, mask)
    d_x = component.backward(normal(*y.shape, seed=3), normal(*end.shape, seed=4))
    assert not d_x[~mask].any() and d_x[mask].all()


def test_widths_of_states_reach_the_weights():
    shapes = {name: p.shape for name, p in both_ways("gru", "plain")[0].named_parameters().items()}
    assert shapes["forwards.cell.input.weight"] == (5, 21) and shapes[
        "backwards.cell.state.weight"
    ] == (4, 12)
    assert math.prod(shapes["backwards.cell.input.bias"]) == 12 and len(shapes) == 8


@pytest.mark.parametrize("cell", [RNNCell, GRUCell])
def test_recurrence_asks_where_with_arrays_only_as_a_gpu_needs_it(cell, monkeypatch):
    plain_where = np.where

    def strict_where(condition, *choices):
        assert isinstance(condition, np.ndarray), (
            "CuPy's where takes no Python bool for a condition"
        )
        return plain_where(condition, *choices)

    recurrence = Recurrence(cell(5, 7, np.random.default_rng(0)))
    x = np.zeros((3, 4, 5), dtype=np.float32)
    monkeypatch.setattr(np, "where", strict_where)
    for mask in (None, np.ones((3, 4), dtype=bool)):
        y = recurrence(x, mask=mask)
        recurrence.backward(np.ones_like(y))
