# %% [markdown]
# # 06 · Who may look at whom?
#
# | time | difficulty | importance | builds on | mirrors |
# |---|---|---|---|---|
# | reading 40 min · writing 25 min | ●●○ | ●●● | [03](03_what_does_softmax_forget.ipynb), [05](05_back_through_attention.ipynb) | `attention.Masking`, `padding_mask`, `causal_mask` |
#
# ## Question
#
# A Transformer attends in three places, by one and the same formula. The words of a question look at each other. The
# words of the answer look at the question. And the words of the answer look at each other, where some of them are not
# written yet. So beside the formula stands a table of yes and no: who may look at whom. Why is looking forbidden at
# some places, and what does a model learn without that rule?

# %%
import numpy as np

from minitransformer.attention import Masking, masking
from minitransformer.data.batching import Batch, make_batch
from minitransformer.data.corpus import Corpus
from minitransformer.data.owl import ABILITIES, TEMPLATES
from minitransformer.data.pieces import Pieces
from minitransformer.data.stream import BatchStream
from minitransformer.data.vocabulary import EOS, PAD
from minitransformer.decoding import evaluate, greedy
from minitransformer.grading import check, hint, reveal
from minitransformer.inspection import attention_weights, cross_attention
from minitransformer.layers import CrossEntropy, Softmax
from minitransformer.lessons import predict, show
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.plotting import draw_lines, panels, plot_attention, plot_matrices
from minitransformer.training import Adam, train

rng = np.random.default_rng(6)

# %% [markdown]
# ## Predict
#
# The model of this lesson answers questions about animals: *What can owls do?* Owls can fly. A token is a word. The
# test asks in two ways in which the training never asks.

# %%
class OwlByWords(Corpus):
    """The package's questions about animals, a token for each word."""

    def sentences(self, split):
        pairs = [(template.format(animals=animal, part=part), f"{animal} can {ability}")
                 for ability, (part, animals) in ABILITIES.items()
                 for animal in animals.split()
                 for template in TEMPLATES[split]]
        return tuple([text[0].upper() + text[1:] for text in side] for side in zip(*pairs))

    def make_vocabulary(self):
        questions, answers = self.sentences("train")
        return Pieces.of([*questions, *answers], "morphemes")  # which for English are words


task = OwlByWords()
words = task.vocabulary
question, answer = words.encode("What can owls do?"), words.encode("Owls can fly")
batch = make_batch(question[None], answer[None])
for name, ids in zip(batch._fields, batch):
    print(f"{name:<11}", " | ".join(words.tokens[i].strip() for i in ids[0]))

# %% [markdown]
# The decoder reads `target_in` and is to name `target_out`, which is the same answer one step ahead (`<bos>` marks its
# beginning, `<eos>` its end). At each position it reads the words up to there and names the next one. All positions are
# computed at once, in one pass, and this is the danger: the word to be named at position $t$ stands in the input too,
# at position $t+1$. What keeps position $t$ from looking there is the **causal mask**.
#
# First a small model with that mask.

# %%
def trained(kind, stream, steps):
    """(a small model of this kind, its loss at each step)."""
    config = TransformerConfig.preset("toy", source_vocabulary=len(words), d_model=32, d_ff=64, heads=1, max_length=32,
                                      encoder_layers=1, decoder_layers=1, tie_embeddings=True)
    model, log = kind(config, rng=1), []
    batches = stream(task, np.random.default_rng(1), batch_size=32)
    train(model, CrossEntropy(padding=0), Adam(model, 3e-3), batches, steps, hooks=[log.append])
    return model, np.array([progress.loss for progress in log])


model, losses = trained(Transformer, BatchStream, steps=800)
print("with the causal mask")
print(f"  mean loss of steps 251 to 300  {losses[250:300].mean():.3f}")
print(f"  mean loss of the last 50       {losses[-50:].mean():.3f}")

# %% [markdown]
# Now take the causal mask away and leave everything else as it is. Put numbers in place of the dots.

# %%
guess_loss = predict("Without the causal mask, what is the mean loss of steps 251 to 300?", ...)
guess_share = predict("Which share of the test questions will it answer right, when it writes word by word?", ...)

# %% [markdown]
# ## Picture
#
# You will have the answer below. First look at what the model *with* the mask has learned. Here it writes "Owls can
# fly"; each row is one moment of writing, and shows how the position that is about to write the word at the left shares
# its attention among the words of the question.

# %%
def labels(ids, written=False):
    return words.words_and_sizes(ids, written)[0]


written = np.append(answer, EOS)

# %% jupyter={"source_hidden": true}
show(
    plot_attention(model, question, written, labels(question), labels(written)),
    "The owl picture. Rows, the words written: Owls, can, fly, end. Columns, the words of the question: What, can, "
    "owls, do, question mark. The rows of Owls and of fly are bright at owls, the row of can is bright at do.",
)

# %%
[[looks]] = attention_weights(model, question, written)["cross"]         # (T, S): one layer, one head
for word, row in zip(labels(written), looks):
    print(f"while it writes {word:<6} it looks most at {labels(question)[row.argmax()]:<5} with weight {row.max():.2f}")

# %% [markdown]
# While "fly" is written it looks at "owls". Nobody told it to: only the loss asked for the right word, and what owls
# can do stands nowhere but in what the model has learned about "owls". Is that so in this example only, or always? The
# test asks in two ways, and one of them gives a hint.

# %%
test = make_batch(*task.encoded("test"))
animals = [words.ids[f" {words.tokens[i].lower()}"] for i in test.target_out[:, 0]]
[P] = cross_attention(model, test)                                      # (B, 1, T, S)
on_the_animal = test.source == np.array(animals)[:, None]               # (B, S)
share = (P[:, 0] * on_the_animal[:, None]).sum(axis=-1)                 # (B, T)
after_their = np.roll(test.source == words.ids[" their"], 1, axis=1)    # (B, S): the hint
hinted = np.array(["their" in text for text in task.sentences("test")[0]])
print(f"mean weight on the animal, over {len(share)} questions")
for template, rows in zip(TEMPLATES["test"], (~hinted, hinted)):
    name, _, ability, _ = share[rows].mean(axis=0)
    print(f"  {template:<50} while the name is written {name:.2f}, the ability {ability:.2f}")
on_the_hint = (P[hinted, 0] * after_their[hinted, None]).sum(axis=-1)[:, 2].mean()
print(f"mean weight on the hint, while the ability is written {on_the_hint:.2f}")

hint_given = words.encode("What are owls able to do with their wings?")

# %% jupyter={"source_hidden": true}
show(
    plot_attention(model, hint_given, written, labels(hint_given), labels(written)),
    "The same answer to: What are owls able to do with their wings? The row of Owls is bright at owls, the row of fly "
    "at wings.",
)

# %% [markdown]
# The name can only be copied from the animal. The ability can be had from the animal or, where it is given, from the
# hint, and then it looks more at the hint. It looks where the answer can be found.
#
# With another seed you may see another picture. Some models find the ability by way of the "Owls" that they have just
# written, through the decoder's own attention. Others look at "?", a place where the encoder has already gathered what
# matters: a key is a *place*, and what lies there is more than its word. ([14](14_can_it_translate.ipynb) asks how much
# such a picture is worth.)
#
# ### Which axis is the query, and is bright high?
#
# A row is a query, the one that looks. A column is a key, one that is looked at. Bright is high. Bahdanau et al. (2015,
# figure 3) drew it so, too: white is one. If a picture has no legend, add up: softmax divides the attention of one
# query among the keys, so its weights sum to one along the *keys*. Along the queries they sum to nothing in particular:
# a key may be looked at by all or by none.

# %%
print("sum of each row   ", looks.sum(axis=1).round(2))
print("sum of each column", looks.sum(axis=0).round(2))

# %% [markdown]
# The model has two more attentions. Here they are for the same question, with two tokens of padding behind it, as it
# would stand in a batch beside longer questions.

# %%
padded = np.append(question, [PAD, PAD])

# %% jupyter={"source_hidden": true}
axes = padded, written, labels(padded), labels(written)
show(
    plot_attention(model, *axes, kind="encoder"),
    "Self-attention of the encoder: the five words and two paddings look at the five words, also at later ones. The "
    "columns of the paddings are hatched; their rows are not.",
)
show(
    plot_attention(model, *axes, kind="decoder"),
    "Self-attention of the decoder: everything above the diagonal is hatched. The first row has all its weight on begin.",
)

# %% [markdown]
# In the encoder a word may look back and ahead; the question is there as a whole. Only the columns of padding are
# forbidden (hatched). What else is dark has a small weight. In the decoder all that is above the diagonal is forbidden:
# that is the future. (Its columns are what is *read*, `target_in`; its rows are what is written from there.)
#
# ## Derive
#
# **Three attentions, two masks.** $S$ is the length of the question, $T$ that of the answer.
#
# | attention | queries from | keys, values from | scores | may be looked at |
# |---|---|---|---|---|
# | encoder, self | source | source | $(B, H, S, S)$ | what is not padding |
# | decoder, self | target | target | $(B, H, T, T)$ | what is not padding **and** not later |
# | decoder, cross | target | source | $(B, H, T, S)$ | what is not padding |
#
# The **padding mask** is needed because sentences of different lengths stand in one array. The **causal mask** is
# needed because the later words are not known while one writes.
#
# **In loops.** May query $t$ of sentence $b$ look at key $s$? Ask for each, one by one:

# %%
def may_look(ids):
    """ids (B, T) of a decoder's input → (B, T, T): slow, but easy to check."""
    B, T = ids.shape
    allowed = np.zeros((B, T, T), dtype=bool)
    for b in range(B):
        for t in range(T):
            for s in range(T):
                is_real, is_not_later = ids[b, s] != PAD, s <= t
                allowed[b, t, s] = is_real and is_not_later
    return allowed


ids = np.array([[1, 7, 5, 9, PAD, PAD]])
guess = predict("Six positions, the last two are padding: how many of the 36 entries are True?", ...)

# %% [markdown]
# **In indices**, $\mathrm{mask}_{b,t,s} = (\mathrm{ids}_{b,s} \ne 0) \wedge (s \le t)$. The first part does not depend
# on $t$, the second not on $b$, and neither on the head. So **in matrices** each part has axes of size 1 for the
# letters that it does not depend on, $(B, 1, 1, S)$ and $(1, 1, T, T)$, and NumPy *broadcasts* them when they are
# combined with `&`.

# %%
padding, causal = masking.padding_mask(ids), masking.causal_mask(6)      # (B, 1, 1, S), (1, 1, T, T)
print(padding.shape, "and", causal.shape, "→", np.broadcast_shapes(padding.shape, causal.shape))
both = may_look(ids)                                                    # (B, T, T), by the loops
guess.compare(int(both.sum()))
drawn = {"padding": np.broadcast_to(padding[0, 0], (6, 6)), "causal": causal[0, 0], "both": both[0]}

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(drawn, rows="query", columns="key", row_labels=range(6), column_labels=range(6), numbers=False),
    "Three 6 by 6 masks, bright where one may look. Padding: the last two columns are dark. Causal: all above the "
    "diagonal is dark. Both: a triangle that stops growing at the fourth column.",
)

# %% [markdown]
# Look at the last two rows of *both*. They are queries that are padding themselves, and they see four keys, as any
# other would in their place. That is on purpose: their output is not used, and a row that sees *nothing* leads to
# NaN, as you will see.
#
# **How a mask acts.** Where it says no, the score becomes $-\infty$, before softmax:
#
# $$P_{ts} = \frac{\mathrm{mask}_{ts}\,e^{s_{ts}}}{\sum_j \mathrm{mask}_{tj}\,e^{s_{tj}}}
# \qquad\text{because } e^{-\infty} = 0$$
#
# That is the softmax of the allowed scores alone: the hidden ones are absent from the numerator *and* from the sum
# below. Backward needs no new rule. Softmax gives $d_{\mathrm{scores}} = P \circ (d_P - \langle d_P, P\rangle)$, and where
# $P = 0$ that is 0, however large $d_P$ may be. What the forward ignores gets no gradient
# ([03](03_what_does_softmax_forget.ipynb)).

# %%
scores, d_P = rng.standard_normal((4, 4)), rng.standard_normal((4, 4))
hide, softmax = Masking(), Softmax()
masked = hide(scores, masking.causal_mask(4)[0, 0])
P = softmax(masked)
d_scores = hide.backward(softmax.backward(d_P))
drawn = {"scores": scores, "masked": masked, "P": P, "d_P": d_P, "d_scores": d_scores}

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(drawn, rows="query", columns="key"),
    "Five 4 by 4 matrices: scores; the same with minus infinity above the diagonal; weights P, zero above it, a 1.00 "
    "in the first row; a random d_P everywhere; d_scores, zero above the diagonal and in the whole first row.",
)

# %% [markdown]
# ### What the causal mask makes possible
#
# With the causal mask, row $t$ is computed as if the sentence ended at $t$. So one pass over the whole answer gives
# what $T$ passes over its beginnings would give. This is why a Transformer can be trained on all positions at once, and
# no loop over beginnings is needed.

# %%
whole = model(batch.source, batch.target_in)                            # (1, T, V)
beginnings = [model(batch.source, batch.target_in[:, : t + 1])[:, -1] for t in range(len(written))]
print("largest difference, in single precision", np.abs(whole[0] - np.concatenate(beginnings)).max())

# %% [markdown]
# ## Implement and check
#
# Four masks. Each is a line or two; what is hard is which axis, which sequence, and which way round. Write, run the
# cell, read. `hint("mask.padding", 1)` asks a question, level 4 is one line; `reveal` shows the package's source.

# %%
def padding_mask(ids):
    """ids (B, S) → mask (B, 1, 1, S): True where a key is a real token. Padding is 0."""
    ...


check("mask.padding", padding_mask)

# %%
def causal_mask(length):
    """length T → mask (T, T): True where the key is not later than the query."""
    ...


check("mask.causal", causal_mask)

# %%
hint("mask.causal", 1)

# %%
def decoder_mask(ids):
    """ids (B, T) → mask (B, 1, T, T): True where a key is a real token and not later than the query."""
    ...


check("mask.decoder", decoder_mask)

# %%
def cross_mask(source_ids, target_ids):
    """source_ids (B, S), target_ids (B, T) → mask (B, 1, 1, S): which keys a target position may look at."""
    ...


check("mask.cross", cross_mask)

# %% [markdown]
# ### Does True keep or drop?
#
# Here True *keeps*: a mask answers "may this query look at that key?". Elsewhere it is not always so. In PyTorch,
# `scaled_dot_product_attention` keeps where its `attn_mask` is True, while `nn.MultiheadAttention` drops where its
# `attn_mask` or `key_padding_mask` is True: two opposite readings in one library, and no error if you mistake one for
# the other. So never trust the name. Hand in a mask of which you know the meaning, and look where the weights go:

# %%
scores, last_is_padding = np.zeros((1, 4)), np.array([[True, True, True, False]])
print("weights with the mask          ", Softmax()(Masking()(scores, last_is_padding)).round(2))
print("weights with its opposite      ", Softmax()(Masking()(scores, ~last_is_padding)).round(2))
check("mask.padding", lambda ids: ~masking.padding_mask(ids))

# %% [markdown]
# ## Break it
#
# ### Why is my loss NaN?
#
# "A position must not see the word that it is to predict": with this argument one might hide the diagonal too. But the
# input is shifted: at position $t$ stands the word *before* the one to be named, and it may be seen. The checker:

# %%
check("mask.causal", lambda length: np.tri(length, k=-1, dtype=bool))

# %% [markdown]
# Its first row is empty. Every score there is $-\infty$, so the largest is $-\infty$ too, and a plain softmax computes
# $-\infty - (-\infty)$, which is not a number. The package's `Softmax` gives such a row zeros, forward and backward. A
# common alternative, $-10^9$ in place of $-\infty$, gives no NaN either: the row then looks at all forbidden keys with
# equal weights.

# %%
def plain_softmax(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


scores, without_diagonal = rng.standard_normal((3, 3)), np.tri(3, k=-1, dtype=bool)
masked = Masking()(scores, without_diagonal)
with np.errstate(invalid="ignore"):
    plain = plain_softmax(masked)
one_billion = plain_softmax(np.where(without_diagonal, scores, -1e9))
drawn = {"−∞, plain softmax": plain, "−∞, the package": Softmax()(masked), "−1e9, plain softmax": one_billion}

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(drawn, rows="query", columns="key"),
    "Three 3 by 3 matrices of weights, alike but for the first row: nan three times; zeros; a third each.",
)

# %% [markdown]
# One such row is enough, even if its output is not used. Let nothing be asked of query 0, as of a padded one, so that
# its $d_P$ is zero. But zero times NaN is NaN, and $d_K = d_{\mathrm{scores}}^\top Q$ adds up over all queries:

# %%
query, d_P = rng.standard_normal((3, 2)), rng.standard_normal((3, 3))
d_P[0] = 0                                                              # nobody asks for query 0
for name, P in (("−∞, plain softmax", plain), ("−∞, the package", Softmax()(masked))):
    d_scores = P * (d_P - (d_P * P).sum(axis=-1, keepdims=True))
    print(f"{name:<18} NaN in {np.isnan(d_scores.T @ query).sum()} of {d_scores.T.shape[0] * 2} entries of d_key")

# %% [markdown]
# Empty rows come from a hidden diagonal, from padded *queries* that were hidden as well, from padding in front
# together with a causal mask, and from sources that are nothing but padding. So look for them:
# `mask.any(axis=-1).all()` should be True.
#
# ### Why does my model copy its input?
#
# The opposite mistake gives no error and no NaN. If one position of the future can be seen, it is exactly the word to
# be predicted.

# %%
check("mask.causal", lambda length: np.tri(length, k=1, dtype=bool))

# %% [markdown]
# Here is the model that you made your guesses about. It differs from the package's Transformer in one expression: its
# decoder's mask is padding alone. A second model has the same fault for another reason: the mask is right, but the
# input was not shifted, so the decoder reads at $t$ the word that it is to name at $t$.

# %%
class Unmasked(Transformer):
    """A Transformer whose decoder may look at the future."""

    def decode(self, target_in, memory, memory_mask):
        seen = masking.padding_mask(target_in)                          # and no causal mask
        return self.output(self.decoder(self.target_input(target_in), memory, seen, memory_mask))


class NotShifted(BatchStream):
    """Batches in which the decoder reads what it is to name."""

    def __call__(self):
        source, _, target_out = super().__call__()
        return Batch(source, target_in=target_out, target_out=target_out)


unmasked, unmasked_losses = trained(Unmasked, BatchStream, steps=300)
not_shifted, not_shifted_losses = trained(Transformer, NotShifted, steps=300)
guess_loss.compare(unmasked_losses[250:].mean())

# %% jupyter={"source_hidden": true}
figure, axes = panels(heading="The lowest loss is that of the models that see the answer")
curves = {"as it should be": losses[:300], "no causal mask": unmasked_losses, "not shifted": not_shifted_losses}
smooth = {name: np.convolve(values, np.ones(10) / 10, "valid") for name, values in curves.items()}
draw_lines(axes, np.arange(10, 301), smooth, x_name="step", y_name="training loss", log="y", marker="")
show(figure, "Training loss over 300 steps, on a logarithmic axis. Not shifted falls at once and lowest, then no "
     "causal mask; at the end the right model is far above both.")

# %% [markdown]
# Now let each of them write: one word at a time, each word fed back, and nothing to read ahead of it.

# %%
def writes(model):
    """What the model answers to the test questions, word by word."""
    ids = greedy(model, task.encoded("test")[0], max_tokens=6)
    return [words.text(row) or "(nothing)" for row in ids]


questions, truth = task.sentences("test")
shown = [questions.index(f"What can {animal} do?") for animal in ("owls", "whales", "zebras")]
for name, writer in (("as it should be", model), ("no causal mask", unmasked), ("not shifted", not_shifted)):
    answers = writes(writer)
    right = np.mean([a == b for a, b in zip(answers, truth)])
    print(f"{name:<16} {right:4.0%} right, for example {[answers[i] for i in shown]}")
    if writer is unmasked:
        guess_share.compare(right)

# %% [markdown]
# Both copied the answer from their input, and learned nothing else. Where there is nothing to copy they fail. The
# unmasked one learned: *name the word that comes next in the input, and where none comes, end.* Nothing ever comes next
# when one writes, and so it ends at once, or writes nonsense. The unshifted one learned: *name the word at your own
# place.* At the beginning that is `<bos>`, which it has never met; before long it falls on some word, finds that at its
# own place next, and says it again, until it is stopped. It copies its input.
#
# Evaluation with the true words as input does not find this mistake, because then too the model can see the future:

# %%
fed_the_truth = evaluate(unmasked, task, "test")
print(f"no causal mask, true words fed in, on {fed_the_truth['sequences']} questions never seen in training:")
print(f"  loss {fed_the_truth['loss']:.3f}, answers right to the last word {fed_the_truth['exact_match']:.0%}")
drawn = {name: attention_weights(either, question, written)["decoder"][0, 0]
         for name, either in (("with the causal mask", model), ("without", unmasked))}

# %% jupyter={"source_hidden": true}
show(
    plot_matrices(drawn, rows="query (word to be written)", columns="key (word read)", row_labels=labels(written),
                  column_labels=["<bos>", *labels(answer)]),
    "Self-attention of two decoders. With the mask, the triangle above the diagonal is empty. Without it, each of the "
    "first three rows is bright one step right of the diagonal: at the very word that it has to write.",
)

# %% [markdown]
# A test that finds it needs one line and no training: **change a word, and see which outputs change.** The logits at
# position $t$ must not depend on any later input. For the leak in the *data*, compare what is read with what is to be
# named.

# %%
def sees_the_future(model):
    """Does another last word change what the model says at the positions before it?"""
    changed = batch.target_in.copy()
    changed[:, -1] = EOS
    before, after = model(batch.source, batch.target_in), model(batch.source, changed)
    return bool(np.abs(before - after)[:, :-1].max() > 1e-4)


for name, suspect in (("as it should be", model), ("no causal mask", unmasked), ("not shifted", not_shifted)):
    print(f"{name:<16} sees the future: {sees_the_future(suspect)}")
for name, stream in (("as it should be", BatchStream), ("not shifted", NotShifted)):
    _, target_in, target_out = stream(task, rng, batch_size=32)()
    same = (target_in == target_out)[target_out != PAD]
    print(f"{name:<16} reads what it is to name at {same.mean():.0%} of the places")

# %% [markdown]
# ## Aha
#
# > **A low loss says that the model has found the answer. It does not say where.**
#
# The mask is more than a detail. It says what will be known at the time of writing, and so it is part of the problem.
# Leave it out and the model solves another problem, perfectly. Section 3.1 of the paper (Vaswani et al. 2017) names
# both in one sentence: the masking, *and* the offset of the outputs by one position. You have seen that neither is
# enough alone. [15](15_the_debugging_clinic.ipynb) has a model that reads from the future, and its loss is better than
# that of the right one.
#
# ## Three questions to leave with
#
# 1. The first row of the decoder's self-attention has one key. What is its weight, whatever the scores are, and what
#    gradient do that row's scores get? (It stands in a picture above.)
# 2. Writing word by word, the package hands its decoder no causal mask at all (`Transformer.step`). Why is none needed?
# 3. Put a causal mask on the *encoder*. Which words of "What can owls do?" would not know that it is about owls, and
#    would the decoder mind?
#
# <details><summary>Answers</summary>
#
# 1. Its weight is 1, and its score gets the gradient 0: $P\,(d_P - d_P P) = d_P - d_P = 0$ for $P = 1$.
# 2. There is only one query, the newest position, and all keys that exist are its own or earlier ones. Nothing later
#    exists that could be hidden.
# 3. “What” and “can”, which stand before “owls”. The decoder can still look at “owls”, “do” and “?”, which know it, so
#    this task would hardly suffer.
#
# </details>
