"""The contract of every component: modules, parameters, and the check of their inputs."""

from .evaluating import evaluating
from .module import Module, no_grad
from .observe import observe
from .parameter import Parameter

__all__ = [
    "Module",
    "Parameter",
    "evaluating",
    "no_grad",
    "observe",
]
