# %% [markdown]
# # 09 · What do Add & Norm do?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 45 min · writing 45 min · further 10 min | ●●○ | ●●● | [03](03_what_does_softmax_forget.ipynb), [05](05_back_through_attention.ipynb), [07](07_why_many_heads.ipynb) | `layers.LayerNorm`, `layers.Residual` |
#
# ## Question
#
# In the paper's figure 1, every attention and every feed-forward network is followed by the same small box: *Add &
# Norm*. It looks unimportant. It has no matrix and uses no other position; it is $\mathrm{LayerNorm}(x + f(x))$. Why
# does nobody leave it out? What does the Add do, what does the Norm do, and what do the two do to a gradient on its way
# down?

# %%
import numpy as np

from minitransformer.attention import MultiHeadAttention
from minitransformer.core import Module
from minitransformer.data.stream import BatchStream
from minitransformer.data.tasks import make_task
from minitransformer.grading import check, hint, reveal
from minitransformer.layers import CrossEntropy, FeedForward, LayerNorm, Linear, Residual
from minitransformer.lessons import predict, show
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.plotting import GRADIENT, draw_lines, panels, plot_matrices
from minitransformer.training import Adam, Constant, train

rng = np.random.default_rng(9)

# %% [markdown]
# ## Predict
#
# Take twelve encoder layers as they are before training. Each is an attention and a *feed-forward network*, a small
# network that works on each position by itself ([10](10_how_is_a_block_built.ipynb)). We call the two *sublayers*; here
# there is nothing around them. A random gradient arrives at the top, at layer 12, and is handed down. The *norm* of a
# gradient is the root of the sum of its squares: its length. How long is the gradient that arrives at layer 1, if the
# one that arrived at layer 12 is 1 long?
#
# And on the way up: attention mixes the positions. Put the norm after each sublayer, but no skip around it. After how
# many layers are all positions of a sequence the same vector, to nine digits?

# %%
ratio = predict("How long is the gradient at layer 1 of 12, without Add and without Norm, relative to layer 12?", ...)
alike = predict("With Norm and without Add, after how many layers are all positions the same, to nine digits?", ...)

# %%
class PassOn(Module):
    """In place of a norm: nothing."""

    def forward(self, x):
        self.save()
        return x

    def backward(self, d_y):
        self.saved()
        return d_y


def layer_of(kind, rng, features=64):
    """The components of one encoder layer, in their order."""
    parts = []
    for f in MultiHeadAttention(features, 4, rng), FeedForward(features, 4 * features, rng):
        wrapped = Residual(f, features, rng, order="pre" if kind == "pre-norm" else "post")
        if kind == "Add alone":
            wrapped.norm = PassOn()
        parts += {"neither": [f], "Norm alone": [f, LayerNorm(features)]}.get(kind, [wrapped])
    return parts

# %% [markdown]
# Forward we note two things after each layer: how large the features are, and how different the positions still are
# from one another. Backward we note the gradient that arrives at each layer.

# %%
def walk(kind, depth=12):
    """What is to be seen at each layer of a fresh stack, from layer 1 to the last: three lists."""
    rng, size, difference, gradient = np.random.default_rng(9), [], [], []
    layers = [layer_of(kind, rng) for _ in range(depth)]
    x, d = rng.standard_normal((2, 4, 16, 64))                               # both (B, T, D)
    for parts in layers:
        for part in parts:
            x = part(x)
        size.append(np.sqrt((x**2).mean()))
        difference.append(np.linalg.norm(x - x.mean(axis=1, keepdims=True)) / np.linalg.norm(x))
    for parts in reversed(layers):
        gradient.insert(0, np.linalg.norm(d))
        for part in reversed(parts):
            d = part.backward(d)
    return {"size": size, "difference": difference, "gradient": np.divide(gradient, gradient[-1])}


walks = {kind: walk(kind) for kind in ["neither", "Add alone", "Norm alone", "post-norm", "pre-norm"]}
ratio.compare(walks["neither"]["gradient"][0])

# %%
layers = range(1, 13)
colours = {"neither": "#6b7785", "Add alone": "#d9730d", "Norm alone": "#7b4fa3", "post-norm": "#1f6fb4",
           "pre-norm": "#2e8b57"}

# %% jupyter={"source_hidden": true}
figure, axis = panels(width=9, height=4)
lines = {kind: walks[kind]["gradient"] for kind in ("neither", "post-norm", "pre-norm")}
draw_lines(axis, layers, lines, log="y", x_name="layer", y_name="norm of the gradient that arrives", colours=colours,
           title="Twelve layers, before training")
show(figure, "The gradient against the layer, on a logarithmic axis. Without Add & Norm it is 1 at layer 12 and "
     "loses a third or more at each layer on its way down, to less than a thousandth at layer 1. With post-norm and "
     "with pre-norm it stays within a factor of five of 1.")

# %%
for kind, found in lines.items():
    print(f"{kind:10} layer 1 gets {found[0]:.2g} of what layer 12 gets, and no layer less than {found.min():.2g}")

# %% [markdown]
# Read the curves from right to left, as the gradient goes. Without the box each layer takes a third of it or more, and
# after twelve layers almost nothing is left. With the box, in either order of its parts, the gradient keeps its order
# of magnitude from the top to the bottom.
#
# ## Picture
#
# The box has two parts, so leave out one at a time and look at what happens on the way *up*. Left, the size of the
# features. Right, how different the positions still are from one another: the length of what is left when the mean
# over all positions is taken off, as a share of the whole.

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, width=11, height=3.8, heading="What Add does, and what Norm does")
for axis, what, y_name in zip(axes, ["size", "difference"], ["root of the mean square", "share of the whole"]):
    lines = {kind: walks[kind][what] for kind in ("Add alone", "post-norm", "Norm alone", "neither")}
    draw_lines(axis, layers, lines, log="y", x_name="layer", y_name=y_name, colours=colours, legend=None)
axes[0].lines[1].set(linewidth=8, alpha=0.4, linestyle="-")                  # "Norm alone" lies upon it
axes[0].set_title("size of the features", fontsize=11)
axes[1].set_title("how different the positions are", fontsize=11)
axes[1].legend(frameon=False, loc="center right")
show(figure, "Two panels over twelve layers. Left, size: with Add alone it grows and with neither it shrinks, layer "
     "by layer, and the two with a norm stay at 1. Right, difference of the positions: without Add it falls to "
     "rounding error within a few layers, with a norm or without; with Add it falls slowly.")

# %%
for kind in ("neither", "Add alone", "Norm alone", "post-norm"):
    size, difference, gradient = (walks[kind][what] for what in ("size", "difference", "gradient"))
    print(f"{kind:11} layer 12: size {size[-1]:8.2g}, difference {difference[-1]:6.1g}    layer 1: gradient {gradient[0]:8.2g}")
alike.compare(1 + int(np.argmax(np.array(walks["Norm alone"]["difference"]) < 1e-9)))

# %% [markdown]
# **Norm keeps the size.** Whatever a layer multiplies by, the next one reads features of size 1. It holds the size of
# the gradient too, on its way down: with Add alone that grows as the features do, and faster.
#
# **Add keeps the tokens.** Attention averages over positions, and averages of averages of averages are in the end the
# same vector everywhere. With the norm alone the sizes are perfect, and after a few layers there is nothing left to
# tell one position from another but rounding errors. No layer above can bring it back: it is information that is gone.
# (Dong et al. 2021 prove it for attention alone, and that the collapse is doubly exponential in the depth.) Add carries
# each token past the averaging.
#
# ## Derive
#
# ### LayerNorm, forward
#
# One position, $D$ features. Take off their mean, divide by their spread, then scale and shift each feature by a
# learned number of its own:
#
# $$\hat x_i = \frac{x_i - \mu}{\sigma} \qquad \mu = \frac1D\sum_i x_i \qquad
# \sigma = \sqrt{\tfrac1D\textstyle\sum_i (x_i-\mu)^2 + \varepsilon} \qquad y_i = \gamma_i\,\hat x_i + \beta_i$$
#
# $\varepsilon$ is tiny, and there so that a position of equal features does not divide by zero. (Ba, Kiros & Hinton
# 2016.)
#
# ### LayerNorm, backward
#
# **In loops.** Change one number, $x_j$. It influences $\hat x_i$ in three ways: directly, if $i = j$; through the
# mean, with the factor $1/D$; and through $\sigma$, by $-\hat x_i/\sigma$ times $\partial\sigma/\partial x_j = \hat
# x_j/D$ (differentiate the root: the $2$ goes, $\sigma$ comes below, and $\mu$ drops out because the centred features
# sum to zero). Together
#
# $$\frac{\partial \hat x_i}{\partial x_j}
# = \frac1\sigma\Big(\delta_{ij} - \frac1D - \frac{\hat x_i\,\hat x_j}{D}\Big)$$
#
# where $\delta_{ij}$ is 1 if $i = j$ and else 0.
#
# **In indices.** Backward is handed `d_y`. First it goes back through the scaling, to $d_{\hat x,i} = \gamma_i\,d_{y,i}$, and
# then sums over every $\hat x_i$ that $x_j$ has reached:
#
# $$d_{x,j} = \sum_i d_{\hat x,i} \frac{\partial \hat x_i}{\partial x_j}
# = \frac1\sigma\Big(d_{\hat x,j} - \frac1D\sum_i d_{\hat x,i} - \hat x_j\,\frac1D\sum_i d_{\hat x,i}\,\hat x_i\Big)$$
#
# **In matrices**, with means over the features, for all positions at once:
#
# $$d_x = \frac{d_{\hat x} - \mathrm{mean}(d_{\hat x}) - \hat x \circ \mathrm{mean}(d_{\hat x} \circ \hat x)}{\sigma}
# \qquad d_\gamma = \sum d_y \circ \hat x \qquad d_\beta = \sum d_y$$
#
# All positions share one $\gamma$ and one $\beta$, so their gradients are sums over all positions. The same in loops,
# to compare:

# %%
norm = LayerNorm(6).to("float64")
norm.gamma.data[...] = 1 + 0.5 * rng.standard_normal(6)
x, d_y = rng.standard_normal((2, 1, 1, 6))                                   # both (B, T, D) = (1, 1, 6)
norm(x)
d_x = norm.backward(d_y)

x_hat = LayerNorm(6).to("float64")(x)[0, 0]                                  # γ = 1 and β = 0: x̂ itself
sigma = np.ptp(x) / np.ptp(x_hat)                                            # by which the range was divided
jacobian = np.zeros((6, 6))
for i in range(6):
    for j in range(6):
        jacobian[i, j] = ((i == j) - 1 / 6 - x_hat[i] * x_hat[j] / 6) / sigma
by_loops = (norm.gamma.data * d_y[0, 0]) @ jacobian
print(f"loops less the package: at most {np.abs(by_loops - d_x).max():.0e}")

# %% jupyter={"source_hidden": true}
show(plot_matrices({"x": x[0], "∂x̂/∂x": jacobian, "d_y": d_y[0], "d_x": d_x[0]}, columns="feature"),
     "One position of six features; its 6 by 6 Jacobian, positive on the diagonal and, unlike that of a scaling, "
     "filled beside it; the gradient d_y that comes in, and d_x that goes out, whose entries cancel.")

# %% [markdown]
# ### What does it forget?
#
# The sentence of [lesson 03](03_what_does_softmax_forget.ipynb) again: *a gradient has no component along what the
# forward ignores.* LayerNorm ignores a shift of all features, so $d_x$ sums to zero. It ignores a scaling of the
# centred features (but for $\varepsilon$), so $d_x$ is orthogonal to $\hat x$. Those are the two means that the
# formula takes off. With three features you can see it: centred, three features lie in a plane, and LayerNorm pushes
# every point along its ray onto one circle. A step along the ray changes nothing, so the gradient points across it.
# Here the same $d_{\hat x}$ comes in at every point.

# %%
plane = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt([[2], [6]])             # two axes of the plane where the sum is 0
angle, radius = np.arange(8) * np.pi / 4 + 0.3, np.array([2.6, 0.8, 2.2, 1.2, 2.7, 0.9, 2.4, 1.3])
points = (radius * [np.cos(angle), np.sin(angle)]).T[None] @ plane + 5       # (1, 8, 3): off the plane, by 5
norm3 = LayerNorm(3).to("float64")
x_hat, d_x_hat = norm3(points), np.tile([0.5, 0.5, -1.0], (1, 8, 1))
d_x = norm3.backward(d_x_hat)
start, end, push, turned = (v[0] @ plane.T for v in (points, x_hat, d_x_hat, d_x))

# %% jupyter={"source_hidden": true}
figure, axis = panels(width=7.5, height=5.6)
axis.plot(np.sqrt(3) * np.sin(np.arange(0, 6.3, 0.02)), np.sqrt(3) * np.cos(np.arange(0, 6.3, 0.02)), color="#1f2933")
axis.plot(*np.stack([0 * start, start, end]).transpose(2, 0, 1), color="#c9d1d9", zorder=1)     # the rays
axis.plot(*start.T, "o", color="#1f6fb4", label="x, centred")
axis.plot(*end.T, "o", color="#1f2933", markersize=4, label="x̂, on the circle")
arrows = {"angles": "xy", "scale_units": "xy", "scale": 1.3, "width": 0.006}
axis.quiver(*start.T, *push.T, color="#9aa5b1", label="d_x̂, as it comes in", **arrows)
axis.quiver(*start.T, *turned.T, color=GRADIENT, label="d_x, across the ray", **arrows)
axis.set(aspect="equal", xlim=(-3.2, 3.2), ylim=(-2.9, 3.7), xlabel="(x₁ − x₂) / √2", ylabel="(x₁ + x₂ − 2x₃) / √6")
axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
show(figure, "Eight points in a plane, each on a grey ray from the centre to its image on a circle. The gradients "
     "that come in are all the same and point up; those that go out are all at right angles to their rays, longer "
     "for points near the centre, and next to nothing where the push goes along the ray.")

# %%
print(f"the sum of d_x is at most {np.abs(d_x.sum(axis=-1)).max():.0e}")
print(f"d_x · x̂ is at most {np.abs((d_x * x_hat).sum(axis=-1)).max():.0e}, which is the share of ε")

# %% [markdown]
# Near the centre the same push turns the direction more, so the gradient is longer there: that is the division by
# $\sigma$.
#
# ### Residual: where a gradient comes together
#
# $y = x + f(x)$ uses $x$ twice. **In loops**, a change of $x_j$ changes $y_j$ directly, and every $y_i$ through $f$.
# **In indices**,
#
# $$d_{x,j} = \sum_i d_{y,i}\Big(\delta_{ij} + \frac{\partial f_i}{\partial x_j}\Big)
# = d_{y,j} + \sum_i d_{y,i} \frac{\partial f_i}{\partial x_j}$$
#
# **In matrices**, with $J$ for the derivatives of $f$: $d_x = d_y\,(I + J)$. Two uses, two gradients, and they add
# up. There is no rule to learn beyond this: wherever an array is used twice, its gradient is the sum. Now stack
# twelve. Without the skip the gradient is multiplied by $J_{12}\cdots J_1$, and if each of them halves it, little
# arrives at the first. With the skip it is
#
# $$d_y\,(I+J_{12})\cdots(I+J_1) = d_y + \dots$$
#
# Multiply out: a sum of $2^{12}$ ways down, and one of them is $d_y$ itself, untouched by any layer (Veit et al.
# 2016).

# %%
small = [0.3 * rng.standard_normal((8, 8)) / np.sqrt(8) for _ in range(12)]  # twelve layers that each say little
for name, skip in {"without the skip": np.zeros((8, 8)), "with it": np.eye(8)}.items():
    d = np.ones(8)
    for J in reversed(small):
        d = d @ (skip + J)
    print(f"{name:17} the gradient after twelve layers is {np.linalg.norm(d) / np.sqrt(8):.1e} times as long")

# %% [markdown]
# Where does the norm stand? In the paper last, outside: **post-norm**, $y = \mathrm{LayerNorm}(x + f(x))$. Going
# back, the gradient passes the norm first, and what comes out of it is what both ways are given. In most newer models
# it stands inside the branch: **pre-norm**, $y = x + f(\mathrm{LayerNorm}(x))$ (Xiong et al. 2020). There the branch
# is gone back through in reverse, $f$ and then the norm, while the skip hands down $d_y$ as it is.
#
# ### Is Norm(x + f(x)) "the residual"?
#
# No. The *residual* is $f(x)$: what is left to be added to $x$ to make it what it should be. He et al. 2016, from whom
# we have the word, argue that "change nothing" should be easy for a layer. With a skip it needs $f = 0$; without, it
# would have to learn the identity. The *skip*, or residual connection, is the $x\,+$. The *norm* is a third thing. The
# package's `Residual` holds all three, because in a Transformer they are always together. A sublayer whose output is
# zero shows which is which:

# %%
x = 3 + 2 * rng.standard_normal((1, 4, 8))
for order in ("post", "pre"):
    silent = Residual(Linear(8, 8, rng), 8, rng, order=order).to("float64")
    silent.sublayer.weight.data[...] = 0                                     # f(x) = 0, whatever x is
    y = silent(x)
    print(f"{order}-norm, f = 0:  y = x? {np.allclose(y, x)}   y = LayerNorm(x)? {np.allclose(y, silent.norm(x))}")

# %% [markdown]
# ### Why LayerNorm and not BatchNorm?
#
# BatchNorm came first (Ioffe & Szegedy 2015). It takes the mean and the variance of a feature over all *examples* of
# the batch, where LayerNorm takes them over the features of one position. For text that has three drawbacks. The output
# for a sentence depends on the other sentences of its batch. Padding counts as if it were words, unless one excludes
# it. And when a sentence is written word by word, there is one position to take a mean over.

# %%
def batch_norm(x):
    """LayerNorm the other way round: each feature by itself, over all sentences and positions."""
    rows = x.reshape(-1, x.shape[-1]).T                                      # (D, B·T)
    return LayerNorm(rows.shape[1]).to("float64")(rows).T.reshape(x.shape)


mine, others, changed = rng.standard_normal((3, 1, 5, 8))
padding = np.zeros((1, 4, 8))
norm8, alone = LayerNorm(8).to("float64"), rng.standard_normal((1, 1, 8))
changes = {}
for name, f in {"LayerNorm": norm8, "BatchNorm": batch_norm}.items():
    before = f(np.concatenate([mine, others]))[0]                            # (T, D), my sentence in one company
    changes[f"{name}: other company"] = f(np.concatenate([mine, 2 + changed]))[0] - before
    with_padding = np.concatenate([np.concatenate([mine, others]), padding[[0, 0]]], axis=1)
    changes[f"{name}: padding"] = f(with_padding)[0, :5] - before
    print(f"{name}: one sentence, one position: {f(alone)[0, 0, :4].round(2)} …")

# %% jupyter={"source_hidden": true}
show(plot_matrices(changes, shared=True, rows="position", columns="feature", numbers=False),
     "Four maps of what changes in my sentence when another sentence of its batch changes, or when four padded "
     "places are put behind all. With LayerNorm nothing changes, all is white. With BatchNorm nearly everything does.")

# %% [markdown]
# At one position BatchNorm's variance is zero, and its output is always 0. At inference it therefore uses averages that
# it kept from training; but the batches of text vary so much that these fit badly (Shen et al. 2020 measure it).
#
# ### Pre-norm or post-norm?
#
# In the figure of gradients above both work. Look closer: pre-norm's grows a little from layer to layer on its way down
# and does not shrink: one of its paths contains no norm. Post-norm has no such path: every layer divides by its
# $\sigma$. The effect of this is seen in training, most of all in its first steps. Here six encoder and six decoder
# layers learn to reverse six digits, in a few seconds, at one rate. *Warm-up* means that the rate climbs from zero
# during the first 100 steps.

# %%
task = make_task("reverse", min_length=6, max_length=6)


def learn(norm, warmup=0, steps=250, depth=6, change=lambda model: None, hook=lambda model, progress: None):
    """The training losses of a small Transformer of this depth."""
    config = TransformerConfig(source_vocabulary=len(task.vocabulary), d_model=32, heads=2, d_ff=64, dropout=0.0,
                               encoder_layers=depth, decoder_layers=depth, norm=norm)
    model, losses = Transformer(config, rng=9), []
    change(model)
    hooks = [lambda progress: losses.append(progress.loss), lambda progress: hook(model, progress)]
    optimizer, data = Adam(model, Constant(3e-3, warmup)), BatchStream(task, np.random.default_rng(9), batch_size=32)
    train(model, CrossEntropy(padding=0), optimizer, data, steps, hooks=hooks)
    return np.convolve(losses, np.ones(10) / 10, mode="valid")               # smoothed over ten steps


races = {"post-norm": learn("post"), "post-norm, warm-up": learn("post", warmup=100), "pre-norm": learn("pre")}

# %% jupyter={"source_hidden": true}
figure, axis = panels(width=9, height=3.6)
draw_lines(axis, range(10, 251), races, title="Six layers each side, rate 0.003", x_name="step", y_name="loss",
           marker="", colours={**colours, "post-norm, warm-up": "#0f8b8d"})
show(figure, "Three loss curves. Pre-norm falls to nearly zero; post-norm creeps; post-norm with warm-up falls "
     "faster than without, and is far behind pre-norm.")

# %%
for name, losses in races.items():
    print(f"{name:19} loss at the end {losses[-1]:.2f}")

# %% [markdown]
# So: pre-norm is easier to start, the more so the deeper a model is, and post-norm wants a warm-up, such as the paper
# has (Xiong et al. 2020 show why: at the start post-norm's gradients near the output are too large for the rate). This
# does not decide which one is better. The paper's own models are post-norm, and where a post-norm model does train, it
# often ends a little better (Liu et al. 2020). A pre-norm stack adds without ever norming its sum, so one more norm
# stands at its end.
#
# ## Implement and check
#
# ### Essential
#
# LayerNorm in both directions; then the box in the paper's order, in both directions. `hint(…, 1)` to `4`, and `reveal`, as
# ever.

# %%
def layer_norm(x, gamma, beta, epsilon):
    """x (B, T, D), gamma and beta (D,), epsilon a number → y (B, T, D)."""
    ...


check("layer_norm.forward", layer_norm)

# %%
hint("layer_norm.backward", 1)

# %%
def layer_norm_backward(d_y, x, gamma, beta, epsilon):
    """d_y, x (B, T, D) → d_x (B, T, D), d_gamma (D,), d_beta (D,)."""
    ...


check("layer_norm.backward", layer_norm_backward)

# %% [markdown]
# In the next two, `sublayer` and `norm` are functions of one array.

# %%
def post_norm(x, sublayer, norm):
    """x (B, T, D) → y (B, T, D), the paper's order. x stays as it is."""
    ...


check("residual.post_norm", post_norm)

# %% [markdown]
# And back. `sublayer_backward` and `norm_backward` turn the gradient of an output into that of its input. Draw the
# two ways on paper, and walk them from the end.

# %%
def post_norm_backward(d_y, sublayer_backward, norm_backward):
    """d_y (B, T, D) → d_x (B, T, D)."""
    ...


check("residual.post_norm_backward", post_norm_backward)

# %% [markdown]
# ### Further: pre-norm
#
# You can leave these two out on a first reading: no later lesson needs them. It is the other order of the same three
# parts.

# %%
def pre_norm(x, sublayer, norm):
    """x (B, T, D) → y (B, T, D), the norm inside the branch. x stays as it is."""
    ...


check("residual.pre_norm", pre_norm)

# %%
def pre_norm_backward(d_y, sublayer_backward, norm_backward):
    """d_y (B, T, D) → d_x (B, T, D)."""
    ...


check("residual.pre_norm_backward", pre_norm_backward)

# %% [markdown]
# ## Break it
#
# The classic: $\mu$ and $\sigma$ are "just numbers", so $d_x = \gamma \circ d_y / \sigma$. See which numbers show that
# it is wrong.

# %%
def just_numbers(d_y, x, gamma, beta, epsilon):
    sigma = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    x_hat = (x - x.mean(axis=-1, keepdims=True)) / sigma
    return gamma * d_y / sigma, (d_y * x_hat).sum(axis=(0, 1)), d_y.sum(axis=(0, 1))


check("layer_norm.backward", just_numbers)

# %% [markdown]
# In the box, there is a mistake in forward that no formula shows. `x += …` saves an array, and writes into one that
# others hold: the sublayer has perhaps kept it for its backward.

# %%
def in_place(x, sublayer, norm):
    x += sublayer(x)
    return norm(x)


check("residual.post_norm", in_place)

# %% [markdown]
# And one that looks like an advantage: the gradient of the skip goes past the norm, so that no $\sigma$ divides it.
# It is only not the gradient of this forward.

# %%
def past_the_norm(d_y, sublayer_backward, norm_backward):
    return d_y + sublayer_backward(norm_backward(d_y))


check("residual.post_norm_backward", past_the_norm)

# %% [markdown]
# ## Aha
#
# > **At γ = 1 a gradient may be wrong and pass: check it away from where training begins.**
#
# The formula wants $d_{\hat x} = \gamma \circ d_y$ *inside* the two means. If one takes the means of $d_y$ and
# multiplies by $\gamma$ at the end, the result is exactly right while all $\gamma$ are equal. That is how every model
# begins.

# %%
class GammaOutside(LayerNorm):
    """A LayerNorm whose backward has γ outside the means."""

    def backward(self, d_y):
        x_hat, sigma = self.saved()
        self.beta.grad += d_y.sum(axis=(0, 1))
        self.gamma.grad += (d_y * x_hat).sum(axis=(0, 1))
        means = d_y.mean(axis=-1, keepdims=True) + x_hat * (d_y * x_hat).mean(axis=-1, keepdims=True)
        return self.gamma.data * (d_y - means) / sigma

# %%
x, d_y = rng.standard_normal((2, 8, 6, 32))                                  # both (B, T, D)


def error_at(gamma):
    """How wrong the wrong d_x is with these γ, relative to the right one."""
    both = []
    for norm in LayerNorm(32), GammaOutside(32):
        norm.gamma.data[...] = gamma
        norm(x)
        both.append(norm.backward(d_y))
    return np.linalg.norm(both[1] - both[0]) / np.linalg.norm(both[0])


print(f"γ = 1:            the two gradients differ by {error_at(np.ones(32)):.0e}")
print(f"γ = 1 and noise:  the two gradients differ by {error_at(1 + 0.5 * rng.standard_normal(32)):.0%}")

# %% [markdown]
# Now train twice, with the right norm and with the wrong one, and watch two things: the loss, and how wrong the
# gradient is with the $\gamma$ that the model has by then.

# %%
def make_wrong(model):
    for _, module in model.named_modules():
        if isinstance(module, LayerNorm):
            module.__class__ = GammaOutside                                  # the same object, with the other backward


errors = []
right = learn("post", depth=1)
wrong = learn("post", depth=1, change=make_wrong,
              hook=lambda model, progress: errors.append(error_at(model.encoder.layers[0].add_norm_1.norm.gamma.data)))

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, width=10, height=3.6)
both = {"right gradient": right, "γ outside the means": wrong}
draw_lines(axes[0], range(10, 251), both, title="the loss", marker="", x_name="step", y_name="loss",
           colours={"right gradient": "#2e8b57", "γ outside the means": GRADIENT})
axes[0].lines[0].set_linewidth(5)                                            # or it would lie hidden under the other
draw_lines(axes[1], range(1, 251), {"error": errors}, title="how wrong the gradient is", x_name="step",
           y_name="relative error", marker="", colours={"error": GRADIENT})
show(figure, "Left: two loss curves that fall together, hardly to be told apart. Right: the relative error of the "
     "wrong gradient begins at nearly zero and grows as the model is trained.")

# %%
print(f"final loss: right {right[-1]:.3f}, wrong {wrong[-1]:.3f}.   error of the gradient by then: {errors[-1]:.1%}")

# %% [markdown]
# *The loss goes down* does not say that *the gradients are right*. Nobody would find this by its loss, and a gradient
# check at the first step would have passed. That is why this project moves every parameter to a random place before it
# checks a gradient, and why the $\gamma$ of the checker is never 1:

# %%
def gamma_outside(d_y, x, gamma, beta, epsilon):
    norm = GammaOutside(len(gamma), epsilon).to("float64")
    norm.gamma.data[...] = gamma
    norm(x)
    return norm.backward(d_y), norm.gamma.grad, norm.beta.grad


check("layer_norm.backward", gamma_outside)

# %% [markdown]
# ## Three questions to leave with
#
# 1. The bias of the `Linear` right before a post-norm's sum is added to every position alike. Does LayerNorm forget
#    it, as it forgets a shift? Look at which axis a shift is.
# 2. RMSNorm (Zhang & Sennrich 2019) divides by the root of the mean square and takes off no mean. Which of the two
#    terms of $d_x$ stays?
# 3. A pre-norm stack of 100 layers: each adds something of size 1. What share of the sum is the last layer's part, and
#    what does that say about layers that could be left out?
#
# <details><summary>Answers</summary>
#
# 1. No. LayerNorm ignores *one* number that is added to all *features* of a position. A bias has another number for
#    each feature, the same at all positions. Only the mean of the bias over the features is ignored.
# 2. The last one: $d_x = \big(d_{\hat x} - \hat x \circ \mathrm{mean}(d_{\hat x} \circ \hat x)\big)/\sigma$, with
#    $\sigma$ for the root of the mean square. RMSNorm still ignores a scaling, but no longer a shift.
# 3. If the hundred terms are independent, their sum has the size $\sqrt{100} = 10$, and the last one is a tenth of it;
#    if all point in the same direction, a hundredth. So leaving out one late layer changes the sum little.
#
# </details>
