"""Mistakes without a name that several files make: wrong answers whose numbers are equal. A teacher
can give one a name, and keep it."""

import dataclasses
import functools
import itertools
import json

import numpy as np

from ..errors import InputError, reading, shortened
from ..testing.difference import scale_of
from .apart import run_apart
from .attempt import Attempt, agree, attempt_own
from .diagnosis import draws
from .exercise import find
from .recheck import outcomes_of
from .result import Unreadable, plain, read_json

SEED = 0  # of the inputs that all files of a class meet
DIRECTIONS = 6  # numbers of a fingerprint
ALIKE = 2e-4  # by which two fingerprints of one mistake may differ: float32 is no more exact
LARGE = 1e6  # beyond which a wrong number is only large
TEACHER = "teacher"  # the id of a finding that a teacher's list has named
ENTRY = {"exercise": str, "fingerprint": str, "title": str, "question": str}


@dataclasses.dataclass
class Cluster:
    """Files whose wrong answers to one exercise are equal. `evidence` says what is wrong in the
    first."""

    exercise: str
    fingerprint: str
    files: list
    evidence: str


def unnamed(reports):
    """The exercises of {exercise: report as a dict} that are wrong by a mistake without a name."""
    return [
        id
        for id, report in reports.items()
        if report["status"] == "wrong"
        and not any(f["title"] and f["exact"] for f in report["findings"])
    ]


def record(exercises, file, folder, seconds, stop):
    """{exercise: what the answer in a file comes to, an `Attempt`}, where that is wrong numbers.

    The answers run without the rest of their file, in a process of its own, on the same inputs for
    every file. What cannot be read is left out.
    """
    result = folder / "numbers.json"
    arguments = [file, result, seconds, SEED, *exercises]
    run_apart("minitransformer.grading.alone", arguments, folder, seconds, stop)
    try:
        found = read_json(result)
    except Unreadable:
        found = {}
    made = {id: _attempt(find(id), found) for id in exercises}
    return {id: attempt for id, attempt in made.items() if attempt is not None}


def _attempt(exercise, found):
    """The first attempt that was recorded, if it has numbers, and these are wrong; else None."""
    if exercise.align:  # it draws its own numbers, so they are never equal
        return None
    expected = _expected(exercise)
    try:
        outcomes = outcomes_of(found[exercise.id]["attempts"][0])
        made = Attempt(exercise, expected.given, {name: outcomes[name] for name in expected})
        with np.errstate(all="ignore"):
            is_right = agree(made, expected)
        has_numbers = any(array.size for array, _ in _pairs(made))
    except Exception:  # a submission's code can write anything there
        return None
    return made if has_numbers and not is_right else None


@functools.cache
def _expected(exercise):
    """What is right, on the inputs that all files meet."""
    draw = draws(SEED)[0]
    given = exercise.draw(np.random.default_rng(draw.seed), draw.sizes)
    return attempt_own(exercise.reference, exercise, given)


def fingerprint(attempt):
    """A text of a few numbers by which a mistake is known again: sums over all that an answer came
    to, each with weights of its own."""
    numbers = np.concatenate([_scaled(*pair) for pair in _pairs(attempt)])
    places = np.arange(numbers.size)
    weights = [np.cos(np.sqrt(k + 2) * places) for k in range(DIRECTIONS)]
    return " ".join(f"{w @ numbers / np.sqrt(numbers.size):.5f}" for w in weights)


def _pairs(attempt):
    """(an array of the answer, the right one), of each output in each situation."""
    expected = _expected(attempt.exercise)
    for situation, name in itertools.product(expected, attempt.exercise.outputs):
        if name in attempt[situation].outputs and name in expected[situation].outputs:
            yield attempt[situation].outputs[name], expected[situation].outputs[name]


def _scaled(array, expected):
    """The entries relative to the largest that is right; those without a size get one."""
    with np.errstate(all="ignore"):
        scaled = np.clip(array.ravel() / scale_of(expected), -LARGE, LARGE)
    scaled[np.isinf(array.ravel())] *= 2
    return np.where(np.isnan(scaled), LARGE / 2, scaled)


def alike(one, other):
    """Whether two fingerprints are of the same mistake."""
    one, other = (np.array(text.split(), dtype=float) for text in (one, other))
    return bool(np.all(np.abs(one - other) <= ALIKE * np.maximum(1, np.abs(other))))


def clusters(submissions):
    """The `Cluster`s of all submissions, the largest first: at least two files whose wrong numbers
    are equal, and have no name."""
    groups = []  # (the first attempt, Cluster)
    for submission in submissions:
        for id in unnamed(submission.reports):
            made = submission.numbers.get(id)
            if made is None:
                continue
            for first, cluster in groups:
                if cluster.exercise == id and _equal(first, made):
                    cluster.files.append(submission.file)
                    break
            else:
                text = _evidence(submission.reports[id])
                new = Cluster(id, submission.fingerprints[id], [submission.file], text)
                groups.append((made, new))
    found = [cluster for _, cluster in groups if len(cluster.files) > 1]
    return sorted(found, key=lambda cluster: -len(cluster.files))


def _equal(one, other):
    with np.errstate(all="ignore"):
        return agree(one, other) or agree(other, one)


def _evidence(report):
    return next((text for f in report["findings"] for text in f["evidence"]), "")


# -- a teacher's own names -------------------------------------------------------------------------


def read_known(path):
    """The entries of a teacher's list: [{exercise, fingerprint, title, question}], a JSON file.

    Raises InputError for a file that cannot be read or is of another form.
    """
    with reading(path), open(path, "rb") as file:
        data = file.read()
    try:
        entries = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as problem:
        raise InputError(f"{path} is no JSON in UTF-8: {problem}.") from None
    if not isinstance(entries, list):
        raise InputError(f"{path} should be a list of mistakes, in [ ].")
    return [_entry(entry, f"{path}, mistake {n}") for n, entry in enumerate(entries, 1)]


def _entry(entry, where):
    entry = {"question": "", **entry} if isinstance(entry, dict) else entry
    if not (
        isinstance(entry, dict)
        and entry.keys() == ENTRY.keys()
        and all(isinstance(entry[name], kind) for name, kind in ENTRY.items())
        and entry["title"].strip()
    ):
        raise InputError(
            f"{where} should have exercise, fingerprint, title and, if you like, question, each a "
            f"text; got {shortened(entry)}."
        )
    try:
        numbers = np.array(entry["fingerprint"].split(), dtype=float)
    except ValueError:
        numbers = np.array([])
    if numbers.size != DIRECTIONS or not np.isfinite(numbers).all():
        raise InputError(
            f"{where}: a fingerprint is {DIRECTIONS} numbers, as `minitransformer grade` prints "
            f"them; got {shortened(entry['fingerprint'])}."
        )
    return {**entry, "exercise": find(entry["exercise"]).id}


def name_known(submissions, known):
    """Put the names of a teacher's list to the mistakes that have none, in the reports."""
    for submission in submissions:
        for id in unnamed(submission.reports):
            mine = submission.fingerprints.get(id)
            for entry in known:
                if mine and entry["exercise"] == id and alike(mine, entry["fingerprint"]):
                    finding = submission.reports[id]["findings"][0]
                    finding["id"], finding["question"] = f"{id}/{TEACHER}", plain(entry["question"])
                    finding["title"] = f"{plain(entry['title'])} (your teacher's list)"
                    break
