"""The training loop, and what it uses: optimizers, schedules, strategies, hooks."""

from .gradients import gradients
from .loop import Progress, plain_loop, train
from .optimizers import SGD, Adam, AdamW, clip_by_global_norm
from .schedules import Constant, Cosine, Noam
from .strategies import in_shares

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
    "in_shares",
    "plain_loop",
    "train",
]
