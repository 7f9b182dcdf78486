"""Tasks of one's own: registered in Python, or named by an installed package."""

import json
import sys
from pathlib import Path

import pytest
from common import accepted, refusal

from minitransformer.cli import main
from minitransformer.data import (
    TASKS,
    Corpus,
    Task,
    Vocabulary,
    make_task,
    option,
    register_task,
    registry,
)
from minitransformer.data.registry import name_of_task, register_tasks_of_packages
from minitransformer.runs import Run, make_config

PAGE = Path(__file__).parents[1] / "docs" / "your-task.md"
SMALL = "--steps 2 --d-model 16 --heads 2 --d-ff 16 --no-pictures"


@pytest.fixture(autouse=True)
def own_registry(monkeypatch, tmp_path):
    """What a test registers is gone after it."""
    monkeypatch.setattr(registry, "FOUND", set())
    before = dict(TASKS)
    monkeypatch.chdir(tmp_path)
    yield
    TASKS.clear()
    TASKS.update(before)


class Echo(Corpus):
    """Say it again."""

    times: int = option(1, "how often")

    def make_vocabulary(self):
        return Vocabulary(["a", "b", "c"])

    def sentences(self, split):
        texts = [{"train": "a", "validation": "b", "test": "c"}[split]]
        return texts, [" ".join(texts * self.times)]


def package(name, entry_points, **modules):
    """A folder on the path as an installed package has it."""
    folder = Path("site").resolve()
    info = folder / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[minitransformer.tasks]\n{entry_points}\n")
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
    return str(folder)


def test_a_registered_task_is_known_to_the_commands_and_to_runs(capsys):
    register_task("echo", Echo)
    register_task("echo", Echo)  # as a cell that is run again
    assert make_task("echo", times=2).sentences("train") == (["a"], ["a a"])
    assert name_of_task(Echo()) == "echo" and make_config(Echo(times=2))["task"] == {
        "name": "echo", "options": {"times": 2},
    }  # fmt: skip
    assert main(f"train echo --times 2 {SMALL} --out run".split()) == 0
    assert json.loads(Path("run/config.json").read_text())["task"]["options"] == {"times": 2}
    assert Run.open("run").task == Echo(times=2)
    assert main(["tasks"]) == 0 and "Say it again." in capsys.readouterr().out
    del TASKS["echo"]
    assert main(["predict", "run", "a"]) == 2
    said = capsys.readouterr().err
    assert "There is no task 'echo'" in said and "register_task" in said and said.count("\n") == 1
    assert "remove" not in said and "Correct it" not in said  # nothing is wrong with config.json
    assert "echo" in refusal(name_of_task, Echo()).lower()


class Untyped(Corpus):
    what: tuple = option((), "several")


class Helpless(Corpus):
    size: int = 3


class Mistaken(Corpus):
    size: int = option("3", "a number that is a text")


@pytest.mark.parametrize(
    "name, cls, sentence",
    [
        ("reverse", Echo, "There is a task reverse already"),
        ("My Task", Echo, "small letters, digits and hyphens"),
        (7, Echo, "small letters"),
        ("echo", Echo(), "must be a subclass of Task"),
        ("echo", dict, "must be a subclass of Task"),
        ("echo", Untyped, "The option what of the task echo must be a bool, int, float or str"),
        ("echo", Helpless, "The option size of the task echo needs a default and a help text"),
        ("echo", Mistaken, "default of the option size of the task echo must be a whole number"),
    ],
)
def test_what_cannot_be_a_task_is_refused(name, cls, sentence):
    assert sentence in refusal(register_task, name, cls)
    assert "echo" not in TASKS


def test_a_task_of_an_installed_package_is_found(monkeypatch, capsys):
    source = """from minitransformer.data import Corpus, Pieces, option

class Plural(Corpus):
    \"\"\"Write the plural: owl → owls.\"\"\"

    words: int = option(3, "how many words of each kind")

    def make_vocabulary(self):
        return Pieces.of([text for side in self.sentences("train") for text in side], "characters")

    def sentences(self, split):
        nouns = {"train": "owl cat dog", "validation": "cow law", "test": "act coal"}[split]
        nouns = nouns.split()[: self.words]
        return nouns, [noun + "s" for noun in nouns]
"""
    monkeypatch.syspath_prepend(package("my-tasks", "plural = my_tasks:Plural", my_tasks=source))
    assert accepted(make_task, "plural").words == 3 and TASKS.pop("plural")
    registry.FOUND.clear()
    assert main(f"train plural --words 2 {SMALL}".split()) == 0
    assert main(["tasks"]) == 0 and "Write the plural" in capsys.readouterr().out
    del TASKS["plural"]  # as in a new program
    registry.FOUND.clear()
    assert make_task("plural").sentences("validation") == (["cow", "law"], ["cows", "laws"])
    assert Run.open("runs/plural").task.words == 2
    sys.modules.pop("my_tasks")


def test_the_package_of_the_page_is_the_one_above():
    page = PAGE.read_text(encoding="utf-8")
    assert 'plural = "my_tasks:Plural"' in page and "class Plural(Corpus):" in page
    assert '[project.entry-points."minitransformer.tasks"]' in page


@pytest.mark.parametrize(
    "text, said",
    [
        ("import nothing_like_this", "ModuleNotFoundError: \"No module named 'nothing_"),
        ("1 / 0", "ZeroDivisionError"),
        ("class Other: pass", "AttributeError"),
        ("Plural = 7", "InputError: 'The task plural must be a subclass"),
        ("def", "SyntaxError"),
    ],
)
def test_a_broken_package_is_named_and_harms_nothing_else(monkeypatch, capsys, text, said):
    points = "plural = broken_tasks:Plural\nreverse = broken_tasks:Reverse"
    monkeypatch.syspath_prepend(package("broken-tasks", points, broken_tasks=text))
    try:
        assert main(["tasks"]) == 0
    except Exception as problem:
        pytest.fail(f"{problem!r} came through")
    out, err = capsys.readouterr()
    assert "The task plural (broken_tasks:Plural) of an installed package cannot be used" in err
    assert said in err and err.count("\n") == 2 and "\nreverse " in out
    register_tasks_of_packages()
    assert not capsys.readouterr().err  # said once
    assert TASKS["reverse"].__module__ == "minitransformer.data.symbols"
    assert main(["predict", "numbers-en-de", "seven"]) == 0
    assert not capsys.readouterr().err
    sys.modules.pop("broken_tasks", None)


def test_only_the_commands_that_name_tasks_look_for_packages(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(registry, "entry_points", lambda group: asked.append(group) or [])
    assert main(["predict", "numbers-en-de", "seven"]) == 0 and not asked
    assert main(["tasks"]) == 0 and asked == ["minitransformer.tasks"]
    asked.clear()
    assert "There is no task 'revers'. Did you mean 'reverse'?" in refusal(make_task, "revers")
    assert asked == ["minitransformer.tasks"]
    assert issubclass(TASKS["reverse"], Task)


class Bare(Corpus):
    """A task that is not finished."""


class Wrong(Echo):
    """Pairs in place of two lists."""

    def sentences(self, split):
        return [("a", "b"), ("b", "c"), ("c", "a")]


def test_a_task_of_ones_own_that_lacks_a_method_says_which():
    for cls, sentence in ((Bare, "Bare lacks make_vocabulary"), (Wrong, "two lists of texts")):
        assert sentence in refusal(cls().sequences, "train")
    assert "Bare lacks sentences" in refusal(Bare().sentences, "train")
    assert "subclass of Task" in refusal(register_task, "bare", Task)
