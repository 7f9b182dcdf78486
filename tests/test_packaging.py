"""What is given away: the wheel, the source distribution, what an index shows, and links that lead
somewhere."""

import importlib.util
import re
import tarfile
import zipfile
from email.parser import Parser

import pytest
from floors import ROOT, floors

import minitransformer
from minitransformer.terminal.extras import EXTRAS

CONSTRAINTS = floors()
LINK = re.compile(r"!?\[[^]]*\]\(([^)\s]+)\)")
PAGES = [
    *sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "lessons").glob("*.md")),
]
LESSONS = sorted((ROOT / "lessons").glob("[0-9]*.py"))


# -- the packages that are needed ------------------------------------------------------------------


def test_requirements_ask_for_the_same_versions_as_the_package():
    asked = floors("requirements.txt")
    assert asked == {package: CONSTRAINTS.get(package) for package in asked}
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    needed = next(line for line in lines if line.startswith("dependencies = "))
    assert {re.match(r"[\w-]+", word)[0] for word in re.findall(r'"([^"]+)"', needed)} <= set(asked)


@pytest.mark.parametrize("name", EXTRAS)
def test_a_message_about_a_missing_package_names_an_extra_that_brings_it(name):
    line = re.search(
        rf"^{name} = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )[1]
    assert set(EXTRAS[name]) <= set(re.findall(r'"([\w-]+)', line))


def test_the_citation_and_the_changelog_name_the_version_and_the_author_of_the_package():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    name, version, license = (
        re.search(rf'^{key} = "(.+)"$', project, re.M)[1] for key in ("name", "version", "license")
    )
    author = re.search(r'^authors = \[{ name = "(.+)" }\]$', project, re.M)[1]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    for line in (
        f"title: {name}", f"version: {version}", f"license: {license}",
        f"authors:\n  - name: {author}", "cff-version: 1.2.0",
    ):
        assert f"\n{line}\n" in f"\n{citation}", line
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert version == minitransformer.__version__


# -- what is built ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with the wheel and the source distribution."""
    pytest.importorskip("hatchling", reason='hatchling is not installed: pip install -e ".[test]"')
    from hatchling.builders.sdist import SdistBuilder
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("dist")
    for builder in (WheelBuilder, SdistBuilder):
        assert len(list(builder(str(ROOT)).build(directory=str(folder)))) >= 1
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        yield archive


def files_of(*folders):
    """The paths of all files in these folders, but for what Python writes."""
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    return {
        path
        for path in found
        if "__pycache__" not in path
        and not path.startswith(("lessons/.", "lessons/lesson-pictures"))
    }


def test_the_source_distribution_has_all_that_its_tests_read(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    alone = {
        "README.md", "LICENSE", "Makefile", "requirements.txt", "pyproject.toml", "hatch_build.py",
    }
    alone |= {"CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md"}
    assert alone | files_of("minitransformer", "lessons", "tests", "docs", "benchmarks") <= names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".so")]


def test_the_wheel_has_the_package_and_the_lessons_and_nothing_else(wheel):
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == files_of("minitransformer") | {
        f"minitransformer/lessons/sources/{lesson.name}" for lesson in LESSONS
    }
    assert "minitransformer/py.typed" in names  # without it, a type checker ignores all hints


def test_the_metadata_says_what_an_index_asks_for(wheel):
    text = wheel.read(next(name for name in wheel.namelist() if name.endswith("/METADATA"))).decode(
        "utf-8"
    )
    metadata = Parser().parsestr(text)
    assert metadata["Author"] and metadata["License-Expression"] == "MIT" and metadata["Summary"]
    assert (
        len(metadata.get_all("Classifier")) >= 5
        and metadata["Description-Content-Type"] == "text/markdown"
    )
    description = metadata.get_payload()
    assert not [target for target in LINK.findall(description) if "://" not in target]
    assert description.startswith("# minitransformer\n") and "make demo" in description


def test_an_index_shows_descriptions_for_pictures_and_paths_for_links():
    pytest.importorskip("hatchling", reason='hatchling is not installed: pip install -e ".[test]"')
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    readme = (
        "# name\n\n![Rows of\ndots.](docs/a.png)\n"
        "| [a.py](b/a.py) | see [the\nrest](docs/c.md#d) and [PyTorch](https://pytorch.org) |\n"
    )
    assert module.for_an_index(readme) == (
        f"# name\n\n{module.NOTE}\n\n*Picture (docs/a.png): Rows of\ndots.*\n"
        "| `b/a.py` | see the\nrest (`docs/c.md#d`) and [PyTorch](https://pytorch.org) |\n"
    )


# -- links -----------------------------------------------------------------------------------------


def anchors(page):
    """The names by which headings of a page can be linked to: GitHub's rule."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_to_a_file_and_to_a_heading_of_it(page):
    targets = [
        target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target
    ]
    for target in targets:
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists() and file.is_relative_to(ROOT), f"{target} does not exist"
        assert not anchor or anchor in anchors(file), (
            f"{path or page.name} has no heading #{anchor}"
        )


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem[:2])
def test_a_lesson_links_to_other_lessons_only_because_a_learners_folder_has_nothing_else(lesson):
    text = re.sub(r"\n# ?", "\n", lesson.read_text(encoding="utf-8"))
    targets = {target for target in LINK.findall(text) if "://" not in target}
    assert targets <= {f"{other.stem}.ipynb" for other in LESSONS}
