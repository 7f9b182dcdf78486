"""Whether two arrays agree, and what their difference looks like: a factor, other axes, one place,
one direction."""

import itertools

import numpy as np

PROPORTIONAL = 1e-6
SIMPLE = {  # factors that have a word
    "-1": "Every number has the wrong sign.", "2": "Every number is twice what it should be.",
    "1/2": "Every number is half what it should be.",
}  # fmt: skip


def close(ours, theirs, tolerance):
    """Whether two arrays agree within the tolerance, relative to the largest entry of `theirs`; NaN
    agrees with NaN."""
    return ours.shape == theirs.shape and bool(np.all(agreeing(ours, theirs, tolerance)))


def agreeing(ours, theirs, tolerance):
    """Where two arrays of one shape agree: a boolean array."""
    return np.isclose(
        ours, theirs, rtol=tolerance, atol=tolerance * scale_of(theirs), equal_nan=True
    )


def scale_of(array):
    """The largest finite size in an array, 1 where there is none: what rounding errors are measured
    by."""
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0


def look(yours, expected, named, tolerance):
    """(rule, sentence) of the first structure that the difference of two arrays has; None if it has
    none.

    `named` are all arrays at hand by name, among them the right outputs.
    """
    if yours.shape != expected.shape:
        return _shape(yours, expected, tolerance)
    if not np.isfinite(yours).all():
        return _not_finite(yours, expected)
    rules = (
        _factor, _other_array, _multiplied, _moved, _signs, _same_numbers, _place, _constant,
        _proportional,
    )  # fmt: skip
    return next(
        (found for rule in rules if (found := rule(yours, expected, named, tolerance))), None
    )


def look_first(yours, expected, sizes, tolerance):
    """(rule, sentence) of what is simplest: zeros, a factor with a name, the axes in another order;
    or None."""
    if yours.shape != expected.shape or not np.isfinite(yours).all():
        return None
    if not yours.any():
        return "zeros", "All numbers are zero."
    return _named_factor(yours, expected, sizes, tolerance) or _axes(yours, expected, tolerance)


def _named_factor(yours, expected, sizes, tolerance):
    c = constant_factor(yours, expected, tolerance)
    known = name_of(c, sizes) if c else ""
    if not known:
        return None
    if known in SIMPLE:
        return "factor", SIMPLE[known]
    return "factor", f"Every number is {c:.6g} times what it should be, which is {known} here."


def _factor(yours, expected, named, tolerance):
    c = constant_factor(yours, expected, tolerance) if expected.size > 1 else 0
    return ("factor", f"Every number is {c:.6g} times what it should be.") if c else None


def constant_factor(yours, expected, tolerance):
    """c with yours = c · expected; 0 if there is none."""
    size = float(np.sum(expected**2))
    c = float(np.sum(yours * expected)) / size if size else 0.0
    return c if close(yours, c * expected, tolerance) else 0.0


def name_of(c, sizes):
    """What a constant factor is, in the letters of the sizes; "" if it is none of them."""
    letters = {k: v for k, v in sizes.items() if v > 1}
    names = {"-1": -1.0, "2": 2.0, "1/2": 0.5}
    for (a, n), (b, m) in itertools.combinations(letters.items(), 2):
        names.setdefault(f"{a}·{b}", n * m)
    names.update(letters)
    for letter, n in list(names.items())[3:]:
        names.setdefault(f"1/({letter})" if "·" in letter else f"1/{letter}", 1 / n)
    for letter, n in letters.items():
        names[f"√{letter}"], names[f"1/√{letter}"] = np.sqrt(n), 1 / np.sqrt(n)
    return min(
        (name for name, value in names.items() if np.isclose(c, value, rtol=1e-4)), key=len,
        default="",
    )


def _shape(yours, expected, tolerance):
    if yours.size == expected.size and close(yours.reshape(expected.shape), expected, tolerance):
        return "shape", "The numbers are right: only the shape is not."
    extra = yours.ndim - expected.ndim
    for axes in itertools.combinations(range(yours.ndim), extra) if extra > 0 else ():
        if close(yours.sum(axis=axes), expected, tolerance):
            return "not-summed", f"Summed over axis {', '.join(map(str, axes))}, it would be right."
    return _axes(yours, expected, tolerance)


def _not_finite(yours, expected):
    bad = ~np.isfinite(yours) & ~((yours == expected) | (np.isnan(yours) & np.isnan(expected)))
    if not bad.any():
        return None
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    kind = "NaN" if np.isnan(yours[first]) else "infinite"
    count = f"{int(bad.sum())} of {yours.size} numbers"
    return "not-finite", f"{count} are NaN or infinite; the first, {kind}, stands at {list(first)}."


def _axes(yours, expected, tolerance):
    for axes in itertools.permutations(range(yours.ndim)):
        if close(yours.transpose(axes), expected, tolerance):
            return "axes", f"Transposed by {axes}, it would be right."
    return None


def _other_array(yours, expected, named, tolerance):
    for name, array in named.items():
        for sign, text in ((1, ""), (-1, "−")):
            if array.shape == yours.shape and array.any() and close(yours, sign * array, tolerance):
                return "other-array", f"These are the numbers of {text}{name}."
    return None


def _multiplied(yours, expected, named, tolerance):
    """A factor, entry by entry, that is an array at hand."""
    for name, array in named.items():
        if array.shape == yours.shape and np.ptp(array) and expected.any() and yours.any():
            if close(yours * array, expected, tolerance):
                return "factor-missing", f"Multiplied by {name}, it would be right."
            if close(yours, expected * array, tolerance):
                return "factor-too-many", f"It is the right one, multiplied by {name}."
    return None


def _moved(yours, expected, named, tolerance):
    for axis, size in enumerate(yours.shape):
        if close(np.flip(yours, axis), expected, tolerance):
            return "reversed", f"Along axis {axis} the numbers stand in reverse."
        for step in (1, -1):
            if size > 2 and close(_cut(yours, axis, step), _cut(expected, axis, -step), tolerance):
                return (
                    "shifted",
                    (
                        f"Along axis {axis} the numbers stand one place too "
                        f"{'late' if step == 1 else 'early'}."
                    ),
                )
    return None


def _cut(array, axis, step):
    """Without the first entry along an axis (step 1), or without the last (step −1)."""
    return np.take(
        array, range(1, array.shape[axis]) if step == 1 else range(array.shape[axis] - 1), axis
    )


def _signs(yours, expected, named, tolerance):
    if close(np.abs(yours), np.abs(expected), tolerance):
        wrong = int((~agreeing(yours, expected, tolerance)).sum())
        return (
            "signs",
            f"{wrong} of {yours.size} numbers have the wrong sign, and are right otherwise.",
        )
    return None


def _same_numbers(yours, expected, named, tolerance):
    if yours.size > 1 and close(np.sort(yours, axis=None), np.sort(expected, axis=None), tolerance):
        return (
            "rearranged",
            (
                "The numbers are the right ones, in other places: a reshape without its transpose "
                "does that."
            ),
        )
    return None


def _place(yours, expected, named, tolerance):
    """Wrong only at some indices of an axis."""
    wrong = ~agreeing(yours, expected, tolerance)
    for axis, size in enumerate(yours.shape):
        others = tuple(a for a in range(yours.ndim) if a != axis)
        bad = np.flatnonzero(wrong.any(axis=others))
        if size > 2 and len(bad) <= size // 2:
            indices = f"{', '.join(map(str, bad))} of 0 to {size - 1}"
            return "place", f"It is wrong only where axis {axis} is {indices}; the rest is right."
    return None


def _constant(yours, expected, named, tolerance):
    difference = yours - expected
    scale = np.abs(difference).max()
    for axis in reversed(range(yours.ndim)):
        if yours.shape[axis] > 1 and np.ptp(difference, axis=axis).max() < PROPORTIONAL * scale:
            text = f"Along axis {axis} the difference is constant: a term that is the same for all"
            return "constant", f"{text} of them is missing or wrong."
    return None


def _proportional(yours, expected, named, tolerance):
    """A difference that is an array at hand times a number, or times one number for each row."""
    difference = yours - expected
    for name, array in named.items():
        if array.shape != yours.shape or not array.any():
            continue
        for axis, text in ((None, ""), (-1, " in each row")):
            if axis == -1 and (not yours.ndim or yours.shape[-1] < 3):
                continue
            size = np.sum(array * array, axis=axis, keepdims=True)
            c = np.sum(difference * array, axis=axis, keepdims=True) / np.where(size == 0, 1, size)
            if np.abs(difference - c * array).max() < PROPORTIONAL * np.abs(difference).max():
                times = (
                    f"{float(c.reshape(-1)[0]):.4g} · {name}"
                    if axis is None
                    else f"a multiple of {name}{text}"
                )
                return (
                    "term",
                    f"The difference is {times}: such a term is missing, or one too many.",
                )
    return None
