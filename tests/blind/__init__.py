"""Wrong and right answers to the exercises, written from the statements alone.

Each answer stands below a comment block that names its exercise, and says what is wrong in it, or
in which manner it is right. The faulty line ends in `# <- wrong`. Where the mistake is that a line
is missing, the block says so (`# missing: a line`), and the line after the gap is marked, or, at
the end of a block of code, the line before it.
"""

import importlib
import re
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
SAYS = re.compile(r"# (exercise|wrong|right|second|source|missing): (.*)")
PUBLIC = re.compile(r"(?:(?:def|class) )?([A-Za-z]\w*)(?= *[=(:])")


@dataclass
class Answer:
    """One answer: what it is to, and what is said about it."""

    exercise: str
    kind: str  # "wrong" or "right"
    words: str
    second: str | None
    source: str | None
    name: str
    submission: object
    file: Path
    first: int  # the lines of the answer, helpers included, are first … last
    last: int
    lines: list = field(default_factory=list)  # those marked `# <- wrong`
    missing: bool = False  # whether the mistake, or one of two, is a line that is not there


def answers():
    """Yield each answer of each file, in the order of the files."""
    for path in sorted(HERE.glob("[a-z]*.py")):
        yield from answers_of(path)


def answers_of(path):
    """Yield each answer of one file; raises ValueError where a block has no answer."""
    text = path.read_text(encoding="utf-8").splitlines()
    starts = [i for i, line in enumerate(text) if line.startswith("# exercise:")]
    module = importlib.import_module(f"{__name__}.{path.stem}")
    for start, end in zip(starts, [*starts[1:], len(text)]):
        yield read(text, start, end, module, path)


def read(text, start, end, module, path):
    """Return the answer whose comment block begins at text[start]."""
    says = {}
    code = start
    while (match := SAYS.match(text[code])) is not None:
        says[match[1]] = match[2].strip()
        code += 1
    kind = "wrong" if "wrong" in says else "right"
    names = [m[1] for line in text[code:end] if (m := PUBLIC.match(line))]
    if kind not in says or not names:
        raise ValueError(f"{path}, line {start + 1}: no answer here")
    while not text[end - 1].strip():
        end -= 1
    lines = [i + 1 for i in range(code, end) if text[i].endswith("# <- wrong")]
    return Answer(
        says["exercise"], kind, says[kind], says.get("second"), says.get("source"),
        names[0], getattr(module, names[0]), path, code + 1, end, lines, "missing" in says,
    )
