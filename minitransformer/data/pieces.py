"""Texts cut into characters, or into words and the morphemes of German numbers."""

import difflib
import itertools
import re
import unicodedata

from ..errors import InputError, shortened, unknown
from .vocabulary import SPECIAL, Vocabulary, strings

WORD = re.compile(r"[\s,-]*(?:\d{7,}|\d|[^\W\d]+)|\s*[^\w\s]|\s+")  # a word or digit with what stands before it, or a sign
UNITS = "ein zwei drei vier fünf sechs sieben acht neun"
TEENS = "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"
TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"
TYPED = "fuenf fuenfzehn fuenfzig zwoelf dreissig"  # without the letters that not every keyboard has
ENGLISH = "one two three four five six seven eight nine twenty thirty forty fifty sixty seventy eighty ninety"
MORPHEMES = f"null eins {UNITS} {TEENS} {TENS} {TYPED} und hundert tausend {ENGLISH}".split()
MORPHEME = re.compile("|".join(sorted(MORPHEMES, key=len, reverse=True)))  # the longest that fits: "siebzehn" is one
BETWEEN = " ,-"  # what may stand before a word
QUOTES = "\"'“”„‟«»‹›‘’‚()[]"
STOPS = ".!?;:…,"
HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"  # hyphens, dashes and minus signs
INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"  # soft hyphen, zero-width spaces and joiners, byte order mark
TYPEWRITER = str.maketrans({**dict.fromkeys(HYPHENS, "-"), **dict.fromkeys(INVISIBLE, ""), "’": "'"})


def characters(text):
    """"owl" → o w l."""
    return list(text)


def morphemes(text):
    """Words, and German numbers in their parts: "seventy-nine" → "seventy" "-nine", "neunundsiebzig" → "neun" "und" "siebzig".

    What stands before a word stays with it, so that the pieces, one after the other, are the text again.
    """
    return [piece for word in WORD.findall(text) for piece in parts(word)]


def parts(word):
    """The morphemes of a German number or of "seventynine", what stands before it with the first; or the word itself."""
    before, bare = re.fullmatch(r"(\W*)(.*)", word).groups()
    found = MORPHEME.findall(bare)
    return [before + found[0], *found[1:]] if found and "".join(found) == bare else [word]


CUTS = {"characters": characters, "morphemes": morphemes}


class Pieces(Vocabulary):
    """A vocabulary of pieces that make the text again when they are set side by side; `cut` names how it is cut.

    What carries no meaning is not read (`read`). `followers`, if it is known, says for each word of the sources which words
    stood behind it in training; "" stands for both ends of a text.
    """

    kind = "pieces"

    def __init__(self, tokens, cut, followers=None):
        super().__init__(tokens)
        self.cut = cut
        self.small = all(token == token.lower() for token in tokens)
        self.followers = followers

    @classmethod
    def of(cls, texts, cut, sources=()):
        """The pieces that occur in these texts and sources, in the order of the alphabet, and how those of sources follow."""
        vocabulary = cls(sorted({piece for text in (*texts, *sources) for piece in CUTS[cut](text)}), cut)
        if sources:
            pairs = {pair for text in sources for pair in vocabulary.neighbours(text)}
            vocabulary.followers = {word: sorted(b for a, b in pairs if a == word) for word, _ in sorted(pairs)}
        return vocabulary

    def neighbours(self, text):
        """All words of a text, each with the one behind it, from ("", first) to (last, "")."""
        return itertools.pairwise(["", *(bare(piece) or piece for piece in self.tokenize(text)), ""])

    def read(self, text):
        """The text as it is cut: all that changes the letters but not what is said is made one.

        - Any hyphen is -, any run of white space one space, and what cannot be seen is left out. Before a comma and
          beside a hyphen there is no space, behind a comma there is one.
        - Capitals are small letters, if the vocabulary has no capital.
        - Quotes and brackets around the text, and stops behind it, are left out, if they are no tokens.
        - Numbers in digits lose the marks between thousands and zeros in front: 1,234 and 1 234 and 1'234 are 1234.
        """
        text = unicodedata.normalize("NFC", text).translate(TYPEWRITER)
        text = text.lower() if self.small else text
        quotes, stops = ("".join(c for c in marks if c not in self.ids) for marks in (QUOTES, STOPS))
        text = " ".join(text.split()).lstrip(quotes + " ").rstrip(quotes + stops + " ")
        text = re.sub(r"(?<=\d)[ ,'](?=\d{3}(?!\d))", "", text)
        text = re.sub(r"(?<!\d)0+(?=\d)", "", text)
        return re.sub(r" ?,(?! ?\d) ?", ", ", re.sub(r" ?- ?", "-", text)).strip()

    def tokenize(self, text):
        """Raises InputError for an empty text, and for a piece that is not known (which, and what is like it)."""
        tokens = [self.known(piece) for piece in CUTS[self.cut](self.read(text))]
        self.expect_known(text, tokens)
        return tokens

    def known(self, piece):
        """The piece, or the same word behind something else: where only " hundred" is known, "-hundred" is read as that."""
        others = (before + bare(piece) for before in (" ", "-", ", ", "")) if bare(piece).isalpha() else ()
        return piece if piece in self.ids else next((other for other in others if other in self.ids), piece)

    def expect_known(self, text, tokens):
        if not tokens:
            raise InputError("An empty text: there is nothing to read.")
        for token in tokens:
            if token not in self.ids or token in SPECIAL:
                word = bare(token) if bare(token).isalpha() else token.strip() or token
                readable = map(bare, self.tokens) if self.followers is None else self.followers
                near = difflib.get_close_matches(word, readable, n=1, cutoff=0.7) if word.isalpha() else []
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise InputError(f"{word!r} in {shortened(text)} never occurred in training, so it cannot be read.{hint}")

    def strange(self, text):
        """What none of the sources of training had, a word or one word behind another: a sentence; "" if there is nothing."""
        pairs = [] if self.followers is None else [*self.neighbours(text)]
        for word, _ in pairs:
            if word not in self.followers:
                return f"{word!r} occurred in none of them"
        for word, behind in pairs:
            if behind not in self.followers[word]:
                if word and behind:
                    return f"in none of them {behind!r} followed {word!r}"
                return f"none of them ended with {word!r}" if word else f"none of them began with {behind!r}"
        return ""

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
        known = {} if self.followers is None else {"followers": self.followers}
        return {**super().to_dict(), "cut": self.cut, **known}

    @classmethod
    def from_dict(cls, facts):
        if facts["cut"] not in CUTS:
            raise unknown("cut", facts["cut"], CUTS)
        return cls(strings(facts["tokens"]), facts["cut"], facts.get("followers"))


def bare(piece):
    """A piece without what stands before it."""
    return piece.strip(BETWEEN)
