"""Tiny Shakespeare: 40,000 lines of Shakespeare's plays."""

import functools
import gzip

from .download import Published
from .text import Text

PUBLISHED = Published(
    "Tiny Shakespeare", "tinyshakespeare",
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/",
    {"input.txt": "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"},
)  # fmt: skip
COUNTS = {"train": 1_003_854, "validation": 111_540}  # characters


class Shakespeare(Text):
    """Continue Shakespeare: a language model on 40,000 lines of plays, "Tiny Shakespeare".

    The text is read from the folder that MINITRANSFORMER_DATA names, or else downloaded once; its
    SHA-256 is checked. Source: Karpathy 2015, "The unreasonable effectiveness of recurrent neural
    networks".
    """

    @functools.cached_property
    def files(self):
        folder = PUBLISHED.find()
        (name, sha256), = PUBLISHED.sha256.items()
        path = folder / f"{name}.gz"
        path = path if path.is_file() else folder / name
        content = path.read_bytes() if path.is_file() else b""
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        PUBLISHED.expect_unaltered(
            path, name, content, f"Delete it, and download it again from {PUBLISHED.address}"
        )
        return [path], sha256

    def counts(self):
        """[("characters", how many, {split: how many})], without a look at the file."""
        return [("characters", sum(COUNTS.values()), COUNTS)]
