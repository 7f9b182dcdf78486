"""What each command does. Its docstring is the first line of its help."""

import contextlib
import dataclasses
import os
import shutil
import sys
from pathlib import Path

from ..backend import chosen_device
from ..core.options import flag
from ..data.tasks import TASKS, make_task
from ..errors import InputError, NonFiniteError, typed, unknown
from ..runs.config import read_config
from ..runs.run import MAKING, Run, make_config
from ..terminal import progress
from ..training.distributed import expect_shares
from ..training.strategies import in_shares
from .data import no_task, run_name, task_of_data, told_about
from .kinds import CONCLUSIONS, NEXT
from .pictures import draw_run
from .ranks import expect_alike, expect_cpu, on_all_ranks


def train(options):
    """Train a model, or continue a training (`--resume RUN`), in a run folder."""
    from ..training.hooks import Interrupted

    with on_all_ranks(options.engine, (Interrupted,)) as ranks:
        return train_on(ranks, options)


def train_on(ranks, options):
    """`train` in this process, which may be one of several ranks."""
    from ..training import hooks
    from ..training.hooks import Interrupted, Log, ProgressBar, Save

    if ranks:
        expect_cpu(options)
    # before a folder is made
    device = "cpu" if ranks else chosen_device(options.device)
    if options.gpu_kernels and device == "cpu":
        raise InputError("--gpu-kernels needs a GPU. Use it with --device gpu.")
    run = made_together(ranks, options) if ranks else made(options).to(device)
    if run.aside:
        print(f"What came after step {run.optimizer.t} was moved into {run.aside}")
    kind, count = run.config["model"]["name"], run.model.parameter_count()
    print(
        f"{run.config['task']['name']}: {kind} with {count:,} parameters, {run.last_step} steps → "
        f"{run.folder}"
    )
    evaluation = hooks.Evaluate(run)
    with Save(run, ranks) as save, faster(run, options) as strategy:
        bar = ProgressBar(run, evaluation)
        samples = [hooks.Samples(run, bar.write)] * (run.task.kind == "text")
        try:
            run.train(
                [Log(run), evaluation, *samples, hooks.Snapshots(run), save, bar], strategy,
                bar=False,  # the one among the hooks shows more
            )
        except Interrupted as stopped:
            bar.close()
            print(
                f"Stopped and saved at step {run.optimizer.t}. Continue: {this_program()} train "
                f"--resume {typed(run.folder)}"
            )
            return 128 + stopped.args[0]
        except NonFiniteError:
            kept = run.checkpoints()
            print(f"The last good checkpoint: {kept[-1] if kept else 'none yet'}", file=sys.stderr)
            raise
        finally:
            bar.close()
    if latest := evaluation.latest:
        print(CONCLUSIONS[run.task.kind].format(**latest))
    if options.pictures and run.writes:
        draw_run(run, *run.example())
    print(f"Next: {this_program()} {NEXT[run.task.kind]} {typed(run.folder)}")
    return 0


def made(options, ranks=1):
    """The run that a command of so many ranks trains: a new one, or that which it continues."""
    return resumed_run(options, ranks) if options.resume else new_run(options, ranks)


def made_together(ranks, options):
    """The run on all ranks: rank 0 makes or opens it."""
    expect_alike(ranks)
    first = ranks.agree(lambda: None if ranks.rank else made(options, ranks.size), MAKING)
    return Run.followed(first, ranks)


@contextlib.contextmanager
def faster(run, options):
    """Inside, the run computes by kernels, if --gpu-kernels is wanted. Yields the strategy for its
    steps."""
    if not options.gpu_kernels:
        yield in_shares(run.options.shares, skip_padding=True, engine=options.engine)
        return
    from ..gpu import Replays, accelerated

    with accelerated(run.model, run.loss):
        yield Replays if run.options.shares == 1 else None


def new_run(options, ranks=1):
    chosen = set_options(options, "task_")
    task = options.task or task_of_data(chosen)
    if task is None or task not in TASKS and os.path.isfile(task):
        raise no_task(task, TASKS)
    training = set_options(options, "training_")
    if options.device == "gpu":  # not "auto": the number of shares does not depend on the machine
        training.setdefault("shares", 1)  # a GPU takes the whole batch at once
    config = make_config(
        task,
        chosen,
        options.model,
        options.preset,
        set_options(options, "model_"),
        training,
    )
    expect_shares(config["training"]["shares"], ranks)  # before there is a folder
    folder = options.out or free_folder(Path("runs") / run_name(task, chosen))
    run = Run.create(folder, config, options.overwrite)
    told_about(run)
    return run


def resumed_run(options, ranks=1):
    path = Path(options.resume)
    there = read_config(path.parent.parent if path.parent.name == "checkpoints" else path) or {}
    steps = set_options(options, "training_").get("steps")
    refused = [name for name in ("preset", "out") if getattr(options, name) is not None]
    for part in ("task", "model"):
        chosen, its = getattr(options, part), there.get(part, {})
        refused += [part] * (chosen not in (None, its.get("name")))
        refused += changed(set_options(options, f"{part}_"), its.get("options", {}))
    refused += changed(set_options(options, "training_"), there.get("training", {}))
    if refused := [name for name in refused if name != "steps"]:
        raise InputError(
            f"A resumed run keeps its options; {', '.join(refused)} cannot change. Change only "
            "--steps, or start a new run."
        )
    # before what came after the checkpoint is moved
    expect_shares(there.get("training", {}).get("shares", ranks), ranks)
    run = Run.resume(options.resume, steps)
    if steps is not None and run.options.schedule == "cosine":
        rate = run.optimizer.learning_rate(run.optimizer.t + 1)
        print(
            f"The learning rate goes on at {rate:.3g}, and falls to 0 at step "
            f"{steps}: cosine, with a warm-up of {run.options.warmup_steps} steps."
        )
    return run


def changed(chosen, its):
    """The names of the options that are chosen and not what the run has."""
    return [name for name, value in chosen.items() if name not in its or its[name] != value]


def compare(options):
    """Compare attention with recurrence and convolution in a study, or trained translators with
    each other."""
    from ..study import run_study

    device = chosen_device(options.device)
    if options.run:
        return compare_runs(options, device)
    if device == "gpu":
        raise InputError(
            "The study uses and measures the CPU cores; --device gpu is only for comparing runs."
        )
    plan = "full" if options.full else "short"
    folder = options.out or f"runs/compare-{plan}"
    try:
        page = run_study(plan, folder, progress_bar, options.jobs)
    except KeyboardInterrupt:
        chosen = ("--full " if options.full else "") + (
            f"--out {typed(folder)}" if options.out else ""
        )
        again = f"{this_program()} compare {chosen}".rstrip()
        print(f"Stopped; results so far are kept. Continue: {again}")
        return 130
    print(f"The page: {page}")
    return 0


def compare_runs(options, device):
    from ..study.translators import compare_translators
    from .asking import chosen_search

    if len(options.run) < 2:
        raise InputError("Name at least two runs to compare, or none for the study.")
    page = compare_translators(
        options.run, options.out or "runs/compare-translators", chosen_search(options),
        device=device,
    )
    print(f"The page: {page}")
    return 0


@contextlib.contextmanager
def progress_bar(title, total):
    """A function advance(n) that moves a bar on by n of the total."""
    with progress.progress_bar(total=total, desc=title, dynamic_ncols=True) as bar:
        yield bar.update


def gradcheck(options):
    """Compare the gradient of each input and parameter of each component with finite
    differences."""
    from ..testing.conformance import all_components, check_gradients

    components = all_components()
    names = [c.__name__ for c in components]
    for name in options.component:
        if name not in names:
            raise unknown("component", name, names)
    failed = []
    for component in components:
        if options.component and component.__name__ not in options.component:
            continue
        report = check_gradients(component, options.seed, options.entries)
        print(report, flush=True)
        if not report.passed:
            failed.append(report.component)
    print(
        f"\n{len(failed)} wrong: {', '.join(failed)}"
        if failed
        else "\nEvery gradient agrees with its finite differences."
    )
    return 1 if failed else 0


def tasks(options):
    """List the tasks, and how many sequences of each length they have."""
    for name, cls in TASKS.items():
        task = make_task(name)
        print(f"{name:<15} {cls.__doc__.splitlines()[0]}")
        own = as_options(
            {field.name: getattr(task, field.name) for field in dataclasses.fields(task)}
        )
        recipe = task.recipe
        model = {} if recipe.kind == "transformer" else {"model": recipe.kind}
        recipe = as_options(
            {**model, "preset": recipe.preset, **recipe.training, **recipe.model}
        )
        print(f"{'':<15} unless told otherwise: {f'{own} {recipe}'.strip()}")
        if options.counts:
            for label, total, splits in task.counts():
                counts = ", ".join(f"{n:,} {split}" for split, n in splits.items())
                print(f"{'':<15} {label}: {total:,} in all: {counts}")
    if not options.counts:
        print(f"\nHow many sequences there are of each length: {this_program()} tasks --counts")
    return 0


def as_options(values):
    """{"max_norm": 1.0, "bias": True} as they are typed: --max-norm 1.0 --bias."""
    return " ".join(
        flag(name) if value is True else f"{flag(name)} {value}"
        for name, value in values.items()
        if value != ""
    )


def set_options(options, prefix):
    """{field: value} of the options with this prefix that the user set."""
    return {
        name.removeprefix(prefix): value
        for name, value in vars(options).items()
        if name.startswith(prefix)
    }


def this_program():
    """How the user can call it again: by its name if that is on the path, else as it was called."""
    if shutil.which("minitransformer"):
        return "minitransformer"
    by_module = sys.argv[0].endswith(".py")
    path = os.path.abspath(sys.executable if by_module else sys.argv[0])
    inside = path.startswith(os.getcwd() + os.sep)
    return typed(os.path.relpath(path) if inside else path) + (
        " -m minitransformer" if by_module else ""
    )


def free_folder(folder):
    """`folder` if it does not exist, else the first free of folder-2, folder-3, …"""
    number, free = 1, folder
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free
