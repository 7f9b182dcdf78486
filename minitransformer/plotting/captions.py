"""The text beside a box: sizes and choices, read from the component that the box represents."""

from ..attention import MultiHeadAttention
from ..layers import (
    Embedding,
    FeedForward,
    LayerNorm,
    LearnedPositionalEncoding,
    Linear,
    Residual,
    Unembedding,
)
from ..models import InputEmbedding
from ..older import CausalConvolution, LocalAttention
from .style import widest


def caption(component):
    """One or two lines about a component: its sizes, and what differs from the paper."""
    for kind, write in WRITERS.items():
        if isinstance(component, kind):
            return write(component)
    return ""


def captions_width(model, size):
    """The width in inches of the widest line beside the boxes of a model."""
    texts = [of_input(module) if isinstance(module, InputEmbedding) else caption(module)
             for _, module in model.named_modules()]  # fmt: skip
    return widest([line for text in texts for line in text.split("\n")], size)


def head_sizes(attention):
    """(D, H, K, K_v) of a `MultiHeadAttention`."""
    features, width = attention.query.weight.shape
    heads = attention.heads
    return features, heads, width // heads, attention.value.weight.shape[1] // heads


def of_attention(attention):
    _, heads, keys, values = head_sizes(attention)
    sizes = (
        f"{heads} heads, width {keys}"
        if keys == values
        else f"{heads} heads, width {keys}, values {values}"
    )
    extras = ["bias"] if attention.query.bias is not None else []
    extras += (
        [f"window {attention.attention.width}"]
        if isinstance(attention.attention, LocalAttention)
        else []
    )
    extras += (
        [f"dropout {attention.attention.dropout.p:g} on the weights"]
        if attention.attention.dropout.p
        else []
    )
    return "\n".join([sizes, ", ".join(extras)]).strip()


def of_convolution(convolution):
    joined, features = convolution.linear.weight.shape
    width = convolution.window.width
    return f"width {width}: {width} × {joined // width} → {features}\ndilation {width}^i in layer i"


def of_feed_forward(network):
    features, hidden = network.expand.weight.shape
    sizes = f"{features:,} → {hidden:,} → {features:,}, {type(network.activation).__name__}"
    return sizes + (
        f"\ndropout {network.dropout.p:g} on the hidden layer" if network.dropout.p else ""
    )


def of_residual(residual):
    return f"dropout {residual.dropout.p:g} on the branch" if residual.dropout.p else "no dropout"


def of_norm(norm):
    return f"over {norm.gamma.size:,} features"


def of_embedding(embedding):
    vocabulary, features = embedding.weight.shape
    return f"{vocabulary:,} tokens × {features:,}" + (
        f", times √{features:,}" if embedding.scale != 1 else ""
    )


def of_linear(linear):
    sizes = "{:,} → {:,}".format(*linear.weight.shape)
    return sizes + ("" if linear.bias is not None else ", no bias")


def of_unembedding(output):
    vocabulary, features = output.weight.shape
    return f"{features:,} → {vocabulary:,}, tied:\nthe embedding's own table"


def of_input(entry):
    """About an `InputEmbedding`: its positions, and its dropout."""
    kind = "learned" if isinstance(entry.position, LearnedPositionalEncoding) else "sinusoidal"
    dropout = f", dropout {entry.dropout.p:g}" if entry.dropout.p else ""
    return f"positional encoding, {kind}\nup to {entry.position.max_length:,} tokens{dropout}"


WRITERS = {
    MultiHeadAttention: of_attention,
    CausalConvolution: of_convolution,
    FeedForward: of_feed_forward,
    Residual: of_residual,
    LayerNorm: of_norm,
    Embedding: of_embedding,
    Linear: of_linear,
    Unembedding: of_unembedding,
}
