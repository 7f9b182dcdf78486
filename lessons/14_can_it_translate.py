# %% [markdown]
# # 14 · Can it translate?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 35 min · writing 10 min | ●●○ | ●●○ | [06](06_who_may_look_at_whom.ipynb), [07](07_why_many_heads.ipynb), [12](12_how_does_it_speak.ipynb) | `models.Transformer`, `data` |
#
# ## Question
#
# A model that translates draws a picture while it works: which word of the source it looked at for each word that it
# wrote. The pictures are easy to read, and they seem to say how the model does it. Do they? Numbers are a good example,
# because we know everything about them: what is right, and which word comes from which.

# %%
import numpy as np

from minitransformer.attention import MergeHeads, MultiHeadAttention, keep_weights
from minitransformer.data.batching import make_batch
from minitransformer.data.numbers import NumberWords
from minitransformer.data.pieces import Pieces
from minitransformer.data.stream import BatchStream
from minitransformer.data.vocabulary import EOS
from minitransformer.decoding import evaluate, translate
from minitransformer.inspection import attention_weights, cross_attention, source_gradients
from minitransformer.layers import CrossEntropy
from minitransformer.lessons import predict, show
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.plotting import draw_bars, panels, plot_attention, plot_attention_and_gradient
from minitransformer.runs import Run
from minitransformer.training import Adam, Cosine, train

# %% [markdown]
# ## Predict
#
# ### Three grammars
#
# Below is how a number is said in three languages, from 0 to 999,999. Do not read for the commas. Read for the *order*,
# and for what becomes of 79 and of 91.

# %%
EN = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
      "eighteen nineteen").split()
EN_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()


def english(n):
    if n >= 1000:
        thousands, rest = divmod(n, 1000)
        return f"{english(thousands)} thousand" + (f"{',' if rest >= 100 else ' and'} {english(rest)}" if rest else "")
    if n >= 100:
        return f"{EN[n // 100]} hundred" + (f" and {english(n % 100)}" if n % 100 else "")
    if n >= 20:
        return EN_TENS[n // 10] + (f"-{EN[n % 10]}" if n % 10 else "")
    return EN[n]

# %%
DE = ("null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
      "achtzehn neunzehn").split()
DE_TENS = "- - zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()


def german(n):
    if n >= 1000:
        thousands, rest = divmod(n, 1000)
        before = german(thousands).removesuffix("s") if thousands % 100 == 1 else german(thousands)  # ein, but sechs
        return before + "tausend" + (german(rest) if rest else "")
    if n >= 100:
        return DE[n // 100] + "hundert" + (german(n % 100) if n % 100 else "")
    if n >= 20:
        return (f"{DE[n % 10]}und" if n % 10 else "") + DE_TENS[n // 10]     # the unit first: nine-and-seventy
    return "eins" if n == 1 else DE[n]

# %%
FR = ("zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
      "dix-neuf").split()
FR_TENS = "- - vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt".split()


def french(n, last=True):
    if n >= 1000:
        thousands, rest = divmod(n, 1000)
        before = f"{french(thousands, False)} " if thousands > 1 else ""
        return before + "mille" + (f" {french(rest)}" if rest else "")
    if n >= 100:
        hundred = f"{FR[n // 100]} cent" if n >= 200 else "cent"
        return hundred + (f" {french(n % 100, last)}" if n % 100 else "s" if n >= 200 and last else "")
    if n >= 20:
        unit = n % 20 if n >= 60 else n % 10                                 # from 60 on, in twenties: sixty-ten-nine
        et = " et " if unit in (1, 11) and n < 80 else "-"
        return FR_TENS[n // 10] + (et + FR[unit] if unit else "s" if n == 80 and last else "")
    return FR[n]


for n in (79, 91, 4579, 3791):
    print(f"{n:>5}   {english(n)}   {german(n)}   {french(n)}")

# %% [markdown]
# A model reads and writes such numbers in pieces: *neun·und·siebzig*, *soixante·dix·neuf*. Take a sheet of paper. Draw
# a grid for 4,579, the English words along the bottom, the German pieces from top to bottom, and mark for each piece
# the words that it is made from. Then one for French. Where do the diagonals cross, where do they not, and where does
# one piece need two words? Then put your guesses in place of the dots.

# %%
guess_neun = predict("4,579: while it writes »neun«, which English word gets most of its attention?", ...)
guess_onze = predict("3,791: while it writes »onze«, how many English words get a quarter of it or more?", ...)

# %% [markdown]
# ## Picture
#
# ### English to German
#
# A trained model comes with the package: two layers of four heads. Numbers are split by their value, so that one that
# is tested was trained on in no language; all numbers that are asked and drawn below are such.

# %%
class Numbers(NumberWords):
    """The package's task: numbers of 1 to 6 digits; here they are spelled by the functions above."""

    def make_vocabulary(self):
        numbers = [*range(2000), *range(0, 1_000_000, 1000)]
        return Pieces.of([spell(n) for n in numbers for spell in self.languages], self.cut)

    def pairs(self, questions):
        numbers = questions[:, 0].tolist()
        return tuple(self.vocabulary.encode_all([spell(n) for n in numbers]) for spell in self.languages)


class EnglishToGerman(Numbers):
    languages = english, german


class EnglishToFrench(Numbers):
    languages = english, french


run = Run.open("numbers-en-de")
to_german, german_task = run.model, EnglishToGerman(spelling="canonical")
german_task.adopt(run.vocabulary)
for n in (4579, 3791, 456_789):
    print(f"{n:>7,} → {translate(to_german, run.vocabulary, [english(n)])[0]}")
exact = evaluate(to_german, german_task, "test", 1000)["exact_match"]
print(f"right to the last piece, of 1,000 unseen numbers: {exact:.1%}")

# %%
def example(task, n):
    """Of a number: (source ids, target ids, the words of both)."""
    source, target = (task.vocabulary.encode(spell(n)) for spell in task.languages)
    target = np.append(target, EOS)
    return source, target, *(task.vocabulary.words_and_sizes(ids)[0] for ids in (source, target))


def mean_looks(model, task, n, written):
    """{English word: weight} while a piece is written: the last layer's cross-attention, mean over its heads."""
    source, target, read, pieces = example(task, n)
    P = attention_weights(model, source, target)["cross"][-1].mean(axis=0)   # (T, S)
    return dict(zip(read, P[pieces.index(written)]))

# %% jupyter={"source_hidden": true}
show(
    plot_attention(to_german, *example(german_task, 4579), layers=2, heads=(), mean=True),
    "Mean cross-attention of layer 2 for 4,579. From vier to fünf the brightest cells go down the diagonal, and hundert "
    "looks at hundred and seventy; then neun jumps ahead to nine, in the last column, and siebzig steps back to seventy.",
)

# %%
looks = mean_looks(to_german, german_task, 4579, "neun")
guess_neun.compare(max(looks, key=looks.get))

# %% [markdown]
# There the diagonal crosses: at *neun* attention jumps ahead, at *siebzig* it comes back. No line of the model says so.
# It follows from the order in which German says numbers, and the model found it because looking there helps.
#
# ### English to French
#
# A French model comes along too. But a smaller one is easier to read. So train one here, with one layer of four heads,
# for a few hundred steps.

# %%
french_task = EnglishToFrench(spelling="canonical")
sizes = dict(source_vocabulary=len(french_task.vocabulary), encoder_layers=1, decoder_layers=1)
to_french, steps = Transformer(TransformerConfig.preset("toy", **sizes), rng=0), 300
batches = BatchStream(french_task, np.random.default_rng(1), batch_size=64)
train(to_french, CrossEntropy(padding=0), Adam(to_french, Cosine(4e-3, steps, warmup=20)), batches, steps)
exact = evaluate(to_french, french_task, "test", 1000)["exact_match"]
print(f"right to the last piece, of 1,000 unseen numbers: {exact:.1%}")

# %% jupyter={"source_hidden": true}
show(
    plot_attention(to_french, *example(french_task, 4579), heads=(), mean=True),
    "Mean cross-attention for 4,579 in French. Quatre, mille and cinq look at four, thousand and five, cent at several "
    "words; then soixante at seventy, dix most at nine and also at seventy, and neuf at nine.",
)

# %%
looks = mean_looks(to_french, french_task, 3791, "onze")
print("3,791, while it writes onze: ", ", ".join(f"{word} {weight:.2f}" for word, weight in looks.items()))
guess_onze.compare(sum(weight >= 0.25 for weight in looks.values()))

# %% [markdown]
# Here nothing has to cross. But French counts in twenties from sixty on, and you see what that costs. To say *dix* the
# model must know the nine already, for 76 has no *dix*: it goes on with *seize*. And *onze* comes from two words,
# *ninety* and *one*: neither alone would do.
#
# ### Where attention goes, and where the gradient goes
#
# Attention is one thing among many that a model computes on its way. Beside it stand two others here. In the middle,
# the gradient of the scores: red, where a higher score would make the whole answer more probable, blue, where less.
# Each of its rows sums to zero ([03](03_what_does_softmax_forget.ipynb)), and its colours reach to its own largest
# entry, so read where, not how much. At the right, *influence*: how long the gradient of a piece's log-probability is
# at the embedding of each source word, along every way through the model and not through this one layer alone. Each row
# is divided by its largest.

# %% jupyter={"source_hidden": true}
show(
    plot_attention_and_gradient(to_german, *example(german_task, 4579)),
    "Three maps for 4,579 in German. Siebzig has nearly all attention on seventy, hardly any gradient, and its largest "
    "influence from seventy. The strongest gradient stands in the first row: red at four, blue at thousand.",
)

# %%
*ids, read, pieces = example(french_task, 3791)
row = source_gradients(to_french, *ids)[pieces.index("onze")]               # (S,)
print("influence on onze: ", ", ".join(f"{word} {share:.2f}" for word, share in zip(read, row / row.max())))

# %% [markdown]
# On the French *onze*, *ninety* and *one* have the most influence, as they had the most attention. But left and right
# need not agree: while *vier* is written, the German layer looks at *four* alone, and the largest influence comes from
# *thousand*. Nor does the middle tell what matters. At *siebzig* nearly all attention is on *seventy*, and there is
# hardly any gradient, which does not mean that nothing else would do: weights near one leave the scores hardly any
# gradient ([04](04_why_sqrt_d_k.ipynb)), and so does a model that is sure of its word. Attention is where one layer
# looks, and that is not yet what matters.
#
# ## Derive
#
# What would have to be true for a map to matter? Follow one head to the output. Heads are concatenated and multiplied
# by $W_O$; write that out, and it is a sum. **In loops**, what arrives at query $t$ is gathered head by head and key by
# key:

# %%
attention = MultiHeadAttention(features=12, heads=3, rng=np.random.default_rng(14)).to("float64")
rng = np.random.default_rng(0)
x, memory = rng.standard_normal((1, 4, 12)), rng.standard_normal((1, 5, 12))
with keep_weights(attention):
    y = attention(x, memory)
P, (_, v) = attention.attention.weights, attention.keys_and_values(memory)   # (1, H, T, S), (1, H, S, K)
W_O = attention.output.weight.data.reshape(3, 4, 12)                    # (H, K, D): a slab of rows for each head

gathered = np.zeros((4, 12))
for h in range(3):
    for t in range(4):
        for s in range(5):
            gathered[t] += P[0, h, t, s] * (v[0, h, s] @ W_O[h])
print("largest difference to MultiHeadAttention", np.abs(gathered - y[0]).max())

# %% [markdown]
# **In indices**, with $W_O^{(h)}$ for the rows of $W_O$ that belong to head $h$,
#
# $$y_t = \sum_h \sum_s P_{hts}\,\big(v_{hs}\,W_O^{(h)}\big)$$
#
# and **in matrices** $Y = \sum_h P_h V_h W_O^{(h)}$. Two things follow.
#
# *A head can be switched off.* It is one term of the sum. Set its rows of $W_O$ to zero, and the term is gone; all
# other heads are as they were.
#
# *A map shows $P$, and what arrives is $P$ times something that no map shows.* A sharp and sensible map can be
# unimportant in more ways than one. What it fetches, $v_{hs} W_O^{(h)}$, may be small beside what the other terms
# bring. It may be nearly the same for all keys; then any weights give the same sum, because they add up to one, and the
# gradient of the scores, $P \circ (d_P - \langle d_P, P\rangle)$, is zero. Or another head may fetch the same. No picture
# of $P$ tells you which of these is so. But you can take the term away, and see.
#
# ## Implement and check
#
# Write it. `attention` is a `MultiHeadAttention`, whose $W_O$ is `attention.output.weight.data` and whose number of
# heads is `attention.heads`. Return a changed copy of $W_O$, and leave the attention itself as it is.

# %%
def without_head(attention, head):
    """A MultiHeadAttention and a head's number, from 0 → W_O (H·K, D) with what this head adds taken out."""
    ...

# %% [markdown]
# There is no exercise of the checker for this one; a comparison will do. The comparison works in another way: it does
# not change $W_O$, and sets the head's output to zero before the heads are joined.

# %%
class SomeHeads(MergeHeads):
    """Join the heads' outputs, some of them silent."""

    def __init__(self, silent):
        self.silent = silent

    def forward(self, x):
        x = x.copy()
        x[:, self.silent] = 0                                           # (B, H, T, K)
        return super().forward(x)

# %%
joined = attention.merge(P @ v)                                         # (1, T, H·K): what W_O is applied to


def compare(without_head):
    before = attention.output.weight.data.copy()
    for head in range(3):
        mine = without_head(attention, head)
        if mine is None:
            return "nothing written yet"
        if not np.array_equal(attention.output.weight.data, before):
            attention.output.weight.data = before
            return "the attention itself was changed: work on a copy"
        if np.shape(mine) != before.shape:
            return f"W_O has the shape {before.shape}, yours {np.shape(mine)}"
        attention.merge = SomeHeads([head])
        expected = attention(x, memory)
        attention.merge = MergeHeads()
        if not np.allclose(joined @ mine, expected):
            return f"head {head}: not the output of the other heads alone. Are a head's own the rows or the columns?"
    return "right, for each of the three heads"


print("without_head:", compare(without_head))

# %% [markdown]
# ## Break it
#
# ### Read three heads, then switch them off
#
# In [07](07_why_many_heads.ipynb) heads were switched off one by one, and few mattered. Now the other way round: look at
# the maps *first*, and let them tell you which heads matter. Here are all eight of the German model's cross-attention,
# for a number that it never saw.

# %% jupyter={"source_hidden": true}
show(
    plot_attention(to_german, *example(german_task, 4579)),
    "Eight maps of cross-attention for 4,579. Layer 2, head 3 reads as an alignment at every number word. Layer 2, head "
    "1 does so in part. Layer 1, head 3 does not: it looks at thousand for vier, at hundred for fünf, at seventy for neun.",
)

# %% [markdown]
# Take three. **Layer 2, head 3** is easy to read: *vier* at *four*, *fünf* at *five*, *hundert* at *hundred*, and then
# the crossing. **Layer 2, head 1** has the crossing as well, but looks at *four* for *tausend*, and at *seventy* for
# *hundert*. **Layer 1, head 3** is hard to understand: at *thousand* for *vier*, at *hundred* for *fünf*, at *seventy*
# for *neun*.
#
# Each is switched off alone. The whole model said all of 1,000 unseen numbers right. What share of 200 does it say
# right without that head? Write down three numbers before you go on.

# %%
without = "Right without layer {}, head {}, of 200 unseen numbers (1 is all)?"
guesses = {
    (2, 3): predict(without.format(2, 3), ...),
    (2, 1): predict(without.format(2, 1), ...),
    (1, 3): predict(without.format(1, 3), ...),
}

# %%
def exact_match(*off):
    """The share of 200 unseen numbers said right without these heads of cross-attention, (layer, head) from 1."""
    for number, layer in enumerate(to_german.decoder.layers, start=1):
        layer.cross_attention.merge = SomeHeads([head - 1 for of_layer, head in off if of_layer == number])
    share = evaluate(to_german, german_task, "test", 200)["exact_match"]
    for layer in to_german.decoder.layers:
        layer.cross_attention.merge = MergeHeads()
    return share


for (layer, head), guess in guesses.items():
    print(f"without layer {layer}, head {head}")
    guess.compare(exact_match((layer, head)))

# %% [markdown]
# Without any one of them all numbers are still right, even without the one that is easy to read. But this does not mean
# that they do nothing. Switch off two together:

# %%
name = "{0[0]}.{0[1]}".format
for off in ([(2, 1)], [(2, 3)], [(2, 1), (2, 3)], [(1, 2), (1, 3)], [(2, h) for h in (1, 2, 3, 4)]):
    print(f"without {', '.join(map(name, off)):<19} {exact_match(*off):6.1%} right")

# %% [markdown]
# Without 2.1 *and* 2.3 most numbers are wrong, though neither alone made a difference: each can do the work of the
# other. So "unimportant" always means *unimportant while the others are there*. Then ask the other way round: how far
# does a head get *alone*, when the three others of its layer are silent? And does its map tell? Measure how well each
# map reads: the share of number words at which the head's largest weight lies on the English word of the same meaning,
# over 200 unseen numbers.

# %%
meaning = dict(zip([*DE, *DE_TENS, "eins", "hundert", "tausend"], [*EN, *EN_TENS, "one", "hundred", "thousand"]))
pieces = [token.strip(" ,-") for token in run.vocabulary.tokens]
same = np.array([[meaning.get(german_piece) == piece for piece in pieces] for german_piece in pieces])  # (V, V)
batch = make_batch(*german_task.sample(np.random.default_rng(0), 200, "test", distinct=True))
means_the_same = same[batch.target_out[:, :, None], batch.source[:, None, :]]       # (B, T, S)
number_words = means_the_same.any(axis=-1)                                         # (B, T)

reads_well, right_alone = {}, {}
for layer, P in enumerate(cross_attention(to_german, batch), start=1):             # (B, H, T, S)
    for head in range(1, 5):
        largest = P[:, head - 1].argmax(axis=-1)[..., None]
        reads_well[layer, head] = np.take_along_axis(means_the_same, largest, axis=-1)[number_words].mean()
        right_alone[layer, head] = exact_match(*((layer, other) for other in range(1, 5) if other != head))

# %%
order = sorted(reads_well, key=reads_well.get, reverse=True)

# %% jupyter={"source_hidden": true}
figure, axes = panels(2, 1, heading="How well a head's map reads, and how far the head gets alone", height=2.6)
draw_bars(axes[0], {name(h): reads_well[h] for h in order}, title="looks at the word of the same meaning",
          y_name="share of words", numbers="{:.2f}")
draw_bars(axes[1], {name(h): right_alone[h] for h in order}, title="right with it alone in its layer", numbers="{:.3f}",
          x_name="layer.head, the best-reading map first", y_name="share of numbers",
          colours=dict.fromkeys(map(name, order), "#7b4fa3"))
show(figure, "Two rows of bars for the eight heads, in the order in which their maps read well. Above they fall from "
     "2.3 to 1.3. Below, the heads of layer 1 are high, with 1.3, the last, at one; those of layer 2 are all low.")

# %% [markdown]
# If maps told importance, the lower bars would fall as the upper ones do. They do not. Compare within a layer. In layer
# 2 the clearest map, 2.3, belongs to a head that says few numbers right when it is alone; 2.1 and 2.2, whose maps read
# worse, say more. In layer 1 the map of 1.3 reads worst of all, and alone it is enough: with it, all 200 are right.
#
# ### Where the literature stands
#
# - Jain & Wallace (2019), *Attention is not Explanation*: in recurrent models that classify or answer questions,
#   attention weights often agree little with gradients, and very different weights can be found that give the same
#   prediction.
# - Wiegreffe & Pinter (2019), *Attention is not not Explanation*: that depends on what one calls an explanation, and on
#   a fair test, because weights cannot be exchanged as if the rest of the model had not been trained with them.
# - Voita et al. (2019), *Analyzing Multi-Head Self-Attention*: the heads that matter most in a translator's encoder
#   often have roles that one can name, and most others can be pruned, while training goes on, at hardly any loss of
#   BLEU.
# - Michel et al. (2019), *Are Sixteen Heads Really Better than One?*: most heads can be removed one at a time after
#   training without much loss, and some layers keep up with a single head.
#
# ## Aha
#
# > **An attractive map can be unimportant.**
#
# A map shows where a head looks. What it fetches there, and whether the model needs it, depends on the values,
# on $W_O$ and on the other heads. So look at maps to get ideas, and use interventions to get answers: remove the
# head, and measure. It is the same lesson as that of the falling loss in
# [00](00_how_do_i_know_a_gradient_is_right.ipynb). What looks right has to be tested by something that could show it to
# be wrong.
#
# ## Three questions to leave with
#
# 1. Which is the smallest set of these eight heads with which 95 % of the numbers are still right? `exact_match` takes
#    as many as you like. Is it the set of the best-reading maps?
# 2. A silent head adds zero, which no head ever did in training. One could have it add its mean over many numbers
#    instead. Why might zero make a head look more important than it is?
# 3. In Danish 79 is *ni·og·halvfjerds*, where *halvfjerds* means three and a half twenties. Where would the diagonal
#    cross, and would any piece need two words?
#
# <details><summary>Answers</summary>
#
# 1. With 200 numbers, no three heads reach 95 % (the best three get 85 %), and four are enough: 1.3, 2.1, 2.3 and 2.4
#    say all of them right. It is not the set of the best-reading maps, which are 2.3, 2.2, 2.1 and 1.1: head 1.3 has
#    the worst map of all.
# 2. The later layers were trained with what this head adds on average, as if it were a constant bias. Zero takes away
#    that constant too, and gives them an input that they have never met. The mean takes away only what differs from
#    number to number.
# 3. As in German: *ni* looks at *nine*, *halvfjerds* at *seventy*, so the two cross. No piece needs two words:
#    *halvfjerds* is strange, but it stands for *seventy* alone.
#
# </details>
