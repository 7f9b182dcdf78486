"""From a submission to a report: run it in every situation, and say what is right, what is not, and
what that looks like."""

import dataclasses
import functools
import itertools
import re

import numpy as np

from ..testing.difference import look, look_first
from .attempt import agree, attempt, attempt_own, pair, right_beside, wrong_outputs
from .evidence import (
    arrays,
    at_places,
    broken,
    first_number,
    has_numbers,
    misshapen,
    precision,
    worst,
)
from .guesses import guess
from .known import match, match_two, nearest, wrong_versions
from .lines import capital, lines_at_fault
from .report import Finding, Report
from .sizes import SMALL, TWINS, Sizes, sizes_for
from .smallest import smallest_case

KEPT = 64  # what was drawn for an exercise and a seed: whoever mends an answer asks again and again
ANOTHER = 1 << 20  # what the seed of the second run is larger by
SMALLER = 0.7  # by which constants (ε, a rate) differ in it
ONLY_NAN = "All wrong numbers are NaN or infinite: another mistake may make the same."
ELSEWHERE = (
    "With the first numbers it was right; with other sizes, numbers or constants (ε, a rate) it is "
    "not."
)


@dataclasses.dataclass(frozen=True)
class Draw:
    """Which inputs a submission meets: the seed of their numbers, their sizes, and what constants
    are multiplied by."""

    seed: int
    sizes: Sizes
    constants: float = 1.0


def diagnose(exercise, submission, seed=0, show=None):
    """The `Report` on a submission to an exercise, with inputs and sizes drawn by the seed. What is
    wrong is known long before it is known why: `show` is called with the report so far.

    What is right is run once more with other sizes, numbers and constants: something may have been
    written down that should have been read, or kept from the first call.
    """
    first, another = draws(seed)
    report = _diagnose(exercise, submission, first, aloud=True, show=show)
    if report.passed:
        again = _diagnose(exercise, submission, another)
        if not again.passed:
            again.findings[0].evidence.append(ELSEWHERE)
            return again
    return report


@functools.lru_cache(KEPT)
def draws(seed):
    """Two `Draw`s: that of the seed, and one in which no size, and no constant, is as it is
    there."""
    sizes = sizes_for(seed)
    other = next(n for n in itertools.count(seed + ANOTHER) if sizes_for(n).differ(sizes))
    return Draw(seed, sizes), Draw(other, sizes_for(other), SMALLER)


def attempts(exercise, submission, seed):
    """The attempts that `diagnose` asks of a right answer, in its order."""
    # called again, it should answer the same, unless it draws its own numbers
    times = 1 if exercise.align else 2
    return [
        attempt(submission, exercise, _situations(exercise, draw))
        for draw in draws(seed)
        for _ in range(times)
    ]


def _diagnose(exercise, submission, draw, aloud=False, show=None):
    yours, expected = _run(exercise, submission, draw, aloud)
    first = next(iter(yours.outcomes.values()))
    if first.stopped() and first.trouble.kind == "stub":
        finding = Finding("stub", "", [f"There is nothing to check yet: {first.trouble.message}."])
        return Report(exercise.id, False, "not started", findings=[finding])
    wrong = wrong_outputs(yours, expected)
    findings = _wrong(exercise, submission, draw, yours, expected, wrong, show) if wrong else []
    if _passes(findings):
        findings += _changed(yours, expected) or _not_repeatable(
            exercise, submission, yours, expected
        )
    passed = _passes(findings)
    right = [name for name in exercise.outputs if passed or name not in wrong]
    status = "right" if passed else "wrong"
    return Report(
        exercise.id, passed, status, right, findings, len(yours.given),
        arrays(yours, expected, wrong),
    )


def _passes(findings):
    return all(finding.label == "note" for finding in findings)


def _run(exercise, submission, draw, aloud=False):
    """The attempt of the submission, and that of the reference."""
    yours = attempt(submission, exercise, _situations(exercise, draw), aloud)
    if exercise.align is None:
        return yours, _reference(exercise, draw)
    return yours, right_beside(yours)


@functools.lru_cache(KEPT)
def _situations(exercise, draw):
    situations = exercise.draw(np.random.default_rng(draw.seed), draw.sizes)
    if exercise.align:  # whoever draws at random is judged by the shares that the constants say
        return situations
    for given in situations.values():
        given.update({name: draw.constants * x for name, x in given.items() if type(x) is float})
    return situations


@functools.lru_cache(KEPT)
def _reference(exercise, draw):
    return attempt_own(exercise.reference, exercise, _situations(exercise, draw))


def _wrong(exercise, submission, draw, yours, expected, wrong, show=None):
    """The findings on numbers that are wrong, or not there."""
    versions = wrong_versions(expected)
    known = match(yours, expected, versions)
    if known and known.mistake.convention and not known.remains:
        return [_convention(known.mistake)]
    slight = None if known else precision(yours, expected, wrong)
    if slight:
        return [slight]
    missing = dict.fromkeys(name for outcome in yours.outcomes.values() for name in outcome.missing)
    if missing and set(wrong) == set(missing):
        return [Finding("missing", "", [f"{', '.join(missing)}: not started yet."])]
    situation, name = worst(
        yours, expected, [name for name in wrong if known and name in known.outputs] or wrong
    )
    finding = first_number(yours, expected, situation, name)
    if show and known is None:
        right = [name for name in exercise.outputs if name not in wrong]
        show(Report(exercise.id, False, "wrong", right, [finding], len(yours.given)))
    kept = [] if known else _not_repeatable(exercise, submission, yours, expected)
    if kept:  # numbers of which nothing else can be said
        evidence = finding.evidence + kept[0].evidence
        return [dataclasses.replace(kept[0], evidence=evidence, where=finding.where)]
    stopped = yours[situation].stopped()
    if known is None and (stopped or misshapen(yours, expected, situation, name)):
        known = _in_a_twin(exercise, submission, draw)
    if known is None and not stopped:
        known, structure = _by_structure(
            exercise, submission, draw, yours, expected, versions, situation, name
        )
        if structure:
            finding.id = structure[0]
            finding.evidence.append(structure[1])
    if not stopped:
        finding.evidence += broken(yours, expected, situation, name)
    if known and known.ruled:
        finding = Finding("unknown", "")
    # where a rule names the mistake, it is of the order of calls, and more of them tell nothing
    is_of_order = known is not None and known.ruled and not exercise.align
    if not (stopped or is_of_order):
        case = smallest_case(exercise, submission, name, draw.seed)
        finding.evidence += [case] if case else []
    has_run = not stopped or yours[situation].trouble.kind == "raised"
    if has_run and not is_of_order:
        finding.lines = lines_at_fault(submission, _small(exercise, submission, draw))
    if known and (not known.exact or known.remains) and any(line.is_sure for line in finding.lines):
        known = None  # what comes near, or makes a part of it, is not what it is
    if known:
        _name(finding, known)
        if not (known.ruled or stopped) and not has_numbers(yours, expected, wrong):
            finding.evidence.append(ONLY_NAN)
    left = (
        []
        if stopped
        else [other for other in wrong if other != name and not (known and other in known.outputs)]
    )
    return [finding, *_remains(known, left)]


def _name(finding, known):
    """Put the name of a known mistake, and what is known of it, to a finding."""
    mistake = known.mistake
    _tell(finding, mistake)
    finding.also, finding.exact = [other.title for other in known.also], known.exact
    is_all = known.exact and not known.remains  # else it may not be true of these numbers
    finding.evidence += [mistake.evidence] if mistake.evidence and is_all else []


def _tell(finding, mistake):
    """Let a finding be that mistake: its name, its question, and where people met it."""
    finding.id, finding.title = mistake.id, mistake.title
    finding.question, finding.met = mistake.question, mistake.met


def _remains(known, left):
    """What is wrong besides."""
    text = known.remains if known else ""
    if not text and left:
        return [
            Finding(
                "remains", "",
                [f"{', '.join(left)} {'is' if len(left) == 1 else 'are'} not right either."],
            )
        ]
    return [Finding("remains", "", [f"{capital(text)}."])] if text else []


def _convention(mistake):
    text = f"Right, by another convention: {mistake.title}. {mistake.evidence}".strip()
    return Finding(f"convention:{mistake.id}", "", [text], met=mistake.met)


def _by_structure(exercise, submission, draw, yours, expected, versions, situation, name):
    """(Match or None, (rule, sentence) or None), of which one at most is there.

    In the order of how much each proves: a factor or a transposition, one change of the right
    answer, two mistakes at once, a change that makes some of the outputs, what the difference looks
    like, the mistake that comes nearest.
    """
    a, b = pair(yours, expected, situation, name)
    if a is None or b is None:
        return None, None
    given, tolerance = expected.given[situation], yours[situation].tolerance
    structure = look_first(a, b, _letters(exercise, given, draw.sizes), tolerance)
    known = None
    if not structure:
        guessed = guess(_twice(exercise, submission, draw, yours, expected))
        is_whole = guessed and not guessed.remains
        known = guessed if is_whole else match_two(yours, expected, versions) or guessed
    if not (known or structure):
        others = {k: v for k, v in expected[situation].outputs.items() if k != name}
        named = {**_arrays_at_hand(exercise, given), **others}
        structure = at_places(exercise, given, a, b, tolerance) or look(a, b, named, tolerance)
        known = None if structure else nearest(yours, expected, versions)
    return known, structure and (structure[0], f"{name}: {structure[1]}")


def _twice(exercise, submission, draw, yours, expected):
    """(yours, expected) as they are, and with other numbers, sizes and constants."""
    yield yours, expected
    yield _run(exercise, submission, next(d for d in draws(draw.seed) if d != draw))


def _small(exercise, submission, draw):
    """(yours, expected) with small sizes, twice, with other numbers and constants; where answers
    draw at random, with sizes that show with which share."""
    both = zip(SMALL, (1.0, SMALLER))
    chosen = [Draw(draw.seed + n, sizes, constants) for n, (sizes, constants) in enumerate(both)]
    for one in draws(draw.seed) if exercise.align else chosen:
        yield _run(exercise, submission, one)


def _letters(exercise, given, sizes):
    """{letter: number} of what a factor may be made of: the sizes of this exercise's arrays, and
    its numbers."""
    used = re.findall(r"\w+", " ".join((*exercise.inputs.values(), *exercise.returns.values())))
    letters = {letter: size for letter, size in sizes.named().items() if letter in used}
    numbers = {
        name: x
        for name, x in given.items()
        if isinstance(x, (int, float)) and not isinstance(x, bool)
    }
    return {**letters, **numbers}


def _arrays_at_hand(exercise, given):
    """{name: array} of all that an output may have been taken for, or may lack."""
    everything = exercise.everything(given)
    return {
        k: v.astype(float)
        for k, v in everything.items()
        if isinstance(v, np.ndarray) and v.dtype.kind in "fiub"
    }


def _in_a_twin(exercise, submission, draw):
    """The `Match` of one known mistake, or of two, where sizes are equal and nothing stops them."""
    for sizes in TWINS.values():
        yours, expected = _run(exercise, submission, dataclasses.replace(draw, sizes=sizes))
        if any(outcome.stopped() for outcome in yours.outcomes.values()) or agree(yours, expected):
            continue
        versions = wrong_versions(expected)
        known = match(yours, expected, versions) or match_two(yours, expected, versions)
        if known:
            return known
    return None


def _changed(yours, expected):
    """The finding on inputs that were changed by an answer whose numbers are right."""
    changed = list(
        dict.fromkeys(name for outcome in yours.outcomes.values() for name in outcome.changed)
    )
    if not changed:
        return []
    names = f"{' and '.join(changed)} {'was' if len(changed) == 1 else 'were'}"
    text = (
        f"The numbers are right, but {names} changed in place: whoever needs it later meets other "
        "numbers."
    )
    finding = Finding("changed", "", [text])
    known = match(yours, expected, wrong_versions(expected))
    if known and not known.remains and not known.mistake.convention:
        _name(finding, known)
    return [finding]


def _not_repeatable(exercise, submission, yours, expected):
    """The finding on an answer that is another one when it is asked again."""
    if exercise.align:  # it draws its own numbers
        return []
    can_be_compared = [
        situation for situation, outcome in yours.outcomes.items()
        if not outcome.stopped() or outcome.trouble.kind == "raised"
    ]  # fmt: skip
    again = attempt(submission, exercise, yours.given)
    if not can_be_compared or agree(again, yours, None, can_be_compared):
        return []
    text = (
        "Called again with the same inputs, it answers differently: something is kept from the "
        "call before, or drawn at random."
    )
    finding = Finding("not-repeatable", "", [text])
    for mistake in exercise.mistakes:
        if mistake.rule and mistake.rule(again, expected):
            _tell(finding, mistake)
    return [finding]
