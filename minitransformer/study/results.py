"""What was measured, kept as JSON: written whole or not at all."""

import json

from ..errors import InputError, reading
from ..runs.writing import write_file


def read_json(path):
    with reading(path):
        content = path.read_bytes()
    try:
        return json.loads(content.decode("utf-8"))
    except ValueError:
        raise InputError(
            f"{path} is damaged: it is no JSON. Delete it, and what it held is measured again."
        ) from None


def write_json(path, value):
    write_file(path, (json.dumps(value, indent=1) + "\n").encode())
