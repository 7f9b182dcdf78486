"""Scaled dot-product and multi-head attention: figure 2 of the paper with a model's sizes."""

from matplotlib.figure import Figure

from ..attention import MultiHeadAttention
from ..boundary import checked
from ..core.module import Module
from ..errors import InputError
from ..older import LocalAttention
from .captions import head_sizes
from .diagram import CAPTION_FONT, Diagram
from .style import HEADING

WIDTH, LEFT, RIGHT = 14.4, 3.5, 9.1  # of the page, and the middles of its two pictures, in inches
BOX, STEP = 0.52, 0.42  # the height of a box, and of the arrow below it
SHAPES = {"Q": "(B, H, T, {keys})", "K": "(B, H, S, {keys})", "V": "(B, H, S, {values})"}


@checked
def plot_attention_architecture(model: Module) -> Figure:
    """Figure 2 of "Attention Is All You Need": scaled dot-product attention at the left, multi-head
    at the right.

    The sizes are those of the first `MultiHeadAttention` in the model's tree (all of a model have
    the same); beside each box is its name in the code. Dropout on the weights is shown where the
    model has it.

    Returns a matplotlib Figure. Raises InputError for a model without multi-head attention.
    """
    found = [
        (path, m) for path, m in model.named_modules()
        if isinstance(m, MultiHeadAttention) and not isinstance(m.attention, LocalAttention)
    ]  # fmt: skip
    if not found:
        raise InputError(f"{type(model).__name__} has no multi-head attention to draw.")
    path, attention = found[0]
    steps = steps_of(attention)
    height = 2.8 + len(steps) * (STEP + BOX)
    diagram = Diagram(WIDTH, height)
    draw_scaled_dot_product(diagram, LEFT, steps, attention)
    draw_multi_head(diagram, RIGHT, attention)
    for x, title, name in [
        (LEFT - 1.2, "Scaled dot-product attention", f"{path}.attention".lstrip(".")),
        (RIGHT - 2.2, "Multi-head attention", path),
    ]:
        diagram.text(x, height - 0.35, title, HEADING, weight="bold")
        diagram.text(x, height - 0.65, name, CAPTION_FONT - 0.5, family="monospace")
    return diagram.figure


def steps_of(attention):
    """(label, colour, name in the code, caption) of each step of scaled dot-product attention, from
    the bottom up."""
    _, _, keys, values = head_sizes(attention)
    dropout = attention.attention.dropout.p
    steps = [
        ("MatMul", "product", "", "scores Q Kᵀ, (B, H, T, S)"),
        ("Scale", "plain", "", f"÷ √K = √{keys}"),
        ("Mask (opt.)", "plain", "masking", "−∞ where it forbids"),
        ("SoftMax", "softmax", "softmax", "weights P, rows sum to 1"),
    ]
    steps += [("Dropout", "plain", "dropout", f"p = {dropout:g} on the weights")] if dropout else []
    return [*steps, ("MatMul", "product", "", f"P V, (B, H, T, {values})")]


def draw_scaled_dot_product(diagram, x, steps, attention):
    """The steps from the bottom up, Q, K and V at the bottom, captions at the left."""
    _, _, keys, values = head_sizes(attention)
    y, ways = 0.95, {"Q": -0.6, "K": 0.6, "V": 1.85}
    for name, offset in ways.items():
        diagram.text(x + offset, 0.72, name, ha="center", weight="bold")
        diagram.text(
            x + offset, 0.45, SHAPES[name].format(keys=keys, values=values), CAPTION_FONT - 1,
            ha="center",
        )
    for i, (label, kind, name, text) in enumerate(steps):
        starts = (-0.6, 0.6) if i == 0 else (-0.6,) if i == len(steps) - 1 else (0.0,)
        for offset in starts:
            diagram.arrow((x + offset, y), (x + offset, y + STEP))
        box = diagram.box(x, y + STEP + BOX / 2, 2.4, BOX, label, kind)
        diagram.note(box.left - 0.25, box.y, name, text, -1)
        y = box.top
    bend = box.bottom - STEP / 2
    diagram.arrow((x + 1.85, 0.95), (x + 1.85, bend), (x + 0.6, bend), (x + 0.6, box.bottom))
    diagram.arrow((x, y), (x, y + STEP))
    diagram.text(x, y + STEP + 0.17, SHAPES["Q"].format(keys=values), CAPTION_FONT - 1, ha="center")


def draw_multi_head(diagram, x, attention):
    """From V, K and Q at the bottom: three Linear, the heads' attention, Concat, Linear; captions
    at the right."""
    features, heads, keys, values = head_sizes(attention)
    edge, y = x + 2.9, 0.95
    for name, offset in {"V": -1.55, "K": 0.0, "Q": 1.55}.items():
        diagram.text(x + offset, 0.72, name, ha="center", weight="bold")
        diagram.text(
            x + offset, 0.45, f"(B, {'T' if name == 'Q' else 'S'}, {features})", CAPTION_FONT - 1,
            ha="center",
        )
        diagram.arrow((x + offset, y), (x + offset, y + STEP))
        linear = diagram.box(
            x + offset, y + STEP + BOX / 2, 1.15, BOX, "Linear", "linear", copies=heads
        )
        diagram.arrow((x + offset, linear.top), (x + offset, linear.top + 0.8))
    each = f"{features} → {heads} × {keys} each"
    if values != keys:
        each = f"{features} → {heads} × {keys}, value {heads} × {values}"
    diagram.note(edge, linear.y, "query, key, value, split", each, 1)
    core = diagram.box(
        x, linear.top + 0.8 + 0.35, 4.4, 0.7, "Scaled dot-product attention", "attention",
        copies=heads,
    )
    diagram.note(edge, core.y, "attention", f"{heads} heads side by side", 1)
    joined = heads * values
    concat = climb(diagram, x, core.top, 0.8, "Concat", "plain")
    diagram.note(edge, concat.y, "merge", f"{heads} × {values} → {joined:,}", 1)
    linear = climb(diagram, x, concat.top, STEP, "Linear", "linear")
    diagram.note(edge, linear.y, "output", f"{joined:,} → {features:,}", 1)
    diagram.arrow((x, linear.top), (x, linear.top + STEP))
    diagram.text(x, linear.top + STEP + 0.17, f"(B, T, {features})", CAPTION_FONT - 1, ha="center")


def climb(diagram, x, y, step, label, kind):
    diagram.arrow((x, y), (x, y + step))
    return diagram.box(x, y + step + BOX / 2, 2.6, BOX, label, kind)
