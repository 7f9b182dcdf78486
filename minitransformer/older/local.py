"""Local attention: each position attends to itself and the few before it."""

from typing import Annotated

from ..attention.scaled_dot_product import ScaledDotProductAttention
from ..backend import array_module
from ..boundary import Count, Floats, Generator, Mask, Probability, Rng
from ..core.module import saving
from ..errors import InputError

Query = Annotated[Floats, "B, H, T, K"]
Key = Annotated[Floats, "B, H, S, K"]
Value = Annotated[Floats, "B, H, S, K_v"]


class LocalAttention(ScaledDotProductAttention):
    """Causal self-attention within a window of the last r positions, computed without the n·n
    scores.

        y_t = Σ_s P_ts v_s      P_t = softmax over s = t − r + 1 … t of q_t · k_s / √d_k

    The sequence is cut into blocks of r. The windows of a block's queries lie in that block and the
    one before it, so each block is a scaled dot-product attention of r queries to 2r keys, with a
    mask for the window: 2r·n scores, a number linear in n, where full attention has n·n. Backward
    is that attention's own backward; a key is used by two blocks, so its gradient is the sum of
    both.

    When decoding with a cache, the queries are those of the last positions only.

    `mask` (B, T), True = real, hides padding; `dropout` acts on P. Inside `keep_weights`, P stays
    readable as `weights`, spread out to (B, H, T, T), and after backward d_P. Raises InputError
    where queries and keys are not of one sequence, for a window of less than 1, or another mask.

    Shapes: Q, K (B, H, T, K), V (B, H, T, K_v), y (B, H, T, K_v); inside, N blocks: queries
    (B, H, N, r, K), keys (B, H, N, 2r, K). Source: Vaswani et al. 2017, section 4, "self-attention
    (restricted)".
    """

    def __init__(self, width: Count, rng: Rng | None = None, dropout: Probability = 0.0):
        super().__init__(rng, dropout)
        self.width = width

    def forward(
        self, query: Query, key: Key, value: Value, mask: Annotated[Mask, "B, S"] | None = None
    ) -> Floats:
        if not saving() and query.shape[2] < key.shape[2]:
            return self.step(query, key, value, mask)
        self.expect_one_sequence(query, key, value)
        q = self.blocks(query)                                           # (B, H, N, r, K)
        k = self.neighbourhoods(key)                                     # (B, H, N, 2r, K)
        v = self.neighbourhoods(value)                                   # (B, H, N, 2r, K_v)
        y = super().forward(q, k, v, self.allowed(mask, key))            # (B, H, N, r, K_v)
        length = query.shape[2]
        if self.keep:
            self.weights = self.spread(self.weights, length)
        self.save(length)
        return self.joined(y, length)                                    # (B, H, T, K_v)

    def backward(self, d_y: Floats) -> tuple[Floats, Floats, Floats]:
        length = self.saved()
        d_q, d_k, d_v = super().backward(self.blocks(d_y))
        if self.keep:
            self.d_weights = self.spread(self.d_weights, length)
        d_key = self.neighbourhoods_backward(d_k, length)
        d_value = self.neighbourhoods_backward(d_v, length)
        return self.joined(d_q, length), d_key, d_value

    def step(self, query: Floats, key: Floats, value: Floats, mask: Mask | None) -> Floats:
        """y (B, H, T, K_v) for the last T of n positions, whose queries see r keys each: for
        decoding with a cache."""
        xp = array_module(key)
        count = query.shape[2]
        seen = min(key.shape[2], self.width + query.shape[2] - 1)
        # how many positions each key is back
        behind = xp.arange(seen - count, seen)[:, None] - xp.arange(seen)  # (T, seen)
        allowed = ((behind >= 0) & (behind < self.width))[None, None]
        if mask is not None:
            allowed = allowed & mask[:, None, None, -seen:]
        return super().forward(query, key[:, :, -seen:], value[:, :, -seen:], allowed)

    def expect_one_sequence(self, query: Floats, key: Floats, value: Floats) -> None:
        if query.shape != key.shape or value.shape[:-1] != key.shape[:-1]:
            shapes = f"{query.shape}, {key.shape}, {value.shape}"
            raise InputError(
                "Local attention is self-attention: queries, keys and values of one sequence, got "
                f"{shapes}."
            )

    def blocks(self, x: Floats) -> Floats:
        """(B, H, T, K) → (B, H, N, r, K), zeros after the end."""
        *_, length, features = x.shape
        count = -(-length // self.width)
        missing = array_module(x).zeros(
            (*x.shape[:-2], count * self.width - length, features), dtype=x.dtype
        )
        padded = array_module(x).concatenate([x, missing], axis=-2)
        return padded.reshape(*x.shape[:-2], count, self.width, features)

    def joined(self, x: Floats, length: int) -> Floats:
        """(B, H, N, r, K) → (B, H, T, K): undoes `blocks`."""
        *front, count, width, features = x.shape
        return x.reshape(*front, count * width, features)[..., :length, :]

    def neighbourhoods(self, x: Floats) -> Floats:
        """(B, H, T, K) → (B, H, N, 2r, K): each block with the one before it, zeros before the
        first."""
        xp, block = array_module(x), self.blocks(x)
        before = xp.concatenate(
            [xp.zeros_like(block[..., :1, :, :]), block[..., :-1, :, :]], axis=-3
        )
        return xp.concatenate([before, block], axis=-2)

    def neighbourhoods_backward(self, d_pair: Floats, length: int) -> Floats:
        """(B, H, N, 2r, K) → (B, H, T, K): a block's gradient from its own neighbourhood and from
        the next one's."""
        d_block = d_pair[..., self.width :, :].copy()
        d_block[..., :-1, :, :] += d_pair[..., 1:, : self.width, :]
        return self.joined(d_block, length)

    def allowed(self, mask: Mask | None, key: Floats) -> Mask:
        """(B or 1, 1, N, r, 2r) bool: the keys in the window, except padding and what is before the
        beginning."""
        xp = array_module(key)
        real = xp.ones((1, key.shape[2]), dtype=bool) if mask is None else mask
        keys = self.neighbourhoods(real[:, None, :, None])[..., 0]       # (B, 1, N, 2r)
        t, s = self.width + xp.arange(self.width), xp.arange(2 * self.width)
        back = t[:, None] - s                                            # (r, 2r)
        return keys[..., None, :] & (back >= 0) & (back < self.width)

    def spread(self, blocked: Floats, length: int) -> Floats:
        """(B, H, N, r, 2r) → (B, H, T, T): the weights of each block at the positions to which they
        belong."""
        batch, heads, count, width, _ = blocked.shape
        full = array_module(blocked).zeros(
            (batch, heads, count * width, (count + 1) * width), dtype=blocked.dtype
        )
        for n in range(count):
            full[:, :, n * width : (n + 1) * width, n * width : (n + 2) * width] = blocked[:, :, n]
        # the first columns were before the beginning
        return full[:, :, :length, width : width + length]

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        query, key = rng.standard_normal((3, 2, 7, 5)), rng.standard_normal((3, 2, 7, 5))
        real = rng.random((3, 7)) < 0.8
        return cls(3), query, key, rng.standard_normal((3, 2, 7, 4)), real
