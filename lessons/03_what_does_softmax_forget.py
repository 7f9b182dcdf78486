# %% [markdown]
# # 03 · What does softmax forget?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 25 min · writing 40 min | ●●○ | ●●● | [00](00_how_do_i_know_a_gradient_is_right.ipynb) | `layers.Softmax`, `layers.CrossEntropy` |
#
# ## Question
#
# A model gives each word that could come next a score, any number at all. (Scores that are about to be turned into
# probabilities are also called *logits*.) Softmax turns them into positive numbers that sum to 1. Two different rows of
# scores can give the same probabilities, so softmax forgets something about the row. What is it? And what does this say
# about the gradient, before we have computed any derivative?

# %%
import numpy as np

from minitransformer.grading import check, hint, reveal
from minitransformer.layers import CrossEntropy, Softmax
from minitransformer.lessons import predict, show
from minitransformer.plotting import GRADIENT, draw_bars, panels, plot_matrices

rng = np.random.default_rng(3)

# %% [markdown]
# ## Predict
#
# Here are the logits of one position over a vocabulary of six *tokens* (words, or parts of words). Token 2 was right,
# and *cross-entropy*, the loss that we shall derive, is the negative logarithm of the probability that token 2 was
# given. Now 1000 is added to every logit. How far does the gradient move, at the entry where it moves most? Put a
# number in place of the dots.

# %%
logits = np.array([[1.0, 0.0, 2.0, -1.0, 0.5, 3.0]])                     # (1, V)
target = np.array([2])

change = predict("How far does the gradient move if 1000 is added to every logit?", ...)

# %%
loss = CrossEntropy(padding=0)                                            # a target of 0 is not asked for


def gradient_of(logits):
    """∂loss/∂logits of the package's cross-entropy."""
    loss(logits, target)
    return loss.backward()


change.compare(np.abs(gradient_of(logits + 1000) - gradient_of(logits)).max())

# %% [markdown]
# It does not move at all. (With logits that a binary fraction cannot hold, such as 0.3, you would see a little
# rounding.)
#
# ## Picture
#
# What the model predicts, and how the logits are to change. A step of training moves each logit *against* its gradient,
# so the plot shows the negative gradient: a bar up means that the logit is to rise, a bar down that it is to fall.

# %%
P = Softmax()(logits)
d_logits = gradient_of(logits)

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, heading="The predicted probabilities, and how the logits are to change", height=3.2)
draw_bars(axes[0], dict(enumerate(P[0])), title="P = softmax(logits)", x_name="token", numbers="{:.2f}",
          colours=dict.fromkeys(range(6), "#6b7785"))
draw_bars(axes[1], dict(enumerate(-d_logits[0])), title="−d_logits: up or down", x_name="token", numbers="{:.2f}",
          colours=dict.fromkeys(range(6), GRADIENT))
axes[1].axhline(0, color="black", linewidth=0.8)
show(figure, "Two bar charts over six tokens. Left: token 5 has 0.60 of the probability, token 2, the right one, 0.22. "
     "Right: token 2 is pulled up by 0.78; all others are pushed down, token 5 most, by 0.60.")

# %%
print(f"all that is to rise    {-d_logits[d_logits < 0].sum():.4f}")
print(f"all that is to fall    {d_logits[d_logits > 0].sum():.4f}")

# %% [markdown]
# The logit of the right token is to rise, all others are to fall, and those with the highest probability most. The rise
# is as large as all falls together. This holds for all logits, as you will see.
#
# ## Derive
#
# Softmax of one row of scores $s$, and why a shift by any $c$ is lost on it:
#
# $$P_j = \frac{e^{s_j}}{\sum_i e^{s_i}} \qquad\qquad
# \frac{e^{s_j+c}}{\sum_i e^{s_i+c}} = \frac{e^c\,e^{s_j}}{e^c\sum_i e^{s_i}} = P_j$$
#
# That is what softmax forgets: *a number that is added to the whole row*. Only differences between scores are left.
#
# **In loops.** If one score $s_k$ rises, its weight rises, and because the weights sum to 1, all others must fall. By
# the rule for quotients, with $Z = \sum_i e^{s_i}$, and $\delta_{jk}$ for "1 if $j = k$, else 0":
#
# $$\frac{\partial P_j}{\partial s_k} = \frac{\delta_{jk}\,e^{s_j}\,Z - e^{s_j}\,e^{s_k}}{Z^2}
# = P_j\,(\delta_{jk} - P_k)$$
#
# All these derivatives in one square matrix are called the *Jacobian* of the row. In code, slow but easy to check:

# %%
def softmax_jacobian(P):
    """∂P_j/∂s_k of one row, entry by entry, from its weights P (S,)."""
    jacobian = np.zeros((len(P), len(P)))
    for j in range(len(P)):
        for k in range(len(P)):
            jacobian[j, k] = P[j] * ((j == k) - P[k])
    return jacobian


jacobian = softmax_jacobian(P[0])                                        # (S, S)
parts = {"P_j where j = k": np.diag(P[0]), "P_j P_k": np.outer(P[0], P[0]), "∂P_j/∂s_k, their difference": jacobian}

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(parts, rows="j", columns="k", shared=True),
    "Three 6 by 6 maps: the weights P on a diagonal, the products of all pairs of weights, and their difference, the "
    "Jacobian. It is positive on the diagonal and negative elsewhere, largest where P is large.",
)

# %%
print("sums of its rows and of its columns", *(jacobian.sum(axis=axis).round(12) + 0.0 for axis in (1, 0)))

# %% [markdown]
# Each *row* sums to zero: raise all scores together, and no weight moves. Each *column* sums to zero: whatever one
# score does, the weights still sum to 1.
#
# **In indices.** Backward is handed `d_P`, with $d_{P,j} = \partial L/\partial P_j$, and wants
# $d_{\mathrm{scores},k} = \partial L/\partial s_k$. The score $s_k$ reaches the loss through *every* weight of its row, so sum
# over all of them:
#
# $$d_{\mathrm{scores},k} = \sum_j d_{P,j}\,P_j\,(\delta_{jk} - P_k) = P_k\Big(d_{P,k} - \sum_j d_{P,j}\,P_j\Big)$$
#
# Read it aloud: *compare what each weight would gain with what the row gains on average, and scale by how much of the
# row it holds.* A weight that gains just the average has no reason to move. And summed over the row, it is zero:
#
# $$\sum_k d_{\mathrm{scores},k} = \sum_k P_k\,d_{P,k} - \Big(\sum_k P_k\Big)\sum_j d_{P,j}\,P_j = 0$$
#
# ### What is the gradient of a whole batch of softmaxes?
#
# The same, and no Jacobian is ever built: each row is independent of the others, and the product with its square matrix
# has become an element-wise product and a sum. **In matrices**, ∘ is the element-wise product, and $\langle d_P,
# P\rangle$ is the sum of $d_P \circ P$ over the last axis, that axis kept, whatever stands before it:
#
# $$d_{\mathrm{scores}} = P \circ \big(d_P - \langle d_P, P\rangle\big)$$
#
# The package's `Softmax` computes that, for any number of rows at once. Beside the Jacobian, on one row:

# %%
d_P = rng.standard_normal(6)
softmax_layer = Softmax()
softmax_layer(logits)
print("largest difference", np.abs(jacobian.T @ d_P - softmax_layer.backward(d_P[None])[0]).max())

# %% [markdown]
# **Cross-entropy** asks only for the weight of the right token $t$: $L = -\log P_t$. So `d_P` is zero but for
# $d_{P,t} = -1/P_t$. Put that into the formula, where the sum is now $d_{P,t}\,P_t = -1$, and nearly everything cancels:
#
# $$d_{\mathrm{logits},k} = P_k\,(d_{P,k} + 1) = P_k - \delta_{kt}$$
#
# *What the model predicted, minus what is true.* With many positions the loss is the mean over those that are real: a
# position that only fills up a shorter sequence (*padding*) does not count. With $N$ real positions each row is $(P -
# \mathrm{onehot})/N$, where onehot is 1 at the right token and 0 elsewhere, and a padded row is 0:

# %%
two_rows, two_targets = np.concatenate([logits, logits]), np.array([2, 0])   # the second is padding: token 0
print(f"loss {loss(two_rows, two_targets):.4f}, gradients of both rows:")
print(loss.backward().round(2) + 0.0)

# %% [markdown]
# ## Implement and check
#
# Four functions. Write one, run its cell, read what the checker says. If you are stuck, `hint("softmax.forward", 1)`
# asks a question, level 2 shows the formula, 3 the steps, 4 one line; `reveal` shows the package's own source.
#
# One thing first: $e^{1000}$ is infinite. But as a shift of the row changes nothing, shift it by whatever suits you.
# Take off the row's maximum, and the largest exponential is $e^0 = 1$: the sum can neither overflow nor vanish. So the
# shift that softmax ignores also prevents the overflow.

# %%
def softmax(scores):
    """scores (B, T, S) → P (B, T, S): each row positive and of sum 1, also for scores around 1000."""
    ...


check("softmax.forward", softmax)

# %%
def softmax_backward(d_P, scores):
    """d_P, scores (B, T, S) → d_scores (B, T, S)."""
    ...


check("softmax.backward", softmax_backward)

# %%
hint("softmax.backward", 1)

# %% [markdown]
# Cross-entropy takes logits (B, T, V) and integer targets (B, T), of which 0 means padding. The loss is the mean over
# the targets that are real. Again a warning: the probability of a very unlikely token is rounded to 0, and $\log 0$ is
# $-\infty$. So take the logarithm of the fraction on paper, before anything is computed.

# %%
def cross_entropy(logits, targets):
    """logits (B, T, V), targets (B, T) → loss, a number: the mean of −log P[target] over targets that are not 0."""
    ...


check("cross_entropy.forward", cross_entropy)

# %%
def cross_entropy_backward(logits, targets):
    """logits (B, T, V), targets (B, T) → d_logits (B, T, V)."""
    ...


check("cross_entropy.backward", cross_entropy_backward)

# %% [markdown]
# ## Break it
#
# A wrong answer that looks reasonable: treat every weight as if it were independent of the others, as with a sigmoid,
# $d_P \circ P(1-P)$. It takes the diagonal of the Jacobian and leaves out the rest. The shape is right, and so are most
# of the signs. What shows that it is wrong?

# %%
def alone(d_P, scores):
    P = Softmax()(scores)
    return d_P * P * (1 - P)


check("softmax.backward", alone)

# %% [markdown]
# For the sentence about the sums the checker did not need the right answer. Softmax ignores a shift: moving all scores
# of a row together changes nothing, so the slope in that direction is zero, and that slope is the sum of the row. The
# same by hand:

# %%
scores, d_P = rng.standard_normal((4, 6)), rng.standard_normal((4, 6))
softmax_layer(scores)
right, wrong = softmax_layer.backward(d_P), alone(d_P, scores)


def with_sums(d_scores):
    """The rows, a gap, and the sum of each row."""
    sums = d_scores.sum(axis=1, keepdims=True).round(12)
    return np.concatenate([d_scores, np.full_like(sums, np.nan), sums], axis=1)


maps = {"d_scores, right": with_sums(right), "d_scores, each alone": with_sums(wrong)}

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(maps, shared=True, shapes=False, numbers=False, rows="row", column_labels=[*"012345", "", "sum"]),
    "Two gradients of 4 rows on one scale, each with a column of the rows' sums beside it. The sums of the right one are "
    "all white, zero; those of the wrong one are red and blue.",
)

# %%
print("row sums, right       ", right.sum(axis=1).round(12) + 0.0)
print("row sums, each alone  ", wrong.sum(axis=1).round(3))
print(f"signs that agree        {(np.sign(right) == np.sign(wrong)).mean():.0%}")

# %% [markdown]
# ## Aha
#
# > **A gradient has no component along what the forward ignores.**
#
# Softmax ignores a shift of its scores, so each row of its gradient sums to zero. You can know that before you have
# derived anything, and check it without a reference. You will meet the same sentence again: LayerNorm ignores a shift
# *and* a scale ([09](09_what_do_add_and_norm_do.ipynb)), the bias of a key only shifts a whole row of scores and so can
# never learn anything, and a padded token is ignored altogether.
#
# ## Three questions to leave with
#
# 1. A row has one weight of 1 and zeros elsewhere. What is $P \circ (d_P - \langle d_P, P\rangle)$ then, whatever
#    `d_P` is? ([04](04_why_sqrt_d_k.ipynb) is about what that costs.)
# 2. Each entry of $P - \mathrm{onehot}$ lies between −1 and 1, however wrong the model is. What would the gradient of
#    the logits be if the loss were $-P_t$, and the model sure of a wrong token?
# 3. `softmax_backward` was handed `scores`. The package's `Softmax` saves $P$ instead. Why is that enough, and what does
#    it spare?
#
# <details><summary>Answers</summary>
#
# 1. Zero everywhere. Where $P = 0$ the product is 0. Where $P_j = 1$ the sum $\langle d_P, P\rangle$ is $d_{P,j}$
#    itself, and the bracket is 0.
# 2. With $d_P = -1$ at the right token $t$ the formula gives $d_{\mathrm{logits},k} = P_k\,(P_t - \delta_{kt})$. If the
#    model is sure of a wrong token, $P_t \approx 0$, and the whole row is nearly 0: where it is most wrong it learns
#    least. Cross-entropy does not have this fault.
# 3. The formula contains $P$ and `d_P` only. Saving $P$ means that backward need not compute softmax a second time.
#
# </details>
