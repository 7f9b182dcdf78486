"""Runs: continued bit for bit, also after a kill at any moment."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from common import finished, small_config, weights_and_state

from minitransformer.checkpoint import load_checkpoint
from minitransformer.errors import InputError, NonFiniteError
from minitransformer.hooks import Evaluate, Interrupted, Log, Moments, Save
from minitransformer.metrics import Metrics
from minitransformer.models import MODELS
from minitransformer.run import Run, TrainingOptions
from minitransformer.schedules import Constant, Cosine, Noam


def config(model="transformer", **training):
    return small_config(model, **{"steps": 24, "batch_size": 8, "log_every": 3, **training})


def without_times(metrics):
    return [{k: v for k, v in line.items() if k not in ("seconds", "tokens_per_second")} for line in metrics.read()]


@pytest.mark.parametrize("model", ["transformer", "language-model"])
@pytest.mark.parametrize("options", [{}, {"optimizer": "sgd", "schedule": "noam"}, {"optimizer": "adamw", "schedule": "constant"}], ids=str)
def test_k_steps_and_the_rest_equal_all_steps(tmp_path, model, options):
    assert_interruption_leaves_no_trace(tmp_path, model, **options)


@pytest.mark.parametrize("model", [name for name in MODELS if name not in ("transformer", "language-model")])
def test_the_older_models_too_go_on_as_if_they_had_not_stopped(tmp_path, model):
    assert_interruption_leaves_no_trace(tmp_path, model)


def assert_interruption_leaves_no_trace(tmp_path, model, **options):
    whole = finished(Run.create(tmp_path / "whole", config(model, **options)))
    part = Run.create(tmp_path / "part", config(model, **options))
    part.last_step = 11  # not a multiple of anything
    finished(part)
    rest = finished(Run.resume(tmp_path / "part"))
    assert weights_and_state(rest) == weights_and_state(whole)
    assert without_times(rest.metrics)[-1] == without_times(whole.metrics)[-1]


def test_ctrl_c_finishes_the_step_saves_and_can_be_continued(tmp_path):
    whole = finished(Run.create(tmp_path / "whole", config()))
    run = Run.create(tmp_path / "run", config())
    with Save(run) as save, pytest.raises(Interrupted):
        run.train([Log(run), Evaluate(run), Moments(run), save, lambda p: p.step == 7 and os.kill(os.getpid(), signal.SIGINT)])
    assert Run.open(tmp_path / "run").optimizer.t == 8
    assert weights_and_state(finished(Run.resume(tmp_path / "run"))) == weights_and_state(whole)


def test_the_metrics_are_cut_back_to_the_checkpoint(tmp_path):
    whole = finished(Run.create(tmp_path / "whole", config(save_every=1)))
    run = finished(Run.create(tmp_path / "run", config(save_every=1, keep=20)))
    for late in run.checkpoints()[-10:]:
        late.unlink()
    with open(run.metrics.path, "a") as file:
        file.write('{"step": 25, "lo')  # a line that a crash cut short
    assert max(line["step"] for line in Run.resume(run.folder).metrics.read()) <= 14
    resumed = finished(Run.resume(run.folder))
    assert without_times(resumed.metrics) == without_times(whole.metrics)


def test_a_run_without_a_checkpoint_yet_resumes_from_the_start(tmp_path):
    Run.create(tmp_path / "run", config())
    with pytest.raises(InputError, match="no checkpoint yet.*--resume"):
        Run.open(tmp_path / "run")
    whole = finished(Run.create(tmp_path / "whole", config()))
    assert weights_and_state(finished(Run.resume(tmp_path / "run"))) == weights_and_state(whole)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_more_steps_can_be_asked_for_and_are_remembered(tmp_path, schedule):
    first = finished(Run.create(tmp_path / "run", config(schedule=schedule)))
    longer = Run.resume(tmp_path / "run", steps=30)
    assert longer.optimizer.learning_rate(25) > 0 and Run.resume(tmp_path / "run", 30).last_step == 30
    assert finished(longer).optimizer.t == 30 and Run.open(tmp_path / "run").options.steps == 30
    assert any((first.model.state_dict()[n] != v).any() for n, v in longer.model.state_dict().items())


@pytest.mark.parametrize("steps", [None, 24, 20])
def test_a_run_with_nothing_left_to_do_says_so(tmp_path, steps):
    finished(Run.create(tmp_path / "run", config()))
    with pytest.raises(InputError, match=f"stands at step 24 of {steps or 24}: there is nothing left.*--steps 48"):
        Run.resume(tmp_path / "run", steps)


def test_resuming_from_an_older_checkpoint_drops_what_came_after_it(tmp_path):
    whole = finished(Run.create(tmp_path / "whole", config()))
    run = finished(Run.create(tmp_path / "run", config()))
    oldest = run.checkpoints()[0]
    (oldest.parent / "step-00000099.safetensors.part").write_text("half")
    again = Run.resume(oldest)
    assert [p.name for p in oldest.parent.iterdir()] == [oldest.name] and again.folder == run.folder
    assert weights_and_state(finished(again)) == weights_and_state(whole)


def test_parameters_that_are_not_finite_are_never_saved(tmp_path):
    run = finished(Run.create(tmp_path / "run", config()))
    run.model.output.weight.data[0, 0] = np.inf
    with pytest.raises(NonFiniteError, match="made the parameter output.weight infinite or NaN; it is not saved"):
        run.save()
    assert len(run.checkpoints()) == 3 and Run.open(run.folder).optimizer.t == 24


def test_lines_of_metrics_that_are_none_are_passed_over(tmp_path):
    run = finished(Run.create(tmp_path / "run", config()))
    lines = run.metrics.read()
    with open(run.metrics.path, "ab") as file:
        file.write(b"\xff garbage\n[1]\n")
    assert run.metrics.read() == lines


def test_only_the_newest_checkpoints_stay_and_each_can_be_opened_by_itself(tmp_path):
    run = finished(Run.create(tmp_path / "run", config(save_every=4, keep=2)))
    assert [p.name for p in run.checkpoints()] == ["step-00000020.safetensors", "step-00000024.safetensors"]
    assert Run.open(run.checkpoints()[0]).optimizer.t == 20
    assert Run.open(tmp_path / "run").vocabulary.tokens == run.task.vocabulary.tokens


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(tmp_path):
    run = Run.create(tmp_path / "run", config())

    def poison(progress):
        if progress.step == 12:
            run.model.encoder.layers[0].feed_forward.expand.weight.data[0, 0] = np.nan

    with Save(run) as save, pytest.raises(NonFiniteError, match="Step 13.*expand.weight"):
        run.train([save, poison])
    opened = Run.open(tmp_path / "run")
    assert opened.optimizer.t == 10 and all(np.isfinite(p.data).all() for p in opened.model.parameters())


def test_a_folder_that_holds_something_is_not_overwritten_unasked(tmp_path):
    run = finished(Run.create(tmp_path / "run", config()))
    with pytest.raises(InputError, match="is not empty. Continue it with --resume"):
        Run.create(tmp_path / "run", config())
    fresh = Run.create(tmp_path / "run", config(), overwrite=True)
    assert not fresh.checkpoints() and not fresh.metrics.read()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(InputError, match="is not empty"):
        Run.create(tmp_path / "thesis", config(), overwrite=True)
    assert run.folder.is_dir()


@pytest.mark.parametrize(
    "prepare, sentence",
    [
        (lambda run: run.folder.rename(run.folder.parent / "elsewhere"), "no run .*; there are: .*elsewhere"),
        (lambda run: [p.unlink() for p in (*run.checkpoints(), run.folder / "config.json")], "is no run: it has no checkpoints and no config"),
        (lambda run: run.checkpoints()[-1].write_bytes(run.checkpoints()[-1].read_bytes()[:-100]), "cut short or damaged, from the tensor"),
    ],
)
def test_a_run_that_cannot_be_opened_says_why(tmp_path, prepare, sentence):
    run = finished(Run.create(tmp_path / "run", config(steps=5)))
    prepare(run)
    with pytest.raises(InputError, match=sentence):
        Run.open(tmp_path / "run")


def test_a_config_of_another_version_or_damaged_is_refused(tmp_path):
    run = Run.create(tmp_path / "run", config())
    path = run.folder / "config.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 9'))
    with pytest.raises(InputError, match="version 9; this minitransformer reads version 1"):
        Run.resume(run.folder)
    path.write_text("{")
    with pytest.raises(InputError, match="damaged"):
        Run.resume(run.folder)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"warmup": -1}, "warmup must be a number from 0 on, got -1"),
        ({"seed": -1}, "seed must be a number from 0 on, got -1"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number from 0 on, got nan"),
        ({"beta2": 1.0}, "beta2 must be from 0 up to, not including, 1; got 1.0"),
        ({"optimizer": "adm"}, "no optimizer 'adm'. Did you mean 'adam'"),
        ({"schedule": "cosin"}, "no schedule 'cosin'. Did you mean 'cosine'"),
    ],
)
def test_options_are_checked_when_made(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        TrainingOptions(**changes)


def test_the_rate_of_every_schedule_is_its_peak():
    for name, kind in (("cosine", Cosine), ("noam", Noam), ("constant", Constant)):
        schedule = TrainingOptions(schedule=name, learning_rate=0.003, warmup=50, steps=400).make_schedule(64)
        assert isinstance(schedule, kind)
        assert max(schedule(t) for t in range(1, 401)) == pytest.approx(0.003) == schedule(50)


def test_metrics_that_were_never_written_are_empty(tmp_path):
    assert Metrics(tmp_path / "metrics.jsonl").read() == []


KILLS = 50


def test_a_run_that_is_killed_at_fifty_random_moments_ends_in_the_same_weights(tmp_path):
    """kill -9 again and again, each time at another moment; saving every step, so that many a kill falls into a save."""
    rng = np.random.default_rng(0)
    folder, steps = tmp_path / "killed", 100_000
    options = ["copy", "--max-length", "5", "--d-model", "32", "--heads", "2", "--d-ff", "48", "--encoder-layers", "1"]
    options += ["--decoder-layers", "1", "--dropout", "0.2", "--batch-size", "8", "--steps", str(steps), "--log-every", "3"]
    options += ["--save-every", "1", "--evaluate-every", str(steps), "--out", str(folder), "--no-pictures"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OPENBLAS_NUM_THREADS": "1"}
    started, inside_a_save = False, 0
    for _ in range(KILLS):
        arguments = ["--resume", str(folder)] if started else options
        process = subprocess.Popen(
            [sys.executable, "-m", "minitransformer", "train", *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        before = newest(folder)
        deadline = time.monotonic() + 60
        while newest(folder) == before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)  # importing: wait for the first save of this life
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        said = process.communicate()[1].decode()
        assert "minitransformer:" not in said, said
        started = (folder / "config.json").is_file()
        inside_a_save += any((folder / "checkpoints").glob("*.part"))
    survivor = Run.resume(folder)
    assert survivor.optimizer.t >= KILLS and inside_a_save >= 1
    assert all(line["step"] <= survivor.optimizer.t for line in survivor.metrics.read())

    whole = Run(tmp_path / "whole", survivor.config)
    whole.last_step = survivor.optimizer.t
    whole.train([Moments(whole)])
    assert weights_and_state(survivor) == weights_and_state(whole)


def newest(folder):
    """The name of the newest checkpoint, or None."""
    return max((p.name for p in (Path(folder) / "checkpoints").glob("step-*.safetensors")), default=None)


def test_every_checkpoint_is_open_to_a_reader_without_this_package(tmp_path):
    run = finished(Run.create(tmp_path / "run", config(steps=5)))
    tensors, facts = load_checkpoint(run.checkpoints()[-1])
    assert {"step", "config", "vocabulary", "random", "seconds", "example"} == set(facts)
    assert {name.split("/")[0] for name in tensors} == {"model", "optimizer"} | ({"moments"} if run.moments else set())
