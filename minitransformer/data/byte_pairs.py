"""Byte pairs: any text as ids of frequent sequences of bytes.

**Bytes.** A vocabulary of words has no id for a new word, and one of characters none for a new
character. In UTF-8 every text is a sequence of bytes, and there are only 256 of them: with an id
for each, no text is unknown.

**Pairs.** But a sequence of bytes is long. So the pair of neighbours that occurs most often gets an
id of its own and is written as one, again and again. These merges, in the order in which they were
learned, are all that is needed to read a new text: it is merged by them in the same order.

    low lower lowest        the bytes:         l o w   l o w e r   l o w e s t
                            1. "l o":          lo w    lo w e r    lo w e s t
                            2. "lo w":         low     low e r     low e s t
                            3. "low e":        low     lowe r      lowe s t

**Words.** Pairs of all kinds would make "dog", "dog." and "dog!" three tokens without a common
part. So a text is cut into words first, and no pair reaches over the end of a word. A space belongs
to the word behind it; letters, digits and other signs do not mix; and the words, one after the
other, are the text again.

Sources: Gage 1994 (pairs, to compress); Sennrich, Haddow & Birch 2016 (as a vocabulary); Radford et
al. 2019, section 2.2 (bytes and words: GPT-2).
"""

import codecs
import functools
import heapq
import itertools
import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from ..boundary import (
    Dictionary,
    FilePath,
    Instance,
    ListOf,
    Number,
    SequenceOfIds,
    StreamOf,
    Text,
    checked,
)
from ..errors import InputError, reading, shortened
from .subwords import whole_characters
from .vocabulary import FIRST, Vocabulary, grouped, strings

GAP = -1  # no id: what stands between words
LONG = 64  # characters of a word; the ids of a longer one are not kept
KEPT = 2**16  # words whose ids are kept
# What GPT-2's files write for each byte: the byte's own character where it can be seen, else one
# from U+0100 on ("Ġ" for a space). In this order the bytes have their ids.
SIGNS = {byte: chr(byte) for byte in (*range(33, 127), *range(161, 173), *range(174, 256))}
SIGNS |= {byte: chr(256 + i) for i, byte in enumerate(sorted({*range(256)} - {*SIGNS}))}
BYTES = {sign: byte for byte, sign in SIGNS.items()}
Merges = Annotated[Iterable[str], ListOf(Text, 'a list of merges, such as ["t h", "th e"]')]
Stream = Annotated[Iterable[str], StreamOf(Text, "a list of texts, or what yields texts")]
Size = Annotated[
    int,
    Number(
        f"a whole number of at least {FIRST + len(SIGNS)} (the {FIRST} special tokens and the "
        f"{len(SIGNS)} bytes)", whole=True, least=FIRST + len(SIGNS),
    ),
]  # fmt: skip


@functools.cache
def pattern() -> re.Pattern:
    r"""GPT-2's pattern of a word:

        's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

    The classes L (letters) and N (numbers) are those of Python's `unicodedata`. A character that
    is newer than its version (`unicodedata.unidata_version`) counts as another sign, so that a text
    with such characters may be cut in other places by another version of Python. \s is Unicode's
    White_Space (without U+001C to U+001F, which Python's own \s has).
    """
    classes = "".join(map(unicodedata.category, map(chr, range(sys.maxunicode + 1))))[::2]

    def members(name):
        runs = (run.span() for run in re.finditer(f"{name}+", classes))
        return "".join(f"\\U{start:08x}-\\U{end - 1:08x}" for start, end in runs)

    letters, numbers = members("L"), members("N")
    space = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    return re.compile(
        f"'s|'t|'re|'ve|'m|'ll|'d| ?[{letters}]+| ?[{numbers}]+| ?[^{space}{letters}{numbers}]+"
        f"|[{space}]+(?![^{space}])|[{space}]+"
    )


def bytes_of(name):
    """The bytes of a token's name: "Ġthe" is b" the"."""
    return bytes(BYTES[sign] for sign in name)


def utf8(word):
    """The bytes of a word; what stands for a byte that is not UTF-8 becomes this byte again."""
    return word.encode("utf-8", "surrogateescape")


class Chain:
    """Ids in a row, in which a pair of neighbours can become one: a list linked in both directions.

    A pair's place is the index of its left id. GAP stands behind the last id, and so, at the index
    −1, before the first.
    """

    def __init__(self, ids):
        places = [*range(len(ids) + 1)]
        self.ids = [*ids, GAP]
        self.before = [-1, *places[:-1]]
        self.after = [*places[1:], -1]

    def pair(self, place):
        return self.ids[place], self.ids[self.after[place]]

    def merge(self, place, new):
        """Write the pair at this place as one id. No pair begins at its right id any more."""
        right = self.after[place]
        beyond = self.after[right]
        self.ids[place], self.ids[right] = new, GAP
        self.after[place], self.before[beyond] = beyond, place


def learned_merges(words: Counter, most: int) -> list[str]:
    """The merges that are learned from words and how often each occurs, until there are `most`
    tokens, the bytes among them.

    Each is of the pair that occurs most often by then; of equally frequent ones, of that whose left
    token is older, then whose right one is. A pair that occurs once is not merged. Each makes a new
    token, because the same bytes are merged in the same way wherever they stand.

    Only what a merge changes is counted again. `places` says where each pair stands (or stood: what
    has become another pair is passed over), and a heap has the most frequent pair in front. Its
    counts may be too high, because a pair that becomes rarer is not looked for there: it goes back
    with its right count when it comes to the front.
    """
    names = [*BYTES]
    of_byte = {byte: i for i, byte in enumerate(SIGNS)}
    rows, weights = [], []
    for word, count in words.items():
        row = [of_byte[byte] for byte in utf8(word)]
        rows += [*row, GAP]
        weights += [count] * (len(row) + 1)
    chain, counts, places = Chain(rows), Counter(), defaultdict(list)

    def note(place, times):
        pair = chain.pair(place)
        if GAP not in pair:
            counts[pair] += times
            if times > 0:
                places[pair].append(place)
                grown.add(pair)

    grown = set()
    for place, weight in enumerate(weights):
        note(place, weight)
    heap = [(-counts[pair], pair) for pair in grown]
    heapq.heapify(heap)
    merges = []
    while heap and len(names) < most:
        times, pair = heapq.heappop(heap)
        if counts[pair] != -times:
            heapq.heappush(heap, (-counts[pair], pair))
            continue
        if counts[pair] < 2:
            break
        left, right = map(names.__getitem__, pair)
        merges.append(f"{left} {right}")
        names.append(left + right)
        grown = set()
        for place in sorted(places.pop(pair)):
            if chain.pair(place) == pair:
                around = chain.before[place], place, chain.after[place]
                for neighbour in around:
                    note(neighbour, -weights[place])
                chain.merge(place, len(names) - 1)
                for neighbour in around[:2]:
                    note(neighbour, weights[place])
        for pair in grown:
            heapq.heappush(heap, (-counts[pair], pair))
    return merges


class BytePairEncoding:
    """Texts and bytes to ids by given merges, and back: with any ids, such as GPT-2's.

    `ids` is {name of a token: its id}; a name has a sign for each byte, as in GPT-2's files.
    `merges` are the two names of each pair with a space between them, in the order in which they
    were learned. A token that is neither a byte nor made by a merge is a special one
    ("<|endoftext|>"): it is read in a text only by `encode(text, special=True)`.

    Raises InputError unless every byte has an id, no id stands for two tokens, and each pair is of
    two tokens that are there already.
    """

    @checked
    def __init__(self, ids: Dictionary, merges: Merges):
        if len({*ids.values()}) < len(ids) or not all(
            type(name) is str and name and type(i) is int and 0 <= i < 2**63
            for name, i in ids.items()
        ):
            raise InputError(
                "ids must have the name of each token, a text, and its id, a whole number from 0 "
                f"on, no id twice; got {shortened(ids)}."
            )
        for byte, sign in SIGNS.items():
            if sign not in ids:
                raise InputError(
                    f"The vocabulary has no token {sign!r}, which stands for the byte {byte}, so "
                    "not every text could be read. Use one of bytes, such as GPT-2's."
                )
        made = dict.fromkeys(BYTES)
        self.merges = []  # of each rank: the pair of ids, and the id that it becomes
        for number, line in enumerate(merges, 1):
            left, space, right = line.partition(" ")
            if not (space and left in made and right in made and left + right in ids):
                raise InputError(
                    f"Merge {number} is {shortened(line)}. Expected: two tokens that are bytes or "
                    "made by the merges before it, with a space between, and a vocabulary that has "
                    "both as one token."
                )
            made[left + right] = None
            self.merges.append(((ids[left], ids[right]), ids[left + right]))
        self.ranks = {pair: rank for rank, (pair, _) in reversed([*enumerate(self.merges)])}
        self.special = {name: i for name, i in ids.items() if name not in made}
        self.bytes = {ids[name]: bytes_of(name) for name in made}
        self.bytes |= {i: utf8(whole_characters(name)) for name, i in self.special.items()}
        self.of_byte = [ids[SIGNS[byte]] for byte in range(256)]
        self.known = Known(self.of_word)

    @classmethod
    @checked
    def from_gpt2(cls, vocabulary: FilePath, merges: FilePath) -> "BytePairEncoding":
        """GPT-2's own encoding, or another one in files of this form: `vocab.json` (also called
        `encoder.json`) and `merges.txt` (`vocab.bpe`)."""
        with reading(vocabulary):
            of_tokens = Path(vocabulary).read_bytes()
        with reading(merges):
            of_merges = Path(merges).read_bytes()
        try:
            ids = json.loads(of_tokens.decode("utf-8-sig"), object_pairs_hook=each_once)
        except (ValueError, RecursionError):
            ids = None
        if not isinstance(ids, dict):
            raise InputError(
                f"{vocabulary} is no vocabulary: expected JSON, the id of each token, once."
            )
        try:
            lines = of_merges.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise InputError(
                f"{merges} is no list of merges: expected lines of two tokens, in UTF-8."
            ) from None
        return cls(ids, [line for line in lines if line and not line.startswith("#version")])

    def of_word(self, word: str) -> tuple[int, ...]:
        """The ids of a word.

        The pair that was learned first is merged in all its places from left to right; then the
        next one, until there is none. Each id is looked at only when a neighbour changes, so a word
        of n bytes takes about n steps, however long it is.
        """
        chain, places, ranks = Chain([self.of_byte[byte] for byte in utf8(word)]), {}, []

        def note(place):
            rank = self.ranks.get(chain.pair(place))
            if rank is not None:
                if rank not in places:
                    places[rank] = []
                    heapq.heappush(ranks, rank)
                places[rank].append(place)

        for place in range(len(chain.ids) - 1):
            note(place)
        while ranks:
            rank = heapq.heappop(ranks)
            pair, new = self.merges[rank]
            for place in sorted(places.pop(rank)):
                if chain.pair(place) == pair:
                    chain.merge(place, new)
                    note(chain.before[place])
                    note(place)
        return tuple(i for i in chain.ids if i != GAP)

    @checked
    def encode(
        self, text: Annotated[str | bytes, Instance((str, bytes), words="a text or bytes")],
        special: bool = False,
    ) -> np.ndarray:
        """The ids of a text or of any bytes, (n,) int64.

        Half of a surrogate pair, which is no character, is read as "�". With `special`, the name of
        a special token in the text is this token; else it is letters and signs like others.
        """
        if isinstance(text, bytes):
            text = text.decode("utf-8", "surrogateescape")
        else:
            text = whole_characters(text)
        if not (special and self.special):
            return self.of_words(pattern().findall(text))
        names = "|".join(map(re.escape, sorted(self.special, key=len, reverse=True)))
        parts = re.split(f"({names})", text)  # a text and a name in turn
        return np.concatenate([
            np.array([self.special[part]]) if i % 2 else self.of_words(pattern().findall(part))
            for i, part in enumerate(parts)
        ])  # fmt: skip

    def of_words(self, words: Iterable[str]) -> np.ndarray:
        ids = itertools.chain.from_iterable(map(self.known.__getitem__, words))
        return np.fromiter(ids, dtype=np.int64)

    @checked
    def encode_stream(self, pieces: Stream) -> Iterator[np.ndarray]:
        """The ids of a text that comes in pieces, such as the lines of a file larger than memory:
        array by array, together those of the whole text.

        A word is read when the two characters behind it are known, because then no more text can
        change it: "'" may become "'re", but not later. Only what is not read yet is kept; a single
        word is kept whole.
        """
        rest, waiting, size = "", [], 0
        for piece in pieces:
            waiting.append(piece)
            size += len(piece)
            if size <= len(rest):  # a long word is not read anew with every piece
                continue
            text = rest + "".join(waiting)
            # the other half of its character may follow
            end = len(text) - ("\ud800" <= text[-1:] <= "\udbff")
            whole = whole_characters(text[:end])
            words, done = [], 0
            for word in pattern().finditer(whole):
                if word.end() > len(whole) - 2:
                    break
                words.append(word[0])
                done = word.end()
            rest, waiting, size = whole[done:] + text[end:], [], 0
            if words:
                yield self.of_words(words)
        if rest or waiting:
            yield self.encode(rest + "".join(waiting))

    @checked
    def to_bytes(self, ids: SequenceOfIds) -> bytes:
        """The bytes that ids (n,) stand for, special tokens by their names. Raises InputError for
        an id that is none of this vocabulary's."""
        try:
            return b"".join([self.bytes[int(i)] for i in ids])
        except KeyError as problem:
            raise InputError(
                f"{problem.args[0]} is the id of no token; there are {len(self.bytes)} tokens, of "
                f"ids up to {max(self.bytes)}."
            ) from None

    @checked
    def decode(self, ids: SequenceOfIds) -> str:
        """The text of ids (n,). Bytes that are no UTF-8, such as half a character, become "�"."""
        return self.to_bytes(ids).decode("utf-8", "replace")


class Known(dict):
    """The ids of the words that were read before, at most KEPT: {word: ids}."""

    def __init__(self, of_word):
        self.of_word = of_word

    def __missing__(self, word):
        ids = self.of_word(word)
        if len(word) <= LONG:
            if len(self) >= KEPT:
                self.clear()
            self[word] = ids
        return ids


class BytePairs(Vocabulary):
    """A vocabulary of bytes and of merges: ids 0 … 3 are special, 4 … 259 are the bytes, in the
    order of `SIGNS`, and each token that a merge makes has the next one. A text comes back as it
    was.

    `encoding` does the work; it also reads bytes, and texts larger than memory.
    """

    kind = "byte-pairs"
    spaces = True  # in none of them; but a merge that is none is refused by its number

    @checked
    def __init__(self, merges: Merges):
        names = dict.fromkeys([*BYTES, *(line.replace(" ", "") for line in merges)])
        super().__init__([*names])
        self.merges = merges
        self.encoding = BytePairEncoding(self.ids, merges)

    @classmethod
    @checked
    def learn(cls, texts: Stream, size: Size) -> "BytePairs":
        """The vocabulary of `size` tokens from these texts; fewer if no more pairs occur twice.

        The texts are read one after the other, and only their different words are kept.
        """
        words = Counter()
        for text in texts:
            words.update(pattern().findall(whole_characters(text)))
        return cls(learned_merges(words, size - FIRST))

    def tokenize(self, text: str) -> list[str]:
        return [self.tokens[i] for i in self.encode(text)]

    @checked
    def encode(self, text: Text) -> np.ndarray:
        """The ids of a text, (n,) int64. Raises InputError for one without a character."""
        if not text:
            raise InputError("An empty text: there is nothing to read.")
        return self.encoding.encode(text)

    def join(self, tokens: Iterable[str]) -> str:
        return bytes_of("".join(tokens)).decode("utf-8", "replace")

    def encode_stream(self, texts: Iterable[str]) -> Iterator[np.ndarray]:
        return self.encoding.encode_stream(texts)

    def written(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of ids in parts: the bytes of a character wait until it is whole."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        parts = (decoder.decode(self.encoding.bytes[int(i)]) for i in ids)
        return filter(None, itertools.chain(parts, map(decoder.decode, [b""], [True])))

    def to_bytes(self, ids: SequenceOfIds) -> bytes:
        return self.encoding.to_bytes(ids)

    def words(self, tokens: Iterable[str]) -> list[list[str]]:
        """The tokens in groups: a word each, as `pattern` cuts them."""
        text = bytes_of("".join(tokens)).decode("utf-8", "surrogateescape")
        ends = {*itertools.accumulate(len(utf8(word)) for word in pattern().findall(text))}
        return grouped(tokens, ends)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "merges": self.merges}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> "BytePairs":
        return cls(strings(facts["merges"]))


def each_once(pairs):
    """The dict of these pairs. Raises ValueError if a key occurs twice."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)
