"""The tasks whose sentences are numbers in words, stand in a list, or are those of Multi30k."""

import contextlib
import functools
import gzip
import hashlib
import http.client
import io
import itertools
import os
import random
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from common import VALUES, is_written_so, letters_of, nearly_numbers, refusal

from minitransformer.data import (
    PAD,
    TASKS,
    UNK,
    Pieces,
    Subwords,
    Vocabulary,
    load_vocabulary,
    make_task,
)
from minitransformer.data.corpus import Corpus
from minitransformer.data.download import VARIABLE, cache_folder
from minitransformer.data.multi30k import FILES, MULTI30K, PUBLISHED, SHA256
from minitransformer.data.numbers import NUMBERS, SPELLINGS
from minitransformer.data.pieces import CUTS
from minitransformer.data.spelling import NUMBER, every_way, regional, spell, written
from minitransformer.data.split import SPLITS

# -- numbers in words ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def num2words():
    return pytest.importorskip("num2words").num2words


EN = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen""".split()
DE = """null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn
fünfzehn sechzehn siebzehn achtzehn neunzehn""".split()
FR = """zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze
seize dix-sept dix-huit dix-neuf""".split()
EN_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
DE_TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()
FR_TENS = "vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt".split()


def numbers_task(name, cut="morphemes", spelling="varied"):
    """The task, which is made once: its vocabulary takes long."""
    return made_once(name, cut, spelling)


@functools.cache
def made_once(name, cut, spelling):
    return make_task(name, cut=cut, spelling=spelling)


def english(n):
    thousands, rest = divmod(n, 1000)
    if thousands:
        return (
            english(thousands)
            + " thousand"
            + ("" if not rest else f" and {english(rest)}" if rest < 100 else f", {english(rest)}")
        )
    if n >= 100:
        return EN[n // 100] + " hundred" + (f" and {english(n % 100)}" if n % 100 else "")
    return EN[n] if n < 20 else EN_TENS[n // 10 - 2] + (f"-{EN[n % 10]}" if n % 10 else "")


def german(n, end="s"):
    """`end` is the s of eins, which stands only where nothing follows."""
    thousands, rest = divmod(n, 1000)
    if thousands:
        return german(thousands, "") + "tausend" + (german(rest) if rest else "")
    if n >= 100:
        return DE[n // 100] + "hundert" + (german(n % 100, end) if n % 100 else "")
    if n < 20:
        return DE[n] + (end if n == 1 else "")
    return (DE[n % 10] + "und" if n % 10 else "") + DE_TENS[n // 10 - 2]


def french(n, plural="s"):
    """`plural` is the s of cents and quatre-vingts, which stands only where nothing follows."""
    thousands, rest = divmod(n, 1000)
    if thousands:
        return (
            (french(thousands, "") + " " if thousands > 1 else "")
            + "mille"
            + (f" {french(rest)}" if rest else "")
        )
    if n >= 100:
        hundreds = FR[n // 100] + " cent" if n >= 200 else "cent"
        return hundreds + (f" {french(n % 100, plural)}" if n % 100 else plural if n >= 200 else "")
    if n < 20:
        return FR[n]
    unit = n % 20 if n >= 60 else n % 10
    if unit == 0:
        return FR_TENS[n // 10 - 2] + (plural if n == 80 else "")
    return FR_TENS[n // 10 - 2] + (" et " if unit in (1, 11) and n < 80 else "-") + FR[unit]


# written from the grammars, without the library
SPELLERS = {"en": english, "de": german, "fr": french}


def texts(task, ids):
    return [task.vocabulary.text(row) for row in ids]


@pytest.mark.slow
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", NUMBERS)
def test_a_pair_is_the_same_number_in_both_languages(name, cut, num2words):
    task = numbers_task(name, cut=cut)
    numbers = task.draw(np.random.default_rng(3), 60)
    source, target = task.pairs(numbers)
    _, first, second = name.split("-")
    read = [task.vocabulary.read(written(n, first, way)) for n, way in numbers.tolist()]
    assert texts(task, source) == read and len({way for _, way in numbers.tolist()}) > 30
    assert texts(task, target) == [SPELLERS[second](n) for n in numbers[:, 0].tolist()]
    task = numbers_task(name, cut=cut, spelling="canonical")
    numbers = task.draw(np.random.default_rng(3), 60)
    assert not numbers[:, 1].any()
    assert texts(task, task.pairs(numbers)[0]) == [
        SPELLERS[first](n) for n in numbers[:, 0].tolist()
    ]


@pytest.mark.slow
def test_there_are_four_directions_and_each_says_what_its_name_says(num2words):
    said = {}
    for name in NUMBERS:
        task = numbers_task(name)
        source, target = task.pairs(np.array([[79, 0]]))
        said[name] = [*texts(task, source), *texts(task, target)]
    assert said == {
        "numbers-en-de": ["seventy-nine", "neunundsiebzig"],
        "numbers-de-en": ["neunundsiebzig", "seventy-nine"],
        "numbers-en-fr": ["seventy-nine", "soixante-dix-neuf"],
        "numbers-fr-en": ["soixante-dix-neuf", "seventy-nine"],
    }


def test_no_number_is_in_two_splits():
    class Unspelled(TASKS["numbers-en-de"]):
        def pairs(self, questions):
            return questions, questions

    values = {split: set() for split in SPLITS}
    for seed in range(3):
        for split, numbers in values.items():
            numbers |= set(
                Unspelled().sample(np.random.default_rng(seed), 20_000, split)[0][:, 0].tolist()
            )
    assert all(len(numbers) > 15_000 for numbers in values.values())
    assert (
        not values["train"] & (values["validation"] | values["test"])
        and not values["validation"] & values["test"]
    )


@pytest.mark.slow
def test_the_numbers_that_are_tested_are_never_trained_on_in_any_direction_or_cut(num2words):
    sets = []
    for name, cut in (("numbers-en-de", "morphemes"), ("numbers-fr-en", "characters")):
        task = numbers_task(name, cut=cut)
        english = 0 if name.startswith("numbers-en") else 1
        for split in SPLITS:
            sets.append(
                (
                    split,
                    set(texts(task, task.sample(np.random.default_rng(1), 200, split)[english])),
                )
            )
    assert all(not a & b for split, a in sets for other, b in sets if split != other)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_the_vocabularies_are_complete_and_no_sequence_is_too_long(language, num2words):
    rng = random.Random(8)
    spelled = [spell(rng.randrange(1_000_000), language) for _ in range(2000)]
    for cut in CUTS:
        tokens = [CUTS[cut](text) for text in spelled]
        for name in NUMBERS:
            if language in name.split("-"):
                task = numbers_task(name, cut=cut)
                assert set().union(*tokens) <= set(task.vocabulary.tokens)
                assert (
                    max(map(len, tokens))
                    <= task.longest[0 if name.startswith(f"numbers-{language}") else 1]
                )
                assert all(
                    len(task.vocabulary.encode(text)) == len(t)
                    for text, t in zip(spelled[:50], tokens)
                )


@pytest.mark.slow
@pytest.mark.parametrize("number, language", [(373_777, "en"), (777_777, "de"), (499_497, "fr")])
def test_the_longest_numbers_fit(number, language, num2words):
    task = numbers_task(
        f"numbers-{language}-{'de' if language == 'en' else 'en'}", cut="characters"
    )
    assert 60 < len(task.vocabulary.encode(spell(number, language))) <= task.longest[0]


def test_numbers_of_one_to_six_digits_are_drawn_equally_often_from_0_to_999999():
    numbers = make_task("numbers-en-de").draw(np.random.default_rng(0), 60_000)
    assert numbers.shape == (60_000, 2)
    digits = np.array([len(str(n)) for n in numbers[:, 0].tolist()])
    np.testing.assert_allclose(np.bincount(digits, minlength=7)[1:] / 60_000, 1 / 6, atol=0.01)
    assert set(range(100)) <= set(numbers[:, 0].tolist())
    assert numbers[:, 0].max() > 999_000 and numbers[:, 0].max() < 1_000_000


def test_the_counts_of_numbers_are_those_of_a_million():
    ((label, total, splits),) = make_task("numbers-en-de").counts()
    assert label == "0 to 999,999" and total == 1_000_000 == sum(splits.values())
    assert abs(splits["train"] - 800_000) < 2000 and abs(splits["test"] - 100_000) < 2000


@pytest.mark.slow
def test_the_same_seed_draws_the_same_numbers(num2words):
    task = numbers_task("numbers-de-en")
    first, again = (
        task.sample(np.random.default_rng(4), 50, "test", distinct=True) for _ in range(2)
    )
    assert (
        all((a == b).all() for a, b in zip(first, again)) and len(set(texts(task, first[0]))) == 50
    )


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_numbers_are_spelled_as_the_language_is_really_written(language, num2words):
    rng = random.Random(2)
    numbers = [
        *range(2000), *range(2000, 1_000_000, 1000),
        *(rng.randrange(1_000_000) for _ in range(1000)),
    ]
    assert [(n, spell(n, language)) for n in numbers] == [
        (n, SPELLERS[language](n)) for n in numbers
    ]


def test_german_says_hunderteintausend(num2words):
    assert (
        spell(101_000, "de") == "einhunderteintausend"
        and spell(201_001, "de") == "zweihunderteintausendeins"
    )
    assert spell(1000, "de") == "eintausend" and spell(6001, "de") == "sechstausendeins"


@pytest.mark.parametrize(
    "language, number, ways",
    [
        ("en", 79, "seventy-nine|seventy nine|seventynine|79"),
        (
            "en",
            105,
            (
                "one hundred and five|one hundred five|a hundred and five|hundred and five|one "
                "hundred, and five"
            ),
        ),
        (
            "en",
            1200,
            (
                "one thousand, two hundred|one thousand two hundred|a thousand and two "
                "hundred|twelve hundred|1 thousand two hundred"
            ),
        ),
        (
            "en",
            2500,
            (
                "twenty-five hundred|twenty five hundred|2 thousand, five hundred|two thousand "
                "five hundred"
            ),
        ),
        ("en", 2100, "two thousand, a hundred|two thousand one hundred"),
        ("en", 0, "zero|nought|0"),
        ("de", 79, "neunundsiebzig|neun und siebzig|79"),
        (
            "de",
            1235,
            (
                "tausendzweihundertfünfunddreißig|eintausend zweihundert "
                "fuenfunddreissig|zwölfhundertfünfunddreißig"
            ),
        ),
        (
            "de",
            201_001,
            (
                "zweihunderteintausendeins|zweihundertundeintausendundeins|zwei hundert ein "
                "tausend eins|201 tausendeins"
            ),
        ),
        ("fr", 21, "vingt et un|vingt-et-un|21"),
        ("fr", 80, "quatre-vingts|quatre-vingt|quatre vingts"),
        ("fr", 91, "quatre-vingt-onze|nonante et un|nonante-et-un|quatre vingt onze"),
        ("fr", 1200, "mille deux cents|mille deux cent|mille-deux-cents|douze cents"),
        ("fr", 0, "zéro|zero"),
    ],
)
def test_what_people_type_is_among_the_ways_that_are_trained_on(language, number, ways, num2words):
    assert set(ways.split("|")) <= set(every_way(number, language))


@pytest.mark.parametrize(
    "number, text",
    [
        (70, "septante"), (71, "septante et un"), (79, "septante-neuf"), (97, "nonante-sept"),
        (391_077, "trois cent nonante et un mille septante-sept"),
    ],
)
def test_french_is_also_read_as_in_belgium(number, text, num2words):
    assert text in every_way(number, "fr") and text == regional(spell(number, "fr"))


@pytest.mark.parametrize(
    "language, number, text",
    [
        ("en", 101_000, "hundred and a thousand"), ("en", 2000, "twenty hundred"),
        ("fr", 2100, "vingt et un cents"),
    ],
)
def test_what_would_be_another_number_or_nobody_says_is_no_way(language, number, text, num2words):
    assert text not in every_way(number, language)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_whatever_training_writes_has_the_form_of_a_number(language, num2words):
    rng = random.Random(0)
    few = [
        *range(1, 130), 200, 201, *range(990, 1130), 1999, 2000, 2100, 9900, 10_000, 71_071, 80_000,
        91_091, 100_000, 100_100, 101_000, 200_000, 999_999, 0,
    ]
    texts = [text for number in few for text in every_way(number, language)]
    texts += [
        written(rng.randrange(10 ** rng.randrange(1, 7)), language, rng.randrange(1, 2**31))
        for _ in range(5000)
    ]
    assert [text for text in texts if not NUMBER[language].fullmatch(letters_of(text))] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, text",
    [
        ("numbers-en-de", "twelve hundred five thousand"),
        ("numbers-de-en", "zwölfhundertfünftausend"), ("numbers-fr-en", "douze cent cinq mille"),
    ],
)
def test_a_task_whose_vocabulary_is_made_or_kept_knows_what_is_no_number(name, text, num2words):
    task = make_task(name)
    assert task.vocabulary.strange(text) == "it is no number as they write one"
    kept = load_vocabulary(task.vocabulary.to_dict())
    assert kept.strange(text) == ""  # alone, it knows words
    task.adopt(kept)
    assert kept.strange(text) == "it is no number as they write one"


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_whatever_has_the_form_of_a_number_is_written_so_in_training(language, num2words):
    known = [*VALUES[language], "1", "79", "1000"]
    short = [words for length in (1, 2) for words in itertools.product(known, repeat=length)]
    found = [
        words
        for words in (*short, *nearly_numbers(random.Random(1), language, 4000))
        if NUMBER[language].fullmatch("".join(words))
    ]
    wrong = [words for words in found if not is_written_so(words, language)]
    if language == "fr":  # these are numbers, though training has no such mixture
        wrong = [
            words
            for words in wrong
            if not {"septante", "nonante"} & {*words}
            and "vingts mille" not in (text := " ".join(words))
            and "cents mille" not in text
        ]
    digits = [
        words
        for words in wrong
        if any(one.isdigit() and two.isdigit() for one, two in zip(words, words[1:]))
    ]  # a number in two parts
    assert len(found) > 500 and [words for words in wrong if words not in digits] == []


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_no_text_is_a_way_of_writing_two_numbers(language, num2words):
    numbers = [
        *range(300), *range(1000, 1130), *range(2000, 100_000, 1000), *range(1100, 10_000, 100),
    ]
    seen = {}
    for number in dict.fromkeys(numbers):
        for text in every_way(number, language):
            assert seen.setdefault(text, number) == number


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_a_seed_draws_one_of_the_ways_and_all_are_drawn(language, num2words):
    for number in (79, 1200, 80):
        drawn = {written(number, language, way) for way in range(1, 3000)}
        assert drawn == set(every_way(number, language))
    assert written(1200, language, 0) == spell(1200, language) and written(
        71, language, 9
    ) == written(71, language, 9)


def test_of_four_sources_one_is_canonical():
    ways = make_task("numbers-en-de").draw(np.random.default_rng(0), 20_000)[:, 1]
    assert abs((ways == 0).mean() - 0.25) < 0.01 and len(np.unique(ways)) > 14_000


@pytest.mark.slow
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", NUMBERS)
def test_everything_that_is_trained_on_can_be_read_is_familiar_and_fits(name, cut, num2words):
    task = numbers_task(name, cut=cut)
    rng = np.random.default_rng(6)
    for number, way in task.draw(rng, 1500).tolist():
        text = written(number, task.source, way)
        assert len(task.vocabulary.encode(text)) <= task.longest_trained
        assert task.vocabulary.strange(text) == ""


@pytest.mark.slow
def test_every_task_knows_its_shortest_source():
    for name in ("copy", "reverse", "sort", "addition", "owl"):
        task = make_task(name)
        source = task.sample(np.random.default_rng(0), 5000)[0]
        assert (source != PAD).sum(axis=1).min() >= task.shortest_trained > 1
    assert (
        make_task("copy", min_length=2).shortest_trained == 2
        and make_task("addition").shortest_trained == 3
    )
    owl = make_task("owl")
    assert owl.shortest_trained == min(
        len(owl.vocabulary.encode(text)) for text in owl.sentences("train")[0]
    )


@pytest.mark.slow
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", NUMBERS)
def test_the_longest_source_is_reached(name, cut, num2words):
    """So that a remark on a text that is longer comes neither too early nor too late."""
    for spelling in SPELLINGS:
        task = numbers_task(name, cut=cut, spelling=spelling)
        ways = every_way if spelling == "varied" else lambda n, language: [spell(n, language)]
        found = [
            len(task.vocabulary.encode(text))
            for n in (373_373, 757_757, 497_497)
            for text in ways(n, task.source)
        ]
        assert max(found) == task.longest_trained


def test_what_a_run_from_before_wrote_is_read_and_drawn_as_before(num2words):
    old = Pieces.of(
        [spell(n, language) for n in (79, 101, 1105) for language in ("en", "de")], "morphemes"
    )
    task = make_task("numbers-en-de")
    task.adopt(load_vocabulary(old.to_dict()))
    numbers = task.draw(np.random.default_rng(5), 100)
    rng = np.random.default_rng(5)
    digits = rng.integers(1, 7, size=100)
    assert (
        numbers[:, 0].tolist()
        == rng.integers(np.where(digits == 1, 0, 10 ** (digits - 1)), 10**digits).tolist()
    )
    assert not numbers[:, 1].any() and old.strange("five five") == ""


def test_a_spelling_that_does_not_exist_is_refused():
    message = refusal(make_task, "numbers-en-de", spelling="varid")
    assert (
        message
        == "There is no spelling 'varid'. Did you mean 'varied'? There are: varied, canonical."
    )


def test_a_cut_that_does_not_exist_is_refused():
    message = refusal(make_task, "numbers-en-de", cut="morpheme")
    assert (
        message
        == "There is no cut 'morpheme'. Did you mean 'morphemes'? There are: characters, morphemes."
    )


def test_without_the_library_numbers_say_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "num2words", None)
    spell.cache_clear()
    message = refusal(lambda: make_task("numbers-en-de").vocabulary)
    assert message.startswith("Spelling numbers needs the package num2words")


# -- sentences in a list ---------------------------------------------------------------------------


class Letters(Corpus):
    """Row n of a split: the number n in digits, and the same in letters, a for 0; ten times as many
    to train on."""

    counted = {"train": 400, "validation": 40, "test": 30}

    def make_vocabulary(self):
        return Vocabulary(list("0123456789abcdefghij"))

    def sentences(self, split):
        numbers = [str(n) for n in range(self.counted[split])]
        return numbers, [n.translate(str.maketrans("0123456789", "abcdefghij")) for n in numbers]


def rows(task, source, target):
    """The numbers of the pairs; source and target must say the same one."""
    read = [int(text.replace(" ", "")) for text in texts(task, source)]
    letters = str.maketrans("abcdefghij", "0123456789")
    assert read == [int(text.replace(" ", "").translate(letters)) for text in texts(task, target)]
    return read


def test_a_pool_is_every_training_pair_once_in_a_new_order():
    task, rng = Letters(), np.random.default_rng(0)
    first, second = (
        rows(task, *(ids[:] for ids in task.pool(rng))) for _ in range(2)
    )
    assert sorted(first) == sorted(second) == list(range(400))
    assert first != second and first != sorted(first)


@pytest.mark.parametrize("split", SPLITS)
def test_distinct_samples_of_a_corpus_are_distinct_and_at_most_all(split):
    task = Letters()
    some = rows(task, *task.sample(np.random.default_rng(0), 20, split, distinct=True))
    every = rows(task, *task.sample(np.random.default_rng(0), 999, split, distinct=True))
    assert len(some) == len(set(some)) == 20 and some != sorted(some)
    assert sorted(every) == list(range(task.counted[split]))


def test_other_samples_of_a_corpus_are_as_many_as_asked_for_from_the_whole_split():
    task = Letters()
    drawn = rows(task, *task.sample(np.random.default_rng(0), 5000, "validation"))
    assert len(drawn) == 5000 and np.bincount(drawn, minlength=40).min() > 60
    assert max(rows(task, *task.sample(np.random.default_rng(0), 5000))) == 399


def test_the_order_of_a_corpus_is_kept_and_its_sentences_are_padded():
    source, target = Letters().encoded("validation")
    assert rows(Letters(), source, target) == list(range(40))
    assert source.shape == target.shape == (40, 2) and (source[:10, 1] == PAD).all()


def test_a_split_is_encoded_once():
    task = Letters()
    assert task.sequences("test")[0] is task.sequences("test")[0]


def test_a_corpus_that_adopts_a_vocabulary_reads_with_it():
    task = Letters()
    assert task.encoded("test")[0][1].tolist() == [5, PAD]
    task.adopt(Vocabulary(list("jihgfedcba9876543210")))
    assert task.encoded("test")[0][1].tolist() == [22, PAD]


def test_the_longest_of_a_corpus_are_those_of_all_splits():
    assert Letters().longest == (3, 3)
    task = Letters()
    task.counted = {"train": 5, "validation": 5, "test": 1001}
    assert task.longest == (4, 4)


def test_the_counts_of_a_corpus_are_its_sentences():
    assert Letters().counts() == [("sentences", 470, {"test": 30, "validation": 40, "train": 400})]


def test_a_split_that_a_corpus_does_not_have_is_refused():
    for ask in (
        Letters().encoded,
        lambda split: Letters().sample(np.random.default_rng(0), 3, split),
    ):
        assert refusal(ask, "valid").startswith(
            "There is no split 'valid'. Did you mean 'validation'?"
        )


# -- Multi30k, made up -----------------------------------------------------------------------------


def content(name):
    """A made-up file: three lines, the second with a character that is a line's end elsewhere."""
    return gzip.compress(
        "".join(f"{name} {n}{mark}x\n" for n, mark in enumerate(" \u2028\x85")).encode(), mtime=0
    )


@pytest.fixture
def published(monkeypatch):
    """The made-up files are those that were published."""
    for name in SHA256:
        monkeypatch.setitem(SHA256, name, hashlib.sha256(content(name)).hexdigest())


@pytest.fixture
def folder(tmp_path, monkeypatch, published):
    """The made-up files, in the folder that the variable names."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / "multi30k").mkdir()
    for name in SHA256:
        (tmp_path / "multi30k" / f"{name}.gz").write_bytes(content(name))
    return tmp_path / "multi30k"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and no folder named."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv(
        "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", str(tmp_path / "caches")
    )
    return tmp_path / "caches" / "minitransformer" / "multi30k"


@pytest.fixture
def network(monkeypatch):
    """What every address answers; `asked` lists them. An answer that is an error is raised."""

    class Network:
        def __init__(self):
            self.asked, self.answers = [], {}

        def urlopen(self, address, timeout):
            name = address.rsplit("/", 1)[1].removesuffix(".gz")
            self.asked.append(name)
            answer = self.answers.get(name, content(name))
            if isinstance(answer, Exception):
                raise answer
            return contextlib.closing(answer if hasattr(answer, "read") else io.BytesIO(answer))

    network = Network()
    monkeypatch.setattr(urllib.request, "urlopen", network.urlopen)
    return network


def sentence(message):
    """The message, which must be short and on one line."""
    assert "\n" not in message and len(message) < 400
    return message


def test_the_lines_of_both_languages_are_read_and_end_at_line_feeds_only(folder):
    for name in MULTI30K:
        task = make_task(name)
        for split, file in FILES.items():
            source, target = task.sentences(split)
            assert source == [
                f"{file}.{name[9:11]} {n}{mark}x" for n, mark in enumerate(" \u2028\x85")
            ]
            assert target == [
                f"{file}.{name[12:]} {n}{mark}x" for n, mark in enumerate(" \u2028\x85")
            ]


def test_an_altered_file_is_refused_by_name(folder):
    altered = folder / "val.de.gz"
    altered.write_bytes(gzip.compress(b"one\ntwo\nthree\n"))
    message = sentence(refusal(make_task("multi30k-en-de").sentences, "validation"))
    assert (
        message.startswith(f"{altered} is not the file that was published")
        and SHA256["val.de"][:12] in message
    )
    assert make_task("multi30k-en-de").sentences("train")


def test_a_file_that_was_cut_short_is_refused_by_name(folder):
    short = folder / "train.fr.gz"
    short.write_bytes(short.read_bytes()[:-5])
    assert str(short) in sentence(refusal(make_task("multi30k-fr-en").sentences, "train"))


def test_a_missing_file_is_refused_by_name_with_its_address(folder):
    missing = folder / "test_2016_flickr.de.gz"
    missing.unlink()
    message = sentence(refusal(make_task("multi30k-de-en").sentences, "test"))
    assert message.startswith(f"{missing} is missing.") and message.endswith(
        "raw/test_2016_flickr.de.gz"
    )


@pytest.mark.parametrize("lines", [b"1\n2\n", b"1\n2\n3\n4\n"])
def test_languages_that_are_not_as_long_are_refused_with_their_counts(folder, monkeypatch, lines):
    (folder / "val.de.gz").write_bytes(gzip.compress(lines))
    monkeypatch.setitem(
        SHA256, "val.de", hashlib.sha256((folder / "val.de.gz").read_bytes()).hexdigest()
    )
    message = sentence(refusal(make_task("multi30k-en-de").sentences, "validation"))
    assert (
        "languages of val do not belong together" in message
        and f"'en': 3, 'de': {lines.count(10)}" in message
    )


def test_a_folder_without_the_files_folder_is_refused_by_name(tmp_path, monkeypatch):
    for chosen in (tmp_path, tmp_path / "nowhere"):
        monkeypatch.setenv(VARIABLE, str(chosen))
        message = sentence(refusal(make_task("multi30k-en-de").sentences, "train"))
        assert message == f"{VARIABLE} is {chosen}, but there is no folder multi30k in it."


def test_a_named_folder_is_read_without_a_network_and_without_a_cache(
    folder, cache, network, monkeypatch
):
    monkeypatch.setenv(VARIABLE, str(folder.parent))
    assert PUBLISHED.find() == folder and not network.asked and not cache.exists()


@pytest.mark.parametrize("size", [299, 0, 50_001])
def test_a_vocabulary_of_no_use_is_refused_with_its_size(size):
    assert refusal(make_task, "multi30k-en-de", vocabulary_size=size).endswith(f"got {size}.")


def test_the_vocabulary_is_learned_from_the_training_sentences_of_both_languages_alone(folder):
    pytest.importorskip("tokenizers")
    vocabulary = make_task("multi30k-en-fr").vocabulary
    assert vocabulary.text(vocabulary.encode("train.en 2 train.fr 0")) == "train.en 2 train.fr 0"
    assert (
        UNK in vocabulary.encode("val")
        and UNK in vocabulary.encode("k")
        and UNK in vocabulary.encode("d")
    )


# -- the download ----------------------------------------------------------------------------------


def test_the_cache_is_where_the_system_keeps_its_own(cache, monkeypatch):
    assert cache_folder("It") / "multi30k" == cache
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder("It") == Path.home() / ".cache" / "minitransformer"


def test_what_is_downloaded_is_written_whole_read_back_and_not_fetched_again(
    cache, network, published, capsys
):
    source, target = make_task("multi30k-en-de").sentences("validation")
    assert source[0] == "val.en 0 x" and target[2] == "val.de 2\x85x"
    assert sorted(network.asked) == sorted(SHA256)
    assert {file.name: file.read_bytes() for file in cache.iterdir()} == {
        f"{n}.gz": content(n) for n in SHA256
    }
    assert "train.en.gz" in capsys.readouterr().err
    make_task("multi30k-fr-en").sentences("train")
    assert len(network.asked) == len(SHA256)


def test_a_file_that_is_there_is_not_fetched_and_one_that_is_gone_is(cache, network, published):
    PUBLISHED.find()
    (cache / "val.fr.gz").unlink()
    network.asked.clear()
    PUBLISHED.find()
    assert network.asked == ["val.fr"] and (cache / "val.fr.gz").read_bytes() == content("val.fr")


class Broken(io.BytesIO):
    """An answer that breaks off while it is read."""

    def __init__(self, problem):
        super().__init__()
        self.problem = problem

    def read(self, *_):
        raise self.problem


@pytest.mark.parametrize(
    "problem",
    [
        urllib.error.URLError("Name or service not known"),
        TimeoutError("timed out"),
        Broken(ConnectionResetError("reset by peer")),
        Broken(http.client.IncompleteRead(b"abc", 9)),
        http.client.BadStatusLine("?"),
    ],
    ids=["no network", "timeout", "reset", "broken off", "no HTTP"],
)
def test_a_download_that_fails_is_one_sentence_with_what_to_do_and_leaves_nothing(
    cache, network, published, problem
):
    network.answers["train.de"] = problem
    message = sentence(refusal(make_task("multi30k-en-de").sentences, "train"))
    assert message.startswith("train.de.gz of Multi30k could not be downloaded (")
    assert VARIABLE in message and "multi30k" in message
    assert [file.name for file in cache.iterdir()] == ["train.en.gz"]
    del network.answers["train.de"]
    assert make_task("multi30k-en-de").sentences("train")[1][0] == "train.de 0 x"


@pytest.mark.parametrize(
    "received", [content("train.en")[:-4], b"", content("val.en"), b"<html>Please log in</html>"]
)
def test_a_download_that_is_not_the_file_leaves_none_behind(cache, network, published, received):
    network.answers["train.en"] = received
    message = sentence(refusal(make_task("multi30k-en-de").sentences, "train"))
    assert "raw/train.en.gz is not the file that was published" in message
    assert not list(cache.iterdir())


def test_a_download_that_dies_while_it_is_written_leaves_no_file_that_is_taken_for_whole(
    cache, network, published, monkeypatch
):
    def dies(path, data):
        with open(path, "wb") as file:
            file.write(data[:10])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "write_bytes", dies)
        PUBLISHED.find()
    assert not list(cache.glob("*.gz"))
    assert (PUBLISHED.find() / "train.en.gz").read_bytes() == content("train.en")


# -- Multi30k itself -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    """Multi30k is there."""
    if not os.environ.get(VARIABLE):
        pytest.skip(f"{VARIABLE} names no folder with Multi30k")


@pytest.fixture(scope="module")
def learned(real):
    """The English-German task with its vocabulary."""
    pytest.importorskip("tokenizers")
    task = make_task("multi30k-en-de")
    assert task.vocabulary
    return task


@pytest.mark.parametrize("name", ["multi30k-en-de", "multi30k-fr-en"])
def test_multi30k_has_29000_and_1014_and_1000_sentences(name, real):
    splits = {"train": 29_000, "validation": 1014, "test": 1000}
    assert make_task(name).counts() == [
        ("sentences", 31_014, {split: splits[split] for split in SPLITS})
    ]


@pytest.mark.parametrize("name", ["multi30k-en-de", "multi30k-fr-en"])
@pytest.mark.parametrize("split", SPLITS)
def test_the_languages_of_multi30k_line_up(name, split, real):
    source, target = (
        np.array([len(text) for text in both]) for both in make_task(name).sentences(split)
    )
    assert np.corrcoef(source, target)[0, 1] > 0.8
    assert all(abs(np.corrcoef(source[by:], target[:-by])[0, 1]) < 0.5 for by in (1, 2))


def test_multi30k_begins_as_published(real):
    task = make_task("multi30k-en-de")
    (english, *_), (german, *_) = task.sentences("train")
    assert english == "Two young, White males are outside near many bushes."
    assert german == "Zwei junge weiße Männer sind im Freien in der Nähe vieler Büsche."
    assert task.sentences("test")[0][0] == "A man in an orange hat starring at something."


def test_the_joint_vocabulary_has_as_many_tokens_as_asked_for_of_both_languages(learned):
    tokens = learned.vocabulary.tokens
    assert type(learned.vocabulary) is Subwords and len(tokens) == len(set(tokens)) == 4000
    assert {"▁man", "▁the", "▁und", "▁mann", "▁ein"} <= set(tokens)


def test_the_same_sentences_teach_the_same_vocabulary(real):
    pytest.importorskip("tokenizers")
    source, target = make_task("multi30k-en-de").sentences("validation")
    first, again = (Subwords.learn([*source, *target], 500) for _ in range(2))
    assert first.tokens == again.tokens and len(first) == 500
    assert first.encode_all(target).tolist() == again.encode_all(target).tolist()


def test_validation_sentences_of_multi30k_come_back_in_small_letters(learned):
    for ids, sentences in zip(learned.encoded("validation"), learned.sentences("validation")):
        assert len(ids) == 1014 and (ids == UNK).mean() < 1e-3
        whole = [" ".join(text.lower().split()) for text in sentences]
        assert sum(a == b for a, b in zip(texts(learned, ids), whole)) > 1010


def test_the_tests_and_training_of_multi30k_share_next_to_nothing(real):
    task = make_task("multi30k-en-de")
    train, test = (set(zip(*task.sentences(split))) for split in ("train", "test"))
    assert len(train & test) <= 1
