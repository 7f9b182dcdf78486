"""The libraries by the names of the tables; what importing one takes, and whether it can be
imported at all."""

import subprocess
import sys

LIBRARIES = {"ours": "minitransformer", "PyTorch": "torch", "JAX": "jax"}
CODE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def seconds_to_import(name):
    """In a process of its own, so that this one stays as it is; None where the library is not
    installed."""
    code = CODE.format(LIBRARIES[name])
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if process.returncode == 0:
        return float(process.stdout.split()[-1])
    if "ImportError" in process.stderr or "ModuleNotFoundError" in process.stderr:
        return None
    raise RuntimeError(process.stderr)


def installed(names):
    """(the names whose library is there, the others). Their files have then been read from the disk
    once."""
    there = [name for name in names if seconds_to_import(name) is not None]
    return there, [name for name in names if name not in there]
