"""A function of many items, computed by several processes; its values come in the items' order."""

import collections
import contextlib
import itertools
import json

import numpy as np

from .mpi import OnAllRanks, Ranks
from .processes import Fork, cores, one_blas_thread

# seconds that ranks wait for an item, which somebody may be typing, or for its value
WORKING = 3600.0
AHEAD = 4  # items for each process that may be begun while the first of them is computed
REMEDY = "Try again. One process alone needs less memory: --jobs 1 (in Python jobs=1)."


def in_order(function, items, workers):
    """Yield function(item) of each item, in their order: computed by `workers` forks of this
    process (None: one for each core), or by itself for one worker or one item, and where processes
    cannot be forked; or by the ranks of MPI, all of which call this.

    `function` must not remember what it was called with before: no value depends on the number of
    workers. Items and values are what `packed` takes. Forks take items ahead, at most `AHEAD` for
    each of them; where items come slowly and each is waited for, take one worker. Errors are raised
    in this process, at their place: what comes before has been yielded. Raises ChildProcessError if
    a fork has ended, or stays stopped, or if a rank does not answer.

    With ranks, the items are those of rank 0, and every rank yields all values, or raises.
    """
    problems: list = []
    items = until_error(items, problems)
    ranks = workers if isinstance(workers, Ranks) else None
    first = list(itertools.islice(items, 2)) if workers != 1 and not ranks else []
    items = itertools.chain(first, items)
    if ranks:
        yield from on_ranks(function, items, problems, ranks)
    elif first[1:] and cores() > 1:
        yield from side_by_side(function, items, workers or cores())
    else:
        yield from map(function, items)
    for problem in problems:
        raise problem


def packed(value):
    """None, texts, numbers, arrays, and lists and tuples of these, as bytes. (Not pickled: who
    unpickles runs whatever the bytes say.)"""

    def array(x):
        x = np.asarray(x)
        if x.dtype.kind not in "biuf":
            raise TypeError(f"No {type(x).__name__} of {x.dtype} can be packed.")
        return {"dtype": x.dtype.str, "shape": x.shape, "bytes": x.tobytes().hex()}

    return json.dumps(value, default=array).encode()


def unpacked(message):
    """What `packed` was given; a tuple is a list now, and NumPy's numbers are arrays ()."""

    def array(x):
        return np.frombuffer(bytes.fromhex(x["bytes"]), x["dtype"]).reshape(x["shape"]).copy()

    return json.loads(message, object_hook=array)


def until_error(items, problems):
    """The items; the error that ends them, if one does, is put into the list `problems`."""
    try:
        yield from items
    except Exception as problem:
        problems.append(problem)


class Task:
    """An item, the fork that is computing its value, None once it has replied, and the reply."""

    def __init__(self, item, fork):
        self.item, self.fork, self.reply = item, fork, None


def side_by_side(function, items, workers):
    """`in_order` by forks, each of which has one item at a time: so a fork that is sent something
    is waiting for it, and whatever it replies is read."""

    def start():
        return lambda message: packed(function(unpacked(message)))

    forks, free = [], []
    tasks: collections.deque = collections.deque()  # begun, and not yet yielded
    with contextlib.ExitStack() as opened:
        opened.enter_context(one_blas_thread())
        for item in items:
            while len(tasks) == AHEAD * workers or len(forks) == workers and not free:
                yield from finished(function, tasks, free)
            if not free:
                forks.append(Fork(start, forks, REMEDY))
                opened.callback(forks[-1].close)
                free.append(forks[-1])
            tasks.append(Task(item, free.pop()))
            tasks[-1].fork.send(packed(item))
        while tasks:
            yield from finished(function, tasks, free)


def finished(function, tasks, free):
    """Wait until a fork replies; then yield the values that are next in order, maybe none."""
    from multiprocessing.connection import wait

    at_work = {task.fork.pipe: task for task in tasks if task.fork}
    replied: list = []

    def ready():
        replied[:] = wait(at_work, 0.2)
        return replied

    tasks[0].fork.expect_running(ready)  # the one that all wait for
    for task in (at_work[pipe] for pipe in replied):
        task.reply = task.fork.receive()
        free.append(task.fork)
        task.fork = None
    while tasks and not tasks[0].fork:
        task = tasks.popleft()
        # None: it failed, and fails here too, where the error can be met
        yield function(task.item) if task.reply is None else unpacked(task.reply)


def on_ranks(function, items, problems, ranks):
    """`in_order` by ranks of MPI, in rounds: rank 0 hands out an item for each rank, and they
    exchange the values. So all wait for the slowest; but what is awaited stays small, and rank 0
    takes no item before the values of the last round have been used: whoever sends the items may
    wait for them.

    Takes `problems` of rank 0, and gives one with its sentence to the others.
    """
    taken = None
    with one_blas_thread():
        while taken is None or len(taken) == ranks.size:
            first = None
            if ranks.rank == 0:
                first = [*itertools.islice(items, ranks.size)], [*map(str, problems)]
            taken, said = unpacked(ranks.from_first(packed(first), WORKING))
            reply = b""
            with contextlib.suppress(Exception):  # all do it again, and meet the error together
                reply = packed(function(taken[ranks.rank])) if ranks.rank < len(taken) else b""
            for item, value in zip(taken, ranks.all_bytes(reply, WORKING)):
                yield unpacked(value) if value else function(item)
    if ranks.rank:
        problems.extend(map(OnAllRanks, said))
