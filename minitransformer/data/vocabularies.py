"""The kinds of vocabulary, by the names that checkpoints use."""

from ..boundary import Dictionary, checked
from ..errors import InputError, shortened, unknown
from .byte_pairs import BytePairs
from .characters import ExactCharacters
from .pieces import Pieces
from .subwords import Subwords
from .vocabulary import Vocabulary
from .words import Characters, Words

KINDS = {
    vocabulary.kind: vocabulary
    for vocabulary in (
        Vocabulary, Pieces, Subwords, Characters, Words, ExactCharacters, BytePairs,
    )
}  # fmt: skip


@checked
def load_vocabulary(facts: Dictionary) -> Vocabulary:
    """The vocabulary that `to_dict` described. Raises InputError for anything else."""
    try:
        if facts["kind"] not in KINDS:
            raise unknown("kind of vocabulary", facts["kind"], KINDS)
        return KINDS[facts["kind"]].from_dict(facts)
    except (KeyError, TypeError, AttributeError) as problem:
        # a field is missing, or of another type
        raise InputError(
            f"This does not describe a vocabulary ({problem!r}): {shortened(facts)}"
        ) from None
