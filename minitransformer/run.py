"""A run: the folder of one training, from which it can be continued, measured, asked and drawn.

    config.json                              task, model and training options
    metrics.jsonl                            a line for every logged step and every evaluation
    checkpoints/step-00002000.safetensors    all that continuing needs; the newest few are kept
    pictures/*.png                           loss curve, attention, architecture
"""

import dataclasses
import json
from pathlib import Path

import numpy as np

from .backend import as_numpy, chosen_device, on_host
from .checkpoint import load_checkpoint, save_checkpoint
from .data.stream import BatchStream
from .data.tasks import make_task
from .data.vocabularies import load_vocabulary
from .data.vocabulary import EOS
from .errors import InputError, NonFiniteError
from .losses import CrossEntropy
from .metrics import Metrics
from .models import configure, find_model
from .training import train
from .training_options import TrainingOptions

VERSION = 1


class Run:
    """Task, model, loss, optimizer and randomness of one training, and the folder where they are kept."""

    def __init__(self, folder, config):
        self.folder = Path(folder)
        self.options = TrainingOptions(**config["training"])
        self.config = {**config, "training": dataclasses.asdict(self.options)}  # with what was left to the machine
        self.task = make_task(config["task"]["name"], **config["task"]["options"])
        kind = find_model(config["model"]["name"])
        for_model, for_data = np.random.SeedSequence(self.options.seed).spawn(2)
        self.model = kind.model(kind.config(**config["model"]["options"]), np.random.default_rng(for_model))
        self.batches = BatchStream(self.task, np.random.default_rng(for_data), self.options.batch_size, self.options.batch_tokens)
        self.loss = CrossEntropy(self.options.label_smoothing)
        self.optimizer = self.options.make_optimizer(self.model)
        self.metrics = Metrics(self.folder / "metrics.jsonl")
        self.moments = {}  # {step: attention (layers, H, T, S)}: what `hooks.Moments` recorded
        self.seconds = 0.0  # spent training so far
        self.last_step = self.options.steps
        self._example = None
        self.longest_source = None  # the longest source that was trained on, in tokens; None if that is not known
        self.exported = False  # whether it came from a file without what training on needs

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
    def open(cls, path, averaged=True):
        """The run of a folder at its newest checkpoint, or at the checkpoint file that `path` names.

        From a folder, and if its options ask for it, the model is the mean of the last checkpoints. A path that does not
        exist may be the name of a model that comes with the package.
        """
        path = Path(path)
        if path.is_dir():
            newest = cls._checkpoints(path)[-1:]
            if not newest:
                if (path / "config.json").is_file():
                    raise InputError(f"The run {path} has no checkpoint yet. Train it with: minitransformer train --resume {path}")
                raise InputError(f"{path} is no run: it has no checkpoints and no config.json. A run is made by: minitransformer train TASK")
            run = cls.open(newest[0])
            if averaged and run.options.average > 1:
                run.average()
            return run
        if not path.exists() and str(path) in shipped():
            path = shipped()[str(path)]
        if not path.is_file():
            raise InputError(f"There is no run {path}{cls._near(path)} Make one with: minitransformer train TASK")
        tensors, facts = load_checkpoint(path)
        in_a_run = path.parent.name == "checkpoints"
        run = cls(path.parent.parent if in_a_run else path, facts["config"])  # a lone file has nothing beside it
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
            run = cls.open(path, averaged=False)
        if run.exported:
            raise InputError(f"{path} holds a model alone, without what training on needs. Ask it with translate, or train a new one.")
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

    @property
    def vocabulary(self):
        return self.task.vocabulary

    def to(self, device):
        """Work on "cpu" or "gpu", or with "auto" on a GPU if one can be used. What is saved is the same. Returns self."""
        if on_host(self.optimizer.flat.data) == (chosen_device(device) == "cpu"):
            return self                                                  # it is there: nothing is copied
        state, t = self.optimizer.state_dict(), self.optimizer.t
        self.optimizer = self.options.make_optimizer(self.model.to(device))
        self.optimizer.load_state_dict(state, t)
        return self

    # -- training ------------------------------------------------------------------------------------------

    def train(self, hooks=()):
        """Train on to the last step; the hooks (see hooks.py) log, evaluate and save."""
        self.longest_source = self.task.longest_trained
        max_norm = self.options.max_norm or None
        with np.errstate(over="ignore", invalid="ignore"):  # the loop itself notices, and says where
            train(self.model, self.loss, self.optimizer, self.batches, self.last_step, max_norm, hooks, self.options.shares, skip_padding=True, replay=True)

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
        others += shipped()
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
        tensors = self.model_tensors()
        tensors |= {f"optimizer/{name}": array for name, array in self.optimizer.state_dict().items()}
        tensors |= {f"moments/{at}": weights for at, weights in self.moments.items()}
        save_checkpoint(self.checkpoint_path(), tensors, self.facts())
        regular = [file for file in self.checkpoints() if self.is_regular(file)]
        interrupted = {*self.checkpoints()[:-1]} - {*regular}  # they served to go on, and that is done
        for old in [*regular[: -self.options.keep], *interrupted]:
            old.unlink()

    def is_regular(self, file):
        """Whether a checkpoint was due, and not written because somebody pressed Ctrl-C."""
        step = int(file.stem.removeprefix("step-"))
        return step % self.options.save_every == 0 or step == self.last_step

    def export(self, path):
        """Write the model as it is now, averaged maybe, with all that asking it needs and nothing that only training needs."""
        save_checkpoint(path, self.model_tensors(), self.facts())

    def model_tensors(self):
        for name, p in self.model.named_parameters().items():
            if not np.isfinite(as_numpy(p.data)).all():
                raise NonFiniteError(f"Step {self.optimizer.t} made the parameter {name} infinite or NaN; it is not saved.")
        return {f"model/{name}": p.data for name, p in self.model.named_parameters().items()}

    def facts(self):
        """What a checkpoint holds beside arrays."""
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
        }

    def restore(self, tensors, facts):
        """Go back to the moment of a checkpoint."""
        part = lambda name: {k.removeprefix(name): v for k, v in tensors.items() if k.startswith(name)}  # noqa: E731
        self.model.load_state_dict(part("model/"))
        self.optimizer.t = facts["step"]
        self.exported = not part("optimizer/")
        if not self.exported:
            self.optimizer.load_state_dict(part("optimizer/"), facts["step"])
        self.moments = {int(at): weights for at, weights in part("moments/").items()}
        self.task.adopt(load_vocabulary(facts["vocabulary"]))
        self.batches.restore(facts["random"]["data"])
        for generator, state in zip(self.model.generators(), facts["random"]["model"]):
            generator.bit_generator.state = state
        self.seconds = facts["seconds"]
        self._example = tuple(map(np.array, facts["example"]))
        self.longest_source = facts.get("longest_source")

    def average(self):
        """Let each parameter be its mean over the last checkpoints, as many as the options say or there are.

        The last steps wander around a minimum; their mean lies nearer to it. A checkpoint that was written because
        somebody pressed Ctrl-C is not among them once the training went on. Source: Vaswani et al. 2017, section 6.1.
        """
        files = self.checkpoints()[-self.options.average :]
        total = {}
        for file in files:
            tensors, _ = load_checkpoint(file, "model/")
            total = {name: total.get(name, 0) + array.astype(np.float64) for name, array in tensors.items()}
        self.model.load_state_dict({name.removeprefix("model/"): array / len(files) for name, array in total.items()})

    def example(self):
        """(source (S,), target (T,)) ids, EOS included: the sequence that the pictures show."""
        if self._example is None:
            source, target = self.task.example()
            self._example = source, np.append(target, EOS)
        return self._example


def shipped():
    """{name: file} of the trained models that come with the package."""
    return {path.stem: path for path in sorted((Path(__file__).parent / "shipped").glob("*.safetensors"))}


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


def make_config(task, task_options=(), model="transformer", preset=None, model_options=(), training_options=()):
    """The configuration of a run, complete: what is not given comes from the task's recipe, the preset and the defaults."""
    made = make_task(task, **dict(task_options))
    recipe = made.recipe
    training = {**recipe.training, **dict(training_options)}
    longest = sum(made.longest) + 2  # source and target in one sequence, BOS and EOS: a language model's need
    for_task = {"source_vocabulary": len(made.vocabulary), "max_length": max(512, longest)}
    suited = {name: value for name, value in recipe.model.items() if name in find_model(model).options()}
    return {
        "task": {"name": task, "options": dataclasses.asdict(made)},
        "model": {"name": model, "options": configure(model, preset or recipe.preset, {**suited, **dict(model_options)}, **for_task).to_dict()},
        "training": dataclasses.asdict(TrainingOptions(**training)),
    }
