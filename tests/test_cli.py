"""The commands, as a user meets them: what they leave, what they print, and one sentence for what
cannot be."""

import argparse
import ast
import dataclasses
import errno
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest
from common import run

from minitransformer.cli.lines import typed_text
from minitransformer.cli.parser import make_parser
from minitransformer.core.options import option
from minitransformer.data.corpus import Corpus
from minitransformer.data.symbols import Reverse, SymbolTask
from minitransformer.data.tasks import TASKS
from minitransformer.data.vocabulary import Vocabulary
from minitransformer.models import PRESETS, TransformerConfig
from minitransformer.plotting.style import Figure
from minitransformer.runs import MODELS
from minitransformer.runs.run import Run, TrainingOptions, make_config
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


HOSTILE = "<script>&\"'-->]]>{{about}}\u732b\u0007"


@pytest.fixture
def odd(tmp_path):
    """The folder of an untrained run whose tokens are characters that mean something in XML."""
    (tmp_path / "book.txt").write_text(HOSTILE * 40, encoding="utf-8")
    sizes = {"d_model": 8, "heads": 2, "d_k": 4, "d_ff": 8, "decoder_layers": 1}
    config = make_config("text", {"text": str(tmp_path / "book.txt")}, model_options=sizes)
    Run.create(tmp_path / "odd", config).save()
    return tmp_path / "odd"


def test_svg_is_well_formed_whatever_the_tokens_are_and_the_same_bytes_every_time(odd, capsys):
    text = shlex.quote(HOSTILE)
    for folder in ("once", "again"):
        status, out, _ = run(f"plot odd --format svg --text {text} --out {folder}", capsys)
        assert status == 0 and out.count(".svg") == len(list(Path(folder).iterdir())) >= 3
    for path in Path("once").iterdir():
        content = path.read_bytes()
        assert content == (Path("again") / path.name).read_bytes()
        tree = xml.etree.ElementTree.fromstring(content)
        assert tree.tag.endswith("}svg") and b"<script" not in content
        names = {element.tag.rpartition("}")[2] for element in tree.iter()}
        assert "date" not in names and "path" in names and "text" not in names
    (image,) = [e for e in xml.etree.ElementTree.parse("once/attention-self.svg").iter()
                if e.tag.endswith("}image")][:1]  # fmt: skip
    size = len(Run.open("odd").vocabulary.encode(HOSTILE)) - 1
    assert (image.get("width"), image.get("height")) == (str(size), str(size))  # a dot is a cell


def test_the_page_is_one_of_the_formats_of_plot_and_the_same_as_that_of_explore(odd, capsys):
    text = shlex.quote(HOSTILE)
    assert run(f"explore odd --text {text} --out page.html", capsys)[0] == 0
    status, out, _ = run(f"plot odd --format html --text {text} --out drawn", capsys)
    assert status == 0 and "explorer.html" in out
    assert [path.name for path in Path("drawn").iterdir()] == ["explorer.html"]
    assert Path("drawn/explorer.html").read_bytes() == Path("page.html").read_bytes()
    assert run("plot odd --format html", capsys)[0] == 0
    assert Path("odd/pictures/explorer.html").is_file()
    for chosen in ("--layers 1", "--heads 1", "--beam 2", "--alpha 0.5", "--early-stopping"):
        status, out, err = run(f"plot odd --format html {chosen} --out nothing", capsys)
        assert status == 2 and chosen.split()[0] in err and not Path("nothing").exists()


def test_a_model_that_no_page_can_show_is_referred_to_pictures(tmp_path, capsys):
    Run.create(tmp_path / "rnn", make_config("reverse", model="rnn", preset="toy")).save()
    status, _, err = run("plot rnn --format html --out nothing", capsys)
    assert status == 2 and "RNNSeq2Seq" in err and "--format png or --format svg" in err
    assert not Path("nothing").exists()


@pytest.mark.slow
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
    ("train reverse --steps x", "'x' is not a whole number in digits, such as 1000"),
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
    ("train copy --resume runs/reverse", "task cannot change"),
    ("train --resume runs/reverse --model rnn", "model cannot change"),
    ("train --resume runs/reverse --d-model 32", "d_model cannot change"),
    ("train --resume runs/reverse --max-length 5 --shares 2", "options; max_length cannot change"),
    ("train --resume runs/reverse --preset toy", "preset cannot change"),
    ("train --resume runs/revers", "no run runs/revers; did you mean runs/reverse? There are: "),
    ("predict reverse '3 1 4'", "no run reverse; did you mean runs/reverse? There are: "),
    ("predict number-en-de '3 1 4'", "no run number-en-de; did you mean numbers-en-de? There are"),
    ("train numbers", "Did you mean 'numbers-en-de'?"),
    ("train reverse --lr 0.1", "no option --lr; did you mean --learning-rate?"),
    ("train reverse --epochs=3", "no option --epochs=3; did you mean --steps?"),
    ("translate", "required: RUN."),
    ("exercises nothing", "There are 77, such as"),
    ("predict runs/reverse", "required: TEXT"),
    ("predict runs/reverse 3 --max-tokens 0", "'0' is not a whole number of at least 1"),
    ("evaluate runs/reverse --count 0", "'0' is not a whole number of at least 1"),
    (
        "train copy --symbols 2 --min-length 1 --max-length 1 --out d",
        "has no sequence for validation: allow longer",
    ),
    ("train reverse --seed -1", "'-1' is not a whole number of at least 0"),
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


def test_import_is_quick_and_draws_in_only_numpy(tmp_path):
    code = (
        "import sys, minitransformer; print([m for m in ('matplotlib', 'tqdm', 'threadpoolctl', "
        "'cupy', 'torch') if m in sys.modules])"
    )
    assert python("-c", code).stdout.strip() == "[]"
    # Ours takes less than NumPy's own, in processor time of one process: a slow or busy machine
    # stretches both alike.
    code = (
        "from time import process_time as now; a = now(); import numpy; b = now(); import "
        "minitransformer; print((now() - b) / (b - a))"
    )
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}  # by the first
    assert min(float(python("-c", code, **compiled).stdout) for _ in range(5)) < 1


# -- every command, every option -------------------------------------------------------------------


def parsers():
    """{command: its parser}."""
    (commands,) = [
        action for action in make_parser()._actions if action.nargs == argparse.PARSER
    ]
    return commands.choices


NUMBERS = [
    (command, action.option_strings[0])
    for command, parser in parsers().items()
    for action in parser._actions
    if action.option_strings and action.type not in (None, str, typed_text)
]


def test_every_argument_has_a_help_text():
    for command, parser in parsers().items():
        for action in parser._actions:
            assert action.help, (command, action.dest)


@pytest.mark.parametrize("command, option", NUMBERS, ids=" ".join)
def test_what_is_no_number_is_told_what_a_number_is(command, option, capsys):
    """Python's own words, "invalid int value", say neither what is expected nor what helps."""
    for typed in ("x", "1e3x", "", "9" * 5000 + "x"):
        status, _, err = run(f"{command} {option}='{typed}'", capsys)
        assert status == 2 and "is not a " in err and "number" in err and "invalid" not in err, err
        assert len(err) < 1000


def test_there_are_numbers_in_the_options():
    assert len(NUMBERS) > 50


CHOICES = {
    "train {}": TASKS, "train reverse --model {}": MODELS, "train reverse --preset {}": PRESETS,
    "train reverse --norm {}": ("pre", "post"), "train reverse --schedule {}": ("cosine", "noam"),
    "train reverse --optimizer {}": ("adam", "sgd"), "train numbers-en-de --cut {}": ("morphemes",),
    "gradcheck {}": ("Softmax", "LayerNorm"), "exercises {}": ("softmax.backward", "mask.causal"),
    "evaluate numbers-en-de --split {}": ("test", "train"), "{}": ("train", "grade"),
    "evaluate numbers-en-de --device {}": ("auto", "cpu"), "predict {} 3": ("numbers-en-de",),
}


@pytest.mark.parametrize("line", CHOICES)
def test_a_name_in_other_letters_is_suggested_whatever_is_chosen(line, capsys):
    for name in CHOICES[line]:
        for typed in (name.swapcase(), name + "x"):
            status, _, err = run(line.format(typed), capsys)
            assert status == 2 and re.search(f"[Dd]id you mean '?{name}'?\\?", err), err


@pytest.mark.parametrize("line", [
    *CHOICES, "train reverse --{}", "train reverse {}", "lessons {}", "grade {}", "{}",
    "translate numbers-en-de {}", "translate numbers-en-de --file {}", "predict numbers-en-de {}",
    "export numbers-en-de {}", "train --resume {}", "compare {} {}",
])  # fmt: skip
def test_a_sentence_stays_short_whatever_is_typed(line, capsys):
    status, _, err = run(line.format(*["z" * 30_000] * line.count("{}")), capsys)
    assert status == 2 and err.count("\n") == 1 and len(err) < 1000, err[:2000]


@pytest.mark.parametrize("task", TASKS)
def test_every_option_of_a_task_is_explained_and_can_be_typed(task):
    for field in dataclasses.fields(TASKS[task]):
        if field.name == "sha256":  # which `train` finds out
            continue
        assert field.metadata.get("help"), f"{task}.{field.name} has no help"
        typed = [task, f"--{field.name.replace('_', '-')}", str(field.default)]
        try:
            chosen = vars(make_parser().parse_args(["train", *typed]))
        except SystemExit:
            pytest.fail(f"{typed[1]} is not known")
        assert chosen[f"task_{field.name}"] == field.default


def test_an_option_of_several_tasks_is_explained_for_each(capsys):
    _, out, _ = run("train --help", capsys)
    said = " ".join(out.split())
    assert "of pairs: characters, words, subwords, or auto" in said
    assert "(default: auto); of others: morphemes" in said and "--sha256" not in said


def test_a_new_task_needs_no_decorator_and_may_share_an_option_with_another(monkeypatch, capsys):
    """As CONTRIBUTING tells it: the class, its options, its name in TASKS."""

    class Rotate(SymbolTask):
        """Rotate the sequence to the left: 3 1 4 → 1 4 3."""

        by: int = option(1, "places by which it is rotated")

        def solve(self, source):
            return Reverse.solve(self, source)

    class Proverbs(Corpus):
        """Complete a proverb."""

        digits: int = option(2, "digits")

        def make_vocabulary(self):
            return Vocabulary(["a", "b", "c"])

        def sentences(self, split):
            return ["a b"] * 3, ["c"] * 3

    class Decorated(SymbolTask):
        """A decorator does no harm."""

        more: int = option(3, "more")

        def solve(self, source):
            return source

    try:
        dataclasses.dataclass(frozen=True)(Decorated)
        assert Rotate(by=2) == Rotate(by=2) != Rotate() and len({Rotate(by=2), Rotate(by=2)}) == 1
    except TypeError as problem:
        pytest.fail(f"{problem!r} came through")
    with pytest.raises(dataclasses.FrozenInstanceError, match="option by .* cannot be changed"):
        Rotate().by = 3
    for name, cls in {"rotate": Rotate, "proverbs": Proverbs, "decorated": Decorated}.items():
        monkeypatch.setitem(TASKS, name, cls)
    _, out, _ = run("train --help", capsys)
    assert "--by" in out and "places by which it is rotated" in out
    assert run("tasks", capsys)[0] == 0
    assert run(f"train rotate --by 2 {TINY} --no-pictures --out a", capsys)[0] == 0
    assert json.loads(Path("a/config.json").read_text())["task"]["options"]["by"] == 2
    assert run(f"train proverbs --digits 1 {TINY} --no-pictures --out b", capsys)[0] == 0
    assert run(f"train decorated --more 1 {TINY} --no-pictures --out c", capsys)[0] == 0
    assert run("predict b 'a b'", capsys)[0] == 0


def test_the_option_of_a_folder_is_there_only_with_its_folder(monkeypatch, capsys):
    assert "--gpu-kernels" in run("train --help", capsys)[1]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "--gpu-kernels" not in run("train --help", capsys)[1]
    assert "no option --gpu-kernels" in run("train copy --gpu-kernels", capsys)[2]


def test_a_text_file_is_no_task_and_it_is_said_what_to_do(capsys):
    Path("my text.txt").write_text("to be or not to be")
    status, _, err = run("train 'my text.txt' --model language-model", capsys)
    assert status == 2 and "is a file, and TASK is the name of a task" in err
    assert "train --data 'my text.txt'" in err and "train --text 'my text.txt'" in err


def test_options_that_a_resumed_run_has_already_do_not_count_as_changed(trained, capsys):
    same = "--shares 2 --max-length 4 --d-model 16 --model transformer --batch-size 64"
    status, _, err = run(
        f"train reverse --resume runs/reverse {same} --steps 14 --no-pictures", capsys
    )
    assert status == 0, err


def test_a_run_with_more_steps_says_how_the_learning_rate_goes_on(trained, capsys):
    _, out, _ = run("train --resume runs/reverse --steps 18 --no-pictures", capsys)
    assert "The learning rate goes on at " in out
    assert "falls to 0 at step 18: cosine, with a warm-up of 6 steps." in out


def test_an_answer_that_was_cut_off_is_remarked_and_no_other(capsys):
    for command in ("predict", "translate"):
        cut = run(f"{command} numbers-en-de 23 '1' 23 --max-tokens 1", capsys)
        assert cut[0] == 0 and cut[2].count("has no end: it was cut off") >= 2
        assert "Text 1: The answer to '23'" in cut[2] and "Text 3: The answer to '23'" in cut[2]
        assert run(f"{command} numbers-en-de 23", capsys)[2] == ""


def test_every_text_is_written_with_the_same_bytes_on_every_system():
    """Windows would write two bytes for the end of a line."""
    for file in sorted((ROOT / "minitransformer").rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            said = [a.value for a in call.args if isinstance(a, ast.Constant)]
            writes = name == "open" and any(
                type(mode) is str and set(mode) & set("wax") and set(mode) <= set("rwaxt+")
                for mode in said
            )
            ends = [k.value.value for k in call.keywords if k.arg == "newline"]
            writes |= name == "write_text" and isinstance(call.func, ast.Attribute)
            fine = not writes or ends == ["\n"] or "os.devnull" in ast.unparse(call)
            assert fine, f"{file.name}, line {call.lineno}: newline=\"\\n\""


def test_a_full_disk_is_told_with_the_file_whatever_is_written(trained, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    status, _, err = run("export runs/reverse one.safetensors", capsys)
    assert (status, err) == (
        1, "minitransformer: one.safetensors could not be written: No space left on device.\n",
    )
    status, _, err = run("train --resume runs/reverse --steps 14 --no-pictures", capsys)
    assert status == 1 and "config.json could not be written: No space" in err
    monkeypatch.setattr(Figure, "savefig", full)
    status, _, err = run("plot runs/reverse --out drawn", capsys)
    assert status == 1 and ".png could not be written: No space" in err


@pytest.mark.parametrize("options", ["", "--full", "--full --out 'my study'"])
def test_a_study_that_is_stopped_says_how_to_go_on(options, capsys, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("minitransformer.study.run_study", stopped)
    status, out, _ = run(f"compare {options}", capsys)
    assert status == 130 and out.rstrip().endswith(f"compare {options}".rstrip())
