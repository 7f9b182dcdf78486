"""What enters a stack: tokens, where they stand, and dropout."""

from ..errors import InputError
from ..layers.dropout import Dropout
from ..layers.embedding import Embedding, expect_ids
from ..layers.positional_encoding import LearnedPositionalEncoding, SinusoidalPositionalEncoding
from ..module import Module


def expect_sequences(**sequences):
    """Raise InputError unless each is a batch of integer ids, (B, T), and all have the same B. None is left out."""
    sizes = {}
    for name, ids in sequences.items():
        if ids is None:
            continue
        if getattr(getattr(ids, "dtype", None), "kind", "") not in ("i", "u") or ids.ndim != 2:
            got = f"{ids.dtype} of shape {ids.shape}" if hasattr(ids, "shape") else f"a {type(ids).__name__}"
            raise InputError(
                f"{name} must be integer ids of shape (batch, length), got {got}. A single sequence becomes a batch by "
                f"numpy.array(ids)[None]; text is encoded by the task's vocabulary."
            )
        sizes[name] = len(ids)
    if len(set(sizes.values())) > 1:
        raise InputError(f"Source and target belong together row by row, but the batch sizes differ: {sizes}.")


class InputEmbedding(Module):
    """The sum of token embedding and positional encoding, with dropout.

        y = Dropout(√D · W[ids] + PE)

    Backward runs back through the three; it returns None, because ids have no gradient. The `Embedding` is handed
    in, so that source and target may share one. With a `Packing`, y holds the real positions only, (N, D).

    Shapes: ids (B, T), positions (B, T) or None, y (B, T, D). Source: Vaswani et al. 2017, sections 3.4, 3.5, 5.4.
    """

    def __init__(self, embedding, config, rng):
        features = embedding.weight.shape[1]
        self.embedding = embedding
        if config.positions == "learned":
            self.position = LearnedPositionalEncoding(features, rng, config.max_length)
        else:
            self.position = SinusoidalPositionalEncoding(features, config.max_length)
        self.dropout = Dropout(config.dropout, rng)

    def forward(self, ids, positions=None, packing=None):
        ids = self.embedding.beside(ids)
        if packing is not None:
            expect_ids(ids, self.embedding.weight.shape[0])              # while it can say in which row
            ids, positions = packing.pack(ids), packing.positions        # (N,), (N,)
        return self.dropout(self.position(self.embedding(ids), positions))  # (B, T, D)

    def backward(self, d_y):
        self.embedding.backward(self.position.backward(self.dropout.backward(d_y)))

    @classmethod
    def example(cls, rng):
        from .config import TransformerConfig

        embedding, ids = Embedding.example(rng)
        config = TransformerConfig(source_vocabulary=17, d_model=11, heads=1, max_length=7, positions="learned")
        return cls(embedding, config, rng), ids
