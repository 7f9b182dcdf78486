"""Rows of a table that are chosen by number, or by yes and no."""

import numpy as np

from .arrays import array_module, on_host


def add_rows(table, ids, rows):
    """The gradient of a look-up: table[ids[n]] += rows[n] for every n, repeated ids included:
    `numpy.add.at(table, ids, rows)`, in place.

    Shapes: table (V, D), ids (N,), rows (N, D).

    Sorting brings equal ids together, `reduceat` sums each run, and then every row of the table is
    touched once: many times faster than `numpy.add.at`. CuPy has no `reduceat`; its own scatter-add
    serves there.
    """
    xp = array_module(table)
    if xp is not np:
        xp.add.at(table, ids, rows)
        return
    order = np.argsort(ids, kind="stable")
    sorted_ids = ids[order]
    starts = np.flatnonzero(np.r_[True, sorted_ids[1:] != sorted_ids[:-1]])
    table[sorted_ids[starts]] += np.add.reduceat(rows[order], starts, axis=0)


def zero_rows(table, chosen):
    """`table[chosen] = 0`, in place, whatever stands there. Shapes: table (N, D), chosen (N,) bool.

    CuPy would have to look how many are chosen, and wait for it; all numbers are gone through
    instead.
    """
    if on_host(table):
        table[chosen] = 0
    else:
        array_module(table).copyto(table, 0, where=chosen[:, None])
