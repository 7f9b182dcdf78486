"""The lessons in a browser. What they are made of is tested at once; three of them, in Chromium, by
`make test-site`."""

import base64
import html
import json
import re
import sys

import lite_pages
import pytest
from floors import ROOT

from minitransformer.grading import check

sys.path.append(str(ROOT / "docs" / "site"))

import lite  # noqa: E402

# -- what is built ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", lite.names())
def test_a_notebook_is_that_of_the_lesson_not_yet_run_with_a_note(name):
    made = json.loads(lite.notebook(name))
    lesson = json.loads((ROOT / "lessons" / name).read_text(encoding="utf-8"))
    title, note, *rest = made["cells"]
    assert [title, *rest] != lesson["cells"] and note["source"] == [lite.NOTE]
    for cell, own in zip([title, *rest], lesson["cells"], strict=True):
        assert cell["source"] == own["source"] and cell["id"] == own["id"]
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
    assert made["metadata"]["kernelspec"]["name"] == "python"  # JupyterLite's


def test_a_lesson_links_to_where_it_runs_and_only_its_first_cell():
    name = "lessons/03_what_does_softmax_forget.ipynb"
    linked = lite.linked(name, "# 03 · Title\n\n| 00 | `Softmax` |")
    assert 'href="../lite/notebooks/index.html?path=03_what_does_softmax_forget.ipynb"' in linked
    assert linked.startswith("# 03 · Title\n") and "[`Softmax`](../api/" in linked
    assert lite.linked(name, "## Question") == "## Question"


def test_all_that_packages_need_is_found():
    packages = {"a-b": {"depends": ["C.d"]}, "c-d": {"depends": ["a_b", "e"]},
                "e": {"depends": []}, "f": {"depends": []}}  # fmt: skip
    assert lite.needed(packages, ["A_b"]) == {"a-b", "c-d", "e"}


def test_a_file_that_is_not_what_is_expected_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(lite, "KEPT", tmp_path)
    (tmp_path / lite.PYODIDE).write_bytes(b"something else")
    with pytest.raises(ValueError, match="is not the pyodide-0.27.7.tgz that is expected"):
        lite.pyodide()


def test_without_the_downloads_the_site_has_no_lessons_in_a_browser_and_says_so(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(lite, "KEPT", tmp_path / "kept")
    monkeypatch.setenv("PATH", str(tmp_path))  # no npm
    assert lite.build(tmp_path / "lite") == []
    assert capsys.readouterr().out.startswith("The lessons in a browser are left out: npm pack ")
    assert not (tmp_path / "lite").exists()


# -- in Chromium -----------------------------------------------------------------------------------


@pytest.fixture
def address(site, address):
    if not (site / "lite").exists():
        pytest.skip("The lessons in a browser are left out: what they need cannot be downloaded.")
    return address


@pytest.fixture
def browser():
    browser = lite_pages.Lesson()
    yield browser
    browser.close()


def opened_and_run(browser, address, number):
    """The cells of a lesson after all of them have run as they are."""
    (name,) = (name for name in lite.names() if name.startswith(number))
    browser.show(address, name)
    cells = browser.run_all()
    lesson = json.loads((ROOT / "lessons" / name).read_text(encoding="utf-8"))
    drawn = lite_pages.outputs([c for c in lesson["cells"] if "outputs" in c], "image/png")
    assert not [o for c in cells for o in c.get("outputs", []) if o.get("name") == "stderr"]
    assert lite_pages.errors(cells) == [] and all(cell["execution_count"] for cell in cells)
    shown = lite_pages.outputs(cells, "image/png")
    assert all(base64.b64decode(one).startswith(b"\x89PNG") for one in shown)
    assert len(shown) == len(drawn) > 0
    assert [error for error in browser.errors if not error.endswith("/favicon.ico)")] == []
    assert browser.elsewhere(address) == [] and len(browser.requests) > 30
    return cells


@pytest.mark.site
@pytest.mark.parametrize("number", ["00", "12"])
def test_a_lesson_runs_whole_as_it_is_opened(number, browser, address):
    opened_and_run(browser, address, number)


def words(page):
    """The text of a piece of HTML."""
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", page)).split())


@pytest.mark.site
def test_an_answer_is_checked_and_a_wrong_one_gets_its_diagnosis(browser, address):
    cells = opened_and_run(browser, address, "03")
    (number,) = (
        n for n, cell in enumerate(cells) if 'check("softmax.backward", softmax_' in cell["source"]
    )
    for line, passed in (
        ("P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))", True), ("P * (1 - P) * d_P", False),
    ):
        answer = f"def softmax_backward(d_P, P):\n    return {line}\n"
        cell = browser.answer(number, f'{answer}\n\ncheck("softmax.backward", softmax_backward)')
        names = {}
        exec(answer, names)
        report = check("softmax.backward", names["softmax_backward"], quiet=True)
        (shown,) = lite_pages.outputs([cell], "text/html")
        assert words(shown) == words(report._repr_html_()) and report.passed == passed
        assert ("Exactly this comes out when each weight answers for itself" in shown) != passed
    assert browser.elsewhere(address) == []
    browser.answer(number, "import js\nawait js.fetch('https://example.org/')")
    assert {*browser.elsewhere(address)} == {"https://example.org/"}, "it would be noticed"
