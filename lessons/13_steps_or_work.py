# %% [markdown]
# # 13 · O(1) or O(n)?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 30 min · writing 30 min | ●●○ | ●●○ | [01](01_why_is_one_vector_not_enough.ipynb), [05](05_back_through_attention.ipynb), [07](07_why_many_heads.ipynb) | `older.Recurrence`, `testing.count_products`, `testing.trace` |
#
# ## Question
#
# Table 1 of the paper says that self-attention needs O(1) sequential operations and a recurrence O(n). O(1) means: no
# more for a long sequence than for a short one. But a long sequence does take attention longer, and for very long
# ones it is the slower of the two. So what is it of which there is no more? And what does grow, and how fast?

# %%
import numpy as np

from minitransformer.attention import MultiHeadAttention, causal_mask
from minitransformer.grading import check, hint, reveal
from minitransformer.layers import SinusoidalPositionalEncoding
from minitransformer.lessons import predict, show
from minitransformer.models import TransformerConfig
from minitransformer.models.encoder import EncoderLayer
from minitransformer.older import CausalConvolution, GRUCell, Recurrence, RNNCell
from minitransformer.plotting import draw_lines, panels, plot_matrices
from minitransformer.study.clock import medians
from minitransformer.testing import count_products, trace

rng = np.random.default_rng(13)

# %% [markdown]
# ## Predict
#
# A **multiply-add** is one multiplication together with the addition that follows it. A product of a matrix (a, b) by a
# matrix (b, c) takes a·b·c of them. Write n for the length of the sequence, and d for the number of features of a
# position; here d = 64.

# %%
steps = predict("Self-attention, 512 positions: how long is the longest queue of products that wait for another?", ...)
core = predict("From which n on are scores and weighted sum as much work as a recurrence, if d = 64?", ...)
whole = predict("From which n on is the whole attention layer, with its projections, more work than a recurrence?", ...)
slower = predict("From which n on does the attention layer take longer, on this machine?", ...)

# %% [markdown]
# ## Picture
#
# Three layers of one width run forward and backward on sequences of more and more positions: a simple recurrence,
# tanh(x W_x + h W_h + b); self-attention with its four projections; and a whole layer of a Transformer, which also has
# a feed-forward network. We take the time (forward and backward of four sequences, the median of several runs), count
# the multiply-adds that really happen, and count how many products stand in the longest queue. `count_products` uses no
# formula: it gives the layer arrays that record every product.

# %%
d, heads, batch = 64, 4, 4
config = TransformerConfig.preset("toy", d_model=d, heads=heads, d_ff=4 * d)
layers = {
    "recurrence": Recurrence(RNNCell(d, d, rng)),
    "self-attention": MultiHeadAttention(d, heads, rng),
    "Transformer layer": EncoderLayer(config, rng),
}


def sequence(n, batch=1):
    return rng.standard_normal((batch, n, d)).astype(np.float32)         # (B, n, d)


def count(layer, n):
    """The matrix products of one forward, on one sequence. A recurrence begins with a state that is given."""
    x = sequence(n)
    forward, backward = count_products(layer, x, x[:, 0]) if isinstance(layer, Recurrence) else count_products(layer, x)
    return forward


def milliseconds(n):
    """The median time of a forward and a backward of each layer, the layers taking turns."""
    x = sequence(n, batch)
    passes = {name: lambda layer=layer: layer.backward(layer.forward(x)) for name, layer in layers.items()}
    return [1e3 * seconds for seconds in medians(passes, budget=0.05, least=9).values()]

# %%
lengths = (8, 16, 32, 64, 128, 256, 512)
counted = {name: [count(layer, n) for n in lengths] for name, layer in layers.items()}
work = {name: [c.multiply_adds() for c in row] for name, row in counted.items()}
waiting = {name: [c.sequential_steps for c in row] for name, row in counted.items()}
clock = dict(zip(layers, zip(*(milliseconds(n) for n in lengths))))

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 3, heading="One sequence, longer and longer (d = 64)", width=13)
draw_lines(axes[0], lengths, waiting, log="xy", x_name="n", y_name="products in the longest queue", title="steps")
draw_lines(axes[1], lengths, work, log="xy", x_name="n", y_name="multiply-adds", title="work, forward", legend="")
draw_lines(axes[2], lengths, clock, log="xy", x_name="n", y_name="ms, forward and backward", title="time", legend="")
show(figure, "Three panels over n. Steps: the recurrence rises with n, the two others are flat. Work: the recurrence "
     "is a straight line below the two others, which bend upwards. Time: self-attention begins below the recurrence "
     "and ends above it.")

# %% [markdown]
# The left panel is the O(1) of the paper's table. The middle one is work, and there attention is *above* the recurrence
# at every length. The right one is the clock, and it lies between the two: while sequences are short, the time depends
# on the queue, and attention is faster although it does more work; when they are long, it depends on the work. Where
# that happens depends on the machine. (Of the ten products in the Transformer layer's queue, four are the means in its
# two norms, which the package computes as products.)

# %%
def crossing(x, lower, upper):
    """From where on `lower` is above `upper`, between two lengths, in logarithms."""
    gap = np.log(lower) - np.log(upper)
    i = max(np.flatnonzero(gap <= 0), default=-1)                        # the last length at which it is not
    if i in (-1, len(x) - 1):
        return x[0] if i == -1 else f"not up to {x[-1]}"
    return float(np.exp(np.interp(0, gap[i : i + 2], np.log(x[i : i + 2]))))


steps.compare(waiting["self-attention"][-1])
slower.compare(crossing(lengths, clock["self-attention"], clock["recurrence"]))

# %% [markdown]
# ## Derive
#
# ### What does O(1) mean in table 1?
#
# That a number stays below a bound that does not depend on n. Which number, the column says, and the table has three:
#
# | column of table 1 | what is counted | recurrence | self-attention |
# |---|---|---|---|
# | complexity per layer | the work | O(n·d²) | O(n²·d) |
# | sequential operations | the longest queue: each needs the result of the one before | O(n) | O(1) |
# | maximum path length | layers, or steps, between two positions | O(n) | O(1) |
#
# **The queue.** A recurrence is a loop whose turns cannot be exchanged: $h_t$ is made of $h_{t-1}$. In self-attention
# the longest queue is: projections, scores, weighted sum, projection. That is four, for ten positions or for ten
# thousand, because no position waits for another. If $p$ units share $W$ operations, and $S$ of these stand in the
# longest queue, then the time is at least $\max(W/p, S)$, and need not exceed $W/p + S$ (Brent 1974). More units help
# against the first, nothing helps against the second.
#
# **The path.** The gradient goes back through the same queue. In a recurrence it passes n cells on its way from the
# last position to the first, and shrinks or grows in each ([01](01_why_is_one_vector_not_enough.ipynb)); in attention
# it passes one layer, however far apart the two are.

# %%
print("n       recurrence: steps, work       self-attention: steps, work")
for n in (16, 64, 256):
    of = {name: count(layers[name], n) for name in ("recurrence", "self-attention")}
    print(f"{n:<4}", *(f"{c.sequential_steps:12} {c.multiply_adds():14,}" for c in of.values()))

# %% [markdown]
# ### How much work is it?
#
# **In loops.** For every query, for every key, a dot product of d features; then for every query, for every value, d
# features that are added up. That is the **core** of attention. The recurrence: for every step, d new numbers, each
# from d that are read and d that are carried.

# %%
def core_in_loops(n):
    count = 0
    for _query in range(n):
        for _key in range(n):
            for _feature in range(d):
                count += 1                                               # one term of their dot product
            for _feature in range(d):
                count += 1                                               # one number of the value, weighted and added
    return count


counted_core = count(layers["self-attention"], 12).multiply_adds("attention")
print(f"in loops {core_in_loops(12):,}   counted in the layer {counted_core:,}")

# %% [markdown]
# **In indices.**
#
# $$S_{ts} = \sum_{k=1}^{d} Q_{tk} K_{sk} \qquad o_{tk} = \sum_{s=1}^{n} P_{ts} V_{sk} \qquad\text{against}\qquad
# h_{tk} = \tanh\Big(\sum_j x_{tj} W^x_{jk} + \sum_j h_{t-1,j} W^h_{jk}\Big)$$
#
# Count the letters: the scores have n·n entries and sum over d; the weighted sum has n·d entries and sums over n.
#
# **In matrices**, with (a, b) by (b, c) as a·b·c:
#
# $$\underbrace{2\,n^2 d}_{\text{core of attention}} \qquad\text{against}\qquad
# \underbrace{2\,n\,d^2}_{\text{recurrence}} \qquad\text{equal where } n = d$$
#
# The paper says it in a sentence (section 4): self-attention is cheaper while n is smaller than d. But Q, K and V have
# to be computed first. A whole layer also has **four projections**, each (n, d) by (d, d):
#
# $$2\,n^2 d + 4\,n\,d^2 \qquad\text{against}\qquad 2\,n\,d^2$$
#
# The projections alone are twice the recurrence. So the curves of whole layers do not cross at all: the layer of
# attention is more work at any length. Against a gated recurrence (a GRU has three of each product, $6\,n\,d^2$) they
# cross again, and where? Counted:

# %%
gated = Recurrence(GRUCell(d, d, rng))
attention = layers["self-attention"]
print("   n        core  recurrence       layer         GRU")
for n in (16, 32, 64, 128):
    numbers = [count(attention, n).multiply_adds("attention"), count(layers["recurrence"], n).multiply_adds(),
               count(attention, n).multiply_adds(), count(gated, n).multiply_adds()]
    print(f"{n:4}", *(f"{number:11,}" for number in numbers))


def first_n(part=""):
    """The first n at which attention, or this part of it, is as much work as the recurrence."""
    recurrent = count(layers["recurrence"], 1).multiply_adds()           # n times this for n positions
    return next(n for n in range(1, 129) if count(attention, n).multiply_adds(part) >= n * recurrent)


core.compare(first_n("attention"))
whole.compare(first_n())

# %% [markdown]
# ### Why is table 1 not n²d + nd²?
#
# Because it compares cores. The projections are left out of its first row, and as they are $4\,n\,d^2$, the complete
# sum is O(n²d + nd²), of which the first term is the larger only if n is larger than 2d. In the base model of the paper
# d is 512, and a sentence has some tens of tokens. There nearly all the work is in the products that the table does not
# show. Here are the parts of a layer, counted, with the feed-forward network ($8\,n\,d^2$, as it is four times as wide
# inside):

# %%
def shares(n):
    """Which share of a Transformer layer's products its parts do."""
    c = count(layers["Transformer layer"], n)
    inside = c.multiply_adds("self_attention.attention")
    parts = [inside, c.multiply_adds("self_attention") - inside, c.multiply_adds("feed_forward")]
    return np.array(parts) / sum(parts)


ratios = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 6, 12)
rows = np.array([shares(int(r * d)) for r in ratios])                    # (9, 3)

# %% jupyter={"source_hidden": true}
figure, axes = panels(height=3.6)
names, colours = ("core: 2n²d", "projections: 4nd²", "feed-forward: 8nd²"), ("#1f6fb4", "#e9b384", "#cfd6dd")
axes.stackplot(ratios, rows.T, labels=names, colors=colours)
axes.set(xscale="log", ylim=(0, 1), xlim=(ratios[0], ratios[-1]), xlabel="n / d", ylabel="share of the work")
axes.set_title("Where a layer's work is", fontsize=11)
axes.set_xticks(ratios, ["1/16", "1/8", "1/4", "1/2", "1", "2", "4", "6", "12"])
axes.minorticks_off()
axes.legend(loc="upper left", framealpha=0.9)
show(figure, "Shares of a layer's work against n/d. With n a sixteenth of d the core is a thin line at the bottom; it "
     "reaches one half at n = 6d. The rest is shared one to two by projections and feed-forward.")

# %%
print(f"the core's share at n = d/16: {rows[0, 0]:.1%}, at n = d: {rows[4, 0]:.1%}, at n = 6d: {rows[7, 0]:.1%}")

# %% [markdown]
# The same as a walk through the layer: what comes in and goes out, how much is computed (forward and backward), what is
# kept for backward, how long it takes. Look at the line of the softmax: it has no matrix multiplication, but takes
# time.

# %%
trace(layers["Transformer layer"], sequence(256)).below("self_attention")

# %% [markdown]
# ### Is attention an unrolled RNN, a convolution, a bag?
#
# It resembles each of them, and one experiment shows the difference from each.

# %%
n, order = 12, rng.permutation(12)
x, z = 2 * sequence(n), 2 * sequence(n)
recurrence, convolution = layers["recurrence"], CausalConvolution(d, d, 3, rng)


def difference(a, b):
    return f"{np.abs(a - b).max():.1e}"


print("an unrolled RNN?  queries one by one, in any order, against all at once")
one_by_one = np.concatenate([attention(x[:, [t]], x) for t in order], axis=1)
print("   attention   ", difference(one_by_one, attention(x)[:, order]))
print("   recurrence  ", difference(recurrence(x[:, order]), recurrence(x)[:, order]))
print("a convolution?    of a sum, the sum")
print("   convolution ", difference(convolution(x + z), convolution(x) + convolution(z)))
print("   attention   ", difference(attention(x + z), attention(x) + attention(z)))
print("a bag?            shuffled in, against shuffled out")
print("   attention   ", difference(attention(x[:, order]), attention(x)[:, order]))
place = SinusoidalPositionalEncoding(d)
print("   with places ", difference(attention(place(x[:, order])), attention(place(x))[:, order]))

# %% [markdown]
# - **Not an unrolled RNN.** Its queries may be answered one by one, backwards, or by a thousand machines; none waits
#   for another. The turns of a recurrence cannot change places.
# - **Not a convolution.** A convolution weighs by distance, with the same weights whatever stands there, and so is
#   linear. Attention weighs by content: other inputs, other weights.
# - **A bag, yes**, as long as there are no positions: shuffle what goes in, and what comes out is shuffled likewise.
#   Only positions make it a sequence ([08](08_where_am_i.ipynb)).
#
# Now all at once. How much does output t change with input s? A gradient at output t alone goes back, and its size at
# each input, divided by the row's largest, is a row of the picture:

# %%
def reach(layer, x):
    """‖∂y_t / ∂x_s‖, rows t, columns s: n copies of a sequence, the t-th with a gradient at output t alone."""
    y = layer.forward(np.repeat(x, x.shape[1], axis=0))                  # (n, n, d)
    d_y = np.zeros_like(y)
    d_y[np.arange(n), np.arange(n)] = 1
    return np.linalg.norm(layer.backward(d_y), axis=-1)                  # (n, n)


for layer in (recurrence, convolution, attention):
    layer.clear_saves()
views = {"recurrence": reach(recurrence, 0.3 * x), "convolution": reach(convolution, x),
         "attention": reach(attention, x), "attention, other x": reach(attention, z)}
views = {name: m / m.max(axis=1, keepdims=True) for name, m in views.items()}

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(views, "Which input does an output feel?", rows="output t", columns="input s", numbers=False),
    "Four 12 by 12 maps. Recurrence: a lower triangle that fades away from the diagonal. Convolution: a band three "
    "wide. Attention: full, with bright cells near and far; and on another input, bright cells elsewhere.",
)

# %% [markdown]
# ## Implement and check
#
# Write the counts as functions: whole numbers in, a whole number out. (`hint("operations.attention", 1)` asks a
# question, levels 2 to 4 say more; `reveal` shows the layers whose products are counted.)

# %%
def attention_operations(length, features):
    """Multiply-adds of the core of attention on one sequence: the scores, and the weighted sum."""
    ...


check("operations.attention", attention_operations)

# %%
def recurrence_operations(length, features):
    """Multiply-adds of h_t = tanh(x_t W_x + h_{t−1} W_h + b) on one sequence, all of the same width."""
    ...


check("operations.recurrence", recurrence_operations)

# %%
def self_attention_operations(length, features):
    """Multiply-adds of a whole layer of self-attention on one sequence: its core, and its projections."""
    ...


check("operations.self_attention", self_attention_operations)

# %%
hint("operations.self_attention", 1)

# %% [markdown]
# ## Break it
#
# ### “A mask halves the work”
#
# Half of the scores of a causal attention lie in the future, so only half are computed. This sounds right.

# %%
def half(length, features):
    return 2 * (length * (length + 1) // 2) * features


check("operations.attention", half)

# %%
x = sequence(64)
free, masked = (count_products(attention, x, None, m)[0].multiply_adds("attention") for m in (None, causal_mask(64)))
print(f"counted without a mask {free:,}, with a causal mask {masked:,}")

# %% [markdown]
# First all scores are computed, then half of them are thrown away. (Programs that leave out whole blocks of them exist;
# they are other programs with the same result.)
#
# ### “Time is work divided by speed”
#
# If it were, then the multiply-adds that a layer does in a second would be the same for all layers and lengths. From
# the same measurements as above:

# %%
speed = {name: [3 * batch * w / ms / 1e6 for w, ms in zip(work[name], clock[name])] for name in layers}

# %% jupyter={"source_hidden": true}
figure, axes = panels(height=3.6)
draw_lines(axes, lengths, speed, log="x", x_name="n", y_name="10⁹ multiply-adds a second",
           title="How fast is the work done?")
axes.set_ylim(bottom=0)
show(figure, "Billions of multiply-adds a second against n. The recurrence is low and nearly flat; the two others are "
     "several times higher for short and middling lengths and fall at long ones.")

# %% [markdown]
# (Backward does twice the products of forward, hence the 3.) A recurrence asks for 2n small products, and each call of
# NumPy has a fixed cost; attention needs a few large ones. On a graphics card, which has thousands of units, the
# difference is larger still. And where n is large, attention is slowed down by operations that are no products: n²
# exponentials, and n² numbers that are written to memory and read again.
#
# ## Aha
#
# > **O(1) is how many steps must wait, not how much is done.**
#
# Attention has short queues and short paths, and needs more work for them, in proportion to n². For sentences this is
# worth it, because n is much smaller than d, and machines have many units. For a book the work is too much, and many
# later methods (windows, sparse patterns, linear attention) reduce it.
#
# ## Three questions to leave with
#
# 1. When a trained model *writes*, each token needs the one before it ([12](12_how_does_it_speak.ipynb)). How many
#    sequential steps does attention have then, for n tokens?
# 2. Local attention looks at the last r positions only. Work, queue and path: which of the three does it make
#    smaller, and which does it pay with?
# 3. A recurrence of width 2d in place of d: by what does its work grow, and by what does its queue? Which of the two
#    would you notice on a machine with very many units?
#
# <details><summary>Answers</summary>
#
# 1. n steps, each of which waits for the one before: O(n), as in a recurrence.
# 2. The work becomes smaller, n·r·d in place of n²·d. The queue stays O(1). It pays with the path: to connect two
#    positions at a distance of n takes about n/r layers.
# 3. The work grows by four, the queue not at all. With very many units the time is set by the queue, so you would
#    notice neither.
#
# </details>
