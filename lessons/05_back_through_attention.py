# %% [markdown]
# # 05 · How does the gradient go back through attention?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 60 min · writing 40 min · further 25 min | ●●● | ●●● | [02](02_what_is_being_looked_up.ipynb), [03](03_what_does_softmax_forget.ipynb), [04](04_why_sqrt_d_k.ipynb) | `attention.ScaledDotProductAttention`, `older.AdditiveAttention` |
#
# ## Question
#
# Attention is three lines. There are $T$ queries, $S$ keys, and a value for each key:
#
# $$\mathrm{scores} = QK^\top/\sqrt{d_k} \qquad P = \mathrm{softmax}(\mathrm{scores}) \qquad \mathrm{context} = PV$$
#
# What comes back from the loss is one array, `d_context`. It says of each context in which direction the loss would
# rise. It does not say where the query should have looked. But everything that attention learns about *where to look*
# is computed from this one array. How?
#
# As in all lessons, `d_x` (in formulas $d_x$) is short for $\partial\,\mathrm{loss}/\partial x$. It says for every
# number in `x` by how much the loss would rise if that number rose a little, so it has the shape of `x`. An entry of it
# is written with its index behind a comma: $d_{P,ts}$ is $\partial\,\mathrm{loss}/\partial P_{ts}$.

# %%
import numpy as np

from minitransformer.attention import ScaledDotProductAttention, keep_weights
from minitransformer.data.stream import BatchStream
from minitransformer.data.tasks import make_task
from minitransformer.data.vocabulary import EOS
from minitransformer.decoding import greedy
from minitransformer.grading import check, hint, reveal
from minitransformer.inspection import attention_gradients, attention_weights
from minitransformer.layers import CrossEntropy, Softmax
from minitransformer.lessons import predict, show
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.plotting import draw_lines, panels, plot_attention_and_gradient, plot_matrices
from minitransformer.runs import Run
from minitransformer.testing import trace
from minitransformer.training import Adam, train

rng = np.random.default_rng(0)

# %% [markdown]
# ## Predict
#
# Before any formula, the shapes. All sizes differ, so no axis can be taken for another. Put a tuple, such as
# `(5, 13)`, in place of each `...`.

# %%
T, S, d_k, d_v = 5, 7, 11, 13
query = rng.standard_normal((T, d_k))
key = rng.standard_normal((S, d_k))
value = rng.standard_normal((S, d_v))

shapes = {"P": ..., "d_value": ..., "d_P": ..., "d_scores": ..., "d_query": ..., "d_key": ...}
guesses = {name: predict(f"Which shape has {name}?", shape) for name, shape in shapes.items()}

# %% [markdown]
# ## Picture
#
# ### One unit with a wish
#
# Give each of the five queries a wish: query $t$ would like to find the value of key $6 - t$. The loss is half the
# squared distance between what is found and what was wished for, so `d_context` is simply the one minus the other.
# `keep_weights` makes the package's attention keep $P$ and `d_P` where we can read them.

# %%
unit = ScaledDotProductAttention()
wish = value[[6, 5, 4, 3, 2]]                                            # (T, d_v)


def look(query, key):
    """One forward and one backward of the unit: the loss, and everything on the way by its name."""
    with keep_weights(unit):
        d_context = unit(query, key, value) - wish                       # (T, d_v)
        d_query, d_key, d_value = unit.backward(d_context)
    P, d_P = unit.weights, unit.d_weights                                # (T, S)
    softmax = Softmax()
    softmax(query @ key.T / np.sqrt(d_k))
    d_scores = softmax.backward(d_P)                                     # (T, S)
    found = {"P": P, "d_value": d_value, "d_P": d_P, "d_scores": d_scores, "d_query": d_query, "d_key": d_key}
    return (d_context**2).sum() / 2, found


loss, found = look(query, key)
for name, guess in guesses.items():
    print(name)
    guess.compare(found[name].shape)

# %% [markdown]
# A gradient has the shape of its thing. So the shapes nearly write the formulas: `d_value` is (7, 13), it is to be
# made of $P$ (5, 7) and `d_context` (5, 13), and there is one way only to multiply these two so that the 5 goes away.
#
# Now the numbers. Blue is negative, and descent goes *against* the gradient: **blue is to rise, red is to fall.**

# %%
numbers = {name: found[name] for name in ("P", "d_P", "d_scores")}
axes_named = {"rows": "query", "columns": "key", "row_labels": range(T), "column_labels": range(S)}

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(numbers, "Where it looks, and what the loss has to say about it", **axes_named),
    "Three 5 by 7 matrices. P is spread over all keys. In d_P the bluest cell of every row lies on the anti-diagonal. "
    "In d_scores it does so in all rows but row 3, whose cell at key 3 is nearly white.",
)

# %%
for name in ("d_P", "d_scores"):
    print(f"{name:<9} sums of the rows: {found[name].sum(axis=-1).round(2) + 0.0}")

# %% [markdown]
# In every row of `d_P` the bluest cell is the key that was wished for: an array that says nothing about places leads to
# the right place. How? `d_P` compares each value with `d_context`. The value that would correct the context points
# against it.
#
# The backward of softmax does two things. Each row gets the sum zero, because only *differences* between scores matter
# ([03](03_what_does_softmax_forget.ipynb)). And each cell is scaled by its weight. Look at row 3: key 3 has a large
# gradient in `d_P`, but hardly any weight in $P$, and so it has little effect on `d_scores`. **What is not looked at
# hardly learns.** That row will be the slow one. Now change the queries and keys by gradient descent:

# %%
moments, q, k = {}, query, key
for step in range(101):
    loss, found_now = look(q, k)
    if step in (0, 10, 30, 100):
        moments[f"step {step}"] = found_now["P"]
        print(f"step {step:3}   loss {loss:6.2f}")
    q, k = q - 0.1 * found_now["d_query"], k - 0.1 * found_now["d_key"]

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(moments, "P, while queries and keys descend", shared=True, numbers=False, **axes_named),
    "Four maps of P. It is spread at step 0; at step 10 four of five rows are bright on the anti-diagonal and row 3 is "
    "not; at step 100 all five are.",
)

# %% [markdown]
# ### Where the gradient goes, beside where attention goes
#
# The same in a whole Transformer, which we still use without looking inside. It learns to write sequences backwards,
# and we stop after 100 steps, early in its training. We look at its last *cross-attention*: the queries come from what
# is being written, the keys and values from the source. The right token to look at is the mirror image of the place
# that is being written. Take sixty sequences that it never saw, and in each row the *brightest* cell of attention and
# the *reddest* cell of the gradient.

# %%
task = make_task("reverse")
config = TransformerConfig.preset("toy", source_vocabulary=len(task.vocabulary))
model = Transformer(config, np.random.default_rng(0))
optimizer, stream = Adam(model, 1e-3), BatchStream(task, np.random.default_rng(1), batch_size=32)
train(model, CrossEntropy(padding=0), optimizer, stream, steps=100)

guess = predict("After 100 steps attention looks at the right token in about half of the rows. In what share of the "
                "rows would the gradient have it look there?", ...)

# %%
sources, targets = task.sample(np.random.default_rng(9), 60, "validation", distinct=True)


def shares_of_right_places(model):
    """(brightest cell of P right, reddest cell of the gradient right): shares of all rows, of the last layer."""
    bright, red = [], []
    for source, target in zip(sources, targets):
        source, target = source[source > 0], target[target > 0]
        place = task.alignment(len(source))                              # the mirror images
        whole = source, np.append(target, EOS)
        P = attention_weights(model, *whole)["cross"][-1].mean(axis=0)[:-1]             # (T, S)
        gradient = attention_gradients(model, *whole)["cross"][-1].sum(axis=0)[:-1]     # (T, S); <eos> left out
        bright.extend(P.argmax(axis=-1) == place)
        red.extend(gradient.argmax(axis=-1) == place)
    return np.mean(bright), np.mean(red)


bright, red = shares_of_right_places(model)
guess.compare(red)
print(f"step 100   brightest is right: {bright:.2f}   reddest is right: {red:.2f}")

# %%
tokens = "3 1 4 7 5 9 2 6".split()
source = task.vocabulary.encode(" ".join(tokens))
target = np.append(source[::-1], EOS)

# %% jupyter={"source_hidden": true}
def show_both(alt):
    """Attention, the gradient of its scores, and influence, for one sequence, as the model is now."""
    show(plot_attention_and_gradient(model, source, target, tokens, [*tokens[::-1], "<eos>"]), alt)
    print(f"largest entry of the gradient: {largest_gradient(model, source, target):.6f}")


def largest_gradient(model, source, target):
    """Of the last cross-attention, its heads added up, as in the middle panel."""
    return np.abs(attention_gradients(model, source, target)["cross"][-1].sum(axis=0)).max()


show_both(
    "Three maps after 100 steps. Attention is spread along a wide band from the top right to the bottom left. The gradient of the "
    "scores is reddest on the anti-diagonal and blue beside it. Influence is bright near the anti-diagonal in the "
    "upper rows, and spread in the lower ones."
)

# %% [markdown]
# Read the three panels one by one.
#
# - **Attention** is $P$ of the second layer, the mean over its heads ([07](07_why_many_heads.ipynb)). A row is a token
#   that is being written, the last of them `<eos>`, the end; a column is a token of the source. It has the direction
#   right, and little more. While 9 and 5 are written, it looks at the last two tokens most.
# - **Gradient of the scores** is taken of the *log-probability of the right sequence*, which is the negative loss. So
#   here **red is to rise**, and blue to fall. In the rows of 9, 5 and 4 the deepest red lies on the anti-diagonal,
#   where attention is still faint; in those of 9 and 5 the deepest blue lies where it looks instead. Rows sum to zero.
#   A white row asks for nothing.
# - **Influence** does not ask about one layer. It follows all ways from a source token to a written one, and takes the
#   size of the gradient at the token's embedding; each row is divided by its largest. It may be bright where attention
#   is dark, because the encoder before it has mixed the tokens.
#
# The gradient depends on the right answer, and attention does not; so the gradient can be ahead. Two hundred steps
# later:

# %%
train(model, CrossEntropy(padding=0), optimizer, stream, steps=300)
bright, red = shares_of_right_places(model)
print(f"step 300   brightest is right: {bright:.2f}   reddest is right: {red:.2f}")

# %% jupyter={"source_hidden": true}
show_both(
    "The same three maps after 300 steps. Attention now lies along the anti-diagonal in most rows; the gradient is "
    "strongest in the row of 5, in the middle, red on the anti-diagonal and blue beside it."
)

# %% [markdown]
# Attention has gone most of the way to where the red was. And a model that is trained to the end? The package contains
# one, which writes numbers in German. German says *two-and-forty*, so attention has to cross over, twice.

# %%
run = Run.open("numbers-en-de")
english = run.vocabulary.encode("forty-two thousand and seventy-nine")
german = greedy(run.model, english[None], 20)[0]
words, sizes = zip(run.vocabulary.words_and_sizes(english), run.vocabulary.words_and_sizes(german, written=True))

# %% jupyter={"source_hidden": true}
show(
    plot_attention_and_gradient(run.model, english, german, *words, sizes=sizes),
    "Attention crosses over: zwei looks at two, vierzig at forty, neun at nine, siebzig at seventy. The gradient is "
    "pale but for the row of zwei, red at two and blue at forty. Influence is largest at two, forty, nine and seventy in "
    "the rows of zwei, vierzig, neun and siebzig.",
)

# %%
print(f"largest entry of the gradient: {largest_gradient(run.model, english, german):.6f}")

# %% [markdown]
# The middle panel stretches its colours to its own largest entry, so read the number below it, beside the two before:
# what looks like a strong gradient is a very weak one. A model that is sure and right gets next to no gradient, because
# all gradients begin as *predicted minus true*. **Where attention goes says what the model does; where the gradient
# goes says what it would still change.**
#
# ## Derive
#
# ### One rule for every line of a loop
#
# Write forward as loops, down to single numbers. Then everything except softmax consists of lines of one form, and
# backward follows by one rule:
#
# | forward | backward |
# |---|---|
# | `c += a * b` | `d_a += b * d_c` |
# | | `d_b += a * d_c` |
#
# If `a` rises by a little, `c` rises `b` times as much, and the loss `d_c` times as much as `c`. And if `a` is used in
# several places, each of them adds its part. That is why backward has `+=`, and where every sum below comes from.
#
# Here is forward in loops. There are two lines of that form in it, so there will be four in backward; softmax makes
# the fifth.

# %%
scores, context = np.zeros((T, S)), np.zeros((T, d_v))
root = np.sqrt(d_k)

for t in range(T):
    for s in range(S):
        for i in range(d_k):
            scores[t, s] += query[t, i] * key[s, i] / root

P = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)

for t in range(T):
    for s in range(S):
        for j in range(d_v):
            context[t, j] += P[t, s] * value[s, j]

print("largest difference from the package", np.abs(context - unit(query, key, value)).max())
d_context = context - wish                                               # where backward begins
by_loops = {name: np.zeros(array.shape) for name, array in found.items() if name != "P"}

# %% [markdown]
# ### What is the derivative of an attention unit?
#
# There is not one but three, because three things go in. Take a single query $q$, its weights $P_s$, and what it
# found, $y = \sum_s P_s v_s$.
#
# **By a value.** $y$ is a weighted sum, so $\partial y/\partial v_s = P_s$: the gradient of a value is proportional to
# its weight.
#
# **By a score.** If one score rises, its weight rises and all others fall, and what is found moves from where it was
# towards that value:
#
# $$\frac{\partial y}{\partial \mathrm{scores}_s} = P_s\,(v_s - y)$$
#
# **By the query and by a key.** A score is $q\cdot k_s/\sqrt{d_k}$, so follow the query through all of its scores,
# and the key through its own one:
#
# $$\frac{\partial y}{\partial q} = \frac{1}{\sqrt{d_k}}\sum_s P_s\,(v_s - y)\,k_s^\top
# = \frac{1}{\sqrt{d_k}}\,\mathrm{Cov}_P(v, k)
# \qquad
# \frac{\partial y}{\partial k_s} = \frac{1}{\sqrt{d_k}}\,P_s\,(v_s - y)\,q^\top$$
#
# $\mathrm{Cov}_P(v, k)$ is the covariance of values and keys under the weights, as in [04](04_why_sqrt_d_k.ipynb):
# among the keys that it looks at, how do values go along with keys? If it looks at one key only, nothing varies, and
# the query learns nothing.
#
# Is that right? Move one number of a query up and down, and see how its context changes. (Four of the thirteen numbers
# are shown.)

# %%
t, i, h = 0, 4, 1e-6
nudge = h * (np.arange(d_k) == i)
moved = (unit(query[t : t + 1] + nudge, key, value) - unit(query[t : t + 1] - nudge, key, value)) / (2 * h)

covariance = (P[t, :, None] * (value - context[t])).T @ key / root       # (d_v, d_k)
print("∂y/∂q by moving ", moved[0, :4].round(6))
print("by covariance   ", covariance[:4, i].round(6))

# %% [markdown]
# ## Implement and check
#
# ### Essential: one line at a time
#
# Backward, one line at a time. Each line gets its loops, its indices, its matrices; the code is yours.
#
# In the exercises two more axes stand in front, (B, H, …): sequences and heads are independent of each other. `@`
# multiplies the matrices of the last two axes; to transpose, exchange the last two, as in [04](04_why_sqrt_d_k.ipynb).
# `hint("attention.d_value", 1)` asks a question, level 2 shows the formula, 3 the steps, 4 one line; `reveal` shows the
# package's own source.
#
# #### `d_value`: how the values should change
#
# **Loops.** Forward's line is `context[t, j] += P[t, s] * value[s, j]`, so by the rule:

# %%
for t in range(T):
    for s in range(S):
        for j in range(d_v):
            by_loops["d_value"][s, j] += P[t, s] * d_context[t, j]

# %% [markdown]
# **Indices.** What remains to the left of `+=` is $s$ and $j$; so $t$ is summed over. One value is used by all queries:
#
# $$d_{\mathrm{value},sj} = \sum_t P_{ts}\; d_{\mathrm{context},tj}$$
#
# **Matrices.** The sum runs over the *first* index of $P$, and a product of matrices sums over the second of its left
# factor. So $P$ has to be transposed: $d_{\mathrm{value}} = P^\top\, d_{\mathrm{context}}$, (7, 5) times (5, 13).

# %%
def attention_d_value(d_context, P):
    """d_context (B, H, T, K_v), P (B, H, T, S) → d_value (B, H, S, K_v)."""
    ...


check("attention.d_value", attention_d_value)

# %% [markdown]
# #### `d_P`: which value would help
#
# **Loops.** The same line of forward, its other factor:

# %%
for t in range(T):
    for s in range(S):
        for j in range(d_v):
            by_loops["d_P"][t, s] += value[s, j] * d_context[t, j]

# %% [markdown]
# **Indices.** Now $j$ is gone. Each cell is a dot product of the gradient of a context and a value:
#
# $$d_{P,ts} = \sum_j d_{\mathrm{context},tj}\; \mathrm{value}_{sj} = d_{\mathrm{context},t} \cdot \mathrm{value}_s$$
#
# **Matrices.** $d_P = d_{\mathrm{context}}\; V^\top$, (5, 13) times (13, 7). Compare it with $QK^\top$: on the way back,
# `d_context` is a query, and the values are its keys.

# %%
def attention_d_P(d_context, value):
    """d_context (B, H, T, K_v), value (B, H, S, K_v) → d_P (B, H, T, S)."""
    ...


check("attention.d_P", attention_d_P)

# %% [markdown]
# #### `d_scores`: where to look
#
# **Loops.** In softmax each weight of a row depends on all scores of the row, so each score reaches the loss through
# all weights. One entry of its Jacobian is $\partial P_i/\partial\mathrm{scores}_s = P_i(\delta_{is} - P_s)$, from
# [03](03_what_does_softmax_forget.ipynb):

# %%
for t in range(T):
    for s in range(S):
        for i in range(S):
            by_loops["d_scores"][t, s] += by_loops["d_P"][t, i] * P[t, i] * ((i == s) - P[t, s])

# %% [markdown]
# **Indices.** The $\delta$ leaves one term of its sum, and the rest is one number for the whole row:
#
# $$d_{\mathrm{scores},ts} = P_{ts}\Big(d_{P,ts} - \sum_i d_{P,ti}\,P_{ti}\Big)$$
#
# As $d_{P,ti} = d_{\mathrm{context},t}\cdot v_i$, that number is $d_{\mathrm{context},t}\cdot \mathrm{context}_t$. So the line
# says: *how far this value lies from what was found, in the direction that hurts, times how much it is looked at*.
#
# **Matrices.** $d_{\mathrm{scores}} = P\circ\big(d_P - \langle d_P, P\rangle\big)$, with the sum along each row, its
# axis kept. A masked key has the weight 0, so its score gets the gradient 0 without any further rule: the mask needs no
# line of its own.

# %%
def attention_d_scores(d_P, P):
    """d_P, P (B, H, T, S) → d_scores (B, H, T, S)."""
    ...


check("attention.d_scores", attention_d_scores)

# %% [markdown]
# #### `d_query`: how the queries should change
#
# **Loops.** Forward's line is `scores[t, s] += query[t, i] * key[s, i] / root`:

# %%
for t in range(T):
    for s in range(S):
        for i in range(d_k):
            by_loops["d_query"][t, i] += key[s, i] / root * by_loops["d_scores"][t, s]

# %% [markdown]
# **Indices.** A query has a score with each key, so $s$ is summed over:
#
# $$d_{\mathrm{query},ti} = \frac{1}{\sqrt{d_k}}\sum_s d_{\mathrm{scores},ts}\;\mathrm{key}_{si}$$
#
# **Matrices.** $d_{\mathrm{query}} = d_{\mathrm{scores}}\;K/\sqrt{d_k}$, (5, 7) times (7, 11). Nothing is transposed
# here: the transpose of $K^\top$ is $K$. A query moves away from the keys whose scores are to fall, and towards those
# whose are to rise.

# %%
def attention_d_query(d_scores, key):
    """d_scores (B, H, T, S), key (B, H, S, K) → d_query (B, H, T, K)."""
    ...


check("attention.d_query", attention_d_query)

# %% [markdown]
# #### `d_key`: how the keys should change
#
# **Loops.** The same line, its other factor:

# %%
for t in range(T):
    for s in range(S):
        for i in range(d_k):
            by_loops["d_key"][s, i] += query[t, i] / root * by_loops["d_scores"][t, s]

# %% [markdown]
# **Indices.** A key has a score with each query, so now it is $t$ that is summed over:
#
# $$d_{\mathrm{key},si} = \frac{1}{\sqrt{d_k}}\sum_t d_{\mathrm{scores},ts}\;\mathrm{query}_{ti}$$
#
# **Matrices.** $d_{\mathrm{key}} = d_{\mathrm{scores}}^\top\,Q/\sqrt{d_k}$, (7, 5) times (5, 11).

# %%
def attention_d_key(d_scores, query):
    """d_scores (B, H, T, S), query (B, H, T, K) → d_key (B, H, S, K)."""
    ...


check("attention.d_key", attention_d_key)

# %% [markdown]
# #### The whole unit
#
# Now all five in one, with a mask (True = may attend), and without $P$: only what went into forward is handed in. So
# $P$ has to be worked out first; or ask for it, by adding a parameter of the name `P`.

# %%
def attention_backward(d_context, query, key, value, mask):
    """→ d_query (B, H, T, K), d_key (B, H, S, K), d_value (B, H, S, K_v), in this order."""
    ...


check("attention.backward", attention_backward)

# %%
hint("attention.backward", 1)

# %% [markdown]
# ### What does the unit keep for backward?
#
# Every one of the five lines needs something of forward: $P$, the values, $P$ again, the keys, the queries. `trace`
# follows one forward and one backward, and reports of each part what goes in, what comes out, and what it saves. If
# the sequence is twice as long, how many times as much is saved?

# %%
guess = predict("From 256 to 512 tokens: how many times as much does the unit save?", ...)

# %%
walks = {n: trace(unit, *rng.standard_normal((3, 1, 4, n, 16))) for n in (256, 512)}    # B = 1, H = 4, K = 16
guess.compare(walks[512][""].saved_bytes / walks[256][""].saved_bytes)
for n, walk in walks.items():
    print(f"{n} tokens")
    for row in walk.rows:
        kept = f"saves {row.saved_bytes / 1024:7,.0f} KiB"
        print(f"  {row.kind:<26} {str(row.inputs[0]):>17} → {str(row.output[0]):<17} {kept}")

# %% [markdown]
# Queries, keys and values double; $P$ grows by four, and it is nearly all there is. (What two parts save in common
# counts once: the unit's line is the whole.) This is why long sequences run out of memory in *training* first. Your
# `attention_backward` points to the way out: it was not handed $P$ and worked it out again. FlashAttention does just
# that, block by block, and saves no $P$ at all (Dao et al. 2022, section 3.1).
#
# ### Do all three agree?
#
# The loops came from one rule, and softmax's Jacobian. The package's matrices came from algebra. Central differences
# use neither: they move each number up and down and look at the loss
# ([00](00_how_do_i_know_a_gradient_is_right.ipynb)). For `d_P` and `d_scores` forward is entered half-way.

# %%
def numeric(loss_of, array, h=1e-5):
    """∂loss/∂array by central differences, one entry at a time."""
    gradient = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        nudge = np.zeros(array.shape)
        nudge[place] = h
        gradient[place] = (loss_of(array + nudge) - loss_of(array - nudge)) / (2 * h)
    return gradient

# %%
def end(P, V):
    """The loss, from the weights on."""
    return ((P @ V - wish) ** 2).sum() / 2


softmax = Softmax()
by_differences = {
    "d_value": numeric(lambda V: end(P, V), value),
    "d_P": numeric(lambda P: end(P, value), P),
    "d_scores": numeric(lambda scores: end(softmax(scores), value), scores),
    "d_query": numeric(lambda Q: end(softmax(Q @ key.T / root), value), query),
    "d_key": numeric(lambda K: end(softmax(query @ K.T / root), value), key),
}
print(f"{'largest difference':<20} {'loops, matrices':>16} {'matrices, differences':>23}")
for name in by_loops:
    between = np.abs(by_loops[name] - found[name]).max(), np.abs(found[name] - by_differences[name]).max()
    print(f"{name:<20} {between[0]:16.0e} {between[1]:23.0e}")

# %% [markdown]
# ### Further: back through additive attention
#
# You can leave this out on a first reading; no later lesson needs it. In [02](02_what_is_being_looked_up.ipynb) you
# wrote the forward of additive attention. Its backward had to wait, because softmax and the matrix products had none
# yet. Here is the forward again, with $q$ for the queries, $x$ for the keys and $f$ for the values:
#
# $$a = \underbrace{q\,W_q}_{(T, 1, M)} + \underbrace{x\,W_k}_{(1, S, M)} \qquad E = \tanh(a)\,v \qquad
# P = \mathrm{softmax}(E) \qquad c = P f$$
#
# Go through it from the right. The last two steps are those of this lesson, with $E$ for the scores:
#
# $$d_f = P^\top d_c \qquad d_P = d_c\,f^\top \qquad d_{E,ts} = P_{ts}\Big(d_{P,ts} - \sum_i P_{ti}\,d_{P,ti}\Big)$$
#
# Then come $v$ and tanh. The vector $v$ was used for every pair of a query and a key, so its gradient is a sum over all
# pairs, and over the batch:
#
# $$d_{v,m} = \sum_{ts} d_{E,ts} \tanh a_{tsm} \qquad d_{a,tsm} = d_{E,ts}\,v_m\,(1 - \tanh^2 a_{tsm})$$
#
# Now the sum of two parts. Forward added the part of one query to the pairs with *all keys*, and the part of one key to
# the pairs with *all queries*: it broadcast them. The backward of broadcasting is a sum over the axis that was added:
#
# $$d_{qW_q,\,tm} = \sum_s d_{a,tsm} \qquad d_{xW_k,\,sm} = \sum_t d_{a,tsm}$$
#
# What is left are two linear maps: $d_q = d_{qW_q}\,W_q^\top$ and $d_{W_q} = q^\top d_{qW_q}$, summed over the batch, and
# the same for $x$ and $W_k$. In the exercise $x$ is called `key`, $f$ is called `value`, and $M$ is `F`.

# %%
def additive_attention_backward(d_context, query, key, value, W_query, W_key, v, mask):
    """d_context (B, T, K_v), query (B, T, D), key (B, S, D), value (B, S, K_v), W_query, W_key (D, F), v (F,),
    mask (B, 1, S) → d_query, d_key, d_value, d_W_query, d_W_key, d_v."""
    ...


check("additive_attention.backward", additive_attention_backward)

# %%
hint("additive_attention.backward", 1)

# %% [markdown]
# ## Break it
#
# Three versions of the way from `d_P` to the dot products $q\cdot k$. One is right. One forgets the $1/\sqrt{d_k}$. And
# one does not go through softmax at all: it takes `d_P` for `d_scores`. Use each of them for gradient descent on the
# unit and its wish, at the same learning rate.

# %%
versions = {
    "right": lambda d_P, P: P * (d_P - (d_P * P).sum(axis=-1, keepdims=True)) / root,
    "no scale": lambda d_P, P: P * (d_P - (d_P * P).sum(axis=-1, keepdims=True)),
    "no softmax": lambda d_P, P: d_P / root,
}
guess = predict(f"Whose loss is lowest after 20 steps: {', '.join(versions)}?", ...)

# %%
def descend(version, wish, steps=100, rate=0.1):
    """The losses on the way down, with this version of the gradient."""
    q, k, losses = query, key, []
    for _ in range(steps + 1):
        P = softmax(q @ k.T / root)
        d_context = P @ value - wish
        losses.append((d_context**2).sum() / 2)
        d_products = version(d_context @ value.T, P)                     # (T, S)
        q, k = q - rate * d_products @ k, k - rate * d_products.T @ q
    return losses


falling = {name: descend(version, wish) for name, version in versions.items()}
guess.compare(min(falling, key=lambda name: falling[name][20]))
print("loss after 20 steps  ", {name: round(float(losses[20]), 4) for name, losses in falling.items()})

# %% [markdown]
# All three losses fall, and that of the most wrong gradient falls fastest. *"The loss goes down" is not "the gradient
# is right."* There is a reason for it: along a row, $\sum_s d_{P,s}\,d_{\mathrm{scores},s}$ is the variance of `d_P`
# under $P$, and a variance is never negative. So a small move of the scores against `d_P` never goes uphill.
#
# The wish was one that can come true. Now let it be one that cannot: the same values, with noise. Attention can only
# blend what there is, so some of the loss will stay.

# %%
noisy = wish + np.random.default_rng(7).standard_normal(wish.shape)
never = {name: descend(version, noisy) for name, version in versions.items()}

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, heading="Three gradients, one of them right", height=3.6)
common = {"x_name": "step", "y_name": "loss", "marker": ""}
draw_lines(axes[0], range(101), falling, title="a wish that can come true", **common)
draw_lines(axes[1], range(101), never, title="a wish that cannot", legend="", **common)
for axis in axes:
    axis.set_ylim(bottom=0)
show(
    figure,
    "Loss against step for three versions. Left, all three fall to zero, the one without softmax first, the right one "
    "last. Right, the one without softmax jumps about far above the others, which settle at the same low level.",
)

# %%
print("after 100 steps      ", {name: round(float(losses[100]), 2) for name, losses in never.items()})

# %% [markdown]
# At the best weights that are possible the right gradient is zero, and descent stops. The one without softmax does not
# stop: `d_P` is not zero there. But look at the version without the scale. It is too large by a constant and has the
# right direction; in this unit it has the effect of a larger learning rate, and no loss curve can show it. Comparing
# numbers does, and this comparison knows the names as well:

# %%
check("attention.d_query", lambda d_scores, key: d_scores @ key)

# %%
check("attention.d_scores", lambda d_P, P: d_P)

# %% [markdown]
# One more. Leave out the transposition in `d_key`. With different sizes NumPy raises an error; in self-attention, where
# $T = S$, there would be none. (The checker tries once more with equal sizes, so as to find a name; here two fit.)

# %%
check("attention.d_key", lambda d_scores, query: d_scores @ query / np.sqrt(query.shape[-1]))

# %% [markdown]
# And one test needs no right answer. Add the same vector to all keys: every score of a query moves alike, softmax
# ignores that, and nothing changes. So `d_key` has no component in that direction, and its sum over the keys is zero.

# %%
print("right        sum of d_key over the keys", (found["d_key"].sum(axis=0)[:4]).round(3) + 0.0, "…")
print("no softmax   sum of d_key over the keys", (found["d_P"].T @ query / root).sum(axis=0)[:4].round(3), "…")

# %% [markdown]
# ## Aha
#
# > **Loops are easy to check, matrices are fast, and finite differences are independent of both: all three agree.**
#
# Two gradients come from `d_context`. One goes through $P^\top$ to the values and changes *what is found*. The other
# compares each value with the context, and goes through softmax to the queries and keys: it changes *where attention
# looks*. No label says where to look; it is enough that a value would have made the loss smaller. Neither of the two
# reaches a key that has no weight.
#
# ## Three questions to leave with
#
# 1. A query puts all of its weight on one key. Which of `d_value`, `d_query` and `d_key` does it still send anything
#    to?
# 2. The sum of `d_key` over the keys is zero. What does that say about a bias that is added to every key?
# 3. $\sum_i d_{P,i} P_i$ can be had as $d_{\mathrm{context}}\cdot\mathrm{context}$. If $P$ is not kept, why is that worth
#    knowing?
#
# <details><summary>Answers</summary>
#
# 1. To `d_value` only: the value of that key gets the whole `d_context`. The row of `d_scores` is zero, so nothing goes
#    to `d_query` or `d_key`.
# 2. Its gradient is that sum, so it is always zero: such a bias never learns, and it would change nothing.
# 3. It is one dot product of two vectors that are there anyway. Backward can then go through the keys block by block,
#    and needs at no time a whole row of $P$ and of $d_P$.
#
# </details>
