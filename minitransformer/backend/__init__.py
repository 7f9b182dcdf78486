"""Where arrays live, and the fast helpers that let the components read as mathematics."""

from .arrays import DEVICES, array_module, as_numpy, asarray, chosen_device, move, on_host
from .memory import keep_freed_memory
from .normal import normal_cdf, normal_density
from .products import product
from .random import keep_mask, nearest_keep
from .reductions import (
    affine,
    centre,
    feature_max,
    feature_mean,
    feature_product,
    feature_sum,
    position_product,
    position_sum,
    sum_of_squares,
)
from .rows import add_rows, zero_rows
from .scores import keys_outermost, query_key_product
from .substitutes import substitute_for, substituted_helpers
from .updates import in_blocks, scaled, update_mean

__all__ = [
    "DEVICES",
    "add_rows",
    "affine",
    "array_module",
    "as_numpy",
    "asarray",
    "centre",
    "chosen_device",
    "feature_max",
    "feature_mean",
    "feature_product",
    "feature_sum",
    "in_blocks",
    "keep_freed_memory",
    "keep_mask",
    "keys_outermost",
    "move",
    "nearest_keep",
    "normal_cdf",
    "normal_density",
    "on_host",
    "position_product",
    "position_sum",
    "product",
    "query_key_product",
    "scaled",
    "substitute_for",
    "substituted_helpers",
    "sum_of_squares",
    "update_mean",
    "zero_rows",
]
