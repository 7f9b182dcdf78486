"""Checks of gradients and of the contract; counts and traces of what a model computes."""

from .conformance import ContractError, all_components, check_component
from .counting import count_products
from .gradient_check import away_from_initialisation, gradient_check, gradient_error
from .trace import trace

__all__ = [
    "ContractError",
    "all_components",
    "away_from_initialisation",
    "check_component",
    "count_products",
    "gradient_check",
    "gradient_error",
    "trace",
]
