"""The training loop: first in ten lines, then with hooks, checks, and a choice of how a batch is
computed."""

import contextlib
import copy
import math
from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

from ..backend import on_host
from ..boundary import Function, Having, ListOf, Natural, Positive, checked
from ..core.module import Module
from ..data.batching import Batch, batch_from
from ..data.vocabulary import PAD
from ..errors import InputError, NonFiniteError
from ..terminal.progress import steps_bar
from .generators import rewind, states_of
from .gradients import Loss, gradients
from .non_finite import explain_non_finite
from .optimizers import Optimizer, clip_by_global_norm

NextBatch = Annotated[
    Callable[[], Batch],
    Having("a function that returns the next Batch, passed without its ()", "__call__"),
]


@checked
def plain_loop(
    model: Module, loss: Loss, optimizer: Optimizer, next_batch: NextBatch, steps: Natural,
    max_norm: Positive | None = None,
) -> list[float]:
    """Train until the optimizer has made `steps` steps; return the losses. `train` computes the
    same numbers."""
    optimizer.expect_own(model)
    model.train()
    losses = []
    while optimizer.t < steps:
        source, target_in, target_out = batch_from(next_batch, loss)
        model.zero_grad()
        logits = model(source, target_in)                                # forward, (B, T, V)
        losses.append(loss(logits, target_out))
        model.backward(loss.backward())
        clip_by_global_norm(model, max_norm)
        optimizer.step()
    return losses


class Plain:
    """How `train` computes a batch, unless it is told another way: whole, in this process, as
    `plain_loop` does.

    Every way, a strategy, is a class like this one. `train` makes one,
    `strategy(model, loss, optimizer)`, works inside its `with` block, which opens and closes what
    it needs (processes, say), and calls, for each batch:

    - `compute(batch)`: let the model's gradients be those of the batch's mean loss; return that
      loss;
    - `clip(max_norm)`: scale them so that their joint norm is at most that; return the norm before;
    - `update()`: the optimizer's step;
    - `again(batch)`: `compute` once more, component by component in this process, where it can be
      observed.

    With `skip_padding`, a model that packs (see `Packing`) computes nothing at padding: its
    components get the real positions in one row, (N, D) in place of (B, T, D).
    """

    @checked
    def __init__(
        self, model: Module, loss: Loss, optimizer: Optimizer, skip_padding: bool = False
    ):
        optimizer.expect_own(model)
        self.model, self.optimizer, self.skip_padding = model, optimizer, skip_padding
        self.loss = on_same_device(loss, optimizer.flat.data)

    def __enter__(self) -> "Plain":
        return self

    def __exit__(self, *_):
        pass

    def compute(self, batch: Batch) -> float:
        self.optimizer.flat.zero_grad()
        return gradients(self.model, self.loss, batch, skip_padding=self.skip_padding)

    def clip(self, max_norm: float | None) -> float:
        return clip_by_global_norm(self.model, max_norm)

    def update(self) -> None:
        self.optimizer.step()

    def again(self, batch: Batch) -> float:
        return self.compute(batch)


class Progress(NamedTuple):
    """What a hook is told after each step."""

    step: int
    loss: float
    gradient_norm: float
    learning_rate: float
    tokens: int


Hooks = Annotated[
    Sequence[Callable[[Progress], object]], ListOf(Function, "a list of functions of the Progress")
]
Strategy = Annotated[
    Callable[..., Plain],
    Having("a strategy: a class such as Plain, or in_shares(2)", "__call__", or_class=True),
]


@checked
def train(
    model: Module, loss: Loss, optimizer: Optimizer, next_batch: NextBatch, steps: Natural,
    max_norm: Positive | None = None, hooks: Hooks = (), strategy: Strategy = Plain,
    bar: bool = True,
) -> None:
    """Train until the optimizer has made `steps` steps; call every hook with the `Progress` after
    each.

    `next_batch()` returns a `Batch`; `max_norm` clips the gradients' joint norm. A loss or gradient
    that is NaN or infinite raises NonFiniteError before the parameters are touched.

    `strategy` says how a batch is computed: see `Plain`. Others, for speed, are
    `in_shares(2, skip_padding=True)` of `training/strategies.py` and, on a GPU, `Replays` of
    `gpu/replays.py`. With `bar`, a progress bar shows the loss in a terminal and in a notebook, if
    the training takes longer than a second.
    """
    if optimizer.t >= steps > 0:
        raise InputError(
            f"The optimizer has made {optimizer.t} steps, and steps={steps} is the number of all "
            f"steps. To train {steps} more: steps=optimizer.t + {steps}."
        )
    model.clear_saves()  # of a forward before, or of a step that was interrupted
    model.train()
    components = [component for _, component in model.named_modules()]
    generators = model.generators()
    shown = steps_bar(steps, optimizer.t) if bar else contextlib.nullcontext(lambda loss: None)
    with strategy(model, loss, optimizer) as strategy, shown as show:
        while optimizer.t < steps:
            batch, drawn_from = batch_from(next_batch, loss), states_of(generators)
            value = strategy.compute(batch)  # zero_grad, forward, loss, backward
            norm = strategy.clip(max_norm)
            if not (math.isfinite(value) and math.isfinite(norm)):
                rewind(generators, drawn_from)  # the same dropout, for a closer look
                raise NonFiniteError(explain_non_finite(model, strategy, batch, optimizer.t + 1))
            strategy.update()                                            # the optimizer's step
            if any(component.pending() for component in components):
                left = ", ".join([*model.leftover_saves()][:3])
                raise RuntimeError(
                    f"Step {optimizer.t} left a forward that no backward undid, in {left}."
                )
            tokens = sum(
                int((ids != PAD).sum())
                for ids in (batch.source, batch.target_out)
                if ids is not None
            )
            show(value)
            for hook in hooks:
                hook(Progress(optimizer.t, value, norm, optimizer.rate(), tokens))


def on_same_device(loss, data):
    """The loss; if it has arrays in the CPU's memory and the parameters are on a GPU, a copy of it
    there."""
    if on_host(data) or not isinstance(loss, Module):
        return loss
    arrays = [p.data for p in loss.parameters()] + [
        x for _, m in loss.named_modules() for x in vars(m).values()
    ]
    return copy.deepcopy(loss).to("gpu") if any(map(on_host, arrays)) else loss
