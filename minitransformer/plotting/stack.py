"""One stack of figure 1: its input, its repeated layer, and its output."""

from typing import NamedTuple

from ..attention import MultiHeadAttention
from ..layers import Residual
from ..older import CausalConvolution, LocalAttention
from .captions import caption, of_input
from .diagram import CAPTION_FONT

WIDTH = 2.4  # of a box, in inches
TALL, LOW = 0.66, 0.44  # heights of a sublayer's box, and of an "Add & norm"
# between boxes: plain, where the bypass leaves, three arrows into an attention
STEP, FORK, FAN = 0.2, 0.34, 0.42
BYPASS = WIDTH / 2 + 0.28  # the residual connection's distance from the middle
# the frame's, on the captions' side and on the other
ROOM_OUT, ROOM_IN = WIDTH / 2 + 0.5, WIDTH / 2 + 0.8
ARROWS = {"V": -0.6, "K": 0.0, "Q": 0.6}
CROSS_ARROWS = {"V": -0.75, "K": -0.2, "Q": 0.6}


class Stack(NamedTuple):
    """The top of a drawn stack, and the place of the memory: its height, and the points of the
    arrow heads."""

    top: float
    memory: float = 0.0
    memory_arrows: tuple = ()


def sublayers(layer):
    """(name of the Residual, the Residual, name of its sublayer) of a layer, from the bottom up."""
    names = {id(child): name for name, child in layer.children() if not isinstance(child, Residual)}
    return [
        (name, child, names[id(child.sublayer)])
        for name, child in layer.children()
        if isinstance(child, Residual)
    ]


def residual_height(residual):
    """The height of one sublayer with its Add & Norm; the same as in `draw_residual`."""
    attends, pre = isinstance(residual.sublayer, MultiHeadAttention), residual.order == "pre"
    return FORK + (LOW + STEP * (not attends)) * pre + FAN * attends + TALL + STEP + LOW


def stack_height(stack):
    """The height of a stack with its frame and its final norm."""
    layer = (
        sum(residual_height(r) for _, r, _ in sublayers(stack.layers[0])) + 0.3
        if stack.layers
        else 0
    )
    return layer + (0.3 + LOW if stack.final_norm is not None else 0)


def draw_stack(diagram, x, y, stack, name, side, masked=False):
    """Draw the layer once, with "N ×", and the final norm if there is one. Returns its `Stack`."""
    memory, memory_arrows = 0.0, ()
    bottom = y
    if stack.layers:
        for norm_name, residual, sublayer_name in sublayers(stack.layers[0]):
            crossing = sublayer_name == "cross_attention"
            label = label_of(residual.sublayer, masked and not crossing)
            y, heads = draw_residual(
                diagram, x, y, residual, (norm_name, sublayer_name), label, side, crossing
            )
            if crossing:
                memory, memory_arrows = heads[0][1] - FAN / 2, tuple(heads)
        y += 0.15
        edges = sorted((x + side * ROOM_OUT, x - side * ROOM_IN))
        diagram.frame(edges[0], bottom, edges[1], y)
        diagram.line((x, y - 0.15), (x, y))
        inner = x - side * (WIDTH / 2 + 0.4)
        diagram.text(inner, y - 0.32, f"{len(stack.layers)} ×", 18, weight="bold", ha="center")
        diagram.text(inner, bottom + 0.15, f"{name}.layers.i", CAPTION_FONT - 1, family="monospace",
                     rotation=90, ha="center", va="bottom")  # fmt: skip
    if stack.final_norm is not None:
        box = climb(diagram, x, y, 0.3, LOW, "Norm", "norm")
        note(diagram, box, side, f"{name}.final_norm", caption(stack.final_norm))
        y = box.top
    return Stack(y, memory, memory_arrows)


def label_of(sublayer, masked):
    if isinstance(sublayer, CausalConvolution):
        return "Causal\nconvolution"
    if not isinstance(sublayer, MultiHeadAttention):
        return "Feed forward"
    if isinstance(sublayer.attention, LocalAttention):
        return "Local multi-head\nattention"
    return "Masked multi-head\nattention" if masked else "Multi-head\nattention"


def draw_residual(diagram, x, y, residual, names, label, side, crossing):
    """A sublayer with its bypass, Add and Norm, from y upwards. Returns (top, points of the
    memory's arrow heads)."""
    norm_name, sublayer_name = names
    pre, attends = residual.order == "pre", isinstance(residual.sublayer, MultiHeadAttention)
    fork, step, heads = y + 0.12, FORK, []
    if pre:
        box = climb(diagram, x, y, step, LOW, "Norm", "norm")
        note(diagram, box, side, f"{norm_name}.norm", caption(residual.norm))
        y, step = box.top, 0.0 if attends else STEP
    if attends:
        diagram.line((x, y), (x, y + step))
        heads = draw_fan(diagram, x, y + step, crossing)
        box = diagram.box(x, y + step + FAN + TALL / 2, WIDTH, TALL, label, "attention")
    else:
        box = climb(diagram, x, y, step, TALL, label, "feed-forward")
    note(diagram, box, side, sublayer_name, caption(residual.sublayer))
    last = climb(
        diagram, x, box.top, STEP, LOW, "Add" if pre else "Add & norm", "add" if pre else "norm"
    )
    note(diagram, last, side, norm_name, caption(residual))
    bypass = x + side * BYPASS
    diagram.arrow((x, fork), (bypass, fork), (bypass, last.y), (x + side * WIDTH / 2, last.y))
    return last.top, heads


def draw_fan(diagram, x, y, crossing):
    """The arrows for V, K and Q. When crossing, only Q comes from below; returns where V and K must
    arrive."""
    top, low = y + FAN, y + 0.06
    places = CROSS_ARROWS if crossing else ARROWS
    for name, offset in places.items():
        diagram.text(x + offset + 0.05, top - 0.11, name, CAPTION_FONT - 1)
        if name == "Q" or not crossing:
            diagram.arrow((x, y), (x, low), (x + offset, low), (x + offset, top))
    return [(x + places[name], top) for name in ("V", "K")] if crossing else []


def climb(diagram, x, y, step, height, label, kind, dashed=False):
    """An arrow of length `step` upwards from (x, y), and a box on top of it."""
    diagram.arrow((x, y), (x, y + step))
    return diagram.box(x, y + step + height / 2, WIDTH, height, label, kind, dashed)


def note(diagram, box, side, name, text):
    diagram.note(box.x + side * (ROOM_OUT + 0.12), box.y, name, text, side)


def draw_input(diagram, x, name, entry, side, title, shape, remark=""):
    """Ids, embedding (with a remark on it), and the positional encoding that is added."""
    diagram.text(x, 0.5, title, ha="center")
    diagram.text(x, 0.25, shape, CAPTION_FONT, ha="center")
    box = climb(diagram, x, 0.68, 0.24, 0.5, "Embedding", "embedding")
    note(diagram, box, side, f"{name}.embedding", f"{caption(entry.embedding)}\n{remark}")
    plus = diagram.circle(x, 1.97, 0.15, "+")
    wave = diagram.circle(x + side * 0.85, 1.97, 0.2, "~")
    diagram.arrow((x, box.top), (x, plus.bottom))
    diagram.arrow((wave.x - side * 0.2, wave.y), (x + side * 0.15, plus.y))
    diagram.line((x, plus.top), (x, 2.55))
    diagram.note(x + side * (ROOM_OUT + 0.12), wave.y, f"{name}.position", of_input(entry), side)


def draw_output(diagram, x, y, output, side):
    """Linear, softmax and the probabilities."""
    box = climb(diagram, x, y, 0.3, 0.5, "Linear", "linear")
    note(diagram, box, side, "output", caption(output))
    diagram.text(x + 0.1, box.top + 0.2, "logits (B, T, V)", CAPTION_FONT)
    box = climb(diagram, x, box.top, 0.4, 0.5, "Softmax", "softmax", dashed=True)
    note(diagram, box, side, "", "in the loss and in decoding")
    diagram.arrow((x, box.top), (x, box.top + 0.3))
    diagram.text(x, box.top + 0.48, "Output probabilities", ha="center")
