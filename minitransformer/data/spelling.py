"""How numbers are written: one standard spelling for each number, and the ways in which people type
it."""

import functools
import itertools
import random
import re

from ..terminal.extras import extra

# {language: {a place in a spelling, as a regular expression: how people write it}}
PLACES: dict[str, dict[str, tuple[str, ...]]] = {
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
PATTERNS = {
    language: [(re.compile(place), ways) for place, ways in places.items()]
    for language, places in PLACES.items()
}


def either(words, *more):
    """The regular expression of any of these words, in a text or one by one."""
    return f"(?:{'|'.join([*words.split(), *more])})"


def numbers_in_english():
    """The regular expression of all that `every_way` writes, its letters and digits alone."""
    unit = either("one two three four five six seven eight nine")
    tens = either("twenty thirty forty fifty sixty seventy eighty ninety")
    teens = either("eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
    below_100 = either("ten", unit, teens, f"{tens}{unit}?")
    hundreds = f"hundred(?:(?:and)?{below_100})?"
    first = f"(?:(?:{unit}|a)?{hundreds}|{below_100})"
    rest = f"(?:and)?(?:(?:{unit}|a){hundreds}|{below_100})"
    return either(
        "zero nought", DIGITS, first, f"(?:{first}|a|{THOUSANDS})?thousand(?:{rest})?",
        f"(?:{teens}|{tens}{unit}){hundreds}",
    )


def numbers_in_german():
    """Likewise; "ein" stands before tausend, "eins" at the end."""
    unit = "zwei drei vier f(?:ü|ue)nf sechs sieben acht neun"
    tens = "zwan vier f(?:ü|ue)nf sech sieb acht neun"
    tens = either("drei(?:ß|ss)ig", f"{either(tens)}zig")
    teens = either("elf zw(?:ö|oe)lf", f"{either('drei vier f(?:ü|ue)nf sech sieb acht neun')}zehn")
    below_100 = either(unit, "zehn", teens, f"(?:{either(unit, 'ein')}und)?{tens}")
    hundred, last = f"{either(unit, 'ein')}hundert", f"(?:{below_100}|eins)"
    first = (
        f"(?:(?:{hundred}|hundert)(?:und)?(?:{below_100}|ein)?|{below_100}|ein|{THOUSANDS})?tausend"
    )
    ending = f"(?:(?:und)?{last})?"
    return either(
        "null", DIGITS, f"(?:{hundred}|hundert){ending}", last,
        f"{first}(?:(?:und)?(?:{hundred}{ending}|{last}))?", f"{teens}hundert{ending}",
    )


def numbers_in_french():
    """Likewise."""
    units = either("deux trois quatre cinq six sept huit neuf")
    teens = either("onze douze treize quatorze quinze seize", "dix(?:sept|huit|neuf)")
    unit, below_20 = f"(?:un|{units})", f"(?:dix|{teens})"
    tens = either("vingt trente quarante cinquante soixante septante nonante")
    below_100 = either(
        "quatrevingts?", unit, below_20, f"{tens}(?:etun|{units})?",
        f"soixante(?:etonze|(?!onze){below_20})", f"quatrevingt(?:{unit}|{below_20})",
    )
    below_1000 = f"(?:{units}cents?|{units}?cent{below_100}?|{below_100})"
    thousands = f"(?:(?!unmille){below_1000}|{THOUSANDS})?mille{below_1000}?"
    return either("z(?:é|e)ro", DIGITS, below_1000, thousands, f"{teens}(?:cents?|cent{below_100})")


DIGITS, THOUSANDS = r"\d{1,6}", r"[1-9]\d{0,2}"
NUMBER = {
    language: re.compile(form())
    for language, form in (
        ("en", numbers_in_english), ("de", numbers_in_german), ("fr", numbers_in_french),
    )
}


@functools.lru_cache(maxsize=2**18)
def spell(number, language):
    """The words of a number in "en", "de" or "fr", one spelling for each.

    By the `num2words` library, with one correction of its German: einhunderteintausend, not
    einhunderteinstausend.
    """
    words = extra("num2words", "Spelling numbers").num2words(number, lang=language)
    return words.replace("einstausend", "eintausend")


def forms(number, language):
    """The spelling of a number, and other ways to write it: other words, digits, or both."""
    spelled = spell(number, language)

    def as_of_two(unit):
        return spell(2 * unit + number % unit, language).removeprefix(spell(2, language))

    yield spelled
    if language == "fr":                                                 # septante, nonante
        yield regional(spelled)
    if number >= 1000:                                                   # 79 thousand and five
        yield str(number // 1000) + as_of_two(1000)
    # twelve hundred and five
    if 1100 <= number < (10_000 if language == "en" else 2000) and number // 100 % 10:
        yield spell(number // 100, language) + as_of_two(100)
    yield str(number)


def regional(text):
    """French as in Belgium and Switzerland: septante for soixante-dix, nonante for
    quatre-vingt-dix."""
    for tens, word in ((70, "septante"), (90, "nonante")):
        for unit in range(10):
            text = text.replace(
                spell(tens + unit, "fr"), word + spell(20 + unit, "fr").removeprefix("vingt")
            )
    return text


def rewrite(text, language, choose):
    """All texts that result from this one if each place is written in any of the ways that
    `choose(ways)` returns."""
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
    """A number as somebody types it. Way 0 is its spelling; any other number is the seed that draws
    a way."""
    if way == 0:
        return spell(number, language)
    rng = random.Random(way)
    spelled, *others = forms(number, language)
    form = spelled if rng.random() < 0.5 else rng.choice(others)
    return rewrite(form, language, lambda ways: [rng.choice(ways)])[0]
