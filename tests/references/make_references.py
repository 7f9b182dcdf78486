"""Write PyTorch's answers to all cases, one `<room>.npz` each: python
tests/references/make_references.py

Needs PyTorch (pip install "minitransformer[parity]"), which the tests then do not. Run it again
after a case, the name of a parameter or a size in `cases.py` has changed; nothing in these files
comes from our own code.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from references.answers import answer  # noqa: E402
from references.cases import CASES, build, fingerprint, pack  # noqa: E402


def main():
    rooms = {}
    for name in CASES:
        room, what = name.split("/")
        arrays = {"fingerprint": fingerprint(build(name)), **pack(answer(name))}
        rooms.setdefault(room, {}).update({f"{what}/{key}": array for key, array in arrays.items()})
    for room, arrays in rooms.items():
        path = HERE / f"{room}.npz"
        np.savez_compressed(path, **arrays)
        print(f"{path.name:<16} {path.stat().st_size / 1024:>8.1f} KiB")


if __name__ == "__main__":
    main()
