"""The user's own folder. A process has none if its user is unknown to the system and HOME is not
set."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def home():
    """The user's folder, or None."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def do_without_a_home():
    """Without a home, give Matplotlib a temporary folder for its settings: it looks for one, and
    ends if it finds none."""
    if home() is None and "MPLCONFIGDIR" not in os.environ:
        os.environ["MPLCONFIGDIR"] = folder = tempfile.mkdtemp(prefix="minitransformer-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
