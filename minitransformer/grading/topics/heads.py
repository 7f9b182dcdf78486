"""Cutting the features into heads, and joining them again."""

from ...attention import MergeHeads, SplitHeads
from ...attention.heads import merge, split
from ..exercise import exercise
from .met import issue, places, pull

QUESTIONS = {
    "reshape": (
        "Which numbers lie next to each other in memory: the features of one position, or those of "
        "one head?"
    ),
    "interleaved": (
        "Head 0 has the features 0 to K − 1. Which of the two, H or K, changes fastest along the "
        "features?"
    ),
    "order": "In which order do the axes of the answer stand?",
}


@exercise(
    "heads.split",
    inputs={"x": "(B, T, D)", "heads": "number"},
    returns={"y": "(B, H, T, K)"},
    given=lambda rng, n: {"x": rng.standard_normal((n.B, n.T, n.D)), "heads": n.H},
    shown=(split,),
    hints=(
        "A reshape never changes the order of the numbers in memory. Can it alone bring the heads "
        "before the positions?",
        "y[b, h, t, k] = x[b, t, h·K + k]",
        "cut the last axis into two: heads, and the width of a head\n"
        "exchange the axes of the positions and of the heads",
        "x.reshape(batch, length, heads, -1).transpose(0, 2, 1, 3)",
    ),
)
def split_heads(x, heads):
    """Cut the features of every position into heads: head h gets the features h·K to (h + 1)·K − 1,
    where K = D/H."""
    batch, length, features = x.shape
    return x.reshape(batch, length, heads, features // heads).transpose(0, 2, 1, 3)


@exercise(
    "heads.merge",
    inputs={"x": "(B, H, T, K)"},
    returns={"y": "(B, T, D)"},
    given=lambda rng, n: {"x": rng.standard_normal((n.B, n.H, n.T, n.K))},
    shown=(merge,),
    hints=(
        "All heads of a position are to lie side by side. What lies side by side now?",
        "y[b, t, h·K + k] = x[b, h, t, k]",
        "exchange the axes of the heads and of the positions\njoin the last two axes",
        "x.transpose(0, 2, 1, 3).reshape(batch, length, heads * width)",
    ),
)
def merge_heads(x):
    """Concatenate the heads of every position, D = H·K features: head h becomes the features h·K to
    (h + 1)·K − 1."""
    batch, heads, length, width = x.shape
    return x.transpose(0, 2, 1, 3).reshape(batch, length, heads * width)


@exercise(
    "heads.split_backward",
    forward=split_heads,
    inputs={"d_y": "(B, H, T, K)", **split_heads.inputs},
    returns={"d_x": "(B, T, D)"},
    given=lambda rng, n: {
        "d_y": rng.standard_normal((n.B, n.H, n.T, n.K)),
        **split_heads.given(rng, n),
    },
    shown=(SplitHeads.backward, merge),
    hints=(
        "Forward only moved numbers. Where does the gradient of a number have to go?",
        "d_x[b, t, h·K + k] = d_y[b, h, t, k]",
        "undo forward's steps in reverse: first the exchange of axes\nthen join the last two axes",
        "d_y.transpose(0, 2, 1, 3).reshape(batch, length, features)",
    ),
)
def split_heads_backward(d_y, x, heads):
    """The gradient of x, from that of y, where head h of y has the features h·K to (h + 1)·K − 1 of
    x."""
    batch, length, features = x.shape
    return d_y.transpose(0, 2, 1, 3).reshape(batch, length, features)


@exercise(
    "heads.merge_backward",
    forward=merge_heads,
    inputs={"d_y": "(B, T, D)", **merge_heads.inputs},
    returns={"d_x": "(B, H, T, K)"},
    given=lambda rng, n: {"d_y": rng.standard_normal((n.B, n.T, n.D)), **merge_heads.given(rng, n)},
    shown=(MergeHeads.backward, split),
    hints=(
        "Forward only moved numbers. Where does the gradient of a number have to go?",
        "d_x[b, h, t, k] = d_y[b, t, h·K + k]",
        "undo forward's steps in reverse: first cut the last axis into two\n"
        "then exchange the axes of positions and heads",
        "d_y.reshape(batch, length, heads, width).transpose(0, 2, 1, 3)",
    ),
)
def merge_heads_backward(d_y, x):
    """The gradient of x, from that of y, where head h of x became the features h·K to (h + 1)·K − 1
    of y."""
    batch, heads, length, width = x.shape
    return d_y.reshape(batch, length, heads, width).transpose(0, 2, 1, 3)


for _exercise, _cut, _width in (
    (split_heads, "x.reshape(batch, length, heads, features // heads)", "features // heads"),
    (merge_heads_backward, "d_y.reshape(batch, length, heads, width)", "width"),
):
    _array, _all = _cut.split(".")[0], _cut + ".transpose(0, 2, 1, 3)"
    _exercise.mistake(
        "reshape-for-transpose",
        "the array is reshaped where its axes should be exchanged",
        {_all: f"{_array}.reshape(batch, heads, length, {_width})"},
        evidence=(
            "A head then holds whole positions, also later ones: a causal mask no longer hides the "
            "future."
        ),
        question=QUESTIONS["reshape"],
        met=places(issue("reczoo/FuxiCTR", 30), issue("hyunwoongko/transformer", 15)),
    )
    _exercise.mistake(
        "heads-interleaved",
        "the heads are interleaved: each gets every H-th feature",
        {_all: f"{_array}.reshape(batch, length, {_width}, heads).transpose(0, 3, 1, 2)"},
        question=QUESTIONS["interleaved"],
    )
    _exercise.mistake(
        "axes-not-ordered",
        "the features are cut, and the axes are not brought in order",
        {_all: _cut},
        {"transpose(0, 2, 1, 3)": "transpose(0, 2, 3, 1)"},
        {"transpose(0, 2, 1, 3)": "transpose(2, 0, 1, 3)"},
        question=QUESTIONS["order"],
    )

for _exercise, _joined in (
    (merge_heads, "x.transpose(0, 2, 1, 3).reshape(batch, length, heads * width)"),
    (split_heads_backward, "d_y.transpose(0, 2, 1, 3).reshape(batch, length, features)"),
):
    _array = _joined.split(".")[0]
    _exercise.mistake(
        "reshape-alone",
        "the heads are joined by a reshape, their axes not exchanged before",
        {".transpose(0, 2, 1, 3)": ""},
        evidence=(
            "A row then holds several positions of one head, and not one position of all heads."
        ),
        question=QUESTIONS["reshape"],
        met=places(
            pull("jsbaan/transformer-from-scratch", 6),
            pull("ajhalthor/Transformer-Neural-Network", 4),
        ),
    )
    _exercise.mistake(
        "heads-interleaved",
        "the heads are interleaved: each becomes every H-th feature",
        {"transpose(0, 2, 1, 3)": "transpose(0, 2, 3, 1)"},
        question=QUESTIONS["interleaved"],
    )
    _exercise.mistake(
        "last-axes-not-exchanged",
        "the last two axes are not exchanged back before the heads are joined",
        {"transpose(0, 2, 1, 3)": "transpose(0, 3, 1, 2)"},
        {".transpose(0, 2, 1, 3)": ".swapaxes(-1, -2)"},
        evidence="This is right for an array that holds Kᵀ.",
        question=QUESTIONS["order"],
        met="a public NumPy Transformer",
    )
    _exercise.mistake(
        "heads-averaged",
        "the heads are averaged or added, not put side by side",
        *({_joined: f"{_array}.{how}(axis=1)"} for how in ("mean", "sum")),
        *(
            {
                _joined: _joined.replace(
                    _array, f"(0 * {_array} + {_array}.{how}(axis=1, keepdims=True))", 1
                )
            }
            for how in ("mean", "sum")
        ),
        question=(
            "How many features should a position have afterwards, and may two heads share one?"
        ),
    )
    _exercise.mistake(
        "joined-along-positions",
        "the heads are joined along the positions",
        {_joined: f"{_array}.reshape({_array}.shape[0], -1, {_array}.shape[-1])"},
        question="How many positions should there be afterwards?",
    )
