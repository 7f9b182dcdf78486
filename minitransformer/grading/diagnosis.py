"""From a submission to a report: run it in every situation, and say what is right, what is wrong, and what that looks like."""

import re

import numpy as np

from .attempt import agree, attempt, differing
from .known import match, match_two, nearest
from .outcome import SINGLE, agreeing
from .report import Finding, Report
from .sizes import TWINS, sizes_for
from .structure import look, look_first


def diagnose(exercise, submission, seed=0):
    """The `Report` on a submission to an exercise, with inputs and sizes drawn by the seed."""
    sizes = sizes_for(seed)
    yours, expected = _run(exercise, submission, seed, sizes)
    first = next(iter(yours.outcomes.values()))
    if first.stopped() and first.trouble.kind == "stub":
        return Report(exercise.id, False, "not started", findings=[Finding("stub", "", [f"There is nothing to check yet: {first.trouble.message}."])])
    wrong = [name for name in exercise.outputs if not agree(yours, expected, name)]
    right = [name for name in exercise.outputs if name not in wrong]
    if not wrong:
        findings = _hygiene(exercise, submission, yours, expected)
    else:
        findings = _wrong(exercise, submission, seed, sizes, yours, expected, wrong)
    passed = all(finding.id.split(":")[0] in ("convention", "precision") for finding in findings)
    report = Report(exercise.id, passed, "right" if passed else "wrong", list(exercise.outputs) if passed else right, findings, len(yours.given))
    report.arrays = _arrays(yours, expected, wrong)
    return report


def _run(exercise, submission, seed, sizes):
    given = exercise.draw(np.random.default_rng(seed), sizes)
    yours = attempt(submission, exercise, given)
    return yours, attempt(exercise.reference, exercise, yours.aligned())


def _wrong(exercise, submission, seed, sizes, yours, expected, wrong):
    """The findings on numbers that are wrong, or not there."""
    known = match(yours, expected, yours.aligned())
    if known and known.mistake.convention and not known.remains:
        return [_convention(known)]
    if known is None:
        slight = _precision(yours, expected, wrong)
        if slight:
            return [slight]
    missing = [name for outcome in yours.outcomes.values() for name in outcome.missing]
    if missing and set(wrong) == set(missing):
        return [Finding("missing", "", [f"{', '.join(dict.fromkeys(missing))}: not started yet."])]
    situation, name = _worst(yours, expected, wrong)
    finding = _first_number(yours, expected, situation, name)
    outcome = yours[situation]
    if known is None and (outcome.stopped() or _misshapen(yours, expected, situation, name)):
        known = _in_a_twin(exercise, submission, seed)
    if known is None and not outcome.stopped():
        known, structure = _by_structure(exercise, yours, expected, situation, name, sizes)
        if structure:
            finding.id = structure[0]
            finding.evidence.append(structure[1])
    findings = [finding]
    if not outcome.stopped():
        finding.evidence += _broken(exercise, yours, expected, situation, name)
    if known:
        finding.id, finding.title, finding.question = known.mistake.id, known.mistake.title, known.mistake.question
        finding.also, finding.exact = [other.title for other in known.also], known.exact
        finding.evidence += [known.mistake.evidence] if known.mistake.evidence else []
    left = [other for other in wrong if other != name and not (known and other in known.outputs)]
    remains = (known and known.remains) or (f"{', '.join(left)} {'is' if len(left) == 1 else 'are'} not right either" if left else "")
    if remains:
        findings.append(Finding("remains", "", [remains[0].upper() + remains[1:] + "."]))
    return findings


def _worst(yours, expected, wrong):
    """(situation, output) to speak of: of the first situation in which something is wrong, the worst output."""
    for situation in yours:
        here = [name for name in wrong if situation in differing(yours, expected, name)]
        if here:
            return situation, max(here, key=lambda name: _size(yours, expected, situation, name))
    raise AssertionError("nothing is wrong")


def _size(yours, expected, situation, name):
    a, b = yours[situation].outputs.get(name), expected[situation].outputs.get(name)
    if a is None or b is None or a.shape != b.shape or not np.isfinite(a).all():
        return np.inf
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-12))


def _misshapen(yours, expected, situation, name):
    a, b = yours[situation].outputs.get(name), expected[situation].outputs.get(name)
    return a is not None and b is not None and a.shape != b.shape


def _first_number(yours, expected, situation, name):
    """The finding that names the first wrong number, or what stopped the submission."""
    ours, right = yours[situation], expected[situation]
    note = "" if situation == "random numbers" else f" ({situation})"
    if ours.stopped():
        return Finding(ours.trouble.kind, "", [ours.trouble.message + (f" This was with {situation}." if note else "")])
    if right.stopped():
        return Finding("accepted", "", [f"With {situation} an error should be raised, and something was returned."])
    if name in ours.missing:
        return Finding("missing", "", [f"{name}: not started yet."])
    a, b = ours.outputs[name], right.outputs[name]
    if a.shape != b.shape:
        return Finding("shape", "", [], {"output": name, "situation": situation})
    bad = ~agreeing(a, b, ours.tolerance * yours.exercise.tolerance)
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    with np.errstate(invalid="ignore"):
        gaps = np.where(bad, np.abs(a - b), 0)
    largest = f"the largest difference is {gaps.max():.3g}" if np.isfinite(gaps).all() else "others are not finite"
    label = f"{name}[{', '.join(map(str, first))}]" if first else name
    text = f"{label} is {_number(a[first])}, expected {_number(b[first])}{note}"
    text += f": {int(bad.sum())} of {bad.size} numbers differ, {largest}." if bad.size > 1 else "."
    where = {"output": name, "index": list(first), "yours": float(a[first]), "expected": float(b[first]), "situation": situation}
    return Finding("unknown", "", [text], where)


def _number(x, digits=6):
    return "NaN" if np.isnan(x) else f"{x:.{digits}g}".replace("inf", "∞")


def _by_structure(exercise, yours, expected, situation, name, sizes):
    """(Match or None, (rule, sentence) or None), of which one at most is there.

    In the order of how much each proves: a factor or a transposition, two mistakes at once, what the difference looks
    like, the mistake that comes nearest.
    """
    ours, right, given = yours[situation], expected[situation], yours.aligned()[situation]
    if name not in ours.outputs or right.stopped():
        return None, None
    a, b, tolerance = ours.outputs[name], right.outputs[name], ours.tolerance * exercise.tolerance
    letters = {key: size for key, size in sizes.named().items() if key in _letters(exercise)}
    letters.update({key: value for key, value in given.items() if isinstance(value, (int, float)) and not isinstance(value, bool)})
    structure = look_first(a, b, letters, tolerance)
    known = None if structure else match_two(yours, expected, yours.aligned())
    if not (known or structure):
        structure = _at_places(exercise, given, a, b, tolerance) or look(a, b, _named(exercise, given, right, name), tolerance)
        known = None if structure else nearest(yours, expected, yours.aligned())
    return known, structure and (structure[0], f"{name}: {structure[1]}")


def _named(exercise, given, right, name):
    """{name: array} of all that a wrong answer may have been taken for, or may lack."""
    everything = exercise.everything(given)
    named = {key: np.asarray(value, float) for key, value in everything.items() if isinstance(value, np.ndarray) and value.dtype.kind in "fiub"}
    return {**named, **{key: value for key, value in right.outputs.items() if key != name}}


def _letters(exercise):
    text = " ".join((*exercise.inputs.values(), *exercise.returns.values()))
    return set(text.replace("(", " ").replace(")", " ").replace(",", " ").split())


def _at_places(exercise, given, a, b, tolerance):
    if a.shape != b.shape:
        return None
    wrong = ~agreeing(a, b, tolerance)
    for name, places in exercise.places.items():
        mask = np.broadcast_to(places(**given), wrong.shape) if np.ndim(places(**given)) <= wrong.ndim else None
        if mask is not None and mask.any() and not mask.all() and not (wrong & ~mask).any():
            return "place", f"it is wrong only at {name}; everywhere else it is right."
    return None


def _broken(exercise, yours, expected, situation, name):
    """A sentence for each invariant of this output that the answer breaks."""
    ours = yours[situation]
    sentences = []
    for invariant in exercise.invariants:
        if name not in re.findall(r"\w+", invariant.name):
            continue
        try:
            with np.errstate(all="ignore"):
                mine = np.abs(invariant.excess(ours.outputs, yours.aligned()[situation]))
                right = np.abs(invariant.excess(expected[situation].outputs, yours.aligned()[situation]))
        except (ValueError, IndexError, KeyError):  # other shapes than asked for
            continue
        if mine.size and np.max(right) < 1e-7 and not np.max(mine) < max(1e-7, 10 * ours.tolerance):
            sentences.append(f"{invariant.name} should be 0, because {invariant.reason}; it is up to {_number(np.max(mine), 3)}.")
    return sentences


def _precision(yours, expected, wrong):
    """A note for numbers that agree as float32 would, though float64 came back."""
    worst = 0.0
    for situation in yours:
        ours, right = yours[situation], expected[situation]
        if ours.stopped() != right.stopped():
            return None
        for name in () if ours.stopped() else wrong:
            a, b = ours.outputs.get(name), right.outputs.get(name)
            if a is None or a.shape != b.shape or not agreeing(a, b, SINGLE).all():
                return None
            with np.errstate(invalid="ignore"):
                worst = max(worst, float(np.nanmax(np.abs(a - b), initial=0)))
    text = f"The numbers agree to {worst:.1g}, as float32 does; float64 was given, and would agree to about 1e-15."
    return Finding("precision", "", [text], question="Is something converted to float32 on the way, or is a small number added somewhere?")


def _convention(known):
    return Finding(f"convention:{known.mistake.id}", "", [f"Right, by another convention: {known.mistake.title}. {known.mistake.evidence}".strip()])


def _in_a_twin(exercise, submission, seed):
    """A known mistake that shows where sizes are equal, so that nothing stops it."""
    for sizes in TWINS.values():
        yours, expected = _run(exercise, submission, seed, sizes)
        if any(outcome.stopped() for outcome in yours.outcomes.values()) or agree(yours, expected):
            continue
        known = match(yours, expected, yours.aligned())
        if known:
            return known
    return None


def _hygiene(exercise, submission, yours, expected):
    """Findings on an answer whose numbers are right: what it changed, and whether it would say the same again."""
    changed = list(dict.fromkeys(name for outcome in yours.outcomes.values() for name in outcome.changed))
    if changed:
        known = match(yours, expected, yours.aligned())
        found = Finding("changed", "", [f"The numbers are right, but {' and '.join(changed)} {'was' if len(changed) == 1 else 'were'} changed in place: whoever still needs it meets other numbers."])
        if known and not known.remains:
            found.id, found.title, found.question = known.mistake.id, known.mistake.title, known.mistake.question
        return [found]
    again = attempt(submission, exercise, yours.given)
    if exercise.align is None and not agree(again, expected):
        known = [m for m in exercise.mistakes if m.rule and m.rule(again, expected)]
        found = Finding("not-repeatable", "", ["Called again with the same inputs, it answers differently: something is kept from the call before."])
        if known:
            found.id, found.title, found.question = known[0].id, known[0].title, known[0].question
        return [found]
    return []


def _arrays(yours, expected, wrong):
    """{output: (yours, expected)} of the first situation in which each wrong output differs."""
    arrays = {}
    for name in wrong:
        situation = differing(yours, expected, name)[0]
        a, b = yours[situation].outputs.get(name), expected[situation].outputs.get(name)
        if a is not None and b is not None:
            arrays[name] = (a, b)
    return arrays
