"""The kinds of vocabulary, by the names that checkpoints use."""

from ..errors import unknown
from .pieces import Pieces
from .subwords import Subwords
from .vocabulary import Vocabulary

KINDS = {vocabulary.kind: vocabulary for vocabulary in (Vocabulary, Pieces, Subwords)}


def load_vocabulary(facts):
    """The vocabulary that `to_dict` described."""
    if facts["kind"] not in KINDS:
        raise unknown("kind of vocabulary", facts["kind"], KINDS)
    return KINDS[facts["kind"]].from_dict(facts)
