"""The log of a run: one JSON object a line, so that it can be read while it is being written."""

import json
import os


class Metrics:
    """Appends to a JSON-lines file, and cuts it back when a run continues from an earlier step."""

    def __init__(self, path):
        self.path = path

    def write(self, **values):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")

    def read(self):
        """All whole lines, as dicts; one that a crash cut short, or anything else that is no line of ours, is left out."""
        if not self.path.is_file():
            return []
        lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        return [line for line in map(_parsed, lines) if isinstance(line, dict) and "step" in line]

    def cut_back(self, step):
        """Drop what was written after `step`: a run that is killed has logged more than its last checkpoint knows."""
        kept = [line for line in self.read() if line["step"] <= step]
        temporary = self.path.with_name(self.path.name + ".part")
        with open(temporary, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in kept)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)


def _parsed(line):
    try:
        return json.loads(line)
    except ValueError:
        return None
