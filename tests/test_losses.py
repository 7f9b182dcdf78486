"""Cross-entropy: values against loops, gradients, padding, label smoothing, extremes."""

import math

import numpy as np
import pytest
from common import close, normal, refusal

from minitransformer.layers import CrossEntropy
from minitransformer.testing import gradient_check

SMOOTHINGS = [0.0, 0.1, 0.6]


def example(shape=(3, 5, 17)):
    """Logits with tied maxima, one of them the target, and targets with padding."""
    logits = normal(*shape)
    targets = np.random.default_rng(1).integers(1, shape[-1], size=shape[:-1])
    logits[0, 0] = 0.25
    logits[0, 1, targets[0, 1]] = logits[0, 1].max()
    targets[1, shape[1] - 2 :] = targets[2, -1] = 0
    return logits, targets


def plain_loss_and_gradient(logits, targets, smoothing, padding=0):
    """Place by place: the cross-entropy of the smoothed target q and softmax(logits), averaged over
    real targets."""
    vocabulary, losses, gradient = logits.shape[-1], [], np.zeros_like(logits)
    count = sum(int(t) != padding for t in targets.ravel())
    for place in np.ndindex(*targets.shape):
        if targets[place] == padding:
            continue
        row = logits[place]
        log_total = max(row) + math.log(sum(math.exp(v - max(row)) for v in row))
        q = [
            smoothing / vocabulary + (1 - smoothing) * (v == targets[place])
            for v in range(vocabulary)
        ]
        losses.append(-sum(q[v] * (row[v] - log_total) for v in range(vocabulary)))
        gradient[place] = [(math.exp(row[v] - log_total) - q[v]) / count for v in range(vocabulary)]
    return sum(losses) / count, gradient


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("shape", [(3, 5, 17), (4, 4, 4)], ids=["plain", "square"])
def test_loss_and_gradient_equal_the_plain_formula(shape, smoothing):
    logits, targets = example(shape)
    loss = CrossEntropy(smoothing, padding=0)
    expected, gradient = plain_loss_and_gradient(logits, targets, smoothing)
    close(loss(logits, targets), np.float64(expected))
    close(loss.backward(), gradient)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("shape", [(3, 5, 17), (4, 4, 4)], ids=["plain", "square"])
def test_loss_gradient(shape, smoothing):
    report = gradient_check(CrossEntropy(smoothing, padding=0), *example(shape))
    assert report.passed, f"\n{report}"


@pytest.mark.parametrize("leading", [(), (6,), (2, 3), (2, 3, 1)], ids=str)
def test_loss_takes_any_number_of_leading_axes(leading):
    logits, targets = normal(6, 7), np.array([1, 0, 3, 6, 2, 2])
    if leading == ():
        logits, targets = logits[0], targets[:1].reshape(())
    loss = CrossEntropy(0.1, padding=0)
    expected, gradient = plain_loss_and_gradient(logits, targets, 0.1)
    close(loss(logits.reshape(*leading, 7), targets.reshape(leading)), np.float64(expected))
    close(loss.backward(), gradient.reshape(*leading, 7))


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_gradient_of_each_row_sums_to_zero(smoothing):
    loss = CrossEntropy(smoothing, padding=0)
    loss(*example())
    close(loss.backward().sum(axis=-1), np.zeros((3, 5)))


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_padding_is_invisible(smoothing):
    logits, targets = example()
    loss = CrossEntropy(smoothing, padding=0)
    value = loss(logits, targets)
    gradient = loss.backward()
    real = targets != 0
    assert (gradient[~real] == 0).all() and gradient[real].any(axis=-1).all()
    logits[~real] = 100 * normal(*logits[~real].shape, seed=2)
    assert loss(logits, targets) == value
    assert np.array_equal(loss.backward(), gradient)
    close(loss(logits[real], targets[real]), value)
    close(loss.backward(), gradient[real])


def test_other_padding_ids_are_possible():
    logits, targets = normal(4, 5), np.array([0, 3, 3, 1])
    for padding in (3, 1, 4):
        expected, gradient = plain_loss_and_gradient(logits, targets, 0.1, padding)
        loss = CrossEntropy(0.1, padding=padding)
        close(loss(logits, targets), np.float64(expected))
        close(loss.backward(), gradient)


def test_without_padding_every_target_counts_and_0_is_a_class_like_others():
    logits, targets = normal(4, 5), np.array([0, 3, 0, 1])
    moved, loss = (targets + 1) % 5, CrossEntropy(0.1)
    value, gradient = loss(logits, targets), loss.backward()
    close(value, np.float64(plain_loss_and_gradient(logits, targets, 0.1, -1)[0]))
    close(gradient, plain_loss_and_gradient(logits, targets, 0.1, -1)[1])
    close(loss(np.roll(logits, 1, axis=-1), moved), value)


def test_the_loss_of_even_logits_is_the_logarithm_of_the_vocabulary():
    for smoothing in SMOOTHINGS:
        assert CrossEntropy(smoothing, padding=0)(
            np.zeros((2, 17)), np.array([3, 4])
        ) == pytest.approx(math.log(17))


def test_the_least_loss_with_smoothing_is_the_entropy_of_the_smoothed_target():
    q = np.full(5, 0.1 / 5)
    q[2] += 0.9
    loss = CrossEntropy(0.1, padding=0)
    assert loss(np.log(q)[None], np.array([2])) == pytest.approx(-(q * np.log(q)).sum())
    close(loss.backward(), np.zeros((1, 5)))


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("shift", [1000.0, -1000.0])
def test_loss_ignores_a_shift_of_a_row_however_large(shift, smoothing):
    logits, targets = example()
    loss = CrossEntropy(smoothing, padding=0)
    value = loss(logits, targets)
    gradient = loss.backward()
    shifted = logits + shift * np.arange(3)[:, None, None]
    close(loss(shifted, targets), value, atol=1e-9)
    close(loss.backward(), gradient, atol=1e-9)


def test_loss_of_a_hopeless_target_is_as_large_as_the_gap_and_never_infinite():
    logits = np.zeros((1, 4))
    logits[0, 3] = 5000
    loss = CrossEntropy(padding=0)
    close(loss(logits, np.array([1])), np.float64(5000))
    close(loss.backward(), np.array([[0, -1, 0, 1.0]]))
    assert CrossEntropy(padding=0)(logits, np.array([3])) == 0


def test_backward_scales_with_the_gradient_of_the_loss():
    loss, (logits, targets) = CrossEntropy(0.1, padding=0), example()
    loss(logits, targets)
    loss(logits, targets)
    once = loss.backward()
    close(loss.backward(-2.5), -2.5 * once)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_loss_keeps_the_dtype_and_is_a_scalar(dtype):
    logits, targets = example()
    for smoothing in SMOOTHINGS:
        loss = CrossEntropy(smoothing, padding=0)
        value = loss(logits.astype(dtype), targets)
        assert value.shape == () and value.dtype == dtype
        assert loss.backward().dtype == dtype
        assert loss(logits.astype(dtype), targets) == value
        assert loss.backward(np.float64(1)).dtype == dtype


def test_loss_refuses_a_batch_of_nothing_but_padding():
    assert "every target is padding" in refusal(
        CrossEntropy(padding=0), normal(2, 3, 5), np.zeros((2, 3), dtype=int)
    )


@pytest.mark.parametrize("shape", [(3, 4), (5, 3), (15,), (3, 5, 1)], ids=str)
def test_loss_refuses_targets_of_another_shape_with_both_shapes(shape):
    message = refusal(CrossEntropy(padding=0), normal(3, 5, 17), np.ones(shape, dtype=int))
    assert "here ... is (3, 5)" in message and f"of shape {shape}" in message


@pytest.mark.parametrize("wrong", [17, -1, -100])
def test_loss_refuses_a_target_outside_the_vocabulary_and_says_where(wrong):
    _, targets = example()
    targets[2, 1] = wrong
    message = refusal(CrossEntropy(padding=0), normal(3, 5, 17), targets)
    assert f"id {wrong} at position (2, 1)" in message and "17 tokens" in message


def test_loss_refuses_targets_that_are_no_integers():
    assert "float64" in refusal(CrossEntropy(padding=0), normal(3, 5, 17), np.ones((3, 5)))


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, 2])
def test_loss_refuses_a_smoothing_that_is_no_share(smoothing):
    assert str(smoothing) in refusal(CrossEntropy, smoothing)


def test_a_forbidden_token_off_target_has_probability_and_gradient_zero():
    logits = normal(2, 5)
    logits[:, 3] = -np.inf
    loss = CrossEntropy(padding=0)
    targets = np.array([1, 4])
    kept = np.delete(logits, 3, axis=1)
    assert loss(logits, targets) == pytest.approx(
        float(CrossEntropy(padding=0)(kept, np.array([1, 3])))
    )
    d_logits = loss.backward()
    assert np.isfinite(d_logits).all() and not d_logits[:, 3].any()


def test_what_stands_in_a_padded_row_does_not_matter():
    logits, targets = normal(3, 5), np.array([1, 0, 4])
    loss = CrossEntropy(0.1, padding=0)
    expected = float(loss(logits, targets))
    d_expected = loss.backward()
    for value in (np.nan, np.inf, 1e300):
        logits[1] = value
        with np.errstate(all="ignore"):
            assert float(loss(logits, targets)) == expected
            np.testing.assert_array_equal(loss.backward(), d_expected)
