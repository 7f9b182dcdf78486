"""Where arrays live, and the fast helpers that let the components read as mathematics."""

from .arrays import DEVICES, array_module, as_numpy, asarray, chosen_device, move, on_host
from .embedding_gradient import add_rows
from .erf import erf
from .memory import keep_freed_memory
from .random import keep_mask, nearest_keep
from .reductions import feature_mean, feature_product, feature_sum, position_product, position_sum
from .scores import keys_outermost, query_key_product
from .updates import adam_kernel, in_blocks

__all__ = [
    "DEVICES",
    "adam_kernel",
    "add_rows",
    "array_module",
    "as_numpy",
    "asarray",
    "chosen_device",
    "erf",
    "feature_mean",
    "feature_product",
    "feature_sum",
    "in_blocks",
    "keep_freed_memory",
    "keep_mask",
    "keys_outermost",
    "move",
    "nearest_keep",
    "on_host",
    "position_product",
    "position_sum",
    "query_key_product",
]
