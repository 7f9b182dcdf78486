"""Arrays and facts in one safetensors file, written so that a crash at any moment leaves the old
file or the new."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import as_numpy
from ..boundary import Dictionary, FilePath, Text, checked
from ..errors import InputError, reading
from .safetensors import DTYPES, as_bytes, expect_whole, read_array, read_table
from .writing import write_file

FORMAT = "minitransformer checkpoint"
VERSION = 3  # 2: the checksums cover bytes alone
READABLE = (2, 3)
# what reading a table raises that is not what it should be
UNREADABLE = ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError


class NoCheckpoint(InputError):
    """A safetensors file of another program."""


@checked
def save_checkpoint(path: FilePath, tensors: Dictionary, facts: Any = None) -> None:
    """Write {name: array} and facts (anything JSON can hold) to `path`, whole or not at all: of a
    model, its `state_dict()`.

    The file has a checksum of every tensor: of its dtype, shape and bytes. Arrays of any byte
    order, strides and shape, () too, are restored as they were. Raises InputError for a dtype that
    safetensors does not have.
    """
    expect_place(path)
    tensors = {name: storable(name, array) for name, array in tensors.items()}
    header = {
        "format": FORMAT,
        "version": str(VERSION),
        "facts": as_json(facts),
        "checksums": json.dumps({name: _checksum(array) for name, array in tensors.items()}),
    }
    header["checksum"] = str(zlib.crc32((header["facts"] + header["checksums"]).encode()))
    write_file(path, as_bytes(tensors, header))


def expect_place(path):
    """Raise InputError unless a file can be written there: for a folder, or in none."""
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder. Name a file: {path / 'model.safetensors'}")
    if not path.parent.is_dir():
        raise InputError(
            f"There is no folder {path.parent} to write {path.name} into. Make it first."
        )


def as_json(facts):
    try:
        return json.dumps(facts)
    except (TypeError, ValueError, RecursionError) as problem:
        raise InputError(
            f"The facts of a checkpoint must be what JSON can hold: {problem}. Arrays belong to "
            "the tensors."
        ) from None


def storable(name, array):
    """The array with the memory layout that safetensors needs: in host memory, in C order, the
    lowest byte of a number first."""
    array = as_numpy(array)
    if array.dtype.name not in DTYPES:
        raise InputError(
            f"The tensor {name!r} has dtype {array.dtype}, which a checkpoint cannot hold; it "
            f"holds {', '.join(DTYPES)}."
        )
    # unlike ascontiguousarray, it keeps shape ()
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


@checked
def load_checkpoint(path: FilePath, prefix: Text = "") -> tuple[dict[str, np.ndarray], Any]:
    """(tensors, facts) of a checkpoint; only the tensors whose names begin with the prefix. A
    model's go into `load_state_dict(tensors)`.

    InputError if it is missing, cut short, altered (which tensor), or of another version. Nothing
    in the file is ever executed.
    """
    return _load(path, lambda name: name.startswith(prefix))


def load_facts(path):
    """The facts of a checkpoint, without its tensors. Raises as `load_checkpoint`, and NoCheckpoint
    for a file of another program."""
    return _load(path, lambda name: False)[1]


def _load(path, wanted):
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no checkpoint {path}.")
    try:
        with reading(path), open(path, "rb") as file:
            table, header, place, length = read_table(file)
            _expect_version(path, header)
            expect_whole(table, length)
            if (
                str(zlib.crc32((header["facts"] + header["checksums"]).encode()))
                != header["checksum"]
            ):
                raise _damaged(path, "its header differs from what was saved")
            facts, checksums = json.loads(header["facts"]), json.loads(header["checksums"])
            for name in sorted({*table} ^ {*checksums}):
                raise _damaged(
                    path,
                    f"the tensor {name!r} is "
                    f"{'not one that was saved' if name in table else 'missing'}",
                )
            tensors = {
                name: read_array(file, table[name], place) for name in sorted(table) if wanted(name)
            }
    except InputError:
        raise
    except UNREADABLE as problem:
        raise InputError(
            f"The checkpoint {path} is cut short or damaged{_first_missing(path)} ({problem}). "
            f"{_REMEDY}"
        ) from None
    checksum = (
        _checksum
        if header["version"] == "3"
        else lambda array: zlib.crc32(np.ascontiguousarray(array))  # type: ignore[arg-type]
    )
    for name, array in tensors.items():
        if checksum(array) != checksums[name]:
            raise _damaged(path, f"the tensor {name!r} differs from what was saved")
    return tensors, facts


def _checksum(array):
    described = f"{array.dtype.name} {array.shape}".encode()
    # an array is a buffer, but says so only from Python 3.12 on
    return zlib.crc32(np.ascontiguousarray(array), zlib.crc32(described))  # type: ignore[arg-type]


_REMEDY = "Use an older checkpoint of the same folder (also with --resume), or train again."


def _damaged(path, how):
    return InputError(f"The checkpoint {path} is damaged: {how}. {_REMEDY}")


def _expect_version(path, header):
    if header.get("format") != FORMAT:
        raise NoCheckpoint(f"{path} is a safetensors file, but no checkpoint of minitransformer.")
    if header.get("version") not in map(str, READABLE):
        raise InputError(
            f"The checkpoint {path} has format version {header.get('version')}; this "
            f"minitransformer reads versions {' and '.join(map(str, READABLE))}. Install the "
            "version that wrote it, or train again."
        )


def _first_missing(path):
    """", at the tensor NAME" if the file ends inside one."""
    try:
        with open(path, "rb") as file:
            table, _, _, length = read_table(file)
        short = [(entry["data_offsets"][1], name) for name, entry in table.items()]
        return f", from the tensor {min(s for s in short if s[0] > length)[1]!r} on"
    except UNREADABLE:
        return ", in its header"
