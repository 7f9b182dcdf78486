"""Packages that only some commands need: imported where they are used, and asked for by name where they are missing."""

import importlib
import importlib.util

from ..errors import InputError

EXTRAS = {"translate": ("num2words", "tokenizers", "sacrebleu"), "lessons": ("jupytext", "nbformat")}  # as in pyproject.toml


def extra(package, purpose):
    """The imported package. Raises InputError, with all that its extra lacks and the line that installs it, if it is not there."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as problem:
        if problem.name != package:  # it is there, and lacks something itself
            raise
    name, packages = next(item for item in EXTRAS.items() if package in item[1])
    missing = ", ".join(p for p in packages if importlib.util.find_spec(p) is None)
    raise InputError(
        f"{purpose} needs the package {package}, which is not installed. The extra [{name}] brings what is missing here "
        f'({missing}). Install it: python -m pip install "minitransformer[{name}]"'
    )
