"""Texts through a model: translated in batches, and scored."""

import numpy as np

from .data.vocabulary import padded
from .decoding import beam_search
from .extras import extra


def translate(model, vocabulary, texts, search=beam_search, max_tokens=None, batch_size=64):
    """The model's answer to each text, in their order.

    `search(model, source, max_tokens) → ids` decodes: `greedy`, `beam_search`, or one that samples. Texts of like lengths
    go through the model together. Raises InputError for a text that the vocabulary cannot read.
    """
    encoded = [vocabulary.encode(text) for text in texts]
    order = np.argsort([len(ids) for ids in encoded], kind="stable")
    answers = [""] * len(texts)
    for start in range(0, len(texts), batch_size):
        rows = order[start : start + batch_size]
        source = padded([encoded[row] for row in rows])
        produced = search(model, source, max_tokens or longest_answer(model, source))
        for row, ids in zip(rows, produced):
            answers[row] = vocabulary.text(ids)
    return answers


def longest_answer(model, source):
    """After how many tokens to give up: twice the source's length and 8, if the model can hold so many.  source (B, S)"""
    length = source.shape[1]
    room = getattr(model.config, "max_length", np.inf) - (0 if hasattr(model, "encoder") else length)
    return max(1, int(min(2 * length + 8, room)))


def bleu(translations, references):
    """(BLEU from 0 to 100, the signature that says how it was counted): of a whole corpus, lower-cased, tokenised as 13a.

    Sources: Papineni et al. 2002; Post 2018, for the signature, without which two scores cannot be compared.
    """
    metric = extra("sacrebleu", "Counting BLEU").BLEU(lowercase=True)
    return metric.corpus_score(translations, [references]).score, str(metric.get_signature())
