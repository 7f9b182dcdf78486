"""Texts in, texts out: translation in batches, and BLEU."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ..core.extras import extra
from ..data.vocabulary import Vocabulary, padded
from ..errors import LISTED, InputError, expect_as_many, shortened
from ..models.sequence_model import SequenceModel
from .beam import beam_search
from .limits import longest_answer

Search = Callable[..., np.ndarray]  # of (model, source, max_tokens), as `beam_search` is


def translate(
    model: SequenceModel, vocabulary: Vocabulary, texts: Iterable[str],
    search: Search = beam_search, max_tokens: int | None = None, batch_size: int = 64,
) -> list[str]:
    """The model's answer to each text, in their order: `answers`, between the vocabulary's reading
    and writing.

    Raises InputError for a text that the vocabulary cannot read.
    """
    sources = [vocabulary.encode(text) for text in texts]
    return [vocabulary.text(ids) for ids in answers(model, sources, search, max_tokens, batch_size)]


def answers(
    model: SequenceModel, sources: Sequence[np.ndarray], search: Search = beam_search,
    max_tokens: int | None = None, batch_size: int = 64,
) -> list[np.ndarray]:
    """The search's answer to each source, in their order: a list of ids, from a list of ids (n,)
    without padding.

    `search(model, source (B, S), max_tokens (B,)) → ids` decodes: `greedy`, `beam_search`, or one
    that samples. Sources of similar length are decoded together, which is faster and changes no
    answer. For the largest number of tokens see `longest_answer`.
    """
    order = np.argsort([len(ids) for ids in sources], kind="stable")
    found: list = [None] * len(sources)
    for start in range(0, len(sources), batch_size):
        rows = order[start : start + batch_size]
        source = padded([sources[row] for row in rows])
        produced = search(model, source, longest_answer(model, source, max_tokens))
        for row, ids in zip(rows, produced, strict=True):
            found[row] = ids
    return found


def remarks(
    vocabulary: Vocabulary, text: str, longest: int | None = None, shortest: int | None = None
) -> list[str]:
    """What a user should know before trusting the answer to a text: sentences, none if it is like
    those of training.

    `longest` and `shortest` are the lengths, in tokens, between which all sources of training were
    (`Run.longest_source`, `Run.shortest_source`); None if that is not known. Raises InputError for
    a text that the vocabulary cannot read.
    """
    found, length = [], len(vocabulary.encode(text))
    if unknown := vocabulary.unknown(text):
        found.append(
            f"{', '.join(map(repr, unknown[:LISTED]))} occurred in none of them, and is read as "
            "<unk>"
        )
    if longest is not None and length > longest:
        found.append(f"it has {length} tokens, and the longest of them had {longest}")
    if shortest is not None and length < shortest:
        found.append(
            f"it has {length} token{'s' * (length != 1)}, and the shortest of them had {shortest}"
        )
    if strange := vocabulary.strange(text):
        found.append(strange)
    return [
        f"{shortened(text)} is unlike the texts of training: {what}. Its answer may be wrong."
        for what in found
    ]


def bleu_metric():
    """What counts BLEU. Raises InputError without the package: who translates for it asks for it
    first."""
    return extra("sacrebleu", "Counting BLEU").BLEU(lowercase=True)


def bleu(translations: Sequence[str], references: Sequence[str]) -> tuple[float, str]:
    """(BLEU from 0 to 100, the signature that says how it was counted): of a whole corpus,
    lower-cased, tokenised as 13a.

    Raises InputError unless there is a reference for each translation, and at least one.

    Sources: Papineni et al. 2002; Post 2018, for the signature, without which two scores cannot be
    compared.
    """
    if isinstance(translations, str) or isinstance(references, str):
        raise InputError(
            "BLEU counts lists of sentences, got a single text: put each into a list, [text]."
        )
    expect_as_many(
        "BLEU compares translations and references", translations=translations,
        references=references,
    )
    if not len(translations):
        raise InputError(
            "BLEU needs at least one translation and its reference, got 0 translations and 0 "
            "references."
        )
    metric = bleu_metric()
    return metric.corpus_score(translations, [references]).score, str(metric.get_signature())
