"""Is a gradient right, and who keeps the contract? What a model computes, counted and shown."""

from .conformance import all_components, check_component
from .counting import count_products
from .gradient_check import away_from_initialisation, gradient_check, gradient_error
from .trace import trace

__all__ = [
    "all_components",
    "away_from_initialisation",
    "check_component",
    "count_products",
    "gradient_check",
    "gradient_error",
    "trace",
]
