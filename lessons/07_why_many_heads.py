# %% [markdown]
# # 07 · Why many heads?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 50 min · writing 60 min · further 45 min | ●●○ | ●●● | [05](05_back_through_attention.ipynb), [06](06_who_may_look_at_whom.ipynb) | `attention.SplitHeads`, `MergeHeads`, `MultiHeadAttention` |
#
# ## Question
#
# One softmax makes one distribution for each position, and one distribution makes one blend. A position that needs two
# things from two others gets a mixture of both. Multi-head attention cuts queries, keys and values into $H$ groups of
# features, and each group has its own attention. What is it that several narrow heads can do, and one wide head cannot?
# And what do they cost?

# %%
import numpy as np

from minitransformer import gradient_check
from minitransformer.attention import MergeHeads, MultiHeadAttention, SplitHeads, causal_mask, keep_weights
from minitransformer.core import Module, evaluating
from minitransformer.data.batching import make_batch
from minitransformer.data.vocabulary import EOS, PAD
from minitransformer.decoding import greedy
from minitransformer.grading import check, hint, reveal
from minitransformer.inspection import attention_weights
from minitransformer.layers import CrossEntropy, Embedding, FeedForward, Linear
from minitransformer.lessons import predict, show
from minitransformer.plotting import draw_bars, panels, plot_attention, plot_matrices
from minitransformer.runs import Run
from minitransformer.testing import trace
from minitransformer.training import Adam

rng = np.random.default_rng(7)

# %% [markdown]
# ## Predict
#
# Ten symbols, eight places in a ring. At each place a model has to say which symbol stands at the *previous* place
# and which at the *next*. It looks once, by attention 32 features wide, and a linear map, the reader, reads both
# answers from what was found. If all 32 features are one head, in what share of the places will both answers be
# right? And if a *feed-forward network*, two linear maps with a nonlinearity between them, stands before the reader?

# %%
guess = predict("One wide head, a linear reader: in what share of the places are both neighbours right?", ...)
guess_network = predict("And with a feed-forward network between the head and the reader?", ...)

# %%
SYMBOLS, PLACES, WIDTH = 10, 8, 32


class Neighbours(Module):
    """ids (B, 8) → logits of the symbols at several places relative to each: (B, 8, how many, 10)."""

    def __init__(self, heads, asked, network, rng):
        self.symbol, self.place = Embedding(SYMBOLS, WIDTH, rng), Embedding(PLACES, WIDTH, rng)
        self.attention = MultiHeadAttention(WIDTH, heads, rng)
        self.network = FeedForward(WIDTH, 4 * WIDTH, rng) if network else None
        self.reader = Linear(WIDTH, asked * SYMBOLS, rng)

    def forward(self, ids):
        x = self.attention(self.symbol(ids) + self.place(np.arange(PLACES)))       # (B, 8, 32)
        logits = self.reader(self.network(x) if self.network else x)
        return logits.reshape(*ids.shape, -1, SYMBOLS)

    def backward(self, d_logits):
        d_x = self.reader.backward(d_logits.reshape(*d_logits.shape[:2], -1))
        d_x = self.network.backward(d_x) if self.network else d_x
        d_x = self.attention.backward(d_x)
        self.symbol.backward(d_x)
        self.place.backward(d_x.sum(axis=0))

# %%
def around(ids, steps):
    """The symbols that stand so many places on from each: (B, 8) → (B, 8, how many)."""
    return np.stack([np.roll(ids, -step, axis=1) for step in steps], axis=-1)


def learn(heads, steps=(-1, 1), network=False):
    """Train on 400 batches. Returns (share of right answers for each step, share with all right, P (H, 8, 8))."""
    model, rng = Neighbours(heads, len(steps), network, np.random.default_rng(1)), np.random.default_rng(2)
    optimizer, loss = Adam(model, 5e-3), CrossEntropy(padding=-1)
    while optimizer.t < 400:
        ids = rng.integers(0, SYMBOLS, (32, PLACES))
        model.zero_grad()
        loss(model(ids), around(ids, steps))
        model.backward(loss.backward())
        optimizer.step()
    ids = rng.integers(0, SYMBOLS, (500, PLACES))
    with evaluating(model), keep_weights(model):
        right = model(ids).argmax(axis=-1) == around(ids, steps)         # (B, 8, how many)
    return right.mean(axis=(0, 1)), right.all(axis=-1).mean(), model.attention.attention.weights.mean(axis=0)

# %%
each, both, P_one = learn(heads=1)
guess.compare(both)
print(f"one head of 32       previous {each[0]:.2f}   next {each[1]:.2f}")
_, both, _ = learn(heads=1, network=True)
guess_network.compare(both)

each, both, P_two = learn(heads=2)
print(f"two heads of 16      previous {each[0]:.2f}   next {each[1]:.2f}   both {both:.2f}")

# %% [markdown]
# The wide head gets one neighbour right nearly always, and the other about twice as often as by chance, which is one in
# ten. Two heads of half its width get both, always. And yet, with a network after it, the one head gets both as well!
# So "one head cannot" is not quite true. Let us see what happens.
#
# ## Picture
#
# ### One distribution, or two

# %%
maps = {"the one head": P_one[0], "first of two": P_two[0], "second of two": P_two[1]}
named = {"rows": "place that asks", "columns": "place it looks at"}

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(maps, "Who stands before me, and who after?", shared=True, numbers=False, **named),
    "Three maps over eight places in a ring. The one head looks at both neighbours, a little harder at the previous "
    "one. Of the two heads one looks at the next place and the other at the previous, each with nearly all its weight.",
)

# %%
here = np.arange(PLACES)
previous, following = P_one[0][here, here - 1].mean(), P_one[0][here, (here + 1) % PLACES].mean()
print(f"the one head, mean weight on the previous place {previous:.2f}, on the next {following:.2f}")

# %% [markdown]
# The weights of a row of the one head sum to 1, and the two neighbours share them: what it finds is a blend of both.
# With equal weights, 3 before and 7 after would look exactly like 7 before and 3 after. They are not equal, so the
# order is not lost. But it is mixed in, and no *linear* reader can separate it:
#
# Let the head put the weight $a$ on the previous place and $b$ on the next. A reader scores "next stands B rather
# than A" as $w\cdot\mathrm{found}$. Write $\delta = w\cdot v_B - w\cdot v_A$.
#
# - From *both neighbours A* to *both B* the score has to rise: $(a + b)\,\delta > 0$.
# - From *previous B, next A* to *previous A, next B* it has to rise again: $(b - a)\,\delta > 0$.
#
# Hence $b > a$. The reader of the *previous* place needs $a > b$, by the same argument. Only one of the two can be
# read: here $a$ is larger, so the next place cannot.
#
# A network with a nonlinearity can separate the mixture. So several heads are not the only way, but they keep apart
# what a network would have to separate again. How well can a network do that? Ask for four neighbours instead of two.

# %%
four, answers = (-2, -1, 1, 2), {}
for heads, network in ((1, False), (2, False), (4, False), (1, True)):
    title = f"{heads} head{'s' * (heads > 1)}{', then a network' * network}"
    answers[title], all_right, _ = learn(heads, four, network)
    print(f"{title:<24} all four right: {all_right:.3f}")

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 4, heading="Four neighbours asked for: share of right answers", height=3.0, sharey=True)
for axis, (title, each) in zip(axes, answers.items()):
    draw_bars(axis, dict(zip(map("{:+}".format, four), each)), title=title, x_name="place asked for", numbers="{:.2f}")
axes[0].set_ylim(0, 1.15)
show(
    figure,
    "Four bar charts over the places −2, −1, +1, +2. With one head one bar is high, with two heads two, with four "
    "heads all four. One head and then a network: two bars are high, two half as high.",
)

# %% [markdown]
# With a linear reader, four answers that are always right take four heads. (The argument above, for more heads: in the
# mix of heads that a reader takes, its own place has to outweigh all others together. A square matrix with such a
# diagonal is invertible, so it needs as many heads as places.) Fewer can do better than here: with another seed two
# heads get nearly all four wherever the four symbols differ, and fail where some are alike. The network, which
# separated a blend of two, does not separate a blend of four in this time; with more training it comes further. So it
# is a question of difficulty. The easy way is: **a head is one question.**
#
# ### A map per head
#
# And in a model that does something? This is the translator of numbers that comes with the package: each of two
# layers has four heads. Here is where they look in the English sentence while the German one is being written.

# %%
run = Run.open("numbers-en-de")
model, vocabulary = run.model, run.vocabulary
english = vocabulary.encode("forty-two thousand and seventy-nine")
german = greedy(model, english[None], 20)[0]
words, sizes = zip(vocabulary.words_and_sizes(english), vocabulary.words_and_sizes(german, written=True))

# %% jupyter={"source_hidden": true}
show(
    plot_attention(model, english, german, *words, sizes=sizes),
    "Cross-attention of two layers and four heads each. The heads of layer 2 look at few words at a time and cross "
    "over, as German does; in layer 1 head 1 is spread over several words.",
)

# %% [markdown]
# No two are alike, although no label said what each should look for.
#
# ### Does a token attend most to itself?
#
# There is no reason why it should. A score is $q\cdot k$, and a token's query and its key are made by two different
# matrices: what you look for is seldom what you are. If the two were one matrix, the score of a token with itself
# would be $\lVert q\rVert^2$, which is hard to beat:

# %%
x = rng.standard_normal((500, 8, 64)).astype("float32")
for same in (False, True):
    unit = MultiHeadAttention(64, 4, np.random.default_rng(0))
    if same:
        unit.key.weight.data = unit.query.weight.data
    with evaluating(unit), keep_weights(unit):
        unit(x)
    on_itself = (unit.attention.weights.argmax(axis=-1) == np.arange(8)).mean()
    what = "W_K = W_Q" if same else "W_Q and W_K drawn apart"
    print(f"{what:<24} look hardest at themselves {on_itself:.3f}   (by chance {1 / 8:.3f})")

# %% [markdown]
# And in the trained encoder? We need sentences: a few lines that say a number in English.

# %%
ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen").split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def spell(n):
    """A number below a million in English words."""
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10 - 2] + (f"-{ONES[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{ONES[n // 100]} hundred" + (f" and {spell(n % 100)}" if n % 100 else "")
    rest = n % 1000
    return f"{spell(n // 1000)} thousand" + (f"{' and' if rest < 100 else ','} {spell(rest)}" if rest else "")


numbers = np.random.default_rng(0).integers(1000, 1_000_000, 200)
print(spell(42079), "·", spell(numbers[0]))

# %%
on_itself, chance = [], []
for n in numbers[:60]:
    ids = vocabulary.encode(spell(n))
    P = attention_weights(model, ids, np.array([EOS]))["encoder"]        # (layers, H, S, S)
    on_itself.append((P.argmax(axis=-1) == np.arange(len(ids))).mean(axis=-1))
    chance.append(1 / len(ids))
for layer, shares in enumerate(np.mean(on_itself, axis=0), start=1):
    by_chance = f"(by chance {np.mean(chance):.2f})"
    print(f"encoder layer {layer}, by head   look hardest at themselves {shares.round(2)}   {by_chance}")

# %% [markdown]
# Some heads do so about three times as often as by chance, one never, and none in most cases. Nor has a token any need
# to look at itself in order to be remembered: the residual connection around the attention carries it past
# ([09](09_what_do_add_and_norm_do.ipynb)).
#
# ## Derive
#
# ### Split and merge: a permutation and its transpose
#
# Head $h$ is to get the features $hK$ to $(h+1)K - 1$ of every position, with $K = D/H$. **In loops**, for one
# sequence; every number says where it comes from, its position before the dot and its feature after it:

# %%
x = np.arange(4)[:, None] + np.arange(6) / 10                            # (T = 4, D = 6)
y, d_x = np.zeros((2, 4, 3)), np.zeros((4, 6))                           # y (H = 2, T = 4, K = 3)
d_y = rng.standard_normal(y.shape)
for h in range(2):
    for t in range(4):
        for k in range(3):
            y[h, t, k] = x[t, h * 3 + k]
            d_x[t, h * 3 + k] += d_y[h, t, k]                            # the way back

print("y   is that of SplitHeads:", np.array_equal(y, SplitHeads(2)(x[None])[0]))
print("d_x is that of MergeHeads:", np.array_equal(d_x, MergeHeads()(d_y[None])[0]))

# %% jupyter={"source_hidden": true}
show(
    plot_matrices({"x": x, "head 0": y[0], "head 1": y[1]}, rows="position", columns="feature"),
    "A 4 by 6 matrix whose cells read position.feature, and its two heads, 4 by 3 each. Head 0 has the features 0 to 2 "
    "of all four positions, head 1 the features 3 to 5.",
)

# %% [markdown]
# **In indices**, $y_{htk} = x_{t,\,hK+k}$. Each number is copied once, so each gradient is carried back once:
# $d_{x,t,\,hK+k} = d_{y,htk}$.
#
# **In matrices**: write $x$ as one long column, and $y$ as another. Then $y = \Pi x$, where $\Pi$ has a single 1 in
# each row and each column, and is 0 elsewhere: a permutation. Backward of a linear map is its transpose, and the
# transpose of a permutation is its inverse. So
#
# $$\text{backward of split} = \Pi^\top = \Pi^{-1} = \text{merge} \qquad \text{backward of merge} = \Pi = \text{split}$$
#
# As operations on arrays, split is two steps. The last axis is cut in two, $(B, T, D) \to (B, T, H, K)$, which moves
# nothing in memory. Then the axes $T$ and $H$ are exchanged. Merge undoes them, the last one first. And here is a
# test for any pair that claims to be each other's transpose: $\Pi x\cdot d_y = x\cdot\Pi^\top d_y$, whatever $x$ and
# $d_y$ are.

# %%
print("split(x) · d_y ", (y * d_y).sum().round(6))
print("x · merge(d_y) ", (x * d_x).sum().round(6))

# %% [markdown]
# ### Each head has its own rows of $W_O$
#
# Merged, the heads stand side by side, and $W_O$ mixes them. Cut $W_O$ into $H$ slices of $K$ rows, and the product
# becomes a sum with one term for each head:
#
# $$y = \mathrm{concat}(\mathrm{head}_0, \dots, \mathrm{head}_{H-1})\,W_O = \sum_h \mathrm{head}_h\,W_O[h]$$
#
# Backward needs nothing new, for this is a linear map: $d_{W_O} = \sum \mathrm{concat}^\top d_y$, summed over all
# positions of all sequences; or slice by slice, $d_{W_O[h]} = \sum\mathrm{head}_h^\top d_y$. And every head gets the
# same $d_y$, through its own slice: $d_{\mathrm{head}_h} = d_y\,W_O[h]^\top$. Without $W_O$, each feature of $y$ would
# come of one head alone.

# %%
unit = MultiHeadAttention(16, 4, rng).to("float64")
x = rng.standard_normal((1, 5, 16))
with evaluating(unit):
    q, k, v = unit.split_query(unit.query(x)), unit.split_key(unit.key(x)), unit.split_value(unit.value(x))
    head = unit.attention(q, k, v)                                       # (1, H = 4, T = 5, K = 4)
    y = unit(x)
slices = unit.output.weight.data.reshape(4, 4, 16)                        # (H, K, D)
print("largest difference", np.abs(y[0] - sum(head[0, h] @ slices[h] for h in range(4))).max())

# %% [markdown]
# ### Is only the third sublayer multi-head, and what are "subspaces"?
#
# Figure 1 of the paper writes "Multi-Head Attention" in three places, in one of them with "Masked" before it, and all
# three are: the encoder's self-attention, the decoder's masked self-attention, and its cross-attention. Ask the model
# itself:

# %%
for path, part in model.named_modules():
    if isinstance(part, MultiHeadAttention):
        print(f"{path:<35} {part.heads} heads,  W_Q {part.query.weight.shape}")

# %% [markdown]
# A *subspace* is not a piece of the token. The features are cut *after* the projection, never before it: every head
# sees all 64 features of $x$, but its query is made by its own 16 columns of $W_Q$, and so it depends on 16 directions
# only. Two tokens that differ in none of these ask the same (and so with $W_K$ and $W_V$). Take a direction that head 1
# of the first encoder layer cannot see, move the token far along it, and watch the queries of all four:

# %%
W_Q = model.encoder.layers[0].self_attention.query.weight.data           # (D = 64, H·K = 64)
first = W_Q[:, :16]                                                      # head 1: (64, 16)
unseen = np.linalg.svd(first.T)[2][-1]                                   # a unit vector with unseen @ first = 0
moved = np.linalg.norm((10 * unseen @ W_Q).reshape(4, 16), axis=-1)
print("how far the query of each head moves:", moved.round(3) + 0.0)

# %% [markdown]
# ### What do heads cost?
#
# $H$ heads of width $D/H$ have as many parameters, and do as many multiplications, as one of width $D$. Only the
# distributions are more, one for each head, and they are kept for backward. And each head has fewer features to compare
# by, so more heads are not always better: in the paper's table 3, rows (A), one head is worse than eight, and so are
# thirty-two.

# %%
x = rng.standard_normal((1, 64, 64)).astype("float32")
for heads in (1, 2, 4, 8, 16):
    row = trace(MultiHeadAttention(64, heads, rng), x)[""]
    print(f"{heads:2} heads   {row.parameters:,} parameters   {row.multiply_adds:,} multiply-adds   "
          f"{row.saved_bytes / 1024:5.0f} KiB saved")

# %% [markdown]
# ## Implement and check
#
# ### Essential
#
# Four functions that only move numbers. `hint("heads.split", 1)` asks a question, levels 2 to 4 say more;
# `reveal("heads.split")` shows the package's own.

# %%
def split_heads(x, heads):
    """x (B, T, D) → y (B, H, T, K): head h has the features h·K to (h + 1)·K − 1 of every position."""
    ...


check("heads.split", split_heads)

# %%
def merge_heads(x):
    """x (B, H, T, K) → y (B, T, D): the heads of every position side by side."""
    ...


check("heads.merge", merge_heads)

# %%
def split_heads_backward(d_y, x, heads):
    """d_y (B, H, T, K), and forward's x (B, T, D) → d_x (B, T, D)."""
    ...


check("heads.split_backward", split_heads_backward)

# %%
def merge_heads_backward(d_y, x):
    """d_y (B, T, D), and forward's x (B, H, T, K) → d_x (B, H, T, K)."""
    ...


check("heads.merge_backward", merge_heads_backward)

# %% [markdown]
# #### The whole unit
#
# Now put together what you have. Forward is five steps: project, split, attend, merge, project. In self-attention all three projections are of $x$.
# In cross-attention the queries are of the decoder's $x$, the keys and values of the encoder's output, the *memory*
# $m$. In backward each projection is a linear map, with $d_W = \sum x^\top d_{xW}$ over all positions of all sequences.
# What went in several times gets several gradients, and they add up:
#
# $$\text{self: } d_x = d_q\,W_Q^\top + d_k\,W_K^\top + d_v\,W_V^\top \qquad
# \text{cross: } d_x = d_q\,W_Q^\top, \quad d_m = d_k\,W_K^\top + d_v\,W_V^\top$$

# %%
def self_attention(x, W_query, W_key, W_value, W_output, heads, mask):
    """x (B, T, D), weights (D, D), mask (B, 1, T, T), True = may attend → y (B, T, D)."""
    ...


check("self_attention.forward", self_attention)

# %%
def self_attention_backward(d_y, x, W_query, W_key, W_value, W_output, heads, mask):
    """d_y (B, T, D) → d_x, d_W_query, d_W_key, d_W_value, d_W_output, in this order."""
    ...


check("self_attention.backward", self_attention_backward)

# %%
hint("self_attention.backward", 1)

# %% [markdown]
# ### Further: cross-attention
#
# You can leave these two out on a first reading: no later lesson needs them. They are the same unit with two inputs, and
# so with two gradients of inputs.

# %%
def cross_attention(x, memory, W_query, W_key, W_value, W_output, heads, mask):
    """x (B, T, D), memory (B, S, D), weights (D, D), mask (B, 1, 1, S) → y (B, T, D)."""
    ...


check("cross_attention.forward", cross_attention)

# %%
def cross_attention_backward(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    """d_y (B, T, D) → d_x, d_memory, d_W_query, d_W_key, d_W_value, d_W_output, in this order."""
    ...


check("cross_attention.backward", cross_attention_backward)

# %% [markdown]
# ## Break it
#
# ### A reshape alone
#
# $(B, T, D)$ has as many numbers as $(B, H, T, K)$, so one reshape turns the one into the other. All shapes fit. But
# the numbers stay in their order, and a "head" is then made of whole positions:

# %%
x = np.arange(4)[:, None] + np.arange(6) / 10                            # position.feature, as above
reshaped = x.reshape(2, 4, 3)                                            # (H, T, K), it says

# %% jupyter={"source_hidden": true}
show(
    plot_matrices({"x": x, "reshaped, 0": reshaped[0], "reshaped, 1": reshaped[1]}, rows="row", columns="column"),
    "The 4 by 6 matrix whose cells read position.feature, and two heads made by reshape alone: the first holds "
    "positions 0 and 1, the second positions 2 and 3, each position cut over two rows.",
)

# %%
check("heads.split", lambda x, heads: x.reshape(x.shape[0], heads, x.shape[1], -1))

# %% [markdown]
# What does that do to a model? Put it into an attention with a causal mask, by which position $t$ may see nothing
# later than $t$. Then nudge one position at a time, and note whose output moves.

# %%
class SplitByReshape(SplitHeads):
    def forward(self, x):
        self.save(x.shape)
        return x.reshape(x.shape[0], self.heads, x.shape[1], -1)

    def backward(self, d_y):
        return d_y.reshape(self.saved())


class MergeByReshape(MergeHeads):
    def forward(self, x):
        self.save(x.shape)
        return x.reshape(x.shape[0], x.shape[2], -1)

    def backward(self, d_y):
        return d_y.reshape(self.saved())

# %%
def who_moves_whom(unit, T=8):
    """1 where the output of a row's position moves if the input of a column's does: (T, T)."""
    x, depends = np.random.default_rng(1).standard_normal((1, T, 8)), np.zeros((T, T))
    with evaluating(unit):
        y = unit(x, None, causal_mask(T))
        for s in range(T):
            nudged = x.copy()
            nudged[0, s] += 0.1
            depends[:, s] = np.abs(unit(nudged, None, causal_mask(T)) - y)[0].max(axis=-1) > 1e-12
    return depends

# %%
right, leaking, both_wrong = (MultiHeadAttention(8, 2, np.random.default_rng(0)).to("float64") for _ in range(3))
for unit in (leaking, both_wrong):
    unit.split_query = unit.split_key = unit.split_value = SplitByReshape(2)
both_wrong.merge = MergeByReshape()
units = {"right": right, "split by reshape": leaking, "split and merge by reshape": both_wrong}
maps = {name: who_moves_whom(unit) for name, unit in units.items()}
named = {"rows": "output at position", "columns": "input at position"}

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(maps, "Whose input moves whose output?", numbers=False, **named),
    "Three 8 by 8 maps. Right: the lower triangle is bright. Split by reshape: some cells above the diagonal are "
    "bright, too. Split and merge by reshape: two lower triangles, one for each half, and nothing between them.",
)

# %%
for name, unit in units.items():
    report = gradient_check(unit, rng.standard_normal((1, 8, 8)), None, causal_mask(8))
    print(f"{name:<28} gradient check: {'passed' if report.passed else 'failed'}, worst error {report.worst.error:.0e}")

# %% [markdown]
# With the split wrong, early positions know of late ones: a causal leak, and the model will have a very low training
# loss ([06](06_who_may_look_at_whom.ipynb)). With both wrong the leak is gone, and so is the past: the second half
# knows nothing of the first. All shapes fit. And **the gradient check passes**: backward is exactly the derivative of
# forward, only forward is not what was meant. A gradient check does not know what you meant. Changing one input at a
# time shows it.
#
# ### Switching heads off
#
# A head can be switched off: set its rows of $W_O$ to zero, and its term of the sum is zero. Do that in the translator,
# one head at a time, and see how many of 200 numbers it still translates without a mistake. There are 24 heads.

# %%
guess = predict("How many of the 24 heads can be switched off, one at a time, with at most 5 % of numbers wrong?", ...)

# %%
source = vocabulary.encode_all([spell(n) for n in numbers])
written = greedy(model, source, 40)                                      # of the whole model, and all right
batch = make_batch(source, np.where(written == EOS, PAD, written)[:, :-1])


def exact_match():
    """The share of numbers whose every token is still the likeliest one: then greedy decoding would write the same."""
    with evaluating(model):
        logits = model(batch.source, batch.target_in)
    return ((logits.argmax(axis=-1) == batch.target_out) | (batch.target_out == PAD)).all(axis=-1).mean()


def without(slices, rows):
    """Exact match while these rows of a W_O are zero."""
    kept = slices[rows].copy()
    slices[rows] = 0
    share = exact_match()
    slices[rows] = kept
    return share


attentions = {path: part for path, part in model.named_modules() if isinstance(part, MultiHeadAttention)}
rows = [slice(16 * head, 16 * (head + 1)) for head in range(4)] + [slice(None)]         # each head's, and all
shares = np.array([[without(part.output.weight.data, r) for r in rows] for part in attentions.values()])   # (6, 5)
guess.compare(int((shares[:, :4] >= 0.95).sum()))

# %%
labels = [path.replace(".layers.0.", " layer 1, ").replace(".layers.1.", " layer 2, ") for path in attentions]

# %% jupyter={"source_hidden": true}
show(
    plot_matrices({"Exact match without": shares}, columns="head", row_labels=labels, column_labels=[*"1234", "all"]),
    "A 6 by 5 matrix. Without one head all cells but one are close to 1; without head 4 of the first self-attention of "
    "the decoder it is about 0.1. Without all four heads of a row it is 0.9 in layer 1 of the encoder, else below 0.4.",
)

# %% [markdown]
# Most heads can be switched off one at a time, and hardly any number becomes wrong. Only one is needed: head 4 of the
# decoder's first self-attention. But without all four heads of a row most numbers are wrong, except in the first row: a
# head can do the work of another. Could you have seen in the maps above which ones matter? That is a question for
# [14](14_can_it_translate.ipynb). (Take the numbers with care: zero is an output that the model never saw in training,
# so switching a head off can do more harm than the loss of its information; and a head that others can replace looks
# useless.)
#
# In large translators it is the same: most heads can be taken away one at a time with hardly a change (Michel et al.
# 2019, section 3), and many of them together, if one chooses well (Voita et al. 2019).
#
# ## Aha
#
# > **A head is one distribution, and so one question; several heads ask several questions at once, and lay the answers
# > side by side.**
#
# They cost no parameter and no multiplication more. Cutting and joining is a permutation, so each is the other's
# backward. And because the heads only meet in $W_O$, each can be looked at, and switched off, by itself: do that before
# you believe a picture.
#
# ## Three questions to leave with
#
# 1. A head puts the weight ½ on each of two places. Which question about the two can it answer all the same?
# 2. Could two heads of one layer learn exactly the same? What, at the start of training, keeps them apart?
# 3. Forward's `scores` are $x\,W_Q[h]\,W_K[h]^\top x^\top$. What could be put in place of the two matrices, and what
#    would that cost?
#
# <details><summary>Answers</summary>
#
# 1. Every question whose answer does not change when the two are exchanged. Are the two symbols equal? Which two
#    symbols are they, in whatever order?
# 2. Nothing forbids it. Only the random first weights keep them apart: if the weights of two heads (their parts of
#    $W_Q$, $W_K$, $W_V$ and $W_O$) begin equal, their gradients are equal, and they stay equal for ever.
# 3. One matrix $W[h] = W_Q[h]\,W_K[h]^\top$ of size $D \times D$. It has $D^2$ parameters a head in place of $2DK$:
#    with $D = 512$ and $K = 64$ that is 262,144 in place of 65,536, four times as many. Each score would then be a
#    product of vectors of width $D$.
#
# </details>
