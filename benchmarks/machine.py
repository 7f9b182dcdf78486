"""The machine that is measured on: how many of its cores, and which libraries."""

import json
import os
import platform
import re
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

LIBRARIES = ("numpy", "torch", "transformers", "jax")
CPUS = Path("/sys/devices/system/cpu")


def settle(threads):
    """Give this process, and all that it starts, as many threads and as many cores; before NumPy is
    imported.

    The cores are for JAX, which asks how many there are, not how many threads it should take.
    """
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = str(threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores(os.sched_getaffinity(0), threads))


def cores(allowed, count):
    """So many of the allowed CPUs, those first that share no core with one before."""
    first, second, seen = [], [], set()
    for cpu in sorted(allowed):
        siblings = core_of(cpu)
        (second if siblings in seen else first).append(cpu)
        seen.add(siblings)
    return (first + second)[:count]


def core_of(cpu):
    """What all CPUs of one core have in common: the list of them, as the system writes it."""
    try:
        return (CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text().strip()
    except OSError:
        return str(cpu)


def facts():
    """What a figure means nothing without."""
    versions = {name: version(name) for name in LIBRARIES}
    return {"cpu": cpu_model(), "cores": os.cpu_count(), "system": platform.system(),
            "python": platform.python_version(), **versions, "blas": blas()}  # fmt: skip


def sentence(found):
    """The facts in one line."""
    libraries = [f"{name} {found[name] or 'not installed'}" for name in ("python", *LIBRARIES)]
    blas_of = f"{found['cpu']}, {found['cores']} cores, {found['system']}; BLAS {found['blas']}; "
    return blas_of + ", ".join(libraries)


def version(name):
    """None where it is not installed. PyTorch's says for which device it was built, which decides
    how large it is."""
    try:
        if name == "torch" and (spec := util.find_spec(name)):  # without importing it
            return re.search(
                r"__version__ = '(.+)'", Path(spec.origin).with_name("version.py").read_text()
            )[1]
    except (OSError, TypeError):
        pass
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def cpu_model():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def blas():
    """Name and version of NumPy's, asked for in another process: a parent that loaded it would
    share its memory."""
    code = (
        "import json, numpy; print(json.dumps(numpy.show_config(mode='dicts')['Build "
        "Dependencies']['blas']))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if process.returncode:
        return None
    found = json.loads(process.stdout)
    return f"{found.get('name')} {found.get('version')}"
