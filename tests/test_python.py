"""The package from Python: every function that its front pages export, with each argument replaced
by a thing of another kind."""

import contextlib
import importlib
import inspect
import pathlib
import re

import numpy as np
import pytest
from common import accepted, refusal

import minitransformer
from minitransformer import InputError
from minitransformer.attention import Masking
from minitransformer.core import Module
from minitransformer.data import (
    TASKS,
    Batch,
    BatchStream,
    BytePairs,
    ExactCharacters,
    Pieces,
    Reverse,
    Subwords,
    Vocabulary,
    make_batch,
    padded,
)
from minitransformer.data.text import Text
from minitransformer.decoding import answers, bleu, greedy, translate
from minitransformer.layers import (
    CrossEntropy,
    Embedding,
    Linear,
    SinusoidalPositionalEncoding,
    TanhGELU,
)
from minitransformer.models import LanguageModel, Transformer, TransformerConfig
from minitransformer.runs import MODELS, configure, load_checkpoint, make_config, save_checkpoint
from minitransformer.training import Adam, clip_by_global_norm, in_shares, plain_loop, train

FRONTS = (
    "core", "attention", "layers", "models", "older", "data", "decoding", "inspection",
    "training", "runs", "plotting", "explorer", "grading", "testing", "lessons", "study", "gpu",
)  # fmt: skip
IDS, TARGET = np.array([5, 4]), np.array([4, 5, 2])
SOURCES, TARGETS = np.array([[4, 5], [6, 0]]), np.array([[5, 4], [6, 0]])
FLOATS = np.array([[0.1, 0.2, 0.7]])


def toy(vocabulary=14):
    sizes = {"d_model": 8, "heads": 2, "d_ff": 12, "encoder_layers": 1, "decoder_layers": 1}
    return Transformer(
        TransformerConfig(source_vocabulary=vocabulary, max_length=32, **sizes), 0
    )


def a_batch():
    return make_batch(SOURCES, TARGETS)


def panel():
    from minitransformer.plotting import panels

    return panels()[1]


def stopped(title, total):
    raise InputError("Far enough: nothing needs to be measured here.")


MODEL = toy()
VOCABULARY = Reverse().vocabulary
TASK = Reverse(max_length=4)
WRITER = LanguageModel(MODEL.config, 0)


class Ab(Text):
    """A text that no file holds."""

    def make_vocabulary(self):
        return ExactCharacters(["a", "b"])

    def ids(self, split):
        return np.arange(50) % 2 + 4


A_TEXT = Ab(context=4)
LOSS = CrossEntropy(padding=0)
WEIGHTS = np.full((1, 2, 3, 2), 0.5)
MATRIX = {"Q": np.eye(2)}


# name: (arguments by name, of a call that is right). A name without a dot is looked up in the
# fronts.
CALLS = {
    "evaluating": lambda: {"model": MODEL},
    "observe": lambda: {
        "module": MODEL, "on_forward": print, "on_backward": None, "on_enter": None,
    },
    "attention_maps": lambda: {"module": MODEL},
    "attentions": lambda: {"module": MODEL},
    "keep_weights": lambda: {"module": MODEL},
    "causal_mask": lambda: {"length": 3, "like": None, "last": 2},
    "padding_mask": lambda: {"ids": SOURCES, "padding": 0},
    "configure": lambda: {"name": "transformer", "preset": "toy", "options": {"heads": 2}},
    "find_model": lambda: {"name": "transformer"},
    "TransformerConfig.preset": lambda: {"name": "toy"},
    "Addition": lambda: {"digits": 2},
    "Copy": lambda: {"symbols": 4, "min_length": 1, "max_length": 3},
    "Reverse": lambda: {"symbols": 4, "min_length": 1, "max_length": 3},
    "Sort": lambda: {"symbols": 4, "min_length": 1, "max_length": 3},
    "BatchStream": lambda: {"task": TASK, "rng": 0, "batch_size": 2, "batch_tokens": 0},
    "Vocabulary": lambda: {"tokens": ["a", "b"]},
    "Vocabulary.encode": lambda: {"self": VOCABULARY, "text": "3 1"},
    "Vocabulary.encode_all": lambda: {"self": VOCABULARY, "texts": ["3 1"]},
    "Vocabulary.decode": lambda: {"self": VOCABULARY, "ids": IDS},
    "Vocabulary.text": lambda: {"self": VOCABULARY, "ids": IDS},
    "ExactCharacters": lambda: {"tokens": ["a", " "]},
    "ExactCharacters.encode": lambda: {"self": ExactCharacters(["a"]), "text": "ab"},
    "Pieces": lambda: {"tokens": ["a", "b"], "cut": "characters"},
    "Pieces.of": lambda: {"texts": ["ab a"], "cut": "characters", "sources": ["ab"]},
    "SymbolTask": lambda: {"symbols": 4, "min_length": 1, "max_length": 3},
    "Characters": lambda: {"tokens": ["a", "b"]},
    "Characters.learn": lambda: {"texts": ["ab a"], "size": 6},
    "Words": lambda: {"tokens": [" a", "b"]},
    "Words.learn": lambda: {"texts": ["ab a"], "size": 6},
    "Pairs": lambda: {"data": "", "cut": "words", "vocabulary_size": 9, "most_tokens": 7},
    "Pairs.of": lambda: {"train": [("a", "b")], "validation": [("c", "d")], "test": [("e", "f")]},
    "option": lambda: {"default": 3, "help": "how many"},
    "register_task": lambda: {"name": "reverse", "cls": Reverse},
    "Subwords": lambda: {"tokenizer": Subwords.learn(["a bc"], 20).tokenizer},
    "Subwords.learn": lambda: {"texts": ["a bc"], "size": 20},
    "BytePairs": lambda: {"merges": ["t h"]},
    "BytePairs.learn": lambda: {"texts": ["a a"], "size": 261},
    "BytePairs.encode": lambda: {"self": BytePairs(["t h"]), "text": "the"},
    "BytePairEncoding": lambda: {"ids": BytePairs(["t h"]).ids, "merges": ["t h"]},
    "BytePairEncoding.from_gpt2": lambda: {"vocabulary": "no-file", "merges": "no-file"},
    "BytePairEncoding.encode": lambda: {
        "self": BytePairs([]).encoding, "text": "the", "special": True,
    },
    "BytePairEncoding.encode_stream": lambda: {"self": BytePairs([]).encoding, "pieces": ["a"]},
    "BytePairEncoding.to_bytes": lambda: {"self": BytePairs([]).encoding, "ids": IDS},
    "BytePairEncoding.decode": lambda: {"self": BytePairs([]).encoding, "ids": IDS},
    "load_vocabulary": lambda: {"facts": VOCABULARY.to_dict()},
    "make_batch": lambda: {"source": SOURCES, "target": TARGETS},
    "make_task": lambda: {"name": "reverse"},
    "padded": lambda: {"rows": [IDS, TARGET]},
    "answers": lambda: {
        "model": MODEL, "sources": [IDS], "search": greedy, "max_tokens": 3, "batch_size": 2,
    },
    "beam_search": lambda: {
        "model": MODEL, "source": SOURCES, "max_tokens": 3, "beam": 2, "alpha": 0.6,
        "early_stopping": False,
    },
    "bleu": lambda: {"translations": ["a b c d"], "references": ["a b c d"]},
    "continuation": lambda: {
        "model": WRITER, "prompt": IDS, "max_tokens": 3, "rng": 0, "temperature": 1.0, "top_k": 0,
        "top_p": 1.0,
    },
    "distribution": lambda: {"logits": FLOATS, "top_k": 2, "top_p": 0.5},
    "evaluate": lambda: {
        "model": MODEL, "task": TASK, "split": "validation", "count": 3, "seed": 0, "batch_size": 2,
        "search": greedy,
    },
    "evaluate_text": lambda: {
        "model": WRITER, "task": A_TEXT, "split": "validation", "count": 3, "seed": 0,
    },
    "generate": lambda: {
        "model": MODEL, "source": SOURCES, "max_tokens": 3,
        "choose": lambda logits, rows: logits.argmax(-1),
    },
    "greedy": lambda: {"model": MODEL, "source": SOURCES, "max_tokens": 3},
    "hypotheses": lambda: {
        "model": MODEL, "source": SOURCES, "max_tokens": 3, "beam": 2, "alpha": 0.6,
        "early_stopping": False,
    },
    "longest_answer": lambda: {"model": MODEL, "source": SOURCES, "max_tokens": 3},
    "remarks": lambda: {"vocabulary": VOCABULARY, "text": "3 1", "longest": 9, "shortest": 1},
    "sample": lambda: {
        "model": MODEL, "source": SOURCES, "max_tokens": 3, "rng": 0, "temperature": 1.0,
        "top_k": 0, "top_p": 1.0,
    },
    "translate": lambda: {
        "model": MODEL, "vocabulary": VOCABULARY, "texts": ["3 1"], "search": greedy,
        "max_tokens": 3, "batch_size": 2,
    },
    "writable": lambda: {"scores": FLOATS},
    "alignment_fractions": lambda: {
        "model": MODEL, "task": TASK, "split": "test", "count": 3, "seed": 0,
    },
    "attention_gradients": lambda: {"model": MODEL, "source": IDS, "target": TARGET, "begin": 5},
    "explore": lambda: {
        "model": MODEL, "vocabulary": VOCABULARY, "texts": ["3 1"], "weights": "float32",
        "continues": False, "title": "t",
    },
    "attention_weights": lambda: {
        "model": MODEL, "source": IDS, "target": TARGET, "begin": 5,
    },
    "by_words": lambda: {"weights": WEIGHTS, "query_sizes": [1, 2], "key_sizes": [2]},
    "cross_attention": lambda: {"model": MODEL, "batch": a_batch()},
    "first_word_fractions": lambda: {
        "model": MODEL, "task": TASK, "split": "test", "count": 3, "seed": 0, "batch_size": 2,
    },
    "source_gradients": lambda: {"model": MODEL, "source": IDS, "target": TARGET},
    "SGD": lambda: {"model": MODEL, "learning_rate": 0.1, "momentum": 0.0},
    "Adam": lambda: {
        "model": MODEL, "learning_rate": 0.1, "beta1": 0.9, "beta2": 0.9, "epsilon": 1e-9,
    },
    "AdamW": lambda: {"model": MODEL, "learning_rate": 0.1, "weight_decay": 0.1},
    "Constant": lambda: {"peak": 0.1, "warmup": 2},
    "Cosine": lambda: {"peak": 0.1, "total": 9, "warmup": 2, "floor": 0.0},
    "Noam": lambda: {"features": 8, "warmup": 3, "factor": 1.0},
    "clip_by_global_norm": lambda: {"model": MODEL, "max_norm": 1.0},
    "gradients": lambda: {
        "model": MODEL, "loss": LOSS, "batch": a_batch(), "weight": 1.0, "skip_padding": True,
    },
    "in_shares": lambda: {"count": 2, "skip_padding": False},
    "plain_loop": lambda: {
        "model": (model := toy()), "loss": CrossEntropy(padding=0), "optimizer": Adam(model),
        "next_batch": a_batch, "steps": 1, "max_norm": 1.0,
    },
    "train": lambda: {
        "model": (model := toy()), "loss": CrossEntropy(padding=0), "optimizer": Adam(model),
        "next_batch": a_batch, "steps": 1, "max_norm": 1.0, "hooks": [lambda progress: None],
        "strategy": in_shares(1),
    },
    "make_config": lambda: {
        "task": "reverse", "task_options": {}, "model": "transformer", "preset": "toy",
        "model_options": {}, "training_options": {},
    },
    "Run": lambda: {"folder": "no-such-run", "config": make_config("reverse")},
    "Run.open": lambda: {"path": "numbers-en-de", "averaged": True},
    "Run.resume": lambda: {"path": "no-such-run", "steps": 3},
    "save_checkpoint": lambda: {"path": "w.safetensors", "tensors": {"w": FLOATS}, "facts": {}},
    "load_checkpoint": lambda: {"path": "no-such-file", "prefix": ""},
    "draw_bars": lambda: {
        "axes": panel(), "bars": {"b": 1.0}, "title": "", "colours": {}, "numbers": "",
    },
    "draw_lines": lambda: {"axes": panel(), "x": [1, 2], "lines": {"a": [1.0, 2.0]}, "log": "y"},
    "panels": lambda: {"rows": 1, "columns": 2, "heading": "h", "width": 4.0, "height": 2.0},
    "plot_architecture": lambda: {"model": MODEL},
    "plot_attention": lambda: {
        "model": MODEL, "source": IDS, "target": TARGET, "source_tokens": ["a", "b"],
        "target_tokens": ["a", "b", "c"], "kind": "cross", "layers": [1], "heads": [1],
        "mean": True, "sizes": None,
    },
    "plot_attention_and_gradient": lambda: {
        "model": MODEL, "source": IDS, "target": TARGET, "source_tokens": ["a", "b"],
        "target_tokens": ["a", "b", "c"], "layer": 1, "head": 1, "sizes": None,
    },
    "plot_attention_architecture": lambda: {"model": MODEL},
    "plot_attention_strip": lambda: {
        "snapshots": [(1, WEIGHTS)], "source_tokens": ["a", "b"], "target_tokens": ["a", "b", "c"],
        "kind": "cross", "layer": 1, "heads": [1], "mean": True, "columns": 2,
    },
    "plot_influence": lambda: {
        "model": MODEL, "source": IDS, "target": TARGET, "source_tokens": ["a", "b"],
        "target_tokens": ["a", "b", "c"], "sizes": ([1, 1], [1, 1, 1]),
    },
    "plot_loss_curve": lambda: {"metrics": [{"step": 1, "loss": 2.0}], "title": "t"},
    "plot_matrices": lambda: {"matrices": MATRIX, "heading": "h"},
    "plot_positional_encoding": lambda: {"table": FLOATS, "title": "t"},
    "check": lambda: {"exercise": "softmax.forward", "function": np.exp, "seed": 0},
    "hint": lambda: {"exercise": "softmax.forward", "level": 1},
    "reveal": lambda: {"exercise": "softmax.forward"},
    "away_from_initialisation": lambda: {"component": toy(), "rng": 0},
    "check_component": lambda: {
        "component": Linear(3, 2, 0), "inputs": (FLOATS,), "seed": 0, "tolerance": 1e-6,
        "max_entries": 1, "expected_failures": {}, "raises": False,
    },
    "count_products": lambda: {"component": Linear(3, 2, 0), "inputs": (FLOATS,)},
    "gradient_check": lambda: {
        "component": Linear(3, 2, 0).to("float64"), "inputs": (FLOATS,), "seed": 0, "step": 1e-5,
        "tolerance": 1e-6, "max_entries": 1,
    },
    "trace": lambda: {"component": Linear(3, 2, 0), "inputs": (FLOATS,)},
    "gradient_error": lambda: {"analytic": FLOATS, "numeric": FLOATS},
    "predict": lambda: {"question": "How many?"},
    "show": lambda: {"figure": panel().figure, "alt": "a panel"},
    "run_study": lambda: {"name": "short", "folder": "study", "progress": stopped, "jobs": 1},
    "Replays": lambda: {"model": MODEL, "loss": LOSS, "optimizer": Adam(MODEL)},
    "accelerated": lambda: {"model": MODEL, "loss": LOSS},
    "has_form": lambda: {"component": MODEL},
}  # fmt: skip
# what a front page exports and nobody calls with things of their own
NOT_CALLED = {
    "no_grad", "kept_apart", "shipped", "exercises", "all_components",  # they take nothing
    "Corpus", "Recipe", "Task",  # they are subclassed, or looked at
    "Batch", "Hypothesis", "Progress", "Finding", "Report",  # they are looked at, or made by us
    "Page",  # likewise
    "Parameter",  # test_boundary.py
    "ConvolutionConfig", "LocalAttentionConfig", "OneVectorConfig", "RNNConfig",  # test_models.py
    "TransformerConfig", "SequenceModel",
    "BackwardWithoutForward", "ContractError", "InputError", "NonFiniteError",
}


class Stranger:
    """An object of no use."""


def fronts():
    """{name: what it is} of all that the package exports, components and constants left out."""
    pages = [minitransformer, *(importlib.import_module(f"minitransformer.{f}") for f in FRONTS)]
    things = {name: getattr(page, name) for page in pages for name in page.__all__}
    return {
        name: thing
        for name, thing in things.items()
        if inspect.isfunction(thing)
        or inspect.isclass(thing) and not issubclass(thing, Module)
    }


WRONG = {
    "None": None, "a text": "abc", "an empty text": "", "a number": 3, "half": 0.5,
    "a negative": -7, "a truth": True, "a list": [], "a list of lists": [[1, 2], [3]],
    "a list of objects": [Stranger()], "a dictionary": {"a": 1}, "a set": {1},
    "floats": np.ones((2, 3)), "texts": np.array(["a"]), "no axes": np.array(2.5),
    "an object": Stranger(), "a class": Stranger, "a function": len, "a component": Linear(2, 3, 0),
    "two arrays": (SOURCES, TARGETS), "bytes": b"abc", "infinity": float("inf"),
}  # fmt: skip


def called(name, options):
    """Call a function of a front page; a context manager is entered: some check their arguments
    only then."""
    options = dict(options)
    inputs = (options.pop("component"), *options.pop("inputs")) if "inputs" in options else ()
    function = fronts()[name.split(".")[0]]
    function = getattr(function, name.split(".")[1]) if "." in name else function
    result = function(*inputs, **options)
    if isinstance(result, contextlib.AbstractContextManager):
        with result:
            pass


def test_every_exported_function_has_a_call_here():
    assert {*fronts()} == {name for name in CALLS if "." not in name} | NOT_CALLED


# what takes any object, and says or draws what it is
TAKES_ANYTHING = {
    ("option", "default"), ("option", "help"),
    ("longest_answer", "model"),
    ("check", "function"), ("check_component", "inputs"), ("has_form", "component"),
}  # fmt: skip
# of a function of another form Python says so: that is the caller's own function
FORM = re.compile(r"takes? (exactly |no |\d|from )?.*argument|unexpected keyword argument")


NOT_HERE = {
    "BytePairEncoding.from_gpt2", "Run.resume", "load_checkpoint", "run_study", "Replays",
    "accelerated",
}


@pytest.mark.parametrize("name", CALLS)
def test_every_call_here_is_right(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(InputError) if name in NOT_HERE else contextlib.nullcontext():
        called(name, CALLS[name]())


@pytest.fixture(autouse=True)
def tasks_as_before():
    """What a test registers is forgotten behind it."""
    before = dict(TASKS)
    yield
    TASKS.clear()
    TASKS.update(before)


@pytest.mark.parametrize("name", CALLS)
def test_every_argument_of_another_kind_is_refused_in_a_sentence(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for argument in [argument for argument in CALLS[name]() if argument != "self"]:
        for kind, wrong in WRONG.items():
            wrong = (wrong,) if argument == "inputs" else wrong
            try:
                called(name, {**CALLS[name](), argument: wrong})
            except InputError as problem:
                assert len(str(problem)) > 20 and "\n" not in str(problem)
            except Exception as problem:
                if not (isinstance(problem, TypeError) and FORM.search(str(problem))):
                    pytest.fail(f"{name}({argument}={kind}): {problem!r}")
            else:
                if kind in ("an object", "a list of objects"):
                    assert (name, argument) in TAKES_ANYTHING, f"{name}({argument}={kind}) is taken"


# -- lists of texts and of sources -----------------------------------------------------------------


def test_a_text_alone_is_not_read_letter_by_letter():
    message = refusal(translate, MODEL, VOCABULARY, "314")
    assert "texts must be a list of texts; got '314' alone" in message and "['314']" in message
    for call in (
        lambda: VOCABULARY.encode_all("314"), lambda: bleu("a", "a"),
        lambda: Subwords.learn("abc", 20), lambda: Pieces.of("abc", "characters"),
        lambda: Vocabulary("abc"),
    ):  # fmt: skip
        assert "alone. Put it into a list" in refusal(call)
    assert "references[0] must be a text, got a list" in refusal(bleu, ["a"], [["a"]])


def test_what_else_holds_texts_is_a_list_of_them():
    wanted = accepted(translate, MODEL, VOCABULARY, ["3 1", "4"])
    for texts in ((text for text in ("3 1", "4")), np.array(["3 1", "4"])):
        assert accepted(translate, MODEL, VOCABULARY, texts) == wanted


@pytest.mark.parametrize("name", MODELS)
def test_an_empty_source_has_one_answer_alone_and_in_company(name):
    sizes = {"source_vocabulary": 14, "target_vocabulary": 14, "max_length": 32}
    kind = MODELS[name]
    model = kind.model(configure(name, "toy", **sizes), 0)
    empty = np.zeros(0, dtype=np.int64)
    alone, together = accepted(answers, model, [empty]), answers(model, [empty, IDS])
    trimmed = lambda ids: ids[ids != 0].tolist()  # noqa: E731
    assert trimmed(alone[0]) == trimmed(together[0])


def test_ids_that_the_vocabulary_does_not_have_are_refused():
    assert "outside the vocabulary of 14 tokens" in refusal(VOCABULARY.text, [4, 14, 2])
    assert "outside the vocabulary" in refusal(VOCABULARY.decode, [-1])
    assert VOCABULARY.decode([4, 2]) == ["0"] and VOCABULARY.decode([]) == []


# -- vocabularies ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tokens, words", [
        (sorted(set("the old house")), "' ' cannot be a token"),
        (["a b"], "'a b' cannot be a token"),
        ([""], "'' cannot be a token"), ([*"hello"], "'l' occurs twice"),
        (["<pad>"], "'<pad>' occurs twice"),
    ],
)  # fmt: skip
def test_a_vocabulary_has_no_token_that_could_not_be_read(tokens, words):
    assert words in refusal(Vocabulary, tokens)


def test_in_pieces_a_space_is_a_token():
    vocabulary = Pieces.of(["the old house"], "characters")
    assert vocabulary.text(vocabulary.encode("the old house")) == "the old house"
    assert "occurs twice" in refusal(Pieces, ["a", "a"], "characters")


# -- batches ---------------------------------------------------------------------------------------


def test_lists_of_ids_are_padded_by_what_the_message_names():
    rows = [[4, 5], [6]]
    assert "padded(source)" in refusal(make_batch, rows, rows)
    assert "numpy.array(source)" in refusal(make_batch, [[4, 5], [6, 7]], TARGETS)
    assert make_batch(padded(rows), padded(rows)).source.tolist() == [[4, 5], [6, 0]]


def test_padding_in_front_is_moved_behind():
    left = np.array([[0, 0, 4, 5], [6, 0, 7, 0]])
    batch = make_batch(left, left)
    assert batch.source.tolist() == [[4, 5], [6, 7]]
    assert batch.target_out.tolist() == [[4, 5, 2], [6, 7, 2]]


def test_a_stream_takes_a_seed():
    batch = BatchStream(TASK, 0, 16)()
    assert np.array_equal(batch.source, BatchStream(TASK, np.random.default_rng(0), 16)().source)


def test_a_batch_may_be_a_tuple_and_is_three_arrays():
    model = toy()
    for run in (plain_loop, train):
        run(model, LOSS, Adam(model), lambda: tuple(a_batch()), 1)
        message = refusal(run, model, LOSS, Adam(model), lambda: (SOURCES, TARGETS), 1)
        assert "make_batch(source, target)" in message and "got 2 things" in message
        message = refusal(run, model, LOSS, Adam(model), a_batch(), 1)
        assert "without its ()" in message and "got a Batch" in message
        message = refusal(run, model, LOSS, Adam(model), lambda: Batch(*(a_batch()[:2]), [[1]]), 1)
        assert "target_out must be" in message
    assert "[hooks]" in refusal(train, model, LOSS, Adam(model), a_batch, 1, hooks=print)
    arguments = model, LOSS, Adam(model), a_batch, 1
    assert "in_shares(2)" in refusal(train, *arguments, strategy="in_shares")
    for loss in (lambda x, y: 0.0, CrossEntropy):
        assert "CrossEntropy()" in refusal(train, model, loss, Adam(model), a_batch, 1)


# -- optimizers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [None, in_shares(1), in_shares(2)])
def test_an_optimizer_of_another_model_is_refused(strategy):
    model, options = toy(), {} if strategy is None else {"strategy": strategy}
    for run in (train, *[plain_loop] * (strategy is None)):
        message = refusal(run, model, LOSS, Adam(toy()), a_batch, 1, **options)
        assert "made for another model" in message and "Adam(model)" in message


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_gradients_that_are_not_finite_have_no_finite_norm_and_stay(bad):
    linear = Linear(2, 2, 0)
    linear.weight.grad = np.array([[bad, 1], [2, 3]], dtype=np.float32)
    norm = clip_by_global_norm(linear, 1.0)
    assert np.array_equal(norm, bad, equal_nan=True)
    assert linear.weight.grad[1].tolist() == [2, 3]


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["my model.safetensors", "model"])
@pytest.mark.parametrize("as_path", [str, pathlib.Path])
def test_save_says_how_a_model_is_saved(name, as_path):
    message = refusal(toy().save, as_path(name))
    assert "writes no file" in message and f"save_checkpoint({name!r}" in message


def test_a_model_is_saved_and_loaded_as_the_message_says(tmp_path):
    model, other = toy(), toy()
    other.output.weight.data += 1
    save_checkpoint(tmp_path / "model.safetensors", model.state_dict())
    other.load_state_dict(load_checkpoint(tmp_path / "model.safetensors")[0])
    for name, array in model.state_dict().items():
        assert np.array_equal(other.state_dict()[name], array)
    assert "is a folder" in refusal(save_checkpoint, tmp_path, {})
    assert "no folder" in refusal(save_checkpoint, tmp_path / "no" / "m", {})
    assert "JSON" in refusal(save_checkpoint, tmp_path / "m", {}, {"ids": IDS})


# -- numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(10**9, 10**9), (10**30, 1)])
def test_a_table_that_no_memory_holds_is_refused(sizes):
    assert "Choose smaller sizes" in refusal(Linear, *sizes, 0)
    assert "Choose smaller sizes" in refusal(SinusoidalPositionalEncoding, *sizes)


@pytest.mark.parametrize("dtype, x", [("float32", 3e19), ("float64", 1e200)])
def test_the_gradient_of_gelu_is_0_or_1_far_from_0(dtype, x):
    gelu = TanhGELU()
    with np.errstate(over="ignore"):
        gelu(np.array([-x, x], dtype=dtype))
        assert gelu.backward(np.ones(2, dtype=dtype)).tolist() == [0, 1]


def test_a_mask_that_is_added_is_told_from_one_of_zeros_and_ones():
    scores = np.zeros((1, 1, 2, 2))
    added = np.array([[[[0, -np.inf], [0, 0]]]])
    for mask in (added, np.where(added == 0, 0, -1e9), np.where(added == 0, 0, -1)):
        assert "Use mask == 0." in refusal(Masking(), scores, mask)
    for mask in (np.eye(2)[None, None], np.eye(2, dtype=int)[None, None]):
        assert "Use mask.astype(bool)" in refusal(Masking(), scores, mask)
    assert "astype(bool)" in refusal(Masking(), scores, np.zeros((1, 1, 2, 2), dtype=int))


def test_one_hot_ids_are_told_from_floats():
    embedding = Embedding(5, 3, 0)
    assert "ids.argmax(axis=-1)" in refusal(embedding, np.eye(5)[None])
    assert "ids.argmax(axis=-1)" in refusal(embedding, np.eye(5, dtype=bool))
    assert "Use ids.astype(int)" in refusal(embedding, np.array([[3.0, 1.0]]))


def test_the_message_about_a_table_of_positions_says_where_one_is():
    plot = importlib.import_module("minitransformer.plotting").plot_positional_encoding
    assert ".table is one" in refusal(plot, 64, 32)
