"""Pairs of texts of one's own, from files or from Python."""

import contextlib
import dataclasses
import functools
import hashlib
import importlib.util
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.options import expect_options, expect_own_fields, option
from ..errors import InputError, shortened, unknown
from ..terminal.progress import progress
from .byte_pairs import BytePairs
from .corpus import Corpus, TextPairs
from .files import expect_file, sha256_of, unchanged
from .formats import Row, Table, ending, pairs_in, parallel, two_fields
from .kept import FORMAT
from .sequences import Sequences
from .split import SPLITS
from .store import Part, Store, keep_ids, keep_pairs, kept_before
from .subwords import Subwords
from .task import Counts, Recipe
from .vocabularies import load_vocabulary
from .vocabulary import FIRST, SPECIAL, Vocabulary
from .words import Characters, Words

CUTS = ("auto", "characters", "words", "subwords")
SHORT = 64  # characters: texts that are cut into characters, unless they are longer
COVERED = 0.995  # of all words: what the frequent ones must be for a cut into words
LEARNT_FROM = 100_000  # texts, evenly spread, from which words and subwords are learnt
GIVEN = "in Python"
NEEDLESS = "To predict and to translate, no data is needed."

SHORT_RECIPE = Recipe(
    "toy",
    {"steps": 2000, "learning_rate": 2e-3},
    {"norm": "pre", "tie_embeddings": True},
)
LONG_RECIPE = Recipe(
    "tiny",
    {
        "steps": 5000, "batch_tokens": 4096, "schedule": "noam", "learning_rate": 0.004,
        "warmup": 500, "label_smoothing": 0.1, "save_every": 500, "evaluate_every": 500,
    },
    {"dropout": 0.1, "norm": "pre", "tie_embeddings": True},
)  # fmt: skip


# the options that name files, which pairs in Python have none of
NAMING = ("data", "source", "target", "validation", "test", "fields", "sha256")


class Pairs(Corpus):
    """Pairs of texts of your own, from files: train --data pairs.tsv.

    The files are `data`, or `source` and `target` line by line; a hash of the source puts a tenth
    of the pairs into validation and a tenth into the test, unless files are named for these. The
    texts are kept as they are, but for white space and duplicates.

    How they are cut, if `cut` is "auto": into characters if 99 of 100 sources and targets have at
    most 64; else into words, if at most `vocabulary_size` words occur twice or more, and they make
    99.5 % of all; else into subwords (without the package tokenizers, byte pairs).

    A run's config holds the path of each file and its SHA-256: what was trained on is found again,
    or it is said what is missing.
    """

    data: str = option("", "pairs of texts: .tsv, .csv with a header, .jsonl, also gzipped")
    source: str = option("", "or in place of --data: the sources, one a line")
    target: str = option("", "and their targets, one a line")
    validation: str = option(
        "", "pairs to validate (default: a tenth, by a hash of the source); of two files: A,B"
    )
    test: str = option("", "pairs to test, likewise")
    fields: str = option("", "source and target among several columns or fields: question,answer")
    cut: str = option(
        "auto",
        "characters, words, subwords, or auto: characters for short texts, words if few cover all, "
        "else subwords",
    )
    vocabulary_size: int = option(4000, "tokens of the joint vocabulary")
    most_tokens: int = option(256, "longer sources and targets are left out")
    sha256: str = option("", "")  # of the files, in order: written by `completed`

    def __post_init__(self):
        expect_own_fields(self)
        if self.cut not in CUTS:
            raise unknown("cut", self.cut, CUTS)
        if not len(SPECIAL) < self.vocabulary_size <= 50_000:
            raise InputError(
                f"vocabulary_size is a number from {len(SPECIAL) + 1} to 50,000, got "
                f"{self.vocabulary_size}."
            )
        if not 1 <= self.most_tokens <= 10_000:
            raise InputError(f"most_tokens is a number from 1 to 10,000, got {self.most_tokens}.")
        two_fields(self.fields)
        if bool(self.source) != bool(self.target) or (self.data and self.source):
            raise InputError(
                "Name one file of pairs, --data FILE, or two files that belong together line by "
                "line, --source FILE --target FILE."
            )

    @classmethod
    def of(
        cls, train: TextPairs, validation: TextPairs | None = None, test: TextPairs | None = None,
        **options: Any,
    ) -> "Pairs":
        """The task of pairs (source, target) in Python: lists of two texts each.

        Without `validation` or `test`, a hash of the source takes a tenth of the training pairs.
        """
        known = [field.name for field in dataclasses.fields(cls) if field.name not in NAMING]
        expect_options("Corpus.from_pairs", options, known)
        given = {"train": train, "validation": validation, "test": test}
        lists = {
            name: as_list(pairs, name)
            for name, pairs in given.items()
            if pairs is not None or name == "train"
        }
        digest = hashlib.sha256()
        for name, pairs in lists.items():
            digest.update(f"{name} {len(pairs)}".encode())
            for number, pair in enumerate(pairs, start=1):
                if not (
                    isinstance(pair, (tuple, list))
                    and len(pair) == 2
                    and all(isinstance(text, str) for text in pair)
                ):
                    raise InputError(
                        f"Pair {number} of {name} must be two texts, (source, target); got "
                        f"{shortened(pair)}."
                    )
                try:
                    digest.update(json.dumps(pair).encode())
                    "".join(pair).encode()
                except UnicodeEncodeError:
                    raise InputError(
                        f"Pair {number} of {name} has half of a surrogate pair, which is no "
                        f"character: {shortened(pair)}."
                    ) from None
        task = cls(sha256=f"{GIVEN}: {digest.hexdigest()}", **options)
        parts = [
            Part(name, splits, Table(GIVEN, itertools.starmap(Row, numbered(lists[name]))), "pair")
            for name, splits in splits_of(lists).items()
        ]
        task.__dict__["store"] = keep_pairs(task.store_key, parts)
        return task.completed()

    # -- the files ---------------------------------------------------------------------------------

    @functools.cached_property
    def files(self) -> dict[str, tuple[str, ...]]:
        """{"train" and what else is named: (path,) or (source, target)}."""
        named: dict[str, tuple[str, ...]] = {
            "train": (self.data,) if self.data else (self.source, self.target)
        }
        for split in ("validation", "test"):
            if path := getattr(self, split):
                two = self.source and not os.path.exists(path) and path.count(",") == 1
                named[split] = tuple(path.split(",")) if two else (path,)
        return named

    @property
    def store_key(self) -> str:
        """The name of the folder that keeps the pairs: other data, or read otherwise, another."""
        endings = {split: [*map(ending, paths)] for split, paths in self.files.items()}
        what = [FORMAT, self.sha256, self.fields, endings]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]

    @functools.cached_property
    def store(self) -> Store:
        """The pairs. Raises InputError if the files are not those of the run."""
        if self.sha256.startswith(GIVEN):
            return kept_before(
                self.store_key,
                "The pairs of this run came from Python, and are no longer kept. Make them again "
                f"with Corpus.from_pairs, to evaluate or to train further. {NEEDLESS}",
            )
        if not (self.data or self.source):
            raise InputError(
                "There is no data. Name a file of pairs: --data FILE; or two files, line by line: "
                "--source FILE --target FILE."
            )
        paths = [path for paths in self.files.values() for path in paths]
        rights = self.sha256.split() or [""] * len(paths)
        if len(rights) != len(paths):
            raise InputError(f"sha256 must name {len(paths)} files, got {shortened(self.sha256)}.")
        with contextlib.ExitStack() as stack:
            # what is read must be what the hash was made of
            for path in paths:
                self.expect_there(path)
            checks = [stack.enter_context(unchanged(path)) for path in paths]
            found = [self.hash_of(path, right) for path, right in zip(paths, rights)]
            self.__dict__["found"] = " ".join(found)
            of_found = dataclasses.replace(self, sha256=self.__dict__["found"])
            advance = stack.enter_context(
                progress("reading", sum(map(os.path.getsize, paths)), "B")
            )
            parts = [
                Part(
                    " and ".join(self.files[name]),
                    splits,
                    followed_by(
                        checks,
                        pairs_in(self.files[name][0], self.fields, advance)
                        if len(self.files[name]) == 1
                        else parallel(*self.files[name], advance),  # type: ignore
                    ),
                )
                for name, splits in splits_of(self.files).items()
            ]
            return keep_pairs(of_found.store_key, parts)

    def expect_there(self, path: str) -> None:
        """Raise InputError if a file of a run is gone."""
        if self.sha256 and not os.path.exists(path):
            raise InputError(
                f"The data of this run is gone: there is no file {path}. Put it back, to evaluate "
                f"or to train further. {NEEDLESS}"
            )

    def hash_of(self, path: str, right: str) -> str:
        """The SHA-256 of a file. Raises InputError if the run knows another."""
        found = sha256_of(path)
        if right not in ("", found):
            raise InputError(
                f"{path} is not the file that this run was trained on: its SHA-256 is "
                f"{found[:16]}…, not {right[:16]}…. Put that file back, to evaluate or to train "
                f"further; or train a new run. {NEEDLESS}"
            )
        return found

    def completed(self) -> "Pairs":
        """With whole paths, the SHA-256 of each file, and the cut that was chosen."""
        store = self.store
        facts = {"cut": self.chosen_cut[0] if self.cut == "auto" else self.cut}
        if not self.sha256:
            for name in ("data", "source", "target"):
                facts[name] = whole_path(getattr(self, name))
            for name in ("validation", "test"):
                facts[name] = ",".join(map(whole_path, self.files.get(name, ())))
            facts["sha256"] = self.__dict__["found"]
        task = dataclasses.replace(self, **facts)  # type: ignore[arg-type]
        task.__dict__["store"] = store
        return task

    # -- the vocabulary ----------------------------------------------------------------------------

    @functools.cached_property
    def chosen_cut(self) -> tuple[str, str]:
        """(the cut, why): by the rule, or as the option says."""
        rule, why = self.cut_by_rule
        if self.cut in ("auto", rule):
            return rule, why
        return self.cut, f"chosen; by the rule it would be {rule}"

    @functools.cached_property
    def cut_by_rule(self) -> tuple[str, str]:
        most = max(self.store.facts[side]["percentile_99"] for side in ("source", "target"))
        if most <= SHORT:
            return "characters", f"99 of 100 texts have at most {SHORT}"
        words = self.store.remembered("words", self.count_words)
        frequent, covered = words["frequent"], words["covered"]
        if frequent <= self.vocabulary_size and covered >= COVERED:
            return "words", f"{frequent:,} words make {covered:.1%} of all"
        if frequent > self.vocabulary_size:
            return "subwords", f"{frequent:,} words occur twice or more, which are too many"
        return "subwords", f"the words that occur twice or more make only {covered:.1%} of all"

    def count_words(self) -> dict[str, Any]:
        counts = Counter(word for text in self.learning_texts() for word in Words.cut(text))
        frequent = [count for count in counts.values() if count > 1]
        return {"frequent": len(frequent), "covered": sum(frequent) / sum(counts.values())}

    def learning_texts(self) -> Iterator[str]:
        """Training texts, sources and targets: all, or of many those of evenly spread pairs."""
        rows = self.store.rows("train")
        rows = rows[:: max(1, 2 * len(rows) // LEARNT_FROM)]
        for texts in self.store.texts("train"):
            for start in range(0, len(rows), 4096):
                yield from texts[rows[start : start + 4096]]

    def make_vocabulary(self) -> Vocabulary:
        cut = self.chosen_cut[0] if self.cut == "auto" else self.cut
        kind: Any = {"characters": Characters, "words": Words, "subwords": BytePairs}[cut]
        if cut == "subwords" and importlib.util.find_spec("tokenizers"):
            kind = Subwords
        facts = self.store.remembered(
            f"vocabulary-{kind.kind}-{self.vocabulary_size}",
            lambda: {"vocabulary": self.learnt(kind).to_dict()},
        )
        return load_vocabulary(facts["vocabulary"])

    def learnt(self, kind: Any) -> Vocabulary:
        if kind is Subwords:
            return Subwords.learn([*self.learning_texts()], self.vocabulary_size, lowercase=False)
        least = FIRST + 256 if kind is BytePairs else 0  # an id for every byte
        return kind.learn(self.learning_texts(), max(self.vocabulary_size, least))

    # -- what is trained on ------------------------------------------------------------------------

    @functools.cached_property
    def _ids(self) -> tuple[dict[str, tuple[Sequences, Sequences]], dict[str, Any]]:
        vocabulary, total = self.vocabulary, sum(len(self.store.rows(split)) for split in SPLITS)
        with progress("cutting into tokens", total, "pairs") as advance:
            found = keep_ids(self.store, vocabulary, self.most_tokens, advance)
        for split, facts in found[1].items():
            if split in SPLITS and not facts["pairs"]:
                raise InputError(
                    f"All pairs for {split} have more than {self.most_tokens} tokens on a side. "
                    "Allow longer ones (most_tokens; in a command: --most-tokens), or other tokens "
                    "(cut)."
                )
        return found

    def adopt(self, vocabulary: Vocabulary) -> None:
        super().adopt(vocabulary)
        self.__dict__.pop("_ids", None)

    def make_sequences(self, split: str) -> tuple[Sequences, Sequences]:
        return self._ids[0][split]

    def sentences(self, split: str) -> tuple[list[str], list[str]]:
        if split not in SPLITS:
            raise unknown("split", split, SPLITS)
        rows = self._ids[1]["rows"][split]
        source, target = self.store.texts(split)
        return source[rows], target[rows]

    def trained_on(self, source: Any) -> int:
        """None of another split: a source that is in two of them was refused."""
        return 0

    def counts(self) -> Counts:
        """[("pairs", how many, {split: how many})]; nothing without data."""
        if not (self.data or self.source or self.sha256):
            return []
        splits = {split: self._ids[1][split]["pairs"] for split in SPLITS}
        return [("pairs", sum(splits.values()), splits)]

    @property
    def scored_by_bleu(self) -> bool:  # type: ignore[override]
        """Texts of words, where the package that counts it is installed."""
        return self.cut in ("words", "subwords") and bool(importlib.util.find_spec("sacrebleu"))

    @property
    def recipe(self) -> Recipe:  # type: ignore[override]
        """For short texts, of characters, a small model; else that of Multi30k, a little longer."""
        return SHORT_RECIPE if self.cut in ("auto", "characters") else LONG_RECIPE

    def report(self) -> Iterator[str]:
        """How many pairs, their lengths, what was left out and why, unknown characters, the cut."""
        facts, (_, ids) = self.store.facts, self._ids
        splits = {split: ids[split]["pairs"] for split in SPLITS}
        by_hash = facts["by_hash"]
        if not self.sha256.startswith(GIVEN):
            for paths, how in zip(self.files.values(), facts["how"]):
                yield f"{' and '.join(paths)}: {how}"
        yield (
            f"{sum(splits.values()):,} pairs: {splits['train']:,} to train on, "
            f"{splits['validation']:,} to validate, {splits['test']:,} to test"
            + (f" ({' and '.join(by_hash)} by a hash of the source)" if by_hash else "")
        )
        yield "characters, before anything is left out: " + "; ".join(
            f"{side} {facts[side]['median']:,} (median), {facts[side]['longest']:,} (longest)"
            for side in ("source", "target")
        )
        left_out = {
            "with an empty side": facts["empty"],
            "blank": facts["blank"],
            "that came before": sum(facts[split]["duplicates"] for split in SPLITS),
            f"with more than {self.most_tokens} tokens on a side (--most-tokens)": sum(
                ids[split]["too_long"] for split in SPLITS
            ),
        }
        said = [f"{count:,} {what}" for what, count in left_out.items() if count]
        yield f"left out: {', '.join(said) or 'nothing'}"
        cut, why = self.chosen_cut
        yield f"cut into {cut}, {len(self.vocabulary):,} tokens: {why} (--cut changes it)"
        for split in SPLITS:
            if count := ids[split]["unknown"]:
                yield (
                    f"unknown in {split}, read as <unk>: {count:,} "
                    f"{'words' if cut == 'words' else 'characters'}{self.some_unknown(split)}"
                )
        recipe = self.recipe
        yield (
            f"model and schedule for {'short' if recipe is SHORT_RECIPE else 'long'} texts: preset "
            f"{recipe.preset}, {recipe.training['steps']:,} steps, unless told otherwise"
        )

    def some_unknown(self, split: str) -> str:
        """" such as 'ß', 'é'": of the first thousands of texts."""
        found: dict[str, None] = {}
        rows = self._ids[1]["rows"][split][:10_000]
        for texts in self.store.texts(split):
            for text in texts[rows]:
                found |= dict.fromkeys(self.vocabulary.unknown(text))
                if len(found) >= 10:
                    break
        return f", such as {', '.join(map(repr, [*found][:10]))}" if found else ""


def splits_of(named):
    """{what is named: the splits that it serves}: training data serve those that have none of their
    own."""
    shared = tuple(split for split in SPLITS if split == "train" or split not in named)
    return {name: shared if name == "train" else (name,) for name in named}


def followed_by(checks, table):
    """The table; behind the last of its rows each check is called."""

    def rows():
        yield from table.rows
        for check in checks:
            check()

    return Table(table.how, rows())


def as_list(pairs, name):
    try:
        return list(pairs)
    except TypeError:
        raise InputError(
            f"{name} must be a list of pairs (source, target) of texts, got {shortened(pairs)}."
        ) from None


def numbered(pairs):
    return ((number, *pair) for number, pair in enumerate(pairs, start=1))


def whole_path(path):
    return str(Path(os.path.abspath(expect_file(path)))) if path else ""
