"""A run: a training in a folder of its own, made, saved and continued."""

from .checkpoint import load_checkpoint, save_checkpoint
from .run import Run, make_config, shipped

__all__ = [
    "Run",
    "load_checkpoint",
    "make_config",
    "save_checkpoint",
    "shipped",
]
