"""A trace of a model: the inputs, outputs, cost and saves of every component."""

import collections
import dataclasses
import html
import re
import time
from typing import Any

import numpy as np

from ..core.module import Module
from ..core.observe import observe
from .counting import count_products
from .gradient_check import as_tuple, expect_component, outputs_of

PASSES = 3
COLUMNS = (
    "component", "input", "output", "parameters", "multiply-adds", "saved", "forward", "backward",
)
LEFT = 3  # columns of words and shapes, aligned left; those of numbers are aligned right


@dataclasses.dataclass
class TraceRow:
    """One component: all numbers include what is below it; the shapes are those of its first
    forward."""

    path: str
    kind: str
    depth: int
    inputs: tuple
    output: tuple
    calls: int
    parameters: int
    multiply_adds: int  # of one forward and one backward
    saved_bytes: int
    forward_seconds: float
    backward_seconds: float

    @property
    def cells(self):
        """The row as texts, in the order of COLUMNS."""
        name = re.search(r"[^.]*(\.\d+)?$", self.path)[0] or "the whole"  # type: ignore[index]  # layers.0, not 0
        times = f" ×{self.calls}" if self.calls > 1 else ""
        return (
            f"{'  ' * self.depth}{name} ({self.kind}){times}", shapes(self.inputs),
            shapes(self.output), f"{self.parameters:,}", f"{self.multiply_adds:,}",
            f"{self.saved_bytes / 1024:,.1f} KiB", f"{1e3 * self.forward_seconds:.2f} ms",
            f"{1e3 * self.backward_seconds:.2f} ms",
        )  # fmt: skip


@dataclasses.dataclass(repr=False)
class Trace:
    """The rows of one forward and backward, parents first. Printed, a tree; in a notebook, a table.

    `below(path)` is the trace of one part, `to_depth(n)` leaves out deeper components; both are
    traces themselves.
    """

    rows: list

    def below(self, path):
        """The rows of the component at this path and of all below it."""
        rows = [row for row in self.rows if row.path == path or row.path.startswith(path + ".")]
        return Trace([dataclasses.replace(row, depth=row.depth - self[path].depth) for row in rows])

    def to_depth(self, depth):
        """The rows down to a depth: 0 is the model alone, 1 its parts too."""
        return Trace([row for row in self.rows if row.depth <= depth])

    def __getitem__(self, path):
        """The row of the component at this path."""
        return next(row for row in self.rows if row.path == path)

    def __repr__(self):
        table = [COLUMNS, *(row.cells for row in self.rows)]
        widths = [max(len(row[i]) for row in table) for i in range(len(COLUMNS))]
        align = ["<"] * LEFT + [">"] * (len(COLUMNS) - LEFT)
        lines = ["  ".join(f"{c:{a}{w}}" for c, a, w in zip(row, align, widths)) for row in table]
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self):
        style = "white-space:pre;text-align:"
        rows = ["".join(f"<th style='{style}left'>{c}</th>" for c in COLUMNS)]
        for row in self.rows:
            cells = enumerate(map(html.escape, row.cells))
            rows.append(
                "".join(
                    f"<td style='{style}{'left' if i < LEFT else 'right'}'>{c}</td>"
                    for i, c in cells
                )
            )
        return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def trace(component: Module, *inputs: Any) -> Trace:
    """Follow one forward and one backward through a component and all below it. Returns a `Trace`.

    For each: its path, the shapes that go in and come out, how many parameters it has, the
    multiply-adds of the matrix products of both directions, the bytes that forward saves for
    backward (memory that several components save counts once), and the time, the best of three
    passes. The gradient that comes in is 1 everywhere; gradients, parameters and random generators
    are left as they were. Raises InputError if there is no array of floats to follow.
    """
    expect_component("trace", component)
    states = [(g, g.bit_generator.state) for g in component.generators()]
    grads = [p.grad.copy() for p in component.parameters()]
    component.clear_saves()
    try:
        walks = [_Walk(component, inputs) for _ in range(PASSES)]
        forward, backward = count_products(component, *inputs)
    finally:
        component.clear_saves()
        for p, grad in zip(component.parameters(), grads):
            p.grad[...] = grad
        for generator, state in states:
            generator.bit_generator.state = state

    rows, depths, products = [], {}, forward.all + backward.all
    first_path = {id(module): path for path, module in component.named_modules()}
    for path, module in component.named_modules():
        if path in walks[0].shapes:  # not for a component that only holds others, or was not used
            above = [p for p in depths if not p or path.startswith(p + ".")]
            # a sublayer in a Residual also has a path of its own
            inside = {first_path[id(m)] for _, m in module.named_modules()}
            depths[path] = max((depths[p] + 1 for p in above), default=0)
            rows.append(TraceRow(  # type: ignore[call-arg]  # the shapes are a pair
                path, type(module).__name__, depths[path], *walks[0].shapes[path],
                walks[0].calls[path], module.parameter_count(),
                sum(p.multiply_adds for p in products if p.path in inside), walks[0].saved[path],
                min(w.seconds["forward", path] for w in walks),
                min(w.seconds["backward", path] for w in walks),
            ))  # fmt: skip
    return Trace(rows)


class _Walk:
    """The result of one timed pass: {path: (shapes of the inputs, of the output)}, calls, bytes
    saved, seconds."""

    def __init__(self, component, inputs):
        self.shapes, self.calls, self.seconds = {}, collections.Counter(), collections.Counter()
        self.began, self.direction = [], "forward"
        with observe(component, self.leave, self.leave, self.enter):
            outputs = outputs_of(component, component.forward(*inputs))
            self.saved = {path: saved_bytes(module) for path, module in component.named_modules()}
            self.direction = "backward"
            component.backward(*(np.ones_like(y) for y in outputs))

    def enter(self, path, component):
        self.began.append(time.perf_counter())

    def leave(self, path, component, inputs, output):
        self.seconds[self.direction, path] += time.perf_counter() - self.began.pop()
        if self.direction == "forward":
            self.calls[path] += 1
            self.shapes.setdefault(path, (shapes_of(inputs), shapes_of(as_tuple(output))))


def saved_bytes(component):
    """How many bytes the component and all below it hold for their backward, each piece of memory
    once."""
    pieces = {}
    for _, module in component.named_modules():
        for values in vars(module).get("_saves", ()):
            for value in values:
                if isinstance(value, np.ndarray):
                    pieces[value.__array_interface__["data"][0], value.nbytes] = value.nbytes
    return sum(pieces.values())


def shapes_of(values):
    """The shapes of the arrays among the values."""
    return tuple(v.shape for v in values if hasattr(v, "shape"))


def shapes(several):
    return ", ".join(f"({', '.join(map(str, shape))})" for shape in several)
