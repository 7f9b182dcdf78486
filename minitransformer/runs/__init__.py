"""A run: a training in a folder of its own, made, saved and continued."""

from .checkpoint import load_checkpoint, save_checkpoint
from .kinds import MODELS, configure, find_model
from .run import Run, make_config, shipped

__all__ = [
    "MODELS",
    "Run",
    "configure",
    "find_model",
    "load_checkpoint",
    "make_config",
    "save_checkpoint",
    "shipped",
]
