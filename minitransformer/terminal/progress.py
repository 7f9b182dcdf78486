"""Progress bars, in a terminal and in a notebook."""

import threading
import warnings


def progress_bar(**options):
    """A bar of tqdm: in a notebook one of widgets where these are installed, else a line of text,
    without a warning that something is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tqdm, once, while it looks for widgets
        from tqdm.auto import tqdm
    # a training that Ctrl-C ended while it drew may hold the lock before for good
    tqdm.set_lock(threading.RLock())
    return tqdm(**options)
