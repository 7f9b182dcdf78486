"""Progress bars, in a terminal and in a notebook."""

import contextlib
import importlib.util
import threading
import warnings


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
