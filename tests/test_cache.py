"""Decoding on a cache: the same as reading everything again, for every model."""

import numpy as np
import pytest
from common import close, refusal, rng

from minitransformer.attention import MultiHeadAttention, causal_mask
from minitransformer.core import evaluating, no_grad
from minitransformer.data import BOS
from minitransformer.layers.cache import Cache, copied, take_rows
from minitransformer.models.example import small_example
from minitransformer.older import CausalConvolution, LocalAttention
from minitransformer.runs import MODELS, configure, find_model
from minitransformer.testing import away_from_initialisation

VARIANTS = {
    "post": {}, "pre": {"norm": "pre"}, "learned": {"positions": "learned"},
    "tied": {"tie_embeddings": True},
}


def cases():
    for name, kind in MODELS.items():
        for variant, options in VARIANTS.items():
            if set(options) <= set(kind.options()):
                yield pytest.param(name, options, id=f"{name}-{variant}")


def model_of(name, options=None, dtype="float64"):
    options = {"d_model": 12, **(options or {})}
    if name in ("local-attention", "conv"):
        options |= {"window": 3} if name == "local-attention" else {"kernel_width": 2}
    config = configure(name, "toy", options, source_vocabulary=19, max_length=40)
    return away_from_initialisation(find_model(name).model(config, 0), rng(4)).to(dtype)


def sources():
    _, padded, _ = small_example(rng(4))
    return {"padded": padded, "whole": rng(5).integers(4, 19, (2, 6))}


@pytest.mark.parametrize("source", sources().values(), ids=sources())
@pytest.mark.parametrize("name, options", list(cases()))
def test_cached_logits_are_those_of_reading_all_again(name, options, source):
    model = model_of(name, options)
    target = rng(6).integers(4, 19, (len(source), 21))
    target[:, 0] = BOS
    with evaluating(model):
        whole, state = model(source, target), model.start(source)
        for t in range(21):
            logits, state = model.step(target[:, t], state)
            close(logits, whole[:, t], atol=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_in_float32_too_up_to_rounding(name):
    model, source = model_of(name, dtype="float32"), sources()["padded"]
    target = rng(6).integers(4, 19, (3, 21))
    with evaluating(model):
        whole, state = model(source, target), model.start(source)
        for t in range(21):
            logits, state = model.step(target[:, t], state)
            assert logits.dtype == np.float32
            close(logits, whole[:, t], atol=1e-5 * np.abs(whole).max())


@pytest.mark.parametrize("name", MODELS)
def test_two_continuations_of_one_state_do_not_disturb_each_other(name):
    model, source = model_of(name), sources()["padded"]
    one, other = rng(7).integers(4, 19, (2, 3, 9))
    with evaluating(model):
        _, fork = model.step(np.full(3, BOS), model.start(source))
        states = [fork, fork]
        for t in range(9):  # in turns, so that each meets what the other has left
            (first, states[0]), (second, states[1]) = (
                model.step(ids[:, t], state) for ids, state in zip((one, other), states)
            )
        for ids, last in ((one, first), (other, second)):
            target = np.concatenate([np.full((3, 1), BOS), ids], axis=1)
            close(last, model(source, target)[:, -1], atol=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_rows_of_a_state_can_be_taken_repeated_and_left_out(name):
    model, source = model_of(name), sources()["padded"]
    target, rows = rng(8).integers(4, 19, (3, 6)), np.array([2, 0, 2, 2])
    with evaluating(model):
        state = model.start(source)
        for t in range(3):
            _, state = model.step(target[:, t], state)
        state = take_rows(state, rows)
        for t in range(3, 6):
            logits, state = model.step(target[rows, t], state)
        close(logits, model(source[rows], target[rows])[:, -1], atol=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_starting_anew_forgets_the_sentence_before(name):
    model, source = model_of(name), sources()["padded"]
    ids = np.full(3, BOS)
    with evaluating(model):
        fresh, _ = model_of(name).eval().step(ids, model_of(name).start(source))
        state = model.start(source[::-1].copy())
        for _ in range(4):
            _, state = model.step(ids, state)
        again, _ = model.step(ids, model.start(source))
    assert np.array_equal(fresh, again)


@pytest.mark.parametrize("name", MODELS)
def test_a_step_saves_nothing_also_without_no_grad(name):
    model, source = model_of(name), sources()["padded"]
    _, state = model.step(np.full(3, BOS), model.start(source))
    model.step(np.full(3, 5), state)
    assert not model.leftover_saves()


@pytest.mark.parametrize("name", ["transformer", "language-model", "local-attention", "conv"])
def test_a_step_reads_one_position_however_many_came_before(name, monkeypatch):
    model, seen = model_of(name), []
    linear = type(model.layers.layers[0] if hasattr(model, "layers") else model.decoder.layers[0])
    forward = linear.forward
    monkeypatch.setattr(
        linear,
        "forward",
        lambda self, x, *rest, **options: (
            seen.append(x.shape[1]) or forward(self, x, *rest, **options)
        ),
    )
    with evaluating(model):
        state = model.start(sources()["whole"])
        seen.clear()
        for _ in range(5):
            _, state = model.step(np.array([5, 6]), state)
    assert seen and set(seen) == {1}


def test_the_encoder_is_projected_once(monkeypatch):
    model, projected = model_of("transformer"), []
    attention = model.decoder.layers[0].cross_attention
    project = attention.keys_and_values
    monkeypatch.setattr(
        attention, "keys_and_values", lambda memory: projected.append(1) or project(memory)
    )
    with evaluating(model):
        state = model.start(sources()["whole"])
        for _ in range(5):
            _, state = model.step(np.array([5, 6]), state)
    assert len(projected) == 1


def test_attention_on_a_cache_is_causal_attention():
    attention = MultiHeadAttention(12, 3, rng(), 5, 7).to("float64")
    x, cache = rng(1).standard_normal((2, 9, 12)), Cache()
    with no_grad():
        whole = attention(x, mask=causal_mask(9))
        for t in range(9):
            close(attention(x[:, t : t + 1], cache=cache), whole[:, t : t + 1])


@pytest.mark.parametrize("width", [1, 2, 3, 9, 20])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_local_attention_of_the_last_queries_is_that_of_all(width, count):
    attention, real = LocalAttention(width), rng(3).random((2, 9)) < 0.8
    q, k, v = rng(2).standard_normal((3, 2, 3, 9, 5))
    with no_grad():
        for mask in (None, real):
            close(attention(q[:, :, -count:], k, v, mask), attention(q, k, v, mask)[:, :, -count:])


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_a_convolution_on_a_cache_is_that_of_the_whole_sequence(chunk, dilation):
    convolution = CausalConvolution(4, 6, 3, rng(), dilation).to("float64")
    x, real, cache = rng(1).standard_normal((2, 10, 4)), rng(3).random((2, 10)) < 0.7, Cache()
    with no_grad():
        whole = convolution(x, real)
        for t in range(0, 10, chunk):
            part = slice(t, t + chunk)
            close(convolution(x[:, part], real[:, part], cache=cache), whole[:, part])


def test_a_cache_holds_what_it_was_given_in_order():
    cache, x = Cache(), rng().standard_normal((2, 3, 7, 4))
    with no_grad():
        for t in range(7):
            keys, values = cache.extend(x[:, :, t : t + 1], 2 * x[:, :, t : t + 1])
            assert np.array_equal(keys, x[:, :, : t + 1]) and np.array_equal(
                values, 2 * x[:, :, : t + 1]
            )
    assert cache.buffers[0].shape[-2] < 2 * 8  # room for as much again, and no more


def test_copies_of_a_cache_go_on_apart_and_leave_older_views_alone():
    x = rng().standard_normal((6, 1, 1, 4))
    with no_grad():
        first = Cache()
        for t in range(3):
            first.extend(x[t])  # the buffer has room for more at the end
        second, third = copied([first, first])
        (a,), (b,) = second.extend(x[3]), third.extend(x[4])
        assert np.array_equal(a[0, 3], x[3, 0, 0]) and np.array_equal(b[0, 3], x[4, 0, 0])
        (c,) = first.extend(x[5])
        assert np.array_equal(c[0, 3], x[5, 0, 0]) and np.array_equal(a[0, 3], x[3, 0, 0])


def test_a_copy_shares_the_memory_until_both_have_written():
    with no_grad():
        first = Cache()
        for _ in range(3):
            first.extend(np.ones((1, 1, 4)))
        second = first.copy()
        (x,) = second.extend(np.zeros((1, 1, 4)))
        assert np.shares_memory(x, first.buffers[0])


def test_what_never_grows_is_made_once():
    cache, made = Cache(), []
    with no_grad():
        for _ in range(3):
            (x,) = cache.once(lambda: made.append(1) or (np.ones((2, 3, 4)),))
            assert x.shape == (2, 3, 4)
    assert made == [1]


def test_a_cache_outside_no_grad_is_refused_because_no_backward_could_follow():
    attention = MultiHeadAttention(12, 3, rng())
    assert "inside no_grad()" in refusal(
        attention, np.ones((1, 1, 12), dtype=np.float32), cache=Cache()
    )
    assert "inside no_grad()" in refusal(Cache().once, lambda: (np.ones((1, 1)),))
