"""The attention weights of a model, kept while it runs."""

import contextlib
import threading
import weakref
from collections.abc import Iterator

from ..boundary import Floats, checked
from ..core.module import Module


class _Kept(threading.local):
    """What one thread keeps, which no other thread sees: the ids of the components that keep, and
    {component: its arrays}."""

    def __init__(self):
        self.on = frozenset()
        self.arrays = weakref.WeakKeyDictionary()


_kept = _Kept()


def _kept_array(name):
    def get(self) -> Floats:
        arrays = _kept.arrays.get(self, {})
        if name not in arrays:
            raise AttributeError(
                f"This {type(self).__name__} has no {name}: run it inside `keep_weights`, in this "
                "thread."
            )
        return arrays[name]

    def put(self, array):
        _kept.arrays.setdefault(self, {})[name] = array

    return property(get, put)


class KeepsWeights:
    """An attention whose weights can be kept: while `keep` is on, it stores P as `weights`, and d_P
    as `d_weights`.

    Each thread has a switch and arrays of its own.
    """

    weights, d_weights = _kept_array("weights"), _kept_array("d_weights")

    @property
    def keep(self) -> bool:
        return id(self) in _kept.on


@checked
@contextlib.contextmanager
def keep_weights(module: Module) -> Iterator[None]:
    """Inside, every attention below `module` keeps P as `.weights` and, after backward, d_P as
    `.d_weights`.

    An attention is a component that `KeepsWeights`; P (B, H, T, S) is stored after each forward.
    Only what this thread computes is kept, and only this thread can read it, during the block and
    afterwards.
    """
    before = _kept.on
    _kept.on = before | {id(m) for m in attentions(module).values()}
    try:
        yield
    finally:
        _kept.on = before


@contextlib.contextmanager
def kept_apart() -> Iterator[None]:
    """Inside, nothing that this thread kept before is visible; afterwards it is visible again."""
    before, _kept.arrays = _kept.arrays, weakref.WeakKeyDictionary()
    try:
        yield
    finally:
        _kept.arrays = before


@checked
def attention_maps(module: Module) -> dict[str, Floats]:
    """{path: P (B, H, T, S)} of what `keep_weights` kept in this thread, in the order of the
    model."""
    return {path: m.weights for path, m in attentions(module).items() if hasattr(m, "weights")}


@checked
def attentions(module: Module) -> dict[str, KeepsWeights]:
    """{path: component} of all below `module` that can keep their weights; empty for a model
    without attention."""
    return {path: m for path, m in module.named_modules() if isinstance(m, KeepsWeights)}
