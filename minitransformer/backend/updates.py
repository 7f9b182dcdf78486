"""Elementwise work on long flat arrays, a cache-full at a time."""

from .arrays import on_host

# elements: a handful of float32 arrays of this length stay in a core's second-level cache
BLOCK = 1 << 15


def in_blocks(function, *arrays, block=BLOCK):
    """function(*arrays) on slices of equal position: the same result for an elementwise in-place
    function.

    An optimizer makes several passes over parameters, gradients and moments. Whole arrays travel
    from main memory on every pass; a block travels once. On a GPU one block is all.
    """
    block = block if on_host(arrays[0]) else max(1, arrays[0].size)
    for start in range(0, arrays[0].size, block):
        function(*(a[start : start + block] for a in arrays))


def scaled(result, factor):
    """c y of a result y that nobody else has: `y * c`, in its own memory."""
    result *= factor
    return result


def update_mean(mean, beta, new):
    """mean ← β mean + (1 − β) new, in the memory of `mean`: an exponential moving average."""
    mean *= beta
    mean += (1 - beta) * new
