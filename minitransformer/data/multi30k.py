"""Multi30k: 31,014 descriptions of photographs, in English, German and French."""

import gzip
from pathlib import Path
from typing import ClassVar

from ..core.options import expect_own_fields, option
from ..errors import InputError
from ..terminal.extras import extra
from .corpus import Corpus
from .directions import in_all_directions
from .download import Published
from .subwords import Subwords
from .task import Recipe

ADDRESS = "https://github.com/multi30k/dataset/raw/master/data/task1/raw/"
FILES = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
COUNTS = {"test": 1_000, "validation": 1_014, "train": 29_000}
SHA256 = {
    "train.en": "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
    "train.de": "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
    "train.fr": "622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c",
    "val.en": "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
    "val.de": "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
    "val.fr": "ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9",
    "test_2016_flickr.en": "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
    "test_2016_flickr.de": "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
    "test_2016_flickr.fr": "6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90",
}
PUBLISHED = Published(
    "Multi30k", "multi30k", ADDRESS, SHA256, ".gz", " (for non-commercial research and education)"
)


class Multi30k(Corpus):
    """Translate descriptions of photographs: 29,000 to train on, 1,014 to validate, the 1,000 of
    the 2016 test (Flickr).

    The texts are lower-cased and cut into joint subwords. They are read from the folder that
    MINITRANSFORMER_DATA names, or else downloaded once; every file's SHA-256 is checked. Sources:
    Elliott et al. 2016; French: Elliott et al. 2017.
    """

    recipe = Recipe(
        "tiny",
        {
            "steps": 5000, "batch_tokens": 4096, "schedule": "noam", "learning_rate": 0.004,
            "warmup": 500, "label_smoothing": 0.1, "save_every": 100, "keep": 10, "average": 10,
            "evaluate_every": 500,
        },
        {"dropout": 0.3, "norm": "pre", "tie_embeddings": True},
    )  # fmt: skip

    scored_by_bleu = True
    source: ClassVar[str]  # the languages, in a subclass
    target: ClassVar[str]

    vocabulary_size: int = option(4000, "tokens of the joint vocabulary")

    def __post_init__(self):
        expect_own_fields(self)
        if not 300 <= self.vocabulary_size <= 50_000:
            raise InputError(
                f"vocabulary_size is a number from 300 to 50,000, got {self.vocabulary_size}."
            )

    def make_vocabulary(self):
        extra("tokenizers", "Cutting a corpus into subwords")  # before anything is downloaded
        source, target = self.sentences("train")
        return Subwords.learn([*source, *target], self.vocabulary_size)

    def counts(self):
        """[("sentences", how many, {split: how many})], without a look at the files."""
        return [("sentences", sum(COUNTS.values()), COUNTS)]

    def sentences(self, split):
        return read_pair(PUBLISHED.find(), FILES[split], self.source, self.target)


def read_pair(folder, split, source, target):
    """(source sentences, target sentences): the lines of two files. InputError if their numbers
    differ."""
    both = [read_lines(folder, f"{split}.{language}") for language in (source, target)]
    expect_as_many(split, dict(zip((source, target), both)))
    return both


def read_lines(folder, name):
    """The lines of one file. InputError if it is missing, or not what was published."""
    path = Path(folder) / f"{name}.gz"
    if not path.is_file():
        raise InputError(f"{path} is missing. It is part of Multi30k: {ADDRESS}{name}.gz")
    content = path.read_bytes()
    PUBLISHED.expect_unaltered(
        path, name, content, f"Delete it, and download it again from {ADDRESS}"
    )
    return gzip.decompress(content).decode("utf-8").removesuffix("\n").split("\n")


def expect_as_many(split, lines):
    """Raise InputError unless all languages have as many lines: line n of each is the same
    sentence."""
    counts = {language: len(texts) for language, texts in lines.items()}
    if len(set(counts.values())) > 1:
        raise InputError(
            f"The languages of {split} do not belong together line by line; they have these many "
            f"lines: {counts}."
        )


MULTI30K = in_all_directions("multi30k", Multi30k, "Descriptions of photographs")
