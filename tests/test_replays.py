"""On a GPU a step can be recorded once and replayed: the same numbers as the steps that Python
makes.

The device is the stand-in of `strict_arrays.py`, as in `test_device.py`; `test_gpu.py` runs the
same tests on a real card.
"""

import numpy as np
import pytest
from on_a_device import close, kernels, library, need_kernels, on_device, strict_device, waited_for  # noqa: F401 - fixtures
from strict_arrays import counted
from test_device import OPTIMIZERS, TRAININGS, batch_of, pair, with_kernels

from minitransformer.backend import on_host
from minitransformer.core import Module, observe
from minitransformer.data.batching import Batch
from minitransformer.errors import InputError
from minitransformer.gpu import graphs
from minitransformer.gpu.kernels import Kernel
from minitransformer.gpu.replays import Replays
from minitransformer.layers import CrossEntropy, Linear
from minitransformer.training import SGD, train
from minitransformer.training.generators import rewind, states_of
from minitransformer.training.loop import Plain

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
        CrossEntropy(0.1, padding=3), CrossEntropy(0.1, padding=-100), CrossEntropy(0.1),
        Everything(),
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
