"""Tasks, vocabularies and batches."""

from .batching import Batch, make_batch
from .tasks import TASKS, Addition, Copy, Reverse, Sort, make_task
from .vocabulary import BOS, EOS, PAD, UNK, Vocabulary

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "TASKS",
    "UNK",
    "Addition",
    "Batch",
    "Copy",
    "Reverse",
    "Sort",
    "Vocabulary",
    "make_batch",
    "make_task",
]
