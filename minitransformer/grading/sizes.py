"""The sizes of an exercise's arrays: all different, so that no axis can be taken for another."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Sizes:
    """B batch, H heads, T queries, S keys, K key width, K_v value width, V vocabulary, F
    feed-forward width, D = H·K."""

    B: int = 3
    H: int = 4
    T: int = 5
    S: int = 7
    K: int = 11
    K_v: int = 13
    V: int = 17
    F: int = 19

    @property
    def D(self):
        return self.H * self.K

    def named(self):
        """{letter: size}."""
        return {**dataclasses.asdict(self), "D": self.D}

    def differ(self, others):
        """Whether no letter has the same size here and there."""
        return all(size != others.named()[letter] for letter, size in self.named().items())

    def values(self):
        """The sizes, and the products that a mean may be taken over."""
        return [*self.named().values(), self.B * self.T, self.B * self.S, self.T * self.S]


# The smallest, for a case that can be worked out by hand.
TINY = (
    Sizes(B=1, H=1, T=1, S=2, K=1, K_v=1, V=2, F=1),
    Sizes(B=1, H=1, T=1, S=2, K=2, K_v=1, V=3, F=2),
    Sizes(B=1, H=1, T=2, S=2, K=2, K_v=1, V=3, F=1),
    Sizes(B=2, H=1, T=2, S=2, K=2, K_v=2, V=3, F=2),
)

# Small ones, for a search that runs a submission many times.
SMALL = (
    Sizes(B=2, H=3, T=4, S=5, K=6, K_v=7, V=9, F=11),
    Sizes(B=3, H=2, T=5, S=4, K=8, K_v=6, V=7, F=9),
)  # fmt: skip

# Where a submission stops because shapes do not fit, these let it run, so that its transposition
# can be named.
TWINS = {
    "as many queries as keys, all widths equal": Sizes(B=2, H=3, T=5, S=5, K=4, K_v=4, V=12, F=12),
    "all lengths equal, all widths equal": Sizes(B=4, H=4, T=4, S=4, K=4, K_v=4, V=16, F=16),
}


def sizes_for(seed):
    """Sizes drawn by the seed, no two of them equal; seed 0 has the ones that examples show."""
    if seed == 0:
        return Sizes()
    rng = np.random.default_rng(seed)
    while True:
        B, T, S = rng.choice([3, 4, 5, 6, 7], size=3, replace=False)
        # so that D stays small: a loop over it takes its time
        H, K = rng.choice([3, 4, 5]), rng.choice([8, 10, 11])
        wide = rng.choice([12, 13, 14, 15, 17, 18, 19, 21, 22, 23], size=3, replace=False)
        sizes = Sizes(*(int(n) for n in (B, H, T, S, K, *wide)))
        if len(set(sizes.values())) == len(sizes.values()):
            return sizes
