"""Any texts, cut into characters or into words, with nothing changed but spaces."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..boundary import Count, Text, Texts, checked
from ..errors import InputError
from .vocabulary import SPECIAL, UNK, Vocabulary, strings

# a word or number, or another sign; each with the space before it
WORD = re.compile(r" ?\w+| ?[^\w\s]")


def plain(text: str) -> str:
    """The text with one space where there is white space, none at the ends, and é as one character
    (NFC)."""
    return " ".join(unicodedata.normalize("NFC", text).split())


class Characters(Vocabulary):
    """A vocabulary of characters: each is a token, the space too. One that training did not have is
    <unk>."""

    kind = "characters"
    spaces = True

    @staticmethod
    def cut(text: str) -> list[str]:
        return list(text)

    @classmethod
    @checked
    def learn(cls, texts: Texts, size: Count | None = None) -> "Characters":
        """The tokens of these texts, the most frequent ones if there are more than `size` with the
        special ones."""
        counts = Counter(token for text in texts for token in cls.cut(plain(text)))
        kept = [token for token, _ in counts.most_common(size and size - len(SPECIAL))]
        return cls(sorted(kept))

    def tokenize(self, text: str) -> list[str]:
        return [self.tokens[i] for i in self.encode(text)]

    @checked
    def encode(self, text: Text) -> np.ndarray:
        return np.array(self.encode_rows([text])[0], dtype=np.int64)

    def encode_rows(self, texts: Sequence[str]) -> list[list[int]]:
        """Raises InputError for a text without a character."""
        get, cut = self.ids.get, self.cut
        rows = [[get(token, UNK) for token in cut(plain(text))] for text in texts]
        if not all(rows):
            raise InputError("An empty text: there is nothing to read.")
        return rows

    def unknown(self, text: str) -> list[str]:
        """The characters, or words, that are read as <unk>, each once."""
        tokens = dict.fromkeys(self.cut(plain(text)))
        return [token.strip() for token in tokens if token not in self.ids]

    def join(self, tokens: Iterable[str]) -> str:
        return "".join(tokens).strip()

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> "Characters":
        return cls(strings(facts["tokens"]))


class Words(Characters):
    """A vocabulary of words, numbers and other signs, each with the space before it, so that the
    tokens, one behind the other, are the text again."""

    kind = "words"

    @staticmethod
    def cut(text: str) -> list[str]:
        return WORD.findall(" " + text)  # so that a first word is the same token as a later one
