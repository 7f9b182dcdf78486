"""Table 1 of the paper, measured: operations, sequential steps and the longest path, of layers that
really run."""

import dataclasses
from collections.abc import Callable

import numpy as np

from ..attention import MultiHeadAttention
from ..core.observe import observe
from ..older import CausalConvolution, GRUCell, LocalAttention, Recurrence, RNNCell
from ..testing.counting import count_products
from .plan import KERNEL, WINDOW

BATCH, HEADS = 2, 4


@dataclasses.dataclass(frozen=True)
class LayerType:
    """A row of Table 1: how such a layer is made, which part of it is the core, and what is one
    step on a path.

    `make(d, size, index)` makes the layer with index 0, 1, … of a stack; `size` is the window r or
    the kernel k.
    """

    title: str
    per_layer: str  # complexity, as the paper has it
    sequential: str
    path: str
    make: Callable
    core: str = ""  # the path of the component whose products the paper counts; "" for all
    step: type | None = None
    size: int = 0
    sizes: tuple = ()  # where the complexity depends on r or k: further values to fit over


def rng():
    return np.random.default_rng(0)


def attention(d, size, index):
    return MultiHeadAttention(d, HEADS, rng())


def local_attention(d, size, index):
    return MultiHeadAttention(d, HEADS, rng(), attention=LocalAttention(size))


def convolution(d, size, index):
    return CausalConvolution(d, d, size, rng(), dilation=size**index)


def recurrence(d, size, index):
    return Recurrence(RNNCell(d, d, rng()))


def gated_recurrence(d, size, index):
    return Recurrence(GRUCell(d, d, rng()))


LAYERS = {
    "attention": LayerType("Self-attention", "O(n²·d)", "O(1)", "O(1)", attention, "attention",
                           MultiHeadAttention),
    "recurrent": LayerType("Recurrent", "O(n·d²)", "O(n)", "O(n)", recurrence, "", RNNCell),
    "convolution": LayerType("Convolutional (dilated)", "O(k·n·d²)", "O(1)", "O(log_k n)",
                             convolution, "", CausalConvolution, KERNEL, (2, 4, 6)),
    "local": LayerType("Self-attention (restricted)", "O(r·n·d)", "O(1)", "O(n/r)", local_attention,
                       "attention", MultiHeadAttention, WINDOW, (2, 4, 8)),
}  # fmt: skip
GATED = LayerType(
    "Recurrent, gated (GRU)", "O(n·d²)", "O(n)", "O(n)", gated_recurrence, "", GRUCell
)


def measure(plan, advance):
    """The whole table, as a dict that JSON can hold; `advance(1)` is called after each of
    `steps_of(plan)` rows."""
    widths = sorted({plan.table_width // 2, plan.table_width, 2 * plan.table_width})
    rows = {}
    for name, layer in {**LAYERS, "gated": GATED}.items():
        counts = [
            {"n": n, "d": d, "size": size, **count(layer, n, d, size)}
            for size in (*layer.sizes, layer.size)
            for d in widths
            for n in plan.table_lengths
        ]
        rows[name] = {
            "title": layer.title, "paper": [layer.per_layer, layer.sequential, layer.path],
            "counts": counts,
            "exponents": {part: exponents(counts, part) for part in ("core", "layer")},
            "paths": [[n, longest_path(layer, n)] for n in plan.table_lengths],
        }  # fmt: skip
        advance(1)
    crossings = []
    for d in widths:
        line = {"d": d}
        for part, other in (("core", "recurrent"), ("layer", "recurrent"), ("layer", "gated")):
            line[f"{part} against {other}"] = crossing(
                *curve(rows["attention"]["counts"], d, part),
                curve(rows[other]["counts"], d, part)[1],
            )
        crossings.append(line)
    return {"rows": rows, "crossings": crossings}


def steps_of(plan):
    return len(LAYERS) + 1


def count(layer, n, d, size):
    """Multiply-adds a sequence of the core and of the whole layer, forward, and the layer's
    sequential steps."""
    made = layer.make(d, size, 0)
    forward, _ = count_products(made, *inputs(made, n, d))
    return {
        "core": forward.multiply_adds(layer.core) / BATCH,
        "layer": forward.multiply_adds() / BATCH,
        "steps": forward.sequential_steps,
    }


def inputs(layer, n, d):
    """Random numbers (B, n, d); and a first state for a recurrence, so that its first step is a
    step like the others."""
    x = rng().standard_normal((BATCH, n, d)).astype(np.float32)
    return (x, x[:, 0]) if isinstance(layer, Recurrence) else (x,)


def exponents(counts, part):
    """{letter: exponent} of the power law c · n^a · d^b · size^e that fits the counts best, in
    logarithms."""
    letters = ["n", "d"] + (["size"] if len({c["size"] for c in counts}) > 1 else [])
    logs = np.log([[c[letter] for letter in letters] for c in counts])
    target = np.log([c[part] for c in counts])
    solution, *_ = np.linalg.lstsq(np.column_stack([np.ones(len(logs)), logs]), target, rcond=None)
    return {letter: float(a) for letter, a in zip(letters, solution[1:])}


def curve(counts, d, part):
    """(lengths, counts) of one width, at the layer's usual size."""
    usual = counts[-1]["size"]
    points = sorted({(c["n"], c[part]) for c in counts if c["d"] == d and c["size"] == usual})
    return [n for n, _ in points], [value for _, value in points]


def crossing(lengths, first, second):
    """The n at which the first curve overtakes the second, between measured points in logarithms.

    0 if it is above from the shortest length on, None if it is still below at the longest.
    """
    x, difference = np.log(lengths), np.log(first) - np.log(second)
    if difference[0] > 1e-12:
        return 0.0
    for i in range(len(x)):
        if abs(difference[i]) < 1e-12:
            return float(lengths[i])
        if i and difference[i - 1] < 0 < difference[i]:
            share = -difference[i - 1] / (difference[i] - difference[i - 1])
            return float(np.exp(x[i - 1] + share * (x[i] - x[i - 1])))
    return None


def longest_path(layer, n, d=8):
    """How many steps the gradient of the last output makes on its way to the first input, through
    as few layers as do.

    A step is one application of the layer, of a recurrence one of its cell. Layers are stacked
    until the first input gets a gradient; then all their applications are on the way, and are
    counted.
    """
    stack, found = [], 0
    while not found:
        stack.append(layer.make(d, layer.size, len(stack)))
        found = steps_to_the_first_input(stack, layer.step, n, d)
    return found


def steps_to_the_first_input(stack, step, n, d):
    """The applications of `step` in a stack, if the gradient of its last output comes to its first
    input; else 0."""
    # small and float64, so that no gradient vanishes on a long way
    x, steps = 0.1 * rng().standard_normal((1, n, d)), 0

    def after_backward(path, component, d_y, d_inputs):
        nonlocal steps
        steps += isinstance(component, step)

    for layer in stack:
        x = layer.to("float64")(x)
    d_x = np.zeros_like(x)
    d_x[:, -1] = 1
    for layer in reversed(stack):
        with observe(layer, on_backward=after_backward):
            d_x = layer.backward(d_x)
    return steps if np.any(d_x[:, 0]) else 0
