"""`check`: hand in a function, and be told what is right, what is not, and what it looks like."""

import warnings

import numpy as np

from ..errors import InputError, shortened
from .borrowed import noting_calls, sentence
from .diagnosis import diagnose
from .exercise import find
from .frameworks import converted
from .report import Finding

LISTENERS = []  # called with every report: `grade` collects a file's reports so


def check(exercise, function, *, seed=0, strict=False, quiet=False, convert=None):
    """Check an answer to an exercise and return the `Report`, after printing it.

        check("softmax.backward", my_softmax_backward)

    `function` may be a plain function, a pair (forward, backward) of which the first returns
    (y, cache), a class with `forward` and `backward`, a PyTorch `autograd.Function`, or a JAX
    `custom_vjp`. Its inputs are matched by name, else by
    their order (see `exercises()`). `seed` draws other numbers and other sizes. `strict` raises an
    AssertionError that carries the diagnosis, for automatic graders; `quiet` prints nothing. Raises
    InputError if there is no such exercise.

    `convert` is called with each input array, for a function that wants other arrays than NumPy's:
    `torch.from_numpy`, `cupy.asarray`, or a function of your own that also changes the type.
    """
    if convert is not None and not callable(convert):
        raise InputError(
            "convert is a function that is called with each array, as torch.from_numpy is; got "
            f"{shortened(convert)}."
        )
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"A seed is a whole number from 0 on, got {shortened(seed)}.")
    # whatever the notebook has switched on
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with noting_calls(find(exercise).id) as called:
            begun: list = []
            show = None if quiet or strict else lambda report: begun.append(report.show())
            report = diagnose(find(exercise), converted(function, convert), int(seed), show)
    if called and report.passed:
        report.findings.append(Finding("own", "", [f"It is right, and {sentence(called)}."]))
    report.answer = name_of(function)
    for listener in LISTENERS:
        listener(report)
    if strict and not report.passed:
        raise AssertionError(str(report))
    if not quiet:
        report.show(*begun)
    return report


def name_of(function):
    """The name of the function or class that was handed in; "" if it has none, or does not say."""
    try:
        return str(getattr(function, "__name__", ""))
    except Exception:
        return ""
