"""Module: the one contract that every component keeps.

A component is a class with `forward` and, directly under it, `backward`, whose lines undo forward's
lines in reverse order. `forward` saves what `backward` needs; `backward(d_y)` takes ∂loss/∂y, adds
to the gradient of each parameter, and returns ∂loss/∂x for every float input of `forward`, in the
same order (one: the array itself; several: a tuple; none: None).
"""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.random import Generator

from ..backend import DEVICES, asarray, chosen_device, move
from ..backend.arrays import hint_at_gpu
from ..boundary import Floats, expect
from ..boundary.calls import guard, now, thread
from ..errors import BackwardWithoutForward, InputError
from .parameter import FlatBuffers, Parameter

Self = TypeVar("Self", bound="Module")  # the class of the object itself


@contextlib.contextmanager
def no_grad() -> Iterator[None]:
    """Inside, `forward` saves nothing: for evaluation and decoding, where no backward follows."""
    before = thread.saving
    now(False, thread.inside)
    try:
        yield
    finally:
        now(before, thread.inside)


def saving() -> bool:
    """Whether `forward` saves: not inside `no_grad()`."""
    return thread.saving


@contextlib.contextmanager
def own_modes() -> Iterator[None]:
    """Inside, `train()` and `eval()` hold for this thread alone, and until the end of the block.

    Several threads can ask one model, and one of them may train it: none changes what the others
    compute.
    """
    before = thread.modes
    thread.modes = {} if before is None else before.copy()
    try:
        yield
    finally:
        thread.modes = before


class Module:
    """The base of every component: finds its parameters and submodules among its own attributes.

    A parameter's name is its path, such as `encoder.layers.0.self_attention.query.weight`. A
    parameter or module that is reached by two paths is one: the first path names it. Attributes
    that begin with an underscore, and what they hold, are private and not searched.
    """

    _training = True
    _sizes = {}  # {letter: size} of the axes, from the arguments of `__init__`
    _changes = 0  # how often a part was given to any module, or taken: see `Structure`

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        guard(cls, Module)

    def __setattr__(self, name: str, value: Any) -> None:
        """A NumPy number, such as 1 / np.sqrt(d), becomes a plain one; otherwise it would turn
        float32 arrays into float64.

        If a component replaces another, it replaces it everywhere in this module: the feed-forward
        network of an encoder layer is the sublayer of a `Residual`, too.
        """
        before = self.__dict__.get(name)
        object.__setattr__(self, name, value.item() if isinstance(value, np.generic) else value)
        if isinstance(value, PARTS) or isinstance(before, PARTS):
            Module._changes += 1
        if isinstance(before, Module) and isinstance(value, Module):
            # which may hold the one before: a wrapper does
            new = [module for _, module in value.named_modules()]
            for _, module in self.named_modules():
                if module not in new:
                    vars(module).update({n: value for n, v in vars(module).items() if v is before})

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        Module._changes += 1

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return self.forward(*inputs, **options)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, *d_outputs: Any, **options: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    # -- what forward leaves for backward: last in, first out --------------------------------------

    def save(self, *values: Any) -> None:
        """Remember values for the matching `backward`. Inside `no_grad()` nothing is kept.

        Raises InputError for a text or a path alone: who passes one wants a file.
        """
        if len(values) == 1 and isinstance(values[0], (str, pathlib.PurePath)):
            raise InputError(
                f"{type(self).__name__}.save keeps values for backward, and writes no file. To "
                "write one: from minitransformer.runs import save_checkpoint; "
                f"save_checkpoint({str(values[0])!r}, model.state_dict())."
            )
        if thread.saving:
            self.__dict__.setdefault("_saves", []).append(values)

    def saved(self) -> Any:
        """Take back what the latest `forward` without its backward saved: the bare value for one, a
        tuple for several.

        If a component is used twice in one pass, backward is called twice, in reverse order, and
        each call gets its own saves.
        """
        saves = self.__dict__.get("_saves")
        if not saves:
            raise BackwardWithoutForward(
                f"{type(self).__name__}.backward was called without a matching forward. Call "
                "forward first, outside no_grad(), and call backward once for each forward."
            )
        values = saves.pop()
        return values[0] if len(values) == 1 else values

    def clear_saves(self) -> None:
        """Forget all saves, of the submodules too: after an exception, or a forward that needs no
        backward."""
        for _, module in self.named_modules():
            module.__dict__.pop("_saves", None)
            module.__dict__.pop("_outputs", None)

    def pending(self) -> int:
        """How many forwards of this component alone still wait for their backward."""
        return len(self.__dict__.get("_saves", ()))

    def leftover_saves(self) -> dict[str, int]:
        """{path: number of forwards that wait for their backward}, empty after a complete step."""
        return {name: m.pending() for name, m in self.named_modules() if m.pending()}

    # -- the tree ----------------------------------------------------------------------------------

    def _members(self, kinds=object):
        """[(name, value)] of the public attributes of these kinds, and of those in lists."""
        found = []
        for name, value in vars(self).items():
            if name[0] == "_":
                continue
            if isinstance(value, (list, tuple)):
                found += [(f"{name}.{i}", v) for i, v in enumerate(value) if isinstance(v, kinds)]
            elif isinstance(value, kinds):
                found.append((name, value))
        return found

    def children(self) -> list[tuple[str, "Module"]]:
        """(name, module) of each direct submodule, in the order of definition."""
        return self._members(Module)

    def named_modules(self) -> list[tuple[str, "Module"]]:
        """(path, module) of this module (path "") and all below it, each once, parents first."""
        found, seen = [], set()

        def visit(path, module):
            if id(module) in seen:
                return
            seen.add(id(module))
            found.append((path, module))
            for name, child in module.children():
                visit(f"{path}.{name}" if path else name, child)

        visit("", self)
        return found

    def named_parameters(self) -> dict[str, Parameter]:
        """{path: Parameter}, each parameter once, in the order of definition."""
        found, seen = {}, set()  # {id: (path, parameter)}, ids of the modules

        def visit(path, module):
            seen.add(id(module))
            children = []
            for name, value in module._members((Parameter, Module)):
                if isinstance(value, Parameter):
                    found.setdefault(id(value), (path + name, value))
                else:
                    children.append((f"{path}{name}.", value))
            for path, child in children:
                if id(child) not in seen:
                    visit(path, child)

        visit("", self)
        return dict(found.values())

    def parameters(self) -> list[Parameter]:
        return list(self.named_parameters().values())

    def parameter_count(self) -> int:
        return sum(p.size for p in self.parameters())

    def generators(self) -> list[Generator]:
        """The random generators in use (for dropout), each once: a checkpoint saves their
        states."""
        found = {}
        for _, module in self.named_modules():
            found.update({id(v): v for _, v in module._members(np.random.Generator)})
        return list(found.values())

    # -- switches, memory, saving ------------------------------------------------------------------

    @property
    def training(self) -> bool:
        """Whether dropout is on, as `train()` or `eval()` said last: for all threads, or inside
        `own_modes()` for this one."""
        return (
            self._training if thread.modes is None else thread.modes.get(id(self), self._training)
        )

    @training.setter
    def training(self, on: bool) -> None:
        if thread.modes is None:
            self._training = on
        else:
            thread.modes[id(self)] = on

    def train(self: Self, on: bool = True) -> Self:
        """Switch dropout on (`eval()`: off), here and below. Returns self."""
        for _, module in self.named_modules():
            module.training = on
        return self

    def eval(self: Self) -> Self:
        return self.train(False)

    def flat_buffers(self) -> FlatBuffers:
        """The `FlatBuffers` of this module's parameters, made on first use, and anew once they have
        moved.

        A parameter that is added or exchanged later is in them after `flatten()`, or once an
        optimizer is made; a step of an optimizer that was made before says so.
        """
        flat = self.__dict__.get("_flat")
        return flat if flat is not None and flat.intact() else self.flatten()

    def flatten(self) -> FlatBuffers:
        """Search the tree for parameters, and make new `FlatBuffers` if they are not those of the
        present ones."""
        parameters = self.parameters()
        if not parameters:
            raise InputError(f"{type(self).__name__} has no parameters to train.")
        flat = self.__dict__.get("_flat")
        if (
            flat is None
            or not flat.intact()
            or [*map(id, parameters)] != [*map(id, flat.parameters)]
        ):
            self._flat = FlatBuffers(parameters)
        return self._flat

    def zero_grad(self) -> None:
        """Set every gradient to zero: `backward` adds, so each step starts here."""
        for p in self.parameters():
            p.zero_grad()

    def to(self: Self, target: Any) -> Self:
        """Move to a device ("cpu", "gpu", or "auto": a GPU if one can be used) or a dtype
        ("float32", "float64"). Returns self.

        The parameters get new arrays: make the optimizer afterwards.
        """
        if target in (*DEVICES, "auto"):
            device = chosen_device(target)
            change = lambda x: move(x, device)  # noqa: E731
            for _, module in self.named_modules():
                tables = {n: v for n, v in vars(module).items() if getattr(v, "ndim", 0) > 0}
                vars(module).update({n: change(v) for n, v in tables.items()})
        elif (dtype := name_of_dtype(target)) in ("float32", "float64"):
            change = lambda x: x.astype(dtype)  # noqa: E731
        else:
            raise InputError(
                "A module moves to 'cpu', 'gpu', 'auto', 'float32' or 'float64', not to "
                f"{target!r}.{hint_at_gpu(target)}"
            )
        for p in self.parameters():
            p.place(change(p.data), change(p.grad))
        for _, module in self.named_modules():
            module.__dict__.pop("_flat", None)
        self.clear_saves()
        return self

    def state_dict(self) -> dict[str, np.ndarray]:
        """{path: copy of the parameter's array}."""
        return {name: p.data.copy() for name, p in self.named_parameters().items()}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Copy the arrays of a `state_dict()` into the parameters. Raises InputError if a name or a
        shape does not fit."""
        if not isinstance(state, dict):
            raise InputError(
                "A state is a dict of names and arrays, as state_dict() makes it; got "
                f"{type(state).__name__}."
            )
        parameters = self.named_parameters()
        missing, extra = sorted(set(parameters) - set(state)), sorted(set(state) - set(parameters))
        if missing or extra:
            raise InputError(
                f"These weights belong to another model: missing {missing[:3] or 'none'}, not "
                f"known here {extra[:3] or 'none'}."
            )
        for name, p in parameters.items():
            if (shape := expect(state[name], Floats, name).shape) != p.shape:
                raise InputError(
                    f"{name} has shape {shape} in the state and {p.shape} in the model."
                )
        for name, p in parameters.items():
            p.data[...] = asarray(state[name], like=p.data)

    def __repr__(self):
        own = {n: v for n, v in vars(self).items() if n[0] != "_"}
        facts = self.__dict__.get("_made_with", {}) | {
            n: v for n, v in own.items() if isinstance(v, (int, float, str))
        }
        head = f"{type(self).__name__}({', '.join(f'{n}={v}' for n, v in facts.items())})"
        lines = [
            f"  {name}: " + repr(child).replace("\n", "\n  ") for name, child in self.children()
        ]
        return "\n".join([head, *lines])


PARTS = (Module, Parameter, list, tuple)


def name_of_dtype(target):
    """"float32" for "float32", numpy.float32 or such; None for what is no dtype."""
    try:
        return None if target is None else str(np.dtype(target))
    except TypeError:
        return None
