"""Tokens and their ids; from text to tokens and back."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import numpy as np

from ..boundary import ListOf, SequenceOfIds, Text, Texts, checked, expect_ids
from ..errors import LISTED, InputError, shortened

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")
FIRST = len(SPECIAL)  # the id of a task's own first token

Rows = Annotated[
    Sequence[Sequence[int] | np.ndarray],
    ListOf(SequenceOfIds, "a list of sequences of integer ids"),
]
Tokens = Annotated[
    Iterable[str], ListOf(Text, "a list of tokens (of characters, sorted(set(text)))")
]


class Vocabulary:
    """The tokens of a task, with ids from 4 on; 0 … 3 are padding, begin, end and unknown.

    Here a text is its tokens with spaces between them. Subclasses cut and join in other ways: see
    `Pieces`, `Subwords`.
    """

    kind = "symbols"
    spaces = False  # whether a token may contain some

    @checked
    def __init__(self, tokens: Tokens):
        self.tokens = [*SPECIAL, *tokens]
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        for i, token in enumerate(self.tokens):
            if self.ids[token] != i:
                raise InputError(
                    f"The token {token!r} occurs twice, so one of its ids would never be read. "
                    f"Name each token once ({', '.join(SPECIAL)} are there already), as "
                    "dict.fromkeys(tokens) does."
                )
            if not self.spaces and token.split() != [token]:
                raise InputError(
                    f"{token!r} cannot be a token: here spaces separate the tokens of a text, so "
                    'it would never be read. Leave it out, or use Pieces.of(texts, "characters"), '
                    "in which a space is a character like others."
                )

    def __len__(self) -> int:
        return len(self.tokens)

    def tokenize(self, text: str) -> list[str]:
        """Split at spaces; a piece that is no token is split into characters: "314" is read like "3
        1 4".

        Raises InputError for an empty text, and for a token that does not exist (the message says
        which, where, and which tokens there are).
        """
        pieces = text.split()
        tokens = [t for piece in pieces for t in ([piece] if piece in self.ids else piece)]
        self.expect_known(text, tokens)
        return tokens

    def expect_known(self, text: str, tokens: list[str]) -> None:
        if not tokens:
            raise InputError(
                "An empty text: write at least one token, such as "
                + " ".join(self.tokens[len(SPECIAL) :][:3])
            )
        for place, token in enumerate(tokens):
            if token not in self.ids or token in SPECIAL:
                known = " ".join(self.tokens[len(SPECIAL) :][:LISTED]) + " …" * (
                    len(self) > len(SPECIAL) + LISTED
                )
                raise InputError(
                    f"{shortened(token)} (token {place + 1} of {shortened(text)}) is not in "
                    f"the vocabulary. It has: {known}"
                )

    def unknown(self, text: str) -> Sequence[str]:
        """The characters or words of a text that are read as <unk>, each once. Here there are none,
        because such a text is refused."""
        return ""

    def strange(self, text: str) -> str:
        """A sentence about something that no source of training had, or "". Here nothing is known
        about that."""
        return ""

    @checked
    def encode(self, text: Text) -> np.ndarray:
        """The ids of a text, (n,) int64."""
        return np.array([self.ids[token] for token in self.tokenize(text)], dtype=np.int64)

    @checked
    def encode_all(self, texts: Texts) -> np.ndarray:
        """The ids of many texts, padded: (N, S) int64."""
        return padded(self.encode_rows([*texts]))

    def encode_rows(self, texts: Sequence[str]) -> Sequence[Sequence[int] | np.ndarray]:
        """The ids of each of many texts, as lists or arrays."""
        return [self.encode(text) for text in texts]

    def encode_stream(self, texts: Iterable[str]) -> Iterator[np.ndarray]:
        """The ids of a text that comes in pieces, such as a file larger than the memory: array by
        array, together those of the whole text."""
        return map(self.encode, texts)

    @checked
    def decode(self, ids: SequenceOfIds) -> list[str]:
        """The tokens of ids (n,) up to the first EOS, without BOS and without padding at the end.

        Raises InputError for an id that is none of this vocabulary's.
        """
        if len(ids):
            expect_ids(np.asarray(ids), len(self))
        ids = [int(i) for i in ids]
        ids = ids[: ids.index(EOS)] if EOS in ids else ids
        while ids and ids[-1] == PAD:
            ids.pop()
        return [self.tokens[i] for i in ids if i != BOS]

    def join(self, tokens: Iterable[str]) -> str:
        """The text that the tokens make."""
        return " ".join(tokens)

    def text(self, ids: SequenceOfIds) -> str:
        """The text of ids, as `decode` reads them."""
        return self.join(self.decode(ids))

    def to_bytes(self, ids: SequenceOfIds) -> bytes:
        """The text of ids in UTF-8; where tokens are of bytes, half a character too."""
        return self.text(ids).encode("utf-8", "surrogatepass")

    def written(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of ids in parts, each as soon as it is whole: for a text that is still being
        written."""
        return (self.join([self.tokens[i]]) for i in ids)

    def words(self, tokens: Iterable[str]) -> list[list[str]]:
        """The tokens in groups that make a word each: a list of lists. Here every token is a
        word."""
        return [[token] for token in tokens]

    def words_and_sizes(
        self, ids: Iterable[int], written: bool = False
    ) -> tuple[list[str], list[int]]:
        """(labels of the words that ids (n,) make, how many ids each has): for the axes of a
        picture.

        A special token is a word of its own; so is the last token that a decoder has `written`,
        because it never reads it.
        """
        groups = []
        for ordinary, run in itertools.groupby(map(int, ids), lambda i: i >= FIRST):
            tokens = [self.tokens[i] for i in run]
            groups += self.words(tokens) if ordinary else [[token] for token in tokens]
        if written and groups and len(groups[-1]) > 1:
            groups[-1:] = [groups[-1][:-1], groups[-1][-1:]]
        texts = [self.join(group) for group in groups]
        labels = [text.strip(" ,-") or text.strip() or text for text in texts]
        return labels, [len(group) for group in groups]

    def to_dict(self) -> dict[str, Any]:
        """The description that a checkpoint saves and `load_vocabulary` reads."""
        return {"kind": self.kind, "tokens": self.tokens[len(SPECIAL) :]}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> "Vocabulary":
        return cls(strings(facts["tokens"]))


def strings(tokens):
    """The tokens of a description. Raises TypeError unless they are texts."""
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise TypeError("its tokens are not a list of texts")
    return tokens


def grouped(tokens, ends):
    """The tokens in groups, a list of lists: a group is complete where the text of all tokens so
    far has one of the lengths `ends`."""
    groups, length, complete = [], 0, True
    for token in tokens:
        if complete:
            groups.append([])
        groups[-1].append(token)
        length += len(token)
        complete = length in ends
    return groups


@checked
def padded(rows: Rows) -> np.ndarray:
    """Sequences of ids in one array, (N, longest), with padding behind the shorter ones."""
    ids = np.full((len(rows), max(map(len, rows), default=0)), PAD, dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
    return ids


def padding_behind(ids):
    """Ids (B, S) with each row's tokens first, in their order, and its padding behind them."""
    if not ((ids[:, 1:] != PAD) & (ids[:, :-1] == PAD)).any():
        return ids
    return np.take_along_axis(ids, np.argsort(ids == PAD, axis=1, kind="stable"), axis=1)
