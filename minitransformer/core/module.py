"""Module: the one contract that every component keeps.

A component is a class with `forward` and, directly under it, `backward`, whose lines undo forward's
lines in reverse order. `forward` saves what `backward` needs; `backward(d_y)` takes ∂loss/∂y, adds
to the gradient of each parameter, and returns ∂loss/∂x for every float input of `forward`, in the
same order (one: the array itself; several: a tuple; none: None).
"""

import contextlib
import functools
import inspect
import pathlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.random import Generator

from .. import boundary
from ..backend import DEVICES, asarray, chosen_device, move
from ..backend.arrays import hint_at_gpu
from ..errors import BackwardWithoutForward, InputError
from .parameter import FlatBuffers, Parameter

ARRAYS, NOTHING = boundary.ARRAYS, object()
Self = TypeVar("Self", bound="Module")  # the class of the object itself


class _Thread(threading.local):
    """The switches of one thread, which no other thread sees."""

    saving = True
    modes: dict | None = None  # inside `own_modes()`: {id of a module: whether it trains}
    # 1, or 2 while saving: a forward of this package is running, whose inputs were checked; 0 under
    # observation
    inside = 0
    observers: tuple = ()  # inside `observed_by`, the inner one's last
    # inside `substituted`: {id of a component: (the component, forward, backward, whether to check
    # inputs)}
    substitutes = {}


_thread = _Thread()


def _now(saving, inside):
    _thread.saving, _thread.inside = saving, inside and not _thread.observers and 1 + saving


@contextlib.contextmanager
def no_grad() -> Iterator[None]:
    """Inside, `forward` saves nothing: for evaluation and decoding, where no backward follows."""
    before = _thread.saving
    _now(False, _thread.inside)
    try:
        yield
    finally:
        _now(before, _thread.inside)


def saving() -> bool:
    """Whether `forward` saves: not inside `no_grad()`."""
    return _thread.saving


@contextlib.contextmanager
def own_modes() -> Iterator[None]:
    """Inside, `train()` and `eval()` hold for this thread alone, and until the end of the block.

    Several threads can ask one model, and one of them may train it: none changes what the others
    compute.
    """
    before = _thread.modes
    _thread.modes = {} if before is None else before.copy()
    try:
        yield
    finally:
        _thread.modes = before


@contextlib.contextmanager
def observed_by(observer: Callable) -> Iterator[None]:
    """Inside, every forward and backward of this thread is passed through the observer; `observe`
    is built on this. Blocks may end in any order: each takes its own observer away.

    Before each, `observer(component, name, run)` is called, name "forward" or "backward". It
    returns what is called instead of `run(component, inputs, options)`: run itself, or a function
    that calls it. If a subclass's forward calls its parent's, both together are one forward.
    """
    _thread.observers = (*_thread.observers, observer)
    try:
        yield
    finally:
        observers = [*_thread.observers]
        observers.remove(observer)
        _thread.observers = (*observers,)


def observed(component, name, run, inputs, options):
    """The result of `run`, passed through all observers."""
    for observer in _thread.observers:
        run = observer(component, name, run)
    return run(component, inputs, options)


@contextlib.contextmanager
def substituted(functions: Mapping, checked: bool = False) -> Iterator[None]:
    """Inside, components compute by other functions, in this thread: {component:
    (forward, backward)}.

    `forward(component, *inputs)` and `backward(component, d_y)` are called instead of the
    component's own functions, which `own_function` returns. With `checked` their inputs are
    checked, inside a model too, as the hints of the component's `forward` say; otherwise they may
    be others, which come from within a model. Nothing is written to the components.
    """
    before = _thread.substitutes
    _thread.substitutes = {
        **before,
        **{id(component): (component, *pair, checked) for component, pair in functions.items()},
    }
    try:
        yield
    finally:
        _thread.substitutes = before


def own_function(kind: type, name: str) -> Callable:
    """The "forward" or "backward" of a class of components as it is written, without the check of
    its inputs."""
    return inspect.unwrap(getattr(kind, name))


class Module:
    """The base of every component: finds its parameters and submodules among its own attributes.

    A parameter's name is its path, such as `encoder.layers.0.self_attention.query.weight`. A
    parameter or module that is reached by two paths is one: the first path names it. Attributes
    that begin with an underscore, and what they hold, are private and not searched.
    """

    _training = True
    _sizes = {}  # {letter: size} of the axes, from the arguments of `__init__`

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        guard(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        """A NumPy number, such as 1 / np.sqrt(d), becomes a plain one; otherwise it would turn
        float32 arrays into float64.

        If a component replaces another, it replaces it everywhere in this module: the feed-forward
        network of an encoder layer is the sublayer of a `Residual`, too.
        """
        before = self.__dict__.get(name)
        object.__setattr__(self, name, value.item() if isinstance(value, np.generic) else value)
        if isinstance(before, Module) and isinstance(value, Module):
            # which may hold the one before: a wrapper does
            new = [module for _, module in value.named_modules()]
            for _, module in self.named_modules():
                if module not in new:
                    vars(module).update({n: value for n, v in vars(module).items() if v is before})

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
        if _thread.saving:
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
            self._training if _thread.modes is None else _thread.modes.get(id(self), self._training)
        )

    @training.setter
    def training(self, on: bool) -> None:
        if _thread.modes is None:
            self._training = on
        else:
            _thread.modes[id(self)] = on

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
            if (shape := boundary.expect(state[name], boundary.Floats, name).shape) != p.shape:
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


def name_of_dtype(target):
    """"float32" for "float32", numpy.float32 or such; None for what is no dtype."""
    try:
        return None if target is None else str(np.dtype(target))
    except TypeError:
        return None


# -- the boundary of every component: see boundary.py ----------------------------------------------


def guard(cls):
    """Let a component's `__init__`, `forward` and `backward` check their arguments by the hints of
    their signatures.

    What a subclass passes to its parent's method by `super()` is not checked again.
    """
    for name, wrap in (
        ("__init__", guarded_init), ("forward", guarded_forward), ("backward", guarded_backward),
    ):
        method = inspect.getattr_static(cls, name)
        if (
            inspect.isfunction(method)
            and method is not vars(Module).get(name)
            and not hasattr(method, "guarded")
        ):
            setattr(cls, name, wrap(cls, method))
            getattr(cls, name).guarded = True


def hints(cls, name):
    """{argument: hint} of a method; if several classes have a hint, that of the class nearest to
    `cls` in the order of inheritance."""
    found = {}
    for base in reversed(cls.__mro__):
        found.update(
            {
                n: h
                for n, h in getattr(vars(base).get(name), "__annotations__", {}).items()
                if not isinstance(h, str)
            }
        )
    return found


def guarded_init(cls, function):
    signature = boundary.Signature(function, hints(cls, "__init__"), skip=1)

    @functools.wraps(function)
    def __init__(self, *inputs, **options):
        sizes = {}
        inputs, options = signature.taken(type(self).__name__, sizes, inputs, options)
        self.__dict__["_sizes"] = {**self._sizes, **sizes}
        self.__dict__.setdefault("_made_with", signature.facts(inputs, options))
        function(self, *inputs, **options)

    return __init__


def guarded_forward(cls, function):
    """`forward` that checks its inputs first, and remembers the shape and dtype of its output for
    `backward`.

    Inside a forward of this package all inputs except masks have been checked at the outermost
    component; the inputs of its parts are examined only if one fails. What a learner's own
    component passes to its parts is always checked.
    """
    signature = boundary.Signature(function, hints(cls, "forward"), skip=1, unhinted=boundary.INPUT)
    is_ours, mask_at = cls.__module__.split(".")[0] == boundary.PACKAGE, signature.place_of_mask()

    def taken(self, inputs, options):
        return signature.taken(type(self).__name__, self._sizes.copy(), inputs, options)

    @functools.wraps(function)
    def forward(self, *inputs, **options):
        if type(self).forward is not forward:  # a subclass's forward calls it by super()
            return function(self, *inputs, **options)
        if _thread.observers:
            return observed(self, "forward", passed, inputs, options)
        return passed(self, inputs, options)

    def passed(self, inputs, options):
        substitute = _thread.substitutes.get(id(self))
        if substitute is None or substitute[3]:
            inputs, options = taken(self, inputs, options)
        before = _thread.inside
        _now(_thread.saving, is_ours and not signature.takes_more)
        try:
            y = (
                substitute[1](self, *inputs, **options)
                if substitute
                else function(self, *inputs, **options)
            )
        finally:
            _now(_thread.saving, before)
        if _thread.saving:
            self.__dict__.setdefault("_outputs", []).append(boundary.form_of(y))
        return y

    def __call__(self, x: Any = NOTHING, /, *others: Any, **options: Any) -> Any:
        """`forward`, almost as fast as the function itself where the inputs are results of another
        component."""
        inside, own = _thread.inside, self.__dict__
        is_plain = (
            inside and x is not NOTHING and type(self).forward is forward and "forward" not in own
        )
        substitute = _thread.substitutes.get(id(self)) if _thread.substitutes else None
        is_plain, run = (
            (is_plain, function)
            if substitute is None
            else (is_plain and not substitute[3], substitute[1])
        )
        if (
            not is_plain
            or mask_at is not None
            and (options or len(others) >= mask_at and others[mask_at - 1] is not None)
        ):
            if x is NOTHING:
                return self.forward(*others, **options)
            return self.forward(x, *others, **options)
        try:
            y = run(self, x, *others, **options) if others or options else run(self, x)
        except InputError:
            raise
        except Exception:
            if run is function:
                taken(self, (x, *others), options)  # says what is wrong, if it is an input
            raise
        if inside == 2:
            own.setdefault("_outputs", []).append(
                (y.shape, y.dtype) if type(y) in ARRAYS else boundary.form_of(y)
            )
        return y

    if is_ours:
        cls.__call__ = __call__
    return forward


def asked(method: boundary.Decorated) -> boundary.Decorated:
    """A method of a model that a user calls, such as `start` and `step`, checked as `forward`
    is."""
    signature = boundary.Signature(method, skip=1)

    @functools.wraps(method)
    def asking(self, *inputs, **options):
        inputs, options = signature.taken(
            f"{type(self).__name__}.{method.__name__}", self._sizes.copy(), inputs, options
        )
        before = _thread.inside
        _now(_thread.saving, True)
        try:
            return method(self, *inputs, **options)
        finally:
            _now(_thread.saving, before)

    return asking  # type: ignore[return-value]  # called as the method is


def guarded_backward(cls, function):
    signature = boundary.Signature(function, {}, skip=1, unhinted=boundary.INPUT)

    @functools.wraps(function)
    def backward(self, d_y=NOTHING, /, *others, **options):
        outputs, is_observed = self.__dict__.get("_outputs"), _thread.observers
        if (
            outputs
            and not is_observed
            and not others
            and not options
            and type(d_y) in ARRAYS
            and type(self).backward is backward
        ):
            form = outputs[-1]
            if type(form) is tuple and d_y.shape == form[0] and d_y.dtype is form[1]:
                outputs.pop()
                return function(self, d_y) if not _thread.substitutes else run_of(self)(self, d_y)
        d_outputs = others if d_y is NOTHING else (d_y, *others)
        if type(self).backward is not backward:  # a subclass's backward calls it by super()
            return function(self, *d_outputs, **options)
        if is_observed:
            return observed(self, "backward", undone, d_outputs, options)
        return undone(self, d_outputs, options)

    def undone(self, d_outputs, options):
        outputs = self.__dict__.get("_outputs")
        of = outputs[-1] if outputs else None
        d_outputs, options = boundary.gradients_taken(
            type(self).__name__, signature, of, d_outputs, options
        )
        if outputs:
            outputs.pop()
        return run_of(self)(self, *d_outputs, **options)

    def run_of(self):
        substitute = _thread.substitutes.get(id(self))
        return substitute[2] if substitute else function

    return backward
