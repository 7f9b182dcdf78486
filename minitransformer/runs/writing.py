"""Files that are written whole or not at all."""

import os
import secrets
from pathlib import Path

from ..errors import writing

# the end of the name of a file that is being written, after its final name
PART = r"\.[0-9a-f]{16}\.part"


def write_file(path, content):
    """Write bytes to `path`: it has the old content or the new, at any moment and after any crash.

    The bytes are written into a new file in the same folder, synced to disk and renamed. Links are
    not followed, neither at the new name nor at `path`, where a link is replaced.
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
    new = (
        os.O_WRONLY
        | os.O_CREAT
        | os.O_EXCL
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_BINARY", 0)
    )
    with writing(path):
        handle = os.open(temporary, new, 0o666)
        try:
            with open(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:  # after a full disk, or Ctrl-C, no partial file should stay
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def sync_folder(folder):
    """Make a rename in `folder` last through a power failure (Windows has no such call and needs
    none)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def free_name(path):
    """`path` if nothing is there, else the first free of path-2, path-3, …"""
    number, free = 1, Path(path)
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
