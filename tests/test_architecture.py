"""The page about the architecture names every package and every file, and no others."""

import re

import pytest
from floors import ROOT

import minitransformer

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "minitransformer"
LISTED = re.findall(r"^\| `(\w+)` \|", PAGE, re.M)  # the packages, in the order of the table
FOLDERS = ("topics/",)  # whose files are named by their folder alone


def files_on_the_page():
    """{"layers/softmax.py"} of the tree at the end of the page."""
    found, folder = set(), ""
    for line in PAGE.split("## All files")[1].split("```")[1].strip().splitlines():
        name = line.split()[0]
        folder = "" if line[0] != " " else folder
        if line[0] != " " and name.endswith("/"):
            folder = name
        else:
            found.add(folder + name)
    return found


def files_of_the_package():
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if not path.name.startswith("__")
    }
    found = {
        f"grading/{name}" if file.startswith(f"grading/{name}") else file
        for file in found
        for name in FOLDERS
    }
    # a page of its own tells of these
    return {file for file in found if not file.startswith("gpu/")}


def test_every_file_is_named_once_and_no_other():
    assert files_on_the_page() == files_of_the_package()


def test_every_package_stands_in_the_table_in_the_order_that_the_front_page_of_the_package_says():
    there = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} | {"errors"}
    assert set(LISTED) == there and len(LISTED) == len(there)
    assert re.findall(r"`(\w+)`", minitransformer.__doc__.split("from the ground up:")[1]) == LISTED


def test_the_table_says_what_each_package_imports():
    graph = pytest.importorskip(
        "import_graph", reason="the imports are read by tests/import_graph.py"
    )
    between = graph.arrows(graph.imports(PACKAGE))
    rows = dict(re.findall(r"^\| `(\w+)` \| .*? \| ?(.*?) ?\|$", PAGE, re.M))
    for name in set(LISTED) - {"gpu", "cli"}:  # the page says these two in words
        assert {*filter(None, rows[name].split(", "))} == between[name], name


def test_the_afternoon_has_twelve_files_of_so_many_lines():
    text = PAGE.split("## Twelve files")[1].split("\n## ")[0]
    files = re.findall(r"^\d+\. \[.*?\]\(\.\./(.*?)\)", text, re.M)
    lines = sum(len((ROOT / file).read_text(encoding="utf-8").splitlines()) for file in files)
    said = re.search(r"about ([\d,]+) lines", text)[1]
    assert len(files) == 12 and said == f"{round(lines, -2):,}"


def test_the_core_can_be_read_in_an_afternoon():
    files = [PACKAGE / "training" / "loop.py", PACKAGE / "training" / "optimizers.py"]
    for package in ("core", "layers", "attention", "models"):
        files += (PACKAGE / package).rglob("*.py")
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    assert len(files) > 30 and lines <= 3500
