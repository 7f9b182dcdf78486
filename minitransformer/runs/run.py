"""A run: the folder of one training, from which it can be continued, evaluated, used and drawn.

    config.json                              task, model and training options, and an id that no
                                             other run has
    metrics.jsonl                            a line for every logged step and every evaluation
    checkpoints/step-00002000.safetensors    all that continuing needs; the newest few are kept
    pictures/*.png                           loss curve, attention, architecture
    after-step-00001000/                     what a resume from an earlier checkpoint has moved here
    .lock                                    there while it trains

Other files may be in the folder. They are never changed, removed or averaged: see `runs/files.py`.
"""

import contextlib
import dataclasses
import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import as_numpy, chosen_device, on_host
from ..boundary import Count, FilePath, checked, named
from ..core.options import Options, expect_keys
from ..data.registry import name_of_task
from ..data.stream import BatchStream
from ..data.task import Task
from ..data.tasks import make_task
from ..data.vocabulary import BOS, EOS, PAD, Vocabulary
from ..errors import InputError, NonFiniteError, nearest, reading, typed, unknown
from ..layers.cross_entropy import CrossEntropy
from ..parallel.mpi import Ranks
from ..parallel.processes import one_blas_thread
from ..terminal.streams import complain
from ..training.loop import Plain, Progress, train
from ..training.options import TrainingOptions
from ..training.strategies import in_shares
from .checkpoint import expect_place, load_checkpoint, save_checkpoint
from .config import NAME as CONFIG
from .config import differences, expect_config, options_of, read_config, write_config
from .facts import (
    expect_earlier,
    expect_example,
    expect_facts,
    expect_snapshots,
    vocabulary_of,
)
from .files import (
    UNFINISHED,
    checkpoint_name,
    clear_the_way,
    files_like,
    newest_checkpoints,
    not_of_this_run,
    own_checkpoints,
    remove_unfinished,
    set_aside,
    step_of,
    unused,
)
from .kinds import MODELS, configure, find_model
from .lock import NAME as LOCK
from .lock import locked
from .metrics import Metrics

MAKING = 3600.0  # seconds that ranks wait while a run is made: data may be read for the first time


class Run:
    """Task, model, loss, optimizer and generators of one training, and its folder.

    Raises InputError, which names the field, for a configuration that cannot be used; `source` is
    where it stands.
    """

    @checked
    def __init__(
        self, folder: FilePath, config: dict[str, Any], source: str | Path = "The configuration"
    ):
        self.folder = Path(folder)
        expect_config(config, source)
        self.options = options_of(config)
        self.config = {**config, "training": dataclasses.asdict(self.options)}
        self.task = make_task(self.config["task"]["name"], **self.config["task"]["options"])
        kind = find_model(self.config["model"]["name"])
        for_model, for_data = np.random.SeedSequence(self.options.seed).spawn(2)
        self.model = kind.model(
            kind.config(**self.config["model"]["options"]), np.random.default_rng(for_model)
        )
        self.batches = BatchStream(
            self.task, np.random.default_rng(for_data), self.options.batch_size,
            self.options.batch_tokens,
        )
        self.loss = CrossEntropy(self.options.label_smoothing, padding=PAD)
        self.optimizer = self.options.make_optimizer(self.model)
        self.metrics = Metrics(self.folder / "metrics.jsonl")
        # {step: attention (layers, H, T, S)}, from `training.hooks.Snapshots`; `moments/` in a
        # checkpoint
        self.snapshots = {}
        # {step: all parameters (P,) in their order, float16}, likewise; `earlier/` in a checkpoint
        self.earlier = {}
        self.seconds = 0.0  # spent training so far
        self.last_step = self.options.steps
        self._example: tuple[np.ndarray, np.ndarray] | None = None
        # the longest source that was trained on, in tokens; None if that is not known
        self.longest_source: int | None = None
        self.shortest_source: int | None = None  # and the shortest
        self.writes = True  # False: another rank writes into the folder
        self.exported = False  # whether it came from a file without what further training needs
        self.aside = None  # the folder into which `resume` moved what came after its checkpoint

    @classmethod
    @checked
    def create(cls, folder: FilePath, config: dict[str, Any], overwrite: bool = False) -> "Run":
        """A new run in a new folder. InputError if the folder holds something already.

        With `overwrite`, an older run there is removed: its config, its metrics and its own
        checkpoints, and nothing else. InputError if the folder holds something else.
        """
        run = cls(folder, config)  # checks everything before a file is touched,
        run.example()              # also that there are validation sequences
        run.expect_vocabulary()
        run.config["id"] = secrets.token_hex(8)
        if run.folder.exists() and not run.folder.is_dir():
            raise InputError(
                f"{folder} is a file. A run needs a folder: choose another name (--out)."
            )
        run.folder.mkdir(parents=True, exist_ok=True)
        with locked(run.folder):
            if run.holds_something():
                if not overwrite:
                    raise InputError(
                        f"The folder {folder} is not empty. Continue it with --resume "
                        f"{typed(folder)} (in Python: Run.resume), choose another (--out), or "
                        "replace the run in it with --overwrite (overwrite=True)."
                    )
                run.remove_older_run()
            remove_unfinished(run.folder)
            write_config(run.folder, run.config)
            (run.folder / "checkpoints").mkdir(exist_ok=True)
        return run

    def holds_something(self) -> bool:
        """Whether the folder holds anything except unfinished files of a killed process."""
        unfinished = files_like(UNFINISHED, self.folder)
        return any(path.name != LOCK and path not in unfinished for path in self.folder.iterdir())

    def remove_older_run(self) -> None:
        older = read_config(self.folder)
        if older is None:
            raise InputError(
                f"The folder {self.folder} is not empty, and contains no run that could be "
                "overwritten. Choose another folder (--out)."
            )
        for file in own_checkpoints(self.folder, older):
            file.unlink()
        self.metrics.cut_back(-1)

    @classmethod
    @checked
    def open(cls, path: FilePath, averaged: bool = True) -> "Run":
        """The run of a folder at its newest checkpoint, or at the checkpoint file that `path`
        names.

        From a folder, and if its options ask for it, the model is the mean of the last checkpoints.
        A path that does not exist may be the name of a shipped model. Files among a folder's
        checkpoints that are not used are named on standard error.

        Raises InputError if config.json and the checkpoint differ in anything but the last step.
        """
        path = Path(path)
        with reading(path):
            is_folder = path.is_dir()
        if is_folder:
            config = read_config(path)
            newest = newest_checkpoints(path, config)
            if not newest:
                beside = f"{unused(path, config)} ".lstrip()
                if config:
                    raise InputError(
                        f"The run {path} has no checkpoint yet. {beside}Train it with: "
                        f"minitransformer train --resume {typed(path)}"
                    )
                raise InputError(
                    f"{path} is no run: it has no checkpoints and no {CONFIG}. {beside}Make one "
                    "with: minitransformer train TASK"
                )
            run = cls.open(newest[0])
            run.tell_what_is_unused()
            if averaged and run.options.average > 1:
                run.average()
            return run
        if not path.exists() and str(path) in shipped():
            path = shipped()[str(path)]
        if not path.is_file():
            raise InputError(f"There is no run {typed(path)}{cls._near(path)}")
        tensors, facts = load_checkpoint(path)
        in_a_run = path.parent.name == "checkpoints"
        folder = path.parent.parent if in_a_run else path  # a lone file has nothing beside it
        config = facts.get("config") if type(facts) is dict else facts
        run = cls(folder, config, f"The checkpoint {path}")  # type: ignore[arg-type]  # it checks
        if in_a_run:
            run.expect_beside(path, facts)
        try:
            run.restore(tensors, facts)
        except InputError as problem:
            raise InputError(f"The checkpoint {path}: {problem}") from None
        return run

    def expect_beside(self, path: Path, facts: dict[str, Any]) -> None:
        """Take the last step from config.json. Raises InputError if the checkpoint differs from it
        in anything else."""
        beside = read_config(self.folder)
        if (
            step_of(path) not in (None, facts.get("step"))
            or beside
            and differences(beside, self.config)
        ):
            raise not_of_this_run(path, facts, self.folder, beside or self.config)
        if beside:
            self.change_steps(beside["training"]["steps"])

    @classmethod
    @checked
    def resume(cls, path: FilePath, steps: Count | None = None) -> "Run":
        """The run of a folder, ready to continue from its newest checkpoint, or from the start if
        it has none yet.

        `path` may also name one of its checkpoints; what came after it is then moved into the
        folder `aside` of the run, and nothing is lost. `steps` changes the last step of the run,
        and a cosine schedule with it. Raises InputError if no step is left to do, or if another
        training is running there; then nothing has changed.
        """
        path = Path(path)
        with reading(path):
            folder = path if path.is_dir() else path.parent.parent
        with (
            locked(folder)
            if (folder / "checkpoints").is_dir() or (folder / CONFIG).is_file()
            else contextlib.nullcontext()
        ):
            run = cls._at_start(path) or cls.open(path, averaged=False)
            if run.exported:
                raise InputError(
                    f"{path} contains a model only, without what further training needs. Use it "
                    "with translate, or train a new one."
                )
            if run.folder.is_file():
                raise InputError(
                    f"{path} is outside a run's folder. It can be used with translate or predict; "
                    "to train further, name the run that it came from."
                )
            if steps is not None:
                run.change_steps(steps)
            if run.optimizer.t >= run.last_step:
                raise InputError(
                    f"The run {run.folder} is at step {run.optimizer.t} of {run.last_step}: there "
                    f"is nothing left to do. With more steps, such as --steps "
                    f"{2 * run.optimizer.t} (in Python: steps=…), it is trained further."
                )
            # that there are data, and what makes them, before anything is changed
            run.task.batch(np.random.default_rng(0), 1)
            if run.config != read_config(run.folder):
                write_config(run.folder, run.config)
            run.aside = set_aside(run.folder, run.config, run.optimizer.t, run.metrics)
            remove_unfinished(run.folder)
        return run

    @classmethod
    def _at_start(cls, folder):
        """The run of a folder that has a config and no checkpoint yet; None for anything else."""
        config = read_config(folder) if folder.is_dir() else None
        if config is None or newest_checkpoints(folder, config):
            return None
        run = cls(folder, config, folder / CONFIG)
        run.expect_vocabulary()
        run.tell_what_is_unused()
        return run

    def tell_what_is_unused(self) -> None:
        """Say on standard error what lies among the run's checkpoints and is not the run's: nobody
        should think that it serves."""
        if sentence := unused(self.folder, self.config):
            complain(sentence)

    @classmethod
    def followed(cls, first: "Run | None", ranks: Ranks, to_train: bool = True) -> "Run":
        """The run that rank 0 has made or opened, `first`, on every rank; only rank 0 writes into
        its folder. The others need no file of the run; to train it they need the data.

        Raises InputError on all ranks if one of them lacks the data, say.
        """
        about = {}
        if first is not None:
            model = {f"model/{name}": p.data for name, p in first.model.named_parameters().items()}
            tensors = first.tensors() if to_train else model
            arrays = {name: as_numpy(array) for name, array in tensors.items()}
            about = {
                "folder": str(first.folder), "config": first.config, "facts": first.facts(),
                "shapes": {name: [str(a.dtype), a.shape] for name, a in arrays.items()},
            }
        about = json.loads(ranks.from_first(json.dumps(about).encode(), MAKING))
        if first is None:
            shapes = about["shapes"].items()
            arrays = {name: np.empty(shape, dtype) for name, (dtype, shape) in shapes}
        for array in arrays.values():
            ranks.copy_of_first(array)

        def made():
            if first is not None:
                return first
            run = cls(about["folder"], about["config"])
            run.writes = run.metrics.writes = False
            run.restore(arrays, about["facts"])
            if to_train:
                run.task.batch(np.random.default_rng(0), 1)  # that there are data
            return run

        return ranks.agree(made, MAKING)

    @property
    def vocabulary(self) -> Vocabulary:
        return self.task.vocabulary

    def to(self, device: str) -> "Run":
        """Use "cpu" or "gpu", or with "auto" a GPU if there is one. Checkpoints are the same for
        both. Returns self."""
        if on_host(self.optimizer.flat.data) == (chosen_device(device) == "cpu"):
            return self  # already there: nothing is copied
        state, t = self.optimizer.state_dict(), self.optimizer.t
        self.optimizer = self.options.make_optimizer(self.model.to(device))
        self.optimizer.load_state_dict(state, t)
        return self

    # -- training ----------------------------------------------------------------------------------

    def train(
        self, hooks: Sequence[Callable[[Progress], object]] = (),
        strategy: Callable[..., Plain] | None = None, bar: bool = True,
    ) -> None:
        """Train to the last step; the hooks (see hooks.py) log, evaluate and save.

        The numbers never depend on the machine's cores: a matrix product uses one thread, and a
        batch is computed in the run's shares, in parallel if there are enough cores, unless another
        `strategy` is passed. For `bar` see `training.train`. Raises InputError if another training
        is running in the folder, or if another run has been made there.
        """
        self.longest_source, self.shortest_source = (
            self.task.longest_trained,
            self.task.shortest_trained,
        )
        max_norm = self.options.max_norm or None
        # the loop itself notices, and says where
        lock = locked(self.folder) if self.writes else contextlib.nullcontext()
        with lock, one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            there = read_config(self.folder) if self.writes else None
            if there and there.get("id") != self.config.get("id"):
                raise InputError(
                    f"Another run has been made in {self.folder} meanwhile. Train in another "
                    "folder (--out)."
                )
            strategy = strategy or in_shares(self.options.shares, skip_padding=True)
            train(
                self.model, self.loss, self.optimizer, self.batches, self.last_step, max_norm,
                hooks, strategy, bar,
            )

    # -- checkpoints -------------------------------------------------------------------------------

    def checkpoints(self) -> list[Path]:
        """The checkpoint files of this run, oldest first."""
        return own_checkpoints(self.folder, self.config)

    @staticmethod
    def _near(path):
        """What else could be meant: runs beside the path and in `runs`, shipped models."""
        places = dict.fromkeys((path.parent, Path("runs")))
        runs = [p.parent for place in places for p in sorted(place.glob("*/config.json"))]
        others = [*map(typed, runs), *shipped()]
        near = [typed(run) for run in runs if run.name == path.name]
        near = near or [name for name in [nearest(str(path), others)] if name]
        return (
            f"{f'; did you mean {near[0]}?' if near else '.'} There are: {', '.join(others)}. Make "
            "one with: minitransformer train TASK"
        )

    def checkpoint_path(self) -> Path:
        """The path of a checkpoint of the present step."""
        return self.folder / "checkpoints" / checkpoint_name(self.optimizer.t)

    def change_steps(self, steps: int) -> None:
        """Let the run end at another step; its schedule is made anew. `resume` writes the change to
        config.json."""
        self.options = dataclasses.replace(self.options, steps=steps)
        self.config = {**self.config, "training": dataclasses.asdict(self.options)}
        self.optimizer.learning_rate = self.options.make_schedule(self.model.config.d_model)
        self.last_step = steps

    def save(self) -> None:
        """Write a checkpoint of the present step, and delete the oldest. NonFiniteError if a
        parameter is not finite.

        A file of another origin at its place is moved into another folder, and named on standard
        error.
        """
        tensors = self.tensors()
        if not self.writes:
            return
        path = self.checkpoint_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        if moved := clear_the_way(self.folder, self.config, path):
            print(f"\n{path} was not of this run: it is {moved} now.", file=sys.stderr)
        save_checkpoint(path, tensors, self.facts())
        checkpoints = self.checkpoints()
        regular = [file for file in checkpoints if self.is_regular(file)]
        # they were only needed to continue, which has happened
        interrupted = {*checkpoints[:-1]} - {*regular}
        for old in [*regular[: -self.options.keep], *interrupted]:
            old.unlink()

    def is_regular(self, file: Path) -> bool:
        """Whether a checkpoint was due at its step; otherwise it was written because of Ctrl-C."""
        step = step_of(file)
        return step % self.options.save_every == 0 or step == self.last_step

    @checked
    def export(self, path: FilePath, overwrite: bool = False) -> None:
        """Write the model as it is now, possibly averaged, with all that using it needs, without
        what only training needs.

        Raises InputError for a folder, and for an existing file without `overwrite`; a link is
        itself replaced, not its target.
        """
        expect_place(path)
        if os.path.lexists(path) and not overwrite:
            raise InputError(
                f"{path} exists already. Choose another name, or replace it: --overwrite, in "
                "Python overwrite=True."
            )
        save_checkpoint(path, self.model_tensors(), self.facts())

    def tensors(self) -> dict[str, np.ndarray]:
        """The arrays of a checkpoint."""
        tensors = self.model_tensors()
        tensors |= {
            f"optimizer/{name}": array for name, array in self.optimizer.state_dict().items()
        }
        tensors |= {f"moments/{at}": weights for at, weights in self.snapshots.items()}
        return tensors | {f"earlier/{at}": weights for at, weights in self.earlier.items()}

    def model_tensors(self) -> dict[str, np.ndarray]:
        for name, p in self.model.named_parameters().items():
            if not np.isfinite(as_numpy(p.data)).all():
                raise NonFiniteError(
                    f"Step {self.optimizer.t} made the parameter {name} infinite or NaN; it is not "
                    "saved."
                )
        return {f"model/{name}": p.data for name, p in self.model.named_parameters().items()}

    def facts(self) -> dict[str, Any]:
        """The content of a checkpoint other than arrays."""
        return {
            "step": self.optimizer.t,
            "config": self.config,
            "vocabulary": self.vocabulary.to_dict(),
            "random": {
                "data": self.batches.state(),
                "model": [g.bit_generator.state for g in self.model.generators()],
            },
            "seconds": self.seconds,
            "example": [ids.tolist() for ids in self.example()],
            "longest_source": self.longest_source,
            "shortest_source": self.shortest_source,
        }

    def restore(self, tensors: dict[str, np.ndarray], facts: dict[str, Any]) -> None:
        """Go back to the state of a checkpoint. Raises InputError, which names the field or tensor,
        if something does not fit."""
        expect_facts(facts, [self.batches.rng, *self.model.generators()])
        expect_tensors(tensors)

        def part(name):
            return {k.removeprefix(name): v for k, v in tensors.items() if k.startswith(name)}

        self.task.adopt(vocabulary_of(facts["vocabulary"]))
        self.expect_vocabulary()
        expect_example(facts["example"], len(self.vocabulary), self.task.kind)
        expect_snapshots(part("moments/"), facts["example"])
        expect_earlier(part("earlier/"), self.model.parameter_count())
        self.model.load_state_dict(part("model/"))
        self.optimizer.t = facts["step"]
        self.exported = not part("optimizer/")
        if not self.exported:
            expect_keys(part("optimizer/"), "optimizer", self.optimizer.moments)
            self.optimizer.load_state_dict(part("optimizer/"), facts["step"])
        self.snapshots = {int(at): weights for at, weights in part("moments/").items()}
        self.earlier = {int(at): weights for at, weights in part("earlier/").items()}
        self.batches.restore(facts["random"]["data"])
        for generator, state in zip(self.model.generators(), facts["random"]["model"]):
            generator.bit_generator.state = state
        self.seconds = facts["seconds"]
        source, target = map(np.array, facts["example"])
        self._example = source, target
        self.longest_source, self.shortest_source = (
            facts.get("longest_source"),
            facts.get("shortest_source"),
        )

    def expect_vocabulary(self) -> None:
        """Raise InputError unless the model's ids are those of the vocabulary."""
        for name in ("source_vocabulary", "target_vocabulary"):
            if (size := getattr(self.model.config, name)) != len(self.vocabulary):
                raise InputError(
                    f"model.options.{name} is {size}, but the vocabulary has "
                    f"{len(self.vocabulary)} tokens."
                )

    def average(self) -> None:
        """Set each parameter to its mean over the last checkpoints, as many as the options say, or
        fewer if there are not so many.

        The last steps move around a minimum; their mean is closer to it. A checkpoint that was
        written because of Ctrl-C is not used once the training has continued, and one of another
        run never is. Raises
        InputError if one of them is damaged. Source: Vaswani et al. 2017, section 6.1.
        """
        files = newest_checkpoints(self.folder, self.config, self.options.average)
        total = {}
        for file in files:
            tensors, _ = load_checkpoint(file, "model/")
            expect_tensors(tensors)
            total = {
                name: total.get(name, 0) + array.astype(np.float64)
                for name, array in tensors.items()
            }
        self.model.load_state_dict(
            {name.removeprefix("model/"): array / len(files) for name, array in total.items()}
        )

    def earlier_weights(self) -> dict[int, dict[str, np.ndarray]]:
        """{step: the model's `state_dict` then, rounded to float16}: what `Snapshots` has kept
        before the present step."""
        parameters = self.model.named_parameters()
        ends = np.cumsum([p.size for p in parameters.values()])[:-1]

        def state(flat):
            pieces = zip(parameters.items(), np.split(flat, ends))
            return {name: piece.reshape(p.shape) for (name, p), piece in pieces}

        return {
            step: state(flat)
            for step, flat in sorted(self.earlier.items())
            if step < self.optimizer.t
        }

    def example(self) -> tuple[np.ndarray, np.ndarray]:
        """(source (S,), target (T,)) ids, EOS included: the sequence that the pictures show. Of a
        text: its first token, and those behind it."""
        if self._example is None:
            source, target = self.task.example()
            end = [EOS] if self.task.kind == "pairs" else []
            self._example = source, np.append(target, end).astype(target.dtype)
        return self._example

    def as_read(self, source: np.ndarray, target: np.ndarray) -> tuple:
        """(source, target, the token before the target) as the model reads them: of a text there is
        no source, and the target begins behind its first token, not behind BOS."""
        if self.task.kind == "pairs":
            return source, target, BOS
        return None, target, int(source[-1])


def shipped() -> dict[str, Path]:
    """{name: file} of the trained models in the package."""
    return {
        path.stem: path
        for path in sorted((Path(__file__).parents[1] / "shipped").glob("*.safetensors"))
    }


def expect_tensors(tensors):
    """Raise InputError unless all tensors belong to a run and are of floats."""
    for name, array in tensors.items():
        if name.partition("/")[0] not in ("model", "optimizer", "moments", "earlier"):
            raise InputError(f"The tensor {name!r} belongs to no part of a run.")
        if array.dtype.kind != "f":
            raise InputError(f"The tensor {name!r} has dtype {array.dtype}; weights are float32.")


def make_config(
    task: str | Task, task_options: Options = (), model: str | None = None,
    preset: str | None = None, model_options: Options = (), training_options: Options = (),
) -> dict[str, Any]:
    """The configuration of a run, complete: anything not passed comes from the task's recipe, the
    preset and the defaults. The warm-up is that which is carried out, so that it stays the same if
    the run is later given more steps.

    `task` is the name of a task, or a task of a class that has a name."""
    if isinstance(task, Task):
        own = dataclasses.asdict(task)  # type: ignore[call-overload]
        task, task_options = name_of_task(task), {**own, **named("task_options", task_options)}
    made = make_task(task, **named("task_options", task_options)).completed()
    recipe = made.recipe
    model = recipe.kind if model is None else model
    if made.kind == "text" and not getattr(find_model(model).model, "one_sequence", False):
        fitting = [name for name, kind in MODELS.items() if hasattr(kind.model, "one_sequence")]
        raise InputError(
            f"The model {model} answers a source, and a text has none. Continue it with one of "
            f"{', '.join(fitting)}."
        )
    options = {**recipe.training, **named("training_options", training_options)}
    known = [field.name for field in dataclasses.fields(TrainingOptions)]
    for option in options:
        if option not in known:
            raise unknown("training option", option, known)
    training = TrainingOptions(**options)
    for_task = {"source_vocabulary": len(made.vocabulary), "max_length": made.positions}
    suited = {
        name: value for name, value in recipe.model.items() if name in find_model(model).options()
    }
    return {
        "task": {"name": task, "options": dataclasses.asdict(made)},  # type: ignore[call-overload]
        "model": {
            "name": model,
            "options": configure(
                model, recipe.preset if preset is None else preset,
                {**suited, **named("model_options", model_options)}, **for_task,
            ).to_dict(),
        },
        "training": {**dataclasses.asdict(training), "warmup": training.warmup_steps},
    }
