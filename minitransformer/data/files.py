"""People's own text files: read line by line, checked, in little memory whatever their size."""

import contextlib
import gzip
import hashlib
import math
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import InputError, reading, shortened

BLOCK = 2**20  # bytes that are read at once
LONGEST = 10**6  # bytes of a line: a longer one means that a file is not what it was taken for
GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = "\ufeff"
UTF_16 = "It is UTF-16: save it as UTF-8."
# how files begin that people have, and that are no plain text
OTHERS = {
    b"\xff\xfe": UTF_16,
    b"\xfe\xff": UTF_16,
    b"PK\x03\x04": "It is a zip archive, as .xlsx and .docx are too: unpack it, or save it as text "
    "(a table as CSV) in UTF-8.",
    b"%PDF": "It is a PDF: save its text as UTF-8.",
    b"PAR1": "It is a Parquet file: save it as CSV or JSON lines.",
    b"BZh": "It is compressed by bzip2: unpack it, or compress it by gzip.",
    b"\xfd7zXZ": "It is compressed by xz: unpack it, or compress it by gzip.",
    b"\x28\xb5\x2f\xfd": "It is compressed by zstd: unpack it, or compress it by gzip.",
}


def lines(
    path: "str | Path", advance: Callable[[int], object] | None = None
) -> Iterator[tuple[int, str]]:
    """(number, line) of each line of a UTF-8 text file, numbers from 1, without the line ends.

    A file that begins as gzip does is unpacked while it is read. A byte order mark is left out. A
    line ends with a line feed, or with a carriage return and a line feed, and with nothing else: a
    line separator or a form feed is a character. `advance(n)` is told how many bytes of the file
    were read, for a progress bar.

    Raises InputError, with the line: no such file, not a file, a damaged gzip, bytes that are no
    UTF-8, a NUL, a line of more than `LONGEST` bytes, or a file that changed while it was read.
    """
    number, rest = 1, b""
    for block in _blocks(path, advance, lambda: number):  # noqa: B023
        *whole, rest = (rest + block).split(b"\n")
        for line in _decoded(path, number, whole):
            yield number, line
            number += 1
        if len(rest) > LONGEST:
            raise _too_long(path, number)
    for line in _decoded(path, number, [rest] if rest else []):
        yield number, line


def pieces(path: "str | Path", advance: Callable[[int], object] | None = None) -> Iterator[str]:
    """The content of a text file in pieces of about `BLOCK` bytes, which end with a line where they
    can: as `lines` reads it, but a line may be of any length. Line ends are line feeds.

    Raises InputError as `lines` does, but for the length of a line.
    """
    number, before, rest, mark = 1, 0, b"", BYTE_ORDER_MARK
    for block in _blocks(path, advance, lambda: number):  # noqa: B023
        block = rest + block
        end = block.rfind(b"\n") + 1 or _whole(block)
        rest = block[end:]
        yield _text(path, number, before, block[:end]).removeprefix(mark)
        number += block.count(b"\n", 0, end)
        before = 0 if block[:end].endswith(b"\n") else before + end
        mark = "" if end else mark
    yield _text(path, number, before, rest).removeprefix(mark)


def _text(path, number, before, content):
    """The text of bytes that begin in this line, behind so many bytes of it, decoded at once; if
    that fails, line by line, which says where."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        text = "\n".join(_decoded(path, number, content.split(b"\n"), math.inf, before))
    return text.replace("\r\n", "\n")


def _whole(block):
    """How many bytes of a block without a line feed can be read by themselves: all but the
    beginning of a character, or of a line's end, behind them."""
    lead = next((i for i in range(1, min(5, len(block) + 1)) if block[-i] >= 0xC0), 0)
    return len(block) - (lead or block.endswith(b"\r"))


def sha256_of(path: "str | Path") -> str:
    """The SHA-256 of a file's bytes, in 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with unchanged(path) as check, reading(path), open(expect_file(path), "rb") as file:
        while block := file.read(BLOCK):
            check()
            digest.update(block)
    return digest.hexdigest()


def checksum(path: "str | Path") -> int:
    """The CRC-32 of a file that this package has written."""
    found = 0
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            found = zlib.crc32(block, found)
    return found


def expect_file(path: "str | Path") -> Path:
    """The path. Raises InputError unless it is that of a regular file: a pipe, say, could be read
    only once."""
    with reading(path):
        mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise InputError(
            f"{path} is a folder. Name a file in it. (A folder of texts is read by --text.)"
        )
    if not stat.S_ISREG(mode):
        raise InputError(
            f"{path} is a pipe or a device, and would have to be read more than once. Write its "
            "content into a file first, and name that."
        )
    return Path(path)


@contextlib.contextmanager
def unchanged(path: "str | Path"):
    """Inside, a file stays as it is. Yields a function that raises InputError if something has
    written to it; it is called at the end too."""

    def state():
        with reading(path):
            found = os.stat(path)
        return found.st_size, found.st_mtime_ns, found.st_ino

    def check():
        if state() != before:
            raise InputError(
                f"{path} was changed while it was read. Begin again when nothing writes to it."
            )

    before = state()
    yield check
    check()


@contextlib.contextmanager
def _opened(path):
    """(the content of a file, unpacked; a function that says how many bytes of the file are
    read)."""
    with open(expect_file(path), "rb") as file:
        begin = file.read(8)
        file.seek(0)
        for sign, sentence in OTHERS.items():
            if begin.startswith(sign):
                raise InputError(f"{path} is not UTF-8 text. {sentence}")
        with gzip.open(file) if begin.startswith(GZIP) else contextlib.nullcontext(file) as content:
            yield content, file.tell


def _blocks(path, advance, line):
    """The bytes of a file, unpacked, in blocks; `line()` is the number of the line that was
    reached."""
    with unchanged(path) as check, reading(path), _opened(path) as (content, at):
        before = 0
        while block := _read(content, path, line()):
            check()  # a file that grows as fast as it is read would never end
            if advance:
                advance(at() - before)
                before = at()
            yield block


def _read(content, path, number):
    try:
        return content.read(BLOCK)
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise InputError(
            f"{path} is damaged: the gzip file is cut short or altered behind line {number - 1} "
            f"({problem}). Copy or download it again."
        ) from None


def _decoded(path, number, found, longest=LONGEST, before=0):
    """The texts of lines, decoded together, which is faster. The first has this number, and so many
    bytes before."""
    if not found:
        return []
    content = b"\n".join(found)
    if (place := content.find(b"\0")) >= 0:
        at = number + content.count(b"\n", 0, place)
        raise InputError(
            f"{path}, line {at}: it contains a NUL byte, so the file is no text, or it is UTF-16 "
            "or UTF-32. Save it as UTF-8 text."
        )
    if len(max(found, key=len)) > longest:
        raise _too_long(path, number + [len(line) > longest for line in found].index(True))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as problem:
        at = content.count(b"\n", 0, problem.start)
        line = found[at]
        place = problem.start - sum(len(line) + 1 for line in found[:at])
        shown = shortened(line[max(0, place - 20) : place + 20].decode("utf-8", "replace"))
        raise InputError(
            f"{path}, line {number + at}: it is not UTF-8: byte {line[place]:#x} at place "
            f"{place + 1 + (before if at == 0 else 0)} ({shown}). Save the file as UTF-8."
        ) from None
    if number == 1:
        text = text.removeprefix(BYTE_ORDER_MARK)
    return [line.removesuffix("\r") for line in text.split("\n")]


def _too_long(path, number):
    return InputError(
        f"{path}, line {number}: it is longer than {LONGEST:,} bytes. Break it into lines; or is "
        "this another file than you meant?"
    )
