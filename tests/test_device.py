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
from minitransformer.data.batching import Batch
from minitransformer.data.tasks import make_task
from minitransformer.data.vocabulary import EOS
from minitransformer.decoding import answers, beam_search, evaluate, greedy, sample
from minitransformer.errors import InputError
from minitransformer.gpu import FORMS, accelerated, layer_norm, parity
from minitransformer.gpu.kernels import Kernel
from minitransformer.gpu.parity import deviation, passed_through
from minitransformer.gpu.replays import Replays
from minitransformer.inspection import (
    alignment_fractions,
    attention_gradients,
    attention_weights,
    source_gradients,
)
from minitransformer.layers import CrossEntropy, Dropout, LayerNorm
from minitransformer.runs import MODELS, Run
from minitransformer.runs.checkpoint import load_checkpoint
from minitransformer.testing import all_components
from minitransformer.training import SGD, Adam, AdamW, gradients, in_shares, train

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


def test_on_a_device_nothing_is_forked(monkeypatch):
    monkeypatch.setattr("minitransformer.parallel.in_order.cores", lambda: 2)
    monkeypatch.setattr("minitransformer.parallel.in_order.Fork", lambda *_: pytest.fail("forked"))
    task, (_, model) = make_task("reverse"), pair("transformer")
    evaluate(model, task, "validation", 6, batch_size=2, jobs=2)
    sources = [np.array([4, 5, 6])] * 4
    assert len(answers(model, sources, greedy, batch_size=2, jobs=2)) == 4


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
