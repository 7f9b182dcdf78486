"""Arrays in a file of the format safetensors, read and written with NumPy alone.

    8 bytes    the length of the table, the lowest byte first
    the table  JSON, filled up with spaces to a multiple of 8 bytes:
               {"__metadata__": {name: text}, name of an array: {"dtype": "F32", "shape": [2, 3],
                "data_offsets": [0, 24]}, …}
    the data   the numbers of one array after the other, in C order, the lowest byte first

Nothing in such a file can be executed. Source: https://github.com/huggingface/safetensors#format
"""

import json
import math
import os

import numpy as np

# from the narrowest to the widest; they are written the other way round, so that each array lies
# at a multiple of its itemsize
DTYPES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "int16": "I16", "uint16": "U16", "float16": "F16",
    "int32": "I32", "uint32": "U32", "float32": "F32", "float64": "F64", "int64": "I64",
    "uint64": "U64",
}  # fmt: skip
NUMPY = {short: np.dtype(name).newbyteorder("<") for name, short in DTYPES.items()}
WIDTH = {name: n for n, name in enumerate(DTYPES)}


def as_bytes(arrays, metadata):
    """The file of {name: array} and {name: text}; the arrays in C order, lowest byte first."""
    names = sorted(arrays, key=lambda name: (-WIDTH[arrays[name].dtype.name], name))
    table, end = {"__metadata__": metadata}, 0
    for name in names:
        array = arrays[name]
        begin, end = end, end + array.nbytes
        entry = {"dtype": DTYPES[array.dtype.name], "shape": array.shape}
        table[name] = {**entry, "data_offsets": (begin, end)}
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *(arrays[name] for name in names)])


def read_table(file):
    """(table, metadata, place of the data, length of the data) of an open file. Raises ValueError,
    or another error of what JSON cannot be, if it has no such table."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if length > size - 8:
        raise ValueError("the table at its beginning is cut off")
    table = json.loads(file.read(length).decode("utf-8"))
    return table, table.pop("__metadata__", {}), 8 + length, size - 8 - length


def expect_whole(table, length):
    """Raise ValueError unless the arrays of the table fill the data, one after the other."""
    end = 0
    for name, entry in sorted(table.items(), key=lambda item: item[1]["data_offsets"]):
        begin, after = entry["data_offsets"]
        width = NUMPY[entry["dtype"]].itemsize
        if begin != end or after - begin != width * math.prod(entry["shape"]):
            raise ValueError(f"the bytes of {name!r} do not fit its place and shape")
        end = after
    if end != length:
        raise ValueError(f"{length:,} bytes of data where the table has {end:,}")


def read_array(file, entry, place):
    """The array of an entry of the table, whose data begins at `place`."""
    array = np.empty(entry["shape"], NUMPY[entry["dtype"]])
    file.seek(place + entry["data_offsets"][0])
    file.readinto(array)
    return array
