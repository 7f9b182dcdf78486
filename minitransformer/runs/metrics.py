"""The log of a run: one JSON object per line, so that it can be read while it is written."""

import json

from ..errors import writing
from .writing import write_file


class Metrics:
    """Appends to a JSON-lines file, and cuts it back when a run continues from an earlier step.

    With `writes` False nothing is appended: another rank does it.
    """

    def __init__(self, path, writes=True):
        self.path, self.writes = path, writes

    def write(self, **values):
        if not self.writes:
            return
        with writing(self.path), open(self.path, "a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(values) + "\n")

    def read(self):
        """All whole lines, as dicts; incomplete lines, and lines of other programs, are left
        out."""
        return [line for line in map(parsed, self.lines()[:-1]) if line]

    def lines(self):
        """The lines as bytes; the last item is what follows the last line end: "" unless a crash
        cut a line short."""
        return self.path.read_bytes().split(b"\n") if self.path.is_file() else [b""]

    def cut_back(self, step):
        """Remove what was written after `step`, and return it: a run that is killed has logged more
        than its last checkpoint covers. Lines of other programs stay. A file that is then empty is
        removed."""
        *lines, rest = self.lines()
        kept, late = [], []
        for line in lines:
            ours = parsed(line)
            (late if ours and ours["step"] > step else kept).append(line + b"\n")
        if late or rest:
            write_file(self.path, b"".join(kept))
        if not kept and self.path.is_file():
            self.path.unlink()
        return b"".join(late)


def parsed(line):
    """The line as a dict of a step and other numbers, or a sample; None if it is not ours."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    ours = (
        isinstance(values, dict)
        and type(values.get("step")) is int
        and all(
            type(v) in (int, float) or name == "sample" and type(v) is str
            for name, v in values.items()
        )
    )
    if ours and all(type(v) is not int or abs(v) < 1e300 for v in values.values()):
        return values
    return None
