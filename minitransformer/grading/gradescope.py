"""The result of one student in the form that Gradescope asks of an autograder: results.json.

Source: gradescope-autograders.readthedocs.io, "Autograder specifications", "Output format".
"""

import json
import math

from .points import UNFINISHED, written
from .report import Report

ORDER = ("not started", "wrong", "right")  # the last of these counts, where files differ


def as_gradescope(submissions, points):
    """The text of results.json: a test for each exercise of the assignment. All submissions are
    files of one student; an exercise is right if it is right in any of them.

    None where one of them was interrupted: nobody knows its points.
    """
    if any(one.status in UNFINISHED for one in submissions):
        return None
    reports = best_of(submissions)
    tests = [_test(id, reports.get(id), worth) for id, worth in points.items()]
    besides = [text for one in submissions for text in (one.remark, *one.errors) if text]
    return _text(tests, "\n".join(besides), round(math.fsum(one.seconds for one in submissions), 2))


def without_a_file(problem, points):
    """The text of results.json where there is nothing to grade: no points, and the reason."""
    return _text([_test(id, None, worth) for id, worth in points.items()], str(problem), 0.0)


def best_of(submissions):
    """{exercise: report} of all files; where several answer an exercise, the best."""
    best = {}
    for one in submissions:
        for id, report in one.reports.items():
            if id not in best or _rank(report) > _rank(best[id]):
                best[id] = report
    return best


def _rank(report):
    return ORDER.index(report["status"])


def _test(id, report, worth):
    is_right = report is not None and report["status"] == "right"
    return {
        "name": id,
        "score": worth if is_right else 0.0,
        "max_score": worth,
        "status": "passed" if is_right else "failed",
        "output": f"{id}: not handed in" if report is None else str(Report.from_dict(report)),
        "output_format": "text",
        "visibility": "visible",
    }


def _text(tests, output, seconds):
    whole = {
        "score": float(written(math.fsum(test["score"] for test in tests))),
        "execution_time": seconds,
        "output": output,
        "output_format": "text",
        "tests": tests,
    }
    return json.dumps(whole, indent=1)
