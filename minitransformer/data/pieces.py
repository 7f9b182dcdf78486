"""Texts cut into characters, or into words and the morphemes of German numbers."""

import difflib
import functools
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

from ..boundary import OneOf, Texts, checked
from ..errors import InputError, shortened
from .vocabulary import SPECIAL, Tokens, Vocabulary, grouped, strings

# a word or digit with what stands before it, or a sign
WORD = re.compile(r"[\s,-]*(?:\d{7,}|\d|[^\W\d]+)|\s*[^\w\s]|\s+")
UNITS = "ein zwei drei vier fünf sechs sieben acht neun"
TEENS = "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"
TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"
# without the letters that not every keyboard has
TYPED = "fuenf fuenfzehn fuenfzig zwoelf dreissig"
ENGLISH = (
    "one two three four five six seven eight nine twenty thirty forty fifty sixty seventy eighty "
    "ninety"
)
MORPHEMES = f"null eins {UNITS} {TEENS} {TENS} {TYPED} und hundert tausend {ENGLISH}".split()
# the longest that fits: "siebzehn" is one
MORPHEME = re.compile("|".join(sorted(MORPHEMES, key=len, reverse=True)))
Followers = dict[str, list[str]]  # what came after a word, or after two
BETWEEN = " ,-"  # what may stand before a word,
JOINTS = (" ", "-", ", ", "")  # and how: the usual ones first
QUOTES = "\"'“”„‟«»‹›‘’‚()[]"
STOPS = ".!?;:…,"
HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"  # hyphens, dashes and minus signs
# soft hyphen, zero-width spaces and joiners, byte order mark
INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
TYPEWRITER = str.maketrans(
    {**dict.fromkeys(HYPHENS, "-"), **dict.fromkeys(INVISIBLE, ""), "’": "'"}
)


def characters(text):
    """"owl" → o w l."""
    return list(text)


def morphemes(text):
    """Words, and German numbers in their parts: "seventy-nine" → "seventy" "-nine",
    "neunundsiebzig" → "neun" "und" "siebzig".

    What stands before a word stays with it, so that the pieces, one after the other, are the text
    again.
    """
    return [piece for word in WORD.findall(text) for piece in parts(word)]


@functools.lru_cache(maxsize=2**16)
def parts(word):
    """The morphemes of a German number or of "seventynine", what stands before it with the first;
    or the word itself."""
    # every word matches
    before, bare = re.fullmatch(r"(\W*)(.*)", word).groups()  # type: ignore[union-attr]
    found = MORPHEME.findall(bare)
    return (before + found[0], *found[1:]) if found and "".join(found) == bare else (word,)


CUTS = {"characters": characters, "morphemes": morphemes}
Cut = Annotated[str, OneOf("cut", CUTS)]


class Pieces(Vocabulary):
    """A vocabulary of pieces that make the text again when they are set side by side; `cut` names
    how it is cut.

    Differences without a meaning are removed first (`read`). It may know, from the sources of
    training ("" stands for both ends of a text):

    - `followers` {word: pieces}: what followed each word, with the joint between the two ("-one", "
      one"). Old files have bare words there; then any joint is accepted;
    - `thirds` {"one hundred": words}: what followed two words in a row;
    - `once`: the words that occurred at most once in each text.

    `reads` is a sentence that says what can be read, for the messages. `form` is a regular
    expression of the letters and digits of all texts that make sense, without other signs; None if
    every text does.
    """

    kind = "pieces"

    reads = ""
    form: re.Pattern | None = None
    spaces = True

    @checked
    def __init__(
        self, tokens: Tokens, cut: Cut, followers: "Followers | None" = None,
        thirds: "Followers | None" = None, once: "Iterable[str]" = (),
    ):
        super().__init__(tokens)
        self.cut = cut
        self.quotes, self.stops = (
            "".join(c for c in marks if c not in self.ids) for marks in (QUOTES, STOPS)
        )
        self.small = all(token == token.lower() for token in tokens)
        self.followers, self.thirds, self.once = followers, thirds, once
        behind = {piece for pieces in (followers or {}).values() for piece in pieces}
        self.joints_known = any(piece != word_of(piece) for piece in behind)

    @classmethod
    @checked
    def of(cls, texts: Texts, cut: Cut, sources: Texts = ()) -> "Pieces":
        """The pieces that occur in these texts and sources, in alphabetical order, and which pieces
        follow which in the sources."""
        cut_once = functools.cache(CUTS[cut])
        vocabulary = cls(
            sorted({piece for text in (*texts, *sources) for piece in cut_once(text)}), cut
        )
        if sources:
            pieces = [cut_once(vocabulary.read(text)) for text in sources]
            followers, thirds, twice = {}, {}, set()
            for before, piece in {
                pair for found in pieces for pair in zip(["", *found], [*found, ""])
            }:
                followers.setdefault(word_of(before), set()).add(piece)
            for words in {tuple(map(word_of, found)) for found in pieces}:
                for first, second, third in triples(words):
                    thirds.setdefault(f"{first} {second}", set()).add(third)
                twice.update(word for word, count in Counter(words).items() if count > 1)
            followers, thirds = (
                {key: sorted(found[key]) for key in sorted(found)} for found in (followers, thirds)
            )
            vocabulary = cls(
                vocabulary.tokens[len(SPECIAL) :], cut, followers, thirds,
                sorted({*followers} - twice - {""}),
            )
        return vocabulary

    def read(self, text: str) -> str:
        """The text without differences that have no meaning.

        - Any hyphen becomes -, any white space one space; invisible characters are removed. There
          is no space before a comma or beside a hyphen, and one after a comma.
        - Capitals become small letters, if the vocabulary has no capitals.
        - Quotes and brackets around the text, and full stops after it, are removed, if they are no
          tokens.
        - Numbers in digits lose the marks between thousands and leading zeros: 1,234 and 1 234 and
          1'234 are 1234.
        """
        text = unicodedata.normalize("NFC", text).translate(TYPEWRITER)
        text = text.lower() if self.small else text
        text = (
            " ".join(text.split()).lstrip(self.quotes + " ").rstrip(self.quotes + self.stops + " ")
        )
        text = re.sub(r"(?<=\d)[ ,'](?=\d{3}(?!\d))", "", text)
        text = re.sub(r"(?<!\d)0+(?=\d)", "", text)
        return re.sub(r" ?,(?! ?\d) ?", ", ", re.sub(r" ?- ?", "-", text)).strip()

    def tokenize(self, text: str) -> list[str]:
        """Raises InputError for an empty text, and for an unknown piece (the message has the piece,
        and a similar one)."""
        tokens, before = [], ""
        for piece in CUTS[self.cut](self.read(text)):
            tokens.append(self.known(piece, before))
            before = word_of(piece)
        self.expect_known(text, tokens)
        return tokens

    def known(self, piece: str, before: str | None = None) -> str:
        """The piece, or the same word with another joint: if only " hundred" is known, "-hundred"
        is read as that.

        After the word `before`, the joint that these two words had in training is preferred: "one
        hundred-one" is read as "one hundred one". A hyphen at the beginning of a text is a minus,
        and stays.
        """
        if not bare(piece).isalpha() or (before == "" and piece.startswith("-")):
            return piece
        # joints are known only where followers are; and None is followed by nothing
        seen = self.followers.get(before, ()) if self.joints_known else ()  # type: ignore
        ways = [
            way for way in (piece, *(joint + bare(piece) for joint in JOINTS)) if way in self.ids
        ]
        return next((way for way in ways if way in seen), next(iter(ways), piece))

    def expect_known(self, text: str, tokens: list[str]) -> None:
        if not tokens:
            raise InputError("An empty text: there is nothing to read.")
        for token in tokens:
            if token not in self.ids or token in SPECIAL:
                is_word = bare(token).isalpha() and not (
                    token is tokens[0] and token.startswith("-")
                )  # not a minus in front
                word = (
                    typed(bare(token), text)
                    if is_word
                    else number_with(token.strip(), text) or token
                )
                readable = map(bare, self.tokens) if self.followers is None else self.followers
                near = (
                    difflib.get_close_matches(bare(token), readable, n=1, cutoff=0.7)
                    if is_word
                    else []
                )
                hint = f" Did you mean {near[0]!r}?" if near else f" {self.reads}".rstrip()
                where = shortened(word)
                if word != text.strip():
                    where += f" in {shortened(text)}"
                raise InputError(f"{where} never occurred in training, so it cannot be read.{hint}")

    def strange(self, text: str) -> str:
        """A sentence about something in the text that no source of training had; "" if there is
        nothing.

        A new word, a new sequence of two or three words, a word that occurs twice for the first
        time,
        or a text that is no number.
        """
        if self.followers is None:
            return ""
        pieces = self.tokenize(text)
        words = [*map(word_of, pieces)]
        for word in words:
            if word not in self.followers:
                return f"{shortened(word)} occurred in none of them"
        for word, behind in zip(["", *words], [*(pieces if self.joints_known else words), ""]):
            if behind not in self.followers.get(word, ()):
                if word and behind:
                    follower = shortened(word_of(behind))
                    return f"in none of them {follower} followed {shortened(word)}"
                if word:
                    return f"none of them ended with {shortened(word)}"
                return f"none of them began with {shortened(behind.strip())}"
        if long := re.search(r"\d{4,}(?=[^\d])", self.read(text)):         # 1500 thousand
            return (
                "in none of them a word followed a number of more than three digits, such as "
                f"{shortened(long[0])}"
            )
        for word in self.once:
            if words.count(word) > 1:
                return f"none of them had {shortened(word)} more than once"
        for first, second, third in triples(words) if self.thirds is not None else ():
            if third not in self.thirds.get(f"{first} {second}", ()):  # type: ignore[union-attr]
                what = f"{shortened(third)} followed" if third else "the end followed"
                return f"in none of them {what} {shortened(f'{first} {second}'.strip())}"
        if self.form and not self.form.fullmatch(re.sub(r"\W", "", "".join(words))):
            return "it is no number as they write one"
        return ""

    def join(self, tokens: Iterable[str]) -> str:
        return "".join(tokens).strip()

    def words(self, tokens: Iterable[str]) -> list[list[str]]:
        """The tokens in groups: a word, or a part of a German number, each."""
        ends = {*itertools.accumulate(map(len, morphemes("".join(tokens))))}
        return grouped(tokens, ends)

    def to_dict(self) -> dict[str, Any]:
        known = {"followers": self.followers, "thirds": self.thirds, "once": self.once}
        return {
            **super().to_dict(), "cut": self.cut,
            **{name: value for name, value in known.items() if value},
        }

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> "Pieces":
        return cls(
            strings(facts["tokens"]), facts["cut"], facts.get("followers"), facts.get("thirds"),
            facts.get("once", ()),
        )


def bare(piece):
    """A piece without what stands before it."""
    return piece.strip(BETWEEN)


def word_of(piece):
    """A piece without what stands before it; a piece that is nothing else, itself."""
    return bare(piece) or piece


def triples(words):
    """Every three words in a row, "" at both ends: (first, second, third). Here fuenf is fünf, and
    dreissig dreißig."""
    ends = [
        "", *(word.replace("ue", "ü").replace("oe", "ö").replace("ss", "ß") for word in words), "",
    ]
    return zip(ends, ends[1:], ends[2:])


def typed(word, text):
    """A word that was read, with the capitals that it has in the text."""
    found = re.search(re.escape(word), text, re.IGNORECASE)
    return found.group() if found else word


def number_with(sign, text):
    """The whole number in digits, as it was typed, that a sign or digit is part of: "-79" of "-7";
    or the sign alone."""
    numbers = (number.strip(" ") for number in re.findall(r"[\W\d]*\d[\W\d]*", text))
    return next((number for number in numbers if sign in number.translate(TYPEWRITER)), sign)
