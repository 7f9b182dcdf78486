"""What a submission's process may use: limits that it sets on itself before the submission's first
line runs."""

import ctypes
import math
import os
import pathlib
import sys

MEMORY = 4 << 30  # bytes of address space, beyond which Python raises MemoryError
FILE = 64 << 20  # bytes of one file
# and threads, beside those of this user that can be seen: another container may hold more
PROCESSES = 1024
SCOPE_SIGNAL = 1 << 1  # Landlock: signals reach only what stands in the same domain
# Linux's numbers, the same on all machines
PR_SET_NO_NEW_PRIVS, CREATE_RULESET, RESTRICT_SELF = 38, 444, 446


def limit(seconds):
    """Limit memory, files, processes and computing time, and keep signals inside, as far as the
    system can.

    The computing time of one process is larger than the `seconds` that its grading may take: it
    ends what escaped.
    """
    confine_signals()
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    most = {
        "AS": MEMORY, "FSIZE": FILE, "CORE": 0, "CPU": 2 * math.ceil(seconds) + 5,
        "NPROC": threads() + PROCESSES,
    }
    for name, value in most.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except (ValueError, OSError):
            # macOS knows the address space's limit, and refuses to set it
            continue


def threads():
    """How many threads this user's processes have: the limit counts them all. 0 where the system
    does not say."""
    count = 0
    for process in pathlib.Path("/proc").glob("[0-9]*/task"):
        try:
            count += len(os.listdir(process)) if process.stat().st_uid == os.getuid() else 0
        except OSError:  # it has ended meanwhile
            continue
    return count


def confine_signals():
    """Let this process, and all that it starts, send signals to one another only; return whether
    the system can do it.

    Linux from 6.12 on can (Landlock, where it is switched on). It also keeps debuggers inside.
    """
    if sys.platform != "linux":
        return False
    system = ctypes.CDLL(None)
    rules = (ctypes.c_uint64 * 3)(0, 0, SCOPE_SIGNAL)  # no rule for files, none for the network
    ruleset = system.syscall(
        ctypes.c_long(CREATE_RULESET), rules, ctypes.c_size_t(ctypes.sizeof(rules)),
        ctypes.c_long(0),
    )
    if ruleset < 0:
        return False
    system.prctl(*map(ctypes.c_long, (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
    done = system.syscall(*map(ctypes.c_long, (RESTRICT_SELF, ruleset, 0)))
    os.close(ruleset)
    return done == 0
