"""What a search may write: which tokens, and how many of them."""

from typing import Annotated

import numpy as np

from ..backend import as_numpy, on_host
from ..boundary import Floats, Having, checked, is_ragged
from ..data import vocabulary
from ..data.vocabulary import BOS, PAD
from ..errors import InputError, NonFiniteError, shortened
from ..models.input_embedding import Source
from ..models.sequence_model import SequenceModel

MaxTokens = int | np.ndarray | None  # one number, or (B,) of them; None: as many as usual

Model = Annotated[SequenceModel, Having("a model, such as a Transformer", "start", "step")]


@checked
def writable(scores: Annotated[Floats, "..., V"]) -> np.ndarray:
    """A copy of scores (…, V), logits or log p, with −∞ for PAD and BOS: no answer holds either."""
    scores = scores.copy()
    scores[..., PAD] = scores[..., BOS] = -np.inf
    return scores


def padding_behind(source):
    """The source (B, S) with each row's tokens first, in their order, and its padding behind them;
    None stays None.

    Models count positions from the first column, so padding in front would move a sentence to other
    places.
    """
    return source if source is None or not on_host(source) else vocabulary.padding_behind(source)


def expect_numbers(are_numbers):
    """Raise NonFiniteError unless all rows of logits (N,) are numbers, so that a search can choose
    among the tokens."""
    if not are_numbers.all():
        raise NonFiniteError(
            "The model's logits are NaN or infinite, so there is no most likely token. Look for a "
            "parameter that is not finite: [n for n, p in model.named_parameters().items() if not "
            "numpy.isfinite(p.data).all()]."
        )


@checked
def longest_answer(
    model: "SequenceModel", source: Source | None, max_tokens: "MaxTokens" = None
) -> np.ndarray:
    """The largest number of tokens for each row, (B,): `max_tokens`, but never more than the model
    has positions for.

        max_tokens, a number or (B,) of them
        default: twice the number of the row's source tokens, plus 8

    Padding is not counted, so a row's answer does not depend on the others. A model that holds
    source and answer in one sequence has fewer positions left after a longer source. Without a
    source (None) there is one row, of no tokens. Raises InputError for sources that are no batch of
    ids, and for max_tokens that are not whole numbers of at least 0.

    Shapes: source (B, S) ids.
    """
    lengths = (
        np.zeros(1, dtype=np.int64) if source is None else (as_numpy(source) != PAD).sum(axis=1)
    )  # (B,)
    max_tokens = 2 * lengths + 8 if max_tokens is None else max_tokens
    wanted = np.asarray(None if is_ragged(max_tokens) else max_tokens)
    if (
        wanted.dtype.kind not in "iu"
        or wanted.shape not in ((), lengths.shape)
        or (wanted < 0).any()
    ):
        raise InputError(
            f"max_tokens is a whole number of at least 0, or one for each of the {len(lengths)} "
            f"rows; got {shortened(max_tokens)}."
        )
    positions = getattr(getattr(model, "config", None), "max_length", np.inf)
    room = positions - lengths * getattr(model, "one_sequence", False)
    # in one that is full, the first step says so
    return np.minimum(wanted, np.maximum(room, 1)).astype(np.int64)
