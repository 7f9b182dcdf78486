"""The architecture, drawn from a model's own tree: figure 1 of the paper with this model's sizes."""

from ..attention import MultiHeadAttention
from ..errors import InputError
from ..models import LanguageModel, Transformer
from .captions import caption, head_sizes
from .diagram import CAPTION_FONT, Diagram
from .stack import ROOM_IN, ROOM_OUT, draw_input, draw_output, draw_stack, stack_height
from .style import HEADING, TITLE, text_width

CAPTIONS = 2.75  # inches for the captions beside a stack
GAP = 1.1  # inches between encoder and decoder
ENTRY, EXIT = 2.55, 2.75  # inches below and above a stack


def plot_architecture(model):
    """Figure 1 of "Attention Is All You Need" as this very model has it: every box is a component of its tree.

    A Transformer shows the encoder at the left and the decoder at the right, a LanguageModel its one stack. Read from the
    components: how often a layer is repeated, the place of the norms (post or pre) and a final one, heads and widths,
    dropout, activation, kind of positions, tied embeddings. Beside each box stands its name in the code. The softmax
    is dashed because the model ends with the logits.

    Returns a matplotlib Figure. Raises InputError for another kind of model.
    """
    if isinstance(model, Transformer):
        return draw_transformer(model)
    if isinstance(model, LanguageModel):
        return draw_language_model(model)
    raise InputError(f"plot_architecture draws a Transformer or a LanguageModel, not a {type(model).__name__}.")


def draw_transformer(model):
    height = ENTRY + max(stack_height(model.decoder), stack_height(model.encoder)) + EXIT
    left, right = CAPTIONS + ROOM_OUT, CAPTIONS + ROOM_OUT + 2 * ROOM_IN + GAP  # the middles of the stacks
    diagram = Diagram(right + ROOM_OUT + CAPTIONS, height)

    draw_input(diagram, left, "source_input", model.source_input, -1, "Inputs", "source ids (B, S)")
    draw_input(diagram, right, "target_input", model.target_input, 1, "Outputs (shifted right)", "target_in ids (B, T)")
    encoder = draw_stack(diagram, left, ENTRY, model.encoder, "encoder", -1)
    decoder = draw_stack(diagram, right, ENTRY, model.decoder, "decoder", 1, masked=True)
    draw_output(diagram, right, decoder.top, model.output, 1)

    bend = max(encoder.top, decoder.memory) + 0.35
    middle = left + ROOM_IN + GAP / 2
    for target in decoder.memory_arrows:
        diagram.arrow((left, encoder.top), (left, bend), (middle, bend), (middle, decoder.memory),
                      (target[0], decoder.memory), target)  # fmt: skip
    features = model.encoder.layers[0].add_norm_1.norm.gamma.size if model.encoder.layers else "D"
    diagram.text(left + 0.1, bend + 0.17, f"memory (B, S, {features})", CAPTION_FONT)
    draw_facts(diagram, 0.35, height - 0.4, model)
    return diagram.figure


def draw_language_model(model):
    height = ENTRY + stack_height(model.layers) + EXIT
    x = 3.6 + ROOM_IN
    diagram = Diagram(x + ROOM_OUT + CAPTIONS, height)
    draw_input(diagram, x, "input", model.input, 1, "Source, <bos>, target so far", "ids (B, S + T)")
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
    """Lines of text: the order of the norms, the number of parameters, the sizes by their letters."""
    parts = [(name, part) for name, part in model.children() if hasattr(part, "layers")]
    norm = next((m.order for _, m in model.named_modules() if hasattr(m, "order")), None)
    attention = next(m for _, m in model.named_modules() if isinstance(m, MultiHeadAttention))
    features, heads, keys, _ = head_sizes(attention)
    lines = [f"{norm}-norm, {model.parameter_count():,} parameters"]
    for name, part in parts:
        if part.layers:
            lines.append(f"{name}: {len(part.layers)} × {part.layers[0].parameter_count():,}")
    return [*lines, "", "B sequences, S source and T target tokens", f"D = {features:,} features (d_model)",
            f"H = {heads} heads of width K = {keys} (d_k)"]  # fmt: skip
