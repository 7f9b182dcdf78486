"""Figures of README and docs that can be counted are those that are counted here; what is timed has
its command beside it.

A claim is a piece of a page in which `{}` stands for the figure, in digits or as a word. Where the
code moves on, the test says what to write; `python tests/test_claims.py [PAGE]` prints all claims
as they are counted. A block of Python on a page is an excerpt, which stands in the source word for
word, or a use, which runs. (The figures of the checker's catalogue and of links are held by tests
of their own.)
"""

import dataclasses
import functools
import inspect
import re
import runpy
import shlex
import sys
import textwrap
import types

import pytest
from floors import ROOT
from mutants import MUTANTS
from references.cases import CASES

import minitransformer
from minitransformer.cli.parser import make_parser
from minitransformer.data.owl import TEMPLATES, animals, questions
from minitransformer.data.tasks import TASKS, make_task
from minitransformer.explorer import beforehand
from minitransformer.explorer.page import LARGEST
from minitransformer.gpu.replays import Replays
from minitransformer.grading import guesses, lines
from minitransformer.grading.exercise import EXERCISES
from minitransformer.layers import LayerNorm
from minitransformer.lessons.notebooks import lessons
from minitransformer.runs import MODELS, configure, make_config
from minitransformer.testing import all_components
from minitransformer.testing.contract import CHECKS
from minitransformer.testing.gradient_check import DIRECTIONS
from minitransformer.training.options import TrainingOptions

PAGES = [
    *sorted(ROOT.glob("*.md")), ROOT / "lessons" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
WORDS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen twenty""".split()
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}


def number(word):
    """The number that "1,024", "0.1", "twelve" or "Forty" says."""
    word = word.lower()
    if word in WORDS:
        return WORDS.index(word)
    return TENS[word] if word in TENS else float(word.replace(",", ""))


def text(page):
    """The page on one line, so that a claim may stand across two, without its marks for bold and
    for code."""
    return re.sub(r"\s+", " ", re.sub(r"\*\*|`", "", (ROOT / page).read_text(encoding="utf-8")))


# -- what is counted -------------------------------------------------------------------------------


@functools.cache
def parameters(task, model="transformer"):
    """How many parameters the model that `train TASK --model MODEL` trains has."""
    config = make_config(task, model=model)["model"]["options"]
    return MODELS[model].model(MODELS[model].config(**config), 0).parameter_count()


def parameters_on_the_corpus():
    """The Transformer of the recipe, without the corpus: one table for its vocabulary."""
    recipe, size = TASKS["multi30k-en-de"].recipe, make_task("multi30k-en-de").vocabulary_size
    config = configure(
        "transformer", recipe.preset, recipe.model, source_vocabulary=size, target_vocabulary=size
    )
    return MODELS["transformer"].model(config, 0).parameter_count()


def block(page, heading):
    """The lines of the first block of code below a heading, but for empty ones."""
    below = (ROOT / page).read_text(encoding="utf-8").split(f"\n## {heading}\n")[1]
    return [line for line in below.split("```")[1].splitlines()[1:] if line.strip()]


def rows(page, pattern):
    """The rows of the page's tables that hold the pattern, each as its cells."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    return [
        [cell.strip(" *") for cell in line.split("|")[1:-1]]
        for line in lines
        if line.startswith("|") and re.search(pattern, line)
    ]


def said(page, pattern):
    """What another page says, so that the two agree."""
    return float(re.search(pattern.replace("|", r"\|"), text(page))[1])


def ratios(place):
    """PyTorch's time over ours for a step of the sizes, without dropout (0) or with it (1)."""
    table = rows("docs/benchmarks.md", r"^\| (toy: V|small: V|base: V|\| 0\.1 \|)")
    return [float(row[4]) for row in table[place::2]]


def seconds():
    """The times of the four tasks."""
    return [
        float(row[2].split(",")[0])
        for row in rows("docs/tasks.md", r"minitransformer train (copy|reverse|sort|addition)`")
    ]


def owl(split, known_animal, hint):
    """How many of its questions ask about an animal of the training, or not, and with a hint or
    not."""
    asked = [
        (animal in animals("train"), "{part}" in template) for template, animal in questions(split)
    ]
    return sum(
        known == known_animal and (hint is None or hinted == hint) for known, hinted in asked
    )


def asked():
    """How many questions the map of the lessons lists; 39a to 39e are one."""
    return len(
        set(
            re.findall(
                r"^\| (\d+)[a-e]? \| [^|]+\| \[",
                (ROOT / "lessons/README.md").read_text(encoding="utf-8"), re.M,
            )
        )
    )


def sessions():
    """How many sessions the plan for teachers has."""
    plan = (ROOT / "lessons/README.md").read_text(encoding="utf-8")
    return len(re.findall(r"^\| \d+ \| \d\d\b", plan, re.M))


def hours(*kinds, chosen=None):
    """How many hours these kinds of minutes are, in all lessons or those chosen."""
    wanted = [lesson for lesson in lessons() if chosen is None or lesson.number in chosen]
    return round(sum(getattr(lesson, kind) for lesson in wanted for kind in kinds) / 60)


CORE = ["00", "03", "04", "05", "06", "07", "11"]

PLAIN = TrainingOptions()
CORPUS = {f.name: f.default for f in dataclasses.fields(TrainingOptions)} | TASKS[
    "multi30k-en-de"
].recipe.training
NAMED = sum(len(exercise.mistakes) for exercise in EXERCISES.values())

CLAIMS = [
    ("README.md", "| [{} lessons](lessons/README.md)", lambda: len(lessons())),
    ("README.md", "the plan for {} sessions", sessions),
    ("README.md", "{} exercises, and", lambda: len(EXERCISES)),
    ("README.md", "exercises, and {} known mistakes", lambda: NAMED),
    ("README.md", "{} models compared",
     lambda: len(rows("docs/comparison/comparison.md", r"(59|60),\d{3}"))),
    ("docs/components.md", "## {} lines ",
     lambda: len(block("docs/components.md", "Eleven lines that use one"))),
    ("docs/proofs.md", "of all {} components", lambda: len(all_components())),
    ("docs/components.md", "a table of {} checks", lambda: len(CHECKS)),
    ("docs/proofs.md", "all entries of an array that has up to {};",
     lambda: make_parser().parse_args(["gradcheck"]).entries),
    ("docs/proofs.md", "of a larger one, {} drawn at random",
     lambda: make_parser().parse_args(["gradcheck"]).entries),
    ("docs/proofs.md", "and {} random directions", lambda: DIRECTIONS),
    ("docs/proofs.md", "In {} cases, outputs and all gradients equal PyTorch's",
     lambda: len(CASES)),
    ("docs/proofs.md", "{} mistakes that people make", lambda: sum(not m.is_own for m in MUTANTS)),
    ("docs/proofs.md", "and {} changes of our own", lambda: sum(m.is_own for m in MUTANTS)),
    ("docs/proofs.md", "Lessons. Each of the {} runs", lambda: len(lessons())),
    ("docs/commands.md", "the newest {} checkpoints", lambda: PLAIN.keep),
    ("docs/commands.md", "checkpoints ({} of", lambda: CORPUS["keep"]),
    ("docs/proofs.md", "takes {} times as long as that at 64",
     lambda: said("docs/translation.md", "takes ([0-9.]+) times as long as that at 64")),
    ("docs/proofs.md", "a training step is {} to", lambda: min(ratios(0))),
    ("docs/proofs.md", "to {} times as fast as PyTorch eager's without dropout",
     lambda: max(ratios(0))),
    ("docs/proofs.md", "without dropout, {} to", lambda: min(ratios(1))),
    ("docs/proofs.md", "to {} times with it", lambda: max(ratios(1))),
    ("docs/proofs.md", "unseen sequences, in {} to", lambda: min(seconds())),
    ("docs/proofs.md", "to {} seconds each", lambda: max(seconds())),
    ("lessons/README.md", "{} notebooks, from one softmax", lambda: len(lessons())),
    ("lessons/README.md", "About {} hours of reading, ", lambda: hours("reading")),
    ("lessons/README.md", "hours of reading, {} hours of writing", lambda: hours("writing")),
    ("lessons/README.md", "essential exercises, {} hours of", lambda: hours("further")),
    ("lessons/README.md", "are the core: {} hours",
     lambda: hours("reading", "writing", chosen=CORE)),
    ("lessons/README.md", "## {} questions, and", asked),
    ("lessons/README.md", "{} sessions of 50 minutes", sessions),
    ("docs/tasks.md", "layers: {} parameters;", lambda: parameters("reverse")),
    ("docs/tasks.md", "language model has {} parameters",
     lambda: parameters("reverse", "language-model")),
    ("docs/tasks.md", "batches of {}, clipping", lambda: PLAIN.batch_size),
    ("docs/tasks.md", "clipping at {}.", lambda: PLAIN.max_norm),
    ("docs/tasks.md", "with {} steps of warm-up", lambda: PLAIN.warmup),
    ("docs/translation.md", "attends to owls.](pictures/owl.png) {} animals and",
     lambda: sum(len(animals(split)) for split in TEMPLATES)),
    ("docs/translation.md", "animals and {} ways to ask",
     lambda: sum(map(len, TEMPLATES.values()))),
    ("docs/translation.md", "{} animals and two of the ways", lambda: len(animals("test"))),
    ("docs/translation.md", "animals and {} of the ways are for testing",
     lambda: len(TEMPLATES["test"])),
    ("docs/translation.md", "holds one of them: {} in all", lambda: len(questions("test"))),
    ("docs/translation.md", "| known animal, new way to ask | {} |",
     lambda: owl("test", True, None)),
    ("docs/translation.md", "| new animal, with a hint | {} |", lambda: owl("test", False, True)),
    ("docs/translation.md", "| new animal, without: nobody can know | {} |",
     lambda: owl("test", False, False)),
    ("docs/translation.md",
     "held made-up animals (letters of real ones in another order): {} names",
     lambda: len(animals("train"))),
    ("docs/translation.md", "a joint vocabulary of {} subwords",
     lambda: make_task("multi30k-en-de").vocabulary_size),
    ("docs/translation.md", "batches of at most {} tokens", lambda: CORPUS["batch_tokens"]),
    ("docs/translation.md", "label smoothing {},", lambda: CORPUS["label_smoothing"]),
    ("docs/translation.md", "dropout {}, the Noam",
     lambda: TASKS["multi30k-en-de"].recipe.model["dropout"]),
    ("docs/translation.md", "with its peak of {} after", lambda: CORPUS["learning_rate"]),
    ("docs/translation.md", "after {} steps. The whole log", lambda: CORPUS["warmup"]),
    ("docs/translation.md", "{} steps, 67 minutes: the recipe", lambda: CORPUS["steps"]),
    ("docs/translation.md", "256, 4 heads; {} parameters)", parameters_on_the_corpus),
    ("docs/troubleshooting.md", "with {} tokens, 3.4",
     lambda: len(make_task("reverse").vocabulary)),
    ("docs/troubleshooting.md", "the default is {})", lambda: PLAIN.max_norm),
    ("docs/troubleshooting.md", "the newest {} (", lambda: PLAIN.keep),
    ("docs/troubleshooting.md", "({} of a run on Multi30k", lambda: CORPUS["keep"]),
    ("docs/gpu.md", "training of all {} models", lambda: len(MODELS)),
    ("docs/gpu.md", "up to {} shapes are recorded", lambda: Replays.MOST),
    ("docs/explorer.md", "most {} tokens each", lambda: beforehand.READ),
    ("docs/explorer.md", "up to {} written tokens", lambda: beforehand.WRITTEN),
    ("docs/explorer.md", "take more than {} MB", lambda: int(LARGEST / 1e6)),
    ("docs/gpu.md", "padded to multiples of {},", lambda: Replays.STEP),
]  # fmt: skip


@pytest.mark.parametrize(
    "page, claim, counted", CLAIMS, ids=[f"{page}: {claim}" for page, claim, _ in CLAIMS]
)
def test_a_figure_is_what_is_counted(page, claim, counted):
    before, after = map(re.escape, claim.split("{}"))
    found = re.findall(rf"{before}([\w.,]*\w){after}", text(page))
    assert len(found) == 1, (
        f"{page} does not say “{claim}” once, but {len(found)} times: change the page or the claim"
    )
    assert number(found[0]) == counted(), (
        f"{page} says “{claim.format(found[0])}”; counted: {counted():,}"
    )


@pytest.mark.parametrize(
    "task, row",
    [("copy", n) for n in range(4)] + [(task, 0) for task in ("addition", "owl", "numbers-en-de")],
)
def test_the_sizes_of_the_splits_are_those_of_the_table(task, row):
    counted = list(make_task(task).counts())[row][2]
    assert ", ".join(f"{counted[split]:,}" for split in ("train", "validation", "test")) in text(
        "docs/tasks.md"
    )


# -- what is typed ---------------------------------------------------------------------------------


FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OURS = re.compile(r"(?:\S*python3? -m |\.venv/bin/)?minitransformer (?=[a-z])([^>]+)")


def commands(page):
    """Every command of ours on the page, in a block of a terminal or in a line."""
    written = page.read_text(encoding="utf-8")
    lines = [
        line.split("  #")[0].strip()
        for language, block in FENCED.findall(written)
        if not language
        for line in block.splitlines()
    ]
    spans = [
        re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", FENCED.sub("", written))
    ]
    return [found[1] for said in (*lines, *spans) if (found := OURS.fullmatch(said))]


TYPED = [
    (page.relative_to(ROOT).as_posix(), command) for page in PAGES for command in commands(page)
]


def test_there_are_commands_on_the_pages():
    assert len(TYPED) > 50


@pytest.mark.parametrize(
    "page, command", TYPED, ids=[f"{page}: {command}" for page, command in TYPED]
)
def test_a_command_on_a_page_is_understood(page, command):
    make_parser().parse_args(shlex.split(command))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_make_is_told_on_a_page_is_in_the_makefile(page):
    known = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    told = re.findall(r"(?:^|`)make ([a-z-]+)(?=`|  |$)", page.read_text(encoding="utf-8"), re.M)
    assert set(told) <= set(known)


def test_every_model_and_task_that_can_be_named_is_named_where_the_commands_stand():
    table = "transformer " + "\n".join(block("docs/commands.md", "Commands"))  # which needs no name
    listed = set(re.findall(r"[\w-]+", table)) | {
        task for task in TASKS if re.match("(numbers|multi30k)-", task)
    }
    assert {*MODELS, *TASKS} <= listed


# -- what is shown ---------------------------------------------------------------------------------


def blocks(page):
    """[(language, code)] of all blocks of a page, in order."""
    return FENCED.findall((ROOT / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", ["README.md", "docs/checker.md"])
def test_an_answer_of_the_checker_is_what_the_code_above_it_prints(
    page, capsys, tmp_path, monkeypatch
):
    """Each block of Python that is followed by one without a language, of what it says."""
    for search in (guesses, lines):  # on a slow machine as well
        monkeypatch.setattr(search, "SECONDS", 600)
    shown = [
        (code, said)
        for (language, code), (other, said) in zip(blocks(page), blocks(page)[1:])
        if (language, other) == ("python", "")
    ]
    shown = [
        (code, said)
        for code, said in shown
        if "check(" in code and ": not right yet\n" in said and "import torch" not in code
    ]
    assert len(shown) == 1
    file = tmp_path / "answer.py"  # the lines are those of a file
    file.write_text(shown[0][0], encoding="utf-8")
    runpy.run_path(str(file))
    assert capsys.readouterr().out.endswith(shown[0][1])


def test_the_lines_that_begin_with_numpy_run_and_print_what_stands_behind_them(
    capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    code, saving = [
        code
        for language, code in blocks("docs/components.md")
        if language == "python" and code.startswith(("import numpy", "from minitransformer.runs"))
    ]
    names = {}
    exec(compile(code, "components.md", "exec"), names)
    before = names["attention"].state_dict()
    exec(compile(saving, "components.md", "exec"), names)
    assert all((before[n] == array).all() for n, array in names["attention"].state_dict().items())
    printed = capsys.readouterr().out.splitlines()
    said = re.search(r"print\(d_x.shape.*# (.+)", code)[1]
    assert printed[0] == said and len(printed) > 5 and "query.weight" in "\n".join(printed)


SOURCES = [
    file.read_text(encoding="utf-8") for file in sorted((ROOT / "minitransformer").rglob("*.py"))
]
LINES = {line.strip() for source in SOURCES for line in source.splitlines()}
PYTHON = [
    (page.relative_to(ROOT).as_posix(), code)
    for page in PAGES
    for language, code in blocks(page)
    if language == "python" and "import torch" not in code  # those, test_frameworks.py runs
]


def is_excerpt(code):
    """Whether a block shows a piece of the source: it begins with a definition, or with a line of
    it that is no import."""
    first = code.splitlines()[0]
    return (
        first.startswith(("def ", "class ", "@"))
        or first in LINES
        and not first.startswith(("import ", "from "))
    )


def stands_in_the_source(code):
    """Whether a source has the block word for word, at any depth of indentation."""
    return any(
        textwrap.indent(code.rstrip(), depth * " ") in source
        for source in SOURCES
        for depth in (0, 4, 8)
    )


def test_what_is_an_excerpt_and_what_is_a_use():
    excerpts = [code for _, code in PYTHON if is_excerpt(code)]
    assert len(excerpts) >= 2 and len(PYTHON) - len(excerpts) >= 5
    layer_norm = "\n".join(
        textwrap.dedent(inspect.getsource(method))
        for method in (LayerNorm.forward, LayerNorm.backward)
    )
    assert layer_norm in excerpts and stands_in_the_source(layer_norm)
    assert not stands_in_the_source(layer_norm.replace("d_x_hat - ", "d_x_hat + "))


@pytest.mark.parametrize("page", sorted({page for page, _ in PYTHON}))
def test_an_excerpt_is_the_source_word_for_word_and_a_use_runs(page, tmp_path, monkeypatch):
    """The uses of a page run one after the other, with the names that it takes from the reader."""
    taken = {
        "softmax_backward": EXERCISES["softmax.backward"].reference,
        "model": types.SimpleNamespace(
            to=lambda device: inspect.signature(LayerNorm.to).bind(LayerNorm(3), device)
        ),  # no GPU is needed
    }
    names, taken = {}, {} if page == "docs/python.md" else taken  # that page is complete
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(TASKS, "plural", None)  # so that what a page registers is gone afterwards
    del TASKS["plural"]
    for code in [code for its, code in PYTHON if its == page]:
        if is_excerpt(code):
            assert stands_in_the_source(code), f"{page} shows what no file has:\n{code}"
        else:
            names = taken | names
            exec(compile(code, page, "exec"), names)


def test_the_component_of_the_page_is_right_and_its_wrong_one_is_found(
    capsys, tmp_path, monkeypatch
):
    """Top to bottom in one session, with nothing that the page does not have."""
    names = {}
    monkeypatch.chdir(tmp_path)
    for language, code in blocks("docs/components.md"):
        if language == "python" and not is_excerpt(code):
            exec(compile(code, "components.md", "exec"), names)
    said = capsys.readouterr().out
    assert re.search(r"^MyLayerNorm: \d+ passed, 0 failed", said, re.M)
    assert re.search(r"^Wrong: \d+ passed, [1-9]\d* failed", said, re.M)
    assert "A gradient is wrong" in said and "the whole (MultiHeadAttention)" in said


@pytest.mark.parametrize("page", ["docs/components.md", "docs/architecture.md"])
def test_an_error_that_a_page_names_can_be_imported(page):
    """From the package that it is in, or from `minitransformer` itself."""
    public = {
        name
        for package in (minitransformer, minitransformer.errors, minitransformer.testing)
        for name in vars(package)
    }
    named = set(re.findall(r"`(\w+Error)`", (ROOT / page).read_text(encoding="utf-8")))
    assert named and named <= public


if __name__ == "__main__":
    for page, claim, counted in CLAIMS:
        if sys.argv[1:] in ([], [page]):
            print(f"{page}: {claim.format(f'{counted():,}'.removesuffix('.0'))}")
