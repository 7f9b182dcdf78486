"""Pairs of texts of one's own: files of every kind, good, damaged and hostile; their task and its
runs."""

import datetime
import gzip
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from common import accepted, refusal
from pair_files import BAD, GOOD

import minitransformer.data.kept as kept_module
from minitransformer.cli import main
from minitransformer.data import BOS, EOS, PAD, UNK, make_batch, make_task
from minitransformer.data.corpus import Corpus
from minitransformer.data.files import sha256_of
from minitransformer.data.formats import Table, pairs_in, parallel
from minitransformer.data.pairs import Pairs
from minitransformer.data.sequences import Sequences
from minitransformer.data.split import SPLITS
from minitransformer.data.subwords import Subwords, clean
from minitransformer.data.vocabulary import SPECIAL, padded
from minitransformer.data.words import Characters, Words
from minitransformer.runs import Run, find_model
from minitransformer.runs.run import make_config


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and a folder to work in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "cache"


def write(name, content):
    content = content.encode() if isinstance(content, str) else content
    Path(name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return name


def dates(count, seed=0):
    """Lines "3 March 1997<tab>1997-03-03", all different."""
    rng = random.Random(seed)
    first = datetime.date(1900, 1, 1)
    days = [first + datetime.timedelta(n) for n in rng.sample(range(60_000), count)]
    return [f"{day.day} {day:%B} {day.year}\t{day.isoformat()}" for day in days]


def held_out(fields=""):
    """Options that name a file to validate and one to test, which have these fields."""
    if fields and not fields[0].isdecimal():
        write("v.jsonl", '{"x":"val","y":"idation","z":"zv"}')
        write("t.jsonl", '{"x":"te","y":"st","z":"zt"}')
        return {"validation": "v.jsonl", "test": "t.jsonl"}
    columns = "" if fields in ("", "2,1") else "\tc"
    write("v.tsv", f"val\tidation{columns}\n")
    write("t.tsv", f"te\tst{columns}\n")
    return {"validation": "v.tsv", "test": "t.tsv"}


# -- files: one sentence, or the right pairs -------------------------------------------------------

def test_there_are_many_files():
    assert len(GOOD) + len(BAD) >= 60


@pytest.mark.parametrize("name", GOOD)
def test_a_file_gives_its_pairs(name):
    file, content, options, pairs = GOOD[name]
    held = held_out(options.get("fields", ""))
    task = accepted(Pairs(data=write(file, content), **options, **held).completed)
    assert [*zip(*accepted(task.sentences, "train"))] == pairs
    vocabulary = task.vocabulary
    for ids, texts in zip(task.encoded("train"), zip(*pairs)):
        assert [vocabulary.text(row) for row in ids] == [*texts]


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_is_named_in_one_sentence(name):
    file, content, options, sentence = BAD[name]
    write(file, content)
    said = refusal(lambda: Pairs(data=file, **options, **held_out()).completed().sequences("train"))
    assert re.search(sentence, said) and "\n" not in said and len(said) < 700
    assert file in said or name == "all too long"


def test_what_is_no_file_is_named():
    os.mkdir("folder.tsv")
    assert "is a folder" in refusal(Pairs(data="folder.tsv").completed)
    said = refusal(Pairs(data="nothing.tsv").completed)
    assert said.startswith("nothing.tsv cannot be read: No such file")
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe.tsv")
        assert "is a pipe or a device" in refusal(Pairs(data="pipe.tsv").completed)
        assert "is a pipe or a device" in refusal(Pairs(data="/dev/null").completed)


def test_two_files_belong_together_line_by_line():
    write("a.en", "one\n\ntwo\nthree\n")
    write("a.de.gz", "eins\n\nzwei\ndrei\n")
    both = Pairs(source="a.en", target="a.de.gz", **held_out()).completed()
    assert [*zip(*both.sentences("train"))] == [("one", "eins"), ("two", "zwei"), ("three", "drei")]
    write("b.de", "eins\n\nzwei\n")
    assert "b.de has 3 lines and a.en has more" in refusal(
        Pairs(source="a.en", target="b.de", **held_out()).completed
    )
    write("v.en", "four\n")
    write("v.de", "vier\n")
    options = {"validation": "v.en,v.de", "test": "t.tsv"}
    both = Pairs(source="a.en", target="a.de.gz", **options).completed()
    assert both.sentences("validation") == (["four"], ["vier"])
    assert [row.line for row in parallel("a.en", "a.de.gz").rows] == [1, 2, 3, 4]
    assert "is empty" in refusal(lambda: [*parallel(write("e1", ""), write("e2", "")).rows])


def test_options_that_do_not_fit_are_refused():
    for options, sentence in (
        ({"cut": "letters"}, "There is no cut 'letters'"),
        ({"data": "a", "source": "b", "target": "c"}, "Name one file of pairs"),
        ({"source": "b"}, "Name one file of pairs"),
        ({"fields": "a"}, "must be two different names"),
        ({"fields": "a,a"}, "must be two different names"),
        ({"most_tokens": 0}, "most_tokens is a number from 1"),
        ({"vocabulary_size": 4}, "vocabulary_size is a number from 5"),
        ({"data": 7}, "data must be a text"),
    ):
        assert sentence in refusal(lambda options=options: make_task("pairs", **options))
    assert "There is no data" in refusal(make_task("pairs").completed)


# -- splits ----------------------------------------------------------------------------------------


def test_a_hash_of_the_source_splits_and_a_source_is_in_one_split_only():
    lines = dates(2000)
    write("a.tsv", "\n".join(lines + [line + "x" for line in lines]))
    task = Pairs(data="a.tsv").completed()
    found = {split: task.sentences(split) for split in SPLITS}
    assert sorted(line for split in found for line in map("\t".join, zip(*found[split]))) == sorted(
        lines + [line + "x" for line in lines]
    )
    sources = {split: set(found[split][0]) for split in SPLITS}
    assert sum(map(len, sources.values())) == 2000
    assert all(150 < len(sources[split]) < 250 for split in ("validation", "test"))
    write("b.tsv", "\n".join(reversed(lines)))  # the order of the lines does not matter
    assert set(Pairs(data="b.tsv").completed().sentences("test")[0]) == sources["test"]


def test_files_for_validation_and_test_take_the_place_of_the_hash():
    write("a.tsv", "\n".join(dates(500)))
    only = Pairs(data="a.tsv", validation=held_out()["validation"]).completed()
    counts = dict(only.counts()[0][2])
    assert counts["validation"] == 1 and 25 < counts["test"] < 80
    assert counts["train"] + counts["test"] == 500
    assert Pairs(data="a.tsv", **held_out()).completed().counts()[0][2]["train"] == 500


def test_sources_in_two_splits_are_named_with_file_and_line():
    lines = dates(30)
    write("a.tsv", "\n".join(lines))
    write("w.tsv", "\n".join(["x\ty", *(line.split("\t")[0] + " \tz" for line in lines[9::-1])]))
    said = refusal(Pairs(data="a.tsv", validation="w.tsv", test=held_out()["test"]).completed)
    first = lines[0].split("\t")[0]
    assert said.startswith("10 sources stand in two splits, train and validation: ")
    assert f"'{first}' (a.tsv, line 1, and w.tsv, line 11)" in said and said.count("w.tsv") == 3
    said = refusal(Pairs(data="a.tsv", validation="v.tsv", test="v.tsv").completed)
    assert "'val' (v.tsv, line 1, and v.tsv, line 1)" in said


def test_too_few_pairs_for_a_split_are_said():
    write("a.tsv", "a\tb\n")
    said = refusal(Pairs(data="a.tsv").completed)
    assert said.startswith("No pair is for") and "in a.tsv: 1, with 1 different" in said
    assert "--validation FILE" in said
    write("a.tsv", "a\tb\n" * 50 + "a\tc\n")
    assert "51, with 1 different sources. Of many" in refusal(Pairs(data="a.tsv").completed)


# -- cuts ------------------------------------------------------------------------------------------


def test_the_cut_is_chosen_by_the_rule():
    pytest.importorskip("tokenizers")
    rng = random.Random(0)
    spoken = "the a of to and in is that it was for on are with as they at be this".split()
    rare = ["".join(rng.sample("abcdefghijklmnop", 9)) for _ in range(3000)]

    def task(words, length, **options):
        pairs = [(" ".join(rng.choices(words, k=length)), "yes") for _ in range(300)]
        return Pairs.of(pairs, [("v", "w")], [("t", "u")], **options)

    assert task(spoken, 5).cut == "characters"
    assert task(spoken, 40).cut == "words"
    assert task(spoken, 40, vocabulary_size=12).cut == "subwords"
    assert task(spoken + rare, 40).cut == "subwords"
    assert task(spoken, 40, cut="characters").cut == "characters"
    said = [*task(spoken, 40, cut="characters").report()]
    assert any("cut into characters" in line and "would be words" in line for line in said)


def test_without_the_package_subwords_are_byte_pairs(monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    pairs = [(" ".join(f"w{i}x{j}" for j in range(30)), "yes") for i in range(100)]
    for size, most in ((300, 300), (5, 260)):
        task = Pairs.of(pairs, [("ä 日", "w")], [("t", "u")], vocabulary_size=size, cut="subwords")
        assert task.vocabulary.kind == "byte-pairs" and len(task.vocabulary) == most
        source, target = task.sequences("validation")
        assert [task.vocabulary.text(side[:][0]) for side in (source, target)] == ["ä 日", "w"]
    assert Pairs.of(pairs, [("v", "w")], [("t", "u")]).cut == "subwords"


@pytest.mark.parametrize("cls", [Characters, Words])
@pytest.mark.parametrize(
    "text", ["Hello, world!", "don't (stop) 3.14 — 日本 😀", "a  b\u00a0c", "e\u0301", "12 a_b…"]
)
def test_characters_and_words_are_the_text_again(cls, text):
    vocabulary = cls.learn([text, "and more"])
    read = " ".join(text.replace("e\u0301", "é").split())
    assert vocabulary.text(vocabulary.encode(text)) == read
    assert not vocabulary.unknown(text)
    again = type(vocabulary).from_dict(json.loads(json.dumps(vocabulary.to_dict())))
    assert again.encode(text).tolist() == vocabulary.encode(text).tolist()
    assert [again.tokens[i] for i in again.encode(text)] == again.tokenize(text)
    assert refusal(vocabulary.encode, " ").startswith("An empty text")


def test_what_training_did_not_have_is_unknown():
    characters, words = Characters.learn(["abc abc"]), Words.learn(["to be, or not"])
    assert characters.unknown("abz az") == ["z"] and UNK in characters.encode("z")
    assert words.unknown("to see, or") == ["see"] and (words.encode("to see, or") == UNK).sum() == 1
    assert words.tokenize("be be") == [" be", " be"]
    assert Words.learn(["a a a b b c"], 6).tokens[4:] == [" a", " b"]
    assert Characters.learn(["<unk>"]).encode("<").tolist() != [UNK]


def test_unknown_characters_are_reported():
    write("a.tsv", "\n".join(dates(300)))
    write("v.tsv", "3 März 1997\t1997-03-03\n")
    said = "\n".join(Pairs(data="a.tsv", validation="v.tsv").completed().report())
    assert "unknown in validation, read as <unk>: 2 characters, such as 'ä', 'z'" in said


def test_the_report_counts_what_was_left_out():
    lines = [*dates(300), "\tx", "y\t", "", "z" * 300 + "\ty", dates(1)[0]]
    write("a.tsv", "\n".join([*lines, ""]))
    said = "\n".join(Pairs(data="a.tsv", **held_out()).completed().report())
    assert "302 pairs: 300 to train on, 1 to validate, 1 to test\n" in said
    assert (
        "left out: 2 with an empty side, 1 blank, 1 that came before, 1 with more than 256 tokens"
    ) in said
    assert re.search(r"source \d+ \(median\), 300 \(longest\); target 10 \(median\), 10", said)
    assert "cut into characters" in said


@pytest.mark.parametrize("file, content, fields, how", [
    ("a.tsv", "a\tb\n", "", "tab-separated, columns 1 and 2"),
    ("a.tsv", "a\tb\tc\n", "3,1", "tab-separated, columns 3 and 1"),
    ("a.tsv", "Question\tid\tAnswer\na\t1\tb\n", "",
     "tab-separated, columns 'Question' and 'Answer'"),
    ("a.csv", "x,y\na,b\n", "", "CSV, columns 'x' and 'y'"),
    ("a.csv.gz", "sep=;\n\nx;y;z\na;b;c\n", "z,x", "CSV, separated by ;, columns 'z' and 'x'"),
    ("a.csv", "x\ty\na\tb\n", "", "CSV, separated by tabs, columns 'x' and 'y'"),
    ("a.jsonl", '\n{"t":"b","input":"a","target":"c"}\n', "",
     "JSON lines, fields 'input' and 'target'"),
])  # fmt: skip
def test_the_report_says_how_a_file_was_read(file, content, fields, how):
    write(file, content)
    write("v.tsv", "v\tw\n")
    write("t.tsv", "t\tu\n")
    assert pairs_in(file, fields).how == how
    if not fields:
        for _ in range(2):  # also when the pairs are found in the cache
            task = Pairs(data=file, validation="v.tsv", test="t.tsv").completed()
            report = [*task.report()]
            assert report[0] == f"{Path.cwd() / file}: {how}"
            assert report[1].endswith("v.tsv: tab-separated, columns 1 and 2")
            assert report[3] == "3 pairs: 1 to train on, 1 to validate, 1 to test"


def test_the_report_says_how_two_files_were_read_and_which_splits_a_hash_made():
    lines = [line.split("\t") for line in dates(300)]
    write("a.en", "\n".join(one for one, _ in lines))
    write("a.de", "\n".join(two for _, two in lines))
    first, second, *_ = Pairs(source="a.en", target="a.de", test="").completed().report()
    assert first.endswith("a.en and " + str(Path.cwd() / "a.de") + ": line by line")
    assert second.endswith("(validation and test by a hash of the source)")
    task = Corpus.from_pairs([*map(tuple, lines)], validation=[("v", "w")], test=[("t", "u")])
    said = [*task.report()]
    assert said[0] == "302 pairs: 300 to train on, 1 to validate, 1 to test"
    task = Corpus.from_pairs([*map(tuple, lines)], validation=[("v", "w")])
    assert [*task.report()][0].endswith("(test by a hash of the source)")


def test_a_file_may_be_named_by_a_path_and_a_text_by_several(tmp_path):
    write("a.tsv", "\n".join(dates(300)))
    config = accepted(make_config, "pairs", {"data": Path("a.tsv")})
    assert config["task"]["options"]["data"] == str(Path.cwd() / "a.tsv")
    write("a.txt", "a line of a text\n" * 9)
    write("b.txt", "another line\n" * 9)
    for both in ([Path("a.txt"), "b.txt"], ("a.txt", Path("b.txt")), "a.txt\nb.txt"):
        config = accepted(make_config, "text", {"text": both, "context": 8})
        assert config["task"]["options"]["text"] == "\n".join(
            str(Path.cwd() / name) for name in ("a.txt", "b.txt")
        )
    assert "text, number 2 must be a text, got 3" in refusal(make_task, "text", text=["a", 3])
    assert "data must be a text, got ['a.tsv']" in refusal(make_task, "pairs", data=["a.tsv"])


def test_subwords_cut_word_by_word_what_the_library_cuts_at_once(monkeypatch):
    pytest.importorskip("tokenizers")
    rng = random.Random(0)
    letters = "abcdeABCÄéß'-.,!? \u0301\u2581日本😀ΣσςIİı0123"
    texts = ["".join(rng.choices(letters, k=rng.randint(1, 60))) + "x" for _ in range(2000)]
    for lowercase in (True, False):
        vocabulary = Subwords.learn(texts[:1000], 200, lowercase)
        whole = [e.ids for e in vocabulary.tokenizer.encode_batch([*map(clean, texts)])]
        monkeypatch.setattr("minitransformer.data.subwords.KNOWN", 100)  # forgotten again and again
        for start in range(0, 2000, 100):
            assert vocabulary.encode_rows(texts[start : start + 100]) == whole[start : start + 100]


@pytest.mark.parametrize("cut", ["characters", "words", "subwords"])
@pytest.mark.parametrize("name", SPECIAL)
def test_texts_that_differ_by_the_name_of_a_special_token_have_other_ids(cut, name):
    """Else a test source could have been trained on, and nobody would see it."""
    pytest.importorskip("tokenizers")
    pairs = [(f"one two {name} {n}", f"{n} {name}") for n in "three four five six".split()]
    task = Pairs.of(pairs, [("v", "w")], [("t", "u")], cut=cut)
    encode = task.vocabulary.encode
    assert encode(f"one {name} two").tolist() != encode("one two").tolist()
    assert len(encode(name)) and not {*encode(f"one {name}").tolist()} & {PAD, BOS, EOS}
    assert task.vocabulary.text(encode(f"one two {name} three")) == f"one two {name} three"


# -- sequences -------------------------------------------------------------------------------------


def test_sequences_are_their_padded_rows():
    rng = np.random.default_rng(0)
    rows = [rng.integers(4, 99, n).tolist() for n in rng.integers(0, 9, 50)]
    right = padded(rows)
    for sequences in (Sequences.of(right), Sequences.joined(rows)):
        assert len(sequences) == 50 and sequences.lengths.tolist() == [*map(len, rows)]
        assert (sequences[:] == right).all() and Sequences.of(sequences) is sequences
        for some in (np.array([3, 0, 49, 3]), [7], slice(5, 9), np.arange(0)):
            chosen = padded([rows[i] for i in np.arange(50)[some]])
            assert sequences[some].shape == chosen.shape and (sequences[some] == chosen).all()
            assert sequences[some].dtype == np.int64
        order = rng.permutation(50)
        turned = sequences.reordered(order)
        assert (turned[:] == padded([rows[i] for i in order])).all()
        assert turned.lengths.tolist() == [len(rows[i]) for i in order]
        again = turned.reordered(order)
        assert again[[1, 4]].tolist() == padded([rows[order[order[i]]] for i in (1, 4)]).tolist()
        assert again.ids is sequences.ids
    assert Sequences.of(np.array([[PAD, 5, PAD, 6]]))[:].tolist() == [[5, 6]]


# -- the folder that keeps the pairs ---------------------------------------------------------------


def count_readings(monkeypatch):
    """A list that gets an entry for each file that is read as pairs."""
    read = []
    monkeypatch.setattr(
        "minitransformer.data.pairs.pairs_in",
        lambda path, *rest: read_one(read, path, *rest),
    )
    return read


def read_one(read, path, *rest):
    how, rows = pairs_in(path, *rest)

    def noted():
        for row in rows:
            if path not in read:
                read.append(path)
            yield row

    return Table(how, noted())


def test_the_second_time_nothing_is_read_or_encoded(monkeypatch, cache):
    read = count_readings(monkeypatch)
    write("a.tsv", "\n".join(dates(300)))
    first = Pairs(data="a.tsv").completed()
    ids = [array.tolist() for split in SPLITS for array in first.encoded(split)]
    assert read == ["a.tsv"]
    with monkeypatch.context() as patched:
        patched.setattr(Characters, "encode_rows", None)
        again = Pairs(data="a.tsv").completed()
        assert [array.tolist() for split in SPLITS for array in again.encoded(split)] == ids
    assert read == ["a.tsv"] and isinstance(again.sequences("train")[0].ids.base, np.memmap)
    write("b.tsv", "\n".join(dates(300, seed=1)))
    assert Pairs(data="b.tsv").completed().sentences("train") != first.sentences("train")


def test_what_is_read_otherwise_is_kept_apart():
    content = "source\ttarget\tmore\n" + "".join(f'"{i}"\t{i + 1}\t{i + 2}\n' for i in range(99))
    write("a.tsv", content)
    write("a.csv", content)
    pairs = [
        Pairs(data=name, fields=fields).completed().sentences("train")
        for name, fields in (("a.tsv", ""), ("a.csv", ""), ("a.csv", "target,source"))
    ]
    assert '"' in pairs[0][0][0] and '"' not in pairs[1][0][0]
    assert pairs[2][0][0] == str(int(pairs[2][1][0]) + 1)
    write("v.tsv", "v\tw\n")
    own = Pairs(data="a.csv", validation="v.tsv", fields="1,2")
    assert "no column '1'" in refusal(own.completed)


def test_a_damaged_folder_is_made_again(cache):
    write("a.tsv", "\n".join(dates(300)))
    right = Pairs(data="a.tsv").completed().encoded("train")[0]
    for file in sorted([*cache.rglob("train.*"), *cache.rglob("facts.json")]):
        damages = [lambda b: b[:-1], lambda b: bytes([b[0] ^ 1]) + b[1:]]
        if file.name == "facts.json":
            damages += [
                lambda b: b"[]", lambda b: b.replace(b'"read": 300', b'"read": 301'),
                lambda b: b.replace(b"train", b"tr_in"),
            ]  # fmt: skip
        for damage in damages:
            before = file.read_bytes()
            file.write_bytes(damage(before))
            try:
                found = Pairs(data="a.tsv").completed().encoded("train")[0]
            except Exception as problem:
                pytest.fail(f"{file}: {problem!r} came through")
            assert (found == right).all(), file
            assert file.read_bytes() == before or file.suffix == ".part"
    assert not list(cache.rglob("*.part"))


def test_a_file_that_changes_between_its_hash_and_its_reading_is_not_kept(monkeypatch, cache):
    write("a.tsv", "\n".join(dates(300)))

    def hashed_and_changed(path):
        found = sha256_of(path)
        write("a.tsv", "\n".join(dates(301, seed=1)))
        return found

    monkeypatch.setattr("minitransformer.data.pairs.sha256_of", hashed_and_changed)
    assert "was changed while it was read" in refusal(Pairs(data="a.tsv").completed)
    assert not list(cache.rglob("facts.json"))


def test_a_failed_reading_leaves_nothing(cache):
    write("a.tsv", "a\tb\nc\n")
    refusal(Pairs(data="a.tsv").completed)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_without_a_place_for_a_cache_a_temporary_one_serves(monkeypatch, cache):
    cache.write_text("no folder")
    monkeypatch.setattr(kept_module, "TEMPORARY", [])
    write("a.tsv", "\n".join(dates(300)))
    try:
        assert len(Pairs(data="a.tsv").completed().sentences("train")[0]) > 200
        assert len(kept_module.TEMPORARY) == 1
    except OSError as problem:
        pytest.fail(f"{problem!r} came through")
    finally:
        for folder in kept_module.TEMPORARY:
            shutil.rmtree(folder)


def test_another_vocabulary_has_ids_of_its_own():
    task = Pairs.of([("ab", "ba")], [("v", "w")], [("t", "u")], cut="characters")
    assert task.encoded("train")[0].tolist() == [[4, 5]]
    task.adopt(Characters(["b", "a"]))
    assert task.encoded("train")[0].tolist() == [[5, 4]]
    assert task.longest == (2, 2)


def test_a_language_model_has_a_position_for_each_token_of_the_longest_pair():
    task = Pairs.of([("a" * 300, "b" * 290)], [("v", "w")], [("t", "u")], most_tokens=300)
    assert task.positions == 300 + 1 + 290 + 1  # BOS and EOS
    options = make_config(task, model="language-model", preset="toy")["model"]["options"]
    kind = find_model("language-model")
    batch = make_batch(*task.sample(np.random.default_rng(0), 1))
    logits = accepted(kind.model(kind.config(**options), 0), batch.source, batch.target_in)
    assert logits.shape[1] == 291


# -- in Python -------------------------------------------------------------------------------------


def test_pairs_in_python_are_a_corpus():
    pairs = [tuple(line.split("\t")) for line in dates(400)]
    task = Corpus.from_pairs(pairs)
    assert sorted(sum(([*zip(*task.sentences(s))] for s in SPLITS), [])) == sorted(pairs)
    batch = make_batch(*task.sample(np.random.default_rng(0), 5))
    assert (batch.target_in[:, 0] == BOS).all()
    config = make_config(task, model_options={"d_model": 16, "heads": 2})
    assert config["task"]["name"] == "pairs" and config["model"]["options"]["d_model"] == 16
    run = Run.create("run", config)
    assert run.task.sentences("test") == task.sentences("test")
    given = Corpus.from_pairs(pairs[:10], pairs[10:12], pairs[12:15], cut="words")
    assert [len(given.sentences(s)[0]) for s in ("train", "validation", "test")] == [10, 2, 3]
    assert given.cut == "words"


def test_wrong_pairs_in_python_are_named():
    for pairs, sentence in (
        ([("a", "b"), "ab"], "Pair 2 of train must be two texts"),
        ([("a", 1)], "Pair 1 of train must be two texts"),
        ([("a", "b", "c")], "Pair 1 of train must be two texts"),
        ([("a", "\ud800")], "Pair 1 of train has half of a surrogate pair"),
    ):
        assert sentence in refusal(Corpus.from_pairs, pairs)
    said = refusal(Corpus.from_pairs, [("a", "b")], [("x", "y")], [("a", "c")])
    assert "'a' (train, pair 1, and test, pair 1)" in said


def test_a_run_of_pairs_in_python_needs_them_only_to_evaluate(cache, capsys):
    corpus = Corpus.from_pairs([line.split("\t") for line in dates(300)])
    run = Run.create("run", make_config(corpus))
    run.save()
    shutil.rmtree(cache)
    opened = Run.open("run")
    assert opened.vocabulary.encode("3 March").size == 7
    said = refusal(lambda: opened.task.sequences("test"))
    assert "came from Python, and are no longer kept" in said


# -- the commands ----------------------------------------------------------------------------------

SMALL = "--steps 4 --d-model 16 --heads 2 --d-ff 16 --encoder-layers 1 --decoder-layers 1"


def command(line, capsys):
    status = main(line.split(";") if ";" in line else line.split())
    out, err = capsys.readouterr()
    return status, out, err


def test_a_run_of_own_pairs_through_all_commands(capsys, tmp_path, monkeypatch):
    write("dates.tsv", "\n".join(dates(400)))
    status, out, err = command(f"train --data dates.tsv {SMALL} --no-pictures", capsys)
    assert status == 0, err
    assert "400 pairs" in out and "→ runs/dates" in out
    config = json.loads(Path("runs/dates/config.json").read_text())
    assert config["task"]["options"]["data"] == str(tmp_path / "work" / "dates.tsv")
    assert config["task"]["options"]["cut"] == "characters"
    run = tmp_path / "work" / "runs" / "dates"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    asked = f"evaluate {run} --count 20 --beam 1 --write out.txt --show 1"
    status, out, err = command(asked, capsys)
    assert status == 0 and "exact match" in out and "translation" in out, err
    source, reference, _ = Path("out.txt").read_text().splitlines()[0].split("\t")
    assert f"{source}\t{reference}" in dates(400)
    assert command(f"export {run} dates.safetensors", capsys)[0] == 0
    assert command(f"train --resume {run} --steps 6 --no-pictures", capsys)[0] == 0
    for gone in (False, True):
        if gone:
            (tmp_path / "work" / "dates.tsv").unlink()
        else:
            with open(tmp_path / "work" / "dates.tsv", "a") as file:
                file.write("\nx\ty")
        for again in (
            f"evaluate {run}", f"train --resume {run} --steps 8", "evaluate dates.safetensors",
        ):  # fmt: skip
            status, out, err = command(again, capsys)
            assert status == 2 and not out and err.count("\n") == 1
            assert ("is gone: there is no file" if gone else "is not the file that") in err
        for model in (run, "dates.safetensors"):
            assert command(f"predict;{model};3 March 1997", capsys)[0] == 0
            assert command(f"translate;{model};3 March 1997;--beam;1", capsys)[0] == 0
    status, _, err = command(f"plot {run} --out pictures", capsys)
    assert status == 0 and list(Path("pictures").glob("*.png")), err
    status, _, err = command(f"predict;{run};3 März 1997 and more than ever seen", capsys)
    assert "'ä'" in err and "has 35 tokens" in err


def test_a_resumed_run_is_the_run_that_was_not_stopped(capsys):
    write("dates.tsv", "\n".join(dates(300)))
    tokens = "--batch-tokens 300 --save-every 5 --no-pictures"
    for out, steps in (("a", 12), ("b", 7)):
        line = f"train --data dates.tsv {SMALL} {tokens} --schedule constant --out {out}"
        assert command(f"{line} --steps {steps}", capsys)[0] == 0
    assert command("train --resume b --steps 12 --no-pictures", capsys)[0] == 0
    first, second = (Run.open(out).model.state_dict() for out in "ab")
    assert all((first[name] == second[name]).all() for name in first)


def test_a_file_in_the_place_of_a_task_is_told_its_option(capsys):
    write("my dates.tsv", "a\tb\n")
    status, _, err = command("train;my dates.tsv", capsys)
    assert status == 2 and "--data 'my dates.tsv'" in err and "--text" in err
    assert "name data of your own: --data FILE" in command("train", capsys)[2]
    assert "There is no data" in command("train pairs", capsys)[2]
    assert "has no option 'data'" in command("train reverse --data x.tsv", capsys)[2]


def test_runs_of_different_data_are_not_compared(capsys):
    pytest.importorskip("sacrebleu")
    for name, seed in (("a", 0), ("b", 1)):
        write(f"{name}.tsv", "\n".join(dates(300, seed)))
        line = f"train --data {name}.tsv --cut words {SMALL} --no-pictures"
        assert command(line + " --model transformer", capsys)[0] == 0
    status, _, err = command("compare runs/a runs/b", capsys)
    assert status == 2 and "different data" in err


@pytest.mark.slow
def test_the_commands_of_the_page_run(capsys):
    """Each with its files, in small; the Python of the page is run with that of all pages."""
    page = (Path(__file__).parents[1] / "docs" / "your-data.md").read_text(encoding="utf-8")
    write("dates.tsv", "\n".join(dates(200)))
    lines = [line.split("\t") for line in dates(200)]
    write("faq.csv", "id,question,answer\n" + "".join(f"1,{q},{a}\n" for q, a in lines))
    write("deu.txt", "".join(f"{q}\t{a}\tCC-BY\n" for q, a in lines))
    write("a.en", "\n".join(q for q, _ in lines))
    write("a.de", "\n".join(a for _, a in lines))
    write("train.tsv", "\n".join(dates(200)[:100]))
    write("valid.tsv", "\n".join(dates(200)[100:150]))
    write("test.tsv", "\n".join(dates(200)[150:]))
    told = re.findall(r"^minitransformer (.*)", page, re.M)
    assert len(told) == 8 and sum(line.startswith("train") for line in told) == 5
    for line in told:
        typed = shlex.split(line)
        if typed[0] == "train":
            typed += [*SMALL.split(), "--no-pictures"]
        assert main(typed) == 0, (line, capsys.readouterr().err)
    assert Path("runs/dates/pictures").is_dir() and Path("runs/a").is_dir()


@pytest.mark.slow
def test_dates_are_learnt_in_two_minutes_from_one_command(capsys):
    write("dates.tsv", "\n".join(dates(20_000)))
    start = time.perf_counter()
    assert command("train --data dates.tsv", capsys)[0] == 0
    seconds = time.perf_counter() - start
    status, out, _ = command("evaluate runs/dates --json", capsys)
    assert json.loads(out)["exact_match"] >= 0.99
    assert seconds < 120 or os.getloadavg()[0] > 2.5, seconds


MEASURED = """
import resource, sys, time
begin = time.perf_counter()
from minitransformer.cli import main
from minitransformer.runs import Run
train = Run.train
def timed(run, *arguments, **options):
    print(f"STARTED {time.perf_counter() - begin:.1f}", flush=True)
    train(run, *arguments, **options)
Run.train = timed
assert main(sys.argv[1:]) == 0
print(f"MEGABYTES {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}")
"""


@pytest.mark.slow
def test_a_million_pairs_need_little_more_memory_than_few_and_start_at_once_again():
    pytest.importorskip("resource")
    rng = random.Random(0)
    words = ["".join(rng.choices("abcdefghijklmnop", k=rng.randint(2, 9))) for _ in range(5000)]

    def measured(count):
        with open(f"{count}.tsv", "w", encoding="utf-8") as file:
            for number in range(count):
                text = f"{rng.choice(words)} {rng.choice(words)} {number:,}"
                file.write(f"{text}\t{text[::-1]}\n")
        told = f"train --data {count}.tsv --batch-tokens 2048 --steps 10 --no-pictures".split()
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", MEASURED, *told], capture_output=True, text=True, check=True
            )
            yield float(re.search("STARTED (.*)", done.stdout)[1])
        yield int(re.search("MEGABYTES (.*)", done.stdout)[1])

    *_, few = measured(5000)
    first, again, many = measured(1_000_000)
    assert many < few + 400, (few, many)
    busy = os.getloadavg()[0] > 2.5
    assert busy or (first < 60 and again < 5), (first, again)


def test_pairs_in_python_differ_by_their_texts_alone_and_take_no_files():
    task = Pairs.of([("a\0b", "c"), ("a", "b\0c"), ("x", "y")], [("v", "w")], [("t", "u")])
    assert len(task.sentences("train")[0]) == 3
    for option in ("nope", "data", "sha256"):
        assert f"no option '{option}'" in refusal(Corpus.from_pairs, [("a", "b")], **{option: "x"})
