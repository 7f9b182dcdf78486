"""Launches recorded once and repeated: a GPU is told a thousand small operations in one call."""

import contextlib

import numpy as np

from . import random
from .arrays import array_module, asarray


class Recording:
    """What a function launches on the GPU, as a CUDA graph, to be launched again with other inputs.

    `Recording(function, *arrays)` calls the function once, on copies of the arrays; nothing is computed then, only
    written down. Each `replay(*arrays)` copies these into the same memory, launches everything at once, and returns what
    the function returned: the same arrays with new contents. Python's own work is not repeated, so the function must not
    look at a value, and what is to differ must be in an array. Dropout is: a recorded mask takes its seed from memory, and
    every replay draws new ones from the generators that the function drew from, in their order.

    All memory that the function takes in between stays reserved, or a replay would write over what others keep there.

    Source: NVIDIA, CUDA C++ Programming Guide, section "CUDA Graphs".
    """

    def __init__(self, function, *arrays):
        cuda = array_module(arrays[0]).cuda
        self.inputs = [x.copy() for x in arrays]
        self.seeds = Seeds(arrays[0])
        self.memory, stream = cuda.MemoryPool(), cuda.Stream(non_blocking=True)
        with stream, cuda.using_allocator(self.memory.malloc), random.seeds_from(self.seeds):
            stream.begin_capture()
            try:
                self.outputs = function(*self.inputs)
            except BaseException:
                with contextlib.suppress(RuntimeError):                  # the graph is void, and says so
                    stream.end_capture()
                raise
            self.graph = stream.end_capture()

    def launch(self):
        """Compute with the inputs and the seeds that are there, right after the recording."""
        self.seeds.upload()
        self.graph.launch()                                              # on the stream where all else is launched
        return self.outputs

    def replay(self, *arrays):
        for mine, x in zip(self.inputs, arrays):
            mine[...] = asarray(x, like=mine)
        self.seeds.draw()
        return self.launch()


class Seeds:
    """Where recorded dropout finds its seeds: an array, and the generator that each of them is drawn from."""

    MOST = 4096

    def __init__(self, like):
        self.array = array_module(like).zeros(self.MOST, dtype="uint64")
        self.generators, self.drawn = [], []

    def next(self, generator):
        """A place in the array for the next seed of this generator, which is drawn now."""
        self.generators.append(generator)
        self.drawn.append(random.seed_of(generator))
        return self.array[len(self.drawn) - 1]

    def draw(self):
        self.drawn = [random.seed_of(generator) for generator in self.generators]

    def upload(self):
        if self.drawn:
            self.array[: len(self.drawn)] = asarray(np.array(self.drawn, dtype=np.uint64), like=self.array)
