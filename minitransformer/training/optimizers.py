"""Optimizers over the flat buffers, and clipping. The learning rate is a number or a schedule of
the step."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import (
    array_module,
    asarray,
    in_blocks,
    keep_freed_memory,
    on_host,
    substitute_for,
    sum_of_squares,
    update_mean,
)
from ..backend.updates import BLOCK
from ..boundary import (
    Epsilon,
    Floats,
    NonNegative,
    Positive,
    Probability,
    Rate,
    checked,
    expect,
)
from ..core.module import Module
from ..core.structure import Structure
from ..errors import InputError


class Optimizer:
    """What all optimizers share: the model's flat buffers, the step counter t = 1, 2, …, moments of
    the same length.

    `learning_rate` is a number, or a function of the step such as a schedule of
    `training/schedules.py`. `step()` reads the gradients that `backward` left and writes the
    parameters; it does not zero the gradients: `zero_grad()` does, the model's or, which is the
    same, the optimizer's.
    """

    moments: tuple[str, ...] = ()  # names of the arrays of shape (P,) that the subclass keeps
    # brings them here, while other processes have parts of them
    collect: Callable[[], None] | None = None

    @checked
    def __init__(self, model: Module, learning_rate: Rate):
        keep_freed_memory()  # steps will follow, in a loop of one's own too
        self.model = model
        self.learning_rate = learning_rate
        self.flat, self.structure = model.flatten(), Structure(model)
        self.t = 0
        for name in self.moments:
            setattr(self, name, array_module(self.flat.data).zeros_like(self.flat.data))

    def expect_own(self, model: Module) -> None:
        """Raise InputError unless it is this model's parameters that the optimizer moves."""
        if model is not self.model:
            raise InputError(
                "The optimizer was made for another model, so this one would learn nothing. Make "
                f"it after the model, and for it: {type(self).__name__}(model)."
            )

    def rate(self) -> float:
        """The learning rate of step t."""
        return self.learning_rate(self.t) if callable(self.learning_rate) else self.learning_rate

    def step(self) -> None:
        self.update(self.next_rate(), self.flat.grad)

    def zero_grad(self) -> None:
        """The model's `zero_grad`."""
        self.model.zero_grad()

    def next_rate(self) -> float:
        """Count a step; its learning rate. Raises InputError if the model's parameters are no
        longer those of this optimizer."""
        if not self.flat.intact():
            raise InputError(
                "The model's parameters have moved since this optimizer was made; make it after "
                "model.to(...), and for a copy of the model, anew."
            )
        if not self.structure.holds():
            self.expect_same_parameters()
        self.t += 1
        return expect(self.rate(), NonNegative, f"The learning rate of step {self.t}")

    def expect_same_parameters(self) -> None:
        """Raise InputError if the model has got or lost a parameter since the optimizer was
        made."""
        present, mine = self.model.named_parameters(), {*map(id, self.flat.parameters)}
        if {*map(id, present.values())} != mine:
            new = [name for name, p in present.items() if id(p) not in mine]
            change = (
                f"has new parameters, {', '.join(new[:3])}{' …' if new[3:] else ''},"
                if new
                else "has lost parameters"
            )
            raise InputError(
                f"The model {change} since this optimizer was made, which knows only the old ones. "
                "Make the optimizer anew."
            )
        self.structure = Structure(self.model)

    def update(self, rate: float, grad: Floats, part: slice = slice(None)) -> None:
        """Write the parameters and moments, or a part of them, by the rule of step t and these
        gradients (P,)."""
        arrays = self.flat.data, grad, *(getattr(self, name) for name in self.moments)
        in_blocks(functools.partial(self.rule, rate), *(array[part] for array in arrays))

    def rule(self, rate: float, data: Floats, grad: Floats, *moments: Any) -> None:
        """The formula of step t, element-wise, with θ = data, g = grad, η = rate: writes `data` and
        the moments."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Floats]:
        """{name: copy} of the moments; `t` is kept apart, as a number."""
        if self.collect:
            self.collect()
        return {name: getattr(self, name).copy() for name in self.moments}

    def load_state_dict(self, state: dict[str, Floats], t: int) -> None:
        """Take over `state_dict()` and the step. Raises InputError if a moment is missing or has
        another shape; then nothing changes."""
        for name in self.moments:
            if name not in state:
                raise InputError(
                    f"The optimizer's state lacks {name}; it has {', '.join(state) or 'nothing'}."
                )
            if (shape := expect(state[name], Floats, name).shape) != self.flat.data.shape:
                raise InputError(
                    f"The optimizer's {name} has shape {shape}, the model {self.flat.data.shape}."
                )
        for name in self.moments:
            getattr(self, name)[...] = asarray(state[name], like=self.flat.data)
        self.t = t


class SGD(Optimizer):
    """Stochastic gradient descent with momentum.

        v ← μ v + g      θ ← θ − η v

    Source: Polyak 1964; in the form that PyTorch uses (the rate outside the velocity).
    """

    moments = ("velocity",)

    @checked
    def __init__(self, model: Module, learning_rate: Rate = 0.01, momentum: Probability = 0.0):
        super().__init__(model, learning_rate)
        self.momentum = momentum

    def rule(self, rate: float, data: Floats, grad: Floats, velocity: Floats) -> None:
        velocity[...] = self.momentum * velocity + grad
        data -= rate * velocity


class Adam(Optimizer):
    """Adaptive moments.

        m ← β₁ m + (1−β₁) g      v ← β₂ v + (1−β₂) g²
        θ ← θ − η m̂ / (√v̂ + ε)      m̂ = m / (1−β₁ᵗ)      v̂ = v / (1−β₂ᵗ)

    Without the division by 1−βᵗ, the first step would be (1−β₁)/√(1−β₂) times as large: 3.16 times
    at
    β₂ = 0.999. Both divisions are folded into two scalars, which gives the same step:

        θ ← θ − ηₜ m / (√v + εₜ)      ηₜ = η √(1−β₂ᵗ) / (1−β₁ᵗ)      εₜ = ε √(1−β₂ᵗ)

    A parameter that never had a gradient has m = v = 0 and stays, because ε is not 0. The defaults
    are the paper's β and ε, and a common rate.

    Sources: Kingma & Ba 2015, algorithm 1 and section 2; Vaswani et al. 2017, section 5.3.
    """

    moments = ("first_moment", "second_moment")

    @checked
    def __init__(
        self,
        model: Module,
        learning_rate: Rate = 1e-3,
        beta1: Probability = 0.9,
        beta2: Probability = 0.98,
        epsilon: Epsilon = 1e-9,
    ):
        super().__init__(model, learning_rate)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def rule(
        self, rate: float, data: Floats, grad: Floats, m: Floats, v: Floats
    ) -> None:
        unbias1, unbias2 = 1 - self.beta1**self.t, (1 - self.beta2**self.t) ** 0.5
        step_size, epsilon = rate * unbias2 / unbias1, self.epsilon * unbias2
        if not on_host(data) and (faster := substitute_for("adam")):
            return faster(data, grad, m, v, self.beta1, self.beta2, step_size, epsilon)
        update_mean(m, self.beta1, grad)                                 # m ← β₁ m + (1−β₁) g
        update_mean(v, self.beta2, grad**2)                              # v ← β₂ v + (1−β₂) g²
        data -= step_size * (m / (array_module(v).sqrt(v) + epsilon))


class AdamW(Adam):
    """Adam with decoupled weight decay.

        θ ← (1 − η λ) θ, then Adam's step

    The decay does not pass through the moments, so it shrinks all parameters alike. As in PyTorch
    it acts on every parameter, biases and norms included.

    Source: Loshchilov & Hutter 2019, algorithm 2.
    """

    @checked
    def __init__(
        self,
        model: Module,
        learning_rate: Rate = 1e-3,
        beta1: Probability = 0.9,
        beta2: Probability = 0.98,
        epsilon: Epsilon = 1e-9,
        weight_decay: NonNegative = 0.01,
    ):
        super().__init__(model, learning_rate, beta1, beta2, epsilon)
        self.weight_decay = weight_decay

    def rule(
        self, rate: float, data: Floats, grad: Floats, m: Floats, v: Floats
    ) -> None:
        data *= 1 - rate * self.weight_decay
        super().rule(rate, data, grad, m, v)


@checked
def clip_by_global_norm(model: Module, max_norm: Positive | None) -> float:
    """Scale all gradients so that their joint norm √Σg² is at most max_norm; return the norm
    before.

    With max_norm None nothing is scaled, nor if a gradient is infinite or NaN, and so is the norm.
    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1.
    """
    return clip_gradients([model.flat_buffers().grad], max_norm)


def clip_gradients(grads, max_norm, joined=np.asarray):
    """The same for the gradients in these arrays (N,); or for this process's part of them, if
    `joined(values)`, of the values of each of its blocks, returns those of all processes in their
    order."""
    norm = joined(by_block(sum_of_squares, grads)).sum() ** 0.5
    largest = joined(by_block(largest_size, grads)).max() if norm == math.inf else 0.0
    if 0 < largest < math.inf:  # the squares are too large for the dtype, not the gradients
        scaled = [grad / largest for grad in grads]
        norm = largest * joined(by_block(sum_of_squares, scaled)).sum() ** 0.5
    if max_norm is not None and max_norm < norm < math.inf:
        for grad in grads:
            grad *= max_norm / float(norm)
    return float(norm)


def by_block(function, grads):
    """A number for each block, so that their sum does not depend on who has which of them."""
    values = []
    for grad in grads:
        block = BLOCK if on_host(grad) else max(1, grad.size)
        starts = range(0, grad.size, block)
        values += [float(function(grad[start : start + block])) for start in starts]
    return np.array(values)


def largest_size(grad):
    return abs(grad).max()
