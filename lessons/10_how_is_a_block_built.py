# %% [markdown]
# # 10 · How is a block built?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 60 min · writing 90 min · further 95 min | ●●○ | ●●● | [07](07_why_many_heads.ipynb), [08](08_where_am_i.ipynb), [09](09_what_do_add_and_norm_do.ipynb) | `layers.Embedding`, `Unembedding`, `Linear`, `FeedForward`, `ReLU`, `GELU`, `Dropout`, `models.EncoderLayer`, `DecoderLayer`, `Transformer` |
#
# ## Question
#
# You have attention, positions, and Add & Norm. A Transformer is a stack of *blocks* (its layers), and a block needs
# little more: a way from token ids to vectors, a small network that works on each position, dropout, and a way back to
# scores. Which parts are these, how are they connected, and on which paths does the gradient come back through them?

# %%
import numpy as np

from minitransformer import layers
from minitransformer.attention import MultiHeadAttention
from minitransformer.core import observe
from minitransformer.data.stream import BatchStream
from minitransformer.data.tasks import make_task
from minitransformer.grading import check, hint, reveal
from minitransformer.layers import CrossEntropy
from minitransformer.lessons import predict, show
from minitransformer.models import Decoder, DecoderLayer, EncoderLayer, Transformer, TransformerConfig
from minitransformer.plotting import GRADIENT, draw_bars, draw_lines, panels, plot_architecture, plot_matrices
from minitransformer.testing import gradient_check, trace
from minitransformer.training import Adam, train

rng = np.random.default_rng(10)

# %% [markdown]
# ## Predict
#
# The *base* model of the paper has 6 encoder layers and 6 decoder layers. Its vectors have 512 features, the network
# inside a block widens them to 2048, and one table holds a vector for each of 37,000 tokens. How many parameters is
# that, in millions? And of the six encoder layers, which one does the *first* decoder layer read?

# %%
millions = predict("How many million parameters has the base model?", ...)
layer_read = predict("Which encoder layer, from 1 to 6, does decoder layer 1 read?", ...)

# %% [markdown]
# ## Picture
#
# This is figure 1 of the paper, drawn by the package from a small model that we shall use all along. Follow it once
# from the bottom left. Ids become vectors (*Embedding*), positions are added, two encoder layers follow. What leaves
# the encoder is called the *memory*. At the right the same again for the target, but each decoder layer has a third
# part, which attends to the memory.

# %%
config = TransformerConfig(
    source_vocabulary=14, d_model=32, heads=4, d_ff=64, encoder_layers=2, decoder_layers=2, dropout=0.0,
    max_length=32, tie_embeddings=True,
)  # fmt: skip
model = Transformer(config, rng=0)

# %% jupyter={"source_hidden": true}
show(
    plot_architecture(model),
    "The architecture of a small Transformer. Left, the encoder: embedding, positions, two layers of self-attention and "
    "feed-forward, each with Add & Norm. Right, the decoder: two layers with masked self-attention, cross-attention "
    "and feed-forward. One arrow leads from the top of the encoder to the decoder.",
)

# %% [markdown]
# ### Which encoder layer feeds cross-attention?
#
# Many readers of that figure see two towers side by side and think that layer $i$ of the decoder reads layer $i$ of
# the encoder. The arrow says otherwise, but let us ask a model. `observe` calls us after every forward of every
# component with what went in and what came out. So we can see which encoder layer's output is the very array that
# each cross-attention was given.

# %%
six = Transformer(TransformerConfig.preset("toy", encoder_layers=6, decoder_layers=6), rng=0)
made, read = [], []


def look(path, component, inputs, output):
    if isinstance(component, EncoderLayer):
        made.append(output)
    if path.endswith("cross_attention"):
        read.append(inputs[1])  # its memory


with observe(six, look):
    six(rng.integers(4, 20, (1, 5)), rng.integers(4, 20, (1, 4)))
sources = [[memory is output for output in made].index(True) + 1 for memory in read]
print("decoder layers 1 to 6 read encoder layers", sources)
layer_read.compare(sources[0])

# %% [markdown]
# All of them read the **last** one. So the encoder runs to its end before the decoder begins, and it runs once,
# however long the answer becomes. And six layers send a gradient back to one and the same array: keep that in mind.
#
# ### What is in a block?
#
# `trace` walks one forward and one backward through a component, and has a row for each part. Its *multiply-adds* are
# the work of both: how often two numbers are multiplied, and the product added to a sum. Here is one encoder layer of
# the base model. A row includes what stands below it, and `add_norm_1` is wrapped around the attention, so it counts it
# again; the first row counts everything once.

# %%
def walk(trace):
    """Print the main columns of a trace."""
    print(f"{'component':44}{'output':>16}{'parameters':>13}{'multiply-adds':>16}")
    for row in trace.rows:
        name, _, output, parameters, multiply_adds, *_ = row.cells
        print(f"{name:44}{output:>16}{parameters:>13}{multiply_adds:>16}")


base = TransformerConfig.preset("base", dropout=0.0)
block = EncoderLayer(base, rng)
parts = trace(block, rng.standard_normal((1, 10, 512)).astype("float32"))
walk(parts)
print(f"\nshare of the feed-forward network: {parts['feed_forward'].parameters / parts[''].parameters:.3f}")

# %% [markdown]
# Two thirds of a layer's parameters are in the feed-forward network. In letters, with $D$ features and $F$ hidden
# ones: attention has $4D^2$, the network $2DF + F + D$, each norm $2D$. A decoder layer has a second attention and a
# third norm. The embedding table, $VD$, is used at three places but is one array. That is all:

# %%
encoder_layer, decoder_layer = parts[""].parameters, DecoderLayer(base, rng).parameter_count()
table_size = base.source_vocabulary * base.d_model
print(f"encoder layer {encoder_layer:,}   decoder layer {decoder_layer:,}   table {table_size:,}")
millions.compare((6 * encoder_layer + 6 * decoder_layer + table_size) / 1e6)

# %% [markdown]
# Table 3 of the paper says 65 million, rounded, for a vocabulary of "about 37000" tokens (section 5.1). For the small
# model every part can be counted, and the sum of the parts is the whole:

# %%
task = make_task("reverse", symbols=10, min_length=6, max_length=6)
batch = BatchStream(task, np.random.default_rng(0), 32)()
whole = trace(model, batch.source, batch.target_in)
walk(whole.to_depth(2))
a, b = whole["encoder.layers.0"].parameters, whole["decoder.layers.0"].parameters
print("\n2 encoder layers + 2 decoder layers + one table:", f"{2 * a + 2 * b + model.output.weight.size:,}")

# %% [markdown]
# ### How does the gradient flow through a block?
#
# Send a real gradient back, that of the loss on a batch of sequences to be reversed, and take its size (the norm of
# the whole array) wherever it enters and leaves a part of the first encoder layer. All sizes are shares of the one
# that arrives at the layer's end.

# %%
size, loss = {}, CrossEntropy(padding=0)


def measure(path, component, d_y, d_x):
    if path.startswith("encoder.layers.0."):
        size[path.removeprefix("encoder.layers.0.")] = np.linalg.norm(d_y[0]), np.linalg.norm(d_x)


with observe(model, on_backward=measure):
    loss(model(batch.source, batch.target_in), batch.target_out)
    model.backward(loss.backward())
arriving = size["add_norm_2"][0]
for name in ("add_norm_2", "feed_forward", "add_norm_1", "self_attention"):
    size[name] = tuple(np.array(size[name]) / arriving)
    print(f"{name:15} gets {size[name][0]:.2f}, sends back {size[name][1]:.2f}")

# %% jupyter={"source_hidden": true}
def draw_add_norm(axes, x, name, arrives, branch):
    """One sublayer in Add & Norm, drawn from x on: the gradient that arrives at its end, (into, out of) its branch."""
    into, out = branch
    ways = (
        (arrives, [(x + 7, 0), (x + 5.6, 0)], (x + 6.6, 0.3)),
        (into, [(x + 5.6, 0), (x + 0.6, 0)], (x + 2.5, 0.3)),                              # the skip
        (into, [(x + 4.4, 0), (x + 4.4, 1.6), (x + 2.5, 1.6)], (x + 4.9, 1.0)),            # into the branch
        (out, [(x + 2.5, 1.6), (x + 0.6, 1.6), (x + 0.6, 0)], (x + 0.1, 1.0)),             # and out of it
    )
    for share, points, place in ways:
        axes.plot(*zip(*points), color=GRADIENT, linewidth=14 * share, solid_joinstyle="miter", zorder=1)
        axes.text(*place, f"{share:.2f}", ha="center", fontsize=12)
    axes.plot([x + 2.5, x + 6.75], [0, 0], "<", color="white", markersize=6)
    for text, place in ((name, (x + 2.5, 1.6)), ("LayerNorm", (x + 5.75, 0)), ("+", (x + 4.4, 0))):
        axes.text(*place, text, ha="center", va="center", fontsize=12, zorder=3,
                  bbox={"boxstyle": "round,pad=0.45", "facecolor": "#f3f5f7", "edgecolor": "#1f2933"})  # fmt: skip
    axes.text(x + 4.4, -0.75, "added forward:\ncopied backward", ha="center", fontsize=10)
    axes.text(x + 0.6, -0.75, "copied forward:\nadded backward", ha="center", fontsize=10)

# %%
heading = "Backward through a block: forward runs to the right, the gradient to the left"

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading=heading, height=3.4, width=12)
draw_add_norm(axes, 0, "self-attention", size["add_norm_1"][0], size["self_attention"])
draw_add_norm(axes, 7, "feed-forward", size["add_norm_2"][0], size["feed_forward"])
axes.plot([0.6, -1], [0, 0], color=GRADIENT, linewidth=14 * size["add_norm_1"][1], zorder=1)
axes.plot([7, 7.6], [0, 0], color=GRADIENT, linewidth=14 * size["add_norm_1"][0], zorder=1)
axes.text(-0.5, 0.3, f"{size['add_norm_1'][1]:.2f}", ha="center", fontsize=12)
axes.text(-1.4, 0, "x", fontsize=15, va="center")
axes.text(14.2, 0, "y", fontsize=15, va="center")
axes.set(xlim=(-1.7, 14.7), ylim=(-0.9, 2.1))
axes.axis("off")
show(
    figure,
    "A block drawn from x at the left to y at the right: self-attention on a branch above a straight line, a "
    "plus, LayerNorm; then feed-forward the same way. The gradient is a red line from y back to x, as wide as it "
    "is large. At each plus it goes on undivided in both ways; where the branch left the line, the two are added "
    "again.",
)

# %% [markdown]
# Read it from the right. LayerNorm changes the size. At the *plus*, the gradient goes on **undivided** in both ways,
# because a sum hands its gradient to each of its terms. The sublayer changes its copy; the straight line keeps the
# other one. At the place where forward copied its input to the line and the branch, the two gradients are added. (The
# sizes do not add up as numbers do: two arrows at a right angle have a sum of length $\sqrt{a^2 + b^2}$.)
#
# ## Derive
#
# One rule explains nearly every gradient of this lesson. If forward uses one thing in several places, then each place
# sends a gradient back, and they add up: **a copy forward is a sum backward.** You saw it at the skip. Below it comes
# back four times: one matrix at many positions, one row at many places of its token, one memory for many layers, one
# table with three uses.
#
# ### One matrix at every position
#
# `Linear` is $y = xW + b$, with the same $W$ and $b$ at every position $n$ of every sentence. **In loops and
# indices:**
#
# $$y_{nf} = \sum_d x_{nd} W_{df} + b_f$$
#
# $W_{df}$ occurs once at every $n$, so its gradient is a sum over $n$; $x_{nd}$ occurs once for every $f$, so its
# gradient is a sum over $f$:
#
# $$d_{W,df} = \sum_n x_{nd}\,d_{y,nf} \qquad d_{b,f} = \sum_n d_{y,nf} \qquad d_{x,nd} = \sum_f d_{y,nf} W_{df}$$
#
# **In matrices**, with all positions as rows of one tall matrix:
#
# $$d_W = x^\top d_y \qquad d_b = \sum_n d_{y,n} \qquad
# d_x = d_y\,W^\top$$
#
# It is a sum and no mean: the loss has taken its mean already, once. The loops, compared with the package:

# %%
x, d_y = rng.standard_normal((5, 3)), rng.standard_normal((5, 4))        # (N, D), (N, F)
d_W = np.zeros((3, 4))
for n in range(5):
    for d in range(3):
        for f in range(4):
            d_W[d, f] += x[n, d] * d_y[n, f]
affine = layers.Linear(3, 4, rng).to("float64")
affine(x)
affine.backward(d_y)
print(f"largest difference {np.abs(d_W - affine.weight.grad).max():.0e}")

# %% [markdown]
# ### Why add.at?
#
# An embedding looks up row $v$ of a table for token $v$. You may see it as a product with a one-hot matrix $O$, whose
# row $n$ has its single 1 in column $\mathrm{ids}_n$. Then it *is* a linear map, and the gradient is known already:
#
# $$y = \sqrt D\, O W \qquad d_W = \sqrt D\, O^\top d_y, \qquad\text{in indices}\qquad
# d_{W,v} = \sqrt D \sum_{n:\ \mathrm{ids}_n = v} d_{y,n}$$
#
# A token that stands in three places collects three gradients. To multiply by a matrix that is mostly zeros would be
# slow, so one adds rows directly, which is called *scatter-add*. Here one mistake is easy in NumPy. `a[ids] += rows`
# reads all the rows first, adds, and writes them all back. Of an id that stands twice, only the last one written
# remains. `np.add.at` adds one after the other.

# %%
ids = np.array([6, 2, 6, 6])  # token 6 stands three times
plain, at = np.zeros(8), np.zeros(8)
plain[ids] += 1
np.add.at(at, ids, 1)
print("d[ids] += 1          ", plain)
print("np.add.at(d, ids, 1) ", at)
print("Oᵀ 1                 ", np.eye(8)[ids].T @ np.ones(4))

# %% [markdown]
# There is no error and no warning, and in a test where no token comes twice, no difference either. (`np.add.at` used
# to be slow, so the package sorts the ids and adds neighbouring rows: the same sum.)
#
# ### Why ×√d_model?
#
# The paper gives no reason (section 3.4 only says that it is done). Here is one. With *tied* embeddings one table has
# two jobs. At the output it makes the logits, $h\,W^\top$, where $h$ comes out of a norm, so its entries have size 1.
# Such a logit is a sum of $D$ products, and has size 1 if the entries of $W$ have size $1/\sqrt D$. At the input,
# rows of that size would be added to positional codes whose entries are sines and cosines. So the rows are multiplied
# by $\sqrt D$ on their way in.

# %%
D = 64
W = rng.standard_normal((20, D)) / np.sqrt(D)                            # (V, D)
ids = rng.integers(4, 20, 8)
position = layers.SinusoidalPositionalEncoding(D)(np.zeros((1, 8, D)))[0]
h = layers.LayerNorm(D)(rng.standard_normal((500, D)))
inputs = {"W[ids]": W[ids], "√D W[ids]": np.sqrt(D) * W[ids], "positions": position}
for name, x in {**inputs, "logits h Wᵀ": h @ W.T, "logits h (√D W)ᵀ": h @ (np.sqrt(D) * W).T}.items():
    print(f"size of {name:18} {np.sqrt((x**2).mean()):.2f}")  # the root of the mean square

# %%
first = {name: x[:, :20] for name, x in inputs.items()}

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(first, shared=True, numbers=False, rows="place in the sentence", columns="feature"),
    "Three 8 by 20 maps on one scale. W[ids] is nearly white, W[ids] times √D is as strong as the positions beside it.",
)

# %% [markdown]
# (The first 20 of 64 features.) Without the factor, the sum of word and position would be position and hardly any
# word, until training had made the rows larger, and with them the logits. Backward multiplies by $\sqrt D$ once more,
# as any factor does.
#
# ### A nonlinearity between two matrices
#
# The feed-forward network maps each position's vector to more features, applies a nonlinear function element-wise, and
# maps it back:
#
# $$\mathrm{hidden} = \max(0,\ x W_1 + b_1) \qquad y = \mathrm{hidden}\,W_2 + b_2$$
#
# ReLU, $\max(0, x)$, keeps what is positive; so the gradient is kept exactly there, $d_x = d_y \circ [x > 0]$. **GELU**
# is a smooth version: $y = x\,\Phi(x)$, where $\Phi(x)$ is the probability that a standard normal variable is smaller
# than $x$. Both factors depend on $x$, so its slope has two terms, with $\varphi = \Phi'$ the bell curve: $\Phi(x) +
# x\,\varphi(x)$ (Hendrycks & Gimpel 2016). GPT-2 takes a tanh in place of $\Phi$:
#
# $$y = \tfrac12 x\,(1 + \tanh u), \quad u = \sqrt{2/\pi}\,(x + 0.044715\,x^3) \qquad
# \frac{dy}{dx} = \tfrac12 (1 + \tanh u) + \tfrac12 x\,(1 - \tanh^2 u)\,\frac{du}{dx}$$

# %%
x = np.linspace(-4, 4, 161)
bends = {"ReLU": layers.ReLU(), "GELU": layers.GELU()}

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, height=3.2)
draw_lines(axes[0], x, {name: bend(x) for name, bend in bends.items()}, title="y", x_name="x", marker="")
slopes = {name: bend.backward(np.ones_like(x)) for name, bend in bends.items()}
draw_lines(axes[1], x, slopes, title="its slope", x_name="x", marker="")
show(
    figure,
    "Left: ReLU and GELU, both near 0 at the left and near x at the right; GELU dips a little below zero. Right: "
    "the slope of ReLU jumps from 0 to 1, that of GELU rises smoothly, from a little below 0 to a little above 1.",
)

# %% [markdown]
# ### Why the feed-forward at all?
#
# Look at what attention carries. Its weights are a complicated function, but what they weight is $x W_V$, and what
# comes out is $P\,x\,W_V W_O$: given the weights, two matrices, which could be one. The softmax makes *how much* of
# each position is taken a nonlinear function, but not what is taken. A position that wants to compute something of its
# own vector, such as "this feature or that one, but not both", cannot do so by any matrix (the network that can is in
# Goodfellow et al. 2016, section 6.1):

# %%
features = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
wanted = np.array([0.0, 1, 1, 0])                                        # one of the two, but not both
with_bias = np.column_stack([features, np.ones(4)])
best = with_bias @ np.linalg.lstsq(with_bias, wanted, rcond=None)[0]

network = layers.FeedForward(2, 2, rng)
network.expand.weight.data, network.expand.bias.data = np.array([[1.0, 1], [1, 1]]), np.array([0.0, -1])
network.contract.weight.data = np.array([[1.0, 0], [-2, 0]])
print("wanted                 ", wanted)
print("the best matrix        ", best.round(3))
print("two, and a ReLU between", network(features)[:, 0])

# %% [markdown]
# So the two sublayers divide the work: attention moves information between positions, the feed-forward network computes
# with it at each position. Geva et al. (2021) read it as a memory: each column of $W_1$ is a pattern that is looked
# for, the row of $W_2$ is what is written if it is found. And it never uses another position. A prediction: take an
# output at one position, and its gradient with respect to the input at every position. For a sentence of 6 that makes a
# map of 6 × 6 numbers, sizes of gradients.

# %%
zeros = predict("How many of the 36 numbers are exactly zero, for the feed-forward network?", ...)

# %% [markdown]
# ### Dropout: numbers set to zero on purpose
#
# Dropout sets each number to zero with probability $p$ while the model trains, so that no feature can rely on another
# one being there (Srivastava et al. 2014). What is kept is multiplied by a factor above 1, so that the expectation
# stays the same, and nothing has to be changed after training:
#
# $$y = x \circ M, \quad M = \tfrac{1}{1-p} \text{ with probability } 1-p, \text{ else } 0 \qquad
# \mathrm{E}[y] = (1-p)\,\tfrac{1}{1-p}\,x = x \qquad d_x = d_y \circ M$$
#
# It must be *the same* $M$ as in forward. A number that never reached the loss has no gradient, and a mask drawn anew
# would give it one. A component that is used twice in one pass holds two masks, and takes them back last in, first out.

# %%
dropout_layer = layers.Dropout(0.25, rng)
x = rng.standard_normal((1, 4))
print("x                  ", x.round(3))
print("one y              ", dropout_layer(x).round(3) + 0.0)
print("mean of 10,000 of y", np.mean([dropout_layer(x) for _ in range(10_000)], axis=0).round(3))
dropout_layer.clear_saves()
print("after eval()       ", dropout_layer.eval()(x).round(3))

# %% [markdown]
# ### One memory, many readers
#
# All $N$ decoder layers read the same memory, so it is used $N$ times, and the rule gives
#
# $$d_{\mathrm{memory}} = \sum_{l=1}^{N} d_{\mathrm{memory}_l}$$
#
# The gradient with respect to the layers' $x$ is another matter: that runs *through* the layers, from the last to the
# first, each starting with what the one above it left. Only the sum enters the encoder. Here are the sizes in the
# model with six layers, before any training:

# %%
shares = {}


def memory_share(path, component, d_y, d_inputs):
    if isinstance(component, DecoderLayer):
        shares[path] = d_inputs[1]                                       # (B, S, D)


source, target_in = rng.integers(4, 20, (8, 6)), rng.integers(4, 20, (8, 6))
with observe(six, on_backward=memory_share):
    loss(six(source, target_in), rng.integers(4, 20, (8, 6)))
    six.backward(loss.backward())
bars = {f"layer {int(path.split('.')[-1]) + 1}": np.linalg.norm(d) for path, d in reversed(shares.items())}

# %% jupyter={"source_hidden": true}
figure, axes = panels(height=3.2)
bars["the sum"] = np.linalg.norm(sum(shares.values()))
draw_bars(axes, bars, title="size of the gradient of the memory, from each decoder layer", numbers="{:.4f}",
          colours={name: "#f0a8a8" if name != "the sum" else GRADIENT for name in bars})  # fmt: skip
show(
    figure,
    "Bars for the decoder layers 1 to 6 and for their sum. The last layers send the most; the sum is larger than "
    "any.",
)

# %% [markdown]
# ### Why do tied gradients sum?
#
# Because it is one array. *Tied* means that the source's embedding, the target's embedding and the output all use the
# same table (Press & Wolf 2017; section 3.4 of the paper). If one number of it moves a little, all three uses move at
# once, and the loss changes by all three. To see it, let us take the gradient of one number in the table apart by its
# uses, and then ask a finite difference, which knows nothing about uses:

# %%
tied = Transformer(config, rng=1).to("float64")
weight, uses, before = tied.output.weight, [], [0.0]


def share_of_use(path, component, d_y, d_x):
    if isinstance(component, (layers.Embedding, layers.Unembedding)):
        uses.append(weight.grad[7, 3] - before[-1])
        before.append(weight.grad[7, 3])


def loss_at(value):
    weight.data[7, 3] = value
    return loss(tied(batch.source, batch.target_in), batch.target_out)


with observe(tied, on_backward=share_of_use):
    loss_at(weight.data[7, 3])
    tied.backward(loss.backward())
here, step = weight.data[7, 3], 1e-5
for name, use in zip(("output", "target's embedding", "source's embedding"), uses):
    print(f"by way of the {name:20} {use: .8f}")
print(f"{'their sum':34} {sum(uses): .8f}")
print(f"{'finite difference':34} {(loss_at(here + step) - loss_at(here - step)) / (2 * step): .8f}")

# %% [markdown]
# ## Implement and check
#
# ### Essential
#
# Eight functions, from small to large, each a few lines. `hint(id, 1)` asks a question, level 2
# shows the formula, 3 the steps, 4 one line; `reveal(id)` shows the package's own source.

# %%
def linear(x, weight, bias):
    """x (B, T, D), weight (D, F), bias (F,) → y (B, T, F)."""
    ...


check("linear.forward", linear)

# %%
def linear_backward(d_y, x, weight, bias):
    """d_y (B, T, F), x (B, T, D) → d_x (B, T, D), d_weight (D, F), d_bias (F,)."""
    ...


check("linear.backward", linear_backward)

# %% [markdown]
# Padding, id 0, is looked up like any other id, but its row gets no gradient: it is no token. And an id that does not
# exist should be an error, of whatever kind. NumPy takes −1 for the last row, without an error.

# %%
def embedding(ids, table):
    """ids (B, T), table (V, D) → y (B, T, D), each row times √D. An id outside 0 … V−1 raises an error."""
    ...


check("embedding.forward", embedding)

# %%
def embedding_backward(d_y, ids, table):
    """d_y (B, T, D), ids (B, T), table (V, D) → d_table (V, D); row 0, the padding's, stays zero."""
    ...


check("embedding.backward", embedding_backward)

# %%
hint("embedding.backward", 1)

# %%
def feed_forward(x, W_1, b_1, W_2, b_2):
    """x (B, T, D), W_1 (D, F), b_1 (F,), W_2 (F, D), b_2 (D,) → y (B, T, D)."""
    ...


check("feed_forward.forward", feed_forward)

# %%
def feed_forward_backward(d_y, x, W_1, b_1, W_2, b_2):
    """d_y, x (B, T, D) and the weights → d_x, d_W_1, d_b_1, d_W_2, d_b_2."""
    ...


check("feed_forward.backward", feed_forward_backward)

# %% [markdown]
# The next one gets the layers' backwards as functions, in forward's order. Each takes $d_y$ and returns the
# pair $(d_x, d_{\mathrm{memory}_l})$.

# %%
def decoder_backward(d_y, layer_backwards):
    """d_y (B, T, D), [d_y → (d_x, d_memory), …] → d_x (B, T, D), d_memory (B, S, D)."""
    ...


check("decoder.backward", decoder_backward)

# %% [markdown]
# And the one table: $\mathrm{embedded} = \sqrt D\,\mathrm{table}[\mathrm{ids}]$ and
# $\mathrm{logits} = \mathrm{hidden}\;\mathrm{table}^\top$. Here the padding's row is a row like any other.

# %%
def tied_backward(d_embedded, ids, d_logits, hidden, table):
    """d_embedded, hidden (B, T, D), ids (B, T), d_logits (B, T, V), table (V, D) → d_table (V, D)."""
    ...


check("tied.backward", tied_backward)

# %% [markdown]
# ### Further
#
# You can leave out all that follows, up to *Break it*, on a first reading: no later lesson needs it. The first four are
# the activation functions, each a line or a few.

# %%
def relu(x):
    """x (B, T, F) → y (B, T, F). The array x itself stays as it is."""
    ...


check("relu.forward", relu)

# %%
def relu_backward(d_y, x):
    """d_y, x (B, T, F) → d_x (B, T, F). At exactly 0 the slope is taken to be 0."""
    ...


check("relu.backward", relu_backward)

# %%
def gelu(x):
    """x (B, T, F), as large as 1000 maybe → y (B, T, F): the form with tanh."""
    ...


check("gelu.forward", gelu)

# %%
def gelu_backward(d_y, x):
    """d_y, x (B, T, F) → d_x (B, T, F), exactly that of the form with tanh."""
    ...


check("gelu.backward", gelu_backward)

# %% [markdown]
# #### Dropout
#
# Three steps: the formula, its backward with the mask handed over, and a class that keeps its own masks and can be
# used in two places.

# %%
def dropout(x, p, training, rng):
    """x (B, T, D) → y (B, T, D): while training, each number 0 with probability p, the mean kept; else x."""
    ...


check("dropout.forward", dropout)

# %%
def dropout_backward(d_y, keep, p):
    """d_y (B, T, D), keep (B, T, D) booleans, True where forward kept a number → d_x (B, T, D)."""
    ...


check("dropout.backward", dropout_backward)

# %%
class Dropout:
    """Always training. y_1 = forward(x_1), y_2 = forward(x_2), d_x_2 = backward(d_y_2), d_x_1 = backward(d_y_1)."""

    def __init__(self, p, rng):
        ...

    def forward(self, x):
        """x (B, T, D) → y (B, T, D)."""
        ...

    def backward(self, d_y):
        """d_y (B, T, D) → d_x (B, T, D), with the mask of the forward that it undoes."""
        ...


check("dropout.twice", Dropout)

# %% [markdown]
# #### Putting it together
#
# A layer that may be used in several places cannot *return* the gradient of its weights: it has to *add* to what is
# there. And a step of descent has an order to keep.

# %%
def linear_accumulate(d_y, x, weight, d_weight, d_bias):
    """As linear_backward, but d_weight (D, F) and d_bias (F,) are added to, in place; returns d_x (B, T, D)."""
    ...


check("linear.accumulate", linear_accumulate)

# %%
def linear_update(d_y, x, weight, learning_rate):
    """One step of gradient descent on weight (D, F), in place, for y = x W; returns d_x (B, T, D) of that y."""
    ...


check("linear.update", linear_update)

# %%
def transformer_backward(d_logits, decoder_backward, encoder_backward):
    """d_logits (B, T, V) → d_source (B, S, D), d_target (B, T, D).

    decoder_backward: d_logits → (d_target, d_memory), encoder_backward: d_memory → d_source.
    """
    ...


check("transformer.backward", transformer_backward)

# %%
def tied_step(table, d_input, d_output, learning_rate):
    """One step of SGD: what do the two sides of the one table (V, D) see afterwards? → input_table, output_table."""
    ...


check("tied.step", tied_step)

# %% [markdown]
# ## Break it
#
# The mistake of the scatter-add, in a function where it is easily overlooked:

# %%
def last_one_wins(d_y, ids, table):
    d_table = np.zeros_like(table)
    d_table[ids] += d_y * np.sqrt(table.shape[1])
    d_table[0] = 0
    return d_table


check("embedding.backward", last_one_wins)

# %% [markdown]
# Two copies of a table, where there should be one. They start equal, and every later step pulls them further apart:

# %%
def two_copies(table, d_input, d_output, learning_rate):
    return table - learning_rate * d_input, table - learning_rate * d_output


check("tied.step", two_copies)

# %% [markdown]
# Now a mistake that causes no wrong shape, no error and no strange loss curve. In this decoder each layer *overwrites*
# the memory's gradient where it should add to it, so that the encoder gets the gradient of the first layer alone. Both
# models begin with the same weights and see the same batches.

# %%
class Forgetful(Decoder):
    def backward(self, d_y):
        for layer in reversed(self.layers):
            d_y, d_memory = layer.backward(d_y)
        return d_y, d_memory


forgetful = Transformer(config, rng=0)
forgetful.decoder = Forgetful(config, rng)
forgetful.load_state_dict(model.state_dict())
losses = {"right": [], "each layer overwrites": []}
for trained, curve in zip((model, forgetful), losses.values()):
    batches = BatchStream(task, np.random.default_rng(1), 32)
    train(trained, loss, Adam(trained, 2e-3), batches, 250, hooks=[lambda now, curve=curve: curve.append(now.loss)])

# %% jupyter={"source_hidden": true}
figure, axes = panels(height=3.4)
smooth = {name: np.reshape(curve, (-1, 10)).mean(axis=1) for name, curve in losses.items()}
draw_lines(axes, range(10, 251, 10), smooth, title="reversing six symbols", x_name="step", y_name="loss", marker="",
           colours={"right": "#1f6fb4", "each layer overwrites": GRADIENT})  # fmt: skip
show(
    figure,
    "Two loss curves over 250 steps. Both fall from above 2 to nearly 0; the wrong one is only a little later.",
)

# %% [markdown]
# Seen alone, the red curve is a model that learns. *"The loss goes down" is not "the gradients are right".* A finite
# difference sees it at once, and says where:

# %%
for kind in (Decoder, Forgetful):
    decoder, x, memory, *masks = kind.example(np.random.default_rng(0))
    report = gradient_check(decoder.to("float64"), x, memory, *masks, max_entries=20)
    for row, name in zip(report.rows, ("x", "memory")):
        print(f"{kind.__name__:10} {name:7} relative error {row.error:.0e}  {'ok' if row.passed else 'WRONG'}")

# %% [markdown]
# ## Aha
#
# > **A feed-forward output ignores every other position.**
#
# And by the sentence of [03](03_what_does_softmax_forget.ipynb), a gradient has no component along what the forward
# ignores. So here is the map that you predicted: row $t$ is the size of the gradient of an output at position $t$
# with respect to the input at each position.

# %%
def reach(component, x):
    """How much the input at s matters to an output at t, (T, T): a batch of T copies, the t-th asked at t alone."""
    T = len(x)
    y = component(np.repeat(x[None], T, axis=0))                         # (T, T, D)
    d_y = np.zeros_like(y)
    d_y[range(T), range(T)] = rng.standard_normal(x.shape)               # a gradient of 1s is what LayerNorm ignores
    return np.linalg.norm(component.backward(d_y), axis=-1)              # (T, T)


x = rng.standard_normal((6, 32))
maps = {
    "feed-forward": reach(layers.FeedForward(32, 64, rng).to("float64"), x),
    "self-attention": reach(MultiHeadAttention(32, 4, rng).to("float64"), x),
    "the whole block": reach(EncoderLayer(config, rng).to("float64"), x),
}
names = {"rows": "output at position", "columns": "input at position"}

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(maps, **names, row_labels=range(6), column_labels=range(6)),
    "Three maps of 6 by 6. Feed-forward: only the diagonal, zeros elsewhere. Self-attention: every entry is above zero. The "
    "whole block: every entry, the diagonal by far the largest.",
)

# %%
zeros.compare(int((maps["feed-forward"] == 0).sum()))
for name in ("self-attention", "the whole block"):
    print(f"exact zeros in {name}: {(maps[name] == 0).sum()}")

# %% [markdown]
# These are exact zeros, not small numbers. All that one word ever learns of another comes through attention. Everything
# else (feed-forward, norm, dropout, embedding, the output) treats a sentence as separate vectors. You may compute it
# for one position at a time, in any order, or for all at once. [12](12_how_does_it_speak.ipynb) depends on that.
#
# ## Three questions to leave with
#
# 1. If every decoder layer did read its own encoder layer, what would backward through the encoder look like?
# 2. For one token, a hidden feature is zero behind the ReLU. Which column of $W_1$ and which row of $W_2$ then learn
#    nothing from this token? And if the feature is zero for every token there is?
# 3. A copy forward is a sum backward, and a sum forward is a copy backward. Which of the two do you find in
#    $Q K^\top$, where one $K$ serves all queries? And in a mean?
#
# <details><summary>Answers</summary>
#
# 1. Each encoder layer would get two gradients to add: the one from the encoder layer above it, and the `d_memory` of
#    its own decoder layer.
# 2. The same feature of both: its column of $W_1$ (the slope of ReLU is 0 there) and its row of $W_2$ (it is multiplied
#    by 0). If it is zero for every token, neither is changed by its gradient any more: one says that this ReLU is
#    *dead*.
# 3. $K$ is used by every query, a copy, so `d_K` is a sum over the queries. Each score is a sum over features, so its
#    gradient is handed to each of the products. A mean is a sum times $1/n$: its backward hands $d_y/n$ to each of the
#    $n$ numbers.
#
# </details>
