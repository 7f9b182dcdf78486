"""Pairs of texts out of files: tab-separated, CSV, JSON lines, or two files line by line."""

import csv
import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import InputError, shortened
from .files import lines

ENDINGS = {
    ".tsv": "tab", ".tab": "tab", ".txt": "tab", ".csv": "csv", ".jsonl": "json", ".ndjson": "json",
    ".json": "json",
}
# names of two columns or fields that are taken unless --fields names others
NAMES = (
    ("source", "target"), ("src", "tgt"), ("src", "trg"), ("input", "output"), ("input", "target"),
    ("question", "answer"), ("prompt", "completion"), ("instruction", "response"),
    ("text", "label"),
)  # fmt: skip
CHOOSE = "Say which two are source and target: --fields SOURCE,TARGET"


class Row(NamedTuple):
    """A pair, and the number of the line where it begins."""

    line: int
    source: str
    target: str


class Table(NamedTuple):
    """How a file is read ("tab-separated, columns 1 and 2"), and its pairs."""

    how: str
    rows: Iterator[Row]


def pairs_in(
    path: "str | Path", fields: str = "", advance: Callable[[int], object] | None = None
) -> Table:
    """Each pair of a file, as it stands there; blank lines are pairs of two empty texts.

    What the file is, its name says (.tsv, .csv, .jsonl, with or without .gz), or else its first
    line: { begins JSON lines, and a tab is tab-separated. `fields` names the two columns, by their
    names ("question,answer") or, without a header, by their numbers ("1,3"). Raises InputError with
    the file and the line.
    """
    names = two_fields(fields)
    rows = lines(path, advance)
    first = next(rows, None)
    if first is None:
        raise InputError(f"{path} is empty. It needs pairs of texts, one a line.")
    rows = itertools.chain([first], rows)
    kind = ENDINGS.get(ending(path))
    if kind in (None, "tab") and first[1].lstrip().startswith("{") and "\t" not in first[1]:
        kind = "json"
    if kind is None and "\t" not in first[1]:
        raise InputError(
            f"{path}, line 1: it is neither tab-separated nor JSON. Give the file a name that ends "
            "in .tsv, .csv or .jsonl, for what it is; or name two files of lines: --source FILE "
            "--target FILE."
        )
    return {"tab": _tab_separated, "csv": _csv, "json": _json_lines}[kind or "tab"](
        path, rows, names
    )


def parallel(
    source: "str | Path", target: "str | Path", advance: Callable[[int], object] | None = None
) -> Table:
    """Line n of one file and line n of the other. Raises InputError unless they have equally many
    lines."""
    return Table("line by line", _side_by_side(source, target, advance))


def _side_by_side(source, target, advance):
    number = 0
    for one, two in itertools.zip_longest(lines(source, advance), lines(target, advance)):
        if one is None or two is None:
            short, long = (source, target) if one is None else (target, source)
            raise InputError(
                f"{short} has {number:,} lines and {long} has more, but line n of one belongs to "
                "line n of the other. Make them equally long."
            )
        number += 1
        yield Row(number, one[1], two[1])
    if not number:
        raise InputError(f"{source} is empty. It needs a text a line.")


def ending(path):
    """How the name ends: .tsv of "A.TSV" and of "a.tsv.gz"."""
    return Path(str(path).lower().removesuffix(".gz")).suffix


def two_fields(fields):
    """("a", "b") of "a,b", or () of "". Raises InputError for anything else."""
    names = tuple(name.strip() for name in fields.split(",")) if fields else ()
    if names and (len(names) != 2 or not all(names) or names[0] == names[1]):
        raise InputError(
            f"--fields must be two different names, or numbers of columns, with a comma between "
            f"them, such as question,answer or 1,2; got {shortened(fields)}."
        )
    return names


def chosen(path, line, found, names, what):
    """The two of the columns (or fields) found that are source and target, by name."""
    listed = ", ".join(shortened(name) for name in found[:20])
    if names:
        if missing := [name for name in names if name not in found]:
            raise InputError(
                f"{path}, line {line}: there is no {what} {shortened(missing[0])}. There are: "
                f"{listed}."
            )
        return names
    if len(found) < 2:
        there = f"only one {what}, {listed}" if found else f"no {what}"
        raise InputError(
            f"{path}, line {line}: there is {there}; a pair needs a source and a target."
        )
    small = {str(name).strip().lower(): name for name in found}
    for one, two in NAMES:
        if one in small and two in small:
            return small[one], small[two]
    if len(found) == 2:
        return tuple(found)
    raise InputError(f"{path}, line {line}: the {what}s are {listed}. {CHOOSE}.")


def _tab_separated(path, rows, names):
    places, width, how = (0, 1), 2, "columns 1 and 2"
    number, line = next(rows)
    header = line.split("\t")
    small = tuple(cell.strip().lower() for cell in header)
    if names and all(name.isdecimal() for name in names):
        places, width, how = tuple(int(name) - 1 for name in names), None, columns(names)
    elif names or any(one in small and two in small for one, two in NAMES):
        names = chosen(path, 1, header, names, "column")
        places, width, how = tuple(map(header.index, names)), len(header), columns(names)
        line = None
    if line is not None:
        rows = itertools.chain([(number, line)], rows)
    return Table(f"tab-separated, {how}", _cells_between_tabs(path, rows, places, width))


def _cells_between_tabs(path, rows, places, width):
    for number, line in rows:
        cells = line.split("\t")
        if not line.strip():
            yield Row(number, "", "")
        elif (width and len(cells) != width) or min(places) < 0 or max(places) >= len(cells):
            found = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
            wanted = (
                f"{width} are expected"
                if width
                else f"{' and '.join(str(place + 1) for place in places)} are to be taken"
            )
            raise InputError(
                f"{path}, line {number}: tabs separate {found}, where {wanted}: "
                f"{shortened(line)}. Correct the line"
                + (
                    "; or is the file a text, not pairs? Then: --text."
                    if len(cells) == 1
                    else ", or choose two columns, counted from 1: --fields 1,2."
                )
            )
        else:
            yield Row(number, cells[places[0]], cells[places[1]])


def columns(names):
    """How two columns or fields are named to the user."""
    one, two = (name if name.isdecimal() else shortened(name) for name in names)
    return f"columns {one} and {two}"


def _csv(path, rows, names):
    texts, begin = (line + "\n" for _, line in rows), 1
    first = next(texts)
    delimiter = max(",;\t|", key=first.count) if first.count(",") == 0 else ","
    if said := re.fullmatch(r"sep=(.)\s*", first, re.IGNORECASE):  # so Excel begins
        delimiter, first, begin = said[1], next(texts, ""), 2
    reader = csv.reader(itertools.chain([first], texts), delimiter=delimiter, strict=True)
    records = _records(path, reader, begin)
    header: list[str] = []
    while not header and (record := next(records, None)):
        header = [cell.strip() for cell in record[1]]
    if twice := [name for name in header if header.count(name) > 1]:
        raise InputError(
            f"{path}, line 1: two columns have the name {shortened(twice[0])}. The first "
            "line of a CSV file names its columns, each differently."
        )
    names = chosen(path, 1, header, names, "column")
    separator = {",": "CSV", "\t": "CSV, separated by tabs"}.get(
        delimiter, f"CSV, separated by {delimiter}"
    )
    return Table(f"{separator}, {columns(names)}", _cells(path, records, header, names))


def _records(path, reader, begin):
    """(the number of the line where it begins, cells) of each record of a CSV file."""
    before = begin - 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as problem:
            raise InputError(
                f"{path}, line {begin}: it is not CSV ({problem}). A cell with a quote, a comma or "
                'a line break stands in quotes, and a quote in it is doubled: "say ""yes""".'
            ) from None
        if cells is None:
            return
        yield begin, cells
        begin = reader.line_num + before + 1


def _cells(path, records, header, names):
    places = tuple(map(header.index, names))
    for line, cells in records:
        if not "".join(cells).strip():
            yield Row(line, "", "")
        elif len(cells) != len(header):
            raise InputError(
                f"{path}, line {line}: its number of cells is {len(cells)}, and of the header "
                f"{len(header)} ({', '.join(map(shortened, header[:20]))}). A cell with a comma "
                "stands in quotes."
            )
        else:
            yield Row(line, cells[places[0]], cells[places[1]])


def _json_lines(path, rows, names):
    objects = _objects(path, rows)
    first = []  # the first object, and the blank lines before it
    for number, facts in objects:
        first.append((number, facts))
        if facts is not None:
            names = chosen(path, number, [*facts], names, "field")
            break
    how = f"JSON lines, fields {' and '.join(map(shortened, names))}"
    return Table(how, _texts(path, itertools.chain(first, objects), names))


def _objects(path, rows):
    """(number of the line, the object in it; None if it is blank)."""
    for number, line in rows:
        if not line.strip():
            yield number, None
            continue
        try:
            facts = json.loads(line, parse_int=str, parse_float=str)
        except (ValueError, RecursionError) as problem:
            reason = str(problem).split(":")[0]
            raise InputError(
                f"{path}, line {number}: it is not JSON ({reason}). JSON lines have an object in "
                'each line, such as {"source": "one", "target": "eins"}.'
            ) from None
        if not isinstance(facts, dict):
            raise InputError(
                f"{path}, line {number}: it is no JSON object. JSON lines have an object in each "
                'line, such as {"source": "one", "target": "eins"}.'
            )
        yield number, facts


def _texts(path, objects, names):
    for number, facts in objects:
        if facts is None:
            yield Row(number, "", "")
            continue
        for name in names:
            if not isinstance(facts.get(name), str) or not facts[name].isprintable():
                _expect_text(path, number, facts, name)
        yield Row(number, facts[names[0]], facts[names[1]])


def _expect_text(path, number, facts, name):
    """Raise InputError unless the field is a text that UTF-8 can hold, or a number as it is
    written."""
    if name not in facts:
        raise InputError(
            f"{path}, line {number}: the field {shortened(name)} is missing. It has: "
            f"{', '.join(map(shortened, facts)) or 'none'}."
        )
    value = facts[name]
    if not isinstance(value, str):
        raise InputError(
            f"{path}, line {number}: {shortened(name)} must be a text, got "
            f"{shortened(json.dumps(value))}."
        )
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(
            f"{path}, line {number}: {shortened(name)} has half of a surrogate pair "
            f"({shortened(value)}), which is no character."
        ) from None
    if "\0" in value:
        raise InputError(f"{path}, line {number}: {shortened(name)} contains a NUL.")
