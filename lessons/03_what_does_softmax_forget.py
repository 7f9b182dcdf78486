# %% [markdown]
# # 03 · What does softmax forget?
#
# | minutes | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | 50 | ●●○ | ●●● | [00](00_how_do_i_know_a_gradient_is_right.ipynb) | `layers.Softmax`, `losses.CrossEntropy` |
#
# ## Question
#
# Softmax turns any row of numbers into shares of a whole. Two very different rows can give the same shares, so
# something of the row is lost on the way. What is it, and what does the loss of it say about the gradient, before a
# single derivative has been taken?

# %%
import numpy as np

from minitransformer.grading import check, hint
from minitransformer.layers import Softmax
from minitransformer.lessons import predict, show
from minitransformer.losses import CrossEntropy
from minitransformer.plotting import draw_bars, panels, plot_matrices

rng = np.random.default_rng(3)

# %% [markdown]
# ## Predict
#
# Here are the logits of one position over a vocabulary of six tokens, and the gradient that cross-entropy sends back to
# them when token 2 was right. Now 1000 is added to every logit. By how much does the largest entry of the gradient
# change? Put a number in place of the dots.

# %%
logits = np.array([[1.0, 0.0, 2.0, -1.0, 0.5, 3.0]])
target = np.array([2])

change = predict("How much does the gradient change if 1000 is added to every logit?", ...)

# %%
loss = CrossEntropy()


def gradient_of(logits):
    """∂loss/∂logits of the package's cross-entropy."""
    loss(logits, target)
    return loss.backward()


change.compare(np.abs(gradient_of(logits + 1000) - gradient_of(logits)).max())

# %% [markdown]
# ## Picture
#
# The gradient says what to do with each logit, and gradient *descent* does the opposite of the gradient. So read the
# red bars as pushes down and the blue one as a pull up: the right token is pulled up, every other is pushed down, and
# those that were believed most are pushed hardest. The pushes and the pull are equally strong.

# %%
P = Softmax()(logits)
d_logits = gradient_of(logits)

figure, axes = panels(1, 2, heading="What was believed, and what is to change", height=3.2)
draw_bars(axes[0], dict(enumerate(P[0])), title="P = softmax(logits)", x_name="token", numbers="{:.2f}")
colours = {token: "#1f6fb4" if token == target[0] else "#c62828" for token in range(6)}
draw_bars(axes[1], dict(enumerate(d_logits[0])), title="d_logits", x_name="token", colours=colours, numbers="{:.2f}")
axes[1].axhline(0, color="black", linewidth=0.8)
show(figure, "Two bar charts over six tokens. Left: token 5 has most of the probability, token 2, the right one, a "
     "fifth. Right: the gradient is negative at token 2 only and positive at the others, most at token 5.")
print("sum of the pushes ", d_logits[d_logits > 0].sum())
print("the pull          ", d_logits[d_logits < 0].sum())

# %% [markdown]
# ## Derive
#
# **In loops.** One row of scores $s$, one row of weights $P$:
#
# $$P_j = \frac{e^{s_j}}{\sum_i e^{s_i}}$$
#
# If one score $s_k$ rises, the weight $P_k$ rises, and because the weights are shares of one whole, all others must
# fall. Differentiate the fraction once for $j = k$ and once for $j \ne k$, and both cases fit on one line:
#
# $$\frac{\partial P_j}{\partial s_k} = P_j\,(\delta_{jk} - P_k)$$
#
# **In indices.** Backward is handed $dP_j = \partial L/\partial P_j$ and wants $\partial L/\partial s_k$. The score $s_k$
# reaches the loss through *every* weight of its row, so sum over all of them:
#
# $$ds_k = \sum_j dP_j\,P_j\,(\delta_{jk} - P_k) = P_k\Big(dP_k - \sum_j dP_j P_j\Big)$$
#
# ### What is the gradient of a whole batch of softmaxes?
#
# The same, and no Jacobian is ever built. **In matrices**, with the sum over the last axis, whatever stands before it:
#
# $$d\mathrm{scores} = P \circ \big(dP - \langle dP, P\rangle\big)$$
#
# Read it aloud: *compare what each weight would gain with what the row gains on average, and scale by how much of the
# row it holds.* A weight that gains exactly the average has no reason to move.
#
# The loops first, slow and beyond doubt, as a witness for the formula:

# %%
def softmax_jacobian(P):
    """∂P_j/∂s_k of one row, entry by entry, from its weights P (S,)."""
    jacobian = np.zeros((len(P), len(P)))
    for j in range(len(P)):
        for k in range(len(P)):
            jacobian[j, k] = P[j] * ((j == k) - P[k])
    return jacobian


d_P = rng.standard_normal(6)
by_jacobian = softmax_jacobian(P[0]).T @ d_P
by_formula = P[0] * (d_P - (d_P * P[0]).sum())
print("largest difference", np.abs(by_jacobian - by_formula).max())

# %%
show(
    plot_matrices({"P": P, "∂P/∂scores": softmax_jacobian(P[0]), "d_P": d_P[None], "d_scores": by_formula[None]}),
    "The row of weights P; its 6 by 6 Jacobian, positive on the diagonal and negative elsewhere; a random gradient d_P; "
    "and the gradient of the scores, which is small wherever P is small.",
)

# %% [markdown]
# **Cross-entropy** asks only for the weight of the right token $t$: $L = -\log P_t$. Then $dP$ is zero but for
# $dP_t = -1/P_t$. Put that into the formula above, and nearly everything cancels:
#
# $$ds_k = P_k\Big(dP_k - dP_t P_t\Big) = P_k\,(dP_k + 1) = P_k - \delta_{kt}$$
#
# *What was believed, minus what was true.* Averaged over $N$ real positions it is $(P - \mathrm{onehot})/N$; a padded
# position is not real, contributes nothing to the loss, and therefore gets nothing back.
#
# One more thing belongs to softmax: $e^{1000}$ is infinite. But as a shift of the row changes nothing, we may shift by
# whatever suits us. Taking off the row's maximum makes the largest exponential $e^0 = 1$, and the sum can neither
# overflow nor vanish. The blindness that this lesson is about is also what saves the arithmetic.
#
# ## Implement and check
#
# Four functions. Write one, run its cell, read what the checker says. If you are stuck, `hint("softmax.forward", 1)`
# asks a question, level 2 shows the formula, 3 the steps, 4 one line; `reveal` shows the package's own source.

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
# the targets that are real.

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
# The most frequent wrong answer treats every weight as if it stood alone, as a sigmoid would: $dP \circ P(1-P)$. It looks
# reasonable, has the right shape, and even the right sign in most places. Watch what gives it away.

# %%
def alone(d_P, scores):
    P = Softmax()(scores)
    return d_P * P * (1 - P)


check("softmax.backward", alone)

# %% [markdown]
# The checker did not need the right answer to see that. Softmax ignores a shift, so moving all scores of a row together
# must change nothing, so the gradient along that direction, which is the sum of the row, must be zero. Here is the
# same test, by hand:

# %%
scores, d_P = rng.standard_normal((4, 6)), rng.standard_normal((4, 6))
softmax_layer = Softmax()
softmax_layer(scores)
right, wrong = softmax_layer.backward(d_P), alone(d_P, scores)
print("row sums of the right gradient", right.sum(axis=-1).round(12))
print("row sums of the wrong gradient", wrong.sum(axis=-1).round(3))
show(
    plot_matrices({"d_scores, right": right, "d_scores, each alone": wrong}, shared=True, rows="row", columns="score"),
    "Two 4 by 6 gradients on one scale. In the right one red and blue cancel in every row; in the wrong one they do not.",
)

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
# 1. A row has one weight of 1 and zeros elsewhere. What is $P \circ (dP - \langle dP, P\rangle)$ then, whatever $dP$ is?
#    ([04](04_why_sqrt_d_k.ipynb) is about what that costs.)
# 2. The gradient of cross-entropy is never larger than 1 in any entry. Which loss would you have to choose for that not to
#    be so?
# 3. `softmax_backward` was handed `scores`. The package's `Softmax` saves $P$ instead. Why is that enough, and what does it
#    spare?
