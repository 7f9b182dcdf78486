"""Which known mistakes make exactly these numbers."""

import dataclasses
import functools
import itertools

import numpy as np

from ..testing.difference import constant_factor
from .attempt import agree, attempt_own, differing, distance, pair, relative_error, wrong_outputs

KEPT = 64  # right answers whose wrong versions are remembered
FEW = 20  # numbers, among which a mistake that comes near says something
NEAR = 0.3  # a mistake that leaves less than this part of the difference unexplained is most of it


@dataclasses.dataclass
class Match:
    """A mistake that explains the outputs named; `also` are those that make the same numbers,
    `remains` what it leaves."""

    mistake: object
    outputs: list
    also: list = dataclasses.field(default_factory=list)
    remains: str = ""
    exact: bool = True  # whether it explains every digit
    ruled: bool = False  # whether a rule found it: then no number is the one to look at


@functools.lru_cache(KEPT)
def wrong_versions(expected):
    """[(mistake, version, attempt)] of all wrong versions of the exercise that show on these
    inputs.

    One that stops everywhere proves nothing: any other that stops would look the same.
    """
    exercise, found = expected.exercise, []
    for mistake, version in ((m, version) for m in exercise.mistakes for version in m.versions):
        made = attempt_own(exercise.wrong(version), exercise, expected.given)
        if any(outcome.outputs for outcome in made.outcomes.values()) and not agree(made, expected):
            found.append((mistake, version, made))
    return found


def match(yours, expected, versions):
    """The `Match` of the known mistake that makes exactly these numbers, in all outputs or in the
    worst; or None."""
    exercise = yours.exercise
    ruled = [
        mistake for mistake in exercise.mistakes if mistake.rule and mistake.rule(yours, expected)
    ]
    if ruled:
        return Match(ruled[0], list(exercise.outputs), ruled[1:], ruled=True)
    whole = _distinct(m for m, _, made in versions if agree(yours, made))
    if not whole:  # the same numbers, whatever it changed besides
        names = exercise.outputs
        whole = _distinct(
            m
            for m, _, made in versions
            if all(agree(yours, made, n) and not agree(made, expected, n) for n in names)
        )
    if whole:
        return Match(whole[0], list(exercise.outputs), whole[1:])
    mistakes = [row for row in versions if not row[0].convention]
    conventions = [row for row in versions if row[0].convention]
    mixed = _two(yours, expected, itertools.product(conventions, mistakes)) if conventions else None
    return mixed or _by_output(yours, expected, mistakes, _wrong(yours, expected))


def match_two(yours, expected, versions):
    """The `Match` of the larger of two known mistakes that together make these numbers, or of one
    with a factor."""
    mistakes = [row for row in versions if not row[0].convention]
    made = [expected, *(made for _, _, made in versions)]
    if not any(_alike(yours, one) for one in made):
        return None
    pairs = itertools.combinations(mistakes, 2)
    return _two(yours, expected, pairs) or _scaled(
        yours, expected, mistakes, _wrong(yours, expected)
    )


def nearest(yours, expected, versions):
    """The `Match` of the mistake that comes nearest, if it leaves but a small part of the
    difference; else None."""
    far = distance(yours, expected, expected)
    if (
        sum(
            outcome.outputs[name].size
            for outcome in expected.outcomes.values()
            for name in outcome.outputs
        )
        < FEW
    ):
        return None  # with so few numbers, something is always near
    made = [(distance(yours, made, expected), m) for m, _, made in versions if not m.convention]
    best, mistake = min(made, key=lambda pair: pair[0], default=(np.inf, None))
    if mistake is None or not np.isfinite(far) or best > NEAR * far:
        return None
    return Match(mistake, [], remains="something else remains", exact=False)


def _wrong(yours, expected):
    """The outputs that are wrong, the worst first."""
    wrong = {
        name: max(
            relative_error(yours, expected, situation, name)
            for situation in differing(yours, expected, name)
        )
        for name in wrong_outputs(yours, expected)
    }
    return sorted(wrong, key=wrong.get, reverse=True)


def _by_output(yours, expected, versions, wrong):
    for name in wrong:
        found = _distinct(
            m
            for m, _, made in versions
            if agree(yours, made, name) and not agree(made, expected, name)
        )
        if found:
            made = next(
                made for m, _, made in versions if m is found[0] and agree(yours, made, name)
            )
            explained = [other for other in wrong if agree(yours, made, other)]
            left = [other for other in wrong if other not in explained]
            remains = f"something else remains in {', '.join(left)}" if left else ""
            return Match(found[0], explained, found[1:], remains)
    return None


def _two(yours, expected, pairs):
    """Two mistakes at once: the larger one is named."""
    exercise, given = expected.exercise, expected.given
    telling = next(
        (s for s in yours if not yours[s].stopped() and not agree(yours, expected, situations=[s])),
        None,
    )
    if telling is None:
        return None
    for (one, first, made_one), (other, second, made_other) in pairs:
        if one is other:
            continue
        try:
            both = exercise.wrong(first, second)
        except (LookupError, SyntaxError):  # they replace the same words, or leave no Python
            continue
        glance = attempt_own(both, exercise, {telling: given[telling]})
        if agree(yours, glance, situations=[telling]) and agree(
            yours, attempt_own(both, exercise, given)
        ):
            if one.convention or other.convention:  # which is no mistake, and the other is
                return Match(other if one.convention else one, list(exercise.outputs))
            sizes = [_size(made, expected) for made in (made_one, made_other)]
            larger = one if sizes[0] >= sizes[1] else other
            return Match(larger, list(exercise.outputs), remains="something else remains")
    return None


def _size(made, expected):
    """How much a mistake changes: in how many situations, then by how much."""
    changed = [s for s in expected if not agree(made, expected, situations=[s])]
    return len(changed), distance(made, expected, expected)


def _alike(one, other):
    """Whether two attempts have the same shapes: what has a shape that no version has, no two of
    them make."""
    pairs = [
        (array, other[s].outputs.get(name)) for s in one for name, array in one[s].outputs.items()
    ]
    return all(theirs is not None and ours.shape == theirs.shape for ours, theirs in pairs)


def _scaled(yours, expected, versions, wrong):
    """A mistake, and a constant factor besides."""
    for name, (mistake, _, made) in itertools.product(wrong, versions):
        # itself no more than a factor: any other would be as good
        if common_factor(made, expected, name):
            continue
        factor = common_factor(yours, made, name)
        if factor:
            return Match(mistake, [name], remains=f"a factor of {factor:.4g} remains in {name}")
    return None


def common_factor(one, other, output):
    """The constant c with one = c · other in an output, the same in every situation; 0 if there is
    none."""
    factors = []
    for situation in one:
        a, b = pair(one, other, situation, output)
        if (
            a is None
            or b is None
            or a.shape != b.shape
            or not (np.isfinite(a).all() and np.isfinite(b).all())
        ):
            return 0.0
        if a.any() or b.any():
            if a.size > 1 and not np.ptp(a) and not np.ptp(b):
                return 0.0  # of two arrays with one number each, either is a multiple of the other
            factors.append(constant_factor(a, b, one[situation].tolerance))
    same = factors and np.ptp(factors) <= 1e-6 * abs(factors[0])
    return factors[0] if same else 0.0


def _distinct(mistakes):
    return list(dict.fromkeys(mistakes))
