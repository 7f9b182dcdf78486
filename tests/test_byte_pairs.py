"""Byte pairs: learned, read and written as by hand, by the library, and by GPT-2's definition."""

import gzip
import json
import os
import random
import subprocess
import sys
import time
import tracemalloc
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from common import accepted, refusal

from minitransformer.data import EOS, PAD, BytePairEncoding, BytePairs, load_vocabulary
from minitransformer.data.byte_pairs import BYTES, KEPT, LONG, SIGNS, Known, learned_merges, pattern
from minitransformer.data.subwords import whole_characters
from minitransformer.runs.facts import vocabulary_of

SCRIPTS = {  # words, and the letters of a block
    "Latin": ("the quick brown fox don't we've I'll she'd they're naïve O'Brien", 0xC0, 0x24F),
    "Greek": ("Η γρήγορη καφέ αλεπού πηδάει πάνω από το τεμπέλικο σκυλί", 0x370, 0x3FF),
    "Cyrillic": ("Быстрая коричневая лисица перепрыгивает через ленивую собаку", 0x400, 0x4FF),
    "Hebrew": ("השועל החום המהיר קופץ מעל הכלב העצלן שָׁלוֹם", 0x5B0, 0x5EA),
    "Arabic": ("الثعلب البني السريع يقفز فوق الكلب الكسول مُحَمَّد ٤٢", 0x60C, 0x6D3),
    "Devanagari": ("तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है १२३", 0x901, 0x96F),
    "Tamil": ("விரைவான பழுப்பு நரி சோம்பேறி நாயின் மேல் குதிக்கிறது", 0xB82, 0xBF2),
    "Thai": ("สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจ ๑๒๓", 0xE01, 0xE5B),
    "Ethiopic": ("ፈጣኑ ቡናማ ቀበሮ ሰነፉን ውሻ ዘለለ ፩፪፫", 0x1200, 0x137C),
    "Kana": ("すばやい茶色のキツネはのろまな犬を飛び越える", 0x3041, 0x30FE),
    "Han": ("敏捷的棕色狐狸跳过了懒狗 一二三四五 〇 𠀀𠀁", 0x4E00, 0x9FA5),
    "Hangul": ("빠른 갈색 여우가 게으른 개를 뛰어넘는다", 0xAC00, 0xD7A3),
}  # fmt: skip
# white space of all kinds, and what is white space for Python alone, or for nobody
SPACES = [
    " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "\x0b", "\x0c", "\x1c", "\x1d", "\x1f",
    "\x85", "\xa0", "\u1680", "\u2003", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u200b",
    "\ufeff", "\u2060",
]  # fmt: skip
SIGNED = [
    "'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'", "''", "'r", "’s", ".", "...", "!?", "_",
    "a_b", "--", "€5", "👩\u200d👩\u200d👧\u200d👦", "👍🏽", "🇩🇪", "❤\ufe0f", "e\u0301", "\u0301",
    "a\u0308\u0323", "½", "Ⅻ", "²", "①", "𝟘", "٣", "๓", "১২", "〇", "12345", "3.14", "\x00", "\x7f",
    "\xad", "<|endoftext|>", "<pad>", "𝔘", "\U0001f468\u200d\U0001f4bb", "\ufffd",
]  # fmt: skip


def known_long_ago(character):
    """Whether every version of Unicode in use has this character, in the same class."""
    old = unicodedata.ucd_3_2_0.category(character)[0]
    return old == unicodedata.category(character)[0] != "C"


def text_of_all_scripts(size, seed=0):
    """So many bytes of text, or a few more: words and letters of twelve scripts, numbers, signs,
    spaces."""
    draw, parts, length = random.Random(seed), [], 0
    words = {script: words.split() for script, (words, *_) in SCRIPTS.items()}
    letters = {
        script: [c for c in map(chr, range(first, last + 1)) if known_long_ago(c)]
        for script, (_, first, last) in SCRIPTS.items()
    }
    while length < size:
        script = draw.choice([*SCRIPTS])
        for _ in range(draw.randrange(1, 12)):
            kind = draw.random()
            part = (
                draw.choice(words[script]) if kind < 0.6
                else "".join(draw.choices(letters[script], k=draw.randrange(1, 9))) if kind < 0.75
                else draw.choice(SIGNED)
            )  # fmt: skip
            part += " " if draw.random() < 0.7 else draw.choice(SPACES)
            parts.append(part)
            length += len(part.encode())
    return "".join(parts)


def library_learns(texts, size):
    """The library's tokenizer of bytes, learned from texts, with our special tokens."""
    library = pytest.importorskip("tokenizers")
    tokenizer = library.Tokenizer(library.models.BPE())
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = library.trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, special_tokens=["<pad>", "<bos>", "<eos>", "<unk>"],
        initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.encode_special_tokens = True  # as text
    return tokenizer


@pytest.fixture(scope="module")
def text():
    return text_of_all_scripts(60_000)


@pytest.fixture(scope="module")
def learned(text):
    return BytePairs.learn([text], 900)


# -- learned ---------------------------------------------------------------------------------------


def test_the_example_of_the_docstring_is_what_is_learned():
    words = Counter({"low": 1, "lower": 1, "lowest": 1})
    assert learned_merges(words, 259) == ["l o", "lo w", "low e"]
    assert learned_merges(words, 300) == ["l o", "lo w", "low e"]  # the others occur once


def counted_anew(words, most):
    """The merges by the definition: all pairs are counted before each."""
    order = [*BYTES]
    rows = {word: [SIGNS[b] for b in word.encode()] for word in words}
    merges = []
    while len(order) < most:
        counts = Counter()
        for word, row in rows.items():
            for pair in zip(row, row[1:]):
                counts[pair] += words[word]
        if not counts or max(counts.values()) < 2:
            break
        left, right = min(counts, key=lambda pair: (-counts[pair], *map(order.index, pair)))
        merges.append(f"{left} {right}")
        assert left + right not in order
        order.append(left + right)
        for word, row in rows.items():
            rows[word] = merged_everywhere(row, (left, right))
    return merges


def merged_everywhere(row, pair):
    """The pair written as one, from left to right."""
    result = []
    for name in row:
        if result and (result[-1], name) == pair and not result[-1].endswith("\0"):
            result[-1] += name + "\0"  # made now: not the left one of the next pair
        else:
            result.append(name)
    return [name.replace("\0", "") for name in result]


@pytest.mark.parametrize("seed", range(20))
def test_merges_are_those_of_counting_all_pairs_anew(seed):
    draw = random.Random(seed)
    words = Counter({
        "".join(draw.choices("aab", k=draw.randrange(1, 12))): draw.randrange(1, 4)
        for _ in range(draw.randrange(1, 12))
    })  # fmt: skip
    assert learned_merges(words, 270) == counted_anew(words, 270)


def test_of_equally_frequent_pairs_that_of_the_older_tokens_is_the_first():
    assert learned_merges(Counter({"zy": 2, "ba": 2, "bc": 2}), 300) == ["b a", "b c", "z y"]


def test_the_library_learns_the_same_tokens_in_the_same_order(text, learned):
    assert library_learns([text], 900).get_vocab() == learned.ids


def test_a_size_is_of_all_tokens_and_a_text_may_have_fewer(learned):
    assert len(learned) == 900 and len(BytePairs.learn(["abab"], 300)) == 261
    assert learned.tokens[:5] == ["<pad>", "<bos>", "<eos>", "<unk>", "!"]
    assert len(BytePairs.learn([], 260)) == len(BytePairs([])) == 260
    message = refusal(BytePairs.learn, ["abab"], 259)
    assert "at least 260 (the 4 special tokens and the 256 bytes), got 259" in message


def test_texts_that_are_yielded_one_by_one_are_not_kept():
    tracemalloc.start()
    learned = BytePairs.learn(("to be or not to be " * 100 for _ in range(100)), 264)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(learned) == 264 and peak < 150_000  # of 190,000 characters
    assert "texts[1] must be a text, got 3" in refusal(BytePairs.learn, iter(["ab", 3]), 300)


# -- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, words", [
    ("We've  gone, haven't we?", ["We", "'ve", " ", " gone", ",", " haven", "'t", " we", "?"]),
    ("IT'S 12a_b", ["IT", "'", "S", " 12", "a", "_", "b"]),
    (" \n\n x \t", [" \n\n", " x", " \t"]),
    ("a\x1cb\x85c\xa0d", ["a", "\x1c", "b", "\x85", "c", "\xa0", "d"]),
    ("e\u0301 三3½ ٣", ["e", "\u0301", " 三", "3½", " ٣"]),
    ("", []),
])  # fmt: skip
def test_words_are_cut_as_gpt2_cuts_them(text, words):
    assert pattern().findall(text) == words


def test_every_character_is_of_the_class_that_unicode_says():
    cut = pattern().findall
    white = {
        *range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F,
        0x205F, 0x3000,
    }  # fmt: skip
    members = {"L": [" a"], "N": [" 1"], "others": [" !"]}
    for code in {*range(sys.maxunicode + 1)} - white:
        kind = unicodedata.category(chr(code))[0]
        members[kind if kind in members else "others"].append(chr(code))
    for characters in members.values():
        assert cut("".join(characters)) == ["".join(characters)] and len(characters) > 1000
    for code in white:
        assert len(cut(f"a{chr(code)}\n!")) == 4


def test_no_class_of_characters_is_made_before_it_is_needed():
    code = (
        "import sys, minitransformer.data.byte_pairs as b;"
        "assert b.pattern.cache_info().currsize == 0;"
        "b.BytePairs(['t h']); assert b.pattern.cache_info().currsize == 0;"
        "assert 'tokenizers' not in sys.modules and 'regex' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# -- read and written ------------------------------------------------------------------------------


def test_ids_are_those_of_the_library(text, learned):
    tokenizer = library_learns([text], 900)
    for other in (text, text_of_all_scripts(60_000, seed=1)):
        ids = learned.encode(other)
        assert ids.dtype == np.int64 and ids.tolist() == tokenizer.encode(other).ids
        assert learned.text(ids) == other == tokenizer_text(tokenizer, ids)


def tokenizer_text(tokenizer, ids):
    import tokenizers

    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    return tokenizer.decode(ids.tolist())


def test_the_pair_that_was_learned_first_is_merged_everywhere_then_the_next(learned):
    draw = random.Random(0)
    words = pattern().findall("lower there " + text_of_all_scripts(3000, 5))
    words += ["".join(draw.choices("thea", k=draw.randrange(1, 30))) for _ in range(200)]
    for vocabulary in (learned, BytePairs(["a a", "h e", "t he", "a t", "aa a", "aa aa"])):
        ranks = {line: rank for rank, line in enumerate(vocabulary.merges)}
        for word in words:
            row = [SIGNS[byte] for byte in word.encode()]
            while pairs := [f"{a} {b}" for a, b in zip(row, row[1:]) if f"{a} {b}" in ranks]:
                row = merged_everywhere(row, tuple(min(pairs, key=ranks.get).split(" ")))
            assert [vocabulary.tokens[i] for i in vocabulary.encoding.of_word(word)] == row


def test_any_bytes_come_back(learned):
    draw = random.Random(0)
    for size in [*range(9), 100, 5000]:
        for _ in range(20):
            data = draw.randbytes(size)
            assert learned.encoding.to_bytes(learned.encoding.encode(data)) == data
    for data in (bytes(range(256)), b"\xed\xa0\x80\xed\xb0\x80", "é😀".encode()[:-1], b"\x80" * 99):
        assert learned.encoding.to_bytes(learned.encoding.encode(data)) == data
    text = text_of_all_scripts(5000, seed=2)
    assert learned.encoding.encode(text.encode()).tolist() == learned.encode(text).tolist()


def odd_text(draw):
    characters = [
        *"ab '\n\t sretvl1_", "\x00", "\x1c", "é", "一", "½", "😀", "\u200d", "\ufeff", "\ud800",
        "\udbff", "\udc00", "\udfff", "\udce9",
    ]  # fmt: skip
    return "".join(draw.choices(characters, k=draw.randrange(1, 40)))


def test_any_text_comes_back_and_half_a_surrogate_pair_as_the_sign_of_what_cannot_be_read(learned):
    draw = random.Random(1)
    for _ in range(500):
        text = odd_text(draw)
        assert accepted(learned.text, accepted(learned.encode, text)) == whole_characters(text)
    assert learned.text(learned.encode("a\ud800b")) == "a\ufffdb"
    assert learned.text(learned.encode("\ud83d\ude00")) == "😀"
    assert "ĠðŁĺĢ" in accepted(BytePairs.learn, ["\ud800 \ud83d\ude00"] * 2, 300).tokens


def test_a_text_in_pieces_is_read_as_the_whole(text, learned):
    encoding, draw = learned.encoding, random.Random(2)
    texts = [text[:4000], "", "'", "it're", "a" * 300, " " * 300]
    texts += [odd_text(draw) for _ in range(200)]
    for whole in texts:
        wanted = encoding.encode(whole).tolist()
        for longest in (1, 2, 3, 50):
            pieces, rest = [], whole
            while rest:
                size = draw.randrange(longest + 1)
                pieces.append(rest[:size])
                rest = rest[size:]
            arrays = [*encoding.encode_stream(iter(pieces))]
            assert [i for array in arrays for i in array.tolist()] == wanted, ascii(pieces)


def test_a_long_word_in_pieces_is_not_read_anew_with_every_piece(learned, monkeypatch):
    sizes = []
    monkeypatch.setattr(
        "minitransformer.data.byte_pairs.whole_characters",
        lambda text: sizes.append(len(text)) or text,
    )
    ids = np.concatenate([*learned.encoding.encode_stream("a" * 10 for _ in range(300))])
    assert learned.encoding.decode(ids) == "a" * 3000 and sum(sizes) < 5 * 3000


def test_a_long_text_in_pieces_comes_array_by_array_with_little_memory(learned):
    piece = text_of_all_scripts(500, seed=3)
    count = len(learned.encode(piece * 200))
    tracemalloc.start()
    pieces = learned.encoding.encode_stream(piece for _ in range(200))
    assert sum(len(ids) for ids in pieces) == count
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


def test_special_tokens_are_read_only_where_they_are_asked_for(learned):
    encoding = learned.encoding
    text = "<bos>to <pad><eos>be<pa"
    assert min(encoding.encode(text)) > 3 and encoding.decode(encoding.encode(text)) == text
    ids = encoding.encode(text, special=True).tolist()
    to, be = (encoding.encode(part).tolist() for part in ("to ", "be<pa"))
    assert ids == [1, *to, 0, 2, *be] and encoding.decode(ids) == text
    assert encoding.encode("", special=True).tolist() == [] == encoding.encode("").tolist()
    assert encoding.encode("<bos>", special=True).dtype == np.int64
    longer = BytePairEncoding({**learned.ids, "<bos><eos>": 5000}, learned.merges)
    assert longer.encode("<bos><eos><eos>", special=True).tolist() == [5000, 2]


def test_an_id_of_no_token_is_refused(learned):
    assert "900 is the id of no token; there are 900 tokens" in refusal(
        learned.encoding.decode, [5, 900]
    )
    refusal(learned.encoding.to_bytes, [-1])
    refusal(learned.decode, [900])
    assert learned.encoding.decode([]) == "" and learned.encoding.to_bytes(np.array([4])) == b"!"


def test_half_a_character_is_the_sign_of_what_cannot_be_read(learned):
    ids = [learned.ids[SIGNS[byte]] for byte in "é".encode()]
    for text in (learned.text, learned.encoding.decode):
        assert text(ids) == "é" and accepted(text, ids[:1]) == "\ufffd"
    assert learned.encoding.to_bytes(ids[:1]) == b"\xc3"


# -- as a vocabulary -------------------------------------------------------------------------------


def test_a_vocabulary_of_byte_pairs_comes_back_from_a_checkpoint(learned):
    for load in (load_vocabulary, vocabulary_of):
        again = load(json.loads(json.dumps(learned.to_dict())))
        assert type(again) is BytePairs and again.tokens == learned.tokens
        assert again.encode("the fox").tolist() == learned.encode("the fox").tolist()


@pytest.mark.parametrize("merges", [
    None, "t h", ["th"], ["t h", "t h e"], ["t  h"], [" "], [""], [3], ["t h", "h t", "th e r"],
    ["th e"], ["中 文"], ["t h "], [" t h"], ["< p", "<p a", "<pa d", "<pad >"], ["\ud800 a"],
    ["t h", "th e", "t he"], {"t h": 1},
], ids=ascii)  # fmt: skip
def test_what_describes_no_byte_pairs_is_refused_in_a_sentence(merges):
    for load in (load_vocabulary, vocabulary_of):
        message = refusal(load, {"kind": "byte-pairs", "merges": merges})
        assert "\n" not in message and len(message) < 400 and "Pieces" not in message
    refusal(load_vocabulary, {"kind": "byte-pairs"})


def test_it_does_what_every_vocabulary_does(learned):
    text = "the quick  fox's 😀\n"
    ids = learned.encode(text)
    assert learned.tokenize(text) == learned.decode([1, *ids, EOS, 5, PAD])
    assert learned.join(learned.tokenize(text)) == text == learned.text([1, *ids, EOS])
    assert learned.unknown(text) == learned.strange(text) == ""
    rows = learned.encode_all(["the", text])
    assert rows.shape == (2, len(ids)) and learned.text(rows[0]) == "the"
    for call in (learned.encode, learned.tokenize):
        assert refusal(call, "") == "An empty text: there is nothing to read."
    refusal(learned.encode, b"the")


def test_the_tokens_of_one_word_are_one_group(learned):
    text = "the foxy's 😀 \n x"
    groups = learned.words(learned.tokenize(text))
    assert [learned.join(group) for group in groups] == pattern().findall(text)
    half = [SIGNS[byte] for byte in "é".encode()[:1]]
    assert learned.words([*half, "Ġ", "a"]) == [half, ["Ġ", "a"]]
    # a token that reaches over the end of a word, which a model may write before it is trained
    assert learned.words(["a", "!"]) == [["a"], ["!"]] and learned.words([]) == []
    labels, sizes = learned.words_and_sizes([1, *learned.encode(text), EOS])
    assert labels[:2] == ["<bos>", "the"] and sum(sizes) == len(learned.encode(text)) + 2


def test_ids_of_words_are_kept_but_few_and_short_ones(monkeypatch):
    monkeypatch.setattr("minitransformer.data.byte_pairs.KEPT", 3)
    calls = []
    known = Known(lambda word: calls.append(word) or (len(word),))
    for word in ["a", "a", "b", "c", "a", "x" * (LONG + 1), "x" * (LONG + 1)]:
        assert known[word] == (len(word),)
    assert calls == ["a", "b", "c", *["x" * (LONG + 1)] * 2] and {*known} == {"a", "b", "c"}
    assert known["d"] == (1,) and {*known} == {"d"} and KEPT == 2**16


# -- GPT-2's files ---------------------------------------------------------------------------------


def gpt2_files(folder, text, size):
    """The two files, as the library writes them, and its tokenizer: ids from 0, and a special token
    at the end."""
    library = pytest.importorskip("tokenizers")
    tokenizer = library.ByteLevelBPETokenizer(add_prefix_space=False)
    tokenizer.train_from_iterator([text], size, show_progress=False)
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.save_model(str(folder))
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps(tokenizer.get_vocab()), encoding="utf-8")
    return vocabulary, folder / "merges.txt", tokenizer


def test_the_files_of_gpt2_give_the_ids_that_the_library_gives(tmp_path, text):
    vocabulary, merges, tokenizer = gpt2_files(tmp_path, text, 1200)
    encoding = BytePairEncoding.from_gpt2(vocabulary, merges)
    other = text_of_all_scripts(30_000, seed=4).replace("<|endoftext|>", "")
    ids = encoding.encode(other)
    assert ids.tolist() == tokenizer.encode(other).ids and encoding.decode(ids) == other
    marked = "one<|endoftext|> two"
    assert encoding.encode(marked, special=True).tolist() == tokenizer.encode(marked).ids
    assert encoding.special == {"<|endoftext|>": tokenizer.token_to_id("<|endoftext|>")}
    merges.write_bytes(merges.read_bytes().replace(b"\n", b"\r\n"))
    assert BytePairEncoding.from_gpt2(vocabulary, merges).encode(other).tolist() == ids.tolist()


def test_merges_that_begin_with_a_hash_are_no_comment(tmp_path):
    ids = {name: i for i, name in enumerate([*BYTES, "##"])}
    (tmp_path / "v").write_text(json.dumps(ids), encoding="utf-8")
    (tmp_path / "m").write_text("#version: 0.2\n# #\n\n", encoding="utf-8")
    encoding = BytePairEncoding.from_gpt2(tmp_path / "v", tmp_path / "m")
    assert encoding.encode("####").tolist() == [256, 256]


def test_files_with_a_byte_order_mark_are_read(tmp_path):
    ids = {name: i for i, name in enumerate([*BYTES, "ab"])}
    for name, text in (("v", json.dumps(ids)), ("m", "a b\n")):
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
    encoding = accepted(BytePairEncoding.from_gpt2, tmp_path / "v", tmp_path / "m")
    assert encoding.encode("abab").tolist() == [256, 256]


@pytest.mark.parametrize("vocabulary, merges, words", [
    ("", "", "is no vocabulary"), ("[]", "", "is no vocabulary"), ("{", "", "is no vocabulary"),
    ("[" * 100_000, "", "is no vocabulary"), (b"\xff", "", "is no vocabulary"),
    ("{}", "", "no token '!', which stands for the byte 33"),
    ({"a": 0}, "", "no id twice"), ({"ab": -1}, "", "no id twice"),
    ({"ab": "7"}, "", "no id twice"), ({"ab": True}, "", "no id twice"),
    ({"": 300}, "", "no id twice"), ({"ab": 2**63}, "", "no id twice"),
    ('{"a": ' + "1" * 5000 + "}", "", ""), ("NaN", "", "is no vocabulary"),
    ({}, "a b", "Merge 1 is 'a b'"), ({"ab": 300}, "#version: 0.2\na b\nab", "Merge 2 is 'ab'"),
    ({}, b"\xff", "is no list of merges"),
    ({"abc": 300, "ab": 301}, "ab c", "Merge 1"), ({"abc": 300}, "ab c", "Merge 1"),
    (None, "", "cannot be read"), ({}, None, "cannot be read"),
    ('{"a": 1, "a": 1}', "", "the id of each token, once"),
], ids=lambda value: ascii(value)[:20])  # fmt: skip
def test_files_of_another_kind_are_refused_in_a_sentence(tmp_path, vocabulary, merges, words):
    if isinstance(vocabulary, dict):
        vocabulary = json.dumps({**{name: i for i, name in enumerate(BYTES)}, **vocabulary})
    for name, content in (("v", vocabulary), ("m", merges)):
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            (tmp_path / name).write_bytes(data)
    message = refusal(BytePairEncoding.from_gpt2, tmp_path / "v", tmp_path / "m")
    assert words in message and "\n" not in message and len(message) < 400


# -- large -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_megabytes_of_twelve_scripts_are_learned_and_read_as_by_the_library(tmp_path):
    text = text_of_all_scripts(2_000_000, seed=6)
    learned, tokenizer = BytePairs.learn([text], 4000), library_learns([text], 4000)
    assert tokenizer.get_vocab() == learned.ids
    ids = learned.encode(text)
    assert ids.tolist() == tokenizer.encode(text).ids and learned.text(ids) == text
    lines = text.splitlines(keepends=True)
    streamed = np.concatenate([*learned.encoding.encode_stream(lines)])
    assert (streamed == ids).all()
    vocabulary, merges, tokenizer = gpt2_files(tmp_path, text_of_all_scripts(500_000), 8000)
    text = text.replace("<|endoftext|>", "")
    ids = BytePairEncoding.from_gpt2(vocabulary, merges).encode(text)
    assert ids.tolist() == tokenizer.encode(text).ids


def shakespeare():
    folder = os.environ.get("MINITRANSFORMER_DATA", "")
    for file in Path(folder, "tinyshakespeare").glob("input.txt*"):
        data = file.read_bytes()
        return (gzip.decompress(data) if file.suffix == ".gz" else data).decode()
    pytest.skip("needs tinyshakespeare/input.txt in the folder that MINITRANSFORMER_DATA names")


@pytest.mark.slow
def test_a_thousand_merges_of_shakespeare_are_learned_in_seconds():
    text = shakespeare()
    start = time.process_time()
    learned = BytePairs.learn([text], 1260)
    assert time.process_time() - start < 20
    assert library_learns([text], 1260).get_vocab() == learned.ids
    assert learned.text(learned.encode(text)) == text


@pytest.mark.slow
@pytest.mark.parametrize("what", ["a", " ", "\0", "_\x1c", "ACGT", "一"])
def test_the_time_for_a_word_does_not_grow_with_the_square_of_its_length(what):
    draw = random.Random(0)
    text = "".join(draw.choices(what, k=200_000))
    start = time.process_time()
    learned = BytePairs.learn([text], 360)
    ids = learned.encode(text)
    assert time.process_time() - start < 15 and learned.text(ids) == text
