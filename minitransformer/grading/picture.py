"""A report in a notebook: its sentences as a table, and yours / expected / difference as
pictures."""

import base64
import html as escaping
import io
import sys

import numpy as np

CELLS = 48  # of an array's rows and columns, at most so many are drawn


def in_notebook():
    """Whether a notebook's kernel runs us, which can show more than text."""
    return hasattr(_shell(), "kernel")


def cell_number():
    """The number of the cell that runs in IPython; None elsewhere."""
    return getattr(_shell(), "execution_count", None)


def _shell():
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def show_html(text):
    """Show it in the notebook; the function that is returned puts another text in its place."""
    from IPython.display import HTML, display

    handle = display(HTML(text), display_id=True)
    return lambda another: handle.update(HTML(another))


def html(report):
    """The report as a small table, with a picture of each wrong output."""
    colour = {"right": "#2e8b57", "wrong": "#c62828", "not started": "#6b7785"}[report.status]
    rows = "".join(
        f"<tr><td style='text-align:left;color:#6b7785;vertical-align:top'>{label}</td>"
        f"<td style='text-align:left'>{escaping.escape(sentence)}</td></tr>"
        for label, sentence in report.rows()
    )
    pictures = (
        "".join(_image(name, *arrays) for name, arrays in report.arrays.items())
        if not report.passed
        else ""
    )
    return (
        "<div><b "
        f"style='color:{colour}'>{escaping.escape(report.headline)}</b><table>{rows}</table>{pictures}</div>"
    )


def _image(name, yours, expected):
    """Three heat maps as an <img>; nothing where the arrays cannot be drawn, or matplotlib is not
    there."""
    try:
        from .comparison import plot_comparison
    except ImportError:
        return ""
    if expected.size < 2:
        return ""
    buffer = io.BytesIO()
    plot_comparison(name, _flat(yours), _flat(expected)).savefig(buffer, format="png", dpi=80)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f"<img alt='{escaping.escape(name)}: yours, expected, and the difference' "
        f"src='data:image/png;base64,{data}'/>"
    )


def _flat(array):
    """An array as one matrix: its last axis, by all others."""
    return np.atleast_2d(array.reshape(-1, array.shape[-1]) if array.ndim else array)[
        :CELLS, :CELLS
    ]
