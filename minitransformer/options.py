"""Options that explain themselves."""

import dataclasses


def flag(name):
    """How a field is written on the command line: max_norm → --max-norm."""
    return "--" + name.replace("_", "-")


def option(default, help):
    """A dataclass field with a default, and the sentence that the command's `--help` shows for it."""
    return dataclasses.field(default=default, metadata={"help": help})
