# %% [markdown]
# # 11 · How does it learn? copy, then reverse
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 45 min · writing 65 min · further 70 min | ●●○ | ●●● | [03](03_what_does_softmax_forget.ipynb), [06](06_who_may_look_at_whom.ipynb), [10](10_how_is_a_block_built.ipynb) | `layers.CrossEntropy`, `training.train`, `Adam`, `Noam` |
#
# ## Question
#
# All parts are there: blocks that go forward, and gradients that come back through every one of them. Put together they
# make a model that is correct and has learned nothing. After ten lines of code that are run a few hundred times, it
# writes sequences backwards that it has never seen. What are these lines, and what is each of them for?

# %%
import numpy as np

from minitransformer.data import EOS, PAD, BatchStream, make_batch, make_task
from minitransformer.decoding import evaluate, greedy
from minitransformer.grading import check, hint, reveal
from minitransformer.inspection import alignment_fractions, attention_weights
from minitransformer.layers import CrossEntropy, Linear
from minitransformer.lessons import predict, show
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.plotting import draw_bars, draw_lines, panels, plot_attention_strip
from minitransformer.training import SGD, Adam, Noam, clip_by_global_norm

D, WARMUP = 48, 100


def new_model(vocabulary=14, seed=0):
    """One encoder layer, one decoder layer, one head."""
    sizes = {"d_model": D, "d_ff": 2 * D, "heads": 1, "encoder_layers": 1, "decoder_layers": 1, "max_length": 16}
    return Transformer(TransformerConfig.preset("toy", source_vocabulary=vocabulary, **sizes), seed)


copy, reverse = (make_task(name, min_length=4, max_length=8) for name in ("copy", "reverse"))
V = len(reverse.vocabulary)
print(V, "tokens:", *reverse.vocabulary.tokens)

# %% [markdown]
# ## Predict
#
# The model is new: its weights are random numbers, and it is to name one of these 14 tokens. Its loss is $-\log p$ of
# the right one ([03](03_what_does_softmax_forget.ipynb)), averaged.

# %%
first_loss = predict("How large is the loss of a new model, before the first step?", ...)
shape = predict("What will the attention look like that reverses: 'diagonal', 'anti-diagonal' or 'stripe'?", ...)
times_as_far = predict("All gradients are multiplied by 100. How many times as far does Adam's first step go?", ...)

# %%
source, target_in, target_out = BatchStream(reverse, np.random.default_rng(1), 64)()
model, loss = new_model(), CrossEntropy(padding=0)
logits = model(source, target_in)                                        # (B, T, V)
value = float(loss(logits, target_out))
s = logits.std()
print(f"ln V = {np.log(V):.3f}    s = {s:.3f}    ln V + s²/2 = {np.log(V) + s**2 / 2:.3f}")
first_loss.compare(value)

# %% [markdown]
# If you said $\ln V$, you were thinking of a model that gives all tokens the same probability. A new model does not:
# its logits are random, with a standard deviation $s$, so it gives some tokens more probability than others, for no
# reason. To be certain of wrong tokens costs more than to give all the same probability. How much more is derived
# below: about $s^2/2$. On one model and one batch this is rough; on the mean over many models it is not.
#
# It is worth computing before every training. A first loss that lies far from it says that something is wrong before
# anything has been learned.
#
# ## Picture
#
# Here is the whole training. Everything after this picture explains a line of it. The package's `train` is the same
# loop, with checks and hooks. Numbers that are chosen and not learned, such as the learning rate, the number of steps
# and the *batch size* (64 here), are called *hyperparameters*. Here each batch is drawn anew. With a fixed list of
# examples, one pass through all of them is called an *epoch*. A model that is right on the examples of its training and
# wrong on new ones is *overfitting*; so we always test on unseen sequences.

# %%
def learn(model, next_batch, optimizer, steps, look=None, moments=()):
    """The losses of all steps, and what `look(model)` saw at some of them."""
    loss, losses, film = CrossEntropy(padding=0), [], []
    for step in range(steps + 1):
        if step in moments:
            film.append((step, look(model)))
        source, target_in, target_out = next_batch()
        model.zero_grad()                                                # gradients add up, so begin with none
        logits = model(source, target_in)                                # (B, T, V)
        losses.append(float(loss(logits, target_out)))
        model.backward(loss.backward())                                  # every parameter gets its gradient
        clip_by_global_norm(model, 1.0)                                  # no step is too long
        optimizer.step()                                                 # every parameter moves a little
    return losses, film

# %% [markdown]
# First it learns to **copy**: 3 1 4 → 3 1 4. Then a new model learns to **reverse**: 3 1 4 → 4 1 3. While it learns we
# film where its decoder looks in the source, for one sequence that it is not trained on.

# %%
def look_at(task):
    """A function that shows a model's cross-attention on a sequence of this task, and the tokens along its axes."""
    drawn = zip(*task.sample(np.random.default_rng(0), 2000, "validation"))
    source, target = next((s, t) for s, t in drawn if len({*s, PAD}) == 9)         # 8 different tokens
    target = np.append(target, EOS)
    names = [[task.vocabulary.tokens[i] for i in ids] for ids in (source, target)]
    return (lambda model: attention_weights(model, source, target)["cross"]), source, target, names


copier, reverser = new_model(), new_model()
stream = BatchStream(copy, np.random.default_rng(1), 64)
losses_copy, _ = learn(copier, stream, Adam(copier, Noam(D, WARMUP, factor=0.5)), 250)

look, example, answer, (source_names, target_names) = look_at(reverse)
stream = BatchStream(reverse, np.random.default_rng(1), 64)
moments = (0, 30, 60, 120, 250, 700)
losses_reverse, film = learn(reverser, stream, Adam(reverser, Noam(D, WARMUP, factor=0.5)), 700, look, moments)
print("right to the last token, of 500 unseen sequences:",
      f"copy {evaluate(copier, copy, count=500)['exact_match']:.0%},",
      f"reverse {evaluate(reverser, reverse, count=500)['exact_match']:.0%}")

# %% jupyter={"source_hidden": true}
show(
    plot_attention_strip(film, source_names, target_names, heads=[1], mean=False),
    "Six square maps from step 0 to step 700; rows are the tokens written, columns those of the source. At first all "
    "is a haze; by and by a band gathers from the bottom left to the top right, its two ends before its middle; at the "
    "end it is one bright cell wide, along the anti-diagonal.",
)

# %%
n, P = len(example), film[-1][1][0, 0]                                   # P (T, S): the last map of the film
shape.compare("anti-diagonal" if np.trace(P[:n, ::-1]) > np.trace(P[:n]) else "diagonal")
for name, m, task in (("copy", copier, copy), ("reverse", reverser, reverse)):
    share = alignment_fractions(m, task)["layer 1 head 1"]
    print(f"{name:8} looks hardest at the token it needs in {share:.0%} of the rows")

# %% [markdown]
# No label said where to look. The loss says which token would have been right, nothing else; and to predict the first
# token of the answer, the last token of the source is the useful one. So the row that writes token $t$ looks at place
# $n - 1 - t$, both counted from 0. Copying is the same with the diagonal.

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, heading="The loss while it learns", sharey=True)
for axis, name, losses in zip(axes, ("copy", "reverse"), (losses_copy, losses_reverse)):
    draw_lines(axis, range(len(losses)), {name: losses}, title=name, x_name="step", y_name="loss", log="y", marker="")
    axis.axhline(np.log(V), color="grey", linestyle=":")
    axis.text(0.98, np.log(V), "ln V", transform=axis.get_yaxis_transform(), ha="right", va="bottom", fontsize=10)
show(figure, "Two loss curves on a logarithmic axis, from above ln V down by two orders of magnitude, in small jumps.")

# %% [markdown]
# ## Derive
#
# ### What is "shifted right"?
#
# A sequence $y_1 \dots y_n$ has the probability
#
# $$p(y \mid x) = \prod_{t} p(y_t \mid y_1 \dots y_{t-1}, x)$$
#
# so the model is asked for one token at a time, and may use those before it. **In loops**: for each $t$ hand it the
# first $t - 1$ tokens and ask for the next one. As there must be something to read before the first token, every
# sequence begins with `<bos>`; as there must be something to say after the last, it ends with `<eos>`.
#
# **In indices**: what is read at place $t$ is what was to be said at place $t - 1$. So write the same tokens twice,
# once moved one place to the right:

# %%
batch = make_batch(example[None], answer[None, :-1])                     # of one sentence
tokens = reverse.vocabulary.tokens

# %% jupyter={"source_hidden": true}
def draw_tokens(axes, y, name, tokens, colour):
    axes.text(-0.8, y, name, ha="right", va="center", fontsize=11)
    for x, token in enumerate(tokens):
        box = {"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": "none"}
        axes.text(x, y, token, ha="center", va="center", fontsize=11, bbox=box)


figure, axes = panels(heading="One sequence, twice: what is read, and what is to be said", height=2.4)
draw_tokens(axes, 1, "target_in, read", [tokens[i] for i in batch.target_in[0]], "#d7e6f4")
draw_tokens(axes, 0, "target_out, said", [tokens[i] for i in batch.target_out[0]], "#fbe3cd")
for t in range(n):
    axes.annotate("", (t + 0.85, 0.8), (t + 0.15, 0.2), arrowprops={"arrowstyle": "->", "color": "#9aa5b1"})
axes.set(xlim=(-2.6, n + 0.6), ylim=(-0.4, 1.4))
axes.axis("off")
show(figure, "Two rows of nine tokens. The upper begins with bos, the lower ends with eos; arrows lead from each token "
     "of the lower row to the next place of the upper one, where the same token stands.")

# %% [markdown]
# **In matrices** the loop disappears. The causal mask ([06](06_who_may_look_at_whom.ipynb)) hides from place $t$
# whatever stands behind it, so one pass over the whole row gives what $n + 1$ passes over its beginnings would give:

# %%
whole = reverser(batch.source, batch.target_in)[0]                       # (T, V): one pass
one_by_one = [reverser(batch.source, batch.target_in[:, : t + 1])[0, -1] for t in range(n + 1)]
reverser.clear_saves()
print("largest difference", np.abs(whole - np.stack(one_by_one)).max())

# %% [markdown]
# The model reads the *true* tokens, not those that it would have said itself. That is **teacher forcing** (Williams &
# Zipser 1989). It is what allows one pass: place 5 need not wait for the answer of place 4. The price is that in
# training it never reads its own mistakes; when it speaks by itself ([12](12_how_does_it_speak.ipynb)), it must.
#
# ### Which loss?
#
# Sequences of a batch have different lengths, and the shorter ones are padded. **In loops**: go through all places,
# pass over those whose target is padding, add $-\log p$ of the others, divide by how many they were. **In indices**,
# with $r_n = 1$ where target $n$ is real and $N = \sum_n r_n$:
#
# $$L = -\frac1N \sum_n r_n \log P_{n\,t_n}$$
#
# $N$ counts real tokens, not places. Otherwise the loss of a batch would depend on how far it is padded.
#
# **Label smoothing** (Szegedy et al. 2016; the paper, section 5.4) asks for a little less than certainty. In place of
# the one-hot target stands $q = (1 - \varepsilon)\,\mathrm{onehot} + \varepsilon / V$. The loss and its gradient are
#
# $$L = -\frac1N \sum_n r_n \sum_v q_{nv} \log P_{nv} \qquad d_{\mathrm{logits}} = \frac{r\,(P - q)}{N}$$
#
# *What was believed, minus what was asked for*, as in lesson 03; only that $q$ can be reached now, at finite logits.
# Where it is reached the gradient is zero, but the loss is not: it is the entropy of $q$, and no model gets below it.

# %%
gaps = np.linspace(0, 12, 121)                                           # the right logit, above the others
one_row = np.where(np.arange(V) == 5, gaps[:, None], 0.0)                # (121, V)
epsilons = (0, 0.1, 0.2)
curves = {f"ε = {e}": [float(CrossEntropy(e)(row[None], np.array([5]))) for row in one_row] for e in epsilons}

# %% jupyter={"source_hidden": true}
figure, axes = panels(height=3.4)
draw_lines(axes, gaps, curves, x_name="right logit minus the others", y_name="loss", marker="",
           title="How sure should it be?")
for e in (0.1, 0.2):
    best = np.log((1 - e + e / V) / (e / V))
    q = np.where(np.arange(V) == 5, 1 - e + e / V, e / V)
    axes.plot(best, -(q * np.log(q)).sum(), "o", color="black", markersize=5)
    print(f"ε = {e}: best at {best:.2f}, where the loss is the entropy of q, {-(q * np.log(q)).sum():.3f}; there P = q")
show(figure, "Loss against the gap between the right logit and the others. Without smoothing it falls for ever; with "
     "it, each curve has a lowest point, marked by a dot, and rises again behind it.")

# %% [markdown]
# ### The first loss
#
# Let the new model's logits be random with spread $s$, and know nothing of the target. Then
#
# $$L = \Big\langle \ln \sum_v e^{x_v} \Big\rangle - \langle x_t \rangle
# \approx \ln\big(V\,\langle e^{x} \rangle\big) - 0 = \ln V + \frac{s^2}{2}$$
#
# because a sum over many tokens hardly varies, and the mean of $e^x$ over a normal $x$ of spread $s$ is $e^{s^2/2}$.
# And $s$ can be known too: what enters the last matrix $W$ (D, V) comes from a LayerNorm, so its features have size 1,
# and new weights are drawn with the variance $2/(D + V)$ (*Xavier*: Glorot & Bengio 2010). A sum of $D$ such products
# has $s^2 = 2D/(D+V)$.

# %%
def first_losses(vocabulary, models=12):
    """The first losses of some new models, on random tokens."""
    ids = np.random.default_rng(0).integers(4, vocabulary, size=(3, 64, 8))
    return [float(CrossEntropy(padding=0)(new_model(vocabulary, seed)(ids[0], ids[1]), ids[2])) for seed in range(models)]


vocabularies = np.array([14, 30, 60, 120, 250, 500, 1000, 2000])
excess = [np.mean(first_losses(int(size))) - np.log(size) for size in vocabularies]
half_s2 = D / (D + vocabularies)                                         # s²/2, with s² = 2D / (D + V)

# %% jupyter={"source_hidden": true}
figure, axes = panels(height=3.4)
draw_lines(axes, vocabularies, {"predicted: s²/2": half_s2}, marker="", colours={"predicted: s²/2": "black"}, log="x",
           title="What a new model pays above ln V", x_name="V, tokens in the vocabulary", y_name="loss minus ln V")
axes.plot(vocabularies, excess, "o", markersize=8, label="measured: mean of 12 models")
axes.legend(frameon=False)
axes.set_ylim(bottom=0)
show(figure, "First loss minus ln V against the size of the vocabulary: the measured dots lie close to the predicted "
     "curve, which falls from three quarters at 14 tokens to nearly zero at 2000.")

# %%
for size, *row in zip(vocabularies, np.log(vocabularies), half_s2, excess):
    print("V = {:4}   ln V = {:.3f}   s²/2 = {:.3f}   measured {:.3f}".format(size, *row))

# %% [markdown]
# ### What does Adam do with a gradient?
#
# SGD moves each parameter by $-\eta\,g$: the larger the gradient, the longer the step. But gradients are not of one
# size, and no single $\eta$ suits all of them:

# %%
model.zero_grad()
loss(model(source, target_in), target_out)
model.backward(loss.backward())
sizes = {name: np.sqrt((p.grad**2).mean()) for name, p in model.named_parameters().items()}
for name in ("decoder.layers.0.cross_attention.query.weight", "target_input.embedding.weight", "output.weight"):
    print(f"{sizes[name]:.4f}  {name}")

# %% [markdown]
# Adam (Kingma & Ba 2015) keeps two running means for each parameter, of the gradient and of its square, and divides:
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\,g \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\,g^2 \qquad
# \theta \leftarrow \theta - \eta\,\frac{\hat m}{\sqrt{\hat v} + \epsilon}$$
#
# **Why the hats?** Both begin at zero, and a mean that begins at zero is too small at first. Unrolled, after $t$ steps,
#
# $$m_t = (1 - \beta_1) \sum_{i=1}^{t} \beta_1^{\,t-i}\, g_i$$
#
# and for a gradient that stays the same, the geometric sum gives $m_t = (1 - \beta_1^t)\,g$. The factor is known, so
# divide by it: $\hat m = m / (1 - \beta_1^t)$, and $\hat v = v / (1 - \beta_2^t)$ likewise. Then the first step is
# $\hat m / \sqrt{\hat v} = g / |g| = \pm 1$, times $\eta$: whatever has a gradient moves by the same distance.
#
# Without the hats it would be $(1 - \beta_1) / \sqrt{1 - \beta_2}$ times as long. The package's `Adam` holds the bare
# moments, so both can be had from one step of it:

# %%
def first_step(beta1, beta2):
    """How far the first step goes, in units of η: with the correction, and without."""
    layer, rng = Linear(20, 30, np.random.default_rng(0)).to("float64"), np.random.default_rng(1)
    optimizer = Adam(layer, 1.0, beta1, beta2)
    layer.weight.grad[...] = rng.standard_normal((20, 30))
    before = layer.weight.data.copy()
    optimizer.step()
    m, v = optimizer.first_moment[:600], optimizer.second_moment[:600]
    return np.abs(layer.weight.data - before).mean(), np.abs(m / np.sqrt(v)).mean()


for beta2 in (0.999, 0.98):
    corrected, bare = first_step(0.9, beta2)
    formula = (1 - 0.9) / np.sqrt(1 - beta2)
    print(f"β₁ = 0.9, β₂ = {beta2:5}:  corrected {corrected:.4f}  bare {bare:.4f}  (1 − β₁)/√(1 − β₂) = {formula:.4f}")

# %% [markdown]
# With the usual $\beta_2 = 0.999$ the bare step is $\sqrt{10}$ times too long; with the paper's $\beta_2 = 0.98$ it
# is too short. And the first step is not the worst: while $m$ has nearly caught up, $v$ has not.

# %%
t = np.arange(1, 501)
bare = {f"β₂ = {beta2}": (1 - 0.9**t) / np.sqrt(1 - beta2**t) for beta2 in (0.999, 0.98)}
rates = {f"warm-up {warmup}": [Noam(512, warmup)(step) for step in range(1, 12001)] for warmup in (1000, 4000, 8000)}

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, height=3.6)
draw_lines(axes[0], t, bare, x_name="step", y_name="bare step / corrected step", marker="", log="x",
           title="What bias correction takes off")
axes[0].axhline(1, color="grey", linestyle=":")
draw_lines(axes[1], range(1, 12001), rates, x_name="step", y_name="learning rate", marker="", title="Noam, D = 512")
axes[1].set_xticks((0, 4000, 8000, 12000))
show(figure, "Left: the length of an uncorrected step over that of a corrected one; for 0.999 it begins at 3.2, rises "
     "above 6 after some ten steps and sinks slowly towards 1; for 0.98 it stays below 2. Right: three learning rates "
     "that rise in a straight line and fall like 1/√step.")

# %%
for name, ratio in bare.items():
    print(f"{name}: {ratio[0]:.3f} at step 1, largest at step {ratio.argmax() + 1}: {ratio.max():.2f}")

# %% [markdown]
# ### Why does the learning rate rise before it falls?
#
# At the first step each parameter moves by the full $\eta$, whether its gradient was large or was noise: $v$ knows of
# one gradient only, and divides it by itself. As long as $v$ knows little, steps should be small (Liu et al. 2020 make
# an optimizer of this thought, RAdam). The paper's
# schedule (section 5.3, eq. 3), named after Noam Shazeer, rises in a straight line over a warm-up of $w$ steps and
# falls with $t^{-1/2}$ from there on:
#
# $$\eta(t) = D^{-1/2}\,\min\big(t^{-1/2},\; t\,w^{-3/2}\big)$$
#
# The odd exponent is what makes the two meet: at $t = w$ the line is $w \cdot w^{-3/2} = w^{-1/2}$, the other branch
# too. The peak is $1/\sqrt{D\,w}$ (our trainings take half of it all, `factor=0.5`). Post-norm models need the warm-up
# more than others do (Xiong et al. 2020).
#
# The one line of the loop that is left is **clipping** (Pascanu et al. 2013): if the norm of *all* gradients together
# is above a limit, all are multiplied by the same number, so that the direction stays and the length becomes the limit.
#
# ## Implement and check
#
# ### Essential
#
# Five functions, the parts of the loop. `hint("adam.step", 1)` asks a question; 2 is the formula, 3 the steps, 4 one
# line; `reveal` shows the package's own source.

# %%
def shift_right(target):
    """target (B, T) padded ids → target_in, target_out, both (B, T+1), with BOS (1) and EOS (2)."""
    ...


check("teacher_forcing.shift", shift_right)

# %%
def label_smoothing(logits, targets, smoothing):
    """logits (B, T, V), targets (B, T), 0 is padding → the mean loss over real targets, a number."""
    ...


check("label_smoothing.forward", label_smoothing)

# %%
def label_smoothing_backward(logits, targets, smoothing):
    """logits (B, T, V), targets (B, T), smoothing ε → d_logits (B, T, V)."""
    ...


check("label_smoothing.backward", label_smoothing_backward)

# %%
def adam_step(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    """→ the new parameter, m and v; `step` counts from 1. What is handed in stays as it is."""
    ...


check("adam.step", adam_step)

# %%
hint("adam.step", 1)

# %%
def noam_rate(step, d_model, warmup):
    """→ the learning rate of a step, counted from 1."""
    ...


check("noam.rate", noam_rate)

# %% [markdown]
# ### Further
#
# You can leave these five out on a first reading: no later lesson needs them.
#
# SGD with *momentum* moves by $-\eta\,u$, where the velocity $u \leftarrow \mu\,u + g$ remembers earlier gradients.
# AdamW (Loshchilov & Hutter 2019) takes the share $\eta\lambda$ of each parameter away before Adam's step: *weight
# decay*. A cosine in place of Noam's root falls from peak to floor as $(1 + \cos \pi r)/2$ does, where $r$ goes from 0
# at the end of the warm-up to 1 at step `total`. And at last the whole update of a model, in place.

# %%
def sgd_step(parameter, gradient, velocity, learning_rate, momentum):
    """→ the new parameter, the new velocity."""
    ...


check("sgd.step", sgd_step)

# %%
def clip_norm(d_W, d_b, largest):
    """d_W (D, F), d_b (F) → both, scaled so that their joint norm is at most `largest`."""
    ...


check("clip.norm", clip_norm)

# %%
def adamw_step(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay):
    """→ the new parameter, m and v; the decay passes by the moments."""
    ...


check("adamw.step", adamw_step)

# %%
def cosine_rate(step, peak, total, warmup, floor):
    """→ the learning rate of a step: a warm-up to the peak, half a cosine down to the floor at step `total`."""
    ...


check("cosine.rate", cosine_rate)

# %%
def update_all(parameters, gradients, m, v, step, d_model, warmup):
    """Dicts {name: array}, all changed in place: one step of Adam at Noam's rate, and the gradients zero afterwards."""
    ...


check("update.all", update_all)

# %% [markdown]
# ## Break it
#
# ### Adam without bias correction
#
# The warm-up and $\beta_2 = 0.98$ make the mistake almost harmless: a model that is trained without the correction
# learns to reverse all the same, and its loss curve shows nothing. The checker does:

# %%
def adam_without_hats(parameter, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    return parameter - learning_rate * m / (np.sqrt(v) + epsilon), m, v


check("adam.step", adam_without_hats)

# %% [markdown]
# ### Nothing is shifted
#
# Now the decoder reads `target_out` itself: at place $t$ stands the token that it is to say at place $t$, and the
# causal mask lets every place see itself. Same model, same task, same steps:

# %%
stream = BatchStream(reverse, np.random.default_rng(1), 64)


def unshifted():
    source, _, target_out = stream()
    return source, target_out, target_out


cheat = new_model()
losses_cheat, _ = learn(cheat, unshifted, Adam(cheat, Noam(D, WARMUP, factor=0.5)), 150)
right = {name: evaluate(m, reverse, count=500)["exact_match"] for name, m in
         (("shifted, 700 steps", reverser), ("not shifted, 150 steps", cheat))}

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, height=3.4)
steps = range(151)
draw_lines(axes[0], steps, {"shifted": losses_reverse[:151], "not shifted": losses_cheat}, x_name="step",
           y_name="training loss", log="y", marker="", title="the loss says: much better")
draw_bars(axes[1], right, y_name="share of unseen sequences", numbers="{:.0%}", title="reversed without a mistake",
          colours={"not shifted, 150 steps": "#d9730d"})
show(figure, "Left, the training loss: not shifted falls far below shifted. Right, the share of sequences reversed: "
     "nearly all by the model that was trained shifted, none by the other.")

# %%
for name, m in (("shifted", reverser), ("not shifted", cheat)):
    written = greedy(m, example[None], 10)[0]
    print(f"{name:12}", *source_names, "→", *[tokens[i] for i in written if i != PAD])

# %% [markdown]
# The loss is nearly zero, and the model is useless: it has learned to repeat its input. When it has to write, there is
# nothing to read yet but `<bos>`. (The bars compare it with a model of more steps. More steps would not help it: its
# loss is nearly zero already.) **A loss that is too low is a warning.** Ask first what the model could see.
#
# ### Every gradient, a hundred times
#
# One mistake in a factor, such as a sum in place of a mean, makes every gradient 100 times too large. First one step,
# then a training, with Adam and with SGD, and no clipping, which would hide it.

# %%
def train_scaled(make, scale, steps=60):
    """Losses of learning to copy, every gradient multiplied by `scale`; until they are not finite any more."""
    model, losses, loss = new_model(), [], CrossEntropy(padding=0)
    optimizer, next_batch = make(model), BatchStream(copy, np.random.default_rng(1), 32)
    while len(losses) < steps and (not losses or losses[-1] < 1e3):
        source, target_in, target_out = next_batch()
        model.zero_grad()
        losses.append(float(loss(model(source, target_in), target_out)))
        before = model.flat_buffers().data.copy()
        model.backward(scale * loss.backward())
        optimizer.step()
        if len(losses) == 1:
            distance = np.linalg.norm(model.flat_buffers().data - before)
    return losses, distance


makers = {"Adam": lambda m: Adam(m, Noam(D, WARMUP, factor=0.5)), "SGD": lambda m: SGD(m, 0.1)}
runs = {(name, scale): train_scaled(make, scale) for name, make in makers.items() for scale in (0.01, 1, 100)}

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, heading="Every gradient multiplied by …", sharey=True)
for axis, name in zip(axes, makers):
    for scale, style in ((0.01, ":"), (1, "-"), (100, "--")):
        losses, _ = runs[name, scale]
        axis.plot(losses, style, linewidth=2.5, label=f"× {scale}")
    axis.set(title=name, xlabel="step", ylabel="loss", ylim=(0, 6))
    axis.legend(frameon=False, loc="lower left")
show(figure, "Losses over 60 steps. Adam: three curves that lie on each other. SGD: the plain one falls, the one with "
     "a hundredth hardly moves, the one with a hundred times leaves the picture at once.")

# %%
for name in makers:
    print(f"{name:5} first step, × 100 against × 1: {runs[name, 100][1] / runs[name, 1][1]:.4g} times as far")
print(f"largest difference of Adam's losses: {np.abs(np.subtract(runs['Adam', 1][0], runs['Adam', 100][0])).max():.1e}")
times_as_far.compare(runs["Adam", 100][1] / runs["Adam", 1][1])

# %% [markdown]
# ## Aha
#
# > **Adam hardly depends on the scale of the gradients.**
#
# Multiply every gradient by $c$, and $\hat m$ becomes $c\,\hat m$ and $\sqrt{\hat v}$ becomes $c\sqrt{\hat v}$: the
# quotient does not change. Only $\epsilon$ and rounding make a difference, so the curves above differ very little. This
# makes Adam easy to use, and useless as a test: a gradient that is wrong by a constant factor trains as well as the
# right one. The loss goes down, and the gradient is wrong. Only a gradient check
# ([00](00_how_do_i_know_a_gradient_is_right.ipynb)) can tell.
#
# ## Three questions to leave with
#
# 1. Clipping multiplies all gradients by one number, and Adam does not care for a number. If every single step is
#    clipped, what does clipping change?
# 2. With label smoothing the training loss of this lesson could not fall below a number that you have seen. For a
#    vocabulary of 37,000 tokens and $\varepsilon = 0.1$, is that number larger or smaller, and what does it say about
#    comparing losses of two papers?
# 3. The model has read nothing but true tokens in all its training. In decoding it makes one mistake in the third
#    token. What does it know about sequences with a mistake in them?
#
# <details><summary>Answers</summary>
#
# 1. The number is another one at each step. After clipping all gradients have the same length, so in Adam's running
#    means each batch counts equally. Without it, a batch with a large gradient counts more.
# 2. Larger: it is the entropy of $q$, 0.547 nats for 14 tokens and 1.377 for 37,000. Losses can be compared only if
#    $\varepsilon$ and the vocabulary are the same.
# 3. Nothing from training. After the mistake it reads a beginning of a kind that it has never met. Whether it recovers
#    is a matter of how well it generalises.
#
# </details>
