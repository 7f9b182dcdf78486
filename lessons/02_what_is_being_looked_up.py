# %% [markdown]
# # 02 · What is being looked up?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 45 min · writing 30 min | ●●○ | ●●● | [01](01_why_is_one_vector_not_enough.ipynb) | `older.AdditiveAttention`, `older.Expectation` |
#
# ## Question
#
# In [01](01_why_is_one_vector_not_enough.ipynb) the writer was handed one vector, and it was not enough. So the reader
# now keeps all its states, one for each word, and at every step the writer fetches what it needs. That is easy to say.
# In a dictionary you look up a key. The writer has no key: nobody has told it at which word to look, there is another
# number of words in each sentence, and whatever it does must have a derivative, or it cannot be learned. What, then, is
# being looked up, with what, and what comes back?

# %%
import numpy as np

from minitransformer import no_grad
from minitransformer.attention import keep_weights
from minitransformer.grading import check, hint, reveal
from minitransformer.layers import Softmax
from minitransformer.lessons import predict, show
from minitransformer.older import AdditiveAttention, MultiplicativeAttention
from minitransformer.plotting import QUERY, VALUE, draw_bars, draw_lines, panels, plot_matrices
from minitransformer.testing import count_products, trace
from minitransformer.training import Adam, Cosine

rng = np.random.default_rng(2)

# %% [markdown]
# ## Predict
#
# Four drawers hold 10, 20, 30 and 40. A search has looked at their labels and given each a *score* $E_s$: the better a
# label fits, the higher. Softmax turns the scores into *weights*, which are positive and sum to 1,
#
# $$P_s = \frac{e^{E_s / \tau}}{\sum_i e^{E_i / \tau}}$$
#
# and what comes back is the mean of the contents, taken with these weights. $\tau$ is called the *temperature*. What
# comes back when it goes to 0? And when it goes to infinity? Put numbers in place of the dots.

# %%
scores = np.array([1.0, 3.0, 2.5, -1.0])
values = np.array([10.0, 20.0, 30.0, 40.0])

cold = predict("What comes back at temperature 0?", ...)
hot = predict("What comes back at temperature infinity?", ...)

# %%
def look_up(scores, temperature=1.0):
    """(the weights, what comes back)"""
    P = Softmax()(scores / temperature)
    return P, P @ values


cold.compare(look_up(scores, 1e-3)[1])
hot.compare(look_up(scores, 1e9)[1])

# %% [markdown]
# ## Picture
#
# The weights of the four drawers, from cold to hot, and what comes back.

# %%
heading = "One search at four temperatures τ, and the mean c that comes back"

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 4, heading=heading, height=2.9, sharey=True)
for panel, temperature in zip(axes, (0.1, 1, 5, 1000)):
    P, c = look_up(scores, temperature)
    draw_bars(panel, dict(zip((10, 20, 30, 40), P)), title=f"τ = {temperature}:  c = {c:.2f}", x_name="value",
              numbers="{:.2f}", colours=dict.fromkeys((10, 20, 30, 40), VALUE))
axes[0].set_ylabel("weight P")
show(figure, "Bars of the four weights. At temperature 0.1 nearly all weight lies on 20; at 1 most of it is shared by "
     "20 and 30; at 5 all four have some; at 1000 all have a quarter.")

# %% [markdown]
# At a low temperature it *picks* the best drawer. At a high temperature the scores have no influence any more. In
# between it *blends*: it takes a weighted mean, and the weights show where it looked. Temperature 1, which is used
# everywhere, is no special value: if a network makes its scores larger, the effect is that of a lower temperature.
#
# ### The same search, over the patches of a picture
#
# Now let a machine learn where to look. A picture is cut into 24 patches, each with a shape of some colour. A question
# consists of words: a colour, a shape, or both. The answer is a *place*: row and column of the patch that fits or, if
# several fit, the middle between them. Watch what the search is given, and what it is not:
#
# - of each patch, its pixels: 8 · 8 · 3 numbers (these will be called its *key*),
# - of each patch, where it hangs: row and column (its *value*),
# - the question, as eight zeros and ones, one for each word it knows (the *query*),
# - to learn from, the right place, and how far off it was. Nobody ever says which patch to look at, and nobody says
#   what "red" looks like.
#
# In the shapes, $B$ counts pictures, $T$ questions, and $S$ patches.

# %%
COLOURS = {"red": (0.85, 0.2, 0.2), "green": (0.2, 0.6, 0.3), "blue": (0.2, 0.4, 0.8), "yellow": (0.95, 0.75, 0.1)}
y, x = np.mgrid[:8, :8] - 3.5
SHAPES = {"disc": x**2 + y**2 < 9.5, "square": np.maximum(abs(x), abs(y)) < 3,
          "cross": (abs(abs(x) - abs(y)) < 1) & (abs(x) < 3), "bar": abs(y) < 1.1}
WORDS = [*COLOURS, *SHAPES]
ROWS, COLUMNS = 4, 6
PLACES = np.stack(np.mgrid[:ROWS, :COLUMNS], axis=-1).reshape(-1, 2).astype(float)  # (S, 2)


def draw_patches(colour, shape):
    """colour, shape (B, S), numbers from 0 to 3 → the ink of each patch (B, S, 192), 0 on white paper."""
    ink = 1 - np.array(list(COLOURS.values()))[colour]                    # (B, S, 3)
    inside = np.array(list(SHAPES.values()))[shape]                       # (B, S, 8, 8)
    return (inside[..., None] * ink[:, :, None, None]).reshape(*colour.shape, -1)


def which_fit(asked, colour, shape):
    """asked (B, T, 8), ones at the words of the question → which patches fit it (B, T, S)."""
    has = np.concatenate([np.arange(4) == colour[..., None], np.arange(4) == shape[..., None]], axis=-1)  # (B, S, 8)
    return (asked @ has.swapaxes(1, 2)) == asked.sum(axis=-1, keepdims=True)

# %% [markdown]
# Here we use `AdditiveAttention` without looking inside; the rest of this lesson explains it. The training is simple:
# the squared distance between the place that comes back and the right one, its gradient sent back through the box, and
# a step against it (by Adam, which [11](11_how_does_it_learn.ipynb) explains). One thing for later: a yellow cross is
# never asked for.

# %%
def ask(rng, B, T):
    """Questions (B, T, 8): a colour, a shape, or both, but never a yellow cross."""
    asked = np.concatenate([np.eye(4)[rng.integers(4, size=(B, T))] for _ in ("colour", "shape")], axis=-1)
    kind = rng.integers(3, size=(B, T, 1))
    asked[..., :4] *= kind != 0                                           # 0: only the shape
    asked[..., 4:] *= kind != 1                                           # 1: only the colour
    asked[(asked[..., 3] == 1) & (asked[..., 6] == 1)] = np.eye(8)[3]     # no yellow cross, only yellow
    return asked


def teach(search, steps=900):
    """Let a search learn where things are. Returns it."""
    rng = np.random.default_rng(0)
    optimizer = Adam(search, Cosine(0.01, steps, warmup=20))
    for _ in range(steps):
        colour, shape = rng.integers(4, size=(2, 16, ROWS * COLUMNS))     # 16 pictures
        asked = ask(rng, 16, 4)                                           # 4 questions about each
        fits = which_fit(asked, colour, shape)                            # (B, T, S)
        count = fits.sum(axis=-1, keepdims=True)
        right_place = fits @ PLACES / np.maximum(count, 1)                # (B, T, 2)
        search.zero_grad()
        place = search(asked, draw_patches(colour, shape), np.tile(PLACES, (16, 1, 1)))
        search.backward((place - right_place) * (count > 0) / (16 * 4))
        optimizer.step()
    return search


search = teach(AdditiveAttention(8, 192, 32, np.random.default_rng(0)).to("float64"))

# %% [markdown]
# A new picture, and four questions. The black star marks the place that came back; the maps below show the weights, the
# brighter the higher.

# %%
colour, shape = np.random.default_rng(16910).integers(4, size=(2, 1, ROWS * COLUMNS))
questions = ["red", "cross", "yellow cross", "green bar"]
asked = np.array([[[word in question.split() for word in WORDS] for question in questions]], dtype=float)  # (1, 4, 8)

# %% jupyter={"source_hidden": true}
def show_search(search, heading, alt):
    """The picture with the places that a search finds, and where it looked."""
    with keep_weights(search), no_grad():                                                          # and no backward
        places = search(asked, draw_patches(colour, shape), PLACES[None])[0]                       # (T, 2)
    weights = search.expectation.weights[0, 0].reshape(-1, ROWS, COLUMNS)                          # (T, 4, 6)
    patches = 1 - draw_patches(colour, shape).reshape(ROWS, COLUMNS, 8, 8, 3)
    figure, axes = panels(2, 4, heading=heading, width=12, height=2.1)
    for question, place, P, (above, below) in zip(questions, places, weights, axes.T):
        above.imshow(patches.swapaxes(1, 2).reshape(ROWS * 8, COLUMNS * 8, 3), extent=(-0.5, 5.5, 3.5, -0.5))
        above.plot(place[1], place[0], "*", color="black", markeredgecolor="white", markersize=18)
        above.set_title(f"query: {question}", color=QUERY)
        below.imshow(P, vmin=0, vmax=1, cmap="viridis")
        for (i, j), weight in np.ndenumerate(P):
            if weight > 0.005:
                ink = "white" if weight < 0.6 else "black"
                below.text(j, i, f"{weight:.2f}", ha="center", va="center", fontsize=8, color=ink)
        for axis in (above, below):
            axis.set(xticks=np.arange(7) - 0.5, yticks=np.arange(5) - 0.5, xticklabels=[], yticklabels=[])
            axis.grid(color="#c8cfd6", linewidth=0.8)
            axis.tick_params(length=0)
    axes[0, 0].set_ylabel("picture")
    axes[1, 0].set_ylabel("weights P")
    show(figure, alt)


show_search(search, "Where is it?",
            "A picture of 24 patches, four times, each with a mark where the search says, and below it the weights. "
            "Red: a third each for the three red patches, the mark between them, on a blue square. Cross: a third each "
            "for the three crosses. Yellow cross: most weight on it, the mark near. Green bar, of which there "
            "is none: the weight lies on bars of other colours, and some on a green patch.")

# %% [markdown]
# No label said where to look. The weights are as they are because other weights would give another mean place. Four
# observations, which the next sections use:
#
# - *red*: three patches fit, each gets about a third, and the place that comes back is the middle, where nothing is
#   red.
# - *cross*: the same search over the same pixels with another query gives the weight to other patches.
# - *yellow cross*: it was never asked for, and is found. What was learned is not a table of answers.
# - *green bar*: there is none. A dictionary would say so. This search always answers.
#
# ## Derive
#
# ### Why would anyone come up with attention?
#
# Let us invent it step by step. Each step removes a fault of the one before.
#
# **A dictionary** looks up by exact key. Ask for a word that is not in it, and you get an error.

# %%
drawers = {"nails": 10, "screws": 20, "bolts": 30, "hooks": 40}
print(drawers["screws"])
try:
    print(drawers["something like a screw"])
except KeyError as error:
    print("KeyError:", error)

# %% [markdown]
# The writer of a translation cannot know any key. It has a state, and somewhere in the sentence is a word that this
# state calls for.
#
# **A search engine** accepts every question. It gives *every* document a score that says how well it fits, and offers
# the best one. So let a function score each word $x_s$ of the source for the writer's query $q$, and take the word with
# the highest score. This works for any number of words, and for a query that matches nothing exactly. But how shall it
# be learned? Move a score a little, and the best one is still the best one:

# %%
def pick(scores):
    return values[scores.argmax()]


def blend(scores):
    return Softmax()(scores) @ values


for fetch in (pick, blend):
    nudges = 1e-6 * np.eye(4)
    slopes = [(fetch(scores + nudge) - fetch(scores)) / 1e-6 for nudge in nudges]
    print(f"{fetch.__name__}: how what comes back moves with each score ", np.round(slopes, 3))

# %% [markdown]
# `argmax` is piecewise constant: its gradient is zero, and nothing is learned. (One can also choose at random and
# reward success, as in the *hard* attention of Xu et al. 2015, section 4.1. It has to learn from noisy rewards.)
#
# **An expectation.** Treat the right place as what it is: something we do not know. Call it $z$, and let the scores say
# how probable each place is, $p(z = s)$. Let $f(x, s)$ be what would be fetched at place $s$: the vector of that word.
# We do not know $z$, so we cannot have $f(x, z)$. But we can have what it is *on average*:
#
# $$c = \mathbb{E}_p\,[f(x, z)] = \sum_s p(z = s)\,f(x, s)$$
#
# This is smooth in every probability. It has a fixed size, whatever the number of words. And each step of the answer
# takes its own mean, under its own $p$.
#
# **The probabilities** come from scores by softmax, which makes any numbers positive and their sum 1. And the scores?
# We do not know what makes a word fit a query, so let it be learned by the most general function we have: a small
# network that is given both, $[x_s; q]$, one after the other in a single vector.
#
# $$p(z = s \mid x, q) = \mathrm{softmax}_s\big(\mathrm{MLP}([x_s; q])\big)$$
#
# *One* network for all places, so that it fits every length. In [01](01_why_is_one_vector_not_enough.ipynb) a network
# had to compress a whole sequence into one vector, and could not. This one answers one small question, many times: does
# this word go with that query? This is the attention of Bahdanau, Cho and Bengio (2015, section 3.1), who made it for
# translation and read it as an expectation, too. It is what you will write below.
#
# ### Why are they called queries, keys and values?
#
# After the dictionary. What you ask with is the *query*. What it is compared with is a *key*. What you get is the
# *value* that lies at that key. In the search above these were three different things: words, pixels, places. In
# Bahdanau's translator key and value are one and the same vector of a word. The names, and the idea that what is
# compared and what is fetched may differ, are in Miller et al. (2016, section 3) and in the Transformer's paper
# (Vaswani et al. 2017, section 3.2), which makes all three with weights of their own.
#
# The names say what each is *used for*, not what it is. All three are vectors, and which one does what is decided by
# where it stands in the formula.
#
# ### Does attention pick the best value, or blend?
#
# It always blends. Softmax of finite scores gives no weight of exactly 1 and none of exactly 0, so something of every
# value is in $c$. Large differences between scores bring it as near to picking as one likes. The derivative of the
# blend shows a disadvantage of this. With $Z = \sum_i e^{E_i}$ and the rule for quotients, and $f_s$ short for $f(x,
# s)$:
#
# $$c = \frac{1}{Z} \sum_s e^{E_s} f_s \qquad\Rightarrow\qquad
# \frac{\partial c}{\partial E_s} = \frac{e^{E_s} f_s}{Z} - \frac{e^{E_s}}{Z}\,c = P_s\,(f_s - c)$$
#
# *If a score rises, the blend moves towards what lies there: by how far that is from the blend, times the weight it has
# already.* When one weight is nearly 1, the blend is nearly that value, and all other weights are nearly 0: so is every
# slope. Then it learns almost nothing any more.

# %%
P, c = look_up(scores)
print("P_s (f_s − c)                 ", np.round(P * (values - c), 3))
for factor in (1, 4, 16):
    P, c = look_up(factor * scores)
    print(f"scores times {factor:2}:  c = {c:6.3f}   largest slope {np.abs(P * (values - c)).max():.4f}")

# %% [markdown]
# The first line is what the nudges found above. And a blend may be just what is wanted (the middle of all that is red),
# or nonsense (a blue square).
#
# ### Is Q the expected output?
#
# No. The query is what is *asked with*. It is made from what the asking side knows so far (in a translator, from the
# words that have been written already), is compared with keys, and its numbers never get into the answer: $c$ is a mean
# of values and of nothing else. Ask with whatever numbers you like, and $c$ stays between the smallest and the largest
# value:

# %%
wild = 100 * rng.standard_normal((1, 1000, 8))
with no_grad():
    answers = search(wild, draw_patches(colour, shape), PLACES[None])[0]   # (1000, 2)
print("rows lie between 0 and 3, columns between 0 and 5")
print("from 1,000 random queries:  rows", answers[:, 0].min().round(2), "to", answers[:, 0].max().round(2),
      "  columns", answers[:, 1].min().round(2), "to", answers[:, 1].max().round(2))

# %% [markdown]
# A query of our search has 8 numbers, a key 192, an answer 2: they cannot be confused there. They can where all three
# have the same width. And while it learns, a translator is fed the right answer, one word behind, and makes its queries
# from that: from what has been said, not from what is to be said. What *is* expected, in the sense of probability, is
# $c$: the *expectation* of what would be found.
#
# ### One score, in two parts
#
# **In loops**, exactly as it was said. The network has one hidden layer with tanh, and its output is the product with a
# vector $v$. (Bahdanau's letters. $v$ is a weight, and no value.)

# %%
def weights_in_loops(query, key, W, v):
    """query (T, Q), key (S, X), W (X + Q, M), v (M,) → P (T, S), from softmax(MLP([x_s; q_t]))."""
    E = np.zeros((len(query), len(key)))
    for t in range(len(query)):
        for s in range(len(key)):
            pair = np.concatenate([key[s], query[t]])                     # (X + Q,)
            E[t, s] = np.tanh(pair @ W) @ v
    return Softmax()(E)


attention = AdditiveAttention(4, 5, 6, rng).to("float64")                  # Q = 4, X = 5, M = 6
W_query, W_key, v = attention.query.weight.data, attention.key.weight.data, attention.score.weight.data[:, 0]
query, key = 2 * rng.standard_normal((1, 3, 4)), 2 * rng.standard_normal((1, 7, 5))  # T = 3, S = 7
with keep_weights(attention), no_grad():
    attention(query, key)
by_loops = weights_in_loops(query[0], key[0], np.concatenate([W_key, W_query]), v)
print("largest difference from AdditiveAttention", np.abs(by_loops - attention.expectation.weights[0, 0]).max())

# %% [markdown]
# `AdditiveAttention` does not build a single pair $[x_s; q_t]$. **In indices** one sees why it need not. Cut $W$ into
# the rows that meet $x$ and the rows that meet $q$:
#
# $$a_{tsm} = \sum_i [x_s; q_t]_i\,W_{im} = \underbrace{\sum_d x_{sd}\,W^k_{dm}}_{\text{does not know } t}
# + \underbrace{\sum_d q_{td}\,W^q_{dm}}_{\text{does not know } s} \qquad E_{ts} = \sum_m v_m \tanh a_{tsm}$$
#
# Each key goes through its weights once, each query once, and only the sum of the two, the tanh and the product with
# $v$ are left to be done for every pair. **In matrices**:
#
# $$a = \underbrace{q\,W_q}_{(T, 1, M)} + \underbrace{x\,W_k}_{(1, S, M)} \qquad E = \tanh(a)\,v \qquad
# P = \mathrm{softmax}(E) \qquad c = P f$$
#
# It is called *additive* after this sum. (The package adds a bias too, which begins at 0.) Do not overlook the shape of
# $a$: $(T, S, M)$, a whole vector for every pair.
#
# ## Implement and check
#
# First forward, with the checker. In the exercise $x$ is called `key`, $f$ is called `value`, and $M$ is `F`. One thing
# is new, the `mask`. The sentences of a batch differ in length, and the shorter ones are filled up with padding. Padding
# is no word, so no weight may fall on it. The mask is True where a key may be looked at. Elsewhere the score is set to
# $-\infty$ before softmax, so that the weight is $e^{-\infty} = 0$. A query that may look at nothing at all gets zeros:
# the package's `Softmax`, which you may use, turns a row of nothing but $-\infty$ into zeros. If you are stuck,
# `hint("additive_attention.forward", 1)` asks a question; levels go up to 4, and `reveal` shows the package's own
# source.

# %%
def additive_attention(query, key, value, W_query, W_key, v, mask):
    """query (B, T, D), key (B, S, D), value (B, S, K_v), W_query, W_key (D, F), v (F,), mask (B, 1, S)
    → context (B, T, K_v)."""
    ...


check("additive_attention.forward", additive_attention)

# %%
hint("additive_attention.forward", 1)

# %% [markdown]
# Then a small backward, of the blend alone: for one query, without a mask, with values that are numbers. You have its
# formula, $\partial c / \partial E_s = P_s\,(f_s - c)$. There is no exercise of the checker for this one. Central
# differences judge it, as in [00](00_how_do_i_know_a_gradient_is_right.ipynb). (The backward of all of additive
# attention needs the gradients of softmax and of matrix products. They come in
# [03](03_what_does_softmax_forget.ipynb) and [05](05_back_through_attention.ipynb), and so does this exercise.)

# %%
def blend_backward(d_c, scores, values):
    """d_c = ∂loss/∂c, a number; scores (S,), values (S,) → d_scores (S,)."""
    ...

# %%
def judge(blend_backward):
    """What central differences say of this backward, for d_c = 2."""
    mine, step = blend_backward(2.0, scores, values), 1e-5
    if mine is None:
        return "nothing written yet"
    witness = np.array([blend(scores + nudge) - blend(scores - nudge) for nudge in step * np.eye(4)]) / step
    if np.shape(mine) != witness.shape:
        return f"d_scores has the shape {witness.shape}, yours {np.shape(mine)}"
    error = np.abs(mine - witness).max()
    return "right" if error < 1e-6 else f"the largest difference from central differences is {error:.3g}"


print("blend_backward:", judge(blend_backward))

# %% [markdown]
# ## Break it
#
# **Leave out the tanh.** It looks unimportant. Without it the score is a sum of two numbers, $E_{ts} = x_s W_k v + q_t
# W_q v$.

# %%
def without_tanh(query, key, value, W_query, W_key, v, mask):
    scores = ((query @ W_query)[:, :, None] + (key @ W_key)[:, None]) @ v  # (B, T, S)
    return Softmax()(np.where(mask, scores, -np.inf)) @ value


check("additive_attention.forward", without_tanh)

# %% [markdown]
# The part of the query is the same for all keys: it adds the same number to a whole row of scores. Softmax ignores
# that, because $e^{E + q} = e^E e^q$ and the factor cancels against the sum. ([03](03_what_does_softmax_forget.ipynb)
# is about nothing else.) So *every query gets the same weights*. The question has no influence any more.
#
# ### How does MLP([x; q]) become QKᵀ?
#
# What did tanh do, then? It made the two parts *interact*: how much a change of $x$ matters came to depend on $q$. Any
# function that is not a sum of two separate parts does that. The simplest is a product. Put the element-wise product
# $\circ$ in place of $+$, and leave the tanh out:
#
# $$E_{ts} = v \cdot \big((q_t W_q) \circ (x_s W_k)\big) = \sum_m (q_t W_q)_m\,v_m\,(x_s W_k)_m
# = q_t \underbrace{W_q\,\mathrm{diag}(v)}_{W_Q}\; (x_s W_k)^\top$$
#
# $v$ only scales the numbers of the query's part, which $W_q$ can do by itself. So let $W_Q = W_q\,\mathrm{diag}(v)$,
# $W_K = W_k$, and call the projected vectors by capital letters:
#
# $$Q = q\,W_Q \qquad K = x\,W_K \qquad E = Q K^\top$$
#
# All scores of all pairs are *one matrix multiplication*. Nothing of shape $(T, S, M)$ exists any more. Here are the
# weights of three queries, with tanh, with nothing in its place, and with the product:

# %%
q_part, k_part = query @ W_query, key @ W_key                              # (1, T, M), (1, S, M)
added = q_part[:, :, None] + k_part[:, None]                               # (1, T, S, M)
Q, K = q_part * v, k_part
E = {"with tanh": np.tanh(added) @ v, "a sum alone": added @ v, "a product": Q @ K.swapaxes(1, 2)}
one_by_one = (q_part[:, :, None] * k_part[:, None]) @ v
print("QKᵀ beside v · (q-part ∘ x-part): largest difference", np.abs(E["a product"] - one_by_one).max())
P = {name: Softmax()(e)[0] for name, e in E.items()}

# %% jupyter={"source_hidden": true}
show(plot_matrices(P, "Weights of three queries over seven keys", rows="query", columns="key", shared=True),
     "Three maps of weights, three rows each. With tanh and with the product the rows differ; with a sum alone all "
     "three rows are the same.")

# %% [markdown]
# From here to the Transformer it is three small steps. Values get a projection of their own, $V = x W_V$. The scores
# are divided by $\sqrt{d_k}$, the root of the width of $Q$ ([04](04_why_sqrt_d_k.ipynb) says why). And several such
# searches run side by side ([07](07_why_many_heads.ipynb)). In between, Luong et al. (2015, section 3.1) scored by
# $q W x^\top$ with a single matrix, which is $W = W_Q W_K^\top$: the package's `MultiplicativeAttention`.
#
# Is something lost with the MLP? Teach the product to search pictures, with the same lessons and the same number of
# steps.

# %%
product = teach(MultiplicativeAttention(8, 192, np.random.default_rng(0)).to("float64"))

# %% jupyter={"source_hidden": true}
show_search(product, "The same, with a product in place of the network",
            "The picture and its four queries again, now searched by a product. For red, cross and yellow cross the "
            "weights lie on the same patches as before.")

# %% [markdown]
# Not in this task: here a product of two linear maps is enough to say which patch fits which question.
#
# ### Why is additive attention slower?
#
# $n$ queries meet $n$ keys, all of width 64, and the hidden layer has 64 numbers as well. Forward and backward, once
# with the network and once with the product. How many times as much memory does the network keep for its backward at
# $n = 256$?

# %%
memory = predict("How many times the memory of the dot product does additive attention keep at n = 256?", ...)

# %%
sizes, width = (16, 32, 64, 128, 256), 64
kinds = {"additive": AdditiveAttention(width, width, width, rng),
         "dot product": MultiplicativeAttention(width, width, rng)}
work, kept, time = ({name: [] for name in kinds} for _ in range(3))
for n in sizes:
    query, key = rng.standard_normal((2, 1, n, width)).astype("float32")
    for name, attention in kinds.items():
        forward, backward = count_products(attention, query, key)
        work[name].append(forward.multiply_adds() + backward.multiply_adds())
        rows = [trace(attention, query, key)[""] for _ in range(5)]        # the whole component, five times
        kept[name].append(rows[0].saved_bytes / 1024)
        time[name].append(1e3 * min(row.forward_seconds + row.backward_seconds for row in rows))

memory.compare(kept["additive"][-1] / kept["dot product"][-1])
for name, measured in {"multiply-adds": work, "memory": kept, "time": time}.items():
    ratio = measured["additive"][-1] / measured["dot product"][-1]
    print(f"additive over dot product at n = 256: {name:14}{ratio:6.1f}")

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 3, heading="Forward and backward of one search, n queries over n keys", height=3.4)
titles = "multiply-adds of matrix products", "KiB kept for backward", "milliseconds"
for panel, measured, title in zip(axes, (work, kept, time), titles):
    draw_lines(panel, sizes, measured, title=title, x_name="n", log="xy", legend="upper left")
show(figure, "Three panels against n on logarithmic axes, additive attention beside the dot product. Multiply-adds are "
     "nearly the same; memory and time of additive attention lie far above and rise faster.")

# %% [markdown]
# The matrix products cost about the same: a score is a product with $v$ in one and a product of $Q$ and $K$ in the
# other, of the same width. What differs lies beside them. The network needs a tanh for each of the $n \cdot n \cdot 64$
# numbers of $a$, and a tanh takes as long as many multiplications. And all these numbers have to be written to memory,
# read again, and kept until backward comes, where the product keeps one number for each pair. A matrix multiplication
# reads a number from memory once and uses it many times while it is in the processor's cache. That is why it is fast.
# Hence the paper's sentence that the two are alike in theory and that the dot product is much faster and takes less
# memory in practice (Vaswani et al. 2017, section 3.2.1).
#
# ## Aha
#
# > **Swap the network for a product, and a vector for every pair becomes a number for every pair: the same search, for
# > a fraction of the memory and of the time.**
#
# The search stays: query, keys, weights, a blend of values, a gradient to all of them. The product does the same
# multiplications and none of the rest, and so the attention of the Transformer is the one that could be made large.
#
# ## Three questions to leave with
#
# 1. The search for *green bar* found none, and answered. What could be put among the keys and values so that a search
#    may say "nothing"?
# 2. All keys equal, $x_1 = x_2 = \dots = x_n$: what is $c$? What does the query change then?
# 3. $\partial c / \partial E_s = P_s (f_s - c)$. Two values are equal, $f_1 = f_2$. Can the training tell which of the
#    two places was the right one?
#
# <details><summary>Answers</summary>
#
# 1. One more key and value, always there: a learned key that gets the highest score where no other fits, and a value
#    that means “nothing”.
# 2. Then all scores of a query are equal, all weights are $1/n$, and $c$ is the plain mean of the values. The query
#    changes nothing.
# 3. No. The loss depends on $c$ only, and $c$ is the same wherever the weight is divided between the two places. Both
#    scores get a slope in the same direction, each in proportion to the weight that it already has.
#
# </details>
