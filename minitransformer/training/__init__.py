"""The training loop, and what it uses: optimizers, schedules, hooks."""

from .gradients import gradients
from .loop import Progress, train
from .optimizers import SGD, Adam, AdamW, clip_by_global_norm
from .schedules import Constant, Cosine, Noam

__all__ = [
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "Noam",
    "Progress",
    "SGD",
    "clip_by_global_norm",
    "gradients",
    "train",
]
