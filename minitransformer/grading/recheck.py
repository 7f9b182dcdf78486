"""Hold against what is right what an answer came to when it ran without the rest of its file."""

import base64
import binascii
import hashlib
import math

import numpy as np

from .apart import run_apart
from .attempt import Recorded
from .borrowed import sentence
from .diagnosis import diagnose
from .exercise import find
from .outcome import LARGEST, WIDEST, Outcome, Trouble
from .result import Unreadable, plain, read_json, take

LOOK = "look at it: "
FORM = {"attempts": list, "unusual": [str], "own": [str], "problem": str}
OUTCOME = {"outputs": dict, "changed": [str], "tolerance": float, "missing": [str]}


class Interrupted(Exception):
    """Ctrl-C came before the second run was at its end."""


def recheck(reports, file, data, folder, seconds, stop):
    """{exercise: a remark} on the exercises that a file is said to have right: those whose answer
    is not right alone.

    They run in a process of their own, which is told the inputs and never what is right; what it
    answers is judged here. Raises Interrupted. The seed comes from the file's bytes `data`: the
    same at each grading, and none that the file's writer has seen.
    """
    claimed = [id for id, report in reports.items() if report["status"] == "right"]
    if not claimed:
        return {}
    seed = int.from_bytes(hashlib.sha256(data).digest()[:4], "big")
    result = folder / "alone.json"
    ended = run_apart(
        "minitransformer.grading.alone", [file, result, seconds, seed, *claimed], folder, seconds,
        stop,
    )
    if ended.why == "interrupted":
        raise Interrupted
    try:
        found, problem = read_json(result), f"its process ended (exit status {ended.status})"
    except Unreadable as unreadable:
        found, problem = {}, f"its process left no numbers: {unreadable}"
    if ended.why == "endless":
        problem = f"it did not come to an end within {seconds:g} s"
    found = found if isinstance(found, dict) else {}
    remarks = {id: remark(find(id), seed, found.get(id, {"problem": problem})) for id in claimed}
    return {id: text for id, text in remarks.items() if text}


def remark(exercise, seed, found):
    """What is to be said of a right answer after its second run: nothing, if it is right there
    too."""
    try:
        nothing = {"attempts": [], "unusual": [], "own": []}
        kept = take(
            {**nothing, **found} if isinstance(found, dict) else found, FORM, "second run"
        )
        if kept["problem"]:
            return (
                f"{LOOK}it was right in its file, and does not run without the rest of it: "
                f"{kept['problem']}"
            )
        with np.errstate(all="ignore"):
            report = diagnose(
                exercise, Recorded([outcomes_of(one) for one in kept["attempts"]]), seed
            )
    except Unreadable as problem:
        return (
            f"{LOOK}it was right in its file, and what it answers without the rest of it cannot be "
            f"read: {problem}"
        )
    except Exception:  # numbers of shapes that nothing fits; fewer attempts than were asked for
        return f"{LOOK}it was right in its file, and is not right without the rest of it."
    if not report.passed:
        evidence = plain(" ".join(report.findings[0].evidence[:1]))
        return (
            f"{LOOK}it was right in its file, and is not right without the rest of it: {evidence}"
        )
    said = [f"uses {', '.join(kept['unusual'][:5])}"] if kept["unusual"] else []
    said += [sentence(kept["own"][:5])] if kept["own"] else []
    return f"{LOOK}it is right, and {'; it '.join(said)}." if said else ""


def outcomes_of(attempt):
    """{situation: Outcome} of what `alone.as_plain` wrote. Raises Unreadable."""
    if not isinstance(attempt, dict):
        raise Unreadable("an attempt should be a dict")
    return {situation: _outcome(outcome) for situation, outcome in attempt.items()}


def _outcome(found):
    kept = take(found, OUTCOME, "outcome")
    trouble = found.get("trouble")
    if trouble is not None:
        trouble = Trouble(
            *take(
                {"kind": trouble[0], "message": trouble[1]}, {"kind": str, "message": str},
                "trouble",
            ).values()
        )
    outputs = {name: _array(*array) for name, array in kept["outputs"].items()}
    # no wider than for any honest answer
    tolerance = min(kept["tolerance"], WIDEST)
    return Outcome(outputs, trouble, tuple(kept["changed"]), tolerance, tuple(kept["missing"]))


def _array(shape, data):
    if not all(type(n) is int and 0 <= n <= LARGEST for n in shape) or math.prod(shape) > LARGEST:
        raise Unreadable("an array has an impossible shape")
    try:
        return np.frombuffer(base64.b64decode(data, validate=True), dtype=np.float64).reshape(shape)
    except (binascii.Error, ValueError, TypeError):
        raise Unreadable("an array's bytes do not fit its shape") from None
