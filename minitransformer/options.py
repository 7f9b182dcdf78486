"""Options that explain themselves."""

import dataclasses


def option(default, help):
    """A dataclass field with a default, and the sentence that the command's `--help` shows for it."""
    return dataclasses.field(default=default, metadata={"help": help})
