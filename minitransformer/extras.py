"""Packages that only some commands need: imported where they are used, and asked for by name where they are missing."""

import importlib
import importlib.util

from .errors import InputError

# {the extra of pyproject.toml: what is imported}: what of an extra is missing is named all at once.
EXTRAS = {"translate": ("num2words", "tokenizers", "sacrebleu"), "lessons": ("jupytext", "nbformat")}


def extra(package, purpose):
    """The imported package. Raises InputError, with the line that installs all that its extra lacks, if it is not there."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as problem:
        if problem.name != package:  # it is there, and lacks something itself
            raise
        raise InputError(missing(package, purpose)) from None


def missing(package, purpose):
    """What to say of a package that is not there."""
    name, packages = next((name, packages) for name, packages in EXTRAS.items() if package in packages)
    others = [other for other in packages if other != package and importlib.util.find_spec(other) is None]
    also = f" ({' and '.join(others)}, which other commands need, {'are' if len(others) > 1 else 'is'} missing too.)" if others else ""
    return (
        f"{purpose} needs the package {package}, which is not installed.{also} "
        f'Install the extra [{name}]: python -m pip install "minitransformer[{name}]"'
    )
