# %% [markdown]
# # 01 · Why is one vector not enough?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 40 min · writing 70 min | ●●○ | ●●○ | [00](00_how_do_i_know_a_gradient_is_right.ipynb) | `OneVectorMLP`, `RNNSeq2Seq`, `RNNCell`, `Recurrence` |
#
# ## Question
#
# You read a sentence, and then you say it in another language. The simplest model that does this has two parts. A
# *reader* (encoder) goes through the sentence word by word and keeps a *state*, a fixed number of numbers. When the
# sentence ends, the state is handed over, and a *writer* (decoder) begins with it and produces the answer word by word.
# Whatever the writer knows of the sentence, it knows from that one vector.
#
# The design is reasonable: the first neural translators were built like this (Sutskever et al. 2014; Cho et al. 2014).
# What goes wrong when the sentence gets longer: does it become a little worse with every word, or does it suddenly
# fail?

# %%
import numpy as np

from minitransformer import no_grad
from minitransformer.data.stream import BatchStream
from minitransformer.data.tasks import make_task
from minitransformer.decoding import evaluate
from minitransformer.grading import check, hint, reveal
from minitransformer.layers import CrossEntropy
from minitransformer.lessons import predict, show
from minitransformer.older import (
    GRUCell, OneVectorConfig, OneVectorMLP, Recurrence, RNNCell, RNNConfig, RNNSeq2Seq,
)
from minitransformer.plotting import draw_lines, panels
from minitransformer.training import Adam, Cosine, train

rng = np.random.default_rng(1)

# %% [markdown]
# ## Predict
#
# The task is to say a sequence of digits backwards: 3 1 4 → 4 1 3. There is no grammar and no ambiguity, and no
# knowledge is needed. The vector only has to *hold* the sequence. Ours has 32 numbers. The model is trained on
# sequences of 2 to 16 digits, every length equally often, and tested on sequences that it has never met. An answer
# counts as right only if every digit is right, and if it stops where it should. Which share of its answers is right at
# 4 digits, at 8, at 16? Put numbers from 0 to 1 in place of the dots.

# %%
at_4 = predict("One vector of 32 numbers: which share of sequences of 4 digits is reversed without a mistake?", ...)
at_8 = predict("And of 8 digits?", ...)
at_16 = predict("And of 16 digits?", ...)

# %% [markdown]
# ## Picture
#
# Four models learn it, in the same loop and with the same number of steps. Two are reader and writer as above, handing
# over 32 numbers or 16. One is the larger of them again, but its writer may look back at every state that the reader
# went through. How it looks back is the subject of [02](02_what_is_being_looked_up.ipynb); here it only shows that the
# rest of the model works. The fourth, `OneVectorMLP`, has no recurrence at all: each digit at its place goes through a
# small network of two layers (an MLP, multi-layer perceptron), and the *mean* of what comes out is the one vector.
#
# The recurrent networks here are built of *gated* cells (GRU; more of them below), which learn faster than the plain
# cell that you will write yourself: put `cell="rnn"` into a configuration and see. Their readers read in both
# directions, and a linear map turns the two last states into one vector.

# %%
STEPS = 500
task = make_task("reverse", min_length=2, max_length=16)
sizes = {"source_vocabulary": len(task.vocabulary), "dropout": 0.0}
models = {
    "one vector of 32, and may look back": RNNSeq2Seq(RNNConfig(d_model=32, attention="additive", **sizes), 1),
    "one vector of 32": RNNSeq2Seq(RNNConfig(d_model=32, **sizes), 1),
    "one vector of 16": RNNSeq2Seq(RNNConfig(d_model=16, **sizes), 1),
    "MLP, one vector of 32": OneVectorMLP(OneVectorConfig(d_model=32, d_ff=128, max_length=18, **sizes), 1),
}
for model in models.values():
    optimizer = Adam(model, Cosine(0.01, STEPS, warmup=50))
    batches = BatchStream(task, np.random.default_rng(1), 32)
    train(model, CrossEntropy(padding=0), optimizer, batches, STEPS, max_norm=1.0)

# %%
lengths = range(2, 17, 2)
tests = {n: make_task("reverse", min_length=n, max_length=n) for n in lengths}
results = {name: {n: evaluate(model, tests[n], "test", count=200) for n in lengths} for name, model in models.items()}

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, heading="Reversing sequences that were never met", height=3.8, sharey=True)
for panel, measure, title in zip(axes, ("exact_match", "token_accuracy"), ("whole answers", "single tokens")):
    lines = {name: [result[n][measure] for n in lengths] for name, result in results.items()}
    draw_lines(panel, lengths, lines, title=title, x_name="digits in the sequence", legend="",
               colours={"MLP, one vector of 32": "#6b7785"})
axes[0].set_ylabel("share that is right")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
show(figure, "Share of right answers against length. Whole answers: one vector of 32 numbers falls from one to zero "
     "between 2 and 10 digits, one of 16 and the MLP fall earlier; the model that may look back stays near the top. "
     "Single tokens: the same order, but the falls are gentler and end near a half and below.")

# %%
exact = results["one vector of 32"]
at_4.compare(exact[4]["exact_match"])
at_8.compare(exact[8]["exact_match"])
at_16.compare(exact[16]["exact_match"])

# %% [markdown]
# It fails suddenly. In the left panel, a vector twice as large moves the limit by a few digits and does not remove it.
#
# Two remarks. A whole answer is right only if all its *tokens* are (the digits, and the sign that ends them), so the
# left panel is steeper than what happens inside: on the right, where each token is asked for after the right ones
# before it, the share of right tokens falls too, but less steeply. And these models are small, were trained for
# seconds, and the one that looks back has some parameters more. Longer training moves the limit, too: in the project's
# full comparison (`docs/comparison/comparison.md` in its repository), with models of equal size, 4,000 steps and three
# seeds, one vector reverses 99 % of sequences of 4 symbols, 81 % of 8, 6 % of 16 and none of 24, while additive
# attention on the same recurrence reverses 99 to 100 % at every length up to 80. There is still a limit.
#
# ## Derive
#
# To see why, we need to know how the state comes about, and what a gradient meets on its way back through it.
#
# **The recurrence.** At each step a *cell* makes the new state from what is read and from the state before:
#
# $$h_t = \tanh(x_t W_x + h_{t-1} W_h + b)$$
#
# The weights are the same at every step; so the cell can read sequences of any length. **In loops**, for one sequence,
# every step written out:

# %%
def step_in_loops(x, h, W_x, W_h, b):
    """One step for one sequence: x (D,), h (F,) → the new state (F,)."""
    h_new = np.zeros(len(h))
    for f in range(len(h)):
        a = b[f]
        for d in range(len(x)):
            a += x[d] * W_x[d, f]
        for g in range(len(h)):
            a += h[g] * W_h[g, f]
        h_new[f] = np.tanh(a)
    return h_new


cell = RNNCell(3, 4, rng).to("float64")                       # D = 3 numbers are read, F = 4 are kept
x, h = rng.standard_normal(3), rng.standard_normal(4)
by_loops = step_in_loops(x, h, cell.input.weight.data, cell.state.weight.data, cell.input.bias.data)
print("largest difference from RNNCell", np.abs(by_loops - cell(x[None], h[None])[0]).max())

# %% [markdown]
# **One step back, in indices.** Call what tanh is taken of $a_f = \sum_d x_d W_{x,df} + \sum_g h_g W_{h,gf} + b_f$, so
# that $h'_f = \tanh a_f$. We are handed $d_{h',f} = \partial L / \partial h'_f$. The derivative of tanh can be written
# with its own output, $\tanh' = 1 - \tanh^2$, and so
#
# $$d_{a,f} = d_{h',f}\,(1 - h'^2_f)$$
#
# The rest is the chain rule: add up over everything that a number influences. $x_d$ influences every $a_f$, and so does
# $h_g$. The weight $W_{h,gf}$ influences only $a_f$, but for every sequence $n$ of the batch:
#
# $$d_{x,d} = \sum_f d_{a,f}\,W_{x,df} \qquad d_{h,g} = \sum_f d_{a,f}\,W_{h,gf} \qquad d_{W_h,gf} = \sum_n h_{ng}\,d_{a,nf}$$
#
# **In matrices**, for a batch, with ∘ for the element-wise product:
#
# $$d_a = d_{h'} \circ (1 - h'^2) \qquad d_x = d_a\,W_x^\top \qquad d_h = d_a\,W_h^\top$$
#
# $$d_{W_x} = x^\top d_a \qquad d_{W_h} = h^\top d_a \qquad d_b = \sum_n d_{a,n}$$
#
# **Back through time.** Forward went from $t = 1$ to $T$, so backward goes from $T$ to $1$. One thing is new. A state
# is used *twice*: it is an output, and the next step begins with it. What is used twice gets its gradient twice, and
# the two add up:
#
# $$d_{a_t} = \big(\underbrace{d_{h_t}}_{\text{as an output}} +
# \underbrace{d_{a_{t+1}} W_h^\top}_{\text{from the next step}}\big) \circ (1 - h_t^2), \qquad d_{a_{T+1}} = 0$$
#
# The state $h_0$, where the first step begins, is no output: $d_{h_0} = d_{a_1} W_h^\top$. The weights were used at all $T$
# steps, so their gradients are sums over time, as they are over the batch:
#
# $$d_{W_x} = \sum_t x_t^\top d_{a_t} \qquad d_{W_h} = \sum_t h_{t-1}^\top d_{a_t} \qquad d_b = \sum_t \sum_n d_{a_{tn}}$$
#
# That is all there is to *backpropagation through time* (Rumelhart et al. 1986; Werbos 1990): the chain rule, with a
# sum wherever something was used more than once.
#
# ### What the gradient meets on its way
#
# Suppose only the last state is used, as it is when it is handed over. How does $h_T$ depend on what was read $k$ steps
# before? Put the formula into itself, $k$ times:
#
# $$d_{h_{T-k}} = d_{h_T}\; \underbrace{D_T W_h^\top \; D_{T-1} W_h^\top \cdots D_{T-k+1} W_h^\top}_{k \text{ times}},
# \qquad D_t = \mathrm{diag}(1 - h_t^2)$$
#
# The same $W_h^\top$, $k$ times. If each step halves the gradient, forty steps leave about $10^{-12}$ of it. The
# numbers in $D_t$ lie between 0 and 1, so one step lengthens the gradient by no more than the largest singular value of
# $W_h$ (the most by which it can lengthen any vector). Below 1, the gradient *must* vanish, exponentially in the
# distance; above, it may vanish or explode (Bengio et al. 1994; Pascanu et al. 2013, section 2.1).
#
# A cell, as it is before training, reads 40 random vectors. How many times smaller is
# $\partial h_T / \partial x_{T-30}$ than $\partial h_T / \partial x_T$?

# %%
shrinks = predict("By which factor does the gradient shrink over 30 steps?", ...)

# %%
def gradient_by_distance(cell, x):
    """‖∂h_T/∂x_t‖ at the distances T − t = 0, 1, 2, … for one sequence x (1, T, D)."""
    F, T = cell.state_features, x.shape[1]
    reader = Recurrence(cell)
    reader(np.repeat(x, F, axis=0))                           # F copies: copy f asks for number f of the last state
    d_h = np.zeros((F, T, F))
    d_h[np.arange(F), -1, np.arange(F)] = 1
    d_x = reader.backward(d_h)                                # (F, T, D), the whole Jacobian
    return np.linalg.norm(d_x, axis=(0, 2))[::-1]             # (T,)


def plain_cell(factor):
    """An RNNCell as it is made, its W_h multiplied by a factor."""
    cell = RNNCell(32, 32, np.random.default_rng(0)).to("float64")
    cell.state.weight.data = factor * cell.state.weight.data
    return cell


x = rng.standard_normal((1, 40, 32))                          # (1, T, D)
cells = {"W_h times 4": plain_cell(4), "as it is made": plain_cell(1), "W_h halved": plain_cell(0.5)}
gradients = {name: gradient_by_distance(cell, x) for name, cell in cells.items()}
shrinks.compare(gradients["as it is made"][0] / gradients["as it is made"][30])
for name, cell in cells.items():
    largest = np.linalg.norm(cell.state.weight.data, 2)
    factor = (gradients[name][30] / gradients[name][0]) ** (1 / 30)
    print(f"{name:13}  largest singular value of W_h {largest:.2f}, the gradient's factor a step {factor:.2f}")

# %% [markdown]
# Two more for the picture: a GRU, whose gate $z$ (numbers between 0 and 1) decides how much of the old state is kept,
# as it is made, and with a bias of 3 on that gate, so that most of the state is kept from step to step.

# %%
gated = GRUCell(32, 32, np.random.default_rng(0)).to("float64")
gradients["GRU, as it is made"] = gradient_by_distance(gated, x)
gated.input.bias.data[32:64] = 3                              # the biases of r, z and n lie side by side
gradients["GRU that keeps"] = gradient_by_distance(gated, x)

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading="What the last state owes to what was read before", height=3.8)
draw_lines(axes, range(40), gradients, x_name="distance T − t", y_name="‖∂h_T / ∂x_t‖", log="y", legend="", marker="")
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
show(figure, "Size of the gradient against distance, on a logarithmic axis: nearly straight lines. With W_h halved it "
     "falls to about 1e-18 at distance 39, with the cell and the GRU as they are made to below 1e-7; in a GRU that "
     "keeps its state by less than a factor of a hundred, and with W_h times 4 it rises beyond 1e5.")

# %% [markdown]
# Straight lines on a logarithmic axis: exponential in the distance, up or down. Only for one particular size of $W_h$
# the gradient neither vanishes nor explodes. A training step can strengthen only what has a gradient. What was read
# long ago has almost none, so the network first learns what depends on recent inputs, and hardly learns what depends on
# old ones.
#
# All this is so *before* training. Training can find weights whose gradient survives (the comparison finds so for its
# one-vector GRU, once it is trained), and gates were invented to make that easier, as the GRU that keeps shows. Gates
# help the gradient. They do not make the vector larger.
#
# ## Implement and check
#
# Four functions: one step, one step back, all steps, all steps back. If you are stuck, `hint("rnn.step", 1)` asks a
# question, level 2 shows the formula, 3 the steps, 4 one line; `reveal` shows the package's own source.

# %%
def rnn_step(x, h, W_x, W_h, b):
    """x (B, D), h (B, F), W_x (D, F), W_h (F, F), b (F,) → the new state (B, F)."""
    ...


check("rnn.step", rnn_step)

# %%
def rnn_step_backward(d_h_new, x, h, W_x, W_h, b):
    """d_h_new (B, F), and what went into the step → d_x, d_h, d_W_x, d_W_h, d_b."""
    ...


check("rnn.step_backward", rnn_step_backward)

# %%
def rnn_states(x, h_0, W_x, W_h, b):
    """x (B, T, D), h_0 (B, F) → the states after each step (B, T, F); h_0 is not among them."""
    ...


check("rnn.states", rnn_states)

# %%
def rnn_through_time(d_h, x, h_0, W_x, W_h, b):
    """d_h (B, T, F), the gradient of each state as an output → d_x, d_h_0, d_W_x, d_W_h, d_b."""
    ...


check("rnn.through_time", rnn_through_time)

# %%
hint("rnn.through_time", 1)

# %% [markdown]
# ## Break it
#
# **Carry nothing back.** Here is a backward that forgets that a state was also the beginning of the next step. It has
# no loop, is fast, and has the right shapes. (`check` hands over the states to whoever asks for them by a parameter
# `h`: your function may do so, too.)

# %%
def nothing_carried(d_h, x, h_0, W_x, W_h, b, h):
    """d_h (B, T, F), … and the states h (B, T, F) → d_x, d_h_0, d_W_x, d_W_h, d_b."""
    before = np.concatenate([h_0[:, None], h[:, :-1]], axis=1)             # (B, T, F)
    d_a = d_h * (1 - h**2)                                                # (B, T, F)
    d_W_x, d_W_h = np.einsum("btd,btf->df", x, d_a), np.einsum("btg,btf->gf", before, d_a)
    return d_a @ W_x.T, d_a[:, 0] @ W_h.T, d_W_x, d_W_h, d_a.sum(axis=(0, 1))


check("rnn.through_time", nothing_carried)

# %% [markdown]
# Think of what a network learns that is trained with it. When only the last state is handed over, `d_h` is zero
# everywhere but at the last step, and so is everything that follows from it: the reader would learn from its last digit
# alone. The loss would still go down, because one digit is better than none. *The loss goes down* is not *the gradient
# is right*.
#
# **Take the mean too early.** `OneVectorMLP` puts each digit through its little network before it takes the mean. What
# if the mean is taken at once, of the vectors of digit and place? Here are 3 1 4 and 4 1 3, embedded with their places:

# %%
mlp = models["MLP, one vector of 32"]
both = np.array([task.vocabulary.encode(digits) for digits in ("3 1 4", "4 1 3")])
with no_grad():
    embedded = mlp.source_input(both)                                     # (2, 3, 32), positions included
    marked = mlp.squash(embedded)
print("largest difference of the two means, taken at once      ", np.abs(np.diff(embedded.mean(axis=1), axis=0)).max())
print("largest difference of the two means, after the network  ", np.abs(np.diff(marked.mean(axis=1), axis=0)).max())

# %% [markdown]
# The first is nothing but rounding. A sum of digits plus a sum of places does not say which digit stood at which place:
# the order is lost, although positions were added.
#
# ### Is it only the training?
#
# Take the training away, and build the state by hand, as well as it can be built. One single number is enough: before
# each digit, divide by 16, so that everything moves on by four bits and makes room; then put the digit in front.
#
# $$h_t = \frac{h_{t-1} + x_t}{16}$$
#
# It is a recurrence with $W_h = W_x = \frac{1}{16}$ and no tanh. To write the sequence backwards, multiply by 16, take
# the whole part off, and repeat: the last digit comes out first, which is just what is asked for. In exact arithmetic
# this works for every length, so *one number* could hold any sequence. The numbers of a computer are not exact: 11 bits
# of each count (float16), or 24 (float32), or 53 (float64). How long can a sequence be for a float64 to hold it always?

# %%
fits = predict("How many digits, of four bits each, does one float64 hold?", ...)

# %%
def survives(digits, dtype):
    """The share of the rows of digits (N, n) that come back from one number of this type without a mistake."""
    h, base = np.zeros(len(digits), dtype), dtype(16)
    for digit in digits.T:                                                # read
        h = (h + digit.astype(dtype)) / base
    right = np.ones(len(digits), bool)
    for digit in digits.T[::-1]:                                          # write, the last digit first
        h = h * base
        right &= np.floor(h) == digit
        h = h - np.floor(h)
    return right.mean()


lengths = range(1, 21)
sequences = [rng.integers(10, size=(500, n)) for n in lengths]
types = np.float16, np.float32, np.float64
held = {dtype.__name__: [survives(digits, dtype) for digits in sequences] for dtype in types}
fits.compare(max(n for n, share in zip(lengths, held["float64"]) if share == 1))

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading="One number that holds a sequence, by hand", height=3.6)
draw_lines(axes, lengths, held, x_name="digits in the sequence", y_name="share that comes back", legend="")
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
show(figure, "Share of sequences that come back without a mistake, against length: exactly one up to 2 digits for "
     "float16, 6 for float32 and 13 for float64, and nearly zero three digits further.")

# %% [markdown]
# Up to some length all sequences come back, and beyond it almost none. This limit does not depend on training. It
# follows from counting. A vector of $C$ bits is in one of at most $2^C$ states. There are $10^n$ sequences of $n$
# digits, and the writer, who sees nothing but the state, gives one answer for each state. So at most $2^C$ answers can
# be right, a share of
#
# $$\frac{2^C}{10^n}$$
#
# at most: each further digit divides it by ten. With twice the bits the limit is at twice the length.
#
# The example also connects capacity and gradient. To make room for a new digit, the state is divided by 16, and so
# $\partial h_T / \partial x_t = 16^{-(T-t+1)}$: the same division makes the gradient of the old digits vanish.
#
# ### Why not compress the whole sequence into one vector?
#
# Three reasons, and you have now seen each.
#
# - **Capacity.** A fixed vector holds a fixed amount. Beyond it most answers must be wrong, by counting alone. (Our
#   trained vectors fell far earlier: 32 numbers have the bits for many more than 8 digits. What limits them is what can
#   be *learned*.)
# - **Distance.** What was read first reaches the last state through every later step, and its gradient comes back
#   through every one. Until training has learned otherwise, it shrinks with each.
# - **Parts.** A sequence consists of parts, and each step of the answer needs one or few of them. A network that is
#   given one vector, recurrent or MLP, has to mix all parts together, and learn to take them apart again.
#
# So do not compress. Keep a vector for every position, as many as there are words, and let every step of the answer
# fetch what it needs. How does a step know what it needs, and how is "fetch" given a gradient? That is
# [02](02_what_is_being_looked_up.ipynb).
#
# ## Aha
#
# > **Up to some length a fixed vector gives the whole sequence back, and beyond it hardly ever.**
#
# A larger vector, gates, and more training move the limit. A memory that grows with the length of the input removes it.
# The line at the top of the first picture has the same recurrence, the same width and the same number of steps as the
# one that falls. Its only addition is attention to all states.
#
# ## Three questions to leave with
#
# 1. Four bits a digit are more than ten digits need. With base 10 in place of 16, how many digits would a float64 hold
#    at best, by the count above?
# 2. A GRU's step is $h' = (1 - z) \circ n + z \circ h$. Where $z$ is 1, what are $h'$ and $\partial h' / \partial h$?
#    What can the cell not do at that moment?
# 3. If the reader keeps all its states, the writer has $n$ vectors, and $n$ is another number for every sentence. What
#    sort of function takes any number of vectors, and gives back one of fixed size? You have met one in this lesson.
#
# <details><summary>Answers</summary>
#
# 1. A decimal digit needs $\log_2 10 \approx 3.32$ bits, and $53 / 3.32 \approx 15.95$. So at most 15 digits.
# 2. $h' = h$, and, with $z$ held fixed, $\partial h' / \partial h = 1$ (the identity matrix): state and gradient pass
#    unchanged. At that moment the cell cannot store anything, because what it reads enters only through $(1 - z) \circ
#    n = 0$.
# 3. A mean (or a sum), as in `OneVectorMLP`. Attention is a weighted mean whose weights depend on what is asked.
#
# </details>
