"""Runs: continued bit for bit, also after a kill at any moment."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest
from common import accepted, finished, refusal, small_config, weights_and_state
from common import run as command
from fuzz_run import SMALL, newest, said, tree_of, trial_of_config, trial_of_facts, trial_of_kills
from safetensors.numpy import save_file

from minitransformer.errors import InputError, NonFiniteError
from minitransformer.parallel.processes import FORK_IS_SAFE, Fork
from minitransformer.runs import MODELS, Run
from minitransformer.runs.checkpoint import load_checkpoint, save_checkpoint
from minitransformer.runs.lock import locked
from minitransformer.runs.metrics import Metrics
from minitransformer.runs.run import TrainingOptions
from minitransformer.terminal.interruption import ENDING, KeyboardInterrupts
from minitransformer.training import Constant, Cosine, Noam, Progress
from minitransformer.training.hooks import Evaluate, Interrupted, Log, Save, Snapshots


def config(model="transformer", **training):
    return small_config(model, **{"steps": 24, "batch_size": 8, "log_every": 3, **training})


def without_times(metrics):
    return [
        {k: v for k, v in line.items() if k not in ("seconds", "tokens_per_second")}
        for line in metrics.read()
    ]


@pytest.mark.parametrize("model", ["transformer", "language-model"])
@pytest.mark.parametrize(
    "options",
    [{}, {"optimizer": "sgd", "schedule": "noam"}, {"optimizer": "adamw", "schedule": "constant"}],
    ids=str,
)
def test_k_steps_and_the_rest_equal_all_steps(tmp_path, model, options):
    assert_interruption_leaves_no_trace(tmp_path, model, **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", [name for name in MODELS if name not in ("transformer", "language-model")]
)
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
        run.train(
            [
                Log(run), Evaluate(run), Snapshots(run), save,
                lambda p: p.step == 7 and os.kill(os.getpid(), signal.SIGINT),
            ]
        )
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
    assert (
        longer.optimizer.learning_rate(25) > 0 and Run.resume(tmp_path / "run", 30).last_step == 30
    )
    assert finished(longer).optimizer.t == 30 and Run.open(tmp_path / "run").options.steps == 30
    assert any(
        (first.model.state_dict()[n] != v).any() for n, v in longer.model.state_dict().items()
    )


@pytest.mark.parametrize("steps", [None, 24, 20])
def test_a_run_with_nothing_left_to_do_says_so(tmp_path, steps):
    finished(Run.create(tmp_path / "run", config()))
    with pytest.raises(
        InputError, match=f"is at step 24 of {steps or 24}: there is nothing left.*--steps 48"
    ):
        Run.resume(tmp_path / "run", steps)


def test_resuming_from_an_older_checkpoint_drops_what_came_after_it(tmp_path):
    whole = finished(Run.create(tmp_path / "whole", config()))
    run = finished(Run.create(tmp_path / "run", config()))
    oldest = run.checkpoints()[0]
    # as older versions left it
    (oldest.parent / "step-00000099.safetensors.part").write_text("half")
    again = Run.resume(oldest)
    assert [p.name for p in oldest.parent.iterdir()] == [oldest.name] and again.folder == run.folder
    assert weights_and_state(finished(again)) == weights_and_state(whole)


def test_parameters_that_are_not_finite_are_never_saved(tmp_path):
    run = finished(Run.create(tmp_path / "run", config()))
    run.model.output.weight.data[0, 0] = np.inf
    with pytest.raises(
        NonFiniteError, match="made the parameter output.weight infinite or NaN; it is not saved"
    ):
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
    assert [p.name for p in run.checkpoints()] == [
        "step-00000020.safetensors",
        "step-00000024.safetensors",
    ]
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
    assert opened.optimizer.t == 10 and all(
        np.isfinite(p.data).all() for p in opened.model.parameters()
    )


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
        (
            lambda run: (run.folder / "config.json").write_bytes(
                b"\xef\xbb\xbf" + (run.folder / "config.json").read_bytes()[:-9]
            ),
            "is damaged",
        ),
        (
            lambda run: run.folder.rename(run.folder.parent / "elsewhere"),
            "no run .*There are: .*elsewhere",
        ),
        (
            lambda run: [p.unlink() for p in (*run.checkpoints(), run.folder / "config.json")],
            "is no run: it has no checkpoints and no config",
        ),
        (
            lambda run: run.checkpoints()[-1].write_bytes(
                run.checkpoints()[-1].read_bytes()[:-100]
            ),
            "cut short or damaged, from the tensor",
        ),
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
        ({"learning_rate": 10**400}, "learning_rate must be a number from 0 on, got 1000"),
        ({"batch_size": 8.0}, "batch_size must be a whole number, got 8.0"),
        ({"learning_rate": "1e-3"}, "learning_rate must be a number, got '1e-3'"),
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
        schedule = TrainingOptions(
            schedule=name, learning_rate=0.003, warmup=50, steps=400
        ).make_schedule(64)
        assert isinstance(schedule, kind)
        assert max(schedule(t) for t in range(1, 401)) == pytest.approx(0.003) == schedule(50)


def test_metrics_that_were_never_written_are_empty(tmp_path):
    assert Metrics(tmp_path / "metrics.jsonl").read() == []


KILLS = 50

def test_the_log_counts_the_tokens_of_all_steps_since_its_last_line(monkeypatch):
    now, lines = [0.0], []
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    run = types.SimpleNamespace(
        options=types.SimpleNamespace(log_every=3), seconds=0.0,
        metrics=types.SimpleNamespace(write=lambda **line: lines.append(line)),
    )  # fmt: skip
    log = Log(run)
    for step in range(1, 7):
        now[0] += 0.5
        log(Progress(step, 1.0, 1.0, 1e-3, tokens=10 * step))
    assert [line["tokens_per_second"] for line in lines] == [60 / 1.5, 150 / 1.5]
    assert [line["seconds"] for line in lines] == [1.5, 3.0]


def test_the_film_strip_has_eight_steps_from_the_tenth_to_the_last(tmp_path):
    steps = Snapshots(Run(tmp_path, config(steps=1000))).steps
    apart = np.diff(sorted(steps))
    assert len(steps) == 8 and min(steps) == 10 and max(steps) in (999, 1000)
    assert (np.diff(apart) > 0).all()  # closer together in the beginning



def test_the_weights_of_a_small_model_are_kept_for_the_explorer_and_change_nothing(
    tmp_path, monkeypatch
):
    seen = {}

    def trained(name, steps=40):
        run = Run.create(tmp_path / name, config(steps=steps, save_every=20))

        def look(progress):
            seen[progress.step] = run.model.state_dict()

        with Save(run) as save:
            run.train([Snapshots(run), look, save])
        return run

    run = trained("run")
    kept = Run.open(tmp_path / "run").earlier_weights()
    assert [*kept] == sorted({int(step) for step in np.geomspace(10, 40, 8)} - {40})
    for step, state in kept.items():
        assert state.keys() == seen[step].keys()
        for name, array in state.items():
            assert np.array_equal(array, seen[step][name].astype(np.float16))
    assert [*Run.open(run.checkpoints()[0]).earlier_weights()] == [s for s in kept if s < 20]
    monkeypatch.setattr("minitransformer.training.hooks.SMALL", run.model.parameter_count() - 1)
    without = trained("without")
    assert not without.earlier and without.snapshots
    for name, array in run.model.state_dict().items():
        assert np.array_equal(array, without.model.state_dict()[name])
    run.optimizer.flat.data[0] = 1e5  # more than a float16 can hold
    hook = Snapshots(run)
    hook.steps.add(41)
    monkeypatch.undo()
    with np.errstate(over="ignore"):
        hook(Progress(41, 1.0, 1.0, 1e-3, 1))
    assert 41 not in run.earlier


@pytest.mark.slow
def test_a_run_that_is_killed_at_fifty_random_moments_ends_in_the_same_weights(tmp_path):
    """kill -9 again and again, each time at another moment; saving every step, so that many a kill
    falls into a save."""
    rng = np.random.default_rng(0)
    folder, steps = tmp_path / "killed", 100_000
    options = [
        "copy", "--max-length", "5", "--d-model", "32", "--heads", "2", "--d-ff", "48",
        "--encoder-layers", "1",
    ]
    options += [
        "--decoder-layers", "1", "--dropout", "0.2", "--batch-size", "8", "--steps", str(steps),
        "--log-every", "3",
    ]
    options += [
        "--save-every", "1", "--evaluate-every", str(steps), "--out", str(folder), "--no-pictures",
    ]
    environment = {
        **os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OPENBLAS_NUM_THREADS": "1",
    }
    started, inside_a_save = False, 0
    for _ in range(KILLS):
        arguments = ["--resume", str(folder)] if started else options
        process = subprocess.Popen(
            [sys.executable, "-m", "minitransformer", "train", *arguments], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
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
    whole.train([Snapshots(whole)])
    assert weights_and_state(survivor) == weights_and_state(whole)


def test_every_checkpoint_is_open_to_a_reader_without_this_package(tmp_path):
    run = finished(Run.create(tmp_path / "run", config(steps=5)))
    tensors, facts = load_checkpoint(run.checkpoints()[-1])
    assert {
        "step", "config", "vocabulary", "random", "seconds", "example", "longest_source",
        "shortest_source",
    } == set(facts)
    assert {name.split("/")[0] for name in tensors} == {"model", "optimizer"} | (
        {"moments", "earlier"} if run.snapshots else set()
    )


# -- a folder that cannot be harmed: one training at a time ----------------------------------------

TRAIN = [sys.executable, "-m", "minitransformer", "train"]
ENVIRONMENT = {
    **os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OPENBLAS_NUM_THREADS": "1",
}
TINY = """copy --max-length 5 --d-model 16 --heads 2 --d-ff 24 --encoder-layers 1
--decoder-layers 1 --steps 100000 --save-every 5 --no-pictures --out""".split()


@pytest.fixture
def training(tmp_path):
    """A process that trains in this folder, and has saved."""
    with subprocess.Popen(
        [*TRAIN, *TINY, str(tmp_path / "run")], env=ENVIRONMENT, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 60
        while not newest(tmp_path / "run") and time.monotonic() < deadline:
            time.sleep(0.01)
        assert newest(tmp_path / "run")
        yield process
        process.kill()


def test_a_second_training_in_a_folder_gets_one_sentence_and_the_first_goes_on(
    tmp_path, training, capsys
):
    folder = tmp_path / "run"
    assert "Another training is running" in refusal(Run.resume, folder)
    for way in (
        f"--resume {folder}", f"--resume {folder} --steps 200000", f"copy --out {folder}",
        f"copy --out {folder} --overwrite",
    ):
        config = (folder / "config.json").read_bytes()
        status, _, err = command(f"train {way} --no-pictures", capsys)
        assert (
            status == 2
            and err.count("\n") == 1
            and f"Another training is running in {folder}. Wait until it has ended" in err
        )
        assert (folder / "config.json").read_bytes() == config
    before = newest(folder)
    Run.open(folder)  # whoever only looks is not kept out
    deadline = time.monotonic() + 60
    while newest(folder) <= before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert training.poll() is None and newest(folder) > before


@pytest.mark.skipif(not FORK_IS_SAFE, reason="processes cannot be forked here")
@pytest.mark.parametrize("stopped", [False, True], ids=["", "a fork of it is left and stopped"])
def test_a_training_that_was_killed_locks_nobody_out(tmp_path, training, stopped):
    children = (
        [
            int(pid)
            for pid in Path(f"/proc/{training.pid}/task/{training.pid}/children")
            .read_text()
            .split()
        ]
        if stopped
        else []
    )
    for child in children:
        os.kill(child, signal.SIGSTOP)
    training.kill()
    training.wait()
    try:
        assert (tmp_path / "run" / ".lock").exists()
        assert Run.resume(tmp_path / "run", 200_000).optimizer.t == newest(tmp_path / "run")
        assert not (tmp_path / "run" / ".lock").exists()
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)


def test_two_threads_do_not_train_in_one_folder_and_one_may_take_its_lock_twice(tmp_path):
    met = []

    def other():
        met.append(refusal(Run.resume, tmp_path / "run"))

    Run.create(tmp_path / "run", config())
    with locked(tmp_path / "run"):
        accepted(Run.resume, tmp_path / "run")
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(met) == 1 and "Another training is running" in met[0]
    thread = threading.Thread(target=lambda: met.append(Run.resume(tmp_path / "run").optimizer.t))
    thread.start()
    thread.join()
    assert met[1:] == [0] and {p.name for p in (tmp_path / "run").iterdir()} == {
        "config.json",
        "checkpoints",
    }


@pytest.mark.skipif(not FORK_IS_SAFE, reason="processes cannot be forked here")
def test_a_fork_does_not_hold_the_lock_of_its_parent(tmp_path):
    (tmp_path / "run").mkdir()
    with locked(tmp_path / "run"):
        fork = Fork(
            lambda: lambda message: refusal(lambda: locked(tmp_path / "run").__enter__()).encode(),
            (), "",
        )
        fork.send(b"")
        assert b"Another training" in fork.receive()  # the fork is another process
        handles = [
            os.path.realpath(link) for link in Path(f"/proc/{fork.process.pid}/fd").iterdir()
        ]
        assert not any(".lock" in handle for handle in handles)
        fork.close()
        fork = Fork(lambda: lambda message: b"", (), "")
    with locked(tmp_path / "run"):
        fork.close()


def test_a_run_whose_folder_was_taken_meanwhile_does_not_train(tmp_path):
    first = Run.create(tmp_path / "run", config())
    second = Run.create(tmp_path / "run", config(), overwrite=True)
    assert "Another run has been made in" in refusal(first.train)
    assert finished(second).optimizer.t == 24


# -- only what the run made ------------------------------------------------------------------------


def strange_files(run, other):
    """Put into a run's folder what a user may have there; returns {path: content}."""
    place, its_own = run.folder / "checkpoints", {*run.folder.rglob("*")}
    own = place / "step-00000015.safetensors"
    shutil.copy(own, place / f"{own.stem} (copy).safetensors")
    shutil.copy(own, place / "step-best.safetensors")
    shutil.copy(own, place / f"step-{int(own.stem[5:])}.safetensors")
    shutil.copy(other.checkpoints()[0], place / "step-00000007.safetensors")
    shutil.copy(other.checkpoints()[-1], place / "step-99999999.safetensors")
    shutil.copy(other.checkpoints()[-1], place / "step-00000012.safetensors")
    shutil.copy(own, place / "step-00000008.safetensors")  # its own, under another step's name
    (place / "step-00000099.safetensors").mkdir()
    (place / "step-00000099.safetensors" / "thesis.txt").write_text("years of work")
    for name in (
        "notes.txt", "step-00000003.txt", "x.part", "step-00000050.safetensors.bak",
        "step-5.safetensors.part",
    ):
        (place / name).write_text("mine")
        (run.folder / name).write_text("mine")
    (place / "step-00000055.safetensors").symlink_to(other.checkpoints()[0])
    (run.folder / "pictures").mkdir(exist_ok=True)
    (run.folder / "pictures" / "cat.png").write_text("meow")
    return {p: p.read_bytes() for p in run.folder.rglob("*") if p.is_file() and p not in its_own}


@pytest.mark.slow
@pytest.mark.parametrize("average", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_what_a_user_puts_beside_harms_nothing_and_is_not_harmed(tmp_path, average, capsys):
    whole = finished(Run.create(tmp_path / "whole", config(average=average)))
    other = finished(Run.create(tmp_path / "other", config(steps=12, seed=3)))
    run = Run.create(tmp_path / "run", config(average=average))
    run.last_step = 15
    finished(run)
    kept = strange_files(run, other)
    assert Run.open(run.folder).optimizer.t == 15
    resumed = finished(Run.resume(run.folder))
    assert weights_and_state(resumed) == weights_and_state(whole)
    assert [p.name for p in resumed.checkpoints()] == [p.name for p in whole.checkpoints()]
    mean, expected = (Run.open(folder).model.state_dict() for folder in (run.folder, whole.folder))
    assert all(np.array_equal(array, expected[name]) for name, array in mean.items())
    again = Run.resume(run.checkpoints()[0])
    assert {p.name for p in again.aside.iterdir()} == {
        *(p.name for p in whole.checkpoints()[1:]),
        "metrics.jsonl",
    }
    assert {p: p.exists() and p.read_bytes() for p in kept} == kept
    Run.create(run.folder, config(), overwrite=True)
    assert {p: p.exists() and p.read_bytes() for p in kept} == kept
    assert (
        run.folder / "checkpoints" / "step-00000099.safetensors" / "thesis.txt"
    ).read_text() == "years of work"
    status, _, err = command(f"plot {whole.folder}", capsys)
    assert status == 0, err


UNUSED = {  # {what lies among a run's checkpoints: (its name, why it is not used)}
    "a copy": (
        "copy of step-00000010.safetensors",
        "its name is not of the form step-00000020.safetensors",
    ),
    "another step": ("step-00000009.safetensors", "its name says another step than its content"),
    "of another run": ("step-00000008.safetensors", "of another run"),
    "somebody else's": ("step-00000007.safetensors", "no checkpoint of minitransformer"),
    "damaged": ("step-00000006.safetensors", "it cannot be read"),
    "a folder": ("step-00000004.safetensors", "a folder"),
    "a link": ("step-00000003.safetensors", "a link"),
}
ASKING = (
    "evaluate {}", "predict {} '3 1 4'", "translate {} '3 1 4'", "plot {}",
    "export {} model.safetensors --overwrite", "train --resume {} --steps 99 --no-pictures",
)


def put_unused(what, place, other):
    name, why = UNUSED[what]
    own, path = place / "step-00000010.safetensors", place / name
    if what in ("a copy", "another step"):
        shutil.copy(own, path)
    elif what == "of another run":
        shutil.copy(other.checkpoints()[0], path)
    elif what == "somebody else's":
        save_file({"weight": np.zeros(3, np.float32)}, path)
    elif what == "damaged":
        path.write_bytes(own.read_bytes()[:-20][:2000])
    elif what == "a folder":
        path.mkdir()
    else:
        path.symlink_to(own)
    return f"{name} ({why})"


@pytest.mark.slow
def test_what_lies_among_the_checkpoints_and_is_not_used_is_named_with_the_reason_by_every_command(
    tmp_path, capfd, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    other = finished(Run.create(tmp_path / "other", config(steps=8, save_every=8, seed=3)))
    run = finished(Run.create(tmp_path / "run", config(steps=10)))
    Run.open(run.folder)
    assert "not used" not in capfd.readouterr().err
    for what in UNUSED:
        sentence = put_unused(what, run.folder / "checkpoints", other)
        Run.open(run.folder)
        assert (
            capfd.readouterr().err
            == f"minitransformer: In {run.folder / 'checkpoints'}, this is not used: {sentence}.\n"
        )
        path = run.folder / "checkpoints" / UNUSED[what][0]
        path.rmdir() if what == "a folder" else path.unlink()
    for what in UNUSED:
        put_unused(what, run.folder / "checkpoints", other)
    for words in ASKING:
        status, _, err = command(words.format(run.folder), capfd)
        assert status == 0 and err.count("this is not used:") == 1 and ", and 2 more." in err, words


@pytest.mark.parametrize("known", [True, False], ids=["", "without config.json"])
def test_a_folder_of_copies_alone_says_what_they_are(tmp_path, known, capfd):
    run = finished(Run.create(tmp_path / "run", config(steps=5)))
    (place,) = run.checkpoints()
    place.rename(place.with_name(f"copy of {place.name}"))
    if not known:
        (run.folder / "config.json").unlink()
    sentence = refusal(Run.open, run.folder)
    assert f"this is not used: copy of {place.name} (its name is not of the form" in sentence, (
        sentence
    )
    if known:
        assert (
            Run.resume(run.folder).optimizer.t == 0
            and f"copy of {place.name} (its name" in capfd.readouterr().err
        )


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "checkpoints"])
@pytest.mark.parametrize("kind", ["the other kind", *["neither"] * hasattr(os, "mkfifo")])
def test_a_folder_for_a_file_and_a_file_for_a_folder_are_one_sentence(
    tmp_path, name, kind, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    run = finished(Run.create(tmp_path / "run", config(steps=5)))
    path = run.folder / name
    path.rename(tmp_path / "elsewhere")
    if kind == "neither":
        os.mkfifo(path)
    elif name == "checkpoints":
        path.write_text("mine")
    else:
        path.mkdir()
    compared = "compare {0} {0}"
    new = "train copy --out {} --overwrite --no-pictures"
    for words in (*ASKING, compared, new):
        status, out, err = command(words.format(run.folder), capsys)
        kind = "folder" if name == "checkpoints" else "file"
        assert (status, out) == (2, "") and err.count("\n") == 1, err
        assert f"{path} is not a {kind}, as a run has it there. Move it elsewhere" in err, err
    if name != "checkpoints":
        assert f"{path} is not a file" in refusal(Run.open, run.checkpoint_path())
        assert f"{path} is not a file" in refusal(Run.resume, run.checkpoint_path())


@pytest.mark.slow
@pytest.mark.parametrize("metrics", ["written", "deleted", "never written"])
@pytest.mark.parametrize("stop", [1, 4, 7, 10, 13])
def test_an_interrupted_checkpoint_stays_until_a_later_one_is_there(tmp_path, stop, metrics):
    def train_until(run, stop):
        with Save(run) as save, contextlib.suppress(Interrupted):
            run.train([Log(run), lambda p: p.step == stop and save.ask(), save])

    run = Run.create(tmp_path / "run", config(log_every=1000 if metrics == "never written" else 1))
    train_until(run, stop)
    if metrics == "deleted":
        run.metrics.path.unlink()
    assert run.metrics.path.exists() == (metrics == "written")
    before = tree_of(run.folder / "checkpoints")
    resumed = Run.resume(run.folder)
    assert (
        resumed.optimizer.t == stop
        and resumed.aside is None
        and tree_of(run.folder / "checkpoints") == before
    )
    train_until(resumed, stop + 1)
    assert newest(run.folder) == stop + 1
    if stop > 5:
        interrupted = (run.folder / "checkpoints" / f"step-{stop + 1:08d}.safetensors").read_bytes()
        aside = Run.resume(run.folder / "checkpoints" / "step-00000005.safetensors").aside
        assert (aside / f"step-{stop + 1:08d}.safetensors").read_bytes() == interrupted


def test_a_link_to_a_checkpoint_of_its_own_is_the_users(tmp_path):
    run = finished(Run.create(tmp_path / "run", config(steps=10)))
    place, elsewhere = run.checkpoints()[1], tmp_path / "kept.safetensors"
    shutil.move(place, elsewhere)
    place.symlink_to(elsewhere)
    finished(accepted(Run.resume, run.folder))
    assert (
        run.folder / "not-of-this-run" / place.name
    ).resolve() == elsewhere and not place.is_symlink()


@pytest.mark.slow
@pytest.mark.parametrize("what", ["of another run", "a folder", "a link", "a text"])
def test_what_stands_where_a_checkpoint_belongs_is_moved_and_named(tmp_path, capfd, what):
    other = finished(Run.create(tmp_path / "other", config(steps=10, seed=3)))
    run = Run.create(tmp_path / "run", config())
    place = run.folder / "checkpoints" / "step-00000010.safetensors"
    content = other.checkpoints()[-1].read_bytes() if what == "of another run" else b"mine"
    if what == "a folder":
        place.mkdir()
        (place / "thesis.txt").write_bytes(content)
    elif what == "a link":
        (tmp_path / "target").write_bytes(content)
        place.symlink_to(tmp_path / "target")
    else:
        place.write_bytes(content)
    finished(run)
    moved = run.folder / "not-of-this-run" / place.name
    assert f"{place} was not of this run: it is {moved} now." in capfd.readouterr().err
    assert (moved / "thesis.txt" if what == "a folder" else moved).read_bytes() == content
    assert [p.name for p in run.checkpoints()] == [
        "step-00000015.safetensors", "step-00000020.safetensors", "step-00000024.safetensors",
    ]
    assert finished(Run.resume(run.folder, 30)).optimizer.t == 30


def test_a_foreign_checkpoint_alone_is_refused_and_not_trained_over(tmp_path):
    other = finished(Run.create(tmp_path / "other", config(steps=5)))
    run = Run.create(tmp_path / "run", config(steps=5))
    shutil.copy(other.checkpoints()[0], run.folder / "checkpoints")
    before = tree_of(run.folder)
    for ask in (Run.open, Run.resume):
        sentence = refusal(ask, run.folder)
        assert (
            "of another run: id is" in sentence
            and "Move it to another folder; it can be used there." in sentence
        )
    assert "of another run" in refusal(
        Run.open, run.folder / "checkpoints" / "step-00000005.safetensors"
    )
    assert tree_of(run.folder) == before
    shutil.move(
        run.folder / "checkpoints" / "step-00000005.safetensors", tmp_path / "alone.safetensors"
    )
    assert Run.open(tmp_path / "alone.safetensors").optimizer.t == 5
    assert "is outside a run's folder" in refusal(Run.resume, tmp_path / "alone.safetensors", 9)


def test_a_damaged_checkpoint_among_the_last_is_not_left_out_of_the_mean_in_silence(tmp_path):
    run = finished(Run.create(tmp_path / "run", config(average=3)))
    middle = run.checkpoints()[1]
    middle.write_bytes(middle.read_bytes()[:100])
    assert "cut short or damaged" in refusal(Run.open, run.folder)
    assert len(Run.resume(run.folder, 30).checkpoints()) == 2  # training goes on from the newest


def without_ids(folder):
    """Make of a run one of an older version: format 2, no id, no number of shares."""
    import zlib

    from safetensors.numpy import save

    config = json.loads((folder / "config.json").read_text())
    config.pop("id")
    (folder / "config.json").write_text(json.dumps(config))
    for file in (folder / "checkpoints").iterdir():
        tensors, facts = load_checkpoint(file)
        facts["config"].pop("id")
        header = {
            "format": "minitransformer checkpoint", "version": "2", "facts": json.dumps(facts),
        }
        header["checksums"] = json.dumps(
            {name: zlib.crc32(np.ascontiguousarray(array)) for name, array in tensors.items()}
        )
        header["checksum"] = str(zlib.crc32((header["facts"] + header["checksums"]).encode()))
        file.write_bytes(save(tensors, header))


def test_a_run_of_before_there_were_ids_opens_averages_and_goes_on(tmp_path):
    whole = finished(Run.create(tmp_path / "whole", config(average=3)))
    run = Run.create(tmp_path / "run", config(average=3))
    run.last_step = 15
    finished(run)
    without_ids(run.folder)
    files = sorted((run.folder / "checkpoints").iterdir())
    assert len(files) == 3
    expected = np.mean([Run.open(file).model.output.weight.data for file in files], axis=0)
    np.testing.assert_allclose(Run.open(run.folder).model.output.weight.data, expected, atol=1e-6)
    resumed = finished(Run.resume(run.folder))
    assert (
        weights_and_state(resumed) == weights_and_state(whole) and len(resumed.checkpoints()) == 3
    )
    assert "id" not in json.loads((run.folder / "config.json").read_text())


# -- nothing is lost -------------------------------------------------------------------------------


def test_a_resume_from_an_earlier_checkpoint_moves_what_came_after_it_aside_and_says_so(
    tmp_path, capsys
):
    run = finished(Run.create(tmp_path / "run", config(keep=10)))
    (run.folder / "checkpoints" / "step-99999999.safetensors").write_text(
        "unreadable, and maybe the run's"
    )
    before = {p.name: p.read_bytes() for p in (run.folder / "checkpoints").iterdir()}
    lines = run.metrics.path.read_text().splitlines()
    status, out, _ = command(
        f"train --resume {run.folder}/checkpoints/step-00000010.safetensors --no-pictures", capsys
    )
    aside = run.folder / "after-step-00000010"
    assert status == 0 and f"What came after step 10 was moved into {aside}" in out
    assert {p.name for p in aside.iterdir()} == {
        name for name in before if name > "step-00000010.z"
    } | {"metrics.jsonl"} - {"step-00000010.safetensors"}
    assert all(before[p.name] == p.read_bytes() for p in aside.glob("*.safetensors"))
    moved = (aside / "metrics.jsonl").read_text().splitlines()
    assert moved == [line for line in lines if json.loads(line)["step"] > 10] and moved
    again = Run.resume(run.folder / "checkpoints" / "step-00000010.safetensors")
    assert again.aside.name == "after-step-00000010-2" and Run.resume(run.folder).aside is None
    said = " ".join(command("train --help", capsys)[1].split())
    assert "moved into a folder of the run" in said


def test_a_refused_resume_changes_nothing(tmp_path):
    run = finished(Run.create(tmp_path / "run", config(keep=10)))
    with open(run.metrics.path, "ab") as file:
        file.write(b'{"step": 25, "lo')
    (run.folder / "checkpoints" / "step-00000030.safetensors.0123456789abcdef.part").write_text(
        "half"
    )
    before = tree_of(run.folder)
    for path, steps in (
        (run.folder, None), (run.folder, 20), (run.folder, 0), (run.folder, -1), (run.folder, 2.5),
        (run.checkpoints()[0], 5),
    ):
        refusal(Run.resume, path, steps)
        assert tree_of(run.folder) == before
    run.checkpoints()[-1].write_bytes(b"damaged")
    before = tree_of(run.folder)
    refusal(Run.resume, run.folder, 50)
    assert tree_of(run.folder) == before
    (tmp_path / "docs").mkdir()
    refusal(Run.resume, tmp_path / "docs")
    assert not [*(tmp_path / "docs").iterdir()]


def test_where_a_run_ends_is_kept_even_if_it_was_killed_before_its_next_checkpoint(tmp_path):
    finished(Run.create(tmp_path / "run", config()))
    Run.resume(tmp_path / "run", 40)  # and no step more
    assert (
        accepted(Run.resume, tmp_path / "run").last_step
        == 40
        == Run.open(tmp_path / "run").options.steps
    )
    path = tmp_path / "run" / "config.json"
    path.write_text(path.read_text().replace('"steps": 40', '"steps": 44'))
    assert Run.resume(tmp_path / "run").last_step == 44


def test_overwriting_removes_a_runs_own_files_and_refuses_what_is_no_run(tmp_path):
    run = finished(Run.create(tmp_path / "run", config()))
    (run.folder / "notes.txt").write_text("mine")
    with open(run.metrics.path, "a") as file:
        file.write("a line of mine\n")
    fresh = Run.create(tmp_path / "run", config(seed=1), overwrite=True)
    assert {p.name for p in run.folder.iterdir()} == {
        "config.json", "checkpoints", "notes.txt", "metrics.jsonl",
    }
    assert run.metrics.path.read_text() == "a line of mine\n" and not fresh.checkpoints()
    for content in ('{"name": "somebody else\'s"}', "{", '{"version": 1}'):
        (tmp_path / "app").mkdir(exist_ok=True)
        (tmp_path / "app" / "config.json").write_text(content)
        before = tree_of(tmp_path / "app")
        refusal(Run.create, tmp_path / "app", config(), overwrite=True)
        assert tree_of(tmp_path / "app") == before
    (tmp_path / "file").write_text("mine")
    assert "is a file" in refusal(Run.create, tmp_path / "file", config(), overwrite=True)


def test_metrics_keep_lines_that_are_none_of_ours_and_survive_any(tmp_path):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    for step in (5, 10, 15):
        metrics.write(step=step, loss=1.0 / step)
    strange = [
        b'{"step": "x"}', b"[" * 10**5, b'{"step": 1e9}', b'{"step": 3, "loss": "low"}',
        b"\xff\xfe", b"", b"note", b'{"step": 2, "loss": 1' + b"0" * 400 + b"}",
    ]
    with open(metrics.path, "ab") as file:
        file.write(b"\n".join([*strange, b'{"step": 20, "lo']))
    assert [line["step"] for line in metrics.read()] == [5, 10, 15]
    assert metrics.cut_back(10) == b'{"step": 15, "loss": 0.06666666666666667}\n'
    assert metrics.path.read_bytes().split(b"\n")[2:] == [*strange, b""] and [
        line["step"] for line in metrics.read()
    ] == [5, 10]
    with open(metrics.path, "ab") as file:
        file.write(b'{"step": 20, "lo')
    assert metrics.cut_back(10) == b"" and metrics.path.read_bytes().endswith(b"\n")
    before = metrics.path.stat().st_mtime_ns
    assert metrics.cut_back(10) == b"" and metrics.path.stat().st_mtime_ns == before


# -- what stands in config.json and in a checkpoint ------------------------------------------------


def test_an_edit_beside_a_checkpoint_counts_or_is_named(tmp_path):
    run = finished(Run.create(tmp_path / "run", config()))
    path = run.folder / "config.json"
    text = path.read_text()
    path.write_text(text.replace('"learning_rate": 0.001', '"learning_rate": 0.01'))
    for ask in (Run.open, Run.resume):
        for where in (run.folder, run.checkpoints()[-1]):
            sentence = refusal(ask, where)
            assert (
                "training.learning_rate is 0.01 in" in sentence
                and "and 0.001 in" in sentence
                and "or remove it" in sentence
            )
    path.unlink()
    assert Run.open(run.folder).options.learning_rate == 0.001
    Run.resume(run.folder, 30)
    assert json.loads(path.read_text()) == {
        "version": 1, **run.config, "training": {**run.config["training"], "steps": 30},
    }


@pytest.mark.parametrize(
    "place, value, sentence",
    [
        (("training", "batch_size"), "x", "training.batch_size must be a whole number, got 'x'"),
        (("training", "batch_size"), True, "training.batch_size must be a whole number, got True"),
        (("training", "learning_rate"), None, "training.learning_rate must be a number, got None"),
        (
            ("training", "learning_rate"), float("nan"),
            "learning_rate must be a number from 0 on, got nan",
        ),
        (("training", "sedd"), 1, "no field 'training.sedd'. Did you mean 'training.seed'"),
        (("training",), [], "training must be a JSON object"),
        (("model", "options", "norm"), 3, "model.options.norm must be a text, got 3"),
        (
            ("model", "options", "d_k"), "8",
            "model.options.d_k must be a whole number, got '8'",
        ),
        (("model", "options", "bias"), 1, "model.options.bias must be true or false, got 1"),
        (
            ("model", "options", "d_model"), 10**30,
            "model.options.d_model must be at most 1,000,000",
        ),
        (("model", "options", "d_ff"), 900_000_000, "must be at most"),
        (
            ("model", "options", "decoder_layers"), 100_000,
            "model.options.decoder_layers must be at most 1,000",
        ),
        (("training", "batch_size"), 10**6, "training.batch_size must be at most 65,536"),
        (("model", "options", "d_model"), 100_000, "model.options ask for more than"),
        (
            ("model", "options", "source_vocabulary"), 15,
            "source_vocabulary is 15, but the vocabulary has 14",
        ),
        (("model", "name"), "tranformer", "no model 'tranformer'. Did you mean 'transformer'"),
        (("model", "name"), "rnn", "no field 'model.options.max_length'"),
        (("task", "name"), ["copy"], "task.name must be a text"),
        (("task", "options", "symbols"), 1, "needs from 2 to 1,000,000 symbols"),
        (("id",), 5, "id must be 16 digits"),
        (("version",), "1", "is of version '1'"),
        (("extra",), 1, "no field 'config.extra'"),
    ],
)
def test_every_field_of_a_config_is_checked_and_named(tmp_path, place, value, sentence):
    run = Run.create(tmp_path / "run", config())
    path = run.folder / "config.json"
    content = json.loads(path.read_text())
    parent = content
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    path.write_text(json.dumps(content))
    got = said(refusal(Run.resume, run.folder))
    assert sentence in got and (str(path) in got or "vocabulary" in got)


def test_a_field_that_is_missing_is_named(tmp_path):
    run = Run.create(tmp_path / "run", config())
    content = json.loads((run.folder / "config.json").read_text())
    for part in ("training", "model", "task"):
        options = content[part] if part == "training" else content[part]["options"]
        for name in options:
            left = {k: v for k, v in options.items() if k != name}
            changed = {
                **content,
                part: left if part == "training" else {**content[part], "options": left},
            }
            (run.folder / "config.json").write_text(json.dumps(changed))
            if name != "shares":  # which a run of before there were any lacks
                assert f"lacks {name}" in refusal(Run.resume, run.folder)


@pytest.mark.parametrize("checkpoints", [True, False])
def test_drawn_edits_of_a_config_count_or_are_refused_in_a_sentence(tmp_path, checkpoints):
    run = Run.create(tmp_path / "run", config())
    run.last_step = 12
    if checkpoints:
        finished(run)
    results = trial_of_config(run, np.random.default_rng(1), 60)
    assert results["refused"] > 30 and results["counts"] + results["same"] > 0, results


@pytest.mark.parametrize("model", ["transformer", "rnn-additive"])
def test_drawn_facts_count_or_are_refused_in_a_sentence(tmp_path, model):
    run = finished(Run.create(tmp_path / "run", config(model, steps=10)))
    results = trial_of_facts(
        run.checkpoints()[-1], np.random.default_rng(2), 60, tmp_path / "signed.safetensors"
    )
    assert results["refused"] > 30 and results["counts"] > 0, results


def test_a_checkpoint_whose_tensors_do_not_fit_the_run_is_refused(tmp_path):
    run = finished(Run.create(tmp_path / "run", config(steps=12)))
    tensors, facts = load_checkpoint(run.checkpoints()[-1])
    place = tmp_path / "changed.safetensors"
    wrong = {
        "first_moment must": {
            **tensors,
            "optimizer/first_moment": tensors["optimizer/first_moment"][:-1],
        },
        "lacks second_moment": {k: v for k, v in tensors.items() if "second" not in k},
        "no field 'optimizer.third'": {
            **tensors,
            "optimizer/third": tensors["optimizer/first_moment"],
        },
        "junk/x' belongs to no part": {**tensors, "junk/x": np.zeros(3)},
        "has dtype int32": {
            **tensors,
            "model/output.weight": tensors["model/output.weight"].view(np.int32),
        },
        "moments/x of shape": {**tensors, "moments/x": np.zeros((1, 2, 3, 4))},
        "moments/9 of shape": {**tensors, "moments/9": np.zeros((1, 2, 30, 40))},
        "moments/010 of shape": {**tensors, "moments/010": tensors["moments/10"]},
        "earlier/x of shape": {**tensors, "earlier/x": tensors["earlier/10"]},
        "earlier/٣ of shape": {**tensors, "earlier/٣": tensors["earlier/10"]},
        "earlier/010 of shape": {**tensors, "earlier/010": tensors["earlier/10"]},
        "earlier/9 of shape": {**tensors, "earlier/9": tensors["earlier/10"][1:]},
        "earlier/9 has weights": {
            **tensors, "earlier/9": np.full_like(tensors["earlier/10"], np.inf),
        },
        "missing .*output.weight": {k: v for k, v in tensors.items() if k != "model/output.weight"},
    }
    for sentence, changed in wrong.items():
        save_checkpoint(place, changed, facts)
        assert re.search(
            sentence.replace("first_moment must", "first_moment has shape"),
            refusal(Run.open, place),
        )


@pytest.mark.parametrize(
    "tokenizer",
    [
        "", "{}", "[1]",
        '{"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}',
    ],
)
def test_a_tokenizer_from_elsewhere_is_refused_in_a_sentence(tmp_path, tokenizer):
    run = finished(Run.create(tmp_path / "run", config(steps=2)))
    tensors, facts = load_checkpoint(run.checkpoints()[-1])
    save_checkpoint(
        tmp_path / "a.safetensors", tensors,
        {**facts, "vocabulary": {"kind": "subwords", "tokenizer": tokenizer}},
    )
    assert "The subwords in this file" in said(refusal(Run.open, tmp_path / "a.safetensors"))


# -- kills -----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="looks at open files as Linux shows them"
)
def test_kills_also_inside_the_write_of_the_config_lose_nothing(tmp_path):
    counts, survivor = trial_of_kills(tmp_path / "run", np.random.default_rng(3), 16)
    assert counts["in config.json"] >= 3
    whole = Run(tmp_path / "whole", survivor.config)
    whole.last_step = survivor.optimizer.t
    whole.train([Snapshots(whole)])
    assert weights_and_state(survivor)[0].keys() >= {"output.weight"}
    assert {k: v for k, v in weights_and_state(survivor)[0].items() if "moment " not in k} == {
        k: v for k, v in weights_and_state(whole)[0].items() if "moment " not in k
    }


# -- Ctrl-C ----------------------------------------------------------------------------------------


def test_ctrl_c_during_the_last_step_ends_the_run_as_if_nothing_had_been_pressed(tmp_path):
    whole = finished(Run.create(tmp_path / "whole", config()))
    run, before = Run.create(tmp_path / "run", config()), signal.getsignal(signal.SIGINT)
    ends = []
    with Save(run) as save, contextlib.suppress(Interrupted):
        run.train(
            [
                lambda p: p.step == 24 and os.kill(os.getpid(), signal.SIGINT), Log(run),
                Evaluate(run), Snapshots(run), save, lambda p: ends.append(p.step),
            ]
        )
    assert ends[-1] == 24 and save.asked_to_stop and signal.getsignal(signal.SIGINT) is before
    assert weights_and_state(Run.open(run.folder)) == weights_and_state(whole)
    assert [p.name for p in run.checkpoints()] == [p.name for p in whole.checkpoints()]


def test_a_second_ctrl_c_does_not_wait_for_the_step(tmp_path):
    run = Run.create(tmp_path / "run", config())
    ends = None
    with Save(run) as save:
        try:
            run.train([save, lambda p: [os.kill(os.getpid(), signal.SIGINT) for _ in range(2)]])
        except (KeyboardInterrupt, Interrupted) as end:
            ends = type(end)
    assert ends is KeyboardInterrupt and run.optimizer.t == 1 and not run.checkpoints()


def test_a_training_in_another_thread_goes_without_ctrl_c(tmp_path, capsys):
    whole, ends = finished(Run.create(tmp_path / "whole", config())), []
    thread = threading.Thread(
        target=lambda: ends.append(finished(Run.create(tmp_path / "run", config())))
    )
    thread.start()
    thread.join()
    assert len(ends) == 1 and weights_and_state(ends[0]) == weights_and_state(whole)
    thread = threading.Thread(
        target=lambda: ends.append(
            command(f"train --resume {tmp_path / 'run'} --steps 30 --no-pictures", capsys)
        )
    )
    thread.start()
    thread.join()
    assert ends[1][0] == 0, ends[1][2]


def test_a_lock_that_an_interrupted_bar_left_behind_holds_up_no_training(tmp_path, capsys):
    from tqdm.auto import tqdm

    left = threading.Lock()
    left.acquire()
    before = tqdm.get_lock()
    tqdm.set_lock(left)
    try:
        done = []
        line = f"train copy {SMALL} --steps 2 --no-pictures --out '{tmp_path / 'run'}'"
        thread = threading.Thread(target=lambda: done.append(command(line, capsys)[0]), daemon=True)
        thread.start()
        thread.join(60)
        assert done == [0]
    finally:
        left.release()
        tqdm.set_lock(before)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_every_signal_that_asks_to_end_is_saved_and_what_was_there_answers_again(tmp_path, number):
    missed = lambda *_: None  # noqa: E731
    before = {n: signal.signal(n, missed) for n in ENDING}
    try:
        run = Run.create(tmp_path / "run", config())
        with Save(run) as save, pytest.raises(Interrupted) as stopped:
            run.train([lambda p: p.step == 7 and os.kill(os.getpid(), number), save])
        assert stopped.value.args == (number,) and run.optimizer.t in (7, 8)
        assert Run.open(run.folder).optimizer.t == run.optimizer.t
        assert all(signal.getsignal(n) is missed for n in ENDING)
    finally:
        for n, handler in before.items():
            signal.signal(n, handler)


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no hang-up")
def test_a_hang_up_that_is_ignored_stays_ignored(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with KeyboardInterrupts(), Save(Run.create(tmp_path / "run", config())) as save:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not save.asked_to_stop and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_config_that_an_editor_began_with_a_byte_order_mark_is_read(tmp_path):
    run = finished(Run.create(tmp_path / "run", config(steps=5)))
    path = run.folder / "config.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert accepted(Run.open, run.folder).config == run.config


def test_the_warm_up_stays_the_same_however_many_steps_are_asked_for(tmp_path):
    """The rates before the change are those of the schedule after it, up to the peak."""
    short = Run.create(tmp_path / "run", config(steps=24, warmup=200))
    assert short.config["training"]["warmup"] == 12
    rates = [short.optimizer.learning_rate(t) for t in range(13)]
    finished(short)
    longer = Run.resume(tmp_path / "run", steps=400)
    assert [longer.optimizer.learning_rate(t) for t in range(13)] == rates
    assert longer.optimizer.learning_rate(25) < longer.optimizer.learning_rate(24) < rates[12]
    written = json.loads((tmp_path / "run" / "config.json").read_text())["training"]
    assert (written["steps"], written["warmup"]) == (400, 12)
    assert TrainingOptions(**written).make_schedule(64)(100) == longer.optimizer.learning_rate(100)
