"""Backward through a stack of decoder layers, and through a whole Transformer."""

import numpy as np

from ...models import Decoder, Transformer
from ..exercise import exercise

# more than three, so that a first, a last and a middle are all different from each other
LAYERS = 4


def _layer_backward(rng, n):
    """The backward of a decoder layer at random inputs: d_y → (d_x, d_memory)."""
    own, cross = rng.standard_normal((2, n.D, n.D)) / np.sqrt(n.D)
    slope, weights = rng.uniform(0.5, 1, (n.B, n.T, n.D)), rng.dirichlet(np.ones(n.S), (n.B, n.T))

    def backward(d_y):
        return d_y + (slope * d_y) @ own, weights.swapaxes(-1, -2) @ (d_y @ cross)

    return backward


def _decoder(rng, n):
    layers = [_layer_backward(rng, n) for _ in range(LAYERS)]
    return {"d_y": rng.standard_normal((n.B, n.T, n.D)), "layer_backwards": layers}


@exercise(
    "decoder.backward",
    inputs={
        "d_y": "(B, T, D)",
        "layer_backwards": "list of functions: d_y → (d_x, d_memory), in forward's order",
    },
    returns={"d_x": "(B, T, D)", "d_memory": "(B, S, D)"},
    given=_decoder,
    shown=(Decoder.backward,),
    hints=(
        "Which layer met the data last? And how many of the layers read the memory?",
        "(d_x, d_memory_l) = layer_l.backward(d_x) for l = N … 1,  d_memory = Σ_l d_memory_l",
        (
            "begin with d_y at the end of the stack\n"
            "go through the layers from the last to the first, each with what the one above it "
            "left\nkeep a sum of what they say of the memory"
        ),
        (
            "for layer_backward in reversed(layer_backwards): d_x, d_memory_of_layer = "
            "layer_backward(d_x)"
        ),
    ),
)
def decoder_backward(d_y, layer_backwards):
    """The gradients of what goes into a stack of decoder layers, and of the memory, from that of
    what comes out.

    Each layer reads what the one before it put out, and all of them read the same memory (the
    encoder's output). Its backward takes the gradient of what it put out and returns two: of what
    it read, and of the memory.
    """
    d_x = d_y
    d_memory = 0
    for layer_backward in reversed(layer_backwards):
        d_x, d_memory_of_layer = layer_backward(d_x)
        d_memory = d_memory + d_memory_of_layer
    return d_x, d_memory


SUM = "d_memory = d_memory + d_memory_of_layer"
LOOP = "in reversed(layer_backwards):"
ALL = "How many layers read the memory, and what does each of them add to its gradient?"
decoder_backward.mistake(
    "memory-of-first-layer",
    "the memory's gradient is that of the first layer alone: each layer overwrites it",
    {SUM: "d_memory = d_memory_of_layer"},
    evidence="The layer gone through last is the first of the stack.", question=ALL,
)
decoder_backward.mistake(
    "memory-of-last-layer", "the memory's gradient is that of the last layer alone",
    {SUM: "d_memory = d_memory_of_layer if np.ndim(d_memory) == 0 else d_memory"}, question=ALL,
)
decoder_backward.mistake(
    "memory-mean-over-layers", "the memory's gradient is the mean over the layers",
    {SUM: "d_memory = d_memory + d_memory_of_layer / len(layer_backwards)"},
    question="If one more layer read the memory, would each of the others matter less?",
)
decoder_backward.mistake(
    "layers-forward-order", "the layers are gone through in the order of forward",
    {LOOP: "in layer_backwards:"},
    question="Of which layer's output is d_y the gradient?",
)
decoder_backward.mistake(
    "layers-restart",
    "every layer starts from d_y",
    {"layer_backward(d_x)": "layer_backward(d_y)"},
    question=(
        "Of which layer's output is d_y the gradient, and where does the gradient of the next "
        "one's output come from?"
    ),
)
decoder_backward.mistake(
    "inputs-summed-too",
    "the gradients of x are summed over the layers too",
    {
        "d_x, d_memory_of_layer = layer_backward(d_x)": (
            "d_x_of_layer, d_memory_of_layer = layer_backward(d_x)\n"
            "        d_x = d_x + d_x_of_layer"
        ),
    },
    {
        "d_x, d_memory_of_layer = layer_backward(d_x)": (
            "d_x_of_layer, d_memory_of_layer = layer_backward(d_y)\n"
            "        d_x = d_x + d_x_of_layer"
        ),
    },
    {
        "d_x, d_memory_of_layer = layer_backward(d_x)": (
            "d_x_of_layer, d_memory_of_layer = layer_backward(d_y)\n"
            "        d_x = d_x_of_layer if d_x is d_y else d_x + d_x_of_layer"
        ),
    },
    question="Do all layers read the same x, as they all read the same memory?",
)
decoder_backward.mistake(
    "layer-left-out", "the loop ends one layer early, or begins one late",
    {LOOP: "in layer_backwards[:0:-1]:"}, {LOOP: "in layer_backwards[-2::-1]:"},
    evidence="`range(N - 1, 0, -1)` does that: it stops before 0.",
    question="How often is a layer's backward called, if there are N of them?",
)
decoder_backward.mistake(
    "one-layer-only", "only one layer is gone through", {LOOP: "in layer_backwards[-1:]:"},
    {LOOP: "in layer_backwards[:1]:"}, evidence="A `return` inside the loop does that.",
    question="How often is a layer's backward called, if there are N of them?",
)
decoder_backward.mistake(
    "outputs-swapped", "the two gradients change places",
    {"return d_x, d_memory": "return d_memory, d_x"},
    {"d_x, d_memory_of_layer = layer": "d_memory_of_layer, d_x = layer"},
    question="Which shape has the memory's gradient?",
)


def _whole(rng, n):
    own, cross, out = (
        rng.standard_normal((fan_in, n.D)) / np.sqrt(fan_in) for fan_in in (n.D, n.D, n.V)
    )
    slope, weights = rng.uniform(0.5, 1, (n.B, n.T, n.D)), rng.dirichlet(np.ones(n.S), (n.B, n.T))
    source_weights = rng.dirichlet(np.ones(n.S), (n.B, n.S))

    def decoder(d_logits):
        d_y = d_logits @ out
        return d_y * slope, weights.swapaxes(-1, -2) @ (d_y @ cross)

    def encoder(d_memory):
        return d_memory + source_weights.swapaxes(-1, -2) @ (d_memory @ own)

    return {
        "d_logits": rng.standard_normal((n.B, n.T, n.V)), "decoder_backward": decoder,
        "encoder_backward": encoder,
    }


@exercise(
    "transformer.backward",
    inputs={
        "d_logits": "(B, T, V)", "decoder_backward": "function: d_logits → (d_target, d_memory)",
        "encoder_backward": "function: d_memory → d_source",
    },
    returns={"d_source": "(B, S, D)", "d_target": "(B, T, D)"},
    given=_whole,
    shown=(Transformer.backward,),
    hints=(
        "By which way does a change of the source reach the logits?",
        "(d_target, d_memory) = decoder.backward(d_logits),  d_source = encoder.backward(d_memory)",
        (
            "back through the decoder, which came last: it leaves two gradients\n"
            "one of them is of what the encoder put out\n"
            "back through the encoder with that"
        ),
        "d_source = encoder_backward(d_memory)",
    ),
)
def transformer_backward(d_logits, decoder_backward, encoder_backward):
    """The gradients of the embedded source and of the embedded target, from the gradient of the
    logits.

    In forward, the encoder made the memory out of the source, and the decoder made the logits out
    of the target and the memory. The decoder's backward returns (d_target, d_memory), the encoder's
    d_source.
    """
    d_target, d_memory = decoder_backward(d_logits)
    d_source = encoder_backward(d_memory)
    return d_source, d_target


transformer_backward.mistake(
    "gradients-swapped", "encoder and decoder have each other's gradient",
    {"d_target, d_memory = decoder": "d_memory, d_target = decoder"},
    {"return d_source, d_target": "return d_target, d_source"},
    {"encoder_backward(d_memory)": "encoder_backward(d_target)"},
    evidence="While source and target are equally long, no shape gives it away.",
    question="Which of the two gradients has a position for each word of the source?",
    met="public NumPy Transformers",
)
transformer_backward.mistake(
    "encoder-left-out",
    "the memory's gradient is returned for the source's: the encoder is left out",
    {"encoder_backward(d_memory)": "d_memory"},
    question="What lies between the source and the memory?",
)
transformer_backward.mistake(
    "source-without-gradient", "the source has no gradient",
    {"encoder_backward(d_memory)": "0 * d_memory"},
    {"encoder_backward(d_memory)": "encoder_backward(0 * d_memory)"},
    evidence="The encoder never learns then.",
    question="By which way does a change of the source reach the logits?",
)
transformer_backward.mistake(
    "encoder-gets-both",
    "the encoder is gone through with the gradients of memory and target together",
    {"encoder_backward(d_memory)": "encoder_backward(d_memory + d_target)"},
    {"encoder_backward(d_memory)": "encoder_backward(d_memory) + d_target"},
    question="Does a change of the encoder's output reach the decoder by the target, too?",
)
transformer_backward.mistake(
    "encoder-twice",
    "the encoder is gone through twice, or its memory's gradient added to what came out",
    {"encoder_backward(d_memory)": "encoder_backward(encoder_backward(d_memory))"},
    {"encoder_backward(d_memory)": "d_memory + encoder_backward(d_memory)"},
    question="How often did the source pass the encoder in forward?",
)
