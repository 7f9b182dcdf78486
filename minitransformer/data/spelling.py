"""How numbers are written: one spelling in words for each number, and the ways in which people type it."""

import functools
import itertools
import random
import re

from ..extras import extra

PLACES = {  # {language: {a place in a spelling, as a regular expression: how people write it}}
    "en": {
        r"^one (?=hundred|thousand)": ("one ", "a ", ""),
        r"(?<=, )one (?=hundred)": ("one ", "a "),
        r"^zero$": ("zero", "nought"),
        r", | and ": (", ", " and ", " ", ", and "),
        r"-": ("-", " ", ""),
    },
    "de": {
        r"^ein(?=hundert|tausend)": ("ein", ""),
        r"(?<=\w)(?=hundert|tausend)": ("", " "),
        r"(?<=hundert|tausend)(?=\w)": ("", " ", "und"),
        r"und(?!ert)": ("und", " und "),                                 # not that of hundert
        r"ß": ("ß", "ss"),
        r"ü": ("ü", "ue"),
        r"ö": ("ö", "oe"),
    },
    "fr": {r"[- ]": ("-", " "), r"é": ("é", "e"), r"(?<=cent|ingt)s$": ("s", "")},
}  # fmt: skip
PATTERNS = {language: [(re.compile(place), ways) for place, ways in places.items()] for language, places in PLACES.items()}


@functools.lru_cache(maxsize=2**18)
def spell(number, language):
    """The words of a number in "en", "de" or "fr", one spelling for each.

    The `num2words` library writes them, but for one fault in its German: einhunderteinstausend for einhunderteintausend.
    """
    words = extra("num2words", "Spelling numbers").num2words(number, lang=language)
    return words.replace("einstausend", "eintausend")


def forms(number, language):
    """The spelling of a number, and what people write that begins otherwise: other words, digits, or both."""
    spelled = spell(number, language)
    as_of_two = lambda unit: spell(2 * unit + number % unit, language).removeprefix(spell(2, language))  # noqa: E731
    yield spelled
    if language == "fr":                                                 # septante, nonante
        yield regional(spelled)
    if number >= 1000:                                                   # 79 thousand and five
        yield str(number // 1000) + as_of_two(1000)
    if 1100 <= number < (10_000 if language == "en" else 2000) and number // 100 % 10:  # twelve hundred and five
        yield spell(number // 100, language) + as_of_two(100)
    yield str(number)


def regional(text):
    """French as in Belgium and Switzerland: septante for soixante-dix, nonante for quatre-vingt-dix."""
    for tens, word in ((70, "septante"), (90, "nonante")):
        for unit in range(10):
            text = text.replace(spell(tens + unit, "fr"), word + spell(20 + unit, "fr").removeprefix("vingt"))
    return text


def rewrite(text, language, choose):
    """All texts that come of this one where at each place any of `choose(the ways to write it)` may stand."""
    texts = [text]
    for place, ways in PATTERNS[language]:
        found = []
        for first, *others in map(place.split, texts):
            slots = [[first], *(slot for part in others for slot in (choose(ways), [part]))]
            found += map("".join, itertools.product(*slots)) if others else [first]
        texts = found
    return texts


def every_way(number, language):
    """All ways of writing a number that `written` draws from."""
    return [text for form in forms(number, language) for text in rewrite(form, language, list)]


def written(number, language, way):
    """A number as somebody types it. Way 0 is its spelling; any other number is the seed that draws a way."""
    if way == 0:
        return spell(number, language)
    rng = random.Random(way)
    spelled, *others = forms(number, language)
    form = spelled if rng.random() < 0.5 else rng.choice(others)
    return rewrite(form, language, lambda ways: [rng.choice(ways)])[0]
