"""People's own text files: what is read, and the sentence about what cannot be."""

import gzip
import hashlib
import os
import re
import tracemalloc

import pytest
from common import accepted, refusal

from minitransformer.data import files
from minitransformer.data.files import LONGEST, lines, sha256_of
from minitransformer.errors import InputError


def written(folder, content, name="a.txt"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "content, expected",
    [
        ("", []),
        ("\n", [""]),
        ("one", ["one"]),
        ("one\ntwo\n", ["one", "two"]),
        ("one\r\n\r\ntwo\r", ["one", "", "two"]),
        ("a\rb\n", ["a\rb"]),
        ("\ufeffone\n\ufefftwo\n", ["one", "\ufefftwo"]),
        ("a\u2028b\x0cc\x85d\x1ce\n", ["a\u2028b\x0cc\x85d\x1ce"]),
        ("\n\nx\n\n", ["", "", "x", ""]),
        ("日本\nÄ😀\n", ["日本", "Ä😀"]),
        ("a" * LONGEST + "\nb", ["a" * LONGEST, "b"]),
    ],
    ids=range(11),
)
@pytest.mark.parametrize("block", [1, 3, 2**20])
def test_lines_are_those_of_the_file_wherever_a_block_ends(
    tmp_path, monkeypatch, packed, content, expected, block
):
    monkeypatch.setattr(files, "BLOCK", block if len(content) < 100 else 2**20)
    content = content.encode()
    path = written(tmp_path, gzip.compress(content) if packed else content)
    assert accepted(lambda: [*lines(path)]) == [*enumerate(expected, start=1)]
    told = []
    assert len([*lines(str(path), told.append)]) == len(expected)
    assert sum(told) == (path.stat().st_size if content else 0)


GZIPPED = gzip.compress(b"".join(b"line %d\n" % i for i in range(200_000)))


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"a\nb\0c\n", "line 2: it contains a NUL byte"),
        (b"a\n\nOl\xe9 ol\xe9\n", r"line 3: it is not UTF-8: byte 0xe9 at place 3 \('Ol� ol�'\)"),
        ("Ä\nÄ".encode() + b"\xc3", "line 2: it is not UTF-8: byte 0xc3 at place 3"),
        (b"\xed\xa0\x80", "line 1: it is not UTF-8"),
        ("Hi".encode("utf-16"), "a.txt is not UTF-8 text. It is UTF-16"),
        ("Hi".encode("utf-16-be"), "line 1: it contains a NUL byte.* UTF-16"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"%PDF-1.7", "PDF"),
        (b"a\n" + b"b" * (LONGEST + 1) + b"\nc", "line 2: it is longer than 1,000,000 bytes"),
        (b"a\nb\n" + b"c" * 3 * LONGEST, "line 3: it is longer"),
        (gzip.compress(b"a" * 10**8), "line 1: it is longer"),
        (GZIPPED[:-9], "cut short or altered behind line"),
        (GZIPPED[:-8] + b"12345678", "cut short or altered"),
        (GZIPPED[:200_000] + b"\xff" * 40 + GZIPPED[200_040:], "cut short or altered|longer"),
        (b"\x1f\x8b", "cut short"),
        (GZIPPED + b"rest", "cut short or altered behind line 1"),
        (gzip.compress(b"a\n\xff"), "line 2: it is not UTF-8"),
    ],
    ids=range(17),
)
def test_a_damaged_file_is_named_with_the_line(tmp_path, content, sentence):
    path = written(tmp_path, content)
    said = refusal(lambda: [*lines(path)])
    assert re.search(sentence, said) and said.startswith(str(path)) and "\n" not in said


@pytest.mark.parametrize("read", [lambda path: list(lines(path)), sha256_of])
def test_what_is_no_file_is_named(tmp_path, monkeypatch, read):
    with pytest.raises(InputError, match="missing cannot be read: No such file"):
        read(tmp_path / "missing")
    with pytest.raises(InputError, match="is a folder. Name a file in it"):
        read(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(InputError, match="is a pipe or a device"):
            read(tmp_path / "pipe")

    def forbidden(*_):
        raise PermissionError(13, "Permission denied")

    path = written(tmp_path, "a\n")
    monkeypatch.setattr("builtins.open", forbidden)
    with pytest.raises(InputError, match="a.txt cannot be read: Permission denied"):
        read(path)


def test_a_file_that_grows_is_refused(tmp_path):
    path = written(tmp_path, "a\nb\n")
    with pytest.raises(InputError, match="was changed while it was read"):
        for _ in lines(path):
            with open(path, "a") as file:
                file.write("more\n")


def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "BLOCK", 2**14)
    path = written(tmp_path, gzip.compress((b"0123456789" * 100 + b"\n") * 5_000))  # 5 MB
    tracemalloc.start()
    try:
        assert sum(1 for _ in lines(path)) == 5_000
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_a_line_that_goes_on_is_not_read_to_its_end(tmp_path):
    path = written(tmp_path, gzip.compress(b"a" * 5 * 10**7))
    tracemalloc.start()
    try:
        assert "line 1: it is longer" in refusal(lambda: [*lines(path)])
        assert tracemalloc.get_traced_memory()[1] < 1e7
    finally:
        tracemalloc.stop()


def test_the_hash_is_that_of_the_bytes(tmp_path):
    content = bytes(range(256)) * 10_000
    assert sha256_of(written(tmp_path, content)) == hashlib.sha256(content).hexdigest()
