"""Texts through a model and their scores; words on the axes of a picture; what the commands make of
both."""

import contextlib
import dataclasses
import io
import json
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from common import close, is_written_so, letters_of, nearly_numbers, refusal, run

from minitransformer.cli import asking
from minitransformer.data import EOS, TASKS, Pieces, Subwords, make_batch
from minitransformer.data.corpus import Corpus
from minitransformer.data.spelling import spell, written
from minitransformer.data.task import Recipe
from minitransformer.data.vocabulary import padded
from minitransformer.decoding import answers, bleu, greedy, remarks, translate
from minitransformer.decoding.translation import longest_answer
from minitransformer.errors import InputError
from minitransformer.inspection import attention_weights, by_words
from minitransformer.models import LanguageModel, Transformer, TransformerConfig
from minitransformer.plotting import plot_attention, plot_influence
from minitransformer.runs import Run
from minitransformer.runs import run as run_module
from minitransformer.runs.checkpoint import load_checkpoint, save_checkpoint
from minitransformer.terminal.extras import EXTRAS

SENTENCES = [
    f"{who} {does} {where}."
    for who in ("a dog", "a man", "two cats")
    for does in ("sees", "runs")
    for where in ("here", "in the street")
]


@dataclasses.dataclass(frozen=True)
class Shouts(Corpus):
    """Say it twice."""

    recipe = Recipe("toy",
                    {"steps": 12, "batch_tokens": 60, "save_every": 3, "keep": 4, "average": 3,
                     "evaluate_every": 6, "evaluate_count": 4},
                    {"d_model": 16, "heads": 2, "d_ff": 24, "tie_embeddings": True})  # fmt: skip
    scored_by_bleu = True
    source, target = "en", "en"

    def make_vocabulary(self):
        return Subwords.learn(SENTENCES, 60)

    def sentences(self, split):
        part = {"train": SENTENCES[:8], "validation": SENTENCES[8:10], "test": SENTENCES[10:]}[
            split
        ]
        return part, [text + " " + text for text in part]


@dataclasses.dataclass(frozen=True)
class Owls(Corpus):
    """Say it again: training has texts of at most two words, validation and test have longer
    ones."""

    recipe = Recipe("toy", {"steps": 2}, {"d_model": 16, "heads": 2, "d_ff": 24})
    source, target = "en", "en"

    def make_vocabulary(self):
        return Pieces.of(
            [],
            "morphemes",
            [
                text
                for split in ("train", "validation", "test")
                for text in self.sentences(split)[0]
            ],
        )

    def sentences(self, split):
        texts = {"train": ["owls fly", "owls see", "bats fly"]}.get(split, ["owls see owls fly"])
        return texts, texts


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(TASKS, "shouts", Shouts)


@pytest.fixture
def trained(capsys):
    assert run("train shouts --no-pictures", capsys)[0] == 0
    return Path("runs/shouts")


class Echo:
    """A stand-in whose every answer is its source, and which counts how it is asked."""

    config = TransformerConfig(source_vocabulary=20)
    encoder = None

    def __init__(self):
        self.batches = []

    def search(self, model, source, max_tokens):
        self.batches.append(source.shape)
        return np.concatenate([source, np.full((len(source), 1), EOS)], axis=1)


def test_answers_come_in_the_order_of_the_texts_and_like_lengths_go_together():
    vocabulary = Pieces.of(["abcdefgh "], "characters")
    texts = ["abcd", "a", "abcdefgh", "bb", "hg fe", "a"]
    echo = Echo()
    assert translate(echo, vocabulary, texts, echo.search, batch_size=2) == texts
    assert echo.batches == [(2, 1), (2, 4), (2, 8)]
    assert translate(echo, vocabulary, [], echo.search) == []


def test_a_model_gives_up_after_twice_the_length_and_8_or_when_it_is_full():
    model = Transformer(TransformerConfig.preset("toy", max_length=20), 0)
    source = padded([[4] * 4, [4] * 12, [4] * 5])
    assert longest_answer(model, source).tolist() == [16, 20, 18] and longest_answer(
        model, source, 17
    ).tolist() == [17, 17, 17]
    assert longest_answer(model, None).tolist() == [8]
    assert longest_answer(LanguageModel(model.config, 0), source, 17).tolist() == [16, 8, 15]


def test_a_search_is_told_the_limit_of_each_text():
    told, vocabulary = [], Pieces.of(["ab"], "characters")

    def search(model, source, max_tokens):
        told.append(max_tokens.tolist())
        return source

    translate(Echo(), vocabulary, ["a", "abab", "ab"], search)
    translate(Echo(), vocabulary, ["a", "abab", "ab"], search, max_tokens=9)
    assert told == [[10, 12, 16], [9, 9, 9]]


NUMBERS = """seven | forty-two | nineteen | one hundred and one | nine hundred and ninety-nine
twelve | zero | seventy-six | eighty-three | one thousand and four
five thousand, two hundred and eleven | twelve thousand, three hundred and forty-five | sixty
six | seventy-six | four hundred and four thousand and forty | one hundred thousand
nine hundred and ninety-nine thousand, nine hundred and ninety-nine"""
NUMBERS = [text.strip() for line in NUMBERS.splitlines() for text in line.split("|")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", ["--beam 1", "", "--temperature 2", "--temperature 1.5 --top-k 5 --seed 3"]
)
def test_line_n_of_a_file_is_answered_as_alone_whatever_stands_beside_it(capsys, options):
    alone = {
        text: run(f"translate numbers-en-de '{text}' {options}", capsys)[1] for text in NUMBERS
    }
    assert len(set(alone.values())) > 10
    for seed in range(3):
        lines = [str(text) for text in np.random.default_rng(seed).choice(NUMBERS, 100)]
        Path("some.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        assert run(f"translate numbers-en-de --file some.txt {options}", capsys)[1] == "".join(
            alone[text] for text in lines
        )


def test_predict_and_translate_give_the_same_answers_by_the_same_options(capsys):
    texts = " ".join(f"'{text}'" for text in NUMBERS[:9])
    for options in (
        "", "--beam 1", "--beam 7 --alpha 0", "--temperature 3 --seed 2", "--early-stopping",
        "--max-tokens 2",
    ):
        translated = run(f"translate numbers-en-de {texts} {options}", capsys)[1].splitlines()
        predicted = run(f"predict numbers-en-de {texts} {options}", capsys)[1].splitlines()
        assert [tokens.replace(" ", "") for tokens in predicted] == [
            text.replace(" ", "") for text in translated
        ]
        assert len(translated) == 9


def test_what_is_evaluated_is_what_is_answered(capsys, monkeypatch):
    """The search is replaced by one that gives up after two tokens: the figure must show it."""
    pytest.importorskip("num2words")
    task = Run.open("numbers-en-de").task
    source, target = task.sample(np.random.default_rng(5), 60, "test", distinct=True)
    questions, right = ([task.vocabulary.text(ids) for ids in both] for both in (source, target))
    Path("some.txt").write_text("\n".join(questions) + "\n", encoding="utf-8")
    shares = {}
    monkeypatch.setattr(
        asking, "beam_search", lambda model, source, max_tokens, **_: greedy(model, source, 2)
    )
    for options in ("--alpha 1 --beam 6", "", "--beam 1", "--beam 4 --early-stopping"):
        lines = run(f"translate numbers-en-de --file some.txt {options}", capsys)[1].splitlines()
        result = json.loads(
            run(f"evaluate numbers-en-de --count 60 --seed 5 {options} --json", capsys)[1]
        )
        shares[options] = result["exact_match"]
        assert result["exact_match"] == np.mean(
            [line == text for line, text in zip(lines, right, strict=True)]
        )
        assert result["decoding"] == {
            "--alpha 1 --beam 6": "beam 6, alpha 1.0",
            "": "beam 4, alpha 0.6",
            "--beam 1": "greedy",
            "--beam 4 --early-stopping": "beam 4, alpha 0.6, early stopping",
        }[options]  # fmt: skip
    assert 0 < shares[""] < 0.5 < shares["--beam 1"]
    assert "(beam 4, alpha 0.6)" in run("evaluate numbers-en-de --count 5", capsys)[1]


def test_more_tokens_than_the_model_has_positions_for_are_not_asked_of_it(trained, capsys):
    status, out, err = run("translate runs/shouts 'a dog' --beam 1 --max-tokens 100000", capsys)
    assert status == 0 and out.count("\n") == 1 and "positions" not in err


def test_bleu_is_sacrebleus_and_says_how_it_was_counted():
    score, signature = bleu(
        ["the Cat sat on the mat today .", "a dog"], ["The cat sat on the mat today.", "two dogs"]
    )
    assert (
        50 < score < 100
        and "case:lc" in signature
        and "tok:13a" in signature
        and "version:" in signature
    )
    assert bleu(SENTENCES, SENTENCES)[0] == pytest.approx(100)


def test_lists_that_do_not_belong_together_are_refused_with_both_counts():
    from minitransformer.study.translators import scores

    class Uneven(Shouts):
        def sentences(self, split):
            return SENTENCES[:3], SENTENCES[:5]

    message = refusal(bleu, ["one"], ["a reference", "another"])
    assert "1 translations and 2 references" in message
    assert "0 translations and 2 references" in refusal(bleu, [], ["a reference", "another"])
    assert "0 translations and 0 references" in refusal(bleu, [], [])
    assert "a list of texts" in refusal(bleu, "one", "one")
    assert "3 sources and 1 answers" in refusal(scores, ["a", "b", "c"], ["a"], ["a"])
    assert "2 sources and 3 targets" in refusal(make_batch, np.full((2, 4), 5), np.full((3, 4), 5))
    assert "3 sources and 5 targets" in refusal(Uneven().encoded, "train")
    with pytest.raises(ValueError, match="shorter"):
        answers(Echo(), [np.array([4]), np.array([5])], lambda model, source, limits: source[:1])


# -- words -----------------------------------------------------------------------------------------


def test_a_map_of_words_sums_over_keys_and_averages_over_queries():
    weights = np.random.default_rng(0).dirichlet(np.ones(5), size=(2, 4))  # (2, T 4, S 5)
    words = by_words(weights, [1, 2, 1], [2, 3])
    assert words.shape == (2, 3, 2)
    close(words.sum(axis=-1), np.ones((2, 3)))
    close(words[1, 1, 0], (weights[1, 1, :2].sum() + weights[1, 2, :2].sum()) / 2)
    close(words[0, 2, 1], weights[0, 3, 2:].sum())
    close(by_words(weights, [1] * 4, [1] * 5), weights)


def test_words_and_sizes_cut_ids_into_words_for_an_axis():
    vocabulary = Pieces.of(["seventy-nine", "neunundsiebzig"], "characters")
    ids = [*vocabulary.encode("seventy-nine"), EOS]
    assert (
        vocabulary.words_and_sizes(ids)
        == vocabulary.words_and_sizes(ids, written=True)
        == (["seventy", "nine", "<eos>"], [7, 5, 1])
    )
    cut_off = vocabulary.encode("neunundsiebzig")
    assert vocabulary.words_and_sizes(cut_off) == (["neun", "und", "siebzig"], [4, 3, 7])
    assert vocabulary.words_and_sizes(cut_off, written=True) == (
        ["neun", "und", "siebzi", "g"],
        [4, 3, 6, 1],
    )
    assert vocabulary.words_and_sizes([3, *vocabulary.encode("nine"), EOS, 0]) == (
        ["<unk>", "nine", "<eos>", "<pad>"],
        [1, 4, 1, 1],
    )


@pytest.mark.parametrize(
    "kind, queries, keys",
    [("encoder", [2, 3], [2, 3]), ("decoder", [3, 1, 1], [1, 3, 1]), ("cross", [3, 1, 1], [2, 3])],
)
def test_a_picture_of_words_shows_the_merged_map(kind, queries, keys):
    model = Transformer(TransformerConfig.preset("toy"), 0)
    source, target = np.array([4, 5, 6, 7, 8]), np.array([9, 10, 11, 12, EOS])
    figure = plot_attention(
        model, source, target, ["ab", "cde"], ["fgh", "i", "<eos>"], kind, sizes=([2, 3], [3, 1, 1])
    )
    expected = by_words(attention_weights(model, source, target)[kind], queries, keys)
    shown = [
        axis.images[0].get_array()
        for axis in figure.axes
        if axis.images and axis.images[0].get_array().shape == (len(queries), len(keys))
    ]
    assert len(shown) == 8
    for image, layer_and_head in zip(shown, expected.reshape(8, len(queries), len(keys))):
        close(np.asarray(image), layer_and_head)


def test_influence_is_merged_too_and_rows_still_sum_to_one():
    model = Transformer(TransformerConfig.preset("toy"), 0)
    figure = plot_influence(
        model, np.array([4, 5, 6]), np.array([9, 10, EOS]), ["ab", "c"], ["de", "<eos>"],
        sizes=([2, 1], [2, 1]),
    )
    image = np.asarray(figure.axes[0].images[0].get_array())
    assert image.shape == (2, 2)
    close(image.sum(axis=1), np.ones(2), atol=1e-6)


def test_sizes_that_do_not_cut_the_ids_are_refused():
    model = Transformer(TransformerConfig.preset("toy"), 0)
    source, target = np.array([4, 5, 6]), np.array([9, EOS])
    assert "do not cut its 3 ids" in refusal(
        plot_attention, model, source, target, ["a"], ["b", "c"], sizes=([2], [1, 1])
    )
    assert "last word of a target has one id" in refusal(
        plot_attention, model, source, target, ["a"], ["b"], sizes=([3], [2])
    )


# -- the commands ----------------------------------------------------------------------------------


def test_a_corpus_is_trained_on_translated_and_scored(trained, capsys):
    status, out, _ = run("evaluate runs/shouts --write kept.tsv", capsys)
    assert status == 0 and "BLEU" in out and "tok:13a" in out and "beam 4, alpha 0.6" in out
    lines = [line.split("\t") for line in Path("kept.tsv").read_text(encoding="utf-8").splitlines()]
    assert [line[:2] for line in lines] == [[text, text + " " + text] for text in SENTENCES[10:]]
    shown = run("evaluate runs/shouts --split train --show 2", capsys)[1]
    assert shown.count("reference") == shown.count("translation") == 2 and "BLEU" in shown
    result = json.loads(run("evaluate runs/shouts --split validation --beam 1 --json", capsys)[1])
    assert (
        result["decoding"] == "greedy" and result["sentences"] == 2 and 0 <= result["bleu"] <= 100
    )


def test_texts_a_file_and_standard_input_are_translated_alike_line_by_line(
    trained, capsys, monkeypatch
):
    texts = ["A dog sees.", "two cats in the street"]
    status, out, _ = run(f"translate runs/shouts '{texts[0]}' '{texts[1]}' --max-tokens 5", capsys)
    assert status == 0 and len(out.splitlines()) == 2
    Path("some.txt").write_text(f"{texts[0]}\n\n{texts[1]}\n", encoding="utf-8")
    from_file = run("translate runs/shouts --file some.txt --max-tokens 5", capsys)[1].split("\n")
    assert [from_file[0], from_file[2]] == out.splitlines() and from_file[1] == ""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{texts[1]}\n"))
    assert run("translate runs/shouts --max-tokens 5", capsys)[1] == from_file[2] + "\n"


def test_options_may_stand_between_run_and_texts(trained, capsys):
    plain = run("translate runs/shouts 'a dog' 'a man' --beam 1 --max-tokens 4", capsys)
    assert plain[0] == 0 and plain == run(
        "translate --beam 1 runs/shouts 'a dog' --max-tokens 4 'a man'", capsys
    )
    assert (
        run("translate runs/shouts --beem 1 'a dog'", capsys)[2].count("did you mean --beam?") == 1
    )


def test_a_line_that_cannot_be_answered_is_named_and_leaves_its_place(capsys):
    Path("some.txt").write_text("\ufeffone\n\ntwo\u2028\nfoo bar\nfour\n", encoding="utf-8")
    status, out, err = run("translate numbers-en-de --file some.txt", capsys)
    assert status == 2 and out.splitlines() == ["eins", "", "zwei", "", "vier"]
    assert err.startswith("minitransformer: Line 4: 'foo'") and err.count("\n") == 1
    Path("latin.txt").write_bytes(b"one\nf\xfcnf\ntwo")
    status, out, err = run("translate numbers-en-de --file latin.txt", capsys)
    assert status == 2 and out.splitlines() == ["eins", "", "zwei"]
    assert "Line 2: latin.txt is not UTF-8 text: byte 0xfc at place 2. Save it as UTF-8." in err


def test_greedy_a_beam_and_samples_are_chosen_by_options(trained, capsys):
    outs = {
        options: run(f"translate runs/shouts 'a dog runs here' --max-tokens 6 {options}", capsys)[1]
        for options in (
            "--beam 1", "--top-k 1", "--temperature 5", "--temperature 5 --seed 1",
            "--temperature 5 --top-p 0.9",
        )
    }
    assert outs["--beam 1"] == outs["--top-k 1"]
    assert len(set(outs.values())) >= 3


@pytest.mark.parametrize(
    "command, part",
    [
        ("translate runs/shouts ''", "nothing to read"),
        ("translate runs/shouts a --temperature 0", "not a number above 0"),
        ("translate runs/shouts a --beam 0", "at least 1"),
        ("translate runs/shouts a --top-p 1.5", "top_p"),
        ("translate runs/shouts --file no.txt", "no.txt cannot be read: No such file"),
        ("translate runs/shouts --file ''", " cannot be read: No such file"),
        ("translate runs/shouts a --file no.txt", "not both"),
        ("translate runs/shouts a --beam 2 --top-k 3", "Beam search and sampling"),
        ("translate runs/shouts a --alpha nan", "from 0 (no penalty of length) to 10"),
        ("translate runs/shouts a --alpha 1e5", "from 0 (no penalty of length) to 10"),
        ("plot runs/shouts --text ''", "nothing to read"),
        ("evaluate numbers-en-de --show 3", "this run's task has none"),
        ("evaluate runs/shouts --write no/where.tsv", "No such file"),
        ("translate runs/nothing a", "There is no run"),
        ("export runs/shouts weights.bin", ".safetensors"),
    ],
)
def test_what_cannot_be_translated_is_answered_with_a_sentence(trained, capsys, command, part):
    status, _, err = run(command, capsys)
    assert status in (1, 2) and part in err and "Traceback" not in err


@pytest.mark.slow
def test_a_run_of_words_is_drawn_by_words(trained, capsys):
    status, out, _ = run("plot runs/shouts --text 'a dog runs' --out pictures", capsys)
    assert status == 0 and {"attention-cross.png", "influence.png"} <= {
        path.name for path in Path("pictures").iterdir()
    }


# -- averaging, exporting, what comes with the package ---------------------------------------------


def test_a_folder_is_opened_as_the_mean_of_its_last_checkpoints_and_a_file_as_it_is(trained):
    files = sorted((trained / "checkpoints").iterdir())
    assert len(files) == 4
    states = [Run.open(file).model.state_dict() for file in files]
    for name, array in Run.open(trained).model.state_dict().items():
        close(array, np.mean([state[name] for state in states[1:]], axis=0), atol=1e-6)


def test_a_stop_between_two_checkpoints_leaves_no_trace_in_the_mean(trained):
    stopped = Run.open(sorted((trained / "checkpoints").iterdir())[2], averaged=False)
    assert stopped.optimizer.t == 9
    before = Run.open(trained).model.state_dict()
    run_on = Run.resume(trained / "checkpoints" / "step-00000009.safetensors")
    run_on.last_step = 11
    run_on.train()
    run_on.save()  # as if somebody had pressed Ctrl-C after step 11
    assert [file.stem[-2:] for file in run_on.checkpoints()] == ["03", "06", "09", "11"]
    run_on = Run.resume(trained)
    run_on.train()
    run_on.save()
    assert [file.stem[-2:] for file in run_on.checkpoints()] == ["03", "06", "09", "12"]
    after = Run.open(trained).model.state_dict()
    assert all(np.array_equal(array, before[name]) for name, array in after.items())


def test_training_goes_on_from_the_last_checkpoint_not_from_the_mean(trained, capsys):
    last = Run.open(sorted((trained / "checkpoints").iterdir())[-1]).model.state_dict()
    resumed = Run.resume(trained, steps=15)
    assert all(
        np.array_equal(array, last[name]) for name, array in resumed.model.state_dict().items()
    )


def test_more_checkpoints_than_stay_cannot_be_averaged(capsys):
    assert "average=5" in run("train shouts --average 5", capsys)[2]


def test_resuming_amid_an_epoch_is_the_run_that_never_stopped(capsys):
    run("train shouts --no-pictures --schedule constant --out whole", capsys)
    run("train shouts --no-pictures --schedule constant --out parts --steps 7", capsys)
    run("train --resume parts --steps 12 --no-pictures", capsys)
    ends = [
        Run.open(sorted(Path(f"{name}/checkpoints").iterdir())[-1]) for name in ("whole", "parts")
    ]
    one, other = (end.model.state_dict() for end in ends)
    assert ends[0].batches.state() == ends[1].batches.state()
    assert all(np.array_equal(array, other[name]) for name, array in one.items())


def test_an_exported_model_answers_alike_and_is_smaller_and_cannot_be_trained_on(trained, capsys):
    answer = run("translate runs/shouts 'a dog' --max-tokens 5", capsys)[1]
    status, out, _ = run("export runs/shouts small.safetensors", capsys)
    assert status == 0 and "parameters" in out
    assert run("translate small.safetensors 'a dog' --max-tokens 5", capsys)[1] == answer
    checkpoint = next((trained / "checkpoints").iterdir())
    assert Path("small.safetensors").stat().st_size < 0.6 * checkpoint.stat().st_size
    status, _, err = run("train --resume small.safetensors --steps 99", capsys)
    assert status == 2 and "a model only" in err


def test_an_export_replaces_nothing_unasked_and_follows_no_link(trained, capsys):
    Path("mine.txt").write_text("mine")
    for name in ("link.safetensors", "new.safetensors.part"):
        Path(name).symlink_to("mine.txt")
    Path("folder.safetensors").mkdir()
    Path("there.safetensors").write_text("mine")
    Path("dangling.safetensors").symlink_to("nothing")
    for name in ("there", "link", "dangling"):
        status, _, err = run(f"export runs/shouts {name}.safetensors", capsys)
        assert status == 2 and "exists already" in err and "--overwrite" in err
    status, _, err = run("export runs/shouts folder.safetensors --overwrite", capsys)
    assert status == 2 and "folder.safetensors is a folder. Name a file" in err
    status, _, err = run("export runs/shouts nowhere/a.safetensors", capsys)
    assert status == 2 and "There is no folder nowhere" in err
    assert Path("there.safetensors").read_text() == "mine" and not Path("nothing").exists()
    for name in ("new", "there", "link"):
        assert (
            run(f"export runs/shouts {name}.safetensors {'--overwrite' * (name != 'new')}", capsys)[
                0
            ]
            == 0
        )
        assert (
            Run.open(Path(f"{name}.safetensors")).exported
            and not Path(f"{name}.safetensors").is_symlink()
        )
    assert Path("mine.txt").read_text() == "mine"


@pytest.mark.slow
def test_a_copy_of_a_checkpoint_elsewhere_is_asked_and_drawn_beside_itself(trained, capsys):
    Path("elsewhere").mkdir()
    Path("elsewhere/a.safetensors").write_bytes(
        next((trained / "checkpoints").iterdir()).read_bytes()
    )
    assert (
        run("plot elsewhere/a.safetensors", capsys)[0] == 0
        and Path("a-pictures/influence.png").is_file()
    )


def test_a_shipped_model_is_found_by_its_name(trained, capsys, monkeypatch, tmp_path):
    run("export runs/shouts loud.safetensors", capsys)
    monkeypatch.setattr(run_module, "shipped", lambda: {"loud": tmp_path / "loud.safetensors"})
    assert run("translate loud 'a dog' --max-tokens 5", capsys)[0] == 0
    assert (
        run("plot loud --text 'a dog'", capsys)[0] == 0
        and Path("loud-pictures/influence.png").is_file()
    )
    assert "loud" in run("translate laud 'a dog'", capsys)[2]


@pytest.mark.slow
def test_a_run_is_asked_without_its_corpus(trained, capsys, monkeypatch):
    monkeypatch.setattr(Shouts, "sentences", lambda self, split: 1 / 0)
    assert run("translate runs/shouts 'a dog' --max-tokens 5", capsys)[0] == 0
    assert run("plot runs/shouts --text 'a dog' --out pictures", capsys)[0] == 0


def test_greedy_equals_beam_one_on_a_trained_model(trained):
    opened = Run.open(trained)
    one = translate(opened.model, opened.vocabulary, SENTENCES, greedy, 9)
    from minitransformer.decoding import beam_search

    assert one == translate(
        opened.model, opened.vocabulary, SENTENCES, lambda *a: beam_search(*a, beam=1), 9
    )


# -- translators side by side ----------------------------------------------------------------------


def test_translators_are_compared_on_one_page_with_pictures(trained, capsys):
    assert run("train shouts --model rnn-additive --no-pictures --out runs/rnn", capsys)[0] == 0
    assert run("train shouts --model rnn --no-pictures --out runs/plain", capsys)[0] == 0
    status, out, _ = run("compare runs/shouts runs/rnn runs/plain --out page --beam 1", capsys)
    assert status == 0 and "page/translators.md" in out.replace("\\", "/")
    page = Path("page/translators.md").read_text(encoding="utf-8")
    results = json.loads(Path("page/translators.json").read_text())
    assert [r["title"] for r in results] == [
        "Transformer", "RNN + additive attention", "RNN, one vector",
    ]
    for r in results:
        assert (
            sum(g["sentences"] for g in r["groups"]) == 2
            and f"{r['parameters']:,}" in page
            and f"{r['bleu']:.1f}" in page
        )
    expected = json.loads(run("evaluate runs/rnn --beam 1 --json", capsys)[1])["bleu"]
    assert results[1]["bleu"] == pytest.approx(expected)
    assert {"bleu-by-length.png", "alignments.png", "rnn-additive.txt"} <= {
        path.name for path in Path("page").iterdir()
    }


@pytest.mark.slow
def test_packages_are_asked_for_before_any_work(trained, capsys, monkeypatch):
    """Whoever lacks one is told at once, not after a download, a translation of minutes, or a
    change of the run."""
    sizes = (
        "--d-model 8 --heads 2 --d-ff 8 --encoder-layers 1 --decoder-layers 1 --evaluate-count 2 "
        "--no-pictures"
    )
    assert run("train shouts --model rnn --no-pictures --out runs/rnn", capsys)[0] == 0
    assert (
        run(f"train numbers-en-de --steps 2 --save-every 1 {sizes} --out runs/numbers", capsys)[0]
        == 0
    )
    spell.cache_clear()
    monkeypatch.setattr(
        "minitransformer.data.download.Published.find",
        lambda _: pytest.fail("Multi30k is downloaded"),
    )
    for part in ("decoding.evaluation.evaluate", "study.translators.translate"):
        monkeypatch.setattr(f"minitransformer.{part}", lambda *_, **__: pytest.fail("it works"))
    folders = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    asking = {
        "tokenizers": ("train multi30k-en-de", "evaluate runs/shouts"),
        "num2words": ("train numbers-en-de", "train numbers-en-de --out runs/shouts --overwrite",
                      "train --resume runs/numbers --steps 9",
                      "train --resume runs/numbers/checkpoints/step-00000001.safetensors"),
        "sacrebleu": ("evaluate runs/shouts --write kept.tsv",
                      "compare runs/shouts runs/rnn --out page"),
    }  # fmt: skip
    assert set(asking) == set(EXTRAS["translate"])
    for package, commands in asking.items():
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            for words in commands:
                status, out, err = run(words, capsys)
                assert (status, out) == (
                    2,
                    "",
                ) and f"needs the package {package}, which is not installed" in err, words
    assert {
        path: path.read_bytes() for path in Path().rglob("*") if path.is_file()
    } == folders and not Path("page").exists()


def test_runs_that_cannot_be_compared_are_refused(trained, capsys):
    assert "at least two runs" in run("compare runs/shouts", capsys)[2]
    assert "one of each kind" in run("compare runs/shouts runs/shouts", capsys)[2]
    run("train copy --steps 2 --no-pictures --d-model 8 --heads 2", capsys)
    assert "of one task" in run("compare runs/shouts runs/copy", capsys)[2]
    assert "not scored by BLEU" in run("compare runs/copy runs/copy", capsys)[2]


def test_bleu_of_a_group_counts_its_sentences_alone():
    from minitransformer.study.translators import scores

    sources = ["one two three", "one two three four", " ".join("abcdefghi"), " ".join("abcdefghij")]
    right, wrong = "this is all quite right", "nothing of this kind"
    found = scores(sources, [right, right, wrong, right], [right] * 4)
    assert [(g["sentences"], g["words"]) for g in found["groups"]] == [(2, 3.5), (2, 9.5)]
    assert found["groups"][0]["bleu"] == pytest.approx(100) and found["groups"][1]["bleu"] < 80


# -- texts unlike those of training ----------------------------------------------------------------


def test_a_remark_says_what_no_text_of_training_had():
    vocabulary = Pieces.of(["neun"], "morphemes", ["five hundred and one", "five"])
    assert remarks(vocabulary, "five hundred AND one.", 4) == remarks(vocabulary, "five", 4) == []
    (said,) = remarks(vocabulary, "five five", 4)
    assert (
        said
        == (
            "'five five' is unlike the texts of training: in none of them 'five' followed 'five'. "
            "Its answer may be wrong."
        )
    )
    assert "'neun' occurred in none of them" in remarks(vocabulary, "neun")[0]
    assert "none of them began with 'hundred'" in remarks(vocabulary, "hundred and one")[0]
    assert "none of them ended with 'and'" in remarks(vocabulary, "five hundred and")[0]
    (longer, _) = remarks(vocabulary, "five hundred and one and one", 4)
    assert "it has 6 tokens, and the longest of them had 4" in longer
    assert (
        len(remarks(vocabulary, "five hundred and one", 3)) == 1
        and remarks(vocabulary, "five hundred and one", None) == []
    )
    assert len(remarks(vocabulary, "five " * 100, 3)[0]) < 200
    assert "'xyz' never occurred" in refusal(remarks, vocabulary, "xyz")


def test_a_text_shorter_than_all_of_training_gets_a_remark(capsys):
    assert run("train copy --steps 2 --no-pictures --d-model 8 --heads 2", capsys)[0] == 0
    assert Run.open("runs/copy").shortest_source == 3
    status, _, err = run("predict runs/copy '3' '1 2' '1 2 3'", capsys)
    assert status == 0 and "it has 1 token, and the shortest of them had 3" in err
    assert "it has 2 tokens, and the shortest of them had 3" in err and err.count("shortest") == 2
    known = Run.open("runs/copy")
    facts = known.facts()
    del facts["shortest_source"]
    save_checkpoint("old.safetensors", known.model_tensors(), facts)
    try:
        status, _, err = run("predict old.safetensors 3", capsys)
        assert status == 0 and "shortest" not in err
    except KeyError as missing:
        pytest.fail(f"an old checkpoint is refused: {missing}")


def test_a_character_that_is_read_as_unknown_is_remarked_on_by_name():
    vocabulary = Subwords.learn(SENTENCES, 60)
    assert remarks(vocabulary, "a dog sees", 10) == []
    assert [said.split(": ")[1] for said in remarks(vocabulary, "a ☃ dog ☃ß sees <eos>", 20)] == [
        "'☃', 'ß', '<', '>' occurred in none of them, and is read as <unk>. Its answer may be "
        "wrong."
    ]


@pytest.mark.slow
def test_the_longest_source_is_that_of_training_alone_and_stays_with_the_model(capsys, monkeypatch):
    monkeypatch.setitem(TASKS, "owls", Owls)
    assert run("train owls --no-pictures", capsys)[0] == 0
    assert run("export runs/owls owls.safetensors", capsys)[0] == 0
    monkeypatch.setattr(Owls, "sentences", None)  # asking needs no corpus
    for path in ("runs/owls", "owls.safetensors"):
        assert Run.open(path).longest_source == 2
    Path("some.txt").write_text("owls fly\n\nowls see owls fly\n", encoding="utf-8")
    status, out, err = run("translate owls.safetensors --file some.txt", capsys)
    assert status == 0 and len(out.splitlines()) == 3
    assert err.splitlines() == [
        "minitransformer: Line 3: 'owls see owls fly' is unlike the texts of training: "
        "it has 4 tokens, and the longest of them had 2. Its answer may be wrong."
    ]
    for command in ("predict", "translate", "plot", "explore"):
        option = {"plot": "--text", "explore": "--out page.html --text"}.get(command, "")
        assert (
            run(f"{command} owls.safetensors {option} 'owls see owls fly'", capsys)[2].count(
                "it has 4 tokens"
            )
            == 1
        )
        assert run(f"{command} owls.safetensors {option} 'owls fly'", capsys)[2] == ""


def test_a_checkpoint_that_knows_of_no_longest_source_is_opened_and_asked(capsys):
    assert (
        run("train copy --steps 2 --no-pictures --d-model 8 --heads 2 --max-length 4", capsys)[0]
        == 0
    )
    known = Run.open("runs/copy")
    assert known.longest_source == 4
    assert "longest of them had 4" in run("predict runs/copy '1 2 3 1 2'", capsys)[2]
    facts = known.facts()
    del facts["longest_source"]
    save_checkpoint("old.safetensors", known.model_tensors(), facts)
    assert "longest_source" not in load_checkpoint("old.safetensors")[1]
    try:
        assert Run.open("old.safetensors").longest_source is None
    except KeyError as missing:
        pytest.fail(f"an old checkpoint is refused: {missing}")
    assert run("predict old.safetensors '1 2 3 1 2'", capsys)[0::2] == (0, "")


# -- what comes with the package -------------------------------------------------------------------


def test_the_shipped_translator_says_79_in_german_without_the_library_that_made_its_numbers(
    capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "num2words", None)
    status, out, _ = run(
        "translate numbers-en-de 'seventy-nine' 'Nine hundred and ninety-nine thousand'", capsys
    )
    assert status == 0 and out.splitlines() == [
        "neunundsiebzig",
        "neunhundertneunundneunzigtausend",
    ]
    status, _, err = run("translate numbers-en-de 'sevnty'", capsys)
    assert status == 2 and "Did you mean 'seventy'?" in err
    status, out, err = run("translate numbers-en-fr 'seventy nine' --beam 1", capsys)
    assert status == 0 and out == "soixante-dix-neuf\n" and err == ""
    status, _, err = run("evaluate numbers-en-de", capsys)
    assert status == 2 and 'python -m pip install "minitransformer[translate]"' in err


@pytest.mark.parametrize(
    "name, german_or_french", [("numbers-en-de", "neunundsiebzig"), ("numbers-en-fr", "seize")]
)
def test_the_shipped_translators_remark_on_what_they_never_saw_the_like_of(
    name, german_or_french, capsys
):
    texts = {
        "five five": "'five' followed 'five'", german_or_french: "occurred in none",
        "one thousand " * 9: "18 tokens",
    }
    for text, part in texts.items():
        status, out, err = run(f"translate {name} '{text}' --beam 1", capsys)
        assert status == 0 and out and part in err


@pytest.mark.parametrize(
    "text",
    [
        "one million", "minus five", "-seventy", "- seventeen thousand", "-5", "−5", "3.5", "3,5",
        "1000000", "1,000,000", "5²", "½", "12th", "hello", "5%", "1.234",
    ],
)
def test_what_the_shipped_translators_cannot_read_is_refused(text, capsys):
    for name in run_module.shipped():
        status, out, err = run(f"translate {name} -- '{text}'", capsys)
        assert (
            status == 2
            and out == ""
            and "never occurred in training, so it cannot be read" in err
            and "Did you mean" not in err
        )


@pytest.mark.parametrize(
    "text, part",
    [
        ("one thousand one thousand", "none of them had 'thousand' more than once"),
        ("one hundred one hundred", "'hundred' followed 'hundred one'"),
        ("one thousand two hundred three thousand", "none of them had 'thousand' more than once"),
        ("eleven thousand eleven hundred", "'hundred' followed 'thousand eleven'"),
        ("-five", "none of them began with '-five'"),
        ("twelve hundred five thousand", "it is no number as they write one"),
        ("seventy-two hundred thousand", "it is no number as they write one"),
        ("nine thousand, twenty-one hundred", "it is no number as they write one"),
    ],
)
def test_a_text_that_is_no_number_though_every_two_words_were_seen_gets_a_remark(text, part):
    for name in run_module.shipped():
        shipped = Run.open(name)
        assert any(
            part in said for said in remarks(shipped.vocabulary, text, shipped.longest_source)
        )


def test_words_that_are_no_number_are_not_answered_without_a_word():
    pytest.importorskip("num2words")
    shipped, rng, silent = Run.open("numbers-en-de"), random.Random(3), 0
    for words in nearly_numbers(rng, "en", 3000):
        with contextlib.suppress(InputError):
            if not remarks(shipped.vocabulary, " ".join(words), shipped.longest_source):
                # 1 234 is one number
                together = letters_of(shipped.vocabulary.read(" ".join(words)))
                assert is_written_so(words, "en") or together.isdigit() and len(together) < 7, words
                silent += 1
    assert silent > 300


def test_the_shipped_translators_say_what_they_read():
    for name in run_module.shipped():
        for text in ("one million", "1 2 3", "-79", "12,34"):
            said = refusal(Run.open(name).vocabulary.encode, text)
            assert said.endswith(
                "cannot be read. It reads whole numbers from 0 to 999,999, in words or digits."
            )


def joined_anyhow(number, rng):
    """The words of a number with a space, a hyphen, a comma or "and" between them, whatever English
    would put."""
    words = [word for word in re.findall("[a-z]+", spell(number, "en")) if word != "and"]
    text = words[0]
    for before, word in zip(words, words[1:]):
        ends = before in ("hundred", "thousand") and word != "thousand"
        text += rng.choice([" ", "-", ", ", *[" and ", "-and-", ", and "] * ends]) + word
    return text


@pytest.mark.parametrize("name", ["numbers-en-de", "numbers-en-fr"])
def test_the_shipped_translators_read_a_number_whatever_stands_between_its_words(name):
    pytest.importorskip("num2words")
    rng = random.Random(0)
    numbers = [
        rng.randrange(10 ** (digits - 1) if digits > 1 else 0, 10**digits)
        for digits in [1, 2, 3, 4, 5, 6] * 40
    ]
    numbers += [100 * n + 1 for n in range(1, 100)]
    shipped = Run.open(name)
    texts = [joined_anyhow(number, rng) for number in numbers]
    assert [
        text for text in texts if remarks(shipped.vocabulary, text, shipped.longest_source)
    ] == []
    answers = translate(shipped.model, shipped.vocabulary, texts, greedy)
    assert answers == [spell(number, shipped.task.target) for number in numbers]


TYPED = {  # as docs/translation.md names them
    "seventy-nine": lambda words, number: words,
    "seventy nine": lambda words, number: words.replace("-", " "),
    "seventynine": lambda words, number: words.replace("-", ""),
    "one thousand two hundred": lambda words, number: words.replace(",", ""),
    "one hundred five": lambda words, number: words.replace(" and ", " "),
    "one hundred and five thousand and two hundred": lambda words, number: words.replace(
        ",", " and"
    ),
    "one thousand two hundred seventy nine": lambda words, number: (
        words.replace(",", "").replace("-", " ").replace(" and ", " ")
    ),
    "a hundred and five": lambda words, number: re.sub("^one (?=hundred|thousand)", "a ", words),
    "hundred and five": lambda words, number: re.sub("^one (?=hundred|thousand)", "", words),
    "SEVENTY-NINE": lambda words, number: words.upper(),
    "Seventy-Nine.": lambda words, number: words.title() + ".",
    "1234": lambda words, number: str(number),
    "1,234": lambda words, number: f"{number:,}",
    "1 234": lambda words, number: f"{number:,}".replace(",", "\u202f"),
    "79 thousand five hundred": lambda words, number: (
        f"{number // 1000} thousand {words.partition('thousand')[2].strip(' ,')}"
        if number > 999
        else str(number)
    ),
    "one-hundred-and-five": lambda words, number: words.replace(",", "").replace(" ", "-"),
    "drawn as in training": lambda words, number: written(number, "en", number + 1),
}


@pytest.mark.parametrize("name", ["numbers-en-de", "numbers-en-fr"])
@pytest.mark.parametrize("way", TYPED)
def test_the_shipped_translators_understand_what_people_type(name, way):
    pytest.importorskip("num2words")
    rng = random.Random(way)
    numbers = [
        rng.randrange(10 ** (digits - 1) if digits > 1 else 0, 10**digits)
        for digits in [1, 2, 3, 4, 5, 6] * 10
    ]
    shipped = Run.open(name)
    texts = [TYPED[way](spell(number, "en"), number) for number in numbers]
    assert [
        text for text in texts if remarks(shipped.vocabulary, text, shipped.longest_source)
    ] == []
    answers = translate(shipped.model, shipped.vocabulary, texts, greedy)
    assert answers == [spell(number, shipped.task.target) for number in numbers]
    docs = (Path(__file__).parent.parent / "docs" / "translation.md").read_text(encoding="utf-8")
    assert f"| {way} |" in docs


def test_the_shipped_translator_is_as_good_and_as_small_as_is_said_of_it(capsys):
    pytest.importorskip("num2words")
    files = run_module.shipped()
    assert sum(path.stat().st_size for path in files.values()) <= 3e6
    about = next(iter(files.values())).with_name("README.md").read_text(encoding="utf-8")
    for name, path in files.items():
        result = json.loads(run(f"evaluate {name} --split test --count 300 --json", capsys)[1])
        assert result["exact_match"] == 1 and result["sequences"] == 300
        assert f"{Run.open(name).model.parameter_count():,} parameters" in about and name in about
        assert f"{path.stat().st_size / 1e6:.2f}" in about


@pytest.mark.slow
def test_the_shipped_translator_is_drawn_where_the_user_is_not_in_the_package(capsys):
    status, out, _ = run("plot numbers-en-de --text 'seventy-nine'", capsys)
    assert (
        status == 0
        and Path("numbers-en-de-pictures/attention-cross.png").is_file()
        and not Path("runs").exists()
    )


@pytest.mark.parametrize("text", ["1500 thousand", "10 000 thousand", "1000 thousand and five"])
def test_a_number_that_is_too_large_to_stand_before_thousand_is_remarked_on(text, capsys):
    for name in run_module.shipped():
        status, _, err = run(f"translate {name} '{text}'", capsys)
        assert status == 0 and "a word followed a number of more than three digits" in err
