"""Contestants that take turns, so that whatever slows the machine slows them all; and what is made
of their times."""

import statistics
import time

from processes import busy_elsewhere

TURN = 0.5  # seconds of one contestant's turn, or one call if that takes longer
# seconds between turns: a library's idle threads spin for a while before they leave the core to the
# other
PAUSE = 0.2
LEAST = 5  # calls of each, however long they take


def race(contestants, seconds, repeats=None):
    """{name: seconds of each call} of the functions {name: function}, taking turns, after a
    warm-up.

    With `repeats`, that many calls each; else as many as fit into `seconds`, at least 5 each.
    """
    times = {name: [] for name in contestants}
    for function in contestants.values():
        function()  # compiles, fills caches
    warm = max(timed(function) for function in contestants.values())
    turn = max(1, int(TURN / warm))
    start = time.perf_counter()
    while not finished(times, repeats, time.perf_counter() - start > seconds):
        for name, function in contestants.items():
            time.sleep(PAUSE)
            calls = turn if repeats is None else min(turn, repeats - len(times[name]))
            times[name] += [timed(function) for _ in range(calls)]
    return times


def finished(times, repeats, out_of_time):
    done = min(len(t) for t in times.values())
    return done >= repeats if repeats is not None else out_of_time and done >= LEAST


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


class Others:
    """The processes that are none of ours: how many cores they kept busy since this was made."""

    def __init__(self):
        self.start, self.before = time.perf_counter(), busy_elsewhere()

    def cores(self):
        """None where the system does not say."""
        if self.before is None:
            return None
        return max(0.0, busy_elsewhere() - self.before) / (time.perf_counter() - self.start)


def measured(contestants, options):
    """`race`, and what it says: {"ms", "ratio", "calls", "others", "all_ms"}, each of the first
    four for a table."""
    others = Others()
    times = race(contestants, options.seconds, options.repeats)
    all_ms = {name: [1000 * t for t in values] for name, values in times.items()}
    ms = {name: statistics.median(values) for name, values in all_ms.items()}
    calls = min(map(len, all_ms.values()))
    return {
        "ms": ms, "ratio": ratios(ms), "calls": calls, "others": others.cores(), "all_ms": all_ms,
    }


def ratios(costs):
    """{name: theirs / ours} of all but ours: above 1, ours is the faster, or the smaller."""
    return {
        name: cost / costs["ours"]
        for name, cost in costs.items()
        if name != "ours" and costs.get("ours")
    }
