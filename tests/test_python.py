"""The package from Python: every function that its front pages export, with each argument replaced
by a thing of another kind."""

import contextlib
import importlib
import inspect

import numpy as np
import pytest
from common import refusal, rng

import minitransformer
from minitransformer import InputError
from minitransformer.core import Module
from minitransformer.data import (
    Batch,
    BatchStream,
    Pieces,
    Reverse,
    Subwords,
    Vocabulary,
    make_batch,
    make_task,
    padded,
)
from minitransformer.decoding import answers, bleu, greedy, translate
from minitransformer.inspection import attention_weights
from minitransformer.layers import CrossEntropy, Linear, TanhGELU
from minitransformer.models import MODELS, Transformer, TransformerConfig, configure
from minitransformer.runs import Run, load_checkpoint, make_config, save_checkpoint
from minitransformer.training import SGD, Adam, clip_by_global_norm, gradients, in_shares, plain_loop, train

FRONTS = (
    "core", "attention", "recurrent", "layers", "models", "data", "decoding", "inspection",
    "training", "runs", "plotting", "grading", "testing", "lessons", "study", "gpu",
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


@contextlib.contextmanager
def quiet(title, total):
    yield lambda n: None


MODEL = toy()
VOCABULARY = Reverse().vocabulary
TASK = Reverse(max_length=4)
LOSS = CrossEntropy()
WEIGHTS = np.full((1, 2, 3, 2), 0.5)
MATRIX = {"Q": np.eye(2)}


def trained(function):
    def call(model, loss, optimizer, *rest, **options):
        """With a model and an optimizer of its own, unless another thing stands in their place."""
        return function(model, loss, optimizer, *rest, **options)

    return call


# name: (arguments by name, of a call that is right). A name without a dot is looked up in the fronts.
CALLS = {
    "evaluating": lambda: {"model": MODEL},
    "observe": lambda: {"module": MODEL, "on_forward": print, "on_backward": None, "on_enter": None},
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
    "Pieces": lambda: {"tokens": ["a", "b"], "cut": "characters"},
    "Pieces.of": lambda: {"texts": ["ab a"], "cut": "characters", "sources": ["ab"]},
    "Subwords": lambda: {"tokenizer": Subwords.learn(["a bc"], 20).tokenizer},
    "Subwords.learn": lambda: {"texts": ["a bc"], "size": 20},
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
    "distribution": lambda: {"logits": FLOATS, "top_k": 2, "top_p": 0.5},
    "evaluate": lambda: {
        "model": MODEL, "task": TASK, "split": "validation", "count": 3, "seed": 0, "batch_size": 2,
        "search": greedy,
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
    "attention_gradients": lambda: {"model": MODEL, "source": IDS, "target": TARGET},
    "attention_weights": lambda: {"model": MODEL, "source": IDS, "target": TARGET},
    "by_words": lambda: {"weights": WEIGHTS, "query_sizes": [1, 2], "key_sizes": [2]},
    "cross_attention": lambda: {"model": MODEL, "batch": a_batch()},
    "first_word_fractions": lambda: {
        "model": MODEL, "task": TASK, "split": "test", "count": 3, "seed": 0, "batch_size": 2,
    },
    "source_gradients": lambda: {"model": MODEL, "source": IDS, "target": TARGET},
    "SGD": lambda: {"model": MODEL, "learning_rate": 0.1, "momentum": 0.0},
    "Adam": lambda: {"model": MODEL, "learning_rate": 0.1, "beta1": 0.9, "beta2": 0.9, "epsilon": 1e-9},
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
        "model": (model := toy()), "loss": CrossEntropy(), "optimizer": Adam(model),
        "next_batch": a_batch, "steps": 1, "max_norm": 1.0,
    },
    "train": lambda: {
        "model": (model := toy()), "loss": CrossEntropy(), "optimizer": Adam(model),
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
    "draw_bars": lambda: {"axes": panel(), "bars": {"a": 1.0}, "title": "", "colours": {}, "numbers": ""},
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
    "check_component": lambda: {"component": MODEL},
    "count_products": lambda: {"component": MODEL},
    "gradient_check": lambda: {"component": MODEL},
    "trace": lambda: {"component": MODEL},
    "gradient_error": lambda: {"analytic": FLOATS, "numeric": FLOATS},
    "predict": lambda: {"question": "How many?"},
    "show": lambda: {"figure": panel().figure, "alt": "a panel"},
    "run_study": lambda: {"name": "quick", "folder": "study", "progress": quiet, "jobs": 1},
    "Replays": lambda: {"model": MODEL, "loss": LOSS, "optimizer": Adam(MODEL)},
    "accelerated": lambda: {"model": MODEL, "loss": LOSS},
    "has_form": lambda: {"component": MODEL},
}  # fmt: skip
# what a front page exports and nobody calls with things of their own
NOT_CALLED = {
    "no_grad", "kept_apart", "shipped", "exercises", "all_components",  # they take nothing
    "Batch", "Hypothesis", "Progress", "Finding", "Report",  # they are looked at, or made by us
    "Parameter",  # test_boundary.py
    "ConvolutionConfig", "LocalAttentionConfig", "OneVectorConfig", "RNNConfig",  # test_models.py
    "TransformerConfig", "BackwardWithoutForward", "InputError", "NonFiniteError",
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


def called(name):
    thing = fronts()[name.split(".")[0]]
    return getattr(thing, name.split(".")[1]) if "." in name else thing


WRONG = {
    "None": None, "a text": "abc", "an empty text": "", "a number": 3, "half": 0.5,
    "a negative": -7, "a truth": True, "a list": [], "a list of lists": [[1, 2], [3]],
    "a list of objects": [Stranger()], "a dictionary": {"a": 1}, "a set": {1},
    "floats": np.ones((2, 3)), "texts": np.array(["a"]), "no axes": np.array(2.5),
    "an object": Stranger(), "a class": Stranger, "a function": len, "a component": Linear(2, 3, 0),
    "a batch": Batch(SOURCES, TARGETS, TARGETS), "bytes": b"abc", "infinity": float("inf"),
}  # fmt: skip


def entered(result):
    """A context manager is entered: some check their arguments only then."""
    if isinstance(result, contextlib.AbstractContextManager) and not hasattr(result, "savefig"):
        with result:
            pass


def test_every_exported_function_has_a_call_here():
    assert {*fronts()} == {name for name in CALLS if "." not in name} | NOT_CALLED


@pytest.mark.parametrize("name", CALLS)
def test_every_argument_of_another_kind_is_refused_in_a_sentence(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(np.random, "default_rng", np.random.default_rng)
    for argument in CALLS[name]():
        for kind, wrong in WRONG.items():
            try:
                entered(called(name)(**{**CALLS[name](), argument: wrong}))
            except InputError as problem:
                assert len(str(problem)) > 20 and "\n" not in str(problem)
            except Exception as problem:
                raise AssertionError(f"{name}({argument}={kind}): {problem!r}") from problem
            else:
                refused_always = kind in ("an object", "a list of objects")
                assert not refused_always or (name, argument) in SERVES_ANYTHING, (
                    f"{name}({argument}={kind}) was taken"
                )


SERVES_ANYTHING = {("check", "function"), ("plot_attention", "source_tokens")}
