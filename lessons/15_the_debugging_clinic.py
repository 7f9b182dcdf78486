# %% [markdown]
# # 15 · The debugging clinic
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 55 min · writing 65 min · further 45 min | ●●● | ●●● | [00](00_how_do_i_know_a_gradient_is_right.ipynb), [05](05_back_through_attention.ipynb), [06](06_who_may_look_at_whom.ipynb), [09](09_what_do_add_and_norm_do.ipynb), [10](10_how_is_a_block_built.ipynb), [11](11_how_does_it_learn.ipynb) | all of it |
#
# ## Question
#
# Eight public NumPy Transformers, each with a backward written by hand, were opened and tested before this course was
# written. In seven of them a gradient, a forward or the training was wrong. None came with a gradient check of its
# attention. One holds seven mistakes at once, and still prints plausible German.
#
# So this lesson is a clinic: eight models, A to H, are its *patients*, and the mistake of each is its *disease*. Each
# is a whole Transformer, each trains, and each is wrong. **How do you find the mistake in a model whose loss goes
# down?**
#
# These are the diseases, in the order in which you would meet them in a model. All but *memory* were found in public
# code.
#
# | | what is wrong |
# |---|---|
# | *softmax* | Its backward divides by the number of sentences in the batch. |
# | *keys* | Backward finds the gradient of $K^\top$, and joins its heads as if it were that of $K$. |
# | *mask* | In the decoder's causal mask, True was taken for "hide". |
# | *norm* | LayerNorm's backward takes γ outside of its two means. |
# | *residual* | Around one sublayer, backward forgets the skip. |
# | *dropout* | One dropout object serves all sublayers of a layer, and it has room for one mask only. |
# | *memory* | The gradient of the encoder's output is that of one decoder layer, not the sum over both. |
# | *adam* | Adam corrects its moments by the number of the layer, where the number of the step should stand. |

# %%
import numpy as np

from minitransformer import Transformer, TransformerConfig, gradient_check, layers
from minitransformer.attention import ScaledDotProductAttention, causal_mask, padding_mask
from minitransformer.attention.heads import merge, split
from minitransformer.core import evaluating
from minitransformer.data.batching import make_batch
from minitransformer.data.stream import BatchStream
from minitransformer.data.tasks import make_task
from minitransformer.decoding import evaluate, greedy
from minitransformer.grading import check, hint, reveal
from minitransformer.layers import CrossEntropy
from minitransformer.lessons import predict, show
from minitransformer.models import Decoder
from minitransformer.plotting import draw_bars, draw_lines, panels, plot_matrices
from minitransformer.testing import away_from_initialisation, gradient_error
from minitransformer.training import Adam, train

# %% [markdown]
# ### Do not read the next cell yet
#
# It holds the patients: who has what, and how. Run it, and scroll on. You may come back when you have made your
# diagnosis.

# %%
# ------------------------------------------ DO NOT READ YET: THE PATIENTS ------------------------------------------
def become(model, healthy, sick):
    """Every component of the class `healthy` becomes one of the class `sick`. Its weights stay what they are."""
    for _, component in model.named_modules():
        if type(component) is healthy:
            component.__class__ = sick


class SoftmaxByBatch(layers.Softmax):
    def backward(self, d_y):
        return super().backward(d_y) / len(d_y)


class KeysNotTransposedBack(ScaledDotProductAttention):
    def backward(self, d_y):
        d_query, d_key, d_value = super().backward(d_y)
        B, H, S, K = d_key.shape
        joined = merge(d_key.swapaxes(-1, -2)).reshape(B, S, H * K)      # fits, and is a scramble
        return d_query, split(joined, H), d_value


class MaskWrongWayRound(Transformer):
    def decode(self, target_in, memory, memory_mask):
        mask = ~causal_mask(target_in.shape[1]) & padding_mask(target_in)
        return self.output(self.decoder(self.target_input(target_in), memory, mask, memory_mask))


class GammaOutside(layers.LayerNorm):
    def backward(self, d_y):
        x_hat, sigma = self.saved()
        self.beta.grad += d_y.sum(axis=(0, 1))
        self.gamma.grad += (d_y * x_hat).sum(axis=(0, 1))
        means = d_y.mean(axis=-1, keepdims=True) + x_hat * (d_y * x_hat).mean(axis=-1, keepdims=True)
        return self.gamma.data * (d_y - means) / sigma


class SkipForgotten(layers.Residual):
    def backward(self, d_y):
        return self.sublayer.backward(self.dropout.backward(self.norm.backward(d_y)))


class RoomForOneMask(layers.Dropout):
    def save(self, value):
        self._mask = value

    def saved(self):
        return self._mask


class MemoryOfOneLayer(Decoder):
    def backward(self, d_x):
        for layer in reversed(self.layers):
            d_x, d_memory = layer.backward(d_x)
        return d_x, d_memory


class AdamByLayer(Adam):
    def step(self):
        step, start = self.t + 1, 0
        for name, parameter in self.model.named_parameters().items():
            self.t = 2 if "layers.1" in name else 1
            arrays = self.flat.data, self.flat.grad, self.first_moment, self.second_moment
            self.rule(self.rate(), *(array[start : start + parameter.size] for array in arrays))
            start += parameter.size
        self.t = step


DISEASES = dict(A="memory", B="norm", C="mask", D="keys", E="adam", F="softmax", G="residual", H="dropout",
                healthy="nothing")  # fmt: skip


def patient(name, **changes):
    """A fresh Transformer with the disease of this patient; the same first weights for all."""
    model, disease = Transformer(TransformerConfig(**{**SIZES, **changes}), 0), DISEASES[name]
    if disease == "softmax":
        become(model, layers.Softmax, SoftmaxByBatch)
    if disease == "keys":
        become(model, ScaledDotProductAttention, KeysNotTransposedBack)
    if disease == "mask":
        become(model, Transformer, MaskWrongWayRound)
    if disease == "norm":
        become(model, layers.LayerNorm, GammaOutside)
    if disease == "residual":
        model.decoder.layers[-1].add_norm_3.__class__ = SkipForgotten
    if disease == "dropout":
        become(model, layers.Dropout, RoomForOneMask)
        for layer in model.encoder.layers + model.decoder.layers:
            sublayers = [part for name, part in layer.children() if name.startswith("add_norm")]
            for sublayer in sublayers:
                sublayer.dropout = sublayers[0].dropout
    if disease == "memory":
        become(model, Decoder, MemoryOfOneLayer)
    return model


def optimizer_of(name):
    """The class of the patient's optimizer."""
    return AdamByLayer if DISEASES[name] == "adam" else Adam


# ------------------------------------------------ YOU MAY READ AGAIN ------------------------------------------------

# %% [markdown]
# `patient("A")` is a fresh patient A, and `patient("healthy")` a model without a mistake; all begin with the same
# weights. `optimizer_of("A")` is the class of A's optimizer. The task is to reverse sequences of two to five symbols.

# %%
task = make_task("reverse", symbols=8, min_length=2, max_length=5)
SIZES = dict(source_vocabulary=len(task.vocabulary), d_model=32, heads=2, d_ff=64, encoder_layers=1, decoder_layers=2,
             max_length=8, dropout=0.05)  # fmt: skip
PATIENTS = "ABCDEFGH"
EVERYONE = ["healthy", *PATIENTS]
STEPS = 240

# %% [markdown]
# ## Predict
#
# All eight are trained like the healthy one: the same weights to begin with, the same batches in the same order, the
# same rate. **Which disease will have the best loss curve?** Put its word, in quotes, in place of the dots.

# %%
best = predict("Which disease has the best loss curve?", ...)

# %%
models, losses = {}, {}
for name in EVERYONE:
    model = models[name] = patient(name)
    curve = losses[name] = []
    batches = BatchStream(task, np.random.default_rng(1), batch_size=32)
    train(model, CrossEntropy(padding=0), optimizer_of(name)(model, 3e-3), batches, STEPS,
          hooks=[lambda now, curve=curve: curve.append(now.loss)])  # fmt: skip

final = {name: np.mean(losses[name][-50:]) for name in EVERYONE}
print("mean loss of the last 50 steps:", *(f"{name} {loss:.3f}" for name, loss in final.items()), sep="\n  ")

# %% [markdown]
# ## Picture
#
# Nine curves, each the mean over the last 20 steps. The black one is healthy.

# %%
smooth = {name: np.convolve(losses[name], np.ones(20) / 20, mode="valid") for name in EVERYONE}

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading="Eight of these nine models are wrong", height=4.2)
axes.plot(range(20, STEPS + 1), smooth["healthy"], color="black", linewidth=4, label="healthy")
sick = {name: smooth[name] for name in PATIENTS}
draw_lines(axes, range(20, STEPS + 1), sick, x_name="step", y_name="loss", marker="")
axes.legend(ncols=3, frameon=False)
show(figure, "Nine loss curves. All fall. C's is near zero within half of the training; B's lies on the healthy one's, "
     "E's on it or a little below; A, G and H run a little above it; F and D flatten out higher up.")

# %% [markdown]
# All fall. If you knew one of these curves alone, with no healthy one beside it, which of them would have worried
# you?
#
# So ask for more than the loss: **can the model do its work?** There are two ways to ask. `evaluate` feeds in the
# true tokens and counts the sequences in which every next token is named right. It is quick, and it holds for a model
# that cannot see the future: as long as such a model makes no mistake, it would have written these very tokens
# itself. The other way is slow and takes nothing for granted: let it write (`greedy`), and compare what it wrote.

# %%
source, target = task.sample(np.random.default_rng(0), 200, "validation", distinct=True)
wanted = make_batch(source, target).target_out                           # (200, T), with the end token


def share_written(model):
    """The share of sequences that the model writes without a mistake when it reads nothing but its own tokens."""
    written = np.zeros_like(wanted)
    said = greedy(model, source, wanted.shape[1])
    written[:, : said.shape[1]] = said
    return (written == wanted).all(axis=1).mean()


told = {name: evaluate(models[name], task, count=200)["exact_match"] for name in EVERYONE}
alone = {name: share_written(models[name]) for name in EVERYONE}

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, heading="Sequences that are right to the last token", height=3.0, sharey=True)
draw_bars(axes[0], told, title="the true tokens are fed in", numbers="{:.0%}", y_name="share of 200")
draw_bars(axes[1], alone, title="the model reads what it wrote itself", numbers="{:.0%}")
show(figure, "Two bar charts over the healthy model and the patients. Left, with the true tokens fed in, C is the best "
     "of all, with nearly every sequence right. Right, writing by itself, it has none; the others are as on the left.")

# %% [markdown]
# For eight of the nine the two charts agree to the last sequence. One patient has the best loss, does best when it is
# told the truth, and cannot write a single sequence. Keep it in mind; its turn comes below.
#
# ## Derive
#
# ### How far does a wrong gradient spread?
#
# The next test is the one of [00](00_how_do_i_know_a_gradient_is_right.ipynb): hold every gradient against a central
# difference. It says more than right or wrong. It says *where*, if you know how to read it.
#
# **In loops**, a model is a chain, $x_l = f_l(x_{l-1}, \theta_l)$ for $l = 1 \ldots L$, and backward runs through it
# from the end: for $l = L \ldots 1$, layer $l$ is handed $d_{x_l}$, leaves $d_{\theta_l}$, and hands on $d_{x_{l-1}}$.
#
# **In indices**, what it leaves and what it hands on:
#
# $$d_{\theta_l,i} = \sum_j d_{x_l,j}\,\frac{\partial x_{l,j}}{\partial \theta_{l,i}} \qquad
#   d_{x_{l-1},i} = \sum_j d_{x_l,j}\,\frac{\partial x_{l,j}}{\partial x_{l-1,i}}$$
#
# **In matrices**, with $J_l = \partial x_l/\partial x_{l-1}$, all of it together:
#
# $$d_{\theta_l} = \Big(\frac{\partial x_l}{\partial \theta_l}\Big)^{\!\top} J_{l+1}^\top \cdots J_L^\top\, d_{x_L}$$
#
# Let one layer $k$ hand on something wrong: a wrong matrix stands for $J_k^\top$. It occurs in $d_{\theta_l}$ for every
# $l < k$, and in none for $l \ge k$. So:
#
# *Everything nearer to the loss than the disease is right; everything further away is wrong. Read the report from the
# loss backwards. The disease sits between the last gradient that is right and the first that is wrong.*
#
# A Transformer is not quite a chain. A gradient that goes two ways, into a branch and past it, can be wrong on one of
# them and right on the other. Then the pattern of errors says more.
#
# ### What does the size of the error say?
#
# Little, with one exception. The report prints $\|a - n\| / \max(\|a\|, \|n\|)$, with $a$ from backward and $n$ from
# central differences. If backward is too small by a constant, $a = n/c$, that is $1 - 1/c$ exactly, whatever the
# numbers. So an error that is a simple fraction says something.
#
# ### The pattern of errors of each patient
#
# Each patient is examined as `minitransformer gradcheck` does it: in float64, away from initialisation, with dropout
# on. Three sentences are enough.

# %%
batch = make_batch(source[:3], target[:3])


def examine(name):
    """The gradient check of a fresh patient, away from initialisation."""
    model = away_from_initialisation(patient(name).to("float64"), np.random.default_rng(0))
    return gradient_check(model, batch.source, batch.target_in, max_entries=2)


report = {name: examine(name) for name in EVERYONE}
print(*[line for line in str(report["D"]).split("\n") if "layers.1.cross" in line], sep="\n")

# %% [markdown]
# Those are four lines of one report. Here are all the others: a row for each patient, a column for each part of the
# model, the loss at the left and the source's embedding at the right. White is right, and the redder, the larger the
# relative error. Inside a decoder layer the way back leads through its third norm, the feed-forward network
# (`contract`, `expand`), its second norm, cross-attention, its first norm, and self-attention.

# %%
CROSS = [f"cross_attention.{part}" for part in ("output", "value", "key", "query")]
SELF = [part.replace("cross", "self") for part in CROSS]
ENCODER = ["add_norm_2.norm", "feed_forward.contract", "feed_forward.expand", "add_norm_1.norm", *SELF]
DECODER = ["add_norm_3.norm", *ENCODER[1:3], "add_norm_2.norm", *CROSS, "add_norm_1.norm", *SELF]
PARTS = [
    ("", ["output"]),
    ("decoder, layer 2", [f"decoder.layers.1.{part}" for part in DECODER]),
    ("decoder, layer 1", [f"decoder.layers.0.{part}" for part in DECODER]),
    ("", ["target_input.embedding"]),
    ("encoder", [f"encoder.layers.0.{part}" for part in ENCODER]),
    ("", ["source_input.embedding"]),
]
PLACES = [place for _, places in PARTS for place in places]
SHORT = {"_attention": "", "_input.embedding": " embedding", "add_norm_": "norm ", ".norm": "", "feed_forward.": "",
         ".": " "}  # fmt: skip


def error_at(name, place):
    return max(row.error for row in report[name].rows if row.name.startswith(place))


errors = np.array([[error_at(name, place) for place in PLACES] for name in EVERYONE])  # (9, places)

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading="Which gradients are wrong", width=13, height=5.0)
axes.imshow(np.where(errors > 1e-6, errors, np.nan), cmap="Reds", vmin=-0.3, vmax=1, aspect="auto")
labels = [place.split(".", 3)[-1] if "layers" in place else place for place in PLACES]
for long, short in SHORT.items():
    labels = [label.replace(long, short) for label in labels]
axes.set_xticks(range(len(PLACES)), labels, rotation=90)
axes.set_yticks(range(9), EVERYONE)
axes.grid(False)
axes.hlines(np.arange(0.5, 8), -0.5, len(PLACES) - 0.5, color="lightgrey", linewidth=0.8)
left = -0.5
for part, places in PARTS:
    axes.axvline(left, color="black", linewidth=1)
    axes.text(left + len(places) / 2, -0.7, part, ha="center")
    left += len(places)
axes.set_xlabel("← the loss            on the way back            the source →")
show(figure, "A table of nine rows and 37 columns, red where a gradient is wrong. The healthy model, C and E are white "
     "throughout. In the other rows the left end is white, and red begins at another place in each, or with another "
     "pattern; A is red in the encoder and the source's embedding alone.")

# %% [markdown]
# One of the eight can be recognised by a number, too. Remember that a factor $1/c$ makes an error of exactly $1 - 1/c$,
# and that three sentences were examined. Only the gradients next to the disease can show it; further back, it is mixed
# with others.

# %%
print("relative error of the queries of cross-attention in the decoder's last layer")
for name in "BDFGH":
    print(f"  {name}  {error_at(name, 'decoder.layers.1.cross_attention.query'):.6f}")

# %% [markdown]
# Find, in each row, the last white place on the way back and the first red one. What lies between them? Put a word of
# the table at the top in place of each row of dots. Two rows are white; leave these two patients for the next section.

# %%
diagnosis = {
    "A": predict("What is wrong with patient A?", ...),
    "B": predict("What is wrong with patient B?", ...),
    "D": predict("What is wrong with patient D?", ...),
    "F": predict("What is wrong with patient F?", ...),
    "G": predict("What is wrong with patient G?", ...),
    "H": predict("What is wrong with patient H?", ...),
}

# %%
for name, guess in diagnosis.items():
    print(f"Patient {name}")
    guess.compare(DISEASES[name])

# %% [markdown]
# The evidence, read from the loss backwards:
#
# - **A**: the decoder is right to its end, and the encoder wrong from its start. Between the two lies nothing but the
#   memory's gradient.
# - **B**: the last norm's own γ and β are right, and what lies behind that norm is wrong already: it is the norm that
#   hands on something wrong.
# - **D**: in the last cross-attention the values and the queries are right, the keys wrong. Only $d_{\mathrm{key}}$ can
#   do that.
# - **F**: there the output and the values are right, keys *and* queries wrong. Both come out of $d_{\mathrm{scores}}$,
#   the values do not. The error of the queries is $1 - 1/3$, and there were three sentences.
# - **G**: the whole last feed-forward network is right, so its norm hands on what it should. What goes past the
#   network is lost.
# - **H**: its second norm has a right γ, and the network above was right too, so norms and skips are healthy. Between
#   the second norm and cross-attention there is only dropout left. (The network's own dropout drew last: the one mask
#   that is kept is its own.)
#
# ### Who sees the future?
#
# C and E pass the gradient check to the last digit. A gradient check compares backward with forward. If the *forward*
# is wrong, both are wrong in the same way, and agree.

# %%
diagnosis["C"] = predict("What is wrong with patient C?", ...)
diagnosis["E"] = predict("What is wrong with patient E?", ...)

# %% [markdown]
# What a decoder must not do is to know a token before it has written it. That is a property of forward, and can be
# tested as one: **change one token, and see at which places the answer changes.**

# %%
def influence(model, source, target_in):
    """(T, T): how much the logits of place t change, at most, when the token read at place j is another."""
    changes = np.zeros((target_in.shape[1],) * 2)
    with evaluating(model):
        before = model(source, target_in)
        for j in range(target_in.shape[1]):
            other = target_in.copy()
            other[:, j] = np.where(other[:, j] == 5, 6, 5)
            changes[:, j] = np.abs(model(source, other) - before).max(axis=(0, 2))
    return changes


full = make_batch(source, target)
long = (full.target_in != 0).all(axis=1)                                 # the sequences without padding
seen = {name: influence(models[name], full.source[long], full.target_in[long]) for name in EVERYONE}
for name in EVERYONE:
    print(f"{name:8} influence of later tokens: {np.triu(seen[name], 1).max():.1e}")

# %% jupyter={"source_hidden": true}
show(
    plot_matrices({"healthy": seen["healthy"], "C": seen["C"]}, rows="place t of the answer",
                  columns="place j of the token", row_labels=list(range(6)), column_labels=list(range(6)), shared=True),
    "Two 6 by 6 matrices. The healthy model's is lower triangular: a token changes the answers from its own place on. "
    "C's is upper triangular: a token changes the answers at its own place and before it, most the one just before.",
)  # fmt: skip

# %% [markdown]
# C reads its answer off the future: at place $t$ it reads the token of place $t + 1$, which is the one that it has to
# say. So its loss is near zero, and it has learned nothing useful. When it writes by itself the future is not there.
#
# ### Who steps too far?
#
# E has right gradients and a right forward. There is one thing more: what is done with the gradients. An optimizer
# has no gradient to check, but it has invariants too. Feed Adam **the same gradient at every step**, $g$. Its moments
# are running means of a constant that began at zero,
#
# $$m_t = (1 - \beta_1^t)\,g \qquad v_t = (1 - \beta_2^t)\,g^2$$
#
# and the correction divides by just these brackets (Kingma & Ba 2015, section 3). So $\hat m/\sqrt{\hat v}$ is the
# sign of $g$, and every step is one learning rate long (but for the tiny $\varepsilon$), from the first on.

# %%
def step_lengths(name, rate=1e-3, steps=60):
    """How far each parameter moves at each step, in units of the rate, while its gradient is 1: (steps, parameters)."""
    model = patient(name).to("float64")
    optimizer, lengths = optimizer_of(name)(model, rate), []
    for _ in range(steps):
        before = optimizer.flat.data.copy()
        optimizer.flat.grad[...] = 1
        optimizer.step()
        lengths.append((before - optimizer.flat.data) / rate)
    return np.array(lengths)


lengths = {name: step_lengths(name) for name in EVERYONE}
for name in EVERYONE:
    print(f"{name:8} shortest step {lengths[name].min():.3f}   longest {lengths[name].max():.3f}")

# %%
steps = range(1, 61)
first, second = lengths["E"].T[[0, -1 - models["E"].output.weight.size]]  # parameters of a first and of a second layer

# %% jupyter={"source_hidden": true}
figure, axes = panels(height=3.4)
curves = {"healthy": lengths["healthy"][:, 0], "E, first layers": first, "E, second layer": second}
draw_lines(axes, steps, curves, title="Length of a step while the gradient stays the same", marker="", x_name="step",
           y_name="learning rates")  # fmt: skip
axes.set_ylim(0)
show(figure, "The healthy model's step is 1 throughout. E's steps begin at or below 1, grow within about ten steps to "
     "more than 2 in a first layer and to about 1.6 in a second, then shrink slowly; after 60 they are still too long.")

# %%
for name in "CE":
    print(f"Patient {name}")
    diagnosis[name].compare(DISEASES[name])
print("The best loss curve")
best.compare(DISEASES[min(PATIENTS, key=final.get)])

# %% [markdown]
# E trains at a rate that you did not ask for, and at another one in the second layer than in the first. Here its loss
# is none the worse for it. But no rate and no schedule that you read of in a paper means the same to it.
#
# ## Implement and check
#
# ### Essential
#
# Name it, prove it, **correct it**. There is a cell for each disease. Here are four: one wrong forward, two wrong
# backwards, one wrong optimizer. You have written most of these before; `hint("adam.step", 2)` shows a formula,
# `reveal("adam.step")` the package's source. The sick versions stand in the cell that you were not to read. Now you
# may, and it is worth the comparison.

# %%
def decoder_mask(ids):
    """ids (B, T), 0 is padding → mask (B, 1, T, T), True = may attend: real keys that are not later than the query."""
    ...


check("mask.decoder", decoder_mask)

# %%
def attention_backward(d_context, query, key, value, mask):
    """d_context (B, H, T, K_v), query (B, H, T, K), key (B, H, S, K), value (B, H, S, K_v), mask (B, 1, T, S), of which
    True = may attend → d_query, d_key, d_value, of the shapes of query, key and value.
    """
    ...


check("attention.backward", attention_backward)

# %%
hint("attention.backward", 1)

# %%
def layer_norm_backward(d_y, x, gamma, beta, epsilon):
    """d_y, x (B, T, D), gamma, beta (D,) → d_x (B, T, D), d_gamma, d_beta (D,)."""
    ...


check("layer_norm.backward", layer_norm_backward)

# %%
def adam_step(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    """One step of Adam, `step` counted from 1 → the new parameter, m, v."""
    ...


check("adam.step", adam_step)

# %% [markdown]
# ### Further
#
# You can leave these four out on a first reading: the other four diseases, all of them in a backward.

# %%
def softmax_backward(d_P, scores):
    """d_P, scores (B, T, S) → d_scores (B, T, S)."""
    ...


check("softmax.backward", softmax_backward)

# %%
def post_norm_backward(d_y, sublayer_backward, norm_backward):
    """y = LayerNorm(x + f(x)). d_y (B, T, D), and two functions from d_out to d_in → d_x (B, T, D)."""
    ...


check("residual.post_norm_backward", post_norm_backward)

# %% [markdown]
# The next one is a class: of two forwards, the backward of the second comes first.

# %%
class Dropout:
    """Dropout with probability p, always training, of which one object can stand in two places."""

    def __init__(self, p, rng): ...

    def forward(self, x): ...

    def backward(self, d_y): ...


check("dropout.twice", Dropout)

# %%
def decoder_backward(d_y, layer_backwards):
    """d_y (B, T, D), and for each layer, in forward's order, a function d_y → (d_x, d_memory) → d_x, d_memory."""
    ...


check("decoder.backward", decoder_backward)

# %% [markdown]
# ## Break it
#
# Now break the examination. Each of those below is weaker than the first in one point. To have them all quickly,
# compare with the healthy model this time: it has passed its own check, so its gradients may stand for the differences.

# %%
def gradients(name, prepare, sentences=3, **changes):
    """{parameter: its gradient} of a fresh patient after `prepare`, in float64, under the loss of training."""
    model, loss = patient(name, **changes).to("float64"), CrossEntropy(padding=0)
    prepare(model)
    loss(model(batch.source[:sentences], batch.target_in[:sentences]), batch.target_out[:sentences])
    model.backward(loss.backward())
    return {path: parameter.grad for path, parameter in model.named_parameters().items()}


def worst_error(name, prepare, **options):
    sick, right = gradients(name, prepare, **options), gradients("healthy", prepare, **options)
    return max(gradient_error(sick[path], right[path]) for path in right)


def away(model):
    return away_from_initialisation(model, np.random.default_rng(0))


def first_weights(model):
    return model


def without_dropout(model):
    return away(model).eval()

# %%
EXAMINATIONS = {
    "as above": dict(prepare=away),
    "at initialisation": dict(prepare=first_weights),
    "dropout off": dict(prepare=without_dropout),
    "one sentence": dict(prepare=away, sentences=1),
    "one decoder layer": dict(prepare=away, decoder_layers=1),
}
print(f"{'':20}", *(f"{name:>7}" for name in "ABDFGH"))
for examination, options in EXAMINATIONS.items():
    verdicts = ["passes" if worst_error(name, **options) < 1e-6 else "-" for name in "ABDFGH"]
    print(f"{examination:20}", *(f"{verdict:>7}" for verdict in verdicts))

# %% [markdown]
# In each of the four weaker examinations one patient passes. The same table, read the other way, is the **proof** of a
# diagnosis: remove the one thing that the disease needs, and nothing else, and the examination is passed. γ at 1 for B,
# one decoder layer for A, one sentence for F, no dropout for H.
#
# D and G pass none of these. But beside D's disease, in public code, there stood a test that passed: weights of size
# 0.02, and a comparison with an absolute tolerance, `atol=1e-4`.

# %%
def tiny_weights(model):
    rng = np.random.default_rng(0)
    for parameter in model.parameters():
        if parameter.data.ndim == 2:
            parameter.data[...] = 0.02 * rng.standard_normal(parameter.shape)


right = gradients("healthy", tiny_weights)
for name in "ABDFGH":
    sick = gradients(name, tiny_weights)
    close = np.mean([np.allclose(sick[path], right[path], atol=1e-4) for path in right])
    print(f"{name}  parameters called close: {close:4.0%}   worst error: {worst_error(name, tiny_weights):.2f}")

# %% [markdown]
# Look at D: every one of its gradients is called close, and the worst of them is further from the truth than zeros
# would be. An absolute tolerance is a statement about numbers of size one; these gradients are far smaller. G alone is
# caught by every examination of this lesson. For that disease, any would have done.
#
# ### And the checker?
#
# Two of the diseases, handed to it. One it knows by name. For the other, Adam with the step number of a first layer,
# nobody has given it a name yet, and still it says where to look: `m` and `v` are right, so what is left is the line
# that uses them.

# %%
def untransposed(d_context, query, key, value, mask):
    core = ScaledDotProductAttention()
    core(query, key, value, mask)
    d_query, d_key, d_value = core.backward(d_context)
    return d_query, d_key.swapaxes(-1, -2), d_value                      # d_key is that of Kᵀ: (B, H, K, S)


check("attention.backward", untransposed)

# %%
def first_layer_adam(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat, v_hat = m / (1 - beta_1**1), v / (1 - beta_2**1)
    return parameter - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


check("adam.step", first_layer_adam)

# %% [markdown]
# ## Aha
#
# > **"The loss goes down" is not "the gradients are right", nor is "the gradients are right" "the model is right".**
#
# Rank the patients twice: by their loss, and by how many of their parameters have a wrong gradient.

# %%
wrong = {name: sum(not row.passed for row in report[name].rows) for name in EVERYONE}
worst = {name: max(row.error for row in report[name].rows) for name in EVERYONE}
by_loss = sorted(PATIENTS, key=final.get)
by_gradient = sorted(by_loss, key=wrong.get)
of = len(report["healthy"].rows)
print("          disease      loss  rank   wrong gradients  rank   worst error   writes")
for name in ["healthy", *by_loss]:
    first, second = (by_loss.index(name) + 1, by_gradient.index(name) + 1) if name in PATIENTS else ("", "")
    print(f"{name:10}{DISEASES[name]:10}{final[name]:7.3f}{first:>6}{wrong[name]:>12} of {of}{second:>6}"
          f"{worst[name]:14.1e}{alone[name]:9.0%}")

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading="Two rankings of the same eight models", width=8, height=4.4)
for name in PATIENTS:
    ranks = by_loss.index(name) + 1, by_gradient.index(name) + 1
    colour = "#c62828" if wrong[name] else "#1f6fb4"
    axes.plot([0, 1], ranks, "o-" if wrong[name] else "s--", color=colour, linewidth=2)
    axes.text(-0.05, ranks[0], f"{name}  {DISEASES[name]}  {final[name]:.2f}", ha="right", va="center")
    axes.text(1.05, ranks[1], f"{name}  {wrong[name]} wrong", va="center")
axes.set_xlim(-0.6, 1.5)
axes.set_ylim(8.5, 0.5)
axes.set_xticks([0, 1], ["by loss", "by gradient check"])
axes.set_yticks(range(1, 9))
axes.set_ylabel("rank")
axes.grid(False)
show(figure, "Eight lines between two rankings. The two without a wrong gradient, C and E, are at the top of both. The "
     "lines of the other six cross: B has the best loss of them and the most wrong gradients; D has the worst loss "
     "and fewer wrong gradients than four others.")

# %%
pairs = [(a, b) for a in by_loss for b in by_loss if by_loss.index(a) < by_loss.index(b) and wrong[a] and wrong[b]]
by_count, by_worst = (sum(measure[a] < measure[b] for a, b in pairs) for measure in (wrong, worst))
print(f"Of the {len(pairs)} pairs among the six with wrong gradients, {by_count} are ranked as by the loss;")
print(f"were they ranked by the worst error instead, {by_worst}.")

# %% [markdown]
# At the top of both lists stands C: the best loss, every gradient right, and of all nine models the only one that
# writes not one sequence. Below, the orders disagree in most pairs: B, with the most wrong gradients, has the loss of
# the healthy model, and D, whose last layer is right in everything but its keys, ends last.
#
# That is no law; with six other diseases the lists may agree. The one just does not tell the other. What a wrong
# gradient costs depends on where it points while you train. B's is nearly right as long as γ is nearly 1, and in so
# short a training γ hardly moves:

# %%
def as_trained(model):
    """The weights that B ends with."""
    model.load_state_dict(models["B"].state_dict())


for weights in (first_weights, as_trained, away):
    print(f"B's worst error, {weights.__name__:14} {worst_error('B', weights):.1e}")

# %% [markdown]
# A longer training moves γ further, and the error grows with it.
#
# When a model of yours trains and something looks wrong, make these tests, the cheapest first:
#
# | test | it finds | it does not find |
# |---|---|---|
# | let it write, and compare with teacher forcing | a leak | everything that is merely worse than it could be |
# | change a token, see what moves | a leak, and where | backward |
# | an invariant that needs no reference | what breaks it: Adam's step, a sum that should be zero | all else |
# | a gradient check, away from initialisation | a wrong backward, and where | a wrong forward, a wrong optimizer |
# | the loss | that something is learned | nearly all of the above |
#
# ## Three questions to leave with
#
# 1. A ninth patient has the diseases of G and of H. What does its pattern of errors look like, which of the two do you
#    find first, and what do you do before you look for the second?
# 2. A tenth is fed `target_out` where `target_in` should be: nothing is shifted. Its loss falls like C's. Which of the
#    tests above finds it, and what does the test that changes a token say?
# 3. By plain gradient descent, the queries and keys of F's last cross-attention would learn at a thirty-second of the
#    rate. Adam hides that. Why does it not hide what becomes of everything further from the loss?
#
# <details><summary>Answers</summary>
#
# 1. Like that of G as far as one can see: everything up to the last feed-forward network is right, and its second norm
#    is the first that is wrong. You find *residual* first, because it lies nearer to the loss, and everything behind it
#    is red anyway. Correct it and check again; then the red begins where H's did.
# 2. Let it write: it fails, while its training loss is near zero. The test that changes a token finds nothing. The mask
#    is right, no later token has an influence; the fault is in the data, so compare `target_in` with `target_out`.
# 3. A constant factor in the whole gradient of one parameter is what Adam removes. But the gradient of the layer's
#    input is a *sum*: through the values and the skip at full size, through the queries and keys at a thirty-second.
#    The sum has another direction, and Adam does not correct directions.
#
# </details>
