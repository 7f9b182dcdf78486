"""Packages that only some commands need: imported where they are used, and asked for by name where they are missing."""

import importlib

from .errors import InputError


def extra(package, purpose):
    """The imported package. Raises InputError, with the line that installs it, if it is not there."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as problem:
        if problem.name != package:  # it is there, and lacks something itself
            raise
        raise InputError(f"{purpose} needs the package {package}, which is not installed. Install it: python -m pip install {package}") from None
