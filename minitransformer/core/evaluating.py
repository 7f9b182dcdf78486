"""A model that is used, not trained."""

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any

from ..boundary import Having, checked
from .module import Module, no_grad, own_modes

Evaluated = Annotated[Any, Having("a model, such as a Transformer", "training", "eval")]


@checked
@contextlib.contextmanager
def evaluating(model: Evaluated) -> Iterator[None]:
    """Inside, dropout is off and nothing is saved, in this thread; afterwards the model trains or
    not, as before.

    Other threads are not affected: they may train or use the same model at the same time.
    """
    before = model.training
    with no_grad(), own_modes():
        model.eval()
        try:
            yield
        finally:
            if not isinstance(model, Module):  # whose modes end with the block
                model.train(before)
