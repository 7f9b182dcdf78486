"""The lessons run: as they are opened, and solved. `make test-lessons`; skipped where nbclient is
not installed."""

import ast
import json
import re
import time

import pytest

pytest.importorskip("nbclient")

from lesson_books import answered, checks, solve, stubs  # noqa: E402
from stubs import further  # noqa: E402
from test_catalogue import is_named  # noqa: E402
from times import UNCHECKED, Counts, counts, is_folded, minutes, minutes_of  # noqa: E402

from minitransformer.grading.check import LISTENERS, check  # noqa: E402
from minitransformer.grading.exercise import EXERCISES  # noqa: E402
from minitransformer.lessons.notebooks import as_notebook, code_cells, lessons  # noqa: E402

pytestmark = pytest.mark.lessons

LESSONS = {lesson.number: lesson for lesson in lessons()}
HEADINGS = [
    "Question", "Predict", "Picture", "Derive", "Implement and check", "Break it", "Aha",
    "Three questions to leave with",
]  # fmt: skip
TRAINING = ("train(", "optimizer.step(", ".step(")  # a lesson that trains may take longer
SECONDS, TRAINING_SECONDS = 15, 60
DATA = {"draw_patches"}  # draws what a model reads
every_lesson = pytest.mark.parametrize("number", LESSONS)


def notebook_of(number):
    return as_notebook(LESSONS[number].source.read_text(encoding="utf-8"))


def written(number):
    """The notebook that stands beside the source."""
    return json.loads(LESSONS[number].source.with_suffix(".ipynb").read_text(encoding="utf-8"))


def text_of(cell):
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


# -- what is written -------------------------------------------------------------------------------


def test_there_are_sixteen_lessons():
    assert list(LESSONS) == [f"{n:02}" for n in range(16)]


@every_lesson
def test_the_notebook_is_the_one_of_its_source(number):
    expected = [(cell.cell_type, cell.source) for cell in notebook_of(number).cells]
    assert [(cell["cell_type"], text_of(cell)) for cell in written(number)["cells"]] == expected, (
        "build it anew: make lessons"
    )


@every_lesson
def test_the_notebook_is_executed_to_its_end_and_tells_nothing_about_a_machine(number):
    cells = [cell for cell in written(number)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not [
        output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"
    ]
    assert not re.search(
        r"/(home|root|work|tmp|usr|Users)/\w", json.dumps([cell["outputs"] for cell in cells])
    )


@every_lesson
def test_the_skeleton_is_kept(number):
    text = "\n".join(
        cell.source for cell in notebook_of(number).cells if cell.cell_type == "markdown"
    )
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert text.startswith(f"# {number} · ")
    assert "\n| time | difficulty | importance | builds on | mirrors |\n" in text


@every_lesson
def test_a_gradient_is_written_in_one_way(number):
    """As d_P and d_{P,ts} in formulas, not dP or d\\_P."""
    text = "\n".join(c.source for c in notebook_of(number).cells if c.cell_type == "markdown")
    formulas = re.findall(r"\$\$.+?\$\$|\$[^$]+\$", text, re.DOTALL)
    others = r"(?<![\\A-Za-z_{])d(?:\\_|\\mathrm|\\hat|[A-Zxyhacqv](?:_|\b))"
    bare = [re.sub(r"\\frac\{d\w\}\{d\w\}|n\W?[²^2]*\W?d\b", "", formula) for formula in formulas]
    assert not [formula for formula in bare if re.search(others, formula)]


@every_lesson
def test_the_closing_questions_have_their_answers_behind_a_fold(number):
    closing = notebook_of(number).cells[-1].source.split(f"## {HEADINGS[-1]}\n")[1]
    questions, answers = closing.split("\n<details><summary>Answers</summary>\n\n")
    numbers = [re.findall(r"^(\d)\. \S", part, re.MULTILINE) for part in (questions, answers)]
    assert numbers == [["1", "2", "3"]] * 2 and answers.endswith("\n\n</details>")


@every_lesson
def test_only_numpy_matplotlib_and_the_package_are_imported(number):
    for cell in code_cells(notebook_of(number)):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module]
                )
                assert {name.split(".")[0] for name in names} <= {
                    "numpy", "matplotlib", "minitransformer",
                }


@every_lesson
def test_a_guess_is_asked_for_and_compared_in_a_later_cell(number):
    code = [cell.source for cell in code_cells(notebook_of(number))]
    asked = [
        (i, name)
        for i, cell in enumerate(code)
        for name in re.findall(r"^(\w+) = predict\(", cell, re.MULTILINE)
    ]
    assert asked
    for i, name in asked:
        assert any(
            re.search(rf"\b{name}\b", cell) and ".compare(" in cell for cell in code[i + 1 :]
        ), name


@every_lesson
def test_every_picture_has_its_text(number):
    code = "\n".join(cell.source for cell in code_cells(notebook_of(number)))
    pictures = [
        o
        for cell in written(number)["cells"]
        for o in cell.get("outputs", [])
        if "image/png" in o.get("data", {})
    ]
    assert len(pictures) >= 3
    for picture in pictures:
        assert len(picture["metadata"]["image/png"]["alt"]) >= 40
    assert "plt.show" not in code


@every_lesson
def test_cells_that_draw_are_folded_and_do_nothing_else(number):
    """So what a picture shows, which its text says, is not read before the cell has run."""
    for cell in code_cells(notebook_of(number)):
        calls = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
        names = {getattr(call.func, "id", getattr(call.func, "attr", "")) for call in calls}
        draws = any(re.match(r"(show|draw|plot)(_|$)", name) for name in names - {"draw"} - DATA)
        assert is_folded(cell) == draws, cell.source
        if draws:
            assert not names & {"check", "hint", "predict", "compare", "train", "step", "evaluate"}


@every_lesson
def test_what_is_folded_in_the_source_is_folded_in_the_notebook(number):
    folded = [cell.metadata for cell in notebook_of(number).cells]
    assert [cell["metadata"] for cell in written(number)["cells"]] == folded
    assert {"jupyter": {"source_hidden": True}} in folded


@every_lesson
def test_every_link_leads_somewhere(number):
    source = LESSONS[number].source
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", source.read_text(encoding="utf-8")):
        assert (source.parent / target).exists(), target


def test_the_index_leads_each_of_the_forty_questions_to_a_heading():
    page = (LESSONS["00"].source.parent / "README.md").read_text(encoding="utf-8")
    index = re.findall(r"^\| (\d+)[a-e]? \| (.+) \| \[(\d\d)\]\((.+)\) \|$", page, re.MULTILINE)
    assert {int(question) for question, *_ in index} == set(range(1, 41))
    for _, heading, number, file in index:
        source = LESSONS[number].source
        assert file == f"{source.stem}.ipynb" and f"\n# ### {heading}\n" in source.read_text(
            encoding="utf-8"
        ), heading


def test_the_map_has_every_lesson_with_its_time():
    page = (LESSONS["00"].source.parent / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d\d)\]\((.+)\) \| (.+?) \| (.+?) \|", page, re.MULTILINE)
    assert [(number, file, time) for number, file, _, time in rows if "min" in time] == [
        (lesson.number, f"{lesson.source.stem}.ipynb", lesson.time) for lesson in LESSONS.values()
    ]
    assert all(
        lesson.title.startswith(title) for lesson, (_, _, title, _) in zip(LESSONS.values(), rows)
    )


@every_lesson
def test_the_time_at_its_head_is_the_computed_one(number):
    lesson = LESSONS[number]
    assert lesson.time == str(minutes_of(lesson.source)), "python lessons/times.py --write"


A_LESSON = """# %% [markdown]
# # 07 · Why?
#
# | time | difficulty |
# |---|---|
# | reading 0 min · writing 0 min | ●●○ |
#
# Five words of [prose](x.md), $a + b$.
#
# $$c = d$$
#
# ### Essential

# %%
def split_heads(x, heads):
    \"\"\"A stub.\"\"\"
    ...


check("heads.split", split_heads)

# %% jupyter={"source_hidden": true}
drawn = 1
drawn = 2

# %% [markdown]
# ### Further

# %%
def mine(): ...

# %% [markdown]
# ## Break it

# %%
def other(): ...
"""


def test_what_is_counted_in_a_lesson():
    counted = counts(as_notebook(A_LESSON))
    # of the title 07 and Why, of the prose five, two headings of one word, and Break it
    assert counted == Counts(
        words=11, formulas=1, cells=4, code_lines=6, essential=[2, UNCHECKED], further=[UNCHECKED]
    )


def test_reading_and_writing_are_computed_apart_and_rounded_to_five_minutes():
    counted = Counts(1500, 4, 20, 200, [5, 5], [10])
    # 10 + 3 + 10 + 10 minutes; 2 · 3 + 2 · 10; 3 + 2 · 10
    assert minutes(counted) == (35, 25, 25)
    assert str(minutes(counted)) == "reading 35 min · writing 25 min · further 25 min"
    assert str(minutes(counted._replace(further=[]))) == "reading 35 min · writing 25 min"


def test_the_teachers_plan_names_exercises_that_there_are():
    page = (LESSONS["00"].source.parent / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+\.[a-zP_]+)`", page[page.index("## For teachers") :]))
    assert named and named <= set(EXERCISES)


MANY = 5  # a lesson with more exercises says which can be left out


@every_lesson
def test_of_many_exercises_it_is_said_which_can_be_left_out(number):
    book = notebook_of(number)
    text = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    below = {stub.cell in further(book) for stub in stubs(book)}
    assert (len(stubs(book)) <= MANY) == (below <= {False})
    if below == {False, True}:
        essential, beyond = text.split("\n### Essential")[1].split("\n### Further")
        assert "on a first reading" in beyond.partition("\n## ")[0]


def test_every_exercise_is_in_a_lesson():
    assert {stub.exercise.id for number in LESSONS for stub in stubs(notebook_of(number))} == set(
        EXERCISES
    )


@every_lesson
def test_every_check_and_every_stub_is_of_an_exercise_that_there_is(number):
    cells = code_cells(notebook_of(number))
    assert {id for cell in cells for _, id, _ in checks(ast.parse(cell.source))} <= set(EXERCISES)
    for stub in stubs(notebook_of(number)):
        assert re.match(
            rf"(def|class) {stub.exercise.name}\b", cells[stub.cell].source.splitlines()[stub.first]
        )


# -- what runs -------------------------------------------------------------------------------------


def run(notebook):
    """(seconds, the texts of all outputs) of a notebook that is executed in a fresh kernel without
    a network."""
    from build import execute

    began = time.perf_counter()
    execute(notebook)
    seconds = time.perf_counter() - began
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return seconds, "\n".join(str(output.get("text", output.get("data", ""))) for output in outputs)


def limit(notebook):
    code = "\n".join(cell.source for cell in code_cells(notebook))
    return TRAINING_SECONDS if any(word in code for word in TRAINING) else SECONDS


@every_lesson
def test_it_runs_as_it_is_opened(number):
    notebook = notebook_of(number)
    asked = [stub.exercise.id for stub in stubs(notebook)]
    seconds, text = run(notebook)
    print(f"{number} as opened: {seconds:.1f} s")
    assert seconds < limit(notebook)
    for id in asked:
        assert f"{id}: not started yet" in text


@every_lesson
def test_it_runs_solved(number):
    notebook = notebook_of(number)
    asked = [stub.exercise.id for stub in stubs(notebook)]
    seconds, text = run(solve(notebook))
    print(f"{number} solved: {seconds:.1f} s")
    assert seconds < limit(notebook)
    for id in asked:
        assert f"{id}: right" in text
    assert "not started yet" not in text


# -- what is said ----------------------------------------------------------------------------------


@every_lesson
def test_a_known_mistake_in_the_notebooks_own_cell_is_named(number):
    cells = code_cells(notebook_of(number))
    imports = "\n".join(
        ast.unparse(node)
        for cell in cells
        for node in ast.parse(cell.source).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
    )
    names = {}
    exec(imports, names)
    names["check"] = lambda id, function: check(id, function, quiet=True)
    for stub in stubs(notebook_of(number)):
        for mistake in stub.exercise.mistakes:
            for version in mistake.versions[:1]:
                reports = []
                LISTENERS.append(reports.append)
                try:
                    exec(answered(cells[stub.cell].source, stub, version), dict(names))
                finally:
                    LISTENERS.remove(reports.append)
                assert is_named(mistake, reports[0]), f"{stub.exercise.id}: {mistake.title}"
