# %% [markdown]
# # 08 · Where am I?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 45 min · writing 45 min | ●●○ | ●●● | [02](02_what_is_being_looked_up.ipynb), [06](06_who_may_look_at_whom.ipynb), [07](07_why_many_heads.ipynb) | `layers.SinusoidalPositionalEncoding`, `layers.LearnedPositionalEncoding` |
#
# ## Question
#
# *The dog bit the man. The man bit the dog.* The words are the same, and attention compares words: a query with a key,
# wherever the two may stand. So something must tell each token its place. The paper does it by *adding* a vector of
# sines and cosines to the embedding, once, before the first layer. Why is that enough, why that vector, and how can a
# sum of two vectors be useful to a layer that needs only one of them?

# %%
import numpy as np

from minitransformer.attention import MultiHeadAttention
from minitransformer.attention.masking import causal_mask
from minitransformer.core import Module, no_grad
from minitransformer.data.batching import make_batch
from minitransformer.data.vocabulary import FIRST
from minitransformer.grading import check, hint, reveal
from minitransformer.layers import CrossEntropy, LearnedPositionalEncoding, SinusoidalPositionalEncoding
from minitransformer.lessons import predict, show
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.plotting import draw_bars, draw_lines, panels, plot_matrices, plot_positional_encoding
from minitransformer.training import Adam, Cosine, train

# %% [markdown]
# ## Predict
#
# A task: six *distinct* symbols, drawn from ten, are to be said in reverse. A small Transformer learns it, encoder
# and decoder. Then the same model learns it again, but its encoder is not told where anything stands. (The decoder
# is: it knows which step it is at.) While training, and while being judged, the decoder is fed the true symbols so
# far, whatever it would have said itself: that is *teacher forcing*.
#
# The loss is the mean of $-\log P(\text{right symbol})$, in *nats*, as one says of natural logarithms. Guessing evenly
# among $n$ symbols costs $\log n$ nats and is right once in $n$ times. Train as long as you like: where does the loss
# of the model without encoder positions stop falling, and what share of the symbols will it get right?

# %%
stall = predict("At how many nats a symbol does the loss stall without positions in the encoder?", ...)
share = predict("Which share of the symbols does it then get right?", ...)

# %%
SYMBOLS, LENGTH, STEPS = 10, 6, 1200


def batch_of(count, rng):
    """Sequences of six distinct symbols, and the same in reverse."""
    symbols = rng.permuted(np.tile(np.arange(SYMBOLS), (count, 1)), axis=1)[:, :LENGTH]
    source = FIRST + symbols                             # (B, 6); the ids before FIRST are padding, begin, end, unknown
    return make_batch(source, source[:, ::-1])


def measure(model, batch, steps=LENGTH):
    """(loss, share right at each step) over the first so many steps; step 7 is the end token."""
    with no_grad():
        logits = model(batch.source, batch.target_in)[:, :steps]                     # (B, steps, V)
    targets = batch.target_out[:, :steps]                                            # (B, steps)
    return float(CrossEntropy(padding=0)(logits, targets)), (logits.argmax(axis=-1) == targets).mean(axis=0)

# %% [markdown]
# To take the positions away, we replace them by a component that returns its input unchanged. (In the package every
# `forward` saves what its `backward` will need, and says so even if that is nothing.)

# %%
class Nowhere(Module):
    def forward(self, x, positions=None):
        self.save()
        return x

    def backward(self, d_y):
        self.saved()
        return d_y

# %%
def train_model(has_positions):
    config = TransformerConfig(source_vocabulary=FIRST + SYMBOLS, d_model=32, heads=2, d_ff=64, encoder_layers=1,
                               decoder_layers=1, dropout=0.0)
    model, rng, losses = Transformer(config, rng=8), np.random.default_rng(8), {}
    if not has_positions:
        model.source_input.position = Nowhere()

    def note(progress):
        if progress.step % 50 == 0 or progress.step == 1:
            losses[progress.step], _ = measure(model, few)

    optimizer = Adam(model, Cosine(peak=8e-3, total=STEPS, warmup=50))
    train(model, CrossEntropy(padding=0), optimizer, lambda: batch_of(64, rng), STEPS, hooks=[note])
    return model, losses

# %%
few, many = (batch_of(count, np.random.default_rng(80)) for count in (500, 5000))
without, losses_without = train_model(has_positions=False)
with_positions, losses_with = train_model(has_positions=True)

# %% [markdown]
# And now a number that needs no training. Suppose the decoder knows *which* six symbols there are, and nothing of their
# order. At the first step, one of 6 must be right; at the next, one of the 5 that have not been said; at the last, only
# one is left. So the cost is $\log 6 + \log 5 + \dots + \log 1 = \log 6!$ for six symbols.

# %%
left = np.arange(LENGTH, 0, -1)                          # 6, 5, 4, 3, 2, 1 symbols are left to guess among
known = np.append(left, 1)                               # the end token comes after the sixth: no guess at all
line = "{:18} loss {:.3f}  right {:.3f}      with the end token: loss {:.3f}  right {:.3f}"
print(line.format("by formula", np.log(left).mean(), (1 / left).mean(), np.log(known).mean(), (1 / known).mean()))
for name, model in {"without positions": without, "with positions": with_positions}.items():
    (loss, right), (loss_7, right_7) = measure(model, many), measure(model, many, steps=7)
    print(line.format(name, loss, right.mean(), loss_7, right_7.mean()))

# %%
loss, right = measure(without, many)
stall.compare(loss)
share.compare(right.mean())

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, heading="The encoder knows what, and not where", height=3.6)
draw_lines(axes[0], list(losses_without), {"with positions": losses_with.values(), "without": losses_without.values()},
           title="loss on freshly drawn sequences", x_name="step", y_name="nats a symbol", marker="")
axes[0].axhline(np.log(left).mean(), color="black", linewidth=1, linestyle="--", label="log(6!) / 6")
axes[0].legend(frameon=False)
draw_bars(axes[1], dict(zip(range(1, 7), right)), title="without positions: share right at each step", numbers="",
          x_name="step of the decoder", colours=dict.fromkeys(range(1, 7), "#d9730d"))
axes[1].plot(range(LENGTH), 1 / left, "k--o", linewidth=1, label="1 / symbols left")
axes[1].legend(frameon=False, loc="upper left")
show(figure, "Left: two loss curves. With positions the loss falls to zero, without it comes to rest on the dashed "
     "line log(6!)/6. Right: without positions the share right at steps 1 to 6 is 1/6, 1/5, 1/4, 1/3, 1/2 and 1: "
     "the bars end at the dots.")

# %% [markdown]
# The model learned everything that it could: which symbols there are, and which have been said. If a loss of yours
# stays at some number, ask what the loss would be if the model knew everything except one thing.
#
# ## Picture
#
# A token's place is a number. How would you write a number so that a network can read it? As one plain number it
# becomes much larger than the embedding. The paper writes it like the time on clocks. The hand of clock $i$ turns by
# the angle $\omega_i$ from one position to the next, fast on clock 0, slower on each one after:
#
# $$PE_{p,\,2i} = \sin(p\,\omega_i) \qquad PE_{p,\,2i+1} = \cos(p\,\omega_i) \qquad \omega_i = 10000^{-2i/D}$$
#
# Each pair (sin, cos) is the tip of a hand of length 1, which stands at twelve for $p = 0$ and turns clockwise. With
# $D$ features, or *channels* when they are counted from 0, there are $D/2$ clocks. Here are the four of $D = 8$,
# where each happens to be ten times slower than the one above it, as the digits of a number are.

# %%
D = 8
table = SinusoidalPositionalEncoding(D, max_length=5000).table                # (5000, D)
omega = np.arctan2(table[1, 0::2], table[1, 1::2])                            # (D/2,): the hands' angles at position 1
shown = [0, 1, 2, 3, 10, 44, 100, 1000]

# %% jupyter={"source_hidden": true}
figure, axis = panels(width=11, height=5.4, heading="The code of a position: the hands of four clocks")
turn = np.linspace(0, 2 * np.pi, 60)
for column, p in enumerate(shown):
    for row, (x, y) in enumerate(table[p].reshape(-1, 2)):                    # (sin, cos) of each clock
        axis.plot(column + 0.42 * np.sin(turn), -row + 0.42 * np.cos(turn), color="#c9d1d9")
        axis.plot([column, column + 0.4 * x], [-row, -row + 0.4 * y], color="#1f6fb4", linewidth=3)
axis.set(aspect="equal", xlabel="position p", xticks=range(len(shown)), yticks=range(0, -4, -1), xticklabels=shown)
axis.set_ylabel("the hand's turn per position, in radians")
axis.set_yticklabels([f"{w:g}" for w in omega])
axis.grid(False)
axis.spines[:].set_visible(False)
show(figure, "A grid of clocks: four rows, from fast to slow, and a column for each of eight positions. At position "
     "0 all hands stand at twelve. The first turns by a radian a step, the second by a tenth of one, and so on; at "
     "position 44 the first is back at twelve, and only the second and third say that this is not position 0.")

# %% [markdown]
# Now many clocks: 64 features, 64 positions. Left, the table itself: the first columns flicker, the last hardly
# change on their way down (the stripes are cosines near 1 beside sines near 0). Right, how alike two codes are, by
# their dot product. It has *bands* along the diagonal, which says that the likeness of two places depends on how far
# they are apart and on nothing else.

# %%
wide = SinusoidalPositionalEncoding(64, max_length=64).table                  # (64, 64)

# %% jupyter={"source_hidden": true}
show(plot_positional_encoding(wide, "64 positions, 64 features"),
     "Left, the table: fast oscillation in the left channels, slow change in the right ones. Right, the dot "
     "products of all pairs of positions: brightest on the diagonal, darker away from it, and constant along each "
     "diagonal.")

# %% [markdown]
# ## Derive
#
# ### Does order really not matter without it?
#
# **In loops:** for each query, go through the keys and add up their values, each with its weight. A sum does not
# depend on the order in which it is added up.
#
# **In indices:** $y_t = \sum_s P_{ts}\,v_s$, and $P_{ts}$ comes from the vectors of the tokens $t$ and $s$ alone.
# Rename the places, and the same terms stand in the sum.
#
# **In matrices:** let $\Pi$ be a permutation, a matrix that reorders rows. The scores of $\Pi x$ are
# $\Pi\,S\,\Pi^\top$; softmax works row by row, so the weights are $\Pi P \Pi^\top$; and as $\Pi^\top \Pi = I$,
#
# $$(\Pi P \Pi^\top)(\Pi V) = \Pi\,(P V)$$
#
# If the input is shuffled, the output is shuffled likewise: no token learns anything about its place. What else there
# is in an encoder ([09](09_what_do_add_and_norm_do.ipynb), [10](10_how_is_a_block_built.ipynb)) treats each position by
# itself, so the same is true of the whole. The decoder then *sums* over the encoder's output, and the last trace of the
# order is gone. (With a causal mask this is not so: a position that sees only earlier ones can tell early from late.
# See Haviv et al. 2022 for language models that live on that.)

# %%
rng = np.random.default_rng(8)
attention = MultiHeadAttention(8, heads=2, rng=rng).to("float64")
x, shuffle = rng.standard_normal((1, 5, 8)), rng.permutation(5)
for name, mask in {"no mask": None, "causal mask": causal_mask(5)}.items():
    difference = attention(x[:, shuffle], mask=mask) - attention(x, mask=mask)[:, shuffle]
    print(f"{name:12} shuffle, then attend: differs from attend, then shuffle by {np.abs(difference).max():.1e}")

batch = batch_of(1, rng)
for name, model in {"without positions": without, "with positions": with_positions}.items():
    with no_grad():
        change = model(batch.source[:, ::-1], batch.target_in) - model(batch.source, batch.target_in)
    print(f"{name:18} the source turned round changes the logits by {np.abs(change).max():.1e}")

# %% [markdown]
# ### Why both sine and cosine?
#
# Because a sine alone is ambiguous. It is 0.5 on the way up and 0.5 on the way down; what comes *next* is different.
# The hand of a clock has two coordinates for the same reason: with one of them missing you do not know which half of
# the face it points to. Below, each dot is a position; upwards is the sine one step on.

# %%
w = omega[0]                                                                  # the first clock: one radian a step
sine, cosine, next_sine = table[:60, 0], table[:60, 1], table[1:61, 0]

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, width=9, height=4, sharey=True, heading="Where will the sine be one step on?")
axes[0].plot(sine, next_sine, "o", color="#c62828")
axes[0].axvline(0.5, color="black", linewidth=1, linestyle="--")
axes[0].set(xlabel="sin(pω)", ylabel="sin((p + 1)ω)")
axes[1].plot(np.cos(w) * sine + np.sin(w) * cosine, next_sine, "o", color="#2e8b57")
axes[1].set(xlabel="cos ω · sin(pω) + sin ω · cos(pω)")
for axis in axes:
    axis.set_xticks([-1, -0.5, 0, 0.5, 1])
show(figure, "Left: the dots lie on an ellipse, so to a sine of 0.5, where a line is drawn, there belong two next "
     "ones. Right: with the cosine at hand, a fixed mixture of the two is the next sine, and the dots lie on the "
     "diagonal.")

# %% [markdown]
# ### "PE(pos+k) is a linear function of PE(pos)": how?
#
# It says: there is a matrix $R(k)$, the same for *every* position $p$, with $PE_{p+k} = R(k)\,PE_p$. Moving on by $k$
# is a turn of all hands, each by its own angle $k\,\omega_i$, and it does not matter where the hands were before.
#
# **In loops**, one clock at a time: the sine and the cosine of a sum of two angles, as at school,
#
# $$\sin(p\omega + k\omega) = \cos(k\omega)\,\sin(p\omega) + \sin(k\omega)\,\cos(p\omega)$$
# $$\cos(p\omega + k\omega) = \cos(k\omega)\,\cos(p\omega) - \sin(k\omega)\,\sin(p\omega)$$
#
# On the right, $p$ occurs only in the code of $p$; the factors know $k$ alone. That is what "linear" means here.
#
# **In indices**, for the pair $i$ of channels:
#
# $$\begin{pmatrix} PE_{p+k,\,2i} \\ PE_{p+k,\,2i+1} \end{pmatrix} =
# \begin{pmatrix} \cos k\omega_i & \sin k\omega_i \\ -\sin k\omega_i & \cos k\omega_i \end{pmatrix}
# \begin{pmatrix} PE_{p,\,2i} \\ PE_{p,\,2i+1} \end{pmatrix}$$
#
# **In matrices**: $R(k)$ has these blocks along its diagonal and zeros elsewhere. You need not believe it: let least
# squares *look* for a matrix that takes each row of the table two rows further, and see what it finds.

# %%
k = 2
found, *_ = np.linalg.lstsq(table[:-k], table[k:], rcond=None)                # rows: table[p] @ found = table[p + k]
R_found = found.T                                                             # columns: R_found @ PE[p] = PE[p + k]
print(f"largest error over all positions: {np.abs(table[:-k] @ R_found.T - table[k:]).max():.0e}")

# %% jupyter={"source_hidden": true}
show(plot_matrices({"R(2), as least squares found it": R_found}, rows="channel of p + 2", columns="channel of p"),
     "An 8 by 8 matrix with four 2 by 2 blocks on its diagonal and zeros elsewhere. The first block turns by 2 "
     "radians, the next by 0.2, and the last is nearly the unit matrix.")

# %% [markdown]
# **Why it matters.** A head that is to look $k$ places on needs its highest score where the key stands $k$ after the
# query, at whatever position the query is. One matrix does that for all of them: $PE_p^\top R(k)^\top PE_q$. Without
# $R$ the score falls off to both sides alike, because
#
# $$PE_p \cdot PE_{p+k} = \sum_i \big(\sin p\omega_i \sin (p{+}k)\omega_i + \cos p\omega_i \cos (p{+}k)\omega_i\big)
# = \sum_i \cos k\omega_i$$
#
# which is largest at $k = 0$, does not know $p$, and does not know left from right. $R$ shifts the band to the side.
# The paper put it forward as a hypothesis (section 3.5). Trained translators do have heads whose whole work is to
# look at a neighbour (Voita et al. 2019 call them positional).

# %%
T, k, features = 24, 4, 32
codes = SinusoidalPositionalEncoding(features, max_length=5000).table
R, *_ = np.linalg.lstsq(codes[:-k], codes[k:], rcond=None)                    # of k = 4 now, for rows
frequencies = np.arctan2(codes[1, 0::2], codes[1, 1::2])                      # (D/2,): again the angles at position 1
products = codes[:T] @ codes[:T].T                                            # (T, T)
error = max(np.abs(np.diagonal(products, j) - np.cos(j * frequencies).sum()).max() for j in range(T))
print(f"dot products less Σ cos kω: at most {error:.0e}")

# %% jupyter={"source_hidden": true}
show(plot_matrices({"PE PEᵀ": products, "PE R(4)ᵀ PEᵀ": codes[:T] @ R @ codes[:T].T},
                   rows="position of the query", columns="position of the key", shared=True, numbers=False),
     "Two maps of 24 by 24 scores. Left, the brightest band is the diagonal itself; right, with R(4), the same band "
     "lies four places to the right of it, in every row.")

# %% [markdown]
# ### Added together, so that the two can be summed: what does it mean?
#
# No more than this: the code is made as wide as the embedding, $D$ numbers each, because two vectors can only be
# added if they are equally long. The real question is why adding does no harm. You have a number that is 7, and are
# told that it is a sum: of what? With *one* number there is no telling. With many there is. The embeddings of a
# vocabulary and the codes of the positions are a few directions in a space of many, and a linear map that is blind to
# the one kind can still read the other. Here is one, fitted by least squares, that is to read from $e + p$ which of
# ten tokens it is, and another that is to say at which of twenty places it stands.

# %%
def readable(features, tokens=10, places=20):
    """How often linear maps read (token, place) off the sums, every token at every place."""
    e = np.random.default_rng(0).standard_normal((tokens, 1, features))
    p = SinusoidalPositionalEncoding(features, max_length=places).table       # (places, D)
    sums = np.column_stack([(e + p).reshape(-1, features), np.ones(tokens * places)])
    names = np.repeat(np.arange(tokens), places), np.tile(np.arange(places), tokens)
    fits = [np.linalg.lstsq(sums, np.eye(n)[name], rcond=None)[0] for n, name in zip((tokens, places), names)]
    return [float(((sums @ fit).argmax(axis=1) == name).mean()) for fit, name in zip(fits, names)]


for features in (4, 8, 16, 32):
    token, place = readable(features)
    print(f"{features:3} features: the token is read rightly in {token:.0%}, the place in {place:.0%}")

# %% [markdown]
# ### Why not concatenate them?
#
# You may, and it is nearly the same thing. Whatever reads a vector first of all multiplies it by a matrix: $W_Q$,
# $W_K$, $W_V$. Cut the matrix that reads a concatenation into its upper and lower half, and
#
# $$[e;\,p]\begin{pmatrix} W_e \\ W_p \end{pmatrix} = e\,W_e + p\,W_p$$
#
# A concatenation that is read *is* a sum, of two vectors that went through a matrix each. The sum in the paper has
# one matrix for both, $(e + p)\,W$. But $e$ is learned, so training may turn the embeddings any way it likes relative
# to the codes. What concatenation costs is width, and the square of the width in every matrix thereafter.

# %%
e, p = rng.standard_normal((5, 8)), table[:5]
W_e, W_p = rng.standard_normal((8, 3)), rng.standard_normal((8, 3))
joined = np.concatenate([e, p], axis=1) @ np.concatenate([W_e, W_p])          # (5, 16) @ (16, 3)
print(f"[e; p] W less e W_e + p W_p: at most {np.abs(joined - (e @ W_e + p @ W_p)).max():.0e}")
for name, width in {"summed": 512, "concatenated": 1024}.items():
    count = MultiHeadAttention(width, 8, rng).parameter_count()
    print(f"{name:12} width {width:4}: an attention has {count:,} parameters")

# %% [markdown]
# ### Why do the wavelengths grow?
#
# A *wavelength* is the number of positions in a full turn, $2\pi/\omega_i$. It grows for the reason for which a clock
# has more than one hand. A fast hand distinguishes neighbours, but repeats itself soon. A slow hand takes longer than a
# text to repeat itself, but between neighbours it hardly moves. They complement each other, as digits do: the last one
# changes at every step, the first says roughly how large the number is.

# %%
parts = {"fastest hand alone": table[:, :2], "slowest hand alone": table[:, 6:], "all four": table}
for name, channels in parts.items():
    near, far = (np.linalg.norm(channels[q] - channels[0]) for q in (1, 44))
    print(f"{name:19} position 0 is {near:.4f} away from position 1, and {far:.4f} from position 44")

# %% [markdown]
# ### Why 10000?
#
# It is a choice, and the paper gives no reason for it. It sets how slow the slowest hand is: a full turn takes it $2\pi
# \cdot 10000^{(D-2)/D}$ positions. Too small a base, and all hands have gone round before the sequence is over: the
# code still says *near*, but no longer *how far*. Too large, and most hands stand still and carry no information. The
# curves show the mean of $\cos k\omega_i$, which is the dot product divided by $D/2$, for three bases.

# %%
distance, curves = np.arange(0, 513), {}
for name, base in {"base 10": 10.0, "base 10000": 1e4, "base 10⁸": 1e8}.items():
    frequencies = np.geomspace(1, base ** (-62 / 64), 32)                     # from the fastest to the slowest
    curves[name] = np.cos(distance[:, None] * frequencies).mean(axis=1)       # (513,)
    print(f"{name:10}  a full turn of the slowest hand: {2 * np.pi / frequencies[-1]:13,.0f} positions;   "
          f"hands that turn by less than 0.1 radian in 512: {(512 * frequencies < 0.1).mean():.0%}")

# %% jupyter={"source_hidden": true}
figure, axis = panels(width=10, height=3.6)
draw_lines(axis, distance, curves, title="64 features: how alike are two places?", x_name="distance k",
           y_name="mean of cos kω", marker="", legend=None)
axis.legend(frameon=False, ncols=3, loc="upper right")
axis.set_ylim(-0.45, 1.3)
show(figure, "Three curves against the distance. With base 10 the likeness drops to about zero within ten steps and "
     "wavers there; with 10000 it falls, wavering, over hundreds of steps; with a hundred million it stays above a "
     "half nearly everywhere.")

# %% [markdown]
# With base 10, all but the nearest places are about equally far. With 10000 the likeness goes on falling over hundreds
# of places, though not at every step. With $10^8$ half of the hands hardly move. Models for longer texts take larger
# bases, for the same reason (Rozière et al. 2023 go from 10,000 to 1,000,000).
#
# ### Is it learned, is it part of a head?
#
# Neither. The table is computed once and has no parameters. It is added to the embeddings before the first layer,
# outside all heads, and reaches the later layers only because the skip connections carry it up
# ([09](09_what_do_add_and_norm_do.ipynb)). What *is* learned is what heads make of it, in $W_Q$ and $W_K$. One may
# also learn the table itself, a row for each position, like an embedding. The paper tried both and found hardly a
# difference (table 3, row E). But a learned row learns only from sequences that reach it, and where the table ends,
# so does the model.

# %%
sinusoidal, learned = SinusoidalPositionalEncoding(8, max_length=12), LearnedPositionalEncoding(8, rng, max_length=12)
print("parameters of the sinusoidal table:", sinusoidal.parameter_count())
print("parameters of the learned table:   ", learned.parameter_count())
learned(rng.standard_normal((3, 5, 8)))                                       # three sequences of length 5
learned.backward(np.ones((3, 5, 8)))
print("its gradient, a number for each of 12 rows:", learned.weight.grad[:, 0])

# %% [markdown]
# Each of the three sequences used row 0 once, so row 0 collects three gradients; the rows beyond the longest sequence
# collect none.
#
# ## Implement and check
#
# First the table, then the layer in both directions, then the rotation. Stuck? `hint("positional_encoding.table", 1)`
# asks a question; levels 2 to 4 say more; `reveal` shows the package's own source.

# %%
def positional_encoding_table(length, features):
    """length, features (even), two numbers → PE (T, D), positions counted from 0."""
    ...


check("positional_encoding.table", positional_encoding_table)

# %%
def positional_encoding(x):
    """x (B, T, D) → y (B, T, D). You may use your table of above."""
    ...


check("positional_encoding.forward", positional_encoding)

# %% [markdown]
# Backward is the shortest of the course. Think before you write: what of $y = x + PE$ depends on $x$, and how?

# %%
def positional_encoding_backward(d_y, x):
    """d_y, x (B, T, D) → d_x (B, T, D)."""
    ...


check("positional_encoding.backward", positional_encoding_backward)

# %%
hint("positional_encoding.rotation", 1)

# %%
def positional_encoding_rotation(offset, features):
    """offset, which may be negative, and features (even) → R (D, D) with PE[p + offset] = R @ PE[p] for every p."""
    ...


check("positional_encoding.rotation", positional_encoding_rotation)

# %% [markdown]
# ## Break it
#
# The formula has an $i$ that counts pairs and a $2i$ in the exponent. If $i$ counts channels, or if the 2 is forgotten,
# the table looks right and distinguishes positions, but its hands turn at other speeds. A loss curve need not show it.

# %%
def too_slow(length, features):
    angles = np.arange(length)[:, None] * 10000.0 ** (-np.arange(features // 2) / features)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, features)


check("positional_encoding.table", too_slow)

# %% [markdown]
# The next one is worse. The sum is *broadcast* along the wrong axis, and NumPy gives no warning.

# %%
def by_batch(x):
    B, T, D = x.shape
    return x + SinusoidalPositionalEncoding(D).table[:B, None]                # (B, 1, D), and not (T, D)


check("positional_encoding.forward", by_batch)

# %% [markdown]
# Others are seen at once in the map of dot products, because a property breaks: that the likeness of two places
# depends on their distance alone. Take the sines without the cosines, or write the position as a plain number, from 0
# to 1, in one channel. Look along the diagonals.

# %%
sines, number = codes[:T, 0::2], np.arange(T)[:, None] / (T - 1)
maps = {"sines and cosines": products, "sines alone": sines @ sines.T, "a plain number": number @ number.T}

# %% jupyter={"source_hidden": true}
show(plot_matrices(maps, heading="Dot products: is each diagonal of one colour?", rows="position p",
                   columns="position q", numbers=False),
     "Three 24 by 24 maps. With sines and cosines every diagonal has one colour. With sines alone the colour "
     "changes along the diagonal. With a plain number the map is bright in one corner only: late positions are like "
     "everything late.")

# %%
for name, m in maps.items():
    spread = max(np.ptp(np.diagonal(m, j)) for j in range(-T + 1, T))
    print(f"{name:18} largest spread along a diagonal: {spread:.1e}")

# %% [markdown]
# ## Aha
#
# > **No matrix can shift a sine alone. A sine together with its cosine it can shift exactly: the pair is a hand, and it turns.**
#
# Let least squares try both, with as many positions as it likes:

# %%
for name, code in {"sines alone": table[:, 0::2], "sines and cosines": table}.items():
    best, *_ = np.linalg.lstsq(code[:-2], code[2:], rcond=None)               # the best matrix there is, for two steps
    print(f"{name:18} off by up to {np.abs(code[:-2] @ best - code[2:]).max():.0e}")

# %% [markdown]
# Two numbers for one angle look like one too many. But because of them "two places further" is the same operation at
# every place. Rotary embeddings use the same idea (Su et al. 2021), which do not add the hands but turn queries and
# keys by them, so that of two places a score sees the distance alone.
#
# ## Three questions to leave with
#
# 1. $R(k)\,R(m) = R(k+m)$. Say why without multiplying anything. What is $R(-k)$?
# 2. A decoder without any positions, behind a causal mask, reads five tokens that are all the same. Can its first
#    layer tell the third from the fourth? And if only the first token is another, such as the begin token?
# 3. Six symbols that need *not* be distinct, without encoder positions: is the loss at which the model stalls higher
#    than $\log(6!)/6$ or lower, and what must you know to compute it?
#
# <details><summary>Answers</summary>
#
# 1. To turn all hands by $m$ steps and then by $k$ steps is to turn them by $k + m$ steps. $R(-k)$ turns them back: it
#    is the inverse of $R(k)$, and its transpose.
# 2. No: all values are equal, so the mean of three is the mean of four. With another first token it can: the weight of
#    that token is $e^a / (e^a + (t-1)\,e^b)$, which becomes smaller as $t$ grows.
# 3. Lower: symbols that are equal can be exchanged, so there are fewer orders, $6!/\prod_s c_s!$ with $c_s$ for how
#    often symbol $s$ occurs. You must know how the symbols are drawn. For six symbols drawn independently from ten, the
#    mean of the logarithm of that number, divided by 6, is 0.932 nats, in place of 1.097.
#
# </details>
