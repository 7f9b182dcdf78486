"""Tasks, vocabularies and batches."""

from ..core.options import option
from .addition import Addition
from .batching import Batch, make_batch
from .byte_pairs import BytePairEncoding, BytePairs
from .characters import ExactCharacters
from .corpus import Corpus
from .pairs import Pairs
from .pieces import Pieces
from .stream import BatchStream
from .subwords import Subwords
from .symbols import Copy, Reverse, Sort, SymbolTask
from .task import Recipe, Task
from .tasks import TASKS, make_task, register_task
from .vocabularies import load_vocabulary
from .vocabulary import BOS, EOS, PAD, UNK, Vocabulary, padded
from .words import Characters, Words

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
    "ExactCharacters",
    "Characters",
    "Copy",
    "Corpus",
    "Pairs",
    "Pieces",
    "Recipe",
    "Reverse",
    "Sort",
    "Subwords",
    "SymbolTask",
    "Task",
    "Vocabulary",
    "Words",
    "load_vocabulary",
    "make_batch",
    "make_task",
    "option",
    "padded",
    "register_task",
]
