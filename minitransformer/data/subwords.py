"""Subwords: byte-pair encoding, learned from a corpus by the `tokenizers` library."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import numpy as np

from ..boundary import Count, Having, Text, Texts, checked
from ..errors import InputError
from ..terminal.extras import extra
from .vocabulary import SPECIAL, UNK, Vocabulary

SPACE = "▁"  # the library's sign for the space before a word
Tokenizer = Annotated[
    Any,
    Having(
        "a Tokenizer of the library tokenizers (Subwords.learn(texts, size) makes one)",
        "id_to_token", "get_vocab_size", "encode_batch",
    ),
]
KNOWN = 2**17  # words whose ids are kept
REMEDY = "Use a checkpoint that `minitransformer train` has written."


class Subwords(Vocabulary):
    """A joint vocabulary of frequent pieces of words, for both languages.

    Texts are lower-cased (unless told otherwise), split at spaces and punctuation, and each word is
    merged from its characters pair by pair, the most frequent pairs of the corpus first. A
    character that never occurred becomes <unk>.

    Source: Sennrich, Haddow & Birch 2016, section 3.2; Vaswani et al. 2017, section 5.1.
    """

    kind = "subwords"
    spaces = True

    @checked
    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        tokenizer.encode_special_tokens = True  # "<unk>" in a text is a text
        self.known: dict[str, list[int]] = {}  # the ids of words
        tokens = [tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size())]
        super().__init__(tokens[len(SPECIAL) :])

    @classmethod
    @checked
    def learn(cls, texts: Texts, size: Count, lowercase: bool = True) -> "Subwords":
        """The vocabulary of `size` tokens (the four special ones among them) from these texts;
        fewer if the texts have no more."""
        library = extra("tokenizers", "Cutting a corpus into subwords")
        tokenizer = library.Tokenizer(library.models.BPE(unk_token=SPECIAL[3]))
        normalizers, splits = library.normalizers, library.pre_tokenizers
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.NFC(), *([normalizers.Lowercase()] if lowercase else [])]
        )
        tokenizer.pre_tokenizer = splits.Sequence([splits.Metaspace(SPACE), splits.Punctuation()])
        trainer = library.trainers.BpeTrainer(
            vocab_size=size, special_tokens=list(SPECIAL), show_progress=False
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    def tokenize(self, text: str) -> list[str]:
        return [self.tokens[i] for i in self.encode(text)]

    def unknown(self, text: str) -> str:
        return "".join(
            c for c in dict.fromkeys(clean(text)) if not c.isspace() and UNK in self.encode(c)
        )

    @checked
    def encode(self, text: Text) -> np.ndarray:
        return self.encode_all([text])[0]

    def encode_rows(self, texts: Sequence[str]) -> list[list[int]]:
        """Word by word: no token has a space inside, so each word is cut once, and found again.

        Raises InputError for a text without a character.
        """
        texts = [clean(text) for text in texts]
        if "" in texts:
            raise InputError(
                f"An empty text (number {texts.index('') + 1} of {len(texts)}): there is nothing "
                "to read."
            )
        # a text that has the sign itself is cut as a whole: the library adds none before it
        rows = [[text] if SPACE in text else text.split(" ") for text in texts]
        if new := [*{word for words in rows for word in words} - self.known.keys()]:
            if len(self.known) > KNOWN:
                self.known.clear()
                return self.encode_rows(texts)
            for word, encoding in zip(new, self.tokenizer.encode_batch(new)):
                self.known[word] = encoding.ids
        return [[i for word in words for i in self.known[word]] for words in rows]

    def join(self, tokens: Iterable[str]) -> str:
        return "".join(tokens).replace(SPACE, " ").strip()

    def words(self, tokens: Iterable[str]) -> list[list[str]]:
        """The tokens in groups: a word or a punctuation mark each."""
        groups = []
        for token in tokens:
            if not groups or not continues(groups[-1][-1], token):
                groups.append([])
            groups[-1].append(token)
        return groups

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "tokenizer": self.tokenizer.to_str()}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> "Subwords":
        library = extra("tokenizers", "Reading with this run's subwords")
        try:
            tokenizer = library.Tokenizer.from_str(facts["tokenizer"])
        except KeyboardInterrupt:
            raise
        except BaseException as problem:
            # the library raises a bare Exception, and its panics are not even that
            raise InputError(
                f"The subwords in this file cannot be read ({problem}). {REMEDY}"
            ) from None
        expect_ours(tokenizer)
        return cls(tokenizer)


def expect_ours(tokenizer):
    """Raise InputError unless the ids have no gap, and the special tokens are the first: another
    program may have made it."""
    tokens = [tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size())]
    if tuple(tokens[: len(SPECIAL)]) != SPECIAL or not all(tokens):
        raise InputError(
            f"The subwords in this file are not ours: they do not begin with {' '.join(SPECIAL)}, "
            f"or have gaps. {REMEDY}"
        )


def continues(before, token):
    """Whether a token belongs to the same word as the one before it."""
    return not token.startswith(SPACE) and (
        before == SPACE or before[-1].isalnum() and token[0].isalnum()
    )


def whole_characters(text):
    """The text in which half of a surrogate pair, which is no character, is "�": one that is as
    unknown as itself. Both halves are the character that they make."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean(text):
    """One space between words, and whole characters."""
    if not text.isascii():
        text = whole_characters(text)
    return " ".join(text.split())
