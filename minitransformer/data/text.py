"""The task of a text: which token comes next?"""

import dataclasses
import functools
import os
from pathlib import Path

import numpy as np

from ..core.options import expect_own_fields, option
from ..errors import InputError, unknown
from .batching import Batch
from .ngrams import ngram_losses
from .task import Recipe, Task
from .token_ids import LEARN, files_of, sha256_of_all, token_ids, vocabulary_of_text
from .vocabulary import EOS, FIRST, UNK, Vocabulary

SHOWN = 32  # tokens of a picture


class Text(Task):
    """Continue a text: which token comes next? A subclass says which `files`.

    A model reads windows of n+1 tokens from random places: of the first n, each is to predict the
    one behind it. The last tenth of the text is for validation; the tokens are characters, or
    pairs of bytes merged as GPT-2 does.
    """

    kind, tested_on = "text", "validation"
    recipe = Recipe(
        "nano",
        {
            "steps": 2000, "batch_size": 12, "optimizer": "adamw", "learning_rate": 3e-3,
            "warmup": 100, "beta2": 0.99, "weight_decay": 0.1, "evaluate_count": 400,
        },
        {"norm": "pre", "activation": "gelu"},
        "language-model",
    )  # fmt: skip

    cut: str = option("characters", "the tokens: characters, or byte-pairs, as GPT-2 has them")
    pieces: int = option(1000, "tokens of byte-pairs, at most")
    context: int = option(64, "the most tokens that are read to predict the next one")

    def __post_init__(self):
        expect_own_fields(self)
        if self.cut not in LEARN:
            raise unknown("cut", self.cut, LEARN)
        if not 300 <= self.pieces <= 65_536:
            raise InputError(f"pieces is a number from 300 to 65,536, got {self.pieces}.")
        if not 2 <= self.context <= 65_536:
            raise InputError(f"context is a number from 2 to 65,536, got {self.context}.")

    @functools.cached_property
    def files(self) -> tuple[list[Path], str]:
        """(the files, their SHA-256)."""
        raise self.lacks("the property files: (the files, their SHA-256)")

    def make_vocabulary(self) -> Vocabulary:
        return vocabulary_of_text(*self.files, self.cut, self.pieces)

    def adopt(self, vocabulary):
        super().adopt(vocabulary)
        for made_with_the_old in ("encoded", "_baselines"):
            self.__dict__.pop(made_with_the_old, None)

    @functools.cached_property
    def encoded(self):
        return token_ids(*self.files, self.vocabulary)

    def ids(self, split: str) -> np.ndarray:
        """The ids of a split, (M,), in a file that is mapped into memory: the first nine tenths of
        the text, or the last tenth. Raises InputError for another split, and if they are too
        few."""
        if split not in ("train", "validation"):
            raise unknown("split of a text", split, ("train", "validation"))
        ids = self.encoded.array
        end = 9 * len(ids) // 10
        ids = ids[:end] if split == "train" else ids[end:]
        if not len(self.encoded.array):
            raise InputError("The text is empty: there is nothing to learn from.")
        if len(ids) <= self.context:
            raise InputError(
                f"The text has {len(self.encoded.array):,} tokens, of which {len(ids):,} are for "
                f"{split}: too few for windows of {self.context + 1}. Take a longer text, or a "
                "smaller --context."
            )
        return ids

    def report(self):
        training, validation = len(self.ids("train")), len(self.ids("validation"))
        return [
            f"{training + validation:,} tokens ({self.cut}, {len(self.vocabulary) - FIRST:,} "
            f"different): {training:,} to train on, the last {validation:,} for validation."
        ]

    def batch(self, rng, count):
        ids = self.ids("train")
        starts = rng.integers(len(ids) - self.context, size=count)
        windows = self.cut_out(ids, starts)
        return Batch(None, windows[:, :-1], windows[:, 1:])

    def cut_out(self, ids, starts):
        """The windows of ids (M,) that begin at `starts` (N,): (N, n+1) int64."""
        return ids[starts[:, None] + np.arange(self.context + 1)].astype(np.int64)

    def windows(self, split: str, count: int, seed: int = 0) -> np.ndarray:
        """`count` different windows (N, n+1) of a split, drawn by the seed, in the order of the
        text; fewer if there are no more. Together they would predict each token once."""
        ids = self.ids(split)
        starts = np.arange(0, len(ids) - self.context, self.context)
        chosen = np.random.default_rng(seed).permutation(len(starts))[:count]
        return self.cut_out(ids, starts[np.sort(chosen)])

    def sample(self, rng, count, split="train", distinct=False):
        """(the first token (N, 1), the n tokens behind it (N, n)) of windows of a split."""
        if not distinct:
            ids = self.ids(split)
            windows = self.cut_out(ids, rng.integers(len(ids) - self.context, size=count))
        else:
            windows = self.windows(split, count, int(rng.integers(2**31)))
        return windows[:, :1], windows[:, 1:]

    def example(self):
        """(the first token (1,), those behind it (T,)) of the beginning of the validation text."""
        window = self.cut_out(self.ids("validation"), np.zeros(1, dtype=int))[0]
        return window[:1], window[1 : SHOWN + 1]

    @property
    def longest(self):
        return 0, self.context

    @property
    def positions(self):
        return self.context

    @property
    def begin(self) -> int:
        """The token after which a text begins: a line break, or where that is no token, EOS."""
        ids = self.vocabulary.encode("\n")
        return int(ids[0]) if len(ids) == 1 and ids[0] != UNK else EOS

    def baselines(self, split: str, count: int, seed: int = 0) -> dict[str, float]:
        """The losses on these windows by counts of the training text, made once: see
        `ngram_losses`."""
        known = self.__dict__.setdefault("_baselines", {})
        if (split, count, seed) not in known:
            known[split, count, seed] = ngram_losses(
                self.ids("train"), self.windows(split, count, seed), len(self.vocabulary)
            )
        return known[split, count, seed]

    def size_of(self, windows: np.ndarray) -> tuple[int, int]:
        """(characters, bytes) of the text that the windows' tokens make, the first ones left
        out."""
        ids = windows[:, 1:].reshape(-1)
        content, unknown = self.vocabulary.to_bytes(ids[ids >= FIRST]), int((ids == UNK).sum())
        first = (np.frombuffer(content, np.uint8) & 0xC0) != 0x80  # of a character's bytes
        return int(first.sum()) + unknown, len(content) + unknown

    def counts(self):
        """[("tokens", how many, {split: how many})]."""
        counts = {split: len(self.ids(split)) for split in ("train", "validation")}
        return [("tokens", sum(counts.values()), counts)]


class OwnText(Text):
    """Continue a text of your own, named by --text: the next character, or piece of a word.

    Of a folder, all files whose names end in .txt or .txt.gz are read, in alphabetical order. A
    file follows the one before behind an EOS.
    """

    text: str = dataclasses.field(
        default="",
        metadata={
            "help": "files of a text, UTF-8, also gzipped, or folders of .txt files: a language "
            "model learns to continue it", "several": True,
        },
    )
    sha256: str = option("", "")  # of the files: written by `completed`

    def completed(self):
        paths = "\n".join(os.path.abspath(path) for path in self.text.split("\n") if path)
        return dataclasses.replace(self, text=paths, sha256=self.files[1])

    @functools.cached_property
    def files(self):
        """(the files, their SHA-256). Raises InputError if they are not those of the run."""
        files = files_of(self.text)
        if self.sha256 and (gone := [file for file in files if not file.exists()]):
            raise InputError(
                f"The text of this run is gone: there is no file {gone[0]}. Put it back, to "
                "evaluate or to train further. To generate, no text is needed."
            )
        found = sha256_of_all(files)
        if self.sha256 and found != self.sha256:
            raise InputError(
                f"{', '.join(map(str, files[:3]))}{' …' * (len(files) > 3)}: this is another text "
                f"than before (SHA-256 {found}, not {self.sha256}). Put the old one back, or train "
                "a new run."
            )
        return files, found

    def counts(self):
        """[("tokens", how many, {split: how many})]; nothing as long as no file is named."""
        return super().counts() if self.text else []
