"""Texts line by line: line n of the output answers line n of the input, whatever the other lines
are."""

import contextlib
import itertools
import os
import sys

from ..errors import InputError, reading
from ..parallel.in_order import in_order
from ..parallel.mpi import Ranks
from ..terminal.streams import complain

GROUP = 64  # lines that are read and answered together
# a byte that is no UTF-8 spoils its line only
UTF8 = {"encoding": "utf-8", "errors": "surrogateescape", "newline": "\n"}
UTF_16 = ("\udcff\udcfe", "\udcfe\udcff")  # how a file in that encoding begins, so read


def print_answers(texts, answer, name="", at_once=GROUP, remarks=lambda text: (), jobs=1):
    """Print the answer to each text on a line of its own, `at_once` of them together; returns the
    exit status.

    `answer(texts) → answers` does the work, in `jobs` processes: see `in_order`; of ranks, each
    answers a part of every `at_once` texts, so that no more of them are awaited. For a text that
    cannot be answered an empty line is printed, and on standard error a sentence with its name and
    number says why; the status is then 2. (A single text has no name, and no empty line.) The
    sentences of `remarks(text)` on an answered text are printed there too, and do not change the
    status.
    """

    def to_print(group):
        return [
            (answer_to_it, bool(problem), [str(problem)] if problem else [*remarks(text)])
            for text, (answer_to_it, problem) in zip(group, answered(group, answer))
        ]

    status, items = 0, in_groups(texts, at_once)
    if isinstance(jobs, Ranks):
        items = (part for group in items for part in cut(group, jobs.size))
    with contextlib.closing(in_order(to_print, items, jobs)) as groups:
        for number, line in enumerate(itertools.chain.from_iterable(groups), start=1):
            answer_to_it, problem, sentences = line
            if name or not problem:
                print(answer_to_it, flush=True)
            for sentence in sentences:
                complain(f"{name} {number}: {sentence}" if name else sentence)
            status = 2 if problem else status
    return status


def answered(texts, answer):
    """[(answer, None), or ("", the InputError)] of each text: if one cannot be answered, the others
    still are."""
    try:
        return [(text, None) for text in answer(texts)]
    except InputError as problem:
        if len(texts) == 1:
            return [("", problem)]
    half = len(texts) // 2
    return answered(texts[:half], answer) + answered(texts[half:], answer)


def in_groups(texts, size):
    """Lists of `size` texts, the last one shorter: a file may be larger than the memory."""
    group = []
    for text in texts:
        group.append(text)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def cut(group, count):
    """The group as `count` lists, which differ by one text at most."""
    ends = [len(group) * n // count for n in range(count + 1)]
    return [group[start:end] for start, end in zip(ends, ends[1:])]


def for_lines(answer, file):
    """The function `answer` for the lines of a file (None: standard input). The answer to a blank
    line is an empty one."""

    def answer_lines(lines):
        for line in lines:
            expect_utf8(line, name_of(file))
        answers = iter(answer([line for line in lines if line.strip()]))
        return [next(answers) if line.strip() else "" for line in lines]

    return answer_lines


def lines_of(file):
    """The lines of a file, or for None of standard input, without their ends and without a byte
    order mark.

    A line ends with a line feed, or with a carriage return and a line feed; a carriage return alone
    ends none. Raises InputError if nothing can be read.
    """
    name = name_of(file)
    with reading(name), opened_text(file) as stream:
        for number, line in enumerate(stream):
            if number == 0 and line.startswith(UTF_16):
                raise InputError(f"{name} is UTF-16, not UTF-8 text. Save it as UTF-8.")
            line = line.removeprefix("\ufeff") if number == 0 else line
            yield line.removesuffix("\n").removesuffix("\r")


def opened_text(file):
    if file is not None:
        return open(file, **UTF8)
    if sys.stdin is None:
        raise InputError(
            "Standard input is closed, so there is nothing to read. Use texts, or --file."
        )
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(**UTF8)
    return contextlib.nullcontext(sys.stdin)


def lie_ready(file):
    """Whether the lines of a file, or for None of standard input, are all there. Those of a
    terminal or a pipe come one by one, and whoever sends them may wait for an answer."""
    with contextlib.suppress(OSError, AttributeError):  # it is closed, or no file of the system
        return os.path.isfile(sys.stdin.fileno() if file is None else file)
    return False


def name_of(file):
    return "Standard input" if file is None else file


def expect_utf8(line, name):
    """Raise InputError, with the name of what it comes from, if a line has bytes that are no
    UTF-8."""
    try:
        line.encode("utf-8")
    except UnicodeEncodeError as problem:
        byte = ord(line[problem.start]) & 0xFF  # as "surrogateescape" keeps it
        raise InputError(
            f"{name} is not UTF-8 text: byte {byte:#x} at place {problem.start + 1}. Save it as "
            "UTF-8."
        ) from None


def typed_text(text):
    """A text as it was typed in a command: UTF-8, also where the locale made Python read it as
    something else."""
    try:
        return os.fsencode(text).decode("utf-8")
    except UnicodeError:  # not UTF-8, which the vocabulary will report
        return text
