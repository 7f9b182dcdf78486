"""How long a search may take: so many seconds of computing, and some more on the clock."""

import time

PATIENCE = 6  # seconds that may pass for each second of computing: a busy machine, a slow device


class Budget:
    """Begins with its making. An answer that waits, for a card or another process, computes
    nothing meanwhile, and time passes all the same."""

    def __init__(self, seconds):
        self.computed = time.process_time() + seconds
        self.passed = time.monotonic() + PATIENCE * seconds

    def is_left(self):
        return time.process_time() < self.computed and time.monotonic() < self.passed
