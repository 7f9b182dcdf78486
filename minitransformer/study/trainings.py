"""Exact match against length: every contestant trained on the same task, the same loop, the same
number of steps.

Each training is an ordinary run in a folder of its own, so a study that was stopped goes on where
it was.
"""

import json
import os
from pathlib import Path

import numpy as np

from ..data.tasks import make_task
from ..decoding.evaluation import evaluate
from ..errors import NonFiniteError
from ..runs.run import Run, make_config
from ..training.hooks import Evaluate, Interrupted, Log, Save
from .plan import equal_sizes
from .results import read_json, write_json

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
RESULT = "exact-match.json"


def task_of(plan):
    return make_task("reverse", min_length=4, max_length=plan.longest)


def config_of(plan, contestant, rate, seed):
    """The configuration of one training: as many parameters as the Transformer of the plan."""
    from_data = {"source_vocabulary": len(task_of(plan).vocabulary), "max_length": 512}
    options = equal_sizes(plan, plan.width, **from_data)[contestant.model]
    training = {
        "steps": plan.steps, "batch_size": plan.batch_size, "learning_rate": rate, "seed": seed,
        "evaluate_every": max(1, plan.steps // 8), "save_every": max(1, plan.steps // 8), "keep": 1,
    }  # fmt: skip
    lengths = {"min_length": 4, "max_length": plan.longest}
    return make_config("reverse", lengths, contestant.model, "toy", options, training)


def train_all(plan, folder, advance, jobs):
    """Train and measure what the plan asks for; returns [result] of all runs, those of the best
    rates with all seeds.

    The first seed is trained with every rate; the rate with the least validation loss is then
    trained with the others. `jobs` trainings run side by side, each in a process of its own with
    one thread.
    """
    first, *others = plan.seeds
    contestants = plan.contestants()
    trials = run_many(
        [(plan, c, rate, first) for c in contestants for rate in plan.rates], folder, advance, jobs
    )
    best = {c.model: best_rate(trials, c.model) for c in contestants}
    rest = run_many(
        [(plan, c, best[c.model], seed) for c in contestants for seed in others], folder, advance,
        jobs,
    )
    return [{**r, "chosen": r["rate"] == best[r["model"]]} for r in (*trials, *rest)]


def best_rate(results, model):
    """The learning rate of the least validation loss; one that diverged (no loss) is never the
    best."""
    own = [r for r in results if r["model"] == model and r["validation_loss"] is not None]
    return min(own, key=lambda r: r["validation_loss"])["rate"]


def steps_of(plan):
    """How many training steps there are in all, for the progress bar."""
    return plan.steps * len(plan.contestants()) * (len(plan.rates) + len(plan.seeds) - 1)


def run_many(trainings, folder, advance, jobs):
    """The results of the trainings, in their order; those that are there already are not trained
    again."""
    names = [
        Path(folder) / "runs" / name_of(contestant.model, rate, seed)
        for _, contestant, rate, seed in trainings
    ]
    done_before = 0

    def report():
        nonlocal done_before
        done_now = sum(steps_done(name, plan.steps) for name, (plan, *_) in zip(names, trainings))
        advance(done_now - done_before)
        done_before = done_now

    # not above: lessons use other files of this package in a browser, which has no processes
    import multiprocessing
    from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait

    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))  # read by the workers when they import NumPy
    try:
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            waiting = [
                (*t, name) for t, name in zip(trainings, names) if not (name / RESULT).is_file()
            ]
            running = set()
            while waiting or running:
                # none waits inside the pool: Ctrl-C would start it yet
                while waiting and len(running) < jobs:
                    running.add(pool.submit(train_one, *waiting.pop(0)))
                done, running = wait(running, timeout=1, return_when=FIRST_COMPLETED)
                report()
                for future in done:
                    future.result()
    except BaseException:
        for worker in multiprocessing.active_children():
            worker.terminate()  # it saves its run
        raise
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    report()
    return [read_json(name / RESULT) for name in names]


def name_of(model, rate, seed):
    return f"{model}-rate{rate:g}-seed{seed}"


def folder_of(result, folder):
    """Where the run of a result is kept."""
    return Path(folder) / "runs" / name_of(result["model"], result["rate"], result["seed"])


def steps_done(folder, steps):
    """How far the training in a folder is, from the last line of its metrics."""
    if (folder / RESULT).is_file():
        return steps
    path = folder / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").split("\n")[-2:-1] if path.is_file() else []
    try:
        return json.loads(lines[0])["step"] if lines else 0
    except ValueError:  # a line that is just being written
        return 0


def train_one(plan, contestant, rate, seed, folder):
    """Train one model to its end, or on to it, and write its exact match at every length into its
    folder."""
    run = open_run(folder, config_of(plan, contestant, rate, seed))
    try:
        if run.optimizer.t < run.last_step:
            with Save(run) as save:
                run.train([Log(run), Evaluate(run), save])
        diverged = None
    except NonFiniteError as problem:
        diverged = str(problem)
    except Interrupted:
        raise KeyboardInterrupt from None
    result = {
        "model": contestant.model, "title": contestant.title, "rate": rate, "seed": seed,
        "steps": plan.steps, "parameters": run.model.parameter_count(), "seconds": run.seconds,
        "diverged": diverged,
        "validation_loss": (
            None if diverged else evaluate(run.model, run.task, "validation", 200)["loss"]
        ),
        "exact_match": (
            {} if diverged else {n: exact_match(run, n, plan.sequences) for n in plan.lengths}
        ),
    }  # fmt: skip
    write_json(folder / RESULT, result)


def open_run(folder, config):
    """The run in this folder, new or where it was stopped; also one that had trained to its end and
    not been measured."""
    if not (folder / "config.json").is_file():
        return Run.create(folder, config)
    if (folder / "checkpoints" / f"step-{config['training']['steps']:08d}.safetensors").is_file():
        return Run.open(folder)
    return Run.resume(folder)


def exact_match(run, length, count):
    """The share of `count` test sequences of this length that the model reverses without a
    mistake."""
    task = make_task("reverse", min_length=length, max_length=length)
    return evaluate(run.model, task, "test", count, seed=0, batch_size=100)["exact_match"]


def exact_match_table(results):
    """{model: (lengths, shares (seeds, lengths))} of the runs with the chosen rates, ordered by
    seed."""
    table = {}
    for r in sorted((r for r in results if r["chosen"]), key=lambda r: r["seed"]):
        lengths = [int(n) for n in r["exact_match"]]
        table.setdefault(r["model"], (lengths, []))[1].append(list(r["exact_match"].values()))
    return {model: (lengths, np.array(shares)) for model, (lengths, shares) in table.items()}
