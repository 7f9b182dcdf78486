"""Points: what each exercise counts, what a submission has of them, and the class as a table for a
gradebook."""

import csv
import io
import math

from ..errors import InputError, reading, shortened
from .exercise import EXERCISES, find
from .result import escaped

FORM = "Each line is an exercise and its points: softmax.backward,2"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet lets a formula begin
UNFINISHED = ("interrupted", "not graded")  # whose points nobody knows


def read_points(path):
    """{exercise: points} of a CSV file that a teacher wrote: an exercise and its points in each
    line.

    A first line `exercise,points` and empty lines are passed over; semicolons are taken as commas.
    Raises InputError for a file that cannot be read, an exercise that does not exist or is named
    twice, and points that are no number from 0 on.
    """
    with reading(path), open(path, "rb") as file:
        data = file.read()
    try:
        text = data.decode("utf-8-sig")  # some spreadsheets write a mark before the text
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8. Save it as CSV in UTF-8.") from None
    points = {}
    for n, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip().strip('"') for cell in line.replace(";", ",").split(",")]
        if not any(cells) or n == 1 and cells == ["exercise", "points"]:
            continue
        if len(cells) != 2:
            raise InputError(f"{path}, line {n}: {shortened(line)}. {FORM}")
        id = find(cells[0]).id
        if id in points:
            raise InputError(f"{path}, line {n}: {id} stands there twice.")
        points[id] = _number(cells[1], f"{path}, line {n}")
    if not points:
        raise InputError(f"{path} names no exercise. {FORM}")
    return points


def _number(text, where):
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise InputError(f"{where}: {shortened(text)} is no number of points, from 0 on. {FORM}")
    return number


def points_of(submissions):
    """{exercise: 1.0} of all exercises that any submission answers, in the order of the course."""
    answered = {id for submission in submissions for id in submission.reports}
    return {id: 1.0 for id in EXERCISES if id in answered}


def score(submission, points):
    """{exercise: the points that the submission has}: all of them for a right answer, none for any
    other. None in place of each where it was not graded to its end."""
    if submission.status in UNFINISHED:
        return dict.fromkeys(points)
    right = {id for id, report in submission.reports.items() if report["status"] == "right"}
    return {id: worth if id in right else 0.0 for id, worth in points.items()}


def total(scores):
    """The sum of a `score`; None where there is none."""
    return None if None in scores.values() else math.fsum(scores.values())


def as_csv(submissions, points):
    """A text of a line for each file: its points for each exercise, their sum, how many there are
    in all, its status, and the exercises that are to be looked at."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", *points, "total", "possible", "status", "look at"])
    possible = math.fsum(points.values())
    for one in submissions:
        scores = score(one, points)
        numbers = [written(number) for number in (*scores.values(), total(scores), possible)]
        looked = " ".join(id for id in one.remarks)
        writer.writerow([harmless(escaped(one.file)), *numbers, one.status, looked])
    return text.getvalue()


def written(number):
    """Points as a text without digits that say nothing; "" for those that nobody knows."""
    return "" if number is None else f"{round(number, 6):.10g}"


def harmless(text):
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
