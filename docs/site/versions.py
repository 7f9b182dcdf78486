"""Tells the pages which other versions of the site stand beside them: python docs/site/versions.py
SITE.

SITE is the newest version; each folder in it that is named like a tag (v1.2) is that version. Every
version gets a file versions.js, with the names and places of all of them, from which a page makes
its menu.
"""

import json
import sys
from pathlib import Path


def write(site):
    """Write versions.js for the site and for each version in it."""
    tags = [folder.name for folder in site.glob("v[0-9]*") if (folder / "index.html").exists()]
    tags.sort(key=lambda tag: [int(part) for part in tag[1:].split(".") if part.isdigit()])
    names = ["newest", *reversed(tags)]
    for own in names:
        up = "" if own == "newest" else "../"
        places = {name: up + ("" if name == "newest" else f"{name}/") for name in names}
        folder = site if own == "newest" else site / own
        text = f"const versions = {json.dumps(places)}, thisVersion = {json.dumps(own)};\n"
        (folder / "versions.js").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
