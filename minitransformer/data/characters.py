"""Every character of a text is a token."""

import functools
from collections.abc import Iterable

import numpy as np

from ..boundary import Text, checked
from .vocabulary import SPECIAL, UNK, Vocabulary


class ExactCharacters(Vocabulary):
    """The characters of a text, each a token, spaces and line breaks too: a text is exactly its
    tokens, one after the other.

    A character that is none of them is read as UNK.
    """

    kind = "exact-characters"
    spaces = True

    def tokenize(self, text: str) -> list[str]:
        return [self.tokens[i] for i in self.encode(text)]

    @checked
    def encode(self, text: Text) -> np.ndarray:
        """The ids of a text, (n,) int64, all at once: a table says the id of each code point."""
        return self.table.take(code_points(text), mode="clip")

    @functools.cached_property
    def table(self) -> np.ndarray:
        """The id of each code point; the last entry stands for all that are larger than those of
        the tokens."""
        points = code_points("".join(self.tokens[len(SPECIAL) :]))
        table = np.full(int(points.max(initial=0)) + 2, UNK, dtype=np.int64)
        table[points] = np.arange(len(SPECIAL), len(self))
        return table

    def unknown(self, text: str) -> list[str]:
        return [*dict.fromkeys(c for c in text if c not in self.ids)]

    def join(self, tokens: Iterable[str]) -> str:
        return "".join(tokens)


def code_points(text):
    """The numbers by which Unicode counts the characters of a text, (n,) uint32. Half of a
    surrogate pair counts too: a terminal may send one."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
