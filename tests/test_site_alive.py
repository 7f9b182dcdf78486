"""The pages of the website that one touches: equation 1 in numbers, and the bench of mistakes."""

import ast
import contextlib
import json
import math
import re
import sys

import numpy as np
import pytest
from common import mistake_ids
from floors import ROOT

from minitransformer.attention import ScaledDotProductAttention, causal_mask
from minitransformer.grading import exercises
from minitransformer.grading.exercise import EXERCISES
from minitransformer.layers import Softmax

HERE = ROOT / "docs" / "site"
sys.path += [str(HERE), str(HERE / "alive")]

import mistakes  # noqa: E402
import reference  # noqa: E402
import scripts  # noqa: E402

BENCH = json.loads(mistakes.FILE.read_text(encoding="utf-8"))
MISTAKES = list(mistakes.MISTAKES)

# -- the bench: what was measured ------------------------------------------------------------------


def test_the_bench_has_every_mistake_whole_and_is_small():
    about = BENCH["about"]
    assert list(BENCH["mistakes"]) == MISTAKES and len(MISTAKES) >= 12
    assert about["labels"] == mistakes.LABELS and about["moments"] == list(mistakes.MOMENTS)
    assert mistakes.FILE.stat().st_size < 400_000
    for name, model in [("right", BENCH["right"]), *BENCH["mistakes"].items()]:
        assert len(model["loss"]) == mistakes.STEPS // mistakes.EVERY, name
        assert len(model["matched"]) == len(mistakes.MOMENTS), name
        assert list(model["check"]) == mistakes.CHECKED
        for kind, labels in mistakes.LABELS.items():
            shape = (len(mistakes.MOMENTS), mistakes.SIZES["heads"], *map(len, labels.values()))
            assert np.shape(model["attention"][kind]) == shape
    assert all(passed for _, passed in BENCH["right"]["check"].values())


def test_a_script_reads_the_files_of_the_repository_in_their_order():
    text = scripts.script("alive/attention")
    for file in ("minitransformer/explorer/mathematics.js", "docs/site/alive/attention.js"):
        assert (ROOT / file).read_text(encoding="utf-8") in text
    assert text.index("function softmax") < text.index("const MATRICES")
    data = re.search("^const bench = (.*)\n;", scripts.script("alive/mistakes"), re.M)[1]
    assert json.loads(data) == BENCH


# the components that show a mistake at once
CHEAP = {
    "right": ["Softmax", "LayerNorm", "Linear", "Dropout", "Unembedding", "CrossEntropy"],
    "softmax-backward": ["Softmax"], "layer-norm-backward": ["LayerNorm"],
    "bias-averaged": ["Linear"], "tied-output": ["Unembedding", "Linear"],
    "padding-counted": ["CrossEntropy"],
}  # fmt: skip


@pytest.mark.parametrize("name", CHEAP)
def test_the_gradient_check_says_today_what_the_bench_says(name):
    found = mistakes.result(name, "checks", *CHEAP[name])
    said = BENCH["right"] if name == "right" else BENCH["mistakes"][name]
    for component, (error, passed) in found.items():
        kept = said["check"][component]
        assert kept[1] == passed and (passed or math.isclose(kept[0], error, rel_tol=0.1))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["right", "skip-backward"])
def test_training_anew_gives_the_same_curves(name):
    found = mistakes.result(name)
    said = BENCH["right"] if name == "right" else BENCH["mistakes"][name]
    np.testing.assert_allclose(found["loss"], said["loss"], rtol=0.02)
    np.testing.assert_allclose(found["matched"], said["matched"], atol=1)
    for kind, maps in said["attention"].items():
        np.testing.assert_allclose(found["attention"][kind], maps, atol=1)
    assert {one: passed for one, (_, passed) in found["check"].items()} == {
        one: passed for one, (_, passed) in said["check"].items()
    }


# -- the bench: what the page says -----------------------------------------------------------------

PROSE = (HERE / "alive" / "mistakes.md").read_text(encoding="utf-8")


def section(name):
    """The text on a mistake, on one line."""
    text = PROSE.split(f"(mistake-{name})=\n")[1]
    return re.split(r"\n\(mistake-|\n## ", text)[0]


def test_the_page_has_a_section_for_each_mistake_in_the_same_order():
    assert re.findall(r"^\(mistake-(.+)\)=$", PROSE, re.M) == MISTAKES


@pytest.mark.parametrize("name", MISTAKES)
def test_a_section_shows_the_patch_that_is_planted(name):
    code = re.search("```diff\n(.*?)\n```", section(name), re.S)[1]
    assert code.splitlines() == mistakes.difference(name)  # which also fits the source as it is
    file = mistakes.MISTAKES[name].file
    assert f"[{file}](../../../minitransformer/{file})" in section(name)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_section_says_what_was_measured(name):
    measured, words = BENCH["mistakes"][name], re.sub(r"\s+", " ", section(name))
    end = measured["matched"][-1]
    outcome = "learns" if end >= 80 else "learns little" if end > 5 else "does not learn"
    assert re.search(rf"\*\*What you see\.\*\* It {outcome}[.,;]", words), outcome
    is_seen = not all(passed for _, passed in measured["check"].values())
    assert ("gradient check sees it" in words) == is_seen
    assert ("gradient check does not see it" in words) != is_seen


def at_the_end(name, kind, head=0):
    """Weights in percent, (T, S)."""
    return np.array(BENCH["mistakes"][name]["attention"][kind][-1][head])


def losses(name):
    return np.array(BENCH["mistakes"][name]["loss"])


def test_what_the_sections_say_of_curves_and_maps_is_there():
    right = np.array(BENCH["right"]["loss"])
    ahead = at_the_end("future-visible", "decoder").argmax(axis=1)
    assert (ahead[:-1] == np.arange(1, len(ahead))).all()
    assert (losses("future-visible")[10:40] < right[10:40]).all()
    copied = at_the_end("not-shifted", "decoder", 1)
    assert (np.diag(copied) > 90).all() and losses("not-shifted")[19] < 0.01
    assert at_the_end("padding-visible", "cross")[-1, 4:].sum() > 50
    same = at_the_end("softmax-backward", "cross")
    assert (same.max(axis=1) > 90).all() and len(set(same.argmax(axis=1))) == 1
    for head in (0, 1):
        assert (np.ptp(at_the_end("no-warm-up", "cross", head), axis=0) < 20).all()
    assert losses("softmax-twice").min() > 2.3
    assert (losses("padding-counted")[:20] < right[:20]).all()
    assert losses("not-zeroed")[-20:].min() > losses("not-zeroed")[0]
    assert (losses("layer-norm-backward")[40:] > right[40:]).all()
    rate = {name: BENCH["mistakes"][name]["matched"] for name in ("no-scale", "embedding-scale")}
    for step in (200, 300):
        at = mistakes.MOMENTS.index(step)
        assert rate["no-scale"][at] < BENCH["right"]["matched"][at] <= rate["embedding-scale"][at]


@pytest.mark.parametrize("name", MISTAKES)
def test_the_exercise_that_a_section_links_to_names_the_mistake(name):
    exercises()  # all of them are loaded
    words = re.sub(r"\s+", " ", section(name))
    asked, link = re.search(r"The exercise \{ref\}`(\S+) <exercise-(\S+)>`", words).groups()
    assert link == reference.label(EXERCISES[asked]).removeprefix("exercise-")
    id = re.search(r"^`(\S+)` in \[the catalogue\]", section(name), re.M)[1]
    is_known = id in {f"{asked}/{one.id}" for one in EXERCISES[asked].mistakes}
    assert is_known == (f"<{reference.label(EXERCISES[asked])}>` names it" in words)
    planted = mistakes.MISTAKES[name].number
    assert planted is None or planted == mistake_ids()[id]


# -- equation 1 ------------------------------------------------------------------------------------

SHAPES = {
    "Q": (3, 4), "K": (5, 4), "V": (5, 2), "mask": (3, 5), "S": (3, 5), "masked": (3, 5),
    "P": (3, 5), "Y": (3, 2), "d_Y": (3, 2), "d_V": (5, 2), "d_P": (3, 5), "d_S": (3, 5),
    "d_Q": (3, 4), "d_K": (5, 4),
}  # fmt: skip
INPUTS = ("Q", "K", "V", "mask", "d_Y")
COMPUTED = [name for name in SHAPES if name not in INPUTS]
ALL = "[...document.querySelectorAll('[data-entry]')]"


@contextlib.contextmanager
def opened(browser, page):
    """The page in the browser; afterwards, without an error or a request to elsewhere."""
    browser.resize(1280)
    browser.open(page)
    yield
    assert not browser.errors
    here = page[: page.index("alive/")]
    assert all(request.startswith((here, "data:")) for request in browser.requests)


@pytest.fixture
def attention(browser, address):
    with opened(browser, f"{address}alive/attention.html"):
        yield browser


def number(text):
    return float(text.replace("−", "-").replace("∞", "inf"))


def matrices(browser):
    """{name: array} of what the page shows."""
    shown = browser.run(
        f"{ALL}.map(cell => [cell.dataset.entry, cell.type == 'checkbox' ? String(+cell.checked) "
        ": cell.value ?? cell.textContent])"
    )
    found = {name: np.full(shape, np.nan) for name, shape in SHAPES.items()}
    for entry, text in shown:
        name, i, j = entry.split(",")
        found[name][int(i), int(j)] = number(text)
    return found


def expected(given):
    """All matrices by the package, from those that the reader may change."""
    mask = given["mask"].astype(bool)
    core = ScaledDotProductAttention()
    Q, K, V, d_Y = (given[name][None, None] for name in ("Q", "K", "V", "d_Y"))
    Y = core.forward(Q, K, V, mask[None, None])
    d_Q, d_K, d_V = core.backward(d_Y)
    S = Q @ K.swapaxes(-1, -2) / 2
    masked, softmax = np.where(mask, S, -np.inf), Softmax()
    P, d_P = softmax.forward(masked), d_Y @ V.swapaxes(-1, -2)
    found = {
        "S": S, "masked": masked, "P": P, "Y": Y, "d_V": d_V, "d_P": d_P,
        "d_S": softmax.backward(d_P), "d_Q": d_Q, "d_K": d_K,
    }  # fmt: skip
    return {name: array[0, 0] for name, array in found.items()}


def expect_all(browser):
    shown = matrices(browser)
    for name, array in expected({name: shown[name] for name in INPUTS}).items():
        np.testing.assert_allclose(shown[name], array, rtol=0.0051, atol=1e-12, err_msg=name)
    return shown


def enter(browser, name, i, j, text):
    """Type into a cell, or tick it."""
    browser.run(
        f"cell = document.getElementById('cell-{name}-{i}-{j}'); cell.focus(); "
        f"cell.type == 'checkbox' ? cell.click() : (cell.value = {json.dumps(text)}, "
        "cell.dispatchEvent(new Event('input', {bubbles: true})))"
    )


def chosen(browser, name, i, j):
    """Point at an entry; what the page says about it: (sum, finite difference, the marked)."""
    return browser.run(
        f"cell = document.getElementById('cell-{name}-{i}-{j}'); "
        "cell.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})); "
        "[document.getElementById('sum').textContent, "
        "document.getElementById('difference').textContent, "
        f"{ALL}.filter(one => one.closest('td').classList.contains('part'))"
        ".map(one => one.dataset.entry)]"
    )


def select(browser, name, value):
    browser.run(
        f"menu = document.getElementById('{name}'); menu.value = {json.dumps(value)}; "
        "menu.dispatchEvent(new Event('change'))"
    )


@pytest.mark.site
def test_the_numbers_are_those_of_the_package_after_any_change(attention):
    rng = np.random.default_rng(0)
    expect_all(attention)
    for _ in range(3):
        for name in ("Q", "K", "V", "d_Y"):
            for i, j in np.ndindex(SHAPES[name]):
                enter(attention, name, i, j, f"{rng.normal(scale=2):.2f}".replace("-", "−"))
        for i, j in np.ndindex(SHAPES["mask"]):
            if rng.random() < 0.3:
                enter(attention, "mask", i, j, "")
        expect_all(attention)


@pytest.mark.site
def test_every_example_is_computed_as_in_the_package(attention):
    titles = attention.run("[...document.getElementById('example').options].map(o => o.text)")
    for n, title in enumerate(titles):
        select(attention, "example", str(n))
        shown = expect_all(attention)
        if title == "all scores equal":
            assert np.ptp(shown["P"]) == 0 and not shown["d_Q"].any() and shown["d_S"].any()
        elif title == "one very large score":
            assert shown["P"][0].max() == 1 and abs(shown["d_S"][0]).max() < 1e-5
            assert abs(shown["d_P"][0]).max() > 1
        elif title == "a causal mask":
            assert (shown["mask"] == causal_mask(5, last=3)[0, 0]).all()
        elif title == "a query that may attend to nothing":
            assert not shown["mask"][1].any() and not shown["P"][1].any()
            assert not shown["Y"][1].any() and not shown["d_Q"][1].any()
    assert len(titles) == 5


def evaluated(words):
    """What a sum on the page comes to, and what its terms would come to if all were positive."""

    def value_of(node):
        if isinstance(node, ast.Constant):
            return node.value, node.value
        if isinstance(node, ast.UnaryOp):
            value, size = value_of(node.operand)
            return -value, size
        if isinstance(node, ast.Call):
            return (math.exp(value_of(node.args[0])[0]),) * 2
        (left, size), (right, other) = value_of(node.left), value_of(node.right)
        if isinstance(node.op, ast.Mult):
            return left * right, size * other
        if isinstance(node.op, ast.Div):
            return left / right, size / right
        return left + right if isinstance(node.op, ast.Add) else left - right, size + other

    return value_of(ast.parse(words.replace("−", "-").replace("·", "*"), mode="eval").body)


@pytest.mark.site
def test_each_sum_comes_to_its_entry(attention):
    enter(attention, "mask", 2, 1, "")
    enter(attention, "Q", 1, 0, "-1.5")
    shown = matrices(attention)
    for name in COMPUTED:
        for i, j in np.ndindex(SHAPES[name]):
            said, _, _ = chosen(attention, name, i, j)
            head, _, *sums = said.split(" = ")
            assert head == f"{name}[{i + 1},{j + 1}]"
            if sums[-1] != "−∞":
                value, size = evaluated(sums[0])
                assert abs(value - shown[name][i, j]) <= 0.03 * size + 1e-9, said
            assert number(sums[-1]) == shown[name][i, j], said


def row_of(name, i):
    return {f"{name},{i},{j}" for j in range(SHAPES[name][1])}


def column_of(name, j):
    return {f"{name},{i},{j}" for i in range(SHAPES[name][0])}


PARTS = {  # of the entry in row 1 and column 0
    "S": row_of("Q", 1) | row_of("K", 0),
    "masked": {"S,1,0", "mask,1,0"},
    "P": row_of("masked", 1),
    "Y": row_of("P", 1) | column_of("V", 0),
    "d_V": column_of("P", 1) | column_of("d_Y", 0),
    "d_P": row_of("d_Y", 1) | row_of("V", 0),
    "d_S": row_of("P", 1) | row_of("d_P", 1),
    "d_Q": row_of("d_S", 1) | column_of("K", 0),
    "d_K": column_of("d_S", 1) | column_of("Q", 0),
}


@pytest.mark.site
@pytest.mark.parametrize("name", PARTS)
def test_the_entries_of_a_sum_are_marked(name, attention):
    _, _, marked = chosen(attention, name, 1, 0)
    assert set(marked) == PARTS[name]


@pytest.mark.site
def test_a_finite_difference_agrees_with_the_gradient(attention):
    enter(attention, "mask", 0, 4, "")
    right = expected(matrices(attention))
    for name in ("Q", "K", "V"):
        for i, j in np.ndindex(SHAPES[name]):
            for at in (name, f"d_{name}"):
                _, said, _ = chosen(attention, at, i, j)
                difference, gradient = (
                    number(re.search(pattern, said)[1])
                    for pattern in (r"/ 2h = (\S+);", r"the gradient \S+ = (\S+)\. ")
                )
                assert f"x = {name}[{i + 1},{j + 1}]:" in said
                assert abs(difference - gradient) < 1e-5
                assert abs(gradient - right[f"d_{name}"][i, j]) < 1e-5
    assert "choose an entry" in chosen(attention, "P", 0, 0)[1]


@pytest.mark.site
def test_a_number_that_the_page_shows_can_be_typed(attention):
    for text in ("0.0000001", "1e-7", "−2.5E+2", "−1e−3", ".5", "+5."):
        enter(attention, "K", 1, 2, text)
        assert attention.run("document.getElementById('refused').textContent") == ""
        number = float(text.replace("−", "-"))
        assert matrices(attention)["K"][1, 2] == number
        attention.run("document.activeElement.blur()")
        shown = attention.run("document.getElementById('cell-K-1-2').value")
        enter(attention, "K", 1, 2, shown)
        assert attention.run("document.getElementById('refused').textContent") == ""
    attention.run("document.getElementById('reset').click()")


@pytest.mark.site
@pytest.mark.parametrize("text", ["two", "0,5", "", "1e400", "1001", "0x1"])
def test_what_is_no_number_is_refused_in_a_sentence(text, attention):
    before = matrices(attention)
    enter(attention, "K", 1, 2, text)
    said = attention.run("document.getElementById('refused').textContent")
    assert f"“{text}” cannot be used" in said and "K[2,3] stays −1" in said
    assert attention.run("document.getElementById('cell-K-1-2').getAttribute('aria-invalid')")
    attention.run("document.activeElement.blur()")
    after = matrices(attention)
    assert all((before[name] == after[name]).all() for name in SHAPES)
    enter(attention, "K", 1, 2, "3")
    assert attention.run("document.getElementById('refused').textContent") == ""
    expect_all(attention)
    attention.run("document.getElementById('reset').click()")
    after = matrices(attention)
    assert all((before[name] == after[name]).all() for name in SHAPES)


@pytest.mark.site
def test_arrow_keys_go_through_a_matrix_and_tab_to_the_next(attention):
    focused = "document.activeElement.id"
    attention.run("document.getElementById('cell-S-0-1').focus()")
    for key, there in (
        ("ArrowRight", "S-0-2"), ("ArrowDown", "S-1-2"), ("ArrowLeft", "S-1-1"),
        ("ArrowUp", "S-0-1"), ("ArrowUp", "S-0-1"), ("Tab", "masked-0-0"),
        ("ArrowDown", "masked-1-0"),
    ):
        attention.press(key)
        assert attention.run(focused) == f"cell-{there}"
    assert "masked[2,1]" in attention.run("document.getElementById('sum').textContent")
    attention.run("document.getElementById('cell-V-4-0').focus()")  # its text is selected
    attention.press("7")
    assert matrices(attention)["V"][4, 0] == 7
    attention.press("ArrowRight")
    assert attention.run(focused) == "cell-V-4-1"
    attention.press("ArrowUp")
    assert attention.run(focused) == "cell-V-3-1"
    expect_all(attention)
    tabs = attention.run(f"{ALL}.filter(cell => cell.tabIndex == 0).length")
    assert tabs == len(SHAPES), "one stop of Tab for each matrix"


@pytest.mark.site
def test_a_step_shows_one_matrix_more(attention):
    visible = (
        "[...document.querySelectorAll('.matrix')].filter(one => one.offsetWidth)"
        ".map(one => one.id.slice(7))"
    )
    names = list(SHAPES)
    assert attention.run(visible) == names
    click = "document.getElementById('{}').click()"
    attention.run(click.format("start"))
    assert attention.run(visible) == names[:4]
    for n in range(5, len(names) + 1):
        attention.run(click.format("next"))
        assert attention.run(visible) == names[:n]
        assert attention.run("document.querySelector('.now').id") == f"matrix-{names[n - 1]}"
        said = attention.run("document.getElementById('step-says').textContent")
        assert said.startswith(names[n - 1])
        assert f"{names[n - 1]}[1,1]" in attention.run("document.getElementById('sum').textContent")
    assert attention.run("document.getElementById('next').disabled")
    attention.run(click.format("back"))
    assert attention.run(visible) == names[:-1]
    attention.run(click.format("all"))
    assert attention.run(visible) == names


@pytest.mark.site
@pytest.mark.parametrize("page", ["attention", "mistakes"])
@pytest.mark.parametrize("width", [390, 1280])
def test_large_type_is_never_wider_than_the_window(page, width, browser, address):
    browser.resize(width)
    browser.open(f"{address}alive/{page}.html")
    browser.run("document.getElementById('large-type').click()")
    size = "parseFloat(getComputedStyle(document.querySelector('{}')).fontSize)"
    assert all(browser.run(size.format(one)) > 24 for one in ("article p", ".alive td"))
    assert browser.run("document.documentElement.scrollWidth") <= width


# -- the bench in the browser ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(browser, address):
    with opened(browser, f"{address}alive/mistakes.html"):
        yield browser


def table(browser, place):
    return browser.run(
        f"[...document.querySelector('{place}').rows].map(row => [...row.cells].map("
        "cell => cell.textContent))"
    )


def move_to(browser, moment):
    browser.run(
        f"slider = document.getElementById('moment'); slider.value = {moment}; "
        "slider.dispatchEvent(new Event('input'))"
    )


@pytest.mark.site
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_shown_as_it_was_measured(name, bench):
    select(bench, "mistake", name)
    visible = bench.run(
        "[...document.querySelectorAll('section')].filter(one => one.offsetHeight && "
        "one.querySelector(':scope > h3')).map(one => [one.id, one.querySelector('span').id])"
    )
    assert len(visible) == 1 and f"mistake-{name}" in visible[0]
    models = [BENCH["right"], BENCH["mistakes"][name]]
    for moment in (0, 4, len(mistakes.MOMENTS) - 1):
        move_to(bench, moment)
        step = mistakes.MOMENTS[moment]
        _, losses, matched = table(bench, "#numbers")
        assert matched == ["exact match", *(f"{one['matched'][moment]} %" for one in models)]
        at = max(0, step // mistakes.EVERY - 1)
        assert [float(loss) for loss in losses[1:]] == [one["loss"][at] for one in models]
        for kind in mistakes.LABELS:
            select(bench, "kind", kind)
            for m, one in enumerate(models):
                for head in range(2):
                    place = f"#maps .model:nth-child({m + 1}) .wide:nth-child({head + 1}) table"
                    lines = table(bench, place)
                    assert lines[0][1:] == mistakes.LABELS[kind]["columns"]
                    assert [line[0] for line in lines[1:]] == mistakes.LABELS[kind]["rows"]
                    numbers = [[int(cell) for cell in line[1:]] for line in lines[1:]]
                    assert numbers == one["attention"][kind][moment][head]
    lines = table(bench, "#check")
    assert [line[0] for line in lines[1:]] == mistakes.CHECKED
    for component, *said in lines[1:]:
        for words, one in zip(said, models):
            error, passed = one["check"][component]
            assert words.split(",")[0] == ("right" if passed else "WRONG")
            assert float(words.split()[-1]) == error
    for place, key in ((1, "loss"), (2, "matched")):
        for line, one in zip(("right", "mistaken"), models):
            path = bench.run(
                f"document.querySelector('#curves svg:nth-child({place}) path.{line}')"
                ".getAttribute('d')"
            )
            heights = [float(point.split()[1]) for point in re.split("[ML]", path)[1:]]
            drawn = [math.log(value) if key == "loss" else value for value in one[key]]
            assert len(heights) == len(drawn)
            assert np.ptp(drawn) == 0 or np.corrcoef(heights, drawn)[0, 1] < -0.999


@pytest.mark.site
def test_the_address_names_a_mistake(browser, address):
    for fragment in ("mistake-no-warm-up", "no-warm-up-of-the-learning-rate"):
        browser.open(f"{address}alive/mistakes.html?{fragment}#{fragment}")
        assert browser.run("document.getElementById('mistake').value") == "no-warm-up"
    browser.run("location.hash = 'mistake-positions'")
    browser.run("new Promise(done => setTimeout(done, 100))")
    assert browser.run("document.getElementById('mistake').value") == "positions"
    for fragment in ("%", "%E0%A4%A", "nonsense"):
        browser.open(f"{address}alive/mistakes.html?{fragment[-1]}#{fragment}")
        assert browser.run("document.querySelectorAll('#curves svg').length") > 0
        assert not browser.errors
    assert not browser.errors
