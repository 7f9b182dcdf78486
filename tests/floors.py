"""The oldest versions that are allowed, each as pip's constraint on it: python tests/floors.py. For
`make test-minimum`."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOOR = re.compile(r"([a-z][a-z0-9-]*)(?:\[[a-z]+\])?>=([0-9.]+)")  # tokenizers>=0.20


def floors(file="pyproject.toml"):
    """{package: oldest version} of everything that the file asks for."""
    return dict(FLOOR.findall((ROOT / file).read_text(encoding="utf-8")))


if __name__ == "__main__":
    print("\n".join(f"{package}=={version}" for package, version in floors().items()))
