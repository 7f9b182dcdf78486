"""A class: points and a table for a gradebook, unnamed mistakes that several make, pages for the
students, Gradescope."""

import csv
import html.parser
import io
import json

import numpy as np
import pytest
from common import refusal, run

from minitransformer.errors import InputError
from minitransformer.grading import clusters as clusters_module
from minitransformer.grading.alone import as_plain
from minitransformer.grading.check import check
from minitransformer.grading.clusters import (
    SEED,
    alike,
    clusters,
    fingerprint,
    name_known,
    read_known,
    unnamed,
)
from minitransformer.grading.diagnosis import attempts
from minitransformer.grading.exercise import EXERCISES, find
from minitransformer.grading.feedback import (
    HEAD,
    MARK,
    below,
    expect_free,
    names_of,
    page,
    write_feedback,
)
from minitransformer.grading.grade import as_dict, as_text, histogram
from minitransformer.grading.gradescope import as_gradescope, best_of
from minitransformer.grading.points import as_csv, points_of, read_points, score
from minitransformer.grading.report import Report
from minitransformer.grading.submission import Submission

FORWARD, BACKWARD = "softmax.forward", "softmax.backward"
ANSWER = """
import numpy as np
def softmax(scores):
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)
"""


def report(exercise, status, **finding):
    """A report as a submission has it."""
    found = {
        "id": f"{exercise}/unknown", "severity": "error", "title": "",
        "evidence": ["y[0] is 1, expected 2."],
        "question": "", "also": [], "exact": True, "met": "", "lines": [], "where": None, **finding,
    }
    return {
        "exercise": exercise, "passed": status == "right", "status": status, "right": [],
        "situations": 4, "severity": "" if status == "right" else "error",
        "findings": [] if status == "right" else [found],
    }


def submission(file, status="graded", **others):
    """A submission; `right`, `wrong`, ... are exercises."""
    reports = {
        id: report(id, name.replace("_", " "))
        for name in ("right", "wrong", "not_started")
        for id in others.pop(name, ())
    }
    return Submission(file, status, reports, **others)


CLASS = [
    submission("ada.py", right=[FORWARD, BACKWARD], remarks={BACKWARD: "look at it: it uses os."}),
    submission("bob.py", right=[FORWARD], wrong=[BACKWARD]),
    submission("eve.py", not_started=[FORWARD]),
    submission("=cmd|' /C calc'!A0.py", "crashed"),
    submission("zoë.py", "interrupted", right=[FORWARD]),
]


# -- points ----------------------------------------------------------------------------------------


def rows_of(text):
    return list(csv.reader(io.StringIO(text)))


def test_a_gradebook_has_a_line_for_each_file_and_a_column_for_each_exercise():
    assert rows_of(as_csv(CLASS, points_of(CLASS))) == [
        ["file", FORWARD, BACKWARD, "total", "possible", "status", "look at"],
        ["ada.py", "1", "1", "2", "2", "graded", BACKWARD],
        ["bob.py", "1", "0", "1", "2", "graded", ""],
        ["eve.py", "0", "0", "0", "2", "graded", ""],
        ["'=cmd|' /C calc'!A0.py", "0", "0", "0", "2", "crashed", ""],
        ["zoë.py", "", "", "", "2", "interrupted", ""],
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_file_name_is_a_formula_of_a_spreadsheet(name):
    cell = rows_of(as_csv([submission(name, "refused")], {FORWARD: 1.0}))[1][0]
    # control characters are escaped already, as in the table
    assert cell.startswith(("'", "\\"))


def test_an_exercise_of_the_assignment_that_nobody_answers_counts_and_another_one_does_not():
    points = {BACKWARD: 2.5, "layer_norm.backward": 4.0}
    rows = rows_of(as_csv(CLASS, points))
    assert rows[0][1:5] == [BACKWARD, "layer_norm.backward", "total", "possible"]
    assert rows[1][1:5] == ["2.5", "0", "2.5", "6.5"]
    assert score(CLASS[4], points) == dict.fromkeys(points)


def test_the_exercises_stand_in_the_order_of_the_course():
    late = [submission("a.py", right=["layer_norm.backward"]), submission("b.py", wrong=[FORWARD])]
    assert list(points_of(late)) == [FORWARD, "layer_norm.backward"]


def test_table_and_json_have_the_points():
    text = as_text(CLASS, {FORWARD: 2.0, BACKWARD: 0.1})
    assert "points, of 2.1" in text
    assert [line.split()[-1] for line in text.splitlines() if ".py" in line] == [
        "2.1", "2", "0", "0", "known",
    ]
    found = as_dict(CLASS, {BACKWARD: 3.0})
    assert found["points"] == {BACKWARD: 3.0}
    assert [s["points"][BACKWARD] for s in found["submissions"]] == [3.0, 0.0, 0.0, 0.0, None]
    assert as_dict(CLASS)["points"] == {FORWARD: 1.0, BACKWARD: 1.0}


@pytest.mark.parametrize(
    "text",
    [
        "softmax.backward,2\nsoftmax.forward,0.5\n",
        "exercise,points\nsoftmax.backward,2\n\nsoftmax.forward,0.5",
        '\ufeff"softmax.backward"; 2\r\nsoftmax.forward ;0.5\r\n;\r\n',
    ],
)
def test_points_are_read_as_people_and_spreadsheets_write_them(tmp_path, text):
    (tmp_path / "points.csv").write_bytes(text.encode())
    try:
        found = read_points(tmp_path / "points.csv")
    except InputError as problem:
        found = problem
    assert found == {BACKWARD: 2.0, FORWARD: 0.5}


@pytest.mark.parametrize(
    "data, words",
    [
        (b"softmax.backwards,1", "Did you mean 'softmax.backward'?"),
        (b"softmax.backward,1\nsoftmax.backward,2", "line 2: softmax.backward stands there twice"),
        (b"softmax.backward,two", "line 1: 'two' is no number of points"),
        (b"softmax.backward,-1", "'-1' is no number of points"),
        (b"softmax.backward,inf", "'inf' is no number of points"),
        (b"softmax.backward,nan", "'nan' is no number of points"),
        (b"softmax.backward", "Each line is an exercise and its points"),
        (b"softmax.backward;1,5", "Each line is an exercise and its points"),
        (b"exercise,points\n", "names no exercise"),
        (b"softmax.backward,1\nexercise,points", "There is no exercise 'exercise'"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_points_that_cannot_be_used_are_refused(tmp_path, data, words):
    (tmp_path / "points.csv").write_bytes(data)
    assert words in refusal(read_points, tmp_path / "points.csv")


def test_points_that_are_not_there_are_refused(tmp_path):
    assert "cannot be read" in refusal(read_points, tmp_path / "none.csv")


def test_the_command_writes_both_tables(tmp_path, capsys):
    (tmp_path / "ada.py").write_text(ANSWER)
    (tmp_path / "points.csv").write_text("softmax.forward,2\nsoftmax.backward,3\n")
    status, out, _ = run(
        f"grade '{tmp_path / 'ada.py'}' --points '{tmp_path / 'points.csv'}' "
        f"--out '{tmp_path / 'class.csv'}' --out '{tmp_path / 'class.json'}'",
        capsys,
    )
    assert status == 0 and "points, of 5" in out
    table = rows_of((tmp_path / "class.csv").read_text(encoding="utf-8"))
    assert table[1][1:] == ["2", "0", "2", "5", "graded", ""]
    found = json.loads((tmp_path / "class.json").read_text(encoding="utf-8"))
    assert found["submissions"][0]["points"] == {FORWARD: 2.0, BACKWARD: 0.0}


def test_the_command_overwrites_neither_a_teachers_files_nor_submissions(tmp_path, capsys):
    (tmp_path / "points.csv").write_text("softmax.forward,2")
    (tmp_path / "known.json").write_text("[]")
    command = (
        f"grade '{tmp_path}' --points '{tmp_path / 'points.csv'}' "
        f"--known '{tmp_path / 'known.json'}'"
    )
    for option, name, words in (
        ("--out", "points.csv", "is the file of --points"),
        ("--out", "known.json", "is the file of --known"),
        ("--gradescope", "known.json", "is the file of --known"),
        ("--out", "a.py", "must end in .json or .csv"),
    ):
        status, _, err = run(f"{command} {option} '{tmp_path / name}'", capsys)
        assert status == 2 and words in err
    assert (tmp_path / "points.csv").read_text() == "softmax.forward,2"
    assert (tmp_path / "known.json").read_text() == "[]"


# -- mistakes without a name -----------------------------------------------------------------------


def wrong(factor=0.37, dtype=float, noise=0.0):
    """An answer to softmax.backward by a mistake that nobody knows."""

    def softmax_backward(d_P, P):
        d_P, P = d_P.astype(dtype), P.astype(dtype)
        return np.sin(P) * d_P * dtype(factor) * dtype(1 + noise) + dtype(0.1)

    return softmax_backward


def made(function, exercise=BACKWARD):
    """What an answer comes to, as a submission's process writes it and `grade` reads it."""
    function = getattr(function, "reference", function)
    found = {exercise: {"attempts": [as_plain(attempts(find(exercise), function, SEED)[0])]}}
    return clusters_module._attempt(find(exercise), json.loads(json.dumps(found)))


def class_of(**answers):
    """Submissions whose answers to softmax.backward are these, all by a mistake without a name."""
    found = []
    for name, function in answers.items():
        one = submission(f"{name}.py", wrong=[BACKWARD])
        one.numbers = {BACKWARD: made(function)}
        one.fingerprints = {BACKWARD: fingerprint(one.numbers[BACKWARD])}
        found.append(one)
    return found


def test_a_name_that_only_comes_near_is_none_in_the_table_of_a_class():
    some = class_of(ada=wrong(), bob=wrong())
    for one in some:
        one.reports[BACKWARD]["findings"][0].update(title="a mean stands", exact=False)
    assert histogram(some) == [(2, BACKWARD, "wrong numbers, and no known mistake")]
    assert unnamed(some[0].reports) == [BACKWARD]
    for one in some:
        one.reports[BACKWARD]["findings"][0].update(exact=True)
    assert histogram(some) == [(2, BACKWARD, "a mean stands")]
    assert unnamed(some[0].reports) == []


def test_answers_with_equal_numbers_are_one_mistake_whatever_their_rounding():
    some = class_of(
        ada=wrong(), other=wrong(0.3702), bob=wrong(dtype=np.float32), eve=wrong(noise=1e-13),
        alone=wrong(0.5),
    )
    found = clusters(some)
    assert [(one.exercise, one.files) for one in found] == [
        (BACKWARD, ["ada.py", "bob.py", "eve.py"])
    ]
    assert found[0].evidence == "y[0] is 1, expected 2."
    assert found[0].fingerprint == some[0].fingerprints[BACKWARD]


def test_the_first_may_be_the_less_exact_one():
    found = clusters(class_of(ada=wrong(dtype=np.float32), bob=wrong()))
    assert [one.files for one in found] == [["ada.py", "bob.py"]]


def test_the_largest_cluster_stands_first_and_a_mistake_with_a_name_in_none():
    some = class_of(a=wrong(0.5), b=wrong(0.5), c=wrong(), d=wrong(), e=wrong())
    assert [cluster.files for cluster in clusters(some)] == [["c.py", "d.py", "e.py"],
                                                            ["a.py", "b.py"]]  # fmt: skip
    for one in some[2:]:
        one.reports[BACKWARD]["findings"][0]["title"] = "γ is forgotten"
    assert [cluster.files for cluster in clusters(some)] == [["a.py", "b.py"]]


def test_a_fingerprint_is_that_of_the_mistake_and_of_no_other():
    texts = {
        name: fingerprint(made(function))
        for name, function in {
            "double": wrong(), "single": wrong(dtype=np.float32, noise=5e-4), "other": wrong(0.375),
            "nothing": lambda d_P, P: np.nan * P, "infinite": lambda d_P, P: np.inf * P,
            "huge": lambda d_P, P: 1e300 * P, "flat": lambda d_P, P: P[0],
            "zeros": lambda d_P, P: 0 * P,
        }.items()
    }
    assert alike(texts["double"], texts["single"]) and len(texts["double"].split()) == 6
    for name in texts.keys() - {"single"}:
        assert [other for other in texts if alike(texts[name], texts[other])] == (
            ["double", "single"] if name == "double" else [name]
        )


OTHER = {  # an output that is not asked for
    "outputs": {"x": [[1], "AAAAAAAAAAA="]}, "trouble": None, "changed": [], "tolerance": 1e-10,
    "missing": [],
}


@pytest.mark.parametrize(
    "found",
    [
        {}, [], None, {BACKWARD: None}, {BACKWARD: {"attempts": []}},
        {BACKWARD: {"attempts": [{}]}},
        {BACKWARD: {"attempts": [{"random numbers": {}}]}}, {BACKWARD: {"attempts": "x"}},
        {BACKWARD: {"attempts": [{"random numbers": OTHER}]}},
    ],
)  # fmt: skip
def test_numbers_that_cannot_be_read_are_none(found):
    assert clusters_module._attempt(find(BACKWARD), found) is None


def test_right_numbers_no_numbers_and_random_numbers_have_no_fingerprint():
    def broken(d_P, P):
        raise ZeroDivisionError

    assert made(EXERCISES[BACKWARD]) is None and made(broken) is None
    assert made(lambda d_P, P: np.zeros((0, 3))) is None
    assert made(lambda x, p, rng: 2 * x, "dropout.forward") is None


def known_file(tmp_path, *entries):
    (tmp_path / "known.json").write_text(json.dumps(entries), encoding="utf-8")
    return tmp_path / "known.json"


def entry(**others):
    mine = fingerprint(made(wrong()))
    return {"exercise": BACKWARD, "fingerprint": mine, "title": "sin is taken", **others}


def test_a_teachers_name_is_put_to_the_mistake_that_it_is_of(tmp_path):
    some = class_of(ada=wrong(dtype=np.float32), bob=wrong(0.5))
    some += [submission("eve.py", wrong=[BACKWARD])]  # without numbers
    name_known(some, read_known(known_file(tmp_path, entry(question="Why a sine?"))))
    named, *others = [one.reports[BACKWARD]["findings"][0] for one in some]
    assert (named["title"], named["question"]) == (
        "sin is taken (your teacher's list)", "Why a sine?",
    )
    assert named["id"].endswith("/teacher") and [f["title"] for f in others] == ["", ""]
    assert histogram(some)[0] == (2, BACKWARD, "wrong numbers, and no known mistake")


def test_a_name_is_for_its_exercise_only(tmp_path):
    some = class_of(ada=wrong())
    name_known(some, read_known(known_file(tmp_path, entry(exercise=FORWARD))))
    assert some[0].reports[BACKWARD]["findings"][0]["title"] == ""


@pytest.mark.parametrize(
    "change, words",
    [
        ({"title": " "}, "mistake 1 should have exercise"),
        ({"title": 3}, "each a text"),
        ({"more": "x"}, "should have exercise"),
        ({"fingerprint": "1 2 3"}, "a fingerprint is 6 numbers"),
        ({"fingerprint": "1 2 3 4 5 nan"}, "a fingerprint is 6 numbers"),
        ({"fingerprint": "a b c d e f"}, "a fingerprint is 6 numbers"),
        ({"exercise": "softmax.backwards"}, "Did you mean"),
    ],
)
def test_a_teachers_list_of_another_form_is_refused(tmp_path, change, words):
    assert words in refusal(read_known, known_file(tmp_path, entry(**change)))


def test_a_teachers_list_is_a_list(tmp_path):
    (tmp_path / "known.json").write_text("{")
    assert "is no JSON" in refusal(read_known, tmp_path / "known.json")
    (tmp_path / "known.json").write_text("{}")
    assert "should be a list" in refusal(read_known, tmp_path / "known.json")
    assert "mistake 1 should have" in refusal(read_known, known_file(tmp_path, "x"))


def test_the_command_finds_mistakes_without_a_name_and_names_them_by_the_list(tmp_path, capsys):
    homework = tmp_path / "homework"
    homework.mkdir()
    text = "from numpy import sin\ndef softmax_backward(d_P, P):\n return sin(P) * d_P * {} + 0.1"
    for name, factor in {"ada": 0.5, "bob": 0.37, "eve": 0.5}.items():
        (homework / f"{name}.py").write_text(text.format(factor))
    known, out = known_file(tmp_path, entry()), tmp_path / "class.json"
    status, printed, _ = run(f"grade '{homework}' --known '{known}' --out '{out}'", capsys)
    found = json.loads(out.read_text(encoding="utf-8"))
    assert len(found["clusters"]) == 1
    only = found["clusters"][0]
    assert [one[-6:] for one in only["files"]] == ["ada.py", "eve.py"]
    assert status == 0 and f"fingerprint: {only['fingerprint']}" in printed
    assert f"    2  {BACKWARD}: d_scores[0, 0, 0] is 0.1" in printed
    assert "sin is taken (your teacher's list)" in printed
    assert alike(only["fingerprint"], fingerprint(made(wrong(0.5))))
    assert "numbers" not in found["submissions"][0]


# -- pages for the students ------------------------------------------------------------------------


class Read(html.parser.HTMLParser):
    """A page's elements, attributes and text; every element must be closed by its own end."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found, self.attributes, self.text = [], set(), [], ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.found.add(tag)
        self.attributes += attributes
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text += data


STRANGE = "<script>alert(1)</script> & \"'"


def one_with_everything():
    one = submission("a/ada.py", right=[FORWARD], not_started=["layer_norm.backward"])
    one.reports[BACKWARD] = report(
        BACKWARD, "wrong", title="γ is forgotten", question=f"Why {STRANGE}?",
        evidence=[f"{STRANGE} is 1."],
    )
    one.errors, one.remark = [f"cell 3: {STRANGE}"], f"printed 3.0 MB {STRANGE}"
    one.remarks = {FORWARD: "look at it: it uses os."}
    return one


def test_a_page_says_what_the_report_says_and_nothing_of_it_is_markup():
    points = {FORWARD: 1.0, BACKWARD: 2.5, "dropout.forward": 1.0}
    read = Read(page(one_with_everything(), points, f"ada {STRANGE}"))
    assert read.found == set(
        "html meta title style main h1 h2 p section table tr th td ul li".split()
    )
    for words in (
        f"ada {STRANGE}", "1 of 4.5 points", f"{BACKWARD}: not right yet", "0 of 2.5 points",
        f"Exactly this comes out when γ is forgotten.Why {STRANGE}?".split("Why")[0],
        f"{STRANGE} is 1.", f"Why {STRANGE}?", "dropout.forward: not handed in", "0 of 1 point",
        "layer_norm.backward: not started yet", "It does not count.", f"cell 3: {STRANGE}",
        f"printed 3.0 MB {STRANGE}", f"{FORWARD}: right",
    ):
        assert words in read.text, words
    # what a teacher is to look at is not for the student
    assert "look at" not in read.text


def test_a_page_asks_for_nothing_and_runs_nothing():
    text = page(one_with_everything(), {FORWARD: 1.0}, "ada")
    assert "default-src 'none'" in HEAD and text.startswith(HEAD)
    assert {name for name, _ in Read(text).attributes} == {
        "lang", "charset", "name", "content", "http-equiv", "class", "scope",
    }
    assert "url(" not in text and "@import" not in text and "prefers-color-scheme: dark" in text


def test_a_report_read_again_says_the_same():
    for answer in (EXERCISES[BACKWARD].reference, lambda d_P, P: P * (1 - P) * d_P):
        said = check(BACKWARD, answer, quiet=True)
        assert str(Report.from_dict(json.loads(json.dumps(said.to_dict())))) == str(said)


def test_names_of_pages_are_plain_and_no_two_the_same():
    names = names_of(
        ["ada/03.ipynb", "bob/03.ipynb", "bob-03.ipynb", "BOB-03.ipynb", "../.x y;$(a).py",
         "zoë.py", "zoe\u0308.py", "a\x1b\udcff.py", "x" * 300 + ".py"]
    )  # fmt: skip
    assert names[:8] == [
        "ada-03.ipynb.html", "bob-03.ipynb.html", "bob-03.ipynb-2.html", "BOB-03.ipynb-3.html",
        "x_y___a_.py.html", "zoë.py.html", "zoë.py-2.html", "a__.py.html",
    ]
    assert len(names[8]) == 65


def test_a_page_does_not_say_where_the_teachers_folder_is(tmp_path):
    files = [str(tmp_path / "secret" / name) for name in ("ada/03.ipynb", "bob/03.ipynb")]
    assert [path.as_posix() for path in below(files)] == ["ada/03.ipynb", "bob/03.ipynb"]
    assert [str(path) for path in below(files[:1])] == ["03.ipynb"] and below([]) == []
    (path, *_) = write_feedback([submission(files[0])], {FORWARD: 1.0}, tmp_path / "pages")
    assert path.name == "03.ipynb.html" and "secret" not in path.read_text(encoding="utf-8")


def test_who_was_interrupted_has_no_page_nor_has_a_file_that_is_no_submission(tmp_path):
    some = [*CLASS, submission("data.csv", "refused"), submission("broken.ipynb", "refused")]
    paths = write_feedback(some, points_of(some), tmp_path / "new" / "pages")
    assert [path.name for path in paths] == [
        "ada.py.html", "bob.py.html", "eve.py.html", "_cmd___-C_calc__A0.py.html",
        "broken.ipynb.html",
    ]
    assert all(MARK in path.read_text(encoding="utf-8") for path in paths)


def test_pages_replace_pages_and_nothing_else_unless_told(tmp_path):
    points, one = {FORWARD: 1.0}, submission("ada.py", right=[FORWARD])
    (path,) = write_feedback([submission("ada.py")], points, tmp_path)
    write_feedback([one], points, tmp_path)
    assert "1 of 1 point" in path.read_text(encoding="utf-8")
    (tmp_path / "notes.html").write_text("mine")
    assert "notes.html" in refusal(write_feedback, [one], points, tmp_path)
    write_feedback([one], points, tmp_path, overwrite=True)
    assert (tmp_path / "notes.html").read_text() == "mine"
    (tmp_path / "notes.html").unlink()
    (tmp_path / "folder").mkdir()
    assert "folder" in refusal(expect_free, tmp_path)
    assert "is no folder" in refusal(expect_free, path, overwrite=True)


def test_the_command_writes_pages_and_refuses_before_it_grades(tmp_path, capsys):
    homework, pages = tmp_path / "homework", tmp_path / "pages"
    homework.mkdir()
    (homework / "ada.py").write_text(ANSWER)
    command = f"grade '{homework}' --feedback '{pages}'"
    status, out, _ = run(command, capsys)
    assert status == 0 and f"Pages for the students (1): {pages}" in out
    assert f"{FORWARD}: right" in (pages / "ada.py.html").read_text(encoding="utf-8")
    (pages / "mine.txt").write_text("")
    status, out, err = run(command, capsys)
    assert (status, out) == (2, "") and "--overwrite" in err
    assert run(f"{command} --overwrite", capsys)[0] == 0


def test_a_page_can_be_read_by_everyone_in_light_and_dark(tmp_path, browser):
    points = {FORWARD: 1.0, BACKWARD: 2.5, "dropout.forward": 1.0}
    (tmp_path / "page.html").write_text(page(one_with_everything(), points, "ada"), "utf-8")
    for theme in ("light", "dark"):
        browser.prefer(theme)
        browser.open((tmp_path / "page.html").as_uri())
        # axe is put in by the browser's own protocol, which the page's policy does not concern
        assert not browser.serious_findings() and not browser.errors
        assert [address.split(":")[0] for address in browser.requests] == ["file"]
    browser.prefer("")


# -- Gradescope ------------------------------------------------------------------------------------

# Of the page "Autograder specifications", sections "Output format" and "Controlling test case
# visibility": what may stand there, and of which type it is.
SHOWN = ("hidden", "after_due_date", "after_published", "visible")
FORMATS = ("text", "html", "simple_format", "md", "ansi")
RESULTS = {
    "score": float, "execution_time": (int, float), "output": str, "output_format": FORMATS,
    "test_output_format": FORMATS, "test_name_format": FORMATS, "visibility": SHOWN,
    "stdout_visibility": SHOWN, "extra_data": dict, "tests": list, "leaderboard": list,
}
TEST = {
    "score": float, "max_score": float, "status": ("passed", "failed"), "name": str,
    "name_format": FORMATS, "number": str, "output": str, "output_format": FORMATS, "tags": list,
    "visibility": SHOWN, "extra_data": dict,
}


def follows(value, form):
    """Whether a dict has members of a form only, each of its type or one of its words."""
    return value.keys() <= form.keys() and all(
        value[name] in kind
        if isinstance(kind, tuple) and isinstance(kind[0], str)
        else isinstance(value[name], kind)
        for name, kind in form.items()
        if name in value
    )


def results(text):
    """results.json, if it is as the documentation asks."""
    found = json.loads(text)
    assert follows(found, RESULTS) and all(follows(test, TEST) for test in found["tests"])
    # without points for the whole, each test needs its own; here both are given
    assert "score" in found and all("score" in test for test in found["tests"])
    assert found["score"] == pytest.approx(sum(test["score"] for test in found["tests"]))
    return found


def test_the_form_is_not_that_of_anything():
    assert not follows({"score": "3"}, RESULTS) and not follows({"points": 3.0}, RESULTS)
    assert not follows({"status": "right"}, TEST) and follows({"status": "passed"}, TEST)


def test_gradescope_is_told_points_and_reports_of_every_exercise_of_the_assignment():
    one = one_with_everything()
    one.seconds = 1.25
    found = results(as_gradescope([one], {FORWARD: 0.1, BACKWARD: 2.5, "dropout.forward": 1.0}))
    assert (found["score"], found["execution_time"]) == (0.1, 1.25)
    tests = {test["name"]: test for test in found["tests"]}
    assert {name: (t["score"], t["max_score"], t["status"]) for name, t in tests.items()} == {
        FORWARD: (0.1, 0.1, "passed"), BACKWARD: (0.0, 2.5, "failed"),
        "dropout.forward": (0.0, 1.0, "failed"),
    }
    assert "Exactly this comes out when γ is forgotten." in tests[BACKWARD]["output"]
    assert tests["dropout.forward"]["output"] == "dropout.forward: not handed in"
    assert found["output"] == f"printed 3.0 MB {STRANGE}\ncell 3: {STRANGE}"
    # students see all of it
    assert "look at" not in json.dumps(found)


@pytest.mark.parametrize("turn", [1, -1])
def test_all_files_are_one_students_and_the_best_answer_counts(turn):
    files = [
        submission("a.py", right=[FORWARD], wrong=[BACKWARD]),
        submission("b.py", wrong=[FORWARD], not_started=[BACKWARD], remark="crashed"),
    ][::turn]
    best = best_of(files)
    assert {id: one["status"] for id, one in best.items()} == {FORWARD: "right", BACKWARD: "wrong"}
    found = results(as_gradescope(files, {FORWARD: 1.0, BACKWARD: 1.0}))
    assert (found["score"], found["output"]) == (1.0, "crashed")


def test_who_was_interrupted_has_no_result():
    assert as_gradescope(CLASS, {FORWARD: 1.0}) is None


def test_the_command_writes_a_result_for_gradescope_also_where_nothing_was_handed_in(
    tmp_path, capsys
):
    homework, file, points = (tmp_path / name for name in ("homework", "r.json", "points.csv"))
    homework.mkdir()
    points.write_text("softmax.forward,2\nsoftmax.backward,3\n")
    command = f"grade '{homework}' --points '{points}' --gradescope '{file}'"
    status, _, err = run(command, capsys)
    assert file.exists()
    found = results(file.read_text(encoding="utf-8"))
    assert status == 2 and found["score"] == 0 and "There is nothing to grade" in err
    assert found["output"] in err and len(found["tests"]) == 2
    (homework / "ada.py").write_text(ANSWER)
    status, out, _ = run(command, capsys)
    found = results(file.read_text(encoding="utf-8"))
    assert status == 0 and f"For Gradescope: {file}" in out and found["score"] == 2
    assert found["tests"][0]["output"].startswith(f"{FORWARD}: right")


def test_gradescope_needs_points_and_a_json_file(tmp_path, capsys):
    (tmp_path / "ada.py").write_text(ANSWER)
    command = f"grade '{tmp_path}' --gradescope '{tmp_path / 'r.json'}'"
    assert "needs --points" in run(command, capsys)[2]
    command = f"grade '{tmp_path}' --gradescope '{tmp_path / 'ada.py'}'"
    assert "--gradescope must end in .json" in run(command, capsys)[2]
    assert (tmp_path / "ada.py").read_text() == ANSWER
