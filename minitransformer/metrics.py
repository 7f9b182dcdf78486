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
        """All complete lines, as dicts; a last line that was cut short by a crash is left out."""
        if not self.path.is_file():
            return []
        lines = self.path.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def cut_back(self, step):
        """Drop what was written after `step`: a run that is killed has logged more than its last checkpoint knows."""
        kept = [line for line in self.read() if line["step"] <= step]
        temporary = self.path.with_name(self.path.name + ".part")
        with open(temporary, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in kept)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)
