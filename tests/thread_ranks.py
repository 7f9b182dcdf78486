"""Ranks that are threads of one process: what works on ranks of MPI is tried without MPI."""

import threading

import numpy as np

from minitransformer.parallel.mpi import Ranks


class Board:
    """What the ranks of a group have written for each other."""

    def __init__(self, size):
        self.barrier, self.notes = threading.Barrier(size, timeout=30), [None] * size


class Threads(Ranks):
    """A rank that is a thread of this process."""

    def __init__(self, board, rank):
        self.board, self.rank, self.size = board, rank, len(board.notes)

    def exchanged(self, note):
        self.board.notes[self.rank] = note
        self.board.barrier.wait()
        found = [*self.board.notes]
        self.board.barrier.wait()
        return found

    def all_bytes(self, content, patience=0):
        return self.exchanged(bytes(content))

    def all_equal_in_size(self, array, patience=0):
        return np.array(self.exchanged(array.copy()))

    def copy_of_first(self, array):
        array[...] = self.exchanged(array.copy())[0]

    def begin(self, sent, received):
        # as it is now, in case that somebody goes on writing into it
        return [([(to, array.copy()) for to, array in sent], received)]

    def move_on(self, begun):
        return False

    def finish(self, begun):
        sent, received = ([both for pair in begun for both in pair[i]] for i in (0, 1))
        found = self.exchanged(sent)
        mine = {rank: [a for to, a in note if to == self.rank] for rank, note in enumerate(found)}
        for rank, array in received:
            array[...] = mine[rank].pop(0)
        assert not any(mine.values())


def on_threads(size, function):
    """[function(ranks)] of each of `size` ranks. Raises what one of them raised."""
    board, results = Board(size), [None] * size

    def work(rank):
        try:
            results[rank] = function(Threads(board, rank))
        except BaseException as problem:
            results[rank] = problem
            board.barrier.abort()

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    problems = [r for r in results if isinstance(r, BaseException)]
    first = [p for p in problems if not isinstance(p, threading.BrokenBarrierError)]
    if first:
        raise first[0]
    assert not problems, "the ranks did not make the same calls"
    return results
