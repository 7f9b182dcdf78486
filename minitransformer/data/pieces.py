"""Texts cut into characters, or into words and the morphemes of German numbers."""

import difflib
import itertools
import re

from ..errors import InputError, unknown
from .vocabulary import SPECIAL, Vocabulary, strings

WORD = re.compile(r"[\s,-]*\w+|\s*[^\w\s]|\s+")  # a word with the spaces, commas and hyphens before it, or another sign
UNITS = "ein zwei drei vier fünf sechs sieben acht neun"
TEENS = "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"
TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"
MORPHEMES = f"null eins {UNITS} {TEENS} {TENS} und hundert tausend".split()
MORPHEME = re.compile("|".join(sorted(MORPHEMES, key=len, reverse=True)))  # the longest that fits: "siebzehn" is one


def characters(text):
    """"owl" → o w l."""
    return list(text)


def morphemes(text):
    """Words, and German numbers in their parts: "seventy-nine" → "seventy" "-nine", "neunundsiebzig" → "neun" "und" "siebzig".

    What stands before a word stays with it, so that the pieces, one after the other, are the text again.
    """
    return [piece for word in WORD.findall(text) for piece in parts(word)]


def parts(word):
    """The morphemes of a German number, or the word itself."""
    found = MORPHEME.findall(word)
    return found if "".join(found) == word else [word]


CUTS = {"characters": characters, "morphemes": morphemes}


class Pieces(Vocabulary):
    """A vocabulary of pieces that make the text again when they are set side by side; `cut` names how it is cut.

    Letters are read as small ones if the vocabulary has no capital.
    """

    kind = "pieces"

    def __init__(self, tokens, cut):
        super().__init__(tokens)
        self.cut = cut
        self.small = all(token == token.lower() for token in tokens)

    @classmethod
    def of(cls, texts, cut):
        """The pieces that occur in these texts, in the order of the alphabet."""
        return cls(sorted({piece for text in texts for piece in CUTS[cut](text)}), cut)

    def tokenize(self, text):
        """Raises InputError for an empty text, and for a piece that is not known (which, and what is like it)."""
        text = " ".join(text.split())
        tokens = CUTS[self.cut](text.lower() if self.small else text)
        self.expect_known(text, tokens)
        return tokens

    def expect_known(self, text, tokens):
        if not tokens:
            raise InputError("An empty text: there is nothing to read.")
        for token in tokens:
            if token not in self.ids or token in SPECIAL:
                near = difflib.get_close_matches(token, self.tokens[len(SPECIAL) :], n=1, cutoff=0.5)
                hint = f" Did you mean {near[0].strip()!r}?" if near else ""
                raise InputError(f"{token.strip() or token!r} in {text!r} never occurred in training, so it cannot be read.{hint}")

    def join(self, tokens):
        return "".join(tokens).strip()

    def words(self, tokens):
        """The tokens in groups: a word, or a part of a German number, each."""
        ends = {*itertools.accumulate(map(len, morphemes("".join(tokens))))}
        groups, position, complete = [], 0, True
        for token in tokens:
            if complete:
                groups.append([])
            groups[-1].append(token)
            position += len(token)
            complete = position in ends
        return groups

    def to_dict(self):
        return {**super().to_dict(), "cut": self.cut}

    @classmethod
    def from_dict(cls, facts):
        if facts["cut"] not in CUTS:
            raise unknown("cut", facts["cut"], CUTS)
        return cls(strings(facts["tokens"]), facts["cut"])
