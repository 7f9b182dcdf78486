"""Memory that is freed stays with the process."""

import ctypes
import functools

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # names of glibc's mallopt(3)


@functools.cache
def keep_freed_memory():
    """Ask the C library to keep freed memory for the next array, instead of giving it back to the
    system.

    A training step makes and drops the same arrays again and again. Handed back, every one of their
    pages has to be fetched and zeroed anew, which on some machines takes as long as the arithmetic.
    Only glibc (Linux) has the switch; elsewhere nothing happens. Results do not change.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(MMAP_THRESHOLD, 32 << 20)  # the largest that glibc allows
    mallopt(TRIM_THRESHOLD, (1 << 31) - 1)
