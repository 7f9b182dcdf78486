"""The numbers that show what is wrong: the first of them, the invariant that they break, the places
where they stand."""

import re

import numpy as np

from ..testing.difference import agreeing
from .attempt import differing, pair, relative_error
from .outcome import SINGLE
from .report import Finding

PLAIN = "random numbers"  # the situation that needs no words
BROKEN = 1e-7  # an excess that no rounding explains


def worst(yours, expected, wrong):
    """(situation, output) to speak of: in the first situation in which something is wrong, the
    output that is worst."""
    situation = next(
        s for s in yours if any(s in differing(yours, expected, name) for name in wrong)
    )
    here = [name for name in wrong if situation in differing(yours, expected, name)]
    return situation, max(here, key=lambda name: relative_error(yours, expected, situation, name))


def has_numbers(yours, expected, wrong):
    """Whether one of the wrong numbers is neither NaN nor infinite: only such tell two mistakes
    apart."""
    for name in wrong:
        for situation in differing(yours, expected, name):
            a, b = pair(yours, expected, situation, name)
            if a is None or b is None or a.shape != b.shape:
                return True
            if np.isfinite(a[~agreeing(a, b, yours[situation].tolerance)]).any():
                return True
    return False


def misshapen(yours, expected, situation, name):
    a, b = pair(yours, expected, situation, name)
    return a is not None and b is not None and a.shape != b.shape


def first_number(yours, expected, situation, name):
    """The finding that names the first wrong number, or what there is instead of numbers."""
    ours, right = yours[situation], expected[situation]
    if ours.stopped():
        aside = "" if situation == PLAIN else f" This was with {situation}."
        return Finding(ours.trouble.kind, "", [ours.trouble.message + aside])
    if right.stopped():
        return Finding(
            "accepted", "",
            [f"With {situation} an error should be raised, and something was returned."],
        )
    if name in ours.missing:
        return Finding("missing", "", [f"{name}: not started yet."])
    a, b = ours.outputs[name], right.outputs[name]
    where = {"output": name, "situation": situation}
    if a.shape != b.shape:
        return Finding(
            "shape", "", [f"{name} has shape {a.shape}, and should have {b.shape}."], where
        )
    bad = ~agreeing(a, b, ours.tolerance)
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    where.update(index=list(first), yours=float(a[first]), expected=float(b[first]))
    return Finding("unknown", "", [_sentence(name, first, a, b, bad, situation)], where)


def _sentence(name, first, a, b, bad, situation):
    label = f"{name}[{', '.join(map(str, first))}]" if first else name
    aside = "" if situation == PLAIN else f" ({situation})"
    digits = next((n for n in (6, 9, 12) if number(a[first], n) != number(b[first], n)), 17)
    text = f"{label} is {number(a[first], digits)}, expected {number(b[first], digits)}{aside}"
    if bad.size == 1:
        return text + "."
    gaps = np.abs(a - b)[bad]
    largest = (
        f"the largest difference is {gaps.max():.3g}"
        if np.isfinite(gaps).all()
        else "others are not finite"
    )
    return f"{text}: {len(gaps)} of {bad.size} numbers differ, {largest}."


def number(x, digits=6):
    """A number as it is printed."""
    return "NaN" if np.isnan(x) else f"{x + 0.0:.{digits}g}".replace("inf", "∞")  # + 0.0: no −0


def broken(yours, expected, situation, name):
    """A sentence for each invariant of this output that the answer breaks."""
    ours, right, given = yours[situation], expected[situation], expected.given[situation]
    sentences = []
    for invariant in yours.exercise.invariants:
        if name not in re.findall(r"\w+", invariant.name):
            continue
        try:
            mine, theirs = (np.abs(invariant.excess(one.outputs, given)) for one in (ours, right))
        except (ValueError, IndexError, KeyError):  # other shapes than asked for
            continue
        if (
            mine.size
            and np.max(theirs) < BROKEN
            and not np.max(mine) < max(BROKEN, 10 * ours.tolerance)
        ):
            excess = number(np.max(mine), 3)
            sentences.append(
                f"{invariant.name} should be 0, because {invariant.reason}; it is up to {excess}."
            )
    return sentences


def at_places(exercise, given, a, b, tolerance):
    """(rule, sentence) if all wrong numbers stand at places that the exercise has a name for."""
    if a.shape != b.shape:
        return None
    wrong = ~agreeing(a, b, tolerance)
    for name, places in exercise.places.items():
        try:
            mask = np.broadcast_to(places(**given), wrong.shape)
        except ValueError:  # the places of another output
            continue
        if mask.any() and not mask.all() and not (wrong & ~mask).any():
            return "place", f"it is wrong only at {name}; everywhere else it is right."
    return None


def precision(yours, expected, wrong):
    """A note for numbers that agree as float32 would, though float64 came back; None if they do
    not."""
    largest = 0.0
    for situation in yours:
        ours, right = yours[situation], expected[situation]
        if ours.stopped() or right.stopped():
            if not (ours.stopped() and right.stopped() and ours.trouble.kind == right.trouble.kind):
                return None
            continue
        for name in wrong:
            a, b = pair(yours, expected, situation, name)
            if a is None or a.shape != b.shape or not agreeing(a, b, SINGLE).all():
                return None
            largest = max(largest, float(np.nanmax(np.abs(a - b), initial=0)))
    text = (
        f"The numbers agree to {largest:.1g}, as float32 does; float64 was given, and would agree "
        "to about 1e-15."
    )
    question = "Is something converted to float32 on the way, or is a small number added somewhere?"
    return Finding("precision", "", [text], question=question)


def arrays(yours, expected, wrong):
    """{output: (yours, expected)} of the first situation in which each wrong output differs, for
    the picture."""
    pairs = {
        name: pair(yours, expected, differing(yours, expected, name)[0], name) for name in wrong
    }
    return {name: (a, b) for name, (a, b) in pairs.items() if a is not None and b is not None}
