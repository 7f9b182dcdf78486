"""What a package index shows of the README: there, pictures and links that lead to files of the
repository would be dead."""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

NOTE = (
    "*(This is the README without its pictures. The files that it names are in the source "
    "distribution.)*"
)
# what has no scheme (https:) is a path in the repository
LINK = re.compile(r"(!?)\[([^]]*)\]\((?!\w+:)([^)]*)\)")


def for_an_index(readme):
    """The README with the description of each picture in its place, and the path of each file in
    place of the link."""
    heading, rest = readme.split("\n", 1)
    return f"{heading}\n\n{NOTE}\n{LINK.sub(in_words, rest)}"


def in_words(link):
    is_picture, text, path = link.groups()
    if is_picture:
        return f"*Picture ({path}): {text}*"
    return f"`{path}`" if path.endswith(text) else f"{text} (`{path}`)"


class ReadmeHook(MetadataHookInterface):
    def update(self, metadata):
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": for_an_index(readme)}
