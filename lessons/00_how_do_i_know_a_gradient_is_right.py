# %% [markdown]
# # 00 · How do I know a gradient is right?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 40 min · writing 30 min | ●○○ | ●●● | nothing | `gradient_check` |
#
# In this course you build the Transformer from its parts, and derive every gradient by hand. There are sixteen lessons,
# and each asks one question. You **predict** the answer before you see it (your guess takes the place of three dots),
# **derive** a formula, **write** a function, and have it **checked**: the checker says what is right, and which mistake
# your numbers look like. When you cannot go on, `hint` asks you the next question, and `reveal` shows the package's own
# source. The cells run from top to bottom, also with every exercise left empty, so you may read first and write later.
#
# **What you need before:** Python and NumPy; from calculus the chain rule and the Jacobian; from probability expectation,
# variance, covariance and entropy; and two ways to write with arrays, einsum and broadcasting. The page *Prerequisites*
# (`docs/prerequisites.md` in the project's repository, and in the website's menu) explains each in a few sentences, with
# a question to test yourself. About attention you need to know nothing.
#
# ## Question
#
# A network turns its input into a *loss*, one number that says how wrong it was. The *gradient* says, for every number
# inside the network, by how much the loss would rise if that number rose a little: ∂loss/∂number. To learn is to change
# every number by a small step against its gradient, many times. For the gradient of $x$ we write `d_x` in code and
# $d_x$ in formulas, and $d_{x,i}$ for its entry $i$.
#
# In this course you write these gradients yourself. You will get some of them wrong, as everybody does. How would you
# notice? "The loss goes down" is the usual answer. Is that enough?

# %%
import numpy as np

from minitransformer import gradient_check
from minitransformer.core import Module
from minitransformer.grading import check, hint, reveal
from minitransformer.layers import LayerNorm, Linear, Softmax, Tanh
from minitransformer.lessons import predict, show
from minitransformer.plotting import GRADIENT, draw_lines, panels, plot_matrices
from minitransformer.testing import away_from_initialisation

rng = np.random.default_rng(0)

# %% [markdown]
# Every component of the package is a class with a `forward` and, under it, a `backward`. Backward is handed `d_y`, the
# gradient of the loss with respect to forward's output $y$ (one number for each number of $y$), and returns `d_x`, that
# with respect to forward's input. On the way it adds to the gradients of the component's own *parameters*, the numbers
# that are learned. What backward needs from forward, forward has stored with `save`. To go back through several
# components is to call their backwards in reverse: that is the chain rule. $B$ examples are computed together, as the
# rows of an array: a *batch*, of *batch size* $B$.

# %%
class Network(Module):
    """y = tanh(x W₁ + b₁) W₂ + b₂: one number in, one number out, sixteen in between."""

    def __init__(self, activation, rng):
        self.first, self.activation, self.second = Linear(1, 16, rng), activation, Linear(16, 1, rng)

    def forward(self, x):
        return self.second(self.activation(self.first(x)))                       # (B, 1)

    def backward(self, d_y):
        return self.first.backward(self.activation.backward(self.second.backward(d_y)))


class ForgetfulTanh(Tanh):
    """A tanh whose backward returns its input unchanged. The right one multiplies it by 1 − tanh²."""

    def backward(self, d_y):
        self.saved()                                                             # what forward left, not used
        return d_y

# %%
x = np.linspace(-2, 2, 40)[:, None]                                              # (B, 1)


def losses_of(activation, steps, rate=0.05):
    """The loss of each step, while the network learns the curve y = sin x."""
    network, losses = Network(activation, np.random.default_rng(0)).to("float64"), []
    for _ in range(steps):
        error = network(x) - np.sin(x)
        losses.append((error**2).mean())
        network.zero_grad()                                                      # backward adds to what is there
        network.backward(2 * error / len(x))                                     # d_y, from the line of the loss
        for p in network.parameters():
            p.data -= rate * p.grad
    return losses

# %% [markdown]
# ## Predict
#
# The same network with the same first weights learns twice: once with the right tanh, once with the forgetful one. Here
# are the first twenty steps, in random order under the names A and B. One curve comes from a gradient that is wrong.
# Which?

# %%
activations = dict(zip("AB", rng.permutation([Tanh(), ForgetfulTanh()])))
early = {name: losses_of(activation, 20) for name, activation in activations.items()}

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading="One of these gradients is wrong", width=7.5)
draw_lines(axes, range(1, 21), early, x_name="step", y_name="loss", log="y")
show(figure, "Two loss curves over twenty steps on a logarithmic axis. Both fall steeply from 0.8 to below 0.02 "
     "in the first seven steps and then run side by side; B ends slightly lower than A.")

# %%
which = predict("Which curve comes from the wrong gradient, A or B?", ...)

# %% [markdown]
# And a second question, for which you need no more than the idea of a gradient check: *move one number a little, see
# how the loss changes, compare that with what backward says.* It needs a loss, and a component alone has none. So take
# the simplest one, the `sum()` of all outputs. Now somebody hands in a softmax (it turns each row of numbers into
# positive numbers that sum to 1) whose backward returns nothing but zeros.

# %%
caught = predict("Does a gradient check with sum() as its loss catch a softmax backward of zeros, yes or no?", ...)

# %% [markdown]
# The first answer at once, and both curves for longer:

# %%
wrong = next(name for name, activation in activations.items() if isinstance(activation, ForgetfulTanh))
which.compare(wrong)
late = {name: losses_of(activation, 1000) for name, activation in activations.items()}

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading="The same two, for a thousand steps", width=7.5)
draw_lines(axes, range(1, 1001), late, x_name="step", y_name="loss", log="xy", marker="")
show(figure, "The same two curves up to step 1000, both axes logarithmic. After about forty steps they cross: A goes "
     "on falling to below 0.001, B turns round and rises slowly.")

# %%
for name in "AB":
    print(f"{name}   after 20 steps {early[name][-1]:.4f}   after 1000 steps {late[name][-1]:.4f}")

# %% [markdown]
# In the first twenty steps the wrong gradient was *ahead*. It never reaches the loss of the right one, but nothing in
# its curve shows a mistake: it looks like a model that is too small, or like a learning rate that is too high. A loss
# falls whenever the step leads downhill at all. Of all directions that a step could take, half do.

# %%
def gradient_at_start(activation):
    """All gradients of the fresh network, side by side as one long vector."""
    network = Network(activation, np.random.default_rng(0)).to("float64")
    network.backward(2 * (network(x) - np.sin(x)) / len(x))
    return network.flat_buffers().grad.copy()


right_way, wrong_way = gradient_at_start(Tanh()), gradient_at_start(ForgetfulTanh())
cosine = right_way @ wrong_way / (np.linalg.norm(right_way) * np.linalg.norm(wrong_way))
print(f"angle between the right gradient and the wrong one: {np.degrees(np.arccos(cosine)):.0f}°")
directions = rng.standard_normal((100_000, len(right_way)))
print(f"random directions that lead downhill: {(directions @ right_way < 0).mean():.0%}")

# %% [markdown]
# A falling loss says that this angle is below 90°. It says no more. We need another way to compute the right number.
#
# ## Picture
#
# That other way is the definition of a derivative. Move one number $x$ by a small step $\varepsilon$ and look at how
# much the loss $L$ changes; either to one side, or to both:
#
# $$\text{forward difference}\quad \frac{L(x+\varepsilon)-L(x)}{\varepsilon}\qquad\qquad
# \text{central difference}\quad \frac{L(x+\varepsilon)-L(x-\varepsilon)}{2\varepsilon}$$
#
# The definition lets $\varepsilon$ go to zero. A computer cannot. How small should it be?

# %%
best_step = predict("Which step ε has the smallest error, for a central difference in float64?", ...)

# %%
def forward_difference(L, x, step):
    return (L(x + step) - L(x)) / step


def central_difference(L, x, step):
    return (L(x + step) - L(x - step)) / (2 * step)


steps = np.logspace(-14, 0, 57)
points = rng.uniform(0, 3, 500)  # L = sin: any smooth loss would do, and of this one you know the derivative


def errors_of(difference, dtype):
    """The mean distance to the true derivative, for each step."""
    x = points.astype(dtype)
    return np.array([np.abs(difference(np.sin, x, dtype(step)) - np.cos(points)).mean() for step in steps])


errors = {
    "forward, float64": errors_of(forward_difference, np.float64),
    "central, float64": errors_of(central_difference, np.float64),
    "central, float32": errors_of(central_difference, np.float32),
}
best_step.compare(steps[errors["central, float64"].argmin()])

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading="Too large a step, or too small", width=9, height=4.2)
draw_lines(axes, steps, errors, x_name="step ε", y_name="mean error", log="xy", marker="", legend="lower left")
for name, line in zip(errors, axes.get_lines()):
    axes.plot(steps[errors[name].argmin()], errors[name].min(), "o", color=line.get_color(), markersize=9)
show(figure, "Error against step, both logarithmic: three valleys. Right of its lowest point each rises as a straight "
     "line, the central ones twice as steeply as the forward one; left of it each rises the other way, "
     "jagged, in float32 up to a plateau. The central difference in float64 goes deepest; in float32 the lowest "
     "point lies far higher and further right.")

# %%
for name, error in errors.items():
    print(f"{name}: best step {steps[error.argmin()]:.1e}, error {error.min():.1e}")

# %% [markdown]
# There are two errors, and a step that makes one smaller makes the other larger. On the right of the picture the step
# is so long that the curve differs from a straight line. On the left it is so short that the two losses agree in nearly
# all of their digits, and what is left of their difference is rounding. In float32, steps far below $10^{-7}$ do not
# move $x$ at all: the curve is flat there.
#
# ## Derive
#
# **The error of the straight line.** Write $L(x\pm\varepsilon)$ as a Taylor series:
#
# $$L(x\pm\varepsilon)=L\pm\varepsilon L'+\tfrac{\varepsilon^2}{2}L''\pm\tfrac{\varepsilon^3}{6}L'''+\dots$$
#
# In the forward difference the leading error term is $\tfrac{\varepsilon}{2}L''$. In the central difference all even
# terms cancel, and the leading error term is $\tfrac{\varepsilon^2}{6}L'''$: with a tenth of the step the error is a
# *hundredth*. This is worth the second evaluation.
#
# **The rounding.** A computer keeps $L$ only up to a relative error $u$: about $10^{-16}$ in float64, $6\cdot10^{-8}$
# in float32. Both losses are off by up to $u|L|$, and the division by $2\varepsilon$ makes $u|L|/\varepsilon$ of it.
#
# **The best step** is where the sum of both is least. Set its derivative to zero:
#
# $$\frac{d}{d\varepsilon}\Big(\frac{\varepsilon^2}{6}|L'''|+\frac{u|L|}{\varepsilon}\Big)=0
# \quad\Longrightarrow\quad \varepsilon^3=\frac{3u|L|}{|L'''|}$$
#
# For a loss whose third derivative is about as large as itself that is $\varepsilon=\sqrt[3]{3u}$, whatever the network
# (Press et al., *Numerical Recipes*, section 5.7, has the same argument):

# %%
for dtype in (np.float64, np.float32):
    u = np.finfo(dtype).eps / 2
    print(f"{dtype.__name__}: u = {u:.1e}, best step about {(3 * u) ** (1 / 3):.1e}")

# %% [markdown]
# The picture agrees. So a gradient check runs in float64, with a step near $10^{-5}$, whatever the model is trained in.
#
# ### From one number to an array
#
# **In loops.** An input $x$ has many numbers, so move one after the other, each by itself, and put it back. That costs
# two forwards for every number; a check is made on small arrays, once.
#
# **In indices.** A component's output $y$ has many numbers too, and backward wants to be told how much each of them
# matters: $d_{y}$. The loss that has exactly this gradient is $L=\sum_j d_{y,j}\,y_j$, and then
#
# $$d_{x,i}=\frac{\partial L}{\partial x_i}\approx\frac{L(x_i+\varepsilon)-L(x_i-\varepsilon)}{2\varepsilon},\qquad
# L(x)=\sum_j d_{y,j}\,y_j(x)$$
#
# **In matrices.** Collect all slopes $\partial y_j/\partial x_i$ in a matrix $J$, the *Jacobian*. As $d_{x,i}=\sum_j
# d_{y,j}\,\partial y_j/\partial x_i$, a right backward computes $d_x=J^\top d_y$. A wrong one computes $\hat J^\top
# d_y$ with another matrix, and the check cannot find it if $(J-\hat J)^\top d_y=0$. For a $d_y$ drawn at random that
# has probability zero. For a chosen one it can happen easily:
#
# ### Which loss does the check use?
#
# `sum()` is the choice $d_y=(1,1,\dots,1)$. Here is the softmax that returns zeros, and a component that puts the sum
# of all outputs behind another component, so that the package's own check has to use this loss.

# %%
class MuteSoftmax(Softmax):
    """A softmax whose backward returns zeros, whatever it gets."""

    def backward(self, d_y):
        return 0 * super().backward(d_y)


class Summed(Module):
    """Another component, and the sum of all that it puts out."""

    def __init__(self, component):
        self.component = component

    def forward(self, x):
        y = self.component(x)
        self.save(y.shape)
        return y.sum()

    def backward(self, d_sum):
        return self.component.backward(np.full(self.saved(), d_sum))


scores = rng.standard_normal((4, 6))
report = gradient_check(Summed(MuteSoftmax()), scores)
print(report)
caught.compare("no" if report.passed else "yes")

# %% [markdown]
# It passes, and it must. Each row of the output $P$ sums to 1 whatever the scores are, so the sum of all outputs is a
# constant: its gradient *is* zero. For this one loss the backward of zeros is right. With a random weight on every
# output, as the package's check has it, that backward cannot pass. (∘ is the element-wise product.)

# %%
print(gradient_check(MuteSoftmax(), scores))


def d_scores_for(d_P):
    """The right gradient of the scores, when the loss is Σ d_P ∘ softmax(scores)."""
    softmax = Softmax()
    softmax(scores)
    return softmax.backward(d_P)

# %% jupyter={"source_hidden": true}
show(
    plot_matrices({"d_scores for d_P = 1": d_scores_for(np.ones((4, 6))).round(12),
                   "d_scores for a random d_P": d_scores_for(rng.standard_normal((4, 6)))}, shared=True),
    "The right gradient of the scores for two losses, on one scale. For the sum of all outputs every number is 0; for "
    "a random weighting there are positive and negative numbers in every row.",
)

# %% [markdown]
# ### How far off is far?
#
# Two arrays are now beside each other: $a$ from backward, the *analytic* gradient, and $n$ from the differences, the
# *numeric* one. Is a difference of 0.001 much? Of a gradient of 1000 it is nothing, of one of 0.001 it is everything.
# So measure it against their size, with the length $\lVert a\rVert=\sqrt{\sum_i a_i^2}$ of all numbers together:
#
# $$\text{error}=\frac{\lVert a-n\rVert}{\max(\lVert a\rVert,\ \lVert n\rVert,\ 10^{-8})}$$
#
# The *larger* of the two lengths, so that a forgotten gradient ($a=0$) has error 1 and not infinity; the $10^{-8}$, so
# that two gradients of zero have error 0 and not 0/0.
#
# ## Implement and check
#
# A gradient check is made of two functions. `f` is any function of an array; you may only call it.

# %%
def numerical_gradient(f, x, d_y, epsilon):
    """f(x) has the shape of d_y → d_x, of the shape of x: central differences of L = Σ d_y ∘ f(x)."""
    ...


check("gradient_check.numerical", numerical_gradient)

# %%
hint("gradient_check.numerical", 1)

# %%
def gradient_error(analytic, numeric):
    """Two arrays of one shape → error, one number: the length of their difference, relative to the larger length."""
    ...


check("gradient_check.error", gradient_error)

# %% [markdown]
# ## Break it
#
# The package's `gradient_check` is your two functions, for every input and every parameter of a component. Where it
# says `ok`, the error is below $10^{-6}$. Now make it weak, in three more ways that are common in practice. Each time a
# wrong gradient passes the weak check and fails the strong one.
#
# ### Weak place: at initialisation
#
# LayerNorm (lesson [09](09_what_do_add_and_norm_do.ipynb) derives it) shifts and scales each row of numbers to
# $\hat x$, of mean 0 and variance 1, and multiplies that by parameters γ. In its backward γ belongs *inside* two means.
# This version has it outside:

# %%
class GammaOutside(LayerNorm):
    def backward(self, d_y):
        x_hat, sigma = self.saved()
        self.beta.grad += d_y.sum(axis=0)
        self.gamma.grad += (d_y * x_hat).sum(axis=0)
        mean, slope = d_y.mean(axis=-1, keepdims=True), (d_y * x_hat).mean(axis=-1, keepdims=True)
        return self.gamma.data * (d_y - mean - x_hat * slope) / sigma


features = rng.standard_normal((5, 8))
layer_norm = GammaOutside(8).to("float64")
results = {"γ outside the means": [gradient_check(layer_norm, features)]}
results["γ outside the means"] += [gradient_check(away_from_initialisation(layer_norm, rng), features)]
print(*results["γ outside the means"], sep="\n\n")

# %% [markdown]
# γ starts as a row of ones, and a factor of 1 may stand anywhere. `away_from_initialisation` moves every parameter to a
# random place first. In training the mistake would have an effect only slowly, as γ moves away from 1.
#
# ### Weak sizes: a batch of one
#
# A parameter is used by every example of the batch, so its gradient is a *sum* over the batch. Here it is a mean. The
# batch axis is the only place where the two differ:

# %%
class MeanOverBatch(Linear):
    def backward(self, d_y):
        x = self.saved()
        self.weight.grad += x.T @ d_y / len(x)
        self.bias.grad += d_y.mean(axis=0)
        return d_y @ self.weight.data.T


linear, inputs = MeanOverBatch(3, 2, rng).to("float64"), rng.standard_normal((4, 3))
results["mean over the batch"] = [gradient_check(linear, inputs[:1]), gradient_check(linear, inputs)]
print(*results["mean over the batch"], sep="\n\n")

# %% [markdown]
# An axis of length 1 is an axis on which nothing is tested. Two axes of *equal* length hide which of them is which.
# Take sizes such as 3, 4, 5, 7, all different and none of them 1.
#
# ### Weak tolerance: small weights and a generous limit
#
# The forgetful tanh from the beginning, in a network with weights of size 0.02 (a usual way to begin: Radford et al.
# 2018, section 4.1). The limit of the weak check is $10^{-3}$.

# %%
network, small = Network(ForgetfulTanh(), rng).to("float64"), rng.uniform(-0.5, 0.5, (5, 1))
for p in (network.first.weight, network.second.weight):
    p.data = 0.02 * rng.standard_normal(p.shape)
results["tanh forgotten"] = [gradient_check(network, small, tolerance=1e-3)]
results["tanh forgotten"] += [gradient_check(away_from_initialisation(network, rng), small)]
print(*results["tanh forgotten"], sep="\n\n")

# %% [markdown]
# For small $h$, $\tanh h\approx h$, so the factor that was forgotten, $1-\tanh^2h$, is nearly 1. With a limit of
# $10^{-3}$ the mistake passes, with $10^{-6}$ it does not. An absolute limit is worse still: "no number differs by more
# than 0.001" is true of any two gradients that are both small. Here are all four, side by side:

# %%
results = {"softmax of zeros": [report, gradient_check(MuteSoftmax(), scores)], **results}

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading="Four wrong gradients, each checked twice", width=10, height=3.6)
looks = {"weak check": ("#6b7785", "o"), "strong check": (GRADIENT, "D")}
for number, (label, (colour, mark)) in enumerate(looks.items()):
    worst = [checks[number].worst for checks in results.values()]
    ratios = [max(row.error / row.tolerance, 1e-6) for row in worst]             # an error of 0 stands at the edge
    axes.plot(ratios, range(4), mark, markersize=11, linestyle="none", color=colour, label=label)
axes.axvline(1, color="black", linewidth=1)
axes.set(xscale="log", xlim=(3e-7, 3e7), ylim=(3.6, -0.8), xlabel="error, in multiples of what the check allows")
axes.set_yticks(range(4), results)
axes.text(0.7, -0.5, "passes", ha="right")
axes.text(1.4, -0.5, "is caught", ha="left")
axes.legend(frameon=False, loc="center", bbox_to_anchor=(0.64, 0.5))
show(figure, "Four rows, one for each wrong gradient. In every row a grey disc, the weak check, lies left of the "
     "line at 1 and passes; a red diamond, the strong check, lies far to the right of it, by a factor of "
     "100,000 or more.")

# %% [markdown]
# The result of a strong check is seldom unclear. In those above, right gradients had errors below $10^{-9}$, and wrong
# ones had errors above 0.1. If yours is between, look at the check first: a kink such as that of $\max(0, x)$ within
# the step, float32, a forward that draws new random numbers each time.
#
# ### My gradient check is off by a constant: may I blame float precision?
#
# No. Rounding errors are random: they make one number a little too large and the next a little too small. Divide what
# the differences say by what backward says, entry by entry. Rounding *scatters* around 1. A forgotten factor is the
# *same number* everywhere, and its value says which factor it is.

# %%
X, W, d_y = (rng.uniform(0.5, 1.5, shape) for shape in ((4, 3), (3, 6), (4, 6)))


def ratios_to(analytic, step, dtype=np.float64):
    """Numeric over analytic gradient of W in L = Σ d_y ∘ (X W), for each entry of W."""
    moves = np.eye(W.size, dtype=dtype).reshape(-1, *W.shape)                    # one entry each

    def loss(W):
        return (d_y.astype(dtype) * (X.astype(dtype) @ W)).sum()

    numeric = [(loss(W.astype(dtype) + step * m) - loss(W.astype(dtype) - step * m)) / (2 * step) for m in moves]
    return np.array(numeric) / analytic.ravel()


right, averaged = X.T @ d_y, X.T @ d_y / len(X)
for step in (1e-4, 1e-3):
    rounded, factor = ratios_to(right, step, np.float32), ratios_to(averaged, step)
    print(f"step {step:g}   right, in float32: 1 ± {np.abs(rounded - 1).max():.5f}"
          f"   a mean for a sum: {factor.min():.8f} to {factor.max():.8f}")

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, heading="Numeric gradient divided by analytic", height=3.2)
cases = {"right, but in float32": ratios_to(right, 1e-4, np.float32),
         "a mean over 4 examples for a sum": ratios_to(averaged, 1e-4)}
for axis, (title, ratios) in zip(axes, cases.items()):
    draw_lines(axis, range(18), {"∂": ratios}, title=title, x_name="entry of the weight", y_name="numeric / analytic")
    axis.get_lines()[0].set_linestyle("none")
    axis.axhline(1, color="black", linewidth=0.8)
axes[1].set_ylim(0, 5)
show(figure, "Two plots of the ratio over the 18 entries of a weight. Left, in float32, the points lie above and "
     "below 1, off by at most a few hundredths. Right all of them lie at 4, in a straight line.")

# %% [markdown]
# The points on the right lie at the size of the batch. Common factors are 2 (the derivative of a square), the number of
# examples (a mean for a sum), $\sqrt{d_k}$ (lesson [04](04_why_sqrt_d_k.ipynb)), −1. The printed lines show a second
# test: with a step ten times as long, rounding shrinks, roughly to a tenth. A forgotten factor stays.
#
# ## Aha
#
# > **A gradient check is only as strong as the loss, the place and the sizes at which it is made.**
#
# The strong check is no more work than the weak one: random weights on all outputs, parameters away from
# initialisation, sizes all different, float64, a relative error below $10^{-6}$. Every component of the package has
# passed it, and `check` tries yours in such places and at such sizes.
#
# One thing no gradient check can see: it proves that backward belongs to *this* forward. Whether the forward computes
# what you meant is another question. "The loss goes down" does not answer that one either.
#
# ## Three questions to leave with
#
# 1. `LayerNorm`, fresh, makes the mean of each row 0. Which wrong backward for its input passes a check that uses
#    `sum()`? Does it still pass after `away_from_initialisation`?
# 2. You check a component with dropout, which sets random numbers to zero in each forward. What will the differences
#    show, and what does `gradient_check` have to do about it?
# 3. A model has ten million parameters, and a check costs two forwards for each. How could a few forwards test all of
#    them at once, and what would you no longer learn? (`gradient_check` has an option `max_entries`.)
#
# <details><summary>Answers</summary>
#
# 1. One that returns zeros. With γ = 1 and β = 0 each row of outputs sums to 0, whatever the input is, so the gradient
#    of that sum is 0. After `away_from_initialisation` the sum is $\sum_i \gamma_i\,\hat x_i$ plus a constant. It
#    depends on the input, and the backward of zeros fails.
# 2. Each of the two losses of a difference would have another mask. Their difference, divided by the tiny
#    $2\varepsilon$, would be a large random number. So every forward of the check must draw the same mask:
#    `gradient_check` sets the random generators of the component back to their state before each forward.
# 3. Move all parameters at once, by $\varepsilon v$ with a random vector $v$. The central difference must equal the dot
#    product of $v$ with the whole gradient. You no longer learn *which* parameter is wrong. `max_entries` combines
#    both: some entries of each array, drawn at random, and two random directions for the rest.
#
# </details>
