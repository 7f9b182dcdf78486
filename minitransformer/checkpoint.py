"""Arrays and facts in one safetensors file, written so that a crash at any moment leaves the old file or the new."""

import json
import os
import zlib
from pathlib import Path

import numpy as np

from .backend import as_numpy
from .errors import InputError

FORMAT = "minitransformer checkpoint"
VERSION = 2


def save_checkpoint(path, tensors, facts):
    """Write {name: array} and facts (anything JSON can hold) to `path`.

    The file is written beside its place, synced to disk and renamed: whoever opens `path` finds the last complete
    checkpoint. A checksum of every tensor goes along.
    """
    from safetensors.numpy import save

    path = Path(path)
    tensors = {name: np.ascontiguousarray(as_numpy(array)) for name, array in tensors.items()}  # safetensors assumes C order
    header = {
        "format": FORMAT,
        "version": str(VERSION),
        "facts": json.dumps(facts),
        "checksums": json.dumps({name: zlib.crc32(array) for name, array in tensors.items()}),
    }
    header["checksum"] = str(zlib.crc32((header["facts"] + header["checksums"]).encode()))
    temporary = path.with_name(path.name + ".part")
    try:
        with open(temporary, "wb") as file:
            file.write(save(tensors, header))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:  # a full disk should not keep the half of a file
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def load_checkpoint(path, prefix=""):
    """(tensors, facts) of a checkpoint; of the tensors those whose names begin with the prefix.

    InputError if it is missing, cut short, altered (which tensor), or of another version. Nothing in the file is ever
    executed.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no checkpoint {path}.")
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            _expect_version(path, header)
            if str(zlib.crc32((header["facts"] + header["checksums"]).encode())) != header["checksum"]:
                raise InputError(f"The checkpoint {path} is damaged: its header differs from what was saved. {_REMEDY}")
            facts, checksums = json.loads(header["facts"]), json.loads(header["checksums"])
            tensors = {name: file.get_tensor(name) for name in file.keys() if name.startswith(prefix)}  # noqa: SIM118
    except InputError:
        raise
    except (SafetensorError, ValueError, KeyError, TypeError) as problem:
        raise InputError(f"The checkpoint {path} is cut short or damaged{_first_missing(path)} ({problem}). {_REMEDY}") from None
    for name, array in tensors.items():
        if zlib.crc32(np.ascontiguousarray(array)) != checksums.get(name):
            raise InputError(f"The checkpoint {path} is damaged: the tensor {name!r} differs from what was saved. {_REMEDY}")
    return tensors, facts


_REMEDY = "Name an older checkpoint of the same folder instead (--resume, too, takes one), or train again."


def _expect_version(path, header):
    if header.get("format") != FORMAT:
        raise InputError(f"{path} is a safetensors file, but no checkpoint of minitransformer.")
    if header.get("version") != str(VERSION):
        raise InputError(
            f"The checkpoint {path} has format version {header.get('version')}; this minitransformer reads version "
            f"{VERSION}. Install the version that wrote it, or train again."
        )


def _first_missing(path):
    """", at the tensor NAME" if the file ends inside one; safetensors begins with its header's length and a JSON table."""
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            table = json.loads(file.read(length))
        present = path.stat().st_size - 8 - length
        short = [(entry["data_offsets"][1], name) for name, entry in table.items() if name != "__metadata__"]
        return f", from the tensor {min(s for s in short if s[0] > present)[1]!r} on"
    except (ValueError, KeyError, TypeError, OverflowError, MemoryError):
        return ", in its header"


def sync_folder(folder):
    """Make a rename in `folder` last through a power failure (Windows has no such call and needs none)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
