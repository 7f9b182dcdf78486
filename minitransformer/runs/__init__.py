"""A run: a training in a folder of its own, made, saved and continued."""

from .run import Run, make_config, shipped

__all__ = [
    "Run",
    "make_config",
    "shipped",
]
