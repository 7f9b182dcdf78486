"""The commands, as a user meets them: what they leave, what they print, and one sentence for what
cannot be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from common import run

from minitransformer.cli.parser import make_parser
from minitransformer.models import MODELS, TransformerConfig
from minitransformer.runs.run import TrainingOptions
from minitransformer.testing import all_components

ROOT = Path(__file__).parents[1]
BRIEF = (
    "--steps 12 --save-every 6 --log-every 4 --evaluate-every 6 --evaluate-count 10 --d-model 16"
)
TINY = f"--heads 2 --d-ff 24 --encoder-layers 1 --decoder-layers 1 {BRIEF}"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def trained(capsys):
    assert run(f"train reverse --max-length 4 {TINY} --no-pictures", capsys)[0] == 0
    return Path("runs/reverse")


def test_training_leaves_config_metrics_checkpoints_and_pictures(capsys):
    status, out, err = run(f"train reverse --max-length 4 {TINY}", capsys)
    folder = Path("runs/reverse")
    assert status == 0 and "exact match" in out and "evaluate runs" in out and "step" in err
    assert json.loads((folder / "config.json").read_text())["task"] == {
        "name": "reverse",
        "options": {"symbols": 10, "min_length": 3, "max_length": 4},
    }
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert {"loss", "learning_rate", "gradient_norm", "tokens_per_second"} <= set(lines[0])
    assert any("exact_match" in line for line in lines)
    assert len(list((folder / "checkpoints").iterdir())) == 2
    names = {p.name for p in (folder / "pictures").iterdir()}
    assert {
        "loss.png", "attention-cross.png", "attention-encoder.png", "attention-decoder.png",
        "positions.png",
    } <= names
    assert {"attention-strip.png", "architecture.png", "attention-architecture.png"} <= names
    assert all(str(folder / "pictures" / name) in out for name in names)


def test_a_second_training_takes_the_next_free_folder(trained, capsys):
    _, out, _ = run(f"train reverse --max-length 4 {TINY} --no-pictures", capsys)
    assert Path("runs/reverse-2/config.json").is_file() and "runs/reverse-2" in out.replace(
        "\\", "/"
    )


PICTURES = {  # beside loss.png and influence.png, which every model has
    "language-model": {
        "attention-self", "attention-strip", "positions", "architecture", "attention-architecture",
    },
    "rnn": set(),
    "rnn-additive": {"attention-cross", "attention-strip"},
    "rnn-multiplicative": {"attention-cross", "attention-strip"},
    "one-vector": {"positions"},
    "conv": {"positions", "architecture"},
    "local-attention": {"attention-self", "attention-strip", "positions", "architecture"},
}


@pytest.mark.parametrize(
    "model",
    [
        name if name in ("conv", "rnn-additive") else pytest.param(name, marks=pytest.mark.slow)
        for name in MODELS
        if name != "transformer"
    ],
)
def test_every_other_model_trains_evaluates_predicts_and_plots_what_it_has(model, capsys):
    assert run(f"train copy --model {model} {BRIEF} --out run", capsys)[0] == 0
    drawn = {path.stem for path in Path("run/pictures").iterdir()}
    assert drawn == PICTURES[model] | {"loss", "influence"}
    assert run("evaluate run --count 20", capsys)[0] == 0
    assert run("predict run '3 1 4'", capsys)[0] == 0


def test_evaluate_prints_figures_and_json(trained, capsys):
    status, out, _ = run("evaluate runs/reverse --count 30", capsys)
    assert status == 0 and "exact match" in out and "cross-attention" in out
    result = json.loads(
        run("evaluate runs/reverse --count 30 --split validation --json", capsys)[1]
    )
    assert (
        result["split"] == "validation" and 0 <= result["exact_match"] <= 1 and result["step"] == 12
    )
    assert len(result["alignment"]) == 3


def test_predict_answers_each_text_on_a_line(trained, capsys):
    status, out, _ = run("predict runs/reverse '3 1 4' 271", capsys)
    assert status == 0 and len(out.splitlines()) == 2
    status, out, _ = run("predict runs/reverse '3 1 4' --max-tokens 1", capsys)
    assert status == 0 and len(out.split()) <= 1


def test_plot_draws_the_sequence_it_is_given_where_it_is_told(trained, capsys):
    status, out, _ = run("plot runs/reverse --text '5 6 7' --out pictures", capsys)
    assert (
        status == 0
        and Path("pictures/attention-cross.png").stat().st_size > 5000
        and "attention-cross.png" in out
    )


def test_resume_goes_on_to_more_steps(trained, capsys):
    status, out, _ = run("train --resume runs/reverse --steps 18 --no-pictures", capsys)
    assert status == 0 and "18 steps" in out
    assert json.loads(run("evaluate runs/reverse --count 5 --json", capsys)[1])["step"] == 18


def test_gradcheck_prints_a_table_and_fails_if_a_gradient_is_wrong(capsys, monkeypatch):
    status, out, _ = run("gradcheck LayerNorm Softmax", capsys)
    assert status == 0 and "gamma" in out and "d_input[0]" in out and "Every gradient agrees" in out
    from minitransformer.layers import LayerNorm

    backward = LayerNorm.backward
    monkeypatch.setattr(LayerNorm, "backward", lambda self, d_y: backward(self, d_y) * 1.00001)
    status, out, _ = run("gradcheck LayerNorm Softmax", capsys)
    assert status == 1 and "WRONG" in out and "1 wrong: LayerNorm" in out


def test_gradcheck_covers_every_component(capsys):
    status, out, _ = run("gradcheck --entries 2", capsys)
    assert status == 0
    for component in all_components():
        assert f"{component.__name__}: gradient" in out


def test_tasks_lists_all_with_counts(capsys):
    _, out, _ = run("tasks", capsys)
    assert all(name in out for name in ("copy", "reverse", "sort", "addition"))
    _, out, _ = run("tasks --counts", capsys)
    assert "length 3: 1,000 in all" in out and "unordered pairs: 500,500 in all" in out


REFUSED = [
    ("trian reverse", "no command 'trian'. Did you mean 'train'"),
    ("train revers", "no task 'revers'. Did you mean 'reverse'"),
    ("train", "Choose a task to train: copy, reverse, sort, addition"),
    ("train reverse --setps 3", "no option --setps; did you mean --steps"),
    ("train reverse --steps x", "invalid int value: 'x'"),
    ("train reverse --steps 0", "steps must be at least 1, got 0"),
    (
        "train reverse --heads 3",
        "heads=3 does not divide d_model=64. Use 1, 2, 4, 8, 16, 32 heads, or d_model=66",
    ),
    (
        "train reverse --dropout 1.5",
        "dropout must be a number of at least 0 and less than 1, got 1.5",
    ),
    ("train reverse --norm past", "no norm 'past'. Did you mean 'post'"),
    ("train reverse --preset toyy", "no preset 'toyy'. Did you mean 'toy'"),
    ("train reverse --model transformr", "no model 'transformr'. Did you mean 'transformer'"),
    (
        "train reverse --model rnn --heads 2",
        "The model rnn has no option 'heads'. It has: d_model, dropout, cell",
    ),
    ("train reverse --model rnn --attention additive", "no option --attention"),
    ("train reverse --model rnn --cell lstm", "no cell 'lstm'. There are: rnn, gru"),
    (
        "train reverse --model conv --kernel-width 1",
        "kernel_width must be a whole number of at least 2, got 1",
    ),
    (
        "train reverse --model local-attention --window 0",
        "window must be a whole number of at least 2, got 0",
    ),
    (
        "train reverse --model language-model --encoder-layers 3",
        "language-model has no option 'encoder_layers'",
    ),
    ("train reverse --digits 2", "task reverse has no option 'digits'. It has: symbols"),
    (
        "train reverse --out runs/reverse",
        "folder runs/reverse is not empty. Continue it with --resume",
    ),
    ("train --resume runs/reverse --batch-size 3", "batch_size cannot change"),
    ("train reverse --resume runs/reverse", "task cannot change"),
    ("train --resume runs/revers", "no run runs/revers; there are: runs/reverse"),
    ("predict runs/reverse", "required: TEXT"),
    ("predict runs/reverse 3 --max-tokens 0", "'0' is not a whole number of at least 1"),
    ("evaluate runs/reverse --count 0", "'0' is not a whole number of at least 1"),
    (
        "train copy --symbols 2 --min-length 1 --max-length 1 --out d",
        "has no sequence for validation: allow longer",
    ),
    ("train reverse --seed -1", "seed must be a number from 0 on, got -1"),
    ("train --resume runs/reverse", "is at step 12 of 12: there is nothing left to do"),
    ("predict runs/reverse '3 x'", "'x' (token 2 of '3 x') is not in the vocabulary. It has: 0 1"),
    ("predict runs/reverse ''", "empty text"),
    (
        f"predict runs/reverse '{'7 ' * 600}'",
        "sequence of 600 tokens is longer than the maximum of 512",
    ),
    ("evaluate runs", "no checkpoints and no config.json"),
    ("evaluate runs/reverse --split tests", "no split 'tests'. Did you mean 'test'"),
    ("plot nowhere", "no run nowhere"),
    ("gradcheck LayerNrm", "no component 'LayerNrm'. Did you mean 'LayerNorm'"),
]


@pytest.mark.parametrize("line, sentence", REFUSED, ids=[line[:50] for line, _ in REFUSED])
def test_what_cannot_be_is_answered_in_one_sentence_with_status_2(line, sentence, trained, capsys):
    status, _, err = run(line, capsys)
    assert status == 2
    assert sentence in err.replace("\\", "/"), err
    assert "Traceback" not in err and len(err.strip().splitlines()) == 1


def test_a_damaged_checkpoint_is_told_with_the_tensor(trained, capsys):
    newest = max((trained / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-1000])
    status, _, err = run("evaluate runs/reverse", capsys)
    assert status == 2 and "cut short or damaged, from the tensor" in err


def test_a_run_that_diverges_exits_with_1_and_names_the_kept_checkpoint(capsys):
    line = (
        f"train copy {TINY} --optimizer sgd --schedule constant --warmup 0 --learning-rate 1e30 "
        "--max-norm 0 --norm pre --save-every 1"
    )
    status, _, err = run(line, capsys)
    assert (
        status == 1
        and "last good checkpoint" in err
        and "stopped: the loss is" in err
        and "Traceback" not in err
    )


def test_a_path_that_cannot_be_written_is_one_sentence(trained, capsys):
    Path("file").write_text("not a folder")
    status, _, err = run("plot runs/reverse --out file", capsys)
    assert status == 1 and "file" in err and "Traceback" not in err


def test_every_option_is_explained():
    import dataclasses

    parser = make_parser()
    for cls in (TrainingOptions, TransformerConfig):
        for field in dataclasses.fields(cls):
            if not field.name.endswith("vocabulary"):
                assert field.metadata.get("help"), f"{cls.__name__}.{field.name} has no help"
    assert "COMMAND" in parser.format_help()


def python(*arguments, **environment):
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=env, timeout=120,
        encoding="utf-8",
    )


def test_the_module_runs_as_a_program_and_the_parser_refuses_without_a_traceback():
    assert python("-m", "minitransformer", "--version").stdout.startswith("minitransformer ")
    refused = python("-m", "minitransformer", "train", "revers")
    assert (
        refused.returncode == 2
        and refused.stderr.startswith("minitransformer: There is no task")
        and not refused.stdout
    )


def test_import_is_quick_and_draws_in_only_numpy():
    code = (
        "import sys, minitransformer; print([m for m in ('matplotlib', 'tqdm', 'safetensors', "
        "'cupy', 'torch') if m in sys.modules])"
    )
    assert python("-c", code).stdout.strip() == "[]"
    # Ours takes less than NumPy's own, in processor time of one process: a slow or busy machine
    # stretches both alike.
    code = (
        "from time import process_time as now; a = now(); import numpy; b = now(); import "
        "minitransformer; print((now() - b) / (b - a))"
    )
    assert min(float(python("-c", code).stdout) for _ in range(5)) < 1
