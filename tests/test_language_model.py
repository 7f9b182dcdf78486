"""A language model of a text: its ids, its windows, what counts predict, what it writes."""

import collections
import gzip
import hashlib
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
import types
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from common import accepted, close, finished, refusal, weights_and_state
from common import run as command

from minitransformer.cli import main
from minitransformer.data import (
    EOS,
    UNK,
    Batch,
    ExactCharacters,
    load_vocabulary,
    make_batch,
    make_task,
    ngrams,
    token_ids,
)
from minitransformer.data import files as files_module
from minitransformer.data.byte_pairs import BytePairs
from minitransformer.data.download import VARIABLE
from minitransformer.data.files import lines, pieces
from minitransformer.data.shakespeare import PUBLISHED
from minitransformer.data.token_ids import files_of
from minitransformer.decoding import (
    beam_search,
    continuation,
    distribution,
    evaluate,
    evaluate_text,
    greedy,
    sample,
)
from minitransformer.inspection import attention_gradients, attention_weights
from minitransformer.layers import CrossEntropy
from minitransformer.plotting import plot_loss_curve
from minitransformer.runs import Run, configure, find_model, make_config
from minitransformer.training import Adam, in_shares, plain_loop, train
from minitransformer.training.trackers import TensorBoard, WeightsAndBiases

TEXT = "".join(
    f"{i}. To be, or not to be: that is the question — für {i * i} Ωmega 🦉?\n\n" for i in range(60)
)
ODD = {
    "nothing": b"", "no end": b"ab", "a line": b"ab\n", "CRLF": b"a\r\nb\r\n\r\nc", "CR": b"a\rb\r",
    "mark": b"\xef\xbb\xbfab\n\xef\xbb\xbfc", "signs": "é€🦉\u2028x\x0cy\x85z\n".encode() * 9,
    "long": ("ä" * 50 + "🦉" * 30).encode(), "CR and character": b"abcde\r\xc3\xa9fg\n",
}  # fmt: skip
ONE_SEQUENCE = ("language-model", "conv", "local-attention")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text(TEXT, encoding="utf-8", newline="\n")
    return tmp_path / "book.txt"


def own_text(path, **options):
    return make_task("text", text=str(path), **{"context": 8, **options})


def small(name="language-model", size=20, **options):
    """A model of one sequence, with few positions."""
    sizes = {"d_model": 16, "heads": 2, "d_ff": 24, "decoder_layers": 1, "dropout": 0.0}
    known = find_model(name).options()
    options = {k: v for k, v in {**sizes, **options}.items() if k in known}
    return find_model(name).model(
        configure(name, "toy", options, source_vocabulary=size, max_length=8), 0
    )


# -- reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("block", [1, 2, 3, 7, 2**20])
@pytest.mark.parametrize("packed", [False, True])
def test_the_pieces_of_a_file_are_its_lines_whatever_the_size_of_a_block(
    name, block, packed, tmp_path, monkeypatch
):
    monkeypatch.setattr(files_module, "BLOCK", block)
    (tmp_path / "x").write_bytes(gzip.compress(ODD[name]) if packed else ODD[name])
    expected = ODD[name].decode().removeprefix("\ufeff").replace("\r\n", "\n")
    assert "".join(accepted(lambda: [*pieces(tmp_path / "x")])) == expected
    if name not in ("CR", "no end", "long"):
        read = "\n".join(line for _, line in lines(tmp_path / "x"))
        assert read == expected.removesuffix("\n")


def test_a_text_may_be_a_single_line_of_any_length(tmp_path):
    (tmp_path / "x").write_text("ä" * 3_000_000, encoding="utf-8")
    assert "".join(accepted(lambda: [*pieces(tmp_path / "x")])) == "ä" * 3_000_000
    for good in (b"a" * 1_010_000, b"a" * 3_000_000, b"ab\n" * 500_000 + b"a" * 2_000_000):
        (tmp_path / "x").write_bytes(good + b"\xff" + b"a" * 100_000)
        line, place = good.count(b"\n") + 1, len(good) - good.rfind(b"\n")
        said = refusal(lambda: [*pieces(tmp_path / "x")])
        assert f"line {line}: it is not UTF-8: byte 0xff at place {place} " in said


@pytest.mark.parametrize(
    "content, said",
    [
        (b"one\ntwo\xff\n", "line 2: it is not UTF-8"), (b"a\n\nb\0c", "line 3: it contains a NUL"),
        (gzip.compress(TEXT.encode())[:-20], "cut short"), (b"\xff\xfea\0", "UTF-16"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_text_is_one_sentence_with_the_line(
    content, said, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("x").write_bytes(content)
    status, _, err = command("train --text x", capsys)
    assert status == 2 and said in err and err.count("\n") == 1 and "x" in err


# -- characters ------------------------------------------------------------------------------------


def test_every_text_comes_back_from_its_characters():
    vocabulary = ExactCharacters(sorted(set(TEXT)))
    assert vocabulary.text(vocabulary.encode(TEXT)) == TEXT
    assert vocabulary.encode(TEXT).tolist() == [vocabulary.ids[c] for c in TEXT]
    assert "".join(vocabulary.written(vocabulary.encode(TEXT))) == TEXT
    again = load_vocabulary(json.loads(json.dumps(vocabulary.to_dict())))
    assert type(again) is ExactCharacters and again.tokens == vocabulary.tokens


def test_a_character_that_is_none_of_the_tokens_is_unknown():
    vocabulary = ExactCharacters(["a", "b", "é"])
    text = "ab\0é\x7f🦉\ud800\U0010ffffa"
    known = [4, 5, UNK, 6, UNK, UNK, UNK, UNK, 4]
    assert vocabulary.encode(text).tolist() == known
    assert vocabulary.unknown(text) == [*"\0\x7f🦉\ud800\U0010ffff"]
    assert not vocabulary.unknown("abé")
    assert ExactCharacters([]).encode("a").tolist() == [UNK]


def test_the_bytes_of_a_character_wait_until_it_is_whole():
    vocabulary = BytePairs([])
    ids = vocabulary.encode("é🦉a")
    assert len(ids) == 7 and [*vocabulary.written(ids)] == ["é", "🦉", "a"]
    assert [*vocabulary.written(ids[:5])] == ["é", "�"]


# -- the ids of a text -----------------------------------------------------------------------------


@pytest.mark.parametrize("cut", ["characters", "byte-pairs"])
@pytest.mark.parametrize("block", [50, 2**20])
def test_the_ids_in_the_file_are_those_of_the_whole_text(cut, block, book, monkeypatch):
    monkeypatch.setattr(files_module, "BLOCK", block)
    task = own_text(book, cut=cut, pieces=300)
    ids = np.concatenate([task.ids("train"), task.ids("validation")])
    assert ids.dtype == np.uint16 and ids.tolist() == task.vocabulary.encode(TEXT).tolist()
    assert task.vocabulary.text(ids) == TEXT
    assert len(task.ids("train")) == 9 * len(ids) // 10


def test_they_are_made_once_and_a_later_run_does_not_read_the_text_again(book, monkeypatch, cache):
    task = own_text(book)
    first = task.ids("train").tolist()
    monkeypatch.setattr(token_ids, "pieces", lambda *_: pytest.fail("it is read again"))
    assert own_text(book).ids("train").tolist() == first
    book.write_text(TEXT + TEXT[:5], encoding="utf-8")
    with pytest.raises(pytest.fail.Exception, match="read again"):
        own_text(book).ids("train")


def test_two_texts_of_the_same_characters_are_two(book):
    assert own_text(book).ids("train")[0] == own_text(book).vocabulary.ids["0"]
    book.write_text(TEXT[::-1], encoding="utf-8")
    task = own_text(book)
    assert task.ids("train")[:5].tolist() == task.vocabulary.encode(TEXT[::-1][:5]).tolist()


def test_the_files_of_a_folder_follow_one_another_behind_an_end(tmp_path):
    for name, text in {"b.txt": "two\n", "a.txt": "one\n", "deep/c.txt.gz": "three", "d.md": "no"
                       }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        content = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(content) if name[-2:] == "gz" else content)
    task = own_text(tmp_path, context=2)
    vocabulary = task.vocabulary
    found = "".join("|" if i == EOS else vocabulary.tokens[i] for i in task.encoded.array)
    assert found == "one\n|two\n|three"
    named = own_text(f"{tmp_path / 'b.txt'}\n{tmp_path / 'a.txt'}", context=2)
    assert named.files[0] == [tmp_path / "b.txt", tmp_path / "a.txt"]
    assert task.begin == vocabulary.ids["\n"]
    (tmp_path / "x").mkdir()
    assert "holds no file" in refusal(lambda: own_text(tmp_path / "x").files)
    assert "Name a file" in refusal(lambda: make_task("text").files)


def test_a_text_that_has_changed_or_is_gone_is_refused(book):
    task = own_text(book).completed()
    assert task.sha256 == hashlib.sha256(TEXT.encode()).hexdigest() and task.text == str(book)
    again = make_task("text", text=task.text, sha256=task.sha256, context=8)
    assert again.ids("train") is not None
    book.write_text(TEXT.replace("question", "answer"), encoding="utf-8")
    gone = make_task("text", text=task.text, sha256=task.sha256, context=8)
    message = refusal(gone.ids, "train")
    assert "another text than before" in message and task.sha256 in message
    book.unlink()
    assert "cannot be read" in refusal(make_task("text", text=task.text).ids, "train")


def test_windows_together_predict_each_token_of_validation_once_and_batches_none_of_them(book):
    task = own_text(book)
    windows, ids = task.windows("validation", 10**6), task.ids("validation")
    assert windows[:, 1:].reshape(-1).tolist() == ids[1 : windows[:, 1:].size + 1].tolist()
    assert len(ids) - 1 - windows[:, 1:].size < task.context
    some = task.windows("validation", 3, seed=1)
    assert len(some) == 3 and len(task.windows("validation", 3, 1)) == 3
    assert {*map(tuple, some.tolist())} <= {*map(tuple, windows.tolist())}
    batch = task.batch(np.random.default_rng(0), 5000)
    assert batch.source is None and (batch.target_in[:, 1:] == batch.target_out[:, :-1]).all()
    training = task.ids("train").tolist()
    places = {tuple(training[i : i + 9]) for i in range(len(training) - 8)}
    drawn = {(*a, b) for a, (*_, b) in zip(batch.target_in.tolist(), batch.target_out.tolist())}
    assert drawn <= places
    assert tuple(training[-9:]) in drawn and tuple(training[:9]) in drawn


def test_a_text_that_is_too_short_says_how_much_it_has(book):
    message = refusal(own_text(book, context=1000).ids, "validation")
    assert "too few for windows of 1001" in message and f"{len(TEXT):,} tokens" in message
    book.write_text("")
    for cut in ("characters", "byte-pairs"):
        assert "The text is empty" in refusal(own_text(book, cut=cut).ids, "train")


def test_ids_that_are_removed_while_they_are_used_stay(book, cache):
    task = own_text(book)
    before = task.ids("train").tolist()
    removed = [file.unlink() for file in cache.rglob("ids")]
    assert len(removed) == 1
    try:
        assert task.ids("train").tolist() == before
    except OSError as problem:
        pytest.fail(str(problem))
    assert own_text(book).ids("train").tolist() == before


def test_options_that_make_no_sense_are_refused():
    assert "from 2 to 65,536, got 1" in refusal(make_task, "text", context=1)
    assert "got 10" in refusal(make_task, "text", pieces=10)
    for option in ("pieces", "context"):
        assert "to 65,536, got 65537" in refusal(make_task, "text", **{option: 65_537})
        assert accepted(make_task, "text", **{option: 65_536})
    assert "from 300" in refusal(make_task, "text", pieces=299)
    assert "'characters'" in refusal(make_task, "text", cut="character")
    assert "no split of a text 'test'" in refusal(make_task("text").ids, "test")
    config = make_config("copy", training_options={"batch_tokens": 9})
    config["task"] = {"name": "shakespeare", "options": {"cut": "characters", "pieces": 1000,
                                                         "context": 64}}  # fmt: skip
    assert "no batch_tokens" in refusal(Run, "x", config)


# -- what counts predict ---------------------------------------------------------------------------


@pytest.mark.parametrize("block", [3, 64, 2**20])
def test_the_losses_of_counts_are_those_of_the_formula(block, monkeypatch):
    monkeypatch.setattr(ngrams, "BLOCK", block)
    rng = np.random.default_rng(0)
    training, windows, size = rng.integers(4, 9, 200), rng.integers(4, 11, (5, 7)), 12
    single = collections.Counter(training.tolist())
    pairs = collections.Counter(zip(training.tolist(), training[1:].tolist()))

    def unigram(b):
        return (single[b] + 1) / (200 + size)

    def bigram(a, b):
        return (pairs[a, b] + 10 * unigram(b)) / (single[a] + 10)

    rows = windows.tolist()
    both = [(a, b) for row in rows for a, b in zip(row, row[1:])]
    found = ngrams.ngram_losses(training.astype("uint16"), windows, size)
    close(found["unigram"], -np.mean([math.log(unigram(b)) for _, b in both]))
    close(found["bigram"], -np.mean([math.log(bigram(a, b)) for a, b in both]))


def test_what_counts_predict_sums_to_one():
    training, size = np.random.default_rng(0).integers(4, 9, 201), 9
    last = int(training[-1])  # it has one follower less than it occurs
    for name in ("unigram", "bigram"):
        for a in {*range(4, size)} - {last}:
            p = [
                math.exp(-ngrams.ngram_losses(training, np.array([[a, b]]), size)[name])
                for b in range(size)
            ]
            close(sum(p), 1.0)


# -- what it measures ------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", ["characters", "byte-pairs"])
def test_the_loss_of_a_text_is_the_mean_over_all_its_tokens(cut, book, monkeypatch):
    task = own_text(book, cut=cut, pieces=300)
    model = small(size=len(task.vocabulary)).eval()
    found = evaluate_text(model, task, count=7, seed=3)
    windows = task.windows("validation", 7, 3)
    logits = model(None, windows[:, :-1])
    model.clear_saves()
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    total = -np.log(np.take_along_axis(p, windows[:, 1:, None], axis=-1)).sum()
    assert found["windows"] == 7 and found["tokens"] == 56
    close(found["loss"], total / 56, 1e-5)
    close(found["perplexity"], math.exp(found["loss"]))
    text = "".join(task.vocabulary.join(task.vocabulary.tokens[i] for i in windows[:, 1:].ravel()))
    close(found["bits_per_character"], found["loss"] * 56 / len(text) / math.log(2))
    close(found["bits_per_byte"], found["loss"] * 56 / len(text.encode()) / math.log(2))
    counted = ngrams.ngram_losses(task.ids("train"), windows, len(task.vocabulary))
    for name in ("unigram", "bigram"):
        close(found[f"{name}_loss"], counted[name])
        close(
            found[f"{name}_bits_per_character"], counted[name] * 56 / len(text) / math.log(2)
        )
    monkeypatch.setattr("minitransformer.decoding.evaluation.LOGITS", 1)
    assert evaluate_text(model, task, count=7, seed=3)["loss"] == pytest.approx(found["loss"])


def test_unknown_characters_count_as_characters(book):
    task = own_text(book)
    task.adopt(ExactCharacters([c for c in sorted(set(TEXT)) if c != "e"]))
    windows = task.windows("validation", 10**6)
    assert (windows == UNK).any() and task.size_of(windows)[0] == windows[:, 1:].size


# -- what it writes --------------------------------------------------------------------------------


def continued_plainly(model, prompt, count):
    """The most likely tokens, each from a forward over what fits: the definition."""
    read, positions, held = [*prompt], model.config.max_length, None
    for _ in range(count):
        if held is None or held == positions:
            if len(read) > positions:
                read = read[-(positions // 2) :]
            held = len(read) - 1
        held += 1
        logits = model(None, np.array([read[-held:]]))[0, -1]
        model.clear_saves()
        logits[:4] = -np.inf
        read.append(int(logits.argmax()))
        yield read[-1]


@pytest.mark.parametrize("name", ONE_SEQUENCE)
@pytest.mark.parametrize("length", [1, 5, 8, 9, 30])
def test_a_continuation_reads_what_fits_and_goes_on_from_the_last_half(name, length):
    model = small(name).eval()
    for seed in range(3):
        prompt = np.random.default_rng(seed).integers(4, 20, length)
        found = accepted(lambda: [*continuation(model, prompt, 25, rng=0, top_k=1)])  # noqa: B023
        assert found == [*continued_plainly(model, prompt.tolist(), 25)]


def test_a_continuation_never_writes_what_is_no_text():
    model = small().eval()
    model.output.weight.data[...] = 0  # every token is equally likely
    many = [*continuation(model, [5], 300, 0)]
    assert len(many) == 300 and {*many} == {*range(4, 20)}
    assert [*continuation(model, [5], 300, 0)] == many != [*continuation(model, [5], 300, 1)]
    assert [*continuation(model, [5], 0, 0)] == []


def test_temperature_top_k_and_top_p_choose_as_in_sample():
    model = small().eval()
    logits = model(None, np.array([[5]]))[:, -1].astype(float)
    model.clear_saves()
    logits[:, :4] = -np.inf
    for options in ({"temperature": 0.5}, {"top_k": 3}, {"top_p": 0.4}):
        expected = distribution(
            logits / options.get("temperature", 1), options.get("top_k", 0),
            options.get("top_p", 1.0),
        )[0]  # fmt: skip
        first = [next(continuation(model, [5], 1, seed, **options)) for seed in range(200)]
        counted = np.bincount(first, minlength=20) / 200
        assert np.abs(counted - expected).max() < 0.15 and not counted[expected == 0].any()


def test_what_cannot_be_continued_is_refused():
    assert "empty prompt" in refusal(lambda: [*continuation(small(), [], 3, 0)])
    assert "temperature" in refusal(lambda: continuation(small(), [5], 3, 0, temperature=0))


def test_each_kind_of_task_has_its_own_measure(book):
    assert "measure it with evaluate_text" in refusal(evaluate, small(), own_text(book))
    assert "measure it with evaluate." in refusal(evaluate_text, small(), make_task("copy"))


# -- source=None -----------------------------------------------------------------------------------


def windows_of(rng, count=6):
    return rng.integers(4, 20, (count, 9))


@pytest.mark.parametrize("name", ONE_SEQUENCE)
def test_without_a_source_training_and_searching_are_the_same_in_every_way(name):
    windows = windows_of(np.random.default_rng(0))

    def next_batch():
        return Batch(None, windows[:, :-1], windows[:, 1:])

    def trained(loop, **options):
        model = small(name).to("float64")
        losses = []
        hooks = {} if loop is plain_loop else {"hooks": [lambda p: losses.append(p.loss)]}
        found = loop(
            model, CrossEntropy(), Adam(model, 1e-3), next_batch, 4, 1.0, **hooks, **options
        )
        return model, found or losses

    model, losses = trained(plain_loop)
    assert losses[-1] < losses[0]
    for strategy in (in_shares(1), in_shares(1, True), in_shares(3, True)):
        other, found = trained(train, strategy=strategy)
        close(found, losses, 1e-10)
        for path, value in model.state_dict().items():
            close(other.state_dict()[path], value, 1e-9)
    model.eval()
    best = greedy(model, None, 6)
    assert best.shape[0] == 1 and beam_search(model, None, 6, beam=1).tolist() == best.tolist()
    assert sample(model, None, 6, 0, top_k=1).tolist() == best.tolist()


def test_a_batch_without_a_source_has_its_targets_alone():
    batch = make_batch(None, np.array([[4, 5], [6, 0]]))
    assert batch.source is None and batch.target_in.tolist() == [[1, 4, 5], [1, 6, 0]]
    assert batch.target_out.tolist() == [[4, 5, 2], [6, 2, 0]]
    assert "no sequences" in refusal(make_batch, None, np.zeros((0, 3), dtype=int))


def test_attention_begins_behind_the_token_that_is_named():
    model = small().to("float64")
    window = np.array([7, 5, 9, 4, 11])
    weights = attention_weights(model, None, window[1:], begin=7)["self"]
    assert weights.shape[-2:] == (4, 4)
    longer = attention_weights(model, window[:1], window[1:])["self"]  # another way to read it
    assert longer.shape[-2:] == (5, 5)
    later = attention_weights(model, None, [*window[1:], 6], begin=7)["self"]
    close(later[..., :4, :4], weights)
    assert (weights != attention_weights(model, None, window[1:])["self"]).any()
    close(attention_gradients(model, None, window[1:], 7)["self"].sum(-1), np.zeros((1, 2, 4)))


# -- runs and commands -----------------------------------------------------------------------------

TINY = (
    "--d-model 16 --heads 2 --d-ff 24 --decoder-layers 1 --context 16 --batch-size 4 "
    "--evaluate-count 5 --no-pictures"
)


@pytest.fixture
def trained(book, capsys):
    status, out, err = command(
        f"train --text book.txt --steps 6 --evaluate-every 3 --save-every 3 {TINY} --out r", capsys
    )
    assert status == 0, err
    return out


def test_a_text_is_trained_on_with_samples_and_what_counts_predict(trained, book):
    metrics = Run.open("r").metrics.read()
    samples = [line["sample"] for line in metrics if "sample" in line]
    assert len(samples) == 2 and all(len(sample) == 200 for sample in samples)
    for step, written in zip((3, 6), samples):
        assert f"step {step}, a sample: {written.strip()}" in trained
    assert "bits a character (by counts: unigram " in trained and "generate r" in trained
    measured = [line for line in metrics if "validation_loss" in line]
    assert [line["step"] for line in measured] == [3, 6]
    assert measured[0]["bigram_loss"] == measured[1]["bigram_loss"] < measured[0]["unigram_loss"]
    axes = plot_loss_curve(metrics).axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert {"unigram counts", "bigram counts"} <= {*labels}


def test_a_run_of_a_text_goes_on_as_if_it_had_not_stopped(book, tmp_path):
    sizes = {"d_model": 16, "heads": 2, "d_ff": 24, "decoder_layers": 1, "dropout": 0.1}
    training = {"steps": 9, "batch_size": 4, "save_every": 4, "evaluate_count": 4}
    config = make_config("text", {"text": "book.txt", "context": 8}, None, None, sizes, training)
    assert config["model"]["name"] == "language-model"
    assert config["model"]["options"]["max_length"] == 8
    whole = finished(Run.create(tmp_path / "whole", config))
    part = Run.create(tmp_path / "part", config)
    part.last_step = 5
    finished(part)
    assert weights_and_state(finished(Run.resume(tmp_path / "part"))) == weights_and_state(whole)


def test_generate_writes_a_text_behind_its_prompt_or_from_nothing(trained, book, capsys):
    status, out, err = command("generate r 'To be' --max-tokens 40", capsys)
    assert status == 0 and out.startswith("To be") and len(out) == 46 and not err
    assert command("generate r 'To be' --max-tokens 40 --seed 1", capsys)[1] != out
    assert command("generate r 'To be' --max-tokens 40 --seed 0", capsys)[1] == out
    for options in ("--temperature 0.5", "--top-k 1", "--top-p 0.5"):
        assert command(f"generate r --max-tokens 9 {options}", capsys)[0] == 0
    status, out, _ = command("generate r --max-tokens 30", capsys)
    assert status == 0 and len(out) == 31
    status, out, err = command("generate r 'Žt' --max-tokens 3", capsys)
    assert status == 0 and "'Ž' occurred nowhere" in err and out.startswith("Žt")


def test_generate_says_when_its_prompt_is_longer_than_what_is_read(trained, book, capsys):
    context = Run.open("r").task.context
    status, out, err = command(f"generate r {'t' * context} --max-tokens 3", capsys)
    assert status == 0 and not err and len(out) == context + 4
    status, out, err = command(f"generate r {'t' * (context + 1)} --max-tokens 3", capsys)
    assert status == 0 and len(out) == context + 5
    assert err == (
        f"minitransformer: The beginning has {context + 1} tokens, and the model was trained on "
        f"{context} at most: it goes on from the last {context // 2}.\n"
    )


def test_each_token_is_written_as_it_comes(trained, book, monkeypatch):
    flushed = []

    class Terminal(io.StringIO):
        def flush(self):
            flushed.append(self.getvalue())

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Terminal())
        assert main(["generate", "r", "To", "--max-tokens", "5"]) == 0
    assert [len(text) for text in flushed[:5]] == [3, 4, 5, 6, 7]


def writing_child():
    """A process that is writing a long text."""
    child = subprocess.Popen(
        [sys.executable, "-m", "minitransformer", "generate", "r", "--max-tokens", "1000000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    assert child.stdout.read(20)
    return child


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a child there")
def test_ctrl_c_ends_what_is_written_with_a_line_and_the_status_of_every_command(trained, book):
    child = writing_child()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130 and out.endswith(b"\n")
    assert err == b"minitransformer: interrupted.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are others there")
def test_it_ends_quietly_when_nobody_reads_any_more(trained, book):
    child = writing_child()
    child.stdout.close()
    assert child.stderr.read() == b"" and child.wait(60) == 0


def test_a_run_of_a_text_says_which_command_asks_it(trained, book, capsys):
    for asked in ("predict r x", "translate r x"):
        status, _, err = command(asked, capsys)
        assert status == 2 and 'generate r "Once upon"' in err and err.count("\n") == 1
    status, _, err = command("generate numbers-en-de x", capsys)
    assert status == 2 and "minitransformer translate numbers-en-de" in err


def test_it_is_evaluated_drawn_and_exported(trained, book, capsys):
    status, out, _ = command("evaluate r --count 4", capsys)
    assert status == 0 and "4 windows of the validation text, 64 tokens" in out
    assert re.search(r"bigram counts +\d", out) and "perplexity" in out
    found = json.loads(command("evaluate r --json --split train", capsys)[1])
    assert found["split"] == "train" and found["bits_per_character"] > 0
    assert "no split of a text 'test'" in command("evaluate r --split test", capsys)[2]
    assert "without a search" in command("evaluate r --beam 3", capsys)[2]
    status, out, err = command("plot r --text 'To be, or not' --out p", capsys)
    assert status == 0 and "attention-self.png" in out and "attention-strip.png" in out, err
    assert "influence" not in out
    assert "at least two tokens" in command("plot r --text a", capsys)[2]
    assert command("export r small.safetensors", capsys)[0] == 0
    book.unlink()
    assert command("generate small.safetensors To --max-tokens 4", capsys)[0] == 0
    status, _, err = command("evaluate r", capsys)
    assert status == 2 and "book.txt. Put it back" in err


def test_a_text_needs_a_model_that_reads_one_sequence(book, capsys):
    status, _, err = command("train --text book.txt --model rnn", capsys)
    assert status == 2 and "language-model, conv, local-attention" in err
    for model in ("conv", "local-attention"):
        line = f"train --text book.txt --model {model} --steps 1 --context 16 --batch-size 2"
        status, _, err = command(f"{line} --evaluate-count 1 --no-pictures --out {model}", capsys)
        assert status == 0, err
        assert command(f"generate {model} To --max-tokens 20", capsys)[0] == 0


def test_several_files_are_one_text(book, tmp_path, capsys):
    (tmp_path / "second.txt").write_text(TEXT[:300], encoding="utf-8")
    line = f"train --text book.txt second.txt --steps 1 {TINY} --out two"
    assert command(line, capsys)[0] == 0
    options = json.loads(Path("two/config.json").read_text())["task"]["options"]
    assert options["text"].split("\n") == [str(book), str(tmp_path / "second.txt")]


# -- Tiny Shakespeare ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["input.txt", "input.txt.gz"])
def test_shakespeare_is_read_packed_or_not_and_checked(name, tmp_path, monkeypatch):
    content = TEXT.encode()
    monkeypatch.setitem(PUBLISHED.sha256, "input.txt", hashlib.sha256(content).hexdigest())
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    folder = tmp_path / "tinyshakespeare"
    assert "no folder tinyshakespeare" in refusal(lambda: make_task("shakespeare").files)
    folder.mkdir()
    (folder / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    task = make_task("shakespeare", context=8)
    assert len(task.ids("train")) == 9 * len(TEXT) // 10
    (folder / name).write_bytes(gzip.compress(b"no") if name.endswith("gz") else b"no")
    message = refusal(lambda: make_task("shakespeare").files)
    assert "is not the file that was published" in message and "char-rnn" in message


def test_shakespeare_is_downloaded_once(tmp_path, monkeypatch, cache, capsys):

    asked = []

    def urlopen(address, timeout):
        asked.append(address)
        return io.BytesIO(TEXT.encode())

    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setitem(PUBLISHED.sha256, "input.txt", hashlib.sha256(TEXT.encode()).hexdigest())
    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    for _ in range(2):
        assert make_task("shakespeare").files[0][0].read_text(encoding="utf-8") == TEXT
    assert asked == [
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
    ]


def test_the_recipe_is_that_of_nanogpts_readme_for_a_small_computer():
    task = make_task("shakespeare")
    assert (task.context, task.cut) == (64, "characters")
    recipe = task.recipe
    config = find_model(recipe.kind).config.preset(recipe.preset, **recipe.model)
    assert (config.decoder_layers, config.heads, config.d_model, config.d_ff) == (4, 4, 128, 512)
    assert config.dropout == 0 and recipe.training["batch_size"] == 12
    assert recipe.training["steps"] == 2000


# -- other programs --------------------------------------------------------------------------------


class StandIn:
    """What the libraries of TensorBoard and of Weights & Biases do, as far as we need it."""

    def __init__(self):
        self.written = []

    def add_scalar(self, name, value, step):
        self.written.append((step, name, value))

    def log(self, values, step):
        self.written += [(step, name, value) for name, value in values.items()]


@pytest.mark.parametrize("name", ["tensorboardX", "wandb"])
def test_a_training_is_written_for_other_programs(name, monkeypatch):
    there, windows = StandIn(), windows_of(np.random.default_rng(0))
    module = types.ModuleType(name)
    module.SummaryWriter = module.init = lambda *_, **__: there
    monkeypatch.setitem(sys.modules, name, module)
    hook = TensorBoard("logs") if name == "tensorboardX" else WeightsAndBiases(project="x")
    model, steps = small(), []
    train(
        model, CrossEntropy(), Adam(model), lambda: Batch(None, windows[:, :-1], windows[:, 1:]), 3,
        hooks=[hook, steps.append],
    )
    assert [w for w in there.written if w[1] == "loss"] == [(p.step, "loss", p.loss) for p in steps]
    assert {name for _, name, _ in there.written} == {*steps[0]._fields}


def test_without_the_library_a_sentence_says_what_to_install(monkeypatch):
    for name, hook in (("tensorboardX", TensorBoard), ("wandb", WeightsAndBiases)):
        monkeypatch.setitem(sys.modules, name, None)
        message = refusal(hook, *(["logs"] if hook is TensorBoard else []))
        assert name in message and "minitransformer[trackers]" in message


class Terminal(io.StringIO):
    def isatty(self):
        return True


class OutputOfACell(io.StringIO):
    """Standard error in a notebook."""

    __module__ = "ipykernel.iostream"


@pytest.mark.parametrize("stream, shows", [
    (Terminal, True), (OutputOfACell, True), (io.StringIO, False), (lambda: None, False),
])  # fmt: skip
def test_a_training_in_python_shows_a_bar_where_it_can_be_seen(stream, shows, monkeypatch):
    """With the loss, unless it is told not to; a training of less than a second shows none."""
    model = small()
    batch = Batch(None, np.array([[4, 5, 6]]), np.array([[5, 6, 7]]))

    def trained_for(pause, **options):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", stream())
            optimizer = Adam(model, 1e-3)
            hooks = [lambda progress: time.sleep(pause)]
            train(model, CrossEntropy(), optimizer, lambda: batch, 4, hooks=hooks, **options)
            return sys.stderr.getvalue() if sys.stderr else ""

    shown = trained_for(0.4)
    assert ("4/4" in shown and "loss=" in shown) == shows and bool(shown) == shows
    assert not trained_for(0.4, bar=False) and not trained_for(0)


def test_a_bar_makes_no_warning_where_widgets_are_missing():
    """In a notebook without ipywidgets, tqdm warns when it is imported."""
    program = """if True:
        import sys, types, warnings
        shell = types.SimpleNamespace(config={"IPKernelApp": {}})
        names = ("IPython", "IPython.display", "ipykernel", "ipykernel.zmqshell")
        ipython, display, *_ = (sys.modules.setdefault(n, types.ModuleType(n)) for n in names)
        ipython.get_ipython = lambda: shell
        display.display = display.HTML = None
        sys.modules["ipywidgets"] = None
        warnings.simplefilter("always")
        from minitransformer.terminal.progress import progress_bar
        with progress_bar(total=2) as bar:
            bar.update(2)
    """
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "JPY_PARENT_PID": "1"},
    )  # fmt: skip
    assert done.returncode == 0 and "2/2" in done.stderr and "Warning" not in done.stderr


@pytest.mark.parametrize("damage", [
    lambda content: content[: len(content) // 2], lambda content: content[:-1],
    lambda content: content[:-20] + bytes(20), lambda content: b"",
])  # fmt: skip
def test_what_is_kept_of_a_text_and_was_damaged_is_made_anew(book, cache, damage):
    right = own_text(book)
    ids, tokens = right.encoded.array.tolist(), right.vocabulary.tokens
    for name in ("ids", "facts.json"):
        files = [*cache.rglob(name)]
        assert files
        for file in files:
            file.write_bytes(damage(file.read_bytes()))
        again = own_text(book)
        assert again.vocabulary.tokens == tokens and again.encoded.array.tolist() == ids


def test_characters_and_bytes_of_windows_that_cut_characters_are_those_of_their_tokens(tmp_path):
    """At the ends of a window may be parts of a character: each byte counts once."""
    text = "".join(chr(0x4E00 + i * i * 7 % 5000) for i in range(3000))
    (tmp_path / "x.txt").write_text(text, encoding="utf-8")
    task = own_text(tmp_path / "x.txt", cut="byte-pairs", pieces=300)
    for count in (1, 3, 1000):
        windows = task.windows("validation", count)
        content = b"".join(task.vocabulary.encoding.bytes[int(i)] for i in windows[:, 1:].ravel())
        characters = len(content) - sum(0x80 <= byte < 0xC0 for byte in content)
        assert task.size_of(windows) == (characters, len(content))


def test_a_file_is_read_once_however_often_it_is_named_and_hidden_ones_never(tmp_path):
    (tmp_path / "a.txt").write_text("one ", encoding="utf-8")
    (tmp_path / "B.TXT").write_text("two ", encoding="utf-8")
    (tmp_path / ".hidden.txt").write_text("three", encoding="utf-8")
    (tmp_path / "c.txt").mkdir()
    files = [file.name for file in files_of(f"{tmp_path / 'a.txt'}\n{tmp_path}")]
    assert files == ["a.txt", "B.TXT"]
