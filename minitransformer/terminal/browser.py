"""Python in a browser (Pyodide): one process with one thread, which no signal reaches."""

import sys

from ..errors import InputError

IN_A_BROWSER = sys.platform == "emscripten"


def expect_processes(what):
    """Raise InputError in a browser, where no other process can be started."""
    if IN_A_BROWSER:
        raise InputError(
            f"{what} needs processes of its own, and Python in a browser has none. Do it with an "
            "installed minitransformer: python -m pip install minitransformer"
        )
