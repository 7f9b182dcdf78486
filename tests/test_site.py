"""The website. What it is made of is tested at once; the site itself, in Chromium, by `make
test-site`."""

import collections
import inspect
import re
import shutil
import sys
import time
import unicodedata
import urllib.parse
from html.parser import HTMLParser

import chromium
import pytest
from floors import ROOT

import minitransformer
from minitransformer.grading.exercise import EXERCISES
from minitransformer.lessons.notebooks import lessons
from minitransformer.testing import all_components

HERE = ROOT / "docs" / "site"
sys.path.append(str(HERE))

import docstrings  # noqa: E402
import formulas  # noqa: E402
import lite  # noqa: E402
import places  # noqa: E402
import reference  # noqa: E402
import versions  # noqa: E402

COMPONENTS = {component.__name__: component for component in all_components()}


# -- formulas --------------------------------------------------------------------------------------

# a command of TeX, and what stands for it in a docstring; others are for the eye only
SIGNS = {
    "sum": "Σ", "sqrt": "√", "frac": "/", "circ": "∘", "cdot": "·", "top": "T", "infty": "∞",
    "gamma": "γ", "beta": "β", "sigma": "σ", "varepsilon": "ε", "omega": "ω", "delta": "δ",
    "pi": "π", "Phi": "Φ", "varphi": "φ", "hat": "\u0302", "dots": "…", "mid": "|",
    "rightarrow": "→", "leftarrow": "←",
} | {name: name for name in ("max", "exp", "log", "sin", "cos", "tanh")}
FOR_THE_EYE = {"text", "operatorname", "mathbb", "Bigl", "Bigr", "quad"}


def symbols(text):
    """How often each letter, digit and sign occurs in a formula; spaces, brackets and how far a
    letter is raised do not count."""

    def said(command):
        assert command[1] in {*SIGNS, *FOR_THE_EYE}, f"what does {command[0]} stand for?"
        return f" {SIGNS.get(command[1], '')} "

    text = re.sub(r"\\([A-Za-z]+)", said, re.sub(r"\\[,;!]|\{:\}", "", text))
    text = unicodedata.normalize("NFKD", text).replace("−", "-").replace("\u2032", "'")
    return collections.Counter(re.sub(r"[\s\\_^{}()\[\]]", "", text))


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_has_the_formulas_of_its_docstring_in_tex(name):
    written = [
        piece
        for block in formulas.blocks(COMPONENTS[name].__doc__)
        for piece in formulas.pieces(block)
    ]
    table = formulas.FORMULAS[name]
    assert table and [plain for plain, _ in table] == (written or [""] * len(table))
    for plain, tex in table:
        if plain:
            assert symbols(tex) == symbols(plain)


def test_a_formula_that_says_something_else_is_noticed():
    plain, tex = formulas.FORMULAS["Softmax"][2]
    assert symbols(tex) == symbols(plain)
    for wrong in (tex.replace("-", "+"), tex.replace("P_j", "P_i"), tex.replace(r"\sum", "")):
        assert symbols(wrong) != symbols(plain)
    with pytest.raises(AssertionError, match="what does .*prod stand for"):
        symbols(tex.replace(r"\sum", r"\prod"))


def test_there_is_no_formula_of_a_component_that_is_gone():
    assert set(formulas.FORMULAS) == set(COMPONENTS)


# -- docstrings and links --------------------------------------------------------------------------


def test_a_docstring_keeps_its_words_and_nothing_in_it_is_taken_for_markup():
    written = docstrings.Docstrings({"Embedding": "minitransformer.layers.Embedding"}).written
    text = """Look *args, d_ and |x| up in
    1. an `Embedding`s `W`.

        y = W[ids]

    - one, which goes
      on
    - two

        d_W = Σ d_y
    """
    assert written(inspect.cleandoc(text), ["TEX"]) == "\n\n".join(
        [
            r"Look \*args, d\_ and \|x\| up in 1. an "
            r"\ :py:obj:`Embedding <minitransformer.layers.Embedding>`\ s \ ``W``\ .",
            ".. math::\n\n   TEX",
            "- one, which goes on\n- two",
            ".. code-block:: text\n\n   d_W = Σ d_y",
        ]
    )


def test_a_link_leads_to_a_page_to_the_text_of_a_file_or_to_a_list_of_files(tmp_path):
    site = places.Site(tmp_path)
    text = (
        "[a](checker.md#use-it) [b](../minitransformer/layers/softmax.py) [c](../Makefile)\n"
        "[d](../tests/answers) ![e](pictures/owl.png) [f](https://x.org/a.py) [g](#here)\n"
        "[h](../README.md)\n```\nx[i](y)\n```\n"
    )
    assert site.relinked("docs/python.md", text) == (
        "[a](checker.md#use-it) [b](../source/minitransformer/layers/softmax.py.rst) "
        "[c](../source/Makefile.rst)\n"
        "[d](../source/tests/answers/index.rst) ![e](pictures/owl.png) [f](https://x.org/a.py) "
        "[g](#here)\n[h](../index.md)\n```\nx[i](y)\n```\n"
    )
    with pytest.raises(FileNotFoundError, match="no.py, which does not exist"):
        site.relinked("docs/python.md", "[a](../no.py)")


def test_every_guide_and_lesson_is_a_page():
    pages = places.pages()
    assert {f"lessons/{lesson.source.stem}.ipynb" for lesson in lessons()} <= set(pages)
    written = {file.relative_to(ROOT).as_posix() for file in (ROOT / "docs").rglob("*.md")}
    assert written - {places.MENU} <= set(pages)


def test_every_version_of_the_site_knows_the_others(tmp_path):
    for folder in ("v0.9", "v0.10", "vision"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "index.html").touch()
    versions.write(tmp_path)
    said = {
        file.parent.name: file.read_text(encoding="utf-8") for file in tmp_path.rglob("versions.js")
    }
    assert said == {
        tmp_path.name: 'const versions = {"newest": "", "v0.10": "v0.10/", "v0.9": "v0.9/"}, '
        'thisVersion = "newest";\n',
        **{
            tag: 'const versions = {"newest": "../", "v0.10": "../v0.10/", "v0.9": "../v0.9/"}, '
            f'thisVersion = "{tag}";\n'
            for tag in ("v0.10", "v0.9")
        },
    }


# -- the reference ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_components_page_shows_forward_and_backward_as_they_are(name):
    page = reference.component_page(COMPONENTS[name])
    for method in (COMPONENTS[name].forward, COMPONENTS[name].backward):
        for line in inspect.getsource(inspect.unwrap(method)).splitlines():
            assert line.strip() in page


def test_a_components_page_names_its_lessons_exercises_and_tests():
    page = reference.component_page(COMPONENTS["Softmax"])
    for link in (
        "</lessons/03_what_does_softmax_forget>", "softmax.backward <exercise-softmax-backward>",
        "</source/minitransformer/grading/topics/softmax.py>", "</source/tests/test_layers.py>",
        "</source/minitransformer/layers/softmax.py>",
    ):
        assert link in page
    page = reference.component_page(COMPONENTS["LocalAttentionLayer"])
    assert "They are those of :doc:`EncoderLayer`." in page


def test_what_a_user_imports_has_a_place_in_the_reference():
    """Every package is in the reference but for those that no page tells a user to import from."""
    inner = {"boundary", "terminal", "parallel", "cli", "gpu"}
    folders = (ROOT / "minitransformer").glob("*/__init__.py")
    packages = {"errors"} | {file.parent.name for file in folders}
    assert packages == {*reference.PACKAGES} | inner
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    imports = re.findall(r"^from minitransformer\.(\w+) import (.+)$", page, re.M)
    named = [name for _, names in imports for name in names.split(", ")]
    assert len(named) >= 15
    assert {*named, *minitransformer.__all__} <= set(reference.documented())


def test_a_lesson_links_to_the_components_that_its_head_names():
    assert reference.linked("| 00 | `layers.Softmax`, `ReLU`, `panels` |\n\n`Linear` in prose") == (
        "| 00 | [`layers.Softmax`](../api/components/Softmax.rst), "
        "[`ReLU`](../api/components/ReLU.rst), `panels` |\n\n`Linear` in prose"
    )


def test_most_components_have_lessons_and_every_method_of_an_exercise_leads_to_it():
    assert sum(bool(reference.lessons_of(one)) for one in COMPONENTS.values()) > 20
    for exercise in EXERCISES.values():
        for shown in exercise.shown:
            owner = COMPONENTS.get(shown.__qualname__.split(".")[0])
            assert owner is None or exercise in reference.exercises_of(owner)


# -- the site itself -------------------------------------------------------------------------------

WIDTHS = 390, 1280
SEVEN = """index.html lessons/03_what_does_softmax_forget.html api/components/Softmax.html
guides/checker.html api/training.html alive/attention.html alive/mistakes.html""".split()
# what reaches beyond the window, and does not lie in something that scrolls
TOO_WIDE = """
room = document.documentElement.clientWidth,
[...document.querySelectorAll("article *")].filter(one => {
  if (one.closest("mjx-assistive-mml") || one.getBoundingClientRect().right <= room + 1)
    return false;
  for (let box = one.parentElement; box.tagName != "ARTICLE"; box = box.parentElement)
    if (getComputedStyle(box).overflowX != "visible") return false;
  return getComputedStyle(one).overflowX == "visible" || one.parentElement.tagName == "ARTICLE";
}).map(one => one.tagName + ": " + one.textContent.slice(0, 50))
"""


@pytest.fixture(scope="module")
def pages(site):
    files = sorted(file.relative_to(site).as_posix() for file in site.rglob("*.html"))
    return [file for file in files if not file.startswith("lite/")]  # those are JupyterLite's


class Page(HTMLParser):
    """The links of a page and the places that can be linked to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids |= {attributes.get("id"), attributes.get("name")}
        for key in ("href", "src"):
            if attributes.get(key):
                self.links.append((tag, attributes[key]))


@pytest.mark.site
def test_every_link_leads_to_a_page_and_to_a_place_on_it(site, pages):
    read = {name: Page((site / name).read_text(encoding="utf-8")) for name in pages}
    dead, outside = [], set()
    for name, page in read.items():
        for tag, link in page.links:
            url = urllib.parse.urlsplit(link)
            if url.scheme == "data":
                continue
            if url.scheme or url.netloc:
                outside.add((tag, link))
                continue
            path = urllib.parse.unquote(url.path)
            file = (site / name).parent / path if path else site / name
            target = file.resolve().relative_to(site.resolve()).as_posix()
            if not file.is_file():
                dead.append((name, link))
            elif url.fragment and target in read:
                if urllib.parse.unquote(url.fragment) not in read[target].ids:
                    dead.append((name, link))
    assert dead == []
    for tag, link in outside:  # nothing is loaded from elsewhere; what is linked to has an address
        assert tag == "a" and re.fullmatch(r"https?://[\w-]+(\.[\w-]+)+(/\S*)?", link), link


@pytest.mark.site
def test_every_component_exercise_lesson_and_guide_has_its_place(site, pages):
    expected = {f"api/components/{name}.html" for name in COMPONENTS}
    expected |= {f"lessons/{lesson.source.stem}.html" for lesson in lessons()}
    expected |= {re.sub(r"\.(md|ipynb)$", ".html", page) for page in places.pages().values()}
    assert expected <= set(pages)
    for name in lite.names() if (site / "lite").exists() else ():
        text = (site / "lessons" / name).with_suffix(".html").read_text(encoding="utf-8")
        assert text.count(f'"../lite/notebooks/index.html?path={name}"') == 1
    text = (site / "api" / "exercises.html").read_text(encoding="utf-8")
    assert all(f'id="{reference.label(exercise)}"' in text for exercise in EXERCISES.values())


@pytest.mark.site
def test_every_page_opens_without_an_error_and_fits_into_the_window(browser, address, pages):
    wrong = []
    for name in pages:
        browser.open(address + name)
        wrong += [(name, error) for error in browser.errors]
        wrong += [
            (name, request)
            for request in browser.requests
            if not request.startswith((address, "data:"))
        ]
        for width in WIDTHS:
            browser.resize(width)
            if browser.run("document.documentElement.scrollWidth") > width:
                wrong.append((name, width, "is wider than the window"))
            wrong += [(name, width, said) for said in browser.run(TOO_WIDE)]
    assert wrong == []


# as code hosts show a README: letters of 16 px, in a column of 830
AS_A_README = """<!doctype html><meta charset="utf-8"><style>
  body { width: 830px; margin: 0 auto; font: 16px/1.5 "DejaVu Sans", sans-serif; }
  img { max-width: 100%; } h1, h2 { margin: 24px 0 16px; } p, ul, pre, table { margin: 0 0 16px; }
  pre { font: 13.6px/1.45 monospace; padding: 16px; overflow-x: auto; }
  table { border-collapse: collapse; } td, th { padding: 6px 13px; border: 1px solid; }
</style>"""


@pytest.mark.site
def test_the_readme_takes_at_most_two_screens(browser, tmp_path):
    markdown = pytest.importorskip("markdown_it").MarkdownIt().enable("table")
    shown = markdown.render((ROOT / "README.md").read_text(encoding="utf-8"))
    (tmp_path / "README.html").write_text(AS_A_README + shown, encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "pictures", tmp_path / "docs" / "pictures")
    browser.resize(1280, 900)
    with chromium.served(tmp_path) as address:
        browser.open(address + "README.html")
    assert browser.run("[...document.images].every(image => image.naturalWidth > 0)")
    assert browser.run("document.body.offsetHeight") <= 2 * 900


@pytest.mark.site
def test_models_are_at_work_on_the_site(browser, address):
    browser.open(address + "explorer/numbers.html")
    answers = """(kind, layers) => {
      const set = (id, value) => Object.assign($(id), { value }).dispatchEvent(new Event("change"));
      set("kind", kind);
      const keys = [...document.querySelectorAll("#heads input")].map((box) => box.id);
      return Object.fromEntries(keys.map((id) => {
        $(id).click();
        const written = $("answer").textContent;
        $(id).click();
        return [id, written];
      }));
    }"""
    for kind in range(3):
        assert {*browser.run(f"({answers})({kind})").values()} == {"neunundsiebzig"}
    browser.run("Object.assign($('menu'), { value: 2 }).dispatchEvent(new Event('change'))")
    said = browser.run(f"({answers})(1)")["switch-0-3"]
    assert said == "eintausendzweihunderttausendzweihundert"
    browser.open(address + "explorer/reverse.html")
    assert browser.run("$('answer').textContent") == "5 1 4 1 3"
    assert browser.run("Number($('moment').max)") == 7  # earlier moments, and the model as it is


@pytest.mark.site
def test_what_is_refused_or_wrong_or_too_wide_is_noticed(browser, tmp_path):
    browser.resize(390)
    (tmp_path / "wide.html").write_text(
        "<meta name='viewport' content='width=device-width'>"
        "<article><p><b style='display:block;width:900px'>wide</b></p></article>"
        "<script>boom()</script><img src='https://example.org/a.png'>"
    )
    with chromium.served(tmp_path) as address:
        browser.open(address + "wide.html")
        assert any("boom" in error for error in browser.errors)
        assert any("ERR_NAME_NOT_RESOLVED" in error for error in browser.errors)
        assert "https://example.org/a.png" in browser.requests
        assert browser.run(TOO_WIDE) == ["B: wide"]


@pytest.mark.site
@pytest.mark.parametrize("name", COMPONENTS)
def test_the_formulas_of_a_component_are_drawn(name, browser, address):
    browser.resize(1280)
    browser.open(f"{address}api/components/{name}.html")
    shown = len(docstrings.formulas_of(COMPONENTS[name]))
    assert shown and browser.run("document.querySelectorAll('div.math mjx-math').length") == shown
    assert browser.run("document.querySelectorAll('mjx-merror, [data-mjx-error]').length") == 0
    assert "aligned" not in browser.run("document.querySelector('article').innerText")
    assert browser.run("document.querySelector('div.math mjx-math').getBoundingClientRect().width")


@pytest.mark.site
@pytest.mark.parametrize(
    "words, found",
    [
        ("softmax backward", "api/components/Softmax.html"),
        ("layernorm backward", "api/components/LayerNorm.html"),
        ("debugging clinic", "lessons/15_the_debugging_clinic.html"),
    ],
)
def test_the_search_finds_it_first(words, found, browser, address):
    browser.resize(1280)
    browser.open(f"{address}search.html?q={words.replace(' ', '+')}")
    links, end = [], time.monotonic() + 20
    while not links and time.monotonic() < end:
        time.sleep(0.1)
        links = browser.run("[...document.querySelectorAll('ul.search a')].map(a => a.href)")
    assert links and links[0].split("?")[0].split("#")[0] == address + found, links[:5]
    while not browser.run("document.querySelectorAll('ul.search p').length"):
        assert time.monotonic() < end, "nothing of the pages is shown"
        time.sleep(0.1)
    assert r"\begin" not in browser.run("document.querySelector('ul.search').innerText")


@pytest.mark.site
def test_a_menu_leads_from_a_version_to_the_others(browser, site, tmp_path):
    parts = shutil.ignore_patterns("source", "lessons", "guides", "_images", "lite", "v0.1")
    shutil.copytree(site, tmp_path / "site", ignore=parts)
    shutil.copytree(site, tmp_path / "site" / "v0.1", ignore=parts)
    hidden = "document.getElementById('versions').parentElement.hidden"
    browser.resize(1280)
    with chromium.served(tmp_path) as address:
        browser.open(f"{address}site/api/training.html")
        assert browser.run(hidden)
        versions.write(tmp_path / "site")
        for page, other, leads in (
            ("site/api/training.html", "v0.1", "site/v0.1/index.html"),
            ("site/v0.1/api/components/Softmax.html", "newest", "site/index.html"),
        ):
            browser.open(address + page)
            assert not browser.run(hidden)
            browser.loaded = False
            browser.run(
                f"menu = document.getElementById('versions'); menu.value = '{other}'; "
                "menu.dispatchEvent(new Event('change'))"
            )
            browser.wait()
            assert browser.run("location.href") == address + leads


@pytest.mark.site
@pytest.mark.parametrize("page", SEVEN)
def test_a_page_follows_the_theme_of_the_system(page, browser, address):
    lightness = (
        "getComputedStyle(document.body).getPropertyValue('{}')"
        ".match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + +part, 0) / 765"
    )
    for theme, is_light in (("light", True), ("dark", False)):
        browser.prefer(theme)
        browser.open(address + page)
        behind = browser.run(lightness.format("background-color"))
        words = browser.run(lightness.format("color"))
        assert (behind > 0.9, words < 0.4) == (is_light, is_light) and abs(behind - words) > 0.5
    browser.prefer("light")


@pytest.mark.site
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", SEVEN)
def test_axe_finds_nothing_serious(page, theme, browser, address):
    for width in WIDTHS:
        browser.resize(width)
        browser.prefer(theme)
        browser.open(address + page)
        assert browser.serious_findings() == []
    browser.prefer("light")
