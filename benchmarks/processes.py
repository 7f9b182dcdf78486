"""What the system says of a process and of all that it started: who they are, their memory, their
CPU time.

Linux only, from /proc; elsewhere nothing is found, and `memory_is_measured()` is False.
"""

import os
import subprocess
import time
from pathlib import Path

PROC = Path("/proc")


def memory_is_measured():
    return (PROC / "self" / "smaps_rollup").exists()


def read(pid, name):
    """The text of a file of that process; empty if the process has gone, or belongs to somebody
    else."""
    try:
        return (PROC / str(pid) / name).read_text()
    except OSError:
        return ""


def stat(pid):
    """The fields of /proc/PID/stat from the third on; the second, the name in brackets, may hold
    spaces itself."""
    return read(pid, "stat").rpartition(")")[2].split()


def family(pid):
    """This process, its children, and theirs."""
    children = {}
    for entry in os.listdir(PROC) if PROC.is_dir() else ():
        if entry.isdigit() and (fields := stat(entry)):
            children.setdefault(int(fields[1]), []).append(int(entry))
    found = [pid]
    for member in found:  # it grows while it is read
        found += children.get(member, [])
    return found


def pss(pid):
    """Bytes of the proportional set size: a page that n processes share counts 1/n for each, so
    that a sum is true."""
    for line in read(pid, "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return 1024 * int(line.split()[1])
    return 0


def peak_memory(command, interval=0.02, **options):
    """Run a command to its end; the largest sum, over it and all that it started, of `pss` that was
    met on the way.

    Looked at every `interval` seconds. Raises CalledProcessError if the command fails.
    """
    peak = 0
    with subprocess.Popen(command, **options) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(pss, family(process.pid))))
            time.sleep(interval)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return peak


def family_seconds():
    """CPU seconds that this process has used, with all that it started, living or ended."""
    ticks = sum(sum(map(int, fields[11:15])) for fields in map(stat, family(os.getpid())) if fields)
    return ticks / os.sysconf("SC_CLK_TCK")


def busy_elsewhere():
    """CPU seconds that all other processes of this machine have used so far; None where the system
    does not say."""
    try:
        user, nice, system, _, _, *interrupts = map(
            int, (PROC / "stat").read_text().split("\n")[0].split()[1:9]
        )
        return (user + nice + system + sum(interrupts)) / os.sysconf(
            "SC_CLK_TCK"
        ) - family_seconds()
    except (OSError, ValueError):
        return None
