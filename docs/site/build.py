"""Builds the site: `make site`, or python docs/site/build.py [FOLDER]. The default is build/site.

The pages of the repository and those of the reference are gathered beside it, in FOLDER-pages, and
Sphinx makes the site of them. A warning ends the build with status 1. The lessons that run in a
browser are put beside the pages, in the folder lite.
"""

import functools
import sys
from pathlib import Path

import lite
import places
import reference
import versions
from sphinx.cmd.build import main as sphinx

HERE = Path(__file__).resolve().parent


def gather(folder, running):
    """Everything that Sphinx reads; `running` are the notebooks that run in a browser."""
    site = places.Site(folder)
    for name in places.pages():
        runs = Path(name).name in running
        site.add_page(name, functools.partial(lite.linked, name) if runs else reference.linked)
    for name, text in reference.pages().items():
        site.write(name, text)
    site.linked |= reference.sources()
    site.add_linked()
    site.remove_others()


def main(folder):
    pages, read = (folder.with_name(f"{folder.name}-{name}") for name in ("pages", "read"))
    gather(pages, lite.build(folder / "lite"))
    strictly = ["-q", "-W", "--keep-going"]
    status = sphinx([*strictly, "-c", str(HERE), "-d", str(read), str(pages), str(folder)])
    versions.write(folder)
    return status


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:] or [places.ROOT / "build" / "site"]).resolve()))
