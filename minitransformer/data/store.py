"""Pairs of texts, read once, and kept in a folder as arrays that are read from the file when they
are used.

    FOLDER/facts.json                       what was found: see kept.py
    FOLDER/train.source.txt, .ends.npy      the texts of a split, and where each ends
    FOLDER/train.rows.npy                   which pairs count: not those that came before
    FOLDER/characters-…/                    their ids under a vocabulary, likewise
"""

import array
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError, shortened
from .formats import Table
from .kept import DAMAGED, Kept, kept, mapped, read_kept, store_folder
from .sequences import Sequences
from .split import SPLITS
from .vocabulary import UNK, Vocabulary
from .words import plain

SIDES = ("source", "target")
SHOWN = 3  # of sources that stand in two splits
AT_ONCE = 4096


class Part(NamedTuple):
    """Pairs for one split, or for those splits that a hash of the source chooses among."""

    name: str                                                            # of the file
    splits: tuple[str, ...]
    table: Table
    unit: str = "line"


class Texts:
    """The texts of a split in a file; `texts[5:9]` and `texts[rows]` are lists of some."""

    def __init__(self, folder, name):
        self.content = mapped(folder / f"{name}.txt", np.uint8)
        self.ends = np.load(folder / f"{name}.ends.npy", mmap_mode="r")

    def __len__(self):
        return len(self.ends)

    def __getitem__(self, rows):
        rows = np.arange(len(self))[rows]
        starts = np.where(rows == 0, 0, self.ends[rows - 1])
        return [
            self.content[start:end].tobytes().decode()
            for start, end in zip(starts.tolist(), self.ends[rows].tolist())
        ]


class Store:
    """What `keep_pairs` has written into a folder."""

    def __init__(self, made: Kept):
        self.folder, self.facts = made

    def texts(self, split: str) -> tuple[Texts, Texts]:
        return tuple(Texts(self.folder, f"{split}.{side}") for side in SIDES)  # type: ignore

    def remembered(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `make` returns, which is asked only if it has not been asked before."""
        return kept(name, lambda folder: make(), self.folder).facts

    def rows(self, split: str) -> np.ndarray:
        """The pairs that count: each pair once, at its first place."""
        return np.load(self.folder / f"{split}.rows.npy", mmap_mode="r")


def kept_before(key: str, sentence: str) -> Store:
    """The store of that key. Raises InputError with the sentence if there is none."""
    try:
        return Store(read_kept(store_folder() / key))
    except DAMAGED:
        raise InputError(sentence) from None


def keep_pairs(key: str, parts: Iterable[Part]) -> Store:
    """The store of these pairs; read only if the folder of that key is not there yet.

    White space at the ends of a text is left out, and pairs with an empty side. Raises InputError
    if a source stands in two splits, or if a split has no pair.
    """
    return Store(kept(key, lambda folder: _write_pairs(folder, parts)))


def _write_pairs(folder, parts):
    splits = {split: _Split(folder, split) for split in SPLITS}
    facts: dict[str, Any] = {"read": 0, "blank": 0, "empty": 0}
    parts = list(parts)
    facts["how"] = [part.table.how for part in parts]
    facts["by_hash"] = [
        split
        for split in ("validation", "test")
        if any({split, "train"} <= {*part.splits} for part in parts)
    ]
    try:
        for part in parts:
            tenth = [next(s for s, (a, b) in SPLITS.items() if a <= n < b) for n in range(10)]
            into = [splits[split if split in part.splits else "train"] for split in tenth]
            if len(part.splits) == 1:
                into = [splits[part.splits[0]]] * 10
            for line, source, target in part.table.rows:
                source, target = plain(source), plain(target)
                if not source or not target:
                    facts["empty" if source or target else "blank"] += 1
                    continue
                facts["read"] += 1
                texts = source.encode(), target.encode()
                digest = hash_of(texts[0])
                into[digest % 10].add(line, texts, (len(source), len(target)), digest)
    finally:
        for split in splits.values():
            split.close()
    _expect_apart(folder, splits, parts)
    for name, split in splits.items():
        if not len(split.lines):
            sources = sum(len({*split.sources}) for split in splits.values())
            raise InputError(
                f"No pair is for {name}. Pairs found in {', '.join(part.name for part in parts)}: "
                f"{facts['read']:,}, with {sources:,} different sources. Of many, a hash of the "
                "source puts a tenth into validation and a tenth into the test; with so few, name "
                "what to validate and test with: --validation FILE --test FILE (in Python: "
                "validation=…, test=…)."
            )
        facts[name] = {"pairs": len(split.lines), "duplicates": split.write_rows()}
    for place, side in enumerate(SIDES):
        lengths = np.concatenate([np.array(s.characters[place], int) for s in splits.values()])
        middle, most, longest = np.quantile(lengths, (0.5, 0.99, 1), method="lower")
        facts[side] = {"median": int(middle), "percentile_99": int(most), "longest": int(longest)}
    return facts


def hash_of(content):
    """A whole number of 64 bits, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


class _Split:
    """The files of a split while they are written."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.files = [open(folder / f"{name}.{side}.txt", "wb") for side in SIDES]
        self.sizes, self.characters = ([array.array("I"), array.array("I")] for _ in range(2))
        self.lines, self.sources, self.pairs = array.array("I"), array.array("Q"), array.array("Q")

    def add(self, line, texts, lengths, digest):
        for place in range(2):
            self.files[place].write(texts[place])
            self.sizes[place].append(len(texts[place]))
            self.characters[place].append(lengths[place])
        self.lines.append(line)
        self.sources.append(digest)
        self.pairs.append(hash_of(len(texts[0]).to_bytes(8, "big") + b"".join(texts)))

    def close(self):
        for file, side, sizes in zip(self.files, SIDES, self.sizes):
            file.close()
            ends = np.cumsum(np.array(sizes, dtype=np.int64))
            np.save(self.folder / f"{self.name}.{side}.ends.npy", ends)

    def write_rows(self):
        """Save which pairs did not come before; returns how many did."""
        _, rows = np.unique(np.array(self.pairs, dtype=np.uint64), return_index=True)
        np.save(self.folder / f"{self.name}.rows.npy", np.sort(rows))
        return len(self.lines) - len(rows)


def _expect_apart(folder, splits, parts):
    """Raise InputError if a source stands in two splits."""
    where = {split: part for part in reversed(parts) for split in part.splits}
    for one, two in (("train", "validation"), ("train", "test"), ("validation", "test")):
        first, second = (np.array(splits[name].sources, dtype=np.uint64) for name in (one, two))
        common, *rows = np.intersect1d(first, second, return_indices=True)
        if not len(common):
            continue
        shown = []
        for places in sorted(zip(*(found.tolist() for found in rows)))[:SHOWN]:
            text = Texts(folder, f"{one}.source")[[places[0]]][0]
            shown.append(
                f"{shortened(text, 40)} ("
                + ", and ".join(
                    f"{where[split].name}, {where[split].unit} {splits[split].lines[place]}"
                    for split, place in zip((one, two), places)
                )
                + ")"
            )
        count = "A source stands" if len(common) == 1 else f"{len(common):,} sources stand"
        raise InputError(
            f"{count} in two splits, {one} and {two}: {'; '.join(shown)}"
            f"{'; …' * (len(common) > SHOWN)}. What is evaluated must not be trained on: remove "
            "these pairs from one of the files."
        )


def keep_ids(
    store: Store, vocabulary: Vocabulary, most_tokens: int, advance: Callable[[int], object]
) -> tuple[dict[str, tuple[Sequences, Sequences]], dict[str, Any]]:
    """({split: (sources, targets)}, what was found): the ids of all pairs of which neither side has
    more than `most_tokens` tokens. Encoded only if this has not been done before."""
    digest = hashlib.sha256(json.dumps(vocabulary.to_dict(), sort_keys=True).encode()).hexdigest()
    folder, facts = kept(
        f"{vocabulary.kind}-{most_tokens}-{digest[:32]}",
        lambda folder: _write_ids(folder, store, vocabulary, most_tokens, advance),
        store.folder,
    )
    dtype = dtype_of(vocabulary)
    sequences = {
        split: tuple(
            Sequences(
                mapped(folder / f"{split}.{side}.ids", dtype),
                np.load(folder / f"{split}.{side}.ends.npy", mmap_mode="r"),
            )
            for side in SIDES
        )
        for split in SPLITS
    }
    rows = {s: np.load(folder / f"{s}.rows.npy", mmap_mode="r") for s in SPLITS}
    return sequences, {**facts, "rows": rows}  # type: ignore[return-value]


def dtype_of(vocabulary):
    return np.uint16 if len(vocabulary) <= 2**16 else np.int32


def _write_ids(folder, store, vocabulary, most_tokens, advance):
    dtype, facts = dtype_of(vocabulary), {}
    for split in SPLITS:
        rows, texts = store.rows(split), store.texts(split)
        files = [open(folder / f"{split}.{side}.ids", "wb") for side in SIDES]
        lengths, kept_rows, unknown = ([], []), [], 0
        for start in range(0, len(rows), AT_ONCE):
            some = np.array(rows[start : start + AT_ONCE])
            encoded = [vocabulary.encode_rows(side[some]) for side in texts]
            fits = [max(len(s), len(t)) <= most_tokens for s, t in zip(*encoded)]
            kept_rows.append(some[fits])
            for file, side, sizes in zip(files, encoded, lengths):
                side = [ids for ids, fit in zip(side, fits) if fit]
                flat = np.array([i for ids in side for i in ids], dtype=dtype)
                unknown += int((flat == UNK).sum())
                file.write(flat.tobytes())
                sizes.extend(map(len, side))
            advance(len(some))
        for file, side, sizes in zip(files, SIDES, lengths):
            file.close()
            np.save(folder / f"{split}.{side}.ends.npy", np.cumsum(np.array(sizes, dtype=np.int64)))
        np.save(folder / f"{split}.rows.npy", np.concatenate([np.zeros(0, np.int64), *kept_rows]))
        left = sum(map(len, kept_rows))
        facts[split] = {"pairs": left, "too_long": len(rows) - left, "unknown": unknown}
    return facts
