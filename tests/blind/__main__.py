"""Count the answers, and compare each with a right version: `python -m tests.blind`."""

import copy
import inspect
import sys
from collections import Counter

import numpy as np

from . import answers
from ._right import EXERCISES

DRAWS = 4


def call(function, inputs):
    """Return the function's result; it gets those inputs that it has parameters for."""
    names = [
        n for n, p in inspect.signature(function).parameters.items()
        if n in inputs or p.default is p.empty
    ]
    return function(*[inputs[n] for n in names])


def submit(submission, outputs, inputs):
    """Return what the submission says: of a function, a pair or a class."""
    back = outputs[0].startswith("d_")
    upstream = next((n for n in inputs if n.startswith("d_")), None)
    if isinstance(submission, tuple):
        y, cache = call(submission[0], inputs)
        return submission[1](inputs[upstream], cache) if back else y
    if inspect.isclass(submission):
        one = call(submission, inputs)
        y = call(one.forward, inputs)
        return call(one.backward, {**inputs, **{
            n: inputs[upstream] for n in inspect.signature(one.backward).parameters
        }}) if back else y
    return call(submission, inputs)


def outcome(submission, exercise, outputs, make, draw):
    """Return a list of arrays: the results, and the inputs after the call; or ["raises"]."""
    inputs = make(np.random.default_rng(draw), draw)
    inputs = copy.deepcopy(inputs)
    with np.errstate(all="ignore"):
        try:
            result = submit(submission, outputs, inputs)
        except Exception as error:
            return [f"raises {type(error).__name__}"], None
    if isinstance(result, dict):
        result = [result[n] for n in outputs]
    elif not isinstance(result, (tuple, list)) or len(outputs) == 1:
        result = [result]
    result = result[: len(outputs)] if exercise == "attention.forward" else result
    after = []
    for value in inputs.values():
        after += value.values() if isinstance(value, dict) else [value]
    after = [np.asarray(a, float) for a in after if isinstance(a, (np.ndarray, int, float))]
    try:
        result = [np.asarray(a, float) for a in result if a is not None]
    except (TypeError, ValueError):
        return ["no number"], None
    if exercise.startswith("mask."):
        heads = {"mask.causal": (3, 2, 5, 5), "mask.cross": (3, 2, 5, 7)}
        try:
            result = [np.broadcast_to(result[0], heads.get(exercise, (3, 2, 5, 5)))]
        except ValueError:
            return ["no mask"], None
    return result, after


def equal(one, other, tolerance):
    """Return whether two outcomes agree, in every number."""
    if one[0][:1] and isinstance(one[0][0], str):
        return isinstance(other[0][0], str)
    if other[0][:1] and isinstance(other[0][0], str):
        return False
    a, b = one[0] + one[1], other[0] + other[1]
    return len(a) == len(b) and all(
        x.shape == y.shape and np.allclose(x, y, rtol=tolerance, atol=tolerance)
        for x, y in zip(a, b)
    )


def right_dropout(submission):
    """Return whether the submission drops with p, enlarges the rest, and leaves x as it is."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(20, 50, 40)) + 3
    before = x.copy()
    run = submission
    if not np.allclose(call(run, {"x": x, "p": 0.3, "training": False, "rng": rng}), before):
        return False
    y = call(run, {"x": x, "p": 0.3, "training": True, "rng": rng})
    if not np.array_equal(x, before) or y.shape != x.shape:
        return False
    kept = y != 0
    alone = all(np.ptp(kept.astype(int), axis=axis).mean() > 0.9 for axis in range(3))
    return np.allclose(y[kept], x[kept] / 0.7) and abs(kept.mean() - 0.7) < 0.02 and alone


def right_twice(submission):
    """Return whether each backward uses the mask of its own forward."""
    rng = np.random.default_rng(6)
    one = submission(0.3, rng)
    x = rng.normal(size=(4, 20, 40, 50)) + 3
    y_1, y_2 = one.forward(x[0]), one.forward(x[1])
    d_2, d_1 = one.backward(x[2]), one.backward(x[3])
    return all(
        abs((y != 0).mean() - 0.7) < 0.02 and np.allclose(y, a * (y != 0) / 0.7)
        and np.allclose(d, g * (y != 0) / 0.7)
        for a, y, g, d in zip(x, (y_1, y_2), (x[3], x[2]), (d_1, d_2))
    )


def is_right(answer):
    """Return whether the answer agrees with the right version, and how often it raises."""
    custom = {"dropout.forward": right_dropout, "dropout.twice": right_twice}
    if answer.exercise in custom:
        try:
            return custom[answer.exercise](answer.submission), False
        except Exception:
            return False, True
    function, outputs, make = EXERCISES[answer.exercise]
    tolerance = 1e-4 if "float32" in answer.words else 1e-9
    good, raises = True, False
    for draw in range(DRAWS):
        theirs = outcome(answer.submission, answer.exercise, outputs, make, draw)
        ours = outcome(function, answer.exercise, outputs, make, draw)
        good &= equal(ours, theirs, tolerance)
        raises |= isinstance(theirs[0][:1] and theirs[0][0], str) and not equal(ours, theirs, 1)
    return good, raises


def main():
    """Print the counts; return how many answers are not what they say."""
    bad, raising, long, two = 0, 0, 0, 0
    counts = Counter()
    per = {"wrong": Counter(), "right": Counter()}
    names = Counter()
    for answer in answers():
        names[answer.name] += 1
        counts[answer.kind] += 1
        per[answer.kind][answer.exercise] += 1
        good, raises = is_right(answer)
        raising += raises
        if good != (answer.kind == "right"):
            bad += 1
            print(f"{answer.name} is not {answer.kind}: {answer.words}")
        marks = {"wrong": 2 if answer.second else 1, "right": 0}[answer.kind]
        if len(answer.lines) != marks:
            bad += 1
            print(f"{answer.name}: {len(answer.lines)} marks, not {marks}")
        two += answer.second is not None
        text = answer.file.read_text(encoding="utf-8").splitlines()[answer.first : answer.last]
        size = sum(bool(line.strip()) for line in text)
        long += answer.kind == "wrong" and size >= 6 and len(answer.lines) == 1
    bad += sum(n - 1 for n in names.values())
    for name in sorted({*per["wrong"], *per["right"]}):
        print(f"{name:32} {per['wrong'][name]:3} wrong {per['right'][name]:3} right")
    print(f"{counts['wrong']} wrong over {len(per['wrong'])} exercises, {counts['right']} right")
    print(f"{long} wrong ones with six lines or more and one fault, {two} with two faults")
    print(f"{raising} wrong ones stop with an exception; {bad} are not what they say")
    return bad


if __name__ == "__main__":
    sys.exit(bool(main()))
