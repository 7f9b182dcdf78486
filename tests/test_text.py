"""How texts become tokens and tokens texts: symbols, pieces and subwords."""

import importlib
import json
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from common import accepted, refusal

import minitransformer
from minitransformer.data import BOS, EOS, PAD, UNK, Pieces, Subwords, Vocabulary, load_vocabulary
from minitransformer.data.pieces import (
    CUTS,
    MORPHEME,
    MORPHEMES,
    characters,
    morphemes,
    triples,
    word_of,
)
from minitransformer.data.spelling import spell
from minitransformer.data.vocabulary import padded
from minitransformer.errors import InputError
from minitransformer.runs.facts import vocabulary_of
from minitransformer.terminal.extras import EXTRAS, extra

SPECIAL = ["<pad>", "<bos>", "<eos>", "<unk>"]
NUMBERS = [
    "seventy-nine",
    "three hundred thousand, two hundred and five",
    "neunundsiebzig",
    "siebzehntausendeinhundertsechsundsechzig",
    "vingt et un mille soixante-dix-neuf",
]
SENTENCES = [
    "A man walks, and the women are running.",
    "The man and the woman are walking to the old mill!",
    "Ein Mann läuft: die Frauen spielen (und lachen) im Schnee.",
    "the man, the woman, the man, the mill < 3 > 2",
]


def pieces(cut):
    return Pieces.of(NUMBERS, cut)


@pytest.fixture(scope="module")
def subwords():
    pytest.importorskip("tokenizers")
    return Subwords.learn(SENTENCES, 90)


@pytest.fixture(scope="module")
def spellings():
    """Everything that is said below a thousand, before "thousand" and behind it, and some whole
    numbers."""
    pytest.importorskip("num2words")
    rng = random.Random(0)
    numbers = [
        *range(1000), *(1000 * n for n in range(1000)),
        *(rng.randrange(1_000_000) for _ in range(200)),
    ]
    return [spell(n, language) for n in numbers for language in ("en", "de", "fr")]


# -- symbols ---------------------------------------------------------------------------------------


def test_the_text_of_ids_ends_at_the_first_eos_and_has_spaces_between_tokens():
    vocabulary = Vocabulary(["a", "b", "12"])
    assert vocabulary.text([BOS, 6, 4, EOS, 5]) == "12 a"
    assert vocabulary.text([4, 5, PAD, PAD]) == "a b" and vocabulary.text([EOS]) == ""
    assert vocabulary.text(vocabulary.encode("b a 12")) == "b a 12"


def test_many_texts_are_padded_behind_to_the_longest():
    ids = Vocabulary(["a", "b"]).encode_all(["a", "b a b", "bb"])
    assert ids.tolist() == [[4, 0, 0], [5, 4, 5], [5, 5, 0]] and ids.dtype == np.int64
    assert padded([[7], [8, 9]]).tolist() == [[7, 0], [8, 9]]


def test_every_symbol_is_a_word():
    assert Vocabulary(["a", "b"]).words(["b", "a", "<pad>"]) == [["b"], ["a"], ["<pad>"]]


def test_what_a_checkpoint_keeps_of_symbols_are_the_tokens_but_the_special_ones():
    assert Vocabulary(["a", "12"]).to_dict() == {"kind": "symbols", "tokens": ["a", "12"]}


# -- cutting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, cut",
    [
        ("neunundsiebzig", "neun und siebzig"),
        ("siebzehn", "siebzehn"),
        ("eins", "eins"),
        ("hunderteins", "hundert eins"),
        ("einhundertsechzehntausend", "ein hundert sechzehn tausend"),
        ("dreißigtausendzwölf", "dreißig tausend zwölf"),
    ],
)
def test_german_numbers_are_cut_into_their_morphemes(text, cut):
    assert morphemes(text) == cut.split()


@pytest.mark.parametrize(
    "text, cut",
    [
        ("seventy-nine", ["seventy", "-nine"]),
        (
            "two thousand, three hundred and one",
            ["two", " thousand", ", three", " hundred", " and", " one"],
        ),
        ("soixante-dix-neuf mille", ["soixante", "-dix", "-neuf", " mille"]),
        ("vingt et un", ["vingt", " et", " un"]),
        ("one! two", ["one", "!", " two"]),
        ("undo", ["undo"]),
        ("seventynine thousand", ["seventy", "nine", " thousand"]),
        ("zwei und dreissig", ["zwei", " und", " dreissig"]),
        ("1234", ["1", "2", "3", "4"]),
        ("79 thousand", ["7", "9", " thousand"]),
        ("999999", list("999999")),
        ("1000000", ["1000000"]),
        ("3.5, 2b", ["3", ".", "5", ", 2", "b"]),
    ],
)
def test_other_words_keep_what_stands_before_them(text, cut):
    assert morphemes(text) == cut


def test_characters_are_every_character_the_spaces_too():
    assert characters("a-b c") == ["a", "-", "b", " ", "c"]


def test_every_morpheme_is_a_piece_of_its_own():
    assert all(morphemes(m) == [m] for m in MORPHEMES) and len(MORPHEMES) == len(set(MORPHEMES))


@pytest.mark.slow
@pytest.mark.parametrize("cut", CUTS)
def test_the_pieces_of_every_spelling_make_it_again(cut, spellings):
    vocabulary = Pieces.of(spellings, cut)
    for text in spellings:
        assert vocabulary.join(vocabulary.tokenize(text)) == text
        assert vocabulary.text(vocabulary.encode(text)) == text


def test_german_spellings_are_nothing_but_morphemes(spellings):
    assert all(set(morphemes(text)) <= set(MORPHEMES) for text in spellings[1::3])


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("text", ["einsieben", "zweieinsechzehn", "seventy_nine", "neun_"])
def test_no_part_of_a_text_is_dropped_in_silence(text, cut):
    assert "".join(CUTS[cut](text)) == text


# -- pieces ----------------------------------------------------------------------------------------


def test_pieces_are_numbered_in_the_order_of_the_alphabet_behind_the_special_ones():
    assert Pieces.of(["ba", "ca"], "characters").tokens == [*SPECIAL, "a", "b", "c"]
    assert Pieces.of(["one-two one", "-two"], "morphemes").tokens == [
        *SPECIAL, " one", "-two", "one",
    ]


@pytest.mark.parametrize("cut", CUTS)
def test_capital_letters_and_more_spaces_are_read_like_small_letters_and_one(cut):
    vocabulary = pieces(cut)
    assert vocabulary.tokenize("  Seventy-NINE \n") == vocabulary.tokenize("seventy-nine")
    assert vocabulary.tokenize("vingt  et\tun") == vocabulary.tokenize("vingt et un")


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(
    "typed, read",
    [
        ("seventy\u2011nine", "seventy-nine"),
        ("seventy\u2013nine", "seventy-nine"),
        ("seventy\u2212nine", "seventy-nine"),
        ("seventy - nine", "seventy-nine"),
        ("seventy\u00adnine", "seventynine"),
        ("\ufeffseventy\u200b", "seventy"),
        ("three\u00a0hundred\u202fthousand ,two", "three hundred thousand, two"),
        ("\u201cSeventy-nine.\u201d", "seventy-nine"),
        ("(seventy-nine)", "seventy-nine"),
        ("seventy-nine!?", "seventy-nine"),
        ("neu\u0308n", "ne\u00fcn"),
        ("1,234", "1234"),
        ("1 234", "1234"),
        ("1\u202f234", "1234"),
        ("1\u2019234", "1234"),
        ("999,999", "999999"),
        ("1,000,000", "1000000"),
        ("007", "7"),
        ("0", "0"),
        ("100", "100"),
        ("1,23", "1,23"),
        ("1,2345", "1,2345"),
        ("1.234", "1.234"),
        ("1, 234", "1, 234"),
        ("0.5", "0.5"),
        (".5", ".5"),
        ("-5", "-5"),
        ("\u22125", "-5"),
        ("5\u00b2", "5\u00b2"),
    ],
)
def test_what_changes_the_letters_but_not_what_is_said_is_made_one(cut, typed, read):
    assert pieces(cut).read(typed) == read
    assert pieces(cut).read(read) == read


def test_a_mark_that_is_a_token_stays():
    vocabulary = Pieces.of(["what can owls do?", '"a"'], "characters")
    assert vocabulary.read(" What can owls do?! ") == "what can owls do?"
    assert vocabulary.read('"a" (a).') == '"a" (a' and vocabulary.read("a, a.") == "a, a"


@pytest.mark.parametrize("before", ["", " ", "-", ", "])
def test_a_word_is_known_whatever_stands_before_it(before):
    vocabulary = Pieces.of(["one hundred and-five"], "morphemes")
    for word, token in (("hundred", " hundred"), ("one", "one"), ("five", "-five")):
        assert vocabulary.known(before + word) == token
    assert vocabulary.known(before + "six") == before + "six"


def test_a_minus_before_digits_is_no_hyphen():
    assert Pieces.of(["5"], "morphemes").known("-5") == "-5"


def test_only_words_of_the_sources_are_suggested():
    vocabulary = Pieces.of(["elf", "zwoelf"], "morphemes", ["twelve", "zero"])
    assert "Did you mean" not in refusal(
        vocabulary.tokenize, "hello"
    ) and "Did you mean" not in refusal(vocabulary.tokenize, "zwolf")
    assert refusal(vocabulary.tokenize, "twelf").endswith("Did you mean 'twelve'?")


def test_which_words_follow_each_in_the_sources_is_known_and_kept():
    vocabulary = Pieces.of(["neun"], "morphemes", ["five hundred and-one", "five"])
    assert vocabulary.followers == {
        "": ["five"], "five": ["", " hundred"], "hundred": [" and"], "and": ["-one"], "one": [""],
    }
    again = load_vocabulary(json.loads(json.dumps(vocabulary.to_dict())))
    assert again.to_dict() == vocabulary.to_dict() and again.tokens == vocabulary.tokens
    assert vocabulary.strange(
        "five hundred-and, one"
    ) == "" and "'five' followed 'and'" in vocabulary.strange("five hundred and five")
    assert (
        Pieces.of(["neun"], "morphemes").followers is None
        and "followers" not in Pieces.of(["neun"], "morphemes").to_dict()
    )


def test_a_joint_that_never_stood_between_two_words_is_read_as_one_that_did():
    """One that did stays; an old file, which knows no joints, reads on as it did."""
    sources = ["twenty-one", "twenty one", "hundred one", "hundred, two", "one"]
    vocabulary = Pieces.of(["neun"], "morphemes", sources)
    for text, tokens in {
        "hundred-one": ["hundred", " one"],
        "hundred two": ["hundred", ", two"],
        "twenty one": ["twenty", " one"],
        "twenty, one": ["twenty", " one"],
        "twenty-one": ["twenty", "-one"],
    }.items():
        assert vocabulary.tokenize(text) == tokens and vocabulary.strange(text) == ""
    old = Pieces(
        vocabulary.tokens[4:],
        "morphemes",
        {
            word: sorted({piece.strip(" ,-") for piece in behind})
            for word, behind in vocabulary.followers.items()
        },
    )
    assert old.tokenize("hundred-one") == ["hundred", "-one"] and old.strange("hundred-one") == ""
    assert "'two' followed 'twenty'" in old.strange("twenty two")


def test_a_hyphen_that_begins_a_text_is_a_minus():
    vocabulary = Pieces.of(["neun"], "morphemes", ["twenty-one", "one"])
    assert (
        vocabulary.tokenize("-one") == ["-one"]
        and vocabulary.strange("-one") == "none of them began with '-one'"
    )


def test_what_no_source_had_three_in_a_row_or_twice_is_strange_and_kept():
    sources = [
        "one thousand two hundred", "three thousand", "two hundred three", "two hundred",
        "one hundred one",
    ]
    vocabulary = Pieces.of(["neun"], "morphemes", sources)
    again = load_vocabulary(json.loads(json.dumps(vocabulary.to_dict())))
    for known in (vocabulary, again):
        assert all(known.strange(text) == "" for text in sources)
        assert (
            known.strange("one thousand two hundred three thousand")
            == "none of them had 'thousand' more than once"
        )
        assert (
            known.strange("one hundred three") == "in none of them 'three' followed 'one hundred'"
        )
        assert (
            known.strange("three thousand two hundred one")
            == "in none of them 'two' followed 'three thousand'"
        )
        assert known.strange("one hundred") == "in none of them the end followed 'one hundred'"
    assert Pieces.of(["neun"], "morphemes", ["neun fuenf acht"]).strange("neun fuenf acht") == ""


@pytest.mark.parametrize(
    "text, shown",
    [
        ("1 2 3", "'1 2 3'"),
        ("-79", "'-79'"),
        ("\u221279", "'\u221279'"),
        ("12,34", "'12,34'"),
        ("3.5", "'3.5'"),
        ("five -79 one", "'-79' in 'five -79 one'"),
        ("Xylo five", "'Xylo' in 'Xylo five'"),
        ("#", "'#'"),
    ],
)
def test_what_cannot_be_read_is_shown_as_it_was_typed(text, shown):
    vocabulary = Pieces.of(["neun", "five one"], "morphemes", ["1", "five one"])
    vocabulary.reads = "It reads this."
    assert (
        refusal(vocabulary.tokenize, text)
        == f"{shown} never occurred in training, so it cannot be read. It reads this."
    )


def test_every_run_of_white_space_is_one_space():
    assert Pieces.of(["a b\t"], "characters").tokenize("\ta \t b ") == ["a", " ", "b"]


def test_capital_letters_count_where_the_vocabulary_has_one():
    vocabulary = Pieces.of(["Owl", "owl"], "characters")
    assert vocabulary.tokenize("Owl") == ["O", "w", "l"]
    assert "'W'" in refusal(vocabulary.tokenize, "oWl")


def test_a_word_that_never_occurred_is_refused_by_name_with_the_nearest_one():
    message = refusal(pieces("morphemes").tokenize, "seventy-nines")
    assert message.startswith("'nines' in 'seventy-nines' never occurred in training")
    assert message.endswith("Did you mean 'nine'?")


def test_the_hint_is_the_bare_word_and_is_left_out_where_nothing_is_like_it():
    assert refusal(pieces("morphemes").tokenize, "seventy hundrad").endswith(
        "Did you mean 'hundred'?"
    )
    assert refusal(pieces("morphemes").tokenize, "xylophone").endswith("cannot be read.")


def test_a_character_that_never_occurred_is_refused_by_name():
    assert refusal(pieces("characters").tokenize, "ne#n").startswith("'#' in 'ne#n' never occurred")


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_an_empty_text_is_refused(cut, text):
    assert refusal(pieces(cut).encode, text) == "An empty text: there is nothing to read."


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", SPECIAL)
def test_the_name_of_a_special_token_is_no_piece(cut, name):
    assert "never occurred" in refusal(pieces(cut).encode, name)


def test_a_piece_that_is_called_like_a_special_token_is_not_read():
    assert "'<eos>'" in refusal(pieces("characters").expect_known, "<eos>", ["<eos>"])


@pytest.mark.parametrize("cut", CUTS)
def test_many_texts_come_as_their_ids_with_padding(cut):
    vocabulary = pieces(cut)
    ids = vocabulary.encode_all(NUMBERS)
    assert len(ids) == len(NUMBERS) and (ids != UNK).all()
    assert [vocabulary.text(row) for row in ids] == NUMBERS
    assert ids.shape[1] == max(len(vocabulary.encode(text)) for text in NUMBERS)


def test_characters_are_grouped_into_words_and_parts_of_german_numbers():
    vocabulary = Pieces.of(["seventy-nine thousand, one! neunundsiebzig"], "characters")
    grouped = [
        "".join(group)
        for group in vocabulary.words(list("seventy-nine thousand, one! neunundsiebzig"))
    ]
    assert grouped == ["seventy", "-nine", " thousand", ", one", "!", " neun", "und", "siebzig"]
    assert ["".join(group) for group in vocabulary.words(list("neunundsiebzig"))] == [
        "neun", "und", "siebzig",
    ]


def test_morphemes_are_groups_of_their_own():
    vocabulary = pieces("morphemes")
    for text in NUMBERS:
        tokens = vocabulary.tokenize(text)
        assert vocabulary.words(tokens) == [[token] for token in tokens]


def test_the_groups_of_a_spelling_are_its_tokens_and_none_is_empty(spellings):
    vocabulary = Pieces.of(spellings, "characters")
    for text in spellings[::7]:
        groups = vocabulary.words(vocabulary.tokenize(text))
        assert [token for group in groups for token in group] == list(text) and all(groups)
        assert ["".join(group) for group in groups] == morphemes(text)


def test_grouping_leaves_the_tokens_that_it_was_given():
    tokens = list("one two")
    pieces("characters").words(tokens)
    assert tokens == list("one two")


@pytest.mark.parametrize(
    "tokens",
    [
        [],
        list("a  b"),
        list(",, -a-"),
        list("neun "),
        list(" - "),
        list("  "),
        ["ein", "sechzehn"],
        ["<pad>"],
        ["<unk>", "neun", "<pad>", " one"],
    ],
    ids="|".join,
)
def test_the_groups_of_whatever_a_model_writes_are_its_tokens_and_none_is_empty(tokens):
    groups = pieces("characters").words(tokens)
    assert [token for group in groups for token in group] == tokens and all(groups)


# -- subwords --------------------------------------------------------------------------------------


def test_a_text_comes_back_from_subwords_in_small_letters_and_with_single_spaces(subwords):
    for text in [*SENTENCES, "  The\tOLD   man,lachen \n", "woman(s)", "walkman"]:
        assert subwords.text(subwords.encode(text)) == " ".join(text.lower().split())


def test_the_same_letter_written_with_one_or_two_characters_is_one_subword(subwords):
    assert subwords.tokenize("la\u0308uft") == subwords.tokenize("l\u00e4uft")


def test_subwords_are_learned_the_frequent_ones_whole(subwords):
    assert len(subwords) == 90 and subwords.tokens[:4] == SPECIAL
    assert subwords.tokenize("the man") == ["▁the", "▁man"]
    assert subwords.join(subwords.tokenize("miw")) == "miw" and len(subwords.tokenize("miw")) > 2
    assert len(Subwords.learn(SENTENCES, 60)) == 60


def test_learning_again_gives_the_same_subwords(subwords):
    assert Subwords.learn(SENTENCES, 90).to_dict() == subwords.to_dict()


def test_no_subword_reaches_across_a_space_or_a_punctuation_mark():
    pytest.importorskip("tokenizers")
    learned = Subwords.learn(["one two, three-four"] * 50, 300).tokens
    assert {"▁one", "▁two", "▁three", "four"} <= set(learned)
    assert all(token in ",-" or not set(",-") & set(token) for token in learned)
    assert all("▁" not in token[1:] for token in learned)


def test_a_character_that_never_occurred_becomes_the_unknown_token(subwords):
    ids = subwords.encode("the ☃ man")
    assert (
        UNK in ids and subwords.tokens[UNK] == "<unk>" and subwords.decode(ids).count("<unk>") == 1
    )
    assert "☃" not in subwords.text(ids)


@pytest.mark.parametrize("name", SPECIAL)
def test_the_names_of_special_tokens_in_a_text_are_not_taken_for_them(subwords, name):
    for text in (f"the {name} man", f"the man{name}", f"{name[:2]}{name}{name[2:]} man"):
        assert not set(subwords.encode(text)) & {PAD, BOS, EOS}
    assert "".join(subwords.tokenize(f"the {name} man")).startswith("▁the▁")
    assert len(subwords.encode(f"the {name} man")) > len(subwords.encode("the man"))


def test_a_subword_text_without_a_character_is_refused_by_its_number(subwords):
    for text in ("", " \n"):
        assert (
            refusal(subwords.encode, text)
            == "An empty text (number 1 of 1): there is nothing to read."
        )
    assert "(number 3 of 4)" in refusal(subwords.encode_all, ["a", "the", " ", "man"])


def test_many_texts_come_as_the_subwords_of_each_with_padding(subwords):
    ids = subwords.encode_all(SENTENCES)
    assert ids.dtype == np.int64 and ids.shape[0] == len(SENTENCES)
    for row, text in zip(ids, SENTENCES):
        alone = subwords.encode(text)
        assert row[: len(alone)].tolist() == alone.tolist() and not row[len(alone) :].any()
        assert subwords.tokenize(text) == subwords.decode(row)


def test_subwords_of_one_word_are_one_group_and_punctuation_stands_apart(subwords):
    tokens = subwords.tokenize("The walkman, walks (and) lachen!")
    groups = subwords.words(tokens)
    assert [token for group in groups for token in group] == tokens
    written = ["".join(group).replace("▁", "") for group in groups]
    assert [w for w in written if w] == [
        "the", "walkman", ",", "walks", "(", "and", ")", "lachen", "!",
    ]
    assert max(map(len, groups)) > 1


def test_a_space_that_is_a_subword_by_itself_belongs_to_the_word_behind_it(subwords):
    assert subwords.words(["▁the", "▁", "m", "an", ",", "▁", "("]) == [
        ["▁the"], ["▁", "m", "an"], [","], ["▁", "("],
    ]


def test_without_the_library_the_answer_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    line = (
        "needs the package tokenizers, which is not installed. The extra [translate] installs what "
        "is missing here (tokenizers)."
    )
    assert line in refusal(Subwords.learn, SENTENCES, 100)
    facts = {"kind": "subwords", "tokenizer": "{}"}
    assert line in refusal(load_vocabulary, facts)


# -- kept in checkpoints ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["symbols", *CUTS, "subwords"])
def test_a_vocabulary_comes_back_from_a_checkpoint_with_equal_ids(kind, request):
    made = {
        "symbols": lambda: Vocabulary(list("onetw")),
        "subwords": lambda: request.getfixturevalue("subwords"),
    }
    vocabulary = made.get(kind, lambda: pieces(kind))()
    again = load_vocabulary(json.loads(json.dumps(vocabulary.to_dict())))
    assert type(again) is type(vocabulary) and again.tokens == vocabulary.tokens
    assert again.to_dict() == vocabulary.to_dict()
    text = {"symbols": "t w o", "subwords": "The walkman, ☃!"}.get(kind, "seventy-nine hundred")
    assert again.encode(text).tolist() == vocabulary.encode(text).tolist()


def test_an_unknown_kind_of_vocabulary_is_refused():
    message = refusal(load_vocabulary, {"kind": "subword", "tokens": []})
    assert message.startswith("There is no kind of vocabulary 'subword'. Did you mean 'subwords'?")


# -- packages that are not always there ------------------------------------------------------------


@pytest.mark.parametrize(
    "name, package", [(name, package) for name, packages in EXTRAS.items() for package in packages]
)
def test_a_missing_package_is_named_with_its_purpose_what_its_extra_lacks_and_how_to_install_it(
    monkeypatch, name, package
):
    there = next((other for other in EXTRAS[name] if other != package), None)
    gone = [other for other in EXTRAS[name] if other != there]
    for other in EXTRAS[name]:
        monkeypatch.setitem(sys.modules, other, importlib if other == there else None)
    assert refusal(extra, package, "Spelling numbers") == (
        f"Spelling numbers needs the package {package}, which is not installed. The extra [{name}] "
        "installs what is missing here "
        f'({", ".join(gone)}). Install it: python -m pip install "minitransformer[{name}]"'
    )


def test_every_package_that_is_asked_for_stands_in_an_extra():
    package = Path(minitransformer.__file__).parent
    asked = {
        name
        for file in package.rglob("*.py")
        for name in re.findall(r'\bextra\("(\w+)"', file.read_text(encoding="utf-8"))
    }
    assert asked == {name for packages in EXTRAS.values() for name in packages}


def test_a_package_that_is_there_is_returned():
    assert extra("json", "Nothing") is json and extra("importlib", "Nothing") is importlib


# -- texts and descriptions from elsewhere ---------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["\u200b", "\ufeff", "\ud800", "\udce9", "\u0301", "\x00", "a\udce9b", "\u202e", "😀"]
)
def test_no_character_is_too_odd_to_be_read_or_refused_in_a_sentence(text, subwords):
    try:
        assert UNK in subwords.encode(text) and len(subwords.encode(text)) == len(
            subwords.tokenize(text)
        )
    except TypeError as problem:
        pytest.fail(f"{problem!r} came through")
    for vocabulary in (Vocabulary(["a", "b"]), pieces("characters"), pieces("morphemes")):
        refusal(vocabulary.encode, text).encode("utf-8")  # the sentence can be printed


def test_both_halves_of_a_surrogate_pair_are_the_character_they_make(subwords):
    pair = "the \ud83d\ude00 man"
    assert subwords.encode(pair).tolist() == subwords.encode("the 😀 man").tolist()


def test_a_message_about_a_long_text_stays_a_sentence():
    message = refusal(Vocabulary([str(n) for n in range(500)]).encode, "5 " * 5000 + "x")
    assert (
        len(message) < 500
        and message.startswith("'x' (token 5001 of ")
        and message.endswith("39 …")
    )


def described(**changes):
    return {"kind": "pieces", "tokens": ["a", "b"], "cut": "characters", **changes}


@pytest.mark.parametrize("facts", [
    None, [], "pieces", {}, described(kind=[]), described(kind="word"), described(tokens=None),
    described(tokens="ab"), described(tokens=["a", 3]), described(tokens=["a", "a"]),
    described(tokens=["<pad>"]), described(cut="words"), described(cut=[]),
    {"kind": "pieces", "tokens": ["a"]}, {"kind": "symbols"},
    {"kind": "symbols", "tokens": [None]}, {"kind": "subwords"},
    {"kind": "subwords", "tokenizer": None}, {"kind": "subwords", "tokenizer": {}},
    {"kind": "subwords", "tokenizer": ""},
    {"kind": "subwords", "tokenizer": "{}"},
], ids=str)  # fmt: skip
def test_what_describes_no_vocabulary_is_refused_in_a_sentence(facts):
    pytest.importorskip("tokenizers")
    message = refusal(load_vocabulary, facts)
    assert "\n" not in message and len(message) < 300


KNOWN = {"kind": "pieces", "tokens": ["one", " two"], "cut": "morphemes",
         "followers": {"": ["one"], "one": [" two"], "two": [""]},
         "thirds": {" one": ["two"], "one two": [""]}, "once": ["one"]}  # fmt: skip


@pytest.mark.parametrize("name, wrong", [
    *((name, wrong) for name in ("followers", "thirds") for wrong in (
        [], "one", 7, None, {"one": "two"}, {"one": None}, {"one": [2]}, {"one": ["two", None]},
        {"one": [["two"]]})),
    *(("once", wrong) for wrong in ("one", 7, None, {"one": 1}, [1], ["one", None], [["one"]])),
])  # fmt: skip
def test_what_a_checkpoint_knows_of_the_sources_is_looked_at_before_it_is_taken(name, wrong):
    assert accepted(vocabulary_of, json.loads(json.dumps(KNOWN))).strange("one two") == ""
    kind = (
        "must be a list of words" if name == "once" else "must name for each word a list of words"
    )
    assert f"vocabulary.{name} {kind}" in refusal(vocabulary_of, {**KNOWN, name: wrong})


@pytest.mark.parametrize("cut", CUTS)
def test_a_vocabulary_is_what_its_texts_say_one_by_one(cut):
    texts = [
        *NUMBERS, "one  hundred - two", "two thousand two", "eins", "1 234 thousand", "dreißig",
        "ONE (hundred).",
    ]
    made = Pieces.of(["twelve", "zwölf"], cut, texts)
    plain = Pieces(
        sorted({piece for text in ["twelve", "zwölf", *texts] for piece in CUTS[cut](text)}), cut
    )
    assert made.tokens == plain.tokens
    followers, thirds, often = {}, {}, set()
    for text in texts:
        pieces = list(CUTS[cut](plain.read(text)))
        words = [word_of(piece) for piece in pieces]
        for word, piece in zip(["", *words], [*pieces, ""]):
            followers.setdefault(word, set()).add(piece)
        for first, second, third in triples(words):
            thirds.setdefault(f"{first} {second}", set()).add(third)
        often |= {word for word in words if words.count(word) > 1}
    assert made.followers == {word: sorted(found) for word, found in followers.items()} and [
        *made.followers
    ] == sorted(followers)
    assert made.thirds == {pair: sorted(found) for pair, found in thirds.items()}
    assert made.once == sorted({*followers} - {""} - often) and often & {"two", "o"}
    # here a stop is a token
    assert plain.read("one.") == "one." and Pieces(["one"], cut).read("one.") == "one"


def test_no_word_is_cut_again(monkeypatch):
    class Counting:
        def __init__(self):
            self.words = []

        def findall(self, word):
            self.words.append(word)
            return MORPHEME.findall(word)

    counting = Counting()
    monkeypatch.setattr("minitransformer.data.pieces.MORPHEME", counting)
    words = [spell(number, "de") + "x" for number in range(300)]  # cut by no other test
    texts = [f"{one} {two} {two}" for one, two in zip(words, words[1:] + words[:1])]
    Pieces.of(texts, "morphemes", texts)
    # with a space before it, and without
    assert {counting.words.count(word) for word in words} == {2}


def test_what_a_checkpoint_knows_may_be_little():
    for name in ("thirds", "once"):
        facts = {key: value for key, value in KNOWN.items() if key != name}
        assert accepted(vocabulary_of, facts).strange("one two") == ""
    vocabulary = accepted(vocabulary_of, {**KNOWN, "followers": {"one": [" two"], "two": []}})
    try:
        assert vocabulary.strange("one two") == "none of them began with 'one'"
    except KeyError:
        pytest.fail("nothing is known to begin a text")


def test_a_tokenizer_from_elsewhere_is_refused_in_a_sentence():
    library = pytest.importorskip("tokenizers")
    foreign = library.Tokenizer(
        library.models.WordLevel({"[PAD]": 0, "[UNK]": 1, "the": 2}, unk_token="[UNK]")
    )
    message = refusal(Subwords.from_dict, {"tokenizer": foreign.to_str()})
    assert "not ours: they do not begin with <pad> <bos> <eos> <unk>" in message
    gaps = library.Tokenizer(
        library.models.WordLevel(
            {**{name: i for i, name in enumerate(SPECIAL)}, "the": 5}, unk_token="<unk>"
        )
    )
    assert "gaps" in refusal(Subwords.from_dict, {"tokenizer": gaps.to_str()})


def test_a_damaged_tokenizer_is_refused_in_a_sentence_wherever_it_is_damaged(subwords):
    rng, whole = random.Random(0), subwords.to_dict()["tokenizer"]
    refused = 0
    for _ in range(200):
        text = list(whole)
        text[rng.randrange(len(text))] = rng.choice(['"', "{", "[", "0", "-", "null", "", ","])
        try:
            Subwords.from_dict({"tokenizer": "".join(text)}).encode("the man")
        except InputError as problem:
            refused += "cannot be read" in str(problem) or "not ours" in str(problem)
    assert refused > 150


def test_ctrl_c_while_subwords_are_read_is_no_damage(monkeypatch):
    library = pytest.importorskip("tokenizers")

    def interrupted(text):
        raise KeyboardInterrupt

    monkeypatch.setattr(
        library, "Tokenizer", type("Slow", (), {"from_str": staticmethod(interrupted)})
    )
    try:
        Subwords.from_dict({"tokenizer": "{}"})
    except BaseException as problem:
        assert isinstance(problem, KeyboardInterrupt)
    else:
        pytest.fail("it was not raised")
