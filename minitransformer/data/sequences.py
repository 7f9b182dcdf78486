"""Sequences of ids of different lengths, in one array without padding."""

from collections.abc import Iterable, Iterator

import numpy as np

from .vocabulary import PAD


class Sequences:
    """N sequences, one behind the other in `ids` (n,); sequence i ends before place `ends[i]`.

    `sequences[rows]` are some of them as one padded array, (rows, longest of these) int64. The
    arrays may lie in a file (`numpy.memmap`): only the rows that are asked for are read.
    """

    def __init__(self, ids: np.ndarray, ends: np.ndarray, order: np.ndarray | None = None):
        self.ids, self.ends, self.order = ids, ends, order

    @classmethod
    def of(cls, rows: "np.ndarray | Sequences") -> "Sequences":
        """From padded ids (N, S), or as they are."""
        if isinstance(rows, Sequences):
            return rows
        real = rows != PAD
        return cls(rows[real], real.sum(axis=1).cumsum())

    @classmethod
    def joined(cls, rows: Iterable) -> "Sequences":
        """From lists or arrays of ids, one for each sequence."""
        rows = [np.asarray(row, dtype=np.int32) for row in rows]
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        return cls(np.concatenate([np.zeros(0, np.int32), *rows]), lengths.cumsum())

    def __len__(self) -> int:
        return len(self.ends if self.order is None else self.order)

    @property
    def lengths(self) -> np.ndarray:
        """How many ids each has, (N,)."""
        lengths = np.diff(self.ends, prepend=0)
        return lengths if self.order is None else lengths[self.order]

    def __getitem__(self, rows) -> np.ndarray:
        rows = np.arange(len(self))[rows] if self.order is None else self.order[rows]
        ends = np.asarray(self.ends[rows])
        starts = np.where(rows == 0, 0, self.ends[rows - 1])
        places = np.arange((ends - starts).max(initial=0))               # (S,)
        real = places < (ends - starts)[:, None]                         # (rows, S)
        padded = np.full(real.shape, PAD, dtype=np.int64)
        padded[real] = self.ids[(starts[:, None] + places)[real]]
        return padded

    def places(self) -> Iterator[tuple[int, int]]:
        """(begin, end) in `ids` of each, in the order in which they lie there."""
        begin = 0
        for end in self.ends.tolist():
            yield begin, end
            begin = end

    def reordered(self, order: np.ndarray) -> "Sequences":
        """The same in another order, (N,) rows; no id is copied."""
        return Sequences(self.ids, self.ends, order if self.order is None else self.order[order])
