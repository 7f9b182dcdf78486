"""Launches recorded once and repeated: a GPU is told a thousand small operations in one call."""

import contextlib

import numpy as np

from ..backend import array_module, asarray, substituted_helpers
from ..backend.random import seed_of


class Recorder:
    """Makes recordings that share their memory, because only one of them plays at a time.

    Whatever a recorded step takes in between stays reserved, or a replay would write over what
    others keep there. `close()` gives it back.
    """

    def __init__(self, xp):
        self.xp = xp
        self.memory, self.stream = (
            xp.cuda.MemoryPool(self.allocate),
            xp.cuda.Stream(non_blocking=True),
        )

    def allocate(self, size):
        """Memory of the GPU, or MemoryError. At CUDA's own error the pool would give back what
        recordings use, and ask again."""
        try:
            return self.xp.cuda.MemoryPointer(self.xp.cuda.Memory(size), 0)
        except RuntimeError as problem:
            raise MemoryError(f"there is no memory left to record a step ({problem})") from None

    def record(self, function, *arrays):
        """(what the function returns, the graph of what it launches), which is written down and not
        done."""
        # unused memory that others have reserved
        self.xp.get_default_memory_pool().free_all_blocks()
        with self.stream, self.xp.cuda.using_allocator(self.memory.malloc):
            self.stream.begin_capture()
            try:
                outputs = function(*arrays)
            except BaseException:
                with contextlib.suppress(RuntimeError):  # the graph is void, and says so
                    self.stream.end_capture()
                raise
            return outputs, self.stream.end_capture()

    def close(self):
        """Give the memory back. No recording can be used any more."""
        self.memory.free_all_blocks()


class Recording:
    """What a function launches on the GPU, as a CUDA graph, to be launched again with other inputs.

    `Recording(recorder, function, *arrays)` calls the function on copies of the arrays, twice: for
    practice, so that all that it needs is there (compiled kernels, a library's workspace); and then
    nothing is computed, only written down. Each `replay(*arrays)` copies these into the same
    memory, launches everything at once, and returns what the function returned: the same arrays
    with new contents. Python's own work is not repeated, so the function must not look at a value,
    and what is to differ must be in an array. Dropout is: a recorded mask takes its seed from
    memory, and every replay draws new ones from the generators that the function drew from, in
    their order.

    Raises RuntimeError or MemoryError if CUDA refuses: because the function waits for the GPU, say.

    Source: NVIDIA, CUDA C++ Programming Guide, section "CUDA Graphs".
    """

    def __init__(self, recorder, function, *arrays):
        self.recorder = recorder  # whose memory this will need
        self.inputs = [x.copy() for x in arrays]
        self.seeds = Seeds(arrays[0])
        with substituted_helpers(device_seed=Rehearsal(self.seeds).next):
            function(*self.inputs)
        with substituted_helpers(device_seed=self.seeds.next):
            self.outputs, self.graph = recorder.record(function, *self.inputs)

    def launch(self):
        """Compute with the inputs and the seeds that are there, right after the recording."""
        self.seeds.upload()
        self.graph.launch()  # on the stream where all else is launched
        return self.outputs

    def replay(self, *arrays):
        for mine, x in zip(self.inputs, arrays):
            mine[...] = asarray(x, like=mine)
        self.seeds.draw()
        return self.launch()


class Rehearsal:
    """Hands out a place of `Seeds` without drawing: what is computed in a rehearsal is not used."""

    def __init__(self, seeds):
        self.place = seeds.array[0]

    def next(self, generator):
        return self.place


class Seeds:
    """Where recorded dropout finds its seeds: an array, and the generator that each of them is
    drawn from."""

    MOST = 4096

    def __init__(self, like):
        self.array = array_module(like).zeros(self.MOST, dtype="uint64")
        self.generators, self.drawn = [], []

    def next(self, generator):
        """A place in the array for the next seed of this generator, which is drawn now."""
        if len(self.drawn) == self.MOST:
            raise MemoryError(f"there is no room for the seeds of more than {self.MOST:,} dropouts")
        self.generators.append(generator)
        self.drawn.append(seed_of(generator))
        return self.array[len(self.drawn) - 1]

    def draw(self):
        self.drawn = [seed_of(generator) for generator in self.generators]

    def upload(self):
        if self.drawn:
            self.array[: len(self.drawn)] = asarray(
                np.array(self.drawn, dtype=np.uint64), like=self.array
            )
