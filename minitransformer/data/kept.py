"""What was made of data once, and is kept in a folder of the user's cache.

    FOLDER/facts.json      what was found, a checksum of each other file, and one of these facts
    FOLDER/…               the other files

A folder is complete or not there: it is made under another name, and renamed.
"""

import atexit
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError, write_text, writing
from .download import cache_folder
from .files import checksum

FORMAT = 2  # of what is kept: another number, and it is made anew
# what reading a folder raises that is not there, or damaged
DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError)


class Kept(NamedTuple):
    """A complete folder, and its facts."""

    folder: Path
    facts: dict[str, Any]


def kept(key: str, write: Callable[[Path], dict[str, Any]], below: Path | None = None) -> Kept:
    """The folder of that key; `write(folder) → facts` fills it if there is no complete one yet."""
    place = (below or store_folder()) / key
    try:
        return read_kept(place)
    except DAMAGED:
        shutil.rmtree(place, ignore_errors=True)
    with writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f"{key[:16]}-", suffix=".part", dir=place.parent))
    try:
        with writing(place):
            facts = json.loads(json.dumps(write(made)))  # as it will be read again
            sums = {file.name: checksum(file) for file in sorted(made.iterdir())}
            content = {"facts": facts, "files": sums, "checksum": checksum_of(facts, sums)}
            write_text(made / "facts.json", json.dumps(content))
            try:
                made.rename(place)
            except OSError:
                return read_kept(place)  # another training was faster
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Kept(place, facts)


def read_kept(place: Path) -> Kept:
    """The folder, if it is complete. Raises one of `DAMAGED` if it is not."""
    content = json.loads((place / "facts.json").read_text(encoding="utf-8"))
    facts, sums = content["facts"], content["files"]
    if content["checksum"] != checksum_of(facts, sums):
        raise ValueError("facts.json was changed")
    for name, right in sums.items():
        if checksum(place / name) != right:
            raise ValueError(f"{name} was changed")
    return Kept(place, facts)


def checksum_of(*values):
    return zlib.crc32(json.dumps(values, sort_keys=True).encode())


def store_folder() -> Path:
    """Where such folders are: in the user's cache; a temporary folder for a user without one."""
    try:
        folder = cache_folder("What is made of data") / "data"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except (InputError, OSError):
        pass
    if not TEMPORARY:
        TEMPORARY.append(Path(tempfile.mkdtemp(prefix="minitransformer-")))
        atexit.register(shutil.rmtree, TEMPORARY[0], ignore_errors=True)
    return TEMPORARY[0]


TEMPORARY: list[Path] = []


def mapped(path, dtype):
    """The numbers in a file, not read before they are used. (An empty file cannot be mapped.)"""
    # a plain array over it, which is sliced faster
    return np.asarray(np.memmap(path, dtype, "r") if os.path.getsize(path) else np.zeros(0, dtype))
