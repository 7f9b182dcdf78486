"""Tasks, vocabularies and batches."""

from .addition import Addition
from .batching import Batch, make_batch
from .byte_pairs import BytePairEncoding, BytePairs
from .characters import Characters
from .pieces import Pieces
from .stream import BatchStream
from .subwords import Subwords
from .symbols import Copy, Reverse, Sort
from .tasks import TASKS, make_task
from .vocabularies import load_vocabulary
from .vocabulary import BOS, EOS, PAD, UNK, Vocabulary, padded

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "TASKS",
    "UNK",
    "Addition",
    "Batch",
    "BatchStream",
    "BytePairEncoding",
    "BytePairs",
    "Characters",
    "Copy",
    "Pieces",
    "Reverse",
    "Sort",
    "Subwords",
    "Vocabulary",
    "load_vocabulary",
    "make_batch",
    "make_task",
    "padded",
]
