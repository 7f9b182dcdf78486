"""Python in a browser (Pyodide): one process with one thread, which no signal reaches."""

import logging
import sys

from ..errors import InputError

IN_A_BROWSER = sys.platform == "emscripten"
if IN_A_BROWSER:  # where a word about fonts would look like an error, in the first cell of a lesson
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


def expect_processes(what):
    """Raise InputError in a browser, where no other process can be started."""
    if IN_A_BROWSER:
        raise InputError(
            f"{what} needs processes of its own, and Python in a browser has none. Do it with an "
            "installed minitransformer: python -m pip install minitransformer"
        )
