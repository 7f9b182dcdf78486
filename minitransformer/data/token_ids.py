"""The ids of a text that may be larger than the memory: made once, kept in a file."""

import functools
import hashlib
import json
import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from ..errors import InputError, reading
from ..terminal.progress import progress
from .byte_pairs import BytePairs
from .characters import ExactCharacters, code_points
from .files import expect_file, pieces, sha256_of
from .kept import FORMAT, kept
from .vocabularies import load_vocabulary
from .vocabulary import EOS, Vocabulary

ENDS = (".txt", ".txt.gz")  # of the files that are read in a folder


class TokenIds(NamedTuple):
    """An open file of ids, all of one dtype: it stays readable if somebody removes it."""

    file: BinaryIO
    dtype: np.dtype

    @property
    def array(self) -> np.ndarray:
        """All ids (N,), mapped into memory anew: a page stays in memory as long as the map that
        read it."""
        if not os.fstat(self.file.fileno()).st_size:
            return np.zeros(0, dtype=self.dtype)
        return np.memmap(self.file, dtype=self.dtype, mode="r")


def files_of(text: str) -> list[Path]:
    """The files that the lines of `text` name; of a folder, all that end in .txt or .txt.gz, in
    alphabetical order. InputError if there is none."""
    files = []
    for path in map(Path, text.split("\n") if text else ()):
        inside = sorted(file for file in path.rglob("*") if is_text(file))
        if path.is_dir() and not inside:
            raise InputError(
                f"The folder {path} holds no file whose name ends in {' or '.join(ENDS)}. Name "
                "the files themselves."
            )
        files += [file for file in inside or [path] if file not in files]
    if not files:
        raise InputError("Name a file of the text, or a folder of such files: --text book.txt")
    return files


def is_text(file):
    name = file.name.lower()
    return name.endswith(ENDS) and not name.startswith(".") and file.is_file()


def sha256_of_all(files: list[Path]) -> str:
    """Of one file, its SHA-256; of several, that of theirs, one after the other."""
    each = []
    for file in files:
        now = expect_file(file).stat()
        each.append(hashed_once(file, now.st_size, now.st_mtime_ns))
    return each[0] if len(each) == 1 else hashlib.sha256("".join(each).encode()).hexdigest()


@functools.lru_cache(maxsize=10_000)
def hashed_once(file, size, changed):
    """The SHA-256 of a file of this size, changed at that time: in a process, a large one is read
    for it once."""
    return sha256_of(file)


def vocabulary_of_text(files: list[Path], sha256: str, cut: str, size: int) -> Vocabulary:
    """The vocabulary of these files, cut by this rule; that of an earlier time, if it is kept."""

    def learn(folder):
        return LEARN[cut](files, size).to_dict()

    return load_vocabulary(kept(key_of(sha256, cut, size), learn).facts)


def characters_of(files: list[Path], size: int) -> ExactCharacters:
    """All characters that occur, in the order of Unicode."""
    seen = np.zeros(0x110000, dtype=bool)
    for text in read(files, "counting characters"):
        seen[code_points(text)] = True
    return ExactCharacters([chr(point) for point in np.flatnonzero(seen)])


def byte_pairs_of(files: list[Path], size: int) -> BytePairs:
    return BytePairs.learn(read(files, "counting words"), size)


LEARN = {"characters": characters_of, "byte-pairs": byte_pairs_of}


def token_ids(files: list[Path], sha256: str, vocabulary: Vocabulary) -> TokenIds:
    """The ids of these files, one after the other, EOS between them; those of an earlier time, if
    they are kept."""
    dtype = np.dtype("<u2" if len(vocabulary) <= 2**16 else "<u4")

    def encode(folder):
        with open(folder / "ids", "wb") as ids:
            for number, file in enumerate(files):
                if number:
                    ids.write(np.array([EOS], dtype=dtype).tobytes())
                for some in vocabulary.encode_stream(read([file], "reading")):
                    ids.write(some.astype(dtype).tobytes())
        return {}

    place = kept(key_of(sha256, vocabulary.to_dict()), encode).folder / "ids"
    with reading(place):
        return TokenIds(open(place, "rb"), dtype)


def key_of(*what):
    """A name for what is made of a text: a hash of what it is made of."""
    return hashlib.sha256(json.dumps([FORMAT, *what]).encode()).hexdigest()[:32]


def read(files, title):
    """The content of files in parts, behind a progress bar, which appears if it takes a second."""
    with progress(title, sum(map(os.path.getsize, files)), "B") as advance:
        for file in files:
            yield from pieces(file, advance)
