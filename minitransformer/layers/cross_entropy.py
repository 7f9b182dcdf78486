"""Cross-entropy over the tokens that are real."""

from typing import Annotated

import numpy as np

from ..backend import array_module, asarray, on_host, zero_rows
from ..boundary import (
    ARRAYS,
    FLOAT,
    INTEGER,
    Array,
    Floats,
    Generator,
    Ids,
    Mask,
    Probability,
    Whole,
    expect_ids,
)
from ..core.module import Module
from ..errors import InputError


class RightClasses(Array):
    """The id of the right class for each row of the scores. The message recognises one-hot targets,
    and scores in their place."""

    def taken(self, value, name, sizes):
        if type(value) not in ARRAYS:
            return super().taken(value, name, sizes)
        shape, of_scores = value.shape, (*sizes.get("...", ()), sizes.get("V"))
        wrong = f"{name} must be {self.words}, and these are {value.dtype} of shape {shape}"
        if shape == of_scores:
            raise InputError(
                f"{wrong}, a number for each class. If they are one-hot, use "
                f"{name.split()[-1]}.argmax(axis=-1); if they are the scores, pass the scores "
                "first, then the targets."
            )
        if shape[:-1] == of_scores:
            raise InputError(
                f"{wrong}, like scores for the first argument. Pass the scores first, then the "
                "targets, as integers."
            )
        return super().taken(value, name, sizes)


Scores = Annotated[
    np.ndarray, Array("f", f"the scores (logits), {FLOAT.words}", FLOAT.remedy, "..., V")
]
Targets = Annotated[
    np.ndarray,
    RightClasses("iu", f"the ids of the right classes, {INTEGER.words}", INTEGER.remedy, "..."),
]


class CrossEntropy(Module):
    """The mean negative log-likelihood of the targets, with label smoothing; targets that are
    padding do not count.

        L = −(1/N) Σ_n Σ_v q_nv log p_nv      p = softmax(x)      q = (1−ε) onehot(target) + ε/V

    Backward, for the N real targets (rows of padding get 0):

        d_x = d_L (p − q) / N

    Forward ignores a shift of each row of x, so Σ_v d_x_nv = 0. The log-sum-exp is shifted by the
    row's maximum, so nothing overflows and no log(0) occurs. With ε > 0 the least possible loss is
    the entropy of q, not 0.

    `padding` is the id that stands for padding among the targets (0, `PAD`, in the batches of
    `make_batch`). Without it, every target counts, and 0 is a class like others.

    `forward(x, targets)` returns a scalar. Raises InputError for targets that are not integer ids
    below V, for shapes that do not match, and if every target is padding. (For targets on a GPU
    only the shape is checked.)

    Shapes: x (..., V), targets (...). Sources: Szegedy et al. 2016, section 7; Vaswani et al. 2017,
    section 5.4.
    """

    def __init__(self, label_smoothing: Probability = 0.0, padding: Whole | None = None):
        self.label_smoothing = label_smoothing
        self.padding = padding

    def forward(self, x: Scores, targets: Targets) -> Floats:
        rows, targets, real, count = self.in_rows(x, targets)            # (N, V), (N,), (N,)
        xp = array_module(rows)
        shifted = rows - rows.max(axis=-1, keepdims=True)                # (N, V)
        exps = xp.exp(shifted)
        total = exps.sum(axis=-1, keepdims=True)                         # (N, 1)
        log_total = xp.log(total[:, 0])                                  # (N,)
        at_target = shifted[xp.arange(len(targets)), targets]
        smooth = self.label_smoothing
        loss = log_total - (1 - smooth) * at_target                      # (N,)
        if smooth:  # without it, a logit of −∞ (a forbidden token) is allowed
            loss = loss - smooth * shifted.mean(axis=-1)
        self.save(exps / total, targets, real, count, x.shape)           # p (N, V)
        return xp.where(real, loss, 0).sum() / count

    def backward(self, d_loss: float = 1.0) -> Floats:
        p, targets, real, count, shape = self.saved()
        xp = array_module(p)
        smooth, vocabulary = self.label_smoothing, p.shape[-1]
        d_x = p - smooth / vocabulary                                    # (N, V)
        d_x[xp.arange(len(targets)), targets] -= 1 - smooth
        zero_rows(d_x, ~real)
        return (d_x * (d_loss / count)).reshape(shape)

    def in_rows(self, x: Floats, targets: Ids) -> tuple[Floats, Ids, Mask, int]:
        """(x as rows (N, V), the targets (N,) beside them, which of these are real (N,), how
        many)."""
        targets, real, count = self.real_targets(targets, x.shape[-1])
        return (
            x.reshape(-1, x.shape[-1]), asarray(targets, like=x).reshape(-1),
            asarray(real, like=x).reshape(-1), count,
        )

    def real_targets(self, targets: Ids, classes: int) -> tuple[Ids, Mask, int]:
        """(targets with 0 for padding, which are real, how many). Raises InputError for an id that
        is no class, or if none is real."""
        xp = array_module(targets)
        every = xp.ones(targets.shape, dtype=bool)
        real = every if self.padding is None else targets != self.padding
        # so that padding may be any id, also one outside the vocabulary
        targets = xp.where(real, targets, 0)
        expect_ids(targets, classes)
        # N, before the targets go to a GPU
        count = int(real.sum()) if on_host(real) else real.sum()
        if on_host(real) and count == 0:
            raise InputError(
                "An empty batch: every target is padding, so there is nothing to predict."
            )
        return targets, real, count

    @classmethod
    def example(cls, rng: Generator) -> tuple:
        logits = rng.standard_normal((3, 5, 17))
        logits[0, 0, :4] = logits[0, 0].max() + 1  # tied maxima
        targets = rng.integers(1, 17, size=(3, 5))
        targets[1, 3:] = targets[2, 4] = 0  # padding
        return cls(label_smoothing=0.1, padding=0), logits, targets
