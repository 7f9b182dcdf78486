"""A model that is asked, not trained."""

import contextlib

from ..module import no_grad


@contextlib.contextmanager
def evaluating(model):
    """Inside, dropout is off and nothing is saved; afterwards the model trains or not, as before."""
    before = model.training
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        model.train(before)
