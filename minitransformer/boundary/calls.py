"""What happens around every call of a component's `forward` and `backward`: the check of what is
passed, then observers and substitutes, each in its own thread.

`Module` lets `guard` wrap these methods of every subclass; the methods know nothing of it.
"""

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import InputError
from .arrays import ARRAYS, INPUT
from .gradients import form_of, gradients_taken
from .kinds import PACKAGE
from .signature import Decorated, Signature

NOTHING = object()


class Thread(threading.local):
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


thread = Thread()


def now(saving, inside):
    thread.saving, thread.inside = saving, inside and not thread.observers and 1 + saving


@contextlib.contextmanager
def observed_by(observer: Callable) -> Iterator[None]:
    """Inside, every forward and backward of this thread is passed through the observer; `observe`
    is built on this. Blocks may end in any order: each takes its own observer away.

    Before each, `observer(component, name, run)` is called, name "forward" or "backward". It
    returns what is called instead of `run(component, inputs, options)`: run itself, or a function
    that calls it. If a subclass's forward calls its parent's, both together are one forward.
    """
    thread.observers = (*thread.observers, observer)
    try:
        yield
    finally:
        observers = [*thread.observers]
        observers.remove(observer)
        thread.observers = (*observers,)


def observed(component, name, run, inputs, options):
    """The result of `run`, passed through all observers."""
    for observer in thread.observers:
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
    before = thread.substitutes
    thread.substitutes = {
        **before,
        **{id(component): (component, *pair, checked) for component, pair in functions.items()},
    }
    try:
        yield
    finally:
        thread.substitutes = before


def own_function(kind: type, name: str) -> Callable:
    """The "forward" or "backward" of a class of components as it is written, without the check of
    its inputs."""
    return inspect.unwrap(getattr(kind, name))


def guard(cls, base):
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
            and method is not vars(base).get(name)
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
    signature = Signature(function, hints(cls, "__init__"), skip=1)

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
    signature = Signature(function, hints(cls, "forward"), skip=1, unhinted=INPUT)
    is_ours, mask_at = cls.__module__.split(".")[0] == PACKAGE, signature.place_of_mask()

    def taken(self, inputs, options):
        return signature.taken(type(self).__name__, self._sizes.copy(), inputs, options)

    @functools.wraps(function)
    def forward(self, *inputs, **options):
        if type(self).forward is not forward:  # a subclass's forward calls it by super()
            return function(self, *inputs, **options)
        if thread.observers:
            return observed(self, "forward", passed, inputs, options)
        return passed(self, inputs, options)

    def passed(self, inputs, options):
        substitute = thread.substitutes.get(id(self))
        if substitute is None or substitute[3]:
            inputs, options = taken(self, inputs, options)
        before = thread.inside
        now(thread.saving, is_ours and not signature.takes_more)
        try:
            y = (
                substitute[1](self, *inputs, **options)
                if substitute
                else function(self, *inputs, **options)
            )
        finally:
            now(thread.saving, before)
        if thread.saving:
            self.__dict__.setdefault("_outputs", []).append(form_of(y))
        return y

    def __call__(self, x: Any = NOTHING, /, *others: Any, **options: Any) -> Any:
        """`forward`, almost as fast as the function itself where the inputs are results of another
        component."""
        inside, own = thread.inside, self.__dict__
        is_plain = (
            inside and x is not NOTHING and type(self).forward is forward and "forward" not in own
        )
        substitute = thread.substitutes.get(id(self)) if thread.substitutes else None
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
                (y.shape, y.dtype) if type(y) in ARRAYS else form_of(y)
            )
        return y

    if is_ours:
        cls.__call__ = __call__
    return forward


def asked(method: Decorated) -> Decorated:
    """A method of a model that a user calls, such as `start` and `step`, checked as `forward`
    is."""
    signature = Signature(method, skip=1)

    @functools.wraps(method)
    def asking(self, *inputs, **options):
        inputs, options = signature.taken(
            f"{type(self).__name__}.{method.__name__}", self._sizes.copy(), inputs, options
        )
        before = thread.inside
        now(thread.saving, True)
        try:
            return method(self, *inputs, **options)
        finally:
            now(thread.saving, before)

    return asking  # type: ignore[return-value]  # called as the method is


def guarded_backward(cls, function):
    signature = Signature(function, {}, skip=1, unhinted=INPUT)

    @functools.wraps(function)
    def backward(self, d_y=NOTHING, /, *others, **options):
        outputs, is_observed = self.__dict__.get("_outputs"), thread.observers
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
                return function(self, d_y) if not thread.substitutes else run_of(self)(self, d_y)
        d_outputs = others if d_y is NOTHING else (d_y, *others)
        if type(self).backward is not backward:  # a subclass's backward calls it by super()
            return function(self, *d_outputs, **options)
        if is_observed:
            return observed(self, "backward", undone, d_outputs, options)
        return undone(self, d_outputs, options)

    def undone(self, d_outputs, options):
        outputs = self.__dict__.get("_outputs")
        of = outputs[-1] if outputs else None
        d_outputs, options = gradients_taken(
            type(self).__name__, signature, of, d_outputs, options
        )
        if outputs:
            outputs.pop()
        return run_of(self)(self, *d_outputs, **options)

    def run_of(self):
        substitute = thread.substitutes.get(id(self))
        return substitute[2] if substitute else function

    return backward
