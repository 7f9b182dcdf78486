"""Texts in, texts out: translation in batches, and BLEU."""

import zlib
from collections.abc import Callable
from typing import Annotated

import numpy as np

from ..backend import as_numpy, on_host
from ..boundary import Count, Having, Natural, Text, Texts, checked
from ..boundary.kinds import Number
from ..core.module import Module
from ..data.vocabulary import PAD, Rows, Vocabulary, padded
from ..errors import LISTED, InputError, expect_as_many, shortened
from ..models.sequence_model import SequenceModel
from ..parallel.in_order import in_order, packed
from ..parallel.mpi import Ranks
from ..terminal.extras import extra
from .beam import beam_search
from .limits import longest_answer

# of (model, source, max_tokens), as `beam_search` is
Search = Annotated[
    Callable[..., np.ndarray],
    Having("a search: a function such as greedy or beam_search", "__call__"),
]


class NumberOrRanks(Number):
    """How many processes are to compute; or the ranks of MPI, which do it together."""

    def passes(self, value, sizes):
        return isinstance(value, Ranks) or super().passes(value, sizes)


Jobs = Annotated[
    int | Ranks,
    NumberOrRanks("a whole number of at least 1, or the ranks of MPI", whole=True, least=1),
]


@checked
def translate(
    model: "SequenceModel", vocabulary: Vocabulary, texts: Texts, search: Search = beam_search,
    max_tokens: "int | None" = None, batch_size: Count = 64, jobs: Jobs | None = 1,
) -> list[str]:
    """The model's answer to each text, in their order: `answers`, between the vocabulary's reading
    and writing.

    Raises InputError for a text that the vocabulary cannot read, and for an answer that it cannot
    write, because the model has more tokens.
    """
    sources = [vocabulary.encode(text) for text in texts]
    found = answers(model, sources, search, max_tokens, batch_size, jobs)
    return [vocabulary.text(ids) for ids in found]


@checked
def answers(
    model: "SequenceModel", sources: Rows, search: Search = beam_search,
    max_tokens: "int | None" = None, batch_size: Count = 64, jobs: Jobs | None = 1,
) -> list[np.ndarray]:
    """The search's answer to each source, in their order: a list of ids, from a list of ids (n,)
    without padding.

    `search(model, source (B, S), max_tokens (B,)) → ids` decodes: `greedy`, `beam_search`, or one
    that samples. Sources of similar length are decoded together, which is faster and changes no
    answer. For the largest number of tokens see `longest_answer`.

    `jobs` processes decode side by side (None: one for each core), see `in_order`; a search that
    samples then takes a seed, because a Generator would be copied into each of them. In place of a
    number, the ranks of MPI can be passed (`parallel.mpi.world()`): all of them then make this
    call, with the same arguments, else InputError.
    """
    expect_same_call(jobs, model, search, max_tokens, batch_size, [*sources])
    order = np.argsort([len(ids) for ids in sources], kind="stable")
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    found: list = [None] * len(sources)

    def decode(rows):
        # of no sources but empty ones, too, a batch has one column
        source = padded([[PAD], *(sources[row] for row in rows)])[1:]
        return search(model, source, longest_answer(model, source, max_tokens))

    for rows, produced in zip(batches, in_order(decode, batches, workers(model, jobs))):
        for row, ids in zip(rows, produced, strict=True):
            found[row] = ids
    return found


def expect_same_call(jobs, model, search, *others):
    """With ranks, raise InputError on all of them unless each passes equal arguments: else one
    would answer what another asked."""
    if isinstance(jobs, Ranks):
        function, options = getattr(search, "func", search), getattr(search, "keywords", {})
        name = getattr(function, "__qualname__", "")
        found = zlib.crc32(packed([name, ascii(sorted(options.items())), *others]))
        for parameter in model.parameters() if isinstance(model, Module) else []:
            found = zlib.crc32(as_numpy(parameter.data).tobytes(), found)
        jobs.expect_same("model, texts and options of a call (CRC-32)", f"{found:08x}")


def workers(model, jobs):
    """How many processes may compute with this model, of `jobs` that are wanted, or which ranks:
    others than this one cannot use its GPU."""
    parameters = model.parameters() if isinstance(model, Module) else []
    return jobs if all(on_host(parameter.data) for parameter in parameters) else 1


@checked
def remarks(
    vocabulary: Vocabulary, text: Text, longest: Natural | None = None,
    shortest: Natural | None = None,
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


@checked
def bleu(translations: Texts, references: Texts) -> tuple[float, str]:
    """(BLEU from 0 to 100, the signature that says how it was counted): of a whole corpus,
    lower-cased, tokenised as 13a.

    Raises InputError unless there is a reference for each translation, and at least one.

    Sources: Papineni et al. 2002; Post 2018, for the signature, without which two scores cannot be
    compared.
    """
    expect_as_many(
        "BLEU compares translations and references", translations=translations,
        references=references,
    )
    if not translations:
        raise InputError(
            "BLEU needs at least one translation and its reference, got 0 translations and 0 "
            "references."
        )
    metric = bleu_metric()
    return metric.corpus_score(translations, [references]).score, str(metric.get_signature())
