"""Packages that only some commands need: imported where they are used; if one is missing, the
message names it."""

import importlib
import importlib.util

from ..errors import InputError

EXTRAS = {
    "translate": ("num2words", "tokenizers", "sacrebleu"),
    "lessons": ("jupytext", "nbformat"),
    "mpi": ("mpi4py",),
    "trackers": ("tensorboardX", "wandb"),
}  # as in pyproject.toml


def extra(package, purpose):
    """The imported package. If it is missing, raises InputError with all that its extra would
    install, and the command for that."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as problem:
        if problem.name != package:  # it is installed, but something that it needs is not
            raise
    name, packages = next(item for item in EXTRAS.items() if package in item[1])
    missing = ", ".join(p for p in packages if importlib.util.find_spec(p) is None)
    raise InputError(
        f"{purpose} needs the package {package}, which is not installed. The extra [{name}] "
        "installs what is missing here "
        f'({missing}). Install it: python -m pip install "minitransformer[{name}]"'
    )
