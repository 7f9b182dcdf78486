# %% [markdown]
# # 04 · Why √d_k?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 35 min · writing 30 min | ●●○ | ●●○ | [02](02_what_is_being_looked_up.ipynb), [03](03_what_does_softmax_forget.ipynb) | `attention.ScaledDotProductAttention` |
#
# ## Question
#
# Scaled dot-product attention is one line (Vaswani et al. 2017, eq. 1):
#
# $$\text{context}=\text{softmax}\Big(\frac{QK^\top}{\sqrt{d_k}}\Big)\,V$$
#
# Each query is compared with each key by a dot product, softmax turns a query's scores into weights, and the weights
# blend the values. All of that you have met. New is the root under it: $d_k$ is how many numbers a query and a key
# have. Why divide at all, why by a *root*, and what goes wrong without it?
#
# ### What exactly are queries, keys and values?
#
# Three vectors made from tokens, each by a learned matrix of its own. Let $x_t$ be the vector of the token at position
# $t$. The **query** $q=x_tW_Q$ says what $t$ is looking for. The **key** $k=x_sW_K$ says by what $s$ is to be found.
# The **value** $v=x_sW_V$ is what $s$ hands over when it is found. In a library: the note in your hand, the card in the
# catalogue, the book. The three matrices are of one kind; what makes a query a query is the place where it is used. So
# change each one and see what else changes. (Shapes: $B$ sequences, $H$ heads, mostly one until
# [07](07_why_many_heads.ipynb), $T$ queries, $S$ keys; $K$ and $K_v$ features of a key and of a value.)

# %%
import numpy as np

from minitransformer import gradient_check
from minitransformer.attention import MultiHeadAttention, ScaledDotProductAttention, SplitHeads, keep_weights
from minitransformer.data.stream import BatchStream
from minitransformer.data.tasks import make_task
from minitransformer.grading import check, hint, reveal
from minitransformer.layers import CrossEntropy, Linear
from minitransformer.lessons import predict, show
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.plotting import GRADIENT, draw_lines, panels, plot_matrices
from minitransformer.training import Adam, train

rng = np.random.default_rng(4)


def look_up(query, key, value):
    """(weights P (B, H, T, S), context (B, H, T, K_v)) of the package's attention."""
    attention = ScaledDotProductAttention()
    with keep_weights(attention):
        context = attention(query, key, value)
    return attention.weights, context

# %%
draw = rng.standard_normal
query, key, value = draw((1, 1, 2, 4)), draw((1, 1, 5, 4)), draw((1, 1, 5, 3))   # (B, H, T or S, width)
P, context = look_up(query, key, value)


def compare(what, query, key, value):
    """Print which of weights and context are other than before."""
    changed = [not np.allclose(new, old) for new, old in zip(look_up(query, key, value), (P, context))]
    print(f"{what:26} weights {'change' if changed[0] else 'stay':8} context {'changes' if changed[1] else 'stays'}")


compare("other queries:", draw(query.shape), key, value)
compare("other keys:", query, draw(key.shape), value)
compare("other values:", query, key, draw(value.shape))
order = [3, 1, 4, 0, 2]
compare("pairs in another order:", query, key[:, :, order], value[:, :, order])

# %% [markdown]
# Queries and keys decide *where* to look, values only *what is found*. A query and a key have to have the same width
# $d_k$, because they are multiplied; a value may have another. A key and its value belong together like a card and
# its book. If the pairs come in another order, the weights move with them and the context is the same: order means
# nothing ([08](08_where_am_i.ipynb) is about that).
#
# ## Predict
#
# Queries and keys of random numbers, each with mean 0 and variance 1, and 16 keys for each query. *Nothing* is
# divided by anything. Softmax gives 16 weights of sum 1; equal shares would be 1/16. How large is the largest of
# them, on average?

# %%
at_8 = predict("The largest of 16 weights at d_k = 8, without √d_k?", ...)
at_64 = predict("The largest of 16 weights at d_k = 64, without √d_k?", ...)
at_512 = predict("The largest of 16 weights at d_k = 512, without √d_k?", ...)

# %%
def random_look_ups(d_k, count=1000, keys=16):
    """Queries (count, 1, 1, d_k), each with keys (count, 1, 16, d_k) and values (count, 1, 16, 8) of its own."""
    return tuple(draw((count, 1, length, width)) for length, width in ((1, d_k), (keys, d_k), (keys, 8)))


def weights_without_scale(query, key, value):
    """The package divides by √d_k; a query that is √d_k times as long undoes that."""
    return look_up(query * query.shape[-1] ** 0.5, key, value)[0]


for guess, d_k in ((at_8, 8), (at_64, 64), (at_512, 512)):
    guess.compare(weights_without_scale(*random_look_ups(d_k)).max(axis=-1).mean())

# %% [markdown]
# The 16 keys are as random as before, no key is a better match than another by anything but chance, and yet attention
# is nearly certain of one. The wider the vectors, the more certain.
#
# ## Picture
#
# Eight queries, one a row, each with sixteen keys. Bright is a large weight. Above without the scale, below the same
# queries and keys with it.

# %% jupyter={"source_hidden": true}
figure, axes = panels(2, 3, heading="One row of weights for each query", height=2.1, width=11, sharex=True, sharey=True)
for column, d_k in enumerate((8, 64, 512)):
    few = draw((1, 1, 8, d_k)), draw((1, 1, 16, d_k)), draw((1, 1, 16, 8))
    maps = {"without": weights_without_scale(*few), "with √d_k": look_up(*few)[0]}
    for axis, (name, P) in zip(axes[:, column], maps.items()):
        axis.imshow(P[0, 0], cmap="viridis", vmin=0, vmax=1, aspect="auto")
        axis.set_title(f"{name}, d_k = {d_k}", fontsize=11)
        axis.set(xticks=[], yticks=[], xlabel="key" * (name != "without"), ylabel="query" * (d_k == 8))
show(figure, "Six maps of weights, 8 queries by 16 keys, on one scale from 0 to 1. Above, without the scale: at d_k = "
     "8 the rows have a few coloured cells, at 64 mostly one or two, at 512 nearly all have a single bright "
     "one. Below, with the scale, the three maps look alike, every row spread over many keys.")

# %% [markdown]
# Now count. The *entropy* $-\sum_j p_j\log p_j$ of a row of weights says over how many keys it is spread: $\log 16$ for
# equal shares, 0 when one key has everything. And the gradient of the query says how much training can still do about
# where it looks. All of it for widths from 2 to 1024:

# %%
def measure(d_k, scale):
    """(Mean entropy of the weights, ‖d_query‖ of each of 500 queries) for random gradients of the context."""
    query, key, value = random_look_ups(d_k, count=500)
    attention = ScaledDotProductAttention()
    with keep_weights(attention):
        context = attention(query * scale, key, value)
        d_query = attention.backward(draw(context.shape))[0] * scale
    P = attention.weights
    return -(P * np.log(P + 1e-300)).sum(axis=-1).mean(), np.linalg.norm(d_query, axis=-1)


widths = 2 ** np.arange(1, 11)
scaled, unscaled = [measure(d, 1) for d in widths], [measure(d, d**0.5) for d in widths]
entropy = {"with √d_k": [h for h, _ in scaled], "without": [h for h, _ in unscaled]}
gradient = {"with √d_k, median": np.array([np.median(g) for _, g in scaled]),
            "without, median": np.array([np.median(g) for _, g in unscaled]),
            "without, mean": np.array([g.mean() for _, g in unscaled])}

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, heading="What the width does to attention", height=3.9)
draw_lines(axes[0], widths, entropy, x_name="d_k", y_name="entropy of its weights", log="x")
axes[0].axhline(np.log(16), color="black", linewidth=0.8, linestyle=":")
axes[0].text(1000, np.log(16) + 0.04, "equal shares", ha="right", va="bottom")
axes[0].set_ylim(0, 3.1)
draw_lines(axes[1], widths, gradient, x_name="d_k", y_name="‖d_query‖", log="xy", legend="lower left")
axes[1].get_lines()[2].set_linestyle("--")
for axis in axes:
    axis.set_xticks([2, 8, 64, 512], [2, 8, 64, 512])
    axis.minorticks_off()
show(figure, "Left: entropy against d_k. With the scale a flat line near 2.4, a little below that of equal shares; "
     "without, it falls from 2.2 towards 0. Right: the norm of the query's gradient. With the scale it is "
     "flat; without, its mean rises and stays high, while its median first rises, then, from 64 on, falls by "
     "more than a thousandfold.")

# %%
for d_k, ratio in zip(widths, gradient["without, median"] / gradient["with √d_k, median"]):
    print(f"d_k = {d_k:4}   median gradient without the scale / with it: {ratio:.4f}")

# %% [markdown]
# With the scale, both are flat: attention begins the same way whatever its width. That is the point of it.
#
# Without, read the right-hand panel twice. The paper suspects that large scores leave extremely small gradients
# (section 3.2.1). For the *typical* query, the median, that is what happens, once $d_k$ is in the hundreds. But the
# mean does not fall: a few queries, those for which two keys happen to be nearly tied, get an enormous gradient. Most
# queries get almost no gradient, a few get a very large one. And up to $d_k=64$ even the typical gradient is larger
# without the scale than with it. We come back to that.
#
# ## Derive
#
# ### How large is a dot product?
#
# **In loops**, a score is a running sum of $d_k$ products. Each product is positive or negative by chance, so the sum
# is a random walk of $d_k$ steps. **In indices**, with all entries independent, of mean 0 and variance 1:
#
# $$\mathbb{E}[q_ik_i]=\mathbb{E}[q_i]\,\mathbb{E}[k_i]=0,\qquad
# \text{Var}(q_ik_i)=\mathbb{E}[q_i^2]\,\mathbb{E}[k_i^2]=1,\qquad
# \text{Var}(q\cdot k)=\sum_{i=1}^{d_k}\text{Var}(q_ik_i)=d_k$$
#
# Variances add, so standard deviations grow like a root: a typical score is $\sqrt{d_k}$. That is the whole reason for
# the root, and **in matrices** the remedy is $S=QK^\top/\sqrt{d_k}$: scores of variance 1 at any width.
#
# ### Is a dot product cosine similarity?
#
# Not quite: $q\cdot k=\lVert q\rVert\,\lVert k\rVert\cos(q,k)$. The cosine looks at directions alone; the dot product
# depends on lengths too, and a long key gets larger scores, positive or negative, from every query. Their size behaves
# differently too:

# %%
print("d_k    std of q·k    std of q·k/√d_k    std of cos(q, k)")
for d_k in (8, 64, 512):
    q, k = draw((10_000, d_k)), draw((10_000, d_k))
    dot = (q * k).sum(axis=-1)
    cosine = dot / (np.linalg.norm(q, axis=-1) * np.linalg.norm(k, axis=-1))
    print(f"{d_k:3}    {dot.std():10.2f}    {(dot / d_k**0.5).std():15.2f}    {cosine.std():16.3f}")
print(f"largest weight that cosines can give to one of 16 keys: {np.exp(1) / (np.exp(1) + 15 * np.exp(-1)):.2f}")

# %% [markdown]
# Dot products grow with the width and cosines shrink: in many dimensions, nearly everything is at right angles to
# nearly everything else. The scaled dot product keeps its size. A cosine lies between −1 and 1, so a softmax of
# cosines could never look at one key alone; it would need a learned factor in front. The dot product has that factor
# built in, because the matrices $W_Q$ and $W_K$ can make queries and keys longer.
#
# ### Why are large scores bad?
#
# Follow one query. Its output is $o=\sum_jp_jv_j$, with $p=\text{softmax}(s)$ and $s_j=q\cdot k_j/\sqrt{d_k}$. How does
# $o$ answer to a move of $q$? Through every score. From [03](03_what_does_softmax_forget.ipynb) you know
# $\partial p_i/\partial s_j=p_i(\delta_{ij}-p_j)$, so
#
# $$\frac{\partial o}{\partial s_j}=\sum_iv_i\,p_i(\delta_{ij}-p_j)=p_j\,(v_j-o),\qquad
# \frac{\partial s_j}{\partial q}=\frac{k_j}{\sqrt{d_k}}$$
#
# $$\frac{\partial o}{\partial q}=\frac1{\sqrt{d_k}}\sum_jp_j\,(v_j-o)\,k_j^\top
# =\frac1{\sqrt{d_k}}\sum_jp_j\,(v_j-o)(k_j-\bar k)^\top=\frac{\text{Cov}_p(v,k)}{\sqrt{d_k}}$$
#
# with $\bar k=\sum_jp_jk_j$, which may be taken off because the $p_j(v_j-o)$ sum to zero. The last expression has a
# name. Draw a key at random, $j$ with probability $p_j$: then $o$ is the mean value, $\bar k$ the mean key, and the
# sum is the **covariance** of value and key: *when the key that is drawn lies further this way, which way does its
# value go?*
#
# In loops, to compare with the package's backward:

# %%
query, key, value = random_look_ups(6, count=1, keys=5)
P, o = look_up(query, key, value)
p, q, k, v, o = P[0, 0, 0], query[0, 0, 0], key[0, 0], value[0, 0], o[0, 0, 0]
covariance = np.zeros((8, 6))                                                    # (K_v, K)
for j in range(5):
    for a in range(8):
        for b in range(6):
            covariance[a, b] += p[j] * (v[j, a] - o[a]) * (k[j, b] - p @ k[:, b])

attention, slopes = ScaledDotProductAttention(), []
for d_o in np.eye(8):                                                            # one feature of the output at a time
    attention(query, key, value)
    slopes.append(attention.backward(d_o[None, None, None])[0][0, 0, 0])
print("largest difference", np.abs(np.array(slopes) - covariance / 6**0.5).max())

# %% [markdown]
# Now let one weight be 1 and all others 0. There is only one key to be drawn. Nothing varies, so nothing varies
# *together*, and the covariance is zero, exactly, whatever the values are. See it happen: nine keys in a plane, their
# weights as sizes, their values as colours (red positive, blue negative). The arrow, drawn from the mean key, is the
# covariance: the way in which the query would have to move to find more red. From left to right the same scores,
# multiplied by 1, 5 and 25.

# %%
keys = np.array([[-9, -5], [-7, 6], [-3, -9], [-1, 1], [1, 8], [4, -6], [5, 3], [10, -1], [7, 9]]) / 10   # (S, K)
values, asked = np.array([-1.2, 0.8, -1.6, 0.2, 1.3, -0.9, 0.4, 0.1, 1.8]), np.array([1.2, 0.1])

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 3, heading="The same scores, multiplied", height=4.0, width=11, sharex=True, sharey=True)
for axis, factor in zip(axes, (1, 5, 25)):
    p = look_up(factor * asked[None, None, None], keys[None, None], values[None, None, :, None])[0][0, 0, 0]   # (S,)
    o, k_bar = p @ values, p @ keys
    covariance = (p * (values - o)) @ (keys - k_bar)                             # (K,)
    axis.scatter(*keys.T, s=60 + 1500 * p, c=values, cmap="RdBu_r", vmin=-2, vmax=2, edgecolors="#6b7785")
    axis.quiver(*k_bar, *covariance, angles="xy", scale_units="xy", scale=0.5, width=0.018, color=GRADIENT, zorder=3)
    axis.set_title(f"× {factor}: largest weight {p.max():.2f}, ‖Cov‖ {np.linalg.norm(covariance):.3f}", fontsize=11)
    axis.set(xlim=(-1.35, 1.45), ylim=(-1.3, 1.4), xlabel="first feature of the key")
axes[0].set_ylabel("second feature of the key")
show(figure, "Three copies of nine points in a plane, blue below and red above. Left, all points are of similar size "
     "and a long arrow points upwards, towards the red ones. In the middle the points at the right are larger "
     "and the arrow is shorter. Right, one point is large, all others small, and of the arrow a dot is left.")

# %% [markdown]
# So large scores are bad for two reasons. The query finds one value and nothing of the others. And it cannot learn
# that another would have been better: the gradient compares the values it saw with each other, and it saw one.
# Sharpness itself is no fault: a trained head often looks at one place, and should. The fault is to be certain
# *before anything has been learned*, because then chance has chosen the place.
#
# ## Implement and check
#
# Three steps, and then all at once. Your arrays are (B, H, T, K). Sequences and heads are independent of each other,
# and `@` multiplies the matrices of the last two axes only. `.T` reverses *all* axes; `swapaxes(-1, -2)` exchanges the
# last two. The mask is boolean, True = may attend; lesson [06](06_who_may_look_at_whom.ipynb) is about it.

# %%
def attention_scores(query, key):
    """query (B, H, T, K), key (B, H, S, K) → scores (B, H, T, S), scaled."""
    ...


check("attention.scores", attention_scores)

# %%
hint("attention.scores", 1)

# %% [markdown]
# The weights are a softmax over the keys that the mask allows: the score of any other becomes $-\infty$, and so its
# weight $e^{-\infty}=0$. A query that may see no key at all gets zeros. A softmax without this rule would give it NaN,
# and NaN then spreads to everything.

# %%
def attention_weights(scores, mask):
    """scores (B, H, T, S), mask (B, 1, T, S) boolean → P (B, H, T, S): each row of sum 1, or of zeros."""
    ...


check("attention.weights", attention_weights)

# %%
def attention_context(P, value):
    """P (B, H, T, S), value (B, H, S, K_v) → context (B, H, T, K_v)."""
    ...


check("attention.context", attention_context)

# %%
def attention(query, key, value, mask):
    """query (B, H, T, K), key (B, H, S, K), value (B, H, S, K_v), mask (B, 1, T, S) → context (B, H, T, K_v)."""
    ...


check("attention.forward", attention)

# %% [markdown]
# `reveal("attention.forward")` shows how the package writes it.
#
# ## Break it
#
# ### Is it √dim or √d_k?
#
# The model is $d$ wide (`dim` in much code), and each of its $H$ heads works with $d_k=d/H$ features. A score adds up
# the products of *one head*, so it is the root of the head's width. The other reading is common, also among people
# who have written attention many times (lucidrains/vit-pytorch, issue 65). The checker knows it:

# %%
def by_the_models_width(query, key):
    heads, d_k = query.shape[1], query.shape[-1]
    return query @ key.swapaxes(-1, -2) / np.sqrt(heads * d_k)


check("attention.scores", by_the_models_width)

# %% [markdown]
# There is no error message, so this mistake often stays unnoticed. Take the paper's sizes, $d=512$ and 8 heads, real
# projections at their first weights, and four divisors:

# %%
x = draw((1, 16, 512))
q, k = (SplitHeads(8)(Linear(512, 512, rng, bias=False)(x)) for _ in range(2))   # (1, 8, 16, 64)
products, maps = q @ k.swapaxes(-1, -2), {}
for name, divisor in {"undivided": 1, "÷ √d_k": 64**0.5, "÷ √dim": 512**0.5, "÷ d_k": 64}.items():
    maps[name] = look_up(q * 8 / divisor, k, k)[0][0, 0]                         # (T, S), first head
    spread, largest = (products / divisor).std(), maps[name].max(axis=-1).mean()
    print(f"{name:10} std of the scores {spread:5.2f}   mean largest weight {largest:.2f}")

# %% jupyter={"source_hidden": true}
show(plot_matrices(maps, shared=True, numbers=False, rows="query", columns="key"),
     "Four maps of weights, 16 by 16, of one head. Undivided: one bright cell in most rows. Divided by √d_k: rows of "
     "different brightness, spread over several keys. By √dim: paler. By d_k: one even colour.")

# %% [markdown]
# Divided by too much, attention begins as an average of everything. That is a milder fault than the other, because it
# still sees every value: the covariance is not zero. But it has to learn large weights first, in order to look at
# anything.
#
# ### Does it matter at toy sizes?
#
# Here is attention without the root. Its gradients are right, as the check of lesson
# [00](00_how_do_i_know_a_gradient_is_right.ipynb) confirms: they belong to this forward. It is the forward that is not
# the one we wanted.

# %%
class Unscaled(ScaledDotProductAttention):
    """softmax(Q Kᵀ) V, without √d_k."""

    def forward(self, query, key, value, mask=None):
        self.root = query.shape[-1] ** 0.5
        return super().forward(self.root * query, key, value, mask)

    def backward(self, d_y):
        d_query, d_key, d_value = super().backward(d_y)
        return self.root * d_query, d_key, d_value


print(gradient_check(Unscaled(), *random_look_ups(6, count=2, keys=5)))

# %% [markdown]
# A whole Transformer (later lessons build it; here it is a box with attention inside) learns to write short sequences
# backwards. It is 64 wide, once cut into 16 heads, once into 4, once left as one: $d_k$ = 4, 16 and 64, with the same
# number of parameters, the same first weights and the same data.

# %%
times_higher = predict("d_k = 64, after 240 steps: how many times higher is the loss without the scale?", ...)

# %%
task = make_task("reverse", max_length=5)


def losses_of(heads, attention, shrink=1.0, steps=240):
    """The loss of each step; `shrink` multiplies the first weights of all queries."""
    sizes = {"heads": heads, "d_ff": 128, "encoder_layers": 1, "decoder_layers": 1}
    config = TransformerConfig.preset("toy", source_vocabulary=len(task.vocabulary), **sizes)
    model, losses = Transformer(config, np.random.default_rng(0)), []
    for _, part in model.named_modules():
        if isinstance(part, MultiHeadAttention):
            part.attention = attention()
            part.query.weight.data *= shrink
    batches = BatchStream(task, np.random.default_rng(1), 32)
    note = [lambda progress: losses.append(progress.loss)]
    train(model, CrossEntropy(padding=0), Adam(model, 1e-3), batches, steps, hooks=note)
    return np.array(losses).reshape(-1, 20).mean(axis=1)                         # 20 steps to a point


curves = {heads: {"with √d_k": losses_of(heads, ScaledDotProductAttention), "without": losses_of(heads, Unscaled)}
          for heads in (16, 4, 1)}
curves[1]["without, smaller W_Q"] = losses_of(1, Unscaled, shrink=1 / 8)

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 3, heading="Learning to reverse, with and without the scale", width=11, sharey=True)
for axis, (heads, lines) in zip(axes, curves.items()):
    draw_lines(axis, range(20, 241, 20), lines, x_name="step", log="y", marker="", legend="lower left")
    axis.set_title(f"d_k = {64 // heads}", fontsize=11)
    axis.set_xticks(range(40, 241, 40))
axes[0].set_ylabel("loss")
axes[0].set_yticks([0.1, 0.2, 0.5, 1, 2], [0.1, 0.2, 0.5, 1, 2])
axes[0].minorticks_off()
show(figure, "Loss over 240 steps in three panels. With 16 heads, d_k = 4, the two curves are close together. With 4 "
     "heads, d_k = 16, the one without the scale stays above. With one head, d_k = 64, it has hardly come below "
     "1 at the end, while the one with the scale is as low as in the other panels; without, but with smaller "
     "queries at first, lies between.")

# %%
for heads, lines in curves.items():
    for name, line in lines.items():
        below = f"below 0.5 after {20 * (line < 0.5).argmax() + 20} steps" if line.min() < 0.5 else "never below 0.5"
        print(f"d_k = {64 // heads:2}   {name:20} {below:25} loss at the end {line[-1]:.2f}")
times_higher.compare(curves[1]["without"][-1] / curves[1]["with √d_k"][-1])

# %% [markdown]
# Plainly: the narrower the heads, the less the scale matters. At $d_k=4$ you would hardly miss it. At $d_k=16$, the
# width of a head in the toy models of this course, the model learns without it all the same, only takes about twice as
# long. At $d_k=64$, the paper's width, it does not arrive within these steps. *With* the scale the three panels are
# much alike, and that is what it is for.
#
# And is it the vanishing gradient? In the picture of gradients above, the typical query's had not vanished at $d_k=64$.
# The third curve is a test: no scale, but the first weights of the queries are 8 times smaller, so that the scores
# *begin* as if they had been divided. That is better than without the scale, and worse than with it. So at this size
# much of the harm comes from the beginning: attention is certain of places that were chosen by chance. Not all of it:
# without the scale, the same step in $W_Q$ moves the scores 8 times further. (The code of T5, Raffel et al. 2020,
# leaves the scale out in just this way, and begins with smaller weights instead. But its optimiser, Adafactor, takes
# smaller steps where weights are smaller.)
#
# ## Aha
#
# > **A one-hot distribution has zero covariance: attention that sees one key only cannot learn to look elsewhere.**
#
# The gradient of an attention's output with respect to its query is $\text{Cov}_p(v,k)/\sqrt{d_k}$. It compares what is
# found in different places, so there have to be different places. Dot products of width $d_k$ have a spread of
# $\sqrt{d_k}$; divided by it, attention begins undecided, at any width. How sharp it becomes is then for training
# to say.
#
# ## Three questions to leave with
#
# 1. All values of a row are equal. What is the gradient of the query then, and why is that right?
# 2. Queries and keys of a trained model are no longer independent: where a query matches its key, the products
#    $q_ik_i$ are mostly positive. How does $q\cdot k$ grow with $d_k$ then, and by what would you divide? (Yang et
#    al. 2022 do divide by that.)
# 3. $\text{Cov}_p(v,k)$ is about the query. What is $\partial o/\partial k_j$ for a single key, and for which weight
#    $p_j$ is it largest, if nothing else changes? ([05](05_back_through_attention.ipynb) has it in matrices.)
#
# <details><summary>Answers</summary>
#
# 1. Zero, because every $v_j - o$ is zero. It is right: whatever the weights are, the output is that one value, so the
#    query has no influence on it.
# 2. The products then have a positive mean, and $q\cdot k$ grows in proportion to $d_k$, not to its root. So divide by
#    $d_k$.
# 3. $\partial o/\partial k_j = p_j\,(v_j-o)\,q^\top/\sqrt{d_k}$. Let $u$ be the mean of the other values. Then $o = p_j
#    v_j + (1-p_j)\,u$, and $p_j\,(v_j-o) = p_j\,(1-p_j)(v_j-u)$, which is largest at $p_j = ½$.
#
# </details>
