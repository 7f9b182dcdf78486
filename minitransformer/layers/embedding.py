"""From token ids to vectors, and from vectors back to scores over the vocabulary."""

from typing import Annotated

from ..backend import add_rows, asarray, feature_product, on_host, position_product
from ..boundary import Count, Features, Floats, Generator, Ids, Rng, expect_ids
from ..core.module import Module, Parameter


class Embedding(Module):
    """Look up a vector for each token.

        y = √D · W[ids]

    Backward: row v gets the sum of the gradients at all positions where token v occurs,

        d_W[v] = √D Σ_{n: ids_n = v} d_y_n

    W is initialised from N(0, 1/D), so y has variance 1, about as large as the positional encoding
    that is added to it; this is the purpose of ×√D, which `scale=False` leaves out. Returns None
    from backward: ids have no gradient.

    Raises InputError for ids that are not integers, an empty batch, or an id outside 0 … V−1 (the
    message says which, and where).

    Shapes: ids (...), y (..., D); W (V, D). Source: Vaswani et al. 2017, section 3.4.
    """

    def __init__(
        self, vocabulary_size: Annotated[Count, "V"], features: Annotated[Count, "D"], rng: Rng,
        scale: bool = True,
    ):
        self.weight = Parameter.normal(rng, vocabulary_size, features, std=features**-0.5)
        self.scale = features**0.5 if scale else 1.0

    def forward(self, ids: Ids) -> Floats:
        ids = self.on_same_device(ids)
        expect_ids(ids, self.weight.shape[0])
        self.save(ids)
        return self.weight.data[ids] * self.scale                        # (..., D)

    def backward(self, d_y: Floats) -> None:
        ids = self.saved()
        rows = (d_y * self.scale).reshape(-1, d_y.shape[-1])             # (N, D)
        add_rows(self.weight.grad, ids.reshape(-1), rows)

    def on_same_device(self, ids: Ids) -> Ids:
        """The ids on the device where W is; they are checked before they go to a GPU, where reading
        them would have to wait."""
        if on_host(ids) and not on_host(self.weight.data):
            expect_ids(ids, self.weight.shape[0])
            ids = asarray(ids, like=self.weight.data)
        return ids

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        ids = rng.integers(0, 17, size=(3, 5))
        ids[0, :2] = ids[2, 4] = 6  # a token that occurs several times
        return cls(17, 11, rng), ids


class Unembedding(Module):
    """Score every token of the vocabulary with the embedding table itself.

        y = x Wᵀ

    Backward:

        d_x = d_y W      d_W = Σ d_yᵀ x          (Σ over all positions)

    W is an argument: with tied embeddings it is the `Embedding`'s parameter, and its gradient is
    the sum of both uses.

    Shapes: x (..., D), y (..., V); W (V, D). Source: Press & Wolf 2017; Vaswani et al. 2017,
    section 3.4.
    """

    def __init__(self, weight: Annotated[Parameter, "V, D"]):
        self.weight = weight

    def forward(self, x: Features) -> Floats:
        self.save(x)
        return feature_product(x, self.weight.data.T)                    # (..., V)

    def backward(self, d_y: Floats) -> Floats:
        x = self.saved()
        self.weight.accumulate(position_product, d_y, x)                 # (V, D)
        return feature_product(d_y, self.weight.data)                    # (..., D)

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        return cls(Parameter.normal(rng, 17, 11, std=11**-0.5)), rng.standard_normal((3, 5, 11))
