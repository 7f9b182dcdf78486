"""Continuing a text: one token after the other, for as long as is wanted."""

from collections.abc import Iterator

import numpy as np

from ..backend import as_numpy
from ..boundary import Natural, Rng, SequenceOfIds, checked
from ..core.evaluating import evaluating
from ..data.vocabulary import FIRST
from ..errors import InputError
from .limits import Model, expect_numbers
from .sampling import Temperature, TopP, drawn


@checked
def continuation(
    model: Model, prompt: SequenceOfIds, max_tokens: Natural, rng: Rng,
    temperature: Temperature = 1.0, top_k: Natural = 0, top_p: TopP = 1.0,
) -> Iterator[int]:
    """The ids that a language model writes behind a prompt (n,), each as soon as it is drawn:
    `max_tokens` of them. The special tokens are never drawn: a text has no end of its own.

    The model reads the prompt, then each token that it has written. When its positions are used
    up, or if the prompt has more tokens than those, it begins anew with the last half of what fits:
    it forgets what came before. For `temperature`, `top_k` (1: always the most likely token) and
    `top_p` see `sample`. Raises InputError for a prompt without a token.
    """
    if not len(prompt):
        raise InputError(
            "An empty prompt: pass at least one token. To begin a text, pass that behind which one "
            "begins, such as a line break."
        )
    positions = getattr(getattr(model, "config", None), "max_length", np.inf)
    read, state, held = [int(i) for i in prompt], None, 0  # held: how many tokens the state has
    for _ in range(max_tokens):
        with evaluating(model):
            if state is None or held == positions:
                if len(read) > positions:
                    read = read[-max(1, int(positions) // 2) :]
                state = model.start(np.array([read[:-1]]) if read[1:] else None)
                held = len(read) - 1
            logits, state = model.step(np.array(read[-1:]), state)       # (1, V)
            held += 1
        logits = logits.copy()
        logits[:, :FIRST] = -np.inf
        token = int(as_numpy(drawn(logits, [rng], temperature, top_k, top_p))[0])
        expect_numbers(np.isfinite(as_numpy(logits)[:, token]))
        read.append(token)
        yield token
