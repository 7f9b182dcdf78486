"""A run: the folder of one training, from which it can be continued, measured, asked and drawn.

    config.json                              task, model and training options
    metrics.jsonl                            a line for every logged step and every evaluation
    checkpoints/step-00002000.safetensors    all that continuing needs; the newest few are kept
    pictures/*.png                           loss curve, attention, architecture
"""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np

from .backend import as_numpy
from .checkpoint import load_checkpoint, save_checkpoint
from .data.batching import make_batch
from .data.tasks import TASKS, make_task
from .data.vocabulary import PAD, SPECIAL, Vocabulary
from .errors import InputError, NonFiniteError, unknown
from .losses import CrossEntropy
from .metrics import Metrics
from .models import configure, find_model
from .optim import SGD, Adam, AdamW
from .options import option
from .schedules import Constant, Cosine, Noam
from .training import train

VERSION = 1


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How a run trains. Checked when made; InputError names what does not fit."""

    steps: int = option(2000, "number of steps; each task has its own, see: tasks")
    batch_size: int = option(64, "sequences a step")
    optimizer: str = option("adam", "adam, adamw or sgd (with momentum 0.9)")
    learning_rate: float = option(1e-3, "the rate at its peak")
    schedule: str = option("cosine", "cosine (down to 0 at the last step), noam (the paper's) or constant")
    warmup: int = option(200, "steps in which the rate rises to its peak; with cosine at most half of all")
    beta2: float = option(0.98, "Adam's decay of the squared gradients")
    weight_decay: float = option(0.01, "adamw's decay")
    label_smoothing: float = option(0.0, "share of the target's probability that is spread over the vocabulary")
    max_norm: float = option(1.0, "clip the gradients' joint norm to this; 0: do not clip")
    seed: int = option(0, "draws the first weights, the data and the dropout")
    log_every: int = option(10, "steps between two lines of metrics")
    evaluate_every: int = option(250, "steps between two evaluations")
    evaluate_count: int = option(200, "validation sequences an evaluation decodes")
    save_every: int = option(250, "steps between two checkpoints")
    keep: int = option(3, "how many checkpoints stay")

    def __post_init__(self):
        for name in ("steps", "batch_size", "log_every", "evaluate_every", "evaluate_count", "save_every", "keep"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}.")
        for name in ("warmup", "learning_rate", "max_norm", "weight_decay", "seed"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"{name} must be a number from 0 on, got {getattr(self, name)}.")
        if not 0 <= self.beta2 < 1:
            raise InputError(f"beta2 must be from 0 up to, not including, 1; got {self.beta2}.")
        if self.optimizer not in ("adam", "adamw", "sgd"):
            raise unknown("optimizer", self.optimizer, ("adam", "adamw", "sgd"))
        if self.schedule not in ("cosine", "noam", "constant"):
            raise unknown("schedule", self.schedule, ("cosine", "noam", "constant"))

    def make_schedule(self, d_model):
        if self.schedule == "cosine":
            return Cosine(self.learning_rate, self.steps, min(self.warmup, self.steps // 2))
        if self.schedule == "constant":
            return Constant(self.learning_rate, self.warmup)
        peak_at_factor_1 = (d_model * max(1, self.warmup)) ** -0.5
        return Noam(d_model, max(1, self.warmup), self.learning_rate / peak_at_factor_1)

    def make_optimizer(self, model):
        schedule = self.make_schedule(model.config.d_model)
        if self.optimizer == "sgd":
            return SGD(model, schedule, momentum=0.9)
        if self.optimizer == "adamw":
            return AdamW(model, schedule, beta2=self.beta2, weight_decay=self.weight_decay)
        return Adam(model, schedule, beta2=self.beta2)


class Run:
    """Task, model, loss, optimizer and randomness of one training, and the folder where they are kept."""

    def __init__(self, folder, config):
        self.folder, self.config = Path(folder), config
        self.options = TrainingOptions(**config["training"])
        self.task = make_task(config["task"]["name"], **config["task"]["options"])
        self.vocabulary = self.task.vocabulary
        kind = find_model(config["model"]["name"])
        for_model, for_data = np.random.SeedSequence(self.options.seed).spawn(2)
        self.model = kind.model(kind.config(**config["model"]["options"]), np.random.default_rng(for_model))
        self.data_rng = np.random.default_rng(for_data)
        self.loss = CrossEntropy(self.options.label_smoothing)
        self.optimizer = self.options.make_optimizer(self.model)
        self.metrics = Metrics(self.folder / "metrics.jsonl")
        self.moments = {}  # {step: attention (layers, H, T, S)}: what `hooks.Moments` recorded
        self.seconds = 0.0  # spent training so far
        self.last_step = self.options.steps

    @classmethod
    def create(cls, folder, config, overwrite=False):
        """A new run in a new folder. InputError if the folder holds something already (unless it is to be overwritten)."""
        run = cls(folder, config)  # checks everything before a file is touched,
        run.example()              # also that there are validation sequences
        if run.folder.exists() and any(run.folder.iterdir()):
            if not (overwrite and (run.folder / "config.json").is_file()):
                raise InputError(
                    f"The folder {folder} is not empty. Continue it with --resume {folder}, or choose another with --out."
                )
            for old in [run.metrics.path, *run.checkpoints()]:
                old.unlink(missing_ok=True)
        (run.folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        write_config(run.folder, config)
        return run

    @classmethod
    def open(cls, path):
        """The run of a folder at its newest checkpoint, or at the checkpoint file that `path` names."""
        path = Path(path)
        if path.is_dir():
            newest = cls._checkpoints(path)[-1:]
            if not newest:
                if (path / "config.json").is_file():
                    raise InputError(f"The run {path} has no checkpoint yet. Train it with: minitransformer train --resume {path}")
                raise InputError(f"{path} is no run: it has no checkpoints and no config.json. A run is made by: minitransformer train TASK")
            path = newest[0]
        if not path.is_file():
            raise InputError(f"There is no run {path}{cls._near(path)} Make one with: minitransformer train TASK")
        tensors, facts = load_checkpoint(path)
        folder = path.parent.parent
        run = cls(folder, facts["config"])
        run.restore(tensors, facts)
        return run

    @classmethod
    def resume(cls, path, steps=None):
        """The run of a folder, ready to train on from its newest checkpoint, or from the start if it has none yet.

        `path` may also name one of its checkpoints; what came after that one is then dropped. `steps` changes where the
        run ends, from now on, and stretches a cosine schedule to it. Raises InputError if no step is left to do.
        """
        path = Path(path)
        if path.is_dir() and not cls._checkpoints(path) and (path / "config.json").is_file():
            run = cls(path, read_config(path / "config.json"))
        else:
            run = cls.open(path)
        if steps is not None:
            run.change_steps(steps)
        if run.optimizer.t >= run.last_step:
            raise InputError(
                f"The run {run.folder} stands at step {run.optimizer.t} of {run.last_step}: there is nothing left to do. "
                f"To train it further, ask for more: --steps {2 * run.optimizer.t}"
            )
        run.metrics.cut_back(run.optimizer.t)
        for other in (run.folder / "checkpoints").iterdir():
            if other.suffix == ".part" or other.name > run.checkpoint_path().name:
                other.unlink()
        return run

    # -- training ------------------------------------------------------------------------------------------

    def next_batch(self):
        return make_batch(*self.task.sample(self.data_rng, self.options.batch_size))

    def train(self, hooks=()):
        """Train on to the last step; the hooks (see hooks.py) log, evaluate and save."""
        max_norm = self.options.max_norm or None
        with np.errstate(over="ignore", invalid="ignore"):  # the loop itself notices, and says where
            train(self.model, self.loss, self.optimizer, self.next_batch, self.last_step, max_norm, hooks)

    # -- checkpoints ---------------------------------------------------------------------------------------

    @staticmethod
    def _checkpoints(folder):
        return sorted((Path(folder) / "checkpoints").glob("step-*.safetensors"))

    def checkpoints(self):
        """The checkpoint files of this run, oldest first."""
        return self._checkpoints(self.folder)

    @staticmethod
    def _near(path):
        others = sorted(p.parent for p in path.parent.glob("*/config.json")) if path.parent.is_dir() else []
        return f"; there are: {', '.join(map(str, others))}." if others else "."

    def checkpoint_path(self):
        """Where the checkpoint of this very moment belongs."""
        return self.folder / "checkpoints" / f"step-{self.optimizer.t:08d}.safetensors"

    def change_steps(self, steps):
        """Let the run end at another step than it was made for, in its config too; its schedule is made anew."""
        self.options = dataclasses.replace(self.options, steps=steps)
        self.config = {**self.config, "training": dataclasses.asdict(self.options)}
        self.optimizer.learning_rate = self.options.make_schedule(self.model.config.d_model)
        self.last_step = steps
        write_config(self.folder, self.config)

    def save(self):
        """Write a checkpoint of this very moment, and let the oldest go. NonFiniteError if a parameter is not finite."""
        for name, p in self.model.named_parameters().items():
            if not np.isfinite(as_numpy(p.data)).all():
                raise NonFiniteError(f"Step {self.optimizer.t} made the parameter {name} infinite or NaN; it is not saved.")
        tensors = {f"model/{name}": p.data for name, p in self.model.named_parameters().items()}
        tensors |= {f"optimizer/{name}": array for name, array in self.optimizer.state_dict().items()}
        tensors |= {f"moments/{at}": weights for at, weights in self.moments.items()}
        facts = {
            "step": self.optimizer.t,
            "config": self.config,
            "vocabulary": self.vocabulary.tokens,
            "random": {
                "data": self.data_rng.bit_generator.state,
                "model": [g.bit_generator.state for g in self.model.generators()],
            },
            "seconds": self.seconds,
        }
        save_checkpoint(self.checkpoint_path(), tensors, facts)
        for old in self.checkpoints()[: -self.options.keep]:
            old.unlink()

    def restore(self, tensors, facts):
        """Go back to the moment of a checkpoint."""
        part = lambda name: {k.removeprefix(name): v for k, v in tensors.items() if k.startswith(name)}  # noqa: E731
        self.model.load_state_dict(part("model/"))
        self.optimizer.load_state_dict(part("optimizer/"), facts["step"])
        self.moments = {int(at): weights for at, weights in part("moments/").items()}
        self.vocabulary = Vocabulary(facts["vocabulary"][len(SPECIAL) :])
        self.data_rng.bit_generator.state = facts["random"]["data"]
        for generator, state in zip(self.model.generators(), facts["random"]["model"]):
            generator.bit_generator.state = state
        self.seconds = facts["seconds"]

    # -- the sequence that the pictures show -----------------------------------------------------------------

    def example(self):
        """(source (S,), target (T,)) ids, EOS included: the first of the longest among 20 validation sequences."""
        batch = make_batch(*self.task.sample(np.random.default_rng(0), 20, "validation"))
        longest = int((batch.source != PAD).sum(axis=1).argmax())
        return [ids[longest][ids[longest] != PAD] for ids in (batch.source, batch.target_out)]


def write_config(folder, config):
    (folder / "config.json").write_text(json.dumps({"version": VERSION, **config}, indent=2) + "\n", encoding="utf-8")


def read_config(path):
    """The configuration in a run's config.json; InputError if it cannot be read or is of another version."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        version = config.pop("version")
        if version == VERSION and {"task", "model", "training"} > set(config):
            raise KeyError
    except (ValueError, KeyError, AttributeError, TypeError):
        raise InputError(f"{path} is damaged: it is not the JSON that a run begins with. Train again.") from None
    if version != VERSION:
        raise InputError(f"{path} is of version {version}; this minitransformer reads version {VERSION}.")
    return config


def make_config(task, task_options=(), model="transformer", preset="toy", model_options=(), training_options=()):
    """The configuration of a run, complete: what is not given comes from the task, the preset and the defaults."""
    made = make_task(task, **dict(task_options))
    training = {"steps": TASKS[task].steps, **dict(training_options)}
    longest = sum(made.longest) + 2  # source and target in one sequence, BOS and EOS: a language model's need
    for_task = {"source_vocabulary": len(made.vocabulary), "max_length": max(512, longest)}
    return {
        "task": {"name": task, "options": dataclasses.asdict(made)},
        "model": {"name": model, "options": configure(model, preset, model_options, **for_task).to_dict()},
        "training": dataclasses.asdict(TrainingOptions(**training)),
    }
