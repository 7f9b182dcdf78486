"""The architecture, drawn from a model's own tree: figure 1 of the paper with this model's
sizes."""

from matplotlib.figure import Figure

from ..attention import MultiHeadAttention
from ..boundary import checked
from ..core.module import Module
from ..errors import InputError
from ..layers import FeedForward, Residual, Unembedding
from ..models import LanguageModel, Transformer
from .captions import captions_width, head_sizes
from .diagram import CAPTION_FONT, Diagram
from .stack import ROOM_IN, ROOM_OUT, draw_input, draw_output, draw_stack, stack_height
from .style import HEADING

GAP = 1.1  # inches between encoder and decoder
ENTRY, EXIT = 2.55, 2.75  # inches below and above a stack


@checked
def plot_architecture(model: Module) -> Figure:
    """Figure 1 of "Attention Is All You Need" for this model: every box is a component of its tree.

    A Transformer shows the encoder at the left and the decoder at the right, a LanguageModel (one
    of convolutions or of local attention too) its one stack. Read from
    the components: how often a layer is repeated, the place of the norms (post or pre) and a final
    one, heads and widths, dropout, activation, kind of positions, tied embeddings. Beside each box
    is its name in the code. The softmax is dashed because the model ends with the logits.

    Returns a matplotlib Figure. Raises InputError for another kind of model.
    """
    if isinstance(model, Transformer):
        return draw_transformer(model)
    if isinstance(model, LanguageModel):
        return draw_language_model(model)
    raise InputError(
        "Only a Transformer or a LanguageModel can be drawn; this is of type "
        f"{type(model).__name__}."
    )


def draw_transformer(model):
    height = ENTRY + max(stack_height(model.decoder), stack_height(model.encoder)) + EXIT
    edge = ROOM_OUT + 0.4 + captions_width(model, CAPTION_FONT)
    left, right = edge, edge + 2 * ROOM_IN + GAP                         # the middles of the stacks
    diagram = Diagram(right + edge, height)

    shared = model.source_input.embedding is model.target_input.embedding
    remark = "one table for both inputs" if shared else ""
    draw_input(
        diagram, left, "source_input", model.source_input, -1, "Inputs", "source ids (B, S)", remark
    )
    draw_input(diagram, right, "target_input", model.target_input, 1, "Outputs (shifted right)",
               "target_in ids (B, T)", remark)  # fmt: skip
    encoder = draw_stack(diagram, left, ENTRY, model.encoder, "encoder", -1)
    decoder = draw_stack(diagram, right, ENTRY, model.decoder, "decoder", 1, masked=True)
    draw_output(diagram, right, decoder.top, model.output, 1)
    draw_memory(diagram, left, encoder, decoder, left + ROOM_IN + GAP / 2)
    draw_facts(diagram, 0.35, height - 0.4, model)
    return diagram.figure


def draw_memory(diagram, x, encoder, decoder, middle):
    """The line from the encoder's output to the values and keys of the cross-attention, between the
    stacks."""
    bend = max(encoder.top, decoder.memory) + 0.35
    diagram.text(x + 0.1, bend + 0.17, "memory (B, S, D)", CAPTION_FONT)
    value, key = decoder.memory_arrows
    way = [(x, encoder.top), (x, bend), (middle, bend), (middle, decoder.memory)]
    diagram.arrow(*way, (key[0], decoder.memory), key)
    diagram.arrow((value[0], decoder.memory), value)


def draw_language_model(model):
    height = ENTRY + stack_height(model.layers) + EXIT
    x = 3.6 + ROOM_IN
    diagram = Diagram(x + ROOM_OUT + 0.4 + captions_width(model, CAPTION_FONT), height)
    draw_input(
        diagram, x, "input", model.input, 1, "Source, <bos>, target so far", "ids (B, S + T)"
    )
    stack = draw_stack(diagram, x, ENTRY, model.layers, "layers", 1, masked=True)
    draw_output(diagram, x, stack.top, model.output, 1)
    draw_facts(diagram, 0.35, height - 0.4, model)
    return diagram.figure


def draw_facts(diagram, x, y, model):
    """The model's name, what it is made of, and what the letters mean, downwards from (x, y)."""
    diagram.text(x, y, type(model).__name__, HEADING + 3, weight="bold")
    for i, line in enumerate(facts(model)):
        diagram.text(x, y - 0.4 - 0.25 * i, line, CAPTION_FONT)


def facts(model):
    """Lines of text: the order of the norms, the number of parameters, the sizes by their
    letters."""
    modules = [module for _, module in model.named_modules()]
    order = next(module.order for module in modules if isinstance(module, Residual))
    attention = next((m for m in modules if isinstance(m, MultiHeadAttention)), None)
    heads = (
        ""
        if attention is None
        else "H = {1} heads of width K = {2} (d_k)".format(*head_sizes(attention))
    )
    features, hidden = next(m for m in modules if isinstance(m, FeedForward)).expand.weight.shape
    stacks = [
        (name, child.layers) for name, child in model.children() if getattr(child, "layers", [])
    ]
    return [
        f"{order}-norm, {model.parameter_count():,} parameters",
        *(
            f"{name}: {len(layers)} × {layers[0].parameter_count():,} parameters"
            for name, layers in stacks
        ),
        "",
        "B sequences, S source and T target tokens",
        f"D = {features:,} features (d_model)",
        *([heads] if heads else []),
        f"F = {hidden:,} hidden features (d_ff)",
        f"V = {vocabulary_size(model.output):,} tokens in the vocabulary",
    ]


def vocabulary_size(output):
    """V of a Linear (D, V), or of an Unembedding (V, D)."""
    return output.weight.shape[0 if isinstance(output, Unembedding) else 1]
