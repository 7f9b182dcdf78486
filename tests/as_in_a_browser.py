"""Imported first, it takes from this process what Python in a browser (Pyodide) lacks: processes,
threads, signals, and packages that are compiled."""

import importlib.machinery
import os
import signal
import subprocess
import sys
import sysconfig
import threading
import time

# https://pyodide.org/en/0.27.7/usage/wasm-constraints.html
LACKING = """_multiprocessing _posixshmem _posixsubprocess _curses curses dbm fcntl grp msvcrt pwd
readline resource syslog termios tty venv cupy IPython ipywidgets jupytext mpi4py nbformat num2words
sacrebleu safetensors tensorboardX tokenizers torch wandb""".split()


def without(finder):
    """The finder of modules, which finds none of those."""

    class Finder(finder):
        @classmethod
        def find_spec(cls, name, path=None, target=None):
            is_there = name.split(".")[0] not in LACKING
            return finder.find_spec(name, path, target) if is_there else None

    return Finder


def refusing(error):
    def refuse(*_, **__):
        raise error

    return refuse


FINDERS = importlib.machinery.BuiltinImporter, importlib.machinery.PathFinder
sys.meta_path[:] = [without(one) if one in FINDERS else one for one in sys.meta_path]
for name in [name for name in sys.modules if name.split(".")[0] in LACKING]:
    del sys.modules[name]
sysconfig.get_config_vars()  # of the real platform, once: it keeps them
sys.platform = "emscripten"
for name in ("fork", "forkpty", "register_at_fork", "sched_getaffinity", "killpg", "setsid"):
    delattr(os, name)
del time.thread_time
no_processes = OSError(138, "emscripten does not support processes.")
subprocess.Popen.__init__ = os.posix_spawn = os.system = os.execv = refusing(no_processes)
threading.Thread.start = refusing(RuntimeError("can't start new thread"))
signal.signal = refusing(ValueError("signal only works in main thread of the main interpreter"))
