"""Data sets that others have published: downloaded once, checked, kept."""

import hashlib
import os
import sys
from pathlib import Path
from typing import NamedTuple

from ..errors import InputError
from ..terminal.home import home

VARIABLE = "MINITRANSFORMER_DATA"


class Published(NamedTuple):
    """A data set: its name, the name of its folder, the address of that, {name: SHA-256} of its
    files, what stands behind the names, and a remark for whoever downloads it."""

    title: str
    folder: str
    address: str
    sha256: dict[str, str]
    end: str = ""
    remark: str = ""

    def find(self) -> Path:
        """The folder with the files: that of MINITRANSFORMER_DATA, or the cache, which is filled
        first if necessary."""
        if chosen := os.environ.get(VARIABLE):
            if not (Path(chosen) / self.folder).is_dir():
                raise InputError(
                    f"{VARIABLE} is {chosen}, but there is no folder {self.folder} in it."
                )
            return Path(chosen) / self.folder
        folder = cache_folder(self.title) / self.folder
        for name in self.sha256:
            if not (folder / f"{name}{self.end}").is_file():
                self.download(name, folder)
        return folder

    def download(self, name: str, folder: Path) -> None:
        """Fetch one file into the folder, whole or not at all. InputError, with a remedy, if that
        fails."""
        import http.client
        import urllib.request

        file = f"{name}{self.end}"
        folder.mkdir(parents=True, exist_ok=True)
        print(f"downloading {self.address}{file}{self.remark}", file=sys.stderr)
        try:
            with urllib.request.urlopen(f"{self.address}{file}", timeout=60) as answer:
                content = answer.read()
        except (OSError, http.client.HTTPException) as problem:
            raise InputError(
                f"{file} of {self.title} could not be downloaded ({problem}). Try again with a "
                f"network, or put the files of {self.address} into a folder {self.folder}, and "
                f"name the folder above it in {VARIABLE}."
            ) from None
        self.expect_unaltered(
            f"{self.address}{file}", name, content, "Try again later; nothing was kept."
        )
        part = folder / f"{file}.part"
        part.write_bytes(content)
        part.replace(folder / file)

    def expect_unaltered(self, where: "str | Path", name: str, content: bytes, remedy: str) -> None:
        """Raise InputError, with the remedy, unless the content is that of the published file of
        this name."""
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256[name]:
            raise InputError(
                f"{where} is not the file that was published: its SHA-256 is {found}, not "
                f"{self.sha256[name]}. {remedy}"
            )


def cache_folder(what: str) -> Path:
    """Where the program keeps files: the system's own place for caches. InputError, which says what
    is kept there, if the user has none."""
    places = {"win32": "LOCALAPPDATA"}
    place = places.get(sys.platform, "XDG_CACHE_HOME")
    if given := os.environ.get(place):
        return Path(given) / "minitransformer"
    if (folder := home()) is None:
        raise InputError(
            f"{what} is kept in the home folder of the user, but this user has none. Name a "
            f"folder to keep it in, in the environment variable {place}."
        )
    return folder / ".cache" / "minitransformer"
