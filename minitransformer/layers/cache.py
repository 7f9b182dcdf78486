"""What a layer keeps of earlier positions, so that decoding does not process them again for every
token."""

from ..backend import array_module, asarray
from ..core.module import saving
from ..errors import InputError


class Cache:
    """Arrays (…, n, features) over the positions read so far: in attention keys and values, in a
    convolution its input.

    A layer passes to `extend` its arrays for the new positions and gets back those for all
    positions. The arrays lie in buffers with spare room, so that a new position is written and
    nothing is copied. A `copied` cache shares the buffers until both are extended: the second one
    to write gets buffers of its own, so that an older state stays usable.

    A cache serves decoding, where no backward follows: outside `no_grad()` it raises InputError.
    """

    def __init__(self, arrays=None):
        self.hold(arrays)

    def hold(self, arrays):
        self.buffers = arrays
        self.length = 0 if arrays is None else arrays[0].shape[-2]
        # how many positions of the buffers are in use: one list for all caches that share them
        self.written = [self.length]

    @property
    def arrays(self):
        """Views of all positions."""
        return tuple(buffer[..., : self.length, :] for buffer in self.buffers)

    def extend(self, *new):
        """Append along the positions; return the arrays of all positions."""
        expect_no_grad()
        length = self.length + new[0].shape[-2]
        if self.buffers is None:
            self.buffers = tuple(x[..., :0, :] for x in new)
        if length > self.buffers[0].shape[-2] or self.written[0] > self.length:
            self.buffers = tuple(roomy(past, 2 * length) for past in self.arrays)
            self.written = [self.length]
        for buffer, x in zip(self.buffers, new):
            buffer[..., self.length : length, :] = x
        self.length = self.written[0] = length
        return self.arrays

    def once(self, make):
        """The arrays that `make()` returned at the first call: for what never grows, such as an
        encoder's keys."""
        expect_no_grad()
        if self.buffers is None:
            # they will be read for every token
            self.hold(tuple(array_module(x).ascontiguousarray(x) for x in make()))
        return self.arrays

    def copy(self):
        """A cache of the same positions; extending either leaves the other as it is."""
        copy = Cache()
        copy.buffers, copy.length, copy.written = self.buffers, self.length, self.written
        return copy


def roomy(x, positions):
    """A new array (…, positions, features) that begins with x (…, n, features)."""
    buffer = array_module(x).empty((*x.shape[:-2], positions, x.shape[-1]), dtype=x.dtype)
    buffer[..., : x.shape[-2], :] = x
    return buffer


def expect_no_grad():
    if saving():
        raise InputError(
            "A cache is for decoding: use it inside no_grad(), where nothing is saved for backward."
        )


def copied(caches):
    """Copies of all caches in a list, which may be nested."""
    return caches.copy() if isinstance(caches, Cache) else [copied(cache) for cache in caches]


def take_rows(state, rows):
    """The state of these rows of the batch: every array in it, through tuples, lists and caches, by
    its first axis.

    `rows` are their indices, (N,), on any device.
    """
    if isinstance(state, Cache):
        return Cache() if state.buffers is None else Cache(take_rows(state.arrays, rows))
    if isinstance(state, (tuple, list)):
        return type(state)(take_rows(part, rows) for part in state)
    return state[asarray(rows, like=state)] if getattr(state, "ndim", 0) else state
