"""The benchmark times what it says: both models compute the same, and without PyTorch it says what is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the benchmarks are not part of this distribution")


def run(*options, path=()):
    """The finished process of the script, with the folders of `path` first among those that Python imports from."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, path), str(ROOT)])}
    command = [sys.executable, str(FOLDER / "training_step.py"), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture
def contestants(monkeypatch):
    pytest.importorskip("torch", reason='PyTorch is not installed: pip install "minitransformer[parity]"')
    monkeypatch.syspath_prepend(str(FOLDER))
    import contestants

    return contestants


def test_without_pytorch_it_says_what_to_install(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('not here')\n")
    process = run(path=[tmp_path])
    assert process.returncode == 2
    assert 'pip install "minitransformer[parity]"' in process.stderr
    assert "Traceback" not in process.stderr and process.stdout == ""


@pytest.mark.parity
def test_with_equal_weights_both_give_the_same_loss_and_gradients(contestants):
    assert contestants.check("toy") < contestants.TOLERANCE


@pytest.mark.parity
@pytest.mark.parametrize("name", ["output.weight", "transformer.decoder.layers.1.multihead_attn.in_proj_bias"])
def test_a_weight_that_differs_is_noticed(contestants, name):
    config = contestants.configuration("toy", 0.0)
    batch = contestants.batch_of("toy", config.source_vocabulary)
    ours, theirs = contestants.Ours(config, batch), contestants.Theirs(config, batch)
    theirs.take_weights(ours)
    dict(theirs.model.named_parameters())[name].data[-1:] += 0.05
    with pytest.raises(contestants.Unequal, match="differs by"):
        contestants.expect_equal_gradients(ours, theirs)


@pytest.mark.parity
def test_both_have_dropout_at_the_same_number_of_places(contestants):
    """That they are the same places is shown by the cases models/transformer_dropout_* of `test_references.py`."""
    import torch

    from minitransformer.layers import Dropout

    config = contestants.configuration("toy", 0.1)
    batch = contestants.batch_of("toy", config.source_vocabulary)
    ours, theirs = contestants.Ours(config, batch).model, contestants.Theirs(config, batch).model
    ours_places = [m for _, m in ours.named_modules() if isinstance(m, Dropout) and m.p == 0.1]
    theirs_places = [m for m in theirs.modules() if isinstance(m, torch.nn.Dropout) and m.p == 0.1]
    inside_attention = [m for m in theirs.modules() if isinstance(m, torch.nn.MultiheadAttention) and m.dropout == 0.1]
    shared = 1  # one nn.Dropout serves source and target embeddings, and ours has one for each
    assert len(ours_places) == len(theirs_places) + len(inside_attention) + shared


@pytest.mark.parity
def test_the_table_and_the_json_file(contestants, tmp_path):
    file = tmp_path / "times.json"
    process = run("--sizes", "toy", "--dropout", "0", "0.1", "--repeats", "2", "--threads", "1", "--json", str(file))
    assert process.returncode == 0, process.stderr
    assert "theirs/ours" in process.stdout and process.stdout.count("toy") == 2
    rows = json.loads(file.read_text())["rows"]
    assert [row["dropout"] for row in rows] == [0, 0.1]
    assert all(len(row["ours_all_ms"]) == len(row["theirs_all_ms"]) == 2 for row in rows)
    assert all(row["ratio"] == pytest.approx(row["theirs_ms"] / row["ours_ms"]) for row in rows)


def test_decoding_is_timed_with_and_without_the_cache_and_drawn(tmp_path):
    command = [sys.executable, str(FOLDER / "decoding_time.py"), "--preset", "toy", "--tokens", "20", "--repeats", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    options = ["--batches", "1", "2", "--picture", "time.png", "--json", "time.json"]
    process = subprocess.run([*command, *options], env=environment, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    times = json.loads((tmp_path / "time.json").read_text())
    assert len(times["1"]["on the cache"]) == len(times["1"]["reading all again"]) == 20 and set(times) == {"1", "2"}
    assert (tmp_path / "time.png").stat().st_size > 5000
