"""Multi-head attention."""

from typing import Annotated

from ..boundary import Count, Floats, Generator, Gradients, Mask, Probability, Rng
from ..core.module import Module
from ..layers.cache import Cache
from ..layers.linear import Linear
from .heads import MergeHeads, SplitHeads, head_width
from .masking import Masking
from .scaled_dot_product import ScaledDotProductAttention

Queries = Annotated[Floats, "B, T, D or N, D"]
Memory = Annotated[Floats, "B, S, D or M, D"]


class MultiHeadAttention(Module):
    """Attend H times in parallel, each head in a subspace of its own, and combine the results.

        head_h = Attention(x W_Q[h], m W_K[h], m W_V[h])      y = Concat(head_1, …, head_H) W_O

    `forward(query, memory=None, mask=None, cache=None)`. Without a memory, m = x: self-attention,
    and backward returns d_query, the sum over the three uses of x. With one, queries come from x,
    keys and values from the memory (the decoder's cross-attention), and backward returns
    (d_query, d_memory); d_memory is the sum of the gradients through keys and values.

    Head width K is D/H (InputError if H does not divide D) unless `key_features` says otherwise;
    values may have another (`value_features`). With a `Cache`, which is for decoding, the query
    holds new positions only: their keys and values are appended to those of the positions before; a
    memory's are computed once.

    The four projections have no bias, as in the paper; with `bias=True` (as in nn.Transformer) the
    key bias has a gradient of exactly zero, because it shifts all scores of a query by the same
    amount, and softmax ignores a shift. `attention` replaces scaled dot-product attention by
    another: `LocalAttention`, whose mask is (B, T).

    Shapes: query, y (B, T, D); memory (B, S, D); mask broadcastable to (B, H, T, S), True = may
    attend; W_Q, W_K (D, H·K), W_V (D, H·K_v), W_O (H·K_v, D). Source: Vaswani et al. 2017, section
    3.2.2.
    """

    def __init__(
        self,
        features: Annotated[Count, "D"],
        heads: Count,
        rng: Rng,
        key_features: Count | None = None,
        value_features: Count | None = None,
        bias: bool = False,
        dropout: Probability = 0.0,
        attention: Module | None = None,
    ):
        key_features = key_features or head_width(features, heads)
        value_features = value_features or key_features
        self.query = Linear(features, heads * key_features, rng, bias)
        self.key = Linear(features, heads * key_features, rng, bias)
        self.value = Linear(features, heads * value_features, rng, bias)
        self.heads = heads
        self.split_query, self.split_key, self.split_value = (
            SplitHeads(heads), SplitHeads(heads), SplitHeads(heads),
        )
        self.attention = ScaledDotProductAttention(rng, dropout) if attention is None else attention
        self.merge = MergeHeads()
        self.output = Linear(heads * value_features, features, rng, bias)

    def forward(
        self, query: Queries, memory: Memory | None = None, mask: "Mask | None" = None,
        cache: "Cache | None" = None,
    ) -> Floats:
        self.save(memory is None)
        q = self.split_query(self.query(query))                          # (B, H, T, K)
        if cache is not None and memory is not None:
            k, v = cache.once(lambda: self.keys_and_values(memory))
        else:
            k, v = self.keys_and_values(query if memory is None else memory)
            k, v = (k, v) if cache is None else cache.extend(k, v)
        return self.output(self.merge(self.attention(q, k, v, mask)))    # (B, T, D)

    def backward(self, d_y: Floats) -> Gradients:
        d_context = self.merge.backward(self.output.backward(d_y))       # (B, H, T, K_v)
        d_q, d_k, d_v = self.attention.backward(d_context)
        d_memory = self.value.backward(self.split_value.backward(d_v))   # (B, S, D)
        d_memory = d_memory + self.key.backward(self.split_key.backward(d_k))
        d_query = self.query.backward(self.split_query.backward(d_q))    # (B, T, D)
        is_self_attention = self.saved()
        return d_query + d_memory if is_self_attention else (d_query, d_memory)

    def keys_and_values(self, memory: Floats) -> tuple[Floats, Floats]:
        """(k (B, H, S, K), v (B, H, S, K_v)) of what is attended to, (B, S, D)."""
        return self.split_key(self.key(memory)), self.split_value(self.value(memory))

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        attention = cls(20, 4, rng, key_features=11, value_features=13)
        _, _, mask = Masking.example(rng)
        return attention, rng.standard_normal((3, 5, 20)), rng.standard_normal((3, 7, 20)), mask
