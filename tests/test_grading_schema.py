"""docs/grading.schema.json: what `grade` writes, and a report as a dict, are as it says."""

import functools
import json

import pytest
from common import run
from floors import ROOT
from test_class import ANSWER, CLASS, FORWARD

from minitransformer.grading.check import check
from minitransformer.grading.exercise import EXERCISES, find
from minitransformer.grading.grade import as_dict

SCHEMA = json.loads((ROOT / "docs" / "grading.schema.json").read_text(encoding="utf-8"))


@functools.cache
def validator(part):
    """What reads a value by the schema, or by a part of it."""
    jsonschema = pytest.importorskip("jsonschema")  # comes with jupytext
    schema = {"$ref": f"#/$defs/{part}", "$defs": SCHEMA["$defs"]} if part else SCHEMA
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def problems(value, part=""):
    """What is wrong with a value: {(place, rule)}."""
    found = validator(part).iter_errors(json.loads(json.dumps(value)))
    return {("/".join(map(str, one.absolute_path)), one.validator) for one in found}


ANSWERS = {
    "right": ANSWER, "not_finite": "def softmax(scores):\n    return scores * float('nan')",
    "shape": "def softmax(scores):\n    return scores[0]", "crash": "import os\nos.abort()",
    "cell": f"1 / 0\n{ANSWER}", "uses": f"import os\n{ANSWER}\n    os.getpid()",
    "stub": "def softmax(scores):\n    ...",
    "odd": "def softmax(scores):\n    return scores**2 + 3.1",
    "again": "def softmax(scores):\n    return scores**2 + 3.1",
    "raises": "def softmax(scores):\n    return nothing",
}  # fmt: skip


def test_what_grade_writes_is_as_the_schema_says(tmp_path, capsys):
    homework, file = tmp_path / "homework", tmp_path / "class.json"
    homework.mkdir()
    for name, text in ANSWERS.items():
        (homework / f"{name}.py").write_text(text)
    (homework / "data.csv").write_text("")
    assert run(f"grade '{homework}' --out '{file}'", capsys)[0] == 0
    found = json.loads(file.read_text(encoding="utf-8"))
    assert problems(found) == set()
    # and it has all that the schema tells of
    by_name = {one["file"].split("/")[-1]: one for one in found["submissions"]}
    assert by_name["crash.py"]["status"] == "crashed" and by_name["cell.py"]["errors"]
    assert by_name["data.csv"]["status"] == "refused" and len(found["clusters"]) == 1
    places = [
        finding["where"]
        for one in found["submissions"]
        for report in one["reports"].values()
        for finding in report["findings"]
    ]
    assert "nan" in [place["yours"] for place in places if place and "yours" in place]
    assert None in places and {"output", "situation"} in [set(place) for place in places if place]


def test_an_interrupted_class_is_as_the_schema_says_too():
    assert problems(as_dict(CLASS)) == set()
    assert None in as_dict(CLASS)["submissions"][-1]["points"].values()


@pytest.mark.parametrize("id", EXERCISES)
def test_a_report_is_as_the_schema_says(id):
    one = find(id)
    answers = [one.reference, lambda *inputs: None]
    answers += [one.wrong(version) for m in one.mistakes[:3] for version in m.versions[:1]]
    for answer in answers:
        assert problems(check(id, answer, quiet=True).to_dict(), "report") == set()


def test_a_file_of_another_form_is_not_as_the_schema_says():
    found = as_dict(CLASS)
    one = found["submissions"][0]
    for change, expected in (
        ({"status": "right"}, ("submissions/0/status", "enum")),
        ({"numbers": {}}, ("submissions/0", "additionalProperties")),
        ({"seconds": -1}, ("submissions/0/seconds", "minimum")),
        ({"points": {FORWARD: "1"}}, (f"submissions/0/points/{FORWARD}", "type")),
        ({"points": {"softmax": 1}}, ("submissions/0/points", "pattern")),
        ({"fingerprints": {FORWARD: "1 2"}}, (f"submissions/0/fingerprints/{FORWARD}", "pattern")),
    ):
        changed = {**found, "submissions": [{**one, **change}]}
        assert problems(changed) == {expected}
    place = {"output": "y", "situation": "random numbers", "index": [0], "yours": 1.0}
    assert problems(place, "place") == {("", "dependentRequired")}
    assert problems({**place, "expected": "much"}, "place") == {("expected", "anyOf")}
