"""The benchmarks time what they say: the contestants compute the same, and what is not installed is
named."""

import importlib
import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks"
KINDS = ["training", "jax", "text", "forward", "decoding", "reverse", "memory", "import", "growth"]

pytestmark = [
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="the benchmarks are not part of this distribution"
    ),
    pytest.mark.filterwarnings("ignore:.*nested tensors"),  # of the encoder's fast path in PyTorch
]


def run(script, *options, path=(), **how):
    """The finished process of a script, with the folders of `path` first among those that Python
    imports from."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, path), str(ROOT)])}
    order = [sys.executable, str(FOLDER / script), *map(str, options)]
    return subprocess.run(
        order, env=environment, capture_output=True, text=True, timeout=500, **how
    )


def without(folder, *libraries):
    """A folder that, first on the path, hides these libraries."""
    for library in libraries:
        (folder / f"{library}.py").write_text("raise ImportError('not here')\n")
    return [folder]


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, or skip the test where one of the libraries that it needs
    is missing."""

    def imported(name, *libraries):
        for library in libraries:
            pytest.importorskip(library, reason=f"{library} is not installed")
        monkeypatch.syspath_prepend(str(FOLDER))
        return importlib.import_module(name)

    return imported


@pytest.fixture(params=["PyTorch", "JAX"])
def peer(request, load):
    """The class of each contestant of ours."""
    contestants = load("contestants", {"PyTorch": "torch", "JAX": "jax"}[request.param])
    return contestants.find(request.param)


# -- the contestants do the same -------------------------------------------------------------------


@pytest.mark.parity
def test_with_equal_weights_all_give_the_same_loss_and_gradients_and_make_the_same_step(load, peer):
    contestants = load("contestants")
    assert contestants.check("toy", peer) < contestants.TOLERANCE


def change_a_weight(load, contestant):
    """A little, one of the last: in a whole row it could not show, because what the final norm
    leaves has the sum 0."""
    if hasattr(contestant, "model"):
        dict(contestant.model.named_parameters())["output.weight"].data[-1, -1] += 1e-4
    else:
        w = contestant.state[0]
        with load("jax_contestant").float64(True):
            w["output.weight"] = w["output.weight"].at[-1, -1].add(1e-4)


@pytest.mark.parity
@pytest.mark.parametrize(
    "check", ["expect_equal_gradients", "expect_equal_logits", "expect_equal_step"]
)
def test_a_weight_that_differs_is_noticed(load, peer, check):
    contestants = load("contestants")
    ours, theirs = contestants.pair("toy", peer)
    change_a_weight(load, theirs)
    with pytest.raises(contestants.Unequal, match="differs by"):
        getattr(contestants, check)(ours, theirs)


@pytest.mark.parity
@pytest.mark.parametrize("name", [
    "transformer.decoder.layers.1.multihead_attn.in_proj_bias",
    "transformer.encoder.layers.0.norm1.weight", "target_embedding.weight",
])  # fmt: skip
def test_any_weight_that_differs_is_noticed(load, name):
    contestants = load("contestants", "torch")
    ours, theirs = contestants.pair("toy", contestants.find("PyTorch"))
    dict(theirs.model.named_parameters())[name].data[-1:] += 0.05
    with pytest.raises(contestants.Unequal, match="differs by"):
        contestants.expect_equal_gradients(ours, theirs)


@pytest.mark.parity
@pytest.mark.parametrize(
    "name, value", [("BETAS", (0.9, 0.999)), ("EPSILON", 1e-6), ("RATE", 2e-4)]
)
def test_another_adam_is_noticed(load, peer, name, value, monkeypatch):
    """Of JAX, whose Adam is written here, each number; of PyTorch, which is given them, the
    same."""
    contestants = load("contestants")
    module = importlib.import_module(peer.__module__)
    monkeypatch.setattr(module, name, value)
    ours, theirs = contestants.pair("toy", peer)
    contestants.expect_equal_gradients(ours, theirs)
    with pytest.raises(contestants.Unequal, match="the step of"):
        for _ in range(2):  # at its first step Adam cancels its betas
            contestants.expect_equal_step(ours, theirs)


@pytest.mark.parity
def test_another_loss_is_noticed(load, peer, monkeypatch):
    contestants = load("contestants")
    monkeypatch.setattr(importlib.import_module(peer.__module__), "LABEL_SMOOTHING", 0.11)
    with pytest.raises(contestants.Unequal, match="differs by"):
        contestants.check("toy", peer)


def test_a_gradient_that_is_not_a_number_is_noticed(load):
    contestants = load("contestants")
    with pytest.raises(contestants.Unequal, match="the gradient of b differs by nan"):
        contestants.expect_equal(
            {"a": np.ones(2), "b": np.ones(2)}, {"a": np.ones(2), "b": np.full(2, np.nan)},
            "the gradient of ",
        )


@pytest.mark.parity
@pytest.mark.parametrize("real, equal", [(False, True), (True, False)])
def test_logits_are_compared_where_there_is_a_target_and_nowhere_else(load, real, equal):
    contestants = load("contestants", "torch")
    ours, theirs = contestants.pair("toy", contestants.find("PyTorch"))
    where = (ours.batch.target_in != 0) == real
    logits = theirs.evaluation()().copy()
    logits[where] += 1
    theirs.evaluation = lambda: lambda: logits
    if equal:
        contestants.expect_equal_logits(ours, theirs)
    else:
        with pytest.raises(contestants.Unequal, match="logits differs by"):
            contestants.expect_equal_logits(ours, theirs)


@pytest.mark.parity
def test_both_have_dropout_at_the_same_number_of_places(load):
    """That they are the same places is shown by the cases models/transformer_dropout_* of
    `test_references.py`."""
    contestants = load("contestants", "torch")
    import torch

    from minitransformer.layers import Dropout

    config = contestants.configuration("toy", 0.1)
    batch = contestants.batch_of("toy", config.source_vocabulary)
    ours, theirs = (
        kind(config, batch).model for kind in (contestants.Ours, contestants.find("PyTorch"))
    )
    ours_places = [m for _, m in ours.named_modules() if isinstance(m, Dropout) and m.p == 0.1]
    theirs_places = [m for m in theirs.modules() if isinstance(m, torch.nn.Dropout) and m.p == 0.1]
    inside_attention = [
        m
        for m in theirs.modules()
        if isinstance(m, torch.nn.MultiheadAttention) and m.dropout == 0.1
    ]
    shared = 1  # one nn.Dropout serves source and target embeddings, and ours has one for each
    assert len(ours_places) == len(theirs_places) + len(inside_attention) + shared


# -- decoding --------------------------------------------------------------------------------------


@pytest.fixture
def decoders(load):
    """(the part, marian.py, ours, Marian), in float64."""
    part, marian = load("greedy_decoding"), load("marian", "torch", "transformers")
    ours = part.endless("toy").to("float64")
    return part, marian, ours, marian.marian_of(ours)


@pytest.mark.parity
def test_marian_with_our_weights_writes_our_tokens(decoders):
    part, marian, ours, theirs = decoders
    assert part.expect_same_logits(marian, ours, theirs) < 1e-10
    tokens = part.expect_same_tokens(marian, ours, theirs, 8, 64)
    assert tokens.shape == (8, 64) and not np.isin(tokens, [0, 2]).any()
    assert all(len(set(row)) > 3 for row in tokens.tolist())  # not one token again and again


@pytest.mark.parity
@pytest.mark.parametrize("name", [
    "lm_head.weight", "model.decoder.layers.1.encoder_attn.k_proj.weight",
    "model.encoder.layers.0.fc2.bias", "model.decoder.embed_tokens.weight",
])  # fmt: skip
def test_a_weight_of_marian_that_differs_is_noticed(decoders, name):
    part, marian, ours, theirs = decoders
    theirs.state_dict()[name].view(-1)[::3] += 1e-4
    with pytest.raises(part.command.Unequal, match="logits differs by"):
        part.expect_same_logits(marian, ours, theirs)


@pytest.mark.parity
def test_marians_own_table_of_positions_is_noticed(decoders):
    part, marian, ours, theirs = decoders
    positions = theirs.model.decoder.embed_positions
    positions.weight.copy_(positions.create_weight())
    with pytest.raises(part.command.Unequal, match="logits differs by"):
        part.expect_same_logits(marian, ours, theirs)


@pytest.mark.parity
@pytest.mark.parametrize(
    "token, complaint", [(5, "different tokens, first in row 0 at place"), (2, "Marian stopped")]
)
def test_other_tokens_and_an_early_end_are_noticed(decoders, token, complaint):
    part, marian, ours, theirs = decoders
    theirs.final_logits_bias[0, token] = 100.0
    with pytest.raises(part.command.Unequal, match=complaint):
        part.expect_same_tokens(marian, ours, theirs, 2, 16)


@pytest.mark.parity
def test_an_early_end_of_ours_is_noticed(decoders):
    part, marian, ours, theirs = decoders
    # likelier than a token that it writes
    ours.output.weight.data[:, 2] = 100 * ours.output.weight.data[:, 6]
    with pytest.raises(part.command.Unequal, match="ours stopped"):
        part.expect_same_tokens(marian, ours, theirs, 2, 16)


def test_decoding_is_timed_with_and_without_the_cache_and_drawn(tmp_path):
    options = ["--preset", "toy", "--tokens", "20", "--repeats", "1", "--batches", "1", "2"]
    process = run(
        "decoding_time.py", *options, "--picture", "time.png", "--json", "time.json", cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr
    times = json.loads((tmp_path / "time.json").read_text())
    assert len(times["1"]["on the cache"]) == len(times["1"]["reading all again"]) == 20 and set(
        times
    ) == {"1", "2"}
    assert (tmp_path / "time.png").stat().st_size > 5000


# -- learning to reverse ---------------------------------------------------------------------------


def test_the_task_is_to_reverse(load):
    task = load("reverse_task")
    source, target_in, target_out = next(task.stream(0))
    assert {int(n) for n in (source != 0).sum(axis=1)} == set(range(3, 11))
    for ids, before, after in zip(*(rows.tolist() for rows in (source, target_in, target_out))):
        digits = [token for token in ids if token]
        assert all(4 <= token < 14 for token in digits) and ids == digits + [0] * (10 - len(digits))
        assert [token for token in after if token] == [*digits[::-1], 2] and after[len(digits)] == 2
        assert [token for token in before if token] == [1, *digits[::-1]] and before[0] == 1


def test_what_counts_as_an_exact_match(load):
    task = load("reverse_task")
    _, _, target_out = task.held_out()
    lengths = (target_out != 0).sum(axis=1)
    short = int(lengths.argmin())
    right = np.eye(14)[target_out]
    assert len(target_out) == 1000 and task.exact_match(right, target_out) == 1
    # a digit, EOS, padding
    for place, score in ((0, 0.999), (lengths[short] - 1, 0.999), (lengths[short], 1)):
        wrong = right.copy()
        wrong[short, place, 3] = 2
        assert task.exact_match(wrong, target_out) == score


def test_the_stream_is_the_same_for_both_and_another_for_another_seed(load):
    child = load("reverse_child")

    def batches_of(seed):
        seen = []
        learner = SimpleNamespace(
            train=lambda batches, step: seen.extend(islice(batches, 2)),
            logits=lambda source, target_in: np.zeros((1000, 11, 14)),
        )
        child.learn(learner, {"seed": seed, "give_up": 4, "every": 2, "goal": 0.99})
        return seen

    first, again, other = batches_of(0), batches_of(0), batches_of(1)
    assert len(first) == 4
    assert all((a == b).all() for one, two in zip(first, again) for a, b in zip(one, two))
    assert not all((a == b).all() for a, b in zip(first[0], other[0]))
    assert not all((a == b).all() for a, b in zip(first[0], first[1]))


@pytest.fixture
def first_weights(tmp_path):
    """The file of the first weights, as the preparing process writes it."""
    file = tmp_path / "weights.npz"
    process = run("reverse_child.py", "weights", file, 0)
    assert process.returncode == 0, process.stderr
    return file


@pytest.mark.parity
def test_both_learners_move_the_same_weights_alike(load, first_weights):
    child = load("reverse_child")
    task = load("reverse_task")
    contestant = load("torch_contestant", "torch")
    with np.load(first_weights) as file:
        weights = dict(file)
    ours, theirs = child.Ours(weights), child.PyTorch(weights)
    losses = [learner.train(task.stream(0), 5) for learner in (ours, theirs)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    names = contestant.twins.transformer(contestant.tensors(weights))
    moved = contestant.twins.transformer(contestant.tensors(ours.model.state_dict()))
    for name, p in theirs.model.named_parameters():
        if p.ndim == 2:  # what a key bias has for a gradient is noise, of which Adam makes a step
            a, b = moved[name] - names[name], p.detach() - names[name]
            assert a.norm() > 0 and (a - b).norm() < 0.01 * a.norm(), name
    source, target_in, _ = task.held_out()
    np.testing.assert_allclose(
        ours.logits(source, target_in)[:, 0], theirs.logits(source, target_in)[:, 0], atol=1e-3
    )


@pytest.mark.parity
@pytest.mark.parametrize("side, hidden", [("ours", "torch"), ("PyTorch", "minitransformer")])
def test_neither_learner_imports_the_other_library(load, first_weights, tmp_path, side, hidden):
    load("torch_contestant", "torch")
    settings = {
        "seed": 0, "give_up": 3, "every": 2, "goal": 0.99, "fused_adam": False,
        "weights": str(first_weights),
    }
    (tmp_path / "hidden").mkdir()
    process = run(
        "reverse_child.py", side, json.dumps(settings), path=without(tmp_path / "hidden", hidden)
    )
    assert process.returncode == 0, process.stderr
    said = [json.loads(line) for line in process.stdout.splitlines()]
    assert [line["step"] for line in said] == [2, 3] and all(
        line["exact_match"] < 0.99 for line in said
    )


@pytest.mark.slow
def test_teacher_forcing_says_what_greedy_decoding_would(load, first_weights):
    from minitransformer.decoding import greedy

    child, task = load("reverse_child"), load("reverse_task")
    with np.load(first_weights) as file:
        ours = child.Ours(dict(file))
    ours.train(task.stream(0), 150)
    source, target_in, target_out = task.held_out()
    written = greedy(ours.model, source, target_out.shape[1])
    padded = np.pad(written, [(0, 0), (0, target_out.shape[1] - written.shape[1])])
    score = task.exact_match(ours.logits(source, target_in), target_out)
    assert 0.02 < score < 0.98 and score == (padded == target_out).all(axis=1).mean()


@pytest.mark.slow
def test_the_clock_stops_when_the_child_says_it_is_there(load, first_weights):
    reverse = load("reverse")
    settings = {
        "seed": 0, "give_up": 4, "every": 2, "fused_adam": False, "weights": str(first_weights),
    }
    there = reverse.learn("ours", {**settings, "goal": 0.0})
    assert there["step"] == 2 and 0 < there["seconds"] < 60
    given_up = reverse.learn("ours", {**settings, "goal": 0.99})
    assert given_up["step"] == 4 and given_up["seconds"] is None
    row = {**reverse.row(0, {"ours": there, "PyTorch": given_up}), "not_installed": []}
    assert row["ratio"] == {} and reverse.seconds("PyTorch")(row) == "not there: 0.0%"
    assert reverse.middle([there, there, given_up])["seconds"] == there["seconds"]
    assert reverse.middle([there, given_up, given_up])["seconds"] is None


# -- memory ----------------------------------------------------------------------------------------

BLOCK = 64 << 20
# touches every page
TAKE = f"import os, time; held = bytearray({BLOCK}); held[::1024] = b'x' * {BLOCK // 1024}"
HOLD = f"{TAKE}; time.sleep(0.5)"
IN_A_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])"
SHARED = f"{TAKE}; os.fork(); time.sleep(0.5)"


@pytest.mark.slow
@pytest.mark.parametrize(
    "code, least, most", [("pass", 0, 0.5), (HOLD, 1, 1.5), (IN_A_CHILD, 1, 1.5), (SHARED, 1, 1.5)]
)
def test_memory_of_children_counts_and_what_is_shared_counts_once(load, code, least, most):
    processes = load("processes")
    if not processes.memory_is_measured():
        pytest.skip("only Linux says it")
    peak = processes.peak_memory([sys.executable, "-c", code])
    assert least * BLOCK <= peak < most * BLOCK


def test_a_process_that_fails_has_no_peak(load):
    with pytest.raises(subprocess.CalledProcessError):
        load("processes").peak_memory([sys.executable, "-c", "raise SystemExit(3)"])


def test_where_the_system_does_not_say_the_row_says_so(load, monkeypatch):
    memory = load("memory")
    monkeypatch.setattr(memory.processes, "PROC", Path("nowhere"))
    monkeypatch.setattr(memory, "installed", lambda names: (list(names), []))
    (row,) = memory.rows(SimpleNamespace(size="toy", steps=1))
    assert memory.COLUMNS["ours, MiB"](row) == "not measured here" and row["megabytes"] == {}
    assert memory.processes.busy_elsewhere() is None and memory.turns.Others().cores() is None


def test_work_of_children_is_not_work_of_others(load):
    processes = load("processes")
    if not processes.memory_is_measured():
        pytest.skip("only Linux says it")
    before = processes.family_seconds()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass"])
    assert processes.family_seconds() - before > 0.4


# -- growth ----------------------------------------------------------------------------------------


def test_operations_of_a_token_grow_by_attention_alone(load):
    growth = load("growth")
    counts = [growth.operations(growth.contestant(64, n)) for n in (16, 32, 64)]
    # each product is n · D for a token, and twice that backward
    attentions, products, passes = 2 + 2 * 2, 2, 3
    assert counts[1] - counts[0] >= attentions * products * passes * 16 * 64
    assert counts[2] - counts[1] == pytest.approx(2 * (counts[1] - counts[0]))
    assert growth.grown({16: 2.0, 32: 3.0}, 32) == 1.5 and growth.grown({16: 2.0}, 16) is None


# -- turns, tables, options ------------------------------------------------------------------------


def test_the_contestants_take_turns_and_the_ratio_is_theirs_to_ours(load, monkeypatch):
    turns = load("turns")
    monkeypatch.setattr(turns, "PAUSE", 0)
    monkeypatch.setattr(turns, "TURN", 0.08)
    calls = []

    def contestant(name, seconds):
        def call():
            calls.append(name)
            turns.time.sleep(seconds)

        return call

    racing = {"ours": contestant("ours", 0.005), "slow": contestant("slow", 0.03)}
    found = turns.measured(racing, SimpleNamespace(seconds=60, repeats=4))
    assert calls[4:8] in (["ours"] * 2 + ["slow"] * 2, ["ours", "slow"] * 2)
    assert all(len(times) == 4 for times in found["all_ms"].values()) and found["calls"] == 4
    assert found["ratio"]["slow"] == found["ms"]["slow"] / found["ms"]["ours"] > 2
    assert len(turns.race({"ours": lambda: None}, seconds=0)["ours"]) >= turns.LEAST


def test_threads_get_cores_of_their_own(load, monkeypatch):
    machine = load("machine")
    # 0 and 1 are one core, 2 and 3 are one
    monkeypatch.setattr(machine, "core_of", lambda cpu: cpu // 2)
    assert machine.cores({0, 1, 2, 3}, 2) == [0, 2] and machine.cores({0, 1, 2, 3}, 3) == [0, 2, 1]
    assert machine.cores({3}, 2) == [3]
    code = (
        "import machine, os; machine.settle(1); print(os.environ['OMP_NUM_THREADS'], "
        "len(os.sched_getaffinity(0)))"
    )
    if hasattr(os, "sched_getaffinity"):
        process = subprocess.run(
            [sys.executable, "-c", code], cwd=FOLDER, capture_output=True, text=True
        )
        assert process.stdout.split() == ["1", "1"]


def test_contestants_that_differ_are_not_timed(load, capsys):
    command = load("command")

    def rows():
        raise command.Unequal("they differ.")
        yield

    assert command.report(SimpleNamespace(in_suite=True, json=None), rows(), {"size": str}, "") == 1
    assert capsys.readouterr().err == "Not timed: they differ.\n"


@pytest.mark.parametrize("script, options, sentence", [
    ("suite.py", ["--only", "nonsense"], "invalid choice: 'nonsense' (choose from"),
    ("suite.py", ["--threads", "0"], "'0' should be a whole number of at least 1"),
    ("suite.py", ["--seconds", "-1"], "should be a number of seconds above 0"),
    ("training_step.py", ["--dropout", "1"],
     "'1' should be a number from 0 up to, not including, 1"),
    ("training_step.py", ["--peer", "JAX", "--dropout", "0.1"],
     "the model in JAX has no dropout: give --dropout 0"),
    ("training_step.py", ["--json", "no/such/folder/x.json"],
     "should be a file in a folder that exists"),
    ("reverse.py", ["--seeds", "-1"], "'-1' should be a whole number of at least 0"),
])  # fmt: skip
def test_a_wrong_option_is_answered_in_a_sentence(script, options, sentence):
    process = run(script, *options)
    assert process.returncode == 2 and "Traceback" not in process.stderr
    assert sentence in process.stderr.replace("\n", " ")


# -- the whole -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_is_not_installed_is_named_and_nothing_fails(tmp_path):
    (tmp_path / "hidden").mkdir()
    file = tmp_path / "suite.json"
    options = ["--quick", "--threads", 1, "--json", file]
    process = run(
        "suite.py", *options, path=without(tmp_path / "hidden", "torch", "jax", "transformers")
    )
    assert process.returncode == 0, process.stderr
    assert 'PyTorch is not installed: pip install "minitransformer[parity]"' in process.stdout
    assert "JAX is not installed: pip install jax" in process.stdout
    assert "Marian is not installed: pip install transformers torch" in process.stdout
    parts = json.loads(file.read_text())["parts"]
    assert list(parts) == KINDS
    for name in ("training", "jax", "text", "forward", "decoding", "reverse", "import"):
        for row in parts[name]["rows"]:
            assert (
                list(row.get("ms") or row["seconds"]) == ["ours"]
                and row["not_installed"]
                and not row["ratio"]
            )


@pytest.mark.slow
def test_the_benchmark_of_a_card_runs_without_pytorch_and_says_where_there_is_no_card(tmp_path):
    (tmp_path / "hidden").mkdir()
    path = without(tmp_path / "hidden", "torch", "cupy")
    file = tmp_path / "gpu.json"
    process = run(
        "gpu_step.py", "--device", "cpu", "--quick", "--threads", 1, "--json", file, path=path
    )
    assert process.returncode == 0 and "PyTorch is not installed" in process.stdout, process.stderr
    (row,) = json.loads(file.read_text())["rows"]
    assert set(row["ms"]) == {"ours", "by Python"} and row["card"] is None and row["tokens"] == 1024
    encoder = 4 * 64**2 + 2 * 64 * 256 + 2 * 16 * 64
    decoder = 8 * 64**2 + 2 * 64 * 256 + 4 * 16 * 64
    # multiply-adds a token; backward is twice that, and sums are products too
    forward = 2 * (encoder + decoder) + 64 * 20
    assert row["tflops"]["ours"] == pytest.approx(
        2 * 3 * forward * 1024 / row["ms"]["ours"] / 1e9, rel=0.02
    )
    for command in (["gpu_step.py"], ["gpu_kernels.py"], ["greedy_decoding.py", "--device", "gpu"]):
        process = run(*command, "--quick", path=path)
        assert (
            process.returncode == 2
            and "stay on 'cpu'" in process.stderr
            and "Traceback" not in process.stderr
        )


@pytest.mark.slow
def test_the_benchmark_of_kernels_has_a_row_for_each_and_counts_what_must_be_moved(tmp_path):
    file = tmp_path / "kernels.json"
    process = run(
        "gpu_kernels.py", "--device", "cpu", "--quick", "--threads", 1, "--json", file,
        path=without(tmp_path, "torch"),
    )
    assert process.returncode == 0, process.stderr
    rows = {row["kernel"]: row for row in json.loads(file.read_text())["rows"]}
    assert list(rows) == [
        "softmax", "LayerNorm", "ReLU", "GELU", "dropout", "cross-entropy", "Adam",
    ]
    for name, row in rows.items():
        assert set(row["ms"]) == ({"ours"} if name == "Adam" else {"ours", "by formula"}) and row[
            "not_installed"
        ] == ["PyTorch"]
    seconds = rows["LayerNorm"]["ms"]["ours"] / 1000
    # x, y, d_y, x again, d_x
    assert rows["LayerNorm"]["gb_per_second"] == pytest.approx(5 * 500 * 512 * 4 / seconds / 1e9)


def test_the_share_of_a_card_is_that_of_its_data_sheet(load):
    kernels, steps = load("gpu_kernels"), load("gpu_step")
    row = {
        "card": {"card": "NVIDIA H100 80GB HBM3"}, "gb_per_second": 1675, "tf32": False,
        "tflops": {"ours": 33.5},
    }
    assert kernels.share_of_bandwidth(row) == "50%" and steps.share_of_peak(row) == "50%"
    assert steps.share_of_peak({**row, "tf32": True}) == "7%"
    assert kernels.share_of_bandwidth({**row, "card": {"card": "NVIDIA H100 PCIe"}}) == "84%"
    for unknown in (None, {"card": "NVIDIA GH200 480GB"}):
        assert (
            kernels.share_of_bandwidth({**row, "card": unknown})
            == steps.share_of_peak({**row, "card": unknown})
            == "?"
        )


@pytest.mark.slow
def test_parity_has_a_row_for_each_component_and_fails_for_one_that_is_wrong(
    load, monkeypatch, capsys
):
    import strict_arrays
    from on_a_device import need_kernels

    from minitransformer.backend import arrays
    from minitransformer.gpu import FORMS, cublas
    from minitransformer.layers import GELU

    monkeypatch.setattr(arrays, "_cupy", lambda: strict_arrays.xp)
    monkeypatch.setattr(cublas, "load_cublas", lambda xp: strict_arrays.Cublas())
    need_kernels()
    parity = load("gpu_parity")
    monkeypatch.setattr("card.facts", lambda device: None)
    monkeypatch.setattr("machine.settle", lambda threads: None)  # this process keeps its cores
    assert parity.main(["--threads", "1"]) == 0
    lines = [
        line.split("|") for line in capsys.readouterr().out.splitlines() if line.startswith("|")
    ][2:]
    cells = {
        (line[1].strip(), line[2].strip()): [cell.strip() for cell in line[2:-1]] for line in lines
    }
    assert (
        len(cells) >= 40
        and {("LayerNorm", ""), ("LayerNorm", "yes"), ("Linear", "")} <= {*cells}
        and ("Linear", "yes") not in cells
    )
    assert all(
        float(line[1]) < 1e-10 and float(line[2]) < 1e-4 and not line[3] for line in cells.values()
    )
    monkeypatch.setitem(FORMS, GELU, (FORMS[GELU][0], lambda gelu, d_y: gelu.saved() * 0))
    assert parity.main(["--threads", "1"]) == 1
    assert "WRONG" in capsys.readouterr().out


@pytest.mark.parity
def test_pytorch_takes_part_in_the_benchmark_of_a_card(load, tmp_path):
    load("contestants", "torch")
    file = tmp_path / "gpu.json"
    peers = ["--peers", "PyTorch", "bfloat16"]
    process = run(
        "gpu_step.py", "--device", "cpu", "--quick", "--threads", 1, "--dropout", 0.1, *peers,
        "--json", file,
    )
    assert process.returncode == 0, process.stderr
    (row,) = json.loads(file.read_text())["rows"]
    assert (
        set(row["ms"]) == set(row["tflops"]) == {"ours", "PyTorch", "bfloat16"}
        and row["dropout"] == 0.1
    )
    process = run("gpu_kernels.py", "--device", "cpu", "--quick", "--threads", 1, "--json", file)
    assert process.returncode == 0, process.stderr
    assert all(
        "PyTorch" in row["ms"] and not row["not_installed"]
        for row in json.loads(file.read_text())["rows"]
    )


@pytest.mark.parity
def test_the_quick_suite_has_every_row(load, tmp_path):
    for library in ("torch", "jax", "transformers"):
        load("suite", library)
    file = tmp_path / "suite.json"
    process = run("suite.py", "--quick", "--threads", 1, "--json", file)
    assert process.returncode == 0, process.stderr
    assert process.stderr == "" and "not installed" not in process.stdout
    found = json.loads(file.read_text())
    assert (
        found["quick"]
        and found["threads"] == 1
        and found["machine"]["torch"]
        and found["machine"]["blas"]
    )
    rows = {name: part["rows"] for name, part in found["parts"].items()}
    assert list(rows) == KINDS
    assert [(row["size"], row["dropout"], list(row["ms"])) for row in rows["training"]] == [
        ("toy", 0, ["ours", "PyTorch"]), ("toy", 0.1, ["ours", "PyTorch"])]  # fmt: skip
    assert [(row["size"], row["dropout"], list(row["ms"])) for row in rows["jax"]] == [
        ("toy", 0, ["ours", "JAX"])
    ]
    assert [(row["size"], list(row["ms"])) for row in rows["forward"]] == [
        ("toy", ["ours", "PyTorch", "JAX"])
    ]
    assert [(row["preset"], row["batch"], list(row["ms"])) for row in rows["decoding"]] == [
        ("toy", batch, ["ours", "Marian"]) for batch in (1, 32)]  # fmt: skip
    assert [(row["seed"], row["steps"]) for row in rows["reverse"]] == [
        (seed, {"ours": 20, "PyTorch": 20}) for seed in (0, "median")]  # fmt: skip
    assert [row["n"] for row in rows["growth"]] == [16, 32] and rows["growth"][1]["time_growth"] > 0
    (memory,), (imports,) = rows["memory"], rows["import"]
    assert set(memory["megabytes"]) == {"ours", "PyTorch"} or memory["not_measured"]
    assert set(imports["seconds"]) == {"ours", "PyTorch", "JAX"}
    for row in rows["training"] + rows["jax"] + rows["forward"] + rows["decoding"]:
        ms = row["ms"]
        assert row["ratio"] == {
            name: pytest.approx(ms[name] / ms["ours"]) for name in ms if name != "ours"
        }


@pytest.mark.parity
def test_a_table_of_training_steps_and_its_file(load, tmp_path):
    load("contestants", "torch")
    file = tmp_path / "times.json"
    options = [
        "--sizes", "toy", "--dropout", "0", "0.1", "--repeats", "3", "--threads", "1",
        "--fused-adam",
    ]
    process = run("training_step.py", *options, "--json", file)
    assert process.returncode == 0, process.stderr
    assert "PyTorch / ours" in process.stdout and process.stdout.count(" toy ") == 2
    rows = json.loads(file.read_text())["rows"]
    assert [row["dropout"] for row in rows] == [0, 0.1]
    assert all(len(times) == 3 for row in rows for times in row["all_ms"].values())


# -- how far it scales -----------------------------------------------------------------------------


def test_the_page_says_what_the_model_of_a_step_says(load, capsys, monkeypatch):
    scaling = load("scaling")
    monkeypatch.setattr(sys, "argv", ["scaling.py"])
    scaling.main()
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    page = (ROOT / "docs/machines.md").read_text(encoding="utf-8")
    assert len(rows) > 50 and [row for row in rows if row not in page] == []


def test_the_model_of_a_step_is_its_formula(load):
    scaling = load("scaling")
    about = {"machine": [[10, 3.0], [20, 4.0]], "parameters": 1000, "update": 1e-3}
    fit = {
        "sizes": {"x": about}, "efficiency": 0.5, "copying": 1e9, "message": 0.01, "adding": 1e-4,
        "overlap": 0.2,
    }  # fmt: skip
    assert scaling.between(about["machine"], 15) == 3.5
    assert scaling.between(about["machine"], 40) == 8.0  # as many seconds a token as at the end
    assert sum(scaling.step(fit, "x", 15, 1, 1).values()) == 3.5 + 1
    # four ranks, 8 Gbit/s of which half arrives: 750 numbers of 4 bytes at 5e8 bytes a second
    parts = scaling.step(fit, "x", 60, 4, 8)
    exchange = 3 * 0.01 + 3000 / 5e8
    assert parts["computing"] == 3.5 and parts["update"] == 0.25
    assert abs(parts["communication"] - (2 * exchange + 6 * 2 * 0.01 + 0.1)) < 1e-9
    # where it overlaps: eight messages for one, and a part is hidden
    fit["message"] = 0.4
    parts = scaling.step(fit, "x", 60, 4, 8)
    exchange = 3 * 8 * 0.4 + 3000 / 5e8
    hidden = min(7 / 8 * exchange, 0.2 * 3.5)
    assert abs(parts["communication"] - (2 * exchange - hidden + 6 * 2 * 0.4 + 0.1)) < 1e-9
