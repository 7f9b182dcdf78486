"""Which answers have the package do the work: they call its own components or exercises."""

import contextlib
import contextvars
import sys

from ..boundary.calls import observed_by
from ..core.module import Module

# exercises that ask what a component costs: whoever runs one and counts has answered
MEASURED = "operations."
PACKAGE = __name__.split(".")[0]
CALLED = contextvars.ContextVar("called", default=None)  # inside `noting_calls`: a list of names


@contextlib.contextmanager
def noting_calls(id):
    """Inside, while an answer to an exercise runs, a list grows by the name of every component, and
    every exercise, of the package that code outside of it calls in this thread; each once. What
    these call themselves is not named."""
    called, running = [], []
    if id.startswith(MEASURED):
        yield called
        return

    def observer(component, name, run):
        owner = _owner(type(component), name)

        def reporting(component, inputs, options):
            if owner and not running and owner not in called:
                called.append(owner)
            running.append(owner)
            try:
                return run(component, inputs, options)
            finally:
                running.pop()

        return reporting if owner else run

    before = CALLED.set(called)
    try:
        with observed_by(observer):
            yield called
    finally:
        CALLED.reset(before)


def _owner(kind, method):
    """The name of the package's class that a component's method comes from, or builds on; "" for a
    component of one's own."""
    for one in kind.__mro__:
        is_ours = one.__module__.split(".")[0] == PACKAGE and one is not Module
        if is_ours and method in vars(one):
            return one.__name__
    return ""


def note_call(id):
    """Say that an exercise is called: it counts if that is done by code outside of the package, two
    frames up."""
    called = CALLED.get()
    if called is None or id in called:
        return
    caller = sys._getframe(2).f_globals.get("__name__", "")
    if str(caller).split(".")[0] != PACKAGE:
        called.append(id)


def sentence(called):
    """What is said of an answer that calls these, without an end."""
    names = " and ".join(called)
    return f"calls the package's own {names}: not all of it is the learner's own work"
