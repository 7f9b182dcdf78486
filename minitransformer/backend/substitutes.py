"""Other functions for the helpers of this package, on arrays that are not NumPy's. A package above
hands them in."""

import contextlib
import threading


class _Thread(threading.local):
    """What one thread substitutes, which no other thread sees."""

    functions = {}  # {name of a helper: function}


_thread = _Thread()


@contextlib.contextmanager
def substituted_helpers(**functions):
    """Inside, in this thread: name=function for a helper, of the same arguments, on arrays that are
    not NumPy's.

    The helpers that ask are `product`, `position_sum`, `sum_of_squares`, `device_seed`, and the
    optimizer for `adam`. They ask on no array of NumPy's, and without a substitute they compute
    their plain formula.
    """
    before = _thread.functions
    _thread.functions = {**before, **functions}
    try:
        yield
    finally:
        _thread.functions = before


def substitute_for(name):
    """The function that computes in place of this helper; None if there is none."""
    return _thread.functions.get(name)
