"""A cell applied over time, and its gradient back through time."""

from typing import Annotated

from ..backend import array_module
from ..boundary import Floats, Generator, Gradients, Instance, Mask
from ..core.module import Module
from ..errors import InputError
from .cells import Cell, GRUCell, RNNCell

Sequence = Annotated[Floats, "B, T, X"]
Real = Annotated[Mask, "B, T"]
AnyCell = Annotated[Cell, Instance(Module)]  # checked as any component is


class Recurrence(Module):
    """Read a sequence step by step with one cell; each step begins with the state of the step
    before.

        h_t = cell(x_t, h_{t−1})      y_t = h_t

    Backward through time: the cell's own backward undoes its steps, the last one first, each with
    its own saves. State t is both an output and the input of step t + 1, so its gradient is a sum:

        d_h = d_y_t + d_h_{t+1}      (d_x_t, d_h_t) = cell.backward(d_h)

    `forward(x, h=None, mask=None)` begins with h, or with zeros; backward returns d_x, or
    (d_x, d_h) if h was given. With a mask, padding (False) is skipped and the state is carried
    over, so that the last column holds the state after the last token. `reverse` reads from the end
    to the beginning; y_t is still the state at position t.

    Raises InputError if x is no batch of sequences, h has another shape, or the mask is not (B, T).

    Shapes: x (B, T, X), h (B, D), mask (B, T), y (B, T, D). Source: Rumelhart et al. 1986; Werbos
    1990; Goodfellow et al. 2016, section 10.2.2.
    """

    def __init__(self, cell: AnyCell, reverse: bool = False):
        self.cell = cell
        self.reverse = reverse

    def forward(
        self, x: Sequence, h: Annotated[Floats, "B, D"] | None = None, mask: Real | None = None
    ) -> Floats:
        self.expect_inputs(x, h)
        self.save(mask, h is not None)
        xp = array_module(x)
        if h is None:
            h = xp.zeros((x.shape[0], self.cell.state_features), dtype=x.dtype)
        states = [None] * x.shape[1]
        for t in self.order(x.shape[1]):
            new = self.cell(x[:, t], h)                                  # (B, D)
            states[t] = h = new if mask is None else xp.where(mask[:, t, None], new, h)
        return xp.stack(states, axis=1)                                  # (B, T, D)

    def backward(self, d_y: Floats) -> Gradients:
        mask, began_with_h = self.saved()
        xp = array_module(d_y)
        d_x, d_h = [None] * d_y.shape[1], xp.zeros_like(d_y[:, 0])
        for t in reversed(self.order(d_y.shape[1])):
            d_h = d_h + d_y[:, t]                                        # (B, D)
            d_new, d_carried = (d_h, 0) if mask is None else only(mask[:, t, None], d_h)
            d_x[t], d_h = self.cell.backward(d_new)
            d_h = d_h + d_carried
        d_x = xp.stack(d_x, axis=1)                                      # (B, T, X)
        return (d_x, d_h) if began_with_h else d_x

    def order(self, length: int) -> range:
        return range(length - 1, -1, -1) if self.reverse else range(length)

    def expect_inputs(self, x: Floats, h: Floats | None) -> None:
        if x.shape[1] == 0:
            raise InputError(
                "A recurrence reads a batch of sequences (batch, length, features), got shape "
                f"{x.shape}."
            )
        if h is not None and h.shape != (x.shape[0], self.cell.state_features):
            expected = (x.shape[0], self.cell.state_features)
            raise InputError(
                f"The first state h has shape {h.shape}, but this cell needs {expected}: one state "
                "for each sequence."
            )

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        x, real = rng.standard_normal((3, 6, 5)), rng.random((3, 6)) < 0.8
        return cls(GRUCell(5, 7, rng)), x, rng.standard_normal((3, 7)), real


def only(real, d_h):
    """d_h (B, D) in two parts: the gradient that goes back through the cell, and the one that
    padding passes on unchanged."""
    xp = array_module(d_h)
    return xp.where(real, d_h, 0), xp.where(real, 0, d_h)


class Bidirectional(Module):
    """Read a sequence in both directions, so that the annotation of each position depends on what
    comes before and after it.

        y_t = [h→_t ; h←_t]      end = [h→_T ; h←_1], the last state of each reading

    Backward takes (d_y, d_end): the ends are parts of y, so their gradients are added there; then
    each half goes back through its own recurrence, and d_x is the sum of the two.

    The cells may have unlike states, D and E features: y is 2D wide where they are alike.

    Shapes: x (B, T, X), mask (B, T), y (B, T, D + E), end (B, D + E). Sources: Schuster & Paliwal
    1997; Bahdanau et al. 2015, section 3.2.
    """

    def __init__(self, forward_cell: AnyCell, backward_cell: AnyCell):
        self.forwards = Recurrence(forward_cell)
        self.backwards = Recurrence(backward_cell, reverse=True)

    def forward(self, x: Sequence, mask: Real | None = None) -> tuple[Floats, Floats]:
        self.save()
        xp = array_module(x)
        ahead = self.forwards(x, mask=mask)                              # (B, T, D)
        back = self.backwards(x, mask=mask)                              # (B, T, E)
        end = xp.concatenate([ahead[:, -1], back[:, 0]], axis=-1)        # (B, D + E)
        return xp.concatenate([ahead, back], axis=-1), end

    def backward(self, d_y: Floats, d_end: Floats) -> Floats:
        self.saved()
        width = self.forwards.cell.state_features
        d_ahead, d_back = d_y[..., :width].copy(), d_y[..., width:].copy()  # (B, T, D), (B, T, E)
        d_ahead[:, -1] += d_end[..., :width]
        d_back[:, 0] += d_end[..., width:]
        return self.backwards.backward(d_back) + self.forwards.backward(d_ahead)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        real = rng.random((3, 6)) < 0.8
        return cls(RNNCell(5, 7, rng), RNNCell(5, 4, rng)), rng.standard_normal((3, 6, 5)), real
