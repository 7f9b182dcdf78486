"""How a run trains: what the user may choose."""

import dataclasses
import math
from typing import Any

from ..core.options import expect_own_fields, option
from ..errors import InputError, unknown
from .optimizers import SGD, Adam, AdamW, Optimizer
from .schedules import Constant, Cosine, Noam


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How a run trains. Checked when made; InputError names what does not fit."""

    steps: int = option(2000, "number of steps; each task has its own, see: tasks")
    batch_size: int = option(64, "sequences a step")
    batch_tokens: int = option(
        0, "tokens a step instead, sequences of like lengths together; 0: batch_size sequences"
    )
    optimizer: str = option("adam", "adam, adamw or sgd (with momentum 0.9)")
    learning_rate: float = option(1e-3, "the rate at its peak")
    schedule: str = option(
        "cosine", "cosine (down to 0 at the last step), noam (the paper's) or constant"
    )
    warmup: int = option(
        200, "steps in which the rate rises to its peak; with cosine at most half of all"
    )
    beta2: float = option(0.98, "Adam's decay of the squared gradients")
    weight_decay: float = option(0.01, "adamw's decay")
    label_smoothing: float = option(
        0.0, "share of the target's probability that is spread over the vocabulary"
    )
    max_norm: float = option(1.0, "clip the gradients' joint norm to this; 0: do not clip")
    seed: int = option(0, "draws the first weights, the data and the dropout")
    log_every: int = option(10, "steps between two lines of metrics")
    evaluate_every: int = option(250, "steps between two evaluations")
    evaluate_count: int = option(200, "validation sequences an evaluation decodes")
    save_every: int = option(250, "steps between two checkpoints")
    shares: int = option(
        2, "parts of a batch, side by side where there are as many cores, else one after the other"
    )
    keep: int = option(3, "how many checkpoints stay")
    average: int = option(
        1, "ask the mean of so many last checkpoints, as in the paper; resuming takes the last"
    )

    def __post_init__(self):
        expect_own_fields(self)
        counts = (
            "steps", "batch_size", "log_every", "evaluate_every", "evaluate_count", "save_every",
            "shares", "keep", "average",
        )
        for name in counts:
            if not 1 <= getattr(self, name) < 2**63:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}.")
        for name in ("batch_tokens", "warmup", "learning_rate", "max_norm", "weight_decay", "seed"):
            if (
                not 0
                <= getattr(self, name)
                < {"batch_tokens": 2**63, "warmup": 2**63, "seed": math.inf}.get(name, 1e300)
            ):
                raise InputError(f"{name} must be a number from 0 on, got {getattr(self, name)}.")
        if self.average > self.keep:
            raise InputError(
                f"average={self.average} checkpoints can only be averaged if as many stay: "
                f"keep={self.keep}."
            )
        for name in ("beta2", "label_smoothing"):
            if getattr(self, name) >= 1:
                raise InputError(
                    f"{name} must be from 0 up to, not including, 1; got {getattr(self, name)}."
                )
        if self.optimizer not in ("adam", "adamw", "sgd"):
            raise unknown("optimizer", self.optimizer, ("adam", "adamw", "sgd"))
        if self.schedule not in ("cosine", "noam", "constant"):
            raise unknown("schedule", self.schedule, ("cosine", "noam", "constant"))

    @property
    def warmup_steps(self) -> int:
        """The warm-up as it is carried out."""
        return min(self.warmup, self.steps // 2) if self.schedule == "cosine" else self.warmup

    def make_schedule(self, d_model: int) -> Constant | Cosine | Noam:
        if self.schedule == "cosine":
            return Cosine(self.learning_rate, self.steps, self.warmup_steps)
        if self.schedule == "constant":
            return Constant(self.learning_rate, self.warmup)
        peak_at_factor_1 = (d_model * max(1, self.warmup)) ** -0.5
        return Noam(d_model, max(1, self.warmup), self.learning_rate / peak_at_factor_1)

    def make_optimizer(self, model: Any) -> Optimizer:
        schedule = self.make_schedule(model.config.d_model)
        if self.optimizer == "sgd":
            return SGD(model, schedule, momentum=0.9)
        if self.optimizer == "adamw":
            return AdamW(model, schedule, beta2=self.beta2, weight_decay=self.weight_decay)
        return Adam(model, schedule, beta2=self.beta2)
