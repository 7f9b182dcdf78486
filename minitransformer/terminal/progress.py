"""Progress bars, in a terminal and in a notebook."""

import contextlib
import importlib.util
import sys
import threading
import warnings

from .browser import IN_A_BROWSER


def progress_bar(**options):
    """A bar of tqdm: in a notebook one of widgets where these are installed, else a line of text.

    Without widgets, tqdm's own choice for a notebook would warn, or fail.
    """
    if importlib.util.find_spec("ipywidgets"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the choice is an experiment, says tqdm
            from tqdm.auto import tqdm
    else:
        from tqdm import tqdm
    if IN_A_BROWSER:
        tqdm.monitor_interval = 0  # the monitor is a thread
    # a training that Ctrl-C ended while it drew may hold the lock before for good
    tqdm.set_lock(threading.RLock())
    return tqdm(**options)


@contextlib.contextmanager
def progress(title, total, unit):
    """A function advance(n) that moves a bar on standard error, which appears if it takes a
    second."""
    with progress_bar(
        total=total, desc=title, unit=unit, unit_scale=True, delay=1, dynamic_ncols=True
    ) as bar:
        yield bar.update


@contextlib.contextmanager
def steps_bar(total, done):
    """A function show(loss) that moves a bar on by one of `total` steps; the bar appears after a
    second, where it can be seen: in a terminal, and below a notebook's cell."""
    in_a_notebook = type(sys.stderr).__module__.startswith("ipykernel")
    if not (in_a_notebook or sys.stderr is not None and sys.stderr.isatty()):
        yield lambda loss: None
        return
    with progress_bar(
        total=total, initial=done, unit="step", delay=1, dynamic_ncols=True
    ) as bar:

        def show(loss):
            bar.set_postfix({"loss": f"{loss:.3f}"}, refresh=False)
            bar.update()

        yield show
