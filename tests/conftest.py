"""The tests' arrays are small: one thread is faster than two that wait for each other."""

import os
import signal

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# A shell's background job inherits SIGINT as ignored, and the tests of Ctrl-C send it.
signal.signal(signal.SIGINT, signal.default_int_handler)
