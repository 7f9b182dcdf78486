"""Tokens and their ids."""

import numpy as np

from ..errors import InputError

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")


class Vocabulary:
    """The tokens of a task, with ids from 4 on; 0 … 3 are padding, begin, end and unknown."""

    def __init__(self, tokens):
        self.tokens = [*SPECIAL, *tokens]
        self.ids = {token: i for i, token in enumerate(self.tokens)}

    def __len__(self):
        return len(self.tokens)

    def tokenize(self, text):
        """Split at spaces; a piece that is no token is split into characters: "314" is read like "3 1 4".

        Raises InputError for an empty text, and for a token that does not exist (which, where, and what there is).
        """
        pieces = text.split()
        tokens = [t for piece in pieces for t in ([piece] if piece in self.ids else piece)]
        if not tokens:
            raise InputError("An empty text: write at least one token, such as " + " ".join(self.tokens[len(SPECIAL) :][:3]))
        for place, token in enumerate(tokens):
            if token not in self.ids or token in SPECIAL:
                known = " ".join(self.tokens[len(SPECIAL) :])
                raise InputError(f"{token!r} (token {place + 1} of {text!r}) is not in the vocabulary. It has: {known}")
        return tokens

    def encode(self, text):
        """The ids of a text, (n,) int64."""
        return np.array([self.ids[token] for token in self.tokenize(text)], dtype=np.int64)

    def decode(self, ids):
        """The tokens of ids up to the first EOS, without BOS and without padding at the end."""
        ids = [int(i) for i in ids]
        ids = ids[: ids.index(EOS)] if EOS in ids else ids
        while ids and ids[-1] == PAD:
            ids.pop()
        return [self.tokens[i] for i in ids if i != BOS]
