"""On another device's memory everything is as on the CPU, and nothing strays.

The device is the stand-in of `strict_arrays.py` here; `test_gpu.py` runs the same tests on a real
card.
"""

import contextlib
import copy
import json
import re
import types

import numpy as np
import pytest
import strict_arrays
from on_a_device import close, kernels, library, need_kernels, on_device, strict_device, waited_for  # noqa: F401 - fixtures
from strict_arrays import CONSTANTS, FUNCTIONS, METHODS, OPERATORS, counted

from minitransformer.attention import attentions
from minitransformer.backend import (
    arrays,
    as_numpy,
    chosen_device,
    keep_mask,
    nearest_keep,
    on_host,
    substituted_helpers,
)
from minitransformer.backend.random import philox, philox_mask
from minitransformer.backend.updates import BLOCK, in_blocks
from minitransformer.cli import main
from minitransformer.core import Module, observe
from minitransformer.data.batching import Batch
from minitransformer.data.tasks import make_task
from minitransformer.data.vocabulary import EOS
from minitransformer.decoding import beam_search, evaluate, greedy, sample
from minitransformer.errors import InputError
from minitransformer.gpu import FORMS, accelerated, graphs, layer_norm, parity
from minitransformer.gpu.kernels import Kernel
from minitransformer.gpu.parity import deviation, passed_through
from minitransformer.gpu.replays import Replays
from minitransformer.inspection import (
    alignment_fractions,
    attention_gradients,
    attention_weights,
    source_gradients,
)
from minitransformer.layers import CrossEntropy, Dropout, LayerNorm, Linear
from minitransformer.runs import MODELS, Run
from minitransformer.runs.checkpoint import load_checkpoint
from minitransformer.testing import all_components
from minitransformer.training import SGD, Adam, AdamW, gradients, in_shares, train
from minitransformer.training.generators import rewind, states_of
from minitransformer.training.loop import Plain

COMPONENTS = all_components()
OPTIMIZERS = {
    "sgd": lambda m: SGD(m, 0.1, 0.9), "adam": lambda m: Adam(m, 0.01),
    "adamw": lambda m: AdamW(m, 0.01),
}
with_kernels = pytest.mark.usefixtures("kernels")
TRAININGS = [(name, "adam") for name in MODELS] + [
    ("transformer", name) for name in OPTIMIZERS if name != "adam"
]


# -- every component -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "component", [c for c in COMPONENTS if c not in (CrossEntropy, Dropout)],
    ids=lambda c: c.__name__,
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("form", ["as written", "by kernels"])
def test_every_component_gives_the_same_on_the_device_and_waits_for_nothing(component, dtype, form):
    """By the operations that the component is written in, and by the kernels of `gpu`, for
    components that have some."""
    if form == "by kernels":
        need_kernels()

    @contextlib.contextmanager
    def counted_inside(made):
        with (
            counted() as transfers,
            accelerated(made) if form == "by kernels" else contextlib.nullcontext(),
        ):
            yield transfers

    expected = passed_through(component, dtype, "cpu")
    found = passed_through(component, dtype, "gpu", counted_inside)
    for a, b in zip(found[:3], expected[:3]):
        close(a, b, 1e-10 if dtype == "float64" else 1e-4)
    assert waited_for(found[3], {})


def test_nothing_of_a_component_on_the_device_is_numpys(monkeypatch):
    """What comes out is the device's own, and so are the gradients."""
    seen = []
    monkeypatch.setattr(parity, "as_numpy", lambda x: seen.append(x) or as_numpy(x))
    for component in COMPONENTS:
        if component is not CrossEntropy:
            passed_through(component, "float32", "gpu")
    assert len(seen) > 3 * len(COMPONENTS) and all(isinstance(x, library().ndarray) for x in seen)


@with_kernels
def test_the_deviation_of_a_component_is_that_of_its_worst_number(monkeypatch):
    assert (
        deviation(LayerNorm, "float64") < 1e-14
        and deviation(LayerNorm, "float64", by_kernels=True) < 1e-14
    )
    wrong = layer_norm.forward, lambda norm, d_y: layer_norm.backward(norm, d_y) + 0.5
    monkeypatch.setitem(FORMS, LayerNorm, wrong)
    assert (
        0.1 < deviation(LayerNorm, "float64", by_kernels=True) <= 0.5
        and deviation(LayerNorm, "float64") < 1e-14
    )


def test_cross_entropy_looks_at_the_targets_before_they_go_to_the_device():
    expected, logits, targets = CrossEntropy.example(np.random.default_rng(3))
    found, x = CrossEntropy(expected.label_smoothing, padding=0), on_device(logits)
    with counted() as transfers:
        value, d_x = found(x, targets), found.backward(2.0)
    assert waited_for(transfers, {})
    close([float(value), d_x.get()], [expected(logits, targets), expected.backward(2.0)])
    targets = on_device(targets)
    with counted() as transfers:
        value, d_x = found(x, targets), found.backward(2.0)
    assert waited_for(transfers, {})
    close([float(value), d_x.get()], [expected(logits, as_numpy(targets)), expected.backward(2.0)])


# -- every model -----------------------------------------------------------------------------------


def pair(name, dtype="float64", **changes):
    """The same model twice, on the CPU and on the device."""
    kind = MODELS[name]
    sizes = {
        "source_vocabulary": 17, "target_vocabulary": 17, "d_model": 12, "dropout": 0.0,
        "max_length": 30, **SMALL, **changes,
    }
    config = kind.config(**{n: v for n, v in sizes.items() if n in kind.fields()}, **kind.fixed)
    return [kind.model(config, 5).to(dtype).to(device) for device in ("cpu", "gpu")]


SMALL = {"heads": 3, "d_ff": 14, "encoder_layers": 2, "decoder_layers": 2, "layers": 2, "window": 3}


def batch_of(seed=0):
    rng = np.random.default_rng(seed)
    source, target = rng.integers(4, 17, (5, 7)), rng.integers(4, 17, (5, 6))
    source[np.arange(7) >= np.array([7, 3, 5, 2, 6])[:, None]] = 0
    target[:, 0] = 1
    target_out = np.concatenate([target[:, 1:], np.full((5, 1), 2)], axis=1)
    padding = np.arange(6) >= np.array([6, 2, 4, 5, 3])[:, None]
    target[padding] = target_out[padding] = 0
    return Batch(source, target, target_out)


@pytest.mark.parametrize(
    "name, optimizer, shares",
    [(*each, 1) for each in TRAININGS] + [(*each, 2) for each in TRAININGS[:2]],
)
def test_training_follows_the_cpu_and_waits_for_two_numbers_a_step(name, optimizer, shares):
    losses = []
    for model in pair(name):
        seen = []
        seeds = iter(range(100))
        with counted() as transfers:
            made = OPTIMIZERS[optimizer](model)
            train(
                model,
                CrossEntropy(0.1, padding=0),
                made,
                lambda s=seeds: batch_of(next(s)),
                4,
                1.0,
                [seen.append],
                in_shares(shares, skip_padding=True),
            )
        losses.append([value for step in seen for value in (step.loss, step.gradient_norm)])
        if not on_host(model.flat_buffers().data):
            # the losses, and the norm of the gradients
            assert waited_for(transfers, {"__float__": 4 * (1 + shares)})
    close(*losses)


# -- a step that is replayed -----------------------------------------------------------------------


RECORDED = ("transformer", "language-model", "local-attention", "conv")
# they multiply by `@`; and `rnn` only up to eight tokens
NOT_RECORDED = ("rnn-additive", "rnn-multiplicative", "one-vector")


@pytest.fixture
def as_long_as_it_is(monkeypatch):
    """No sequence is padded to a multiple of eight: dropout's masks are those of the batch as it
    comes."""
    monkeypatch.setattr(Replays, "STEP", 1)


def shaped(seed, length):
    """A batch of that target length, with other ids and other padding for each seed."""
    batch = batch_of(seed)
    rng = np.random.default_rng([seed, length])
    target_in = np.where(
        np.arange(length) < rng.integers(1, length + 1, (5, 1)), rng.integers(4, 17, (5, length)), 0
    )
    return Batch(
        batch.source, target_in, np.where(target_in == 0, 0, rng.integers(4, 17, (5, length)))
    )


def trained_with(model, optimizer, replay, lengths):
    """(losses and norms, the final parameters, what was waited for) of a step for each length."""
    seen, batches = [], (shaped(seed, length) for seed, length in enumerate(lengths))
    with counted() as transfers:
        train(
            model,
            CrossEntropy(0.1, padding=0),
            optimizer(model),
            batches.__next__,
            len(lengths),
            1.0,
            [seen.append],
            Replays if replay else Plain,
        )
    numbers = [value for step in seen for value in (step.loss, step.gradient_norm)]
    return numbers, model.flat_buffers().data.get(), transfers


@pytest.mark.slow
@with_kernels
@pytest.mark.parametrize("name, optimizer", TRAININGS)
def test_replayed_steps_are_the_steps_that_python_makes(name, optimizer, as_long_as_it_is, recwarn):
    """With dropout, the same masks: every replay draws the seeds that the components would have
    drawn."""
    lengths = [6, 4, 6, 6, 4, 6, 4, 3]
    dropout = {"dropout": 0.3, "attention_dropout": 0.2, "activation_dropout": 0.1}
    results, generators = [], []
    for replay in (None, Replays):
        model = pair(name, **dropout)[1]
        results.append(trained_with(model, OPTIMIZERS[optimizer], replay, lengths))
        generators.append([g.bit_generator.state for g in model.generators()])
        assert not model.leftover_saves()
    close(results[1][0], results[0][0])
    close([results[1][1]], [results[0][1]])
    assert generators[0] == generators[1]
    assert waited_for(results[1][2], {"__float__": 2 * len(lengths)})
    assert bool(recwarn.list) == (name in NOT_RECORDED)


@with_kernels
@pytest.mark.parametrize("name", RECORDED)
def test_a_replay_of_longer_sequences_has_the_loss_and_the_gradients_of_the_batch(name, recwarn):
    """Lengths 5 to 8 are all padded to 8, so that one recording serves them."""
    model, expected = pair(name)[1], pair(name)[0]
    replays = Replays(model, CrossEntropy(0.1, padding=0), SGD(model, 0.0))
    plain = Plain(expected, CrossEntropy(0.1, padding=0), SGD(expected, 0.0))
    for seed, length in enumerate([6, 5, 8, 7, 6]):
        close([replays.compute(shaped(seed, length))], [plain.compute(shaped(seed, length))])
        close([model.flat_buffers().grad.get()], [expected.flat_buffers().grad])
    assert [*replays.seen.values()] == [5] and len(replays.recordings) == 1 and not recwarn.list
    assert shaped(0, 6).source.shape == (5, 7) and replays.rounded(shaped(0, 6)).source.shape == (
        5,
        8,
    )


@with_kernels
@pytest.mark.filterwarnings("ignore:.*cannot be replayed")
def test_padding_is_the_losss_own_and_a_loss_without_any_gets_the_batch_as_it_is():
    """A loss may pad with another id than 0, or count every target."""

    class Everything(Module):
        def forward(self, x, targets):
            self.save(x.shape)
            return x.sum() * 0 + targets.size

        def backward(self, d_loss):
            return on_device(np.zeros(self.saved()))

    for loss in (
        CrossEntropy(0.1, padding=3), CrossEntropy(0.1, padding=-100), CrossEntropy(0.1), Everything(),
    ):
        model = pair("transformer")[1]
        replays, plain = (kind(model, loss, SGD(model, 0.0)) for kind in (Replays, Plain))
        for seed in range(4):
            batch = shaped(seed, 6)
            padding = getattr(loss, "padding", None)
            batch.target_out[2, 4:] = 5 if padding is None else padding
            close([replays.compute(batch)], [plain.compute(batch)])


@with_kernels
def test_a_replay_checks_each_side_by_its_own_vocabulary_and_wants_a_target():
    model = pair("transformer", source_vocabulary=30)[1]
    replays = Replays(model, CrossEntropy(padding=0), SGD(model, 0.0))
    for seed, recorded in enumerate([False, False, True]):
        for field, word in (
            ("target_in", "Token id 25"), ("target_out", "Token id 25"),
            ("none", "every target is padding"),
        ):
            batch = shaped(seed, 6)
            if field == "none":
                batch.target_out[...] = 0
            else:
                getattr(batch, field)[2, 1] = 25
            assert bool(replays.recordings) == recorded
            with pytest.raises(InputError, match=word):
                replays.compute(batch)
            model.clear_saves()
        batch = shaped(seed, 6)
        batch.source[2, 1] = 25
        replays.seen.clear() if not seed else None
        replays.compute(batch)


@with_kernels
def test_evaluation_between_steps_is_not_replayed_as_training():
    model = pair("transformer", dropout=0.4)[1]
    replays = Replays(model, CrossEntropy(padding=0), SGD(model, 0.0))
    trained = {replays.compute(shaped(1, 6)) for _ in range(4)}
    model.eval()
    evaluated = {round(replays.compute(shaped(1, 6)), 10) for _ in range(4)}
    assert len(trained) == 4 and len(evaluated) == 1


@with_kernels
def test_recordings_give_way_where_a_step_of_python_lacks_their_memory(monkeypatch):
    """The step is made again, with the same masks."""
    found = []
    for lacks in (False, True):
        model = pair("transformer", dropout=0.2)[1]
        replays, full = Replays(model, CrossEntropy(padding=0), SGD(model, 0.0)), []
        for seed in range(3):
            replays.compute(shaped(seed, 8))
        backward = model.backward
        if lacks:
            model.backward = lambda d, b=backward, f=full: (
                b(d) if f else f.append(b(d)) or exec("raise MemoryError")
            )
        assert replays.recordings
        found.append(replays.compute(shaped(5, 4)))
        assert bool(replays.recordings) == (not lacks) and len(full) == lacks
    close([found[1]], [found[0]])


class Weighted(Module):
    """A loss with an array, the weight, and with a part."""

    padding = 0

    def __init__(self):
        self.part, self.weight = CrossEntropy(0.1, padding=0), np.full((1,), 2.0)

    def forward(self, x, targets):
        return (self.weight * self.part(x, targets)).sum()

    def backward(self, d_loss=1.0):
        return self.part.backward(2 * d_loss)


@pytest.mark.parametrize("strategy", [Plain, Replays])
def test_a_loss_with_arrays_is_copied_to_the_device_and_the_callers_stays_as_it_is(strategy):
    if strategy is Replays:
        need_kernels()
    (expected, model), loss = pair("transformer"), Weighted()
    plain = Plain(expected, loss, SGD(expected, 0.0))
    assert plain.loss is loss
    on_gpu = strategy(model, loss, SGD(model, 0.0))
    # has none, and `accelerated` finds it where it is
    assert strategy(model, loss.part, SGD(model, 0.0)).loss is loss.part
    assert (
        on_gpu.loss.part is not loss.part
        and on_host(loss.weight)
        and not on_host(on_gpu.loss.weight)
    )
    close([on_gpu.compute(shaped(0, 6))], [plain.compute(shaped(0, 6))])


def test_no_sequence_is_padded_beyond_what_the_model_takes():
    model = pair("transformer", max_length=15)[1]
    batch = shaped(0, 6)
    assert Replays(model, CrossEntropy(padding=0), SGD(model)).rounded(batch) is batch


@with_kernels
def test_a_step_that_python_makes_computes_by_kernels_as_a_recorded_one_does(monkeypatch):
    launched, call = set(), Kernel.__call__
    monkeypatch.setattr(
        Kernel, "__call__", lambda self, *inputs: launched.add(self.name) or call(self, *inputs)
    )
    model = pair("transformer")[1]
    Replays(model, CrossEntropy(padding=0), SGD(model, 0.0)).compute(shaped(0, 6))
    assert {"softmax", "layer_norm", "cross_entropy", "cross_entropy_backward"} <= launched


@with_kernels
def test_memory_of_recordings_goes_back_at_the_end(monkeypatch):
    model, freed = pair("transformer")[1], []
    monkeypatch.setattr(graphs.Recorder, "close", lambda self: freed.append(self))
    with Replays(model, CrossEntropy(padding=0), SGD(model, 0.0)) as replays:
        for seed in range(3):
            replays.compute(shaped(seed, 6))
        assert replays.recordings and not freed
    assert freed == [replays.recorder] and not replays.recordings


@with_kernels
def test_too_little_memory_for_a_recording_is_no_reason_to_stop(monkeypatch):
    model = pair("transformer")[1]
    replays = Replays(model, CrossEntropy(padding=0), SGD(model, 0.0))

    def full(size):
        raise RuntimeError("cudaErrorMemoryAllocation: out of memory")

    monkeypatch.setattr(library().cuda, "Memory", full)
    with pytest.warns(
        UserWarning,
        match=(
            r"cannot be replayed, so Python makes every one: there is no memory left .*out of "
            r"memory"
        ),
    ):
        found = [replays.compute(shaped(1, 6)) for _ in range(3)]
    assert found[0] == found[1] == found[2] and not replays.recordings


@with_kernels
@pytest.mark.parametrize("name", ["rnn-additive", "one-vector"])
def test_what_cannot_be_recorded_says_so_once(name):
    model = pair(name)[1]
    replays = Replays(model, CrossEntropy(padding=0), SGD(model, 0.0))
    with pytest.warns(UserWarning, match="cannot be replayed") as said:
        for seed in range(4):
            replays.compute(shaped(seed, 6))
    assert len(said) == 1 and not model.leftover_saves()


@with_kernels
def test_python_is_done_with_a_shape_after_three_batches(as_long_as_it_is):
    """It makes one, and of the next one a rehearsal and the recording."""
    model = pair("transformer", dropout=0.1)[1]
    forward, calls = model.forward, []
    model.forward = lambda source, target_in, *packing: (
        calls.append(target_in.shape[1]) or forward(source, target_in, *packing)
    )
    trained_with(model, OPTIMIZERS["sgd"], Replays, [6, 4] * 6 + [3])
    assert sorted(calls) == [3, 4, 4, 4, 6, 6, 6]


@with_kernels
def test_ids_of_a_replayed_batch_are_checked_before_they_are_copied_over():
    model = pair("transformer")[1]
    replays = Replays(model, CrossEntropy(padding=0), SGD(model, 0.0))
    for seed in range(4):
        replays.compute(shaped(seed, 6))
    for field in Batch._fields:
        batch = shaped(5, 6)
        getattr(batch, field)[2, 1] = 17
        with pytest.raises(InputError, match=r"Token id 17 at position \(2, 1\)"):
            replays.compute(batch)


@with_kernels
def test_only_so_many_shapes_are_recorded(monkeypatch, as_long_as_it_is):
    monkeypatch.setattr(Replays, "MOST", 1)
    monkeypatch.setattr(Replays, "BEFORE", 0)
    model = pair("transformer")[1]
    replays = Replays(model, CrossEntropy(padding=0), SGD(model, 0.0))
    found = [replays.compute(shaped(seed, length)) for seed, length in enumerate([6, 4, 6, 4])]
    assert list(replays.recordings) == [((5, 7), (5, 6), (5, 6), True)]
    plain = Plain(model, CrossEntropy(padding=0), SGD(model, 0.0))
    close(found, [plain.compute(shaped(seed, length)) for seed, length in enumerate([6, 4, 6, 4])])


@with_kernels
def test_a_closer_look_at_a_replayed_step_sees_its_components():
    model = pair("transformer", dropout=0.2)[1]
    replays = Replays(model, CrossEntropy(padding=0), SGD(model, 0.0))
    for seed in range(4):
        drawn_from = states_of(model.generators())
        value = replays.compute(shaped(seed, 6))
    rewind(model.generators(), drawn_from)
    paths = []
    with observe(model, lambda path, *_: paths.append(path)):
        assert replays.again(shaped(3, 6)) == pytest.approx(value, rel=1e-12)
    assert "encoder.layers.0.self_attention.attention" in paths


@with_kernels
def test_gradients_that_are_asked_to_be_zero_before_a_replay_are_those_of_the_batch():
    model = pair("transformer")[1]
    replays = Replays(model, CrossEntropy(padding=0), SGD(model, 0.0))
    for _ in range(4):
        replays.compute(shaped(1, 6))
    expected = model.flat_buffers().grad.get()
    model.zero_grad()
    replays.compute(shaped(1, 6))
    close([model.flat_buffers().grad.get()], [expected])
    assert np.abs(expected).max() > 0


@with_kernels
def test_a_parameter_that_is_not_reached_has_no_gradient_in_a_replay_either():
    model = pair("transformer")[1]
    model.unused = Linear(2, 3, np.random.default_rng(0)).to("float64").to("gpu")
    replays = Replays(model, CrossEntropy(padding=0), SGD(model, 0.0))
    for _ in range(4):
        model.unused.weight.grad += 5
        replays.compute(shaped(1, 6))
        assert not model.unused.weight.grad.get().any() and model.output.weight.grad.get().any()


@with_kernels
@pytest.mark.filterwarnings("ignore:.*cannot be replayed")
def test_a_model_that_waits_inside_a_step_is_not_recorded_and_trains_all_the_same(as_long_as_it_is):
    results = []
    for looks in (False, True):
        model = pair("transformer", dropout=0.2)[1]
        backward, tried = model.backward, []
        if looks:
            model.backward = lambda d, b=backward, t=tried: (
                t.append(1) or (b(d) if float(d.max()) else None)
            )
        replays = Replays(model, CrossEntropy(padding=0), SGD(model, 0.1))
        found = []
        for seed in range(5):
            found.append(replays.compute(shaped(seed, 6)))
            replays.update()
        # five steps, a rehearsal, an attempt
        assert len(replays.recordings) == (not looks) and (not looks or len(tried) == 7)
        assert not model.leftover_saves()
        results.append(found)
    close(results[1], results[0])


@with_kernels
def test_an_error_while_a_step_is_recorded_reaches_the_caller_and_nothing_stays_captured():
    model = pair("transformer")[1]
    replays = Replays(model, CrossEntropy(padding=0), SGD(model, 0.0))
    replays.compute(shaped(1, 6))
    backward, tried = model.backward, []
    # the rehearsal goes well
    model.backward = lambda d: tried.append(backward(d)) if not tried else None + 1
    with pytest.raises(TypeError, match="unsupported operand"):
        replays.compute(shaped(3, 6))
    model.backward = backward
    model.clear_saves()
    float(on_device(np.ones(1)).sum())


def test_on_the_cpu_there_is_nothing_to_replay():
    model = pair("transformer")[0]
    with pytest.raises(InputError, match="this model is on the CPU"):
        Replays(model, CrossEntropy(padding=0), SGD(model))


# -- decoding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_all_ways_of_decoding_write_what_they_write_on_the_cpu(name):
    source = batch_of().source
    for decode in (
        greedy, beam_search, lambda m, s, n: beam_search(m, s, n, 1),
        lambda m, s, n: sample(m, s, n, 3, top_k=9, top_p=0.9),
    ):
        expected, found = (decode(model, source, 9) for model in pair(name))
        assert isinstance(found, np.ndarray) and np.array_equal(found, expected)
    model = pair(name)[1]
    assert np.array_equal(greedy(model, on_device(source), 9).get(), greedy(model, source, 9))


@pytest.mark.parametrize("name", MODELS)
def test_decoding_waits_for_the_tokens_alone_one_step_at_a_time(name):
    model, source = pair(name)[1], batch_of().source
    step = model.step

    def endless(ids, state):
        logits, state = step(ids, state)
        logits[:, EOS] = -1e9
        return logits, state

    model.step = endless
    for decode in (greedy, lambda m, s, n: beam_search(m, s, n, 2)):
        with counted() as transfers:
            decode(model, source, 9)
        assert waited_for(transfers, {"get": 9})


def test_backward_is_under_way_before_anybody_waits_for_the_loss():
    model = pair("transformer")[1]
    backward = model.backward
    before, waited = strict_arrays.downloads.total(), []
    model.backward = lambda d_logits: (
        waited.append(strict_arrays.downloads.total() - before) or backward(d_logits)
    )
    gradients(model, CrossEntropy(padding=0), batch_of())
    assert waited == [0]


def test_the_optimizer_takes_all_parameters_at_once_on_the_device():
    calls = []
    in_blocks(
        lambda *arrays: calls.append([len(a) for a in arrays]),
        *(on_device(np.zeros(3 * BLOCK)) for _ in range(2)),
    )
    assert calls == [[3 * BLOCK, 3 * BLOCK]]


@pytest.mark.parametrize("name", MODELS)
def test_what_is_asked_of_a_model_is_the_same(name):
    for expected, found in zip(*(looked_at(model) for model in pair(name))):
        for a, b in zip(found, expected):
            close([a], [b])


def looked_at(model):
    """Everything that a picture or a figure is made of: NumPy arrays and numbers, whatever the
    device."""
    source, target = np.array([5, 9, 4, 7]), np.array([6, 8, 2])
    yield [source_gradients(model, source, target)]
    task = make_task("reverse")
    result = evaluate(model, task, "validation", 30)
    yield [result["loss"], result["token_accuracy"], result["exact_match"]]
    if attentions(model) and not name_has(model, "rnn"):
        yield attention_weights(model, source, target).values()
        yield attention_gradients(model, source, target).values()
        yield alignment_fractions(model, task, count=30).values()


def name_has(model, word):
    return word in type(model).__name__.lower()


def test_weights_and_moments_go_over_and_come_back():
    models = pair("transformer")
    optimizers = [Adam(model, 0.01) for model in models]
    for model, optimizer in zip(models, optimizers):
        train(model, CrossEntropy(padding=0), optimizer, batch_of, 2)
    for here, there in ((0, 1), (1, 0)):
        models[there].load_state_dict(
            {name: 2 * array for name, array in models[here].state_dict().items()}
        )
        optimizers[there].load_state_dict(optimizers[here].state_dict(), 2)
        for name, p in models[there].named_parameters().items():
            close([as_numpy(p.data)], [2 * as_numpy(models[here].named_parameters()[name].data)])
        close([as_numpy(optimizers[there].first_moment)], [as_numpy(optimizers[here].first_moment)])


def test_a_model_that_is_copied_is_another_one():
    model = pair("transformer")[1]
    Adam(model)
    other = copy.deepcopy(model)
    before = other.output.weight.data.get()
    model.flat_buffers().data.fill(0)
    assert (
        np.array_equal(other.output.weight.data.get(), before)
        and not model.output.weight.data.get().any()
    )


def test_ids_are_checked_on_their_way_to_the_device():
    model, batch = pair("transformer")[1], batch_of()
    batch.source[3, 1] = 17
    with pytest.raises(
        InputError, match=r"Token id 17 at position \(3, 1\) is outside the vocabulary of 17"
    ):
        model(batch.source, batch.target_in)
    targets = np.where(batch.target_out == 2, 99, batch.target_out)
    with pytest.raises(InputError, match="Token id 99"):
        CrossEntropy(padding=0)(on_device(np.zeros((5, 6, 17))), targets)
    with pytest.raises(InputError, match="every target is padding"):
        CrossEntropy(padding=0)(on_device(np.zeros((5, 6, 17))), 0 * targets)


# -- dropout ---------------------------------------------------------------------------------------


def philox_word_by_word(counter, key):
    """All four words of Philox4x32-10, as the paper writes a round, in Python's integers."""
    for n in range(10):
        k0, k1 = (key[0] + n * 0x9E3779B9) % 2**32, (key[1] + n * 0xBB67AE85) % 2**32
        high0, low0 = divmod(counter[0] * 0xD2511F53, 2**32)
        high1, low1 = divmod(counter[2] * 0xCD9E8D57, 2**32)
        counter = (high1 ^ counter[1] ^ k0, low1, high0 ^ counter[3] ^ k1, low0)
    return counter


def test_philox_gives_the_numbers_of_its_authors():
    """The known answers of Random123, the authors' library, hold for the long form, and ours is the
    long form."""
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)
    assert philox_word_by_word(*pi) == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)
    assert philox_word_by_word((0,) * 4, (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    for seed in (0, 1, 1 << 32, 0x299F31D0A4093822):
        expected = [philox_word_by_word((i, 0, 0, 0), (seed % 2**32, seed >> 32)) for i in range(5)]
        assert (
            list(zip(*(word.tolist() for word in philox(np.arange(5, dtype=np.uint64), seed))))
            == expected
        )


def mask_by_piece(seed, threshold, shape):
    """What every mask on a GPU is: 16 bits for an element, the first piece of every counter's words
    before the second."""
    size = int(np.prod(shape))
    words = [
        philox_word_by_word((i, 0, 0, 0), (seed % 2**32, seed >> 32)) for i in range(-(-size // 8))
    ]
    pieces = [
        words[i][piece // 2] >> 16 * (piece % 2) & 65535
        for piece in range(8)
        for i in range(len(words))
    ]
    return (np.array(pieces[:size]) < threshold).reshape(shape)


@pytest.mark.parametrize("seed", [0, 1, 1 << 32, 0x299F31D0A4093822, (1 << 63) - 1])
def test_masks_are_the_same_from_the_formula_from_the_kernel_and_from_a_seed_on_the_device(seed):
    like, expected = on_device(np.ones((9, 11))), mask_by_piece(seed, 40000, (9, 11))
    place = on_device(np.array([5, seed], dtype=np.uint64))[1]
    drawing = types.SimpleNamespace(integers=lambda n: seed)
    for given in (seed, place):
        assert np.array_equal(philox_mask(given, 40000, like).get(), expected)
    need_kernels()
    dropout = Dropout(1 - 40000 / 65536, drawing)
    for inside in (contextlib.nullcontext, lambda: accelerated(dropout)):
        with inside():
            for _ in range(2):
                assert np.array_equal(dropout(like).get() > 0, expected)
                with substituted_helpers(device_seed=lambda rng: place):
                    assert np.array_equal(dropout(like).get() > 0, expected)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_masks_on_the_device_keep_the_share_asked_for_element_by_element(keep):
    like = on_device(np.zeros((40, 50, 60), dtype=np.float32))
    rng = np.random.default_rng(1)
    masks = [keep_mask(rng, nearest_keep(keep), like).get() for _ in range(2)]
    for mask in masks:
        assert mask.shape == like.shape and mask.dtype == bool
        deviation = (keep * (1 - keep) / mask.size) ** 0.5
        assert abs(mask.mean() - keep) < 4 * deviation
        for axis in range(3):  # neighbours do not know of each other
            a, b = np.split(mask, 2, axis=axis)
            assert abs((a & b).mean() - keep**2) < 4 * (keep**2 * (1 - keep**2) / a.size) ** 0.5
    assert (masks[0] != masks[1]).mean() == pytest.approx(2 * keep * (1 - keep), rel=0.03)


def test_the_masks_come_from_the_models_generator_alone():
    like = on_device(np.zeros((3, 40)))
    first, again, other = (
        keep_mask(np.random.default_rng(seed), 0.5, like).get() for seed in (7, 7, 8)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_dropout_on_the_device_undoes_its_own_mask_and_waits_for_nothing():
    component = Dropout(0.3, np.random.default_rng(2))
    x = on_device(np.random.default_rng(3).standard_normal((30, 40)))
    with counted() as transfers:
        y = component(x)
        d_x = component.backward(x)
    assert not transfers
    factors = y.get() / x.get()
    assert set(np.round(factors, 9).ravel()) == {0, round(1 / nearest_keep(0.7), 9)}
    assert np.array_equal(d_x.get(), y.get())


# -- runs ------------------------------------------------------------------------------------------

TRAIN = [
    "--preset", "toy", "--batch-size", "8", "--log-every", "2", "--evaluate-every", "8",
    "--save-every", "4", "--no-pictures",
]


def command(*arguments):
    assert main([str(word) for word in arguments]) == 0


def trained(folder, device, steps, *options):
    command(
        "train", "reverse", "--steps", steps, "--out", folder, "--device", device, *TRAIN, *options
    )
    return load_checkpoint(Run.open(folder).checkpoints()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("extra", [[], ["--gpu-kernels"]], ids=["as written", "by kernels"])
@pytest.mark.parametrize("first, second", [("cpu", "gpu"), ("gpu", "cpu"), ("gpu", "gpu")])
def test_a_run_goes_on_wherever_it_is_opened(tmp_path, first, second, extra, capsys):
    """Without dropout the weights are those of the CPU; with it, those of one device all the way:
    the masks are the same.

    To rounding, on the device too: there a sum's order depends on where its memory begins, and on
    which thread comes first.
    """
    if extra:
        need_kernels()
    options = {"cpu": [], "gpu": extra}
    dropout = (
        ["--dropout", "0.2", "--attention-dropout", "0.2"]
        if first == second
        else ["--dropout", "0"]
    )
    whole = trained(
        tmp_path / "whole", second, 8, "--shares", 1, "--schedule", "constant", *dropout,
        *options[second],
    )
    trained(
        tmp_path / "parts", first, 4, "--shares", 1, "--schedule", "constant", *dropout,
        *options[first],
    )
    command(
        "train", "--resume", tmp_path / "parts", "--steps", 8, "--device", second, "--no-pictures",
        *options[second],
    )
    parts = load_checkpoint(Run.open(tmp_path / "parts").checkpoints()[-1])
    assert parts[1]["random"] == whole[1]["random"]
    for name, expected in whole[0].items():
        np.testing.assert_allclose(parts[0][name], expected, rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        pytest.param("transformer", marks=pytest.mark.slow), "rnn-additive",
        pytest.param("conv", marks=pytest.mark.slow),
    ],
)
def test_every_command_says_the_same_on_the_device(tmp_path, model, capsys):
    trained(tmp_path / "run", "gpu", 4, "--model", model)
    said = []
    for device in ("cpu", "gpu"):
        capsys.readouterr()
        command("evaluate", tmp_path / "run", "--count", 20, "--json", "--device", device)
        command("predict", tmp_path / "run", "3 1 4", "2 7", "--device", device)
        command("translate", "numbers-en-de", "seventy-nine", "--device", device)
        command(
            "translate", "numbers-en-de", "one hundred and two", "--temperature", 0.5, "--device",
            device,
        )
        said.append(capsys.readouterr().out)
        command(
            "plot", tmp_path / "run", "--text", "3 1 4", "--out", tmp_path / device, "--device",
            device,
        )
    assert re.sub(r"\d\.\d{6,}", "", said[0]) == re.sub(r"\d\.\d{6,}", "", said[1])
    pictures = [
        sorted(path.name for path in (tmp_path / device).iterdir()) for device in ("cpu", "gpu")
    ]
    assert pictures[0] == pictures[1] and len(pictures[0]) >= 2


@with_kernels
def test_kernels_are_asked_for_by_name_and_for_a_gpu(tmp_path, monkeypatch, capsys):
    """Without the option nothing of `gpu` computes."""
    launched, replayed = [], []
    call, compute = Kernel.__call__, Replays.compute
    monkeypatch.setattr(
        Kernel, "__call__", lambda self, *inputs: launched.append(self.name) or call(self, *inputs)
    )
    monkeypatch.setattr(
        Replays, "compute", lambda self, batch: replayed.append(batch) or compute(self, batch)
    )
    assert main(["train", "reverse", "--gpu-kernels", "--out", str(tmp_path / "cpu")]) == 2
    assert (
        "--gpu-kernels needs a GPU. Use it with --device gpu." in capsys.readouterr().err
        and not (tmp_path / "cpu").exists()
    )
    trained(tmp_path / "plain", "gpu", 4, "--dropout", 0)
    assert not launched and not replayed
    trained(tmp_path / "kernels", "gpu", 4, "--dropout", 0, "--gpu-kernels")
    assert {
        "adam", "squares", "column_sums", "softmax", "layer_norm", "cross_entropy", "relu_backward",
    } <= set(launched) and len(replayed) == 4
    lines = [
        (tmp_path / name / "metrics.jsonl").read_text().splitlines()
        for name in ("plain", "kernels")
    ]
    plain, found = (
        [json.loads(line)["loss"] for line in each if '"loss"' in line] for each in lines
    )
    assert len(plain) >= 2 and found == pytest.approx(plain, rel=1e-4)


@with_kernels
def test_a_run_in_two_shares_computes_by_kernels_and_is_not_replayed(tmp_path, monkeypatch, capsys):
    launched, call = [], Kernel.__call__
    monkeypatch.setattr(
        Kernel, "__call__", lambda self, *inputs: launched.append(self.name) or call(self, *inputs)
    )
    monkeypatch.setattr(
        Replays, "compute", lambda *_: pytest.fail("a step in two shares is replayed")
    )
    trained(tmp_path / "two", "gpu", 4, "--shares", 2, "--gpu-kernels")
    assert {"adam", "softmax", "layer_norm", "cross_entropy"} <= set(launched)


def test_a_new_run_on_a_gpu_takes_a_batch_whole(tmp_path, capsys):
    for n, (device, options, shares) in enumerate(
        (("gpu", [], 1), ("gpu", ["--shares", "2"], 2), ("auto", [], 2))
    ):
        trained(tmp_path / str(n), device, 4, *options)
        assert Run.open(tmp_path / str(n)).options.shares == shares


def test_the_study_stays_on_the_cpu(capsys):
    assert main(["compare", "--device", "gpu"]) == 2
    assert "--device gpu is only for comparing runs" in capsys.readouterr().err


# -- where there is no GPU -------------------------------------------------------------------------


def cupy_with(trial):
    """A module cupy in which the first use of the card is this function."""
    made = types.ModuleType("cupy")
    made.asarray = trial
    return made


def raising(problem):
    def trial(*_):
        raise problem

    return trial


@pytest.mark.parametrize(
    "found, says",
    [
        (
            raising(ModuleNotFoundError("No module named 'cupy'", name="cupy")),
            "needs CuPy, which is not installed",
        ),
        (
            raising(ImportError("libcudart.so.12: cannot open", name="cupy_backends")),
            "cannot be loaded .*libcudart.so.12",
        ),
        (
            lambda: cupy_with(
                raising(RuntimeError("cudaErrorInsufficientDriver: CUDA driver\nmore"))
            ),
            r"no GPU .*InsufficientDriver: CUDA driver\)",
        ),
        (lambda: cupy_with(raising(OSError("libnvrtc.so.12"))), "no GPU .*libnvrtc"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence_with_what_to_do(
    monkeypatch, capsys, tmp_path, found, says
):
    monkeypatch.setattr(arrays, "_cupy", found)
    with pytest.raises(InputError, match=says) as problem:
        pair("transformer")
    assert "pip install 'cupy-cuda12x[ctk]'" in str(problem.value) and "\n" not in str(
        problem.value
    )
    assert chosen_device("auto") == "cpu" == chosen_device("cpu")
    assert main(["train", "reverse", "--device", "gpu", "--out", str(tmp_path / "run")]) == 2
    assert re.search(says, capsys.readouterr().err) and not (tmp_path / "run").exists()
    assert main(["predict", "numbers-en-de", "one", "--device", "gpu"]) == 2
    assert main(["predict", "numbers-en-de", "one", "--device", "auto"]) == 0


def test_too_little_memory_is_one_sentence(monkeypatch, capsys, tmp_path):
    def train(*_, **__):
        raise MemoryError("Out of memory allocating 1,024 bytes (allocated so far: 0 bytes).")

    monkeypatch.setattr("minitransformer.runs.run.train", train)
    assert (
        main(["train", "reverse", "--out", str(tmp_path / "run"), "--device", "gpu", *TRAIN]) == 1
    )
    lines = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("minitransformer")
    ]
    assert (
        len(lines) == 1
        and "allocating 1,024 bytes" in lines[0]
        and "--batch-size" in lines[0]
        and "--device cpu" in lines[0]
    )


# -- the stand-in itself ---------------------------------------------------------------------------


def test_the_stand_in_refuses_what_cupy_refuses():
    x, y = on_device(np.ones(3)), np.ones(3)
    for stray in (
        lambda: np.exp(x), lambda: np.asarray(x), lambda: np.concatenate([x, x]),
        lambda: x + y, lambda: y + x,
        lambda: x.__setitem__(slice(None), y), lambda: x[np.array([0])],
        lambda: strict_arrays.xp.where(x > 0, y, 0),
        lambda: strict_arrays.xp.stack([x, y]), lambda: x.__iadd__(y), lambda: list(x),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            stray()


def test_the_stand_in_counts_what_has_to_be_waited_for():
    x = on_device(np.ones(3))
    with counted() as transfers:
        (x + x).sum()
        x.reshape(3, 1).max(axis=0)
    assert not transfers
    with counted() as transfers:
        bool(x.all()), float(x[0]), int(x[1]), x.get(), x.tolist(), x[2].item()
    assert transfers == {
        "__bool__": 1, "__float__": 1, "__int__": 1, "get": 1, "tolist": 1, "item": 1,
    }


def test_the_stand_in_has_no_name_that_cupy_lacks():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    assert [name for name in (*FUNCTIONS, *CONSTANTS) if not hasattr(cupy, name)] == []
    assert [name for name in METHODS if not hasattr(cupy.ndarray, name)] == []
    assert [name for name in OPERATORS if not hasattr(cupy.ndarray, f"__{name}__")] == []
    assert hasattr(cupy.add, "at")
