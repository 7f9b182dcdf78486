"""Pictures: attention, training curves, positions, and the architecture drawn from the model
itself.

Every function returns a matplotlib Figure and changes no global state: it needs no display, works
in threads, and is shown in a notebook. `figure.savefig(path)` writes it to a file. Importing this
package imports matplotlib.
"""

from ..inspection.attention import attention_weights
from .architecture import plot_architecture
from .attention import plot_attention, plot_attention_strip, plot_influence
from .attention_architecture import plot_attention_architecture
from .curves import plot_loss_curve
from .gradients import plot_attention_and_gradient
from .matrices import plot_matrices
from .panels import draw_bars, draw_lines, panels
from .positions import plot_positional_encoding
from .style import GRADIENT, KEY, QUERY, VALUE

__all__ = [
    "GRADIENT",
    "KEY",
    "QUERY",
    "VALUE",
    "attention_weights",
    "draw_bars",
    "draw_lines",
    "panels",
    "plot_architecture",
    "plot_attention",
    "plot_attention_and_gradient",
    "plot_attention_architecture",
    "plot_attention_strip",
    "plot_influence",
    "plot_loss_curve",
    "plot_matrices",
    "plot_positional_encoding",
]
