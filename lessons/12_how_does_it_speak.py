# %% [markdown]
# # 12 · How does it speak?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 45 min · writing 30 min | ●●○ | ●●● | [06](06_who_may_look_at_whom.ipynb), [10](10_how_is_a_block_built.ipynb), [11](11_how_does_it_learn.ipynb) | `decoding.greedy`, `beam_search`, `sample`, `layers.Cache` |
#
# ## Question
#
# A trained model gives a score to every token that might come next. That is not yet a sentence. By which rule is a
# token chosen, and when does the sentence end? Every word that it writes becomes part of what it reads. Must it read
# everything again for each new word?

# %%
import numpy as np

from minitransformer.attention import ScaledDotProductAttention, causal_mask
from minitransformer.core import Module, evaluating, no_grad, observe
from minitransformer.data.vocabulary import BOS, EOS
from minitransformer.decoding import beam_search, distribution, greedy, hypotheses, sample
from minitransformer.grading import check, hint, reveal
from minitransformer.layers.cache import copied
from minitransformer.lessons import predict, show
from minitransformer.plotting import draw_bars, draw_lines, panels, plot_matrices
from minitransformer.runs import Run
from minitransformer.study.clock import medians
from minitransformer.testing import count_products

# %% [markdown]
# ## Predict
#
# The model comes with the package: two layers, trained to say English numbers in German. To write one token it must
# know the scores that follow everything written so far. *Without a cache*, it sends all of that through the decoder
# again, for every token. *With a cache*, it sends the newest token alone, and takes what it needs of the others from
# memory.

# %%
ratio = predict("Without a cache, how many times as much work is the 64th token as with one?", ...)
longer = predict("Without a cache, how many times as much work are 64 tokens in all as 32 tokens?", ...)

# %% [markdown]
# ## Picture
#
# First, let it speak. Every model of the package knows two words: `start(source)` reads the source and returns a
# *state*; `step(ids, state)` takes the newest token and returns the scores (*logits*) of what comes next, and a new
# state. The first token is BOS, "begin of sequence", and when the model chooses EOS, "end of sequence", it has
# finished.

# %%
run = Run.open("numbers-en-de")
vocabulary, model = run.vocabulary, run.model.to("float64").eval()


def speak(source, step, most=16):
    """Take the likeliest token each time, until EOS. Returns the ids written."""
    ids, state, written = np.array([BOS]), model.start(source), []
    while len(written) < most and EOS not in written:
        logits, state = step(ids, state)                                 # (1, V)
        ids = logits.argmax(axis=-1)                                     # (1,)
        written.append(int(ids[0]))
    return written


english = "one hundred and twenty-three thousand, four hundred and fifty-six"
source = vocabulary.encode(english)[None]                                # (1, S)
written = speak(source, model.step)
print(len(written), "tokens:", " · ".join(vocabulary.tokens[i] for i in written))

# %% [markdown]
# Now watch the layer that makes keys, in the decoder's first self-attention, in both ways of writing. Each row is one
# step, each column a position of the answer. Bright: its key is computed in this step. Half-bright: it is there
# already.

# %%
target_in = np.array([[BOS, *written[:-1]]])                             # (1, T): what has been read, step by step
memory, memory_mask = model.encode(source)
computed = {"without a cache": [], "with a cache": []}


def watch(into):
    """Inside, note how many positions go into the layer that makes the keys."""

    def note(path, component, inputs, output):
        if path == "decoder.layers.0.self_attention.key":
            into.append(inputs[0].shape[1])

    return observe(model, on_forward=note)


T = len(written)
with evaluating(model), watch(computed["without a cache"]):
    for t in range(1, T + 1):
        model.decode(target_in[:, :t], memory, memory_mask)
with watch(computed["with a cache"]):
    speak(source, model.step)

# %%
maps, (step, position) = {}, np.indices((T, T))
for name, counts in computed.items():
    print(f"{name:16} positions sent in, step by step: {counts}, in all {sum(counts)}")
    new = position > step - np.array(counts)[:, None]
    maps[name] = np.where(position > step, 0.0, np.where(new, 1.0, 0.45))

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(maps, numbers=False, shared=True, rows="step", columns="position"),
    "Two triangles of 12 steps by 12 positions. Without a cache all of the triangle is bright: every step computes "
    "every key again. With a cache only the diagonal is bright, and what lies before it is half-bright: kept.",
)

# %% [markdown]
# Without a cache the number of computed keys grows with the square of the length, with a cache in proportion to the
# length. The rest of the lesson is about why a cache is allowed, and what to do with the scores.
#
# ## Derive
#
# The model gives $p(y_t \mid y_1 \dots y_{t-1}, X)$, one step at a time. The probability of a sentence is a product,
# and its logarithm a sum:
#
# $$\log p(Y \mid X) = \sum_{t=1}^{|Y|} \log p(y_t \mid y_1 \dots y_{t-1}, X)$$
#
# There are $V^{|Y|}$ sentences of that length, too many to try them all. *Decoding* means to choose one with few
# evaluations.
#
# ### Greedy, and why it is not always best
#
# **Greedy** takes the likeliest token each time. That need not lead to the likeliest sentence: a probable first word
# may be followed by improbable ones only. Here is a language small enough to see all of it: nine sentences, every
# probability written down. It has `start` and `step`, so the package decodes it as it decodes a Transformer.

# %%
TREE = {
    (): {"some": 0.6, "owls": 0.4},
    ("some",): {"owls": 0.37, "birds": 0.35, "bats": 0.28},
    ("owls",): {"fly": 0.55, ".": 0.45},
    **{("some", who): {"fly": 0.55, "sleep": 0.45} for who in ("owls", "birds", "bats")},
    ("owls", "fly"): {"far": 0.8, ".": 0.2},
}
WORDS = ["<pad>", "<bos>", ".", "<unk>", "some", "owls", "birds", "bats", "fly", "sleep", "far"]  # EOS is the full stop


class Language(Module):
    def start(self, source):
        return np.zeros((len(source), 0), dtype=int)                     # the state: what was read so far

    def step(self, ids, state):
        state = np.concatenate([state, ids[:, None]], axis=1)
        logits = np.full((len(ids), len(WORDS)), -np.inf)
        for row, read in zip(logits, state):
            for word, p in TREE.get(tuple(WORDS[i] for i in read[1:]), {".": 1.0}).items():
                row[WORDS.index(word)] = np.log(p)
        return logits, state


def say(ids):
    return " ".join(WORDS[i] for i in ids if i).replace(" .", ".")


language, nothing = Language(), np.zeros((1, 1), dtype=int)
print("greedy     ", say(greedy(language, nothing, 8)[0]))
print("beam of 2  ", say(beam_search(language, nothing, 8, beam=2, alpha=0.0)[0]))

# %% [markdown]
# **Beam search** keeps not one beginning but the $k$ best. Each step grows every kept beginning by every token, adds
# up the log-probabilities, and keeps the best $k$ of all of these. With $k = 1$ it is greedy. In loops it is three
# lines; in the picture, what a beam of 2 keeps is blue.

# %%
def beam_by_hand(width):
    """All beginnings that a beam of this width keeps on its way."""
    kept, ever = [((), 1.0)], []
    for _ in range(3):
        grown = [((*words, word), p * q) for words, p in kept for word, q in TREE.get(words, {}).items()]
        kept = sorted(grown, key=lambda pair: -pair[1])[:width]
        ever += [words for words, _ in kept]
    return ever

# %%
kept, leaves = [(), *beam_by_hand(2)], iter(range(0, -20, -1))

# %% jupyter={"source_hidden": true}
def draw_tree(axes, words=(), p=1.0):
    """Draw the beginning `words`, of probability p, and all that follows it. Returns its height."""
    following = [((*words, word), q) for word, q in TREE.get(words, {}).items()]
    heights = [draw_tree(axes, further, p * q) for further, q in following]
    height = np.mean(heights) if heights else next(leaves)
    for (further, q), below in zip(following, heights):
        ends, colour = ([len(words), len(further)], [height, below]), "#1f6fb4" if further in kept else "#c3cad2"
        axes.plot(*ends, color=colour, linewidth=1 + 9 * p * q, zorder=1)
        axes.text(np.mean(ends[0]), np.mean(ends[1]), f"{q:.2f}", ha="center", va="center", fontsize=10,
                  bbox={"pad": 1.5, "facecolor": "white", "edgecolor": "none"})  # fmt: skip
    box = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": "#1f6fb4" if words in kept else "#c3cad2"}
    axes.text(len(words), height, words[-1] if words else "begin", ha="center", va="center", fontsize=12, bbox=box)
    if not heights:
        axes.text(len(words) + 0.2, height, f"{p:.3f}", va="center", fontsize=12)
    return height

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading="Blue: what a beam of 2 keeps. At the ends: the probability of the sentence", height=4.8)
draw_tree(axes)
axes.set(xlim=(-0.25, 3.5))
axes.axis("off")
show(
    figure,
    "A tree that grows to the right. From begin to some, 0.60, and owls, 0.40. The branch of some divides into "
    "six thin ends of about 0.1 each. The branch of owls leads over fly to far, 0.176, or at once to the full "
    "stop, 0.180. Blue: some and owls, then some owls and owls fly, then some owls fly and owls fly far.",
)

# %% [markdown]
# (A full stop that must come is not drawn.) At the first branching *some* is the better word, and greedy takes it, but
# its 0.60 is divided among six ends. The beam keeps *owls* one step longer, and that is enough. It is no proof, though:
# the likeliest sentence of all is "owls.", and only a wider beam keeps it at the second word.
#
# **The length penalty.** No factor is above 1, so every further word can only lower the product, and a beam favours
# short answers. The paper (section 6.1, after Wu et al. 2016, eq. 14) divides by something that grows with the length
# $|Y|$, which counts the end token, too. It takes $\alpha = 0.6$ and a beam of 4:
#
# $$\mathrm{score}(Y) = \frac{\log p(Y \mid X)}{\left(\frac{5 + |Y|}{6}\right)^{\alpha}}$$

# %%
for alpha in (0.0, 0.6):
    found = hypotheses(language, nothing, 8, beam=4, alpha=alpha)[0][:3]
    print(f"alpha {alpha}:", "   ".join(f"{say(h.ids)} {h.score:.3f}" for h in found))

# %% [markdown]
# Without a penalty, "owls." is the best: whatever goes on can only become less probable, so as soon as a finished sentence
# is more probable than every beginning that is kept, the search can stop. With the penalty, two more words are worth a
# slightly smaller probability, and the search has to ask what a beginning's score could be at the longest answer allowed.
#
# ### Sampling
#
# For a translation one wants the best; for a story one wants *a* good one, a new one each time. So draw the token at
# random, by its probability. To see an effect, we need a model that is uncertain. This one is never uncertain about
# English numbers. But one vocabulary serves both languages, so it can read German words, which it has never been
# trained to translate. What does it begin with if the *source* is "neun"?
#
# **Temperature** divides the logits by $\tau$ before the softmax. The odds of two tokens become
#
# $$\frac{p_a}{p_b} = e^{(x_a - x_b)/\tau} = \left(e^{x_a - x_b}\right)^{1/\tau}$$
#
# so $\tau < 1$ makes the distribution sharper, down to greedy as $\tau \to 0$, and $\tau > 1$ makes it flatter, up to
# equal probabilities as $\tau \to \infty$.

# %%
odd = vocabulary.encode("neun")[None]
logits, _ = model.step(np.array([BOS]), model.start(odd))                # (1, V)
likeliest = np.argsort(-logits[0])[:6]

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 3, heading="The first token, at three temperatures", width=12, height=3.2, sharey=True)
for axis, tau in zip(axes, (0.3, 1.0, 3.0)):
    p = distribution(logits / tau)[0]
    bars = {vocabulary.tokens[i]: p[i] for i in likeliest} | {"all others": p.sum() - p[likeliest].sum()}
    draw_bars(axis, bars, title=f"temperature {tau}", numbers="{:.2f}", colours={"all others": "#6b7785"})
    axis.tick_params(axis="x", rotation=45, labelsize=10)
axes[0].set_ylabel("probability")
show(
    figure,
    "Bars for six German words and for all other tokens together, at temperatures 0.3, 1 and 3. At 0.3 most of"
    " it lies on elf; at 1 it is shared by elf, neunzehn, eins and ein; at 3 the largest bar is that of all other"
    " tokens together.",
)

# %%
for tau in (0.3, 1.0, 3.0):
    answers = sample(model, np.repeat(odd, 5, axis=0), 12, rng=np.random.default_rng(0), temperature=tau)
    print(f"temperature {tau}:", ", ".join(vocabulary.text(ids) for ids in answers))

# %% [markdown]
# The right panel shows the problem of sampling, made larger by the temperature: each wrong token is improbable, but all
# of them together are not. (With tens of thousands of tokens, $\tau = 1$ is enough for that.) Two methods cut off these
# tokens and give their probability to the rest. **Top-k** keeps the $k$ likeliest tokens (Fan et al. 2018). **Top-p**
# keeps as many of the likeliest as together reach the probability $p$, so few where the model is sure and many where it
# is not (Holtzman et al. 2020, section 3.1).

# %%
print(f"{'':20}", "  ".join(f"{vocabulary.tokens[i]:>9}" for i in likeliest), "   tokens left")
for name, options in {"everything": {}, "top-k, k = 2": {"top_k": 2}, "top-p, p = 0.9": {"top_p": 0.9}}.items():
    p = distribution(logits, **options)[0]
    print(f"{name:20}", "  ".join(f"{p[i]:9.3f}" for i in likeliest), f"{(p > 0).sum():10}")

# %% [markdown]
# ### What are K and V at step t?
#
# Write down what a decoder needs for the newest position $t$ in one layer:
#
# $$y_t = \sum_{j \le t} P_{tj}\, v_j, \qquad
# P_{t\cdot} = \mathrm{softmax}_j\big(q_t \cdot k_j / \sqrt{d_k}\big), \qquad
# q_t = x_t W_Q,\quad k_j = x_j W_K,\quad v_j = x_j W_V$$
#
# **In loops**, directly: for every $t$, for every $j \le t$, compute $k_j$. But $k_j$ depends on $x_j$, and $x_j$
# depends on the tokens up to $j$ *only*, because of the causal mask. No later token can change it. So computing it
# again gives the same number, and it may be kept. **In matrices**: one row is appended, and one row of queries is
# asked,
#
# $$K \leftarrow [K\,;\, x_t W_K], \qquad V \leftarrow [V\,;\, x_t W_V], \qquad
# y_t = \mathrm{softmax}\big(q_t K^\top / \sqrt{d_k}\big)\, V$$
#
# Of the old queries nothing is needed: their outputs have been used already. That is why it is a cache of keys and
# values, and not of queries. In the cross-attention K and V come from the memory, which does not grow: they are
# computed once.

# %%
state, ids = model.start(source), np.array([BOS])
for t in range(3):
    logits, state = model.step(ids, state)
    own, cross = state[3][0]                                             # the caches of the first layer
    print(f"step {t}   K {own.arrays[0].shape}   V {own.arrays[1].shape}   K of the memory {cross.arrays[0].shape}")
    ids = logits.argmax(axis=-1)

# %% [markdown]
# (Batch, heads, positions, width.) And all that is not attention treats every position by itself, as
# [10](10_how_is_a_block_built.ipynb) showed. So feed-forward, norms and output are asked about the newest position
# only.
#
# ### Why mask at inference?
#
# When one token comes at a time, the newest may see everything there is, so no causal mask is needed: the future does
# not exist yet. But whenever *several* positions are read at once (a prompt, or everything again without a cache), the
# mask is needed although only the last row of scores is used, and although the last row may look everywhere. Without it
# the earlier positions see later ones, and from the second layer on, their keys and values are others. The last row
# then reads what it never saw in training.

# %%
with evaluating(model):
    x = model.target_input(target_in)
    masked = model.output(model.decoder(x, memory, causal_mask(T), memory_mask))[0, -1]
    seen = model.output(model.decoder(x, memory, None, memory_mask))[0, -1]
print("the last row's scores, with and without the mask: largest difference", np.abs(masked - seen).max().round(3))

# %% [markdown]
# A padding mask is needed in any case, as soon as a batch has sources of different lengths.
#
# ### Must training loop over prefixes?
#
# No. For the same reason: row $t$ of one masked pass over the whole target *is* the answer to the prefix of length
# $t$. While training, the target is known beforehand, so all its prefixes are asked in one pass, side by side
# (*teacher forcing*, [11](11_how_does_it_learn.ipynb)). When decoding it is not known: token $t$ has to be chosen
# before token $t + 1$ can be asked for.

# %%
with evaluating(model):
    at_once = model.decode(target_in, memory, memory_mask)[0]            # (T, V)
    by_prefix = np.stack([model.decode(target_in[:, :t], memory, memory_mask)[0, -1] for t in range(1, T + 1)])
print("one pass against a loop over prefixes, largest difference", np.abs(at_once - by_prefix).max())

# %% [markdown]
# ### How much work is a token?
#
# `count_products` follows every matrix product of a real pass and adds up the multiply-adds. It expects a component
# with forward and backward, so both ways of decoding get a thin wrapper.

# %%
class Asked(Module):
    """Anything that the model can be asked, as a component whose products can be counted."""

    def __init__(self, model, question):
        self.model, self._question = model, question

    def forward(self, ids):
        with no_grad():
            return self._question(ids)

    def backward(self, d_y):
        return None


def work(question, ids):
    products, _ = count_products(Asked(model, question), ids)
    return products.multiply_adds(), products.sequential_steps           # the second: the longest chain, for later


tokens = np.random.default_rng(0).integers(4, len(vocabulary), (1, 256))
state, cached, whole = model.start(source), [], []
for n in range(1, 65):
    cached.append(work(lambda ids, state=state: model.step(ids, state)[0], tokens[:, n - 1]))
    whole.append(work(lambda ids: model.decode(ids, memory, memory_mask), tokens[:, :n]))
    _, state = model.step(tokens[:, n - 1], state)
cached, whole = np.array(cached), np.array(whole)                        # (64, 2)
ratio.compare(whole[63, 0] / cached[63, 0])
longer.compare(whole[:, 0].sum() / whole[:32, 0].sum())

# %% [markdown]
# About $n$ times: each of $n$ positions is sent through all the layers, where one would do. (A little more, because
# the memory's keys and values are computed again, too.) In letters, with $c$ for what a position costs by itself and
# $a$ for a look at one position: the token at place $n$ costs $c + an$ with a cache, and $n\,(c + an)$ without. Over
# a whole answer that is about $cn + an^2/2$ against $cn^2/2 + an^3/3$: twice as long costs four times as much, and in
# the end eight times. (The first token with a cache costs more than the second: it pays for the memory's keys.) And as
# time, on the machine that built this page, the median of several tries:

# %%
clock = {"without a cache": [], "with a cache": []}
state, places = model.start(source), (8, 16, 32, 64, 128, 256)
with evaluating(model):
    for n in range(1, 257):
        if n in places:
            ways = {
                "without a cache": lambda n=n: model.decode(tokens[:, :n], memory, memory_mask),
                "with a cache": lambda n=n, state=state: model.step(tokens[:, n - 1], state),
            }
            for name, way in ways.items():
                clock[name].append(1e3 * medians({name: way}, budget=0.1)[name])
        _, state = model.step(tokens[:, n - 1], state)

# %% jupyter={"source_hidden": true}
figure, axes = panels(1, 2, heading="What one token costs, at place n", height=3.6, width=11)
colours = {"without a cache": "#7b4fa3", "with a cache": "#1f6fb4"}
draw_lines(axes[0], range(1, 65), {"without a cache": whole[:, 0] / 1e6, "with a cache": cached[:, 0] / 1e6},
           title="counted", x_name="n", y_name="million multiply-adds", marker="", colours=colours)  # fmt: skip
draw_lines(axes[1], places, clock, title="measured", x_name="n", y_name="milliseconds", colours=colours, log="xy")
axes[0].set_ylim(0)
show(
    figure,
    "Left, counted multiply-adds for the token at place 1 to 64: a steep line without a cache, one that stays "
    "near the bottom with it. Right, milliseconds for places 8 to 256 on logarithmic axes: nearly level with a "
    "cache, climbing far above that without.",
)

# %% [markdown]
# ## Implement and check
#
# One exercise, and it holds everything above: a single layer with one head, which reads a prompt of several tokens at
# once and then one token at a time. Each output is the sum of two attentions, one to the tokens so far (weights $W$)
# and one to the memory (weights $U$). Three things decide whether it is right: which positions the new tokens get,
# which of the keys a token of the prompt may see, and that every call begins with an empty cache.

# %%
def decode(x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length):
    """Read the prompt at once, then one token at a time, and never compute a key twice.

    x (B, T, D) without positions, encoding (2T, D) with a row for each position, memory (B, S, D), the weights (D, K)
    → y (B, T, K), keys (B, T, K) as they are in the cache at the end, memory_keys (B, S, K).
    """
    ...


check("kv_cache.decode", decode)

# %%
hint("kv_cache.decode", 1)

# %% [markdown]
# `reveal("kv_cache.decode")` shows how the package does it.
#
# ## Break it
#
# A cache that is wrong does not crash: the shapes fit. The checker knows the usual ways; here is one. There is no
# cache in it at all, only the mistake: after the prompt, every token comes alone, and whoever counts positions by
# what is handed in begins at 0 again.

# %%
def begins_at_zero(x, encoding, memory, W_query, W_key, W_value, U_query, U_key, U_value, prompt_length):
    length, attend = x.shape[1], ScaledDotProductAttention()
    position = np.where(np.arange(length) < prompt_length, np.arange(length), 0)
    z = x + encoding[position]                                           # (B, T, D)
    own = attend(z @ W_query, z @ W_key, z @ W_value, causal_mask(length)[0])
    cross = attend(z @ U_query, memory @ U_key, memory @ U_value)
    return own + cross, z @ W_key, memory @ U_key


check("kv_cache.decode", begins_at_zero)

# %% [markdown]
# ### Why does the cache change my output?
#
# It must not. On its cache, a model gives the very logits of reading everything again, to rounding. So the test of a
# cache is one line and needs no reference: *the logits match*. Here is `Transformer.step` once more, with its
# position handed in, and three wrong ways to use it.

# %%
@no_grad()
def step_at(position, ids, state):
    """One step of the decoder, at a position of our choice."""
    memory, memory_mask, before, caches = state
    real, caches = np.concatenate([before, ids[:, None] != 0], axis=1), copied(caches)
    x = model.target_input(ids[:, None], np.array([[position]]))         # (1, 1, D)
    x = model.decoder(x, memory, real[:, None, None], memory_mask, caches)
    return model.output(x)[:, 0], (memory, memory_mask, real, caches)

# %%
def right(ids, state):
    return step_at(state[2].shape[1], ids, state)                        # as many tokens as were read before


def stuck(ids, state):
    """Every token stands at position 0."""
    return step_at(0, ids, state)


def not_cut(ids, state):
    """At place 3 another token was tried and taken back, but it is still in the cache."""
    place = state[2].shape[1]
    if place == 3:
        _, state = right(np.array([30]), state)
    return step_at(place - (place > 3), ids, state)


def no_place(ids, state):
    """In the first layer, the keys and values are those of the tokens without their places."""
    attention = model.decoder.layers[0].self_attention
    make, place = attention.keys_and_values, np.array([[state[2].shape[1]]])
    code = model.target_input.position(np.zeros((1, 1, 64)), place)
    attention.keys_and_values = lambda x: make(x - code)
    try:
        return right(ids, state)
    finally:
        del attention.keys_and_values                                    # the class's own is back

# %%
def follow(step):
    """The logits (T, V) of all steps, the true tokens fed in."""
    state, found = model.start(source), []
    for token in target_in[0]:
        logits, state = step(np.array([token]), state)
        found.append(logits[0])
    return np.array(found)


ways = {
    "right": right, "position stuck at 0": stuck, "a token is not cut off": not_cut, "keys without places": no_place,
}  # fmt: skip
off = {name: np.maximum(np.abs(follow(step) - at_once).max(axis=-1), 1e-16) for name, step in ways.items()}

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading="How far are the logits from those of reading everything again?", height=3.8)
draw_lines(axes, range(1, T + 1), off, x_name="token", y_name="largest difference", log="y", legend="center right")
axes.axhline(1e-10, color="#6b7785", linestyle=":")
show(
    figure,
    "Four curves over twelve tokens, on a logarithmic axis. The right cache stays near 1e-14, far below a dotted "
    "line at 1e-10. The three wrong ones lie near 0.01 or above: one from the first token on, one from the second, one "
    "from the fourth.",
)

# %%
print("the right cache, largest difference", off["right"].max())

# %% [markdown]
# Three caches are wrong, and by large amounts. Now read what the model writes with them, first for the number in
# English, then for a German one, which it cannot translate:

# %%
unsure = vocabulary.encode("neunundneunzigtausendneunhundertneunundneunzig")[None]
for question in (source, unsure):
    for name, step in ways.items():
        print(f"{name:24}", vocabulary.text(speak(question, step)))
    print()

# %% [markdown]
# For the number that it knows, the model writes the right words with two of the three wrong caches: it is so certain
# that the mistake does not matter. For the one that it does not know, two of them change what it writes. *"The words
# are right" is not "the cache is right".* If a cache does change your output, it is nearly always one of these:
#
# 1. The **position** of the new token: begun again at 0, or the prompt counted twice.
# 2. What goes into the cache is not what attention uses: keys made **before** the positions were added.
# 3. The **mask** of the new token is the first row of a causal mask, where it should be the last; or the prompt has
#    none.
# 4. The cache is **not cut**, or not emptied: a token that was tried and rejected, or the sentence before.
# 5. In a beam the beginnings change places, and the cache does not: its **rows** belong to others.
# 6. The **memory's** keys are appended again at each step.
# 7. **Dropout** was left on, so no two passes agree anyway: call `eval()`.
#
# In float32 the logits agree to about seven digits, not sixteen, and where two tokens are as good as equal, that may
# decide between them. This is the only reason that is not a mistake.
#
# ## Aha
#
# > **Training is one parallel pass; decoding is n steps, and no cache makes them fewer.**
#
# For 64 tokens, counted: the multiply-adds, and the longest chain of products (the means in the norms among them) of
# which each has to wait for the one before.

# %%
print(f"{'':32}{'multiply-adds':>14}{'longest chain':>16}")
for name, (multiply_adds, chain) in {
    "one pass over 64 known tokens": whole[63], "64 steps with a cache": cached.sum(axis=0),
    "64 steps without": whole.sum(axis=0),
}.items():  # fmt: skip
    print(f"{name:32}{multiply_adds:14,}{chain:16,}")

# %% [markdown]
# Look at the first two rows. The *work* is nearly the same; a cache does in 64 portions what training does at once. A
# cache cannot remove the waiting: token 64 depends on the choice of token 63. That is why a model that was trained in
# parallel still speaks one word at a time, and why [13](13_steps_or_work.ipynb) keeps steps and work apart.
#
# ## Three questions to leave with
#
# 1. An encoder's positions all see each other. Why can an encoder that gets one more word not use a cache?
# 2. A cache trades memory for work. How many numbers does the base model of the paper keep for each token of a
#    sentence, in 6 layers with 512 features, and for a beam of 4?
# 3. At temperature 1, sampling says each sentence as often as the model believes in it. How often does greedy say its
#    sentence, and what would you conclude about the model if you heard only greedy?
#
# <details><summary>Answers</summary>
#
# 1. Because all of its positions see the new word. Their outputs change, and with them the keys and values of every
#    layer but the first.
# 2. A key and a value of 512 numbers in each of 6 layers: $2 \cdot 512 \cdot 6 = 6{,}144$ numbers for each token
#    written, and 24,576 for a beam of 4. The memory's keys and values are as many for each token of the source.
# 3. Always. From greedy answers alone you cannot tell whether the model gave its sentence a probability of 0.99 or of
#    0.1.
#
# </details>
